package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"pepbench/bench/record"
	"pepbench/reports/stats"
)

const (
	noInterval  = 2 // under so many clusters there is no interval
	fewClusters = 6 // under so many it comes with a warning
)

// Compute makes the numbers of the report. What it cannot compute is null in the
// result and worded in Warnings.
func Compute(r *Run) *Metrics { return compute(r).out }

// compute is Compute, and gives all that the numbers were made of.
func compute(r *Run) *computer {
	m := &r.Manifest
	out := &Metrics{
		Schema: metricsSchema, Name: m.Name, ConfigHash: m.ConfigHash,
		Data:           data{m.Data.Name, m.Data.Version, m.Data.Rubric},
		SimulatedRoles: simulated(m.Endpoints),
		Folds:          m.Data.Folds, Compat: m.Data.Compat, LeftOut: m.LeftOut, OnDev: chosenOnDev(m.Models),
		UserModel: m.Users, Solver: m.Solver, Judge: m.Judge,
		Cluster: "task", Intervals: OverClusters, Tasks: len(r.tasks), Users: len(r.users), Seeds: list(m.Seeds),
		Budget: m.Budget, Horizon: m.Horizon, Final: r.points[r.final], Checkpoints: list(r.points),
		Resamples: m.Report.Resamples, Confidence: m.Report.Confidence, Seed: m.Report.Seed,
		ComparedAt: list(r.compared), Comparisons: []Comparison{},
		Planned: m.Planned,
	}
	out.Simulated = len(out.SimulatedRoles) > 0
	out.Trace = r.traced
	out.ClusterIDs = append([]string{}, r.tasks...)
	if r.survey() {
		out.Cluster, out.ClusterIDs = "user", append([]string{}, r.users...)
	}
	out.Sessions = sessions{Planned: m.Sessions, Read: r.read, Unknown: r.unknown, LeftOut: r.leftOut}
	c := &computer{Run: r, out: out, boot: stats.Bootstrap{
		Resamples: m.Report.Resamples, Confidence: m.Report.Confidence, Seed: uint64(m.Report.Seed),
	}, mde: map[int]float64{}}
	if c.crossed() { // before the target is drawn, too
		out.Intervals, c.user = OverBoth, c.userOf()
	}
	c.roles()
	if c.treeTask = c.firstTask(); c.treeTask >= 0 {
		out.FirstOf = c.tasks[c.treeTask]
	}
	out.FirstSeed = c.firstSeed()
	for _, st := range r.strategies {
		out.Strategies = append(out.Strategies, c.row(st))
	}
	for i, st := range r.strategies {
		c.compare(st, &out.Strategies[i])
	}
	c.family()
	c.calibrate()
	out.Fidelity = c.fidelity()
	c.judging()
	c.warnings()
	return c
}

// A computer is one Compute under way.
type computer struct {
	*Run
	out  *Metrics
	boot stats.Bootstrap
	user []int           // of every unit, where intervals are over users, too; else nil
	mde  map[int]float64 // of so many clusters, in standard deviations

	floor, ceiling, reference *strategy // nil: there is none
	target                    float64   // alignment to reach, NaN: none
	targets                   []float64 // the same in every resample
	aimed                     *strategy // whose final alignment that is, nil: none
	own                       crossing  // where its own curve first reaches it
	narrow                    int       // most resamples in which the ceiling did not exceed the floor
	extra                     []string  // warnings about roles
	treeTask                  int       // whose first questions are shown; -1: of all
}

