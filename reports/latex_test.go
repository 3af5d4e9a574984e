package reports

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"pepbench/bench/record"
	"pepbench/domains"
)

// A texReader checks a LaTeX file without LaTeX.
type texReader struct {
	text   string
	at     int
	open   []texScope
	faults []string
}

// texScope is an environment, a brace or a formula that is not closed yet.
type texScope struct {
	what    string // name of the environment, { or $
	columns int    // of a tabular
	cells   int    // so far in its row; -1: the row is empty
}

func (r *texReader) fault(format string, a ...any) {
	line := 1 + strings.Count(r.text[:min(r.at, len(r.text))], "\n")
	r.faults = append(r.faults, fmt.Sprintf("line %d: ", line)+fmt.Sprintf(format, a...))
}

// braced reads an argument, whose brace is next.
func (r *texReader) braced() string {
	rest := r.text[r.at:]
	if !strings.HasPrefix(rest, "{") {
		r.fault("an argument is missing")
		return ""
	}
	depth := 0
	for i, c := range rest {
		switch c {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				r.at += i + 1
				return rest[1:i]
			}
		}
	}
	r.fault("a brace is not closed")
	r.at = len(r.text)
	return ""
}

// inside reports whether the innermost scope, but for braces, is that.
func (r *texReader) inside(what string) bool {
	for i := len(r.open) - 1; i >= 0; i-- {
		if r.open[i].what != "{" {
			return r.open[i].what == what
		}
	}
	return false
}

// row ends a row of the tabular that is the innermost scope, if one is.
func (r *texReader) row() {
	if len(r.open) == 0 || r.open[len(r.open)-1].what != "tabular" {
		return
	}
	t := &r.open[len(r.open)-1]
	if n := t.cells + 1; t.cells >= 0 && n != t.columns {
		r.fault("%d cells in a row of %d columns", n, t.columns)
	}
	t.cells = -1
}

func (r *texReader) closes(what string) {
	n := len(r.open) - 1
	if n < 0 || r.open[n].what != what {
		r.fault("%s is closed, and was not opened", what)
		return
	}
	r.open = r.open[:n]
}

// texFaults lists what LaTeX would stumble over, or take for something else: environments
// and braces that do not match, rows of other than as many cells as columns, characters
// that are special and not escaped, and letters that pdfLaTeX has not.
func texFaults(text string) []string {
	r := &texReader{text: text}
	for r.at < len(text) {
		rest := text[r.at:]
		c := []rune(rest[:min(4, len(rest))])[0]
		if n := len(r.open) - 1; n >= 0 && r.open[n].what == "tabular" && r.open[n].cells < 0 && !unicode.IsSpace(c) && c != '\\' && c != '%' {
			r.open[n].cells = 0
		}
		switch {
		case strings.HasPrefix(rest, `\providecommand`):
			_, line, _ := strings.Cut(rest, "\n")
			r.at = len(text) - len(line)
		case strings.HasPrefix(rest, `\begin`), strings.HasPrefix(rest, `\end`):
			begins := strings.HasPrefix(rest, `\begin`)
			r.at += strings.IndexByte(rest, '{')
			name := r.braced()
			if !begins {
				if name == "tabular" {
					r.row()
				}
				r.closes(name)
				continue
			}
			if n := len(r.open) - 1; n >= 0 && r.open[n].what == "tabular" { // within a cell
				r.open[n].cells = max(r.open[n].cells, 0)
			}
			s := texScope{what: name, cells: -1}
			if name == "tabular" {
				if strings.HasPrefix(text[r.at:], "[") {
					r.at += strings.IndexByte(text[r.at:], ']') + 1
				}
				for _, c := range strings.ReplaceAll(r.braced(), "@{}", "") {
					if !strings.ContainsRune("lrc", c) {
						r.fault("a column %q", c)
					}
					s.columns++
				}
			}
			r.open = append(r.open, s)
		case strings.HasPrefix(rest, `\\`):
			r.at += 2
			if strings.HasPrefix(text[r.at:], "*") || strings.HasPrefix(text[r.at:], "\n*") || strings.HasPrefix(text[r.at:], "\n[") {
				r.fault(`* or [ after \\, which takes it for its own`)
			}
			r.row()
		case strings.HasPrefix(rest, `\ifdim`): // compares two lengths
			r.at += strings.Index(rest, `\fi}`) + len(`\fi`)
		case strings.HasPrefix(rest, `\anyfont{`):
			r.at += len(`\anyfont`)
			r.braced()
		case c == '\\':
			word := regexp.MustCompile(`^\\([a-zA-Z]+|.)`).FindString(rest)
			if n := len(r.open) - 1; n >= 0 && r.open[n].what == "tabular" && r.open[n].cells < 0 && !slices.Contains([]string{`\toprule`, `\midrule`, `\bottomrule`, `\addlinespace`}, word) {
				r.open[n].cells = 0
			}
			r.at += max(len(word), 1)
		case c == '%':
			if line, _, _ := strings.Cut(rest[1:], "\n"); line != "" && r.at > 0 && text[r.at-1] != '\n' {
				r.fault("%% in the middle of a line, whose rest is lost")
			}
			_, line, _ := strings.Cut(rest, "\n")
			r.at = len(text) - len(line)
		default:
			switch c {
			case '{':
				r.open = append(r.open, texScope{what: "{"})
			case '}':
				r.closes("{")
			case '$':
				if r.inside("$") {
					r.closes("$")
				} else {
					r.open = append(r.open, texScope{what: "$"})
				}
			case '&':
				if n := len(r.open) - 1; n >= 0 && r.open[n].what == "tabular" {
					r.open[n].cells++
				} else {
					r.fault("& outside of a table")
				}
			case '_', '^':
				if !r.inside("$") {
					r.fault("%c outside of a formula", c)
				}
			case '#', '~', '"', '|', '<', '>':
				if !r.inside("$") {
					r.fault("%c is not escaped", c)
				}
			}
			if c > unicode.MaxLatin1 || c > '~' && c < 'À' {
				r.fault("pdfLaTeX has no %q", c)
			}
			r.at += len(string(c))
		}
	}
	for _, s := range r.open {
		r.fault("%s is not closed", s.what)
	}
	if strings.Contains(text, "NaN") || regexp.MustCompile(`[^a-z]Inf\b`).MatchString(text) {
		r.fault("a number that is none")
	}
	if strings.Contains(text, `\toprule`) && !strings.Contains(text, "booktabs") {
		r.fault("what it needs is not said")
	}
	return r.faults
}

