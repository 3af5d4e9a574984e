package reports

import (
	"fmt"
	"math"

	"pepbench/reports/stats"
)

// foundIn is the share of runs like this one that find the minimum detectable effect.
const foundIn = .8

// crossed reports whether intervals of means over sessions are over users, too: they
// recur across tasks, so that drawing tasks alone would say nothing of other users.
func (r *Run) crossed() bool { return r.Manifest.Data.SharedUsers && !r.survey() }

// userOf gives the user of every unit.
func (r *Run) userOf() []int {
	user := make([]int, len(r.cluster))
	for _, st := range r.strategies {
		for _, s := range st.sessions {
			user[s.unit] = s.user
		}
	}
	return user
}

// level is the largest p-value that does not resolve a difference; it is not below a p
// that only rounding keeps from it.
func (c *computer) level() float64 { return 1 - c.boot.Confidence - 1e-9 }

// difference is the estimate of a column of paired differences with its test, by cluster
// means (stats.Analysis): sign flips from ten clusters on, t of six to nine, whose interval
// is that of t, too, and no test of fewer. It is resolved when p is below 1 - confidence
// and the interval leaves out 0; family corrects what is in the family.
func (b *batch) difference(i int) difference {
	d := difference{Estimate: b.estimate(i)}
	if d.Clusters == 0 {
		return d
	}
	of := stats.Analysis{Bootstrap: b.boot}.Difference(b.cols[i].clusters, b.samples[i])
	if d.Clusters >= stats.LeastTest { // of fewer no interval is worth more than the warning
		d.Lo, d.Hi = Number(of.Lo), Number(of.Hi)
	}
	d.Test = &test{Method: of.Test, P: Number(of.P), Holm: undefined(), MDE: undefined()}
	d.Resolved = b.resolved(&d, of.P)
	plan := stats.Power{Alpha: 1 - b.boot.Confidence, Power: foundIn}
	if of.Clusters >= stats.LeastTest && of.SD > 0 {
		d.Test.MDE = Number(b.detectable(plan, of.Clusters) * of.SD)
	}
	if n, ok := plan.Clusters(of.Estimate, of.SD); ok {
		d.Test.Needed = max(n, stats.LeastTest)
	}
	return d
}

// resolved reports whether a difference is told from 0: by its p, corrected where it has to
// be, and by its interval, which of users who recur across tasks knows what p does not.
func (c *computer) resolved(d *difference, p float64) bool {
	return p < c.level() && (d.Lo > 0 || d.Hi < 0)
}

// detectable is the minimum detectable effect of n clusters in standard deviations.
func (c *computer) detectable(plan stats.Power, n int) float64 {
	mde, ok := c.mde[n]
	if !ok {
		mde = plan.MDE(1, n)
		c.mde[n] = mde
	}
	return mde
}

// family corrects the differences of all strategies, floors and ceilings aside, to the
// reference by Holm, and gives the same contrast wherever it is shown again the same test.
func (c *computer) family() {
	var members []*Row
	var p []float64
	for i := range c.out.Strategies {
		r := &c.out.Strategies[i]
		if !r.fixed() && r.Difference != nil && r.Difference.Test != nil {
			members, p = append(members, r), append(p, float64(r.Difference.Test.P))
		}
	}
	size := 0
	for _, v := range p {
		if !math.IsNaN(v) {
			size++
		}
	}
	if size == 0 { // too few clusters: all of them wait for a test
		size = len(members)
	}
	for i, v := range stats.Holm(p) {
		d := members[i].Difference
		d.Test.Family, d.Test.Holm = size, Number(v)
		d.Resolved = c.resolved(d, v)
	}
	for _, r := range members {
		for i := range c.out.Comparisons {
			o := &c.out.Comparisons[i]
			if o.Strategy == r.Name && o.Against == c.out.Reference && o.Questions == c.out.Final && o.Measure == alignmentMeasure {
				o.difference = *r.Difference
			}
		}
		if r.Gain != nil && r.Gain.Twin == c.out.Reference {
			r.Gain.ByQuestions[r.finalPoint].difference = *r.Difference
		}
	}
}

// resampledOver words what intervals are resampled over: clusters, and users where these
// recur across tasks.
func resampledOver(m *Metrics) string {
	if m.Intervals == OverBoth {
		return m.Cluster + "s and users" + tooFew(m) + " (of pairs of sessions, collapse, fidelity and agreement: over " + m.Cluster + "s)"
	}
	return m.Cluster + "s" + tooFew(m)
}

// sessionsOver words what intervals of means over sessions are over; of what is given they
// are over clusters alone.
func sessionsOver(m *Metrics, alone ...string) string {
	if m.Intervals != OverBoth {
		return clustersOver(m)
	}
	s := m.Cluster + "s and users" + tooFew(m)
	if len(alone) > 0 {
		s += fmt.Sprintf(" (of %s: over %ss alone)", series(alone), m.Cluster)
	}
	return s
}

// clustersOver is sessionsOver for what is no mean over sessions.
func clustersOver(m *Metrics) string { return m.Cluster + "s" + tooFew(m) }

// byT goes on with what intervals are where those of differences are Student's t.
func byT(m *Metrics) string {
	if !differencesByT(m) {
		return ""
	}
	return fmt.Sprintf("; of paired differences by t of %s means", m.Cluster)
}

// differenceNote is intervalNote for paired differences.
func differenceNote(m *Metrics, what string) string {
	if !differencesByT(m) {
		return intervalNote(m, what)
	}
	return fmt.Sprintf("%s: %g%% by t of %d %s means.", what, 100*m.Confidence, clusters(m), m.Cluster)
}

// differencesByT reports whether there are so few clusters that differences have the
// interval of t.
func differencesByT(m *Metrics) bool {
	n := clusters(m)
	return n >= stats.LeastTest && n < stats.LeastResampled
}

// notResolved words what a difference is that is not told from 0.
func notResolved(m *Metrics) string {
	return fmt.Sprintf("p is not below %.3g, the interval contains 0, or there are fewer than %d %ss", 1-m.Confidence, stats.LeastTest, m.Cluster)
}
