package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"pepbench/reports/stats"
)

// What becomes of a line of a gate.
const (
	linePass      = "pass"
	lineFail      = "fail"
	lineUnsettled = "cannot tell"
)

// A gateLine is one demand of a gate on one strategy.
type gateLine struct {
	strategy string
	metric   string // key, or sessionsLine
	demand   string // max_drop 1
	status   string // one of the line constants
	says     string // one sentence, without strategy and measure
	finding  string // the same in a few words; empty: says is short enough
	same     bool   // passes since nothing changed

	measure     *runDelta // nil: of the sessions
	bound       float64   // how much worse the mean may be
	worse, most float64   // how much worse it is, and may be with confidence 1 - alpha
}

// demandEqual is the demand that nothing changes at all.
const demandEqual = "equal: true"

// sessionsLine names the line that says whether there is enough to compare.
const sessionsLine = "sessions"

// instrumentLine names the line that says that the runs are not measured alike: a run
// that is worse can then look better. There is none where they are.
const instrumentLine = "instrument"

// failed says whether the line fails the gate.
func (l *gateLine) failed(g *Gate) bool {
	return l.status == lineFail || l.status == lineUnsettled && g.unsettled == gateFail
}

// judge holds the differences against the gate.
//
// A line with a bound passes if the mean is shown to be worse by less than the bound: a
// test of noninferiority at alpha, one-sided, by itself. The gate as a whole passes only
// if every line does, so that nothing is to be corrected there (an intersection-union
// test: Berger, Technometrics 24(4), 1982). A line fails if the mean is shown to be worse
// by more than the bound, by the one-sided test the other way, corrected by Holm over the lines of the
// gate. Between the two it cannot be told.
func (c *comparer) judge() {
	g := c.gate
	if g == nil {
		return
	}
	all := g.strategies
	if all == nil {
		for _, r := range c.base.rows {
			all = append(all, r.Name)
		}
	}
	named := slices.Clone(all)
	for _, m := range g.metrics {
		for _, s := range m.strategies {
			if !slices.Contains(named, s) {
				named = append(named, s)
			}
		}
	}
	if why := instruments(c.base, c.run); why != nil && !c.identical {
		c.lines = append(c.lines, gateLine{strategy: "all", metric: instrumentLine, demand: "the same in both", status: lineUnsettled, says: strings.Join(why, "; ")})
	}
	for _, name := range named {
		c.lines = append(c.lines, c.sessionsOf(name))
	}
	for _, m := range g.metrics {
		list, lines := m.strategies, 0
		var without []string
		if list == nil {
			list = all
		}
		for _, name := range list {
			d := c.measured(name, m.key)
			switch {
			case d == nil && !c.pairedRow(name):
				lines++ // which the sessions fail already
			case m.strategies == nil && (d == nil || d.n == 0 && d.lost == 0):
				without = append(without, name) // the base has nothing to lose
			case d == nil:
				c.lines = append(c.lines, gateLine{strategy: name, metric: m.key, demand: "is defined", status: lineFail, says: "not defined on these data"})
				lines++
			default:
				c.lines = append(c.lines, c.line(name, &m, d))
				lines++
			}
		}
		if lines > 0 && without != nil {
			c.untested = append(c.untested, m.label+" of "+series(without))
		}
		if lines == 0 { // else it would pass whatever happens
			c.lines = append(c.lines, gateLine{strategy: "all", metric: m.key, demand: "is defined", status: lineFail, says: "no strategy of the base has a value: take it out of the gate"})
		}
	}
	c.correct()
	shown := c.shown()
	for i := range c.lines {
		c.settle(&c.lines[i], shown)
	}
	slices.SortStableFunc(c.lines, func(a, b gateLine) int { // what is of all comes first
		return slices.Index(named, a.strategy) - slices.Index(named, b.strategy)
	})
}

// pairedRow says whether both runs have sessions of a strategy in common.
func (c *comparer) pairedRow(name string) bool {
	return slices.ContainsFunc(c.rows, func(r comparedRow) bool { return r.name == name && r.pairs > 0 })
}

// measured gives the difference of a strategy in a measure, nil where it is not compared.
func (c *comparer) measured(name, key string) *runDelta {
	for i := range c.rows {
		if c.rows[i].name != name || c.rows[i].pairs == 0 {
			continue
		}
		for k := range c.rows[i].measures {
			if d := &c.rows[i].measures[k]; d.key == key {
				return d
			}
		}
	}
	return nil
}

