package reports

import (
	"fmt"
	"strconv"
	"strings"

	"pepbench/domains"
)

// callsTable has a row a role: what was asked of models, and what could not be read.
// Without models it has no rows.
func callsTable(m *Metrics) *grid {
	g := &grid{name: "calls", head: []string{"Role", "Model", "Calls", "A session", "Repairs", "Unread", "Unread (%)", "Tokens in", "Tokens out", "Dollars"}}
	whole := func(v Number, less int, why string) cell {
		if !v.Defined() {
			return g.none("%s", why)
		}
		return cell{value: num(v, "%.0f"), note: less}
	}
	const uncounted = "no server said how many tokens it took"
	var group [][]cell
	for i := range m.Calls {
		c := &m.Calls[i]
		unread := cell{value: strconv.Itoa(c.Unread)}
		if c.Unread > 0 {
			var why []string
			for _, r := range c.Reasons[:min(len(c.Reasons), 3)] {
				why = append(why, fmt.Sprintf("%s (%d)", r.What, r.N))
			}
			unread.note = g.note("%s: %s", c.Role, strings.Join(why, "; "))
		}
		less := 0
		if c.Uncounted > 0 && (c.TokensIn.Defined() || c.TokensOut.Defined()) {
			less = g.note("%s: the tokens of %d of %d calls are missing, which no server counted", c.Role, c.Uncounted, c.Calls)
		}
		dollars := cell{value: num(c.Dollars, "%.2f")}
		switch {
		case c.Dollars.Defined():
		case less > 0:
			dollars = cell{value: dash, note: less}
		case !c.TokensIn.Defined() || !c.TokensOut.Defined():
			dollars = g.none(uncounted)
		default:
			dollars = g.none("the configuration gives no price of the model")
		}
		group = append(group, []cell{
			{value: c.Role},
			{value: c.Model},
			{value: strconv.Itoa(c.Calls)},
			{value: num(c.PerSession, "%.1f")},
			{value: strconv.Itoa(c.Repairs)},
			unread,
			{value: percentOf(c)},
			whole(c.TokensIn, less, uncounted), whole(c.TokensOut, less, uncounted), dollars,
		})
	}
	if group != nil {
		g.groups = append(g.groups, group)
	}
	g.caption = fmt.Sprintf("Logical calls to models by role in %s on %s.", sessionsOf(m), describe(m)) +
		" A call is counted once, whether a server or a cache answered it. Repairs are calls of them that asked again for a reply that could not be read; what remained unread after two is unscored, with its reason, and never a default. Tokens as the servers count them; dollars as if nothing had come from a cache."
	if m.Judges != nil {
		g.caption += fmt.Sprintf(" Judge and correctness were called here; the other roles by the run %s, whose responses these are.", m.Judges.Of)
	}
	if m.Sessions.Failed > 0 {
		g.caption += fmt.Sprintf(" Sessions that failed: %d %s, whose calls count here.", m.Sessions.Failed, plural(m.Sessions.Failed, "session"))
	}
	if n := notice(m); n != "" {
		g.caption += " " + n
	}
	g.paperCaption = g.caption
	return g
}

// sessionsOf counts the sessions whose calls are counted.
func sessionsOf(m *Metrics) string {
	n := m.Sessions.Read
	for _, c := range m.Sessions.Unknown {
		n -= c.N
	}
	return fmt.Sprintf("%d %s", n, plural(n, "session"))
}

// percentOf is the share of unread requests in percent.
func percentOf(c *roleCalls) string {
	p := 100 * c.share()
	if p > 0 && p < .05 {
		return "<0.1"
	}
	return fmt.Sprintf("%.1f", p)
}

func callsCSV(m *Metrics) [][]string {
	lines := [][]string{{"role", "model", "measure", "value"}}
	for i := range m.Calls {
		c := &m.Calls[i]
		add := func(measure string, v Number) { lines = append(lines, []string{c.Role, c.Model, measure, raw(v)}) }
		add("calls", Number(c.Calls))
		add("calls_per_session", c.PerSession)
		add("requests", Number(c.Requests))
		add("repairs", Number(c.Repairs))
		add("unread", Number(c.Unread))
		add("tokens_in", c.TokensIn)
		add("tokens_out", c.TokensOut)
		if c.Uncounted > 0 {
			add("uncounted", Number(c.Uncounted))
		}
		add("dollars", c.Dollars)
		for _, r := range c.Reasons {
			add("unread: "+r.What, Number(r.N))
		}
	}
	return lines
}

