package reports

import (
	"cmp"
	"slices"
	"strings"

	"pepbench/bench/record"
)

// spent is what the sessions of a strategy called for, by role.
type spent struct {
	sessions, failed int
	roles            map[string]*roleCost
}

// add adds the calls of a session. One that failed has no part in any measure, but its calls
// were made and are counted.
func (p *spent) add(s *record.Session, failed bool) {
	p.sessions++
	if failed {
		p.failed++
	}
	for _, c := range s.Calls {
		if p.roles == nil {
			p.roles = map[string]*roleCost{}
		}
		of := p.roles[c.Role]
		if of == nil {
			of = &roleCost{Role: c.Role}
			p.roles[c.Role] = of
		}
		of.Calls += c.Calls
		of.TokensIn += c.TokensIn
		of.TokensOut += c.TokensOut
		of.Uncounted += c.Uncounted
	}
}

// cost gives the sums over the roles, nil where no model was called. The dollars of a role
// are
//
//	(tokens_in price_in + tokens_out price_out) / 1e6
//
// at the prices of its endpoint, as if nothing had come from a cache; they are not known
// without a price, or where the tokens of some call are missing, and neither is then their
// sum.
func (p *spent) cost(endpoints []record.Endpoint) *cost {
	out := &cost{Sessions: p.sessions, Failed: p.failed}
	for _, of := range p.roles {
		if of.Calls == 0 {
			continue
		}
		r := *of
		r.Dollars = r.price(endpoints)
		out.Roles = append(out.Roles, r)
	}
	if out.Roles == nil {
		return nil
	}
	slices.SortFunc(out.Roles, func(a, b roleCost) int {
		return cmp.Or(cmp.Compare(rolePlace(a.Role), rolePlace(b.Role)), strings.Compare(a.Role, b.Role))
	})
	for i := range out.Roles {
		r := &out.Roles[i]
		out.Calls += r.Calls
		out.TokensIn += r.TokensIn
		out.TokensOut += r.TokensOut
		out.Uncounted += r.Uncounted
		out.Dollars += r.Dollars // NaN of one is that of all
	}
	return out
}

// price gives the dollars of the role, undefined where they are not known.
func (r *roleCost) price(endpoints []record.Endpoint) Number {
	if r.lacks() {
		return undefined()
	}
	for _, e := range endpoints {
		if e.Role == r.Role && e.Price != nil {
			return (Number(r.TokensIn)*Number(e.Price.In) + Number(r.TokensOut)*Number(e.Price.Out)) / 1e6
		}
	}
	return undefined()
}
