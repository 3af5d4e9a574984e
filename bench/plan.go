package bench

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/strategies"
	"pepbench/strategies/belief"
	"pepbench/strategies/pep"
)

// A Plan is an experiment with its data loaded and split, its models fitted and
// its sessions listed: everything that is decided before the first question.
type Plan struct {
	Experiment *Experiment
	Data       *domains.Dataset
	Parts      domains.Parts
	sparse     bool
	rows       []planRow
	sessions   []sessionKey
	warnings   []string
	manifest   record.Manifest
}

// planRow is one strategy of the results.
type planRow struct {
	record.Strategy
	strategy strategies.Strategy
}

// sessionKey names a session: a row of the plan, a seed and a test profile.
type sessionKey struct {
	id      string
	row     int
	seed    int
	profile int
}

// Prepare loads, filters and splits the data, fits the models on the training
// profiles (choosing on dev) and lists the sessions. No test profile is looked at
// by anything that is fitted. say is told of each step and may be nil.
func Prepare(ctx context.Context, e *Experiment, say func(string)) (*Plan, error) {
	if say == nil {
		say = func(string) {}
	}
	say(fmt.Sprintf("loading %s", e.Domain.Kind))
	d, err := e.Domain.Config.Load()
	if err != nil {
		return nil, err
	}
	if d, err = (domains.Filter{MinUsers: e.Filter.MinUsers, MaxShare: e.Filter.MaxShare, MinHeld: e.Filter.MinHeld}).Apply(d); err != nil {
		return nil, err
	}
	if err := d.Validate(); err != nil {
		return nil, err
	}
	split := domains.Splitter{By: e.Split.By, Test: e.Split.Test, Dev: e.Split.Dev, Seed: e.Split.Seed, TestIDs: e.Split.TestIDs, UsersPerTask: e.Split.UsersPerTask}
	parts, err := split.Split(d)
	if err != nil {
		return nil, err
	}
	if err := e.fits(d); err != nil {
		return nil, err
	}
	p := &Plan{Experiment: e, Data: d, Parts: parts, sparse: d.Sparse()}

	b := &builder{data: d, specs: e.Strategies, models: map[string]belief.Model{}, twins: map[string]*pep.Twin{}}
	train, dev := belief.NewPopulation(d, parts.Train), belief.NewPopulation(d, parts.Dev)
	var models []record.Model
	for _, name := range sortedKeys(e.Beliefs) {
		k := e.Beliefs[name]
		say(fmt.Sprintf("fitting belief %s (%s) on %d profiles", name, k.Kind, len(parts.Train)))
		m, choice, err := k.Config.Fit(ctx, train, dev)
		if err != nil {
			return nil, fmt.Errorf("belief %s: %w", name, err)
		}
		b.models[name] = m
		models = append(models, record.Model{Name: name, Kind: k.Kind, Params: m.NumParams(), About: m.About(), Choice: choice})
	}
	b.prior = sync.OnceValues(func() (belief.Model, error) {
		m, _, err := (&prior{Smoothing: belief.DefaultLatentClass.Smoothing}).Fit(ctx, train, dev)
		return m, err
	})

	for _, r := range e.rows() {
		s, about, err := r.Spec.build(b, b.predictor(r.Predict))
		if err != nil {
			return nil, err
		}
		ask, twin := r.Spec.needs()
		params := 0
		for _, used := range slices.Compact(slices.Sorted(slices.Values([]string{ask, r.Predict}))) {
			if m := b.models[used]; m != nil {
				params += m.NumParams()
			}
		}
		p.rows = append(p.rows, planRow{
			Strategy: record.Strategy{Name: r.Name, Base: r.Spec.base().Name, Kind: r.Spec.kind(), Predict: r.Predict, TwinOf: twin, About: about, Params: params},
			strategy: s,
		})
	}

	p.warn(b)
	for i, r := range p.rows {
		for _, seed := range e.Seeds {
			for _, test := range parts.Test {
				prof := &d.Profiles[test]
				id := r.Name + "/" + strconv.Itoa(seed) + "/" + d.Tasks[prof.Task].ID + "/" + d.Users[prof.User].ID
				p.sessions = append(p.sessions, sessionKey{id, i, seed, test})
			}
		}
	}
	slices.SortFunc(p.sessions, func(a, b sessionKey) int { return cmp.Compare(a.id, b.id) })
	return p, p.describe(models)
}

