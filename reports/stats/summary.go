package stats

import (
	"fmt"
	"math"
)

// How many clusters it takes: under LeastInterval there is no interval, under LeastTest
// no p-value, and under LeastResampled both are Student's t on cluster means.
const (
	LeastInterval  = 2
	LeastTest      = 6
	LeastResampled = 10
)

// How an interval or a p-value was made.
const (
	ByNothing   = "none"      // too few clusters, or nothing defined
	ByT         = "t"         // Student's t of cluster means
	ByBootstrap = "bootstrap" // percentiles of resamples
	BySignFlip  = "sign-flip" // permutation of the signs of cluster means
)

// An Analysis says how means of clusters are summarised and compared. Its assumptions:
// clusters are independent, and each has one value (a mean of what is in it), NaN where
// it has none; to compare, also what SignFlip presumes. It chooses the method by the
// number of clusters with a value:
//
//	clusters   interval                   p-value
//	0, 1       none                       none
//	2 to 5     t, with a warning          none: "cannot tell"
//	6 to 9     t                          t
//	10 ..      percentile of resamples    sign-flip
//
// The bootstrap of few clusters is too narrow by about sqrt((G-1)/G) and by the ratio of t
// to normal quantiles (Cameron, Gelbach and Miller, Bootstrap-Based Improvements for
// Inference with Clustered Errors, Review of Economics and Statistics 90(3), 2008, find it
// so up to about ten).
type Analysis struct {
	Bootstrap
	Flips int // patterns of signs beyond MostExact clusters; 0: 9,999
}

// A Summary is a mean of cluster means with what is known of it. What is not known is NaN
// and said in Warnings.
type Summary struct {
	Estimate float64
	Interval        // at Confidence
	Method   string // of the interval: ByNothing, ByT or ByBootstrap
	SD       float64
	Clusters int // with a value
	Missing  int // clusters without, which are left out
	Warnings []string
}

// A Comparison is the mean of paired differences with its test.
type Comparison struct {
	Summary
	Test string  // ByNothing, ByT or BySignFlip
	P    float64 // NaN: cannot tell
}

// Summary summarises the cluster means x. samples are resamples of their mean from another
// bootstrap that suits the data better (TwoWay); nil: from that over clusters.
func (a Analysis) Summary(x, samples []float64) Summary {
	m := MeanOfClusters(x)
	s := Summary{
		Estimate: m.Mean, Interval: Interval{Lo: math.NaN(), Hi: math.NaN()}, Method: ByNothing,
		SD: m.SE * math.Sqrt(float64(m.Clusters)), Clusters: m.Clusters, Missing: len(x) - m.Clusters,
	}
	if s.Missing > 0 && s.Clusters > 0 {
		s.warn("%d of %d clusters have no value and are left out", s.Missing, len(x))
	}
	switch {
	case s.Clusters == 0:
		s.warn("no cluster has a value: nothing is known")
	case s.Clusters < LeastInterval:
		s.warn("one cluster: no interval can be given")
	case s.Clusters < LeastResampled:
		s.Method, s.Interval = ByT, m.Interval(a.Confidence)
	default:
		if samples == nil {
			samples = a.Means(x)[0]
		}
		s.Method, s.Interval = ByBootstrap, a.Bootstrap.Interval(samples)
		if s.Interval.Undefined > 0 {
			s.warn("%d of %d resamples have no value and are left out", s.Interval.Undefined, len(samples))
		}
	}
	switch {
	case s.Clusters < LeastInterval:
	case s.SD == 0:
		s.warn("no spread: all clusters have the same value, and the interval says nothing")
	case s.Clusters < LeastTest:
		s.warn("few clusters: the interval rests on %d", s.Clusters)
	}
	return s
}

func (s *Summary) warn(format string, args ...any) {
	s.Warnings = append(s.Warnings, fmt.Sprintf(format, args...))
}

// Difference summarises the paired differences d of clusters and tests, two-sided, that
// there is none. samples are as in Summary.
func (a Analysis) Difference(d, samples []float64) Comparison {
	return a.compare(d, samples, ClusteredMean.P, SignFlip.Test)
}

// NonInferiority summarises the paired differences d of clusters and tests, one-sided,
// that their mean is at most -margin: a small p says that it is above. The margin is not
// negative. samples are as in Summary.
func (a Analysis) NonInferiority(d, samples []float64, margin float64) Comparison {
	return a.compare(d, samples,
		func(m ClusteredMean) float64 { return m.Above(-margin) },
		func(f SignFlip, d []float64) SignTest { return f.Above(d, -margin) })
}

func (a Analysis) compare(d, samples []float64, t func(ClusteredMean) float64, flip func(SignFlip, []float64) SignTest) Comparison {
	out := Comparison{Summary: a.Summary(d, samples), Test: ByNothing, P: math.NaN()}
	switch {
	case out.Clusters < LeastTest:
		out.warn("cannot tell: %d of the %d clusters that a test needs", out.Clusters, LeastTest)
	case out.Clusters < LeastResampled:
		out.Test, out.P = ByT, t(MeanOfClusters(d))
		if math.IsNaN(out.P) {
			out.Test = ByNothing
			out.warn("cannot tell: without spread there is no t test")
		}
	default:
		f := SignFlip{Draws: a.Flips, Seed: a.Seed}
		if f.Draws == 0 {
			f.Draws = 9999
		}
		out.Test, out.P = BySignFlip, flip(f, d).P
	}
	return out
}
