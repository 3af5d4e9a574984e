package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// values draws up to n numbers out of few, so that there are ties, some of them NaN.
func values(t *rapid.T, name string, least, n int) []float64 {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) float64 {
		if v := rapid.IntRange(-6, 7).Draw(t, "v"); v < 7 {
			return float64(v) / 2
		}
		return nan
	}), least, n).Draw(t, name)
}

func TestBCa(t *testing.T) {
	line := make([]float64, 99) // 1 .. 99
	for i := range line {
		line[i] = float64(i + 1)
	}
	shift := func(by float64) []float64 {
		out := slices.Clone(line)
		for i := range out {
			out[i] += by
		}
		return out
	}
	for _, test := range []struct {
		reason    string
		estimate  float64
		samples   []float64
		jackknife []float64
		lo, hi    float64
		warns     string
	}{
		{"no bias, no skew: the percentile interval", 50, line, []float64{1, 2, 3}, 5, 95, ""},
		{"ties count half: the same", 2, []float64{1, 2, 2, 2, 3}, []float64{1, 2, 3}, 1, 3, ""},
		{"undefined samples and clusters are left out", 50, append(shift(0), nan), []float64{1, nan, 2, 3}, 5, 95, ""},
		{"more samples below, z0 = .256: shares .129 and .984", 60, line, []float64{1, 2, 3}, 12, 99, ""},
		{"all below", 200, line, []float64{1, 2, 3}, 5, 95, "one side"},
		{"all above", 0, line, []float64{1, 2, 3}, 5, 95, "one side"},
		{"no spread of the jackknife", 50, line, []float64{2, 2, 2}, 5, 95, "no cluster changes"},
		{"no spread at all", 4, []float64{4, 4, 4}, []float64{4, 4}, 4, 4, "says nothing"},
		{"one cluster", 50, line, []float64{1}, nan, nan, "fewer than two clusters"},
		{"one cluster with a value", 50, line, []float64{1, nan}, nan, nan, "fewer than two clusters"},
		{"no estimate", nan, line, []float64{1, 2}, nan, nan, "nothing is defined"},
		{"no sample", 1, []float64{nan}, []float64{1, 2}, nan, nan, "nothing is defined"},
	} {
		iv, warning := Bootstrap{Confidence: .9}.BCa(test.estimate, test.samples, test.jackknife)
		if !same(iv.Lo, test.lo) || !same(iv.Hi, test.hi) {
			t.Errorf("%s: [%v, %v], want [%v, %v]", test.reason, iv.Lo, iv.Hi, test.lo, test.hi)
		}
		if (warning == "") != (test.warns == "") || !strings.Contains(warning, test.warns) {
			t.Errorf("%s: warning %q, want %q", test.reason, warning, test.warns)
		}
		if want := len(test.samples) - len(numbers(test.samples)); iv.Undefined != want {
			t.Errorf("%s: %d undefined, want %d", test.reason, iv.Undefined, want)
		}
	}
}

