package reports

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"pepbench/bench/record"
)

// TestWriteHostile: a run that somebody sent obeys nobody but its reader: names with
// control characters leave figures XML and terminals alone, and an index that came with it
// is not believed.
func TestWriteHostile(t *testing.T) {
	const escape = "\x1b[31m\x01"
	dir := synth{tasks: 2, users: 2, seeds: 1, criteria: 4, budget: 1, change: func(m *record.Manifest, _ *[]record.Session) {
		m.Data.Version += escape
		m.Warnings = append(m.Warnings, "the server said "+escape)
	}}.write(t)
	m, err := record.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	x, err := record.BuildIndex(context.Background(), dir, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	was := x.Rows[0].Alignment
	x.Rows[0].Alignment = was / 2
	if err := x.Write(dir); err != nil {
		t.Fatal(err)
	}
	s, err := Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	if x, err := record.ReadIndex(dir, m); err != nil || x.Rows[0].Alignment != was {
		t.Errorf("the index that was there is believed: %v", err)
	}
	if out := s.Text + strings.Join(s.Warnings, "\n"); strings.ContainsAny(out, escape[:1]+"\x01") || !strings.Contains(out, "the server said \ufffd[31m\ufffd") {
		t.Errorf("for a terminal: %q", out)
	}
	figures := 0
	for _, f := range s.Files {
		b, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil {
			t.Fatal(err)
		}
		switch path.Ext(f) {
		case ".svg":
			figures++
			dec := xml.NewDecoder(bytes.NewReader(b))
			for err == nil {
				_, err = dec.Token()
			}
			if !errors.Is(err, io.EOF) {
				t.Errorf("%s: %v", f, err)
			}
		case ".md", ".tex", ".html":
			if bytes.ContainsAny(b, escape[:1]+"\x01") {
				t.Errorf("%s has control characters", f)
			}
		}
	}
	if figures == 0 {
		t.Error("no figures")
	}
}
