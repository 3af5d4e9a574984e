package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"pepbench/bench/llm"
	"pepbench/bench/llm/cache"
)

// An Experiment is a configuration after `extends`, `--set` and defaults. Every
// field but those of Execution is part of the configuration's hash.
type Experiment struct {
	Name  string `yaml:"name" json:"name"`   // folder under results/
	About string `yaml:"about" json:"about"` // one line for people

	Domain Block[DomainKind] `yaml:"domain" json:"domain"`
	Filter Filter            `yaml:"filter" json:"filter"`
	Split  Split             `yaml:"split" json:"split"`

	Users   Block[UserKind] `yaml:"users" json:"users"`
	Missing string          `yaml:"missing" json:"missing"` // skip: empty cells cannot be asked; spend: asking one teaches nothing

	Beliefs    map[string]Block[BeliefKind] `yaml:"beliefs" json:"beliefs"`
	Strategies []Block[StrategyKind]        `yaml:"strategies" json:"strategies"`

	// Undefined says what to do with strategies whose belief cannot handle the data
	// or whose acquisition is not defined for it: refuse, or skip with a warning.
	Undefined string `yaml:"undefined" json:"undefined,omitempty"`

	Budget      int   `yaml:"budget" json:"budget"`
	Horizon     int   `yaml:"horizon" json:"horizon"` // 0: the budget
	Checkpoints []int `yaml:"checkpoints" json:"checkpoints"`
	Seeds       []int `yaml:"seeds" json:"seeds"`

	Backend Block[BackendKind]            `yaml:"backend" json:"backend"` // the model of every role that Roles gives no other
	Models  map[string]Block[BackendKind] `yaml:"models" json:"models,omitempty"`
	Roles   Roles                         `yaml:"roles" json:"roles,omitzero"`
	Solver  Block[SolverKind]             `yaml:"solver" json:"solver"`
	Judge   Block[JudgeKind]              `yaml:"judge" json:"judge"`

	Report Report `yaml:"report" json:"report"`

	Execution `yaml:",inline" json:"-"`
}

// What Experiment.Undefined may say; nothing is refuse.
const (
	undefinedRefuse = "refuse"
	undefinedSkip   = "skip"
)

// Execution is how a run is carried out; it changes no result and is outside
// hash and seeds.
type Execution struct {
	Concurrency int    `yaml:"concurrency"` // sessions at a time; 0: as the models allow (see Experiment.inFlight)
	Out         string `yaml:"out"`         // results/<name> when empty
	Quiet       bool   `yaml:"quiet"`
	Limits      Limits `yaml:"limits"`
	Trace       string `yaml:"trace"` // file that every attempt of a call adds a line of JSON to; empty: none

	Cache     string `yaml:"cache"`      // off, read, write or refresh (cache.Mode); empty: write, off for the embedded model
	CacheFile string `yaml:"cache_file"` // results/cache.sqlite when empty; relative to the working directory

	// Policies is the folder that keeps trained policies, results/policies when empty;
	// relative to the working directory. off: they are kept in memory alone.
	Policies string `yaml:"policies"`

	budget *llm.Budget // shared by the cells of a sweep; nil: of Limits
	whole  string      // folder of the sweep that this is a cell of; empty: none
	called []string    // roles whose models are called; nil: all that are used
}

// Limits are what one go of a run may cost, all models together; 0: no limit. A run
// that has reached one stops, and goes on when it is started again.
type Limits struct {
	Calls   int     `yaml:"calls"`
	Tokens  int     `yaml:"tokens"`
	Dollars float64 `yaml:"dollars"`
}

func (l *Limits) budget() *llm.Budget {
	if *l == (Limits{}) {
		return nil
	}
	return &llm.Budget{Calls: l.Calls, Tokens: l.Tokens, Dollars: l.Dollars}
}

// Filter is domains.Filter in YAML.
type Filter struct {
	MinUsers int     `yaml:"min_users" json:"min_users"`
	MaxShare float64 `yaml:"max_share" json:"max_share"`
	MinHeld  int     `yaml:"min_held" json:"min_held"`
}

// Split is domains.Splitter in YAML.
type Split struct {
	By           string   `yaml:"by" json:"by"`
	Test         float64  `yaml:"test" json:"test"`
	Dev          float64  `yaml:"dev" json:"dev"`
	Seed         uint64   `yaml:"seed" json:"seed"`
	TestIDs      []string `yaml:"test_ids" json:"test_ids"`
	UsersPerTask int      `yaml:"users_per_task" json:"users_per_task"`
	Folds        int      `yaml:"folds" json:"folds,omitempty"` // cross-fitting; 0: one split
}

