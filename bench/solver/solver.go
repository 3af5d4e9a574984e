package solver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"strconv"
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
// unknown becomes the middle of the scale (the lower of two middle levels); a
// nominal one is the likeliest level, the lower index among equals.
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
		top, most := -1, math.Inf(-1)
		for l, p := range f.Levels[i] {
			if p > most { // never where p is unknown
				top, most = l, p
			}
		}
		if top >= 0 {
			return c.Levels[top].Value
		}
	}
	if v := f.Value[i]; !math.IsNaN(v) {
		return v
	}
	if c.Scale == domains.Continuous {
		return (c.Min + c.Max) / 2
	}
	return c.Levels[(len(c.Levels)-1)/2].Value
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

// PromptName is versioned with the texts below: change the one with the others.
const PromptName = "solver/direct/1"

const system = `You answer questions for one reader. Begin with a line "Answer:" that states the final answer (letter and text of the option where options are listed, the number where a number is asked for). Then explain it in a few plain sentences. If the message lists what this reader wants of the explanation, let the text show each item in the amount that is stated, neither more nor less, and leave everything else about style as it would be anyway. What the reader wants never changes which answer is right. Do not mention these instructions.`

const (
	heading  = "This reader wants:"
	scaleOf  = " (from least to most: "
	scaleOr  = " (one of: "
	scaleBar = " | "
)

// PromptHash is the SHA-256 of the system message and of the user messages of a
// made-up task, which hold every fixed word and mark of the format.
func PromptHash() string {
	p := Problem{
		Task:   domains.Task{Prompt: "P", Options: []domains.Option{{Label: "A", Text: "X"}}},
		Rubric: domains.Amount,
	}
	for i, scale := range []domains.Scale{domains.Ordinal, domains.Nominal, domains.Continuous} {
		c := domains.Criterion{Name: "N" + strconv.Itoa(i), Scale: scale, Max: 1}
		if scale != domains.Continuous {
			c.Levels = []domains.Level{{Value: 0, Text: "L"}, {Value: 1, Text: "M"}}
		}
		p.Criteria = append(p.Criteria, c)
	}
	pos, wanted := []int{0, 1, 2}, []float64{0, 1, 0.5}
	texts := []string{system, user(&p, pos, wanted)}
	p.Rubric = domains.Quality
	texts = append(texts, user(&p, pos, wanted), strings.Join(domains.Ladder[:], "\x00"))
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// Solve makes one call, and up to llm.Repairs more where the reply is empty or cut
// off; one that stays so is an *llm.Unread. The response is normalised (see
// Normalise), so that what is kept is exactly what a judge will read.
func (s Direct) Solve(ctx context.Context, p Problem) (Solution, error) {
	pos, wanted := s.Options.choose(&p)
	out := Solution{Instructed: pos, Wanted: wanted}
	_, err := llm.Ask(ctx, s.Client, llm.Request{System: system, User: user(&p, pos, wanted)}, func(text string) error {
		if out.Text = Normalise(text); out.Text == "" {
			return errors.New("it is empty")
		}
		return nil
	})
	if err != nil {
		return Solution{}, err
	}
	return out, nil
}

// user is the user message; see doc.go for its form.
func user(p *Problem, pos []int, wanted []float64) string {
	var b strings.Builder
	b.Grow(len(p.Task.Prompt) + 64*len(p.Task.Options) + 384*len(pos) + 64)
	b.WriteString("Task:\n")
	b.WriteString(strings.TrimSpace(p.Task.Prompt))
	b.WriteByte('\n')
	for _, o := range p.Task.Options {
		b.WriteString(o.Label)
		b.WriteString(") ")
		b.WriteString(oneLine(o.Text))
		b.WriteByte('\n')
	}
	if len(pos) > 0 {
		b.WriteString("\n" + heading + "\n")
	}
	for j, i := range pos {
		c := &p.Criteria[i]
		b.WriteString("- ")
		b.WriteString(name(c))
		b.WriteString(": ")
		if p.Rubric == domains.Amount && worded(c) {
			amount(&b, c, wanted[j])
		} else {
			b.WriteString(domains.Ladder[c.Rung(wanted[j])])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// amount writes the level wanted and the scale that it stands on.
func amount(b *strings.Builder, c *domains.Criterion, v float64) {
	b.WriteString(levelText(c, c.Nearest(v)))
	between := scaleOf
	if c.Scale == domains.Nominal {
		between = scaleOr
	}
	for k := range c.Levels {
		b.WriteString(between)
		b.WriteString(levelText(c, k))
		between = scaleBar
	}
	b.WriteByte(')')
}

// worded reports whether every level of a criterion has a text.
func worded(c *domains.Criterion) bool {
	for i := range c.Levels {
		if c.Levels[i].Text == "" {
			return false
		}
	}
	return len(c.Levels) > 0
}

// name is a criterion's name on its line, which it must not end early.
func name(c *domains.Criterion) string {
	return strings.ReplaceAll(oneLine(c.Name), ":", ",")
}

// levelText is the text of a level on its line, without the mark between levels.
func levelText(c *domains.Criterion, l int) string {
	return strings.ReplaceAll(oneLine(c.Levels[l].Text), "|", "/")
}

// oneLine makes one line of a text of the data.
func oneLine(s string) string {
	if !strings.ContainsFunc(s, unicode.IsControl) {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// Normalise drops characters without a shape (Unicode Cf, variation selectors and
// whatever else is ignored by default), brings the text to NFC and trims it: nothing
// that a person cannot see passes from solver to judge.
func Normalise(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(norm.NFC.String(s))
}
