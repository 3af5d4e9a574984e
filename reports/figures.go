package reports

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Figures makes the paper figures, each as SVG, PNG (300 dpi) and PDF:
//
//	alignment     alignment by questions asked, with bootstrap bands
//	interactions  questions asked, and questions to the target
//	adaptivity    follow-up adaptivity, strict and released
//	gain          alignment less that of the static twin, by questions asked, if a
//	              strategy has one
func Figures(m *Metrics) ([]File, error) {
	var out []File
	for _, s := range sketches(m) {
		f, err := s.files()
		if err != nil {
			return nil, err
		}
		out = append(out, f...)
	}
	return out, nil
}

func sketches(m *Metrics) []sketch {
	p := newPen()
	out := []sketch{alignmentFigure(m, p), interactionsFigure(m, p), adaptivityFigure(m, p)}
	if slices.ContainsFunc(m.Strategies, func(r Row) bool { return r.Gain != nil }) {
		out = append(out, gainFigure(m, p))
	}
	return out
}

// plotFunc is a plot.Plotter.
type plotFunc func(draw.Canvas, *plot.Plot)

func (f plotFunc) Plot(c draw.Canvas, p *plot.Plot) { f(c, p) }

// simulatedNote is the line that figures carry when a simulator took part.
func simulatedNote(m *Metrics) string {
	if !m.Simulated {
		return ""
	}
	return "simulated " + series(m.SimulatedRoles)
}

// intervalNote says what bands or intervals are.
func intervalNote(m *Metrics, what string) string {
	if n := clusters(m); n < noInterval {
		return fmt.Sprintf("%d %s: no %s.", n, plural(n, m.Cluster), strings.ToLower(what))
	}
	return fmt.Sprintf("%s: %g%% bootstrap over %d %ss.", what, 100*m.Confidence, clusters(m), m.Cluster)
}

// asking gives the rows that ask questions, by how they ask.
func asking(m *Metrics) (groups [][]*Row) {
	for _, g := range ordered(m) {
		if !g[0].fixed() {
			groups = append(groups, g)
		}
	}
	return groups
}

