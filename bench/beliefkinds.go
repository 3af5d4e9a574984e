package bench

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"pepbench/domains"
	"pepbench/strategies/belief"
)

func init() {
	beliefKinds.add("independent", func() BeliefKind { return &independent{Smoothing: belief.DefaultLatentClass.Smoothing} })
	beliefKinds.add("latent-class", func() BeliefKind {
		d := belief.DefaultLatentClass
		return &latentClass{Classes: slices.Clone(d.Classes), Restarts: d.Restarts, Iterations: d.Iterations, Tolerance: d.Tolerance, Smoothing: d.Smoothing, Seed: d.Seed}
	})
	beliefKinds.add("factor", func() BeliefKind {
		d := belief.DefaultFactor
		d.Dims = slices.Clone(d.Dims)
		return &factorModel{d.Dims, d.Restarts, d.Iterations, d.Tolerance, d.Ridge, d.Seed}
	})
	beliefKinds.add("blr", func() BeliefKind { return &blrModel{Dims: slices.Clone(belief.DefaultBLR.Dims)} })
	beliefKinds.add("graded", func() BeliefKind {
		d := belief.DefaultGraded
		return &gradedModel{slices.Clone(d.Dims), d.Restarts, d.Iterations, d.Tolerance, d.Smoothing, d.SlopeScale, d.Seed}
	})
	beliefKinds.add("mixture-of-factors", func() BeliefKind {
		d := belief.DefaultMixtureOfFactors
		return &factorMixture{slices.Clone(d.Classes), factorModel{slices.Clone(d.Dims), d.Restarts, d.Iterations, d.Tolerance, d.Ridge, d.Seed}}
	})
	for _, r := range belief.Rules {
		beliefKinds.add(string(r), func() BeliefKind { return &releasedRule{rule: r} })
	}
	beliefKinds.add("file", func() BeliefKind { return &modelFile{} })
	beliefKinds.add(chosenKind, func() BeliefKind { return &chosenModel{} })
}

// A BeliefKind fits a population model.
type BeliefKind interface {
	// Fit gives the model and the candidates it was chosen from, none if there was no
	// choice; an error wraps belief.ErrUnsupported where it cannot handle the data.
	Fit(context.Context, fitInput) (belief.Model, []belief.Candidate, error)
}

// fitInput is what a model is fitted on.
type fitInput struct {
	train, dev belief.Population
	compat     bool // as the released code computes it
	minUsers   int  // of a task who must hold a criterion, by the filter
}

// effort checks what iterative fits have in common.
func effort(restarts, iterations int, tolerance float64) error {
	switch {
	case restarts < 1 || iterations < 1:
		return fmt.Errorf("restarts %d and iterations %d must be 1 or more", restarts, iterations)
	case !(tolerance >= 0) || math.IsInf(tolerance, 0):
		return fmt.Errorf("tolerance %v must be 0 or more and finite", tolerance)
	}
	return nil
}

func positive(what string, v float64) error {
	if !(v > 0) || math.IsInf(v, 0) {
		return fmt.Errorf("%s %v is not a finite number above 0", what, v)
	}
	return nil
}

func candidates(what string, v []int, least int) error {
	switch {
	case len(v) == 0 || slices.Min(v) < least:
		return fmt.Errorf("%s %v: give numbers of %d or more to choose among", what, v, least)
	case len(slices.Compact(slices.Sorted(slices.Values(v)))) != len(v):
		return fmt.Errorf("%s %v name one number twice", what, v)
	}
	return nil
}

// independent is the latent class model with one class: the population's
// frequencies, and every criterion for itself.
type independent struct {
	Smoothing float64 `yaml:"smoothing" json:"smoothing"`
}

func (p *independent) check() error { return positive("smoothing", p.Smoothing) }

// Fit implements BeliefKind.
func (p *independent) Fit(ctx context.Context, f fitInput) (belief.Model, []belief.Candidate, error) {
	opt := belief.DefaultLatentClass
	opt.Classes, opt.Restarts, opt.Smoothing = []int{1}, 1, p.Smoothing
	m, _, err := belief.FitLatentClass(ctx, f.train, belief.Population{Criteria: f.train.Criteria}, opt)
	return fitOf(m, nil, err)
}

