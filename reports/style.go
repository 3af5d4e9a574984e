package reports

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes of a figure. What is not in points says so.
const (
	columnWidth = 8.5 * vg.Centimeter
	pageWidth   = 17.5 * vg.Centimeter
	pageHeight  = 23 * vg.Centimeter // most of a figure; a page of A4 has room for a caption below
	margin      = 3                  // around everything
	paperDPI    = 300                // pixels an inch of PNG files

	labelSize   = 8 // type of axis labels and names
	smallSize   = 7 // of ticks and notes
	titleType   = 10
	titleHeight = 18 // with the room below
	leading     = 1.3
	keyLine     = smallSize * 1.45 // height of a line of keys
	keyGap      = 5                // above keys
	keyLength   = 20               // of the line in a key

	rowHeight  = 12.5 // of a strategy where each has a line
	axisHeight = 26   // what an x axis with label takes below a panel
	headHeight = 14   // of a line of keys above a panel
	panelGap   = 14   // between panels
	pointGap   = 6    // between points that would hide each other

	// Plots in a column; on a page they are a little higher.
	curveHeight   = 5.6 * vg.Centimeter
	gainHeight    = 5 * vg.Centimeter
	byTurnHeight  = 4.8 * vg.Centimeter
	panelHeight   = 4.6 * vg.Centimeter // of one of several
	rewardHeight  = 5.2 * vg.Centimeter
	entropyHeight = 2.6 * vg.Centimeter
)

// Sizes of the tree figure in points.
const (
	treeAcross  = 2   // panels in a line
	treeGap     = 14  // between them
	treeTitle   = 14  // height of the name of a way of asking
	treeStart   = 14  // from the left end of a panel to the first questions
	treeJoin    = 17  // from a question to the next
	treeThick   = 7   // what all sessions are drawn as
	treeLine    = 8.5 // height of a line of text
	treeBetween = 3   // between two branches
)

// Sizes of maps in points.
const (
	longestName  = 105 // most of the name of a line or column
	widestTile   = 56
	tileBarWide  = 9 // of the bar of colours
	tileBarGap   = 12
	tileBarMost  = 160 // most of its height
	tileBarTicks = 7
	traceLine    = 24 // height of a turn
)

// Widths of lines.
const (
	gridLine  = .4
	finest    = .5 // one of many
	axisLine  = .6
	levelLine = .7 // across a plot
	barLine   = .9 // of intervals
	curveLine = 1.1
	frameLine = 1.4 // around what is chosen
	haloLine  = 3   // white, behind that
)

// Greys.
const (
	edgeInk  = 60  // edges, and what belongs to no strategy
	quietInk = 70  // notes
	dimInk   = 120 // what stands behind
	hatchInk = 175 // what is not defined
	emptyInk = 200 // what has no result
	shade    = 232 // areas
	gridInk  = 225
)

// How much of a colour is seen (0..255).
const (
	bandAlpha = 26  // of bands
	seedAlpha = 110 // of one seed of several
)

// How lines are broken.
func shortDash() []vg.Length { return []vg.Length{3.5, 2} }
func longDash() []vg.Length  { return []vg.Length{5, 2.5} }
func dotted() []vg.Length    { return []vg.Length{1, 1.5} }

// titleOf is the title of a figure, where it has one.
func titleOf(name string) string {
	if policy, ok := strings.CutPrefix(name, "learning-"); ok {
		return "Learning curve of policy " + policy
	}
	return map[string]string{
		"alignment":     "Alignment by questions asked",
		"interactions":  "Questions asked, and questions to the target",
		"adaptivity":    "Follow-up adaptivity",
		"adaptivitybyt": "Follow-up adaptivity by turn",
		"tree":          "The first questions",
		"gain":          "Adaptive gain by questions asked",
		"params":        "Alignment by parameters of the model",
		"calibration":   "Calibration of what is predicted to be held",
		"forest":        "Paired differences in alignment",
		"tasks":         "Alignment by task",
		"cost":          "Alignment by tokens a session",
		"trace":         "Beliefs in one session",
		"learning":      "Learning curve",
		"grid":          "Alignment over the sweep",
		"gridgain":      "Adaptive gain over the sweep",
		"ladder":        "Alignment by questions asked, by solver",
	}[name]
}

