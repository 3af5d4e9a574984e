package llm

import (
	"cmp"
	"context"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	openai "github.com/sashabaranov/go-openai"
)

// An Endpoint is a model on a server.
type Endpoint struct {
	BaseURL      string // up to and including /v1
	Model        string
	Key          string // empty: none is sent
	Organization string // header OpenAI-Organization; empty: none is sent
	Project      string // header OpenAI-Project; empty: none is sent

	Temperature    *float64 // nil: the server's default
	TopP           *float64
	MaxTokens      int // 0: the server's default
	Seed           *int
	Stop           []string
	ResponseFormat string            // what is said of Request.Format: "" (nothing), FormatObject or FormatSchema
	Extra          map[string]any    // further fields of the body
	Headers        map[string]string // further headers
	Thinking       string            // "", ThinkingNone, ThinkingTags or ThinkingOpened

	PromptPrice     float64 // dollars a million tokens
	CompletionPrice float64
	RPM             int // most requests a minute; 0: no limit
	TPM             int // most tokens a minute, in and out; 0: no limit
	Concurrency     int // calls in flight at a time; 0: found out, from 1 to 256
	ContextLength   int // tokens of prompt and reply together; 0: not known

	Timeout time.Duration // of one attempt; 0: two minutes
}

// What Endpoint.ResponseFormat may say.
const (
	FormatObject = "json_object" // any JSON object
	FormatSchema = "json_schema" // an object of the request's schema
)

// What Endpoint.Thinking may say of the text of a reply. Reasoning in a field of its
// own is read whatever it says.
const (
	ThinkingNone   = "none"   // tags in the text are text
	ThinkingTags   = "tags"   // tags set reasoning apart; the same as saying nothing
	ThinkingOpened = "opened" // the prompt ends in the opening tag: what is cut off before a closing one is all reasoning
)

// A Conn is a Client that talks to an Endpoint and does nothing besides.
type Conn struct {
	end     Endpoint
	where   string // the address without what may be secret in it
	secrets *strings.Replacer
	private secretsOf // that no reply keeps
	api     *openai.Client
	http    *http.Client
	fields  fields
	canon   canon
	format  atomic.Pointer[fallback]
}

var _ Client = (*Conn)(nil)

// New makes a client with a transport of its own. Close frees its connections. An
// endpoint that cannot work (see ErrUnusable) is refused.
func New(e Endpoint) (*Conn, error) {
	u, err := url.Parse(strings.TrimSpace(e.BaseURL))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, unusable("base_url is not an http or https address such as https://api.openai.com/v1")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return nil, unusable("base_url of %s has a query or fragment; give parameters in headers or extra fields", u.Host)
	}
	where := u.Scheme + "://" + u.Host + strings.TrimRight(u.Path, "/")
	if e.Model == "" {
		return nil, unusable("no model named for %s", where)
	}
	e.Key = strings.TrimSpace(e.Key)
	if unsendable(e.Key) {
		return nil, unusable("the key for %s holds a line break or another control character; export it again without", where)
	}
	for _, k := range slices.Sorted(maps.Keys(e.Headers)) {
		if unsendable(e.Headers[k]) {
			return nil, unusable("header %s for %s holds a line break or another control character", k, where)
		}
	}
	e.Timeout = cmp.Or(e.Timeout, 2*time.Minute)
	body, err := bodyFields(&e)
	if err != nil {
		return nil, unusable("%s, model %s: %v", where, e.Model, err)
	}
	c := &Conn{end: e, where: where, secrets: secrets(&e, u), private: privateOf(&e, u), fields: split(body), canon: canonOf(where, &e, body)}
	c.format.Store(&fallback{now: e.ResponseFormat})
	headers := http.Header{}
	if e.Organization != "" {
		headers.Set("OpenAI-Organization", e.Organization)
	}
	if e.Project != "" {
		headers.Set("OpenAI-Project", e.Project)
	}
	for _, k := range slices.Sorted(maps.Keys(e.Headers)) {
		headers.Set(k, e.Headers[k])
	}
	c.http = &http.Client{
		Transport: &wire{headers: headers, next: transport(cmp.Or(e.Concurrency, MostInFlight))},
		// A POST that is redirected arrives as a GET without its body.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	cfg := openai.DefaultConfig(e.Key)
	cfg.BaseURL = strings.TrimRight(u.String(), "/")
	cfg.HTTPClient = c.http
	c.api = openai.NewClientWithConfig(cfg)
	return c, nil
}

// unsendable reports whether no header can have the value.
func unsendable(value string) bool {
	return strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// transport keeps a connection open for each of n calls in flight. It speaks HTTP/1.1
// only: calls that share one HTTP/2 connection fail together when it breaks.
func transport(n int) *http.Transport {
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		IdleConnTimeout:     90 * time.Second,
		MaxIdleConns:        n,
		MaxIdleConnsPerHost: n,
		WriteBufferSize:     16 << 10, // a prompt in one write
		ReadBufferSize:      16 << 10,
		Protocols:           new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	return t
}

// Close frees idle connections.
func (c *Conn) Close() { c.http.CloseIdleConnections() }

// fallback is what is said of Request.Format now.
type fallback struct {
	now string // ResponseFormat in use
	why string // what the server said to the last one that it refused
}

// Fallback gives the response format in use, and why it is not the endpoint's: the
// server's words about that, empty as long as nothing was refused.
func (c *Conn) Fallback() (format, why string) {
	f := c.format.Load()
	return f.now, f.why
}

// Complete implements Client: one attempt. An error says whether another one may
// succeed (see Retry).
//
// Where the server refuses the response format, the next weaker one (json_schema,
// json_object, none) takes its place for good, and the same attempt goes on with it.
func (c *Conn) Complete(ctx context.Context, r Request) (Reply, error) {
	begun := time.Now()
	for {
		used := c.format.Load()
		seen := &sighting{body: c.fields.body(&c.end, &r, used.now)}
		reply, err := c.once(ctx, seen)
		reply.Attempts = 1
		switch {
		case err == nil:
			return reply, nil
		case ctx.Err() != nil:
			return reply, context.Cause(ctx)
		case r.Format != nil && used.now != "" && blamesFormat(err):
			next := ""
			if used.now == FormatSchema {
				next = FormatObject
			}
			c.format.CompareAndSwap(used, &fallback{next, c.explain(err)})
			continue // at most twice
		}
		failed := c.classify(err)
		failed.wait, failed.took = seen.retryAfter, time.Since(begun)
		return reply, failed
	}
}

// once is one exchange with the server.
func (c *Conn) once(ctx context.Context, seen *sighting) (Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, c.end.Timeout)
	defer cancel()
	// go-openai sees neither the messages nor the reply: the wire puts the one in place
	// of an empty body and keeps the other for parse.
	if _, err := c.api.CreateChatCompletion(context.WithValue(ctx, sightingKey{}, seen), openai.ChatCompletionRequest{Model: c.end.Model}); err != nil {
		return Reply{}, err
	}
	reply, err := parse(seen.reply, c.end.Thinking)
	c.private.hide(&reply)
	return reply, err
}
