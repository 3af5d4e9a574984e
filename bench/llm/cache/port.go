package cache

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"pepbench/bench/llm"
)

// A cassette is a cache as lines of JSON: a header and then one line a call, sorted
// by key. It has no times, so that caches with equal replies give equal bytes.
type (
	header struct {
		Format string `json:"format"`
		Schema int    `json:"schema"`
	}
	line struct {
		Key     string          `json:"key"`
		Request json.RawMessage `json:"request"` // as it was hashed
		Reply   reply           `json:"reply"`
	}
	reply struct {
		Content   string `json:"content"`
		Reasoning string `json:"reasoning,omitempty"`
		Finish    string `json:"finish"`
		Model     string `json:"model"`
		TokensIn  int    `json:"tokens_in"`
		TokensOut int    `json:"tokens_out"`
		Unusable  bool   `json:"unusable,omitempty"` // for replays only
		Refusal   string `json:"refusal,omitempty"`
		Tool      string `json:"tool,omitempty"`
	}
)

const format = "pepbench-cache"

// maxLine is the longest line of a cassette that is read.
const maxLine = 64 << 20

// Export writes the calls of a model, or all if model is empty, as a cassette, and
// says how many there are.
func (c *Cache) Export(ctx context.Context, w io.Writer, model string) (n int, err error) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(header{format, Schema}); err != nil {
		return 0, err
	}
	err = c.each(ctx, model, func(e *entry) error {
		if bytes.IndexByte(e.request, '\n') >= 0 || !json.Valid(e.request) {
			return &FileError{File: c.path, What: fmt.Sprintf("the request of key %s is not one line of JSON", e.key)}
		}
		r := &e.reply
		n++
		return enc.Encode(line{e.key.String(), e.request, reply{r.Content, r.Reasoning, r.Finish, r.Model, r.TokensIn, r.TokensOut, e.unusable, r.Refusal, r.Tool}})
	})
	return n, err
}

// each visits the calls in the order of their keys.
func (c *Cache) each(ctx context.Context, model string, visit func(*entry) error) error {
	rows, err := c.read.QueryContext(ctx, "SELECT key, content, reasoning, finish, model, tokens_in, tokens_out, unusable, refusal, tool, request FROM calls WHERE ?1 = '' OR json_extract(request, '$.body.model') = ?1 ORDER BY key", model)
	if err != nil {
		return c.explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key sql.RawBytes
		var e entry
		r := &e.reply
		if err := rows.Scan(&key, &r.Content, &r.Reasoning, &r.Finish, &r.Model, &r.TokensIn, &r.TokensOut, &e.unusable, &r.Refusal, &r.Tool, &e.request); err != nil {
			return c.explain(err)
		}
		if len(key) != len(e.key) {
			return &FileError{File: c.path, What: fmt.Sprintf("a key of %d bytes", len(key))}
		}
		copy(e.key[:], key)
		if err := visit(&e); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return c.explain(err)
	}
	return nil
}

// Imported says what became of the calls of a file.
type Imported struct {
	Added    int
	Kept     int // were there before, and stay as they were
	Replaced int // by the file's, among them unusable ones by usable ones
}

// Import adds the calls of a cassette or of another cache. Where a call is there
// already, its reply stays unless over is set or that one is unusable and the other
// is not. Of a file with a line that is no call,
// whose key is not that of its request, or with a reply that no cache would keep,
// nothing is imported; the error wraps ErrFile.
func (c *Cache) Import(ctx context.Context, path string, over bool) (Imported, error) {
	f, err := os.Open(path)
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err // the path is named already
		}
		return Imported{}, &FileError{File: path, What: "cannot be imported", Mend: "give an export, or the file of another cache", Err: err}
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	if magic, _ := r.Peek(len(sqliteMagic)); string(magic) != sqliteMagic {
		return c.take(ctx, over, func(put func(*entry) error) error { return readCassette(path, r, put) })
	}
	other, err := Open(path, false)
	if err != nil {
		return Imported{}, err
	}
	in, err := c.take(ctx, over, func(put func(*entry) error) error {
		return other.each(ctx, "", func(e *entry) error {
			if err := e.check(); err != nil {
				return &FileError{File: path, What: fmt.Sprintf("key %s: %v", e.key, err), Mend: "nothing was imported"}
			}
			return put(e)
		})
	})
	return in, errors.Join(err, other.Close())
}

