package reports

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pepbench/bench/record"
)

// judged makes a run whose judge grades three times, one draw of which may not be read,
// and whose responses were graded by another one before, who was milder to pep.
func judgedRun(m *record.Manifest, all *[]record.Session) {
	keep := []string{"none", "static+belief", "pep+belief", "oracle"}
	m.Strategies = slices.DeleteFunc(m.Strategies, func(s record.Strategy) bool { return !slices.Contains(keep, s.Name) })
	*all = slices.DeleteFunc(*all, func(s record.Session) bool { return !slices.Contains(keep, s.Strategy) })
	m.Sessions = len(*all)
	m.Judge = "judge/rubric/1/quality/batched/new/x3"
	m.Report.TargetOf, m.Report.Reference = "static+belief", "static+belief"
	m.Rejudged = &record.Rejudged{Of: "first", Judge: "judge/rubric/1/quality/batched/old"}
	m.Endpoints = []record.Endpoint{
		{Role: "solver", Model: "s", Price: &record.Price{In: 0.5, Out: 2}}, {Role: "judge", Model: "new"}, {Role: "correctness", Model: "new", Price: &record.Price{In: 1, Out: 1}},
	}
	rng := rand.New(rand.NewPCG(8, 8))
	for i := range *all {
		s := &(*all)[i]
		s.Calls = []record.RoleCalls{{Role: "solver", Calls: 3, TokensIn: 1000, TokensOut: 200}, {Role: "judge", Calls: 9, TokensIn: 4000, TokensOut: 100}, {Role: "correctness", Calls: 1}}
		if i%9 == 4 {
			s.Calls[1].Calls += 2
			s.Calls[1].Repairs = 2
			s.Calls[1].Unread = []string{fmt.Sprintf(`unreadable reply: not a JSON object: "sorry %d" (asked 3 times)`, i)}
		}
		if i == 7 {
			s.Calls[0].Unread = []string{`call refused: HTTP 400 (bad_request): "no"`}
		}
		for c := range s.Checkpoints {
			cp := &s.Checkpoints[c]
			for k := range cp.Scores {
				sc := &cp.Scores[k]
				before := *sc.Score
				sum, n := 0.0, 0
				for range 3 {
					v := min(max(*sc.Score+float64(rng.IntN(3)-1), 1), 5)
					if rng.IntN(20) == 0 {
						v = math.NaN()
					} else {
						sum += v
						n++
					}
					sc.Repeats = append(sc.Repeats, v)
				}
				sc.Score, sc.Before = nil, &before
				if n > 0 {
					mean := record.Round(sum / float64(n))
					sc.Score = &mean
				} else {
					sc.Unscored = "no score in the reply"
				}
				if strings.HasPrefix(s.Strategy, "pep") {
					up := min(before+1, 5)
					sc.Before = &up
				}
				if i == 3 && k == 0 {
					sc.Before = nil
				}
			}
			cp.Raw = nil
			if raw, ok := record.Raw(cp.Scores, s.Truth.Weight); ok {
				raw = record.Round(raw)
				cp.Raw = &raw
			}
		}
	}
}

func judgedDir(t *testing.T) string {
	t.Helper()
	dir := synth{tasks: 7, users: 3, seeds: 1, criteria: 8, budget: 2, change: judgedRun}.write(t)
	shift, more := .25, 3.5
	if err := record.WriteProbes(dir, record.Probes{Judge: m1, Rubric: "quality", Responses: 24, Calls: 100, Checks: []record.ProbeCheck{
		{Name: "again", Pairs: 72, Agree: 70, Shift: &shift},
		{Name: "position", Unscored: 0},
		{Name: "verbosity", Unscored: 72},
		{Name: "batching", Pairs: 70, Agree: 50, Unscored: 2, Shift: &shift},
		{Name: "sensitivity", Pairs: 64, Agree: 50, Shift: &more},
	}}); err != nil {
		t.Fatal(err)
	}
	return dir
}

const m1 = "judge/rubric/1/quality/batched/new"

