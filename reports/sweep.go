package reports

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pepbench/bench/record"
	"pepbench/domains"
)

// gridSchema is the version of grid.json.
const gridSchema = 1

// SweepMetrics is grid.json; the package comment documents the file.
type SweepMetrics struct {
	Schema   int           `json:"schema"`
	Name     string        `json:"name"`
	About    string        `json:"about"`
	Axes     []record.Axis `json:"axes"`
	Strategy string        `json:"strategy"`
	Twin     string        `json:"twin"`

	Data           []data   `json:"data"`
	Simulated      bool     `json:"simulated"`
	SimulatedRoles []string `json:"simulated_roles"`
	Judge          string   `json:"judge,omitempty"`
	Folds          int      `json:"folds,omitempty"`
	Compat         string   `json:"compat,omitempty"`
	Cluster        string   `json:"cluster"`
	Intervals      string   `json:"intervals"`
	Resamples      int      `json:"resamples"`
	Confidence     float64  `json:"confidence"`

	Chosen   *int       `json:"chosen"`
	Base     *int       `json:"base"` // nil: nothing is held against a base
	Cells    []GridCell `json:"cells"`
	Warnings []string   `json:"warnings"`

	runs []*Metrics // by cell, nil where there is none
}

// A GridCell is one run of a sweep, or the reason why there is none.
type GridCell struct {
	At     []int    `json:"at"`
	Values []string `json:"values"`
	Dir    string   `json:"dir"`
	State  string   `json:"state"` // see the constants
	Why    string   `json:"why"`   // empty when there are numbers

	Row  string `json:"row"`  // the strategy as this run names it
	Twin string `json:"twin"` // and its twin; empty: none

	Remark string `json:"remark,omitempty"` // what must be said of the strategy beside its name

	Tasks     int `json:"tasks"`
	Users     int `json:"users"`
	Seeds     int `json:"seeds"`
	Questions int `json:"questions"` // the final checkpoint
	Failed    int `json:"failed"`    // sessions of the strategy
	Params    int `json:"params"`

	Alignment    Estimate    `json:"alignment"`
	DevAlignment Number      `json:"dev_alignment"`
	Gain         *difference `json:"adaptive_gain"`
	MinusBase    *difference `json:"minus_base"`         // alignment, paired by cluster
	Unpaired     string      `json:"unpaired,omitempty"` // why there is none; of the base itself empty
	Interactions Estimate    `json:"interactions"`
	F1           Estimate    `json:"f1_at_5"`
	HeldMAE      Estimate    `json:"held_mae"`
	Brier        Estimate    `json:"brier"`
}

// States of a cell.
const (
	cellDone    = "done"
	cellRefused = "refused" // the combination is undefined
	cellFailed  = "failed"  // no report, no such strategy, or no number
)

// LoadSweep reads dir/sweep.json and metrics.json of every cell. A sweep.json that
// is missing or faulty is a *domains.DataError; a cell without a report that can be
// read stays blank and is warned of.
func LoadSweep(dir string) (*SweepMetrics, error) {
	sw, err := record.ReadSweep(dir)
	if err != nil {
		return nil, err
	}
	s := &SweepMetrics{
		Schema: gridSchema, Name: sw.Name, About: sw.About, Axes: sw.Axes, Strategy: sw.Strategy, Twin: sw.Twin,
		Data: []data{}, SimulatedRoles: []string{}, Cluster: "task", Intervals: OverClusters, Cells: []GridCell{}, Warnings: []string{},
	}
	if i := sw.Chosen(); i >= 0 && !s.ofModels() && !s.ofData() {
		s.Chosen = &i
	}
	var said said
	runs := make([]*Metrics, len(sw.Cells))
	for i := range sw.Cells {
		c := &sw.Cells[i]
		out := GridCell{
			At: c.At, Values: sw.Labels(c), Dir: c.Dir, State: cellDone, Params: c.Params, DevAlignment: undefined(),
			Alignment: unknown(), Interactions: unknown(), F1: unknown(), HeldMAE: unknown(), Brier: unknown(),
		}
		if c.DevAlignment != nil {
			out.DevAlignment = Number(*c.DevAlignment)
		}
		if c.Refused != "" {
			out.State, out.Why = cellRefused, c.Refused
		} else if m, err := readMetrics(filepath.Join(dir, filepath.FromSlash(c.Dir))); err != nil {
			out.State, out.Why = cellFailed, err.Error()
		} else if what := otherRun(filepath.Join(dir, filepath.FromSlash(c.Dir)), m); what != "" {
			out.State, out.Why = cellFailed, what
		} else {
			runs[i] = m
			out.take(m, cmp.Or(c.Row, sw.Strategy), cmp.Or(c.Twin, sw.Twin))
			for _, w := range m.Warnings {
				said.add(w)
			}
		}
		s.Cells = append(s.Cells, out)
	}
	s.join(runs)
	s.warn(runs, &said)
	s.runs = runs
	s.ablate()
	return s, nil
}

