package reports

import (
	"fmt"
	"slices"
	"strings"

	"pepbench/bench/record"
)

// sweepPage makes report.html of a sweep: its numbers side by side, and links to the
// reports of its cells. See runPage.
func sweepPage(s *SweepMetrics, files []File) ([]byte, error) {
	m := s.joint()
	p := &htmlPage{
		Name: pageName(s.Name), Kind: "pepbench · report of a sweep", Under: s.about(), About: capital(s.About),
		Warnings: s.Warnings, Notices: pageNotices(m), Summary: s.summary(), Cells: s.links(),
		Measures: s.measures(), Limits: s.limits(),
		Again: []pageTerm{
			{What: "The sweep, with CONFIG the file that it was run with; what is there already is not run again:", Text: "pepbench run CONFIG --out DIR"},
			{What: "Tables, figures and this page, from sweep.json and the reports of the cells:", Text: "pepbench report DIR"},
			{What: "The sessions of a cell, turn by turn, in a browser:", Text: "pepbench view DIR/CELL"},
		},
		Foot: "Made from sweep.json and metrics.json of every cell; every number is in grid.json. The page needs no network; its script only sorts tables.",
	}
	p.Provenance = s.provenance()
	figures, err := onScreen(sweepFigures(s))
	if err != nil {
		return nil, err
	}
	p.figures(figures, files)
	p.tables(sweepTables(s), files)
	return p.render()
}

// where names a cell by its values on the axes.
func (s *SweepMetrics) where(c *GridCell) string {
	var words []string
	for i, v := range c.Values {
		words = append(words, s.Axes[i].Path+" = "+v)
	}
	return strings.Join(words, ", ")
}

// links lead to the reports of the cells, or say why there is none.
func (s *SweepMetrics) links() (out []pageLink) {
	for i := range s.Cells {
		c := &s.Cells[i]
		l := pageLink{Text: s.where(c)}
		if c.State == cellDone {
			l.URL = relativeURL(c.Dir + "/" + record.PageFile)
		} else {
			l.Why = map[string]string{cellRefused: "not defined: ", cellFailed: "no number: "}[c.State] + c.Why
		}
		out = append(out, l)
	}
	return out
}

// summary says in a few sentences what came out. They hold whatever the numbers are.
func (s *SweepMetrics) summary() []string {
	var done []*GridCell
	refused := 0
	for i := range s.Cells {
		switch c := &s.Cells[i]; c.State {
		case cellDone:
			done = append(done, c)
		case cellRefused:
			refused++
		}
	}
	all := fmt.Sprintf("%d of %d %s %s", len(done), len(s.Cells), plural(len(s.Cells), "cell"), wordFor(len(done), "has a number", "have numbers"))
	if refused > 0 {
		all += fmt.Sprintf(", and %d %s not defined", refused, wordFor(refused, "is", "are"))
	}
	all += "."
	if len(done) == 0 {
		return []string{all + " This sweep cannot tell anything."}
	}
	low, high := done[0], done[0]
	for _, c := range done {
		if c.Alignment.Value < low.Alignment.Value {
			low = c
		}
		if c.Alignment.Value > high.Alignment.Value {
			high = c
		}
	}
	out := []string{all}
	if low != high {
		out[0] += fmt.Sprintf(" The alignment of %s lies between %s (%s) and %s (%s).", s.Strategy, estimated(low.Alignment, "%.1f"), s.where(low), estimated(high.Alignment, "%.1f"), s.where(high))
	}
	if s.Chosen == nil {
		return append(out, s.choice(""))
	}
	c := &s.Cells[*s.Chosen]
	if c.State != cellDone {
		return append(out, fmt.Sprintf("The cell with %s was chosen on dev and has no number: %s.", s.where(c), strings.TrimSuffix(c.Why, ".")))
	}
	out = append(out, fmt.Sprintf("The cell with %s was chosen on dev, where its alignment is the largest; on test it has %s. The numbers of the others are exploratory.", s.where(c), estimated(c.Alignment, "%.1f")))
	if g := c.Gain; g != nil {
		shown := g.cell(1)
		text := fmt.Sprintf("There %s differs from its static twin by %s points of alignment", s.Strategy, strings.TrimSpace(shown.value+" "+shown.interval))
		if words := g.Test.words(s.joint()); words != "" {
			text += " (" + words + ")"
		}
		if g.Resolved {
			text += ", which is resolved: chance alone seldom gives one as large."
		} else {
			text += ", which is not resolved: the run cannot tell the two apart."
		}
		out = append(out, text)
	}
	return out
}