// probeWords say what each check of the probes compares.
var probeWords = map[string]string{
	"again":       "a request, and the same once more",
	"position":    "criteria in order, and reversed",
	"verbosity":   "a response, and the same among neutral sentences",
	"batching":    "a call for each criterion, and one for all",
	"sensitivity": "plainly less, and plainly more",
}

// judgeTable has what is known of the judge by itself: how far its repeats agree, and
// how it took the probes. A run without either has no rows.
func judgeTable(m *Metrics) *grid {
	g := &grid{name: "judge", head: []string{"Check", "What is compared", "Pairs", "Unscored", "Agree (%)", "Mean shift", "Alpha, ordinal", "Alpha, interval"}}
	empty := cell{}
	if r := m.Repeats; r != nil {
		const why = "there are no grades to compare, or all are the same"
		g.groups = append(g.groups, [][]cell{{
			{value: "repeats"},
			{value: fmt.Sprintf("%d draws of every grade of the run", r.Repeats)},
			{value: strconv.Itoa(r.Units)},
			{value: strconv.Itoa(r.Unscored)},
			g.pooled(r.Exact, 100, "%.1f", why), empty, g.pooled(r.Ordinal, 1, "%.3f", why), g.pooled(r.Interval, 1, "%.3f", why),
		}})
	}
	if m.Probes != nil {
		var group [][]cell
		for _, c := range m.Probes.Checks {
			row := []cell{{value: c.Name}, {value: probeWords[c.Name]}, {value: strconv.Itoa(c.Pairs)}, {value: strconv.Itoa(c.Unscored)}, empty, empty, empty, empty}
			switch {
			case c.Pairs > 0:
				row[4], row[5] = cell{value: fmt.Sprintf("%.1f", 100*float64(c.Agree)/float64(c.Pairs))}, cell{value: num(Number(*c.Shift), "%+.2f")}
			case c.Unscored > 0:
				row[4], row[5] = g.none("no pair was graded"), g.none("no pair was graded")
			default:
				row[4], row[5] = g.none("the judge gets one criterion a call"), g.none("the judge gets one criterion a call")
			}
			group = append(group, row)
		}
		g.groups = append(g.groups, group)
	}
	g.caption = fmt.Sprintf("The judge of %s by itself: %s.", m.Name, m.Judge) + origin(m)
	if m.Repeats != nil {
		g.caption += " Repeats: units are a session, a checkpoint and a criterion with two graded draws or more; agreement is the share of units with one grade throughout; alpha is Krippendorff's, 1 for perfect agreement and 0 for that of chance; unscored counts draws; all units together." +
			fmt.Sprintf(" Elsewhere a grade is the mean of its graded draws (units that lack some: %d; units with fewer than two: %d).", m.Repeats.Partial, m.Repeats.Unpaired) + brackets(m) + failures(m)
	}
	if m.Probes != nil {
		g.caption += fmt.Sprintf(" Probes: %d made-up responses, one draw a call; agreement is the share of pairs of equal grades (sensitivity: in the right order), the shift is second minus first, in %s; unscored counts pairs; what the same request drawn again moves is noise, and the other checks are to be held against it.", m.Probes.Responses, probeUnit(m.Probes.Rubric))
	}
	if n := notice(m); n != "" {
		g.caption += " " + n
	}
	g.paperCaption = g.caption
	return g
}

// probeUnit is what a grade of a probe is counted in.
func probeUnit(rubric string) string {
	if rubric == string(domains.Amount) {
		return "levels"
	}
	return "points of the score"
}

