package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pepbench/bench/llm"
	"pepbench/bench/llm/sim"
	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/judges"
)

// few is a run of three strategies.
var few = []string{
	"strategies=[{name: none, kind: none}, {name: static, kind: static, order: prior-value}, {name: oracle, kind: oracle}]",
	"report={resamples: 20}", "checkpoints=[0, 3, 5]", "horizon=5",
}

const smoke = "../configs/smoke.yaml"

// wireSim serves the simulator to the end of the test.
func wireSim(t testing.TB) string {
	t.Helper()
	address, stop, err := sim.Serve(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return address
}

// a chat is what a server is asked.
type chat struct {
	Messages []llm.Message `json:"messages"`
}

func (c *chat) system() string { return c.Messages[0].Content }
func (c *chat) user() string   { return c.Messages[len(c.Messages)-1].Content }

// judgeServer grades every criterion of a request by a function of the request and the
// criterion's name; whatever else it is asked it has no trouble with.
func judgeServer(t testing.TB, grade func(c *chat, name string) string) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var c chat
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		text := "ready"
		switch {
		case strings.Contains(c.system(), `{"correct"`):
			text = `{"correct": true, "reason": "it says so"}`
		case strings.Contains(c.user(), "\n>>>\n"):
			calls.Add(1)
			var entries []string
			for line := range strings.Lines(c.user()[strings.LastIndex(c.user(), "\n>>>\n"):]) {
				if name, ok := strings.CutPrefix(strings.TrimSpace(line), "Criterion: "); ok {
					q, _ := json.Marshal(name)
					entries = append(entries, fmt.Sprintf(`{"criterion": %s, "level": %s, "reason": "so it is"}`, q, grade(&c, name)))
				}
			}
			text = `{"results": [` + strings.Join(entries, ", ") + `]}`
			if !strings.Contains(c.system(), `"results"`) {
				text = entries[0]
			}
		}
		b, _ := json.Marshal(text)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":"x","object":"chat.completion","model":"stranger","choices":[{"index":0,"message":{"role":"assistant","content":%s},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`, b)
	}))
	t.Cleanup(s.Close)
	return s, &calls
}

