package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"pepbench/reports/stats"
)

// ablate holds every cell against the base of the sweep: that of the first value of every
// axis, or where that has no number the first cell that has one. Cells are paired by
// cluster, over the mean alignments of the strategy at the final checkpoint; one of other
// clusters or other data is not paired, and says why. A sweep over domains has no base.
//
//	d_g = alignment of the cell in cluster g - that of the base
//
// The difference is the mean of d_g, its interval and test are those of reports/stats for
// so many clusters, and p is corrected by Holm for the cells that have one.
func (s *SweepMetrics) ablate() {
	if s.ofDomains() {
		return
	}
	base := slices.IndexFunc(s.Cells, func(c GridCell) bool {
		return c.State == cellDone && !slices.ContainsFunc(c.At, func(v int) bool { return v != 0 })
	})
	if base < 0 {
		base = slices.IndexFunc(s.Cells, func(c GridCell) bool { return c.State == cellDone })
	}
	if base < 0 {
		return
	}
	s.Base = &base
	var p []float64
	for i := range s.Cells {
		c := &s.Cells[i]
		p = append(p, math.NaN())
		if i == base || c.State != cellDone {
			continue
		}
		d, why := s.paired(i, base)
		if why != "" {
			c.Unpaired = why
			continue
		}
		c.MinusBase = d
		p[i] = float64(d.Test.P)
	}
	family := 0
	for _, v := range p {
		if !math.IsNaN(v) {
			family++
		}
	}
	holm := stats.Holm(p)
	for i := range s.Cells {
		if d := s.Cells[i].MinusBase; d != nil && !math.IsNaN(p[i]) {
			d.Test.Family, d.Test.Holm = family, Number(holm[i])
			d.Resolved = holm[i] < 1-s.runs[base].Confidence-1e-9 && (d.Lo > 0 || d.Hi < 0) // no p that only rounding keeps from it
		}
	}
}

// paired is the difference of two cells over the clusters in which both have an alignment,
// not yet corrected, or why there is none.
func (s *SweepMetrics) paired(i, base int) (*difference, string) {
	m, b := s.runs[i], s.runs[base]
	r, o := m.rowOf(s.Cells[i].Row), b.rowOf(s.Cells[base].Row)
	switch {
	case m.Data != b.Data:
		return nil, "its data are not those of the base, so that the two cannot be paired"
	case !slices.Equal(m.ClusterIDs, b.ClusterIDs):
		return nil, fmt.Sprintf("its %ss are not those of the base, so that the two cannot be paired", m.Cluster)
	case len(r.ClusterMeans) != len(m.ClusterIDs) || len(o.ClusterMeans) != len(m.ClusterIDs) || len(m.ClusterIDs) == 0:
		return nil, fmt.Sprintf("the report of the cell or of the base has no alignment by %s: report it again", m.Cluster)
	}
	d := make([]float64, len(r.ClusterMeans))
	for g := range d {
		d[g] = float64(r.ClusterMeans[g] - o.ClusterMeans[g])
	}
	a := stats.Analysis{Bootstrap: stats.Bootstrap{Resamples: b.Resamples, Confidence: b.Confidence, Seed: uint64(b.Seed)}}
	c := a.Difference(d, nil)
	if c.Clusters == 0 {
		return nil, fmt.Sprintf("no %s in which this cell and the base both have an alignment", m.Cluster)
	}
	out := &difference{Estimate: Estimate{
		Value: Number(c.Estimate), Lo: Number(c.Lo), Hi: Number(c.Hi),
		N: r.final().N, Undefined: r.final().Undefined, Clusters: c.Clusters,
	}}
	plan := stats.Power{Alpha: 1 - b.Confidence, Power: foundIn}
	out.Test = &test{Method: c.Test, P: Number(c.P), Holm: undefined(), MDE: undefined()}
	if c.Clusters >= stats.LeastTest {
		out.Test.MDE = Number(plan.MDE(c.SD, c.Clusters))
		if n, ok := plan.Clusters(c.Estimate, c.SD); ok {
			out.Test.Needed = max(n, stats.LeastTest)
		}
	}
	return out, ""
}

