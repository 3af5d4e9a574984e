package record

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"pepbench/domains"
)

// IndexFile is the index of the sessions, inside the folder of a run. It may be removed
// at any time: it says nothing that sessions.jsonl does not say.
const IndexFile = "sessions.index"

// ErrIndex is wrapped where an index is missing, broken, or not of the sessions beside
// it. Nothing of such an index is used; BuildIndex makes another.
var ErrIndex = errors.New("no index of these sessions")

// An Index tells of every session of a run where it stands and what lists of sessions
// show. Names are numbers into its tables, which are sorted; rows are in the order of
// the file. A journal that is not finished may hold a session twice, first failed and
// then tried again: the later line is the session.
type Index struct {
	Final int // checkpoint that Alignment and Correct are of, see NewIndexer

	Strategies, Tasks, Users, Stops []string
	Rows                            []IndexRow

	Lines    int  // of the file, torn one included
	Replaced int  // failed sessions of which a later line holds another try
	Alien    int  // lines that are no session of a run, and second lines of one that did not fail
	Torn     bool // the last line ends early: a run was interrupted, or still writes

	stamp stamp
	ids   map[int32]string // of rows whose id is not strategy/seed/task/user
}

// An IndexRow is one session: 48 bytes.
type IndexRow struct {
	Offset    int64   // bytes from the start of the file
	Alignment float64 // 0..100 at the final checkpoint; NaN is undefined
	Length    int32   // bytes of the line, newline included
	Strategy  int32
	Task      int32
	User      int32
	Seed      int32
	Questions int32 // asked, those past the budget included
	Stop      int32
	Failed    bool // see Session.Error
	Correct   int8 // at the final checkpoint: 1, 0, or -1 for unknown
}

// ID gives the id of the session in a row.
func (x *Index) ID(row int) string {
	if id, ok := x.ids[int32(row)]; ok {
		return id
	}
	return string(x.AppendID(nil, row))
}

// AppendID appends the id of the session in a row.
func (x *Index) AppendID(b []byte, row int) []byte {
	if id, ok := x.ids[int32(row)]; ok {
		return append(b, id...)
	}
	r := &x.Rows[row]
	b = append(append(b, x.Strategies[r.Strategy]...), '/')
	b = append(strconv.AppendInt(b, int64(r.Seed), 10), '/')
	b = append(append(b, x.Tasks[r.Task]...), '/')
	return append(b, x.Users[r.User]...)
}

// Graded finds the checkpoint that says how a session fared after n questions, or nil.
// One that is carried forward without a grade of its own stands for the last graded one
// before it. Floor and ceiling have one checkpoint, whatever its number (only).
func (s *Session) Graded(n int, only bool) *Checkpoint {
	cp := s.Checkpoint(n)
	if cp == nil && only && len(s.Checkpoints) > 0 {
		cp = &s.Checkpoints[0]
	}
	if cp == nil || !cp.Carried || cp.Raw != nil || len(cp.Scores) > 0 {
		return cp
	}
	var last *Checkpoint
	for i := range s.Checkpoints {
		if c := &s.Checkpoints[i]; !c.Carried && c.Questions < n && (last == nil || c.Questions > last.Questions) {
			last = c
		}
	}
	if last == nil {
		return cp
	}
	return last
}

// FinalCheckpoint is the last checkpoint within the budget, or the first of all if none
// is; the budget where the manifest names none.
func (m *Manifest) FinalCheckpoint() int {
	if len(m.Checkpoints) == 0 {
		return m.Budget
	}
	final, found := slices.Min(m.Checkpoints), false
	for _, p := range m.Checkpoints {
		if p <= m.Budget && (!found || p > final) {
			final, found = p, true
		}
	}
	return final
}

// An Indexer makes an index of sessions that somebody reads anyway, in the order of
// the file.
type Indexer struct {
	x                             *Index
	only                          map[string]bool // strategies with one checkpoint
	strategies, tasks, users, end table
	at                            map[place]int32 // row of every session
}

// place names a session by the numbers of its names.
type place struct{ strategy, seed, task, user int32 }

// A table numbers strings in the order in which they come.
type table struct {
	names []string
	at    map[string]int32
}

func (t *table) number(s string) int32 {
	if n, ok := t.at[s]; ok {
		return n
	}
	if t.at == nil {
		t.at = map[string]int32{}
	}
	n := int32(len(t.names))
	t.names = append(t.names, s)
	t.at[s] = n
	return n
}

