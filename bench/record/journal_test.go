package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pepbench/domains"
)

// brief is a session of little more than its id.
func brief(id string) *Session { return &Session{ID: id, Turns: []Turn{}, Stop: StopDone} }

func line(t testing.TB, s *Session) string {
	t.Helper()
	b, err := Line(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// lines are the journal of some ids, in that order.
func lines(t testing.TB, ids ...string) string {
	t.Helper()
	var b strings.Builder
	for _, id := range ids {
		b.WriteString(line(t, brief(id)))
	}
	return b.String()
}

func open(t testing.TB, path string) *Journal {
	t.Helper()
	j, err := OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestJournal(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, SessionsFile)
	j := open(t, path)
	for i, id := range []string{"c", "a", "d"} {
		if j.Has(id) || j.Len() != i {
			t.Errorf("before %s: has it: %v, %d sessions", id, j.Has(id), j.Len())
		}
		if err := j.Append(brief(id)); err != nil {
			t.Fatal(err)
		}
		if !j.Has(id) || j.Len() != i+1 {
			t.Errorf("after %s: has it: %v, %d sessions", id, j.Has(id), j.Len())
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != lines(t, "c", "a", "d") {
		t.Errorf("an unfinished journal is in the order of completion, got\n%s", got)
	}

	j = open(t, path)
	if j.Len() != 3 || !j.Has("a") || !j.Has("c") || !j.Has("d") || j.Has("b") || j.Has("") {
		t.Errorf("opened again: %d sessions", j.Len())
	}
	if err := j.Append(brief("b")); err != nil {
		t.Fatal(err)
	}
	if err := j.Finish(); err != nil {
		t.Fatal(err)
	}
	want := lines(t, "a", "b", "c", "d")
	if got := read(t, path); got != want {
		t.Errorf("a finished journal is sorted, got\n%s", got)
	}
	if got := names(t, dir); !slices.Equal(got, []string{SessionsFile}) {
		t.Errorf("files left: %v", got)
	}
	if err := j.Append(brief("e")); err == nil {
		t.Error("a finished journal takes no more sessions, and says so")
	}
	_ = j.Finish() // of a journal that is closed, whatever it says
	if got := read(t, path); got != want {
		t.Errorf("finished twice, got\n%s", got)
	}

	// A sorted journal is the same file afterwards, not an equal one.
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Finish(); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) || read(t, path) != want {
		t.Error("a journal that was sorted already has been touched")
	}
}

// TestFinishKeepsWhatIsThere: when the sorted file cannot be written, the unsorted
// one stays.
func TestFinishKeepsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, SessionsFile)
	write(t, path, lines(t, "b", "a"))
	j := open(t, path)
	if err := os.Truncate(path, 10); err != nil { // as if the disk lost it meanwhile
		t.Fatal(err)
	}
	if err := j.Finish(); err == nil {
		t.Error("sessions that are gone cannot be sorted")
	}
	if got := names(t, dir); !slices.Equal(got, []string{SessionsFile}) {
		t.Errorf("files left: %v", got)
	}
	if got := read(t, path); got != lines(t, "b", "a")[:10] {
		t.Errorf("got %q", got)
	}
}

func TestTornLastLine(t *testing.T) {
	ab := lines(t, "b", "a")
	c := lines(t, "c")
	for _, row := range []struct {
		reason, content, kept string
	}{
		{"nothing yet", "", ""},
		{"nothing torn", ab, ab},
		{"cut in the middle", ab + c[:len(c)/2], ab},
		{"cut before the newline: it may have lacked more", ab + c[:len(c)-1], ab},
		{"cut after one byte", ab + c[:1], ab},
		{"half a session and a newline", ab + c[:len(c)/2] + "\n", ab},
		{"an empty last line", ab + "\n", ab},
		{"zero bytes, as a crashed machine leaves them", ab + "\x00\x00\x00\x00", ab},
		{"zero bytes and a newline", ab + "\x00\x00\n", ab},
		{"JSON that is no session", ab + `{"ID":"c"}` + "\n", ab},
		{"a session without a name", ab + `{"id":""}` + "\n", ab},
		{"two sessions on one line", ab + c[:len(c)-1] + c, ab},
		{"only the first line, torn", c[:7], ""},
		{"only a newline", "\n", ""},
		{"a torn line that repeats a session", ab + lines(t, "a")[:9], ab},
	} {
		t.Run(row.reason, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), SessionsFile)
			write(t, path, row.content)
			j := open(t, path)
			if got := read(t, path); got != row.kept {
				t.Errorf("kept %q, want %q", got, row.kept)
			}
			if want := strings.Count(row.kept, "\n"); j.Len() != want || j.Has("c") {
				t.Errorf("%d sessions, want %d", j.Len(), want)
			}
			if err := j.Append(brief("c")); err != nil {
				t.Fatal(err)
			}
			if got := read(t, path); got != row.kept+c {
				t.Errorf("what is appended stands at %q", got)
			}
			if err := j.Finish(); err != nil {
				t.Fatal(err)
			}
			if again := open(t, path); again.Len() != strings.Count(row.kept, "\n")+1 || again.Close() != nil {
				t.Errorf("%d sessions when opened again", again.Len())
			}
		})
	}
}

