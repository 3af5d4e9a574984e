package stats

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// expected reads what R made (testdata/expected.R).
func expected(t *testing.T) map[string][]float64 {
	t.Helper()
	b, err := os.ReadFile("testdata/expected.csv")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]float64{}
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSpace(line), ",")
		for _, s := range f[1:] {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil {
				t.Fatal(err)
			}
			out[f[0]] = append(out[f[0]], v)
		}
	}
	return out
}

func ints(x []float64) (out []int) {
	for _, v := range x {
		out = append(out, int(v))
	}
	return out
}

// TestExpected holds everything that R has, too, to what R gives.
func TestExpected(t *testing.T) {
	r := expected(t)
	used := map[string]bool{}
	of := func(name string) []float64 {
		t.Helper()
		if r[name] == nil {
			t.Fatalf("R made no %s", name)
		}
		used[name] = true
		return r[name]
	}
	check := func(name string, tolerance float64, got ...float64) {
		t.Helper()
		want := of(name)
		if len(got) != len(want) {
			t.Fatalf("%s: %d numbers, want %d", name, len(got), len(want))
		}
		for i := range got {
			if math.IsNaN(got[i]) != math.IsNaN(want[i]) || math.Abs(got[i]-want[i]) > tolerance*max(1, math.Abs(want[i])) {
				t.Errorf("%s, number %d: %.12g, R gives %.12g", name, i+1, got[i], want[i])
			}
		}
	}
	mean := func(x []float64) float64 { m, _ := Mean(x); return m }

	x := of("bca.x")
	for _, level := range []string{"0.9", "0.95"} {
		confidence, _ := strconv.ParseFloat(level, 64)
		iv, warning := Bootstrap{Confidence: confidence}.BCa(mean(x), of("bca.samples"), Jackknife(x, mean))
		if warning != "" {
			t.Errorf("BCa warns: %s", warning)
		}
		check("bca."+level, 1e-12, iv.Lo, iv.Hi)
		check("bca.boot."+level, .01, iv.Lo, iv.Hi) // boot interpolates
	}

	m := MeanOfClusters(x)
	iv := m.Interval(.9)
	check("t.x", 1e-9, m.Mean, m.SE, iv.Lo, iv.Hi, m.P(), m.Above(2))
	m = MeanOverClusters(of("cr1.y"), ints(of("cr1.group")), 6)
	check("cr1.mean_se", 1e-12, m.Mean, m.SE)
	if m.Clusters != 5 {
		t.Errorf("%d clusters with a value, want 5", m.Clusters)
	}

	f := SignFlip{Draws: 40000, Seed: 1}
	d8 := of("flip.8")
	check("flip.8.p", 0, f.Test(d8).P)
	check("flip.8.coin", 1e-12, f.Test(d8).P)
	check("flip.8.above", 0, f.Above(d8, 0).P, f.Above(d8, -1).P, f.Above(d8, -3).P, f.Above(d8, 2).P)
	check("flip.14.p", 0, f.Test(of("flip.14")).P)
	d18 := of("flip.18")
	if got := f.Test(d18); got.Exact || got.Clusters != 18 {
		t.Errorf("18 clusters: %+v, want draws", got)
	}
	check("flip.18.p", 4*math.Sqrt(.1*.9/40000), f.Test(d18).P, f.Above(d18, -.05).P)

	for _, w := range [][2]int{{0, 12}, {3, 12}, {12, 12}, {57, 200}, {1, 1}} {
		iv := Wilson(w[0], w[1], .9)
		check(fmt.Sprintf("wilson.%d.%d", w[0], w[1]), 1e-9, iv.Lo, iv.Hi)
	}

	p := of("adjust.p")
	check("adjust.holm", 1e-12, Holm(p)...)
	check("adjust.bh", 1e-12, BenjaminiHochberg(p)...)

	for name := range r {
		if strings.HasPrefix(name, "nct.") {
			v := of(name)
			check(name, 1e-8, v[0], v[1], v[2], noncentralT(v[0], v[1], v[2]))
		}
	}
	for _, n := range []int{6, 16, 40, 300} {
		for _, tails := range []string{"two.sided", "one.sided"} {
			name := fmt.Sprintf("power.%s.%d", tails, n)
			v := of(name)
			power := Power{Alpha: v[3], Power: .8, OneSided: tails == "one.sided"}
			check(name, 1e-7, v[0], v[1], v[2], v[3], power.At(v[1], v[2], n))
		}
		check(fmt.Sprintf("mde.%d", n), 1e-6, Power{.05, .8, false}.MDE(2.5, n), Power{.05, .8, true}.MDE(2.5, n), Power{.1, .9, false}.MDE(2.5, n))
	}
	for _, effect := range []float64{.05, .2, .7, 1.1} {
		two, _ := Power{Alpha: .05, Power: .8}.Clusters(-effect, 1)
		one, _ := Power{Alpha: .05, Power: .8, OneSided: true}.Clusters(effect, 1)
		check(fmt.Sprintf("needed.%v", effect), 0, float64(two), float64(one))
	}

	u, v := of("rank.u"), of("rank.v")
	rho, n := Spearman(u, v)
	tau, _ := Kendall(u, v)
	check("rank.rho_tau", 1e-12, rho, tau)
	a, b := SpearmanInterval(rho, n, .95), KendallInterval(tau, n, .95)
	check("rank.intervals", 1e-9, a.Lo, a.Hi, b.Lo, b.Hi)

	w := TwoWay{Bootstrap{Resamples: 60000, Seed: 3}, nil, nil}
	for i := range of("twoway.cells") {
		w.Rows, w.Columns = append(w.Rows, i/3), append(w.Columns, i%3)
	}
	samples := w.Means(of("twoway.cells"))[0]
	centre, known := Mean(samples)
	spread := 0.0
	for _, v := range numbers(samples) {
		spread += (v - centre) * (v - centre) / float64(known)
	}
	check("twoway.moments", .02, 1-float64(known)/60000, centre, spread)

	for name := range r {
		if !used[name] {
			t.Errorf("nothing is held against R's %s", name)
		}
	}
}
