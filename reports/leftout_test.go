package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"pepbench/bench/record"
	"pepbench/domains"
)

// TestLeftOut spoils lines of a run in one way each: the report is that of the run without
// these lines, and says so.
func TestLeftOut(t *testing.T) {
	y := synth{tasks: 2, users: 2, seeds: 1, criteria: 4, budget: 1}
	whole := bytes.SplitAfter(journal(t, y.write(t)), []byte("\n"))
	whole = whole[:len(whole)-1]
	replace := func(line []byte, old, new string) []byte {
		if !bytes.Contains(line, []byte(old)) {
			t.Fatalf("no %s in %s", old, line)
		}
		return bytes.Replace(line, []byte(old), []byte(new), 1)
	}
	line := func(n int, old, new string) func([][]byte) [][]byte { // replaces in line n, from 1
		return func(lines [][]byte) [][]byte {
			lines[n-1] = replace(lines[n-1], old, new)
			return lines
		}
	}
	insert := func(n int, more ...string) func([][]byte) [][]byte { // as lines n, n + 1, ...
		return func(lines [][]byte) [][]byte {
			for i, m := range more {
				lines = slices.Insert(lines, n-1+i, []byte(m+"\n"))
			}
			return lines
		}
	}
	const (
		anew   = "; remove them and run the same command again, which makes what is missing"
		faulty = "sessions that contradict themselves are left out: 1, the first sessions.jsonl:"
		first  = faulty + `1 (session "none/1/task-00/user-000": `
		ninth  = faulty + `9 (session "pep+answers/1/task-00/user-000": `
		alien  = "lines that are no session are left out: 1, the first sessions.jsonl:"
		other  = "sessions of another run are left out: 1, the first sessions.jsonl:1 ("
		apart  = "; report that run in a folder of its own"
	)
	for _, test := range []struct {
		reason string
		spoil  func([][]byte) [][]byte
		bad    []int // lines that are left out, of the spoilt ones, from 1
		want   string
	}{
		{"a line that is no JSON", insert(2, "broken"), []int{2}, alien + "2 (invalid character 'b' looking for beginning of value)" + anew},
		{"as the first one", insert(1, "broken"), []int{1}, alien + "1 (invalid character 'b' looking for beginning of value)" + anew},
		{"several, of which the first is named", insert(3, "null", "[1]", `"x"`, "7", `{"schema":2,"rows":[]}`), []int{3, 4, 5, 6, 7}, "lines that are no session are left out: 5, the first sessions.jsonl:3 (strategy, task or user is missing)" + anew},
		{"a session of another shape", line(5, `"criteria":[`, `"criteria":7,"x":[`), []int{5}, alien + "5 (json: cannot unmarshal number into Go struct field Session.criteria of type []string)" + anew},
		{"a torn last line", func(l [][]byte) [][]byte { l[39] = l[39][:len(l[39])-40]; return l }, []int{40}, "sessions.jsonl:40: the last line is torn and left out (unexpected end of JSON input); run the same command again, it resumes"},
		{"no task", line(1, `"task":"task-00"`, `"task":""`), []int{1}, alien + "1 (strategy, task or user is missing)" + anew},
		{"a session twice", func(l [][]byte) [][]byte { return append(l, l[0], l[7]) }, []int{41, 42}, `lines of sessions that are there already are left out: 2, the first sessions.jsonl:41 (session "none/1/task-00/user-000" is the same strategy, seed, task and user as line 1); remove them`},
		{"the second is that of another id", line(2, `"user":"user-001"`, `"user":"user-000"`), []int{2}, `lines of sessions that are there already are left out: 1, the first sessions.jsonl:2 (session "none/1/task-00/user-001" is the same strategy, seed, task and user as line 1); remove them`},
		{"a faulty session does not stand for a good one", func(l [][]byte) [][]byte {
			return append([][]byte{replace(l[0], `"held":[null`, `"held":[2`)}, l...)
		}, []int{1}, first + "the prior inference does not line up with 4 criteria, or a P(held) is outside 0..1)" + anew},
		{"cells that do not line up", line(1, `"cells":[`, `"cells":[false,`), []int{1}, first + "5 true cells for 4 criteria)" + anew},
		{"a probability of 2", line(1, `"held":[null`, `"held":[2`), []int{1}, first + "the prior inference does not line up with 4 criteria, or a P(held) is outside 0..1)" + anew},
		{"a P(level) of 2", line(1, `"prior":{`, `"prior":{"levels":[[2],null,null,null],`), []int{1}, first + "the prior inference has a P(level) outside 0..1)" + anew},
		{"a raw of 50", line(1, `"raw":`, `"raw":5`), []int{1}, first + "checkpoint 0: raw 51 is outside 1..5)" + anew},
		{"a score of no criterion", line(1, `"scores":[{"position":0`, `"scores":[{"position":70`), []int{1}, first + "checkpoint 0: a score of position 70 of 4 criteria)" + anew},
		{"a score of 7", line(1, `"score":1,`, `"score":7,`), []int{1}, first + "checkpoint 0: a score of 7 is outside 1..5)" + anew},
		{"a counterfactual about nothing", line(9, `"turns":[{`, `"turns":[{"counterfactual":{"answer":false,"next":4},`), []int{9}, ninth + "the counterfactual of turn 1 asks position 4 of 4 criteria)" + anew},
		{"a counterfactual that neither asks nor stops", line(9, `"turns":[{`, `"turns":[{"counterfactual":{"answer":false,"next":-3},`), []int{9}, ninth + "the counterfactual of turn 1 asks position -3 of 4 criteria)" + anew},
		{"a question about nothing", line(9, `"question":`, `"question":7`), []int{9}, ninth + "turn 1 asks position 71 of 4 criteria)" + anew},
		{"a question off the log by a word of its own", line(9, `"turns":[{`, `"turns":[{"off_log":"user",`), []int{9}, ninth + `turn 1 is off the log by "user", which is neither task nor history)` + anew},
		{"a stop off the log by a word of its own", line(1, `"stop":"budget"`, `"stop":"budget","stop_off_log":"x"`), []int{1}, first + `its stop is off the log by "x", which is neither task nor history)` + anew},
		{"a task of another run", line(1, `"task":"task-00"`, `"task":"task-77"`), []int{1}, other + `task "task-77" is no test task of the manifest)` + apart},
		{"a seed of another run", line(1, `"seed":1`, `"seed":5`), []int{1}, other + "seed 5 is no seed of the manifest)" + apart},
		{"a task of another run in a last line that is whole but for its newline", func(l [][]byte) [][]byte {
			l[39] = bytes.TrimSpace(replace(l[39], `"task":"task-01"`, `"task":"x"`))
			return l
		}, []int{40}, `sessions of another run are left out: 1, the first sessions.jsonl:40 (task "x" is no test task of the manifest)` + apart},
		{"a strategy of another run", func(l [][]byte) [][]byte {
			return append([][]byte{replace(l[0], `"strategy":"none"`, `"strategy":"else"`), replace(l[1], `"strategy":"none"`, `"strategy":"else"`)}, l...)
		}, []int{1, 2}, `strategy "else" is not in the manifest: its sessions (2) are left out`},
		{"fewer criteria than the task has, in the first line of all", func(l [][]byte) [][]byte {
			var s record.Session
			if err := json.Unmarshal(l[0], &s); err != nil {
				t.Fatal(err)
			}
			s.Criteria, s.Truth.Cells, s.Prior = s.Criteria[:3], s.Truth.Cells[:3], record.Inference{}
			s.Checkpoints = nil
			short, err := record.Line(&s)
			if err != nil {
				t.Fatal(err)
			}
			l[0] = short
			return l
		}, []int{1}, `sessions about other criteria than most of their task are left out: 1, the first sessions.jsonl:1 (task "task-00": 3 criteria instead of 4); report the run that they are of in a folder of its own`},
		{"another criterion", line(2, `"c02"`, `"zz"`), []int{2}, `sessions about other criteria than most of their task are left out: 1, the first sessions.jsonl:2 (task "task-00": it has no criterion "zz"); report the run that they are of in a folder of its own`},
		{"the criteria in another order, which positions are of", line(2, `"c01","c02"`, `"c02","c01"`), []int{2}, `sessions about other criteria than most of their task are left out: 1, the first sessions.jsonl:2 (task "task-00": the same criteria in another order); report the run that they are of in a folder of its own`},
		{"a try that failed, before the one that did not", func(l [][]byte) [][]byte {
			return append([][]byte{replace(replace(l[8], `"stop":"budget"`, `"stop":"error"`), "}\n", `,"error":"lost"}`+"\n")}, l...)
		}, []int{1}, ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			dir := y.write(t)
			lines := test.spoil(slices.Clone(whole))
			put(t, filepath.Join(dir, record.SessionsFile), slices.Concat(lines...))
			got := Compute(load(t, dir))
			kept := slices.Clone(lines)
			for i, n := range test.bad {
				kept = slices.Delete(kept, n-1-i, n-i)
			}
			put(t, filepath.Join(dir, record.SessionsFile), slices.Concat(kept...))
			want := Compute(load(t, dir))
			for _, w := range want.Warnings {
				got.Warnings = slices.DeleteFunc(got.Warnings, func(v string) bool { return v == w })
			}
			if test.want == "" {
				if len(got.Warnings) > 0 {
					t.Errorf("warned of %q", got.Warnings)
				}
			} else {
				if len(got.Warnings) != 1 || got.Warnings[0] != test.want {
					t.Errorf("\n got %q\nwant %q", got.Warnings, test.want)
				}
				if n := got.Sessions.LeftOut + len(got.Sessions.Unknown); (n > 0) != (len(test.bad) > 0) {
					t.Errorf("%d lines left out", n)
				}
			}
			noNonsense(t, got, false)
			got.Warnings, got.Sessions = want.Warnings, want.Sessions
			if a, b := metricsJSON(t, got), metricsJSON(t, want); !bytes.Equal(a, b) {
				t.Errorf("the numbers are not those of the run without the lines: got\n%s\nwant\n%s", a, b)
			}
		})
	}
}

