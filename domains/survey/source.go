package survey

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

// A source reads the text of a file that may be gzipped, without the byte order
// mark, and hashes the bytes of the file as it goes.
type source struct {
	file string
	raw  *bufio.Reader // hashed
	text *bufio.Reader
	sum  hash.Hash
	n    int64
	err  error // first error other than io.EOF
}

// newSource looks at the first two bytes to see whether r is gzipped; the name
// only says what to expect.
func newSource(r io.Reader, file string) (*source, error) {
	s := &source{file: file, sum: sha256.New()}
	s.raw = bufio.NewReaderSize(io.TeeReader(r, s), 1<<16)
	magic, err := s.raw.Peek(2)
	if err != nil && err != io.EOF {
		return nil, s.fault(0, err)
	}
	var text io.Reader = s.raw
	if bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		zr, err := gzip.NewReader(s.raw)
		if err != nil {
			return nil, s.fault(0, err)
		}
		text = zr
	} else if len(magic) > 0 && strings.EqualFold(filepath.Ext(file), ".gz") {
		return nil, &domains.DataError{File: file, What: "the name ends in .gz but the content is not gzip", Mend: "rename the file or compress it"}
	}
	s.text = bufio.NewReaderSize(text, 1<<16)
	if mark, err := s.text.Peek(3); string(mark) == "\ufeff" {
		s.text.Discard(3)
	} else if err != nil && err != io.EOF {
		return nil, s.fault(1, err)
	}
	return s, nil
}

// Write takes the raw bytes for the hash.
func (s *source) Write(p []byte) (int, error) {
	s.n += int64(len(p))
	return s.sum.Write(p)
}

// Read gives the text, and remembers why it could not: encoding/csv may find
// fault with half a row first.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.text.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// close reads what is left of the raw file and says what the file was.
func (s *source) close() (domains.Source, error) {
	if _, err := io.Copy(io.Discard, s.raw); err != nil {
		return domains.Source{}, s.fault(0, err)
	}
	return domains.Source{
		Path:   filepath.Base(s.file),
		SHA256: hex.EncodeToString(s.sum.Sum(nil)),
		Bytes:  s.n,
	}, nil
}

// fault says why reading failed.
func (s *source) fault(line int, err error) error {
	e := &domains.DataError{File: s.file, Line: line, What: "the file cannot be read", Mend: "check the file and its disk", Err: err}
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.What, e.Mend, e.Err = "the compressed data ends too early", "copy or download the file again", nil
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.As(err, &corrupt):
		e.What, e.Mend = "the compressed data is damaged", "copy or download the file again"
	}
	return e
}
