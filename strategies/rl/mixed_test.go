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

// mixed is an environment with all that data can have at once: scales of every kind, tasks
// that admit different criteria, so that positions are not criteria, empty cells, users of
// whom nothing or one thing can be asked, a budget that no task has criteria for, and
// rewards that are undefined for some rollouts of an episode and not for others.
type mixed struct {
	criteria []domains.Criterion
	budget   int
	cells    [][]domains.Cell // of episodes, by position
}

var mixedTasks = [][]int{{0, 1, 2, 3, 4}, {1, 3, 4}, {0, 4}, {2}}

func newMixed(n, budget int) *mixed {
	m := &mixed{criteria: fives(5), budget: budget}
	m.criteria[1] = domains.Criterion{ID: "n", Name: "nominal", Scale: domains.Nominal, Levels: []domains.Level{{Value: 0}, {Value: 1}, {Value: 2}}}
	m.criteria[3] = domains.Criterion{ID: "x", Name: "continuous", Scale: domains.Continuous, Min: -2, Max: 6}
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range n {
		var cells []domains.Cell
		for _, c := range mixedTasks[i%len(mixedTasks)] {
			cell := domains.NotHeld()
			switch crit := &m.criteria[c]; {
			case rng.IntN(4) == 0:
				cell = domains.Missing()
			case rng.IntN(3) == 0:
			case crit.Scale == domains.Continuous:
				cell = domains.At(-2 + 8*rng.Float64())
			default:
				cell = domains.At(crit.Levels[rng.IntN(len(crit.Levels))].Value)
			}
			cells = append(cells, cell)
		}
		m.cells = append(m.cells, cells)
	}
	for i := range m.cells[3] { // of one user nothing
		m.cells[3][i] = domains.Missing()
	}
	return m
}

func (m *mixed) Criteria() []domains.Criterion { return m.criteria }
func (m *mixed) Len(Part) int                  { return len(m.cells) }
func (m *mixed) Cluster(_ Part, i int) int     { return i % len(mixedTasks) }

func (m *mixed) Setting(p Part, i int) strategies.Setting {
	t := i % len(mixedTasks)
	s := strategies.Setting{Task: domains.Task{ID: fmt.Sprint("t", t), Prompt: fmt.Sprint("task number ", t), Criteria: mixedTasks[t]}, Budget: m.budget, User: fmt.Sprint("u", p, i)}
	for j, c := range s.Task.Criteria {
		s.Criteria = append(s.Criteria, m.criteria[c])
		s.Askable = append(s.Askable, !m.cells[i][j].IsMissing())
	}
	return s
}

func (m *mixed) Answer(_ Part, i, position int) domains.Cell { return m.cells[i][position] }

// Reward depends on the order of the questions and on the answers; it is undefined where an
// episode of every fifth kind was begun with its first position.
func (m *mixed) Reward(_ context.Context, _ Part, i int, asked []int) (float64, bool, error) {
	if i%5 == 2 && len(asked) > 0 && asked[0] == 0 {
		return 0, false, nil
	}
	v := 10.0
	for n, at := range asked {
		if c := m.cells[i][at]; c.IsHeld() {
			v += (5 + math.Abs(c.Value())) / float64(n+1+at)
		}
	}
	return v, true, nil
}

// TestMixedData: on such data, too, gradients are those of the loss, sessions are those of
// the evaluation, and whatever cannot be asked is not, under any algorithm and reward, and
// with any budget.
func TestMixedData(t *testing.T) {
	for _, a := range Algorithms {
		for _, dense := range []bool{false, true} {
			for _, budget := range []int{1, 3, 9} {
				what := fmt.Sprintf("%s, dense %v, budget %d", a, dense, budget)
				env := newMixed(20, budget)
				o := small(a)
				o.Hidden, o.Words, o.Episodes, o.Group, o.KL, o.Entropy, o.Dense = 4, 2, 20, 3, .3, .2, dense
				if a == PPO {
					o.Critic = 3
				}
				l, err := newLearner(t.Context(), env, o, nil)
				if err != nil {
					t.Fatal(err)
				}
				rng := rand.New(rand.NewPCG(3, 3))
				move := func(by float64) {
					for i := range l.net.theta {
						l.net.theta[i] += by * rng.NormFloat64()
					}
				}
				move(.5)
				l.step = o.Steps / 3
				if a == Reinforce {
					for turn := range 3 {
						l.baseline.add(turn, .3)
					}
				}
				episodes, copies := make([]int, 20), o.Group
				for i := range episodes {
					episodes[i] = i
				}
				if a != GRPO {
					copies = 1
				}
				r, err := l.player.play(t.Context(), l.net, Train, episodes, copies, dense, func(_ int, p []float64, mask []bool) int { return drawn(p, mask, rng.Float64()) })
				if err != nil {
					t.Fatal(err)
				}
				undefined := 0
				for i := range r.of {
					if math.IsNaN(r.reward(i)) {
						undefined++
					}
					set := env.Setting(Train, r.of[i])
					seen := map[int]bool{}
					for _, at := range r.asked[i] {
						if seen[at] || !set.CanAsk(at) {
							t.Fatalf("%s: rollout %d asks %v", what, i, r.asked[i])
						}
						seen[at] = true
					}
				}
				if part := l.judge(r); undefined == 0 || part == 0 || part > len(r.of)-undefined {
					t.Fatalf("%s: %d undefined, %d of %d have part", what, undefined, part, len(r.of))
				}
				total := 0.0
				for _, w := range l.weight[:r.len()] {
					total += w
				}
				if budget <= 3 && !near(total, 1, 1e-12) { // past that, Reinforce knows no mean of later turns yet
					t.Errorf("%s: weights sum to %v", what, total)
				}
				l.startNet.whole(&r.states, &l.startTape)
				old := make([]float64, r.len())
				for d := range old {
					old[d] = l.player.tape.o[d*len(env.criteria)+r.action[d]] - r.lse[d]
				}
				move(.1)
				loss := func() float64 {
					l.net.whole(&r.states, &l.player.tape)
					return l.policyLoss(r, old, false)
				}
				loss()
				l.net.backward(&r.states, &l.player.tape, l.grad)
				finite(t, what, l.net.theta, append([]float64(nil), l.grad.theta...), loss)

				// Whole trainings: what is said of dev is what live sessions earn.
				o.Steps, o.Evaluate = 6, 2
				got := train(t, env, o, Hooks{})
				mean, lacking := clusterMean(env, Dev, play(t, env, Dev, live(got.Policy)))
				at := got.Curve[got.Best/2]
				if !near(mean, at.Dev, 1e-9) || lacking != at.DevUndefined {
					t.Errorf("%s: live sessions earn %v (%d undefined), the curve says %+v", what, mean, lacking, at)
				}
			}
		}
	}
}
