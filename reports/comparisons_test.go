package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pepbench/bench/record"
)

// TestComparisons computes every paired difference the long way, over a run in which
// strategies lack sessions, one belief knows no value in some, and one criterion is
// nominal.
func TestComparisons(t *testing.T) {
	for _, survey := range []bool{false, true} {
		var all []record.Session
		y := synth{tasks: 7, users: 5, seeds: 2, criteria: 8, budget: 3, nominal: true, survey: survey, unscored: 11}
		if survey {
			y.tasks, y.users = 1, 11
		}
		y.change = func(m *record.Manifest, s *[]record.Session) {
			*s = slices.DeleteFunc(*s, func(r record.Session) bool {
				return r.Strategy == "pep+belief" && r.User == "user-002" || r.Strategy == "twin+belief" && r.User == "user-003" && r.Seed == 2
			})
			for i := range *s {
				if r := &(*s)[i]; r.Strategy == "random+belief" && r.User == "user-001" {
					for j := range r.Turns {
						for k := range r.Turns[j].Inference.Value {
							r.Turns[j].Inference.Value[k] = math.NaN()
						}
					}
				}
			}
			m.Report.Questions, m.Report.Against = []int{1, 3}, []string{"random", "oracle"}
			all = *s
		}
		m := Compute(load(t, y.write(t)))

		// value is a measure the long way.
		value := func(s *record.Session, measure string, q int) float64 {
			if measure == "alignment" {
				if cp := graded(s, q, s.Strategy == "oracle"); cp != nil && cp.Raw != nil {
					return 25 * (*cp.Raw - 1)
				}
				return math.NaN()
			}
			if strings.HasSuffix(s.Strategy, "answers") {
				return math.NaN()
			}
			inf, sum, n := s.Inference(q), 0.0, 0
			known := true // every value or P(held) that the measure may need
			for i, c := range s.Truth.Cells {
				asked := slices.ContainsFunc(s.Turns[:min(q, len(s.Turns))], func(t record.Turn) bool { return t.Question == i })
				nominal := i == len(s.Truth.Cells)-1
				skip := asked && strings.HasPrefix(measure, "unasked")
				switch measure {
				case "brier", "unasked_brier":
					p, h := inf.Held[i], 0.0
					if c.IsHeld() {
						h = 1
					}
					known = known && !math.IsNaN(p)
					if !skip {
						sum += (p - h) * (p - h)
						n++
					}
				default:
					if !c.IsHeld() {
						continue
					}
					if nominal {
						l := inf.Levels[i]
						known = known && l != nil
						if measure == "level_error" && l != nil {
							sum += 1 - l[int(c.Value())]
							n++
						}
						continue
					}
					known = known && !math.IsNaN(inf.Value[i])
					if measure != "level_error" && !skip {
						sum += math.Abs(inf.Value[i] - c.Value())
						n++
					}
				}
			}
			if !known || n == 0 {
				return math.NaN()
			}
			return sum / float64(n)
		}
		at := map[string]*record.Session{}
		id := func(strategy string, s *record.Session) string {
			return fmt.Sprintf("%s|%d|%s|%s", strategy, s.Seed, s.Task, s.User)
		}
		for i := range all {
			at[id(all[i].Strategy, &all[i])] = &all[i]
		}
		avg := func(m map[string][]float64) (out []float64) {
			for _, x := range m {
				sum := 0.0
				for _, v := range x {
					sum += v
				}
				out = append(out, sum/float64(len(x)))
			}
			return out
		}
		seen := map[string]int{}
		for _, c := range m.Comparisons {
			units, clusters := map[string][]float64{}, map[string][]float64{}
			n, lacking := 0, 0
			for i := range all {
				s := &all[i]
				if s.Strategy != c.Strategy {
					continue
				}
				d := math.NaN()
				if o := at[id(c.Against, s)]; o != nil {
					d = value(s, c.Measure, c.Questions) - value(o, c.Measure, c.Questions)
				}
				if math.IsNaN(d) {
					lacking++
					continue
				}
				n++
				units[s.Task+"|"+s.User] = append(units[s.Task+"|"+s.User], d)
			}
			for u, x := range units {
				task, user, _ := strings.Cut(u, "|")
				if survey {
					task = user
				}
				clusters[task] = append(clusters[task], avg(map[string][]float64{"": x})...)
			}
			want := math.NaN()
			if list := avg(clusters); len(list) > 0 {
				want = avg(map[string][]float64{"": list})[0]
			}
			what := fmt.Sprintf("survey %v: %s against %s (%s), %s after %d", survey, c.Strategy, c.Against, c.Why, c.Measure, c.Questions)
			if !near(float64(c.Value), want) || c.N != n || c.Undefined != lacking || c.Clusters != len(clusters) {
				t.Errorf("%s: %v, n %d, undefined %d, clusters %d; want %v, %d, %d, %d", what, c.Value, c.N, c.Undefined, c.Clusters, want, n, lacking, len(clusters))
			}
			if c.Value.Defined() {
				p := c.Test.P
				if c.Test.Family > 0 {
					p = c.Test.Holm
				}
				if want := p < .05; c.Resolved != want || p.Defined() != (c.Clusters >= 6 && c.Test.Method != ByNothing) {
					t.Errorf("%s: p %v of %d clusters resolved: %v", what, p, c.Clusters, c.Resolved)
				}
			} else if c.Test != nil || c.Resolved {
				t.Errorf("%s: nothing is known, but it is tested: %+v", what, c.Test)
			}
			if c.Value.Defined() {
				seen[c.Measure]++
			}
			// What is held against each other both ways mirrors, resample by resample.
			// Sessions that one of the two lacks count as undefined one way only.
			for _, d := range m.Comparisons {
				if d.Strategy == c.Against && d.Against == c.Strategy && d.Measure == c.Measure && d.Questions == c.Questions && c.Value.Defined() {
					if !near(float64(d.Value), -float64(c.Value)) || !near(float64(d.Lo), -float64(c.Hi)) {
						t.Errorf("%s: %+v mirrors %+v", what, c.Estimate, d.Estimate)
					}
				}
			}
		}
		for _, measure := range comparedMeasures(true) {
			if seen[measure.name] == 0 {
				t.Errorf("survey %v: no comparison in %s has a value", survey, measure.name)
			}
		}
		for i := range m.Strategies {
			r := &m.Strategies[i]
			if (r.Gain != nil) != (r.Base == "pep") {
				t.Errorf("%s: gain %+v", r.Name, r.Gain)
			}
			if r.Gain == nil {
				continue
			}
			for _, g := range r.Gain.ByQuestions {
				c := find(slices.DeleteFunc(m.of(r.Name), func(c Comparison) bool { return c.Why != whyTwin }), "alignment", g.Questions)
				if c != nil && testWords(&c.difference) != testWords(&g.difference) {
					t.Errorf("%s after %d: gain %+v, compared %+v", r.Name, g.Questions, g.difference, c.difference)
				}
			}
		}
	}
}

