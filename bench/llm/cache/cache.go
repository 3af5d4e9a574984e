package cache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	lib "modernc.org/sqlite/lib"

	"pepbench/bench/llm"
)

// Schema is the version of the file and part of every key: what changes the meaning
// of a canonical request or of a stored reply raises it.
const Schema = 1

// appID marks a SQLite file as ours ("PEPB").
const appID = 0x50455042

// A Key identifies a call.
type Key [sha256.Size]byte

// String gives the key in hexadecimal.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

var keyPrefix = []byte("pepbench-cache/" + strconv.Itoa(Schema) + "\n")

// KeyOf gives the key of a canonical request.
func KeyOf(request []byte) Key {
	h := sha256.New()
	h.Write(keyPrefix)
	h.Write(request)
	var k Key
	h.Sum(k[:0])
	return k
}

// Writing off the critical path.
const (
	batchMost = 256                   // entries a transaction
	batchWait = 50 * time.Millisecond // longest that an entry waits for company
	queueMost = 512                   // entries in memory before calls wait for the disk
)

// A Cache is an open file. It may be used by several goroutines; Close is called
// after the last call.
type Cache struct {
	// Run is the number of the run that calls are made in. What was sent in it is
	// answered alike to its end, by other processes too, should it be resumed. Open
	// makes one up; another one, not 0, is set while no call is in flight.
	Run int64

	path    string
	network string // kind of network file system; empty: a local disk

	read, write *sql.DB // the same one where a file serves one process
	get         *sql.Stmt

	mu      sync.Mutex
	pending map[Key]*entry // stored, but not in the file yet
	flights map[Key]*flight

	gate   sync.RWMutex // held for reading while an entry is put into the queue
	closed bool
	queue  chan *entry
	wrote  chan struct{} // closed when the writer is gone
	failed atomic.Pointer[error]
}

// An answer is what the file says to a call.
type answer struct {
	reply    llm.Reply
	unusable bool  // kept for replays only
	run      int64 // that it was sent in; 0: one elsewhere, it was imported
}

// An entry is an answer on its way to the file.
type entry struct {
	answer
	key     Key
	request []byte
	over    bool // replaces what is there; if not, only what is unusable
}

// NewRun makes up a number for a run. It tells runs apart and decides nothing else.
func NewRun() int64 { return rand.Int64N(math.MaxInt64) + 1 }

// How a file is opened.
type opening struct {
	create  bool
	network string // see Cache.network
	frozen  bool   // it cannot be written, and nobody does
}

// Open opens the cache at path, and makes it if there is none and create is set. A
// file that is something else, or of another version of the schema, is an error that
// wraps ErrFile, and left as it is.
func Open(path string, create bool) (*Cache, error) {
	o := opening{create: create, network: networkFS(filepath.Dir(path))}
	if f, err := os.OpenFile(path, os.O_RDWR, 0); err == nil {
		if err := f.Close(); err != nil {
			return nil, fmt.Errorf("cache: %w", err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) && !create {
		o.frozen = true // a cassette on a disk that is mounted to be read
	}
	return open(path, o)
}

func open(path string, o opening) (_ *Cache, err error) {
	if err := look(path, o.create); err != nil {
		return nil, err
	}
	if o.create {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, fmt.Errorf("cache: %w", err)
		}
	}
	c := &Cache{
		Run: NewRun(), path: path, network: o.network, pending: map[Key]*entry{}, flights: map[Key]*flight{},
		queue: make(chan *entry, queueMost), wrote: make(chan struct{}),
	}
	if c.write, err = connect(path, o, 1, writerPages); err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	c.read = c.write
	defer func() {
		if err != nil {
			err = errors.Join(err, c.closeFile())
		}
	}()
	if err := c.prepare(o); err != nil {
		return nil, err
	}
	if o.network == "" && !o.frozen {
		if c.read, err = connect(path, o, max(2, min(8, runtime.GOMAXPROCS(0))), readerPages); err != nil {
			return nil, fmt.Errorf("cache: %w", err)
		}
	}
	if c.get, err = c.read.Prepare("SELECT content, reasoning, finish, model, tokens_in, tokens_out, unusable, run FROM calls WHERE key = ?"); err != nil {
		return nil, c.explain(err)
	}
	go c.writer()
	return c, nil
}

// look refuses what SQLite should not be shown.
func look(path string, create bool) error {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && create:
		return nil
	case err != nil:
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err // the path is named already
		}
		return &FileError{File: path, What: "the cache cannot be read", Mend: "check cache_file, or fill it by a run with cache: write or by pepbench cache import", Err: err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		return &FileError{File: path, What: "a folder, not a cache", Mend: "name a file"}
	}
	magic := make([]byte, len(sqliteMagic))
	n, err := io.ReadFull(f, magic)
	if n == 0 && create { // made, but never written
		return nil
	}
	if err != nil || string(magic) != sqliteMagic {
		return notOurs(path)
	}
	return nil
}

const sqliteMagic = "SQLite format 3\x00"

