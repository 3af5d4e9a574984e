package export

import (
	"fmt"
	"reflect"
	"slices"

	"pepbench/bench/record"
)

// A sessionTable makes rows of sessions; the package comment says what their columns are.
type sessionTable struct {
	columns    []column
	points     []int
	manifest   *record.Manifest
	strategies map[string]*record.Strategy
	simulated  bool
	values     []any
}

func newSessionTable(m *record.Manifest) *sessionTable {
	t := &sessionTable{manifest: m, strategies: map[string]*record.Strategy{}}
	for i := range m.Strategies {
		t.strategies[m.Strategies[i].Name] = &m.Strategies[i]
	}
	t.simulated = slices.ContainsFunc(m.Endpoints, func(e record.Endpoint) bool { return e.Simulated })
	t.points = slices.Compact(slices.Sorted(slices.Values(m.Checkpoints)))
	if len(t.points) == 0 {
		t.points = []int{m.Budget}
	}
	add := func(kind reflect.Kind, names ...string) {
		for _, n := range names {
			t.columns = append(t.columns, column{n, kind})
		}
	}
	add(reflect.String, "run", "config_hash")
	add(reflect.Bool, "simulated")
	add(reflect.String, "strategy", "base", "kind", "predict")
	add(reflect.Int64, "seed")
	add(reflect.String, "task", "user", "failed", "stop")
	add(reflect.Int64, "questions", "questions_all", "calls", "tokens_in", "tokens_out", "uncounted")
	for _, n := range t.points {
		add(reflect.Float64, fmt.Sprintf("alignment_%d", n))
		add(reflect.Bool, fmt.Sprintf("correct_%d", n))
	}
	return t
}

// row is the row of a session. It is valid until the next call.
func (t *sessionTable) row(s *record.Session) []any {
	st := t.strategies[s.Strategy]
	failed := s.Error
	if failed == "" && s.Stop == record.StopError {
		failed = "no reason recorded"
	}
	var calls, in, out, uncounted int64
	for _, c := range s.Calls {
		calls += int64(c.Calls)
		in += int64(c.TokensIn)
		out += int64(c.TokensOut)
		uncounted += int64(c.Uncounted)
	}
	var tokensIn, tokensOut any // not known where no server said any
	if calls == 0 || uncounted < calls {
		tokensIn, tokensOut = in, out
	}
	t.values = append(t.values[:0],
		t.manifest.Name, t.manifest.ConfigHash, t.simulated, st.Name, st.Base, st.Kind, st.Predict, int64(s.Seed), s.Task, s.User, failed, s.Stop,
		int64(min(len(s.Turns), t.manifest.Budget)), int64(len(s.Turns)), calls, tokensIn, tokensOut, uncounted)
	fixed := st.Kind == "none" || st.Kind == "oracle" // asks nothing and has one checkpoint
	for i, n := range t.points {
		var alignment, correct any
		if failed == "" && (i == 0 || !fixed) {
			if cp := s.Graded(n, fixed); cp != nil {
				if cp.Raw != nil {
					alignment = record.Round(record.Alignment(*cp.Raw))
				}
				if cp.Correct != nil {
					correct = *cp.Correct
				}
			}
		}
		t.values = append(t.values, alignment, correct)
	}
	return t.values
}
