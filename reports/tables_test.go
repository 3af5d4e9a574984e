package reports

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pepbench/bench/record"
)

var (
	update   = flag.Bool("update", false, "rewrite the golden files in testdata")
	pictures = flag.String("pictures", "", "write reports of made-up runs to this directory, to look at")
)

// goldens are the runs behind testdata.
func goldens() map[string]synth {
	few := func(m *record.Manifest, all *[]record.Session) {
		keep := []string{"none", "static+answers", "static+belief", "pep+belief", "oracle"}
		m.Strategies = slices.DeleteFunc(m.Strategies, func(s record.Strategy) bool { return !slices.Contains(keep, s.Name) })
		*all = slices.DeleteFunc(*all, func(s record.Session) bool { return !slices.Contains(keep, s.Strategy) })
		m.Sessions = len(*all)
	}
	return map[string]synth{
		"tasks":  {tasks: 6, users: 4, seeds: 2, criteria: 8, budget: 2, simulated: true, unscored: 31, change: few},
		"survey": {tasks: 1, users: 12, seeds: 1, criteria: 8, budget: 2, survey: true, change: few},
		"gain": {tasks: 7, users: 4, seeds: 1, criteria: 8, budget: 3, nominal: true, change: func(m *record.Manifest, all *[]record.Session) {
			drop := func(name string) bool { return strings.HasPrefix(name, "static") || name == "random+answers" }
			m.Strategies = slices.DeleteFunc(m.Strategies, func(s record.Strategy) bool { return drop(s.Name) })
			*all = slices.DeleteFunc(*all, func(s record.Session) bool { return drop(s.Strategy) })
			m.Sessions = len(*all)
			m.Report.Questions, m.Report.Against = []int{3, 1, 9}, []string{"random", "none", "pep", "nobody"}
			m.Report.TargetOf, m.Report.Reference = "random+belief", "random+belief"
		}},
		"paper": paperRun(len(manyWays)),
		"one": {tasks: 1, users: 1, seeds: 1, criteria: 8, budget: 1, change: func(m *record.Manifest, all *[]record.Session) {
			few(m, all)
			m.Report.TargetOf, m.Report.Reference = "", ""
		}},
	}
}

// goldenReport compares what a report wrote in dir and says, but for figures and the index, with
// testdata/name.
func goldenReport(t *testing.T, name, dir string, s *Summary) {
	t.Helper()
	got := map[string]string{"terminal.txt": s.Text + "\n" + strings.Join(s.Warnings, "\n") + "\n"}
	for _, f := range s.Files {
		if strings.HasPrefix(f, "figures/") || f == record.PageFile || f == record.IndexFile { // which have tests of their own
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil {
			t.Fatal(err)
		}
		got[f] = string(b)
	}
	for file, text := range got {
		golden(t, filepath.Join("testdata", name, filepath.Base(file)), text)
	}
}

// TestGolden compares metrics, tables and what the terminal shows with testdata.
func TestGolden(t *testing.T) {
	for name, y := range goldens() {
		dir := y.write(t)
		s, err := writePlain(dir)
		if err != nil {
			t.Fatal(err)
		}
		goldenReport(t, name, dir, s)
	}
}

// golden compares a text with a file, or with -update writes it.
func golden(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		put(t, file, []byte(text))
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("another %s (go test -update rewrites it):\n%s", file, firstDifference(text, string(want)))
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got:  " + g[i] + "\nwant: " + w[i]
		}
	}
	return "one is longer"
}

// TestTerminal: the summary fits its width, whatever strategies are called.
func TestTerminal(t *testing.T) {
	for _, long := range []bool{false, true} {
		y := synth{tasks: 6, users: 3, seeds: 1, criteria: 9, budget: 3, horizon: 9, long: long, simulated: true}
		text := terminal(Compute(load(t, y.write(t))), 100)
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
				t.Errorf("%d columns: %s", n, line)
			}
		}
	}
}

