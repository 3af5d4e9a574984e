package bench_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// house says which of our packages each room may import directly. A room is a
// package with all packages below it that are not rooms themselves.
var house = map[string][]string{
	"domains":            {},
	"bench/llm":          {},
	"bench/llm/sim":      {},
	"bench/interpret":    {"domains", "bench/llm"},
	"strategies":         {"domains", "bench/llm", "bench/interpret"},
	"strategies/belief":  {"domains"},
	"strategies/pep":     {"domains", "strategies", "strategies/belief"},
	"strategies/rl":      {"domains", "strategies"},
	"simusers":           {"domains", "bench/llm"},
	"judges":             {"domains", "bench/llm"},
	"bench/solver":       {"domains", "bench/llm"},
	"bench/record":       {"domains"},
	"bench":              {"domains", "bench/llm", "bench/llm/sim", "bench/interpret", "strategies", "strategies/belief", "strategies/pep", "strategies/rl", "simusers", "judges", "bench/solver", "bench/record"},
	"reports":            {"domains", "bench/record"},
	"reports/export":     {"reports", "domains", "bench/record"},
	"reports/view":       {"domains", "bench/record", "reports"},
	"bench/cmd/pepbench": {"domains", "bench/llm", "bench/llm/sim", "strategies", "strategies/belief", "strategies/pep", "simusers", "judges", "bench/solver", "bench/record", "bench", "reports", "reports/export", "reports/view"},
}

// forTests are packages that only tests may import, whatever room they are in.
var forTests = []string{"strategies/belief/parity"}

// room gives the room that a package of ours is in.
func room(pkg string) string {
	for p := pkg; p != "." && p != "/"; p = filepath.Dir(p) {
		if _, ok := house[p]; ok {
			return p
		}
	}
	return ""
}

type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,TestImports,XTestImports", "pepbench/...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		t.Fatal(err)
	}
	var all []listed
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var l listed
		if err := dec.Decode(&l); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
}

// TestArrows holds the direct imports of every package to the plan of the house.
func TestArrows(t *testing.T) {
	seen := map[string]bool{}
	all := list(t)
	for _, l := range all {
		pkg, ours := strings.CutPrefix(l.ImportPath, "pepbench/")
		if !ours {
			continue
		}
		from := room(pkg)
		if from == "" {
			t.Errorf("package %s is in no room of the house", pkg)
			continue
		}
		seen[from] = true
		for _, imp := range l.Imports {
			target, ours := strings.CutPrefix(imp, "pepbench/")
			if !ours {
				continue
			}
			if slices.Contains(forTests, target) {
				t.Errorf("%s imports %s, which is for tests only", pkg, target)
			}
			if to := room(target); to != from && !slices.Contains(house[from], to) {
				t.Errorf("%s imports %s: %s may import only %v", pkg, target, from, house[from])
			}
		}
	}
	for _, p := range forTests {
		if !slices.ContainsFunc(all, func(l listed) bool {
			return slices.Contains(slices.Concat(l.TestImports, l.XTestImports), "pepbench/"+p)
		}) {
			t.Errorf("no test imports %s", p)
		}
	}
	for _, must := range []string{"domains", "bench", "bench/llm", "bench/llm/sim", "bench/interpret", "bench/record", "strategies", "strategies/belief", "strategies/pep", "simusers", "judges", "bench/solver", "reports", "reports/view", "bench/cmd/pepbench"} {
		if !seen[must] {
			t.Errorf("room %s was not looked at: is it empty?", must)
		}
	}
}

// TestTopLevel holds the top level of the tree to the plan.
func TestTopLevel(t *testing.T) {
	allowed := strings.Fields("go.mod go.sum configs bench strategies simusers judges domains reports scripts results Makefile README.md LICENSE CITATION.cff bin")
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) < 10 {
		t.Fatalf("the top level has %d entries; is this the module's root?", len(entries))
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(allowed, e.Name()) {
			t.Errorf("%s is not in the plan of the house", e.Name())
		}
	}
}

// TestEveryRoomSaysWhatItIsFor: each package has a doc.go with a package comment.
func TestEveryRoomSaysWhatItIsFor(t *testing.T) {
	n := 0
	for _, l := range list(t) {
		pkg, ours := strings.CutPrefix(l.ImportPath, "pepbench/")
		if !ours || pkg == "bench/cmd/pepbench" { // the command's comment is its help, in main.go
			continue
		}
		n++
		b, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(pkg), "doc.go"))
		if err != nil {
			t.Errorf("%s: %v", pkg, err)
			continue
		}
		if !bytes.HasPrefix(b, []byte("// Package "+filepath.Base(pkg)+" ")) {
			t.Errorf("%s/doc.go does not begin with its package comment", pkg)
		}
	}
	if n < 12 {
		t.Errorf("looked at %d packages only", n)
	}
}

// TestOneGoroutine: domains and reports, but for the server in reports/view, start no
// goroutine, so that `make test` may leave the race detector out there, under which drawing
// takes minutes.
func TestOneGoroutine(t *testing.T) {
	files := 0
	for _, root := range []string{"../domains", "../reports"} {
		err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
			if path == "../reports/view" {
				return filepath.SkipDir
			}
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files++
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			for _, i := range f.Imports {
				if p, _ := strconv.Unquote(i.Path.Value); p == "sync" || strings.HasPrefix(p, "golang.org/x/sync") {
					t.Errorf("%s imports %s: give its package back to the race detector (make test)", path, p)
				}
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if _, ok := n.(*ast.GoStmt); ok {
					t.Errorf("%s starts a goroutine: give its package back to the race detector (make test)", path)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 20 {
		t.Errorf("%d files looked at", files)
	}
}
