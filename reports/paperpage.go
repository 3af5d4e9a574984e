package reports

import (
	"bytes"
	"fmt"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgpdf"
)

// Sizes of a page (ISO 216, A4) and of what is on it, in points.
const (
	a4Width    = 210 * vg.Millimeter
	a4Height   = 297 * vg.Millimeter
	pageSide   = (a4Width - pageWidth) / 2
	pageTop    = 1.8 * vg.Centimeter
	pageBottom = 2.0 * vg.Centimeter

	titleSize   = 15
	headingSize = 11
	bodySize    = 8
)

// A page is what is drawn on a sheet of paper.
type page []func(*draw.Canvas)

// A layout fills pages from the top downwards.
type layout struct {
	pen
	pages []page
	y     vg.Length // where the next thing begins
}

func newLayout() *layout {
	l := &layout{pen: newPen()}
	l.turn()
	return l
}

// turn begins a page.
func (l *layout) turn() {
	l.pages = append(l.pages, nil)
	l.y = a4Height - pageTop
}

// fits reports whether so much is left on the page.
func (l *layout) fits(height vg.Length) bool { return l.y-height >= pageBottom }

// need turns the page unless so much is left on it, or it is empty.
func (l *layout) need(height vg.Length) {
	if !l.fits(height) && len(l.pages[len(l.pages)-1]) > 0 {
		l.turn()
	}
}

func (l *layout) put(f func(*draw.Canvas)) {
	p := &l.pages[len(l.pages)-1]
	*p = append(*p, f)
}

func (l *layout) skip(height vg.Length) { l.y -= height }

// words writes text, wrapped, line by line.
func (l *layout) words(s string, size vg.Length, clr color.Color) {
	sty := l.style(size, draw.XLeft, draw.YTop)
	sty.Color = clr
	for _, line := range wrapHard(s, sty, pageWidth) {
		l.need(size * leading)
		at := vg.Point{X: pageSide, Y: l.y}
		l.put(func(c *draw.Canvas) { c.FillText(sty, at, line) })
		l.skip(size * leading)
	}
}

// heading begins a part; it does not stand alone at the end of a page.
func (l *layout) heading(s string) {
	if len(l.pages[len(l.pages)-1]) > 0 {
		l.skip(10)
	}
	l.need(90)
	l.words(s, headingSize, color.Black)
	l.skip(3)
}

// figures puts sketches on pages, two narrow ones side by side, in their order but for
// smaller ones that fill up a page.
func (l *layout) figures(list []sketch) {
	const gap = 10
	var rows [][]sketch
	alone := -1 // row with a narrow one that stands by itself
	for _, s := range list {
		switch {
		case s.w <= columnWidth && alone >= 0:
			rows[alone] = append(rows[alone], s)
			alone = -1
			continue
		case s.w <= columnWidth:
			alone = len(rows)
		}
		rows = append(rows, []sketch{s})
	}
	size := func(row []sketch) (height vg.Length, scale float64) {
		for _, s := range row {
			height = max(height, s.h)
		}
		scale = min(1, float64((a4Height-pageTop-pageBottom-gap-2*headingSize*leading)/height)) // of what is longer than a page
		return height * vg.Length(scale), scale
	}
	for len(rows) > 0 {
		i := slices.IndexFunc(rows, func(row []sketch) bool {
			height, _ := size(row)
			return l.fits(height + gap)
		})
		if i < 0 {
			l.turn()
			continue
		}
		height, scale := size(rows[i])
		for j, s := range rows[i] {
			at := vg.Point{X: pageSide + vg.Length(j)*(pageWidth-columnWidth), Y: l.y - s.h*vg.Length(scale)}
			l.put(func(c *draw.Canvas) {
				c.Push()
				defer c.Pop()
				c.Translate(at)
				c.Scale(scale, scale)
				s.render(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
					Min: vg.Point{X: margin, Y: margin}, Max: vg.Point{X: s.w - margin, Y: s.h - margin},
				}})
			})
		}
		l.skip(height + gap)
		rows = slices.Delete(rows, i, i+1)
	}
}

// wrapHard is wrap, which also breaks words that are wider than the line.
func wrapHard(s string, sty text.Style, w vg.Length) (out []string) {
	for _, line := range wrap(s, sty, w) {
		for sty.Width(line) > w {
			r := []rune(line)
			n := len(r)
			for n > 1 && sty.Width(string(r[:n])) > w {
				n--
			}
			out = append(out, string(r[:n]))
			line = string(r[n:])
		}
		out = append(out, line)
	}
	return out
}

// A typeset cell has its lines; a line of a number stands to the right.
type typeset struct {
	lines []string
	note  string // letter after the first line
}

// A tableLayout is how a table is laid out on the page.
type tableLayout struct {
	g       *grid
	columns []int       // of the grid
	width   []vg.Length // of every column
	size    vg.Length   // of type
}

const (
	columnGap = 7
	noteScale = .72 // of the letters that name notes
)

