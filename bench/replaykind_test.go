package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/strategies"
	"pepbench/strategies/policylog"
)

// TestWordsAgree: record, which knows no strategy, has the words of strategies.
func TestWordsAgree(t *testing.T) {
	for _, row := range []struct{ reason, a, b string }{
		{"another task", record.OffLogTask, strategies.OffLogTask},
		{"another history", record.OffLogHistory, strategies.OffLogHistory},
		{"mode", record.ModeTrajectory, string(strategies.ReplayTrajectory)},
		{"the other mode", record.ModePolicy, string(strategies.ReplayPolicy)},
	} {
		if row.a != row.b {
			t.Errorf("%s: %q and %q", row.reason, row.a, row.b)
		}
	}
}

// profileOnly lets no model take part, for two seeds.
var profileOnly = []string{"solver={kind: profile}", "judge={kind: profile}", "budget=4", "horizon=4", "seeds=[1, 2]", "report={resamples: 20}"}

// asPolicy is a session without what only the live strategy can know: its name, its
// scores and its counterfactuals.
func asPolicy(t *testing.T, s record.Session) string {
	t.Helper()
	_, s.ID, _ = strings.Cut(s.ID, "/")
	s.Strategy, s.Turns = "", slices.Clone(s.Turns)
	for i := range s.Turns {
		s.Turns[i].Scores, s.Turns[i].Counterfactual = nil, nil
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestTrajectoryReproduces: the log of a strategy on the sessions of the test, replayed,
// is those sessions: the same questions, answers, inferences and checkpoints, and nothing
// off the log.
func TestTrajectoryReproduces(t *testing.T) {
	pepSpec := "{name: live, kind: pep, belief: latent, acquisition: %s, predict: [answers, latent]%s}"
	for _, row := range []struct {
		reason, live string
		sets         []string
		different    []string // rows of the replay that may differ
	}{
		{"pep", fmt.Sprintf(pepSpec, "profile-ig", ""), nil, nil},
		{"pep that meets noisy users", fmt.Sprintf(pepSpec, "profile-ig", ""), []string{"users={kind: noisy, flip_held: 0.2, flip_not_held: 0.2, slip: 0.3}"}, nil},
		{"pep that stops early", fmt.Sprintf(pepSpec, "profile-ig", ", stop: {gain: 0.05}"), nil, nil},
		{"pep on other folds than it was fitted on", fmt.Sprintf(pepSpec, "profile-ig", ""), []string{"split.folds=2"}, nil},
		{"random orders", "{name: live, kind: random, predict: [answers, latent]}", nil, nil},
		{"a fixed order", "{name: live, kind: static, order: prior-value, predict: [answers, latent]}", nil, nil},
		{"a static twin", "{name: live, kind: static, twin_of: asks, predict: [answers, latent]}, {name: asks, kind: pep, belief: latent}", nil, nil},
		{"dice that are thrown for a session: those of the first row", fmt.Sprintf(pepSpec, "random", ""), nil, []string{"again+latent"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			sets := slices.Concat(profileOnly, row.sets, []string{"strategies=[" + row.live + ", {name: again, kind: replay, of: live, users: test, predict: [answers, latent]}]"})
			dir := t.TempDir()
			p := prepare(t, smoke, sets...)
			mustRun(t, p, dir)
			live, again := map[string]string{}, map[string]string{}
			decided := 0
			for _, s := range sessions(t, dir) {
				if base, rest, _ := strings.Cut(s.ID, "/"); strings.HasPrefix(base, "live") {
					live[strings.TrimPrefix(base, "live")+"/"+rest] = asPolicy(t, s)
				} else if strings.HasPrefix(base, "again") {
					again[strings.TrimPrefix(base, "again")+"/"+rest] = asPolicy(t, s)
					off := s.StopOffLog
					for i := range s.Turns {
						decided++
						off += s.Turns[i].OffLog
						if s.Turns[i].Counterfactual != nil {
							t.Errorf("%s: turn %d has a counterfactual that nobody knows", s.ID, i)
						}
					}
					if off != "" {
						t.Errorf("%s is off the log: %s", s.ID, off)
					}
				}
			}
			if len(live) != len(again) || len(live) < 8 || decided == 0 {
				t.Fatalf("%d live sessions, %d replayed, %d decisions", len(live), len(again), decided)
			}
			for _, id := range sortedKeys(live) {
				if live[id] != again[id] && !slices.ContainsFunc(row.different, func(r string) bool { return strings.HasPrefix("again"+id, r+"/") }) {
					t.Fatalf("%s was\n%s\nand is\n%s", id, live[id], again[id])
				}
			}
			// The file beside the run is a log of that data, named in the manifest.
			m, err := record.ReadManifest(dir)
			if err != nil {
				t.Fatal(err)
			}
			text := readFile(t, dir, LogsDir, "live.test.jsonl")
			l, err := policylog.Read(bytes.NewReader(text), LogsDir+"/live.test.jsonl", p.Data)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(m.Strategies, func(s record.Strategy) bool { return s.Name == "again" })
			got := m.Strategies[i].Policy
			if got == nil || *got.Log != l.Source || got.Decisions != len(l.Decisions) || got.Of != "live" || got.ID != "live" || got.Mode != record.ModeTrajectory || got.Users != "test" || got.MostOffLog != 0.2 || got.Model == "" {
				t.Errorf("policy %+v, log %+v", got, l.Source)
			}
			if base := slices.IndexFunc(m.Strategies, func(s record.Strategy) bool { return s.Name == "live" }); m.Strategies[base].Params != m.Strategies[i].Params && !strings.Contains(row.live, "kind: pep, belief: latent}") {
				t.Errorf("the live row has %d parameters, its replay %d", m.Strategies[base].Params, m.Strategies[i].Params)
			}
		})
	}
}

// TestLogOfOthers: no user of a test session is in the log of others, whatever the
// split, and the tasks are those of the test where the data has such.
func TestLogOfOthers(t *testing.T) {
	for _, row := range []struct {
		reason string
		sets   []string
		tasks  bool // of the test
		want   string
	}{
		{"held-out users on held-out tasks: the mixed block", nil, true, ""},
		{"more users than a session has", []string{"split.by=task"}, true, ""},
		{"each fold has its own others", []string{"split.folds=2"}, true, ""},
		{"everybody is in the test", []string{"split.by=task", "split.users_per_task=0"}, false, "every user of the data is in a test session"},
		{"users alone are held out: all tasks are in the test", []string{"split.by=user"}, true, ""},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			e, err := Load(smoke, slices.Concat(small, profileOnly, []string{fewUsers, "strategies=[{name: live, kind: random}, {name: again, kind: replay, of: live, users: others, mode: policy}]"}, row.sets))
			if err != nil {
				t.Fatal(err)
			}
			p, err := Prepare(context.Background(), e, nil)
			if row.want != "" {
				if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), row.want) {
					t.Errorf("%v, want %s", err, row.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			l, err := policylog.Read(bytes.NewReader(p.logs["live.others.jsonl"]), "x", p.Data)
			if err != nil {
				t.Fatal(err)
			}
			for f, part := range p.Parts {
				policy := "live"
				if len(p.Parts) > 1 {
					policy = fmt.Sprintf("live-fold%d", f+1)
				}
				own, err := l.Of(policy)
				if err != nil {
					t.Fatal(err)
				}
				users, tasks := map[string]bool{}, map[string]bool{}
				for _, k := range part.Test {
					users[p.Data.Users[p.Data.Profiles[k].User].ID], tasks[p.Data.Tasks[p.Data.Profiles[k].Task].ID] = true, true
				}
				met := map[string]map[string]bool{}
				for _, d := range own.Decisions {
					if users[d.User] {
						t.Fatalf("%s is a test user", d.User)
					}
					if tasks[d.Task] != row.tasks {
						t.Fatalf("%s is a test task: %v", d.Task, tasks[d.Task])
					}
					if met[d.Task] == nil {
						met[d.Task] = map[string]bool{}
					}
					met[d.Task][d.User] = true
				}
				for task, by := range met {
					if len(by) > othersPerTask {
						t.Errorf("%d users of task %s", len(by), task)
					}
				}
				if len(met) == 0 {
					t.Error("nobody was asked")
				}
			}
		})
	}
}

// TestLogOfTrainingUsers: where no other user meets a test task, those of the training
// profiles are asked on theirs.
func TestLogOfTrainingUsers(t *testing.T) {
	p := prepare(t, smoke, append(slices.Clone(profileOnly), "strategies=[{name: live, kind: random}]")...)
	d := *p.Data
	tests := map[int]bool{}
	for _, k := range p.Parts[0].Test {
		tests[d.Profiles[k].Task] = true
	}
	part := &p.Parts[0]
	all := d.Profiles
	d.Profiles = nil
	old := *part
	part.Test, part.Train = nil, nil
	for k := range all {
		test, train := slices.Contains(old.Test, k), slices.Contains(old.Train, k)
		switch {
		case test:
			part.Test = append(part.Test, len(d.Profiles))
		case train:
			part.Train = append(part.Train, len(d.Profiles))
		case tests[all[k].Task]:
			continue
		}
		d.Profiles = append(d.Profiles, all[k])
	}
	b := p.newBuilder(context.Background(), 0, nil)
	b.data = &d
	got := b.others()
	if len(got) == 0 {
		t.Fatal("nobody")
	}
	perTask := map[int]int{}
	for _, k := range got {
		if !slices.Contains(part.Train, k) {
			t.Errorf("profile %d is not of the training", k)
		}
		perTask[d.Profiles[k].Task]++
	}
	for task, n := range perTask {
		if n > othersPerTask {
			t.Errorf("%d users of task %d", n, task)
		}
	}

	// It is said.
	p.Data = &d
	log := func(k int) *policylog.Log {
		return &policylog.Log{Decisions: []policylog.Decision{{Task: d.Tasks[d.Profiles[k].Task].ID}}}
	}
	before := len(p.warnings)
	if p.warnElsewhere(&replayed{Of: "live"}, log(part.Test[0])); len(p.warnings) != before {
		t.Errorf("a log on a test task: %v", p.warnings[before:])
	}
	p.warnElsewhere(&replayed{Of: "live"}, log(part.Train[0]))
	p.warnElsewhere(&replayed{Of: "live"}, log(part.Train[0])) // of another row
	if len(p.warnings) != before+1 || !strings.HasPrefix(p.warnings[before], "the log of live on others has no task of a test session") {
		t.Errorf("a log on training tasks: %v", p.warnings[before:])
	}
}

// TestDryReplay: nothing is asked for a plan that will not be run, and nothing is chosen
// by what a replay earns on dev.
func TestDryReplay(t *testing.T) {
	sets := slices.Concat(small, profileOnly, []string{fewUsers, "strategies=[{name: live, kind: pep, belief: latent}, {name: again, kind: replay, of: live, users: test}]"})
	e, err := Load(smoke, sets)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	p, err := PrepareDry(context.Background(), e, func(what string) { said = append(said, what) })
	if err != nil {
		t.Fatal(err)
	}
	again := p.manifest.Strategies[1]
	if slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, "making the log") }) || len(p.logs) != 0 || again.Policy.Log != nil || again.Policy.Of != "live" || again.Params != p.manifest.Strategies[0].Params || !strings.Contains(p.DryRun(), "asks what the log of live on these very users says") {
		t.Errorf("said %v, logs %v, policy %+v", said, p.logs, again.Policy)
	}
	if v, err := p.devAlignment(context.Background(), 1); v != nil || err != nil {
		t.Errorf("dev alignment %v, %v", v, err)
	}
	if v, err := p.devAlignment(context.Background(), 0); v == nil || err != nil {
		t.Errorf("dev alignment of pep %v, %v", v, err)
	}
}

