package pep

import (
	"fmt"
	"math"

	"pepbench/strategies/belief"
)

// An Acquisition rates candidate questions.
type Acquisition interface {
	// Score writes to dst the score of every position of b that is a candidate
	// and leaves the others alone; larger is better.
	Score(dst []float64, b belief.Belief, candidate, asked []bool, s *Scratch)
}

// Scratch is memory that an acquisition reuses between calls of one goroutine.
type Scratch struct {
	states  []float64
	answers []float64
	trial   belief.Joint
}

// ProfileIG is the expected drop of the summed entropies of all other criteria
// that were not asked, whether held and at which level together, in nats:
//
//	score(c) = sum_{c'} H(x_c' | told) - sum_s P(x_c = s | told) sum_{c'} H(x_c' | told, x_c = s)
//
// over c' not asked and not c, by enumerating the answers s. It is never negative
// for a coherent joint model, and 0 where criteria are independent.
type ProfileIG struct{}

// Score implements Acquisition.
func (ProfileIG) Score(dst []float64, any belief.Belief, candidate, asked []bool, sc *Scratch) {
	b := any.(belief.Joint)
	n := b.Len()
	h := make([]float64, n)
	before := 0.0
	for i := range n {
		if !asked[i] {
			h[i] = sc.entropy(b, i)
			before += h[i]
		}
	}
	if sc.trial == nil {
		sc.trial = b.Clone().(belief.Joint)
	}
	for i := range n {
		if !candidate[i] {
			continue
		}
		sc.answers = b.States(grow(sc.answers, b.NumStates(i)), i)
		after := 0.0
		for s, p := range sc.answers {
			if p == 0 {
				continue
			}
			sc.trial.Set(b)
			sc.trial.Observe(i, b.Answer(i, s))
			sum := 0.0
			for j := range n {
				if !asked[j] && j != i {
					sum += sc.entropy(sc.trial, j)
				}
			}
			after += p * sum
		}
		dst[i] = before - h[i] - after
	}
}

// entropy of the state of position i, in nats.
func (sc *Scratch) entropy(b belief.Joint, i int) float64 {
	sc.states = b.States(grow(sc.states, b.NumStates(i)), i)
	h := 0.0
	for _, p := range sc.states {
		if p > 0 {
			h -= p * math.Log(p)
		}
	}
	return h
}

func grow(b []float64, n int) []float64 {
	if cap(b) < n {
		return make([]float64, n, 2*n)
	}
	return b[:n]
}

// Lookup gives the acquisition of a name used in configurations.
func Lookup(name string) (Acquisition, error) {
	switch name {
	case "profile-ig":
		return ProfileIG{}, nil
	}
	return nil, fmt.Errorf("no acquisition %q; there is profile-ig", name)
}

// choose gives the position with the largest score among the candidates: scores
// that are within 1e-12 of the largest count as equal, and the lowest position
// wins, so that rounding does not decide.
func choose(score []float64, candidate []bool) int {
	top := math.Inf(-1)
	for i, ok := range candidate {
		if ok && score[i] > top {
			top = score[i]
		}
	}
	for i, ok := range candidate {
		if ok && score[i] >= top-1e-12 {
			return i
		}
	}
	return -1
}