func TestAlienLine(t *testing.T) {
	a, b := lines(t, "a"), lines(t, "b")
	for _, row := range []struct {
		reason, content string
		line            int
		what            string
	}{
		{"text in the middle", a + "hello\n" + b, 2, "not a session"},
		{"an empty line in the middle", a + "\n" + b, 2, "not a session"},
		{"a torn line that somebody wrote on behind", a + b[:10] + "\n" + b, 2, "not a session"},
		{"a line that ends too early joined with the next", a + b[:10] + b + a, 2, "not a session"},
		{"JSON of another kind first", `{"name":"x"}` + "\n" + a, 1, "not a session"},
		{"an id that is a number", a + b + `{"id":7}` + "\n" + lines(t, "c"), 3, "not a session"},
		{"a mark before the first line", "\ufeff" + a + b, 1, "not a session"},
		{"one session twice", a + b + a, 3, `session "a" twice`},
		{"twice, next to each other", a + a + b, 2, `session "a" twice`},
		{"twice, written in two ways", a + `{"id":"\u0061"}` + "\n", 2, `session "a" twice`},
	} {
		t.Run(row.reason, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), SessionsFile)
			write(t, path, row.content)
			j, err := OpenJournal(path)
			if err == nil {
				t.Fatalf("opened with %d sessions", j.Len())
			}
			if !errors.Is(err, domains.ErrData) {
				t.Errorf("%v does not wrap ErrData", err)
			}
			want := fmt.Sprintf("%s:%d: %s; ", path, row.line, row.what)
			if msg := err.Error(); !strings.HasPrefix(msg, want) || strings.Contains(msg, "\n") {
				t.Errorf("got %q, want one line that begins with %q", msg, want)
			}
			if read(t, path) != row.content {
				t.Error("a file that is refused is left as it is")
			}
		})
	}
}

func TestOpenJournalWhereItCannotBe(t *testing.T) {
	dir := t.TempDir()
	for _, row := range []struct{ reason, path string }{
		{"a folder that is not there", filepath.Join(dir, "no", SessionsFile)},
		{"a folder itself", dir},
	} {
		if _, err := OpenJournal(row.path); err == nil {
			t.Errorf("%s: opened", row.reason)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), SessionsFile)
	j := open(t, path)
	defer j.Close()
	bad := brief("a")
	bad.Prior.Held = Floats{math.Inf(-1)}
	if err := j.Append(bad); err == nil || !strings.Contains(err.Error(), "session a: ") {
		t.Errorf("an infinite number: %v", err)
	}
	if j.Has("a") || read(t, path) != "" {
		t.Errorf("a session that is refused leaves %q", read(t, path))
	}
	if err := j.Append(brief("a")); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), `session a appended twice`) {
			t.Errorf("a session that is appended twice is a mistake of the program: %v", r)
		}
		if read(t, path) != lines(t, "a") {
			t.Errorf("got %q", read(t, path))
		}
	}()
	_ = j.Append(brief("a"))
}

// TestConcurrentAppend: lines are never mixed, whoever writes.
func TestConcurrentAppend(t *testing.T) {
	const writers, each = 8, 25
	path := filepath.Join(t.TempDir(), SessionsFile)
	j := open(t, path)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				s := whole(fmt.Sprintf("s/%d/%02d", w, i))
				s.Error = "" // a failed session would count as absent
				s.Checkpoints[0].Response = strings.Repeat(fmt.Sprint(w), 1000*i)
				if err := j.Append(s); err != nil {
					t.Error(err)
				}
				if !j.Has(s.ID) || j.Len() < i+1 {
					t.Errorf("%s is not there after it was appended", s.ID)
				}
			}
		})
	}
	wg.Wait()
	if err := j.Finish(); err != nil {
		t.Fatal(err)
	}
	got := strings.SplitAfter(read(t, path), "\n")
	if len(got) != writers*each+1 {
		t.Fatalf("%d lines", len(got)-1)
	}
	for k := range writers * each {
		var s Session
		if err := json.Unmarshal([]byte(got[k]), &s); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("s/%d/%02d", k/each, k%each); s.ID != want || len(s.Checkpoints[0].Response) != 1000*(k%each) {
			t.Errorf("line %d is %s with a response of %d bytes, want %s", k+1, s.ID, len(s.Checkpoints[0].Response), want)
		}
	}
}

