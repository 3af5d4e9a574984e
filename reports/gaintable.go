package reports

import (
	"fmt"
	"slices"
	"strconv"
)

// after says how many questions the numbers of comparisons are after: 3, 5 and 10
// questions.
func after(questions []int) string {
	var words []string
	for _, n := range questions {
		words = append(words, strconv.Itoa(n))
	}
	return series(words) + " " + plural(questions[len(questions)-1], "question")
}

// nominal reports whether the run has a nominal criterion of which something is
// predicted.
func (m *Metrics) nominal() bool {
	return len(m.Strategies) > 0 && m.Strategies[0].Prediction[0].LevelError != nil
}

// measureLegend explains the measures that are shown.
func measureLegend(list []comparedMeasure) string {
	s := " Value error: mean absolute error of the values of all held criteria, told ones included, in their units."
	for _, c := range list {
		switch c.place {
		case brier:
			s += " Relevance error: Brier score of P(held), where it is known."
		case levelErr:
			s += " Level error: 1 - P(true level | held) of nominal criteria, which have no value error."
		}
	}
	return s
}

// shownMeasures are the measures of comparisons that tables have: without relevance
// where every criterion is held.
func shownMeasures(m *Metrics) []comparedMeasure {
	list, all := comparedMeasures(m.nominal()), m.allHeld()
	return slices.DeleteFunc(list, func(c comparedMeasure) bool { return all && !c.ofValues() })
}

// paperRows is how many rows a table of several numbers of questions may have on
// paper; a longer one shows the last number alone.
const paperRows = 45

// onPaper gives the numbers of questions that LaTeX shows of so many rows, and the
// sentence that says what it does not.
func onPaper(m *Metrics, rows int, table string) (questions []int, rest string) {
	if n := len(m.ComparedAt); n > 1 && rows*n > paperRows {
		return m.ComparedAt[n-1:], fmt.Sprintf(" Other numbers of questions are in %s.csv.", table)
	}
	return m.ComparedAt, ""
}

// paperQuestions heads the column of numbers of questions on paper.
const paperQuestions = "Questions"

// bare leaves out the column of numbers of questions if there is one number only,
// which the caption has.
func (g *grid) bare(questions []int) *grid {
	if len(questions) > 1 {
		return g
	}
	g.aside, g.paperCaption = []string{paperQuestions}, g.caption
	return g.paper()
}

