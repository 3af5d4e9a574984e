package reports

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pepbench/bench/record"
	"pepbench/reports/stats"
)

// testWords is all that is known of a difference.
func testWords(d *difference) string {
	if d.Test == nil {
		return fmt.Sprintf("%+v %v", d.Estimate, d.Resolved)
	}
	return fmt.Sprintf("%+v %v %+v", d.Estimate, d.Resolved, *d.Test)
}

// TestDifferenceTest holds p, MDE and clusters needed to numbers by hand (p of t, and power:
// R, t.test and power.t.test with strict = TRUE).
func TestDifferenceTest(t *testing.T) {
	nan := math.NaN()
	repeat := func(v float64, n int) []float64 { return slices.Repeat([]float64{v}, n) }
	for _, test := range []struct {
		reason   string
		d        []float64
		method   string
		p, mde   float64
		needed   int
		resolved bool
		byT      bool
	}{
		{"ten: of eight alike and two 0, 8 of 1024 patterns leave all alike", append(repeat(1, 8), 0, 0), BySignFlip, 8. / 1024, .4199511, 6, true, false},
		{"the same downwards", append(repeat(-1, 8), 0, 0), BySignFlip, 8. / 1024, .4199511, 6, true, false},
		{"half for, half against: every pattern reaches that", append(repeat(1, 5), repeat(-1, 5)...), BySignFlip, 1, 1.049878, 0, false, false},
		{"one cluster for all: every pattern reaches that, too", append(repeat(0, 9), 5), BySignFlip, 1, 1.574816, 81, false, false},
		{"no difference at all", repeat(0, 10), BySignFlip, 1, nan, 0, false, true},
		{"all alike: found, but of a spread of 0 nothing follows", repeat(2, 10), BySignFlip, 2. / 1024, nan, 0, true, true},
		{"an undefined cluster is none", append(repeat(2, 10), nan), BySignFlip, 2. / 1024, nan, 0, true, true},
		{"six: t", []float64{1, 2, 3, 4, 5, 6}, ByT, .005933545, 2.683788, 6, true, true},
		{"nine: t", []float64{1, 2, 3, 4, 5, 6, -7, -8, -9}, ByT, .8708774, 6.357227, 2510, false, true},
		{"six without spread", repeat(2, 6), ByNothing, nan, nan, 0, false, true},
		{"five: cannot tell, and it takes six", []float64{9, 9, 9, 9, 8}, ByNothing, nan, nan, 6, false, false},
		{"one", []float64{9}, ByNothing, nan, nan, 0, false, false},
	} {
		c := &computer{boot: stats.Bootstrap{Resamples: 200, Confidence: .95, Seed: 1}, mde: map[int]float64{}}
		b := batch{computer: c, cols: []column{{clusters: test.d}}}
		b.cols[0].mean, b.cols[0].defined = stats.Mean(test.d)
		b.draw()
		got := b.difference(0)
		near := func(a Number, want float64) bool {
			return a.Defined() != math.IsNaN(want) && (math.IsNaN(want) || math.Abs(float64(a)-want) < 1e-6)
		}
		if got.Test.Method != test.method || !near(got.Test.P, test.p) || got.Resolved != test.resolved {
			t.Errorf("%s: %s, p %v, resolved %v, want %s, %v, %v", test.reason, got.Test.Method, got.Test.P, got.Resolved, test.method, test.p, test.resolved)
		}
		if !near(got.Test.MDE, test.mde) || got.Test.Needed != test.needed {
			t.Errorf("%s: MDE %v, %d needed, want %v, %d", test.reason, got.Test.MDE, got.Test.Needed, test.mde, test.needed)
		}
		if got.Test.Holm.Defined() || got.Test.Family != 0 {
			t.Errorf("%s: outside of a family it is in one: %+v", test.reason, got.Test)
		}
		if iv := stats.MeanOfClusters(test.d).Interval(.95); test.byT != (float64(got.Lo) == iv.Lo && float64(got.Hi) == iv.Hi) {
			t.Errorf("%s: interval [%v, %v], that of t is %v", test.reason, got.Lo, got.Hi, iv)
		}
	}
	// At another confidence, and of several numbers of clusters in one run: R, as above with
	// sig.level = .1.
	c := &computer{boot: stats.Bootstrap{Resamples: 200, Confidence: .9, Seed: 1}, mde: map[int]float64{}}
	for _, test := range []struct {
		d   []float64
		mde float64
	}{{append(repeat(1, 8), 0, 0), 0.3595797}, {append(repeat(1, 8), 0, 0, 0), 0.3765275}, {append(repeat(1, 8), 0, 0), 0.3595797}} {
		b := batch{computer: c, cols: []column{{clusters: test.d, defined: len(test.d)}}}
		b.draw()
		if got := b.difference(0).Test.MDE; math.Abs(float64(got)-test.mde) > 1e-6 {
			t.Errorf("%d clusters at 90%%: MDE %v, want %v", len(test.d), got, test.mde)
		}
	}
	b := batch{computer: &computer{}, cols: []column{{clusters: []float64{nan}, mean: nan}}, samples: [][]float64{{nan}}}
	if got := b.difference(0); got.Test != nil || got.Resolved {
		t.Errorf("nothing is known, but it is tested: %+v", got)
	}
}

