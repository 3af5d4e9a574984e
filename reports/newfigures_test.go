package reports

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
	"pgregory.net/rapid"

	"pepbench/bench/record"
	"pepbench/domains"
)

// TestPageFigures: figures for a screen are as wide as a page, have their title, fit into a
// page of five megabytes, embed no font, and say their main numbers in words.
func TestPageFigures(t *testing.T) {
	all := []string{"alignment", "interactions", "adaptivity", "adaptivitybyt", "tree", "gain", "forest", "tasks", "calibration", "params", "cost", "trace"}
	survey := plainRun()
	survey.survey, survey.clusters = true, 12
	empty := plainRun()
	empty.change = nothing
	for _, row := range []struct {
		reason string
		run    made
		names  []string
		says   map[string][]string // in the words of a figure
	}{
		{"a run", plainRun(), all, map[string][]string{
			"alignment":    {"pep+model 71.0 (69.0 to 73.0)", "static+answers 49.0", "none, which asks nothing, 38.0", "after 3 questions", "a simulated solver and judge"},
			"interactions": {"pep+model asks 2.4 (2.3 to 2.5), and reaches the target after 1.5 (1.0 to 1.8)", "static+answers asks 3.0 (2.9 to 3.1), and does not reach the target"},
			"adaptivity":   {"pep strict 0.50 (0.40 to 0.60)", "static strict 0.00"},
			"tree":         {"pep asks first about tone (100%)"},
			"gain":         {"pep+model minus twin+model +2.1 (+1.3 to +2.9)"},
			"forest":       {"static+answers minus static+model -4.0 (-6.0 to -2.0), p .010", "twin+answers minus static+model -1.0 (-3.0 to +1.0), p .020, not resolved"},
			"tasks":        {"2 tasks between"},
			"calibration":  {"pep+model unasked 0.050 (0.045 to 0.055), whole 0.040"},
			"params":       {"pep+model at 2,000 71.0", "static+answers at 0 49.0"},
			"cost":         {"pep+model at 5,400 71.0"},
			"trace":        {"Question 1 is about tone, answered held, 4; the probability of length of text goes from 30% to 45%", "Question 3 is about no criterion, answered no answer"},
		}},
		{"a survey", survey, slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == "tasks" || s == "cost" }), map[string][]string{
			"alignment": {"(survey, 12 users, 1 seed): static+answers"},
		}},
		{"nothing is defined", empty, all, map[string][]string{
			"alignment": {"pep+model undefined"}, "gain": {"pep+model minus twin+model undefined"}, "calibration": {"unasked undefined"},
			"forest": {"static+answers minus static+model undefined"}, "params": {"pep+model at 2,000 undefined"},
		}},
	} {
		list, err := pageFigures(row.run.metrics())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range list {
			names = append(names, f.Name)
			svg := string(f.SVG)
			if len(svg) > 150_000 {
				t.Errorf("%s: %s has %d bytes", row.reason, f.Name, len(svg))
			}
			if !strings.Contains(svg, `width="496.06pt"`) {
				t.Errorf("%s: %s is not as wide as a page: %.300s", row.reason, f.Name, svg)
			}
			if !strings.Contains(html.UnescapeString(svg), ">"+f.Title+"<") || f.Title == "" {
				t.Errorf("%s: %s has not its title %q", row.reason, f.Name, f.Title)
			}
			for _, bad := range []string{"base64", "@font-face", "NaN", "Inf"} {
				if strings.Contains(svg, bad) || strings.Contains(f.Alt, bad) {
					t.Errorf("%s: %s has %s", row.reason, f.Name, bad)
				}
			}
			if !strings.Contains(svg, "'Liberation Sans',Arial") {
				t.Errorf("%s: %s names no other font", row.reason, f.Name)
			}
			if !strings.HasSuffix(f.Alt, ".") {
				t.Errorf("%s: %s is no sentence: %q", row.reason, f.Name, f.Alt)
			}
			for _, want := range row.says[f.Name] {
				if !strings.Contains(f.Alt, want) {
					t.Errorf("%s: %s does not say %q in %q", row.reason, f.Name, want, f.Alt)
				}
			}
		}
		if !slices.Equal(names, row.names) {
			t.Errorf("%s: figures %q, want %q", row.reason, names, row.names)
		}
	}
	for _, s := range []*SweepMetrics{madeSweep(1), madeSweep(2)} {
		list, err := onScreen(sweepFigures(s))
		if err != nil || len(list) < 2 {
			t.Fatal(list, err)
		}
		for _, f := range list {
			if f.Title == "" || !strings.Contains(f.Alt, "71.0") && f.Name != "gridgain" || f.Name == "gridgain" && !strings.Contains(f.Alt, "-2.0 (-3.0 to -1.0)") {
				t.Errorf("%s: %q says %q", f.Name, f.Title, f.Alt)
			}
		}
	}
}

