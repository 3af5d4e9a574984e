package belief

import (
	"context"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"pepbench/domains"
)

// tally counts the states of encoded rows: n_{c,s} by row of theta, the cells
// observed, and the smoothed frequencies
//
//	f_{c,s} = (n_{c,s} + 1/S_c) / (n_c + 1)
func tally(offset []int, rows []uint8) (n, f []float64, cells int) {
	criteria := len(offset) - 1
	n = make([]float64, offset[criteria])
	f = make([]float64, len(n))
	for i, s := range rows {
		if s != missing {
			n[offset[i%criteria]+int(s)]++
			cells++
		}
	}
	for c := range criteria {
		counts := n[offset[c]:offset[c+1]]
		total := 0.0
		for _, v := range counts {
			total += v
		}
		for s, v := range counts {
			f[offset[c]+s] = (v + 1/float64(len(counts))) / (total + 1)
		}
	}
	return n, f, cells
}

// mostBlocks and leastRows divide the rows of an E-step: few blocks, because each has
// counts as large as theta, and none for which that is more work than its rows.
const (
	mostBlocks = 8
	leastRows  = 256
)

// An expectation is the E-step of models on a support: for every row the posterior
// of the point, summed to
//
//	size_k         = sum_r P(k | x_r)
//	counts_{c,s,k} = sum_{r: x_rc = s} P(k | x_r)
//
// and the log-likelihood sum_r log sum_k pi_k prod_c theta_{k,c,x_rc}.
type expectation struct {
	offset   []int
	k        int
	rows     []uint8 // profile x criterion
	logPi    []float64
	logTheta []float64 // laid out like theta
	counts   []float64 // laid out like theta
	size     []float64
	blocks   []rowBlock
}

// A rowBlock is a run of rows with sums of its own.
type rowBlock struct {
	rows   []uint8
	post   []float64
	counts []float64 // nil: only the likelihood is wanted
	size   []float64
	total  float64
}

// newExpectation prepares E-steps over rows; without counting, only the likelihood
// is worked out.
func newExpectation(offset []int, k int, rows []uint8, counting bool) *expectation {
	n := len(offset) - 1
	states := offset[n]
	e := &expectation{
		offset: offset, k: k, rows: rows,
		logPi: make([]float64, k), logTheta: make([]float64, states*k),
	}
	if counting {
		e.counts, e.size = make([]float64, states*k), make([]float64, k)
	}
	total := len(rows) / n
	parts := max(1, min(mostBlocks, total/leastRows))
	e.blocks = make([]rowBlock, parts)
	for i := range e.blocks {
		b := &e.blocks[i]
		lo, hi := block(total, parts, i)
		b.rows = rows[lo*n : hi*n]
		b.post = make([]float64, k)
		if counting {
			b.counts, b.size = make([]float64, states*k), make([]float64, k)
		}
	}
	return e
}

// step does the E-step at pi and theta, and gives the log-likelihood.
func (e *expectation) step(pi, theta []float64) float64 {
	for j, p := range pi {
		e.logPi[j] = math.Log(p)
	}
	for i, t := range theta {
		e.logTheta[i] = math.Log(t)
	}
	parallel(len(e.blocks), func(i int) { e.sum(&e.blocks[i]) })
	clear(e.counts)
	clear(e.size)
	total := 0.0
	for i := range e.blocks {
		b := &e.blocks[i]
		total += b.total
		add(e.counts, b.counts)
		add(e.size, b.size)
	}
	return total
}

// sum goes through the rows of one block.
func (e *expectation) sum(b *rowBlock) {
	n, k := len(e.offset)-1, e.k
	clear(b.counts)
	clear(b.size)
	b.total = 0
	for rows := b.rows; len(rows) > 0; rows = rows[n:] {
		row := rows[:n]
		copy(b.post, e.logPi)
		for c, v := range row {
			if v != missing {
				add(b.post, e.logTheta[(e.offset[c]+int(v))*k:])
			}
		}
		b.total += softmax(b.post)
		if b.counts == nil {
			continue
		}
		add(b.size, b.post)
		for c, v := range row {
			if v != missing {
				add(b.counts[(e.offset[c]+int(v))*k:][:k], b.post)
			}
		}
	}
}

// score is the mean log probability of rows, in nats a cell.
func (m *support) score(rows []uint8) float64 {
	cells := 0
	for _, v := range rows {
		if v != missing {
			cells++
		}
	}
	if cells == 0 {
		return math.NaN()
	}
	return newExpectation(m.offset, m.k, rows, false).step(m.pi, m.theta) / float64(cells)
}

// bestRuns does times[i] runs of every candidate i and keeps of each the one with
// the largest training score, the first of equals.
func bestRuns[M any](ctx context.Context, times []int, run func(ctx context.Context, i, restart int) (M, float64, error)) ([]M, error) {
	type fit struct {
		model M
		score float64
	}
	fits := make([][]fit, len(times))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range times {
		fits[i] = make([]fit, times[i])
		for r := range fits[i] {
			g.Go(func() error {
				m, score, err := run(ctx, i, r)
				fits[i][r] = fit{m, score}
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := make([]M, len(times))
	for i := range out {
		out[i] = slices.MaxFunc(fits[i], func(a, b fit) int {
			switch {
			case a.score < b.score:
				return -1
			case a.score > b.score:
				return 1
			}
			return 0
		}).model
	}
	return out, nil
}

// chosen marks the candidate with the largest dev score, the smallest size among
// equals, and gives its index. A sole candidate needs no score.
func chosen(out []Candidate, size []int) int {
	best := 0
	for i := range out {
		if a, b := out[i].DevScore, out[best].DevScore; a > b || a == b && size[i] < size[best] {
			best = i
		}
	}
	out[best].Chosen = true
	return best
}

// encodeBoth checks what a fit is given: training profiles, dev profiles where there is
// a choice of several candidates (in words what they are), and levels everywhere.
func encodeBoth(train, dev Population, candidates int, what string) (rows, devRows []uint8, err error) {
	if rows, err = train.states(); err != nil { // first of all: no other choice would mend it
		return nil, nil, err
	}
	switch {
	case len(train.Rows) == 0:
		return nil, nil, &domains.DataError{What: "no training profiles", Mend: "lower split.test and split.dev"}
	case candidates == 0:
		return nil, nil, &domains.DataError{What: "no candidate " + what, Mend: "name one"}
	case len(dev.Rows) == 0 && candidates != 1:
		return nil, nil, &domains.DataError{What: "several candidate " + what + " and no dev profiles to choose on", Mend: "set split.dev above 0, or name one number"}
	}
	devRows, err = dev.states()
	return rows, devRows, err
}
