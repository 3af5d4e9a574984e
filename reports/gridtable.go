package reports

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// joint stands for all runs of a sweep where a caption is about a run. Of what
// differs it has the least.
func (s *SweepMetrics) joint() *Metrics {
	m := &Metrics{
		Name: s.Name, Simulated: s.Simulated, SimulatedRoles: s.SimulatedRoles, Cluster: s.Cluster, Intervals: s.Intervals,
		Resamples: s.Resamples, Confidence: s.Confidence, Judge: s.Judge, Folds: s.Folds, Compat: s.Compat,
	}
	m.Tasks, _ = s.span(func(c *GridCell) int { return c.Tasks })
	m.Users, _ = s.span(func(c *GridCell) int { return c.Users })
	m.Final, _ = s.span(func(c *GridCell) int { return c.Questions })
	return m
}

// intervals is a note about intervals, of all cells: these may be over different numbers of
// users.
func (s *SweepMetrics) intervals(note func(*Metrics, string) string, what string) string {
	m := s.joint()
	words := note(m, what)
	if lo, hi := s.span(func(c *GridCell) int { return c.Users }); m.Intervals == OverBoth && lo < hi {
		words = strings.Replace(words, fmt.Sprintf("and %d users", m.Users), "and "+number(lo, hi, "user"), 1)
	}
	return words
}

// span gives the least and the largest number over the cells that were read.
func (s *SweepMetrics) span(of func(*GridCell) int) (lo, hi int) {
	first := true
	for i := range s.Cells {
		c := &s.Cells[i]
		if c.Seeds == 0 && c.Tasks == 0 {
			continue
		}
		v := of(c)
		if first {
			lo, hi, first = v, v, false
		}
		lo, hi = min(lo, v), max(hi, v)
	}
	return lo, hi
}

// number says a span in words: 7 tasks, 6 to 7 tasks.
func number(lo, hi int, what string) string {
	if lo == hi {
		return fmt.Sprintf("%d %s", hi, plural(hi, what))
	}
	return fmt.Sprintf("%d to %d %s", lo, hi, plural(hi, what))
}

// about says what was run on what, how often and for how long.
func (s *SweepMetrics) about() string {
	var n []string
	for _, of := range []struct {
		what string
		get  func(*GridCell) int
	}{
		{"task", func(c *GridCell) int { return c.Tasks }},
		{"user", func(c *GridCell) int { return c.Users }},
		{"seed", func(c *GridCell) int { return c.Seeds }},
	} {
		if of.what == "task" && s.Cluster == "user" {
			n = append(n, "survey")
			continue
		}
		lo, hi := s.span(of.get)
		n = append(n, number(lo, hi, of.what))
	}
	var axes []string
	for _, a := range s.Axes {
		path := a.Path
		if len(a.Stages) > 0 && !slices.Contains(a.Stages, "") {
			path += " (" + strings.Join(a.Stages, ", ") + ")"
		}
		axes = append(axes, path)
	}
	if f := s.joint().folds(); f != "" {
		n = append(n, strings.TrimPrefix(f, ", "))
	}
	lo, hi := s.span(func(c *GridCell) int { return c.Questions })
	var where []string
	for _, d := range s.Data {
		where = append(where, strings.TrimSpace(d.Name+" "+d.Version))
	}
	if where == nil {
		return fmt.Sprintf("Sweep %s: %s by %s; no cell is reported.", s.Name, s.Strategy, series(axes))
	}
	return fmt.Sprintf("Sweep %s: %s by %s on %s (%s a cell) after at most %s.", s.Name, s.Strategy, series(axes), series(where), strings.Join(n, ", "), number(lo, hi, "question"))
}

// lacking counts the sessions of the strategy that are behind no alignment, all cells
// together.
func (s *SweepMetrics) lacking() string {
	n, all, failed := 0, 0, 0
	for i := range s.Cells {
		a := &s.Cells[i].Alignment
		n += a.Undefined
		all += a.N + a.Undefined
		failed += s.Cells[i].Failed
	}
	return wanting(n, all) + broken(failed)
}

// choice says how the cell that was chosen was chosen.
func (s *SweepMetrics) choice(mark string) string {
	switch {
	case s.Chosen == nil && s.ofModels():
		return "What is measured on dev does not depend on models: none is chosen, and all are exploratory."
	case s.Chosen == nil && s.ofData():
		return "The cells are of different data or users: none is chosen, and all are exploratory."
	case s.Chosen == nil:
		return "No cell was measured on dev: none is chosen, and all are exploratory."
	}
	return mark + " chosen on dev (the largest alignment there); the others are exploratory."
}