// TestJudgingGolden compares tables, metrics and terminal with testdata.
func TestJudgingGolden(t *testing.T) {
	dir := judgedDir(t)
	s, err := writePlain(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"tables/calls.md", "tables/judge.tex", "tables/judges.csv"} {
		if !slices.Contains(s.Files, f) {
			t.Errorf("no %s", f)
		}
	}
	goldenReport(t, "judges", dir, s)
	// What is no longer so is taken away.
	plain := synth{tasks: 7, users: 3, seeds: 1, criteria: 8, budget: 2}.write(t)
	for _, f := range []string{record.ManifestFile, record.SessionsFile} {
		b, err := os.ReadFile(filepath.Join(plain, f))
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, f), b)
	}
	if err := os.Remove(filepath.Join(dir, record.ProbesFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := writePlain(dir); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"calls", "judge", "judges"} {
		if exists(dir, "tables/"+f+".md") {
			t.Errorf("tables/%s.md of an earlier report is left", f)
		}
	}
}

// TestJudging counts again what the report says.
func TestJudging(t *testing.T) {
	dir := judgedDir(t)
	r := load(t, dir)
	m := Compute(r)
	var all []record.Session
	var manifest record.Manifest
	synth{tasks: 7, users: 3, seeds: 1, criteria: 8, budget: 2, change: func(to *record.Manifest, s *[]record.Session) {
		judgedRun(to, s)
		all, manifest = *s, *to
	}}.write(t)

	units, exact, unscored, draws, both, equal, near, noBefore, noAfter, lost := 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
	shift := 0.0
	for _, s := range all {
		for _, c := range s.Checkpoints {
			for _, sc := range c.Scores {
				var known []float64
				for _, v := range sc.Repeats {
					draws++
					if math.IsNaN(v) {
						unscored++
					} else {
						known = append(known, v)
					}
				}
				if len(known) > 1 {
					units++
					if slices.Max(known) == slices.Min(known) {
						exact++
					}
				}
				if sc.Before == nil || sc.Score == nil {
					lost++
				}
				switch {
				case sc.Before == nil && sc.Score == nil:
					noBefore, noAfter = noBefore+1, noAfter+1
				case sc.Before == nil:
					noBefore++
				case sc.Score == nil:
					noAfter++
				default:
					both++
					off := *sc.Score - *sc.Before
					shift += off
					if off == 0 {
						equal++
					}
					if math.Abs(off) <= 1 {
						near++
					}
				}
			}
		}
	}
	rep := m.Repeats
	if rep == nil || rep.Repeats != 3 || rep.Units != units || rep.Unscored != unscored || rep.Draws != draws || math.Abs(float64(rep.Exact.Value)-float64(exact)/float64(units)) > 1e-9 {
		t.Errorf("repeats %+v; %d units, %d exact, %d of %d unscored", rep, units, exact, unscored, draws)
	}
	if !(rep.Ordinal.Lo <= rep.Ordinal.Value && rep.Ordinal.Value <= rep.Ordinal.Hi && rep.Ordinal.Value > 0 && rep.Ordinal.Value < 1) {
		t.Errorf("alpha %+v", rep.Ordinal)
	}
	j := m.Judges
	close := func(n Number, v float64) bool { return math.Abs(float64(n)-v) < 1e-9 }
	if j == nil || j.Units != both || j.NoBefore != noBefore || j.NoAfter != noAfter || j.Lost != lost || !close(j.Exact.Value, float64(equal)/float64(both)) || !close(j.Near.Value, float64(near)/float64(both)) || !close(j.Shift.Value, shift/float64(both)) {
		t.Errorf("judges %+v; %d units, %d equal, %d near", j, both, equal, near)
	}
	if j.Before != manifest.Rejudged.Judge || j.After != manifest.Judge || len(j.Rows) != 4 || j.Order.Pairs != 6 {
		t.Errorf("judges %+v", j)
	}
	for i, row := range j.Rows {
		if row.Difference.N > min(row.Before.N, row.After.N) || row.RankAfter < 1 || row.RankAfter > 4 {
			t.Errorf("row %+v", row)
		}
		if a := m.Strategies[i].final(); a.Value != row.After.Value || a.N != row.After.N {
			t.Errorf("%s: alignment %v here and %v there", row.Strategy, row.After, a.Estimate)
		}
	}

	calls := map[string]roleCalls{}
	for _, c := range m.Calls {
		calls[c.Role] = c
	}
	n := len(all)
	unread := 0
	for i := range all {
		if i%9 == 4 {
			unread++
		}
	}
	judge, solver := calls["judge"], calls["solver"]
	if judge.Calls != 9*n+2*unread || judge.Repairs != 2*unread || judge.Requests != 9*n || judge.Unread != unread || len(judge.Reasons) != 1 || judge.Reasons[0].What != "unreadable reply: not a JSON object" || judge.Dollars.Defined() {
		t.Errorf("judge %+v", judge)
	}
	if want := float64(n) * (1000*.5 + 200*2) / 1e6; !close(solver.Dollars, want) || !close(solver.PerSession, 3) {
		t.Errorf("solver %+v, want $%v", solver, want)
	}
	if c := calls["correctness"]; c.TokensIn.Defined() || c.TokensOut.Defined() || c.Dollars.Defined() {
		t.Errorf("a server that counts no tokens: %+v", c)
	}
	joined := strings.Join(m.Warnings, "\n")
	for _, want := range []string{fmt.Sprintf("judge: %d of %d requests (1.", unread, 9*n), "the judge puts 50 of 64 pairs of probes"} {
		if !strings.Contains(joined, want) {
			t.Errorf("no warning %q in\n%s", want, joined)
		}
	}
	if strings.Contains(joined, "solver: 1 of") {
		t.Error("one request in hundreds is warned of")
	}
	if text := terminal(m, 120); !strings.Contains(text, "unread replies: solver 1 (0.4%), judge ") || !strings.Contains(text, "3 repeats of the judge agree on ") {
		t.Errorf("terminal:\n%s", text)
	}
}

