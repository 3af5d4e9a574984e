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

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/reports/stats"
)

func near(a, b float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-9
}

func load(t testing.TB, dir string) *Run {
	t.Helper()
	r, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (m *Metrics) row(t testing.TB, name string) *Row {
	t.Helper()
	for i := range m.Strategies {
		if m.Strategies[i].Name == name {
			return &m.Strategies[i]
		}
	}
	t.Fatalf("no strategy %q", name)
	return nil
}

// TestBruteForce computes alignment, normalised alignment and paired differences
// the long way, over runs with unscored sessions and seeds.
func TestBruteForce(t *testing.T) {
	for _, survey := range []bool{false, true} {
		var all []record.Session
		var man *record.Manifest
		y := synth{tasks: 5, users: 6, seeds: 2, criteria: 9, budget: 3, survey: survey, unscored: 7}
		if survey {
			y.tasks, y.users = 1, 9
		}
		y.change = func(m *record.Manifest, s *[]record.Session) {
			// Not every strategy has every session.
			*s = slices.DeleteFunc(*s, func(r record.Session) bool { return r.Strategy == "pep+belief" && r.User == "user-002" })
			man, all = m, *s
		}
		m := Compute(load(t, y.write(t)))

		type cell struct {
			seed       int
			task, user string
		}
		of := func(strategy string, n int) map[cell]float64 {
			out := map[cell]float64{}
			for i := range all {
				s := &all[i]
				if s.Strategy != strategy {
					continue
				}
				cp := graded(s, n, strategy == "none" || strategy == "oracle")
				if cp != nil && cp.Raw != nil {
					out[cell{s.Seed, s.Task, s.User}] = 25 * (*cp.Raw - 1)
				}
			}
			return out
		}
		// mean is the estimand over the cells in all maps: seeds, users, clusters.
		mean := func(value func(cell) float64, have ...map[cell]float64) float64 {
			seeds := map[[2]string][]float64{}
			for c := range have[0] {
				all := true
				for _, h := range have[1:] {
					_, ok := h[c]
					all = all && ok
				}
				if all {
					u := [2]string{c.task, c.user}
					seeds[u] = append(seeds[u], value(c))
				}
			}
			users := map[string][]float64{}
			avg := func(x []float64) float64 {
				sum := 0.0
				for _, v := range x {
					sum += v
				}
				return sum / float64(len(x))
			}
			for u, x := range seeds {
				cluster := u[0]
				if survey {
					cluster = u[1]
				}
				users[cluster] = append(users[cluster], avg(x))
			}
			var clusters []float64
			for _, x := range users {
				clusters = append(clusters, avg(x))
			}
			return avg(clusters)
		}
		ref, floor, ceiling := of(man.Report.Reference, 3), of("none", 0), of("oracle", 0)
		for i := range m.Strategies {
			row := &m.Strategies[i]
			for _, a := range row.Alignment {
				own := of(row.Name, a.Questions)
				get := func(h map[cell]float64) func(cell) float64 { return func(c cell) float64 { return h[c] } }
				if want := mean(get(own), own); !near(float64(a.Value), want) {
					t.Errorf("survey %v: %s after %d: alignment %v, want %v", survey, row.Name, a.Questions, a.Value, want)
				}
				if a.N != len(own) || a.N+a.Undefined != row.Sessions {
					t.Errorf("survey %v: %s after %d: n %d, undefined %d of %d sessions, want n %d", survey, row.Name, a.Questions, a.N, a.Undefined, row.Sessions, len(own))
				}
				s, f, c := mean(get(own), own, floor, ceiling), mean(get(floor), own, floor, ceiling), mean(get(ceiling), own, floor, ceiling)
				if want := 100 * (s - f) / (c - f); !near(float64(a.Normalised.Value), want) {
					t.Errorf("survey %v: %s after %d: normalised %v, want %v", survey, row.Name, a.Questions, a.Normalised.Value, want)
				}
			}
			if row.Name == man.Report.Reference {
				if row.Difference != nil {
					t.Error("the reference differs from itself")
				}
				continue
			}
			own := of(row.Name, row.final().Questions)
			want := mean(func(c cell) float64 { return own[c] - ref[c] }, own, ref)
			d := row.Difference
			if !near(float64(d.Value), want) {
				t.Errorf("survey %v: %s: difference %v, want %v", survey, row.Name, d.Value, want)
			}
			p := d.Test.P // five tasks, or eight users and more
			if d.Test.Family > 0 {
				p = d.Test.Holm
			}
			if p.Defined() != survey || d.Resolved != (p < .05) || (d.Test.Family > 0) == row.fixed() {
				t.Errorf("%s: %+v resolved: %v", row.Name, d.Test, d.Resolved)
			}
		}
	}
}

// TestOrder: no byte depends on the order of the lines.
func TestOrder(t *testing.T) {
	y := synth{tasks: 4, users: 5, seeds: 2, criteria: 9, budget: 3, unscored: 9}
	dir := y.write(t)
	first, err := Compute(load(t, dir)).JSON()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "sessions.jsonl")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	rng := rand.New(rand.NewPCG(1, 1))
	rng.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	put(t, name, bytes.Join(lines, []byte("\n"))) // nor on a final newline
	second, err := Compute(load(t, dir)).JSON()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("another order of sessions.jsonl gives other metrics")
	}
}

