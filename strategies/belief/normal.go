package belief

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
)

// Functions of the standard normal distribution that stay accurate in the tails.

const (
	logSqrt2Pi = 0.91893853320467274178 // ln sqrt(2 pi)
	farTail    = -30                    // below this, series in 1/t^2 replace erfc
)

// normalCDF is Phi(t).
func normalCDF(t float64) float64 { return 0.5 * math.Erfc(-t/math.Sqrt2) }

// normalQuantile is the t with Phi(t) = p, 0 < p < 1.
func normalQuantile(p float64) float64 { return -math.Sqrt2 * math.Erfcinv(2*p) }

// normalTail gives Phi(t) and the ratio phi(t)/Phi(t) of density to tail, which is
// the slope of ln Phi(t).
func normalTail(t float64) (p, ratio float64) {
	p = normalCDF(t)
	if t < farTail {
		u := 1 / (t * t)
		return p, -t / (1 - u*(1-3*u*(1-5*u)))
	}
	return p, math.Exp(-0.5*t*t-logSqrt2Pi) / p
}

// logNormalCDF is ln Phi(t).
func logNormalCDF(t float64) float64 {
	switch {
	case t < farTail:
		u := 1 / (t * t)
		return -0.5*t*t - logSqrt2Pi - math.Log(-t) + math.Log1p(-u*(1-3*u*(1-5*u)))
	case t > 0:
		return math.Log1p(-normalCDF(-t))
	}
	return math.Log(normalCDF(t))
}

// logNormalBetween is ln(Phi(hi) - Phi(lo)), lo <= hi, without cancellation in the
// upper tail and finite however far out or narrow the interval is.
func logNormalBetween(lo, hi float64) float64 {
	if lo > 0 {
		lo, hi = -hi, -lo
	}
	if hi > farTail {
		if p := normalCDF(hi) - normalCDF(lo); p > 0 {
			return math.Log(p)
		}
	}
	h, l := logNormalCDF(hi), logNormalCDF(lo)
	return h + math.Log1p(-min(math.Exp(l-h), 1-0x1p-52))
}

// A rule is a quadrature for the standard normal: E f(x) = sum w_i f(x_i).
type rule struct{ node, weight []float64 }

// normalRule gives the Gauss-Hermite rule of n nodes, exact for polynomials up to
// degree 2n-1.
func normalRule(n int) rule {
	r := rule{make([]float64, n), make([]float64, n)}
	quad.Hermite{}.FixedLocations(r.node, r.weight, math.Inf(-1), math.Inf(1))
	for i := range n { // from weight function exp(-x^2) to the normal density
		r.weight[i] /= math.SqrtPi
		r.node[i] *= math.Sqrt2
	}
	return r
}

// A probitEntropy is a table of the entropy of an event with probability Phi(t), in
// nats, at t = 0, 1/steps, .. (it is even), linear in between: off by less than
// 1e-5.
type probitEntropy []float64

const probitSteps, probitEnd = 128, 8 // beyond the end it is below 1e-13

func newProbitEntropy() probitEntropy {
	h := make(probitEntropy, probitSteps*probitEnd+2)
	for i := range h {
		h[i] = binaryEntropy(normalCDF(-float64(i) / probitSteps))
	}
	return h
}

func (h probitEntropy) at(t float64) float64 {
	x := math.Abs(t) * probitSteps
	if !(x < probitSteps*probitEnd) {
		return 0
	}
	i := int(x)
	return h[i] + (x-float64(i))*(h[i+1]-h[i])
}
