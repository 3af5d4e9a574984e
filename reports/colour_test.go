package reports

import (
	"fmt"
	"image/color"
	"math"
	"testing"

	"pepbench/bench/record"
)

// Matrices of G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, A Physiologically-based
// Model for Simulation of Color Vision Deficiency (IEEE TVCG 15(6), 2009), severity 1, for
// linear RGB.
func deficiencies() map[string][3][3]float64 {
	return map[string][3][3]float64{
		"none":         {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
		"protanopia":   {{.152286, 1.052583, -.204868}, {.114503, .786281, .099216}, {-.003882, -.048116, 1.051998}},
		"deuteranopia": {{.367322, .860646, -.227968}, {.280085, .672501, .047413}, {-.011820, .042940, .968881}},
		"tritanopia":   {{1.255528, -.076749, -.178779}, {-.078411, .930809, .147602}, {.004733, .691367, .303900}},
	}
}

// seen is the colour in CIE L*a*b* (D65) as somebody with the deficiency sees it.
func seen(c color.NRGBA, by [3][3]float64) (lab [3]float64) {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= .04045 {
			return x / 12.92
		}
		return math.Pow((x+.055)/1.055, 2.4)
	}
	rgb := [3]float64{linear(c.R), linear(c.G), linear(c.B)}
	times := func(m [3][3]float64, v [3]float64) (out [3]float64) {
		for i := range 3 {
			for j := range 3 {
				out[i] += m[i][j] * v[j]
			}
		}
		return out
	}
	rgb = times(by, rgb)
	for i := range rgb {
		rgb[i] = min(max(rgb[i], 0), 1)
	}
	xyz := times([3][3]float64{{.4124564, .3575761, .1804375}, {.2126729, .7151522, .0721750}, {.0193339, .1191920, .9503041}}, rgb)
	f := func(t float64) float64 {
		if t > 216./24389 {
			return math.Cbrt(t)
		}
		return (24389./27*t + 16) / 116
	}
	x, y, z := f(xyz[0]/.95047), f(xyz[1]), f(xyz[2]/1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// colourDistance of two colours: the CIE 1976 difference, of which about 2 can just be seen side
// by side.
func colourDistance(a, b color.NRGBA, by [3][3]float64) float64 {
	p, q := seen(a, by), seen(b, by)
	return math.Sqrt((p[0]-q[0])*(p[0]-q[0]) + (p[1]-q[1])*(p[1]-q[1]) + (p[2]-q[2])*(p[2]-q[2]))
}

// Least distances under every deficiency: of two colours, and of two that share a marker.
const (
	leastColours = 10
	leastAlike   = 15
)

// TestColourBlind: what is drawn with one marker is told apart by colour however one sees,
// and colours that get close have other markers.
func TestColourBlind(t *testing.T) {
	many := func(n int, kinds ...string) *Metrics {
		m := &Metrics{}
		for i := range n {
			base := fmt.Sprint("way", i)
			m.Strategies = append(m.Strategies, Row{Strategy: record.Strategy{Name: base, Base: base, Kind: kinds[i%len(kinds)], Predict: "a"}})
		}
		return m
	}
	shipped := &Metrics{}
	for _, b := range []string{"random", "static", "twin", "pep", "replay", "asker", "rl", "replay-policy", "pep-dev"} {
		shipped.Strategies = append(shipped.Strategies, Row{Strategy: record.Strategy{Name: b, Base: b, Kind: b, Predict: "a"}})
	}
	for _, row := range []struct {
		reason string
		looks  map[string]look
		least  int // how many there are
	}{
		{"what the benchmark ships", looks(shipped), 9},
		{"as many as one plot has", looks(many(mostCurves, "pep")), mostCurves},
		{"of several kinds", looks(many(20, "pep", "static", "random", "?")), 20},
		{"more than anybody draws", looks(many(35, "pep")), 35},
		{"solvers", func() map[string]look {
			out := map[string]look{}
			for i, l := range ladderLooks() {
				out[fmt.Sprint(i)] = l
			}
			return out
		}(), 6},
	} {
		if len(row.looks) < row.least {
			t.Errorf("%s: %d looks", row.reason, len(row.looks))
		}
		for sight, by := range deficiencies() {
			for a, l := range row.looks {
				for b, o := range row.looks {
					d := colourDistance(l.color, o.color, by)
					switch {
					case a == b:
					case l.color != o.color && d < leastColours:
						t.Errorf("%s, %s: the colours of %s and %s are %.1f apart", row.reason, sight, a, b, d)
					case l.marker == o.marker && d < leastAlike:
						t.Errorf("%s, %s: %s and %s have one marker and are %.1f apart", row.reason, sight, a, b, d)
					}
				}
			}
		}
	}
	for sight, by := range deficiencies() {
		for _, pair := range [][2]string{{"training", "dev"}, {"added", "taken"}} { // drawn whole, without markers
			if d := colourDistance(colorOf(pair[0]), colorOf(pair[1]), by); d < leastAlike {
				t.Errorf("%s: %s and %s are %.1f apart", sight, pair[0], pair[1], d)
			}
		}
		// Maps: the one gets ever lighter, the ends of the other are far apart.
		last := -1.
		for i := range 50 {
			l := seen(sequential().at(float64(i)/49), by)[0]
			if l <= last {
				t.Errorf("%s: the scale is no lighter at %d of 49", sight, i)
			}
			last = l
		}
		if d := colourDistance(diverging().at(0), diverging().at(1), by); d < 2*leastAlike {
			t.Errorf("%s: the ends of the scale are %.1f apart", sight, d)
		}
	}
	// The distance itself: known colours, and a confusion that everybody knows.
	if d := colourDistance(color.NRGBA{0, 0, 0, 255}, color.NRGBA{255, 255, 255, 255}, deficiencies()["none"]); math.Abs(d-100) > .01 {
		t.Errorf("black and white are %v apart, want 100", d)
	}
	red, green := color.NRGBA{190, 80, 0, 255}, color.NRGBA{90, 125, 0, 255}
	if a, b := colourDistance(red, green, deficiencies()["none"]), colourDistance(red, green, deficiencies()["deuteranopia"]); b > a/3 {
		t.Errorf("red and green are %v apart, and %v without green cones", a, b)
	}
}
