package reports

import (
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"pepbench/domains"
)

// answered writes a cell in words.
func answered(c domains.Cell) string {
	switch {
	case c.IsMissing():
		return "no answer"
	case c.IsNotHeld():
		return "not held"
	}
	return "held, " + num(Number(c.Value()), "%.4g")
}

// criterionName writes the id of a criterion as words.
func criterionName(id string) string { return strings.ReplaceAll(id, "_", " ") }

// certain reports whether every criterion is held for sure throughout, so that only values
// are to be seen.
func (t *trace) certain() bool {
	for _, turn := range append([]traceTurn{{Beliefs: t.Prior}}, t.Turns...) {
		for _, b := range turn.Beliefs {
			if !(b.Held > 1-1e-6) {
				return false
			}
		}
	}
	return true
}

// span is the range of the values that are believed or true.
func (t *trace) span() (lo, hi float64) {
	var all []float64
	for _, turn := range append([]traceTurn{{Beliefs: t.Prior}}, t.Turns...) {
		for _, b := range turn.Beliefs {
			all = append(all, float64(b.Value))
		}
	}
	for _, c := range t.Truth {
		if c.IsHeld() {
			all = append(all, c.Value())
		}
	}
	return spanOf(all)
}

// traceFigure draws a session as a map: turns downwards, criteria to the right, and in
// every field P(held) as a bar, with what the answer changed of it.
func traceFigure(m *Metrics, p pen) sketch {
	p = p.or(pageWidth)
	t := m.Trace
	inner := p.inner()
	label := p.style(smallSize, draw.XLeft, draw.YCenter)
	quiet := p.quiet(draw.XLeft, draw.YCenter)
	left := vg.Length(0)
	heads := []string{"before any question"}
	answers := []string{""}
	for i, turn := range t.Turns {
		name := criterionName(turn.Question)
		if name == "" {
			name = "about no criterion"
		}
		heads, answers = append(heads, fmt.Sprintf("%d  %s", i+1, name)), append(answers, answered(turn.Answer))
	}
	for i := range heads {
		left = max(left, label.Width(heads[i]), quiet.Width(answers[i]))
	}
	left = min(left, inner*.26) + 6
	n := vg.Length(max(len(t.Criteria), 1))
	wide := min((inner-left)/n, widestTile)
	names := vg.Length(0)
	for _, c := range t.Criteria {
		names = max(names, min(label.Width(criterionName(c)), longestName))
	}
	foot := names*math.Sqrt2/2 + 10
	left = max(left, names*math.Sqrt2/2-wide/2+4) // the first name does not begin outside
	wide = min(wide, (inner-left)/n)
	const line = vg.Length(traceLine)
	rows := len(t.Turns) + 2 // with what was believed before, and the truth
	body := vg.Length(rows) * line
	certain := t.certain()
	lo, hi := t.span()
	share := func(b believed) float64 {
		if certain {
			return (float64(b.Value) - lo) / max(hi-lo, 1e-9)
		}
		return float64(b.Held)
	}

	// Values stand beside P(held) where there is room for both.
	values := !certain && label.Width("88%")+quiet.Width("8.8") <= wide-2*beliefSide+2
	notes := []string{fmt.Sprintf("Session %s, the first by id of %s: of %d criteria those that it asked about and those it learned most about.", t.Session, t.Strategy, len(t.Criteria)+t.Others)}
	if certain {
		notes = append(notes, fmt.Sprintf("Every criterion is held. Bars: the expected value, from %s to %s; blue: the answer raised it, hollow: by what it lowered it.", num(Number(lo), "%.3g"), num(Number(hi), "%.3g")))
	} else {
		s := "Bars and percentages: P(held); blue: what the answer added, hollow: what it took."
		if values {
			s += " Grey: the value that is expected if it is held."
		}
		notes = append(notes, s)
	}
	notes = append(notes, "Framed: asked about. The last line is the user's profile, which no strategy sees (dot: held, with its value; ring: not held). One session proves nothing about others.")
	if s := sources(m); s != "" {
		notes = append(notes, s)
	}
	if s := m.remarks([]*Row{m.rowOf(t.Strategy)}); s != "" {
		notes = append(notes, s)
	}
	note, noteHeight := p.noteLines(inner, strings.Join(notes, " "))

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -body-foot-4), note)
		box := func(i, j int) vg.Rectangle {
			return vg.Rectangle{
				Min: vg.Point{X: c.Min.X + left + vg.Length(j)*wide, Y: c.Max.Y - vg.Length(i+1)*line},
				Max: vg.Point{X: c.Min.X + left + vg.Length(j+1)*wide, Y: c.Max.Y - vg.Length(i)*line},
			}
		}
		end := c.Min.X + left + n*wide
		for i := range rows + 1 {
			y := c.Max.Y - vg.Length(i)*line
			c.StrokeLine2(gridStyle(), c.Min.X, y, end, y)
		}
		for i := range heads {
			y := middle(box(i, 0)).Y
			if answers[i] == "" {
				beside(&c, quiet, vg.Point{X: c.Min.X, Y: y}, heads[i])
				continue
			}
			beside(&c, label, vg.Point{X: c.Min.X, Y: y + 4.5}, fit(heads[i], label, left-6))
			beside(&c, quiet, vg.Point{X: c.Min.X + quiet.Width("0  "), Y: y - 4.5}, fit(answers[i], quiet, left-6))
		}
		before := t.Prior
		for i := range len(t.Turns) + 1 {
			now, question := before, ""
			if i > 0 {
				now, question = t.Turns[i-1].Beliefs, t.Turns[i-1].Question
			}
			for j := range now {
				p.beliefBar(&c, box(i, j), now[j], share(before[j]), share(now[j]), certain, values)
				if question == t.Criteria[j] {
					frame(&c, shrink(box(i, j), .7), stroke(gray(edgeInk), barLine))
				}
			}
			before = now
		}
		beside(&c, label, vg.Point{X: c.Min.X, Y: middle(box(rows-1, 0)).Y}, "the user's profile")
		for j, truth := range t.Truth {
			at := middle(box(rows-1, j))
			sty := p.style(smallSize, draw.XCenter, draw.YCenter)
			switch {
			case truth.IsMissing():
				sty.Color = gray(quietInk)
				beside(&c, sty, at, dash)
			case truth.IsNotHeld():
				circle.draw(&c, vg.Point{X: at.X, Y: at.Y}, gray(quietInk), false)
			default:
				circle.draw(&c, vg.Point{X: at.X - 4, Y: at.Y}, gray(edgeInk), true)
				sty.XAlign = draw.XLeft
				beside(&c, sty, vg.Point{X: at.X, Y: at.Y}, num(Number(truth.Value()), "%.4g"))
			}
		}
		for j, id := range t.Criteria {
			sty := p.style(smallSize, draw.XRight, draw.YCenter)
			sty.Rotation = math.Pi / 4
			r := box(rows-1, j)
			c.FillText(sty, vg.Point{X: middle(r).X + 2, Y: r.Min.Y - 5}, fit(criterionName(id), label, names))
		}
	}
	return sketch{"trace", p.width, body + foot + noteHeight + 2*margin, render}
}