func prepareRejudge(t testing.TB, dir string, sets ...string) *Rejudge {
	t.Helper()
	r, err := PrepareRejudge(context.Background(), dir, append([]string{"cache=off"}, sets...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustRejudge(t testing.TB, from, to string, sets ...string) Outcome {
	t.Helper()
	o, err := prepareRejudge(t, from, sets...).Run(context.Background(), to, &watch{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestRejudgeSame: the same judge gives the same grades, and nothing else changes: what
// differs in the journal is the former score, which is the score.
func TestRejudgeSame(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	mustRun(t, prepare(t, smoke, few...), from)
	if o := mustRejudge(t, from, to); o.Ran != o.Total || o.Failed != 0 || o.Total == 0 || !o.Changed {
		t.Fatalf("%+v", o)
	}
	var lines bytes.Buffer
	for _, s := range sessions(t, to) {
		for i := range s.Checkpoints {
			for k := range s.Checkpoints[i].Scores {
				sc := &s.Checkpoints[i].Scores[k]
				if sc.Before == nil || *sc.Before != *sc.Score {
					t.Fatalf("session %s: score %v, before %v", s.ID, sc.Score, sc.Before)
				}
				if *sc.BeforeLevel != float64(*sc.Level) {
					t.Fatalf("session %s: level %v, before %v", s.ID, *sc.Level, *sc.BeforeLevel)
				}
				sc.Before, sc.BeforeLevel = nil, nil
			}
		}
		b, err := record.Line(&s)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(b)
	}
	if !bytes.Equal(lines.Bytes(), readFile(t, from, record.SessionsFile)) {
		t.Error("something else than the former score differs")
	}
	m, err := record.ReadManifest(to)
	if err != nil {
		t.Fatal(err)
	}
	old, err := record.ReadManifest(from)
	if err != nil {
		t.Fatal(err)
	}
	if m.Rejudged == nil || m.Rejudged.Of != old.Name || m.Rejudged.Judge != old.Judge || m.Judge != old.Judge || m.ConfigHash != old.ConfigHash || len(m.Rejudged.SessionsSHA256) != 64 || m.Planned.Solver != 0 || m.Planned.Judge == 0 {
		t.Errorf("manifest: %+v, %+v", m.Rejudged, m.Planned)
	}
	// Neither kind of run goes on in the folder of the other.
	if _, err := Run(context.Background(), prepare(t, smoke, few...), to, false, &watch{}); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "graded again") {
		t.Errorf("running on: %v", err)
	}
	if _, err := prepareRejudge(t, from).Run(context.Background(), from, &watch{}); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "a solver of their own") {
		t.Errorf("rejudging into the run: %v", err)
	}
	if _, err := prepareRejudge(t, from, "judge.mode=single").Run(context.Background(), to, &watch{}); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "another configuration: judge.mode was") {
		t.Errorf("another judge into the same folder: %v", err)
	}
}

// TestRejudgePolicies: what the manifest and the reports name of policies and their logs
// is in the folder of the new grades, too.
func TestRejudgePolicies(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	mustRun(t, prepare(t, smoke, append(slices.Clone(few), "strategies=[{name: none, kind: none}, {name: static, kind: static, order: prior-value}, {name: again, kind: replay, of: static, users: test}, {name: oracle, kind: oracle}]")...), from)
	if err := os.Mkdir(filepath.Join(from, TrainingsDir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(from, TrainingsDir, "rl-seed1.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	mustRejudge(t, from, to)
	for _, file := range []string{filepath.Join(LogsDir, "static.test.jsonl"), filepath.Join(TrainingsDir, "rl-seed1.json")} {
		if had := readFile(t, from, file); !bytes.Equal(had, readFile(t, to, file)) {
			t.Errorf("%s differs", file)
		}
	}
}

// TestRejudgeOther: another judge reads the stored responses and no solver is called,
// not even one that is gone.
func TestRejudgeOther(t *testing.T) {
	simulator, err := url.Parse(wireSim(t))
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: simulator.Scheme, Host: simulator.Host})
	solver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		proxy.ServeHTTP(w, r)
	}))
	from, to := t.TempDir(), t.TempDir()
	own := append(slices.Clone(few), fmt.Sprintf("models={theirs: {kind: openai, base_url: %q, model: pepbench-sim}}", solver.URL+simulator.Path), "roles={solver: theirs}")
	mustRun(t, prepare(t, smoke, own...), from)
	solver.Close()
	if asked.Load() == 0 {
		t.Fatal("the solver was not called")
	}
	asked.Store(0)
	stored := map[string]int{} // responses
	old := map[string]record.Session{}
	for _, s := range sessions(t, from) {
		old[s.ID] = s
		for _, c := range s.Checkpoints {
			if !c.Carried {
				stored[c.Response]++
			}
		}
	}
	server, calls := judgeServer(t, func(c *chat, _ string) string {
		_, r, _ := strings.Cut(c.user(), "\n<<<\n")
		if stored[r[:strings.LastIndex(r, "\n>>>\n")]] == 0 {
			return `"not a stored response"`
		}
		return "2"
	})
	backend := fmt.Sprintf("backend={kind: openai, base_url: %q, model: stern}", server.URL)
	if o := mustRejudge(t, from, to, backend, "judge.repeats=2", "cache=off"); o.Ran != o.Total || o.Failed != 0 {
		t.Fatalf("%+v", o)
	}
	total := 0
	for _, n := range stored {
		total += n
	}
	if got := int(calls.Load()); got != 2*total || asked.Load() != 0 {
		t.Errorf("%d calls of the judge for %d responses, %d of the solver", got, total, asked.Load())
	}
	for _, s := range sessions(t, to) {
		was := old[s.ID]
		for i, c := range s.Checkpoints {
			for k, sc := range c.Scores {
				if want := was.Checkpoints[i].Scores[k].Score; sc.Before == nil || *sc.Before != *want || *sc.Level != 2 || len(sc.Repeats) != 2 || sc.Judge != "judge/rubric/1/amount/batched/stern/x2" {
					t.Fatalf("session %s, checkpoint %d: %+v, before %v", s.ID, c.Questions, sc, *want)
				}
			}
			if c.Response != was.Checkpoints[i].Response || c.Raw == nil {
				t.Fatalf("session %s: another response, or no raw score", s.ID)
			}
		}
		a, _ := json.Marshal([]any{was.Prior, was.Turns, was.Truth, was.Stop})
		b, _ := json.Marshal([]any{s.Prior, s.Turns, s.Truth, s.Stop})
		if !bytes.Equal(a, b) {
			t.Fatalf("session %s: another dialogue", s.ID)
		}
		roles := map[string]record.RoleCalls{}
		for _, c := range s.Calls {
			roles[c.Role] = c
		}
		if roles["solver"].Calls != was.Calls[0].Calls || roles["judge"].Calls != 2*was.Calls[1].Calls || roles["judge"].TokensIn != 7*roles["judge"].Calls {
			t.Fatalf("session %s: calls %+v, were %+v", s.ID, s.Calls, was.Calls)
		}
	}
	m, err := record.ReadManifest(to)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Endpoints) != 3 || m.Endpoints[0].Model != "pepbench-sim" || m.Endpoints[1].Model != "stern" || m.Endpoints[2].Model != "stern" || m.Judge != "judge/rubric/1/amount/batched/stern/x2" {
		t.Errorf("endpoints %+v, judge %s", m.Endpoints, m.Judge)
	}
}