// TestFamilyOfSome: what has no p is no member, and Holm corrects for the others alone.
func TestFamilyOfSome(t *testing.T) {
	c := &computer{boot: stats.Bootstrap{Confidence: .95}, out: &Metrics{}}
	for _, p := range []float64{.02, math.NaN(), .03} {
		d := &difference{Estimate: Estimate{Lo: 1, Hi: 2}, Test: &test{P: Number(p)}}
		c.out.Strategies = append(c.out.Strategies, Row{Difference: d})
	}
	c.family()
	for i, want := range []struct {
		holm     float64
		resolved bool
	}{{.04, true}, {math.NaN(), false}, {.04, true}} {
		d := c.out.Strategies[i].Difference
		if d.Test.Family != 2 || d.Test.Holm.Defined() == math.IsNaN(want.holm) || math.Abs(float64(d.Test.Holm)-want.holm) > 1e-12 || d.Resolved != want.resolved {
			t.Errorf("%d: %+v, resolved %v, want %+v in a family of 2", i, d.Test, d.Resolved, want)
		}
	}
}

// TestResolved: p has to be below the level, and the interval to leave out 0.
func TestResolved(t *testing.T) {
	for _, test := range []struct {
		reason    string
		p, lo, hi float64
		want      bool
	}{
		{"both", .049, .1, 2, true},
		{"both, below 0", .049, -2, -.1, true},
		{"p right at 1 - confidence, which in floating point is above .05", .05, .1, 2, false},
		{"p alone", .001, -.1, 2, false},
		{"the interval alone", .06, .1, 2, false},
		{"0 is the lower end", .001, 0, 2, false},
		{"0 is the upper end", .001, -2, 0, false},
		{"no p", math.NaN(), .1, 2, false},
		{"no interval", .001, math.NaN(), math.NaN(), false},
	} {
		c := computer{boot: stats.Bootstrap{Confidence: .95}}
		d := difference{Estimate: Estimate{Lo: Number(test.lo), Hi: Number(test.hi)}}
		if got := c.resolved(&d, test.p); got != test.want {
			t.Errorf("%s: %v, want %v", test.reason, got, test.want)
		}
	}
}

