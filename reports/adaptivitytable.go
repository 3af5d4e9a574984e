package reports

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pepbench/bench/record"
)

// A way is a way of asking: the row that stands for all rows that ask alike, and the
// name it is shown by.
type way struct {
	*Row
	name string
}

// sameAsking reports whether two rows ask alike and did so in as many sessions, with the
// same follow-up adaptivity, which knows nothing of what they predict.
func sameAsking(r, o *Row) bool {
	x, y := &r.Adaptivity, &o.Adaptivity
	return r.Base == o.Base && r.Sessions == o.Sessions && x.Pairs == y.Pairs && x.Differing == y.Differing &&
		x.Released.Pairs == y.Released.Pairs && x.Released.Differing == y.Released.Differing &&
		x.Counterfactual.Turns == y.Counterfactual.Turns && x.Counterfactual.Differing == y.Counterfactual.Differing &&
		x.Collapse.Following == y.Collapse.Following
}

// merged gives the ways of asking of rows with one base: one, under the name of how they
// ask, where all ask alike.
func merged(rows []*Row) (out []way) {
	alike := true
	for _, r := range rows {
		alike = alike && sameAsking(r, rows[0])
	}
	for _, r := range rows {
		w := way{r, r.Name}
		if alike && r.Base != "" {
			w.name = r.Base
		}
		out = append(out, w)
		if alike {
			break
		}
	}
	return out
}

// ways gives the ways of asking of the run.
func ways(m *Metrics) (out []way) {
	for _, g := range asking(m) {
		out = append(out, merged(g)...)
	}
	return out
}

// adaptivityTable has one row a way of asking: how often it goes on differently, how much
// of that is owed to the answers, and how much it asks everybody the same.
func adaptivityTable(m *Metrics) *grid {
	const (
		pairs, turns, early = "Pairs", "Turns", "Early stops"
		heldValue           = "Held / value"
		forkHeldValue       = "Counterfactual, held / value"
		byT, forkByT        = "By t", "Counterfactual, by t"
		correctedByT        = "Corrected, by t"
	)
	g := &grid{name: "adaptivity", texts: 1, head: []string{
		"Strategy", pairs, "Strict", "Corrected", "Counterfactual", turns, heldValue, forkHeldValue, early,
		byT, correctedByT, forkByT, "One sequence (%)", "One a task (%)", "Entropy (bits)",
	}}
	list := func(n int, at func(int) Number, format string) cell {
		var s []string
		for i := range n {
			s = append(s, orDash(at(i), format))
		}
		if s == nil {
			return cell{value: dash}
		}
		return cell{value: strings.Join(s, " / ")}
	}
	lacking, unmatched := 0, int64(0)
	var group [][]cell
	for _, w := range ways(m) {
		a := &w.Adaptivity
		k, f := &a.Corrected, &a.Counterfactual
		lacking += k.Lacking
		unmatched += k.Unmatched
		name := g.named(m, w.Row)
		name.value = w.name
		group = append(group, []cell{
			name,
			{value: strconv.FormatInt(a.Pairs, 10)},
			g.adaptivity(w.Row),
			g.corrected(k, a.Pairs),
			g.forked(w.Row),
			{value: strconv.FormatInt(f.Turns, 10)},
			{value: orDash(a.Held.Value, "%.2f") + " / " + orDash(a.Values.Value, "%.2f")},
			{value: orDash(f.Held.Value, "%.2f") + " / " + orDash(f.Values.Value, "%.2f")},
			{value: strconv.FormatInt(a.EarlyStops, 10)},
			list(len(a.ByT), func(i int) Number { return a.ByT[i].Value }, "%.2f"),
			list(len(k.ByT), func(i int) Number { return k.ByT[i].Value }, "%.2f"),
			list(len(f.ByT), func(i int) Number { return f.ByT[i].Value }, "%.2f"),
			g.oneSequence(w.Row),
			g.onePerTask(w.Row),
			list(len(a.Entropy), func(i int) Number { return a.Entropy[i].Bits }, "%.2f"),
		})
	}
	if group == nil {
		return g
	}
	g.groups = [][][]cell{group}

	what := fmt.Sprintf("How strategies ask on %s, up to %d %s; one line a way of asking, whatever it predicts from.", describe(m), m.Budget, plural(m.Budget, "question")) + provenanceOver(m, clustersOver(m)) +
		" Strict: share of pairs of sessions (same task and seed) with the same dialogue but for the answer to q_t that go on differently, mean over tasks." + chance(m) +
		" Corrected: strict less the same share of pairs with the same dialogue and the same answer at the same t; what dice decide is 0."
	if unmatched > 0 {
		what += fmt.Sprintf(" Where t has no pair of the same answer there is nothing to take off: %d pairs of all lines, and %d tasks that have no others, are left out of it.", unmatched, lacking)
	}
	what += " Counterfactual: share of turns after which another answer (not held for a value, a middle value for not held; where everything is held, the far end of the scale) would have led to another question, under the same randomness, mean over tasks." +
		" One sequence: share of sessions that ask the most common sequence of criteria up to the budget, all tasks together; one a task: that of each task's own, mean over tasks."
	entropy := " Entropy of each question over all sessions, plug-in; who had stopped counts as one outcome."
	if len(m.Seeds) > 1 {
		what = strings.Replace(what, "the most common sequence of criteria up to the budget,", "the most common sequence of criteria of their seed up to the budget (policies are trained anew for a seed),", 1)
		entropy = " Entropy of each question over the sessions of a seed, plug-in, mean over seeds; who had stopped counts as one outcome."
	}
	g.caption = what + " Held / value: pairs, or turns, whose two answers differ in whether, and in how much. By t: t = 1, 2, ..; – where nothing is to be compared. Early stops: pairs of which one session stopped." + entropy
	g.paperCaption = what + entropy
	g.aside = []string{pairs, turns, heldValue, forkHeldValue, early, byT, correctedByT, forkByT}
	return g
}