// TestRejudgeBackend: a backend that was also the solver's goes on being that.
func TestRejudgeBackend(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	mustRun(t, prepare(t, smoke, few...), from)
	server, _ := judgeServer(t, func(*chat, string) string { return "4" })
	mustRejudge(t, from, to, fmt.Sprintf("backend={kind: openai, base_url: %q, model: m}", server.URL))
	m, err := record.ReadManifest(to)
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Backend, Roles map[string]string
		Models         map[string]map[string]string
	}
	if err := json.Unmarshal(m.Config, &config); err == nil && (config.Roles["solver"] != "former" || config.Models["former"]["kind"] != "sim" || config.Backend["model"] != "m") {
		t.Errorf("config %s", m.Config)
	} else if err != nil {
		t.Error(err)
	}
	// And what was graded again can be graded again.
	third := t.TempDir()
	mustRejudge(t, to, third, "backend={kind: sim}")
	for _, s := range sessions(t, third) {
		for _, c := range s.Checkpoints {
			for _, sc := range c.Scores {
				if sc.Before == nil || strings.Contains(sc.Judge, "/m") {
					t.Fatalf("%+v", sc)
				}
			}
		}
	}
}

// TestRejudgeResumes: interrupted or not, whatever the concurrency, the same bytes.
func TestRejudgeResumes(t *testing.T) {
	from, base := t.TempDir(), t.TempDir()
	mustRun(t, prepare(t, smoke, few...), from)
	sets := []string{"judge={kind: rubric, repeats: 2, probes: true}"}
	mustRejudge(t, from, base, sets...)
	same := func(dir string) {
		t.Helper()
		for _, f := range []string{record.ManifestFile, record.SessionsFile, record.ProbesFile} {
			if !bytes.Equal(readFile(t, dir, f), readFile(t, base, f)) {
				t.Errorf("another %s", f)
			}
		}
	}
	alone := t.TempDir()
	mustRejudge(t, from, alone, append(sets, "concurrency=1")...)
	same(alone)

	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o, err := prepareRejudge(t, from, sets...).Run(ctx, dir, &watch{after: 10, do: cancel})
	if !errors.Is(err, context.Canceled) || o.Ran >= o.Total || o.Ran < 10 {
		t.Fatalf("interrupted after 10 sessions: %+v, %v", o, err)
	}
	if o := mustRejudge(t, from, dir, sets...); o.Ran == 0 || o.Ran > o.Total-10 {
		t.Errorf("resumed: %+v", o)
	}
	same(dir)
	if o := mustRejudge(t, from, dir, sets...); o.Ran != 0 || o.Changed {
		t.Errorf("once more: %+v", o)
	}
	same(dir)
}

