package belief

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"pepbench/domains"
)

// randomGaussian is a model as if it had been fitted; probes are normal with
// standard deviation sparse, and with sparse 0 everything is held.
func randomGaussian(rng *rand.Rand, criteria []domains.Criterion, d int, sparse float64) *Factor {
	m := &Factor{gaussian: newGaussian(criteria, d)}
	for c := range criteria {
		m.mean[c], m.noise[c], m.bias[c] = 0.3+0.4*rng.Float64(), 0.01+0.04*rng.Float64(), 5
		if sparse > 0 {
			m.bias[c] = -1 + rng.NormFloat64()
		}
		m.cut[c] = midpoints(&criteria[c])
		for x := range d {
			m.load[c*d+x] = 0.2 * rng.NormFloat64()
			m.probe[c*d+x] = sparse * rng.NormFloat64()
		}
	}
	m.finish()
	return m
}

// drawRows draws complete rows from the model: an embedding, then every cell given it.
func drawRows(rng *rand.Rand, m *Factor, rows int) Population {
	p := Population{Criteria: m.criteria}
	all := index(len(m.criteria))
	z := make([]float64, m.d)
	for range rows {
		for x := range z {
			z[x] = rng.NormFloat64()
		}
		cells := make([]domains.Cell, len(all))
		for c := range cells {
			cells[c] = cellOf(rng, m, c, z)
		}
		p.Rows = append(p.Rows, Row{Index: all, Cells: cells})
	}
	return p
}

// cellOf draws the cell of criterion c of a user with embedding z.
func cellOf(rng *rand.Rand, m *Factor, c int, z []float64) domains.Cell {
	if m.bias[c]+dot(m.probe[c*m.d:][:m.d], z)+rng.NormFloat64() <= 0 {
		return domains.NotHeld()
	}
	x := m.mean[c] + dot(m.load[c*m.d:][:m.d], z) + math.Sqrt(m.noise[c])*rng.NormFloat64()
	if m.criteria[c].Scale == domains.Continuous {
		return domains.At(m.clip(c, x))
	}
	l := 0
	for l < len(m.cut[c]) && x > m.cut[c][l] {
		l++
	}
	return domains.At(m.criteria[c].Levels[l].Value)
}

// ranges gives n continuous criteria of different ranges.
func ranges(n int) []domains.Criterion {
	out := make([]domains.Criterion, n)
	for i := range out {
		out[i] = domains.Criterion{ID: fmt.Sprintf("r%02d", i), Name: fmt.Sprintf("range %d", i), Scale: domains.Continuous, Min: float64(-i), Max: float64(10 + i)}
	}
	return out
}

// conditional gives mean and variance of value j by conditioning the joint normal
// of all values, covariance LL' + noise, on the told ones with a dense solver.
func conditional(g *gaussian, told map[int]float64, j int) (mean, variance float64) {
	cov := func(a, b int) float64 {
		v := dot(g.load[a*g.d:][:g.d], g.load[b*g.d:][:g.d])
		if a == b {
			v += g.noise[a]
		}
		return v
	}
	var at []int
	for i := range g.criteria {
		if _, ok := told[i]; ok {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return g.mean[j], cov(j, j)
	}
	k, c, e := mat.NewDense(len(at), len(at), nil), mat.NewVecDense(len(at), nil), mat.NewVecDense(len(at), nil)
	for x, a := range at {
		for y, b := range at {
			k.Set(x, y, cov(a, b))
		}
		c.SetVec(x, cov(a, j))
		e.SetVec(x, told[a]-g.mean[a])
	}
	var s mat.VecDense
	if err := s.SolveVec(k, c); err != nil {
		panic(err)
	}
	return g.mean[j] + mat.Dot(&s, e), cov(j, j) - mat.Dot(&s, c)
}

// TestDenseConditioningIsExact compares rank-one updates with conditioning the
// joint normal of all values by a matrix solver.
func TestDenseConditioningIsExact(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 41))
		n := 2 + rng.IntN(6)
		g := randomGaussian(rng, ranges(n), 1+rng.IntN(4), 0)
		b := g.Start(index(n)).(*dense)
		told := map[int]float64{}
		for _, i := range rng.Perm(n)[:rng.IntN(n)] {
			told[i] = rng.Float64()
			b.Observe(i, domains.At(g.low[i]+g.width[i]*told[i]))
		}
		for j := range n {
			if _, ok := told[j]; ok {
				continue
			}
			p := b.predict(j)
			mean, variance := conditional(&g.gaussian, told, j)
			if math.Abs(p.mean-mean) > 1e-10 || math.Abs(p.variance-variance) > 1e-10 {
				t.Errorf("seed %d: value %d given %v is N(%v, %v), the joint normal says N(%v, %v)", seed, j, told, p.mean, p.variance, mean, variance)
			}
		}
	}
}

