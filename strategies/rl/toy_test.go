package rl

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pepbench/domains"
	"pepbench/strategies"
)

// A toy is an environment of users drawn from a rule, in which asking about what is held
// is worth the value asked for.
type toy struct {
	criteria []domains.Criterion
	budget   int
	tasks    int
	parts    [2][][]domains.Cell
	askable  func(i, position int) bool                              // nil: all
	reward   func(cells []domains.Cell, asked []int) (float64, bool) // nil: worth
	fault    func(p Part, i int, asked []int) (float64, bool, error) // nil: none
}

func fives(n int) []domains.Criterion {
	out := make([]domains.Criterion, n)
	for i := range out {
		out[i] = domains.Criterion{ID: fmt.Sprintf("c%02d", i), Name: fmt.Sprintf("criterion %d", i), Question: "how much?"}
		for v := 1; v <= 5; v++ {
			out[i].Levels = append(out[i].Levels, domains.Level{Value: float64(v)})
		}
	}
	return out
}

// newToy draws users by a rule.
func newToy(criteria, budget, train, dev int, user func(rng *rand.Rand) []domains.Cell) *toy {
	t := &toy{criteria: fives(criteria), budget: budget, tasks: 4}
	rng := rand.New(rand.NewPCG(7, 7))
	for p, n := range []int{train, dev} {
		for range n {
			t.parts[p] = append(t.parts[p], user(rng))
		}
	}
	return t
}

// shares has users who hold criterion i with probability p[i], at 3.
func shares(p ...float64) func(rng *rand.Rand) []domains.Cell {
	return func(rng *rand.Rand) []domains.Cell {
		cells := make([]domains.Cell, len(p))
		for i := range p {
			cells[i] = domains.NotHeld()
			if rng.Float64() < p[i] {
				cells[i] = domains.At(3)
			}
		}
		return cells
	}
}

// worth is 100 x the share of what is held that was asked about.
func worth(cells []domains.Cell, asked []int) (float64, bool) {
	n, got := 0, 0
	for i, c := range cells {
		if c.IsHeld() {
			n++
			for _, a := range asked {
				if a == i {
					got++
				}
			}
		}
	}
	if n == 0 {
		return 0, true
	}
	return 100 * float64(got) / float64(n), true
}

func (t *toy) Criteria() []domains.Criterion { return t.criteria }
func (t *toy) Len(p Part) int                { return len(t.parts[p]) }
func (t *toy) Cluster(_ Part, i int) int     { return i % t.tasks }

func (t *toy) Setting(p Part, i int) strategies.Setting {
	s := strategies.Setting{
		Task: domains.Task{ID: fmt.Sprint("t", i%t.tasks), Prompt: fmt.Sprintf("please do thing %d, and do it well", i%t.tasks)}, Criteria: t.criteria,
		Budget: t.budget, User: fmt.Sprint("u", p, i), Rand: rand.New(rand.NewPCG(uint64(p), uint64(i))),
	}
	for c := range t.criteria {
		s.Task.Criteria = append(s.Task.Criteria, c)
	}
	if t.askable != nil {
		for c := range t.criteria {
			s.Askable = append(s.Askable, t.askable(i, c))
		}
	}
	return s
}

func (t *toy) Answer(p Part, i, position int) domains.Cell { return t.parts[p][i][position] }

func (t *toy) Reward(ctx context.Context, p Part, i int, asked []int) (float64, bool, error) {
	if t.fault != nil {
		if v, ok, err := t.fault(p, i, asked); !ok || err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return v, ok, err
		}
	}
	f := t.reward
	if f == nil {
		f = worth
	}
	v, ok := f(t.parts[p][i], asked)
	return v, ok, ctx.Err()
}

// small are options for toys.
func small(a Algorithm) Options {
	o := Defaults(a)
	o.Steps, o.Episodes, o.Group, o.Rate, o.Hidden, o.Words, o.Evaluate, o.Patience = 60, 8, 8, 1e-2, 16, 8, 10, 0
	if a == PPO {
		o.Critic = 16
	}
	return o
}

// mean of rewards; a test fails where one is undefined.
func mean(t *testing.T, rewards []float64) float64 {
	t.Helper()
	sum := 0.0
	for _, r := range rewards {
		if math.IsNaN(r) {
			t.Fatal("undefined reward")
		}
		sum += r
	}
	return sum / float64(len(rewards))
}
