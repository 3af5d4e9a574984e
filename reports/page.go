package reports

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pepbench/bench/record"
)

// pageSources are template, style and script of report.html.
//
//go:embed page
var pageSources embed.FS

// An htmlPage is report.html before it is written: what the template shows, in its order.
// Every text is plain; html/template escapes it.
type htmlPage struct {
	Policy     template.HTML // the content security policy
	CSS        template.CSS
	JS         template.JS
	Name       string
	Data       string // name and version
	Kind       string
	Under      string // below the name: what was run on what
	About      string
	Warnings   []string
	Notices    []string // who was simulated, beside the numbers
	Summary    []string
	Headline   *shownTable
	Cells      []pageLink // of a sweep
	Figures    []shownFigure
	Tables     []shownTable
	Loose      []pageLink // files of which the page shows nothing
	Measures   []pageTerm
	Provenance []pageTerms
	Config     string
	Limits     []string
	Again      []pageTerm
	Foot       string
}

// A pageTerm is a word with what there is to say of it: a text, or a list.
type pageTerm struct {
	What, Text string
	List       []string
	Code       bool // the text is to be copied
}

// pageTerms is a part of the provenance.
type pageTerms struct {
	Title string
	Terms []pageTerm
}

// A pageLink leads to a file beside the page.
type pageLink struct{ Text, URL, Why string }

// A shownFigure is a figure in the page. It is an image of its own, not markup of the page:
// so the ids and styles of two figures cannot meet, nothing in a figure can run, and the
// page needs no exception for the styles that figures are full of.
type shownFigure struct {
	Name, Title, Alt, Caption string
	Source                    template.URL
	Width, Height             int // in pixels, 0: not known
	Links                     []pageLink
}

// A shownTable is a grid in the page.
type shownTable struct {
	Name, Title, Label, Caption string
	Size                        string // class of what has many columns
	Head                        []shownHead
	Groups                      [][][]shownCell
	Notes                       []pageTerm
	Foot                        []string
	Links                       []pageLink
}

type shownHead struct {
	Text   string
	Number bool
}

type shownCell struct {
	Value, Interval, Mark, P string
	Note                     string // its letter
	Class                    string
	Sort                     string // the number that sorting goes by; empty: none
	Row                      bool   // heads its row
	None                     bool   // a dash
}