// table typesets a table with its caption above and its notes below, ruled as booktabs
// does. One that does not fit goes on on the next page, under its heading; one that is too
// wide even in small type is set in several parts, each with the columns of words.
func (l *layout) table(g *grid) {
	if len(g.groups) == 0 {
		return
	}
	caption := strings.TrimSpace(g.caption)
	sty := l.style(smallSize, draw.XLeft, draw.YTop)
	parts := l.parts(g)
	// Not just the caption and a row or two at the end of a page.
	rows := 0
	for _, group := range g.groups {
		rows += len(group)
	}
	l.need(vg.Length(len(wrapHard(caption, sty, pageWidth)))*smallSize*leading + vg.Length(min(rows, 8)+2)*2*smallSize*leading)
	l.words(caption, smallSize, color.Black)
	l.skip(4)
	for i, t := range parts {
		if i > 0 {
			l.skip(8)
		}
		l.part(t)
	}
	l.skip(3)
	sty.Color = gray(50)
	for i, n := range g.notes {
		for j, line := range wrapHard(n+".", sty, pageWidth-14) {
			l.need(smallSize * leading)
			at := vg.Point{X: pageSide, Y: l.y}
			first := j == 0
			l.put(func(c *draw.Canvas) {
				if first {
					c.FillText(sty, at, letter(i+1))
				}
				c.FillText(sty, vg.Point{X: at.X + 14, Y: at.Y}, line)
			})
			l.skip(smallSize * leading)
		}
	}
	if len(g.foot) > 0 {
		l.words(strings.Join(g.foot, " "), smallSize, gray(50))
	}
	l.skip(8)
}

// parts chooses type and widths so that the table fits the page, and parts it if none do.
func (l *layout) parts(g *grid) []tableLayout {
	all := make([]int, len(g.head))
	for i := range all {
		all[i] = i
	}
	for _, size := range []vg.Length{smallSize, 6.5, 6, 5.5} {
		if t, ok := l.lay(g, all, size); ok {
			return []tableLayout{t}
		}
	}
	// As many columns of numbers as fit, beside those of words.
	words, rest := all[:g.words()], all[g.words():]
	var out []tableLayout
	for len(rest) > 0 {
		n := len(rest)
		t, ok := l.lay(g, append(append([]int{}, words...), rest[:n]...), 6)
		for !ok && n > 1 {
			n--
			t, ok = l.lay(g, append(append([]int{}, words...), rest[:n]...), 6)
		}
		out = append(out, t)
		rest = rest[n:]
	}
	return out
}

// lay gives columns their widths: what they need in one line if there is room for that,
// else at least what their longest word needs.
func (l *layout) lay(g *grid, columns []int, size vg.Length) (t tableLayout, ok bool) {
	sty := l.style(size, draw.XLeft, draw.YTop)
	t = tableLayout{g: g, columns: columns, size: size, width: make([]vg.Length, len(columns))}
	natural, least := make([]vg.Length, len(columns)), make([]vg.Length, len(columns))
	room := pageWidth - columnGap*vg.Length(len(columns)-1)
	for k, i := range columns {
		for _, w := range strings.Fields(g.head[i]) {
			least[k] = max(least[k], sty.Width(w))
		}
		natural[k] = least[k]
		for _, group := range g.groups {
			for _, row := range group {
				c := row[i]
				extra := vg.Length(0)
				if c.note > 0 {
					extra = sty.Width(letter(c.note))*noteScale + 1
				}
				natural[k] = max(natural[k], sty.Width(c.text())+extra)
				pieces := []string{strings.TrimSpace(c.value + " " + c.mark), c.interval}
				if !g.right(i) {
					pieces = strings.Fields(c.text())
				}
				for _, w := range pieces {
					least[k] = max(least[k], sty.Width(w)+extra)
				}
			}
		}
	}
	need, want := vg.Length(0), vg.Length(0)
	for k := range columns {
		need += least[k]
		want += natural[k]
	}
	switch {
	case want <= room:
		copy(t.width, natural)
	default:
		share := vg.Length(0)
		if want > need {
			share = max(0, room-need) / (want - need)
		}
		for k := range columns {
			t.width[k] = least[k] + share*(natural[k]-least[k])
		}
	}
	return t, need <= room
}

// set breaks a cell into lines of its column.
func (l *layout) set(t *tableLayout, k int, c cell) typeset {
	sty := l.style(t.size, draw.XLeft, draw.YTop)
	out := typeset{}
	w := t.width[k] + .01
	if c.note > 0 {
		out.note = letter(c.note)
		w -= sty.Width(out.note)*noteScale + 1
	}
	switch {
	case sty.Width(c.text()) <= w:
		out.lines = []string{c.text()}
	case t.g.right(t.columns[k]):
		out.lines = []string{strings.TrimSpace(c.value + " " + c.mark), c.interval}
	default:
		out.lines = wrapHard(c.text(), sty, w)
	}
	return out
}