// TestForms: which figures have a second width, how it is called, and what does not fit a
// page is left out.
func TestForms(t *testing.T) {
	many := made{clusters: 8}
	for i := range 14 {
		many.bases = append(many.bases, fmt.Sprint("way-of-asking-", i))
	}
	one := plainRun()
	one.bases = []string{"pep"}
	for _, row := range []struct {
		reason string
		run    made
		want   map[string]string
	}{
		{"a run", plainRun(), map[string]string{
			"alignment": "alignment alignment-page", "interactions": "interactions interactions-column", "tree": "tree", "tasks": "tasks", "trace": "trace",
			"forest": "forest forest-column", "calibration": "calibration calibration-column", "params": "params params-page", "cost": "cost cost-page",
		}},
		{"one way of asking is a tree for a column", one, map[string]string{"tree": "tree tree-page"}},
		{"28 rows are too many for two panels one above the other", many, map[string]string{"interactions": "interactions", "alignment": "alignment alignment-column"}},
	} {
		for _, f := range figures(row.run.metrics()) {
			var names []string
			for _, s := range f.forms(newPen()) {
				names = append(names, s.name)
				if s.h > pageHeight+2*vg.Centimeter {
					t.Errorf("%s: %s is %v cm high", row.reason, s.name, s.h/vg.Centimeter)
				}
				want := vg.Length(pageWidth)
				if strings.HasSuffix(s.name, "-column") {
					want = columnWidth
				}
				if strings.Contains(s.name, "-") && s.w != want {
					t.Errorf("%s: %s is %v wide", row.reason, s.name, s.w)
				}
			}
			if want := row.want[f.name]; want != "" && strings.Join(names, " ") != want {
				t.Errorf("%s: forms %q, want %q", row.reason, names, want)
			}
		}
	}
}

// TestStaleForms: what an earlier report left of a figure goes in all its widths.
func TestStaleForms(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"gain.svg", "gain-page.png", "cost-page.pdf", "other.png", "alignment-column.png"} {
		if err := os.MkdirAll(filepath.Join(dir, "figures"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "figures", name), []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := &Summary{}
	if err := s.put(dir, []File{{"figures/alignment.svg", []byte("new")}}, optionalFigures()...); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "figures"))
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{"alignment.svg", "other.png"}; !slices.Equal(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
	// Every figure of a run is among those.
	for _, f := range figures(plainRun().metrics()) {
		if !slices.Contains(optionalFigures(), "figures/"+f.name) {
			t.Errorf("nobody removes an old %s", f.name)
		}
		if titleOf(f.name) == "" {
			t.Errorf("%s has no title", f.name)
		}
	}
}

