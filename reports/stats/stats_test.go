package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var nan = math.NaN()

func same(a, b float64) bool { return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-12 }

func TestMean(t *testing.T) {
	for _, test := range []struct {
		reason string
		x      []float64
		mean   float64
		n      int
	}{
		{"plain mean", []float64{1, 2, 6}, 3, 3},
		{"undefined is left out, not zero", []float64{1, nan, 3}, 2, 2},
		{"a zero stays in", []float64{0, 4}, 2, 2},
		{"nothing defined", []float64{nan}, nan, 0},
		{"empty", nil, nan, 0},
	} {
		mean, n := Mean(test.x)
		if !same(mean, test.mean) || n != test.n {
			t.Errorf("%s: Mean(%v) = %v, %d, want %v, %d", test.reason, test.x, mean, n, test.mean, test.n)
		}
	}
}

func TestGroupMeans(t *testing.T) {
	got := GroupMeans([]float64{1, 3, nan, 5, nan}, []int{0, 0, 0, 2, 1}, 4)
	want := []float64{2, nan, 5, nan}
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("GroupMeans = %v, want %v", got, want)
	}
}

func TestCrossing(t *testing.T) {
	for _, test := range []struct {
		reason string
		x, y   []float64
		target float64
		want   float64
		ok     bool
	}{
		{"between two points", []float64{0, 1, 2}, []float64{10, 20, 40}, 30, 1.5, true},
		{"uneven checkpoints", []float64{0, 4}, []float64{0, 8}, 2, 1, true},
		{"reached at 0", []float64{0, 1}, []float64{10, 20}, 10, 0, true},
		{"exactly at a point", []float64{0, 1, 2}, []float64{0, 5, 9}, 5, 1, true},
		{"exactly at the last point, where the strategy whose end it is gets to", []float64{0, 1, 2}, []float64{0, 5, 9}, 9, 2, true},
		{"the first of several crossings", []float64{0, 1, 2, 3}, []float64{0, 4, 1, 8}, 2, .5, true},
		{"never", []float64{0, 1}, []float64{0, 1}, 2, nan, false},
		{"an undefined point is skipped", []float64{0, 1, 2}, []float64{0, nan, 4}, 2, 1, true},
		{"undefined target", []float64{0}, []float64{0}, nan, nan, false},
		{"no points", nil, nil, 0, nan, false},
	} {
		got, ok := Crossing(test.x, test.y, test.target)
		if !same(got, test.want) || ok != test.ok {
			t.Errorf("%s: got %v, %v, want %v, %v", test.reason, got, ok, test.want, test.ok)
		}
	}
}

// TestCrossingBruteForce compares with a fine walk along the curve.
func TestCrossingBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 1 + rng.IntN(6)
		x, y := make([]float64, n), make([]float64, n)
		for i := range x {
			x[i] = float64(i)
			y[i] = rng.Float64()
		}
		target := rng.Float64()
		got, ok := Crossing(x, y, target)
		const step = 1e-3
		want, found := nan, false
		for p := 0.0; p <= float64(n-1)+1e-9 && !found; p += step {
			i := min(int(p), max(n-2, 0))
			v := y[i]
			if n > 1 {
				v += (p - float64(i)) * (y[i+1] - y[i])
			}
			if v >= target {
				want, found = p, true
			}
		}
		if found && (!ok || math.Abs(got-want) > 2*step) {
			t.Fatalf("curve %v, target %v: got %v, %v, the walk finds %v", y, target, got, ok, want)
		}
	}
}

