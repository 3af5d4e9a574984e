package record

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"pepbench/domains"
)

// Files of a run, inside its folder.
const (
	ManifestFile = "manifest.json"
	SessionsFile = "sessions.jsonl"
	UsageFile    = "usage.json"
	TimingFile   = "timing.json"

	// PageFile shows a report, of a run or a sweep, in a browser.
	PageFile = "report.html"

	// MetricsFile is written last of all that reports derive; a run that changes
	// the journal removes it, so that its presence says that the report is whole.
	MetricsFile = "metrics.json"
)

// ErrLocked is wrapped when another process runs into the same folder.
var ErrLocked = errors.New("another run is writing here; wait for it, or give another --out")

// A Journal is sessions.jsonl while a run writes it. Append may be called from
// several goroutines.
type Journal struct {
	mu   sync.Mutex
	path string
	f    *os.File
	have map[string]span
	end  int64
}

// span is where a session's line stands in the file, and whether it holds a
// session that failed, which a later line may replace.
type span struct {
	at, n  int64
	failed bool
}

// OpenJournal opens or makes the journal at path. Complete lines that are already
// there are kept; a last line that was torn (no newline, or not JSON) is cut off.
// A line that is not a session, or one that comes twice, is an error naming file
// and line. Sessions that failed (Session.Error) count as absent, so that they are
// run again; the line of the new try replaces theirs.
func OpenJournal(path string) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Journal{path: path, f: f, have: map[string]span{}}
	if err := j.index(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

func (j *Journal) index() error {
	r := bufio.NewReaderSize(j.f, 1<<20)
	var line []byte
	for n := 1; ; n++ {
		line = line[:0]
		var err error
		for {
			var part []byte
			part, err = r.ReadSlice('\n')
			line = append(line, part...)
			if !errors.Is(err, bufio.ErrBufferFull) {
				break
			}
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("journal %s: %w", j.path, err)
		}
		torn := err == io.EOF
		if torn && len(line) == 0 {
			break
		}
		id, failed, ok := lineID(line)
		if torn || !ok {
			if _, e := r.Peek(1); torn || e == io.EOF {
				break // what follows j.end is cut off below
			}
			return &domains.DataError{File: j.path, Line: n, What: "not a session", Mend: "remove the line, or the file to start over"}
		}
		if had, twice := j.have[id]; twice && !had.failed {
			return &domains.DataError{File: j.path, Line: n, What: fmt.Sprintf("session %q twice", id), Mend: "remove one of the lines"}
		}
		j.have[id] = span{j.end, int64(len(line)), failed}
		j.end += int64(len(line))
	}
	info, err := j.f.Stat()
	if err == nil && info.Size() > j.end { // a torn line; a whole file is left untouched
		err = j.f.Truncate(j.end)
	}
	if err != nil {
		return fmt.Errorf("journal %s: %w", j.path, err)
	}
	if _, err := j.f.Seek(j.end, io.SeekStart); err != nil {
		return fmt.Errorf("journal %s: %w", j.path, err)
	}
	return nil
}

// lineID gives the session id of a complete line, and whether the session failed.
// Lines are written by us, so the id comes first; everything else is checked to be
// JSON and no more.
func lineID(line []byte) (id string, failed, ok bool) {
	if !bytes.HasPrefix(line, []byte(`{"id":`)) || !json.Valid(line) {
		return "", false, false
	}
	dec := json.NewDecoder(bytes.NewReader(line[len(`{"id":`):]))
	if err := dec.Decode(&id); err != nil || id == "" {
		return "", false, false
	}
	if bytes.Contains(line, []byte(`"error":"`)) { // perhaps only in a text
		var s struct{ Error string }
		failed = json.Unmarshal(line, &s) == nil && s.Error != ""
	}
	return id, failed, true
}

// Has reports whether a session is in the journal and did not fail.
func (j *Journal) Has(id string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	s, ok := j.have[id]
	return ok && !s.failed
}

// IDs gives the sessions of the journal, failed ones included, sorted.
func (j *Journal) IDs() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Sorted(maps.Keys(j.have))
}

// Len counts the sessions.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.have)
}

// Append writes a session as one line.
func (j *Journal) Append(s *Session) error {
	line, err := Line(s)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if had, twice := j.have[s.ID]; twice && !had.failed {
		panic("record: session " + s.ID + " appended twice")
	}
	if _, err := j.f.Write(line); err != nil {
		return fmt.Errorf("journal %s: %w", j.path, err)
	}
	j.have[s.ID] = span{j.end, int64(len(line)), s.Error != ""}
	j.end += int64(len(line))
	return nil
}

// Line is a session as it stands in the journal, newline included.
func Line(s *Session) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return nil, fmt.Errorf("session %s: %w", s.ID, err)
	}
	return b.Bytes(), nil
}

// Finish rewrites the journal sorted by session id, atomically, and closes it. It
// holds one session in memory at a time. A journal that is sorted already is left
// as it is.
func (j *Journal) Finish() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	ids := slices.Sorted(maps.Keys(j.have))
	size := int64(0)
	for _, s := range j.have {
		size += s.n
	}
	if size == j.end && slices.IsSortedFunc(ids, func(a, b string) int { return cmp.Compare(j.have[a].at, j.have[b].at) }) {
		return j.f.Close()
	}
	err := WriteFile(j.path, func(w io.Writer) error {
		var buf []byte
		for _, id := range ids {
			s := j.have[id]
			buf = slices.Grow(buf[:0], int(s.n))[:s.n]
			if _, err := j.f.ReadAt(buf, s.at); err != nil {
				return err
			}
			if _, err := w.Write(buf); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, j.f.Close())
}

// Close closes an unfinished journal; what was appended stays.
func (j *Journal) Close() error { return j.f.Close() }

// WriteFile writes a file as a whole or not at all: write fills a temporary file
// in the same folder, which then takes the name.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close() // it may be closed already
			err = fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
		}
	}()
	w := bufio.NewWriterSize(f, 1<<18)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// WriteJSON writes v as indented JSON, atomically.
func WriteJSON(path string, v any) error {
	return WriteFile(path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	})
}

// ReadManifest reads the manifest of the run in dir.
func ReadManifest(dir string) (*Manifest, error) {
	path := filepath.Join(dir, ManifestFile)
	b, err := os.ReadFile(path)
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err // the path is named already
		}
		return nil, &domains.DataError{File: path, What: "the manifest of the run cannot be read", Err: err}
	}
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		line := 0
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line = 1 + bytes.Count(b[:min(syntax.Offset, int64(len(b)))], []byte("\n"))
		}
		return nil, &domains.DataError{File: path, Line: line, What: "not a manifest", Mend: "run the experiment again", Err: err}
	}
	if m.Schema != Schema {
		return nil, &domains.DataError{File: path, What: fmt.Sprintf("schema %d, this program reads schema %d", m.Schema, Schema), Mend: "use the program that wrote it, or run the experiment again"}
	}
	return &m, nil
}
