package reports

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/reports/stats"
)

// guesser is a made-up strategy that predicts from a population, of sessions in so many
// clusters.
func guesser(clusters int, sessions []record.Session) (*computer, *strategy) {
	st := &strategy{Strategy: record.Strategy{Name: "guess", Base: "guess", Kind: kindPep, Predict: "belief"}, points: []int{0, 2}, final: 1}
	r := &Run{strategies: []*strategy{st}, clusters: clusters}
	c := &computer{Run: r, out: &Metrics{Strategies: []Row{{}}}, boot: stats.Bootstrap{Resamples: 60, Confidence: .9, Seed: 5}}
	for g := range clusters {
		c.out.ClusterIDs = append(c.out.ClusterIDs, fmt.Sprintf("task-%02d", g))
	}
	for i := range sessions {
		st.tally(r, &sessions[i])
	}
	return c, st
}

// TestCalibrationBruteForce puts every cell into its bin by hand, draws the clusters by
// hand, and finds the same numbers, whatever the order of the sessions.
func TestCalibrationBruteForce(t *testing.T) {
	cell := rapid.SampledFrom([]domains.Cell{domains.At(2), domains.NotHeld(), domains.NotHeld(), domains.Missing()})
	p := rapid.Custom(func(t *rapid.T) float64 {
		v := rapid.SampledFrom([]float64{math.NaN(), 0, 1, .1, .3, .7, -1}).Draw(t, "p")
		if v < 0 {
			v = float64(rapid.IntRange(0, 1000).Draw(t, "thousandths")) / 1000
		}
		return v
	})
	rapid.Check(t, func(t *rapid.T) {
		clusters := rapid.IntRange(1, 4).Draw(t, "clusters")
		sessions := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) record.Session {
			n := rapid.IntRange(1, 5).Draw(t, "criteria")
			s := record.Session{
				Task: fmt.Sprintf("task-%02d", rapid.IntRange(0, clusters-1).Draw(t, "cluster")), Criteria: make([]string, n),
				Truth: record.Truth{Cells: rapid.SliceOfN(cell, n, n).Draw(t, "truth")},
				Prior: record.Inference{Held: rapid.SliceOfN(p, n, n).Draw(t, "prior")},
			}
			for range rapid.IntRange(0, 3).Draw(t, "turns") {
				s.Turns = append(s.Turns, record.Turn{
					Question:  rapid.IntRange(noCriterion, n-1).Draw(t, "question"),
					Inference: record.Inference{Held: rapid.SliceOfN(p, n, n).Draw(t, "P")},
				})
			}
			if rapid.IntRange(0, 9).Draw(t, "fails") == 0 {
				s.Error = "user is out"
			}
			return s
		}), 0, 12).Draw(t, "sessions")

		type known struct {
			cluster, bin int
			p, held      float64
		}
		for scope := range calibrationScopes {
			var cells []known
			with, without := 0, 0
			for _, s := range sessions {
				if s.Error != "" {
					continue
				}
				turns := s.Turns[:min(2, len(s.Turns))]
				held := s.Prior.Held
				if len(turns) > 0 {
					held = turns[len(turns)-1].Inference.Held
				}
				before := len(cells)
				for i, truth := range s.Truth.Cells {
					was := slices.ContainsFunc(turns, func(t record.Turn) bool { return t.Question == i })
					if truth.IsMissing() || math.IsNaN(held[i]) || scope == unaskedScope && was {
						continue
					}
					k := known{p: held[i]}
					fmt.Sscanf(s.Task, "task-%d", &k.cluster)
					for k.bin < 9 && math.Round(held[i]*1000) >= float64(100*(k.bin+1)) {
						k.bin++
					}
					if truth.IsHeld() {
						k.held = 1
					}
					cells = append(cells, k)
				}
				if len(cells) > before {
					with++
				} else {
					without++
				}
			}
			// One resample, each cluster taken so often.
			measure := func(times []float64) (ece float64, observed, predicted, count [10]float64) {
				var sum, hit [10]float64
				n := 0.
				for _, k := range cells {
					w := times[k.cluster]
					count[k.bin] += w
					sum[k.bin] += w * k.p
					hit[k.bin] += w * k.held
					n += w
				}
				for b := range 10 {
					observed[b], predicted[b] = hit[b]/count[b], sum[b]/count[b]
					if count[b] > 0 {
						ece += count[b] / n * math.Abs(predicted[b]-observed[b])
					}
				}
				if n == 0 {
					ece = math.NaN()
				}
				return ece, observed, predicted, count
			}
			ones := slices.Repeat([]float64{1}, clusters)
			ece, observed, predicted, count := measure(ones)
			drawn := make([][]float64, 11) // of ece, then of every bin
			for r := range 60 {
				times, rng := make([]float64, clusters), rand.New(rand.NewPCG(5, uint64(r)))
				for range clusters {
					times[rng.IntN(clusters)]++
				}
				e, o, _, _ := measure(times)
				drawn[0] = append(drawn[0], e)
				for b := range 10 {
					drawn[b+1] = append(drawn[b+1], o[b])
				}
			}
			in := map[int]bool{}
			binIn := [10]map[int]bool{}
			for _, k := range cells {
				in[k.cluster] = true
				if binIn[k.bin] == nil {
					binIn[k.bin] = map[int]bool{}
				}
				binIn[k.bin][k.cluster] = true
			}
			ends := func(samples []float64, clusters int) (lo, hi float64) {
				samples = slices.DeleteFunc(samples, math.IsNaN)
				if clusters < 2 {
					return math.NaN(), math.NaN()
				}
				slices.Sort(samples)
				k := max(1, int(float64(len(samples)+1)*.05+1e-9))
				return samples[k-1], samples[len(samples)-k]
			}
			lo, hi := ends(drawn[0], len(in))

			c, st := guesser(clusters, sessions)
			got := c.calibrated(st, scope)
			if got.Cells != len(cells) || got.ECE.N != with || got.ECE.Undefined != without || got.ECE.Clusters != len(in) || got.Questions != 2 {
				t.Fatalf("%s: %+v, want %d cells of %d sessions (%d without) in %d clusters", got.Scope, got, len(cells), with, without, len(in))
			}
			if !near(float64(got.ECE.Value), ece) || !near(float64(got.ECE.Lo), lo) || !near(float64(got.ECE.Hi), hi) {
				t.Fatalf("%s: ECE %+v, want %v [%v, %v]", got.Scope, got.ECE, ece, lo, hi)
			}
			for b, bin := range got.Bins {
				lo, hi := ends(drawn[b+1], len(binIn[b]))
				if bin.Cells != int(count[b]) || !near(float64(bin.Predicted), predicted[b]) || !near(float64(bin.Observed), observed[b]) || !near(float64(bin.Lo), lo) || !near(float64(bin.Hi), hi) {
					t.Fatalf("%s: bin %d is %+v, want %v cells, %v against %v [%v, %v]", got.Scope, b, bin, count[b], predicted[b], observed[b], lo, hi)
				}
			}
			mixed := slices.Clone(sessions)
			slices.Reverse(mixed)
			c, st = guesser(clusters, mixed)
			if back := c.calibrated(st, scope); fmt.Sprint(back) != fmt.Sprint(got) {
				t.Fatalf("%s: %+v in the other order, was %+v", got.Scope, back, got)
			}
		}
	})
}

