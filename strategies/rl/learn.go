package rl

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"pepbench/domains"
)

// A Point is one evaluation of the learning curve. What is measured on rollouts is their
// mean since the last point, and NaN at step 0.
type Point struct {
	Step      int     // rollouts so far are Step x Episodes x Group
	Train     float64 // mean reward of the rollouts (drawn questions), alignment 0..100
	Dev       float64 // mean of cluster means on dev, as the policy is used, 0..100
	Entropy   float64 // of the choice of a question, nats, before the update
	KL        float64 // to the policy at the start, nats a decision, before the update
	Clipped   float64 // share of ratios outside of the clip range, over all epochs
	GradNorm  float64 // before it is clipped
	Undefined int     // rollouts without a reward since the last point; they have no part
	// DevUndefined counts dev episodes without a reward; they are in no mean.
	DevUndefined int
}

// Trained is what training came to.
type Trained struct {
	Policy *Policy // the best on dev, the first of equals
	Best   int     // its step
	Steps  int     // taken
	Why    string  // why training stopped: all steps, no better on dev for so long
	Curve  []Point
}

// Hooks are told how training goes on; each may be nil.
type Hooks struct {
	From *Checkpoint             // to go on from; nil: from the start
	Save func(*Checkpoint) error // called at every point of the curve; the checkpoint may be kept
	Say  func(Point)
}

// DivergedError is a training whose rewards, loss or weights are not finite numbers any more.
// The last checkpoint that was saved is good.
type DivergedError struct {
	Step int
	What string
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("training diverged at step %d: %s; lower the rate, or look at the rewards if those are not numbers", e.Step, e.What)
}

// Learn trains a policy on the training episodes and gives the one with the largest dev
// reward of all points of the curve. Steps draw their episodes from passes over all of them,
// each in an order of its own. The result is the same on any number of processors, and
// whether training was interrupted or not. An error is that of ctx, of the environment or of
// h.Save, an *OptionError, or a *DivergedError.
func Learn(ctx context.Context, env Environment, o Options, h Hooks) (*Trained, error) {
	l, err := newLearner(ctx, env, o, h.From)
	if err != nil {
		return nil, err
	}
	point := func() error {
		p, err := l.evaluate(ctx)
		if err != nil {
			return err
		}
		if h.Save != nil {
			if err := h.Save(l.checkpoint()); err != nil {
				return err
			}
		}
		if h.Say != nil {
			h.Say(p)
		}
		return nil
	}
	if h.From == nil {
		if err := point(); err != nil {
			return nil, err
		}
	}
	why := fmt.Sprintf("all %d steps", o.Steps)
	for {
		if o.Patience > 0 && l.worse >= o.Patience {
			why = fmt.Sprintf("no better on dev in %d evaluations", o.Patience)
			break
		}
		if l.step >= o.Steps {
			break
		}
		if err := l.advance(ctx); err != nil {
			return nil, err
		}
		if l.step%o.Evaluate == 0 || l.step == o.Steps {
			if err := point(); err != nil {
				return nil, err
			}
		}
	}
	best := &Policy{l.ids, l.layout, o, networkOf(l.net.in, l.net.hidden, l.net.out, slices.Clone(l.best))}
	return &Trained{Policy: best, Best: l.bestStep, Steps: l.step, Why: why, Curve: slices.Clone(l.curve)}, nil
}

// learner is a training.
type learner struct {
	env    Environment
	o      Options
	ids    []fileCriterion
	layout layout
	aim    objective

	// Saved in checkpoints.
	step             int
	net, critic      *network // critic: nil but for PPO
	opt, criticOpt   adam
	baseline         baseline
	best             []float64 // weights
	bestStep, worse  int
	bestDev          float64
	curve            []Point
	startNet         *network // drawn again from the seed
	grad, criticGrad *network
	player           *player
	devPlayer        *player
	criticTape       tape
	startTape        tape
	perm             []int // of the training episodes in a pass
	pass             int
	returns, adv, lr []float64
	weight           []float64
	since            tally
}

// tally sums what a point of the curve is the mean of.
type tally struct {
	reward, rewards     float64
	entropy, kl, weight float64
	clipped, ratios     float64
	norm, norms         float64
	undefined           int
}

