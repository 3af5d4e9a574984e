package belief

import (
	"math"

	"pepbench/domains"
)

// The least evidence that the released statistics take notice of, and what stands
// for what is not known (released code of arXiv 2602.15012).
const (
	leastTogether   = 3  // rows holding both, for a similarity or a correlation
	leastListed     = 5  // rows listing both, for conditionals
	unseenHeld      = .3 // P(held) of a criterion that no row lists
	unknownGiven    = .5 // P(c|o) where no row says whether
	spreadTolerance = 1e-12
)

// releasedStats are the counts that the released models are made of. A row lists a
// criterion when its task admits it and its cell is not missing; rows that hold
// none of what they list do not count. With n_c rows holding c and n_cd holding
// both,
//
//	Has[c]          = n_c / rows listing c
//	Value[c]        = mean value over the rows holding c
//	Similarity[c,d] = n_cd / sqrt(n_c n_d)            where n_cd >= 3, else 0
//	Given[c,d]      = P(d|c) = n_cd / n_c             over rows listing both, >= 5
//	GivenNot[c,d]   = P(d|not c)                      over the same rows
//	Correlation     = Pearson's over rows holding both, >= 3, both values with spread
//
// Conditionals are 0.5 where no row holds (or lacks) what is given. Matrices are
// dense, C x C with [c,d] at c*C+d. Has is NaN of what no row lists, Value the
// middle of the scale of what none holds (3 of 1..5) and NaN of a nominal
// criterion; Given and GivenNot are NaN of pairs listed together too seldom,
// Correlation of pairs without one, so of nominal criteria.
type releasedStats struct {
	Listed, Held []int
	Has, Value   []float64

	Similarity, Given, GivenNot, Correlation []float64

	levels [][]int // held at each level; nil of a continuous criterion
}

// newReleasedStats counts in time linear in rows x pairs of listed criteria. Above 1,
// minUsers takes criteria that fewer rows of a task hold as not listed by that
// task; the rows of a task are those that share Index.
func newReleasedStats(p Population, minUsers int) *releasedStats {
	n := len(p.Criteria)
	s := emptyReleasedStats(n)
	listed := p.listed(minUsers)

	// A pair needs rows listing both, rows of these holding either, and rows
	// holding both; entries [c,d] are of c in rows that list or hold d too.
	both, holds := make([]int, n*n), make([]int, n*n)
	together, sum := make([]int, n*n), make([]float64, n*n)
	known, held := make([]int, 0, n), make([]int, 0, n)
	value := make([]float64, n)
	each := func(visit func()) {
		for r, row := range p.Rows {
			known, held = known[:0], held[:0]
			for j, c := range row.Cells {
				if k := row.Index[j]; !c.IsMissing() && (listed == nil || listed[r][j]) {
					known = append(known, k)
					if c.IsHeld() {
						held = append(held, k)
						value[k] = c.Value()
					}
				}
			}
			if len(held) > 0 {
				visit()
			}
		}
	}
	for i := range p.Criteria {
		s.levels[i] = make([]int, len(p.Criteria[i].Levels))
	}
	each(func() {
		for _, c := range known {
			s.Listed[c]++
			row := both[c*n:][:n]
			for _, d := range known {
				row[d]++
			}
		}
		for _, c := range held {
			s.Held[c]++
			s.Value[c] += value[c]
			if l := p.Criteria[c].LevelOf(value[c]); l >= 0 {
				s.levels[c][l]++
			}
			row, co, to := holds[c*n:][:n], together[c*n:][:n], sum[c*n:][:n]
			for _, d := range known {
				row[d]++
			}
			for _, d := range held {
				co[d]++
				to[d] += value[c]
			}
		}
	})

	// Centred products, around the means of the rows that hold both.
	square, product := make([]float64, n*n), make([]float64, n*n)
	each(func() {
		for _, c := range held {
			for _, d := range held {
				cd, dc := c*n+d, d*n+c
				a := value[c] - sum[cd]/float64(together[cd])
				square[cd] += float64(a * a)
				if c < d {
					b := value[d] - sum[dc]/float64(together[dc])
					product[cd] += float64(a * b)
				}
			}
		}
	})

	for i := range p.Criteria {
		c := &p.Criteria[i]
		s.Has[i] = float64(s.Held[i]) / float64(s.Listed[i])
		switch {
		case c.Scale == domains.Nominal:
			s.Value[i] = math.NaN()
		case s.Held[i] == 0:
			s.Value[i] = scaleMiddle(c)
		default:
			lo, hi := scaleEnds(c)
			s.Value[i] = min(max(s.Value[i]/float64(s.Held[i]), lo), hi) // rounding must not leave the scale
		}
	}
	for c := range n {
		for d := range n {
			cd, dc := c*n+d, d*n+c
			if c == d {
				continue
			}
			co := together[cd]
			if co >= leastTogether {
				s.Similarity[cd] = float64(co) / math.Sqrt(float64(s.Held[c])*float64(s.Held[d]))
			}
			if both[cd] >= leastListed {
				s.Given[cd] = shareOf(co, holds[cd])
				s.GivenNot[cd] = shareOf(holds[dc]-co, both[cd]-holds[cd])
			}
			if c < d && co >= leastTogether && hasSpread(&p.Criteria[c], square[cd], co) && hasSpread(&p.Criteria[d], square[dc], co) {
				r := product[cd] / math.Sqrt(square[cd]) / math.Sqrt(square[dc])
				s.Correlation[cd] = min(max(r, -1), 1)
				s.Correlation[dc] = s.Correlation[cd]
			}
		}
	}
	return s
}

// emptyReleasedStats makes room for n criteria of which nothing is known.
func emptyReleasedStats(n int) *releasedStats {
	unknown := func() []float64 {
		out := make([]float64, n*n)
		for i := range out {
			out[i] = math.NaN()
		}
		return out
	}
	return &releasedStats{
		Listed: make([]int, n), Held: make([]int, n), Has: make([]float64, n), Value: make([]float64, n),
		Similarity: make([]float64, n*n), Given: unknown(), GivenNot: unknown(), Correlation: unknown(),
		levels: make([][]int, n),
	}
}

// listed says of every row which of its criteria at least least rows of its task
// hold; nil where all count.
func (p *Population) listed(least int) [][]bool {
	if least <= 1 {
		return nil
	}
	held := map[*int][]int{} // by task, known by its Index
	for _, row := range p.Rows {
		if len(row.Index) == 0 {
			continue
		}
		n := held[&row.Index[0]]
		if n == nil {
			n = make([]int, len(row.Index))
			held[&row.Index[0]] = n
		}
		for j, c := range row.Cells {
			if c.IsHeld() {
				n[j]++
			}
		}
	}
	byTask := map[*int][]bool{}
	for task, n := range held {
		byTask[task] = make([]bool, len(n))
		for j, v := range n {
			byTask[task][j] = v >= least
		}
	}
	out := make([][]bool, len(p.Rows))
	for r, row := range p.Rows {
		if len(row.Index) > 0 {
			out[r] = byTask[&row.Index[0]]
		}
	}
	return out
}

// shareOf is a/b, or what is said where no row says anything.
func shareOf(a, b int) float64 {
	if b == 0 {
		return unknownGiven
	}
	return float64(a) / float64(b)
}

// hasSpread reports whether n values of c, with the given sum of squares around their
// mean, differ by more than rounding. Those of a nominal criterion are no numbers.
func hasSpread(c *domains.Criterion, square float64, n int) bool {
	if c.Scale == domains.Nominal {
		return false
	}
	least := spreadTolerance * c.Range()
	return square > float64(n)*least*least
}
