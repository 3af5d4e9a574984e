package simusers

import (
	"context"
	"fmt"
	"math"
	"testing"

	"pepbench/domains"
)

func scale(n int) []domains.Level {
	out := make([]domains.Level, n)
	for i := range out {
		out[i].Value = float64(i + 1)
	}
	return out
}

func answer(t *testing.T, u User, i int) domains.Cell {
	t.Helper()
	a, err := u.Answer(context.Background(), domains.Question{Position: i})
	if err != nil {
		t.Fatal(err)
	}
	return a.Cell
}

func TestExactSaysWhatIsThere(t *testing.T) {
	p := &domains.Profile{Cells: []domains.Cell{domains.At(4), domains.NotHeld(), domains.Missing()}}
	for i, want := range p.Cells {
		if got := answer(t, NewExact(p), i); !got.Equal(want) {
			t.Errorf("position %d: %v, profile says %v", i, got, want)
		}
	}
}

// TestNoiseFollowsItsKernel counts what many users report of one true cell.
func TestNoiseFollowsItsKernel(t *testing.T) {
	const users = 20000
	noise := Noise{FlipHeld: 0.1, FlipNotHeld: 0.2, Slip: 0.3}
	ordinal := domains.Criterion{ID: "o", Levels: scale(5)}
	nominal := domains.Criterion{ID: "n", Scale: domains.Nominal, Levels: []domains.Level{{Value: 0}, {Value: 1}, {Value: 2}}}
	kept := 0.9 * 0.7 // neither flipped nor slipped
	for _, row := range []struct {
		reason string
		crit   domains.Criterion
		cell   domains.Cell
		want   map[string]float64
	}{
		{"a middle level slips both ways alike", ordinal, domains.At(3), map[string]float64{"NA": 0.1, "3": kept, "2": 0.9 * 0.15, "4": 0.9 * 0.15}},
		{"the lowest level slips inwards", ordinal, domains.At(1), map[string]float64{"NA": 0.1, "1": kept, "2": 0.9 * 0.3}},
		{"the highest level slips inwards", ordinal, domains.At(5), map[string]float64{"NA": 0.1, "5": kept, "4": 0.9 * 0.3}},
		{"a nominal level slips to any other", nominal, domains.At(1), map[string]float64{"NA": 0.1, "1": kept, "0": 0.9 * 0.15, "2": 0.9 * 0.15}},
		{"not held is reported at any level alike", ordinal, domains.NotHeld(), map[string]float64{"NA": 0.8, "1": 0.04, "2": 0.04, "3": 0.04, "4": 0.04, "5": 0.04}},
		{"nothing to say stays nothing", ordinal, domains.Missing(), map[string]float64{"?": 1}},
	} {
		got := map[string]int{}
		for i := range users {
			p := &domains.Profile{Cells: []domains.Cell{row.cell}}
			u := NewNoisy(p, []domains.Criterion{row.crit}, noise, Key{Seed: 1, Task: "t", User: fmt.Sprint(i)})
			got[answer(t, u, 0).String()]++
		}
		for k, n := range got {
			w := row.want[k]
			if sd := math.Sqrt(users * w * (1 - w)); math.Abs(float64(n)-users*w) > 5*sd {
				t.Errorf("%s: %s reported %d times of %d, want about %.0f", row.reason, k, n, users, users*w)
			}
		}
		if len(got) != len(row.want) {
			t.Errorf("%s: reports %v, want the kinds of %v", row.reason, got, row.want)
		}
	}
}

