package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pepbench/bench/record"
	"pepbench/domains"
)

// spoken is a run of two tasks with one user each, of which two sessions of one way to
// ask were talked; the true profile is 4, not held, 2, 5, not held.
func spoken(first, second []record.Turn, stops [2]string) synth {
	return synth{tasks: 2, users: 1, seeds: 1, criteria: 5, budget: 3, horizon: 6, change: func(m *record.Manifest, all *[]record.Session) {
		m.Endpoints = []record.Endpoint{{Role: "user", Model: "u", Simulated: true}, {Role: "interpreter", Model: "i"}}
		m.Strategies = []record.Strategy{{Name: "none", Kind: "none", Predict: "answers"}, {Name: "talker", Base: "talker", Kind: "asker", Predict: "answers"}}
		m.Report.TargetOf, m.Report.Reference = "", ""
		talked := [][]record.Turn{first, second}
		var out []record.Session
		for _, s := range *all {
			switch s.Strategy {
			case "static+answers":
				s.Strategy, s.ID, s.Turns, s.Stop = "talker", "talker/1/"+s.Task+"/"+s.User, talked[0], stops[0]
				talked, stops[0] = talked[1:], stops[1]
				s.Truth.Cells = []domains.Cell{domains.At(4), domains.NotHeld(), domains.At(2), domains.At(5), domains.NotHeld()}
				for i := range s.Turns {
					s.Turns[i].Inference = s.Prior
				}
				out = append(out, s)
			case "none":
				out = append(out, s)
			}
		}
		*all, m.Sessions = out, len(out)
	}}
}

// TestFidelity: every number against one that was counted by hand.
func TestFidelity(t *testing.T) {
	at, not, no := domains.At, domains.NotHeld(), domains.Missing()
	first := []record.Turn{
		{Question: 0, Answer: at(4), By: "rule", Again: []domains.Cell{at(4)}},                                                                                             // right
		{Question: 1, Answer: at(3), By: "model", Again: []domains.Cell{not}, Volunteered: []record.Volunteered{{Position: 2, Cell: at(2)}, {Position: 3, Cell: at(1)}}},   // wrong in held; two leaks
		{Question: -1, Answer: no, Volunteered: []record.Volunteered{{Position: 2, Cell: at(2)}}},                                                                          // an open question: no leak
		{Question: 2, Answer: at(5), By: "model", Again: []domains.Cell{at(4)}, Volunteered: []record.Volunteered{{Position: 0, Cell: at(4)}, {Position: 4, Cell: at(4)}}}, // wrong by three; one had been asked, the other is not held
	}
	second := []record.Turn{
		{Question: 4, Answer: not, By: "rule", State: record.StateIndifferent},                         // right
		{Question: 3, Answer: no, By: "model", State: record.StateAside, Again: []domains.Cell{at(5)}}, // nothing
		{Question: 0, Answer: no, State: record.StateUnread},
		{Question: 2, Answer: no, By: "rule", State: record.StateStop},
	}
	m := Compute(load(t, spoken(first, second, [2]string{record.StopBudget, record.StopUser}).write(t)))
	f := m.Fidelity
	if f == nil || f.User != "u" || f.Interpreter != "i" || f.Audited != 4 || len(f.Strategies) != 1 || len(f.Criteria) != 5 {
		t.Fatalf("%+v", f)
	}
	a := f.All
	if got, want := [...]int{a.Questions, a.NoCriterion, a.Told, a.Indifferent, a.Aside, a.Unread, a.Stop, a.ByRule, a.ByModel, a.Stopped}, [...]int{7, 1, 3, 1, 1, 1, 1, 3, 3, 1}; got != want {
		t.Errorf("counts %v, want %v", got, want)
	}
	nan := math.NaN()
	for _, row := range []struct {
		reason       string
		got          Estimate
		value        float64
		n, undefined int
	}{
		{"four of seven were answered", a.Answered, 4. / 7, 7, 0},
		{"two of four answers are right", a.Agreement, 2. / 4, 4, 3},
		{"three of four are right in held", a.Held, 3. / 4, 4, 3},
		{"one of two held by both has the right level", a.Level, 1. / 2, 2, 0},
		{"off by 0 and by 3", a.LevelMAE, 3. / 2, 2, 0},
		{"both of the rules are right", a.OfRule, 1, 2, 0},
		{"none of the model's", a.OfModel, 0, 2, 0},
		{"one of seven leaks", a.Leak, 1. / 7, 7, 0},
		{"it leaks two", a.LeakMean, 2. / 7, 7, 0},
		{"the user stopped at what it holds", a.StopUnanswered, 1, 1, 0},
		{"and had not told what it holds", a.StopEarly, 1, 1, 0},
		{"one of three audited flips in held", a.HeldFlips, 1. / 3, 3, 1},
		{"one of two in level", a.LevelFlips, 1. / 2, 2, 2},
		{"of criterion 0 one of one answer is right", f.Criteria[0].Agreement, 1, 1, 1},
		{"of criterion 3 there is no answer", f.Criteria[3].Agreement, nan, 0, 1},
		{"of a criterion there are no stops", f.Criteria[0].StopEarly, nan, 0, 0},
		{"one of eight questions is about nothing", m.Strategies[1].Asking.Unplaced, 1. / 8, 8, 0},
	} {
		if v := float64(row.got.Value); math.Abs(v-row.value) > 1e-9 || math.IsNaN(v) != math.IsNaN(row.value) || row.got.N != row.n || row.got.Undefined != row.undefined {
			t.Errorf("%s: %v of %d, %d undefined; want %v of %d, %d", row.reason, row.got.Value, row.got.N, row.got.Undefined, row.value, row.n, row.undefined)
		}
	}
	if lo, hi := a.Answered.Lo, a.Answered.Hi; a.Answered.Clusters != 2 || lo != 1./4 || hi != 1 {
		t.Errorf("the interval over two tasks is [%v, %v]", lo, hi)
	}
	if got := f.Strategies[0]; got.Of != "talker" || got.Agreement != a.Agreement {
		t.Errorf("the only strategy: %+v", got)
	}
	for _, want := range []string{"low fidelity: what was understood", "50.0% of 4 answers", "57.1% of 7 questions were answered", "not asked about at 14.3% of 7", "of 1 sessions that users ended, 100.0%", "talker: 12.5% of its 8 questions"} {
		if !slices.ContainsFunc(m.Warnings, func(w string) bool { return strings.Contains(w, want) }) {
			t.Errorf("no warning has %q: %q", want, m.Warnings)
		}
	}
	files, err := Tables(m)
	if err != nil {
		t.Fatal(err)
	}
	var md, csv string
	for _, f := range files {
		switch f.Path {
		case "tables/fidelity.md":
			md = string(f.Data)
		case "tables/fidelity.csv":
			csv = string(f.Data)
		}
	}
	for _, want := range []string{"User: embedded simulator", "played by u and understood by rules or by i", "told 3, no preference 1, beside the point 1, unreadable 1, stop 1", "| all | 7 | 57.1 |"} {
		if !strings.Contains(md, want) {
			t.Errorf("the table does not have %q:\n%s", want, md)
		}
	}
	for _, want := range []string{"all,,agreement,0.5,0.333333,1,4,3,2\n", "criterion,c03,agreement,,,,0,1,0\n", "strategy,talker,no_criterion,1,,,7,,\n"} {
		if !strings.Contains(csv, want) {
			t.Errorf("the CSV file does not have %q:\n%s", want, csv)
		}
	}
}

