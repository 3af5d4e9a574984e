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

// Figures makes the paper figures, each as SVG, PNG (300 dpi) and PDF, in the width in
// which it is best and, where it has one, in the other (name-column, name-page):
//
//	alignment     alignment by questions asked, with bootstrap bands
//	interactions  questions asked, and questions to the target
//	adaptivity    follow-up adaptivity: strict and released, corrected and counterfactual
//	adaptivitybyt strict and counterfactual, by turn, if there is more than one question
//	tree          the first three questions of every way of asking
//	gain          alignment less that of the static twin, by questions asked, if a
//	              strategy has one
//	forest        paired differences, to the reference and to static twins
//	tasks         alignment by task and strategy, but of surveys
//	calibration   predicted P(held) against the share that is held
//	params, cost  alignment against parameters and tokens, where there are any
//	trace         what one session believed, turn by turn
func Figures(m *Metrics) ([]File, error) { return figureFiles(figures(m), newPen()) }

// sketches lays the figures out as each is best on paper.
func sketches(m *Metrics) (out []sketch) {
	p := newPen()
	for _, f := range figures(m) {
		out = append(out, f.draw(p))
	}
	return out
}

// optionalFigures names the files of figures, without extension, that some runs do not have.
func optionalFigures() []string {
	return []string{"figures/alignment", "figures/interactions", "figures/adaptivity", "figures/adaptivitybyt", "figures/tree", "figures/gain", "figures/forest", "figures/tasks", "figures/calibration", "figures/params", "figures/cost", "figures/trace", "figures/learning"}
}

// figures are those of a run, in the order in which they are read.
func figures(m *Metrics) []figure {
	of := func(name string, draw func(*Metrics, pen) sketch, alt func(*Metrics) string) figure {
		return figure{name: name, draw: func(p pen) sketch { return draw(m, p) }, alt: func() string { return alt(m) }}
	}
	out := []figure{
		of("alignment", alignmentFigure, alignmentAlt),
		of("interactions", interactionsFigure, interactionsAlt),
		of("adaptivity", adaptivityFigure, adaptivityAlt),
	}
	if list := ways(m); len(list) > 0 && m.Sessions.Read > 0 {
		if m.Budget > 1 {
			out = append(out, of("adaptivitybyt", byTurnFigure, byTurnAlt))
		}
		if m.Budget > 0 {
			tree := of("tree", treeFigure, treeAlt)
			tree.single = len(list) > 1
			out = append(out, tree)
		}
	}
	if slices.ContainsFunc(m.Strategies, func(r Row) bool { return r.Gain != nil }) {
		out = append(out, of("gain", gainFigure, gainAlt))
	}
	if len(m.differences()) > 0 {
		out = append(out, of("forest", forestFigure, forestAlt))
	}
	if m.byTask() {
		tasks := of("tasks", tasksFigure, tasksAlt)
		tasks.single = true
		out = append(out, tasks)
	}
	if len(m.calibratedRows()) > 0 {
		out = append(out, of("calibration", calibrationFigure, calibrationAlt))
	}
	for _, s := range []scatter{paramsScatter(), costScatter(m)} {
		if s.some(m) {
			out = append(out, of(s.name, s.figure, s.alt))
		}
	}
	if m.Trace != nil {
		trace := of("trace", traceFigure, traceAlt)
		trace.single = true
		out = append(out, trace)
	}
	return out
}

// plotFunc is a plot.Plotter.
type plotFunc func(draw.Canvas, *plot.Plot)

func (f plotFunc) Plot(c draw.Canvas, p *plot.Plot) { f(c, p) }

// sources says in the note under a figure where a simulator took part, and whose the
// responses are where another judge graded them again; else nothing.
func sources(m *Metrics) string {
	s := ""
	if m.Simulated {
		s = "Simulated " + series(m.SimulatedRoles) + "."
	}
	return strings.TrimSpace(s + origin(m))
}

// intervalNote says what bands or intervals of means over sessions are.
func intervalNote(m *Metrics, what string) string {
	if n := clusters(m); m.Intervals == OverBoth && n >= noInterval {
		return fmt.Sprintf("%s: %g%% bootstrap over %d %ss and %d users%s.", what, 100*m.Confidence, n, m.Cluster, m.Users, tooFew(m))
	}
	return clusterNote(m, what)
}

