package input

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"pepbench/domains"
)

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

func lines(f *File) ([]string, error) {
	var out []string
	var buf []byte
	for {
		var err error
		if buf, err = f.Line(buf); err == io.EOF {
			return out, nil
		} else if err != nil {
			return out, err
		}
		out = append(out, string(buf))
	}
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	for _, row := range []struct {
		reason, name, raw string
		want              []string
	}{
		{"plain", "a.txt", "one\ntwo\n", []string{"one", "two"}},
		{"no newline at the end", "a.txt", "one\ntwo", []string{"one", "two"}},
		{"a byte order mark is not text", "a.txt", "\ufeffone\n", []string{"one"}},
		{"ends of another system", "a.txt", "one\r\ntwo\r\n", []string{"one", "two"}},
		{"an empty line is a line", "a.txt", "\none\n", []string{"", "one"}},
		{"an empty file has none", "a.txt", "", nil},
		{"a line longer than any buffer", "a.txt", long + "\nend\n", []string{long, "end"}},
		{"gzip by its name", "a.txt.gz", zipped("one\n"), []string{"one"}},
		{"gzip by its content", "a.txt", zipped("\ufeffone\ntwo"), []string{"one", "two"}},
	} {
		f, err := New(strings.NewReader(row.raw), row.name)
		if err != nil {
			t.Errorf("%s: %v", row.reason, err)
			continue
		}
		got, err := lines(f)
		if err != nil || strings.Join(got, "|") != strings.Join(row.want, "|") || len(got) != len(row.want) {
			t.Errorf("%s: %d lines, want %d; %v", row.reason, len(got), len(row.want), err)
		}
		src, err := f.Close()
		sum := sha256.Sum256([]byte(row.raw))
		if err != nil || src.SHA256 != hex.EncodeToString(sum[:]) || src.Bytes != int64(len(row.raw)) || src.Path != row.name {
			t.Errorf("%s: source %+v, %v", row.reason, src, err)
		}
	}
}

// TestCloseHashesWhatWasNotRead: the hash is of the file, however much of it was
// needed.
func TestCloseHashesWhatWasNotRead(t *testing.T) {
	raw := strings.Repeat("line\n", 100_000)
	f, err := New(strings.NewReader(raw), "dir/a.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Line(nil); err != nil {
		t.Fatal(err)
	}
	src, err := f.Close()
	sum := sha256.Sum256([]byte(raw))
	if err != nil || src.SHA256 != hex.EncodeToString(sum[:]) || src.Path != "a.txt" {
		t.Errorf("%+v, %v", src, err)
	}
}

func TestFaults(t *testing.T) {
	z := zipped(strings.Repeat("some text\n", 1000))
	damaged := []byte(z)
	damaged[len(damaged)/2] ^= 0xff
	for _, row := range []struct{ reason, name, raw, want string }{
		{"cut off", "a.gz", z[:len(z)/2], "a.gz:7: the compressed data ends too early; copy or download the file again"},
		{"not what its name says", "a.gz", "plain text", "a.gz: the name ends in .gz but the content is not gzip; rename the file or compress it"},
		{"damaged", "a.gz", string(damaged), "the compressed data is damaged"},
	} {
		f, err := New(strings.NewReader(row.raw), row.name)
		if err == nil {
			if _, e := lines(f); e != nil {
				err = f.Fault(7, e)
			} else {
				_, err = f.Close()
			}
		}
		if !errors.Is(err, domains.ErrData) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.reason, err, row.want)
		}
	}
}

func TestReadRemembersItsFault(t *testing.T) {
	z := zipped(strings.Repeat("a,b\n", 1000))
	f, err := New(strings.NewReader(z[:len(z)-12]), "a.gz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(f); err == nil || f.Err() == nil {
		t.Errorf("a cut file read whole: %v, %v", err, f.Err())
	}
}
