package reports

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pepbench/bench/record"
)

// BenchmarkLoad prints the rate at which a report reads a journal of the shape of a real one
// (36 criteria, 11 checkpoints, responses, reasons) beside that at which encoding/json decodes
// its lines into the same sessions and keeps nothing; the former should be 80% of the latter or
// more. PEPBENCH_RUN is a run to do this with in place of a made-up one; then everything that
// a report makes of it is timed, too.
func BenchmarkLoad(b *testing.B) {
	y := synth{tasks: 4, users: 12, seeds: 1, criteria: 36, budget: 5, horizon: 10}
	y.change = func(_ *record.Manifest, all *[]record.Session) {
		for i := range *all {
			s := &(*all)[i]
			s.Truth.Weights = make(record.Floats, len(s.Criteria))
			for j := range s.Turns {
				s.Turns[j].Scores = []record.Scored{{Position: 1, Score: 0.123456}, {Position: 2, Score: 0.12}, {Position: 3, Score: 0.1}, {Position: 4, Score: 0.05}, {Position: 5, Score: 0.01}}
			}
			for j := range s.Checkpoints {
				cp := &s.Checkpoints[j]
				cp.Response = strings.Repeat("A sentence of the response that says how much of it there is. ", 4)
				for k := range cp.Scores {
					s.Truth.Weights[cp.Scores[k].Position] = 1 / float64(len(cp.Scores))
					cp.Scores[k].Reason, cp.Scores[k].Judge = "No sentence on this criterion was found in the response.", "judge/rubric/1/amount/batched/a-model@endpoint"
				}
			}
			s.Calls = []record.RoleCalls{{Role: "solver", Calls: 11, TokensIn: 3000, TokensOut: 600}, {Role: "judge", Calls: 11, TokensIn: 8000, TokensOut: 1200}}
		}
	}
	dir := os.Getenv("PEPBENCH_RUN")
	if dir == "" {
		dir = y.write(b)
	}
	name := filepath.Join(dir, record.SessionsFile)
	info, err := os.Stat(name)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("decoder", func(b *testing.B) {
		b.SetBytes(info.Size())
		b.ReportAllocs()
		for b.Loop() {
			f, err := os.Open(name)
			if err != nil {
				b.Fatal(err)
			}
			for d := json.NewDecoder(f); ; {
				var s record.Session
				if err := d.Decode(&s); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
			if err := f.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("load", func(b *testing.B) {
		b.SetBytes(info.Size())
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Load(dir); err != nil {
				b.Fatal(err)
			}
		}
	})
	if os.Getenv("PEPBENCH_RUN") == "" {
		return // of so few sessions, figures take longest
	}
	b.Run("report", func(b *testing.B) {
		to := b.TempDir() // the run is left as it is
		for _, f := range []string{record.ManifestFile, record.SessionsFile} {
			if err := os.Symlink(filepath.Join(dir, f), filepath.Join(to, f)); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(info.Size())
		b.ReportAllocs()
		for b.Loop() {
			if err := os.RemoveAll(filepath.Join(to, record.IndexFile)); err != nil {
				b.Fatal(err)
			}
			if _, err := Write(to); err != nil {
				b.Fatal(err)
			}
		}
	})
}
