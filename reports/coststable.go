package reports

import (
	"fmt"
	"slices"
	"strconv"
)

// costRoles are the roles that any row called, in the order of roleOrder.
func costRoles(m *Metrics) (out []string) {
	for i := range m.Strategies {
		if c := m.Strategies[i].Cost; c != nil {
			for _, r := range c.Roles {
				if !slices.Contains(out, r.Role) {
					out = append(out, r.Role)
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return rolePlace(a) - rolePlace(b) })
	return out
}

// role gives what a role was called for, nil where it was not.
func (c *cost) role(name string) *roleCost {
	if c == nil {
		return nil
	}
	for i := range c.Roles {
		if c.Roles[i].Role == name {
			return &c.Roles[i]
		}
	}
	return nil
}

// policyParameters are those of the policy that asks, 0 where there is none or they are not
// known.
func (r *Row) policyParameters() int64 {
	if r.Policy == nil {
		return 0
	}
	return r.Policy.Params
}

// costsTable has a row a strategy: what its sessions called models for, and the parameters
// of its own models. A run in which no model was called and no strategy has parameters has
// no rows.
func costsTable(m *Metrics) *grid {
	g := &grid{name: "costs"}
	roles := costRoles(m)
	g.head = []string{"Strategy", "Predicts from", "Sessions", "Calls", "Calls a session"}
	for _, r := range roles {
		head := capital(r) + ", tokens"
		g.head, g.aside = append(g.head, head), append(g.aside, head)
	}
	g.head = append(g.head, "Tokens in", "Tokens out", "Tokens a session", "Dollars", "Dollars a session", "Parameters")
	g.aside = append(g.aside, "Calls")
	const uncalled = "no model was called"
	some := false
	for _, rows := range blocks(m) {
		var group [][]cell
		for _, r := range rows {
			c := r.Cost
			some = some || c != nil || r.Params > 0 || r.policyParameters() > 0
			sessions := cell{value: strconv.Itoa(r.Sessions + r.finalFailures)}
			if r.finalFailures > 0 {
				sessions.note = g.note("%d of them failed, whose calls count here", r.finalFailures)
			}
			row := []cell{g.named(m, r), {value: r.Predict}, sessions}
			if c == nil {
				row = append(row, cell{value: "0"})
				for range len(roles) + 6 {
					row = append(row, g.none(uncalled))
				}
				group = append(group, append(row, g.parameters(r)))
				continue
			}
			row = append(row, cell{value: thousands(int64(c.Calls))}, cell{value: num(Number(c.Calls)/Number(c.Sessions), "%.1f")})
			for _, role := range roles {
				of := c.role(role)
				if of == nil {
					row = append(row, g.none("the role was not called"))
					continue
				}
				both := g.tokens(of.TokensIn+of.TokensOut, of.lacks())
				if both.value != dash {
					in, out := g.tokens(of.TokensIn, of.lacks()), g.tokens(of.TokensOut, of.lacks())
					both = cell{value: in.value + " / " + out.value, note: max(in.note, out.note)}
				}
				row = append(row, both)
			}
			row = append(row, g.tokens(c.TokensIn, c.lacks()), g.tokens(c.TokensOut, c.lacks()))
			each := g.tokens(c.TokensIn+c.TokensOut, c.lacks())
			if each.value != dash {
				each.value = thousands(int64(float64(c.TokensIn+c.TokensOut)/float64(c.Sessions) + .5))
			}
			row = append(row, each, g.dollars(c, c.Dollars, "%.2f"), g.dollars(c, c.Dollars/Number(c.Sessions), "%.4f"))
			group = append(group, append(row, g.parameters(r)))
		}
		g.groups = append(g.groups, group)
	}
	if !some {
		return &grid{name: g.name}
	}
	caption := func(tokens string) string {
		s := fmt.Sprintf("What each strategy asked of models on %s.", describe(m)) +
			" A call is counted once, whether a server or a cache answered it; those past the budget are counted, too. Dollars as if nothing had come from a cache." + tokens +
			" Parameters: of the models that the strategy predicts and asks by, plus those of its policy."
		s += m.policies(m.rows())
		if m.Sessions.Failed > 0 {
			s += fmt.Sprintf(" Sessions that failed: %d %s, whose calls count here.", m.Sessions.Failed, plural(m.Sessions.Failed, "session"))
		}
		if m.Judges != nil {
			s += fmt.Sprintf(" Judge and correctness were called here; the other roles by the run %s, whose responses these are.", m.Judges.Of)
		}
		if n := notice(m); n != "" {
			s += " " + n
		}
		return s
	}
	g.caption, g.paperCaption = caption(" Tokens of a role: in / out."), caption(" Tokens by role are in costs.csv.")
	return g
}

// lacks reports whether the sums lack the tokens of some calls.
func (r *roleCost) lacks() bool { return r.Uncounted > 0 || r.TokensIn == 0 || r.TokensOut == 0 }

// lacks is that of the sums over roles.
func (c *cost) lacks() bool {
	return slices.ContainsFunc(c.Roles, func(r roleCost) bool { return r.lacks() })
}

// tokens shows a number of tokens as far as servers counted them.
func (g *grid) tokens(n int, lacks bool) cell {
	switch {
	case n == 0:
		return g.none("no server said how many tokens it took")
	case lacks:
		return cell{value: thousands(int64(n)), note: g.note("of some calls the tokens are missing, which no server counted")}
	}
	return cell{value: thousands(int64(n))}
}

func (g *grid) dollars(c *cost, v Number, format string) cell {
	if v.Defined() {
		return cell{value: num(v, format)}
	}
	if c.lacks() {
		return g.none("of some calls the tokens are missing, which no server counted")
	}
	return g.none("the configuration gives no price of some model")
}

// parameters shows those of the models and of the policy.
func (g *grid) parameters(r *Row) cell {
	own, policy := int64(r.Params), r.policyParameters()
	switch {
	case policy > 0:
		return cell{value: thousands(own) + " + " + thousands(policy)}
	case r.Kind == kindRL || r.Kind == kindReplay:
		return cell{value: thousands(own), note: g.note("the parameters of the policy are not known")}
	}
	return cell{value: thousands(own)}
}

// costsCSV has a line a number, of every strategy together (role empty) and of each role.
func costsCSV(m *Metrics) [][]string {
	out := [][]string{{"strategy", "base", "kind", "predict", "role", "measure", "value", "sessions", "failed"}}
	for _, rows := range ordered(m) {
		for _, r := range rows {
			add := func(role, measure string, v Number) {
				out = append(out, []string{r.Name, r.Base, r.Kind, r.Predict, role, measure, raw(v), strconv.Itoa(r.Sessions + r.finalFailures), strconv.Itoa(r.finalFailures)})
			}
			add("", "params", Number(r.Params))
			if n := r.policyParameters(); n > 0 {
				add("", "policy_params", Number(n))
			}
			c := r.Cost
			if c == nil {
				add("", "calls", 0)
				continue
			}
			sums := func(role string, calls, in, tokens, uncounted int, dollars Number) {
				add(role, "calls", Number(calls))
				add(role, "calls_per_session", Number(calls)/Number(c.Sessions))
				known := func(n int) Number {
					if n == 0 {
						return undefined()
					}
					return Number(n)
				}
				add(role, "tokens_in", known(in))
				add(role, "tokens_out", known(tokens))
				add(role, "uncounted", Number(uncounted))
				add(role, "dollars", dollars)
				add(role, "dollars_per_session", dollars/Number(c.Sessions))
			}
			sums("", c.Calls, c.TokensIn, c.TokensOut, c.Uncounted, c.Dollars)
			for _, of := range c.Roles {
				sums(of.Role, of.Calls, of.TokensIn, of.TokensOut, of.Uncounted, of.Dollars)
			}
		}
	}
	return out
}
