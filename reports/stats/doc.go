// Package stats holds the few statistics that reports are made of: means that
// leave out what is undefined, the cluster bootstrap, the crossing of a piecewise
// linear curve, and the agreement of those who grade the same units.
//
//	cluster means  x_1 .. x_G   (NaN: the cluster has no value)
//	      |  Mean                estimate = mean over clusters with a value
//	      |  Bootstrap.Means     the same over G clusters drawn with replacement, R times
//	      v  Bootstrap.Interval  percentile interval of the R values
//	Interval
//
// An undefined number is NaN here and is never taken for a zero. Draws depend on
// the seed, the number of clusters and the number of the resample alone, so two
// calls of Means with as many clusters see the same resamples: what is computed
// from several of them (a difference, a share of a range, a crossing) is computed
// within a resample.
//
//	b := stats.Bootstrap{Resamples: 1000, Confidence: .95, Seed: 1}
//	mean, n := stats.Mean(x)
//	interval := b.Interval(b.Means(x)[0])
//
// The package knows no strategy, session, file or figure, and imports nothing of
// this module.
package stats
