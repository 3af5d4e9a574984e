package reports

import (
	"io"
	"os"
	"path/filepath"

	"pepbench/bench/record"
)

// A Summary is what the command prints.
type Summary struct {
	Text     string   // the headline table, at most 100 columns
	Warnings []string // what to know before trusting a number, one line each
	Files    []string // what was written, relative to the run directory
}

// Write reads the run in dir and writes metrics.json, tables and figures beside
// it, each file whole or not at all. Equal runs give equal bytes. Errors of the
// input wrap domains.ErrData.
func Write(dir string) (*Summary, error) {
	run, err := Load(dir)
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
	// Last, so that its presence says that the report is whole.
	files = append(files, File{record.MetricsFile, b})
	s := &Summary{Text: terminal(m, 100), Warnings: m.Warnings}
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return nil, err
		}
		err := record.WriteFile(name, func(w io.Writer) error {
			_, err := w.Write(f.Data)
			return err
		})
		if err != nil {
			return nil, err
		}
		s.Files = append(s.Files, f.Path)
	}
	return s, nil
}
