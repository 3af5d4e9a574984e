package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"gopkg.in/yaml.v3"

	"pepbench/bench/record"
	"pepbench/bench/solver"
	"pepbench/domains"
	"pepbench/strategies"
	"pepbench/strategies/belief"
	"pepbench/strategies/pep"
	"pepbench/strategies/policylog"
	"pepbench/strategies/rl"
)

func init() {
	strategyKinds.add("none", func() StrategyKind { return &none{basics: answersOnly()} })
	strategyKinds.add("oracle", func() StrategyKind { return &oracle{basics: answersOnly()} })
	strategyKinds.add("random", func() StrategyKind { return &random{basics: answersOnly()} })
	strategyKinds.add("static", func() StrategyKind { return &static{basics: answersOnly()} })
	strategyKinds.add(askerKind, func() StrategyKind { return &modelAsker{basics: answersOnly(), Told: string(strategies.ToldCriteria)} })
	strategyKinds.add("pep", func() StrategyKind { return &adaptive{basics: answersOnly(), Acquisition: "profile-ig"} })
}

// A StrategyKind makes a strategy out of fitted models.
type StrategyKind interface {
	base() *basics
	kind() string
	// needs names the belief and the strategy that this one is made of, if any.
	needs() (belief, twinOf string)
	// build makes the strategy and says in one line what it does.
	build(b *builder, predict strategies.Predict) (s strategies.Strategy, about string, err error)
}

// basics are the keys of every strategy.
type basics struct {
	Name    string `yaml:"name" json:"name"`
	Predict list   `yaml:"predict" json:"predict"`
}

func (c *basics) base() *basics                  { return c }
func (c *basics) needs() (belief, twinOf string) { return "", "" }

func (c *basics) check() error {
	if len(c.Predict) == 0 {
		return errors.New("predict names no way to predict")
	}
	if s := slices.Compact(slices.Sorted(slices.Values(c.Predict))); len(s) != len(c.Predict) {
		return fmt.Errorf("predict names one way twice: %v", []string(c.Predict))
	}
	return nil
}

func answersOnly() basics { return basics{Predict: list{predictAnswers}} }

// list is one text or a list of texts.
type list []string

func (l *list) decodeNode(d *decoder, n *yaml.Node, path string) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	*l = nil
	for _, c := range items {
		if c.Kind != yaml.ScalarNode || c.Tag == "!!null" {
			d.fault(c, "", "%s is one name or a list of names", path)
			return
		}
		*l = append(*l, c.Value)
	}
}

// none asks nothing: the floor.
type none struct {
	basics `yaml:",inline"`
}

func (*none) kind() string { return "none" }

func (*none) build(_ *builder, p strategies.Predict) (strategies.Strategy, string, error) {
	return strategies.None{Predict: p}, "asks nothing (floor)", nil
}

// oracle is told the profile: the ceiling.
type oracle struct {
	basics `yaml:",inline"`
}

func (*oracle) kind() string { return "oracle" }

func (o *oracle) check() error {
	if len(o.Predict) != 1 || o.Predict[0] != predictAnswers {
		return errors.New("the oracle is told the profile and predicts nothing; leave predict out")
	}
	return nil
}

func (*oracle) build(*builder, strategies.Predict) (strategies.Strategy, string, error) {
	return strategies.Oracle{}, "is told the true profile (ceiling)", nil
}

// random asks in one of twenty random orders of the task.
type random struct {
	basics `yaml:",inline"`
}

func (*random) kind() string { return "random" }

func (*random) build(_ *builder, p strategies.Predict) (strategies.Strategy, string, error) {
	return strategies.Random{Predict: p}, fmt.Sprintf("asks in one of %d random orders of the task", strategies.RandomOrders), nil
}

// static asks everybody in one order.
type static struct {
	basics `yaml:",inline"`
	// Order is "prior-value" (P(held) E[value | held] in the training profiles,
	// largest first: for values that are amounts), "prior-entropy" (entropy of what
	// training users say, largest first, whatever the coding of the levels),
	// "listing" (the data's own order) or a list of criterion ids.
	Order  list   `yaml:"order" json:"order,omitempty"`
	TwinOf string `yaml:"twin_of" json:"twin_of,omitempty"`
	Seed   uint64 `yaml:"seed" json:"seed,omitempty"` // of the users a twin draws
}

