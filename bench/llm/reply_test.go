package llm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// completionOf is the body of a reply with a message and a finish reason.
func completionOf(message, finish string) string {
	return `{"model":"served","choices":[{"message":` + message + `,"finish_reason":"` + finish + `"}]}`
}

func TestWhatRepliesHold(t *testing.T) {
	stop := func(message string) string { return completionOf(message, "stop") }
	cut := func(message string) string { return completionOf(message, "length") }
	for _, row := range []struct {
		reason, thinking, body string
		want                   Reply
	}{
		{"plain", "", stop(`{"content":"a"}`), Reply{Content: "a"}},
		{"a mark of the byte order before it", "", "\ufeff" + stop(`{"content":"a"}`), Reply{Content: "a"}},
		{"empty content is no error", "", stop(`{"content":""}`), Reply{}},
		{"null content is empty", "", stop(`{"content":null}`), Reply{}},
		{"no content is empty", "", stop(`{}`), Reply{}},
		{"no message is empty", "", `{"model":"served","choices":[{"finish_reason":"stop"}]}`, Reply{}},
		{"content in parts", "", stop(`{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"},"c",null,7]}`), Reply{Content: "abc"}},
		{"parts that are thoughts", "", stop(`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]},{"type":"text","text":"a"}]}`), Reply{Content: "a", Reasoning: "t"}},
		{"escapes and other scripts", "", stop(`{"content":"\u00e9\n\"\ud83d\ude00"}`), Reply{Content: "é\n\"😀"}},
		{"cut off", "", cut(`{"content":"a"}`), Reply{Content: "a", Finish: "length"}},

		{"reasoning_content", "", stop(`{"content":"a","reasoning_content":"r"}`), Reply{Content: "a", Reasoning: "r"}},
		{"reasoning", "", stop(`{"content":"a","reasoning":"r"}`), Reply{Content: "a", Reasoning: "r"}},
		{"both", "", stop(`{"content":"a","reasoning":"r","reasoning_content":"c"}`), Reply{Content: "a", Reasoning: "c"}},
		{"reasoning that is no text is left out", "", stop(`{"reasoning":{"x":1},"content":"a"}`), Reply{Content: "a"}},
		{"reasoning only", "", stop(`{"content":null,"reasoning":"r"}`), Reply{Reasoning: "r"}},
		{"tags in the text", "", stop(`{"content":"<think>r</think>\n\na"}`), Reply{Content: "a", Reasoning: "r"}},
		{"tags that are said to be there", ThinkingTags, stop(`{"content":"<think>r</think>\n\na"}`), Reply{Content: "a", Reasoning: "r"}},
		{"tags of a model that does not think are text", ThinkingNone, stop(`{"content":"<think>r</think>a"}`), Reply{Content: "<think>r</think>a"}},
		{"a field goes before tags", "", stop(`{"content":"<think>t</think>a","reasoning_content":"r"}`), Reply{Content: "a", Reasoning: "r"}},
		{"opened by the prompt", ThinkingOpened, stop(`{"content":"r</think>a</think>b"}`), Reply{Content: "a</think>b", Reasoning: "r"}},
		{"opened by the prompt and cut off: nothing but thoughts", ThinkingOpened, cut(`{"content":"so then "}`), Reply{Reasoning: "so then", Finish: "length"}},
		{"opened by the prompt, cut off after the thoughts", ThinkingOpened, cut(`{"content":"r</think>a"}`), Reply{Content: "a", Reasoning: "r", Finish: "length"}},
		{"opened by the prompt, and the server sets the thoughts apart", ThinkingOpened, cut(`{"content":"a","reasoning":"r"}`), Reply{Content: "a", Reasoning: "r", Finish: "length"}},
		{"opened by the prompt and not closed by a model that came to an end", ThinkingOpened, stop(`{"content":"a"}`), Reply{Content: "a"}},
		{"cut off without a word of thinking", "", cut(`{"content":"so then"}`), Reply{Content: "so then", Finish: "length"}},

		{"a refusal", "", stop(`{"content":null,"refusal":"I cannot."}`), Reply{Refusal: "I cannot."}},
		{"a filter", "", completionOf(`{"content":""}`, "content_filter"), Reply{Refusal: "content_filter: the server withholds the reply", Finish: "content_filter"}},
		{"a filter amid the text", "", completionOf(`{"content":"a"}`, "content_filter"), Reply{Content: "a", Finish: "content_filter"}},
		{"a tool call", "", completionOf(`{"content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}}]}`, "tool_calls"), Reply{Tool: `f {"a": 1}`, Finish: "tool_calls"}},
		{"arguments that are no text", "", stop(`{"tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]}`), Reply{Tool: `f {"a":1}`}},
		{"two tool calls", "", stop(`{"tool_calls":[{"function":{"name":"f","arguments":"{}"}},{"function":{"name":"g"}}]}`), Reply{Tool: `f {} and 1 more`}},
		{"a function call", "", stop(`{"function_call":{"name":"f","arguments":"{}"}}`), Reply{Tool: `f {}`}},
		{"a tool call without a name", "", stop(`{"tool_calls":[{}]}`), Reply{Tool: "unnamed "}},
		{"a tool call beside text", "", stop(`{"content":"a","tool_calls":[{"function":{"name":"f"}}]}`), Reply{Content: "a"}},
		{"calls that are written into the text stay there", "", stop(`{"content":"<function_calls>\nf(a=\"x\")\n</function_calls>"}`), Reply{Content: "<function_calls>\nf(a=\"x\")\n</function_calls>"}},

		{"several choices: the first", "", `{"model":"served","choices":[{"message":{"content":"a"},"finish_reason":"stop"},{"message":{"content":"b"}}]}`, Reply{Content: "a"}},
		{"usage", "", `{"model":"served","choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3.0}}`, Reply{Content: "a", TokensIn: 7, TokensOut: 3}},
		{"usage that is null", "", `{"model":"served","choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":null}`, Reply{Content: "a"}},
		{"usage that makes no sense", "", `{"model":"served","choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":-7,"completion_tokens":"3"}}`, Reply{Content: "a"}},
		{"fields of unexpected types", "", `{"id":7,"created":"now","model":"served","choices":[{"index":"0","message":{"role":1,"content":"a","refusal":false},"finish_reason":"stop","logprobs":3}],"system_fingerprint":{}}`, Reply{Content: "a"}},
	} {
		if row.want.Finish == "" {
			row.want.Finish = "stop"
		}
		row.want.Model, row.want.Attempts = "served", 1
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, row.body)
		})
		got, err := dial(t, Endpoint{BaseURL: url, Thinking: row.thinking}).Complete(t.Context(), Request{User: "u"})
		if err != nil {
			t.Errorf("%s: %v", row.reason, err)
			continue
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: %s", row.reason, diff)
		}
	}
}

