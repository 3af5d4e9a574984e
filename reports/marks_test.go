package reports

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pepbench/bench/record"
)

// testedRun is a made-up run whose differences to the reference were put to these tests, in
// the order of the strategies.
func testedRun(t testing.TB, tests map[string]*difference) *Metrics {
	t.Helper()
	m := Compute(load(t, synth{tasks: 12, users: 3, seeds: 1, criteria: 8, budget: 3, change: func(m *record.Manifest, _ *[]record.Session) {
		m.Report.Against = []string{"random"}
	}}.write(t)))
	for i := range m.Strategies {
		r := &m.Strategies[i]
		if r.Difference == nil {
			continue
		}
		r.Difference.Test = nil
		if d := tests[r.Name]; d != nil {
			r.Difference = d
		}
	}
	for i := range m.Comparisons {
		m.Comparisons[i].Test = nil
	}
	return m
}

// found is a difference with its test; a family of 0 is exploratory.
func found(value Number, method string, p, holm Number, family int, mde Number, resolved bool) *difference {
	return &difference{
		Estimate: Estimate{Value: value, Lo: value - 2, Hi: value + 2, N: 36, Clusters: 12}, Resolved: resolved,
		Test: &test{Method: method, P: p, Holm: holm, Family: family, MDE: mde, Needed: 20},
	}
}

// TestMark: stars are for p, of Holm in the family, and ~ for what is not resolved,
// whatever p is.
func TestMark(t *testing.T) {
	nan := undefined()
	for _, row := range []struct {
		reason  string
		d       *difference
		mark, p string
	}{
		{"in the family the corrected p counts", found(3, BySignFlip, .0001, .03, 7, 2, true), "*", "p=.030"},
		{"just under a hundredth", found(3, BySignFlip, .001, .0099, 7, 2, true), "**", "p=.010"},
		{"under a thousandth", found(3, BySignFlip, .0001, .0009, 7, 2, true), "***", "p<.001"},
		{"outside of it the raw one", found(3, BySignFlip, .004, nan, 0, 2, true), "**", "p=.004"},
		{"raw significant, corrected not", found(3, BySignFlip, .02, .14, 7, 2, false), "~", "p=.14"},
		{"no test: too few clusters", found(3, ByNothing, nan, nan, 0, nan, false), "~", ""},
		{"no test is known of: the interval tells", &difference{Estimate: Estimate{Value: 3}, Resolved: true}, "", ""},
		{"not resolved, and no test is known of", &difference{Estimate: Estimate{Value: 3}}, "~", ""},
		{"resolved at 90%, but no star's p", found(3, ByT, .07, nan, 0, 2, true), "", "p=.070"},
		{"a strict level: 99%", found(3, ByT, .02, nan, 0, 2, false), "~", "p=.020"},
		{"surely nothing", found(0, ByT, 1, nan, 0, 2, false), "~", "p=1.00"},
	} {
		if got := row.d.mark(); got != row.mark {
			t.Errorf("%s: %q, want %q", row.reason, got, row.mark)
		}
		if got := pWords(row.d.p()); got != row.p {
			t.Errorf("%s: %q, want %q", row.reason, got, row.p)
		}
	}
}