// TestToTarget holds questions to target to hand-made curves: two strategies, six
// tasks with one user each.
func TestToTarget(t *testing.T) {
	for _, test := range []struct {
		reason      string
		static, pep []float64 // raw scores after 0, 1, 2 questions
		want        float64
		never, zero float64
	}{
		{"half way between checkpoints", []float64{1, 1.5, 2}, []float64{1, 3, 3}, .5, 0, 0},
		{"never", []float64{1, 2, 4}, []float64{1, 1, 1}, math.NaN(), 1, 0},
		{"from the start", []float64{1, 1, 2}, []float64{3, 3, 3}, 0, 0, 1},
		{"exactly at the end", []float64{1, 1, 2}, []float64{1, 1, 2}, 2, 0, 0},
		{"falls back after it was reached", []float64{1, 1, 2}, []float64{1, 3, 1}, .5, 0, 0},
	} {
		y := synth{tasks: 6, users: 1, seeds: 1, criteria: 5, budget: 2, change: func(m *record.Manifest, all *[]record.Session) {
			m.Report.TargetOf = "static+answers"
			for i := range *all {
				s := &(*all)[i]
				raw := map[string][]float64{"static+answers": test.static, "pep+answers": test.pep}[s.Strategy]
				if raw == nil {
					continue
				}
				s.Checkpoints = nil
				for n, v := range raw {
					s.Checkpoints = append(s.Checkpoints, record.Checkpoint{Questions: n, Raw: &v})
				}
			}
		}}
		got := Compute(load(t, y.write(t))).row(t, "pep+answers").ToTarget
		if !near(float64(got.Value), test.want) || !near(float64(got.Never), test.never) || !near(float64(got.AtZero), test.zero) {
			t.Errorf("%s: got %+v, want %v, never %v, at zero %v", test.reason, got, test.want, test.never, test.zero)
		}
		if (test.never == 1) != got.HiOpen {
			t.Errorf("%s: interval open: %v", test.reason, got.HiOpen)
		}
	}
}

// TestToTargetResamples: the target moves with the resample. Whichever tasks are
// drawn, pep is at static's end after one question, though the target varies.
func TestToTargetResamples(t *testing.T) {
	y := synth{tasks: 8, users: 1, seeds: 1, criteria: 5, budget: 2, change: func(m *record.Manifest, all *[]record.Session) {
		m.Report.TargetOf = "static+answers"
		for i := range *all {
			s := &(*all)[i]
			level := 1.5 + float64(s.Task[len(s.Task)-1]-'0')/4
			raw := map[string][]float64{"static+answers": {1, 1, level}, "pep+answers": {1, level, level}}[s.Strategy]
			if raw == nil {
				continue
			}
			s.Checkpoints = nil
			for n, v := range raw {
				s.Checkpoints = append(s.Checkpoints, record.Checkpoint{Questions: n, Raw: &v})
			}
		}
	}}
	m := Compute(load(t, y.write(t)))
	got := m.row(t, "pep+answers").ToTarget
	if !near(float64(got.Lo), 1) || !near(float64(got.Hi), 1) || !near(float64(got.Value), 1) {
		t.Errorf("got %+v, want 1 in every resample", got)
	}
	if a := m.Target.Alignment; !(a.Lo < a.Value && a.Value < a.Hi) {
		t.Errorf("the target does not vary: %+v", a)
	}
}