// alignmentFigure draws alignment by questions asked.
func alignmentFigure(m *Metrics, p pen) sketch {
	look := looks(m)
	var rows, fixed []*Row
	// Bases stand a little beside each other, so that equal curves can be seen.
	dodge := map[string]vg.Length{}
	groups := asking(m)
	for i, g := range groups {
		rows = append(rows, g...)
		const plain = 205 // points from the first to the last checkpoint, about
		apart := min(2.2, .4*plain/vg.Length(max(len(m.Checkpoints)-1, 1)*len(groups)))
		dodge[g[0].Base] = (vg.Length(i) - vg.Length(len(groups)-1)/2) * apart
	}
	for i := range m.Strategies {
		if r := &m.Strategies[i]; r.Name == m.Floor || r.Name == m.Ceiling {
			if r.final().Value.Defined() {
				fixed = append(fixed, r)
			}
		}
	}

	inner := columnWidth - 2*margin
	keys, legend := p.legend(m, rows, inner)

	var notes []string
	if m.Horizon > m.Budget && len(m.Checkpoints) > 0 && m.Checkpoints[len(m.Checkpoints)-1] > m.Budget {
		notes = append(notes, fmt.Sprintf("Dotted: the budget of %d %s.", m.Budget, plural(m.Budget, "question")))
	}
	notes = append(notes, intervalNote(m, "Bands"))
	if len(groups) > 1 {
		notes = append(notes, "Curves are set apart sideways a little.")
	}
	if s := simulatedNote(m); s != "" {
		notes = append(notes, capital(s)+".")
	}
	note, noteHeight := p.noteLines(inner, strings.Join(notes, " "))
	const body = 5.6 * vg.Centimeter

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -body-legend-4), note)
		keys(draw.Crop(c, 0, 0, 0, -body))

		plt := p.axes()
		plt.X.Label.Text, plt.Y.Label.Text = "Questions asked", "Alignment (0-100)"
		lo, hi := math.Inf(1), math.Inf(-1)
		see := func(v Number) {
			if v.Defined() {
				lo, hi = min(lo, float64(v)), max(hi, float64(v))
			}
		}
		for _, r := range rows {
			for _, a := range r.Alignment {
				see(a.Value)
				see(a.Lo)
				see(a.Hi)
			}
		}
		for _, r := range fixed {
			see(r.final().Value)
		}
		empty := lo > hi
		if empty {
			lo, hi = 0, 100
		}
		// Room for the labels above the ceiling and below the floor.
		room := max(hi-lo, 2) * .085
		plt.Y.Min, plt.Y.Max = lo-room, hi+room
		plt.Y.Tick.Marker = ticks(max(plt.Y.Min, 0), min(plt.Y.Max, 100), 6)
		first, last := float64(m.Checkpoints[0]), float64(m.Checkpoints[len(m.Checkpoints)-1])
		if first == last {
			first, last = first-.5, last+.5
		}
		side := (last - first) * .04
		plt.X.Min, plt.X.Max = first-side, last+side
		plt.X.Tick.Marker = wholeTicks(first, last, 11)
		plt.Add(&plotter.Grid{Vertical: gridStyle(), Horizontal: gridStyle()})
		if last > float64(m.Budget) {
			plt.Add(plotFunc(func(c draw.Canvas, plt *plot.Plot) {
				x, _ := plt.Transforms(&c)
				c.StrokeLine2(draw.LineStyle{Color: gray(120), Width: .6, Dashes: []vg.Length{1, 1.5}}, x(float64(m.Budget)), c.Min.Y, x(float64(m.Budget)), c.Max.Y)
			}))
		}
		plt.Add(plotFunc(func(c draw.Canvas, plt *plot.Plot) {
			x, y := plt.Transforms(&c)
			beside := func(r *Row) func(float64) vg.Length {
				return func(v float64) vg.Length { return x(v) + dodge[r.Base] }
			}
			for _, r := range rows {
				drawBand(&c, r, look[r.Base].color, beside(r), y)
			}
			for _, r := range fixed {
				p.levelLine(&c, r, y)
			}
			for _, r := range rows {
				drawCurve(&c, r, look[r.Base], dashes(m, r), beside(r), y)
			}
			if empty {
				sty := p.style(labelSize, draw.XCenter, draw.YCenter)
				c.FillText(sty, c.Center(), "no session has an alignment")
			}
		}))
		plt.Draw(draw.Crop(c, 0, 0, legend+noteHeight, 0))
	}
	return sketch{"alignment", columnWidth, body + legend + noteHeight + 2*margin, render}
}

// legend lays out the keys of curves under a plot, in two columns if every name
// fits, and gives what draws them from the top of a canvas, and their height.
func (p pen) legend(m *Metrics, rows []*Row, inner vg.Length) (render func(draw.Canvas), height vg.Length) {
	const key, gap = 20, 4
	names := p.style(smallSize, draw.XLeft, draw.YCenter)
	look := looks(m)
	columns := 2
	for _, r := range rows {
		if names.Width(r.Name) > inner/2-key-2*gap {
			columns = 1
		}
	}
	lines := (len(rows) + columns - 1) / columns
	const line = smallSize * 1.45
	return func(c draw.Canvas) {
		for i, r := range rows {
			l := look[r.Base]
			x := c.Min.X + vg.Length(i%columns)*inner/vg.Length(columns) + gap
			y := c.Max.Y - 5 - (vg.Length(i/columns)+.5)*line
			c.StrokeLines(draw.LineStyle{Color: l.color, Width: 1.1, Dashes: dashes(m, r)}, []vg.Point{{X: x, Y: y}, {X: x + key, Y: y}})
			l.marker.draw(&c, vg.Point{X: x + key/2, Y: y}, l.color, r.Predict != "answers")
			beside(&c, names, vg.Point{X: x + key + gap, Y: y}, fit(r.Name, names, inner/vg.Length(columns)-key-2*gap))
		}
	}, vg.Length(lines)*line + 5
}

// levelLine draws floor or ceiling across the plot, with its name.
func (p pen) levelLine(c *draw.Canvas, r *Row, y func(float64) vg.Length) {
	at := y(float64(r.final().Value))
	c.StrokeLine2(draw.LineStyle{Color: gray(60), Width: .7, Dashes: []vg.Length{5, 2.5}}, c.Min.X, at, c.Max.X, at)
	sty := p.style(smallSize, draw.XLeft, draw.YBottom)
	sty.Color = gray(60)
	what, pt := "ceiling", vg.Point{X: c.Min.X + 3, Y: at + 1}
	if r.Kind == kindFloor {
		what = "floor"
		sty.XAlign, sty.YAlign = draw.XRight, draw.YTop
		pt = vg.Point{X: c.Max.X - 3, Y: at - 1}
	}
	c.FillText(sty, pt, fit(fmt.Sprintf("%s (%s)", what, r.Name), sty, c.Max.X-c.Min.X-6))
}

