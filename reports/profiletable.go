package reports

import "fmt"

// onlyTold is the note on errors of what predicts from answers alone: exact answers
// make them 0, which is no match for errors over a whole profile.
const onlyTold = "predicts from answers alone: errors over what it was told, which are in the CSV file, do not compare with errors over whole profiles"

func profileTable(m *Metrics) *grid {
	g := &grid{name: "profile"}
	g.head = []string{
		"Strategy", "Predicts from", "P@5", "R@5", "F1@3", "F1@5", "Value MAE", "Value RMSE", "MAE, held",
		"No value (%)", "Brier", "Log score", "Unknown P (%)", "Brier, unasked", "MAE, unasked",
	}
	for _, rows := range blocks(m) {
		var group [][]cell
		for _, r := range rows {
			p := r.predicted()
			const (
				nothing = "nothing is predicted to be held"
				told    = "no value is predicted for any held criterion"
				unasked = "nothing is predicted of what was not asked"
			)
			bare := func(e Estimate, format, why string) cell {
				if r.Sessions == 0 {
					why = unknownWhy(r)
				}
				c := g.estimate(e, format, why)
				c.interval = ""
				return c
			}
			errorOf := func(e Estimate, format, why string) cell {
				if r.told() && r.Sessions > 0 {
					return g.none(onlyTold)
				}
				return bare(e, format, why)
			}
			group = append(group, []cell{
				g.named(m, r),
				{value: r.Predict},
				bare(p.at(5).Precision, "%.3f", nothing),
				bare(p.at(5).Recall, "%.3f", "nothing is held"),
				bare(p.at(3).F1, "%.3f", "nothing is held"),
				g.withInterval(r, p.at(5).F1, "%.3f", "nothing is held"),
				errorOf(p.ValueMAE, "%.3f", "no true positive with a predicted value"),
				errorOf(p.ValueRMSE, "%.3f", "no true positive with a predicted value"),
				errorOf(p.HeldMAE, "%.3f", told),
				g.share(p.UnknownValues, p.HeldCells, "nothing is held"),
				errorOf(p.Brier, "%.4f", "no P(held) is known"),
				errorOf(p.LogScore, "%.4f", "no P(held) is known"),
				g.share(p.UnknownHeld, p.Cells, "no cell with a known truth"),
				errorOf(p.UnaskedBrier, "%.4f", unasked),
				errorOf(p.UnaskedMAE, "%.3f", "no value is predicted for a held criterion that was not asked"),
			})
		}
		g.groups = append(g.groups, group)
	}
	legend := func(values string) string {
		return caption(m, fmt.Sprintf("Profile prediction on %s", describe(m))) +
			" P, R, F1@k: the k criteria with the largest P(held) against those held; whoever names fewer than k is not given the rest. " + values + "; sessions without any are left out. Brier and log score (nats, larger is better) of P(held) over cells where it is known."
	}
	g.caption = legend("Value errors: of true positives at k = 5, or of all held criteria")
	g.paperCaption = legend("Value MAE: of true positives at k = 5")
	g.aside = []string{"F1@3", "Value RMSE", "MAE, held", "No value (%)", "Brier, unasked", "MAE, unasked"}
	return g
}

func (g *grid) withInterval(r *Row, e Estimate, format, why string) cell {
	if r.Sessions == 0 {
		why = unknownWhy(r)
	}
	return g.estimate(e, format, why)
}

func (g *grid) share(n, of int, why string) cell {
	if of == 0 {
		return g.none("%s", why)
	}
	return cell{value: num(Number(100*float64(n)/float64(of)), "%.1f")}
}
