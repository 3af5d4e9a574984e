package reports

import (
	"math"
	"slices"

	"pepbench/bench/record"
	"pepbench/domains"
)

// The measures of profile prediction of one session at one checkpoint, as measure gives
// them side by side.
const (
	precisionAt = 0                    // precision@k at precisionAt + k - minK
	recallAt    = precisionAt + rangeK // recall@k
	f1At        = recallAt + rangeK    // F1@k
	valueMAE    = f1At + rangeK        // of true positives at k = 5
	valueMSE    = valueMAE + 1         // of the same; reported as its root
	heldMAE     = valueMSE + 1         // of all held criteria
	brier       = heldMAE + 1          // of P(held)
	logScore    = brier + 1            // of P(held), nats, larger is better
	unaskedMAE  = logScore + 1         // the last three over what was not asked
	unaskedBri  = unaskedMAE + 1
	unaskedLog  = unaskedBri + 1
	levelErr    = unaskedLog + 1 // of all held nominal criteria
	measures    = levelErr + 1

	minK, maxK = 3, 6
	rangeK     = maxK - minK + 1
	tableK     = 5 // the k of the tables and of the values on true positives
)

// cellCount counts the cells behind the measures of one strategy and checkpoint.
type cellCount struct {
	cells        int // with a known truth
	unknownHeld  int // of these: P(held) not known
	held         int // truly held
	unknownValue int // of these: neither value nor level predicted
}

func (c *cellCount) add(d cellCount) {
	c.cells += d.cells
	c.unknownHeld += d.unknownHeld
	c.held += d.held
	c.unknownValue += d.unknownValue
}

// measure fills out with the measures of session s after n questions, NaN where
// undefined, and counts the cells behind them; top is what those at k are made of. Cells whose truth is missing take
// no part.
//
// Criteria are ranked by P(held), the lower position first among equals, leaving
// out those whose P(held) is unknown or 0 (domains.Inference.Best). With c of the
// first k truly held, h held in all, and k never more than there are known cells,
//
//	precision@k = c/k    recall@k = c/h    F1@k = 2c/(k+h)
//
// A ranking of fewer than k is not filled up, and what it lacks counts as wrong:
// naming only what is certain must not look precise. Precision is undefined where
// nothing is ranked; where nothing is held all three are. The log score clips P at
// 1e-12. Errors of values are in the unit of the criterion. Nominal criteria have no
// expected value and no part in them; the error of their levels is the mean of
//
//	1 - P(true level | held)
//
// over those that are held and of whose level something is predicted.
func measure(s *record.Session, n int, out []float64) (c cellCount, of top) {
	for i := range out {
		out[i] = math.NaN()
	}
	inf := s.Inference(n)
	asked := make([]bool, len(s.Criteria))
	for _, t := range s.Turns[:min(max(n, 0), len(s.Turns))] {
		if t.Question != noCriterion {
			asked[t.Question] = true
		}
	}
	ranked := domains.Inference{Held: make([]float64, len(s.Criteria))}
	var all, rest score
	var level running
	for i, truth := range s.Truth.Cells {
		ranked.Held[i] = math.NaN()
		if truth.IsMissing() {
			continue
		}
		p := at(inf.Held, i)
		ranked.Held[i] = p
		c.cells++
		hit := 0.0
		if truth.IsHeld() {
			c.held++
			hit = 1
		}
		if math.IsNaN(p) {
			c.unknownHeld++
		} else {
			all.probability(p, hit)
			if !asked[i] {
				rest.probability(p, hit)
			}
		}
		if truth.IsHeld() {
			if d := levelError(&inf, i, truth); !math.IsNaN(d) {
				level.add(d)
				continue
			}
			d := valueError(&inf, i, truth)
			if math.IsNaN(d) {
				c.unknownValue++
				continue
			}
			all.value(d)
			if !asked[i] {
				rest.value(d)
			}
		}
	}
	out[heldMAE], out[unaskedMAE] = all.abs.mean(), rest.abs.mean()
	out[brier], out[unaskedBri] = all.brier.mean(), rest.brier.mean()
	out[logScore], out[unaskedLog] = all.log.mean(), rest.log.mean()
	out[levelErr] = level.mean()

	best := ranked.Best(maxK, 0)
	of = top{ranks: len(best) > 0, cells: int32(c.cells), held: int32(c.held)}
	common := uint8(0)
	var abs, square running
	for k := 1; k <= maxK; k++ {
		if k <= len(best) {
			if i := best[k-1]; s.Truth.Cells[i].IsHeld() {
				common++
				if d := valueError(&inf, i, s.Truth.Cells[i]); k <= tableK && !math.IsNaN(d) {
					abs.add(math.Abs(d))
					square.add(d * d)
				}
			}
		}
		if k >= minK {
			of.common[k-minK] = common
		}
	}
	for i := range valueMAE {
		out[i] = of.measure(i)
	}
	out[valueMAE], out[valueMSE] = abs.mean(), square.mean()
	return c, of
}

// A top is what precision, recall and F1 of a session at a checkpoint are made of.
type top struct {
	cells, held int32         // with a known truth; of them, held
	common      [rangeK]uint8 // of the first k, k from minK to maxK: held
	ranks       bool          // anything is ranked
}

// measure gives the measure at a place below valueMAE, NaN where it is undefined.
func (t *top) measure(place int) float64 {
	k := minK + place%rangeK
	common := float64(t.common[k-minK])
	p := min(k, int(t.cells))
	switch {
	case t.held == 0:
		return math.NaN()
	case place >= f1At:
		return 2 * common / float64(p+int(t.held))
	case place >= recallAt:
		return common / float64(t.held)
	case !t.ranks:
		return math.NaN()
	}
	return common / float64(p)
}

// valueError is predicted minus true value, NaN where there is no prediction.
func valueError(inf *record.Inference, i int, truth domains.Cell) float64 {
	if len(inf.Levels) > 0 && inf.Levels[i] != nil {
		return math.NaN()
	}
	return at(inf.Value, i) - truth.Value()
}

// levelError is 1 - P(true level | held) of a held nominal criterion, NaN of any
// other and where nothing is predicted of that level: the levels are not known, or
// all 0, as where P(held) is.
func levelError(inf *record.Inference, i int, truth domains.Cell) float64 {
	if len(inf.Levels) == 0 || inf.Levels[i] == nil {
		return math.NaN()
	}
	l, v := inf.Levels[i], truth.Value()
	if v < 0 || v >= float64(len(l)) {
		return math.NaN()
	}
	if !slices.ContainsFunc(l, func(p float64) bool { return p > 0 }) {
		return math.NaN()
	}
	return 1 - l[int(v)]
}

// at reads an array that may be absent as a whole.
func at(f record.Floats, i int) float64 {
	if len(f) == 0 {
		return math.NaN()
	}
	return f[i]
}

// A score collects the errors of a set of cells.
type score struct{ abs, brier, log running }

func (s *score) value(d float64) { s.abs.add(math.Abs(d)) }

func (s *score) probability(p, hit float64) {
	const clip = 1e-12
	s.brier.add((p - hit) * (p - hit))
	q := p
	if hit == 0 {
		q = 1 - p
	}
	s.log.add(math.Log(min(max(q, clip), 1)))
}

// running is a mean under way.
type running struct {
	sum float64
	n   int
}

func (r *running) add(v float64) { r.sum += v; r.n++ }

func (r *running) mean() float64 {
	if r.n == 0 {
		return math.NaN()
	}
	return r.sum / float64(r.n)
}
