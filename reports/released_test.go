package reports

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"pepbench/domains"
	"pepbench/strategies/belief"
	"pepbench/strategies/belief/parity"
)

func loadParity(t *testing.T) *parity.Reference {
	t.Helper()
	r, err := parity.Load("../strategies/belief/testdata/parity")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMeasureReleased(t *testing.T) {
	at, no, gap := domains.At, domains.NotHeld(), domains.Missing()
	nan := math.NaN()
	for _, test := range []struct {
		reason  string
		ranking []int
		truth   []domains.Cell
		value   []float64
		k       int
		want    ReleasedScore
	}{
		{
			reason: "two of three hits, one value off by 2", ranking: []int{0, 2, 1, 3}, k: 3,
			truth: []domains.Cell{at(5), no, at(1), at(2)}, value: []float64{3, 3, 1, 2},
			want: ReleasedScore{Precision: 2. / 3, Recall: 2. / 3, F1: 2. / 3, MAE: 1, RMSE: math.Sqrt2, TruePositives: 2},
		},
		{
			reason: "no true positive: ratios are 0, as released", ranking: []int{1, 0}, k: 1,
			truth: []domains.Cell{at(5), no}, value: []float64{1, 1},
			want: ReleasedScore{MAE: nan, RMSE: nan},
		},
		{
			reason: "nothing held: ratios are 0, as released", ranking: []int{0, 1}, k: 3,
			truth: []domains.Cell{no, no}, value: []float64{1, 1},
			want: ReleasedScore{MAE: nan, RMSE: nan},
		},
		{
			reason: "a missing truth takes no part", ranking: []int{1, 0, 2}, k: 1,
			truth: []domains.Cell{at(4), gap, no}, value: []float64{4, 1, 1},
			want: ReleasedScore{Precision: 1, Recall: 1, F1: 1, TruePositives: 1},
		},
		{
			reason: "k is at most what is ranked; a nominal criterion has no value error", ranking: []int{0}, k: 5,
			truth: []domains.Cell{at(4)}, value: []float64{nan},
			want: ReleasedScore{Precision: 1, Recall: 1, F1: 1, MAE: nan, RMSE: nan, TruePositives: 1},
		},
	} {
		got := MeasureReleased(test.ranking, test.truth, test.value, test.k)
		for name, pair := range map[string][2]float64{
			"precision": {got.Precision, test.want.Precision}, "recall": {got.Recall, test.want.Recall}, "F1": {got.F1, test.want.F1},
			"MAE": {got.MAE, test.want.MAE}, "RMSE": {got.RMSE, test.want.RMSE}, "true positives": {got.TruePositives, test.want.TruePositives},
		} {
			if math.IsNaN(pair[0]) != math.IsNaN(pair[1]) || !math.IsNaN(pair[1]) && !near(pair[0], pair[1]) {
				t.Errorf("%s: %s is %v, want %v", test.reason, name, pair[0], pair[1])
			}
		}
	}
	half := ReleasedScore{Precision: .5, Recall: 1, F1: .6, MAE: 1, RMSE: 2, TruePositives: 2}
	none := ReleasedScore{MAE: nan, RMSE: nan}
	if got, want := MeanReleased([]ReleasedScore{half, none}), (ReleasedScore{.25, .5, .3, 1, 2, 1}); got != want {
		t.Errorf("mean %+v, want %+v", got, want)
	}
	if got := MeanReleased([]ReleasedScore{none}); got != (ReleasedScore{}) {
		t.Errorf("mean of a session without true positive is %+v, want zeros", got)
	}
	if got, want := RankReleased([]float64{nan, .2, .5, .2, nan}), []int{2, 1, 3, 0, 4}; !slices.Equal(got, want) {
		t.Errorf("ranked %v, want %v", got, want)
	}
}

// TestParityMetrics: the reference's rankings measured by our code, with the values
// that our models predict, give its figures after every answer, to 1e-9. Random,
// whose questions are not given, has no values to compare.
func TestParityMetrics(t *testing.T) {
	r := loadParity(t)
	rankings, err := r.Rankings()
	if err != nil {
		t.Fatal(err)
	}
	type cell struct{ model, strategy string }
	beliefs := predicted(t, r)
	scores := map[cell][][]ReleasedScore{} // by step and place in TopK, then session
	for _, k := range rankings {
		profile, err := r.Profile(k.Problem)
		if err != nil {
			t.Fatal(err)
		}
		c := cell{k.Model, k.Strategy}
		if scores[c] == nil {
			scores[c] = make([][]ReleasedScore, len(k.Top)*len(r.Config.TopK))
		}
		infs := beliefs[fmt.Sprint(k.Model, k.Strategy, k.Problem)]
		for step, top := range k.Top {
			value := make([]float64, len(profile.Cells))
			if infs != nil {
				value = infs[step].Value
			}
			for i, n := range r.Config.TopK {
				at := &scores[c][step*len(r.Config.TopK)+i]
				*at = append(*at, MeasureReleased(top, profile.Cells, value, n))
			}
		}
	}
	asked := map[cell]bool{}
	rows, err := r.Asked()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		asked[cell{row.Model, row.Strategy}] = true
	}
	compared := 0
	for c, list := range scores {
		want := r.Results[c.model][c.strategy].Steps
		if len(want)*len(r.Config.TopK) != len(list) {
			t.Errorf("%v: rankings after %d answers, figures after %d", c, len(list)/len(r.Config.TopK), len(want))
			continue
		}
		for i, sessions := range list {
			if len(sessions) != r.NumSessions {
				t.Errorf("%v: %d sessions, want %d", c, len(sessions), r.NumSessions)
			}
			step, k := i/len(r.Config.TopK), r.Config.TopK[i%len(r.Config.TopK)]
			mean := MeanReleased(sessions)
			figures := map[string]float64{"precision": mean.Precision, "recall": mean.Recall, "f1": mean.F1, "n_tp": mean.TruePositives}
			if asked[c] {
				figures["mae_tp"], figures["rmse_tp"] = mean.MAE, mean.RMSE
			}
			for name, got := range figures {
				w, ok := want[step][fmt.Sprintf("%s_%d_mean", name, k)]
				if !ok || !(math.Abs(got-w) <= 1e-9) {
					t.Errorf("%v, step %d: %s at %d is %v, want %v", c, step, name, k, got, w)
				}
				compared++
			}
		}
	}
	if compared == 0 {
		t.Error("nothing compared")
	}
	t.Logf("%d figures", compared)
}