// sessionsOf says whether a strategy is there to be compared.
func (c *comparer) sessionsOf(name string) gateLine {
	l := gateLine{strategy: name, metric: sessionsLine, status: lineFail, demand: fmt.Sprintf("min_pairs: %d", c.gate.minPairs)}
	i := slices.IndexFunc(c.rows, func(r comparedRow) bool { return r.name == name })
	switch base, run := c.base.row(name), c.run.row(name); {
	case base == nil && run == nil:
		l.says = "neither run has this strategy"
		return l
	case base == nil:
		l.says = "the base does not have this strategy"
		return l
	case run == nil:
		l.says = "the run does not have this strategy any more"
		return l
	}
	r := &c.rows[i]
	missing := fmt.Sprintf("%d of %d sessions of the base are missing in the run", r.missing, r.pairs+r.missing)
	if r.failed != "" {
		missing += " (" + r.failed + ")"
	}
	switch {
	case r.pairs == 0:
		l.says = "no session is in both runs: " + missing
	case float64(r.missing) > c.gate.maxMissing*float64(r.pairs+r.missing):
		l.says = missing
	case r.pairs < c.gate.minPairs:
		l.says = fmt.Sprintf("only %d %s, %d are asked for", r.pairs, pairsWord(r.pairs), c.gate.minPairs)
	default:
		l.status, l.says = linePass, fmt.Sprintf("%d %s", r.pairs, pairsWord(r.pairs))
		l.same = r.missing == 0
	}
	return l
}

func pairsWord(n int) string {
	if n == 1 {
		return "pair of sessions"
	}
	return "pairs of sessions"
}

// line begins a line of a metric; settle ends it.
func (c *comparer) line(name string, m *gateMetric, d *runDelta) gateLine {
	l := gateLine{strategy: name, metric: m.key, measure: d, bound: m.bound, demand: demandEqual, worse: d.delta, most: math.NaN()}
	if !m.equal {
		l.demand = "max_drop: " + fmt.Sprint(m.bound)
		if m.lower {
			l.demand = "max_rise: " + fmt.Sprint(m.bound)
		}
	}
	if !m.lower {
		l.worse = -d.delta
	}
	return l
}

// harm gives how much worse each cluster is.
func (l *gateLine) harm() []float64 {
	x := finite(l.measure.clusters)
	if !l.measure.lower {
		for i := range x {
			x[i] = -x[i]
		}
	}
	return x
}

// correct puts p-values of what the gate names through Holm's procedure.
func (c *comparer) correct() {
	var of []*runDelta
	var p []float64
	for _, l := range c.lines {
		if l.measure != nil && !slices.Contains(of, l.measure) {
			l.measure.gated = true
			if !math.IsNaN(l.measure.p) {
				of, p = append(of, l.measure), append(p, l.measure.p)
			}
		}
	}
	c.family = len(of)
	for i, h := range stats.Holm(p) {
		of[i].holm = h
	}
}

// shown gives for every line the chance of being as much worse by more than its bound if
// it were not, corrected over the lines; NaN where that is not tested.
func (c *comparer) shown() map[*runDelta]float64 {
	var of []*runDelta
	var p []float64
	for i := range c.lines {
		l := &c.lines[i]
		if l.measure == nil || l.bound == 0 || l.measure.n == 0 || l.measure.unchanged || l.measure.certain || l.measure.defined < fewClusters {
			continue
		}
		of, p = append(of, l.measure), append(p, c.above(l.harm(), l.bound))
	}
	out := map[*runDelta]float64{}
	for i, h := range stats.Holm(p) {
		out[of[i]] = h
	}
	return out
}

// settle says what becomes of a line.
func (c *comparer) settle(l *gateLine, shown map[*runDelta]float64) {
	d, g := l.measure, c.gate
	if d == nil {
		return
	}
	word, confidence := c.clusterWord(), fmt.Sprintf("%g%% confidence", 100*(1-g.alpha))
	ofSessions := d.key != followUp.key // a task may lose its pairs for good reason
	what := "sessions"
	if !ofSessions {
		what = "tasks"
	}
	is := func(status, finding, format string, a ...any) {
		l.status, l.finding, l.says = status, finding, fmt.Sprintf(format, a...)
	}
	switch lost := float64(d.lost) / float64(max(d.n+d.lost, 1)); {
	case d.n == 0 && d.lost == 0:
		is(lineFail, "undefined in the base", "the base has no value to compare with")
	case ofSessions && lost > g.maxMissing:
		is(lineFail, fmt.Sprintf("undefined in %d of %d sessions", d.lost, d.n+d.lost), "undefined in the run in %d of %d sessions that have a value in the base", d.lost, d.n+d.lost)
	case d.n == 0:
		is(lineUnsettled, "no task has pairs", "no task has pairs in both runs")
	case ofSessions && d.n < g.minPairs:
		is(lineUnsettled, fmt.Sprintf("%d %s with a value, %d asked for", d.n, pairsWord(d.n), g.minPairs), "only %d %s have a value in both, %d are asked for", d.n, pairsWord(d.n), g.minPairs)
	case l.demand == demandEqual && (!d.unchanged || !ofSessions && !d.equal):
		is(lineFail, "not equal", "not equal: %s", l.change())
	case d.unchanged:
		is(linePass, "identical", "identical in %d %s", d.n, what)
		l.same, l.most = true, 0
	case d.defined < fewClusters:
		is(lineUnsettled, fmt.Sprintf("%d %s, %d or more needed", d.defined, plural(d.defined, word), fewClusters),
			"%s; with %d %s nothing can be told, %d or more are needed", l.change(), d.defined, plural(d.defined, word), max(fewClusters, c.require(l.harm(), l.bound)))
	case d.certain && l.worse > l.bound:
		l.most = l.worse
		is(lineFail, fmt.Sprintf("worse, the same in every %s", word), "%s, the same in every %s: more than allowed", l.change(), word)
	case d.certain:
		l.most = l.worse
		is(linePass, fmt.Sprintf("the same in every %s", word), "%s, the same in every %s", l.change(), word)
	default:
		x := l.harm()
		l.most = c.upper(x, g.alpha)
		switch {
		case c.below(x, l.bound) <= g.alpha:
			is(linePass, "within the bound", "%s, and at most %s worse (%s)", l.change(), d.show(max(l.most, 0)), confidence)
		case shown[d] <= g.alpha:
			is(lineFail, "worse than allowed", "%s, which is worse by more than %g (%s, by Holm over the gate)", l.change(), l.bound, confidence)
		default:
			need, more := c.needed(x, l, word)
			is(lineUnsettled, need, "%s, and at most %s worse (%s): %d %s show neither more nor less than %g%s", l.change(), d.show(l.most), confidence, d.defined, plural(d.defined, word), l.bound, more)
		}
	}
}

