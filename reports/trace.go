package reports

import (
	"cmp"
	"math"
	"slices"

	"pepbench/bench/record"
	"pepbench/domains"
)

// A trace is what one session believed, turn by turn, of the criteria that were asked and
// of those whose beliefs changed most.
type trace struct {
	Session  string         `json:"session"`
	Strategy string         `json:"strategy"`
	Task     string         `json:"task"`
	User     string         `json:"user"`
	Criteria []string       `json:"criteria"` // in the order of the session
	Truth    []domains.Cell `json:"truth"`    // of these; null missing, false not held, else the value
	Prior    []believed     `json:"prior"`    // of these
	Turns    []traceTurn    `json:"turns"`    // up to the budget
	Others   int            `json:"others"`   // criteria that are not shown
}

// A traceTurn is one question with its answer and what was believed after it.
type traceTurn struct {
	Question string       `json:"question"` // criterion; empty for none
	Answer   domains.Cell `json:"answer"`
	Beliefs  []believed   `json:"beliefs"`
}

// believed is what is believed of one criterion.
type believed struct {
	Held  Number `json:"held"`  // P(held)
	Value Number `json:"value"` // expected if held; null of a nominal one, and where it is not known
}

// mostTraced is how many criteria are kept beside those that were asked about.
const mostTraced = 8

// tracedRow names the strategy whose session is kept: the first of kind pep that predicts
// from a population, else the first other one that asks and does; empty without any.
func (r *Run) tracedRow() string {
	other := ""
	for _, s := range r.Manifest.Strategies {
		switch {
		case s.Predict == "answers" || s.Kind == kindFloor || s.Kind == kindCeiling:
		case s.Kind == kindPep:
			return s.Name
		case other == "":
			other = s.Name
		}
	}
	return other
}

// see keeps a session for the trace if it is the first by id of those that were read, and
// neither failed nor knows nothing.
func (r *Run) see(s *record.Session) {
	if s.Strategy != r.tracedRow() || s.Error != "" || s.Stop == record.StopError || len(s.Turns) == 0 || len(s.Prior.Held) == 0 {
		return
	}
	if r.traced == nil || s.ID < r.traced.Session {
		r.traced = newTrace(s, r.Manifest.Budget)
	}
}

// newTrace copies what the trace shows of a session.
func newTrace(s *record.Session, budget int) *trace {
	turns := s.Turns[:min(len(s.Turns), budget)]
	all := []*record.Inference{&s.Prior}
	for i := range turns {
		all = append(all, &turns[i].Inference)
	}
	// The sums of the changes, of P(held) first, then of values.
	n := len(s.Criteria)
	held, value := make([]float64, n), make([]float64, n)
	for i := range n {
		for t := range turns {
			a, b := beliefAt(all[t], i), beliefAt(all[t+1], i)
			if d := math.Abs(float64(b.Held - a.Held)); !math.IsNaN(d) {
				held[i] += math.Round(d*1e6) / 1e6
			}
			if d := math.Abs(float64(b.Value - a.Value)); !math.IsNaN(d) {
				value[i] += d
			}
		}
	}
	var show, rest []int
	for i := range n {
		if slices.ContainsFunc(turns, func(t record.Turn) bool { return t.Question == i }) {
			show = append(show, i)
		} else {
			rest = append(rest, i)
		}
	}
	slices.SortStableFunc(rest, func(a, b int) int {
		return cmp.Or(cmp.Compare(held[b], held[a]), cmp.Compare(value[b], value[a]))
	})
	show = append(show, rest[:min(len(rest), mostTraced)]...)
	slices.Sort(show)

	out := &trace{Session: s.ID, Strategy: s.Strategy, Task: s.Task, User: s.User, Others: n - len(show)}
	beliefs := func(f *record.Inference) (of []believed) {
		for _, i := range show {
			of = append(of, beliefAt(f, i))
		}
		return of
	}
	for _, i := range show {
		out.Criteria, out.Truth = append(out.Criteria, s.Criteria[i]), append(out.Truth, s.Truth.Cells[i])
	}
	out.Prior = beliefs(&s.Prior)
	for i := range turns {
		t := traceTurn{Answer: turns[i].Answer, Beliefs: beliefs(&turns[i].Inference)}
		if q := turns[i].Question; q >= 0 {
			t.Question = s.Criteria[q]
		}
		out.Turns = append(out.Turns, t)
	}
	return out
}

// beliefAt is what an inference says of a criterion.
func beliefAt(f *record.Inference, i int) believed {
	out := believed{undefined(), undefined()}
	if i < len(f.Held) {
		out.Held = Number(f.Held[i])
	}
	if i < len(f.Value) {
		out.Value = Number(f.Value[i])
	}
	return out
}
