package stats

import (
	"math"
	"slices"
)

// Holm gives p-values corrected for their number, so that the chance of one false
// finding or more in the family is held whatever their dependence: of m p-values
// sorted ascending,
//
//	p'_(i) = max_{j <= i} min(1, (m-j+1) p_(j))
//
// (Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of
// Statistics 6(2), 1979). NaN stays NaN and is no member of the family. p is
// not changed.
func Holm(p []float64) []float64 {
	out, order := family(p)
	least := 0.0
	for i, k := range order {
		least = max(least, min(1, float64(len(order)-i)*p[k]))
		out[k] = least
	}
	return out
}

// BenjaminiHochberg gives p-values corrected so that the expected share of false findings
// among the findings is held, where p-values are independent or positively dependent:
//
//	p'_(i) = min_{j >= i} min(1, m/j p_(j))
//
// (Benjamini and Hochberg, Controlling the False Discovery Rate, Journal of the Royal
// Statistical Society B 57(1), 1995). NaN is treated as Holm does.
func BenjaminiHochberg(p []float64) []float64 {
	out, order := family(p)
	most := 1.0
	for i := len(order) - 1; i >= 0; i-- {
		most = min(most, float64(len(order))/float64(i+1)*p[order[i]])
		out[order[i]] = most
	}
	return out
}

// family gives as many NaN as there are p-values, and the indices of those that are
// numbers by ascending value.
func family(p []float64) (nans []float64, order []int) {
	nans = make([]float64, len(p))
	for i, v := range p {
		nans[i] = math.NaN()
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	return nans, order
}
