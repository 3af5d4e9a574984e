package rl

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"pepbench/domains"
)

const tiny = 1e-12

func near(a, b, tolerance float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= tolerance
}

// TestStandardised: advantages of GRPO that were worked out by hand.
func TestStandardised(t *testing.T) {
	nan := math.NaN()
	root3 := math.Sqrt(3)
	for _, row := range []struct {
		reason  string
		returns []float64
		want    []float64
	}{
		{"equal rewards teach nothing", []float64{.5, .5, .5, .5}, []float64{0, 0, 0, 0}},
		{"one winner of four: mean 1/4, std sqrt(3)/4", []float64{0, 0, 1, 0}, []float64{-1 / root3, -1 / root3, root3, -1 / root3}},
		{"one loser of four is the mirror image", []float64{1, 1, 0, 1}, []float64{1 / root3, 1 / root3, -root3, 1 / root3}},
		{"a pair is +1 and -1, however near", []float64{.61, .60}, []float64{1, -1}},
		{"std is that of a population: 1, 2, 3 have sqrt(2/3)", []float64{.1, .2, .3}, []float64{-math.Sqrt(1.5), 0, math.Sqrt(1.5)}},
		{"an undefined reward has no part, and the others are compared without it", []float64{nan, .2, .4}, []float64{nan, -1, 1}},
		{"one reward has nothing to be compared with", []float64{nan, .2, nan}, []float64{nan, nan, nan}},
		{"a group without rewards", []float64{nan, nan}, []float64{nan, nan}},
	} {
		got := make([]float64, len(row.returns))
		standardised(row.returns, got)
		for i := range got {
			if !near(got[i], row.want[i], 1e-5) { // 1e-8 beside a std of .005 is 2e-6
				t.Errorf("%s: %v, want %v", row.reason, got, row.want)
				break
			}
		}
	}
}

// TestStandardisedProperties: whatever the rewards, advantages have mean 0 and variance 1 or
// less, and neither a shift nor a scale of the rewards changes them by much.
func TestStandardisedProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SliceOfN(rapid.Float64Range(0, 1), 2, 12).Draw(t, "rewards")
		a, b := make([]float64, len(r)), make([]float64, len(r))
		standardised(r, a)
		sum, square := 0.0, 0.0
		moved := make([]float64, len(r))
		for i := range a {
			sum += a[i]
			square += a[i] * a[i]
			moved[i] = 3*r[i] - 1
		}
		if math.Abs(sum) > 1e-6 || square > float64(len(r))+1e-6 {
			t.Fatalf("sum %v, sum of squares %v of %d", sum, square, len(r))
		}
		standardised(moved, b)
		for i := range a {
			if spread := square / float64(len(r)); spread > .99 && !near(a[i], b[i], 2e-2) {
				t.Fatalf("%v becomes %v", a, b)
			}
		}
	})
}

// TestSurrogate: the clipped objective by hand, clip .2. The derivative by ln pi is r A, or 0
// where going on would not raise the objective any more.
func TestSurrogate(t *testing.T) {
	for _, row := range []struct {
		reason          string
		ratio, adv      float64
		wantV, wantDeri float64
	}{
		{"at ratio 1 it is the policy gradient", 1, 2, 2, 2},
		{"at ratio 1, worse than the others", 1, -2, -2, -2},
		{"within the range nothing is clipped", 1.1, 2, 2.2, 2.2},
		{"a good choice that became likelier by more than the range: no further", 1.5, 2, 2.4, 0},
		{"a good choice that became unlikelier: back, unclipped", .5, 2, 1, 1},
		{"a bad choice that became unlikelier by more than the range: no further", .5, -2, -1.6, 0},
		{"a bad choice that became likelier: back, unclipped", 1.5, -2, -3, -3},
		{"no advantage, no gradient, in the range", 1, 0, 0, 0},
		{"no advantage, no gradient, out of it", 3, 0, 0, 0},
	} {
		v, d := surrogate(row.ratio, row.adv, .2)
		if !near(v, row.wantV, tiny) || !near(d, row.wantDeri, tiny) {
			t.Errorf("%s: %v with derivative %v, want %v and %v", row.reason, v, d, row.wantV, row.wantDeri)
		}
	}
}