// brackets says what the intervals of pooled statistics are.
func brackets(m *Metrics) string {
	if n := clusters(m); n < noInterval {
		return fmt.Sprintf(" %d %s: no intervals.", n, plural(n, m.Cluster))
	}
	return fmt.Sprintf(" Brackets: %g%% percentile intervals, bootstrap over %ss%s, %d resamples.", 100*m.Confidence, m.Cluster, tooFew(m), m.Resamples)
}

// pooled is a cell of a statistic in some unit.
func (g *grid) pooled(p pooled, times float64, format, why string) cell {
	if !p.Value.Defined() {
		return g.none("%s", why)
	}
	scaled := func(v Number) Number { return v * Number(times) }
	return cell{value: num(scaled(p.Value), format), interval: interval(scaled(p.Lo), scaled(p.Hi), format)}
}

func judgeCSV(m *Metrics) [][]string {
	lines := [][]string{{"check", "measure", "value", "lo", "hi", "pairs", "unscored"}}
	add := func(check, measure string, p pooled, pairs, unscored int) {
		lines = append(lines, []string{check, measure, raw(p.Value), raw(p.Lo), raw(p.Hi), strconv.Itoa(pairs), strconv.Itoa(unscored)})
	}
	if r := m.Repeats; r != nil {
		add("repeats", "agreement", r.Exact, r.Units, r.Unscored)
		add("repeats", "alpha_ordinal", r.Ordinal, r.Units, r.Unscored)
		add("repeats", "alpha_interval", r.Interval, r.Units, r.Unscored)
	}
	if m.Probes != nil {
		for _, c := range m.Probes.Checks {
			agree, shift := undefined(), undefined()
			if c.Pairs > 0 {
				agree, shift = Number(float64(c.Agree)/float64(c.Pairs)), Number(*c.Shift)
			}
			add(c.Name, "agreement", pooled{agree, undefined(), undefined()}, c.Pairs, c.Unscored)
			add(c.Name, "shift", pooled{shift, undefined(), undefined()}, c.Pairs, c.Unscored)
		}
	}
	return lines
}

// judgesTable compares the judge with the one who graded the same responses before: a
// row a strategy, and in the caption how far they agree on single grades. Only a run
// that graded responses again has rows.
func judgesTable(m *Metrics) *grid {
	g := &grid{name: "judges", texts: 1, head: []string{"Strategy", "Former judge", "This judge", "This - former", "Rank, former", "Rank, this"}}
	j := m.Judges
	if j == nil {
		return g
	}
	by := map[string]*judgedRow{}
	for i := range j.Rows {
		by[j.Rows[i].Strategy] = &j.Rows[i]
	}
	shown := &shownDifferences{m: m}
	for _, rows := range blocks(m) {
		var group [][]cell
		for _, r := range rows {
			of := by[r.Name]
			place := func(n int) cell {
				if n == 0 {
					return g.none("no session with an alignment")
				}
				return cell{value: strconv.Itoa(n)}
			}
			diff := func() cell {
				if !of.Difference.Value.Defined() {
					return g.none("no session with an alignment under both")
				}
				return of.Difference.cell(1)
			}
			shown.add("", &of.Difference, true)
			group = append(group, []cell{
				g.named(m, r),
				g.estimate(of.Before, "%.1f", "no session with an alignment"), g.estimate(of.After, "%.1f", "no session with an alignment"),
				diff(), place(of.RankBefore), place(of.RankAfter),
			})
		}
		g.groups = append(g.groups, group)
	}
	g.caption = captionOver(m, fmt.Sprintf("Two judges on the same responses on %s: mean alignment", describe(m)), sessionsOver(m, "agreement")) + unscored(m) +
		fmt.Sprintf(" Former judge: %s. This judge: %s.", j.Before, j.After) +
		" Differences are paired by session." + shown.legend() + " " + j.words() + " Grades are of one session, checkpoint and criterion: " + gradeWords(m) + "."
	g.paperCaption, g.foot = g.caption, shown.foot()
	return g
}

// gradeWords say what a grade is.
func gradeWords(m *Metrics) string {
	if m.Data.Rubric == string(domains.Amount) {
		return "the level found, 1 to 5, from which and what is wanted the score follows; of a judge that repeats, the mean of its draws"
	}
	return "the score, 1 to 5; of a judge that repeats, the mean of its draws"
}