// TestObservingValuesIsOrderIndependent holds where no held answer is told to be a
// probit of z: conditioning is exact.
func TestObservingValuesIsOrderIndependent(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 42))
		g := randomGaussian(rng, append(scales(5, 5), ranges(4)...), 3, 0)
		a, b := g.Start(index(9)).(*dense), g.Start(index(9)).(*dense)
		perm, cells := rng.Perm(9)[:6], make([]domains.Cell, 9)
		for _, i := range perm {
			cells[i] = a.Draw(rng, i)
			a.Observe(i, cells[i])
		}
		for j := len(perm) - 1; j >= 0; j-- {
			b.Observe(perm[j], cells[perm[j]])
		}
		for i := range a.s {
			if math.Abs(a.s[i]-b.s[i]) > 1e-12 {
				t.Errorf("seed %d: covariance %v forwards, %v backwards", seed, a.s, b.s)
			}
		}
		for i := range a.m {
			if math.Abs(a.m[i]-b.m[i]) > 1e-12 {
				t.Errorf("seed %d: mean %v forwards, %v backwards", seed, a.m, b.m)
			}
		}
	}
}

// TestProbitMomentsMatchQuadrature compares moment matching with the moments
// of the exact posterior, normal prior times probit, on a fine grid: z changes only
// along S w, by the projection w.z.
func TestProbitMomentsMatchQuadrature(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 43))
		g := randomGaussian(rng, ranges(4), 2, 1)
		b := g.Start(index(4)).(*normal)
		b.Observe(3, b.Draw(rng, 3)) // a prior that is not N(0, I)
		before := b.Clone().(*normal)
		w, l := b.probe(0), b.load(0)
		wsw, alpha := before.times(b.u, w), g.bias[0]+dot(w, before.m)
		sw := append([]float64(nil), b.u...)
		for _, held := range []bool{true, false} {
			var z0, z1, z2 float64 // moments of a = bias + w.z in the exact posterior
			sd := math.Sqrt(wsw)
			for k := range 20001 {
				x := -10 + float64(k)*1e-3
				a := alpha + sd*x
				p := normalCDF(a)
				if !held {
					p = normalCDF(-a)
				}
				p *= 1e-3 * math.Exp(-0.5*x*x-logSqrt2Pi)
				z0, z1, z2 = z0+p, z1+p*a, z2+p*a*a
			}
			mean, variance := z1/z0, z2/z0-z1*z1/z0/z0
			b.Set(before)
			if p := b.predict(0); held {
				// What is predicted of the value is under z once held.
				along := dot(l, sw)
				m := g.mean[0] + dot(l, before.m) + along*(mean-alpha)/wsw
				v := g.noise[0] + before.times(b.u, l) + along*along*(variance-wsw)/wsw/wsw
				if math.Abs(p.held-z0) > 1e-9 || math.Abs(p.mean-m) > 1e-8 || math.Abs(p.variance-v) > 1e-8 {
					t.Errorf("seed %d: predicted %+v, quadrature says %v, N(%v, %v)", seed, p, z0, m, v)
				}
			}
			b.told[0] = domains.Missing()
			y := 1.0
			if !held {
				y = -1
			}
			p, shift, drop := b.held(0, y)
			if math.Abs(p-z0) > 1e-9 {
				t.Errorf("seed %d: P(held is %v) = %v, quadrature says %v", seed, held, p, z0)
			}
			if got := alpha + shift*wsw; math.Abs(got-mean) > 1e-8 {
				t.Errorf("seed %d: E[bias + w.z | held is %v] = %v, quadrature says %v", seed, held, got, mean)
			}
			if got := wsw - drop*wsw*wsw; math.Abs(got-variance) > 1e-8 {
				t.Errorf("seed %d: Var[w.z | held is %v] = %v, quadrature says %v", seed, held, got, variance)
			}
			if !held {
				b.Observe(0, domains.NotHeld())
				for x := range sw {
					if want := before.m[x] + shift*sw[x]; math.Abs(b.m[x]-want) > 1e-12 {
						t.Errorf("seed %d: observing moved z to %v, want %v in place %d", seed, b.m, want, x)
					}
				}
			}
		}
	}
}