func TestSoftmax(t *testing.T) {
	third := 1 / 3.
	for _, row := range []struct {
		reason string
		logits []float64
		mask   []bool
		want   []float64
	}{
		{"equal logits are equally likely", []float64{2, 2, 2}, []bool{true, true, true}, []float64{third, third, third}},
		{"what is masked has no share, however large", []float64{0, 900, 0}, []bool{true, false, true}, []float64{.5, 0, .5}},
		{"ln 3 above is three times as likely", []float64{math.Log(3), 0}, []bool{true, true}, []float64{.75, .25}},
		{"nothing overflows", []float64{1000, 1000 - math.Log(3)}, []bool{true, true}, []float64{.75, .25}},
		{"nothing underflows to no distribution", []float64{-1000, -1000}, []bool{true, true}, []float64{.5, .5}},
		{"one left is certain", []float64{-5, 7}, []bool{true, false}, []float64{1, 0}},
	} {
		p := []float64{9, 9, 9}[:len(row.logits)]
		lse := softmax(row.logits, row.mask, p)
		if got := lnSumExp(row.logits, row.mask); got != lse {
			t.Errorf("%s: ln sum exp %v and %v", row.reason, lse, got)
		}
		for a := range p {
			if !near(p[a], row.want[a], tiny) {
				t.Errorf("%s: %v, want %v", row.reason, p, row.want)
				break
			}
			if row.mask[a] && !near(math.Exp(row.logits[a]-lse), p[a], tiny) {
				t.Errorf("%s: ln p(%d) = %v", row.reason, a, row.logits[a]-lse)
			}
		}
	}
}

func TestChoice(t *testing.T) {
	all := []bool{true, true, true}
	for _, row := range []struct {
		reason        string
		p             []float64
		mask          []bool
		u             float64
		likely, chose int
	}{
		{"the lowest of equals is the likeliest", []float64{.2, .4, .4}, all, .1, 1, 0},
		{"shares follow one another", []float64{.2, .4, .4}, all, .2, 1, 1},
		{"up to the end", []float64{.2, .4, .4}, all, math.Nextafter(1, 0), 1, 2},
		{"the masked is passed over", []float64{0, .5, .5}, []bool{false, true, true}, 0, 1, 1},
		{"rounding leaves the last that has a share", []float64{.5, .49, 0}, all, .995, 0, 1},
		{"probabilities that are not numbers still give an allowed action", []float64{math.NaN(), math.NaN(), math.NaN()}, []bool{false, true, true}, .5, 1, 2},
	} {
		if got := likeliest(row.p, row.mask); got != row.likely {
			t.Errorf("%s: likeliest %d, want %d", row.reason, got, row.likely)
		}
		if got := drawn(row.p, row.mask, row.u); got != row.chose {
			t.Errorf("%s: drawn %d, want %d", row.reason, got, row.chose)
		}
	}
}

// finite compares a gradient with central differences of a loss in every weight.
func finite(t *testing.T, what string, theta, grad []float64, loss func() float64) {
	t.Helper()
	const h = 1e-5
	largest := 0.0
	for i := range theta {
		was := theta[i]
		theta[i] = was + h
		up := loss()
		theta[i] = was - h
		down := loss()
		theta[i] = was
		want := (up - down) / (2 * h)
		if !near(grad[i], want, 1e-7+1e-5*math.Abs(want)) {
			t.Fatalf("%s: derivative %d is %v, differences give %v", what, i, grad[i], want)
		}
		largest = max(largest, math.Abs(want))
	}
	if largest < 1e-4 {
		t.Fatalf("%s: no derivative exceeds %v: nothing was compared", what, largest)
	}
}