// TestMeasure holds the measures of profile prediction to values computed by hand.
func TestMeasure(t *testing.T) {
	nan := math.NaN()
	at, no, gone := domains.At, domains.NotHeld(), domains.Missing()
	for _, test := range []struct {
		reason string
		truth  []domains.Cell
		held   record.Floats
		value  record.Floats
		levels []record.Floats
		asked  []int
		want   map[int]float64
		cells  cellCount
	}{
		{
			reason: "ranked, ties to the lower position",
			truth:  []domains.Cell{at(5), no, at(3), no, no},
			held:   record.Floats{.5, .9, .5, .5, .1}, value: record.Floats{4, 2, 1, 2, 2},
			want: map[int]float64{
				precisionAt: 2. / 3, recallAt: 1, f1At: 4. / 5, // 1, 0, 2
				precisionAt + 1: 2. / 4, f1At + 1: 4. / 6,
				precisionAt + 2: 2. / 5, f1At + 3: 4. / 7,
				valueMAE: 1.5, valueMSE: 2.5, heldMAE: 1.5,
				brier:    (.25 + .81 + .25 + .25 + .01) / 5,
				logScore: (3*math.Log(.5) + math.Log(.1) + math.Log(.9)) / 5,
			},
			cells: cellCount{cells: 5, held: 2},
		},
		{
			reason: "unknown and zero are never predicted, and a short ranking is not filled up",
			truth:  []domains.Cell{at(1), at(2), no, no},
			held:   record.Floats{1, nan, 0, nan}, value: record.Floats{1, nan, nan, nan},
			asked: []int{0, 2},
			want: map[int]float64{
				precisionAt: 1. / 3, recallAt: .5, f1At: 2. / (3 + 2), f1At + 3: 2. / (4 + 2),
				valueMAE: 0, heldMAE: 0, brier: 0, logScore: 0,
				unaskedMAE: nan, unaskedBri: nan, unaskedLog: nan,
			},
			cells: cellCount{cells: 4, unknownHeld: 2, held: 2, unknownValue: 1},
		},
		{
			reason: "nothing known: precision undefined, recall a true zero",
			truth:  []domains.Cell{at(1), no},
			want: map[int]float64{
				precisionAt: nan, recallAt: 0, f1At: 0, valueMAE: nan, valueMSE: nan, heldMAE: nan, brier: nan, logScore: nan,
			},
			cells: cellCount{cells: 2, unknownHeld: 2, held: 1, unknownValue: 1},
		},
		{
			reason: "nothing held",
			truth:  []domains.Cell{no, no}, held: record.Floats{.5, .5}, value: record.Floats{1, 1},
			want:  map[int]float64{precisionAt: nan, recallAt: nan, f1At: nan, brier: .25},
			cells: cellCount{cells: 2},
		},
		{
			reason: "cells whose truth is missing take no part",
			truth:  []domains.Cell{gone, at(2), no}, held: record.Floats{.9, .8, .2}, value: record.Floats{1, 4, 1},
			want:  map[int]float64{precisionAt: .5, recallAt: 1, brier: .04, heldMAE: 2},
			cells: cellCount{cells: 2, held: 1},
		},
		{
			reason: "asked and unasked apart",
			truth:  []domains.Cell{at(2), at(4), no}, held: record.Floats{1, .6, .3}, value: record.Floats{2, 1, 1},
			asked: []int{0},
			want: map[int]float64{
				unaskedMAE: 3, unaskedBri: (.16 + .09) / 2, unaskedLog: (math.Log(.6) + math.Log(.7)) / 2, heldMAE: 1.5,
			},
			cells: cellCount{cells: 3, held: 2},
		},
		{
			reason: "a wrong certainty is clipped",
			truth:  []domains.Cell{no}, held: record.Floats{1}, value: record.Floats{1},
			want:  map[int]float64{logScore: math.Log(1e-12), brier: 1},
			cells: cellCount{cells: 1},
		},
		{
			reason: "a nominal criterion has no value error",
			truth:  []domains.Cell{at(0), at(3)}, held: record.Floats{1, 1}, value: record.Floats{2, 1},
			levels: []record.Floats{{.5, .25, .25}, nil},
			want:   map[int]float64{heldMAE: 2, valueMAE: 2, levelErr: .5},
			cells:  cellCount{cells: 2, held: 2},
		},
		{
			reason: "levels: the held ones of which something is predicted",
			truth:  []domains.Cell{at(2), no, at(1), at(5), at(1), at(0)}, held: record.Floats{1, 1, 1, 1, 1, 0},
			levels: []record.Floats{{.2, .2, .6}, {1, 0}, {1, 0}, {.5, .5}, nil, {0, 0}},
			want:   map[int]float64{heldMAE: nan, levelErr: (.4 + 1) / 2},
			cells:  cellCount{cells: 6, held: 5, unknownValue: 3}, // no level 5, one unknown, one of what is not held
		},
		{
			reason: "no nominal criterion, no error of levels",
			truth:  []domains.Cell{at(2)}, held: record.Floats{1}, value: record.Floats{2},
			want:  map[int]float64{levelErr: nan, heldMAE: 0},
			cells: cellCount{cells: 1, held: 1},
		},
	} {
		inf := record.Inference{Held: test.held, Value: test.value, Levels: test.levels}
		s := &record.Session{Criteria: make([]string, len(test.truth)), Truth: record.Truth{Cells: test.truth}, Prior: inf}
		for _, q := range test.asked {
			s.Turns = append(s.Turns, record.Turn{Question: q, Inference: inf})
		}
		got := make([]float64, measures)
		cells, _ := measure(s, len(test.asked), got)
		for i, want := range test.want {
			if !near(got[i], want) {
				t.Errorf("%s: measure %d is %v, want %v", test.reason, i, got[i], want)
			}
		}
		if cells != test.cells {
			t.Errorf("%s: cells %+v, want %+v", test.reason, cells, test.cells)
		}
	}
}

