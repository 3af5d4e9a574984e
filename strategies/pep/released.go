package pep

import (
	"math"

	"pepbench/domains"
	"pepbench/strategies/belief"
)

// The acquisitions of the released benchmark of arXiv 2602.15012. They need
// P(held) and E[value | held] only, and so are defined for any belief.

// random draws the score of every candidate: all orders are equally likely.
type random struct{}

func (random) Score(dst []float64, t *Turn) {
	for i, ok := range t.Candidate {
		if ok {
			dst[i] = t.Rand.Float64()
		}
	}
}

func (random) Check(belief.Belief, []domains.Criterion) error { return nil }

// uncertainty is -|P(held) - 1/2|.
type uncertainty struct{}

func (uncertainty) Score(dst []float64, t *Turn) {
	t.Belief.Marginals(t.held, t.value)
	t.closest(dst)
}

func (uncertainty) Check(belief.Belief, []domains.Criterion) error { return nil }

// closest scores by how near P(held), which t.held has, is to 1/2.
func (t *Turn) closest(dst []float64) {
	for i, ok := range t.Candidate {
		if ok {
			dst[i] = -math.Abs(t.held[i] - 0.5)
		}
	}
}

// fixed is P(held) E[value | held] + H(P(held)) before any answer, H in bits.
type fixed struct{}

func (fixed) Score(dst []float64, t *Turn) {
	for i, ok := range t.Candidate {
		if ok {
			p := t.startHeld[i]
			dst[i] = float64(p*t.startValue[i]) + bits(p)
		}
	}
}

func (fixed) Check(_ belief.Belief, c []domains.Criterion) error { return needValues("fixed", c) }

// greedyEV is P(held) E[value | held].
type greedyEV struct{}

func (greedyEV) Score(dst []float64, t *Turn) {
	t.Belief.Marginals(t.held, t.value)
	for i, ok := range t.Candidate {
		if ok {
			dst[i] = t.held[i] * t.value[i]
		}
	}
}

func (greedyEV) Check(_ belief.Belief, c []domains.Criterion) error {
	return needValues("greedy-ev", c)
}

// binaryIG is the released information gain: for criteria with .01 < P(held) < .99
// the expected drop of the summed binary entropies of all other unasked criteria,
//
//	sum_{c'} H(P(c')) - P(c) sum_{c'} H(P(c' | c held at E[value])) - (1-P(c)) sum_{c'} H(P(c' | c not held))
//
// in bits. Where no criterion has a gain of 0 or more, the released rule asks the one
// with P(held) closest to 1/2, and the scores are those of uncertainty.
type binaryIG struct{}

// Check implements Acquisition: it is defined for any belief.
func (binaryIG) Check(belief.Belief, []domains.Criterion) error { return nil }

// Score implements Acquisition.
func (binaryIG) Score(dst []float64, t *Turn) {
	if b, ok := t.Belief.(belief.BinaryInformer); ok {
		b.BinaryInformation(dst, t.Candidate, t.Asked)
	} else {
		t.binary(dst)
	}
	for i, ok := range t.Candidate {
		if ok && dst[i] >= 0 {
			return
		}
	}
	t.Belief.Marginals(t.held, t.value)
	t.closest(dst)
}

// binary is the definition, for beliefs without a way of their own.
func (t *Turn) binary(dst []float64) {
	t.Belief.Marginals(t.held, t.value)
	before := 0.0
	for i, p := range t.held {
		if !t.Asked[i] {
			before += bits(p)
		}
	}
	sum := func(i int, b belief.Belief) float64 {
		b.Marginals(t.thenHeld, t.thenValue)
		h := 0.0
		for j, p := range t.thenHeld {
			if !t.Asked[j] && j != i {
				h += bits(p)
			}
		}
		return h
	}
	for i, ok := range t.Candidate {
		if !ok {
			continue
		}
		p := t.held[i]
		if !(p > 0.01 && p < 0.99) {
			dst[i] = -1
			continue
		}
		yes := sum(i, t.after(i, heldAt(&t.Criteria[i], t.value[i])))
		no := sum(i, t.after(i, domains.NotHeld()))
		dst[i] = before - bits(p) - p*yes - (1-p)*no
	}
}

// bits is the entropy of a coin in bits.
func bits(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	return -p*math.Log2(p) - (1-p)*math.Log2(1-p)
}
