package reports

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"pepbench/bench/record"
	"pepbench/domains"
)

// WritePaper reads finished runs and writes, into the folder out, the claims of the paper
// beside theirs: paper.pdf, which can be printed, paper.md, and tables/claims.{md,csv,tex},
// each whole or not at all. The folder of a sweep stands for its cells, but for those that
// are not defined. Equal runs give equal bytes; in paper.md, as long as the runs lie in the
// same place beside it. A run that is not finished or not reported, and what cannot be
// read, is an error that wraps domains.ErrData.
func WritePaper(out string, from ...string) (*Summary, error) {
	c, err := readPaper(from)
	if err != nil {
		return nil, err
	}
	table := claimsTable(c)
	files, err := table.files(claimsCSV(c))
	if err != nil {
		return nil, err
	}
	md, err := c.markdown(out, table)
	if err != nil {
		return nil, err
	}
	pdf, err := pagesPDF(c.pages(table))
	if err != nil {
		return nil, err
	}
	files = append(files, File{"paper.md", md}, File{"paper.pdf", pdf})
	s := &Summary{Text: printable(c.terminal(table, 120))}
	for _, r := range c.runs {
		if w := r.undertrained(); w != "" {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s: the RL policy is %s", r.label, w))
		}
	}
	if c.noMean != "" {
		s.Warnings = append(s.Warnings, strings.TrimSuffix(c.noMean, "."))
	}
	return s, s.put(out, files)
}

// A paperSource is a run that the report is to have.
type paperSource struct {
	dir, want string
	cell      string // values of the cell of a sweep; empty: a single run
}

// readPaper reads the runs, in the order given.
func readPaper(from []string) (*claimsReport, error) {
	var list []paperSource
	var blank []string
	for _, dir := range from {
		if _, err := os.Stat(filepath.Join(dir, record.SweepFile)); err != nil {
			list = append(list, paperSource{dir: dir})
			continue
		}
		sw, err := record.ReadSweep(dir)
		if err != nil {
			return nil, err
		}
		for i := range sw.Cells {
			cell := &sw.Cells[i]
			labels := strings.Join(sw.Labels(cell), ", ")
			if cell.Refused != "" {
				blank = append(blank, fmt.Sprintf("Left out, since it is not defined: %s (%s).", labels, cell.Refused))
				continue
			}
			want := cell.Row
			if want == "" {
				want = sw.Strategy
			}
			list = append(list, paperSource{filepath.Join(dir, filepath.FromSlash(cell.Dir)), want, labels})
		}
	}
	if len(list) == 0 {
		return nil, &domains.DataError{File: strings.Join(from, ", "), What: "no run to report", Mend: "give the folders of finished runs or sweeps"}
	}
	var runs []*shownRun
	seen := map[string]bool{}
	for i, s := range list {
		at := filepath.Clean(s.dir)
		if seen[at] {
			return nil, &domains.DataError{File: s.dir, What: "the same run twice", Mend: "name it once"}
		}
		seen[at] = true
		r, err := readShownRun(s.dir, s.want, i)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	label(runs, list)
	c := newClaims(runs)
	c.blank = blank
	return c, nil
}

// label names every run apart: by its data; where several are on the same data by those
// and the cell of the sweep or the name of the run; in the end by number.
func label(runs []*shownRun, list []paperSource) {
	count := func(names []string) map[string]int {
		n := map[string]int{}
		for _, s := range names {
			n[s]++
		}
		return n
	}
	names := make([]string, len(runs))
	for i, r := range runs {
		names[i] = r.metrics.Data.Name
		if names[i] == "" {
			names[i] = r.metrics.Name
		}
	}
	n := count(names)
	for i, r := range runs {
		if n[names[i]] > 1 {
			more := list[i].cell
			if more == "" {
				more = r.metrics.Name
			}
			names[i] += " (" + more + ")"
		}
	}
	n = count(names)
	for i, r := range runs {
		if n[names[i]] > 1 {
			names[i] += fmt.Sprintf(" #%d", i+1)
		}
		r.label = names[i]
	}
}

// finished reads metrics.json of a run, which is there once it is run and reported.
func finished(dir string) (*Metrics, error) {
	if _, err := os.Stat(filepath.Join(dir, record.ManifestFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, &domains.DataError{File: dir, What: "holds neither a run nor a sweep that was finished", Mend: "give the folder that pepbench run named, or run the experiment first"}
	}
	m, err := readMetrics(dir)
	if d := (*domains.DataError)(nil); errors.As(err, &d) {
		return nil, &domains.DataError{File: dir, What: d.What, Mend: mendRun, Err: d.Err}
	}
	return m, err
}

const mendRun = "run the experiment again, which resumes, or pepbench report on the folder"

func unfinishedError(dir, what string) error {
	return &domains.DataError{File: dir, What: what, Mend: mendRun}
}

// unfinished says how a run and its metrics.json do not go together, or nothing.
func (c *computer) unfinished(m *Metrics) string {
	switch o := c.out; {
	case o.Sessions.Read < o.Sessions.Planned:
		return fmt.Sprintf("the run is not finished: %d of %d sessions are there", o.Sessions.Read, o.Sessions.Planned)
	case m.ConfigHash != o.ConfigHash:
		return record.MetricsFile + " is of another configuration than " + record.ManifestFile
	case m.Sessions.Read != o.Sessions.Read:
		return fmt.Sprintf("%s is of %d sessions, and %d are there", record.MetricsFile, m.Sessions.Read, o.Sessions.Read)
	}
	return ""
}

// about says what was run, one line a fact.
func (r *shownRun) about() (out []string) {
	m := r.manifest
	add := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	add("Run %s on %s; %d sessions, at most %d %s.", m.Name, describe(r.metrics), r.metrics.Sessions.Read, m.Budget, plural(m.Budget, "question"))
	add("Users: %s. Solver: %s. Judge: %s.", m.Users, m.Solver, m.Judge)
	if n := notice(r.metrics); n != "" {
		add("%s", n)
	}
	add("Configuration %s. Program %s, %s, %s.", short12(m.ConfigHash), m.Code.Version, m.Code.Go, m.Code.Platform)
	if w := r.policyWords(); w != "" {
		add("RL policy: %s.", w)
	}
	if w := r.undertrained(); w != "" {
		add("RL policy %s.", w)
	}
	return out
}

// short12 is the beginning of a hash, by which it is told from others.
func short12(s string) string { return s[:min(len(s), 12)] }

const paperTitle = "Cold-start preference elicitation: pep and RL"

// markdown is paper.md: the claims, and where the tables and figures of every run are.
func (c *claimsReport) markdown(out string, table *grid) ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n## Claims\n\n%s\n", paperTitle, table.markdown())
	for _, r := range c.runs {
		fmt.Fprintf(&b, "## %s\n\n", r.label)
		for _, l := range r.about() {
			fmt.Fprintf(&b, "* %s\n", strings.NewReplacer("*", "\\*", "_", "\\_", "<", "&lt;").Replace(l))
		}
		to, err := linkTo(out, r.dir)
		if err != nil {
			return nil, err
		}
		for _, of := range []struct{ what, folder, ext string }{{"Tables", "tables", ".md"}, {"Figures", "figures", ".png"}} {
			entries, err := os.ReadDir(filepath.Join(r.dir, of.folder))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, &domains.DataError{File: filepath.Join(r.dir, of.folder), What: "cannot be read", Err: bare(err)}
			}
			var links []string
			for _, e := range entries {
				if name, ok := strings.CutSuffix(e.Name(), of.ext); ok {
					links = append(links, fmt.Sprintf("[%s](<%s/%s/%s>)", name, to, of.folder, e.Name()))
				}
			}
			if links != nil {
				fmt.Fprintf(&b, "\n%s: %s.\n", of.what, strings.Join(links, ", "))
			}
		}
		b.WriteString("\n")
	}
	return []byte(strings.TrimSpace(b.String()) + "\n"), nil
}

