package domains

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// A Cell is what one user says of one criterion: nothing (Missing), that it does
// not matter (NotHeld), or the value wanted (At). One word wide, because surveys
// hold hundreds of millions. The zero Cell is held at 0; make cells with Missing,
// NotHeld and At.
type Cell struct{ v float64 }

// Missing is the cell of a question that was not answered.
func Missing() Cell { return Cell{math.NaN()} }

// NotHeld is the cell of a criterion that the user does not care about.
func NotHeld() Cell { return Cell{math.Inf(-1)} }

// At is the cell of a criterion held with value v, a finite number.
func At(v float64) Cell {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		panic("domains: value of a held cell is not finite")
	}
	return Cell{v}
}

// IsMissing reports whether nothing is known.
func (c Cell) IsMissing() bool { return math.IsNaN(c.v) }

// IsHeld reports whether the criterion is held.
func (c Cell) IsHeld() bool { return !math.IsNaN(c.v) && !math.IsInf(c.v, -1) }

// IsNotHeld reports whether the criterion is known not to be held.
func (c Cell) IsNotHeld() bool { return math.IsInf(c.v, -1) }

// Value is the value held, and NaN where none is.
func (c Cell) Value() float64 {
	if c.IsHeld() {
		return c.v
	}
	return math.NaN()
}

// Equal compares cells; missing equals missing.
func (c Cell) Equal(d Cell) bool { return c.v == d.v || c.IsMissing() && d.IsMissing() }

// String gives "?" (missing), "NA" (not held) or the value.
func (c Cell) String() string {
	switch {
	case c.IsMissing():
		return "?"
	case c.IsNotHeld():
		return "NA"
	}
	return fmt.Sprintf("%g", c.v)
}

// MarshalJSON writes null (missing), false (not held) or the value.
func (c Cell) MarshalJSON() ([]byte, error) {
	switch {
	case c.IsMissing():
		return []byte("null"), nil
	case c.IsNotHeld():
		return []byte("false"), nil
	}
	return json.Marshal(c.v)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Cell) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "null":
		*c = Missing()
		return nil
	case "false":
		*c = NotHeld()
		return nil
	}
	if len(b) > 0 && (b[0] == '-' || b[0] >= '0' && b[0] <= '9') { // valid already; one out of range has its error below
		if v, err := strconv.ParseFloat(string(b), 64); err == nil {
			*c = At(v)
			return nil
		}
	}
	var v float64
	if err := json.Unmarshal(b, &v); err != nil {
		return fmt.Errorf("cell %.20q is neither null, false nor a number: %w", b, err)
	}
	*c = At(v)
	return nil
}

// A Note is what a data set says of one held criterion of one user beyond value
// and weight. Only the judge of a quality rubric reads it.
type Note struct {
	Justification string   // why the user wants it
	Description   string   // how this user's rubric words the criterion
	Levels        []string // this user's quality levels, least to most; nil when the data has none
}

// A Profile is one user's complete preferences on one task.
type Profile struct {
	Task int // index into Dataset.Tasks
	User int // index into Dataset.Users

	// Cells has one entry a criterion of the task, in the task's order.
	Cells []Cell

	// Weights is nil (held criteria weigh the same) or has one entry a cell:
	// 0 where nothing is held, else positive; they sum to 1.
	Weights []float64

	// Notes is nil or has one entry a cell.
	Notes []Note
}

// Held counts the held criteria.
func (p *Profile) Held() int {
	n := 0
	for _, c := range p.Cells {
		if c.IsHeld() {
			n++
		}
	}
	return n
}

// Weight is the weight of position i: 0 where nothing is held, and the weights of
// held criteria sum to 1.
func (p *Profile) Weight(i int) float64 {
	switch {
	case !p.Cells[i].IsHeld():
		return 0
	case p.Weights != nil:
		return p.Weights[i]
	}
	return 1 / float64(p.Held())
}

// Normalise zeroes the weights of what is not held and scales the rest to sum to
// 1; weights that are all zero become nil (equal). It reports whether the sum had
// been off by more than 1e-9. A negative, infinite or NaN weight is an error.
func (p *Profile) Normalise() (changed bool, err error) {
	if p.Weights == nil {
		return false, nil
	}
	sum := 0.0
	for i, w := range p.Weights {
		if !p.Cells[i].IsHeld() {
			p.Weights[i] = 0
			continue
		}
		if !(w >= 0) || math.IsInf(w, 0) {
			return false, &DataError{What: fmt.Sprintf("weight %v is not a finite number >= 0", w), Mend: "weights are shares of importance; remove the entry or give 0 or more"}
		}
		sum += w
	}
	if math.IsInf(sum, 0) {
		return false, &DataError{What: "weights sum to more than a number can hold", Mend: "weights are shares of importance; scale them down"}
	}
	if sum == 0 {
		p.Weights = nil
		return true, nil
	}
	for i := range p.Weights {
		p.Weights[i] /= sum
	}
	return math.Abs(sum-1) > 1e-9, nil
}
