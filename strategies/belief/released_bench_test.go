package belief

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"pepbench/domains"
)

// densePopulation has n criteria, all of whose pairs are held together often
// enough for every statistic: the worst case of the kernels.
func densePopulation(n, rows int) Population {
	rng := randomly(25)
	p := Population{Criteria: scales(n, 5)}
	for range rows {
		row := Row{Index: index(n), Cells: make([]domains.Cell, n)}
		for j := range row.Cells {
			row.Cells[j] = domains.NotHeld()
			if rng.Float64() < .3 {
				row.Cells[j] = domains.At(float64(1 + rng.IntN(5)))
			}
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

// BenchmarkReleasedSelect is one selection by binary information gain, two answers
// told.
func BenchmarkReleasedSelect(b *testing.B) {
	const n = 25
	p := densePopulation(n, 2000)
	for _, rule := range Rules {
		b.Run(fmt.Sprintf("rule=%s/c=%d", rule, n), func(b *testing.B) {
			m, _, err := FitReleased(context.Background(), p, Population{Criteria: p.Criteria}, ReleasedOptions{Rule: rule})
			if err != nil {
				b.Fatal(err)
			}
			belief, c := m.Start(index(n)).(BinaryInformer), newChooser(m, index(n), "Binary IG")
			for i, cell := range []domains.Cell{domains.At(4), domains.NotHeld()} {
				belief.Observe(i, cell)
				c.ask(i)
			}
			c.next(belief) // makes the scratch
			b.ReportAllocs()
			for b.Loop() {
				c.next(belief)
			}
			if rule == RuleNaiveBayes {
				// for every pair of unasked criteria and either answer a sum of log odds and
				// an entropy, which is a polynomial of degree 5; the odds of both are read
				pairs := float64((n - 2) * (n - 3))
				b.ReportMetric(pairs*2*(1+10), "flop/op")
				b.ReportMetric(pairs*2*8, "B-touched/op")
			}
		})
	}
}

// BenchmarkReferenceGrid is the reference's whole grid on its data: every test
// session x 7 models x 5 acquisitions x budget, nothing remembered between
// sessions. Fitting is a benchmark of its own.
func BenchmarkReferenceGrid(b *testing.B) {
	r := loadParity(b)
	var models []*Released
	for _, rule := range Rules {
		if rule != RuleUniform {
			models = append(models, r.fit(b, rule, false))
		}
	}
	b.ReportAllocs()
	asked := 0
	for b.Loop() {
		asked = 0
		rng := rand.New(rand.NewPCG(1, 1))
		for _, i := range r.Test {
			profile := &r.Data.Profiles[i]
			criteria := r.Data.Tasks[profile.Task].Criteria
			for _, m := range models {
				for _, strategy := range []string{"Random", "Uncertainty", "Fixed", "Greedy EV", "Binary IG"} {
					belief, c := m.Start(criteria).(BinaryInformer), newChooser(m, criteria, strategy)
					for range r.Config.Budget {
						q := -1
						if strategy == "Random" {
							for q = rng.IntN(len(criteria)); c.asked[q]; q = rng.IntN(len(criteria)) {
							}
						} else {
							q = c.next(belief)
						}
						c.ask(q)
						belief.Observe(q, profile.Cells[q])
						asked++
					}
				}
			}
		}
	}
	b.ReportMetric(float64(asked), "questions")
}

// BenchmarkReleasedFit counts the statistics of the reference's training profiles,
// and of a survey.
func BenchmarkReleasedFit(b *testing.B) {
	r := loadParity(b)
	for _, test := range []struct {
		name  string
		train Population
	}{
		{"data=reference", r.train},
		{"rows=4000/d=135", densePopulation(135, 4000)},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				fitReleased(b, test.train, ReleasedOptions{Rule: RuleHybrid})
			}
		})
	}
}
