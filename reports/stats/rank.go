package stats

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Spearman gives the rank correlation of the pairs (x[i], y[i]) of which neither is NaN:
// Pearson's of the ranks, equal values having the mean of theirs. It also gives how many
// pairs those are. It is NaN where one side has one value alone, and without pairs. It
// panics when x and y differ in length.
//
// Spearman, The Proof and Measurement of Association between Two Things, American Journal
// of Psychology 15(1), 1904.
func Spearman(x, y []float64) (rho float64, n int) {
	r := newRanked(x, y)
	return r.spearman(r.once()), r.n
}

// Kendall gives tau-b of the same pairs,
//
//	(C - D) / sqrt((P - T_x) (P - T_y))
//
// where of all P pairs of pairs C are in the same order on both sides, D in the opposite
// one, and T are tied on a side (Kendall, The Treatment of Ties in Ranking Problems,
// Biometrika 33(3), 1945). NaN where Spearman is.
func Kendall(x, y []float64) (tau float64, n int) {
	r := newRanked(x, y)
	return r.kendall(r.once()), r.n
}

// RankSamples gives Spearman and Kendall of the pairs of the clusters drawn in every
// resample, the same ones that Means draws, where group[i] in 0..n-1 is the cluster of
// pair i. A pair drawn twice is tied with itself. It panics when x, y and group differ in
// length.
func (b Bootstrap) RankSamples(x, y []float64, group []int, n int) (rho, tau []float64) {
	r := newRanked(x, y)
	if len(group) != len(x) {
		panic("stats: values and groups differ in length")
	}
	rho, tau = make([]float64, b.Resamples), make([]float64, b.Resamples)
	times, weight := make([]float64, n), make([]float64, len(r.order))
	for k := range b.Resamples {
		b.draw(k, times)
		for i, of := range r.order {
			weight[i] = times[group[of]]
		}
		rho[k], tau[k] = r.spearman(weight), r.kendall(weight)
	}
	return rho, tau
}

// SpearmanInterval gives tanh(atanh rho -+ z SE) of n independent pairs, with
//
//	SE = sqrt((1 + rho^2/2) / (n-3))
//
// (Bonett and Wright, Sample Size Requirements for Estimating Pearson, Kendall and
// Spearman Correlations, Psychometrika 65(1), 2000). NaN ends under four pairs, and where |rho| is 1, which leaves no spread to
// go by.
func SpearmanInterval(rho float64, n int, confidence float64) Interval {
	return fisher(rho, math.Sqrt((1+rho*rho/2)/float64(n-3)), n > 3, confidence)
}

// KendallInterval is SpearmanInterval with
//
//	SE = sqrt(0.437 / (n-4))
//
// (Fieller, Hartley and Pearson, Tests for Rank Correlation Coefficients I, Biometrika
// 44(3/4), 1957; Bonett and Wright, as above), for |tau| < 0.8. NaN ends
// under five pairs.
func KendallInterval(tau float64, n int, confidence float64) Interval {
	return fisher(tau, math.Sqrt(.437/float64(n-4)), n > 4, confidence)
}

func fisher(r, se float64, enough bool, confidence float64) Interval {
	if !enough || !(math.Abs(r) < 1) {
		return Interval{Lo: math.NaN(), Hi: math.NaN()}
	}
	z := distuv.UnitNormal.Quantile((1 + confidence) / 2)
	return Interval{Lo: math.Tanh(math.Atanh(r) - z*se), Hi: math.Tanh(math.Atanh(r) + z*se)}
}

// ranked holds pairs by ascending first side, as the places of their values among the
// different ones of either side.
type ranked struct {
	n     int
	order []int    // of every pair: where it came
	at    [2][]int // of every pair
	size  [2]int   // different values
	tree  []float64
}

func newRanked(x, y []float64) *ranked {
	if len(x) != len(y) {
		panic("stats: pairs differ in length")
	}
	r := &ranked{}
	for i := range x {
		if !math.IsNaN(x[i]) && !math.IsNaN(y[i]) {
			r.order = append(r.order, i)
		}
	}
	r.n = len(r.order)
	slices.SortStableFunc(r.order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	for side, of := range [2][]float64{x, y} {
		var values []float64
		for _, i := range r.order {
			values = append(values, of[i])
		}
		slices.Sort(values)
		values = slices.Compact(values)
		r.size[side] = len(values)
		for _, i := range r.order {
			at, _ := slices.BinarySearch(values, of[i])
			r.at[side] = append(r.at[side], at)
		}
	}
	r.tree = make([]float64, r.size[1]+1)
	return r
}

// once weighs every pair alike.
func (r *ranked) once() []float64 {
	w := make([]float64, r.n)
	for i := range w {
		w[i] = 1
	}
	return w
}

// counts sums the weights of each value of a side.
func (r *ranked) counts(side int, weight []float64) (of []float64, total float64) {
	of = make([]float64, r.size[side])
	for i, at := range r.at[side] {
		of[at] += weight[i]
		total += weight[i]
	}
	return of, total
}

// spearman is that of the pairs, each there so many times.
func (r *ranked) spearman(weight []float64) float64 {
	var rank [2][]float64 // less their mean
	var spread [2]float64
	for side := range rank {
		of, total := r.counts(side, weight)
		below := 0.0
		for _, v := range of {
			k := below + v/2 - total/2
			rank[side] = append(rank[side], k)
			spread[side] += v * k * k
			below += v
		}
	}
	if !(spread[0] > 0) || !(spread[1] > 0) {
		return math.NaN()
	}
	cov := 0.0
	for i, w := range weight {
		cov += w * rank[0][r.at[0][i]] * rank[1][r.at[1][i]]
	}
	return min(1, max(-1, cov/math.Sqrt(spread[0]*spread[1])))
}

// kendall is that of the pairs, each there so many times: pairs come by ascending first
// side, and a tree of sums (Fenwick, A New Data Structure for Cumulative Frequency
// Tables, Software: Practice and Experience 24(3), 1994) tells how many before have a
// smaller and how many a larger second one.
func (r *ranked) kendall(weight []float64) float64 {
	var untied [2]float64 // twice the pairs of pairs that are not tied on a side
	for side := range untied {
		of, total := r.counts(side, weight)
		untied[side] = total * total
		for _, v := range of {
			untied[side] -= v * v
		}
	}
	if !(untied[0] > 0) || !(untied[1] > 0) {
		return math.NaN()
	}
	clear(r.tree)
	upTo := func(at int) (sum float64) { // values 0..at-1
		for ; at > 0; at &= at - 1 {
			sum += r.tree[at]
		}
		return sum
	}
	score, before := 0.0, 0.0
	for i := 0; i < r.n; {
		j := i
		for ; j < r.n && r.at[0][j] == r.at[0][i]; j++ {
			at := r.at[1][j]
			score += weight[j] * (upTo(at) - (before - upTo(at+1)))
		}
		for ; i < j; i++ {
			before += weight[i]
			for at := r.at[1][i] + 1; at < len(r.tree); at += at & -at {
				r.tree[at] += weight[i]
			}
		}
	}
	return min(1, max(-1, 2*score/math.Sqrt(untied[0]*untied[1])))
}
