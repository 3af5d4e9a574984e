package reports

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	stdraw "image/draw"
	"io"
	"regexp"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A sketch is a figure in one width that is not yet in any format.
type sketch struct {
	name   string
	w, h   vg.Length
	render func(draw.Canvas)
}

// A figure can be laid out in more than one width, and with or without its title.
type figure struct {
	name   string
	single bool             // it has one width
	draw   func(pen) sketch // as wide as the pen says, or else as it is best on paper
	alt    func() string    // what it shows, in words, for readers who hear the page
}

// forms lays the figure out for paper: in the width in which it is best, and, unless it has
// one alone, in the other under the name of that. What is longer than a page then is left
// out.
func (f figure) forms(p pen) []sketch {
	first := f.draw(p)
	if f.single {
		return []sketch{first}
	}
	other, suffix := vg.Length(pageWidth), "-page"
	if first.w > columnWidth {
		other, suffix = columnWidth, "-column"
	}
	second := f.draw(p.wide(other))
	if second.h > pageHeight {
		return []sketch{first}
	}
	second.name += suffix
	return []sketch{first, second}
}

// figureFiles renders all figures in all their forms.
func figureFiles(list []figure, p pen) ([]File, error) {
	var out []File
	for _, f := range list {
		for _, s := range f.forms(p) {
			files, err := s.files()
			if err != nil {
				return nil, err
			}
			out = append(out, files...)
		}
	}
	return out, nil
}

// A pageFigure is a figure for a screen: as wide as a page, under its title.
type pageFigure struct {
	Name, Title, Alt string
	SVG              []byte
}

// pageFigures gives the figures of a run for a screen, in the order of Figures.
func pageFigures(m *Metrics) ([]pageFigure, error) { return onScreen(figures(m)) }

// onScreen renders figures for a screen.
func onScreen(list []figure) (out []pageFigure, err error) {
	p := newPen()
	for _, f := range list {
		s := f.draw(p.wide(pageWidth)).titled(p, titleOf(f.name))
		var b bytes.Buffer
		if err := s.svg(&b); err != nil {
			return nil, fmt.Errorf("figure %s: %w", f.name, err)
		}
		out = append(out, pageFigure{Name: f.name, Title: titleOf(f.name), Alt: f.alt(), SVG: b.Bytes()})
	}
	return out, nil
}

// titled puts a title above the sketch.
func (s sketch) titled(p pen, title string) sketch {
	under := s.render
	s.h += titleHeight
	s.render = func(c draw.Canvas) {
		sty := p.style(titleType, draw.XLeft, draw.YCenter)
		beside(&c, sty, vg.Point{X: c.Min.X, Y: c.Max.Y - titleType/2}, fit(title, sty, c.Max.X-c.Min.X))
		under(draw.Crop(c, 0, 0, 0, -titleHeight))
	}
	return s
}

// files renders the sketch as SVG, PNG (300 dpi) and PDF. Equal sketches give
// equal bytes.
func (s sketch) files() ([]File, error) {
	var out []File
	for _, format := range []struct {
		ext   string
		write func(io.Writer) error
	}{
		{"svg", s.svg},
		{"png", func(w io.Writer) error { return s.png(w, paperDPI) }},
		{"pdf", s.pdf},
	} {
		var b bytes.Buffer
		if err := format.write(&b); err != nil {
			return nil, fmt.Errorf("figure %s.%s: %w", s.name, format.ext, err)
		}
		out = append(out, File{"figures/" + s.name + "." + format.ext, b.Bytes()})
	}
	return out, nil
}

// on draws the sketch on white.
func (s sketch) on(canvas vg.CanvasSizer) {
	c := draw.NewCanvas(canvas, s.w, s.h)
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	s.render(draw.Crop(c, margin, -margin, margin, -margin))
}

func (s sketch) svg(w io.Writer) error {
	c := vgsvg.New(s.w, s.h)
	s.on(c)
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	_, err := w.Write(fallbackFont(b.Bytes()))
	return err
}

// png renders pixels.
func (s sketch) png(w io.Writer, dpi int) error {
	c := vgimg.NewWith(vgimg.UseWH(s.w, s.h), vgimg.UseDPI(dpi))
	s.on(c)
	return encodePNG(w, c.Image())
}

// encodePNG writes an opaque picture as PNG (ISO/IEC 15948) of 8 bits and three channels.
// Every line is the difference to the one above (filter 2), which suits figures, most lines
// of which are as the one above. image/png tries five filters a line: half of the time of a
// report's figures, for files that are hardly smaller.
func encodePNG(w io.Writer, img image.Image) error {
	b := img.Bounds()
	rgba, ok := img.(*image.RGBA)
	if !ok {
		rgba = image.NewRGBA(b)
		stdraw.Draw(rgba, b, img, b.Min, stdraw.Src)
	}
	wide := 3 * b.Dx()
	line, above, out := make([]byte, wide), make([]byte, wide), make([]byte, 1+wide)
	out[0] = 2
	var data bytes.Buffer
	z, err := zlib.NewWriterLevel(&data, zlib.BestSpeed)
	if err != nil {
		return err
	}
	for y := range b.Dy() {
		pix := rgba.Pix[y*rgba.Stride : y*rgba.Stride+4*b.Dx()]
		for i, j := 0, 0; i < len(pix); i, j = i+4, j+3 {
			line[j], line[j+1], line[j+2] = pix[i], pix[i+1], pix[i+2]
		}
		for i, v := range line {
			out[1+i] = v - above[i]
		}
		if _, err := z.Write(out); err != nil {
			return err
		}
		line, above = above, line
	}
	if err := z.Close(); err != nil {
		return err
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(b.Dx()))
	head = binary.BigEndian.AppendUint32(head, uint32(b.Dy()))
	head = append(head, 8, 2, 0, 0, 0) // bits, RGB, deflate, the five filters, not interlaced
	file := []byte("\x89PNG\r\n\x1a\n")
	for _, chunk := range []struct {
		name string
		data []byte
	}{{"IHDR", head}, {"IDAT", data.Bytes()}, {"IEND", nil}} {
		file = binary.BigEndian.AppendUint32(file, uint32(len(chunk.data)))
		from := len(file)
		file = append(append(file, chunk.name...), chunk.data...)
		file = binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(file[from:]))
	}
	_, err = w.Write(file)
	return err
}

func (s sketch) pdf(w io.Writer) error {
	c := pdfCanvas{vgpdf.New(s.w, s.h)}
	s.on(c)
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	data, err := undate(b.Bytes())
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// fallbackFont names fonts of the same widths for viewers that lack the one the
// figure was laid out with.
func fallbackFont(svg []byte) []byte {
	return bytes.ReplaceAll(svg, []byte("font-family:Liberation Sans;"), []byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
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
