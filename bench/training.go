package bench

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"pepbench/bench/record"
	"pepbench/bench/solver"
	"pepbench/domains"
	"pepbench/strategies"
	"pepbench/strategies/belief"
	"pepbench/strategies/rl"
)

// DefaultPolicies is the folder that keeps trained policies where nothing else is said.
var DefaultPolicies = filepath.Join("results", "policies")

// policiesOff is what Execution.Policies says where nothing is to be kept on disk.
const policiesOff = "off"

// trainerVersion is part of what a policy is known by. A change of package rl or of the
// environment that trains other policies from the same configuration raises it.
const trainerVersion = 2

// Files of a policy's folder beside record.TrainingFile, which is written last and so
// says that training is over.
const (
	policyFile     = "policy.json"
	checkpointFile = "checkpoint.json" // while a policy is trained
)

// A TrainedPolicy is one training of TrainPolicies.
type TrainedPolicy struct {
	record.Training
	Dir    string // empty: in memory alone
	Cached bool   // it was there already
}

// Training says what TrainPolicies does.
type Training struct {
	Strategies []string // of kind rl; none: all of them
	Seeds      []int    // none: those of the experiment
	Fresh      bool     // train those again that are there
}

// TrainPolicies trains the policies of an experiment, or of every cell of a grid, and
// keeps them where the runs look for them. Equal ones are trained once. say is told of
// the first evaluation, the last, and some between, and may be nil.
func TrainPolicies(ctx context.Context, s *Sweep, t Training, say func(string)) ([]TrainedPolicy, error) {
	pr := preparer{seeds: t.Seeds, again: t.Fresh, asked: true}
	found := map[string]bool{}
	var undefinedBy error // why a policy was not trained
	for _, c := range s.Cells {
		e := *c.Experiment
		if e.Policies == policiesOff {
			return nil, &ConfigError{What: "policies: off keeps no policy, so that training one ahead is for nothing", Mend: "leave it out, or name a folder"}
		}
		for _, seed := range t.Seeds {
			if !slices.Contains(e.Seeds, seed) {
				return nil, &ConfigError{What: fmt.Sprintf("seed %d is none of the experiment's: %v", seed, e.Seeds), Mend: "add it to seeds, as by --set seeds=[...]"}
			}
		}
		var keep []Block[StrategyKind]
		for _, k := range e.Strategies {
			if l, ok := k.Config.(*learned); ok && (len(t.Strategies) == 0 || slices.Contains(t.Strategies, l.Name)) {
				keep, found[l.Name] = append(keep, k), true
			}
		}
		for _, k := range slices.Clone(keep) { // and what they are compared with
			if a := k.Config.(*learned).cloned(&e); a != nil && !slices.ContainsFunc(keep, func(b Block[StrategyKind]) bool { return b.Config == StrategyKind(a) }) {
				keep = append(keep, Block[StrategyKind]{Kind: a.kind(), Config: a})
			}
		}
		if len(keep) == 0 {
			continue
		}
		e.Strategies = keep
		plan, err := pr.prepare(ctx, &e, say)
		switch {
		case err == nil:
			for _, row := range plan.leftOut {
				undefinedBy = plan.left[row]
			}
		case len(s.Cells) == 1:
			return pr.trained, err
		case undefined(err): // as a run of the grid has it
			undefinedBy = err
		default:
			return pr.trained, fmt.Errorf("cell %s: %w", c.Dir, err)
		}
	}
	for _, name := range t.Strategies {
		if !found[name] {
			return nil, &ConfigError{What: fmt.Sprintf("no strategy %q of kind %s", name, policyKind), Mend: "name one of the configuration"}
		}
	}
	if len(found) == 0 {
		return nil, &ConfigError{What: "the configuration has no strategy of kind " + policyKind, Mend: "add one: {name: rl, kind: rl}"}
	}
	if len(pr.trained) == 0 && undefinedBy != nil {
		return nil, &ConfigError{What: fmt.Sprintf("no policy is defined on the data: %v", undefinedBy), Mend: "let it predict otherwise (train.predict)", Err: undefinedBy}
	}
	return pr.trained, nil
}