// TestFaithful: users who are understood are not warned of, and runs with users of
// another kind have no such section.
func TestFaithful(t *testing.T) {
	right := []record.Turn{{Question: 0, Answer: domains.At(4), By: "rule"}, {Question: 2, Answer: domains.At(2), By: "rule"}, {Question: 3, Answer: domains.At(5), By: "rule"}}
	m := Compute(load(t, spoken(right, slices.Clone(right), [2]string{record.StopUser, record.StopUser}).write(t)))
	if a := m.Fidelity.All; a.Agreement.Value != 1 || a.StopEarly.Value != 0 || a.StopUnanswered.Value != 0 || a.Stopped != 2 {
		t.Errorf("%+v", a)
	}
	for _, w := range m.Warnings {
		if strings.Contains(w, "fidelity") {
			t.Errorf("warned of: %s", w)
		}
	}
	m = Compute(load(t, synth{tasks: 2, users: 2, seeds: 1, criteria: 5, budget: 2}.write(t)))
	if m.Fidelity != nil || len(fidelityTable(m).groups) != 0 {
		t.Error("users who answer in cells have a fidelity")
	}
	for _, r := range m.Strategies {
		if r.Asking != nil {
			t.Errorf("%s lets a model ask", r.Name)
		}
	}
}

// TestQuestionsAboutNothing: positions of -1 are read, count as questions, and as one
// and the same in adaptivity; they are no stop. Others below 0 are refused.
func TestQuestionsAboutNothing(t *testing.T) {
	turn := func(q int, c domains.Cell) record.Turn { return record.Turn{Question: q, Answer: c} }
	path := func(turns ...record.Turn) []record.Turn { return turns }
	for _, row := range []struct {
		reason        string
		a, b          []record.Turn
		pairs, differ int64
		early         int64
	}{
		{"one goes on with a criterion, one with nothing", path(turn(0, domains.At(4)), turn(1, domains.NotHeld())), path(turn(0, domains.NotHeld()), turn(-1, domains.Missing())), 1, 1, 0},
		{"both go on with nothing", path(turn(0, domains.At(4)), turn(-1, domains.Missing())), path(turn(0, domains.NotHeld()), turn(-1, domains.Missing())), 1, 0, 0},
		{"one stops, one goes on with nothing", path(turn(0, domains.At(4))), path(turn(0, domains.NotHeld()), turn(-1, domains.Missing())), 1, 1, 1},
		{"after nothing the answers are alike", path(turn(-1, domains.Missing()), turn(0, domains.At(4))), path(turn(-1, domains.Missing()), turn(1, domains.At(4))), 0, 0, 0},
	} {
		y := spoken(row.a, row.b, [2]string{record.StopBudget, record.StopBudget})
		one := y.change
		y.change = func(m *record.Manifest, all *[]record.Session) {
			one(m, all)
			n := 0
			for i := range *all {
				if s := &(*all)[i]; s.Strategy == "talker" { // two users of one task
					s.Task, s.User = "task-00", fmt.Sprint("user-", n)
					n++
				}
			}
		}
		m := Compute(load(t, y.write(t)))
		a := m.Strategies[1].Adaptivity
		if a.Pairs != row.pairs || a.Differing != row.differ || a.EarlyStops != row.early {
			t.Errorf("%s: %d pairs, %d differ, %d early stops", row.reason, a.Pairs, a.Differing, a.EarlyStops)
		}
		if got := float64(m.Strategies[1].Interactions.Value); got != float64(len(row.a)+len(row.b))/2 {
			t.Errorf("%s: %v questions were asked", row.reason, got)
		}
	}
	for _, row := range []struct {
		reason string
		turn   record.Turn
		want   string
	}{
		{"a question below -1", turn(-2, domains.Missing()), "turn 1 asks position -2 of 5 criteria"},
		{"something volunteered of no criterion", record.Turn{Question: 0, Volunteered: []record.Volunteered{{Position: 5, Cell: domains.At(1)}}}, "turn 1 volunteers position 5 of 5 criteria"},
	} {
		r := load(t, spoken(path(row.turn), path(turn(0, domains.At(1))), [2]string{}).write(t))
		if !slices.ContainsFunc(r.warnings, func(w string) bool { return strings.Contains(w, row.want) }) {
			t.Errorf("%s: %q", row.reason, r.warnings)
		}
	}
}