func TestRepliesThatCannotBeRead(t *testing.T) {
	for _, row := range []struct{ reason, body, want string }{
		{"content that is an object", completionOf(`{"content":{"a":1}}`, "stop"), "the content of the reply is neither text nor a list of parts"},
		{"content that is a number", completionOf(`{"content":1}`, "stop"), "the content of the reply is neither text nor a list of parts"},
		{"an error amid the reply", `{"choices":[{"message":{"content":""},"error":{"message":"upstream gave up","code":502},"finish_reason":"error"}]}`, "status 502: upstream gave up"},
		{"nothing at all", ``, "the reply cannot be read"},
		{"a text", `"hello"`, "the reply has no choices"},
	} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, row.body) })
		_, err := dialStack(t, stack{end: Endpoint{BaseURL: url}, retry: Retry{Attempts: 1}}).Complete(t.Context(), Request{User: "u"})
		if !errors.Is(err, ErrTransient) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.reason, err, row.want)
		}
	}
}

// FuzzReply: no body makes the parser panic, grow without bound, or say yes and no.
func FuzzReply(f *testing.F) {
	for _, s := range []string{
		okReply, completionOf(`{"content":"<think>a</think>b"}`, "stop"), completionOf(`{"content":["a",{"text":"b"},{"thinking":["c"]}]}`, "length"),
		completionOf(`{"tool_calls":[{"function":{"name":"f","arguments":{}}}]}`, "tool_calls"), `{"choices":[{"error":{"message":"m","code":"x"}}]}`, `{"error":{"message":"m","code":429}}`,
		`{"error":"m"}`, `{"detail":[{"msg":"m"}]}`, `[{"error":{"message":["m"],"metadata":{"raw":"r"}}}]`, "\ufeff" + okReply, `<title>t</title>`,
		`{"choices":[{"message":null}],"usage":{"prompt_tokens":1e300}}`, `[]`, `{"choices":`,
	} {
		for _, thinking := range []string{"", ThinkingOpened, ThinkingNone} {
			f.Add([]byte(s), thinking)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, thinking string) {
		r, err := parse(body, thinking)
		if err != nil {
			if r != (Reply{}) {
				t.Errorf("%q: %+v and %v", body, r, err)
			}
			return
		}
		if r.TokensIn < 0 || r.TokensOut < 0 || len(r.Content)+len(r.Reasoning) > 4*len(body) {
			t.Errorf("%q gives %+v", body, r)
		}
		if r.Tool != "" && strings.TrimSpace(r.Content) != "" {
			t.Errorf("%q: a tool call beside text: %+v", body, r)
		}
	})
}

