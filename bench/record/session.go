package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"pepbench/domains"
)

// A Session is one strategy meeting one user on one task under one seed.
type Session struct {
	ID       string `json:"id"`       // strategy/seed/task/user
	Strategy string `json:"strategy"` // name in the manifest
	Seed     int    `json:"seed"`
	Task     string `json:"task"`
	User     string `json:"user"`

	Criteria []string `json:"criteria"` // ids, in the order of every array below
	Truth    Truth    `json:"truth"`

	Prior       Inference    `json:"prior"` // inference before any question
	Turns       []Turn       `json:"turns"`
	Stop        string       `json:"stop"` // one of the Stop constants
	Checkpoints []Checkpoint `json:"checkpoints"`

	// Calls are the logical calls to models by role: the same whether a reply came from
	// a server or from a cache.
	Calls []RoleCalls `json:"calls,omitempty"`

	// StopOffLog says of a replay that stopped by itself how that is off the log; see
	// Turn.OffLog.
	StopOffLog string `json:"stop_off_log,omitempty"`

	// Error is why the session could not be completed; such a session keeps what
	// it had and is counted apart by every report.
	Error string `json:"error,omitempty"`
}

// Why a session asked no more.
const (
	StopBudget    = "budget"    // all questions spent
	StopDone      = "done"      // the strategy wanted no more
	StopExhausted = "exhausted" // nothing askable was left
	StopUser      = "user"      // the user wanted no more
	StopUnread    = "unread"    // the model that asks gave nothing that could be read
	StopError     = "error"     // see Session.Error
)

// RoleCalls are the logical calls of one role in a session.
type RoleCalls struct {
	Role      string `json:"role"`
	Calls     int    `json:"calls"`
	Repairs   int    `json:"repairs,omitempty"` // calls of them that asked again for a reply that could not be read
	TokensIn  int    `json:"tokens_in"`         // as the server counts; 0 where it does not say
	TokensOut int    `json:"tokens_out"`
	// Uncounted are calls whose reply came without its tokens, which the sums lack.
	Uncounted int `json:"uncounted,omitempty"`
	// Unread are the reasons of requests that were answered with nothing that could be
	// used, repairs included, in the order in which they were made.
	Unread []string `json:"unread,omitempty"`
}

// Truth is the profile the session was graded against. No strategy saw it.
type Truth struct {
	Cells   []domains.Cell `json:"cells"` // null missing, false not held, else the value
	Weights Floats         `json:"weights,omitempty"`
	Askable []bool         `json:"askable,omitempty"` // nil: everything could be asked
}

// Weight is the weight of position i; held criteria sum to 1.
func (t *Truth) Weight(i int) float64 {
	p := domains.Profile{Cells: t.Cells, Weights: t.Weights}
	return p.Weight(i)
}

// A Turn is one question, its answer, and what was believed after it.
type Turn struct {
	// Question is a position in Criteria, or -1: a strategy that words its own questions
	// asked about none of them, or about one that it had asked before.
	Question int          `json:"question"`
	Asked    string       `json:"asked,omitempty"` // the question as it was put, where the strategy worded it
	Answer   domains.Cell `json:"answer"`          // what the strategy was told: what the user said, which may be wrong, as it was understood
	Said     string       `json:"said,omitempty"`  // the user's words

	// Of a user who answers in words: State is one of the State constants, By how the
	// words were understood (rule or model), Volunteered what they tell of criteria that
	// were not asked about, and Again the answers to the same question put again, which
	// are for the audit alone.
	State       string         `json:"state,omitempty"`
	By          string         `json:"by,omitempty"`
	Volunteered []Volunteered  `json:"volunteered,omitempty"`
	Again       []domains.Cell `json:"again,omitempty"`

	// OffLog says of a replay how the question is off the log: OffLogTask, OffLogHistory,
	// or empty where the log has this very decision.
	OffLog string `json:"off_log,omitempty"`

	OffScale  *float64  `json:"off_scale,omitempty"` // value said that the criterion cannot take; Answer is the nearest one
	Scores    []Scored  `json:"scores,omitempty"`    // up to five best acquisition scores, best first
	Inference Inference `json:"inference"`

	// Counterfactual is what would have been asked next after another answer; nil
	// at the last turn, where no other answer exists, and where what a replay would have
	// done after it is off the log by history, so that nobody knows what the policy would
	// have: a replay in mode trajectory has none.
	Counterfactual *Counterfactual `json:"counterfactual,omitempty"`
}

