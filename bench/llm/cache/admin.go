package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Stats describe a cache.
type Stats struct {
	Entries        int
	Unusable       int       // entries of them, kept for replays only
	Bytes          int64     // of the file and its log
	Oldest, Newest time.Time // zero where there is no entry
	Models         []ModelStats
}

// ModelStats describe the calls of one model on one server.
type ModelStats struct {
	BaseURL, Model      string // as the requests say
	Entries, Unusable   int
	Bytes               int64 // of requests and replies
	TokensIn, TokensOut int64
}

// octets is what a call takes in the file, beside its numbers.
const octets = "octet_length(request) + octet_length(content) + octet_length(reasoning) + octet_length(refusal) + octet_length(tool)"

// Stats counts what is in the file, by base URL and model in their order.
func (c *Cache) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	rows, err := c.read.QueryContext(ctx, `SELECT coalesce(json_extract(request, '$.base_url'), ''), coalesce(json_extract(request, '$.body.model'), ''),
		count(*), sum(unusable), sum(`+octets+`), sum(tokens_in), sum(tokens_out), min(created), max(created)
		FROM calls GROUP BY 1, 2 ORDER BY 1, 2`)
	if err != nil {
		return s, c.explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var m ModelStats
		var from, to int64
		if err := rows.Scan(&m.BaseURL, &m.Model, &m.Entries, &m.Unusable, &m.Bytes, &m.TokensIn, &m.TokensOut, &from, &to); err != nil {
			return s, c.explain(err)
		}
		if oldest := time.Unix(from, 0).UTC(); s.Entries == 0 || oldest.Before(s.Oldest) {
			s.Oldest = oldest
		}
		if newest := time.Unix(to, 0).UTC(); newest.After(s.Newest) {
			s.Newest = newest
		}
		s.Entries += m.Entries
		s.Unusable += m.Unusable
		s.Models = append(s.Models, m)
	}
	if err := rows.Err(); err != nil {
		return s, c.explain(err)
	}
	s.Bytes, err = c.size()
	return s, err
}

// size is what the cache takes on disk.
func (c *Cache) size() (int64, error) {
	var n int64
	for _, path := range []string{c.path, c.path + "-wal"} {
		info, err := os.Stat(path)
		switch {
		case err == nil:
			n += info.Size()
		case !errors.Is(err, fs.ErrNotExist):
			return 0, fmt.Errorf("cache: %w", err)
		}
	}
	return n, nil
}

// A Pruning says which calls to drop: all that meet every condition that is set.
type Pruning struct {
	Before   time.Time // stored earlier; zero: whenever
	Model    string    // as the requests say; empty: any
	Unusable bool      // kept for replays only
	DryRun   bool      // only count them
}

// Prune drops calls, gives the space back to the disk and says how many calls and
// bytes that were.
func (c *Cache) Prune(ctx context.Context, p Pruning) (calls int, bytes int64, err error) {
	const which = " FROM calls WHERE (?1 = '' OR json_extract(request, '$.body.model') = ?1) AND (?2 = 0 OR created < ?2) AND (unusable OR NOT ?3)"
	before := int64(0)
	if !p.Before.IsZero() {
		before = p.Before.Unix()
	}
	if p.DryRun {
		err := c.read.QueryRowContext(ctx, "SELECT count(*), coalesce(sum("+octets+"), 0)"+which, p.Model, before, p.Unusable).Scan(&calls, &bytes)
		if err != nil {
			return 0, 0, c.explain(err)
		}
		return calls, bytes, nil
	}
	had, err := c.size()
	if err != nil {
		return 0, 0, err
	}
	res, err := c.write.ExecContext(ctx, "DELETE"+which, p.Model, before, p.Unusable)
	if err != nil {
		return 0, 0, c.explain(err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, 0, c.explain(err)
	}
	for _, s := range []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := c.write.ExecContext(ctx, s); err != nil {
			return int(n), 0, c.explain(err)
		}
	}
	has, err := c.size()
	return int(n), max(0, had-has), err
}