// everyModel gives a small random model of each Gaussian kind, with levels and
// ranges, criteria held by a probit and by everybody.
func everyModel(rng *rand.Rand) map[string]Model {
	crit := append(scales(3, 2+rng.IntN(4)), ranges(2)...)
	d := rng.IntN(4)
	sparse, full := randomGaussian(rng, crit, d, 1), randomGaussian(rng, crit, d, 0)
	mix := &MixtureOfFactors{criteria: crit, pi: []float64{0.3, 0.7}, class: []*gaussian{&randomGaussian(rng, crit, d, 1).gaussian, &randomGaussian(rng, crit, d, 1).gaussian}}
	return map[string]Model{"factor": sparse, "dense factor": full, "blr": &BLR{gaussian: full.gaussian}, "mixture-of-factors": mix}
}

// TestGaussianProbabilities: whatever is told, states are probabilities, what is
// told is certain, and States, Marginal, Marginals and Infer agree.
func TestGaussianProbabilities(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := randomly(rapid.Uint64().Draw(t, "model"))
		models := everyModel(rng)
		for _, name := range []string{"factor", "dense factor", "blr", "mixture-of-factors"} {
			b := models[name].Start([]int{0, 1, 2, 3, 4}).(LatentInformer)
			told := map[int]domains.Cell{}
			for range rapid.IntRange(0, 8).Draw(t, "answers") {
				i := rapid.IntRange(0, 4).Draw(t, "position")
				told[i] = b.Answer(i, rapid.IntRange(0, b.NumStates(i)-1).Draw(t, "state"))
				b.Observe(i, told[i])
			}
			inf := b.Infer()
			held, value := make([]float64, 5), make([]float64, 5)
			b.Marginals(held, value)
			for i := range 5 {
				p, sum, mean := b.States(nil, i), 0.0, 0.0
				for s, v := range p {
					if !(v >= 0 && v <= 1+1e-12) {
						t.Fatalf("%s: P = %v", name, v)
					}
					sum += v
					if s > 0 && v > 0 {
						mean += v * b.Answer(i, s).Value()
					}
				}
				if math.Abs(sum-1) > 1e-9 {
					t.Fatalf("%s: states of %d sum to %v", name, i, sum)
				}
				m := b.Marginal(i)
				if math.Abs(m.Held-(1-p[0])) > 1e-9 || held[i] != inf.Held[i] || value[i] != inf.Value[i] || math.Abs(held[i]-m.Held) > 1e-9 {
					t.Fatalf("%s: P(held) of %d is %v, %v, %v and by states %v", name, i, m.Held, held[i], inf.Held[i], 1-p[0])
				}
				if h := 1 - p[0]; h > 1e-6 && math.Abs(mean/h-value[i]) > 1e-6 {
					t.Fatalf("%s: E[value | held] of %d is %v and by states %v", name, i, value[i], mean/h)
				}
				if m.Variance < 0 || m.Loss < 0 || math.IsNaN(m.Entropy) || b.LatentInformation(i) < -1e-3 {
					t.Fatalf("%s: %+v, information %v", name, m, b.LatentInformation(i))
				}
				c, ok := told[i]
				if !ok {
					continue
				}
				if c.IsHeld() != (held[i] == 1) || c.IsNotHeld() != (held[i] == 0) || c.IsHeld() && value[i] != c.Value() || m.Entropy != 0 || m.Variance != 0 || b.LatentInformation(i) != 0 || !b.Draw(rng, i).Equal(c) {
					t.Fatalf("%s: told %v of %d, inferred %v at %v, %+v", name, c, i, held[i], value[i], m)
				}
			}
		}
	})
}

