package judges

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pepbench/bench/llm"
	"pepbench/bench/llm/sim"
	"pepbench/domains"
)

// graders answers as a judge that grades every criterion of a request by a function of
// the request, the criterion's name and its place.
func graders(kind domains.RubricKind, grade func(q llm.Request, name string, place int) string) *model {
	return &model{reply: func(q llm.Request) (llm.Reply, error) {
		var names []string
		for line := range strings.Lines(q.User[strings.LastIndex(q.User, "\n>>>\n"):]) {
			if n, ok := strings.CutPrefix(strings.TrimSpace(line), "Criterion: "); ok {
				names = append(names, n)
			}
		}
		var entries []string
		for i, n := range names {
			name, _ := json.Marshal(n)
			entries = append(entries, fmt.Sprintf(`{"criterion":%s,%q:%s}`, name, key(kind), grade(q, n, i)))
		}
		text := entries[0]
		if strings.Contains(q.System, `"results"`) {
			text = `{"results":[` + strings.Join(entries, ",") + `]}`
		}
		return llm.Reply{Content: text, Finish: "stop"}, nil
	}}
}

func response(q llm.Request) string {
	_, s, _ := strings.Cut(q.User, "\n<<<\n")
	return s[:strings.LastIndex(s, "\n>>>\n")]
}

func share(c ProbeCheck) float64 { return float64(c.Agree) / float64(c.Pairs) }

// TestProbe: each check finds the fault that it is there for, and no other does.
func TestProbe(t *testing.T) {
	hash := func(parts ...any) string {
		h := fnv.New32a()
		fmt.Fprint(h, parts...)
		return fmt.Sprint(1 + h.Sum32()%5)
	}
	// knows grades by what the probes say of themselves, and else the middle.
	knows := func(kind domains.RubricKind) func(llm.Request, string, int) string {
		return func(q llm.Request, name string, _ int) string {
			for _, p := range probes() {
				for i := range p.responses {
					for j := range p.criteria {
						if p.criteria[j].Name != name || !strings.Contains(q.User, p.responses[i].text) {
							continue
						}
						level := p.responses[i].shows[j]
						switch {
						case level == 0:
							level = 3
						case kind == domains.Quality && p.wants[j] == 1:
							level = 6 - level
						}
						return fmt.Sprint(level)
					}
				}
			}
			return "0"
		}
	}
	for _, row := range []struct {
		reason  string
		batched bool
		grade   func(kind domains.RubricKind) func(llm.Request, string, int) string
		faulty  string // check that is not passed
	}{
		{"a judge that knows what is shown passes", true, knows, ""},
		{"one by one, too", false, knows, ""},
		{"a constant judge does not tell more from less", true, func(domains.RubricKind) func(llm.Request, string, int) string {
			return func(llm.Request, string, int) string { return "3" }
		}, CheckSensitivity},
		{"a judge that likes what comes first", true, func(kind domains.RubricKind) func(llm.Request, string, int) string {
			return func(q llm.Request, name string, place int) string {
				if strings.Contains(q.System, `"results"`) && strings.Contains(q.User, "Criterion: ") && place == 0 && name != firstOf(name) {
					return "4"
				}
				return knows(kind)(q, name, place)
			}
		}, CheckPosition},
		{"a judge that likes it long", true, func(kind domains.RubricKind) func(llm.Request, string, int) string {
			return func(q llm.Request, name string, place int) string {
				if strings.HasPrefix(response(q), strings.TrimSpace(paddingBefore)) {
					return "5"
				}
				return knows(kind)(q, name, place)
			}
		}, CheckVerbosity},
		{"a judge that is harsh when asked for one thing", true, func(kind domains.RubricKind) func(llm.Request, string, int) string {
			return func(q llm.Request, name string, place int) string {
				if !strings.Contains(q.System, `"results"`) {
					return "1"
				}
				return knows(kind)(q, name, place)
			}
		}, CheckBatching},
		{"a judge that throws dice", true, func(kind domains.RubricKind) func(llm.Request, string, int) string {
			return func(q llm.Request, name string, place int) string {
				if q.Repeat > 0 {
					return hash(q.User, name)
				}
				return knows(kind)(q, name, place)
			}
		}, CheckAgain},
	} {
		for _, kind := range []domains.RubricKind{domains.Amount, domains.Quality} {
			m := graders(kind, row.grade(kind))
			rep, err := Probe(context.Background(), &Rubric{Client: m, Batched: row.batched, Model: "m", Repeats: 3}, kind)
			if err != nil {
				t.Fatal(err)
			}
			if len(m.asked) != rep.Calls || rep.Responses != 24 || strings.HasSuffix(rep.Judge, "x3") {
				t.Errorf("%s: %d calls, said %d, of %d responses by %s", row.reason, len(m.asked), rep.Calls, rep.Responses, rep.Judge)
			}
			for _, c := range rep.Checks {
				if !row.batched && c.Name == CheckPosition {
					if c.Pairs != 0 || !math.IsNaN(c.Shift) {
						t.Errorf("%s: position of single calls: %+v", row.reason, c)
					}
					continue
				}
				if c.Pairs < 15 || c.Unscored != 0 {
					t.Errorf("%s (%s): %+v", row.reason, kind, c)
				}
				if passed := c.Agree == c.Pairs; passed != (c.Name != row.faulty) {
					t.Errorf("%s (%s): %+v", row.reason, kind, c)
				}
			}
		}
	}
	half := graders(domains.Amount, func(q llm.Request, name string, _ int) string {
		if q.Repeat > 0 {
			return "9"
		}
		return "2"
	})
	rep, err := Probe(context.Background(), &Rubric{Client: half, Batched: true}, domains.Amount)
	if err != nil || rep.Checks[0].Unscored != 72 || rep.Checks[0].Pairs != 0 || !math.IsNaN(rep.Checks[0].Shift) {
		t.Errorf("what cannot be read is counted and no agreement: %+v, %v", rep, err)
	}
	down := &model{reply: func(llm.Request) (llm.Reply, error) { return llm.Reply{}, llm.ErrUnusable }}
	if _, err := Probe(context.Background(), &Rubric{Client: down}, domains.Amount); err == nil {
		t.Error("an endpoint that is unusable is no finding about the judge")
	}
}

