package reports

import (
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// sweepFigures gives the figures of a sweep: grid (alignment) and, if any cell has
// one, gridgain (adaptive gain), as heat maps of two axes or as intervals along one;
// and ladder (alignment by questions) where one solver stands beside another. More axes
// have no figure.
func sweepFigures(s *SweepMetrics) (out []figure) {
	for _, t := range []*tiles{alignmentTiles(s), gainTiles(s)} {
		if t == nil {
			continue
		}
		f := figure{name: t.name, alt: func() string { return t.alt(s) }}
		switch len(s.Axes) {
		case 1:
			f.draw = func(p pen) sketch { return axisFigure(s, t, p) }
		case 2:
			f.draw, f.single = func(p pen) sketch { return heatFigure(s, t, p) }, true
		default:
			continue
		}
		out = append(out, f)
	}
	if s.isLadder() {
		out = append(out, figure{name: "ladder", draw: func(p pen) sketch { return ladderFigure(s, p) }, alt: func() string { return ladderAlt(s) }})
	}
	return out
}

// tiles is one number of every cell, with how it is shown.
type tiles struct {
	name, label string
	of          func(*GridCell) Estimate
	text        func(*GridCell) string
	colors      palette
	lo, hi      float64 // ends of the palette
	zero        bool    // 0 matters
	note        string
}

func alignmentTiles(s *SweepMetrics) *tiles {
	t := &tiles{
		name: "grid", label: "Alignment (0-100)", colors: sequential(),
		of:   func(c *GridCell) Estimate { return c.Alignment },
		text: func(c *GridCell) string { return num(c.Alignment.Value, "%.1f") },
		note: s.about(),
	}
	t.lo, t.hi = math.Inf(1), math.Inf(-1)
	for i := range s.Cells {
		if v := float64(s.Cells[i].Alignment.Value); !math.IsNaN(v) {
			t.lo, t.hi = min(t.lo, v), max(t.hi, v)
		}
	}
	if t.lo > t.hi {
		t.lo, t.hi = 0, 100
	}
	if t.hi-t.lo < .2 { // equal numbers have one colour
		t.lo, t.hi = t.lo-.5, t.hi+.5
	}
	return t
}

func gainTiles(s *SweepMetrics) *tiles {
	t := &tiles{
		name: "gridgain", label: "Adaptive gain in alignment", colors: diverging(), zero: true,
		of: func(c *GridCell) Estimate {
			if c.Gain == nil {
				return unknown()
			}
			return c.Gain.Estimate
		},
		text: func(c *GridCell) string {
			if v := num(c.Gain.Value, "%+.1f"); c.Gain.Resolved {
				return v
			}
			return num(c.Gain.Value, "%+.1f") + " ~"
		},
		note: s.about() + fmt.Sprintf(" Minus %s, its static twin, paired by session.", s.Twin),
	}
	some := false
	for i := range s.Cells {
		if g := s.Cells[i].Gain; g != nil {
			some = true
			t.hi = max(t.hi, math.Abs(float64(g.Value)))
		}
	}
	if !some {
		return nil
	}
	t.hi = max(t.hi, .5)
	t.lo = -t.hi
	return t
}

// notes gives the note under a figure of the sweep.
func (s *SweepMetrics) notes(t *tiles, mark string) string {
	out := t.note
	if t.zero {
		out += " ~: " + notResolved(s.joint()) + "."
	}
	out += " " + s.choice(mark) + s.lacking()
	if n := sources(s.joint()); n != "" {
		out += " " + n
	}
	return out
}

// heatFigure draws a number of every cell as a map: the first axis downwards, the
// second one to the right.
func heatFigure(s *SweepMetrics, t *tiles, p pen) sketch {
	down, right := s.Axes[0].Values, s.Axes[1].Values
	at := map[[2]int]*GridCell{}
	chosen := [2]int{-1, -1}
	for i := range s.Cells {
		c := &s.Cells[i]
		at[[2]int{c.At[0], c.At[1]}] = c
		if s.Chosen != nil && *s.Chosen == i {
			chosen = [2]int{c.At[0], c.At[1]}
		}
	}

	const (
		head  = 14 // room of the titles above
		title = 12 // and of the one below
		rowH  = 18
	)
	names := p.style(labelSize, draw.XRight, draw.YCenter)
	small := p.style(smallSize, draw.XCenter, draw.YCenter)
	var rowNames, colNames vg.Length
	for _, v := range down {
		rowNames = max(rowNames, min(names.Width(v), longestName))
	}
	for _, v := range right {
		colNames = max(colNames, min(names.Width(v), longestName))
	}
	body := vg.Length(len(down)) * rowH
	barHeight := max(body, 44)
	beyond := t.barWidth(p)
	left := rowNames + 5
	const most = pageWidth - 2*margin
	n := vg.Length(len(right))
	// A column is as wide as its name if there is room; else names are turned.
	wide := min(max(colNames+6, 34), (most-left-beyond)/n)
	turned := colNames > wide-4
	foot := vg.Length(title)
	if turned {
		foot += colNames*math.Sqrt2/2 + 8
		wide = min(34, (most-left-beyond)/n)
		left = max(left, colNames*math.Sqrt2/2-wide/2+4)
		wide = min(wide, (most-left-beyond)/n)
	} else {
		foot += labelSize + 3
		if room := (columnWidth - 2*margin - left - beyond) / n; room > wide { // fill a column
			wide = min(room, 90)
		}
	}
	inner := max(left+wide*n+beyond, columnWidth-2*margin)
	note, noteHeight := p.noteLines(inner, s.notes(t, "Outlined:"))
	const key = 17

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -head-body-foot-key-4), note)
		axis := p.style(labelSize, draw.XLeft, draw.YCenter)
		beside(&c, axis, vg.Point{X: c.Min.X, Y: c.Max.Y - head/2 + 1}, fit(s.Axes[0].Path, axis, inner/2-5))
		axis.XAlign = draw.XRight
		end := max(left+wide*n+beyond, min(inner, axis.Width(s.Axes[0].Path)+10+axis.Width(t.label)))
		beside(&c, axis, vg.Point{X: c.Min.X + end, Y: c.Max.Y - head/2 + 1}, fit(t.label, axis, inner/2-5))
		c = draw.Crop(c, 0, 0, 0, -head)
		box := func(i, j int) vg.Rectangle {
			return vg.Rectangle{
				Min: vg.Point{X: c.Min.X + left + vg.Length(j)*wide, Y: c.Max.Y - vg.Length(i+1)*rowH},
				Max: vg.Point{X: c.Min.X + left + vg.Length(j+1)*wide, Y: c.Max.Y - vg.Length(i)*rowH},
			}
		}
		refused, blank := false, false
		for i := range down {
			for j := range right {
				r := shrink(box(i, j), .5)
				cell := at[[2]int{i, j}]
				switch {
				case cell != nil && cell.State == cellRefused:
					hatch(&c, r)
					refused = true
					continue
				case cell == nil || !t.of(cell).Value.Defined():
					empty(&c, r, small)
					blank = true
					continue
				}
				clr := t.colors.at((float64(t.of(cell).Value) - t.lo) / (t.hi - t.lo))
				c.FillPolygon(clr, corners(r))
				sty := small
				sty.Color = ink(clr)
				txt := t.text(cell)
				if sty.Width(txt) > wide-2 {
					txt = strings.ReplaceAll(txt, " ", "")
				}
				if sty.Width(txt) <= wide {
					beside(&c, sty, middle(r), txt)
				}
			}
		}
		if chosen[0] >= 0 {
			outline(&c, box(chosen[0], chosen[1]))
		}

		for i, v := range down {
			r := box(i, 0)
			beside(&c, names, vg.Point{X: r.Min.X - 4, Y: middle(r).Y}, fit(v, names, rowNames))
		}
		for j, v := range right {
			r := box(len(down)-1, j)
			sty := p.style(labelSize, draw.XCenter, draw.YTop)
			if turned {
				sty.XAlign, sty.YAlign, sty.Rotation = draw.XRight, draw.YCenter, math.Pi/4
				c.FillText(sty, vg.Point{X: middle(r).X + 2, Y: r.Min.Y - 5}, fit(v, names, colNames))
				continue
			}
			c.FillText(sty, vg.Point{X: middle(r).X, Y: r.Min.Y - 3}, fit(v, names, colNames))
		}
		axis.XAlign, axis.YAlign = draw.XCenter, draw.YBottom
		bottom := c.Max.Y - body - foot
		span := vg.Length(len(right)) * wide
		c.FillText(axis, vg.Point{X: c.Min.X + left + span/2, Y: bottom}, fit(s.Axes[1].Path, axis, inner-left))

		t.bar(p, &c, vg.Point{X: c.Min.X + left + span + tileBarGap, Y: c.Max.Y}, barHeight)

		// What blank and outlined cells are.
		kx, ky := c.Min.X+left, bottom-key/2-3
		word := p.style(smallSize, draw.XLeft, draw.YCenter)
		for _, k := range []struct {
			there bool
			draw  func(vg.Rectangle)
			text  string
		}{
			{chosen[0] >= 0, func(r vg.Rectangle) { outline(&c, r) }, "chosen on dev"},
			{refused, func(r vg.Rectangle) { hatch(&c, r) }, "not defined"},
			{blank, func(r vg.Rectangle) { empty(&c, r, small) }, "no result"},
		} {
			if !k.there {
				continue
			}
			k.draw(vg.Rectangle{Min: vg.Point{X: kx, Y: ky - 4}, Max: vg.Point{X: kx + 14, Y: ky + 4}})
			beside(&c, word, vg.Point{X: kx + 18, Y: ky}, k.text)
			kx += 18 + word.Width(k.text) + 12
		}
	}
	return sketch{t.name, inner + 2*margin, head + body + foot + key + noteHeight + 2*margin, render}
}