// TestFlips: a question flips in level only where it does not in held, and in neither
// where all answers are the same.
func TestFlips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.SampledFrom([]domains.Cell{domains.Missing(), domains.NotHeld(), domains.At(1), domains.At(2)})
		x := saying{heard: cell.Draw(t, "heard"), again: rapid.SliceOfN(cell, 0, 4).Draw(t, "again")}
		held, level := &ratio{sum: make([]float64, 1), of: make([]float64, 1)}, &ratio{sum: make([]float64, 1), of: make([]float64, 1)}
		x.flips(0, held, level)
		same := !slices.ContainsFunc(x.again, func(c domains.Cell) bool { return !c.Equal(x.heard) })
		switch {
		case held.n+held.undefined != min(1, len(x.again)) || level.n+level.undefined != min(1, len(x.again)):
			t.Fatalf("%v, %v: counted %+v, %+v", x.heard, x.again, held, level)
		case held.sum[0] == 1 && level.n > 0, same && held.sum[0]+level.sum[0] > 0:
			t.Fatalf("%v, %v: flips %+v, %+v", x.heard, x.again, held, level)
		case !same && held.n == 1 && held.sum[0] == 0 && level.n == 1 && level.sum[0] == 0:
			t.Fatalf("%v, %v: does not flip", x.heard, x.again)
		}
	})
}

// TestChance: what makes a fixed order go on differently is named for what it is.
func TestChance(t *testing.T) {
	const unaskable, ended = "Not every user can be asked everything", "Where one session of a pair ended"
	row := func(kind string, differ, early int64) Row {
		r := Row{Strategy: record.Strategy{Kind: kind}}
		r.Adaptivity.Differing, r.Adaptivity.EarlyStops, r.Adaptivity.Value = differ, early, Number(differ)
		return r
	}
	for _, tt := range []struct {
		reason           string
		row              Row
		unaskable, ended bool
	}{
		{"nothing differs", row("static", 0, 0), false, false},
		{"other questions alone", row("static", 3, 0), true, false},
		{"ends alone, as of users who stop", row("static", 3, 3), false, true},
		{"both", row("static", 3, 1), true, true},
		{"no fixed order", row("pep", 3, 1), false, false},
	} {
		s := chance(&Metrics{Strategies: []Row{tt.row}})
		if strings.Contains(s, unaskable) != tt.unaskable || strings.Contains(s, ended) != tt.ended {
			t.Errorf("%s: %q", tt.reason, s)
		}
	}
}
