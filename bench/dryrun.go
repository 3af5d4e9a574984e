package bench

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"pepbench/bench/record"
	"pepbench/domains"
)

// describeMost is how many profiles a dry run describes at most.
const describeMost = 50_000

// DryRun says what the plan would do: sessions, calls by role and tokens.
func (p *Plan) DryRun() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	m := &p.manifest
	line := func(what string, format string, a ...any) {
		fmt.Fprintf(w, "%s\t%s\n", what, fmt.Sprintf(format, a...))
	}
	line("experiment", "%s (config %.12s)", m.Name, m.ConfigHash)
	line("data", "%s: %d criteria, %d train / %d dev / %d test profiles, %d test tasks, %d test users", m.Data.Name, m.Data.Criteria, m.Data.Profiles.Train, m.Data.Profiles.Dev, m.Data.Profiles.Test, m.Data.Tasks.Test, m.Data.Users.Test)
	some := *p.Data
	if step := len(some.Profiles)/describeMost + 1; step > 1 { // association of all pairs takes long on very many
		some.Profiles = nil
		for i := 0; i < len(p.Data.Profiles); i += step {
			some.Profiles = append(some.Profiles, p.Data.Profiles[i])
		}
		line("", "of %d profiles, every %dth is described:", len(p.Data.Profiles), step)
	}
	line("profiles", "%s", shape(domains.Describe(&some)))
	for _, c := range m.Counts {
		line("", "%s: %d", c.What, c.N)
	}
	for _, x := range m.Models {
		how := ""
		for _, c := range x.Choice {
			if c.Chosen {
				how = fmt.Sprintf("; %s: dev score %.4f nats a cell, best of %d", c.Candidate, c.DevScore, len(x.Choice))
			}
		}
		if x.Fold > 0 {
			how += fmt.Sprintf(" (fold %d)", x.Fold)
		}
		line("belief "+x.Name, "%s, %d parameters: %s%s", x.Kind, x.Params, x.About, how)
	}
	for _, s := range m.Strategies {
		line("strategy "+s.Name, "%s; predicts from %s", s.About, s.Predict)
	}
	line("users", "%s", m.Users)
	line("solver", "%s", m.Solver)
	line("judge", "%s", m.Judge)
	line("sessions", "%d", m.Sessions)
	if len(p.Experiment.rolesUsed()) == 0 {
		line("calls", "none: no model takes part")
		w.Flush()
		return b.String()
	}
	for _, role := range p.Experiment.rolesUsed() {
		line("model as "+role, "%s", p.Experiment.modelOf(role).model())
	}
	if m.Planned.Solver > 0 {
		line("calls", "at most %d solver, %d judge, %d correctness (sessions that stop early need fewer; correctness asks the model only where no rule can tell)", m.Planned.Solver, m.Planned.Judge, m.Planned.Correctness)
	}
	if m.Planned.Interpreter > 0 {
		line("calls", "at most %d user, %d interpreter, %d asker (the interpreter asks the model only where no rule can tell)", m.Planned.User, m.Planned.Interpreter, m.Planned.Asker)
	}
	if m.Planned.Probes > 0 {
		line("", "and %d of the judge on built-in probes, before the sessions", m.Planned.Probes)
	}
	line("tokens", "about %d in, %d out (estimated at four characters a token)", m.Planned.TokensIn, m.Planned.TokensOut)
	w.Flush()
	return b.String()
}

// atMost puts the planned calls of a whole run to models on servers into a few words;
// the embedded one costs nothing.
func (p *Plan) atMost() string {
	c := &p.manifest.Planned
	calls := c.Solver + c.Judge + c.Correctness + c.User + c.Interpreter + c.Asker + c.Probes
	if calls == 0 || !slices.ContainsFunc(p.manifest.Endpoints, func(e record.Endpoint) bool { return !e.Simulated }) {
		return ""
	}
	return fmt.Sprintf(" (all %d together: at most %d calls, about %d tokens in and %d out; --dry-run has them by role)", p.manifest.Sessions, calls, c.TokensIn, c.TokensOut)
}

// DrySweep says what every cell of a grid would do: sessions, calls by role, or why
// it is refused.
func DrySweep(ctx context.Context, s *Sweep, say func(string)) (string, error) {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "cell\tsessions\tsolver calls\tjudge calls\tparameters")
	var pr preparer
	var sessions, solver, judge int
	for _, c := range s.Cells {
		plan, err := pr.prepare(ctx, c.Experiment, say)
		show := 0
		if err == nil {
			show, err = plan.shown()
		}
		switch {
		case undefined(err):
			fmt.Fprintf(t, "%s\trefused: %v\n", c.Dir, err)
			continue
		case err != nil:
			return "", fmt.Errorf("cell %s: %w", c.Dir, err)
		}
		m := &plan.manifest
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\n", c.Dir, m.Sessions, m.Planned.Solver, m.Planned.Judge, plan.rows[show].Params)
		sessions, solver, judge = sessions+m.Sessions, solver+m.Planned.Solver, judge+m.Planned.Judge
	}
	fmt.Fprintf(t, "%d cells\t%d\t%d\t%d\n", len(s.Cells), sessions, solver, judge)
	t.Flush()
	return b.String(), nil
}

// shape puts the statistics of the profiles into one line; what is undefined is a
// dash.
func shape(s domains.Stats) string {
	num := func(format string, v float64) string {
		if math.IsNaN(v) {
			return "–"
		}
		return fmt.Sprintf(format, v)
	}
	return fmt.Sprintf("held per profile %s; held by a share of %s to %s of them (median criterion %s); mean |phi| of holding %s, mean |r| of values %s; entropy of values %s bits",
		num("%.1f", s.MeanHeld), num("%.2f", s.Holding[0]), num("%.2f", s.Holding[4]), num("%.2f", s.Holding[2]), num("%.3f", s.Phi), num("%.3f", s.Corr), num("%.2f", s.Entropy))
}
