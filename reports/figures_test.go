package reports

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"html"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"pepbench/bench/record"
)

// sketched lays figures out as each is best on paper.
func sketched(list []figure) (out []sketch) {
	for _, f := range list {
		out = append(out, f.draw(newPen()))
	}
	return out
}

// odd is a run with many bases, several beliefs of one base, and names beyond
// ASCII.
func odd() synth {
	return synth{tasks: 6, users: 4, seeds: 1, criteria: 9, budget: 3, simulated: true, change: func(m *record.Manifest, all *[]record.Session) {
		rename := map[string]record.Strategy{
			"random+answers": {Name: "zufällig – ohne Modell", Base: "zufällig", Kind: "random", Predict: "answers"},
			"random+belief":  {Name: "replay+log", Base: "replay", Kind: "replay", Predict: "answers"},
			"static+answers": {Name: "выбор", Base: "выбор", Kind: "static", Predict: "answers"},
			"twin+answers":   {Name: "pep+linear", Base: "pep", Kind: "pep", Predict: "linear"},
			"twin+belief":    {Name: "own+belief", Base: "own", Kind: "own", Predict: "belief"},
		}
		for i, s := range m.Strategies {
			if r, ok := rename[s.Name]; ok {
				m.Strategies[i] = r
			}
		}
		for i := range *all {
			s := &(*all)[i]
			if r, ok := rename[s.Strategy]; ok {
				s.ID = strings.Replace(s.ID, s.Strategy, r.Name, 1)
				s.Strategy = r.Name
			}
		}
	}}
}

// TestFigures looks at what can be told without eyes: formats, sizes, and that
// every text is there as text.
func TestFigures(t *testing.T) {
	for _, y := range []synth{
		{tasks: 6, users: 4, seeds: 1, criteria: 9, budget: 3, horizon: 6, simulated: true},
		odd(),
	} {
		m := Compute(load(t, y.write(t)))
		files, err := Figures(m)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][]string{
			"alignment":    {"Questions asked", "Alignment (0-100)", "ceiling (oracle)", "floor (none)", "0", "1", "2", "3"},
			"interactions": {"Questions asked", "Questions to target", "not reached"},
			"adaptivity":   {"Share going on differently (0-1)", "strict", "released", "pairs", "Share owed to the answer (0-1)", "corrected", "counterfactual"},
			"gain":         {"Questions asked", "Adaptive gain in alignment", "0"},

			"adaptivitybyt": {"Question t answered differently", "Share going on differently", "strict", "counterfactual"},
			"forest":        {"Difference", "(points of 100)", "minus static+belief (reference)", "Paired by session."},
			"tasks":         {"Task", "Alignment (0-100)", "task-00", "task-05"},
			"calibration":   {"Predicted P(held)", "Share that is held", "Criteria that were not asked about", "All criteria"},
			"params":        {"Parameters of the models of a strategy", "Alignment (0-100)", "none"},
			"trace":         {"before any question", "the user's profile", "not held", "the first by id of"},
			"tree":          {"after the answer:", "not held", "the first 3 questions, all tasks together"},
		}
		width := map[string]float64{"alignment": 8.5, "interactions": 17.5, "adaptivity": 17.5, "adaptivitybyt": 8.5, "tree": 17.5, "gain": 8.5, "forest": 17.5, "tasks": 17.5, "calibration": 17.5, "params": 8.5, "trace": 17.5} // cm
		var names []string
		for _, f := range files {
			name, ext := strings.TrimSuffix(path.Base(f.Path), path.Ext(f.Path)), path.Ext(f.Path)
			wide := 17.5 // cm
			if of, other := strings.CutSuffix(name, "-page"); other {
				name = of
			} else if of, other := strings.CutSuffix(name, "-column"); other {
				name, wide = of, 8.5
			} else {
				wide = width[name]
			}
			names = append(names, f.Path)
			switch ext {
			case ".svg":
				var text []string
				for _, m := range regexp.MustCompile(`<text[^>]*>([^<]*)</text>`).FindAllSubmatch(f.Data, -1) {
					text = append(text, html.UnescapeString(string(m[1])))
				}
				all := strings.Join(text, "\n")
				expect := append([]string{"imulated solver and judge"}, want[name]...)
				for _, r := range m.Strategies {
					switch {
					case r.fixed() || name == "gain" && r.Gain == nil, wide == 8.5 && width[name] == 17.5, // names are cut in a column
						name == "trace", name == "calibration" && r.Predict == "answers":
					case name == "params" && r.Predict != "answers": // one key for points of one mark
						expect = append(expect, strings.TrimPrefix(r.Name, r.Base))
					case strings.HasPrefix(name, "adaptivity"), name == "tree": // one line a way of asking
						expect = append(expect, r.Base)
					default:
						expect = append(expect, r.Name)
					}
				}
				for _, w := range expect {
					if !strings.Contains(strings.ReplaceAll(all, "\n", " "), w) {
						t.Errorf("%s: no text %q in %q", f.Path, w, text)
					}
				}
				for _, m := range regexp.MustCompile(`font-size:([\d.]+)px`).FindAllSubmatch(f.Data, -1) {
					if s := string(m[1]); s != "7" && s != "8" {
						t.Errorf("%s: type of %s points", f.Path, s)
					}
				}
			case ".png":
				img, err := png.DecodeConfig(bytes.NewReader(f.Data))
				if err != nil {
					t.Fatal(err)
				}
				if got := float64(img.Width) / 300 * 2.54; got < wide-.02 || got > wide+.02 {
					t.Errorf("%s: %.2f cm wide at 300 dpi, want %v", f.Path, got, wide)
				}
			case ".pdf":
				if !bytes.HasPrefix(f.Data, []byte("%PDF-")) || bytes.Count(f.Data, []byte("(D:20000101000000)")) != 2 {
					t.Errorf("%s: no PDF, or one with a clock time", f.Path)
				}
				if n := bytes.Count(f.Data, []byte("/Type /FontDescriptor")); n != 1 {
					t.Errorf("%s: %d fonts, want 1: the order of several is not fixed", f.Path, n)
				}
			}
		}
		count := 51 // of ten figures, all but tree, tasks and trace in two widths; no model was called
		if slices.ContainsFunc(m.Strategies, func(r Row) bool { return r.Gain != nil }) {
			count = 57
		}
		if len(names) != count {
			t.Errorf("files %v, want %d", names, count)
		}
	}
}