// ablationTable has one row a cell: its alignment, and how far that is from the base. A
// sweep over domains, or with nothing to hold against a base, has no rows.
func ablationTable(s *SweepMetrics) *grid {
	g := &grid{name: "ablation", texts: len(s.Axes)}
	if s.Base == nil || len(s.Cells) < 2 {
		return g
	}
	for _, a := range s.Axes {
		g.head = append(g.head, a.Path)
	}
	needed := capital(s.Cluster) + "s needed"
	g.head = append(g.head, "Alignment", "Minus base", "p, Holm", "p, raw", "MDE", needed)
	m, base := s.joint(), &s.Cells[*s.Base]
	shown := &shownDifferences{m: m, over: number(base.Alignment.Clusters, base.Alignment.Clusters, s.Cluster), apart: "the cells against the base", alone: true}
	var group [][]cell
	for i := range s.Cells {
		if i > 0 && len(s.Axes) > 1 && s.Cells[i].At[0] != s.Cells[i-1].At[0] {
			g.groups = append(g.groups, group)
			group = nil
		}
		shown.add("", s.Cells[i].MinusBase, true)
		group = append(group, g.ablated(s, i))
	}
	g.groups = append(g.groups, group)
	at := ""
	for i, v := range base.Values {
		at += fmt.Sprintf(", %s = %s", s.Axes[i].Path, v)
	}
	first := "the first value of every axis"
	if slices.ContainsFunc(base.At, func(v int) bool { return v != 0 }) {
		first = "the first cell with a number, since that of the first values has none"
	}
	g.caption = s.about() + provenance(m) + s.lacking() + fmt.Sprintf(" Minus base: alignment less that of the cell with %s (%s), paired by %s; interval by the bootstrap over %ss, of fewer than %d by t. MDE: the smallest true difference that four of five such runs would find without a correction; %s: how many would find a true difference as large as this one as often.",
		strings.TrimPrefix(at, ", "), first, s.Cluster, s.Cluster, stats.LeastResampled, strings.ToLower(needed))
	g.foot = shown.foot()
	g.paperCaption = g.caption
	if best := s.bestOnDev(); len(s.Cells) > paperRows && len(best) > 0 {
		out := &grid{name: g.name, texts: g.texts, head: g.head, foot: g.foot}
		if !slices.Contains(best, *s.Base) {
			best = append([]int{*s.Base}, best...)
		}
		var rows [][]cell
		for _, i := range best {
			rows = append(rows, out.ablated(s, i))
		}
		out.groups = [][][]cell{rows}
		out.caption = g.caption + fmt.Sprintf(" Shown are the base and, of every %s, the best cell on dev; all %d are in ablation.csv.", s.Axes[0].Path, len(s.Cells))
		g.compact = out
	}
	return g
}

// ablated gives the row of the i-th cell.
func (g *grid) ablated(s *SweepMetrics, i int) (row []cell) {
	c := &s.Cells[i]
	row = g.place(c)
	blank := func(c cell) []cell {
		for len(row) < len(g.head) {
			row = append(row, c)
		}
		return row
	}
	if c.State != cellDone {
		return blank(g.none("%s", strings.TrimSuffix(cellWhy(c), ".")))
	}
	row = append(row, g.estimate(c.Alignment, "%.1f", ""))
	switch d := c.MinusBase; {
	case i == *s.Base:
		row = append(row, cell{value: "base"})
		return blank(g.none("the base itself"))
	case d == nil:
		return blank(g.none("%s", c.Unpaired))
	default:
		own := d.cell(1)
		own.p = "" // has columns of its own
		p := func(v Number) cell {
			if !v.Defined() {
				return g.none("fewer than %d %ss, or no spread between them: it cannot be told", fewClusters, s.Cluster)
			}
			return cell{value: strings.TrimPrefix(strings.TrimPrefix(pWords(v), "p"), "=")}
		}
		row = append(row, own, p(d.Test.Holm), p(d.Test.P))
		if d.Test.MDE.Defined() {
			row = append(row, cell{value: num(d.Test.MDE, "%.1f")})
		} else {
			row = append(row, g.none("the spread between %ss is not known well enough", s.Cluster))
		}
		n := cell{value: thousands(int64(d.Test.Needed))}
		if d.Test.Needed == 0 {
			n = g.none("no number of %ss would find it as often, or it is not known", s.Cluster)
		}
		return append(row, n)
	}
}

// ablationCSV has a line for every cell.
func ablationCSV(s *SweepMetrics) [][]string {
	var head []string
	for _, a := range s.Axes {
		head = append(head, a.Path)
	}
	out := [][]string{append(append(head, "dir", "state", "why", "base", "alignment", "minus_base", "lo", "hi", "n", "undefined", "clusters", "resolved"), testColumns...)}
	for i := range s.Cells {
		c := &s.Cells[i]
		why := c.Why
		if c.Unpaired != "" {
			why = c.Unpaired
		}
		row := append(slices.Clone(c.Values), c.Dir, c.State, why, strconv.FormatBool(s.Base != nil && *s.Base == i), raw(c.Alignment.Value))
		if d := c.MinusBase; d != nil {
			row = append(row, raw(d.Value), raw(d.Lo), raw(d.Hi), strconv.Itoa(d.N), strconv.Itoa(d.Undefined), strconv.Itoa(d.Clusters), strconv.FormatBool(d.Resolved))
			row = append(row, d.columns()...)
		} else {
			row = append(row, make([]string, 7+len(testColumns))...)
		}
		out = append(out, row)
	}
	return out
}