// TestRejudgeFailures: what the run could not do stays as it is, a judge that fails for
// now is tried again, and one that is gone stops the work.
func TestRejudgeFailures(t *testing.T) {
	from := t.TempDir()
	mustRun(t, prepare(t, smoke, few...), from)
	all := sessions(t, from)
	all[0].Error, all[0].Stop, all[0].Checkpoints = "after 0 questions: solver: gone", record.StopError, nil
	silent := &all[1].Checkpoints[0]
	silent.Response, silent.Raw, silent.Correct, silent.CorrectReason = "", nil, nil, ""
	for i := range silent.Scores {
		silent.Scores[i] = record.Score{Position: silent.Scores[i].Position, Unscored: "solver: refused", Judge: "former"}
	}
	rewrite(t, from, all)
	server, _ := judgeServer(t, func(*chat, string) string { return "3" })
	backend := fmt.Sprintf("backend={kind: openai, base_url: %q, model: m}", server.URL)
	to := t.TempDir()
	o := mustRejudge(t, from, to, backend)
	if o.Failed != 1 || o.Ran != o.Total {
		t.Errorf("%+v", o)
	}
	for _, s := range sessions(t, to) {
		switch s.ID {
		case all[0].ID:
			if s.Error != all[0].Error || len(s.Checkpoints) != 0 {
				t.Errorf("a session that failed: %+v", s)
			}
		case all[1].ID:
			sc := s.Checkpoints[0].Scores[0]
			if sc.Unscored != "solver: refused" || sc.Score != nil || sc.Before != nil || sc.Judge != "judge/rubric/1/amount/batched/m" || s.Checkpoints[0].Raw != nil {
				t.Errorf("a response that there is not: %+v", sc)
			}
		default:
			if s.Error != "" || s.Checkpoints[0].Raw == nil {
				t.Errorf("session %s: %+v", s.ID, s)
			}
		}
	}
	if o := mustRejudge(t, from, to, backend); o.Changed {
		t.Errorf("a session that failed in the run makes work: %+v", o)
	}
	server.Close()
	nowhere := filepath.Join(t.TempDir(), "new")
	if _, err := prepareRejudge(t, from, backend).Run(context.Background(), nowhere, &watch{}); !errors.Is(err, llm.ErrUnusable) {
		t.Errorf("a judge that is gone: %v", err)
	}
	if _, err := os.Stat(nowhere); err == nil {
		t.Error("a folder is left behind by nothing")
	}
}

