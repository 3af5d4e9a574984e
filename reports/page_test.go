package reports

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pepbench/bench/record"
	"pepbench/domains"
)

// An element is a node of a page: a tag with its attributes and what is in it, or, where
// tag is empty, a text.
type element struct {
	tag  string
	attr map[string]string
	text string
	in   []*element
}

// parsePage reads what this package writes of HTML: every attribute quoted or without a
// value, every element but the void ones closed. Anything else is an error.
func parsePage(s string) (*element, error) {
	void := map[string]bool{"meta": true, "img": true, "wbr": true, "br": true, "link": true}
	root := &element{tag: "#"}
	open := []*element{root}
	tag := regexp.MustCompile(`^<(/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"<>]*")?)*)\s*>`)
	attr := regexp.MustCompile(`([a-z-]+)(?:="([^"]*)")?`)
	s, ok := strings.CutPrefix(s, "<!DOCTYPE html>")
	if !ok {
		return nil, errors.New("no document type")
	}
	for s != "" {
		top := open[len(open)-1]
		if s[0] != '<' {
			n := strings.IndexByte(s+"<", '<')
			top.in = append(top.in, &element{text: html.UnescapeString(s[:n])})
			if strings.ContainsRune(s[:n], '>') {
				return nil, fmt.Errorf("a > in the text %q", s[:n])
			}
			s = s[n:]
			continue
		}
		m := tag.FindStringSubmatch(s)
		if m == nil {
			return nil, fmt.Errorf("no tag: %.80q", s)
		}
		s = s[len(m[0]):]
		if m[1] != "" {
			if top.tag != m[2] {
				return nil, fmt.Errorf("</%s> closes <%s>", m[2], top.tag)
			}
			open = open[:len(open)-1]
			continue
		}
		e := &element{tag: m[2], attr: map[string]string{}}
		for _, a := range attr.FindAllStringSubmatch(m[3], -1) {
			if _, twice := e.attr[a[1]]; twice {
				return nil, fmt.Errorf("<%s> has %s twice", e.tag, a[1])
			}
			e.attr[a[1]] = html.UnescapeString(a[2])
		}
		top.in = append(top.in, e)
		switch {
		case e.tag == "style" || e.tag == "script":
			n := strings.Index(s, "</"+e.tag+">")
			if n < 0 {
				return nil, fmt.Errorf("<%s> is not closed", e.tag)
			}
			e.text, s = s[:n], s[n+len(e.tag)+3:]
		case !void[e.tag]:
			open = append(open, e)
		}
	}
	if len(open) != 1 {
		return nil, fmt.Errorf("<%s> is not closed", open[len(open)-1].tag)
	}
	return root, nil
}

// walk visits the element and all in it, in the order of the page.
func (e *element) walk(f func(*element)) {
	f(e)
	for _, c := range e.in {
		c.walk(f)
	}
}

// all gives the elements of that tag, in the order of the page.
func (e *element) all(tag string) (out []*element) {
	e.walk(func(c *element) {
		if c.tag == tag {
			out = append(out, c)
		}
	})
	return out
}

// words is the text in the element, without styles and scripts.
func (e *element) words() string {
	var b strings.Builder
	e.walk(func(c *element) {
		if c.tag == "" {
			b.WriteString(c.text)
		}
	})
	return b.String()
}

// id gives the element of that id, or nil.
func (e *element) id(id string) (found *element) {
	e.walk(func(c *element) {
		if c.attr["id"] == id {
			found = c
		}
	})
	return found
}

// rows gives the cells of a table of the page, the heading first.
func (e *element) rows(name string) (out [][]*element) {
	for _, t := range e.all("table") {
		if t.attr["aria-describedby"] != "about-"+name {
			continue
		}
		for _, r := range t.all("tr") {
			var row []*element
			for _, c := range r.in {
				if c.tag == "td" || c.tag == "th" {
					row = append(row, c)
				}
			}
			out = append(out, row)
		}
	}
	return out
}

