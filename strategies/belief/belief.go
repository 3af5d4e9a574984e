package belief

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"pepbench/domains"
)

// A Model is a fitted population.
type Model interface {
	// Start begins a belief about one user on a task that admits the given
	// criteria (indices into Dataset.Criteria). Positions of the belief count
	// them. Start may be called from several goroutines.
	Start(criteria []int) Belief
	// NumParams counts the free parameters.
	NumParams() int
	// About says in one line what was fitted.
	About() string
	// Notes counts what the fit had to fall back on, such as criteria that no
	// training profile has; none is nil.
	Notes() []domains.Count
}

// A Belief is what is believed of one user. It is used by one goroutine.
type Belief interface {
	// Len is the number of positions.
	Len() int
	// Observe conditions on what the user said of position i. A missing cell
	// teaches nothing. A value that is none of the levels counts as the nearest
	// one. A second answer to the same position replaces what is pinned; a Joint
	// conditions once more.
	Observe(i int, c domains.Cell)
	// Marginals writes P(held) and E[value | held] of every position to
	// held[:Len()] and value[:Len()]. A nominal criterion has the value NaN. A told
	// position is certain.
	Marginals(held, value []float64)
	// Infer gives the same as an inference that the caller may keep, with the
	// level probabilities of nominal criteria.
	Infer() domains.Inference
	// Draw draws an answer to position i from what is believed of it: the value
	// pinned where one is.
	Draw(rng *rand.Rand, i int) domains.Cell
	// Clone copies the belief.
	Clone() Belief
	// Set makes the belief equal to src, a belief of the same model and
	// criteria, without allocating.
	Set(src Belief)
}

// A Joint is a Belief that is the posterior of a joint model of the whole
// profile, so that it can be asked how probable an answer is and what would be
// believed after it. The released heuristics are none.
type Joint interface {
	Belief
	// NumStates is the number of answers to position i that are told apart: 1 + the
	// number of levels; of a continuous criterion 1 + the nodes of a quadrature.
	NumStates(i int) int
	// States writes P(state of position i | told) to dst[:NumStates(i)] and
	// returns it; a nil dst is allocated. State 0 is not held. A told position is
	// certain.
	States(dst []float64, i int) []float64
	// Answer is the cell that means state s of position i.
	Answer(i, s int) domains.Cell
	// Marginal says how much is not known of position i.
	Marginal(i int) Marginal
}

// A Marginal says how much is not known of one criterion. Values are measured in
// ranges (domains.Criterion.Range), so that criteria can be added up.
type Marginal struct {
	Held     float64 // P(held)
	Entropy  float64 // of held and value together, nats; of a continuous value the differential entropy in ranges
	Variance float64 // of the value if held, in squared ranges; nominal: 1 - sum p^2
	Loss     float64 // E|value - E value| if held, in ranges; nominal: 1 - max p
}

// A LatentInformer knows the mutual information between an answer and the latent
// variable of its model, I(x_i; z | told), in nats.
type LatentInformer interface {
	Joint
	LatentInformation(i int) float64
}

// A ProfileInformer has the sum of what an answer to c tells about every other
// criterion, sum_{c' != c, not asked} I(x_c; x_c' | told), in closed form or by a
// faster way than enumerating answers. It writes dst[c] of every candidate and
// leaves the others alone.
type ProfileInformer interface {
	Joint
	ProfileInformation(dst []float64, candidate, asked []bool)
}

// A VarianceDropper has the expected drop of the summed variance
// sum_c' P(held_c') Marginal(c').Variance that the answer to c brings in closed
// form. It writes dst[c] of every candidate and leaves the others alone.
type VarianceDropper interface {
	Joint
	VarianceDrop(dst []float64, candidate []bool)
}

// A BinaryInformer has the released information gain, which looks at held or not
// alone and takes the belief's own rule for what would be believed after an
// answer. With H the entropy in bits of P(held), for every candidate c with
// .01 < P_c < .99
//
//	dst[c] = sum_{j != c, not asked} H_j - P_c H_j(c held) - (1-P_c) H_j(c not held)
//
// which may be negative: the rules are no joint models. Candidates outside that
// range get -1. It leaves other places alone. Two slices of Len().
type BinaryInformer interface {
	Belief
	BinaryInformation(dst []float64, candidate, asked []bool)
}

// ErrUnsupported is wrapped by errors of models that cannot handle a data set,
// such as one with continuous criteria.
var ErrUnsupported = errors.New("model cannot handle the data")

// A Candidate is one fit of several, with its score on dev, larger is better:
// for models that are likelihoods the mean log score in nats a cell.
type Candidate struct {
	Name     string
	DevScore float64
	Chosen   bool
}

// A Population is what a model is fitted on.
type Population struct {
	Criteria []domains.Criterion
	Rows     []Row
}

// A Row is one profile: Cells[j] is about Criteria[Index[j]] of the population.
// Rows of one task share Index.
type Row struct {
	Index []int
	Cells []domains.Cell
}

