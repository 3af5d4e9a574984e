package reports

import (
	"fmt"
	"math"
	"slices"
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
	says     string // one sentence, without the strategy
	same     bool   // passes since nothing changed

	measure     *difference2 // nil: of the sessions
	bound       float64      // how much worse the mean may be
	worse, most float64      // how much worse it is, and may be with confidence 1 - alpha
}

// sessionsLine names the line that says whether there is enough to compare.
const sessionsLine = "sessions"

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
	for _, name := range named {
		c.lines = append(c.lines, c.sessionsOf(name))
	}
	for _, m := range g.metrics {
		list := m.strategies
		if list == nil {
			list = all
		}
		for _, name := range list {
			if d := c.measured(name, m.key); d != nil {
				if m.strategies == nil && d.n == 0 && d.lost == 0 {
					continue // the base has nothing to lose
				}
				c.lines = append(c.lines, c.line(name, &m, d))
			}
		}
	}
	c.correct()
	shown := c.shown()
	for i := range c.lines {
		c.settle(&c.lines[i], shown)
	}
	slices.SortStableFunc(c.lines, func(a, b gateLine) int {
		return slices.Index(named, a.strategy) - slices.Index(named, b.strategy)
	})
}

// measured gives the difference of a strategy in a measure, nil where it is not compared.
func (c *comparer) measured(name, key string) *difference2 {
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
	l := gateLine{strategy: name, metric: sessionsLine, status: lineFail, demand: fmt.Sprintf("%d or more pairs, at most %g%% missing", c.gate.minPairs, 100*c.gate.maxMissing)}
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
func (c *comparer) line(name string, m *gateMetric, d *difference2) gateLine {
	l := gateLine{strategy: name, metric: m.key, measure: d, bound: m.bound, demand: "equal", worse: d.delta, most: math.NaN()}
	if !m.equal {
		l.demand = "max_drop " + fmt.Sprint(m.bound)
		if m.lower {
			l.demand = "max_rise " + fmt.Sprint(m.bound)
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
	var of []*difference2
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
	for i, h := range holm(p) {
		of[i].holm = h
	}
}

// shown gives for every line the chance of being as much worse by more than its bound if
// it were not, corrected over the lines; NaN where that is not tested.
func (c *comparer) shown() map[*difference2]float64 {
	var of []*difference2
	var p []float64
	for i := range c.lines {
		l := &c.lines[i]
		if l.measure == nil || l.bound == 0 || l.measure.why != "" || l.measure.equal || l.measure.certain || l.measure.defined < fewClusters {
			continue
		}
		of, p = append(of, l.measure), append(p, c.above(l.harm(), l.bound))
	}
	out := map[*difference2]float64{}
	for i, h := range holm(p) {
		out[of[i]] = h
	}
	return out
}

// settle says what becomes of a line.
func (c *comparer) settle(l *gateLine, shown map[*difference2]float64) {
	d, g := l.measure, c.gate
	if d == nil {
		return
	}
	change := l.change()
	least := "drop"
	if d.lower {
		least = "rise"
	}
	allowed := fmt.Sprintf("a %s of %g", least, l.bound)
	ofSessions := d.key != followUp.key
	what := "values"
	if !ofSessions {
		what = "tasks with pairs"
	}
	is := func(status, format string, a ...any) { l.status, l.says = status, fmt.Sprintf(format, a...) }
	word := c.clusterWord()
	switch lost := float64(d.lost) / float64(max(d.n+d.lost, 1)); {
	case d.n == 0 && d.lost == 0:
		is(lineFail, "the base has no value to compare with")
	case d.n == 0 && ofSessions:
		is(lineFail, "undefined in the run in all %d sessions that have a value in the base", d.lost)
	case ofSessions && lost > g.maxMissing:
		is(lineFail, "undefined in the run in %d of %d sessions that have a value in the base", d.lost, d.n+d.lost)
	case d.n == 0:
		is(lineUnsettled, "no task has pairs in both runs")
	case d.equal:
		is(linePass, "identical in %d %s", d.n, what)
		l.same, l.most = true, 0
	case l.demand == "equal":
		is(lineFail, "not equal: %s", change)
	case d.defined < fewClusters:
		is(lineUnsettled, "%s; %d %s: under %d nothing can be told", change, d.defined, plural(d.defined, word), fewClusters)
	case d.certain && l.worse > l.bound:
		l.most = l.worse
		is(lineFail, "%s, the same in every %s: more than %g", change, word, l.bound)
	case d.certain:
		l.most = l.worse
		is(linePass, "%s, the same in every %s: within %s", change, word, allowed)
	default:
		x := l.harm()
		l.most = c.upper(x, g.alpha)
		confidence := fmt.Sprintf("%g%%", 100*(1-g.alpha))
		switch {
		case c.below(x, l.bound) <= g.alpha:
			is(linePass, "%s, %s (%s confidence)", change, l.atMost(), confidence)
		case shown[d] <= g.alpha:
			is(lineFail, "%s, %s (%s confidence, Holm): %s is not allowed", change, l.surely(), confidence, "more than "+allowed)
		default:
			is(lineUnsettled, "%s, %s (%s confidence): %s cannot be ruled out with %d %s%s", change, l.atMost(), confidence, allowed, d.defined, plural(d.defined, word), c.needed(x, l, word))
		}
	}
}

// change words the estimate.
func (l *gateLine) change() string {
	d := l.measure
	way := "rose"
	if d.delta < 0 {
		way = "fell"
	}
	if num(Number(math.Abs(d.delta)), fmt.Sprintf("%%.%df", d.places)) == num(0, fmt.Sprintf("%%.%df", d.places)) {
		return fmt.Sprintf("%s to %s: no change in the mean to %d decimals", d.show(d.base), d.show(d.run), d.places)
	}
	return fmt.Sprintf("%s by %s, from %s to %s", way, d.show(math.Abs(d.delta)), d.show(d.base), d.show(d.run))
}

// atMost words how much worse it may be.
func (l *gateLine) atMost() string {
	d := l.measure
	switch {
	case math.IsInf(l.most, 1) || math.IsNaN(l.most):
		return "without any bound on how much worse it is"
	case l.most <= 0:
		return "not worse"
	case d.lower:
		return "a rise of at most " + d.show(l.most)
	}
	return "a drop of at most " + d.show(l.most)
}

// surely words that it is worse than allowed.
func (l *gateLine) surely() string { return fmt.Sprintf("beyond %g", l.bound) }

// needed words how many clusters would settle the line.
func (c *comparer) needed(x []float64, l *gateLine, word string) string {
	n := c.require(x, l.bound)
	switch {
	case n > mostNeeded:
		return ""
	case n > len(x):
		return fmt.Sprintf("; about %d %s would do for a run that is no worse (power %g)", n, plural(n, word), c.gate.power)
	default:
		m := c.require(x, math.Abs(l.bound-l.worse))
		if m <= len(x) || m > mostNeeded {
			return ", which would do for a run that is no worse: the change is too near to the bound to tell"
		}
		return fmt.Sprintf(", which would do for a run that is no worse; about %d would settle a change as large as this (power %g)", m, c.gate.power)
	}
}

// mostNeeded is the largest number of clusters that is worth saying.
const mostNeeded = 100000

// Err says which lines of the gate fail, as a *RegressionError; nil if none does, and
// without a gate.
func (c *RunComparison) Err() error {
	if c.gate == nil {
		return nil
	}
	e := &RegressionError{Gate: c.gate.File, Of: len(c.lines)}
	for i := range c.lines {
		if l := &c.lines[i]; l.failed(c.gate) {
			e.Lines = append(e.Lines, l.sentence())
		}
	}
	if e.Lines == nil {
		return nil
	}
	return e
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
	if l.measure == nil {
		return l.metric
	}
	return l.measure.label
}
