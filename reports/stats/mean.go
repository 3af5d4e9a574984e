package stats

import "math"

// Mean gives the mean of the numbers in x that are not NaN, and how many those
// are. Without any the mean is NaN.
func Mean(x []float64) (mean float64, n int) {
	sum := 0.0
	for _, v := range x {
		if !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	if n == 0 {
		return math.NaN(), 0
	}
	return sum / float64(n), n
}

// GroupMeans gives the mean of x within each of n groups, where group[i] in
// 0..n-1 is the group of x[i]. NaN is left out; a group without any number is
// NaN. It panics when x and group differ in length.
func GroupMeans(x []float64, group []int, n int) []float64 {
	if len(x) != len(group) {
		panic("stats: values and groups differ in length")
	}
	sum, count := make([]float64, n), make([]int, n)
	for i, v := range x {
		if !math.IsNaN(v) {
			sum[group[i]] += v
			count[group[i]]++
		}
	}
	for g := range sum {
		if count[g] == 0 {
			sum[g] = math.NaN()
			continue
		}
		sum[g] /= float64(count[g])
	}
	return sum
}

// Crossing gives the smallest x at which the piecewise linear curve through
// (x[i], y[i]) is at or above target. Points whose y is NaN are left out. It is
// false when no point reaches the target, when there is none, and when target is
// NaN. x must ascend; it panics when x and y differ in length.
//
//	x_{i-1} + (target - y_{i-1}) / (y_i - y_{i-1}) (x_i - x_{i-1}),  i the first with y_i >= target
func Crossing(x, y []float64, target float64) (float64, bool) {
	if len(x) != len(y) {
		panic("stats: abscissas and ordinates differ in length")
	}
	last := -1
	for i := range x {
		if math.IsNaN(y[i]) {
			continue
		}
		if y[i] >= target {
			if last < 0 {
				return x[i], true
			}
			return x[last] + (target-y[last])/(y[i]-y[last])*(x[i]-x[last]), true
		}
		last = i
	}
	return math.NaN(), false
}
