package cache

import (
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"pepbench/bench/llm"
)

var (
	// ErrFile is wrapped by errors about a file that is no cache, or not one that this
	// program can read. The file is left as it is.
	ErrFile = errors.New("bad cache file")

	// ErrMiss is wrapped by errors of calls that a cache in mode Read does not have.
	ErrMiss = errors.New("not in the cache")
)

// A FileError says where in which file what is wrong, and how to mend it.
type FileError struct {
	File string
	Line int // 0: the file as a whole
	What string
	Mend string
	Err  error // cause, may be nil
}

// Error gives `file:line: what; how to mend`.
func (e *FileError) Error() string {
	s := e.File
	if e.Line > 0 {
		s = fmt.Sprintf("%s:%d", s, e.Line)
	}
	s += ": " + e.What
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Mend != "" {
		s += "; " + e.Mend
	}
	return s
}

// Unwrap gives ErrFile and the cause.
func (e *FileError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrFile}
	}
	return []error{ErrFile, e.Err}
}

// A MissError is a call that a cache in mode Read does not have. No further call can
// be trusted to be there, so that it wraps llm.ErrUnusable beside ErrMiss.
type MissError struct {
	File           string
	BaseURL, Model string // as the canonical request has them
	User           string // message
	Repeat, Repair int
	Key            Key
}

// Error names the call in one line.
func (e *MissError) Error() string {
	which := fmt.Sprintf("repeat %d, key %.12s", e.Repeat, e.Key)
	if e.Repair > 0 {
		which = fmt.Sprintf("asked again %d times, %s", e.Repair, which)
	}
	return fmt.Sprintf("cache %s has no reply of %s at %s to %q (%s); run with cache: write, or import the cache that has it (calls that failed or that the server refused are in none)",
		e.File, e.Model, e.BaseURL, firstWords(e.User), which)
}

// Unwrap gives ErrMiss and llm.ErrUnusable.
func (*MissError) Unwrap() []error { return []error{ErrMiss, llm.ErrUnusable} }

// firstWords is the beginning of a text in one line.
func firstWords(s string) string {
	const most = 80
	if len(s) > 4*most {
		s = s[:4*most]
	}
	r := []rune(strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), ""))
	if len(r) > most {
		return string(r[:most]) + "..."
	}
	return string(r)
}

// code is SQLite's primary result code, 0 if the error is none of its own.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// explain turns what SQLite says of a file into an error of ours.
func (c *Cache) explain(err error) error {
	switch code(err) {
	case 0:
		return fmt.Errorf("cache %s: %w", c.path, err)
	case lib.SQLITE_NOTADB, lib.SQLITE_CORRUPT:
		return &FileError{File: c.path, What: "damaged, or not a cache", Mend: "move it away, or restore it from an export", Err: err}
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		if c.network != "" {
			return &FileError{File: c.path, What: "in use by another process; on a network file system (" + c.network + ") a cache serves one process at a time", Mend: "give each its own cache_file and join them by pepbench cache import"}
		}
		return &FileError{File: c.path, What: "locked by another process for too long", Mend: "wait for it, or give another cache_file", Err: err}
	case lib.SQLITE_FULL, lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM, lib.SQLITE_IOERR:
		return &FileError{File: c.path, What: "cannot be used", Mend: "check space and permissions, or give another cache_file", Err: err}
	}
	return fmt.Errorf("cache %s: %w", c.path, err)
}