// TestFoot: what stands below a table says what the marks are, how p was found, over how
// many it is corrected, what is exploratory, and how small a difference could be found.
func TestFoot(t *testing.T) {
	nan := undefined()
	m := &Metrics{Cluster: "task", Tasks: 16, Confidence: .95, Reference: "static", Final: 5}
	type named struct {
		of string
		d  *difference
	}
	in := func(mde Number) *difference { return found(3, BySignFlip, .01, .03, 7, mde, true) }
	out := found(3, BySignFlip, .01, nan, 0, 3.2, true)
	for _, row := range []struct {
		reason string
		list   []named
		want   []string
		not    []string
	}{
		{"nothing was tested", []named{{"a", &difference{Estimate: Estimate{Value: 1}}}}, nil, []string{"p"}},
		{"a family", []named{{"a", in(2.5)}, {"b", in(2.1)}}, []string{"* p < .05", "signs of task means", "family of 7: the strategies against static, in alignment after 5 questions", "below 2.1 would be missed by more than one in five runs over 16 tasks"}, []string{"xploratory", "raw"}},
		{"a family, and a floor", []named{{"a", in(2.5)}, {"none", out}}, []string{"family of 7", "Exploratory, with raw p, not corrected: none.", "below 2.5"}, nil},
		{"all exploratory", []named{{"", out}, {"", out}}, []string{"All of them are exploratory: p of 2 comparisons is raw", "below 3.2"}, []string{"Holm"}},
		{"a family among nameless others", []named{{"", in(9)}, {"", out}}, []string{"The other 1 are exploratory"}, nil},
		{"too few tasks", []named{{"a", found(3, ByNothing, nan, nan, 0, nan, false)}}, []string{"~ not resolved: with fewer than 6 tasks, or no spread between them, it cannot be told"}, []string{"would be missed", "Holm", "*"}},
		{"a family of too few tasks", []named{{"a", found(3, ByNothing, nan, nan, 7, nan, false)}}, []string{"there is no p"}, []string{"Holm"}},
		{"one of them has no spread", []named{{"a", found(3, BySignFlip, .01, .01, 2, 1, true)}, {"b", found(0, ByNothing, nan, nan, 2, nan, false)}}, []string{"by nothing where there are fewer or no spread", "family of 2"}, nil},
		{"few tasks", []named{{"a", found(3, ByT, .01, nan, 0, 1, true)}}, []string{"by t of task means, where there are 6 to 9 tasks"}, []string{"signs"}},
		{"an undefined difference has no part", []named{{"a", in(2.5)}, {"b", found(nan, BySignFlip, nan, nan, 0, .1, false)}}, []string{"below 2.5"}, []string{"xploratory"}},
	} {
		s := &shownDifferences{m: m}
		for _, n := range row.list {
			s.add(n.of, n.d, true)
		}
		text := strings.Join(s.foot(), " ")
		for _, w := range row.want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %q in %q", row.reason, w, text)
			}
		}
		for _, w := range row.not {
			if strings.Contains(text, w) {
				t.Errorf("%s: %q in %q", row.reason, w, text)
			}
		}
		if strings.Contains(text, "brackets are over users, too") {
			t.Errorf("%s: users are not drawn, and it says %q", row.reason, text)
		}
		both := *m
		both.Intervals = OverBoth
		s.m = &both
		if text := strings.Join(s.foot(), " "); strings.Contains(text, "p < .05") != strings.Contains(text, "p is over tasks alone and brackets are over users, too") {
			t.Errorf("%s: users are drawn, and it says %q", row.reason, text)
		}
		s.alone = true
		if text := strings.Join(s.foot(), " "); strings.Contains(text, "users, too") || strings.Contains(text, "p < .05") != strings.Contains(text, "are over tasks alone, and say nothing of other users") {
			t.Errorf("%s: users are drawn, but not for differences, and it says %q", row.reason, text)
		}
		if (s.legend() == "") != s.tested() {
			t.Errorf("%s: the legend says %q", row.reason, s.legend())
		}
	}
}