func metricsJSON(t testing.TB, m *Metrics) []byte {
	t.Helper()
	b, err := m.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// nonsense is what a number that is none looks like.
var nonsense = regexp.MustCompile(`(?i)(^|[^a-z])[+-]?(nan|inf|infinity)([^a-z]|$)|null ?%|null questions|<nil>|%!`)

// noNonsense looks for numbers that are none in everything that is written of a run.
func noNonsense(t *testing.T, m *Metrics, figures bool) {
	t.Helper()
	files := []File{{record.MetricsFile, metricsJSON(t, m)}, {"terminal", []byte(terminal(m, 120))}, {"warnings", []byte(strings.Join(m.Warnings, "\n"))}}
	tables, err := Tables(m)
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, tables...)
	if figures {
		for i, s := range sketches(m) { // as SVG, whose words can be read
			c := vgsvg.New(s.w, s.h)
			s.render(draw.New(c))
			var b bytes.Buffer
			if _, err := c.WriteTo(&b); err != nil {
				t.Fatal(err)
			}
			files = append(files, File{fmt.Sprintf("figure %d", i+1), b.Bytes()})
		}
	}
	for _, f := range files {
		if at := nonsense.FindIndex(f.Data); at != nil {
			t.Errorf("%s: ..%s..", f.Path, f.Data[max(0, at[0]-80):min(len(f.Data), at[1]+80)])
		}
	}
}