func (s *SweepMetrics) measures() []pageTerm {
	m := s.joint()
	out := []pageTerm{
		{What: "Cell", Text: "A run with one value of every axis. Its own report has everything that is measured."},
		{What: "Alignment", Text: "How well a response fits what the user holds: the weighted mean over the held criteria of a score from 1 to 5, put on a scale from 0 to 100."},
		{What: "Alignment on dev", Text: "The same on the profiles set apart for choosing. The cell with the largest is chosen; test numbers choose nothing."},
	}
	if s.Twin != "" {
		out = append(out, pageTerm{What: "Minus twin", Text: "The adaptive gain: alignment minus that of the static twin, which has the same model and asks by the same rule, but in one order for everybody; paired by session."})
	}
	return append(out,
		pageTerm{What: "Interval", Text: fmt.Sprintf("%g%% percentile interval of a bootstrap, %d resamples, as the cell's own report has it.", 100*m.Confidence, m.Resamples)},
		pageTerm{What: "Dash", Text: "There is no number; the note says why."})
}

func (s *SweepMetrics) provenance() []pageTerms {
	var axes, where []string
	for _, a := range s.Axes {
		axes = append(axes, a.Path+": "+strings.Join(a.Values, ", "))
	}
	for _, d := range s.Data {
		where = append(where, strings.TrimSpace(d.Name+" "+d.Version)+", rubric "+d.Rubric)
	}
	terms := []pageTerm{
		{What: "Axes", List: axes},
		{What: "Strategy", Text: s.Strategy},
		{What: "Static twin", Text: s.Twin},
		{What: "Data", List: where},
		{What: "Judge", Text: s.Judge},
		{What: "Simulated", Text: series(s.SimulatedRoles)},
		{What: "Cells", Text: "Configurations, hashes, versions and servers are in the report of each cell."},
	}
	return []pageTerms{{"Sweep", slices.DeleteFunc(terms, func(t pageTerm) bool { return t.Text == "" && len(t.List) == 0 })}}
}

// limits says what the numbers cannot say; what holds of a run is in its own report.
func (s *SweepMetrics) limits() (out []string) {
	if s.Simulated {
		out = append(out, fmt.Sprintf("The embedded simulator played %s. Such numbers show that the pipeline works and how the cells differ under it; of what a language model would do they say nothing.", series(s.SimulatedRoles)))
	}
	if s.Base != nil {
		out = append(out, "Intervals are those of single cells: whether two cells differ they do not say. Table ablation says it of the base and each other cell, and of no other pair.")
	} else {
		out = append(out, "Intervals are those of single cells: whether two cells differ they do not say, and no two are compared here.")
	}
	if s.Chosen != nil {
		out = append(out, "Only the cell that was chosen on dev has a number that nothing was picked by. The largest of the others is on average too large.")
	} else {
		out = append(out, "No cell was chosen beforehand: the largest of several numbers is on average too large.")
	}
	seen := map[string]bool{}
	for i := range s.Cells {
		if r := s.Cells[i].Remark; r != "" && !seen[r] {
			seen[r] = true
			out = append(out, fmt.Sprintf("%s: %s.", s.where(&s.Cells[i]), strings.TrimSuffix(r, ".")))
		}
	}
	if t := strings.TrimSpace(s.lacking()); t != "" {
		out = append(out, t)
	}
	return append(out, "What the numbers of a cell cannot say stands in its own report.")
}
