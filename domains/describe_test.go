package domains_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pepbench/domains"
)

// table makes a data set of one task from rows of cells, each repeated times
// times; scale is that of all criteria.
func table(scale domains.Scale, times int, rows ...[]domains.Cell) *domains.Dataset {
	d := &domains.Dataset{Name: "table", Rubric: domains.NoRubric, Tasks: []domains.Task{{ID: "t"}}}
	for i := range rows[0] {
		c := domains.Criterion{ID: fmt.Sprintf("c%d", i), Name: fmt.Sprintf("c%d", i), Scale: scale}
		if scale == domains.Continuous {
			c.Min, c.Max = -10, 10
		} else {
			for v := range 6 {
				c.Levels = append(c.Levels, domains.Level{Value: float64(v)})
			}
		}
		d.Criteria = append(d.Criteria, c)
		d.Tasks[0].Criteria = append(d.Tasks[0].Criteria, i)
	}
	for range times {
		for _, r := range rows {
			d.Profiles = append(d.Profiles, domains.Profile{User: len(d.Users), Cells: r})
			d.Users = append(d.Users, domains.User{ID: fmt.Sprintf("u%05d", len(d.Users))})
		}
	}
	return d
}

func TestDescribe(t *testing.T) {
	na, no, at := math.NaN(), domains.NotHeld(), domains.At
	gone := domains.Missing()
	row := func(c ...domains.Cell) []domains.Cell { return c }
	all := func(v float64) [5]float64 { return [5]float64{v, v, v, v, v} }

	sparse := table(domains.Ordinal, 1, row(at(1), no), row(no, at(2)), row(no, no))
	sparse.Tasks = append(sparse.Tasks, domains.Task{ID: "t2", Criteria: []int{1}})
	sparse.Profiles = append(sparse.Profiles, domains.Profile{Task: 1, User: 0, Cells: row(at(3))})

	for _, tt := range []struct {
		reason string
		data   *domains.Dataset
		want   domains.Stats
	}{
		{
			"four cells of a 2 x 2 table: (12*28-10*10)/(22*38), and 12 profiles with both are too few to correlate",
			table(domains.Ordinal, 2, append(append(append(
				repeat(6, row(at(1), at(1))), repeat(5, row(at(2), no))...), repeat(5, row(no, at(4)))...), repeat(14, row(no, no))...)...),
			domains.Stats{
				Profiles: 60, Criteria: 2, MeanHeld: 44.0 / 60, Holding: all(22.0 / 60),
				Phi: 236.0 / 836, PhiPairs: 1, Corr: na, CorrUndefined: 1,
				Entropy: binary(10.0 / 22),
			},
		},
		{
			"everybody holds everything: no phi; values 1 2 3 against 2 4 3 correlate at one half",
			table(domains.Ordinal, 10, row(at(1), at(2)), row(at(2), at(4)), row(at(3), at(3))),
			domains.Stats{
				Profiles: 30, Criteria: 2, MeanHeld: 2, Holding: all(1),
				Phi: na, PhiUndefined: 1, Corr: .5, CorrPairs: 1, Entropy: math.Log2(3),
			},
		},
		{
			"a correlation of -1 counts as 1, and 29 profiles are one too few for the other two pairs",
			table(domains.Ordinal, 1, append(append(
				repeat(15, row(at(1), at(5), at(0))), repeat(14, row(at(2), at(3), at(1)))...), row(at(2), at(3), gone))...),
			domains.Stats{
				Profiles: 30, Criteria: 3, MeanHeld: 89.0 / 30, Holding: all(1),
				Phi: na, PhiUndefined: 3, Corr: 1, CorrPairs: 1, CorrUndefined: 2, Entropy: (2 + binary(15.0/29)) / 3,
			},
		},
		{
			"a constant value has no correlation and no entropy",
			table(domains.Ordinal, 20, row(at(1), at(4)), row(at(2), at(4))),
			domains.Stats{
				Profiles: 40, Criteria: 2, MeanHeld: 2, Holding: all(1),
				Phi: na, PhiUndefined: 1, Corr: na, CorrUndefined: 1, Entropy: .5,
			},
		},
		{
			"missing cells are in no rate: 25 of 50 and 40 of 50 and nothing of 0 profiles; the pair shares exactly 50",
			table(domains.Ordinal, 1, append(append(append(
				repeat(25, row(at(1), at(1), gone)), repeat(15, row(no, at(1), gone))...), repeat(10, row(no, no, gone))...), row(gone, gone, gone))...),
			domains.Stats{
				Profiles: 51, Criteria: 3, MeanHeld: 65.0 / 51, Holding: [5]float64{.5, .575, .65, .725, .8},
				Phi: (.5 - .5*.8) / math.Sqrt(.25*.16), PhiPairs: 1, PhiUndefined: 2, Corr: na, CorrUndefined: 3, Entropy: 0,
			},
		},
		{
			"49 profiles with both known are one too few for phi, however many know one",
			table(domains.Ordinal, 1, append(append(repeat(25, row(at(1), at(1))), repeat(24, row(no, no))...), repeat(9, row(at(1), gone))...)...),
			domains.Stats{
				Profiles: 58, Criteria: 2, MeanHeld: 59.0 / 58,
				Holding: [5]float64{25.0 / 49, .75*25/49 + .25*34/58, .5*25/49 + .5*34/58, .25*25/49 + .75*34/58, 34.0 / 58},
				Phi:     na, PhiUndefined: 1, Corr: na, CorrUndefined: 1, Entropy: 0,
			},
		},
		{
			"names have no correlation but an entropy",
			table(domains.Nominal, 15, row(at(0), at(0)), row(at(1), at(1))),
			domains.Stats{
				Profiles: 30, Criteria: 2, MeanHeld: 2, Holding: all(1),
				Phi: na, PhiUndefined: 1, Corr: na, CorrUndefined: 1, Entropy: 1,
			},
		},
		{
			"numbers have a correlation but no entropy; a large offset and a tiny spread do no harm",
			table(domains.Continuous, 20, row(at(9), at(8+1e-9)), row(at(-9), at(8))),
			domains.Stats{
				Profiles: 40, Criteria: 2, MeanHeld: 2, Holding: all(1),
				Phi: na, PhiUndefined: 1, Corr: 1, CorrPairs: 1, Entropy: na,
			},
		},
		{
			"a constant that no sum of floats hits exactly is still a constant",
			table(domains.Continuous, 20, row(at(.1), at(8)), row(at(.1), at(7))),
			domains.Stats{
				Profiles: 40, Criteria: 2, MeanHeld: 2, Holding: all(1),
				Phi: na, PhiUndefined: 1, Corr: na, CorrUndefined: 1, Entropy: na,
			},
		},
		{
			"a task that lists one criterion only: rates 1 of 3 and 2 of 4",
			sparse,
			domains.Stats{
				Profiles: 4, Criteria: 2, MeanHeld: .75,
				Holding: [5]float64{1.0 / 3, 1.0/3 + 1.0/24, 1.0/3 + 1.0/12, 1.0/3 + 1.0/8, .5},
				Phi:     na, PhiUndefined: 1, Corr: na, CorrUndefined: 1, Entropy: .5,
			},
		},
		{
			"nothing at all", &domains.Dataset{},
			domains.Stats{MeanHeld: na, Holding: all(na), Phi: na, Corr: na, Entropy: na},
		},
	} {
		got := domains.Describe(tt.data)
		if !equalStats(got, tt.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.reason, got, tt.want)
		}
	}
}

