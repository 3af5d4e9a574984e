package reports

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"pepbench/bench/record"
)

// A place is where a line stands in sessions.jsonl.
type place struct {
	line   int
	offset int64
	length int
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
