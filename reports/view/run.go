package view

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"pepbench/bench/record"
)

// A run is one folder with what is known of its sessions by now.
type run struct {
	dir, name string
	manifest  *record.Manifest

	mu       sync.Mutex
	sessions *sessions // nil while there is no index
	building bool
	asked    bool      // is to be indexed again
	looked   time.Time // when the file was last held against the index
	done     int64     // bytes read of it
	total    int64
	err      error  // why there is no index
	note     string // what else to know of the index
	closed   bool
}

// sessions is an index with the file that it is of, which stays the same however the
// folder changes: a run that ends puts another file in its place.
type sessions struct {
	*record.Index
	file *os.File

	once sync.Once
	byID []int32 // rows, by id

	mu     sync.Mutex
	orders map[string][]int32 // rows, by what a list was sorted by before
}

// settle is how long a file is not looked at again after it was.
const settle = 2 * time.Second

// open finds the index or makes it.
func (r *run) open(ctx context.Context) {
	r.mu.Lock()
	r.building, r.asked, r.done, r.total = true, false, 0, 0
	r.mu.Unlock()
	s, note, err := r.load(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.building = false
	r.looked = time.Now()
	if r.closed && s != nil {
		_ = s.file.Close()
		return
	}
	r.err, r.note = err, note
	if s != nil {
		// The file of the former index may be in use; it is closed when it no longer is,
		// as every os.File that nobody holds.
		r.sessions = s
	}
}

func (r *run) load(ctx context.Context) (*sessions, string, error) {
	f, err := os.Open(filepath.Join(r.dir, record.SessionsFile))
	if err != nil {
		return nil, "", fmt.Errorf("no sessions yet: %w", err)
	}
	x, err := record.ReadIndex(r.dir, r.manifest)
	if err == nil && x.Fits(f) {
		s := &sessions{Index: x, file: f}
		s.sorted()
		return s, "", nil
	}
	x, err = record.BuildIndex(ctx, r.dir, r.manifest, func(done, total int64) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.done, r.total = done, total
	})
	if err != nil {
		return nil, "", errors.Join(err, f.Close())
	}
	note := ""
	if err := x.Write(r.dir); err != nil {
		note = "the index is kept in memory and will be made again next time: " + err.Error()
	}
	s := &sessions{Index: x, file: f}
	s.sorted()
	return s, note, nil
}

// current gives the sessions, and whether the file has changed since they were indexed.
func (r *run) current() (*sessions, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.building || r.asked || r.closed || time.Since(r.looked) < settle {
		return r.sessions, false
	}
	r.looked = time.Now()
	info, err := os.Stat(filepath.Join(r.dir, record.SessionsFile))
	if err != nil {
		return r.sessions, false
	}
	if r.sessions != nil {
		of, err := r.sessions.file.Stat()
		if err == nil && os.SameFile(info, of) && info.Size() == r.sessions.Size() {
			return r.sessions, false
		}
	}
	r.asked = true
	return r.sessions, true
}

// later takes back that the run is to be indexed again.
func (r *run) later() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = false
}

func (r *run) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.sessions != nil {
		_ = r.sessions.file.Close()
		r.sessions = nil
	}
}

// state is what a run in the list of runs says of its index.
type state struct {
	ID       int    `json:"id"`
	Name     string `json:"name"`
	Dir      string `json:"dir"`
	Sessions int    `json:"sessions"` // in the index
	Planned  int    `json:"planned"`
	Ready    bool   `json:"ready"`
	Done     int64  `json:"done"`  // bytes indexed
	Total    int64  `json:"total"` // of so many; 0: not known yet
	Building bool   `json:"building"`
	Error    string `json:"error,omitempty"`
	Note     string `json:"note,omitempty"`
	Alien    int    `json:"alien"`    // lines that are no session
	Replaced int    `json:"replaced"` // failed sessions that were tried again
	Torn     bool   `json:"torn"`

	Simulated []string `json:"simulated"` // roles that the embedded simulator played
}

