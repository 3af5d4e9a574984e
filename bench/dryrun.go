package bench

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
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
	line("tokens", "about %s in, %s out (estimated at four characters a token)", amount(m.Planned.TokensIn), amount(m.Planned.TokensOut))
	if total, by, unknown := p.dollars(); len(by) > 0 {
		rest := ""
		if len(unknown) > 0 {
			rest = "; no price is given for that of the " + strings.Join(unknown, ", ")
		}
		line("dollars", "about $%.2f, if no reply is in the cache: %s (by the prices of the configuration%s)", total, strings.Join(by, ", "), rest)
	}
	w.Flush()
	return b.String()
}

// amount writes a number so that it can be read at a glance.
func amount(n int) string {
	if n < 1_000_000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%.1f million", float64(n)/1e6)
}

// dollars estimates what the calls of a whole run cost, all together and by role, and
// names the roles whose model on a server has no price. Correctness, which seldom asks
// a model, is not in it, nor are retries and repairs.
func (p *Plan) dollars() (total float64, by, unknown []string) {
	for _, role := range p.Experiment.rolesUsed() {
		c, b := p.chars[role], p.Experiment.modelOf(role)
		if b.simulated() || c == [2]int{} {
			continue
		}
		in, out := b.price()
		if in == nil {
			unknown = append(unknown, role)
			continue
		}
		cost := (float64(c[0])*(*in) + float64(c[1])*(*out)) / charsPerToken / 1e6
		total += cost
		by = append(by, fmt.Sprintf("%s $%.2f", role, cost))
	}
	return total, by, unknown
}

// atMost puts the planned calls of a whole run to models on servers into a few words;
// the embedded one costs nothing.
func (p *Plan) atMost() string {
	c := &p.manifest.Planned
	calls := c.Solver + c.Judge + c.Correctness + c.User + c.Interpreter + c.Asker + c.Probes
	if calls == 0 || !slices.ContainsFunc(p.manifest.Endpoints, func(e record.Endpoint) bool { return !e.Simulated }) {
		return ""
	}
	return fmt.Sprintf(" (all %d together: at most %s calls, about %s tokens in and %s out; --dry-run has them by role)", p.manifest.Sessions, amount(calls), amount(c.TokensIn), amount(c.TokensOut))
}

// DrySweep says what every cell of a grid would do: sessions, calls by role, or why
// it is refused.
func DrySweep(ctx context.Context, s *Sweep, say func(string)) (string, error) {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "cell\tsessions\tsolver calls\tjudge calls\ttokens in\ttokens out\tparameters")
	pr := preparer{dry: true}
	var sessions, solver, judge, in, out int
	var dollars float64
	priced := false
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
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%s\t%s\t%d\n", c.Dir, m.Sessions, m.Planned.Solver, m.Planned.Judge, amount(m.Planned.TokensIn), amount(m.Planned.TokensOut), plan.rows[show].Params)
		in, out = in+m.Planned.TokensIn, out+m.Planned.TokensOut
		if cost, by, _ := plan.dollars(); len(by) > 0 {
			dollars, priced = dollars+cost, true
		}
		sessions, solver, judge = sessions+m.Sessions, solver+m.Planned.Solver, judge+m.Planned.Judge
	}
	fmt.Fprintf(t, "%d cells\t%d\t%d\t%d\t%s\t%s\n", len(s.Cells), sessions, solver, judge, amount(in), amount(out))
	t.Flush()
	if priced {
		fmt.Fprintf(&b, "about $%.2f for the models that have a price, if no reply is in the cache (estimated at four characters a token)\n", dollars)
	}
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