// roles finds floor, ceiling, reference and target.
func (c *computer) roles() {
	named := func(name string) *strategy {
		for _, st := range c.strategies {
			if st.Name == name {
				return st
			}
		}
		return nil
	}
	first := func(kind string) *strategy {
		var found *strategy
		n := 0
		for _, st := range c.strategies {
			if st.Kind != kind {
				continue
			}
			// Of several the one that predicts from answers alone is the plain one.
			if n++; found == nil || found.Predict != "answers" && st.Predict == "answers" {
				found = st
			}
		}
		if n > 1 {
			c.extra = append(c.extra, fmt.Sprintf("%d strategies of kind %s; alignment is normalised by %q", n, kind, found.Name))
		}
		return found
	}
	c.floor, c.ceiling = first(kindFloor), first(kindCeiling)
	if c.floor != nil {
		c.out.Floor = c.floor.Name
	}
	if c.ceiling != nil {
		c.out.Ceiling = c.ceiling.Name
	}
	rep := c.Manifest.Report
	if c.reference = named(rep.Reference); c.reference != nil {
		c.out.Reference = rep.Reference
	} else if rep.Reference != "" {
		c.extra = append(c.extra, fmt.Sprintf("the reference %q is no strategy of this run: there are no differences", rep.Reference))
	}

	for _, name := range rep.Against {
		if len(c.meant(name)) == 0 {
			c.extra = append(c.extra, fmt.Sprintf("report.against names %q, which is no strategy of this run: nothing is compared with it", name))
		}
	}

	c.target = math.NaN()
	c.out.Target.Alignment = Estimate{Value: undefined(), Lo: undefined(), Hi: undefined()}
	st := named(rep.TargetOf)
	if st == nil {
		if rep.TargetOf != "" {
			c.extra = append(c.extra, fmt.Sprintf("report.target_of %q is no strategy of this run: there is no target", rep.TargetOf))
		}
		return
	}
	c.out.Target.Strategy = st.Name
	c.out.Target.Alignment = c.aim(st)
}

// aim makes the final alignment of st the target, and gives it.
func (c *computer) aim(st *strategy) Estimate {
	b := batch{computer: c}
	align := b.alignments(st)
	b.draw()
	p := align[st.final]
	c.aimed, c.target, c.targets = st, b.cols[p].mean, b.samples[p]
	c.own = b.crossing(st.points, align)
	return b.estimate(p)
}

// alignments adds the alignment at every checkpoint.
func (b *batch) alignments(st *strategy) (align []int) {
	for i := range st.points {
		align = append(align, b.add(st, alignmentAt(i)))
	}
	return align
}

func (c *computer) row(st *strategy) Row {
	row := Row{Strategy: st.Strategy, Sessions: len(st.sessions), Failed: counts(st.failed), finalPoint: st.final}
	for _, f := range row.Failed {
		row.finalFailures += f.N
	}
	c.out.Sessions.Failed += row.finalFailures

	b := batch{computer: c}
	var own, low, high, right []int
	align := b.alignments(st)
	for i := range st.points {
		own = append(own, b.add(st, c.matched(i, func(s, _, _ *session) float64 { return s.align[i] })))
		low = append(low, b.add(st, c.matched(i, func(_, f, _ *session) float64 { return f.align[0] })))
		high = append(high, b.add(st, c.matched(i, func(_, _, t *session) float64 { return t.align[0] })))
		right = append(right, b.add(st, func(s *session) float64 { return s.points[i].correct.share() }))
	}
	diff := -1
	if c.reference != nil && c.reference != st {
		diff = b.add(st, func(s *session) float64 {
			if o := c.reference.at[s.key]; o != nil {
				return s.align[st.final] - o.align[c.reference.final]
			}
			return math.NaN()
		})
	}
	asked := b.add(st, func(s *session) float64 { return float64(len(s.path)) })
	var measured [][]int
	for i := range st.points {
		of := make([]int, measures)
		for k := range of {
			of[k] = b.add(st, func(s *session) float64 { return s.measure(i, k) })
		}
		measured = append(measured, of)
	}
	b.draw()

	for _, v := range b.cols[align[st.final]].clusters {
		row.ClusterMeans = append(row.ClusterMeans, Number(v))
	}
	for i, p := range st.points {
		a := alignment{checkpoint: checkpoint{p, b.estimate(align[i])}, Reasons: counts(st.reasons[i])}
		a.Normalised = b.normalised(own[i], low[i], high[i])
		row.Alignment = append(row.Alignment, a)
		row.Correctness = append(row.Correctness, checkpoint{p, b.estimate(right[i])})
		row.Prediction = append(row.Prediction, b.prediction(p, measured[i], st.cells[i]))
	}
	if c.compatible() {
		row.Released = releasedMeasures(st)
	}
	if diff >= 0 {
		d := b.difference(diff)
		row.Difference = &d
	}
	row.Interactions = b.estimate(asked)
	reach := b.crossing(st.points, align)
	row.ToTarget = reach.toTarget(c.boot)
	row.Ratio = c.ratio(st, reach)
	row.Asking = c.asking(st)
	row.Adaptivity = c.adaptivity(st)
	row.OffLog = st.offLog()
	row.Cost = st.tallied.spent.cost(c.Manifest.Endpoints)
	row.First = c.firstQuestions(st)
	return row
}

