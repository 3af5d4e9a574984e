package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
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
	// Parts are the parts of each fold; one without cross-fitting. Test parts of
	// different folds have no session in common.
	Parts    []domains.Parts
	sparse   bool
	rows     []planRow
	builders []*builder // by fold
	sessions []sessionKey
	warnings []string
	left     map[string]error // rows that are left out, and why
	manifest record.Manifest
}

// planRow is one strategy of the results.
type planRow struct {
	record.Strategy
	strategies []strategies.Strategy // by fold
}

// sessionKey names a session: a row of the plan, a seed, and a test profile of a
// fold.
type sessionKey struct {
	id      string
	row     int
	seed    int
	fold    int
	profile int
}

// A Workshop keeps what the experiments of a sweep have in common, so that it is
// done once: loaded data and fitted models. The zero Workshop is empty; it is used
// by one goroutine.
type Workshop struct {
	data map[string]*domains.Dataset
	fits map[string]fitted
}

type fitted struct {
	model belief.Model
	tried []belief.Candidate
	err   error
}

// Prepare loads, filters and splits the data, fits the models on the training
// profiles (choosing on dev) and lists the sessions. No test profile is looked at
// by anything that is fitted. say is told of each step and may be nil.
func Prepare(ctx context.Context, e *Experiment, say func(string)) (*Plan, error) {
	return new(Workshop).Prepare(ctx, e, say)
}

// load gives the filtered and checked data of an experiment.
func (w *Workshop) load(e *Experiment, say func(string)) (*domains.Dataset, string, error) {
	raw, err := json.Marshal([]any{e.Domain, e.Filter})
	if err != nil {
		return nil, "", err
	}
	key := string(raw)
	if d := w.data[key]; d != nil {
		return d, key, nil
	}
	say(fmt.Sprintf("loading %s", e.Domain.Kind))
	d, err := e.Domain.Config.Load()
	if err != nil {
		return nil, "", err
	}
	if d, err = (domains.Filter{MinUsers: e.Filter.MinUsers, MaxShare: e.Filter.MaxShare, MinHeld: e.Filter.MinHeld}).Apply(d); err != nil {
		return nil, "", err
	}
	if err := d.Validate(); err != nil {
		return nil, "", err
	}
	if w.data == nil {
		w.data = map[string]*domains.Dataset{}
	}
	w.data[key] = d
	return d, key, nil
}

// fit fits a belief on a part of the data, or remembers what came out. A file is read
// each time, since every configuration that names it keeps where the model comes from.
func (w *Workshop) fit(ctx context.Context, k Block[BeliefKind], key string, f fitting) fitted {
	if file, ok := k.Config.(*modelFile); ok {
		var out fitted
		out.model, out.tried, out.err = file.Fit(ctx, f)
		return out
	}
	raw, err := json.Marshal(k)
	if err != nil {
		return fitted{err: err}
	}
	key += string(raw)
	if had, ok := w.fits[key]; ok {
		return had
	}
	var out fitted
	out.model, out.tried, out.err = k.Config.Fit(ctx, f)
	if ctx.Err() == nil {
		if w.fits == nil {
			w.fits = map[string]fitted{}
		}
		w.fits[key] = out
	}
	return out
}

