package stats

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// A TwoWay draws rows and columns of a table independently, each with replacement, and
// takes a cell as often as its row times as its column (the pigeonhole bootstrap: Owen,
// The Pigeonhole Bootstrap, Annals of Applied Statistics 1(2), 2007; McCullagh,
// Resampling and Exchangeable Arrays, Bernoulli 6(2), 2000). It is for units whose rows
// (tasks) share columns (users), where drawing rows alone says nothing of other columns.
// Cells may be empty. Its variance errs on the large side: what belongs to a
// single cell alone counts up to three times (Owen).
type TwoWay struct {
	Bootstrap
	Rows    []int // of every unit: its row, 0..
	Columns []int // of every unit: its column, 0..
}

// blockResamples is for how many resamples weights are laid out at once: few enough that
// they stay in the cache beside a column.
const blockResamples = 32

// Means is Bootstrap.Means with a value a unit: out[q][r] is of quantity q in resample r
//
//	sum_t a_t m_t / sum_t a_t,   m_t = sum_{i in t} b_{u(i)} x_i / sum_{i in t} b_{u(i)}
//
// over the units i of row t that are not NaN, where resample r draws row t a_t times and
// column u b_u times. A row none of whose columns is drawn is left out of that resample,
// and a resample without any row gives NaN. The value on the whole data is the mean over
// rows of the means of their units.
//
// Resample r is drawn with PCG(Seed, r): rows as Bootstrap draws as many clusters, then
// columns. Means panics when quantities, Rows and Columns differ in length.
func (w TwoWay) Means(quantities ...[]float64) [][]float64 {
	if len(w.Rows) != len(w.Columns) {
		panic("stats: rows and columns differ in length")
	}
	out := make([][]float64, len(quantities))
	sets := w.sets(quantities)
	for q := range out {
		out[q] = make([]float64, w.Resamples)
	}
	rows, columns := make([]float64, size(w.Rows)), make([]float64, size(w.Columns))
	drawn, total := make([]float64, len(w.Rows)), make([]float64, len(rows))
	for from := 0; from < w.Resamples; from += blockResamples {
		n := min(blockResamples, w.Resamples-from)
		for k := range n {
			w.draw(from+k, rows, columns)
			for i, u := range w.Columns {
				drawn[i] = columns[u]
			}
			for s := range sets {
				sets[s].weigh(k, w.Rows, rows, drawn, total)
			}
		}
		for s := range sets {
			set := &sets[s]
			for j, q := range set.quantities {
				for k := range n {
					out[q][from+k] = math.NaN()
					if set.some[k] {
						out[q][from+k] = floats.Dot(set.weight[k], set.values[j])
					}
				}
			}
		}
	}
	return out
}

// size is one more than the largest index.
func size(of []int) int {
	n := 0
	for _, v := range of {
		n = max(n, v+1)
	}
	return n
}

// A unitSet is the quantities that are defined for the same units, and so weigh them
// alike: what they are in a resample is a product with its weights.
type unitSet struct {
	known      []float64 // of every unit: 1 or 0
	quantities []int
	values     [][]float64 // of each of these, 0 where unknown
	weight     [][]float64 // of each resample of a block and every unit
	some       []bool      // of each resample of a block: some unit is drawn
}

// sets groups quantities by the units that they are defined for.
func (w TwoWay) sets(quantities [][]float64) []unitSet {
	var out []unitSet
	at := map[string]int{}
	pattern := make([]byte, len(w.Rows))
	for q, x := range quantities {
		if len(x) != len(w.Rows) {
			panic("stats: quantities and rows differ in length")
		}
		known, values, whole := make([]float64, len(x)), x, true
		for i, v := range x {
			pattern[i] = 1
			known[i] = 1
			if math.IsNaN(v) {
				pattern[i], known[i], whole = 0, 0, false
			}
		}
		if !whole {
			values = make([]float64, len(x))
			for i, v := range x {
				if known[i] == 1 {
					values[i] = v
				}
			}
		}
		s, ok := at[string(pattern)]
		if !ok {
			s = len(out)
			at[string(pattern)] = s
			set := unitSet{known: known, some: make([]bool, blockResamples)}
			for range blockResamples {
				set.weight = append(set.weight, make([]float64, len(x)))
			}
			out = append(out, set)
		}
		out[s].quantities = append(out[s].quantities, q)
		out[s].values = append(out[s].values, values)
	}
	return out
}

// weigh fills the weights of resample k of a block: of a unit, how often its column is
// drawn times how often its row is, divided by the sum of the former in the row and that
// of the latter over the rows that have any. total is room for a number a row.
func (s *unitSet) weigh(k int, row []int, rows, drawn, total []float64) {
	weight := s.weight[k]
	clear(total)
	for i, d := range drawn {
		weight[i] = d * s.known[i]
		total[row[i]] += weight[i]
	}
	sum := 0.0
	for t, v := range total {
		if v > 0 {
			sum += rows[t]
			total[t] = rows[t] / v
		}
	}
	s.some[k] = sum > 0
	if sum > 0 {
		for t := range total {
			total[t] /= sum
		}
		for i := range weight {
			weight[i] *= total[row[i]]
		}
	}
}