// sorted gives the names in order, and the new number of every old one.
func (t *table) sorted() ([]string, []int32) {
	names := slices.Clone(t.names)
	slices.Sort(names)
	to := make([]int32, len(names))
	for n, s := range names {
		to[t.at[s]] = int32(n)
	}
	return names, to
}

// NewIndexer starts an index of the sessions of a run. Its final checkpoint is that of
// the manifest (Manifest.FinalCheckpoint).
func NewIndexer(m *Manifest) *Indexer {
	b := &Indexer{x: &Index{Final: m.FinalCheckpoint(), ids: map[int32]string{}}, only: map[string]bool{}, at: map[place]int32{}}
	for _, s := range m.Strategies {
		if s.Kind == "none" || s.Kind == "oracle" {
			b.only[s.Name] = true
		}
	}
	return b
}

// Add takes the session whose line, newline included, is length bytes from offset on.
func (b *Indexer) Add(offset, length int64, s *Session) {
	g := glance{
		ID: s.ID, Strategy: s.Strategy, Seed: s.Seed, Task: s.Task, User: s.User,
		Stop: s.Stop, Failed: s.Error != "" || s.Stop == StopError, Questions: len(s.Turns), Alignment: math.NaN(), Correct: -1,
	}
	if cp := s.Graded(b.x.Final, b.only[s.Strategy]); cp != nil {
		if cp.Raw != nil {
			g.Alignment = Alignment(*cp.Raw)
		}
		if cp.Correct != nil {
			g.Correct = 0
			if *cp.Correct {
				g.Correct = 1
			}
		}
	}
	b.add(offset, length, &g)
}

// Alien counts a line that is no session; what is not given to Add must be.
func (b *Indexer) Alien() { b.x.Lines++; b.x.Alien++ }

// glance is what the index keeps of a session.
type glance struct {
	ID, Strategy, Task, User, Stop string
	Seed, Questions                int
	Failed                         bool
	Alignment                      float64
	Correct                        int8
}

func (b *Indexer) add(offset, length int64, g *glance) {
	if g.Strategy == "" || g.Task == "" || g.User == "" || int64(int32(g.Seed)) != int64(g.Seed) || length > math.MaxInt32 {
		b.Alien()
		return
	}
	b.x.Lines++
	r := IndexRow{
		Offset: offset, Length: int32(length), Alignment: g.Alignment, Seed: int32(g.Seed), Questions: int32(g.Questions),
		Strategy: b.strategies.number(g.Strategy), Task: b.tasks.number(g.Task), User: b.users.number(g.User), Stop: b.end.number(g.Stop),
		Failed: g.Failed, Correct: g.Correct,
	}
	if math.IsInf(r.Alignment, 0) {
		r.Alignment = math.NaN()
	}
	p := place{r.Strategy, r.Seed, r.Task, r.User}
	row, twice := b.at[p]
	switch {
	case twice && !b.x.Rows[row].Failed:
		b.x.Alien++
		return
	case twice:
		b.x.Replaced++
		b.x.Rows[row] = r
		delete(b.x.ids, row)
	default:
		row = int32(len(b.x.Rows))
		b.at[p] = row
		b.x.Rows = append(b.x.Rows, r)
	}
	if g.ID != g.Strategy+"/"+strconv.Itoa(g.Seed)+"/"+g.Task+"/"+g.User {
		b.x.ids[row] = g.ID
	}
}

// Index ends the work: it ties the index to the file at path, which must be the one
// that was read to its end. The Indexer is of no use afterwards.
func (b *Indexer) Index(path string) (*Index, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	defer f.Close()
	x := b.finish()
	if x.stamp, err = stampOf(f); err != nil {
		return nil, fmt.Errorf("index %s: %w", path, err)
	}
	return x, nil
}