// policies trains the policies of a fold's rows, one for every seed, or takes those that
// are there.
func (pr *preparer) policies(ctx context.Context, p *Plan, b *builder, rows []row, f int, say func(string)) error {
	e := p.Experiment
	b.policies = map[string]map[int]*rl.Policy{}
	for _, r := range rows {
		l, ok := r.Spec.(*learned)
		if !ok || b.policies[l.Name] != nil {
			continue
		}
		b.policies[l.Name] = map[int]*rl.Policy{}
		for i, seed := range e.Seeds {
			if len(pr.seeds) > 0 && !slices.Contains(pr.seeds, seed) {
				continue
			}
			t := &trainer{pr: pr, plan: p, builder: b, spec: l, fold: f, seed: seed, say: say}
			t.clones = f == 0 && (i == 0 || len(pr.seeds) > 0 && seed == pr.seeds[0])
			policy, err := t.policy(ctx)
			if err != nil {
				return err
			}
			if policy == nil { // of a dry run
				continue
			}
			b.policies[l.Name][seed] = policy.policy
			p.trainings[l.Name] = append(p.trainings[l.Name], t.of(policy.training))
		}
	}
	return nil
}

// of is a training as the experiment has it: what another one that shares the policy
// calls it, and checked beside it, is not in it.
func (t *trainer) of(had *record.Training) record.Training {
	out := *had
	out.Name, out.Policy, out.Model, out.Method, out.Config = t.plan.Experiment.Name, t.spec.Name, t.spec.model(), t.spec.method(), t.spec.Train.config()
	if len(t.plan.Parts) > 1 {
		out.Fold = t.fold + 1
	}
	if c := out.Cloning; c != nil {
		out.Cloning = nil
		if t.clones && c.ID == t.cloningID() {
			own := *c
			own.Of = t.spec.cloned(t.plan.Experiment).Name
			out.Cloning = &own
		}
	}
	return out
}

// TrainingsDir is the folder of a run that has the trainings of its policies, one file
// each, so that reports need no other folder.
const TrainingsDir = "trainings"

// writeTrainings puts the trainings of the run's policies into its folder, and takes
// others away.
func (p *Plan) writeTrainings(dir string) error {
	dir = filepath.Join(dir, TrainingsDir)
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("results: %w", err)
	}
	for _, name := range sortedKeys(p.trainings) {
		for i := range p.trainings[name] {
			t := &p.trainings[name][i]
			file := fmt.Sprintf("%s-seed%d", name, t.Seed)
			if t.Fold > 0 {
				file += fmt.Sprintf("-fold%d", t.Fold)
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return fmt.Errorf("results: %w", err)
			}
			if err := record.WriteJSON(filepath.Join(dir, file+".json"), t); err != nil {
				return err
			}
		}
	}
	return nil
}

// policyOf is what the manifest says of a strategy's policies.
func (p *Plan) policyOf(l *learned) *record.Policy {
	params := 0
	for _, b := range p.builders {
		for _, policy := range b.policies[l.Name] {
			params = policy.NumParams() // of all the same: criteria and shape are
		}
	}
	var summaries []record.TrainingSummary
	for _, t := range p.trainings[l.Name] {
		summaries = append(summaries, t.TrainingSummary)
	}
	return l.described(summaries, params)
}

// learning is a policy with what is kept of its training.
type learning struct {
	policy   *rl.Policy
	training *record.Training
	dir      string
}

// trainer trains one policy: that of a strategy, a fold and a seed.
type trainer struct {
	pr      *preparer
	plan    *Plan
	builder *builder
	spec    *learned
	fold    int
	seed    int
	clones  bool // it is the one that the capacity check is made beside
	say     func(string)

	id  string // hash of all that decides the policy
	met string // hash of all that decides the environment
}

