package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/strategies/belief"
)

// A preparer keeps what the experiments of a sweep have in common, so that it is
// done once: loaded data and fitted models. The zero preparer is empty; it is used
// by one goroutine.
type preparer struct {
	data map[string]*domains.Dataset
	fits map[string]fitted

	had     map[string]*learning // policies trained or read, by what decides them
	orders  map[string][]int     // best fixed orders, by environment
	trained []TrainedPolicy      // each policy once, in the order in which they were wanted

	dry   bool  // policies that are not there are not trained, and no log is made
	seeds []int // whose policies are wanted; nil: all
	again bool  // policies on disk are trained again
	asked bool  // training is what was asked for: tell more of it

	now func() time.Time // nil: time.Now
}

func (pr *preparer) clock() time.Time {
	if pr.now == nil {
		return time.Now()
	}
	return pr.now()
}

type fitted struct {
	model belief.Model
	tried []belief.Candidate
	err   error

	skipped []domains.Count // candidates of a chosen belief that cannot handle the data
}

// Prepare loads, filters and splits the data, fits the models on the training
// profiles (choosing on dev) and lists the sessions. No test profile is looked at
// by anything that is fitted. say is told of each step and may be nil.
func Prepare(ctx context.Context, e *Experiment, say func(string)) (*Plan, error) {
	return new(preparer).prepare(ctx, e, say)
}

// PrepareDry is Prepare for a plan that will not be run: a policy that is not there is
// not trained, no log of a strategy is made, and no model is called.
func PrepareDry(ctx context.Context, e *Experiment, say func(string)) (*Plan, error) {
	pr := preparer{dry: true}
	return pr.prepare(ctx, e, say)
}

