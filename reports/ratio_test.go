package reports

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pepbench/bench/record"
	"pepbench/reports/stats"
)

// curved gives, after 0, 1 and 2 questions, raw scores by task to two strategies; the
// target is the final alignment of static.
func curved(tasks int, static, pep func(task int) []float64) synth {
	return synth{tasks: tasks, users: 1, seeds: 1, criteria: 5, budget: 2, change: func(m *record.Manifest, all *[]record.Session) {
		m.Report.TargetOf = "static+answers"
		for i := range *all {
			s := &(*all)[i]
			task := 10*int(s.Task[len(s.Task)-2]-'0') + int(s.Task[len(s.Task)-1]-'0')
			var raw []float64
			switch s.Strategy {
			case "static+answers":
				raw = static(task)
			case "pep+answers":
				raw = pep(task)
			default:
				continue
			}
			s.Checkpoints = nil
			for n, v := range raw {
				s.Checkpoints = append(s.Checkpoints, record.Checkpoint{Questions: n, Raw: &v})
			}
		}
	}}
}

// TestRatio holds the ratio of questions to target to hand-made curves.
func TestRatio(t *testing.T) {
	nan := math.NaN()
	always := func(raw ...float64) func(int) []float64 { return func(int) []float64 { return raw } }
	// In one of so many tasks otherwise.
	but := func(usual, other []float64) func(int) []float64 {
		return func(task int) []float64 {
			if task == 0 {
				return other
			}
			return usual
		}
	}
	for _, test := range []struct {
		reason      string
		tasks       int
		static, pep func(int) []float64
		want        float64
		withheld    string
	}{
		{"a quarter of the questions", 8, always(1, 1.5, 2), always(1, 3, 3), 2 / .5, ""},
		{"as many", 8, always(1, 1.5, 2), always(1, 1.5, 2), 1, ""},
		{"more: the other reaches its own end after one", 8, always(1, 2, 2), always(1, 1.5, 2), .5, ""},
		{"never", 8, always(1, 1.5, 2), always(1, 1, 1), nan, "pep+answers never reaches the target"},
		{"from the start", 8, always(1, 1.5, 2), always(3, 3, 3), nan, "pep+answers is at the target before the first question"},
		{"the other from the start", 8, always(2, 2, 2), always(1, 2, 2), nan, "static+answers is at the target before the first question"},
		{"one cluster has no resamples", 1, always(1, 1.5, 2), always(1, 3, 3), nan, "no resamples under two clusters"},
		// pep gets there by one task alone, which a share (7/8)^8 = 34% of the resamples lacks.
		{"too often never", 8, always(1, 1.5, 2), but([]float64{1, 1, 1.9}, []float64{1, 5, 5}), nan, "pep+answers never reaches the target in 3"},
		{"too often at 0", 8, always(1, 1.5, 2), but([]float64{2.1, 3, 3}, []float64{1, 3, 3}), nan, "pep+answers is at the target before the first question in "},
	} {
		m := Compute(load(t, curved(test.tasks, test.static, test.pep).write(t)))
		q := m.row(t, "pep+answers").Ratio
		if q == nil || q.Against != "static+answers" || !near(float64(q.Value), test.want) || (q.Withheld == "") != (test.withheld == "") || !strings.HasPrefix(q.Withheld, test.withheld) {
			t.Errorf("%s: %+v, want %v, withheld %q", test.reason, q, test.want, test.withheld)
			continue
		}
		if q.Withheld == "" && (!near(float64(q.Lo), test.want) || !near(float64(q.Hi), test.want) || q.HiOpen || q.Never != 0 || q.AgainstAtZero != 0) {
			t.Errorf("%s: %+v, want that in every resample", test.reason, q)
		}
		if q.Withheld != "" && (q.Lo.Defined() || q.Hi.Defined() || q.HiOpen) {
			t.Errorf("%s: withheld, with an interval: %+v", test.reason, q)
		}
		for _, name := range []string{"static+answers", "none", "oracle"} {
			if r := m.row(t, name).Ratio; r != nil {
				t.Errorf("%s: %s has a ratio: %+v", test.reason, name, r)
			}
		}
	}
}