// take puts all that feed gives into the file, or nothing.
func (c *Cache) take(ctx context.Context, over bool, feed func(put func(*entry) error) error) (in Imported, err error) {
	b, err := c.begin(ctx)
	if err != nil {
		return in, c.explain(err)
	}
	have, err := b.tx.Prepare("SELECT count(*), coalesce(max(unusable), 0) FROM calls WHERE key = ?")
	if err == nil {
		err = feed(func(e *entry) error {
			var there int
			var unusable bool
			if err := have.QueryRow(e.key[:]).Scan(&there, &unusable); err != nil {
				return c.explain(err)
			}
			switch e.over = over; {
			case there == 0:
				in.Added++
			case !over && (e.unusable || !unusable):
				in.Kept++
				return nil
			default:
				in.Replaced++
			}
			if _, err := b.put(e); err != nil {
				return c.explain(err)
			}
			return nil
		})
	}
	if ctx.Err() != nil { // what the database says of it is no better
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = b.tx.Rollback() // what went wrong is told; closing the file undoes it, too
		return Imported{}, err
	}
	if err := b.tx.Commit(); err != nil {
		return Imported{}, c.explain(err)
	}
	return in, nil
}

// readCassette gives every call of a cassette to put.
func readCassette(path string, r *bufio.Reader, put func(*entry) error) error {
	bad := func(n int, format string, a ...any) error {
		return &FileError{File: path, Line: n, What: fmt.Sprintf(format, a...), Mend: "nothing was imported of this file"}
	}
	var buf []byte
	for n := 1; ; n++ {
		var err error
		if buf, err = readLine(r, buf[:0]); err == io.EOF {
			if n == 1 {
				return bad(0, "empty, not a cassette")
			}
			return nil
		} else if err != nil {
			return bad(n, "%v", err)
		}
		if n == 1 {
			var h header
			if strictly(buf, &h) != nil || h.Format != format {
				return bad(1, "not the header of a cassette (%q)", format)
			}
			if h.Schema != Schema {
				return bad(1, "a cassette of schema %d, this program reads schema %d", h.Schema, Schema)
			}
			continue
		}
		var l line
		if err := strictly(buf, &l); err != nil {
			return bad(n, "not a call: %v", err)
		}
		s := &l.Reply
		e := &entry{request: l.Request, answer: answer{unusable: s.Unusable, reply: llm.Reply{
			Content: s.Content, Reasoning: s.Reasoning, Refusal: s.Refusal, Tool: s.Tool, Finish: s.Finish, Model: s.Model, TokensIn: s.TokensIn, TokensOut: s.TokensOut,
		}}}
		if k, err := hex.DecodeString(l.Key); err != nil || copy(e.key[:], k) != len(e.key) || len(k) != len(e.key) {
			return bad(n, "key %.70q is not %d hexadecimal digits", l.Key, 2*len(e.key))
		}
		if err := e.check(); err != nil {
			return bad(n, "%v", err)
		}
		if err := put(e); err != nil {
			return err
		}
	}
}

// readLine appends a line without its end to buf; io.EOF: there is none.
func readLine(r *bufio.Reader, buf []byte) ([]byte, error) {
	for {
		part, err := r.ReadSlice('\n')
		buf = append(buf, part...)
		switch {
		case len(buf) > maxLine:
			return buf, fmt.Errorf("longer than %d bytes", maxLine)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == io.EOF && len(buf) > 0:
			return buf, nil
		case err != nil:
			return buf, err
		}
		return buf[:len(buf)-1], nil
	}
}

// strictly decodes one JSON object without unknown fields.
func strictly(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		if err == io.EOF {
			return errors.New("an empty line")
		}
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("text after the JSON object")
	}
	return nil
}

// check says what is wrong with an entry that comes from elsewhere.
func (e *entry) check() error {
	if len(e.request) == 0 || e.request[0] != '{' || !json.Valid(e.request) {
		return errors.New("the request is not a JSON object")
	}
	if k := KeyOf(e.request); k != e.key {
		return fmt.Errorf("the key of this request is %s, not %s; one of them was changed", k, e.key)
	}
	if _, err := whole(e.reply); err != nil && !e.unusable {
		return fmt.Errorf("a reply that nobody could use, and it is not marked so: %w", err)
	}
	if e.reply.Tool != "" && !e.unusable {
		return errors.New("a tool call beside text")
	}
	if e.reply.TokensIn < 0 || e.reply.TokensOut < 0 {
		return errors.New("a negative number of tokens")
	}
	return nil
}