// TestTexFaults: the check finds each fault, and none in a sound file.
func TestTexFaults(t *testing.T) {
	const sound = `% needs \usepackage{booktabs}
\begin{table*}
\caption{50\% of a\_b \& c, $p < .05$, {[}1, 2{]}}
\begin{tabular}{lrr}
\toprule
Name & \shortstack[r]{One\\two} & Three \\
\midrule
a & $-$1.0$^{*}$ & \begin{tabular}[t]{@{}r@{}}1\\[-1pt]{\scriptsize 2}\end{tabular} \\
\addlinespace
 & & \anyfont{日}\textsuperscript{a} \\
\bottomrule
\end{tabular}
\par a.
\end{table*}
`
	if got := texFaults(sound); got != nil {
		t.Fatalf("a sound file: %q", got)
	}
	for _, row := range []struct{ reason, old, with, want string }{
		{"an environment is not closed", "\\end{table*}\n", "", "table* is not closed"},
		{"another is closed", `\end{table*}`, `\end{table}`, "table is closed, and was not opened"},
		{"a brace is not closed", `2{]}}`, `2{]}`, "closed"},
		{"a brace too many", `2{]}}`, `2{]}}}`, "{ is closed, and was not opened"},
		{"a cell too few", `Name & `, ``, "2 cells in a row of 3 columns"},
		{"a cell too many", ` & & `, ` & & & `, "4 cells in a row of 3 columns"},
		{"a cell too few in the last row", " & & \\anyfont{日}\\textsuperscript{a} \\\\\n\\bottomrule\n", " & a\n", "2 cells in a row of 3 columns"},
		{"a percent sign", `50\%`, `50%`, "% in the middle of a line"},
		{"an underscore", `a\_b`, `a_b`, "_ outside of a formula"},
		{"an ampersand", `b \& c`, `b & c`, "& outside of a table"},
		{"a hash", `50\%`, `50#`, "# is not escaped"},
		{"a tilde", `50\%`, `50~`, "~ is not escaped"},
		{"a caret", `50\%`, `50^`, "^ outside of a formula"},
		{"a dollar", `50\%`, `50$`, "closed"},
		{"a bar, which would be a dash", `50\%`, `50|`, "| is not escaped"},
		{"a letter that the fonts have not", `\anyfont{日}`, `日`, `pdfLaTeX has no '日'`},
		{"a control character", `50\%`, "50\u0085", `pdfLaTeX has no '\u0085'`},
		{"a star after a row", "\\addlinespace\n & &", "* & &", `* or [ after \\`},
		{"a bracket after a row", "\\addlinespace\n & &", "[ & &", `* or [ after \\`},
		{"a number that is none", `50\%`, "NaN", "a number that is none"},
		{"another kind of column", `{lrr}`, `{lrX}`, "a column 'X'"},
		{"nothing says what it needs", `% needs \usepackage{booktabs}`, `%`, "what it needs is not said"},
	} {
		if !strings.Contains(sound, row.old) {
			t.Fatalf("%s: no %q", row.reason, row.old)
		}
		got := strings.Join(texFaults(strings.Replace(sound, row.old, row.with, 1)), "; ")
		if !strings.Contains(got, row.want) {
			t.Errorf("%s: %q, want %q", row.reason, got, row.want)
		}
	}
}