func TestJackknife(t *testing.T) {
	mean := func(x []float64) float64 { m, _ := Mean(x); return m }
	if got, want := Jackknife([]float64{1, nan, 3, 8}, mean), []float64{5.5, nan, 4.5, 2}; !slices.EqualFunc(got, want, same) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestClusteredMean(t *testing.T) {
	for _, test := range []struct {
		reason    string
		got       ClusteredMean
		mean, se  float64
		clusters  int
		p, aboveM float64 // Above(-1)
	}{
		{"an undefined cluster is left out", MeanOfClusters([]float64{1, nan, 3}), 2, 1, 2, .295167235300867, .102416382349567},
		{"zero variance: no test", MeanOfClusters([]float64{2, 2, 2}), 2, 0, 3, nan, nan},
		{"all 0: no difference", MeanOfClusters([]float64{0, 0, 0}), 0, 0, 3, 1, nan},
		{"all at the bound", MeanOfClusters([]float64{-1, -1}), -1, 0, 2, nan, 1},
		{"one cluster", MeanOfClusters([]float64{2}), 2, nan, 1, nan, nan},
		{"none", MeanOfClusters(nil), nan, nan, 0, nan, nan},
		{"a cluster weighs by its values", MeanOverClusters([]float64{1, 1, 1, 5, nan}, []int{0, 0, 0, 1, 2}, 3), 2, math.Sqrt(2*(9+9)) / 4, 2, nan, nan},
		{"one cluster of many values", MeanOverClusters([]float64{1, 2, 3}, []int{0, 0, 0}, 2), 2, nan, 1, nan, nan},
	} {
		if !same(test.got.Mean, test.mean) || !same(test.got.SE, test.se) || test.got.Clusters != test.clusters {
			t.Errorf("%s: %+v, want %v, %v, %d", test.reason, test.got, test.mean, test.se, test.clusters)
		}
		if test.got.SE > 0 && math.IsNaN(test.p) {
			continue
		}
		if p, above := test.got.P(), test.got.Above(-1); math.IsNaN(p) != math.IsNaN(test.p) || math.Abs(p-test.p) > 1e-9 || math.IsNaN(above) != math.IsNaN(test.aboveM) || math.Abs(above-test.aboveM) > 1e-9 {
			t.Errorf("%s: p %v and %v, want %v and %v", test.reason, p, above, test.p, test.aboveM)
		}
	}
	if iv := MeanOfClusters([]float64{2}).Interval(.95); !math.IsNaN(iv.Lo) || !math.IsNaN(iv.Hi) {
		t.Errorf("one cluster has the interval %v", iv)
	}
}

// TestMeanOverClustersEqual: of clusters of equal size the plain mean is the mean of
// cluster means, and so is its error.
func TestMeanOverClustersEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, size := rapid.IntRange(2, 6).Draw(t, "clusters"), rapid.IntRange(1, 4).Draw(t, "size")
		x, group := make([]float64, g*size), make([]int, g*size)
		for i := range x {
			x[i], group[i] = rapid.Float64Range(-9, 9).Draw(t, "x"), i%g
		}
		a, b := MeanOverClusters(x, group, g), MeanOfClusters(GroupMeans(x, group, g))
		if math.Abs(a.Mean-b.Mean) > 1e-9 || math.Abs(a.SE-b.SE) > 1e-9 || a.Clusters != b.Clusters {
			t.Fatalf("%+v and %+v", a, b)
		}
	})
}

// TestSignFlipBruteForce turns the signs one by one.
func TestSignFlipBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := values(t, "d", 0, 11)
		bound := float64(rapid.IntRange(-4, 4).Draw(t, "bound")) / 2
		x := numbers(d)
		var two, one, n float64
		for p := range 1 << len(x) {
			plain, shifted, seen, seenShifted := 0.0, 0.0, 0.0, 0.0
			for i, v := range x {
				s := 1.0
				if p>>i&1 == 1 {
					s = -1
				}
				plain, shifted = plain+s*v, shifted+s*(v-bound)
				seen, seenShifted = seen+v, seenShifted+v-bound
			}
			n++
			if math.Abs(plain) >= math.Abs(seen) { // halves: exact
				two++
			}
			if shifted >= seenShifted {
				one++
			}
		}
		f := SignFlip{Draws: 10}
		for _, c := range []struct {
			got  SignTest
			want float64
		}{{f.Test(d), two / n}, {f.Above(d, bound), one / n}} {
			if len(x) == 0 {
				c.want = nan
			}
			if !same(c.got.P, c.want) || c.got.Clusters != len(x) || c.got.Missing != len(d)-len(x) || !c.got.Exact {
				t.Fatalf("%+v, want p %v of %v", c.got, c.want, x)
			}
		}
	})
}

// TestSignFlipDrawn: what is drawn turns the sign of every difference, whatever their number
// is: p is the count of the same draws with signs turned one by one.
func TestSignFlipDrawn(t *testing.T) {
	const draws = 500
	for g := MostExact + 1; g <= 2*64+9; g++ {
		rng := rand.New(rand.NewPCG(3, uint64(g)))
		d, sum := make([]float64, g), 0.0
		for i := range d {
			d[i] = float64(rng.IntN(1<<20) - 1<<19)
			if i >= g-8 {
				d[i] *= 4 // the last ones weigh most
			}
			sum += d[i]
		}
		drawn := rand.New(rand.NewPCG(9, math.MaxUint64))
		two, one := 1.0, 1.0
		for range draws {
			total, bits := 0.0, uint64(0)
			for i, v := range d {
				if i%64 == 0 {
					bits = drawn.Uint64()
				}
				if bits>>(i%64)&1 == 1 {
					v = -v
				}
				total += v
			}
			if math.Abs(total) >= math.Abs(sum) { // whole numbers: exact
				two++
			}
			if total >= sum {
				one++
			}
		}
		f := SignFlip{Draws: draws, Seed: 9}
		if got, want := f.Test(d).P, two/(draws+1); got != want {
			t.Errorf("%d differences: p %v, want %v", g, got, want)
		}
		if got, want := f.Above(d, 0).P, one/(draws+1); got != want {
			t.Errorf("%d differences: one-sided p %v, want %v", g, got, want)
		}
	}
}

