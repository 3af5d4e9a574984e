package llm

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"
)

// A Request is one call: a system message and a user message.
type Request struct {
	System, User string
}

// A Reply is what came back.
type Reply struct {
	Content   string // without reasoning; may be empty
	Reasoning string // from reasoning_content, reasoning, or before </think>
	Finish    string // finish_reason, such as "stop" or "length"
	Model     string // what the server says it served
	TokensIn  int    // as the server counts; 0 when it does not say
	TokensOut int
	Attempts  int // 1 + retries
}

// A Client completes chats. It may be used by several goroutines.
type Client interface {
	Complete(context.Context, Request) (Reply, error)
}

// ErrUnusable is wrapped by errors after which no further call can succeed: wrong
// key, wrong model, wrong address, a server that cannot be reached. The command
// maps it to exit code 4.
var ErrUnusable = errors.New("endpoint unusable")

// An Endpoint is a model on a server.
type Endpoint struct {
	BaseURL string // up to and including /v1
	Model   string
	Key     string // empty: none is sent

	Temperature *float64 // nil: the server's default
	TopP        *float64
	MaxTokens   int // 0: the server's default
	Seed        *int
	Extra       map[string]any    // further fields of the body
	Headers     map[string]string // further headers

	Timeout     time.Duration // of one attempt; 0: two minutes
	Attempts    int           // most tries of a call; 0: four
	Backoff     time.Duration // before the first retry, doubled for each further one; 0: half a second
	Concurrency int           // connections kept open; 0: 16
}

// A Conn is a Client that talks to an Endpoint.
type Conn struct {
	end  Endpoint
	api  *openai.Client
	http *http.Client
}

var _ Client = (*Conn)(nil)

