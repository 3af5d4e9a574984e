package reports

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/reports/stats"
)

// places of pairedMeasures that tests set.
const (
	onAlignment = 0
	onQuestions = 2
	onBrier     = 4
)

// handmade makes a side of one seed whose sessions have the values that of gives; NaN
// stands for undefined.
func handmade(dir string, strategies []string, tasks, users int, of func(strategy string, task, user, measure int) float64) *side {
	s := &side{dir: dir, points: []int{0, 2}, final: 2, manifest: &record.Manifest{
		Name: "handmade", ConfigHash: strings.Repeat("ab", 32), Config: json.RawMessage(`{"name":"handmade","budget":2}`),
		Data: record.Data{Name: "made-up", Version: "1", Rubric: "amount"}, Seeds: []int{1}, Budget: 2, Horizon: 2, Checkpoints: []int{0, 2},
		Code: record.Code{Version: "v1"}, Report: record.Report{Resamples: 200, Confidence: .95, Seed: 3},
	}}
	for t := range tasks {
		s.manifest.Data.TestTasks = append(s.manifest.Data.TestTasks, fmt.Sprintf("task%02d", t))
	}
	for _, name := range strategies {
		row := &sideRow{Strategy: record.Strategy{Name: name, Base: name, Kind: "static", Predict: "belief"}, sessions: map[sessionID]*pairedSession{}, asks: map[string]pairCount{}}
		for t := range tasks {
			for u := range users {
				p := &pairedSession{}
				for k := range pairedMeasures {
					p.values = append(p.values, rounded(of(name, t, u, k)))
				}
				p.curve = []float64{rounded(p.values[0] / 2), p.values[0]}
				row.sessions[sessionID{1, fmt.Sprintf("task%02d", t), fmt.Sprintf("u%02d-%02d", t, u)}] = p
			}
		}
		s.rows = append(s.rows, row)
		s.manifest.Strategies = append(s.manifest.Strategies, row.Strategy)
	}
	s.manifest.Sessions = s.sessions()
	return s
}

// plain are values that differ by task and user.
func plain(_ string, task, user, measure int) float64 {
	return float64(40 + 3*task%7 + user + measure)
}

// worse adds to alignment what by gives.
func worse(by func(task int) float64) func(string, int, int, int) float64 {
	return func(s string, task, user, measure int) float64 {
		v := plain(s, task, user, measure)
		if measure == onAlignment {
			v -= by(task)
		}
		return v
	}
}

