package bench

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"pepbench/bench/record"
	"pepbench/strategies"
	"pepbench/strategies/rl"
)

func init() {
	strategyKinds.add(policyKind, func() StrategyKind { return &learned{basics: answersOnly(), Train: defaultTraining(rl.GRPO)} })
}

// policyKind is the kind of strategy that is a trained policy.
const policyKind = "rl"

// learned is a policy that is trained on the training profiles, once for every seed.
type learned struct {
	basics `yaml:",inline"`
	Train  training `yaml:"train" json:"train"`
}

// training says how a policy is trained; see rl.Options. What is left out is as the
// algorithm has it by default.
type training struct {
	Algorithm string `yaml:"algorithm" json:"algorithm"`
	Predict   string `yaml:"predict" json:"predict"` // how answers become the inference that is rewarded: answers, or a belief of the file
	Reward    string `yaml:"reward" json:"reward"`   // profile: by profile solver and profile judge; judge: by the run's own

	Steps    int     `yaml:"steps" json:"steps"`
	Episodes int     `yaml:"episodes" json:"episodes"`
	Group    int     `yaml:"group" json:"group"`
	Epochs   int     `yaml:"epochs" json:"epochs"`
	Rate     float64 `yaml:"rate" json:"rate"`
	Clip     float64 `yaml:"clip" json:"clip"`
	KL       float64 `yaml:"kl" json:"kl"`
	Entropy  float64 `yaml:"entropy" json:"entropy"`
	MaxNorm  float64 `yaml:"max_norm" json:"max_norm"`
	Hidden   int     `yaml:"hidden" json:"hidden"`
	Words    int     `yaml:"words" json:"words"`
	Critic   int     `yaml:"critic" json:"critic"`
	Dense    bool    `yaml:"dense" json:"dense"`
	Sample   bool    `yaml:"sample" json:"sample"`
	Evaluate int     `yaml:"evaluate" json:"evaluate"`
	Patience int     `yaml:"patience" json:"patience"`

	// Clone names the strategy of kind pep whose choices a network of the same shape is
	// fitted to, to see whether it could ask so; cloneNone: none. Empty: the first one.
	// It decides nothing about the policy.
	Clone string `yaml:"clone" json:"clone,omitempty"`
}

const (
	rewardProfile = "profile"
	rewardJudge   = "judge"
	cloneNone     = "none"
)

// defaultTraining is how an algorithm trains where nothing is said.
func defaultTraining(a rl.Algorithm) training {
	o := rl.Defaults(a)
	return training{
		Algorithm: string(a), Predict: predictAnswers, Reward: rewardProfile,
		Steps: o.Steps, Episodes: o.Episodes, Group: o.Group, Epochs: o.Epochs, Rate: o.Rate, Clip: o.Clip,
		KL: o.KL, Entropy: o.Entropy, MaxNorm: o.MaxNorm, Hidden: o.Hidden, Words: o.Words, Critic: o.Critic,
		Dense: o.Dense, Sample: o.Sample, Evaluate: o.Evaluate, Patience: o.Patience,
	}
}

// options are those of the trainer under a seed of the experiment.
func (t *training) options(seed int) rl.Options {
	return rl.Options{
		Algorithm: rl.Algorithm(t.Algorithm), Steps: t.Steps, Episodes: t.Episodes, Group: t.Group, Epochs: t.Epochs,
		Rate: t.Rate, Clip: t.Clip, KL: t.KL, Entropy: t.Entropy, MaxNorm: t.MaxNorm,
		Hidden: t.Hidden, Words: t.Words, Critic: t.Critic, Dense: t.Dense, Sample: t.Sample,
		Evaluate: t.Evaluate, Patience: t.Patience, Seed: uint64(seed),
	}
}

// config is what the record of a training says of its options: all but what decides
// nothing about the policy.
func (t *training) config() map[string]any {
	own, out := *t, map[string]any{}
	own.Clone = "" // left out
	b, err := json.Marshal(own)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		panic("bench: options of a training as JSON: " + err.Error()) // texts and finite numbers only
	}
	return out
}

// decodeNode reads the algorithm first, since the defaults of the other keys are its.
func (t *training) decodeNode(d *decoder, n *yaml.Node, path string) {
	if i := find(n, "algorithm"); n.Kind == yaml.MappingNode && i >= 0 {
		a := rl.Algorithm(n.Content[i].Value)
		if !slices.Contains(rl.Algorithms, a) {
			d.fault(n.Content[i], fmt.Sprintf("there are %s", joined(rl.Algorithms)), "%s.algorithm: there is no algorithm %q", path, redact(string(a)))
			return
		}
		*t = defaultTraining(a)
	}
	type keys training // which decodes itself no more
	d.decodeStruct(n, reflect.ValueOf((*keys)(t)).Elem(), path)
}

