package record

import "pepbench/domains"

// TrainingFile is what training a policy leaves in the folder of the policy.
const TrainingFile = "training.json"

// A Policy says where the questions of a strategy of kind rl or replay come from.
type Policy struct {
	ID     string `json:"id"`
	Model  string `json:"model"`  // in words: what the network or model is
	Method string `json:"method"` // in words: how it was trained, and by which reward; empty: the log does not say
	Params int64  `json:"params"` // of one policy; 0: the log does not say

	// Of a replay: what of whom is replayed and how. MostOffLog is the share of decisions
	// off the log above which the result is not called the policy's.
	Mode       string          `json:"mode,omitempty"` // trajectory or policy; empty: the policy itself asks
	Of         string          `json:"of,omitempty"`   // base of the strategy whose log it is; empty: of a file
	Users      string          `json:"users,omitempty"`
	Log        *domains.Source `json:"log,omitempty"` // the file
	Decisions  int             `json:"decisions,omitempty"`
	MostOffLog float64         `json:"most_off_log,omitempty"`

	// Of an rl strategy: one training for every seed.
	Trainings []TrainingSummary `json:"trainings,omitempty"`
}

// Modes of a replay.
const (
	ModeTrajectory = "trajectory"
	ModePolicy     = "policy"
)

// How a decision of a replay is off the log; empty: the log has this very history.
const (
	OffLogTask    = "task"    // the log has the history on another task only
	OffLogHistory = "history" // the log does not have the history
)

// A TrainingSummary is what a manifest keeps of a training.
type TrainingSummary struct {
	ID     string `json:"id"`             // hash of configuration, data and version of the trainer
	Fold   int    `json:"fold,omitempty"` // of a cross-fitted run, from 1
	Seed   int    `json:"seed"`           // of the experiment, which seeds the training
	Steps  int    `json:"steps"`
	Best   int    `json:"best"`
	Why    string `json:"why"`    // training stopped
	SHA256 string `json:"sha256"` // of the policy's weights

	// Mean rewards on the training episodes, alignment 0..100, mean of cluster means.
	Reward Float    `json:"reward"` // as the policy is used
	Dev    Float    `json:"dev"`    // on the dev episodes
	Random Float    `json:"random"` // of strategy random
	Static Float    `json:"static"` // of the best fixed order that greedy search finds on the training reward
	Order  []string `json:"order"`  // that order

	OverRandom Contrast `json:"over_random"`
	OverStatic Contrast `json:"over_static"`
	// Undertrained says that the policy does not reach the fixed order.
	Undertrained bool `json:"undertrained"`

	Cloning *Cloning `json:"cloning,omitempty"` // nil: not tried
}

// A Contrast is a mean difference with its 95% t interval over clusters.
type Contrast struct {
	Value    Float `json:"value"`
	Lo       Float `json:"lo"`
	Hi       Float `json:"hi"`
	Clusters int   `json:"clusters"`
}

// Cloning is the capacity check: the share of an adaptive strategy's choices on held-out
// histories that a network of the same shape reproduces after it was fitted to choices on
// others. Learned from are histories of training users, held out those of dev users.
type Cloning struct {
	ID       string `json:"id"` // hash of all that decides it
	Of       string `json:"of"`
	Examples int    `json:"examples"`
	HeldOut  int    `json:"held_out"`
	Share    Float  `json:"share"`
	// Users begin alike: of the histories held out (each counted once: criteria that may
	// be asked, questions, answers) Unseen are in no example that was learned from.
	Unseen      int   `json:"unseen"`
	UnseenShare Float `json:"unseen_share"`
}

// A Training is training.json.
type Training struct {
	Schema int            `json:"schema"`
	Name   string         `json:"name"`   // of the experiment
	Data   string         `json:"data"`   // name and version
	Policy string         `json:"policy"` // base of the strategy
	Model  string         `json:"model"`  // in words
	Method string         `json:"method"` // in words
	Params int            `json:"params"`
	Code   string         `json:"code"`
	Config map[string]any `json:"config"` // of the training
	TrainingSummary
	Rollouts int             `json:"rollouts"` // behind a step
	Curve    []TrainingPoint `json:"curve"`
}

// A TrainingPoint is a point of the learning curve.
type TrainingPoint struct {
	Step      int   `json:"step"`
	Train     Float `json:"train"` // mean reward of rollouts since the last point, questions drawn
	Dev       Float `json:"dev"`
	Entropy   Float `json:"entropy"` // nats a decision
	KL        Float `json:"kl"`      // to the start, nats a decision
	Clipped   Float `json:"clipped"`
	GradNorm  Float `json:"grad_norm"`
	Undefined int   `json:"undefined"` // rollouts since the last point that had no reward
	// DevUndefined counts dev episodes without a reward; they are in no mean.
	DevUndefined int `json:"dev_undefined"`
}
