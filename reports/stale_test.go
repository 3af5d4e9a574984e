package reports

import (
	"os"
	"path/filepath"
	"testing"
)

// TestStale: what an earlier report left is removed if it is ours and this report has no such
// file, whatever its width, and nothing else is.
func TestStale(t *testing.T) {
	dir := t.TempDir()
	for _, folder := range []string{"tables", "figures/learning-a.svg.d"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var s Summary
	rows := []struct {
		reason, name string
		stays        bool
	}{
		{"a file that is written anew", "tables/gain.md", true},
		{"a format that this report has not", "tables/gain.tex", false},
		{"a figure that it has not", "figures/tree.svg", false},
		{"in another width", "figures/tree-page.png", false},
		{"of a policy that is no more", "figures/learning-old.pdf", false},
		{"in another width, too", "figures/learning-old-column.pdf", false},
		{"one of somebody else", "figures/mine.svg", true},
		{"one of somebody else that begins like ours", "figures/tree-of-mine.svg", true},
		{"another kind of file", "figures/tree.txt", true},
		{"in another folder", "tree.svg", true},
	}
	for _, row := range rows {
		put(t, filepath.Join(dir, filepath.FromSlash(row.name)), []byte("old"))
	}
	if err := s.put(dir, []File{{"tables/gain.md", []byte("new")}}, "tables/gain", "figures/tree", "figures/learning-*"); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if exists(dir, row.name) != row.stays {
			t.Errorf("%s: %s is there: %v", row.reason, row.name, !row.stays)
		}
	}
	if !exists(dir, "figures/learning-a.svg.d") {
		t.Error("a folder was removed")
	}
	if err := s.put(t.TempDir(), nil, "figures/tree"); err != nil {
		t.Errorf("a folder without a report: %v", err)
	}
}
