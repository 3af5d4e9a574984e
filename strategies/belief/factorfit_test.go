package belief

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distmv"

	"pepbench/domains"
)

// atModel gives a fit's worker in which class 0 is m, and the class.
func atModel(t *testing.T, m *Factor, p Population) (*worker, *emClass) {
	t.Helper()
	f, err := newFactorFit(p, DefaultFactor)
	if err != nil {
		t.Fatal(err)
	}
	run := f.begin(1, m.d, 1, nil, f.random(1, m.d, 1))
	e := &run.class[0]
	e.gaussian = &m.gaussian
	for c, v := range m.noise {
		e.half[c], e.weight[c] = -0.5*math.Log(v)-logSqrt2Pi, 1/v
	}
	return newWorker(f, run, layoutOf(m.d)), e
}

// TestEvidenceIsExactWhereNothingIsProbit: Laplace's approximation of a row of values
// is the density of the joint normal, after one Newton step.
func TestEvidenceIsExactWhereNothingIsProbit(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 71))
		n, d := 5, 1+rng.IntN(3)
		m := narrow(randomGaussian(rng, ranges(n), d, 0))
		p := drawRows(rng, m, 20)
		w, e := atModel(t, m, p)
		cov, mean := mat.NewSymDense(n, nil), make([]float64, n)
		for a := range n {
			mean[a] = m.mean[a]
			for b := range a + 1 {
				cov.SetSym(a, b, dot(m.load[a*d:][:d], m.load[b*d:][:d]))
			}
			cov.SetSym(a, a, cov.At(a, a)+m.noise[a])
		}
		joint, ok := distmv.NewNormal(mean, cov, nil)
		if !ok {
			t.Fatal("covariance is not positive definite")
		}
		for r, row := range p.Rows {
			x := make([]float64, n)
			for c := range x {
				x[c] = (row.Cells[c].Value() - m.low[c]) / m.width[c]
			}
			if got, want := w.infer(e, 0, row, e.mode[r*d:][:d], 1), joint.LogProb(x); math.Abs(got-want) > 1e-9 {
				t.Errorf("seed %d: evidence %v, the joint normal says %v", seed, got, want)
			}
		}
	}
}

// TestModeIsStationary: where the Newton steps end, the posterior of a sparse row is
// flat and its curvature is the inverse of what is left as covariance.
func TestModeIsStationary(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 72))
		m := randomGaussian(rng, scales(8, 5), 2, 1)
		p := drawRows(rng, m, 10)
		p.Rows[0].Cells[3] = domains.Missing()
		w, e := atModel(t, m, p)
		for r, row := range p.Rows {
			mode := e.mode[r*2:][:2]
			w.infer(e, 0, row, mode, 30)
			s := append([]float64(nil), w.s[0]...)
			post := func(z ...float64) float64 { // log posterior but for a constant
				sum := -0.5 * dot(z, z)
				for c, cell := range row.Cells {
					a := m.bias[c] + dot(m.probe[c*2:][:2], z)
					switch {
					case cell.IsNotHeld():
						sum += logNormalCDF(-a)
					case cell.IsHeld():
						err := (cell.Value()-m.low[c])/m.width[c] - m.mean[c] - dot(m.load[c*2:][:2], z)
						sum += logNormalCDF(a) - 0.5*err*err/m.noise[c]
					}
				}
				return sum
			}
			const h = 1e-3
			x, y := mode[0], mode[1]
			at := post(x, y)
			gx, gy := (post(x+h, y)-post(x-h, y))/(2*h), (post(x, y+h)-post(x, y-h))/(2*h)
			xx, yy := (2*at-post(x+h, y)-post(x-h, y))/(h*h), (2*at-post(x, y+h)-post(x, y-h))/(h*h)
			xy := -(post(x+h, y+h) - post(x+h, y-h) - post(x-h, y+h) + post(x-h, y-h)) / (4 * h * h)
			if math.Abs(gx) > 1e-3 || math.Abs(gy) > 1e-3 {
				t.Errorf("seed %d: slope (%v, %v) at the mode", seed, gx, gy)
			}
			if a, b, c := xx*s[0]+xy*s[2], xx*s[1]+xy*s[3], xy*s[1]+yy*s[3]; math.Abs(a-1) > 1e-3 || math.Abs(b) > 1e-3 || math.Abs(c-1) > 1e-3 {
				t.Errorf("seed %d: curvature times covariance is [%v %v; . %v], not I", seed, a, b, c)
			}
		}
	}
}

// TestStretchChangesNothing: the stretched embedding has second moments I, and with it
// every loading means what it meant and P(held) is what it was.
func TestStretchChangesNothing(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 73))
		const d, rows = 3, 40
		m := randomGaussian(rng, scales(5, 5), d, 1)
		e := &emClass{gaussian: &m.gaussian}
		moment, zz := make([]float64, layoutOf(d).packed), make([]float64, layoutOf(d).packed)
		var z [][]float64
		for range rows {
			v := []float64{2 * rng.NormFloat64(), 0, rng.NormFloat64()}
			v[1] = v[0] + 0.5*rng.NormFloat64()
			secondMoments(zz, v, make([]float64, d*d))
			add(moment, zz)
			z = append(z, v)
		}
		load, probe := append([]float64(nil), m.load...), append([]float64(nil), m.probe...)
		rate := append([]float64(nil), m.rate...)
		e.expand(moment, rows)
		m.finish()
		sum := make([]float64, d*d)
		for _, v := range z {
			turned := append([]float64(nil), v...)
			solveLower(e.stretch, turned)
			for x := range d {
				for y := range d {
					sum[x*d+y] += turned[x] * turned[y] / rows
				}
			}
			for c := range 5 {
				a, b := dot(load[c*d:][:d], v), dot(m.load[c*d:][:d], turned)
				g, h := dot(probe[c*d:][:d], v), dot(m.probe[c*d:][:d], turned)
				if math.Abs(a-b) > 1e-9 || math.Abs(g-h) > 1e-9 {
					t.Fatalf("seed %d: a value of %v became %v, a probit of %v became %v", seed, a, b, g, h)
				}
			}
		}
		for x := range d {
			for y := range d {
				want := 0.0
				if x == y {
					want = 1
				}
				if math.Abs(sum[x*d+y]-want) > 1e-9 {
					t.Errorf("seed %d: second moments %v", seed, sum)
				}
			}
		}
		for c := range rate {
			one, two := probe[c*d:][:d], m.probe[c*d:][:d]
			before := normalCDF(normalQuantile(rate[c]) / math.Sqrt(1+dot(one, one)))
			after := normalCDF(m.bias[c] / math.Sqrt(1+dot(two, two)))
			if math.Abs(before-after) > 1e-9 {
				t.Errorf("seed %d: P(held) was %v and is %v", seed, before, after)
			}
		}
	}
}
