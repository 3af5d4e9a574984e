package reports

import (
	"math"
	"slices"

	"pepbench/bench/record"
	"pepbench/domains"
)

// fidelity is how the answers of users who answer in words, as they were understood,
// agree with their profiles; the package comment defines its numbers.
type fidelity struct {
	User        string     `json:"played_by"`
	Interpreter string     `json:"understood_by"`
	Audited     int        `json:"audited"`
	All         agreeing   `json:"all"`
	Strategies  []agreeing `json:"strategies"`
	Criteria    []agreeing `json:"criteria"`
}

// agreeing is the fidelity of a set of questions.
type agreeing struct {
	Of          string `json:"of"`
	Questions   int    `json:"questions"`
	NoCriterion int    `json:"no_criterion"`
	Told        int    `json:"told"`
	Indifferent int    `json:"no_preference"`
	Aside       int    `json:"aside"`
	Unread      int    `json:"unread"`
	Stop        int    `json:"stop"`
	ByRule      int    `json:"by_rule"`
	ByModel     int    `json:"by_model"`

	Answered  Estimate `json:"answered"`
	Agreement Estimate `json:"agreement"`
	Held      Estimate `json:"held"`
	Level     Estimate `json:"level"`
	LevelMAE  Estimate `json:"level_mae"`
	OfRule    Estimate `json:"agreement_rule"`
	OfModel   Estimate `json:"agreement_model"`
	Leak      Estimate `json:"leak"`
	LeakMean  Estimate `json:"leak_mean"`

	Stopped        int      `json:"stopped"`
	StopUnanswered Estimate `json:"stop_unanswered"`
	StopEarly      Estimate `json:"stop_early"`

	HeldFlips  Estimate `json:"held_flips"`
	LevelFlips Estimate `json:"level_flips"`
}

// askedBy is what became of the questions that a model wrote.
type askedBy struct {
	Unplaced Estimate `json:"unplaced"`
	Unread   int      `json:"stopped_unread"`
}

// The roles of a model that this package treats apart, and what a turn says of who made
// its answer out.
const (
	roleUser        = "user"
	roleInterpreter = "interpreter"

	byRule  = "rule"
	byModel = "model"
)

// verbal reports whether users answer in words.
func (r *Run) verbal() bool { return r.model(roleUser) != "" }

// model names the model that plays a role, or nothing.
func (r *Run) model(role string) string {
	for _, e := range r.Manifest.Endpoints {
		if e.Role == role {
			return e.Model
		}
	}
	return ""
}

// talk is what is kept of a session with a user who answers in words.
type talk struct {
	said              []saying
	stopped           bool // by the user
	unanswered, early bool // errors of it
}

// saying is what is kept of a question about a criterion whose truth is known.
type saying struct {
	criterion    int // in Run.criteria
	truth, heard domains.Cell
	nominal      bool
	state, by    string
	leaks        int
	again        []domains.Cell
}

// overhear measures the turns of a session.
func (r *Run) overhear(s *record.Session) *talk {
	out := &talk{stopped: s.Stop == record.StopUser}
	asked, told := make([]bool, len(s.Criteria)), make([]bool, len(s.Criteria))
	for n := range s.Turns {
		t := &s.Turns[n]
		i := t.Question
		if i == noCriterion {
			continue
		}
		asked[i] = true
		told[i] = told[i] || t.Answer.IsHeld()
		truth := s.Truth.Cells[i]
		if truth.IsMissing() {
			continue
		}
		x := saying{criterion: r.criteria.index(s.Criteria[i]), truth: truth, heard: t.Answer, state: t.State, by: t.By, again: t.Again}
		x.nominal = len(t.Inference.Levels) > 0 && t.Inference.Levels[i] != nil
		for _, v := range t.Volunteered {
			if !asked[v.Position] && s.Truth.Cells[v.Position].IsHeld() {
				x.leaks++
			}
		}
		out.said = append(out.said, x)
	}
	if !out.stopped {
		return out
	}
	for i, c := range s.Truth.Cells {
		out.early = out.early || c.IsHeld() && !told[i]
	}
	if n := len(s.Turns); n > 0 {
		t := &s.Turns[n-1]
		out.unanswered = t.Question != noCriterion && s.Truth.Cells[t.Question].IsHeld() && !t.Answer.IsHeld()
	}
	return out
}