func repeat(n int, row []domains.Cell) [][]domains.Cell {
	out := make([][]domains.Cell, n)
	for i := range out {
		out[i] = row
	}
	return out
}

// binary is the entropy of one value with share p and another with the rest.
func binary(p float64) float64 { return -p*math.Log2(p) - (1-p)*math.Log2(1-p) }

func equalStats(a, b domains.Stats) bool {
	same := func(x, y float64) bool { return math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) < 1e-6 }
	ok := a.Profiles == b.Profiles && a.Criteria == b.Criteria &&
		a.PhiPairs == b.PhiPairs && a.PhiUndefined == b.PhiUndefined &&
		a.CorrPairs == b.CorrPairs && a.CorrUndefined == b.CorrUndefined &&
		same(a.MeanHeld, b.MeanHeld) && same(a.Phi, b.Phi) && same(a.Corr, b.Corr) && same(a.Entropy, b.Entropy)
	for i := range a.Holding {
		ok = ok && same(a.Holding[i], b.Holding[i])
	}
	return ok
}

// Against the definitions written out cell by cell, on random data with missing
// cells and tasks that list some of the criteria.
func TestDescribeAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 20 {
		const criteria, rows = 5, 150
		d := table(domains.Ordinal, 1, repeat(rows, make([]domains.Cell, criteria))...)
		d.Tasks = append(d.Tasks, domains.Task{ID: "t2", Criteria: []int{0, 2, 4}})
		grid := make([][]domains.Cell, rows) // all criteria, missing where not listed
		for r := range d.Profiles {
			p := &d.Profiles[r]
			p.Task = r * 2 / rows
			list := d.Tasks[p.Task].Criteria
			p.Cells = make([]domains.Cell, len(list))
			grid[r] = make([]domains.Cell, criteria)
			for c := range grid[r] {
				grid[r][c] = domains.Missing()
			}
			for j, c := range list {
				switch k := rng.IntN(10); {
				case k < 2:
					p.Cells[j] = domains.Missing()
				case k < 4+i%4:
					p.Cells[j] = domains.NotHeld()
				default:
					p.Cells[j] = domains.At(float64(rng.IntN(6)))
				}
				grid[r][c] = p.Cells[j]
			}
		}
		got, want := domains.Describe(d), bruteForce(grid)
		for _, v := range []struct {
			name      string
			got, want float64
		}{
			{"mean held", got.MeanHeld, want.MeanHeld},
			{"phi", got.Phi, want.Phi},
			{"pairs with phi", float64(got.PhiPairs), float64(want.PhiPairs)},
			{"correlation", got.Corr, want.Corr},
			{"pairs with a correlation", float64(got.CorrPairs), float64(want.CorrPairs)},
			{"pairs", float64(got.CorrPairs + got.CorrUndefined), 10},
		} {
			if math.Abs(v.got-v.want) > 1e-9 || math.IsNaN(v.got) != math.IsNaN(v.want) {
				t.Errorf("data set %d: %s is %v, by definition %v", i, v.name, v.got, v.want)
			}
		}
	}
}

