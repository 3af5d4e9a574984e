package belief

import (
	"fmt"
	"math"

	"pepbench/domains"
)

// A logScorer knows the log probability of an answer without going through
// States: where probabilities underflow, and for the density of a continuous
// value.
type logScorer interface {
	logScore(i int, c domains.Cell) float64
}

// ChainScore is the mean log score of complete profiles in nats a cell, by the
// chain rule in listing order,
//
//	1/cells sum_rows sum_i ln P(x_i | x_1 .. x_{i-1})
//
// with x_i the state of position i: not held, or held at the level nearest to the
// value; the density in ranges of a continuous value. Missing cells drop out.
// Whatever a model does between two answers, the scores of all profiles sum to 1
// as probabilities, so that any two Joint models can be compared on data with
// levels; of a latent class model it is the log score of FitLatentClass. It is NaN
// without cells. A model whose beliefs are not Joint, or that has no density for a
// continuous criterion, is an error that wraps ErrUnsupported.
func ChainScore(m Model, p Population) (float64, error) {
	type part struct {
		total float64
		cells int
		err   error
	}
	parts := make([]part, min(blocks, len(p.Rows)))
	parallel(len(parts), func(k int) {
		lo, hi := block(len(p.Rows), len(parts), k)
		parts[k].total, parts[k].cells, parts[k].err = chain(m, p.Criteria, p.Rows[lo:hi])
	})
	total, cells := 0.0, 0
	for _, p := range parts {
		if p.err != nil {
			return math.NaN(), p.err
		}
		total += p.total
		cells += p.cells
	}
	if cells == 0 {
		return math.NaN(), nil
	}
	return total / float64(cells), nil
}

// chain scores rows one after another.
func chain(m Model, criteria []domains.Criterion, rows []Row) (total float64, cells int, err error) {
	var index []int
	var fresh, b Joint
	var buf []float64
	for _, row := range rows {
		if len(row.Index) == 0 {
			continue
		}
		if fresh == nil || len(index) != len(row.Index) || &index[0] != &row.Index[0] {
			index = row.Index
			var ok bool
			if fresh, ok = m.Start(index).(Joint); !ok {
				return 0, 0, &domains.DataError{What: fmt.Sprintf("beliefs of %T are no joint model and have no log score", m), Err: ErrUnsupported}
			}
			b = fresh.Clone().(Joint)
		}
		b.Set(fresh)
		score, _ := b.(logScorer)
		for i, c := range row.Cells {
			if c.IsMissing() {
				continue
			}
			cells++
			crit := &criteria[index[i]]
			switch {
			case score != nil:
				total += score.logScore(i, c)
			case crit.Scale == domains.Continuous:
				return 0, 0, &domains.DataError{What: fmt.Sprintf("%T has no density for continuous criterion %q", m, crit.ID), Err: ErrUnsupported}
			default:
				if n := b.NumStates(i); cap(buf) < n {
					buf = make([]float64, n)
				}
				buf = b.States(buf[:cap(buf)], i)
				total += math.Log(buf[stateOf(crit, c)])
			}
			b.Observe(i, c)
		}
	}
	return total, cells, nil
}
