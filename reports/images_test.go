package reports

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"

	"pepbench/bench/record"
	"pepbench/domains"
)

var regen = flag.Bool("regen", false, "draw the golden images in testdata/images again")

// made is a run made by hand, so that images show how figures draw and not how numbers
// are found.
type made struct {
	bases    []string
	name     func(base string) string // what a base is called
	clusters int
	survey   bool
	noEnds   bool // neither floor nor ceiling
	change   func(*Metrics)
}

func (d made) metrics() *Metrics {
	num := func(v, half float64) Estimate {
		e := Estimate{Value: Number(v), Lo: Number(v - half), Hi: Number(v + half), N: 48, Clusters: d.clusters}
		if d.clusters < noInterval {
			e.Lo, e.Hi = undefined(), undefined()
		}
		return e
	}
	const budget = 3
	m := &Metrics{
		Name: "made", Data: data{Name: "made-up", Version: "1"}, Cluster: "task", Intervals: OverClusters,
		Tasks: d.clusters, Users: 24, Seeds: []int{1}, Sessions: sessions{Planned: 48, Read: 48}, Budget: budget, Horizon: budget + 1, Final: budget,
		Checkpoints: []int{0, 1, 2, 3, 4}, Confidence: .95, Simulated: true, SimulatedRoles: []string{"solver", "judge"},
	}
	if d.survey {
		m.Cluster, m.Tasks, m.Users = "user", 1, d.clusters
		m.Simulated, m.SimulatedRoles = false, nil
	}
	for i := range d.clusters {
		m.ClusterIDs = append(m.ClusterIDs, fmt.Sprintf("%s%02d", m.Cluster, i+1))
	}
	end := func(name, kind string, v float64) {
		r := Row{Strategy: record.Strategy{Name: name, Base: name, Kind: kind, Predict: "answers"}, Alignment: []alignment{{checkpoint: checkpoint{0, num(v, 1)}}}}
		m.Strategies = append(m.Strategies, r)
	}
	if !d.noEnds {
		end("none", kindFloor, 38)
		m.Floor = "none"
	}
	for i, base := range d.bases {
		for j, predict := range []string{"answers", "model"} {
			name := base
			if d.name != nil {
				name = d.name(base)
			}
			r := Row{Strategy: record.Strategy{Name: name + "+" + predict, Base: name, Kind: base, Predict: predict, Params: j * (200 + 900*i)}}
			up := float64(i + 2*j)
			for q := range 5 {
				r.Alignment = append(r.Alignment, alignment{checkpoint: checkpoint{q, num(40+10*float64(j)+(3+up)*float64(q), 2)}})
			}
			r.finalPoint = budget
			r.Interactions = num(float64(budget)-.3*float64(i), .1)
			r.ToTarget = toTarget{Value: Number(3.5 - .5*up), Lo: Number(3 - .5*up), Hi: Number(3.8 - .5*up), Never: .1}
			if up < 2 {
				r.ToTarget = toTarget{Value: undefined(), Lo: undefined(), Hi: undefined(), Never: .8}
			}
			share := float64(i) / float64(len(d.bases)+1)
			r.Adaptivity.PairShare = PairShare{Value: Number(share), Lo: Number(share * .8), Hi: Number(share * 1.2), Pairs: 1200, Tasks: d.clusters}
			r.Adaptivity.Released = r.Adaptivity.PairShare
			r.Adaptivity.Corrected.CorrectedShare = CorrectedShare{Value: Number(share * .9), Lo: Number(share * .7), Hi: Number(share * 1.1), SamePairs: 900}
			r.Adaptivity.Counterfactual.TurnShare = TurnShare{Value: Number(share * .7), Lo: Number(share * .6), Hi: Number(share * .8), Turns: 96}
			for t := range budget - 1 {
				r.Adaptivity.ByT = append(r.Adaptivity.ByT, PairShare{Value: Number(share * (1 - .3*float64(t)))})
				r.Adaptivity.Counterfactual.ByT = append(r.Adaptivity.Counterfactual.ByT, TurnShare{Value: Number(share * (.6 + .3*float64(t)))})
			}
			r.First = []branch{{Question: "tone", Sessions: 48, Share: 1, Next: []branch{
				{Question: "length_of_text", After: []string{"low"}, Sessions: 30, Share: .625},
				{Question: "examples", After: []string{"not held", "high"}, Sessions: 12, Share: .25},
				{Stop: true, Sessions: 6, Share: .125},
			}}}
			if base == "static" {
				r.First[0].Next = []branch{{Question: "warnings", After: []string{"not held", "low", "middle", "high"}, Any: true, Sessions: 48, Share: 1}}
			}
			if i > 0 || j == 0 {
				r.Difference = &difference{Estimate: num(3*float64(i)-4*float64(1-j), 2), Test: &test{Method: BySignFlip, P: Number(.004 * (1 + up)), Holm: Number(.01 * (1 + up)), Family: 5, MDE: 2.6, Needed: 30}}
				r.Difference.Resolved = r.Difference.Lo > 0 || r.Difference.Hi < 0
			}
			if base == "pep" {
				r.Gain = &gain{Twin: "twin+" + predict}
				for q := range 5 {
					g := gainAt{q, difference{Estimate: num(.7*float64(q)-.5*float64(1-j), .8), Test: &test{Method: ByT, P: .2, Holm: undefined(), MDE: 1.2}}}
					r.Gain.ByQuestions = append(r.Gain.ByQuestions, g)
				}
			}
			for c := range d.clusters {
				r.ClusterMeans = append(r.ClusterMeans, Number(40+10*float64(j)+3*up+float64(c*7%11)))
			}
			if predict != "answers" {
				for k, scope := range []string{"whole", "unasked"} {
					c := calibrated{Scope: scope, Questions: budget, Cells: 900, ECE: num(.02+.01*float64(i+k), .005)}
					for b := range 10 {
						at := (float64(b) + .5) / 10
						bin := calibrationBin{From: Number(b) / 10, To: Number(b+1) / 10, Cells: 160 - 17*b, Predicted: Number(at), Observed: Number(math.Min(1, at*(1-.12*float64(i)))), Lo: Number(at * .7), Hi: Number(at)}
						if b == 6 { // a gap
							bin = calibrationBin{From: bin.From, To: bin.To, Predicted: undefined(), Observed: undefined(), Lo: undefined(), Hi: undefined()}
						}
						c.Bins = append(c.Bins, bin)
					}
					r.Calibration = append(r.Calibration, c)
				}
			}
			if !d.survey {
				tokens := 48 * (1500 + 700*i + 2500*j)
				r.Cost = &cost{Sessions: 48, Calls: 96, TokensIn: 2 * tokens, TokensOut: 0, Dollars: undefined(), Roles: []roleCost{{Role: "solver", Calls: 48, TokensIn: tokens}, {Role: "judge", Calls: 48, TokensIn: tokens}}}
			}
			m.Strategies = append(m.Strategies, r)
		}
	}
	first := &m.Strategies[len(m.Strategies)-2*len(d.bases)+1]
	m.Reference = first.Name
	m.Target = target{Strategy: first.Name, Alignment: first.final().Estimate}
	if !d.noEnds {
		end("oracle", kindCeiling, 92)
		m.Ceiling = "oracle"
	}
	m.Trace = &trace{
		Session: "pep+model/1/task01/u1", Strategy: m.Strategies[len(m.Strategies)/2].Name, Task: "task01", User: "u1",
		Criteria: []string{"tone", "length_of_text", "examples"}, Truth: []domains.Cell{domains.At(4), domains.NotHeld(), domains.Missing()}, Others: 4,
		Prior: []believed{{.4, 3.1}, {.3, 2.2}, {undefined(), undefined()}},
		Turns: []traceTurn{
			{Question: "tone", Answer: domains.At(4), Beliefs: []believed{{1, 4}, {.45, 2.5}, {.2, undefined()}}},
			{Question: "length_of_text", Answer: domains.NotHeld(), Beliefs: []believed{{1, 4}, {0, 2.5}, {.1, 3}}},
			{Answer: domains.Missing(), Beliefs: []believed{{1, 4}, {0, 2.5}, {.1, 3}}},
		},
	}
	if d.survey { // where everything is held
		for _, b := range append([][]believed{m.Trace.Prior}, m.Trace.Turns[0].Beliefs, m.Trace.Turns[1].Beliefs, m.Trace.Turns[2].Beliefs) {
			for i := range b {
				b[i].Held = 1
			}
		}
	}
	if d.change != nil {
		d.change(m)
	}
	return m
}

