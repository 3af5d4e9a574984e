package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"pepbench/reports/stats"
)

// ofDomains reports whether the cells are of one domain each, and differ in nothing else
// that the sweep varies.
func (s *SweepMetrics) ofDomains() bool {
	return len(s.Axes) == 1 && slices.Contains([]string{"domain", "domain.name", "domain.path"}, s.Axes[0].Path)
}

// domainRow is one strategy in all domains.
type domainRow struct {
	name  string
	first *Metrics // the first run that has it
	cells []*Row   // by cell of the sweep, nil where there is none
}

// domainRows gives the strategies of all runs, in the blocks of the first, those that only
// others have last.
func (s *SweepMetrics) domainRows() (out [][]domainRow) {
	seen := map[string]bool{}
	for _, m := range s.runs {
		if m == nil {
			continue
		}
		for _, block := range blocks(m) {
			var group []domainRow
			for _, r := range block {
				if seen[r.Name] {
					continue
				}
				seen[r.Name] = true
				row := domainRow{name: r.Name, first: m}
				for _, o := range s.runs {
					row.cells = append(row.cells, o.exactly(r.Name))
				}
				group = append(group, row)
			}
			if group != nil {
				out = append(out, group)
			}
		}
	}
	return out
}

// exactly gives the row of that name, or nil.
func (m *Metrics) exactly(name string) *Row {
	if m == nil {
		return nil
	}
	for i := range m.Strategies {
		if m.Strategies[i].Name == name {
			return &m.Strategies[i]
		}
	}
	return nil
}

// domainMean is the mean of a strategy's alignment over the domains, each counting alike. Its
// interval is that of the mean of the domains' r-th resamples of tasks, drawn independently:
// a bootstrap stratified by domain, which says nothing of other domains. Without a value in
// some domain, or under two of them, why says that there is none.
func (s *SweepMetrics) domainMean(row *domainRow) (e Estimate, why string) {
	e = unknown()
	var samples []float64
	n, sum, whole := 0, 0., true
	for i, m := range s.runs {
		if m == nil || row.cells[i] == nil || !row.cells[i].final().Value.Defined() {
			return e, "has no value in " + s.Cells[i].Values[0]
		}
		r := row.cells[i]
		x := r.floats()
		mean, defined := stats.Mean(x)
		if defined == 0 {
			return e, fmt.Sprintf("the report of %s has no alignment by %s: report it again", s.Cells[i].Values[0], m.Cluster)
		}
		n++
		sum += mean
		e.N += r.final().N
		e.Undefined += r.final().Undefined
		e.Clusters += defined
		whole = whole && defined >= noInterval && m.Resamples == s.Resamples && m.Confidence == s.Confidence
		if !whole {
			continue
		}
		b := stats.Bootstrap{Resamples: m.Resamples, Confidence: m.Confidence, Seed: stratum(m.Seed, i)}
		if samples == nil {
			samples = make([]float64, m.Resamples)
		}
		for k, v := range b.Means(x)[0] {
			samples[k] += v
		}
	}
	if n < 2 {
		return unknown(), "there is one domain"
	}
	e.Value = Number(sum / float64(n))
	if whole {
		for k := range samples {
			samples[k] /= float64(n)
		}
		iv := stats.Bootstrap{Confidence: s.Confidence}.Interval(samples)
		e.Lo, e.Hi = Number(iv.Lo), Number(iv.Hi)
	}
	return e, ""
}

// reference is the strategy that all runs hold the others against, empty where they differ.
func (s *SweepMetrics) reference() string {
	name, first := "", true
	for _, m := range s.runs {
		switch {
		case m == nil:
		case first:
			name, first = m.Reference, false
		case m.Reference != name:
			return ""
		}
	}
	return name
}

