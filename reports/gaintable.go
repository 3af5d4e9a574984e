package reports

import (
	"fmt"
	"strconv"
)

// after says how many questions the numbers of comparisons are after: 3, 5 and 10
// questions.
func after(m *Metrics) string {
	var words []string
	for _, n := range m.ComparedAt {
		words = append(words, strconv.Itoa(n))
	}
	last := m.ComparedAt[len(m.ComparedAt)-1]
	return series(words) + " " + plural(last, "question")
}

// nominal reports whether the run has a nominal criterion of which something is
// predicted.
func (m *Metrics) nominal() bool {
	return len(m.Strategies) > 0 && m.Strategies[0].Prediction[0].LevelError != nil
}

// measureLegend explains the measures of comparisons.
func measureLegend(m *Metrics) string {
	s := " Value error: mean absolute error of the values of all held criteria, told ones included, in their units. Relevance error: Brier score of P(held), where it is known."
	if m.nominal() {
		s += " Level error: 1 - P(true level | held) of nominal criteria, which have no value error."
	}
	return s
}

// gainTable has one row for two strategies that are compared, and a column for each
// measure after so many questions. Without a comparison it has no rows.
func gainTable(m *Metrics) *grid {
	g := &grid{name: "gain", head: []string{"Strategy", "Against"}}
	var list []comparedMeasure
	for _, c := range comparedMeasures(m.nominal()) {
		if c.aside {
			continue
		}
		list = append(list, c)
		for _, n := range m.ComparedAt {
			g.head = append(g.head, fmt.Sprintf("%s @%d", c.short, n))
		}
	}
	for _, rows := range ordered(m) {
		var group [][]cell
		for _, r := range rows {
			rest := m.of(r.Name)
			for len(rest) > 0 {
				first := &rest[0]
				row := []cell{{value: r.Name}, {value: first.Against + map[string]string{whyTwin: " (static twin)", whyReference: " (reference)"}[first.Why]}}
				n := 0
				for n < len(rest) && rest[n].Against == first.Against {
					n++
				}
				for _, c := range list {
					for _, q := range m.ComparedAt {
						row = append(row, g.compared(find(rest[:n], c.name, q), &c))
					}
				}
				group = append(group, row)
				rest = rest[n:]
			}
		}
		if group != nil {
			g.groups = append(g.groups, group)
		}
	}
	g.caption = fmt.Sprintf("Adaptive gain and paired differences on %s after %s.", describe(m), after(m)) + provenance(m) +
		" Strategy minus the one it is held against, over the sessions that both have; against its static twin, which asks by the same belief in one fixed order, this is the adaptive gain. Alignment: more is better; errors, compared where both predict the whole profile: less is better." +
		measureLegend(m) + fmt.Sprintf(" ~ where the interval contains 0 or rests on fewer than %d %ss. Not corrected for the number of comparisons.", fewClusters, m.Cluster)
	g.paperCaption = g.caption
	return g
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
func errorsTable(m *Metrics) *grid {
	g := &grid{name: "errors", head: []string{"Strategy", "Predicts from"}}
	list := comparedMeasures(m.nominal())
	for _, c := range list {
		for _, n := range m.ComparedAt {
			head := fmt.Sprintf("%s @%d", c.short, n)
			g.head = append(g.head, head)
			if c.aside {
				g.aside = append(g.aside, head)
			}
		}
	}
	for _, rows := range ordered(m) {
		var group [][]cell
		for _, r := range rows {
			row := []cell{{value: r.Name}, {value: r.Predict}}
			for _, c := range list {
				for _, n := range m.ComparedAt {
					why := "no session with " + c.why
					if r.Sessions == 0 {
						why = unknownWhy(r)
					}
					a, p := r.after(n)
					e := g.estimate(c.estimate(a, p), fmt.Sprintf("%%.%df", c.places), why)
					if e.note == 0 && c.place >= 0 && (c.ofValues() && p.UnknownValues > 0 || !c.ofValues() && p.UnknownHeld > 0) {
						e.note = g.note("only over the cells of which it predicts anything: no match for errors over the whole profile")
					}
					row = append(row, e)
				}
			}
			group = append(group, row)
		}
		g.groups = append(g.groups, group)
	}
	what := fmt.Sprintf("Alignment and errors of the inferred profiles on %s after %s.", describe(m), after(m)) + provenance(m) + measureLegend(m)
	g.caption = what + " What is unasked differs between strategies; over the whole profile they are compared fairly."
	g.paperCaption = what
	return g
}

func gainCSV(m *Metrics) [][]string {
	out := [][]string{{"strategy", "against", "why", "measure", "questions", "value", "lo", "hi", "n", "undefined", "clusters", "resolved"}}
	for i := range m.Comparisons {
		c := &m.Comparisons[i]
		out = append(out, []string{
			c.Strategy, c.Against, c.Why, c.Measure, strconv.Itoa(c.Questions), raw(c.Value), raw(c.Lo), raw(c.Hi),
			strconv.Itoa(c.N), strconv.Itoa(c.Undefined), strconv.Itoa(c.Clusters), strconv.FormatBool(c.Resolved),
		})
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