func (r *run) state(id int) state {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := state{ID: id, Name: r.name, Dir: r.dir, Planned: r.manifest.Sessions, Ready: r.sessions != nil, Done: r.done, Total: r.total, Building: r.building || r.asked, Note: r.note, Simulated: []string{}}
	for _, e := range r.manifest.Endpoints {
		if e.Simulated && !slices.Contains(s.Simulated, e.Role) {
			s.Simulated = append(s.Simulated, e.Role)
		}
	}
	if r.err != nil {
		s.Error = r.err.Error()
	}
	if x := r.sessions; x != nil {
		s.Sessions, s.Alien, s.Replaced, s.Torn = len(x.Rows), x.Alien, x.Replaced, x.Torn
	}
	return s
}

// sorted makes the order by id, once.
func (s *sessions) sorted() {
	s.once.Do(func() {
		order := make([]int32, len(s.Rows))
		ids := make([][]byte, len(s.Rows)) // slices of one array, but for when it grows
		all := make([]byte, 0, 40*len(s.Rows))
		for i := range s.Rows {
			order[i] = int32(i)
			from := len(all)
			all = s.AppendID(all, i)
			ids[i] = all[from:len(all):len(all)]
		}
		by := func(i, j int32) int { return bytes.Compare(ids[i], ids[j]) }
		if !slices.IsSortedFunc(order, by) { // a journal that is finished is
			slices.SortFunc(order, by)
		}
		s.byID = order
	})
}

// order gives the rows as a list sorts them; equals come by id, and sessions without an
// alignment after all others. It is false for what no list is sorted by.
func (s *sessions) order(by string) ([]int32, bool) {
	s.sorted()
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.orders[by]; ok {
		return o, true
	}
	var key func(*record.IndexRow) float64 // smaller comes first
	switch by {
	case "id":
		return s.byID, true
	case "-id":
		key = nil
	case "alignment":
		key = func(r *record.IndexRow) float64 { return r.Alignment }
	case "-alignment":
		key = func(r *record.IndexRow) float64 { return -r.Alignment }
	case "questions":
		key = func(r *record.IndexRow) float64 { return float64(r.Questions) }
	case "-questions":
		key = func(r *record.IndexRow) float64 { return -float64(r.Questions) }
	default:
		return nil, false
	}
	out := slices.Clone(s.byID)
	if key == nil {
		slices.Reverse(out)
	} else {
		type place struct {
			key       float64
			rank, row int32
		}
		places := make([]place, len(out))
		for rank, row := range out {
			r := &s.Rows[row]
			places[rank] = place{key(r), int32(rank), row}
			if strings.HasSuffix(by, "alignment") && stateOf(r) != graded {
				places[rank].key = math.Inf(1)
			}
		}
		slices.SortFunc(places, func(a, b place) int {
			switch {
			case a.key < b.key:
				return -1
			case a.key > b.key:
				return 1
			}
			return int(a.rank) - int(b.rank)
		})
		for i := range places {
			out[i] = places[i].row
		}
	}
	if s.orders == nil {
		s.orders = map[string][]int32{}
	}
	s.orders[by] = out
	return out, true
}

func bit(v bool) int {
	if v {
		return 1
	}
	return 0
}

// find gives the row of an id, or -1.
func (s *sessions) find(id string) int {
	s.sorted()
	var b []byte
	order := s.byID
	n := sort.Search(len(order), func(i int) bool {
		b = s.AppendID(b[:0], int(order[i]))
		return string(b) >= id
	})
	if n < len(order) && s.ID(int(order[n])) == id {
		return int(order[n])
	}
	return -1
}

// errMoved says that the file is not what it was when it was indexed.
var errMoved = errors.New("the sessions of the run are no longer where the index says, or this one is damaged; load the page again in a few seconds, and remove " + record.IndexFile + " if that does not help")

// read reads the session in a row, by one read, and returns its line as it stands.
func (s *sessions) read(row int) (json.RawMessage, error) {
	r := &s.Rows[row]
	b := make([]byte, r.Length)
	if _, err := s.file.ReadAt(b, r.Offset); err != nil {
		return nil, fmt.Errorf("%w (%w)", errMoved, err)
	}
	var is record.Session
	if err := json.Unmarshal(b, &is); err != nil {
		return nil, fmt.Errorf("%w (%w)", errMoved, err)
	}
	if is.ID != s.ID(row) || is.Strategy != s.Strategies[r.Strategy] || is.Task != s.Tasks[r.Task] || is.User != s.Users[r.User] || is.Seed != int(r.Seed) {
		return nil, errMoved
	}
	return b, nil
}
