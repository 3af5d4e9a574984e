package reports

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"pepbench/domains"
	"pepbench/reports/stats"
)

// ErrRegression is wrapped by the error of a comparison whose gate failed.
var ErrRegression = errors.New("regression")

// A RegressionError says which lines of a gate failed.
type RegressionError struct {
	Gate  string // file
	Lines []string
	Of    int // lines of the gate
}

// Error is one line.
func (e *RegressionError) Error() string {
	const most = 3
	s := fmt.Sprintf("%s: %d of %d lines of the gate failed: %s", e.Gate, len(e.Lines), e.Of, strings.Join(e.Lines[:min(most, len(e.Lines))], "; "))
	if n := len(e.Lines) - most; n > 0 {
		s += fmt.Sprintf("; and %d more", n)
	}
	return s
}

// Unwrap gives ErrRegression.
func (e *RegressionError) Unwrap() error { return ErrRegression }

// A RunComparison is what two runs differ in; see the package comment.
type RunComparison struct {
	Warnings []string // what to know before trusting a difference

	base, run *side
	gate      *Gate // nil: none
	differs   []setting
	identical bool // the sessions are the same bytes
	rows      []comparedRow
	alone     [2][]string // strategies that the base, and the run, alone has
	clusters  int         // of the sessions that both have
	twoWay    bool        // intervals are over tasks and users
	family    int         // of Holm: p-values of what the gate names
	target    string      // strategy of the base whose final alignment is the target; empty: none
	lines     []gateLine
	untested  []string // what the gate names and the base has no value of
}

// A comparedRow is a strategy that both runs have.
type comparedRow struct {
	name     string
	pairs    int    // sessions that both have
	missing  int    // of the base that the run does not have
	extra    int    // of the run that the base does not have
	failed   string // why, of those that failed in the run; empty when none did
	measures []runDelta
}

// A runDelta is the paired difference of two runs in a measure, run minus base.
type runDelta struct {
	pairedMeasure
	base, run, delta float64
	lo, hi           float64 // of delta
	n                int     // pairs of sessions, or tasks, with a value in both
	lost, gained     int     // with a value in the base alone, and in the run alone
	clusters         []float64
	defined          int    // clusters with a difference
	unchanged        bool   // in every pair
	equal            bool   // unchanged, and neither run alone has a value
	certain          bool   // not equal, and the same in every cluster
	method           string // one of the By constants
	p, holm          float64
	gated            bool
	why              string // there is no difference; empty: there is
}

// none says whether neither run has a value.
func (d *runDelta) none() bool { return d.n == 0 && d.lost == 0 && d.gained == 0 }

// CompareRuns pairs the sessions of two finished runs by strategy, seed, task and user,
// and measures what changed from base to run; each folder holds a run or a baseline
// (WriteBaseline). With a gate it says which of its lines pass. What cannot be read, runs on different
// data or rubrics, and runs without a session in common wrap domains.ErrData.
func CompareRuns(base, run string, g *Gate) (*RunComparison, error) {
	a, err := readSide(base)
	if err != nil {
		return nil, err
	}
	b, err := readSide(run)
	if err != nil {
		return nil, err
	}
	c, err := compareSides(a, b, g)
	if err != nil {
		return nil, err
	}
	if x, err := os.Stat(base); err == nil {
		if y, err := os.Stat(run); err == nil && os.SameFile(x, y) {
			c.Warnings = append(c.Warnings, "base and run are one folder: whatever changed, it is in both")
		}
	}
	return c, nil
}

func compareSides(base, run *side, g *Gate) (*RunComparison, error) {
	if err := refused(base, run); err != nil {
		return nil, err
	}
	c := &comparer{RunComparison: &RunComparison{base: base, run: run, gate: g}}
	c.differs = differences(base.manifest, run.manifest)
	c.identical = base.sha != "" && base.sha == run.sha
	c.Warnings = cautions(base, run)
	if c.pair(); len(c.units) == 0 {
		return nil, c.strangers()
	}
	rep := base.manifest.Report
	c.boot = stats.Bootstrap{Resamples: rep.Resamples, Confidence: rep.Confidence, Seed: uint64(rep.Seed)}
	for _, name := range c.both {
		c.rows = append(c.rows, c.row(name))
	}
	c.toTarget()
	c.judge()
	c.notes()
	return c.RunComparison, nil
}