// NewPopulation gives the profiles of d with the given indices; cells are shared,
// not copied.
func NewPopulation(d *domains.Dataset, profiles []int) Population {
	p := Population{Criteria: d.Criteria, Rows: make([]Row, len(profiles))}
	for i, k := range profiles {
		p.Rows[i] = Row{Index: d.Tasks[d.Profiles[k].Task].Criteria, Cells: d.Profiles[k].Cells}
	}
	return p
}

// unseen counts the criteria of which no row has a known cell.
func (p *Population) unseen() int {
	seen := make([]bool, len(p.Criteria))
	for _, r := range p.Rows {
		for j, c := range r.Cells {
			if !c.IsMissing() {
				seen[r.Index[j]] = true
			}
		}
	}
	n := 0
	for _, s := range seen {
		if !s {
			n++
		}
	}
	return n
}

// missing is the state of a cell without an answer.
const missing = ^uint8(0)

// states encodes every row: one byte a criterion of the population.
func (p *Population) states() ([]uint8, error) {
	n := len(p.Criteria)
	for i := range p.Criteria {
		c := &p.Criteria[i]
		if c.Scale == domains.Continuous {
			return nil, &domains.DataError{What: fmt.Sprintf("criterion %q is continuous and this model knows levels only", c.ID), Mend: "leave it out or give it levels, or use a factor or blr belief", Err: ErrUnsupported}
		}
		if len(c.Levels) >= int(missing) {
			return nil, &domains.DataError{What: fmt.Sprintf("criterion %q has %d levels, at most %d are supported", c.ID, len(c.Levels), missing-1), Mend: "merge some", Err: ErrUnsupported}
		}
	}
	out := make([]uint8, n*len(p.Rows))
	for i := range out {
		out[i] = missing
	}
	for r, row := range p.Rows {
		at := out[r*n : (r+1)*n]
		for j, c := range row.Cells {
			switch k := row.Index[j]; {
			case c.IsNotHeld():
				at[k] = 0
			case c.IsHeld():
				l := p.Criteria[k].LevelOf(c.Value())
				if l < 0 {
					return nil, &domains.DataError{What: fmt.Sprintf("value %v of criterion %q is none of its levels", c.Value(), p.Criteria[k].ID)}
				}
				at[k] = uint8(1 + l)
			}
		}
	}
	return out, nil
}

// stateOf gives the state of an answer to a criterion with levels: 0 not held, 1+l
// held at the level nearest to the value.
func stateOf(c *domains.Criterion, cell domains.Cell) int {
	if cell.IsHeld() {
		return 1 + c.Nearest(cell.Value())
	}
	return 0
}

// marginalOf summarises the state probabilities p of a criterion with levels.
func marginalOf(c *domains.Criterion, p []float64) Marginal {
	var m Marginal
	mean := 0.0
	for s, v := range p {
		if v > 0 {
			m.Entropy -= v * math.Log(v)
		}
		if s > 0 {
			m.Held += v
			mean += v * c.Levels[s-1].Value
		}
	}
	if m.Held <= 0 {
		m.Held = 0
		return m
	}
	mean /= m.Held
	if c.Scale == domains.Nominal {
		square, most := 0.0, 0.0
		for _, v := range p[1:] {
			v /= m.Held
			square += v * v
			most = max(most, v)
		}
		m.Variance, m.Loss = max(0, 1-square), max(0, 1-most)
	} else {
		r := c.Range()
		for l, v := range p[1:] {
			d := (c.Levels[l].Value - mean) / r
			m.Variance += v * d * d
			m.Loss += v * math.Abs(d)
		}
		m.Variance /= m.Held
		m.Loss /= m.Held
	}
	m.Held = min(m.Held, 1)
	return m
}

// infer gives what b believes; levels, which is nil for beliefs without nominal
// criteria, gives P(level | held) of a nominal position, and nil of another.
func infer(b Belief, levels func(i int) []float64) domains.Inference {
	inf := domains.NewInference(b.Len())
	b.Marginals(inf.Held, inf.Value)
	for i := 0; levels != nil && i < b.Len(); i++ {
		if p := levels(i); p != nil {
			if inf.Levels == nil {
				inf.Levels = make([][]float64, b.Len())
			}
			inf.Levels[i] = p
		}
	}
	return inf
}

// draw picks an index with probability p, which sums to 1 but for rounding.
func draw(rng *rand.Rand, p []float64) int {
	u := rng.Float64()
	last := 0
	for i, v := range p {
		if v <= 0 {
			continue
		}
		if u < v {
			return i
		}
		u -= v
		last = i
	}
	return last
}

// A scratch is memory that a belief uses again and again.
type scratch struct{ floats []float64 }

// buffer gives n floats that the next call overwrites.
func (s *scratch) buffer(n int) []float64 {
	if cap(s.floats) < n {
		s.floats = make([]float64, n)
	}
	return s.floats[:n]
}
