package bench

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestPresets: every file of models can be put before a configuration, each of its
// models can play a role, and says all of what it is, were it that it is unknown.
func TestPresets(t *testing.T) {
	files, err := filepath.Glob("../configs/models/*.yaml")
	if err != nil || len(files) < 9 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	smoke, err := filepath.Abs("../configs/smoke.yaml")
	if err != nil {
		t.Fatal(err)
	}
	had := map[string]string{}    // file of each name
	served := map[string]string{} // stage of each model
	parents := map[string]string{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var keys map[string]yaml.Node
		if err := yaml.Unmarshal(raw, &keys); err != nil || len(keys) != 1 || len(keys["models"].Content) == 0 {
			t.Errorf("%s: %v, has the keys %v and not models alone", file, err, sortedKeys(keys))
			continue
		}
		abs, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		own := filepath.Join(t.TempDir(), "x.yaml")
		if err := os.WriteFile(own, []byte("extends: ["+abs+", "+smoke+"]\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		e, err := Load(own, nil)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		for _, name := range sortedKeys(e.Models) {
			if had[name] != "" {
				t.Errorf("model %s is in %s and in %s", name, had[name], file)
			}
			had[name] = file
			o, ok := e.Models[name].Config.(*openaiBackend)
			if !ok || e.Models[name].Kind != "openai" {
				t.Errorf("%s: %s is of kind %s", file, name, e.Models[name].Kind)
				continue
			}
			if o.Context == 0 || o.MaxTokens == 0 || o.Format == "" || o.Thinking == "" || o.Seed == nil || o.Temperature == nil {
				t.Errorf("%s: %s leaves out context, max_tokens, response_format, thinking, seed or temperature", file, name)
			}
			v := reflect.ValueOf(o.About)
			for i := range v.NumField() {
				if v.Field(i).IsZero() {
					t.Errorf("%s: %s says nothing of %s; write unknown", file, name, v.Type().Field(i).Name)
				}
			}
			served[o.Model] = o.About.Stage
			parents[o.Model] = o.About.Parent
			if o.Thinking == "opened" && o.Format != formatNone {
				t.Errorf("%s: %s reasons and has a response_format, which may never begin", file, name)
			}
			if _, err := Load(own, []string{"roles.solver=" + name, "roles.judge=" + name}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// The stages of a family follow each other.
	rank := map[string]int{"base": 1, "SFT": 2, "DPO": 3, "RLVR": 4, "RL-Zero": 4}
	n := 0
	for model, parent := range parents {
		if parent == "none" || parent == "unknown" {
			continue
		}
		n++
		if rank[served[parent]] == 0 || rank[served[parent]] > rank[served[model]] {
			t.Errorf("%s (%s) was made from %s (%s)", model, served[model], parent, served[parent])
		}
	}
	if n < 25 {
		t.Errorf("%d models have a parent", n)
	}
}

// TestLadder: the stage ladder is a sweep over solvers that can chat.
func TestLadder(t *testing.T) {
	for _, row := range []struct {
		reason string
		sets   []string
		want   []string
	}{
		{"by default the smallest", nil, []string{"olmo2-1b-sft", "olmo2-1b-dpo", "olmo2-1b-instruct"}},
		{"another model", []string{"sweep={roles.solver: [tulu3-8b-sft, tulu3-8b-dpo, tulu3-8b]}"}, []string{"tulu3-8b-sft", "tulu3-8b-dpo", "tulu3-8b"}},
	} {
		s, err := LoadSweep("../configs/ladder.yaml", row.sets)
		if err != nil {
			t.Errorf("%s: %v", row.reason, err)
			continue
		}
		if len(s.Axes) != 1 || s.Axes[0].Path != "roles.solver" || !slices.Equal(s.Axes[0].Values, row.want) {
			t.Errorf("%s: axes %+v", row.reason, s.Axes)
		}
		if !slices.Equal(s.Axes[0].Stages, []string{"SFT", "DPO", "RLVR"}) {
			t.Errorf("%s: stages %v", row.reason, s.Axes[0].Stages)
		}
		judges := map[string]bool{}
		for _, c := range s.Cells {
			o := c.Experiment.modelOf(roleSolver).(*openaiBackend)
			if o.About.Stage == "base" || strings.Contains(o.About.Note, "cannot play a role") {
				t.Errorf("%s: %s cannot chat", row.reason, o.Model)
			}
			judges[c.Experiment.modelName(roleJudge)] = true
		}
		if len(judges) != 1 {
			t.Errorf("%s: judges %v", row.reason, judges)
		}
	}
}
