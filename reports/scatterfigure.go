package reports

import (
	"cmp"
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

// A scatter draws the final alignment of every row against another number of it, one point
// a row with its interval, and floor and ceiling as lines.
type scatter struct {
	name, label string
	what        string                // the note about the axis
	none        string                // label of the place of a 0 on a logarithmic axis
	log         bool                  // or linear
	of          func(*Row) (x Number) // undefined: the row is named in the note, after lacking
	lacking     string
}

// paramsScatter is alignment against parameters.
func paramsScatter() scatter {
	return scatter{
		name: "params", label: "Parameters of the models of a strategy", log: true, none: "none", of: modelParams,
		what:    "Parameters: of the fitted population model and the trained policy that a strategy uses, on a logarithmic scale; none: it predicts and asks without a model.",
		lacking: "Parameters not known",
	}
}

// modelParams counts the parameters of the models of a row; those of a model that asks, and
// of a policy whose log does not say, are not known.
func modelParams(r *Row) Number {
	if r.Kind == kindAsker || r.Kind == kindReplay && r.Policy != nil && r.Policy.Params == 0 {
		return undefined()
	}
	return Number(r.Params)
}

// costScatter is alignment against tokens. The scale is logarithmic where the rows lie far
// apart.
func costScatter(m *Metrics) scatter {
	s := scatter{
		name: "cost", label: "Tokens a session", of: sessionTokens,
		what:    "Tokens: sent and received by solver, user, interpreter and the model that asks, over all checkpoints of a session, those past the budget included; without the judge.",
		lacking: "Tokens not known",
	}
	lo, hi := math.Inf(1), 0.0
	uncounted := 0
	for _, r := range askingRows(m) {
		if v := float64(s.of(r)); v > 0 {
			lo, hi = min(lo, v), max(hi, v)
		}
		if r.Cost != nil {
			uncounted += r.Cost.Uncounted
		}
	}
	if s.log = hi > 20*lo; s.log {
		s.none = "0"
		s.what += " The scale is logarithmic."
	}
	if uncounted > 0 {
		s.what += fmt.Sprintf(" Without those of %s %s whose tokens no server said.", thousands(int64(uncounted)), plural(uncounted, "call"))
	}
	return s
}

// sessionTokens is the mean number of tokens a session, without those of the judge; it is
// undefined where no server counted any.
func sessionTokens(r *Row) Number {
	if r.Cost == nil || r.Cost.Sessions == 0 {
		return undefined()
	}
	tokens, calls := 0, 0
	for _, c := range r.Cost.Roles {
		switch c.Role {
		case "solver", "asker", "user", "interpreter":
			tokens += c.TokensIn + c.TokensOut
			calls += c.Calls
		}
	}
	if tokens == 0 && calls > 0 {
		return undefined()
	}
	return Number(tokens) / Number(r.Cost.Sessions)
}

// some reports whether a row has a place on the axis that is not its beginning.
func (s scatter) some(m *Metrics) bool {
	for _, r := range askingRows(m) {
		if s.of(r) > 0 { // not of what is undefined
			return true
		}
	}
	return false
}

// alt says where the points are.
func (s scatter) alt(m *Metrics) string {
	var parts []string
	for _, r := range askingRows(m) {
		x := "unknown"
		if v := s.of(r); v.Defined() {
			x = thousands(int64(math.Round(float64(v))))
		}
		f := r.final()
		parts = append(parts, fmt.Sprintf("%s at %s %s", r.Name, x, aloud(f.Value, f.Lo, f.Hi, "%.1f")))
	}
	return altOf(m, fmt.Sprintf("Alignment, from 0 to 100, after %d %s by %s.", m.Final, plural(m.Final, "question"), strings.ToLower(s.label)), parts)
}

// figure draws the points.
func (s scatter) figure(m *Metrics, p pen) sketch {
	p = p.or(columnWidth)
	a := newCurves(m, p)
	a.plain = true
	inner := p.inner()
	var rows []*Row
	var names, lacking, without []string
	a.lo, a.hi = math.Inf(1), math.Inf(-1)
	see := func(v Number) {
		if v.Defined() {
			a.lo, a.hi = min(a.lo, float64(v)), max(a.hi, float64(v))
		}
	}
	left, right := math.Inf(1), math.Inf(-1)
	zero := false
	for _, r := range a.rows {
		x := s.of(r)
		switch {
		case !x.Defined():
			lacking = append(lacking, r.Name)
			continue
		case !r.final().Value.Defined():
			without = append(without, r.Name)
			continue
		}
		rows, names = append(rows, r), append(names, m.marked(r, r.Name))
		f := r.final()
		see(f.Value)
		see(f.Lo)
		see(f.Hi)
		if x == 0 {
			zero = true
			continue
		}
		left, right = min(left, float64(x)), max(right, float64(x))
	}
	if a.lo > a.hi {
		a.lo, a.hi = 0, 100
	}
	var ends []string // floor and ceiling, which would press the others together
	for _, r := range m.rows() {
		if (r.Name == m.Floor || r.Name == m.Ceiling) && r.final().Value.Defined() {
			ends = append(ends, fmt.Sprintf("%s at %s", r.Name, num(r.final().Value, "%.1f")))
		}
	}
	at, marks, lo, hi := s.axis(left, right, zero)
	told, names, alike := s.alike(rows, names)
	keys, legend := a.keysOf(told, names, inner, func(*Row) []vg.Length { return nil }, func(r *Row) bool { return r.Predict != "answers" })
	notes := []string{
		fmt.Sprintf("On %s, after %d %s.", describe(m), m.Final, plural(m.Final, "question")), s.what,
	}
	if len(lacking) > 0 {
		notes = append(notes, fmt.Sprintf("%s: %s.", s.lacking, series(lacking)))
	}
	if len(without) > 0 {
		notes = append(notes, fmt.Sprintf("Without an alignment: %s.", series(without)))
	}
	if len(ends) > 0 {
		notes = append(notes, fmt.Sprintf("Not drawn: %s.", series(ends)))
	}
	if alike {
		notes = append(notes, "Of one mark the key names points from left to right.")
	}
	if len(rows) > 1 {
		notes = append(notes, "Points that would hide each other stand side by side.")
	}
	notes = append(notes, intervalNote(m, "Intervals"))
	for _, s := range []string{sources(m), m.remarks(rows)} {
		if s != "" {
			notes = append(notes, s)
		}
	}
	note, noteHeight := p.noteLines(inner, strings.Join(notes, " "))
	body := p.height(gainHeight)

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -body-legend-4), note)
		keys(draw.Crop(c, 0, 0, 0, -body))
		plt := p.axes()
		plt.X.Label.Text, plt.Y.Label.Text = s.label, "Alignment (0-100)"
		room := max(a.hi-a.lo, 2) * a.room
		plt.Y.Min, plt.Y.Max = a.lo-room, a.hi+room
		plt.Y.Tick.Marker = ticks(max(plt.Y.Min, 0), min(plt.Y.Max, 100), 6)
		plt.X.Min, plt.X.Max = lo, hi
		plt.X.Tick.Marker = marks
		plt.Add(&plotter.Grid{Vertical: gridStyle(), Horizontal: gridStyle()})
		plt.Add(plotFunc(func(c draw.Canvas, plt *plot.Plot) {
			x, y := plt.Transforms(&c)
			if len(rows) == 0 {
				c.FillText(p.style(labelSize, draw.XCenter, draw.YCenter), c.Center(), "no row has both numbers")
			}
			// Points that would hide each other stand side by side.
			most := vg.Length(4 * pointGap)
			if !s.log {
				most *= 1.25
			}
			var marks []mark
			for _, r := range rows {
				f := r.final()
				at := mark{x: x(at(float64(s.of(r)))), low: y(float64(f.Value)), high: y(float64(f.Value))}
				if f.Lo.Defined() && f.Hi.Defined() {
					at.low, at.high = min(at.low, y(float64(f.Lo))), max(at.high, y(float64(f.Hi)))
				}
				marks = append(marks, at)
			}
			places := spread(marks, pointGap, most, c.Min.X, c.Max.X)
			for i, r := range rows {
				f, l := r.final(), a.look[r.Base]
				if f.Lo.Defined() && f.Hi.Defined() && f.Lo < f.Hi {
					upright(&c, l.color, places[i], y(float64(f.Lo)), y(float64(f.Hi)))
				}
				l.marker.draw(&c, vg.Point{X: places[i], Y: y(float64(f.Value))}, l.color, r.Predict != "answers")
			}
		}))
		plt.Draw(draw.Crop(c, 0, 0, legend+noteHeight, 0))
	}
	return sketch{s.name, p.width, body + legend + noteHeight + 2*margin, render}
}