// gridTable has one row a cell. On paper a sweep that fills more than a page shows, of
// every value of the first axis, the cell that is the best on dev.
func gridTable(s *SweepMetrics) *grid {
	g := &grid{name: "grid", texts: len(s.Axes)}
	for _, a := range s.Axes {
		g.head = append(g.head, a.Path)
	}
	g.head = append(g.head, "Alignment", "Alignment on dev")
	if s.Twin != "" {
		g.head = append(g.head, "Minus twin")
	}
	g.head = append(g.head, "Questions", "F1@5", "Value error", "Relevance error", "Parameters")
	var group [][]cell
	for i := range s.Cells {
		if i > 0 && len(s.Axes) > 1 && s.Cells[i].At[0] != s.Cells[i-1].At[0] {
			g.groups = append(g.groups, group)
			group = nil
		}
		group = append(group, g.cells(s, i))
	}
	if group != nil {
		g.groups = append(g.groups, group)
	}
	gains := &shownDifferences{m: s.joint()}
	for i := range s.Cells {
		gains.add("", s.Cells[i].Gain, true)
	}
	g.caption = s.about() + provenance(s.joint()) + s.lacking()
	if s.Chosen != nil {
		at := ""
		for i, v := range s.Cells[*s.Chosen].Values {
			at += fmt.Sprintf(", %s = %s", s.Axes[i].Path, v)
		}
		g.caption += " " + s.choice("The cell with "+strings.TrimPrefix(at, ", ")+" was")
	} else {
		g.caption += " " + s.choice("")
	}
	if s.Twin != "" {
		g.caption += fmt.Sprintf(" Minus twin: alignment less that of %s, its static twin, paired by session.", s.Twin) + gains.legend()
	}
	g.foot = gains.foot()
	g.caption += " Value error: mean absolute error of the values of all held criteria; relevance error: Brier score of P(held)."
	g.paperCaption = g.caption
	if best := s.bestOnDev(); len(s.Cells) > paperRows && len(best) > 0 {
		out := &grid{name: g.name, texts: g.texts, head: g.head, foot: g.foot}
		var rows [][]cell
		for _, i := range best {
			rows = append(rows, out.cells(s, i))
		}
		out.groups = [][][]cell{rows}
		out.caption = g.caption + fmt.Sprintf(" Shown is, of every %s, the best cell on dev; all %d are in grid.csv.", s.Axes[0].Path, len(s.Cells))
		g.compact = out
	}
	return g
}

// bestOnDev gives, of every value of the first of several axes, the cell with the
// largest alignment on dev, the first among equals; none where nothing was measured.
func (s *SweepMetrics) bestOnDev() (cells []int) {
	if len(s.Axes) < 2 {
		return nil
	}
	for v := range s.Axes[0].Values {
		best := -1
		for i := range s.Cells {
			c := &s.Cells[i]
			if c.At[0] == v && c.DevAlignment.Defined() && (best < 0 || c.DevAlignment > s.Cells[best].DevAlignment) {
				best = i
			}
		}
		if best >= 0 {
			cells = append(cells, best)
		}
	}
	return cells
}

// place begins the row of a cell of the sweep: its values, and a note of what there is to say.
func (g *grid) place(c *GridCell) (row []cell) {
	for _, v := range c.Values {
		row = append(row, cell{value: v})
	}
	if c.Remark != "" && len(row) > 0 {
		row[len(row)-1].note = g.note("%s", c.Remark)
	}
	return row
}

// cells gives the row of the i-th cell of the sweep.
func (g *grid) cells(s *SweepMetrics, i int) (row []cell) {
	c := &s.Cells[i]
	row = g.place(c)
	dev := cell{value: dash}
	if c.DevAlignment.Defined() {
		dev.value = num(c.DevAlignment, "%.1f")
	}
	if s.Chosen != nil && *s.Chosen == i {
		dev.note = g.note("the largest on dev: the cell that is chosen")
	}
	if c.State != cellDone {
		row = append(row, g.none("%s", strings.TrimSuffix(cellWhy(c), ".")), dev)
		for len(row) < len(g.head) {
			row = append(row, cell{value: dash})
		}
		return row
	}
	const partial = "predicts from answers alone: nothing is predicted of what was not asked"
	row = append(row, g.estimate(c.Alignment, "%.1f", ""), dev)
	if s.Twin != "" {
		row = append(row, g.twin(s, c))
	}
	return append(row,
		cell{value: num(c.Interactions.Value, "%.2f")},
		g.estimate(c.F1, "%.3f", "nothing is held"),
		g.estimate(c.HeldMAE, "%.3f", partial),
		g.estimate(c.Brier, "%.4f", partial),
		cell{value: strconv.Itoa(c.Params)})
}

func (g *grid) twin(s *SweepMetrics, c *GridCell) cell {
	switch {
	case c.Twin == "":
		return g.none("the run has no strategy %s", s.Twin)
	case c.Gain == nil:
		return g.none("the run compares no session of the two")
	}
	return c.Gain.cell(1)
}