// strangers says why no session is in both runs.
func (c *comparer) strangers() error {
	var why []string
	a, b := c.base.manifest, c.run.manifest
	if len(c.both) == 0 {
		why = append(why, "no strategy is in both")
	}
	if !slices.ContainsFunc(a.Seeds, func(s int) bool { return slices.Contains(b.Seeds, s) }) {
		why = append(why, fmt.Sprintf("seeds %v there and %v here", a.Seeds, b.Seeds))
	}
	if !slices.ContainsFunc(a.Data.TestTasks, func(s string) bool { return slices.Contains(b.Data.TestTasks, s) }) {
		why = append(why, "no test task is in both")
	}
	if c.base.sessions() == 0 || c.run.sessions() == 0 {
		why = append(why, fmt.Sprintf("%d sessions without an error there and %d here", c.base.sessions(), c.run.sessions()))
	}
	if why == nil {
		why = append(why, "the users of the tasks differ")
	}
	return &domains.DataError{File: c.run.dir, What: fmt.Sprintf("has no session (strategy, seed, task and user) in common with %s: %s", c.base.dir, strings.Join(why, "; ")), Mend: "run both with the same data, split, seeds and strategies"}
}

// A comparer is one comparison under way.
type comparer struct {
	*RunComparison
	boot    stats.Bootstrap
	both    []string // strategies, in the order of the base
	tasks   []string // of common sessions, sorted
	units   []unit   // task and user of common sessions, sorted
	at      map[unit]int
	cluster []int // of every unit
	users   int   // of common sessions
	user    []int // of every unit
}

type unit struct{ task, user string }

// pair finds what both runs have.
func (c *comparer) pair() {
	for _, r := range c.base.rows {
		if c.run.row(r.Name) != nil {
			c.both = append(c.both, r.Name)
		} else {
			c.alone[0] = append(c.alone[0], r.Name)
		}
	}
	for _, r := range c.run.rows {
		if c.base.row(r.Name) == nil {
			c.alone[1] = append(c.alone[1], r.Name)
		}
	}
	c.at = map[unit]int{}
	tasks, users := interner{}, interner{}
	for _, name := range c.both {
		b := c.run.row(name).sessions
		for id := range c.base.row(name).sessions {
			if u := (unit{id.task, id.user}); b[id] != nil {
				if _, there := c.at[u]; !there {
					c.at[u] = 0
					c.units = append(c.units, u)
					tasks.index(u.task)
					users.index(u.user)
				}
			}
		}
	}
	slices.SortFunc(c.units, func(a, b unit) int {
		return cmp.Or(cmp.Compare(a.task, b.task), cmp.Compare(a.user, b.user))
	})
	var taskAt, userAt []int
	var names []string
	c.tasks, taskAt = tasks.sorted()
	names, userAt = users.sorted()
	c.users, c.clusters = len(names), len(c.tasks)
	if c.base.survey() {
		c.clusters = c.users
	}
	c.cluster, c.user = make([]int, len(c.units)), make([]int, len(c.units))
	for i, u := range c.units {
		c.at[u] = i
		c.user[i] = userAt[users[u.user]]
		c.cluster[i] = taskAt[tasks[u.task]]
		if c.base.survey() {
			c.cluster[i] = c.user[i]
		}
	}
	c.twoWay = !c.base.survey() && c.base.manifest.Data.SharedUsers
}

// common gives the sessions of a strategy that both runs have, in order.
func (c *comparer) common(name string) (ids []sessionID, a, b *sideRow) {
	a, b = c.base.row(name), c.run.row(name)
	for _, id := range sortedIDs(a.sessions) {
		if b.sessions[id] != nil {
			ids = append(ids, id)
		}
	}
	return ids, a, b
}

// row compares a strategy.
func (c *comparer) row(name string) comparedRow {
	ids, a, b := c.common(name)
	out := comparedRow{name: name, pairs: len(ids), missing: len(a.sessions) - len(ids), extra: len(b.sessions) - len(ids)}
	failures := 0
	for _, f := range b.failed {
		failures += f.N
	}
	if failures > 0 {
		out.failed = fmt.Sprintf("%d failed there, most often because: %s", failures, b.failed[0].What)
	}
	at := make([]int, len(ids))
	for i, id := range ids {
		at[i] = c.at[unit{id.task, id.user}]
	}
	for k, m := range pairedMeasures {
		x, y := make([]float64, len(ids)), make([]float64, len(ids))
		for i, id := range ids {
			x[i], y[i] = a.sessions[id].values[k], b.sessions[id].values[k]
		}
		out.measures = append(out.measures, c.difference(m, x, y, at))
	}
	if c.base.survey() { // which has one task
		return out
	}
	x, y := make([]float64, len(c.tasks)), make([]float64, len(c.tasks))
	for i, t := range c.tasks {
		x[i], y[i] = a.share(t), b.share(t)
	}
	out.measures = append(out.measures, c.difference(followUp, x, y, nil))
	return out
}

