package llm

import (
	"context"
	"encoding/json"
)

// A Message is one message of a conversation.
type Message struct {
	Role    string `json:"role"` // "system", "user" or "assistant"
	Content string `json:"content"`
}

// A Request is one call: a system message, left out if empty, a user message, and
// what the conversation went on with.
type Request struct {
	System, User string
	More         []Message

	// Format is the JSON object wanted of the reply; nil means text. It goes to the
	// server as far as the endpoint's ResponseFormat says, and the words of the
	// messages must ask for it all the same.
	Format *Format

	// Repeat tells equal requests apart whose replies are to be drawn independently:
	// it is part of the cache's key, and added to the endpoint's seed if that has one.
	Repeat int

	// Accept says what is wrong with the text of a reply, so that a cache keeps none
	// that cannot be read; nil: any text will do. Ask sets it to its reader. It is no
	// part of what is asked, and called within the call only.
	Accept func(text string) error

	// Repair counts the earlier replies to the same request that could not be read.
	Repair int
}

// A Format is a JSON object that a reply should be.
type Format struct {
	Name   string          // letters, digits, _ and -
	Schema json.RawMessage // JSON schema, closed and with all keys required
}

// Messages gives the conversation in order.
func (r *Request) Messages() []Message {
	out := make([]Message, 0, 2+len(r.More))
	if r.System != "" {
		out = append(out, Message{"system", r.System})
	}
	return append(append(out, Message{"user", r.User}), r.More...)
}

// A Reply is what came back.
type Reply struct {
	Content   string // without reasoning; may be empty
	Reasoning string // from reasoning_content, reasoning, or think tags in the text
	Refusal   string // what the server says in place of an answer
	Tool      string // the first tool call, name and arguments, if there is no text
	Finish    string // finish_reason, such as "stop" or "length"
	Model     string // what the server says it served
	TokensIn  int    // as the server counts; 0 when it does not say
	TokensOut int
	Attempts  int  // 1 + retries; set when the call failed, too; 0: from a cache
	Cached    bool // nothing was sent
	Accepted  bool // Request.Accept of this very request has read it
}

// A Client completes chats. It may be used by several goroutines.
type Client interface {
	Complete(context.Context, Request) (Reply, error)
}

// ClientFunc is a function as a Client.
type ClientFunc func(context.Context, Request) (Reply, error)

// Complete implements Client.
func (f ClientFunc) Complete(ctx context.Context, r Request) (Reply, error) { return f(ctx, r) }