// Report holds the statistics of tables and figures.
type Report struct {
	Resamples  int     `yaml:"resamples" json:"resamples"`
	Confidence float64 `yaml:"confidence" json:"confidence"`
	Seed       int     `yaml:"seed" json:"seed"`
	TargetOf   string  `yaml:"target_of" json:"target_of"`
	Reference  string  `yaml:"reference" json:"reference"`

	Questions []int  `yaml:"questions" json:"questions,omitempty"` // numbers of questions of paired comparisons; the budget when empty
	Against   list   `yaml:"against" json:"against,omitempty"`     // rows or strategies to compare with, beside twin and reference
	GridOf    string `yaml:"grid_of" json:"grid_of,omitempty"`     // row whose numbers a sweep shows
}

// defaults is the experiment before any file is read.
func defaults() Experiment {
	return Experiment{
		Split:   Split{By: "both", Test: 1. / 3, Dev: 0.2, Seed: 1},
		Missing: "skip",
		Budget:  5,
		Seeds:   []int{1},
		Report:  Report{Resamples: 1000, Confidence: 0.95, Seed: 1},
	}
}

// Load reads, merges, decodes and validates a configuration of one experiment. The
// error joins all faults that were found and wraps ErrConfig.
func Load(path string, sets []string) (*Experiment, error) {
	s, err := LoadSweep(path, sets)
	if err != nil {
		return nil, err
	}
	if !s.Single() {
		return nil, &ConfigError{File: path, What: "sweeps over a grid of experiments", Mend: "name one experiment, or use pepbench run"}
	}
	return s.Cells[0].Experiment, nil
}

// complete fills what depends on other fields.
func (e *Experiment) complete() {
	if e.Horizon == 0 {
		e.Horizon = e.Budget
	}
	if e.Checkpoints == nil && e.Horizon >= 0 && e.Horizon < 1<<16 {
		for n := range e.Horizon + 1 {
			e.Checkpoints = append(e.Checkpoints, n)
		}
	}
	for _, s := range e.Strategies {
		a, ok := s.Config.(*adaptive)
		if !ok || a.Model == "" {
			continue
		}
		a.Belief = a.Name + "-model" // so that a model file is a belief like any other
		if e.Beliefs == nil {
			e.Beliefs = map[string]Block[BeliefKind]{}
		}
		e.Beliefs[a.Belief] = Block[BeliefKind]{Kind: "file", Config: &modelFile{Path: a.Model}}
		for i, p := range a.Predict {
			if p == "model" {
				a.Predict[i] = a.Belief
			}
		}
	}
	if e.Users.Config == nil {
		e.Users = Block[UserKind]{Kind: "exact", Config: userKinds.make("exact")}
	}
	if e.Backend.Config == nil {
		e.Backend = Block[BackendKind]{Kind: "sim", Config: backendKinds.make("sim")}
	}
}

