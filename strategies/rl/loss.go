package rl

import "math"

// largest is the largest of the logits that the mask allows.
func largest(logits []float64, mask []bool) float64 {
	top := math.Inf(-1)
	for a, z := range logits {
		if mask[a] && z > top {
			top = z
		}
	}
	return top
}

// softmax turns logits into probabilities of what the mask allows; all else has none. It
// gives ln sum exp, so that ln p = logit - that.
func softmax(logits []float64, mask []bool, p []float64) float64 {
	top := largest(logits, mask)
	sum := 0.0
	for a, z := range logits {
		if mask[a] {
			p[a] = math.Exp(z - top)
			sum += p[a]
		} else {
			p[a] = 0
		}
	}
	for a := range p {
		p[a] /= sum
	}
	return top + math.Log(sum)
}

// likeliest is the action with the largest probability, the lowest of equals; -1: none
// is allowed.
func likeliest(p []float64, mask []bool) int {
	best := -1
	for a, ok := range mask {
		if ok && (best < 0 || p[a] > p[best]) {
			best = a
		}
	}
	return best
}

// drawn is the action at u in [0, 1) of the distribution.
func drawn(p []float64, mask []bool, u float64) int {
	last := -1
	for a, ok := range mask {
		if !ok || p[a] == 0 {
			continue
		}
		last = a
		if u -= p[a]; u < 0 {
			break
		}
	}
	if last < 0 { // probabilities that are not numbers
		return likeliest(p, mask)
	}
	return last
}

// An objective is what a policy maximises over decisions.
type objective struct {
	clip    float64 // half width of the range of the ratio; negative: plain ln p times advantage
	kl      float64 // weight
	entropy float64 // weight, at the first step
}

// objectiveOf is that of an algorithm:
//
//	grpo, ppo    min(r A, clip(r, 1-clip, 1+clip) A) - kl KL(pi || start) + entropy H(pi)
//	reinforce    A ln pi(a) - kl KL(pi || start) + entropy H(pi)
//
// with r = pi(a)/pi_old(a).
func objectiveOf(o *Options) objective {
	w := objective{clip: o.Clip, kl: o.KL, entropy: o.Entropy}
	if o.Algorithm == Reinforce {
		w.clip = -1
	}
	return w
}

// A decision is one choice with all that its objective needs. Logits of the policy and of
// the policy at the start; ln sum exp of each; probabilities of the policy.
type decision struct {
	logits, start []float64
	lse, startLse float64
	p             []float64
	mask          []bool
	action        int
	old           float64 // ln pi_old(action)
	advantage     float64
}

// measures of a decision.
type measures struct {
	objective   float64
	entropy, kl float64
	clipped     bool // the ratio is outside of the range
}

// surrogate is the clipped objective of a ratio and its derivative by ln pi(a): r A where
// the first term is the least (both are the same within the range), else 0.
func surrogate(ratio, advantage, clip float64) (v, dv float64) {
	v = ratio * advantage
	if c := max(1-clip, min(1+clip, ratio)) * advantage; c < v {
		return c, 0
	}
	return v, v
}

// measure gives the objective of a decision and adds scale times its derivatives by the
// logits to d. KL and entropy are exact sums over the actions: GRPO's estimator of KL from
// one sample is for vocabularies too large to sum over.
func (w objective) measure(c *decision, scale float64, d []float64) measures {
	var m measures
	for a, ok := range c.mask {
		if ok {
			ln := c.logits[a] - c.lse
			m.entropy -= c.p[a] * ln
			m.kl += c.p[a] * (ln - (c.start[a] - c.startLse))
		}
	}
	ln := c.logits[c.action] - c.lse
	ratio := math.Exp(ln - c.old)
	var dv float64
	if w.clip < 0 {
		m.objective, dv = c.advantage*ln, c.advantage
	} else {
		m.objective, dv = surrogate(ratio, c.advantage, w.clip)
		m.clipped = math.Abs(ratio-1) > w.clip
	}
	m.objective += w.entropy*m.entropy - w.kl*m.kl
	for a, ok := range c.mask {
		if !ok {
			continue
		}
		p, ln := c.p[a], c.logits[a]-c.lse
		g := -dv*p - w.entropy*p*(ln+m.entropy)
		if w.kl > 0 {
			g -= w.kl * p * (ln - (c.start[a] - c.startLse) - m.kl)
		}
		d[a] += scale * g
	}
	d[c.action] += scale * dv
	return m
}

// lnSumExp is the ln sum exp of the logits that the mask allows.
func lnSumExp(logits []float64, mask []bool) float64 {
	top := largest(logits, mask)
	sum := 0.0
	for a, z := range logits {
		if mask[a] {
			sum += math.Exp(z - top)
		}
	}
	return top + math.Log(sum)
}
