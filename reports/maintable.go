package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// unknownWhy says why an alignment is missing.
func unknownWhy(r *Row) string {
	switch a := r.final(); {
	case r.Sessions == 0 && r.finalFailures > 0:
		return fmt.Sprintf("all %d sessions failed", r.finalFailures)
	case r.Sessions == 0:
		return "no sessions"
	case len(a.Reasons) > 0:
		return fmt.Sprintf("none of %d sessions could be graded (%s)", r.Sessions, a.Reasons[0].What)
	}
	return "undefined"
}

func mainTable(m *Metrics) *grid {
	const never, unscored = "Never / at 0 (%)", "Unscored"
	g := &grid{name: "main"}
	g.head = []string{
		"Strategy", "Predicts from", "Alignment", "Normalised", "Questions", "Questions to target",
		never, "Adaptivity", "Pairs", "F1@5", unscored, "Difference",
	}
	for _, rows := range blocks(m) {
		var group [][]cell
		for _, r := range rows {
			group = append(group, []cell{
				g.named(m, r),
				{value: r.Predict},
				g.estimate(r.final().Estimate, "%.1f", unknownWhy(r)),
				g.normalised(m, r),
				g.asked(r),
				g.toTarget(m, r),
				g.never(m, r),
				g.adaptivity(r),
				{value: strconv.FormatInt(r.Adaptivity.Pairs, 10)},
				g.estimate(r.predicted().at(tableK).F1, "%.3f", "no session with a completed dialogue and a held criterion"),
				g.unscored(r),
				g.difference(m, r),
			})
		}
		g.groups = append(g.groups, group)
	}
	what := captionOver(m, fmt.Sprintf("Main results on %s", describe(m)), sessionsOver(m, "adaptivity"))
	g.caption, g.paperCaption = what+mainLegend(m, false), what+mainLegend(m, true)
	g.aside = []string{never, "Pairs", unscored}
	g.foot = significance(m).foot()
	return g
}

func (g *grid) normalised(m *Metrics, r *Row) cell {
	e := r.final().Normalised
	if e.Value.Defined() {
		return g.estimate(e, "%.1f", "")
	}
	switch {
	case m.Floor == "" || m.Ceiling == "":
		return g.none("not normalised: the run has no %s", strings.Join(missing(m.Floor == "", "floor", m.Ceiling == "", "ceiling"), " and no "))
	case e.N == 0:
		return g.none("not normalised: no session that floor and ceiling have scored too")
	}
	return g.none("not normalised: the ceiling does not exceed the floor")
}

func (g *grid) asked(r *Row) cell {
	if !r.Interactions.Value.Defined() {
		return g.none("%s", unknownWhy(r))
	}
	return cell{value: num(r.Interactions.Value, "%.2f")}
}

func (g *grid) toTarget(m *Metrics, r *Row) cell {
	t := r.ToTarget
	switch {
	case m.Target.Strategy == "":
		return g.none("the run names no target")
	case !m.Target.Alignment.Value.Defined():
		return g.none("the target, the final alignment of %s, is undefined", m.Target.Strategy)
	case r.final().N == 0:
		return g.none("%s", unknownWhy(r))
	case !t.Value.Defined() && r.fixed():
		return g.none("asks nothing and does not reach the target")
	case !t.Value.Defined():
		return g.none("the mean curve does not reach the target within %d questions", m.Horizon)
	}
	c := cell{value: num(t.Value, "%.2f")}
	switch {
	case t.Lo.Defined() && t.HiOpen:
		c.interval = fmt.Sprintf("[%s, >%d]", num(t.Lo, "%.2f"), m.Horizon)
	case t.HiOpen:
		c.interval = fmt.Sprintf("[>%d, >%d]", m.Horizon, m.Horizon)
	default:
		c.interval = interval(t.Lo, t.Hi, "%.2f")
	}
	return c
}

func (g *grid) never(m *Metrics, r *Row) cell {
	t := r.ToTarget
	if !t.Never.Defined() {
		if c := g.toTarget(m, r); c.note > 0 {
			return c
		}
		return g.none("no resamples under two clusters")
	}
	return cell{value: num(100*t.Never, "%.0f") + " / " + num(100*t.AtZero, "%.0f")}
}

func (g *grid) adaptivity(r *Row) cell {
	a := r.Adaptivity
	switch {
	case a.Value.Defined():
		return cell{value: num(a.Value, "%.3f"), interval: interval(a.Lo, a.Hi, "%.3f")}
	case r.fixed():
		return g.none("asks nothing")
	}
	return g.none("no pair of sessions with equal dialogues but for the last answer")
}

