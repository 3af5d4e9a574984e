package llm

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"
)

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
	Concurrency int           // connections kept open; 0: 16
}

// A Conn is a Client that talks to an Endpoint and does nothing besides.
type Conn struct {
	end     Endpoint
	where   string // the address without what may be secret in it
	secrets *strings.Replacer
	api     *openai.Client
	http    *http.Client
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
	e.Timeout = cmp.Or(e.Timeout, 2*time.Minute)
	e.Concurrency = cmp.Or(e.Concurrency, 16)
	tail, err := tail(&e)
	if err != nil {
		return nil, unusable("%s, model %s: %v", where, e.Model, err)
	}

	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = e.Concurrency, e.Concurrency
	c := &Conn{end: e, where: where, secrets: secrets(&e, u), http: &http.Client{
		Transport: &wire{headers: e.Headers, tail: tail, next: t},
		// A POST that is redirected arrives as a GET without its body.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	cfg := openai.DefaultConfig(e.Key)
	cfg.BaseURL = strings.TrimRight(u.String(), "/")
	cfg.HTTPClient = c.http
	c.api = openai.NewClientWithConfig(cfg)
	return c, nil
}

// Close frees idle connections.
func (c *Conn) Close() { c.http.CloseIdleConnections() }

// Complete implements Client: one attempt. An error says whether another one may
// succeed (see Retry).
func (c *Conn) Complete(ctx context.Context, r Request) (Reply, error) {
	messages := r.Messages()
	req := openai.ChatCompletionRequest{Model: c.end.Model, Messages: make([]openai.ChatCompletionMessage, len(messages))}
	for i, m := range messages {
		req.Messages[i] = openai.ChatCompletionMessage{Role: m.Role, Content: m.Content}
	}
	reply, seen, err := c.once(ctx, req)
	reply.Attempts = 1
	switch {
	case err == nil:
		return reply, nil
	case ctx.Err() != nil:
		return reply, context.Cause(ctx)
	}
	again, mark := classify(err)
	return reply, &callError{what: c.explain(err), mark: mark, again: again, wait: seen.retryAfter}
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
		return Reply{}, seen, noChoices(seen.body)
	}
	m := &res.Choices[0].Message
	out := Reply{
		Content: m.Content, Reasoning: m.ReasoningContent, Finish: string(res.Choices[0].FinishReason),
		Model: res.Model, TokensIn: res.Usage.PromptTokens, TokensOut: res.Usage.CompletionTokens,
	}
	for _, p := range m.MultiContent { // content as a list of parts
		out.Content += p.Text
	}
	if out.Reasoning == "" {
		out.Reasoning = reasoning(seen.body)
	}
	if thought, rest, ok := SplitThinking(out.Content); ok {
		out.Content = rest
		out.Reasoning = cmp.Or(out.Reasoning, thought)
	}
	return out, seen, nil
}

const thinkOpen, thinkShut = "<think>", "</think>"

// SplitThinking separates reasoning that a server left in the text: <think> blocks
// wherever they stand, everything before a closing tag that was never opened (the
// server had put the opening one into the prompt), and everything after an opening
// tag at the very beginning that is never closed (the reply was cut off). Any other
// closing tag is text. Without any of these, ok is false and rest is s.
func SplitThinking(s string) (thought, rest string, ok bool) {
	if !strings.Contains(s, thinkOpen) && !strings.Contains(s, thinkShut) {
		return "", s, false
	}
	whole := s
	var thoughts []string
	inner := 0 // opening tags within thoughts that may still be closed
	add := func(t string) {
		ok = true
		inner += strings.Count(t, thinkOpen)
		if t = strings.TrimSpace(t); t != "" {
			thoughts = append(thoughts, t)
		}
	}
	for {
		from, to := strings.Index(s, thinkOpen), strings.Index(s, thinkShut)
		if to < 0 {
			if from >= 0 && strings.TrimSpace(rest+s[:from]) == "" {
				add(s[from+len(thinkOpen):])
				s = ""
			}
			break
		}
		if from >= 0 && from < to {
			add(s[from+len(thinkOpen) : to])
			rest += s[:from]
		} else if ok && inner == 0 {
			break
		} else {
			inner = max(0, inner-1)
			add(rest + s[:to])
			rest = ""
		}
		s = s[to+len(thinkShut):]
	}
	if !ok {
		return "", whole, false
	}
	return strings.Join(thoughts, "\n"), strings.TrimSpace(rest + s), true
}