// rewrite puts sessions into the journal of a run.
func rewrite(t *testing.T, dir string, all []record.Session) {
	t.Helper()
	var b bytes.Buffer
	for i := range all {
		line, err := record.Line(&all[i])
		if err != nil {
			t.Fatal(err)
		}
		b.Write(line)
	}
	if err := os.WriteFile(filepath.Join(dir, record.SessionsFile), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestRejudgeRefuses: what would change the sessions, and what is not there.
func TestRejudgeRefuses(t *testing.T) {
	base := t.TempDir()
	mustRun(t, prepare(t, smoke, append(slices.Clone(few), "models={a: {kind: sim}, b: {kind: openai, base_url: \"http://127.0.0.1:1\", model: b, headers: {X-Team: red}}}", "roles={solver: a, judge: a}")...), base)
	for _, row := range []struct {
		reason string
		sets   []string
		change func(t *testing.T, dir string, all []record.Session)
		config bool // a fault of the configuration (exit 2), else of the data (exit 3)
		want   string
	}{
		{"another split", []string{"split.seed=2"}, nil, true, "--set: split.seed decides about the sessions, which are there already; only the judge can be another"},
		{"another solver", []string{"solver.max_criteria=2"}, nil, true, "solver.max_criteria decides"},
		{"the solver's model by role", []string{"roles.solver=backend"}, nil, true, "roles.solver decides"},
		{"all roles", []string{"roles={judge: backend}"}, nil, true, "roles decides"},
		{"the model that the solver has", []string{"models.a={kind: openai, base_url: \"http://127.0.0.1:1\", model: z}"}, nil, true, "model a is also that of the solver"},
		{"models without it", []string{"models={c: {kind: sim}}", "roles.judge=c"}, nil, true, `roles.solver: no model "a"`},
		{"a judge that does not exist", []string{"judge.kind=flip"}, nil, true, `there is no judge "flip"`},
		{"too many repeats", []string{"judge.repeats=26"}, nil, true, "repeats 26 is not from 1 to 25"},
		{"no repeats", []string{"judge.repeats=0"}, nil, true, "repeats 0 is not from 1 to 25"},
		{"the profile judge", []string{"judge={kind: profile}"}, nil, true, "the profile judge grades the profile solver"},
		{"another profile", nil, func(t *testing.T, dir string, all []record.Session) {
			all[3].Truth.Cells[0] = domains.At(1 + float64(int(all[3].Truth.Weights[0]*4)))
			all[3].Truth.Cells[1] = domains.At(5)
			all[3].Truth.Cells[2] = domains.At(5)
			rewrite(t, dir, all)
		}, false, "sessions.jsonl:4: session"},
		{"other criteria", nil, func(t *testing.T, dir string, all []record.Session) {
			all[0].Criteria[0] = "unheard_of"
			rewrite(t, dir, all)
		}, false, "other criteria of the task"},
		{"another user", nil, func(t *testing.T, dir string, all []record.Session) {
			all[0].User = "nobody"
			rewrite(t, dir, all)
		}, false, "no such task and user"},
		{"an unfinished run", nil, func(t *testing.T, dir string, all []record.Session) { rewrite(t, dir, all[1:]) }, false, "the run is not finished"},
		{"a torn line", nil, func(t *testing.T, dir string, _ []record.Session) {
			b := readFile(t, dir, record.SessionsFile)
			if err := os.WriteFile(filepath.Join(dir, record.SessionsFile), b[:len(b)-1], 0o644); err != nil {
				t.Fatal(err)
			}
		}, false, "the last line is torn"},
		{"no sessions", nil, func(t *testing.T, dir string, _ []record.Session) {
			if err := os.Remove(filepath.Join(dir, record.SessionsFile)); err != nil {
				t.Fatal(err)
			}
		}, false, "cannot be read"},
		{"no run", nil, func(t *testing.T, dir string, _ []record.Session) {
			if err := os.Remove(filepath.Join(dir, record.ManifestFile)); err != nil {
				t.Fatal(err)
			}
		}, false, "the manifest of the run cannot be read"},
		{"other data", nil, func(t *testing.T, dir string, _ []record.Session) {
			m, err := record.ReadManifest(dir)
			if err != nil {
				t.Fatal(err)
			}
			m.Data.Sources[0].SHA256 = "0"
			if err := record.WriteJSON(filepath.Join(dir, record.ManifestFile), m); err != nil {
				t.Fatal(err)
			}
		}, false, "the run was made with other data"},
		{"a sweep", nil, func(t *testing.T, dir string, _ []record.Session) {
			if err := os.WriteFile(filepath.Join(dir, record.SweepFile), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}, true, "holds a sweep"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			dir := t.TempDir()
			for _, f := range []string{record.ManifestFile, record.SessionsFile} {
				if err := os.WriteFile(filepath.Join(dir, f), readFile(t, base, f), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if row.change != nil {
				row.change(t, dir, sessions(t, dir))
			}
			_, err := PrepareRejudge(context.Background(), dir, row.sets, nil)
			if err == nil || !strings.Contains(err.Error(), row.want) || errors.Is(err, ErrConfig) != row.config || errors.Is(err, domains.ErrData) == row.config {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
	profile := t.TempDir()
	mustRun(t, prepare(t, smoke, append(slices.Clone(few), "solver={kind: profile}", "judge={kind: profile}")...), profile)
	if _, err := PrepareRejudge(context.Background(), profile, nil, nil); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "no responses to grade again") {
		t.Errorf("a run of the profile judge: %v", err)
	}
}

// TestRejudgeHeaders: headers are hashes in a manifest, and no server is sent those.
func TestRejudgeHeaders(t *testing.T) {
	var team atomic.Value
	server, _ := judgeServer(t, func(*chat, string) string { return "3" })
	proxied, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(proxied)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		team.Store(r.Header.Get("X-Team"))
		proxy.ServeHTTP(w, r)
	}))
	defer front.Close()
	from := t.TempDir()
	mustRun(t, prepare(t, smoke, append(slices.Clone(few), fmt.Sprintf("models={b: {kind: openai, base_url: %q, model: b, headers: {X-Team: red}}}", front.URL), "roles={judge: b}")...), from)
	if _, err := PrepareRejudge(context.Background(), from, nil, nil); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "header X-Team") {
		t.Errorf("headers that are not known: %v", err)
	}
	mustRejudge(t, from, t.TempDir(), "models.b.headers={X-Team: blue}")
	if got := team.Load(); got != "blue" {
		t.Errorf("sent %v", got)
	}
}

// TestProbesOfRun: probes are made once, before the sessions, and belong to the run.
func TestProbesOfRun(t *testing.T) {
	dir := t.TempDir()
	p := prepare(t, smoke, append(slices.Clone(few), "judge.probes=true")...)
	if want := probeCalls(p.Experiment.Judge.Config); p.manifest.Planned.Probes != want || want == 0 || !strings.Contains(p.DryRun(), fmt.Sprintf("%d of the judge on built-in probes", want)) {
		t.Errorf("planned %d probes, want %d", p.manifest.Planned.Probes, want)
	}
	mustRun(t, p, dir)
	got, err := record.ReadProbes(dir)
	if err != nil || got == nil || got.Judge != p.manifest.Judge || len(got.Checks) != 5 || got.Calls != p.manifest.Planned.Probes {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, c := range got.Checks {
		if c.Agree != c.Pairs && c.Name != "verbosity" || c.Unscored != 0 {
			t.Errorf("the simulator on %+v", c)
		}
	}
	var usage record.Usage
	if err := json.Unmarshal(readFile(t, dir, record.UsageFile), &usage); err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, s := range sessions(t, dir) {
		for _, c := range s.Calls {
			if c.Role == roleJudge {
				calls += c.Calls
			}
		}
	}
	if usage.Roles[roleJudge].Calls != calls+got.Calls {
		t.Errorf("%d calls of the judge, %d in sessions and %d probes", usage.Roles[roleJudge].Calls, calls, got.Calls)
	}
	if o, err := Run(context.Background(), prepare(t, smoke, few...), dir, true, &watch{}); err != nil || !o.Changed {
		t.Fatal(err)
	}
	if there(dir, record.ProbesFile) {
		t.Error("probes of an earlier run are left")
	}
	down, _ := judgeServer(t, func(*chat, string) string { return "3" })
	plain := prepare(t, smoke, few...)
	probed := prepare(t, smoke, append(slices.Clone(few), "judge={kind: rubric, probes: false, repeats: 1}")...)
	if plain.manifest.ConfigHash != probed.manifest.ConfigHash {
		t.Error("what says nothing new changes the configuration")
	}
	down.Close()
	gone := prepare(t, smoke, append(slices.Clone(few), "judge.probes=true", fmt.Sprintf("models={b: {kind: openai, base_url: %q, model: b}}", down.URL), "roles={judge: b}")...)
	if _, err := Run(context.Background(), gone, t.TempDir(), false, &watch{}); !errors.Is(err, llm.ErrUnusable) {
		t.Errorf("a judge that is gone: %v", err)
	}
}

// broken is a judge that fails for now at some responses.
type broken struct {
	grading
	err error
}

func (b *broken) Grade(ctx context.Context, c judges.Case) ([]judges.Score, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.grading.Grade(ctx, c)
}

// TestRegradeFails: a judge that fails for now makes a session that failed, which is
// tried again; one that cannot work makes none.
func TestRegradeFails(t *testing.T) {
	from := t.TempDir()
	mustRun(t, prepare(t, smoke, few...), from)
	r := prepareRejudge(t, from)
	f, err := os.Open(filepath.Join(from, record.SessionsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, row := range []struct {
		reason  string
		err     error
		session bool
	}{
		{"for now", fmt.Errorf("503: %w", llm.ErrTransient), true},
		{"for good", fmt.Errorf("401: %w", llm.ErrUnusable), false},
		{"the budget is spent", fmt.Errorf("spent: %w", llm.ErrBudget), false},
	} {
		g := &regrader{Rejudge: r, source: f, judge: &broken{err: row.err}, correctness: &judges.Correctness{}}
		s, err := g.regrade(context.Background(), r.lines[0])
		switch {
		case row.session && (err != nil || s.Stop != record.StopError || !strings.HasPrefix(s.Error, "after 0 questions: judge: 503") || len(s.Checkpoints) != 0):
			t.Errorf("%s: %+v, %v", row.reason, s, err)
		case !row.session && !errors.Is(err, row.err):
			t.Errorf("%s: %v", row.reason, err)
		}
	}
	cut := *r
	cut.lines = []sessionLine{{id: r.lines[0].id, at: 5, n: 20}}
	var bad *domains.DataError
	if _, err := (&regrader{Rejudge: &cut, source: f}).regrade(context.Background(), cut.lines[0]); !errors.As(err, &bad) {
		t.Errorf("a journal that was changed meanwhile: %v", err)
	}
}

// TestRejudgeLimits: what grading again may cost is the judge's cost alone, and work
// that has reached a limit goes on.
func TestRejudgeLimits(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	mustRun(t, prepare(t, smoke, few...), from)
	server, _ := judgeServer(t, func(*chat, string) string { return "4" })
	backend := fmt.Sprintf("backend={kind: openai, base_url: %q, model: m}", server.URL)
	if _, err := PrepareRejudge(context.Background(), from, []string{backend, "limits.dollars=1"}, nil); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), `what the model "backend" costs is not known`) {
		t.Errorf("dollars without a price: %v", err)
	}
	priced := []string{backend, "backend.price={in: 1, out: 10}"}
	_, err := prepareRejudge(t, from, append(priced, "limits.dollars=1", "limits.calls=30", "concurrency=2")...).Run(context.Background(), to, &watch{})
	if !errors.Is(err, llm.ErrBudget) {
		t.Fatalf("thirty calls: %v", err)
	}
	if o := mustRejudge(t, from, to, backend, "backend.price={in: 2, out: 20}"); o.Ran == 0 || o.Ran == o.Total {
		t.Errorf("went on: %+v", o)
	}
	m, err := record.ReadManifest(to)
	if err != nil {
		t.Fatal(err)
	}
	if e := m.Endpoints[1]; e.Role != roleJudge || e.Price == nil || *e.Price != (record.Price{In: 2, Out: 20}) || m.Endpoints[2].Role != roleCorrectness {
		t.Errorf("endpoint %+v", e)
	}
	if s := m.Endpoints[0]; s.Role != roleSolver || !s.Simulated {
		t.Errorf("endpoint %+v", s)
	}
}
