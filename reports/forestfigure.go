package reports

import (
	"fmt"
	"image/color"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A pairedRow is a difference that the forest figure draws: a row minus another, by its
// name, at the final checkpoint.
type pairedRow struct {
	*Row
	against string
	gain    bool // to its static twin, not to the reference
	*difference
}

// label is what stands beside it; where there is room the twin, too.
func (d *pairedRow) label(m *Metrics, room bool) string {
	if d.gain && room {
		return m.marked(d.Row, d.Row.Name) + " – " + d.against
	}
	return m.marked(d.Row, d.Row.Name)
}

// differences gives all rows that ask against the reference, then those with a static twin
// against it, but where that is the reference, too.
func (m *Metrics) differences() (out []pairedRow) {
	for _, r := range askingRows(m) {
		if r.Difference != nil && r.Name != m.Reference {
			out = append(out, pairedRow{r, m.Reference, false, r.Difference})
		}
	}
	for _, r := range askingRows(m) {
		if r.Gain == nil || r.Gain.Twin == m.Reference {
			continue
		}
		for i := range r.Gain.ByQuestions {
			if g := &r.Gain.ByQuestions[i]; g.Questions == m.Final {
				out = append(out, pairedRow{r, r.Gain.Twin, true, &g.difference})
			}
		}
	}
	return out
}

// tested writes the p-value, or why there is none.
func (d *difference) tested() string {
	if d.Test != nil && !d.p().Defined() {
		return "cannot tell"
	}
	return pWords(d.p())
}

// testNote says how p was found.
func testNote(m *Metrics, list []pairedRow) string {
	by := map[string]bool{}
	for _, d := range list {
		if d.Test != nil && d.p().Defined() {
			by[d.Test.Method] = true
		}
	}
	var how []string
	for _, k := range []struct{ method, words string }{{BySignFlip, "sign-flip permutation"}, {ByT, "t"}} {
		if by[k.method] {
			how = append(how, k.words)
		}
	}
	switch {
	case len(how) == 0:
		return fmt.Sprintf("Too few %ss for a p.", m.Cluster)
	case m.Intervals == OverBoth:
		return fmt.Sprintf("p: %s over %s means alone, not over users, so that it may be small where an interval contains 0.", series(how), m.Cluster)
	}
	return fmt.Sprintf("p: %s over %s means.", series(how), m.Cluster)
}

// forestFigure draws the paired differences in alignment: those to the reference, which
// are a family, above those to the static twins, which explore.
func forestFigure(m *Metrics, p pen) sketch {
	p = p.or(pageWidth)
	list := m.differences()
	look := looks(m)
	inner := p.inner()
	names := p.style(labelSize, draw.XRight, draw.YCenter)
	small := p.style(smallSize, draw.XLeft, draw.YCenter)

	// What stands at the right, in columns: in narrow figures p and mark alone.
	type words struct{ value, p, mark string }
	said := make([]words, len(list))
	var valueWide, pWide, markWide, nameWide vg.Length
	family, tested, banded := 0, false, false
	for i := range list {
		d := &list[i]
		w := words{"undefined", "", ""}
		if d.Value.Defined() {
			w = words{num(d.Value, "%+.1f"), d.tested(), d.mark()}
			if d.Lo.Defined() && d.Hi.Defined() {
				places := 1
				if d.Resolved { // never an end at 0
					places = decimals(1, d.Lo, d.Hi)
				}
				w.value += " " + interval(d.Lo, d.Hi, fmt.Sprintf("%%.%df", places))
			}
		}
		if d.Test != nil {
			tested = true
			family = max(family, d.Test.Family)
			banded = banded || d.Test.MDE.Defined()
		}
		if p.narrow() && d.Value.Defined() {
			w.value = ""
		}
		said[i] = w
		valueWide, pWide, markWide = max(valueWide, small.Width(w.value)), max(pWide, small.Width(w.p)), max(markWide, small.Width(w.mark))
		nameWide = max(nameWide, names.Width(d.label(m, true)))
	}
	const gap = 7
	right := vg.Length(0)
	for _, w := range []vg.Length{valueWide, pWide, markWide} {
		if w > 0 {
			right += w + gap
		}
	}
	share := vg.Length(.3)
	if p.narrow() {
		share = .38
	}
	both := nameWide <= inner*share
	if !both {
		nameWide = 0
		for i := range list {
			nameWide = max(nameWide, names.Width(list[i].label(m, false)))
		}
	}
	nameWide = min(nameWide, inner*share) + 5

	// Heads stand on lines of their own.
	var ys []float64
	type head struct {
		y    float64
		text string
	}
	var heads []head
	y := 0.0
	for i, d := range list {
		switch {
		case i == 0 && !d.gain:
			text := fmt.Sprintf("minus %s (reference)", m.Reference)
			if family > 1 {
				text += fmt.Sprintf("; p by Holm in a family of %d", family)
			}
			heads = append(heads, head{y, text})
			y--
		case d.gain && (i == 0 || !list[i-1].gain):
			if i > 0 {
				y -= .4
			}
			heads = append(heads, head{y, "minus its static twin (exploratory)"})
			y--
		}
		ys = append(ys, y)
		y--
	}
	span := -y
	lo, hi := 0.0, 0.0
	for _, d := range list {
		for _, v := range []Number{d.Value, d.Lo, d.Hi} {
			if v.Defined() {
				lo, hi = min(lo, float64(v)), max(hi, float64(v))
			}
		}
		if d.Test != nil && d.Test.MDE.Defined() {
			lo, hi = min(lo, -float64(d.Test.MDE)), max(hi, float64(d.Test.MDE))
		}
	}
	around := max(hi-lo, .2) * .05
	lo, hi = lo-around, hi+around

	notes := []string{
		fmt.Sprintf("On %s, after %d %s. Paired by session.", describe(m), m.Final, plural(m.Final, "question")),
		intervalNote(m, "Intervals"),
	}
	if tested {
		notes = append(notes, testNote(m, list))
		notes = append(notes, "* p < .05, ** p < .01, *** p < .001, ~ not resolved; exploratory p are not corrected.")
	} else {
		notes = append(notes, fmt.Sprintf("~: the interval contains 0, or rests on fewer than %d %ss.", fewClusters, m.Cluster))
	}
	if banded {
		notes = append(notes, "Shaded: smaller true differences are found in fewer than 80% of runs like this one.")
	}
	var rows []*Row
	for i := range list {
		rows = append(rows, list[i].Row)
	}
	for _, s := range []string{sources(m), m.remarks(rows)} {
		if s != "" {
			notes = append(notes, s)
		}
	}
	note, noteHeight := p.noteLines(inner, strings.Join(notes, " "))
	body := vg.Length(span)*rowHeight + axisHeight

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -body-4), note)
		plt := p.axes()
		plt.HideY()
		plt.Y.Padding = 0
		plt.X.Label.Text = "Difference in alignment (points of 100)"
		if p.narrow() { // a label that is wider than the plot would press it together
			plt.X.Label.Text = "Difference (points of 100)"
		}
		plt.X.Min, plt.X.Max = lo, hi
		plt.Y.Min, plt.Y.Max = .5-span, .5
		plt.X.Tick.Marker = ticks(lo, hi, 7)
		plt.Add(plotFunc(func(c draw.Canvas, plt *plot.Plot) {
			x, y := plt.Transforms(&c)
			for i, d := range list {
				if d.Test == nil || !d.Test.MDE.Defined() {
					continue
				}
				e := float64(d.Test.MDE)
				c.FillPolygon(gray(shade), []vg.Point{{X: x(-e), Y: y(ys[i] - .5)}, {X: x(e), Y: y(ys[i] - .5)}, {X: x(e), Y: y(ys[i] + .5)}, {X: x(-e), Y: y(ys[i] + .5)}})
			}
		}))
		plt.Add(&plotter.Grid{Vertical: gridStyle()})
		plt.Add(plotFunc(func(c draw.Canvas, plt *plot.Plot) {
			x, y := plt.Transforms(&c)
			c.StrokeLine2(stroke(gray(edgeInk), levelLine), x(0), c.Min.Y, x(0), c.Max.Y)
			for i, d := range list {
				if !d.Value.Defined() {
					continue
				}
				l := look[d.Base]
				if d.Lo.Defined() && d.Hi.Defined() && d.Lo < d.Hi {
					whisker(&c, l.color, x(float64(d.Lo)), x(float64(d.Hi)), y(ys[i]), false)
				}
				l.marker.draw(&c, vg.Point{X: x(float64(d.Value)), Y: y(ys[i])}, l.color, d.Predict != "answers")
			}
		}))
		area := draw.Crop(c, nameWide, -right, noteHeight, 0)
		plt.Draw(area)
		data := plt.DataCanvas(area)
		_, at := plt.Transforms(&data)
		for _, h := range heads {
			sty := p.quiet(draw.XLeft, draw.YCenter)
			c.FillPolygon(color.White, []vg.Point{{X: c.Min.X, Y: at(h.y - .5)}, {X: c.Max.X, Y: at(h.y - .5)}, {X: c.Max.X, Y: at(h.y+.5) + 1}, {X: c.Min.X, Y: at(h.y+.5) + 1}})
			beside(&c, sty, vg.Point{X: c.Min.X, Y: at(h.y)}, fit(h.text, sty, inner))
		}
		for i := range list {
			line := at(ys[i])
			beside(&c, names, vg.Point{X: c.Min.X + nameWide - 5, Y: line}, fit(list[i].label(m, both), names, nameWide-5))
			end := c.Max.X - right
			for _, w := range []struct {
				text string
				wide vg.Length
			}{{said[i].value, valueWide}, {said[i].p, pWide}, {said[i].mark, markWide}} {
				if w.wide > 0 {
					beside(&c, small, vg.Point{X: end + gap, Y: line}, w.text)
					end += w.wide + gap
				}
			}
		}
	}
	return sketch{"forest", p.width, body + noteHeight + 2*margin, render}
}

func forestAlt(m *Metrics) string {
	var parts []string
	for _, d := range m.differences() {
		s := fmt.Sprintf("%s minus %s %s", d.Row.Name, d.against, aloud(d.Value, d.Lo, d.Hi, "%+.1f"))
		if t := d.tested(); t != "" && d.Value.Defined() {
			s += ", " + strings.NewReplacer("p<", "p below ", "p=", "p ").Replace(t)
		}
		if d.Value.Defined() && !d.Resolved {
			s += ", not resolved"
		}
		parts = append(parts, s)
	}
	return altOf(m, fmt.Sprintf("Paired differences in alignment after %d %s, to the reference and to static twins, with their intervals.", m.Final, plural(m.Final, "question")), parts)
}