// TestNoJudging: a run of one judge, once, without models, has none of it.
func TestNoJudging(t *testing.T) {
	m := Compute(load(t, synth{tasks: 6, users: 2, seeds: 1, criteria: 6, budget: 1}.write(t)))
	if m.Calls != nil || m.Repeats != nil || m.Probes != nil || m.Judges != nil {
		t.Errorf("%+v %+v %+v %+v", m.Calls, m.Repeats, m.Probes, m.Judges)
	}
	files, err := Tables(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Path, "tables/judge") || strings.HasPrefix(f.Path, "tables/calls") {
			t.Errorf("there is a %s", f.Path)
		}
	}
}

// TestUncounted: tokens that a server did not say are missing from the sums, which says so
// and gives no price.
func TestUncounted(t *testing.T) {
	for _, row := range []struct {
		reason         string
		in, uncounted  int
		dollars, noted bool
	}{
		{"all are counted", 1000, 0, true, false},
		{"some are not", 1000, 2, false, true},
		{"none are, which a dash says", 0, 3, false, false},
	} {
		dir := synth{tasks: 2, users: 1, seeds: 1, criteria: 5, budget: 1, change: func(m *record.Manifest, all *[]record.Session) {
			m.Endpoints = []record.Endpoint{{Role: "solver", Model: "s", Price: &record.Price{In: 1, Out: 1}}}
			for i := range *all {
				(*all)[i].Calls = []record.RoleCalls{{Role: "solver", Calls: 3, TokensIn: row.in, TokensOut: row.in, Uncounted: row.uncounted}}
			}
		}}.write(t)
		r := load(t, dir)
		m := Compute(r)
		c, text := m.Calls[0], string(callsTable(m).markdown())
		if c.Uncounted != row.uncounted*r.read || c.Dollars.Defined() != row.dollars {
			t.Errorf("%s: %+v", row.reason, c)
		}
		if want := fmt.Sprintf("the tokens of %d of %d calls are missing", row.uncounted*r.read, 3*r.read); strings.Contains(text, want) != row.noted {
			t.Errorf("%s:\n%s", row.reason, text)
		}
	}
}

func TestUnquoted(t *testing.T) {
	for _, row := range []struct{ reason, in, want string }{
		{"what was said goes", `unreadable reply: not a JSON object: "I am sorry" (asked 3 times)`, "unreadable reply: not a JSON object"},
		{"quotes within", `the model refuses: "no \"never\" again"`, "the model refuses"},
		{"our own words stay", `no "level" in the reply`, `no "level" in the reply`},
		{"names of criteria go", `the reply grades "depth" 0 times`, "the reply grades … 0 times"},
		{"one fault of many criteria is one", `the reply grades "depth" 0 times; the reply grades "tone" 0 times (asked 3 times)`, "the reply grades … 0 times"},
		{"why a reply ended stays", `it is empty (finish reason "content_filter") (asked 3 times)`, `it is empty (finish reason "content_filter")`},
		{"nothing to take out", "it was cut off at its token limit; be shorter (asked 3 times)", "it was cut off at its token limit; be shorter"},
	} {
		if got := unquoted(row.in); got != row.want {
			t.Errorf("%s: %q, want %q", row.reason, got, row.want)
		}
	}
}