// TestNotice: every table says when a simulator took part, and none says so when
// none did.
func TestNotice(t *testing.T) {
	const words = "embedded simulator, not a language model"
	for _, test := range []struct {
		reason string
		synth  synth
		want   string // empty: no notice
	}{
		{"simulated", synth{simulated: true}, "Solver and judge: " + words},
		{"graded without a model", synth{}, "Graded by the profile judge, without a language model."},
		{"graded by a real model", synth{change: func(m *record.Manifest, _ *[]record.Session) { m.Judge = "judge/rubric/1" }}, ""},
		{"survey", synth{survey: true}, "Graded by the profile judge, without a language model."},
	} {
		test.synth.tasks, test.synth.users, test.synth.seeds, test.synth.criteria, test.synth.budget = 1, 2, 1, 4, 1
		m := Compute(load(t, test.synth.write(t)))
		files, err := Tables(m)
		if err != nil {
			t.Fatal(err)
		}
		texts := []string{terminal(m, 100)}
		for _, f := range files {
			if !strings.HasSuffix(f.Path, ".csv") {
				texts = append(texts, string(f.Data))
			}
		}
		for _, text := range texts {
			if test.want != "" && !strings.Contains(text, test.want) {
				t.Errorf("%s: no notice in\n%s", test.reason, text)
			}
			if test.want == "" && strings.Contains(text, "simulator") {
				t.Errorf("%s: a notice in\n%s", test.reason, text)
			}
		}
	}
}

func TestMarkup(t *testing.T) {
	for _, test := range []struct{ reason, in, tex string }{
		{"special characters", `a_b & 50% #1 $x {y}`, `a\_b \& 50\% \#1 \$x \{y\}`},
		{"a backslash and its braces", `\~^`, `\textbackslash{}$\sim$\textasciicircum{}`},
		{"brackets are no optional argument", `[1, >5]`, `{[}1, $>$5{]}`},
		{"dash", "–", "--"},
	} {
		if got := tex(test.in); got != test.tex {
			t.Errorf("%s: %s, want %s", test.reason, got, test.tex)
		}
	}
	for _, test := range []struct {
		reason string
		n      int
		want   string
	}{{"first", 1, "a"}, {"last of one letter", 26, "z"}, {"two letters", 27, "aa"}} {
		if got := letter(test.n); got != test.want {
			t.Errorf("%s: %s, want %s", test.reason, got, test.want)
		}
	}
	for _, test := range []struct {
		reason string
		words  []string
		want   string
	}{
		{"none", nil, ""},
		{"one", []string{"judge"}, "judge"},
		{"two", []string{"solver", "judge"}, "solver and judge"},
		{"three", []string{"solver", "judge", "correctness"}, "solver, judge and correctness"},
	} {
		if got := series(test.words); got != test.want {
			t.Errorf("%s: %s, want %s", test.reason, got, test.want)
		}
	}
	for _, test := range []struct {
		reason, format string
		v              Number
		want           string
	}{
		{"no negative zero", "%.1f", -.01, "0.0"},
		{"a signed zero", "%+.1f", -.01, "+0.0"},
		{"a real minus", "%+.1f", -.1, "-0.1"},
	} {
		if got := num(test.v, test.format); got != test.want {
			t.Errorf("%s: %s, want %s", test.reason, got, test.want)
		}
	}
}

// TestDifference: what is resolved shows no end as 0, and what contains 0 has a ~.
func TestDifference(t *testing.T) {
	for _, test := range []struct {
		reason        string
		value, lo, hi Number
		want, short   string // in tables, in the terminal
	}{
		{"far from 0", -4.3, -6.2, -2.5, "-4.3 [-6.2, -2.5]", "-4.3"},
		{"an upper end near 0", -1.3, -2.72, -.04, "-1.3 [-2.72, -0.04]", "-1.3"},
		{"a lower end near 0", 1.3, .04, 2.72, "+1.3 [0.04, 2.72]", "+1.3"},
		{"an end nearer to 0", -1.3, -2.7191, -.004, "-1.3 [-2.719, -0.004]", "-1.3"},
		{"an end that rounds up", 1.3, .05, 2.7, "+1.3 [0.1, 2.7]", "+1.3"},
		{"all near 0", .03, .01, .06, "+0.03 [0.01, 0.06]", "+0.03"},
		{"0 inside", -.01, -2.7, .04, "+0.0 [-2.7, 0.0] ~", "+0.0 ~"},
		{"0 at the end", -1, -2.7, 0, "-1.0 [-2.7, 0.0] ~", "-1.0 ~"},
	} {
		m := Compute(load(t, synth{tasks: 2, users: 1, seeds: 1, criteria: 4, budget: 1}.write(t)))
		r := m.row(t, "pep+answers")
		r.Difference = &difference{Estimate: Estimate{Value: test.value, Lo: test.lo, Hi: test.hi}, Resolved: test.lo > 0 || test.hi < 0}
		if got := (&grid{}).difference(m, r).text(); got != test.want {
			t.Errorf("%s: %s, want %s", test.reason, got, test.want)
		}
		for line := range strings.Lines(terminal(m, 100)) {
			if strings.HasPrefix(line, r.Name+" ") && !strings.HasSuffix(strings.TrimRight(line, " \n"), " "+test.short) {
				t.Errorf("%s: the terminal shows %s, want %s", test.reason, line, test.short)
			}
		}
	}
}