// TestTrace: which session is kept, whatever the order of the file, and of which criteria.
func TestTrace(t *testing.T) {
	y := synth{tasks: 2, users: 3, seeds: 1, criteria: 14, budget: 3, horizon: 4}
	fail := func(id string) func(*record.Manifest, *[]record.Session) {
		return func(_ *record.Manifest, all *[]record.Session) {
			for i := range *all {
				if (*all)[i].ID == id {
					(*all)[i].Error = "down"
				}
			}
		}
	}
	for _, row := range []struct {
		reason  string
		change  func(*record.Manifest, *[]record.Session)
		session string
	}{
		{"the first of kind pep that predicts from a population", nil, "pep+belief/1/task-00/user-000"},
		{"not one that failed", fail("pep+belief/1/task-00/user-000"), "pep+belief/1/task-00/user-001"},
		{"without pep another that asks and predicts", func(m *record.Manifest, _ *[]record.Session) {
			m.Strategies = slices.DeleteFunc(m.Strategies, func(s record.Strategy) bool { return s.Kind == "pep" })
			m.Report.TargetOf, m.Report.Reference = "", ""
		}, "random+belief/1/task-00/user-000"},
		{"nobody predicts from a population", func(m *record.Manifest, _ *[]record.Session) {
			m.Strategies = slices.DeleteFunc(m.Strategies, func(s record.Strategy) bool { return s.Predict != "answers" })
			m.Report.TargetOf, m.Report.Reference = "", ""
		}, ""},
	} {
		y.change = row.change
		dir := y.write(t)
		m := Compute(load(t, dir))
		if row.session == "" {
			if m.Trace != nil {
				t.Errorf("%s: a trace of %s", row.reason, m.Trace.Session)
			}
			continue
		}
		if m.Trace == nil || m.Trace.Session != row.session {
			t.Fatalf("%s: %+v", row.reason, m.Trace)
		}
		// The same from a journal in another order.
		name := filepath.Join(dir, record.SessionsFile)
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(b)), "\n")
		slices.Reverse(lines)
		if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		again := Compute(load(t, dir))
		a, err := m.JSON()
		if err != nil {
			t.Fatal(err)
		}
		c, err := again.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if string(a) != string(c) {
			t.Errorf("%s: another order of the file, another trace: %+v, was %+v", row.reason, again.Trace, m.Trace)
		}
	}
}

// TestTraceShows: of what was not asked about, no criterion that is left out changed more
// than one that is shown.
func TestTraceShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "criteria")
		p := rapid.Float64Range(0, 1)
		inference := func(name string) record.Inference {
			f := domains.NewInference(n)
			for i := range n {
				f.Held[i] = p.Draw(t, name)
				f.Value[i] = 1 + 4*p.Draw(t, name)
			}
			return record.NewInference(f)
		}
		s := &record.Session{ID: "x", Strategy: "pep", Prior: inference("prior")}
		for i := range n {
			s.Criteria, s.Truth.Cells = append(s.Criteria, fmt.Sprint("c", i)), append(s.Truth.Cells, domains.NotHeld())
		}
		turns := rapid.IntRange(1, 6).Draw(t, "turns")
		asked := map[string]bool{}
		budget := rapid.IntRange(1, 6).Draw(t, "budget")
		change := make([]float64, n)
		before := s.Prior
		for i := range turns {
			q := rapid.IntRange(-1, n-1).Draw(t, "question")
			now := inference("turn")
			s.Turns = append(s.Turns, record.Turn{Question: q, Answer: domains.NotHeld(), Inference: now})
			if i >= budget {
				continue
			}
			if q >= 0 {
				asked[s.Criteria[q]] = true
			}
			for c := range n {
				change[c] += math.Abs(now.Held[c] - before.Held[c])
			}
			before = now
		}
		got := newTrace(s, budget)
		if len(got.Turns) != min(turns, budget) || got.Others+len(got.Criteria) != n || len(got.Criteria) != min(n, len(asked)+mostTraced) {
			t.Fatalf("%d turns, %d criteria, %d others", len(got.Turns), len(got.Criteria), got.Others)
		}
		least := math.Inf(1)
		for c, id := range s.Criteria {
			shown := slices.Contains(got.Criteria, id)
			switch {
			case asked[id] && !shown:
				t.Fatalf("%s was asked about and is not shown", id)
			case shown && !asked[id]:
				least = min(least, change[c])
			}
		}
		for c, id := range s.Criteria {
			if !slices.Contains(got.Criteria, id) && change[c] > least+1e-5 {
				t.Fatalf("%s changed by %v and is not shown, unlike one that changed by %v", id, change[c], least)
			}
		}
		for j, id := range got.Criteria {
			c := slices.Index(s.Criteria, id)
			for i, turn := range got.Turns {
				if f := s.Turns[i].Inference; float64(turn.Beliefs[j].Held) != f.Held[c] || float64(turn.Beliefs[j].Value) != f.Value[c] {
					t.Fatalf("turn %d: %v of %s", i+1, turn.Beliefs[j], id)
				}
			}
		}
	})
}

