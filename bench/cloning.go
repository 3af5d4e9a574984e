package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/strategies"
	"pepbench/strategies/rl"
)

// enoughCloned is the share of choices that a network should be able to learn. Below
// that, what a policy lacks may be capacity and not training.
const enoughCloned = 0.9

// mostCloned is of how many training users the choices are learned from, at most; of
// more, evenly spaced ones are taken.
const mostCloned = 2000

// leastCloned is of how many they must be learned, at least: every tenth decides when to
// end.
const leastCloned = 10

// cloningID is the hash of all that decides the capacity check; empty: none is made.
func (t *trainer) cloningID() string {
	a := t.spec.cloned(t.plan.Experiment)
	if a == nil || !slices.ContainsFunc(t.plan.rows, func(r planRow) bool { return r.Base == a.Name }) || t.builder.models[a.Belief] == nil {
		return "" // its belief cannot handle the data, or its acquisition is not defined there, and it is left out
	}
	model, err := modelHash(t.builder.models[a.Belief])
	if err != nil {
		return ""
	}
	choice := *a
	choice.basics, choice.Model, choice.Belief = basics{}, "", "" // the model says it
	return hashed([]any{t.met, model, choice, t.spec.Train.options(t.seed), mostCloned})
}

// wantsCloning says whether the capacity check has yet to be made.
func (t *trainer) wantsCloning(h *learning) bool {
	id := t.cloningID()
	return id != "" && !t.pr.dry && (h.training.Cloning == nil || h.training.Cloning.ID != id)
}

// clone fits a network of the policy's shape to what an adaptive strategy asks training
// users, and counts how many of its choices for dev users the network reproduces.
func (t *trainer) clone(ctx context.Context, h *learning) error {
	p := t.plan
	a := t.spec.cloned(p.Experiment)
	wrap := func(err error) error { return fmt.Errorf("%s: cloning %s: %w", t.name(), a.Name, err) }
	s, _, err := a.build(t.builder, nil)
	if err != nil {
		return wrap(err)
	}
	env, err := newEnvironment(ctx, p.Experiment, p.Data, p.Parts[t.fold], t.seed, nil, nil, nil) // nobody is rewarded
	if err != nil {
		return wrap(err)
	}
	t.say(fmt.Sprintf("%s: what %s asks is learned by a network of the same shape", t.name(), a.Name))
	learn, err := choices(ctx, env, rl.Train, s, mostCloned)
	if err != nil {
		return wrap(err)
	}
	held, err := choices(ctx, env, rl.Dev, s, math.MaxInt)
	if err != nil {
		return wrap(err)
	}
	out := &record.Cloning{ID: t.cloningID(), Of: a.Name, Examples: len(learn), HeldOut: len(held), Share: record.Float(math.NaN()), UnseenShare: record.Float(math.NaN())}
	if env.Len(rl.Train) >= leastCloned && len(held) > 0 {
		policy, share, err := rl.Imitate(ctx, env.Criteria(), t.spec.Train.options(t.seed), learn, held)
		if err != nil {
			return wrap(err)
		}
		out.Share = rounded(share)
		if out.Unseen, out.UnseenShare, err = unseen(ctx, policy, learn, held); err != nil {
			return wrap(err)
		}
	}
	h.training.Cloning = out
	return nil
}

// choices are those of a strategy for the users of a part, at most so many of them.
func choices(ctx context.Context, env *environment, part rl.Part, s strategies.Strategy, most int) ([]rl.Example, error) {
	var out []rl.Example
	n := env.Len(part)
	take := min(n, most)
	for j := range take {
		i := int(int64(j) * int64(n) / int64(take))
		set := env.Setting(part, i)
		e := s.Begin(set)
		set.Rand = nil // choices do not depend on it
		var asked []int
		var answers []domains.Cell
		for len(asked) < set.Budget {
			q, err := e.Next(ctx)
			if errors.Is(err, strategies.ErrDone) {
				break
			}
			if err != nil {
				return nil, err
			}
			k := len(asked)
			out = append(out, rl.Example{Setting: set, Asked: asked[:k:k], Answers: answers[:k:k], Question: q.Position})
			cell := env.Answer(part, i, q.Position)
			asked, answers = append(asked, q.Position), append(answers, cell)
			e.Observe(q, domains.Answer{Cell: cell})
		}
	}
	return out, nil
}

// unseen counts the histories held out that are in no example that was learned from,
// each once, and the share of them in which the policy's likeliest question is the one
// that was asked; the share of none is undefined.
func unseen(ctx context.Context, policy *rl.Policy, learn, held []rl.Example) (int, record.Float, error) {
	seen := make(map[string]bool, len(learn))
	for i := range learn {
		seen[history(&learn[i])] = true
	}
	n, right := 0, 0
	self := rl.Strategy{Policies: map[int]*rl.Policy{0: policy}}
	for i := range held {
		x := &held[i]
		key := history(x)
		if seen[key] {
			continue
		}
		seen[key] = true
		set := x.Setting
		set.Seed = 0
		e := self.Begin(set)
		for j, pos := range x.Asked {
			e.Observe(domains.Question{Position: pos}, domains.Answer{Cell: x.Answers[j]})
		}
		q, err := e.Next(ctx)
		if err != nil {
			return 0, 0, err
		}
		n++
		if q.Position == x.Question {
			right++
		}
	}
	if n == 0 {
		return 0, record.Float(math.NaN()), nil
	}
	return n, rounded(float64(right) / float64(n)), nil
}

// history is what an adaptive strategy's choice follows from: what the task admits and
// may be asked, and the answers so far. Tasks that admit the same are alike to it.
func history(x *rl.Example) string {
	b := make([]byte, 0, 256)
	for i, c := range x.Setting.Task.Criteria {
		if x.Setting.CanAsk(i) {
			b = strconv.AppendInt(b, int64(c), 10)
		}
		b = append(b, ' ')
	}
	for i, pos := range x.Asked {
		b = append(b, '|')
		b = strconv.AppendInt(b, int64(pos), 10)
		b = append(b, ' ')
		b = append(b, x.Answers[i].String()...)
	}
	return string(b)
}
