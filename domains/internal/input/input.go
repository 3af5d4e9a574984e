package input

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"path/filepath"
	"strings"

	"pepbench/domains"
)

// A File reads the text of a file that may be gzipped, without the byte order
// mark, and hashes the bytes of the file as it goes.
type File struct {
	Name string        // as the user gave it
	raw  *bufio.Reader // hashed
	text *bufio.Reader
	sum  hash.Hash
	n    int64
	err  error // first error of Read other than io.EOF
}

// New looks at the first two bytes to see whether r is gzipped; the name
// only says what to expect.
func New(r io.Reader, name string) (*File, error) {
	f := &File{Name: name, sum: sha256.New()}
	f.raw = bufio.NewReaderSize(io.TeeReader(r, tally{f}), 1<<16)
	magic, err := f.raw.Peek(2)
	if err != nil && err != io.EOF {
		return nil, f.Fault(0, err)
	}
	var text io.Reader = f.raw
	if bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		zr, err := gzip.NewReader(f.raw)
		if err != nil {
			return nil, f.Fault(0, err)
		}
		text = zr
	} else if len(magic) > 0 && strings.EqualFold(filepath.Ext(name), ".gz") {
		return nil, &domains.DataError{File: name, What: "the name ends in .gz but the content is not gzip", Mend: "rename the file or compress it"}
	}
	f.text = bufio.NewReaderSize(text, 1<<16)
	if mark, err := f.text.Peek(3); string(mark) == "\ufeff" {
		f.text.Discard(3)
	} else if err != nil && err != io.EOF {
		return nil, f.Fault(1, err)
	}
	return f, nil
}

// tally takes the raw bytes for hash and size.
type tally struct{ f *File }

func (t tally) Write(p []byte) (int, error) {
	t.f.n += int64(len(p))
	return t.f.sum.Write(p)
}

// Read gives the text, and remembers why it could not (see Err): encoding/csv may
// find fault with half a row first.
func (f *File) Read(p []byte) (int, error) {
	n, err := f.text.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// Err is the first error of Read other than io.EOF.
func (f *File) Err() error { return f.err }

// Line gives the next line without its end, in a buffer that is used again, and
// io.EOF after the last.
func (f *File) Line(buf []byte) ([]byte, error) {
	buf = buf[:0]
	for {
		part, err := f.text.ReadSlice('\n')
		buf = append(buf, part...)
		switch {
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(buf) > 0:
			return bytes.TrimSuffix(buf, []byte("\r")), nil
		case err != nil:
			return buf, err
		default:
			return bytes.TrimSuffix(buf[:len(buf)-1], []byte("\r")), nil
		}
	}
}

// Close reads what is left of the raw file and says what the file was.
func (f *File) Close() (domains.Source, error) {
	if _, err := io.Copy(io.Discard, f.raw); err != nil {
		return domains.Source{}, f.Fault(0, err)
	}
	return domains.Source{
		Path:   filepath.Base(f.Name),
		SHA256: hex.EncodeToString(f.sum.Sum(nil)),
		Bytes:  f.n,
	}, nil
}

// Fault says why reading failed at a line (0: no one line).
func (f *File) Fault(line int, err error) error {
	e := &domains.DataError{File: f.Name, Line: line, What: "the file cannot be read", Mend: "check the file and its disk", Err: err}
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.What, e.Mend, e.Err = "the compressed data ends too early", "copy or download the file again", nil
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.As(err, &corrupt):
		e.What, e.Mend = "the compressed data is damaged", "copy or download the file again"
	}
	return e
}