// nothing takes every number out of a run.
func nothing(m *Metrics) {
	no := unknown()
	for i := range m.Strategies {
		r := &m.Strategies[i]
		for j := range r.Alignment {
			r.Alignment[j].Estimate = no
		}
		r.Interactions, r.ToTarget = no, toTarget{Value: undefined(), Lo: undefined(), Hi: undefined(), Never: undefined(), AtZero: undefined()}
		a := &r.Adaptivity
		a.PairShare, a.Released = PairShare{Value: undefined(), Lo: undefined(), Hi: undefined()}, PairShare{Value: undefined(), Lo: undefined(), Hi: undefined()}
		a.Corrected.CorrectedShare = CorrectedShare{Value: undefined(), Lo: undefined(), Hi: undefined()}
		a.Counterfactual.TurnShare = TurnShare{Value: undefined(), Lo: undefined(), Hi: undefined()}
		for t := range a.ByT {
			a.ByT[t].Value, a.Counterfactual.ByT[t].Value = undefined(), undefined()
		}
		r.First = nil
		if r.Difference != nil {
			r.Difference.Estimate, r.Difference.Resolved = no, false
			r.Difference.Test = &test{Method: ByNothing, P: undefined(), Holm: undefined(), Family: 5, MDE: undefined()}
		}
		if r.Gain != nil {
			for q := range r.Gain.ByQuestions {
				r.Gain.ByQuestions[q].Estimate, r.Gain.ByQuestions[q].Test = no, nil
			}
		}
		for c := range r.ClusterMeans {
			r.ClusterMeans[c] = undefined()
		}
		for c := range r.Calibration {
			r.Calibration[c].ECE = no
			for b := range r.Calibration[c].Bins {
				r.Calibration[c].Bins[b] = calibrationBin{Predicted: undefined(), Observed: undefined(), Lo: undefined(), Hi: undefined()}
			}
		}
	}
	m.Target.Alignment = no
	for _, b := range [][]believed{m.Trace.Prior, m.Trace.Turns[0].Beliefs, m.Trace.Turns[1].Beliefs, m.Trace.Turns[2].Beliefs} {
		for i := range b {
			b[i] = believed{undefined(), undefined()}
		}
	}
}