// predicted gives what our models infer at every step of the sessions of the
// deterministic strategies, fed the reference's questions.
func predicted(t *testing.T, r *parity.Reference) map[string][]domains.Inference {
	t.Helper()
	rows, err := r.Asked()
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]belief.Rule{
		"Prior": belief.RulePrior, "Naive Bayes": belief.RuleNaiveBayes, "Item CF": belief.RuleItemCF, "Item CF + Value": belief.RuleItemCFValue,
		"Hybrid NB+CF": belief.RuleHybrid, "Logistic CF": belief.RuleLogisticCF, "Bayesian CF": belief.RuleBayesianCF,
	}
	train := belief.NewPopulation(r.Data, r.Train)
	models := map[string]*belief.Released{}
	out := map[string][]domains.Inference{}
	for _, row := range rows {
		if models[row.Model] == nil {
			m, _, err := belief.FitReleased(context.Background(), train, belief.Population{Criteria: train.Criteria}, belief.ReleasedOptions{Rule: rules[row.Model], Compat: true})
			if err != nil {
				t.Fatal(err)
			}
			models[row.Model] = m
		}
		profile, err := r.Profile(row.Problem)
		if err != nil {
			t.Fatal(err)
		}
		criteria, at := r.Criteria(profile)
		b := models[row.Model].Start(criteria)
		infs := []domains.Inference{b.Infer()}
		for q, name := range row.Asked {
			b.Observe(at[name], row.Cell(q))
			infs = append(infs, b.Infer())
		}
		out[fmt.Sprint(row.Model, row.Strategy, row.Problem)] = infs
	}
	return out
}

// TestParityRanking: our own ranking gives F1@5 as the reference's probabilities do
// when ties go to the lower index.
func TestParityRanking(t *testing.T) {
	r := loadParity(t)
	ties, err := r.Ties()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := r.Asked()
	if err != nil {
		t.Fatal(err)
	}
	beliefs := predicted(t, r)
	type cell struct{ model, strategy string }
	sums := map[cell]*running{}
	for _, row := range rows {
		profile, err := r.Profile(row.Problem)
		if err != nil {
			t.Fatal(err)
		}
		infs := beliefs[fmt.Sprint(row.Model, row.Strategy, row.Problem)]
		last := infs[len(infs)-1]
		c := cell{row.Model, row.Strategy}
		if sums[c] == nil {
			sums[c] = &running{}
		}
		sums[c].add(100 * MeasureReleased(RankReleased(last.Held), profile.Cells, last.Value, 5).F1)
	}
	if len(sums) == 0 {
		t.Error("nothing compared")
	}
	for c, sum := range sums {
		if want := ties.By[c.model][c.strategy].F1.LowIndex; !(math.Abs(sum.mean()-want) <= 1e-9) {
			t.Errorf("%v: F1@5 is %v, want %v", c, sum.mean(), want)
		}
	}
}

// TestParityAdaptivity: the counts that a report shows, of the reference's
// sessions, are the reference's.
func TestParityAdaptivity(t *testing.T) {
	r := loadParity(t)
	want, err := r.Adaptivity()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := r.Asked()
	if err != nil {
		t.Fatal(err)
	}
	type cell struct{ model, strategy string }
	sessions := map[cell][]*session{}
	for _, row := range rows {
		profile, err := r.Profile(row.Problem)
		if err != nil {
			t.Fatal(err)
		}
		criteria, at := r.Criteria(profile)
		s := &session{key: key{unit: len(sessions)}, task: profile.Task}
		for q, name := range row.Asked {
			s.path = append(s.path, step{criteria[at[name]], row.Cell(q)})
		}
		c := cell{row.Model, row.Strategy}
		sessions[c] = append(sessions[c], s)
	}
	if len(sessions) == 0 {
		t.Error("nothing compared")
	}
	for c, list := range sessions {
		w, ok := want.By[c.model][c.strategy]
		if !ok || w.NumSessions != len(list) {
			t.Errorf("%v: %d sessions, want %d", c, len(list), w.NumSessions)
		}
		var sum followUps
		for _, f := range countFollowUps(list, len(r.Data.Tasks), r.Config.Budget) {
			sum.released.add(f.released)
			sum.releasedHeld.add(f.releasedHeld)
			sum.held.add(f.held)
		}
		for _, test := range []struct {
			what          string
			got           pairCount
			pairs, differ int64
			share         float64
		}{
			{"released", sum.released, w.Pairs, w.Differ, w.Fraction},
			{"released, held or not", sum.releasedHeld, w.Held, w.HeldDiffer, w.HeldShare},
			{"same history, held or not", sum.held, w.Same, w.SameDiffer, w.SameShare},
		} {
			if test.got != (pairCount{test.pairs, test.differ}) || test.pairs > 0 && test.got.share() != test.share {
				t.Errorf("%v, %s: %v (%v), want %d, %d (%v)", c, test.what, test.got, test.got.share(), test.pairs, test.differ, test.share)
			}
		}
	}
}
