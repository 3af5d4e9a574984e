package reports

import (
	"fmt"
	"slices"
	"strconv"

	"pepbench/bench/record"
)

// policiesTable has a row for every training of a policy of the run: what it came to on
// the training and dev episodes, and what it is held against. Without policies it has no
// rows.
func policiesTable(m *Metrics) *grid {
	g := &grid{name: "policies", head: []string{
		"Policy", "Seed", "Steps", "Chosen", "Train", "Dev", "Random", "Fixed order", "Over random", "Over fixed order", "Undertrained", "Clones (%)", "Clones unseen (%)",
	}}
	folds := false
	for _, r := range trainedRows(m) {
		for _, t := range r.Policy.Trainings {
			folds = folds || t.Fold > 0
		}
	}
	var method []string
	for _, r := range trainedRows(m) {
		var group [][]cell
		for i := range r.Policy.Trainings {
			t := &r.Policy.Trainings[i]
			seed := strconv.Itoa(t.Seed)
			if t.Fold > 0 {
				seed += fmt.Sprintf(" (fold %d)", t.Fold)
			}
			under := "no"
			if t.Undertrained {
				under = "yes"
			}
			reward := func(v record.Float) cell {
				if !v.Defined() {
					return g.none("no episode had a reward")
				}
				return cell{value: num(Number(v), "%.1f")}
			}
			group = append(group, []cell{
				{value: r.Base},
				{value: seed},
				{value: strconv.Itoa(t.Steps)},
				{value: strconv.Itoa(t.Best)},
				reward(t.Reward), reward(t.Dev), reward(t.Random), reward(t.Static),
				g.contrast(t.OverRandom), g.contrast(t.OverStatic),
				{value: under},
				g.cloned(t.Cloning, false), g.cloned(t.Cloning, true),
			})
		}
		if group != nil {
			g.groups = append(g.groups, group)
		}
		if says := fmt.Sprintf("%s: %s, %s parameters; %s.", r.Base, r.Policy.Model, thousands(r.Policy.Params), r.Policy.Method); !slices.Contains(method, says) {
			method = append(method, says)
		}
	}
	g.caption = fmt.Sprintf("Policies trained for the run on %s; none is the 8B model of arXiv 2602.15012.", describe(m))
	for _, s := range method {
		g.caption += " " + s
	}
	g.caption += " Rewards are alignments (0 to 100), means of " + m.Cluster + " means: train, random and fixed order on the training episodes, dev on the dev episodes, by which the step was chosen. Fixed order: the best one that a greedy search finds on that reward; a policy below it is undertrained. Differences with 95% t intervals over " + m.Cluster + "s; ~ where they contain 0. Clones: of an adaptive strategy's choices on dev users, those that a network of the same shape repeats which was fitted to its choices on training users; unseen: of those after histories that no training user had."
	if folds {
		g.caption += " One policy a fold."
	}
	g.paperCaption = g.caption
	g.aside = []string{"Steps"}
	return g
}

// trainedRows are the rows of policies that were trained for the run, one a way of asking.
func trainedRows(m *Metrics) (out []*Row) {
	for i := range m.Strategies {
		r := &m.Strategies[i]
		if r.Kind == kindRL && r.Policy != nil && !slices.ContainsFunc(out, func(o *Row) bool { return o.Base == r.Base }) {
			out = append(out, r)
		}
	}
	return out
}

// contrast shows a difference of rewards.
func (g *grid) contrast(c record.Contrast) cell {
	if !c.Value.Defined() {
		return g.none("no episode had both rewards")
	}
	out := cell{value: num(Number(c.Value), "%+.2f"), interval: interval(Number(c.Lo), Number(c.Hi), "%.2f")}
	if !c.Lo.Defined() || c.Lo <= 0 && c.Hi >= 0 {
		out.mark = "~"
	}
	return out
}

// cloned shows the share of choices that a clone repeats.
func (g *grid) cloned(c *record.Cloning, unseen bool) cell {
	if c == nil {
		return g.none("no adaptive strategy was cloned under this seed")
	}
	share, n := c.Share, c.HeldOut
	if unseen {
		share, n = c.UnseenShare, c.Unseen
	}
	if !share.Defined() {
		return g.none("no such history")
	}
	return cell{value: fmt.Sprintf("%s of %d", num(Number(100*share), "%.1f"), n)}
}

func policiesCSV(m *Metrics) [][]string {
	out := [][]string{{
		"policy", "seed", "fold", "id", "steps", "chosen", "train", "dev", "random", "fixed_order", "over_random", "over_random_lo", "over_random_hi",
		"over_fixed_order", "over_fixed_order_lo", "over_fixed_order_hi", "clusters", "undertrained", "clones", "held_out", "cloned", "unseen", "cloned_unseen",
	}}
	f := func(v record.Float) string { return raw(Number(v)) }
	for _, r := range trainedRows(m) {
		for i := range r.Policy.Trainings {
			t := &r.Policy.Trainings[i]
			line := []string{
				r.Base, strconv.Itoa(t.Seed), strconv.Itoa(t.Fold), t.ID, strconv.Itoa(t.Steps), strconv.Itoa(t.Best), f(t.Reward), f(t.Dev), f(t.Random), f(t.Static),
				f(t.OverRandom.Value), f(t.OverRandom.Lo), f(t.OverRandom.Hi), f(t.OverStatic.Value), f(t.OverStatic.Lo), f(t.OverStatic.Hi),
				strconv.Itoa(t.OverRandom.Clusters), strconv.FormatBool(t.Undertrained),
			}
			if c := t.Cloning; c != nil {
				line = append(line, c.Of, strconv.Itoa(c.HeldOut), f(c.Share), strconv.Itoa(c.Unseen), f(c.UnseenShare))
			} else {
				line = append(line, "", "", "", "", "")
			}
			out = append(out, line)
		}
	}
	return out
}