// The colours of Okabe and Ito (Color Universal Design, 2008), which colour-blind
// readers tell apart.
func okabeIto(name string) color.NRGBA {
	hex := map[string]uint32{
		"black": 0x000000, "orange": 0xE69F00, "sky": 0x56B4E9, "green": 0x009E73,
		"yellow": 0xF0E442, "blue": 0x0072B2, "vermillion": 0xD55E00, "purple": 0xCC79A7,
	}[name]
	return color.NRGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 255}
}

// colorOf gives the colours of what is no way of asking: tracks of a learning curve, cells
// of a sweep, and what an answer added to a belief or took from it.
func colorOf(what string) color.NRGBA {
	return okabeIto(map[string]string{
		"training": "sky", "dev": "vermillion", "fixed order": "blue", "entropy": "green", "divergence": "purple",
		"cell": "blue", "added": "blue", "taken": "vermillion",
	}[what])
}

// A look is how all strategies that ask alike are drawn.
type look struct {
	color  color.NRGBA
	marker marker
}

// looks gives every Base its colour and marker, the same in every figure and no two
// alike while there are combinations: fixed for the bases that the benchmark ships,
// by name or else by what they are; the others take the colour of what they are, or
// the next one that no base has that is drawn beside them.
func looks(m *Metrics) map[string]look {
	fixed := map[string]look{
		"random": {okabeIto("sky"), diamond},
		"static": {okabeIto("blue"), square},
		"twin":   {okabeIto("orange"), triangle},
		"pep":    {okabeIto("vermillion"), circle},
		"replay": {okabeIto("green"), wedge},
		"asker":  {okabeIto("purple"), plusSign},
		"rl":     {okabeIto("black"), pentagon},

		"replay-policy": {inkOf(dimInk), hexagon},
		"policy":        {inkOf(dimInk), hexagon}, // as configs/paper.yaml names it
		"pep-dev":       {color.NRGBA{0x88, 0x22, 0x55, 255}, crossSign},
	}
	rest := []look{
		{okabeIto("black"), pentagon},
		{okabeIto("green"), wedge},
		{okabeIto("purple"), plusSign},
		{okabeIto("orange"), triangle},
		{okabeIto("sky"), diamond},
		{okabeIto("blue"), square},
		{okabeIto("vermillion"), circle},
		{inkOf(dimInk), hexagon},                        // yellow lines are lost on white
		{color.NRGBA{0x88, 0x22, 0x55, 255}, crossSign}, // a ninth, for the comparison of the paper: wine of Paul Tol (Colour Schemes, 2021)
	}
	out, used := map[string]look{}, map[look]bool{}
	take := func(base string, l look) {
		out[base] = l
		used[l] = true
	}
	var bases []*Row
	for _, group := range ordered(m) {
		if r := group[0]; !r.fixed() {
			bases = append(bases, r)
		}
	}
	for _, r := range bases { // a name claims its colour before a kind does
		if l, ok := fixed[r.Base]; ok && !used[l] {
			take(r.Base, l)
		}
	}
	kind := func(r *Row) string {
		if r.TwinOf != "" {
			return "twin"
		}
		return r.Kind
	}
	for _, r := range bases {
		if l, ok := fixed[kind(r)]; ok && !used[l] && out[r.Base] == (look{}) {
			take(r.Base, l)
		}
	}
	beside := neighbours(m)
	for _, r := range bases {
		if out[r.Base] != (look{}) {
			continue
		}
		try := rest
		if l, ok := fixed[kind(r)]; ok {
			try = append([]look{l}, rest...)
		}
		taken := map[color.NRGBA]int{}
		for o, l := range out {
			if beside(r.Base, o) {
				taken[l.color]++
			}
		}
		take(r.Base, free(try, used, taken))
	}
	return out
}

