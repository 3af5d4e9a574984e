package pep

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"pepbench/domains"
	"pepbench/strategies"
)

// twinDraws is the number of users drawn from the belief over whom a twin
// averages.
const twinDraws = 128

// Twin is the static twin of the adaptive strategy with the same rule: one order
// for everybody, built greedily,
//
//	q_{t+1} = argmax_c mean_u score(c | u's own answers to q_1..q_t)
//
// over users u drawn from the belief: each answers one question after another,
// drawn from the belief's predictive distribution given its earlier answers. No
// profile is looked at. With a stopping rule the order ends for everybody where
// no question is worth its price on average. Orders are made when first needed, as
// far as needed, and are the same however that happens.
type Twin struct {
	rule Rule
	seed uint64

	mu     sync.Mutex
	orders map[string]*twinOrder // by the task's criteria
}

// NewTwin gives the twin of a strategy with the rule.
func NewTwin(r Rule, seed uint64) *Twin {
	return &Twin{rule: r, seed: seed, orders: make(map[string]*twinOrder)}
}

var _ strategies.Order = (*Twin)(nil)

type twinOrder struct {
	mu    sync.Mutex
	users []*Turn
	asked []bool
	order []int
	ended bool
}

// At implements strategies.Order.
func (t *Twin) At(s *strategies.Setting, n int) (int, bool) {
	if n >= len(s.Criteria) {
		return 0, false
	}
	key := string(newHistory(&strategies.Setting{Task: domains.Task{Criteria: s.Task.Criteria}}))
	t.mu.Lock()
	o := t.orders[key]
	if o == nil {
		o = &twinOrder{}
		t.orders[key] = o
	}
	t.mu.Unlock()

	o.mu.Lock()
	defer o.mu.Unlock()
	if o.users == nil {
		o.begin(t, key, s)
	}
	for len(o.order) <= n && !o.ended {
		o.extend(&t.rule)
	}
	if n >= len(o.order) {
		return 0, false
	}
	return o.order[n], true
}

func (o *twinOrder) begin(t *Twin, key string, s *strategies.Setting) {
	o.asked = make([]bool, len(s.Criteria))
	o.users = make([]*Turn, twinDraws)
	first := t.rule.Model.Start(s.Task.Criteria)
	for i := range o.users {
		o.users[i] = NewTurn(first.Clone(), s.Criteria, rand.New(rand.NewPCG(t.seed, domains.Hash("twin", key)+uint64(i))))
	}
}

// extend appends one question and lets every drawn user answer it.
func (o *twinOrder) extend(r *Rule) {
	n := len(o.asked)
	candidate := make([]bool, n)
	for i := range candidate {
		candidate[i] = !o.asked[i]
	}
	users := o.users
	if len(o.order) == 0 && !r.memoless() {
		users = users[:1] // nobody has answered anything: all are alike
	}
	for _, u := range users {
		copy(u.Candidate, candidate)
		copy(u.Asked, o.asked)
	}
	var mean []float64
	if l, ok := r.Acquisition.(lookahead); ok { // everybody looks at the same beam
		first := average(users, l.Acquisition.Score)
		beam := slices.Clone(l.beam(users[0], first))
		mean = average(users, func(dst []float64, u *Turn) {
			for i := range dst {
				dst[i] = math.Inf(-1)
			}
			for _, i := range beam {
				dst[i] = first[i] + l.ahead(u, i)
			}
		})
	} else {
		mean = average(users, r.Acquisition.Score)
	}
	if r.Stop != nil {
		worth := mean
		if r.Stop.By != nil {
			worth = average(users, r.Stop.By.Score)
		}
		if r.Stop.enough(worth, candidate) {
			o.ended = true
			return
		}
	}
	q := choose(mean, candidate, r.width())
	o.order = append(o.order, q)
	o.asked[q] = true
	for _, u := range o.users {
		u.Belief.Observe(q, u.Belief.Draw(u.Rand, q))
	}
}

// average gives the mean score of every candidate over users.
func average(users []*Turn, score func([]float64, *Turn)) []float64 {
	mean, own := make([]float64, len(users[0].Asked)), make([]float64, len(users[0].Asked))
	for _, u := range users {
		score(own, u)
		for i, ok := range u.Candidate {
			if ok {
				mean[i] += own[i] / float64(len(users))
			}
		}
	}
	return mean
}