// difference compares paired values. Where they are of sessions, at has their units; else
// they are of the clusters.
func (c *comparer) difference(m pairedMeasure, x, y []float64, at []int) runDelta {
	d := runDelta{pairedMeasure: m, equal: true, p: math.NaN(), holm: math.NaN(), lo: math.NaN(), hi: math.NaN(), method: ByNothing}
	x, y = slices.Clone(x), slices.Clone(y)
	diff := make([]float64, len(x))
	for i := range x {
		p, q := math.IsNaN(x[i]), math.IsNaN(y[i])
		switch {
		case p && q:
		case p:
			d.gained++
		case q:
			d.lost++
		default:
			d.n++
			d.equal = d.equal && x[i] == y[i]
		}
		if diff[i] = y[i] - x[i]; math.IsNaN(diff[i]) {
			x[i], y[i] = math.NaN(), math.NaN() // so that delta is the difference of the means
		}
	}
	units := [][]float64{x, y, diff}
	means := make([]float64, len(units))
	for k := range units {
		col := units[k]
		if at != nil {
			units[k] = stats.GroupMeans(col, at, len(c.units))
			col = stats.GroupMeans(units[k], c.cluster, c.clusters)
		}
		if k == 2 {
			d.clusters = col
		}
		means[k], d.defined = stats.Mean(col)
	}
	d.base, d.run, d.delta = means[0], means[1], means[2]
	if d.n == 0 {
		d.equal = false
		switch {
		case d.lost > 0:
			d.why = "undefined in the run"
		case d.gained > 0:
			d.why = "undefined in the base"
		default:
			d.why = "undefined in both"
		}
		return d
	}
	d.unchanged, d.equal = d.equal, d.equal && d.lost+d.gained == 0
	known := finite(d.clusters)
	if d.unchanged {
		d.lo, d.hi = 0, 0
		return d
	}
	d.certain = constant(known)
	var samples []float64
	if at != nil {
		samples = c.samples(units[2:], [][]float64{d.clusters})[0]
	}
	t := c.analysis().Difference(d.clusters, samples)
	d.lo, d.hi, d.method, d.p = t.Lo, t.Hi, t.Test, t.P
	if d.certain {
		d.lo, d.hi = d.delta, d.delta
	}
	return d
}

// finite leaves out what is undefined.
func finite(x []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(x), math.IsNaN)
}

// constant says whether all numbers are the same, but for rounding.
func constant(x []float64) bool {
	return slices.Max(x)-slices.Min(x) <= 1e-9*max(1, math.Abs(x[0]))
}

// toTarget compares how many questions it takes to get to the final alignment that the
// target strategy has in the base, over the sessions that both runs have.
func (c *comparer) toTarget() {
	aim := c.base.manifest.Report.TargetOf
	if aim == "" || !slices.Contains(c.both, aim) {
		return
	}
	c.target = aim
	curve := func(s *side, name string) (x []float64, cols [][]float64) {
		ids, a, b := c.common(name)
		row := a
		if s == c.run {
			row = b
		}
		at := make([]int, len(ids))
		for i, id := range ids {
			at[i] = c.at[unit{id.task, id.user}]
		}
		for k, p := range s.points {
			v := make([]float64, len(ids))
			for i, id := range ids {
				v[i] = row.sessions[id].curve[k]
			}
			x = append(x, float64(p))
			cols = append(cols, stats.GroupMeans(v, at, len(c.units)))
		}
		return x, cols
	}
	if c.base.row(aim).fixed() {
		return
	}
	_, own := curve(c.base, aim)
	target := own[slices.Index(c.base.points, c.base.final)]
	for i := range c.rows {
		name := c.rows[i].name
		if c.base.row(name).fixed() || c.run.row(name).fixed() || c.rows[i].pairs == 0 {
			continue
		}
		xa, a := curve(c.base, name)
		xb, b := curve(c.run, name)
		c.rows[i].measures = append(c.rows[i].measures, c.crossings(target, xa, a, xb, b, c.rows[i].pairs))
	}
}