func TestInterval(t *testing.T) {
	upTo := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(n - i)
		}
		return x
	}
	for _, test := range []struct {
		reason     string
		confidence float64
		samples    []float64
		lo, hi     float64
		undefined  int
	}{
		{"999 samples: the 25th from either end", .95, upTo(999), 25, 975, 0},
		{"1000 samples: floor(25.025) = 25", .95, upTo(1000), 25, 976, 0},
		{"19 samples at 90%: the extremes", .9, upTo(19), 1, 19, 0},
		{"too few samples: the extremes", .95, upTo(5), 1, 5, 0},
		{"one sample", .95, []float64{7}, 7, 7, 0},
		{"undefined samples are left out", .9, append(upTo(19), nan, nan), 1, 19, 2},
		{"infinite samples sort last", .9, append(upTo(18), math.Inf(1)), 1, math.Inf(1), 0},
		{"none", .95, []float64{nan}, nan, nan, 1},
	} {
		iv := Bootstrap{Confidence: test.confidence}.Interval(test.samples)
		if !(same(iv.Lo, test.lo) || iv.Lo == test.lo) || !(same(iv.Hi, test.hi) || iv.Hi == test.hi) || iv.Undefined != test.undefined {
			t.Errorf("%s: got %+v, want [%v, %v], %d undefined", test.reason, iv, test.lo, test.hi, test.undefined)
		}
	}
	for confidence, want := range map[float64]int{.95: 39, .9: 19, .99: 199} {
		if got := (Bootstrap{Confidence: confidence}).MinResamples(); got != want {
			t.Errorf("MinResamples at %v = %d, want %d", confidence, got, want)
		}
	}
}

// TestMeansMoments compares with the closed form: a bootstrap mean of G clusters
// has mean xbar and variance (1/G) (1/G) sum (x - xbar)^2.
func TestMeansMoments(t *testing.T) {
	x := []float64{3, 8, 1, 9, 4, 4, 7, 2}
	got := Bootstrap{Resamples: 40000, Confidence: .95, Seed: 3}.Means(x)[0]
	xbar, _ := Mean(x)
	want := 0.0
	for _, v := range x {
		want += (v - xbar) * (v - xbar)
	}
	want /= float64(len(x) * len(x))
	mean, n := Mean(got)
	variance := 0.0
	for _, v := range got {
		variance += (v - mean) * (v - mean)
	}
	variance /= float64(n)
	if math.Abs(mean-xbar) > .02 || math.Abs(variance/want-1) > .03 {
		t.Errorf("mean %v, variance %v, want %v, %v", mean, variance, xbar, want)
	}
}

// TestMeansDraws holds Means to the draws it documents.
func TestMeansDraws(t *testing.T) {
	a := []float64{1, nan, 5, 7}
	c := []float64{2, 4, nan, 1}
	b := Bootstrap{Resamples: 50, Confidence: .95, Seed: 9}
	both, alone := b.Means(a, c), b.Means(c)
	if !slices.EqualFunc(both[1], alone[0], same) {
		t.Error("two calls with as many clusters see other resamples")
	}
	for r := range b.Resamples {
		rng := rand.New(rand.NewPCG(9, uint64(r)))
		var drawn []float64
		for range a {
			drawn = append(drawn, a[rng.IntN(len(a))])
		}
		if want, _ := Mean(drawn); !same(both[0][r], want) {
			t.Fatalf("resample %d: %v, want %v", r, both[0][r], want)
		}
	}
}

// TestCoverage: with many clusters the interval covers the mean about as often as
// it says.
func TestCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	const runs = 400
	covered := 0
	for i := range runs {
		x := make([]float64, 40)
		for j := range x {
			x[j] = rng.NormFloat64()
		}
		b := Bootstrap{Resamples: 300, Confidence: .9, Seed: uint64(i)}
		if iv := b.Interval(b.Means(x)[0]); iv.Lo <= 0 && 0 <= iv.Hi {
			covered++
		}
	}
	if share := float64(covered) / runs; share < .84 || share > .94 {
		t.Errorf("90%% intervals cover in %.0f%% of runs", 100*share)
	}
}

func ExampleBootstrap() {
	x := []float64{61, 58, 70, 66, 49, 73, 64, math.NaN()}
	b := Bootstrap{Resamples: 999, Confidence: .95, Seed: 1}
	mean, n := Mean(x)
	iv := b.Interval(b.Means(x)[0])
	fmt.Printf("%.1f of %d clusters, [%.1f, %.1f]\n", mean, n, iv.Lo, iv.Hi)
	// Output: 63.0 of 7 clusters, [57.1, 68.0]
}

func BenchmarkMeans(b *testing.B) {
	for _, g := range []int{40, 4000} {
		b.Run(fmt.Sprintf("clusters=%d", g), func(b *testing.B) {
			x := make([]float64, g)
			for i := range x {
				x[i] = float64(i % 17)
			}
			for b.Loop() {
				Bootstrap{Resamples: 1000, Confidence: .95}.Means(x)
			}
		})
	}
}
