package llm

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const okReply = `{"id":"x","object":"chat.completion","model":"served","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`

// serve starts a server for one test.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/v1"
}

// dial makes a client for one test; tries follow each other without a pause.
func dial(t *testing.T, e Endpoint) *Link { return dialStack(t, stack{end: e}) }

func dialStack(t *testing.T, s stack) *Link {
	t.Helper()
	s.end.Model = cmp.Or(s.end.Model, "m")
	s.retry.Backoff = cmp.Or(s.retry.Backoff, time.Nanosecond)
	c, err := Dial(s.end, Options{Retry: s.retry})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestBytesOnTheWire(t *testing.T) {
	const head = `{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"u <<<"}],"stream":false`
	p := func(v float64) *float64 { return &v }
	n := func(v int) *int { return &v }
	for _, row := range []struct {
		reason string
		end    Endpoint
		body   string
		header map[string]string
	}{
		{"nothing set, nothing sent", Endpoint{}, head + `}`, map[string]string{"Authorization": ""}},
		{"a temperature of 0 is said", Endpoint{Temperature: p(0)}, head + `,"temperature":0}`, nil},
		{"decimals have no float32 noise", Endpoint{Temperature: p(0.1), TopP: p(0.95)}, head + `,"temperature":0.1,"top_p":0.95}`, nil},
		{"numbers are never in exponents", Endpoint{Temperature: p(1e-7)}, head + `,"temperature":0.0000001}`, nil},
		{"a seed of 0 is said", Endpoint{Seed: n(0)}, head + `,"seed":0}`, nil},
		{"a negative seed is said", Endpoint{Seed: n(-3)}, head + `,"seed":-3}`, nil},
		{
			"fields are sorted",
			Endpoint{MaxTokens: 9, Seed: n(1), Temperature: p(1), Extra: map[string]any{"zz": nil, "min_p": 0.05, "reasoning": map[string]any{"effort": "low", "b": []int{1}}}},
			head + `,"max_tokens":9,"min_p":0.05,"reasoning":{"b":[1],"effort":"low"},"seed":1,"temperature":1,"zz":null}`, nil,
		},
		{"a field of the endpoint may come as an extra one", Endpoint{Extra: map[string]any{"max_completion_tokens": 5, "temperature": 2}}, head + `,"max_completion_tokens":5,"temperature":2}`, nil},
		{"newer models call the token limit otherwise", Endpoint{Model: "gpt-5-mini", MaxTokens: 9}, strings.Replace(head, `"m"`, `"gpt-5-mini"`, 1) + `,"max_completion_tokens":9}`, nil},
		{"key and headers", Endpoint{Key: " k1\n", Headers: map[string]string{"X-Title": "t"}}, head + `}`, map[string]string{"Authorization": "Bearer k1", "X-Title": "t", "Content-Type": "application/json"}},
		{"organisation and project", Endpoint{Organization: "o", Project: "p"}, head + `}`, map[string]string{"OpenAI-Organization": "o", "OpenAI-Project": "p", "Authorization": ""}},
		{"a header of one's own replaces those, too", Endpoint{Organization: "o", Headers: map[string]string{"openai-organization": "x"}}, head + `}`, map[string]string{"OpenAI-Organization": "x", "OpenAI-Project": ""}},
		{"where to stop", Endpoint{Stop: []string{"\n\n", "<end>"}}, head + `,"stop":["\n\n","<end>"]}`, nil},
		{"a format that the request does not want is not sent", Endpoint{ResponseFormat: FormatSchema}, head + `}`, nil},
		{"what limits calls and what they cost is not sent", Endpoint{RPM: 1000, TPM: 100000, Concurrency: 3, ContextLength: 9, PromptPrice: 1, CompletionPrice: 1, Thinking: ThinkingOpened, Timeout: time.Minute}, head + `}`, nil},
		{"a model that go-openai knows to refuse most parameters", Endpoint{Model: "o3-mini", Temperature: p(.5), TopP: p(.5), MaxTokens: 9, Extra: map[string]any{"logprobs": true, "reasoning_effort": "minimal", "presence_penalty": 1}}, strings.Replace(head, `"m"`, `"o3-mini"`, 1) + `,"logprobs":true,"max_completion_tokens":9,"presence_penalty":1,"reasoning_effort":"minimal","temperature":0.5,"top_p":0.5}`, nil},
		{"a header of one's own replaces the key's", Endpoint{Key: "k", Headers: map[string]string{"authorization": "Basic abc"}}, head + `}`, map[string]string{"Authorization": "Basic abc"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			var body, path string
			var length int64
			var header http.Header
			row.end.BaseURL = serve(t, func(w http.ResponseWriter, r *http.Request) {
				b, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				body, path, length, header = string(b), r.URL.Path, r.ContentLength, r.Header
				_, _ = io.WriteString(w, okReply)
			}) + "/"
			got, err := dial(t, row.end).Complete(context.Background(), Request{System: "s", User: "u <<<"})
			if err != nil {
				t.Fatal(err)
			}
			if body != row.body {
				t.Errorf("sent\n%s\nwant\n%s", body, row.body)
			}
			if length != int64(len(body)) || path != "/v1/chat/completions" {
				t.Errorf("Content-Length %d of %d, path %s", length, len(body), path)
			}
			for k, v := range row.header {
				if header.Get(k) != v {
					t.Errorf("header %s is %q, want %q", k, header.Get(k), v)
				}
			}
			if want := (Reply{Content: "hello", Finish: "stop", Model: "served", TokensIn: 7, TokensOut: 3, Attempts: 1}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// TestBytesOfRequests: what depends on the request.
func TestBytesOfRequests(t *testing.T) {
	n := func(v int) *int { return &v }
	const head = `{"model":"m","messages":[{"role":"user","content":"u"}],"stream":false`
	format := &Format{"verdict", json.RawMessage(`{"type":"object","properties":{"b":{},"a":{}}}`)}
	for _, row := range []struct {
		reason string
		end    Endpoint
		ask    Request
		body   string
	}{
		{"no system message, none sent", Endpoint{}, Request{User: "u"}, head + `}`},
		{"a conversation that goes on", Endpoint{}, Request{User: "u", More: []Message{{"assistant", "a"}, {"user", "v"}}}, strings.Replace(head, `}]`, `},{"role":"assistant","content":"a"},{"role":"user","content":"v"}]`, 1) + `}`},
		{"repeats add to a seed", Endpoint{Seed: n(40)}, Request{User: "u", Repeat: 2}, head + `,"seed":42}`},
		{"repeats make no seed", Endpoint{}, Request{User: "u", Repeat: 2}, head + `}`},
		{"repairs are not sent", Endpoint{Seed: n(40)}, Request{User: "u", Repair: 2}, head + `,"seed":40}`},
		{"an object", Endpoint{ResponseFormat: FormatObject, MaxTokens: 7, Seed: n(1), Stop: []string{"x"}}, Request{User: "u", Format: format}, head + `,"max_tokens":7,"response_format":{"type":"json_object"},"seed":1,"stop":["x"]}`},
		{"a schema, its keys in their order", Endpoint{ResponseFormat: FormatSchema, MaxTokens: 7}, Request{User: "u", Format: format}, head + `,"max_tokens":7,"response_format":{"json_schema":{"name":"verdict","schema":{"type":"object","properties":{"b":{},"a":{}}},"strict":true},"type":"json_schema"}}`},
		{"a schema that is not there", Endpoint{ResponseFormat: FormatSchema}, Request{User: "u", Format: &Format{Name: "x"}}, head + `,"response_format":{"type":"json_object"}}`},
		{"an endpoint that is told nothing of formats", Endpoint{}, Request{User: "u", Format: format}, head + `}`},
		{"an extra format is always sent", Endpoint{Extra: map[string]any{"response_format": map[string]any{"type": "text"}, "seq": 1}}, Request{User: "u", Format: format}, head + `,"response_format":{"type":"text"},"seq":1}`},
	} {
		var body string
		row.end.BaseURL = serve(t, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			body = string(b)
			_, _ = io.WriteString(w, okReply)
		})
		if _, err := dial(t, row.end).Complete(t.Context(), row.ask); err != nil {
			t.Errorf("%s: %v", row.reason, err)
		}
		if body != row.body || !json.Valid([]byte(body)) {
			t.Errorf("%s: sent\n%s\nwant\n%s", row.reason, body, row.body)
		}
	}
}

func TestNoSystemMessage(t *testing.T) {
	var body string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		body = string(b)
		_, _ = io.WriteString(w, okReply)
	})
	if _, err := dial(t, Endpoint{BaseURL: url}).Complete(context.Background(), Request{User: "u"}); err != nil {
		t.Fatal(err)
	}
	if want := `{"model":"m","messages":[{"role":"user","content":"u"}],"stream":false}`; body != want {
		t.Errorf("sent %s, want %s", body, want)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, row := range []struct {
		reason, header string
		want           time.Duration
	}{
		{"none", "", 0},
		{"seconds", "3", 3 * time.Second},
		{"fractions", "0.25", 250 * time.Millisecond},
		{"a date", "Fri, 02 Jan 2026 03:04:15 GMT", 10 * time.Second},
		{"a date in the past", "Fri, 02 Jan 2026 03:04:00 GMT", 0},
		{"negative", "-1", 0},
		{"more than a day", "1e9", 0},
		{"not a number", "NaN", 0},
		{"nonsense", "soon", 0},
	} {
		if got := retryAfter(row.header, now); got != row.want {
			t.Errorf("%s: %q gives %v, want %v", row.reason, row.header, got, row.want)
		}
	}
}

func TestEndpointsThatCannotWork(t *testing.T) {
	one := 1.0
	nan := math.NaN()
	for _, row := range []struct {
		reason string
		end    Endpoint
		want   string
	}{
		{"no address", Endpoint{Model: "m"}, "base_url is not an http"},
		{"no scheme", Endpoint{BaseURL: "localhost:8000/v1", Model: "m"}, "base_url is not an http"},
		{"no host", Endpoint{BaseURL: "http:///v1", Model: "m"}, "base_url is not an http"},
		{"not an address", Endpoint{BaseURL: "http://a b/", Model: "m"}, "base_url is not an http"},
		{"a query, which may be a key", Endpoint{BaseURL: "http://h/v1?key=hush", Model: "m"}, "base_url of h has a query"},
		{"a key over two lines", Endpoint{BaseURL: "http://h", Model: "m", Key: "hush\nhush"}, "the key for http://h holds a line break"},
		{"a header over two lines", Endpoint{BaseURL: "http://h", Model: "m", Headers: map[string]string{"X-Team": "hush\nhush"}}, "header X-Team for http://h holds a line break"},
		{"no model", Endpoint{BaseURL: "http://u:hush@h/v1"}, "no model named for http://h/v1"},
		{"extra replaces model", Endpoint{BaseURL: "http://h", Model: "m", Extra: map[string]any{"model": "x"}}, `extra field "model" is set elsewhere`},
		{"extra asks for several replies", Endpoint{BaseURL: "http://h", Model: "m", Extra: map[string]any{"n": 2}}, `extra field "n" cannot be honoured: one reply a call is read`},
		{"extra sets a seed, which repeats could not add to", Endpoint{BaseURL: "http://h", Model: "m", Extra: map[string]any{"seed": 2}}, `extra field "seed" is set elsewhere: independent draws add to it`},
		{"two formats", Endpoint{BaseURL: "http://h", Model: "m", ResponseFormat: FormatObject, Extra: map[string]any{"response_format": 1}}, `extra field "response_format" is set elsewhere`},
		{"no such format", Endpoint{BaseURL: "http://h", Model: "m", ResponseFormat: "xml"}, `response format "xml"`},
		{"no such thinking", Endpoint{BaseURL: "http://h", Model: "m", Thinking: "hard"}, `thinking "hard"`},
		{"extra asks for a stream", Endpoint{BaseURL: "http://h", Model: "m", Extra: map[string]any{"stream": true}}, `extra field "stream" is set elsewhere`},
		{"two temperatures", Endpoint{BaseURL: "http://h", Model: "m", Temperature: &one, Extra: map[string]any{"temperature": 1}}, `extra field "temperature" is set elsewhere`},
		{"extra is not JSON", Endpoint{BaseURL: "http://h", Model: "m", Extra: map[string]any{"f": func() {}}}, `extra field "f"`},
		{"not a number", Endpoint{BaseURL: "http://h", Model: "m", TopP: &nan}, "top_p NaN is not a finite number"},
	} {
		c, err := New(row.end)
		if err == nil {
			c.Close()
			t.Errorf("%s: accepted", row.reason)
			continue
		}
		if !isUnusable(err) || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %q (unusable: %v), want %q", row.reason, err, isUnusable(err), row.want)
		}
	}
}
