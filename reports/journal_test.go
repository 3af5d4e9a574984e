package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"pepbench/bench/record"
)

// told is what an entry is, in words.
func told(e *entry) string {
	return fmt.Sprintf("%d %d %d %v %v %.30s", e.line, e.offset, e.length, e.torn, e.err != nil, e.session.ID)
}

// TestReadEntries: lines come whole and in order, whatever the size of what is read at a
// time and however the file gives it.
func TestReadEntries(t *testing.T) {
	long := strings.Repeat("x", 500)
	for _, row := range []struct {
		reason, file string
		want         []string
	}{
		{"nothing", "", nil},
		{"blank lines are lines and no entries", "\n \n\n", nil},
		{"one line", `{"id":"a"}` + "\n", []string{"1 0 11 false false a"}},
		{"a last line without its end", `{"id":"a"}` + "\n" + `{"id":"b"}`, []string{"1 0 11 false false a", "2 11 10 true false b"}},
		{"a torn one", `{"id":"a"}` + "\n" + `{"id":`, []string{"1 0 11 false false a", "2 11 6 true true "}},
		{"one that is no JSON among others", "{}\n?\n" + `{"id":"c"}` + "\r\n", []string{"1 0 3 false false ", "2 3 2 false true ", "3 5 12 false false c"}},
		{"one that is longer than all that is read at a time", `{"id":"` + long + `"}` + "\n{}\n", []string{"1 0 510 false false " + long[:30], "2 510 3 false false "}},
	} {
		for _, size := range []int{1, 2, 7, 64, 1 << 16} {
			for name, f := range map[string]io.Reader{"": strings.NewReader(row.file), "a byte at a time: ": iotest.OneByteReader(strings.NewReader(row.file))} {
				var got []string
				if err := readEntries(f, size, func(e *entry) { got = append(got, told(e)) }); err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, row.want) {
					t.Errorf("%s: %s%d bytes at a time: got %q, want %q", row.reason, name, size, got, row.want)
				}
			}
		}
	}
}

// TestReadEntriesError: what stands before a part of the file that cannot be read is used.
func TestReadEntriesError(t *testing.T) {
	broken := errors.New("broken")
	for _, size := range []int{1, 8, 1 << 10} {
		n := 0
		f := io.MultiReader(strings.NewReader("{}\n{}\n{"), iotest.ErrReader(broken))
		if err := readEntries(f, size, func(*entry) { n++ }); !errors.Is(err, broken) || n != 2 {
			t.Errorf("%d bytes at a time: %d lines, then %v", size, n, err)
		}
	}
}

// FuzzEntries holds the reader against cutting the file at its line ends.
func FuzzEntries(f *testing.F) {
	y := synth{tasks: 1, users: 1, seeds: 1, criteria: 3, budget: 1}
	f.Add(journal(f, y.write(f)), 100)
	f.Add([]byte("{\"id\":\"a\"}\n\nnull\n[]\n{"), 3)
	f.Add([]byte("\xff\n\r\n\""), 1)
	f.Fuzz(func(t *testing.T, file []byte, size int) {
		var got, want []string
		if err := readEntries(bytes.NewReader(file), 1+size&0xff, func(e *entry) { got = append(got, told(e)) }); err != nil {
			t.Fatal(err)
		}
		line, at := 0, 0
		for text := range bytes.Lines(file) {
			c := chunk{text: text, line: line + 1, offset: int64(at)}
			c.decode()
			for i := range c.entries {
				want = append(want, told(&c.entries[i]))
			}
			line, at = line+1, at+len(text)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestObserver: observers see every session that is used, once, with a place at which it
// can be read again.
func TestObserver(t *testing.T) {
	dir := synth{tasks: 2, users: 2, seeds: 1, criteria: 4, budget: 1}.write(t)
	file := journal(t, dir)
	var seen, also []string
	r, err := Load(dir, func(offset int64, length int, s *record.Session) {
		line, err := record.Line(s)
		if err != nil {
			t.Fatal(err)
		}
		if at := file[offset : offset+int64(length)]; !bytes.Equal(at, line) {
			t.Errorf("session %s stands at\n%swhere there is\n%s", s.ID, line, at)
		}
		seen = append(seen, s.ID)
	}, func(_ int64, _ int, s *record.Session) { also = append(also, s.ID) })
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != r.read || len(seen) != 40 || !reflect.DeepEqual(seen, also) {
		t.Errorf("the observers saw %d and %d of %d sessions", len(seen), len(also), r.read)
	}
}

// TestMostCriteria: the criteria of a task are those that most lines of the run name.
func TestMostCriteria(t *testing.T) {
	line := func(strategy string, seed int, task, criteria string) string {
		return fmt.Sprintf(`{"id":"x","strategy":%q,"seed":%d,"task":%q,"user":"u,\"criteria\":[]","criteria":%s,"truth":{}}`+"\n", strategy, seed, task, criteria)
	}
	a, b := `["a","b"]`, `["b","a"]`
	for _, row := range []struct {
		reason, file string
		want         map[string][]string
	}{
		{"no line, no task", "", map[string][]string{}},
		{"most of the task's lines, wherever they stand", line("s", 1, "t", b) + line("s", 1, "t", a) + line("s", 1, "t", a), map[string][]string{"t": {"a", "b"}}},
		{"of equally many the first", line("s", 1, "t", b) + line("s", 1, "t", a), map[string][]string{"t": {"b", "a"}}},
		{"each task has its own", line("s", 1, "t", a) + line("s", 1, "u", b), map[string][]string{"t": {"a", "b"}, "u": {"b", "a"}}},
		{"lines of another run have no vote", line("s", 2, "t", b) + line("x", 1, "t", b) + line("s", 1, "t", a), map[string][]string{"t": {"a", "b"}}},
		{"lines of another shape have none", `{"task":"t","strategy":"s","seed":1}` + "\n?\n" + line("s", 1, "t", a), map[string][]string{"t": {"a", "b"}}},
		{"criteria that are none choose none", line("s", 1, "t", `[1]`), map[string][]string{}},
		{"the last line may be torn behind them", strings.TrimSuffix(line("s", 1, "t", a), "}}\n"), map[string][]string{"t": {"a", "b"}}},
		{"lines longer than the buffer", strings.Replace(line("s", 1, "t", a), `"truth":{`, `"truth":{"x":"`+strings.Repeat("y", 3<<20)+`"`, 1) + line("s", 1, "u", b), map[string][]string{"t": {"a", "b"}, "u": {"b", "a"}}},
	} {
		got, err := mostCriteria(strings.NewReader(row.file), func(strategy, _ string, seed int) bool { return strategy == "s" && seed == 1 })
		if err != nil || !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: got %v, %v, want %v", row.reason, got, err, row.want)
		}
	}
	broken := errors.New("broken")
	if _, err := mostCriteria(iotest.ErrReader(broken), nil); !errors.Is(err, broken) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// journal is sessions.jsonl of a run.
func journal(t testing.TB, dir string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, record.SessionsFile))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
