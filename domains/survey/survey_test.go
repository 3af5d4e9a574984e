package survey

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"pepbench/domains"
)

var update = flag.Bool("update", false, "rewrite testdata/good.golden")

func TestBad(t *testing.T) {
	seen := map[string]bool{}
	for _, tt := range badFolders {
		seen[tt.dir] = true
		t.Run(tt.dir, func(t *testing.T) {
			dir := filepath.Join("testdata", tt.dir)
			d, err := Load(dir, Options{})
			if d != nil {
				t.Errorf("%s: something was loaded", tt.reason)
			}
			var de *domains.DataError
			if !errors.Is(err, domains.ErrData) || !errors.As(err, &de) || filepath.Dir(de.File) != dir {
				t.Fatalf("%s: error %v is not a DataError about a file of the folder", tt.reason, err)
			}
			if de.What == "" || de.Mend == "" {
				t.Errorf("%s: the error does not say what is wrong and how to mend it: %+v", tt.reason, de)
			}
			if got := strings.TrimPrefix(err.Error(), dir+"/"); got != tt.want {
				t.Errorf("%s:\n got %s\nwant %s", tt.reason, got, tt.want)
			}
		})
	}
	dirs, err := filepath.Glob("testdata/*.bad")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no bad fixtures", err)
	}
	for _, d := range dirs {
		if !seen[filepath.Base(d)] {
			t.Errorf("%s is in no row of the table", d)
		}
	}
}

