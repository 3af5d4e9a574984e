package reports

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"regexp"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Sizes of a figure in a paper.
const (
	columnWidth = 8.5 * vg.Centimeter
	pageWidth   = 17.5 * vg.Centimeter
	margin      = 3 // points around everything
	labelSize   = 8 // points, axis labels and names
	smallSize   = 7 // points, ticks and notes
	leading     = 1.3
)

// The colours of Okabe and Ito (Color Universal Design, 2008), which colour-blind
// readers tell apart.
func okabeIto(name string) color.NRGBA {
	hex := map[string]uint32{
		"black": 0x000000, "orange": 0xE69F00, "sky": 0x56B4E9, "green": 0x009E73,
		"yellow": 0xF0E442, "blue": 0x0072B2, "vermillion": 0xD55E00, "purple": 0xCC79A7,
	}[name]
	return color.NRGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 255}
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

		"replay-policy": {color.NRGBA{120, 120, 120, 255}, hexagon},
		"policy":        {color.NRGBA{120, 120, 120, 255}, hexagon}, // as configs/paper.yaml names it
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
		{color.NRGBA{120, 120, 120, 255}, hexagon},      // yellow lines are lost on white
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

// free gives the first look that is not used of the colour that is taken least often,
// with its own marker if it can be; in the end one that is used.
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
				if !used[l] {
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
		return []vg.Length{3.5, 2}
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
	c.StrokeLines(draw.LineStyle{Color: clr, Width: .8}, append(pts, pts[0], pts[1]))
}

// A pen writes and measures text.
type pen struct{ fonts *font.Cache }

func newPen() pen { return pen{font.NewCache(liberation.Collection())} }

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
		a.Width, a.Padding = .6, 0
		a.Tick.Width, a.Tick.Length = .6, 2.5
		a.Label.Padding = 2
	}
	plt.X.Label.TextStyle = p.style(labelSize, draw.XCenter, draw.YBottom)
	plt.Y.Label.TextStyle = p.style(labelSize, draw.XCenter, draw.YBottom)
	plt.X.Tick.Label = p.style(smallSize, draw.XCenter, draw.YTop)
	plt.Y.Tick.Label = p.style(smallSize, draw.XRight, draw.YCenter)
	return plt
}

func gridStyle() draw.LineStyle { return draw.LineStyle{Color: color.Gray{225}, Width: .4} }

func gray(v uint8) color.Color { return color.Gray{v} }

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
	sty := p.style(smallSize, draw.XLeft, draw.YTop)
	sty.Color = gray(70)
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

// A sketch is a figure that is not yet in any format.
type sketch struct {
	name   string
	w, h   vg.Length
	render func(draw.Canvas)
}

// files renders the sketch as SVG, PNG (300 dpi) and PDF. Equal sketches give
// equal bytes.
func (s sketch) files() ([]File, error) {
	var out []File
	for _, format := range []struct {
		ext    string
		canvas vg.CanvasWriterTo
		finish func([]byte) ([]byte, error)
	}{
		{"svg", vgsvg.New(s.w, s.h), fallbackFont},
		{"png", vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(s.w, s.h), vgimg.UseDPI(300))}, nil},
		{"pdf", pdfCanvas{vgpdf.New(s.w, s.h)}, undate},
	} {
		c := draw.NewCanvas(format.canvas, s.w, s.h)
		c.SetColor(color.White)
		c.Fill(c.Rectangle.Path())
		s.render(draw.Crop(c, margin, -margin, margin, -margin))
		var b bytes.Buffer
		if _, err := format.canvas.WriteTo(&b); err != nil {
			return nil, fmt.Errorf("figure %s.%s: %w", s.name, format.ext, err)
		}
		data := b.Bytes()
		if format.finish != nil {
			var err error
			if data, err = format.finish(data); err != nil {
				return nil, fmt.Errorf("figure %s.%s: %w", s.name, format.ext, err)
			}
		}
		out = append(out, File{"figures/" + s.name + "." + format.ext, data})
	}
	return out, nil
}

// fallbackFont names fonts of the same widths for viewers that lack the one the
// figure was laid out with.
func fallbackFont(svg []byte) ([]byte, error) {
	return bytes.ReplaceAll(svg, []byte("font-family:Liberation Sans;"), []byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")), nil
}

// undate replaces the two clock times that the PDF writer puts into a document by
// a fixed one of equal length, so that offsets stay right.
func undate(pdf []byte) ([]byte, error) {
	date := regexp.MustCompile(`/(CreationDate|ModDate) \(D:\d{14}\)`)
	at := date.FindAllSubmatchIndex(pdf, -1)
	if len(at) != 2 {
		return nil, fmt.Errorf("%d dates in the document, expected 2", len(at))
	}
	for _, m := range at {
		copy(pdf[m[1]-len("20000101000000)"):m[1]], "20000101000000)")
	}
	return pdf, nil
}

// pdfCanvas mends two things of vgpdf.Canvas: it hands over text as UTF-8 to a
// writer that reads Windows code page 1252, and colours with their alpha
// multiplied in to one that multiplies again.
type pdfCanvas struct{ *vgpdf.Canvas }

func (c pdfCanvas) SetColor(clr color.Color) {
	if clr != nil {
		clr = straight{color.NRGBAModel.Convert(clr).(color.NRGBA)}
	}
	c.Canvas.SetColor(clr)
}

func (c pdfCanvas) FillString(f font.Face, p vg.Point, s string) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		switch {
		case r < 0x80, r >= 0xA0 && r <= 0xFF:
			b = append(b, byte(r))
		case r == '–':
			b = append(b, 0x96)
		case r == '†':
			b = append(b, 0x86)
		default:
			b = append(b, '?')
		}
	}
	c.Canvas.FillString(f, p, string(b))
}

// straight is a colour whose RGBA does not multiply its alpha in.
type straight struct{ c color.NRGBA }

func (s straight) RGBA() (r, g, b, a uint32) {
	return uint32(s.c.R) * 0x101, uint32(s.c.G) * 0x101, uint32(s.c.B) * 0x101, uint32(s.c.A) * 0x101
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