// gainTable has one row for two strategies that are compared, and a column for each
// measure after so many questions. Without a comparison it has no rows. On paper a
// run with static twins shows the adaptive gain alone, one row a number of questions.
func gainTable(m *Metrics) *grid {
	g := &grid{name: "gain", head: []string{"Strategy", "Against"}}
	list := slices.DeleteFunc(shownMeasures(m), func(c comparedMeasure) bool { return c.aside })
	for _, c := range list {
		for _, n := range m.ComparedAt {
			g.head = append(g.head, fmt.Sprintf("%s @%d", c.short, n))
		}
	}
	type pair struct {
		r     *Row
		first *Comparison
		all   []Comparison
	}
	var pairs, twins [][]pair
	rows, adaptive := 0, 0
	shown, own := &shownDifferences{m: m}, &shownDifferences{m: m} // of all, and of twins
	for i := range m.Comparisons {
		c := &m.Comparisons[i]
		if slices.ContainsFunc(list, func(of comparedMeasure) bool { return of.name == c.Measure }) {
			shown.add("", &c.difference, c.Measure == "alignment")
			if c.Why == whyTwin {
				own.add("", &c.difference, c.Measure == "alignment")
			}
		}
	}
	for _, block := range blocks(m) {
		var of, own []pair
		for _, r := range block {
			for rest := m.of(r.Name); len(rest) > 0; {
				n := slices.IndexFunc(rest, func(c Comparison) bool { return c.Against != rest[0].Against })
				if n < 0 {
					n = len(rest)
				}
				p := pair{r, &rest[0], rest[:n]}
				of = append(of, p)
				if rest[0].Why == whyTwin {
					own = append(own, p)
				}
				rest = rest[n:]
			}
		}
		if of != nil {
			pairs = append(pairs, of)
		}
		if own != nil {
			twins = append(twins, own)
		}
		rows, adaptive = rows+len(of), adaptive+len(own)
	}
	for _, of := range pairs {
		var group [][]cell
		for _, p := range of {
			row := []cell{g.named(m, p.r), g.against(m, p.first, map[string]string{whyTwin: " (static twin)", whyReference: " (reference)"}[p.first.Why])}
			for _, c := range list {
				for _, q := range m.ComparedAt {
					row = append(row, g.compared(find(p.all, c.name, q), &c))
				}
			}
			group = append(group, row)
		}
		g.groups = append(g.groups, group)
	}
	g.caption = fmt.Sprintf("Adaptive gain and paired differences on %s after %s.", describe(m), after(m.ComparedAt)) + provenance(m) + unscored(m) + gainLegend(list) + shown.legend()
	g.paperCaption, g.foot = g.caption, shown.foot()
	if adaptive > 0 && adaptive < rows || len(m.ComparedAt) > 1 {
		of, other := pairs, ""
		if adaptive > 0 && adaptive < rows {
			shown = own
			of, other = twins, fmt.Sprintf(" The other %d comparisons are in gain.csv.", rows-adaptive)
			rows = adaptive
		}
		questions, rest := onPaper(m, rows, "gain")
		out := &grid{name: g.name, head: []string{"Strategy", "Against", paperQuestions}, foot: shown.foot()}
		for _, c := range list {
			out.head = append(out.head, c.short)
		}
		for _, of := range of {
			var group [][]cell
			for _, p := range of {
				for i, q := range questions {
					row := []cell{{}, {}, {value: strconv.Itoa(q)}}
					if i == 0 {
						row[0], row[1] = out.named(m, p.r), out.against(m, p.first, "")
					}
					for _, c := range list {
						row = append(row, out.compared(find(p.all, c.name, q), &c))
					}
					group = append(group, row)
				}
			}
			out.groups = append(out.groups, group)
		}
		what := "Paired differences"
		if adaptive > 0 {
			what = "Adaptive gain"
		}
		out.caption = fmt.Sprintf("%s on %s after %s.", what, describe(m), after(questions)) + provenance(m) + unscored(m) + gainLegend(list) + shown.legend() + other + rest
		g.compact = out.bare(questions)
	}
	return g
}

// against is the cell of what a strategy is held against, with the reason.
func (g *grid) against(m *Metrics, c *Comparison, why string) cell {
	out := g.namedBy(m, c.Against)
	out.value += why
	return out
}

// gainLegend explains differences.
func gainLegend(list []comparedMeasure) string {
	return " Strategy minus the one it is held against, over the sessions that both have; against its static twin, which asks by the same belief in one fixed order, this is the adaptive gain. Alignment: more is better; errors, compared where both predict the whole profile: less is better." +
		measureLegend(list)
}

// of gives the comparisons of a strategy, which lie together.
func (m *Metrics) of(strategy string) (out []Comparison) {
	for _, c := range m.Comparisons {
		if c.Strategy == strategy {
			out = append(out, c)
		}
	}
	return out
}

// find gives the comparison in a measure after so many questions, or nil.
func find(list []Comparison, measure string, questions int) *Comparison {
	for i := range list {
		if c := &list[i]; c.Measure == measure && c.Questions == questions {
			return c
		}
	}
	return nil
}

func (g *grid) compared(c *Comparison, measure *comparedMeasure) cell {
	if c == nil || !c.Value.Defined() {
		switch {
		case measure.place < 0:
			return g.none("no session in which both have an alignment")
		case measure.place == levelErr:
			return g.none("no session in which both predict, from a population, the level of every held nominal criterion")
		case measure.ofValues():
			return g.none("no session in which both predict, from a population, the value of every held criterion")
		}
		return g.none("no session in which both predict, from a population, every P(held)")
	}
	return c.cell(measure.places)
}

