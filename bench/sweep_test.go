package bench

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/strategies/belief"
	"pepbench/strategies/pep"
)

// sweepFile writes a configuration that extends the smoke run with the profile judge.
func sweepFile(t *testing.T, body string) string {
	t.Helper()
	base, err := filepath.Abs("../configs/smoke.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sweep.yaml")
	text := "extends: " + base + `
split: {users_per_task: 1}
solver: {kind: profile}
judge: {kind: profile}
horizon: 2
budget: 2
strategies:
  - {name: none, kind: none}
  - {name: twin, kind: static, twin_of: pep, predict: model}
  - {name: pep, kind: pep, belief: model, predict: model}
  - {name: oracle, kind: oracle}
beliefs: {model: {kind: independent}}
report: {target_of: pep+model, reference: pep+model, resamples: 20}
` + body
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const gridBody = `sweep:
  beliefs.model: [{kind: latent-class, classes: [2], restarts: 1}, {kind: naive-bayes}]
  strategies.pep.acquisition: [profile-ig, binary-ig]
`

// TestSweep: every combination has its own run, an undefined one its reason, a
// second run does nothing, and the choice on dev is noted.
func TestSweep(t *testing.T) {
	path, dir := sweepFile(t, gridBody), t.TempDir()
	s, err := LoadSweep(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	sweep := func() (record.Sweep, Outcome) {
		out, o, err := RunSweep(context.Background(), s, dir, false, &watch{}, func(string, Outcome) error { ran++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		return out, o
	}
	out, o := sweep()
	if len(out.Cells) != 4 || ran != 3 || !o.Changed || o.Total != o.Ran {
		t.Fatalf("%d cells, %d ran, %+v", len(out.Cells), ran, o)
	}
	if out.Strategy != "pep+model" || out.Twin != "twin+model" {
		t.Errorf("shows %q and its twin %q", out.Strategy, out.Twin)
	}
	for _, c := range out.Cells {
		refused := slices.Equal(c.At, []int{1, 0}) // a heuristic has no profile information
		if (c.Refused != "") != refused || (c.DevAlignment == nil) != refused {
			t.Errorf("cell %v: %+v", c.At, c)
		}
		if refused {
			continue
		}
		if c.Params == 0 || !(*c.DevAlignment > 0 && *c.DevAlignment < 100) {
			t.Errorf("cell %v: %d parameters, %v on dev", c.At, c.Params, *c.DevAlignment)
		}
		m, err := record.ReadManifest(filepath.Join(dir, c.Dir))
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"latent-class", "naive-bayes"}[c.At[0]]; m.Models[0].Kind != want || !bytes.Contains(m.Config, []byte([]string{"profile-ig", "binary-ig"}[c.At[1]])) {
			t.Errorf("cell %s ran %s", c.Dir, m.Config)
		}
	}
	if _, o := sweep(); o.Changed || o.Ran != 0 {
		t.Errorf("a second sweep ran %d sessions", o.Ran)
	}
	if back, err := record.ReadSweep(dir); err != nil || len(back.Cells) != 4 {
		t.Errorf("sweep.json: %v", err)
	}
	text, err := DrySweep(context.Background(), s, nil)
	if err != nil || !strings.Contains(text, "refused") || !strings.Contains(text, "4 cells") {
		t.Errorf("dry run: %v\n%s", err, text)
	}
}

// TestSweepOfNothing: where no cell is defined the sweep says so and writes nothing.
func TestSweepOfNothing(t *testing.T) {
	s, err := LoadSweep(sweepFile(t, "sweep: {beliefs.model: [{kind: prior}, {kind: item-cf}]}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	_, _, err = RunSweep(context.Background(), s, dir, false, &watch{}, func(string, Outcome) error { return nil })
	if !errors.Is(err, ErrConfig) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d files are left", len(left))
	}
}

// TestUndefinedPairIsRefused outside of a sweep, with exit code 2.
func TestUndefinedPairIsRefused(t *testing.T) {
	e, err := Load(sweepFile(t, "sweep:\n"), []string{"beliefs.model={kind: hybrid}"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Prepare(context.Background(), e, nil)
	if !errors.Is(err, pep.ErrUndefined) || !errors.Is(err, ErrConfig) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

// TestFolds: over the folds of a cross-fitted run every task is tested once, by
// models that were not fitted on it.
func TestFolds(t *testing.T) {
	p := prepare(t, "../configs/smoke.yaml", "split.folds=3", "split.users_per_task=0", "solver={kind: profile}", "judge={kind: profile}")
	tested := map[int]int{}
	for f, part := range p.Parts {
		own := map[int]bool{}
		for _, k := range part.Test {
			own[p.Data.Profiles[k].Task] = true
		}
		for task := range own {
			tested[task]++
		}
		for _, k := range slices.Concat(part.Train, part.Dev) {
			if own[p.Data.Profiles[k].Task] {
				t.Fatalf("fold %d fits on a task that it tests", f)
			}
		}
	}
	if len(tested) != len(p.Data.Tasks) {
		t.Errorf("%d of %d tasks are tested", len(tested), len(p.Data.Tasks))
	}
	for task, n := range tested {
		if n != 1 {
			t.Errorf("task %d is tested in %d folds", task, n)
		}
	}
	if len(p.manifest.Models) != 3 || p.manifest.Models[2].Fold != 3 || p.manifest.Data.Folds != 3 || len(p.manifest.Data.TestTasks) != len(p.Data.Tasks) {
		t.Errorf("manifest: %+v, %+v", p.manifest.Models, p.manifest.Data)
	}
	dir := t.TempDir()
	q := prepare(t, "../configs/smoke.yaml", "split.folds=3", "solver={kind: profile}", "judge={kind: profile}")
	mustRun(t, q, dir)
	seen := map[string]bool{}
	for _, s := range sessions(t, dir) {
		seen[s.Task] = true
	}
	if len(seen) != len(q.Data.Tasks) {
		t.Errorf("sessions of %d tasks", len(seen))
	}
}

// fitFile fits a belief of an experiment and writes it to a file.
func fitFile(t *testing.T, e *Experiment, name string) string {
	t.Helper()
	m, from, err := Fit(context.Background(), e, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := belief.Save(&b, m, from); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "model.json")
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestModelFile: a model that was written and read gives the same sessions; one of
// another split or other criteria is refused.
func TestModelFile(t *testing.T) {
	config := sweepFile(t, "sweep:\n")
	sets := []string{"beliefs.model={kind: latent-class, classes: [2, 3], restarts: 1}"}
	e, err := Load(config, sets)
	if err != nil {
		t.Fatal(err)
	}
	file := fitFile(t, e, "model")
	run := func(sets ...string) (*Plan, string) {
		t.Helper()
		e, err := Load(config, sets)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Prepare(context.Background(), e, nil)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		mustRun(t, p, dir)
		return p, dir
	}
	_, fitted := run(sets...)
	p, read := run("beliefs={}", "strategies=[{name: none, kind: none}, {name: pep, kind: pep, model: "+file+", predict: model}, {name: twin, kind: static, twin_of: pep}, {name: oracle, kind: oracle}]", "report.target_of=none", "report.reference=none")
	if f := p.manifest.Models[0].File; f == nil || f.Path != file || len(f.SHA256) != 64 {
		t.Errorf("manifest names %+v", f)
	}
	asked := func(dir, strategy string) (out []int) {
		for _, s := range sessions(t, dir) {
			if s.Strategy == strategy {
				for _, turn := range s.Turns {
					out = append(out, turn.Question)
				}
			}
		}
		return out
	}
	if a, b := asked(fitted, "pep+model"), asked(read, "pep+pep-model"); len(a) == 0 || !slices.Equal(a, b) {
		t.Errorf("fitted asks %v, read asks %v", a, b)
	}

	use := "beliefs.model={kind: file, path: " + file + "}"
	for _, row := range []struct {
		reason string
		sets   []string
		is     error
	}{
		{"another split of the same data: test profiles may have been trained on", []string{use, "split.seed=2"}, ErrConfig},
		{"another selection of the same data", []string{use, "domain.users=200"}, ErrConfig},
		{"other criteria", []string{use, "domain.name=math"}, belief.ErrModelFile},
		{"no such file", []string{"beliefs.model={kind: file, path: nowhere.json}"}, ErrConfig},
	} {
		e, err := Load(config, row.sets)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = Prepare(context.Background(), e, nil); !errors.Is(err, row.is) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
}

// TestModelOfOtherData: a model that was fitted on other people's answers to the same
// questions may be used, and the manifest says so.
func TestModelOfOtherData(t *testing.T) {
	other := t.TempDir()
	for _, f := range []string{"dims.csv", "profiles.csv"} {
		b := readFile(t, "testdata", "survey", f)
		if f == "profiles.csv" {
			b = bytes.Replace(b, []byte("u00"), []byte("v00"), 1)
		}
		if err := os.WriteFile(filepath.Join(other, f), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sets := []string{"filter.min_held=1", "beliefs.latent.classes=[2]", "budget=2", "horizon=2"}
	e, err := Load("../configs/survey.yaml", append(sets, "domain.path="+other))
	if err != nil {
		t.Fatal(err)
	}
	file := fitFile(t, e, "latent")
	e, err = Load("../configs/survey.yaml", []string{"filter.min_held=1", "budget=2", "horizon=2", "domain.path=testdata/survey", "beliefs.latent={kind: file, path: " + file + "}"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Prepare(context.Background(), e, nil)
	if err != nil || !slices.ContainsFunc(p.warnings, func(w string) bool { return strings.Contains(w, "fitted on other data") }) {
		t.Errorf("%v, warnings %v", err, p)
	}
}

// TestContinuousSurvey: continuous dimensions work end to end with beliefs that know
// them, static orders and the twin included.
func TestContinuousSurvey(t *testing.T) {
	for _, kind := range []string{"factor", "blr", "prior"} {
		dir := t.TempDir()
		acquisition := "variance"
		if kind == "prior" {
			acquisition = "greedy-ev"
		}
		p := prepare(t, "../configs/survey.yaml", "domain.path=testdata/continuous", "split.users_per_task=0", "filter.min_held=1", "budget=1", "horizon=1",
			"beliefs={latent: {kind: "+kind+"}}", `strategies=[{name: none, kind: none}, {name: static, kind: static, order: prior-entropy, predict: latent},
				{name: twin, kind: static, twin_of: pep, predict: latent}, {name: pep, kind: pep, belief: latent, predict: latent, acquisition: `+acquisition+`}, {name: oracle, kind: oracle}]`, "report.against=[]", "report.target_of=static+latent", "report.reference=static+latent")
		mustRun(t, p, dir)
		sum, n := map[string]float64{}, map[string]float64{}
		for _, s := range sessions(t, dir) {
			c := s.Checkpoints[len(s.Checkpoints)-1]
			if c.Raw == nil {
				t.Fatalf("%s: %s is unscored", kind, s.ID)
			}
			sum[s.Strategy] += record.Alignment(*c.Raw)
			n[s.Strategy]++
		}
		mean := func(name string) float64 { return sum[name] / n[name] }
		if !(mean("none") < mean("pep+latent") && mean("pep+latent") <= 100) || mean("oracle") != 100 {
			t.Errorf("%s: floor %v, pep %v, ceiling %v", kind, mean("none"), mean("pep+latent"), mean("oracle"))
		}
	}
}

// TestInterview: somebody who is not simulated is asked and inferred about.
func TestInterview(t *testing.T) {
	e, err := Builtin("medical")
	if err != nil {
		t.Fatal(err)
	}
	e.Beliefs["latent"].Config.(*latentClass).Classes = []int{2}
	p, err := Prepare(context.Background(), e, nil)
	if err != nil {
		t.Fatal(err)
	}
	iv, err := p.Interview("", "")
	if err != nil {
		t.Fatal(err)
	}
	if iv.Strategy != "pep+latent" || iv.Task.Answer != "" {
		t.Errorf("%s asks on a task with the answer %q", iv.Strategy, iv.Task.Answer)
	}
	q, err := iv.Elicitor.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	iv.Elicitor.Observe(q, domains.Answer{Cell: domains.At(5)})
	if inf := iv.Elicitor.Infer(); inf.Held[q.Position] != 1 || inf.Value[q.Position] != 5 {
		t.Errorf("told 5, inferred %v with P(held) %v", inf.Value[q.Position], inf.Held[q.Position])
	}
	for _, bad := range [][2]string{{"nobody", ""}, {"", "no-such-task"}} {
		if _, err := p.Interview(bad[0], bad[1]); !errors.Is(err, ErrConfig) {
			t.Errorf("Interview(%q, %q): %v", bad[0], bad[1], err)
		}
	}
	if _, err := Builtin("cooking"); !errors.Is(err, ErrConfig) {
		t.Errorf("Builtin: %v", err)
	}
}

// TestSweepFolders: whatever its values are called, every cell has a label and a
// folder of its own inside that of the sweep, and none that the joint report needs.
func TestSweepFolders(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, row := range []struct {
		reason, sweep string
		labels        []string // of the first axis; nil: whatever they are
		dirs          []string
	}{
		{"plain values", "about: [a, b]", []string{"a", "b"}, []string{"a", "b"}},
		{"labels that one folder would serve", `about: ["a b", a-b, "A b"]`, []string{"a b-1", "a-b-2", "A b-3"}, []string{"a-b-1", "a-b-2", "A-b-3"}},
		{"a value that is called as another is numbered", "about: [a, a, a-2]", []string{"a-1", "a-2-2", "a-2-3"}, []string{"a-1", "a-2-2", "a-2-3"}},
		{"the folder above, this one, a hidden one", `about: [.., ., .git]`, nil, []string{"--1", "--2", "-git"}},
		{"a path", "about: [/etc/x, ../../x]", nil, []string{"-etc-x", "--..-x"}},
		{"no text", `about: ["", x]`, []string{"value", "x"}, []string{"value", "x"}},
		{"no value", "about: [null, ~, x]", []string{"null-1", "null-2", "x"}, []string{"null-1", "null-2", "x"}},
		{"lines", `about: ["one\n two", x]`, []string{"one two", "x"}, []string{"one-two", "x"}},
		{"names of the joint report's own files", "about: [tables, Figures, grid.json, report.html]", nil, []string{"tables_1", "Figures_2", "grid.json_3", "report.html_4"}},
		{"names that join to one", "about: [a, a_b]\n  name: [b_c, c]", nil, []string{"a_b_c", "a_c", "a_b_b_c", "a_b_c_4"}},
		{"lists", "seeds: [[1], [1, 2]]", []string{"1", "1,2"}, []string{"1", "1-2"}},
		{"blocks of one kind", "users: [{kind: noisy}, {kind: noisy, slip: 0.2}, {kind: exact}]", []string{"noisy-1", "noisy-2", "exact"}, []string{"noisy-1", "noisy-2", "exact"}},
		{"blocks without a kind", "strategies.pep.stop: [{gain: 0.1}, {price: 1}, null]", []string{"gain=0.1", "price=1", "null"}, []string{"gain-0.1", "price-1", "null"}},
		{"blocks that hold lists", "split: [{by: task, test_ids: [a]}, {by: task, test_ids: [b]}]", []string{"value-1", "value-2"}, []string{"value-1", "value-2"}},
		{"texts longer than a file name may be", "about: [" + long + ", " + long + "y]", nil, nil},
	} {
		s, err := LoadSweep(sweepFile(t, "sweep:\n  "+row.sweep+"\n"), nil)
		if err != nil {
			t.Errorf("%s: %v", row.reason, err)
			continue
		}
		if row.labels != nil && !slices.Equal(s.Axes[0].Values, row.labels) {
			t.Errorf("%s: labels %q, want %q", row.reason, s.Axes[0].Values, row.labels)
		}
		var dirs []string
		for _, c := range s.Cells {
			if dirs = append(dirs, c.Dir); len(c.Dir) > 255 || strings.ContainsAny(c.Dir, "/\\") || strings.HasPrefix(c.Dir, ".") || c.Dir == "" {
				t.Errorf("%s: folder %q", row.reason, c.Dir)
			}
		}
		if row.dirs != nil && !slices.Equal(dirs, row.dirs) {
			t.Errorf("%s: folders %q, want %q", row.reason, dirs, row.dirs)
		}
		slices.Sort(dirs)
		if len(slices.Compact(dirs)) != len(s.Cells) {
			t.Errorf("%s: %d folders for %d cells", row.reason, len(slices.Compact(dirs)), len(s.Cells))
		}
	}
}

// TestSweepShows: the number of every cell is that of the same strategy, whatever
// each run calls its row, and of no other where a run has left it out.
func TestSweepShows(t *testing.T) {
	run := func(body string) record.Sweep {
		t.Helper()
		s, err := LoadSweep(sweepFile(t, "undefined: skip\n"+body), []string{"report.target_of=", "report.reference="})
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := RunSweep(context.Background(), s, t.TempDir(), false, &watch{}, func(string, Outcome) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := run("sweep: {strategies.pep.predict: [answers, [answers, model]]}\n")
	if out.Strategy != "pep" || out.Cells[0].Row != "pep" || out.Cells[1].Row != "pep+model" || out.Cells[1].Twin != "twin+model" || out.Cells[0].Twin != "" {
		t.Errorf("predictions: %+v", out)
	}
	out = run("sweep: {beliefs.model: [{kind: naive-bayes}, {kind: independent}]}\n")
	if out.Strategy != "pep+model" || out.Cells[0].Refused == "" || out.Cells[0].DevAlignment != nil || out.Cells[1].Row != "pep+model" {
		t.Errorf("left out: %+v", out)
	}
}

// TestSweepFolderOfAnother: a sweep and a single run do not share a folder; what an
// earlier sweep said of its whole is gone once it is no longer so; two sweeps do not
// write at a time.
func TestSweepFolderOfAnother(t *testing.T) {
	load := func(body string) *Sweep {
		t.Helper()
		s, err := LoadSweep(sweepFile(t, body), nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ctx, dir := context.Background(), t.TempDir()
	nothing := func(string, Outcome) error { return nil }
	if _, _, err := RunSweep(ctx, load("sweep: {budget: [0, 1]}\n"), dir, false, &watch{}, nothing); err != nil {
		t.Fatal(err)
	}
	plan, err := Prepare(ctx, load("").Cells[0].Experiment, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(ctx, plan, dir, false, &watch{}); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "holds a sweep") {
		t.Errorf("a single run in the folder of a sweep: %v", err)
	}
	stop := errors.New("stop")
	if _, _, err := RunSweep(ctx, load("sweep: {budget: [0, 1], split.seed: [3, 4]}\n"), dir, false, &watch{}, func(string, Outcome) error { return stop }); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if _, err := record.ReadSweep(dir); err == nil {
		t.Error("the sweep of other axes is still told of")
	}
	release, err := record.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := RunSweep(ctx, load("sweep: {budget: [0, 1]}\n"), dir, false, &watch{}, nothing); !errors.Is(err, record.ErrLocked) {
		t.Errorf("two sweeps at a time: %v", err)
	}
	release()
	single := t.TempDir()
	if _, err := Run(ctx, plan, single, false, &watch{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := RunSweep(ctx, load("sweep: {budget: [0, 1]}\n"), single, false, &watch{}, nothing); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "holds a single run") {
		t.Errorf("a sweep in the folder of a single run: %v", err)
	}
}
