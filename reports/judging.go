package reports

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"pepbench/bench/record"
	"pepbench/reports/stats"
)

// A callCount is what one role called for, over all sessions.
type callCount struct {
	calls, repairs, tokensIn, tokensOut, uncounted int
	unread                                         map[string]int
}

// A gradeCount is what there is to say of the judge on one task: grades of several
// repeats, and of this judge and another.
type gradeCount struct {
	repeats  stats.Agreement
	draws    int // repeats asked for
	unscored int // of them
	partial  int // units of which some were graded and some not
	most     int // of one unit

	judges        stats.Agreement
	pairs         stats.Pairs
	before, after int // units that the other judge left unscored, and that this one did
	lost          int // units that either did
}

// count keeps what a session says of calls and of the judge's grades. A unit is a
// session, a checkpoint that was graded, and a criterion.
func (r *Run) count(s *record.Session) {
	r.counted++
	for _, c := range s.Calls {
		n := r.calls[c.Role]
		if n == nil {
			if r.calls == nil {
				r.calls = map[string]*callCount{}
			}
			n = &callCount{unread: map[string]int{}}
			r.calls[c.Role] = n
		}
		n.calls += c.Calls
		n.repairs += c.Repairs
		n.tokensIn += c.TokensIn
		n.tokensOut += c.TokensOut
		n.uncounted += c.Uncounted
		for _, why := range c.Unread {
			n.unread[unquoted(why)]++
		}
	}
	if s.Error != "" || s.Stop == record.StopError {
		return
	}
	for i := range s.Checkpoints {
		cp := &s.Checkpoints[i]
		if cp.Carried {
			continue
		}
		for j := range cp.Scores {
			sc := &cp.Scores[j]
			if r.Manifest.Rejudged == nil && len(sc.Repeats) == 0 {
				continue
			}
			g := r.grades[s.Task]
			if g == nil {
				if r.grades == nil {
					r.grades = map[string]*gradeCount{}
				}
				g = &gradeCount{}
				r.grades[s.Task] = g
			}
			if n := len(sc.Repeats); n > 0 {
				g.most = max(g.most, n)
				g.draws += n
				said := sc.Repeats
				if len(sc.Levels) == n {
					said = sc.Levels
				}
				missing := 0
				for _, v := range said {
					if math.IsNaN(v) {
						missing++
					}
				}
				g.unscored += missing
				if missing > 0 && missing < n {
					g.partial++
				}
				g.repeats.Add(said...)
			}
			if r.Manifest.Rejudged == nil {
				continue
			}
			if sc.Before == nil {
				g.before++
			}
			if sc.Score == nil {
				g.after++
			}
			if sc.Before == nil || sc.Score == nil {
				g.lost++
			} else {
				before := *sc.Before
				if sc.BeforeLevel != nil {
					before = *sc.BeforeLevel
				}
				g.judges.Add(before, sc.Said())
				g.pairs.Add(before, sc.Said())
			}
		}
	}
}

// formerly is the alignment under the judge of the run whose responses were graded
// again, NaN where it is undefined. Where it comes to the same as the one of these scores it
// is the recorded one: rounding would make a difference, and maybe a resolved one.
func formerly(s *record.Session, cp *record.Checkpoint) float64 {
	if cp == nil {
		return math.NaN()
	}
	scores := slices.Clone(cp.Scores)
	for i := range scores {
		scores[i].Score = scores[i].Before
	}
	raw, ok := record.Raw(scores, s.Truth.Weight)
	if !ok {
		return math.NaN()
	}
	if now, ok := record.Raw(cp.Scores, s.Truth.Weight); ok && now == raw && cp.Raw != nil && math.Abs(*cp.Raw-now) <= rawError {
		raw = *cp.Raw
	}
	return record.Alignment(raw)
}

var (
	quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	asked  = regexp.MustCompile(` \(asked \d+ times\)$`)
	ofOurs = map[string]bool{
		`"level"`: true, `"score"`: true, `"results"`: true, `"correct"`: true,
		`"stop"`: true, `"length"`: true, `"content_filter"`: true, `"tool_calls"`: true, // reasons to finish
	}
)

// unquoted is a reason without what it quotes of a reply, so that equal faults of
// different replies are one, and each fault of it once.
func unquoted(why string) string {
	why = quoted.ReplaceAllStringFunc(asked.ReplaceAllString(why, ""), func(q string) string {
		if ofOurs[q] {
			return q
		}
		return "…"
	})
	var parts []string
	for _, p := range strings.Split(why, "; ") {
		if !slices.Contains(parts, p) {
			parts = append(parts, p)
		}
	}
	return short(strings.TrimSuffix(strings.Join(parts, "; "), ": …"))
}

// roleCalls are the logical calls of a role.
type roleCalls struct {
	Role       string  `json:"role"`
	Model      string  `json:"model"`
	Calls      int     `json:"calls"`
	PerSession Number  `json:"per_session"`
	Requests   int     `json:"requests"`
	Repairs    int     `json:"repairs"`
	Unread     int     `json:"unread"`
	Reasons    []count `json:"reasons"`
	TokensIn   Number  `json:"tokens_in"`
	TokensOut  Number  `json:"tokens_out"`
	Uncounted  int     `json:"uncounted,omitempty"` // calls that the tokens lack
	Dollars    Number  `json:"dollars"`
}

