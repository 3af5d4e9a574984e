package reports

import (
	"math"
	"slices"

	"pepbench/reports/stats"
)

// analysis is how differences are tested and given intervals.
func (c *comparer) analysis() stats.Analysis { return stats.Analysis{Bootstrap: c.boot} }

// samples gives resamples of the means of quantities, of units and of clusters: two-way
// where users recur across tasks, else over clusters.
func (c *comparer) samples(units, clusters [][]float64) [][]float64 {
	if c.twoWay {
		return stats.TwoWay{Bootstrap: c.boot, Rows: c.cluster, Columns: c.user}.Means(units...)
	}
	return c.boot.Means(clusters...)
}

// below gives the one-sided p-value of the hypothesis that x, how much worse each cluster
// is, has a mean of bound or more: a small one says that it is worse by less. x has
// fewClusters values or more, which are not all the same.
func (c *comparer) below(x []float64, bound float64) float64 {
	better := slices.Clone(x)
	for i := range better {
		better[i] = -better[i]
	}
	return c.above(better, -bound)
}

// above is the same of the hypothesis that the mean is bound or less.
func (c *comparer) above(x []float64, bound float64) float64 {
	if len(x) < stats.LeastResampled {
		return stats.MeanOfClusters(x).Above(bound)
	}
	return stats.SignFlip{Draws: flips, Seed: c.boot.Seed}.Above(x, bound).P
}

// flips is how many patterns of signs are drawn where there are too many to try all.
const flips = 9999

// upper gives the bound that below rejects at alpha: with confidence 1 - alpha, x is not
// worse than that. It is found by bisection, since the p-value falls as the bound rises.
func (c *comparer) upper(x []float64, alpha float64) float64 {
	if len(x) < stats.LeastResampled {
		return stats.MeanOfClusters(x).Interval(1 - 2*alpha).Hi
	}
	lo, _ := stats.Mean(x)
	hi := slices.Max(x)
	if c.below(x, hi) > alpha {
		return math.Inf(1)
	}
	for range 30 {
		if mid := (lo + hi) / 2; c.below(x, mid) <= alpha {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// require gives the number of clusters that tell a change this far from the bound, with
// the gate's alpha and power and the spread that x has; 0 where that is not known.
func (c *comparer) require(x []float64, effect float64) int {
	sd := stats.MeanOfClusters(x).SE * math.Sqrt(float64(len(x)))
	n, ok := stats.Power{Alpha: c.gate.alpha, Power: c.gate.power, OneSided: true}.Clusters(effect, sd)
	if !ok {
		return 0
	}
	return max(n, fewClusters)
}
