package pep

import (
	"pepbench/domains"
	"pepbench/strategies/belief"
)

// alignmentGain is the expected rise, in points of alignment (0..100), of what the
// profile solver's best guesses would earn by the profile judge. The solver writes
// the MaxCriteria criteria with the largest P(held) above MinHeld, each with its
// expected value (nominal: the likeliest level); an entry about a held criterion
// earns 5 - 4 |v_hat - v| / range, what is held and not written the neutral 3. With
// equal weights the expected alignment is
//
//	U = 50 + 100 sum_{c written} P(held_c) (1/2 - L_c) / sum_c P(held_c)
//
// with L_c = E|v_hat - v| / range (nominal: 1 - max p) of belief.Marginal; 50 where
// nothing can be held. The mean of the quotient is taken as the quotient of the
// means, which is exact where everything is held. Otherwise a gain can come out a
// little below 0, and off by up to 1.5 points with 4 criteria of which 6 in 10 are held,
// 0.4 with 16: most questions alike, so that the order hardly suffers.
type alignmentGain struct {
	MaxCriteria int // negative: all
	MinHeld     float64
}

// Check implements Acquisition.
func (alignmentGain) Check(b belief.Belief, _ []domains.Criterion) error {
	return needJoint("alignment-gain", b)
}

// Score implements Acquisition.
func (a alignmentGain) Score(dst []float64, t *Turn) {
	t.gain(dst, a.expected)
}

// expected is U.
func (a alignmentGain) expected(t *Turn, b belief.Joint, _ int) float64 {
	n := b.Len()
	if t.marginals == nil {
		t.marginals, t.ranked = make([]belief.Marginal, n), make([]int, 0, n)
	}
	held := 0.0
	// Insertion keeps the best MaxCriteria by P(held), the lower position first, as
	// domains.Inference.Best does.
	ranked := t.ranked[:0]
	for i := range n {
		m := b.Marginal(i)
		t.marginals[i] = m
		held += m.Held
		if !(m.Held > a.MinHeld) {
			continue
		}
		at := len(ranked)
		for at > 0 && t.marginals[ranked[at-1]].Held < m.Held {
			at--
		}
		if a.MaxCriteria >= 0 && at >= a.MaxCriteria {
			continue
		}
		ranked = append(ranked, 0)
		copy(ranked[at+1:], ranked[at:])
		ranked[at] = i
		if a.MaxCriteria >= 0 && len(ranked) > a.MaxCriteria {
			ranked = ranked[:a.MaxCriteria]
		}
	}
	if !(held > 0) {
		return 50
	}
	sum := 0.0
	for _, i := range ranked {
		m := &t.marginals[i]
		sum += m.Held * (0.5 - m.Loss)
	}
	return 50 + 100*sum/held
}
