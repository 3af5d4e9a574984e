package record

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"pepbench/domains"
)

// ProbesFile is what the judge of a run made of responses whose properties are known;
// see Probes.
const ProbesFile = "probes.json"

// Probes says how steady the judge of a run is, from responses that were written for
// the purpose and have nothing to do with the run's sessions.
type Probes struct {
	Schema    int          `json:"schema"`
	Judge     string       `json:"judge"` // identity, without repeats
	Rubric    string       `json:"rubric"`
	Responses int          `json:"responses"`
	Calls     int          `json:"calls"`
	Checks    []ProbeCheck `json:"checks"`
}

// A ProbeCheck compares pairs of grades that should be equal or, of sensitivity, in
// order. A grade is the level of amount rubrics and the score of quality rubrics.
type ProbeCheck struct {
	Name     string   `json:"name"`     // again, position, verbosity, batching, sensitivity
	Pairs    int      `json:"pairs"`    // both graded
	Agree    int      `json:"agree"`    // of them equal, or in order
	Unscored int      `json:"unscored"` // pairs left out because one has no grade
	Shift    *float64 `json:"shift"`    // mean of second minus first, in levels; nil without pairs
}

// WriteProbes writes dir/probes.json, atomically.
func WriteProbes(dir string, p Probes) error {
	p.Schema = Schema
	return WriteJSON(filepath.Join(dir, ProbesFile), p)
}

// ReadProbes reads dir/probes.json, and gives nil where there is none. A file that
// cannot be read or does not hold together is a *domains.DataError.
func ReadProbes(dir string) (*Probes, error) {
	path := filepath.Join(dir, ProbesFile)
	bad := func(what string, err error) error {
		return &domains.DataError{File: path, What: what, Mend: "remove the file; the run makes it again with --fresh", Err: err}
	}
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err // the path is named already
		}
		return nil, bad("cannot be read", err)
	}
	var p Probes
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, bad("not a report of probes", err)
	}
	if p.Schema != Schema {
		return nil, bad("another schema than this program reads", nil)
	}
	for _, c := range p.Checks {
		if c.Pairs < 0 || c.Agree < 0 || c.Agree > c.Pairs || c.Unscored < 0 || (c.Shift == nil) != (c.Pairs == 0) || c.Shift != nil && !(*c.Shift >= -4 && *c.Shift <= 4) {
			return nil, bad("check "+c.Name+" does not hold together", nil)
		}
	}
	return &p, nil
}