// TestCaptions: every table says how its run was made.
func TestCaptions(t *testing.T) {
	for _, row := range []struct {
		reason string
		change func(*record.Manifest)
		want   string
	}{
		{"cross-fitting", func(m *record.Manifest) { m.Data.Folds = 4 }, "1 seed, cross-fitted in 4 folds)"},
		{"one split", func(m *record.Manifest) { m.Data.Folds = 0 }, "1 seed)"},
		{"as released", func(m *record.Manifest) { m.Data.Compat = "released" }, "Beliefs and choices of questions are computed as the released code does."},
		{"a choice on dev", func(m *record.Manifest) {
			m.Models = []record.Model{{Name: "one", Choice: make([]record.Choice, 1)}, {Name: "some", Choice: make([]record.Choice, 2)}}
		}, "chosen on dev: some."},
		{"what is not defined", func(m *record.Manifest) { m.LeftOut = []string{"a+b", "c+d"} }, "Left out, since not defined on these data: a+b and c+d."},
		{"few clusters", func(*record.Manifest) {}, "bootstrap over tasks (too few: too narrow)"},
	} {
		y := synth{tasks: 2, users: 2, seeds: 1, criteria: 5, budget: 1, change: func(m *record.Manifest, _ *[]record.Session) { row.change(m) }}
		m := Compute(load(t, y.write(t)))
		for _, g := range []*grid{mainTable(m), profileTable(m), errorsTable(m), gainTable(m)} {
			for _, caption := range []string{g.caption, g.paper().caption} {
				if !strings.Contains(caption, row.want) {
					t.Errorf("%s: table %s: no %q in %q", row.reason, g.name, row.want, caption)
				}
			}
		}
	}
}

// TestColumns: numbers stand to the right and words to the left, and every note is
// that of a cell.
func TestColumns(t *testing.T) {
	runs := goldens()
	runs["released"] = synth{tasks: 2, users: 3, seeds: 1, criteria: 6, budget: 2, change: func(m *record.Manifest, _ *[]record.Session) { m.Data.Compat = "released" }}
	for name, y := range runs {
		m := Compute(load(t, y.write(t)))
		for _, g := range []*grid{mainTable(m), profileTable(m), errorsTable(m), gainTable(m), releasedTable(m)} {
			used := map[int]bool{}
			for _, group := range g.groups {
				for _, cells := range group {
					for i, c := range cells {
						used[c.note] = true
						words := g.head[i] == "Strategy" || g.head[i] == "Predicts from" || g.head[i] == "Against"
						if g.right(i) == words {
							t.Errorf("%s: table %s: column %q to the right: %v", name, g.name, g.head[i], g.right(i))
						}
					}
				}
			}
			delete(used, 0)
			if len(used) != len(g.notes) {
				t.Errorf("%s: table %s: %d of the notes %q are used", name, g.name, len(used), g.notes)
			}
			if g.name == "released" && name == "released" && !strings.Contains(string(g.markdown()), "|:---|---:|---:|") {
				t.Errorf("the second column of released does not stand to the right:\n%s", g.markdown())
			}
		}
	}
}

