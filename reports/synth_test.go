package reports

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
)

// synth describes a made-up run. Its sessions look like those of a real one: users
// of two classes hold different criteria, pep asks by what it heard, and alignment
// grows with what is known.
type synth struct {
	tasks, users, seeds int
	criteria            int
	budget, horizon     int
	survey              bool
	simulated           bool
	long                bool // long strategy names
	nominal             bool // the last criterion is nominal, of three levels
	unscored            int  // every so many-th session has an unscored criterion
	change              func(*record.Manifest, *[]record.Session)
}

func (y synth) strategies() []record.Strategy {
	name := func(base, predict string) string {
		if y.long {
			return base + "-with-quite-a-long-name+" + predict
		}
		return base + "+" + predict
	}
	out := []record.Strategy{{Name: "none", Base: "none", Kind: "none", Predict: "answers", About: "asks nothing"}}
	for _, b := range []string{"random", "static", "twin", "pep"} {
		for _, p := range []string{"answers", "belief"} {
			s := record.Strategy{Name: name(b, p), Base: b, Kind: b, Predict: p, About: b + " questions"}
			if b == "twin" {
				s.Kind, s.TwinOf = "static", "pep"
			}
			if p == "belief" {
				s.Params = 40
			}
			out = append(out, s)
		}
	}
	return append(out, record.Strategy{Name: "oracle", Base: "oracle", Kind: "oracle", Predict: "answers", About: "is told"})
}

// write makes the run in a new directory.
func (y synth) write(t testing.TB) string {
	t.Helper()
	y.horizon = max(y.horizon, y.budget)
	rubric := "amount"
	if y.survey {
		rubric = "none"
	}
	strategies := y.strategies()
	m := record.Manifest{
		Schema: record.Schema, Name: "synthetic", ConfigHash: strings.Repeat("ab", 32), Config: json.RawMessage(`{}`),
		Data:   record.Data{Name: "made-up", Version: "1", Rubric: rubric},
		Budget: y.budget, Horizon: y.horizon, Strategies: strategies,
		Users: "exact", Solver: "profile", Judge: "profile",
		Planned: record.Calls{Solver: 12, Judge: 34, TokensIn: 5600, TokensOut: 780, TokensEstimated: true},
		Report:  record.Report{Resamples: 200, Confidence: .95, Seed: 7, TargetOf: strategies[4].Name, Reference: strategies[4].Name},
	}
	if y.simulated {
		m.Solver, m.Judge = "chat", "rubric"
		m.Endpoints = []record.Endpoint{{Role: "solver", Model: "sim", Reported: "sim", Simulated: true}, {Role: "judge", Model: "sim", Reported: "sim", Simulated: true}}
	}
	for s := range y.seeds {
		m.Seeds = append(m.Seeds, s+1)
	}
	for task := range y.tasks {
		m.Data.TestTasks = append(m.Data.TestTasks, y.task(task))
	}
	for p := range y.horizon + 1 {
		m.Checkpoints = append(m.Checkpoints, p)
	}
	var all []record.Session
	for _, st := range strategies {
		for seed := 1; seed <= y.seeds; seed++ {
			for task := range y.tasks {
				for user := range y.users {
					all = append(all, y.session(st, seed, task, user, len(all)))
				}
			}
		}
	}
	m.Sessions = len(all)
	if y.change != nil {
		y.change(&m, &all)
	}
	slices.SortFunc(all, func(a, b record.Session) int { return strings.Compare(a.ID, b.ID) })
	dir := t.TempDir()
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "manifest.json"), b)
	var lines bytes.Buffer
	for i := range all {
		b, err := json.Marshal(&all[i])
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(b, '\n'))
	}
	put(t, filepath.Join(dir, "sessions.jsonl"), lines.Bytes())
	return dir
}

// writePlain is Write with figures as SVG alone. Pixels take most of the time of a report, and
// tests of other things do without.
func writePlain(dir string) (*Summary, error) {
	return write(dir, func(m *Metrics) (out []File, err error) {
		p := newPen()
		for _, f := range figures(m) {
			for _, s := range f.forms(p) {
				var b bytes.Buffer
				if err := s.svg(&b); err != nil {
					return nil, err
				}
				out = append(out, File{"figures/" + s.name + ".svg", b.Bytes()})
			}
		}
		return out, nil
	})
}

func (y synth) task(n int) string {
	if y.survey {
		return "survey"
	}
	return fmt.Sprintf("task-%02d", n)
}