type latentClass struct {
	Classes    []int   `yaml:"classes" json:"classes"`
	Restarts   int     `yaml:"restarts" json:"restarts"`
	Iterations int     `yaml:"iterations" json:"iterations"`
	Tolerance  float64 `yaml:"tolerance" json:"tolerance"`
	Smoothing  float64 `yaml:"smoothing" json:"smoothing"`
	Seed       uint64  `yaml:"seed" json:"seed"`
}

func (l *latentClass) check() error {
	return cmp.Or(effort(l.Restarts, l.Iterations, l.Tolerance), positive("smoothing", l.Smoothing), candidates("classes", l.Classes, 1))
}

// Fit implements BeliefKind.
func (l *latentClass) Fit(ctx context.Context, f fitInput) (belief.Model, []belief.Candidate, error) {
	return fitOf(belief.FitLatentClass(ctx, f.train, f.dev, belief.LatentClassOptions(*l)))
}

// fitOf makes a nil model of a nil pointer.
func fitOf[M belief.Model](m M, tried []belief.Candidate, err error) (belief.Model, []belief.Candidate, error) {
	if err != nil {
		return nil, nil, err
	}
	return m, tried, nil
}

type factorModel struct {
	Dims       []int   `yaml:"dims" json:"dims"`
	Restarts   int     `yaml:"restarts" json:"restarts"`
	Iterations int     `yaml:"iterations" json:"iterations"`
	Tolerance  float64 `yaml:"tolerance" json:"tolerance"`
	Ridge      float64 `yaml:"ridge" json:"ridge"`
	Seed       uint64  `yaml:"seed" json:"seed"`
}

func (o *factorModel) check() error {
	return cmp.Or(effort(o.Restarts, o.Iterations, o.Tolerance), positive("ridge", o.Ridge), candidates("dims", o.Dims, 0))
}

// Fit implements BeliefKind.
func (o *factorModel) Fit(ctx context.Context, f fitInput) (belief.Model, []belief.Candidate, error) {
	return fitOf(belief.FitFactor(ctx, f.train, f.dev, belief.FactorOptions(*o)))
}

type factorMixture struct {
	Classes     []int `yaml:"classes" json:"classes"`
	factorModel `yaml:",inline"`
}

func (o *factorMixture) check() error {
	return cmp.Or(candidates("classes", o.Classes, 1), o.factorModel.check())
}

// Fit implements BeliefKind.
func (o *factorMixture) Fit(ctx context.Context, f fitInput) (belief.Model, []belief.Candidate, error) {
	return fitOf(belief.FitMixtureOfFactors(ctx, f.train, f.dev, belief.MixtureOfFactorsOptions{Classes: o.Classes, FactorOptions: belief.FactorOptions(o.factorModel)}))
}

type blrModel struct {
	Dims []int `yaml:"dims" json:"dims"`
}

func (o *blrModel) check() error { return candidates("dims", o.Dims, 0) }

// Fit implements BeliefKind.
func (o *blrModel) Fit(ctx context.Context, f fitInput) (belief.Model, []belief.Candidate, error) {
	return fitOf(belief.FitBLR(ctx, f.train, f.dev, belief.BLROptions(*o)))
}

type gradedModel struct {
	Dims       []int   `yaml:"dims" json:"dims"`
	Restarts   int     `yaml:"restarts" json:"restarts"`
	Iterations int     `yaml:"iterations" json:"iterations"`
	Tolerance  float64 `yaml:"tolerance" json:"tolerance"`
	Smoothing  float64 `yaml:"smoothing" json:"smoothing"`
	SlopeScale float64 `yaml:"slope_scale" json:"slope_scale"`
	Seed       uint64  `yaml:"seed" json:"seed"`
}

func (o *gradedModel) check() error {
	if err := candidates("dims", o.Dims, 0); err != nil {
		return err
	}
	if slices.Max(o.Dims) > 2 {
		return fmt.Errorf("dims %v: the grid has at most 2 dimensions", o.Dims)
	}
	return cmp.Or(effort(o.Restarts, o.Iterations, o.Tolerance), positive("smoothing", o.Smoothing), positive("slope_scale", o.SlopeScale))
}

// Fit implements BeliefKind.
func (o *gradedModel) Fit(ctx context.Context, f fitInput) (belief.Model, []belief.Candidate, error) {
	return fitOf(belief.FitGraded(ctx, f.train, f.dev, belief.GradedOptions(*o)))
}

// releasedRule is one of the released heuristics.
type releasedRule struct{ rule belief.Rule }

