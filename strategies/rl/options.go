package rl

// An Algorithm is a way to estimate the policy gradient.
type Algorithm string

// The algorithms.
const (
	// GRPO draws Group rollouts of every episode and takes as the advantage of each
	// (R - mean R) / (std R + 1e-8) over its group; clipped ratio, KL to the policy at the
	// start (Shao et al. 2024, arXiv 2402.03300, section 4.1).
	GRPO Algorithm = "grpo"
	// Reinforce takes R minus a running mean (Williams 1992).
	Reinforce Algorithm = "reinforce"
	// PPO takes R minus what a critic expects of the state; clipped ratio (Schulman et
	// al. 2017, arXiv 1707.06347).
	PPO Algorithm = "ppo"
)

// Algorithms are all of them.
var Algorithms = []Algorithm{GRPO, Reinforce, PPO}

// Options say how a policy is trained.
type Options struct {
	Algorithm Algorithm
	Steps     int     // most optimizer steps of collecting rollouts
	Episodes  int     // of a step
	Group     int     // rollouts of an episode; the other algorithms use Episodes x Group rollouts, too
	Epochs    int     // gradient steps on the rollouts of a step; 1 for Reinforce
	Rate      float64 // of Adam
	Clip      float64 // of the probability ratio
	KL        float64 // weight of the KL divergence to the policy at the start
	Entropy   float64 // weight of the entropy bonus
	MaxNorm   float64 // of the gradient; 0: not clipped

	Hidden int // units of the hidden layer
	Words  int // hashed words of the task among the features; 0: the policy does not read the task
	Critic int // hidden units of the critic of PPO

	Dense    bool // reward every question by the alignment it adds, not the last by all of it
	Sample   bool // draw questions when used; otherwise the likeliest is asked
	Evaluate int  // steps between two evaluations on dev
	Patience int  // evaluations without a better one after which training stops
	Seed     uint64
}