// What a user who answers in words did with a question. Nothing is: named a value.
const (
	StateIndifferent = "no-preference" // has none: the answer is not held
	StateAside       = "aside"         // answered beside the point: the answer is missing
	StateStop        = "stop"          // wanted no more questions and did not answer this one: the answer is missing
	StateUnread      = "unread"        // nobody could make out what was meant: the answer is missing
)

// Volunteered is a preference that a user told without being asked for it. Strategies
// do not get to know it.
type Volunteered struct {
	Position int          `json:"position"`
	Cell     domains.Cell `json:"cell"`
}

// Scored is a criterion with its acquisition score.
type Scored struct {
	Position int     `json:"position"`
	Score    float64 `json:"score"`
}

// A Counterfactual replays a session up to a turn, gives the other answer there,
// and asks a fresh elicitor under the same randomness, or a copy of one that lets a
// model ask, what comes next.
type Counterfactual struct {
	Answer domains.Cell `json:"answer"`
	Next   int          `json:"next"` // position, NextStop or NextOther
}

// What a Counterfactual says beside a position.
const (
	NextStop  = -1 // would have stopped
	NextOther = -2 // would have asked about no criterion, or about one that it had asked
)

// Inference is domains.Inference on disk: null where nothing is known, six
// decimals.
type Inference struct {
	Held   Floats   `json:"held"`
	Value  Floats   `json:"value"`
	Levels []Floats `json:"levels,omitempty"`
}

// NewInference takes a rounded copy.
func NewInference(f domains.Inference) Inference {
	out := Inference{Held: round(f.Held), Value: round(f.Value)}
	for _, l := range f.Levels {
		out.Levels = append(out.Levels, round(l))
	}
	return out
}

// ExactInference takes a copy to the last bit, for runs that are held to another
// program's rankings, which rounding would turn into ties.
func ExactInference(f domains.Inference) Inference {
	c := f.Clone()
	out := Inference{Held: c.Held, Value: c.Value}
	for _, l := range c.Levels {
		out.Levels = append(out.Levels, l)
	}
	return out
}

// A Checkpoint is what solver and judge made of the inference after so many
// questions.
type Checkpoint struct {
	// Questions is the number the checkpoint stands for. A session that stopped
	// earlier is carried forward: Carried is then set and nothing was solved or
	// graded anew.
	Questions int  `json:"questions"`
	Carried   bool `json:"carried,omitempty"`

	// Instructed are the positions the solver was told about, in prompt order,
	// and Wanted the values; of the profile solver, the entries it wrote.
	Instructed []int  `json:"instructed"`
	Wanted     Floats `json:"wanted"`

	Response string  `json:"response,omitempty"` // empty for the profile solver
	Scores   []Score `json:"scores"`             // one for each held criterion, in position order

	// Raw is the weighted mean score (1..5), nil when undefined; see Raw.
	Raw *float64 `json:"raw"`
	// Correct is whether the task was answered rightly; nil when it was not or
	// could not be judged.
	Correct       *bool  `json:"correct"`
	CorrectReason string `json:"correct_reason,omitempty"`
}

// A Score is a judge's grade of one held criterion.
type Score struct {
	Position int      `json:"position"`
	Level    *int     `json:"level,omitempty"` // amount rubrics: the level found, 1..5
	Score    *float64 `json:"score"`           // 1..5; nil is unscored
	Reason   string   `json:"reason,omitempty"`
	Unscored string   `json:"unscored,omitempty"` // why there is no score
	Judge    string   `json:"judge"`

	// Repeats are the scores of a judge that grades more than once, in order, null where
	// one is unscored; Score is the mean of the others. Levels are what it found in amount
	// rubrics, where different levels may have the same score.
	Repeats Floats `json:"repeats,omitempty"`
	Levels  Floats `json:"levels,omitempty"`

	// Before is the score that the run had whose responses are graded again, and
	// BeforeLevel, of amount rubrics, the level (see Said); nil where it had none. See
	// Manifest.Rejudged.
	Before      *float64 `json:"before,omitempty"`
	BeforeLevel *float64 `json:"before_level,omitempty"`
}

// Said is what the judge said: of amount rubrics the level, or the mean of those of all
// repeats, else the score; NaN where it is unscored.
func (s *Score) Said() float64 {
	switch {
	case s.Levels != nil:
		sum, n := 0.0, 0
		for _, v := range s.Levels {
			if !math.IsNaN(v) {
				sum += v
				n++
			}
		}
		if n == 0 {
			return math.NaN()
		}
		return Round(sum / float64(n))
	case s.Level != nil:
		return float64(*s.Level)
	case s.Score != nil:
		return *s.Score
	}
	return math.NaN()
}