// TestNoiseOnAContinuousScale compares the reports with the clipped normal law.
func TestNoiseOnAContinuousScale(t *testing.T) {
	const users = 20000
	c := domains.Criterion{ID: "c", Scale: domains.Continuous, Min: -5, Max: 5}
	report := func(noise Noise, cell domains.Cell, i int) domains.Cell {
		p := &domains.Profile{Cells: []domains.Cell{cell}}
		return answer(t, NewNoisy(p, []domains.Criterion{c}, noise, Key{User: fmt.Sprint(i)}), 0)
	}
	sum, sq, atEnd := 0.0, 0.0, 0
	for i := range users {
		v := report(Noise{Slip: 0.05}, domains.At(0), i).Value()
		sum, sq = sum+v, sq+v*v
		w := report(Noise{Slip: 0.05}, domains.At(5), i).Value()
		if !(w <= 5 && w > 1) {
			t.Fatalf("5 reported as %v: outside, or eight standard deviations away", w)
		}
		if w == 5 {
			atEnd++
		}
		if x := report(Noise{FlipNotHeld: 1}, domains.NotHeld(), i).Value(); !(x >= -5 && x < 5) {
			t.Fatalf("not held reported at %v, outside the range", x)
		}
		if x := report(Noise{}, domains.At(1.25), i); !x.Equal(domains.At(1.25)) {
			t.Fatalf("without noise 1.25 is reported as %v", x)
		}
	}
	mean, sd := sum/users, math.Sqrt(sq/users)
	if math.Abs(mean) > 5*0.5/math.Sqrt(users) || math.Abs(sd-0.5) > 5*0.5/math.Sqrt(2*users) {
		t.Errorf("error of mean %.4f and standard deviation %.4f; want 0 and 0.5, a twentieth of the range", mean, sd)
	}
	if math.Abs(float64(atEnd)-users/2) > 5*math.Sqrt(users/4) {
		t.Errorf("%d of %d reports of the upper end are clipped to it, want half", atEnd, users)
	}
}

// TestMoreNoiseErrsOnMore: rates change which draws count, not the draws.
func TestMoreNoiseErrsOnMore(t *testing.T) {
	c := []domains.Criterion{{ID: "c", Levels: scale(5)}}
	p := &domains.Profile{Cells: []domains.Cell{domains.At(3)}}
	for i := range 2000 {
		k := Key{Seed: 7, Task: "t", User: fmt.Sprint(i)}
		low := answer(t, NewNoisy(p, c, Noise{FlipHeld: 0.1, Slip: 0.2}, k), 0)
		high := answer(t, NewNoisy(p, c, Noise{FlipHeld: 0.2, Slip: 0.4}, k), 0)
		if !low.Equal(domains.At(3)) && high.Equal(domains.At(3)) {
			t.Fatalf("user %d reports %v with little noise and errs no more with twice as much", i, low)
		}
	}
}

// TestEveryStrategyMeetsTheSameUser: answers depend on the key and the criterion,
// not on how often or in which order one asks; another seed is another draw.
func TestEveryStrategyMeetsTheSameUser(t *testing.T) {
	n := 40
	crit := make([]domains.Criterion, n)
	p := &domains.Profile{Cells: make([]domains.Cell, n)}
	for i := range crit {
		crit[i] = domains.Criterion{ID: fmt.Sprint("c", i), Levels: scale(5)}
		p.Cells[i] = domains.At(3)
	}
	noise := Noise{FlipHeld: 0.3, Slip: 0.5}
	a := NewNoisy(p, crit, noise, Key{Seed: 1, Task: "t", User: "u"})
	b := NewNoisy(p, crit, noise, Key{Seed: 1, Task: "t", User: "u"})
	other := NewNoisy(p, crit, noise, Key{Seed: 2, Task: "t", User: "u"})
	differ := 0
	for i := range n {
		first := answer(t, a, i)
		if again := answer(t, a, i); !again.Equal(first) {
			t.Errorf("position %d: %v, asked again %v", i, first, again)
		}
		if !answer(t, b, n-1-i).Equal(answer(t, a, n-1-i)) {
			t.Errorf("position %d: two instances of one user differ", n-1-i)
		}
		if !answer(t, other, i).Equal(first) {
			differ++
		}
	}
	if differ == 0 {
		t.Error("another seed gives the same user")
	}
}
