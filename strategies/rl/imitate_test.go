package rl

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pepbench/domains"
)

// typed are users of some types; a type holds a few criteria nearly always and the rest
// hardly ever.
func typed(types [][]float64) func(rng *rand.Rand) []domains.Cell {
	return func(rng *rand.Rand) []domains.Cell { return shares(types[rng.IntN(len(types))]...)(rng) }
}

func drawTypes(types, criteria int) [][]float64 {
	rng := rand.New(rand.NewPCG(5, 5))
	out := make([][]float64, types)
	for k := range out {
		for c := range criteria {
			p := .03
			if c == k || rng.IntN(6) == 0 {
				p = .85
			}
			out[k] = append(out[k], p)
		}
	}
	return out
}

// bayes asks what is most probably held by a user of those types, given all answers.
func bayes(types [][]float64, asked []int, answers []domains.Cell) int {
	best, bestP := -1, 0.0
	weight := make([]float64, len(types))
	for k := range types {
		weight[k] = 1
		for i, c := range asked {
			if answers[i].IsHeld() {
				weight[k] *= types[k][c]
			} else {
				weight[k] *= 1 - types[k][c]
			}
		}
	}
	for c := range types[0] {
		p, n := 0.0, 0.0
		for k := range types {
			p += weight[k] * types[k][c]
			n += weight[k]
		}
		seen := false
		for _, a := range asked {
			seen = seen || a == c
		}
		if p /= n; !seen && p > bestP+1e-12 {
			best, bestP = c, p
		}
	}
	return best
}

// lessons are the choices of bayes in the episodes of a part.
func lessons(env *toy, types [][]float64, p Part) (out []Example) {
	for i := range env.Len(p) {
		set := env.Setting(p, i)
		var asked []int
		var answers []domains.Cell
		for range set.Budget {
			q := bayes(types, asked, answers)
			out = append(out, Example{set, append([]int(nil), asked...), append([]domains.Cell(nil), answers...), q})
			asked, answers = append(asked, q), append(answers, env.Answer(p, i, q))
		}
	}
	return out
}

// TestImitates: a network can hold an adaptive rule.
func TestImitates(t *testing.T) {
	types := drawTypes(4, 12)
	env := newToy(12, 4, 200, 100, typed(types))
	o := Defaults(GRPO)
	o.Hidden, o.Words = 24, 8
	p, share, err := Imitate(t.Context(), env.criteria, o, lessons(env, types, Train), lessons(env, types, Dev))
	if err != nil {
		t.Fatal(err)
	}
	if !(share >= .9) {
		t.Errorf("share of choices %.3f", share)
	}
	if r := play(t, env, Dev, live(p)); mean(t, r) < 75 {
		t.Errorf("asks as the rule does in %.3f of choices, and earns %.1f", share, mean(t, r))
	}
}

// TestImitateRefusals: examples that cannot be are refused.
func TestImitateRefusals(t *testing.T) {
	env := newToy(3, 2, 40, 40, shares(.5, .5, .5))
	good := func() (out []Example) {
		for i := range 20 {
			out = append(out, Example{Setting: env.Setting(Train, i), Question: i % 3})
		}
		return out
	}
	for _, row := range []struct {
		reason string
		change func(x []Example) []Example
		want   string
	}{
		{"no session is left to decide when to end", func(x []Example) []Example { return x[:9] }, "9 sessions are too few"},
		{"a position that the task does not have", func(x []Example) []Example { x[3].Question = 3; return x }, "position 3 cannot be asked"},
		{"asked before", func(x []Example) []Example {
			x[3].Asked, x[3].Answers, x[3].Question = []int{1}, []domains.Cell{domains.At(2)}, 1
			return x
		}, "position 1 cannot be asked, or was asked"},
		{"a question without an answer", func(x []Example) []Example { x[3].Asked = []int{1}; return x }, "1 questions with 0 answers"},
		{"a setting of other data", func(x []Example) []Example { x[3].Setting.Task.Criteria = []int{0, 1, 7}; return x }, "they must rise"},
	} {
		_, _, err := Imitate(t.Context(), env.criteria, Defaults(GRPO), row.change(good()), nil)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
	if _, share, err := Imitate(t.Context(), env.criteria, Defaults(GRPO), good(), nil); err != nil || !math.IsNaN(share) {
		t.Errorf("nothing held out: share %v, %v", share, err)
	}
}
