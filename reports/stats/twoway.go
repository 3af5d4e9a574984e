package stats

import (
	"cmp"
	"math"
	"slices"

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

// blockResamples is how many resamples are drawn at once: few enough that they stay in the
// cache.
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
	t := newCells(w.Rows, w.Columns)
	sets := t.sets(quantities)
	for q := range out {
		out[q] = make([]float64, w.Resamples)
	}
	columns := make([]float64, size(w.Columns))
	// Of each resample of a block: how often a row is drawn, and the column of a cell; the
	// weights of cells, and their sum.
	rows, drawn := matrix(blockResamples, size(w.Rows)), matrix(blockResamples, len(w.Rows))
	weight, sum := matrix(blockResamples, len(w.Rows)), make([]float64, blockResamples)
	runs := make([][]run, blockResamples)
	for from := 0; from < w.Resamples; from += blockResamples {
		n := min(blockResamples, w.Resamples-from)
		for k := range n {
			w.draw(from+k, rows[k], columns)
			for i, u := range t.column {
				drawn[k][i] = columns[u]
			}
			runs[k] = t.runs(runs[k][:0], rows[k])
		}
		for _, set := range sets {
			for k := range n {
				sum[k] = t.weigh(weight[k], set.known, rows[k], drawn[k])
			}
			for j, q := range set.quantities {
				for k := range n {
					for _, c := range runs[k] {
						out[q][from+k] += floats.Dot(weight[k][c.from:c.to], set.values[j][c.from:c.to])
					}
					out[q][from+k] /= sum[k] // 0/0 is NaN
				}
			}
		}
	}
	for _, set := range sets {
		for _, s := range set.same {
			copy(out[s[0]], out[s[1]])
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

func matrix(rows, columns int) [][]float64 {
	out := make([][]float64, rows)
	for i := range out {
		out[i] = make([]float64, columns)
	}
	return out
}

// cells are units in the order of their rows.
type cells struct {
	order  []int // of every cell: its unit; nil: they are in order
	column []int
	from   []int // of every row: its first cell; and how many cells there are
}

func newCells(rows, columns []int) *cells {
	t := &cells{column: columns, from: make([]int, size(rows)+1)}
	for _, r := range rows {
		t.from[r+1]++
	}
	for r := range len(t.from) - 1 {
		t.from[r+1] += t.from[r]
	}
	if slices.IsSorted(rows) {
		return t
	}
	t.order = make([]int, len(rows))
	for i := range t.order {
		t.order[i] = i
	}
	slices.SortStableFunc(t.order, func(a, b int) int { return cmp.Compare(rows[a], rows[b]) })
	t.column = make([]int, len(columns))
	for i, of := range t.order {
		t.column[i] = columns[of]
	}
	return t
}

// A cellSet is the quantities that are defined for the same cells, and so weigh them
// alike: what they are in a resample is a product with its weights.
type cellSet struct {
	known      []float64 // of every cell: 1 or 0
	quantities []int
	values     [][]float64 // of each of these, 0 where unknown
	same       [][2]int    // a quantity that is not among them, and the one that has its values
}

// sets groups quantities by the cells that they are defined for.
func (t *cells) sets(quantities [][]float64) []cellSet {
	var out []cellSet
	at := map[string]int{}
	pattern := make([]byte, len(t.column))
	for q, x := range quantities {
		if len(x) != len(t.column) {
			panic("stats: quantities and rows differ in length")
		}
		if t.order != nil {
			values := make([]float64, len(x))
			for i, of := range t.order {
				values[i] = x[of]
			}
			x = values
		}
		known, values := make([]float64, len(x)), x
		for i, v := range x {
			pattern[i], known[i] = 1, 1
			if math.IsNaN(v) {
				if pattern[i], known[i] = 0, 0; &values[0] == &x[0] {
					values = slices.Clone(x)
				}
				values[i] = 0
			}
		}
		s, ok := at[string(pattern)]
		if !ok {
			s = len(out)
			at[string(pattern)] = s
			out = append(out, cellSet{known: known})
		}
		if j := slices.IndexFunc(out[s].values, func(v []float64) bool { return slices.Equal(v, values) }); j >= 0 {
			out[s].same = append(out[s].same, [2]int{q, out[s].quantities[j]})
			continue
		}
		out[s].quantities = append(out[s].quantities, q)
		out[s].values = append(out[s].values, values)
	}
	return out
}

// A run is cells one after another.
type run struct{ from, to int }

// leastSkip is how many cells are worth leaving out of a product: for fewer, the loop that
// goes on behind them costs more.
const leastSkip = 64

// runs appends the cells of a resample that draws rows so often. What is between two runs
// is not drawn.
func (t *cells) runs(out []run, rows []float64) []run {
	for r, times := range rows {
		from, to := t.from[r], t.from[r+1]
		switch last := len(out) - 1; {
		case times == 0:
		case last >= 0 && from-out[last].to < leastSkip:
			out[last].to = to
		default:
			out = append(out, run{from, to})
		}
	}
	return out
}

// weigh fills the weights of cells in a resample that draws rows, and the column of every
// cell, so many times, and gives the sum that they are to be divided by: cell i of row t
// weighs
//
//	a_t b_i / sum_{j in t} b_j
//
// where the sum is over known cells; that of all weights is the one of a_t over rows that
// have any.
func (t *cells) weigh(weight, known, rows, drawn []float64) (sum float64) {
	for r, times := range rows {
		from, to := t.from[r], t.from[r+1]
		w, d, k := weight[from:to], drawn[from:to], known[from:to]
		if times == 0 {
			clear(w)
			continue
		}
		scale := 0.0
		if total := floats.Dot(d, k); total > 0 {
			scale = times / total
			sum += times
		}
		for i := range w {
			w[i] = d[i] * k[i] * scale
		}
	}
	return sum
}