// clusterNote is intervalNote for what is resampled over clusters alone.
func clusterNote(m *Metrics, what string) string {
	if n := clusters(m); n < noInterval {
		return fmt.Sprintf("%d %s: no %s.", n, plural(n, m.Cluster), strings.ToLower(what))
	}
	return fmt.Sprintf("%s: %g%% bootstrap over %d %ss%s.", what, 100*m.Confidence, clusters(m), m.Cluster, tooFew(m))
}

// tooFew says that there are too few clusters for intervals to be trusted, or nothing.
func tooFew(m *Metrics) string {
	if clusters(m) < fewClusters {
		return " (too few: too narrow)"
	}
	return ""
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

// mostCurves is how many curves one plot of alignment has; more of several predictions
// are drawn in a panel for each.
const mostCurves = 10

// apart reports whether alignment is drawn in one panel a prediction.
func apart(m *Metrics) bool {
	n, predicts := 0, map[string]bool{}
	for _, g := range asking(m) {
		for _, r := range g {
			n++
			predicts[r.Predict] = true
		}
	}
	return n > mostCurves && len(predicts) > 1
}

// alignmentFigure draws alignment by questions asked, in one plot or in one panel for
// each prediction, all of one scale.
func alignmentFigure(m *Metrics, p pen) sketch {
	if apart(m) {
		return newCurves(m, p.or(pageWidth)).panels()
	}
	p = p.or(columnWidth)
	a := newCurves(m, p)
	inner := p.inner()
	keys, legend := p.legend(m, a.rows, inner)
	note, noteHeight := p.noteLines(inner, a.notes(len(a.groups) > 1))
	body := p.height(curveHeight)

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -body-legend-4), note)
		keys(draw.Crop(c, 0, 0, 0, -body))
		plt := a.plot(a.rows, func(r *Row) []vg.Length { return dashes(m, r) })
		plt.Draw(draw.Crop(c, 0, 0, legend+noteHeight, 0))
	}
	return sketch{"alignment", p.width, body + legend + noteHeight + 2*margin, render}
}

// curves are alignments by questions asked, with what all plots of them share.
type curves struct {
	pen
	m      *Metrics
	look   map[string]look
	groups [][]*Row  // rows that ask, by how they ask
	rows   []*Row    // the same
	fixed  []*Row    // floor and ceiling
	off    []string  // those that are off the scale, in words
	lo, hi float64   // of the scale
	room   float64   // above and below, as a share of it
	across vg.Length // width of a plot
	empty  bool      // nothing has an alignment
	plain  bool      // keys are markers without lines
}

func newCurves(m *Metrics, p pen) *curves {
	a := &curves{pen: p, m: m, look: looks(m), groups: asking(m), lo: math.Inf(1), hi: math.Inf(-1), room: .085, across: p.inner()}
	small := apart(m) // and has no room for a floor or ceiling far away
	see := func(v Number) {
		if v.Defined() {
			a.lo, a.hi = min(a.lo, float64(v)), max(a.hi, float64(v))
		}
	}
	for _, g := range a.groups {
		a.rows = append(a.rows, g...)
		for _, r := range g {
			for _, e := range r.Alignment {
				see(e.Value)
				see(e.Lo)
				see(e.Hi)
			}
		}
	}
	for i := range m.Strategies {
		if r := &m.Strategies[i]; r.Name == m.Floor || r.Name == m.Ceiling {
			if r.final().Value.Defined() {
				a.fixed = append(a.fixed, r)
				if !small {
					see(r.final().Value)
				}
			}
		}
	}
	if a.empty = a.lo > a.hi; a.empty {
		a.lo, a.hi = 0, 100
	}
	if small {
		a.room = .13
		a.fixed = slices.DeleteFunc(a.fixed, func(r *Row) bool {
			v := float64(r.final().Value)
			off := v < a.lo || v > a.hi
			if off {
				a.off = append(a.off, fmt.Sprintf("%s at %s", r.Name, num(r.final().Value, "%.1f")))
			}
			return off
		})
	}
	return a
}

// notes gives the note under the figure.
func (a *curves) notes(set bool, more ...string) string {
	m := a.m
	notes := append([]string{"On " + describe(m) + "."}, more...)
	if m.Horizon > m.Budget && len(m.Checkpoints) > 0 && m.Checkpoints[len(m.Checkpoints)-1] > m.Budget {
		notes = append(notes, fmt.Sprintf("Dotted: the budget of %d %s.", m.Budget, plural(m.Budget, "question")))
	}
	notes = append(notes, intervalNote(m, "Bands"))
	if set {
		notes = append(notes, "Curves are set apart sideways a little.")
	}
	if s := sources(m); s != "" {
		notes = append(notes, s)
	}
	if s := m.remarks(a.rows); s != "" {
		notes = append(notes, s)
	}
	return strings.Join(notes, " ")
}

