package rl

import (
	"context"
	"math/rand/v2"
	"testing"

	"pepbench/domains"
	"pepbench/strategies"
)

// TestLearnsBestOrder: where criteria are independent, every algorithm finds those that
// most users hold.
func TestLearnsBestOrder(t *testing.T) {
	env := newToy(8, 3, 200, 80, shares(.1, .9, .2, .1, .8, .1, .15, .7))
	for _, dense := range []bool{false, true} {
		for _, a := range Algorithms {
			o := small(a)
			o.Dense = dense
			got, err := Learn(t.Context(), env, o, Hooks{})
			if err != nil {
				t.Fatal(err)
			}
			rewards, err := Rewards(t.Context(), env, Train, Strategy{Policies: map[int]*Policy{0: got.Policy}})
			if err != nil {
				t.Fatal(err)
			}
			order, err := GreedyOrder(t.Context(), env)
			if err != nil {
				t.Fatal(err)
			}
			static, err := Rewards(t.Context(), env, Train, strategies.Static{Order: strategies.Listed(order)})
			if err != nil {
				t.Fatal(err)
			}
			random, err := Rewards(t.Context(), env, Train, strategies.Random{})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s dense %v: %.1f at step %d, static %.1f %v, random %.1f", a, dense, mean(t, rewards), got.Best, mean(t, static), order, mean(t, random))
			for _, p := range got.Curve {
				t.Logf("%+v", p)
			}
			if mean(t, rewards) < mean(t, static)-1 {
				t.Errorf("%s, dense %v: %.1f, the best order has %.1f", a, dense, mean(t, rewards), mean(t, static))
			}
		}
	}
}

// forked has users who hold criterion 0 at 1 or 5, and then criterion 1 or 2.
func forked(rng *rand.Rand) []domains.Cell {
	cells := []domains.Cell{domains.At(1), domains.NotHeld(), domains.NotHeld(), domains.NotHeld()}
	if rng.IntN(2) == 0 {
		cells[1] = domains.At(3)
	} else {
		cells[0], cells[2] = domains.At(5), domains.At(3)
	}
	return cells
}

// TestLearnsToAdapt: where the second question should depend on the first answer, a
// policy beats every fixed order.
func TestLearnsToAdapt(t *testing.T) {
	env := newToy(4, 2, 200, 80, forked)
	for _, a := range Algorithms {
		got, err := Learn(context.Background(), env, small(a), Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		rewards, err := Rewards(t.Context(), env, Train, Strategy{Policies: map[int]*Policy{0: got.Policy}})
		if err != nil {
			t.Fatal(err)
		}
		best := 0.0
		for i := range 4 {
			for j := range 4 {
				static, err := Rewards(t.Context(), env, Train, strategies.Static{Order: strategies.Listed{i, j}})
				if err != nil {
					t.Fatal(err)
				}
				best = max(best, mean(t, static))
			}
		}
		t.Logf("%s: %.1f at step %d, best order %.1f", a, mean(t, rewards), got.Best, best)
		if mean(t, rewards) < 100 {
			t.Errorf("%s: %.1f; who adapts has 100, the best order %.1f", a, mean(t, rewards), best)
		}
	}
}