// Raw gives raw = sum w s / sum w over the scored criteria (1..5), where weight
// maps a position to its weight. It is undefined (false) when any held criterion
// is unscored, because leaving one out would change what is measured, and when
// there is none.
func Raw(scores []Score, weight func(position int) float64) (float64, bool) {
	num, den := 0.0, 0.0
	for _, s := range scores {
		if s.Score == nil {
			return 0, false
		}
		w := weight(s.Position)
		num += w * *s.Score
		den += w
	}
	if den <= 0 {
		return 0, false
	}
	return num / den, true
}

// Alignment maps a raw score (1..5) to 0..100: 100 (raw-1)/4.
func Alignment(raw float64) float64 { return 100 * (raw - 1) / 4 }

// Inference gives the inference after n questions; a session that asked fewer is
// carried forward.
func (s *Session) Inference(n int) Inference {
	n = min(n, len(s.Turns))
	if n <= 0 {
		return s.Prior
	}
	return s.Turns[n-1].Inference
}

// Checkpoint gives the checkpoint of n questions, or nil.
func (s *Session) Checkpoint(n int) *Checkpoint {
	for i := range s.Checkpoints {
		if s.Checkpoints[i].Questions == n {
			return &s.Checkpoints[i]
		}
	}
	return nil
}

// Float is a number on disk: six decimals, null where it is not finite.
type Float float64

// Defined reports whether there is a number.
func (f Float) Defined() bool { return !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) }

// MarshalJSON writes a number with at most six decimals, or null.
func (f Float) MarshalJSON() ([]byte, error) {
	if !f.Defined() {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, Round(float64(f)), 'f', -1, 64), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Float) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*f = Float(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(f))
}

// Floats are numbers on disk: six decimals, null for NaN.
type Floats []float64

func round(in []float64) Floats {
	if in == nil {
		return nil
	}
	out := make(Floats, len(in))
	for i, v := range in {
		out[i] = Round(v)
	}
	return out
}

// Round rounds to the six decimals that go to disk.
func Round(v float64) float64 {
	if math.Abs(v) >= 1<<31 {
		return v // numbers lie too far apart there; larger ones would overflow
	}
	return math.Round(v*1e6) / 1e6
}

// NewFloats takes a rounded copy.
func NewFloats(in []float64) Floats { return round(in) }

// MarshalJSON writes a JSON array. An infinity is an error.
func (f Floats) MarshalJSON() ([]byte, error) {
	if f == nil {
		return []byte("null"), nil
	}
	b := make([]byte, 0, 2+9*len(f))
	b = append(b, '[')
	for i, v := range f {
		if i > 0 {
			b = append(b, ',')
		}
		switch {
		case math.IsNaN(v):
			b = append(b, "null"...)
		case math.IsInf(v, 0):
			return nil, fmt.Errorf("record: %v has no place on disk", v)
		default:
			b = strconv.AppendFloat(b, v, 'f', -1, 64)
		}
	}
	return append(b, ']'), nil
}

// UnmarshalJSON reads what MarshalJSON writes. Most bytes of a journal are such arrays, so
// that one of plain numbers and nulls, which is what b is unless it is an error, is read
// without a pointer a number.
func (f *Floats) UnmarshalJSON(b []byte) error {
	if out, ok := plainFloats(b); ok {
		*f = out
		return nil
	}
	var p []*float64
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	if p == nil {
		*f = nil
		return nil
	}
	*f = make(Floats, len(p))
	for i, v := range p {
		(*f)[i] = math.NaN()
		if v != nil {
			(*f)[i] = *v
		}
	}
	return nil
}

// plainFloats reads a JSON array of numbers and nulls that encoding/json has found to be
// valid; false where b is anything else, or a number is out of range.
func plainFloats(b []byte) (Floats, bool) {
	if len(b) < 2 || b[0] != '[' || b[len(b)-1] != ']' {
		return nil, false
	}
	b = bytes.TrimSpace(b[1 : len(b)-1])
	if len(b) == 0 {
		return Floats{}, true
	}
	out := make(Floats, 0, bytes.Count(b, []byte{','})+1)
	for more := true; more; {
		var item []byte
		item, b, more = bytes.Cut(b, []byte{','})
		item = bytes.TrimSpace(item)
		switch {
		case string(item) == "null":
			out = append(out, math.NaN())
		case len(item) > 0 && (item[0] == '-' || item[0] >= '0' && item[0] <= '9'):
			v, err := strconv.ParseFloat(string(item), 64)
			if err != nil {
				return nil, false
			}
			out = append(out, v)
		default:
			return nil, false
		}
	}
	return out, true
}