// plot gives the plot of some of the rows.
func (a *curves) plot(rows []*Row, dash func(*Row) []vg.Length) *plot.Plot {
	m, p := a.m, a.pen
	// Bases stand a little beside each other, so that equal curves can be seen.
	var bases []string
	for _, r := range rows {
		if !slices.Contains(bases, r.Base) {
			bases = append(bases, r.Base)
		}
	}
	dodge := map[string]vg.Length{}
	for i, b := range bases {
		plain := a.across - 36 // from the first to the last checkpoint, about
		step := min(2.2, .4*plain/vg.Length(max(len(m.Checkpoints)-1, 1)*len(bases)))
		dodge[b] = (vg.Length(i) - vg.Length(len(bases)-1)/2) * step
	}
	plt := p.axes()
	plt.X.Label.Text, plt.Y.Label.Text = "Questions asked", "Alignment (0-100)"
	// Room for the labels above the ceiling and below the floor.
	room := max(a.hi-a.lo, 2) * a.room
	plt.Y.Min, plt.Y.Max = a.lo-room, a.hi+room
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
			c.StrokeLine2(stroke(gray(dimInk), axisLine, dotted()...), x(float64(m.Budget)), c.Min.Y, x(float64(m.Budget)), c.Max.Y)
		}))
	}
	plt.Add(plotFunc(func(c draw.Canvas, plt *plot.Plot) {
		x, y := plt.Transforms(&c)
		beside := func(r *Row) func(float64) vg.Length {
			return func(v float64) vg.Length { return x(v) + dodge[r.Base] }
		}
		for _, r := range rows {
			drawBand(&c, r, a.look[r.Base].color, beside(r), y)
		}
		for _, r := range a.fixed {
			p.levelLine(&c, r, y)
		}
		for _, r := range rows {
			drawCurve(&c, r, a.look[r.Base], dash(r), beside(r), y)
		}
		if a.empty {
			sty := p.style(labelSize, draw.XCenter, draw.YCenter)
			c.FillText(sty, c.Center(), "no session has an alignment")
		}
	}))
	return plt
}

// panels draws one panel for each prediction, at most three in a line, with its keys below.
func (a *curves) panels() sketch {
	m := a.m
	var predicts []string
	by := map[string][]*Row{}
	for _, r := range a.rows {
		if by[r.Predict] == nil {
			predicts = append(predicts, r.Predict)
		}
		by[r.Predict] = append(by[r.Predict], r)
	}
	slices.SortStableFunc(predicts, func(s, t string) int { return predictOrder(by[s][0]) - predictOrder(by[t][0]) })

	const (
		most  = 3
		title = 13
		body  = vg.Length(panelHeight)
		gap   = 10
	)
	across := min(most, len(predicts))
	if a.narrow() {
		across = 1
	}
	inner := a.inner()
	wide := (inner - vg.Length(across-1)*gap) / vg.Length(across)
	a.across = wide
	more := "One panel a prediction, on one scale; names are without it."
	if len(a.off) > 0 {
		more += fmt.Sprintf(" Off the scale: %s.", series(a.off))
	}
	note, noteHeight := a.noteLines(inner, a.notes(true, more))
	var keys []func(draw.Canvas)
	var lines []vg.Length // height of the keys, by line of panels
	for i, s := range predicts {
		names := make([]string, len(by[s]))
		for j, r := range by[s] {
			names[j] = m.marked(r, r.Base)
		}
		render, height := a.keys(by[s], names, wide, plainDashes)
		keys = append(keys, render)
		if i%across == 0 {
			lines = append(lines, 0)
		}
		lines[i/across] = max(lines[i/across], height)
	}
	total := vg.Length(0)
	for _, h := range lines {
		total += title + body + h + gap
	}
	render := func(c draw.Canvas) {
		a.footnote(draw.Crop(c, 0, 0, 0, -total), note)
		top := c.Max.Y
		for i, s := range predicts {
			left := c.Min.X + vg.Length(i%across)*(wide+gap)
			cell := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: left, Y: top - title - body - lines[i/across]}, Max: vg.Point{X: left + wide, Y: top},
			}}
			sty := a.style(labelSize, draw.XCenter, draw.YCenter)
			what := "predicts from " + s
			beside(&cell, sty, vg.Point{X: left + wide/2, Y: top - title/2}, fit(what, sty, wide))
			plt := a.plot(by[s], plainDashes)
			plt.Draw(draw.Crop(cell, 0, 0, lines[i/across], -title))
			keys[i](draw.Crop(cell, 0, 0, 0, -title-body))
			if i%across == across-1 || i == len(predicts)-1 {
				top -= title + body + lines[i/across] + gap
			}
		}
	}
	return sketch{"alignment", a.width, total + noteHeight + 2*margin, render}
}