// alike gives the rows and names of the keys. Rows that ask alike and predict from different
// models have one mark: they have one key, which names them as they stand, and it says that
// there are such.
func (s scatter) alike(rows []*Row, names []string) (first []*Row, text []string, some bool) {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(s.of(rows[i]), s.of(rows[j])) })
	done := map[string]bool{}
	for i, r := range rows {
		if r.Predict == "answers" {
			first, text = append(first, r), append(text, names[i])
			continue
		}
		if done[r.Base] {
			continue
		}
		done[r.Base] = true
		var of []string
		for _, j := range order {
			if o := rows[j]; o.Base == r.Base && o.Predict != "answers" {
				name := names[j]
				if rest, ok := strings.CutPrefix(name, o.Base+"+"); ok && len(of) > 0 {
					name = "+" + rest
				}
				of = append(of, name)
			}
		}
		some = some || len(of) > 1
		first, text = append(first, r), append(text, strings.Join(of, ", "))
	}
	return first, text, some
}

// axis gives where a number lies on the axis, its marks, and its ends. On a logarithmic
// one 0 has a place of its own before the others.
func (s scatter) axis(left, right float64, zero bool) (at func(float64) float64, marks plot.ConstantTicks, lo, hi float64) {
	if left > right && !zero {
		return func(float64) float64 { return 0 }, nil, -1, 1
	}
	if left > right {
		left, right = 1, 1
	}
	if !s.log {
		// From 0 on: a small difference looks small.
		lo, hi = -.04*right, 1.12*right
		marks = ticks(0, hi, 5)
		for i := range marks {
			marks[i].Label = thousands(int64(math.Round(marks[i].Value)))
		}
		return func(v float64) float64 { return v }, marks, lo, hi
	}
	first, last := math.Floor(math.Log10(left)), math.Ceil(math.Log10(right))
	if first == last {
		last++
	}
	begin := first
	if zero {
		begin -= .12*(last-first) + .2
	}
	at = func(v float64) float64 {
		if v <= 0 {
			return begin
		}
		return math.Log10(v)
	}
	if zero {
		marks = append(marks, plot.Tick{Value: begin, Label: s.none})
	}
	step := math.Ceil((last - first) / 7)
	for e := first; e <= last; e += step {
		marks = append(marks, plot.Tick{Value: e, Label: round10(int(e))})
		for k := 2.0; k < 10 && step == 1 && e < last; k++ {
			marks = append(marks, plot.Tick{Value: e + math.Log10(k)}) // a minor one
		}
	}
	side := (last - begin) * .05
	return at, marks, begin - side, last + side
}