// script is a server that gives its replies one after the other, the last for ever,
// and keeps what it was sent.
type script struct {
	mu      sync.Mutex
	replies []string // bodies; "400 words" is a status and what is said
	bodies  []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies = append(s.bodies, string(b))
	reply := s.replies[min(len(s.bodies), len(s.replies))-1]
	if status, words, ok := strings.Cut(reply, " "); ok && len(status) == 3 {
		w.WriteHeader(map[string]int{"400": 400, "401": 401, "404": 404, "413": 413, "422": 422, "429": 429, "500": 500, "501": 501, "503": 503}[status])
		reply = words
	}
	_, _ = io.WriteString(w, reply)
}

func TestFallback(t *testing.T) {
	refused := func(status, words string) string { return status + ` {"error":{"message":"` + words + `"}}` }
	const schema, object = `"type":"json_schema"`, `"type":"json_object"`
	for _, row := range []struct {
		reason  string
		format  string
		replies []string
		sent    []string // part of each body; empty: no format
		now     string
		fails   bool
	}{
		{"taken as it is", FormatSchema, []string{okReply}, []string{schema, schema}, FormatSchema, false},
		{"schemas are refused", FormatSchema, []string{refused("400", "json_schema is not supported"), okReply}, []string{schema, object, object}, FormatObject, false},
		{"all is refused", FormatSchema, []string{refused("400", "response_format: bad"), refused("422", "response_format: bad"), okReply}, []string{schema, object, "", ""}, "", false},
		{"objects are refused", FormatObject, []string{refused("501", "guided decoding is off"), okReply}, []string{object, "", ""}, "", false},
		{"a grammar that is not understood, said in a plain body", FormatSchema, []string{"400 failed to parse grammar", okReply}, []string{schema, object, object}, FormatObject, false},
		{"OpenRouter, in the words of the server behind it", FormatObject, []string{`400 {"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"response_format is not supported\"}}"}}}`, okReply}, []string{object, "", ""}, "", false},
		{"the same with status 200", FormatObject, []string{`{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"response_format unsupported"}}}`, okReply}, []string{object, "", ""}, "", false},
		{"OpenRouter, where no provider takes it", FormatSchema, []string{refused("404", "No endpoints found that can handle the requested parameters."), okReply}, []string{schema, object, object}, FormatObject, false},
		{"LM Studio", FormatObject, []string{`400 {"error":"'response_format.type' must be 'json_schema' or 'text'"}`, okReply}, []string{object, "", ""}, "", false},
		{"llama.cpp, with a status that says nothing", FormatSchema, []string{refused("500", "JSON schema conversion failed: Unrecognized schema"), okReply}, []string{schema, object, object}, FormatObject, false},
		{"a path that is not there has nothing to do with it", FormatSchema, []string{refused("404", "model m does not exist")}, []string{schema, schema}, FormatSchema, true},
		{"nor has another fault", FormatSchema, []string{refused("400", "bad role")}, []string{schema, schema}, FormatSchema, true},
		{"nor a server that is ill", FormatSchema, []string{refused("500", "response_format: crash")}, []string{schema, schema}, FormatSchema, true},
		{"nor a prompt that is too long", FormatSchema, []string{refused("400", "maximum context length is 9 with this json_schema")}, []string{schema, schema}, FormatSchema, true},
		{"refused although nothing was said of it", "", []string{refused("400", "response_format: bad")}, []string{"", ""}, "", true},
	} {
		s := &script{replies: row.replies}
		c := dialStack(t, stack{end: Endpoint{BaseURL: serve(t, s.ServeHTTP), ResponseFormat: row.format}, retry: Retry{Attempts: 1}})
		for range 2 {
			reply, err := c.Complete(t.Context(), Request{User: "u", Format: verdictFormat})
			if (err != nil) != row.fails || reply.Attempts != 1 {
				t.Errorf("%s: %v after %d attempts", row.reason, err, reply.Attempts)
			}
		}
		if len(s.bodies) != len(row.sent) {
			t.Errorf("%s: %d requests, want %d", row.reason, len(s.bodies), len(row.sent))
			continue
		}
		for i, b := range s.bodies {
			if !strings.Contains(b, row.sent[i]) || row.sent[i] == "" && strings.Contains(b, "response_format") {
				t.Errorf("%s: request %d is %s, want %s", row.reason, i+1, b, row.sent[i])
			}
		}
		now, why := c.Conn.Fallback()
		if now != row.now || (why != "") != (now != row.format) {
			t.Errorf("%s: the format is %q because %q, want %q", row.reason, now, why, row.now)
		}
		// What a cache calls the request does not depend on what the server took.
		if fresh := dial(t, c.Conn.end); string(fresh.Conn.Canonical(Request{User: "u", Format: verdictFormat})) != string(c.Conn.Canonical(Request{User: "u", Format: verdictFormat})) {
			t.Errorf("%s: the canonical request has changed", row.reason)
		}
	}
}