// plainDashes draws prediction from answers broken, any other whole.
func plainDashes(r *Row) []vg.Length {
	if r.Predict == "answers" {
		return shortDash()
	}
	return nil
}

// legend lays out the keys of curves under a plot; see keys.
func (p pen) legend(m *Metrics, rows []*Row, inner vg.Length) (render func(draw.Canvas), height vg.Length) {
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = m.marked(r, r.Name)
	}
	a := &curves{pen: p, look: looks(m)}
	return a.keys(rows, names, inner, func(r *Row) []vg.Length { return dashes(m, r) })
}

// keys lays out the keys of curves, in two columns (on a page four) if every name fits, and gives what
// draws them from the top of a canvas, and their height.
func (a *curves) keys(rows []*Row, text []string, inner vg.Length, dash func(*Row) []vg.Length) (render func(draw.Canvas), height vg.Length) {
	return a.keysOf(rows, text, inner, dash, func(r *Row) bool { return r.Predict != "answers" })
}

// keysOf is keys with markers filled as told.
func (a *curves) keysOf(rows []*Row, text []string, inner vg.Length, dash func(*Row) []vg.Length, filled func(*Row) bool) (render func(draw.Canvas), height vg.Length) {
	const key, gap = vg.Length(keyLength), 4
	names := a.style(smallSize, draw.XLeft, draw.YCenter)
	columns := 2
	if inner > columnWidth {
		columns = 4
	}
	for _, s := range text {
		for columns > 1 && names.Width(s) > inner/vg.Length(columns)-key-2*gap {
			columns /= 2
		}
	}
	lines := (len(rows) + columns - 1) / columns
	const line = vg.Length(keyLine)
	return func(c draw.Canvas) {
		for i, r := range rows {
			l := a.look[r.Base]
			x := c.Min.X + vg.Length(i%columns)*inner/vg.Length(columns) + gap
			y := c.Max.Y - keyGap - (vg.Length(i/columns)+.5)*line
			if !a.plain {
				c.StrokeLines(stroke(l.color, curveLine, dash(r)...), []vg.Point{{X: x, Y: y}, {X: x + key, Y: y}})
			}
			l.marker.draw(&c, vg.Point{X: x + key/2, Y: y}, l.color, filled(r))
			beside(&c, names, vg.Point{X: x + key + gap, Y: y}, fit(text[i], names, inner/vg.Length(columns)-key-2*gap))
		}
	}, vg.Length(lines)*line + keyGap
}

// levelLine draws floor or ceiling across the plot, with its name.
func (p pen) levelLine(c *draw.Canvas, r *Row, y func(float64) vg.Length) {
	at := y(float64(r.final().Value))
	c.StrokeLine2(stroke(gray(edgeInk), levelLine, longDash()...), c.Min.X, at, c.Max.X, at)
	sty := p.quiet(draw.XLeft, draw.YBottom)
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
	clr.A = bandAlpha
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
	sty := stroke(l.color, curveLine, dash...)
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
	rows  []*Row
	text  []string  // their names
	y     []float64 // of every row, downwards from 0
	span  float64
	short string // what to know about the names, or empty
	m     *Metrics
	look  map[string]look
	pen
}

func newBoard(m *Metrics, p pen) *board {
	b := &board{m: m, look: looks(m), pen: p}
	y := 0.0
	for _, g := range blocks(m) {
		if g[0].fixed() {
			continue
		}
		if len(b.rows) > 0 {
			y -= .35
		}
		for _, r := range g {
			b.rows, b.text, b.y = append(b.rows, r), append(b.text, m.marked(r, r.Name)), append(b.y, y)
			y--
		}
	}
	b.span = max(-y, 1)
	return b
}

