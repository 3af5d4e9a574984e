package pep

import (
	"math"
	"slices"

	"pepbench/domains"
	"pepbench/strategies/belief"
)

// lookahead is a two-step version of an acquisition: the score of a question and
// what the best next question is expected to score after its answer,
//
//	score2(c) = score(c) + sum_s P(x_c = s | told) max_{c'} score(c' | told, x_c = s)
//
// worked out for the Beam candidates with the largest score alone (the lower
// position among equals); the others cannot be chosen and score -Inf.
type lookahead struct {
	Acquisition Acquisition
	Beam        int
}

// Check implements Acquisition.
func (l lookahead) Check(b belief.Belief, c []domains.Criterion) error {
	return l.Acquisition.Check(b, c)
}

// Score implements Acquisition.
func (l lookahead) Score(dst []float64, t *Turn) {
	l.Acquisition.Score(t.score, t)
	beam := l.beam(t, t.score)
	for i, ok := range t.Candidate {
		if ok {
			dst[i] = math.Inf(-1)
		}
	}
	for _, i := range beam {
		dst[i] = t.score[i] + l.ahead(t, i)
	}
}

// beam gives the candidates that are worth a second look, best first.
func (l lookahead) beam(t *Turn, score []float64) []int {
	t.order = t.order[:0]
	for i, ok := range t.Candidate {
		if ok {
			t.order = append(t.order, i)
		}
	}
	slices.SortStableFunc(t.order, func(i, j int) int { return descending(score[i], score[j]) })
	return t.order[:min(l.Beam, len(t.order))]
}

// ahead is what the best next question is expected to score after position i.
func (l lookahead) ahead(t *Turn, i int) float64 {
	if t.next == nil {
		t.next = NewTurn(t.Belief.Clone(), t.Criteria, t.Rand)
		t.next.startHeld, t.next.startValue = t.startHeld, t.startValue
	}
	n := t.next
	t.Belief.Marginals(t.held, t.value) // what outcomes of a belief that is not joint are made of
	copy(n.Candidate, t.Candidate)
	copy(n.Asked, t.Asked)
	n.Candidate[i], n.Asked[i] = false, true
	sum := 0.0
	t.outcomes(i, func(p float64, c domains.Cell) {
		n.Belief.Set(t.Belief)
		n.Belief.Observe(i, c)
		l.Acquisition.Score(n.score, n)
		if best := choose(n.score, n.Candidate, 0); best >= 0 {
			sum += p * n.score[best]
		}
	})
	return sum
}

func descending(a, b float64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}
