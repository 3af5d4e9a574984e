package reports

import (
	"fmt"
	"strings"
)

// What figures show, in words, for readers who hear a page instead of seeing it: the main
// numbers, those without a value as such.

// aloud writes an estimate with its interval.
func aloud(v, lo, hi Number, format string) string {
	if !v.Defined() {
		return "undefined"
	}
	s := num(v, format)
	if lo.Defined() && hi.Defined() {
		s += fmt.Sprintf(" (%s to %s)", num(lo, format), num(hi, format))
	}
	return s
}

// altOf puts together what is shown on what, and then the parts.
func altOf(m *Metrics, what string, parts []string) string {
	s := fmt.Sprintf("%s On %s", what, describe(m))
	if m.Simulated {
		s += ", with a simulated " + series(m.SimulatedRoles)
	}
	if len(parts) == 0 {
		return s + "."
	}
	return s + ": " + strings.Join(parts, "; ") + "."
}

// askingRows are the rows that ask, in the order of figures.
func askingRows(m *Metrics) (out []*Row) {
	for _, g := range asking(m) {
		out = append(out, g...)
	}
	return out
}

func alignmentAlt(m *Metrics) string {
	var parts []string
	for _, r := range askingRows(m) {
		f := r.final()
		parts = append(parts, fmt.Sprintf("%s %s", r.Name, aloud(f.Value, f.Lo, f.Hi, "%.1f")))
	}
	for _, name := range []string{m.Floor, m.Ceiling} {
		if r := m.rowOf(name); name != "" && r != nil {
			parts = append(parts, fmt.Sprintf("%s, which asks nothing, %s", r.Name, aloud(r.final().Value, r.final().Lo, r.final().Hi, "%.1f")))
		}
	}
	return altOf(m, fmt.Sprintf("Curves of alignment, from 0 to 100, by questions asked; said here is the alignment after %d %s, with its interval.", m.Final, plural(m.Final, "question")), parts)
}

func interactionsAlt(m *Metrics) string {
	var parts []string
	for _, r := range askingRows(m) {
		s := fmt.Sprintf("%s asks %s", r.Name, aloud(r.Interactions.Value, r.Interactions.Lo, r.Interactions.Hi, "%.1f"))
		if m.Target.Strategy != "" {
			if t := r.ToTarget; t.Value.Defined() {
				s += ", and reaches the target after " + aloud(t.Value, t.Lo, t.Hi, "%.1f")
			} else {
				s += ", and does not reach the target"
			}
		}
		parts = append(parts, s)
	}
	what := "Questions asked up to the budget, and questions to the target"
	if m.Target.Strategy != "" {
		what += ", which is the final alignment of " + m.Target.Strategy
	}
	return altOf(m, what+".", parts)
}

func adaptivityAlt(m *Metrics) string {
	var parts []string
	for _, w := range ways(m) {
		a := &w.Adaptivity
		parts = append(parts, fmt.Sprintf("%s strict %s, released %s, corrected %s, counterfactual %s", w.name,
			aloud(a.Value, a.Lo, a.Hi, "%.2f"), aloud(a.Released.Value, a.Released.Lo, a.Released.Hi, "%.2f"),
			aloud(a.Corrected.Value, a.Corrected.Lo, a.Corrected.Hi, "%.2f"), aloud(a.Counterfactual.Value, a.Counterfactual.Lo, a.Counterfactual.Hi, "%.2f")))
	}
	return altOf(m, "Shares of pairs of sessions that go on differently after different answers, and shares owed to the answer.", parts)
}

func byTurnAlt(m *Metrics) string {
	var parts []string
	for _, w := range ways(m) {
		var by []string
		for _, s := range w.Adaptivity.ByT {
			by = append(by, aloud(s.Value, undefined(), undefined(), "%.2f"))
		}
		parts = append(parts, w.name+" "+strings.Join(by, ", "))
	}
	return altOf(m, "Strict and counterfactual adaptivity after each question; said here is the strict one, question by question.", parts)
}

func treeAlt(m *Metrics) string {
	var parts []string
	for _, w := range ways(m) {
		var first []string
		for i, b := range w.First {
			if i == 3 {
				first = append(first, "and others")
				break
			}
			name := strings.ReplaceAll(b.Question, "_", " ")
			switch {
			case b.Stop:
				name = "no question"
			case b.Others > 0:
				name = fmt.Sprintf("%d others", b.Others)
			case name == "":
				name = "no criterion"
			}
			first = append(first, fmt.Sprintf("%s (%s)", name, percentage(b.Share)))
		}
		if len(first) > 0 {
			parts = append(parts, fmt.Sprintf("%s asks first about %s", w.name, strings.Join(first, ", ")))
		}
	}
	return altOf(m, "Trees of the first questions of every way of asking, with their shares of sessions.", parts)
}

func gainAlt(m *Metrics) string {
	var parts []string
	for _, r := range askingRows(m) {
		if r.Gain == nil {
			continue
		}
		for _, g := range r.Gain.ByQuestions {
			if g.Questions == m.Final {
				parts = append(parts, fmt.Sprintf("%s minus %s %s", r.Name, r.Gain.Twin, aloud(g.Value, g.Lo, g.Hi, "%+.1f")))
			}
		}
	}
	return altOf(m, fmt.Sprintf("Alignment of strategies minus that of their static twins, by questions asked; said here is the gain after %d %s.", m.Final, plural(m.Final, "question")), parts)
}

// alt says the numbers of the cells of a sweep.
func (t *tiles) alt(s *SweepMetrics) string {
	var parts []string
	for i := range s.Cells {
		c := &s.Cells[i]
		e := t.of(c)
		text := aloud(e.Value, e.Lo, e.Hi, "%.1f")
		if c.State == cellRefused {
			text = "not defined"
		}
		parts = append(parts, strings.Join(c.Values, ", ")+": "+text)
	}
	var axes []string
	for _, a := range s.Axes {
		axes = append(axes, a.Path)
	}
	return fmt.Sprintf("%s by %s. %s", t.label, series(axes), capital(strings.Join(parts, "; "))) + "."
}

func ladderAlt(s *SweepMetrics) string {
	var parts []string
	for i := range s.Cells {
		c := &s.Cells[i]
		parts = append(parts, strings.Join(c.Values, ", ")+" "+aloud(c.Alignment.Value, c.Alignment.Lo, c.Alignment.Hi, "%.1f"))
	}
	return fmt.Sprintf("Curves of alignment, from 0 to 100, by questions asked, one a solver; said here is the final alignment. %s.", capital(strings.Join(parts, "; ")))
}