// TestFiguresDeterministic renders in this process, and in another second in another one.
func TestFiguresDeterministic(t *testing.T) {
	sum := func() string {
		y := synth{tasks: 6, users: 4, seeds: 1, criteria: 9, budget: 3}
		files, err := Figures(Compute(load(t, y.write(t))))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, f := range files {
			fmt.Fprintf(&b, "%s %x\n", f.Path, sha256.Sum256(f.Data))
		}
		return b.String()
	}
	const child = "PEPBENCH_FIGURES_CHILD"
	if os.Getenv(child) != "" {
		fmt.Printf("<%s>", sum())
		return
	}
	first := sum()
	time.Sleep(1100 * time.Millisecond) // no clock is in a file
	cmd := exec.Command(os.Args[0], "-test.run=^TestFiguresDeterministic$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if _, rest, _ := strings.Cut(string(out), "<"); !strings.HasPrefix(rest, first+">") {
		t.Errorf("another process:\n%swas\n%s", rest, first)
	}
}

// TestLooks: one base, one colour, fixed for those that the benchmark ships.
func TestLooks(t *testing.T) {
	m := &Metrics{}
	for _, r := range []record.Strategy{
		{Name: "none", Base: "none", Kind: "none"},
		{Name: "x", Base: "x", Kind: "pep"},
		{Name: "a", Base: "first-twin", Kind: "static", TwinOf: "x"},
		{Name: "b", Base: "b", Kind: "random"},
		{Name: "pep", Base: "pep", Kind: "pep"},
		{Name: "c", Base: "c", Kind: "?"},
		{Name: "d", Base: "d", Kind: "?"},
		{Name: "e", Base: "e", Kind: "?"},
		{Name: "f", Base: "f", Kind: "?"},
	} {
		m.Strategies = append(m.Strategies, Row{Strategy: r})
	}
	got := looks(m)
	for base, want := range map[string]look{
		"pep": {okabeIto("vermillion"), circle}, "first-twin": {okabeIto("orange"), triangle}, "b": {okabeIto("sky"), diamond},
	} {
		if got[base] != want {
			t.Errorf("%s looks like %+v, want %+v", base, got[base], want)
		}
	}
	if len(got) != 8 {
		t.Fatalf("%d looks for 8 bases", len(got))
	}
	seen := map[look]string{}
	for base, l := range got {
		if other, dup := seen[l]; dup {
			t.Errorf("%s and %s look alike", base, other)
		}
		seen[l] = base
	}
}