// finish sorts tables and rows, and leaves out numbers that are of no row: those of a
// failed session that was replaced.
func (b *Indexer) finish() *Index {
	x := b.x
	var to [4][]int32
	x.Strategies, to[0] = b.strategies.sorted()
	x.Tasks, to[1] = b.tasks.sorted()
	x.Users, to[2] = b.users.sorted()
	x.Stops, to[3] = b.end.sorted()
	used := make([]bool, len(x.Stops))
	for i := range x.Rows {
		r := &x.Rows[i]
		r.Strategy, r.Task, r.User, r.Stop = to[0][r.Strategy], to[1][r.Task], to[2][r.User], to[3][r.Stop]
		used[r.Stop] = true
	}
	// Of the names only a stop can be left without a row: a try and the next one of it
	// share all others.
	left, stops := make([]int32, len(used)), x.Stops[:0]
	for n, s := range x.Stops {
		left[n] = int32(len(stops))
		if used[n] {
			stops = append(stops, s)
		}
	}
	x.Stops = stops
	order := make([]int32, len(x.Rows))
	for i := range x.Rows {
		x.Rows[i].Stop = left[x.Rows[i].Stop]
		order[i] = int32(i)
	}
	if !slices.IsSortedFunc(x.Rows, func(a, b IndexRow) int { return cmp.Compare(a.Offset, b.Offset) }) {
		slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(x.Rows[a].Offset, x.Rows[b].Offset) })
		rows, ids := make([]IndexRow, len(order)), map[int32]string{}
		for i, o := range order {
			rows[i] = x.Rows[o]
			if id, ok := x.ids[o]; ok {
				ids[int32(i)] = id
			}
		}
		x.Rows, x.ids = rows, ids
	}
	return x
}

// A stamp tells one state of a sessions file from another.
type stamp struct {
	size int64
	sum  [sha256.Size]byte // of the first and the last stampEdge bytes, and of stampParts places between
}

const (
	stampEdge  = 64 << 10
	stampParts = 62
	stampPart  = 4 << 10
)

// stampOf reads at most 376 KiB of the file. A change elsewhere that leaves its size as
// it is goes unnoticed; who reads a session finds another one in its place, or none.
func stampOf(f *os.File) (stamp, error) {
	info, err := f.Stat()
	if err != nil {
		return stamp{}, err
	}
	s := stamp{size: info.Size()}
	h := sha256.New()
	part := func(at, n int64) error {
		_, err := io.Copy(h, io.NewSectionReader(f, at, min(n, s.size-at)))
		return err
	}
	if s.size <= 2*stampEdge+stampParts*stampPart {
		err = part(0, s.size)
	} else {
		err = part(0, stampEdge)
		for i := int64(1); i <= stampParts && err == nil; i++ {
			err = part(stampEdge+(s.size-2*stampEdge)/(stampParts+1)*i, stampPart)
		}
		if err == nil {
			err = part(s.size-stampEdge, stampEdge)
		}
	}
	h.Sum(s.sum[:0])
	return s, err
}

// Size is the size of the sessions file that the index is of, in bytes.
func (x *Index) Size() int64 { return x.stamp.size }

// Fits reports whether the index is of the file as it is now.
func (x *Index) Fits(sessions *os.File) bool {
	s, err := stampOf(sessions)
	return err == nil && s == x.stamp
}