// nasty is what names may hold: all that LaTeX takes for its own, and letters of other
// scripts.
const nasty = ` 50%_&#~^$\{}[*]|é日λ<">'` + "`--"

// nastyNames renames everything that has a name.
func nastyNames(m *record.Manifest, all *[]record.Session) {
	m.Name, m.Data.Name, m.Data.Version = m.Name+nasty, "["+nasty, "*"+nasty
	m.Solver, m.Judge, m.Users = m.Solver+nasty, m.Judge+nasty, m.Users+nasty
	m.Warnings = []string{nasty}
	name := func(s string) string {
		base, predict, ok := strings.Cut(s, "+")
		if !ok {
			return s
		}
		return "*" + base + nasty + "+" + predict
	}
	for i := range m.Strategies {
		s := &m.Strategies[i]
		s.Name = name(s.Name)
		if s.Predict != "answers" {
			s.Predict += nasty
		}
		if p := s.Policy; p != nil {
			p.Model += nasty
			p.Method += nasty
		}
	}
	for i := range m.Data.TestTasks {
		m.Data.TestTasks[i] = "[" + m.Data.TestTasks[i] + nasty
	}
	for i := range m.Endpoints {
		m.Endpoints[i].Model += nasty
	}
	m.Report.TargetOf, m.Report.Reference = name(m.Report.TargetOf), name(m.Report.Reference)
	for i := range *all {
		s := &(*all)[i]
		s.Strategy, s.Task = name(s.Strategy), "["+s.Task+nasty
		s.ID = fmt.Sprintf("%s/%d/%s/%s", s.Strategy, s.Seed, s.Task, s.User)
		for j := range s.Calls {
			for k := range s.Calls[j].Unread {
				s.Calls[j].Unread[k] += nasty
			}
		}
		if s.Error != "" {
			s.Error += nasty
		}
		for j := range s.Checkpoints {
			for k := range s.Checkpoints[j].Scores {
				if sc := &s.Checkpoints[j].Scores[k]; sc.Unscored != "" {
					sc.Unscored += nasty
				}
			}
		}
	}
}

