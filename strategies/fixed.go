package strategies

import (
	"context"
	"math/rand/v2"

	"pepbench/domains"
)

// None asks nothing: the floor of every comparison.
type None struct{ Predict Predict }

// Begin implements Strategy.
func (n None) Begin(s Setting) Elicitor {
	w := newWalker(s, n.Predict)
	w.at = func(int) (int, bool) { return 0, false }
	return w
}

// Oracle asks nothing and is told the true profile: the ceiling.
type Oracle struct{}

// Begin implements Strategy.
func (Oracle) Begin(s Setting) Elicitor { return &oracle{told: Predict(nil).Begin(s)} }

type oracle struct{ told Predictor }

// Reveal implements Revealer.
func (o *oracle) Reveal(p domains.Profile) {
	for i, c := range p.Cells {
		o.told.Observe(i, c)
	}
}

func (o *oracle) Next(context.Context) (domains.Question, error) {
	return domains.Question{}, ErrDone
}

func (o *oracle) Observe(domains.Question, domains.Answer) {}

func (o *oracle) Infer() domains.Inference { return o.told.Infer() }

// An Order is one fixed sequence of questions for everybody who meets a task.
type Order interface {
	// At gives the n-th position to ask (n from 0), or false at the end of the
	// order. It depends on the setting's task and criteria, never on the user.
	At(s *Setting, n int) (position int, ok bool)
}

// Static asks in a fixed order, whatever is answered. Positions that cannot be
// asked, or that the order names again, are skipped.
type Static struct {
	Order   Order
	Predict Predict
}

// Begin implements Strategy.
func (f Static) Begin(s Setting) Elicitor {
	w := newWalker(s, f.Predict)
	w.at = func(n int) (int, bool) { return f.Order.At(&w.setting, n) }
	return w
}

// RandomOrders is the number of orders that Random draws for a task: few enough
// that users share orders, so that its follow-up adaptivity can be measured.
const RandomOrders = 20

// Random asks in one of RandomOrders random orders of the task; a hash of the
// user picks which. The orders are seeded by (seed, task, order).
type Random struct{ Predict Predict }

// Begin implements Strategy.
func (r Random) Begin(s Setting) Elicitor {
	// Drawn, not taken modulo: low bits of the hash of ids that differ in a digit
	// are far from uniform.
	order := rand.New(rand.NewPCG(domains.Hash("order of user", s.User), 0)).Uint64N(RandomOrders)
	rng := rand.New(rand.NewPCG(uint64(s.Seed), domains.Hash("random order", s.Task.ID)+order))
	perm := rng.Perm(len(s.Criteria))
	w := newWalker(s, r.Predict)
	w.at = func(n int) (int, bool) {
		if n >= len(perm) {
			return 0, false
		}
		return perm[n], true
	}
	return w
}

// Listed is the order of an explicit list; what is not listed is not asked.
type Listed []int // indices into Dataset.Criteria

// At implements Order. Listed criteria that the task does not admit are left out.
func (l Listed) At(s *Setting, n int) (int, bool) {
	for _, c := range l {
		for i, have := range s.Task.Criteria {
			if have == c {
				if n == 0 {
					return i, true
				}
				n--
				break
			}
		}
	}
	return 0, false
}

// walker asks along a sequence that no answer changes.
type walker struct {
	setting   Setting
	predictor Predictor
	at        func(n int) (int, bool)
	n         int
	asked     []bool // an order may name a position again
}

func newWalker(s Setting, p Predict) *walker {
	return &walker{setting: s, predictor: p.Begin(s), asked: make([]bool, len(s.Criteria))}
}

func (w *walker) Next(context.Context) (domains.Question, error) {
	for {
		i, ok := w.at(w.n)
		if !ok {
			return domains.Question{}, ErrDone
		}
		w.n++
		if w.setting.CanAsk(i) && !w.asked[i] {
			w.asked[i] = true
			return Ask(&w.setting, i), nil
		}
	}
}

func (w *walker) Observe(q domains.Question, a domains.Answer) {
	w.predictor.Observe(q.Position, a.Cell)
}

func (w *walker) Infer() domains.Inference { return w.predictor.Infer() }

var (
	_ Strategy = None{}
	_ Strategy = Oracle{}
	_ Strategy = Static{}
	_ Strategy = Random{}
	_ Revealer = (*oracle)(nil)
	_ Order    = Listed(nil)
)