// TestLooksOfThePaper: what the paper's comparison draws is told apart by colour.
func TestLooksOfThePaper(t *testing.T) {
	for _, row := range []struct {
		reason string
		bases  []string
	}{
		{"named by what they are", []string{"none", "random", "static", "twin", "asker", "rl", "replay", "replay-policy", "pep", "oracle"}},
		{"as configs/paper.yaml names them", []string{"none", "random", "static", "twin", "asker", "rl", "replay", "policy", "pep", "pep-dev", "oracle"}},
	} {
		m := &Metrics{}
		kinds := map[string]string{"replay-policy": "replay", "policy": "replay", "pep-dev": "pep"}
		for _, base := range row.bases {
			m.Strategies = append(m.Strategies, Row{Strategy: record.Strategy{Name: base + "+model", Base: base, Kind: cmp.Or(kinds[base], base)}})
		}
		got := looks(m)
		colours, markers := map[color.NRGBA]string{}, map[marker]string{}
		for base, l := range got {
			if o, dup := colours[l.color]; dup {
				t.Errorf("%s: %s and %s have one colour", row.reason, base, o)
			}
			if o, dup := markers[l.marker]; dup {
				t.Errorf("%s: %s and %s have one marker", row.reason, base, o)
			}
			colours[l.color], markers[l.marker] = base, base
		}
		for _, base := range row.bases { // the same without the others, in another run
			if k := cmp.Or(kinds[base], base); got[base] != looks(&Metrics{Strategies: []Row{{Strategy: record.Strategy{Name: base, Base: base, Kind: k}}}})[base] && k != "oracle" {
				t.Errorf("%s: %s looks otherwise by itself", row.reason, base)
			}
		}
		if len(got) != len(row.bases)-2 || got["rl"] != (look{okabeIto("black"), pentagon}) || got["replay"] != (look{okabeIto("green"), wedge}) {
			t.Errorf("%s: %+v", row.reason, got)
		}
	}
}

// crowd is a run of so many ways of asking by each of so many predictions.
func crowd(ways int, predicts ...string) synth {
	return synth{tasks: 2, users: 2, seeds: 1, criteria: 6, budget: 2, change: func(m *record.Manifest, all *[]record.Session) {
		fixed := func(name string) bool { return name == "none" || name == "oracle" }
		m.Strategies = slices.DeleteFunc(m.Strategies, func(s record.Strategy) bool { return !fixed(s.Name) })
		var out []record.Session
		for _, p := range predicts {
			for w := range ways {
				base := fmt.Sprintf("%s-way-%c", p, 'a'+w)
				m.Strategies = append(m.Strategies, record.Strategy{Name: base + "+" + p, Base: base, Kind: "pep", Predict: p})
				for _, s := range *all {
					if s.Strategy == "pep+belief" {
						s.Strategy = base + "+" + p
						s.ID = s.Strategy + strings.TrimPrefix(s.ID, "pep+belief")
						out = append(out, s)
					}
				}
			}
		}
		for _, s := range *all {
			if fixed(s.Strategy) {
				out = append(out, s)
			}
		}
		*all, m.Sessions = out, len(out)
		m.Report.TargetOf, m.Report.Reference = "", ""
	}}
}

// TestPanels: many curves of several predictions are drawn in a panel for each, and
// nothing is lost.
func TestPanels(t *testing.T) {
	for _, row := range []struct {
		reason   string
		ways     int
		predicts []string
		panels   bool
	}{
		{"few curves share a plot", 5, []string{"one", "two"}, false},
		{"more have a panel a prediction", 6, []string{"one", "two"}, true},
		{"of one prediction there is nothing to part", 12, []string{"one"}, false},
		{"a second line of panels", 5, []string{"one", "two", "three", "four"}, true},
	} {
		m := Compute(load(t, crowd(row.ways, row.predicts...).write(t)))
		s := alignmentFigure(m, newPen())
		if got := s.w == pageWidth; got != row.panels {
			t.Errorf("%s: panels %v", row.reason, got)
		}
		files, err := s.files()
		if err != nil {
			t.Fatal(err)
		}
		text := string(files[0].Data)
		for _, r := range m.Strategies {
			name := r.Name
			if row.panels {
				name = r.Base
			}
			if !r.fixed() && !strings.Contains(text, ">"+name+"<") {
				t.Errorf("%s: no key %q", row.reason, name)
			}
		}
		if !row.panels {
			continue
		}
		for _, p := range row.predicts {
			if !strings.Contains(text, ">predicts from "+p+"<") {
				t.Errorf("%s: no panel of %s", row.reason, p)
			}
		}
		var c recorder.Canvas
		s.render(draw.NewCanvas(&c, s.w, s.h))
		last := vg.Length(0) // the middle of the last panel of the first line
		for _, a := range c.Actions {
			if a, ok := a.(*recorder.FillString); ok && strings.HasPrefix(a.String, "predicts from ") {
				last = max(last, a.Point.X)
			}
		}
		if last < .6*pageWidth {
			t.Errorf("%s: nothing is drawn beyond %.0f of %.0f points", row.reason, last, float64(pageWidth))
		}
		plain := strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, " ")), " ")
		if !strings.Contains(plain, "Off the scale: none at 0.0 and oracle at 100.0.") {
			t.Errorf("%s: floor and ceiling are neither drawn nor named in %q", row.reason, plain)
		}
	}
}

