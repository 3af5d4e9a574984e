package belief

import (
	"context"
	"math"
	"slices"
	"testing"

	"pepbench/domains"
	"pepbench/strategies/belief/parity"
)

// ruleOf says which of our rules a model of the reference is.
var ruleOf = map[string]Rule{
	"Prior": RulePrior, "Naive Bayes": RuleNaiveBayes, "Item CF": RuleItemCF, "Item CF + Value": RuleItemCFValue,
	"Hybrid NB+CF": RuleHybrid, "Logistic CF": RuleLogisticCF, "Bayesian CF": RuleBayesianCF,
}

// asReleased is a reference with the models fitted on its training profiles.
type asReleased struct {
	*parity.Reference
	train Population
}

func loadParity(t testing.TB) asReleased {
	t.Helper()
	r, err := parity.Load("testdata/parity")
	if err != nil {
		t.Fatal(err)
	}
	return asReleased{r, NewPopulation(r.Data, r.Train)}
}

func (r asReleased) fit(t testing.TB, rule Rule, compat bool) *Released {
	t.Helper()
	m, _, err := FitReleased(context.Background(), r.train, Population{Criteria: r.train.Criteria}, ReleasedOptions{Rule: rule, Compat: compat})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (r asReleased) rule(t testing.TB, model string) Rule {
	t.Helper()
	rule, ok := ruleOf[model]
	if !ok {
		t.Fatalf("unknown model %q", model)
	}
	return rule
}

// kernels are the two ways to compute.
var kernels = []struct {
	name   string
	compat bool
}{{"compat", true}, {"fast", false}}

// TestParityData: loader, filter and split leave what the reference worked on, in
// its order.
func TestParityData(t *testing.T) {
	r := loadParity(t)
	if r.Dropped != r.Empty {
		t.Errorf("the filter drops %d profiles, the reference's %d", r.Dropped, r.Empty)
	}
	if len(r.Test) != r.NumSessions {
		t.Errorf("%d test profiles, want %d", len(r.Test), r.NumSessions)
	}
	for _, p := range r.TestProblems {
		task := r.Task(p)
		if task == nil {
			t.Errorf("no problem %q", p)
			continue
		}
		var names []string
		for _, c := range task.Criteria {
			names = append(names, r.Data.Criteria[c].Name)
		}
		if want := r.Problems[p].Criteria; !slices.Equal(names, want) {
			t.Errorf("problem %s has the criteria %q, want %q", p, names, want)
		}
	}
}

// TestParityStatistics: all of them, to 1e-12, and no others.
func TestParityStatistics(t *testing.T) {
	const tol = 1e-12
	r := loadParity(t)
	want, err := r.Statistics()
	if err != nil {
		t.Fatal(err)
	}
	s := newReleasedStats(r.train, 0)
	n := len(r.Data.Criteria)
	at := map[string]int{}
	for i := range r.Data.Criteria {
		at[r.Data.Criteria[i].Name] = i
	}
	near := func(what string, got, want float64, of ...string) {
		if !(math.Abs(got-want) <= tol) {
			t.Errorf("%s of %q is %v, want %v", what, of, got, want)
		}
	}
	for i := range r.Data.Criteria {
		name := r.Data.Criteria[i].Name
		p, ok := want.Priors[name]
		if ok != (s.Listed[i] > 0) {
			t.Errorf("%q is listed in %d rows; does the reference know it: %v", name, s.Listed[i], ok)
		}
		if !ok {
			continue
		}
		near("P(held)", s.Has[i], p.Has, name)
		near("value", s.Value[i], p.Value, name)
		if s.Listed[i] != p.Rows || s.Held[i] != want.Held[name] {
			t.Errorf("%q: %d of %d hold it, want %d of %d", name, s.Held[i], s.Listed[i], want.Held[name], p.Rows)
		}
	}
	if len(want.Priors) == 0 || len(want.Similarity) == 0 || len(want.Conditionals) == 0 || len(want.Correlation) == 0 {
		t.Fatal("the reference has no statistics")
	}
	pairs := func(what string, list []parity.Pair, m []float64, none func(float64) bool) {
		for _, p := range list {
			near(what, m[at[p.C]*n+at[p.D]], p.Value, p.C, p.D)
			near(what, m[at[p.D]*n+at[p.C]], p.Value, p.D, p.C)
		}
		some := 0
		for i, v := range m {
			if i/n < i%n && !none(v) {
				some++
			}
		}
		if some != len(list) {
			t.Errorf("%s of %d pairs, want %d", what, some, len(list))
		}
	}
	pairs("similarity", want.Similarity, s.Similarity, func(v float64) bool { return v == 0 })
	pairs("correlation", want.Correlation, s.Correlation, math.IsNaN)
	for _, p := range want.Conditionals {
		cd, dc := at[p.C]*n+at[p.D], at[p.D]*n+at[p.C]
		near("P(d|c)", s.Given[cd], p.DC, p.C, p.D)
		near("P(d|not c)", s.GivenNot[cd], p.DNotC, p.C, p.D)
		near("P(c|d)", s.Given[dc], p.CD, p.C, p.D)
		near("P(c|not d)", s.GivenNot[dc], p.CNotD, p.C, p.D)
	}
	some := 0
	for _, v := range s.Given {
		if !math.IsNaN(v) {
			some++
		}
	}
	if some != 2*len(want.Conditionals) {
		t.Errorf("%d conditionals, want %d", some, 2*len(want.Conditionals))
	}
}

// TestParityPredictions: P(held) and E[value] to 1e-9 after every answer.
func TestParityPredictions(t *testing.T) {
	r := loadParity(t)
	want, err := r.Predictions()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kernels {
		worst, compared := map[string]float64{}, 0
		models := map[string]*Released{}
		for _, p := range want {
			if models[p.Model] == nil {
				models[p.Model] = r.fit(t, r.rule(t, p.Model), k.compat)
			}
			profile, err := r.Profile(p.Problem)
			if err != nil {
				t.Fatal(err)
			}
			criteria, at := r.Criteria(profile)
			b := models[p.Model].Start(criteria)
			held, value := make([]float64, b.Len()), make([]float64, b.Len())
			told := map[string]bool{}
			for step, s := range p.Steps {
				for _, h := range s.Held {
					if !told[h.Criterion] {
						told[h.Criterion] = true
						b.Observe(at[h.Criterion], domains.At(h.Value))
					}
				}
				for _, c := range s.Not {
					if !told[c] {
						told[c] = true
						b.Observe(at[c], domains.NotHeld())
					}
				}
				b.Marginals(held, value)
				for j, c := range p.Criteria {
					i, ok := at[c]
					if !ok {
						t.Fatalf("%s: no criterion %q", p.Problem, c)
					}
					d := max(math.Abs(held[i]-s.P[j]), math.Abs(value[i]-s.Values[j]))
					if !(d <= 1e-9) {
						t.Errorf("%s, %s, %s, step %d: %q is %v, %v, want %v, %v", k.name, p.Model, p.Problem, step, c, held[i], value[i], s.P[j], s.Values[j])
					}
					worst[p.Model] = max(worst[p.Model], d)
					compared++
				}
			}
		}
		if compared == 0 {
			t.Error("nothing compared")
		}
		t.Logf("%s: %d predictions, largest differences %v", k.name, compared, worst)
	}
}

// A chooser scores the questions that were not asked as the reference's
// acquisitions do; the largest score is chosen, the lowest index among equals.
type chooser struct {
	strategy           string
	fixed              []float64
	held, value, score []float64
	open, asked        []bool
	fallback           []float64 // what scores when no gain is >= 0
	best               float64   // largest gain of Binary IG
}

func newChooser(m *Released, criteria []int, strategy string) *chooser {
	n := len(criteria)
	c := &chooser{strategy: strategy, open: make([]bool, n), asked: make([]bool, n)}
	for _, s := range []*[]float64{&c.fixed, &c.held, &c.value, &c.score, &c.fallback} {
		*s = make([]float64, n)
	}
	entropy := heldEntropy
	if m.compat {
		entropy = exactEntropy
	}
	for j, k := range criteria {
		c.open[j] = true
		if strategy == "Fixed" {
			c.fixed[j] = float64(m.has[k]*m.value[k]) + entropy(m.has[k])
		}
	}
	return c
}

func (c *chooser) ask(i int) { c.open[i], c.asked[i] = false, true }

// next gives the choice and leaves scores behind.
func (c *chooser) next(b BinaryInformer) int {
	b.Marginals(c.held, c.value)
	for j := range c.open {
		c.fallback[j] = -math.Abs(c.held[j] - .5)
		switch c.strategy {
		case "Uncertainty":
			c.score[j] = c.fallback[j]
		case "Fixed":
			c.score[j] = c.fixed[j]
		case "Greedy EV":
			c.score[j] = c.held[j] * c.value[j]
		}
	}
	if c.strategy != "Binary IG" {
		return c.largest(c.score)
	}
	b.BinaryInformation(c.score, c.open, c.asked)
	i := c.largest(c.score)
	if i < 0 {
		return i
	}
	if c.best = c.score[i]; c.best >= 0 {
		return i
	}
	copy(c.score, c.fallback)
	return c.largest(c.score)
}

func (c *chooser) largest(score []float64) int {
	best := -1
	for j, s := range score {
		if c.open[j] && (best < 0 || s > score[best]) {
			best = j
		}
	}
	return best
}

// tied reports whether rounding alone may have kept i from being chosen.
func (c *chooser) tied(i int) bool {
	if !c.open[i] {
		return false
	}
	if c.score[i] >= c.score[c.largest(c.score)]-parity.Tolerance {
		return true
	}
	return c.strategy == "Binary IG" && math.Abs(c.best) <= parity.Tolerance && // which rule chose is itself rounding
		c.fallback[i] >= c.fallback[c.largest(c.fallback)]-parity.Tolerance
}

// TestParityChoices replays the reference's histories. Our choice is the
// reference's wherever its score is apart from the runner-up's, and among the tied
// elsewhere. As the answers are those of the profiles, a session of ours that runs
// freely asks all the same exactly where every choice is the same; before the
// first tie it cannot differ.
func TestParityChoices(t *testing.T) {
	r := loadParity(t)
	rows, err := r.Asked()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 {
		t.Fatal("the reference asked nothing")
	}
	for _, k := range kernels {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			models := map[string]*Released{}
			choices, decided := 0, 0
			free := map[string][2]int{}
			for _, row := range rows {
				m := models[row.Model]
				if m == nil {
					m = r.fit(t, r.rule(t, row.Model), k.compat)
					models[row.Model] = m
				}
				profile, err := r.Profile(row.Problem)
				if err != nil {
					t.Fatal(err)
				}
				criteria, at := r.Criteria(profile)

				b, c := m.Start(criteria).(BinaryInformer), newChooser(m, criteria, row.Strategy)
				same := true
				for q, name := range row.Asked {
					want, ok := at[name]
					if !ok {
						t.Fatalf("%s: no criterion %q", row.Problem, name)
					}
					if !profile.Cells[want].Equal(row.Cell(q)) {
						t.Fatalf("%s: the answer to %q is %v in the data and %v in the reference", row.Problem, name, profile.Cells[want], row.Cell(q))
					}
					got := c.next(b)
					same = same && (got < 0 || got == want)
					if got < 0 {
						break // the reference asks on when nothing is left
					}
					choices++
					clear := row.Decided(q)
					if clear {
						decided++
					}
					if got != want && (clear || !c.tied(want) || !c.tied(got)) {
						t.Errorf("%s x %s, %s, question %d: asks %q (score %v), the reference %q (score %v; decided there: %v)", row.Model, row.Strategy, row.Problem, q+1,
							r.Data.Criteria[criteria[got]].Name, c.score[got], name, c.score[want], clear)
					}
					c.ask(want)
					b.Observe(want, row.Cell(q))
				}

				count := free[row.Model+" x "+row.Strategy]
				count[1]++
				if same {
					count[0]++
				}
				free[row.Model+" x "+row.Strategy] = count
			}
			t.Logf("%d choices, %d of them decided by more than %v; free sessions that ask all the same, of all: %v", choices, decided, parity.Tolerance, free)
		})
	}
}
