package strategies

import (
	"context"
	"errors"
	"math/rand/v2"

	"pepbench/bench/llm"
	"pepbench/domains"
)

// ErrDone is returned by Next when the strategy wants no further question.
var ErrDone = errors.New("strategy wants no more questions")

// A Setting is what a strategy is told when a session begins.
type Setting struct {
	Task     domains.Task        // blind: no right answer
	Criteria []domains.Criterion // those the task admits, in its order
	Askable  []bool              // nil: every criterion can be asked
	Budget   int                 // most questions that will be put
	User     string              // opaque id
	Seed     int                 // of the experiment
	Rand     *rand.Rand          // of the session

	// Of strategies that let a model ask, and nil for all others: the model that writes
	// the questions and the one that tells what they are about, and the rubric kind of the
	// data, which says in what words amounts are told.
	Asker, Interpreter llm.Client
	Rubric             domains.RubricKind
}

// CanAsk reports whether position i may be asked.
func (s *Setting) CanAsk(i int) bool { return s.Askable == nil || s.Askable[i] }

// A Strategy begins sessions. Begin is called once a session and may be called
// from several goroutines.
type Strategy interface {
	Begin(Setting) Elicitor
}

// An Elicitor is one session of a strategy. It is used by one goroutine.
type Elicitor interface {
	// Next names the next question, ErrDone when the strategy wants no more, or
	// another error when it cannot go on. Positions that cannot be asked are never
	// named, nor is one twice. Position -1 is a question that is about no criterion, or
	// about one that was asked; only strategies that word their own questions have it.
	Next(context.Context) (domains.Question, error)
	// Observe hands over the answer to the last question. Its words are there for a
	// strategy that lets a model ask, and empty for all others.
	Observe(domains.Question, domains.Answer)
	// Infer gives the predicted profile. The caller may keep it.
	Infer() domains.Inference
}

// A Scorer is an Elicitor that can say how it rated the candidates of its last
// question: up to n, best first.
type Scorer interface {
	Top(n int) []Scored
}

// Scored is a candidate question with its acquisition score.
type Scored struct {
	Position int
	Score    float64
}

// A Revealer is given the true profile. Only the oracle is one, and a test holds
// every other strategy to that.
type Revealer interface {
	Reveal(domains.Profile)
}

// A Predictor turns answers into an inference about the whole profile.
type Predictor interface {
	Observe(position int, c domains.Cell)
	Infer() domains.Inference
}

// Predict begins a Predictor for a session; a nil Predict means that only what was
// told is known.
type Predict func(Setting) Predictor

// Begin gives the predictor of a session: the population's, or one that knows
// only what it was told.
func (p Predict) Begin(s Setting) Predictor {
	if p == nil {
		t := &told{domains.NewInference(len(s.Criteria)), s.Criteria}
		for i := range s.Criteria {
			if s.Criteria[i].Scale == domains.Nominal {
				t.inf.Levels = make([][]float64, len(s.Criteria))
				break
			}
		}
		return t
	}
	return p(s)
}

// told is the predictor of `predict: answers`.
type told struct {
	inf      domains.Inference
	criteria []domains.Criterion
}

func (t *told) Observe(i int, c domains.Cell) {
	if c.IsHeld() && t.criteria[i].Scale == domains.Nominal {
		t.inf.Levels[i] = make([]float64, len(t.criteria[i].Levels))
	}
	t.inf.Tell(i, c)
}

func (t *told) Infer() domains.Inference { return t.inf.Clone() }

// Ask is the question about position i in the words of its criterion.
func Ask(s *Setting, i int) domains.Question {
	return domains.Question{Position: i, Text: s.Criteria[i].Question}
}