func notOurs(path string) error {
	return &FileError{File: path, What: "not a cache of pepbench", Mend: "give another file; this one was left as it is"}
}

// checkpoint lets the log grow to 16 MB instead of 4: keys are random, so that a page
// of their index changes in nearly every batch and is copied the less often (a quarter
// less processor time a stored reply).
const checkpoint = "wal_autocheckpoint(4000)"

// writerPages holds 4 MB of the index, that of 100,000 calls, in the memory of the
// connection that writes; readerPages is for those that read, which find most in that of
// the system.
const (
	writerPages = "cache_size(-4000)"
	readerPages = "cache_size(-500)"
)

// connect makes a pool of n connections, with further pragmas.
func connect(path string, o opening, n int, more ...string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {"busy_timeout(60000)", "synchronous(NORMAL)", checkpoint}}
	switch {
	case o.frozen:
		q.Set("mode", "ro")
		q.Set("immutable", "1")
	case o.create:
		q.Set("mode", "rwc")
	default:
		q.Set("mode", "rw")
	}
	if o.network != "" && !o.frozen {
		q["_pragma"] = []string{"busy_timeout(1000)", "locking_mode(EXCLUSIVE)", "synchronous(NORMAL)", checkpoint}
	}
	q["_pragma"] = append(q["_pragma"], more...)
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// The request comes last, so that a reply is read without its pages.
const schema = `CREATE TABLE calls (
	key        BLOB NOT NULL UNIQUE,
	content    TEXT NOT NULL,
	reasoning  TEXT NOT NULL,
	finish     TEXT NOT NULL,
	model      TEXT NOT NULL,
	tokens_in  INTEGER NOT NULL,
	tokens_out INTEGER NOT NULL,
	created    INTEGER NOT NULL, -- seconds since 1970
	unusable   INTEGER NOT NULL, -- 1: for replays only, else 0
	refusal    TEXT NOT NULL,    -- of an unusable reply, as tool
	tool       TEXT NOT NULL,
	run        INTEGER NOT NULL, -- that it was sent in; 0: imported
	request    TEXT NOT NULL     -- canonical JSON
)`