// fidelity computes the section, or nil where users do not answer in words.
func (c *computer) fidelity() *fidelity {
	if !c.verbal() {
		return nil
	}
	out := &fidelity{User: c.model(roleUser), Interpreter: c.model(roleInterpreter), Strategies: []agreeing{}, Criteria: []agreeing{}}
	var all []*session
	for _, st := range c.strategies {
		if !st.fixed() {
			all = append(all, st.sessions...)
			out.Strategies = append(out.Strategies, c.agreeing(st.Name, st.sessions, -1))
		}
	}
	out.All = c.agreeing("", all, -1)
	for _, s := range all {
		for i := range s.talk.said {
			if len(s.talk.said[i].again) > 0 {
				out.Audited++
			}
		}
	}
	ids, at := c.criteria.sorted()
	read := make([]int, len(at)) // numbers in the order of reading, in the order of ids
	for was, is := range at {
		read[is] = was
	}
	for i, id := range ids {
		out.Criteria = append(out.Criteria, c.agreeing(id, all, read[i]))
	}
	return out
}

// agreeing computes the numbers of some sessions; of one criterion if that is not
// negative.
func (c *computer) agreeing(of string, sessions []*session, criterion int) agreeing {
	out := agreeing{Of: of}
	p := ratios{computer: c}
	answered, agree, held, level, mae := p.ratio(), p.ratio(), p.ratio(), p.ratio(), p.ratio()
	rule, model, leak, leaks := p.ratio(), p.ratio(), p.ratio(), p.ratio()
	unanswered, early, heldFlips, levelFlips := p.ratio(), p.ratio(), p.ratio(), p.ratio()
	for _, s := range sessions {
		g := c.cluster[s.unit]
		if criterion < 0 {
			out.NoCriterion += s.unplaced
			if s.talk.stopped {
				out.Stopped++
				unanswered.yes(g, s.talk.unanswered)
				early.yes(g, s.talk.early)
			}
		}
		for i := range s.talk.said {
			x := &s.talk.said[i]
			if criterion >= 0 && x.criterion != criterion {
				continue
			}
			out.count(x)
			answered.yes(g, !x.heard.IsMissing())
			leak.yes(g, x.leaks > 0)
			leaks.add(g, float64(x.leaks))
			x.flips(g, heldFlips, levelFlips)
			if x.heard.IsMissing() {
				agree.undefined++
				held.undefined++
				continue
			}
			right := x.heard.Equal(x.truth)
			agree.yes(g, right)
			held.yes(g, x.heard.IsHeld() == x.truth.IsHeld())
			switch x.by {
			case byRule:
				rule.yes(g, right)
			case byModel:
				model.yes(g, right)
			}
			if x.heard.IsHeld() && x.truth.IsHeld() {
				level.yes(g, right)
				if !x.nominal {
					mae.add(g, math.Abs(x.heard.Value()-x.truth.Value()))
				}
			}
		}
	}
	p.draw()
	for _, e := range []struct {
		to   *Estimate
		from *ratio
	}{
		{&out.Answered, answered},
		{&out.Agreement, agree},
		{&out.Held, held},
		{&out.Level, level},
		{&out.LevelMAE, mae},
		{&out.OfRule, rule},
		{&out.OfModel, model},
		{&out.Leak, leak},
		{&out.LeakMean, leaks},
		{&out.StopUnanswered, unanswered},
		{&out.StopEarly, early},
		{&out.HeldFlips, heldFlips},
		{&out.LevelFlips, levelFlips},
	} {
		*e.to = e.from.estimate(c)
	}
	return out
}

// count counts a question by state, and by who made it out.
func (a *agreeing) count(x *saying) {
	a.Questions++
	switch x.state {
	case record.StateIndifferent:
		a.Indifferent++
	case record.StateAside:
		a.Aside++
	case record.StateUnread:
		a.Unread++
	case record.StateStop:
		a.Stop++
	default:
		a.Told++
	}
	switch x.by {
	case byRule:
		a.ByRule++
	case byModel:
		a.ByModel++
	}
}

// flips compares the answers to a question that was put again.
func (x *saying) flips(cluster int, held, level *ratio) {
	if len(x.again) == 0 {
		return
	}
	cells := append([]domains.Cell{x.heard}, x.again...)
	if slices.ContainsFunc(cells, domains.Cell.IsMissing) {
		held.undefined++
		level.undefined++
		return
	}
	held.yes(cluster, slices.ContainsFunc(cells, func(c domains.Cell) bool { return c.IsHeld() != x.heard.IsHeld() }))
	if slices.ContainsFunc(cells, domains.Cell.IsNotHeld) {
		level.undefined++
		return
	}
	level.yes(cluster, slices.ContainsFunc(cells, func(c domains.Cell) bool { return !c.Equal(x.heard) }))
}

