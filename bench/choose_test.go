package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/strategies/belief"
)

// chooser is an experiment in which a belief and an acquisition are chosen on dev.
func chooser(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "choose.yaml")
	text := `
name: choose
domain: {kind: builtin, name: medical, users: 80}
split: {by: both, test: 0.34, dev: 0.2, seed: 1, users_per_task: 1}
cache: off
beliefs:
  one: {kind: latent-class, classes: [1], restarts: 1}
  three: {kind: latent-class, classes: [3], restarts: 1}
  factor: {kind: factor, dims: [1], restarts: 1}
  model: {kind: chosen, among: [one, three, factor]}
strategies:
  - {name: twin, kind: static, twin_of: pep, predict: model}
  - {name: pep, kind: pep, belief: model, acquisition: [profile-ig, variance, alignment-gain], predict: [answers, model]}
budget: 3
solver: {kind: profile, max_criteria: 6}
judge: {kind: profile}
`
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestChooseBelief: of several beliefs the one with the largest log score on dev is
// taken, and the manifest has the scores of all.
func TestChooseBelief(t *testing.T) {
	path := chooser(t)
	p := planOf(t, path)
	var chosen *record.Model
	for i, m := range p.manifest.Models {
		if m.Name == "model" {
			chosen = &p.manifest.Models[i]
		}
	}
	if chosen == nil || len(chosen.Choice) != 3 || len(p.manifest.Models) != 1 {
		t.Fatalf("models of the manifest: %+v", p.manifest.Models)
	}
	best, most := "", math.Inf(-1)
	for i, name := range []string{"one", "three", "factor"} {
		m, _, err := Fit(context.Background(), p.Experiment, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		score, err := belief.ChainScore(m, belief.NewPopulation(p.Data, p.Parts[0].Dev))
		if err != nil {
			t.Fatal(err)
		}
		c := chosen.Choice[i]
		if c.Candidate != name || c.DevScore != score {
			t.Errorf("candidate %d is %+v, %s alone has %v", i, c, name, score)
		}
		if score > most {
			best, most = name, score
		}
	}
	for _, c := range chosen.Choice {
		if c.Chosen != (c.Candidate == best) {
			t.Errorf("%+v, and the best on dev is %s", c, best)
		}
	}
	if !strings.HasPrefix(chosen.About, best+", the best on dev of 3 beliefs: ") {
		t.Errorf("about: %s", chosen.About)
	}
	alone := planOf(t, path, "beliefs.model={kind: latent-class, classes: [1], restarts: 1}")
	if best != "one" && alone.manifest.Models[0].Params == chosen.Params {
		t.Errorf("%s was chosen and has as many parameters as one class", best)
	}
}

// TestChooseAmongUndefined: with undefined: skip a belief that cannot handle the data, or
// has no log score, is no candidate, and the others are.
func TestChooseAmongUndefined(t *testing.T) {
	path := chooser(t)
	sets := []string{"beliefs.rule={kind: naive-bayes}", "beliefs.model.among=[rule, one, three]"}
	e, err := Load(path, sets)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Prepare(context.Background(), e, nil); !errors.Is(err, belief.ErrUnsupported) || !strings.Contains(err.Error(), "belief rule: ") {
		t.Errorf("refused by: %v", err)
	}
	p := planOf(t, path, append(sets, "undefined=skip")...)
	if m := p.manifest.Models; len(p.manifest.LeftOut) > 0 || len(m) != 1 || len(m[0].Choice) != 2 || m[0].Choice[0].Candidate != "one" || !strings.Contains(fmt.Sprint(p.manifest.Counts), "rule cannot handle the data and was no candidate") {
		t.Errorf("left out %q, models %+v, counts %v", p.manifest.LeftOut, m, p.manifest.Counts)
	}
}

// TestChooseAcquisition: of several acquisitions the one is taken that earns most on
// dev, as it does when it is the only one; the twin is of that one.
func TestChooseAcquisition(t *testing.T) {
	var pr preparer // which fits the beliefs once
	planned := func(path string, sets ...string) *Plan {
		t.Helper()
		e, err := Load(path, sets)
		if err != nil {
			t.Fatal(err)
		}
		p, err := pr.prepare(context.Background(), e, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, sets := range [][]string{nil, {"split.folds=2"}} { // each fold chooses by itself
		path := chooser(t)
		p := planned(path, sets...)
		row := p.rows[1]
		if row.Name != "pep" || len(row.Choice) != 3*len(p.Parts) {
			t.Fatalf("row %+v", row.Strategy)
		}
		for f := range p.Parts {
			best := -1
			for i, name := range []string{"profile-ig", "variance", "alignment-gain"} {
				c := row.Choice[3*f+i]
				if want := name; len(p.Parts) > 1 && c.Candidate != fmt.Sprintf("%s, fold %d", want, f+1) || len(p.Parts) == 1 && c.Candidate != want {
					t.Fatalf("candidate %+v, want %s", c, name)
				}
				alone := planned(path, append(slices.Clone(sets), "strategies.pep.acquisition="+name)...)
				score := newClusters(alone)
				if err := alone.devPlay(context.Background(), f, alone.rows[2].strategies[f], score); err != nil {
					t.Fatal(err)
				}
				if *score.mean() != c.DevScore {
					t.Errorf("fold %d: %s scores %v among others and %v alone", f, name, c.DevScore, *score.mean())
				}
				if best < 0 || c.DevScore > row.Choice[3*f+best].DevScore {
					best = i
				}
			}
			score := newClusters(p)
			if err := p.devPlay(context.Background(), f, p.rows[2].strategies[f], score); err != nil {
				t.Fatal(err)
			}
			if got := *score.mean(); got != row.Choice[3*f+best].DevScore {
				t.Errorf("fold %d: the strategy that is run scores %v, of %+v", f, got, row.Choice[3*f:3*f+3])
			}
			for i := range 3 {
				if row.Choice[3*f+i].Chosen != (i == best) {
					t.Errorf("fold %d: %+v, the best is %d", f, row.Choice[3*f:3*f+3], best)
				}
			}
		}
		if !strings.Contains(row.About, "(the best on dev of 3)") {
			t.Errorf("about: %s", row.About)
		}
	}
}

// TestChooseFirstOfEquals: among beliefs that are the same, and among acquisitions that
// ask everything, the first is taken.
func TestChooseFirstOfEquals(t *testing.T) {
	const same = "={kind: latent-class, classes: [3], restarts: 1}"
	p := planOf(t, chooser(t), "domain.users=30", "budget=40", "strategies.pep.acquisition=[uncertainty, greedy-ev, binary-ig]", "beliefs.one"+same, "beliefs.three"+same, "beliefs.factor"+same)
	for what, list := range map[string][]record.Choice{"belief": p.manifest.Models[0].Choice, "acquisition": p.rows[1].Choice} {
		if len(list) != 3 {
			t.Fatalf("%s: candidates %+v", what, list)
		}
		for i, c := range list {
			if c.DevScore != list[0].DevScore || c.Chosen != (i == 0) {
				t.Errorf("%s: candidates %+v", what, list)
			}
		}
	}
}

// TestChoiceSeesNoTest: what test users hold changes no choice.
func TestChoiceSeesNoTest(t *testing.T) {
	path := chooser(t)
	p := planOf(t, path)
	e, err := Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	var pr preparer
	d, _, err := pr.load(e, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range p.Parts[0].Test { // everything is turned round
		for i, c := range d.Profiles[k].Cells {
			if c.IsHeld() {
				d.Profiles[k].Cells[i] = domains.At(6 - c.Value())
			}
		}
	}
	q, err := pr.prepare(context.Background(), e, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := fmt.Sprint(p.manifest.Models, p.rows[1].Choice), fmt.Sprint(q.manifest.Models, q.rows[1].Choice); a != b {
		t.Errorf("chosen by\n%s\nand with other test users\n%s", a, b)
	}
}

func TestChooseOnNothing(t *testing.T) {
	for _, row := range []struct {
		reason string
		sets   []string
		want   string
	}{
		{"no dev profile to choose a belief on", []string{"split.dev=0"}, "a belief is to be chosen on dev"},
		{"no dev profile to choose an acquisition on", []string{"split.dev=0", "beliefs.model={kind: latent-class, classes: [1]}"}, "an acquisition is to be chosen on dev"},
		{"an acquisition that is not defined", []string{"strategies.pep.acquisition=[profile-ig, latent-ig]", "beliefs.model={kind: naive-bayes}"}, "profile-ig"},
	} {
		e, err := Load(chooser(t), row.sets)
		if err != nil {
			t.Fatalf("%s: %v", row.reason, err)
		}
		if _, err := Prepare(context.Background(), e, nil); !errors.Is(err, ErrConfig) && !errors.Is(err, domains.ErrData) || !strings.Contains(fmt.Sprint(err), row.want) {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
}
