package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// mostTasks is how many tasks fit a page.
const mostTasks = 70

// byTask reports whether alignment is drawn by task: in no survey, which has one task, nor
// of more tasks than a page has room for.
func (m *Metrics) byTask() bool {
	return m.Cluster == "task" && len(m.ClusterIDs) > 1 && len(m.ClusterIDs) <= mostTasks &&
		slices.ContainsFunc(askingRows(m), func(r *Row) bool { return len(r.ClusterMeans) == len(m.ClusterIDs) })
}

// A taskLine is one task with its mean over the rows that have one.
type taskLine struct {
	id   string
	at   int // index into ClusterIDs
	mean float64
}

// taskLines sorts the tasks by falling mean, those without one last.
func taskLines(m *Metrics, rows []*Row) (out []taskLine) {
	for i, id := range m.ClusterIDs {
		sum, n := 0.0, 0
		for _, r := range rows {
			if v := taskMean(r, i); v.Defined() {
				sum += float64(v)
				n++
			}
		}
		out = append(out, taskLine{id, i, sum / float64(n)})
	}
	slices.SortStableFunc(out, func(a, b taskLine) int {
		switch {
		case math.IsNaN(a.mean) || math.IsNaN(b.mean):
			return cmp.Compare(b.mean, a.mean) // NaN is the least
		}
		return cmp.Compare(b.mean, a.mean)
	})
	return out
}

// taskMean is the alignment of a row on a task.
func taskMean(r *Row, task int) Number {
	if task >= len(r.ClusterMeans) {
		return undefined()
	}
	return r.ClusterMeans[task]
}

// tasksFigure draws the alignment of every row on every task as a map.
func tasksFigure(m *Metrics, p pen) sketch {
	p = p.or(pageWidth)
	rows := askingRows(m)
	lines := taskLines(m, rows)
	t := &tiles{label: "Alignment (0-100)", colors: sequential()}
	var all []float64
	for _, r := range rows {
		for _, v := range r.ClusterMeans {
			all = append(all, float64(v))
		}
	}
	t.lo, t.hi = spanOf(all)
	if t.hi-t.lo < .2 { // equal numbers have one colour
		t.lo, t.hi = t.lo-.5, t.hi+.5
	}

	inner := p.inner()
	names := p.style(smallSize, draw.XRight, draw.YCenter)
	small := p.style(smallSize, draw.XCenter, draw.YCenter)
	var lineNames, rowNames vg.Length
	for _, l := range lines {
		lineNames = max(lineNames, min(names.Width(l.id), inner*.25))
	}
	label := make([]string, len(rows))
	for i, r := range rows {
		label[i] = m.marked(r, r.Name)
		rowNames = max(rowNames, min(names.Width(label[i]), longestName))
	}
	left := lineNames + 5
	beyond := t.barWidth(p)
	wide := min((inner-left-beyond)/vg.Length(len(rows)), widestTile)
	turned := rowNames > wide-3
	foot := vg.Length(smallSize + 5)
	if turned {
		foot = rowNames*math.Sqrt2/2 + 8
		// The first of them does not begin outside.
		left = max(left, rowNames*math.Sqrt2/2-wide/2+4)
		wide = min(wide, (inner-left-beyond)/vg.Length(len(rows)))
	}
	rowH := min(vg.Length(rowHeight), (pageHeight-foot-6*rowHeight)/vg.Length(len(lines)))
	body := vg.Length(len(lines)) * rowH
	notes := []string{
		fmt.Sprintf("On %s, after %d %s: mean over the users of a task, the tasks sorted by their mean over what is shown.", describe(m), m.Final, plural(m.Final, "question")),
	}
	blank := false
	for _, r := range rows {
		for i := range m.ClusterIDs {
			blank = blank || !taskMean(r, i).Defined()
		}
	}
	if blank {
		notes = append(notes, dash+": no session has an alignment.")
	}
	notes = append(notes, "Without intervals: of one task they say little.")
	for _, s := range []string{sources(m), m.remarks(rows)} {
		if s != "" {
			notes = append(notes, s)
		}
	}
	note, noteHeight := p.noteLines(inner, strings.Join(notes, " "))

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -headHeight-body-foot-4), note)
		head := p.style(labelSize, draw.XLeft, draw.YCenter)
		beside(&c, head, vg.Point{X: c.Min.X, Y: c.Max.Y - headHeight/2}, "Task")
		head.XAlign = draw.XRight
		end := c.Min.X + left + wide*vg.Length(len(rows)) + beyond
		beside(&c, head, vg.Point{X: max(end, c.Min.X+left+head.Width(t.label)), Y: c.Max.Y - headHeight/2}, t.label)
		c = draw.Crop(c, 0, 0, 0, -headHeight)
		box := func(i, j int) vg.Rectangle {
			return vg.Rectangle{
				Min: vg.Point{X: c.Min.X + left + vg.Length(j)*wide, Y: c.Max.Y - vg.Length(i+1)*rowH},
				Max: vg.Point{X: c.Min.X + left + vg.Length(j+1)*wide, Y: c.Max.Y - vg.Length(i)*rowH},
			}
		}
		for i, l := range lines {
			beside(&c, names, vg.Point{X: c.Min.X + left - 4, Y: middle(box(i, 0)).Y}, fit(l.id, names, lineNames))
			for j, r := range rows {
				v := taskMean(r, l.at)
				at := shrink(box(i, j), .4)
				if !v.Defined() {
					empty(&c, at, small)
					continue
				}
				clr := t.colors.at((float64(v) - t.lo) / (t.hi - t.lo))
				c.FillPolygon(clr, corners(at))
				sty := small
				sty.Color = ink(clr)
				if text := num(v, "%.0f"); sty.Width(text) <= wide && rowH >= smallSize {
					beside(&c, sty, middle(at), text)
				}
			}
		}
		for j := range rows {
			r := box(len(lines)-1, j)
			sty := p.style(smallSize, draw.XCenter, draw.YTop)
			if turned {
				sty.XAlign, sty.YAlign, sty.Rotation = draw.XRight, draw.YCenter, math.Pi/4
				c.FillText(sty, vg.Point{X: middle(r).X + 2, Y: r.Min.Y - 5}, fit(label[j], names, rowNames))
				continue
			}
			c.FillText(sty, vg.Point{X: middle(r).X, Y: r.Min.Y - 3}, fit(label[j], names, rowNames))
		}
		t.bar(p, &c, vg.Point{X: c.Min.X + left + wide*vg.Length(len(rows)) + tileBarGap, Y: c.Max.Y}, min(body, tileBarMost))
	}
	return sketch{"tasks", p.width, headHeight + body + foot + noteHeight + 2*margin, render}
}

func tasksAlt(m *Metrics) string {
	var parts []string
	lines := taskLines(m, askingRows(m))
	for i, l := range lines {
		if i == 3 && len(lines) > 6 {
			parts = append(parts, fmt.Sprintf("%d tasks between", len(lines)-6))
		}
		if i < 3 || i >= len(lines)-3 {
			parts = append(parts, l.id+" "+aloud(Number(l.mean), undefined(), undefined(), "%.1f"))
		}
	}
	return altOf(m, fmt.Sprintf("Map of the alignment of every strategy on every task after %d %s; said here are the tasks that come out best and worst, by their mean over strategies.", m.Final, plural(m.Final, "question")), parts)
}
