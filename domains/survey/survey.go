package survey

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"pepbench/domains"
	"pepbench/domains/internal/input"
)

// Options says what the folder itself does not.
type Options struct {
	// Name of the data set; empty: the folder's name.
	Name string
}

// Load reads the folder. Every error wraps domains.ErrData, and a fault of the
// data is a *domains.DataError with file and line.
func Load(dir string, opt Options) (*domains.Dataset, error) {
	if opt.Name == "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, &domains.DataError{File: dir, What: "the folder cannot be found", Err: err, Mend: "check the path"}
		}
		opt.Name = filepath.Base(abs)
	}
	dims, err := open(dir, "dims.csv")
	if err != nil {
		return nil, err
	}
	defer dims.Close()
	profiles, err := open(dir, "profiles.csv")
	if err != nil {
		return nil, err
	}
	defer profiles.Close()
	return read(dims, dims.Name(), profiles, profiles.Name(), opt)
}

// open finds the file, plain or gzipped, but not both.
func open(dir, name string) (*os.File, error) {
	path := filepath.Join(dir, name)
	f, err := os.Open(path)
	g, errGz := os.Open(path + ".gz")
	switch {
	case err == nil && errGz == nil:
		f.Close()
		g.Close()
		return nil, &domains.DataError{File: path, What: "is there twice, plain and gzipped", Mend: "remove one of the two"}
	case err == nil:
	case errGz == nil:
		f = g
	case !errors.Is(err, fs.ErrNotExist) || errors.Is(errGz, fs.ErrNotExist):
		return nil, unopened(path, name, err)
	default:
		return nil, unopened(path+".gz", name, errGz)
	}
	if st, err := f.Stat(); err == nil && st.IsDir() {
		f.Close()
		return nil, &domains.DataError{File: f.Name(), What: "is a folder", Mend: "put a CSV file there"}
	}
	return f, nil
}

func unopened(path, name string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &domains.DataError{
		File: path, What: "the file cannot be opened", Err: err,
		Mend: fmt.Sprintf("a survey is a folder with dims.csv and profiles.csv (or .gz); put %s there", name),
	}
}

// read is Load without the file system; the files are only names.
func read(dims io.Reader, dimsFile string, profiles io.Reader, profilesFile string, opt Options) (*domains.Dataset, error) {
	t, err := newTable(dims, dimsFile)
	if err != nil {
		return nil, err
	}
	ds, err := readDims(t)
	if err != nil {
		return nil, err
	}
	dimsSource, err := t.src.Close()
	if err != nil {
		return nil, err
	}
	if t, err = newTable(profiles, profilesFile); err != nil {
		return nil, err
	}
	d := &domains.Dataset{Name: opt.Name, Rubric: domains.NoRubric}
	empty, err := readProfiles(t, ds, d)
	if err != nil {
		return nil, err
	}
	profilesSource, err := t.src.Close()
	if err != nil {
		return nil, err
	}
	d.Sources = []domains.Source{dimsSource, profilesSource}

	task := domains.Task{ID: "survey", Criteria: make([]int, len(ds.dims))}
	d.Criteria = make([]domains.Criterion, len(ds.dims))
	ranged := 0
	for i, dim := range ds.dims {
		if dim.observed {
			if !(dim.Min < dim.Max) {
				return nil, &domains.DataError{
					File: dimsFile, Line: dim.line,
					What: fmt.Sprintf("dimension %q has no levels, and no two answers to it differ", dim.ID),
					Mend: "give its range, such as 0..100, or remove the dimension",
				}
			}
			ranged++
		}
		task.Criteria[i], d.Criteria[i] = i, dim.Criterion
	}
	d.Tasks = []domains.Task{task}
	d.Counts = []domains.Count{
		{What: "users read", N: len(d.Users)},
		{What: "dimensions read", N: len(d.Criteria)},
	}
	if empty > 0 {
		d.Counts = append(d.Counts, domains.Count{What: "users dropped: every cell empty", N: empty})
	}
	if ranged > 0 {
		d.Counts = append(d.Counts, domains.Count{What: "continuous dimensions without levels: range taken from the answers", N: ranged})
	}
	return d, nil // valid by construction, which FuzzRead holds it to
}

// A table reads the rows of one CSV file.
type table struct {
	src    *input.File
	csv    *csv.Reader
	header []string
	line   int // of the row read last
}

func newTable(r io.Reader, file string) (*table, error) {
	src, err := input.New(r, file)
	if err != nil {
		return nil, err
	}
	t := &table{src: src, csv: csv.NewReader(src)}
	t.csv.ReuseRecord = true
	t.csv.FieldsPerRecord = -1 // counted here, for a better message
	header, err := t.next()
	if err == io.EOF {
		return nil, &domains.DataError{File: file, What: "the file is empty", Mend: "write a header row and the data below it"}
	} else if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i, name := range header {
		if err := t.utf8(name, i); err != nil {
			return nil, err
		}
		name = strings.Clone(strings.TrimSpace(name))
		if name == "" {
			return nil, t.bad("name it or remove it", "column %d has no name", i+1)
		}
		if seen[name] {
			return nil, t.bad("remove or rename one of them", "column %q is there twice", name)
		}
		seen[name] = true
		t.header = append(t.header, name)
	}
	return t, nil
}