// ladderLooks are those of the first solvers, in the order of the axis.
func ladderLooks() []look {
	return []look{
		{okabeIto("sky"), diamond},
		{okabeIto("blue"), square},
		{okabeIto("vermillion"), circle},
		{okabeIto("green"), wedge},
		{okabeIto("orange"), triangle},
		{okabeIto("purple"), plusSign},
	}
}

// confused reports whether somebody without green cones hardly tells two colours apart,
// so that their markers have to: grey looks like green and purple then.
func confused(a, b color.NRGBA) bool {
	grey := inkOf(dimInk)
	if b == grey {
		a, b = b, a
	}
	return a == grey && (b == okabeIto("green") || b == okabeIto("purple"))
}

// free gives the first look that is not used of the colour that is taken least often,
// with its own marker if it can be, and with none that a colour has which is confused with
// its own; in the end one that is used.
func free(try []look, used map[look]bool, taken map[color.NRGBA]int) look {
	for times := range len(used) + 1 {
		for _, l := range try {
			if taken[l.color] > times {
				continue
			}
			for k := -1; k <= int(crossSign); k++ {
				if k >= 0 {
					l.marker = marker(k)
				}
				alike := used[l]
				for o := range used { // any of them; their order does not matter
					alike = alike || o.marker == l.marker && confused(o.color, l.color)
				}
				if !alike {
					return l
				}
			}
		}
	}
	return try[len(used)%len(try)]
}

// neighbours reports of two bases whether a figure draws their curves into one plot.
func neighbours(m *Metrics) func(a, b string) bool {
	if !apart(m) {
		return func(_, _ string) bool { return true }
	}
	predicts, gains := map[string][]string{}, map[string]bool{}
	for i := range m.Strategies {
		r := &m.Strategies[i]
		predicts[r.Base] = append(predicts[r.Base], r.Predict)
		gains[r.Base] = gains[r.Base] || r.Gain != nil
	}
	return func(a, b string) bool {
		return gains[a] && gains[b] || slices.ContainsFunc(predicts[a], func(p string) bool { return slices.Contains(predicts[b], p) })
	}
}

// dashes draws prediction from answers broken, from a population whole; further
// populations of the same base are broken in other ways.
func dashes(m *Metrics, r *Row) []vg.Length {
	if r.Predict == "answers" {
		return shortDash()
	}
	n := 0
	for i := range m.Strategies {
		o := &m.Strategies[i]
		if o.Name == r.Name {
			break
		}
		if o.Base == r.Base && o.Predict != "answers" {
			n++
		}
	}
	ways := [][]vg.Length{nil, {6, 1.5, 1, 1.5}, {1, 1.5}, {6, 1.5, 1, 1.5, 1, 1.5}, {8, 3}, {2, 1, 2, 4}}
	return ways[min(n, len(ways)-1)]
}

// A marker is a shape, drawn filled or hollow.
type marker uint8

const (
	circle marker = iota
	square
	diamond
	triangle
	wedge
	plusSign
	pentagon
	hexagon
	crossSign
)

// draw puts the marker at p; a hollow one is white inside.
func (k marker) draw(c *draw.Canvas, p vg.Point, clr color.Color, filled bool) {
	const r = 2.1
	corners := func(n int, turn float64, r vg.Length) []vg.Point {
		out := make([]vg.Point, n)
		for i := range out {
			s, co := math.Sincos(turn + 2*math.Pi*float64(i)/float64(n))
			out[i] = vg.Point{X: p.X + r*vg.Length(co), Y: p.Y + r*vg.Length(s)}
		}
		return out
	}
	var pts []vg.Point
	switch k {
	case circle:
		pts = corners(24, 0, r)
	case square:
		pts = corners(4, math.Pi/4, r*1.25)
	case diamond:
		pts = corners(4, 0, r*1.3)
	case triangle:
		pts = corners(3, math.Pi/2, r*1.3)
	case wedge:
		pts = corners(3, -math.Pi/2, r*1.3)
	case plusSign, crossSign:
		const w, l = .75, 2.4
		for _, d := range [][2]vg.Length{{w, l}, {w, w}, {l, w}, {l, -w}, {w, -w}, {w, -l}, {-w, -l}, {-w, -w}, {-l, -w}, {-l, w}, {-w, w}, {-w, l}} {
			if k == crossSign { // a turned plus sign
				d[0], d[1] = (d[0]-d[1])*math.Sqrt2/2, (d[0]+d[1])*math.Sqrt2/2
			}
			pts = append(pts, vg.Point{X: p.X + d[0], Y: p.Y + d[1]})
		}
	case pentagon:
		pts = corners(5, math.Pi/2, r*1.15)
	default:
		pts = corners(6, 0, r*1.1)
	}
	inside := color.Color(color.White)
	if filled {
		inside = clr
	}
	c.FillPolygon(inside, pts)
	c.StrokeLines(stroke(clr, .8), append(pts, pts[0], pts[1]))
}

