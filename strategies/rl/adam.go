package rl

import "math"

// adam is the optimizer of Kingma & Ba (2015, arXiv 1412.6980, algorithm 1) with their
// constants:
//
//	m = .9 m + .1 g,  v = .999 v + .001 g^2
//	theta -= rate m/(1-.9^t) / (sqrt(v/(1-.999^t)) + 1e-8)
type adam struct {
	m, v []float64
	t    int
}

func newAdam(n int) adam { return adam{m: make([]float64, n), v: make([]float64, n)} }

// step goes against a gradient, which is first scaled down to length most if it is
// longer (most > 0). It gives the length before that.
func (a *adam) step(theta, grad []float64, rate, most float64) float64 {
	const b1, b2, eps = .9, .999, 1e-8
	norm := 0.0
	for _, g := range grad {
		norm += g * g
	}
	norm = math.Sqrt(norm)
	scale := 1.0
	if most > 0 && norm > most {
		scale = most / norm
	}
	a.t++
	c1, c2 := 1-math.Pow(b1, float64(a.t)), 1-math.Pow(b2, float64(a.t))
	for i, g := range grad {
		g *= scale
		a.m[i] = b1*a.m[i] + (1-b1)*g
		a.v[i] = b2*a.v[i] + (1-b2)*g*g
		theta[i] -= rate * (a.m[i] / c1) / (math.Sqrt(a.v[i]/c2) + eps)
	}
	return norm
}
