package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pepbench/bench/record"
	"pepbench/strategies/belief"
	"pepbench/strategies/pep"
)

// smallBeliefs are all kinds of belief, with little to fit.
var smallBeliefs = map[string]string{
	"latent-class": "classes: [2], restarts: 1, iterations: 5",
	"factor":       "dims: [1], restarts: 1, iterations: 3",
	"blr":          "dims: [1]", "graded": "dims: [1], restarts: 1, iterations: 3",
	"mixture-of-factors": "classes: [2], dims: [1], restarts: 1, iterations: 3",
	"independent":        "",
	"uniform":            "", "prior": "", "naive-bayes": "", "item-cf": "", "item-cf-value": "", "hybrid": "", "logistic-cf": "", "bayesian-cf": "",
}

// pairFile writes a small experiment with every kind of belief, each by its own name.
func pairFile(t *testing.T, strategies string) string {
	t.Helper()
	var beliefs []string
	for _, kind := range beliefKinds.names() {
		keys, ok := smallBeliefs[kind]
		if !ok && kind != "file" && kind != chosenKind { // which are one of the others
			t.Fatalf("belief kind %s is not tested", kind)
		}
		if ok {
			beliefs = append(beliefs, fmt.Sprintf("  %s: {kind: %s, %s}", kind, kind, keys))
		}
	}
	path := filepath.Join(t.TempDir(), "pairs.yaml")
	text := `name: pairs
domain: {kind: builtin, name: social, users: 24}
filter: {min_users: 6}
split: {by: task, test_ids: [soc02], users_per_task: 2}
solver: {kind: profile}
judge: {kind: profile}
budget: 2
beliefs:
` + strings.Join(beliefs, "\n") + "\nstrategies:\n  - {name: none, kind: none}\n  - {name: oracle, kind: oracle}\n" + strategies
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestEveryPair: every acquisition under every belief, one and two steps ahead, to the
// budget, to a gain and to a price, with its twin, either runs to the end or is refused
// as undefined in one line.
func TestEveryPair(t *testing.T) {
	path := pairFile(t, "  - {name: twin, kind: static, twin_of: pep}\n  - {name: pep, kind: pep, belief: prior}\n")
	var w preparer
	ran, refused := 0, 0
	for kind := range smallBeliefs {
		for _, acquisition := range []string{"random", "uncertainty", "fixed", "greedy-ev", "binary-ig", "profile-ig", "latent-ig", "variance", "alignment-gain"} {
			for _, more := range []string{"", ", lookahead: 2", ", stop: {gain: 0.01}", ", stop: {price: 0.5}"} {
				spec := fmt.Sprintf("strategies.pep={name: pep, kind: pep, belief: %s, acquisition: %s, predict: %s%s}", kind, acquisition, kind, more)
				e, err := Load(path, []string{spec})
				if err != nil && strings.Contains(err.Error(), "nothing to look ahead to") && strings.Contains(more, "lookahead") {
					refused++ // whatever the belief
					continue
				}
				if err != nil {
					t.Fatalf("%s: %v", spec, err)
				}
				p, err := w.prepare(context.Background(), e, nil)
				if err != nil {
					refused++
					if !errors.Is(err, pep.ErrUndefined) || !errors.Is(err, ErrConfig) || strings.Contains(err.Error(), "\n") {
						t.Errorf("%s: %v", spec, err)
					}
					continue
				}
				ran++
				r := &runner{plan: p, solver: e.Solver.Config.solver(nil), judge: e.Judge.Config.judge(nil, "")}
				for _, k := range p.sessions {
					s, err := r.session(context.Background(), k)
					if err != nil || s.Error != "" || !scored(s) {
						t.Fatalf("%s, session %s: %v %+v", spec, k.id, err, s)
					}
					if _, err := record.Line(s); err != nil { // a number that is none
						t.Fatalf("%s, session %s: %v", spec, k.id, err)
					}
				}
			}
		}
	}
	if ran < 100 || refused < 50 {
		t.Errorf("%d pairs ran and %d were refused", ran, refused)
	}
}

// TestModelFiles: a model of every kind is read back as it was written, and refused
// where a part of it is missing, null, or followed by something else.
func TestModelFiles(t *testing.T) {
	e, err := Load(pairFile(t, "  - {name: random, kind: random}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := e.Domain.Config.Load()
	if err != nil {
		t.Fatal(err)
	}
	for kind := range smallBeliefs {
		m, from, err := Fit(context.Background(), e, kind, nil)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		var b, again bytes.Buffer
		if err := belief.Save(&b, m, from); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		back, had, err := belief.Load(bytes.NewReader(b.Bytes()), d.Criteria)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if err := belief.Save(&again, back, had); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
			t.Errorf("%s is not written as it was read: %v", kind, err)
		}
		var whole map[string]json.RawMessage
		if err := json.Unmarshal(b.Bytes(), &whole); err != nil {
			t.Fatal(err)
		}
		model := string(whole["model"])
		damage := func(reason string, file []byte) {
			t.Helper()
			if _, _, err := belief.Load(bytes.NewReader(file), d.Criteria); !errors.Is(err, belief.ErrModelFile) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s, %s: %v", kind, reason, err)
			}
		}
		with := func(model string) []byte {
			return []byte(strings.Replace(b.String(), string(whole["model"]), model, 1))
		}
		damage("two files in one", append(bytes.Clone(b.Bytes()), b.Bytes()...))
		damage("no model", with("{}"))
		damage("null", with("null"))
		for at, c := range model {
			if (c != '[' && c != ',') || at+1 == len(model) || !strings.ContainsRune("-0123456789", rune(model[at+1])) {
				continue
			}
			end := at + 1 + strings.IndexAny(model[at+1:], ",]}")
			damage("null for a number", with(model[:at+1]+"null"+model[end:]))
			damage("a number too large", with(model[:at+1]+"1e+308"+model[end:]))
			break
		}
	}
}

// TestModelFileOfTwo: a model file that two strategies or two cells of a sweep name
// says each time what it was fitted on.
func TestModelFileOfTwo(t *testing.T) {
	path := pairFile(t, "  - {name: a, kind: pep, model: MODEL, acquisition: uncertainty}\n  - {name: b, kind: pep, model: MODEL, acquisition: fixed}\n")
	e, err := Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	file := fitFile(t, e, "prior")
	sets := []string{"strategies.a.model=" + file, "strategies.b.model=" + file}
	var w preparer
	prepare := func(more ...string) (*Plan, error) {
		e, err := Load(path, append(sets, more...))
		if err != nil {
			t.Fatal(err)
		}
		return w.prepare(context.Background(), e, nil)
	}
	for _, more := range []string{"budget=3", "budget=2"} {
		p, err := prepare(more)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range p.warnings {
			if strings.Contains(w, "other data") {
				t.Errorf("%s: %s", more, w)
			}
		}
		for _, m := range p.manifest.Models {
			if m.File == nil || m.File.Bytes != int64(len(readFile(t, file))) {
				t.Errorf("%s: model %s of file %+v", more, m.Name, m.File)
			}
		}
	}
	if _, err := prepare("split.test_ids=[soc03]"); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "another selection or split") {
		t.Errorf("another split: %v", err)
	}
	if _, err := prepare("split={by: task, folds: 3}"); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "cannot serve every fold") {
		t.Errorf("folds: %v", err)
	}
}