// beliefSide is the room beside a bar in its field.
const beliefSide = 3

// beliefBar draws one field: what is believed after an answer, and how it differs from
// before.
func (p pen) beliefBar(c *draw.Canvas, r vg.Rectangle, b believed, before, after float64, certain, values bool) {
	const side, top, high = beliefSide, 5, 6
	room := r.Max.X - r.Min.X - 2*side
	bar := func(from, to float64) []vg.Point {
		x0, x1 := r.Min.X+side+vg.Length(from)*room, r.Min.X+side+vg.Length(to)*room
		return []vg.Point{{X: x0, Y: r.Max.Y - top - high}, {X: x1, Y: r.Max.Y - top - high}, {X: x1, Y: r.Max.Y - top}, {X: x0, Y: r.Max.Y - top}}
	}
	sty := p.style(smallSize, draw.XLeft, draw.YCenter)
	y := r.Min.Y + 6.5
	if math.IsNaN(after) {
		sty.Color = gray(quietInk)
		beside(c, sty, vg.Point{X: r.Min.X + side, Y: y}, dash)
		return
	}
	if math.IsNaN(before) {
		before = after
	}
	c.FillPolygon(gray(gridInk), bar(0, 1))
	c.FillPolygon(pale(colorOf("added")), bar(0, min(before, after)))
	if after > before {
		c.FillPolygon(colorOf("added"), bar(before, after))
	} else if after < before {
		q := bar(after, before)
		c.FillPolygon(color.White, q)
		c.StrokeLines(stroke(colorOf("taken"), axisLine), append(q, q[0], q[1]))
	}
	if certain {
		beside(c, sty, vg.Point{X: r.Min.X + side, Y: y}, num(b.Value, "%.2f"))
		return
	}
	text := percentage(b.Held)
	beside(c, sty, vg.Point{X: r.Min.X + side, Y: y}, text)
	if values && b.Value.Defined() && b.Held > 0 {
		value := num(b.Value, "%.1f")
		right := p.quiet(draw.XRight, draw.YCenter)
		if sty.Width(text)+right.Width(value)+2 <= room+2 {
			beside(c, right, vg.Point{X: r.Max.X - side + 1, Y: y}, value)
		}
	}
}

func traceAlt(m *Metrics) string {
	t := m.Trace
	s := fmt.Sprintf("Beliefs of %s in one session, %s, turn by turn.", t.Strategy, t.Session)
	before := t.Prior
	for i, turn := range t.Turns {
		name := criterionName(turn.Question)
		if name == "" {
			name = "no criterion"
		}
		s += fmt.Sprintf(" Question %d is about %s, answered %s", i+1, name, answered(turn.Answer))
		// The largest change of what was not asked about.
		most, what := 0.0, -1
		for j := range turn.Beliefs {
			if d := math.Abs(float64(turn.Beliefs[j].Held - before[j].Held)); t.Criteria[j] != turn.Question && d > most {
				most, what = d, j
			}
		}
		if what >= 0 && most >= .01 {
			s += fmt.Sprintf("; the probability of %s goes from %s to %s", criterionName(t.Criteria[what]), percentage(before[what].Held), percentage(turn.Beliefs[what].Held))
		}
		s += "."
		before = turn.Beliefs
	}
	return s
}