func TestGood(t *testing.T) {
	dirs, err := filepath.Glob("testdata/*.good")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no good fixtures", err)
	}
	var got strings.Builder
	for _, dir := range dirs {
		d, err := Load(dir, Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		if d.Name != filepath.Base(dir) || d.Rubric != domains.NoRubric || !d.Survey() || len(d.Sources) != 2 {
			t.Errorf("%s: name %s, rubric %s, sources %v", dir, d.Name, d.Rubric, d.Sources)
		}
		describe(&got, filepath.Base(dir), d)
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

func describe(w *strings.Builder, dir string, d *domains.Dataset) {
	fmt.Fprintf(w, "=== %s\n", dir)
	for _, c := range d.Criteria {
		fmt.Fprintf(w, "criterion %s %q question %q %s group %q keying %q", c.ID, c.Name, c.Question, c.Scale, c.Group, c.Keying)
		if c.Scale == domains.Continuous {
			fmt.Fprintf(w, " from %g to %g", c.Min, c.Max)
		}
		for _, l := range c.Levels {
			fmt.Fprintf(w, " %g%q", l.Value, l.Text)
		}
		fmt.Fprintln(w)
	}
	for _, t := range d.Tasks {
		fmt.Fprintf(w, "task %s criteria %v\n", t.ID, t.Criteria)
	}
	for _, p := range d.Profiles {
		fmt.Fprintf(w, "profile %s %v weights %v notes %v\n", d.Users[p.User].ID, p.Cells, p.Weights, p.Notes)
	}
	for _, c := range d.Counts {
		fmt.Fprintf(w, "count %d %s\n", c.N, c.What)
	}
}

// text is describe for comparing: missing cells are NaN, which equals nothing.
func text(d *domains.Dataset) string {
	var w strings.Builder
	describe(&w, "", d)
	return w.String()
}

// The same content must be the same data set, however it is stored.
func TestStorageDoesNotMatter(t *testing.T) {
	load := func(dir string) string {
		d, err := Load(filepath.Join("testdata", dir), Options{Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		return text(d)
	}
	want := load("plain.good")
	for _, dir := range []string{"zip.good", "crlf_bom.good"} {
		if got := load(dir); got != want {
			t.Errorf("%s is not what plain.good is", dir)
		}
	}
}

func TestSources(t *testing.T) {
	d, err := Load("testdata/zip.good", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"dims.csv.gz", "profiles.csv.gz"} {
		raw, err := os.ReadFile(filepath.Join("testdata/zip.good", name))
		if err != nil {
			t.Fatal(err)
		}
		want := domains.Source{Path: name, SHA256: fmt.Sprintf("%x", sha256.Sum256(raw)), Bytes: int64(len(raw))}
		if d.Sources[i] != want {
			t.Errorf("got %v, want %v", d.Sources[i], want)
		}
	}
}

// The name of the data set is the folder's, also when the path does not show it.
func TestName(t *testing.T) {
	for _, tt := range []struct{ reason, dir, name, want string }{
		{"base of the path", "testdata/plain.good", "", "plain.good"},
		{"a slash at the end", "testdata/plain.good/", "", "plain.good"},
		{"a path that ends in dots", "testdata/zip.good/../plain.good/.", "", "plain.good"},
		{"a given name wins", "testdata/plain.good", "tea", "tea"},
	} {
		d, err := Load(tt.dir, Options{Name: tt.name})
		if err != nil {
			t.Fatal(err)
		}
		if d.Name != tt.want {
			t.Errorf("%s: got %s", tt.reason, d.Name)
		}
	}
}

// Every prefix of a gzipped file is refused, never loaded in part.
func TestTruncatedGzip(t *testing.T) {
	const dims = "dim_id,type,levels\ntea,ordinal,1..5\n"
	raw, err := os.ReadFile("testdata/zip.good/profiles.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	for n := range raw {
		d, err := read(strings.NewReader(dims), "dims.csv", bytes.NewReader(raw[:n]), "profiles.csv.gz", Options{})
		if err == nil || d != nil || !errors.Is(err, domains.ErrData) {
			t.Fatalf("%d of %d bytes: %v", n, len(raw), err)
		}
	}
}

// Row order and column order must not matter.
func TestOrderDoesNotMatter(t *testing.T) {
	const dims = "dim_id,type,levels\na,ordinal,1..5\nb,nominal,x|y\n"
	load := func(profiles string) string {
		d, err := read(strings.NewReader(dims), "dims.csv", strings.NewReader(profiles), "profiles.csv", Options{Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		return text(d)
	}
	want := load("user_id,a,b\nu1,1,x\nu2,5,\nu3,NA,y\n")
	for _, p := range []string{
		"user_id,a,b\nu3,NA,y\nu1,1,x\nu2,5,\n",
		"b,user_id,a\n,u2,5\nx,u1,1\ny,u3,NA\n",
		"b,user_id,a\r\n,u2,5\r\nx,u1,1\r\ny,u3,NA",
	} {
		if got := load(p); got != want {
			t.Errorf("%q is another data set", p)
		}
	}
}

// What a cell says must come back from the value that is kept.
func TestEveryLevelOfEverySpelling(t *testing.T) {
	for _, tt := range []struct {
		reason, typ, levels string
		cells               []string
		want                []float64
	}{
		{"a range", "ordinal", "1..3", []string{"1", "2", "3.0"}, []float64{1, 2, 3}},
		{"a range below zero", "ordinal", "-2..-1", []string{"-2", "-1"}, []float64{-2, -1}},
		{"value=label", "ordinal", "-1=no|0=pass|1=yes", []string{"no", "-1", "0", "yes", "+1"}, []float64{-1, -1, 0, 1, 1}},
		{"labels", "ordinal", "low|high", []string{"low", "high", "1", "2"}, []float64{1, 2, 1, 2}},
		{"numbers are values", "ordinal", "0|2|10", []string{"0", "2", "10", "-0"}, []float64{0, 2, 10, 0}},
		{"nominal labels", "nominal", "x|y", []string{"y", "x", " y "}, []float64{1, 0, 1}},
		{"nominal codes", "nominal", "7=x|3=y", []string{"7", "x", "3", "y"}, []float64{0, 0, 1, 1}},
		{"a nominal range", "nominal", "1..3", []string{"1", "3"}, []float64{0, 2}},
		{"a range of reals", "continuous", "-0.5..9.5", []string{"-.5", "9.50", "1e0"}, []float64{-.5, 9.5, 1}},
		{"labels beyond ASCII", "ordinal", "größer|süß", []string{"größer", "süß"}, []float64{1, 2}},
	} {
		dims := fmt.Sprintf("dim_id,type,levels\nd,%s,%s\n", tt.typ, tt.levels)
		var p strings.Builder
		p.WriteString("user_id,d\n")
		for i, c := range tt.cells {
			fmt.Fprintf(&p, "u%d,%s\n", i, c)
		}
		d, err := read(strings.NewReader(dims), "dims.csv", strings.NewReader(p.String()), "profiles.csv", Options{Name: "x"})
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		for i, w := range tt.want {
			if got := d.Profiles[i].Cells[0].Value(); got != w {
				t.Errorf("%s: cell %q is %v, want %v", tt.reason, tt.cells[i], got, w)
			}
		}
	}
}

// write makes a survey of about the given size, and gives its number of cells.
func write(tb testing.TB, dir string, dims int, size int) (cells, bytes int) {
	var d strings.Builder
	d.WriteString("dim_id,type,levels\n")
	for i := range dims {
		fmt.Fprintf(&d, "q%d,ordinal,1..5\n", i)
	}
	if err := os.WriteFile(filepath.Join(dir, "dims.csv"), []byte(d.String()), 0o644); err != nil {
		tb.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "profiles.csv"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	n, _ := w.WriteString("user_id")
	for i := range dims {
		k, _ := fmt.Fprintf(w, ",q%d", i)
		n += k
	}
	w.WriteByte('\n')
	rng := rand.New(rand.NewPCG(1, 2))
	row := make([]byte, 0, 4*dims+20)
	for users := 0; n < size; users++ {
		row = fmt.Appendf(row[:0], "u%08d", users)
		for range dims {
			switch k := rng.Uint32() % 8; {
			case k < 5:
				row = append(row, ',', byte('1'+k))
			case k == 5:
				row = append(row, ",NA"...)
			default:
				row = append(row, ',')
			}
		}
		row = append(row, '\n')
		k, err := w.Write(row)
		if err != nil {
			tb.Fatal(err)
		}
		n += k
		cells += dims
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	return cells, n
}

// A survey must cost 8 bytes a cell and little a user, whatever its text weighs:
// neither rows nor strings of cells may stay.
func TestMemoryIsCells(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a large file")
	}
	dir := t.TempDir()
	cells, size := write(t, dir, 200, surveySize)
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	d, err := Load(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	kept := heap() - before
	perUser := int64(len(d.Users)) * 200 // profile, user, id
	if limit := int64(cells)*8*11/10 + perUser + 1<<20; kept > limit {
		t.Errorf("%d cells of %d MB keep %d MB, more than %d MB", cells, size>>20, kept>>20, limit>>20)
	}
	t.Logf("%d users, %d cells, %d MB of text: %.2f bytes a cell", len(d.Users), cells, size>>20, float64(kept)/float64(cells))
	runtime.KeepAlive(d)
}

// Reading must allocate a row at a time, not a cell at a time.
func TestAllocationsAreRows(t *testing.T) {
	const users, dims = 2000, 100
	var d, p strings.Builder
	d.WriteString("dim_id,type,levels\n")
	p.WriteString("user_id")
	for i := range dims {
		fmt.Fprintf(&d, "q%d,nominal,alpha|beta\n", i)
		fmt.Fprintf(&p, ",q%d", i)
	}
	p.WriteByte('\n')
	for u := range users {
		fmt.Fprintf(&p, "u%d%s\n", u, strings.Repeat(",beta", dims))
	}
	load := func() {
		if _, err := read(strings.NewReader(d.String()), "dims.csv", strings.NewReader(p.String()), "profiles.csv", Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(2, load); n > users*4+dims*40 {
		t.Errorf("%v allocations for %d users and %d cells", n, users, users*dims)
	}
}

// Whatever the bytes, the loader gives a valid data set or a DataError, not both.
func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"testdata/*.good", "testdata/*.bad"} {
		dirs, _ := filepath.Glob(pattern)
		for _, dir := range dirs {
			file := func(name string) []byte {
				for _, n := range []string{name, name + ".gz"} {
					if b, err := os.ReadFile(filepath.Join(dir, n)); err == nil {
						return b
					}
				}
				return nil
			}
			f.Add(file("dims.csv"), file("profiles.csv"))
		}
	}
	f.Fuzz(func(t *testing.T, dims, profiles []byte) {
		d, err := read(bytes.NewReader(dims), "dims.csv", bytes.NewReader(profiles), "profiles.csv", Options{Name: "x"})
		if err == nil {
			if err := d.Validate(); err != nil {
				t.Error(err)
			}
			return
		}
		var de *domains.DataError
		if d != nil || !errors.Is(err, domains.ErrData) || !errors.As(err, &de) || de.File == "" {
			t.Fatalf("%T %v", err, err)
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	for _, dims := range []int{10, 100} {
		b.Run(fmt.Sprintf("dims=%d", dims), func(b *testing.B) {
			dir := b.TempDir()
			cells, size := write(b, dir, dims, 4<<20)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Load(dir, Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cells)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mcells/s")
		})
	}
}

// A reader that fails is a DataError, even in the middle of a row.
func TestReadError(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("user_id,tea\nu1,\"2"), failing{})
	_, err := read(strings.NewReader("dim_id,type,levels\ntea,ordinal,1..5\n"), "dims.csv", broken, "profiles.csv", Options{})
	if want := "profiles.csv:2: the file cannot be read (disk on fire); check the file and its disk"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("disk on fire") }
