package pep

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"sync"

	"pepbench/domains"
	"pepbench/strategies"
	"pepbench/strategies/belief"
)

// Top is the number of acquisition scores kept for the record of a question.
const Top = 5

// Strategy asks, at every turn, the question with the largest acquisition score
// under the belief given all answers so far. The belief it asks by need not be the
// one it predicts with. Make one with New.
type Strategy struct {
	model       belief.Model
	acquisition Acquisition
	predict     strategies.Predict
	memo        *memo
}

// New gives a strategy. A nil predict leaves the inference at what was told.
func New(m belief.Model, a Acquisition, predict strategies.Predict) *Strategy {
	return &Strategy{model: m, acquisition: a, predict: predict, memo: &memo{}}
}

// Begin implements strategies.Strategy.
func (p *Strategy) Begin(s strategies.Setting) strategies.Elicitor {
	return &elicitor{
		strategy:  p,
		setting:   s,
		belief:    p.model.Start(s.Task.Criteria),
		predictor: p.predict.Begin(s),
		asked:     make([]bool, len(s.Criteria)),
		history:   newHistory(&s),
	}
}

type elicitor struct {
	strategy  *Strategy
	setting   strategies.Setting
	belief    belief.Belief
	predictor strategies.Predictor
	asked     []bool
	history   []byte
	last      choice
}

// choice is what was picked after a history.
type choice struct {
	position int
	top      []strategies.Scored
}

// Next implements strategies.Elicitor.
func (e *elicitor) Next(ctx context.Context) (domains.Question, error) {
	if err := ctx.Err(); err != nil {
		return domains.Question{}, err
	}
	c, ok := e.strategy.memo.get(e.history)
	if !ok {
		c = e.pick()
		e.strategy.memo.put(e.history, c)
	}
	e.last = c
	if c.position < 0 {
		return domains.Question{}, strategies.ErrDone
	}
	return strategies.Ask(&e.setting, c.position), nil
}

func (e *elicitor) pick() choice {
	n := len(e.asked)
	score, candidate := make([]float64, n), make([]bool, n)
	for i := range candidate {
		candidate[i] = !e.asked[i] && e.setting.CanAsk(i)
	}
	e.strategy.acquisition.Score(score, e.belief, candidate, e.asked, new(Scratch))
	c := choice{position: choose(score, candidate)}
	for i := range score {
		if candidate[i] {
			c.top = append(c.top, strategies.Scored{Position: i, Score: score[i]})
		}
	}
	slices.SortStableFunc(c.top, func(a, b strategies.Scored) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	c.top = slices.Clone(c.top[:min(Top, len(c.top))])
	return c
}

// Observe implements strategies.Elicitor.
func (e *elicitor) Observe(q domains.Question, a domains.Answer) {
	e.asked[q.Position] = true
	e.belief.Observe(q.Position, a.Cell)
	e.predictor.Observe(q.Position, a.Cell)
	e.history = binary.AppendUvarint(e.history, uint64(q.Position))
	v := math.NaN()
	switch {
	case a.Cell.IsHeld():
		v = a.Cell.Value()
	case a.Cell.IsNotHeld():
		v = math.Inf(-1)
	}
	e.history = binary.LittleEndian.AppendUint64(e.history, math.Float64bits(v))
}

// Infer implements strategies.Elicitor.
func (e *elicitor) Infer() domains.Inference { return e.predictor.Infer() }

// Top implements strategies.Scorer.
func (e *elicitor) Top(n int) []strategies.Scored {
	return e.last.top[:min(n, len(e.last.top))]
}

// newHistory begins the key of a session's history: what may be asked of which
// criteria.
func newHistory(s *strategies.Setting) []byte {
	var h []byte
	for i, c := range s.Task.Criteria {
		v := uint64(c) << 1
		if s.CanAsk(i) {
			v |= 1
		}
		h = binary.AppendUvarint(h, v)
	}
	return append(h, '|')
}

// memo keeps what was picked after a history: many users answer the first
// questions alike, and every counterfactual repeats its session. A pick depends on
// the history alone, so the memo changes nothing but time. It stops growing at
// memoLimit entries.
type memo struct {
	mu sync.RWMutex
	m  map[string]choice
}

const memoLimit = 1 << 16

func (m *memo) get(history []byte) (choice, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	c, ok := m.m[string(history)]
	return c, ok
}

func (m *memo) put(history []byte, c choice) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.m == nil {
		m.m = make(map[string]choice)
	}
	if len(m.m) < memoLimit {
		m.m[string(history)] = c
	}
}

var (
	_ strategies.Strategy = (*Strategy)(nil)
	_ strategies.Scorer   = (*elicitor)(nil)
)