// checkPage parses a page and holds it to what every page keeps.
func checkPage(t *testing.T, name string, page []byte) *element {
	t.Helper()
	root, err := parsePage(string(page))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	bad := func(format string, a ...any) { t.Helper(); t.Errorf(name+": "+format, a...) }
	if len(page) > 5<<20 {
		bad("%d bytes", len(page))
	}
	ids := map[string]bool{}
	level, warnings, order := 0, -1, 0
	root.walk(func(e *element) {
		order++
		if id, ok := e.attr["id"]; ok {
			if ids[id] || id == "" || strings.ContainsAny(id, " \t\n") {
				bad("id %q is there twice, or is none", id)
			}
			ids[id] = true
		}
		if e.attr["id"] == "warnings" {
			warnings = order
		}
		if (e.tag == "figure" || e.tag == "table" || e.tag == "nav") && warnings < 0 {
			bad("<%s> stands before the warnings", e.tag)
		}
		if len(e.tag) == 2 && e.tag[0] == 'h' && e.tag[1] >= '1' && e.tag[1] <= '6' {
			n := int(e.tag[1] - '0')
			if n > level+1 || n == 1 && level > 0 {
				bad("heading %q of level %d after one of level %d", e.words(), n, level)
			}
			level = n
		}
		for a := range e.attr {
			if a == "style" || strings.HasPrefix(a, "on") || a == "srcset" || a == "action" {
				bad("<%s> has the attribute %s", e.tag, a)
			}
		}
		if src, ok := e.attr["src"]; ok && !strings.HasPrefix(src, "data:image/svg+xml;base64,") {
			bad("src=%.60q", src)
		}
		if href, ok := e.attr["href"]; ok && !strings.HasPrefix(href, "#") && !strings.HasPrefix(href, "./") && !strings.HasPrefix(href, "https://arxiv.org/") {
			bad("href=%q", href)
		}
		switch e.tag {
		case "img":
			if strings.TrimSpace(e.attr["alt"]) == "" {
				bad("an image without words")
			}
			drawing, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(e.attr["src"], "data:image/svg+xml;base64,"))
			if err != nil {
				bad("%v", err)
			}
			for d := xml.NewDecoder(bytes.NewReader(drawing)); ; {
				x, err := d.Token()
				if err == io.EOF {
					break
				}
				if err != nil {
					bad("a figure is no XML: %v", err)
					break
				}
				if x, ok := x.(xml.StartElement); ok && !slices.Contains([]string{"svg", "g", "path", "text", "image"}, x.Name.Local) {
					bad("a figure has <%s>", x.Name.Local)
				}
			}
		case "th":
			if e.attr["scope"] == "" {
				bad("a heading of what: %q", e.words())
			}
		case "html":
			if e.attr["lang"] != "en" {
				bad("no language")
			}
		}
	})
	root.walk(func(e *element) {
		for _, a := range []string{"aria-labelledby", "aria-describedby"} {
			if v, ok := e.attr[a]; ok && !ids[v] {
				bad("%s names %q, which is not there", a, v)
			}
		}
		if at, ok := strings.CutPrefix(e.attr["href"], "#"); ok && !ids[at] {
			bad("a link to %q, which is not there", at)
		}
	})
	if n := len(root.all("h1")); n != 1 {
		bad("%d main headings", n)
	}
	for _, tag := range []string{"header", "main", "nav", "footer"} {
		if n := len(root.all(tag)); n != 1 {
			bad("%d <%s>", n, tag)
		}
	}
	if m := regexp.MustCompile(`NaN|\bInf\b|[+-]Inf|<nil>|%!|ZgotmplZ`).FindString(root.words()); m != "" {
		bad("%q in the text", m)
	}
	root.walk(func(e *element) {
		for a, v := range e.attr {
			if a != "src" && regexp.MustCompile(`NaN|\bInf\b|<nil>|%!|ZgotmplZ`).MatchString(v) {
				bad("%s=%q", a, v)
			}
		}
	})

	// Style and script are what the policy says, and fetch nothing.
	style, script := root.all("style"), root.all("script")
	if len(style) != 1 || len(script) != 1 {
		t.Fatalf("%s: %d styles and %d scripts", name, len(style), len(script))
	}
	policy := ""
	for _, e := range root.all("meta") {
		if e.attr["http-equiv"] == "Content-Security-Policy" {
			policy = e.attr["content"]
		}
	}
	want := "default-src 'none'; img-src data:; style-src '" + hashSource(style[0].text) + "'; script-src '" + hashSource(script[0].text) + "'; base-uri 'none'; form-action 'none'"
	if policy != want {
		bad("policy %q, want %q", policy, want)
	}
	if m := regexp.MustCompile(`(?i)@import|url\(|https?:|fetch|XMLHttp|innerHTML`).FindString(style[0].text + script[0].text); m != "" {
		bad("style or script has %q", m)
	}
	return root
}

