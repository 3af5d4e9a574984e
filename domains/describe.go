package domains

import (
	"math"
	"math/bits"
	"slices"
)

// Stats says what the profiles of a data set are like, so that data sets can be
// compared: how much is held, how unequally, and how strongly criteria hang
// together. What nothing is known of is NaN.
type Stats struct {
	Profiles, Criteria int

	MeanHeld float64 // criteria held by a profile, on average

	// Holding has the minimum, lower quartile, median, upper quartile and maximum,
	// over criteria, of the share of profiles that hold the criterion among those
	// that list it and did not leave it missing.
	Holding [5]float64

	// Phi is the mean |phi| of being held over the pairs of criteria for which it
	// is defined: at least 50 profiles with both cells known, and in these both
	// criteria held by some and not by others.
	Phi                    float64
	PhiPairs, PhiUndefined int

	// Corr is the mean |Pearson correlation| of values over the pairs for which it
	// is defined: at least 30 profiles that hold both, different values of both,
	// and neither criterion nominal.
	Corr                     float64
	CorrPairs, CorrUndefined int

	// Entropy is the mean, over the criteria with levels that anybody holds, of
	// the entropy in bits of the values held.
	Entropy float64
}

// The fewest profiles from which Describe takes an association.
const (
	minPhiRows  = 50
	minCorrRows = 30
)

// Describe computes the statistics of d.
func Describe(d *Dataset) Stats {
	rows := len(d.Profiles)
	columns := make([]column, len(d.Criteria))
	for i := range columns {
		columns[i] = newColumn(rows)
	}
	held := 0
	for r := range d.Profiles {
		p := &d.Profiles[r]
		for j, cell := range p.Cells {
			columns[d.Tasks[p.Task].Criteria[j]].put(r, cell)
			if cell.IsHeld() {
				held++
			}
		}
	}

	s := Stats{Profiles: rows, Criteria: len(d.Criteria), MeanHeld: ratio(float64(held), rows)}
	var rates []float64
	entropy, entropies := 0.0, 0
	for i := range columns {
		if n := count(columns[i].known); n > 0 {
			rates = append(rates, float64(count(columns[i].held))/float64(n))
		}
		if d.Criteria[i].Scale != Continuous && count(columns[i].held) > 0 {
			entropy += columns[i].entropy()
			entropies++
		}
	}
	slices.Sort(rates)
	for i := range s.Holding {
		s.Holding[i] = quantile(rates, float64(i)/4)
	}
	s.Entropy = ratio(entropy, entropies)

	phi, corr := 0.0, 0.0
	for i := range columns {
		for j := range i {
			if v := association(&columns[i], &columns[j]); math.IsNaN(v) {
				s.PhiUndefined++
			} else {
				phi += math.Abs(v)
				s.PhiPairs++
			}
			v := math.NaN()
			if d.Criteria[i].Scale != Nominal && d.Criteria[j].Scale != Nominal {
				v = correlation(&columns[i], &columns[j])
			}
			if math.IsNaN(v) {
				s.CorrUndefined++
			} else {
				corr += math.Abs(v)
				s.CorrPairs++
			}
		}
	}
	s.Phi = ratio(phi, s.PhiPairs)
	s.Corr = ratio(corr, s.CorrPairs)
	return s
}

// column has all cells of one criterion: bit sets over the profiles, and values
// where held.
type column struct {
	known, held []uint64
	value       []float64
}

func newColumn(rows int) column {
	words := (rows + 63) / 64
	return column{make([]uint64, words), make([]uint64, words), make([]float64, rows)}
}

func (c *column) put(row int, cell Cell) {
	bit := uint64(1) << (row % 64)
	if !cell.IsMissing() {
		c.known[row/64] |= bit
	}
	if cell.IsHeld() {
		c.held[row/64] |= bit
		c.value[row] = cell.Value()
	}
}

// entropy in bits of the values held; somebody must hold one.
func (c *column) entropy() float64 {
	var values []float64
	each(c.held, c.held, func(row int) { values = append(values, c.value[row]) })
	slices.Sort(values)
	h, n := 0.0, float64(len(values))
	for from, to := 0, 0; from < len(values); from = to {
		for to = from; to < len(values) && values[to] == values[from]; to++ {
		}
		p := float64(to-from) / n
		h -= p * math.Log2(p)
	}
	return max(h, 0) // not -0
}

// association is phi of being held, or NaN.
func association(a, b *column) float64 {
	var n, na, nb, both int
	for w := range a.known {
		known := a.known[w] & b.known[w]
		n += bits.OnesCount64(known)
		na += bits.OnesCount64(known & a.held[w])
		nb += bits.OnesCount64(known & b.held[w])
		both += bits.OnesCount64(known & a.held[w] & b.held[w])
	}
	if n < minPhiRows || na == 0 || na == n || nb == 0 || nb == n {
		return math.NaN()
	}
	pa, pb := float64(na)/float64(n), float64(nb)/float64(n)
	return (float64(both)/float64(n) - pa*pb) / math.Sqrt(pa*(1-pa)*pb*(1-pb))
}

// correlation is Pearson's, of the values in profiles that hold both, or NaN.
func correlation(a, b *column) float64 {
	n, ma, mb := 0, 0.0, 0.0
	each(a.held, b.held, func(row int) {
		n++
		ma += (a.value[row] - ma) / float64(n)
		mb += (b.value[row] - mb) / float64(n)
	})
	if n < minCorrRows {
		return math.NaN()
	}
	var aa, bb, ab float64
	first, spreadA, spreadB := -1, false, false
	each(a.held, b.held, func(row int) {
		if first < 0 {
			first = row
		}
		spreadA = spreadA || a.value[row] != a.value[first]
		spreadB = spreadB || b.value[row] != b.value[first]
		x, y := a.value[row]-ma, b.value[row]-mb
		aa += x * x
		bb += y * y
		ab += x * y
	})
	if !spreadA || !spreadB {
		return math.NaN()
	}
	return ab / math.Sqrt(aa) / math.Sqrt(bb)
}

// each calls f with every row in both sets, ascending.
func each(a, b []uint64, f func(row int)) {
	for w := range a {
		for s := a[w] & b[w]; s != 0; s &= s - 1 {
			f(64*w + bits.TrailingZeros64(s))
		}
	}
}

func count(set []uint64) int {
	n := 0
	for _, w := range set {
		n += bits.OnesCount64(w)
	}
	return n
}

// quantile interpolates between the order statistics of sorted values.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 == len(sorted) {
		return sorted[low]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// ratio is sum/n, and NaN for no n.
func ratio(sum float64, n int) float64 {
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}