// name is how progress and errors call the policy.
func (t *trainer) name() string {
	s := fmt.Sprintf("policy %s, seed %d", t.spec.Name, t.seed)
	if len(t.plan.Parts) > 1 {
		s += fmt.Sprintf(", fold %d", t.fold+1)
	}
	return s
}

// identify works out the hashes. A policy is known by everything that decides its
// weights: the data and which of it are training and dev profiles, the model that
// predicts, users, budget and solver, the options of the trainer, its version, the seed
// and the platform, whose floating point may differ.
func (t *trainer) identify() error {
	e, d := t.plan.Experiment, t.plan.Data
	var model string
	if m := t.builder.models[t.spec.Train.Predict]; m != nil {
		var err error
		if model, err = modelHash(m); err != nil {
			return fmt.Errorf("%s: %w", t.name(), err)
		}
	}
	sources := []string{d.Name, d.Version, string(d.Rubric)}
	for _, s := range d.Sources {
		sources = append(sources, s.SHA256)
	}
	var judge []any
	if t.spec.Train.Reward == rewardJudge {
		judge = []any{e.Solver, e.Judge}
		if !e.Solver.Config.onlyProfile() {
			judge = append(judge, t.model(roleSolver), t.model(roleJudge))
		}
	}
	met := []any{trainerVersion, sources, e.trainSplit(), t.fold, e.compat(), e.Budget, e.Missing, model, e.solverOptions(), judge, runtime.GOOS + "/" + runtime.GOARCH}
	if users := e.Users; users.Config.verbal() {
		met = append(met, "exact")
	} else {
		met = append(met, users)
		if users.Kind == "noisy" {
			met = append(met, t.seed)
		}
	}
	t.met = hashed(met)
	t.id = hashed([]any{t.met, t.spec.Train.options(t.seed)})
	return nil
}

// model is what decides the replies of a role's model.
func (t *trainer) model(role string) any {
	e := t.plan.Experiment
	if name := e.modelName(role); name != backendName {
		return e.Models[name]
	}
	return e.Backend
}

// modelHash is the hash of a fitted model, wherever it comes from.
func modelHash(m belief.Model) (string, error) {
	var b bytes.Buffer
	if err := belief.Save(&b, m, belief.Provenance{}); err != nil {
		return "", err
	}
	return hashed(b.String()), nil
}

