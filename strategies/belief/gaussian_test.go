package belief

import (
	"math"
	"math/rand/v2"

	"pepbench/domains"
)

// randomGaussian is a model as if it had been fitted; probes are normal with
// standard deviation sparse, and with sparse 0 everything is held.
func randomGaussian(rng *rand.Rand, criteria []domains.Criterion, d int, sparse float64) *Factor {
	m := &Factor{gaussian: newGaussian(criteria, d)}
	for c := range criteria {
		m.mean[c], m.noise[c], m.bias[c] = 0.3+0.4*rng.Float64(), 0.01+0.04*rng.Float64(), 5
		if sparse > 0 {
			m.bias[c] = -1 + rng.NormFloat64()
		}
		m.cut[c] = midpoints(&criteria[c])
		for x := range d {
			m.load[c*d+x] = 0.2 * rng.NormFloat64()
			m.probe[c*d+x] = sparse * rng.NormFloat64()
		}
	}
	m.finish()
	return m
}

// drawRows draws complete rows from the model: an embedding, then every cell given it.
func drawRows(rng *rand.Rand, m *Factor, rows int) Population {
	p := Population{Criteria: m.criteria}
	all := index(len(m.criteria))
	z := make([]float64, m.d)
	for range rows {
		for x := range z {
			z[x] = rng.NormFloat64()
		}
		cells := make([]domains.Cell, len(all))
		for c := range cells {
			cells[c] = cellOf(rng, m, c, z)
		}
		p.Rows = append(p.Rows, Row{Index: all, Cells: cells})
	}
	return p
}

// cellOf draws the cell of criterion c of a user with embedding z.
func cellOf(rng *rand.Rand, m *Factor, c int, z []float64) domains.Cell {
	if m.bias[c]+dot(m.probe[c*m.d:][:m.d], z)+rng.NormFloat64() <= 0 {
		return domains.NotHeld()
	}
	x := m.mean[c] + dot(m.load[c*m.d:][:m.d], z) + math.Sqrt(m.noise[c])*rng.NormFloat64()
	if m.criteria[c].Scale == domains.Continuous {
		return domains.At(m.clip(c, x))
	}
	l := 0
	for l < len(m.cut[c]) && x > m.cut[c][l] {
		l++
	}
	return domains.At(m.criteria[c].Levels[l].Value)
}
