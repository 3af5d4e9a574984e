package bench

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pepbench/bench/llm"
	"pepbench/domains"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestFaults loads every *.bad.yaml; the messages are kept in one golden file, so
// that they can be read together as a user would meet them.
func TestFaults(t *testing.T) {
	files, err := filepath.Glob("testdata/config/*.bad.yaml")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d fixtures: %v", len(files), err)
	}
	var got strings.Builder
	for _, f := range files {
		_, err := LoadSweep(f, nil)
		if err == nil {
			t.Errorf("%s: loaded without a fault", f)
			continue
		}
		if !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v does not wrap ErrConfig", f, err)
		}
		abs, _ := filepath.Abs("testdata/config")
		msg := strings.ReplaceAll(err.Error(), abs+string(filepath.Separator), "")
		got.WriteString("== " + filepath.Base(f) + "\n" + strings.ReplaceAll(msg, "testdata/config/", "") + "\n")
	}
	golden(t, "testdata/config/faults.golden", got.String())
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (rewrite with -update); got\n%s", path, got)
	}
}

func TestGood(t *testing.T) {
	files, err := filepath.Glob("testdata/config/*.good.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d fixtures: %v", len(files), err)
	}
	for _, f := range files {
		if _, err := LoadSweep(f, nil); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// TestShippedConfigs validates every configuration that ships.
func TestShippedConfigs(t *testing.T) {
	n := 0
	err := filepath.WalkDir("../configs", func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" || filepath.Base(filepath.Dir(path)) == "models" { // TestPresets
			return err
		}
		if filepath.Base(path) == "gate.yaml" { // no experiment: TestGateFiles of reports
			return nil
		}
		n++
		s, err := LoadSweep(path, nil)
		if err != nil {
			t.Errorf("%v", err)
			return nil
		}
		e := s.Cells[0].Experiment
		if e.About == "" {
			t.Errorf("%s says nothing about itself", path)
		}
		if want := strings.TrimSuffix(filepath.Base(path), ".yaml"); !strings.HasSuffix(e.Name, want) {
			t.Errorf("%s is named %q: results would be hard to find", path, e.Name)
		}
		return nil
	})
	if err != nil || n < 10 {
		t.Errorf("%d configurations: %v", n, err)
	}
}

func TestExtendsAndSet(t *testing.T) {
	e, err := Load("testdata/config/extends.good.yaml", []string{"budget=3", "strategies.pep.predict=lc", "report={resamples: 10}", "domain.structure=0.5", "strategies.0.name=floor"})
	if err != nil {
		t.Fatal(err)
	}
	b := e.Domain.Config.(*builtin)
	for _, row := range []struct {
		reason    string
		got, want any
	}{
		{"the child's own name", e.Name, "child"},
		{"merged into the parent's block", b.Name, "math"},
		{"set inside a block", b.Structure, 0.5},
		{"set at the top", e.Budget, 3},
		{"the horizon follows the budget", e.Horizon, 3},
		{"checkpoints follow the horizon", e.Checkpoints, []int{0, 1, 2, 3}},
		{"a list item by its name", e.Strategies[1].Config.base().Predict, list{"lc"}},
		{"a list item by its number", e.Strategies[0].Config.base().Name, "floor"},
		{"set replaces a block, defaults fill it", e.Report.Resamples, 10},
		{"defaults fill what a block leaves out", e.Report.Confidence, 0.95},
	} {
		if !reflect.DeepEqual(row.got, row.want) {
			t.Errorf("%s: got %v, want %v", row.reason, row.got, row.want)
		}
	}
}

func TestExtendsList(t *testing.T) {
	e, err := Load("testdata/config/extends-list.good.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		reason    string
		got, want any
	}{
		{"what the first file extends", e.Domain.Config.(*builtin).Name, "math"},
		{"the first file", e.Name, "child"},
		{"the second over the first", e.Budget, 2},
		{"the third over the second", e.About, "more"},
		{"blocks of all of them, key by key", sortedKeys(e.Models), []string{"a", "b"}},
		{"a block of another kind replaces", e.Models["b"].Config.model(), "y"},
		{"this file over all", e.Split.UsersPerTask, 5},
		{"and key by key", e.Split.Dev, 0.25},
	} {
		if !reflect.DeepEqual(row.got, row.want) {
			t.Errorf("%s: got %v, want %v", row.reason, row.got, row.want)
		}
	}
}