// crossings is the difference of where two curves first reach the target, all of values
// of units. Value and interval are withheld where either never does so, with the whole data or in more
// than mostOut of the resamples.
func (c *comparer) crossings(target, xa []float64, a [][]float64, xb []float64, b [][]float64, pairs int) runDelta {
	d := runDelta{pairedMeasure: toTargetMeasure, n: pairs, p: math.NaN(), holm: math.NaN(), lo: math.NaN(), hi: math.NaN(), method: ByNothing}
	cols := slices.Concat([][]float64{target}, a, b)
	value := func(means []float64) (float64, float64) {
		at := func(x, y []float64) float64 {
			v, ok := stats.Crossing(x, y, means[0])
			if !ok {
				return math.Inf(1)
			}
			return v
		}
		return at(xa, means[1:1+len(a)]), at(xb, means[1+len(a):])
	}
	means := make([]float64, len(cols))
	clusters := make([][]float64, len(cols))
	for i := range cols {
		clusters[i] = stats.GroupMeans(cols[i], c.cluster, c.clusters)
		means[i], d.defined = stats.Mean(clusters[i])
	}
	if d.base, d.run = value(means); d.base == d.run {
		d.delta = 0
	} else {
		d.delta = d.run - d.base
	}
	if math.IsNaN(means[0]) {
		d.base, d.run, d.delta, d.why = math.NaN(), math.NaN(), math.NaN(), "there is no target"
		return d
	}
	if d.equal = len(a) == len(b); d.equal {
		for i := range a {
			d.equal = d.equal && slices.EqualFunc(a[i], b[i], same)
		}
	}
	switch {
	case math.IsInf(d.base, 1) && math.IsInf(d.run, 1):
		d.why = "neither reaches the target"
	case math.IsInf(d.base, 1):
		d.why = "the base never reaches the target"
	case math.IsInf(d.run, 1):
		d.why = "the run never reaches the target"
	}
	if d.why != "" {
		d.delta = math.NaN()
		return d
	}
	if d.equal {
		d.lo, d.hi = 0, 0
		return d
	}
	if d.defined < noInterval {
		return d
	}
	samples := c.samples(cols, clusters)
	diffs, never := make([]float64, c.boot.Resamples), 0
	for r := range diffs {
		for i := range means {
			means[i] = samples[i][r]
		}
		x, y := value(means)
		if math.IsInf(x, 1) || math.IsInf(y, 1) {
			never++
		}
		diffs[r] = y - x // of two that never do it is not known
	}
	if float64(never) > mostOut*float64(len(diffs)) {
		d.why = fmt.Sprintf("the target is not reached in %.1f%% of the resamples", 100*float64(never)/float64(len(diffs)))
		d.delta = math.NaN()
		return d
	}
	iv := c.boot.Interval(diffs)
	d.lo, d.hi = iv.Lo, iv.Hi
	return d
}

// verdict says in a word what became of a measure. As in a report, p, which is of other
// tasks with these users, and the interval, which may be of other users, too, must both
// tell the change from 0.
func (d *runDelta) verdict(alpha float64) string {
	p := d.p
	if d.gated && !math.IsNaN(d.holm) {
		p = d.holm
	}
	few := d.defined < fewClusters
	told := d.lo > 0 || d.hi < 0
	if d.key != toTargetMeasure.key { // which has no p
		told = told && p < alpha
	}
	switch {
	case d.why != "":
		return dash
	case d.unchanged || d.equal:
		return "identical"
	case few:
		return "cannot tell"
	case d.certain && d.delta > 0 == d.lower, told && d.delta > 0 == d.lower:
		return "worse"
	case d.certain, told:
		return "better"
	}
	return "~"
}

// notes adds what the pairing leaves out.
func (c *comparer) notes() {
	warn := func(format string, a ...any) { c.Warnings = append(c.Warnings, fmt.Sprintf(format, a...)) }
	missing, extra := 0, 0
	for _, r := range c.rows {
		missing += r.missing
		extra += r.extra
	}
	if missing+extra > 0 {
		warn("sessions without a counterpart, which have no part in the differences: %d of the base, %d of the run", missing, extra)
	}
	if c.clusters < fewClusters {
		warn("%d %s: nothing can be told of others, but where everything is equal", c.clusters, plural(c.clusters, c.clusterWord()))
	}
	for i, w := range c.Warnings {
		c.Warnings[i] = printable(w)
	}
}

func (c *RunComparison) clusterWord() string {
	if c.base.survey() {
		return "user"
	}
	return "task"
}