// TestSameGrades: a judge that gives the former one's grades differs by nothing at all,
// whatever weights make of the sums.
func TestSameGrades(t *testing.T) {
	j := Compute(load(t, synth{tasks: 7, users: 3, seeds: 1, criteria: 8, budget: 1, change: func(m *record.Manifest, all *[]record.Session) {
		m.Rejudged = &record.Rejudged{Of: "first", Judge: "old"}
		for i := range *all {
			s := &(*all)[i]
			s.Truth.Weights = make(record.Floats, len(s.Truth.Cells))
			for k, c := range s.Truth.Cells {
				if c.IsHeld() {
					s.Truth.Weights[k] = record.Round(1 / float64(k+2))
				}
			}
			for c := range s.Checkpoints {
				cp := &s.Checkpoints[c]
				for k := range cp.Scores {
					cp.Scores[k].Before = cp.Scores[k].Score
				}
				if raw, ok := record.Raw(cp.Scores, s.Truth.Weight); ok {
					raw = record.Round(raw)
					cp.Raw = &raw
				}
			}
		}
	}}.write(t))).Judges
	for _, r := range j.Rows {
		if d := r.Difference; d.N == 0 || d.Value != 0 || d.Lo != 0 || d.Hi != 0 || d.Resolved || r.Before.Value != r.After.Value {
			t.Errorf("%+v", r)
		}
	}
	if j.Order.Reversed+j.Order.Tied != 0 || j.Shift.Value != 0 || j.Exact.Value != 1 {
		t.Errorf("%+v", j)
	}
}

// TestOrders: what the caption says of the order of strategies under two judges.
func TestOrders(t *testing.T) {
	for _, row := range []struct {
		reason, want string
		order        judgedOrders
	}{
		{"nothing to compare is no agreement", "There are no two strategies that both have graded.", judgedOrders{}},
		{"all alike", "Both put the strategies in the same order.", judgedOrders{Pairs: 3}},
		{"a tie of one of them is another order", "They put 0 of 3 pairs of strategies in opposite orders, and of 1 one of them alone sees no difference.", judgedOrders{Pairs: 3, Tied: 1}},
		{"reversed", "They put 1 of 3 pairs of strategies in opposite orders.", judgedOrders{Pairs: 3, Reversed: 1}},
	} {
		if got := (&judged{Order: row.order}).order(); got != row.want {
			t.Errorf("%s: %q, want %q", row.reason, got, row.want)
		}
	}
}

// TestOrigin: every table of responses that were graded again says so, those of
// alignment count what has none, and all count what failed.
func TestOrigin(t *testing.T) {
	dir := synth{tasks: 7, users: 3, seeds: 1, criteria: 8, budget: 2, change: func(m *record.Manifest, all *[]record.Session) {
		judgedRun(m, all)
		last := &(*all)[len(*all)-1]
		last.Error, last.Stop = "no", record.StopError
		for i := range (*all)[0].Checkpoints {
			cp := &(*all)[0].Checkpoints[i]
			cp.Raw, cp.Scores[0].Score, cp.Scores[0].Unscored = nil, nil, "no"
		}
	}}.write(t)
	m := Compute(load(t, dir))
	n := 0
	for i := range m.Strategies {
		n += m.Strategies[i].final().Undefined
	}
	if j := m.Judges; j.NoBefore == 0 || j.NoAfter == 0 || j.Lost != j.NoBefore+j.NoAfter {
		t.Errorf("%d and %d other units are unscored, together %d", j.NoBefore, j.NoAfter, j.Lost)
	}
	files, err := Tables(m)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("Left out for want of an alignment: %d of %d sessions.", n, m.Sessions.Read-1)
	for _, f := range files {
		text, name := string(f.Data), filepath.Base(f.Path)
		if strings.HasSuffix(name, ".csv") {
			continue
		}
		if !strings.Contains(text, "the run first, graded again") && !strings.Contains(text, "the run first, whose responses these are") {
			t.Errorf("%s does not say whose responses these are", name)
		}
		if strings.Count(text, "failed: 1 session") != 1 {
			t.Errorf("%s does not count the failed session once:\n%s", name, text)
		}
		if aligned := slices.Contains([]string{"main.tex", "errors.md", "errors.tex", "gain.md", "gain.tex", "judges.md", "judges.tex"}, name); aligned != strings.Contains(text, want) {
			t.Errorf("%s: %q is there: %v", name, want, !aligned)
		}
	}
	if got := sources(m); !strings.Contains(got, "those of the run first, graded again.") {
		t.Errorf("figures say %q", got)
	}
}