// Responses are probed side by side: 168 calls one after the other would be minutes.
func TestProbeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &model{reply: func(llm.Request) (llm.Reply, error) {
			time.Sleep(time.Second)
			return llm.Reply{Content: "{}", Finish: "stop"}, nil
		}}
		begun := time.Now()
		_, err := Probe(t.Context(), &Rubric{Client: slow, Batched: true}, domains.Amount)
		if took := time.Since(begun); err != nil || took > 7*(1+llm.Repairs)*time.Second {
			t.Errorf("%v, after %v", err, took)
		}
	})
}

// firstOf gives the first criterion of the probe that has the named one.
func firstOf(name string) string {
	for _, p := range probes() {
		for j := range p.criteria {
			if p.criteria[j].Name == name {
				return p.criteria[0].Name
			}
		}
	}
	return ""
}

// TestProbeData: the probes are what Probe takes them for.
func TestProbeData(t *testing.T) {
	for _, p := range probes() {
		if len(p.wants) != len(p.criteria) || len(p.why) != len(p.criteria) {
			t.Errorf("%q: %d criteria, %d wants, %d reasons", p.task, len(p.criteria), len(p.wants), len(p.why))
		}
		for j := range p.criteria {
			if err := p.criteria[j].Validate(); err != nil {
				t.Error(err)
			}
			low, high := 0, 0
			for _, r := range p.responses {
				switch r.shows[j] {
				case 1:
					low++
				case 5:
					high++
				}
			}
			if low == 0 || high == 0 {
				t.Errorf("%s: %d responses without it, %d full of it", p.criteria[j].Name, low, high)
			}
			for _, r := range p.responses {
				if r.shows[j] == 1 && strings.Contains(strings.ToLower(r.text), p.criteria[j].Name) {
					t.Errorf("%s: the response that shows none of it names it: %s", p.criteria[j].Name, r.text)
				}
			}
		}
	}
}