// validate checks what concerns several fields; each kind checks its own.
func (e *Experiment) validate(d *decoder, root *yaml.Node) {
	at := func(path string) *yaml.Node {
		n := root
		for _, k := range strings.Split(path, ".") {
			i := find(n, k)
			if i < 0 {
				return n
			}
			n = n.Content[i]
		}
		return n
	}
	check := func(ok bool, path, mend, format string, a ...any) {
		if !ok {
			d.fault(at(path), mend, "%s: %s", path, fmt.Sprintf(format, a...))
		}
	}
	check(e.Name != "" && len(e.Name) <= 200 && !strings.ContainsAny(e.Name, "/\\ \t\n") && e.Name != "." && e.Name != "..", "name",
		"results go to results/<name>", "%q is not usable as the name of a folder", e.Name)
	check(e.Domain.Config != nil, "domain", "there are "+strings.Join(domainKinds.names(), ", "), "say where the data comes from")
	check(e.Solver.Config != nil, "solver", "there are "+strings.Join(solverKinds.names(), ", "), "say who answers the tasks")
	check(e.Judge.Config != nil, "judge", "there are "+strings.Join(judgeKinds.names(), ", "), "say who grades")
	if e.Solver.Config != nil && e.Judge.Config != nil {
		check(e.Solver.Config.onlyProfile() == e.Judge.Config.onlyProfile(), "judge",
			"the profile judge grades the profile solver and nothing else", "solver kind %s and judge kind %s do not go together", e.Solver.Kind, e.Judge.Kind)
	}
	check(e.Budget >= 0 && e.Budget <= 1000, "budget", "", "%d is not a number of questions from 0 to 1000", e.Budget)
	check(e.Horizon >= e.Budget && e.Horizon <= 1000, "horizon", "raise it or leave it out", "%d questions are fewer than the budget of %d, or more than 1000", e.Horizon, e.Budget)
	check(e.Missing == "skip" || e.Missing == "spend", "missing", "give skip or spend", "%q", e.Missing)
	check(slices.Contains([]string{"", undefinedRefuse, undefinedSkip}, e.Undefined), "undefined", "give refuse or skip", "%q", e.Undefined)
	check(len(e.Seeds) > 0, "seeds", "give at least one", "none")
	check(slices.IndexFunc(e.Seeds, func(s int) bool { return s < 0 }) < 0 && len(slices.Compact(slices.Sorted(slices.Values(e.Seeds)))) == len(e.Seeds), "seeds", "", "%v are not different whole numbers of 0 or more", e.Seeds)
	check(e.Concurrency >= 0 && e.Concurrency <= mostInFlight, "concurrency", "", "%d is not from 0 (automatic) to %d", e.Concurrency, mostInFlight)
	check(e.Limits.Calls >= 0, "limits.calls", "0 is no limit", "%d is negative", e.Limits.Calls)
	check(e.Limits.Tokens >= 0, "limits.tokens", "0 is no limit", "%d is negative", e.Limits.Tokens)
	check(e.Limits.Dollars >= 0 && !math.IsInf(e.Limits.Dollars, 0), "limits.dollars", "0 is no limit", "%v is not an amount", e.Limits.Dollars)

	check(e.Cache == "" || slices.Contains(cache.Modes, cache.Mode(e.Cache)), "cache", "give off, read, write or refresh", "%q", e.Cache)

	okPoints := len(e.Checkpoints) > 0
	for i, n := range e.Checkpoints {
		okPoints = okPoints && n >= 0 && n <= e.Horizon && (i == 0 || n > e.Checkpoints[i-1])
	}
	okPoints = okPoints && slices.Contains(e.Checkpoints, 0) && slices.Contains(e.Checkpoints, e.Budget)
	check(okPoints || e.Budget < 0 || e.Horizon < e.Budget, "checkpoints", // a bad horizon is one fault, not two
		"floor and ceiling are graded at 0 and the headline at the budget", "%v must rise from 0, contain the budget (%d) and end at the horizon (%d) or before", e.Checkpoints, e.Budget, e.Horizon)

	check(e.Split.By == "task" || e.Split.By == "user" || e.Split.By == "both", "split.by", "give task, user or both", "%q", e.Split.By)
	check(e.Split.Test > 0 && e.Split.Test < 1, "split.test", "", "%v is not a share between 0 and 1", e.Split.Test)
	check(e.Split.Dev >= 0 && e.Split.Dev < 1, "split.dev", "", "%v is not a share of 0 or more and less than 1", e.Split.Dev)
	check(e.Split.Folds == 0 || e.Split.Folds >= 2 && e.Split.Folds <= 1000, "split.folds", "0 switches it off", "%d is not a number of folds of 2 or more", e.Split.Folds)
	check(e.Split.Folds == 0 || len(e.Split.TestIDs) == 0, "split.folds", "folds hold out every task once; leave test_ids out", "both folds and test_ids")
	check(e.Split.UsersPerTask >= 0, "split.users_per_task", "", "%d is negative", e.Split.UsersPerTask)
	check(e.Filter.MinUsers >= 0, "filter.min_users", "", "%d is negative", e.Filter.MinUsers)
	check(e.Filter.MinHeld >= 0, "filter.min_held", "", "%d is negative", e.Filter.MinHeld)
	check(e.Filter.MaxShare >= 0 && e.Filter.MaxShare <= 1, "filter.max_share", "0 switches it off", "%v is not a share", e.Filter.MaxShare)
	check(e.Report.Resamples >= 0 && e.Report.Resamples <= 1_000_000, "report.resamples", "", "%d is not from 0 to 1000000", e.Report.Resamples)
	check(e.Report.Confidence > 0 && e.Report.Confidence < 1, "report.confidence", "write 0.95 for 95%", "%v is not between 0 and 1", e.Report.Confidence)

	for _, r := range []struct{ path, name string }{{"roles.solver", e.Roles.Solver}, {"roles.judge", e.Roles.Judge}, {"roles.user", e.Roles.User}, {"roles.interpreter", e.Roles.Interpreter}, {"roles.asker", e.Roles.Asker}} {
		_, ok := e.Models[r.name]
		check(ok || r.name == "" || r.name == backendName, r.path, "known: "+strings.Join(append([]string{backendName}, sortedKeys(e.Models)...), ", "), "no model %q", r.name)
	}
	if e.Limits.Dollars > 0 && e.Solver.Config != nil {
		seen := map[string]bool{}
		for _, role := range e.rolesCalled() {
			name := e.modelName(role)
			if b := e.named(name); b != nil && !seen[name] {
				in, _ := b.price()
				check(in != nil, "limits.dollars", "give it a price: {in, out} in dollars a million tokens, {in: 0, out: 0} for a server of your own", "what the model %q costs is not known", name)
			}
			seen[name] = true
		}
	}
	if len(e.Strategies) == 0 {
		check(false, "strategies", "see configs/ for examples", "none")
		return
	}
	bases := map[string]StrategyKind{}
	seq := at("strategies")
	for i, s := range e.Strategies {
		n := seq.Content[i]
		c := s.Config.base()
		if !usable(c.Name) {
			d.fault(n, "letters, digits, - and _", "strategies[%d].name: %q is not usable in ids", i, c.Name)
		}
		if bases[c.Name] != nil {
			d.fault(n, "names are unique", "strategies[%d].name: %q twice", i, c.Name)
		}
		bases[c.Name] = s.Config
	}
	for i, s := range e.Strategies {
		n := seq.Content[i]
		for _, p := range s.Config.base().Predict {
			if _, ok := e.Beliefs[p]; !ok && p != predictAnswers {
				d.fault(n, "known: "+strings.Join(append([]string{predictAnswers}, sortedKeys(e.Beliefs)...), ", "), "strategies[%d].predict: no belief %q", i, p)
			}
		}
		if l, ok := s.Config.(*learned); ok {
			if what, mend := l.fits(e); what != "" {
				d.fault(n, mend, "strategies[%d]: %s", i, what)
			}
		}
		belief, twin := s.Config.needs()
		if _, ok := e.Beliefs[belief]; !ok && belief != "" {
			known, key := sortedKeys(e.Beliefs), ""
			if s.Config.kind() == policyKind { // which need not have one
				known, key = append([]string{predictAnswers}, known...), ".train.predict"
			}
			d.fault(n, "known: "+strings.Join(known, ", "), "strategies[%d]%s: no belief %q", i, key, belief)
		}
		if t, ok := bases[twin]; twin != "" && (!ok || t.kind() != "pep") {
			d.fault(n, "name an adaptive strategy of this file", "strategies[%d].twin_of: no strategy %q of kind pep", i, twin)
		}
		if r, ok := s.Config.(*replayed); ok {
			if err := r.replays(e, bases); err != nil {
				d.fault(n, err.Mend, "strategies[%d].%s", i, err.What)
			}
		}
	}
	for _, name := range sortedKeys(e.Beliefs) {
		if c, ok := e.Beliefs[name].Config.(*chosenModel); ok {
			for _, other := range c.Among { // a file says itself what it was fitted on, which is checked for beliefs that are used
				o, there := e.Beliefs[other]
				check(there && o.Kind != chosenKind && o.Kind != "file", "beliefs."+name, "name other beliefs of this file, none of kind "+chosenKind+" or file", "among names %q", other)
			}
		}
		if !usable(name) || name == predictAnswers {
			d.fault(at("beliefs."+name), "letters, digits, - and _", "beliefs: %q is not usable as a name", name)
		}
	}
	rows := e.rows()
	for i, q := range e.Report.Questions { // one that is no checkpoint is warned of by the report
		check(q >= 0 && (i == 0 || q > e.Report.Questions[i-1]), "report.questions", "", "%v must rise from 0 or more", e.Report.Questions)
	}
	for _, name := range e.Report.Against {
		check(bases[name] != nil || slices.ContainsFunc(rows, func(r row) bool { return r.Name == name }), "report.against",
			"known: "+strings.Join(sortedKeys(bases), ", "), "no strategy %q", name)
	}
	for _, r := range []struct{ path, name string }{{"report.target_of", e.Report.TargetOf}, {"report.reference", e.Report.Reference}, {"report.grid_of", e.Report.GridOf}} {
		if r.name == "" {
			continue
		}
		known := make([]string, len(rows))
		for i := range rows {
			known[i] = rows[i].Name
		}
		check(slices.Contains(known, r.name), r.path, "known: "+strings.Join(known, ", "), "no strategy %q", r.name)
	}
}

