package reports

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pepbench/bench/record"
	"pepbench/reports/stats"
)

// shifted gives the strategy of the sweep other alignments in every cluster: those of the
// made-up run plus of(cluster).
func shifted(m *Metrics, of func(g int) Number) {
	for i := range m.Strategies {
		r := &m.Strategies[i]
		if r.Name != "pep+belief" {
			continue
		}
		sum := Number(0)
		for g := range r.ClusterMeans {
			r.ClusterMeans[g] += of(g)
			sum += r.ClusterMeans[g]
		}
		a := r.final()
		a.Value = sum / Number(len(r.ClusterMeans))
		a.Lo, a.Hi = a.Value-1, a.Value+1
	}
}

// TestAblation: every cell is held against the base, task by task, and p is corrected for
// the cells; a cell that cannot be paired says why.
func TestAblation(t *testing.T) {
	run := synth{tasks: 12, users: 2, seeds: 1, criteria: 8, budget: 3}
	noise := func(at int) func(int) Number {
		return func(g int) Number { return Number(math.Sin(float64(7*at+3*g))) - 20 }
	}
	effect := []Number{0, -4, .1, -2, 0, 0}
	y := synthSweep{
		run:  run,
		axes: []record.Axis{{Path: "strategies.pep.acquisition", Values: []string{"a", "b", "c", "d", "e", "f"}}},
		change: func(at []int, m *Metrics) {
			shifted(m, func(g int) Number { return effect[at[0]] + noise(at[0])(g) })
			switch at[0] {
			case 4:
				m.ClusterIDs[0] = "another task"
			case 5:
				m.Data.Version = "2"
			}
		},
	}
	s, err := LoadSweep(y.write(t))
	if err != nil {
		t.Fatal(err)
	}
	if s.Base == nil || *s.Base != 0 || s.Cells[0].MinusBase != nil || s.Cells[0].Unpaired != "" {
		t.Fatalf("base %v: %+v", s.Base, s.Cells[0])
	}
	var p []float64
	for i := 1; i <= 3; i++ {
		var d []float64
		for g := range 12 {
			d = append(d, float64(effect[i]+noise(i)(g)-noise(0)(g)))
		}
		mean, _ := stats.Mean(d)
		// All patterns of signs, by hand.
		as := 0
		for k := range 1 << 12 {
			sum := 0.
			for g, v := range d {
				if k>>g&1 == 1 {
					v = -v
				}
				sum += v
			}
			if math.Abs(sum) >= math.Abs(mean*12)-1e-9 {
				as++
			}
		}
		p = append(p, float64(as)/(1<<12))
		var samples []float64
		for r := range s.Resamples {
			rng, sum := rand.New(rand.NewPCG(7, uint64(r))), 0.
			for range d {
				sum += d[rng.IntN(len(d))]
			}
			samples = append(samples, sum/12)
		}
		slices.Sort(samples)
		c := s.Cells[i].MinusBase
		if c == nil {
			t.Fatalf("cell %d: %s", i, s.Cells[i].Unpaired)
		}
		close := func(a Number, b float64) bool { return math.Abs(float64(a)-b) < 1e-5 } // metrics have six decimals
		if !close(c.Value, mean) || !close(c.Lo, samples[4]) || !close(c.Hi, samples[len(samples)-5]) || c.Clusters != 12 {
			t.Errorf("cell %d: %+v, want %v [%v, %v]", i, c.Estimate, mean, samples[4], samples[len(samples)-5])
		}
		if c.Test.Method != BySignFlip || !close(c.Test.P, p[i-1]) || c.Test.Family != 3 || !c.Test.MDE.Defined() {
			t.Errorf("cell %d: %+v, want p %v", i, c.Test, p[i-1])
		}
	}
	for i, holm := range stats.Holm(p) {
		c := s.Cells[i+1].MinusBase
		if math.Abs(float64(c.Test.Holm)-holm) > 1e-5 || c.Resolved != (holm < .05) {
			t.Errorf("cell %d: Holm %v, want %v; resolved %v", i+1, c.Test.Holm, holm, c.Resolved)
		}
	}
	if !s.Cells[1].MinusBase.Resolved || s.Cells[2].MinusBase.Resolved {
		t.Errorf("an effect of -4 is resolved: %v, one of .1: %v", s.Cells[1].MinusBase.Resolved, s.Cells[2].MinusBase.Resolved)
	}
	for i, want := range map[int]string{4: "its tasks are not those of the base, so that the two cannot be paired", 5: "its data are not those of the base, so that the two cannot be paired"} {
		if c := s.Cells[i]; c.MinusBase != nil || c.Unpaired != want {
			t.Errorf("cell %d: %+v, %q", i, c.MinusBase, c.Unpaired)
		}
	}
	md := string(ablationTable(s).markdown())
	for _, want := range []string{"| base |", `\*\* | .001 | &lt;.001 | 0.5 | 6 |`, "Corrected by Holm for a family of 3, the cells against the base.", "its data are not those of the base", "more than one in five runs over 12 tasks", "acquisition = a (the first value of every axis)"} {
		if !strings.Contains(md, want) {
			t.Errorf("no %q in\n%s", want, md)
		}
	}
	lines := ablationCSV(s)
	for _, l := range lines {
		if len(l) != len(lines[0]) {
			t.Errorf("%d fields, want %d: %q", len(l), len(lines[0]), l)
		}
	}
	if len(lines) != 7 || domainsTable(s).groups != nil {
		t.Errorf("%d lines, or domains that are none", len(lines))
	}
}

