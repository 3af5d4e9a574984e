package reports

import (
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// calibrationPanels are the panels of the figure, in their order.
func calibrationPanels() [2]struct{ scope, heading string } {
	return [2]struct{ scope, heading string }{{"unasked", "Criteria that were not asked about"}, {"whole", "All criteria"}}
}

// calibratedAt gives the calibration of a row in a scope at the final checkpoint, or nil.
func (m *Metrics) calibratedAt(r *Row, scope string) *calibrated {
	for i := range r.Calibration {
		if c := &r.Calibration[i]; c.Scope == scope && c.Questions == m.Final {
			return c
		}
	}
	return nil
}

// calibratedRows are the rows whose calibration is drawn.
func (m *Metrics) calibratedRows() (rows []*Row) {
	for _, r := range askingRows(m) {
		if m.calibratedAt(r, "unasked") != nil || m.calibratedAt(r, "whole") != nil {
			rows = append(rows, r)
		}
	}
	return rows
}

// fewCells is how many cells a bin needs at least for its share to be drawn as any other.
const fewCells = 30

// mostWhiskers is how many curves have their intervals drawn where they cross each other.
const mostWhiskers = 4

// A calibrationPlot is one panel, with its keys where they are not those of all.
type calibrationPlot struct {
	scope, heading string
	rows           []*Row
	keys           func(draw.Canvas)
	height         vg.Length // of the keys
}

// calibrationPlots gives the panels: of what was not asked about and of the whole profile,
// or, of rows that are too many for one plot, of what was not asked about by prediction.
func (m *Metrics) calibrationPlots(rows []*Row) (list []calibrationPlot, byPrediction bool) {
	for _, r := range rows {
		i := slices.IndexFunc(list, func(p calibrationPlot) bool { return p.rows[0].Predict == r.Predict })
		if i < 0 {
			i = len(list)
			list = append(list, calibrationPlot{scope: "unasked", heading: "predicts from " + r.Predict})
		}
		list[i].rows = append(list[i].rows, r)
	}
	if len(rows) > mostCurves && len(list) > 1 {
		slices.SortStableFunc(list, func(a, b calibrationPlot) int { return predictOrder(a.rows[0]) - predictOrder(b.rows[0]) })
		return list, true
	}
	list = nil
	for _, s := range calibrationPanels() {
		list = append(list, calibrationPlot{scope: s.scope, heading: s.heading, rows: rows})
	}
	return list, false
}

// calibrationFigure draws the share that is held against the mean P(held) of the cells of
// a bin, of what was not asked about and of the whole profile.
func calibrationFigure(m *Metrics, p pen) sketch {
	p = p.or(pageWidth)
	rows := m.calibratedRows()
	plots, byPrediction := m.calibrationPlots(rows)
	look := looks(m)
	inner := p.inner()
	named := func(r *Row, name string) string {
		var ece []string
		for _, s := range calibrationPanels() {
			if c := m.calibratedAt(r, s.scope); c != nil && c.ECE.Value.Defined() {
				ece = append(ece, num(c.ECE.Value, "%.3f"))
			} else {
				ece = append(ece, dash)
			}
		}
		return fmt.Sprintf("%s: %s", m.marked(r, name), strings.Join(ece, " / "))
	}
	across := 2
	if p.narrow() {
		across = 1
	}
	wide := (inner - vg.Length(across-1)*panelGap) / vg.Length(across)
	a := &curves{pen: p, m: m, look: look}
	crossing := len(rows) // curves of a panel
	var keys func(draw.Canvas)
	var legend vg.Length
	lines := make([]vg.Length, (len(plots)+across-1)/across) // height of the keys, by line of panels
	dashed := func(r *Row) []vg.Length { return dashes(m, r) }
	if byPrediction {
		crossing, dashed = 0, plainDashes
		for i := range plots {
			var names []string
			for _, r := range plots[i].rows {
				names = append(names, named(r, r.Base))
			}
			plots[i].keys, plots[i].height = a.keys(plots[i].rows, names, wide, dashed)
			lines[i/across] = max(lines[i/across], plots[i].height+panelGap/2)
			crossing = max(crossing, len(names))
		}
	} else {
		var names []string
		for _, r := range rows {
			names = append(names, named(r, r.Name))
		}
		keys, legend = a.keys(rows, names, inner, dashed)
	}
	whiskers := crossing <= mostWhiskers
	about := ""
	if byPrediction {
		about = " Criteria that were not asked about, one panel a prediction; names are without it."
	}
	notes := []string{
		fmt.Sprintf("On %s, after %d %s.%s Cells in ten bins of P(held); below the diagonal more is expected to be held than is. Hollow: fewer than %d cells. In the key: expected calibration error, unasked / all.", describe(m), m.Final, plural(m.Final, "question"), about, fewCells),
	}
	if whiskers {
		notes = append(notes, clusterNote(m, "Intervals"))
	} else {
		notes = append(notes, "Intervals are in metrics.json.")
	}
	for _, s := range []string{sources(m), m.remarks(rows)} {
		if s != "" {
			notes = append(notes, s)
		}
	}
	note, noteHeight := p.noteLines(inner, strings.Join(notes, " "))
	tall := headHeight + p.height(panelHeight)
	total := vg.Length(0)
	for _, h := range lines {
		total += tall + h
	}

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -total-legend-4), note)
		if keys != nil {
			keys(draw.Crop(c, 0, 0, 0, -total))
		}
		top := c.Max.Y
		for i, of := range plots {
			left := c.Min.X + vg.Length(i%across)*(wide+panelGap)
			cell := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: left, Y: top - tall}, Max: vg.Point{X: left + wide, Y: top}}}
			plt := p.axes()
			plt.X.Label.Text, plt.Y.Label.Text = "Predicted P(held)", "Share that is held"
			plt.X.Min, plt.X.Max, plt.Y.Min, plt.Y.Max = -.03, 1.03, -.03, 1.03
			plt.X.Tick.Marker, plt.Y.Tick.Marker = quarters()[4:], quarters()[4:]
			plt.Add(&plotter.Grid{Vertical: gridStyle(), Horizontal: gridStyle()})
			plt.Add(plotFunc(func(c draw.Canvas, plt *plot.Plot) {
				x, y := plt.Transforms(&c)
				some := slices.ContainsFunc(of.rows, func(r *Row) bool { c := m.calibratedAt(r, of.scope); return c != nil && c.some() })
				if !some {
					c.FillText(p.style(labelSize, draw.XCenter, draw.YCenter), c.Center(), "nothing is predicted here")
					return
				}
				c.StrokeLine2(stroke(gray(edgeInk), levelLine, longDash()...), x(0), y(0), x(1), y(1))
				for _, r := range of.rows {
					if of := m.calibratedAt(r, of.scope); of != nil {
						drawBins(&c, of, look[r.Base], dashed(r), whiskers, x, y)
					}
				}
			}))
			plt.Draw(draw.Crop(cell, 0, 0, 0, -headHeight))
			sty := p.style(labelSize, draw.XCenter, draw.YCenter)
			data := plt.DataCanvas(draw.Crop(cell, 0, 0, 0, -headHeight))
			beside(&c, sty, vg.Point{X: data.Center().X, Y: top - headHeight/2}, fit(of.heading, sty, wide))
			if of.keys != nil {
				of.keys(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: left, Y: top - tall - of.height}, Max: vg.Point{X: left + wide, Y: top - tall}}})
			}
			if i%across == across-1 {
				top -= tall + lines[i/across]
			}
		}
	}
	return sketch{"calibration", p.width, total + legend + noteHeight + 2*margin, render}
}