// TestFallbackOfMany: calls in flight together are all answered and step down once.
func TestFallbackOfMany(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if strings.Contains(string(b), "json_schema") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":{"message":"json_schema?"}}`)
			return
		}
		_, _ = io.WriteString(w, okReply)
	})
	c := dial(t, Endpoint{BaseURL: url, ResponseFormat: FormatSchema, Concurrency: 16})
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			if _, err := c.Complete(t.Context(), Request{User: "u", Format: verdictFormat}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if now, _ := c.Conn.Fallback(); now != FormatObject {
		t.Errorf("the format is %q, want %q", now, FormatObject)
	}
}

func TestOverflow(t *testing.T) {
	for _, row := range []struct{ reason, reply string }{
		{"OpenAI", `400 {"error":{"message":"Please reduce the length of the messages.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`},
		{"vLLM", `400 {"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens","type":"BadRequestError","code":400}`},
		{"a newer vLLM", `400 {"error":{"message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","param":null,"code":400}}`},
		{"llama.cpp", `400 {"error":{"code":400,"message":"the request exceeds the available context size. try increasing the context size or enable context shift","type":"exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":4096}}`},
		{"SGLang", `400 {"object":"error","message":"The input (5000 tokens) is longer than the model's context length (4096 tokens)."}`},
		{"Ollama", `400 {"error":{"message":"prompt too long; exceeded max context length by 388 tokens","type":"invalid_request_error"}}`},
		{"vLLM's engine", `400 {"error":{"message":"The decoder prompt (length 900) is longer than the maximum model length of 512.","type":"BadRequestError","code":400}}`},
		{"a gateway that takes no such body", `413 <html><head><title>413 Request Entity Too Large</title></head></html>`},
		{"Groq: more than a minute's tokens in one request", `413 {"error":{"message":"Request too large for model","type":"tokens","code":"rate_limit_exceeded"}}`},
	} {
		s := &script{replies: []string{row.reply}}
		_, err := dial(t, Endpoint{BaseURL: serve(t, s.ServeHTTP)}).Complete(t.Context(), Request{User: "u"})
		if !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "lower max_criteria or max_tokens") || len(s.bodies) != 1 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v after %d calls", row.reason, err, len(s.bodies))
		}
	}
}