// TestUnsupportedFirst: a belief that cannot handle the scales of the data says so
// before it says anything that could be mended, so that `undefined: skip` leaves it out.
func TestUnsupportedFirst(t *testing.T) {
	for _, row := range []struct {
		scale string
		kinds []string
	}{
		{"nominal,red|green|blue", []string{"factor", "blr", "mixture-of-factors"}},
		{"continuous,0..100", []string{"latent-class", "graded"}},
	} {
		dir := t.TempDir()
		write := func(file, text string) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		answers := []string{"red", "green", "blue"}
		if strings.HasPrefix(row.scale, "continuous") {
			answers = []string{"1", "50", "99"}
		}
		profiles := "user_id,a,b\n"
		for u := range 9 {
			profiles += fmt.Sprintf("u%d,%s,%s\n", u, answers[u%3], answers[u/3])
		}
		write("dims.csv", "dim_id,type,levels\na,"+row.scale+"\nb,"+row.scale+"\n")
		write("profiles.csv", profiles)
		for _, kind := range row.kinds {
			write("e.yaml", "name: e\ndomain: {kind: survey, path: "+dir+"}\nsplit: {by: user, dev: 0}\nbeliefs: {m: {kind: "+kind+"}}\n"+
				"strategies: [{name: none, kind: none}, {name: random, kind: random, predict: m}]\nsolver: {kind: profile}\njudge: {kind: profile}\n")
			e, err := Load(filepath.Join(dir, "e.yaml"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Prepare(context.Background(), e, nil); !errors.Is(err, belief.ErrUnsupported) {
				t.Errorf("%s of %s, without dev profiles: %v", kind, row.scale, err)
			}
		}
	}
}
