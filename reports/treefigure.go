package reports

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// treeFigure draws the first questions of every way of asking side by side, each a tree
// from left to right whose lines are as thick as their shares of sessions: who asks
// everybody the same is a straight line. Where the figure would not fit a page fewer
// branches are drawn apart.
func treeFigure(m *Metrics, p pen) sketch {
	list := ways(m)
	across := min(treeAcross, len(list))
	if across == 1 {
		p = p.or(columnWidth)
	}
	p = p.or(pageWidth)
	inner := p.inner()
	wide := (inner - vg.Length(across-1)*treeGap) / vg.Length(across)
	depth := min(treeDepth, m.Budget)
	look := looks(m)

	of := "all tasks together"
	switch {
	case m.FirstOf != "":
		of = fmt.Sprintf("on task %s alone, which has the most sessions, since tasks admit different criteria", m.FirstOf)
	case m.Cluster == "user":
		of = "all users together"
	}
	if m.FirstSeed != nil {
		of += fmt.Sprintf(", of seed %d alone, since each has a policy of its own", *m.FirstSeed)
	}
	said := []string{
		fmt.Sprintf("On %s: the first %d %s, %s, by criterion.", describe(m), depth, plural(depth, "question"), of),
		"Lines are as thick as their share of sessions, which stands below. Boxes: answers three quarters of which lead there (low, middle, high: thirds of the values told of a criterion); no box: the answer alone does not decide. Branches before the first answer owe nothing to answers.",
		fmt.Sprintf("Others are questions that each are too rare, or have no room, to be drawn apart; these are not followed, and no line of less than %g%%.", 100*treeFollowed),
	}
	var shown []*Row
	for _, w := range list {
		shown = append(shown, w.Row)
	}
	for _, s := range []string{sources(m), m.remarks(shown)} {
		if s != "" {
			said = append(said, s)
		}
	}
	note, noteHeight := p.noteLines(inner, strings.Join(said, " "))
	const head = vg.Length(headHeight)

	// As many branches as fit: where the page is full the tallest tree loses some.
	var trees []*twig
	most := make([]int, len(list))
	for i, w := range list {
		most[i] = treeBranches + 2
		trees = append(trees, newTwig(branch{Share: 1, Next: w.First}, most[i]))
	}
	var lines []vg.Length
	var total vg.Length
	for {
		lines, total = make([]vg.Length, (len(list)+across-1)/across), head
		tallest := -1
		for i, t := range trees {
			lines[i/across] = max(lines[i/across], t.height)
			if most[i] > 1 && (tallest < 0 || t.height > trees[tallest].height) {
				tallest = i
			}
		}
		for _, h := range lines {
			total += treeTitle + h + 4
		}
		if total+noteHeight <= pageHeight || tallest < 0 {
			break
		}
		most[tallest]--
		trees[tallest] = newTwig(branch{Share: 1, Next: list[tallest].First}, most[tallest])
	}

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -total-2), note)
		p.treeKeys(&c, vg.Point{X: c.Min.X, Y: c.Max.Y - head/2})
		top := c.Max.Y - head
		for i, w := range list {
			left := c.Min.X + vg.Length(i%across)*(wide+treeGap)
			l := look[w.Base]
			l.marker.draw(&c, vg.Point{X: left + 3, Y: top - treeTitle/2}, l.color, true)
			sty := p.style(labelSize, draw.XLeft, draw.YCenter)
			beside(&c, sty, vg.Point{X: left + 9, Y: top - treeTitle/2}, fit(m.marked(w.Row, w.name), sty, wide-9))
			t := treePainter{pen: p, c: &c, color: l.color, left: left}
			t.bar = (wide - treeStart - vg.Length(depth-1)*treeJoin) / vg.Length(depth)
			h := lines[i/across]
			if len(w.First) == 0 {
				beside(&c, p.quiet(draw.XLeft, draw.YCenter), vg.Point{X: left + 9, Y: top - treeTitle - h/2}, "no sessions")
			} else {
				trees[i].place(top - treeTitle - (h-trees[i].height)/2)
				t.root(trees[i])
			}
			if i%across == across-1 || i == len(list)-1 {
				top -= treeTitle + h + 4
			}
		}
	}
	return sketch{"tree", p.width, total + noteHeight + 2*margin, render}
}

// A twig is a branch with its place on paper.
type twig struct {
	branch
	next   []*twig
	height vg.Length // of all of it
	y      vg.Length // of its line
}

// thick is how thick a line is.
func (t *twig) thick() vg.Length { return max(.7, treeThick*vg.Length(t.Share)) }

// girth is the height of what is drawn of it: many questions together spread.
func (t *twig) girth() vg.Length {
	if t.Others > 0 {
		return max(1.5*t.thick(), 6)
	}
	return t.thick()
}