// linkTo is the way from the folder out to dir, with slashes.
func linkTo(out, dir string) (string, error) {
	from, err := filepath.Abs(out)
	if err != nil {
		return "", err
	}
	to, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if rel, err := filepath.Rel(from, to); err == nil {
		to = rel
	}
	return filepath.ToSlash(to), nil
}

// terminal writes the claims in at most width columns: the numbers, if need be without
// those of single runs, and below each line, where it does not fit, its verdict.
func (c *claimsReport) terminal(g *grid, width int) string {
	var lines [][]string
	var verdicts []string
	verdict := slices.Index(g.head, verdictHead)
	total := func() int {
		n := -2
		for _, w := range widths(lines) {
			n += 2 + w
		}
		return n
	}
	collect := func(keep func(i int) bool) {
		lines, verdicts = nil, nil
		head := []string{}
		for i, h := range g.head[:verdict] {
			if keep(i) {
				head = append(head, h)
			}
		}
		lines = append(lines, head)
		for _, row := range g.groups[0] {
			var l []string
			for i := range g.head[:verdict] {
				if keep(i) {
					l = append(l, row[i].value)
				}
			}
			lines, verdicts = append(lines, l), append(verdicts, row[verdict].value)
		}
	}
	note := ""
	if collect(func(int) bool { return true }); total() > width {
		n := g.words()
		collect(func(i int) bool { return i < n || g.head[i] == meanHead && i == verdict-1 })
		note = "by run: tables/claims.md\n"
	}
	size := widths(lines)
	var b strings.Builder
	for i, l := range lines {
		var line strings.Builder
		for j, s := range l {
			switch {
			case j == 0:
				line.WriteString(pad(s, -size[j]))
			case j < g.words():
				line.WriteString("  " + pad(s, -size[j]))
			default:
				line.WriteString("  " + pad(s, size[j]))
			}
		}
		text := verdictHead
		if i > 0 {
			text = verdicts[i-1]
		}
		if utf8.RuneCountInString(line.String())+2+utf8.RuneCountInString(text) <= width {
			b.WriteString(line.String() + "  " + text + "\n")
		} else {
			b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
			for l := range strings.Lines(fold(text, width-4)) {
				b.WriteString("    " + l)
			}
		}
		if i == 0 {
			b.WriteString(strings.Repeat("-", min(total()+2+len(verdictHead), width)) + "\n")
		}
	}
	says := c.rowsShown()
	for _, r := range c.because() {
		if strings.HasPrefix(r.text, "RL policy") {
			says += " " + r.text + "."
		}
	}
	return b.String() + note + fold(says, width)
}
