package reports

import (
	"fmt"
	"strconv"
	"strings"
)

// fidelityTable has a row for all strategies together and one for each; none where
// users do not answer in words.
func fidelityTable(m *Metrics) *grid {
	g := &grid{name: "fidelity", texts: 1, head: []string{
		"Strategy", "Questions", "Answered (%)", "Agreement (%)", "Held or not (%)", "Level (%)", "Level MAE", "By model (%)",
		"Leaks (%)", "Stop unanswered (%)", "Stop early (%)", "Held flips (%)", "Level flips (%)",
	}}
	f := m.Fidelity
	if f == nil {
		return g
	}
	g.groups = [][][]cell{{g.fidelity("all", &f.All)}}
	var rows [][]cell
	for i := range f.Strategies {
		row := g.fidelity(f.Strategies[i].Of, &f.Strategies[i])
		row[0] = g.namedBy(m, f.Strategies[i].Of)
		rows = append(rows, row)
	}
	if rows != nil {
		g.groups = append(g.groups, rows)
	}
	a := &f.All
	g.caption = fmt.Sprintf("Fidelity of users on %s over at most %d %s.", describe(m), m.Horizon, plural(m.Horizon, "question")) + provenanceOver(m, clustersOver(m)) +
		fmt.Sprintf(" Users: %s.", strings.TrimSuffix(m.UserModel, ".")) +
		fmt.Sprintf(" Of %d questions about a criterion: told %d, no preference %d, beside the point %d, unreadable %d, stop %d.", a.Questions, a.Told, a.Indifferent, a.Aside, a.Unread, a.Stop) +
		fmt.Sprintf(" Shares are of all questions together, not means of %s means. Agreement: answers equal to the true profile; level: of the %d that were held and said to be. Leaks: questions whose answer tells of something else that is held and was not asked.", m.Cluster, a.Level.N) +
		fmt.Sprintf(" Stop unanswered, stop early: of %d %s ended by their users, those that ended at a question about something they hold without saying so, and before all that they hold was told.", a.Stopped, plural(a.Stopped, "session")) +
		fmt.Sprintf(" Flips: of %d %s put again, held: of %d answered each time, those not alike in held or not; level: of %d said to be held each time, those of several values. Each number's n is in the CSV file.", f.Audited, plural(f.Audited, "question"), a.HeldFlips.N, a.LevelFlips.N)
	g.paperCaption = g.caption
	g.aside = []string{"By model (%)", "Level flips (%)"}
	return g
}

// fidelity is a row of the table.
func (g *grid) fidelity(name string, a *agreeing) []cell {
	const unasked, unanswered, notBoth = "nothing was asked about a criterion", "nothing was answered", "nothing was held and said to be"
	const unstopped, unaudited = "no session was ended by its user", "no question was put again and answered each time"
	percent := func(e Estimate, why string) cell {
		e.Value, e.Lo, e.Hi = 100*e.Value, 100*e.Lo, 100*e.Hi
		return g.estimate(e, "%.1f", why)
	}
	bare := func(c cell) cell {
		c.interval = ""
		return c
	}
	return []cell{
		{value: name},
		{value: strconv.Itoa(a.Questions)},
		bare(percent(a.Answered, unasked)),
		percent(a.Agreement, unanswered),
		bare(percent(a.Held, unanswered)),
		bare(percent(a.Level, notBoth)),
		bare(g.estimate(a.LevelMAE, "%.3f", notBoth)),
		g.share(a.ByModel, a.ByModel+a.ByRule, unasked),
		percent(a.Leak, unasked),
		bare(percent(a.StopUnanswered, unstopped)),
		bare(percent(a.StopEarly, unstopped)),
		bare(percent(a.HeldFlips, unaudited)),
		bare(percent(a.LevelFlips, "no question was put again and said to be held each time")),
	}
}

// fidelityCSV has a line for a number, of all, of every strategy and of every criterion.
func fidelityCSV(m *Metrics) [][]string {
	out := [][]string{{"scope", "of", "measure", "value", "lo", "hi", "n", "undefined", "clusters"}}
	add := func(scope string, a *agreeing) {
		for _, c := range []struct {
			name string
			n    int
		}{
			{"questions", a.Questions},
			{"no_criterion", a.NoCriterion},
			{"told", a.Told},
			{"no_preference", a.Indifferent},
			{"aside", a.Aside},
			{"unread", a.Unread},
			{"stop", a.Stop},
			{"by_rule", a.ByRule},
			{"by_model", a.ByModel},
			{"stopped", a.Stopped},
		} {
			if scope == "criterion" && (c.name == "no_criterion" || c.name == "stopped") {
				continue
			}
			out = append(out, []string{scope, a.Of, c.name, strconv.Itoa(c.n), "", "", strconv.Itoa(a.Questions), "", ""})
		}
		for _, e := range []struct {
			name string
			Estimate
		}{
			{"answered", a.Answered},
			{"agreement", a.Agreement},
			{"held", a.Held},
			{"level", a.Level},
			{"level_mae", a.LevelMAE},
			{"agreement_rule", a.OfRule},
			{"agreement_model", a.OfModel},
			{"leak", a.Leak},
			{"leak_mean", a.LeakMean},
			{"stop_unanswered", a.StopUnanswered},
			{"stop_early", a.StopEarly},
			{"held_flips", a.HeldFlips},
			{"level_flips", a.LevelFlips},
		} {
			if scope == "criterion" && strings.HasPrefix(e.name, "stop") { // of sessions, not of criteria
				continue
			}
			out = append(out, []string{
				scope, a.Of, e.name, raw(e.Value), raw(e.Lo), raw(e.Hi), strconv.Itoa(e.N), strconv.Itoa(e.Undefined), strconv.Itoa(e.Clusters),
			})
		}
	}
	if f := m.Fidelity; f != nil {
		add("all", &f.All)
		for i := range f.Strategies {
			add("strategy", &f.Strategies[i])
		}
		for i := range f.Criteria {
			add("criterion", &f.Criteria[i])
		}
	}
	return out
}