// merge leaves one line of rows that ask alike and have the same follow-up adaptivity,
// which knows nothing of what they predict, under the name of how they ask.
func (b *board) merge() {
	rows, old := b.rows, b.y
	b.rows, b.text, b.y = nil, nil, nil
	y := 0.0
	for i := 0; i < len(rows); {
		j := i + 1
		for j < len(rows) && rows[j].Base == rows[i].Base {
			j++
		}
		group := rows[i:j]
		if i > 0 && old[i-1]-old[i] > 1 && (len(group) > 1 || rows[i-1].Predict != group[0].Predict) {
			y -= .35
		}
		for _, w := range merged(group) {
			b.rows, b.text, b.y = append(b.rows, w.Row), append(b.text, b.m.marked(w.Row, w.name)), append(b.y, y)
			y--
		}
		i = j
	}
	b.span = max(-y, 1)
	b.short = "One line a way of asking, whatever it predicts from."
}

func (b *board) height() vg.Length { return vg.Length(b.span)*rowHeight + axisHeight }

// panels is the height of two panels with heads: beside each other, or in a column one above
// the other.
func (b *board) panels(head vg.Length) vg.Length {
	h := head + b.height()
	if b.narrow() {
		h = 2*h + panelGap
	}
	return h
}

// area gives the left or upper panel (0) of two, or the other (1), right of the names.
func (b *board) area(c draw.Canvas, names, head vg.Length, i int) draw.Canvas {
	left, right, top := c.Min.X+names, c.Max.X, c.Max.Y
	if b.narrow() {
		top -= vg.Length(i) * (head + b.height() + panelGap)
	} else {
		wide := (right - left - panelGap) / 2
		left += vg.Length(i) * (wide + panelGap)
		right = left + wide
	}
	return draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
		Min: vg.Point{X: left, Y: top - head - b.height()}, Max: vg.Point{X: right, Y: top},
	}}
}

// nameWidth is the room that the names take, at most some.
func (b *board) nameWidth(most vg.Length) (w vg.Length) {
	sty := b.style(labelSize, draw.XRight, draw.YCenter)
	widest := func() (w vg.Length) {
		for _, s := range b.text {
			w = max(w, sty.Width(s))
		}
		return w
	}
	w = widest()
	if w > most && b.short == "" {
		for i, short := 0, labels(b.m); i < len(b.rows); i++ {
			b.text[i] = b.m.marked(b.rows[i], short[b.rows[i].Name])
		}
		b.short = "Names are without what they predict from, where it is one thing."
		w = widest()
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
	for i, s := range b.text {
		beside(&c, sty, vg.Point{X: x, Y: y(b.y[i])}, fit(s, sty, width-5))
	}
}

// whisker draws an interval with ends; an open one has an arrowhead instead.
func whisker(c *draw.Canvas, clr color.Color, x0, x1, y vg.Length, open bool) {
	sty := stroke(clr, barLine)
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
	p = p.or(pageWidth)
	b := newBoard(m, p)
	inner := p.inner()
	names := b.nameWidth(inner * b.share(.3))
	notes := []string{"On " + describe(m) + "."}
	if m.Target.Strategy != "" && m.Target.Alignment.Value.Defined() {
		notes = append(notes, fmt.Sprintf("Target: the final alignment of %s (%s), looked for up to %d %s; an arrow marks an interval that is open there.",
			m.Target.Strategy, num(m.Target.Alignment.Value, "%.1f"), m.Horizon, plural(m.Horizon, "question")))
	}
	notes = append(notes, intervalNote(m, "Intervals"))
	if b.short != "" {
		notes = append(notes, b.short)
	}
	if s := sources(m); s != "" {
		notes = append(notes, s)
	}
	if s := m.remarks(b.rows); s != "" {
		notes = append(notes, s)
	}
	note, noteHeight := p.noteLines(inner, strings.Join(notes, " "))

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -b.panels(0)-4), note)
		left, right := b.area(c, names, 0, 0), b.area(c, names, 0, 1)
		most := float64(max(m.Budget, 1))
		small := p.quiet(draw.XLeft, draw.YCenter)
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
		y = b.panel(right, label, 0, most*1.02, wholeTicks(0, most, 10), func(c *draw.Canvas, r *Row, x func(float64) vg.Length, y vg.Length) {
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
		if b.narrow() {
			b.names(c, c.Min.X+names-5, names, y)
		}
	}
	return sketch{"interactions", p.width, b.panels(0) + noteHeight + 2*margin, render}
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

// share is the share of the width that names have at most: in a column more of it.
func (b *board) share(page vg.Length) vg.Length {
	if b.narrow() {
		return .4
	}
	return page
}