// TestMarkedTables: the marks are in Markdown, LaTeX and the terminal, p and what it would
// take to find a difference in CSV.
func TestMarkedTables(t *testing.T) {
	nan := undefined()
	m := testedRun(t, map[string]*difference{
		"none":           found(-9, BySignFlip, .0004, nan, 0, 2.75, true),
		"random+answers": found(-4.4, BySignFlip, .0001, .0007, 7, 2.25, true),
		"pep+belief":     found(2.2, BySignFlip, .004, .008, 7, 2.5, true),
		"pep+answers":    found(-1.1, BySignFlip, .2, .2, 7, 2.5, false),
		"twin+answers":   found(-2.1, BySignFlip, .01, .04, 7, 2.5, true),
	})
	g := mainTable(m)
	md, latex, text := string(g.markdown()), string(g.paper().latex()), terminal(m, 120)
	for _, row := range []struct{ reason, in, want string }{
		{"three stars in Markdown, and p", md, `-4.4 \[-6.4, -2.4] \*\*\* p&lt;.001 |`},
		{"none in Markdown", md, `-1.1 \[-3.1, 0.9] \~ p=.20 |`},
		{"three stars in LaTeX", latex, `$-$4.4$^{***}$ {\scriptsize`},
		{"one star in LaTeX", latex, `$-$2.1$^{*}$ `},
		{"none in LaTeX", latex, ` $\sim$ \\`},
		{"below the table", md, `family of 7: the strategies against static+belief, in alignment after 3 questions. Exploratory, with raw p, not corrected: none.`},
		{"below the table in LaTeX", latex, `below 2.2 would be missed by more than one in five runs over 12 tasks`},
		{"stars in the terminal", text, "-4.4 *** p<.001\n"},
		{"in the terminal they stand below each other", text, "+2.2 **  p=.008\n"},
		{"none in the terminal", text, "-1.1 ~   p=.20\n"},
		{"what p is in the terminal", strings.Join(strings.Fields(text), " "), "p: Holm over 7 strategies, n=12 tasks (none: raw); 80% power from 2.2 on"},
	} {
		if !strings.Contains(row.in, row.want) {
			t.Errorf("%s: no %q in\n%s", row.reason, row.want, row.in)
		}
	}
	for _, row := range []struct{ reason, over, want string }{
		{"interval and p are over the same", OverClusters, "~ unresolved; p: Holm"},
		{"a small p may stand beside an interval over users that holds 0", OverBoth, "~ unresolved by p or by the interval; p: Holm"},
	} {
		two := *m
		two.Intervals = row.over
		if got := strings.Join(strings.Fields(terminal(&two, 120)), " "); !strings.Contains(got, row.want) {
			t.Errorf("%s: no %q in\n%s", row.reason, row.want, got)
		}
	}
	got := map[string]string{}
	for _, line := range mainCSV(m) {
		if line[0] == "pep+belief" {
			got[line[4]] = line[6]
		}
	}
	for measure, want := range map[string]string{"alignment_difference": "2.2", "alignment_difference_p": "0.004", "alignment_difference_p_holm": "0.008", "alignment_difference_mde": "2.5", "alignment_difference_needed": "20"} {
		if got[measure] != want {
			t.Errorf("main.csv: %s is %q, want %q", measure, got[measure], want)
		}
	}

	for i := range m.Comparisons {
		c := &m.Comparisons[i]
		c.difference = *found(1, BySignFlip, .03, nan, 0, 1.5, true)
		if c.Why == whyReference && c.Measure == "alignment" {
			c.difference = *found(1, BySignFlip, .03, .0001, 7, 1.5, true)
		}
	}
	gain := gainTable(m)
	md = string(gain.markdown())
	for _, want := range []string{`+1.0 \[-1.0, 3.0] \* p=.030`, `+1.0 \[-1.0, 3.0] \*\*\* p&lt;.001`, "are exploratory: their p is raw", "Corrected by Holm for a family of 7"} {
		if !strings.Contains(md, want) {
			t.Errorf("gain: no %q in\n%s", want, md)
		}
	}
	if on := string(gain.paper().latex()); !strings.Contains(on, "$^{*}$") || strings.Contains(on, "Holm") || !strings.Contains(on, "All of them are exploratory") {
		t.Errorf("the adaptive gain on paper:\n%s", on)
	}
	lines := gainCSV(m)
	for i, line := range lines {
		if len(line) != len(lines[0]) {
			t.Fatalf("gain.csv: %d fields in line %d", len(line), i+1)
		}
	}
	if head := strings.Join(lines[0], " "); !strings.HasSuffix(head, "resolved method p p_holm family mde needed mark") || strings.Join(lines[1][len(lines[1])-7:], " ") != "sign-flip 0.03 0.0001 7 1.5 20 ***" {
		t.Errorf("gain.csv: %s\n%s", head, lines[1])
	}
}

