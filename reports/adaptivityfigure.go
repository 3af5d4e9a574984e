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

// adaptivityFigure draws follow-up adaptivity in two panels: how often pairs of sessions
// go on differently, strict and released, and how much of that is owed to the answer,
// corrected and counterfactual.
func adaptivityFigure(m *Metrics, p pen) sketch {
	p = p.or(pageWidth)
	b := newBoard(m, p)
	b.merge()
	inner := p.inner()
	small := p.style(smallSize, draw.XRight, draw.YCenter)
	pairs := func(r *Row) string {
		a := r.Adaptivity
		if a.Pairs == 0 && a.Released.Pairs == 0 {
			return ""
		}
		return compact(a.Pairs) + " / " + compact(a.Released.Pairs)
	}
	counted := func(r *Row) string {
		a := r.Adaptivity
		if a.Corrected.SamePairs == 0 && a.Counterfactual.Turns == 0 {
			return ""
		}
		return compact(a.Corrected.SamePairs) + " / " + compact(a.Counterfactual.Turns)
	}
	type mark struct {
		value, lo, hi Number
	}
	panels := []struct {
		heading, label string
		keys           []string
		counts         func(*Row) string
		none           string
		marks          func(*Row) []mark
	}{
		{"pairs", "Share going on differently (0-1)", []string{"strict", "released"}, pairs, "no pairs", func(r *Row) []mark {
			a := &r.Adaptivity
			return []mark{{a.Value, a.Lo, a.Hi}, {a.Released.Value, a.Released.Lo, a.Released.Hi}}
		}},
		{"pairs / turns", "Share owed to the answer (0-1)", []string{"corrected", "counterfactual"}, counted, "undefined", func(r *Row) []mark {
			k, f := &r.Adaptivity.Corrected, &r.Adaptivity.Counterfactual
			return []mark{{k.Value, k.Lo, k.Hi}, {f.Value, f.Lo, f.Hi}}
		}},
	}
	right := small.Width(panels[1].heading)
	least := 0.0
	for _, r := range b.rows {
		right = max(right, small.Width(pairs(r)), small.Width(counted(r)))
		if v := r.Adaptivity.Corrected; v.Lo.Defined() {
			least = min(least, float64(v.Lo), float64(v.Value))
		} else if v.Value.Defined() {
			least = min(least, float64(v.Value))
		}
	}
	right += 5
	names := b.nameWidth(inner * b.share(.25))

	notes := []string{
		"On " + describe(m) + ".",
		"Strict: equal dialogues but for the last answer; released: equal questions. Corrected: strict less the same share after equal answers; counterfactual: turns after which another answer leads to another question.",
		"Counts: strict / released pairs; pairs with equal answers / turns.",
		b.short + chance(m),
	}
	if m.Cluster == "user" {
		notes = append(notes, "A survey has one task: no intervals.")
	} else {
		notes = append(notes, clusterNote(m, "Intervals"))
	}
	for _, s := range []string{sources(m), m.remarks(b.rows)} {
		if s != "" {
			notes = append(notes, s)
		}
	}
	note, noteHeight := p.noteLines(inner, strings.Join(notes, " "))
	const head = vg.Length(headHeight)

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -b.panels(head)-4), note)
		for i, of := range panels {
			// Head: what the markers mean, and the heading of the counts.
			area := b.area(c, names, head, i)
			end := area.Max.X
			y, x := area.Max.Y-head/2, area.Min.X
			key := p.style(smallSize, draw.XLeft, draw.YCenter)
			for j, s := range of.keys {
				circle.draw(&c, vg.Point{X: x + 3, Y: y}, gray(edgeInk), j == 0)
				beside(&c, key, vg.Point{X: x + 8, Y: y}, s)
				x += key.Width(s) + 18
			}
			beside(&c, small, vg.Point{X: end, Y: y}, of.heading)

			area = draw.Crop(area, 0, -right-4, 0, -head)
			lo := -.03
			if i == 1 && least < lo {
				lo = least - .03
			}
			marks := slices.DeleteFunc(quarters(), func(t plot.Tick) bool { return t.Value < lo })
			ty := b.panel(area, of.label, lo, 1.03, marks, func(c *draw.Canvas, r *Row, x func(float64) vg.Length, y vg.Length) {
				l := b.look[r.Base]
				some := false
				for j, s := range of.marks(r) {
					if !s.value.Defined() {
						continue
					}
					some = true
					at := y + rowHeight*.2 - vg.Length(j)*rowHeight*.4
					if s.lo.Defined() && s.hi.Defined() {
						whisker(c, l.color, x(float64(s.lo)), x(float64(s.hi)), at, false)
					}
					l.marker.draw(c, vg.Point{X: x(float64(s.value)), Y: at}, l.color, j == 0)
				}
				if !some {
					beside(c, p.quiet(draw.XLeft, draw.YCenter), vg.Point{X: x(0), Y: y}, of.none)
				}
			})
			for j, r := range b.rows {
				beside(&c, small, vg.Point{X: end, Y: ty(b.y[j])}, of.counts(r))
			}
			if i == 0 || b.narrow() {
				b.names(c, c.Min.X+names-5, names, ty)
			}
		}
	}
	return sketch{"adaptivity", p.width, b.panels(head) + noteHeight + 2*margin, render}
}