// usable reports whether a name can be part of ids and file names.
func usable(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return false
		}
	}
	return s != ""
}

// predictAnswers is the prediction that uses what was told and nothing else.
const predictAnswers = "answers"

// A row is one strategy of the results: a way to ask with a way to predict.
type row struct {
	Name    string
	Spec    StrategyKind
	Predict string
}

// rows expands `predict` lists: "random" predicting [answers, lc] gives "random"
// and "random+lc".
func (e *Experiment) rows() []row {
	var out []row
	for _, s := range e.Strategies {
		c := s.Config.base()
		for _, p := range c.Predict {
			name := c.Name
			if p != predictAnswers {
				name += "+" + p
			}
			out = append(out, row{name, s.Config, p})
		}
	}
	return out
}

// canonical gives the hashed part of the experiment as JSON with sorted keys, and
// its SHA-256.
func (e *Experiment) canonical() ([]byte, string, error) {
	used := *e // models that play no role change nothing
	used.Models = map[string]Block[BackendKind]{}
	for _, role := range e.rolesUsed() {
		if name := e.modelName(role); name != backendName {
			used.Models[name] = e.Models[name]
		}
	}
	b, err := json.Marshal(used)
	if err != nil {
		return nil, "", fmt.Errorf("bench: configuration as JSON: %w", err)
	}
	sum := sha256.Sum256(b)
	return b, hex.EncodeToString(sum[:]), nil
}