// orDash formats a number, or gives a dash.
func orDash(v Number, format string) string {
	if !v.Defined() {
		return dash
	}
	return num(v, format)
}

// corrected shows the corrected adaptivity.
func (g *grid) corrected(k *Corrected, pairs int64) cell {
	switch {
	case k.Value.Defined():
		return cell{value: num(k.Value, "%.3f"), interval: interval(k.Lo, k.Hi, "%.3f")}
	case pairs == 0:
		return g.none("no pair of sessions with equal dialogues but for the last answer")
	}
	return g.none("no pair of equal answers at a t that has pairs of different answers")
}

// forked shows the counterfactual adaptivity.
func (g *grid) forked(r *Row) cell {
	f := &r.Adaptivity.Counterfactual
	switch {
	case f.Value.Defined():
		return cell{value: num(f.Value, "%.3f"), interval: interval(f.Lo, f.Hi, "%.3f")}
	case r.Policy != nil && r.Policy.Mode == record.ModeTrajectory:
		return g.none("a log does not say what another answer would have led to")
	}
	return g.none("after no question another answer was tried")
}

// oneSequence shows the share of sessions that ask the most common sequence, which the
// note names.
func (g *grid) oneSequence(r *Row) cell {
	c := &r.Adaptivity.Collapse
	if !c.Value.Defined() {
		return g.none("%s", unknownWhy(r))
	}
	return cell{
		value: num(100*c.Value, "%.1f"), interval: interval(100*c.Lo, 100*c.Hi, "%.1f"),
		note: g.note("%s", c.inWords()),
	}
}

// inWords writes the sequences: one, or where seeds differ one a seed.
func (c *Collapse) inWords() string {
	var says, differ []string
	for _, q := range c.Sequences {
		s := inWords(q.Sequence)
		if !slices.Contains(differ, s) {
			differ = append(differ, s)
		}
		says = append(says, fmt.Sprintf("seed %d: %s", q.Seed, s))
	}
	if len(differ) == 1 {
		return differ[0]
	}
	return strings.Join(says, "; ")
}

// inWords writes a sequence of criteria.
func inWords(sequence []string) string {
	if len(sequence) == 0 {
		return "asks nothing"
	}
	var s []string
	for _, id := range sequence {
		if id == "" {
			id = "(no criterion)"
		}
		s = append(s, id)
	}
	return strings.Join(s, ", ")
}

func (g *grid) onePerTask(r *Row) cell {
	c := &r.Adaptivity.Collapse.ByTask
	if !c.Value.Defined() {
		return g.none("%s", unknownWhy(r))
	}
	return cell{value: num(100*c.Value, "%.1f"), interval: interval(100*c.Lo, 100*c.Hi, "%.1f")}
}

func adaptivityCSV(m *Metrics) [][]string {
	t := newTidy()
	for _, w := range ways(m) {
		t.row = w.Row
		a := &w.Adaptivity
		t.pairs("adaptivity", m.Budget, a.PairShare)
		t.pairs("adaptivity_held_differs", m.Budget, a.Held)
		t.pairs("adaptivity_value_differs", m.Budget, a.Values)
		for i, p := range a.ByT {
			t.pairs("adaptivity_at", i+1, p)
		}
		none := undefined()
		t.add("early_stops", m.Budget, Number(float64(a.EarlyStops)), none, none, a.Pairs, 0, a.Tasks)
		t.pairs("adaptivity_released", m.Budget, a.Released)
		k := &a.Corrected
		corrected := func(measure string, questions int, s *CorrectedShare) {
			t.add(measure, questions, s.Value, s.Lo, s.Hi, s.SamePairs, s.Lacking, s.Tasks)
		}
		corrected("corrected", m.Budget, &k.CorrectedShare)
		t.add("corrected_unmatched", m.Budget, Number(float64(k.Unmatched)), none, none, a.Pairs, k.Lacking, k.Tasks)
		for i := range k.ByT {
			corrected("corrected_at", i+1, &k.ByT[i])
		}
		turns := func(measure string, questions int, s *TurnShare) {
			t.add(measure, questions, s.Value, s.Lo, s.Hi, s.Turns, 0, s.Tasks)
		}
		f := &a.Counterfactual
		turns("counterfactual", m.Budget, &f.TurnShare)
		turns("counterfactual_held_differs", m.Budget, &f.Held)
		turns("counterfactual_value_differs", m.Budget, &f.Values)
		for i := range f.ByT {
			turns("counterfactual_at", i+1, &f.ByT[i])
		}
		c := &a.Collapse
		t.add("one_sequence", m.Budget, c.Value, c.Lo, c.Hi, int64(c.Sessions), 0, clusters(m))
		t.add("one_sequence_a_task", m.Budget, c.ByTask.Value, c.ByTask.Lo, c.ByTask.Hi, int64(c.Sessions), 0, c.ByTask.Tasks)
		for _, e := range a.Entropy {
			t.add("entropy_bits", e.Turn, e.Bits, none, none, int64(e.Sessions), 0, 0)
		}
		if o := w.OffLog; o != nil {
			t.add("off_log", m.Budget, o.Rate, none, none, int64(o.Decisions), 0, 0)
			t.add("off_log_on_another_task", m.Budget, o.TaskRate, none, none, int64(o.Decisions), 0, 0)
		}
	}
	return t.lines
}