// TestPolicyOfOthers: in mode policy the log of others is replayed with the rate at which
// it is off, and equal runs leave equal bytes, resumed or not, the logs included.
func TestPolicyOfOthers(t *testing.T) {
	sets := slices.Concat(profileOnly, []string{
		"users={kind: noisy, flip_held: 0.2, flip_not_held: 0.2, slip: 0.3}", // whose histories the log does not always have
		"strategies=[{name: live, kind: pep, belief: latent}, {name: again, kind: replay, of: live, users: others, mode: policy, most_off_log: 0.3, predict: [answers, latent]}]",
	})
	first, second := t.TempDir(), t.TempDir()
	mustRun(t, prepare(t, smoke, append(sets, "concurrency=1")...), first)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if _, err := Run(ctx, prepare(t, smoke, append(sets, "concurrency=7")...), second, false, &watch{after: 5, do: cancel}); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	log := filepath.Join(second, LogsDir, "live.others.jsonl")
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	mustRun(t, prepare(t, smoke, sets...), second)
	for _, file := range []string{record.ManifestFile, record.SessionsFile, LogsDir + "/live.others.jsonl"} {
		if !bytes.Equal(readFile(t, first, file), readFile(t, second, file)) {
			t.Errorf("%s differs", file)
		}
	}
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	if o := mustRun(t, prepare(t, smoke, sets...), second); o.Changed || !there(second, LogsDir+"/live.others.jsonl") {
		t.Errorf("a complete run: %+v, or the log is not back", o)
	}
	n, off, counterfactuals := 0, 0, 0
	for _, s := range sessions(t, first) {
		if !strings.HasPrefix(s.Strategy, "again") {
			continue
		}
		for i := range s.Turns {
			n++
			if s.Turns[i].OffLog == record.OffLogHistory {
				off++
			}
			if s.Turns[i].Counterfactual != nil {
				counterfactuals++
			}
		}
		if s.Turns[0].OffLog != "" {
			t.Errorf("%s: the first question has no past, and is off the log by %s", s.ID, s.Turns[0].OffLog)
		}
	}
	if off == 0 || off == n || counterfactuals == 0 {
		t.Errorf("%d decisions, %d off the log, %d counterfactuals", n, off, counterfactuals)
	}
	m, err := record.ReadManifest(first)
	if err != nil {
		t.Fatal(err)
	}
	if p := m.Strategies[1].Policy; p.MostOffLog != 0.3 || p.Users != "others" || p.Log.Path != "policylogs/live.others.jsonl" {
		t.Errorf("policy %+v", p)
	}
}