// share is the part of the requests that have no reply which could be read.
func (c *roleCalls) share() float64 { return float64(c.Unread) / float64(c.Requests) }

// roleOrder is how roles are listed.
var roleOrder = []string{"solver", "judge", "correctness", "user", "interpreter", "asker"}

// rolePlace is the place of a role in roleOrder; others come last.
func rolePlace(role string) int {
	if i := slices.Index(roleOrder, role); i >= 0 {
		return i
	}
	return len(roleOrder)
}

// roleCalls sums the calls of all sessions by role.
func (c *computer) roleCalls() (out []roleCalls) {
	var names []string
	for role := range c.calls {
		names = append(names, role)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(rolePlace(a), rolePlace(b)), strings.Compare(a, b))
	})
	for _, role := range names {
		n := c.calls[role]
		of := roleCalls{
			Role: role, Calls: n.calls, Requests: n.calls - n.repairs, Repairs: n.repairs, Uncounted: n.uncounted,
			PerSession: Number(float64(n.calls) / float64(c.counted)), Reasons: counts(n.unread),
			TokensIn: undefined(), TokensOut: undefined(), Dollars: undefined(),
		}
		for _, r := range of.Reasons {
			of.Unread += r.N
		}
		if n.tokensIn > 0 {
			of.TokensIn = Number(n.tokensIn)
		}
		if n.tokensOut > 0 {
			of.TokensOut = Number(n.tokensOut)
		}
		for _, e := range c.Manifest.Endpoints {
			if e.Role != role {
				continue
			}
			of.Model = e.Model
			if e.Price != nil && n.uncounted == 0 {
				of.Dollars = (of.TokensIn*Number(e.Price.In) + of.TokensOut*Number(e.Price.Out)) / 1e6
			}
		}
		out = append(out, of)
	}
	return out
}

// muchUnread is the share of a role's requests without a readable reply from which on
// the reader is warned.
const muchUnread = .01

// pooled is a statistic of all units together, with the percentile interval of the
// bootstrap over clusters.
type pooled struct {
	Value Number `json:"value"`
	Lo    Number `json:"lo"`
	Hi    Number `json:"hi"`
}

func (c *computer) pooled(v float64, clusters int, samples func() []float64) pooled {
	p := pooled{Value: Number(v), Lo: undefined(), Hi: undefined()}
	if p.Value.Defined() {
		p.Lo, p.Hi = ends(c.boot, clusters, samples)
	}
	return p
}

// repeated is how far the repeats of the judge agree.
type repeated struct {
	Repeats  int    `json:"repeats"`
	Units    int    `json:"units"`
	Unpaired int    `json:"unpaired"`
	Partial  int    `json:"partial"`
	Unscored int    `json:"unscored"`
	Draws    int    `json:"draws"`
	Exact    pooled `json:"exact"`
	Ordinal  pooled `json:"alpha_ordinal"`
	Interval pooled `json:"alpha_interval"`
}

// gradeCounts gives the counts of every task, empty ones included so that resamples are
// those of all other numbers, and how many are not empty.
func (c *computer) gradeCounts() (out []*gradeCount, some int) {
	for _, t := range c.tasks {
		g := c.grades[t]
		if g != nil {
			some++
		} else {
			g = &gradeCount{}
		}
		out = append(out, g)
	}
	return out, some
}

func (c *computer) repeated() *repeated {
	out := &repeated{}
	var clusters []*stats.Agreement
	counts, some := c.gradeCounts()
	for _, g := range counts {
		clusters = append(clusters, &g.repeats)
		out.Repeats = max(out.Repeats, g.most)
		out.Draws += g.draws
		out.Unscored += g.unscored
		out.Partial += g.partial
		out.Units += g.repeats.Units()
		out.Unpaired += g.repeats.Unpaired()
	}
	if out.Draws == 0 {
		return nil
	}
	s := stats.Agree(clusters)
	draws := c.boot.AgreeSamples(clusters)
	of := func(v func(stats.Statistics) float64) pooled {
		return c.pooled(v(s), some, func() []float64 { return each(draws, v) })
	}
	out.Exact = of(func(s stats.Statistics) float64 { return s.Exact })
	out.Ordinal = of(func(s stats.Statistics) float64 { return s.Ordinal })
	out.Interval = of(func(s stats.Statistics) float64 { return s.Interval })
	return out
}

func each(in []stats.Statistics, v func(stats.Statistics) float64) []float64 {
	out := make([]float64, len(in))
	for i := range in {
		out[i] = v(in[i])
	}
	return out
}

// judged compares the judge with the one who graded the same responses before.
type judged struct {
	Of       string       `json:"of"`
	Before   string       `json:"before"`
	After    string       `json:"after"`
	Units    int          `json:"units"`
	NoBefore int          `json:"unscored_before"`
	NoAfter  int          `json:"unscored_after"`
	Lost     int          `json:"unscored"`
	Exact    pooled       `json:"exact"`
	Near     pooled       `json:"within_one"`
	Ordinal  pooled       `json:"alpha_ordinal"`
	Spearman pooled       `json:"spearman"`
	Shift    pooled       `json:"shift"`
	Rows     []judgedRow  `json:"rows"`
	Order    judgedOrders `json:"order"`
}

