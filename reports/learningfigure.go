package reports

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"pepbench/bench/record"
)

// learningFigures are a learning curve for every policy.
func learningFigures(list []*record.Training) (out []figure) {
	groups := byPolicy(list)
	for _, of := range groups {
		name := "learning"
		if len(groups) > 1 {
			name += "-" + safeName(of[0].Policy)
		}
		out = append(out, figure{
			name: name, draw: func(p pen) sketch { return learningFigure(name, of, p) }, alt: func() string { return learningNote(of) },
		})
	}
	return out
}

// A track is one number of a learning curve over the steps.
type track struct {
	name  string
	color color.NRGBA
	dash  []vg.Length
	of    func(*record.TrainingPoint) record.Float
}

// learningFigure draws reward by step above, entropy and divergence below, the same for
// every seed, with their means.
func learningFigure(name string, of []*record.Training, p pen) sketch {
	p = p.or(columnWidth)
	rewards := []track{
		{"rollouts in training", colorOf("training"), nil, func(p *record.TrainingPoint) record.Float { return p.Train }},
		{"dev", colorOf("dev"), nil, func(p *record.TrainingPoint) record.Float { return p.Dev }},
	}
	spreads := []track{
		{"entropy", colorOf("entropy"), nil, func(p *record.TrainingPoint) record.Float { return p.Entropy }},
		{"KL to the start", colorOf("divergence"), shortDash(), func(p *record.TrainingPoint) record.Float { return p.KL }},
	}
	fixed := track{"best fixed order", colorOf("fixed order"), longDash(), nil}
	chance := track{"random", inkOf(edgeInk), dotted(), nil}
	static := trainingMean(of, func(t *record.Training) record.Float { return t.Static })
	random := trainingMean(of, func(t *record.Training) record.Float { return t.Random })

	inner := p.inner()
	note, noteHeight := p.noteLines(inner, learningNote(of))
	top, bottom := p.height(rewardHeight), p.height(entropyHeight)
	const line = vg.Length(keyLine)
	columns := 2
	if !p.narrow() {
		columns = 3
	}
	keys := append(append(append([]track{}, rewards...), fixed, chance), spreads...)
	legend := vg.Length((len(keys)+columns-1)/columns)*line + keyGap

	render := func(c draw.Canvas) {
		p.footnote(draw.Crop(c, 0, 0, 0, -top-bottom-legend-4), note)
		sty := p.style(smallSize, draw.XLeft, draw.YCenter)
		for i, k := range keys {
			x := c.Min.X + vg.Length(i%columns)*inner/vg.Length(columns) + 4
			y := c.Max.Y - top - bottom - keyGap - (vg.Length(i/columns)+.5)*line
			c.StrokeLines(stroke(k.color, curveLine, k.dash...), []vg.Point{{X: x, Y: y}, {X: x + keyLength, Y: y}})
			beside(&c, sty, vg.Point{X: x + 24, Y: y}, k.name)
		}

		var xs, ys []float64
		for _, t := range of {
			for i := range t.Curve {
				xs = append(xs, float64(t.Curve[i].Step))
				for _, k := range rewards {
					ys = append(ys, float64(k.of(&t.Curve[i])))
				}
			}
		}
		upper := p.axes()
		upper.Y.Label.Text = "Reward (alignment, 0-100)"
		lo, hi := spanOf(append(ys, static, random))
		room := max(hi-lo, 1) * .06
		upper.Y.Min, upper.Y.Max = lo-room, hi+room
		upper.Y.Tick.Marker = ticks(max(upper.Y.Min, 0), min(upper.Y.Max, 100), 6)
		steps(upper, xs, false)
		upper.Add(&plotter.Grid{Vertical: gridStyle(), Horizontal: gridStyle()})
		upper.Add(plotFunc(func(c draw.Canvas, plt *plot.Plot) {
			x, y := plt.Transforms(&c)
			for _, l := range []struct {
				track
				v float64
			}{{fixed, static}, {chance, random}} {
				if !math.IsNaN(l.v) {
					c.StrokeLine2(stroke(l.color, curveLine, l.dash...), c.Min.X, y(l.v), c.Max.X, y(l.v))
				}
			}
			for _, k := range rewards {
				drawTrack(&c, of, k, x, y)
			}
			for _, t := range of { // the checkpoint that is used, on the curve that chose it
				for i := range t.Curve {
					if q := &t.Curve[i]; q.Step == t.Best && q.Dev.Defined() {
						circle.draw(&c, vg.Point{X: x(float64(q.Step)), Y: y(float64(q.Dev))}, rewards[1].color, true)
					}
				}
			}
		}))
		lower := p.axes()
		lower.X.Label.Text, lower.Y.Label.Text = "Step", "Nats"
		ys = []float64{0}
		for _, t := range of {
			for i := range t.Curve {
				for _, k := range spreads {
					ys = append(ys, float64(k.of(&t.Curve[i])))
				}
			}
		}
		lo, hi = spanOf(ys)
		room = max(hi-lo, .01) * .08
		lower.Y.Min, lower.Y.Max = lo-room, hi+room
		lower.Y.Tick.Marker = ticks(lower.Y.Min, lower.Y.Max, 5)
		steps(lower, xs, true)
		lower.Add(&plotter.Grid{Vertical: gridStyle(), Horizontal: gridStyle()})
		lower.Add(plotFunc(func(c draw.Canvas, plt *plot.Plot) {
			x, y := plt.Transforms(&c)
			for _, k := range spreads {
				drawTrack(&c, of, k, x, y)
			}
		}))
		a := draw.Crop(c, 0, 0, noteHeight+legend+bottom, 0)
		b := draw.Crop(c, 0, 0, noteHeight+legend, -top)
		// Both axes begin at the same place, whatever their labels take.
		left := max(upper.DataCanvas(a).Min.X, lower.DataCanvas(b).Min.X)
		upper.Draw(draw.Crop(a, left-upper.DataCanvas(a).Min.X, 0, 0, 0))
		lower.Draw(draw.Crop(b, left-lower.DataCanvas(b).Min.X, 0, 0, 0))
	}
	return sketch{name, p.width, top + bottom + legend + noteHeight + 2*margin, render}
}

