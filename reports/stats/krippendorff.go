package stats

import (
	"cmp"
	"math"
	"slices"
)

// A Scale says what a difference of two grades means to Alpha.
type Scale uint8

// The scales, with the squared difference of grades c < k, where n_g is how many
// pairable grades are g:
//
//	Nominal        1
//	Ordinal        (n_c/2 + n_{c+1} + .. + n_{k-1} + n_k/2)^2
//	IntervalScale  (k - c)^2
const (
	Nominal Scale = iota
	Ordinal
	IntervalScale
)

// An Agreement accumulates units that were graded several times. The zero Agreement is
// empty. It holds counts alone, so that the order in which units come changes nothing.
type Agreement struct {
	pairs    map[pairOf]int64 // ordered pairs of grades of a unit with so many grades
	units    int64            // with two grades or more
	exact    int64            // of them with one grade throughout
	near     int64            // of them with grades at most 1 apart
	unpaired int64            // units with fewer than two grades
}

// pairOf is an ordered pair of grades of a unit with m grades.
type pairOf struct {
	m    int
	c, k float64
}

// Add adds a unit with its grades; NaN is a grade that is missing. A unit with fewer
// than two has nothing to agree and counts as unpaired.
func (a *Agreement) Add(grades ...float64) {
	known := make([]float64, 0, len(grades))
	for _, g := range grades {
		if !math.IsNaN(g) {
			known = append(known, g)
		}
	}
	m := len(known)
	if m < 2 {
		a.unpaired++
		return
	}
	if a.pairs == nil {
		a.pairs = map[pairOf]int64{}
	}
	a.units++
	for i, c := range known {
		for j, k := range known {
			if i != j {
				a.pairs[pairOf{m, c, k}]++
			}
		}
	}
	switch off := slices.Max(known) - slices.Min(known); {
	case off == 0:
		a.exact++
		a.near++
	case off <= 1:
		a.near++
	}
}

// Units are the units with two grades or more, and Unpaired the others.
func (a *Agreement) Units() int { return int(a.units) }

// Unpaired counts the units with fewer than two grades.
func (a *Agreement) Unpaired() int { return int(a.unpaired) }

// Statistics of agreement that Agreements makes, all undefined (NaN) without units.
type Statistics struct {
	Exact    float64 // share of units with one grade throughout
	Near     float64 // share of units with grades at most 1 apart
	Ordinal  float64 // Krippendorff's alpha
	Interval float64
}

// Agree gives the statistics of all clusters together.
func Agree(clusters []*Agreement) Statistics {
	times := make([]float64, len(clusters))
	for i := range times {
		times[i] = 1
	}
	return newPool(clusters).at(times)
}

// Alpha is Krippendorff's coefficient of reliability,
//
//	1 - (n-1) sum_{c<k} o_ck d_ck / sum_{c<k} n_c n_k d_ck
//
// where o_ck sums, over units with m grades, the ordered pairs (c, k) divided by m-1;
// n_c = sum_k o_ck; n = sum_c n_c; and d is the squared difference on the scale. It is 1
// where all agree and 0 where they agree as by chance; NaN without units and where
// only one grade was ever given, of which nothing can be learnt.
//
// K. Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011, section E (many
// coders, missing data, any metric).
func (a *Agreement) Alpha(s Scale) float64 {
	p := newPool([]*Agreement{a})
	p.sum([]float64{1})
	return p.alpha(s)
}

// AgreeSamples gives Agree of the clusters drawn in every resample of the bootstrap, the
// same ones that Means draws.
func (b Bootstrap) AgreeSamples(clusters []*Agreement) []Statistics {
	p := newPool(clusters)
	out := make([]Statistics, b.Resamples)
	times := make([]float64, len(clusters))
	for r := range out {
		b.draw(r, times)
		out[r] = p.at(times)
	}
	return out
}

// A pool sums the counts of clusters, each taken a number of times.
type pool struct {
	clusters []*Agreement
	grades   []float64 // ascending
	entries  []entry
	count    [][]float64 // of cluster and entry
	o        [][]float64 // coincidences of grades
	n        []float64   // of every grade
}

type entry struct {
	c, k   int // indices of grades, c <= k
	weight float64
}

func newPool(clusters []*Agreement) *pool {
	p := &pool{clusters: clusters}
	seen := map[pairOf]bool{}
	for _, a := range clusters {
		for key := range a.pairs {
			if key.c <= key.k { // pairs come both ways
				seen[key] = true
			}
		}
	}
	keys := make([]pairOf, 0, len(seen))
	for key := range seen {
		keys = append(keys, key)
		p.grades = append(p.grades, key.c, key.k)
	}
	slices.Sort(p.grades)
	p.grades = slices.Compact(p.grades)
	slices.SortFunc(keys, func(a, b pairOf) int {
		return cmp.Or(cmp.Compare(a.m, b.m), cmp.Compare(a.c, b.c), cmp.Compare(a.k, b.k))
	})
	for _, key := range keys {
		c, _ := slices.BinarySearch(p.grades, key.c)
		k, _ := slices.BinarySearch(p.grades, key.k)
		p.entries = append(p.entries, entry{c, k, 1 / float64(key.m-1)})
	}
	for _, a := range clusters {
		row := make([]float64, len(keys))
		for i, key := range keys {
			row[i] = float64(a.pairs[key])
		}
		p.count = append(p.count, row)
	}
	p.n = make([]float64, len(p.grades))
	for range p.grades {
		p.o = append(p.o, make([]float64, len(p.grades)))
	}
	return p
}

// sum fills coincidences with those of the clusters, each so many times.
func (p *pool) sum(times []float64) {
	for i := range p.o {
		clear(p.o[i])
	}
	clear(p.n)
	for i, e := range p.entries {
		v := 0.0
		for g, t := range times {
			v += t * p.count[g][i]
		}
		v *= e.weight
		p.o[e.c][e.k] += v
		p.n[e.c] += v
		if e.c != e.k {
			p.n[e.k] += v
		}
	}
}

// at gives the statistics of the clusters, each taken so many times.
func (p *pool) at(times []float64) Statistics {
	var units, exact, near float64
	for g, a := range p.clusters {
		units += times[g] * float64(a.units)
		exact += times[g] * float64(a.exact)
		near += times[g] * float64(a.near)
	}
	if units == 0 {
		nan := math.NaN()
		return Statistics{nan, nan, nan, nan}
	}
	p.sum(times)
	return Statistics{Exact: exact / units, Near: near / units, Ordinal: p.alpha(Ordinal), Interval: p.alpha(IntervalScale)}
}

func (p *pool) alpha(s Scale) float64 {
	n, observed, expected := 0.0, 0.0, 0.0
	for _, v := range p.n {
		n += v
	}
	for c := range p.grades {
		between := 0.0 // n of the grades between c and k
		for k := c + 1; k < len(p.grades); k++ {
			d := 1.0
			switch s {
			case Ordinal:
				d = p.n[c]/2 + between + p.n[k]/2
			case IntervalScale:
				d = p.grades[k] - p.grades[c]
			}
			observed += p.o[c][k] * d * d
			expected += p.n[c] * p.n[k] * d * d
			between += p.n[k]
		}
	}
	if expected == 0 {
		return math.NaN()
	}
	return 1 - (n-1)*observed/expected
}