// TestFamily corrects by hand what is in the family, and finds the same contrast tested
// alike wherever it is shown.
func TestFamily(t *testing.T) {
	y := synth{tasks: 12, users: 4, seeds: 2, criteria: 9, budget: 3, unscored: 7, change: func(m *record.Manifest, _ *[]record.Session) {
		m.Report.Reference, m.Report.Against, m.Report.Questions = "twin+belief", []string{"random", "none"}, []int{1, 3}
	}}
	r := load(t, y.write(t))
	c := compute(r)
	m := c.out
	type member struct {
		*Row
		p float64
	}
	var members []member
	for i := range m.Strategies {
		row := &m.Strategies[i]
		switch d := row.Difference; {
		case row.Name == "twin+belief":
			if d != nil {
				t.Error("the reference differs from itself")
			}
		case row.fixed():
			if d.Test.Family != 0 || d.Test.Holm.Defined() || !d.Test.P.Defined() || d.Resolved != (d.Test.P < .05) {
				t.Errorf("%s, a floor or ceiling, is exploratory: %s", row.Name, testWords(d))
			}
		default:
			members = append(members, member{row, float64(d.Test.P)})
		}
	}
	if len(members) != 7 {
		t.Fatalf("%d members, want 7", len(members))
	}
	for _, a := range members {
		// The largest of what each p at or below this one is multiplied by.
		want := 0.0
		for _, b := range members {
			if b.p > a.p {
				continue
			}
			above := 0
			for _, o := range members {
				if o.p >= b.p {
					above++
				}
			}
			want = max(want, min(1, float64(above)*b.p))
		}
		d := a.Difference
		if !near(float64(d.Test.Holm), want) || d.Test.Family != 7 || d.Resolved != (want < .05) || d.Test.Method != BySignFlip {
			t.Errorf("%s: %s, want Holm p %v of 7", a.Name, testWords(d), want)
		}
		if p := allSigns(taskDifferences(r, a.Name, "twin+belief", 3)); !near(a.p, p) {
			t.Errorf("%s: p %v, all patterns of signs give %v", a.Name, a.p, p)
		}
	}
	same, gains := 0, 0
	for i := range m.Comparisons {
		o := &m.Comparisons[i]
		row := m.row(t, o.Strategy)
		if o.Against == "twin+belief" && o.Questions == 3 && o.Measure == "alignment" {
			same++
			if testWords(&o.difference) != testWords(row.Difference) {
				t.Errorf("%s: compared %s, in its row %s", o.Strategy, testWords(&o.difference), testWords(row.Difference))
			}
		} else if o.Test != nil && (o.Test.Family != 0 || o.Test.Holm.Defined() || o.Resolved != (o.Test.P < .05)) {
			t.Errorf("%s against %s after %d in %s is exploratory: %s", o.Strategy, o.Against, o.Questions, o.Measure, testWords(&o.difference))
		}
	}
	for _, a := range members {
		if a.Gain != nil && a.Gain.Twin == "twin+belief" {
			for _, g := range a.Gain.ByQuestions {
				if g.Questions == 3 {
					gains++
					if testWords(&g.difference) != testWords(a.Difference) {
						t.Errorf("%s: gain %s, in its row %s", a.Name, testWords(&g.difference), testWords(a.Difference))
					}
				} else if g.Test.Family != 0 {
					t.Errorf("%s: the gain after %d is exploratory: %s", a.Name, g.Questions, testWords(&g.difference))
				}
			}
		}
	}
	if same != 7 || gains != 1 {
		t.Errorf("%d comparisons and %d gains are in the family, want 7 and 1", same, gains)
	}
}

// TestFamilyOfFew: where no strategy can be tested all of them wait for more clusters.
func TestFamilyOfFew(t *testing.T) {
	m := Compute(load(t, synth{tasks: 4, users: 3, seeds: 1, criteria: 6, budget: 2}.write(t)))
	for i := range m.Strategies {
		r := &m.Strategies[i]
		if r.fixed() || r.Difference == nil {
			continue
		}
		if d := r.Difference; d.Test.Method != ByNothing || d.Test.P.Defined() || d.Test.Holm.Defined() || d.Test.Family != 7 || d.Resolved || d.Test.MDE.Defined() || !d.Lo.Defined() {
			t.Errorf("%s: %s", r.Name, testWords(d))
		}
	}
}