// TestProbeSimulator: the embedded judge is stateless and reads criteria one by one, so
// that order and batching change nothing.
func TestProbeSimulator(t *testing.T) {
	url, stop, err := sim.Serve(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	c, err := llm.New(llm.Endpoint{BaseURL: url, Model: sim.Model})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, kind := range []domains.RubricKind{domains.Amount, domains.Quality} {
		for _, batched := range []bool{true, false} {
			rep, err := Probe(context.Background(), &Rubric{Client: c, Batched: batched, Model: sim.Model}, kind)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range rep.Checks {
				t.Logf("%s batched %v: %+v", kind, batched, k)
				switch k.Name {
				case CheckAgain, CheckPosition, CheckBatching:
					if k.Agree != k.Pairs || k.Unscored != 0 || batched && k.Pairs != 72 {
						t.Errorf("%s, batched %v: %+v", kind, batched, k)
					}
				default:
					if share(k) < .9 {
						t.Errorf("%s, batched %v: %+v", kind, batched, k)
					}
				}
			}
		}
	}
}

// TestRepeats: repeats are equal requests but for their number, and the score is the
// mean of those that can be read.
func TestRepeats(t *testing.T) {
	nan := math.NaN()
	for _, row := range []struct {
		reason          string
		draws           []string // grade of every criterion in each repeat
		score           float64  // of depth, wanted at 2; NaN: unscored
		level           int      // 0: none
		repeats, levels []float64
	}{
		{"all agree", []string{"3", "3", "3"}, 4, 3, []float64{4, 4, 4}, []float64{3, 3, 3}},
		{"equal scores of different levels are no agreement", []string{"1", "3"}, 4, 0, []float64{4, 4}, []float64{1, 3}},
		{"the mean", []string{"2", "3", "5"}, 11. / 3, 0, []float64{5, 4, 2}, []float64{2, 3, 5}},
		{"one unread", []string{"x", "3", "2"}, 4.5, 0, []float64{nan, 4, 5}, []float64{nan, 3, 2}},
		{"one read alone", []string{"x", "3"}, 4, 3, []float64{nan, 4}, []float64{nan, 3}},
		{"none read", []string{"x", "9"}, nan, 0, []float64{nan, nan}, nil},
	} {
		for _, batched := range []bool{true, false} {
			m := graders(domains.Amount, func(q llm.Request, _ string, _ int) string {
				if d := row.draws[q.Repeat]; d != "x" {
					return d
				}
				return `"x"`
			})
			r := &Rubric{Client: m, Batched: batched, Repeats: len(row.draws), Model: "m"}
			scores, err := r.Grade(context.Background(), amountCase())
			if err != nil {
				t.Fatal(err)
			}
			s := scores[0]
			same := func(a, b []float64) bool { return fmt.Sprint(a) == fmt.Sprint(b) }
			if s.Judge != fmt.Sprintf("%s/x%d", (&Rubric{Batched: batched, Model: "m"}).ID(domains.Amount), len(row.draws)) {
				t.Errorf("%s: judge %s", row.reason, s.Judge)
			}
			if !same(s.Repeats, row.repeats) || !same(s.Levels, row.levels) {
				t.Errorf("%s: repeats %v of levels %v, want %v of %v", row.reason, s.Repeats, s.Levels, row.repeats, row.levels)
			}
			if (s.Level == nil) != (row.level == 0) || s.Level != nil && *s.Level != row.level {
				t.Errorf("%s: level %v, want %d", row.reason, s.Level, row.level)
			}
			if (s.Score == nil) != math.IsNaN(row.score) || s.Score != nil && math.Abs(*s.Score-row.score) > 1e-12 {
				t.Errorf("%s: score %v, want %v", row.reason, s.Score, row.score)
			}
			if (s.Unscored == "") != (s.Score != nil) {
				t.Errorf("%s: unscored because %q", row.reason, s.Unscored)
			}
		}
	}
	m := graders(domains.Amount, func(llm.Request, string, int) string { return "2" })
	if _, err := (&Rubric{Client: m, Batched: true, Repeats: 3}).Grade(context.Background(), amountCase()); err != nil {
		t.Fatal(err)
	}
	for k := range m.asked {
		if m.asked[k].Repeat != k || m.asked[k].User != m.asked[0].User || m.asked[k].System != m.asked[0].System {
			t.Errorf("draw %d: %+v", k, m.asked[k])
		}
	}
	one := (&Rubric{Batched: true, Model: "m"}).ID(domains.Amount)
	if got := (&Rubric{Batched: true, Model: "m", Repeats: 1}).ID(domains.Amount); got != one || strings.Contains(one, "x1") {
		t.Errorf("one repeat is none: %s, %s", got, one)
	}
}