// next gives the next row, whose memory is used again, and io.EOF after the last.
func (t *table) next() ([]string, error) {
	row, err := t.csv.Read()
	switch {
	case err == io.EOF && t.src.Err() == nil:
		return nil, io.EOF
	case t.src.Err() != nil:
		return nil, t.src.Fault(t.line+1, t.src.Err())
	case err != nil:
		var pe *csv.ParseError
		if errors.As(err, &pe) {
			t.line = pe.StartLine
			return nil, t.bad(`put a cell with commas, quotes or line ends in quotes, and double the quotes in it`, "the row is not valid CSV: %v", pe.Err)
		}
		return nil, t.src.Fault(t.line+1, err)
	}
	t.line, _ = t.csv.FieldPos(0)
	if t.header != nil && len(row) != len(t.header) {
		return nil, t.bad("give every row one cell a column", "the row has %d cells, the header has %d", len(row), len(t.header))
	}
	return row, nil
}

// utf8 refuses a cell that is to be kept as text and is not UTF-8.
func (t *table) utf8(cell string, column int) error {
	if utf8.ValidString(cell) {
		return nil
	}
	return t.bad("save the file as UTF-8", "column %d is not valid UTF-8", column+1)
}

// bad is a fault of the row read last.
func (t *table) bad(mend, what string, a ...any) error {
	return &domains.DataError{File: t.src.Name, Line: t.line, What: fmt.Sprintf(what, a...), Mend: mend}
}

// chunk is how many cells are allocated at once; half a megabyte.
const chunk = 1 << 16

// readProfiles fills d.Users and d.Profiles, and gives how many users were left
// out because they answered nothing.
func readProfiles(t *table, ds *dims, d *domains.Dataset) (empty int, err error) {
	user, columns, err := matchColumns(t, ds)
	if err != nil {
		return 0, err
	}
	type row struct {
		id    string
		cells []domains.Cell // nil when nothing was answered
		line  int
	}
	var rows []row
	var free []domains.Cell
	n := len(ds.dims)
	for {
		rec, err := t.next()
		if err == io.EOF {
			break
		} else if err != nil {
			return 0, err
		}
		if err := t.utf8(rec[user], user); err != nil {
			return 0, err
		}
		id := strings.TrimSpace(rec[user])
		if id == "" {
			return 0, t.bad("give every row an id", "user_id is empty")
		}
		id = strings.Clone(id) // the row is one string, which id must not keep alive
		if len(free) < n {
			free = make([]domains.Cell, max(chunk/n, 1)*n)
		}
		cells := free[:n:n]
		answered := false
		for i, cell := range rec {
			dim := columns[i]
			if dim < 0 {
				continue
			}
			c, ok := ds.dims[dim].cell(cell)
			if !ok {
				return 0, t.bad(ds.dims[dim].mend(), "dimension %q: %.60q is none of its values", ds.dims[dim].ID, cell)
			}
			cells[dim] = c
			answered = answered || !c.IsMissing()
		}
		if answered {
			free = free[n:]
		} else {
			empty++
			cells = nil
		}
		rows = append(rows, row{id, cells, t.line})
	}
	// Found by sorting, because a set of all ids would weigh as much as the cells
	// of a narrow survey.
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.line, b.line))
	})
	for i := 1; i < len(rows); i++ {
		if a, b := &rows[i-1], &rows[i]; a.id == b.id {
			t.line = b.line
			return 0, t.bad("keep one row a user", "user %.80q is there twice, first in line %d", b.id, a.line)
		}
	}
	rows = slices.DeleteFunc(rows, func(r row) bool { return r.cells == nil })
	if len(rows) == 0 {
		what := "the file has no user"
		if empty > 0 {
			what = "no user has answered anything"
		}
		return 0, &domains.DataError{File: t.src.Name, What: what, Mend: "write a row for each user"}
	}
	d.Users = make([]domains.User, len(rows))
	d.Profiles = make([]domains.Profile, len(rows))
	for i, r := range rows {
		d.Users[i].ID = r.id
		d.Profiles[i] = domains.Profile{User: i, Cells: r.cells}
	}
	return empty, nil
}

// matchColumns gives the column of user_id and for every column its dimension, or
// -1 for user_id.
func matchColumns(t *table, ds *dims) (user int, columns []int, err error) {
	if user = slices.Index(t.header, "user_id"); user < 0 {
		return 0, nil, t.bad("add it", "there is no column user_id")
	}
	columns = make([]int, len(t.header))
	found := make([]bool, len(ds.dims))
	for i, name := range t.header {
		if i == user {
			columns[i] = -1
			continue
		}
		dim, ok := ds.byID[name]
		if !ok {
			return 0, nil, t.bad("add the row or remove the column", "column %q has no row in %s", name, filepath.Base(ds.file))
		}
		columns[i], found[dim] = dim, true
	}
	if i := slices.Index(found, false); i >= 0 {
		return 0, nil, &domains.DataError{
			File: ds.file, Line: ds.dims[i].line,
			What: fmt.Sprintf("dimension %q has no column in %s", ds.dims[i].ID, filepath.Base(t.src.Name)),
			Mend: "add the column or remove the row",
		}
	}
	return user, columns, nil
}

// cell reads one answer.
func (d *dim) cell(s string) (domains.Cell, bool) {
	if len(s) == 1 { // most answers of most surveys
		if c := d.short[s[0]]; !c.IsMissing() {
			return c, true
		}
	}
	if s = strings.TrimSpace(s); s == "" {
		return domains.Missing(), true
	}
	if s == "NA" {
		return domains.NotHeld(), true
	}
	if v, ok := d.codes[s]; ok {
		return domains.At(v), true
	}
	v, ok := number(s)
	if !ok {
		return domains.Cell{}, false
	}
	switch {
	case d.Scale == domains.Nominal:
		return domains.Cell{}, false
	case d.observed:
		d.Min, d.Max = math.Min(d.Min, v), math.Max(d.Max, v)
	case !d.Allows(v):
		return domains.Cell{}, false
	}
	return domains.At(v), true
}
