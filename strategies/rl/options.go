package rl

import (
	"fmt"
	"math"
	"slices"
)

// An Algorithm is a way to estimate the policy gradient.
type Algorithm string

// The algorithms.
const (
	// GRPO draws Group rollouts of every episode and takes as the advantage of each
	// (R - mean R) / (std R + 1e-8) over its group; clipped ratio, KL to the policy at the
	// start (Shao et al. 2024, arXiv 2402.03300, section 4.1).
	GRPO Algorithm = "grpo"
	// Reinforce takes R minus the mean of the rewards of all steps before (Williams 1992).
	Reinforce Algorithm = "reinforce"
	// PPO takes R minus what a critic expects of the state; clipped ratio (Schulman et
	// al. 2017, arXiv 1707.06347).
	PPO Algorithm = "ppo"
)

// Algorithms are all of them.
var Algorithms = []Algorithm{GRPO, Reinforce, PPO}

// Options say how a policy is trained.
type Options struct {
	Algorithm Algorithm `json:"algorithm"`
	Steps     int       `json:"steps"`    // most steps of collecting rollouts
	Episodes  int       `json:"episodes"` // of a step
	Group     int       `json:"group"`    // rollouts of an episode; the other algorithms play Episodes x Group episodes once each
	Epochs    int       `json:"epochs"`   // gradient steps on the rollouts of a step; 1 for Reinforce
	Rate      float64   `json:"rate"`     // of Adam
	Clip      float64   `json:"clip"`     // of the probability ratio; not of Reinforce
	KL        float64   `json:"kl"`       // weight of the KL divergence to the policy at the start
	Entropy   float64   `json:"entropy"`  // weight of the entropy bonus at the first step; it falls linearly over the steps
	MaxNorm   float64   `json:"max_norm"` // of the gradient; 0: not clipped

	Hidden int `json:"hidden"` // units of the hidden layer
	Words  int `json:"words"`  // hashed words of the task among the features; 0: the policy does not read the task
	Critic int `json:"critic"` // hidden units of the critic of PPO

	Dense    bool   `json:"dense"`    // reward every question by the alignment it adds, not the last by all of it
	Sample   bool   `json:"sample"`   // draw questions when used; otherwise the likeliest is asked
	Evaluate int    `json:"evaluate"` // steps between two evaluations on dev
	Patience int    `json:"patience"` // evaluations without a better one after which training stops; 0: it does not
	Seed     uint64 `json:"seed"`
}

// Defaults are options that train within a minute on two cores where a data set has some
// dozens of criteria and a reward takes microseconds. They were tried on users made of six
// types (unit tests of this package have them) and then on the training and dev rewards of
// the four built-in domains, never on a test session: without enough entropy, policies stay
// at a fixed order, at which all of them arrive first, and often at one below the best; and
// they stay long enough that less patience takes that for the end.
func Defaults(a Algorithm) Options {
	o := Options{
		Algorithm: a, Steps: 800, Episodes: 32, Group: 16, Epochs: 2, Rate: 3e-3, Clip: .2, KL: .01, Entropy: .2, MaxNorm: 1,
		Hidden: 64, Words: 64, Evaluate: 10, Patience: 60,
	}
	switch a {
	case Reinforce: // advantages are a tenth of GRPO's, which have variance 1
		o.Epochs, o.Clip, o.KL, o.Entropy = 1, 0, 0, .02
	case PPO:
		o.KL, o.Entropy, o.Critic = 0, .01, 64
	}
	return o
}

// An OptionError is an option that cannot be used.
type OptionError struct {
	Field string // its name in JSON
	What  string
}

// Error gives `field: what`.
func (e *OptionError) Error() string { return e.Field + ": " + e.What }

// Check says which option cannot be used, if any: an *OptionError.
func (o *Options) Check() error {
	if !slices.Contains(Algorithms, o.Algorithm) {
		return &OptionError{"algorithm", fmt.Sprintf("%q is none of %v", o.Algorithm, Algorithms)}
	}
	for _, x := range []struct {
		field       string
		n, from, to int
	}{
		{"steps", o.Steps, 1, 1e6},
		{"episodes", o.Episodes, 1, 1e5},
		{"group", o.Group, 1, 1e4},
		{"epochs", o.Epochs, 1, 100},
		{"hidden", o.Hidden, 1, 4096},
		{"words", o.Words, 0, 1 << 16},
		{"critic", o.Critic, 0, 4096},
		{"evaluate", o.Evaluate, 1, 1e6},
		{"patience", o.Patience, 0, 1e6},
	} {
		if x.n < x.from || x.n > x.to {
			return &OptionError{x.field, fmt.Sprintf("%d is not from %d to %d", x.n, x.from, x.to)}
		}
	}
	for _, x := range []struct {
		field string
		v, to float64
	}{
		{"rate", o.Rate, 1}, {"clip", o.Clip, 1}, {"kl", o.KL, 1e3}, {"entropy", o.Entropy, 1e3}, {"max_norm", o.MaxNorm, 1e9},
	} {
		if !(x.v >= 0 && x.v <= x.to) || math.Signbit(x.v) {
			return &OptionError{x.field, fmt.Sprintf("%v is not from 0 to %v", x.v, x.to)}
		}
	}
	switch {
	case o.Rate == 0:
		return &OptionError{"rate", "0 learns nothing"}
	case o.Algorithm != Reinforce && !(o.Clip > 0 && o.Clip < 1):
		return &OptionError{"clip", fmt.Sprintf("%v is not between 0 and 1, as %s needs", o.Clip, o.Algorithm)}
	case o.Algorithm == GRPO && o.Group < 2:
		return &OptionError{"group", "the advantage of grpo compares two rollouts of an episode or more"}
	case o.Algorithm == Reinforce && o.Epochs != 1:
		return &OptionError{"epochs", "reinforce takes one gradient step on its rollouts"}
	case o.Algorithm == PPO && o.Critic == 0:
		return &OptionError{"critic", "ppo needs a critic"}
	}
	return nil
}