// TestSignFlipDraws: drawn patterns come near all of them, depend on the seed alone, and
// never give 0.
func TestSignFlipDraws(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	d := make([]float64, 150)
	for i := range d {
		d[i] = rng.NormFloat64() + .1
	}
	m := MeanOfClusters(d)
	f := SignFlip{Draws: 20000, Seed: 4}
	got := f.Test(d)
	if math.Abs(got.P-m.P()) > .02 {
		t.Errorf("p %v, that of t is %v, and 150 normal differences should come near it", got.P, m.P())
	}
	if f.Test(d) != got {
		t.Error("equal seeds give different p")
	}
	if other := (SignFlip{Draws: 20000, Seed: 5}).Test(d); other.P == got.P {
		t.Error("the seed changes nothing")
	}
	if above, below := f.Above(d, 0).P, 1-f.Above(d, 0).P; math.Abs(2*min(above, below)-got.P) > .01 {
		t.Errorf("one-sided %v, two-sided %v", above, got.P)
	}
	for i := range d {
		d[i] = 1
	}
	if got := f.Test(d); got.P != 1./20001 {
		t.Errorf("all differences alike: p %v, want 1/20001", got.P)
	}
	clear(d)
	if got := f.Test(d); got.P != 1 {
		t.Errorf("no difference at all: p %v, want 1", got.P)
	}
}

func TestWilson(t *testing.T) {
	if iv := Wilson(0, 0, .95); !math.IsNaN(iv.Lo) || !math.IsNaN(iv.Hi) {
		t.Errorf("no trial has the interval %v", iv)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 500).Draw(t, "n")
		k := rapid.IntRange(0, n).Draw(t, "k")
		iv, p := Wilson(k, n, .95), float64(k)/float64(n)
		if !(iv.Lo >= 0 && iv.Lo <= p && p <= iv.Hi && iv.Hi <= 1 && iv.Lo < iv.Hi) {
			t.Fatalf("%d of %d: %v", k, n, iv)
		}
		// The ends are where the score test of the share just rejects.
		z := 1.959963984540054
		for _, e := range []float64{iv.Lo, iv.Hi} {
			if e > 0 && e < 1 && math.Abs(math.Abs(p-e)/math.Sqrt(e*(1-e)/float64(n))-z) > 1e-6 {
				t.Fatalf("%d of %d: score at %v is not z", k, n, e)
			}
		}
	})
}

// TestAdjustBruteForce goes by the definitions as rejections: a corrected p is the smallest level
// at which the stepwise procedure rejects.
func TestAdjustBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) float64 {
			if v := rapid.IntRange(0, 11).Draw(t, "v"); v < 11 {
				return float64(v) / 20
			}
			return nan
		}), 0, 8).Draw(t, "p")
		sorted := numbers(p)
		slices.Sort(sorted)
		m := float64(len(sorted))
		holm, bh := Holm(p), BenjaminiHochberg(p)
		for i, v := range p {
			if math.IsNaN(v) {
				if !math.IsNaN(holm[i]) || !math.IsNaN(bh[i]) {
					t.Fatalf("an undefined p became %v, %v", holm[i], bh[i])
				}
				continue
			}
			rejected := func(level float64, bh bool) bool {
				last := -1
				for k, q := range sorted {
					if bh && q <= level*float64(k+1)/m+1e-12 {
						last = k
					}
					if !bh {
						if q > level/(m-float64(k))+1e-12 {
							break
						}
						last = k
					}
				}
				return last >= 0 && v <= sorted[last]
			}
			for _, c := range []struct {
				got float64
				bh  bool
			}{{holm[i], false}, {bh[i], true}} {
				if !(c.got >= v && c.got <= 1) {
					t.Fatalf("%v became %v", v, c.got)
				}
				if c.got < 1 && !rejected(c.got, c.bh) || c.got > 1e-6 && rejected(c.got-1e-7, c.bh) {
					t.Fatalf("bh %v: %v of %v is not where rejection starts: %v", c.bh, v, sorted, c.got)
				}
			}
		}
	})
}