// gridCSV has one line a number, and one for a cell without any.
func gridCSV(s *SweepMetrics) [][]string {
	var head []string
	for _, a := range s.Axes {
		head = append(head, a.Path)
	}
	out := [][]string{append(head, "dir", "state", "why", "chosen", "measure", "questions", "value", "lo", "hi", "n", "undefined", "clusters", "resolved")}
	out[0] = append(out[0], testColumns...)
	for i := range s.Cells {
		c := &s.Cells[i]
		add := func(measure string, e Estimate, d *difference) {
			resolved, tested := "", make([]string, len(testColumns))
			if d != nil {
				resolved, tested = strconv.FormatBool(d.Resolved), d.columns()
			}
			row := append(slices.Clone(c.Values), c.Dir, c.State, c.Why, strconv.FormatBool(s.Chosen != nil && *s.Chosen == i), measure, strconv.Itoa(c.Questions))
			row = append(row, raw(e.Value), raw(e.Lo), raw(e.Hi), strconv.Itoa(e.N), strconv.Itoa(e.Undefined), strconv.Itoa(e.Clusters), resolved)
			out = append(out, append(row, tested...))
		}
		add("alignment", c.Alignment, nil)
		dev := unknown()
		dev.Value = c.DevAlignment
		add("dev_alignment", dev, nil)
		if c.State != cellDone {
			continue
		}
		if c.Gain != nil {
			add("adaptive_gain", c.Gain.Estimate, c.Gain)
		}
		add("interactions", c.Interactions, nil)
		add("f1_at_5", c.F1, nil)
		add("held_mae", c.HeldMAE, nil)
		add("brier", c.Brier, nil)
		params := unknown()
		params.Value = Number(c.Params)
		add("params", params, nil)
	}
	return out
}

// sweepTerminal writes the numbers of the cells in at most width columns.
func sweepTerminal(s *SweepMetrics, width int) string {
	var lines [][]string
	var head, remarks []string
	for _, a := range s.Axes {
		head = append(head, a.Path)
	}
	lines = append(lines, append(head, "alignment", "on dev", "minus twin"))
	for i := range s.Cells {
		c := &s.Cells[i]
		dev, gain := dash, dash
		if c.DevAlignment.Defined() {
			dev = num(c.DevAlignment, "%.1f")
		}
		if s.Chosen != nil && *s.Chosen == i {
			dev += " <"
		}
		own := cell{value: dash}
		switch {
		case c.State == cellRefused:
			own.value = "not defined"
		case c.State == cellDone:
			own = cell{value: num(c.Alignment.Value, "%.1f"), interval: interval(c.Alignment.Lo, c.Alignment.Hi, "%.1f")}
		}
		mark := ""
		if c.Remark != "" {
			mark = dagger
			if !slices.Contains(remarks, c.Remark) {
				remarks = append(remarks, c.Remark)
			}
		}
		if c.Gain != nil {
			d := c.Gain.cell(1)
			d.interval = ""
			gain = d.text()
		}
		lines = append(lines, append(slices.Clone(c.Values), own.text()+mark, dev, gain))
	}
	if at := len(s.Axes); remarks != nil { // what has no dagger is as wide
		for _, l := range lines[1:] {
			if !strings.HasSuffix(l[at], dagger) {
				l[at] += " "
			}
		}
	}
	size := widths(lines)
	over := 2*(len(size)-1) - width
	for _, n := range size {
		over += n
	}
	for ; over > 0; over-- { // names give way to numbers, the longest first
		longest := 0
		for i := range s.Axes {
			if size[i] > size[longest] {
				longest = i
			}
		}
		if size[longest] <= 8 {
			break
		}
		size[longest]--
	}
	var b strings.Builder
	for _, t := range []string{s.about(), notice(s.joint())} {
		if t != "" {
			b.WriteString(fold(t, width))
		}
	}
	for i, l := range lines {
		var t []string
		for j, v := range l {
			if j < len(s.Axes) {
				t = append(t, pad(elide(v, size[j]), -size[j]))
			} else {
				t = append(t, pad(v, size[j]))
			}
		}
		line := strings.Join(t, "  ")
		b.WriteString(line + "\n")
		if i == 0 {
			b.WriteString(strings.Repeat("-", utf8.RuneCountInString(line)) + "\n")
		}
	}
	end := strings.TrimSuffix(s.intervals(intervalNote, "[lo, hi]"), ".")
	if s.Chosen != nil {
		end += "; <: chosen on dev, the others are exploratory"
	}
	gains := &shownDifferences{m: s.joint()}
	for i := range s.Cells {
		gains.add("", s.Cells[i].Gain, true)
	}
	if gains.tested() {
		end += "; * p<.05, ** p<.01, *** p<.001, raw"
	}
	b.WriteString(fold(end+"; ~: unresolved", width))
	if remarks != nil {
		b.WriteString(fold(dagger+" "+strings.Join(remarks, ". ")+".", width))
	}
	return b.String()
}
