package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/reports"
)

// evil is what a run may hold anywhere that it holds text.
const evil = `<script>window.hacked=1</script><img src=x onerror="window.hacked=1">`

// A journal is a made-up run: its manifest and its sessions, by id.
type journal struct {
	m        record.Manifest
	sessions []record.Session
}

// made is a run of four strategies on three tasks, four users and two seeds: 96 sessions,
// of which one failed, one has an undefined alignment, one was stopped by its user and
// some are those of a replay that leaves its log. Texts are evil wherever a model or a
// user writes them.
func made() *journal {
	crit := []string{"answer_length", "tone", "sources_" + evil, "examples", "humour", "pace"}
	j := &journal{m: record.Manifest{
		Schema: record.Schema, Name: "made up", ConfigHash: strings.Repeat("ab", 32), Config: json.RawMessage(`{"name":"made up"}`),
		Code:  record.Code{Version: "v1", Go: "go1", Platform: "any"},
		Data:  record.Data{Name: "data", Version: "1", Rubric: "amount", TestTasks: []string{"t1", "t2", "t3"}, Sources: []domains.Source{{Path: "a.yaml", SHA256: strings.Repeat("cd", 32), Bytes: 9}}},
		Seeds: []int{1, 2}, Budget: 2, Horizon: 3, Checkpoints: []int{0, 1, 2, 3},
		Strategies: []record.Strategy{
			{Name: "none", Base: "none", Kind: "none", Predict: "answers", About: "asks nothing"},
			{Name: "static", Base: "static", Kind: "static", Predict: "answers", About: "one order for all"},
			{Name: "pep+latent", Base: "pep", Kind: "pep", Predict: "latent", About: "asks by gain " + evil},
			{Name: "oracle", Base: "oracle", Kind: "oracle", Predict: "answers", About: "is told"},
		},
		Users: "verbal " + evil, Solver: "direct", Judge: "judge/1", Sessions: 96,
		Endpoints: []record.Endpoint{{Role: "solver", Model: "sim", Reported: "sim", Simulated: true}, {Role: "judge", Model: "m", Reported: "m"}},
		Report:    record.Report{Resamples: 100, Confidence: .95, Seed: 1, TargetOf: "static", Reference: "static"},
		Warnings:  []string{"a warning " + evil},
	}}
	for _, st := range j.m.Strategies {
		for seed := 1; seed <= 2; seed++ {
			for _, task := range j.m.Data.TestTasks {
				for u := 1; u <= 4; u++ {
					user := fmt.Sprintf("u%d", u)
					if u == 4 {
						user = evil
					}
					j.sessions = append(j.sessions, session(&st, seed, task, user, u, crit))
				}
			}
		}
	}
	at := func(id string) *record.Session { return j.find(id) }
	s := at("pep+latent/1/t2/u2")
	s.Error, s.Stop, s.Checkpoints = "solver: no answer "+evil, record.StopError, s.Checkpoints[:1]
	s = at("pep+latent/1/t2/u3")
	for i := range s.Checkpoints {
		if s.Checkpoints[i].Questions == 2 {
			s.Checkpoints[i].Raw = nil
			s.Checkpoints[i].Scores[0].Score, s.Checkpoints[i].Scores[0].Unscored = nil, "no level in the reply "+evil
		}
	}
	s = at("static/2/t1/u1")
	s.Turns, s.Stop = s.Turns[:1], record.StopUser
	for i := range s.Checkpoints {
		if c := &s.Checkpoints[i]; c.Questions > 1 {
			*c = record.Checkpoint{Questions: c.Questions, Carried: true, Instructed: []int{}, Wanted: record.Floats{}, Scores: []record.Score{}}
		}
	}
	at("static/1/t1/u1").Turns[0].OffLog = record.OffLogHistory
	slices.SortFunc(j.sessions, func(a, b record.Session) int { return strings.Compare(a.ID, b.ID) })
	return j
}