// A pen writes and measures text, and knows how wide a figure is wanted.
type pen struct {
	fonts *font.Cache
	width vg.Length // 0: as the figure is best
}

func newPen() pen { return pen{fonts: font.NewCache(liberation.Collection())} }

// wide is the pen for a width.
func (p pen) wide(w vg.Length) pen {
	p.width = w
	return p
}

// or is the pen for the width in which a figure is best, unless one is wanted.
func (p pen) or(best vg.Length) pen {
	if p.width == 0 {
		p.width = best
	}
	return p
}

// inner is the width within the margins.
func (p pen) inner() vg.Length { return p.width - 2*margin }

// narrow reports whether panels have to stand one above the other.
func (p pen) narrow() bool { return p.width < pageWidth }

// height is that of a plot, which has so much in a column.
func (p pen) height(column vg.Length) vg.Length {
	if p.narrow() {
		return column
	}
	return 1.2 * column
}

// quiet is the style of what is said in small gray type.
func (p pen) quiet(x draw.XAlignment, y draw.YAlignment) text.Style {
	sty := p.style(smallSize, x, y)
	sty.Color = gray(quietInk)
	return sty
}

// stroke is a line in a colour.
func stroke(clr color.Color, width vg.Length, dash ...vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: clr, Width: width, Dashes: dash}
}

func (p pen) style(size vg.Length, x draw.XAlignment, y draw.YAlignment) text.Style {
	return text.Style{
		Color: color.Black, Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		XAlign: x, YAlign: y, Handler: text.Plain{Fonts: p.fonts},
	}
}

// axes gives an empty plot in the house style: no title, no legend, thin axes.
func (p pen) axes() *plot.Plot {
	plt := plot.New()
	plt.BackgroundColor = nil
	for _, a := range []*plot.Axis{&plt.X, &plt.Y} {
		a.Width, a.Padding = axisLine, 0
		a.Tick.Width, a.Tick.Length = axisLine, 2.5
		a.Label.Padding = 2
	}
	plt.X.Label.TextStyle = p.style(labelSize, draw.XCenter, draw.YBottom)
	plt.Y.Label.TextStyle = p.style(labelSize, draw.XCenter, draw.YBottom)
	plt.X.Tick.Label = p.style(smallSize, draw.XCenter, draw.YTop)
	plt.Y.Tick.Label = p.style(smallSize, draw.XRight, draw.YCenter)
	return plt
}

func gridStyle() draw.LineStyle { return stroke(gray(gridInk), gridLine) }

func gray(v uint8) color.Color { return color.Gray{v} }

// inkOf is gray as the colour of a look.
func inkOf(v uint8) color.NRGBA { return color.NRGBA{v, v, v, 255} }

// pale mixes a colour with white.
func pale(c color.NRGBA) color.NRGBA {
	mix := func(v uint8) uint8 { return uint8(255 - (255-int(v))*45/100) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), 255}
}

// fit takes the middle out of s until it is at most w wide: names of strategies
// differ at either end.
func fit(s string, sty text.Style, w vg.Length) string {
	for n := len([]rune(s)); sty.Width(s) > w && n > 1; n-- {
		s = elide(s, n)
	}
	return s
}

