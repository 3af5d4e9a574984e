package reports

import (
	"fmt"
	"math"

	"pepbench/reports/stats"
)

// mostOut is the share of resamples that may never reach the target, or reach it at 0,
// before a ratio of questions to target is withheld.
const mostOut = .05

// timesFewer says how many times fewer questions than another strategy this one needs to
// reach the target.
type timesFewer struct {
	Against       string `json:"against"`
	Value         Number `json:"value"`
	Lo            Number `json:"lo"`
	Hi            Number `json:"hi"`
	HiOpen        bool   `json:"hi_open"`
	Never         Number `json:"never"`
	AtZero        Number `json:"at_zero"`
	AgainstNever  Number `json:"against_never"`
	AgainstAtZero Number `json:"against_at_zero"`
	Withheld      string `json:"withheld"` // why there is no value; empty: there is one
}

// ratio holds a strategy against the one whose final alignment is the target.
func (c *computer) ratio(st *strategy, reach crossing) *timesFewer {
	if c.aimed == nil || c.aimed == st || st.fixed() || c.aimed.fixed() {
		return nil
	}
	q, _ := fewerQuestions(c.boot, st.Name, reach, c.aimed.Name, c.own)
	return q
}

// fewerQuestions gives
//
//	T_b / T_a,   T: questions to the same target of strategies a and b
//
// and the same of every resample, in which a strategy that never reaches the target has
// an infinite T. What is 0/0 or infinite over infinite is NaN there and left out. Value
// and interval are withheld, with the reason, where one of the two never reaches the
// target, or is there before the first question, with the whole data or in more than 5% of
// the resamples, and where there are no resamples to tell.
func fewerQuestions(boot stats.Bootstrap, a string, ta crossing, b string, tb crossing) (*timesFewer, []float64) {
	q := &timesFewer{Against: b, Value: undefined(), Lo: undefined(), Hi: undefined()}
	samples := make([]float64, min(len(ta.samples), len(tb.samples)))
	for r := range samples {
		samples[r] = tb.samples[r] / ta.samples[r] // 0/0 and Inf/Inf are NaN
	}
	q.Never, q.AtZero = ta.shares()
	q.AgainstNever, q.AgainstAtZero = tb.shares()
	for _, of := range []struct {
		name        string
		t           float64
		never, zero Number
	}{{a, ta.value, q.Never, q.AtZero}, {b, tb.value, q.AgainstNever, q.AgainstAtZero}} {
		switch {
		case math.IsNaN(of.t):
			q.Withheld = fmt.Sprintf("%s never reaches the target", of.name)
		case of.t == 0:
			q.Withheld = fmt.Sprintf("%s is at the target before the first question", of.name)
		case !of.never.Defined():
			q.Withheld = "no resamples under two clusters, so that nothing says how often the target is reached"
		case of.never > mostOut:
			q.Withheld = fmt.Sprintf("%s never reaches the target in %s%% of the resamples", of.name, num(100*of.never, "%.1f"))
		case of.zero > mostOut:
			q.Withheld = fmt.Sprintf("%s is at the target before the first question in %s%% of the resamples", of.name, num(100*of.zero, "%.1f"))
		}
		if q.Withheld != "" {
			return q, samples
		}
	}
	q.Value = Number(tb.value / ta.value)
	iv := boot.Interval(samples)
	q.Lo, q.Hi, q.HiOpen = Number(iv.Lo), Number(iv.Hi), math.IsInf(iv.Hi, 1)
	return q, samples
}