func TestSetFaults(t *testing.T) {
	for _, row := range []struct{ reason, set, want string }{
		{"no equals sign", "budget", `--set: "budget" is not path=value; write for example --set split.users_per_task=8`},
		{"an unknown key is found as in a file", "budgets=5", `unknown key "budgets"`},
		{"below a single value", "name.max=5", `--set name.max: name is a single value and has no "max" below it`},
		{"no such list item", "strategies.nobody.kind=none", `--set strategies.nobody.kind: the list has no item "nobody"; give an item's name or its number from 0`},
		{"a fraction is not rounded", "budget=2.9", `--set budget: budget is a whole number, not "2.9"`},
		{"a list is not rounded either", "seeds=[1, 2.5]", `--set seeds: seeds[1] is a whole number, not "2.5"`},
		{"more than fits", "split.seed=18446744073709551616", `--set split.seed: split.seed is a whole number of 0 or more`},
		{"a secret is not repeated", "backend={kind: openai, model: m, seed: sk-0123456789}", `[looks like a key]`},
		{"numbers of items are plain", "strategies.1abc.name=x", `the list has no item "1abc"`},
		{"a fault of a block blames what overrides it", "domain.name=cooking", `--set domain.name: domain: no built-in domain "cooking"`},
		{"wrong type", "budget=many", `--set budget: budget is a whole number, not "many"`},
	} {
		_, err := Load("testdata/config/minimal.good.yaml", []string{row.set})
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", row.reason, err, row.want)
		}
		if !errors.Is(err, ErrConfig) {
			t.Errorf("%s: does not wrap ErrConfig", row.reason)
		}
	}
}