// plainRun is the run that most images are of.
func plainRun() made { return made{bases: []string{"static", "twin", "pep"}, clusters: 8} }

// madeSweep is a sweep of so many axes; of one it is over solvers.
func madeSweep(axes int) *SweepMetrics {
	s := &SweepMetrics{Name: "made", Strategy: "pep", Twin: "twin", Cluster: "task", Confidence: .95, Data: []data{{Name: "made-up", Version: "1"}}}
	s.Axes = []record.Axis{{Path: "roles.solver", Values: []string{"small", "middle", "large"}, Stages: []string{"SFT", "", "RLVR"}}}
	if axes == 2 {
		s.Axes = []record.Axis{{Path: "beliefs.model", Values: []string{"factor", "latent-class"}}, {Path: "strategies.pep.acquisition", Values: []string{"random", "uncertainty", "profile-ig"}}}
	}
	cell := func(at []int, values []string) {
		i := len(s.Cells)
		c := GridCell{At: at, Values: values, State: cellDone, Row: "pep+model", Twin: "twin+model", Tasks: 8, Users: 24, Seeds: 1, Questions: 3}
		v := 55 + 4*float64(i*i%7)
		c.Alignment = Estimate{Value: Number(v), Lo: Number(v - 2), Hi: Number(v + 2), N: 48, Clusters: 8}
		g := float64(i) - 2
		c.Gain = &difference{Estimate: Estimate{Value: Number(g), Lo: Number(g - 1), Hi: Number(g + 1), Clusters: 8}, Resolved: math.Abs(g) > 1}
		c.DevAlignment, c.Interactions, c.F1, c.HeldMAE, c.Brier = undefined(), unknown(), unknown(), unknown(), unknown()
		if i == 4 {
			c = GridCell{At: at, Values: values, State: cellRefused, Alignment: unknown()}
		}
		m := made{bases: []string{"pep"}, clusters: 8}.metrics()
		for j := range m.rowOf("pep+model").Alignment {
			m.rowOf("pep+model").Alignment[j].Value += Number(3 * i)
			m.rowOf("pep+model").Alignment[j].Lo += Number(3 * i)
			m.rowOf("pep+model").Alignment[j].Hi += Number(3 * i)
		}
		s.Cells, s.runs = append(s.Cells, c), append(s.runs, m)
	}
	for i, v := range s.Axes[0].Values {
		if axes == 1 {
			cell([]int{i}, []string{v})
			continue
		}
		for j, w := range s.Axes[1].Values {
			cell([]int{i, j}, []string{v, w})
		}
	}
	if axes == 2 {
		chosen := 2
		s.Chosen = &chosen
	}
	return s
}

