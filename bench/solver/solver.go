package solver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"pepbench/bench/llm"
	"pepbench/domains"
)

// A Problem is a task to answer for an inferred profile.
type Problem struct {
	Task      domains.Task // blind: no right answer
	Criteria  []domains.Criterion
	Rubric    domains.RubricKind
	Inference domains.Inference
}

// A Solution is the response and what the solver was told to express.
type Solution struct {
	Instructed []int     // positions, in prompt order
	Wanted     []float64 // value wanted of each
	Text       string    // the response; empty for the profile solver
}

// Options say what of an inference is used.
type Options struct {
	MaxCriteria int     // most criteria expressed; negative: all
	MinHeld     float64 // criteria with P(held) up to this are left out
}

// choose gives the positions to express and the values wanted. A value that is
// unknown becomes the middle of the scale; a nominal one is the likeliest level.
func (o Options) choose(p *Problem) ([]int, []float64) {
	best := p.Inference.Best(o.MaxCriteria, o.MinHeld)
	if best == nil {
		best = []int{}
	}
	wanted := make([]float64, len(best))
	for j, i := range best {
		wanted[j] = value(&p.Inference, i, &p.Criteria[i])
	}
	return best, wanted
}

func value(f *domains.Inference, i int, c *domains.Criterion) float64 {
	if c.Scale == domains.Nominal && f.Levels != nil && f.Levels[i] != nil {
		top := 0
		for l, p := range f.Levels[i] {
			if p > f.Levels[i][top] {
				top = l
			}
		}
		return c.Levels[top].Value
	}
	if v := f.Value[i]; v == v {
		return v
	}
	if c.Scale == domains.Continuous {
		return (c.Min + c.Max) / 2
	}
	return c.Levels[len(c.Levels)/2].Value
}

// Profile writes the predicted values down and nothing else.
type Profile struct{ Options Options }

// Solve takes the best guesses of the inference.
func (s Profile) Solve(_ context.Context, p Problem) (Solution, error) {
	pos, wanted := s.Options.choose(&p)
	return Solution{Instructed: pos, Wanted: wanted}, nil
}

// Direct asks a language model for an answer, telling it what the reader wants.
type Direct struct {
	Client  llm.Client
	Options Options
}

// PromptName and the texts below are versioned: change the one with the other.
const PromptName = "solver/direct/1"

const system = `You answer questions for one reader. Begin with a line "Answer:" that states the final answer (the letter of the option where options are listed, the number where a number is asked for). Then explain it in a few plain sentences. If the message lists what this reader wants of the answer, let the text show each item in the amount that is stated, and leave everything else about style as it would be anyway. Do not mention these instructions.`

const heading = "This reader wants:"

// PromptHash is the SHA-256 of the fixed words of the prompt.
func PromptHash() string {
	sum := sha256.Sum256([]byte(system + "\x00" + heading + "\x00" + strings.Join(domains.Ladder[:], "\x00")))
	return hex.EncodeToString(sum[:])
}

// Errors of replies that hold no response.
var (
	ErrEmpty     = errors.New("the solver's reply is empty")
	ErrTruncated = errors.New("the solver's reply was cut off at its token limit")
)

// Solve makes one call. The response is normalised (see Normalise), so that what
// is kept is exactly what a judge will read.
func (s Direct) Solve(ctx context.Context, p Problem) (Solution, error) {
	pos, wanted := s.Options.choose(&p)
	reply, err := s.Client.Complete(ctx, llm.Request{System: system, User: user(&p, pos, wanted)})
	if err != nil {
		return Solution{}, err
	}
	out := Solution{Instructed: pos, Wanted: wanted, Text: Normalise(reply.Content)}
	switch {
	case reply.Finish == "length":
		return Solution{}, ErrTruncated
	case out.Text == "":
		return Solution{}, ErrEmpty
	}
	return out, nil
}

// user is the user message: the task, its options, and a line for each criterion
// to express.
func user(p *Problem, pos []int, wanted []float64) string {
	var b strings.Builder
	b.WriteString("Task:\n")
	b.WriteString(strings.TrimSpace(p.Task.Prompt))
	b.WriteByte('\n')
	for _, o := range p.Task.Options {
		fmt.Fprintf(&b, "%s) %s\n", o.Label, o.Text)
	}
	if len(pos) > 0 {
		b.WriteString("\n" + heading + "\n")
	}
	for j, i := range pos {
		c := &p.Criteria[i]
		b.WriteString("- ")
		b.WriteString(c.Name)
		b.WriteString(": ")
		l := c.Nearest(wanted[j])
		if p.Rubric != domains.Amount {
			b.WriteString(domains.Ladder[rung(c, wanted[j])])
			b.WriteByte('\n')
			continue
		}
		b.WriteString(c.Levels[l].Text)
		b.WriteString(" (from least to most: ")
		for k := range c.Levels {
			if k > 0 {
				b.WriteString(" | ")
			}
			b.WriteString(c.Levels[k].Text)
		}
		b.WriteString(")\n")
	}
	return b.String()
}

// rung places a value on the ladder by its place in the criterion's range.
func rung(c *domains.Criterion, v float64) int {
	lo := c.Min
	if len(c.Levels) > 0 {
		lo = c.Levels[0].Value
	}
	at := (v - lo) / c.Range() * float64(len(domains.Ladder)-1)
	return min(max(int(at+0.5-1e-9), 0), len(domains.Ladder)-1) // halves go down, as in Criterion.Nearest
}

// Normalise drops invisible format characters (Unicode Cf), brings the text to
// NFC and trims it: nothing that a person cannot see passes from solver to judge.
func Normalise(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(norm.NFC.String(s))
}