// TestDifferences: the family comes first, nothing is shown twice or against itself.
func TestDifferences(t *testing.T) {
	for _, row := range []struct {
		reason string
		change func(*Metrics)
		want   string
	}{
		{
			"the reference's, then the twins'", nil,
			"static+answers-static+model twin+answers-static+model twin+model-static+model pep+answers-static+model pep+model-static+model pep+answers-twin+answers pep+model-twin+model",
		},
		{
			"a twin that is the reference is no second row", func(m *Metrics) { m.Reference = "twin+model" },
			"static+answers-twin+model twin+answers-twin+model pep+answers-twin+model pep+model-twin+model pep+answers-twin+answers",
		},
		{"neither reference nor twin", func(m *Metrics) {
			m.Reference = ""
			for i := range m.Strategies {
				m.Strategies[i].Difference, m.Strategies[i].Gain = nil, nil
			}
		}, ""},
	} {
		d := plainRun()
		d.change = row.change
		m := d.metrics()
		var got []string
		for _, d := range m.differences() {
			got = append(got, d.Row.Name+"-"+d.against)
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("%s: %q, want %q", row.reason, got, row.want)
		}
		there := slices.ContainsFunc(figures(m), func(f figure) bool { return f.name == "forest" })
		if there != (row.want != "") {
			t.Errorf("%s: a forest is drawn: %v", row.reason, there)
		}
	}
	for _, row := range []struct {
		reason string
		test   *test
		want   string
	}{
		{"no test", nil, ""},
		{"too few clusters", &test{Method: ByNothing, P: undefined(), Holm: undefined()}, "cannot tell"},
		{"corrected in the family", &test{Method: BySignFlip, P: .001, Holm: .012, Family: 3}, "p=.012"},
		{"raw outside of it", &test{Method: ByT, P: .34, Holm: undefined()}, "p=.34"},
		{"tiny", &test{Method: BySignFlip, P: .0002, Holm: undefined()}, "p<.001"},
	} {
		if got := (&difference{Test: row.test}).tested(); got != row.want {
			t.Errorf("%s: %q, want %q", row.reason, got, row.want)
		}
	}
}

// TestScatter: where a row lies on the axis, or that it has no place there.
func TestScatter(t *testing.T) {
	un := undefined()
	for _, row := range []struct {
		reason         string
		row            Row
		params, tokens Number
	}{
		{"no model at all", Row{}, 0, un},
		{"a model of a server that asks", Row{Strategy: record.Strategy{Kind: kindAsker, Params: 5}}, un, un},
		{"a log that does not say what chose", Row{Strategy: record.Strategy{Kind: kindReplay, Params: 5, Policy: &record.Policy{}}}, un, un},
		{"a replay of a policy of ours", Row{Strategy: record.Strategy{Kind: kindReplay, Params: 90, Policy: &record.Policy{Params: 85}}}, 90, un},
		{"the judge is left out", Row{Cost: &cost{Sessions: 4, Roles: []roleCost{{Role: "solver", Calls: 4, TokensIn: 300, TokensOut: 100}, {Role: "judge", Calls: 9, TokensIn: 5000}}}}, 0, 100},
		{"all who talk", Row{Cost: &cost{Sessions: 1, Roles: []roleCost{{Role: "asker", TokensIn: 1}, {Role: "user", TokensIn: 2}, {Role: "interpreter", TokensIn: 4}}}}, 0, 7},
		{"no server counted", Row{Cost: &cost{Sessions: 4, Roles: []roleCost{{Role: "solver", Calls: 4}}}}, 0, un},
		{"the judge alone was called", Row{Cost: &cost{Sessions: 4, Roles: []roleCost{{Role: "judge", Calls: 4, TokensIn: 9}}}}, 0, 0},
	} {
		same := func(a, b Number) bool { return a == b || !a.Defined() && !b.Defined() }
		if got := modelParams(&row.row); !same(got, row.params) {
			t.Errorf("%s: %v parameters, want %v", row.reason, got, row.params)
		}
		if got := sessionTokens(&row.row); !same(got, row.tokens) {
			t.Errorf("%s: %v tokens, want %v", row.reason, got, row.tokens)
		}
	}
	for e, want := range map[int]string{0: "1", 1: "10", 2: "100", 3: "1k", 4: "10k", 6: "1M", 9: "1G", 10: "10G", -1: "1e-1", 20: "1e20"} {
		if got := round10(e); got != want {
			t.Errorf("10^%d is %q, want %q", e, got, want)
		}
	}
	// A 0 has a place before all others, and what is larger lies further to the right.
	rapid.Check(t, func(t *rapid.T) {
		lo := rapid.Float64Range(1, 1e6).Draw(t, "lo")
		hi := lo * rapid.Float64Range(1, 1e6).Draw(t, "times")
		for _, s := range []scatter{{log: true, none: "none"}, {}} {
			at, marks, a, b := s.axis(lo, hi, true)
			if !(a < at(0) && at(0) < at(lo) && at(lo) <= at(hi) && at(hi) < b) {
				t.Fatalf("log %v: 0 at %v, %v at %v, %v at %v of %v..%v", s.log, at(0), lo, at(lo), hi, at(hi), a, b)
			}
			if len(marks) < 2 {
				t.Fatalf("log %v: marks %v", s.log, marks)
			}
		}
	})
}

