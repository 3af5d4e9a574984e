package pep

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"pepbench/domains"
	"pepbench/strategies/belief"
)

// ErrUndefined is wrapped by the errors of Check: the acquisition needs something
// of the belief that it does not have.
var ErrUndefined = errors.New("acquisition is not defined for this belief")

// An Acquisition rates candidate questions.
type Acquisition interface {
	// Score writes to dst the score of every candidate position of the turn and
	// leaves the others alone; larger is better. It allocates nothing once the turn
	// has been used.
	Score(dst []float64, t *Turn)
	// Check says whether the score is defined for beliefs like b about these
	// criteria; the error wraps ErrUndefined.
	Check(b belief.Belief, criteria []domains.Criterion) error
}

// A Turn is what is known when a question is to be chosen, with the memory that
// acquisitions reuse. Make one with NewTurn before any answer, and set Candidate
// and Asked before each question.
type Turn struct {
	Belief    belief.Belief
	Criteria  []domains.Criterion // of the positions
	Candidate []bool              // may be asked now
	Asked     []bool
	Rand      *rand.Rand // of the session; only the random acquisition draws from it

	startHeld, startValue []float64 // marginals before any answer
	held, value           []float64
	thenHeld, thenValue   []float64 // marginals after an answer
	states                []float64
	trial                 belief.Belief
	ranked                []int
	marginals             []belief.Marginal
	next                  *Turn // of a lookahead, after the answer
	score                 []float64
	order                 []int
}

// NewTurn begins with a belief that was told nothing.
func NewTurn(b belief.Belief, criteria []domains.Criterion, rng *rand.Rand) *Turn {
	n := b.Len()
	t := &Turn{
		Belief: b, Criteria: criteria, Candidate: make([]bool, n), Asked: make([]bool, n), Rand: rng,
		startHeld: make([]float64, n), startValue: make([]float64, n), held: make([]float64, n), value: make([]float64, n),
		thenHeld: make([]float64, n), thenValue: make([]float64, n), score: make([]float64, n),
	}
	b.Marginals(t.startHeld, t.startValue)
	return t
}

// joint is the belief as a joint model, which Check has made sure of.
func (t *Turn) joint() belief.Joint { return t.Belief.(belief.Joint) }

// after gives the belief after an answer; the next call overwrites it.
func (t *Turn) after(i int, c domains.Cell) belief.Belief {
	if t.trial == nil {
		t.trial = t.Belief.Clone()
	} else {
		t.trial.Set(t.Belief)
	}
	t.trial.Observe(i, c)
	return t.trial
}

// outcomes calls f with every answer to position i and its probability: of a joint
// model its states; of others "held at the expected value" and "not held", as the
// released rule has it.
func (t *Turn) outcomes(i int, f func(p float64, c domains.Cell)) {
	if j, ok := t.Belief.(belief.Joint); ok {
		t.states = j.States(grow(t.states, j.NumStates(i)), i)
		for s := range t.states {
			if p := t.states[s]; p > 0 {
				f(p, j.Answer(i, s))
			}
		}
		return
	}
	p := t.held[i]
	if p > 0 {
		f(p, heldAt(&t.Criteria[i], t.value[i]))
	}
	if p < 1 {
		f(1-p, domains.NotHeld())
	}
}

// heldAt is the answer "held, at about v"; of a nominal criterion, which has no
// expected value, at the first level.
func heldAt(c *domains.Criterion, v float64) domains.Cell {
	if math.IsNaN(v) {
		return domains.At(c.Levels[0].Value)
	}
	return domains.At(v)
}

// gain writes for every candidate what is expected of worth after its answer:
// sum_s P(s) worth(told, s) - worth(told).
func (t *Turn) gain(dst []float64, worth func(t *Turn, b belief.Joint, skip int) float64) {
	for i, ok := range t.Candidate {
		if !ok {
			continue
		}
		before := worth(t, t.joint(), i)
		sum := 0.0
		t.outcomes(i, func(p float64, c domains.Cell) {
			sum += p * worth(t, t.after(i, c).(belief.Joint), i)
		})
		dst[i] = sum - before
	}
}

func grow(b []float64, n int) []float64 {
	if cap(b) < n {
		return make([]float64, n, 2*n)
	}
	return b[:n]
}

// Options are what some acquisitions need to know beside the belief.
type Options struct {
	// MaxCriteria is how many criteria the solver acts on, largest P(held) first,
	// and MinHeld the P(held) that they must exceed; negative: all.
	MaxCriteria int
	MinHeld     float64
	// Beam makes a two-step lookahead of the acquisition over so many of its best
	// candidates; 0: none.
	Beam int
}

var acquisitions = map[string]func(o Options) Acquisition{
	"random":         func(Options) Acquisition { return random{} },
	"uncertainty":    func(Options) Acquisition { return uncertainty{} },
	"fixed":          func(Options) Acquisition { return fixed{} },
	"greedy-ev":      func(Options) Acquisition { return greedyEV{} },
	"binary-ig":      func(Options) Acquisition { return binaryIG{} },
	"profile-ig":     func(Options) Acquisition { return profileIG{} },
	"latent-ig":      func(Options) Acquisition { return latentIG{} },
	"variance":       func(Options) Acquisition { return variance{} },
	"alignment-gain": func(o Options) Acquisition { return alignmentGain{o.MaxCriteria, o.MinHeld} },
}

// names lists the acquisitions that Lookup knows.
func names() []string {
	out := make([]string, 0, len(acquisitions))
	for n := range acquisitions {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Lookup gives the acquisition of a name used in configurations.
func Lookup(name string, o Options) (Acquisition, error) {
	f := acquisitions[name]
	switch {
	case f == nil:
		return nil, fmt.Errorf("no acquisition %q; there are %s", name, strings.Join(names(), ", "))
	case o.Beam < 0:
		return nil, fmt.Errorf("lookahead %d: give the width of the beam, or 0 for none", o.Beam)
	case o.Beam == 0:
		return f(o), nil
	case name == "random" || name == "fixed":
		return nil, fmt.Errorf("%s scores do not depend on answers: there is nothing to look ahead to", name)
	}
	return lookahead{f(o), o.Beam}, nil
}

// needJoint is the Check of acquisitions that need a joint model.
func needJoint(name string, b belief.Belief) error {
	if _, ok := b.(belief.Joint); !ok {
		return fmt.Errorf("%s needs a joint model of the profile, which this belief is not: %w", name, ErrUndefined)
	}
	return nil
}

// needValues is the Check of acquisitions that add up expected values.
func needValues(name string, criteria []domains.Criterion) error {
	for i := range criteria {
		if criteria[i].Scale == domains.Nominal {
			return fmt.Errorf("%s needs expected values, and nominal criterion %q has none: %w", name, criteria[i].ID, ErrUndefined)
		}
	}
	return nil
}

// tieWidth: scores that are within this of the largest count as equal, so that
// rounding does not decide.
const tieWidth = 1e-12

// choose gives the position with the largest score among the candidates, the
// lowest one of those within width of it, and -1 if there is no candidate.
func choose(score []float64, candidate []bool, width float64) int {
	top := math.Inf(-1)
	for i, ok := range candidate {
		if ok && score[i] > top {
			top = score[i]
		}
	}
	for i, ok := range candidate {
		if ok && score[i] >= top-width {
			return i
		}
	}
	return -1
}
