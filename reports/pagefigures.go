package reports

import (
	"bytes"
	"fmt"
	"image/color"

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A pageFigure is a figure as report.html shows it.
type pageFigure struct {
	Name, Title, Alt string
	SVG              []byte
}

// pageFigures draws the figures of a run for report.html.
func pageFigures(m *Metrics) ([]pageFigure, error) { return asSVG(sketches(m)) }

// asSVG gives sketches as SVG.
func asSVG(list []sketch) (out []pageFigure, err error) {
	for _, s := range list {
		canvas := vgsvg.New(s.w, s.h)
		c := draw.NewCanvas(canvas, s.w, s.h)
		c.SetColor(color.White)
		c.Fill(c.Rectangle.Path())
		s.render(draw.Crop(c, margin, -margin, margin, -margin))
		var b bytes.Buffer
		if _, err := canvas.WriteTo(&b); err != nil {
			return nil, fmt.Errorf("figure %s: %w", s.name, err)
		}
		svg, err := fallbackFont(b.Bytes())
		if err != nil {
			return nil, fmt.Errorf("figure %s: %w", s.name, err)
		}
		out = append(out, pageFigure{Name: s.name, SVG: svg})
	}
	return out, nil
}
