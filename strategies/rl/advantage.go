package rl

import "math"

// standardised is the advantage of GRPO within a group: (R - mean R)/(std R + 1e-8), std
// that of a population, over the returns that are defined. Undefined ones (NaN) stay so, and
// all do where fewer than two are defined: there is nothing to compare with.
func standardised(returns, out []float64) {
	n, mean := 0, 0.0
	for _, r := range returns {
		if !math.IsNaN(r) {
			n++
			mean += r
		}
	}
	if n < 2 {
		for i := range out {
			out[i] = math.NaN()
		}
		return
	}
	mean /= float64(n)
	variance := 0.0
	for _, r := range returns {
		if !math.IsNaN(r) {
			variance += (r - mean) * (r - mean)
		}
	}
	std := math.Sqrt(variance / float64(n))
	for i, r := range returns {
		out[i] = (r - mean) / (std + 1e-8)
	}
}

// A baseline is the mean, at every turn, of all returns of steps before: what Reinforce
// subtracts. The returns of the step itself are not in it (the estimate of the gradient would
// be biased), so the first step of a training only fills it.
type baseline struct {
	Sum   []float64 `json:"sum"`
	Count []float64 `json:"count"`
}

func (b *baseline) add(turn int, r float64) {
	for len(b.Sum) <= turn {
		b.Sum, b.Count = append(b.Sum, 0), append(b.Count, 0)
	}
	b.Sum[turn] += r
	b.Count[turn]++
}

// at is the mean at a turn, NaN where nothing is known.
func (b *baseline) at(turn int) float64 {
	if turn >= len(b.Sum) {
		return math.NaN()
	}
	return b.Sum[turn] / b.Count[turn]
}