// TestSpread: points that hide nobody stay, the others keep their order, stay near and do
// not hide each other as long as there is room.
func TestSpread(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const gap, lo, hi = 6, 0, 300
		at := make([]mark, rapid.IntRange(1, 12).Draw(t, "n"))
		for i := range at {
			y := vg.Length(rapid.IntRange(0, 100).Draw(t, "y"))
			at[i] = mark{vg.Length(rapid.IntRange(20, 280).Draw(t, "at")), y - vg.Length(rapid.IntRange(0, 9).Draw(t, "down")), y}
		}
		const roomy = 4 * gap * 12
		got, tight := spread(at, gap, roomy, lo, hi), spread(at, gap, 4*gap, lo, hi)
		over := func(i, j int) bool { return at[i].low-gap < at[j].high && at[j].low-gap < at[i].high }
		for i := range at {
			lone := true
			for j := range at {
				if i == j || !over(i, j) {
					continue
				}
				lone = false
				if d := got[i] - got[j]; d < .99*gap && d > -.99*gap {
					t.Fatalf("points at %v and %v hide each other at %v and %v", at[i], at[j], got[i], got[j])
				}
				if i < j && at[i].x == at[j].x && (got[i] >= got[j] || tight[i] >= tight[j]) {
					t.Fatalf("points %d and %d at %v are at %v and %v", i, j, at[i], got[i], got[j])
				}
			}
			if lone && got[i] != at[i].x {
				t.Fatalf("a lone point at %v moved to %v", at[i], got[i])
			}
			if got[i] < lo || got[i] > hi || tight[i] < lo || tight[i] > hi {
				t.Fatalf("a point at %v left the plot, to %v or %v", at[i], got[i], tight[i])
			}
		}
	})
	// On one height far enough apart, or at one place at different heights, nobody moves.
	for _, at := range [][]mark{{{50, 0, 2}, {56, 0, 2}, {62, 0, 2}}, {{50, 0, 2}, {50, 9, 12}, {50, 20, 21}}} {
		for i, x := range spread(at, 6, 24, 0, 300) {
			if x != at[i].x {
				t.Errorf("%v: the one at %v moved to %v", at, at[i].x, x)
			}
		}
	}
}

