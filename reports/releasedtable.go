package reports

import (
	"fmt"
	"strconv"
)

// releasedMeasures are the means over sessions of a strategy, at every point, as the
// released code takes them.
func releasedMeasures(st *strategy) []released {
	var out []released
	for i, p := range st.points {
		of := released{Questions: p}
		for k := minK; k <= maxK; k++ {
			scores := make([]ReleasedScore, 0, len(st.sessions))
			for _, s := range st.sessions {
				scores = append(scores, s.released[i*rangeK+k-minK])
			}
			m := MeanReleased(scores)
			of.At = append(of.At, releasedAt{k, Number(m.Precision), Number(m.Recall), Number(m.F1), Number(m.MAE), Number(m.RMSE), Number(m.TruePositives)})
		}
		out = append(out, of)
	}
	return out
}

// releasedTable has the final measures of the released code, with its faults, beside
// which tables main and profile have ours. Without a compatible run it has no rows.
func releasedTable(m *Metrics) *grid {
	g := &grid{name: "released", texts: 1, head: []string{"Strategy", "P@5", "R@5"}}
	for k := minK; k <= maxK; k++ {
		g.head = append(g.head, fmt.Sprintf("F1@%d", k))
	}
	g.head = append(g.head, "Value MAE@5", "Value RMSE@5", "Adaptivity, released", "Pairs")
	for _, rows := range blocks(m) {
		var group [][]cell
		for _, r := range rows {
			if r.Released == nil || r.fixed() {
				continue
			}
			percent := func(v Number) cell { return cell{value: num(100*v, "%.2f")} }
			at := r.Released[r.finalPoint].At
			row := []cell{g.named(m, r), percent(at[tableK-minK].Precision), percent(at[tableK-minK].Recall)}
			for _, a := range at {
				row = append(row, percent(a.F1))
			}
			share := cell{value: num(r.Adaptivity.Released.Value, "%.3f")}
			if !r.Adaptivity.Released.Value.Defined() {
				share = g.none("no pair with equal questions and another answer")
			}
			row = append(row, cell{value: num(at[tableK-minK].MAE, "%.3f")}, cell{value: num(at[tableK-minK].RMSE, "%.3f")}, share,
				cell{value: strconv.FormatInt(r.Adaptivity.Released.Pairs, 10)})
			group = append(group, row)
		}
		if group != nil {
			g.groups = append(g.groups, group)
		}
	}
	g.caption = fmt.Sprintf("Measures of the released code (arXiv 2602.15012) on %s after at most %d %s, percent, plain means over sessions.", describe(m), m.Final, plural(m.Final, "question")) +
		" For comparison with published figures only, faults included: what was asked counts as predicted, value errors are of true positives alone and 0 where no session has any, and there are no intervals. The order of ties is ours (first by name); the released one is arbitrary, and so are its random questions. Tables main and profile have our measures of the same sessions." + origin(m) + m.policies(m.rows()) + failures(m)
	g.paperCaption = g.caption
	return g
}

func releasedCSV(m *Metrics) [][]string {
	t := newTidy()
	for _, rows := range ordered(m) {
		for _, r := range rows {
			t.row = r
			for _, q := range r.Released {
				for _, a := range q.At {
					for _, v := range []struct {
						name  string
						value Number
					}{{"precision", a.Precision}, {"recall", a.Recall}, {"f1", a.F1}, {"value_mae", a.MAE}, {"value_rmse", a.RMSE}, {"true_positives", a.TruePositives}} {
						t.add(fmt.Sprintf("released_%s@%d", v.name, a.K), q.Questions, v.value, undefined(), undefined(), int64(r.Sessions), 0, 0)
					}
				}
			}
		}
	}
	return t.lines
}
