package belief

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestDot: four sums or two products at once are the same product.
func TestDot(t *testing.T) {
	rng := randomly(1)
	for n := range 11 {
		a, b, c := make([]float64, n), make([]float64, n+1), make([]float64, n+2)
		for _, x := range [][]float64{a, b, c} {
			for i := range x {
				x[i] = rng.NormFloat64()
			}
		}
		ab, ac := 0.0, 0.0
		for i := range a {
			ab += a[i] * b[i]
			ac += a[i] * c[i]
		}
		two, three := dot2(a, b, c)
		for _, d := range []float64{dot(a, b) - ab, two - ab, three - ac} {
			if math.Abs(d) > 1e-12 {
				t.Errorf("%d entries: off by %v", n, d)
			}
		}
	}
}

// TestInverse compares the triangular kernels with a matrix solver.
func TestInverse(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 74))
	for d := 1; d <= 8; d++ {
		a := mat.NewSymDense(d, nil)
		for range d + 2 {
			v := mat.NewVecDense(d, nil)
			for x := range d {
				v.SetVec(x, rng.NormFloat64())
			}
			a.SymRankOne(a, 1, v)
		}
		flat := make([]float64, d*d)
		for x := range d {
			for y := range d {
				flat[x*d+y] = a.At(x, y)
			}
		}
		var chol mat.Cholesky
		if !chol.Factorize(a) {
			t.Fatal("not positive definite")
		}
		var want mat.SymDense
		if err := chol.InverseTo(&want); err != nil {
			t.Fatal(err)
		}
		l, got, b := make([]float64, d*d), make([]float64, d*d), make([]float64, d)
		if logDet := cholesky(l, flat, d); math.Abs(logDet-chol.LogDet()) > 1e-9 {
			t.Errorf("d=%d: log determinant %v, want %v", d, logDet, chol.LogDet())
		}
		for x := range b {
			b[x] = rng.NormFloat64()
		}
		same := slices.Clone(flat)
		cholesky(same, same, d)
		for x := range d {
			if !slices.Equal(same[x*d:][:x+1], l[x*d:][:x+1]) {
				t.Errorf("d=%d: row %d of the factor is %v in place, %v beside", d, x, same[x*d:][:x+1], l[x*d:][:x+1])
			}
		}
		var solved mat.VecDense
		if err := chol.SolveVecTo(&solved, mat.NewVecDense(d, append([]float64(nil), b...))); err != nil {
			t.Fatal(err)
		}
		solveLower(l, b)
		solveUpper(l, b)
		inverse(got, l, d)
		for x := range d {
			if math.Abs(b[x]-solved.AtVec(x)) > 1e-9*max(1, math.Abs(solved.AtVec(x))) {
				t.Errorf("d=%d: solved %v, want %v", d, b, solved.RawVector().Data)
			}
			for y := range d {
				if w := want.At(x, y); math.Abs(got[x*d+y]-w) > 1e-8*max(1, math.Abs(w)) {
					t.Errorf("d=%d: inverse (%d,%d) is %v, want %v", d, x, y, got[x*d+y], w)
				}
			}
		}
	}
}