// taskDifferences gives the differences in alignment of two strategies by task: means over
// seeds, over users.
func taskDifferences(r *Run, a, b string, questions int) []float64 {
	of := map[string]*strategy{}
	for _, st := range r.strategies {
		of[st.Name] = st
	}
	out := make([]float64, len(r.tasks))
	for task := range out {
		users := map[int][]float64{}
		for _, s := range of[a].sessions {
			o := of[b].at[s.key]
			if s.task != task || o == nil {
				continue
			}
			if d := s.align[of[a].pointAt(questions)] - o.align[of[b].pointAt(questions)]; !math.IsNaN(d) {
				users[s.user] = append(users[s.user], d)
			}
		}
		var means []float64
		for _, x := range users {
			mean, _ := stats.Mean(x)
			means = append(means, mean)
		}
		out[task], _ = stats.Mean(means)
	}
	return out
}

// allSigns is the share of all patterns of signs whose sum is as far from 0 as that of d.
func allSigns(d []float64) float64 {
	d = slices.DeleteFunc(slices.Clone(d), math.IsNaN)
	reached := 0
	for p := range 1 << len(d) {
		sum, seen := 0.0, 0.0
		for i, v := range d {
			seen += v
			if p>>i&1 == 1 {
				v = -v
			}
			sum += v
		}
		if math.Abs(sum) >= math.Abs(seen)-1e-9 {
			reached++
		}
	}
	return float64(reached) / float64(int(1)<<len(d))
}

