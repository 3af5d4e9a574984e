package rl

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"pepbench/domains"
	"pepbench/strategies"
)

// An Example is a choice to imitate: the setting, what was asked and answered, and what
// was asked then.
type Example struct {
	Setting  strategies.Setting
	Asked    []int // positions
	Answers  []domains.Cell
	Question int // position
}

// The fit of Imitate: examples of a gradient step, most passes over all of them, passes
// without a better one after which it ends, and by how many nats a better one is better.
const (
	imitateBatch    = 128
	imitatePasses   = 200
	imitatePatience = 15
	imitateLeast    = 1e-4
)

// Imitate fits a network of the shape that the options say (hidden units, words; also rate,
// gradient norm and seed of the training) to choices by cross-entropy, and gives the share of the
// held-out choices that its likeliest question is: NaN without any. Every tenth session
// (task, user and seed of the experiment, in order of appearance) of learn decides which pass
// was the best.
func Imitate(ctx context.Context, criteria []domains.Criterion, o Options, learn, heldOut []Example) (*Policy, float64, error) {
	if err := o.Check(); err != nil {
		return nil, 0, err
	}
	l := layout{actions: len(criteria), words: o.Words, budget: 1}
	for i := range learn {
		l.budget = max(l.budget, len(learn[i].Asked)+1)
	}
	type session struct {
		task, user string
		seed       int
	}
	seen := map[session]int{}
	var fit, check []Example
	for _, x := range learn {
		s := session{x.Setting.Task.ID, x.Setting.User, x.Setting.Seed}
		if _, ok := seen[s]; !ok {
			seen[s] = len(seen)
		}
		if seen[s]%10 == 9 {
			check = append(check, x)
		} else {
			fit = append(fit, x)
		}
	}
	if len(check) == 0 {
		return nil, 0, fmt.Errorf("%d sessions are too few to imitate: every tenth decides when to end", len(seen))
	}
	var sets [3]choices
	for i, examples := range [][]Example{fit, check, heldOut} {
		var err error
		if sets[i], err = l.choices(criteria, examples); err != nil {
			return nil, 0, err
		}
	}
	net := newNetwork(l.size(), o.Hidden, l.actions, o.Seed, "imitation")
	opt, grad := newAdam(len(net.theta)), net.like()
	rng := rand.New(rand.NewPCG(o.Seed, domains.Hash("passes of imitation")))
	var t tape
	best, bestLoss, worse := slices.Clone(net.theta), math.Inf(1), 0
	for pass := 1; pass <= imitatePasses && worse < imitatePatience; pass++ {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		perm := rng.Perm(len(fit))
		for lo := 0; lo < len(perm); lo += imitateBatch {
			some := sets[0].some(perm[lo:min(lo+imitateBatch, len(perm))])
			net.whole(&some.states, &t)
			some.crossEntropy(net, &t, true)
			net.backward(&some.states, &t, grad)
			opt.step(net.theta, grad.theta, o.Rate, o.MaxNorm)
		}
		net.whole(&sets[1].states, &t)
		loss, _ := sets[1].crossEntropy(net, &t, false)
		if !sound(net.theta) || math.IsNaN(loss) {
			return nil, 0, &DivergedError{pass, "the loss or a weight of the imitation is not a finite number, or too large"}
		}
		worse++
		if loss < bestLoss-imitateLeast {
			bestLoss, worse = loss, 0
			copy(best, net.theta)
		}
	}
	copy(net.theta, best)
	net.whole(&sets[2].states, &t)
	_, share := sets[2].crossEntropy(net, &t, false)
	return &Policy{fileCriteria(criteria), l, o, net}, share, nil
}

// choices are examples as states without states before.
type choices struct {
	states
	mask   []bool
	action []int
}

// choices makes states of examples.
func (l layout) choices(criteria []domains.Criterion, examples []Example) (choices, error) {
	var c choices
	for i := range examples {
		x := &examples[i]
		var e episode
		if err := l.begin(&e, x.Setting, l.wordsOf(x.Setting.Task.Prompt)); err != nil {
			return c, err
		}
		if len(x.Asked) != len(x.Answers) {
			return c, fmt.Errorf("example %d of task %q: %d questions with %d answers", i, x.Setting.Task.ID, len(x.Asked), len(x.Answers))
		}
		at := len(c.mask)
		for _, p := range e.position {
			c.mask = append(c.mask, p >= 0)
		}
		mask := c.mask[at:]
		choose := func(position int) (int, error) {
			if position < 0 || position >= len(x.Setting.Criteria) || !mask[x.Setting.Task.Criteria[position]] {
				return 0, fmt.Errorf("example %d of task %q: position %d cannot be asked, or was asked", i, x.Setting.Task.ID, position)
			}
			return x.Setting.Task.Criteria[position], nil
		}
		for n, position := range x.Asked {
			a, err := choose(position)
			if err != nil {
				return c, err
			}
			mask[a] = false
			ch := l.told(&criteria[a], a, x.Answers[n], n+1)
			e.start = append(e.start, ch.terms[:ch.n]...)
		}
		a, err := choose(x.Question)
		if err != nil {
			return c, err
		}
		c.starts = append(c.starts, e.start)
		c.start, c.before, c.change = append(c.start, i), append(c.before, -1), append(c.change, change{})
		c.action = append(c.action, a)
	}
	return c, nil
}

// some are chosen ones.
func (c *choices) some(which []int) choices {
	k := len(c.mask) / len(c.action)
	var s choices
	for n, i := range which {
		s.starts = append(s.starts, c.starts[i])
		s.start, s.before, s.change = append(s.start, n), append(s.before, -1), append(s.change, change{})
		s.mask = append(s.mask, c.mask[i*k:(i+1)*k]...)
		s.action = append(s.action, c.action[i])
	}
	return s
}

// crossEntropy is the mean of -ln p(action), and the share of actions that are the
// likeliest. The derivatives by the logits go to the tape if they are wanted.
func (c *choices) crossEntropy(n *network, t *tape, derive bool) (loss, share float64) {
	k, total := n.out, float64(len(c.action))
	p := make([]float64, k)
	if derive {
		t.dO = grown(t.dO, len(c.action)*k)
	}
	right := 0
	for d, a := range c.action {
		logits, mask := t.o[d*k:(d+1)*k], c.mask[d*k:(d+1)*k]
		lse := softmax(logits, mask, p)
		loss += (lse - logits[a]) / total
		if likeliest(p, mask) == a {
			right++
		}
		if derive {
			g := t.dO[d*k : (d+1)*k]
			for i := range g {
				g[i] = p[i] / total
			}
			g[a] -= 1 / total
		}
	}
	return loss, float64(right) / total
}