// domainsTable has one row a strategy and one column a domain: its alignment at the final
// checkpoint, with the mark of its difference to the reference there. Only a sweep over
// domains alone has rows.
func domainsTable(s *SweepMetrics) *grid {
	g := &grid{name: "domains", head: []string{"Strategy", "Predicts from"}}
	if !s.ofDomains() {
		return g
	}
	m := s.joint()
	m.Reference = s.reference()
	lo, hi := s.span(func(c *GridCell) int { return c.Tasks })
	shown := &shownDifferences{m: m, over: number(lo, hi, "task"), apart: "in each domain"}
	for i := range s.Cells {
		g.head = append(g.head, s.Cells[i].Values[0])
	}
	g.head = append(g.head, meanHead)
	for _, block := range s.domainRows() {
		var group [][]cell
		for _, row := range block {
			name := cell{value: row.name}
			predict := ""
			var cells []cell
			for i, r := range row.cells {
				c := &s.Cells[i]
				switch {
				case s.runs[i] == nil:
					cells = append(cells, g.none("%s", cellWhy(c)))
					continue
				case r == nil:
					cells = append(cells, g.none("the run has no such strategy"))
					continue
				}
				predict = r.Predict
				out := g.estimate(r.final().Estimate, "%.1f", unknownWhy(r))
				if d := r.Difference; d != nil && d.Value.Defined() && out.note == 0 {
					out.mark = d.mark()
					shown.add(r.Name, d, !r.fixed())
				}
				if why := s.runs[i].remark(r); why != "" && out.note == 0 {
					out.note = g.note("%s", why)
				}
				cells = append(cells, out)
			}
			e, why := s.domainMean(&row)
			group = append(group, append(append([]cell{name, {value: predict}}, cells...), g.estimate(e, "%.1f", why)))
		}
		g.groups = append(g.groups, group)
	}
	g.caption = s.about() + provenance(m) + s.lacking() + " Alignment of every strategy by domain."
	if m.Reference != "" {
		g.caption += fmt.Sprintf(" Marks are of the difference to %s in that domain.", m.Reference) + shown.legend()
	} else {
		g.caption += " The domains have no reference in common: marks are of the difference to that of the domain, if there is one." + shown.legend()
	}
	g.caption += " Mean of domains: each counts alike; the interval is over tasks, stratified by domain, and says nothing of other domains."
	if m.Intervals == OverBoth {
		g.caption += " Nor does it of other users, over which those of the domains are, too: it is narrower than they are."
	}
	g.paperCaption, g.foot = g.caption, shown.foot()
	return g
}

// cellWhy says why a cell of a sweep has no numbers.
func cellWhy(c *GridCell) string {
	if c.State == cellRefused {
		what, _, _ := strings.Cut(c.Why, "; ") // how to mend it is for who runs it
		return "not defined: " + what
	}
	return c.Why
}

// domainsCSV has a line for every alignment, and one for every difference to the reference
// of its domain; the mean over domains is the domain named mean.
func domainsCSV(s *SweepMetrics) [][]string {
	out := [][]string{append([]string{"strategy", "base", "kind", "predict", "domain", "dir", "measure", "questions", "value", "lo", "hi", "n", "undefined", "clusters", "resolved"}, testColumns...)}
	if !s.ofDomains() {
		return out
	}
	blank := make([]string, len(testColumns))
	for _, block := range s.domainRows() {
		for _, row := range block {
			of := row.first.exactly(row.name)
			add := func(domain, dir, measure string, questions int, e Estimate, resolved string, test []string) {
				line := []string{of.Name, of.Base, of.Kind, of.Predict, domain, dir, measure, strconv.Itoa(questions), raw(e.Value), raw(e.Lo), raw(e.Hi), strconv.Itoa(e.N), strconv.Itoa(e.Undefined), strconv.Itoa(e.Clusters), resolved}
				out = append(out, append(line, test...))
			}
			for i, r := range row.cells {
				if r == nil {
					continue
				}
				c := &s.Cells[i]
				add(c.Values[0], c.Dir, "alignment", r.final().Questions, r.final().Estimate, "", blank)
				if d := r.Difference; d != nil {
					add(c.Values[0], c.Dir, "alignment_difference", r.final().Questions, d.Estimate, strconv.FormatBool(d.Resolved), d.columns())
				}
			}
			if e, _ := s.domainMean(&row); !math.IsNaN(float64(e.Value)) {
				add("mean", "", "alignment", of.final().Questions, e, "", blank)
			}
		}
	}
	return out
}