func TestPower(t *testing.T) {
	p := Power{Alpha: .05, Power: .8}
	for _, test := range []struct {
		reason string
		got    float64
	}{
		{"one cluster", p.At(1, 1, 1)},
		{"no spread", p.At(1, 0, 9)},
		{"unknown spread", p.At(1, nan, 9)},
		{"unknown effect", p.At(nan, 1, 9)},
		{"no spread, no MDE", p.MDE(0, 9)},
		{"one cluster, no MDE", p.MDE(1, 1)},
	} {
		if !math.IsNaN(test.got) {
			t.Errorf("%s: %v, want NaN", test.reason, test.got)
		}
	}
	for _, test := range []struct {
		reason     string
		effect, sd float64
		oneSided   bool
	}{
		{"no effect", 0, 1, false},
		{"no spread", 1, 0, false},
		{"unknown", nan, 1, false},
		{"more than anybody collects", 1e-9, 1, false},
		{"worse than the margin", -1, 1, true},
	} {
		if n, ok := (Power{.05, .8, test.oneSided}).Clusters(test.effect, test.sd); ok || n != 0 {
			t.Errorf("%s: %d clusters, want none known", test.reason, n)
		}
	}
	if got := p.At(0, 1, 12); math.Abs(got-.05) > 1e-9 {
		t.Errorf("without an effect the power is %v, want the level", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := Power{rapid.Float64Range(.001, .2).Draw(t, "alpha"), rapid.Float64Range(.3, .99).Draw(t, "power"), rapid.Bool().Draw(t, "one")}
		sd := rapid.Float64Range(.01, 20).Draw(t, "sd")
		n := rapid.IntRange(2, 400).Draw(t, "n")
		mde := p.MDE(sd, n)
		if got := p.At(mde, sd, n); math.Abs(got-p.Power) > 1e-6 {
			t.Fatalf("power at the MDE %v is %v, want %v", mde, got, p.Power)
		}
		effect := rapid.Float64Range(.02, 3).Draw(t, "effect") * sd
		k, ok := p.Clusters(effect, sd)
		if !ok || p.At(effect, sd, k) < p.Power || k > 2 && p.At(effect, sd, k-1) >= p.Power {
			t.Fatalf("%d clusters for %v are not the fewest", k, effect)
		}
	})
}

// TestNoncentralT holds the series to an integral over the chi of the denominator.
func TestNoncentralT(t *testing.T) {
	chi := func(t, nu, delta float64) float64 {
		lg, _ := math.Lgamma(nu / 2)
		const step = 1e-3
		sum := 0.0
		for s := step / 2; s < 8; s += step {
			density := math.Exp(nu/2*math.Log(nu/2) - lg + math.Log(2) + (nu-1)*math.Log(s) - nu*s*s/2)
			sum += density * .5 * math.Erfc(-(t*s-delta)/math.Sqrt2) * step
		}
		return sum
	}
	for _, nu := range []float64{2, 5, 15, 60} {
		for _, delta := range []float64{-2, 0, 1, 3, 6, 45} {
			for _, q := range []float64{-3, -.5, 0, 1, 2.5, 7, 40} {
				if got, want := noncentralT(q, nu, delta), chi(q, nu, delta); math.Abs(got-want) > 1e-6 {
					t.Errorf("P(T <= %v), nu %v, delta %v: %v, want %v", q, nu, delta, got, want)
				}
			}
		}
	}
	// Where the series ends the normal approximation goes on.
	edge := math.Sqrt(2e5)
	if below, above := noncentralT(447, 1e4, edge-1e-6), noncentralT(447, 1e4, edge+1e-6); math.Abs(below-above) > .005 || below < .3 || below > .7 {
		t.Errorf("at the edge of the series %v becomes %v", below, above)
	}
}

// rankBrute gives Spearman and tau-b by their definitions.
func rankBrute(x, y []float64) (rho, tau float64) {
	rank := func(v []float64) []float64 {
		out := make([]float64, len(v))
		for i := range v {
			for j := range v {
				switch {
				case v[j] < v[i]:
					out[i]++
				case v[j] == v[i]:
					out[i] += .5
				}
			}
		}
		return out
	}
	a, b := rank(x), rank(y)
	ma, _ := Mean(a)
	mb, _ := Mean(b)
	var sab, saa, sbb, score, dx, dy float64
	for i := range a {
		sab += (a[i] - ma) * (b[i] - mb)
		saa += (a[i] - ma) * (a[i] - ma)
		sbb += (b[i] - mb) * (b[i] - mb)
		for j := range i {
			u, v := x[i]-x[j], y[i]-y[j]
			if u*v > 0 {
				score++
			} else if u*v < 0 {
				score--
			}
			if u != 0 {
				dx++
			}
			if v != 0 {
				dy++
			}
		}
	}
	if saa == 0 || sbb == 0 {
		return nan, nan
	}
	return sab / math.Sqrt(saa*sbb), score / math.Sqrt(dx*dy)
}