// TestTerminalColumns: whatever there is to show and however narrow it is, the table fits,
// columns go in their order, and below 100 columns nothing goes that has ordinary names.
func TestTerminalColumns(t *testing.T) {
	d := found(-18.2, BySignFlip, .0001, .0007, 7, 2.25, true)
	all := map[string]*difference{}
	for _, s := range (synth{}).strategies() {
		all[s.Name] = d
	}
	m := testedRun(t, all)
	order := []string{" p<.001", " norm ", " F1@5 ", " asked ", " adapt ", " to target "}
	was := 0
	for width := 130; width >= 44; width-- {
		text := terminal(m, width)
		table, _, _ := strings.Cut(text[strings.Index(text, "strategy"):], "[lo, hi]")
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Fatalf("%d columns, not %d: %s", n, width, line)
			}
		}
		gone := 0
		for gone < len(order) && !strings.Contains(table, order[gone]) {
			gone++
		}
		for _, c := range order[gone:] {
			if !strings.Contains(table, c) {
				t.Fatalf("at %d columns%sis gone before%s:\n%s", width, c, order[gone], text)
			}
		}
		if gone > 0 && width >= 100 || gone < was {
			t.Fatalf("at %d columns %q is gone, before it were %d:\n%s", width, order[:gone], was, text)
		}
		if said := strings.Contains(strings.Join(strings.Fields(text), " "), "for want of width without"); said != (gone > 0) {
			t.Fatalf("at %d columns %d are gone, and it says so: %v\n%s", width, gone, said, text)
		}
		was = gone
	}
	if was != len(order) {
		t.Errorf("at 44 columns only %d are gone", was)
	}
}