// TestAblationResolved: a cell whose p is small is not resolved where its interval has 0 in it.
func TestAblationResolved(t *testing.T) {
	noise := func(g int) float64 { return math.Round(1000*math.Sin(float64(5*g))) / 1000 }
	of := stats.Analysis{Bootstrap: stats.Bootstrap{Resamples: 39, Confidence: .95, Seed: 7}} // ends are the extremes
	effect, found := 0., false
	for i := 0; !found && i < 400; i++ {
		effect, of.Seed = .4+.02*float64(i%20), uint64(i)
		d := make([]float64, 12)
		for g := range d {
			d[g] = effect + noise(g)
		}
		c := of.Difference(d, nil)
		found = c.P < .05 && c.Lo < -1e-3
	}
	if !found {
		t.Fatal("p and the interval agree whatever the effect is")
	}
	y := synthSweep{
		run:  synth{tasks: 12, users: 2, seeds: 1, criteria: 8, budget: 3},
		axes: []record.Axis{{Path: "strategies.pep.acquisition", Values: []string{"a", "b"}}},
		change: func(at []int, m *Metrics) {
			m.Resamples, m.Confidence, m.Seed = of.Resamples, of.Confidence, int(of.Seed)
			shifted(m, func(g int) Number { return Number(float64(at[0]) * (effect + noise(g))) })
		},
	}
	s, err := LoadSweep(y.write(t))
	if err != nil {
		t.Fatal(err)
	}
	c := s.Cells[1].MinusBase
	if c == nil || !(c.Test.Holm < .05) || !(c.Lo < 0 && c.Hi > 0) || c.Resolved {
		t.Errorf("%+v, want p below .05, 0 in the interval, and not resolved", c)
	}
}

// TestAblationBase: the base is the cell of the first values, or the first that has a
// number; without any there is none.
func TestAblationBase(t *testing.T) {
	axes := []record.Axis{{Path: "a", Values: []string{"x", "y"}}, {Path: "b", Values: []string{"1", "2"}}}
	for _, row := range []struct {
		reason string
		axes   []record.Axis
		spoil  func(at []int) bool
		old    bool // reports without cluster means
		base   int  // -1: none
		words  string
	}{
		{"of the first values", axes, func([]int) bool { return false }, false, 0, "(the first value of every axis)"},
		{"the first that has a number", axes, func(at []int) bool { return at[0] == 0 }, false, 2, "(the first cell with a number, since that of the first values has none)"},
		{"nothing has a number", axes, func([]int) bool { return true }, false, -1, ""},
		{"domains have none", []record.Axis{{Path: "domain.name", Values: []string{"x", "y"}}}, func([]int) bool { return false }, false, -1, ""},
		{"one cell alone", []record.Axis{{Path: "a", Values: []string{"x"}}}, func([]int) bool { return false }, false, 0, ""},
		{"reports of before", axes, func([]int) bool { return false }, true, 0, "report it again"},
	} {
		y := synthSweep{axes: row.axes, run: synth{tasks: 3, users: 1, seeds: 1, criteria: 5, budget: 1}, spoil: func(at []int, dir string) {
			if row.spoil(at) {
				os.RemoveAll(dir)
			}
		}, change: func(_ []int, m *Metrics) {
			if row.old {
				for i := range m.Strategies {
					m.Strategies[i].ClusterMeans = nil
				}
			}
		}}
		dir := y.write(t)
		sum, err := WriteSweep(dir)
		if err != nil {
			t.Fatal(err)
		}
		s, err := LoadSweep(dir)
		if err != nil {
			t.Fatal(err)
		}
		base := -1
		if s.Base != nil {
			base = *s.Base
		}
		md := string(ablationTable(s).markdown())
		if base != row.base || !strings.Contains(md, row.words) || slices.Contains(sum.Files, "tables/ablation.md") != (row.words != "") {
			t.Errorf("%s: base %d, files %v\n%s", row.reason, base, sum.Files, md)
		}
		// Three tasks are too few to tell anything.
		for _, c := range s.Cells {
			if d := c.MinusBase; d != nil && (d.Resolved || d.Test.Method != ByNothing || d.Test.P.Defined() || d.Test.Family != 0 || d.Test.MDE.Defined()) {
				t.Errorf("%s: %+v of three tasks", row.reason, d.Test)
			}
		}
	}
}

