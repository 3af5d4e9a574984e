package reports

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"pepbench/bench/record"
	"pepbench/domains"
)

// A synthSweep is a made-up sweep: every cell has the report of one made-up run,
// its numbers moved a little.
type synthSweep struct {
	axes    []record.Axis
	run     synth
	refused func(at []int) string         // nil: none is
	spoil   func(at []int, dir string)    // after the cell is written; nil: nothing
	change  func(at []int, cell *Metrics) // nil: nothing
	sweep   func(*record.Sweep)           // nil: nothing
}

func (y synthSweep) write(t testing.TB) string {
	t.Helper()
	if y.run.tasks == 0 {
		y.run = synth{tasks: 7, users: 4, seeds: 1, criteria: 8, budget: 3, simulated: true}
	}
	base, err := Compute(load(t, y.run.write(t))).JSON()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := record.Sweep{Name: "made-up", About: "a sweep", Axes: y.axes, Strategy: "pep+belief", Twin: "twin+belief"}
	for at := make([]int, len(y.axes)); ; {
		n := len(s.Cells)
		c := record.SweepCell{At: slices.Clone(at), Params: 10 * n}
		if y.refused != nil {
			c.Refused = y.refused(at)
		}
		if c.Refused == "" {
			wave := math.Sin(float64(3*n + 1))
			dev := 60 + 20*wave
			c.Dir, c.DevAlignment = fmt.Sprintf("cell-%02d", n), &dev
			var m Metrics
			if err := json.Unmarshal(base, &m); err != nil {
				t.Fatal(err)
			}
			r := m.row(t, "pep+belief")
			for i := range r.Alignment {
				for _, v := range []*Number{&r.Alignment[i].Value, &r.Alignment[i].Lo, &r.Alignment[i].Hi} {
					*v = max(*v+Number(8*wave)-10, 0)
				}
				for _, v := range []*Number{&r.Gain.ByQuestions[i].Value, &r.Gain.ByQuestions[i].Lo, &r.Gain.ByQuestions[i].Hi} {
					*v += Number(6 * wave)
				}
				g := &r.Gain.ByQuestions[i]
				g.difference = resolve(g.Estimate)
			}
			if y.change != nil {
				y.change(at, &m)
			}
			b, err := m.JSON()
			if err != nil {
				t.Fatal(err)
			}
			cell := filepath.Join(dir, c.Dir)
			if err := os.Mkdir(cell, 0o755); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(cell, "metrics.json"), b)
			if y.spoil != nil {
				y.spoil(at, cell)
			}
		}
		s.Cells = append(s.Cells, c)
		k := len(at) - 1
		for ; k >= 0; k-- {
			if at[k]++; at[k] < len(y.axes[k].Values) {
				break
			}
			at[k] = 0
		}
		if k < 0 {
			break
		}
	}
	if y.sweep != nil {
		y.sweep(&s)
	}
	if err := record.WriteSweep(dir, &s); err != nil {
		t.Fatal(err)
	}
	return dir
}

var (
	beliefAxis = record.Axis{Path: "beliefs.model", Values: []string{"latent-class", "factor", "blr"}}
	choiceAxis = record.Axis{Path: "strategies.pep.acquisition", Values: []string{"random", "uncertainty", "profile-ig", "variance"}}
)

func sweepGoldens() map[string]synthSweep {
	return map[string]synthSweep{
		"sweep2": {
			axes: []record.Axis{beliefAxis, choiceAxis},
			refused: func(at []int) string {
				if at[1] == 3 && at[0] != 2 {
					return "variance is not defined for " + beliefAxis.Values[at[0]]
				}
				return ""
			},
			spoil: func(at []int, dir string) {
				if at[0] == 1 && at[1] == 1 {
					os.RemoveAll(dir)
				}
			},
			change: func(at []int, m *Metrics) {
				if at[0] == 2 && at[1] == 0 {
					m.Strategies = m.Strategies[:4]
				}
			},
		},
		"sweep1": {
			axes: []record.Axis{choiceAxis},
			run:  synth{tasks: 1, users: 12, seeds: 1, criteria: 8, budget: 2, survey: true},
			refused: func(at []int) string {
				if at[0] == 3 {
					return "variance needs values on a scale, which nominal criteria do not have"
				}
				return ""
			},
		},
		"sweep3": {
			axes: []record.Axis{{Path: "a", Values: []string{"x", "y"}}, {Path: "b", Values: []string{"1", "2"}}, {Path: "seed", Values: []string{"1", "2"}}},
			sweep: func(s *record.Sweep) {
				s.Twin = ""
				for i := range s.Cells {
					s.Cells[i].DevAlignment = nil
				}
			},
		},
	}
}