// TestHash: what changes results changes the hash, what does not does not.
func TestHash(t *testing.T) {
	hash := func(sets ...string) string {
		e, err := Load("testdata/config/minimal.good.yaml", sets)
		if err != nil {
			t.Fatal(err)
		}
		_, h, err := e.canonical()
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	base := hash()
	for _, same := range []string{"concurrency=3", "out=/tmp/x", "quiet=true", "budget=5", "horizon=5", "limits={calls: 9, tokens: 9, dollars: 9}", "trace=/tmp/x"} {
		if hash(same) != base {
			t.Errorf("%s changes the hash", same)
		}
	}
	for _, other := range []string{"budget=4", "seeds=[2]", "domain.structure=0.5", "strategies.pep.predict=lc", "users={kind: noisy, slip: 0.1}", "report.resamples=10", "split.seed=2", "beliefs.lc.restarts=2"} {
		if hash(other) == base {
			t.Errorf("%s does not change the hash", other)
		}
	}
}

// TestModelHash: what a model is asked is part of the hash; how fast, how often and for
// what price it is called is not, nor is a model that plays no role.
func TestModelHash(t *testing.T) {
	hash := func(more string) string {
		e, err := Load("testdata/config/minimal.good.yaml", []string{"backend={kind: openai, model: m" + more + "}", "models.other={kind: openai, model: n}"})
		if err != nil {
			t.Fatal(err)
		}
		_, h, err := e.canonical()
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	base := hash("")
	for _, same := range []string{"timeout: 9", "timeout: 1m", "attempts: 9", "rpm: 9", "tpm: 9", "concurrency: 9", "concurrency: auto", "price: {in: 1, out: 2}"} {
		if hash(", "+same) != base {
			t.Errorf("%s changes the hash", same)
		}
	}
	for _, other := range []string{"base_url: http://h/v1", "temperature: 0", "top_p: 1", "max_tokens: 1", "seed: 0", "stop: a", "response_format: json_object", "thinking: tags", "context: 9", "extra: {a: 1}", "headers: {X: y}", "about: {family: f}", "organization: o", "project: p", "api_key_env: K"} {
		if hash(", "+other) == base {
			t.Errorf("%s does not change the hash", other)
		}
	}
}

// TestEndpointOfYAML: every field of a model in YAML reaches the client.
func TestEndpointOfYAML(t *testing.T) {
	e, err := Load("testdata/config/models.good.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := func(v float64) *float64 { return &v }
	one := 1
	o := e.Backend.Config.(*openaiBackend)
	want := llm.Endpoint{
		BaseURL: "http://localhost:8000/v1", Model: "allenai/Olmo-3-7B-Think", Key: "k", Organization: "org", Project: "proj",
		Temperature: p(0.6), TopP: p(0.95), MaxTokens: 1024, Seed: &one, Stop: []string{"<|im_end|>"}, ResponseFormat: "json_schema",
		Extra: map[string]any{
			"min_p": 0.05, "chat_template_kwargs": map[string]any{"enable_thinking": true},
			"provider": map[string]any{"order": []any{"a", "b"}}, "since": "2026-01-02", "none": nil,
		},
		Headers: map[string]string{"X-Title": "pepbench"}, Thinking: "opened", PromptPrice: 0.1, CompletionPrice: 0.4,
		RPM: 600, TPM: 100000, ContextLength: 65536, Timeout: 90 * time.Second,
	}
	if diff := cmp.Diff(want, o.endpoint("k")); diff != "" {
		t.Error(diff)
	}
	judge := e.modelOf(roleJudge).(*openaiBackend)
	if x := judge.endpoint(""); x.Timeout != 90*time.Second || x.Concurrency != 32 || x.BaseURL != "https://api.openai.com/v1" || x.ResponseFormat != "" {
		t.Errorf("the judge's model is %+v", x)
	}
	for _, row := range []struct {
		reason string
		sets   []string
		want   int
	}{
		{"what was asked for", nil, 8000},
		{"as the widest model finds out", []string{"concurrency=0"}, 256},
		{"as the widest model takes", []string{"concurrency=0", "backend.concurrency=8"}, 32},
		{"models that play no role do not count", []string{"concurrency=0", "backend={kind: sim}", "roles.judge=spare", "limits.dollars=0"}, 4 * runtime.GOMAXPROCS(0)},
	} {
		e, err := Load("testdata/config/models.good.yaml", row.sets)
		if err != nil {
			t.Errorf("%s: %v", row.reason, err)
			continue
		}
		if got := e.inFlight(); got != row.want {
			t.Errorf("%s: %d sessions at a time, want %d", row.reason, got, row.want)
		}
	}
}

func TestRowNames(t *testing.T) {
	e, err := Load("testdata/config/minimal.good.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range e.rows() {
		got = append(got, r.Name)
	}
	if want := []string{"none", "pep", "pep+lc", "twin", "oracle"}; !slices.Equal(got, want) {
		t.Errorf("rows %v, want %v", got, want)
	}
}

// TestOther: the answer that a counterfactual gives.
func TestOther(t *testing.T) {
	c := domains.Criterion{Levels: []domains.Level{{Value: 1}, {Value: 2}, {Value: 3}, {Value: 4}, {Value: 5}}}
	for _, row := range []struct {
		reason string
		sparse bool
		cell   domains.Cell
		want   domains.Cell
		ok     bool
	}{
		{"held becomes not held", true, domains.At(5), domains.NotHeld(), true},
		{"not held becomes held in the middle", true, domains.NotHeld(), domains.At(3), true},
		{"where all is held, a high value becomes the lowest", false, domains.At(4), domains.At(1), true},
		{"a low one the highest", false, domains.At(2), domains.At(5), true},
		{"the middle the highest", false, domains.At(3), domains.At(5), true},
		{"no answer has no other", true, domains.Missing(), domains.Missing(), false},
	} {
		p := &Plan{sparse: row.sparse}
		got, ok := p.other(row.cell, &c)
		if ok != row.ok || !got.Equal(row.want) {
			t.Errorf("%s: got %v, %v", row.reason, got, ok)
		}
	}
}

func FuzzYAML(f *testing.F) {
	files, _ := filepath.Glob("testdata/config/*.yaml")
	for _, p := range files {
		b, _ := os.ReadFile(p)
		f.Add(b)
	}
	dir := f.TempDir()
	base, _ := os.ReadFile("testdata/config/minimal.good.yaml")
	if err := os.WriteFile(filepath.Join(dir, "minimal.good.yaml"), base, 0o644); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(dir, "fuzz.yaml")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		e, err := Load(path, nil)
		if err != nil {
			if !errors.Is(err, ErrConfig) {
				t.Errorf("%v does not wrap ErrConfig", err)
			}
			return
		}
		if _, _, err := e.canonical(); err != nil {
			t.Errorf("accepted but has no canonical form: %v", err)
		}
	})
}