// TestTwoWay draws tasks and users in loops, and finds intervals of means over sessions
// there, while all others, and p-values, are those of the same run whose users do not
// recur.
func TestTwoWay(t *testing.T) {
	y := synth{tasks: 11, users: 5, seeds: 2, criteria: 9, budget: 3, unscored: 8}
	plain := Compute(load(t, y.write(t)))
	y.change = func(m *record.Manifest, _ *[]record.Session) { m.Data.SharedUsers = true }
	r := load(t, y.write(t))
	m := Compute(r)
	if plain.Intervals != OverClusters || m.Intervals != OverBoth {
		t.Fatalf("intervals over %q and %q", plain.Intervals, m.Intervals)
	}
	boot := stats.Bootstrap{Resamples: 200, Confidence: .95, Seed: 7}
	for _, st := range r.strategies {
		a, b := m.row(t, st.Name), plain.row(t, st.Name)
		var samples []float64
		for k := range boot.Resamples {
			rng := rand.New(rand.NewPCG(7, uint64(k)))
			tasks, users := make([]int, len(r.tasks)), make([]int, len(r.users))
			for _, of := range [][]int{tasks, users} {
				for range of {
					of[rng.IntN(len(of))]++
				}
			}
			var drawn []float64
			for task, times := range tasks {
				seeds := map[int][]float64{}
				for _, s := range st.sessions {
					if s.task == task && !math.IsNaN(s.align[st.final]) {
						seeds[s.user] = append(seeds[s.user], s.align[st.final])
					}
				}
				var units []float64
				for user := range r.users {
					mean, n := stats.Mean(seeds[user])
					for range users[user] * min(n, 1) {
						units = append(units, mean)
					}
				}
				mean, _ := stats.Mean(units)
				for range times {
					drawn = append(drawn, mean)
				}
			}
			mean, _ := stats.Mean(drawn)
			samples = append(samples, mean)
		}
		iv, e := boot.Interval(samples), a.final().Estimate
		if !near(float64(e.Lo), iv.Lo) || !near(float64(e.Hi), iv.Hi) || e.Value != b.final().Value {
			t.Errorf("%s: %v [%v, %v], want %v %v", st.Name, e.Value, e.Lo, e.Hi, b.final().Value, iv)
		}
		if a.Difference != nil {
			d, o := *a.Difference, *b.Difference
			if d.Lo == o.Lo && d.Hi == o.Hi && d.Lo != d.Hi {
				t.Errorf("%s: the interval of its difference is over tasks alone: [%v, %v] and [%v, %v]", st.Name, d.Lo, d.Hi, o.Lo, o.Hi)
			}
			d.Lo, d.Hi = o.Lo, o.Hi
			if testWords(&d) != testWords(&o) {
				t.Errorf("%s: %s, without users %s", st.Name, testWords(&d), testWords(&o))
			}
		}
		if fmt.Sprint(a.Adaptivity.PairShare) != fmt.Sprint(b.Adaptivity.PairShare) || fmt.Sprint(a.Adaptivity.Collapse) != fmt.Sprint(b.Adaptivity.Collapse) {
			t.Errorf("%s: shares of pairs depend on whether users recur", st.Name)
		}
	}
	// The target is drawn with all else, so that whose end it is reaches it in every resample.
	aimed := m.row(t, m.Target.Strategy)
	if got, want := fmt.Sprint(m.Target.Alignment), fmt.Sprint(aimed.final().Estimate); got != want {
		t.Errorf("target %s, and its strategy ends at %s", got, want)
	}
	if own := aimed.ToTarget; own.Never != 0 || !(own.Hi <= Number(m.Final)) || own.HiOpen {
		t.Errorf("%s reaches its own end at %+v", aimed.Name, own)
	}
	all := strings.Join(m.Warnings, "\n")
	if !strings.Contains(all, "intervals of means over sessions are over tasks and users") || !strings.Contains(all, "few users: intervals rest on 5 users") {
		t.Errorf("warnings: %s", all)
	}
	for what, s := range map[string]string{
		"bootstrap over tasks and users (of adaptivity: over tasks alone), 200 resamples.": mainTable(m).caption,
		"bootstrap over tasks and users, 200 resamples.":                                   errorsTable(m).caption,
		"bootstrap over tasks, 200 resamples. ":                                            adaptivityTable(m).caption,
		"95% bootstrap over 11 tasks and 5 users":                                          terminal(m, 100),
		"bootstrap over tasks, 200 resamples.":                                             mainTable(plain).caption,
		"95% bootstrap over 11 tasks":                                                      clusterNote(m, "Intervals"),
		"Intervals: 95% bootstrap over 11 tasks.":                                          intervalNote(plain, "Intervals"),
	} {
		if !strings.Contains(s, what) {
			t.Errorf("%q does not say %q", s, what)
		}
	}

	y.survey, y.tasks, y.users = true, 1, 12
	survey := Compute(load(t, y.write(t)))
	y.change = nil
	if alone := Compute(load(t, y.write(t))); survey.Intervals != OverClusters || fmt.Sprint(survey.row(t, "pep+belief").final().Estimate) != fmt.Sprint(alone.row(t, "pep+belief").final().Estimate) {
		t.Errorf("a survey has users alone: %q", survey.Intervals)
	}
}

// TestTOfFew: captions say where differences have intervals of t.
func TestTOfFew(t *testing.T) {
	for n, want := range map[int]string{5: "", 6: "; of paired differences by t of task means", 9: "; of paired differences by t of task means", 10: ""} {
		m := &Metrics{Cluster: "task", Tasks: n, Confidence: .9, Intervals: OverBoth, Users: 8}
		if got := byT(m); got != want {
			t.Errorf("%d tasks: %q, want %q", n, got, want)
		}
		note := fmt.Sprintf("Intervals: 90%% by t of %d task means.", n)
		if want == "" {
			note = intervalNote(m, "Intervals")
		}
		if got := differenceNote(m, "Intervals"); got != note {
			t.Errorf("%d tasks: %q, want %q", n, got, note)
		}
	}
}
