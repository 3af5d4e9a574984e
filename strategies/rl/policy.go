package rl

import (
	"context"

	"pepbench/domains"
	"pepbench/strategies"
)

// A Policy is a trained network. It is read only and may be used by several goroutines.
type Policy struct {
	// unexported: features, weights (helper B)
}

// NumParams counts the weights.
func (p *Policy) NumParams() int { panic("B") }

// Strategy lets a policy ask. Policies has one policy for every seed of the experiment, or
// one under key 0 for all (helper B).
type Strategy struct {
	Policies map[int]*Policy
	Sample   bool
	Predict  strategies.Predict
}

// Begin implements strategies.Strategy. The elicitor is a strategies.Scorer: the scores
// are probabilities.
func (s Strategy) Begin(strategies.Setting) strategies.Elicitor { panic("B") }

// A Point is one evaluation of the learning curve.
type Point struct {
	Step      int     // rollouts so far are Step x Episodes x Group
	Train     float64 // mean reward of the rollouts since the last point (drawn questions)
	Dev       float64 // mean of cluster means on dev, as the policy is used
	Entropy   float64 // of the questions, mean over turns, nats
	KL        float64 // to the policy at the start, nats a decision
	Clipped   float64 // share of ratios outside of the clip range
	GradNorm  float64
	Undefined int // rollouts without a reward since the last point; they have no part
}

// A Checkpoint is a training that can go on: weights, the state of Adam, of the baseline
// and of the randomness, the best weights so far and the curve. It is JSON.
type Checkpoint struct {
	Step int
	// ... (helper B)
}

// Trained is what training came to.
type Trained struct {
	Policy *Policy // the best on dev
	Best   int     // its step
	Steps  int     // taken
	Why    string  // why training stopped: all steps, no better on dev for so long
	Curve  []Point
}

// Hooks are told how training goes on; each may be nil.
type Hooks struct {
	From *Checkpoint             // to go on from; nil: from the start
	Save func(*Checkpoint) error // called at every point of the curve
	Say  func(Point)
}

// DivergedError is a training whose loss or weights are not numbers any more. The last
// checkpoint that was saved is good.
type DivergedError struct {
	Step int
	What string
}

func (e *DivergedError) Error() string { return "" }

// Learn trains a policy (helper B).
func Learn(ctx context.Context, env Environment, o Options, h Hooks) (*Trained, error) { panic("B") }

// Rewards lets a strategy play every episode of a part: the reward of each, NaN where it
// has none.
func Rewards(ctx context.Context, env Environment, p Part, s strategies.Strategy) ([]float64, error) {
	panic("B")
}

// GreedyOrder is the fixed order (criteria of the data set, as many as the budget) that a
// greedy search finds: the next criterion is the one with the largest mean reward on the
// training episodes after those before it.
func GreedyOrder(ctx context.Context, env Environment) ([]int, error) { panic("B") }

// An Example is a choice to imitate: the setting, what was asked and answered, and what
// was asked then.
type Example struct {
	Setting  strategies.Setting
	Asked    []int // positions
	Answers  []domains.Cell
	Question int
}

// Imitate fits a network of the same shape to choices (cross-entropy, Adam, the best epoch on a
// tenth of the examples) and gives the share of held-out choices that its likeliest
// question is (helper B).
func Imitate(ctx context.Context, criteria []domains.Criterion, o Options, learn, heldOut []Example) (*Policy, float64, error) {
	panic("B")
}