// TestSweepGolden compares grid.json, tables and what the terminal shows with
// testdata.
func TestSweepGolden(t *testing.T) {
	for name, y := range sweepGoldens() {
		dir := y.write(t)
		s, err := WriteSweep(dir)
		if err != nil {
			t.Fatal(err)
		}
		goldenReport(t, name, dir, s)
	}
}

// TestSweepFigures looks at what can be told without eyes.
func TestSweepFigures(t *testing.T) {
	many := func(what string, n int) (a record.Axis) {
		a.Path = what
		for i := range n {
			a.Values = append(a.Values, fmt.Sprintf("%s-with-a-name-%d", what, i))
		}
		return a
	}
	runs := sweepGoldens()
	runs["sweep12"] = synthSweep{axes: []record.Axis{many("belief", 12), many("acquisition", 12)}, refused: func(at []int) string {
		if at[0]+at[1] == 7 {
			return "no"
		}
		return ""
	}}
	runs["sweep2x2"] = synthSweep{axes: []record.Axis{{Path: "budget", Values: []string{"3", "5"}}, {Path: "x", Values: []string{"on", "off"}}}}
	for name, y := range runs {
		dir := y.write(t)
		s, err := WriteSweep(dir)
		if err != nil {
			t.Fatal(err)
		}
		if *pictures != "" {
			if err := os.CopyFS(filepath.Join(*pictures, name), os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
		}
		m, err := LoadSweep(dir)
		if err != nil {
			t.Fatal(err)
		}
		want := 6 // two figures, three formats
		switch {
		case len(m.Axes) > 2:
			want = 0
		case len(m.Axes) == 1:
			want = 12 // in two widths
		}
		figures := 0
		for _, f := range s.Files {
			if !strings.HasPrefix(f, "figures/") {
				continue
			}
			figures++
			b, err := os.ReadFile(filepath.Join(dir, f))
			if err != nil {
				t.Fatal(err)
			}
			switch filepath.Ext(f) {
			case ".svg":
				var text []string
				for _, m := range regexp.MustCompile(`<text[^>]*>([^<]*)</text>`).FindAllSubmatch(b, -1) {
					text = append(text, html.UnescapeString(string(m[1])))
				}
				expect := []string{"chosen on dev", m.Axes[0].Path}
				for _, a := range m.Axes {
					expect = append(expect, a.Values...)
				}
				for i := range m.Cells {
					c := &m.Cells[i]
					switch {
					case c.State != cellDone:
					case strings.TrimSuffix(f, "-page.svg") == "figures/grid", f == "figures/grid.svg":
						expect = append(expect, num(c.Alignment.Value, "%.1f"))
					default:
						expect = append(expect, num(c.Gain.Value, "%+.1f"))
					}
				}
				all := strings.Join(text, " ")
				for _, w := range expect {
					if !strings.Contains(all, w) {
						t.Errorf("%s: %s: no text %q in %q", name, f, w, text)
					}
				}
				unresolved := slices.ContainsFunc(m.Cells, func(c GridCell) bool { return c.Gain != nil && !c.Gain.Resolved })
				if got := strings.Count(all, "~") > 1; f == "figures/gridgain.svg" && got != unresolved {
					t.Errorf("%s: %s: ~ is shown: %v, cells are unresolved: %v", name, f, got, unresolved)
				}
				for _, m := range regexp.MustCompile(`font-size:([\d.]+)px`).FindAllSubmatch(b, -1) {
					if s := string(m[1]); s != "7" && s != "8" {
						t.Errorf("%s: %s: type of %s points", name, f, s)
					}
				}
				if bytes.Contains(b, []byte("NaN")) || bytes.Contains(b, []byte("Inf")) {
					t.Errorf("%s: NaN or Inf in %s", name, f)
				}
			case ".png":
				img, err := png.Decode(bytes.NewReader(b))
				if err != nil {
					t.Fatal(err)
				}
				if cm := float64(img.Bounds().Dx()) / 300 * 2.54; cm < 8.48 || cm > 17.52 {
					t.Errorf("%s: %s: %.2f cm wide", name, f, cm)
				}
			case ".pdf":
				if !bytes.HasPrefix(b, []byte("%PDF-")) {
					t.Errorf("%s: %s is no PDF", name, f)
				}
			}
		}
		if figures != want {
			t.Errorf("%s: %d figure files, want %d", name, figures, want)
		}
	}
}

// TestLadder: a sweep over solvers alone has a line for each, chooses none, and a sweep
// that is no longer one has no such figure.
func TestLadder(t *testing.T) {
	solvers := record.Axis{Path: "roles.solver", Values: []string{"small-sft", "small-dpo", "gone", "small-rlvr"}, Stages: []string{"SFT", "DPO", "RLVR", ""}}
	y := synthSweep{axes: []record.Axis{solvers}, spoil: func(at []int, dir string) {
		if at[0] == 2 {
			os.RemoveAll(dir)
		}
	}}
	dir := y.write(t)
	s, err := WriteSweep(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{"svg", "png", "pdf"} {
		if !slices.Contains(s.Files, "figures/ladder."+ext) {
			t.Errorf("no figures/ladder.%s in %v", ext, s.Files)
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, "figures/ladder.svg"))
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, m := range regexp.MustCompile(`<text[^>]*>([^<]*)</text>`).FindAllSubmatch(b, -1) {
		words = append(words, html.UnescapeString(string(m[1])))
	}
	all := strings.Join(words, " ")
	for _, w := range []string{"small-sft (SFT)", "small-dpo (DPO)", "small-rlvr ", "Alignment (0-100)", "Questions asked", "One line a solver", "Floor to ceiling", "imulated"} {
		if !strings.Contains(all, w) {
			t.Errorf("no text %q in %q", w, all)
		}
	}
	if at := strings.Index(all, "small-sft"); at < 0 || strings.Contains(all, "gone") || strings.Index(all, "small-dpo") < at {
		t.Errorf("keys in another order, or of a cell without a result: %q", all)
	}
	if bytes.Contains(b, []byte("NaN")) || strings.Contains(all, "chosen on dev") {
		t.Errorf("NaN, or a choice, in %q", all)
	}
	m, err := LoadSweep(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m.Chosen != nil || !slices.ContainsFunc(m.Warnings, func(w string) bool { return strings.Contains(w, "does not depend on models") }) {
		t.Errorf("chosen %v, warnings %q", m.Chosen, m.Warnings)
	}
	if *pictures != "" {
		if err := os.CopyFS(filepath.Join(*pictures, "ladder"), os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		reason string
		axes   []record.Axis
		models bool
		data   bool
	}{
		{"judges change what is graded, not what is drawn", []record.Axis{{Path: "roles.judge", Values: []string{"a", "b"}}}, true, false},
		{"a temperature is one of the model's", []record.Axis{{Path: "models.a.temperature", Values: []string{"0", "1"}}}, true, false},
		{"two axes", []record.Axis{solvers, {Path: "budget", Values: []string{"3"}}}, false, false},
		{"no models at all", []record.Axis{choiceAxis}, false, false},
		{"domains", []record.Axis{{Path: "domain.name", Values: []string{"a", "b"}}}, false, true},
		{"users who err, and a choice", []record.Axis{choiceAxis, {Path: "users.slip", Values: []string{"0", "1"}}}, false, true},
	} {
		s := SweepMetrics{Axes: row.axes}
		if s.isLadder() || s.ofModels() != row.models || s.ofData() != row.data {
			t.Errorf("%s: ladder %v, of models %v, of data %v", row.reason, s.isLadder(), s.ofModels(), s.ofData())
		}
	}
	sw, err := record.ReadSweep(dir)
	if err != nil {
		t.Fatal(err)
	}
	sw.Axes[0].Path = "users.slip"
	if err := record.WriteSweep(dir, sw); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteSweep(dir); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "figures/ladder.*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	// A sweep in which nothing came to a result is drawn, too.
	y.spoil = func(_ []int, dir string) { os.RemoveAll(dir) }
	if _, err := WriteSweep(y.write(t)); err != nil {
		t.Error(err)
	}
}

// TestSweepBlank: a cell without a number says why and is warned of; an unequal one
// is warned of; none of it is an error.
func TestSweepBlank(t *testing.T) {
	first := func(at []int) bool { return at[0] == 0 }
	for _, test := range []struct {
		reason string
		synth  synthSweep
		state  string // of the first cell
		why    string // of the first cell
		warn   string
	}{
		{
			"a folder that is missing",
			synthSweep{spoil: func(at []int, dir string) {
				if first(at) {
					os.RemoveAll(dir)
				}
			}},
			cellFailed, "the run is not reported; run the sweep again, it resumes",
			"cell random stays blank: the run is not reported",
		},
		{
			"metrics that are no JSON",
			synthSweep{spoil: func(at []int, dir string) {
				if first(at) {
					os.WriteFile(filepath.Join(dir, "metrics.json"), []byte("{"), 0o644)
				}
			}},
			cellFailed, "metrics.json holds no metrics (unexpected end of JSON input); run the sweep again, it resumes",
			"cell random stays blank",
		},
		{
			"metrics of another schema",
			synthSweep{change: func(at []int, m *Metrics) {
				if first(at) {
					m.Schema = 9
				}
			}},
			cellFailed, "metrics.json has schema 9, this program reads schema 1; run the sweep again, it resumes",
			"cell random stays blank",
		},
		{
			"metrics that are not whole",
			synthSweep{change: func(at []int, m *Metrics) {
				if first(at) {
					m.Strategies[0].Prediction = nil
				}
			}},
			cellFailed, `metrics.json is not whole, or has an alignment out of range: strategy "none"; run the sweep again, it resumes`,
			"cell random stays blank",
		},
		{
			"metrics of another configuration than the manifest",
			synthSweep{spoil: func(at []int, dir string) {
				if first(at) {
					os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(`{"schema":1,"config_hash":"other"}`), 0o644)
				}
			}},
			cellFailed, "metrics.json is of another configuration than manifest.json; pepbench report on the sweep makes it again",
			"cell random stays blank: metrics.json is of another configuration",
		},
		{
			"an alignment of 1000",
			synthSweep{change: func(at []int, m *Metrics) {
				if first(at) {
					m.Strategies[0].Alignment[0].Value = 1000
				}
			}},
			cellFailed, `metrics.json is not whole, or has an alignment out of range: strategy "none"; run the sweep again, it resumes`,
			"cell random stays blank",
		},
		{
			"no such strategy",
			synthSweep{sweep: func(s *record.Sweep) { s.Strategy = "pop" }},
			cellFailed, "the run has no strategy pop", "no cell has a number",
		},
		{
			"all sessions failed",
			synthSweep{change: func(at []int, m *Metrics) {
				if first(at) {
					for i := range m.Strategies {
						r := &m.Strategies[i]
						r.Sessions, r.Failed = 0, []count{{What: "user is out", N: 28}}
						for j := range r.Alignment {
							r.Alignment[j].Estimate = unknown()
						}
					}
				}
			}},
			cellFailed, "all 28 sessions failed", "cell random stays blank: all 28 sessions failed",
		},
		{
			"unequal tasks",
			synthSweep{change: func(at []int, m *Metrics) {
				if first(at) {
					m.Tasks = 5
				}
			}},
			cellDone, "", "the cells differ in the number of tasks: their numbers do not compare as they stand",
		},
		{
			"other data",
			synthSweep{change: func(at []int, m *Metrics) {
				if first(at) {
					m.Data.Name = "other"
				}
			}},
			cellDone, "", "the cells differ in the data",
		},
		{
			"another judge",
			synthSweep{change: func(at []int, m *Metrics) {
				if first(at) {
					m.Judge = "other"
				}
			}},
			cellDone, "", "the cells differ in the judge",
		},
		{
			"a warning of some cells",
			synthSweep{change: func(at []int, m *Metrics) {
				if at[0] < 3 {
					m.Warnings = []string{"mind the gap"}
				}
			}},
			cellDone, "", "in 3 of 4 cells: mind the gap",
		},
		{
			"nothing measured on dev",
			synthSweep{sweep: func(s *record.Sweep) {
				for i := range s.Cells {
					s.Cells[i].DevAlignment = nil
				}
			}},
			cellDone, "", "no cell was measured on dev",
		},
		{
			"no twin in the runs",
			synthSweep{sweep: func(s *record.Sweep) { s.Twin = "brother" }},
			cellDone, "", "",
		},
		{
			"no cells",
			synthSweep{sweep: func(s *record.Sweep) { s.Cells = s.Cells[:0] }},
			"", "", "no cell has a number",
		},
	} {
		test.synth.run = synth{tasks: 6, users: 2, seeds: 1, criteria: 5, budget: 1}
		two := test.synth
		two.axes = []record.Axis{choiceAxis, {Path: "x", Values: []string{"on"}}} // heat maps too
		test.synth.axes = []record.Axis{choiceAxis}
		m, err := LoadSweep(test.synth.write(t))
		if err != nil {
			t.Errorf("%s: %v", test.reason, err)
			continue
		}
		other, err := LoadSweep(two.write(t))
		if err != nil {
			t.Errorf("%s: %v", test.reason, err)
			continue
		}
		if test.state != "" && (m.Cells[0].State != test.state || m.Cells[0].Why != test.why) {
			t.Errorf("%s: the first cell is %s: %s", test.reason, m.Cells[0].State, m.Cells[0].Why)
		}
		if all := strings.Join(m.Warnings, "\n"); !strings.Contains(all, test.warn) {
			t.Errorf("%s: no warning %q in %q", test.reason, test.warn, m.Warnings)
		}
		for _, m := range []*SweepMetrics{m, other} {
			files, err := gridTable(m).files(gridCSV(m))
			if err != nil {
				t.Fatal(err)
			}
			b, err := m.JSON()
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, File{"grid.json", b}, File{"terminal", []byte(sweepTerminal(m, 100))})
			for _, s := range sketched(sweepFigures(m)) {
				c := vgsvg.New(s.w, s.h)
				s.render(draw.New(c))
				var b bytes.Buffer
				if _, err := c.WriteTo(&b); err != nil {
					t.Fatal(err)
				}
				files = append(files, File{s.name, b.Bytes()})
			}
			for _, f := range files {
				for _, bad := range []string{"NaN", "Inf", "%!"} {
					if bytes.Contains(f.Data, []byte(bad)) {
						t.Errorf("%s: %s in %s", test.reason, bad, f.Path)
					}
				}
			}
		}
	}
}

// TestSweepNumbers: the numbers of a cell are those of its run, rows are found by
// name or base, and the twin need not be the first one.
func TestSweepNumbers(t *testing.T) {
	for _, test := range []struct {
		reason, strategy, twin string
		row, other             string
	}{
		{"by name", "pep+belief", "twin+belief", "pep+belief", "twin+belief"},
		{"by base: the one that predicts from a population", "pep", "twin", "pep+belief", "twin+belief"},
		{"not the static twin, but what it is compared with", "pep+belief", "static+belief", "pep+belief", "static+belief"},
		{"from answers alone", "pep+answers", "twin+answers", "pep+answers", "twin+answers"},
		{"no twin", "pep+belief", "", "pep+belief", ""},
	} {
		dir := synthSweep{axes: []record.Axis{choiceAxis}, sweep: func(s *record.Sweep) { s.Strategy, s.Twin = test.strategy, test.twin }}.write(t)
		s, err := LoadSweep(dir)
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.Cells {
			c := &s.Cells[i]
			m, err := readMetrics(filepath.Join(dir, c.Dir))
			if err != nil {
				t.Fatal(err)
			}
			r := m.row(t, test.row)
			if c.Row != test.row || c.Twin != test.other || c.Alignment != r.final().Estimate || c.F1 != r.predicted().at(5).F1 || c.Questions != 3 {
				t.Errorf("%s: %+v", test.reason, c)
			}
			if told := r.Predict == "answers"; told == c.HeldMAE.Value.Defined() || told == c.Brier.Value.Defined() {
				t.Errorf("%s: value error %v, relevance error %v", test.reason, c.HeldMAE, c.Brier)
			}
			if test.other == "" {
				if c.Gain != nil {
					t.Errorf("%s: a gain over no twin", test.reason)
				}
				continue
			}
			want := Number(math.NaN())
			if r.Gain.Twin == test.other {
				want = r.Gain.ByQuestions[3].Value
			} else {
				for _, d := range m.Comparisons {
					if d.Strategy == test.row && d.Against == test.other && d.Measure == "alignment" {
						want = d.Value
					}
				}
			}
			if c.Gain == nil || c.Gain.Value != want {
				t.Errorf("%s: gain %+v, want %v", test.reason, c.Gain, want)
			}
		}
	}
}

// TestSweepFiles: whole files under their own names, equal on every run; what an
// earlier report left and this one does not have is removed; a sweep that cannot be
// read is a data error.
func TestSweepFiles(t *testing.T) {
	dir := sweepGoldens()["sweep2"].write(t)
	sum := func() map[string]string {
		s, err := WriteSweep(dir)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, f := range s.Files {
			b, err := os.ReadFile(filepath.Join(dir, f))
			if err != nil {
				t.Fatal(err)
			}
			out[f] = string(b)
		}
		return out
	}
	first := sum()
	for f, text := range sum() {
		if first[f] != text {
			t.Errorf("%s differs when it is written again", f)
		}
	}
	if rows, err := csv.NewReader(strings.NewReader(first["tables/grid.csv"])).ReadAll(); err != nil || len(rows) < 12 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	sw, err := record.ReadSweep(dir)
	if err != nil {
		t.Fatal(err)
	}
	sw.Twin = ""
	if err := record.WriteSweep(dir, sw); err != nil {
		t.Fatal(err)
	}
	sum()
	for f, want := range map[string]bool{"figures/grid.png": true, "figures/gridgain.png": false, "grid.json": true} {
		if _, err := os.Stat(filepath.Join(dir, f)); (err == nil) != want {
			t.Errorf("%s is there: %v", f, err == nil)
		}
	}
	if err := os.Remove(filepath.Join(dir, "sweep.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteSweep(dir); !errors.Is(err, domains.ErrData) {
		t.Errorf("without sweep.json: %v", err)
	}
}

// TestPalettes: sequential colours grow lighter, the diverging ones are white in the
// middle only, and numbers can be read on all of them (WCAG asks for 4.5).
func TestPalettes(t *testing.T) {
	for name, p := range map[string]palette{"sequential": sequential(), "diverging": diverging()} {
		last := -1.
		for i := range 101 {
			c := p.at(float64(i) / 100)
			l := luminance(c)
			if name == "sequential" && l <= last {
				t.Errorf("%s at %d: luminance %v after %v", name, i, l, last)
			}
			if name == "diverging" && (i < 50) != (l > last) && i > 0 && i != 50 {
				t.Errorf("%s at %d: luminance %v after %v", name, i, l, last)
			}
			last = l
			contrast := 1.05 / (l + .05)
			if r, _, _, _ := ink(c).RGBA(); r == 0 {
				contrast = (l + .05) / .05
			}
			if contrast < 4.5 {
				t.Errorf("%s at %d: contrast %v", name, i, contrast)
			}
		}
	}
	if sequential().at(-1) != sequential()[0] || sequential().at(math.NaN()) != sequential()[0] || sequential().at(2) != sequential()[4] {
		t.Error("the ends do not hold")
	}
}

// FuzzSweep: no sweep.json and no metrics.json of a cell makes a report panic.
func FuzzSweep(f *testing.F) {
	dir := synthSweep{axes: []record.Axis{choiceAxis, {Path: "x", Values: []string{"on"}}}, run: synth{tasks: 2, users: 1, seeds: 1, criteria: 3, budget: 1}}.write(f)
	sweep, err := os.ReadFile(filepath.Join(dir, record.SweepFile))
	if err != nil {
		f.Fatal(err)
	}
	metrics, err := os.ReadFile(filepath.Join(dir, "cell-00", record.MetricsFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sweep, metrics)
	f.Add(sweep, []byte(`{"schema":1,"strategies":[{"name":"pep+belief"}]}`))
	f.Add(sweep, []byte(`{"schema":1,"strategies":[{"name":"pep+belief","alignment":[{}],"prediction":[{"at":[{},{},{},{}]}]}]}`))
	f.Add([]byte(`{"schema":1,"strategy":"a","axes":[{"path":"p","values":["v"]}],"cells":[{"at":[0],"dir":"cell-00","dev_alignment":3}]}`), metrics)
	f.Fuzz(func(t *testing.T, sweep, metrics []byte) {
		put(t, filepath.Join(dir, record.SweepFile), sweep)
		put(t, filepath.Join(dir, "cell-00", record.MetricsFile), metrics)
		s, err := LoadSweep(dir)
		if err != nil {
			if !errors.Is(err, domains.ErrData) {
				t.Fatalf("%v is no data error", err)
			}
			return
		}
		if _, err := s.JSON(); err != nil {
			t.Fatal(err)
		}
		if _, err := gridTable(s).files(gridCSV(s)); err != nil {
			t.Fatal(err)
		}
		sweepTerminal(s, 100)
		for _, k := range sketched(sweepFigures(s)) {
			k.render(draw.New(vgsvg.New(k.w, k.h)))
		}
	})
}

// TestLargeSweepOnPaper: what fills more than a page shows the best cells on dev alone,
// the chosen one among them, and says so.
func TestLargeSweepOnPaper(t *testing.T) {
	sweep := func(wide int) *SweepMetrics {
		s := &SweepMetrics{Name: "x", Strategy: "pep", Cluster: "task", Axes: []record.Axis{{Path: "a", Values: []string{"p", "q", "r"}}, {Path: "b"}}}
		for j := range wide {
			s.Axes[1].Values = append(s.Axes[1].Values, fmt.Sprint("v", j))
		}
		for i := range s.Axes[0].Values {
			for j := range wide {
				c := GridCell{At: []int{i, j}, Values: []string{s.Axes[0].Values[i], s.Axes[1].Values[j]}, State: cellDone, DevAlignment: Number(50 + min(i+j, wide-1))}
				if i == 2 {
					c.State, c.Why, c.DevAlignment = cellRefused, "undefined; give another", undefined()
				}
				s.Cells = append(s.Cells, c)
			}
		}
		return s
	}
	small := gridTable(sweep(paperRows / 3))
	if p := small.paper(); len(p.groups) != len(small.groups) || strings.Contains(p.caption, "Shown is") {
		t.Errorf("a sweep that fits a page has %d groups of %d on paper: %s", len(p.groups), len(small.groups), p.caption)
	}
	s := sweep(paperRows/3 + 1)
	g := gridTable(s)
	p := g.paper()
	if len(p.groups) != 1 || len(p.groups[0]) != 2 || !strings.Contains(p.caption, fmt.Sprintf("of every a, the best cell on dev; all %d are in grid.csv", len(s.Cells))) {
		t.Fatalf("on paper: %v, %s", p.groups, p.caption)
	}
	// Rises with j and stays level from i+j = wide-1 on: the first of equals.
	for i, want := range []string{"v15", "v14"} {
		if got := p.groups[0][i][1].value; got != want {
			t.Errorf("of %s the cell %s is shown, want %s", s.Axes[0].Values[i], got, want)
		}
	}
	if note := strings.Join(g.notes, "|"); !strings.Contains(note, "not defined: undefined") || strings.Contains(note, "give another") {
		t.Errorf("notes %q", note)
	}
}

// resolve makes up a difference that is resolved where its interval leaves out 0.
func resolve(e Estimate) difference {
	return difference{Estimate: e, Resolved: e.Clusters >= fewClusters && (e.Lo > 0 || e.Hi < 0)}
}