// TestLongLines: a session may be longer than any buffer.
func TestLongLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), SessionsFile)
	j := open(t, path)
	want := map[string]string{}
	for i, id := range []string{"d", "b", "c", "a"} {
		s := brief(id)
		s.Error = strings.Repeat(id, []int{3 << 20, 1<<20 - len(line(t, brief(id))) - len(`,"error":""`), 5, 1<<20 + 1}[i])
		want[id] = line(t, s)
		if err := j.Append(s); err != nil {
			t.Fatal(err)
		}
	}
	if len(want["b"]) != 1<<20 {
		t.Fatalf("a line of %d bytes was to fill the buffer", len(want["b"]))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, path)
	if j.Len() != 4 {
		t.Errorf("%d sessions", j.Len())
	}
	if err := j.Finish(); err != nil {
		t.Fatal(err)
	}
	if read(t, path) != want["a"]+want["b"]+want["c"]+want["d"] {
		t.Error("long lines were not sorted whole")
	}
	write(t, path, want["b"]+want["d"][:2<<20])
	if j = open(t, path); j.Len() != 1 || read(t, path) != want["b"] {
		t.Errorf("a long torn line: %d sessions kept", j.Len())
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWriteFile(t *testing.T) {
	boom := errors.New("boom")
	for _, row := range []struct {
		reason string
		old    string // empty: no file before
		write  func(io.Writer) error
		want   string
		err    error
	}{
		{"a new file", "", text("new"), "new", nil},
		{"in the place of an old one", "old and longer", text("new"), "new", nil},
		{"writing fails at once", "old", func(io.Writer) error { return boom }, "old", boom},
		{"writing fails after a megabyte", "old", func(w io.Writer) error {
			_, err := w.Write(make([]byte, 1<<20))
			return errors.Join(boom, err)
		}, "old", boom},
		{"writing fails and there was nothing", "", func(io.Writer) error { return boom }, "", boom},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "file.txt")
		var files []string
		if row.old != "" {
			write(t, path, row.old)
		}
		if row.want != "" {
			files = []string{"file.txt"}
		}
		err := WriteFile(path, row.write)
		if !errors.Is(err, row.err) || err != nil && (!strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: got %v", row.reason, err)
		}
		if got := names(t, dir); !slices.Equal(got, files) {
			t.Errorf("%s: files left: %v", row.reason, got)
		}
		if row.want != "" && read(t, path) != row.want {
			t.Errorf("%s: got %.20q, want %q", row.reason, read(t, path), row.want)
		}
	}

	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "taken"), text("new")); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a folder has the name: %v", err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"taken"}) {
		t.Errorf("a folder has the name: files left: %v", got)
	}
	if err := WriteFile(filepath.Join(dir, "no", "file"), text("new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such folder: %v", err)
	}
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func TestManifest(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, ManifestFile)
	m := Manifest{
		Schema: Schema, Name: "x", ConfigHash: "00ff", Config: json.RawMessage(`{"b":1,"a":"<&>"}`),
		Code:       Code{Version: "unknown", Dependencies: map[string]string{"z": "1", "a": "2"}},
		Strategies: []Strategy{{Name: "pep+belief", Base: "pep", Kind: "pep", Predict: "belief"}},
		Models:     []Model{{Name: "belief", Choice: []Choice{{Candidate: "1 classes", DevScore: -0.25, Chosen: true}}}},
		Counts:     []domains.Count{{What: "dropped", N: 3}},
	}
	for range 2 { // written, read and written again: the same bytes
		if err := WriteJSON(path, m); err != nil {
			t.Fatal(err)
		}
		first := read(t, path)
		back, err := ReadManifest(dir)
		if err != nil {
			t.Fatal(err)
		}
		var config bytes.Buffer
		if err := json.Compact(&config, back.Config); err != nil || config.String() != `{"b":1,"a":"<&>"}` {
			t.Errorf("the configuration came back as %s, %v", back.Config, err)
		}
		m = *back
		if err := WriteJSON(path, m); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != first || !strings.HasSuffix(got, "}\n") {
			t.Errorf("got\n%s\nwant\n%s", got, first)
		}
	}
}