// TestAllHeld: where every criterion is held, tables have no relevance error.
func TestAllHeld(t *testing.T) {
	y := synth{tasks: 2, users: 2, seeds: 1, criteria: 5, budget: 1}
	m := Compute(load(t, y.write(t)))
	shows := func() bool {
		text := strings.Join(append(errorsTable(m).head, gainTable(m).head...), " ") + errorsTable(m).caption + gainTable(m).caption
		return strings.Contains(text, "Relevance error")
	}
	if m.allHeld() || !shows() {
		t.Error("some criteria are not held, but the tables say nothing of relevance")
	}
	for i := range m.Strategies {
		for j := range m.Strategies[i].Prediction {
			p := &m.Strategies[i].Prediction[j]
			p.HeldCells = p.Cells
		}
	}
	if !m.allHeld() || shows() || !strings.Contains(mainTable(m).caption, "F1@k says nothing") {
		t.Error("every criterion is held, and the tables do not know")
	}
}

// TestOnlyTold: what predicts from answers alone shows no errors, which would be 0.
func TestOnlyTold(t *testing.T) {
	m := Compute(load(t, synth{tasks: 2, users: 2, seeds: 1, criteria: 5, budget: 1}.write(t)))
	for _, g := range []*grid{profileTable(m), errorsTable(m)} {
		for _, group := range g.groups {
			for _, cells := range group {
				told := cells[1].value == "answers" && cells[0].value != "oracle"
				for i, c := range cells {
					isError := strings.Contains(g.head[i], "error") || strings.Contains(g.head[i], "MAE") || strings.Contains(g.head[i], "Brier")
					if isError && told != (c.value == dash) {
						t.Errorf("table %s: %s of %s is %q", g.name, g.head[i], cells[0].value, c.text())
					}
				}
			}
		}
	}
}

// TestBlocks: rows stand in the groups in which they are compared.
func TestBlocks(t *testing.T) {
	for _, test := range []struct{ reason, rows, want string }{
		{"what asks alike stands together", "a:x a:y b:x b:y", "a+x a+y | b+x b+y"},
		{"single ones that predict alike too", "a:x b:x c:y d:y", "a+x b+x | c+y d+y"},
		{"beside pairs", "a:x a:y b:x c:x", "a+x a+y | b+x c+x"},
		{"if all differ, all are one block", "a:x b:y c:z", "a+x b+y c+z"},
	} {
		m := &Metrics{}
		for _, r := range strings.Fields(test.rows) {
			base, p, _ := strings.Cut(r, ":")
			m.Strategies = append(m.Strategies, Row{Strategy: record.Strategy{Name: base + "+" + p, Base: base, Kind: "pep", Predict: p}})
		}
		var got []string
		for _, g := range blocks(m) {
			var names []string
			for _, r := range g {
				names = append(names, r.Name)
			}
			got = append(got, strings.Join(names, " "))
		}
		if s := strings.Join(got, " | "); s != test.want {
			t.Errorf("%s: %s, want %s", test.reason, s, test.want)
		}
	}
}

// TestShortNames: names that do not fit lose what they predict from, then columns give
// way, and only then names lose their middle; the terminal says so.
func TestShortNames(t *testing.T) {
	m := Compute(load(t, crowd(2, "quite-a-prediction").write(t)))
	if text := terminal(m, 140); !strings.Contains(text, "quite-a-prediction-way-a+quite-a-prediction ") || strings.Contains(text, "names without") {
		t.Errorf("there is room for whole names in\n%s", text)
	}
	text := terminal(m, 100)
	if !strings.Contains(text, "\nquite-a-prediction-way-a  ") || !strings.Contains(strings.ReplaceAll(text, "\n", " "), "names without what they predict from") || strings.Contains(text, "...") {
		t.Errorf("there is room for short names in\n%s", text)
	}
	if text := strings.Join(strings.Fields(terminal(m, 80)), " "); strings.Contains(text, "...") || strings.Contains(text, " norm ") || !strings.Contains(text, "for want of width without norm, F1@5 and asked: in tables/main.md") {
		t.Errorf("columns give way, and it is not said, in\n%s", text)
	}
	if text := terminal(m, 50); !strings.Contains(text, "...") || !strings.Contains(strings.ReplaceAll(text, "\n", " "), "... in the middle of a name") {
		t.Errorf("names are cut, and it is not said, in\n%s", text)
	}
}