// judgedRow is one strategy under two judges, at its final checkpoint.
type judgedRow struct {
	Strategy   string     `json:"strategy"`
	Before     Estimate   `json:"before"`
	After      Estimate   `json:"after"`
	Difference difference `json:"difference"`
	RankBefore int        `json:"rank_before"` // 0: undefined
	RankAfter  int        `json:"rank_after"`
}

// judgedOrders counts the pairs of strategies whose order the judges see alike.
type judgedOrders struct {
	Pairs    int `json:"pairs"`
	Reversed int `json:"reversed"`
	Tied     int `json:"tied"` // under one judge alone
}

func (c *computer) judged() *judged {
	was := c.Manifest.Rejudged
	if was == nil {
		return nil
	}
	out := &judged{Of: was.Of, Before: was.Judge, After: c.Manifest.Judge, Rows: []judgedRow{}}
	var clusters []*stats.Agreement
	var pairs []*stats.Pairs
	counts, some := c.gradeCounts()
	for _, g := range counts {
		clusters, pairs = append(clusters, &g.judges), append(pairs, &g.pairs)
		out.Units += g.judges.Units()
		out.NoBefore += g.before
		out.NoAfter += g.after
		out.Lost += g.lost
	}
	s := stats.Agree(clusters)
	shift, rho := stats.Pooled(pairs)
	draws := c.boot.AgreeSamples(clusters)
	shifts, rhos := c.boot.PooledSamples(pairs)
	of := func(v func(stats.Statistics) float64) pooled {
		return c.pooled(v(s), some, func() []float64 { return each(draws, v) })
	}
	out.Exact = of(func(s stats.Statistics) float64 { return s.Exact })
	out.Near = of(func(s stats.Statistics) float64 { return s.Near })
	out.Ordinal = of(func(s stats.Statistics) float64 { return s.Ordinal })
	out.Spearman = c.pooled(rho, some, func() []float64 { return rhos })
	out.Shift = c.pooled(shift, some, func() []float64 { return shifts })
	for _, st := range c.strategies {
		b := batch{computer: c}
		before := b.add(st, func(s *session) float64 { return s.before })
		after := b.add(st, alignmentAt(st.final))
		diff := b.add(st, func(s *session) float64 { return s.align[st.final] - s.before })
		b.draw()
		out.Rows = append(out.Rows, judgedRow{Strategy: st.Name, Before: b.estimate(before), After: b.estimate(after), Difference: b.difference(diff)})
	}
	for i := range out.Rows {
		r := &out.Rows[i]
		r.RankBefore, r.RankAfter = rank(out.Rows, i, beforeOf), rank(out.Rows, i, afterOf)
		for j := range out.Rows[:i] {
			o := &out.Rows[j]
			x, y := beforeOf(r)-beforeOf(o), afterOf(r)-afterOf(o)
			if !x.Defined() || !y.Defined() {
				continue
			}
			out.Order.Pairs++
			switch {
			case x > 0 && y < 0 || x < 0 && y > 0:
				out.Order.Reversed++
			case (x == 0) != (y == 0):
				out.Order.Tied++
			}
		}
	}
	return out
}

// beforeOf and afterOf are rounded as on disk, since sums of equal numbers in another
// order may differ in the last bit.
func beforeOf(r *judgedRow) Number { return Number(record.Round(float64(r.Before.Value))) }
func afterOf(r *judgedRow) Number  { return Number(record.Round(float64(r.After.Value))) }

// rank is the place of a row by falling value, equal ones sharing the first of theirs;
// 0 without a value.
func rank(rows []judgedRow, i int, value func(*judgedRow) Number) int {
	v, n := value(&rows[i]), 1
	if !v.Defined() {
		return 0
	}
	for j := range rows {
		if o := value(&rows[j]); o.Defined() && o > v {
			n++
		}
	}
	return n
}

// judging fills what the report says of calls and of the judge, and warns.
func (c *computer) judging() {
	o := c.out
	o.Calls, o.Repeats, o.Probes, o.Judges = c.roleCalls(), c.repeated(), c.probes, c.judged()
	for i := range o.Calls {
		if n := &o.Calls[i]; n.share() > muchUnread {
			c.extra = append(c.extra, fmt.Sprintf("%s: %d of %d requests (%.1f%%) have no reply that could be read, most often because: %s", n.Role, n.Unread, n.Requests, 100*n.share(), n.Reasons[0].What))
		}
	}
	if o.Probes != nil {
		for _, k := range o.Probes.Checks {
			if k.Name == "sensitivity" && k.Pairs > 0 && float64(k.Agree) < .9*float64(k.Pairs) {
				c.extra = append(c.extra, fmt.Sprintf("the judge puts %d of %d pairs of probes, of which one plainly shows more than the other, in the right order: its grades say little", k.Agree, k.Pairs))
			}
		}
	}
}