// TestNonsense: what noNonsense looks for is found.
func TestNonsense(t *testing.T) {
	for text, want := range map[string]bool{"| NaN |": true, "+Inf": true, "-inf,": true, "null%": true, "%!d(string=x)": true, "<nil>": true, "information, nanny, null": false, "12.5%": false} {
		if got := nonsense.MatchString(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestPoorRuns: a run of which little or nothing is known is reported, in all its files,
// with what there is, and says what is lacking.
func TestPoorRuns(t *testing.T) {
	each := func(change func(*record.Session)) func(*record.Manifest, *[]record.Session) {
		return func(_ *record.Manifest, all *[]record.Session) {
			for i := range *all {
				change(&(*all)[i])
			}
		}
	}
	for _, test := range []struct {
		reason string
		y      synth
		change func(*record.Manifest, *[]record.Session)
		value  func(*Metrics) Number
		want   float64 // of it; NaN: undefined
		warned string
	}{
		{"no sessions", synth{tasks: 2, users: 2}, func(_ *record.Manifest, all *[]record.Session) { *all = nil }, finalOf("pep+belief"), math.NaN(), "there are no sessions: every number is undefined"},
		{"one cluster", synth{tasks: 1, users: 3}, nil, func(m *Metrics) Number { return m.Strategies[8].final().Lo }, math.NaN(), "1 task: no interval can be given"},
		{"one session of each", synth{tasks: 1, users: 1}, nil, func(m *Metrics) Number { return m.Strategies[8].final().Lo }, math.NaN(), "1 task: no interval can be given"},
		{"a survey of one user", synth{tasks: 1, users: 1, survey: true}, nil, func(m *Metrics) Number { return m.Strategies[8].final().Lo }, math.NaN(), "1 user: no interval can be given"},
		{"no variance: everybody fares alike", synth{tasks: 7, users: 2}, each(func(s *record.Session) {
			for i := range s.Checkpoints {
				raw := 3.
				s.Checkpoints[i].Raw, s.Checkpoints[i].Scores = &raw, nil
			}
		}), func(m *Metrics) Number { return m.Strategies[8].Difference.Value }, 0, "alignment is not normalised: the ceiling does not exceed the floor"},
		{"everything undefined: nothing was graded", synth{tasks: 7, users: 2}, each(func(s *record.Session) {
			for i := range s.Checkpoints {
				cp := &s.Checkpoints[i]
				cp.Raw, cp.Correct = nil, nil
				for j := range cp.Scores {
					cp.Scores[j].Score, cp.Scores[j].Unscored = nil, "lost"
				}
			}
		}), finalOf("pep+belief"), math.NaN(), "sessions without an alignment at the final checkpoint, which are left out: 140, most often because: lost"},
		{"nothing is known of any profile", synth{tasks: 2, users: 2}, each(func(s *record.Session) {
			for i := range s.Truth.Cells {
				s.Truth.Cells[i] = domains.Missing()
			}
		}), func(m *Metrics) Number { return m.Strategies[8].predicted().Brier.Value }, math.NaN(), ""},
		{"nothing is predicted", synth{tasks: 2, users: 2}, each(func(s *record.Session) {
			s.Prior = record.Inference{}
			for i := range s.Turns {
				s.Turns[i].Inference = record.Inference{}
			}
		}), func(m *Metrics) Number { return m.Strategies[8].predicted().Brier.Value }, math.NaN(), ""},
		{"no checkpoints", synth{tasks: 2, users: 2}, each(func(s *record.Session) { s.Checkpoints = nil }), finalOf("pep+belief"), math.NaN(), "sessions without an alignment at the final checkpoint, which are left out: 40, most often because: no checkpoint"},
		{"the final checkpoint is missing in some", synth{tasks: 2, users: 2}, each(func(s *record.Session) {
			if s.User == "user-000" {
				s.Checkpoints = s.Checkpoints[:len(s.Checkpoints)-1]
			}
		}), func(m *Metrics) Number { return Number(m.Strategies[8].final().Undefined) }, 2, "sessions without an alignment at the final checkpoint, which are left out: 20, most often because: no checkpoint"},
		{"every session failed", synth{tasks: 2, users: 2}, each(func(s *record.Session) { s.Stop, s.Error = record.StopError, "lost" }), finalOf("pep+belief"), math.NaN(), "sessions that failed and are left out: 40, most often because: lost"},
		{"no floor and no ceiling", synth{tasks: 2, users: 2}, func(m *record.Manifest, all *[]record.Session) {
			m.Strategies = slices.DeleteFunc(m.Strategies, func(s record.Strategy) bool { return s.Kind == kindFloor || s.Kind == kindCeiling })
			*all = slices.DeleteFunc(*all, func(s record.Session) bool { return s.Strategy == "none" || s.Strategy == "oracle" })
		}, func(m *Metrics) Number { return m.Strategies[0].final().Normalised.Value }, math.NaN(), "alignment is not normalised: the run has no floor (kind none) and no ceiling (kind oracle)"},
		{"values too large to be squared", synth{tasks: 2, users: 2}, each(func(s *record.Session) {
			for i, c := range s.Truth.Cells {
				if c.IsHeld() {
					s.Truth.Cells[i] = domains.At(1e300)
				}
			}
		}), func(m *Metrics) Number { return m.Strategies[8].predicted().ValueRMSE.Value }, math.NaN(), ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			y := test.y
			y.seeds, y.criteria, y.budget, y.change = 1, 4, 2, test.change
			m := Compute(load(t, y.write(t)))
			if got := test.value(m); got.Defined() != !math.IsNaN(test.want) || got.Defined() && !near(float64(got), test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if test.warned != "" && !slices.Contains(m.Warnings, test.warned) {
				t.Errorf("warned of %q, not of %q", m.Warnings, test.warned)
			}
			noNonsense(t, m, true)
		})
	}
}

func finalOf(name string) func(*Metrics) Number {
	return func(m *Metrics) Number {
		for i := range m.Strategies {
			if m.Strategies[i].Name == name {
				return m.Strategies[i].final().Value
			}
		}
		return -1
	}
}

// TestPoorManifests takes every field out of a manifest, one at a time: the run is reported
// nevertheless, or refused where there is nothing to show; what a reader would miss is warned
// of, and where all that is needed is there the numbers stay.
func TestPoorManifests(t *testing.T) {
	y := synth{tasks: 2, users: 2, seeds: 1, criteria: 4, budget: 2, simulated: true}
	dir := y.write(t)
	name := filepath.Join(dir, record.ManifestFile)
	var whole map[string]json.RawMessage
	text, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, &whole)
	}
	if err != nil {
		t.Fatal(err)
	}
	final := Compute(load(t, dir)).Strategies[8].final().Value
	warned := map[string]string{
		"config_hash": "the manifest has no config_hash: nobody can tell which configuration these numbers are of",
		"sessions":    "the manifest does not say how many sessions were planned: nobody can tell whether the run is finished",
		"seeds":       "the manifest names no seeds: sessions of all seeds are taken",
		"endpoints":   "the manifest names no endpoints: nobody can tell whether a simulator took part",
		"budget":      "the manifest gives no budget: 2 questions, the last checkpoint, are taken for it",
		"checkpoints": "the manifest names no checkpoint up to the horizon of 2 questions; alignment is looked for at 2",
		"data":        "the manifest names no test tasks: sessions of all tasks are taken",
	}
	refused := map[string]string{"schema": "schema 0, this program reads schema 1", "strategies": "names no strategy"}
	for field := range whole {
		t.Run(field, func(t *testing.T) {
			poor := map[string]json.RawMessage{}
			for k, v := range whole {
				if k != field {
					poor[k] = v
				}
			}
			b, err := json.Marshal(poor)
			if err != nil {
				t.Fatal(err)
			}
			put(t, name, b)
			r, err := Load(dir)
			if want := refused[field]; want != "" {
				if !errors.Is(err, domains.ErrData) || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			m := Compute(r)
			if want := warned[field]; want != "" && !slices.Contains(m.Warnings, want) {
				t.Errorf("warned of %q, not of %q", m.Warnings, want)
			}
			if got := m.Strategies[8].final().Value; fmt.Sprint(got) != fmt.Sprint(final) {
				t.Errorf("final alignment %v, want %v", got, final)
			}
			noNonsense(t, m, false)
		})
	}
}
