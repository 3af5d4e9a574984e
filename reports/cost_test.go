package reports

import (
	"encoding/json"
	"testing"

	"pepbench/bench/record"
)

// TestCost adds up calls by row and role, at the prices of the manifest.
func TestCost(t *testing.T) {
	calls := func(role string, n, in, out, uncounted int) record.RoleCalls {
		return record.RoleCalls{Role: role, Calls: n, TokensIn: in, TokensOut: out, Uncounted: uncounted}
	}
	price := func(role string, in, out float64) record.Endpoint {
		return record.Endpoint{Role: role, Model: "m", Price: &record.Price{In: in, Out: out}}
	}
	of := func(calls ...record.RoleCalls) record.Session { return record.Session{Calls: calls} }
	failed := of(calls("solver", 1, 100, 10, 0))
	failed.Error = "user is out"
	for _, row := range []struct {
		reason    string
		sessions  []record.Session
		endpoints []record.Endpoint
		want      string // as on disk; empty: nil
	}{
		{"no session", nil, nil, ""},
		{"no model was called", []record.Session{of(), of()}, []record.Endpoint{price("solver", 1, 2)}, ""},
		{"a role without a call is none", []record.Session{of(calls("solver", 0, 0, 0, 0))}, nil, ""},
		{
			"two roles, the solver first",
			[]record.Session{of(calls("judge", 3, 1000, 20, 0), calls("solver", 1, 500, 200, 0)), of(calls("judge", 2, 1000, 30, 0))},
			[]record.Endpoint{price("judge", 2, 10), price("solver", 1, 4)},
			`{"sessions":2,"failed":0,"calls":6,"tokens_in":2500,"tokens_out":250,"uncounted":0,"dollars":0.0058,"roles":[` +
				`{"role":"solver","calls":1,"tokens_in":500,"tokens_out":200,"uncounted":0,"dollars":0.0013},` +
				`{"role":"judge","calls":5,"tokens_in":2000,"tokens_out":50,"uncounted":0,"dollars":0.0045}]}`,
		},
		{
			"the calls of a session that failed were made, too",
			[]record.Session{of(calls("solver", 1, 100, 10, 0)), failed},
			[]record.Endpoint{price("solver", 1, 10)},
			`{"sessions":2,"failed":1,"calls":2,"tokens_in":200,"tokens_out":20,"uncounted":0,"dollars":0.0004,"roles":[` +
				`{"role":"solver","calls":2,"tokens_in":200,"tokens_out":20,"uncounted":0,"dollars":0.0004}]}`,
		},
		{
			"without the price of one role the sum is not known",
			[]record.Session{of(calls("judge", 1, 100, 10, 0), calls("solver", 1, 100, 10, 0))},
			[]record.Endpoint{{Role: "judge"}, price("solver", 1, 10)},
			`{"sessions":1,"failed":0,"calls":2,"tokens_in":200,"tokens_out":20,"uncounted":0,"dollars":null,"roles":[` +
				`{"role":"solver","calls":1,"tokens_in":100,"tokens_out":10,"uncounted":0,"dollars":0.0002},` +
				`{"role":"judge","calls":1,"tokens_in":100,"tokens_out":10,"uncounted":0,"dollars":null}]}`,
		},
		{
			"nor where the tokens of a call are missing",
			[]record.Session{of(calls("solver", 2, 100, 10, 1))},
			[]record.Endpoint{price("solver", 1, 10)},
			`{"sessions":1,"failed":0,"calls":2,"tokens_in":100,"tokens_out":10,"uncounted":1,"dollars":null,"roles":[` +
				`{"role":"solver","calls":2,"tokens_in":100,"tokens_out":10,"uncounted":1,"dollars":null}]}`,
		},
		{
			"nor where a server says nothing of tokens",
			[]record.Session{of(calls("solver", 2, 0, 0, 0))},
			[]record.Endpoint{price("solver", 1, 10)},
			`{"sessions":1,"failed":0,"calls":2,"tokens_in":0,"tokens_out":0,"uncounted":0,"dollars":null,"roles":[` +
				`{"role":"solver","calls":2,"tokens_in":0,"tokens_out":0,"uncounted":0,"dollars":null}]}`,
		},
		{
			"a model that is free costs nothing",
			[]record.Session{of(calls("solver", 1, 100, 10, 0))},
			[]record.Endpoint{price("solver", 0, 0)},
			`{"sessions":1,"failed":0,"calls":1,"tokens_in":100,"tokens_out":10,"uncounted":0,"dollars":0,"roles":[` +
				`{"role":"solver","calls":1,"tokens_in":100,"tokens_out":10,"uncounted":0,"dollars":0}]}`,
		},
	} {
		st, r := &strategy{Strategy: record.Strategy{Predict: "answers"}}, &Run{}
		for i := range row.sessions {
			st.tally(r, &row.sessions[i])
		}
		got := ""
		if c := st.tallied.spent.cost(row.endpoints); c != nil {
			b, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			got = string(b)
		}
		if got != row.want {
			t.Errorf("%s: %s\nwant %s", row.reason, got, row.want)
		}
	}
}

// TestCostAddsUp: the rows together called as often as the roles together.
func TestCostAddsUp(t *testing.T) {
	y := synth{tasks: 2, users: 3, seeds: 1, criteria: 5, budget: 1, simulated: true, change: func(_ *record.Manifest, all *[]record.Session) {
		for i := range *all {
			(*all)[i].Calls = []record.RoleCalls{{Role: "judge", Calls: i % 5, TokensIn: i}, {Role: "solver", Calls: 2, TokensIn: 7, TokensOut: 3}}
			if i%11 == 0 {
				(*all)[i].Stop, (*all)[i].Error = record.StopError, "user is out"
			}
		}
	}}
	m := Compute(load(t, y.write(t)))
	of := map[string]int{}
	sessions, failed := 0, 0
	for i := range m.Strategies {
		r := &m.Strategies[i]
		sessions, failed = sessions+r.Cost.Sessions, failed+r.Cost.Failed
		if r.Cost.Failed != r.finalFailures {
			t.Errorf("%s: %d failed, want %d", r.Name, r.Cost.Failed, r.finalFailures)
		}
		for _, c := range r.Cost.Roles {
			of[c.Role] += c.Calls
		}
	}
	if sessions != m.Sessions.Read || failed != m.Sessions.Failed || failed == 0 || len(m.Calls) != 2 {
		t.Errorf("%d sessions, %d failed, of %+v", sessions, failed, m.Sessions)
	}
	for _, c := range m.Calls {
		if of[c.Role] != c.Calls || c.Calls == 0 {
			t.Errorf("%s: %d calls in the rows, %d in the run", c.Role, of[c.Role], c.Calls)
		}
	}
}
