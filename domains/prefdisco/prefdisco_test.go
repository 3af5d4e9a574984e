package prefdisco

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pepbench/domains"
)

var update = flag.Bool("update", false, "rewrite testdata/good.golden")

func TestBad(t *testing.T) {
	seen := map[string]bool{}
	for _, tt := range badFiles {
		seen[tt.file] = true
		t.Run(tt.file, func(t *testing.T) {
			path := filepath.Join("testdata", tt.file)
			d, err := Load(path, Options{Rubric: tt.rubric})
			if d != nil {
				t.Errorf("%s: something was loaded", tt.reason)
			}
			var de *domains.DataError
			if !errors.Is(err, domains.ErrData) || !errors.As(err, &de) || de.File != path {
				t.Fatalf("%s: error %v is not a DataError about the file", tt.reason, err)
			}
			if de.What == "" || de.Mend == "" {
				t.Errorf("%s: the error does not say what is wrong and how to mend it: %+v", tt.reason, de)
			}
			if got := strings.TrimPrefix(err.Error(), path); got != tt.want {
				t.Errorf("%s:\n got %s\nwant %s", tt.reason, got, tt.want)
			}
		})
	}
	files, err := filepath.Glob("testdata/*.bad.*")
	if err != nil || len(files) == 0 {
		t.Fatal("no bad fixtures", err)
	}
	for _, f := range files {
		if !seen[filepath.Base(f)] {
			t.Errorf("%s is in no row of the table", f)
		}
	}
}

// An amount fixture is at fault only as one: as a quality rubric it loads.
func TestAmountFixturesAreFineAsQuality(t *testing.T) {
	for _, tt := range badFiles {
		if tt.rubric != domains.Amount {
			continue
		}
		if _, err := Load(filepath.Join("testdata", tt.file), Options{}); err != nil {
			t.Errorf("%s: %v", tt.file, err)
		}
	}
}

func TestGood(t *testing.T) {
	files, err := filepath.Glob("testdata/*.good.*")
	if err != nil || len(files) == 0 {
		t.Fatal("no good fixtures", err)
	}
	var got strings.Builder
	for _, f := range files {
		d, err := Load(f, Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", f, err)
		}
		describe(&got, filepath.Base(f), d)
	}
	const golden = "testdata/good.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	gl, wl := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gl), len(wl)) {
		g, w := "(end)", "(end)"
		if i < len(gl) {
			g = gl[i]
		}
		if i < len(wl) {
			w = wl[i]
		}
		if g != w {
			t.Fatalf("%s:%d (-update rewrites it):\n got %s\nwant %s", golden, i+1, g, w)
		}
	}
}

// describe writes everything but the source.
func describe(w *strings.Builder, file string, d *domains.Dataset) {
	fmt.Fprintf(w, "=== %s: %s, %s, %d source\n", file, d.Name, d.Rubric, len(d.Sources))
	for _, c := range d.Criteria {
		fmt.Fprintf(w, "criterion %q %q levels", c.ID, c.Description)
		for _, l := range c.Levels {
			fmt.Fprintf(w, " %g%q", l.Value, l.Text)
		}
		fmt.Fprintln(w)
	}
	for _, t := range d.Tasks {
		fmt.Fprintf(w, "task %s %q options %q answer %q criteria %v\n", t.ID, t.Prompt, t.Options, t.Answer, t.Criteria)
	}
	for _, u := range d.Users {
		fmt.Fprintf(w, "user %s %q\n", u.ID, u.Persona)
	}
	for _, p := range d.Profiles {
		fmt.Fprintf(w, "profile %s %s %v weights %.4g\n", d.Tasks[p.Task].ID, d.Users[p.User].ID, p.Cells, p.Weights)
		for i, n := range p.Notes {
			if !reflect.DeepEqual(n, domains.Note{}) {
				fmt.Fprintf(w, "  note %d %q\n", i, n)
			}
		}
	}
	for _, c := range d.Counts {
		fmt.Fprintf(w, "count %d %s\n", c.N, c.What)
	}
}

