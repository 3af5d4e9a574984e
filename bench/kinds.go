package bench

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"slices"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/domains/data"
	"pepbench/domains/prefdisco"
	"pepbench/domains/survey"
	"pepbench/simusers"
	"pepbench/strategies/belief"
)

// The kinds that each block of a configuration may name. A new strategy, belief,
// user or data source is one entry here.
var (
	domainKinds   = newRegistry[DomainKind]("domain")
	userKinds     = newRegistry[UserKind]("user")
	beliefKinds   = newRegistry[BeliefKind]("belief")
	strategyKinds = newRegistry[StrategyKind]("strategy")
	backendKinds  = newRegistry[BackendKind]("backend")
	solverKinds   = newRegistry[SolverKind]("solver")
	judgeKinds    = newRegistry[JudgeKind]("judge")

	registries = map[reflect.Type]any{
		reflect.TypeFor[DomainKind]():   domainKinds,
		reflect.TypeFor[UserKind]():     userKinds,
		reflect.TypeFor[BeliefKind]():   beliefKinds,
		reflect.TypeFor[StrategyKind](): strategyKinds,
		reflect.TypeFor[BackendKind]():  backendKinds,
		reflect.TypeFor[SolverKind]():   solverKinds,
		reflect.TypeFor[JudgeKind]():    judgeKinds,
	}
)

func init() {
	domainKinds.add("builtin", func() DomainKind { return &builtin{Structure: 1} })
	domainKinds.add("prefdisco", func() DomainKind { return &released{Rubric: domains.Quality} })
	domainKinds.add("survey", func() DomainKind { return &surveyFolder{} })

	userKinds.add("exact", func() UserKind { return &exactUser{} })
	userKinds.add("noisy", func() UserKind { return &noisyUser{} })

	beliefKinds.add("prior", func() BeliefKind { return &prior{Smoothing: belief.DefaultLatentClass.Smoothing} })
	beliefKinds.add("latent-class", func() BeliefKind {
		d := belief.DefaultLatentClass
		return &latentClass{Classes: slices.Clone(d.Classes), Restarts: d.Restarts, Iterations: d.Iterations, Tolerance: d.Tolerance, Smoothing: d.Smoothing, Seed: d.Seed}
	})

	strategyKinds.add("none", func() StrategyKind { return &none{basics: answersOnly()} })
	strategyKinds.add("oracle", func() StrategyKind { return &oracle{basics: answersOnly()} })
	strategyKinds.add("random", func() StrategyKind { return &random{basics: answersOnly()} })
	strategyKinds.add("static", func() StrategyKind { return &static{basics: answersOnly()} })
	strategyKinds.add("pep", func() StrategyKind { return &adaptive{basics: answersOnly(), Acquisition: "profile-ig"} })
}

// ---- data ----

// A DomainKind says where the data comes from.
type DomainKind interface {
	Load() (*domains.Dataset, error)
}

// builtin is one of the four domains that ship with the program.
type builtin struct {
	Name      string  `yaml:"name" json:"name"`
	Structure float64 `yaml:"structure" json:"structure"` // 1: full; 0: criteria independent
	Users     int     `yaml:"users" json:"users"`         // 0: the library's own number
	Seed      uint64  `yaml:"seed" json:"seed"`
}

func (b *builtin) check() error {
	switch {
	case !slices.Contains(data.Names(), b.Name):
		return fmt.Errorf("no built-in domain %q; there are %v", b.Name, data.Names())
	case !share(b.Structure):
		return fmt.Errorf("structure %v is not between 0 and 1", b.Structure)
	case b.Users < 0:
		return fmt.Errorf("users %d is negative", b.Users)
	}
	return nil
}

// Load implements DomainKind.
func (b *builtin) Load() (*domains.Dataset, error) {
	opt := data.DefaultOptions()
	opt.Structure = b.Structure
	if b.Users > 0 {
		opt.Users = b.Users
	}
	if b.Seed > 0 {
		opt.Seed = b.Seed
	}
	return data.Load(b.Name, opt)
}

// released is a file in the released benchmark's format.
type released struct {
	Path   string             `yaml:"path" json:"path"`
	Rubric domains.RubricKind `yaml:"rubric" json:"rubric"`
	Name   string             `yaml:"name" json:"name"`
}

func (r *released) check() error {
	if r.Rubric != domains.Quality && r.Rubric != domains.Amount {
		return fmt.Errorf("rubric %q is neither quality nor amount", r.Rubric)
	}
	return nil
}

var errNoPath = &domains.DataError{What: "domain.path is empty", Mend: "name the data, for example --set domain.path=FILE"}

// Load implements DomainKind.
func (r *released) Load() (*domains.Dataset, error) {
	if r.Path == "" {
		return nil, errNoPath
	}
	return prefdisco.Load(filepath.FromSlash(r.Path), prefdisco.Options{Rubric: r.Rubric, Name: r.Name})
}