func TestReadManifestRefuses(t *testing.T) {
	for _, row := range []struct{ reason, content, want string }{
		{"no file", "", ": the manifest of the run cannot be read (no such file or directory)"},
		{"not JSON", "hello", ":1: not a manifest (invalid character 'h'"},
		{"half of one", `{"schema": 1, "name": "x`, ":1: not a manifest (unexpected end of JSON input)"},
		{"more behind it", `{"schema": 1} {}`, ":1: not a manifest (invalid character '{'"},
		{"a field of another type", `{"schema": 1, "seeds": "1"}`, ": not a manifest (json: cannot unmarshal string"},
		{"a list", `[]`, ": not a manifest (json: cannot unmarshal array"},
		{"a later schema", `{"schema": 2}`, ": schema 2, this program reads schema 1; "},
		{"none named", `{}`, ": schema 0, this program reads schema 1; "},
	} {
		t.Run(row.reason, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, ManifestFile)
			if row.content != "" {
				write(t, path, row.content)
			}
			_, err := ReadManifest(dir)
			if err == nil {
				t.Fatal("read")
			}
			if !errors.Is(err, domains.ErrData) || errors.Is(err, fs.ErrNotExist) != (row.content == "") {
				t.Errorf("%v wraps the wrong errors", err)
			}
			if want := path + row.want; !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, want one line that begins with %q", err, want)
			}
		})
	}
}

// FuzzOpenJournal: whatever the file holds, it is refused and left alone, or it
// becomes a journal: its beginning is kept, sessions can be appended and sorted,
// and all are there when it is opened again.
func FuzzOpenJournal(f *testing.F) {
	a, b := lines(f, "a"), lines(f, "b")
	for _, s := range []string{
		"", "\n", a, b + a, a + b[:9], a + b[:9] + "\n", a + "x\n" + b, a + a, `{"id":7}` + "\n", `{"id":"a"} `,
		`{"id":"a"}` + "\r\n", `{"id":"a","id":"b"}` + "\n", `{"id":"\ud800"}` + "\n" + a, "\ufeff" + a, "\x00\n", `{"id":"new"}` + "\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), SessionsFile)
		write(t, path, string(content))
		j, err := OpenJournal(path)
		if err != nil {
			if !errors.Is(err, domains.ErrData) || read(t, path) != string(content) {
				t.Fatalf("refused with %v, left as %q", err, read(t, path))
			}
			return
		}
		kept := read(t, path)
		if !strings.HasPrefix(string(content), kept) || strings.Count(kept, "\n") != j.Len() || kept != "" && !strings.HasSuffix(kept, "\n") {
			t.Fatalf("%d sessions kept as %q of %q", j.Len(), kept, content)
		}
		if rest := string(content)[len(kept):]; strings.Contains(strings.TrimSuffix(rest, "\n"), "\n") {
			t.Fatalf("more than the last line was cut off: %q", rest)
		}
		for l := range strings.Lines(kept) {
			if !json.Valid([]byte(l)) {
				t.Fatalf("kept %q", l)
			}
		}
		n := j.Len()
		if !j.Has("new") {
			n++
			if err := j.Append(brief("new")); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Finish(); err != nil {
			t.Fatal(err)
		}
		sorted := read(t, path)
		j = open(t, path)
		if j.Len() != n || !j.Has("new") {
			t.Fatalf("%d sessions when opened again, want %d", j.Len(), n)
		}
		if err := j.Finish(); err != nil {
			t.Fatal(err)
		}
		if read(t, path) != sorted {
			t.Fatal("sorting twice gives other bytes")
		}
	})
}

// TestFailedSessionsAreAbsent: they are run again, and the new line takes the place
// of theirs, in the open journal and after it was opened again.
func TestFailedSessionsAreAbsent(t *testing.T) {
	path := filepath.Join(t.TempDir(), SessionsFile)
	j := open(t, path)
	bad := brief("b")
	bad.Error = "the server is down"
	said := brief("c")
	said.Stop = `says "error":"of course" in a text`
	for _, s := range []*Session{brief("a"), bad, said} {
		if err := j.Append(s); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if !j.Has("a") || j.Has("b") || !j.Has("c") {
			t.Errorf("has a, b, c: %v, %v, %v; b failed and is to be run again", j.Has("a"), j.Has("b"), j.Has("c"))
		}
		if got := j.IDs(); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("ids %v", got)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j = open(t, path)
	}
	if err := j.Append(brief("b")); err != nil {
		t.Fatal(err)
	}
	if !j.Has("b") {
		t.Error("the second try is not there")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, path)
	if !j.Has("b") || j.Len() != 3 {
		t.Errorf("opened again: has b: %v, %d sessions", j.Has("b"), j.Len())
	}
	if err := j.Finish(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); strings.Contains(got, "the server is down") || strings.Count(got, "\n") != 3 {
		t.Errorf("the failed try is still there: %q", got)
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	release, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("locked twice: %v", err)
	}
	release()
	release, err = Lock(dir)
	if err != nil {
		t.Errorf("released and locked again: %v", err)
	}
	release()
	if _, err := Lock(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("locked a folder that is not there")
	}
}