// TestAdaptivityBruteForce compares with all pairs, one by one.
func TestAdaptivityBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	answers := []domains.Cell{domains.NotHeld(), domains.Missing(), domains.At(1), domains.At(2), domains.At(0)}
	for trial := range 60 {
		budget, tasks := 1+rng.IntN(4), 3
		var list []*session
		for range 40 {
			s := &session{key: key{unit: len(list), seed: rng.IntN(2)}, task: rng.IntN(tasks)}
			for range rng.IntN(budget + 1) {
				s.path = append(s.path, step{rng.IntN(2), answers[rng.IntN(len(answers))]})
			}
			list = append(list, s)
		}
		want := make([]followUps, tasks)
		for i := range want {
			want[i].byT = make([]pairCount, max(budget-1, 0))
			want[i].same = make([]pairCount, max(budget-1, 0))
		}
		for i, a := range list {
			for _, b := range list[:i] {
				if a.task != b.task || a.seed != b.seed {
					continue
				}
				w := &want[a.task]
				for t := 1; t < budget && t <= len(a.path) && t <= len(b.path); t++ {
					x, y := a.path[t-1], b.path[t-1]
					questions, before := true, true
					for i := range t {
						questions = questions && a.path[i].question == b.path[i].question
						before = before && (i == t-1 || a.path[i].answer.Equal(b.path[i].answer))
					}
					one := pairCount{pairs: 1}
					if a.next(t) != b.next(t) {
						one.differ = 1
					}
					if questions && before && x.answer.Equal(y.answer) {
						w.same[t-1].add(one)
					}
					if !questions || x.answer.Equal(y.answer) {
						continue
					}
					if len(a.path) > t && len(b.path) > t {
						w.released.add(one)
						if x.answer.IsHeld() != y.answer.IsHeld() && !x.answer.IsMissing() && !y.answer.IsMissing() {
							w.releasedHeld.add(one)
						}
					}
					if !before {
						continue
					}
					w.strict.add(one)
					w.byT[t-1].add(one)
					switch {
					case x.answer.IsHeld() && y.answer.IsHeld():
						w.value.add(one)
					case !x.answer.IsMissing() && !y.answer.IsMissing(): // an empty cell says neither
						w.held.add(one)
					}
					if (len(a.path) > t) != (len(b.path) > t) {
						w.early++
					}
				}
			}
		}
		got := countFollowUps(list, tasks, budget)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("trial %d, budget %d:\n got %v\nwant %v", trial, budget, got, want)
		}
		b := stats.Bootstrap{Resamples: 50, Confidence: .95}
		a := adaptivity(got, b)
		sum, n := 0.0, 0
		for _, w := range want {
			if w.strict.pairs > 0 {
				sum += float64(w.strict.differ) / float64(w.strict.pairs)
				n++
			}
		}
		if mean := sum / float64(n); !near(float64(a.Value), mean) || a.Tasks != n {
			t.Fatalf("share %v over %d tasks, want %v over %d", a.Value, a.Tasks, mean, n)
		}
	}
}

