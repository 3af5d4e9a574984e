package stats

import (
	"cmp"
	"math"
	"slices"
)

// Pairs accumulates pairs of grades of the same units by two graders. The zero Pairs is
// empty; it holds counts alone.
type Pairs struct {
	counts map[[2]float64]int64
}

// Add adds a pair; neither is NaN.
func (p *Pairs) Add(x, y float64) {
	if p.counts == nil {
		p.counts = map[[2]float64]int64{}
	}
	p.counts[[2]float64{x, y}]++
}

// Pooled gives the mean of y - x and Spearman's rank correlation of all clusters
// together. Without pairs both are NaN, and so is the correlation where either grader
// gave one grade alone.
func Pooled(clusters []*Pairs) (shift, spearman float64) {
	times := make([]float64, len(clusters))
	for i := range times {
		times[i] = 1
	}
	return newTable(clusters).at(times)
}

// PooledSamples gives Pooled of the clusters drawn in every resample of the bootstrap,
// the same ones that Means draws.
func (b Bootstrap) PooledSamples(clusters []*Pairs) (shift, spearman []float64) {
	t := newTable(clusters)
	shift, spearman = make([]float64, b.Resamples), make([]float64, b.Resamples)
	times := make([]float64, len(clusters))
	for r := range shift {
		b.draw(r, times)
		shift[r], spearman[r] = t.at(times)
	}
	return shift, spearman
}

// A table is the contingency table of two graders, by cluster.
type table struct {
	grades [2][]float64 // of either grader, ascending
	cells  []cell
	count  [][]float64 // of cluster and cell
	n      [2][]float64
}

type cell struct {
	at   [2]int // indices of grades
	diff float64
}

func newTable(clusters []*Pairs) *table {
	t := &table{}
	seen := map[[2]float64]bool{}
	for _, p := range clusters {
		for key := range p.counts {
			seen[key] = true
		}
	}
	keys := make([][2]float64, 0, len(seen))
	for key := range seen {
		keys = append(keys, key)
		for side := range key {
			t.grades[side] = append(t.grades[side], key[side])
		}
	}
	slices.SortFunc(keys, func(a, b [2]float64) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	for side := range t.grades {
		slices.Sort(t.grades[side])
		t.grades[side] = slices.Compact(t.grades[side])
		t.n[side] = make([]float64, len(t.grades[side]))
	}
	for _, key := range keys {
		c := cell{diff: key[1] - key[0]}
		for side := range key {
			c.at[side], _ = slices.BinarySearch(t.grades[side], key[side])
		}
		t.cells = append(t.cells, c)
	}
	for _, p := range clusters {
		row := make([]float64, len(keys))
		for i, key := range keys {
			row[i] = float64(p.counts[key])
		}
		t.count = append(t.count, row)
	}
	return t
}

// at gives shift and correlation of the clusters, each taken so many times. Spearman's
// coefficient is Pearson's of the ranks, equal grades having the mean of theirs.
func (t *table) at(times []float64) (shift, spearman float64) {
	w := make([]float64, len(t.cells))
	n := 0.0
	for side := range t.n {
		clear(t.n[side])
	}
	for i, c := range t.cells {
		for g, v := range times {
			w[i] += v * t.count[g][i]
		}
		n += w[i]
		shift += w[i] * c.diff
		for side := range t.n {
			t.n[side][c.at[side]] += w[i]
		}
	}
	if n == 0 {
		return math.NaN(), math.NaN()
	}
	var ranks [2][]float64 // less their mean, (n+1)/2
	var spread [2]float64
	for side := range t.n {
		below := 0.0
		for _, v := range t.n[side] {
			r := below + v/2 - n/2
			ranks[side] = append(ranks[side], r)
			spread[side] += v * r * r
			below += v
		}
	}
	cov := 0.0
	for i, c := range t.cells {
		cov += w[i] * ranks[0][c.at[0]] * ranks[1][c.at[1]]
	}
	if spread[0] == 0 || spread[1] == 0 {
		return shift / n, math.NaN()
	}
	return shift / n, cov / math.Sqrt(spread[0]*spread[1])
}