// barWidth is what the bar of colours takes, with the gap before it and its numbers.
func (t *tiles) barWidth(p pen) vg.Length {
	sty, w := p.style(smallSize, draw.XLeft, draw.YCenter), vg.Length(0)
	for _, k := range ticks(t.lo, t.hi, tileBarTicks) {
		w = max(w, sty.Width(k.Label))
	}
	return tileBarGap + tileBarWide + 5 + w
}

// bar draws the colours with their numbers from a point downwards, in overlapping strips,
// so that no seam shows.
func (t *tiles) bar(p pen, c *draw.Canvas, top vg.Point, height vg.Length) {
	const strips = 96
	x := top.X
	strip := height / strips
	for i := range strips {
		y := top.Y - height + vg.Length(i)*strip
		end := min(y+2*strip, top.Y)
		c.FillPolygon(t.colors.at((float64(i)+.5)/strips), []vg.Point{{X: x, Y: y}, {X: x + tileBarWide, Y: y}, {X: x + tileBarWide, Y: end}, {X: x, Y: end}})
	}
	edge := stroke(gray(edgeInk), finest)
	mark := p.style(smallSize, draw.XLeft, draw.YCenter)
	for _, k := range ticks(t.lo, t.hi, int(min(max(height/13, 3), tileBarTicks))) {
		y := top.Y - height + vg.Length((k.Value-t.lo)/(t.hi-t.lo))*height
		c.StrokeLine2(edge, x+tileBarWide, y, x+tileBarWide+2.5, y)
		beside(c, mark, vg.Point{X: x + tileBarWide + 4, Y: y}, k.Label)
	}
}