func newLearner(ctx context.Context, env Environment, o Options, from *Checkpoint) (*learner, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	criteria := env.Criteria()
	for _, p := range []Part{Train, Dev} {
		if env.Len(p) == 0 {
			return nil, fmt.Errorf("no %s episodes: a policy is trained on some profiles and chosen on others; lower the share of test or raise that of dev", partName(p))
		}
	}
	set := env.Setting(Train, 0)
	if set.Budget < 1 {
		return nil, errors.New("nothing to learn: no question may be asked")
	}
	l := &learner{
		env: env, o: o, ids: fileCriteria(criteria), aim: objectiveOf(&o), pass: -1,
		layout: layout{actions: len(criteria), words: o.Words, budget: set.Budget},
	}
	in := l.layout.size()
	l.startNet = newNetwork(in, o.Hidden, len(criteria), o.Seed, "policy")
	l.net = l.startNet.clone()
	l.grad = l.net.like()
	l.opt = newAdam(len(l.net.theta))
	if o.Algorithm == PPO {
		l.critic = newNetwork(in, o.Critic, 1, o.Seed, "critic")
		l.criticGrad = l.critic.like()
		l.criticOpt = newAdam(len(l.critic.theta))
	}
	l.player, l.devPlayer = newPlayer(env, l.layout), newPlayer(env, l.layout)
	l.bestDev = math.NaN()
	if from != nil {
		if err := l.restore(from); err != nil {
			return nil, err
		}
	}
	return l, ctx.Err()
}

func partName(p Part) string {
	if p == Dev {
		return "dev"
	}
	return "training"
}

// draw gives the training episode at a place of the endless sequence of passes.
func (l *learner) draw(place int) int {
	n := l.env.Len(Train)
	if pass := place / n; pass != l.pass {
		rng := rand.New(rand.NewPCG(l.o.Seed, domains.Hash("pass over the episodes")+uint64(pass)))
		l.perm, l.pass = rng.Perm(n), pass
	}
	return l.perm[place%n]
}

// advance takes a step.
func (l *learner) advance(ctx context.Context) error {
	l.step++
	if err := ctx.Err(); err != nil {
		return err
	}
	o := &l.o
	episodes, copies := o.Episodes, o.Group
	if o.Algorithm != GRPO {
		episodes, copies = o.Episodes*o.Group, 1
	}
	chosen := make([]int, episodes)
	for i := range chosen {
		chosen[i] = l.draw((l.step-1)*episodes + i)
	}
	rng := rand.New(rand.NewPCG(o.Seed, domains.Hash("questions of rollouts")+uint64(l.step)))
	r, err := l.player.play(ctx, l.net, Train, chosen, copies, o.Dense, func(_ int, p []float64, mask []bool) int {
		return drawn(p, mask, rng.Float64())
	})
	if err != nil {
		return err
	}
	if r.notANum {
		return &DivergedError{l.step, "a reward is not a finite number"}
	}
	for i := range r.of {
		if v := r.reward(i); math.IsNaN(v) {
			l.since.undefined++
		} else {
			l.since.reward += 100 * v
			l.since.rewards++
		}
	}
	if l.judge(r) == 0 {
		return nil // nothing to learn from
	}
	return l.update(ctx, r)
}

// judge computes returns, advantages and weights of all states, and counts the rollouts
// that have part. A state of a rollout that
// has no part weighs nothing; the others weigh 1/(rollouts that have part x their questions):
// the objective is a mean over rollouts of means over turns, as GRPO's.
func (l *learner) judge(r *rollouts) (part int) {
	n := r.len()
	l.returns, l.adv, l.weight = grown(l.returns, n), grown(l.adv, n), grown(l.weight, n)
	r.returns(l.returns)
	switch l.o.Algorithm {
	case GRPO:
		l.compare(r)
	case Reinforce:
		for d, turn := range r.turn {
			l.adv[d] = l.returns[d] - l.baseline.at(turn)
		}
		for d, turn := range r.turn {
			if g := l.returns[d]; !math.IsNaN(g) {
				l.baseline.add(turn, g)
			}
		}
	case PPO:
		l.critic.whole(&r.states, &l.criticTape)
		for d := range n {
			l.adv[d] = l.returns[d] - l.criticTape.o[d]
		}
	}
	for _, path := range r.path {
		if len(path) > 0 && !math.IsNaN(l.adv[path[0]]) {
			part++
		}
	}
	for d, i := range r.rollout {
		l.weight[d] = 0
		if !math.IsNaN(l.adv[d]) {
			l.weight[d] = 1 / float64(part*len(r.path[i]))
		}
	}
	return part
}

