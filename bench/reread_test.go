package bench

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"pepbench/bench/record"
	"pepbench/domains"
)

// TestReadBack: the configuration in a manifest is read as what it was, whatever it was.
func TestReadBack(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../configs/*.yaml", "../configs/ablations/*.yaml", "testdata/config/*.good.yaml"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	if len(files) < 10 {
		t.Fatalf("found %d configurations", len(files))
	}
	back := func(t *testing.T, e *Experiment) {
		t.Helper()
		config, hash, err := e.canonical()
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := record.WriteJSON(filepath.Join(dir, record.ManifestFile), record.Manifest{Schema: record.Schema, Config: config, ConfigHash: hash}); err != nil {
			t.Fatal(err)
		}
		m, err := record.ReadManifest(dir)
		if err != nil {
			t.Fatal(err)
		}
		r, err := readBack(dir, m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.experiment(m); err != nil {
			t.Error(err)
		}
		m.ConfigHash = strings.Repeat("0", 64)
		var bad *domains.DataError
		if _, err := r.experiment(m); !errors.As(err, &bad) {
			t.Errorf("another hash: %v", err)
		}
	}
	for _, f := range files {
		s, err := LoadSweep(f, nil)
		if err != nil {
			if strings.Contains(f, "good") {
				t.Errorf("%s: %v", f, err)
			}
			continue // wants a path
		}
		for _, c := range s.Cells[:min(len(s.Cells), 12)] {
			t.Run(filepath.Base(f)+"/"+c.Dir, func(t *testing.T) { back(t, c.Experiment) })
		}
	}
	for _, row := range []struct {
		reason string
		sets   []string
	}{
		{"all criteria", []string{"solver.max_criteria=all"}},
		{"a model file, which names a belief", []string{"beliefs={}", "strategies=[{name: none, kind: none}, {name: pep, kind: pep, model: some.json, predict: [answers, model]}]", "report={resamples: 20}"}},
		{"repeats and probes", []string{"judge={kind: rubric, mode: single, repeats: 4, probes: true}"}},
		{"headers, which are hashed", []string{"backend={kind: openai, model: m, headers: {X-Team: secret}}"}},
		{"models by role", []string{"models={a: {kind: openai, model: m}, b: {kind: sim}}", "roles={solver: a, judge: b}"}},
		{"texts that JSON escapes", []string{`about="a < b & c > d, ü, 𝕏,   , \"quoted\", back\\slash, tab\t"`}},
	} {
		e, err := Load("../configs/smoke.yaml", row.sets)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(row.reason, func(t *testing.T) { back(t, e) })
	}
}