// shown reports whether a bin has cells.
func (b *calibrationBin) shown() bool {
	return b.Cells > 0 && b.Predicted.Defined() && b.Observed.Defined()
}

// some reports whether any bin has cells.
func (c *calibrated) some() bool {
	return slices.ContainsFunc(c.Bins, func(b calibrationBin) bool { return b.shown() })
}

// drawBins joins the bins that have cells; an empty one interrupts.
func drawBins(c *draw.Canvas, of *calibrated, l look, dash []vg.Length, whiskers bool, x, y func(float64) vg.Length) {
	var line, all []vg.Point
	var many []bool
	flush := func() {
		if len(line) > 1 {
			c.StrokeLines(stroke(l.color, curveLine, dash...), line)
		}
		line = nil
	}
	for _, b := range of.Bins {
		if !b.shown() {
			flush()
			continue
		}
		pt := vg.Point{X: x(float64(b.Predicted)), Y: y(float64(b.Observed))}
		line, all, many = append(line, pt), append(all, pt), append(many, b.Cells >= fewCells)
		if whiskers && b.Lo.Defined() && b.Hi.Defined() && b.Lo < b.Hi {
			upright(c, l.color, pt.X, y(float64(b.Lo)), y(float64(b.Hi)))
		}
	}
	flush()
	for i, pt := range all {
		l.marker.draw(c, pt, l.color, many[i])
	}
}

func calibrationAlt(m *Metrics) string {
	var parts []string
	for _, r := range m.calibratedRows() {
		var of []string
		for _, s := range calibrationPanels() {
			if c := m.calibratedAt(r, s.scope); c != nil {
				of = append(of, s.scope+" "+aloud(c.ECE.Value, c.ECE.Lo, c.ECE.Hi, "%.3f"))
			}
		}
		parts = append(parts, r.Name+" "+strings.Join(of, ", "))
	}
	return altOf(m, fmt.Sprintf("Reliability diagrams: the share that is held by predicted probability, after %d %s; said here is the expected calibration error.", m.Final, plural(m.Final, "question")), parts)
}