// pageOf is the page of a run with its metrics and what its folder would hold.
func pageOf(t testing.TB, dir string) (*Metrics, *record.Manifest, []byte) {
	t.Helper()
	r := load(t, dir)
	m := Compute(r)
	files, err := Tables(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range figures(m) {
		files = append(files, File{Path: "figures/" + f.name + ".svg"})
	}
	b, err := runPage(m, &r.Manifest, nil, files)
	if err != nil {
		t.Fatal(err)
	}
	return m, &r.Manifest, b
}

// TestPage holds the pages of all kinds of runs to what every page keeps, and to showing
// every warning, table and figure.
func TestPage(t *testing.T) {
	all := goldens()
	only := func(keep ...string) func(*record.Manifest, *[]record.Session) {
		return func(m *record.Manifest, s *[]record.Session) {
			m.Strategies = slices.DeleteFunc(m.Strategies, func(s record.Strategy) bool { return !slices.Contains(keep, s.Name) })
			*s = slices.DeleteFunc(*s, func(s record.Session) bool { return !slices.Contains(keep, s.Strategy) })
			m.Sessions = len(*s)
		}
	}
	small := synth{tasks: 6, users: 2, seeds: 1, criteria: 5, budget: 2}
	with := func(change func(*record.Manifest, *[]record.Session)) synth {
		y := small
		y.change = change
		return y
	}
	for _, test := range []struct {
		name   string
		y      synth
		reason string
	}{
		{"tasks", all["tasks"], "the usual run"},
		{"survey", all["survey"], "users are the clusters"},
		{"gain", all["gain"], "many comparisons, a nominal criterion"},
		{"paper", all["paper"], "policies, replays off their log"},
		{"one", all["one"], "one cluster, no reference, no target"},
		{"odd", odd(), "names beyond ASCII"},
		{"empty", with(func(_ *record.Manifest, s *[]record.Session) { *s = nil }), "no sessions: every number is undefined"},
		{"failed", with(func(_ *record.Manifest, all *[]record.Session) {
			for i := range *all {
				s := &(*all)[i]
				*s = record.Session{ID: s.ID, Strategy: s.Strategy, Seed: s.Seed, Task: s.Task, User: s.User, Criteria: s.Criteria, Truth: s.Truth, Error: "the server is gone"}
			}
		}), "only sessions that failed"},
		{"nofloor", with(only("static+belief", "pep+belief")), "neither floor nor ceiling"},
		{"ends", with(only("none", "oracle")), "nobody asks"},
		{"unnamed", with(func(m *record.Manifest, _ *[]record.Session) {
			m.Name, m.ConfigHash, m.Config, m.Code, m.Data = "", "", nil, record.Code{}, record.Data{TestTasks: m.Data.TestTasks}
		}), "a manifest that says next to nothing"},
		{"few", synth{tasks: 3, users: 2, seeds: 2, criteria: 5, budget: 1, simulated: true}, "too few clusters"},
	} {
		m, _, b := pageOf(t, test.y.write(t))
		root := checkPage(t, test.name+" ("+test.reason+")", b)
		warnings := root.id("warnings")
		for _, w := range m.Warnings {
			if !strings.Contains(warnings.words(), w) {
				t.Errorf("%s: the warning %q is not shown", test.name, w)
			}
		}
		if none := strings.Contains(warnings.words(), "None."); none != (len(m.Warnings) == 0) {
			t.Errorf("%s: %d warnings, and the page says none: %v", test.name, len(m.Warnings), none)
		}
		if n := notice(m); n != "" && !strings.Contains(root.id("summary").words(), n) {
			t.Errorf("%s: no notice beside the numbers", test.name)
		}
		for _, g := range allTables(m) {
			if n := len(root.rows(g.name)); (n > 1) != (len(g.groups) > 0) {
				t.Errorf("%s: table %s has %d rows", test.name, g.name, n)
			}
		}
		for _, f := range figures(m) {
			if e := root.id("figure-" + f.name); e == nil || len(e.all("img")) != 1 {
				t.Errorf("%s: figure %s is not shown", test.name, f.name)
			}
		}
	}
}

// TestPageNumbers: tables of the page have the numbers of metrics.json.
func TestPageNumbers(t *testing.T) {
	m, _, b := pageOf(t, goldens()["tasks"].write(t))
	raw, err := m.JSON()
	if err != nil {
		t.Fatal(err)
	}
	type estimate struct{ Value, Lo, Hi *float64 }
	var file struct {
		Final      int
		Strategies []struct {
			Name      string
			Alignment []struct {
				Questions  int
				Value      *float64
				Lo, Hi     *float64
				Normalised estimate
			}
			Interactions estimate
			Difference   *struct {
				estimate
				Resolved bool
			}
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	root := checkPage(t, "tasks", b)
	for _, table := range []string{"headline", "main"} {
		rows := root.rows(table)
		column := map[string]int{}
		for i, c := range rows[0] {
			column[c.words()] = i
		}
		seen := 0
		for _, r := range rows[1:] {
			for _, s := range file.Strategies {
				if s.Name != r[0].words() {
					continue
				}
				seen++
				a := s.Alignment[len(s.Alignment)-1]
				cell := r[column["Alignment"]]
				if want := fmt.Sprintf("%.1f [%.1f, %.1f]", *a.Value, *a.Lo, *a.Hi); cell.words() != want {
					t.Errorf("%s, %s: alignment %q, want %q", table, s.Name, cell.words(), want)
				}
				if v, err := strconv.ParseFloat(cell.attr["data-v"], 64); err != nil || fmt.Sprintf("%.1f", v) != fmt.Sprintf("%.1f", *a.Value) {
					t.Errorf("%s, %s: sorts by %q", table, s.Name, cell.attr["data-v"])
				}
				if want := fmt.Sprintf("%.1f [%.1f, %.1f]", *a.Normalised.Value, *a.Normalised.Lo, *a.Normalised.Hi); r[column["Normalised"]].words() != want {
					t.Errorf("%s, %s: normalised %q, want %q", table, s.Name, r[column["Normalised"]].words(), want)
				}
				if want := fmt.Sprintf("%.2f", *s.Interactions.Value); !strings.HasPrefix(r[column["Questions"]].words(), want) {
					t.Errorf("%s, %s: questions %q, want %q", table, s.Name, r[column["Questions"]].words(), want)
				}
				diff := r[column["Difference"]].words()
				if d := s.Difference; d == nil && diff != "reference" || d != nil && !strings.HasPrefix(diff, fmt.Sprintf("%+.1f", *d.Value)) || d != nil && strings.Contains(diff, "~") == d.Resolved {
					t.Errorf("%s, %s: difference %q, want that of %+v", table, s.Name, diff, d)
				}
			}
		}
		if seen != len(file.Strategies) || seen != len(rows)-1 {
			t.Errorf("%s: %d rows, %d of strategies, want %d", table, len(rows)-1, seen, len(file.Strategies))
		}
	}
}

// TestPageEscapes: whatever a name holds is text.
func TestPageEscapes(t *testing.T) {
	const evil = `<script>alert("1")</script> & 'x' </style> --> выбор 日本 {{.}} javascript:`
	dir := synth{tasks: 6, users: 2, seeds: 1, criteria: 5, budget: 1, simulated: true, change: func(m *record.Manifest, all *[]record.Session) {
		old := m.Strategies[8].Name
		m.Strategies[8].Name, m.Strategies[8].Base, m.Strategies[8].About = evil, evil, evil
		for i := range *all {
			if s := &(*all)[i]; s.Strategy == old {
				s.Strategy, s.ID = evil, "x"+s.ID
			}
		}
		config, _ := json.Marshal(map[string]string{"about": evil})
		m.Name, m.Config, m.Data.Name, m.Solver, m.LeftOut, m.Warnings = evil, config, evil, evil, []string{evil}, []string{evil}
		m.Code.Version, m.Code.Dependencies = evil, map[string]string{evil: "1"}
		m.Data.Sources = []domains.Source{{Path: evil}}
		m.Endpoints[0].Model = evil
		m.Report.Reference = evil
	}}.write(t)
	m, _, b := pageOf(t, dir)
	root := checkPage(t, "evil", b)
	if m.Reference != evil {
		t.Fatal("the run has lost its name")
	}
	if n := bytes.Count(b, []byte("<script")); n != 1 {
		t.Errorf("%d scripts", n)
	}
	for _, at := range []string{"warnings", "summary", "provenance", "limits"} {
		if !strings.Contains(root.id(at).words(), evil) {
			t.Errorf("the name is not in %s as it is", at)
		}
	}
	for _, tag := range []string{"title", "h1", "pre"} {
		if !strings.Contains(root.all(tag)[0].words(), map[string]string{"pre": "выбор"}[tag]) || tag != "pre" && !strings.Contains(root.all(tag)[0].words(), evil) {
			t.Errorf("<%s> is %q", tag, root.all(tag)[0].words())
		}
	}
}

// TestPageFiles: a written page links to every table and figure beside it, to nothing
// else, and is the same whatever usage.json and timing.json say.
func TestPageFiles(t *testing.T) {
	dir := goldens()["one"].write(t)
	writeTraining(t, filepath.Join(dir, trainingsFolder), "rl-1.json", someTraining("rl", 1))
	var before []byte
	for i := range 2 {
		put(t, filepath.Join(dir, record.UsageFile), fmt.Appendf(nil, `{"roles":{"solver":{"calls":%d}}}`, i))
		put(t, filepath.Join(dir, record.TimingFile), fmt.Appendf(nil, `{"started":"2026-01-0%dT00:00:00Z"}`, i+1))
		s, err := Write(dir)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, record.PageFile))
		if err != nil {
			t.Fatal(err)
		}
		if before != nil && !bytes.Equal(b, before) {
			t.Error("two reports of one run differ")
		}
		before = b
		root := checkPage(t, "one", b)
		linked := map[string]bool{}
		for _, a := range root.all("a") {
			if path, ok := strings.CutPrefix(a.attr["href"], "./"); ok {
				linked[path] = true
				if !exists(dir, path) {
					t.Errorf("a link to %s, which is not there", path)
				}
			}
		}
		for _, f := range s.Files {
			if (strings.HasPrefix(f, "tables/") || strings.HasPrefix(f, "figures/")) && !linked[f] {
				t.Errorf("no link to %s", f)
			}
		}
		if root.id("figure-learning") == nil {
			t.Error("no learning curve")
		}
		if last := s.Files[len(s.Files)-2:]; !slices.Equal(last, []string{record.PageFile, record.MetricsFile}) || !slices.Contains(s.Files, record.IndexFile) {
			t.Errorf("the last of %v are %v", s.Files, last)
		}
	}
}

// TestPageText compares the words of a page with testdata.
func TestPageText(t *testing.T) {
	_, _, b := pageOf(t, goldens()["tasks"].write(t))
	var out strings.Builder
	checkPage(t, "tasks", b).walk(func(e *element) {
		switch e.tag {
		case "h1", "h2", "h3":
			fmt.Fprintf(&out, "\n%s %s\n", strings.Repeat("#", int(e.tag[1]-'0')), e.words())
		case "p", "li", "dt", "dd", "figcaption", "pre", "summary":
			if len(e.all("li"))-map[bool]int{true: 1}[e.tag == "li"] > 0 {
				return // its parts follow
			}
			fmt.Fprintf(&out, "%s: %s\n", e.tag, strings.TrimSpace(e.words()))
		case "img":
			fmt.Fprintf(&out, "img: %s\n", e.attr["alt"])
		}
	})
	golden(t, filepath.Join("testdata", "page", "tasks.txt"), out.String())
}

// TestPageLargest: a run of twenty rows and 21 checkpoints fits.
func TestPageLargest(t *testing.T) {
	r := load(t, synth{tasks: 6, users: 2, seeds: 1, criteria: 24, budget: 10, horizon: 20, simulated: true}.write(t))
	m := Compute(r)
	for i := 0; len(m.Strategies) < 20; i++ {
		more := m.Strategies[1+i%8]
		more.Name, more.Base = fmt.Sprintf("%s-%d", more.Name, i), fmt.Sprintf("%s-%d", more.Base, i)
		m.Strategies = append(m.Strategies, more)
	}
	if len(m.Checkpoints) != 21 {
		t.Fatalf("%d checkpoints", len(m.Checkpoints))
	}
	b, err := runPage(m, &r.Manifest, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(checkPage(t, "largest", b).rows("main")); n != 21 {
		t.Errorf("%d rows", n)
	}
	if len(b) > 2<<20 {
		t.Errorf("%d bytes", len(b))
	}
}

// TestPageSummary: the sentences hold whatever the numbers are.
func TestPageSummary(t *testing.T) {
	est := func(v, lo, hi Number) Estimate { return Estimate{Value: v, Lo: lo, Hi: hi, N: 10, Clusters: 10} }
	row := func(name, kind string, v Number, d *difference) Row {
		return Row{
			Strategy: record.Strategy{Name: name, Base: name, Kind: kind}, Sessions: 10, Difference: d,
			Alignment: []alignment{{checkpoint: checkpoint{5, est(v, v-1, v+1)}}},
		}
	}
	diff := func(v, lo, hi Number, resolved bool, t *test) *difference {
		return &difference{Estimate: est(v, lo, hi), Resolved: resolved, Test: t}
	}
	holm := func(p, mde Number, needed int) *test {
		return &test{Method: BySignFlip, P: p / 3, Holm: p, Family: 3, MDE: mde, Needed: needed}
	}
	none := undefined()
	for _, test := range []struct {
		reason    string
		reference string
		rows      []Row
		want      []string
		not       string
	}{
		{
			"a resolved winner", "static",
			[]Row{row("none", "none", 40, nil), row("static", "static", 60, nil), row("pep", "pep", 65, diff(5, 3, 7, true, holm(.004, 2.5, 4))), row("oracle", "oracle", 95, nil)},
			[]string{
				"pep has the highest alignment of the 2 strategies that ask questions after at most 5 questions: 65.0 [64.0, 66.0] on a scale from 0 to 100; the floor, none, has 40.0 and the ceiling, oracle, has 95.0.",
				"pep differs from the reference, static, by +5.0 [3.0, 7.0] points of alignment (p=.004, corrected by Holm for 3 comparisons), which is resolved: chance alone seldom gives one as large.",
				"Four runs in five like this one would find a true difference of 2.5 points here, before any correction; a smaller one they may well miss.",
			},
			"cannot tell",
		},
		{
			"the reference wins, and the nearest is not told from it", "static",
			[]Row{row("static", "static", 60, nil), row("pep", "pep", 59, diff(-1, -3, 1, false, holm(.4, 4, 120))), row("random", "random", 50, diff(-10, -12, -8, true, holm(.0001, 4, 2)))},
			[]string{
				"static has the highest alignment of the 3 strategies that ask questions after at most 5 questions: 60.0 [59.0, 61.0] on a scale from 0 to 100.",
				"That is the reference itself. Of the others pep comes nearest to it, with a difference of -1.0 [-3.0, 1.0] points of alignment (p=.40, corrected by Holm for 3 comparisons), which is not resolved: this run cannot tell the two apart.",
				"To find one as large as the one seen as often it would take about 120 tasks.",
			},
			"",
		},
		{
			"tiny p", "static",
			[]Row{row("static", "static", 60, nil), row("pep", "pep", 70, diff(10, 8, 12, true, holm(.0001, 2, 2)))},
			[]string{"p<.001"},
			"0.000",
		},
		{
			"outside of the family", "static",
			[]Row{row("static", "static", 60, nil), row("pep", "pep", 70, diff(10, 8, 12, true, &test{Method: ByT, P: .02, Holm: none, MDE: 3}))},
			[]string{"(p=.020, exploratory: not corrected for the number of comparisons)"},
			"Holm",
		},
		{
			"nothing is known of the test", "static",
			[]Row{row("static", "static", 60, nil), row("pep", "pep", 61, diff(1, -1, 3, false, nil))},
			[]string{"by +1.0 [-1.0, 3.0] points of alignment, which is not resolved: this run cannot tell the two apart.", "How small a difference this run could have found is not known."},
			"p=",
		},
		{
			"too few clusters", "static",
			[]Row{row("static", "static", 60, nil), row("pep", "pep", 70, diff(10, none, none, false, &test{Method: ByNothing, P: none, Holm: none, MDE: none}))},
			[]string{"by +10.0 points of alignment (no p-value: too few tasks), which is not resolved", "How small a difference this run could have found is not known."},
			"NaN",
		},
		{
			"two are equal", "static",
			[]Row{row("static", "static", 60, nil), row("a", "pep", 70, diff(10, 8, 12, true, nil)), row("b", "pep", 70, diff(10, 8, 12, true, nil))},
			[]string{"a and b share the highest alignment of the 3 strategies"},
			"a has the highest",
		},
		{
			"no difference at all", "static",
			[]Row{row("a", "pep", 60, diff(0, 0, 0, false, nil)), row("static", "static", 60, nil)},
			[]string{"a and static share the highest alignment", "in this run the two came out alike"},
			"cannot tell",
		},
		{
			"no reference", "",
			[]Row{row("static", "static", 60, nil), row("pep", "pep", 70, nil)},
			[]string{"pep has the highest", "The run names no reference"},
			"differs",
		},
		{
			"nothing is paired", "static",
			[]Row{row("static", "static", 60, nil), row("pep", "pep", 70, diff(none, none, none, false, nil))},
			[]string{"How far it is from the reference, static, this run cannot tell"},
			"NaN",
		},
		{
			"the reference is alone", "static",
			[]Row{row("static", "static", 60, nil), row("oracle", "oracle", 90, diff(30, 20, 40, true, nil))},
			[]string{"static, the only strategy that asks questions, has an alignment after at most 5 questions: 60.0", "no other strategy that asks is compared with it"},
			"highest",
		},
		{
			"one has no alignment", "static",
			[]Row{row("static", "static", 60, nil), row("pep", "pep", 70, diff(10, 8, 12, true, nil)), row("broken", "pep", none, nil)},
			[]string{"pep has the highest alignment among those 2 of the 3 strategies that ask questions which have one"},
			"broken",
		},
		{
			"none has an alignment", "static",
			[]Row{row("static", "static", none, nil), row("pep", "pep", none, nil), row("none", "none", 40, nil)},
			[]string{"None of the 2 strategies that ask questions has an alignment: this run cannot tell anything of them."},
			"highest",
		},
		{"nobody asks", "", []Row{row("none", "none", 40, nil)}, []string{"No strategy of this run asks questions"}, "highest"},
	} {
		m := &Metrics{Strategies: test.rows, Reference: test.reference, Final: 5, Cluster: "task", Tasks: 10}
		for i := range m.Strategies {
			switch r := &m.Strategies[i]; r.Kind {
			case "none":
				m.Floor = r.Name
			case "oracle":
				m.Ceiling = r.Name
			}
		}
		got := pageSummary(m)
		for _, w := range test.want {
			if !strings.Contains(strings.Join(got, "\n"), w) {
				t.Errorf("%s: no %q in\n%s", test.reason, w, strings.Join(got, "\n"))
			}
		}
		if test.not != "" && strings.Contains(strings.Join(got, "\n"), test.not) {
			t.Errorf("%s: %q in\n%s", test.reason, test.not, strings.Join(got, "\n"))
		}
		if len(got) > 3 {
			t.Errorf("%s: %d sentences or more", test.reason, len(got))
		}
	}
}

// TestPageLimits: what the numbers cannot say follows from what the run was.
func TestPageLimits(t *testing.T) {
	base := func() (*Metrics, *record.Manifest) {
		return &Metrics{Cluster: "task", Tasks: 16, Users: 20, Seeds: []int{1, 2}, Judge: "judge/rubric", UserModel: "exact", Intervals: OverBoth}, &record.Manifest{}
	}
	for _, test := range []struct {
		reason    string
		change    func(*Metrics, *record.Manifest)
		want, not string
	}{
		{"nothing is simulated", func(*Metrics, *record.Manifest) {}, "The users are simulated (exact).", "embedded simulator"},
		{"a simulator took part", func(m *Metrics, _ *record.Manifest) {
			m.Simulated, m.SimulatedRoles = true, []string{"solver", "judge"}
		}, "The embedded simulator played solver and judge.", "profile judge"},
		{"two-way", func(*Metrics, *record.Manifest) {}, "over 16 tasks and 20 users", "The same users recur"},
		{"users recur, intervals over tasks", func(m *Metrics, man *record.Manifest) {
			m.Intervals, man.Data.SharedUsers = OverClusters, true
		}, "The same users recur across tasks", "20 users"},
		{"profile judge", func(m *Metrics, _ *record.Manifest) { m.Judge = "profile/1" }, "reads no response", "embedded"},
		{"survey", func(m *Metrics, _ *record.Manifest) { m.Cluster = "user" }, "gave to a survey", "The users are simulated"},
		{"few", func(m *Metrics, _ *record.Manifest) { m.Tasks = 4 }, "Intervals rest on 4 tasks. That is too few", "others like these"},
		{"one", func(m *Metrics, _ *record.Manifest) { m.Tasks = 1 }, "With 1 task there are no intervals", "others like these"},
		{"one seed", func(m *Metrics, _ *record.Manifest) { m.Seeds = []int{1} }, "There is one seed", "profile judge"},
		{"folds", func(m *Metrics, _ *record.Manifest) { m.Folds = 4 }, "the 4 folds share training data", "one seed"},
		{"left out", func(m *Metrics, _ *record.Manifest) { m.LeftOut = []string{"pep+x"} }, "left out: pep+x", "one seed"},
		{"built in", func(_ *Metrics, man *record.Manifest) {
			man.Data.Sources = []domains.Source{{Path: "builtin:tasks.yaml"}}
		}, "describe no real person", "one seed"},
		{"exploratory", func(m *Metrics, _ *record.Manifest) {
			m.Comparisons = []Comparison{{}, {}}
		}, "The 2 comparisons are not corrected", "Only the"},
		{"a family", func(m *Metrics, _ *record.Manifest) {
			in := difference{Test: &test{Family: 1}}
			m.Reference, m.Comparisons = "static", []Comparison{{difference: in}, {}, {difference: difference{Test: &test{}}}}
			m.Strategies = []Row{{Strategy: record.Strategy{Kind: "none"}, Difference: &in, Alignment: []alignment{{}}}}
		}, "Only the 1 comparison with static in final alignment is corrected for their number. The other 2 are exploratory", "are not corrected"},
		{"undertrained", func(m *Metrics, _ *record.Manifest) {
			m.Strategies = []Row{{Strategy: record.Strategy{Name: "rl+x", Base: "rl", Kind: kindRL, Policy: &record.Policy{Trainings: []record.TrainingSummary{{Undertrained: true}}}}, Alignment: []alignment{{}}}}
		}, "undertrained", "one seed"},
		{"failed", func(m *Metrics, _ *record.Manifest) {
			m.Strategies = []Row{{finalFailures: 3, Alignment: []alignment{{}}}}
		}, "Left out because they failed: 3 sessions.", "one seed"},
	} {
		m, man := base()
		test.change(m, man)
		got := strings.Join(pageLimits(m, man), "\n")
		if !strings.Contains(got, test.want) || strings.Contains(got, test.not) {
			t.Errorf("%s: want %q and not %q in\n%s", test.reason, test.want, test.not, got)
		}
	}
}

func TestSortKey(t *testing.T) {
	for _, test := range []struct{ value, want, reason string }{
		{"62.9", "62.9", "a number"},
		{"+1.3", "1.3", "a difference"},
		{"-0.05", "-0.05", "below zero"},
		{"12.3k", "12300", "shortened"},
		{"1.5M", "1500000", "shortened more"},
		{"18,084", "18084", "in groups of digits"},
		{"$0.12", "0.12", "money"},
		{"100 / 0", "100", "the first of two"},
		{">10", "10", "an open end"},
		{".056", "0.056", "a p-value"},
		{"<.001", "0.001", "a tiny one"},
		{dash, "", "nothing"},
		{"reference", "", "a word"},
		{"", "", "empty"},
	} {
		if got := sortKey(test.value); got != test.want {
			t.Errorf("%s: %q sorts by %q, want %q", test.reason, test.value, got, test.want)
		}
	}
}

// TestPageColours: text is told from its ground (WCAG 2.1: contrast of 4.5 or more), by
// day and by night.
func TestPageColours(t *testing.T) {
	b, err := pageSources.ReadFile("page/report.css")
	if err != nil {
		t.Fatal(err)
	}
	roots := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllSubmatch(b, -1)
	if len(roots) != 3 {
		t.Fatalf("%d sets of colours, want those of day, night and paper", len(roots))
	}
	day := map[string]color.NRGBA{}
	for i, root := range roots {
		colours := map[string]color.NRGBA{}
		if i == 2 { // paper changes some of the day's
			for k, v := range day {
				colours[k] = v
			}
		}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6}|[0-9a-f]{3});`).FindAllSubmatch(root[1], -1) {
			hex := string(m[2])
			if len(hex) == 3 {
				hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
			}
			v, err := strconv.ParseUint(hex, 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			colours[string(m[1])] = color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
		}
		if i == 0 {
			day = colours
		}
		for _, ink := range []string{"ink", "quiet", "link"} {
			for _, ground := range []string{"ground", "raised", "warn", "note"} {
				a, b := luminance(colours[ink])+.05, luminance(colours[ground])+.05
				if c := max(a, b) / min(a, b); c < 4.5 {
					t.Errorf("set %d: %s on %s has a contrast of %.2f", i, ink, ground, c)
				}
			}
		}
	}
}

// TestSweepPage: a sweep shows its numbers and leads to the reports of its cells.
func TestSweepPage(t *testing.T) {
	for name, y := range sweepGoldens() {
		s, err := LoadSweep(y.write(t))
		if err != nil {
			t.Fatal(err)
		}
		b, err := sweepPage(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		root := checkPage(t, name, b)
		for _, w := range s.Warnings {
			if !strings.Contains(root.id("warnings").words(), w) {
				t.Errorf("%s: the warning %q is not shown", name, w)
			}
		}
		if n := len(root.rows("grid")); n != len(s.Cells)+1 {
			t.Errorf("%s: %d rows of %d cells", name, n-1, len(s.Cells))
		}
		for _, f := range sweepFigures(s) {
			if root.id("figure-"+f.name) == nil {
				t.Errorf("%s: figure %s is not shown", name, f.name)
			}
		}
		cells := root.id("cells").all("li")
		if len(cells) != len(s.Cells) {
			t.Fatalf("%s: %d cells, want %d", name, len(cells), len(s.Cells))
		}
		for i, c := range s.Cells {
			links := cells[i].all("a")
			switch {
			case c.State == cellDone && (len(links) != 1 || links[0].attr["href"] != "./"+c.Dir+"/report.html"):
				t.Errorf("%s: cell %v leads to %v", name, c.Values, links)
			case c.State != cellDone && (len(links) > 0 || !strings.Contains(cells[i].words(), c.Why)):
				t.Errorf("%s: cell %v without numbers is %q", name, c.Values, cells[i].words())
			}
		}
	}
}

// TestSweepSummary: the sentences hold whatever the numbers are.
func TestSweepSummary(t *testing.T) {
	first, second := 0, 1
	cell := func(v string, state string, a Number, g *difference) GridCell {
		e := Estimate{Value: a, Lo: undefined(), Hi: undefined()}
		return GridCell{Values: []string{v}, At: []int{0}, State: state, Why: "why not", Alignment: e, Gain: g, DevAlignment: undefined()}
	}
	gain := &difference{Estimate: Estimate{Value: 2, Lo: 1, Hi: 3}, Resolved: true}
	for _, test := range []struct {
		reason string
		chosen *int
		cells  []GridCell
		want   []string
		not    string
	}{
		{"chosen", &first, []GridCell{cell("a", cellDone, 50, gain), cell("b", cellDone, 60, nil), cell("c", cellRefused, undefined(), nil)}, []string{
			"2 of 3 cells have numbers, and 1 is not defined. The alignment of pep lies between 50.0 (x = a) and 60.0 (x = b).",
			"The cell with x = a was chosen on dev, where its alignment is the largest; on test it has 50.0.",
			"There pep differs from its static twin by +2.0 [1.0, 3.0] points of alignment, which is resolved",
		}, "cannot tell"},
		{"none chosen", nil, []GridCell{cell("a", cellDone, 50, nil), cell("b", cellDone, 50, nil)}, []string{"No cell was measured on dev"}, "lies between"},
		{"the chosen one is blank", &second, []GridCell{cell("a", cellDone, 50, nil), cell("b", cellFailed, undefined(), nil)}, []string{"1 of 2 cells has a number.", "was chosen on dev and has no number: why not."}, "NaN"},
		{"all blank", &first, []GridCell{cell("a", cellFailed, undefined(), nil)}, []string{"0 of 1 cell have numbers. This sweep cannot tell anything."}, "NaN"},
	} {
		s := &SweepMetrics{Strategy: "pep", Axes: []record.Axis{{Path: "x"}}, Cells: test.cells, Chosen: test.chosen, Cluster: "task"}
		got := strings.Join(s.summary(), "\n")
		for _, w := range test.want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: no %q in\n%s", test.reason, w, got)
			}
		}
		if strings.Contains(got, test.not) {
			t.Errorf("%s: %q in\n%s", test.reason, test.not, got)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	for _, y := range []struct {
		name string
		synth
	}{{"rows=10", synth{tasks: 6, users: 4, seeds: 1, criteria: 8, budget: 5, simulated: true}}} {
		b.Run(y.name, func(b *testing.B) {
			r := load(b, y.write(b))
			m := Compute(r)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := runPage(m, &r.Manifest, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