// TestGaussianSetAndClone: copies answer alike and leave the original alone, and keep
// what they know in closed form.
func TestGaussianSetAndClone(t *testing.T) {
	models := everyModel(rand.New(rand.NewPCG(4, 44)))
	buf, held, value := make([]float64, 0, 16), make([]float64, 5), make([]float64, 5)
	candidate, asked := []bool{true, true, true, true, true}, make([]bool, 5)
	for _, name := range []string{"factor", "dense factor", "blr", "mixture-of-factors"} {
		a := models[name].Start(index(5)).(Joint)
		a.Observe(1, domains.At(2))
		before := a.Infer()
		trial := models[name].Start(index(5)).(Joint)
		trial.Observe(3, domains.NotHeld())
		trial.Set(a)
		c := a.Clone().(Joint)
		for _, b := range []Joint{trial, c} {
			if diff := cmp.Diff(before, b.Infer()); diff != "" {
				t.Errorf("%s: a copy differs: %s", name, diff)
			}
			_, want := a.(VarianceDropper)
			if _, got := b.(VarianceDropper); got != want {
				t.Errorf("%s: copy knows variance drops: %v, original: %v", name, got, want)
			}
			b.Observe(0, domains.At(1))
		}
		if diff := cmp.Diff(before, a.Infer()); diff != "" {
			t.Errorf("%s: answers to copies moved the original: %s", name, diff)
		}
		look := func() {
			for i := range 5 {
				buf = a.States(buf, i)
				a.Marginal(i)
				a.(LatentInformer).LatentInformation(i)
			}
			a.Marginals(held, value)
			if d, ok := a.(*dense); ok {
				d.VarianceDrop(held, candidate)
				d.ProfileInformation(held, candidate, asked)
			}
		}
		if n := testing.AllocsPerRun(10, look); n > 0 {
			t.Errorf("%s: looking allocates %v times", name, n)
		}
		fresh := models[name].Start(index(5))
		if n := testing.AllocsPerRun(10, func() { trial.Set(fresh); trial.Observe(0, domains.At(1)) }); n > 0 {
			t.Errorf("%s: setting back and observing allocates %v times", name, n)
		}
	}
}