// matched restricts a value to sessions that floor and ceiling have too, and that
// all three have an alignment for.
func (c *computer) matched(point int, value func(s, floor, ceiling *session) float64) func(*session) float64 {
	return func(s *session) float64 {
		if c.floor == nil || c.ceiling == nil {
			return math.NaN()
		}
		f, t := c.floor.at[s.key], c.ceiling.at[s.key]
		if f == nil || t == nil || math.IsNaN(s.align[point]) || math.IsNaN(f.align[0]) || math.IsNaN(t.align[0]) {
			return math.NaN()
		}
		return value(s, f, t)
	}
}

func alignmentAt(point int) func(*session) float64 {
	return func(s *session) float64 { return s.align[point] }
}

// A batch is a set of columns, one a quantity, that are resampled together.
type batch struct {
	*computer
	cols    []column
	samples [][]float64 // of every column
}

// A column holds the cluster means of one quantity.
type column struct {
	clusters     []float64
	units        []float64 // means of units, where these are drawn
	mean         float64
	n, undefined int // sessions
	defined      int // clusters
}

// add makes a column: the mean over seeds within a unit (task and user), then over
// units within a cluster.
func (b *batch) add(st *strategy, value func(*session) float64) int {
	x, unit := make([]float64, len(st.sessions)), make([]int, len(st.sessions))
	var col column
	for i, s := range st.sessions {
		x[i], unit[i] = value(s), s.unit
		if math.IsNaN(x[i]) {
			col.undefined++
		} else {
			col.n++
		}
	}
	units := stats.GroupMeans(x, unit, len(b.cluster))
	col.clusters = stats.GroupMeans(units, b.cluster, b.computer.clusters)
	if b.user != nil {
		col.units = units
	}
	col.mean, col.defined = stats.Mean(col.clusters)
	b.cols = append(b.cols, col)
	return len(b.cols) - 1
}

// draw resamples all columns together: over clusters, or over tasks and users where these
// recur.
func (b *batch) draw() {
	cols := make([][]float64, len(b.cols))
	if b.user != nil {
		for i := range b.cols {
			cols[i], b.cols[i].units = b.cols[i].units, nil
		}
		b.samples = stats.TwoWay{Bootstrap: b.boot, Rows: b.cluster, Columns: b.user}.Means(cols...)
		return
	}
	for i := range b.cols {
		cols[i] = b.cols[i].clusters
	}
	b.samples = b.boot.Means(cols...)
}

func (b *batch) estimate(i int) Estimate {
	c := &b.cols[i]
	e := Estimate{Value: Number(c.mean), N: c.n, Undefined: c.undefined, Clusters: c.defined}
	e.Lo, e.Hi = ends(b.boot, c.defined, func() []float64 { return b.samples[i] })
	return e
}

// normalised is 100 (mean - floor) / (ceiling - floor), undefined where the ceiling
// does not exceed the floor, in every resample anew.
func (b *batch) normalised(own, low, high int) Estimate {
	norm := func(s, f, t float64) float64 {
		if !(t > f) {
			return math.NaN()
		}
		return 100 * (s - f) / (t - f)
	}
	c := &b.cols[own]
	e := Estimate{
		Value: Number(norm(c.mean, b.cols[low].mean, b.cols[high].mean)),
		N:     c.n, Undefined: c.undefined, Clusters: c.defined, Lo: undefined(), Hi: undefined(),
	}
	if !e.Value.Defined() {
		return e
	}
	e.Lo, e.Hi = ends(b.boot, c.defined, func() []float64 {
		x, bad := make([]float64, b.boot.Resamples), 0
		for r := range x {
			x[r] = norm(b.samples[own][r], b.samples[low][r], b.samples[high][r])
			if math.IsNaN(x[r]) && !math.IsNaN(b.samples[own][r]) {
				bad++
			}
		}
		b.narrow = max(b.narrow, bad)
		return x
	})
	return e
}

// A crossing is where a mean curve first reaches the target: NaN where it never does.
type crossing struct {
	value    float64
	samples  []float64 // of every resample: NaN is not known, infinite never; nil under two clusters
	clusters int
}