// words says how far the judges agree on single grades and on the order of strategies.
func (j *judged) words() string {
	if j.Units == 0 {
		return fmt.Sprintf("No grade that both gave (unscored: %d former, %d this).", j.NoBefore, j.NoAfter)
	}
	of := func(p pooled, times float64, format, unit string) string {
		g := &grid{}
		c := g.pooled(p, times, format, "")
		if c.note > 0 {
			return "undefined (there is one grade alone)"
		}
		c.value += unit
		return c.text()
	}
	return fmt.Sprintf("Of %d grades that both gave, %s are equal and %s within one; Krippendorff's alpha (ordinal) %s, Spearman's correlation %s, mean shift (this - former) %s; unscored: %d former, %d this. %s",
		j.Units, of(j.Exact, 100, "%.1f", "%"), of(j.Near, 100, "%.1f", "%"), of(j.Ordinal, 1, "%.3f", ""), of(j.Spearman, 1, "%.3f", ""), of(j.Shift, 1, "%+.2f", ""), j.NoBefore, j.NoAfter, j.order())
}

// order says whether the judges put the strategies in the same order.
func (j *judged) order() string {
	o := &j.Order
	switch {
	case o.Pairs == 0:
		return "There are no two strategies that both have graded."
	case o.Reversed == 0 && o.Tied == 0:
		return "Both put the strategies in the same order."
	}
	s := fmt.Sprintf("They put %d of %d pairs of strategies in opposite orders", o.Reversed, o.Pairs)
	if o.Tied > 0 {
		s += fmt.Sprintf(", and of %d one of them alone sees no difference", o.Tied)
	}
	return s + "."
}

func judgesCSV(m *Metrics) [][]string {
	t := newTidy()
	j := m.Judges
	if j == nil {
		return t.lines
	}
	rows := map[string]*Row{}
	for i := range m.Strategies {
		rows[m.Strategies[i].Name] = &m.Strategies[i]
	}
	for i := range j.Rows {
		r := &j.Rows[i]
		t.row = rows[r.Strategy]
		last := t.row.final().Questions
		t.estimate("alignment_former_judge", last, r.Before)
		t.estimate("alignment_this_judge", last, r.After)
		t.estimate("alignment_difference", last, r.Difference.Estimate)
		t.test("alignment_difference", last, &r.Difference)
	}
	t.row = &Row{}
	all := func(measure string, p pooled) {
		t.add(measure, m.Horizon, p.Value, p.Lo, p.Hi, int64(j.Units), j.Lost, clusters(m))
	}
	all("grades_equal", j.Exact)
	all("grades_within_one", j.Near)
	all("alpha_ordinal", j.Ordinal)
	all("spearman", j.Spearman)
	all("mean_shift", j.Shift)
	return t.lines
}

// unread is the line of the terminal about requests without a readable reply, or
// nothing.
func unread(m *Metrics) string {
	var parts []string
	for i := range m.Calls {
		if c := &m.Calls[i]; c.Unread > 0 {
			parts = append(parts, fmt.Sprintf("%s %d (%s%%)", c.Role, c.Unread, percentOf(c)))
		}
	}
	if parts == nil {
		return ""
	}
	return "unread replies: " + strings.Join(parts, ", ")
}

// aboutJudge are the lines of the terminal about the judge.
func aboutJudge(m *Metrics) (out []string) {
	if r := m.Repeats; r != nil && r.Exact.Value.Defined() {
		alpha := "undefined"
		if r.Ordinal.Value.Defined() {
			alpha = num(r.Ordinal.Value, "%.2f")
		}
		out = append(out, fmt.Sprintf("%d repeats of the judge agree on %s%% of %d grades (alpha %s)", r.Repeats, num(100*r.Exact.Value, "%.1f"), r.Units, alpha))
	}
	if j := m.Judges; j != nil {
		out = append(out, fmt.Sprintf("Responses of %s, graded again by %s. %s More in tables/judges.md.", j.Of, j.After, j.words()))
	}
	return out
}