// TestCalibrationExact: runs whose calibration is known.
func TestCalibrationExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	run := func(predict, hold func() float64) []record.Session {
		var out []record.Session
		for i := range 400 {
			s := record.Session{Task: fmt.Sprintf("task-%02d", i%8), Criteria: make([]string, 20)}
			for range s.Criteria {
				p := predict()
				truth := domains.NotHeld()
				if h := hold(); h < 0 && rng.Float64() < p || h > 0 && len(s.Truth.Cells)%4 < int(4*h) {
					truth = domains.At(3)
				}
				s.Prior.Held, s.Truth.Cells = append(s.Prior.Held, p), append(s.Truth.Cells, truth)
			}
			out = append(out, s)
		}
		return out
	}
	constant := func(v float64) func() float64 { return func() float64 { return v } }
	for _, row := range []struct {
		reason   string
		sessions []record.Session
		want     float64
		within   float64
		bins     int // with cells
	}{
		{"what is predicted with P is held with P", run(rng.Float64, constant(-1)), 0, .015, 10},
		{"always .9 where half is held", run(constant(.9), constant(.5)), .4, 1e-12, 1},
		{"always .1 where three quarters are held", run(constant(.1), constant(.75)), .65, 1e-12, 1},
		{"always 1 where a quarter is held", run(constant(1), constant(.25)), .75, 1e-12, 1},
		{"the right constant", run(constant(.25), constant(.25)), 0, 1e-12, 1},
		{"no session", nil, math.NaN(), 0, 0},
	} {
		c, st := guesser(8, row.sessions)
		got := c.calibrated(st, wholeScope)
		if e := float64(got.ECE.Value); math.Abs(e-row.want) > row.within || math.IsNaN(e) != math.IsNaN(row.want) {
			t.Errorf("%s: ECE %v, want %v", row.reason, e, row.want)
		}
		bins := 0
		for _, b := range got.Bins {
			if b.Cells > 0 {
				bins++
			}
			if (b.Cells > 0) != b.Predicted.Defined() || (b.Cells > 0) != b.Observed.Defined() || (b.Cells > 0) != b.Lo.Defined() {
				t.Errorf("%s: %+v: numbers, and cells or not", row.reason, b)
			}
		}
		if bins != row.bins || len(got.Bins) != 10 {
			t.Errorf("%s: %d of %d bins have cells, want %d of 10", row.reason, bins, len(got.Bins), row.bins)
		}
	}
}