const (
	orderPriorValue   = "prior-value"
	orderPriorEntropy = "prior-entropy"
	orderListing      = "listing"
)

func (*static) kind() string              { return "static" }
func (s *static) needs() (string, string) { return "", s.TwinOf }

func (s *static) check() error {
	if (len(s.Order) == 0) == (s.TwinOf == "") {
		return fmt.Errorf("give either order (%s, %s, %s or a list of criteria) or twin_of", orderPriorValue, orderPriorEntropy, orderListing)
	}
	if u := slices.Compact(slices.Sorted(slices.Values(s.Order))); len(u) != len(s.Order) {
		return fmt.Errorf("order names a criterion twice: %v", []string(s.Order))
	}
	return s.basics.check()
}

func (s *static) build(b *builder, p strategies.Predict) (strategies.Strategy, string, error) {
	switch {
	case s.TwinOf != "":
		key := fmt.Sprint(s.TwinOf, " ", s.Seed)
		order := b.twins[key]
		if order == nil {
			r, err := b.rule(b.spec(s.TwinOf).(*adaptive))
			if err != nil {
				return nil, "", err
			}
			order = pep.NewTwin(r, s.Seed)
			b.twins[key] = order
		}
		return strategies.Static{Order: order, Predict: p}, fmt.Sprintf("static twin of %s: its belief and acquisition, one order for everybody, built on users drawn from the belief", s.TwinOf), nil
	case len(s.Order) == 1 && (s.Order[0] == orderPriorValue || s.Order[0] == orderPriorEntropy):
		m, err := b.prior()
		if err != nil {
			return nil, "", fmt.Errorf("strategy %s: %w", s.Name, err)
		}
		if s.Order[0] == orderPriorValue {
			return strategies.Static{Order: &byPrior{prior: m, worth: priorValue}, Predict: p}, "asks by prior value: P(held) x E[value | held] in the training profiles", nil
		}
		return strategies.Static{Order: &byPrior{prior: m, worth: priorEntropy}, Predict: p}, "asks by prior entropy: where training users differ most, held and level together", nil
	case len(s.Order) == 1 && s.Order[0] == orderListing:
		all := make(strategies.Listed, len(b.data.Criteria))
		for i := range all {
			all[i] = i
		}
		return strategies.Static{Order: all, Predict: p}, "asks in the order in which the data lists the criteria", nil
	}
	var order strategies.Listed
	for _, id := range s.Order {
		i := slices.IndexFunc(b.data.Criteria, func(c domains.Criterion) bool { return c.ID == id })
		if i < 0 {
			return nil, "", &ConfigError{What: fmt.Sprintf("strategy %q: order names %q, which is no criterion of data set %s", s.Name, id, b.data.Name), Mend: fmt.Sprintf("ids look like %q", b.data.Criteria[0].ID)}
		}
		order = append(order, i)
	}
	return strategies.Static{Order: order, Predict: p}, fmt.Sprintf("asks %d listed criteria in order", len(order)), nil
}

// byPrior orders criteria by a worth that they have before any answer, largest
// first. An order depends on the task alone and is worked out once for each.
type byPrior struct {
	prior  belief.Model
	worth  func(b belief.Belief, inf *domains.Inference, i int) float64
	orders sync.Map // task id -> []int
}

// priorValue is P(held) E[value | held]; levels without order have no value and
// count as 1.
func priorValue(_ belief.Belief, inf *domains.Inference, i int) float64 {
	if inf.Levels != nil && inf.Levels[i] != nil {
		return inf.Held[i]
	}
	return inf.Held[i] * inf.Value[i]
}

// priorEntropy is the entropy of the state, held and level together.
func priorEntropy(b belief.Belief, _ *domains.Inference, i int) float64 {
	return b.(belief.Joint).Marginal(i).Entropy
}

