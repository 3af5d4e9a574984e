// Package llm is the one way to talk to a language model: a chat client over
// go-openai for any server that speaks OpenAI's chat completions.
//
//	client, err := llm.New(llm.Endpoint{BaseURL: url, Model: name})
//	reply, err := client.Complete(ctx, llm.Request{System: s, User: u})
//
// A call passes these stations, each a Client or an http.RoundTripper:
//
//	Meter.Wrap     counts calls, retries, tokens and time of one role
//	Conn           tries again what may pass, names what cannot
//	go-openai      messages to JSON and back
//	wire           rewrites the body, reads what go-openai cannot
//	http.Transport one for each Conn
//
// Middleware is func(Client) Client; it goes on top of a Conn, so that it sees one
// call where the network may see several.
//
// go-openai stays the wire client. What it cannot say goes through the wire
// (wire.go): a temperature of 0, which it leaves out because the field is a float32
// with omitempty; decimals as they were written (0.1, not 0.10000000149); extra
// body fields; headers. What it cannot read is read there as well: the field
// "reasoning", Retry-After, and errors sent with status 200.
//
// # Errors
//
// An error wraps ErrUnusable if no further call can succeed (401, 402, 403, 404,
// 405, a redirect, an exhausted quota, a certificate that does not verify, an
// address where nobody answers), ErrTransient if every try met something that may
// pass (408, 409, 425, 429, 5xx, a broken connection, a time-out, an unreadable
// reply), and neither if the server refuses this one request. When the caller's
// context is done, the error is its cause. Errors are one line and hold neither
// keys nor header values.
//
// An empty Content and the finish reason "length" are not errors here: whoever
// asked knows what they mean.
//
// The package knows nothing of tasks, profiles or scores, and imports nothing of
// this module.
package llm
