package pep

import (
	"context"
	"encoding/binary"
	"math"
	"slices"

	"pepbench/domains"
	"pepbench/strategies"
	"pepbench/strategies/belief"
)

// Top is the number of acquisition scores kept for the record of a question.
const Top = 5

// A Rule says how questions are chosen and when to stop.
type Rule struct {
	Model       belief.Model
	Acquisition Acquisition
	Stop        *Stop // nil: when nothing is left to ask; the caller keeps the budget
	// Exact lets the largest score win by however little, as the released code does;
	// otherwise scores within 1e-12 count as equal. The lowest position wins ties.
	Exact bool
}

// A Stop ends a session when no question is worth its price: when the largest score
// of By among the candidates is below Least. By alignment-gain, Least is the price of
// a question in points of alignment.
type Stop struct {
	By    Acquisition // nil: the rule's own acquisition
	Least float64
}

// Check says whether the rule is defined on a task that admits the given criteria
// of data; the error wraps ErrUndefined.
func (r *Rule) Check(data []domains.Criterion, criteria []int) error {
	b := r.Model.Start(criteria)
	own := make([]domains.Criterion, len(criteria))
	for i, c := range criteria {
		own[i] = data[c]
	}
	if err := r.Acquisition.Check(b, own); err != nil {
		return err
	}
	if r.Stop != nil && r.Stop.By != nil {
		return r.Stop.By.Check(b, own)
	}
	return nil
}

func (r *Rule) width() float64 {
	if r.Exact {
		return 0
	}
	return tieWidth
}

// memoless reports whether picks depend on more than the history.
func (r *Rule) memoless() bool {
	_, drawn := r.Acquisition.(random)
	return drawn
}

// enough reports whether no candidate is worth its price.
func (s *Stop) enough(worth []float64, candidate []bool) bool {
	for i, ok := range candidate {
		if ok && worth[i] >= s.Least {
			return false
		}
	}
	return true
}

// Strategy asks, at every turn, the question with the largest acquisition score
// under the belief given all answers so far. The belief it asks by need not be the
// one it predicts with. Make one with New.
type Strategy struct {
	rule    Rule
	predict strategies.Predict
	memo    *memo
}

// New gives a strategy. A nil predict leaves the inference at what was told.
func New(r Rule, predict strategies.Predict) *Strategy {
	s := &Strategy{rule: r, predict: predict}
	if !r.memoless() {
		s.memo = &memo{}
	}
	return s
}

// Begin implements strategies.Strategy.
func (p *Strategy) Begin(s strategies.Setting) strategies.Elicitor {
	return &elicitor{
		strategy:  p,
		setting:   s,
		turn:      NewTurn(p.rule.Model.Start(s.Task.Criteria), s.Criteria, s.Rand),
		predictor: p.predict.Begin(s),
		history:   newHistory(&s),
	}
}

type elicitor struct {
	strategy  *Strategy
	setting   strategies.Setting
	turn      *Turn
	predictor strategies.Predictor
	history   []byte
	last      choice
}

// choice is what was picked after a history; position -1 is to stop.
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
	t, rule := e.turn, &e.strategy.rule
	score := make([]float64, len(t.Asked))
	for i := range t.Candidate {
		t.Candidate[i] = !t.Asked[i] && e.setting.CanAsk(i)
	}
	rule.Acquisition.Score(score, t)
	c := choice{position: choose(score, t.Candidate, rule.width())}
	if c.position >= 0 && rule.Stop != nil {
		worth := score
		if rule.Stop.By != nil {
			worth = make([]float64, len(score))
			rule.Stop.By.Score(worth, t)
		}
		if rule.Stop.enough(worth, t.Candidate) {
			c.position = -1
		}
	}
	for i, ok := range t.Candidate {
		if ok && !math.IsInf(score[i], -1) {
			c.top = append(c.top, strategies.Scored{Position: i, Score: score[i]})
		}
	}
	slices.SortStableFunc(c.top, func(a, b strategies.Scored) int { return descending(a.Score, b.Score) })
	c.top = slices.Clone(c.top[:min(Top, len(c.top))])
	return c
}

// Observe implements strategies.Elicitor.
func (e *elicitor) Observe(q domains.Question, a domains.Answer) {
	e.turn.Asked[q.Position] = true
	e.turn.Belief.Observe(q.Position, a.Cell)
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

var (
	_ strategies.Strategy = (*Strategy)(nil)
	_ strategies.Scorer   = (*elicitor)(nil)
)