// At implements strategies.Order.
func (o *byPrior) At(s *strategies.Setting, n int) (int, bool) {
	if n >= len(s.Criteria) {
		return 0, false
	}
	if order, ok := o.orders.Load(s.Task.ID); ok {
		return order.([]int)[n], true
	}
	b := o.prior.Start(s.Task.Criteria)
	inf := b.Infer()
	order, worth := make([]int, len(s.Criteria)), make([]float64, len(s.Criteria))
	for i := range order {
		order[i], worth[i] = i, o.worth(b, &inf, i)
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(worth[j], worth[i]) })
	o.orders.Store(s.Task.ID, order)
	return order[n], true
}

// adaptive is pep.
type adaptive struct {
	basics      `yaml:",inline"`
	Belief      string `yaml:"belief" json:"belief"`
	Model       string `yaml:"model" json:"model,omitempty"` // a file of pepbench fit, in place of belief
	Acquisition string `yaml:"acquisition" json:"acquisition"`
	Lookahead   int    `yaml:"lookahead" json:"lookahead,omitempty"` // beam of the two-step lookahead; 0: one step
	Stop        *stop  `yaml:"stop" json:"stop,omitempty"`           // none: at the budget
}

// stop says when a session ends before the budget: when no question is expected to
// bring as much as Gain on the acquisition's own scale, or as much alignment (points
// of 100) as the Price of a question.
type stop struct {
	Gain  *float64 `yaml:"gain" json:"gain,omitempty"`
	Price *float64 `yaml:"price" json:"price,omitempty"`
}

func (*adaptive) kind() string              { return "pep" }
func (a *adaptive) needs() (string, string) { return a.Belief, "" }

func (a *adaptive) check() error {
	if (a.Belief == "") == (a.Model == "") {
		return errors.New("give either belief, the name of one in beliefs, or model, a file of pepbench fit")
	}
	if _, err := pep.Lookup(a.Acquisition, pep.Options{Beam: a.Lookahead}); err != nil {
		return err
	}
	if s := a.Stop; s != nil {
		if (s.Gain == nil) == (s.Price == nil) {
			return errors.New("stop: give either gain (least score of a question) or price (points of alignment that a question must bring)")
		}
		for _, v := range []*float64{s.Gain, s.Price} {
			if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
				return fmt.Errorf("stop: %v is not a finite number", *v)
			}
		}
	}
	return a.basics.check()
}

func (a *adaptive) build(b *builder, p strategies.Predict) (strategies.Strategy, string, error) {
	r, err := b.rule(a)
	if err != nil {
		return nil, "", err
	}
	about := fmt.Sprintf("asks by largest %s under belief %s, given all answers so far", a.Acquisition, a.Belief)
	if a.Lookahead > 0 {
		about += fmt.Sprintf(", two steps ahead for the best %d", a.Lookahead)
	}
	switch {
	case a.Stop != nil && a.Stop.Gain != nil:
		about += fmt.Sprintf("; stops when no question scores %g", *a.Stop.Gain)
	case a.Stop != nil:
		about += fmt.Sprintf("; stops when no question is expected to bring %g points of alignment", *a.Stop.Price)
	}
	return pep.New(r, p), about, nil
}

// rule is how an adaptive strategy chooses, refused where its acquisition is not
// defined for its belief on some task.
func (b *builder) rule(a *adaptive) (pep.Rule, error) {
	o := b.experiment.solverOptions()
	opt := pep.Options{MaxCriteria: o.MaxCriteria, MinHeld: o.MinHeld, Beam: a.Lookahead}
	acq, err := pep.Lookup(a.Acquisition, opt)
	if err != nil {
		return pep.Rule{}, err
	}
	r := pep.Rule{Model: b.models[a.Belief], Acquisition: acq, Exact: b.experiment.compat() != ""}
	switch {
	case a.Stop != nil && a.Stop.Gain != nil:
		r.Stop = &pep.Stop{Least: *a.Stop.Gain}
	case a.Stop != nil:
		opt.Beam = 0
		by, err := pep.Lookup("alignment-gain", opt)
		if err != nil {
			return pep.Rule{}, err
		}
		r.Stop = &pep.Stop{By: by, Least: *a.Stop.Price}
	}
	for t := range b.data.Tasks {
		if err := r.Check(b.data.Criteria, b.data.Tasks[t].Criteria); err != nil {
			return pep.Rule{}, &ConfigError{What: fmt.Sprintf("strategy %q, belief %q: %v", a.Name, a.Belief, err), Mend: "name another acquisition or belief", Err: err}
		}
	}
	return r, nil
}