func corners(r vg.Rectangle) []vg.Point {
	return []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}}
}

func middle(r vg.Rectangle) vg.Point {
	return vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: (r.Min.Y + r.Max.Y) / 2}
}

func shrink(r vg.Rectangle, by vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: r.Min.X + by, Y: r.Min.Y + by}, Max: vg.Point{X: r.Max.X - by, Y: r.Max.Y - by}}
}

// frame strokes the edges of a rectangle.
func frame(c *draw.Canvas, r vg.Rectangle, sty draw.LineStyle) {
	p := corners(r)
	c.StrokeLines(sty, append(p, p[0], p[1]))
}

// outline draws a black frame that is seen on dark cells too.
func outline(c *draw.Canvas, r vg.Rectangle) {
	frame(c, r, stroke(color.White, haloLine))
	frame(c, r, stroke(color.Black, frameLine))
}

// hatch draws a cell of what is not defined: grey lines upwards.
func hatch(c *draw.Canvas, r vg.Rectangle) {
	sty := stroke(gray(hatchInk), finest)
	w, h := r.Max.X-r.Min.X, r.Max.Y-r.Min.Y
	const step = 4
	for d := -w + step/2; d < h; d += step {
		from, to := max(0, -d), min(w, h-d)
		c.StrokeLine2(sty, r.Min.X+from, r.Min.Y+d+from, r.Min.X+to, r.Min.Y+d+to)
	}
	frame(c, shrink(r, .25), sty)
}

// empty draws a cell without a result.
func empty(c *draw.Canvas, r vg.Rectangle, sty draw.TextStyle) {
	sty.Color = gray(quietInk)
	frame(c, shrink(r, .25), stroke(gray(emptyInk), finest))
	beside(c, sty, middle(r), dash)
}