// fits refuses combinations of data, solver and judge that mean nothing.
func (e *Experiment) fits(d *domains.Dataset) error {
	if d.Survey() && !e.Judge.Config.onlyProfile() {
		return &ConfigError{What: fmt.Sprintf("data set %s is a survey without tasks: there is nothing to solve", d.Name), Mend: "set solver.kind and judge.kind to profile"}
	}
	return nil
}

// warn notes what a reader of the numbers should know before them.
func (p *Plan) warn(b *builder) {
	for _, s := range p.Experiment.Strategies {
		a, ok := s.Config.(*adaptive)
		if !ok {
			continue
		}
		if m, ok := b.models[a.Belief].(interface{ Classes() int }); ok && m.Classes() == 1 {
			p.warnings = append(p.warnings, fmt.Sprintf("%s asks by belief %s, which has one class: no answer teaches anything about another criterion, every score is 0, and it asks in the order of the data's listing", a.Name, a.Belief))
		}
	}
	trained := map[int]bool{}
	for _, k := range p.Parts.Train {
		trained[p.Data.Profiles[k].User] = true
	}
	users, known, covered := map[int]bool{}, 0, 0
	for _, k := range p.Parts.Test {
		prof := &p.Data.Profiles[k]
		if !users[prof.User] && trained[prof.User] {
			known++
		}
		users[prof.User] = true
		can := len(prof.Cells)
		if mask := askable(prof); mask != nil && p.Experiment.Missing == "skip" {
			can = 0
			for _, ok := range mask {
				if ok {
					can++
				}
			}
		}
		if can <= p.Experiment.Budget {
			covered++
		}
	}
	if known > 0 {
		p.warnings = append(p.warnings, fmt.Sprintf("%d of %d test users are also among the training profiles, on other tasks (split.by: %s)", known, len(users), p.Experiment.Split.By))
	}
	if covered > 0 {
		p.warnings = append(p.warnings, fmt.Sprintf("for %d of %d test profiles the budget of %d questions covers every criterion that can be asked: which to ask makes no difference there", covered, len(p.Parts.Test), p.Experiment.Budget))
	}
	if p.Experiment.Missing == "skip" && slices.ContainsFunc(p.Parts.Test, func(k int) bool { return askable(&p.Data.Profiles[k]) != nil }) {
		p.warnings = append(p.warnings, "empty cells are not asked, so that users can be asked different criteria: part of the follow-up adaptivity is that, and a fixed order shows it too")
	}
}

// once says that the strategy asks nothing and is graded once, at 0 questions.
func (r *planRow) once() bool { return r.Kind == "none" || r.Kind == "oracle" }

// setting is what the strategy of a session is told; each call gives a fresh
// source with the same randomness.
func (p *Plan) setting(k sessionKey) strategies.Setting {
	prof := &p.Data.Profiles[k.profile]
	s := strategies.Setting{
		Task:     p.Data.Tasks[prof.Task].Blind(),
		Criteria: p.Data.CriteriaOf(prof.Task),
		Budget:   p.Experiment.Horizon,
		User:     p.Data.Users[prof.User].ID,
		Seed:     k.seed,
		Rand:     rand.New(rand.NewPCG(uint64(k.seed), domains.Hash("session", k.id))),
	}
	if p.Experiment.Missing == "skip" {
		s.Askable = askable(prof)
	}
	return s
}

// askable gives the answered cells, or nil when that is all of them.
func askable(p *domains.Profile) []bool {
	if !slices.ContainsFunc(p.Cells, domains.Cell.IsMissing) {
		return nil
	}
	out := make([]bool, len(p.Cells))
	for i, c := range p.Cells {
		out[i] = !c.IsMissing()
	}
	return out
}

// other is the answer a counterfactual gives instead of c: not held for held; the
// middle level for not held; and in data where everything is held, the end of the
// scale that is farther from c (the upper one from the middle). It reports false
// where there is no other answer.
func (p *Plan) other(c domains.Cell, crit *domains.Criterion) (domains.Cell, bool) {
	if c.IsMissing() {
		return c, false
	}
	lo, hi, mid := crit.Min, crit.Max, (crit.Min+crit.Max)/2
	if n := len(crit.Levels); n > 0 {
		lo, hi, mid = crit.Levels[0].Value, crit.Levels[n-1].Value, crit.Levels[n/2].Value
	}
	switch {
	case c.IsNotHeld():
		return domains.At(mid), true
	case p.sparse:
		return domains.NotHeld(), true
	case c.Value()-lo > hi-c.Value():
		return domains.At(lo), true
	}
	return domains.At(hi), true
}