// TestPaper: LaTeX has at most nine columns, no note or word of the others, and
// says how many sessions were left out.
func TestPaper(t *testing.T) {
	y := synth{tasks: 6, users: 2, seeds: 1, criteria: 6, budget: 2, unscored: 31, change: func(_ *record.Manifest, s *[]record.Session) {
		for i := range 3 {
			(*s)[i].Stop, (*s)[i].Error = record.StopError, "user is out"
		}
	}}
	m := Compute(load(t, y.write(t)))
	for _, g := range []*grid{mainTable(m), profileTable(m)} {
		p := g.paper()
		if len(p.head) > 9 || len(p.head) != len(g.head)-len(g.aside) {
			t.Errorf("%s: columns %q", g.name, p.head)
		}
		used := map[int]bool{}
		for _, group := range p.groups {
			for _, cells := range group {
				for _, c := range cells {
					used[c.note] = true
				}
			}
		}
		delete(used, 0)
		if len(used) != len(p.notes) || g.name == "main" && slices.Equal(p.notes, g.notes) {
			t.Errorf("%s: notes %q of %q, %d are used", g.name, p.notes, g.notes, len(used))
		}
		text := strings.ToLower(string(p.latex()))
		for _, word := range []string{"never / at 0", "pairs &", "unscored", "besides", "rmse", "unasked", "held criteria"} {
			if strings.Contains(text, word) {
				t.Errorf("%s: %q in\n%s", g.name, word, text)
			}
		}
	}
	for _, want := range []string{"Left out for want of an alignment: 4 of 117 sessions.", "Left out because they failed: 3 sessions."} {
		if text := string(mainTable(m).paper().latex()); !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestPictures writes whole reports of ordinary and odd runs: every file is there,
// every PNG can be read, and no undefined number shows as NaN. With -pictures DIR
// they are kept, to be looked at.
func TestPictures(t *testing.T) {
	runs := goldens()
	runs["plain"] = synth{tasks: 16, users: 12, seeds: 2, criteria: 14, budget: 5, simulated: true}
	runs["long"] = synth{tasks: 10, users: 8, seeds: 1, criteria: 14, budget: 5, horizon: 14, long: true, unscored: 40}
	runs["empty"] = synth{tasks: 2, users: 1, seeds: 1, criteria: 4, budget: 3, change: func(_ *record.Manifest, s *[]record.Session) { *s = nil }}
	runs["odd"] = odd()
	for name, y := range runs {
		dir := y.write(t)
		how, pixels := writePlain, name == "plain" || *pictures != ""
		if pixels {
			how = func(dir string) (*Summary, error) { return Write(dir) }
		}
		s, err := how(dir)
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string]int{}
		for _, f := range append(s.Files, "") {
			b := []byte(s.Text + strings.Join(s.Warnings, "\n"))
			if f != "" {
				if b, err = os.ReadFile(filepath.Join(dir, f)); err != nil {
					t.Fatal(err)
				}
			}
			switch ext := filepath.Ext(f); ext {
			case ".png":
				kinds[ext]++
				if c, err := png.DecodeConfig(bytes.NewReader(b)); err != nil || c.Width < 500 {
					t.Errorf("%s: %s is no picture: %v", name, f, err)
				}
				if !strings.HasSuffix(f, "-page.png") && !strings.HasSuffix(f, "-column.png") { // the others are written alike
					if _, err := png.Decode(bytes.NewReader(b)); err != nil {
						t.Errorf("%s: %s is no picture: %v", name, f, err)
					}
				}
			case ".pdf":
				kinds[ext]++
			default:
				kinds[ext]++
				if bytes.Contains(b, []byte("NaN")) || bytes.Contains(b, []byte("Inf")) {
					t.Errorf("%s: NaN or Inf in %q", name, f)
				}
			}
		}
		figures, tables := 0, 3
		for _, f := range []string{"alignment", "interactions", "adaptivity"} {
			if !slices.Contains(s.Files, "figures/"+f+".svg") {
				t.Errorf("%s: no figure %s", name, f)
			}
		}
		for _, f := range s.Files {
			of, other := strings.CutSuffix(strings.TrimSuffix(f, ".svg"), "-page")
			if !other {
				of, other = strings.CutSuffix(of, "-column")
			}
			if filepath.Ext(f) == ".svg" {
				figures++
				if !slices.Contains(optionalFigures(), of) || other && !slices.Contains(s.Files, of+".svg") {
					t.Errorf("%s: nobody knows the figure %s", name, f)
				}
			}
			switch f {
			case "tables/gain.md", "tables/adaptivity.md", "tables/policies.md", "tables/costs.md", "tables/calibration.md", "tables/tasks.md":
				tables++
			}
		}
		drawn := 0
		if pixels {
			drawn = figures
		}
		for ext, want := range map[string]int{".png": drawn, ".pdf": drawn, ".svg": figures, ".md": tables, ".csv": tables, ".tex": tables, ".json": 1} {
			if kinds[ext] != want {
				t.Errorf("%s: %d files of kind %s, want %d", name, kinds[ext], ext, want)
			}
		}
		if *pictures == "" {
			continue
		}
		t.Logf("%s\n%s%s", name, s.Text, strings.Join(s.Warnings, "\n"))
		if err := os.CopyFS(filepath.Join(*pictures, name), os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTablesWellFormed: every row has as many cells as its head, braces balance,
// CSV parses.
func TestTablesWellFormed(t *testing.T) {
	files, err := Tables(Compute(load(t, odd().write(t))))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text := string(f.Data)
		switch filepath.Ext(f.Path) {
		case ".csv":
			rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			if err != nil || len(rows) < 20 {
				t.Errorf("%s: %d rows, %v", f.Path, len(rows), err)
			}
		case ".md":
			want := 0
			for line := range strings.Lines(text) {
				if !strings.HasPrefix(line, "|") {
					continue
				}
				n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
				if want == 0 {
					want = n
				}
				if n != want {
					t.Errorf("%s: %d bars, want %d: %s", f.Path, n, want, line)
				}
			}
		case ".tex":
			plain := strings.NewReplacer(`\{`, "", `\}`, "", `\&`, "", `\%`, "").Replace(text)
			if strings.Count(plain, "{") != strings.Count(plain, "}") {
				t.Errorf("%s: braces do not balance", f.Path)
			}
			want := 0
			for line := range strings.Lines(plain) {
				if !strings.HasSuffix(strings.TrimSpace(line), `\\`) {
					continue
				}
				n := strings.Count(line, "&")
				if want == 0 {
					want = n
				}
				if n != want {
					t.Errorf("%s: %d cells, want %d: %s", f.Path, n+1, want+1, line)
				}
			}
			if want == 0 {
				t.Errorf("%s has no rows", f.Path)
			}
		}
	}
}

// TestWriteLeavesNothingElse: whole files under their own names, old ones replaced.
func TestWriteLeavesNothingElse(t *testing.T) {
	dir := synth{tasks: 2, users: 2, seeds: 1, criteria: 4, budget: 1}.write(t)
	for _, how := range []func(string) (*Summary, error){WriteCell, writePlain} {
		s, err := how(dir)
		if err != nil {
			t.Fatal(err)
		}
		want := append([]string{"manifest.json", "sessions.jsonl"}, s.Files...)
		var got []string
		err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				rel, _ := filepath.Rel(dir, path)
				got = append(got, filepath.ToSlash(rel))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("the directory holds %v, want %v", got, want)
		}
	}
}

// TestWriteCell: a cell has what a run has, but for the second width of figures, also
// where it had that before.
func TestWriteCell(t *testing.T) {
	dir := synth{tasks: 2, users: 2, seeds: 1, criteria: 4, budget: 1}.write(t)
	whole, err := Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	cell, err := WriteCell(dir)
	if err != nil {
		t.Fatal(err)
	}
	other := regexp.MustCompile(`-(page|column)\.[a-z]+$`)
	want := slices.DeleteFunc(slices.Clone(whole.Files), other.MatchString)
	if len(want) == len(whole.Files) || !slices.Equal(cell.Files, want) {
		t.Errorf("the cell has %v, want %v", cell.Files, want)
	}
	for _, f := range whole.Files {
		_, err := os.Stat(filepath.Join(dir, f))
		if errors.Is(err, fs.ErrNotExist) != other.MatchString(f) {
			t.Errorf("%s: %v", f, err)
		}
	}
	html, err := os.ReadFile(filepath.Join(dir, record.PageFile))
	if err != nil || bytes.Contains(html, []byte("-page.pdf")) {
		t.Errorf("the page names a figure that is not there, or: %v", err)
	}
}
