package reports

import (
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocumented: the package comment names every field of metrics.json and grid.json,
// and every table and figure.
func TestDocumented(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	for _, w := range regexp.MustCompile(`[a-z][a-z0-9_]*`).FindAllString(f.Doc.Text(), -1) {
		words[w] = true
	}
	seen := map[reflect.Type]bool{}
	var look func(reflect.Type, string)
	look = func(typ reflect.Type, in string) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] || typ == reflect.TypeFor[count]() {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			field := typ.Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name != "" && !words[name] {
				t.Errorf("%s: the field %q is not documented", in, name)
			}
			look(field.Type, in+"/"+name)
		}
	}
	look(reflect.TypeFor[Metrics](), "metrics.json")
	look(reflect.TypeFor[SweepMetrics](), "grid.json")
	m := Compute(load(t, synth{tasks: 2, users: 2, seeds: 1, criteria: 5, budget: 1}.write(t)))
	for _, g := range []*grid{mainTable(m), profileTable(m), errorsTable(m), gainTable(m), fidelityTable(m), releasedTable(m), adaptivityTable(m), callsTable(m), judgeTable(m), judgesTable(m), costsTable(m), calibrationTable(m), tasksTable(m), domainsTable(&SweepMetrics{}), ablationTable(&SweepMetrics{})} {
		if !words[g.name] {
			t.Errorf("the table %q is not documented", g.name)
		}
	}
	for _, column := range slices.Concat(testColumns, costsCSV(m)[0], calibrationCSV(m)[0], tasksCSV(m)[0]) {
		if !words[column] {
			t.Errorf("the column %q is not documented", column)
		}
	}
	for _, s := range sketches(m) {
		if !words[s.name] {
			t.Errorf("the figure %q is not documented", s.name)
		}
	}
}