// crossing finds where the curve over points first reaches the target, which is
// estimated anew in every resample.
func (b *batch) crossing(points, align []int) crossing {
	out := crossing{value: math.NaN()}
	if math.IsNaN(b.target) {
		return out
	}
	x, y := make([]float64, len(points)), make([]float64, len(points))
	for i, p := range points {
		x[i], y[i] = float64(p), b.cols[align[i]].mean
		out.clusters = max(out.clusters, b.cols[align[i]].defined)
	}
	if v, ok := stats.Crossing(x, y, b.target); ok {
		out.value = v
	}
	if out.clusters < noInterval {
		return out
	}
	out.samples = make([]float64, b.boot.Resamples)
	for r := range out.samples {
		known := false
		for i := range points {
			y[i] = b.samples[align[i]][r]
			known = known || !math.IsNaN(y[i])
		}
		out.samples[r] = math.NaN()
		if !known || math.IsNaN(b.targets[r]) {
			continue
		}
		v, ok := stats.Crossing(x, y, b.targets[r])
		if !ok {
			v = math.Inf(1)
		}
		out.samples[r] = v
	}
	return out
}

// shares gives the shares of resamples that never reach the target and that reach it at
// 0, undefined where no resample is known.
func (c *crossing) shares() (never, zero Number) {
	nevers, zeros, n := 0, 0, 0
	for _, v := range c.samples {
		switch {
		case math.IsNaN(v):
			continue
		case math.IsInf(v, 1):
			nevers++
		case v == 0:
			zeros++
		}
		n++
	}
	if n == 0 {
		return undefined(), undefined()
	}
	return Number(float64(nevers) / float64(n)), Number(float64(zeros) / float64(n))
}

// toTarget gives questions to the target with its interval. A resample that never
// reaches it counts as infinite, so that the interval is open where too many do not.
func (c *crossing) toTarget(b stats.Bootstrap) toTarget {
	out := toTarget{Number(c.value), undefined(), undefined(), false, undefined(), undefined()}
	out.Never, out.AtZero = c.shares()
	if !out.Never.Defined() {
		return out
	}
	iv := b.Interval(c.samples)
	out.Lo, out.Hi, out.HiOpen = Number(iv.Lo), Number(iv.Hi), math.IsInf(iv.Hi, 1)
	return out
}

func (b *batch) prediction(questions int, col []int, cells cellCount) prediction {
	p := prediction{
		Questions: questions,
		ValueMAE:  b.estimate(col[valueMAE]), ValueRMSE: b.estimate(col[valueMSE]), HeldMAE: b.estimate(col[heldMAE]),
		Brier: b.estimate(col[brier]), LogScore: b.estimate(col[logScore]),
		UnaskedMAE: b.estimate(col[unaskedMAE]), UnaskedBrier: b.estimate(col[unaskedBri]), UnaskedLog: b.estimate(col[unaskedLog]),
		Cells: cells.cells, UnknownHeld: cells.unknownHeld, HeldCells: cells.held, UnknownValues: cells.unknownValue,
	}
	// The root is monotone, so that the ends of the interval follow.
	for _, v := range []*Number{&p.ValueRMSE.Value, &p.ValueRMSE.Lo, &p.ValueRMSE.Hi} {
		*v = Number(math.Sqrt(float64(*v)))
	}
	for k := minK; k <= maxK; k++ {
		p.At = append(p.At, atK{
			k, b.estimate(col[precisionAt+k-minK]), b.estimate(col[recallAt+k-minK]), b.estimate(col[f1At+k-minK]),
		})
	}
	if b.nominal {
		e := b.estimate(col[levelErr])
		p.LevelError = &e
	}
	return p
}

