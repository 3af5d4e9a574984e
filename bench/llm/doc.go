// Package llm is the one way to talk to a language model: a chat client over
// go-openai for any server that speaks OpenAI's chat completions.
//
//	link, err := llm.Dial(llm.Endpoint{BaseURL: url, Model: name}, llm.Options{})
//	reply, err := llm.Ask(ctx, meter.Wrap(link), llm.Request{System: s, User: u}, read)
//
// A call passes these stations, each a Client or an http.RoundTripper:
//
//	Ask            asks again for what cannot be read, at most twice
//	Meter          counts calls, retries, tokens and time of one role
//	cache          Options.Cache; what it knows goes no further
//	Budget         sets aside what a call may cost, or stops the run
//	Retry          tries again what may pass
//	rate           spaces attempts by requests and tokens a minute
//	gate           lets so many be in flight at a time, a fixed number or what works
//	trace          writes a line for each attempt
//	Conn           one attempt; names what cannot pass
//	go-openai      address, headers, errors
//	wire           writes the body, which go-openai cannot say, and keeps the reply
//	http.Transport one for each Conn
//
// The gate lies below the rate, so that a call that waits for its minute's share holds
// no place in flight; both lie below Retry, so that each attempt pays and none keeps a
// place while it waits for another try. Budget counts calls and not attempts: what
// fails is not billed.
//
// go-openai stays the wire client. What it cannot say goes through the wire (wire.go,
// body.go): a temperature of 0, which it leaves out
// because the field is a float32 with omitempty; decimals as they were written (0.1,
// not 0.10000000149); parameters that it refuses for some models; extra body fields;
// the response format, and weaker ones where a server refuses it; headers. So the wire
// writes the whole body, messages included.
//
// # Replies
//
// Replies are read here and nowhere else, by parse (reply.go): reasoning from
// reasoning_content, reasoning, parts of the content or think tags; content that is
// null or a list; refusals; tool calls; errors sent with status 200. JSON that was
// asked for is read by Object. Tool calls that a model writes into its text
// (<function_calls>, as Olmo 3 does) stay text; Object takes no object from within
// them. Where a request wants an object (Request.Format), the arguments of a reply that
// is one tool call and no text stand for its text. Where a server or model repeats a key
// that it was sent, a reply has "[key]" in its place, so that neither journal nor cache
// learns it.
//
// # Errors
//
// An error wraps ErrUnusable if no further call can succeed (401, 402, 403, 404,
// 405, a redirect, an exhausted quota, a certificate that does not verify, an
// address where nobody answers, a prompt that does not fit the context or, with 413, what
// stands before it, a rest that is asked for again after the longest that is given), ErrBudget if
// a limit of the run is reached, ErrTransient if every try met something that may
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