// TestGradients: the loss of every algorithm, KL and entropy included, through rollouts with
// answers and differing lengths, away from the start and with ratios in and out of the
// range; and that of the critic.
func TestGradients(t *testing.T) {
	for _, a := range Algorithms {
		for _, dense := range []bool{false, true} {
			env := newToy(4, 3, 20, 4, shares(.3, .8, .5, .6))
			env.askable = func(i, position int) bool { return i%3 > 0 || position < 2 } // some end after two questions
			o := small(a)
			o.Hidden, o.Words, o.Episodes, o.Group, o.KL, o.Entropy, o.Dense = 5, 3, 4, 3, .3, .2, dense
			if a == PPO {
				o.Critic = 5
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
			move(.5) // away from the start, for KL
			l.step = o.Steps / 3
			if a == Reinforce {
				for turn := range 3 {
					l.baseline.add(turn, .3)
				}
			}
			episodes := make([]int, o.Episodes*o.Group)
			for i := range episodes {
				episodes[i] = i
			}
			copies := 1
			if a == GRPO {
				episodes, copies = episodes[:o.Episodes], o.Group
			}
			r, err := l.player.play(t.Context(), l.net, Train, episodes, copies, dense, func(_ int, p []float64, mask []bool) int { return drawn(p, mask, rng.Float64()) })
			if err != nil {
				t.Fatal(err)
			}
			if l.judge(r) < o.Group {
				t.Fatal("too few rollouts have part")
			}
			l.startNet.whole(&r.states, &l.startTape)
			old := make([]float64, r.len())
			for d := range old {
				old[d] = l.player.tape.o[d*4+r.action[d]] - r.lse[d]
			}
			move(.15) // away from the policy that drew, for ratios
			loss := func() float64 {
				l.net.whole(&r.states, &l.player.tape)
				return l.policyLoss(r, old, false)
			}
			loss()
			if s := l.since; a != Reinforce && (s.clipped == 0 || s.clipped == s.ratios) {
				t.Fatalf("%v of %v ratios are out of the range: one side is not tried", s.clipped, s.ratios)
			}
			l.net.backward(&r.states, &l.player.tape, l.grad)
			finite(t, fmt.Sprintf("%s, dense %v", a, dense), l.net.theta, append([]float64(nil), l.grad.theta...), loss)
			if a == PPO {
				l.critic.whole(&r.states, &l.criticTape)
				l.criticLoss(r.len())
				l.critic.backward(&r.states, &l.criticTape, l.criticGrad)
				finite(t, "critic", l.critic.theta, append([]float64(nil), l.criticGrad.theta...), func() float64 {
					l.critic.whole(&r.states, &l.criticTape)
					return l.criticLoss(r.len())
				})
			}
		}
	}
}

// TestGradientOfCrossEntropy: that of imitation.
func TestGradientOfCrossEntropy(t *testing.T) {
	types := drawTypes(3, 4)
	env := newToy(4, 3, 6, 4, typed(types))
	l := layout{actions: 4, words: 3, budget: 3}
	c, err := l.choices(env.criteria, lessons(env, types, Train))
	if err != nil {
		t.Fatal(err)
	}
	net := newNetwork(l.size(), 5, 4, 1, "test")
	grad := net.like()
	var tp tape
	net.whole(&c.states, &tp)
	c.crossEntropy(net, &tp, true)
	net.backward(&c.states, &tp, grad)
	finite(t, "cross-entropy", net.theta, grad.theta, func() float64 {
		net.whole(&c.states, &tp)
		loss, _ := c.crossEntropy(net, &tp, false)
		return loss
	})
}

// TestMeasures: entropy and KL of one decision by hand.
func TestMeasures(t *testing.T) {
	ln3 := math.Log(3)
	mask := []bool{true, true, false}
	logits, start := []float64{ln3, 0, 50}, []float64{0, 0, -50}
	p := make([]float64, 3)
	c := decision{logits: logits, start: start, mask: mask, p: p, action: 0, advantage: 2}
	c.lse, c.startLse = softmax(logits, mask, p), lnSumExp(start, mask)
	c.old = math.Log(.75)
	d := make([]float64, 3)
	m := objective{clip: .2, kl: .5, entropy: .25}.measure(&c, 1, d)
	entropy := -.75*math.Log(.75) - .25*math.Log(.25)
	kl := .75*math.Log(1.5) + .25*math.Log(.5) // to uniform
	if !near(m.entropy, entropy, tiny) || !near(m.kl, kl, tiny) || !near(m.objective, 2+.25*entropy-.5*kl, tiny) || m.clipped {
		t.Errorf("%+v, want entropy %v and KL %v", m, entropy, kl)
	}
	if d[2] != 0 || !near(d[0]+d[1], 0, tiny) {
		t.Errorf("derivatives %v: the masked has none, and the others sum to 0", d)
	}
	for _, row := range []struct {
		ratio   float64
		clipped bool
	}{{1.19, false}, {1.21, true}, {.81, false}, {.79, true}} {
		c.old = math.Log(.75 / row.ratio)
		if m := (objective{clip: .2}).measure(&c, 1, d); m.clipped != row.clipped {
			t.Errorf("a ratio of %v is out of .8 to 1.2: %v", row.ratio, m.clipped)
		}
	}
}

// TestObjectives: options decide the objective; Reinforce clips nothing.
func TestObjectives(t *testing.T) {
	for _, a := range Algorithms {
		o := Defaults(a)
		o.Clip, o.KL, o.Entropy = .3, .4, .5
		want := objective{clip: .3, kl: .4, entropy: .5}
		if a == Reinforce {
			want.clip = -1
		}
		if got := objectiveOf(&o); got != want {
			t.Errorf("%s: %+v, want %+v", a, got, want)
		}
	}
}

// TestEntropyFalls: from all of its weight at the first step to next to none at the last.
func TestEntropyFalls(t *testing.T) {
	l := learner{o: Options{Steps: 4}, aim: objective{clip: .2, kl: .1, entropy: .8}}
	for i, want := range []float64{.8, .6, .4, .2} {
		l.step = i + 1
		if aim := l.aimed(); !near(aim.entropy, want, tiny) || aim.kl != .1 || aim.clip != .2 {
			t.Errorf("step %d of 4: %+v, want entropy %v", l.step, aim, want)
		}
	}
}

// TestLossHasEntropy: the bonus of the loss is that of the step.
func TestLossHasEntropy(t *testing.T) {
	l, err := newLearner(t.Context(), newToy(4, 2, 64, 10, shares(.3, .8, .5, .6)), small(GRPO), nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.player.play(t.Context(), l.net, Train, []int{0, 1, 2, 3}, l.o.Group, false, func(i int, p []float64, mask []bool) int { return drawn(p, mask, float64(i%8)/8) })
	if err != nil {
		t.Fatal(err)
	}
	l.judge(r)
	l.startNet.whole(&r.states, &l.startTape)
	loss := func(step int) float64 {
		l.step = step
		return l.policyLoss(r, make([]float64, r.len()), true)
	}
	none, half, all := loss(l.o.Steps+1), loss(l.o.Steps/2+1), loss(1)
	if bonus := l.o.Entropy * l.since.entropy / l.since.weight; bonus == 0 || !near(none-all, bonus, 1e-9) || !near(none-half, bonus/2, 1e-9) {
		t.Errorf("losses %v at the first step, %v half way, %v after the last; the entropy is worth %v", all, half, none, bonus)
	}
}

// TestAdam: two steps by hand. The first is rate x sign, whatever the size.
func TestAdam(t *testing.T) {
	a := newAdam(2)
	theta := []float64{1, 1}
	if norm := a.step(theta, []float64{3, -4}, .1, 0); norm != 5 || !near(theta[0], .9, 1e-8) || !near(theta[1], 1.1, 1e-8) {
		t.Errorf("norm %v, weights %v", norm, theta)
	}
	// m = .9 x .3 + .1 x 0 = .27, by 1 - .81 = .19; v = .999 x .009 + 0, by 1 - .999^2
	want := theta[0] - .1*(.27/.19)/math.Sqrt(.999*.009/(1-.999*.999))
	if a.step(theta, []float64{0, 0}, .1, 0); !near(theta[0], want, 1e-8) {
		t.Errorf("second step to %v, want %v", theta[0], want)
	}
	b := newAdam(2)
	theta = []float64{1, 1}
	if norm := b.step(theta, []float64{3, -4}, .1, 1); norm != 5 || !near(b.m[0], .06, tiny) || !near(b.m[1], -.08, tiny) {
		t.Errorf("a gradient of length 5 clipped to 1: norm %v, m %v", norm, b.m)
	}
}

// TestBaselineBefore: what Reinforce subtracts is of steps before, never of the step itself.
func TestBaselineBefore(t *testing.T) {
	env := newToy(4, 2, 8, 4, shares(.3, .8, .5, .6))
	reward := 20.
	env.reward = func([]domains.Cell, []int) (float64, bool) { return reward, true }
	l, err := newLearner(t.Context(), env, small(Reinforce), nil)
	if err != nil {
		t.Fatal(err)
	}
	for step, want := range []float64{math.NaN(), .4, .3} { // nothing before; .6 - .2; .7 - (.2 + .6)/2
		reward = []float64{20, 60, 70}[step]
		r, err := l.player.play(t.Context(), l.net, Train, []int{0, 1, 2}, 1, false, func(_ int, p []float64, mask []bool) int { return likeliest(p, mask) })
		if err != nil {
			t.Fatal(err)
		}
		if part := l.judge(r); (part == 0) != math.IsNaN(want) {
			t.Errorf("step %d: %d rollouts have part", step+1, part)
		}
		for d := range r.len() {
			if !near(l.adv[d], want, tiny) {
				t.Errorf("step %d: advantage %v, want %v", step+1, l.adv[d], want)
			}
		}
	}
}

// TestBaseline: the mean of what was, turn by turn.
func TestBaseline(t *testing.T) {
	var b baseline
	if !math.IsNaN(b.at(0)) {
		t.Error("a mean of nothing")
	}
	b.add(0, .2)
	b.add(0, .4)
	b.add(1, 1)
	if !near(b.at(0), .3, tiny) || b.at(1) != 1 || !math.IsNaN(b.at(2)) {
		t.Errorf("%v", b)
	}
}
