// Package stats holds the statistics that reports are made of. Values of clusters go in;
// means, intervals, p-values and warnings in words come out.
//
//	cluster means  x_1 .. x_G   (NaN: the cluster has no value)
//	      |  Mean                estimate = mean over clusters with a value
//	      |  Bootstrap.Means     the same over G clusters drawn with replacement, R times
//	      |  TwoWay.Means        or over rows and columns of units, drawn independently
//	      v  Bootstrap.Interval  percentile interval of the R values; Bootstrap.BCa
//	Interval
//
//	paired differences  d_1 .. d_G
//	      |  SignFlip.Test, ClusteredMean.P     p-value; Above: one-sided, with a margin
//	      v  Holm, BenjaminiHochberg            corrected for their number
//	p-value                                     Power: what could have been found
//
// Analysis puts these together and chooses by the number of clusters: its Summary and
// Comparison carry the estimate, the interval, the p-value, how they were made, and what
// to know before trusting them. Beside them are shares (Wilson), means whose clusters are
// of unequal size (MeanOverClusters), rank correlations (Spearman, Kendall), the crossing
// of a piecewise linear curve, and the agreement of those who grade the same units.
//
// An undefined number is NaN here and is never taken for a zero. Draws depend on
// the seed, the number of clusters and the number of the resample alone, so two
// calls of Means with as many clusters see the same resamples: what is computed
// from several of them (a difference, a share of a range, a crossing) is computed
// within a resample. TwoWay draws the same rows as Bootstrap does clusters.
//
//	b := stats.Bootstrap{Resamples: 1000, Confidence: .95, Seed: 1}
//	mean, n := stats.Mean(x)
//	interval := b.Interval(b.Means(x)[0])
//	c := stats.Analysis{Bootstrap: b}.Difference(d, nil) // c.Estimate, c.Lo, c.Hi, c.P, c.Warnings
//
// What R has, too, is held to what R gives: testdata/expected.R makes
// testdata/expected.csv.
//
// The package knows no strategy, session, file or figure, and imports nothing of
// this module.
package stats