// round10 writes a power of ten: 1, 10, 100, 1k, .., 1G.
func round10(e int) string {
	if e < 0 || e >= 15 {
		return fmt.Sprintf("1e%d", e)
	}
	return "1" + strings.Repeat("0", e%3) + []string{"", "k", "M", "G", "T"}[e/3]
}

// A mark is a point with its whisker, from low to high.
type mark struct{ x, low, high vg.Length }

// spread sets marks that would hide each other side by side, around their middle, in their
// order, over so much at most, and within the ends. Marks hide each other that lie within a
// gap, sideways and up; others stay. Those that come to lie on others join them.
func spread(marks []mark, gap, most, lo, hi vg.Length) []vg.Length {
	order := make([]int, len(marks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(marks[i].x, marks[j].x) })
	out := make([]vg.Length, len(marks))
	var groups [][]int
	for _, i := range order {
		out[i] = marks[i].x
		groups = append(groups, []int{i})
	}
	place := func(group []int) {
		if len(group) == 1 {
			return
		}
		middle := vg.Length(0)
		for _, j := range group {
			middle += marks[j].x / vg.Length(len(group))
		}
		step := min(gap, most/vg.Length(len(group)))
		half := vg.Length(len(group)-1) / 2 * step
		middle = max(min(middle, hi-half-gap/2), lo+half+gap/2)
		for k, j := range group {
			out[j] = middle - half + vg.Length(k)*step
		}
	}
	hide := func(a, b []int) bool {
		for _, i := range a {
			for _, j := range b {
				const close = .999 // of a gap: what stands side by side is a gap apart
				if d := out[i] - out[j]; max(d, -d) < close*gap && marks[i].low-gap/2 < marks[j].high+gap/2 && marks[j].low-gap/2 < marks[i].high+gap/2 {
					return true
				}
			}
		}
		return false
	}
	for again := true; again; {
		again = false
		for i := 0; i < len(groups) && !again; i++ {
			for j := i + 1; j < len(groups); j++ {
				if !hide(groups[i], groups[j]) {
					continue
				}
				groups[i] = append(groups[i], groups[j]...)
				groups = slices.Delete(groups, j, j+1)
				slices.SortFunc(groups[i], func(a, b int) int {
					return cmp.Or(cmp.Compare(marks[a].x, marks[b].x), cmp.Compare(a, b))
				})
				place(groups[i])
				again = true
				break
			}
		}
	}
	return out
}

// upright is a whisker that stands.
func upright(c *draw.Canvas, clr color.Color, x, y0, y1 vg.Length) {
	const w = 1.3
	sty := stroke(clr, barLine)
	c.StrokeLine2(sty, x, y0, x, y1)
	c.StrokeLine2(sty, x-w, y0, x+w, y0)
	c.StrokeLine2(sty, x-w, y1, x+w, y1)
}
