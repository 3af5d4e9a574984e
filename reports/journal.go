package reports

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"sync"

	"pepbench/bench/record"
)

// An entry is a line of sessions.jsonl that is not blank.
type entry struct {
	line   int   // from 1
	offset int64 // where it begins
	length int   // its newline included
	torn   bool  // the file ends within it

	session record.Session
	err     error // it is no session
}

// place is where a line stands.
func (e *entry) place() place { return place{e.line, e.offset, e.length} }

// A place is where a line stands in sessions.jsonl.
type place struct {
	line   int
	offset int64
	length int
}

// A chunk is a run of whole lines, of which the last of the file may lack its newline.
type chunk struct {
	text    []byte
	line    int   // number of its first line
	offset  int64 // of text
	entries []entry
	err     error // of reading; then there is no text
	done    chan struct{}
}

// chunkSize is how much of a journal is read at a time.
const chunkSize = 1 << 18

// readEntries decodes every line of a journal and hands them to use, in the order of the
// file and one after another. Lines are decoded by as many goroutines as there are
// processors; all have ended when it returns. An entry belongs to the reader. What cannot be
// decoded has an err; the error is one of reading, after all lines before it were used.
// Lines are read by size bytes at a time; one that is longer makes its chunk longer.
func readEntries(f io.Reader, size int, use func(*entry)) error {
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
			c.entries = append(c.entries, entry{line: line, offset: offset, length: len(text), torn: text[len(text)-1] != '\n'})
			e := &c.entries[len(c.entries)-1]
			e.err = json.Unmarshal(bare, &e.session)
		}
		line++
		offset += int64(len(text))
	}
}

// again decodes the line at p anew.
func again(f io.ReaderAt, p place) (*record.Session, error) {
	b := make([]byte, p.length)
	if _, err := f.ReadAt(b, p.offset); err != nil {
		return nil, err
	}
	var s record.Session
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, err
	}
	return &s, nil
}

// mostCriteria gives the criteria of every task: those that most of its lines name which
// are of the run, and of those named equally often the first. It looks at the beginning of
// lines as record.Line writes them; others have no vote.
func mostCriteria(f io.Reader, ours func(strategy, task string, seed int) bool) (map[string][]string, error) {
	type votes struct {
		criteria  string // JSON
		n, before int    // lines, and variants of the task that came before
	}
	tasks := map[string]map[string]*votes{}
	in := bufio.NewReaderSize(f, 1<<20)
	for {
		line, err := in.ReadSlice('\n')
		if task, criteria, ok := head(line, ours); ok {
			of := tasks[task]
			if of == nil {
				of = map[string]*votes{}
				tasks[task] = of
			}
			v := of[string(criteria)]
			if v == nil {
				v = &votes{criteria: string(criteria), before: len(of)}
				of[v.criteria] = v
			}
			v.n++
		}
		for errors.Is(err, bufio.ErrBufferFull) { // what is left of a long line
			_, err = in.ReadSlice('\n')
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	out := map[string][]string{}
	for task, of := range tasks {
		var most *votes
		for _, v := range of {
			if most == nil || v.n > most.n || v.n == most.n && v.before < most.before {
				most = v
			}
		}
		var ids []string
		if json.Unmarshal([]byte(most.criteria), &ids) == nil { // else no line of them is a session
			out[task] = ids
		}
	}
	return out, nil
}

// head reads what a line says of its task and criteria, the latter as they stand there.
func head(line []byte, ours func(strategy, task string, seed int) bool) (task string, criteria []byte, ok bool) {
	at := bytes.Index(line, []byte(`,"criteria":`)) // in no string, where quotes are escaped
	if at < 0 {
		return "", nil, false
	}
	criteria, _, ok = bytes.Cut(line[at+len(`,"criteria":`):], []byte(`,"truth":`))
	if !ok {
		return "", nil, false
	}
	var s struct {
		Strategy, Task string
		Seed           int
	}
	if json.Unmarshal(append(line[:at:at], '}'), &s) != nil || !ours(s.Strategy, s.Task, s.Seed) {
		return "", nil, false
	}
	return s.Task, criteria, true
}