// compare standardises the returns of every turn over the rollouts of an episode, which
// are next to one another and put equally many questions.
func (l *learner) compare(r *rollouts) {
	group := l.o.Group
	l.lr = grown(l.lr, 2*group)
	in, out := l.lr[:group], l.lr[group:]
	for first := 0; first < len(r.of); first += group {
		for turn := range r.path[first] {
			for j := range group {
				in[j] = l.returns[r.path[first+j][turn]]
			}
			standardised(in, out)
			for j := range group {
				l.adv[r.path[first+j][turn]] = out[j]
			}
		}
	}
}

// update takes the gradient steps on the rollouts of a step.
func (l *learner) update(ctx context.Context, r *rollouts) error {
	l.startNet.whole(&r.states, &l.startTape)
	old := make([]float64, r.len())
	for d := range old {
		old[d] = l.player.tape.o[d*l.layout.actions+r.action[d]] - r.lse[d]
	}
	// Neither needs the other: advantages are those of the critic before the step.
	var wg sync.WaitGroup
	var ofCritic error
	if l.critic != nil {
		wg.Go(func() { ofCritic = l.fitCritic(ctx, r) })
	}
	ofPolicy := l.improve(ctx, r, old)
	wg.Wait()
	if ofPolicy != nil {
		return ofPolicy
	}
	return ofCritic
}

// improve takes the gradient steps of the policy.
func (l *learner) improve(ctx context.Context, r *rollouts, old []float64) error {
	for epoch := range l.o.Epochs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if epoch > 0 { // else the tape is that of the rollouts
			l.net.whole(&r.states, &l.player.tape)
		}
		loss := l.policyLoss(r, old, epoch == 0)
		l.net.backward(&r.states, &l.player.tape, l.grad)
		norm := l.opt.step(l.net.theta, l.grad.theta, l.o.Rate, l.o.MaxNorm)
		l.since.norm += norm
		l.since.norms++
		if err := l.finite(loss, norm, l.net, "policy"); err != nil {
			return err
		}
	}
	return nil
}

// fitCritic takes those of the critic, whose tape is that of the rollouts at first.
func (l *learner) fitCritic(ctx context.Context, r *rollouts) error {
	for epoch := range l.o.Epochs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if epoch > 0 {
			l.critic.whole(&r.states, &l.criticTape)
		}
		loss := l.criticLoss(r.len())
		l.critic.backward(&r.states, &l.criticTape, l.criticGrad)
		norm := l.criticOpt.step(l.critic.theta, l.criticGrad.theta, l.o.Rate, l.o.MaxNorm)
		if err := l.finite(loss, norm, l.critic, "critic"); err != nil {
			return err
		}
	}
	return nil
}

func (l *learner) finite(loss, norm float64, n *network, whose string) error {
	what := ""
	switch {
	case math.IsNaN(loss) || math.IsInf(loss, 0):
		what = "loss"
	case math.IsNaN(norm) || math.IsInf(norm, 0):
		what = "gradient"
	case !sound(n.theta):
		what = "a weight"
	default:
		return nil
	}
	return &DivergedError{l.step, fmt.Sprintf("%s of the %s is not a finite number, or too large", what, whose)}
}

// policyLoss is minus the weighted objective of all states; the tape of the player gets its
// derivatives by the logits.
func (l *learner) policyLoss(r *rollouts, old []float64, first bool) float64 {
	t, k := &l.player.tape, l.layout.actions
	aim := l.aimed()
	t.dO = grown(t.dO, r.len()*k)
	clear(t.dO)
	loss := 0.0
	for d := range r.len() {
		w := l.weight[d]
		if w == 0 {
			continue
		}
		at, to := d*k, (d+1)*k
		c := decision{
			logits: t.o[at:to], start: l.startTape.o[at:to], mask: r.mask[at:to], p: r.p[at:to],
			action: r.action[d], old: old[d], advantage: l.adv[d],
		}
		c.lse = r.lse[d]
		if !first {
			c.lse = softmax(c.logits, c.mask, c.p)
		}
		c.startLse = lnSumExp(c.start, c.mask)
		m := aim.measure(&c, -w, t.dO[at:to])
		loss -= w * m.objective
		if first {
			l.since.entropy += w * m.entropy
			l.since.kl += w * m.kl
			l.since.weight += w
		}
		l.since.ratios++
		if m.clipped {
			l.since.clipped++
		}
	}
	return loss
}