// A Block is a configuration block whose keys depend on its `kind`.
type Block[T any] struct {
	Kind   string
	Config T
}

// MarshalJSON writes the kind's own fields beside `kind`.
func (b Block[T]) MarshalJSON() ([]byte, error) {
	c, err := json.Marshal(b.Config)
	if err != nil {
		return nil, err
	}
	kind, err := json.Marshal(b.Kind)
	if err != nil {
		return nil, err
	}
	out := append([]byte(`{"kind":`), kind...)
	if string(c) != "{}" && string(c) != "null" {
		out = append(append(out, ','), c[1:]...)
		return out, nil
	}
	return append(out, '}'), nil
}

func (b *Block[T]) decodeNode(d *decoder, n *yaml.Node, path string) {
	reg := registryOf[T]()
	known := "there are " + strings.Join(reg.names(), ", ")
	if n.Kind != yaml.MappingNode {
		d.fault(n, known, "%s is a block with a kind", path)
		return
	}
	i := find(n, "kind")
	if i < 0 {
		d.fault(n, known, "%s has no kind", path)
		return
	}
	b.Kind = n.Content[i].Value
	if !reg.has(b.Kind) {
		d.fault(n.Content[i], known, "%s.kind: there is no %s %q", path, reg.what, b.Kind)
		return
	}
	b.Config = reg.make(b.Kind)
	rest := *n
	rest.Content = slices.Concat(n.Content[:i-1], n.Content[i+1:])
	d.src.file[&rest] = d.src.file[n]
	before := len(d.errs)
	d.decode(&rest, reflect.ValueOf(b.Config).Elem(), path)
	if len(d.errs) > before {
		return
	}
	if v, ok := any(b.Config).(interface{ check() error }); ok {
		if err := v.check(); err != nil {
			at := n
			for i := 1; i < len(n.Content); i += 2 { // blame what overrides the block, if anything does
				if c := n.Content[i]; d.src.file[c] != d.src.file[n] {
					at = c
				}
			}
			d.fault(at, "", "%s: %v", path, err)
		}
	}
}

// A registry holds what `kind` may name in a block. It is filled when the program
// starts; a name given twice is a programmer's error.
type registry[T any] struct {
	what string
	m    map[string]func() T
}

func newRegistry[T any](what string) *registry[T] {
	return &registry[T]{what: what, m: map[string]func() T{}}
}

func (r *registry[T]) add(kind string, f func() T) {
	if r.has(kind) {
		panic("bench: " + r.what + " " + kind + " registered twice")
	}
	r.m[kind] = f
}

func (r *registry[T]) has(kind string) bool { return r.m[kind] != nil }
func (r *registry[T]) make(kind string) T   { return r.m[kind]() }
func (r *registry[T]) names() []string      { return sortedKeys(r.m) }
func registryOf[T any]() *registry[T]       { return registries[reflect.TypeFor[T]()].(*registry[T]) }
func share(v float64) bool                  { return v >= 0 && v <= 1 && !math.IsNaN(v) }