// own is the height of a branch without what follows: a line of text on either side.
func (t *twig) own() vg.Length { return t.girth() + 2*treeLine + treeBetween }

// newTwig lays out a branch with at most so many branches at a place.
func newTwig(b branch, most int) *twig {
	t := &twig{branch: b}
	for _, n := range topBranches(b.Next, most) {
		t.next = append(t.next, newTwig(n, most))
		t.height += t.next[len(t.next)-1].height
	}
	t.height = max(t.height, t.own())
	return t
}

// topBranches leaves so many branches: the larger ones, stops, and all the others together.
func topBranches(list []branch, most int) []branch {
	if len(list) <= most {
		return list
	}
	var bySize []int
	keep := map[int]bool{}
	for i := range list {
		switch b := &list[i]; {
		case b.Stop:
			keep[i] = true
		case b.Others == 0:
			bySize = append(bySize, i)
		}
	}
	slices.SortStableFunc(bySize, func(a, b int) int { return list[b].Sessions - list[a].Sessions })
	for _, i := range bySize[:min(max(most-1-len(keep), 0), len(bySize))] {
		keep[i] = true
	}
	var out, stops []branch
	var rest branch
	for i, b := range list {
		switch {
		case b.Stop:
			stops = append(stops, b)
		case keep[i]:
			out = append(out, b)
		default:
			rest.Others += max(b.Others, 1)
			rest.Sessions += b.Sessions
			rest.Share += b.Share
		}
	}
	if rest.Others > 0 {
		out = append(out, rest)
	}
	return append(out, stops...)
}

// place gives a branch and what follows their lines, from the top downwards. A branch
// lies in the middle of those that follow.
func (t *twig) place(top vg.Length) {
	t.y = top - t.height/2
	if len(t.next) == 0 {
		return
	}
	all := vg.Length(0)
	for _, n := range t.next {
		all += n.height
	}
	top -= (t.height - all) / 2
	for _, n := range t.next {
		n.place(top)
		top -= n.height
	}
	t.y = (t.next[0].y + t.next[len(t.next)-1].y) / 2
}

// A treePainter draws one tree.
type treePainter struct {
	pen
	c     *draw.Canvas
	color color.NRGBA
	left  vg.Length
	bar   vg.Length // length of the line of a question
}

// x is where the line of the depth-th question begins, from 0.
func (p *treePainter) x(depth int) vg.Length {
	return p.left + treeStart + vg.Length(depth)*(p.bar+treeJoin)
}

// root draws the first questions and all that follows, from one start.
func (p *treePainter) root(t *twig) {
	h := vg.Length(treeThick) / 2
	p.box(p.left, p.left+3, t.y, 2*h, p.color)
	p.joins(t, p.left+3, 0)
}

// box fills a bar around y.
func (p *treePainter) box(x0, x1, y, thick vg.Length, clr color.Color) {
	p.c.FillPolygon(clr, []vg.Point{{X: x0, Y: y - thick/2}, {X: x1, Y: y - thick/2}, {X: x1, Y: y + thick/2}, {X: x0, Y: y + thick/2}})
}

// joins draws what leads from the end of a line to the branches after it, and these.
func (p *treePainter) joins(t *twig, from vg.Length, depth int) {
	all := vg.Length(0)
	for _, n := range t.next {
		all += n.thick()
	}
	y := t.y + all/2
	for _, n := range t.next {
		start := y - n.thick()/2
		y -= n.thick()
		if n.Others > 0 {
			p.fan(n, from, start, depth)
		} else {
			p.ribbon(from, start, p.x(depth), n.y, n.thick())
			p.line(n, depth)
		}
		p.words(n, depth)
	}
	for _, n := range t.next {
		if len(n.next) > 0 {
			p.joins(n, p.x(depth)+p.bar, depth+1)
		}
	}
}

// ribbon is a band of one thickness that leads smoothly from one height to another.
func (p *treePainter) ribbon(x0, y0, x1, y1, thick vg.Length) {
	const steps = 24
	var top, bottom []vg.Point
	for i := range steps + 1 {
		t := float64(i) / steps
		y := y0 + (y1-y0)*vg.Length(t*t*(3-2*t))
		x := x0 + (x1-x0)*vg.Length(t)
		// As thick across its way as at the ends.
		dx, dy := float64(x1-x0), float64(y1-y0)*6*t*(1-t)
		across := float64(thick) / 2 / math.Hypot(dx, dy)
		off := vg.Point{X: vg.Length(-dy * across), Y: vg.Length(dx * across)}
		top, bottom = append(top, vg.Point{X: x + off.X, Y: y + off.Y}), append(bottom, vg.Point{X: x - off.X, Y: y - off.Y})
	}
	slices.Reverse(bottom)
	p.c.FillPolygon(pale(p.color), append(top, bottom...))
}

