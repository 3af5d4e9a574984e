package reports

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
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
func Write(dir string, see ...Observer) (*Summary, error) { return write(dir, Figures, see...) }

// WriteCell is Write with every figure in one width, the one in which it is best: what is
// wanted of the many cells of a sweep.
func WriteCell(dir string) (*Summary, error) {
	return write(dir, func(m *Metrics) (out []File, err error) {
		for _, s := range sketches(m) {
			files, err := s.files()
			if err != nil {
				return nil, err
			}
			out = append(out, files...)
		}
		return out, nil
	})
}

// write makes the report of the run in dir, with its figures as told.
func write(dir string, figures func(*Metrics) ([]File, error), see ...Observer) (*Summary, error) {
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
	for _, make := range []func(*Metrics) ([]File, error){Tables, figures} {
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
	if err := index(dir, &run.Manifest); err != nil {
		return nil, err
	}
	s := &Summary{Text: printable(terminal(m, 120)), Warnings: m.Warnings, Metrics: m, Files: []string{record.IndexFile}}
	optional := append(optionalFigures(), "figures/learning-*", "tables/gain", "tables/fidelity", "tables/released", "tables/calls", "tables/judge", "tables/judges", "tables/adaptivity", "tables/policies", "tables/costs", "tables/calibration", "tables/tasks", "tables/curve")
	if err := s.put(dir, files, optional...); err != nil {
		return nil, err
	}
	return s, nil
}

// index puts the index of the sessions beside them, so that the viewer opens at once. One
// that is there is not trusted: it does not notice every change within the file.
func index(dir string, m *record.Manifest) error {
	x, err := record.BuildIndex(context.Background(), dir, m, nil)
	if err != nil {
		return err
	}
	return x.Write(dir)
}

// put writes the files and names them in the summary. What an earlier report left and this
// one does not have is removed if its name is one of ours: one of the optional ones, which are
// patterns of path.Match without extension, in any width of a figure.
func (s *Summary) put(dir string, files []File, optional ...string) error {
	if err := removeStale(dir, files, optional); err != nil {
		return err
	}
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		data := f.Data
		switch path.Ext(f.Path) {
		case ".svg", ".html", ".tex", ".md": // XML and TeX have no control characters
			if bytes.ContainsFunc(data, controls) {
				data = bytes.Map(visible, data)
			}
		}
		err := record.WriteFile(name, func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
		if err != nil {
			return err
		}
		s.Files = append(s.Files, f.Path)
	}
	return nil
}

// removeStale removes what put says.
func removeStale(dir string, files []File, optional []string) error {
	written := map[string]bool{}
	for _, f := range files {
		written[f.Path] = true
	}
	for _, folder := range []string{"tables", "figures"} {
		list, err := os.ReadDir(filepath.Join(dir, folder))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, e := range list {
			name := path.Join(folder, e.Name())
			ext := path.Ext(name)
			if written[name] || e.IsDir() || !slices.Contains([]string{".md", ".csv", ".tex", ".svg", ".png", ".pdf"}, ext) {
				continue
			}
			stem := strings.TrimSuffix(name, ext)
			for _, w := range []string{"-column", "-page"} {
				stem = strings.TrimSuffix(stem, w)
			}
			ours := slices.ContainsFunc(optional, func(o string) bool {
				ok, err := path.Match(o, stem)
				return ok && err == nil
			})
			if !ours {
				continue
			}
			if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				return err
			}
		}
	}
	return nil
}
