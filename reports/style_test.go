package reports

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// TestStyleInOnePlace: no file but style.go sets a colour, a size in centimetres, a size of
// type, the width of a line, or how one is broken. (paperpage.go sets a document, not figures.)
func TestStyleInOnePlace(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, e := range files {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name == "style.go" || name == "paperpage.go" {
			continue
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		bad := func(n ast.Node, what string) { t.Errorf("%s: %s", set.Position(n.Pos()), what) }
		literal := func(e ast.Expr) bool { _, ok := e.(*ast.BasicLit); return ok }
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "vg" && (n.Sel.Name == "Centimeter" || n.Sel.Name == "Inch") {
					bad(n, "a size in centimetres")
				}
			case *ast.CompositeLit:
				switch typ := n.Type.(type) {
				case *ast.SelectorExpr:
					switch typ.Sel.Name {
					case "NRGBA", "RGBA", "Gray":
						bad(n, "a colour")
					case "LineStyle":
						bad(n, "a line without stroke")
					}
				case *ast.ArrayType:
					if s, ok := typ.Elt.(*ast.SelectorExpr); ok && s.Sel.Name == "Length" && len(n.Elts) > 0 && literal(n.Elts[0]) {
						bad(n, "a broken line")
					}
				}
			case *ast.CallExpr:
				name := ""
				switch f := n.Fun.(type) {
				case *ast.Ident:
					name = f.Name
				case *ast.SelectorExpr:
					name = f.Sel.Name
				}
				looked++
				switch {
				case name == "okabeIto":
					bad(n, "a colour")
				case (name == "gray" || name == "inkOf") && literal(n.Args[0]):
					bad(n, "a grey")
				case name == "stroke" && literal(n.Args[1]):
					bad(n, "the width of a line")
				case name == "style" && len(n.Args) == 3 && literal(n.Args[0]):
					bad(n, "a size of type")
				}
			}
			return true
		})
	}
	if looked < 1000 {
		t.Errorf("%d calls seen", looked)
	}
}
