package export

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pepbench/bench/record"
	"pepbench/reports"
)

// A Format is a kind of file.
type Format string

// The formats.
const (
	CSV     Format = "csv"     // estimates and sessions
	Parquet Format = "parquet" // the same
	JSON    Format = "json"    // estimates, as an array of objects
	LMEval  Format = "lm-eval" // results, in the shape of lm-evaluation-harness
)

// Formats are all of them.
var Formats = []Format{CSV, Parquet, JSON, LMEval}

// ParseFormats reads formats that are separated by commas, each once.
func ParseFormats(lists ...string) (out []Format, err error) {
	for _, list := range lists {
		for _, name := range strings.Split(list, ",") {
			f := Format(strings.TrimSpace(name))
			if !slices.Contains(Formats, f) {
				return nil, fmt.Errorf("no format %q; there are csv, parquet, json and lm-eval", string(f))
			}
			if !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out, nil
}

// The files, by what is in them.
const (
	estimatesFile = "estimates"
	sessionsFile  = "sessions"
	resultsFile   = "results_pepbench.json"
)

// Write makes the report of the run in dir again, as reports.Write does, and exports it in
// these formats into the folder out, which is made if it is not there. It gives the files that
// it wrote there. Errors of the input wrap domains.ErrData.
func Write(dir, out string, formats []Format) (*reports.Summary, []string, error) {
	m, err := record.ReadManifest(dir)
	if err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, nil, err
	}
	x := &exporter{dir: out, rows: newSessionTable(m)}
	var summary *reports.Summary
	// Sessions are written as they are read, into files that take their names when all is well.
	var cause error // of the report, which is no fault of the files
	var fill func(left []Format) error
	fill = func(left []Format) error {
		if len(left) == 0 {
			summary, cause = reports.Write(dir, x.session)
			return errors.Join(cause, x.failed)
		}
		return x.into(sessionsFile, left[0], x.rows.columns, func(t table) error {
			x.sessions = append(x.sessions, t)
			return fill(left[1:])
		})
	}
	tables := slices.DeleteFunc(slices.Clone(formats), func(f Format) bool { return f != CSV && f != Parquet })
	if err := fill(tables); err != nil {
		return nil, nil, cmp.Or(cause, err)
	}
	estimates := Estimates(summary.Metrics)
	columns, row := tableOf[Estimate]()
	for _, f := range tables {
		err := x.into(estimatesFile, f, columns, func(t table) error {
			for i := range estimates {
				if err := t.row(row(&estimates[i])); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	if slices.Contains(formats, JSON) {
		if err := x.file(estimatesFile+".json", func(w io.Writer) error { return writeJSON(w, estimates) }); err != nil {
			return nil, nil, err
		}
	}
	if slices.Contains(formats, LMEval) {
		b, err := Results(summary.Metrics, m)
		if err != nil {
			return nil, nil, err
		}
		err = x.file(resultsFile, func(w io.Writer) error {
			_, err := w.Write(b)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	slices.Sort(x.files)
	return summary, x.files, nil
}

// An exporter is one Write under way.
type exporter struct {
	dir      string
	rows     *sessionTable
	sessions []table
	failed   error // the first failure to write a session
	files    []string
}

// session is an observer of sessions.
func (x *exporter) session(_ int64, _ int, s *record.Session) {
	if x.failed != nil {
		return
	}
	values := x.rows.row(s)
	for _, t := range x.sessions {
		if err := t.row(values); err != nil {
			x.failed = err
			return
		}
	}
}

// into writes a table to a file that is there when fill and closing went well.
func (x *exporter) into(name string, f Format, columns []column, fill func(table) error) error {
	open := newCSV
	if f == Parquet {
		open = newParquet
	}
	return x.file(name+"."+string(f), func(w io.Writer) error {
		t, err := open(w, columns)
		if err != nil {
			return err
		}
		if err := fill(t); err != nil {
			return err
		}
		return t.close()
	})
}

func (x *exporter) file(name string, write func(io.Writer) error) error {
	path := filepath.Join(x.dir, name)
	if err := record.WriteFile(path, write); err != nil {
		return err
	}
	x.files = append(x.files, path)
	return nil
}

// writeJSON writes an array, an element a line.
func writeJSON(w io.Writer, list []Estimate) error {
	for i := range list {
		before := ",\n"
		if i == 0 {
			before = "[\n"
		}
		b, err := json.Marshal(&list[i])
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, before+string(b)); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		_, err := io.WriteString(w, "[]\n")
		return err
	}
	_, err := io.WriteString(w, "\n]\n")
	return err
}
