package reports

import (
	"math"
	"slices"

	"pepbench/domains"
)

// A ReleasedScore is the prediction of one profile measured as the released
// benchmark does (code of arXiv 2602.15012). With c of the first k ranked
// criteria truly held and h held in all,
//
//	Precision = c/k    Recall = c/h    F1 = 2 P R / (P + R)
//
// each 0 where it is undefined, and MAE and RMSE are of the predicted values of
// those c, NaN when there are none. The defects are kept, for comparison with
// published figures only: zeros of profiles without a held criterion take part in
// means, and criteria that were asked count as predicted. Prediction in
// metrics.json has neither.
type ReleasedScore struct {
	Precision, Recall, F1 float64 // 0..1
	MAE, RMSE             float64 // in units of the scale
	TruePositives         float64
}

// MeasureReleased measures a ranking of criteria, the likeliest first, at k > 0; k is
// never more than there are ranked criteria with a known truth. Criteria whose
// truth is missing take no part, and a true positive with the value NaN none in
// the value errors. Entries of ranking are positions of truth and of value.
func MeasureReleased(ranking []int, truth []domains.Cell, value []float64, k int) ReleasedScore {
	s := ReleasedScore{MAE: math.NaN(), RMSE: math.NaN()}
	held := 0
	for _, c := range truth {
		if c.IsHeld() {
			held++
		}
	}
	ranked := 0
	var abs, square running
	for _, i := range ranking {
		if ranked == k {
			break
		}
		if truth[i].IsMissing() {
			continue
		}
		ranked++
		if !truth[i].IsHeld() {
			continue
		}
		s.TruePositives++
		if d := value[i] - truth[i].Value(); !math.IsNaN(d) {
			abs.add(math.Abs(d))
			square.add(d * d)
		}
	}
	if ranked > 0 {
		s.Precision = s.TruePositives / float64(ranked)
	}
	if held > 0 {
		s.Recall = s.TruePositives / float64(held)
	}
	if s.TruePositives > 0 {
		s.F1 = 2 * s.Precision * s.Recall / (s.Precision + s.Recall)
	}
	if abs.n > 0 {
		s.MAE, s.RMSE = abs.mean(), math.Sqrt(square.mean())
	}
	return s
}

// MeanReleased gives the means over sessions as released: value errors over the
// sessions that have one, and 0 when none has.
func MeanReleased(sessions []ReleasedScore) ReleasedScore {
	var precision, recall, f1, mae, rmse, hits running
	for _, s := range sessions {
		precision.add(s.Precision)
		recall.add(s.Recall)
		f1.add(s.F1)
		hits.add(s.TruePositives)
		if !math.IsNaN(s.MAE) {
			mae.add(s.MAE)
			rmse.add(s.RMSE)
		}
	}
	mean := func(r running) float64 {
		if r.n == 0 {
			return 0
		}
		return r.mean()
	}
	return ReleasedScore{mean(precision), mean(recall), mean(f1), mean(mae), mean(rmse), mean(hits)}
}

// RankReleased ranks all criteria by P(held), the lower position first among
// equals; the released code leaves their order to an unstable sort. What is not
// known (NaN) comes last.
func RankReleased(held []float64) []int {
	out := make([]int, len(held))
	for i := range out {
		out[i] = i
	}
	slices.SortStableFunc(out, func(a, b int) int {
		p, q := held[a], held[b]
		switch {
		case p > q, math.IsNaN(q) && !math.IsNaN(p):
			return -1
		case q > p, math.IsNaN(p) && !math.IsNaN(q):
			return 1
		}
		return 0
	})
	return out
}
