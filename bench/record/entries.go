package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"sync"
)

// An Entry is a line of sessions.jsonl that is not blank.
type Entry struct {
	Line   int   // from 1
	Offset int64 // where it begins
	Length int   // its newline included
	Torn   bool  // the file ends within it

	Session Session
	Err     error // it is no session
}

// A chunk is a run of whole lines, of which the last of the file may lack its newline.
type chunk struct {
	text    []byte
	line    int   // number of its first line
	offset  int64 // of text
	entries []Entry
	err     error // of reading; then there is no text
	done    chan struct{}
}

// chunkSize is how much of a journal is read at a time.
const chunkSize = 1 << 18

// ReadEntries decodes every line of a journal and hands them to use, in the order of the
// file and one after another. Lines are decoded by as many goroutines as there are
// processors; all have ended when it returns. An entry belongs to the reader: use copies
// what it keeps. A line that cannot be decoded has an Err; the error is one of reading, after
// all lines before it were used.
func ReadEntries(f io.Reader, use func(*Entry)) error { return readEntries(f, chunkSize, use) }

// readEntries reads size bytes at a time; a line that is longer makes its chunk longer.
func readEntries(f io.Reader, size int, use func(*Entry)) error {
	workers := runtime.GOMAXPROCS(0)
	work, order := make(chan *chunk, workers), make(chan *chunk, workers)
	texts := make(chan []byte, 2*workers+2) // to be filled again
	quit := make(chan struct{})
	var wait sync.WaitGroup
	defer func() {
		close(quit)
		wait.Wait()
	}()
	wait.Go(func() {
		defer close(work)
		defer close(order)
		readChunks(f, size, texts, func(c *chunk) bool {
			for _, to := range []chan *chunk{order, work} {
				select {
				case to <- c:
				case <-quit:
					return false
				}
			}
			return true
		})
	})
	for range workers {
		wait.Go(func() {
			for c := range work {
				c.decode()
				close(c.done)
			}
		})
	}
	for c := range order {
		<-c.done
		if c.err != nil {
			return c.err
		}
		for i := range c.entries {
			use(&c.entries[i])
		}
		select {
		case texts <- c.text:
		default:
		}
	}
	return nil
}

// readChunks cuts a file into chunks and gives them away until one is not taken. Buffers
// come from texts where there are any.
func readChunks(f io.Reader, size int, texts <-chan []byte, give func(*chunk) bool) {
	var rest []byte // of the last buffer: the beginning of a line
	line, offset := 1, int64(0)
	for {
		var text []byte
		select {
		case text = <-texts:
		default:
		}
		text = append(text[:0], rest...)
		cut := -1
		var err error
		for cut < 0 && err == nil {
			from := len(text)
			text = grown(text, max(size, 2*from))
			var n int
			n, err = io.ReadFull(f, text[from:])
			text = text[:from+n]
			cut = bytes.LastIndexByte(text[from:], '\n')
			if cut >= 0 {
				cut += from + 1
			}
		}
		end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if end {
			cut, err = len(text), nil
		}
		c := &chunk{line: line, offset: offset, err: err, done: make(chan struct{})}
		if cut > 0 {
			rest = append(rest[:0], text[cut:]...)
			c.text, c.err = text[:cut], nil
			line += bytes.Count(c.text, []byte{'\n'})
			offset += int64(cut)
		}
		if !give(c) || end || c.err != nil {
			return
		}
		if err != nil { // the lines before it are given away
			give(&chunk{err: err, done: make(chan struct{})})
			return
		}
	}
}

// grown is b with a length of n, of which what b had is kept.
func grown(b []byte, n int) []byte {
	if cap(b) >= n {
		return b[:n]
	}
	out := make([]byte, n)
	copy(out, b)
	return out
}

// decode makes the entries of a chunk.
func (c *chunk) decode() {
	line, offset := c.line, c.offset
	for text := range bytes.Lines(c.text) {
		if bare := bytes.TrimSpace(text); len(bare) > 0 {
			c.entries = append(c.entries, Entry{Line: line, Offset: offset, Length: len(text), Torn: text[len(text)-1] != '\n'})
			e := &c.entries[len(c.entries)-1]
			e.Err = json.Unmarshal(bare, &e.Session)
		}
		line++
		offset += int64(len(text))
	}
}
