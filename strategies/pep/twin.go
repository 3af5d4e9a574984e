package pep

import (
	"math/rand/v2"
	"sync"

	"pepbench/domains"
	"pepbench/strategies"
	"pepbench/strategies/belief"
)

// TwinDraws is the number of users drawn from the belief over whom a twin
// averages.
const TwinDraws = 128

// Twin is the static twin of the adaptive strategy with the same belief and
// acquisition: one order for everybody, built greedily,
//
//	q_{t+1} = argmax_c mean_u score(c | u's own answers to q_1..q_t)
//
// over users u drawn from the belief: each answers one question after another,
// drawn from the belief's predictive distribution given its earlier answers. No
// profile is looked at. Orders are made when first needed, as far as needed, and
// are the same however that happens.
type Twin struct {
	model       belief.Model
	acquisition Acquisition
	seed        uint64

	mu     sync.Mutex
	orders map[string]*twinOrder // by the task's criteria
}

// NewTwin gives the twin of a strategy made of m and a.
func NewTwin(m belief.Model, a Acquisition, seed uint64) *Twin {
	return &Twin{model: m, acquisition: a, seed: seed, orders: make(map[string]*twinOrder)}
}

var _ strategies.Order = (*Twin)(nil)

type twinOrder struct {
	mu    sync.Mutex
	users []twinUser
	asked []bool
	order []int
}

type twinUser struct {
	belief belief.Belief
	rng    *rand.Rand
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
		o.begin(t, key, s.Task.Criteria)
	}
	for len(o.order) <= n {
		o.extend(t.acquisition)
	}
	return o.order[n], true
}

func (o *twinOrder) begin(t *Twin, key string, criteria []int) {
	o.asked = make([]bool, len(criteria))
	o.users = make([]twinUser, TwinDraws)
	first := t.model.Start(criteria)
	for i := range o.users {
		o.users[i] = twinUser{first.Clone(), rand.New(rand.NewPCG(t.seed, domains.Hash("twin", key)+uint64(i)))}
	}
}

// extend appends one question and lets every drawn user answer it.
func (o *twinOrder) extend(a Acquisition) {
	n := len(o.asked)
	mean, score, candidate := make([]float64, n), make([]float64, n), make([]bool, n)
	for i := range candidate {
		candidate[i] = !o.asked[i]
	}
	scratch := new(Scratch)
	users := o.users
	if len(o.order) == 0 {
		users = users[:1] // nobody has answered anything: all are alike
	}
	for _, u := range users {
		a.Score(score, u.belief, candidate, o.asked, scratch)
		for i := range mean {
			mean[i] += score[i] / float64(len(users))
		}
	}
	q := choose(mean, candidate)
	o.order = append(o.order, q)
	o.asked[q] = true
	for _, u := range o.users {
		u.belief.Observe(q, u.belief.Draw(u.rng, q))
	}
}