// TestLooksOfMany: looks are told apart while there are any, and by colour within a
// panel.
func TestLooksOfMany(t *testing.T) {
	m := &Metrics{}
	for _, p := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		for w := range 5 {
			base := fmt.Sprint(p, w)
			m.Strategies = append(m.Strategies, Row{Strategy: record.Strategy{Name: base + "+" + p, Base: base, Kind: "pep", Predict: p}})
		}
	}
	got := looks(m)
	seen := map[look]string{}
	for base, l := range got {
		if other, dup := seen[l]; dup {
			t.Errorf("%s and %s look alike", base, other)
		}
		seen[l] = base
		for other, o := range got {
			if base != other && base[0] == other[0] && l.color == o.color {
				t.Errorf("%s and %s share a panel and a colour", base, other)
			}
		}
	}
	if len(got) != 35 {
		t.Errorf("%d looks for 35 bases", len(got))
	}
	// Ten in one plot share no colour more than twice.
	m = &Metrics{}
	for i := range 10 {
		base := fmt.Sprint("way", i)
		m.Strategies = append(m.Strategies, Row{Strategy: record.Strategy{Name: base, Base: base, Kind: "pep", Predict: "a"}})
	}
	times := map[color.NRGBA]int{}
	for _, l := range looks(m) {
		times[l.color]++
	}
	for c, n := range times {
		if n > 2 {
			t.Errorf("%d of 10 curves have the colour %v", n, c)
		}
	}
	// One base with many predictions tells them apart by dashes.
	m = &Metrics{}
	for _, p := range []string{"answers", "a", "b", "c", "d"} {
		m.Strategies = append(m.Strategies, Row{Strategy: record.Strategy{Name: "x+" + p, Base: "x", Kind: "random", Predict: p}})
	}
	broken := map[string]bool{}
	for i := range m.Strategies {
		broken[fmt.Sprint(dashes(m, &m.Strategies[i]))] = true
	}
	if len(broken) != len(m.Strategies) {
		t.Errorf("%d ways to break a line for %d predictions", len(broken), len(m.Strategies))
	}
}

// TestAdaptivityLines: rows that ask alike are one line, but not where their sessions
// differ.
func TestAdaptivityLines(t *testing.T) {
	m := Compute(load(t, synth{tasks: 2, users: 3, seeds: 1, criteria: 6, budget: 3}.write(t)))
	b := newBoard(m, newPen())
	b.merge()
	if want := []string{"random", "static", "twin", "pep"}; !slices.Equal(b.text, want) {
		t.Errorf("lines %q, want %q", b.text, want)
	}
	m.row(t, "pep+belief").Adaptivity.Pairs++
	b = newBoard(m, newPen())
	b.merge()
	if want := []string{"random", "static", "twin", "pep+answers", "pep+belief"}; !slices.Equal(b.text, want) {
		t.Errorf("lines %q, want %q", b.text, want)
	}
}

func TestFit(t *testing.T) {
	p := newPen()
	sty := p.style(smallSize, draw.XLeft, draw.YTop)
	const a, b = "pep-latent-class-with-a-long-name+answers", "pep-latent-class-with-a-long-name+belief"
	w := sty.Width("pep-latent...name+answers")
	x, y := fit(a, sty, w), fit(b, sty, w)
	if x == y || sty.Width(x) > w || sty.Width(y) > w {
		t.Errorf("%q and %q in %v", x, y, w)
	}
	if got := fit("pep", sty, w); got != "pep" {
		t.Errorf("%q", got)
	}
	for _, test := range []struct {
		reason string
		lo, hi float64
		most   int
		want   []string
	}{
		{"whole range", 0, 100, 6, []string{"0", "20", "40", "60", "80", "100"}},
		{"around zero", -4, 9, 6, []string{"-2.5", "0", "2.5", "5", "7.5"}},
		{"a point", 3, 3, 6, []string{"3"}},
	} {
		var got []string
		for _, k := range ticks(test.lo, test.hi, test.most) {
			got = append(got, k.Label)
		}
		if test.reason != "around zero" && !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.reason, got, test.want)
		}
		if slices.Contains(got, "-0") || len(got) > test.most+1 {
			t.Errorf("%s: %v", test.reason, got)
		}
	}
}
