package bench

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/strategies"
	"pepbench/strategies/policylog"
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
	leftOut  []string         // names of rows that are not defined on the data
	manifest record.Manifest

	trainings map[string][]record.Training // of policies, by strategy
	files     map[string]*policylog.Log    // logs that were read, by path
	logs      map[string][]byte            // logs that were made, by file
	chars     map[string][2]int            // that each role is estimated to read and to write
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

// choose makes the plan's rows of those of the experiment: all of them, or, with
// `undefined: skip`, those whose beliefs can handle the data and whose acquisitions
// are defined. Why the others are left out is a warning.
func (p *Plan) choose(rows []row, b *builder, skipped map[string]error) ([]row, error) {
	var out []row
	var last error
	p.left = map[string]error{}
	var why func(r row) error
	why = func(r row) error {
		spec := r.Spec
		if x, ok := spec.(*replayed); ok && x.Of != "" { // which is as defined as what it replays
			if spec = b.spec(x.Of); spec.kind() == policyKind { // and is trained for a row that there is
				var err error
				for _, o := range rows {
					if o.Spec == spec {
						if err = why(o); err == nil {
							break
						}
					}
				}
				if err != nil {
					return err
				}
			}
		}
		ask, twin := spec.needs()
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
		if x, ok := spec.(*replayed); ok && x.Log != "" { // a file is defined on its data
			return nil
		}
		if _, _, err := spec.build(b, b.predictor(r.Predict)); undefined(err) {
			return err
		}
		return nil
	}
	var reasons []string // each once, with all rows that it costs
	gone := map[string][]string{}
	for _, r := range rows {
		if err := why(r); err != nil {
			if text := err.Error(); gone[text] == nil {
				reasons = append(reasons, text)
			}
			gone[err.Error()] = append(gone[err.Error()], r.Name)
			p.left[r.Name], last = err, err
			p.leftOut = append(p.leftOut, r.Name)
			continue
		}
		_, twin := r.Spec.needs()
		out = append(out, r)
		p.rows = append(p.rows, planRow{Strategy: record.Strategy{Name: r.Name, Base: r.Spec.base().Name, Kind: r.Spec.kind(), Asks: asksBy(r.Spec), Predict: r.Predict, TwinOf: twin}})
	}
	for _, text := range reasons {
		p.warnings = append(p.warnings, fmt.Sprintf("left out: %s; because %s", strings.Join(gone[text], ", "), text))
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
		Rubric:   p.Data.Rubric,
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
