package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pepbench/bench/llm"
	"pepbench/bench/record"
	"pepbench/bench/solver"
	"pepbench/domains"
	"pepbench/judges"
	"pepbench/simusers"
	"pepbench/strategies"
)

// fewUsers is for the data of the configuration smoke: it is loaded again and again.
const fewUsers = "domain.users=80"

// small is a run of every strategy that takes a second or so.
var small = []string{"split.users_per_task=1", "beliefs.latent.classes=[2]", "report.resamples=20"}

func prepare(t testing.TB, config string, sets ...string) *Plan {
	t.Helper()
	// Nothing is kept from other tests.
	fixed := slices.Concat(small, []string{"cache=off"})
	if config == smoke {
		fixed = append(fixed, fewUsers)
	}
	return planOf(t, config, append(fixed, sets...)...)
}

// planOf is prepare of a configuration as it is.
func planOf(t testing.TB, config string, sets ...string) *Plan {
	t.Helper()
	e, err := Load(config, sets)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Prepare(context.Background(), e, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// watch is a Progress that may do something after some sessions.
type watch struct {
	after int
	do    func()
}

func (w *watch) Step(string) {}
func (w *watch) Sessions(_, _, fresh int) {
	if w.do != nil && fresh == w.after {
		w.do()
	}
}

func mustRun(t testing.TB, p *Plan, dir string) Outcome {
	t.Helper()
	o, err := Run(context.Background(), p, dir, false, &watch{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func readFile(t testing.TB, parts ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sessions(t testing.TB, dir string) []record.Session {
	t.Helper()
	var out []record.Session
	for _, line := range bytes.Split(bytes.TrimSpace(readFile(t, dir, record.SessionsFile)), []byte("\n")) {
		var s record.Session
		if err := json.Unmarshal(line, &s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// TestSameBytes: whatever the concurrency or the interruptions, equal runs leave
// equal bytes.
func TestSameBytes(t *testing.T) {
	const config = "../configs/smoke.yaml"
	short := []string{"budget=2", "horizon=2"}
	base := t.TempDir()
	if o := mustRun(t, prepare(t, config, short...), base); o.Ran != o.Total || o.Total == 0 || o.Failed != 0 {
		t.Fatalf("first run: %+v", o)
	}
	wantSessions, wantManifest := readFile(t, base, record.SessionsFile), readFile(t, base, record.ManifestFile)
	same := func(t *testing.T, dir string) {
		t.Helper()
		if !bytes.Equal(readFile(t, dir, record.SessionsFile), wantSessions) {
			t.Error("other sessions")
		}
		if !bytes.Equal(readFile(t, dir, record.ManifestFile), wantManifest) {
			t.Error("another manifest")
		}
	}

	for _, sets := range []string{"concurrency=1", "concurrency=16"} {
		t.Run(sets, func(t *testing.T) {
			dir := t.TempDir()
			mustRun(t, prepare(t, config, append([]string{sets}, short...)...), dir)
			same(t, dir)
		})
	}
	lines := bytes.SplitAfter(wantSessions, []byte("\n"))
	for _, row := range []struct {
		reason string
		left   []byte
		ran    int // sessions that must be run again; -1: any number above 0
	}{
		{"cut in the middle of a line", wantSessions[:len(wantSessions)/2], -1},
		{"cut at the end of a line", bytes.Join(lines[:10], nil), len(lines) - 1 - 10},
		{"cut inside the first line", wantSessions[:20], len(lines) - 1},
		{"nothing left", nil, len(lines) - 1},
		{"the last newline is missing", wantSessions[:len(wantSessions)-1], 1},
		{"out of order, as a run leaves it", append(append([]byte(nil), lines[5]...), lines[2]...), len(lines) - 1 - 2},
	} {
		t.Run(row.reason, func(t *testing.T) {
			dir := t.TempDir()
			for name, b := range map[string][]byte{record.SessionsFile: row.left, record.ManifestFile: wantManifest} {
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			o := mustRun(t, prepare(t, config, short...), dir)
			if o.Ran != row.ran && !(row.ran == -1 && o.Ran > 0 && o.Ran < o.Total) {
				t.Errorf("ran %d sessions, want %d", o.Ran, row.ran)
			}
			same(t, dir)
		})
	}
	t.Run("interrupted", func(t *testing.T) {
		dir := t.TempDir()
		before := runtime.NumGoroutine()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		o, err := Run(ctx, prepare(t, config, short...), dir, false, &watch{after: 25, do: cancel})
		if !errors.Is(err, context.Canceled) || o.Ran >= o.Total || o.Ran < 25 {
			t.Fatalf("interrupted after 25 sessions: ran %d of %d, %v", o.Ran, o.Total, err)
		}
		for range 100 { // connections close in their own time
			if runtime.NumGoroutine() <= before {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d goroutines before the run, %d after it", before, n)
		}
		mustRun(t, prepare(t, config, short...), dir)
		same(t, dir)
	})
	t.Run("second run", func(t *testing.T) {
		info, _ := os.Stat(filepath.Join(base, record.SessionsFile))
		o := mustRun(t, prepare(t, config, short...), base)
		again, _ := os.Stat(filepath.Join(base, record.SessionsFile))
		if o.Changed || o.Ran != 0 || !again.ModTime().Equal(info.ModTime()) {
			t.Errorf("a complete run was touched: %+v", o)
		}
		same(t, base)
	})
}

// TestRefusesOtherRuns: sessions of something else are never mixed in.
func TestRefusesOtherRuns(t *testing.T) {
	const config = "../configs/smoke.yaml"
	floor := "strategies=[{name: none, kind: none}]"
	noReport := "report={resamples: 20}"
	dir := t.TempDir()
	mustRun(t, prepare(t, config, floor, noReport), dir)

	other := prepare(t, config, floor, noReport, "split.users_per_task=2")
	if _, err := Run(context.Background(), other, dir, false, &watch{}); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "another configuration: split.users_per_task was 1 and is 2") {
		t.Errorf("another configuration: %v", err)
	}
	older := prepare(t, config, floor, noReport)
	older.manifest.Code.Version = "older"
	if _, err := Run(context.Background(), older, dir, false, &watch{}); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "another version") {
		t.Errorf("another version of the code: %v", err)
	}
	moved := prepare(t, config, floor, noReport)
	moved.manifest.Data.Sources[0].SHA256 = "0"
	if _, err := Run(context.Background(), moved, dir, false, &watch{}); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "other data") {
		t.Errorf("other data: %v", err)
	}

	f, err := os.OpenFile(filepath.Join(dir, record.SessionsFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"id":"stranger/1/med01/p001"}` + "\n"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := Run(context.Background(), prepare(t, config, floor, noReport), dir, false, &watch{}); !errors.Is(err, domains.ErrData) {
		t.Errorf("a session of nobody's: %v", err)
	}

	if o, err := Run(context.Background(), other, dir, true, &watch{}); err != nil || o.Ran != o.Total {
		t.Errorf("fresh: %+v, %v", o, err)
	}
}

// down is a solver that fails for now after some responses.
type down struct {
	solving
	left *atomic.Int64
	err  error
}

func (d down) Solve(ctx context.Context, p solver.Problem) (solver.Solution, error) {
	if d.left.Add(-1) < 0 {
		return solver.Solution{}, d.err
	}
	return d.solving.Solve(ctx, p)
}

// TestFailuresAreNotResults: a session whose endpoint failed is recorded with its
// reason, does not count as done, and is run again; when nothing works any more the
// run stops by itself.
func TestFailuresAreNotResults(t *testing.T) {
	p := prepare(t, "../configs/smoke.yaml")
	w := wire(t, p)
	fails := func(after int64, err error) *runner {
		left := &atomic.Int64{}
		left.Store(after)
		return &runner{plan: p, solver: down{w.roles.solver, left, err}, judge: w.roles.judge, judgeID: w.roles.judgeID}
	}
	k := p.sessions[slices.IndexFunc(p.sessions, func(k sessionKey) bool { return p.rows[k.row].Kind == "pep" })]

	s, err := fails(2, fmt.Errorf("status 503: %w", llm.ErrTransient)).session(context.Background(), k)
	if err != nil || s.Error == "" || s.Stop != record.StopError || len(s.Checkpoints) != 2 {
		t.Errorf("a passing failure: error %q, stop %q, %d checkpoints, %v", s.Error, s.Stop, len(s.Checkpoints), err)
	}
	if _, err := fails(2, fmt.Errorf("status 401: %w", llm.ErrUnusable)).session(context.Background(), k); !errors.Is(err, llm.ErrUnusable) {
		t.Errorf("an unusable endpoint: %v", err)
	}
	if s, err := fails(2, &llm.Unread{Reason: "it is empty", Tries: 3}).session(context.Background(), k); err != nil || s.Error != "" || s.Checkpoints[3].Raw != nil || s.Checkpoints[3].Scores[0].Unscored == "" {
		t.Errorf("an empty reply is unscored: %v, %+v", err, s.Checkpoints[3])
	}

	dir := t.TempDir()
	p.manifest.Endpoints = w.roles.endpoints
	journal := filepath.Join(dir, record.SessionsFile)
	j, err := record.OpenJournal(journal)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Append(s), record.WriteJSON(filepath.Join(dir, record.ManifestFile), p.manifest), j.Close()); err != nil {
		t.Fatal(err)
	}
	if o := mustRun(t, p, dir); o.Ran != o.Total || o.Failed != 0 {
		t.Errorf("the failed session was not run again: %+v", o)
	}
	clean := t.TempDir()
	mustRun(t, prepare(t, "../configs/smoke.yaml"), clean)
	if !bytes.Equal(readFile(t, dir, record.SessionsFile), readFile(t, clean, record.SessionsFile)) {
		t.Error("a session that failed once leaves a trace")
	}
}

// TestHopeless: a server that answers the first call and then garbles or fails every
// one ends the run with an unusable endpoint, not with a finished one.
func TestHopeless(t *testing.T) {
	for _, row := range []struct {
		reason, reply string
		status        int
	}{
		{"a judge that cannot be read", `{"choices": [{"message": {"role": "assistant", "content": "I am a teapot."}, "finish_reason": "stop"}]}`, 200},
		{"a server that refuses every request", `{"error": {"message": "no", "type": "invalid_request_error"}}`, 400},
	} {
		calls := &atomic.Int64{}
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if calls.Add(1) == 1 {
				io.WriteString(w, `{"choices": [{"message": {"role": "assistant", "content": "ready"}, "finish_reason": "stop"}]}`)
				return
			}
			w.WriteHeader(row.status)
			io.WriteString(w, row.reply)
		}))
		p := prepare(t, "../configs/smoke.yaml", fmt.Sprintf("backend={kind: openai, base_url: %q, model: m}", srv.URL+"/v1"), "cache=off")
		o, err := Run(context.Background(), p, t.TempDir(), false, &watch{})
		if !errors.Is(err, llm.ErrUnusable) || o.Ran >= o.Total {
			t.Errorf("%s: %d of %d sessions, %v", row.reason, o.Ran, o.Total, err)
		}
		srv.Close()
	}
}

// TestOneRunAFolder: a second process is refused instead of tearing the journal.
func TestOneRunAFolder(t *testing.T) {
	dir := t.TempDir()
	release, err := record.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	p := prepare(t, "../configs/smoke.yaml", "strategies=[{name: none, kind: none}]", "report={resamples: 20}")
	if _, err := Run(context.Background(), p, dir, false, &watch{}); !errors.Is(err, record.ErrLocked) {
		t.Errorf("a folder that is in use: %v", err)
	}
	release()
	mustRun(t, p, dir)
}

// TestSecretsStayOut: header values reach the server and no file.
func TestSecretsStayOut(t *testing.T) {
	e, err := Load("testdata/config/minimal.good.yaml", []string{"backend={kind: openai, model: m, headers: {X-Key: hunter2}}"})
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := e.canonical()
	if err != nil || bytes.Contains(b, []byte("hunter2")) || !bytes.Contains(b, []byte("X-Key")) {
		t.Errorf("canonical configuration: %s, %v", b, err)
	}
}

// TestBlocksThatDoNotFit are refused before anything runs.
func TestBlocksThatDoNotFit(t *testing.T) {
	for _, row := range []struct{ reason, set, want string }{
		{"a profile judge cannot read a text", "judge={kind: profile}", "do not go together"},
		{"a rubric judge has no text to read", "solver={kind: profile}", "do not go together"},
	} {
		if _, err := Load("../configs/smoke.yaml", []string{row.set}); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
	onTask, err := Load("../configs/smoke.yaml", []string{"domain={kind: survey, path: testdata/survey}", "split.by=user"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Prepare(context.Background(), onTask, nil); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "is a survey without tasks") {
		t.Errorf("a survey has nothing to solve: %v", err)
	}
	e, err := Load("../configs/survey.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Prepare(context.Background(), e, nil); !errors.Is(err, domains.ErrData) {
		t.Errorf("a survey without a path: %v", err)
	}
}

// TestSessions looks at what a session leaves: every promise of the record.
func TestSessions(t *testing.T) {
	dir := t.TempDir()
	p := prepare(t, "../configs/smoke.yaml")
	mustRun(t, p, dir)
	counterfactuals, changed := 0, 0
	for _, s := range sessions(t, dir) {
		strategy, _, _ := strings.Cut(s.Strategy, "+")
		switch {
		case s.Error != "":
			t.Errorf("%s: %s", s.ID, s.Error)
		case strategy == "none" || strategy == "oracle":
			if len(s.Turns) != 0 || len(s.Checkpoints) != 1 || s.Stop != record.StopDone {
				t.Errorf("%s: %d turns, %d checkpoints, stop %q", s.ID, len(s.Turns), len(s.Checkpoints), s.Stop)
			}
			continue
		case len(s.Turns) != 5 || len(s.Checkpoints) != 6 || s.Stop != record.StopBudget:
			t.Errorf("%s: %d turns, %d checkpoints, stop %q", s.ID, len(s.Turns), len(s.Checkpoints), s.Stop)
		}
		seen := map[int]bool{}
		for i, turn := range s.Turns {
			if seen[turn.Question] {
				t.Errorf("%s asks %d twice", s.ID, turn.Question)
			}
			seen[turn.Question] = true
			if !turn.Answer.Equal(s.Truth.Cells[turn.Question]) {
				t.Errorf("%s: an exact user said %v, the profile %v", s.ID, turn.Answer, s.Truth.Cells[turn.Question])
			}
			switch held := turn.Inference.Held[turn.Question]; {
			case turn.Answer.IsHeld() && (held != 1 || turn.Inference.Value[turn.Question] != turn.Answer.Value()), turn.Answer.IsNotHeld() && held != 0:
				t.Errorf("%s: told %v, inferred P(held) %v and value %v", s.ID, turn.Answer, held, turn.Inference.Value[turn.Question])
			}
			if c := turn.Counterfactual; c != nil {
				counterfactuals++
				if c.Answer.Equal(turn.Answer) {
					t.Errorf("%s: the counterfactual answer %v is the answer", s.ID, c.Answer)
				}
				if c.Next != s.Turns[i+1].Question {
					changed++
					if strategy != "pep" {
						t.Errorf("%s: another answer to question %d changes what a fixed order asks next", s.ID, i+1)
					}
				}
			} else if i < len(s.Turns)-1 {
				t.Errorf("%s: turn %d has no counterfactual", s.ID, i+1)
			}
			if strategy == "pep" && len(turn.Scores) != 5 {
				t.Errorf("%s: %d scores kept", s.ID, len(turn.Scores))
			}
		}
		for _, c := range s.Checkpoints {
			if c.Raw == nil || c.Response == "" || c.Correct == nil || len(c.Instructed) > 6 {
				t.Errorf("%s: checkpoint %d: raw %v, correct %v, %d instructions", s.ID, c.Questions, c.Raw, c.Correct, len(c.Instructed))
				continue
			}
			raw, ok := record.Raw(c.Scores, s.Truth.Weight)
			if d := raw - *c.Raw; !ok || d > 1e-5 || d < -1e-5 {
				t.Errorf("%s: checkpoint %d: raw %v on disk, scores and weights give %v", s.ID, c.Questions, *c.Raw, raw)
			}
			for _, sc := range c.Scores {
				if sc.Judge != p.manifest.Judge {
					t.Errorf("%s: graded by %q, manifest says %q", s.ID, sc.Judge, p.manifest.Judge)
				}
			}
		}
	}
	if counterfactuals == 0 || changed == 0 {
		t.Errorf("%d counterfactuals, %d of them changed the next question: the measure would be empty", counterfactuals, changed)
	}
}

// TestSilentUsersSpendQuestions: with missing: spend, empty cells are asked and
// teach nothing; with skip they are not asked.
func TestSilentUsersSpendQuestions(t *testing.T) {
	for _, row := range []struct {
		missing string
		want    bool
	}{{"skip", false}, {"spend", true}} {
		dir := t.TempDir()
		p := prepare(t, "../configs/survey.yaml", "domain.path=testdata/survey", "split.users_per_task=0", "filter.min_held=1", "missing="+row.missing, "beliefs.latent.classes=[1]")
		mustRun(t, p, dir)
		met := false
		for _, s := range sessions(t, dir) {
			for _, turn := range s.Turns {
				met = met || turn.Answer.IsMissing()
			}
		}
		if met != row.want {
			t.Errorf("missing: %s: empty cells asked: %v", row.missing, met)
		}
	}
}

// ---- information barriers ----

// mentions reports whether a value of type t can hold a value of type want.
func mentions(t, want reflect.Type, seen map[reflect.Type]bool) bool {
	if t == want {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return mentions(t.Elem(), want, seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if mentions(t.Field(i).Type, want, seen) {
				return true
			}
		}
	}
	return false
}

// TestBarriers: what each side is handed cannot hold what it must not see.
func TestBarriers(t *testing.T) {
	profile, note, user := reflect.TypeFor[domains.Profile](), reflect.TypeFor[domains.Note](), reflect.TypeFor[domains.User]()
	for _, row := range []struct {
		reason string
		given  reflect.Type
		hidden reflect.Type
	}{
		{"a strategy is not told the profile", reflect.TypeFor[strategies.Setting](), profile},
		{"nor the persona", reflect.TypeFor[strategies.Setting](), user},
		{"a solver is not told the profile", reflect.TypeFor[solver.Problem](), profile},
		{"nor quality levels and justifications", reflect.TypeFor[solver.Problem](), note},
		{"a judge is not told the inference", reflect.TypeFor[judges.Case](), reflect.TypeFor[domains.Inference]()},
	} {
		if mentions(row.given, row.hidden, map[reflect.Type]bool{}) {
			t.Errorf("%s: %v can hold %v", row.reason, row.given, row.hidden)
		}
		if !mentions(reflect.TypeFor[judges.Case](), profile, map[reflect.Type]bool{}) {
			t.Fatal("the check is blind: a judge's case does hold a profile")
		}
	}
	if a := (domains.Task{Answer: "B", Why: "because"}).Blind(); a.Answer != "" || a.Why != "" {
		t.Errorf("a blind task knows %q, %q", a.Answer, a.Why)
	}

	// Only the oracle can be told.
	p := prepare(t, "../configs/smoke.yaml")
	revealers := 0
	for i, r := range p.rows {
		set := p.setting(sessionKey{id: "x", row: i, seed: 1, profile: p.Parts[0].Test[0]})
		if set.Task.Answer != "" || set.Task.Why != "" {
			t.Errorf("%s: the setting knows the right answer", r.Name)
		}
		_, ok := r.strategies[0].Begin(set).(strategies.Revealer)
		if ok {
			revealers++
		}
		if ok != (r.Kind == "oracle") {
			t.Errorf("%s of kind %s can be told the profile: %v", r.Name, r.Kind, ok)
		}
	}
	if revealers != 1 {
		t.Errorf("%d strategies can be told the profile, the oracle alone should be", revealers)
	}
}

// TestNominalSurvey: levels without order work end to end; an inference carries
// their probabilities, and the likeliest one is what is written down.
func TestNominalSurvey(t *testing.T) {
	dir := t.TempDir()
	p := prepare(t, "../configs/survey.yaml", "domain.path=testdata/mixed", "split.users_per_task=0", "filter.min_held=1", "budget=2", "horizon=2", "beliefs.latent.classes=[3]")
	mustRun(t, p, dir)
	if !slices.ContainsFunc(p.manifest.Warnings, func(w string) bool { return strings.Contains(w, "are nominal: naming a wrong level scores 1") }) {
		t.Errorf("nobody says what a wrong level costs: %v", p.manifest.Warnings)
	}
	final := map[string][]float64{}
	for _, s := range sessions(t, dir) {
		c := s.Checkpoints[len(s.Checkpoints)-1]
		final[s.Strategy] = append(final[s.Strategy], record.Alignment(*c.Raw))
		for i, wanted := range c.Wanted {
			if pos := c.Instructed[i]; pos < 2 && wanted != float64(int(wanted)) {
				t.Errorf("%s: %v is no level of %s", s.ID, wanted, s.Criteria[pos])
			}
		}
		if len(s.Turns) == 0 || !strings.HasSuffix(s.Strategy, "+latent") {
			continue
		}
		levels := s.Turns[0].Inference.Levels
		for i := range 2 {
			sum := 0.0
			for _, v := range levels[i] {
				sum += v
			}
			if sum < 1-1e-5 || sum > 1+1e-5 {
				t.Errorf("%s: P(level | held) of %s sums to %v", s.ID, s.Criteria[i], sum)
			}
		}
	}
	mean := func(name string) float64 {
		sum := 0.0
		for _, v := range final[name] {
			sum += v
		}
		return sum / float64(len(final[name]))
	}
	if !(mean("none") < mean("oracle")) || mean("oracle") != 100 {
		t.Errorf("floor %v, ceiling %v", mean("none"), mean("oracle"))
	}
}

// TestContinuousIsRefused by a model of levels, with a clear line.
func TestContinuousIsRefused(t *testing.T) {
	e, err := Load("../configs/survey.yaml", []string{"domain.path=testdata/continuous", "filter.min_held=1", "undefined=refuse"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Prepare(context.Background(), e, nil)
	if want := `belief graded: criterion "age" is continuous and this model knows levels only`; !errors.Is(err, domains.ErrData) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestSingleAndBatchedAgree: one call a criterion or one for all, the same grades.
func TestSingleAndBatchedAgree(t *testing.T) {
	one, all := t.TempDir(), t.TempDir()
	p := prepare(t, "../configs/smoke.yaml", "judge.mode=single")
	mustRun(t, p, one)
	q := prepare(t, "../configs/smoke.yaml")
	mustRun(t, q, all)
	if p.manifest.Planned.Judge <= q.manifest.Planned.Judge {
		t.Errorf("%d calls planned one by one, %d batched", p.manifest.Planned.Judge, q.manifest.Planned.Judge)
	}
	a, b := sessions(t, one), sessions(t, all)
	for i := range a {
		for j := range a[i].Checkpoints {
			x, y := a[i].Checkpoints[j].Scores, b[i].Checkpoints[j].Scores
			for k := range x {
				if *x[k].Score != *y[k].Score || x[k].Reason != y[k].Reason {
					t.Fatalf("%s, checkpoint %d, criterion %d: %v alone, %v in a batch", a[i].ID, j, k, *x[k].Score, *y[k].Score)
				}
			}
		}
	}
}

// wild answers every question with a value far off any scale.
type wild struct{}

func (wild) verbal() bool { return false }

func (wild) User(*domains.Dataset, int, int, llm.Client) simusers.User { return wild{} }
func (wild) About() string                                             { return "wild" }
func (wild) Answer(context.Context, domains.Question) (domains.Answer, error) {
	return domains.Answer{Cell: domains.At(1e6)}, nil
}

// TestOffScaleAnswers: an answer that the criterion cannot take counts as the nearest
// one that it can, the journal keeps what was said, and the run goes on.
func TestOffScaleAnswers(t *testing.T) {
	p := prepare(t, "../configs/smoke.yaml", "solver={kind: profile}", "judge={kind: profile}")
	p.Experiment.Users.Config = wild{}
	dir := t.TempDir()
	mustRun(t, p, dir)
	turns := 0
	for _, s := range sessions(t, dir) {
		for _, turn := range s.Turns {
			turns++
			if turn.OffScale == nil || *turn.OffScale != 1e6 || turn.Answer.Value() != 5 || turn.Inference.Value[turn.Question] != 5 {
				t.Fatalf("%s: said %v, kept %v, believed %v", s.ID, turn.OffScale, turn.Answer, turn.Inference.Value[turn.Question])
			}
		}
	}
	if turns == 0 {
		t.Error("nothing was asked")
	}
}

// TestUndefinedIsSkipped: with undefined: skip, strategies whose belief cannot handle
// the data are left out with a warning, and the others run.
func TestUndefinedIsSkipped(t *testing.T) {
	for _, row := range []struct{ reason, path, gone, stays string }{
		{"normal values have no place on levels without order", "testdata/mixed", "pep-factor+factor", "pep-graded+graded"},
		{"models of levels have no place on a continuous scale", "testdata/continuous", "pep-latent+latent", "pep-blr+blr"},
	} {
		p := prepare(t, "../configs/survey.yaml", "domain.path="+row.path, "split.users_per_task=0", "filter.min_held=1", "budget=1", "horizon=1")
		has := func(name string) bool {
			return slices.ContainsFunc(p.rows, func(r planRow) bool { return r.Name == name })
		}
		if has(row.gone) || !has(row.stays) || has("twin-"+strings.TrimPrefix(row.gone, "pep-")) {
			t.Errorf("%s: rows %v", row.reason, p.rows)
		}
		if !slices.ContainsFunc(p.manifest.Warnings, func(w string) bool {
			return strings.HasPrefix(w, "left out: ") && strings.Contains(w, row.gone+", ") || strings.Contains(w, row.gone+"; because")
		}) {
			t.Errorf("%s: warnings %v", row.reason, p.manifest.Warnings)
		}
		if !slices.Contains(p.manifest.LeftOut, row.gone) || slices.Contains(p.manifest.LeftOut, row.stays) {
			t.Errorf("%s: left out %q", row.reason, p.manifest.LeftOut)
		}
		mustRun(t, p, t.TempDir())
	}
}