// picture draws a sketch in few pixels.
func picture(t testing.TB, s sketch) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := s.png(&b, imageDPI); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Images are of so many pixels an inch, and may differ in so much.
const (
	imageDPI  = 60
	pixelFar  = 70    // of 255, in one channel: from here on a pixel is another one
	mostMean  = .004  // mean distance of all pixels, 0..1
	mostShare = .0001 // of all pixels that are other ones
)

// pictureDistance of two pictures is such that a shift by one pixel is none: a pixel is as far as
// from the nearest one in colour of the nine around its place in the other picture, and
// this both ways. Pictures whose sizes differ by more than a pixel have nothing in common.
func pictureDistance(a, b image.Image) (mean, share float64) {
	p, q := a.Bounds(), b.Bounds()
	if d := p.Size().Sub(q.Size()); max(d.X, -d.X) > 1 || max(d.Y, -d.Y) > 1 {
		return 1, 1
	}
	n := 0
	for _, pair := range [2][2]image.Image{{a, b}, {b, a}} {
		from, to := flat(pair[0]), flat(pair[1])
		for y := range from.h {
			for x := range from.w {
				least := math.MaxUint8
				for dy := -1; dy <= 1 && least > 0; dy++ {
					for dx := -1; dx <= 1 && least > 0; dx++ {
						if u, v := x+dx, y+dy; u >= 0 && v >= 0 && u < to.w && v < to.h {
							least = min(least, farthest(from.at(x, y), to.at(u, v)))
						}
					}
				}
				mean += float64(least) / 255
				if least >= pixelFar {
					share++
				}
				n++
			}
		}
	}
	return mean / float64(n), share / float64(n)
}

// A flatImage is its pixels, in lines.
type flatImage struct {
	w, h int
	pix  []color.NRGBA
}

func flat(img image.Image) flatImage {
	b := img.Bounds()
	f := flatImage{w: b.Dx(), h: b.Dy()}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			f.pix = append(f.pix, color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA))
		}
	}
	return f
}

func (f flatImage) at(x, y int) color.NRGBA { return f.pix[y*f.w+x] }

// farthest is the largest distance in a channel.
func farthest(a, b color.NRGBA) int {
	d := func(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }
	return max(d(a.R, b.R), d(a.G, b.G), d(a.B, b.B))
}