// ofModels reports whether cells differ in models only. What is measured on dev is what
// strategies predict, in which no model takes part, so that it chooses none.
func (s *SweepMetrics) ofModels() bool {
	return len(s.Axes) > 0 && !slices.ContainsFunc(s.Axes, func(a record.Axis) bool {
		root, _, _ := strings.Cut(a.Path, ".")
		return root != "roles" && root != "models" && root != "backend"
	})
}

// ofData reports whether cells differ in data or users: in what is asked about, between
// which nobody chooses.
func (s *SweepMetrics) ofData() bool {
	return slices.ContainsFunc(s.Axes, func(a record.Axis) bool {
		root, _, _ := strings.Cut(a.Path, ".")
		return slices.Contains([]string{"domain", "filter", "split", "users", "missing"}, root)
	})
}

// isLadder reports whether one model after another is the solver.
func (s *SweepMetrics) isLadder() bool { return len(s.Axes) == 1 && s.Axes[0].Path == "roles.solver" }

// unknown is the estimate of what was not measured.
func unknown() Estimate { return Estimate{Value: undefined(), Lo: undefined(), Hi: undefined()} }

// take fills the cell from the metrics of its run: from the row of that name or base,
// and its twin.
func (c *GridCell) take(m *Metrics, row, twinRow string) {
	c.Tasks, c.Users, c.Seeds, c.Questions = m.Tasks, m.Users, len(m.Seeds), m.Final
	r := m.rowOf(row)
	if r == nil {
		c.State, c.Why = cellFailed, fmt.Sprintf("the run has no strategy %s", row)
		return
	}
	c.Row, c.Failed, c.Remark = r.Name, r.finalFailures, m.remark(r)
	if c.Params == 0 {
		c.Params = r.Params
	}
	if !r.final().Value.Defined() {
		c.State, c.Why = cellFailed, unknownWhy(r)
		return
	}
	p := r.predicted()
	c.Alignment, c.Interactions, c.F1 = r.final().Estimate, r.Interactions, p.at(tableK).F1
	if r.Predict != "answers" { // else it knows what it was told, and no more
		c.HeldMAE, c.Brier = p.HeldMAE, p.Brier
	}
	twin := m.rowOf(twinRow)
	if twinRow == "" || twin == nil {
		return
	}
	c.Twin = twin.Name
	if r.Gain != nil && r.Gain.Twin == twin.Name {
		for _, g := range r.Gain.ByQuestions {
			if g.Questions == m.Final && g.Value.Defined() {
				c.Gain = &g.difference
			}
		}
	} else if d := find(slices.DeleteFunc(m.of(r.Name), func(c Comparison) bool { return c.Against != twin.Name }), "alignment", m.Final); d != nil && d.Value.Defined() {
		c.Gain = &d.difference
	}
}

// rowOf gives the row of that name, else the first of that base, one that predicts
// from a population before one that does not; nil when there is none.
func (m *Metrics) rowOf(name string) (found *Row) {
	for i := range m.Strategies {
		switch r := &m.Strategies[i]; {
		case r.Name == name:
			return r
		case r.Base == name && name != "" && (found == nil || found.Predict == "answers" && r.Predict != "answers"):
			found = r
		}
	}
	return found
}

