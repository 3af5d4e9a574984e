package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Power plans t tests of a mean difference of clusters: of no difference, or, one-sided,
// of a difference of at most -margin (non-inferiority). It is exact for normal
// differences of clusters (the noncentral t; Chow, Shao and Wang, Sample Size
// Calculations in Clinical Research, 2008, section 3.1) and near for sign-flip tests.
type Power struct {
	Alpha    float64 // level of the test, e.g. 0.05
	Power    float64 // chance to find the difference, e.g. 0.8
	OneSided bool
}

// At gives the chance that n clusters, whose differences have standard deviation sd, find
// a true mean difference of effect: with T the noncentral t of n-1 degrees of freedom and
// noncentrality effect sqrt(n)/sd, and t the quantile of the central one,
//
//	P(T > t_{1-Alpha/2}) + P(T < -t_{1-Alpha/2}),   one-sided: P(T > t_{1-Alpha})
//
// NaN under two clusters, and where sd is not above 0: then nothing is known of the
// spread. For non-inferiority effect is the true difference plus the margin. It panics
// unless Alpha and Power are in (0,1).
func (p Power) At(effect, sd float64, n int) float64 {
	if !(p.Alpha > 0 && p.Alpha < 1 && p.Power > 0 && p.Power < 1) {
		panic("stats: level and power must be in (0,1)")
	}
	if n < 2 || !(sd > 0) || math.IsNaN(effect) {
		return math.NaN()
	}
	return p.beyond(p.critical(n), effect*math.Sqrt(float64(n))/sd, n)
}

// critical is what t of n clusters must exceed.
func (p Power) critical(n int) float64 {
	tail := p.Alpha
	if !p.OneSided {
		tail /= 2
	}
	return distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.Quantile(1 - tail)
}

// beyond is the chance that t of n clusters with noncentrality delta exceeds the critical one.
func (p Power) beyond(critical, delta float64, n int) float64 {
	at := noncentralT(-critical, float64(n-1), -delta)
	if !p.OneSided {
		at += noncentralT(-critical, float64(n-1), delta)
	}
	return at
}

// MDE gives the minimum detectable effect: the smallest true mean difference that n
// clusters find with the chance Power. One-sided it is the smallest margin within which
// one that is no worse is found to be. NaN where At is.
func (p Power) MDE(sd float64, n int) float64 {
	if math.IsNaN(p.At(0, sd, n)) {
		return math.NaN()
	}
	critical := p.critical(n)
	lo, hi := 0.0, 1.0 // noncentrality
	for p.beyond(critical, hi, n) < p.Power {
		lo, hi = hi, 2*hi
	}
	for range 40 {
		mid := (lo + hi) / 2
		if p.beyond(critical, mid, n) < p.Power {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi * sd / math.Sqrt(float64(n))
}

// mostClusters is more than anybody will collect.
const mostClusters = 1e9

// Clusters gives the fewest clusters, at least two, that find a true mean difference of
// effect (one-sided: of that less the margin, effect being their sum) with the chance
// Power. It is false where At is NaN, where effect is 0 (one-sided: not above 0), and
// where it would take more than 1e9.
func (p Power) Clusters(effect, sd float64) (int, bool) {
	if !p.OneSided {
		effect = math.Abs(effect)
	}
	if !(sd > 0) || !(effect > 0) {
		return 0, false
	}
	// The normal approximation is a few too low, so that the walk up is short.
	a := p.Alpha
	if !p.OneSided {
		a /= 2
	}
	z := distuv.UnitNormal.Quantile(1-a) + distuv.UnitNormal.Quantile(p.Power)
	start := z * z * sd * sd / (effect * effect)
	if !(start < mostClusters) {
		return 0, false
	}
	n := max(2, int(start))
	for n > 2 && p.At(effect, sd, n-1) >= p.Power {
		n--
	}
	for p.At(effect, sd, n) < p.Power {
		n++
	}
	return n, true
}

// noncentralT is P(T <= t) of the noncentral t with nu degrees of freedom and
// noncentrality delta: for t >= 0, with x = t^2/(nu+t^2) and I the regularised incomplete
// beta function,
//
//	Phi(-delta) + 1/2 sum_j (p_j I_x(j+1/2, nu/2) + q_j I_x(j+1, nu/2))
//	p_j = e^{-delta^2/2} (delta^2/2)^j / j!,   q_j = delta/sqrt 2 e^{-delta^2/2} (delta^2/2)^j / Gamma(j+3/2)
//
// and for t < 0 by reflection (Lenth, Algorithm AS 243, Applied Statistics 38(1), 1989).
// Where e^{-delta^2/2} vanishes it is the normal approximation of Abramowitz and Stegun,
// Handbook of Mathematical Functions, 1964, 26.7.10.
func noncentralT(t, nu, delta float64) float64 {
	if t < 0 {
		return 1 - noncentralT(-t, nu, -delta)
	}
	half := delta * delta / 2
	if half > 700 || nu > 4e5 {
		s := 1 / (4 * nu)
		return distuv.UnitNormal.CDF((t*(1-s) - delta) / math.Sqrt(1+t*t*2*s))
	}
	x := t * t / (nu + t*t)
	p := math.Exp(-half)
	q := delta * math.Sqrt(2/math.Pi) * p // Gamma(3/2) = sqrt(pi)/2
	a, b := betas(.5, nu/2, x), betas(1, nu/2, x)
	sum, left := 0.0, 1-p // left: of the weights p_j
	for j := 0.0; ; j++ {
		i, k := a(), b()
		sum += p*i + q*k
		// The incomplete betas fall with j, so that what is left out is below left.
		if j > half && (left*i < 1e-14 || p < 1e-17) {
			break
		}
		p *= half / (j + 1)
		q *= half / (j + 1.5)
		left -= p
	}
	return min(1, max(0, distuv.UnitNormal.CDF(-delta)+sum/2))
}

// betas gives I_x(a, b), I_x(a+1, b), .. one a call:
//
//	I_x(a+1, b) = I_x(a, b) - x^a (1-x)^b Gamma(a+b) / (Gamma(a+1) Gamma(b))
func betas(a, b, x float64) func() float64 {
	i := mathext.RegIncBeta(a, b, x)
	lab, _ := math.Lgamma(a + b)
	la, _ := math.Lgamma(a + 1)
	lb, _ := math.Lgamma(b)
	step := math.Exp(a*math.Log(x) + b*math.Log1p(-x) + lab - la - lb)
	return func() float64 {
		now := i
		i = max(0, i-step)
		step *= x * (a + b) / (a + 1)
		a++
		return now
	}
}