// TestTaskLines: by falling mean over what has one, those without last, and no survey.
func TestTaskLines(t *testing.T) {
	u := undefined()
	m := &Metrics{Cluster: "task", ClusterIDs: []string{"a", "b", "c", "d"}, Strategies: []Row{
		{Strategy: record.Strategy{Name: "x", Base: "x", Kind: "pep"}, ClusterMeans: []Number{10, u, 50, 20}},
		{Strategy: record.Strategy{Name: "y", Base: "y", Kind: "pep"}, ClusterMeans: []Number{30, u, u, 20}},
	}}
	var got []string
	for _, l := range taskLines(m, askingRows(m)) {
		got = append(got, fmt.Sprintf("%s %s", l.id, num(Number(l.mean), "%.0f")))
	}
	if want := "c 50, a 20, d 20, b " + num(u, "%.0f"); strings.Join(got, ", ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, row := range []struct {
		reason string
		change func()
		want   bool
	}{
		{"tasks", func() {}, true},
		{"a survey", func() { m.Cluster = "user" }, false},
		{"one task", func() { m.Cluster, m.ClusterIDs = "task", m.ClusterIDs[:1] }, false},
		{"a former metrics.json, without means", func() {
			m.ClusterIDs = []string{"a", "b", "c", "d"}
			m.Strategies[0].ClusterMeans, m.Strategies[1].ClusterMeans = nil, nil
		}, false},
		{"more than fit a page", func() {
			m.ClusterIDs = make([]string, mostTasks+1)
			m.Strategies[0].ClusterMeans = make([]Number, mostTasks+1)
		}, false},
	} {
		if row.change(); m.byTask() != row.want {
			t.Errorf("%s: drawn is %v, want %v", row.reason, !row.want, row.want)
		}
	}
}

// TestNothingLiesOutside: no letters of a figure leave it or lie on others, in either width.
func TestNothingLiesOutside(t *testing.T) {
	long := plainRun()
	long.name = func(base string) string { return "a-" + strings.Repeat("rather-", 6) + "long-name-of-" + base }
	empty := plainRun()
	empty.change = nothing
	for _, row := range []struct {
		reason string
		run    made
	}{{"a run", plainRun()}, {"long names", long}, {"nothing is defined", empty}} {
		for _, f := range figures(row.run.metrics()) {
			for _, s := range f.forms(newPen()) {
				var c recorder.Canvas
				s.render(draw.Crop(draw.NewCanvas(&c, s.w, s.h), margin, -margin, margin, -margin))
				type box struct {
					text           string
					x0, x1, y0, y1 vg.Length
				}
				var boxes []box
				turned := []bool{false} // by Push: letters that do not lie flat
				p := newPen()
				for _, a := range c.Actions {
					switch a := a.(type) {
					case *recorder.Push:
						turned = append(turned, turned[len(turned)-1])
					case *recorder.Pop:
						turned = turned[:len(turned)-1]
					case *recorder.Rotate:
						turned[len(turned)-1] = true
					case *recorder.FillString:
						if turned[len(turned)-1] || strings.TrimSpace(a.String) == "" {
							continue
						}
						size := a.Font.Size
						b := box{a.String, a.Point.X, a.Point.X + p.style(size, draw.XLeft, draw.YCenter).Width(a.String), a.Point.Y, a.Point.Y + .7*size}
						if b.x0 < 0 || b.x1 > s.w || b.y0 < -1 || b.y1 > s.h+1 {
							t.Errorf("%s: %s: %q lies outside: %.0f to %.0f of %.0f, %.0f of %.0f", row.reason, s.name, b.text, b.x0, b.x1, s.w, b.y0, s.h)
						}
						for _, o := range boxes {
							if b.x0 < o.x1-.5 && o.x0 < b.x1-.5 && b.y0 < o.y1-.5 && o.y0 < b.y1-.5 {
								t.Errorf("%s: %s: %q lies on %q", row.reason, s.name, b.text, o.text)
							}
						}
						boxes = append(boxes, b)
					}
				}
				if len(boxes) < 5 {
					t.Errorf("%s: %s: %d texts", row.reason, s.name, len(boxes))
				}
			}
		}
	}
}