// readMetrics reads metrics.json of a run. A file that cannot be used is a
// *domains.DataError without the name of the file.
func readMetrics(dir string) (*Metrics, error) {
	const mend = "run the sweep again, it resumes"
	b, err := os.ReadFile(filepath.Join(dir, record.MetricsFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &domains.DataError{What: "the run is not reported", Mend: mend}
	case err != nil:
		return nil, &domains.DataError{What: record.MetricsFile + " cannot be read", Mend: mend, Err: bare(err)}
	}
	var m Metrics
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, &domains.DataError{What: record.MetricsFile + " holds no metrics", Mend: mend, Err: err}
	}
	if m.Schema != metricsSchema {
		return nil, &domains.DataError{What: fmt.Sprintf("%s has schema %d, this program reads schema %d", record.MetricsFile, m.Schema, metricsSchema), Mend: mend}
	}
	for i := range m.Strategies {
		r := &m.Strategies[i]
		for j, a := range r.Alignment {
			if a.Questions == m.Final || r.fixed() {
				r.finalPoint = j
			}
		}
		for _, f := range r.Failed {
			r.finalFailures += f.N
		}
		whole := len(r.Alignment) > 0 && len(r.Prediction) == len(r.Alignment)
		for j := range r.Prediction {
			whole = whole && len(r.Prediction[j].At) == rangeK
		}
		for _, a := range r.Alignment {
			whole = whole && inRange(a.Estimate, 0)
		}
		if r.Gain != nil {
			for _, g := range r.Gain.ByQuestions {
				whole = whole && inRange(Estimate{Value: g.Value, Lo: undefined(), Hi: undefined()}, -100) // the ends of a t interval may lie beyond
			}
		}
		if !whole {
			return nil, &domains.DataError{What: fmt.Sprintf("%s is not whole, or has an alignment out of range: strategy %q", record.MetricsFile, r.Name), Mend: mend}
		}
	}
	return &m, nil
}

// otherRun says why the metrics of a run are of another configuration than its manifest, or
// nothing. A manifest that cannot be read contradicts nothing.
func otherRun(dir string, m *Metrics) string {
	of, err := record.ReadManifest(dir)
	if err != nil || of.ConfigHash == m.ConfigHash {
		return ""
	}
	return record.MetricsFile + " is of another configuration than " + record.ManifestFile + "; pepbench report on the sweep makes it again"
}

// inRange reports whether what an estimate has of numbers is in least..100, but for
// rounding.
func inRange(e Estimate, least Number) bool {
	for _, v := range []Number{e.Value, e.Lo, e.Hi} {
		if v.Defined() && (v < least-1e-6 || v > 100+1e-6) {
			return false
		}
	}
	return true
}

// join takes over what the runs have in common, of the first one, and every data set
// and every role that was simulated in any.
func (s *SweepMetrics) join(runs []*Metrics) {
	first := true
	for _, m := range runs {
		if m == nil {
			continue
		}
		if first {
			s.Cluster, s.Intervals, s.Resamples, s.Confidence = m.Cluster, m.Intervals, m.Resamples, m.Confidence
			s.Judge, s.Folds, s.Compat = m.Judge, m.Folds, m.Compat
			first = false
		}
		if !slices.Contains(s.Data, m.Data) {
			s.Data = append(s.Data, m.Data)
		}
		for _, r := range m.SimulatedRoles {
			if !slices.Contains(s.SimulatedRoles, r) {
				s.SimulatedRoles = append(s.SimulatedRoles, r)
			}
		}
	}
	s.Simulated = len(s.SimulatedRoles) > 0
}

// said collects warnings of cells, in the order in which they come.
type said struct {
	what  []string
	cells map[string]int
}

func (s *said) add(what string) {
	if s.cells == nil {
		s.cells = map[string]int{}
	}
	if s.cells[what]++; s.cells[what] == 1 {
		s.what = append(s.what, what)
	}
}

