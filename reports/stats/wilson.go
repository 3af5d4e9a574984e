package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Wilson gives the score interval of a share of n independent trials,
//
//	(p + z^2/2n -+ z sqrt(p (1-p)/n + z^2/4n^2)) / (1 + z^2/n),   p = hits/n
//
// (Wilson, Probable Inference, the Law of Succession, and Statistical Inference, Journal
// of the American Statistical Association 22(158), 1927, without continuity correction).
// It stays within 0..1 and has a width at shares of 0 and 1, too. NaN ends where n is 0;
// it panics unless 0 <= hits <= n.
func Wilson(hits, n int, confidence float64) Interval {
	if hits < 0 || hits > n {
		panic("stats: more hits than trials, or fewer than none")
	}
	if n == 0 {
		return Interval{Lo: math.NaN(), Hi: math.NaN()}
	}
	z := distuv.UnitNormal.Quantile((1 + confidence) / 2)
	p, m := float64(hits)/float64(n), float64(n)
	mid := p + z*z/(2*m)
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	scale := 1 + z*z/m
	iv := Interval{Lo: (mid - half) / scale, Hi: (mid + half) / scale}
	// Exact where rounding would leave 1e-17.
	if hits == 0 {
		iv.Lo = 0
	}
	if hits == n {
		iv.Hi = 1
	}
	return iv
}
