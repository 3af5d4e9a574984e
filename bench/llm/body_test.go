package llm

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func canonical(t *testing.T, e Endpoint, r Request) string {
	t.Helper()
	if e.BaseURL == "" {
		e.BaseURL = "http://model.test/v1"
	}
	if e.Model == "" {
		e.Model = "m"
	}
	c, err := New(e)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return string(c.Canonical(r))
}

var verdictFormat = &Format{"verdict", json.RawMessage(`{"type":"object"}`)}

// Canonical is what a cache hashes: a change of its bytes makes every cache useless,
// so that they are written out here.
func TestCanonical(t *testing.T) {
	const front = `{"base_url":"http://model.test/v1","body":{`
	p := func(v float64) *float64 { return &v }
	n := func(v int) *int { return &v }
	for _, row := range []struct {
		reason string
		end    Endpoint
		ask    Request
		want   string
	}{
		{"the least", Endpoint{}, Request{User: "u"}, front + `"messages":[{"content":"u","role":"user"}],"model":"m"},"repeat":0,"thinking":""}`},
		{
			"all that decides",
			Endpoint{Temperature: p(0), TopP: p(.9), MaxTokens: 7, Seed: n(3), Stop: []string{"a"}, ResponseFormat: FormatSchema, Extra: map[string]any{"min_p": .1, "zz": 1, "a": nil}, Thinking: ThinkingOpened},
			Request{System: "s", User: "u", More: []Message{{"assistant", "x\n\"\x01\xff"}, {"user", "y"}}, Format: verdictFormat, Repeat: 2, Repair: 1},
			front + `"a":null,"max_tokens":7,"messages":[{"content":"s","role":"system"},{"content":"u","role":"user"},{"content":"x\n\"\u0001` + "\ufffd" + `","role":"assistant"},{"content":"y","role":"user"}],"min_p":0.1,"model":"m",` +
				`"response_format":{"json_schema":{"name":"verdict","schema":{"type":"object"},"strict":true},"type":"json_schema"},"seed":3,"stop":["a"],"temperature":0,"top_p":0.9,"zz":1},"repeat":2,"thinking":"opened"}`,
		},
		{"an extra response format", Endpoint{Extra: map[string]any{"response_format": 1, "seeds": 2}}, Request{User: "u", Format: verdictFormat}, front + `"messages":[{"content":"u","role":"user"}],"model":"m","response_format":1,"seeds":2},"repeat":0,"thinking":""}`},
	} {
		got := canonical(t, row.end, row.ask)
		if got != row.want || !json.Valid([]byte(got)) {
			t.Errorf("%s:\n got %s\nwant %s", row.reason, got, row.want)
		}
	}
}

func TestCanonicalTellsApart(t *testing.T) {
	ask := Request{System: "s", User: "u"}
	base := canonical(t, Endpoint{}, ask)
	for _, row := range []struct {
		reason string
		end    Endpoint
		ask    Request
		same   bool
	}{
		{"the key", Endpoint{Key: "sk-1"}, ask, true},
		{"headers", Endpoint{Headers: map[string]string{"X": "y"}, Organization: "o", Project: "p"}, ask, true},
		{"what limits calls", Endpoint{Concurrency: 3, RPM: 1, TPM: 1, Timeout: time.Hour, ContextLength: 9}, ask, true},
		{"prices", Endpoint{PromptPrice: 1, CompletionPrice: 2}, ask, true},
		{"a secret in the address", Endpoint{BaseURL: "http://u:p@model.test/v1"}, ask, true},
		{"a slash at the end of the address", Endpoint{BaseURL: "http://model.test/v1/"}, ask, true},
		{"that tags are read, which they are anyhow", Endpoint{Thinking: ThinkingTags}, ask, true},
		{"a format that is not sent", Endpoint{}, Request{System: "s", User: "u", Format: verdictFormat}, true},
		{"a format that is", Endpoint{ResponseFormat: FormatObject}, Request{System: "s", User: "u", Format: verdictFormat}, false},
		{"the address", Endpoint{BaseURL: "http://model.test/v2"}, ask, false},
		{"the model", Endpoint{Model: "n"}, ask, false},
		{"how replies are read", Endpoint{Thinking: ThinkingNone}, ask, false},
		{"the repeat", Endpoint{}, Request{System: "s", User: "u", Repeat: 1}, false},
		{"where system ends and user begins", Endpoint{}, Request{System: "", User: "su"}, false},
	} {
		if same := canonical(t, row.end, row.ask) == base; same != row.same {
			t.Errorf("%s: same bytes: %v", row.reason, same)
		}
	}
}

// Any text makes a JSON string that reads back as that text, and as what goes to the
// server.
func TestAppendString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "s"))
		var got string
		if err := json.Unmarshal(appendString(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); got != want && strings.ReplaceAll(got, "\ufffd", "") != strings.ReplaceAll(want, "\ufffd", "") {
			t.Errorf("%q became %q", s, got)
		}
	})
}

func BenchmarkCanonical(b *testing.B) {
	c, err := New(Endpoint{BaseURL: "http://model.test/v1", Model: "m", ResponseFormat: FormatSchema})
	if err != nil {
		b.Fatal(err)
	}
	r := Request{System: strings.Repeat("system ", 100), User: strings.Repeat("Which of these is it?\n", 200), Format: verdictFormat}
	b.ReportAllocs()
	for b.Loop() {
		c.Canonical(r)
	}
}