// warn says what to know before comparing cells.
func (s *SweepMetrics) warn(runs []*Metrics, said *said) {
	add := func(format string, a ...any) { s.Warnings = append(s.Warnings, fmt.Sprintf(format, a...)) }
	done, read := 0, 0
	for i := range s.Cells {
		c := &s.Cells[i]
		switch c.State {
		case cellDone:
			done++
		case cellFailed:
			add("cell %s stays blank: %s", strings.Join(c.Values, ", "), c.Why)
		}
	}
	if done == 0 {
		add("no cell has a number")
	}
	for _, of := range []struct {
		what string
		get  func(*Metrics) string
	}{
		{"data", func(m *Metrics) string { return m.Data.Name + " " + m.Data.Version + " " + m.Data.Rubric }},
		{"number of tasks", func(m *Metrics) string { return fmt.Sprint(m.Tasks) }},
		{"number of users", func(m *Metrics) string { return fmt.Sprint(m.Users) }},
		{"seeds", func(m *Metrics) string { return fmt.Sprint(m.Seeds) }},
		{"folds of the cross-fitting", func(m *Metrics) string { return fmt.Sprint(m.Folds) }},
		{"number of questions", func(m *Metrics) string { return fmt.Sprint(m.Final) }},
		{"simulated user", func(m *Metrics) string { return m.UserModel }},
		{"solver", func(m *Metrics) string { return m.Solver }},
		{"judge", func(m *Metrics) string { return m.Judge }},
		{"simulated roles", func(m *Metrics) string { return strings.Join(m.SimulatedRoles, " ") }},
	} {
		var seen []string
		for _, m := range runs {
			if m != nil && !slices.Contains(seen, of.get(m)) {
				seen = append(seen, of.get(m))
			}
		}
		if len(seen) > 1 {
			add("the cells differ in the %s: their numbers do not compare as they stand", of.what)
		}
	}
	switch {
	case s.Chosen == nil && s.ofModels():
		add("what is measured on dev does not depend on models: no cell is chosen, and all numbers are exploratory")
	case s.Chosen == nil && s.ofData():
		add("the cells are of different data or users: none is chosen, and all numbers are exploratory")
	case s.Chosen == nil:
		add("no cell was measured on dev: none is chosen, and all numbers are exploratory")
	}
	for _, m := range runs {
		if m != nil {
			read++
		}
	}
	for _, w := range said.what {
		add("in %d of %d cells: %s", said.cells[w], read, w)
	}
}

// JSON gives the bytes of grid.json.
func (s *SweepMetrics) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// WriteSweep reads the sweep in dir and the reports of its cells and writes grid.json,
// tables, figures and report.html beside sweep.json, each file whole or not at all. The cells must
// have been reported with Write; those that have not stay blank. Equal sweeps give
// equal bytes. Errors of the input wrap domains.ErrData.
func WriteSweep(dir string) (*Summary, error) {
	m, err := LoadSweep(dir)
	if err != nil {
		return nil, err
	}
	b, err := m.JSON()
	if err != nil {
		return nil, err
	}
	var files []File
	for _, t := range sweepTables(m) {
		if len(t.groups) == 0 && t.name != "grid" {
			continue
		}
		more, err := t.files(t.tidy)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	drawn, err := figureFiles(sweepFigures(m), newPen())
	if err != nil {
		return nil, err
	}
	files = append(files, drawn...)
	html, err := sweepPage(m, files)
	if err != nil {
		return nil, err
	}
	files = append(files, File{record.PageFile, html})
	// Last, so that its presence says that the report is whole.
	files = append(files, File{record.GridFile, b})
	s := &Summary{Text: sweepTerminal(m, 120), Warnings: m.Warnings}
	if err := s.put(dir, files, "figures/grid", "figures/gridgain", "figures/ladder", "tables/domains", "tables/ablation"); err != nil {
		return nil, err
	}
	return s, nil
}

// sweepTables gives the tables of a sweep, in their order; but for that of the cells, those
// without rows are not there.
func sweepTables(s *SweepMetrics) []fullTable {
	return []fullTable{{gridTable(s), gridCSV(s)}, {domainsTable(s), domainsCSV(s)}, {ablationTable(s), ablationCSV(s)}}
}