// TestDomains: a row a strategy, a column a domain with the mark of its difference there,
// and the mean of domains with the interval of the mean of their resamples.
func TestDomains(t *testing.T) {
	nan := undefined()
	y := synthSweep{
		axes: []record.Axis{{Path: "domain.name", Values: []string{"medical", "math", "social"}}},
		run:  synth{tasks: 7, users: 2, seeds: 1, criteria: 8, budget: 3},
		change: func(at []int, m *Metrics) {
			for g := range m.ClusterIDs {
				m.ClusterIDs[g] = fmt.Sprintf("%d-%s", at[0], m.ClusterIDs[g])
			}
			m.Data.Name = fmt.Sprint(at[0])
			shifted(m, func(g int) Number { return Number(-10*at[0] - g) })
			for i := range m.Strategies {
				r := &m.Strategies[i]
				if r.Difference != nil {
					r.Difference = found(-3, ByT, .001, .03, 7, 2.5, true)
					if at[0] == 1 {
						r.Difference = found(-1, ByT, .2, .4, 7, 1.5, false)
					}
					if r.Name == "none" {
						r.Difference = found(-9, ByT, .0001, nan, 0, 3, true)
					}
				}
			}
			if at[0] == 2 {
				m.Strategies = slices.DeleteFunc(m.Strategies, func(r Row) bool { return r.Name == "random+answers" })
			}
		},
	}
	dir := y.write(t)
	sum, err := WriteSweep(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := LoadSweep(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(sum.Files, "tables/domains.tex") || slices.Contains(sum.Files, "tables/ablation.tex") {
		t.Errorf("files %v", sum.Files)
	}
	g := domainsTable(s)
	md := string(g.markdown())
	row := func(name string) []cell {
		for _, group := range g.groups {
			for _, cells := range group {
				if cells[0].value == name {
					return cells
				}
			}
		}
		t.Fatalf("no row %q in\n%s", name, md)
		return nil
	}
	if strings.Contains(g.caption, "of other users") {
		t.Errorf("users are not drawn: %s", g.caption)
	}
	s.Intervals = OverBoth
	if caption := domainsTable(s).caption; !strings.Contains(caption, "Nor does it of other users, over which those of the domains are") {
		t.Errorf("users are drawn in the domains alone: %s", caption)
	}
	s.Intervals = OverClusters
	for _, want := range []string{
		"| Strategy | Predicts from | medical | math | social | Mean of domains |", "Marks are of the difference to static+belief in that domain.",
		"family of 7: the strategies against static+belief, in alignment after 3 questions, in each domain.", "not corrected: none.", "below 1.5 would be missed by more than one in five runs over 7 tasks",
	} {
		if !strings.Contains(md, want) {
			t.Errorf("no %q in\n%s", want, md)
		}
	}
	pep := row("pep+belief")
	for i, mark := range []string{"*", "~", "*"} {
		if pep[2+i].mark != mark {
			t.Errorf("pep in domain %d: %+v, want %q", i, pep[2+i], mark)
		}
	}
	if r := row("random+answers"); r[4].value != dash || g.notes[r[4].note-1] != "the run has no such strategy" || r[5].value != dash || g.notes[r[5].note-1] != "has no value in social" {
		t.Errorf("a strategy that one domain has not: %+v, %q", r, g.notes)
	}
	if r := row("static+belief"); r[2].mark != "" {
		t.Errorf("the reference has the mark %q", r[2].mark)
	}
	// The mean, and its interval, by hand.
	samples, mean := make([]float64, s.Resamples), 0.
	for i, m := range s.runs {
		x := m.exactly("pep+belief").floats()
		for r := range samples {
			rng := rand.New(rand.NewPCG(stratum(7, i), uint64(r)))
			for range x {
				samples[r] += x[rng.IntN(len(x))] / float64(3*len(x))
			}
		}
		for _, v := range x {
			mean += v / float64(3*len(x))
		}
	}
	slices.Sort(samples)
	if got, want := pep[5].text(), fmt.Sprintf("%.1f [%.1f, %.1f]", mean, samples[4], samples[len(samples)-5]); got != want {
		t.Errorf("mean of domains %s, want %s", got, want)
	}
	lines := domainsCSV(s)
	differences := 0
	for _, l := range lines {
		if len(l) != len(lines[0]) {
			t.Errorf("%d fields, want %d: %q", len(l), len(lines[0]), l)
		}
		if l[6] == "alignment_difference" {
			differences++
		}
	}
	if differences != 3*9-1 { // of ten rows one is the reference; one is lacking once
		t.Errorf("%d differences", differences)
	}
	// Another sweep in the same folder takes the table away.
	sw, err := record.ReadSweep(dir)
	if err != nil {
		t.Fatal(err)
	}
	sw.Axes[0].Path = "seed"
	if err := record.WriteSweep(dir, sw); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteSweep(dir); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "tables/domains.*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