// TestRivals: what is compared with what, and why.
func TestRivals(t *testing.T) {
	for _, test := range []struct {
		reason    string
		reference string
		against   []string
		change    func(*record.Manifest)
		strategy  string
		want      string // against:why, in order
		questions string
		warn      string
	}{
		{reason: "twin before reference", reference: "static+belief", strategy: "pep+belief", want: "twin+belief:twin static+belief:reference", questions: "[2]"},
		{reason: "the twin predicts alike", reference: "static+belief", strategy: "pep+answers", want: "twin+answers:twin static+belief:reference", questions: "[2]"},
		{reason: "a twin that is the reference too comes once", reference: "twin+belief", strategy: "pep+belief", want: "twin+belief:twin", questions: "[2]"},
		{reason: "the reference is not compared with itself", reference: "static+belief", strategy: "static+belief", want: "", questions: "[2]"},
		{reason: "a base means the row that predicts alike", against: []string{"random"}, strategy: "static+belief", want: "random+belief:against", questions: "[2]"},
		{reason: "a name means that row, for those that predict alike", against: []string{"random+answers"}, strategy: "static+belief", want: "", questions: "[2]"},
		{reason: "a base before a name, as the row that predicts from answers is called like it", against: []string{"random"}, change: func(m *record.Manifest) { m.Strategies[9].Name = "random" }, strategy: "static+belief", want: "random+belief:against", questions: "[2]"},
		{reason: "a floor predicts unlike everything and is compared with everything", against: []string{"none"}, strategy: "static+belief", want: "none:against", questions: "[2]"},
		{reason: "a floor is compared with nothing", reference: "static+belief", strategy: "none", want: "", questions: "[2]"},
		{reason: "an unknown name", against: []string{"nobody"}, strategy: "pep+belief", want: "twin+belief:twin", questions: "[2]", warn: `report.against names "nobody"`},
		{
			reason: "questions are sorted, and those without a checkpoint left out", strategy: "pep+belief", want: "twin+belief:twin",
			change: func(m *record.Manifest) { m.Report.Questions = []int{2, 7, 1, 2} }, questions: "[1 2]", warn: "report.questions names 7",
		},
		{
			reason: "no question with a checkpoint: the final one", strategy: "pep+belief", want: "twin+belief:twin",
			change: func(m *record.Manifest) { m.Report.Questions = []int{9} }, questions: "[2]", warn: "report.questions names 9",
		},
	} {
		y := synth{tasks: 2, users: 2, seeds: 1, criteria: 5, budget: 2, change: func(m *record.Manifest, _ *[]record.Session) {
			m.Report.Reference, m.Report.Against = test.reference, test.against
			if test.change != nil {
				test.change(m)
			}
		}}
		m := Compute(load(t, y.write(t)))
		var got []string
		for _, c := range m.Comparisons {
			if s := c.Against + ":" + c.Why; c.Strategy == test.strategy && !slices.Contains(got, s) {
				got = append(got, s)
			}
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%s: %s is compared with %s, want %s", test.reason, test.strategy, s, test.want)
		}
		if s := fmt.Sprint(m.ComparedAt); s != test.questions {
			t.Errorf("%s: compared at %s, want %s", test.reason, s, test.questions)
		}
		if all := strings.Join(m.Warnings, "\n"); !strings.Contains(all, test.warn) {
			t.Errorf("%s: no warning %q in %q", test.reason, test.warn, m.Warnings)
		}
	}
}

