package reports

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"pepbench/bench/record"
	"pepbench/domains"
)

// metricsSchema is the version of metrics.json.
const metricsSchema = 1

// A Number is a float64 that is null on disk when it is not finite, and has six
// decimals there.
type Number float64

// undefined is the Number of what has no value.
func undefined() Number { return Number(math.NaN()) }

// Defined reports whether there is a number.
func (n Number) Defined() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

// MarshalJSON writes a number with at most six decimals, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Defined() {
		return []byte("null"), nil
	}
	v := math.Round(float64(n)*1e6) / 1e6
	if v == 0 {
		v = 0 // not "-0"
	}
	return strconv.AppendFloat(nil, v, 'f', -1, 64), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = undefined()
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// Metrics is metrics.json; the package comment documents the file.
type Metrics struct {
	Schema     int    `json:"schema"`
	Name       string `json:"name"`
	ConfigHash string `json:"config_hash"`
	Data       data   `json:"data"`

	Folds   int      `json:"folds,omitempty"`
	Compat  string   `json:"compat,omitempty"`
	LeftOut []string `json:"left_out,omitempty"`
	OnDev   []string `json:"chosen_on_dev,omitempty"`

	Simulated      bool     `json:"simulated"`
	SimulatedRoles []string `json:"simulated_roles"`
	UserModel      string   `json:"user_model"`
	Solver         string   `json:"solver"`
	Judge          string   `json:"judge"`

	Cluster     string   `json:"cluster"`
	Intervals   string   `json:"intervals"` // one of the Over constants
	ClusterIDs  []string `json:"cluster_ids"`
	Tasks       int      `json:"tasks"`
	Users       int      `json:"users"`
	Seeds       []int    `json:"seeds"`
	Sessions    sessions `json:"sessions"`
	Budget      int      `json:"budget"`
	Horizon     int      `json:"horizon"`
	Final       int      `json:"final"`
	Checkpoints []int    `json:"checkpoints"`

	Resamples  int     `json:"resamples"`
	Confidence float64 `json:"confidence"`
	Seed       int     `json:"seed"`

	Floor     string `json:"floor"`
	Ceiling   string `json:"ceiling"`
	Reference string `json:"reference"`
	Target    target `json:"target"`

	FirstOf     string       `json:"first_questions_of,omitempty"`   // task; empty: all tasks together
	FirstSeed   *int         `json:"first_questions_seed,omitempty"` // nil: all seeds together
	Strategies  []Row        `json:"strategies"`
	ComparedAt  []int        `json:"compared_at"`
	Comparisons []Comparison `json:"comparisons"`
	Fidelity    *fidelity    `json:"fidelity,omitempty"` // nil: users do not answer in words
	Planned     record.Calls `json:"planned_calls"`

	Calls   []roleCalls    `json:"calls,omitempty"`
	Repeats *repeated      `json:"judge_repeats,omitempty"`
	Probes  *record.Probes `json:"judge_probes,omitempty"`
	Judges  *judged        `json:"judges,omitempty"`
	Trace   *trace         `json:"trace,omitempty"` // nil: no row asks and predicts from a population

	Warnings []string `json:"warnings"`
}

// What intervals of means over sessions are resampled over.
const (
	OverClusters = "clusters" // tasks, or users of a survey
	OverBoth     = "two-way"  // tasks and users, each by themselves (reports/stats)
)

type data struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Rubric  string `json:"rubric"`
}

type sessions struct {
	Planned int     `json:"planned"`
	Read    int     `json:"read"`
	Failed  int     `json:"failed"`
	Unknown []count `json:"unknown"`
	LeftOut int     `json:"left_out,omitempty"` // lines that are none of these
}

// count is a reason with how often it occurred.
type count = domains.Count

type target struct {
	Strategy  string   `json:"strategy"`
	Alignment Estimate `json:"alignment"`
}

// An Estimate is a mean of cluster means with its bootstrap interval. Value is
// null when nothing is defined, Lo and Hi also under two clusters.
type Estimate struct {
	Value     Number `json:"value"`
	Lo        Number `json:"lo"`
	Hi        Number `json:"hi"`
	N         int    `json:"n"`         // sessions, or pairs of them
	Undefined int    `json:"undefined"` // sessions left out because they have no value
	Clusters  int    `json:"clusters"`  // clusters with a value
}