// Fit implements BeliefKind.
func (r *releasedRule) Fit(ctx context.Context, f fitInput) (belief.Model, []belief.Candidate, error) {
	opt := belief.ReleasedOptions{Rule: r.rule, Compat: f.compat}
	if f.compat {
		opt.MinUsers = f.minUsers
	}
	return fitOf(belief.FitReleased(ctx, f.train, f.dev, opt))
}

// modelFile is a model that pepbench fit wrote.
type modelFile struct {
	Path string `yaml:"path" json:"path"`

	from   belief.Provenance // of the file, once it was read
	source *domains.Source   // its hash, which the manifest names
}

func (m *modelFile) check() error {
	if m.Path == "" {
		return errors.New("path names no model file; write one with pepbench fit")
	}
	return nil
}

// Fit implements BeliefKind: it reads the model and makes sure that it was fitted on
// these criteria.
func (m *modelFile) Fit(_ context.Context, f fitInput) (belief.Model, []belief.Candidate, error) {
	b, err := os.ReadFile(filepath.FromSlash(m.Path))
	if err != nil {
		return nil, nil, &ConfigError{File: m.Path, What: "model file cannot be read: " + reason(err), Mend: "write one with pepbench fit"}
	}
	model, from, err := belief.Load(bytes.NewReader(b), f.train.Criteria)
	if err != nil {
		var d *domains.DataError
		if errors.As(err, &d) {
			d.File = m.Path
		}
		return nil, nil, err
	}
	sum := sha256.Sum256(b) // of what was read, whatever becomes of the file
	m.from, m.source = from, &domains.Source{Path: m.Path, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(b))}
	return model, from.Choice, nil
}

// chosenKind is the kind of belief that is one of several others.
const chosenKind = "chosen"

// chosenModel is the one of several beliefs with the largest mean log score on dev
// (belief.ChainScore, nats a cell), the first among equals.
type chosenModel struct {
	Among list `yaml:"among" json:"among"` // names of other beliefs, in the order in which they are named where scores are equal
}

func (c *chosenModel) check() error {
	if len(c.Among) < 2 || len(slices.Compact(slices.Sorted(slices.Values(c.Among)))) != len(c.Among) {
		return fmt.Errorf("among %v: name two other beliefs or more, each once", []string(c.Among))
	}
	return nil
}

// Fit implements BeliefKind. Which beliefs there are is known to the preparer alone.
func (c *chosenModel) Fit(context.Context, fitInput) (belief.Model, []belief.Candidate, error) {
	panic("bench: a chosen belief is fitted by preparer.choose")
}

// choose fits the beliefs that a chosen one is among and takes the best on dev.
func (pr *preparer) choose(ctx context.Context, e *Experiment, c *chosenModel, key string, f fitInput) fitted {
	var out fitted
	best := -1
	if len(f.dev.Rows) == 0 {
		return fitted{err: &ConfigError{What: "a belief is to be chosen on dev and there is no dev profile", Mend: "raise split.dev, or name the belief"}}
	}
	for _, name := range c.Among {
		m := pr.fit(ctx, e, e.Beliefs[name], key, f)
		score, err := math.NaN(), m.err
		if err == nil {
			score, err = belief.ChainScore(m.model, f.dev)
		}
		switch {
		case undefined(err) && e.Undefined == undefinedSkip:
			out.skipped = append(out.skipped, domains.Count{What: name + " cannot handle the data and was no candidate", N: 1})
			continue
		case err != nil:
			return fitted{err: fmt.Errorf("belief %s: %w", name, err)}
		case math.IsNaN(score):
			return fitted{err: &ConfigError{What: fmt.Sprintf("belief %s has no log score on the dev profiles", name), Mend: "choose among others"}}
		}
		out.tried = append(out.tried, belief.Candidate{Name: name, DevScore: score})
		if best < 0 || score > out.tried[best].DevScore {
			best, out.model = len(out.tried)-1, m.model
		}
	}
	if best < 0 {
		return fitted{err: &domains.DataError{What: fmt.Sprintf("none of the beliefs %v can handle the data", []string(c.Among)), Err: belief.ErrUnsupported}}
	}
	out.tried[best].Chosen = true
	return out
}

// chosen names the candidate that was chosen.
func (f *fitted) chosen() string {
	for _, c := range f.tried {
		if c.Chosen {
			return c.Name
		}
	}
	return ""
}