// The same content must be the same data set, however it is stored.
func TestStorageDoesNotMatter(t *testing.T) {
	load := func(file string) *domains.Dataset {
		d, err := Load(filepath.Join("testdata", file), Options{Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		d.Sources = nil
		return d
	}
	want := load("zip.good.jsonl.gz")
	for _, file := range []string{"unnamed_zip.good.jsonl", "crlf_bom.good.jsonl"} {
		if got := load(file); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is not what zip.good.jsonl.gz is", file)
		}
	}
}

func TestAmount(t *testing.T) {
	d, err := Load("testdata/plain.good.jsonl", Options{Rubric: domains.Amount})
	if err != nil {
		t.Fatal(err)
	}
	if d.Rubric != domains.Amount || d.Name != "plain.good" {
		t.Errorf("rubric %s, name %s", d.Rubric, d.Name)
	}
	want := []domains.Level{{Value: 1, Text: "not at all plain"}, {Value: 2, Text: "hardly plain"}, {Value: 3, Text: "somewhat plain"}, {Value: 4, Text: "mostly plain"}, {Value: 5, Text: "wholly plain"}}
	if got := d.Criteria[0].Levels; !reflect.DeepEqual(got, want) {
		t.Errorf("levels %v", got)
	}
	for _, p := range d.Profiles {
		if p.Notes != nil {
			t.Error("notes, although nobody may read them")
		}
	}
}

// Quality texts are one user's: none may reach the criterion, which solvers see.
func TestQualityLevelsStayInNotes(t *testing.T) {
	d, err := Load("testdata/plain.good.jsonl", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range d.Criteria {
		for _, l := range c.Levels {
			if l.Text != "" {
				t.Errorf("criterion %q has level text %q", c.ID, l.Text)
			}
		}
		if !strings.Contains(c.Question, c.Name) || !strings.HasSuffix(c.Question, "?") {
			t.Errorf("question %q", c.Question)
		}
	}
}

func TestSource(t *testing.T) {
	d, err := Load("testdata/zip.good.jsonl.gz", Options{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("testdata/zip.good.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	want := []domains.Source{{Path: "zip.good.jsonl.gz", SHA256: sum(raw), Bytes: int64(len(raw))}}
	if !reflect.DeepEqual(d.Sources, want) {
		t.Errorf("got %v, want %v", d.Sources, want)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ reason, path, want string }{
		{"no such file", filepath.Join(dir, "none.jsonl"), ": the file cannot be opened (no such file or directory); check the path"},
		{"a folder is no file", dir, ": is a folder, not a JSON Lines file; name the .jsonl or .jsonl.gz file in it"},
	} {
		if _, err := Load(tt.path, Options{}); err == nil || err.Error() != tt.path+tt.want || !errors.Is(err, domains.ErrData) {
			t.Errorf("%s: %v", tt.reason, err)
		}
	}
	_, err := Load("testdata/plain.good.jsonl", Options{Rubric: domains.NoRubric})
	if want := `testdata/plain.good.jsonl: rubric "none" does not fit this format; set domain.rubric to quality or amount`; err == nil || err.Error() != want {
		t.Errorf("a survey has another format: %v", err)
	}
}

// Every prefix of a gzipped file is refused, never loaded in part.
func TestTruncatedGzip(t *testing.T) {
	raw, err := os.ReadFile("testdata/zip.good.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	for n := range raw {
		if d, err := read(bytes.NewReader(raw[:n]), "x.jsonl.gz", Options{}); err == nil || d != nil {
			t.Fatalf("%d of %d bytes were loaded", n, len(raw))
		} else if !errors.Is(err, domains.ErrData) {
			t.Fatalf("%d bytes: %v does not wrap ErrData", n, err)
		}
	}
}

type brokenReader struct{ after *bytes.Reader }

func (r brokenReader) Read(p []byte) (int, error) {
	if n, err := r.after.Read(p); err == nil {
		return n, nil
	}
	return 0, errors.New("disk on fire")
}

func TestReadError(t *testing.T) {
	_, err := read(brokenReader{bytes.NewReader([]byte("{\"type\":\"metadata\"}\n"))}, "x.jsonl", Options{})
	if want := "x.jsonl:2: the file cannot be read (disk on fire); check the file and its disk"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// made is a file of tasks x personas, for tests of size and order.
func made(tasks, personas, pad int) []string {
	rng := rand.New(rand.NewPCG(1, 2))
	names := []string{"Anchors", "Buoys", "Currents", "Docks", "Eddies", "Ferries", "Gales", "Harbours"}
	var lines []string
	for n := range tasks {
		for m := range personas {
			prefs := map[string]any{}
			var rubric []any
			for _, k := range rng.Perm(len(names))[:1+rng.IntN(4)] {
				prefs[names[k]] = map[string]any{"value": 1 + rng.IntN(5), "weight": rng.Float64(), "justification": "Sails past."}
				rubric = append(rubric, map[string]any{"preference": names[k], "description": "On " + names[k] + "."})
			}
			b, err := json.Marshal(map[string]any{
				"type":                "personalized_problem",
				"problem_id":          fmt.Sprintf("problem_%d_persona_%d", n, m),
				"original_problem":    map[string]any{"question": fmt.Sprintf("How deep is harbour %d?", n), "answer": n, "unused": strings.Repeat("~", pad)},
				"persona":             map[string]any{"id": fmt.Sprintf("sailor %d", m), "ship": fmt.Sprintf("no. %d", m)},
				"persona_preferences": prefs,
				"evaluation_rubric":   map[string]any{"evaluation_criteria": rubric},
			})
			if err != nil {
				panic(err)
			}
			lines = append(lines, string(b))
		}
	}
	return lines
}

// Where lines stand in the file must not matter.
func TestLineOrderDoesNotMatter(t *testing.T) {
	lines := made(7, 9, 0)
	load := func() *domains.Dataset {
		d, err := read(strings.NewReader(strings.Join(lines, "\n")), "x.jsonl", Options{})
		if err != nil {
			t.Fatal(err)
		}
		d.Sources = nil
		return d
	}
	want := load()
	if len(want.Tasks) != 7 || len(want.Users) != 9 || len(want.Profiles) != 63 {
		t.Fatalf("%d tasks, %d users, %d profiles", len(want.Tasks), len(want.Users), len(want.Profiles))
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 5 {
		rng.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		if got := load(); !reflect.DeepEqual(got, want) {
			t.Fatal("another order of lines is another data set")
		}
	}
}

func TestLongLines(t *testing.T) {
	const pad = 3 << 20
	d, err := read(strings.NewReader(strings.Join(made(1, 3, pad), "\r\n")+"\r\n"), "x.jsonl", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Profiles) != 3 {
		t.Errorf("%d profiles", len(d.Profiles))
	}
}

func TestSplitID(t *testing.T) {
	for _, tt := range []struct {
		reason, id, n, m string
		ok               bool
	}{
		{"the released form", "problem_12_persona_3", "12", "3", true},
		{"a named source", "problem_medqa_7_persona_3", "medqa_7", "3", true},
		{"the last _persona_ divides", "problem_1_persona_2_persona_3", "1_persona_2", "3", true},
		{"no task", "problem__persona_3", "", "3", false},
		{"no persona", "problem_1_persona_", "1", "", false},
		{"no prefix", "1_persona_2", "", "", false},
		{"a tab", "problem_1\t_persona_2", "1\t", "2", false},
		{"empty", "", "", "", false},
	} {
		n, m, ok := splitID(tt.id)
		if ok != tt.ok || ok && (n != tt.n || m != tt.m) {
			t.Errorf("%s: %q, %q, %v", tt.reason, n, m, ok)
		}
	}
}

// The walker must agree with encoding/json on every valid text.
func TestValueAgreesWithEncodingJSON(t *testing.T) {
	for _, text := range []string{
		`{}`, `[]`, `[ ]`, `{ }`, `{"a":1,"b":[1,2,{"c":"]}"}],"d":"\"}"}`, `[ "\\" , -1.5e3 ,null,true , false,{"x" : { } } ]`,
		`{"\u00e9\n":"\ud83d\ude00","k":"\\\""}`, ` {"a" : [ [ ] , [ 1 ] ] } `,
	} {
		checkWalk(t, text)
	}
}

func checkWalk(t *testing.T, text string) {
	t.Helper()
	var want any
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatal(err)
	}
	got, ok := walk(value(strings.TrimSpace(text)))
	if ok && !reflect.DeepEqual(got, want) {
		t.Fatalf("%s\n got %#v\nwant %#v", text, got, want)
	}
}

// walk decodes by value's methods; not ok when a name occurs twice.
func walk(v value) (any, bool) {
	switch {
	case v.isNull():
		return nil, true
	case v.isString():
		return v.str(), true
	case v.isNumber():
		return v.float()
	case v.isList():
		out := []any{}
		for _, e := range v.list() {
			x, ok := walk(e)
			if !ok {
				return nil, false
			}
			out = append(out, x)
		}
		return out, true
	case v.isObject():
		ms, err := v.object()
		if err != nil {
			return nil, false
		}
		out := map[string]any{}
		for _, m := range ms {
			x, ok := walk(m.val)
			if !ok {
				return nil, false
			}
			out[m.name] = x
		}
		return out, true
	}
	return string(v) == "true", true
}

func FuzzValue(f *testing.F) {
	f.Add(`{"a":[1,"x\"",{}],"b":null}`)
	f.Add(`[[],[1e3,-0]]`)
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.Trim(text, " \t\r\n")
		var x any
		if json.Unmarshal([]byte(text), &x) != nil || !json.Valid([]byte(text)) {
			return
		}
		if strings.ToValidUTF8(text, "") != text {
			return // refused before it is walked
		}
		checkWalk(t, text)
	})
}

// Whatever the bytes, the loader gives a valid data set or a DataError, not both.
func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.jsonl*")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, false)
		f.Add(b, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, amount bool) {
		opt := Options{}
		if amount {
			opt.Rubric = domains.Amount
		}
		d, err := read(bytes.NewReader(b), "x.jsonl", opt)
		if err == nil {
			if err := d.Validate(); err != nil {
				t.Error(err)
			}
			return
		}
		var de *domains.DataError
		if d != nil || !errors.Is(err, domains.ErrData) || !errors.As(err, &de) || de.File != "x.jsonl" {
			t.Errorf("%T %v", err, err)
		}
		if strings.Contains(de.What, "does not make a valid data set") {
			t.Errorf("a fault without a line: %v", err)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	plain := []byte(strings.Join(made(20, 50, 0), "\n"))
	var zipped bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	zw.Write(plain)
	zw.Close()
	for _, bb := range []struct {
		name string
		data []byte
	}{{"form=plain", plain}, {"form=gzip", zipped.Bytes()}} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := read(bytes.NewReader(bb.data), "x.jsonl", Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
