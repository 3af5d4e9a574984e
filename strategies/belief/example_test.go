package belief_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"pepbench/domains"
	"pepbench/strategies/belief"
)

// Two kinds of people: one holds the first two criteria, the other the last two. One
// answer tells which kind somebody is, and by that what else is held.
func Example() {
	var p belief.Population
	for _, id := range []string{"brevity", "bullets", "sources", "caveats"} {
		p.Criteria = append(p.Criteria, domains.Criterion{
			ID: id, Name: id, Question: id + "?", Levels: []domains.Level{{Value: 1}, {Value: 2}, {Value: 3}},
		})
	}
	rng := rand.New(rand.NewPCG(1, 1))
	all := []int{0, 1, 2, 3}
	for range 300 {
		kind := rng.IntN(2)
		cells := make([]domains.Cell, len(all))
		for c := range cells {
			cells[c] = domains.NotHeld()
			if c/2 == kind && rng.Float64() < 0.9 {
				cells[c] = domains.At(float64(2 + rng.IntN(2)))
			}
		}
		p.Rows = append(p.Rows, belief.Row{Index: all, Cells: cells})
	}
	train, dev := p, p
	train.Rows, dev.Rows = p.Rows[:200], p.Rows[200:]

	opt := belief.DefaultLatentClass
	opt.Classes = []int{1, 2, 3}
	m, _, err := belief.FitLatentClass(context.Background(), train, dev, opt)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.About())

	b := m.Start(all)
	fmt.Printf("before  %.2f\n", b.Infer().Held)
	b.Observe(0, domains.At(3)) // brevity, very much
	inf := b.Infer()
	fmt.Printf("after   %.2f\n", inf.Held)
	fmt.Printf("bullets, if held: %.1f of 1..3\n", inf.Value[1])
	// Output:
	// mixture of 2 classes, criteria independent within a class
	// before  [0.48 0.49 0.40 0.39]
	// after   [1.00 0.88 0.04 0.04]
	// bullets, if held: 2.4 of 1..3
}
