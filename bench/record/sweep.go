package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"pepbench/domains"
)

// Files of a sweep, inside its folder.
const (
	SweepFile = "sweep.json"

	// GridFile is written last of all that reports derive of a sweep.
	GridFile = "grid.json"
)

// A Sweep says what a grid of runs was: its axes, and of every combination of their
// values where its run lies or why there is none.
type Sweep struct {
	Schema int    `json:"schema"`
	Name   string `json:"name"`
	About  string `json:"about"`

	Axes  []Axis      `json:"axes"`
	Cells []SweepCell `json:"cells"`

	Strategy string `json:"strategy"`       // row whose numbers the grid shows: name, or base
	Twin     string `json:"twin,omitempty"` // its static twin, likewise; empty: none
}

// An Axis is a key of the configuration with the values it takes.
type Axis struct {
	Path   string   `json:"path"`             // e.g. beliefs.model, strategies.pep.acquisition
	Values []string `json:"values"`           // a label for each value
	Stages []string `json:"stages,omitempty"` // of models: the stage of training of each, empty where it is not known; absent if none is
}

// A SweepCell is one combination of values.
type SweepCell struct {
	At      []int  `json:"at"`                // index of the value on each axis
	Dir     string `json:"dir,omitempty"`     // folder of the run, inside that of the sweep; empty when refused
	Refused string `json:"refused,omitempty"` // why the combination is undefined

	// Row and Twin are what this run calls the sweep's Strategy and Twin, where it
	// may call them otherwise; empty: the same.
	Row  string `json:"row,omitempty"`
	Twin string `json:"twin,omitempty"`

	// DevAlignment is the alignment (0..100) of the strategy on the dev profiles at the
	// final checkpoint, nil when it was not measured.
	DevAlignment *float64 `json:"dev_alignment"`
	Params       int      `json:"params"` // parameters of the models the strategy uses
}

// Labels are the values of a cell, one an axis.
func (s *Sweep) Labels(c *SweepCell) []string {
	out := make([]string, len(s.Axes))
	for i, a := range s.Axes {
		out[i] = a.Values[c.At[i]]
	}
	return out
}

// WriteSweep writes dir/sweep.json, atomically. A sweep that ReadSweep would refuse
// is an error.
func WriteSweep(dir string, s *Sweep) error {
	out := *s
	out.Schema = Schema
	path := filepath.Join(dir, SweepFile)
	if what := out.fault(); what != "" {
		return &domains.DataError{File: path, What: what}
	}
	return WriteJSON(path, &out)
}

// ReadSweep reads dir/sweep.json. A file that is missing or that does not hold
// together is a *domains.DataError.
func ReadSweep(dir string) (*Sweep, error) {
	path := filepath.Join(dir, SweepFile)
	b, err := os.ReadFile(path)
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err // the path is named already
		}
		return nil, &domains.DataError{File: path, What: "the sweep cannot be read", Mend: "run the sweep", Err: err}
	}
	var s Sweep
	if err := json.Unmarshal(b, &s); err != nil {
		line := 0
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line = 1 + bytes.Count(b[:min(syntax.Offset, int64(len(b)))], []byte("\n"))
		}
		return nil, &domains.DataError{File: path, Line: line, What: "not a sweep", Mend: "run the sweep again", Err: err}
	}
	if s.Schema != Schema {
		return nil, &domains.DataError{File: path, What: fmt.Sprintf("schema %d, this program reads schema %d", s.Schema, Schema), Mend: "use the program that wrote it, or run the sweep again"}
	}
	if what := s.fault(); what != "" {
		return nil, &domains.DataError{File: path, What: what, Mend: "run the sweep again"}
	}
	return &s, nil
}

// fault says what of a sweep does not hold together, or nothing.
func (s *Sweep) fault() string {
	switch {
	case len(s.Axes) == 0:
		return "the sweep has no axis"
	case s.Strategy == "":
		return "the sweep names no strategy"
	}
	for i, a := range s.Axes {
		switch {
		case len(a.Stages) > 0 && len(a.Stages) != len(a.Values):
			return fmt.Sprintf("axis %s has %d values and %d stages", a.Path, len(a.Values), len(a.Stages))
		case a.Path == "" || slices.ContainsFunc(s.Axes[:i], func(b Axis) bool { return a.Path == b.Path }):
			return fmt.Sprintf("axis %d has no path, or that of another", i+1)
		case len(a.Values) == 0:
			return fmt.Sprintf("axis %s has no values", a.Path)
		}
		for j, v := range a.Values {
			if v == "" || slices.Contains(a.Values[:j], v) {
				return fmt.Sprintf("axis %s: value %d has no label, or that of another", a.Path, j+1)
			}
		}
	}
	seen := map[string]int{}
	for i := range s.Cells {
		c := &s.Cells[i]
		if len(c.At) != len(s.Axes) {
			return fmt.Sprintf("cell %d has %d indices for %d axes", i+1, len(c.At), len(s.Axes))
		}
		for k, v := range c.At {
			if v < 0 || v >= len(s.Axes[k].Values) {
				return fmt.Sprintf("cell %d: index %d on axis %s, which has %d values", i+1, v, s.Axes[k].Path, len(s.Axes[k].Values))
			}
		}
		at := fmt.Sprint(c.At)
		if before, twice := seen[at]; twice {
			return fmt.Sprintf("cells %d and %d are the same combination", before, i+1)
		}
		seen[at] = i + 1
		switch d := c.DevAlignment; {
		case (c.Dir == "") == (c.Refused == ""):
			return fmt.Sprintf("cell %d must have either a folder or a reason why it has none", i+1)
		case c.Dir != "" && !filepath.IsLocal(filepath.FromSlash(c.Dir)):
			return fmt.Sprintf("cell %d: folder %q is not inside that of the sweep", i+1, c.Dir)
		case d != nil && !(*d >= -1e-6 && *d <= 100+1e-6):
			return fmt.Sprintf("cell %d: dev alignment %v is outside 0..100", i+1, *d)
		case c.Params < 0:
			return fmt.Sprintf("cell %d: %d parameters", i+1, c.Params)
		}
	}
	return ""
}

// Chosen is the index of the cell with the largest alignment on the dev profiles,
// the lowest among equals, or -1 when none was measured.
func (s *Sweep) Chosen() int {
	best := -1
	for i := range s.Cells {
		c := &s.Cells[i]
		if c.Refused != "" || c.DevAlignment == nil {
			continue
		}
		if best < 0 || *c.DevAlignment > *s.Cells[best].DevAlignment {
			best = i
		}
	}
	return best
}