func gateOf(t testing.TB, text string) *Gate {
	t.Helper()
	g, err := parseGate("gate.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func compared(t testing.TB, base, run *side, g *Gate) *RunComparison {
	t.Helper()
	c, err := compareSides(base, run, g)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// lineOf finds a line of the gate.
func lineOf(t testing.TB, c *RunComparison, strategy, metric string) *gateLine {
	t.Helper()
	for i := range c.lines {
		if l := &c.lines[i]; l.strategy == strategy && l.metric == metric {
			return l
		}
	}
	t.Fatalf("no line %s %s among %d", strategy, metric, len(c.lines))
	return nil
}

// TestGateLines: what becomes of a line of alignment that may drop by 1.
func TestGateLines(t *testing.T) {
	noise := func(task int) float64 { return .4 * float64(task%3-1) } // sd about 0.34
	for _, row := range []struct {
		reason  string
		tasks   int
		by      func(task int) float64 // how much worse
		gate    string
		status  string
		failed  bool
		finding string
	}{
		{"nothing changed", 12, func(int) float64 { return 0 }, "", linePass, false, "identical"},
		{"nothing changed on one task: it is what it was", 1, func(int) float64 { return 0 }, "", linePass, false, "identical"},
		{"a little noise", 12, noise, "", linePass, false, "within the bound"},
		{"a little noise, on the fewest tasks of the t test", 6, func(t int) float64 { return noise(t) / 2 }, "", linePass, false, "within the bound"},
		{"better by much", 12, func(t int) float64 { return noise(t) - 5 }, "", linePass, false, "within the bound"},
		{"worse, but surely by less", 12, func(t int) float64 { return noise(t)/2 + .5 }, "", linePass, false, "within the bound"},
		{"worse by more", 12, func(t int) float64 { return noise(t) + 2 }, "", lineFail, true, "worse than allowed"},
		{"worse by more, on few tasks", 8, func(t int) float64 { return noise(t)/2 + 2 }, "", lineFail, true, "worse than allowed"},
		{"at the bound", 12, func(t int) float64 { return noise(t) + 1 }, "", lineUnsettled, true, "too near to the bound"},
		{"wide", 12, func(t int) float64 { return 9 * float64(t%3-1) }, "", lineUnsettled, true, "12 tasks, about"},
		{"so wide that no run is large enough", 12, func(t int) float64 { return 1000 * float64(t%3-1) }, "", lineUnsettled, true, "the bound is finer than any number of tasks tells"},
		{"wide, and that is a warning", 12, func(t int) float64 { return 9 * float64(t%3-1) }, "cannot_tell: warn", lineUnsettled, false, "12 tasks, about"},
		{"wide, and that passes", 12, func(t int) float64 { return 9 * float64(t%3-1) }, "cannot_tell: pass", lineUnsettled, false, "12 tasks, about"},
		{"one task says nothing of others", 1, func(int) float64 { return 20 }, "", lineUnsettled, true, "1 task, 6 or more needed"},
		{"nor do five", 5, func(t int) float64 { return 20 + noise(t) }, "", lineUnsettled, true, "5 tasks, 6 or more needed"},
		{"nor five that agree", 5, func(int) float64 { return 20 }, "", lineUnsettled, true, "5 tasks, 6 or more needed"},
		{"nor if it got better there", 5, func(int) float64 { return -20 }, "", lineUnsettled, true, "5 tasks, 6 or more needed"},
		{"the same drop on every task, small", 6, func(int) float64 { return .75 }, "", linePass, false, "the same in every task"},
		{"the same drop on every task, as large as allowed", 12, func(int) float64 { return 1 }, "", linePass, false, "the same in every task"},
		{"the same drop on every task, too large", 6, func(int) float64 { return 1.25 }, "", lineFail, true, "worse, the same in every task"},
		{"the same gain on every task", 12, func(int) float64 { return -3 }, "", linePass, false, "the same in every task"},
	} {
		base, run := handmade("base", []string{"a"}, row.tasks, 2, plain), handmade("run", []string{"a"}, row.tasks, 2, worse(row.by))
		c := compared(t, base, run, gateOf(t, "metrics: {alignment: {max_drop: 1}}\n"+row.gate))
		l := lineOf(t, c, "a", "alignment")
		if l.status != row.status || l.failed(c.gate) != row.failed || !strings.HasPrefix(l.finding, row.finding) {
			t.Errorf("%s: %s, failed %v, %q; want %s, %v, %q (%s)", row.reason, l.status, l.failed(c.gate), l.finding, row.status, row.failed, row.finding, l.sentence())
		}
		if got := c.Err() != nil; got != row.failed || got != errors.Is(c.Err(), ErrRegression) {
			t.Errorf("%s: the comparison says %v", row.reason, c.Err())
		}
		for _, text := range []string{c.Text(120), string(c.Markdown())} {
			if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
				t.Errorf("%s: a number is none:\n%s", row.reason, text)
			}
		}
	}
}

// TestGateAgainstBruteForce: a line passes where the one-sided sign-flip test, by trying
// all signs, rejects a drop of the bound or more, and fails where it rejects less; at most
// is where the former turns.
func TestGateAgainstBruteForce(t *testing.T) {
	below := func(x []float64, bound float64) float64 { // P(mean of flipped x - bound <= that observed)
		observed, hits := 0.0, 0
		for _, v := range x {
			observed += v - bound
		}
		for pattern := range 1 << len(x) {
			sum := 0.0
			for i, v := range x {
				if pattern>>i&1 == 1 {
					sum -= v - bound
				} else {
					sum += v - bound
				}
			}
			if sum <= observed+1e-9 {
				hits++
			}
		}
		return float64(hits) / float64(int(1)<<len(x))
	}
	seen := map[string]int{}
	rapid.Check(t, func(r *rapid.T) {
		shift := rapid.IntRange(-20, 40).Draw(r, "shift")
		by := rapid.SliceOfN(rapid.IntRange(-16, 16), 10, 11).Draw(r, "by") // eighths: sums are exact
		x := make([]float64, len(by))
		for i := range by {
			x[i] = float64(by[i]+shift) / 8
		}
		base, run := handmade("base", []string{"a"}, len(x), 1, plain), handmade("run", []string{"a"}, len(x), 1, worse(func(t int) float64 { return x[t] }))
		c := compared(t, base, run, gateOf(t, "metrics: {alignment: {max_drop: 1}}"))
		l := lineOf(t, c, "a", "alignment")
		seen[l.status]++
		negative := make([]float64, len(x))
		for i := range x {
			negative[i] = -x[i]
		}
		want := lineUnsettled
		switch {
		case slices.Max(x) == 0 && slices.Min(x) == 0, constant(x) && x[0] <= 1:
			want = linePass
		case constant(x):
			want = lineFail
		case below(x, 1) <= .05:
			want = linePass
		case below(negative, -1) <= .05:
			want = lineFail
		}
		if l.status != want {
			r.Fatalf("%v: %s, want %s", x, l.sentence(), want)
		}
		if l.measure.unchanged || l.measure.certain {
			return
		}
		if below(x, l.most+1e-6) > .05 || below(x, l.most-1e-6) <= .05 {
			r.Fatalf("%v: at most %v", x, l.most)
		}
	})
	if seen[linePass] == 0 || seen[lineFail] == 0 || seen[lineUnsettled] == 0 {
		t.Errorf("not everything was drawn: %v", seen)
	}
}

// TestHolmOverGate: a line among many needs more to be called a regression, and no less
// to pass.
func TestHolmOverGate(t *testing.T) {
	names := []string{"a"}
	for i := range 11 {
		names = append(names, fmt.Sprintf("b%02d", i))
	}
	drop := func(s string, task, user, measure int) float64 {
		v := plain(s, task, user, measure)
		if measure == onAlignment {
			switch x := float64(task%5) - 2; {
			case s == "a":
				v -= 2.8 + x // p about 0.01
			default:
				v -= .9 + 1.5*x
			}
		}
		return v
	}
	for _, row := range []struct {
		reason string
		gate   string
		want   string
	}{
		{"alone", "strategies: [a]", lineFail},
		{"one of twelve", "", lineUnsettled},
	} {
		c := compared(t, handmade("base", names, 10, 2, plain), handmade("run", names, 10, 2, drop), gateOf(t, row.gate+"\nmetrics: {alignment: {max_drop: 1.6}}"))
		if l := lineOf(t, c, "a", "alignment"); l.status != row.want {
			t.Errorf("%s: %s, want %s", row.reason, l.sentence(), row.want)
		}
	}
}

// TestWhatIsMissing: what a run lacks fails, in words of its own.
func TestWhatIsMissing(t *testing.T) {
	undefinedIn := func(tasks int) func(string, int, int, int) float64 {
		return func(s string, task, user, measure int) float64 {
			if task < tasks && measure == onBrier {
				return math.NaN()
			}
			return plain(s, task, user, measure)
		}
	}
	whole := func() *side { return handmade("base", []string{"a", "b"}, 8, 2, plain) }
	for _, row := range []struct {
		reason, gate, strategy, metric, status, says string
		base, run                                    func() *side
	}{
		{"a strategy is gone", "metrics: {alignment: {equal: true}}", "b", sessionsLine, lineFail, "the run does not have this strategy any more", whole, func() *side { return handmade("run", []string{"a"}, 8, 2, plain) }},
		{"a strategy is named that the base does not have", "metrics: {alignment: {equal: true, strategies: [c]}}", "c", sessionsLine, lineFail, "neither run has this strategy", whole, whole},
		{"a strategy is named that the run alone has", "strategies: [c]\nmetrics: {alignment: {equal: true}}", "c", sessionsLine, lineFail, "the base does not have this strategy", whole, func() *side { return handmade("run", []string{"a", "b", "c"}, 8, 2, plain) }},
		{"a task is gone", "metrics: {alignment: {equal: true}}", "a", sessionsLine, lineFail, "2 of 16 sessions of the base are missing in the run", whole, func() *side { return handmade("run", []string{"a", "b"}, 7, 2, plain) }},
		{"a task is gone, as it may", "max_missing: 0.2\nmetrics: {alignment: {equal: true}}", "a", sessionsLine, linePass, "14 pairs of sessions", whole, func() *side { return handmade("run", []string{"a", "b"}, 7, 2, plain) }},
		{"a task is new", "metrics: {alignment: {equal: true}}", "a", sessionsLine, linePass, "16 pairs of sessions", whole, func() *side { return handmade("run", []string{"a", "b"}, 9, 2, plain) }},
		{"too few to go by", "min_pairs: 17\nmetrics: {alignment: {equal: true}}", "a", sessionsLine, lineFail, "only 16 pairs of sessions, 17 are asked for", whole, whole},
		{"a measure is undefined now", "metrics: {brier: {max_rise: .9}}", "a", "brier", lineFail, "undefined in the run in 16 of 16 sessions that have a value in the base", whole, func() *side { return handmade("run", []string{"a", "b"}, 8, 2, undefinedIn(8)) }},
		{"a measure is undefined on some tasks now", "metrics: {brier: {max_rise: .9}}", "a", "brier", lineFail, "undefined in the run in 2 of 16 sessions that have a value in the base", whole, func() *side { return handmade("run", []string{"a", "b"}, 8, 2, undefinedIn(1)) }},
		{"too few values to go by, of sessions that would do", "min_pairs: 16\nmetrics: {brier: {max_rise: .9}}", "a", "brier", lineUnsettled, "only 14 pairs of sessions have a value in both, 16 are asked for", func() *side { return handmade("base", []string{"a", "b"}, 8, 2, undefinedIn(1)) }, whole},
		{"as it may be", "max_missing: 0.2\nmetrics: {brier: {max_rise: .9}}", "a", "brier", linePass, "identical in 14 sessions", whole, func() *side { return handmade("run", []string{"a", "b"}, 8, 2, undefinedIn(1)) }},
		{"a measure is named that has no value in the base", "metrics: {brier: {max_rise: .9, strategies: [a]}}", "a", "brier", lineFail, "the base has no value to compare with", func() *side { return handmade("base", []string{"a", "b"}, 8, 2, undefinedIn(8)) }, whole},
		{"not equal by the last decimal", "metrics: {brier: {equal: true}}", "a", "brier", lineFail, "not equal: 48.0357 to 48.0357", whole, func() *side {
			s := whole()
			for _, p := range s.row("a").sessions {
				p.values[onBrier] = rounded(p.values[onBrier] + 1e-6)
				break
			}
			return s
		}},
	} {
		c := compared(t, row.base(), row.run(), gateOf(t, row.gate))
		l := lineOf(t, c, row.strategy, row.metric)
		if l.status != row.status || !strings.HasPrefix(l.says, row.says[:min(len(row.says), 10)]) || row.reason != "not equal by the last decimal" && l.says != row.says {
			t.Errorf("%s: %s: %s, want %s: %s", row.reason, l.status, l.says, row.status, row.says)
		}
		if row.status != linePass && c.Err() == nil {
			t.Errorf("%s: the gate passes", row.reason)
		}
	}
	// Without names, what the base has no value of is no line, and said; but a measure
	// that it has nowhere fails, so that no gate passes whatever happens.
	half := handmade("base", []string{"a", "b"}, 8, 2, func(s string, task, user, measure int) float64 {
		if s == "b" && measure == onBrier {
			return math.NaN()
		}
		return plain(s, task, user, measure)
	})
	c := compared(t, half, half, gateOf(t, "metrics: {brier: {max_rise: .9}, alignment: {equal: true}}"))
	if l := lineOf(t, c, "a", "brier"); l.status != linePass || c.Err() != nil || !slices.Equal(c.untested, []string{"relevance error of b"}) || !strings.Contains(c.Text(120), "Not gated, since the base has no value: relevance error of b.") {
		t.Errorf("%v, %v, %q", l, c.Err(), c.untested)
	}
	none := handmade("base", []string{"a", "b"}, 8, 2, undefinedIn(8))
	c = compared(t, none, none, gateOf(t, "metrics: {brier: {max_rise: .9}, alignment: {equal: true}}"))
	if l := lineOf(t, c, "all", "brier"); l.status != lineFail || c.Err() == nil {
		t.Errorf("a measure that is defined nowhere: %s", l.sentence())
	}
	survey := func() *side {
		s := handmade("base", []string{"a"}, 1, 8, plain)
		s.manifest.Data.Rubric = string(domains.NoRubric)
		return s
	}
	for _, gate := range []string{"metrics: {adaptivity: {max_drop: 0.1}}", "metrics: {adaptivity: {max_drop: 0.1, strategies: [a]}}"} {
		if c := compared(t, survey(), survey(), gateOf(t, gate)); c.Err() == nil {
			t.Errorf("the adaptivity of a survey passes: %s", gate)
		}
	}
}

// TestInstruments: a gate does not pass in silence what was measured otherwise, by which a
// run that is worse may look better.
func TestInstruments(t *testing.T) {
	for _, row := range []struct {
		reason string
		gate   string
		change func(*side)
		failed bool
	}{
		{"nothing changed", "", func(*side) {}, false},
		{"more questions", "", func(s *side) { s.final = 4 }, true},
		{"more questions, and what cannot be told is a warning", "cannot_tell: warn\n", func(s *side) { s.final = 4 }, false},
		{"another judge", "", func(s *side) { s.manifest.Judge = "j2" }, true},
		{"other data", "", func(s *side) { s.manifest.Data.Sources = []domains.Source{{Path: "tasks.yaml", SHA256: "77"}} }, true},
		{"other data, and yet the very same sessions", "", func(s *side) {
			s.manifest.Data.Sources = []domains.Source{{Path: "tasks.yaml", SHA256: "77"}}
			s.sha = "ab"
		}, false},
		{"another solver is what a gate may be for", "", func(s *side) { s.manifest.Solver = "s2" }, false},
	} {
		base, run := handmade("base", []string{"a"}, 12, 2, plain), handmade("run", []string{"a"}, 12, 2, worse(func(t int) float64 { return -3 - .1*float64(t%3) }))
		base.sha = "ab"
		row.change(run)
		c := compared(t, base, run, gateOf(t, row.gate+"metrics: {alignment: {max_drop: 1}}"))
		if got := c.Err() != nil; got != row.failed {
			t.Errorf("%s: %v", row.reason, c.Err())
		}
		if row.failed && !strings.Contains(c.Err().Error(), "all instrument (cannot tell: the ") {
			t.Errorf("%s: %v", row.reason, c.Err())
		}
	}
}

// TestSurveyClusters: the users of a survey are its clusters.
func TestSurveyClusters(t *testing.T) {
	side := func(dir string, by float64) *side {
		s := handmade(dir, []string{"a"}, 1, 12, func(_ string, _, user, measure int) float64 { return float64(user) - by*float64(1+user%3) })
		s.manifest.Data.Rubric = string(domains.NoRubric)
		return s
	}
	c := compared(t, side("base", 0), side("run", 2), gateOf(t, "metrics: {alignment: {max_drop: 1}}"))
	if l := lineOf(t, c, "a", "alignment"); l.status != lineFail || l.measure.defined != 12 || c.clusters != 12 || !strings.Contains(c.Text(120), "  users\n") {
		t.Errorf("%s\n%s", l.sentence(), c.Text(120))
	}
}

// TestRunDifference: means, differences and counts against sums by hand.
func TestRunDifference(t *testing.T) {
	base := handmade("base", []string{"a"}, 3, 2, plain)
	run := handmade("run", []string{"a"}, 3, 2, plain)
	id := func(task, user int) sessionID {
		return sessionID{1, fmt.Sprintf("task%02d", task), fmt.Sprintf("u%02d-%02d", task, user)}
	}
	set := func(s *side, task int, v ...float64) {
		for u := range v {
			s.row("a").sessions[id(task, u)].values[onQuestions] = v[u]
		}
	}
	nan := math.NaN()
	set(base, 0, 1, 3)
	set(run, 0, 2, 3) // differs by 1/2
	set(base, 1, 4, nan)
	set(run, 1, 6, 5) // by 2, one session has a value in the run alone
	set(base, 2, 7, 2)
	set(run, 2, nan, 2) // by 0, one session has a value in the base alone
	c := compared(t, base, run, nil)
	d := c.rows[0].measures[onQuestions]
	if d.base != (2+4+2)/3. || d.run != (2.5+6+2)/3 || math.Abs(d.delta-2.5/3) > 1e-12 {
		t.Errorf("%v, %v, %v", d.base, d.run, d.delta)
	}
	if d.n != 4 || d.lost != 1 || d.gained != 1 || d.defined != 3 || d.equal || d.certain || !math.IsNaN(d.p) {
		t.Errorf("%+v", d)
	}
	if got := d.verdict(.05); got != "cannot tell" {
		t.Errorf("three tasks: %s", got)
	}
	if a := c.rows[0].measures[onAlignment]; !a.equal || a.verdict(.05) != "identical" {
		t.Errorf("alignment: %+v", a)
	}
}

// TestVerdictOfChange: what is called better or worse is so by p and by the interval.
func TestVerdictOfChange(t *testing.T) {
	nan := math.NaN()
	for _, row := range []struct {
		reason string
		d      runDelta
		want   string
	}{
		{"by both", runDelta{delta: 1, lo: .5, hi: 1.5, p: .01}, "better"},
		{"by both, of what should be small", runDelta{delta: 1, lo: .5, hi: 1.5, p: .01, pairedMeasure: pairedMeasure{lower: true}}, "worse"},
		{"by p alone, since the interval is over users, too", runDelta{delta: 1, lo: -.5, hi: 2.5, p: .01}, "~"},
		{"nor where the interval ends at 0", runDelta{delta: -1, lo: -2, hi: 0, p: .01}, "~"},
		{"by the interval alone", runDelta{delta: 1, lo: .5, hi: 1.5, p: .06}, "~"},
		{"by p before it is corrected", runDelta{delta: 1, lo: .5, hi: 1.5, p: .01, gated: true, holm: .06}, "~"},
		{"of questions to target there is the interval alone", runDelta{delta: 1, lo: .5, hi: 1.5, p: nan, pairedMeasure: toTargetMeasure}, "worse"},
		{"without an interval", runDelta{delta: 1, lo: nan, hi: nan, p: nan}, "~"},
	} {
		row.d.defined = fewClusters
		if got := row.d.verdict(.05); got != row.want {
			t.Errorf("%s: %s, want %s", row.reason, got, row.want)
		}
	}
}

// TestQuestionsToTarget: the curves of the base and the run to the target of the base.
func TestQuestionsToTarget(t *testing.T) {
	flat := func(level float64) func(string, int, int, int) float64 {
		return func(s string, task, _, measure int) float64 {
			if measure == onAlignment {
				return level + float64(task%2)
			}
			return 1
		}
	}
	for _, row := range []struct {
		reason    string
		level     float64
		want      string // delta
		base, run float64
	}{
		{"nothing changed", 60, "+0.00", 2, 2},
		{"half of the questions: the curve is linear from half of its end", 90.75, "-1.35", 2, 2 * (60.5 - 45.625) / 45.625},
		{"never", 59, dash, 2, math.Inf(1)},
	} {
		base, run := handmade("base", []string{"a"}, 8, 2, flat(60)), handmade("run", []string{"a"}, 8, 2, flat(row.level))
		base.manifest.Report.TargetOf = "a"
		c := compared(t, base, run, nil)
		d := c.rows[0].measures[len(c.rows[0].measures)-1]
		if d.key != "questions_to_target" || math.Abs(d.base-row.base) > 1e-6 && d.base != row.base || math.Abs(d.run-row.run) > 1e-6 && d.run != row.run {
			t.Errorf("%s: %+v", row.reason, d)
		}
		if got := c.cells(&d)[2]; got != row.want {
			t.Errorf("%s: delta %s, want %s", row.reason, got, row.want)
		}
	}
}

// TestRefusals: what cannot be compared is a fault of the data that says how to mend it.
func TestRefusals(t *testing.T) {
	for _, row := range []struct {
		reason string
		change func(*side)
		want   string
	}{
		{"other data", func(s *side) { s.manifest.Data.Name = "math" }, `run: ran on the data "math", and base on "made-up": their sessions are not the same users and tasks; compare runs of one data set, or make the base again on this one`},
		{"another rubric", func(s *side) { s.manifest.Data.Rubric = "quality" }, `run: is graded by a rubric of kind "quality", and base by one of kind "amount": their scores are not the same measure; compare runs of one data set, or make the base again on this one`},
		{"other seeds", func(s *side) {
			s.manifest.Seeds = []int{2}
			old := s.rows[0].sessions
			s.rows[0].sessions = map[sessionID]*pairedSession{}
			for id, p := range old {
				id.seed = 2
				s.rows[0].sessions[id] = p
			}
		}, "run: has no session (strategy, seed, task and user) in common with base: seeds [1] there and [2] here; run both with the same data, split, seeds and strategies"},
		{"other strategies", func(s *side) { s.rows[0].Name = "b" }, "run: has no session (strategy, seed, task and user) in common with base: no strategy is in both; run both with the same data, split, seeds and strategies"},
		{"nothing there", func(s *side) { clear(s.rows[0].sessions) }, "run: has no session (strategy, seed, task and user) in common with base: 12 sessions without an error there and 0 here; run both with the same data, split, seeds and strategies"},
	} {
		base, run := handmade("base", []string{"a"}, 6, 2, plain), handmade("run", []string{"a"}, 6, 2, plain)
		row.change(run)
		_, err := compareSides(base, run, nil)
		if err == nil || err.Error() != row.want || !errors.Is(err, domains.ErrData) {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
}

// TestCautions: what makes a difference one of something else than the code is said.
func TestCautions(t *testing.T) {
	for _, row := range []struct {
		reason string
		change func(*record.Manifest, *side)
		want   string
	}{
		{"other data of the same name", func(m *record.Manifest, _ *side) {
			m.Data.Sources = []domains.Source{{Path: "tasks.yaml", SHA256: "77"}}
		}, "the data differ (tasks.yaml): equal ids need not be the same users and tasks"},
		{"other profiles from the same files", func(m *record.Manifest, _ *side) { m.Config = json.RawMessage(`{"domain":{"structure":0}}`) }, "the data differ (domain.structure): equal ids need not be the same users and tasks"},
		{"another budget", func(m *record.Manifest, s *side) { m.Budget, s.final = 1, 1 }, "the final checkpoint is after 2 questions there and 1 here: differences are those of the budget, too"},
		{"another judge", func(m *record.Manifest, _ *side) { m.Judge = "j2" }, "the judges differ: alignment is measured by two instruments (; j2)"},
		{"another solver", func(m *record.Manifest, _ *side) { m.Solver = "s2" }, "the solvers differ: alignment is theirs, too"},
		{"other users", func(m *record.Manifest, _ *side) { m.Users = "noisy" }, "the simulated users differ: equal ids do not answer alike"},
		{"unfinished", func(m *record.Manifest, _ *side) { m.Sessions = 20 }, "run has 12 of 20 planned sessions without an error"},
	} {
		base, run := handmade("base", []string{"a"}, 6, 2, plain), handmade("run", []string{"a"}, 6, 2, plain)
		row.change(run.manifest, run)
		c := compared(t, base, run, nil)
		if !slices.Equal(c.Warnings, []string{row.want}) {
			t.Errorf("%s: %q", row.reason, c.Warnings)
		}
	}
}

// TestDiffering: which keys of the configuration differ, by path and by the names of items.
func TestDiffering(t *testing.T) {
	a := record.Manifest{ConfigHash: "aaaaaaaaaaaaaaaa", Config: json.RawMessage(`{"budget":5,"strategies":[{"name":"pep","beam":1},{"name":"none"}],"seeds":[1,2],"split":{"test":0.3}}`)}
	b := record.Manifest{ConfigHash: "bbbbbbbbbbbbbbbb", Config: json.RawMessage(`{"budget":3,"strategies":[{"name":"none"},{"name":"pep","beam":2}],"seeds":[1],"split":{"test":0.3},"judge":{"kind":"profile"}}`)}
	var got []string
	for _, d := range differences(&a, &b) {
		got = append(got, d.String())
	}
	want := []string{"config: aaaaaaaaaaaa > bbbbbbbbbbbb", "config budget: 5 > 3", "config judge.kind: – > profile", "config seeds: [1,2] > [1]", "config strategies.pep.beam: 1 > 2"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	b.Config = json.RawMessage(`{"budget":5,"strategies":[{"name":"none"},{"name":"pep","beam":1}],"seeds":[1,2],"split":{"test":0.3}}`)
	if d := differences(&a, &b); len(d) != 2 || d[1].String() != "config: the same keys and values > in another order" {
		t.Errorf("another order: %v", d)
	}
	if d := differences(&a, &a); d != nil {
		t.Errorf("the same: %v", d)
	}
}

// TestBaseline: a run and its baseline are the same to compare.
func TestBaseline(t *testing.T) {
	for name, y := range map[string]synth{
		"tasks":  {tasks: 7, users: 3, seeds: 2, criteria: 8, budget: 3, unscored: 31},
		"survey": {tasks: 1, users: 12, seeds: 1, criteria: 8, budget: 2, survey: true, nominal: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir, kept := y.write(t), filepath.Join(t.TempDir(), "sub", "baseline")
			changes, err := WriteBaseline(dir, kept)
			if err != nil || len(changes) != 1 || !strings.HasPrefix(changes[0], "a new baseline of ") {
				t.Fatalf("%v %q", err, changes)
			}
			a, err := readSide(dir)
			if err != nil {
				t.Fatal(err)
			}
			b, err := readSide(kept)
			if err != nil {
				t.Fatal(err)
			}
			if !b.kept || a.kept || a.sha != b.sha || a.sha == "" {
				t.Errorf("kept %v and %v, hashes %s and %s", a.kept, b.kept, a.sha, b.sha)
			}
			for i, r := range a.rows {
				q := b.rows[i]
				if len(r.sessions) == 0 || len(r.sessions) != len(q.sessions) || fmt.Sprint(r.asks) != fmt.Sprint(q.asks) {
					t.Fatalf("%s: %d and %d sessions, pairs %v and %v", r.Name, len(r.sessions), len(q.sessions), r.asks, q.asks)
				}
				for id, p := range r.sessions {
					if w := q.sessions[id]; w == nil || !slices.EqualFunc(p.values, w.values, same) || !slices.EqualFunc(p.curve, w.curve, same) {
						t.Fatalf("%s %v: %v and %v", r.Name, id, p, w)
					}
				}
			}
			metrics := "alignment: {max_drop: 1}, questions: {equal: true}, log_score: {max_drop: 1}"
			if !y.survey {
				metrics += ", adaptivity: {max_drop: 0.1}"
			}
			g := gateOf(t, "metrics: {"+metrics+"}")
			c, err := CompareRuns(kept, dir, g)
			if err != nil || c.Err() != nil {
				t.Fatal(err, c.Err())
			}
			for _, row := range c.rows {
				for _, d := range row.measures {
					if !d.none() && !d.equal && d.why == "" {
						t.Errorf("%s %s is not identical: %+v", row.name, d.key, d)
					}
				}
			}
			if text := c.Text(120); !strings.Contains(text, "The sessions are the same bytes.") || !strings.Contains(text, "gate gate.yaml: passed.") {
				t.Errorf("says\n%s", text)
			}
			// Once more: the same bytes, and nothing changes.
			before, err := os.ReadFile(filepath.Join(kept, PairedFile))
			if err != nil {
				t.Fatal(err)
			}
			if changes, err = WriteBaseline(dir, kept); err != nil || !slices.Equal(changes, []string{"nothing changes"}) {
				t.Errorf("%v %q", err, changes)
			}
			if after, err := os.ReadFile(filepath.Join(kept, PairedFile)); err != nil || !bytes.Equal(before, after) {
				t.Errorf("other bytes: %v", err)
			}
		})
	}
}

// TestBaselineFaults: what a baseline cannot be made of, and where it may not go.
func TestBaselineFaults(t *testing.T) {
	y := synth{tasks: 2, users: 2, seeds: 1, criteria: 4, budget: 1}
	dir := y.write(t)
	kept := t.TempDir()
	if _, err := WriteBaseline(dir, kept); err != nil {
		t.Fatal(err)
	}
	failed := y
	failed.change = func(_ *record.Manifest, all *[]record.Session) { (*all)[3].Error = "the server is gone" }
	for _, row := range []struct{ reason, from, to, want string }{
		{"a baseline of a baseline", kept, t.TempDir(), ": is a baseline itself; give the folder of a run"},
		{"onto a run", dir, dir, ": holds a run, which a baseline would spoil; name another folder"},
		{"a session failed", failed.write(t), t.TempDir(), ": 39 of 40 planned sessions are there without an error; finish the run first: the same command resumes"},
		{"no run", t.TempDir(), t.TempDir(), ": holds neither a run nor a baseline; give the folder that pepbench run or pepbench baseline named"},
	} {
		_, err := WriteBaseline(row.from, row.to)
		if err == nil || !strings.HasSuffix(err.Error(), row.want) || !errors.Is(err, domains.ErrData) {
			t.Errorf("%s: %v", row.reason, err)
		}
		if row.to != dir && exists(row.to, PairedFile) {
			t.Errorf("%s: left a file", row.reason)
		}
	}
}

// TestBaselineChanges: a new baseline says what it changes.
func TestBaselineChanges(t *testing.T) {
	y := synth{tasks: 2, users: 2, seeds: 1, criteria: 4, budget: 1}
	kept := t.TempDir()
	if _, err := WriteBaseline(y.write(t), kept); err != nil {
		t.Fatal(err)
	}
	y.change = func(m *record.Manifest, all *[]record.Session) {
		m.Code.Version = "v2"
		m.Strategies = slices.DeleteFunc(m.Strategies, func(s record.Strategy) bool { return s.Name == "oracle" })
		*all = slices.DeleteFunc(*all, func(s record.Session) bool { return s.Strategy == "oracle" })
		m.Sessions = len(*all)
		for i := range *all {
			if s := &(*all)[i]; s.Strategy == "none" {
				right := true
				s.Checkpoints[0].Correct = &right
			}
		}
	}
	changes, err := WriteBaseline(y.write(t), kept)
	want := []string{"code: – > v2", "none: correctness of 4 of 4 sessions, mean 0.000 > 1.000", "oracle: gone"}
	if err != nil || !slices.Equal(changes, want) {
		t.Errorf("%v %q", err, changes)
	}
}

// TestPairedFaults: a baseline that was edited says where and what.
func TestPairedFaults(t *testing.T) {
	s := handmade("base", []string{"a"}, 2, 1, plain)
	s.row("a").asks["task00"] = pairCount{4, 1}
	good, err := s.paired()
	if err != nil {
		t.Fatal(err)
	}
	mend := "; write the baseline again with pepbench baseline"
	fresh := func() *side { return handmade("base", []string{"a"}, 2, 0, plain) }
	if err := fresh().parse("p.csv", good); err != nil {
		t.Fatalf("%v\n%s", err, good)
	}
	for _, row := range []struct{ reason, old, new, want string }{
		{"nothing", string(good), "", "p.csv: is empty"},
		{"another file", pairedSchema, "name", "p.csv:1: does not begin with \"" + pairedSchema + "\", the hash of the configuration and that of the sessions"},
		{"another configuration", "abab", "cdcd", "p.csv:1: is of another configuration than the manifest beside it"},
		{"no columns", string(good[bytes.IndexByte(good, '\n')+1:]), "", "p.csv:1: has no columns"},
		{"other columns", "correctness,", "", "p.csv:2: has other columns than strategy,seed,task,user,alignment,correctness,questions,held_mae,brier,log_score,level_error,f1_at_5,alignment_at_0,alignment_at_2,pairs,differing"},
		{"a field too many", "u01-00,", "u01-00,,", "p.csv:5: 17 fields in place of 16"},
		{"a strategy of another run", "a,1,task01", "z,1,task01", `p.csv:5: strategy "z" is not in the manifest`},
		{"a task of another run", "task01", "task77", `p.csv:5: task "task77" is no test task of the manifest`},
		{"a seed of another run", "a,1,task01", "a,9,task01", `p.csv:5: seed "9" is no seed of the manifest`},
		{"no user", "u01-00", "", "p.csv:5: a session without user"},
		{"twice", "task01,u01-00", "task00,u00-00", `p.csv:5: the session of strategy "a", seed 1, task "task00" and user "u00-00" is there twice`},
		{"no number", "u01-00,43,", "u01-00,x,", `p.csv:5: alignment is "x", which is no number`},
		{"not a finite number", "u01-00,43,", "u01-00,Inf,", `p.csv:5: alignment is "Inf", which is no number`},
		{"a number that is none when rounded", "u01-00,43,", "u01-00,1e308,", `p.csv:5: alignment is "1e308", which is no number`},
		{"pairs of a session", "u00-00,", "u00-00,,,,,,,,,,,4,1\na,1,task01,u9,", "p.csv:4: a session has pairs, which are of a task"},
		{"more differing than pairs", ",4,1", ",4,5", `p.csv:3: "5" differing of "4" pairs`},
		{"a quote", "a,1,task01", `a,1,"task01`, "p.csv:5: not CSV: extraneous or missing \" in quoted-field"},
	} {
		bad := strings.Replace(string(good), row.old, row.new, 1)
		err := fresh().parse("p.csv", []byte(bad))
		if err == nil || err.Error() != row.want+mend || !errors.Is(err, domains.ErrData) {
			t.Errorf("%s: %v\n%s", row.reason, err, bad)
		}
	}
}

// TestPairedCut: a baseline that lost whole lines is no smaller baseline, in which what is
// gone would pass.
func TestPairedCut(t *testing.T) {
	y := synth{tasks: 2, users: 2, seeds: 1, criteria: 4, budget: 1}
	dir, kept := y.write(t), t.TempDir()
	if _, err := WriteBaseline(dir, kept); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(kept, PairedFile)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CompareRuns(kept, dir, nil); err != nil {
		t.Fatal(err)
	}
	b = bytes.TrimRight(b, "\n")
	if err := os.WriteFile(name, b[:bytes.LastIndexByte(b, '\n')+1], 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = CompareRuns(kept, dir, nil)
	if err == nil || !errors.Is(err, domains.ErrData) || !strings.Contains(err.Error(), PairedFile+": holds 39 of 40 sessions") {
		t.Errorf("a line less: %v", err)
	}
}

// TestCompareMarkup: names that are markup stay names, and the files can be read.
func TestCompareMarkup(t *testing.T) {
	evil := "a|b <script>&\"'`*_~\n# @all]\x01"
	base, run := handmade("base", []string{evil}, 12, 2, plain), handmade("run`x` $(y)'", []string{evil}, 12, 2, worse(func(t int) float64 { return 5 + float64(t%3) }))
	run.manifest.Code.Version = evil
	c := compared(t, base, run, gateOf(t, "metrics: {alignment: {max_drop: 1}}"))
	text := string(c.Markdown())
	for _, never := range []string{"<script>", "a|b", "\n# @all", " @all", "`*_~", "\x01", `&\#`} {
		if strings.Contains(text, never) {
			t.Errorf("%q is in\n%s", never, text)
		}
	}
	if want := "a\\|b &lt;script&gt;&amp;&#34;&#39;\\`\\*\\_\\~ \\# &#64;all\\]\ufffd"; !strings.Contains(text, want) {
		t.Errorf("the name is not %s in\n%s", want, text)
	}
	if strings.Contains(c.Text(120)+strings.Join(c.Warnings, ""), "\x01") {
		t.Error("a control character is printed")
	}
	if !strings.Contains(text, `pepbench compare base 'run`+"`x`"+` $(y)'\''' --gate gate.yaml`) {
		t.Errorf("no command to make it again:\n%s", text)
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| FAIL") && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 8 {
			t.Errorf("not eight bars: %s", line)
		}
	}
	b, err := c.JUnit()
	if err != nil {
		t.Fatal(err)
	}
	dec := xml.NewDecoder(bytes.NewReader(b))
	depth, most := 0, 0
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch tok.(type) {
		case xml.StartElement:
			depth++
			most = max(most, depth)
		case xml.EndElement:
			depth--
		}
	}
	if depth != 0 || most < 4 {
		t.Errorf("depth %d, at most %d", depth, most)
	}
	var suites junitSuites
	if err := xml.Unmarshal(b, &suites); err != nil {
		t.Fatal(err)
	}
	suite := suites.Suites[0]
	if suites.Tests != len(suite.Cases) || suite.Tests != 2 || suites.Failures != 1 || suite.Failures != 1 || suite.Errors != 0 || suite.Skipped != 0 {
		t.Errorf("counts: %+v", suites)
	}
	names := map[string]bool{}
	for _, k := range suite.Cases {
		if names[k.Class+" "+k.Name] || k.Class == "" || k.Name == "" {
			t.Errorf("%s %s is twice or nameless", k.Class, k.Name)
		}
		names[k.Class+" "+k.Name] = true
	}
	if f := suite.Cases[1].Failure; f == nil || f.Type != lineFail || f.Message != f.Text || !strings.Contains(f.Text, "alignment: fell by 6.00") {
		t.Errorf("failure: %+v", f)
	}
	if _, err := compared(t, base, run, nil).JUnit(); err == nil {
		t.Error("JUnit without a gate")
	}
}

// TestCompareGolden: what is printed and written of one comparison with everything in it.
func TestCompareGolden(t *testing.T) {
	names := []string{"floor", "same", "better", "worse", "gone"}
	run := handmade("results/regress", names[:4], 12, 2, func(s string, task, user, measure int) float64 {
		v := plain(s, task, user, measure)
		switch {
		case s == "better" && measure == onAlignment:
			return v + 3 + float64(task%3)
		case s == "better" && measure == onQuestions:
			return v - 1
		case s == "worse" && measure == onAlignment:
			return v - 5 - float64(task%4)
		case s == "worse" && measure == onBrier && task == 3:
			return math.NaN()
		case s == "worse" && measure == onQuestions:
			return v + float64(task%5-2)
		}
		return v
	})
	base := handmade("results/baseline", names, 12, 2, plain)
	base.kept = true
	base.manifest.Report.TargetOf = "same"
	for _, s := range []*side{base, run} {
		s.manifest.Endpoints = []record.Endpoint{{Role: "solver", Model: "sim", Simulated: true}}
	}
	run.manifest.Code.Version, run.manifest.ConfigHash = "v2", strings.Repeat("cd", 32)
	run.manifest.Config = json.RawMessage(`{"name":"handmade","budget":2,"users":{"kind":"exact"}}`)
	run.manifest.Solver = "a solver that needs many more words to say what it does than a column of a table has room for"
	delete(run.row("same").sessions, sessionID{1, "task11", "u11-00"})
	c := compared(t, base, run, gateOf(t, "max_missing: 0.1\nmetrics: {alignment: {max_drop: 1}, brier: {max_rise: 0.01}, questions: {max_rise: 0.5}}"))
	junit, err := c.JUnit()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/compare/terminal.txt", c.Text(120)+strings.Join(c.Warnings, "\n")+"\n")
	golden(t, "testdata/compare/summary.md", string(c.Markdown()))
	golden(t, "testdata/compare/junit.xml", string(junit))
	for line := range strings.Lines(c.Text(120)) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 120 && !strings.HasPrefix(line, "FAIL") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	// The order of maps has no part in it.
	again := compared(t, base, run, c.gate)
	if again.Text(120) != c.Text(120) || !bytes.Equal(again.Markdown(), c.Markdown()) {
		t.Error("another text the second time")
	}
}

// TestCompareText: lines stay within the width, however long names are.
func TestCompareText(t *testing.T) {
	long := strings.Repeat("a-strategy-with-a-long-name+", 4)
	c := compared(t, handmade("base", []string{long}, 12, 2, plain), handmade("run", []string{long}, 12, 2, worse(func(t int) float64 { return float64(t) })), nil)
	for line := range strings.Lines(c.Text(100)) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// TestGateFiles: every good gate is read, and every bad one has the fault that its first
// line names.
func TestGateFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/gate/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range append(files, "../configs/gate.yaml") {
		g, err := ReadGate(name)
		b, readErr := os.ReadFile(name)
		if readErr != nil {
			t.Fatal(readErr)
		}
		want, bad := strings.CutPrefix(strings.SplitN(string(b), "\n", 2)[0], "# fault: ")
		switch {
		case strings.HasSuffix(name, ".bad.yaml") != bad:
			t.Errorf("%s: a bad file names its fault in the first line, and no other does", name)
		case !bad && err != nil:
			t.Errorf("%s: %v", name, err)
		case !bad && (len(g.metrics) == 0 || g.alpha <= 0 || g.unsettled == ""):
			t.Errorf("%s: %+v", name, g)
		case bad && (err == nil || err.Error() != filepath.ToSlash(name)+want):
			t.Errorf("%s: %v, want %s%s", name, err, name, want)
		case bad && !errors.Is(err, ErrGate):
			t.Errorf("%s: %v is no ErrGate", name, err)
		}
	}
	if _, err := ReadGate("testdata/gate/none.yaml"); err == nil || !errors.Is(err, ErrGate) {
		t.Errorf("a missing file: %v", err)
	}
	g, err := ReadGate("testdata/gate/full.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := Gate{File: "testdata/gate/full.good.yaml", alpha: .1, power: .9, unsettled: gateWarn, minPairs: 30, maxMissing: .05, strategies: []string{"a", "b"}, metrics: []gateMetric{
		{pairedMeasures[0], 1.5, false, []string{"a"}}, {pairedMeasures[2], .5, false, nil}, {followUp, 0, true, nil},
	}}
	if fmt.Sprintf("%+v", *g) != fmt.Sprintf("%+v", want) {
		t.Errorf("%+v, want %+v", *g, want)
	}
	// All faults at once, each a line.
	_, err = parseGate("g.yaml", []byte("alpha: 7\nbeta: 1\nmetrics: {alignment: {}}\n"))
	if got := strings.Split(fmt.Sprint(err), "\n"); len(got) != 3 {
		t.Errorf("%d faults: %q", len(got), got)
	}
}

func FuzzGate(f *testing.F) {
	for _, s := range []string{"metrics: {alignment: {max_drop: 1}}", "alpha: .nan", "a: &a [*a]", "metrics: *x", "? [a]\n: b", "metrics: {alignment: {max_drop: 1e400}}", "!!binary x", "metrics: [1]", "---\n---", "min_pairs: 1e999"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := parseGate("g.yaml", b)
		switch {
		case err != nil && !errors.Is(err, ErrGate):
			t.Fatalf("%v is no ErrGate", err)
		case err != nil:
			return
		case len(g.metrics) == 0 || !(g.alpha > 0 && g.alpha < .5) || !(g.power > .5 && g.power < 1) || g.minPairs < 1 || !(g.maxMissing >= 0 && g.maxMissing < 1):
			t.Fatalf("%+v", g)
		}
		for _, m := range g.metrics {
			if m.equal == (m.bound > 0) || math.IsInf(m.bound, 0) {
				t.Fatalf("%+v", m)
			}
		}
	})
}