// part draws one part of a table.
func (l *layout) part(t tableLayout) {
	line := t.size * 1.25
	total := columnGap * vg.Length(len(t.columns)-1)
	for _, w := range t.width {
		total += w
	}
	rule := func(width vg.Length) {
		y := l.y
		l.put(func(c *draw.Canvas) {
			c.StrokeLine2(draw.LineStyle{Color: color.Black, Width: width}, pageSide, y, pageSide+total, y)
		})
	}
	row := func(cells []typeset, bottom bool) {
		most := 1
		for _, c := range cells {
			most = max(most, len(c.lines))
		}
		x := vg.Length(pageSide)
		for k, c := range cells {
			right := t.g.right(t.columns[k])
			for i, s := range c.lines {
				sty := l.style(t.size, draw.XLeft, draw.YTop)
				at := vg.Point{X: x, Y: l.y - vg.Length(i)*line}
				if bottom { // headings end on one line
					at.Y = l.y - vg.Length(most-len(c.lines)+i)*line
				}
				width := sty.Width(s)
				mark := vg.Length(0)
				if i == 0 && c.note != "" {
					mark = sty.Width(c.note)*noteScale + 1
				}
				if right {
					at.X = x + t.width[k] - width - mark
				}
				l.put(func(cv *draw.Canvas) { cv.FillText(sty, at, s) })
				if mark > 0 {
					small := l.style(t.size*noteScale, draw.XLeft, draw.YTop)
					to := vg.Point{X: at.X + width + 1, Y: at.Y + t.size*.12}
					l.put(func(cv *draw.Canvas) { cv.FillText(small, to, c.note) })
				}
			}
			x += t.width[k] + columnGap
		}
		l.skip(vg.Length(most)*line + 1.5)
	}
	height := func(cells []typeset) vg.Length {
		most := 1
		for _, c := range cells {
			most = max(most, len(c.lines))
		}
		return vg.Length(most)*line + 1.5
	}
	var head []typeset
	sty := l.style(t.size, draw.XLeft, draw.YTop)
	for k, i := range t.columns {
		head = append(head, typeset{lines: wrapHard(t.g.head[i], sty, t.width[k]+.01)})
	}
	begin := func() {
		rule(.9)
		l.skip(2.5)
		row(head, true)
		l.skip(.5)
		rule(.5)
		l.skip(2.5)
	}
	l.need(height(head) + 4*line)
	begin()
	for i, group := range t.g.groups {
		if i > 0 {
			l.skip(3)
		}
		for _, cells := range group {
			var set []typeset
			for k, j := range t.columns {
				set = append(set, l.set(&t, k, cells[j]))
			}
			if !l.fits(height(set) + 4) {
				rule(.9)
				l.turn()
				begin()
			}
			row(set, false)
		}
	}
	l.skip(1)
	rule(.9)
	l.skip(2)
}

// pages lays out the report: what was run, the claims, then every run with its figures
// and tables.
func (c *claimsReport) pages(table *grid) []page {
	l := newLayout()
	l.words(paperTitle, titleSize, color.Black)
	l.skip(4)
	for _, r := range c.runs {
		l.words(r.label, bodySize, color.Black)
		for _, s := range r.about() {
			l.words(s, smallSize, gray(60))
		}
		l.skip(4)
	}
	l.heading("Claims")
	l.table(table)
	for _, r := range c.runs {
		l.turn()
		l.heading(r.label)
		l.figures(arranged(r.sketches))
		for _, g := range r.tables {
			if len(g.groups) > 0 {
				l.table(g)
			}
		}
	}
	return l.numbered()
}

// arranged puts the figures in the order in which they are read; those that it does not
// know come last.
func arranged(list []sketch) []sketch {
	var out []sketch
	taken := map[int]bool{}
	for _, name := range []string{"alignment", "forest", "adaptivity", "gain", "adaptivitybyt", "calibration", "learning", "tree", "interactions", "tasks"} {
		for i, s := range list {
			if !taken[i] && (s.name == name || strings.HasPrefix(s.name, name+"-")) {
				out = append(out, s)
				taken[i] = true
			}
		}
	}
	for i, s := range list {
		if !taken[i] {
			out = append(out, s)
		}
	}
	return out
}

// numbered adds the number to every page.
func (l *layout) numbered() []page {
	sty := l.style(smallSize, draw.XCenter, draw.YBottom)
	sty.Color = gray(90)
	for i := range l.pages {
		s := fmt.Sprintf("%d / %d", i+1, len(l.pages))
		l.pages[i] = append(l.pages[i], func(c *draw.Canvas) {
			c.FillText(sty, vg.Point{X: a4Width / 2, Y: pageBottom / 2}, s)
		})
	}
	return l.pages
}

// draw puts the page on a canvas of its size.
func (p page) draw(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	for _, f := range p {
		f(&c)
	}
}

// pagesPDF writes the pages into one document. Equal pages give equal bytes.
func pagesPDF(pages []page) ([]byte, error) {
	canvas := pdfCanvas{vgpdf.New(a4Width, a4Height)}
	for i, p := range pages {
		if i > 0 {
			canvas.NextPage()
		}
		vg.Initialize(canvas)
		p.draw(draw.NewCanvas(canvas, a4Width, a4Height))
	}
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("paper.pdf: %w", err)
	}
	return undate(b.Bytes())
}
