package reports

import (
	"errors"
	"os"
	"path/filepath"
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
	files := []File{{"metrics.json", b}}
	for _, make := range []func(*Metrics) ([]File, error){Tables, Figures} {
		more, err := make(m)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	s := &Summary{Text: terminal(m, 100), Warnings: m.Warnings}
	for _, f := range files {
		if err := replace(filepath.Join(dir, filepath.FromSlash(f.Path)), f.Data); err != nil {
			return nil, err
		}
		s.Files = append(s.Files, f.Path)
	}
	return s, nil
}

// replace writes a file atomically: into a temporary file beside it, then by
// rename.
func replace(name string, data []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".tmp-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