// prepare checks what the file says it is, and makes the table in a new one.
func (c *Cache) prepare(o opening) error {
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := c.tryPrepare(o)
		// Where two processes make a file at a time, SQLite does not always wait.
		if err == nil || code(err) != lib.SQLITE_BUSY || o.network != "" || time.Now().After(deadline) {
			var f *FileError
			if err == nil || errors.As(err, &f) {
				return err
			}
			return c.explain(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (c *Cache) tryPrepare(o opening) error {
	fresh, err := c.identify(c.write)
	if err != nil {
		return err
	}
	if o.frozen {
		return nil
	}
	if fresh {
		if !o.create {
			return notOurs(c.path)
		}
		if err := c.found(); err != nil {
			return err
		}
	}
	var mode string
	if err := c.write.QueryRow("PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return &FileError{File: c.path, What: "cannot be switched to a write-ahead log", Mend: "put it on a local disk by cache_file"}
	}
	return nil
}

// found makes the table in an empty file, unless another process was faster.
func (c *Cache) found() error {
	tx, err := c.write.Begin()
	if err != nil {
		return err
	}
	fresh, err := c.identify(tx)
	if err == nil && fresh {
		_, err = tx.Exec(fmt.Sprintf("%s; PRAGMA application_id = %d; PRAGMA user_version = %d", schema, appID, Schema))
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// identify says whether a file is empty, and refuses it if it is not ours.
func (c *Cache) identify(q interface {
	QueryRow(string, ...any) *sql.Row
},
) (fresh bool, err error) {
	var app, version, tables, marks int64
	const what = "SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_master), (SELECT count(*) FROM pragma_table_info('calls') WHERE name = 'unusable') FROM pragma_application_id AS a, pragma_user_version AS v"
	if err := q.QueryRow(what).Scan(&app, &version, &tables, &marks); err != nil {
		return false, err
	}
	switch {
	case app == 0 && version == 0 && tables == 0:
		return true, nil
	case app != appID:
		return false, notOurs(c.path)
	case version != Schema:
		return false, &FileError{File: c.path, What: fmt.Sprintf("a cache of schema %d, this program reads schema %d", version, Schema), Mend: "give another cache_file, or use the program that wrote it"}
	case marks == 0:
		return false, &FileError{File: c.path, What: "a cache without marks for unusable replies, as no released program makes it", Mend: "give another cache_file, or move this one away"}
	}
	return false, nil
}

// Close writes what is left and closes the file. The error is also that of replies
// that could not be written earlier.
func (c *Cache) Close() error {
	c.gate.Lock()
	was := c.closed
	c.closed = true
	if !was {
		close(c.queue)
	}
	c.gate.Unlock()
	<-c.wrote
	if was {
		return nil
	}
	return errors.Join(c.failure(), c.closeFile())
}

func (c *Cache) closeFile() error {
	var err error
	if c.get != nil {
		err = c.get.Close()
	}
	if c.read != c.write {
		err = errors.Join(err, c.read.Close())
	}
	return errors.Join(err, c.write.Close())
}

// failure is why replies are no longer written, or nil.
func (c *Cache) failure() error {
	if p := c.failed.Load(); p != nil {
		return *p
	}
	return nil
}

// lookup finds a stored reply.
func (c *Cache) lookup(k Key) (answer, bool, error) {
	c.mu.Lock()
	e := c.pending[k]
	c.mu.Unlock()
	if e != nil {
		return e.answer, true, nil
	}
	var a answer
	r := &a.reply
	// Not the caller's context: a look-up takes microseconds, watching for its end more.
	err := c.get.QueryRow(k[:]).Scan(&r.Content, &r.Reasoning, &r.Finish, &r.Model, &r.TokensIn, &r.TokensOut, &a.unusable, &a.run)
	if err == nil && a.unusable { // these are few, and others need not pay for them
		err = c.read.QueryRow("SELECT refusal, tool FROM calls WHERE key = ?", k[:]).Scan(&r.Refusal, &r.Tool)
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return answer{}, false, nil
	case err != nil:
		return answer{}, false, fmt.Errorf("%w: %w", c.explain(err), llm.ErrUnusable)
	}
	return a, true, nil
}

// cached is a reply as it is given when nothing was sent for it.
func cached(r llm.Reply) llm.Reply {
	r.Attempts, r.Cached, r.Accepted = 0, true, false
	return r
}

// store puts a reply on its way to the file. If ctx is done before there is room, it
// is dropped, and the error is that of ctx, so that nobody goes on with a reply that a
// replay will not have.
func (c *Cache) store(ctx context.Context, e *entry) error {
	c.gate.RLock()
	defer c.gate.RUnlock()
	if c.closed {
		return fmt.Errorf("cache %s is closed: %w", c.path, llm.ErrUnusable)
	}
	c.mu.Lock()
	c.pending[e.key] = e
	c.mu.Unlock()
	select {
	case c.queue <- e:
		return nil
	default:
	}
	select {
	case c.queue <- e:
		return nil
	case <-ctx.Done():
		c.settle(e)
		return context.Cause(ctx)
	}
}

// settle forgets entries that are in the file, or lost.
func (c *Cache) settle(batch ...*entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range batch {
		if c.pending[e.key] == e { // and not a later one
			delete(c.pending, e.key)
		}
	}
}

// writer writes batches until the queue is closed.
func (c *Cache) writer() {
	defer close(c.wrote)
	var batch []*entry
	for open := true; open; {
		e, ok := <-c.queue
		if !ok {
			return
		}
		batch = append(batch[:0], e)
		timer := time.NewTimer(batchWait)
	fill:
		for len(batch) < batchMost {
			select {
			case e, open = <-c.queue:
				if !open {
					break fill
				}
				batch = append(batch, e)
			case <-timer.C:
				break fill
			}
		}
		timer.Stop()
		if c.failure() == nil {
			if err := c.commit(batch); err != nil {
				err = fmt.Errorf("replies can no longer be kept: %w: %w", c.explain(err), llm.ErrUnusable)
				c.failed.Store(&err)
			}
		}
		c.settle(batch...)
		clear(batch)
	}
}

const (
	// The canonical request is the same, since the key is.
	replace = "INSERT INTO calls (key, content, reasoning, finish, model, tokens_in, tokens_out, created, unusable, refusal, tool, run, request) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO " +
		"UPDATE SET content = excluded.content, reasoning = excluded.reasoning, finish = excluded.finish, model = excluded.model, tokens_in = excluded.tokens_in, tokens_out = excluded.tokens_out, " +
		"created = excluded.created, unusable = excluded.unusable, refusal = excluded.refusal, tool = excluded.tool, run = excluded.run"
	keep = replace + " WHERE calls.unusable"
)

// A batch is a transaction that entries are put into.
type batch struct {
	tx            *sql.Tx
	keep, replace *sql.Stmt
	now           int64
}

func (c *Cache) begin(ctx context.Context) (*batch, error) {
	tx, err := c.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	b := &batch{tx: tx, now: time.Now().Unix()}
	if b.keep, err = tx.Prepare(keep); err == nil {
		b.replace, err = tx.Prepare(replace)
	}
	if err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return b, nil
}

// put says whether the entry is in the file now, where it may have been before.
func (b *batch) put(e *entry) (bool, error) {
	stmt := b.keep
	if e.over {
		stmt = b.replace
	}
	r := &e.reply
	res, err := stmt.Exec(e.key[:], r.Content, r.Reasoning, r.Finish, r.Model, r.TokensIn, r.TokensOut, b.now, e.unusable, r.Refusal, r.Tool, e.run, string(bytes.TrimSpace(e.request)))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

func (c *Cache) commit(entries []*entry) error {
	b, err := c.begin(context.Background())
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, err := b.put(e); err != nil {
			return errors.Join(err, b.tx.Rollback())
		}
	}
	return b.tx.Commit()
}
