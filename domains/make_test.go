package domains_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pepbench/domains"
)

// five is an ordinal criterion with levels 1..5.
func five(id string) domains.Criterion {
	c := domains.Criterion{ID: id, Name: id, Question: id + "?"}
	for v := range 5 {
		c.Levels = append(c.Levels, domains.Level{Value: float64(v + 1), Text: fmt.Sprintf("%s %d", id, v+1)})
	}
	return c
}

// random is a valid data set with profiles of some users on some tasks; weighted
// says whether they have weights, missing whether some cells are.
func random(rng *rand.Rand, tasks, users, criteria int, weighted, missing bool) *domains.Dataset {
	d := &domains.Dataset{Name: "random", Rubric: domains.Quality}
	for c := range criteria {
		d.Criteria = append(d.Criteria, five(fmt.Sprintf("c%02d", c)))
	}
	for u := range users {
		d.Users = append(d.Users, domains.User{ID: fmt.Sprintf("u%02d", u)})
	}
	for t := range tasks {
		task := domains.Task{ID: fmt.Sprintf("t%02d", t)}
		for c := range criteria {
			if rng.IntN(4) > 0 {
				task.Criteria = append(task.Criteria, c)
			}
		}
		d.Tasks = append(d.Tasks, task)
		for u := range users {
			if rng.IntN(8) == 0 && t+u > 0 { // at least one profile
				continue
			}
			p := domains.Profile{Task: t, User: u}
			for range task.Criteria {
				switch k := rng.IntN(8); {
				case k < 3:
					p.Cells = append(p.Cells, domains.At(float64(1+rng.IntN(5))))
				case k == 3 && missing:
					p.Cells = append(p.Cells, domains.Missing())
				default:
					p.Cells = append(p.Cells, domains.NotHeld())
				}
			}
			if weighted && len(p.Cells) > 0 {
				p.Weights = make([]float64, len(p.Cells))
				p.Notes = make([]domains.Note, len(p.Cells))
				for i := range p.Weights {
					p.Weights[i] = rng.Float64()
					p.Notes[i].Justification = fmt.Sprint(t, u, task.Criteria[i])
				}
				if _, err := p.Normalise(); err != nil {
					panic(err)
				}
			}
			d.Profiles = append(d.Profiles, p)
		}
	}
	return d
}

// The other tests mean nothing if their data sets are not valid.
func TestRandomIsValid(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 50 {
		if err := random(rng, 1+rng.IntN(5), 1+rng.IntN(9), 1+rng.IntN(7), i%2 == 0, i%3 == 0).Validate(); err != nil {
			t.Fatal(err)
		}
	}
}
