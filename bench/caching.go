package bench

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"pepbench/bench/llm"
	"pepbench/bench/llm/cache"
	"pepbench/bench/record"
)

// DefaultCacheFile is where replies are kept where nothing else is said.
var DefaultCacheFile = filepath.Join("results", "cache.sqlite")

// caching is the cache of a run. The file is opened when a model first wants it; nil
// is no cache at all.
type caching struct {
	mode cache.Mode // empty: as the kind of model has it
	file string
	open *cache.Cache
}

func newCaching(e *Experiment) *caching {
	c := &caching{mode: cache.Mode(e.Cache), file: e.CacheFile}
	if c.file == "" {
		c.file = DefaultCacheFile
	}
	return c
}

// only says whether nothing may be sent.
func (c *caching) only() bool { return c != nil && c.mode == cache.Read }

// middleware gives what llm.Options.Cache wants, nil where nothing is cached; unset is
// the mode where the experiment says nothing. Calls are known by the endpoint that
// they go to, or, if as is not nil, by that one.
func (c *caching) middleware(unset cache.Mode, as *llm.Endpoint) (func(llm.Client, *llm.Conn) llm.Client, error) {
	if c == nil {
		return nil, nil
	}
	mode := c.mode
	if mode == "" {
		mode = unset
	}
	if mode == cache.Off {
		return nil, nil
	}
	var known *llm.Conn
	if as != nil {
		var err error
		if known, err = llm.New(*as); err != nil {
			return nil, err
		}
	}
	if c.open == nil {
		var err error
		if c.open, err = cache.Open(c.file, mode != cache.Read); err != nil {
			return nil, err
		}
	}
	return func(next llm.Client, conn *llm.Conn) llm.Client {
		if known != nil {
			conn = known
		}
		return c.open.Wrap(next, conn, mode)
	}, nil
}

// runFile holds the number by which the cache knows a run or a sweep, until that is
// complete: when it goes on, equal requests are answered as they were before.
const runFile = "run.id"

// of tells the cache which run calls are made in from now on: the one in dir if that
// goes on, else a new one. A cell of a sweep is part of the sweep.
func (c *caching) of(e *Experiment, dir string, resumed bool) error {
	if c == nil || c.open == nil || c.only() {
		return nil
	}
	if e.whole != "" {
		dir, resumed = e.whole, true
	}
	path := filepath.Join(dir, runFile)
	if b, err := os.ReadFile(path); err == nil && resumed {
		if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 16, 64); err == nil && n > 0 {
			c.open.Run = n
			return nil
		}
	}
	return record.WriteFile(path, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%x\n", c.open.Run)
		return err
	})
}

// forgetRun forgets the number of the run in dir, which is complete or starts over.
func forgetRun(dir string) error {
	if err := os.Remove(filepath.Join(dir, runFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("results: %w", err)
	}
	return nil
}

// finish completes the journal of the run in dir.
func finish(j *record.Journal, dir string) error {
	if err := j.Finish(); err != nil {
		return err
	}
	return forgetRun(dir)
}

// close writes what is left; the second time it does nothing.
func (c *caching) close() error {
	if c == nil || c.open == nil {
		return nil
	}
	open := c.open
	c.open = nil
	return open.Close()
}
