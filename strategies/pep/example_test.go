package pep_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"pepbench/domains"
	"pepbench/strategies"
	"pepbench/strategies/belief"
	"pepbench/strategies/pep"
)

// Two kinds of people hold either the first two criteria or the last two. The first
// answer tells which kind somebody is, and what is asked next depends on it; the
// static twin asks everybody the same.
func Example() {
	ctx := context.Background()
	var p belief.Population
	for _, id := range []string{"brevity", "bullets", "sources", "caveats"} {
		p.Criteria = append(p.Criteria, domains.Criterion{
			ID: id, Name: id, Question: id + "?", Levels: []domains.Level{{Value: 1}, {Value: 2}, {Value: 3}},
		})
	}
	rng := rand.New(rand.NewPCG(1, 1))
	task := domains.Task{ID: "letter", Criteria: []int{0, 1, 2, 3}}
	for range 300 {
		kind := rng.IntN(2)
		cells := make([]domains.Cell, len(task.Criteria))
		for c := range cells {
			cells[c] = domains.NotHeld()
			if c/2 == kind && rng.Float64() < 0.8 {
				cells[c] = domains.At(float64(1 + rng.IntN(3)))
			}
		}
		p.Rows = append(p.Rows, belief.Row{Index: task.Criteria, Cells: cells})
	}
	opt := belief.DefaultLatentClass
	opt.Classes = []int{2}
	m, _, err := belief.FitLatentClass(ctx, p, belief.Population{Criteria: p.Criteria}, opt)
	if err != nil {
		fmt.Println(err)
		return
	}
	acquisition, err := pep.Lookup("alignment-gain", pep.Options{MaxCriteria: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	rule := pep.Rule{Model: m, Acquisition: acquisition}
	set := strategies.Setting{Task: task, Criteria: p.Criteria, Budget: 3, User: "u"}
	for _, row := range []struct {
		name     string
		strategy strategies.Strategy
	}{{"pep", pep.New(rule, nil)}, {"twin", strategies.Static{Order: pep.NewTwin(rule, 1)}}} {
		for _, first := range []string{"held", "not held"} {
			e := row.strategy.Begin(set)
			fmt.Printf("%s, first %s:", row.name, first)
			for n := range set.Budget {
				q, err := e.Next(ctx)
				if err != nil {
					break
				}
				fmt.Print(" ", q.Text)
				cell := domains.NotHeld()
				if (n == 0) == (first == "held") {
					cell = domains.At(2)
				}
				e.Observe(q, domains.Answer{Cell: cell})
			}
			fmt.Println()
		}
	}
	// Output:
	// pep, first held: sources? caveats? bullets?
	// pep, first not held: sources? bullets? brevity?
	// twin, first held: sources? caveats? bullets?
	// twin, first not held: sources? caveats? bullets?
}
