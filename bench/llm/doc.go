// Package llm is the one way to talk to a language model: a chat client over
// go-openai for any server that speaks OpenAI's chat completions.
//
//	client, err := llm.New(llm.Endpoint{BaseURL: url, Model: name})
//	reply, err := client.Complete(ctx, llm.Request{System: s, User: u})
//
// go-openai stays the wire client. What it cannot say goes through one
// http.RoundTripper (wire.go): a temperature of 0, which it leaves out because the
// field is a float32 with omitempty; decimals as they were written rather than as
// float32; extra body fields; headers; and what it cannot read: reasoning fields
// and Retry-After.
//
// Middleware is func(Client) Client; Meter is one. The package knows nothing of
// tasks, profiles or scores, and imports nothing of this module. Keys never appear
// in its errors.
package llm
