package rl

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"pepbench/domains"
	"pepbench/strategies"
)

// A Policy is a trained network. It is read only and may be used by several goroutines.
type Policy struct {
	criteria []fileCriterion
	layout   layout
	options  Options
	net      *network
}

// NumParams counts the weights.
func (p *Policy) NumParams() int { return len(p.net.theta) }

// Options are those it was trained with.
func (p *Policy) Options() Options { return p.options }

// Strategy lets a policy ask until nothing is left: the caller keeps the budget. Policies
// has one policy for every seed of the experiment, or one under key 0 for all others.
type Strategy struct {
	Policies map[int]*Policy
	Sample   bool // draw questions; otherwise the likeliest is asked, the lowest position of equals
	Predict  strategies.Predict
}

// Begin implements strategies.Strategy. The elicitor is a strategies.Scorer: the scores
// are probabilities. A setting that the policy cannot be used in makes Next fail.
func (s Strategy) Begin(set strategies.Setting) strategies.Elicitor {
	e := &elicitor{predictor: s.Predict.Begin(set), last: -1}
	p := s.Policies[set.Seed]
	if p == nil {
		p = s.Policies[0]
	}
	if p == nil {
		e.err = fmt.Errorf("no policy was trained for seed %d", set.Seed)
		return e
	}
	if e.err = p.layout.begin(&e.episode, set, p.layout.wordsOf(set.Task.Prompt)); e.err != nil {
		return e
	}
	if e.err = p.knows(&set); e.err != nil {
		return e
	}
	w, k := p.net.hidden, p.net.out
	memory := make([]float64, 2*w+2*k)
	e.policy, e.pre, e.h, e.o, e.p = p, memory[:w], memory[w:2*w], memory[2*w:2*w+k], memory[2*w+k:]
	copy(e.pre, p.net.b1)
	p.net.add(e.pre, e.start)
	e.mask = make([]bool, k)
	for c, at := range e.position {
		e.mask[c] = at >= 0
	}
	if s.Sample {
		e.rng = userRand(set.Seed, set.Task.ID, set.User)
	}
	return e
}

// knows says whether the criteria of a setting are those that the policy was trained on.
func (p *Policy) knows(set *strategies.Setting) error {
	for i, c := range set.Task.Criteria {
		if have := &p.criteria[c]; !have.is(&set.Criteria[i]) {
			return fmt.Errorf("the policy was trained on %q as criterion %d, task %q has %q, or another scale", have.ID, c, set.Task.ID, set.Criteria[i].ID)
		}
	}
	return nil
}

type elicitor struct {
	episode
	policy       *Policy
	predictor    strategies.Predictor
	rng          *rand.Rand // nil: the likeliest
	err          error
	pre, h, o, p []float64
	mask         []bool // by criterion of the data set
	asked        int
	last         int // action of the last question; -1: there was none
}

// Next implements strategies.Elicitor.
func (e *elicitor) Next(ctx context.Context) (domains.Question, error) {
	if err := ctx.Err(); err != nil {
		return domains.Question{}, err
	}
	if e.err != nil {
		return domains.Question{}, e.err
	}
	if !slices.Contains(e.mask, true) {
		return domains.Question{}, strategies.ErrDone
	}
	e.policy.net.outputs(1, e.pre, e.h, e.o)
	softmax(e.o, e.mask, e.p)
	if e.rng == nil {
		e.last = likeliest(e.p, e.mask)
	} else {
		e.last = drawn(e.p, e.mask, e.rng.Float64())
	}
	return strategies.Ask(&e.set, e.position[e.last]), nil
}

// Observe implements strategies.Elicitor.
func (e *elicitor) Observe(q domains.Question, a domains.Answer) {
	e.predictor.Observe(q.Position, a.Cell)
	if e.err != nil {
		return
	}
	c := e.set.Task.Criteria[q.Position]
	e.asked++
	e.mask[c] = false
	ch := e.policy.layout.told(&e.set.Criteria[q.Position], c, a.Cell, e.asked)
	e.policy.net.add(e.pre, ch.terms[:ch.n])
}

// Infer implements strategies.Elicitor.
func (e *elicitor) Infer() domains.Inference { return e.predictor.Infer() }

// Top implements strategies.Scorer.
func (e *elicitor) Top(n int) []strategies.Scored {
	if e.last < 0 {
		return nil
	}
	var top []strategies.Scored
	for c, ok := range e.mask {
		if ok || c == e.last { // whether its answer was observed or not
			top = append(top, strategies.Scored{Position: e.position[c], Score: e.p[c]})
		}
	}
	slices.SortStableFunc(top, func(a, b strategies.Scored) int { return cmp.Compare(b.Score, a.Score) })
	return top[:min(n, len(top))]
}

var (
	_ strategies.Strategy = Strategy{}
	_ strategies.Scorer   = (*elicitor)(nil)
)