func bruteForce(grid [][]domains.Cell) domains.Stats {
	var s domains.Stats
	pearson := func(x, y []float64) float64 {
		mean := func(v []float64) float64 {
			sum := 0.0
			for _, a := range v {
				sum += a
			}
			return sum / float64(len(v))
		}
		mx, my := mean(x), mean(y)
		var xx, yy, xy float64
		for i := range x {
			xx += (x[i] - mx) * (x[i] - mx)
			yy += (y[i] - my) * (y[i] - my)
			xy += (x[i] - mx) * (y[i] - my)
		}
		return xy / math.Sqrt(xx*yy)
	}
	held := func(c domains.Cell) float64 {
		if c.IsHeld() {
			return 1
		}
		return 0
	}
	for _, r := range grid {
		for _, c := range r {
			s.MeanHeld += held(c) / float64(len(grid))
		}
	}
	for i := range grid[0] {
		for j := i + 1; j < len(grid[0]); j++ {
			var hi, hj, vi, vj []float64
			for _, r := range grid {
				if r[i].IsMissing() || r[j].IsMissing() {
					continue
				}
				hi, hj = append(hi, held(r[i])), append(hj, held(r[j]))
				if r[i].IsHeld() && r[j].IsHeld() {
					vi, vj = append(vi, r[i].Value()), append(vj, r[j].Value())
				}
			}
			if v := pearson(hi, hj); len(hi) >= 50 && !math.IsNaN(v) {
				s.Phi += math.Abs(v)
				s.PhiPairs++
			}
			if v := pearson(vi, vj); len(vi) >= 30 && !math.IsNaN(v) {
				s.Corr += math.Abs(v)
				s.CorrPairs++
			}
		}
	}
	s.Phi /= float64(s.PhiPairs)
	s.Corr /= float64(s.CorrPairs)
	return s
}

func TestDescribeIsQuick(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, size := range []struct{ rows, criteria int }{{11520, 36}, {1276, 40}, {1113, 60}} {
		rows := make([][]domains.Cell, size.rows)
		for r := range rows {
			for range size.criteria {
				rows[r] = append(rows[r], domains.At(float64(rng.IntN(5))))
			}
		}
		d := table(domains.Ordinal, 1, rows...)
		start := time.Now()
		domains.Describe(d)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%d profiles of %d criteria, all held, took %v", size.rows, size.criteria, took)
		}
	}
}

func BenchmarkDescribe(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 4))
	rows := make([][]domains.Cell, 11520)
	for r := range rows {
		for range 36 {
			c := domains.NotHeld()
			if rng.IntN(9) == 0 {
				c = domains.At(float64(1 + rng.IntN(5)))
			}
			rows[r] = append(rows[r], c)
		}
	}
	d := table(domains.Ordinal, 1, rows...)
	for b.Loop() {
		domains.Describe(d)
	}
}