// solverOptions say what of an inference the solver uses.
func (e *Experiment) solverOptions() solver.Options {
	if s, ok := e.Solver.Config.(interface{ options() solver.Options }); ok {
		return s.options()
	}
	return solver.Options{MaxCriteria: -1}
}

// askerKind is the kind of strategy that lets a model ask.
const askerKind = "asker"

// modelAsker lets the model of role asker write the questions.
type modelAsker struct {
	basics `yaml:",inline"`
	Told   string `yaml:"told" json:"told"` // criteria: what may be asked about is listed; task: it is told the task alone
}

func (*modelAsker) kind() string { return askerKind }

func (a *modelAsker) check() error {
	if t := strategies.Told(a.Told); t != strategies.ToldCriteria && t != strategies.ToldTask {
		return fmt.Errorf("told %q is neither %s nor %s", a.Told, strategies.ToldCriteria, strategies.ToldTask)
	}
	return a.basics.check()
}

func (a *modelAsker) build(_ *builder, p strategies.Predict) (strategies.Strategy, string, error) {
	about := "a model writes the questions and decides when to answer"
	if a.Told == string(strategies.ToldTask) {
		about += ", told the task alone"
	} else {
		about += ", told the task and what may be asked about"
	}
	return strategies.Asker{Told: strategies.Told(a.Told), Predict: p}, about, nil
}

// asks reports whether a strategy lets a model ask.
func (e *Experiment) asks() bool {
	return slices.ContainsFunc(e.Strategies, func(s Block[StrategyKind]) bool { return s.Config.kind() == askerKind })
}

// askerPrompts are the prompts of the strategies that let a model ask.
func (e *Experiment) askerPrompts() []record.Prompt {
	if !e.asks() {
		return nil
	}
	return []record.Prompt{{Name: strategies.AskerPromptName, SHA256: strategies.AskerPromptHash()}}
}

// builder is what strategies are made of.
type builder struct {
	experiment *Experiment
	data       *domains.Dataset
	models     map[string]belief.Model       // by belief name
	prior      func() (belief.Model, error)  // fitted when first needed
	twins      map[string]*pep.Twin          // by strategy and seed, shared by the ways to predict
	policies   map[string]map[int]*rl.Policy // by strategy and seed

	// Of logs that are made while the plan is: the plan, the fold, and what was made so far.
	ctx     context.Context // of Prepare, which waits for all that is built
	plan    *Plan
	fold    int
	say     func(string)
	dry     bool                             // no log is made
	bases   map[string]strategies.Strategy   // by strategy
	logs    map[string]*policylog.Log        // by file
	replays map[string]*strategies.ReplayLog // by strategy
}

// newBuilder is the builder of a fold of a plan.
func (p *Plan) newBuilder(ctx context.Context, fold int, say func(string)) *builder {
	return &builder{
		experiment: p.Experiment, data: p.Data, models: map[string]belief.Model{}, twins: map[string]*pep.Twin{},
		ctx: ctx, plan: p, fold: fold, say: say,
		bases: map[string]strategies.Strategy{}, logs: map[string]*policylog.Log{}, replays: map[string]*strategies.ReplayLog{},
	}
}

func (b *builder) spec(name string) StrategyKind {
	for _, s := range b.experiment.Strategies {
		if s.Config.base().Name == name {
			return s.Config
		}
	}
	panic("bench: no strategy " + name) // validated before
}

// predictor turns the name of a prediction into what strategies take.
func (b *builder) predictor(name string) strategies.Predict {
	if name == predictAnswers {
		return nil
	}
	m := b.models[name]
	return func(s strategies.Setting) strategies.Predictor { return m.Start(s.Task.Criteria) }
}
