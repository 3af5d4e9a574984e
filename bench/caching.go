package bench

import (
	"path/filepath"

	"pepbench/bench/llm"
	"pepbench/bench/llm/cache"
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

// close writes what is left; the second time it does nothing.
func (c *caching) close() error {
	if c == nil || c.open == nil {
		return nil
	}
	open := c.open
	c.open = nil
	return open.Close()
}
