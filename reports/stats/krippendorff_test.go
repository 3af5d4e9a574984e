package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// unitsOf reads grades, a line a grader, a column a unit, "." missing.
func unitsOf(t *testing.T, lines ...string) [][]float64 {
	t.Helper()
	var out [][]float64
	for _, l := range lines {
		for i, f := range strings.Fields(l) {
			if i == len(out) {
				out = append(out, nil)
			}
			v := nan
			if f != "." {
				if _, err := fmt.Sscan(f, &v); err != nil {
					t.Fatal(err)
				}
			}
			out[i] = append(out[i], v)
		}
	}
	return out
}

// TestAlphaPublished holds Alpha to worked examples.
func TestAlphaPublished(t *testing.T) {
	four := []string{ // Krippendorff 2011, sections C to E: four observers, twelve units
		"1 2 3 3 2 1 4 1 2 . . .",
		"1 2 3 3 2 2 4 1 2 5 . 3",
		". 3 3 3 2 3 4 2 2 5 1 .",
		"1 2 3 3 2 4 4 1 2 5 1 .",
	}
	three := []string{ // Wikipedia, Krippendorff's alpha, "A computational example"
		". . . . . 3 4 1 2 1 1 3 3 . 3",
		"1 . 2 1 3 3 4 3 . . . . . . .",
		". . 2 1 3 4 4 . 2 1 1 3 3 . 4",
	}
	for _, row := range []struct {
		reason string
		lines  []string
		scale  Scale
		want   float64
	}{
		{"2011, A: binary data, two observers", []string{"0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"}, Nominal, .095},
		{"2011, B: nominal data, two observers", []string{"1 1 2 2 4 3 3 3 5 4 4 1", "2 1 2 2 2 3 3 3 5 4 4 4"}, Nominal, .692},
		{"2011, C: nominal data, any number of observers, missing data", four, Nominal, .743},
		{"2011, D: ordinal", four, Ordinal, .815},
		{"2011, D: interval", four, IntervalScale, .849},
		{"Wikipedia: nominal", three, Nominal, .691},
		{"Wikipedia: interval", three, IntervalScale, .811},
	} {
		var a Agreement
		for _, u := range unitsOf(t, row.lines...) {
			a.Add(u...)
		}
		if got := a.Alpha(row.scale); math.Abs(got-row.want) > .0005 {
			t.Errorf("%s: %.4f, want %.3f", row.reason, got, row.want)
		}
	}
}

// brute is alpha from its definition: 1 - D_o/D_e, where D_o is the mean squared
// difference of grades within units, each unit weighing as many as it has grades, and D_e
// that of any two grades. It also gives exact and near agreement.
func brute(units [][]float64, s Scale) (alpha, exact, near float64) {
	var all []float64
	var kept [][]float64
	for _, u := range units {
		u = slices.DeleteFunc(slices.Clone(u), math.IsNaN)
		if len(u) >= 2 {
			kept, all = append(kept, u), append(all, u...)
		}
	}
	d := func(a, b float64) float64 {
		switch s {
		case Nominal:
			if a == b {
				return 0
			}
			return 1
		case IntervalScale:
			return (a - b) * (a - b)
		}
		if a == b {
			return 0
		}
		lo, hi, n := min(a, b), max(a, b), 0.0
		for _, v := range all {
			switch {
			case v == lo || v == hi:
				n += .5
			case v > lo && v < hi:
				n++
			}
		}
		return n * n
	}
	do, de := 0.0, 0.0
	for _, u := range kept {
		within := 0.0
		for i := range u {
			for j := range u {
				if i != j {
					within += d(u[i], u[j])
				}
			}
		}
		do += within / float64(len(u)-1)
		switch off := slices.Max(u) - slices.Min(u); {
		case off == 0:
			exact++
			near++
		case off <= 1:
			near++
		}
	}
	for i := range all {
		for j := range all {
			if i != j {
				de += d(all[i], all[j])
			}
		}
	}
	n, k := float64(len(all)), float64(len(kept))
	if de == 0 {
		return nan, exact / k, near / k
	}
	return 1 - (do/n)/(de/(n*(n-1))), exact / k, near / k
}

func TestAlphaBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		grades := 1 + rng.IntN(5)
		var units [][]float64
		clusters := make([]*Agreement, 1+rng.IntN(4))
		for i := range clusters {
			clusters[i] = &Agreement{}
		}
		one := &Agreement{}
		for range rng.IntN(20) {
			u := make([]float64, 1+rng.IntN(5))
			base := rng.IntN(grades)
			for i := range u {
				switch v := rng.Float64(); {
				case v < .2:
					u[i] = nan
				case v < .6:
					u[i] = float64(1 + base)
				default:
					u[i] = float64(1+rng.IntN(grades)) / 2
				}
			}
			units = append(units, u)
			clusters[rng.IntN(len(clusters))].Add(u...)
			one.Add(u...)
		}
		got := Agree(clusters)
		for s, alpha := range map[Scale]float64{Nominal: one.Alpha(Nominal), Ordinal: got.Ordinal, IntervalScale: got.Interval} {
			want, exact, near := brute(units, s)
			if math.IsNaN(alpha) != math.IsNaN(want) || math.Abs(alpha-want) > 1e-9 {
				t.Fatalf("scale %d of %v: %v, by pairs %v", s, units, alpha, want)
			}
			if !same(got.Exact, exact) || !same(got.Near, near) {
				t.Fatalf("%v: exact %v near %v, want %v and %v", units, got.Exact, got.Near, exact, near)
			}
		}
	}
}