// surveyFolder is a folder with profiles.csv and dims.csv.
type surveyFolder struct {
	Path string `yaml:"path" json:"path"`
	Name string `yaml:"name" json:"name"`
}

// Load implements DomainKind.
func (s *surveyFolder) Load() (*domains.Dataset, error) {
	if s.Path == "" {
		return nil, errNoPath
	}
	return survey.Load(filepath.FromSlash(s.Path), survey.Options{Name: s.Name})
}

// ---- users ----

// A UserKind makes simulated users.
type UserKind interface {
	User(d *domains.Dataset, profile int, seed int) simusers.User
	About() string
}

type exactUser struct{}

// User implements UserKind.
func (*exactUser) User(d *domains.Dataset, profile, _ int) simusers.User {
	return simusers.NewExact(&d.Profiles[profile])
}

// About implements UserKind.
func (*exactUser) About() string { return "exact: answers what the profile says" }

type noisyUser struct {
	FlipHeld    float64 `yaml:"flip_held" json:"flip_held"`
	FlipNotHeld float64 `yaml:"flip_not_held" json:"flip_not_held"`
	Slip        float64 `yaml:"slip" json:"slip"`
}

func (n *noisyUser) check() error {
	if !share(n.FlipHeld) || !share(n.FlipNotHeld) || !share(n.Slip) {
		return fmt.Errorf("flip_held %v, flip_not_held %v and slip %v are probabilities", n.FlipHeld, n.FlipNotHeld, n.Slip)
	}
	return nil
}

// User implements UserKind.
func (n *noisyUser) User(d *domains.Dataset, profile, seed int) simusers.User {
	p := &d.Profiles[profile]
	return simusers.NewNoisy(p, d.CriteriaOf(p.Task), simusers.Noise{FlipHeld: n.FlipHeld, FlipNotHeld: n.FlipNotHeld, Slip: n.Slip},
		simusers.Key{Seed: seed, Task: d.Tasks[p.Task].ID, User: d.Users[p.User].ID})
}

// About implements UserKind.
func (n *noisyUser) About() string {
	return fmt.Sprintf("noisy: says a held criterion is not held with probability %g, the reverse with %g, slips to a neighbouring level with %[3]g (continuous values: a normal error of %[3]g ranges)", n.FlipHeld, n.FlipNotHeld, n.Slip)
}

// ---- beliefs ----

// A BeliefKind fits a population model.
type BeliefKind interface {
	Fit(ctx context.Context, train, dev belief.Population) (belief.Model, []record.Choice, error)
}

// prior is the latent class model with one class: the population's frequencies,
// and every criterion for itself.
type prior struct {
	Smoothing float64 `yaml:"smoothing" json:"smoothing"`
}

func (p *prior) check() error {
	if !(p.Smoothing > 0) || math.IsInf(p.Smoothing, 0) {
		return fmt.Errorf("smoothing %v is not a finite number above 0", p.Smoothing)
	}
	return nil
}

// Fit implements BeliefKind.
func (p *prior) Fit(ctx context.Context, train, _ belief.Population) (belief.Model, []record.Choice, error) {
	opt := belief.DefaultLatentClass
	opt.Classes, opt.Restarts, opt.Smoothing = []int{1}, 1, p.Smoothing
	m, _, err := belief.FitLatentClass(ctx, train, belief.Population{Criteria: train.Criteria}, opt)
	if err != nil {
		return nil, nil, err
	}
	return m, nil, nil
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
	switch {
	case len(l.Classes) == 0 || slices.Min(l.Classes) < 1:
		return fmt.Errorf("classes %v: give numbers of 1 or more to choose among", l.Classes)
	case l.Restarts < 1 || l.Iterations < 1:
		return fmt.Errorf("restarts %d and iterations %d must be 1 or more", l.Restarts, l.Iterations)
	case !(l.Tolerance >= 0) || !(l.Smoothing > 0) || math.IsInf(l.Tolerance, 0) || math.IsInf(l.Smoothing, 0):
		return fmt.Errorf("tolerance %v must be 0 or more and smoothing %v more than 0, both finite", l.Tolerance, l.Smoothing)
	case len(slices.Compact(slices.Sorted(slices.Values(l.Classes)))) != len(l.Classes):
		return fmt.Errorf("classes %v name one number twice", l.Classes)
	}
	return nil
}

// Fit implements BeliefKind.
func (l *latentClass) Fit(ctx context.Context, train, dev belief.Population) (belief.Model, []record.Choice, error) {
	m, tried, err := belief.FitLatentClass(ctx, train, dev, belief.LatentClassOptions(*l))
	if err != nil {
		return nil, nil, err
	}
	var choices []record.Choice
	if len(dev.Rows) > 0 {
		for _, c := range tried {
			choices = append(choices, record.Choice{Candidate: c.Name, DevScore: c.DevScore, Chosen: c.Chosen})
		}
	}
	return m, choices, nil
}
