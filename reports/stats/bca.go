package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// BCa gives the bias-corrected and accelerated interval of bootstrap samples of a
// statistic whose value on the whole data is estimate: the samples at the shares
//
//	Phi(z0 + (z0 + z) / (1 - a (z0 + z))),   z = Phi^-1((1-Confidence)/2) and its negative
//	z0 = Phi^-1((#{samples < estimate} + #{samples = estimate}/2) / n)
//	a  = sum_g (m - j_g)^3 / (6 (sum_g (m - j_g)^2)^(3/2))
//
// where j_g is the statistic without cluster g (jackknife, see Jackknife; NaN is left
// out) and m the mean of these (Efron and Tibshirani, An Introduction to the Bootstrap,
// 1993, section 14.3). Equal samples count half, so that a discrete statistic is not
// taken for a biased one. With z0 = a = 0 it is Interval: the share p of n samples is
// the k-th smallest, k = floor((n+1) p), or from the other end, and at least the first.
//
// What cannot be corrected is said in warning, which is empty else. There is no
// interval (NaN) without samples, without an estimate and under two clusters; where
// all samples are equal to the estimate the interval is that point; and it is the
// percentile interval where all samples lie on one side of the estimate, where the
// jackknife has no spread, and where the acceleration is too large for these formulas.
func (b Bootstrap) BCa(estimate float64, samples, jackknife []float64) (iv Interval, warning string) {
	s, j := numbers(samples), numbers(jackknife)
	iv = Interval{Lo: math.NaN(), Hi: math.NaN(), Undefined: len(samples) - len(s)}
	switch {
	case len(j) < 2:
		return iv, "no interval: fewer than two clusters"
	case len(s) == 0 || math.IsNaN(estimate):
		return iv, "no interval: nothing is defined"
	}
	slices.Sort(s)
	below, equal := 0.0, 0.0
	for _, v := range s {
		switch {
		case v < estimate:
			below++
		case v == estimate:
			equal++
		}
	}
	n := float64(len(s))
	if equal == n {
		iv.Lo, iv.Hi = estimate, estimate
		return iv, "all resamples are equal: the interval is a point and says nothing"
	}
	plain := b.Interval(s)
	plain.Undefined = iv.Undefined
	share := (below + equal/2) / n
	if share == 0 || share == 1 {
		return plain, "percentile interval: all resamples lie on one side of the estimate, so that its bias is not known"
	}
	mean, _ := Mean(j)
	var square, cube float64
	for _, v := range j {
		d := mean - v
		square += d * d
		cube += d * d * d
	}
	if !(square > 0) {
		return plain, "percentile interval: no cluster changes the estimate, so that its acceleration is not known"
	}
	a := cube / (6 * math.Pow(square, 1.5))
	z0 := distuv.UnitNormal.Quantile(share)
	z := distuv.UnitNormal.Quantile((1 - b.Confidence) / 2)
	var at [2]float64
	for i, v := range []float64{z0 + z, z0 - z} {
		if !(1-a*v > 0) {
			return plain, "percentile interval: the acceleration is too large to correct for"
		}
		at[i] = distuv.UnitNormal.CDF(z0 + v/(1-a*v))
	}
	// As Interval counts: from below at the lower end, from above at the upper.
	rank := func(p float64) int {
		return min(max(int(math.Floor((n+1)*p+1e-9)), 1), len(s))
	}
	iv.Lo, iv.Hi = s[rank(at[0])-1], s[len(s)-rank(1-at[1])]
	return iv, ""
}

// Jackknife gives the statistic of x without each of its entries, NaN for one that is
// NaN itself and so is no part of it.
func Jackknife(x []float64, of func([]float64) float64) []float64 {
	out := make([]float64, len(x))
	rest := make([]float64, 0, len(x))
	for i, v := range x {
		out[i] = math.NaN()
		if !math.IsNaN(v) {
			rest = append(append(rest[:0], x[:i]...), x[i+1:]...)
			out[i] = of(rest)
		}
	}
	return out
}