func TestRankBruteForce(t *testing.T) {
	close := func(a, b float64) bool { return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-9 }
	rapid.Check(t, func(t *rapid.T) {
		x := values(t, "x", 0, 12)
		y := values(t, "y", len(x), len(x))
		g := rapid.IntRange(1, 4).Draw(t, "clusters")
		group := make([]int, len(x))
		var u, v []float64
		for i := range x {
			group[i] = rapid.IntRange(0, g-1).Draw(t, "group")
			if !math.IsNaN(x[i]) && !math.IsNaN(y[i]) {
				u, v = append(u, x[i]), append(v, y[i])
			}
		}
		wantRho, wantTau := rankBrute(u, v)
		rho, n := Spearman(x, y)
		tau, m := Kendall(x, y)
		if !close(rho, wantRho) || !close(tau, wantTau) || n != len(u) || m != n {
			t.Fatalf("rho %v, tau %v of %d, want %v, %v of %d", rho, tau, n, wantRho, wantTau, len(u))
		}
		b := Bootstrap{Resamples: 5, Seed: 8}
		rhos, taus := b.RankSamples(x, y, group, g)
		for r := range rhos {
			times := make([]float64, g)
			b.draw(r, times)
			var u, v []float64
			for i := range x {
				for range int(times[group[i]]) {
					if !math.IsNaN(x[i]) && !math.IsNaN(y[i]) {
						u, v = append(u, x[i]), append(v, y[i])
					}
				}
			}
			if a, c := rankBrute(u, v); !close(rhos[r], a) || !close(taus[r], c) {
				t.Fatalf("resample %d: %v, %v, want %v, %v", r, rhos[r], taus[r], a, c)
			}
		}
	})
}

func TestRankIntervals(t *testing.T) {
	for _, test := range []struct {
		reason string
		iv     Interval
	}{
		{"three pairs", SpearmanInterval(.5, 3, .95)},
		{"four pairs", KendallInterval(.5, 4, .95)},
		{"in full accord", SpearmanInterval(1, 20, .95)},
		{"in full discord", KendallInterval(-1, 20, .95)},
		{"undefined", SpearmanInterval(nan, 20, .95)},
	} {
		if !math.IsNaN(test.iv.Lo) || !math.IsNaN(test.iv.Hi) {
			t.Errorf("%s: %v, want no interval", test.reason, test.iv)
		}
	}
}

// TestTwoWayBruteForce draws rows and columns as documented, and takes means in loops.
func TestTwoWayBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 14).Draw(t, "units")
		index := rapid.SliceOfN(rapid.IntRange(0, 3), n, n)
		w := TwoWay{Bootstrap{Resamples: 40, Seed: 5}, index.Draw(t, "rows"), index.Draw(t, "columns")}
		x, y := values(t, "x", n, n), values(t, "y", n, n)
		got := w.Means(x, y, x)
		for r := range w.Resamples {
			rng := rand.New(rand.NewPCG(5, uint64(r)))
			a, b := make([]int, size(w.Rows)), make([]int, size(w.Columns))
			for _, times := range [][]int{a, b} {
				for range times {
					times[rng.IntN(len(times))]++
				}
			}
			for q, v := range [][]float64{x, y, x} {
				var drawn []float64 // means of rows, as often as they are drawn
				for row, times := range a {
					var of []float64
					for i := range v {
						if w.Rows[i] == row && !math.IsNaN(v[i]) {
							for range b[w.Columns[i]] {
								of = append(of, v[i])
							}
						}
					}
					m, _ := Mean(of)
					for range times {
						drawn = append(drawn, m)
					}
				}
				if want, _ := Mean(drawn); math.IsNaN(want) != math.IsNaN(got[q][r]) || math.Abs(want-got[q][r]) > 1e-9 {
					t.Fatalf("resample %d of quantity %d: %v, want %v", r, q, got[q][r], want)
				}
			}
		}
	})
}

// TestTwoWayRows: with a column of its own for every unit of one value a row, rows drawn are
// those of the cluster bootstrap.
func TestTwoWayRows(t *testing.T) {
	b := Bootstrap{Resamples: 50, Seed: 2}
	x := []float64{3, 1, 4, 1, 5}
	got := TwoWay{b, []int{0, 1, 2, 3, 4}, []int{0, 0, 0, 0, 0}}.Means(x)[0]
	if want := b.Means(x)[0]; !slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
		t.Error("one column: not the resamples of the rows")
	}
}