func (y synth) session(st record.Strategy, seed, task, user, number int) record.Session {
	taskID, userID := y.task(task), fmt.Sprintf("user-%03d", user)
	s := record.Session{
		ID:       fmt.Sprintf("%s/%d/%s/%s", st.Name, seed, taskID, userID),
		Strategy: st.Name, Seed: seed, Task: taskID, User: userID, Stop: record.StopBudget,
	}
	k := y.criteria
	who := rand.New(rand.NewPCG(uint64(task), uint64(user)))
	class := who.IntN(2)
	for i := range k {
		s.Criteria = append(s.Criteria, fmt.Sprintf("c%02d", i))
		p := .12
		if i%2 == class && i < 6 {
			p = .8
		}
		switch {
		case who.Float64() < p || i == 0:
			v := float64(1 + (class*3+who.IntN(3))%5)
			if y.nominal && i == k-1 {
				v = math.Mod(v, 3)
			}
			s.Truth.Cells = append(s.Truth.Cells, domains.At(v))
		default:
			s.Truth.Cells = append(s.Truth.Cells, domains.NotHeld())
		}
	}
	belief := st.Predict == "belief"
	order := make([]int, k)
	for i := range order {
		order[i] = i
	}
	draw := rand.New(rand.NewPCG(uint64(seed), uint64(task*1000+user%7)))
	switch {
	case st.Base == "random":
		draw.Shuffle(k, func(i, j int) { order[i], order[j] = order[j], order[i] })
	case st.Base == "static":
		slices.Reverse(order[k/2:])
	}
	inf := domains.NewInference(k)
	if y.nominal {
		inf.Levels = make([][]float64, k)
	}
	guess := func(post float64) { // P(class 1)
		if !belief {
			return
		}
		for i := range k {
			if !math.IsNaN(inf.Held[i]) && (inf.Held[i] == 0 || inf.Held[i] == 1) {
				continue
			}
			inf.Held[i] = .12
			if i < 6 {
				q := post
				if i%2 == 0 {
					q = 1 - post
				}
				inf.Held[i] = .12 + .68*q
			}
			if y.nominal && i == k-1 {
				inf.Levels[i] = []float64{post, (1 - post) / 2, (1 - post) / 2}
				continue
			}
			inf.Value[i] = 2 + 3*post
		}
	}
	post := .5
	guess(post)
	if st.Kind == "oracle" {
		for i, c := range s.Truth.Cells {
			inf.Held[i] = 0
			if y.nominal && i == k-1 && c.IsHeld() {
				inf.Levels[i] = make([]float64, 3)
			}
			inf.Tell(i, c)
		}
	}
	s.Prior = record.NewInference(inf)
	if st.Kind != "none" && st.Kind != "oracle" {
		asked := map[int]bool{}
		for range min(y.horizon, k) {
			next := -1
			for _, i := range order {
				if asked[i] {
					continue
				}
				if next < 0 {
					next = i
				}
				if st.Base == "pep" && i < 6 && (i%2 == 1) == (post > .45) {
					next = i
					break
				}
			}
			if st.Base == "pep" && len(s.Turns) >= 3 && (post > .999 || post < .001) {
				s.Stop = record.StopDone
				break
			}
			asked[next] = true
			c := s.Truth.Cells[next]
			if y.nominal && next == k-1 {
				inf.Levels[next] = make([]float64, 3)
			}
			inf.Tell(next, c)
			if next < 6 {
				l := .8 / .12
				if c.IsNotHeld() {
					l = .2 / .88
				}
				if next%2 == 0 {
					l = 1 / l
				}
				post = post * l / (post*l + 1 - post)
				guess(post)
			}
			s.Turns = append(s.Turns, record.Turn{Question: next, Answer: c, Inference: record.NewInference(inf)})
		}
	}
	points := y.horizon + 1
	if st.Kind == "none" || st.Kind == "oracle" {
		points = 1
	}
	noise := rand.New(rand.NewPCG(uint64(task), uint64(user*31+seed)))
	level := 3 * noise.Float64() * float64(task%4) / 6
	for n := range points {
		f := s.Inference(n)
		cp := record.Checkpoint{Questions: n, Scores: []record.Score{}, Instructed: []int{}, Wanted: record.Floats{}}
		told := domains.Inference{Held: f.Held, Value: f.Value}
		best := told.Best(6, 0)
		for i, c := range s.Truth.Cells {
			if !c.IsHeld() {
				continue
			}
			got := 1 + min(level, 2)
			if slices.Contains(best, i) && !math.IsNaN(f.Value[i]) {
				got = max(5-math.Abs(f.Value[i]-c.Value()), 1)
			}
			got = math.Round(got)
			cp.Scores = append(cp.Scores, record.Score{Position: i, Score: &got, Judge: "made-up"})
		}
		if y.unscored > 0 && number%y.unscored == 3 {
			cp.Scores[0].Score, cp.Scores[0].Unscored = nil, "no level named"
		}
		if raw, ok := record.Raw(cp.Scores, s.Truth.Weight); ok {
			cp.Raw = &raw
		}
		if !y.survey {
			right := noise.Float64() < .7
			cp.Correct = &right
		}
		if n > len(s.Turns) {
			cp = record.Checkpoint{Questions: n, Carried: true, Instructed: []int{}, Wanted: record.Floats{}, Scores: []record.Score{}}
		}
		s.Checkpoints = append(s.Checkpoints, cp)
	}
	return s
}

func put(t testing.TB, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name)))
	return err == nil
}