// drawBand fills between the ends of the intervals, where there are any.
func drawBand(c *draw.Canvas, r *Row, clr color.NRGBA, x, y func(float64) vg.Length) {
	clr.A = 26
	var top, bottom []vg.Point
	flush := func() {
		if len(top) > 1 {
			for i := len(bottom) - 1; i >= 0; i-- {
				top = append(top, bottom[i])
			}
			c.FillPolygon(clr, top)
		}
		top, bottom = nil, nil
	}
	for _, a := range r.Alignment {
		if !a.Lo.Defined() || !a.Hi.Defined() {
			flush()
			continue
		}
		q := x(float64(a.Questions))
		top = append(top, vg.Point{X: q, Y: y(float64(a.Hi))})
		bottom = append(bottom, vg.Point{X: q, Y: y(float64(a.Lo))})
	}
	flush()
}

// drawCurve joins the points that have a value; an undefined one interrupts.
func drawCurve(c *draw.Canvas, r *Row, l look, dash []vg.Length, x, y func(float64) vg.Length) {
	var line, all []vg.Point
	sty := draw.LineStyle{Color: l.color, Width: 1.1, Dashes: dash}
	for _, a := range r.Alignment {
		if !a.Value.Defined() {
			c.StrokeLines(sty, line)
			line = nil
			continue
		}
		pt := vg.Point{X: x(float64(a.Questions)), Y: y(float64(a.Value))}
		line, all = append(line, pt), append(all, pt)
	}
	if len(line) > 1 {
		c.StrokeLines(sty, line)
	}
	for _, pt := range all {
		l.marker.draw(c, pt, l.color, r.Predict != "answers")
	}
}

// A board is a figure of one line a strategy: names on the left, panels beside.
type board struct {
	rows []*Row
	y    []float64 // of every row, downwards from 0
	span float64
	look map[string]look
	pen
}

const rowHeight = 12.5 // points

func newBoard(m *Metrics, p pen) *board {
	b := &board{look: looks(m), pen: p}
	y := 0.0
	for i, g := range asking(m) {
		if i > 0 {
			y -= .35
		}
		for _, r := range g {
			b.rows, b.y = append(b.rows, r), append(b.y, y)
			y--
		}
	}
	b.span = max(-y, 1)
	return b
}

// axisHeight is what an x axis with label takes below a panel.
const axisHeight = 26

func (b *board) height() vg.Length { return vg.Length(b.span)*rowHeight + axisHeight }

// nameWidth is the room that the names take, at most some.
func (b *board) nameWidth(most vg.Length) (w vg.Length) {
	sty := b.style(labelSize, draw.XRight, draw.YCenter)
	for _, r := range b.rows {
		w = max(w, sty.Width(r.Name))
	}
	return min(w, most) + 5
}

// panel draws axes and grid, and calls row for every strategy with its place.
func (b *board) panel(c draw.Canvas, label string, lo, hi float64, marks plot.ConstantTicks, row func(c *draw.Canvas, r *Row, x func(float64) vg.Length, y vg.Length)) (y func(float64) vg.Length) {
	plt := b.axes()
	plt.HideY()
	plt.Y.Padding = 0
	plt.X.Label.Text = label
	plt.X.Min, plt.X.Max = lo, hi
	plt.Y.Min, plt.Y.Max = .5-b.span, .5
	plt.X.Tick.Marker = marks
	plt.Add(&plotter.Grid{Vertical: gridStyle()})
	plt.Add(plotFunc(func(c draw.Canvas, plt *plot.Plot) {
		x, ty := plt.Transforms(&c)
		for i, r := range b.rows {
			row(&c, r, x, ty(b.y[i]))
		}
		if len(b.rows) == 0 {
			c.FillText(b.style(labelSize, draw.XCenter, draw.YCenter), c.Center(), "no strategy asks questions")
		}
	}))
	plt.Draw(c)
	data := plt.DataCanvas(c)
	_, y = plt.Transforms(&data)
	return y
}