// texFiles are the LaTeX files of made-up runs and sweeps, among them every table there is.
func texFiles(t *testing.T) map[string]string {
	out := map[string]string{}
	add := func(run string, files []File) {
		for _, f := range files {
			if filepath.Ext(f.Path) == ".tex" {
				out[run+"-"+filepath.Base(f.Path)] = string(f.Data)
			}
		}
	}
	tables := func(run string, m *Metrics) {
		files, err := Tables(m)
		if err != nil {
			t.Fatal(err)
		}
		add(run, files)
	}
	calls := func(_ *record.Manifest, all *[]record.Session) {
		for i := range *all {
			(*all)[i].Calls = []record.RoleCalls{{Role: "solver", Calls: 3, TokensIn: 1000, TokensOut: 10, Unread: []string{"no level"}}, {Role: "judge", Calls: 5}}
		}
	}
	tables("trained", Compute(load(t, synth{tasks: 11, users: 3, seeds: 1, criteria: 7, budget: 2, simulated: true, unscored: 31, nominal: true, change: func(m *record.Manifest, all *[]record.Session) {
		learned(m, all)
		calls(m, all)
		m.Data.Compat = "released"
		m.Report.Questions, m.Report.Against = []int{1, 2}, []string{"random"}
		(*all)[5].Stop, (*all)[5].Error = record.StopError, "user is out"
		nastyNames(m, all)
	}}.write(t))))
	tables("judged", Compute(load(t, judgedDir(t))))
	tables("spoken", Compute(load(t, fidelityRun().write(t))))
	tables("survey", Compute(load(t, synth{tasks: 1, users: 11, seeds: 1, criteria: 6, budget: 1, survey: true}.write(t))))
	long := &grid{name: "long", caption: "Two lines of each of many ways to ask.", head: []string{"Strategy", "Predicts from", "Mean"}, groups: make([][][]cell, 30)}
	for i := range long.groups {
		row := []cell{{value: "pep" + strconv.Itoa(i)}, {value: "model"}, {value: "1.0", interval: "[0.5, 1.5]"}}
		long.groups[i] = [][]cell{row, row}
	}
	out["long-rows.tex"] = string(long.latex())
	c, err := readPaper(paperRuns(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.runs {
		r.label += nasty
	}
	files, err := claimsTable(c).files(nil)
	if err != nil {
		t.Fatal(err)
	}
	add("paper", files)
	sweeps := sweepGoldens()
	for name, y := range sweeps {
		for i, a := range y.axes {
			a.Values = slices.Clone(a.Values)
			for j := range a.Values {
				a.Values[j] = "*" + a.Values[j] + nasty
			}
			y.axes[i] = record.Axis{Path: a.Path + nasty, Values: a.Values}
		}
		sweeps[name] = y
	}
	sweeps["domains"] = synthSweep{axes: []record.Axis{{Path: "domain.name", Values: []string{"a" + nasty, "[b"}}}}
	for name, y := range sweeps {
		dir := y.write(t)
		s, err := WriteSweep(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s.Files {
			if filepath.Ext(f) == ".tex" {
				b, err := os.ReadFile(filepath.Join(dir, f))
				if err != nil {
					t.Fatal(err)
				}
				out[name+"-"+filepath.Base(f)] = string(b)
			}
		}
	}
	return out
}

// TestTex: every LaTeX file is sound, and can be read into a document: where pdflatex or
// tectonic is installed, it is.
func TestTex(t *testing.T) {
	files := texFiles(t)
	var names []string
	kinds := map[string]bool{}
	for name, text := range files {
		names = append(names, name)
		_, kind, _ := strings.Cut(strings.TrimSuffix(name, ".tex"), "-")
		kinds[kind] = true
		for _, f := range texFaults(text) {
			t.Errorf("%s: %s", name, f)
		}
	}
	if !strings.Contains(files["long-rows.tex"], `\totalheight>.7\textheight`) {
		t.Error("a table of 60 rows may run off its page")
	}
	for _, kind := range []string{"main", "profile", "errors", "gain", "adaptivity", "policies", "fidelity", "released", "calls", "judge", "judges", "costs", "calibration", "tasks", "claims", "grid", "domains", "ablation"} {
		if !kinds[kind] {
			t.Errorf("no table %q among %v", kind, kinds)
		}
	}
	slices.Sort(names)
	if t.Failed() {
		return
	}
	dir := t.TempDir()
	var doc strings.Builder
	doc.WriteString("\\documentclass[twocolumn]{article}\n\\usepackage{booktabs}\n\\usepackage{graphicx}\n\\begin{document}\n")
	for i, name := range names {
		put(t, filepath.Join(dir, fmt.Sprintf("t%d.tex", i)), []byte(files[name]))
		fmt.Fprintf(&doc, "\\input{t%d}\\clearpage\n", i)
	}
	doc.WriteString("\\end{document}\n")
	put(t, filepath.Join(dir, "all.tex"), []byte(doc.String()))
	for _, tool := range [][]string{{"pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"}, {"tectonic", "--only-cached", "all.tex"}} {
		path, err := exec.LookPath(tool[0])
		if err != nil {
			continue
		}
		cmd := exec.CommandContext(t.Context(), path, tool[1:]...)
		cmd.Dir = dir
		log, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", tool[0], err, log)
		}
		if _, err := os.Stat(filepath.Join(dir, "all.pdf")); err != nil {
			t.Error(err)
		}
		if bytes.Contains(log, []byte("Float too large")) {
			t.Errorf("%s: a table runs off its page\n%s", tool[0], log)
		}
		// A table that LaTeX had to shrink beyond reading is no table.
		if *pictures != "" {
			if err := os.CopyFS(filepath.Join(*pictures, "latex"), os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
		}
		break
	}
}

// fidelityRun is a run whose users answer in words.
func fidelityRun() synth {
	turn := func(q int, a domains.Cell, state string) record.Turn {
		return record.Turn{Question: q, Answer: a, State: state, By: byRule}
	}
	return spoken(
		[]record.Turn{turn(0, domains.At(3), ""), turn(1, domains.NotHeld(), record.StateIndifferent)},
		[]record.Turn{turn(1, domains.Missing(), record.StateAside)},
		[2]string{record.StopBudget, record.StopUser})
}