// TestTwoWayVariance holds the spread to its closed form in a full table of R rows and C
// columns, whose cells are mean + row part r + column part c + rest e:
//
//	sum r^2/R^2 + sum c^2/C^2 + sum e^2/(R C)^2
func TestTwoWayVariance(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	const R, C = 7, 5
	x := make([]float64, R*C)
	w := TwoWay{Bootstrap: Bootstrap{Resamples: 60000, Seed: 1}}
	for i := range x {
		x[i] = rng.ExpFloat64() + float64(i/C) + 2*float64(i%C)
		w.Rows, w.Columns = append(w.Rows, i/C), append(w.Columns, i%C)
	}
	mean, _ := Mean(x)
	r, c := GroupMeans(x, w.Rows, R), GroupMeans(x, w.Columns, C)
	want := 0.0
	for _, v := range r {
		want += (v - mean) * (v - mean) / (R * R)
	}
	for _, v := range c {
		want += (v - mean) * (v - mean) / (C * C)
	}
	for i, v := range x {
		e := v - r[w.Rows[i]] - c[w.Columns[i]] + mean
		want += e * e / (R * C * R * C)
	}
	s := MeanOfClusters(w.Means(x)[0])
	got := s.SE * s.SE * float64(s.Clusters)
	if math.Abs(got/want-1) > .03 || math.Abs(s.Mean-mean) > .03 {
		t.Errorf("mean %v, variance %v, want %v, %v", s.Mean, got, mean, want)
	}
}

// TestCoverageOfOthers: intervals of made-up data, skewed ones and crossed ones, cover
// their mean about as often as they say, or as seldom as is known of them.
func TestCoverageOfOthers(t *testing.T) {
	const runs = 400
	covered := map[string]int{}
	count := func(name string, iv Interval, truth float64) {
		if iv.Lo <= truth && truth <= iv.Hi {
			covered[name]++
		}
	}
	for i := range uint64(runs) {
		rng := rand.New(rand.NewPCG(9, i))
		b := Bootstrap{Resamples: 300, Confidence: .9, Seed: i}
		x := make([]float64, 25)
		for k := range x {
			x[k] = rng.ExpFloat64()
		}
		mean, _ := Mean(x)
		samples := b.Means(x)[0]
		bca, _ := b.BCa(mean, samples, Jackknife(x, func(x []float64) float64 { m, _ := Mean(x); return m }))
		count("percentile, exponential", b.Interval(samples), 1)
		count("BCa, exponential", bca, 1)
		few := make([]float64, 7)
		for k := range few {
			few[k] = rng.NormFloat64()
		}
		count("t, 7 clusters", MeanOfClusters(few).Interval(.9), 0)
		count("percentile, 7 clusters", b.Interval(b.Means(few)[0]), 0)

		// 20 tasks, 24 users, each task has half of them; users differ as much as tasks.
		w := TwoWay{Bootstrap: b}
		var user, cells []float64
		for range 24 {
			user = append(user, rng.NormFloat64())
		}
		for task := range 20 {
			part := rng.NormFloat64()
			for u := task % 2; u < 24; u += 2 {
				w.Rows, w.Columns = append(w.Rows, task), append(w.Columns, u)
				cells = append(cells, part+user[u]+rng.NormFloat64())
			}
		}
		count("two-way, crossed", b.Interval(w.Means(cells)[0]), 0)
		count("tasks alone, crossed", b.Interval(b.Means(GroupMeans(cells, w.Rows, 20))[0]), 0)
	}
	for _, test := range []struct {
		reason, name string
		least, most  float64
	}{
		{"skewed: a little too narrow", "percentile, exponential", .82, .91},
		{"corrected for it", "BCa, exponential", .84, .92},
		{"exact", "t, 7 clusters", .86, .94},
		{"too narrow, for which the rule of ten clusters is there", "percentile, 7 clusters", .74, .86},
		{"users differ", "two-way, crossed", .86, .96},
		{"blind to users", "tasks alone, crossed", .50, .80},
	} {
		if got := float64(covered[test.name]) / runs; got < test.least || got > test.most {
			t.Errorf("%s: %s covers %.3f, want %.2f to %.2f", test.reason, test.name, got, test.least, test.most)
		}
	}
}

// TestSignFlipLevel: without a difference p below .05 comes about as often as it says.
func TestSignFlipLevel(t *testing.T) {
	const runs = 600
	found := map[string]int{}
	for i := range uint64(runs) {
		rng := rand.New(rand.NewPCG(11, i))
		d := make([]float64, 12)
		for k := range d {
			d[k] = rng.ExpFloat64() * float64(2*rng.IntN(2)-1)
		}
		f := SignFlip{Draws: 399, Seed: i}
		if f.Test(d).P < .05 {
			found["exact"]++
		}
		if f.Test(append(d, d[:6]...)).P < .05 {
			found["not independent"]++
		}
		for k := range d {
			d[k] -= 1
		}
		if f.Above(d, -1).P < .05 {
			found["at the margin"]++
		}
	}
	for _, test := range []struct {
		reason, name string
		least, most  float64
	}{
		{"symmetric differences", "exact", .025, .075},
		{"a mean right at the margin", "at the margin", .025, .075},
		{"clusters counted twice are found too often", "not independent", .07, .3},
	} {
		if got := float64(found[test.name]) / runs; got < test.least || got > test.most {
			t.Errorf("%s: %.3f, want %.3f to %.3f", test.reason, got, test.least, test.most)
		}
	}
}