// TestGainFiles: without a comparison there is no table, without a twin no figure,
// and an earlier report leaves none behind.
func TestGainFiles(t *testing.T) {
	y := synth{tasks: 2, users: 2, seeds: 1, criteria: 4, budget: 1}
	dir := y.write(t)
	has := func() (table, figure bool) {
		s, err := writePlain(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s.Files {
			table = table || f == "tables/gain.tex"
			figure = figure || f == "figures/gain.svg"
		}
		for name, want := range map[string]bool{"tables/gain.tex": table, "figures/gain.svg": figure} {
			if exists(dir, name) != want {
				t.Errorf("%s is there: %v, reported: %v", name, !want, want)
			}
		}
		return table, figure
	}
	for _, test := range []struct {
		reason        string
		change        func(*record.Manifest)
		table, figure bool
	}{
		{"twins and a reference", func(*record.Manifest) {}, true, true},
		{"no twin", func(m *record.Manifest) {
			for i := range m.Strategies {
				m.Strategies[i].TwinOf = ""
			}
		}, true, false},
		{"neither", func(m *record.Manifest) { m.Report.Reference = "" }, false, false},
	} {
		m, err := record.ReadManifest(dir)
		if err != nil {
			t.Fatal(err)
		}
		test.change(m)
		if err := record.WriteJSON(dir+"/manifest.json", m); err != nil {
			t.Fatal(err)
		}
		if table, figure := has(); table != test.table || figure != test.figure {
			t.Errorf("%s: table %v, figure %v", test.reason, table, figure)
		}
	}
}

// TestGainOnPaper: LaTeX has the adaptive gain alone, one row a number of questions,
// and says where the rest is; Markdown has everything.
func TestGainOnPaper(t *testing.T) {
	y := goldens()["gain"]
	m := Compute(load(t, y.write(t)))
	g := gainTable(m)
	rows := func(g *grid) (n int) {
		for _, group := range g.groups {
			n += len(group)
		}
		return n
	}
	p := g.paper()
	twins := 0
	for i := range m.Strategies {
		if m.Strategies[i].Gain != nil {
			twins++
		}
	}
	if got, want := rows(p), twins*len(m.ComparedAt); got != want || want < 2 {
		t.Errorf("%d rows on paper, want %d", got, want)
	}
	if want := fmt.Sprintf("The other %d comparisons are in gain.csv.", rows(g)-twins); !strings.Contains(p.caption, want) {
		t.Errorf("no %q in %q", want, p.caption)
	}
	if g.head[2] == paperQuestions || p.head[2] != paperQuestions || !p.right(2) {
		t.Errorf("columns %q, on paper %q", g.head, p.head)
	}
	for _, test := range []struct {
		reason string
		rows   int
		want   []int
	}{
		{"it fits a page", paperRows / 2, []int{1, 3}},
		{"it does not", paperRows/2 + 1, []int{3}},
	} {
		got, rest := onPaper(m, test.rows, "gain")
		if !slices.Equal(got, test.want) || (rest == "") != (len(got) == 2) {
			t.Errorf("%s: %v %q, want %v", test.reason, got, rest, test.want)
		}
	}
}