// TestReplayOfAFile: a log of elsewhere, with what its header says.
func TestReplayOfAFile(t *testing.T) {
	live := slices.Concat(profileOnly, []string{"strategies=[{name: live, kind: pep, belief: latent}, {name: again, kind: replay, of: live, users: test}]"})
	dir := t.TempDir()
	mustRun(t, prepare(t, smoke, live...), dir)
	text := string(readFile(t, dir, LogsDir, "live.test.jsonl"))
	_, lines, _ := strings.Cut(text, "\n")
	theirs := filepath.Join(t.TempDir(), "theirs.jsonl")
	write := func(header, body string) {
		t.Helper()
		if err := os.WriteFile(theirs, []byte(header+body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const header = `{"policylog":1,"model":"eight billion","parameters":8000000000,"method":"GRPO"}` + "\n"
	replay := func(extra string) []string {
		return slices.Concat(profileOnly, []string{fmt.Sprintf("strategies=[{name: theirs, kind: replay, log: %q, predict: [answers, latent]%s}]", theirs, extra)})
	}
	write(header, lines)
	out := t.TempDir()
	mustRun(t, prepare(t, smoke, replay("")...), out)
	m, err := record.ReadManifest(out)
	if err != nil {
		t.Fatal(err)
	}
	p := m.Strategies[0].Policy
	if p.ID != "live" || p.Model != "eight billion" || p.Method != "GRPO" || p.Params != 8e9 || p.Log.Path != theirs || p.Decisions != strings.Count(lines, "\n") || p.Of != "" || m.Strategies[0].Params != 8e9 || m.Strategies[1].Params <= 8e9 || len(m.Warnings) != 0 {
		t.Errorf("policy %+v, %d and %d parameters, warnings %v", p, m.Strategies[0].Params, m.Strategies[1].Params, m.Warnings)
	}
	want := map[string]string{}
	for _, s := range sessions(t, dir) {
		if s.Strategy == "live" {
			_, id, _ := strings.Cut(s.ID, "/")
			want[id] = asPolicy(t, s)
		}
	}
	for _, s := range sessions(t, out) {
		if _, id, _ := strings.Cut(s.ID, "/"); s.Strategy == "theirs" && asPolicy(t, s) != want[id] {
			t.Errorf("%s differs from the live session", s.ID)
		}
	}
	if there(out, LogsDir) {
		t.Error("a log of elsewhere is copied")
	}

	// The run is not gone on with after the log has changed.
	write(header, lines[strings.Index(lines, "\n")+1:])
	if _, err := Run(context.Background(), prepare(t, smoke, replay("")...), out, false, &watch{}); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "other data, models, policies or prompts") {
		t.Errorf("another log: %v", err)
	}
	write("", lines[:strings.Index(lines, "\n")+1])
	scant := prepare(t, smoke, replay("")...)
	if !slices.ContainsFunc(scant.warnings, func(w string) bool { return strings.HasPrefix(w, "theirs: the log has a trajectory for 1 of ") }) || len(scant.warnings) != 1 {
		t.Errorf("sessions without a log: warnings %v", scant.warnings)
	}
	out = t.TempDir()
	mustRun(t, scant, out)
	for _, s := range sessions(t, out) {
		if s.Strategy == "theirs" && (len(s.Turns) > 1 || s.Stop != record.StopDone || s.StopOffLog != record.OffLogHistory) {
			t.Errorf("%s goes on after what the log has, or does not say so: %d questions, stop %q off by %q", s.ID, len(s.Turns), s.Stop, s.StopOffLog)
		}
	}
	if p := prepare(t, smoke, replay(", mode: policy")...); len(p.warnings) != 1 || !strings.HasPrefix(p.warnings[0], "theirs: the log has the very user on the very task for 1 of ") {
		t.Errorf("a policy and its own session: warnings %v", p.warnings)
	}

	other := strings.ReplaceAll(lines[:strings.Index(lines, "\n")+1], `"policy":"live"`, `"policy":"other"`)
	for _, row := range []struct {
		reason, header, body, extra, want string
	}{
		{"which of two", header, lines + other, "", "theirs.jsonl: holds 2 policies; name one of: live, other"},
		{"one of two", header, lines + other, ", policy: other", ""},
		{"another domain", strings.Replace(header, "{", `{"data":"math 1",`, 1), lines, "", `theirs.jsonl:1: log of data "math 1"`},
		{"a fault", header, "{}\n", "", "theirs.jsonl:2: no policy"},
		{"nothing", "", "", "", "theirs.jsonl: the log has no decision"},
	} {
		write(row.header, row.body)
		e, err := Load(smoke, slices.Concat(small, []string{fewUsers}, replay(row.extra)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = Prepare(context.Background(), e, nil)
		if (err == nil) != (row.want == "") || err != nil && (!errors.Is(err, domains.ErrData) || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: %v, want %q", row.reason, err, row.want)
		}
	}
	if err := os.Remove(theirs); err != nil {
		t.Fatal(err)
	}
	e, err := Load(smoke, slices.Concat(small, []string{fewUsers}, replay("")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Prepare(context.Background(), e, nil); !errors.Is(err, domains.ErrData) || !strings.Contains(err.Error(), "the policy log cannot be read: no such file") {
		t.Errorf("no file: %v", err)
	}
}

// TestReplayFaults: what cannot be replayed is said when the configuration is read.
func TestReplayFaults(t *testing.T) {
	for _, row := range []struct{ reason, replay, more, want string }{
		{"nothing to replay", "", "", "give either log, a file of decisions"},
		{"two things to replay", ", of: pep, users: test, log: x.jsonl", "", "give either log, a file of decisions"},
		{"whom to ask", ", of: pep", "", `users "": give test (the log of the very sessions) or others`},
		{"nobody of that name", ", of: nobody, users: test", "", `of: no strategy "nobody"; name one of kind pep, random, rl, static`},
		{"the floor decides nothing", ", of: none, users: test", "", `of: no log is made of strategy "none", which is of kind none`},
		{"the ceiling is told the truth", ", of: oracle, users: test", "", `of: no log is made of strategy "oracle", which is of kind oracle`},
		{"a model asks, through an endpoint", ", of: asks, users: test", "", `of: no log is made of strategy "asks", which is of kind asker`},
		{"a replay of a replay", ", of: again, users: test", "", `of: no log is made of strategy "again", which is of kind replay`},
		{"others have no trajectory here", ", of: pep, users: others", "", "users others have no trajectory of a test user; give mode policy"},
		{"no such mode", ", of: pep, users: test, mode: both", "", `mode "both" is neither trajectory nor policy`},
		{"a file has its users", ", log: x.jsonl, users: test", "", "a file has its users"},
		{"a strategy is one policy", ", of: pep, users: test, policy: p", "", "policy names one of those in a file"},
		{"no share", ", of: pep, users: test, most_off_log: 2", "", "most_off_log 2 is not a share"},
		{"a typo", ", of: pep, users: test, most_of_log: 2", "", `unknown key "most_of_log"`},
		{"users who answer in words", ", of: pep, users: test", "users={kind: passive}", "users of kind passive answer in words, through a model; run it first, and replay what pepbench policy-log from-run makes of the run"},
	} {
		sets := []string{"strategies=[{name: none, kind: none}, {name: oracle, kind: oracle}, {name: asks, kind: asker}, {name: pep, kind: pep, belief: latent}, {name: again, kind: replay" + row.replay + "}]", "report={resamples: 20}"}
		if row.more != "" {
			sets = append(sets, row.more)
		}
		if _, err := Load(smoke, sets); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %s", row.reason, err, row.want)
		}
	}
}

// TestReplayInterviews: a policy can be asked what it asks after any answers, a trajectory
// cannot.
func TestReplayInterviews(t *testing.T) {
	p := prepare(t, smoke, append(slices.Clone(profileOnly), "strategies=[{name: live, kind: random}, {name: same, kind: replay, of: live, users: test}, {name: policy, kind: replay, of: live, users: others, mode: policy}]")...)
	if _, err := p.Interview("same", ""); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "known: live, policy") {
		t.Errorf("a trajectory: %v", err)
	}
	iv, err := p.Interview("policy", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := iv.Elicitor.Next(context.Background()); err != nil || iv.Elicitor.(strategies.Logged).OffLog() != "" {
		t.Errorf("the first question: %v, off %q", err, iv.Elicitor.(strategies.Logged).OffLog())
	}
}

// TestWarnOwn: mode policy on the log of the very users is said to be that, however the
// log comes there; the log of others has none of them.
func TestWarnOwn(t *testing.T) {
	const strategies = "strategies=[{name: live, kind: pep, belief: latent}, {name: again, kind: replay, %s, mode: policy, predict: [answers, latent]}]"
	planned := func(how string, more ...string) *Plan {
		t.Helper()
		return prepare(t, smoke, slices.Concat(profileOnly, []string{fewUsers, fmt.Sprintf(strategies, how)}, more)...)
	}
	p := planned("of: live, users: test")
	path := filepath.Join(t.TempDir(), "own.jsonl")
	if err := os.WriteFile(path, p.logs["live.test.jsonl"], 0o644); err != nil {
		t.Fatal(err)
	}
	sessions := len(p.sessions) / 3
	for _, row := range []struct {
		reason string
		p      *Plan
		has    int
	}{
		{"the log of the very sessions", p, sessions},
		{"a file of theirs", planned("log: " + path), sessions},
		{"which knows one seed of two", planned("log: "+path, "seeds=[2, 7]"), sessions / 2},
		{"and nobody under others", planned("log: "+path, "seeds=[5, 7]"), 0},
		{"the log of others", planned("of: live, users: others"), 0},
	} {
		want := fmt.Sprintf("again: the log has the very user on the very task for %d of %d sessions; ", row.has, sessions)
		n := 0
		for _, w := range row.p.manifest.Warnings {
			if strings.HasPrefix(w, "again: the log has the very user") {
				if n++; !strings.HasPrefix(w, want) {
					t.Errorf("%s: %s, want %s", row.reason, w, want)
				}
			}
		}
		if n != min(1, row.has) {
			t.Errorf("%s: warned %d times", row.reason, n)
		}
	}
}
