package pep

import (
	"fmt"

	"pepbench/domains"
	"pepbench/strategies/belief"
)

// profileIG is the expected drop of the summed entropies of all other criteria
// that were not asked, whether held and at which level together, in nats:
//
//	score(c) = sum_{c'} H(x_c' | told) - sum_s P(x_c = s | told) sum_{c'} H(x_c' | told, x_c = s)
//
// over c' not asked and not c. It is never negative for a coherent joint model, and
// 0 where criteria are independent. Continuous values count with their differential
// entropy in ranges. A sparse Gaussian belief is coherent only nearly: it says how
// probable a level is and conditions on the number that the level is, so that its
// scores are approximate and one can come out below 0.
type profileIG struct{}

// Check implements Acquisition.
func (profileIG) Check(b belief.Belief, _ []domains.Criterion) error {
	return needJoint("profile-ig", b)
}

// Score implements Acquisition.
func (profileIG) Score(dst []float64, t *Turn) {
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

// latentIG is the mutual information between the answer and the latent variable of
// the model (class, trait or embedding), in nats.
type latentIG struct{}

// Check implements Acquisition.
func (latentIG) Check(b belief.Belief, _ []domains.Criterion) error {
	if _, ok := b.(belief.LatentInformer); !ok {
		return fmt.Errorf("latent-ig needs a model with a latent variable: %w", ErrUndefined)
	}
	return nil
}

// Score implements Acquisition.
func (latentIG) Score(dst []float64, t *Turn) {
	b := t.Belief.(belief.LatentInformer)
	for i, ok := range t.Candidate {
		if ok {
			dst[i] = b.LatentInformation(i)
		}
	}
}

// variance is the expected drop of the summed posterior variance of all values, in
// squared ranges, each weighted by the P(held) that goes with it:
//
//	V = sum_c P(held_c | told) Var(value_c | held, told)
//
// The criterion that is asked counts: once told, nothing is left of its own. (With
// everything held and a Gaussian belief this is the A-optimal design.)
type variance struct{}

// Check implements Acquisition.
func (variance) Check(b belief.Belief, _ []domains.Criterion) error { return needJoint("variance", b) }

// Score implements Acquisition.
func (variance) Score(dst []float64, t *Turn) {
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