func TestSummary(t *testing.T) {
	a := Analysis{Bootstrap: Bootstrap{Resamples: 200, Confidence: .9, Seed: 1}}
	line := func(n int) []float64 { // mean 2, spread
		x := make([]float64, n)
		for i := range x {
			x[i] = 2 + float64(i) - float64(n-1)/2
		}
		return x
	}
	t6, b12 := MeanOfClusters(line(6)), a.Bootstrap.Interval(a.Means(line(12))[0])
	for _, test := range []struct {
		reason              string
		x, samples          []float64
		estimate, lo, hi    float64
		method, test        string
		p                   float64
		clusters, missing   int
		warnings, ofSummary int
		says                string
	}{
		{"nothing", nil, nil, nan, nan, nan, ByNothing, ByNothing, nan, 0, 0, 2, 1, "nothing is known"},
		{"all undefined", []float64{nan, nan}, nil, nan, nan, nan, ByNothing, ByNothing, nan, 0, 2, 2, 1, "nothing is known"},
		{"one cluster", []float64{3}, nil, 3, nan, nan, ByNothing, ByNothing, nan, 1, 0, 2, 1, "no interval"},
		{"one with a value", []float64{3, nan}, nil, 3, nan, nan, ByNothing, ByNothing, nan, 1, 1, 3, 2, "1 of 2 clusters have no value"},
		{"two clusters: t of one degree", []float64{1, 3}, nil, 2, 2 - 6.313751514675, 2 + 6.313751514675, ByT, ByNothing, nan, 2, 0, 2, 1, "cannot tell"},
		{"six: t", line(6), nil, 2, t6.Interval(.9).Lo, t6.Interval(.9).Hi, ByT, ByT, t6.P(), 6, 0, 0, 0, ""},
		{"six without spread", []float64{2, 2, 2, 2, 2, 2}, nil, 2, 2, 2, ByT, ByNothing, nan, 6, 0, 2, 1, "no spread"},
		{"six without a difference", []float64{0, 0, 0, 0, 0, 0}, nil, 0, 0, 0, ByT, ByT, 1, 6, 0, 1, 1, "no spread"},
		{"ten and more: resamples and sign flips", line(12), nil, 2, b12.Lo, b12.Hi, ByBootstrap, BySignFlip, SignFlip{}.Test(line(12)).P, 12, 0, 0, 0, ""},
		{"resamples from elsewhere", line(12), []float64{1, 5, nan}, 2, 1, 5, ByBootstrap, BySignFlip, SignFlip{}.Test(line(12)).P, 12, 0, 1, 1, "1 of 3 resamples"},
		{"ten without spread", slices.Repeat([]float64{2}, 10), nil, 2, 2, 2, ByBootstrap, BySignFlip, 2. / 1024, 10, 0, 1, 1, "no spread"},
	} {
		got := a.Difference(test.x, test.samples)
		near := func(a, b float64) bool { return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-9 }
		if !near(got.Estimate, test.estimate) || !near(got.Lo, test.lo) || !near(got.Hi, test.hi) || !near(got.P, test.p) {
			t.Errorf("%s: %v [%v, %v], p %v, want %v [%v, %v], p %v", test.reason, got.Estimate, got.Lo, got.Hi, got.P, test.estimate, test.lo, test.hi, test.p)
		}
		if got.Method != test.method || got.Test != test.test || got.Clusters != test.clusters || got.Missing != test.missing {
			t.Errorf("%s: %s, %s, %d clusters, %d missing, want %s, %s, %d, %d", test.reason, got.Method, got.Test, got.Clusters, got.Missing, test.method, test.test, test.clusters, test.missing)
		}
		if len(got.Warnings) != test.warnings || !strings.Contains(strings.Join(got.Warnings, "\n"), test.says) {
			t.Errorf("%s: warnings %q, want %d and %q", test.reason, got.Warnings, test.warnings, test.says)
		}
		if plain := a.Summary(test.x, test.samples); len(plain.Warnings) != test.ofSummary {
			t.Errorf("%s: the summary warns %q, want %d", test.reason, plain.Warnings, test.ofSummary)
		}
	}
	for n, want := range map[int]float64{7: MeanOfClusters(line(7)).Above(-1), 12: SignFlip{}.Above(line(12), -1).P, 5: nan} {
		if got := a.NonInferiority(line(n), nil, 1); !same(got.P, want) {
			t.Errorf("%d clusters, margin 1: p %v, want %v", n, got.P, want)
		}
	}
	many := line(40)
	if got, want := a.Difference(many, nil).P, (SignFlip{Draws: 9999, Seed: 1}).Test(many).P; got != want {
		t.Errorf("40 clusters: p %v, want that of 9999 draws, %v", got, want)
	}
	if got := a.Summary([]float64{1, nan, 2, 4, 9}, nil).SD; math.Abs(got-math.Sqrt(38./3)) > 1e-12 {
		t.Errorf("standard deviation of 1, 2, 4, 9: %v, want %v", got, math.Sqrt(38./3))
	}
}