// render writes the page. Equal pages give equal bytes.
func (p *htmlPage) render() ([]byte, error) {
	read := func(name string) string {
		b, err := pageSources.ReadFile("page/" + name)
		if err != nil {
			panic("reports: " + err.Error()) // it is embedded
		}
		return string(b)
	}
	css, js := read("report.css"), read("report.js")
	p.CSS, p.JS = template.CSS(css), template.JS(js)
	// Nothing is loaded from anywhere; this style and this script are all that acts.
	p.Policy = template.HTML(fmt.Sprintf(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'">`, hashSource(css), hashSource(js)))
	t, err := template.New("report").Parse(read("report.html.tmpl"))
	if err != nil {
		return nil, fmt.Errorf("report.html: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("report.html: %w", err)
	}
	return b.Bytes(), nil
}

// hashSource names a text in a content security policy (CSP Level 3).
func hashSource(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// runPage makes report.html of a run: of its metrics, what its manifest says of where they
// come from, and the tables and figures that are among files, to which it links. What
// equal runs may differ in (usage.json, timing.json) is not in it.
func runPage(m *Metrics, man *record.Manifest, trainings []*record.Training, files []File) ([]byte, error) {
	p := &htmlPage{
		Name: pageName(m.Name), Kind: strings.TrimSpace("pepbench "+short12(man.Code.Version)) + " · report of a run", Data: strings.TrimSpace(m.Data.Name + " " + m.Data.Version), Under: describe(m) + fmt.Sprintf("; at most %d %s asked", m.Budget, plural(m.Budget, "question")) + ".",
		Warnings: m.Warnings, Notices: pageNotices(m), Summary: pageSummary(m),
		Measures: pageMeasures(m), Provenance: pageProvenance(m, man), Limits: pageLimits(m, man), Again: pageAgain(m, man),
		Foot: "Made from manifest.json and sessions.jsonl; every number is in metrics.json. The page needs no network; its script only sorts tables.",
	}
	var about struct {
		About string `json:"about"`
	}
	if json.Unmarshal(man.Config, &about) == nil { // else there is nothing to say
		p.About = capital(about.About)
	}
	var config bytes.Buffer
	if len(man.Config) > 0 && json.Indent(&config, man.Config, "", "  ") == nil {
		p.Config = config.String()
	}
	figures, err := pageFigures(m)
	if err != nil {
		return nil, err
	}
	more, err := onScreen(learningFigures(trainings))
	if err != nil {
		return nil, err
	}
	p.figures(append(figures, more...), files)
	short := mainTable(m).only("Strategy", "Alignment", "Normalised", "Questions", "Adaptivity", "Difference")
	short.name = "headline"
	short.caption = headlineCaption(m)
	top := showTable(short, nil)
	p.Headline = &top
	p.tables(allTables(m), files)
	return p.render()
}

// figures shows the figures and links to their files.
func (p *htmlPage) figures(list []pageFigure, files []File) {
	for _, f := range list {
		svg := hoistFont(f.SVG)
		s := shownFigure{
			Name: f.Name, Title: f.Title, Alt: f.Alt, Caption: pageCaption(f.Name), Links: linksTo("figures/", f.Name, files),
			Source: template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(svg)),
		}
		if size := regexp.MustCompile(`viewBox="0 0 ([0-9.]+) ([0-9.]+)"`).FindSubmatch(svg); size != nil {
			w, _ := strconv.ParseFloat(string(size[1]), 64) // digits and dots; 0 leaves the size open
			h, _ := strconv.ParseFloat(string(size[2]), 64)
			// 940 pixels for a page of paper, others in proportion: type has one size.
			s.Width, s.Height = int(math.Round(w*940/float64(pageWidth))), int(math.Round(h*940/float64(pageWidth)))
		}
		p.Figures = append(p.Figures, s)
	}
}

// hoistFont names the font of a figure once, where every text names it: that is a sixth of
// the page.
func hoistFont(svg []byte) []byte {
	const family = "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"
	short := bytes.ReplaceAll(svg, []byte(family+"font-variant:normal;font-weight:normal;font-style:normal;"), nil)
	return bytes.Replace(short, []byte("<svg "), []byte(`<svg style="`+family+`" `), 1)
}

// tables shows the tables and links to their files, and to those of which there is no
// more than the file.
func (p *htmlPage) tables(list []fullTable, files []File) {
	shown := map[string]bool{}
	for _, t := range list {
		if len(t.groups) == 0 {
			continue
		}
		p.Tables = append(p.Tables, showTable(t.grid, linksTo("tables/", t.name, files)))
		shown[t.name] = true
	}
	for _, f := range files {
		name := strings.TrimSuffix(path.Base(f.Path), path.Ext(f.Path))
		if path.Dir(f.Path) == "tables" && !shown[name] {
			p.Loose = append(p.Loose, pageLink{Text: path.Base(f.Path), URL: relativeURL(f.Path)})
		}
	}
}

// linksTo gives links to the files of a figure or table: those of its name, and those
// of its name and a width.
func linksTo(folder, name string, files []File) (out []pageLink) {
	for _, f := range files {
		rest, ok := strings.CutPrefix(f.Path, folder+name)
		if !ok {
			continue
		}
		stem, ext, _ := strings.Cut(rest, ".")
		switch stem {
		case "", "-column", "-page":
			kind := map[string]string{"md": "Markdown", "tex": "LaTeX"}[ext]
			if kind == "" {
				kind = strings.ToUpper(ext)
			}
			if stem != "" {
				kind += " (" + stem[1:] + ")"
			}
			out = append(out, pageLink{Text: kind, URL: relativeURL(f.Path)})
		}
	}
	return out
}

// relativeURL leads to a file below the page.
func relativeURL(path string) string { return (&url.URL{Path: "./" + path}).String() }

// only gives the table with these columns alone, as far as it has them, and with the
// notes of theirs.
func (g *grid) only(heads ...string) *grid {
	out := &grid{name: g.name, caption: g.caption, texts: 1, left: g.left, foot: g.foot}
	var keep []int
	for _, h := range heads {
		if i := slices.Index(g.head, h); i >= 0 {
			keep, out.head = append(keep, i), append(out.head, h)
		}
	}
	return out.take(g, keep)
}

// showTable lays out a grid for the page.
func showTable(g *grid, links []pageLink) shownTable {
	t := shownTable{Name: g.name, Title: pageTitle(g.name), Caption: g.caption, Links: links, Foot: g.foot}
	t.Label = "Table: " + t.Title
	switch n := len(g.head); {
	case n > 13:
		t.Size = "vast"
	case n > 8:
		t.Size = "wide"
	}
	for i, h := range g.head {
		t.Head = append(t.Head, shownHead{Text: h, Number: g.right(i)})
	}
	for _, group := range g.groups {
		var rows [][]shownCell
		for _, cells := range group {
			var row []shownCell
			for i, c := range cells {
				s := shownCell{Value: c.value, Interval: c.interval, Mark: c.mark, P: c.p, Row: i == 0, None: c.value == dash}
				var class []string
				switch {
				case t.Head[i].Number:
					class = append(class, "n")
					s.Sort = sortKey(c.value)
				case slices.Contains(g.left, g.head[i]):
					class = append(class, "w")
				}
				if s.None {
					class = append(class, "dash")
				}
				s.Class = strings.Join(class, " ")
				if c.note > 0 {
					s.Note = letter(c.note)
				}
				row = append(row, s)
			}
			rows = append(rows, row)
		}
		t.Groups = append(t.Groups, rows)
	}
	for i, n := range g.notes {
		t.Notes = append(t.Notes, pageTerm{What: letter(i + 1), Text: strings.TrimSuffix(n, ".")})
	}
	return t
}

// sortKey gives the number that a shown value begins with, or nothing: 5 of "$5.00",
// .31 of "0.31 / 0.04", 12300 of "12.3k".
func sortKey(value string) string {
	found := regexp.MustCompile(`^[<>$]?([+-]?)\$?([0-9][0-9,]*(?:\.[0-9]+)?|\.[0-9]+)([kM]?)`).FindStringSubmatch(value)
	if found == nil {
		return ""
	}
	v, err := strconv.ParseFloat(strings.TrimPrefix(found[1], "+")+strings.ReplaceAll(found[2], ",", ""), 64)
	if err != nil {
		return ""
	}
	switch found[3] {
	case "k":
		v *= 1e3
	case "M":
		v *= 1e6
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