// TestAdaptivityLinear: thousands of sessions of a task take no pairwise time.
func TestAdaptivityLinear(t *testing.T) {
	var list []*session
	for i := range 200_000 {
		list = append(list, &session{key: key{unit: i}, path: []step{{0, domains.At(float64(i % 5))}, {1 + i%2, domains.NotHeld()}}})
	}
	got := countFollowUps(list, 1, 5)[0].strict
	// After q_1: 5 answers of n/5 each; q_2 alternates with i, answers with i mod 5.
	const n = 200_000
	want := pairCount{pairs: n * n * 4 / 10, differ: n * n * 2 / 10}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestFixedPoint: floor and ceiling have one checkpoint, whatever its number, and
// one that is carried without a grade takes the last grade before it.
func TestFixedPoint(t *testing.T) {
	two, four := 2., 4.
	s := &record.Session{Checkpoints: []record.Checkpoint{
		{Questions: 0, Raw: &two},
		{Questions: 1, Raw: &four},
		{Questions: 2, Carried: true},
		{Questions: 3, Carried: true, Raw: &two},
		{Questions: 4, Carried: true, Scores: []record.Score{{Unscored: "no level named"}}},
	}}
	for _, test := range []struct {
		reason string
		n      int
		want   *float64
	}{
		{"its own grade", 0, &two},
		{"carried without a grade", 2, &four},
		{"carried with the grade", 3, &two},
		{"carried, and not gradable", 4, nil},
	} {
		if got := graded(s, test.n, false); got.Raw != test.want {
			t.Errorf("%s: %v", test.reason, got.Raw)
		}
	}
	if graded(s, 7, false) != nil {
		t.Error("a checkpoint from nowhere")
	}
	only := &record.Session{Checkpoints: []record.Checkpoint{{Questions: 5, Raw: &two}}}
	if got := graded(only, 0, true); got == nil || got.Raw != &two {
		t.Error("the one checkpoint of a floor is not found")
	}
}

// TestWarnings: whatever is wrong is said, nothing is NaN, nothing panics.
func TestWarnings(t *testing.T) {
	base := synth{tasks: 7, users: 2, seeds: 1, criteria: 6, budget: 2}
	for _, test := range []struct {
		reason string
		synth  synth
		change func(*record.Manifest, *[]record.Session)
		want   string // of a warning
		also   string // of another
		not    string // of none, empty: anything may be there
	}{
		{reason: "no sessions", change: func(_ *record.Manifest, s *[]record.Session) { *s = nil }, want: "there are no sessions"},
		{reason: "an unfinished run", change: func(_ *record.Manifest, s *[]record.Session) { *s = (*s)[:100] }, want: "100 of 140 planned sessions"},
		{
			reason: "nothing is graded",
			change: func(_ *record.Manifest, s *[]record.Session) {
				for i := range *s {
					for j := range (*s)[i].Checkpoints {
						c := &(*s)[i].Checkpoints[j]
						c.Raw, c.Scores, c.Carried = nil, []record.Score{{Unscored: "judge is out"}}, false
					}
				}
			},
			want: "no session with an alignment at the final checkpoint: none, random+answers",
			also: "sessions without an alignment at the final checkpoint, which are left out: 140, most often because: judge is out",
			not:  "the ceiling does not exceed the floor",
		},
		{
			reason: "the ceiling is not graded",
			change: func(_ *record.Manifest, s *[]record.Session) {
				for i := range *s {
					if c := &(*s)[i].Checkpoints[0]; (*s)[i].Strategy == "oracle" {
						c.Raw, c.Scores = nil, []record.Score{{Unscored: "judge is out"}}
					}
				}
			},
			want: "alignment is not normalised: no session that floor and ceiling have both scored",
			also: "which are left out: 14, most often because: judge is out",
			not:  "the ceiling does not exceed the floor",
		},
		{reason: "one task", synth: synth{tasks: 1, users: 3, seeds: 1, criteria: 6, budget: 2}, want: "1 task: no interval"},
		{reason: "one user of a survey", synth: synth{tasks: 1, users: 1, seeds: 1, criteria: 6, budget: 2, survey: true}, want: "1 user: no interval"},
		{reason: "few tasks", synth: synth{tasks: 3, users: 3, seeds: 1, criteria: 6, budget: 2}, want: "few clusters: intervals rest on 3 tasks"},
		{reason: "a budget of 0", synth: synth{tasks: 3, users: 3, seeds: 1, criteria: 6}, want: "few clusters"},
		{reason: "shared users", change: func(m *record.Manifest, _ *[]record.Session) { m.Data.SharedUsers = true }, want: "the same users recur across tasks"},
		{
			reason: "a strategy from nowhere",
			change: func(m *record.Manifest, _ *[]record.Session) { m.Strategies = m.Strategies[:9] },
			want:   `strategy "oracle" is not in the manifest: its sessions (14) are left out`,
		},
		{
			reason: "a strategy without sessions",
			change: func(_ *record.Manifest, s *[]record.Session) {
				*s = slices.DeleteFunc(*s, func(s record.Session) bool { return s.Strategy == "pep+belief" })
			},
			want: "no session of: pep+belief",
		},
		{
			reason: "no ceiling",
			change: func(m *record.Manifest, s *[]record.Session) {
				m.Strategies = m.Strategies[:9]
				*s = slices.DeleteFunc(*s, func(s record.Session) bool { return s.Strategy == "oracle" })
			},
			want: "alignment is not normalised: the run has no ceiling",
		},
		{
			reason: "ceiling under floor",
			change: func(m *record.Manifest, _ *[]record.Session) {
				m.Strategies[0].Kind, m.Strategies[9].Kind = "oracle", "none"
			},
			want: "the ceiling does not exceed the floor",
		},
		{reason: "unknown target", change: func(m *record.Manifest, _ *[]record.Session) { m.Report.TargetOf = "x" }, want: `report.target_of "x"`},
		{reason: "unknown reference", change: func(m *record.Manifest, _ *[]record.Session) { m.Report.Reference = "x" }, want: `the reference "x"`},
		{reason: "no target, no reference", change: func(m *record.Manifest, _ *[]record.Session) { m.Report = record.Report{Resamples: 10} }, want: "10 resamples are too few for 95% intervals"},
		{reason: "two floors", change: func(m *record.Manifest, _ *[]record.Session) { m.Strategies[1].Kind = "none" }, want: "2 strategies of kind none"},
		{
			reason: "failed sessions",
			change: func(_ *record.Manifest, s *[]record.Session) {
				for i := range 4 {
					(*s)[i].Stop, (*s)[i].Error = record.StopError, "user is out"
				}
			},
			want: "sessions that failed and are left out: 4, most often because: user is out",
		},
		{
			reason: "raw that does not follow from the scores",
			change: func(_ *record.Manifest, s *[]record.Session) { *(*s)[0].Checkpoints[0].Raw = 4.9 },
			want:   "sessions whose raw alignment does not follow from their scores: 1, the first in",
		},
		{
			reason: "no checkpoint at the budget",
			change: func(m *record.Manifest, _ *[]record.Session) { m.Checkpoints = []int{0, 1} },
			want:   "no checkpoint at the budget of 2 questions; 1 is taken",
		},
		{reason: "no checkpoints", change: func(m *record.Manifest, _ *[]record.Session) { m.Checkpoints = nil }, want: "names no checkpoint"},
		{reason: "a warning of the run", change: func(m *record.Manifest, _ *[]record.Session) { m.Warnings = []string{"mind the gap"} }, want: "mind the gap"},
		{
			reason: "floor and ceiling alone",
			change: func(m *record.Manifest, s *[]record.Session) {
				m.Strategies = []record.Strategy{m.Strategies[0], m.Strategies[9]}
				*s = slices.DeleteFunc(*s, func(s record.Session) bool { return s.Strategy != "none" && s.Strategy != "oracle" })
			},
			want: `report.target_of "static+belief"`,
		},
	} {
		y := base
		if test.synth.tasks > 0 {
			y = test.synth
		}
		y.change = test.change
		dir := y.write(t)
		r, err := Load(dir)
		if err != nil {
			t.Errorf("%s: %v", test.reason, err)
			continue
		}
		m := Compute(r)
		all := strings.Join(m.Warnings, "\n")
		for _, want := range []string{test.want, test.also} {
			if !strings.Contains(all, want) {
				t.Errorf("%s: no warning with %q in %q", test.reason, want, m.Warnings)
			}
		}
		if test.not != "" && strings.Contains(all, test.not) {
			t.Errorf("%s: a warning with %q in %q", test.reason, test.not, m.Warnings)
		}
		b, err := m.JSON()
		if err != nil {
			t.Fatal(err)
		}
		files, err := Tables(m)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, File{"metrics.json", b}, File{"terminal", []byte(terminal(m, 100))})
		for _, s := range sketches(m) {
			c := vgsvg.New(s.w, s.h)
			s.render(draw.New(c))
			var b bytes.Buffer
			if _, err := c.WriteTo(&b); err != nil {
				t.Fatal(err)
			}
			files = append(files, File{s.name, b.Bytes()})
		}
		for _, f := range files {
			for _, bad := range []string{"NaN", "Inf", "%!"} {
				if strings.Contains(string(f.Data), bad) {
					t.Errorf("%s: %s in %s", test.reason, bad, f.Path)
				}
			}
		}
	}
}

