package rl

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pepbench/domains"
	"pepbench/strategies"
)

// busy is an environment of a usual size: 36 criteria, 3000 training episodes on 40 tasks, and
// a reward that costs as much as a profile judge.
type busy struct {
	*toy
	prompts []string
	cost    time.Duration
}

func (b busy) Setting(p Part, i int) strategies.Setting {
	s := b.toy.Setting(p, i)
	s.Task.Prompt = b.prompts[i%len(b.prompts)]
	return s
}

func (b busy) Reward(ctx context.Context, p Part, i int, asked []int) (float64, bool, error) {
	for begin := time.Now(); time.Since(begin) < b.cost; {
	}
	return b.toy.Reward(ctx, p, i, asked)
}

func newBusy() busy {
	const n = 36
	b := busy{cost: 20 * time.Microsecond, toy: newToy(n, 5, 3000, 500, func(rng *rand.Rand) []domains.Cell {
		cells := make([]domains.Cell, n)
		for i := range cells {
			cells[i] = domains.NotHeld()
			if rng.IntN(n) < i/4+1 {
				cells[i] = domains.At(float64(1 + rng.IntN(5)))
			}
		}
		return cells
	})}
	b.tasks = 40
	rng := rand.New(rand.NewPCG(1, 1))
	for range b.tasks {
		var words []string
		for range 60 {
			words = append(words, strings.Repeat(string(rune('a'+rng.IntN(26))), 1+rng.IntN(9)))
		}
		b.prompts = append(b.prompts, strings.Join(words, " "))
	}
	return b
}

// BenchmarkStep is a step of training: rollouts, rewards, gradients.
func BenchmarkStep(b *testing.B) {
	env := newBusy()
	for _, a := range Algorithms {
		b.Run(string(a), func(b *testing.B) {
			l, err := newLearner(b.Context(), env, Defaults(a), nil)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := l.advance(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(l.net.theta)), "params")
		})
	}
}

// BenchmarkAsk is a session of a trained policy.
func BenchmarkAsk(b *testing.B) {
	env := newBusy()
	l, err := newLearner(b.Context(), env, Defaults(GRPO), nil)
	if err != nil {
		b.Fatal(err)
	}
	s := Strategy{Policies: map[int]*Policy{0: {l.ids, l.layout, l.o, l.net}}}
	set := env.Setting(Dev, 0)
	b.Run("session", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			e := s.Begin(set)
			for range set.Budget {
				q, err := e.Next(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				e.Observe(q, domains.Answer{Cell: domains.At(4)})
			}
		}
	})
	b.Run("next", func(b *testing.B) {
		e := s.Begin(set)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := e.Next(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
