package belief

import (
	"math"
	"testing"
)

func TestNormalTails(t *testing.T) {
	for _, row := range []struct {
		reason string
		t      float64
		log    float64 // ln Phi(t), from tables of high precision
	}{
		{"the median", 0, math.Log(0.5)},
		{"the upper tail keeps its digits", 5, -2.866516129637640e-7},
		{"a lower tail that erfc reaches", -10, -53.23128515051247},
		{"just where the series takes over", -30.5, -469.462737322912},
		{"where erfc has underflowed", -40, -804.608442013754},
	} {
		got := logNormalCDF(row.t)
		if math.Abs(got-row.log) > 1e-9*math.Abs(row.log) {
			t.Errorf("%s: ln Phi(%v) = %.15g, want %.15g", row.reason, row.t, got, row.log)
		}
		const h = 1e-5
		slope := (logNormalCDF(row.t+h) - logNormalCDF(row.t-h)) / (2 * h)
		if _, ratio := normalTail(row.t); math.Abs(ratio-slope) > 1e-6*max(1, math.Abs(slope)) {
			t.Errorf("%s: phi/Phi(%v) = %v, the slope of ln Phi is %v", row.reason, row.t, ratio, slope)
		}
	}
	for _, p := range []float64{1e-12, 0.01, 0.5, 0.9, 1 - 1e-9} {
		if got := normalCDF(normalQuantile(p)); math.Abs(got-p) > 1e-12 {
			t.Errorf("Phi of the quantile of %v is %v", p, got)
		}
	}
}

func TestLogNormalBetween(t *testing.T) {
	for _, row := range []struct {
		reason string
		lo, hi float64
		log    float64
	}{
		{"everything", math.Inf(-1), math.Inf(1), 0},
		{"a tail", 1, math.Inf(1), math.Log(0.15865525393145707)},
		{"far above, where both ends are 1 in float64", 9, 10, logNormalCDF(-9) + math.Log1p(-math.Exp(logNormalCDF(-10)-logNormalCDF(-9)))},
		{"so far below that both ends are 0", -50, -49, logNormalCDF(-49)},
	} {
		if got := logNormalBetween(row.lo, row.hi); math.Abs(got-row.log) > 1e-9*max(1, math.Abs(row.log)) {
			t.Errorf("%s: ln P(%v..%v) = %v, want %v", row.reason, row.lo, row.hi, got, row.log)
		}
	}
	if got := logNormalBetween(60, 60); math.IsInf(got, 0) || math.IsNaN(got) {
		t.Errorf("ln P of an empty interval is %v, not finite", got)
	}
}

// TestNormalRule: n nodes integrate polynomials up to degree 2n-1.
func TestNormalRule(t *testing.T) {
	for _, n := range []int{valueNodes, projectionNodes} {
		r := normalRule(n)
		want := 1.0 // E x^k = (k-1)!!
		for k := 0; k < 2*n && k < 20; k++ {
			got, scale := 0.0, 0.0
			for i, x := range r.node {
				got += r.weight[i] * math.Pow(x, float64(k))
				scale += r.weight[i] * math.Pow(math.Abs(x), float64(k))
			}
			switch {
			case k%2 == 1:
				if math.Abs(got) > 1e-10*scale {
					t.Errorf("%d nodes: E x^%d = %v", n, k, got)
				}
				continue
			case k > 0:
				want *= float64(k - 1)
			}
			if math.Abs(got-want) > 1e-10*want {
				t.Errorf("%d nodes: E x^%d = %v, want %v", n, k, got, want)
			}
		}
	}
}

func TestProbitEntropy(t *testing.T) {
	h := newProbitEntropy()
	for _, x := range []float64{-9, -7.999, -2.0031, -0.004, 0, 0.5, 1.2345, 7.99999, 8, 100, math.Inf(1)} {
		if got, want := h.at(x), binaryEntropy(normalCDF(x)); math.Abs(got-want) > 1e-5 {
			t.Errorf("entropy of an event with probability Phi(%v) is %v, want %v", x, got, want)
		}
	}
}

// TestProjectionRule: the nodes for expectations of the entropy of a probit are as
// many as their comment promises.
func TestProjectionRule(t *testing.T) {
	r, h := normalRule(projectionNodes), newProbitEntropy()
	for _, sd := range []float64{0.3, 1, 2} {
		for mean := -4.0; mean <= 4; mean += 0.25 {
			want, got := 0.0, 0.0
			for k := range 2001 {
				x := -10 + 0.01*float64(k)
				want += 0.01 * math.Exp(-0.5*x*x-logSqrt2Pi) * binaryEntropy(normalCDF(mean+sd*x))
			}
			for k, x := range r.node {
				got += r.weight[k] * h.at(mean+sd*x)
			}
			if math.Abs(got-want) > 1e-4 {
				t.Errorf("E H(Phi(%v + %v x)) = %v, want %v", mean, sd, got, want)
			}
		}
	}
}