// asking computes what became of the questions of a model, or nil for a strategy of
// another kind.
func (c *computer) asking(st *strategy) *askedBy {
	if st.Kind != kindAsker {
		return nil
	}
	p, out := ratios{computer: c}, &askedBy{}
	unplaced := p.ratio()
	for _, s := range st.sessions {
		for n := range s.turns {
			unplaced.yes(c.cluster[s.unit], n < s.unplaced)
		}
		if s.stop == record.StopUnread {
			out.Unread++
		}
	}
	p.draw()
	out.Unplaced = unplaced.estimate(c)
	return out
}

// A ratio is a sum over the number of its terms, by cluster.
type ratio struct {
	sum, of      []float64
	n, undefined int
	samples      [2][]float64
}

func (r *ratio) add(cluster int, v float64) {
	r.sum[cluster] += v
	r.of[cluster]++
	r.n++
}

func (r *ratio) yes(cluster int, ok bool) {
	v := 0.0
	if ok {
		v = 1
	}
	r.add(cluster, v)
}

// estimate is the ratio with the interval of its resamples.
func (r *ratio) estimate(c *computer) Estimate {
	e := Estimate{Value: undefined(), N: r.n, Undefined: r.undefined}
	sum := 0.0
	for g := range r.sum {
		sum += r.sum[g]
		if r.of[g] > 0 {
			e.Clusters++
		}
	}
	if r.n > 0 {
		e.Value = Number(sum / float64(r.n))
	}
	e.Lo, e.Hi = ends(c.boot, e.Clusters, func() []float64 {
		out := make([]float64, len(r.samples[0]))
		for i := range out {
			out[i] = r.samples[0][i] / r.samples[1][i] // 0/0 is NaN: nothing was drawn
		}
		return out
	})
	return e
}

// ratios are resampled together.
type ratios struct {
	*computer
	ratios []*ratio
}

func (p *ratios) ratio() *ratio {
	r := &ratio{sum: make([]float64, p.clusters), of: make([]float64, p.clusters)}
	p.ratios = append(p.ratios, r)
	return r
}

func (p *ratios) draw() {
	var cols [][]float64
	for _, r := range p.ratios {
		cols = append(cols, r.sum, r.of)
	}
	out := p.boot.Means(cols...)
	for i, r := range p.ratios {
		r.samples = [2][]float64{out[2*i], out[2*i+1]}
	}
}

// lowFidelity is the agreement, and the share of questions answered, under which a
// reader is warned.
const lowFidelity = 0.9

// talkWarnings says what a reader must know of users who answer in words and of models
// that ask.
func (c *computer) talkWarnings(add func(format string, a ...any)) {
	percent := func(v Number) string { return num(100*v, "%.1f") + "%" }
	if f := c.out.Fidelity; f != nil {
		a := &f.All
		if a.Agreement.Value.Defined() && a.Agreement.Value < lowFidelity {
			add("low fidelity: what was understood of users' words agrees with their profiles in %s of %d answers (tables/fidelity)", percent(a.Agreement.Value), a.Agreement.N)
		}
		if a.Answered.Value.Defined() && a.Answered.Value < lowFidelity {
			add("low fidelity: %s of %d questions were answered; the others are spent and teach nothing (tables/fidelity)", percent(a.Answered.Value), a.Answered.N)
		}
		if a.Leak.Value > 0 {
			add("users told of something they were not asked about at %s of %d questions; no strategy gets to know it, but a model that asks hears the words (tables/fidelity)", percent(a.Leak.Value), a.Leak.N)
		}
		if a.StopUnanswered.Value > 0 || a.StopEarly.Value > 0 {
			add("of %d sessions that users ended, %s ended at a question about something they hold without saying so, and %s before all that they hold was told (tables/fidelity)", a.Stopped, percent(a.StopUnanswered.Value), percent(a.StopEarly.Value))
		}
	}
	for i := range c.out.Strategies {
		row := &c.out.Strategies[i]
		a := row.Asking
		if a == nil {
			continue
		}
		if a.Unplaced.Value > 0 {
			add("%s: %s of its %d questions are about no criterion, or about one that it had asked; they are spent and teach nothing", row.Name, percent(a.Unplaced.Value), a.Unplaced.N)
		}
		if a.Unread > 0 {
			add("%s: sessions that ended because what its model wrote could not be read: %d", row.Name, a.Unread)
		}
	}
}
