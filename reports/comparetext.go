package reports

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A sheet is a table that is written as text and as Markdown.
type sheet struct {
	head  []string
	words int  // columns of words, at the left
	tail  bool // the last column is one of words, too
	rows  [][]string
	rules []int // rows before which text has a line
}

// text lays a sheet out in at most width columns, by taking the middle out of the words of the first ones.
func (s *sheet) text(width int) string {
	all := append([][]string{s.head}, s.rows...)
	size := widths(all)
	rest := 2 * (len(s.head) - 1)
	for _, n := range size[s.words:] {
		rest += n
	}
	if s.tail { // it may go on past the width, rather than that names are cut for it
		last := size[len(size)-1]
		rest -= max(0, last-40)
	}
	for i := range s.words { // the widest first, as long as there is too much
		over := rest - width
		for _, n := range size[:s.words] {
			over += n
		}
		if over <= 0 {
			break
		}
		widest := slices.Index(size[:s.words], slices.Max(size[:s.words]))
		if i == s.words-1 || size[widest]-over >= 8 {
			size[widest] = max(size[widest]-over, 8)
			break
		}
		size[widest] = max(width/(s.words+1), 8)
	}
	var b strings.Builder
	total := rest
	for _, n := range size[:s.words] {
		total += n
	}
	for i, row := range all {
		if i == 1 || slices.Contains(s.rules, i-1) {
			b.WriteString(strings.Repeat("-", min(total, width)) + "\n")
		}
		var line strings.Builder
		for j, cell := range row {
			if j > 0 {
				line.WriteString("  ")
			}
			if j < s.words || s.tail && j == len(row)-1 {
				line.WriteString(pad(elide(cell, size[j]), -size[j]))
			} else {
				line.WriteString(pad(cell, size[j]))
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// inMarkdown escapes what Markdown or HTML would read as markup.
func inMarkdown(s string) string {
	return markdownEscapes.Replace(oneLine(printable(s)))
}

// One pass, so that what stands for a character is not escaped again.
var markdownEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "@", "&#64;",
	"\\", "\\\\", "|", "\\|", "~", "\\~", "*", "\\*", "_", "\\_", "`", "\\`", "[", "\\[", "]", "\\]", "#", "\\#")

// printable puts the replacement character for what a terminal would obey: names come from
// files that others wrote.
func printable(s string) string { return strings.Map(visible, s) }

func visible(r rune) rune {
	if controls(r) {
		return unicode.ReplacementChar
	}
	return r
}

// controls reports whether r is a control character that breaks or aligns no lines.
func controls(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

func (s *sheet) markdown(b *strings.Builder) {
	line := func(cells []string) {
		out := make([]string, len(cells))
		for i, c := range cells {
			out[i] = inMarkdown(c)
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(out, " | "))
	}
	line(s.head)
	for i := range s.head {
		if i < s.words || s.tail && i == len(s.head)-1 {
			b.WriteString("|:---")
		} else {
			b.WriteString("|---:")
		}
	}
	b.WriteString("|\n")
	for _, r := range s.rows {
		line(r)
	}
}

// Text is what the command prints, in lines of at most width columns (but for tables
// that cannot be made so narrow).
func (c *RunComparison) Text(width int) string {
	var b strings.Builder
	put := func(s string) {
		if s != "" {
			b.WriteString(fold(s, width))
		}
	}
	put("base: " + c.base.about())
	put("run:  " + c.run.about())
	put(c.notice())
	b.WriteString("\n")
	s := c.settings()
	if len(s.rows) == 0 {
		put("Configuration, code, data and models are the same.")
	}
	const room = 45 // of a value in the table; longer ones get lines of their own
	long := func(r []string) bool {
		return utf8.RuneCountInString(r[1]) > room || utf8.RuneCountInString(r[2]) > room
	}
	short := &sheet{head: s.head, words: s.words, rows: slices.DeleteFunc(slices.Clone(s.rows), long)}
	if len(short.rows) > 0 {
		b.WriteString(short.text(width))
	}
	for _, r := range s.rows {
		if long(r) {
			put(r[0])
			fmt.Fprintf(&b, "  base: %s\n  run:  %s\n", r[1], r[2])
		}
	}
	b.WriteString("\n")
	table, same := c.table()
	if len(table.rows) > 0 {
		b.WriteString(table.text(width))
		put(c.legend())
	}
	for _, s := range same {
		put(s)
	}
	if c.gate != nil {
		b.WriteString("\n")
		put(c.outcome())
		if s := c.failing(); len(s.rows) > 0 {
			b.WriteString(s.text(width))
			put(c.bounds())
		}
		put(c.untestedWords())
	}
	return printable(b.String())
}

func (s *side) about() string {
	what := "run"
	if s.kept {
		what = "baseline"
	}
	return fmt.Sprintf("%s (%s %s, %d sessions on %s %s)", s.dir, what, s.manifest.Name, s.sessions(), s.manifest.Data.Name, s.manifest.Data.Version)
}

// notice says where a simulator took part.
func (c *RunComparison) notice() string {
	roles := simulated(c.base.manifest.Endpoints)
	for _, r := range simulated(c.run.manifest.Endpoints) {
		if !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	if len(roles) == 0 {
		return ""
	}
	return capital(series(roles)) + ": embedded simulator, not a language model."
}

func (c *RunComparison) settings() *sheet {
	s := &sheet{head: []string{"differs", "base", "run"}, words: 3}
	for _, d := range c.differs {
		s.rows = append(s.rows, []string{d.what, d.base, d.run})
	}
	return s
}

// level is the chance of a difference that is none up to which it counts as told.
func (c *RunComparison) level() float64 {
	if c.gate != nil {
		return c.gate.alpha
	}
	return rounded(1 - c.base.manifest.Report.Confidence)
}

// table lists what changed, and says in lines what did not.
func (c *RunComparison) table() (*sheet, []string) {
	s := &sheet{head: []string{"strategy", "measure", "base", "run", "delta", fmt.Sprintf("%g%% interval", 100*c.base.manifest.Report.Confidence), "p", "", "pairs", c.clusterWord() + "s"}, words: 2}
	var lines, alike []string
	for i := range c.rows {
		r := &c.rows[i]
		begin, name := len(s.rows), r.name
		var equal []string
		for k := range r.measures {
			d := &r.measures[k]
			switch {
			case d.none() || d.key == toTargetMeasure.key && d.why != "" && math.IsInf(d.base, 1) && math.IsInf(d.run, 1):
				continue
			case d.equal:
				equal = append(equal, d.label)
				continue
			}
			s.rows = append(s.rows, append([]string{name, d.label}, c.cells(d)...))
			name = ""
		}
		switch {
		case r.pairs == 0:
			lines = append(lines, fmt.Sprintf("%s: no session is in both runs.", r.name))
		case len(s.rows) == begin:
			alike = append(alike, r.name)
		case len(equal) > 0:
			lines = append(lines, fmt.Sprintf("%s: identical in %s.", r.name, series(equal)))
		}
		if len(s.rows) > begin && begin > 0 {
			s.rules = append(s.rules, begin)
		}
	}
	if len(alike) > 0 {
		lines = append(lines, fmt.Sprintf("Identical in every measure and pair: %s.", series(alike)))
	}
	switch {
	case c.identical && len(alike) == len(c.rows):
		lines = append(lines, "The sessions are the same bytes.")
	case c.identical:
		lines = append(lines, "The sessions are the same bytes, measured otherwise.")
	}
	for i, of := range []string{"base", "run"} {
		if len(c.alone[i]) > 0 {
			lines = append(lines, fmt.Sprintf("In the %s alone, and not compared: %s.", of, series(c.alone[i])))
		}
	}
	for _, r := range c.rows {
		if r.pairs > 0 && r.missing+r.extra > 0 {
			line := fmt.Sprintf("%s: %d pairs; without a counterpart: %d sessions of the base, %d of the run", r.name, r.pairs, r.missing, r.extra)
			if r.failed != "" {
				line += " (" + r.failed + ")"
			}
			lines = append(lines, line+".")
		}
	}
	return s, lines
}

// cells are those of a difference, after strategy and measure.
func (c *RunComparison) cells(d *runDelta) []string {
	format := fmt.Sprintf("%%+.%df", d.places)
	delta, iv, p := dash, dash, dash
	if !math.IsNaN(d.delta) {
		delta = num(Number(d.delta), format)
	}
	if !math.IsNaN(d.lo) && !math.IsNaN(d.hi) {
		iv = "[" + num(Number(d.lo), format) + ", " + num(Number(d.hi), format) + "]"
	}
	switch {
	case d.certain:
		p = "certain"
	case d.gated && !math.IsNaN(d.holm):
		p = pValue(d.holm)
	case !math.IsNaN(d.p):
		if p = pValue(d.p); c.gate != nil {
			p = "(" + p + ")"
		}
	}
	n := fmt.Sprint(d.n)
	if d.lost > 0 {
		n += fmt.Sprintf(" (-%d)", d.lost)
	}
	if d.gained > 0 {
		n += fmt.Sprintf(" (+%d)", d.gained)
	}
	base, run := d.show(d.base), d.show(d.run)
	if d.key == toTargetMeasure.key {
		if math.IsInf(d.base, 1) {
			base = "never"
		}
		if math.IsInf(d.run, 1) {
			run = "never"
		}
	}
	return []string{base, run, delta, iv, p, d.verdict(c.level()), n, fmt.Sprint(d.defined)}
}

func pValue(p float64) string {
	if p < .001 {
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

// legend says what the table holds.
func (c *RunComparison) legend() string {
	word, over := c.clusterWord(), c.clusterWord()+"s"
	if c.twoWay {
		over = "tasks and users"
	}
	s := fmt.Sprintf("delta: run minus base, mean of %s means over the sessions that both have; interval: bootstrap over %s. ", word, over)
	switch {
	case c.clusters < fewClusters:
		s += fmt.Sprintf("No p-values with %d %s. ", c.clusters, plural(c.clusters, word))
	case c.gate == nil:
		s += fmt.Sprintf("p: %s over %ss, exploratory: not corrected for the number of lines. ", c.method(), word)
	case c.family > 0:
		s += fmt.Sprintf("p: %s over %ss, Holm over the %d that the gate names; in parentheses: exploratory, not corrected. ", c.method(), word, c.family)
	default:
		s += fmt.Sprintf("p: %s over %ss, in parentheses: exploratory, not corrected. ", c.method(), word)
	}
	s += fmt.Sprintf("~: p of %g or more, or an interval with 0 in it. ", c.level())
	var lost, gained, never bool
	for _, r := range c.rows {
		for _, d := range r.measures {
			lost, gained = lost || d.lost > 0 && d.n > 0, gained || d.gained > 0 && d.n > 0
			never = never || d.key == toTargetMeasure.key && !d.equal
		}
	}
	if lost || gained {
		s += "pairs (-n, +n): so many more have a value in the base alone, in the run alone. "
	}
	if never {
		s += fmt.Sprintf("Questions to target: to the final alignment of %s in the base; by its interval, without p. ", c.target)
	}
	return strings.TrimSpace(s)
}

// method words how p-values are made.
func (c *RunComparison) method() string {
	var of []string
	for _, r := range c.rows {
		for _, d := range r.measures {
			word := map[string]string{BySignFlip: "sign-flip test", ByT: "t test"}[d.method]
			if word != "" && !slices.Contains(of, word) {
				of = append(of, word)
			}
		}
	}
	slices.Sort(of)
	return "two-sided " + strings.Join(of, " or ")
}

// failing is the table of the lines that do not pass.
func (c *RunComparison) failing() *sheet {
	s := &sheet{head: []string{"gate", "strategy", "measure", "allowed", "worse by", "at most", "finding"}, words: 4, tail: true}
	for _, status := range []string{lineFail, lineUnsettled} {
		for i := range c.lines {
			l := &c.lines[i]
			if l.status != status {
				continue
			}
			row := []string{c.mark(l), l.strategy, l.label(), l.demand, "", "", l.found(c.gate.alpha)}
			if d := l.measure; d != nil {
				row[4], row[5] = d.show(l.worse), d.show(l.most)
			}
			s.rows = append(s.rows, row)
		}
	}
	return s
}

// untestedWords says what is no line of the gate, though it names the measure.
func (c *RunComparison) untestedWords() string {
	if len(c.untested) == 0 {
		return ""
	}
	return fmt.Sprintf("Not gated, since the base has no value: %s.", strings.Join(c.untested, "; "))
}

// bounds says what the table of the gate holds.
func (c *RunComparison) bounds() string {
	g := c.gate
	s := fmt.Sprintf("at most: with %g%% confidence, one-sided. A line passes where that is within what is allowed, fails where the mean is worse by more (by Holm over the gate), and cannot be told between the two. ", 100*(1-g.alpha))
	return s + fmt.Sprintf("Needed: to pass a run that is no worse, or near the bound to tell this change from it, with power %g.", g.power)
}

// mark is the first word of a line of the gate.
func (c *RunComparison) mark(l *gateLine) string {
	switch {
	case l.failed(c.gate):
		return "FAIL"
	case l.status == lineUnsettled && c.gate.unsettled == gateWarn:
		return "WARN"
	}
	return "PASS"
}

// outcome says in a line how the gate came out.
func (c *RunComparison) outcome() string {
	var pass, same, fail, open int
	for i := range c.lines {
		l := &c.lines[i]
		switch {
		case l.status == linePass:
			pass++
			if l.same {
				same++
			}
		case l.status == lineFail:
			fail++
		default:
			open++
		}
	}
	word := "passed"
	if c.Err() != nil {
		word = "FAILED"
	}
	s := fmt.Sprintf("gate %s: %s. Of %d lines %d pass", c.gate.File, word, len(c.lines), pass)
	if same > 0 {
		s += fmt.Sprintf(" (%d of them since nothing changed)", same)
	}
	s += fmt.Sprintf(", %d fail, %d cannot be told", fail, open)
	if open > 0 {
		s += fmt.Sprintf(" (cannot_tell: %s)", c.gate.unsettled)
	}
	return s + "."
}

// Markdown is a summary for a comment on a change: the verdict first, then what failed,
// what changed, what differs, and how to make it again.
func (c *RunComparison) Markdown() []byte {
	var b strings.Builder
	switch {
	case c.gate == nil:
		b.WriteString("### pepbench: what changed\n\n")
	case c.Err() != nil:
		b.WriteString("### pepbench: the regression gate FAILED\n\n")
	default:
		b.WriteString("### pepbench: the regression gate passed\n\n")
	}
	para := func(s string) {
		if s != "" {
			b.WriteString(inMarkdown(s) + "\n\n")
		}
	}
	if c.gate != nil {
		para(c.outcome())
		if s := c.failing(); len(s.rows) > 0 {
			s.markdown(&b)
			b.WriteString("\n")
			para(c.bounds())
		}
		para(c.untestedWords())
	}
	para("Base " + c.base.about() + ", run " + c.run.about() + ". " + c.notice())
	for _, w := range c.Warnings {
		b.WriteString("- Warning: " + inMarkdown(w) + "\n")
	}
	if len(c.Warnings) > 0 {
		b.WriteString("\n")
	}
	table, lines := c.table()
	if len(table.rows) > 0 {
		fmt.Fprintf(&b, "<details><summary>Differences (%d)</summary>\n\n", len(table.rows))
		last := ""
		for _, r := range table.rows { // every line is to be read by itself
			if r[0] == "" {
				r[0] = last
			}
			last = r[0]
		}
		table.markdown(&b)
		b.WriteString("\n")
		para(c.legend())
		b.WriteString("</details>\n\n")
	}
	for _, s := range lines {
		b.WriteString("- " + inMarkdown(s) + "\n")
	}
	if len(lines) > 0 {
		b.WriteString("\n")
	}
	if s := c.settings(); len(s.rows) > 0 {
		fmt.Fprintf(&b, "<details><summary>What differs between the runs (%d)</summary>\n\n", len(s.rows))
		s.markdown(&b)
		b.WriteString("\n</details>\n\n")
	} else {
		para("Configuration, code, data and models are the same.")
	}
	command := "pepbench compare " + shellWord(c.base.dir) + " " + shellWord(c.run.dir)
	if c.gate != nil {
		command += " --gate " + shellWord(c.gate.File)
	}
	fence := "```"
	for strings.Contains(command, fence) {
		fence += "`"
	}
	fmt.Fprintf(&b, "To make it again:\n\n%s\n%s\n%s\n", fence, command, fence)
	return []byte(b.String())
}

// shellWord quotes what a shell would read otherwise.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/+:=@%-") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// The elements of JUnit XML that GitHub actions, GitLab and Jenkins read.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitFailure `xml:"failure"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit is the gate as JUnit XML: a test case for every line, which no line is skipped
// of. It needs a gate.
func (c *RunComparison) JUnit() ([]byte, error) {
	if c.gate == nil {
		return nil, fmt.Errorf("reports: a comparison without a gate has no JUnit file")
	}
	suite := junitSuite{Name: "pepbench gate", Tests: len(c.lines), Properties: []junitProperty{
		{"gate", c.gate.File},
		{"base", c.base.about()},
		{"base code", c.base.manifest.Code.Version},
		{"run", c.run.about()},
		{"run code", c.run.manifest.Code.Version},
		{"simulated", or(c.notice())},
	}}
	for i := range c.lines {
		l := &c.lines[i]
		t := junitCase{Class: "pepbench." + l.strategy, Name: l.label() + ": " + l.demand}
		if l.failed(c.gate) {
			suite.Failures++
			t.Failure = &junitFailure{Message: l.sentence(), Type: l.status, Text: l.sentence()}
		} else {
			t.Out = c.mark(l) + " " + l.sentence()
		}
		suite.Cases = append(suite.Cases, t)
	}
	all := junitSuites{Name: "pepbench", Tests: suite.Tests, Failures: suite.Failures, Suites: []junitSuite{suite}}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", " ")
	if err := e.Encode(&all); err != nil {
		return nil, err
	}
	b.WriteString("\n")
	return b.Bytes(), nil
}