// hashed is the SHA-256 of a value's JSON, in hex.
func hashed(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("bench: hashed: " + err.Error()) // texts and finite numbers only
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// short is the part of a hash that names a folder.
func short(hash string) string { return hash[:16] }

// policy gives the policy, trained now if it is not there. It is nil where the plan is
// of a dry run and the policy is not there.
func (t *trainer) policy(ctx context.Context) (*learning, error) {
	if err := t.identify(); err != nil {
		return nil, err
	}
	had, err := t.had()
	if err != nil {
		return nil, err
	}
	cached := had != nil
	if had == nil && t.pr.dry {
		return nil, nil
	}
	if had == nil || t.clones && t.wantsCloning(had) {
		if had, cached, err = t.locked(ctx, had); err != nil {
			return nil, err
		}
	}
	if t.pr.had == nil {
		t.pr.had = map[string]*learning{}
	}
	if t.pr.had[t.id] == nil {
		t.pr.trained = append(t.pr.trained, TrainedPolicy{Training: t.of(had.training), Dir: had.dir, Cached: cached})
	}
	t.pr.had[t.id] = had
	return had, nil
}

// dir is the folder of the policy, empty where nothing is kept.
func (t *trainer) dir() string {
	root := t.plan.Experiment.Policies
	if root == policiesOff {
		return ""
	}
	return filepath.Join(cmp.Or(root, DefaultPolicies), short(t.id))
}

// had gives the policy that is there, nil if there is none.
func (t *trainer) had() (*learning, error) {
	if h := t.pr.had[t.id]; h != nil {
		return h, nil
	}
	if t.dir() == "" || t.pr.again {
		return nil, nil
	}
	return t.read()
}

// read reads a policy that is complete, nil if there is none, and refuses one that is
// not what it should be.
func (t *trainer) read() (*learning, error) {
	dir := t.dir()
	bad := func(file, what string) error {
		return &domains.DataError{File: filepath.Join(dir, file), What: what, Mend: "delete the folder " + dir + " to have the policy trained again"}
	}
	b, err := os.ReadFile(filepath.Join(dir, record.TrainingFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, bad(record.TrainingFile, "cannot be read: "+reason(err))
	}
	h := &learning{training: &record.Training{}, dir: dir}
	switch err := json.Unmarshal(b, h.training); {
	case err != nil:
		return nil, bad(record.TrainingFile, "is no record of a training: "+err.Error())
	case h.training.Schema != record.Schema:
		return nil, bad(record.TrainingFile, fmt.Sprintf("has schema %d, this program reads %d", h.training.Schema, record.Schema))
	case h.training.ID != t.id:
		return nil, bad(record.TrainingFile, "is of another training")
	}
	if b, err = os.ReadFile(filepath.Join(dir, policyFile)); err != nil {
		return nil, bad(policyFile, "the trained policy cannot be read: "+reason(err))
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != h.training.SHA256 {
		return nil, bad(policyFile, "is damaged: it is not the policy that was trained (its SHA-256 differs from that in "+record.TrainingFile+")")
	}
	if h.policy, err = rl.LoadPolicy(bytes.NewReader(b), t.plan.Data.Criteria); err != nil {
		return nil, bad(policyFile, wrong(err))
	}
	if h.policy.Options() != t.spec.Train.options(t.seed) {
		return nil, bad(policyFile, "is of a training with other options")
	}
	return h, nil
}

// locked trains the policy, unless another process did in the meantime, and makes the
// capacity check, with the folder locked.
func (t *trainer) locked(ctx context.Context, had *learning) (h *learning, cached bool, err error) {
	dir := t.dir()
	if dir != "" {
		release, err := t.claim(ctx, dir)
		if err != nil {
			return nil, false, err
		}
		defer release()
		if had == nil && t.pr.again {
			for _, f := range []string{record.TrainingFile, policyFile, checkpointFile} {
				if err := os.Remove(filepath.Join(dir, f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return nil, false, fmt.Errorf("policies: %w", err)
				}
			}
		} else if had == nil {
			if had, err = t.read(); err != nil {
				return nil, false, err
			}
		}
	}
	h, cached = had, had != nil
	if h == nil {
		if h, err = t.train(ctx); err != nil {
			return nil, false, err
		}
	}
	if t.clones && t.wantsCloning(h) {
		if err := t.clone(ctx, h); err != nil {
			return nil, false, err
		}
		if dir != "" && cached {
			if err := record.WriteJSON(filepath.Join(dir, record.TrainingFile), h.training); err != nil {
				return nil, false, err
			}
		}
	}
	if dir != "" && !cached {
		if err := record.WriteJSON(filepath.Join(dir, record.TrainingFile), h.training); err != nil {
			return nil, false, err
		}
		for _, f := range []string{checkpointFile, runFile} {
			if err := os.Remove(filepath.Join(dir, f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, false, fmt.Errorf("policies: %w", err)
			}
		}
	}
	return h, cached, nil
}

// betweenTries is how long to wait for a policy that another process is training.
const betweenTries = 500 * time.Millisecond

// claim locks the folder of the policy, and waits for a process that is training it.
func (t *trainer) claim(ctx context.Context, dir string) (release func(), err error) {
	for told := false; ; told = true {
		release, err := claim(dir)
		if !errors.Is(err, record.ErrLocked) {
			return release, err
		}
		if !told {
			t.say(t.name() + ": another process is training it, waiting")
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(betweenTries):
		}
	}
}

// environment makes the environment of the policy. With reward judge close frees the
// models, and says whether all replies were kept.
func (t *trainer) environment(ctx context.Context) (env *environment, done func() error, err error) {
	e, p := t.plan.Experiment, t.plan
	var s solving = solver.Profile{Options: e.solverOptions()}
	var j grading = profileGrader{}
	done = func() error { return nil }
	if t.spec.Train.Reward == rewardJudge {
		if e.budget == nil { // one for training and the run
			e.budget = e.Limits.budget()
		}
		own := *e
		own.called, own.whole = []string{}, ""
		if !e.Solver.Config.onlyProfile() {
			own.called = []string{roleSolver, roleJudge}
		}
		r, err := own.connect(ctx, own.inFlight(), e.Judge.Config.Identity(e.modelOf(roleJudge), p.Data.Rubric))
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", t.name(), err)
		}
		if dir := t.dir(); dir != "" {
			if err := r.cache.of(&own, dir, there(dir, checkpointFile)); err != nil {
				r.close()
				return nil, nil, err
			}
		}
		s, j = r.solver, r.judge
		done = func() error {
			err := r.cache.close()
			r.close()
			return err
		}
	}
	env, err = newEnvironment(ctx, e, p.Data, p.Parts[t.fold], t.seed, t.builder.predictor(t.spec.Train.Predict), s, j)
	if err != nil {
		return nil, nil, errors.Join(err, done())
	}
	return env, done, nil
}

// train trains the policy, from where an earlier training was interrupted, and compares
// it on the training episodes with a random and the best fixed order.
func (t *trainer) train(ctx context.Context) (h *learning, err error) {
	p, dir := t.plan, t.dir()
	env, done, err := t.environment(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	if env.Len(rl.Dev) == 0 {
		return nil, &ConfigError{What: t.name() + ": the split leaves no dev profile, by which the checkpoint is chosen", Mend: "change split.dev"}
	}
	o := t.spec.Train.options(t.seed)
	hooks := rl.Hooks{}
	if dir != "" {
		path := filepath.Join(dir, checkpointFile)
		if hooks.From, err = t.readCheckpoint(path); err != nil {
			return nil, err
		}
		hooks.Save = func(c *rl.Checkpoint) error {
			c.Of = t.id
			return record.WriteFile(path, c.Save)
		}
	}
	begin := 0
	if hooks.From != nil {
		begin = hooks.From.Step
		t.say(fmt.Sprintf("training %s: going on from step %d of %d", t.name(), begin, o.Steps))
	} else {
		t.say(fmt.Sprintf("training %s: %s", t.name(), t.spec.method()))
	}
	say, last := t.progress(begin, o.Steps)
	hooks.Say = say
	learned, err := rl.Learn(ctx, env, o, hooks)
	last()
	if err != nil {
		return nil, t.failed(err)
	}
	sum := sha256.New()
	if err := learned.Policy.Save(sum); err != nil {
		return nil, fmt.Errorf("%s: %w", t.name(), err)
	}
	if dir != "" {
		if err := record.WriteFile(filepath.Join(dir, policyFile), learned.Policy.Save); err != nil {
			return nil, err
		}
	}
	rec := &record.Training{
		Schema: record.Schema, Name: p.Experiment.Name, Data: strings.TrimSpace(p.Data.Name + " " + p.Data.Version),
		Policy: t.spec.Name, Model: t.spec.model(), Method: t.spec.method(), Params: learned.Policy.NumParams(),
		Code: Version(), Config: t.spec.Train.config(), Rollouts: o.Episodes * o.Group,
		TrainingSummary: record.TrainingSummary{ID: t.id, Seed: t.seed, Steps: learned.Steps, Best: learned.Best, Why: learned.Why, SHA256: hex.EncodeToString(sum.Sum(nil))},
	}
	for _, c := range learned.Curve {
		rec.Curve = append(rec.Curve, record.TrainingPoint{
			Step: c.Step, Train: rounded(c.Train), Dev: rounded(c.Dev), Entropy: rounded(c.Entropy),
			KL: rounded(c.KL), Clipped: rounded(c.Clipped), GradNorm: rounded(c.GradNorm), Undefined: c.Undefined, DevUndefined: c.DevUndefined,
		})
	}
	t.say(fmt.Sprintf("%s: comparing with random and the best fixed order on the %d training episodes", t.name(), env.Len(rl.Train)))
	if err := t.compare(ctx, env, learned.Policy, &rec.TrainingSummary); err != nil {
		return nil, fmt.Errorf("%s: %w", t.name(), err)
	}
	return &learning{policy: learned.Policy, training: rec, dir: dir}, nil
}

// failed is the error of a training that did not end well. One that diverged is the
// configuration's to mend.
func (t *trainer) failed(err error) error {
	var diverged *rl.DivergedError
	if !errors.As(err, &diverged) {
		return fmt.Errorf("%s: %w", t.name(), err)
	}
	kept := ""
	if dir := t.dir(); dir != "" {
		kept = "; the last good checkpoint is kept in " + filepath.Join(dir, checkpointFile)
	}
	return &ConfigError{
		What: fmt.Sprintf("%s: training diverged at step %d: %s%s", t.name(), diverged.Step, diverged.What, kept),
		Mend: "lower train.rate or set train.max_norm; the same training would go the same way again", Err: diverged,
	}
}

// wrong is what a reader found wrong, without its own advice.
func wrong(err error) string {
	var bad *domains.DataError
	switch {
	case !errors.As(err, &bad):
		return err.Error()
	case bad.Err != nil:
		return fmt.Sprintf("%s (%v)", bad.What, bad.Err)
	}
	return bad.What
}

// readCheckpoint reads where a training was interrupted, nil where none was.
func (t *trainer) readCheckpoint(path string) (*rl.Checkpoint, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const mend = "delete it to train from the start"
	c, err := rl.LoadCheckpoint(f, t.plan.Data.Criteria)
	switch {
	case err != nil:
		return nil, &domains.DataError{File: path, What: wrong(err), Mend: mend}
	case c.Of != t.id:
		return nil, &domains.DataError{File: path, What: "is of another training", Mend: mend}
	}
	return c, nil
}

// How long a training stays without a word, at least: one that somebody waits for by the
// way, and one that was asked for.
const (
	betweenPoints = 15 * time.Second
	betweenAsked  = 5 * time.Second
)

// progress tells of evaluations now and then: a training has some dozens. Of one that was
// asked for, the first and the last are told, too; the last is known by a call of last.
func (t *trainer) progress(begin, steps int) (say func(rl.Point), last func()) {
	between := betweenPoints
	if t.pr.asked {
		between = betweenAsked
	}
	started := t.pr.clock()
	told := started
	first := t.pr.asked
	var held *rl.Point // of what was asked for, not told so far
	tell := func(c rl.Point, now time.Time) {
		told, first, held = now, false, nil
		left := ""
		if c.Step > begin && c.Step < steps {
			left = fmt.Sprintf(", at most %.0f s left", now.Sub(started).Seconds()/float64(c.Step-begin)*float64(steps-c.Step))
		}
		number := func(format string, v float64) string {
			if math.IsNaN(v) {
				return "–"
			}
			return fmt.Sprintf(format, v)
		}
		t.say(fmt.Sprintf("%s: step %d of %d, train reward %s, dev %s, entropy %s, KL %s%s", t.name(), c.Step, steps,
			number("%.2f", c.Train), number("%.2f", c.Dev), number("%.3f", c.Entropy), number("%.4f", c.KL), left))
	}
	say = func(c rl.Point) {
		switch now := t.pr.clock(); {
		case first || now.Sub(told) >= between:
			tell(c, now)
		case t.pr.asked:
			held = &c
		}
	}
	return say, func() {
		if held != nil {
			tell(*held, t.pr.clock())
		}
	}
}

// compare fills the rewards of the policy, of random and of the best fixed order. The
// order is searched for by the profile judge, whoever gives the rewards: a search by
// models would ask them more than training does.
func (t *trainer) compare(ctx context.Context, env *environment, policy *rl.Policy, s *record.TrainingSummary) error {
	order, ok := t.pr.orders[t.met]
	if !ok {
		search := *env
		search.solver, search.judge, search.profile = solver.Profile{Options: t.plan.Experiment.solverOptions()}, profileGrader{}, true
		var err error
		if order, err = rl.GreedyOrder(ctx, &search); err != nil {
			return err
		}
		if t.pr.orders == nil {
			t.pr.orders = map[string][]int{}
		}
		t.pr.orders[t.met] = order
	}
	s.Order = make([]string, len(order))
	for i, c := range order {
		s.Order[i] = env.Criteria()[c].ID
	}
	self := rl.Strategy{Policies: map[int]*rl.Policy{t.seed: policy}, Sample: t.spec.Train.Sample}
	var own, random, static []float64
	for _, play := range []struct {
		part rl.Part
		s    strategies.Strategy
		out  *[]float64
	}{
		{rl.Train, self, &own},
		{rl.Train, strategies.Random{}, &random},
		{rl.Train, strategies.Static{Order: strategies.Listed(order)}, &static},
	} {
		var err error
		if *play.out, err = rl.Rewards(ctx, env, play.part, play.s); err != nil {
			return err
		}
	}
	dev, err := rl.Rewards(ctx, env, rl.Dev, self)
	if err != nil {
		return err
	}
	mean := func(p rl.Part, v []float64) record.Float {
		m, _, _ := clusterMeans(env, p, v)
		return rounded(m)
	}
	s.Reward, s.Random, s.Static, s.Dev = mean(rl.Train, own), mean(rl.Train, random), mean(rl.Train, static), mean(rl.Dev, dev)
	s.OverRandom, s.OverStatic = contrast(env, own, random), contrast(env, own, static)
	s.Undertrained = !(s.OverStatic.Value >= 0) // on the episodes that both have a reward of; where there are none, nothing was reached
	return nil
}

// rounded is a number as it will be read from disk.
func rounded(v float64) record.Float { return record.Float(record.Round(v)) }

// clusterMeans averages rewards within clusters and then over them, with the standard
// error of that mean; NaN rewards have no part. The mean of nothing is NaN, and so is
// the error of fewer than two clusters.
func clusterMeans(env rl.Environment, p rl.Part, v []float64) (mean, se float64, clusters int) {
	sum, n := map[int]float64{}, map[int]float64{}
	for i, r := range v {
		if !math.IsNaN(r) {
			c := env.Cluster(p, i)
			sum[c] += r
			n[c]++
		}
	}
	keys := make([]int, 0, len(n))
	for c := range n {
		keys = append(keys, c)
	}
	slices.Sort(keys)
	for _, c := range keys {
		mean += sum[c] / n[c]
	}
	clusters = len(keys)
	mean /= float64(clusters)
	for _, c := range keys {
		d := sum[c]/n[c] - mean
		se += d * d
	}
	return mean, math.Sqrt(se / float64(clusters-1) / float64(clusters)), clusters
}

// contrast is the mean of cluster means of a-b on the training episodes that both have a
// reward of, with its 95% t interval over clusters, undefined for fewer than two.
func contrast(env rl.Environment, a, b []float64) record.Contrast {
	diff := make([]float64, len(a))
	for i := range a {
		diff[i] = a[i] - b[i]
	}
	mean, se, n := clusterMeans(env, rl.Train, diff)
	out := record.Contrast{Value: rounded(mean), Lo: record.Float(math.NaN()), Hi: record.Float(math.NaN()), Clusters: n}
	if n > 1 {
		h := se * distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.Quantile(0.975)
		out.Lo, out.Hi = rounded(mean-h), rounded(mean+h)
	}
	return out
}