// TestCalibrated: who has a calibration, at which checkpoint, and of which cells; a survey's
// clusters are its users.
func TestCalibrated(t *testing.T) {
	for _, survey := range []bool{false, true} {
		y := synth{tasks: 3, users: 4, seeds: 2, criteria: 7, budget: 2, horizon: 4, survey: survey}
		if survey {
			y.tasks = 1
		}
		m := Compute(load(t, y.write(t)))
		for i := range m.Strategies {
			r := &m.Strategies[i]
			if want := r.Predict == "belief"; want != (len(r.Calibration) == 2) {
				t.Errorf("%s has %d calibrations", r.Name, len(r.Calibration))
			}
			for _, k := range r.Calibration {
				want := r.predicted().Cells - r.predicted().UnknownHeld
				if k.Scope == "unasked" {
					want -= 2 * r.Sessions
				}
				if k.Cells != want || k.Questions != 2 || k.ECE.N != r.Sessions || k.ECE.Clusters != len(m.ClusterIDs) || !k.ECE.Lo.Defined() {
					t.Errorf("survey %v: %s, %s: %+v, want %d cells", survey, r.Name, k.Scope, k, want)
				}
			}
		}
	}
	hold := func(_ *record.Manifest, all *[]record.Session) {
		for i := range *all {
			for j := range (*all)[i].Truth.Cells {
				(*all)[i].Truth.Cells[j] = domains.At(3)
			}
		}
	}
	m := Compute(load(t, synth{tasks: 2, users: 2, seeds: 1, criteria: 5, budget: 1, change: hold}.write(t)))
	for i := range m.Strategies {
		if k := m.Strategies[i].Calibration; k != nil {
			t.Errorf("everything is held, and %s has %+v", m.Strategies[i].Name, k)
		}
	}
}
