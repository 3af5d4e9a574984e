package reports

import (
	"math"
	"slices"
)

// Why a strategy is compared with another.
const (
	whyTwin      = "twin"      // its static twin: the difference is the adaptive gain
	whyReference = "reference" // the reference of the run
	whyAgainst   = "against"   // named by report.against
)

// alignmentMeasure is the name of the measure of the headline.
const alignmentMeasure = "alignment"

// A comparedMeasure is a measure in which strategies are compared.
type comparedMeasure struct {
	name   string
	place  int    // as session.measure takes it, -1: alignment
	short  string // heading of a column
	places int    // decimals
	aside  bool   // of what was not asked, which differs between strategies
	why    string // what is lacking where there is no value
}

// comparedMeasures gives the measures of comparisons, in the order of files and
// columns. That of levels is there in runs with a nominal criterion.
func comparedMeasures(nominal bool) []comparedMeasure {
	out := []comparedMeasure{
		{alignmentMeasure, -1, "Alignment", 1, false, "an alignment"},
		{"held_mae", heldMAE, "Value error", 3, false, "a predicted value of a held criterion"},
		{"brier", brier, "Relevance error", 4, false, "a known P(held)"},
		{"level_error", levelErr, "Level error", 3, false, "a predicted level of a held nominal criterion"},
		{"unasked_mae", unaskedMAE, "Value error, unasked,", 3, true, "a predicted value of a held criterion that was not asked"},
		{"unasked_brier", unaskedBri, "Relevance error, unasked,", 4, true, "a known P(held) of what was not asked"},
	}
	return slices.DeleteFunc(out, func(c comparedMeasure) bool { return c.place == levelErr && !nominal })
}

// of gives the measure of a session at a checkpoint, by index. An error is one of
// the whole profile or undefined: means over those cells alone that a strategy
// happens to know do not compare.
func (c *comparedMeasure) of(s *session, point int) float64 {
	switch w := s.points[point].whole; {
	case c.place < 0:
		return s.align[point]
	case c.ofValues() && !w.value, !c.ofValues() && !w.held:
		return math.NaN()
	}
	return s.measure(point, c.place)
}

// ofValues reports whether the measure is of values or levels, not of P(held).
func (c *comparedMeasure) ofValues() bool { return c.place != brier && c.place != unaskedBri }

// estimate gives the measure from what is known of a row after so many questions.
func (c *comparedMeasure) estimate(a *alignment, p *prediction) Estimate {
	switch c.place {
	case heldMAE:
		return p.HeldMAE
	case brier:
		return p.Brier
	case levelErr:
		return *p.LevelError
	case unaskedMAE:
		return p.UnaskedMAE
	case unaskedBri:
		return p.UnaskedBrier
	}
	return a.Estimate
}

// A rival is a strategy that another is compared with.
type rival struct {
	*strategy
	why string
}

// rivals gives what a strategy is compared with, each once: the static twins of its
// base that predict as it does, the reference, and those that report.against means
// and that predict as it does (a floor or ceiling asks nothing and is compared with
// whatever predicts). A floor or ceiling is compared with nothing.
func (c *computer) rivals(st *strategy) []rival {
	if st.fixed() {
		return nil
	}
	var out []rival
	add := func(o *strategy, why string) {
		if o != st && !slices.ContainsFunc(out, func(r rival) bool { return r.strategy == o }) {
			out = append(out, rival{o, why})
		}
	}
	for _, o := range c.strategies {
		if o.TwinOf != "" && o.TwinOf == st.Base && o.Predict == st.Predict {
			add(o, whyTwin)
		}
	}
	if c.reference != nil {
		add(c.reference, whyReference)
	}
	for _, name := range c.Manifest.Report.Against {
		for _, o := range c.meant(name) {
			if o.Predict == st.Predict || o.fixed() {
				add(o, whyAgainst)
			}
		}
	}
	return out
}

// meant gives the strategies of that base, else the one of that name: the row that
// predicts from answers may be called like its base.
func (c *computer) meant(name string) (out []*strategy) {
	for _, is := range []func(*strategy) bool{
		func(st *strategy) bool { return st.Base == name },
		func(st *strategy) bool { return st.Name == name },
	} {
		for _, st := range c.strategies {
			if is(st) {
				out = append(out, st)
			}
		}
		if out != nil {
			break
		}
	}
	return out
}

// told reports whether the strategy predicts nothing but what it was told. The few
// sessions in which that happens to be everything are no fair sample.
func (s *strategy) told() bool { return s.Predict == "answers" && s.Kind != kindCeiling }

// pointAt is the index of a checkpoint among those of the strategy.
func (s *strategy) pointAt(questions int) int {
	if s.fixed() {
		return 0
	}
	return slices.Index(s.points, questions)
}

// compare puts the paired differences of a strategy into the metrics, and its
// adaptive gain into its row.
func (c *computer) compare(st *strategy, row *Row) {
	rivals := c.rivals(st)
	b := batch{computer: c}
	pair := func(o *strategy, measure comparedMeasure, questions int) int {
		i, j := st.pointAt(questions), o.pointAt(questions)
		partial := measure.place >= 0 && (st.told() || o.told())
		return b.add(st, func(s *session) float64 {
			if partial {
				return math.NaN()
			}
			if t := o.at[s.key]; t != nil {
				return measure.of(s, i) - measure.of(t, j)
			}
			return math.NaN()
		})
	}
	list := comparedMeasures(c.nominal)
	var cols []int
	for _, r := range rivals {
		for _, n := range c.compared {
			for _, measure := range list {
				cols = append(cols, pair(r.strategy, measure, n))
			}
		}
	}
	var gains []int
	if len(rivals) > 0 && rivals[0].why == whyTwin {
		for _, n := range st.points {
			gains = append(gains, pair(rivals[0].strategy, list[0], n))
		}
	}
	b.draw()

	for _, r := range rivals {
		for _, n := range c.compared {
			for _, measure := range list {
				c.out.Comparisons = append(c.out.Comparisons, Comparison{
					st.Name, r.Name, r.why, n, measure.name, b.difference(cols[0]),
				})
				cols = cols[1:]
			}
		}
	}
	if gains != nil {
		row.Gain = &gain{Twin: rivals[0].Name}
		for i, n := range st.points {
			row.Gain.ByQuestions = append(row.Gain.ByQuestions, gainAt{n, b.difference(gains[i])})
		}
	}
}