// change words the estimate.
func (l *gateLine) change() string {
	d := l.measure
	by := d.show(math.Abs(d.delta))
	switch {
	case by == d.show(0):
		return fmt.Sprintf("%s to %s", d.show(d.base), d.show(d.run))
	case d.delta < 0:
		return fmt.Sprintf("fell by %s, from %s to %s", by, d.show(d.base), d.show(d.run))
	}
	return fmt.Sprintf("rose by %s, from %s to %s", by, d.show(d.base), d.show(d.run))
}

// needed words how many clusters would settle the line: those that pass a run which is no
// worse, or, where there are as many, or that would be too many, those that tell a change
// as large as the one found from the bound.
func (c *comparer) needed(x []float64, l *gateLine, word string) (finding, more string) {
	has := fmt.Sprintf("%d %s", len(x), plural(len(x), word))
	n, m := c.require(x, l.bound), c.require(x, math.Abs(l.bound-l.worse))
	enough := n > 0 && n <= len(x)
	switch {
	case n > len(x) && n <= mostNeeded:
		return fmt.Sprintf("%s, about %d needed", has, n),
			fmt.Sprintf("; about %d %s are needed to pass a run that is no worse (power %g)", n, plural(n, word), c.gate.power)
	case m > len(x) && m <= mostNeeded:
		finding = fmt.Sprintf("%s, about %d needed", has, m)
		if enough {
			finding = fmt.Sprintf("near the bound, about %d %s needed", m, plural(m, word))
		}
		return finding, fmt.Sprintf("; about %d %s are needed to tell a change as large as this from the bound (power %g)", m, plural(m, word), c.gate.power)
	case enough:
		return "too near to the bound", "; the change is too near to that to say how many would do"
	}
	return "the bound is finer than any number of " + word + "s tells", "; the bound is finer than any number of " + word + "s tells"
}

// mostNeeded is the largest number of clusters that anybody could run.
const mostNeeded = 100000

// Err says which lines of the gate fail, as a *RegressionError; nil if none does, and
// without a gate.
func (c *RunComparison) Err() error {
	if c.gate == nil {
		return nil
	}
	e := &RegressionError{Gate: c.gate.File, Of: len(c.lines)}
	for _, status := range []string{lineFail, lineUnsettled} {
		for i := range c.lines {
			if l := &c.lines[i]; l.status == status && l.failed(c.gate) {
				e.Lines = append(e.Lines, fmt.Sprintf("%s %s (%s)", l.strategy, l.label(), l.found(c.gate.alpha)))
			}
		}
	}
	if e.Lines == nil {
		return nil
	}
	return e
}

// found is the finding in a few words.
func (l *gateLine) found(alpha float64) string {
	s := cmp.Or(l.finding, l.says)
	switch {
	case l.status != lineUnsettled:
	case l.measure != nil && l.measure.verdict(alpha) == "worse":
		s = "worse, cannot tell how much: " + s
	default:
		s = "cannot tell: " + s
	}
	return s
}

// sentence is the whole line in words.
func (l *gateLine) sentence() string {
	s := fmt.Sprintf("%s %s", l.strategy, l.label())
	if l.status == lineUnsettled {
		s += ", cannot tell"
	}
	return s + ": " + l.says
}

func (l *gateLine) label() string {
	if i := slices.IndexFunc(gated(), func(m pairedMeasure) bool { return m.key == l.metric }); i >= 0 {
		return gated()[i].label
	}
	return l.metric
}