// BenchmarkFigures renders all figures of a run in all widths, by format.
func BenchmarkFigures(b *testing.B) {
	m := plainRun().metrics()
	for _, format := range []struct {
		name  string
		write func(sketch, io.Writer) error
	}{
		{"svg", sketch.svg},
		{"png", func(s sketch, w io.Writer) error { return s.png(w, paperDPI) }},
		{"pdf", sketch.pdf},
	} {
		b.Run(format.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p := newPen()
				for _, f := range figures(m) {
					for _, s := range f.forms(p) {
						if err := format.write(s, io.Discard); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
		})
	}
}

// TestCrowded: rows that are too many for one plot of calibration have one a prediction, and
// points of one mark have one key, which names them from left to right.
func TestCrowded(t *testing.T) {
	run := func(bases, predicts int) *Metrics {
		m := &Metrics{Cluster: "task", Final: 3}
		for i := range bases {
			for j := range predicts {
				r := Row{Strategy: record.Strategy{Name: fmt.Sprintf("b%d+p%d", i, j), Base: fmt.Sprint("b", i), Kind: "pep", Predict: fmt.Sprint("p", j), Params: 100 * (predicts - j)}}
				r.Calibration = []calibrated{{Scope: "unasked", Questions: 3}, {Scope: "whole", Questions: 3}}
				m.Strategies = append(m.Strategies, r)
			}
		}
		return m
	}
	for _, row := range []struct {
		reason          string
		bases, predicts int
		plots           string
		keys            string
		alike           bool
	}{
		{"few rows have both scopes", 2, 1, "Criteria that were not asked about 2, All criteria 2", "b0+p0; b1+p0", false},
		{"so have many of one prediction", 12, 1, "Criteria that were not asked about 12, All criteria 12", "b0+p0; b1+p0; b2+p0; b3+p0; b4+p0; b5+p0; b6+p0; b7+p0; b8+p0; b9+p0; b10+p0; b11+p0", false},
		{"ten are not too many", 5, 2, "Criteria that were not asked about 10, All criteria 10", "b0+p1, +p0; b1+p1, +p0; b2+p1, +p0; b3+p1, +p0; b4+p1, +p0", true},
		{"twelve of three are", 4, 3, "predicts from p0 4, predicts from p1 4, predicts from p2 4", "b0+p2, +p1, +p0; b1+p2, +p1, +p0; b2+p2, +p1, +p0; b3+p2, +p1, +p0", true},
	} {
		m := run(row.bases, row.predicts)
		list, _ := m.calibrationPlots(m.calibratedRows())
		var plots []string
		for _, p := range list {
			plots = append(plots, fmt.Sprintf("%s %d", p.heading, len(p.rows)))
		}
		if got := strings.Join(plots, ", "); got != row.plots {
			t.Errorf("%s: plots %s", row.reason, got)
		}
		rows := askingRows(m)
		var names []string
		for _, r := range rows {
			names = append(names, r.Name)
		}
		if _, text, alike := paramsScatter().alike(rows, names); strings.Join(text, "; ") != row.keys || alike != row.alike {
			t.Errorf("%s: keys %q, alike %v", row.reason, text, alike)
		}
	}
}

// TestSweepUsers: where cells have different numbers of users a note on their intervals
// says so.
func TestSweepUsers(t *testing.T) {
	s := madeSweep(1)
	s.Intervals = OverBoth
	for _, row := range []struct {
		reason string
		last   int
		want   string
	}{
		{"all alike", 24, "Intervals: 95% bootstrap over 8 tasks and 24 users."},
		{"one has more", 27, "Intervals: 95% bootstrap over 8 tasks and 24 to 27 users."},
	} {
		s.Cells[len(s.Cells)-1].Users = row.last
		if got := s.intervals(intervalNote, "Intervals"); got != row.want {
			t.Errorf("%s: %q", row.reason, got)
		}
	}
}

// TestTurnNote: a survey has one task, and no intervals in metrics.json to point at.
func TestTurnNote(t *testing.T) {
	for _, row := range []struct {
		survey   bool
		has, not string
	}{{true, "A survey has one task: no intervals.", "metrics.json"}, {false, "in metrics.json", "A survey has"}} {
		run := plainRun()
		run.survey, run.clusters = row.survey, 12
		for _, f := range figures(run.metrics()) {
			if f.name != "adaptivitybyt" {
				continue
			}
			var b bytes.Buffer
			err := f.draw(newPen()).svg(&b)
			text := strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(b.String(), " ")), " ")
			if err != nil || !strings.Contains(text, row.has) || strings.Contains(text, row.not) {
				t.Errorf("survey %v: %v, %s", row.survey, err, text)
			}
		}
	}
}
