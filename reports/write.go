package reports

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pepbench/bench/record"
)

// A Summary is what the command prints.
type Summary struct {
	Text     string   // the headline table, at most 120 columns
	Warnings []string // what to know before trusting a number, one line each
	Files    []string // what was written, relative to the run directory
	Metrics  *Metrics // of a run: what is in metrics.json
}

// Write reads the run in dir and writes metrics.json, tables, figures, report.html and
// the index of its sessions beside it, each file whole or not at all. Equal runs give
// equal bytes. Errors of the input wrap domains.ErrData. Observers see what they see of
// Load.
func Write(dir string, see ...Observer) (*Summary, error) {
	run, err := Load(dir, see...)
	if err != nil {
		return nil, err
	}
	m := Compute(run)
	b, err := m.JSON()
	if err != nil {
		return nil, err
	}
	var files []File
	for _, make := range []func(*Metrics) ([]File, error){Tables, Figures} {
		more, err := make(m)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	trainings, err := readTrainings(filepath.Join(dir, trainingsFolder))
	if err != nil {
		return nil, err
	}
	more, err := trainingFiles(trainings)
	if err != nil {
		return nil, err
	}
	files = append(files, more...)
	html, err := runPage(m, &run.Manifest, trainings, files)
	if err != nil {
		return nil, err
	}
	files = append(files, File{record.PageFile, html})
	// Last, so that its presence says that the report is whole.
	files = append(files, File{record.MetricsFile, b})
	s := &Summary{Text: terminal(m, 120), Warnings: m.Warnings, Metrics: m}
	optional := append(optionalFigures(), "tables/gain", "tables/fidelity", "tables/released", "tables/calls", "tables/judge", "tables/judges", "tables/adaptivity", "tables/policies", "tables/costs", "tables/calibration", "tables/tasks", "tables/curve")
	if err := s.put(dir, files, optional...); err != nil {
		return nil, err
	}
	return s, index(dir, &run.Manifest)
}

// index puts the index of the sessions beside them, so that the viewer opens at once.
func index(dir string, m *record.Manifest) error {
	if _, err := record.ReadIndex(dir, m); err == nil {
		return nil
	}
	x, err := record.BuildIndex(context.Background(), dir, m, nil)
	if err != nil {
		return err
	}
	return x.Write(dir)
}

// put writes the files and names them in the summary. What an earlier report left of
// the optional ones, named without extension, and this one does not have is removed, and so
// are other widths of a figure.
func (s *Summary) put(dir string, files []File, optional ...string) error {
	for _, o := range optional {
		if strings.HasPrefix(o, "figures/") {
			optional = append(optional, o+"-column", o+"-page")
		}
	}
	for _, o := range optional {
		for _, ext := range []string{".md", ".csv", ".tex", ".svg", ".png", ".pdf"} {
			if !slices.ContainsFunc(files, func(f File) bool { return f.Path == o+ext }) {
				if err := os.Remove(filepath.Join(dir, filepath.FromSlash(o+ext))); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
			}
		}
	}
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		err := record.WriteFile(name, func(w io.Writer) error {
			_, err := w.Write(f.Data)
			return err
		})
		if err != nil {
			return err
		}
		s.Files = append(s.Files, f.Path)
	}
	return nil
}
