package reports

import (
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"pepbench/bench/record"
)

// ladderFigure draws alignment by questions asked of one strategy, a curve for every
// solver of the sweep, with bands. Floor and ceiling are another solver's in every cell
// and stand in the note.
func ladderFigure(s *SweepMetrics, p pen) sketch {
	p = p.or(columnWidth)
	m := s.joint()
	m.Strategies = nil
	var ends []string
	for i, run := range s.runs {
		c := &s.Cells[i]
		if run == nil || c.State != cellDone {
			continue
		}
		r := *run.rowOf(c.Row)
		r.Strategy = record.Strategy{Name: c.Values[0], Base: c.Values[0], Kind: r.Kind, Predict: r.Predict}
		m.Strategies = append(m.Strategies, r)
		if len(run.Checkpoints) > len(m.Checkpoints) {
			m.Checkpoints, m.Budget, m.Horizon = run.Checkpoints, run.Budget, run.Horizon
		}
		floor, ceiling := run.rowOf(run.Floor), run.rowOf(run.Ceiling)
		if floor != nil && ceiling != nil && floor.final().Value.Defined() && ceiling.final().Value.Defined() {
			ends = append(ends, fmt.Sprintf("%s %s to %s", c.Values[0], num(floor.final().Value, "%.1f"), num(ceiling.final().Value, "%.1f")))
		}
	}
	if len(m.Checkpoints) == 0 {
		m.Checkpoints = []int{0}
	}
	a := newCurves(m, p)
	// In the order of the axis, whatever the names.
	slices.SortStableFunc(a.rows, func(x, y *Row) int {
		return slices.Index(s.Axes[0].Values, x.Name) - slices.Index(s.Axes[0].Values, y.Name)
	})
	for i, r := range a.rows[:min(len(a.rows), len(ladderLooks()))] {
		a.look[r.Base] = ladderLooks()[i]
	}
	solid := func(*Row) []vg.Length { return nil }

	notes := []string{s.about() + " One line a solver."}
	if len(ends) > 0 {
		notes = append(notes, "Floor to ceiling: "+strings.Join(ends, ", ")+".")
	}
	if m.Horizon > m.Budget && m.Checkpoints[len(m.Checkpoints)-1] > m.Budget {
		notes = append(notes, fmt.Sprintf("Dotted: the budget of %d %s.", m.Budget, plural(m.Budget, "question")))
	}
	notes = append(notes, intervalNote(m, "Bands"))
	if len(a.rows) > 1 {
		notes = append(notes, "Curves are set apart sideways a little.")
	}
	if s := s.lacking(); s != "" {
		notes = append(notes, strings.TrimSpace(s))
	}
	if n := sources(m); n != "" {
		notes = append(notes, n)
	}
	inner := p.inner()
	names := make([]string, len(a.rows))
	for i, r := range a.rows {
		names[i] = r.Name
		if at := slices.Index(s.Axes[0].Values, r.Name); at >= 0 && at < len(s.Axes[0].Stages) && s.Axes[0].Stages[at] != "" {
			names[i] += " (" + s.Axes[0].Stages[at] + ")"
		}
	}
	keys, legend := a.keys(a.rows, names, inner, solid)
	note, noteHeight := p.noteLines(inner, strings.Join(notes, " "))
	body := p.height(curveHeight)

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -body-legend-4), note)
		keys(draw.Crop(c, 0, 0, 0, -body))
		plt := a.plot(a.rows, solid)
		plt.Draw(draw.Crop(c, 0, 0, legend+noteHeight, 0))
	}
	return sketch{"ladder", p.width, body + legend + noteHeight + 2*margin, render}
}