// splits divides the data, once or once a fold.
func (e *Experiment) splits(d *domains.Dataset) ([]domains.Parts, error) {
	out := make([]domains.Parts, max(1, e.Split.Folds))
	for f := range out {
		s := domains.Splitter{
			By: e.Split.By, Test: e.Split.Test, Dev: e.Split.Dev, Seed: e.Split.Seed, TestIDs: e.Split.TestIDs,
			UsersPerTask: e.Split.UsersPerTask, Folds: e.Split.Folds, Fold: f,
		}
		var err error
		if out[f], err = s.Split(d); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Prepare is the function of this name; the data and models of earlier calls are
// used again where they are the same.
func (w *Workshop) Prepare(ctx context.Context, e *Experiment, say func(string)) (*Plan, error) {
	if say == nil {
		say = func(string) {}
	}
	d, key, err := w.load(e, say)
	if err != nil {
		return nil, err
	}
	parts, err := e.splits(d)
	if err != nil {
		return nil, err
	}
	if err := e.fits(d); err != nil {
		return nil, err
	}
	p := &Plan{Experiment: e, Data: d, Parts: parts, sparse: d.Sparse()}
	rows := e.rows()
	skipped := map[string]error{} // by belief, or row
	var models []record.Model
	var notes []domains.Count
	for f, part := range parts {
		b := &builder{experiment: e, data: d, models: map[string]belief.Model{}, twins: map[string]*pep.Twin{}}
		p.builders = append(p.builders, b)
		on := fitting{train: belief.NewPopulation(d, part.Train), dev: belief.NewPopulation(d, part.Dev), compat: e.compat() != "", minUsers: e.Filter.MinUsers}
		at, fold := fmt.Sprint(key, e.trainSplit(), f), 0
		if len(parts) > 1 {
			fold = f + 1
		}
		for _, name := range e.usedBeliefs() {
			k := e.Beliefs[name]
			say(fmt.Sprintf("fitting belief %s (%s) on %d profiles", name, k.Kind, len(part.Train)))
			m := w.fit(ctx, k, at, on)
			if m.err != nil {
				if e.Undefined == undefinedSkip && undefined(m.err) {
					skipped[name] = m.err
					continue
				}
				return nil, fmt.Errorf("belief %s: %w", name, m.err)
			}
			b.models[name] = m.model
			r := record.Model{Name: name, Kind: k.Kind, Params: m.model.NumParams(), About: m.model.About(), Fold: fold}
			for _, c := range m.tried {
				if !math.IsNaN(c.DevScore) { // of a single candidate without dev profiles
					r.Choice = append(r.Choice, record.Choice{Candidate: c.Name, DevScore: c.DevScore, Chosen: c.Chosen})
				}
			}
			for _, c := range m.model.Notes() {
				notes = append(notes, domains.Count{What: "belief " + name + ": " + c.What, N: c.N})
			}
			if file, ok := k.Config.(*modelFile); ok {
				r.File = file.source
				if err := p.foreign(name, file); err != nil {
					return nil, err
				}
			}
			models = append(models, r)
		}
		b.prior = sync.OnceValues(func() (belief.Model, error) { return priorModel(ctx, on) })
		if f == 0 {
			if rows, err = p.choose(rows, b, skipped); err != nil {
				return nil, err
			}
		}
		for i, r := range rows {
			s, about, err := r.Spec.build(b, b.predictor(r.Predict))
			if err != nil {
				return nil, err
			}
			row := &p.rows[i]
			row.strategies, row.About = append(row.strategies, s), about
			params := 0
			for _, used := range slices.Compact(slices.Sorted(slices.Values([]string{row.Asks, r.Predict}))) {
				if m := b.models[used]; m != nil {
					params += m.NumParams()
				}
			}
			row.Params = max(row.Params, params)
		}
	}

	p.warn()
	for i, r := range p.rows {
		for _, seed := range e.Seeds {
			for f, part := range parts {
				for _, test := range part.Test {
					prof := &d.Profiles[test]
					id := r.Name + "/" + strconv.Itoa(seed) + "/" + d.Tasks[prof.Task].ID + "/" + d.Users[prof.User].ID
					p.sessions = append(p.sessions, sessionKey{id, i, seed, f, test})
				}
			}
		}
	}
	slices.SortFunc(p.sessions, func(a, b sessionKey) int { return cmp.Compare(a.id, b.id) })
	return p, p.describe(models, notes)
}

// choose makes the plan's rows of those of the experiment: all of them, or, with
// `undefined: skip`, those whose beliefs can handle the data and whose acquisitions
// are defined. Why the others are left out is a warning.
func (p *Plan) choose(rows []row, b *builder, skipped map[string]error) ([]row, error) {
	var out []row
	var last error
	p.left = map[string]error{}
	why := func(r row) error {
		ask, twin := r.Spec.needs()
		if twin != "" {
			ask, _ = b.spec(twin).needs()
		}
		for _, name := range []string{ask, r.Predict} {
			if err := skipped[name]; err != nil {
				return fmt.Errorf("belief %s: %w", name, err)
			}
		}
		if p.Experiment.Undefined != undefinedSkip {
			return nil
		}
		if _, _, err := r.Spec.build(b, b.predictor(r.Predict)); undefined(err) {
			return err
		}
		return nil
	}
	for _, r := range rows {
		if err := why(r); err != nil {
			p.warnings = append(p.warnings, fmt.Sprintf("strategy %s is left out: %v", r.Name, err))
			p.left[r.Name], last = err, err
			continue
		}
		ask, twin := r.Spec.needs()
		out = append(out, r)
		p.rows = append(p.rows, planRow{Strategy: record.Strategy{Name: r.Name, Base: r.Spec.base().Name, Kind: r.Spec.kind(), Asks: ask, Predict: r.Predict, TwinOf: twin}})
	}
	if len(out) == 0 {
		return nil, &ConfigError{What: "no strategy is defined on this data: " + strings.Join(p.warnings, "; "), Mend: "name other beliefs", Err: last}
	}
	return out, nil
}

// usedBeliefs names the beliefs that some strategy asks by or predicts with, sorted;
// a file may define others that a file it is extended by uses.
func (e *Experiment) usedBeliefs() []string {
	used := map[string]bool{}
	for _, r := range e.rows() {
		ask, _ := r.Spec.needs()
		for _, name := range []string{ask, r.Predict} {
			if _, ok := e.Beliefs[name]; ok {
				used[name] = true
			}
		}
	}
	return sortedKeys(used)
}

// priorModel is what fixed orders are sorted by: criteria independent, with the
// population's own frequencies.
func priorModel(ctx context.Context, on fitting) (belief.Model, error) {
	m, _, err := (&independent{Smoothing: belief.DefaultLatentClass.Smoothing}).Fit(ctx, on)
	if errors.Is(err, belief.ErrUnsupported) { // continuous criteria
		m, _, err = (&blrModel{Dims: []int{0}}).Fit(ctx, fitting{train: on.train})
	}
	return m, err
}

// trainSplit is what decides which profiles of given files a model is fitted on, in
// words that differ where the profiles may.
func (e *Experiment) trainSplit() string {
	split := e.Split
	split.UsersPerTask = 0
	var domain map[string]any
	b, err := json.Marshal(e.Domain)
	if err == nil {
		err = json.Unmarshal(b, &domain)
	}
	for _, k := range []string{"path", "name", "compat"} { // say nothing of the profiles; files are known by their hashes
		if k != "name" || e.Domain.Kind != "builtin" {
			delete(domain, k)
		}
	}
	if err == nil {
		b, err = json.Marshal(map[string]any{"domain": domain, "filter": e.Filter, "split": split})
	}
	if err != nil {
		panic("bench: split as JSON: " + err.Error()) // numbers and texts only
	}
	return string(b)
}

// compat is the compatibility mode of the data, or nothing.
func (e *Experiment) compat() string {
	if c, ok := e.Domain.Config.(interface{ compat() string }); ok {
		return c.compat()
	}
	return ""
}

// fits refuses combinations of data, solver and judge that mean nothing.
func (e *Experiment) fits(d *domains.Dataset) error {
	if d.Survey() && !e.Judge.Config.onlyProfile() {
		return &ConfigError{What: fmt.Sprintf("data set %s is a survey without tasks: there is nothing to solve", d.Name), Mend: "set solver.kind and judge.kind to profile"}
	}
	return nil
}

// foreign refuses a stored model that was fitted on other profiles of this very data,
// among which test profiles may be, and warns of one that was fitted on other data.
func (p *Plan) foreign(name string, file *modelFile) error {
	from := file.from
	var have []string
	for _, s := range p.Data.Sources {
		have = append(have, s.SHA256)
	}
	switch {
	case !slices.Equal(from.Sources, have):
		p.warnings = append(p.warnings, fmt.Sprintf("belief %s was fitted on other data: %s", name, from.Data))
	case p.Experiment.Split.Folds > 1:
		return &ConfigError{File: file.Path, What: "one model of this data cannot serve every fold: test profiles would be among its training profiles", Mend: "name a belief to be fitted in each fold, or leave split.folds out"}
	case from.Split != p.Experiment.trainSplit():
		return &ConfigError{File: file.Path, What: "the model was fitted on another selection or split of this data, so that test profiles may be among its training profiles", Mend: "fit it again with pepbench fit on this configuration"}
	}
	return nil
}

// warn notes what a reader of the numbers should know before them.
func (p *Plan) warn() {
	for f, part := range p.Parts {
		in := ""
		if len(p.Parts) > 1 {
			in = fmt.Sprintf("fold %d: ", f+1)
		}
		add := func(format string, a ...any) { p.warnings = append(p.warnings, in+fmt.Sprintf(format, a...)) }
		p.warnModels(p.builders[f], add)
		p.warnPart(part, add)
	}
}

func (p *Plan) warnModels(b *builder, add func(format string, a ...any)) {
	for _, s := range p.Experiment.Strategies {
		a, ok := s.Config.(*adaptive)
		if !ok {
			continue
		}
		if m, ok := b.models[a.Belief].(belief.Independent); ok && m.Independent() {
			add("%s asks by belief %s, in which criteria are independent: no answer teaches anything about another criterion, every information gain is 0, and ties go to the order of the data's listing", a.Name, a.Belief)
		}
	}
}

func (p *Plan) warnPart(part domains.Parts, add func(format string, a ...any)) {
	trained := map[int]bool{}
	for _, k := range part.Train {
		trained[p.Data.Profiles[k].User] = true
	}
	users, known, covered := map[int]bool{}, 0, 0
	for _, k := range part.Test {
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
		add("%d of %d test users are also among the training profiles, on other tasks (split.by: %s)", known, len(users), p.Experiment.Split.By)
	}
	if covered > 0 {
		add("for %d of %d test profiles the budget of %d questions covers every criterion that can be asked: which to ask makes no difference there", covered, len(part.Test), p.Experiment.Budget)
	}
	if p.Experiment.Missing == "skip" && slices.ContainsFunc(part.Test, func(k int) bool { return askable(&p.Data.Profiles[k]) != nil }) {
		add("empty cells are not asked, so that users can be asked different criteria: part of the follow-up adaptivity is that, and a fixed order shows it too")
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
		Rand:     newRand(k.seed, k.id),
	}
	if p.Experiment.Missing == "skip" {
		s.Askable = askable(prof)
	}
	return s
}

// newRand is the randomness of a session.
func newRand(seed int, id string) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), domains.Hash("session", id)))
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