func FuzzPaired(f *testing.F) {
	s := handmade("base", []string{"a", "b"}, 2, 2, plain)
	s.row("a").asks["task01"] = pairCount{5, 2}
	good, err := s.paired()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte(pairedSchema + ",,\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := handmade("base", []string{"a", "b"}, 2, 0, plain)
		if err := in.parse("p.csv", b); err != nil {
			if !errors.Is(err, domains.ErrData) {
				t.Fatalf("%v is no ErrData", err)
			}
			return
		}
		// What was read is what would be written.
		out, err := in.paired()
		if err != nil {
			t.Fatal(err)
		}
		back := handmade("base", []string{"a", "b"}, 2, 0, plain)
		if err := back.parse("p.csv", out); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if again, err := back.paired(); err != nil || !bytes.Equal(out, again) {
			t.Fatalf("%v\n%s\n%s", err, out, again)
		}
	})
}

// TestShippedBaseline: what make regress compares with is there, small, and has a value
// for every line of the gate that is shipped.
func TestShippedBaseline(t *testing.T) {
	const dir = "../results/baseline"
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	size := int64(0)
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if len(files) != 2 || size > 150_000 {
		t.Errorf("%d files of %d bytes, two and 150000 at most are meant", len(files), size)
	}
	g, err := ReadGate("../configs/gate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := CompareRuns(dir, dir, g)
	if err != nil || c.Err() != nil {
		t.Fatal(err, c.Err())
	}
	if c.base.sessions() != c.base.manifest.Sessions || c.clusters < 10 {
		t.Errorf("%d of %d sessions on %d tasks", c.base.sessions(), c.base.manifest.Sessions, c.clusters)
	}
	for _, m := range g.metrics {
		if !slices.ContainsFunc(c.lines, func(l gateLine) bool { return l.metric == m.key }) {
			t.Errorf("%s is gated and defined nowhere", m.key)
		}
	}
}

// TestGateErrorRates: a change as large as the bound passes about as often as alpha says,
// and of runs that are no worse the share that passes with the clusters that a line says it
// needs is about the power.
func TestGateErrorRates(t *testing.T) {
	const bound, sd, runs = 1, 1.6, 400
	c := &comparer{RunComparison: &RunComparison{gate: gateOf(t, "metrics: {alignment: {max_drop: 1}}")}, boot: stats.Bootstrap{Resamples: 200, Confidence: .95, Seed: 5}}
	rng := rand.New(rand.NewPCG(1, 2))
	draw := func(n int, mean float64) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = mean + sd*rng.NormFloat64()
		}
		return x
	}
	spread := []float64{-sd, -sd, sd, sd, -sd, sd} // whose standard deviation is about sd
	n := c.require(spread, bound)
	if n < 17 || n > 30 {
		t.Fatalf("%d clusters needed", n)
	}
	share := func(n int, mean float64, passes func([]float64) bool) float64 {
		k := 0
		for range runs {
			if passes(draw(n, mean)) {
				k++
			}
		}
		return float64(k) / runs
	}
	passes := func(x []float64) bool { return c.below(x, bound) <= .05 }
	fails := func(x []float64) bool { return c.above(x, bound) <= .05 }
	for _, row := range []struct {
		reason string
		n      int
		mean   float64
		of     func([]float64) bool
		lo, hi float64
		test   string
	}{
		{"truly as bad as the bound, passes", n, bound, passes, .02, .08, "sign-flip"},
		{"truly as bad as the bound, passes", 8, bound, passes, .02, .08, "t"},
		{"truly as bad as the bound, fails", n, bound, fails, .02, .08, "sign-flip"},
		{"truly as bad as the bound, fails", 8, bound, fails, .02, .08, "t"},
		{"no worse, with as many as needed, passes", n, 0, passes, .76, .95, "sign-flip"},
		{"no worse, fails", n, 0, fails, 0, .005, "sign-flip"},
		{"much worse, passes", n, 3, passes, 0, .005, "sign-flip"},
	} {
		if got := share(row.n, row.mean, row.of); got < row.lo || got > row.hi {
			t.Errorf("%s (%s, %d clusters): %.3f of the runs, outside of %v..%v", row.reason, row.test, row.n, got, row.lo, row.hi)
		}
	}
}