// TestPanics: what no caller should do.
func TestPanics(t *testing.T) {
	for reason, call := range map[string]func(){
		"means of other lengths":        func() { MeanOverClusters([]float64{1}, nil, 1) },
		"pairs of other lengths":        func() { Spearman([]float64{1}, nil) },
		"clusters of other lengths":     func() { Bootstrap{}.RankSamples([]float64{1}, []float64{1}, nil, 1) },
		"rows of other lengths":         func() { TwoWay{Rows: []int{0}}.Means() },
		"quantities of other lengths":   func() { TwoWay{Rows: []int{0}, Columns: []int{0}}.Means(nil) },
		"more hits than trials":         func() { Wilson(2, 1, .95) },
		"a power that cannot be had":    func() { Power{.05, 1, false}.MDE(1, 9) },
		"a level that cannot be tested": func() { Power{0, .8, false}.At(1, 1, 9) },
	} {
		func() {
			defer func() {
				if got, ok := recover().(string); !ok || !strings.HasPrefix(got, "stats: ") {
					t.Errorf("%s: no panic of this package, but %q", reason, got)
				}
			}()
			call()
		}()
	}
}

func ExampleAnalysis() {
	a := Analysis{Bootstrap: Bootstrap{Resamples: 999, Confidence: .95, Seed: 1}}
	d := []float64{4, 2, 5, -1, 3, 6, 2, 4, 1, 3, 5, 0} // of twelve tasks
	c := a.Difference(d, nil)
	fmt.Printf("%.1f [%.1f, %.1f] by %s, p %.4f by %s\n", c.Estimate, c.Lo, c.Hi, c.Method, c.P, c.Test)
	c = a.Difference(d[:4], nil)
	fmt.Printf("%.1f, %s\n", c.Estimate, c.Warnings[1])
	// Output:
	// 2.8 [1.6, 4.1] by bootstrap, p 0.0029 by sign-flip
	// 2.5, cannot tell: 4 of the 6 clusters that a test needs
}

func BenchmarkBootstrap(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	columns := make([][]float64, 6)
	for c := range columns {
		columns[c] = make([]float64, 500)
		for i := range columns[c] {
			columns[c][i] = rng.NormFloat64()
		}
	}
	b.Run("resamples=10000/clusters=500/strategies=6", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			boot := Bootstrap{Resamples: 10000, Confidence: .95}
			for _, s := range boot.Means(columns...) {
				boot.Interval(s)
			}
		}
	})
}

func BenchmarkTwoWay(b *testing.B) {
	for _, undefined := range []bool{false, true} {
		b.Run(fmt.Sprintf("columns=4000/units=200/resamples=1000/undefined=%v", undefined), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			w := TwoWay{Bootstrap: Bootstrap{Resamples: 1000}}
			for i := range 200 {
				w.Rows, w.Columns = append(w.Rows, i/12), append(w.Columns, rng.IntN(40))
			}
			x := make([][]float64, 4000)
			for q := range x {
				x[q] = make([]float64, 200)
				for i := range x[q] {
					x[q][i] = rng.NormFloat64()
				}
				if undefined { // every quantity elsewhere: none share weights
					x[q][rng.IntN(200)], x[q][rng.IntN(200)] = nan, nan
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				w.Means(x...)
			}
		})
	}
}

func BenchmarkSignFlip(b *testing.B) {
	for _, g := range []int{16, 300} {
		b.Run(fmt.Sprintf("clusters=%d", g), func(b *testing.B) {
			d := make([]float64, g)
			for i := range d {
				d[i] = float64(i%7) - 2.5
			}
			b.ReportAllocs()
			for b.Loop() {
				SignFlip{Draws: 9999, Seed: 1}.Test(d)
			}
		})
	}
}

func BenchmarkPower(b *testing.B) {
	p := Power{Alpha: .05, Power: .8}
	b.Run("mde", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.MDE(2, 16)
		}
	})
	b.Run("clusters", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.Clusters(.3, 2)
		}
	})
}
