package rl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"pepbench/domains"
	"pepbench/strategies"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func train(t *testing.T, env Environment, o Options, h Hooks) *Trained {
	t.Helper()
	got, err := Learn(t.Context(), env, o, h)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func play(t *testing.T, env Environment, p Part, s strategies.Strategy) []float64 {
	t.Helper()
	got, err := Rewards(t.Context(), env, p, s)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// live is a policy as a strategy.
func live(p *Policy) Strategy { return Strategy{Policies: map[int]*Policy{0: p}} }

// TestLearnsBestOrder: where criteria are independent, every algorithm finds those that
// most users hold, under either reward.
func TestLearnsBestOrder(t *testing.T) {
	env := newToy(8, 3, 200, 80, shares(.1, .9, .2, .1, .8, .1, .15, .7))
	order, err := GreedyOrder(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{1, 4, 7}; !slices.Equal(order, want) {
		t.Errorf("greedy order %v, want %v", order, want)
	}
	best := mean(t, play(t, env, Train, strategies.Static{Order: strategies.Listed(order)}))
	for _, dense := range []bool{false, true} {
		for _, a := range Algorithms {
			o := small(a)
			o.Dense, o.Steps = dense, 30
			got := train(t, env, o, Hooks{})
			if m := mean(t, play(t, env, Train, live(got.Policy))); m < best {
				t.Errorf("%s, dense %v: %.1f, the best order has %.1f", a, dense, m, best)
			}
		}
	}
}

// forked has users who hold criterion 0 at 1 or 5, and then criterion 1 or 2.
func forked(rng *rand.Rand) []domains.Cell {
	cells := []domains.Cell{domains.At(1), domains.NotHeld(), domains.NotHeld(), domains.NotHeld()}
	if rng.IntN(2) == 0 {
		cells[1] = domains.At(3)
	} else {
		cells[0], cells[2] = domains.At(5), domains.At(3)
	}
	return cells
}

// TestLearnsToAdapt: where the second question should depend on the value of the first
// answer, policies learn it from the reward at the end; no fixed order is as good.
func TestLearnsToAdapt(t *testing.T) {
	env := newToy(4, 2, 200, 80, forked)
	best := 0.0
	for i := range 4 {
		for j := range 4 {
			best = max(best, mean(t, play(t, env, Train, strategies.Static{Order: strategies.Listed{i, j}})))
		}
	}
	if best > 80 {
		t.Fatalf("the best order has %.1f: nothing to adapt for", best)
	}
	for _, a := range Algorithms {
		if m := mean(t, play(t, env, Train, live(train(t, env, small(a), Hooks{}).Policy))); m != 100 {
			t.Errorf("%s: %.1f; who adapts has 100, the best order %.1f", a, m, best)
		}
	}
}

// TestLearnsTypes: users of some types, where the best fixed order is a place to get stuck:
// the defaults leave it.
func TestLearnsTypes(t *testing.T) {
	env := newToy(12, 4, 400, 100, typed(drawTypes(4, 12)))
	order, err := GreedyOrder(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	best := mean(t, play(t, env, Train, strategies.Static{Order: strategies.Listed(order)}))
	o := Defaults(GRPO)
	o.Steps, o.Episodes, o.Hidden, o.Words = 200, 16, 24, 8
	if m := mean(t, play(t, env, Train, live(train(t, env, o, Hooks{}).Policy))); m < best+3 {
		t.Errorf("%.1f, the best order %.1f", m, best)
	}
}

// bytesOf are what a policy and a curve are written as.
func bytesOf(t *testing.T, got *Trained) string {
	t.Helper()
	var b bytes.Buffer
	if err := got.Policy.Save(&b); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&b, got.Best, got.Steps, got.Why, got.Curve)
	return b.String()
}

// TestAnyProcessors: the result does not depend on their number, in batches large enough
// to be divided.
func TestAnyProcessors(t *testing.T) {
	env := newToy(8, 3, 100, 140, shares(.1, .9, .2, .1, .8, .1, .15, .7))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, a := range Algorithms {
		o := small(a)
		o.Steps, o.Episodes, o.Hidden = 2, 24, 70 // 192 rollouts; more hidden units than gonum's blocks are wide
		var want string
		for _, n := range []int{1, 2} {
			runtime.GOMAXPROCS(n)
			got := bytesOf(t, train(t, env, o, Hooks{}))
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("%s: other bytes on %d processors", a, n)
			}
		}
	}
}

// TestGoesOn: from any checkpoint, written and read, the training ends as if it had not
// been interrupted; and a seed gives one training, another seed another.
func TestGoesOn(t *testing.T) {
	env := newToy(8, 3, 100, 40, shares(.1, .9, .2, .1, .8, .1, .15, .7))
	for _, a := range Algorithms {
		o := small(a)
		o.Steps, o.Evaluate, o.Patience = 23, 5, 3
		var saved []string
		whole := bytesOf(t, train(t, env, o, Hooks{Save: func(c *Checkpoint) error {
			var b bytes.Buffer
			err := c.Save(&b)
			saved = append(saved, b.String())
			return err
		}}))
		if len(saved) < 4 {
			t.Fatalf("%s: %d checkpoints", a, len(saved))
		}
		for i, text := range saved {
			from, err := LoadCheckpoint(strings.NewReader(text), env.criteria)
			if err != nil {
				t.Fatal(err)
			}
			if got := bytesOf(t, train(t, env, o, Hooks{From: from})); got != whole {
				t.Errorf("%s: other bytes after going on from checkpoint %d (step %d)", a, i, from.Step)
			}
			if again := new(bytes.Buffer); from.Save(again) != nil || again.String() != text {
				t.Errorf("%s: going on changed checkpoint %d", a, i)
			}
		}
		from, err := LoadCheckpoint(strings.NewReader(saved[0]), env.criteria)
		if err != nil {
			t.Fatal(err)
		}
		o.Seed++
		if bytesOf(t, train(t, env, o, Hooks{})) == whole {
			t.Errorf("%s: another seed, the same training", a)
		}
		if _, err := Learn(t.Context(), env, o, Hooks{From: from}); err == nil || !strings.Contains(err.Error(), "other options") {
			t.Errorf("%s: going on with another seed: %v", a, err)
		}
		o.Seed--
		env.budget++
		if _, err := Learn(t.Context(), env, o, Hooks{From: from}); err == nil || !strings.Contains(err.Error(), "another budget") {
			t.Errorf("%s: going on with another budget: %v", a, err)
		}
		env.budget--
	}
}

// TestDiverges: rewards that are no numbers stop the training at that step, whatever the
// algorithm, and the checkpoint before is good.
func TestDiverges(t *testing.T) {
	for _, a := range Algorithms {
		for _, v := range []float64{math.NaN(), math.Inf(-1)} {
			env := newToy(4, 2, 64, 10, shares(.3, .8, .5, .6))
			broken := false
			env.fault = func(p Part, _ int, _ []int) (float64, bool, error) {
				if broken && p == Train {
					return v, true, nil
				}
				return 0, true, nil
			}
			var last bytes.Buffer
			o := small(a)
			o.Evaluate = 4
			_, err := Learn(t.Context(), env, o, Hooks{Save: func(c *Checkpoint) error {
				last.Reset()
				broken = c.Step == 8
				return c.Save(&last)
			}})
			var diverged *DivergedError
			if !errors.As(err, &diverged) || diverged.Step != 9 || !strings.Contains(err.Error(), "step 9: a reward") {
				t.Errorf("%s, %v: %v", a, v, err)
				continue
			}
			from, err := LoadCheckpoint(&last, env.criteria)
			if err != nil || from.Step != 8 {
				t.Fatalf("%s: last checkpoint: %v", a, err)
			}
			env.fault = nil
			if got := train(t, env, o, Hooks{From: from}); got.Steps != o.Steps {
				t.Errorf("%s: went on to step %d", a, got.Steps)
			}
		}
	}
}

// TestDivergesByWeights: so do weights that no gradient should have made.
func TestDivergesByWeights(t *testing.T) {
	env := newToy(4, 2, 64, 10, shares(.3, .8, .5, .6))
	for _, a := range Algorithms {
		for _, bad := range []float64{2 * mostWeight, math.NaN()} {
			o := small(a)
			l, err := newLearner(t.Context(), env, o, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.advance(t.Context()); err != nil {
				t.Fatal(err)
			}
			if a == PPO && !math.IsNaN(bad) {
				l.critic.b2[0] = bad
			} else {
				l.net.b2[0] = bad
			}
			var diverged *DivergedError
			if err := l.advance(t.Context()); !errors.As(err, &diverged) || diverged.Step != 2 {
				t.Errorf("%s, weight %v: %v", a, bad, err)
			}
		}
	}
}

// TestUndefined: rollouts without a reward have no part and are counted; those of dev are
// in no mean; a part without any reward is an error or teaches nothing.
func TestUndefined(t *testing.T) {
	for _, a := range Algorithms {
		env := newToy(4, 2, 64, 10, shares(.3, .8, .5, .6))
		o := small(a)
		o.Steps, o.Evaluate, o.Group = 2, 2, 2
		if o.Episodes = 32; a != GRPO {
			o.Episodes = 16
		} // whole passes over the episodes: 128 or 64 rollouts
		rollouts := o.Steps * o.Episodes * o.Group
		env.fault = func(p Part, i int, _ []int) (float64, bool, error) { return 0, i%4 != 0, nil }
		got := train(t, env, o, Hooks{})
		if p := got.Curve[1]; p.Undefined != rollouts/4 || p.DevUndefined != 3 || math.IsNaN(p.Train) || math.IsNaN(p.Dev) {
			t.Errorf("%s: %+v, want a quarter of %d and 3 of 10", a, p, rollouts)
		}

		env.fault = func(p Part, _ int, _ []int) (float64, bool, error) { return 0, p == Dev, nil }

		var weights []string
		train(t, env, o, Hooks{Save: func(c *Checkpoint) error {
			text, err := c.file.Policy.Weights.MarshalText()
			weights = append(weights, string(text))
			return err
		}})
		if weights[0] != weights[1] {
			t.Errorf("%s: learnt from nothing", a)
		}

		env.fault = func(p Part, _ int, _ []int) (float64, bool, error) { return 0, p == Train, nil }
		if _, err := Learn(t.Context(), env, o, Hooks{}); err == nil || !strings.Contains(err.Error(), "no dev episode has a reward") {
			t.Errorf("%s: nothing to choose by: %v", a, err)
		}
	}
}

// TestWeights: what has part weighs the same, rollout by rollout, whatever has none.
func TestWeights(t *testing.T) {
	env := newToy(4, 3, 3, 4, shares(.3, .8, .5, .6))
	env.askable = func(i, position int) bool { return i != 1 || position < 2 } // two questions in episode 1
	calls := map[int]int{}
	env.fault = func(_ Part, i int, _ []int) (float64, bool, error) {
		calls[i]++
		return 0, i != 2 || calls[i] < 2, nil // one defined reward in episode 2
	}
	o := small(GRPO)
	o.Group, o.Episodes = 2, 3
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // calls are counted
	l, err := newLearner(t.Context(), env, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.player.play(t.Context(), l.net, Train, []int{0, 1, 2}, 2, false, func(_ int, p []float64, mask []bool) int { return likeliest(p, mask) })
	if err != nil {
		t.Fatal(err)
	}
	if part := l.judge(r); part != 4 {
		t.Errorf("%d rollouts have part, want those of episodes 0 and 1", part)
	}
	for d, i := range r.rollout {
		want := []float64{1 / 12., 1 / 8., 0}[r.of[i]]
		if !near(l.weight[d], want, tiny) {
			t.Errorf("rollout %d weighs %v at turn %d, want %v", i, l.weight[d], r.turn[d], want)
		}
	}
}

// TestReturns: dense rewards telescope: at every turn, what the questions still to come
// add.
func TestReturns(t *testing.T) {
	r := rollouts{
		rollout: []int{0, 1, 0, 1, 0}, turn: []int{0, 0, 1, 1, 2},
		rewards: [][]float64{{.1, .4, .4, .9}, {.2, .2, .1}},
	}
	got := make([]float64, 5)
	r.returns(got)
	for d, want := range []float64{.8, -.1, .5, -.1, .5} {
		if !near(got[d], want, tiny) {
			t.Errorf("state %d: %v, want %v", d, got[d], want)
		}
	}
	r.rewards = [][]float64{{.9}, {math.NaN()}}
	r.returns(got)
	for d, want := range []float64{.9, math.NaN(), .9, math.NaN(), .9} {
		if !near(got[d], want, tiny) {
			t.Errorf("at the end only, state %d: %v, want %v", d, got[d], want)
		}
	}
}

// TestUndefinedOnTheWay: under dense rewards a rollout with one that is undefined has no part,
// since what its questions add is not known.
func TestUndefinedOnTheWay(t *testing.T) {
	env := newToy(4, 3, 4, 4, shares(.3, .8, .5, .6))
	env.fault = func(_ Part, i int, asked []int) (float64, bool, error) { return 0, i > 0 || len(asked) != 1, nil }
	l, err := newLearner(t.Context(), env, small(GRPO), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, dense := range []bool{true, false} {
		r, err := l.player.play(t.Context(), l.net, Train, []int{0, 1}, 1, dense, func(_ int, p []float64, mask []bool) int { return likeliest(p, mask) })
		if err != nil {
			t.Fatal(err)
		}
		if math.IsNaN(r.reward(0)) != dense || math.IsNaN(r.reward(1)) {
			t.Errorf("dense %v: rewards %v and %v", dense, r.reward(0), r.reward(1))
		}
	}
}

// TestDraws: every pass has every episode once, in an order of its own, and every step has
// dice of its own.
func TestDraws(t *testing.T) {
	env := newToy(6, 3, 20, 4, shares(.3, .8, .5, .6, .2, .4))
	l, err := newLearner(t.Context(), env, small(GRPO), nil)
	if err != nil {
		t.Fatal(err)
	}
	var passes [2][]int
	for place := range 40 {
		passes[place/20] = append(passes[place/20], l.draw(place))
	}
	if slices.Equal(passes[0], passes[1]) {
		t.Errorf("two passes in the same order: %v", passes[0])
	}
	for _, pass := range passes {
		slices.Sort(pass)
		for i, e := range pass {
			if e != i {
				t.Fatalf("a pass has %v", pass)
			}
		}
	}
	env.parts[Train] = env.parts[Train][:1]
	o := small(GRPO)
	o.Episodes, o.Rate = 1, 1e-12
	if l, err = newLearner(t.Context(), env, o, nil); err != nil {
		t.Fatal(err)
	}
	var steps [2][]int
	for i := range steps {
		if err := l.advance(t.Context()); err != nil {
			t.Fatal(err)
		}
		steps[i] = slices.Clone(l.player.action)
	}
	if slices.Equal(steps[0], steps[1]) {
		t.Errorf("two steps draw the same: %v", steps[0])
	}
}

// TestStart: at the start KL is 0 exactly, every ratio is 1 and questions are nearly
// uniform.
func TestStart(t *testing.T) {
	env := newToy(4, 2, 64, 10, shares(.3, .8, .5, .6))
	for _, a := range Algorithms {
		o := small(a)
		o.Epochs = 1
		l, err := newLearner(t.Context(), env, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		l.baseline.add(0, .5)
		l.baseline.add(1, .5)
		if err := l.advance(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := l.since
		if uniform := (math.Log(4) + math.Log(3)) / 2; s.kl != 0 || s.clipped != 0 || !near(s.entropy/s.weight, uniform, .01) {
			t.Errorf("%s: KL %v, %v clipped, entropy %v of %v", a, s.kl, s.clipped, s.entropy/s.weight, uniform)
		}
		if err := l.advance(t.Context()); err != nil {
			t.Fatal(err)
		}
		if l.since.kl <= 0 {
			t.Errorf("%s: KL %v after a step", a, l.since.kl)
		}
	}
}

// TestStops: without a better evaluation for so long; the first best is what is kept.
func TestStops(t *testing.T) {
	env := newToy(4, 2, 64, 10, shares(.3, .8, .5, .6))
	env.reward = func([]domains.Cell, []int) (float64, bool) { return 50, true }
	o := small(GRPO)
	o.Evaluate, o.Patience = 3, 4
	weights := map[int][]float64{}
	got := train(t, env, o, Hooks{Save: func(c *Checkpoint) error {
		weights[c.Step] = c.file.Policy.Weights
		return nil
	}})
	if kept := got.Policy.net.theta; !slices.Equal(kept, weights[0]) || slices.Equal(kept, weights[12]) {
		t.Error("the policy is not that of its step")
	}
	if got.Best != 0 || got.Steps != 12 || got.Why != "no better on dev in 4 evaluations" || len(got.Curve) != 5 {
		t.Errorf("best %d of %d steps, %s, %d points", got.Best, got.Steps, got.Why, len(got.Curve))
	}
	o.Patience, o.Steps = 0, 14
	got = train(t, env, o, Hooks{})
	if got.Steps != 14 || got.Why != "all 14 steps" || got.Curve[len(got.Curve)-1].Step != 14 {
		t.Errorf("%d steps, %s: %+v", got.Steps, got.Why, got.Curve)
	}
}

// TestEndings: whatever goes wrong is the error of Learn, soon and without a goroutine left
// behind.
func TestEndings(t *testing.T) {
	mishap := errors.New("mishap")
	for _, procs := range []int{1, 2} {
		for _, row := range []struct {
			reason string
			ruin   func(env *toy, cancel func(), o *Options, h *Hooks)
			want   error
			says   string
		}{
			{"cancelled while playing", func(env *toy, cancel func(), _ *Options, _ *Hooks) {
				env.fault = func(p Part, i int, _ []int) (float64, bool, error) {
					if p == Train {
						cancel()
					}
					return 0, true, nil
				}
			}, context.Canceled, ""},
			{"cancelled between steps", func(_ *toy, cancel func(), _ *Options, h *Hooks) { h.Say = func(Point) { cancel() } }, context.Canceled, ""},
			{"an endpoint fails", func(env *toy, _ func(), _ *Options, _ *Hooks) {
				env.fault = func(p Part, i int, _ []int) (float64, bool, error) {
					if p == Train && i == 5 {
						return 0, false, mishap
					}
					return 0, true, nil
				}
			}, mishap, ""},
			{"a checkpoint cannot be written", func(_ *toy, _ func(), _ *Options, h *Hooks) { h.Save = func(*Checkpoint) error { return mishap } }, mishap, ""},
			{"an option that cannot be", func(_ *toy, _ func(), o *Options, _ *Hooks) { o.Group = 1 }, nil, "group: "},
			{"no dev", func(env *toy, _ func(), _ *Options, _ *Hooks) { env.parts[Dev] = nil }, nil, "no dev episodes"},
			{"no training", func(env *toy, _ func(), _ *Options, _ *Hooks) { env.parts[Train] = nil }, nil, "no training episodes"},
			{"no question may be asked", func(env *toy, _ func(), _ *Options, _ *Hooks) { env.budget = 0 }, nil, "nothing to learn"},
		} {
			t.Run(fmt.Sprint(row.reason, " on ", procs), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				env := newToy(4, 2, 64, 10, shares(.3, .8, .5, .6))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				o, h := small(GRPO), Hooks{}
				row.ruin(env, cancel, &o, &h)
				_, err := Learn(ctx, env, o, h)
				if err == nil || row.want != nil && !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.says) {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

func TestOptions(t *testing.T) {
	for _, a := range Algorithms {
		if o := Defaults(a); o.Check() != nil || o.Algorithm != a {
			t.Errorf("defaults of %s: %v", a, o.Check())
		}
	}
	for _, row := range []struct {
		reason string
		of     Algorithm
		change func(*Options)
		field  string
	}{
		{"unknown", "trpo", func(*Options) {}, "algorithm"},
		{"no step", GRPO, func(o *Options) { o.Steps = 0 }, "steps"},
		{"no episode", GRPO, func(o *Options) { o.Episodes = 0 }, "episodes"},
		{"nothing to compare with", GRPO, func(o *Options) { o.Group = 1 }, "group"},
		{"of one rollout each, PPO and Reinforce learn", PPO, func(o *Options) { o.Group = 1 }, ""},
		{"off-policy without a ratio", Reinforce, func(o *Options) { o.Epochs = 2 }, "epochs"},
		{"a clip that clips all", GRPO, func(o *Options) { o.Clip = 0 }, "clip"},
		{"a clip that lets ratios be 0", PPO, func(o *Options) { o.Clip = 1 }, "clip"},
		{"no critic", PPO, func(o *Options) { o.Critic = 0 }, "critic"},
		{"no number", GRPO, func(o *Options) { o.Rate = math.NaN() }, "rate"},
		{"a rate of nothing", GRPO, func(o *Options) { o.Rate = 0 }, "rate"},
		{"against the divergence it should keep small", GRPO, func(o *Options) { o.KL = -1 }, "kl"},
		{"against entropy", GRPO, func(o *Options) { o.Entropy = -.1 }, "entropy"},
		{"too long a gradient", GRPO, func(o *Options) { o.MaxNorm = math.Inf(1) }, "max_norm"},
		{"no hidden unit", GRPO, func(o *Options) { o.Hidden = 0 }, "hidden"},
		{"words of no bucket", GRPO, func(o *Options) { o.Words = -1 }, "words"},
		{"no evaluation", GRPO, func(o *Options) { o.Evaluate = 0 }, "evaluate"},
		{"no patience is for ever", GRPO, func(o *Options) { o.Patience = 0 }, ""},
	} {
		o := Defaults(row.of)
		row.change(&o)
		err := o.Check()
		var bad *OptionError
		if row.field == "" && err != nil || row.field != "" && (!errors.As(err, &bad) || bad.Field != row.field) {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
}
