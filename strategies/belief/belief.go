package belief

import (
	"errors"
	"fmt"

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
}

// A Belief is a posterior about one user.
type Belief interface {
	// Len is the number of positions.
	Len() int
	// Observe conditions on what the user said of position i. A missing cell
	// teaches nothing. A second answer to the same position replaces what is
	// pinned and conditions once more.
	Observe(i int, c domains.Cell)
	// NumStates is 1 + the number of levels of position i.
	NumStates(i int) int
	// States writes P(state of position i | told) to dst[:NumStates(i)] and
	// returns it; a nil dst is allocated. A told position is certain.
	States(dst []float64, i int) []float64
	// Answer is the cell that means state s of position i.
	Answer(i, s int) domains.Cell
	// Infer gives P(held) and E[value | held] of every position.
	Infer() domains.Inference
	// Clone copies the belief.
	Clone() Belief
	// Set makes the belief equal to src, a belief of the same model and
	// criteria, without allocating.
	Set(src Belief)
}

// ErrUnsupported is wrapped by errors of models that cannot handle a data set,
// such as one with continuous criteria.
var ErrUnsupported = errors.New("model cannot handle the data")

// A Population is what a model is fitted on.
type Population struct {
	Criteria []domains.Criterion
	Rows     []Row
}

// A Row is one profile: Cells[j] is about Criteria[Index[j]] of the population.
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

// missing is the state of a cell without an answer.
const missing = ^uint8(0)

// states encodes every row: one byte a criterion of the population.
func (p *Population) states() ([]uint8, error) {
	n := len(p.Criteria)
	for i := range p.Criteria {
		c := &p.Criteria[i]
		if c.Scale == domains.Continuous {
			return nil, &domains.DataError{What: fmt.Sprintf("criterion %q is continuous and this model knows levels only", c.ID), Mend: "leave it out or give it levels", Err: ErrUnsupported}
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