// TestImages holds figures against testdata/images; -regen draws them again. What came out
// otherwise is left as an artifact of the test (go test -artifacts).
func TestImages(t *testing.T) {
	long := map[string]string{"static": "zuerst-nach-Häufigkeit-geordnet", "twin": "близнец стратегии без ответов", "pep": "ασκών-με-πολύ-μεγάλο-όνομα"}
	ten := made{clusters: 8}
	for i := range 5 {
		ten.bases = append(ten.bases, fmt.Sprint("way", i+1))
	}
	of := func(d made, names ...string) (out []sketch) {
		for _, f := range figures(d.metrics()) {
			if names == nil || slices.Contains(names, f.name) {
				out = append(out, f.draw(newPen()))
			}
		}
		return out
	}
	other := func(d made) (out []sketch) {
		for _, f := range figures(d.metrics()) {
			out = append(out, f.forms(newPen())[1:]...)
		}
		return out
	}
	onScreen := func(d made, name string) []sketch {
		for _, f := range figures(d.metrics()) {
			if f.name == name {
				p := newPen()
				return []sketch{f.draw(p.wide(pageWidth)).titled(p, titleOf(name))}
			}
		}
		return nil
	}
	one := plainRun()
	one.bases = []string{"pep"}
	cluster := plainRun()
	cluster.clusters = 1
	empty := plainRun()
	empty.change = nothing
	survey := plainRun()
	survey.survey, survey.clusters = true, 12
	named := plainRun()
	named.name = func(base string) string { return long[base] }
	open := plainRun()
	open.noEnds = true
	trainings := []*record.Training{someTraining("rl", 1), someTraining("rl", 2)}
	total := 0
	for _, row := range []struct {
		name, reason string
		list         []sketch
		want         int
	}{
		{"plain", "every figure as it is best on paper", of(plainRun()), 12},
		{"plain", "and in the other width", other(plainRun()), 9},
		{"screen", "with its title", onScreen(plainRun(), "gain"), 1},
		{"one", "one strategy", of(one, "alignment", "interactions", "tree"), 3},
		{"cluster", "one task: no intervals, no map", of(cluster, "alignment", "forest", "calibration"), 3},
		{"empty", "nothing is defined: gaps and words", of(empty), 12},
		{"survey", "users are the clusters, all is held, no model was called", of(survey, "alignment", "trace", "tasks", "cost"), 2},
		{"ten", "ten curves", of(ten, "alignment", "calibration"), 2},
		{"named", "long names beyond ASCII", of(named, "alignment", "interactions", "forest", "tasks"), 4},
		{"open", "neither floor nor ceiling", of(open, "alignment", "params"), 2},
		{"training", "two seeds of a policy", sketched(learningFigures(trainings)), 1},
		{"solvers", "a sweep over solvers", sketched(sweepFigures(madeSweep(1))), 3},
		{"sweep", "a sweep of two axes", sketched(sweepFigures(madeSweep(2))), 2},
	} {
		if len(row.list) != row.want {
			t.Errorf("%s: %d figures, want %d", row.reason, len(row.list), row.want)
		}
		for _, s := range row.list {
			file := filepath.Join("testdata", "images", row.name+"-"+s.name+".png")
			got := picture(t, s)
			if *regen {
				savePNG(t, file, got)
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			total += len(b)
			want, err := png.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if mean, share := pictureDistance(got, want); mean > mostMean || share > mostShare {
				out := filepath.Join(t.ArtifactDir(), filepath.Base(file))
				savePNG(t, out, got)
				t.Errorf("%s: another %s: %.4f apart in the mean, %.4f of the pixels (now %s; go test -regen draws it again)", row.reason, file, mean, share, out)
			}
		}
	}
	if most := 1_500_000; total > most {
		t.Errorf("the images have %d bytes, at most %d", total, most)
	}
}

func savePNG(t testing.TB, file string, img image.Image) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// moved is a canvas whose letters stand a pixel beside their place.
type moved struct {
	*vgimg.Canvas
	by vg.Point
}

func (c moved) FillString(f font.Face, p vg.Point, s string) {
	c.Canvas.FillString(f, vg.Point{X: p.X + c.by.X, Y: p.Y + c.by.Y}, s)
}

// TestImagesTell: the comparison sees what matters and no more.
func TestImagesTell(t *testing.T) {
	const pixel = vg.Inch / imageDPI
	drawn := func(name string, change func(*Metrics)) sketch {
		d := plainRun()
		d.change = change
		for _, f := range figures(d.metrics()) {
			if f.name == name {
				return f.draw(newPen())
			}
		}
		t.Fatalf("no figure %s", name)
		return sketch{}
	}
	with := func(s sketch, by vg.Point) image.Image {
		c := moved{vgimg.NewWith(vgimg.UseWH(s.w, s.h), vgimg.UseDPI(imageDPI)), by}
		s.on(c)
		return c.Image()
	}
	shifted := func(img image.Image, dx, dy int) image.Image {
		out := image.NewNRGBA(img.Bounds())
		for y := range out.Bounds().Dy() {
			for x := range out.Bounds().Dx() {
				out.Set(x, y, color.White)
				if image.Pt(x-dx, y-dy).In(img.Bounds()) {
					out.Set(x, y, img.At(x-dx, y-dy))
				}
			}
		}
		return out
	}
	row := func(m *Metrics, name string) *Row { return m.rowOf(name) }
	for _, k := range []struct {
		reason string
		figure string
		get    func(s sketch) image.Image
		change func(*Metrics)
		same   bool
	}{
		{"the same again", "alignment", nil, nil, true},
		{"letters a pixel to the right", "alignment", func(s sketch) image.Image { return with(s, vg.Point{X: pixel}) }, nil, true},
		{"letters a pixel up", "forest", func(s sketch) image.Image { return with(s, vg.Point{Y: pixel}) }, nil, true},
		{"letters half a pixel aside", "alignment", func(s sketch) image.Image { return with(s, vg.Point{X: -pixel / 2, Y: pixel / 2}) }, nil, true},
		{"letters a third of a pixel aside", "trace", func(s sketch) image.Image { return with(s, vg.Point{X: pixel / 3, Y: pixel / 3}) }, nil, true},
		{"all of it a pixel aside", "gain", func(s sketch) image.Image { return shifted(picture(t, s), 1, -1) }, nil, true},
		{"letters four pixels aside", "alignment", func(s sketch) image.Image { return with(s, vg.Point{X: 4 * pixel}) }, nil, false},
		{"a curve is gone", "alignment", nil, func(m *Metrics) {
			for i := range row(m, "twin+model").Alignment {
				row(m, "twin+model").Alignment[i].Estimate = unknown()
			}
		}, false},
		{"a point of a curve is gone", "gain", nil, func(m *Metrics) { row(m, "pep+model").Gain.ByQuestions[2].Estimate = unknown() }, false},
		{"two colours are swapped", "alignment", nil, func(m *Metrics) {
			a, b := row(m, "twin+model"), row(m, "pep+model")
			a.Alignment, b.Alignment = b.Alignment, a.Alignment
		}, false},
		{"one whisker has another colour", "forest", nil, func(m *Metrics) {
			row(m, "twin+model").Base, row(m, "twin+answers").Base = "random", "random"
			row(m, "twin+model").Kind, row(m, "twin+answers").Kind = "random", "random"
		}, false},
		{"the axis is shifted", "alignment", nil, func(m *Metrics) {
			row(m, "none").Alignment[0].Value -= 6
		}, false},
		{"an interval is wider", "forest", nil, func(m *Metrics) { row(m, "pep+model").Difference.Hi += 1 }, false},
		{"a tile has another number", "tasks", nil, func(m *Metrics) { row(m, "pep+model").ClusterMeans[2] -= 9 }, false},
		{"an answer changed less", "trace", nil, func(m *Metrics) { m.Trace.Turns[0].Beliefs[1].Held = .35 }, false},
		{"a bin is gone", "calibration", nil, func(m *Metrics) { row(m, "pep+model").Calibration[0].Bins[8] = calibrationBin{} }, false},
	} {
		now := drawn(k.figure, k.change)
		get := k.get
		if get == nil {
			get = func(s sketch) image.Image { return picture(t, s) }
		}
		mean, share := pictureDistance(picture(t, drawn(k.figure, nil)), get(now))
		if same := mean <= mostMean && share <= mostShare; same != k.same {
			t.Errorf("%s: the same is %v, want %v (%.5f in the mean, %.5f of the pixels)", k.reason, same, k.same, mean, share)
		} else if testing.Verbose() {
			t.Logf("%s: %.5f in the mean, %.5f of the pixels", k.reason, mean, share)
		}
	}
	if mean, share := pictureDistance(image.NewGray(image.Rect(0, 0, 20, 20)), image.NewGray(image.Rect(0, 0, 20, 23))); mean != 1 || share != 1 {
		t.Errorf("another size: %v, %v", mean, share)
	}
}

// TestEncodePNG: what is written is read again as it was, pixel by pixel.
func TestEncodePNG(t *testing.T) {
	for _, row := range []struct {
		reason string
		img    image.Image
	}{
		{"a figure", func() image.Image {
			d := plainRun().metrics()
			s := alignmentFigure(d, newPen())
			c := vgimg.NewWith(vgimg.UseWH(s.w, s.h), vgimg.UseDPI(imageDPI))
			s.on(c)
			return c.Image()
		}()},
		{"one pixel", func() image.Image {
			img := image.NewRGBA(image.Rect(0, 0, 1, 1))
			img.Set(0, 0, color.RGBA{1, 2, 3, 255})
			return img
		}()},
		{"of another type, and that begins elsewhere", func() image.Image {
			img := image.NewNRGBA(image.Rect(5, 7, 12, 11))
			for y := 7; y < 11; y++ {
				for x := 5; x < 12; x++ {
					img.Set(x, y, color.NRGBA{uint8(40 * x), uint8(60 * y), uint8(x * y), 255})
				}
			}
			return img
		}()},
	} {
		var b bytes.Buffer
		if err := encodePNG(&b, row.img); err != nil {
			t.Fatal(err)
		}
		got, err := png.Decode(&b)
		if err != nil {
			t.Fatalf("%s: %v", row.reason, err)
		}
		if a, b := flat(row.img), flat(got); a.w != b.w || a.h != b.h || !slices.Equal(a.pix, b.pix) {
			t.Errorf("%s: other pixels", row.reason)
		}
	}
}
