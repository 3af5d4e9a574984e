package reports

import (
	"fmt"
	"math"
	"slices"

	"pepbench/reports/stats"
)

// paperStrategies is how many columns of strategies a table may have on paper.
const paperStrategies = 9

// tasksTable has one row a task and one column a strategy: the mean alignment at the final
// checkpoint, over users and seeds; below them the mean and the standard deviation over
// tasks. A survey, which has no tasks, has no rows.
func tasksTable(m *Metrics) *grid {
	g := &grid{name: "tasks", texts: 1}
	if m.Cluster == "user" || len(m.ClusterIDs) == 0 {
		return g
	}
	var rows []*Row
	for _, block := range blocks(m) {
		rows = append(rows, block...)
	}
	g.caption = caption(m, fmt.Sprintf("Mean alignment by task on %s", describe(m))) + " Each number is of one task, over its users and seeds, and has no interval of its own; below, their mean with its interval, and their standard deviation."
	g.byTask(m, rows, len(m.ClusterIDs))
	out := &grid{name: g.name, texts: 1, caption: g.caption}
	shown, n := rows, min(len(m.ClusterIDs), paperRows)
	if len(shown) > paperStrategies { // first goes what predicts from answers alone
		shown = slices.DeleteFunc(slices.Clone(rows), func(r *Row) bool { return r.told() && !r.fixed() })
		shown = shown[:min(len(shown), paperStrategies)]
		out.caption += fmt.Sprintf(" Shown are %d of %d strategies; the others are in tasks.csv.", len(shown), len(rows))
	}
	if n < len(m.ClusterIDs) {
		out.caption += fmt.Sprintf(" Shown are the first %d of %d tasks; mean and deviation are of all.", n, len(m.ClusterIDs))
	}
	out.byTask(m, shown, n)
	g.compact = out
	return g
}

// byTask fills in the first n tasks of these rows.
func (g *grid) byTask(m *Metrics, rows []*Row, n int) {
	g.head = []string{"Task"}
	names := labels(m)
	for _, r := range rows {
		g.head = append(g.head, names[r.Name])
	}
	const none = "no session of the task has an alignment"
	var group [][]cell
	for i, id := range m.ClusterIDs[:n] {
		row := []cell{{value: id}}
		for _, r := range rows {
			v := r.clusterMean(i)
			if !v.Defined() {
				row = append(row, g.none(none))
				continue
			}
			row = append(row, cell{value: num(v, "%.1f")})
		}
		group = append(group, row)
	}
	mean, spread := []cell{{value: "mean"}}, []cell{{value: "standard deviation"}}
	for _, r := range rows {
		c := g.estimate(r.final().Estimate, "%.1f", unknownWhy(r))
		if s := m.remark(r); s != "" && c.note == 0 {
			c.note = g.note("%s", s)
		}
		mean = append(mean, c)
		if sd := r.taskDeviation(); sd.Defined() {
			spread = append(spread, cell{value: num(sd, "%.1f")})
		} else {
			spread = append(spread, g.none("fewer than two tasks with an alignment"))
		}
	}
	g.groups = [][][]cell{group, {mean, spread}}
}

// clusterMean is the alignment of the i-th cluster, undefined where it is not known.
func (r *Row) clusterMean(i int) Number {
	if i >= len(r.ClusterMeans) {
		return undefined()
	}
	return r.ClusterMeans[i]
}

// floats gives the cluster means, NaN where there is none.
func (r *Row) floats() []float64 {
	out := make([]float64, len(r.ClusterMeans))
	for i, v := range r.ClusterMeans {
		out[i] = float64(v)
	}
	return out
}

// taskDeviation is the standard deviation of the means of clusters, with n-1 below.
func (r *Row) taskDeviation() Number {
	x := r.floats()
	mean, n := stats.Mean(x)
	if n < 2 {
		return undefined()
	}
	sum := 0.
	for _, v := range x {
		if !math.IsNaN(v) {
			sum += (v - mean) * (v - mean)
		}
	}
	return Number(math.Sqrt(sum / float64(n-1)))
}

// tasksCSV has a line for every strategy and task.
func tasksCSV(m *Metrics) [][]string {
	out := [][]string{{"strategy", "base", "kind", "predict", "task", "questions", "alignment"}}
	for _, rows := range ordered(m) {
		for _, r := range rows {
			for i, id := range m.ClusterIDs {
				out = append(out, []string{r.Name, r.Base, r.Kind, r.Predict, id, fmt.Sprint(r.final().Questions), raw(r.clusterMean(i))})
			}
		}
	}
	return out
}
