package reports

import (
	"math"

	"pepbench/bench/record"
)

// Scopes of the calibration of P(held): all cells of a profile, or those that were not
// asked about.
const (
	wholeScope = iota
	unaskedScope
	calibrationScopes
)

// calibrationBins is the number of bins of P(held), all of the same width.
const calibrationBins = 10

var scopeNames = [calibrationScopes]string{"whole", "unasked"}

// tallied is what is added up of the sessions of a strategy while they are read: nothing
// of a session is kept.
type tallied struct {
	spent spent
	bins  map[string]*[calibrationScopes][calibrationBins]binSums // by cluster: id of the task, or of the user of a survey
	with  [calibrationScopes]int                                  // sessions with a cell
	none  [calibrationScopes]int                                  // sessions without
}

// binSums is what is added up of the cells of one bin. The sum of P(held) is a whole number
// of billionths, so that it does not depend on the order in which sessions are read.
type binSums struct {
	cells, held int32
	predicted   int64
}

// billion is the unit of binSums.predicted.
const billion = 1e9

// tally adds up what a session called for and, if it did not fail, what it predicts at the
// final checkpoint.
func (st *strategy) tally(r *Run, s *record.Session) {
	failed := s.Error != "" || s.Stop == record.StopError
	st.tallied.spent.add(s, failed)
	if failed || !st.calibrates() {
		return
	}
	cluster := s.Task
	if r.survey() {
		cluster = s.User
	}
	st.tallied.predicts(cluster, s, st.points[st.final])
}

// calibrates reports whether the strategy predicts P(held) from a population: what knows
// what it was told and no more, and a ceiling, are right about what they know by design.
func (st *strategy) calibrates() bool { return st.Predict != "answers" && st.Kind != kindCeiling }

// predicts adds the cells of a session after n questions whose truth and P(held) are known.
func (t *tallied) predicts(cluster string, s *record.Session, n int) {
	if t.bins == nil {
		t.bins = map[string]*[calibrationScopes][calibrationBins]binSums{}
	}
	to := t.bins[cluster]
	if to == nil {
		to = new([calibrationScopes][calibrationBins]binSums)
		t.bins[cluster] = to
	}
	asked := make([]bool, len(s.Criteria))
	for _, t := range s.Turns[:min(max(n, 0), len(s.Turns))] {
		if t.Question != noCriterion {
			asked[t.Question] = true
		}
	}
	inf := s.Inference(n)
	var some [calibrationScopes]bool
	for i, truth := range s.Truth.Cells {
		p := at(inf.Held, i)
		if truth.IsMissing() || math.IsNaN(p) {
			continue
		}
		units := int64(math.Round(min(max(p, 0), 1) * billion))
		bin := min(units/(billion/calibrationBins), calibrationBins-1)
		for scope := range calibrationScopes {
			if scope == unaskedScope && asked[i] {
				continue
			}
			b := &to[scope][bin]
			b.cells++
			b.predicted += units
			if truth.IsHeld() {
				b.held++
			}
			some[scope] = true
		}
	}
	for scope, ok := range some {
		if ok {
			t.with[scope]++
		} else {
			t.none[scope]++
		}
	}
}

// calibrate fills the calibration of every row that predicts from a population, unless
// every criterion is held: then a P(held) of 1 is right whatever is asked.
func (c *computer) calibrate() {
	if c.out.allHeld() {
		return
	}
	for i, st := range c.strategies {
		if !st.calibrates() {
			continue
		}
		for scope := range calibrationScopes {
			c.out.Strategies[i].Calibration = append(c.out.Strategies[i].Calibration, c.calibrated(st, scope))
		}
	}
}

// calibrated holds P(held) against what is held. With c_b cells in bin b, of which P(held)
// comes to p_b and h_b are held, N in all,
//
//	predicted p_b / c_b    observed h_b / c_b    ECE = sum_b c_b/N |p_b/c_b - h_b/c_b|
//
// (expected calibration error: Naeini, Cooper and Hauskrecht, AAAI 2015, with bins of equal
// width). All are sums over cells, of all clusters together; the intervals are those of the
// same sums over the clusters of every resample. What is only just calibrated has an ECE
// above 0 in any finite sample, and the more so in a resample: the interval of a small ECE
// may lie above it.
func (c *computer) calibrated(st *strategy, scope int) calibrated {
	out := calibrated{Scope: scopeNames[scope], Questions: st.points[st.final], Bins: []calibrationBin{}}
	out.ECE = unknown()
	out.ECE.N, out.ECE.Undefined = st.tallied.with[scope], st.tallied.none[scope]
	const cells, held, predicted, sums = 0, 1, 2, 3
	cols := make([][]float64, calibrationBins*sums)
	for i := range cols {
		cols[i] = make([]float64, len(c.out.ClusterIDs))
	}
	var total [calibrationBins * sums]float64
	var clusters [calibrationBins]int // with a cell in the bin
	for g, id := range c.out.ClusterIDs {
		of := st.tallied.bins[id]
		if of == nil {
			continue
		}
		some := false
		for b := range calibrationBins {
			x := &of[scope][b]
			for k, v := range [sums]float64{cells: float64(x.cells), held: float64(x.held), predicted: float64(x.predicted) / billion} {
				cols[b*sums+k][g] = v
				total[b*sums+k] += v
			}
			if x.cells > 0 {
				clusters[b]++
				some = true
			}
		}
		if some {
			out.ECE.Clusters++
		}
	}
	ece := func(sum func(int) float64) float64 {
		off, n := 0., 0.
		for b := range calibrationBins {
			off += math.Abs(sum(b*sums+predicted) - sum(b*sums+held))
			n += sum(b*sums + cells)
		}
		return off / n // 0/0 is NaN: no cell
	}
	out.ECE.Value = Number(ece(func(i int) float64 { return total[i] }))
	var samples [][]float64
	if out.ECE.Clusters >= noInterval {
		samples = c.boot.Means(cols...)
	}
	out.ECE.Lo, out.ECE.Hi = ends(c.boot, out.ECE.Clusters, func() []float64 {
		x := make([]float64, c.boot.Resamples)
		for r := range x {
			x[r] = ece(func(i int) float64 { return samples[i][r] })
		}
		return x
	})
	for b := range calibrationBins {
		n := total[b*sums+cells]
		out.Cells += int(n)
		bin := calibrationBin{
			From: Number(float64(b) / calibrationBins), To: Number(float64(b+1) / calibrationBins), Cells: int(n),
			Predicted: Number(total[b*sums+predicted] / n), Observed: Number(total[b*sums+held] / n), // 0/0: no cell
		}
		bin.Lo, bin.Hi = ends(c.boot, clusters[b], func() []float64 {
			x := make([]float64, c.boot.Resamples)
			for r := range x {
				x[r] = samples[b*sums+held][r] / samples[b*sums+cells][r] // 0/0: none was drawn
			}
			return x
		})
		out.Bins = append(out.Bins, bin)
	}
	return out
}