// aimed is the objective of this step. The likeliest question, which is what the policy
// asks in the end, is hard to tell among many that are kept nearly as likely, so the weight of
// the entropy falls linearly, from all of it at the first step.
func (l *learner) aimed() objective {
	aim := l.aim
	aim.entropy *= 1 - float64(l.step-1)/float64(l.o.Steps)
	return aim
}

// criticLoss is the weighted mean of (V - G)^2, and its derivatives go to the tape.
func (l *learner) criticLoss(n int) float64 {
	t := &l.criticTape
	t.dO = grown(t.dO, n)
	loss := 0.0
	for d := range n {
		t.dO[d] = 0
		if w := l.weight[d]; w > 0 {
			miss := t.o[d] - l.returns[d]
			loss += w * miss * miss
			t.dO[d] = 2 * w * miss
		}
	}
	return loss
}

// devBlock is how many dev episodes are played at once.
const devBlock = 512

// evaluate adds a point to the curve.
func (l *learner) evaluate(ctx context.Context) (Point, error) {
	rewards, err := l.devRewards(ctx)
	if err != nil {
		return Point{}, err
	}
	s := &l.since
	p := Point{
		Step: l.step, Train: s.reward / s.rewards, Entropy: s.entropy / s.weight, KL: s.kl / s.weight,
		Clipped: s.clipped / s.ratios, GradNorm: s.norm / s.norms, Undefined: s.undefined,
	}
	p.Dev, p.DevUndefined = clusterMean(l.env, Dev, rewards)
	if l.step == 0 && math.IsNaN(p.Dev) {
		return Point{}, errors.New("no dev episode has a reward: nothing to choose a policy by")
	}
	l.worse++
	if l.best == nil || p.Dev > l.bestDev {
		l.best, l.bestStep, l.bestDev, l.worse = slices.Clone(l.net.theta), l.step, p.Dev, 0
	}
	l.curve = append(l.curve, p)
	*s = tally{}
	return p, nil
}

// devRewards plays the dev episodes as the policy is used.
func (l *learner) devRewards(ctx context.Context) ([]float64, error) {
	n := l.env.Len(Dev)
	rewards := make([]float64, 0, n)
	for lo := 0; lo < n; lo += devBlock {
		block := make([]int, min(devBlock, n-lo))
		for i := range block {
			block[i] = lo + i
		}
		y := l.devPlayer
		rngs := make([]*rand.Rand, len(block))
		r, err := y.play(ctx, l.net, Dev, block, 1, false, func(i int, p []float64, mask []bool) int {
			if !l.o.Sample {
				return likeliest(p, mask)
			}
			if rngs[i] == nil {
				set := &y.episodes[i].set
				rngs[i] = userRand(set.Seed, set.Task.ID, set.User)
			}
			return drawn(p, mask, rngs[i].Float64())
		})
		if err != nil {
			return nil, err
		}
		if r.notANum {
			return nil, &DivergedError{l.step, "a reward on dev is not a finite number"}
		}
		for i := range block {
			rewards = append(rewards, 100*r.reward(i))
		}
	}
	return rewards, nil
}

// clusterMean is the mean over clusters of the mean reward of their episodes. Those
// without a reward (NaN) are in no mean; they are counted.
func clusterMean(env Environment, p Part, rewards []float64) (mean float64, undefined int) {
	index := map[int]int{}
	var sum, n []float64
	for i, r := range rewards {
		if math.IsNaN(r) {
			undefined++
			continue
		}
		c := env.Cluster(p, i)
		k, ok := index[c]
		if !ok {
			k = len(sum)
			index[c] = k
			sum, n = append(sum, 0), append(n, 0)
		}
		sum[k] += r
		n[k]++
	}
	for k := range sum {
		mean += sum[k] / n[k]
	}
	return mean / float64(len(sum)), undefined
}