func (g *grid) unscored(r *Row) cell {
	c := cell{value: strconv.Itoa(r.final().Undefined)}
	if r.finalFailures > 0 {
		c.note = g.note("besides %d failed %s", r.finalFailures, plural(r.finalFailures, "session"))
	}
	return c
}

// isReference stands for the difference of the reference to itself.
const isReference = "reference"

func (g *grid) difference(m *Metrics, r *Row) cell {
	switch {
	case m.Reference == "":
		return g.none("the run names no reference")
	case r.Name == m.Reference:
		return cell{value: isReference}
	case r.Difference == nil || !r.Difference.Value.Defined():
		return g.none("no session that this strategy and the reference have both scored")
	}
	return r.Difference.cell(1)
}

// cell shows a difference that has a value, with so many decimals and its mark.
func (d *difference) cell(places int) cell {
	signed, plain := fmt.Sprintf("%%+.%df", places), fmt.Sprintf("%%.%df", places)
	out := cell{mark: d.mark(), p: pWords(d.p())}
	if !d.Resolved {
		out.value, out.interval = num(d.Value, signed), interval(d.Lo, d.Hi, plain)
		return out
	}
	out.value = num(d.Value, fmt.Sprintf("%%+.%df", decimals(places, d.Value)))
	out.interval = interval(d.Lo, d.Hi, fmt.Sprintf("%%.%df", decimals(places, d.Lo, d.Hi)))
	return out
}

// decimals is places, or one or two more where some number would be shown as 0.
func decimals(places int, values ...Number) int {
	for n := places; n < places+2; n++ {
		if !slices.ContainsFunc(values, func(v Number) bool {
			return math.Abs(float64(v)) < .5*math.Pow10(-n)
		}) {
			return n
		}
	}
	return places + 2
}

// mainLegend explains the columns; on paper those that stay, and in a sentence what
// was left out.
func mainLegend(m *Metrics, paper bool) string {
	s := " Alignment: 0 to 100, mean of " + m.Cluster + " means"
	if m.Floor != "" && m.Ceiling != "" {
		s += fmt.Sprintf("; normalised: 0 is %s, 100 is %s", m.Floor, m.Ceiling)
	}
	s += "."
	if m.Target.Strategy != "" && m.Target.Alignment.Value.Defined() {
		s += fmt.Sprintf(" Target: the final alignment of %s (%s)", m.Target.Strategy, num(m.Target.Alignment.Value, "%.1f"))
		if !paper {
			s += fmt.Sprintf("; never / at 0: share of resamples that do not reach it within %d questions, or reach it before the first", m.Horizon)
		}
		s += "."
	}
	s += " Adaptivity: share of pairs of sessions with the same dialogue but for the last answer that go on differently." + strings.Replace(chance(m), drawn, strings.TrimSuffix(drawn, ".")+": table adaptivity corrects for that.", 1)
	if paper {
		s += unscored(m)
	} else {
		s += " Unscored: sessions without an alignment, which are left out."
	}
	if m.Reference != "" {
		s += fmt.Sprintf(" Difference: in alignment, to %s, paired by session.", m.Reference) + significance(m).legend()
	}
	return s
}

// drawn says why random questions are adaptive by the plain share.
const drawn = " Random questions differ by the draw, whatever was answered."

// chance says what of the follow-up adaptivity is no adapting to answers, or is empty.
func chance(m *Metrics) (s string) {
	random, static, ended := false, false, false
	for i := range m.Strategies {
		switch r := &m.Strategies[i]; {
		case !(r.Adaptivity.Value > 0):
		case r.Kind == "random":
			random = true
		case r.Kind == "static":
			ended = ended || r.Adaptivity.EarlyStops > 0
			static = static || r.Adaptivity.Differing > r.Adaptivity.EarlyStops
		}
	}
	if random {
		s += drawn
	}
	if static {
		s += " Not every user can be asked everything, so that a fixed order goes on differently too."
	}
	if ended {
		s += " Where one session of a pair ended it goes on differently, also in a fixed order."
	}
	return s
}

// unscored counts the sessions that have no alignment in the end, or is empty.
func unscored(m *Metrics) string {
	n, all := 0, 0
	for i := range m.Strategies {
		r := &m.Strategies[i]
		n += r.final().Undefined
		all += r.Sessions
	}
	return wanting(n, all)
}

// wanting says how many sessions have no alignment, or nothing.
func wanting(n, all int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" Left out for want of an alignment: %d of %d sessions.", n, all)
}

// failures counts the sessions that are behind no number at all, or is empty.
func failures(m *Metrics) string {
	n := 0
	for i := range m.Strategies {
		n += m.Strategies[i].finalFailures
	}
	return broken(n)
}

// broken says how many sessions failed, or nothing.
func broken(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" Left out because they failed: %d %s.", n, plural(n, "session"))
}