// warnings puts together what a reader must know before trusting a number.
func (c *computer) warnings() {
	o := c.out
	defer func() { // reasons may be words of a server
		for i, w := range o.Warnings {
			o.Warnings[i] = printable(w)
		}
	}()
	o.Warnings = append([]string{}, c.Manifest.Warnings...)
	add := func(format string, a ...any) { o.Warnings = append(o.Warnings, fmt.Sprintf(format, a...)) }
	switch {
	case o.Sessions.Read == 0:
		add("there are no sessions: every number is undefined")
	case o.Sessions.Planned > 0 && o.Sessions.Read != o.Sessions.Planned:
		add("%d of %d planned sessions are there; these numbers are of an unfinished run", o.Sessions.Read, o.Sessions.Planned)
	}
	o.Warnings = append(o.Warnings, c.Run.warnings...)
	if c.offScale > 0 {
		add("answers outside of what their criterion can take, which count as the nearest value it can: %d", c.offScale)
	}
	o.Warnings = append(o.Warnings, c.extra...)
	c.talkWarnings(add)
	policyWarnings(o, add)
	var empty, ungraded []string
	failed, unscored := map[string]int{}, map[string]int{}
	for i := range o.Strategies {
		row := &o.Strategies[i]
		for _, f := range row.Failed {
			failed[f.What] += f.N
		}
		a := row.final()
		for _, r := range a.Reasons {
			unscored[r.What] += r.N
		}
		switch {
		case row.Sessions == 0 && row.finalFailures == 0:
			empty = append(empty, row.Name)
		case a.N == 0:
			ungraded = append(ungraded, row.Name)
		}
	}
	if n, why := total(failed); n > 0 {
		add("sessions that failed and are left out: %d, most often because: %s", n, why)
	}
	if n, why := total(unscored); n > 0 {
		add("sessions without an alignment at the final checkpoint, which are left out: %d, most often because: %s", n, why)
	}
	if len(ungraded) > 0 {
		add("no session with an alignment at the final checkpoint: %s", strings.Join(ungraded, ", "))
	}
	if len(empty) > 0 && o.Sessions.Read > 0 {
		add("no session of: %s", strings.Join(empty, ", "))
	}
	if o.Sessions.Read > 0 {
		switch {
		case c.clusters < noInterval:
			add("%d %s: no interval can be given", c.clusters, plural(c.clusters, o.Cluster))
		case c.clusters < fewClusters:
			add("few clusters: intervals rest on %d %s and are too narrow", c.clusters, plural(c.clusters, o.Cluster))
		}
		if c.crossed() {
			add("the same users recur across tasks: intervals of means over sessions are over tasks and users; all others, and p-values, are over tasks only and say nothing of other users")
			if n := len(c.users); n < fewClusters {
				add("few users: intervals rest on %d %s and are too narrow", n, plural(n, "user"))
			}
		}
		if c.survey() {
			add("a survey has one task: follow-up adaptivity has no interval")
		}
	}
	if least := c.boot.MinResamples(); o.Resamples < least {
		add("%d resamples are too few for %g%% intervals, which then end at the extremes; report.resamples of %d or more will do", o.Resamples, 100*o.Confidence, least)
	}
	switch {
	case c.floor == nil || c.ceiling == nil:
		add("alignment is not normalised: the run has no %s", strings.Join(missing(c.floor == nil, "floor (kind none)", c.ceiling == nil, "ceiling (kind oracle)"), " and no "))
	case o.Sessions.Read > 0:
		none, scored := true, false
		for i := range o.Strategies {
			e := o.Strategies[i].final().Normalised
			none = none && !e.Value.Defined()
			scored = scored || e.N > 0
		}
		switch {
		case !scored:
			add("alignment is not normalised: no session that floor and ceiling have both scored")
		case none:
			add("alignment is not normalised: the ceiling does not exceed the floor")
		case c.narrow > 0:
			add("the ceiling does not exceed the floor in up to %d of %d resamples, which normalised intervals leave out", c.narrow, o.Resamples)
		}
	}
}

// total sums what was counted, and gives the most frequent reason.
func total(m map[string]int) (n int, most string) {
	for _, c := range counts(m) {
		if n == 0 {
			most = c.What
		}
		n += c.N
	}
	return n, most
}

// simulated lists the roles whose endpoint is a simulator, in manifest order.
func simulated(endpoints []record.Endpoint) []string {
	out := []string{}
	for _, e := range endpoints {
		if e.Simulated && !slices.Contains(out, e.Role) {
			out = append(out, e.Role)
		}
	}
	return out
}

// chosenOnDev names the models that were one of several candidates, in manifest order.
func chosenOnDev(models []record.Model) (out []string) {
	for _, m := range models {
		if len(m.Choice) > 1 && !slices.Contains(out, m.Name) {
			out = append(out, m.Name)
		}
	}
	return out
}

func missing(a bool, what string, b bool, other string) (out []string) {
	if a {
		out = append(out, what)
	}
	if b {
		out = append(out, other)
	}
	return out
}

func plural(n int, what string) string {
	if n == 1 {
		return what
	}
	return what + "s"
}

// list copies, and makes an empty list of a missing one.
func list(in []int) []int { return append([]int{}, in...) }
