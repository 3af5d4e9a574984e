package belief

import (
	"math"

	"pepbench/domains"
)

// scaleEnds gives the least and the largest value of a criterion.
func scaleEnds(c *domains.Criterion) (lo, hi float64) {
	if c.Scale == domains.Continuous {
		return c.Min, c.Max
	}
	return c.Levels[0].Value, c.Levels[len(c.Levels)-1].Value
}

// scaleMiddle is the middle of a scale: 3 of 1..5. A nominal one has none.
func scaleMiddle(c *domains.Criterion) float64 {
	if c.Scale == domains.Nominal {
		return math.NaN()
	}
	lo, hi := scaleEnds(c)
	return lo + (hi-lo)/2
}

// scaleOf gives the low end and the width of a criterion's scale.
func scaleOf(c *domains.Criterion) (low, width float64) {
	low, _ = scaleEnds(c)
	return low, c.Range()
}