// names writes the names of the strategies, ending at x.
func (b *board) names(c draw.Canvas, x, width vg.Length, y func(float64) vg.Length) {
	sty := b.style(labelSize, draw.XRight, draw.YCenter)
	for i, r := range b.rows {
		beside(&c, sty, vg.Point{X: x, Y: y(b.y[i])}, fit(r.Name, sty, width-5))
	}
}

// whisker draws an interval with ends; an open one has an arrowhead instead.
func whisker(c *draw.Canvas, clr color.Color, x0, x1, y vg.Length, open bool) {
	sty := draw.LineStyle{Color: clr, Width: .9}
	c.StrokeLine2(sty, x0, y, x1, y)
	const h = 2
	c.StrokeLine2(sty, x0, y-h, x0, y+h)
	if open {
		c.StrokeLines(sty, []vg.Point{{X: x1 - 3, Y: y - h}, {X: x1, Y: y}, {X: x1 - 3, Y: y + h}})
		return
	}
	c.StrokeLine2(sty, x1, y-h, x1, y+h)
}

// interactionsFigure draws questions asked and questions to the target, side by
// side.
func interactionsFigure(m *Metrics, p pen) sketch {
	b := newBoard(m, p)
	inner := pageWidth - 2*margin
	names := b.nameWidth(inner * .3)
	var notes []string
	if m.Target.Strategy != "" && m.Target.Alignment.Value.Defined() {
		notes = append(notes, fmt.Sprintf("Target: the final alignment of %s (%s), looked for up to %d %s; an arrow marks an interval that is open there.",
			m.Target.Strategy, num(m.Target.Alignment.Value, "%.1f"), m.Horizon, plural(m.Horizon, "question")))
	}
	notes = append(notes, intervalNote(m, "Intervals"))
	if s := simulatedNote(m); s != "" {
		notes = append(notes, capital(s)+".")
	}
	note, noteHeight := p.noteLines(inner, strings.Join(notes, " "))

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -b.height()-4), note)
		const gap = 14
		panel := (inner - names - gap) / 2
		left := draw.Crop(c, names, -gap-panel, noteHeight, 0)
		right := draw.Crop(c, names+panel+gap, 0, noteHeight, 0)
		most := float64(max(m.Budget, 1))
		small := p.style(smallSize, draw.XLeft, draw.YCenter)
		small.Color = gray(70)
		y := b.panel(left, "Questions asked", 0, most*1.12, wholeTicks(0, most, 10), func(c *draw.Canvas, r *Row, x func(float64) vg.Length, y vg.Length) {
			e := r.Interactions
			if !e.Value.Defined() {
				beside(c, small, vg.Point{X: x(0) + 3, Y: y}, "no sessions")
				return
			}
			const h = rowHeight * .3
			end := x(float64(e.Value))
			clr := b.look[r.Base].color
			c.FillPolygon(pale(clr), []vg.Point{{X: x(0), Y: y - h}, {X: end, Y: y - h}, {X: end, Y: y + h}, {X: x(0), Y: y + h}})
			tip := end
			if e.Lo.Defined() && e.Hi.Defined() {
				if e.Lo < e.Hi {
					whisker(c, color.Black, x(float64(e.Lo)), x(float64(e.Hi)), y, false)
				}
				tip = max(tip, x(float64(e.Hi)))
			}
			beside(c, small, vg.Point{X: tip + 3, Y: y}, num(e.Value, "%.1f"))
		})
		b.names(c, c.Min.X+names-5, names, y)

		most = float64(max(m.Horizon, 1))
		label := "Questions to target"
		if m.Target.Strategy == "" {
			label += " (the run names none)"
		}
		b.panel(right, label, 0, most*1.02, wholeTicks(0, most, 10), func(c *draw.Canvas, r *Row, x func(float64) vg.Length, y vg.Length) {
			t := r.ToTarget
			l := b.look[r.Base]
			say := func(s string) { beside(c, small, vg.Point{X: x(0) + 3, Y: y}, s) }
			switch {
			case m.Target.Strategy == "":
				return
			case !m.Target.Alignment.Value.Defined() || r.final().N == 0:
				say("undefined")
				return
			case !t.Value.Defined():
				s := "not reached"
				if t.Never.Defined() {
					s += fmt.Sprintf(" (in %s%% of resamples)", num(100*t.Never, "%.0f"))
				}
				say(s)
				return
			}
			if t.Lo.Defined() && (t.Hi.Defined() || t.HiOpen) {
				end := x(most)
				if !t.HiOpen {
					end = x(float64(t.Hi))
				}
				whisker(c, l.color, x(float64(t.Lo)), end, y, t.HiOpen)
			}
			l.marker.draw(c, vg.Point{X: x(float64(t.Value)), Y: y}, l.color, r.Predict != "answers")
		})
	}
	return sketch{"interactions", pageWidth, b.height() + noteHeight + 2*margin, render}
}