// BuildIndex reads the sessions of the run in dir once, without taking them apart more
// than the index needs: a line may pass here that is broken where the index does not
// look. Lines that are no session are counted, and so is a torn last one. progress, if
// not nil, is called now and then with the bytes that are read, of how many. A file that
// grows meanwhile is read up to the size it had at first.
func BuildIndex(ctx context.Context, dir string, m *Manifest, progress func(done, total int64)) (*Index, error) {
	path := filepath.Join(dir, SessionsFile)
	f, err := os.Open(path)
	if err != nil {
		return nil, &domains.DataError{File: path, What: "the sessions of the run cannot be read", Mend: "run the experiment; the same command resumes", Err: bareError(err)}
	}
	defer f.Close()
	before, err := stampOf(f)
	if err != nil {
		return nil, fmt.Errorf("index %s: %w", path, err)
	}
	b := NewIndexer(m)
	in := bufio.NewReaderSize(io.LimitReader(f, before.size), 1<<20)
	var long []byte
	var at, told int64
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) { // a line of more than a megabyte
			long = append(long[:0], line...)
			for errors.Is(err, bufio.ErrBufferFull) {
				line, err = in.ReadSlice('\n')
				long = append(long, line...)
			}
			line = long
		}
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("index %s: %w", path, err)
		}
		if len(line) > 0 {
			var g glance
			ok := b.look(line, &g)
			switch {
			case ok:
				b.add(at, int64(len(line)), &g)
			case err == io.EOF:
				b.x.Lines++
				b.x.Torn = true
			case len(bytes.TrimSpace(line)) > 0:
				b.Alien()
			default:
				b.x.Lines++
			}
			at += int64(len(line))
		}
		if err == io.EOF {
			break
		}
		if at-told >= 8<<20 {
			told = at
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if progress != nil {
				progress(at, before.size)
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	x := b.finish()
	x.stamp = before
	if progress != nil {
		progress(at, before.size)
	}
	return x, nil
}

// bareError takes the path off an error that is told together with it.
func bareError(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// indexMagic opens the file; its last letter is the version.
const indexMagic = "pepidx\n1"

// Write writes dir/sessions.index, atomically. Equal sessions give equal bytes:
//
//	"pepidx\n1"
//	final, lines, replaced, alien    int64, little endian, as all that follow
//	torn                             byte
//	size, sum                        int64, 32 bytes: of the sessions file
//	strategies, tasks, users, stops  count uint32, then of each string length uint32 and bytes
//	rows                             count uint32, then column by column: offset int64, alignment
//	                                 float64, length, strategy, task, user, seed, questions, stop
//	                                 int32, failed, correct int8
//	ids                              count uint32, then row uint32 and string of each
//	SHA-256 of all that stands before
func (x *Index) Write(dir string) error {
	b := x.bytes()
	return WriteFile(filepath.Join(dir, IndexFile), func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// rowSize is what a row takes on disk.
const rowSize = 2*8 + 7*4 + 2

// nanBits is the one NaN that is written.
var nanBits = math.Float64bits(math.NaN())

func (x *Index) bytes() []byte {
	le := binary.LittleEndian
	b := make([]byte, 0, 4096+len(x.Rows)*rowSize+16*len(x.Users))
	b = append(b, indexMagic...)
	for _, v := range []int{x.Final, x.Lines, x.Replaced, x.Alien} {
		b = le.AppendUint64(b, uint64(v))
	}
	b = append(b, flag(x.Torn))
	b = le.AppendUint64(b, uint64(x.stamp.size))
	b = append(b, x.stamp.sum[:]...)
	text := func(s string) { b = append(le.AppendUint32(b, uint32(len(s))), s...) }
	for _, t := range [][]string{x.Strategies, x.Tasks, x.Users, x.Stops} {
		b = le.AppendUint32(b, uint32(len(t)))
		for _, s := range t {
			text(s)
		}
	}
	b = le.AppendUint32(b, uint32(len(x.Rows)))
	for i := range x.Rows {
		b = le.AppendUint64(b, uint64(x.Rows[i].Offset))
	}
	for i := range x.Rows {
		bits := nanBits
		if v := x.Rows[i].Alignment; !math.IsNaN(v) {
			bits = math.Float64bits(v)
		}
		b = le.AppendUint64(b, bits)
	}
	for _, column := range x.columns() {
		for i := range x.Rows {
			b = le.AppendUint32(b, uint32(*column(&x.Rows[i])))
		}
	}
	for i := range x.Rows {
		b = append(b, flag(x.Rows[i].Failed))
	}
	for i := range x.Rows {
		b = append(b, byte(x.Rows[i].Correct))
	}
	b = le.AppendUint32(b, uint32(len(x.ids)))
	for i := range x.Rows { // not over the map, which has no order
		if id, ok := x.ids[int32(i)]; ok {
			b = le.AppendUint32(b, uint32(i))
			text(id)
		}
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func flag(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// columns are the numbers of four bytes, in the order of the file.
func (*Index) columns() []func(*IndexRow) *int32 {
	return []func(*IndexRow) *int32{
		func(r *IndexRow) *int32 { return &r.Length },
		func(r *IndexRow) *int32 { return &r.Strategy },
		func(r *IndexRow) *int32 { return &r.Task },
		func(r *IndexRow) *int32 { return &r.User },
		func(r *IndexRow) *int32 { return &r.Seed },
		func(r *IndexRow) *int32 { return &r.Questions },
		func(r *IndexRow) *int32 { return &r.Stop },
	}
}

// ReadIndex reads dir/sessions.index. One that is missing, broken, of another version,
// of another state of the sessions beside it or of another final checkpoint is ErrIndex.
func ReadIndex(dir string, m *Manifest) (*Index, error) {
	path := filepath.Join(dir, IndexFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIndex, err)
	}
	x, err := parseIndex(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f, err := os.Open(filepath.Join(dir, SessionsFile))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIndex, err)
	}
	defer f.Close()
	switch {
	case x.Final != m.FinalCheckpoint():
		return nil, fmt.Errorf("%s: %w: it is of checkpoint %d, the run's final one is %d", path, ErrIndex, x.Final, m.FinalCheckpoint())
	case !x.Fits(f):
		return nil, fmt.Errorf("%s: %w: they have changed since", path, ErrIndex)
	}
	return x, nil
}

// parseIndex reads what bytes gives, and nothing else: whatever it takes is whole, and
// every number in it is in range.
func parseIndex(b []byte) (*Index, error) {
	broken := func(what string) error { return fmt.Errorf("%w: %s", ErrIndex, what) }
	if len(b) < len(indexMagic) || string(b[:len(indexMagic)]) != indexMagic {
		return nil, broken("not an index, or of another version")
	}
	if len(b) < len(indexMagic)+sha256.Size {
		return nil, broken("it ends early")
	}
	body := b[:len(b)-sha256.Size]
	if sha256.Sum256(body) != [sha256.Size]byte(b[len(body):]) {
		return nil, broken("it is damaged")
	}
	return parseBody(body[len(indexMagic):], broken)
}

func parseBody(b []byte, broken func(string) error) (*Index, error) {
	le := binary.LittleEndian
	short := false
	take := func(n int) []byte {
		if short = short || n < 0 || n > len(b); short {
			return nil
		}
		p := b[:n]
		b = b[n:]
		return p
	}
	u32 := func() int {
		if p := take(4); p != nil {
			return int(le.Uint32(p))
		}
		return 0
	}
	i64 := func() int64 {
		if p := take(8); p != nil {
			return int64(le.Uint64(p))
		}
		return 0
	}
	yes := func() bool {
		p := take(1)
		short = short || p == nil || p[0] > 1
		return !short && p[0] == 1
	}
	x := &Index{Final: int(i64()), Lines: int(i64()), Replaced: int(i64()), Alien: int(i64()), Torn: yes(), ids: map[int32]string{}}
	x.stamp.size = i64()
	copy(x.stamp.sum[:], take(sha256.Size))
	for _, t := range []*[]string{&x.Strategies, &x.Tasks, &x.Users, &x.Stops} {
		n := u32()
		for i := 0; i < n && !short; i++ {
			*t = append(*t, string(take(u32())))
		}
		for i := 1; i < len(*t); i++ {
			if (*t)[i-1] >= (*t)[i] {
				return nil, broken("its names are not in order")
			}
		}
	}
	n := u32()
	if short || n > len(b)/rowSize {
		return nil, broken("it ends early")
	}
	x.Rows = make([]IndexRow, n)
	end := int64(0)
	for i, p := 0, take(8*n); i < n; i++ {
		x.Rows[i].Offset = int64(le.Uint64(p[8*i:]))
	}
	for i, p := 0, take(8*n); i < n; i++ {
		x.Rows[i].Alignment = math.Float64frombits(le.Uint64(p[8*i:]))
		if v := x.Rows[i].Alignment; math.IsInf(v, 0) || math.IsNaN(v) && math.Float64bits(v) != nanBits {
			return nil, broken("an alignment is out of range")
		}
	}
	most := []int{math.MaxInt32, len(x.Strategies) - 1, len(x.Tasks) - 1, len(x.Users) - 1, math.MaxInt32, math.MaxInt32, len(x.Stops) - 1}
	for k, column := range x.columns() {
		p := take(4 * n)
		for i := range n {
			v := int32(le.Uint32(p[4*i:]))
			if int(v) > most[k] || v < 0 && k != 4 { // a seed may be negative
				return nil, broken("a number is out of range")
			}
			*column(&x.Rows[i]) = v
		}
	}
	for i := range n {
		x.Rows[i].Failed = yes()
	}
	for i := range n {
		p := take(1)
		if p == nil || int8(p[0]) < -1 || int8(p[0]) > 1 {
			return nil, broken("a number is out of range")
		}
		x.Rows[i].Correct = int8(p[0])
	}
	for i := range x.Rows {
		r := &x.Rows[i]
		if r.Offset < end || int64(r.Length) > x.stamp.size || r.Offset > x.stamp.size-int64(r.Length) {
			return nil, broken("a session is outside of the file, or in another")
		}
		end = r.Offset + int64(r.Length)
	}
	last := -1
	for k := u32(); k > 0 && !short; k-- {
		row := u32()
		if row <= last || row >= n {
			return nil, broken("an id is of no row")
		}
		last = row
		x.ids[int32(row)] = string(take(u32()))
	}
	if short || len(b) > 0 {
		return nil, broken("it ends early, or late")
	}
	return x, nil
}