// TestGaussianAnswersSettle: answers that a criterion cannot take count as the nearest
// it can.
func TestGaussianAnswersSettle(t *testing.T) {
	for _, row := range []struct {
		reason   string
		position int
		said     float64
		want     float64
	}{
		{"a value between levels is the nearest level", 0, 2.2, 2},
		{"a value above all levels is the highest", 0, 1e300, 3},
		{"a number of a range stands as it is", 3, 0.25, 0.25},
		{"a number outside the range is its end", 3, -1e300, 0},
	} {
		rng := rand.New(rand.NewPCG(5, 45))
		g := randomGaussian(rng, append(scales(3, 3), ranges(2)...), 2, 1)
		for _, m := range []Model{g, &MixtureOfFactors{criteria: g.criteria, pi: []float64{1}, class: []*gaussian{&g.gaussian}}} {
			b := m.Start(index(5)).(Joint)
			b.Observe(row.position, domains.At(row.said))
			same := m.Start(index(5)).(Joint)
			same.Observe(row.position, domains.At(row.want))
			if inf := b.Infer(); inf.Value[row.position] != row.want || inf.Held[row.position] != 1 {
				t.Errorf("%s: said %v, inferred %v", row.reason, row.said, inf.Value[row.position])
			}
			if diff := cmp.Diff(same.Infer(), b.Infer()); diff != "" {
				t.Errorf("%s: not the same as saying %v: %s", row.reason, row.want, diff)
			}
			b.Observe(row.position, domains.NotHeld()) // contradicts itself
			if inf := b.Infer(); inf.Held[row.position] != 0 || math.IsNaN(inf.Value[1]) {
				t.Errorf("%s: then said not held, inferred P(held) %v, another value %v", row.reason, inf.Held[row.position], inf.Value[1])
			}
			for range 1000 { // says the same over and over: what is believed stays a distribution
				b.Observe(row.position, domains.At(row.said))
			}
			for _, v := range b.Infer().Value {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("%s: after a thousand answers a value is %v", row.reason, v)
				}
			}
		}
	}
}

// greedy asks by the largest score, the lowest position within 1e-12 of it, and gives
// the order.
func greedy(b *dense, answers []domains.Cell, questions int, rate func(score []float64, candidate []bool)) []int {
	n := b.Len()
	score, candidate := make([]float64, n), make([]bool, n)
	for i := range candidate {
		candidate[i] = true
	}
	var order []int
	for range questions {
		rate(score, candidate)
		top := math.Inf(-1)
		for i, ok := range candidate {
			if ok {
				top = max(top, score[i])
			}
		}
		for i, ok := range candidate {
			if ok && score[i] >= top-1e-12 {
				order = append(order, i)
				candidate[i] = false
				b.Observe(i, answers[i])
				break
			}
		}
	}
	return order
}

// TestDenseOrderDoesNotDependOnAnswers: where everything is held, latent information
// and variance drop ask everybody the same questions in the same order.
func TestDenseOrderDoesNotDependOnAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := randomly(rapid.Uint64().Draw(t, "model"))
		n := rapid.IntRange(2, 8).Draw(t, "criteria")
		g := randomGaussian(rng, append(scales(n, 5), ranges(2)...), rapid.IntRange(1, 4).Draw(t, "dimension"), 0)
		n += 2
		var orders [2][]int
		for user := range 4 {
			answers := make([]domains.Cell, n)
			for i := range answers {
				lo, width := g.low[i], g.width[i]
				answers[i] = domains.At(lo + width*rng.Float64())
			}
			for kind := range orders {
				b := g.Start(index(n)).(*dense)
				order := greedy(b, answers, n, func(score []float64, candidate []bool) {
					if kind == 0 {
						b.VarianceDrop(score, candidate)
						return
					}
					for i, ok := range candidate {
						if ok {
							score[i] = b.LatentInformation(i)
						}
					}
				})
				if user == 0 {
					orders[kind] = order
				} else if !slices.Equal(order, orders[kind]) {
					t.Fatalf("kind %d: %v for one user, %v for another", kind, orders[kind], order)
				}
			}
		}
	})
}

// TestVarianceDropIsEnumeration: the closed form equals the expected drop of the
// summed variance over the answers that States tells apart.
func TestVarianceDropIsEnumeration(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 46))
		n := 6
		g := randomGaussian(rng, append(scales(3, 4), ranges(3)...), 1+rng.IntN(4), 0)
		for c := range n { // not everybody holds everything, independently of z
			g.bias[c] = rng.NormFloat64()
		}
		g.finish()
		b := g.Start(index(n)).(*dense)
		b.Observe(1, domains.At(2))
		b.Observe(4, domains.NotHeld())
		total := func(b Joint) float64 {
			sum := 0.0
			for i := range n {
				m := b.Marginal(i)
				sum += m.Held * m.Variance
			}
			return sum
		}
		got, candidate := make([]float64, n), []bool{true, true, true, true, false, true}
		got[4] = 17
		b.VarianceDrop(got, candidate)
		before := total(b)
		for i := range n {
			if !candidate[i] {
				if got[i] != 17 {
					t.Errorf("seed %d: wrote to position %d, which is no candidate", seed, i)
				}
				continue
			}
			want := before
			for s, p := range b.States(nil, i) {
				if p == 0 {
					continue
				}
				trial := b.Clone().(Joint)
				trial.Observe(i, b.Answer(i, s))
				want -= p * total(trial)
			}
			if i == 1 {
				want = 0 // told already
			}
			if math.Abs(got[i]-want) > 1e-10 {
				t.Errorf("seed %d: variance drop of %d is %v, enumeration says %v", seed, i, got[i], want)
			}
		}
	}
}