// adaptivityFigure draws follow-up adaptivity, strict and released.
func adaptivityFigure(m *Metrics, p pen) sketch {
	b := newBoard(m, p)
	inner := columnWidth - 2*margin
	small := p.style(smallSize, draw.XRight, draw.YCenter)
	pairs := func(r *Row) string {
		a := r.Adaptivity
		if a.Pairs == 0 && a.Released.Pairs == 0 {
			return "no pairs"
		}
		return compact(a.Pairs) + " / " + compact(a.Released.Pairs)
	}
	const heading = "pairs"
	right := small.Width(heading)
	for _, r := range b.rows {
		right = max(right, small.Width(pairs(r)))
	}
	right += 5
	names := b.nameWidth((inner - right) * .45)

	notes := []string{"Strict: equal dialogues but for the last answer; released: equal questions. Pairs: strict / released."}
	last := intervalNote(m, "Intervals")
	if m.Cluster == "user" {
		last = "A survey has one task: no intervals."
	}
	if s := simulatedNote(m); s != "" {
		last += " " + capital(s) + "."
	}
	note, noteHeight := p.noteLines(inner, notes[0]+" "+last)
	const head = 14

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -head-b.height()-4), note)

		// Head: what the markers mean, and the heading of the pairs.
		y := c.Max.Y - head/2
		x := c.Min.X + names
		key := p.style(smallSize, draw.XLeft, draw.YCenter)
		for i, s := range []string{"strict", "released"} {
			circle.draw(&c, vg.Point{X: x + 3, Y: y}, gray(60), i == 0)
			beside(&c, key, vg.Point{X: x + 8, Y: y}, s)
			x += key.Width(s) + 18
		}
		beside(&c, small, vg.Point{X: c.Max.X, Y: y}, heading)

		area := draw.Crop(c, names, -right-4, noteHeight, -head)
		marks := plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: .25, Label: "0.25"}, {Value: .5, Label: "0.5"}, {Value: .75, Label: "0.75"}, {Value: 1, Label: "1"}}
		ty := b.panel(area, "Share going on differently (0-1)", -.03, 1.03, marks, func(c *draw.Canvas, r *Row, x func(float64) vg.Length, y vg.Length) {
			l := b.look[r.Base]
			if r.Adaptivity.Pairs == 0 && r.Adaptivity.Released.Pairs == 0 {
				sty := p.style(smallSize, draw.XLeft, draw.YCenter)
				sty.Color = gray(70)
				beside(c, sty, vg.Point{X: x(0), Y: y}, "no pairs")
				return
			}
			for i, s := range []PairShare{r.Adaptivity.PairShare, r.Adaptivity.Released} {
				if !s.Value.Defined() {
					continue
				}
				at := y + rowHeight*.2 - vg.Length(i)*rowHeight*.4
				if s.Lo.Defined() && s.Hi.Defined() {
					whisker(c, l.color, x(float64(s.Lo)), x(float64(s.Hi)), at, false)
				}
				l.marker.draw(c, vg.Point{X: x(float64(s.Value)), Y: at}, l.color, i == 0)
			}
		})
		b.names(c, c.Min.X+names-5, names, ty)
		for i, r := range b.rows {
			if s := pairs(r); s != "no pairs" {
				beside(&c, small, vg.Point{X: c.Max.X, Y: ty(b.y[i])}, s)
			}
		}
	}
	return sketch{"adaptivity", columnWidth, head + b.height() + noteHeight + 2*margin, render}
}

// compact writes a large number short: 1234 is 1.2k.
func compact(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprint(n)
	case n < 99_950:
		return fmt.Sprintf("%.1fk", float64(n)/1e3)
	case n < 999_500:
		return fmt.Sprintf("%.0fk", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1fM", float64(n)/1e6)
}