// steps lays out the axis of the steps; only the lower panel has labels there.
func steps(plt *plot.Plot, xs []float64, labels bool) {
	lo, hi := spanOf(xs)
	if lo == hi {
		lo, hi = lo-.5, hi+.5
	}
	side := (hi - lo) * .03
	plt.X.Min, plt.X.Max = lo-side, hi+side
	marks := wholeTicks(lo, hi, 8)
	if !labels {
		for i := range marks {
			marks[i].Label = " " // an empty one is a minor tick
		}
	}
	plt.X.Tick.Marker = marks
}

// spanOf gives the ends of the numbers that are defined; 0 and 1 without any.
func spanOf(xs []float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range xs {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo > hi {
		return 0, 1
	}
	return lo, hi
}

// drawTrack draws the seeds thinly and their mean over the steps that all have; what is
// undefined interrupts a line.
func drawTrack(c *draw.Canvas, of []*record.Training, k track, x, y func(float64) vg.Length) {
	join := func(pts [][2]float64, sty draw.LineStyle) {
		var line []vg.Point
		flush := func() {
			if len(line) > 1 {
				c.StrokeLines(sty, line)
			} else if len(line) == 1 {
				c.FillPolygon(sty.Color, []vg.Point{{X: line[0].X - 1, Y: line[0].Y - 1}, {X: line[0].X + 1, Y: line[0].Y - 1}, {X: line[0].X + 1, Y: line[0].Y + 1}, {X: line[0].X - 1, Y: line[0].Y + 1}})
			}
			line = nil
		}
		for _, q := range pts {
			if math.IsNaN(q[1]) || math.IsInf(q[1], 0) {
				flush()
				continue
			}
			line = append(line, vg.Point{X: x(q[0]), Y: y(q[1])})
		}
		flush()
	}
	sum, seen := map[int]float64{}, map[int]int{}
	for _, t := range of {
		var pts [][2]float64
		for i := range t.Curve {
			v := float64(k.of(&t.Curve[i]))
			pts = append(pts, [2]float64{float64(t.Curve[i].Step), v})
			sum[t.Curve[i].Step] += v
			seen[t.Curve[i].Step]++
		}
		if len(of) > 1 {
			clr := k.color
			clr.A = seedAlpha
			join(pts, stroke(clr, finest, k.dash...))
		}
	}
	var mean [][2]float64
	for i := range of[0].Curve { // a step that all have is one of the first's
		if s := of[0].Curve[i].Step; seen[s] == len(of) {
			mean = append(mean, [2]float64{float64(s), sum[s] / float64(len(of))})
		}
	}
	join(mean, stroke(k.color, curveLine, k.dash...))
}

// trainingMean is the mean over the trainings that have the number, NaN without any.
func trainingMean(of []*record.Training, value func(*record.Training) record.Float) float64 {
	sum, n := 0.0, 0
	for _, t := range of {
		if v := value(t); v.Defined() {
			sum += float64(v)
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}

// paperParams is about how many parameters the paper's policy has.
const paperParams = 8_000_000_000

// learningNote says what the policy is, and what is drawn.
func learningNote(of []*record.Training) string {
	t := of[0]
	s := fmt.Sprintf("Policy %s on %s: %s, %s parameters", t.Policy, t.Data, t.Model, thousands(int64(t.Params)))
	if t.Method != "" {
		s += "; " + t.Method
	}
	s += "."
	if t.Params < paperParams/10 {
		s += " It is not the paper's model of 8 billion parameters."
	}
	s += " Trained on simulated users."
	if len(of) > 1 {
		s += fmt.Sprintf(" Thin: %d trainings; thick: their mean, over the steps that all have.", len(of))
	}
	s += fmt.Sprintf(" %d rollouts a step. Below: entropy and divergence of a decision. Dot: the checkpoint that is used, chosen on dev reward alone. Best fixed order (found by greedy search, %s) and random (%s): on the training reward",
		t.Rollouts, known(trainingMean(of, func(t *record.Training) record.Float { return t.Static })),
		known(trainingMean(of, func(t *record.Training) record.Float { return t.Random })))
	s += fmt.Sprintf(", on which the policy as it is used has %s.", known(trainingMean(of, func(t *record.Training) record.Float { return t.Reward })))
	if w := undertrained(of); w != "" {
		return s + " " + capital(w) + "."
	}
	for _, t := range of {
		if !t.Reward.Defined() || !t.Static.Defined() {
			return s // nobody knows whether it does
		}
	}
	if len(of) == 1 {
		return s + " It reaches the best fixed order."
	}
	return s + " All reach the best fixed order."
}

// known writes a mean reward, or that there is none.
func known(v float64) string {
	if math.IsNaN(v) {
		return "unknown"
	}
	return num(Number(v), "%.1f")
}
