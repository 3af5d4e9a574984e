package reports

import (
	"fmt"
	"strconv"
)

// A tidy collects the lines of a tidy CSV file.
type tidy struct {
	lines [][]string
	row   *Row
}

func (t *tidy) add(measure string, questions int, value, lo, hi Number, n int64, undefined, clusters int) {
	r := t.row
	t.lines = append(t.lines, []string{
		r.Name, r.Base, r.Kind, r.Predict, measure, strconv.Itoa(questions),
		raw(value), raw(lo), raw(hi), strconv.FormatInt(n, 10), strconv.Itoa(undefined), strconv.Itoa(clusters),
	})
}

func (t *tidy) estimate(measure string, questions int, e Estimate) {
	t.add(measure, questions, e.Value, e.Lo, e.Hi, int64(e.N), e.Undefined, e.Clusters)
}

func (t *tidy) pairs(measure string, questions int, p PairShare) {
	t.add(measure, questions, p.Value, p.Lo, p.Hi, p.Pairs, 0, p.Tasks)
}

// raw writes a number as metrics.json does, and an undefined one as nothing.
func raw(v Number) string {
	b, _ := v.MarshalJSON() // never fails
	if string(b) == "null" {
		return ""
	}
	return string(b)
}

func newTidy() *tidy {
	return &tidy{lines: [][]string{{
		"strategy", "base", "kind", "predict", "measure", "questions", "value", "lo", "hi", "n", "undefined", "clusters",
	}}}
}

func mainCSV(m *Metrics) [][]string {
	t := newTidy()
	for _, rows := range ordered(m) {
		for _, r := range rows {
			t.row = r
			for i, a := range r.Alignment {
				t.estimate("alignment", a.Questions, a.Estimate)
				t.estimate("normalised_alignment", a.Questions, a.Normalised)
				t.estimate("correctness", a.Questions, r.Correctness[i].Estimate)
			}
			last := r.final().Questions
			if r.Difference != nil {
				t.estimate("alignment_difference", last, r.Difference.Estimate)
				t.test("alignment_difference", last, r.Difference)
			}
			t.estimate("interactions", last, r.Interactions)
			tt, none := r.ToTarget, undefined()
			n := r.final().N
			t.add("interactions_to_target", m.Horizon, tt.Value, tt.Lo, tt.Hi, int64(n), r.final().Undefined, r.final().Clusters)
			t.add("never_reaches_target", m.Horizon, tt.Never, none, none, int64(n), r.final().Undefined, r.final().Clusters)
			t.add("at_target_at_zero", m.Horizon, tt.AtZero, none, none, int64(n), r.final().Undefined, r.final().Clusters)
			if q := r.Ratio; q != nil {
				t.add("interactions_ratio", m.Horizon, q.Value, q.Lo, q.Hi, int64(n), r.final().Undefined, r.final().Clusters)
			}
			t.pairs("adaptivity", last, r.Adaptivity.PairShare)
			t.pairs("adaptivity_held_differs", last, r.Adaptivity.Held)
			t.pairs("adaptivity_value_differs", last, r.Adaptivity.Values)
			t.pairs("adaptivity_released", last, r.Adaptivity.Released)
			for i, p := range r.Adaptivity.ByT {
				t.pairs("adaptivity_at", i+1, p)
			}
		}
	}
	return t.lines
}

func profileCSV(m *Metrics) [][]string {
	t := newTidy()
	for _, rows := range ordered(m) {
		for _, r := range rows {
			t.row = r
			for i := range r.Prediction {
				p := &r.Prediction[i]
				for _, a := range p.At {
					t.estimate(fmt.Sprintf("precision_at_%d", a.K), p.Questions, a.Precision)
					t.estimate(fmt.Sprintf("recall_at_%d", a.K), p.Questions, a.Recall)
					t.estimate(fmt.Sprintf("f1_at_%d", a.K), p.Questions, a.F1)
				}
				t.estimate("value_mae", p.Questions, p.ValueMAE)
				t.estimate("value_rmse", p.Questions, p.ValueRMSE)
				t.estimate("held_mae", p.Questions, p.HeldMAE)
				t.estimate("brier", p.Questions, p.Brier)
				t.estimate("log_score", p.Questions, p.LogScore)
				t.estimate("unasked_mae", p.Questions, p.UnaskedMAE)
				t.estimate("unasked_brier", p.Questions, p.UnaskedBrier)
				t.estimate("unasked_log_score", p.Questions, p.UnaskedLog)
				if p.LevelError != nil {
					t.estimate("level_error", p.Questions, *p.LevelError)
				}
			}
		}
	}
	return t.lines
}