// quarters are marks at every quarter from -1 to 1.
func quarters() (out plot.ConstantTicks) {
	for i := -4; i <= 4; i++ {
		v := float64(i) / 4
		out = append(out, plot.Tick{Value: v, Label: fmt.Sprintf("%g", v)})
	}
	return out
}

// byTurnFigure draws strict and counterfactual adaptivity by the number of questions
// asked, one colour a way of asking.
func byTurnFigure(m *Metrics, p pen) sketch {
	p = p.or(columnWidth)
	list := ways(m)
	look := looks(m)
	var rows []*Row
	var names []string
	for _, w := range list {
		rows, names = append(rows, w.Row), append(names, m.marked(w.Row, w.name))
	}
	inner := p.inner()
	a := &curves{pen: p, look: look}
	keys, legend := a.keysOf(rows, names, inner, func(*Row) []vg.Length { return nil }, func(*Row) bool { return true })
	notes := []string{
		"On " + describe(m) + ". Share that goes on differently after the answer to question t: pairs of sessions with equal dialogues before it, and turns under another answer.",
	}
	if m.Cluster == "user" {
		notes = append(notes, "A survey has one task: no intervals.")
	} else {
		notes = append(notes, "Mean over tasks, without intervals, which are in metrics.json.")
	}
	if len(rows) > 1 {
		notes = append(notes, "Points are set apart sideways a little; strict lies on top.")
	}
	for _, s := range []string{strings.TrimSpace(chance(m)), sources(m), m.remarks(rows)} {
		if s != "" {
			notes = append(notes, s)
		}
	}
	note, noteHeight := p.noteLines(inner, strings.Join(notes, " "))
	const head = vg.Length(headHeight)
	body := p.height(byTurnHeight)

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -head-body-legend-4), note)
		keys(draw.Crop(c, 0, 0, 0, -head-body))
		key := p.style(smallSize, draw.XLeft, draw.YCenter)
		x, y := c.Min.X+28, c.Max.Y-head/2
		for i, s := range []string{"strict", "counterfactual"} {
			sty := stroke(gray(edgeInk), curveLine)
			if i == 1 {
				sty.Dashes = shortDash()
			}
			c.StrokeLine2(sty, x, y, x+keyLength, y)
			circle.draw(&c, vg.Point{X: x + keyLength/2, Y: y}, gray(edgeInk), i == 0)
			beside(&c, key, vg.Point{X: x + 24, Y: y}, s)
			x += 24 + key.Width(s) + 18
		}

		plt := p.axes()
		plt.X.Label.Text, plt.Y.Label.Text = "Question t answered differently", "Share going on differently"
		last := float64(m.Budget - 1)
		first := 1.0
		if first == last {
			first, last = .5, 1.5
		}
		// Room for what is set apart at both ends.
		plain := inner - 35 // from end to end, about
		set := min(5, .6*plain/vg.Length(max(m.Budget-1, 2)*max(len(rows), 1)))
		room := float64(set*vg.Length(len(rows)-1)/2 + 4)
		side := room * (last - first) / (float64(plain) - 2*room)
		plt.X.Min, plt.X.Max, plt.Y.Min, plt.Y.Max = first-side, last+side, -.04, 1.04
		plt.X.Tick.Marker = wholeTicks(first, last, 11)
		plt.Y.Tick.Marker = quarters()[4:]
		plt.Add(&plotter.Grid{Vertical: gridStyle(), Horizontal: gridStyle()})
		plt.Add(plotFunc(func(c draw.Canvas, plt *plot.Plot) {
			x, y := plt.Transforms(&c)
			none := true
			for i, r := range rows {
				l := look[r.Base]
				shift := (vg.Length(i) - vg.Length(len(rows)-1)/2) * set
				draws := func(at func(int) Number, n int, dash []vg.Length, filled bool) {
					var line, all []vg.Point
					sty := stroke(l.color, curveLine, dash...)
					flush := func() { // an undefined point interrupts
						if len(line) > 1 {
							c.StrokeLines(sty, line)
						}
						line = nil
					}
					for t := range n {
						v := at(t)
						if !v.Defined() {
							flush()
							continue
						}
						pt := vg.Point{X: x(float64(t+1)) + shift, Y: y(float64(v))}
						line, all, none = append(line, pt), append(all, pt), false
					}
					flush()
					for _, pt := range all {
						l.marker.draw(&c, pt, l.color, filled)
					}
				}
				of := &r.Adaptivity
				draws(func(t int) Number { return of.Counterfactual.ByT[t].Value }, len(of.Counterfactual.ByT), shortDash(), false)
				draws(func(t int) Number { return of.ByT[t].Value }, len(of.ByT), nil, true)
			}
			if none {
				c.FillText(p.style(labelSize, draw.XCenter, draw.YCenter), c.Center(), "undefined after every question")
			}
		}))
		plt.Draw(draw.Crop(c, 0, 0, legend+noteHeight, -head))
	}
	return sketch{"adaptivitybyt", p.width, head + body + legend + noteHeight + 2*margin, render}
}
