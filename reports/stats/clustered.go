package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// A ClusteredMean is a mean with its standard error, which rests on Clusters clusters.
// SE is NaN under two of them.
type ClusteredMean struct {
	Mean, SE float64
	Clusters int // with a value
}

// MeanOfClusters gives the mean of the cluster means x, each weighing the same, with
//
//	SE = s / sqrt(G),   s^2 = sum_g (x_g - mean)^2 / (G-1)
//
// over the G that are not NaN. It is what the sandwich of Liang and Zeger comes to for
// one value a cluster, with the factor G/(G-1) for few clusters (CR1 of Cameron and
// Miller, A Practitioner's Guide to Cluster-Robust Inference, Journal of Human Resources
// 50(2), 2015, in a regression on a constant).
func MeanOfClusters(x []float64) ClusteredMean {
	mean, n := Mean(x)
	out := ClusteredMean{Mean: mean, SE: math.NaN(), Clusters: n}
	if n < 2 {
		return out
	}
	sum := 0.0
	for _, v := range numbers(x) {
		sum += (v - mean) * (v - mean)
	}
	out.SE = math.Sqrt(sum / float64(n-1) / float64(n))
	return out
}

// MeanOverClusters gives the plain mean of x, in which a cluster weighs as much as it has
// values, where group[i] in 0..n-1 is the cluster of x[i], with
//
//	SE^2 = G/(G-1) sum_g (sum_{i in g} (x_i - mean))^2 / N^2
//
// over the N values that are not NaN, in G clusters (Liang and Zeger, Longitudinal Data
// Analysis Using Generalized Linear Models, Biometrika 73(1), 1986, theorem 2, with an
// identity working matrix and the factor of CR1). It panics when x and group differ in
// length.
func MeanOverClusters(x []float64, group []int, n int) ClusteredMean {
	if len(x) != len(group) {
		panic("stats: values and groups differ in length")
	}
	mean, values := Mean(x)
	out := ClusteredMean{Mean: mean, SE: math.NaN()}
	sum, some := make([]float64, n), make([]bool, n)
	for i, v := range x {
		if !math.IsNaN(v) {
			sum[group[i]] += v - mean
			some[group[i]] = true
		}
	}
	square := 0.0
	for g, s := range sum {
		if some[g] {
			out.Clusters++
			square += s * s
		}
	}
	if out.Clusters < 2 {
		return out
	}
	g := float64(out.Clusters)
	out.SE = math.Sqrt(g/(g-1)*square) / float64(values)
	return out
}

// Interval gives Mean -+ t SE, t the quantile of Student's t with Clusters-1 degrees of
// freedom; NaN ends under two clusters.
func (c ClusteredMean) Interval(confidence float64) Interval {
	if c.Clusters < 2 {
		return Interval{Lo: math.NaN(), Hi: math.NaN()}
	}
	t := distuv.StudentsT{Sigma: 1, Nu: float64(c.Clusters - 1)}.Quantile((1 + confidence) / 2)
	return Interval{Lo: c.Mean - t*c.SE, Hi: c.Mean + t*c.SE}
}

// P gives the two-sided p-value of the t test that the mean is 0, and Above the one-sided
// one that it is at most bound. Without spread (SE = 0) there is nothing to test against:
// they are NaN, but 1 where the mean is 0, or bound, itself. Under two clusters they are
// NaN.
func (c ClusteredMean) P() float64 {
	return min(1, 2*ClusteredMean{math.Abs(c.Mean), c.SE, c.Clusters}.Above(0))
}

// Above is the one-sided p-value of the hypothesis that the mean is at most bound; see P.
func (c ClusteredMean) Above(bound float64) float64 {
	switch d := c.Mean - bound; {
	case c.Clusters < 2:
		return math.NaN()
	case c.SE > 0:
		return distuv.StudentsT{Sigma: 1, Nu: float64(c.Clusters - 1)}.Survival(d / c.SE)
	case d == 0:
		return 1
	}
	return math.NaN()
}