func TestAlphaEdges(t *testing.T) {
	for _, row := range []struct {
		reason string
		units  [][]float64
		want   float64
	}{
		{"no units", nil, nan},
		{"one grade each has nothing to agree with", [][]float64{{1}, {2, nan}}, nan},
		{"one grade throughout says nothing", [][]float64{{3, 3}, {3, 3}}, nan},
		{"perfect agreement on different grades", [][]float64{{1, 1}, {5, 5}}, 1},
		{"what is missing is left out", [][]float64{{1, 1, nan}, {nan, 5, 5}, {4, nan, nan}}, 1},
	} {
		var a Agreement
		for _, u := range row.units {
			a.Add(u...)
		}
		for _, s := range []Scale{Nominal, Ordinal, IntervalScale} {
			if got := a.Alpha(s); !same(got, row.want) {
				t.Errorf("%s: %v, want %v", row.reason, got, row.want)
			}
		}
	}
	// Opposite grades are worse than chance.
	var a Agreement
	a.Add(1, 5)
	a.Add(5, 1)
	if got := a.Alpha(Ordinal); got >= 0 {
		t.Errorf("opposite grades give %v", got)
	}
}

// TestAgreeSamples: resamples are the draws of Means.
func TestAgreeSamples(t *testing.T) {
	b := Bootstrap{Resamples: 40, Confidence: .9, Seed: 9}
	rng := rand.New(rand.NewPCG(1, 1))
	clusters, pairs := make([]*Agreement, 4), make([]*Pairs, 4)
	units := make([][][]float64, 4)
	for g := range clusters {
		clusters[g], pairs[g] = &Agreement{}, &Pairs{}
		for range 1 + rng.IntN(4) {
			u := []float64{float64(1 + rng.IntN(3)), float64(1 + rng.IntN(3))}
			units[g] = append(units[g], u)
			clusters[g].Add(u...)
			pairs[g].Add(u[0], u[1])
		}
	}
	got := b.AgreeSamples(clusters)
	shift, rho := b.PooledSamples(pairs)
	for r := range b.Resamples {
		draw := rand.New(rand.NewPCG(9, uint64(r)))
		var drawn [][]float64
		for range clusters {
			drawn = append(drawn, units[draw.IntN(4)]...)
		}
		want, exact, _ := brute(drawn, Ordinal)
		if math.IsNaN(got[r].Ordinal) != math.IsNaN(want) || math.Abs(got[r].Ordinal-want) > 1e-9 || !same(got[r].Exact, exact) {
			t.Fatalf("resample %d: %+v, want %v, %v", r, got[r], want, exact)
		}
		wantShift, wantRho := spearman(drawn)
		if !same(shift[r], wantShift) || math.IsNaN(rho[r]) != math.IsNaN(wantRho) || math.Abs(rho[r]-wantRho) > 1e-9 {
			t.Fatalf("resample %d: shift %v, rho %v, want %v, %v", r, shift[r], rho[r], wantShift, wantRho)
		}
	}
}

// spearman is Pearson's correlation of mean ranks, from the definition.
func spearman(pairs [][]float64) (shift, rho float64) {
	n := float64(len(pairs))
	if n == 0 {
		return nan, nan
	}
	rank := func(side int, v float64) float64 {
		below, equal := 0.0, 0.0
		for _, p := range pairs {
			switch {
			case p[side] < v:
				below++
			case p[side] == v:
				equal++
			}
		}
		return below + (equal+1)/2
	}
	var sx, sy, sxx, syy, sxy float64
	for _, p := range pairs {
		x, y := rank(0, p[0]), rank(1, p[1])
		sx, sy, sxx, syy, sxy = sx+x, sy+y, sxx+x*x, syy+y*y, sxy+x*y
		shift += (p[1] - p[0]) / n
	}
	vx, vy := sxx-sx*sx/n, syy-sy*sy/n
	if vx < 1e-12 || vy < 1e-12 {
		return shift, nan
	}
	return shift, (sxy - sx*sy/n) / math.Sqrt(vx*vy)
}

// TestSpearman: ranks 1..10 with a published coefficient, ties, and what is undefined.
func TestSpearman(t *testing.T) {
	for _, row := range []struct {
		reason     string
		pairs      [][]float64
		shift, rho float64
	}{
		{"Wikipedia, Spearman's rank correlation: IQ and hours of TV, -29/165", [][]float64{
			{86, 2}, {97, 20}, {99, 28}, {100, 27}, {101, 50}, {103, 29}, {106, 7}, {110, 17}, {112, 6}, {113, 12},
		}, -82.9, -29. / 165},
		{"reversed", [][]float64{{1, 5}, {2, 4}, {5, 1}}, 2. / 3, -1},
		{"one grade alone", [][]float64{{1, 3}, {2, 3}}, 1.5, nan},
		{"no pairs", nil, nan, nan},
	} {
		p := &Pairs{}
		for _, v := range row.pairs {
			p.Add(v[0], v[1])
		}
		shift, rho := Pooled([]*Pairs{p})
		if math.Abs(shift-row.shift) > 1e-9 || math.IsNaN(shift) != math.IsNaN(row.shift) || math.Abs(rho-row.rho) > 1e-9 || math.IsNaN(rho) != math.IsNaN(row.rho) {
			t.Errorf("%s: shift %v, rho %v, want %v, %v", row.reason, shift, rho, row.shift, row.rho)
		}
	}
}

func BenchmarkAgreeSamples(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	clusters := make([]*Agreement, 40)
	for g := range clusters {
		clusters[g] = &Agreement{}
		for range 500 {
			clusters[g].Add(float64(1+rng.IntN(5)), float64(1+rng.IntN(5)), float64(1+rng.IntN(5)))
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		Bootstrap{Resamples: 1000, Confidence: .95}.AgreeSamples(clusters)
	}
}
