package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// A Bootstrap draws clusters with replacement (the cluster bootstrap: Davison and
// Hinkley, Bootstrap Methods and their Application, 1997, section 3.8, strategy
// 1: whole clusters are drawn, nothing within them).
type Bootstrap struct {
	Resamples  int     // R; at least 1
	Confidence float64 // in (0,1), e.g. 0.95
	Seed       uint64
}

// Means draws G clusters with replacement, R times, and gives for every column
// the R means over the drawn clusters: out[c][r]. All columns have G entries, one
// a cluster, and share the draws. A NaN entry is left out of its column's mean; a
// resample that draws no entry of a column gives NaN there.
//
// Resample r is drawn with PCG(Seed, r). Means panics when columns differ in
// length.
func (b Bootstrap) Means(columns ...[]float64) [][]float64 {
	out := make([][]float64, len(columns))
	if len(columns) == 0 {
		return out
	}
	g := len(columns[0])
	value := make([][]float64, len(columns))
	known := make([][]float64, len(columns)) // nil: every entry
	for c, col := range columns {
		if len(col) != g {
			panic("stats: columns differ in length")
		}
		out[c] = make([]float64, b.Resamples)
		value[c] = col
		if slices.ContainsFunc(col, math.IsNaN) {
			value[c], known[c] = make([]float64, g), make([]float64, g)
			for i, v := range col {
				if !math.IsNaN(v) {
					value[c][i], known[c][i] = v, 1
				}
			}
		}
	}
	times := make([]float64, g)
	for r := range b.Resamples {
		b.draw(r, times)
		for c := range columns {
			sum, n := 0.0, float64(g)
			for i, v := range value[c] {
				sum += times[i] * v
			}
			if known[c] != nil {
				n = 0
				for i, k := range known[c] {
					n += times[i] * k
				}
			}
			out[c][r] = math.NaN()
			if n > 0 {
				out[c][r] = sum / n
			}
		}
	}
	return out
}

// draw counts how often resample r draws each of len(times) clusters, and, from the
// same stream, of the sets after the first.
func (b Bootstrap) draw(r int, sets ...[]float64) {
	rng := rand.New(rand.NewPCG(b.Seed, uint64(r)))
	for _, times := range sets {
		clear(times)
		for range times {
			times[rng.IntN(len(times))]++
		}
	}
}

// An Interval is a percentile interval. Its ends may be infinite when samples
// are; they are NaN when there is no sample.
type Interval struct {
	Lo, Hi    float64
	Undefined int // samples that were NaN and are left out
}

// Interval gives the percentile interval of bootstrap samples: the k-th smallest
// and the k-th largest of the n samples that are numbers, where
//
//	k = max(1, floor((n+1) (1-Confidence)/2))
//
// (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, sections 12.5
// and 13.3). There is no interpolation, so that samples may be infinite. samples
// is not changed.
func (b Bootstrap) Interval(samples []float64) Interval {
	s := numbers(samples)
	iv := Interval{Lo: math.NaN(), Hi: math.NaN(), Undefined: len(samples) - len(s)}
	if len(s) == 0 {
		return iv
	}
	slices.Sort(s)
	// The small term keeps 25 from becoming 24.999...
	k := int(math.Floor(float64(len(s)+1)*(1-b.Confidence)/2 + 1e-9))
	k = min(max(k, 1), (len(s)+1)/2)
	iv.Lo, iv.Hi = s[k-1], s[len(s)-k]
	return iv
}

// numbers gives what is not NaN in x.
func numbers(x []float64) []float64 {
	out := make([]float64, 0, len(x))
	for _, v := range x {
		if !math.IsNaN(v) {
			out = append(out, v)
		}
	}
	return out
}

// MinResamples is the smallest R for which Interval has the confidence asked for
// and does not fall back on the extremes.
func (b Bootstrap) MinResamples() int {
	return int(math.Ceil(2/(1-b.Confidence)-1e-9)) - 1
}
