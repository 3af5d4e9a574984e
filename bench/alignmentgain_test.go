package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pepbench/bench/solver"
	"pepbench/domains"
	"pepbench/judges"
	"pepbench/strategies/belief"
	"pepbench/strategies/pep"
)

// TestAlignmentGainIsWhatJudgesGive: the score is what the profile solver, told one
// answer more, is expected to gain by the profile judge, over all profiles that the
// belief thinks possible: exactly where everything is held. Where the number of held
// criteria varies, and it does so most among few, the quotient of means misses the
// mean of quotients, but asks what is worth most all the same.
func TestAlignmentGainIsWhatJudgesGive(t *testing.T) {
	const n = 4
	ctx := context.Background()
	for _, row := range []struct {
		reason string
		held   float64
		opt    solver.Options
		within float64
	}{
		{"everything held, everything written", 1, solver.Options{MaxCriteria: -1}, 0.02},
		{"everything held, two written", 1, solver.Options{MaxCriteria: 2}, 0.02},
		{"sparse, everything written", 0.6, solver.Options{MaxCriteria: -1}, 1.6},
		{"sparse, two written", 0.6, solver.Options{MaxCriteria: 2}, 1.6},
		{"sparse, written if likelier than not", 0.6, solver.Options{MaxCriteria: 2, MinHeld: 0.5}, 1.6},
	} {
		rng := rand.New(rand.NewPCG(3, 75))
		p := belief.Population{}
		index := make([]int, n)
		for i := range n {
			c := domains.Criterion{ID: fmt.Sprint(i), Name: fmt.Sprint(i), Question: "?"}
			if i == n-1 {
				c.Scale = domains.Nominal
			}
			for l := range 3 {
				c.Levels = append(c.Levels, domains.Level{Value: float64(l)})
			}
			p.Criteria, index[i] = append(p.Criteria, c), i
		}
		for range 4000 {
			side := rng.IntN(2)
			cells := make([]domains.Cell, n)
			for i := range cells {
				cells[i] = domains.NotHeld()
				if rng.Float64() < row.held+0.3*(1-row.held)*float64(2*((i+side)%2)-1) {
					cells[i] = domains.At(float64(side + rng.IntN(2)))
				}
			}
			p.Rows = append(p.Rows, belief.Row{Index: index, Cells: cells})
		}
		opt := belief.DefaultLatentClass
		opt.Classes = []int{2}
		m, _, err := belief.FitLatentClass(ctx, p, belief.Population{Criteria: p.Criteria}, opt)
		if err != nil {
			t.Fatal(err)
		}
		start := m.Start(index).(belief.Joint)
		earned := func(b belief.Belief, cells []domains.Cell) float64 {
			s, err := solver.Profile{Options: row.opt}.Solve(ctx, solver.Problem{Criteria: p.Criteria, Inference: b.Infer()})
			if err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			grades := judges.Profile{}.Grade(judges.Case{Criteria: p.Criteria, Profile: &domains.Profile{Cells: cells}, Expressed: s.Instructed, Values: s.Wanted})
			for _, g := range grades {
				sum += (*g.Score - 1) / 4 * 100
			}
			return sum / float64(len(grades))
		}
		want := make([]float64, n)
		cells := make([]domains.Cell, n)
		total := 0.0
		var walk func(i int, prob float64, b belief.Joint)
		walk = func(i int, prob float64, b belief.Joint) {
			if i < n {
				for s, q := range b.States(nil, i) {
					next := b.Clone().(belief.Joint)
					cells[i] = b.Answer(i, s)
					next.Observe(i, cells[i])
					walk(i+1, prob*q, next)
				}
				return
			}
			if !slices.ContainsFunc(cells, domains.Cell.IsHeld) {
				return // nothing to grade: no session has such a user
			}
			total += prob
			before := earned(start, cells)
			for j := range n {
				told := start.Clone()
				told.Observe(j, cells[j])
				want[j] += prob * (earned(told, cells) - before)
			}
		}
		walk(0, 1, start)
		turn := pep.NewTurn(start, p.Criteria, nil)
		for i := range turn.Candidate {
			turn.Candidate[i] = true
		}
		got := make([]float64, n)
		gain, err := pep.Lookup("alignment-gain", pep.Options{MaxCriteria: row.opt.MaxCriteria, MinHeld: row.opt.MinHeld})
		if err != nil {
			t.Fatal(err)
		}
		gain.Score(got, turn)
		top := 0
		for j := range n {
			if want[j] /= total; math.Abs(got[j]-want[j]) > row.within || want[j] < 0.5 {
				t.Errorf("%s: question %d scores %v, is worth %v", row.reason, j, got[j], want[j])
			}
			if got[j] > got[top] {
				top = j
			}
		}
		if most := slices.Max(want); want[top] < most-0.1 {
			t.Errorf("%s: question %d is asked and worth %v, the best %v", row.reason, top, want[top], most)
		}
	}
}
