package pep

import (
	"fmt"

	"pepbench/domains"
	"pepbench/strategies/belief"
)

// ProfileIG is the expected drop of the summed entropies of all other criteria
// that were not asked, whether held and at which level together, in nats:
//
//	score(c) = sum_{c'} H(x_c' | told) - sum_s P(x_c = s | told) sum_{c'} H(x_c' | told, x_c = s)
//
// over c' not asked and not c. It is never negative for a coherent joint model, and
// 0 where criteria are independent. Continuous values count with their differential
// entropy in ranges. A sparse Gaussian belief is coherent only nearly: it says how
// probable a level is and conditions on the number that the level is, so that its
// scores are approximate and one can come out below 0.
type ProfileIG struct{}

// Check implements Acquisition.
func (ProfileIG) Check(b belief.Belief, _ []domains.Criterion) error {
	return needJoint("profile-ig", b)
}

// Score implements Acquisition.
func (ProfileIG) Score(dst []float64, t *Turn) {
	if b, ok := t.Belief.(belief.ProfileInformer); ok {
		b.ProfileInformation(dst, t.Candidate, t.Asked)
		return
	}
	t.gain(dst, negEntropy)
}

// negEntropy is minus the summed entropies of what was not asked, but for skip.
func negEntropy(t *Turn, b belief.Joint, skip int) float64 {
	h := 0.0
	for j, asked := range t.Asked {
		if !asked && j != skip {
			h -= b.Marginal(j).Entropy
		}
	}
	return h
}

// LatentIG is the mutual information between the answer and the latent variable of
// the model (class, trait or embedding), in nats.
type LatentIG struct{}

// Check implements Acquisition.
func (LatentIG) Check(b belief.Belief, _ []domains.Criterion) error {
	if _, ok := b.(belief.LatentInformer); !ok {
		return fmt.Errorf("latent-ig needs a model with a latent variable: %w", ErrUndefined)
	}
	return nil
}

// Score implements Acquisition.
func (LatentIG) Score(dst []float64, t *Turn) {
	b := t.Belief.(belief.LatentInformer)
	for i, ok := range t.Candidate {
		if ok {
			dst[i] = b.LatentInformation(i)
		}
	}
}

// Variance is the expected drop of the summed posterior variance of all values, in
// squared ranges, each weighted by the P(held) that goes with it:
//
//	V = sum_c P(held_c | told) Var(value_c | held, told)
//
// The criterion that is asked counts: once told, nothing is left of its own. (With
// everything held and a Gaussian belief this is the A-optimal design.)
type Variance struct{}

// Check implements Acquisition.
func (Variance) Check(b belief.Belief, _ []domains.Criterion) error { return needJoint("variance", b) }

// Score implements Acquisition.
func (Variance) Score(dst []float64, t *Turn) {
	if b, ok := t.Belief.(belief.VarianceDropper); ok {
		b.VarianceDrop(dst, t.Candidate)
		return
	}
	t.gain(dst, negVariance)
}

func negVariance(_ *Turn, b belief.Joint, _ int) float64 {
	v := 0.0
	for j := range b.Len() {
		m := b.Marginal(j)
		v -= m.Held * m.Variance
	}
	return v
}

// AlignmentGain is the expected rise, in points of alignment (0..100), of what the
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
type AlignmentGain struct {
	MaxCriteria int // negative: all
	MinHeld     float64
}

// Check implements Acquisition.
func (AlignmentGain) Check(b belief.Belief, _ []domains.Criterion) error {
	return needJoint("alignment-gain", b)
}

// Score implements Acquisition.
func (a AlignmentGain) Score(dst []float64, t *Turn) {
	t.gain(dst, a.expected)
}

// expected is U.
func (a AlignmentGain) expected(t *Turn, b belief.Joint, _ int) float64 {
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