// TestProfileInformationIsMutualInformation compares the closed form with
// differences of log determinants of the joint covariance.
func TestProfileInformationIsMutualInformation(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 47))
		n := 5
		g := randomGaussian(rng, ranges(n), 1+rng.IntN(4), 0)
		for c := range n {
			g.bias[c] = rng.NormFloat64()
		}
		g.finish()
		b := g.Start(index(n)).(*dense)
		b.Observe(2, domains.At(1))
		asked := []bool{false, false, true, false, false}
		candidate := []bool{true, false, false, true, true}
		got := []float64{9, 9, 9, 9, 9}
		b.ProfileInformation(got, candidate, asked)
		told := map[int]float64{2: (1 - g.low[2]) / g.width[2]}
		for i := range n {
			if !candidate[i] {
				if got[i] != 9 {
					t.Errorf("seed %d: wrote to position %d, which is no candidate", seed, i)
				}
				continue
			}
			want := 0.0
			for j := range n {
				if j == i || asked[j] {
					continue
				}
				_, vj := conditional(&g.gaussian, told, j)
				_, given := conditional(&g.gaussian, map[int]float64{2: told[2], i: 0.5}, j)
				want += g.rate[i] * g.rate[j] * 0.5 * math.Log(vj/given)
			}
			if math.Abs(got[i]-want) > 1e-10 {
				t.Errorf("seed %d: profile information of %d is %v, the joint normal says %v", seed, i, got[i], want)
			}
		}
	}
}

// TestLatentInformationIsMutualInformation compares it with an integral over a grid of
// a one-dimensional z, of a value that is continuous, which knows nothing of moment
// matching; the two differ by what matching moments leaves out.
func TestLatentInformationIsMutualInformation(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 48))
		g := randomGaussian(rng, ranges(1), 1, 0.7)
		b := g.Start(index(1)).(LatentInformer)
		h := 0.0 // E H(held | z)
		held := 0.0
		const step = 1e-3
		for k := range 16001 {
			z := -8 + step*float64(k)
			w := step * math.Exp(-0.5*z*z-logSqrt2Pi)
			p := normalCDF(g.bias[0] + g.probe[0]*z)
			held += w * p
			h += w * binaryEntropy(p)
		}
		// H(x | held) by the density of x, mixed over z given held.
		hx := 0.0
		sd := math.Sqrt(g.noise[0])
		for k := range 801 {
			x := -3 + 0.00875*float64(k)
			f := 0.0
			for j := range 401 {
				z := -8 + 0.04*float64(j)
				e := (x - g.mean[0] - g.load[0]*z) / sd
				f += 0.04 * math.Exp(-0.5*z*z-logSqrt2Pi-0.5*e*e-logSqrt2Pi) / sd * normalCDF(g.bias[0]+g.probe[0]*z) / held
			}
			if f > 0 {
				hx -= 0.00875 * f * math.Log(f)
			}
		}
		want := binaryEntropy(held) - h + held*(hx-0.5*math.Log(g.noise[0])-logSqrt2Pi-0.5)
		if got := b.LatentInformation(0); math.Abs(got-want) > 5e-3 {
			t.Errorf("seed %d: information %v, integration says %v", seed, got, want)
		}
	}
}