// wrap breaks s at blanks into lines of at most w.
func wrap(s string, sty text.Style, w vg.Length) (lines []string) {
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && sty.Width(line+" "+word) > w {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// footnote writes lines from the top of c downwards, in small gray type.
func (p pen) footnote(c draw.Canvas, lines []string) {
	sty := p.quiet(draw.XLeft, draw.YTop)
	for i, l := range lines {
		c.FillText(sty, vg.Point{X: c.Min.X, Y: c.Max.Y - vg.Length(i)*smallSize*leading}, l)
	}
}

// noteLines wraps the notes of a figure and gives their height.
func (p pen) noteLines(width vg.Length, notes ...string) (lines []string, height vg.Length) {
	sty := p.style(smallSize, draw.XLeft, draw.YTop)
	for _, n := range notes {
		lines = append(lines, wrap(n, sty, width)...)
	}
	if len(lines) > 0 {
		height = vg.Length(len(lines))*smallSize*leading + 4
	}
	return lines, height
}

// ticks chooses round steps from lo to hi so that about most labels fit.
func ticks(lo, hi float64, most int) plot.ConstantTicks {
	if !(hi > lo) {
		return plot.ConstantTicks{{Value: lo, Label: fmt.Sprintf("%g", lo)}}
	}
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/float64(most))))
	for _, k := range []float64{1, 2, 5, 10, 20} {
		if (hi-lo)/(k*step) <= float64(most) {
			step *= k
			break
		}
	}
	var out plot.ConstantTicks
	for i := math.Ceil(lo/step - 1e-9); i*step <= hi+1e-9*step; i++ {
		v := math.Round(i*step*1e9)/1e9 + 0 // + 0: never "-0"
		out = append(out, plot.Tick{Value: v, Label: fmt.Sprintf("%g", v)})
	}
	return out
}

// wholeTicks is ticks at whole numbers only.
func wholeTicks(lo, hi float64, most int) plot.ConstantTicks {
	if hi-lo <= float64(most) {
		var out plot.ConstantTicks
		for v := math.Ceil(lo); v <= hi; v++ {
			out = append(out, plot.Tick{Value: v, Label: fmt.Sprintf("%g", v+0)}) // + 0: never "-0"
		}
		return out
	}
	return ticks(lo, hi, most)
}

// beside writes one line whose letters are centred on pt.Y: the middle of the line
// as text.Style has it lies lower than the middle of the letters.
func beside(c *draw.Canvas, sty text.Style, pt vg.Point, s string) {
	pt.Y += sty.Font.Size * .1
	c.FillText(sty, pt, s)
}

// A palette is a scale of colours: anchors at equal distances, mixed in between.
type palette []color.NRGBA

// at gives the colour at t in 0..1; what is not a number has the first one.
func (p palette) at(t float64) color.NRGBA {
	if math.IsNaN(t) {
		t = 0
	}
	t = min(max(t, 0), 1) * float64(len(p)-1)
	i := min(int(t), len(p)-2)
	t -= float64(i)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + t*(float64(b)-float64(a)))) }
	a, b := p[i], p[i+1]
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

// sequential goes from dark blue over grey to yellow, ever lighter: an order that
// readers see who tell neither red from green nor colours at all.
func sequential() palette {
	return palette{{12, 34, 82, 255}, {64, 80, 110, 255}, {122, 123, 122, 255}, {186, 170, 106, 255}, {253, 232, 84, 255}}
}

// diverging goes from blue over white to vermillion, which colour-blind readers tell
// apart; white is the middle.
func diverging() palette {
	return palette{okabeIto("blue"), {247, 247, 247, 255}, okabeIto("vermillion")}
}

// luminance is the relative luminance of a colour (WCAG 2.1), 0..1.
func luminance(c color.NRGBA) float64 {
	lin := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= .04045 {
			return x / 12.92
		}
		return math.Pow((x+.055)/1.055, 2.4)
	}
	return .2126*lin(c.R) + .7152*lin(c.G) + .0722*lin(c.B)
}

// ink is black or white, whichever has more contrast on the colour.
func ink(c color.NRGBA) color.Color {
	if l := luminance(c) + .05; 1.05/l > l/.05 {
		return color.White
	}
	return color.Black
}