// New makes a client with a transport of its own. Close frees its connections.
func New(e Endpoint) (*Conn, error) {
	u, err := url.Parse(e.BaseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("base_url %q is not an http or https address such as https://api.openai.com/v1: %w", e.BaseURL, ErrUnusable)
	}
	if e.Model == "" {
		return nil, fmt.Errorf("no model named for %s: %w", e.BaseURL, ErrUnusable)
	}
	if e.Timeout == 0 {
		e.Timeout = 2 * time.Minute
	}
	if e.Attempts == 0 {
		e.Attempts = 4
	}
	if e.Backoff == 0 {
		e.Backoff = 500 * time.Millisecond
	}
	if e.Concurrency == 0 {
		e.Concurrency = 16
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = e.Concurrency, e.Concurrency
	c := &Conn{end: e, http: &http.Client{Transport: &wire{end: e, next: t}}}
	cfg := openai.DefaultConfig(e.Key)
	cfg.BaseURL = strings.TrimRight(e.BaseURL, "/")
	cfg.HTTPClient = c.http
	c.api = openai.NewClientWithConfig(cfg)
	return c, nil
}

// Close frees idle connections.
func (c *Conn) Close() { c.http.CloseIdleConnections() }

// Complete implements Client. Transient failures (408, 409, 429, 5xx, network,
// time-outs) are tried again with full jitter and Retry-After honoured; anything
// else is final at once.
func (c *Conn) Complete(ctx context.Context, r Request) (Reply, error) {
	req := openai.ChatCompletionRequest{Model: c.end.Model, Messages: make([]openai.ChatCompletionMessage, 0, 2)}
	if r.System != "" {
		req.Messages = append(req.Messages, openai.ChatCompletionMessage{Role: openai.ChatMessageRoleSystem, Content: r.System})
	}
	req.Messages = append(req.Messages, openai.ChatCompletionMessage{Role: openai.ChatMessageRoleUser, Content: r.User})
	var jitter *rand.Rand
	for attempt := 1; ; attempt++ {
		reply, seen, err := c.once(ctx, req)
		reply.Attempts = attempt
		if err == nil {
			return reply, nil
		}
		if ctx.Err() != nil {
			return reply, context.Cause(ctx)
		}
		again, unusable := classify(err)
		if !again || attempt == c.end.Attempts {
			err = c.explain(err, attempt)
			if unusable {
				err = fmt.Errorf("%w: %w", err, ErrUnusable)
			}
			return reply, err
		}
		if jitter == nil {
			h := fnv.New64a()
			h.Write([]byte(r.User))
			jitter = rand.New(rand.NewPCG(h.Sum64(), 1))
		}
		wait := time.Duration(jitter.Int64N(int64(c.end.Backoff)<<(attempt-1) + 1))
		if seen.retryAfter > 0 {
			wait = min(seen.retryAfter, c.end.Timeout)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return reply, context.Cause(ctx)
		}
	}
}

// once is one attempt.
func (c *Conn) once(ctx context.Context, req openai.ChatCompletionRequest) (Reply, *sighting, error) {
	ctx, cancel := context.WithTimeout(ctx, c.end.Timeout)
	defer cancel()
	seen := &sighting{}
	res, err := c.api.CreateChatCompletion(context.WithValue(ctx, sightingKey{}, seen), req)
	if err != nil {
		return Reply{}, seen, err
	}
	if len(res.Choices) == 0 {
		return Reply{}, seen, errors.New("the reply has no choices")
	}
	m := res.Choices[0].Message
	out := Reply{Content: m.Content, Reasoning: m.ReasoningContent, Finish: string(res.Choices[0].FinishReason), Model: res.Model, TokensIn: res.Usage.PromptTokens, TokensOut: res.Usage.CompletionTokens}
	if out.Reasoning == "" {
		out.Reasoning = seen.reasoning
	}
	if thought, rest, ok := SplitThinking(out.Content); ok {
		out.Content = rest
		if out.Reasoning == "" {
			out.Reasoning = thought
		}
	}
	return out, seen, nil
}

// classify says whether an error is worth another try and whether it means that no
// call can succeed.
func classify(err error) (again, unusable bool) {
	status := 0
	var api *openai.APIError
	var req *openai.RequestError
	switch {
	case errors.As(err, &api):
		status = api.HTTPStatusCode
	case errors.As(err, &req):
		status = req.HTTPStatusCode
	}
	switch {
	case status == http.StatusRequestTimeout || status == http.StatusConflict || status == http.StatusTooManyRequests || status >= 500:
		return true, false
	case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusNotFound:
		return false, true
	case status >= 400:
		return false, false
	case errors.Is(err, context.DeadlineExceeded):
		return true, false
	}
	var u *url.Error
	if errors.As(err, &u) { // nothing came back at all
		return true, true
	}
	return false, false
}

// explain puts an error into one line without the key.
func (c *Conn) explain(err error, attempts int) error {
	what := err.Error()
	var api *openai.APIError
	var req *openai.RequestError
	var u *url.Error
	switch {
	case errors.As(err, &api):
		what = fmt.Sprintf("status %d: %s", api.HTTPStatusCode, api.Message)
	case errors.As(err, &req):
		what = fmt.Sprintf("status %d and no readable error; is base_url right?", req.HTTPStatusCode)
	case errors.As(err, &u):
		what = u.Err.Error()
	}
	what = strings.Join(strings.Fields(what), " ")
	if c.end.Key != "" {
		what = strings.ReplaceAll(what, c.end.Key, "[key]")
	}
	if attempts > 1 {
		what += fmt.Sprintf(" (after %d tries)", attempts)
	}
	return fmt.Errorf("%s, model %s: %s", c.end.BaseURL, c.end.Model, what)
}

// SplitThinking separates reasoning that a server left in the text: everything
// before the first closing tag, with or without an opening one.
func SplitThinking(s string) (thought, rest string, ok bool) {
	before, after, ok := strings.Cut(s, "</think>")
	if !ok {
		return "", s, false
	}
	before = strings.TrimPrefix(strings.TrimSpace(before), "<think>")
	return strings.TrimSpace(before), strings.TrimSpace(after), true
}
