package reports

import (
	"fmt"
	"strconv"
)

// scopeWords say which cells a calibration is over.
var scopeWords = map[string]string{"whole": "all cells", "unasked": "unasked cells"}

// calibrationTable has, of every row that predicts from a population, one line for all cells
// and one for those that were not asked about: how far P(held) is from what is held, and
// both by bin. Without such a row it has no lines; where every criterion is held there are
// dashes that say so.
func calibrationTable(m *Metrics) *grid {
	g := &grid{name: "calibration", texts: 3, head: []string{"Strategy", "Predicts from", "Over", "Cells", "ECE"}}
	for b := range calibrationBins {
		head := fmt.Sprintf("%s-%s", num(Number(b)/calibrationBins, "%.1f"), num(Number(b+1)/calibrationBins, "%.1f"))
		g.head, g.aside = append(g.head, head), append(g.aside, head)
	}
	allHeld := m.allHeld()
	for _, rows := range blocks(m) {
		var group [][]cell
		for _, r := range rows {
			if allHeld && r.calibrates() {
				row := []cell{g.named(m, r), {value: r.Predict}, {value: scopeWords["whole"]}}
				for len(row) < len(g.head) {
					row = append(row, g.none("%s", nothingToPredict))
				}
				group = append(group, row)
			}
			for i := range r.Calibration {
				k := &r.Calibration[i]
				row := []cell{{}, {}, {value: scopeWords[k.Scope]}, {value: thousands(int64(k.Cells))}}
				if i == 0 {
					row[0], row[1].value = g.named(m, r), r.Predict
				}
				why := "no cell of which truth and P(held) are known"
				if r.Sessions == 0 {
					why = unknownWhy(r)
				}
				row = append(row, g.estimate(k.ECE, "%.3f", why))
				for _, b := range k.Bins {
					if b.Cells == 0 {
						row = append(row, g.none("no P(held) in the bin"))
						continue
					}
					row = append(row, cell{value: num(b.Predicted, "%.2f") + " / " + num(b.Observed, "%.2f")})
				}
				group = append(group, row)
			}
		}
		if group != nil {
			g.groups = append(g.groups, group)
		}
	}
	legend := " ECE: expected calibration error, the mean over cells of the distance between the mean P(held) of their bin and the share that is held; ten bins of equal width. It is above 0 by chance alone, and more so in a resample."
	g.caption = captionOver(m, fmt.Sprintf("Calibration of P(held) on %s", describe(m)), clustersOver(m)) + legend
	g.paperCaption = g.caption + " The bins are in calibration.csv."
	g.caption += " By bin of P(held): its mean / the share that is held."
	return g
}

// calibrates is strategy.calibrates of a row.
func (r *Row) calibrates() bool { return r.Predict != "answers" && r.Kind != kindCeiling }

// calibrationCSV has a line for every error and every bin; of an error from and to are
// empty.
func calibrationCSV(m *Metrics) [][]string {
	out := [][]string{{"strategy", "base", "kind", "predict", "scope", "questions", "measure", "from", "to", "cells", "predicted", "value", "lo", "hi", "clusters"}}
	for _, rows := range ordered(m) {
		for _, r := range rows {
			for i := range r.Calibration {
				k := &r.Calibration[i]
				start := []string{r.Name, r.Base, r.Kind, r.Predict, k.Scope, strconv.Itoa(k.Questions)}
				add := func(more ...string) { out = append(out, append(start[:len(start):len(start)], more...)) }
				add("ece", "", "", strconv.Itoa(k.Cells), "", raw(k.ECE.Value), raw(k.ECE.Lo), raw(k.ECE.Hi), strconv.Itoa(k.ECE.Clusters))
				for _, b := range k.Bins {
					add("observed", raw(b.From), raw(b.To), strconv.Itoa(b.Cells), raw(b.Predicted), raw(b.Observed), raw(b.Lo), raw(b.Hi), "")
				}
			}
		}
	}
	return out
}