func (j *journal) find(id string) *record.Session {
	i := slices.IndexFunc(j.sessions, func(s record.Session) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return &j.sessions[i]
}

func session(st *record.Strategy, seed int, task, user string, u int, crit []string) record.Session {
	s := record.Session{ID: fmt.Sprintf("%s/%d/%s/%s", st.Name, seed, task, user), Strategy: st.Name, Seed: seed, Task: task, User: user, Criteria: crit, Stop: record.StopBudget, Turns: []record.Turn{}}
	rng := rand.New(rand.NewPCG(uint64(u), uint64(len(task)+int(task[1]))))
	for i := range crit {
		s.Truth.Cells = append(s.Truth.Cells, domains.NotHeld())
		if i == u%3 || i == 3 {
			s.Truth.Cells[i] = domains.At(float64(1 + rng.IntN(5)))
		}
	}
	own := rand.New(rand.NewPCG(uint64(seed), uint64(len(s.ID)*31+u+int(task[1])*7)))
	held := make([]float64, len(crit))
	value := make([]float64, len(crit))
	for i := range held {
		held[i], value[i] = .3, 3
	}
	value[5] = math.NaN() // nominal
	inference := func() record.Inference {
		return record.NewInference(domains.Inference{Held: held, Value: value, Levels: [][]float64{5: {.2, .5, .3}}})
	}
	s.Prior = inference()
	asks := 3
	if st.Kind == "none" || st.Kind == "oracle" {
		asks, s.Stop = 0, record.StopDone
	}
	points := []int{0}
	for n := range asks {
		q := n
		if st.Kind == "pep" && n > 0 {
			q = (n + u) % len(crit)
		}
		a := s.Truth.Cells[q]
		held[q] = 0
		if a.IsHeld() {
			held[q], value[q] = 1, a.Value()
		}
		held[5] = .3 + .1*float64(n+1)
		t := record.Turn{Question: q, Asked: "How much of it? " + evil, Answer: a, Said: "I say " + evil, Inference: inference(), Scores: []record.Scored{{Position: q, Score: .5}, {Position: 5, Score: .25}}}
		if n < asks-1 {
			t.Counterfactual = &record.Counterfactual{Answer: domains.At(2), Next: 4}
			if a.IsHeld() {
				t.Counterfactual.Answer = domains.NotHeld()
			}
		}
		s.Turns = append(s.Turns, t)
		points = append(points, n+1)
	}
	for _, n := range points {
		cp := record.Checkpoint{Questions: n, Instructed: []int{3}, Wanted: record.Floats{4}, Response: "Answer: A\n" + evil, CorrectReason: "states A"}
		right := own.IntN(3) > 0
		cp.Correct = &right
		for i, c := range s.Truth.Cells {
			if c.IsHeld() {
				v, level := float64(1+own.IntN(5)), 3
				cp.Scores = append(cp.Scores, record.Score{Position: i, Level: &level, Score: &v, Reason: "because " + evil, Judge: "judge/1"})
			}
		}
		raw, ok := record.Raw(cp.Scores, s.Truth.Weight)
		if !ok {
			panic("nothing held")
		}
		raw = record.Round(raw)
		cp.Raw = &raw
		s.Checkpoints = append(s.Checkpoints, cp)
	}
	return s
}

// write puts the run into a new folder; a reported one has its metrics and a report.
func (j *journal) write(t testing.TB, reported bool) string {
	t.Helper()
	dir := t.TempDir()
	j.writeTo(t, dir, reported)
	return dir
}

func (j *journal) writeTo(t testing.TB, dir string, reported bool) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := record.WriteJSON(filepath.Join(dir, record.ManifestFile), &j.m); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, record.SessionsFile), j.lines(t))
	if !reported {
		return
	}
	run, err := reports.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := reports.Compute(run).JSON()
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, record.MetricsFile), b)
	put(t, filepath.Join(dir, reportFile), []byte("<!doctype html><title>report</title><h1>The report</h1>"))
}

func (j *journal) lines(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	for i := range j.sessions {
		line, err := record.Line(&j.sessions[i])
		if err != nil {
			t.Fatal(err)
		}
		b.Write(line)
	}
	return b.Bytes()
}

func put(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// final is the alignment at checkpoint 2, and whether the task was answered rightly, by
// the words of the package comment and nothing else.
func final(s *record.Session) (alignment float64, answer string) {
	alignment, answer = math.NaN(), "unknown"
	var cp *record.Checkpoint
	for i := range s.Checkpoints {
		c := &s.Checkpoints[i]
		switch {
		case len(s.Checkpoints) == 1 && (s.Strategy == "none" || s.Strategy == "oracle"):
			cp = c
		case c.Questions == 2 && !c.Carried:
			cp = c
		case c.Questions == 1 && s.Stop == record.StopUser:
			cp = c
		}
	}
	if cp == nil {
		return
	}
	if cp.Raw != nil && s.Error == "" {
		alignment = 100 * (*cp.Raw - 1) / 4
	}
	if cp.Correct != nil {
		answer = map[bool]string{true: "right", false: "wrong"}[*cp.Correct]
	}
	return
}

func stateOfSession(s *record.Session) string {
	a, _ := final(s)
	switch {
	case s.Error != "":
		return failed
	case math.IsNaN(a):
		return undefined
	}
	return graded
}
