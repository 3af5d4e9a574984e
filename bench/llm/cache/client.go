package cache

import (
	"context"
	"encoding/json"
	"fmt"

	"pepbench/bench/llm"
)

// A Mode says what a cache does.
type Mode string

// The modes, as `cache:` names them.
const (
	Off     Mode = "off"     // nothing
	Read    Mode = "read"    // nothing is sent; a call that is not there is a *MissError
	Write   Mode = "write"   // what is not there is sent and stored; so is what another run could not use
	Refresh Mode = "refresh" // what this run did not send yet is sent and stored over what is there
)

// Modes are all modes.
var Modes = []Mode{Off, Read, Write, Refresh}

// A Canonicaler writes down all that the reply to a request depends on, as a JSON
// object in one line with sorted keys, among them base_url and body.model. Equal bytes
// mean that either reply may stand for the other. It holds no secret.
type Canonicaler interface {
	Canonical(llm.Request) []byte
}

// Wrap is middleware that answers from the cache, or stores what next replies, as
// mode says. Equal calls in flight are made once; those that waited get the same
// reply or error, as from a cache. Equal requests of a run have readers that accept
// the same texts.
func (c *Cache) Wrap(next llm.Client, canon Canonicaler, mode Mode) llm.Client {
	if mode == Off {
		return next
	}
	return &client{cache: c, next: next, canon: canon, mode: mode}
}

type freshKey struct{}

// Fresh gives a context whose calls are sent though they are stored, unless the mode
// is Read: for a call that is to find out whether the endpoint works.
func Fresh(ctx context.Context) context.Context { return context.WithValue(ctx, freshKey{}, true) }

type client struct {
	cache *Cache
	next  llm.Client
	canon Canonicaler
	mode  Mode
}

// A flight is a call that others wait for.
type flight struct {
	done  chan struct{}
	reply llm.Reply
	err   error
	gone  bool // whoever made the call left before it ended
}

// Complete implements llm.Client.
func (c *client) Complete(ctx context.Context, r llm.Request) (llm.Reply, error) {
	request := c.canon.Canonical(r)
	key := KeyOf(request)
	for {
		c.cache.mu.Lock()
		f := c.cache.flights[key]
		if f == nil {
			f = &flight{done: make(chan struct{}), gone: true}
			c.cache.flights[key] = f
			c.cache.mu.Unlock()
			return c.lead(ctx, f, r, key, request)
		}
		c.cache.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return llm.Reply{}, context.Cause(ctx)
		}
		if !f.gone {
			return cached(f.reply), f.err
		}
	}
}

// lead makes the call of a flight.
func (c *client) lead(ctx context.Context, f *flight, r llm.Request, key Key, request []byte) (llm.Reply, error) {
	defer func() { // after a panic, too
		c.cache.mu.Lock()
		delete(c.cache.flights, key)
		c.cache.mu.Unlock()
		close(f.done)
	}()
	f.reply, f.err = c.call(ctx, r, key, request)
	f.gone = f.err != nil && ctx.Err() != nil
	return f.reply, f.err
}

func (c *client) call(ctx context.Context, r llm.Request, key Key, request []byte) (llm.Reply, error) {
	fresh := c.mode != Read && ctx.Value(freshKey{}) != nil
	over := fresh || c.mode == Refresh
	if !fresh {
		had, ok, err := c.cache.lookup(key)
		switch {
		case err != nil:
			return llm.Reply{}, err
		case !ok && c.mode == Read:
			return llm.Reply{}, c.miss(r, key, request)
		case !ok:
		case c.mode == Read, had.run == c.cache.Run:
			return cached(had.reply), nil
		case c.mode == Write && !had.unusable && usable(r, had.reply):
			reply := cached(had.reply)
			reply.Accepted = r.Accept != nil
			return reply, nil
		case !had.unusable:
			over = true // it was stored for a reader that understood it
		}
	}
	if err := c.cache.failure(); err != nil {
		return llm.Reply{}, err
	}
	reply, err := c.next.Complete(ctx, r)
	if err != nil {
		return reply, err
	}
	e := &entry{answer{kept(reply), !usable(r, reply), c.cache.Run}, key, request, over}
	if !e.unusable {
		e.reply.Tool = "" // there is text
		reply.Accepted = r.Accept != nil
	}
	return reply, c.cache.store(ctx, e)
}

// usable says whether a reply answers the request, for whoever asks.
func usable(r llm.Request, reply llm.Reply) bool {
	text, err := whole(reply)
	return err == nil && (r.Accept == nil || r.Accept(text) == nil)
}

// whole gives the text of a reply that may be usable.
func whole(r llm.Reply) (string, error) {
	switch {
	case r.Refusal != "":
		return "", fmt.Errorf("the model refuses: %.80q", r.Refusal)
	case r.Finish == "content_filter":
		return "", fmt.Errorf("finish reason %q", r.Finish)
	}
	return llm.Text(r)
}

// kept is what is stored of a reply: all that it says.
func kept(r llm.Reply) llm.Reply {
	r.Attempts, r.Cached, r.Accepted = 0, false, false
	return r
}

// miss is the error of a call that is not there.
func (c *client) miss(r llm.Request, key Key, request []byte) error {
	var at struct {
		BaseURL string `json:"base_url"`
		Body    struct {
			Model string `json:"model"`
		} `json:"body"`
	}
	_ = json.Unmarshal(request, &at) // what it does not say is left empty
	return &MissError{File: c.cache.path, BaseURL: at.BaseURL, Model: at.Body.Model, User: r.User, Repeat: r.Repeat, Repair: r.Repair, Key: key}
}