func TestFits(t *testing.T) {
	for _, row := range []struct {
		reason string
		end    Endpoint
		chars  int
		words  string
	}{
		{"nothing is declared", Endpoint{}, 1 << 30, ""},
		{"it fits", Endpoint{ContextLength: 4096, MaxTokens: 1000}, 12000, ""},
		{"with the reply it does not", Endpoint{ContextLength: 4096, MaxTokens: 1200}, 12000, "about 3011 tokens, and with max_tokens 1200 that is more than the context of 4096"},
		{"alone it does not", Endpoint{ContextLength: 4096}, 17000, "lower max_criteria or max_tokens"},
		{"no room for any prompt", Endpoint{ContextLength: 4096, MaxTokens: 4096}, 0, "leaves no room"},
	} {
		err := row.end.Fits(row.chars)
		if (err == nil) != (row.words == "") || err != nil && (!errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), row.words)) {
			t.Errorf("%s: %v, want %q", row.reason, err, row.words)
		}
	}
}

// TestAskOverTheWire: repairs as a server sees them.
func TestAskOverTheWire(t *testing.T) {
	says := func(content string) string {
		return completionOf(`{"content":`+string(appendString(nil, content))+`}`, "stop")
	}
	const calls = `{"content":null,"tool_calls":[{"function":{"name":"verdict","arguments":"{\"level\": 3}"}}]}`
	for _, row := range []struct {
		reason  string
		text    bool // no object is wanted
		replies []string
		requests,
		tries int // calls of Unread; 0: it was read
		mark  error
		words string
	}{
		{"read at once", false, []string{says(`{"level": 3}`)}, 1, 0, nil, ""},
		{"read the second time", false, []string{says("three"), says(`{"level": 3}`)}, 2, 0, nil, ""},
		{"read the third time", false, []string{says("three"), says("3"), says(`{"level": 3}`)}, 3, 0, nil, ""},
		{"never read", false, []string{says("three")}, 3, 3, nil, "not a JSON object"},
		{"empty", false, []string{says("")}, 3, 3, nil, "it is empty"},
		{"cut off, then whole", false, []string{completionOf(`{"content":"{\"level\": 3}"}`, "length"), says(`{"level": 3}`)}, 2, 0, nil, ""},
		{"refused by the model", false, []string{completionOf(`{"refusal":"I cannot."}`, "stop")}, 3, 3, nil, `the model refuses: "I cannot."`},
		{"filtered", false, []string{completionOf(`{"content":null}`, "content_filter")}, 3, 3, nil, "content_filter"},
		{"two objects that differ, then one", false, []string{says(`{"level": 3} {"level": 4}`), says(`{"level": 3}`)}, 2, 0, nil, ""},
		{"arguments of a tool call", false, []string{completionOf(calls, "tool_calls")}, 1, 0, nil, ""},
		{"arguments of a tool call where text is wanted", true, []string{completionOf(calls, "tool_calls")}, 3, 3, nil, "calls a tool"},
		{"arguments that are cut off", false, []string{completionOf(calls, "length")}, 3, 3, nil, "cut off"},
		{"two tool calls", false, []string{completionOf(`{"tool_calls":[{"function":{"name":"f","arguments":"{\"level\": 3}"}},{"function":{"name":"g"}}]}`, "tool_calls")}, 3, 3, nil, "calls a tool"},
		{"refused by the server", false, []string{"400 bad role"}, 1, 1, nil, "call refused: "},
		{"a wrong key", false, []string{"401 no"}, 1, 0, ErrUnusable, "status 401"},
		{"a server that is ill, then well", false, []string{"500 oops", "503 oops", says(`{"level": 3}`)}, 3, 0, nil, ""},
		{"a server that is ill", false, []string{"500 oops"}, 4, 0, ErrTransient, "status 500"},
		{"a prompt that does not fit", false, []string{"400 maximum context length"}, 1, 0, ErrUnusable, "do not fit"},
		{"a repair that does not fit", false, []string{says("a very long reply"), "400 maximum context length"}, 2, 1, nil, "asking again does not fit the context"},
	} {
		s := &script{replies: row.replies}
		m := &Meter{Role: "judge"}
		ctx, tallies := WithTallies(t.Context())
		r := Request{System: "s", User: "u", Format: verdictFormat}
		if row.text {
			r.Format = nil
		}
		_, err := Ask(ctx, m.Wrap(dial(t, Endpoint{BaseURL: serve(t, s.ServeHTTP)})), r, func(text string) error {
			_, err := Object(text)
			return err
		})
		var unread *Unread
		tries := 0
		if errors.As(err, &unread) {
			tries = unread.Tries
		}
		if len(s.bodies) != row.requests || tries != row.tries || row.mark != nil && !errors.Is(err, row.mark) || (err == nil) != (row.words == "") || err != nil && !strings.Contains(err.Error(), row.words) {
			t.Errorf("%s: %d requests, %d tries, %v; want %d, %d, %q", row.reason, len(s.bodies), tries, err, row.requests, row.tries, row.words)
		}
		if n := len(tallies.ByRole()["judge"].Unread); (n == 1) != (tries > 0) {
			t.Errorf("%s: %d unread requests are noted", row.reason, n)
		}
	}
}

