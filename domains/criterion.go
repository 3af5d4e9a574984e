package domains

import (
	"fmt"
	"math"
)

// Scale says what kind of value a criterion takes.
type Scale uint8

// The scales.
const (
	Ordinal    Scale = iota // ordered levels
	Nominal                 // levels without order; a value is an index into Levels
	Continuous              // any number in [Min, Max]
)

// String gives the name used in files.
func (s Scale) String() string {
	switch s {
	case Ordinal:
		return "ordinal"
	case Nominal:
		return "nominal"
	case Continuous:
		return "continuous"
	}
	return fmt.Sprintf("scale(%d)", uint8(s))
}

// A Level is one value that an ordinal or nominal criterion can take.
type Level struct {
	Value float64 // on the criterion's scale; nominal: the index of the level
	Text  string  // what the level says, in words; may be empty
}

// A Criterion is one preference dimension.
type Criterion struct {
	ID          string // unique in a data set
	Name        string // the words by which solver and judge know it
	Description string
	Question    string // how one would ask a person about it
	Scale       Scale
	Levels      []Level // ascending in Value; nil for a continuous criterion
	Min, Max    float64 // range of a continuous criterion
	Group       string  // optional grouping of a survey
	Keying      string  // optional keying of a survey ("+" or "-")
}

// Ladder are the words for an amount of anything, from level 1 to level 5, where a
// data set has no words of its own.
var Ladder = [5]string{"none", "a little", "some", "much", "as much as possible"}

// Rung places a value on the Ladder by its place in the criterion's range (value
// 1..5 on five levels is the word of that level); halves go down, as in Nearest.
func (c *Criterion) Rung(v float64) int {
	lo := c.Min
	if len(c.Levels) > 0 {
		lo = c.Levels[0].Value
	}
	at := (v - lo) / c.Range() * float64(len(Ladder)-1)
	return min(max(int(at+0.5-1e-9), 0), len(Ladder)-1)
}

// Phrases are the words by which amounts of the criterion are told, from least to
// most: the texts of its levels where each has one and they do not grade how well a
// text serves somebody (rubric kind quality), else the Ladder; of nominal levels
// without texts "option 1" and so on.
func (c *Criterion) Phrases(kind RubricKind) []string {
	if c.ladder(kind) {
		return Ladder[:]
	}
	out := make([]string, len(c.Levels))
	for i, l := range c.Levels {
		if out[i] = l.Text; l.Text == "" {
			out[i] = fmt.Sprintf("option %d", i+1)
		}
	}
	return out
}

// PhraseOf is the index into Phrases of the words for a value; halves go down.
func (c *Criterion) PhraseOf(kind RubricKind, v float64) int {
	if c.ladder(kind) {
		return c.Rung(v)
	}
	return c.Nearest(v)
}

// CellOf is what is meant by the i-th of Phrases: its level, or the value that stands
// as high in the criterion's range as the words on the Ladder.
func (c *Criterion) CellOf(kind RubricKind, i int) Cell {
	if !c.ladder(kind) {
		return At(c.Levels[i].Value)
	}
	lo := c.Min
	if len(c.Levels) > 0 {
		lo = c.Levels[0].Value
	}
	return c.Snap(lo + c.Range()*float64(i)/float64(len(Ladder)-1))
}

// ladder reports whether amounts are told in the words of the Ladder.
func (c *Criterion) ladder(kind RubricKind) bool {
	if c.Scale == Nominal {
		return false
	}
	for i := range c.Levels {
		if c.Levels[i].Text == "" {
			return true
		}
	}
	return kind == Quality || len(c.Levels) == 0
}

// Range is the distance between the ends of the scale: the L-1 by which errors of
// a value are measured (five levels 1..5 give 4).
func (c *Criterion) Range() float64 {
	switch {
	case c.Scale == Continuous:
		return c.Max - c.Min
	case c.Scale == Nominal:
		return 1
	case len(c.Levels) == 0:
		return 0
	}
	return c.Levels[len(c.Levels)-1].Value - c.Levels[0].Value
}

// Nearest gives the index of the level nearest to v, the lower of two equally
// near ones, and -1 for a continuous criterion or a v that is not a number.
func (c *Criterion) Nearest(v float64) int {
	if c.Scale == Continuous || math.IsNaN(v) {
		return -1
	}
	if n := len(c.Levels); n > 0 { // far from all levels the distances to them round to one
		v = min(max(v, c.Levels[0].Value), c.Levels[n-1].Value)
	}
	best, dist := -1, math.Inf(1)
	for i, l := range c.Levels {
		if d := math.Abs(l.Value - v); d < dist {
			best, dist = i, d
		}
	}
	return best
}

// Snap is the cell of the value nearest to v that the criterion can take.
func (c *Criterion) Snap(v float64) Cell {
	if c.Scale == Continuous {
		return At(min(max(v, c.Min), c.Max))
	}
	return At(c.Levels[c.Nearest(v)].Value)
}

// LevelOf gives the index of the level whose value is v, or -1.
func (c *Criterion) LevelOf(v float64) int {
	for i, l := range c.Levels {
		if l.Value == v {
			return i
		}
	}
	return -1
}

// Allows reports whether v is a value that the criterion can take.
func (c *Criterion) Allows(v float64) bool {
	if c.Scale == Continuous {
		return v >= c.Min && v <= c.Max
	}
	return c.LevelOf(v) >= 0
}

// Validate checks that the criterion has an id, a name and a usable scale.
func (c *Criterion) Validate() error {
	switch {
	case c.ID == "":
		return &DataError{What: fmt.Sprintf("criterion %q has no id", c.Name)}
	case c.Name == "":
		return &DataError{What: fmt.Sprintf("criterion %q has no name", c.ID)}
	case c.Scale == Continuous:
		if !(c.Min < c.Max) || math.IsInf(c.Max-c.Min, 0) {
			return &DataError{What: fmt.Sprintf("criterion %q: range %v..%v is empty or not finite", c.ID, c.Min, c.Max)}
		}
		return c.measurable(c.Min, c.Max)
	case len(c.Levels) < 2:
		return &DataError{What: fmt.Sprintf("criterion %q has %d levels", c.ID, len(c.Levels)), Mend: "give at least two"}
	}
	for i, l := range c.Levels {
		if math.IsNaN(l.Value) || math.IsInf(l.Value, 0) {
			return &DataError{What: fmt.Sprintf("criterion %q: level %d is not a finite number", c.ID, i+1)}
		}
		if c.Scale == Nominal && l.Value != float64(i) {
			return &DataError{What: fmt.Sprintf("criterion %q: nominal level %d has value %v, not its index %d", c.ID, i+1, l.Value, i)}
		}
		if i > 0 && !(l.Value > c.Levels[i-1].Value) {
			return &DataError{What: fmt.Sprintf("criterion %q: level %d (%v) does not rise above the one before (%v)", c.ID, i+1, l.Value, c.Levels[i-1].Value)}
		}
	}
	return c.measurable(c.Levels[0].Value, c.Levels[len(c.Levels)-1].Value)
}

// measurable refuses a scale from lo to hi whose range cannot be divided by: errors
// and values are measured in ranges.
func (c *Criterion) measurable(lo, hi float64) error {
	if r := c.Range(); math.IsInf(r, 0) || math.IsInf(1/r, 0) {
		return &DataError{What: fmt.Sprintf("criterion %q: range %v..%v is too wide or too narrow to measure in", c.ID, lo, hi), Mend: "give the values another unit"}
	}
	return nil
}
