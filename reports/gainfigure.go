package reports

import (
	"fmt"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// gainFigure draws the adaptive gain by questions asked, with intervals and a line
// at 0.
func gainFigure(m *Metrics, p pen) sketch {
	p = p.or(columnWidth)
	look := looks(m)
	var rows []*Row
	for _, g := range asking(m) {
		for _, r := range g {
			if r.Gain != nil {
				rows = append(rows, r)
			}
		}
	}
	inner := p.inner()
	keys, legend := p.legend(m, rows, inner)
	notes := []string{"On " + describe(m) + ". Strategy minus its static twin, paired by session; above 0, adapting to the answers pays.", differenceNote(m, "Intervals")}
	if n := clusters(m); n >= noInterval && n < fewClusters {
		notes = append(notes, fmt.Sprintf("%d %ss resolve nothing.", n, m.Cluster))
	}
	if len(rows) > 1 {
		notes = append(notes, "Curves are set apart sideways a little.")
	}
	if s := sources(m); s != "" {
		notes = append(notes, s)
	}
	if s := m.remarks(rows); s != "" {
		notes = append(notes, s)
	}
	note, noteHeight := p.noteLines(inner, strings.Join(notes, " "))
	body := p.height(gainHeight)

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -body-legend-4), note)
		keys(draw.Crop(c, 0, 0, 0, -body))

		plt := p.axes()
		plt.X.Label.Text, plt.Y.Label.Text = "Questions asked", "Adaptive gain in alignment"
		lo, hi, empty := 0.0, 0.0, true
		for _, r := range rows {
			for _, a := range r.Gain.ByQuestions {
				for _, v := range []Number{a.Value, a.Lo, a.Hi} {
					if v.Defined() {
						lo, hi, empty = min(lo, float64(v)), max(hi, float64(v)), false
					}
				}
			}
		}
		room := max(hi-lo, .2) * .085
		plt.Y.Min, plt.Y.Max = lo-room, hi+room
		plt.Y.Tick.Marker = ticks(plt.Y.Min, plt.Y.Max, 6)
		first, last := float64(m.Checkpoints[0]), float64(m.Checkpoints[len(m.Checkpoints)-1])
		if first == last {
			first, last = first-.5, last+.5
		}
		side := (last - first) * .04
		plt.X.Min, plt.X.Max = first-side, last+side
		plt.X.Tick.Marker = wholeTicks(first, last, 11)
		plt.Add(&plotter.Grid{Vertical: gridStyle(), Horizontal: gridStyle()})
		plt.Add(plotFunc(func(c draw.Canvas, plt *plot.Plot) {
			x, y := plt.Transforms(&c)
			c.StrokeLine2(stroke(gray(edgeInk), levelLine), c.Min.X, y(0), c.Max.X, y(0))
			if empty {
				at := c.Center()
				at.Y += labelSize // above the line
				c.FillText(p.style(labelSize, draw.XCenter, draw.YBottom), at, "no session that both have graded")
				return
			}
			apart := min(5, .5*(c.Max.X-c.Min.X)/vg.Length(max(len(m.Checkpoints), 2)*len(rows)))
			for i, r := range rows {
				l := look[r.Base]
				shift := (vg.Length(i) - vg.Length(len(rows)-1)/2) * apart
				sty := stroke(l.color, curveLine, dashes(m, r)...)
				bar := stroke(l.color, barLine)
				var line []vg.Point
				flush := func() { // an undefined point interrupts
					if len(line) > 1 {
						c.StrokeLines(sty, line)
					}
					line = nil
				}
				for _, a := range r.Gain.ByQuestions {
					if !a.Value.Defined() {
						flush()
						continue
					}
					line = append(line, vg.Point{X: x(float64(a.Questions)) + shift, Y: y(float64(a.Value))})
				}
				flush()
				for _, a := range r.Gain.ByQuestions {
					if !a.Value.Defined() {
						continue
					}
					at := vg.Point{X: x(float64(a.Questions)) + shift, Y: y(float64(a.Value))}
					if a.Lo.Defined() && a.Hi.Defined() && a.Lo < a.Hi {
						const w = 1.3
						bottom, top := y(float64(a.Lo)), y(float64(a.Hi))
						c.StrokeLine2(bar, at.X, bottom, at.X, top)
						c.StrokeLine2(bar, at.X-w, bottom, at.X+w, bottom)
						c.StrokeLine2(bar, at.X-w, top, at.X+w, top)
					}
					l.marker.draw(&c, at, l.color, r.Predict != "answers")
				}
			}
		}))
		plt.Draw(draw.Crop(c, 0, 0, legend+noteHeight, 0))
	}
	return sketch{"gain", p.width, body + legend + noteHeight + 2*margin, render}
}
