package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// told is what an entry is, in words.
func told(e *Entry) string {
	return fmt.Sprintf("%d %d %d %v %v %.30s", e.Line, e.Offset, e.Length, e.Torn, e.Err != nil, e.Session.ID)
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
				if err := readEntries(f, size, func(e *Entry) { got = append(got, told(e)) }); err != nil {
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
		if err := readEntries(f, size, func(*Entry) { n++ }); !errors.Is(err, broken) || n != 2 {
			t.Errorf("%d bytes at a time: %d lines, then %v", size, n, err)
		}
	}
}

// FuzzEntries holds the reader against cutting the file at its line ends.
func FuzzEntries(f *testing.F) {
	line, err := Line(&Session{ID: "s/1/t/u", Strategy: "s", Seed: 1, Task: "t", User: "u", Criteria: []string{"a"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.Repeat(line, 3), 100)
	f.Add([]byte("{\"id\":\"a\"}\n\nnull\n[]\n{"), 3)
	f.Add([]byte("\xff\n\r\n\""), 1)
	f.Fuzz(func(t *testing.T, file []byte, size int) {
		var got, want []string
		if err := readEntries(bytes.NewReader(file), 1+size&0xff, func(e *Entry) { got = append(got, told(e)) }); err != nil {
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