func joined[S ~string](list []S) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return strings.Join(out, ", ")
}

func (t *training) check() error {
	o := t.options(0)
	if err := o.Check(); err != nil {
		return fmt.Errorf("train.%w", err)
	}
	if t.Reward != rewardProfile && t.Reward != rewardJudge {
		return fmt.Errorf("train.reward: %q is neither %s nor %s", t.Reward, rewardProfile, rewardJudge)
	}
	return nil
}

func (*learned) kind() string { return policyKind }

func (l *learned) needs() (string, string) {
	if l.Train.Predict == predictAnswers {
		return "", ""
	}
	return l.Train.Predict, ""
}

func (l *learned) check() error {
	if err := l.Train.check(); err != nil {
		return err
	}
	return l.basics.check()
}

// build implements StrategyKind. The policies were trained before; only where nothing
// is run are there none.
func (l *learned) build(b *builder, p strategies.Predict) (strategies.Strategy, string, error) {
	return rl.Strategy{Policies: b.policies[l.Name], Sample: l.Train.Sample, Predict: p}, l.about(), nil
}

func (l *learned) about() string {
	how := "its likeliest question"
	if l.Train.Sample {
		how = "a question drawn from it"
	}
	reads := "what was asked and answered"
	if l.Train.Words > 0 {
		reads += fmt.Sprintf(" and %d hashed words of the task", l.Train.Words)
	}
	return fmt.Sprintf("a small policy network trained here, not the paper's 8B model, reads %s and asks %s; trained by %s, predicting from %s, checkpoint by dev reward", reads, how, l.method(), l.from())
}

// method says in words how the policy was trained, in short: figures repeat it.
func (l *learned) method() string {
	t := &l.Train
	reward, judge := "terminal reward", "profile judge"
	if t.Dense {
		reward = "dense reward"
	}
	if t.Reward == rewardJudge {
		judge = "the run's judge"
	}
	return fmt.Sprintf("%s, at most %d steps of %d rollouts, %s (alignment, %s)", strings.ToUpper(t.Algorithm), t.Steps, t.Episodes*t.Group, reward, judge)
}

// from says what the reward predicts from.
func (l *learned) from() string {
	if l.Train.Predict == predictAnswers {
		return "answers alone"
	}
	return "belief " + l.Train.Predict
}

// model says in words what the network is; figures go on with "of 18084 parameters".
func (l *learned) model() string {
	return fmt.Sprintf("two-layer network (%d hidden units)", l.Train.Hidden)
}

// described is what the manifest says of the policies of all seeds and folds.
func (l *learned) described(trainings []record.TrainingSummary, params int) *record.Policy {
	ids := make([]string, len(trainings))
	for i := range trainings {
		ids[i] = trainings[i].ID
	}
	out := &record.Policy{Model: l.model(), Method: l.method(), Params: int64(params), Trainings: trainings}
	switch len(ids) {
	case 0: // of a dry run
	case 1:
		out.ID = short(ids[0])
	default:
		out.ID = short(hashed(ids))
	}
	return out
}

// fits checks what concerns the rest of the configuration.
func (l *learned) fits(e *Experiment) (what, mend string) {
	var pep []string
	for _, s := range e.Strategies {
		if s.Config.kind() == "pep" {
			pep = append(pep, s.Config.base().Name)
		}
	}
	switch c := l.Train.Clone; {
	case e.Budget < 1:
		return "a policy cannot learn without questions", "give a budget of 1 or more"
	case e.Split.Dev == 0:
		return "the checkpoint of a policy is chosen on dev, and split.dev is 0", "give it a share"
	case c != "" && c != cloneNone && !slices.Contains(pep, c):
		return fmt.Sprintf("train.clone: no strategy %q of kind pep", c), "known: " + strings.Join(append(pep, cloneNone), ", ")
	}
	return "", ""
}

// cloned is the strategy whose choices the capacity check clones, nil: none.
func (l *learned) cloned(e *Experiment) *adaptive {
	for _, s := range e.Strategies {
		if a, ok := s.Config.(*adaptive); ok && l.Train.Clone != cloneNone && (l.Train.Clone == "" || l.Train.Clone == a.Name) {
			return a
		}
	}
	return nil
}

// asksBy names the belief that a strategy asks by. A policy may be rewarded by one, and
// asks by none.
func asksBy(s StrategyKind) string {
	belief, _ := s.needs()
	if s.kind() == policyKind {
		return ""
	}
	return belief
}