// A Row is one strategy.
type Row struct {
	record.Strategy
	Sessions      int          `json:"sessions"`
	Failed        []count      `json:"failed"`
	Alignment     []alignment  `json:"alignment"`
	Difference    *difference  `json:"difference"`
	Interactions  Estimate     `json:"interactions"`
	ToTarget      toTarget     `json:"interactions_to_target"`
	Ratio         *timesFewer  `json:"interactions_ratio"` // nil: of the target itself, or without one
	Adaptivity    Adaptivity   `json:"adaptivity"`
	Prediction    []prediction `json:"prediction"`
	Released      []released   `json:"released,omitempty"`
	Correctness   []checkpoint `json:"correctness"`
	Gain          *gain        `json:"adaptive_gain,omitempty"`
	ClusterMeans  []Number     `json:"cluster_means"` // alignment at the final checkpoint, as Metrics.ClusterIDs
	Calibration   []calibrated `json:"calibration,omitempty"`
	Cost          *cost        `json:"cost,omitempty"`    // nil: no model was called
	Asking        *askedBy     `json:"asking,omitempty"`  // nil: no model asks
	OffLog        *offLog      `json:"off_log,omitempty"` // nil: no replay
	First         []branch     `json:"first_questions"`   // tree of the first three
	finalPoint    int
	finalFailures int
}

// checkpoint is an estimate after so many questions.
type checkpoint struct {
	Questions int `json:"questions"`
	Estimate
}

type alignment struct {
	checkpoint
	Reasons    []count  `json:"reasons"`
	Normalised Estimate `json:"normalised"`
}

// A difference is that of two rows, paired by session.
type difference struct {
	Estimate
	Resolved bool  `json:"resolved"`
	Test     *test `json:"test,omitempty"` // nil: nothing is known of the difference
}

// A test says how surely a difference is one, and how small a one could be found.
type test struct {
	Method string `json:"method"` // one of the By constants
	P      Number `json:"p"`      // two-sided, of no difference
	Holm   Number `json:"p_holm"` // corrected for the family; null outside of it
	Family int    `json:"family"` // comparisons in the family; 0: exploratory
	MDE    Number `json:"mde"`    // true difference that would be found in 80% of runs like this one
	Needed int    `json:"needed"` // clusters that would find a true difference as large as this one as often; 0: not known
}

// How a difference is tested.
const (
	BySignFlip = "sign-flip" // permutation of the signs of cluster means
	ByT        = "t"         // of cluster means, where there are 6 to 9
	ByNothing  = "none"      // too few clusters, or no spread
)

// calibrated holds P(held) against what is held after so many questions.
type calibrated struct {
	Scope     string           `json:"scope"` // whole, or unasked
	Questions int              `json:"questions"`
	Cells     int              `json:"cells"`
	ECE       Estimate         `json:"ece"` // expected calibration error: mean over cells of |predicted - observed| of their bin
	Bins      []calibrationBin `json:"bins"`
}

// calibrationBin holds the cells whose P(held) is in [From, To), the last one To too.
type calibrationBin struct {
	From      Number `json:"from"`
	To        Number `json:"to"`
	Cells     int    `json:"cells"`
	Predicted Number `json:"predicted"` // mean P(held)
	Observed  Number `json:"observed"`  // share that is held
	Lo        Number `json:"lo"`        // of that share
	Hi        Number `json:"hi"`
}

// cost counts the logical calls to models in the sessions of a row; see spent.cost.
type cost struct {
	Sessions  int        `json:"sessions"` // those that failed included, whose calls were made, too
	Failed    int        `json:"failed"`   // of them
	Calls     int        `json:"calls"`
	TokensIn  int        `json:"tokens_in"`
	TokensOut int        `json:"tokens_out"`
	Uncounted int        `json:"uncounted"` // calls whose tokens no server said, which the sums lack
	Dollars   Number     `json:"dollars"`   // null where a price or a count of tokens is lacking
	Roles     []roleCost `json:"roles"`
}

type roleCost struct {
	Role      string `json:"role"`
	Calls     int    `json:"calls"`
	TokensIn  int    `json:"tokens_in"`
	TokensOut int    `json:"tokens_out"`
	Uncounted int    `json:"uncounted"`
	Dollars   Number `json:"dollars"`
}

// gain is the adaptive gain of a strategy: its alignment minus that of its static
// twin, paired by session, at every checkpoint.
type gain struct {
	Twin        string   `json:"twin"`
	ByQuestions []gainAt `json:"by_questions"`
}

type gainAt struct {
	Questions int `json:"questions"`
	difference
}