// TestZeroIsNotMissing: a true zero alignment stays in, an undefined one does not.
func TestZeroIsNotMissing(t *testing.T) {
	one := 1.
	y := synth{tasks: 6, users: 2, seeds: 1, criteria: 5, budget: 1, change: func(_ *record.Manifest, all *[]record.Session) {
		for i := range *all {
			s := &(*all)[i]
			if s.Strategy != "pep+answers" {
				continue
			}
			five := 5.
			raw := &five
			switch {
			case s.User == "user-001":
				raw = nil
			case s.Task < "task-03":
				raw = &one
			}
			for j := range s.Checkpoints {
				s.Checkpoints[j] = record.Checkpoint{Questions: j, Raw: raw, Scores: []record.Score{}}
			}
		}
	}}
	a := Compute(load(t, y.write(t))).row(t, "pep+answers").final()
	if a.Value != 50 || a.N != 6 || a.Undefined != 6 || len(a.Reasons) != 1 || a.Reasons[0] != (count{What: "nothing graded", N: 6}) {
		t.Errorf("got %+v", a)
	}
}

func TestNumber(t *testing.T) {
	for _, test := range []struct {
		reason string
		in     float64
		want   string
	}{
		{"whole", 3, "3"},
		{"six decimals", 1. / 3, "0.333333"},
		{"rounds to zero without a sign", -1e-9, "0"},
		{"undefined", math.NaN(), "null"},
		{"infinite", math.Inf(1), "null"},
		{"no exponent", 1e9, "1000000000"},
	} {
		b, err := json.Marshal(Number(test.in))
		if err != nil || string(b) != test.want {
			t.Errorf("%s: %s, %v, want %s", test.reason, b, err, test.want)
		}
	}
	var n Number
	if err := json.Unmarshal([]byte("null"), &n); err != nil || n.Defined() {
		t.Errorf("null reads as %v, %v", n, err)
	}
	if err := json.Unmarshal([]byte("2.5"), &n); err != nil || n != 2.5 {
		t.Errorf("2.5 reads as %v, %v", n, err)
	}
}
