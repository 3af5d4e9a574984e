package reports

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pepbench/domains"
)

func TestLoadErrors(t *testing.T) {
	y := synth{tasks: 2, users: 2, seeds: 1, criteria: 4, budget: 1}
	edit := func(file, old, new string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			name := filepath.Join(dir, file)
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(b, []byte(old)) {
				t.Fatalf("%s has no %s", file, old)
			}
			put(t, name, bytes.Replace(b, []byte(old), []byte(new), 1))
		}
	}
	remove := func(file string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, file)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		reason string
		spoil  func(*testing.T, string)
		want   string // after the directory
	}{
		{"no manifest", remove("manifest.json"), "manifest.json: the manifest of the run cannot be read (no such file or directory); give the folder that pepbench run named"},
		{"no sessions", remove("sessions.jsonl"), "sessions.jsonl: the sessions of the run cannot be read (no such file or directory); run the experiment; the same command resumes"},
		{"a manifest that is no JSON", edit("manifest.json", `"name": "synthetic",`, `"name": synthetic,`), "manifest.json:3: not a manifest (invalid character 's' looking for beginning of value); run the experiment again"},
		{"a manifest of another schema", edit("manifest.json", `"schema": 1`, `"schema": 9`), "manifest.json: schema 9, this program reads schema 1; use the program that wrote it, or run the experiment again"},
		{"a strategy twice", edit("manifest.json", `"name": "oracle"`, `"name": "none"`), `manifest.json: strategy "none" is named twice or has no name; run the experiment again`},
		{"a silly confidence", edit("manifest.json", `"confidence": 0.95`, `"confidence": 95`), "manifest.json: budget 1, horizon 1, resamples 200 or confidence 95 is out of range; run the experiment again"},
		{
			"more lines of another run than of this one",
			func(t *testing.T, dir string) {
				name := filepath.Join(dir, "sessions.jsonl")
				b, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				lines := bytes.SplitAfter(b, []byte("\n"))
				for i := range lines[:21] {
					lines[i] = bytes.Replace(lines[i], []byte(`"seed":1`), []byte(`"seed":5`), 1)
				}
				put(t, name, slices.Concat(lines...))
			},
			"sessions.jsonl:1: 21 of 40 lines are no sessions of this run; the first: seed 5 is no seed of the manifest; report the run in the folder that it was made in, or remove these lines and run the experiment again",
		},
		{"a mode of no replay", edit("manifest.json", `"kind": "random",`, `"kind": "replay", "policy": {"id": "x", "model": "", "method": "", "params": 0, "mode": "else"},`), `manifest.json: strategy "random+answers": mode "else" is no mode of a replay, or most_off_log 0 is outside 0..1; run the experiment again`},
		{"a share of 2", edit("manifest.json", `"kind": "random",`, `"kind": "replay", "policy": {"id": "x", "model": "", "method": "", "params": 0, "mode": "policy", "most_off_log": 2},`), `manifest.json: strategy "random+answers": mode "policy" is no mode of a replay, or most_off_log 2 is outside 0..1; run the experiment again`},
	} {
		t.Run(test.reason, func(t *testing.T) {
			dir := y.write(t)
			test.spoil(t, dir)
			_, err := Load(dir)
			var bad *domains.DataError
			if !errors.As(err, &bad) || !errors.Is(err, domains.ErrData) {
				t.Fatalf("got %v, want a *domains.DataError", err)
			}
			if got := strings.TrimPrefix(err.Error(), dir+string(filepath.Separator)); got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

// FuzzSessions: no line of sessions.jsonl makes a report panic.
func FuzzSessions(f *testing.F) {
	y := synth{tasks: 1, users: 1, seeds: 1, criteria: 3, budget: 1}
	dir := y.write(f)
	b, err := os.ReadFile(filepath.Join(dir, "sessions.jsonl"))
	if err != nil {
		f.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		f.Add(line)
	}
	f.Add([]byte("\n\n"))
	f.Add([]byte(`{"strategy":"none","seed":1,"task":"task-00","user":"u","checkpoints":[{"raw":null,"scores":[{}]}]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		put(t, filepath.Join(dir, "sessions.jsonl"), line)
		r, err := Load(dir)
		if err != nil {
			if !errors.Is(err, domains.ErrData) {
				t.Fatalf("%v is no data error", err)
			}
			return
		}
		m := Compute(r)
		if _, err := m.JSON(); err != nil {
			t.Fatal(err)
		}
		if _, err := Tables(m); err != nil {
			t.Fatal(err)
		}
	})
}