// load gives the filtered and checked data of an experiment.
func (pr *preparer) load(e *Experiment, say func(string)) (*domains.Dataset, string, error) {
	raw, err := json.Marshal([]any{e.Domain, e.Filter})
	if err != nil {
		return nil, "", err
	}
	key := string(raw)
	if d := pr.data[key]; d != nil {
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
	if pr.data == nil {
		pr.data = map[string]*domains.Dataset{}
	}
	pr.data[key] = d
	return d, key, nil
}

// fit fits a belief on a part of the data, or remembers what came out. A file is read
// each time, since every configuration that names it keeps where the model comes from.
func (pr *preparer) fit(ctx context.Context, e *Experiment, k Block[BeliefKind], key string, f fitInput) fitted {
	if c, ok := k.Config.(*chosenModel); ok {
		return pr.choose(ctx, e, c, key, f)
	}
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
	if had, ok := pr.fits[key]; ok {
		return had
	}
	var out fitted
	out.model, out.tried, out.err = k.Config.Fit(ctx, f)
	if ctx.Err() == nil {
		if pr.fits == nil {
			pr.fits = map[string]fitted{}
		}
		pr.fits[key] = out
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

// prepare is Prepare; the data and models of earlier calls are used again where they
// are the same.
func (pr *preparer) prepare(ctx context.Context, e *Experiment, say func(string)) (*Plan, error) {
	if say == nil {
		say = func(string) {}
	}
	d, key, err := pr.load(e, say)
	if err != nil {
		return nil, err
	}
	parts, err := e.splits(d)
	if err != nil {
		return nil, err
	}
	if err := e.suits(d); err != nil {
		return nil, err
	}
	p := &Plan{Experiment: e, Data: d, Parts: parts, sparse: d.Sparse(), trainings: map[string][]record.Training{}}
	rows := e.rows()
	skipped := map[string]error{} // by belief
	var models []record.Model
	var notes []domains.Count
	for f, part := range parts {
		b := p.newBuilder(ctx, f, say)
		b.dry = pr.dry
		p.builders = append(p.builders, b)
		on := e.fitInput(d, part)
		at, fold := fmt.Sprint(key, e.trainSplit(), f), 0
		if len(parts) > 1 {
			fold = f + 1
		}
		for _, name := range e.usedBeliefs() {
			k := e.Beliefs[name]
			say(fmt.Sprintf("fitting belief %s (%s) on %d profiles", name, k.Kind, len(part.Train)))
			m := pr.fit(ctx, e, k, at, on)
			if m.err != nil {
				if e.Undefined == undefinedSkip && undefined(m.err) {
					skipped[name] = m.err
					continue
				}
				return nil, fmt.Errorf("belief %s: %w", name, m.err)
			}
			b.models[name] = m.model
			r := record.Model{Name: name, Kind: k.Kind, Params: m.model.NumParams(), About: m.model.About(), Fold: fold}
			if k.Kind == chosenKind {
				r.About = fmt.Sprintf("%s, the best on dev of %d beliefs: %s", m.chosen(), len(m.tried), r.About)
			}
			for _, c := range m.tried {
				if !math.IsNaN(c.DevScore) { // of a single candidate without dev profiles
					r.Choice = append(r.Choice, record.Choice{Candidate: c.Name, DevScore: c.DevScore, Chosen: c.Chosen})
				}
			}
			for _, c := range slices.Concat(m.model.Notes(), m.skipped) {
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
		if err := pr.policies(ctx, p, b, rows, f, say); err != nil {
			return nil, err
		}
		for i, r := range rows {
			s, about, err := r.Spec.build(b, b.predictor(r.Predict))
			if err != nil {
				return nil, err
			}
			row := &p.rows[i]
			row.strategies, row.About = append(row.strategies, s), about
			if a, ok := r.Spec.(*adaptive); ok {
				_, tried, _ := b.acquisition(a) // built by it
				for _, c := range tried {
					if fold > 0 {
						c.Candidate += fmt.Sprintf(", fold %d", fold)
					}
					row.Choice = append(row.Choice, c)
				}
			}
			params := 0
			for _, used := range slices.Compact(slices.Sorted(slices.Values([]string{row.Asks, r.Predict}))) {
				if m := b.models[used]; m != nil {
					params += m.NumParams()
				}
			}
			if l, ok := r.Spec.(*learned); ok {
				row.Policy = p.policyOf(l)
				params += int(row.Policy.Params)
			}
			row.Params = max(row.Params, params)
		}
	}
	if err := p.finishLogs(); err != nil {
		return nil, err
	}

	p.warn()
	for i, r := range p.rows {
		for _, seed := range e.Seeds {
			for f, part := range parts {
				for _, test := range part.Test {
					p.sessions = append(p.sessions, sessionKey{p.id(r.Name, seed, test), i, seed, f, test})
				}
			}
		}
	}
	slices.SortFunc(p.sessions, func(a, b sessionKey) int { return cmp.Compare(a.id, b.id) })
	return p, p.describe(models, notes)
}

// fitInput is what beliefs are fitted on in a fold.
func (e *Experiment) fitInput(d *domains.Dataset, part domains.Parts) fitInput {
	return fitInput{train: belief.NewPopulation(d, part.Train), dev: belief.NewPopulation(d, part.Dev), compat: e.compat() != "", minUsers: e.Filter.MinUsers}
}

// priorModel is what fixed orders are sorted by: criteria independent, with the
// population's own frequencies.
func priorModel(ctx context.Context, on fitInput) (belief.Model, error) {
	m, _, err := (&independent{Smoothing: belief.DefaultLatentClass.Smoothing}).Fit(ctx, on)
	if errors.Is(err, belief.ErrUnsupported) { // continuous criteria
		m, _, err = (&blrModel{Dims: []int{0}}).Fit(ctx, fitInput{train: on.train})
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

// suits refuses combinations of data, solver and judge that mean nothing.
func (e *Experiment) suits(d *domains.Dataset) error {
	if d.Survey() && !e.Judge.Config.onlyProfile() {
		return &ConfigError{What: fmt.Sprintf("data set %s is a survey without tasks: there is nothing to solve", d.Name), Mend: "set solver.kind and judge.kind to profile"}
	}
	return nil
}