// TestNewTables: costs, calibration and tasks show what the metrics have, and a dash with
// its reason for what they do not.
func TestNewTables(t *testing.T) {
	y := synth{tasks: 3, users: 2, seeds: 1, criteria: 6, budget: 2, simulated: true, change: func(m *record.Manifest, all *[]record.Session) {
		m.Endpoints[0].Price = &record.Price{In: 1, Out: 10}
		for i := range *all {
			s := &(*all)[i]
			switch s.Strategy {
			case "pep+belief":
				s.Calls = []record.RoleCalls{{Role: "solver", Calls: 4, TokensIn: 1000, TokensOut: 100}}
			case "static+belief":
				s.Calls = []record.RoleCalls{{Role: "solver", Calls: 4, TokensIn: 1000, TokensOut: 100}, {Role: "judge", Calls: 8, TokensIn: 2000, TokensOut: 40}}
			case "twin+belief":
				s.Calls = []record.RoleCalls{{Role: "solver", Calls: 4, Uncounted: 4}}
			}
			if s.Strategy == "pep+belief" && s.Task == "task-01" {
				s.Stop, s.Error = record.StopError, "user is out"
			}
		}
	}}
	m := Compute(load(t, y.write(t)))
	line := func(g *grid, name string) string {
		for l := range strings.Lines(string(g.markdown())) {
			if strings.HasPrefix(l, "| "+name+" |") || strings.HasPrefix(l, "| "+name+"<") {
				return strings.TrimSpace(regexp.MustCompile(`<sup>[a-z]+</sup>`).ReplaceAllString(l, ""))
			}
		}
		return ""
	}
	for _, row := range []struct {
		reason string
		g      *grid
		name   string
		want   string // of the line; a note where there is none
	}{
		{"one role, with its price", costsTable(m), "pep+belief", "| pep+belief | belief | 6 | 24 | 4.0 | 6,000 / 600 | – | 6,000 | 600 | 1,100 | 0.01 | 0.0020 | 40 |"},
		{"two roles, of which one has no price", costsTable(m), "static+belief", "| static+belief | belief | 6 | 72 | 12.0 | 6,000 / 600 | 12,000 / 240 | 18,000 | 840 | 3,140 | – | – | 40 |"},
		{"no tokens", costsTable(m), "twin+belief", "| twin+belief | belief | 6 | 24 | 4.0 | – | – | – | – | – | – | – | 40 |"},
		{"no model", costsTable(m), "none", "| none | answers | 6 | 0 | – | – | – | – | – | – | – | – | 0 |"},
		{"no session of a task", tasksTable(m), "task-01", ""},
	} {
		got := line(row.g, row.name)
		if row.want == "" {
			if cells := strings.Split(got, "|"); len(cells) != len(row.g.head)+2 || strings.Count(got, dash) != 1 || strings.TrimSpace(cells[10]) != dash {
				t.Errorf("%s: %s", row.reason, got)
			}
			continue
		}
		if got != row.want {
			t.Errorf("%s: %s\nwant %s", row.reason, got, row.want)
		}
	}
	if text := string(costsTable(m).markdown()); !strings.Contains(text, "no price of some model") || !strings.Contains(text, "2 of them failed") || !strings.Contains(text, "no model was called") {
		t.Errorf("the notes do not say why:\n%s", text)
	}
	// Every number of the calibration is in its table, and the means of tasks are the means
	// of the main table.
	text := string(calibrationTable(m).markdown())
	rows := 0
	for i := range m.Strategies {
		r := &m.Strategies[i]
		for _, k := range r.Calibration {
			rows++
			if !strings.Contains(text, num(k.ECE.Value, "%.3f")) || !strings.Contains(text, "| "+thousands(int64(k.Cells))+" |") {
				t.Errorf("%s: ECE %v is not in\n%s", r.Name, k.ECE.Value, text)
			}
		}
		sum, n := 0., 0
		for _, v := range r.ClusterMeans {
			if v.Defined() {
				sum += float64(v)
				n++
			}
		}
		if got := r.final().Value; math.Abs(float64(got)-sum/float64(n)) > 1e-9 || !strings.Contains(line(tasksTable(m), "mean"), num(got, "%.1f")) {
			t.Errorf("%s: mean %v of tasks, alignment %v, in %s", r.Name, sum/float64(n), got, line(tasksTable(m), "mean"))
		}
	}
	if rows != 8 || len(calibrationCSV(m)) != 1+8*11 || len(tasksCSV(m)) != 1+len(m.Strategies)*3 {
		t.Errorf("%d calibrations, %d lines of them, %d of tasks", rows, len(calibrationCSV(m)), len(tasksCSV(m)))
	}
	for i := range m.Strategies {
		for j := range m.Strategies[i].Prediction {
			p := &m.Strategies[i].Prediction[j]
			p.HeldCells = p.Cells
		}
		m.Strategies[i].Calibration = nil
	}
	if g := calibrationTable(m); len(g.notes) != 1 || g.notes[0] != nothingToPredict || !strings.Contains(string(g.markdown()), "| – ") && !strings.Contains(string(g.markdown()), "| –<sup>a</sup>") {
		t.Errorf("everything is held, and the table does not say so:\n%s", g.markdown())
	}
	survey := Compute(load(t, synth{tasks: 1, users: 7, seeds: 1, criteria: 5, budget: 1, survey: true}.write(t)))
	if g := tasksTable(survey); g.groups != nil {
		t.Errorf("a survey has tasks:\n%s", g.markdown())
	}
	none := Compute(load(t, synth{tasks: 2, users: 2, seeds: 1, criteria: 5, budget: 1, change: func(m *record.Manifest, _ *[]record.Session) {
		for i := range m.Strategies {
			m.Strategies[i].Params = 0
		}
	}}.write(t)))
	if g := costsTable(none); g.groups != nil {
		t.Errorf("nothing was called and nothing has parameters:\n%s", g.markdown())
	}
}

// TestTasksOnPaper: a run of more strategies and tasks than a page has room for says what it
// leaves out.
func TestTasksOnPaper(t *testing.T) {
	m := Compute(load(t, synth{tasks: 50, users: 1, seeds: 1, criteria: 5, budget: 1}.write(t)))
	g := tasksTable(m).paper()
	rows := 0
	for _, group := range g.groups {
		rows += len(group)
	}
	if len(g.head) > 1+paperStrategies || rows != paperRows+2 || !strings.Contains(g.caption, "Shown are 6 of 10 strategies") || !strings.Contains(g.caption, "the first 45 of 50 tasks") {
		t.Errorf("%d columns, %d rows: %s", len(g.head), rows, g.caption)
	}
}
