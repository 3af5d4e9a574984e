package reports

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

func (c *comparer) samples(cols, clusters [][]float64) [][]float64 {
	return c.boot.Means(clusters...)
}

func (c *comparer) interval(units, clusters []float64, ofSessions bool, defined int) (lo, hi float64) {
	a, b := ends(c.boot, defined, func() []float64 { return c.boot.Means(clusters)[0] })
	return float64(a), float64(b)
}

func tTail(x []float64, bound float64) float64 {
	m, sd := stat.MeanStdDev(x, nil)
	n := float64(len(x))
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.CDF((m - bound) / (sd / math.Sqrt(n)))
}

func (c *comparer) twoSided(x []float64) (string, float64) {
	if len(x) < fewClusters {
		return ByNothing, math.NaN()
	}
	p := tTail(x, 0)
	return ByT, 2 * min(p, 1-p)
}
func (c *comparer) below(x []float64, bound float64) float64 { return tTail(x, bound) }
func (c *comparer) above(x []float64, bound float64) float64 { return 1 - tTail(x, bound) }
func (c *comparer) upper(x []float64, alpha float64) float64 {
	m, sd := stat.MeanStdDev(x, nil)
	n := float64(len(x))
	return m + sd/math.Sqrt(n)*distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(1-alpha)
}

func (c *comparer) require(x []float64, effect float64) int {
	_, sd := stat.MeanStdDev(x, nil)
	z := distuv.UnitNormal.Quantile(1-c.gate.alpha) + distuv.UnitNormal.Quantile(c.gate.power)
	return int(math.Ceil(math.Pow(z*sd/effect, 2)))
}

func holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if p[a] < p[b] {
			return -1
		}
		return 1
	})
	out, most := make([]float64, len(p)), 0.0
	for k, i := range order {
		most = max(most, min(1, p[i]*float64(len(p)-k)))
		out[i] = most
	}
	return out
}