// A Comparison is the paired difference of two strategies in one measure after so
// many questions: the strategy minus the one it is held against, over the sessions
// that both have.
type Comparison struct {
	Strategy  string `json:"strategy"`
	Against   string `json:"against"`
	Why       string `json:"why"` // twin, reference or against
	Questions int    `json:"questions"`
	Measure   string `json:"measure"`
	difference
}

type toTarget struct {
	Value  Number `json:"value"`
	Lo     Number `json:"lo"`
	Hi     Number `json:"hi"`
	HiOpen bool   `json:"hi_open"`
	Never  Number `json:"never"`
	AtZero Number `json:"at_zero"`
}

// A PairShare is a share of pairs of sessions.
type PairShare struct {
	Value     Number `json:"value"`
	Lo        Number `json:"lo"`
	Hi        Number `json:"hi"`
	Pairs     int64  `json:"pairs"`
	Differing int64  `json:"differing"`
	Tasks     int    `json:"tasks"` // with at least one pair

	samples []float64 // resamples of the value; nil under two tasks
}

// Adaptivity is the follow-up adaptivity of a strategy.
type Adaptivity struct {
	PairShare
	EarlyStops   int64       `json:"early_stops"`
	Held         PairShare   `json:"held"`
	Values       PairShare   `json:"value_differs"`
	ByT          []PairShare `json:"by_t"`
	Released     PairShare   `json:"released"`
	ReleasedHeld PairShare   `json:"released_held"`

	Corrected      Corrected      `json:"corrected"`
	Counterfactual Counterfactual `json:"counterfactual"`
	Collapse       Collapse       `json:"collapse"`
	Entropy        []turnEntropy  `json:"entropy"` // of question 1, 2, .. up to the budget
}

// Corrected is the follow-up adaptivity less what goes on differently after equal
// answers, too.
type Corrected struct {
	CorrectedShare
	ByT []CorrectedShare `json:"by_t"`
}

// A CorrectedShare is a difference of two shares of pairs, the mean over tasks that have
// pairs of both.
type CorrectedShare struct {
	Value         Number `json:"value"` // -1..1
	Lo            Number `json:"lo"`
	Hi            Number `json:"hi"`
	SamePairs     int64  `json:"same_pairs"` // with equal answers
	SameDiffering int64  `json:"same_differing"`
	Unmatched     int64  `json:"unmatched"` // pairs with different answers at a t without pairs of equal ones, which have no part
	Tasks         int    `json:"tasks"`
	Lacking       int    `json:"lacking"` // tasks whose pairs with different answers are all unmatched

	samples []float64 // resamples of the value; nil under two tasks
}

// Counterfactual is the share of turns after which another answer would have led to
// another question.
type Counterfactual struct {
	TurnShare
	Held   TurnShare   `json:"held"`
	Values TurnShare   `json:"value_differs"`
	ByT    []TurnShare `json:"by_t"`
}

// A TurnShare is a share of turns.
type TurnShare struct {
	Value     Number `json:"value"`
	Lo        Number `json:"lo"`
	Hi        Number `json:"hi"`
	Turns     int64  `json:"turns"`
	Differing int64  `json:"differing"`
	Tasks     int    `json:"tasks"` // with at least one turn

	samples []float64 // resamples of the value; nil under two tasks
}

// Collapse is how far a strategy asks everybody the same.
type Collapse struct {
	Value     Number         `json:"value"` // share of sessions that follow the sequence of their seed
	Lo        Number         `json:"lo"`
	Hi        Number         `json:"hi"`
	Sessions  int            `json:"sessions"`
	Following int            `json:"following"`
	Sequences []seedSequence `json:"sequences"` // one a seed
	ByTask    collapsedTask  `json:"by_task"`
}

// seedSequence is the most common sequence of the sessions of a seed.
type seedSequence struct {
	Seed      int      `json:"seed"`
	Sequence  []string `json:"sequence"` // ids of criteria; empty for a question about none
	Sessions  int      `json:"sessions"`
	Following int      `json:"following"`
}

// collapsedTask is the mean over tasks of the share of sessions that follow the most
// common sequence of their task and seed.
type collapsedTask struct {
	Value Number `json:"value"`
	Lo    Number `json:"lo"`
	Hi    Number `json:"hi"`
	Tasks int    `json:"tasks"`
}