// errorsTable has one row a strategy: what the differences of gainTable are between.
// On paper several numbers of questions are rows.
func errorsTable(m *Metrics) *grid {
	g := &grid{name: "errors", head: []string{"Strategy", "Predicts from"}}
	list := shownMeasures(m)
	rows := 0
	for _, c := range list {
		for _, n := range m.ComparedAt {
			head := fmt.Sprintf("%s @%d", c.short, n)
			g.head = append(g.head, head)
			if c.aside {
				g.aside = append(g.aside, head)
			}
		}
	}
	for _, block := range blocks(m) {
		var group [][]cell
		for _, r := range block {
			row := []cell{g.named(m, r), {value: r.Predict}}
			for _, c := range list {
				for _, n := range m.ComparedAt {
					row = append(row, g.measured(r, &c, n))
				}
			}
			group = append(group, row)
			rows++
		}
		g.groups = append(g.groups, group)
	}
	caption := func(questions []int) string {
		return fmt.Sprintf("Alignment and errors of the inferred profiles on %s after %s.", describe(m), after(questions)) + provenance(m) + unscored(m) + measureLegend(list)
	}
	g.caption = caption(m.ComparedAt) + " What is unasked differs between strategies; over the whole profile they are compared fairly."
	g.paperCaption = caption(m.ComparedAt)
	if len(m.ComparedAt) > 1 {
		questions, rest := onPaper(m, rows, "errors")
		list = slices.DeleteFunc(list, func(c comparedMeasure) bool { return c.aside })
		out := &grid{name: g.name, head: []string{"Strategy", "Predicts from", paperQuestions}, caption: caption(questions) + rest}
		for _, c := range list {
			out.head = append(out.head, c.short)
		}
		for _, block := range blocks(m) {
			var group [][]cell
			for _, r := range block {
				for i, n := range questions {
					row := []cell{{}, {}, {value: strconv.Itoa(n)}}
					if i == 0 {
						row[0], row[1].value = out.named(m, r), r.Predict
					}
					for _, c := range list {
						row = append(row, out.measured(r, &c, n))
					}
					group = append(group, row)
				}
			}
			out.groups = append(out.groups, group)
		}
		g.compact = out.bare(questions)
	}
	return g
}

// measured is a measure of a row after so many questions. Errors over a part of the
// profile carry a note, and those of what was told alone are not shown.
func (g *grid) measured(r *Row, c *comparedMeasure, questions int) cell {
	if r.Sessions == 0 {
		return g.none("%s", unknownWhy(r))
	}
	if r.told() && c.place >= 0 {
		return g.none(onlyTold)
	}
	a, p := r.after(questions)
	e := g.estimate(c.estimate(a, p), fmt.Sprintf("%%.%df", c.places), "no session with "+c.why)
	if e.note == 0 && c.place >= 0 && (c.ofValues() && p.UnknownValues > 0 || !c.ofValues() && p.UnknownHeld > 0) {
		e.note = g.note("only over the cells of which it predicts anything: no match for errors over the whole profile")
	}
	return e
}

func gainCSV(m *Metrics) [][]string {
	out := [][]string{{"strategy", "against", "why", "measure", "questions", "value", "lo", "hi", "n", "undefined", "clusters", "resolved"}}
	out[0] = append(out[0], testColumns...)
	for i := range m.Comparisons {
		c := &m.Comparisons[i]
		out = append(out, append([]string{
			c.Strategy, c.Against, c.Why, c.Measure, strconv.Itoa(c.Questions), raw(c.Value), raw(c.Lo), raw(c.Hi),
			strconv.Itoa(c.N), strconv.Itoa(c.Undefined), strconv.Itoa(c.Clusters), strconv.FormatBool(c.Resolved),
		}, c.columns()...))
	}
	return out
}

func errorsCSV(m *Metrics) [][]string {
	t := newTidy()
	for _, rows := range ordered(m) {
		for _, r := range rows {
			t.row = r
			for _, n := range m.ComparedAt {
				a, p := r.after(n)
				for _, c := range comparedMeasures(m.nominal()) {
					t.estimate(c.name, n, c.estimate(a, p))
				}
			}
		}
	}
	return t.lines
}