// TestRatioBruteForce draws the tasks anew, resample by resample, and finds the crossings
// the long way.
func TestRatioBruteForce(t *testing.T) {
	const tasks = 9
	rng := rand.New(rand.NewPCG(3, 3))
	var static, pep [tasks][]float64
	for i := range tasks {
		level := 2 + .3*rng.NormFloat64()
		static[i] = []float64{1, 1 + (level-1)*.4, level}
		pep[i] = []float64{1 + .1*rng.Float64(), level + .4*rng.NormFloat64() - .1, level + .8}
	}
	m := Compute(load(t, curved(tasks, func(i int) []float64 { return static[i] }, func(i int) []float64 { return pep[i] }).write(t)))
	got := m.row(t, "pep+answers").Ratio

	cross := func(y [3]float64, target float64) float64 {
		for i := range y {
			if y[i] < target {
				continue
			}
			if i == 0 {
				return 0
			}
			return float64(i-1) + (target-y[i-1])/(y[i]-y[i-1])
		}
		return math.Inf(1)
	}
	ratioOf := func(of []int) (ratio, own, other float64) {
		var a, b [3]float64
		for _, i := range of {
			for n := range a {
				a[n] += 25 * (pep[i][n] - 1) / float64(len(of))
				b[n] += 25 * (static[i][n] - 1) / float64(len(of))
			}
		}
		own, other = cross(a, b[2]), cross(b, b[2])
		return other / own, own, other
	}
	whole := make([]int, tasks)
	for i := range whole {
		whole[i] = i
	}
	want, _, _ := ratioOf(whole)
	var samples []float64
	never := 0
	for r := range m.Resamples {
		rng := rand.New(rand.NewPCG(uint64(m.Seed), uint64(r)))
		drawn := make([]int, tasks)
		for i := range drawn {
			drawn[i] = rng.IntN(tasks)
		}
		v, own, _ := ratioOf(drawn)
		samples = append(samples, v)
		if math.IsInf(own, 1) {
			never++
		}
	}
	slices.Sort(samples)
	lo, hi := samples[4], samples[len(samples)-5] // floor(201 x .025) = 5
	close := func(a Number, b float64) bool { return math.Abs(float64(a)-b) < 1e-6 }
	if got.Withheld != "" || !close(got.Value, want) || !close(got.Lo, lo) || !close(got.Hi, hi) || !close(got.Never, float64(never)/float64(m.Resamples)) {
		t.Errorf("got %+v, want %v [%v, %v], never in %d", got, want, lo, hi, never)
	}
	if lo == hi || want <= 1 {
		t.Errorf("the case shows nothing: %v [%v, %v]", want, lo, hi)
	}
}

// TestRatioOpen: a resample in which a target is never reached, or at once, counts as 0 or
// infinite, and what is neither is left out.
func TestRatioOpen(t *testing.T) {
	boot := stats.Bootstrap{Resamples: 100, Confidence: .95}
	inf := math.Inf(1)
	with := func(n int, v float64) crossing {
		c := crossing{value: 1, samples: slices.Repeat([]float64{1}, 100)}
		for i := range n {
			c.samples[i] = v
		}
		return c
	}
	for _, row := range []struct {
		reason string
		a, b   crossing
		lo, hi Number
		open   bool
		held   bool
	}{
		{"5% is not more than 5%", with(5, inf), with(0, 0), 0, 1, false, false},
		{"6% is", with(6, inf), with(0, 0), undefined(), undefined(), false, true},
		{"at once, in 5%: no upper end", with(5, 0), with(0, 0), 1, undefined(), true, false},
		{"at once, in 6%", with(6, 0), with(0, 0), undefined(), undefined(), false, true},
		{"the other never, in 5%: no upper end", with(0, 0), with(5, inf), 1, undefined(), true, false},
		{"the other never, in 6%", with(0, 0), with(6, inf), undefined(), undefined(), false, true},
		{"the other at once, in 6%", with(0, 0), with(6, 0), undefined(), undefined(), false, true},
		{"both never: left out", with(5, inf), with(5, inf), 1, 1, false, false},
		{"not known: left out", with(50, math.NaN()), with(0, 0), 1, 1, false, false},
	} {
		q, _ := fewerQuestions(boot, "a", row.a, "b", row.b)
		same := func(x, y Number) bool { return x.Defined() == y.Defined() && (!x.Defined() || x == y) }
		if !same(q.Lo, row.lo) || !same(q.Hi, row.hi) || q.HiOpen != row.open || (q.Withheld != "") != row.held {
			t.Errorf("%s: %+v", row.reason, q)
		}
	}
}
