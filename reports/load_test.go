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
		{"no manifest", remove("manifest.json"), "manifest.json: the manifest of the run cannot be read (no such file or directory)"},
		{"no sessions", remove("sessions.jsonl"), "sessions.jsonl: the sessions of the run cannot be read (no such file or directory); run the experiment; the same command resumes"},
		{"a manifest that is no JSON", edit("manifest.json", `"name": "synthetic",`, `"name": synthetic,`), "manifest.json:3: not a manifest (invalid character 's' looking for beginning of value); run the experiment again"},
		{"a manifest of another schema", edit("manifest.json", `"schema": 1`, `"schema": 9`), "manifest.json: schema 9, this program reads schema 1; use the program that wrote it, or run the experiment again"},
		{"a strategy twice", edit("manifest.json", `"name": "oracle"`, `"name": "none"`), `manifest.json: strategy "none" is named twice or has no name; run the experiment again`},
		{"a silly confidence", edit("manifest.json", `"confidence": 0.95`, `"confidence": 95`), "manifest.json: budget 1, horizon 1, resamples 200 or confidence 95 is out of range; run the experiment again"},
		{"a line that is no JSON", edit("sessions.jsonl", "\n", "\nbroken\n"), "sessions.jsonl:2: not a session (invalid character 'b' looking for beginning of value); remove the line, or run the experiment again"},
		{
			"a torn last line",
			func(t *testing.T, dir string) {
				name := filepath.Join(dir, "sessions.jsonl")
				b, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				put(t, name, b[:len(b)-40])
			},
			"sessions.jsonl:40: not a session (unexpected end of JSON input); the last line is torn: run the same command again, it resumes",
		},
		{"no task", edit("sessions.jsonl", `"task":"task-00"`, `"task":""`), `sessions.jsonl:1: session "none/1/task-00/user-000": strategy, task or user is missing; remove the line, or run the experiment again`},
		{"a session twice", edit("sessions.jsonl", `"user":"user-001"`, `"user":"user-000"`), `sessions.jsonl:2: session "none/1/task-00/user-001" is the same strategy, seed, task and user as line 1; remove the line, or run the experiment again`},
		{"cells that do not line up", edit("sessions.jsonl", `"criteria":["c00",`, `"criteria":[`), `sessions.jsonl:1: session "none/1/task-00/user-000": 4 true cells for 3 criteria; remove the line, or run the experiment again`},
		{"a probability of 2", edit("sessions.jsonl", `"held":[null`, `"held":[2`), `sessions.jsonl:1: session "none/1/task-00/user-000": the prior inference does not line up with 4 criteria, or a P(held) is outside 0..1; remove the line, or run the experiment again`},
		{"a P(level) of 2", edit("sessions.jsonl", `"prior":{`, `"prior":{"levels":[[2],null,null,null],`), `sessions.jsonl:1: session "none/1/task-00/user-000": the prior inference has a P(level) outside 0..1; remove the line, or run the experiment again`},
		{"a raw of 50", edit("sessions.jsonl", `"raw":`, `"raw":5`), `sessions.jsonl:1: session "none/1/task-00/user-000": checkpoint 0: raw 51 is outside 1..5; remove the line, or run the experiment again`},
		{"a score of no criterion", edit("sessions.jsonl", `"scores":[{"position":0`, `"scores":[{"position":70`), `sessions.jsonl:1: session "none/1/task-00/user-000": checkpoint 0: a score of position 70 of 4 criteria; remove the line, or run the experiment again`},
		{"a score of 7", edit("sessions.jsonl", `"score":1,`, `"score":7,`), `sessions.jsonl:1: session "none/1/task-00/user-000": checkpoint 0: a score of 7 is outside 1..5; remove the line, or run the experiment again`},
		{"a task of another run", edit("sessions.jsonl", `"task":"task-00"`, `"task":"task-77"`), `sessions.jsonl:1: session of another run: task "task-77" is no test task of the manifest; remove the line, or run the experiment again`},
		{"a seed of another run", edit("sessions.jsonl", `"seed":1`, `"seed":5`), "sessions.jsonl:1: session of another run: seed 5 is no seed of the manifest; remove the line, or run the experiment again"},
		{
			"a task of another run in a last line that is whole but for its newline",
			func(t *testing.T, dir string) {
				name := filepath.Join(dir, "sessions.jsonl")
				b, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				at := bytes.LastIndex(b, []byte(`"task":"`))
				put(t, name, bytes.TrimSpace(slices.Concat(b[:at], []byte(`"task":"x-`), b[at+len(`"task":"`):])))
			},
			`sessions.jsonl:40: session of another run: task "x-task-01" is no test task of the manifest; remove the line, or run the experiment again`,
		},
		{"a counterfactual about nothing", edit("sessions.jsonl", `"turns":[{`, `"turns":[{"counterfactual":{"answer":false,"next":4},`), `sessions.jsonl:9: session "pep+answers/1/task-00/user-000": the counterfactual of turn 1 asks position 4 of 4 criteria; remove the line, or run the experiment again`},
		{"a counterfactual that neither asks nor stops", edit("sessions.jsonl", `"turns":[{`, `"turns":[{"counterfactual":{"answer":false,"next":-3},`), `sessions.jsonl:9: session "pep+answers/1/task-00/user-000": the counterfactual of turn 1 asks position -3 of 4 criteria; remove the line, or run the experiment again`},
		{"a question off the log by a word of its own", edit("sessions.jsonl", `"turns":[{`, `"turns":[{"off_log":"user",`), `sessions.jsonl:9: session "pep+answers/1/task-00/user-000": turn 1 is off the log by "user", which is neither task nor history; remove the line, or run the experiment again`},
		{"a stop off the log by a word of its own", edit("sessions.jsonl", `"stop":"budget"`, `"stop":"budget","stop_off_log":"x"`), `sessions.jsonl:1: session "none/1/task-00/user-000": its stop is off the log by "x", which is neither task nor history; remove the line, or run the experiment again`},
		{"a mode of no replay", edit("manifest.json", `"kind": "random",`, `"kind": "replay", "policy": {"id": "x", "model": "", "method": "", "params": 0, "mode": "else"},`), `manifest.json: strategy "random+answers": mode "else" is no mode of a replay, or most_off_log 0 is outside 0..1; run the experiment again`},
		{"a share of 2", edit("manifest.json", `"kind": "random",`, `"kind": "replay", "policy": {"id": "x", "model": "", "method": "", "params": 0, "mode": "policy", "most_off_log": 2},`), `manifest.json: strategy "random+answers": mode "policy" is no mode of a replay, or most_off_log 2 is outside 0..1; run the experiment again`},
		{"a question about nothing", edit("sessions.jsonl", `"question":`, `"question":7`), ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			dir := y.write(t)
			test.spoil(t, dir)
			_, err := Load(dir)
			var bad *domains.DataError
			if !errors.As(err, &bad) || !errors.Is(err, domains.ErrData) {
				t.Fatalf("got %v, want a *domains.DataError", err)
			}
			if got := strings.TrimPrefix(err.Error(), dir+string(filepath.Separator)); test.want != "" && got != test.want {
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