// axisFigure draws a number of every cell with its interval along one axis.
func axisFigure(s *SweepMetrics, t *tiles, p pen) sketch {
	const head = vg.Length(headHeight)
	p = p.or(columnWidth)
	names := p.style(labelSize, draw.XRight, draw.YCenter)
	small := p.style(smallSize, draw.XRight, draw.YCenter)
	inner := p.inner()
	heading := p.style(smallSize, draw.XRight, draw.YCenter)
	var room, side vg.Length
	for i := range s.Cells {
		c := &s.Cells[i]
		room = max(room, names.Width(c.Values[0]))
		if t.of(c).Value.Defined() {
			side = max(side, small.Width(t.text(c)))
		}
	}
	room = min(max(room, heading.Width(s.Axes[0].Path)), inner*.4) + 5
	side += 5
	intervals := intervalNote
	if t.zero {
		intervals = differenceNote
	}
	note, noteHeight := p.noteLines(inner, s.notes(t, "Shaded:")+" "+s.intervals(intervals, "Intervals"))
	body := vg.Length(len(s.Cells))*rowHeight + axisHeight

	lo, hi := math.Inf(1), math.Inf(-1)
	see := func(v float64) {
		if !math.IsNaN(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	for i := range s.Cells {
		e := t.of(&s.Cells[i])
		see(float64(e.Value))
		see(float64(e.Lo))
		see(float64(e.Hi))
	}
	if t.zero {
		see(0)
	}
	if lo > hi {
		lo, hi = 0, 100
	}
	around := max(hi-lo, .2) * .06
	lo, hi = lo-around, hi+around

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -head-body-4), note)
		heading.Color = gray(quietInk)
		beside(&c, heading, vg.Point{X: c.Min.X + room - 5, Y: c.Max.Y - head/2}, fit(s.Axes[0].Path, heading, room-5))

		plt := p.axes()
		plt.HideY()
		plt.Y.Padding = 0
		plt.X.Label.Text = t.label
		plt.X.Min, plt.X.Max = lo, hi
		plt.Y.Min, plt.Y.Max = .5-float64(len(s.Cells)), .5
		plt.X.Tick.Marker = ticks(lo, hi, 6)
		plt.Add(plotFunc(func(c draw.Canvas, plt *plot.Plot) {
			if s.Chosen != nil {
				_, y := plt.Transforms(&c)
				at := -float64(*s.Chosen)
				c.FillPolygon(gray(shade), []vg.Point{{X: c.Min.X, Y: y(at - .5)}, {X: c.Max.X, Y: y(at - .5)}, {X: c.Max.X, Y: y(at + .5)}, {X: c.Min.X, Y: y(at + .5)}})
			}
		}))
		plt.Add(&plotter.Grid{Vertical: gridStyle()})
		plt.Add(plotFunc(func(c draw.Canvas, plt *plot.Plot) {
			x, y := plt.Transforms(&c)
			if t.zero {
				c.StrokeLine2(stroke(gray(edgeInk), levelLine), x(0), c.Min.Y, x(0), c.Max.Y)
			}
			say := p.quiet(draw.XLeft, draw.YCenter)
			for i := range s.Cells {
				cell, at := &s.Cells[i], y(-float64(i))
				e := t.of(cell)
				if !e.Value.Defined() {
					why := "no result"
					if cell.State == cellRefused {
						why = "not defined"
					}
					beside(&c, say, vg.Point{X: c.Min.X + 3, Y: at}, why)
					continue
				}
				clr := colorOf("cell")
				if e.Lo.Defined() && e.Hi.Defined() && e.Lo < e.Hi {
					whisker(&c, clr, x(float64(e.Lo)), x(float64(e.Hi)), at, false)
				}
				circle.draw(&c, vg.Point{X: x(float64(e.Value)), Y: at}, clr, true)
			}
		}))
		area := draw.Crop(c, room, -side-4, noteHeight, -head)
		plt.Draw(area)
		within := plt.DataCanvas(area)
		_, y := plt.Transforms(&within)
		for i := range s.Cells {
			cell, at := &s.Cells[i], y(-float64(i))
			beside(&c, names, vg.Point{X: c.Min.X + room - 5, Y: at}, fit(cell.Values[0], names, room-5))
			if t.of(cell).Value.Defined() {
				beside(&c, small, vg.Point{X: c.Max.X, Y: at}, t.text(cell))
			}
		}
	}
	return sketch{t.name, p.width, head + body + noteHeight + 2*margin, render}
}