// TestRepairs: the conversation goes on with the reply and with what is wrong.
func TestRepairs(t *testing.T) {
	s := &script{replies: []string{completionOf(`{"content":"<think>hm</think>three"}`, "stop"), completionOf(`{"content":""}`, "stop"), completionOf(`{"content":"{}"}`, "stop")}}
	_, err := Ask(t.Context(), dial(t, Endpoint{BaseURL: serve(t, s.ServeHTTP)}), Request{User: "u"}, func(text string) error {
		_, err := Object(text)
		return err
	})
	const first = `{"role":"user","content":"u"}`
	const second = `,{"role":"assistant","content":"three"},{"role":"user","content":"That reply cannot be used: unreadable reply: not a JSON object: \"three\". Reply again, complete and in the form that was asked for, and with nothing else."}`
	const third = `,{"role":"assistant","content":"(nothing)"},{"role":"user","content":"That reply cannot be used: it is empty (finish reason \"stop\"). Reply again, complete and in the form that was asked for, and with nothing else."}`
	want := []string{first, first + second, first + second + third}
	if err != nil || len(s.bodies) != 3 {
		t.Fatalf("%d calls, %v", len(s.bodies), err)
	}
	for i, b := range s.bodies {
		if b != `{"model":"m","messages":[`+want[i]+`],"stream":false}` {
			t.Errorf("call %d: %s", i+1, b)
		}
	}
}

// TestAskGivingUp: a caller that gives up is told why, and nothing is known of the
// model.
func TestAskGivingUp(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := Ask(ctx, ClientFunc(func(ctx context.Context, _ Request) (Reply, error) {
		cancel(why)
		return Reply{}, context.Cause(ctx)
	}), Request{}, func(string) error { return nil })
	var unread *Unread
	if !errors.Is(err, why) || errors.As(err, &unread) {
		t.Errorf("got %v", err)
	}
}
