package domains

import "math"

// A Question asks about one criterion of the task.
type Question struct {
	Position int    // index into Task.Criteria
	Text     string // as a person would be asked
}

// An Answer is what came back. A missing cell means that the user had nothing to
// say: the question is spent and nothing is learnt.
type Answer struct {
	Cell Cell
	Text string // the user's words; empty for users who answer in cells
	Stop bool   // the user wants no more questions
}

// An Inference is a predicted profile: for every criterion of the task the
// probability that it is held and the expected value if it is. Unknown entries
// are NaN, which is what a strategy that uses no population says of everything it
// was not told.
type Inference struct {
	Held  []float64 // P(held), in [0,1] or NaN
	Value []float64 // E[value | held], or NaN

	// Levels is nil, or has P(level | held) of every nominal criterion (they have
	// no expected value) and nil for the others.
	Levels [][]float64
}

// NewInference gives an inference about n criteria that knows nothing.
func NewInference(n int) Inference {
	inf := Inference{Held: make([]float64, n), Value: make([]float64, n)}
	for i := range n {
		inf.Held[i], inf.Value[i] = math.NaN(), math.NaN()
	}
	return inf
}

// Tell pins position i to what the user said; a missing cell changes nothing.
func (f *Inference) Tell(i int, c Cell) {
	switch {
	case c.IsHeld():
		f.Held[i], f.Value[i] = 1, c.Value()
		if f.Levels != nil && f.Levels[i] != nil {
			clear(f.Levels[i])
			f.Levels[i][int(c.Value())] = 1
		}
	case c.IsNotHeld():
		f.Held[i] = 0
	}
}

// Clone copies the inference.
func (f Inference) Clone() Inference {
	g := Inference{Held: append([]float64(nil), f.Held...), Value: append([]float64(nil), f.Value...)}
	if f.Levels != nil {
		g.Levels = make([][]float64, len(f.Levels))
		for i, l := range f.Levels {
			g.Levels[i] = append([]float64(nil), l...)
		}
	}
	return g
}

// Best gives the positions of at most n criteria with the largest P(held), the
// lower position first among equals, leaving out those that are unknown or whose
// P(held) does not exceed min. n < 0 means all.
func (f *Inference) Best(n int, min float64) []int {
	var out []int
	for i, p := range f.Held {
		if !(p > min) {
			continue
		}
		// Insertion keeps the list sorted by P descending, position ascending.
		at := len(out)
		for at > 0 && f.Held[out[at-1]] < p {
			at--
		}
		out = append(out, 0)
		copy(out[at+1:], out[at:])
		out[at] = i
		if n >= 0 && len(out) > n {
			out = out[:n]
		}
	}
	return out
}