// TestUnscoredReasons: replies that differ in what they say instead of a grade are
// unscored for one reason.
func TestUnscoredReasons(t *testing.T) {
	m := Compute(load(t, synth{tasks: 3, users: 2, seeds: 1, criteria: 5, budget: 1, change: func(_ *record.Manifest, all *[]record.Session) {
		for i := range *all {
			for c := range (*all)[i].Checkpoints {
				cp := &(*all)[i].Checkpoints[c]
				cp.Raw, cp.Scores[0].Score = nil, nil
				cp.Scores[0].Unscored = fmt.Sprintf(`unreadable reply: not a JSON object: "sorry %d" (asked 3 times)`, i)
			}
		}
	}}.write(t)))
	for i := range m.Strategies {
		if a := m.Strategies[i].final(); a.Undefined == 0 || !slices.Equal(a.Reasons, []count{{What: "unreadable reply: not a JSON object", N: a.Undefined}}) {
			t.Errorf("%s: %+v", m.Strategies[i].Name, a.Reasons)
		}
	}
}

// TestBadProbes: a probes.json that does not hold together is a fault of the data.
func TestBadProbes(t *testing.T) {
	for _, row := range []struct{ reason, text string }{
		{"no JSON", "{"},
		{"another schema", `{"schema": 9}`},
		{"more agree than there are", `{"schema": 1, "checks": [{"name": "again", "pairs": 1, "agree": 2, "shift": 0}]}`},
		{"a shift of nothing", `{"schema": 1, "checks": [{"name": "again", "pairs": 0, "agree": 0, "shift": 1}]}`},
		{"a shift beyond the scale", `{"schema": 1, "checks": [{"name": "again", "pairs": 1, "agree": 1, "shift": 5}]}`},
	} {
		dir := synth{tasks: 2, users: 1, seeds: 1, criteria: 5, budget: 1}.write(t)
		put(t, filepath.Join(dir, record.ProbesFile), []byte(row.text))
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), record.ProbesFile) {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
}

// TestJudgesByLevel: equal scores of different levels are no agreement.
func TestJudgesByLevel(t *testing.T) {
	var wrong int
	dir := synth{tasks: 6, users: 2, seeds: 1, criteria: 6, budget: 1, change: func(m *record.Manifest, all *[]record.Session) {
		m.Rejudged = &record.Rejudged{Of: "first", Judge: "old"}
		for i := range *all {
			for c := range (*all)[i].Checkpoints {
				for k := range (*all)[i].Checkpoints[c].Scores {
					sc := &(*all)[i].Checkpoints[c].Scores[k]
					level, before, same := 1+(i+k)%5, float64(1+(i+k)%5), *sc.Score
					if i%2 == 0 && level == 2 {
						before = 4 // wanted: 3
						wrong++
					}
					sc.Level, sc.Before, sc.BeforeLevel = &level, &same, &before
				}
			}
		}
	}}.write(t)
	j := Compute(load(t, dir)).Judges
	if wrong == 0 || j.Units <= wrong || math.Abs(float64(j.Exact.Value)-(1-float64(wrong)/float64(j.Units))) > 1e-9 || j.Near.Value != j.Exact.Value || j.Shift.Value >= 0 {
		t.Errorf("%d of other levels: %+v", wrong, j)
	}
	for _, r := range j.Rows {
		if r.Difference.Value != 0 || r.RankBefore != r.RankAfter {
			t.Errorf("equal scores: %+v", r)
		}
	}
	if j.Order.Reversed != 0 || !strings.Contains(j.words(), "the same order") {
		t.Errorf("order %+v", j.Order)
	}
}