// line draws the bar of a question; one that stops is gray and has an end.
func (p *treePainter) line(n *twig, depth int) {
	x := p.x(depth)
	if n.Stop {
		const long = 8
		p.box(x, x+long, n.y, n.thick(), gray(dimInk))
		end := max(n.thick()/2, 1) + .5 // and no further, into its words
		p.c.StrokeLine2(stroke(gray(edgeInk), curveLine), x+long, n.y-end, x+long, n.y+end)
		return
	}
	p.box(x, x+p.bar, n.y, n.thick(), p.color)
}

// fan draws many questions taken together: thin lines that spread.
func (p *treePainter) fan(n *twig, from, start vg.Length, depth int) {
	lines := min(n.Others, 7)
	end := p.x(depth) + p.bar*.8
	sty := stroke(p.color, gridLine)
	for i := range lines {
		at := vg.Length(0)
		if lines > 1 {
			at = vg.Length(i)/vg.Length(lines-1) - .5
		}
		p.c.StrokeLines(sty, []vg.Point{
			{X: from, Y: start + at*n.thick()*.8},
			{X: p.x(depth), Y: n.y + at*n.thick()*.8},
			{X: end, Y: n.y + at*n.girth()},
		})
	}
}

// words writes what a branch is above its line, and below it after which answers it
// is taken, and by how many.
func (p *treePainter) words(n *twig, depth int) {
	x := p.x(depth)
	half := n.girth() / 2
	sty := p.style(smallSize, draw.XLeft, draw.YCenter)
	name := strings.ReplaceAll(n.Question, "_", " ")
	switch {
	case n.Stop:
		name = "stops"
	case n.Others > 0:
		name = fmt.Sprintf("%d others", n.Others)
		if depth == 0 && n.Share >= 1 {
			name = fmt.Sprintf("%d questions", n.Others)
		}
	case name == "":
		name = "no criterion"
	}
	beside(p.c, sty, vg.Point{X: x, Y: n.y + half + treeLine/2}, fit(name, sty, p.bar))
	below := n.y - half - treeLine/2
	sty.Color = gray(quietInk)
	switch {
	case n.Any:
		const any = "any answer"
		beside(p.c, sty, vg.Point{X: x, Y: below}, any)
		x += sty.Width(any) + 4
	default:
		for _, a := range n.After {
			x += answerBox(p.c, vg.Point{X: x, Y: below}, a) + 1.5
		}
		if len(n.After) > 0 {
			x += 2.5
		}
	}
	beside(p.c, sty, vg.Point{X: x, Y: below}, percentage(n.Share))
}

// percentage writes a share; what is not all is never 100%.
func percentage(v Number) string {
	switch s := num(100*v, "%.0f"); {
	case v > 0 && v < .01:
		return "<1%"
	case v < 1 && s == "100":
		return ">99%"
	default:
		return s + "%"
	}
}

// answerBox draws the sign of a kind of answer from x on, and gives its width: a box that
// is empty for not held and the fuller the higher the value, and a cross for missing.
func answerBox(c *draw.Canvas, at vg.Point, answer string) vg.Length {
	const w, h = 4.4, 6.3
	sty := stroke(gray(edgeInk), axisLine)
	x, y := at.X+.3, at.Y-h/2
	if answer == "missing" {
		c.StrokeLine2(sty, x, y, x+w, y+h)
		c.StrokeLine2(sty, x, y+h, x+w, y)
		return w + .6
	}
	if full := vg.Length(slices.Index(treeAnswers, answer)) / 3 * h; full > 0 {
		c.FillPolygon(gray(edgeInk), []vg.Point{{X: x, Y: y}, {X: x + w, Y: y}, {X: x + w, Y: y + full}, {X: x, Y: y + full}})
	}
	c.StrokeLines(sty, []vg.Point{{X: x, Y: y}, {X: x + w, Y: y}, {X: x + w, Y: y + h}, {X: x, Y: y + h}, {X: x, Y: y}, {X: x + w, Y: y}})
	return w + .6
}

// treeKeys says in a line what the signs mean.
func (p pen) treeKeys(c *draw.Canvas, at vg.Point) {
	sty := p.style(smallSize, draw.XLeft, draw.YCenter)
	beside(c, sty, at, "after the answer:")
	at.X += sty.Width("after the answer:") + 6
	for _, a := range treeAnswers {
		at.X += answerBox(c, at, a) + 3
		beside(c, sty, at, a)
		at.X += sty.Width(a) + 9
	}
}