// turnEntropy is the entropy of a question over the sessions of a seed, in bits, mean over
// seeds; those that had stopped are one outcome.
type turnEntropy struct {
	Turn     int    `json:"turn"` // from 1
	Bits     Number `json:"bits"`
	Sessions int    `json:"sessions"`
	Stopped  int    `json:"stopped"`
}

// offLog counts the decisions of a replay, up to the budget, that its log does not have.
type offLog struct {
	Decisions int    `json:"decisions"` // questions, and stops of its own
	History   int    `json:"by_history"`
	Task      int    `json:"on_another_task"` // the log has the history on another task only
	Rate      Number `json:"rate"`            // by history
	TaskRate  Number `json:"task_rate"`
	Exceeds   bool   `json:"exceeds"` // Rate exceeds most_off_log of a replay in mode policy
}

// A branch is a question of the tree of first questions: what is asked of which share of
// the sessions, and after which answers to the question before.
type branch struct {
	Question string   `json:"question"`             // id of the criterion; empty for none
	Others   int      `json:"others,omitempty"`     // so many questions taken together
	Stop     bool     `json:"stop,omitempty"`       // asks no more
	After    []string `json:"after,omitempty"`      // answers three quarters of which lead here
	Any      bool     `json:"any_answer,omitempty"` // these are all that were given
	Sessions int      `json:"sessions"`
	Share    Number   `json:"share"` // of all sessions
	Next     []branch `json:"next,omitempty"`
}

type prediction struct {
	Questions     int       `json:"questions"`
	At            []atK     `json:"at"`
	ValueMAE      Estimate  `json:"value_mae"`
	ValueRMSE     Estimate  `json:"value_rmse"`
	HeldMAE       Estimate  `json:"held_mae"`
	Brier         Estimate  `json:"brier"`
	LogScore      Estimate  `json:"log_score"`
	UnaskedMAE    Estimate  `json:"unasked_mae"`
	UnaskedBrier  Estimate  `json:"unasked_brier"`
	UnaskedLog    Estimate  `json:"unasked_log_score"`
	LevelError    *Estimate `json:"level_error,omitempty"` // nil: no criterion is nominal
	Cells         int       `json:"cells"`
	UnknownHeld   int       `json:"unknown_held"`
	HeldCells     int       `json:"held_cells"`
	UnknownValues int       `json:"unknown_values"`
}

// released holds the measures of the released code after so many questions.
type released struct {
	Questions int          `json:"questions"`
	At        []releasedAt `json:"at"`
}

type releasedAt struct {
	K             int    `json:"k"`
	Precision     Number `json:"precision"`
	Recall        Number `json:"recall"`
	F1            Number `json:"f1"`
	MAE           Number `json:"value_mae"`
	RMSE          Number `json:"value_rmse"`
	TruePositives Number `json:"true_positives"`
}

type atK struct {
	K         int      `json:"k"`
	Precision Estimate `json:"precision"`
	Recall    Estimate `json:"recall"`
	F1        Estimate `json:"f1"`
}

// JSON gives the bytes of metrics.json.
func (m *Metrics) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// final gives the alignment at the final checkpoint.
func (r *Row) final() *alignment { return &r.Alignment[r.finalPoint] }

// predicted gives the profile prediction at the final checkpoint.
func (r *Row) predicted() *prediction { return &r.Prediction[r.finalPoint] }

// f1 gives F1 at k.
func (p *prediction) at(k int) *atK { return &p.At[k-minK] }

// after gives alignment and prediction after so many questions, which must be a
// checkpoint; a floor or ceiling has one, whatever the number.
func (r *Row) after(questions int) (*alignment, *prediction) {
	i := 0
	if !r.fixed() {
		i = slices.IndexFunc(r.Alignment, func(a alignment) bool { return a.Questions == questions })
	}
	return &r.Alignment[i], &r.Prediction[i]
}

// told reports whether the row predicts nothing but what it was told.
func (r *Row) told() bool { return r.Predict == "answers" && r.Kind != kindCeiling }

// allHeld reports whether every cell with a known truth is held, so that there is
// nothing to predict about P(held).
func (m *Metrics) allHeld() bool {
	some := false
	for i := range m.Strategies {
		for _, p := range m.Strategies[i].Prediction {
			if p.HeldCells != p.Cells {
				return false
			}
			some = some || p.Cells > 0
		}
	}
	return some
}

// fixed reports whether the row is a floor or a ceiling, which ask nothing.
func (r *Row) fixed() bool { return r.Kind == kindFloor || r.Kind == kindCeiling }
