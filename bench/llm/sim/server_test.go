package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"go/parser"
	gotoken "go/token"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestReplyShape(t *testing.T) {
	w := post(chatBody("", "Hello there"))
	var got map[string]any
	decode(t, w.Body.String(), &got)
	choice := got["choices"].([]any)[0].(map[string]any)
	use := got["usage"].(map[string]any)
	if got["object"] != "chat.completion" || got["created"] != 0. || got["model"] != "m" || got["system_fingerprint"] != Version ||
		!strings.HasPrefix(got["id"].(string), "chatcmpl-") || choice["finish_reason"] != "stop" ||
		choice["message"].(map[string]any)["role"] != "assistant" || use["prompt_tokens"] != 3. ||
		use["total_tokens"] != use["prompt_tokens"].(float64)+use["completion_tokens"].(float64) {
		t.Errorf("reply %s", w.Body)
	}
	if ct := w.Header().Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type %q", ct)
	}
}

func TestParts(t *testing.T) {
	const parts = `{"model":"m","messages":[{"role":"assistant","content":null},{"role":"user","content":[{"type":"text","text":"Task:"},{"type":"image_url"},{"type":"text","text":"Why?"}]}]}`
	if got := content0(t, post(parts)); !strings.HasPrefix(got, "Answer: ") {
		t.Errorf("reply %q", got)
	}
}

func TestMaxTokens(t *testing.T) {
	full := chat(t, "", "Hello")
	for _, key := range []string{"max_tokens", "max_completion_tokens"} {
		for _, n := range []int{1, 5, 1000} {
			w := post(`{"model":"m","messages":[{"role":"user","content":"Hello"}],"` + key + `":` + strconv.Itoa(n) + `}`)
			var c completion
			decode(t, w.Body.String(), &c)
			want, finish := full, "stop"
			if 4*n < len(full) {
				want, finish = full[:4*n], "length"
			}
			if c.Choices[0].Message.Content != want || *c.Choices[0].FinishReason != finish || c.Usage.CompletionTokens > n {
				t.Errorf("%s %d: %s", key, n, w.Body)
			}
		}
	}
}

func TestStream(t *testing.T) {
	prompt := solverPrompt(choiceTask, scales[:6], []int{0, 1, 2, 3, 4, 0})
	want := chat(t, solverSystem, prompt)
	b := chatBody(solverSystem, prompt)
	w := post(b[:len(b)-1] + `,"stream":true,"stream_options":{"include_usage":true}}`)
	if ct := w.Header().Get("Content-Type"); ct != "text/event-stream" {
		t.Errorf("Content-Type %q", ct)
	}
	var text, finish string
	var use *usage
	events := strings.Split(strings.TrimSuffix(w.Body.String(), "\n\n"), "\n\n")
	for i, e := range events {
		data, ok := strings.CutPrefix(e, "data: ")
		if !ok {
			t.Fatalf("event %q", e)
		}
		if i == len(events)-1 {
			if data != "[DONE]" {
				t.Errorf("last event %q", data)
			}
			break
		}
		var c completion
		decode(t, data, &c)
		if c.Object != "chat.completion.chunk" {
			t.Errorf("object %q", c.Object)
		}
		for _, ch := range c.Choices {
			text += ch.Delta.Content
			if ch.FinishReason != nil {
				finish = *ch.FinishReason
			}
		}
		if c.Usage != nil {
			use = c.Usage
		}
	}
	if text != want || finish != "stop" || use == nil || use.CompletionTokens != tokensOf(want) {
		t.Errorf("streamed %q, %q, %v", text, finish, use)
	}
}

func TestModels(t *testing.T) {
	w := do(Handler(), http.MethodGet, "/v1/models", "")
	var got struct{ Data []struct{ ID string } }
	decode(t, w.Body.String(), &got)
	if w.Code != http.StatusOK || len(got.Data) != 1 || got.Data[0].ID != Model {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func TestErrors(t *testing.T) {
	const path = "/v1/chat/completions"
	const msgs = `"messages":[{"role":"user","content":"x"}]`
	tests := []struct {
		method, path, body string
		status             int
		reason             string
	}{
		{"GET", "/", "", 404, "unknown path"},
		{"POST", "/v1/completions", "{}", 404, "unknown path"},
		{"POST", "//v1/chat/completions", "{}", 404, "no redirects"},
		{"GET", path, "", 405, "method"},
		{"POST", "/v1/models", "", 405, "method"},
		{"POST", path, "", 400, "empty"},
		{"POST", path, "{", 400, "cut off"},
		{"POST", path, "[]", 400, "not an object"},
		{"POST", path, "null", 400, "null"},
		{"POST", path, `{"model":"m",` + msgs + `} {}`, 400, "trailing data"},
		{"POST", path, `{` + msgs + `}`, 400, "no model"},
		{"POST", path, `{"model":"m"}`, 400, "no messages"},
		{"POST", path, `{"model":"m","messages":[]}`, 400, "empty messages"},
		{"POST", path, `{"model":"m","messages":"x"}`, 400, "messages of the wrong type"},
		{"POST", path, `{"model":"m","messages":[{"role":"king","content":"x"}]}`, 400, "unknown role"},
		{"POST", path, `{"model":"m","messages":[{"role":"user","content":7}]}`, 400, "content of the wrong type"},
		{"POST", path, `{"model":"m","n":2,` + msgs + `}`, 400, "n"},
		{"POST", path, `{"model":"m","max_tokens":0,` + msgs + `}`, 400, "max_tokens"},
		{"POST", path, `{"model":"m","max_tokens":"x",` + msgs + `}`, 400, "max_tokens of the wrong type"},
		{"POST", path, `{"model":"m","max_completion_tokens":-1,` + msgs + `}`, 400, "max_completion_tokens"},
		{"POST", path, `{"model":"m","response_format":{"type":"xml"},` + msgs + `}`, 400, "unknown response format"},
		{"POST", path, `{"model":"m","response_format":"json_object",` + msgs + `}`, 400, "response format of the wrong type"},
		{"POST", path, `{"model":"m","response_format":{"type":"json_schema"},` + msgs + `}`, 400, "a schema without one"},
		{"POST", "/v1/models/" + Model, "", 405, "method"},
		{"GET", "/v1/models/other", "", 404, "unknown model"},
		{"GET", "/v1/models/", "", 404, "model without a name"},
		{"GET", "/v1/embeddings", "", 405, "method"},
		{"POST", "/v1/embeddings", "", 400, "empty"},
		{"POST", "/v1/embeddings", `{"input":"x"}`, 400, "no model"},
		{"POST", "/v1/embeddings", `{"model":"m"}`, 400, "no input"},
		{"POST", "/v1/embeddings", `{"model":"m","input":[]}`, 400, "empty input"},
		{"POST", "/v1/embeddings", `{"model":"m","input":null}`, 400, "null input"},
		{"POST", "/v1/embeddings", `{"model":"m","input":""}`, 400, "empty text"},
		{"POST", "/v1/embeddings", `{"model":"m","input":["x",""]}`, 400, "an empty text among others"},
		{"POST", "/v1/embeddings", `{"model":"m","input":["x",7]}`, 400, "text and token mixed"},
		{"POST", "/v1/embeddings", `{"model":"m","input":{"x":1}}`, 400, "input of the wrong type"},
		{"POST", "/v1/embeddings", `{"model":"m","input":"x","dimensions":0}`, 400, "too short"},
		{"POST", "/v1/embeddings", `{"model":"m","input":"x","dimensions":5000}`, 400, "too long"},
		{"POST", "/v1/embeddings", `{"model":"m","input":"x","encoding_format":"int8"}`, 400, "unknown encoding"},
		{"POST", "/v1/embeddings", `{"model":"m","input":"` + strings.Repeat("x", maxBody) + `"}`, 413, "too large"},
		{"POST", path, chatBody("", "Response:\n<<<\nx\n>>>\n"+strings.Repeat("Criterion: x\n", maxCriteria+1)), 400, "too many criteria"},
		{"POST", path, chatBody("", strings.Repeat("x", maxBody)), 413, "too large"},
	}
	for _, tt := range tests {
		w := do(Handler(), tt.method, tt.path, tt.body)
		var got struct {
			Error *struct {
				Message, Type string
				Param, Code   *string
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Error == nil || got.Error.Message == "" || got.Error.Type == "" {
			t.Errorf("%s: %v: %.200s", tt.reason, err, w.Body)
		}
		if w.Code != tt.status {
			t.Errorf("%s: status %d, want %d", tt.reason, w.Code, tt.status)
		}
		if (w.Code == 405) != (w.Header().Get("Allow") != "") {
			t.Errorf("%s: Allow %q", tt.reason, w.Header().Get("Allow"))
		}
	}
}

// bodies are requests of all roles.
func bodies() []string {
	response := "Harbour imagery: speaks throughout like an old captain. Rhyme use: nothing."
	return []string{
		chatBody(solverSystem, solverPrompt(choiceTask, scales[:6], []int{0, 1, 2, 3, 4, 0})),
		chatBody(solverSystem, solverPrompt(choiceTask, scales, []int{0, 1, 2, 3, 4, 0, 1, 2, 3})),
		chatBody(singleSystem, judgePrompt(response, scales[0])),
		chatBody(batchedSystem, judgePrompt(response, scales...)),
		chatBody("", qualityPrompt(response, "Rhyme use", "much (4 of 5)")),
		chatBody("", "Reference answer: B\nResponse:\n<<<\nAnswer: B\n>>>"),
		chatBody("", "You may ask about:\n- a: b?\nAsked: c"),
		chatBody("", "What you care about:\n- a b: much\nQuestion: a b?"),
		chatBody("", "Question asked: a?\nReply to interpret: much"),
		chatBody("", "Hello"),
	}
}

func TestStateless(t *testing.T) {
	all := bodies()
	var want []string
	for _, b := range all {
		want = append(want, post(b).Body.String())
	}
	h := Handler()
	rng := rand.New(rand.NewPCG(5, 6))
	for range 5 {
		for _, i := range rng.Perm(len(all)) {
			if got := do(h, http.MethodPost, "/v1/chat/completions", all[i]).Body.String(); got != want[i] {
				t.Errorf("request %d: %s, at first %s", i, got, want[i])
			}
		}
	}
}

func TestForbiddenChannels(t *testing.T) {
	for i, b := range bodies() {
		want := post(b).Body.String()
		for _, extra := range []string{
			`"seed":7`, `"user":"much"`, `"temperature":2`, `"top_p":0.1`, `"metadata":{"level":"5"}`, `"logit_bias":{}`,
			`"response_format":{"type":"json_object"}`, `"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{}}}`,
			`"parallel_tool_calls":false`, `"store":true`, `"reasoning_effort":"low"`, `"service_tier":"auto"`, `"stop":["x"]`, `"stream":false`,
		} {
			if got := post(b[:len(b)-1] + "," + extra + "}").Body.String(); got != want {
				t.Errorf("request %d: %s changes the reply to %s", i, extra, got)
			}
		}
		got := post(strings.Replace(b, `"model":"m"`, `"model":"other"`, 1)).Body.String()
		if got = strings.Replace(got, `"model":"other"`, `"model":"m"`, 1); got != want {
			t.Errorf("request %d: the model changes the reply to %s", i, got)
		}
		r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions?level=5", strings.NewReader(b))
		for _, h := range []string{"Authorization", "User-Agent", "X-Request-Id", "OpenAI-Organization"} {
			r.Header.Set(h, "much")
		}
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, r)
		if got := w.Body.String(); got != want {
			t.Errorf("request %d: headers change the reply to %s", i, got)
		}
		for _, invisible := range []string{"\u200b", "\u200d", "\u00ad", "\ufeff", "\U000e0041", "\ufe0f", "\u0007"} {
			var req request
			decode(t, b, &req)
			for j := range req.Messages {
				c := string(req.Messages[j].Content)
				req.Messages[j].Content = content(strings.ReplaceAll(c, "a", invisible+"a"+invisible))
			}
			if got := post(body(map[string]any{"model": "m", "messages": req.Messages})).Body.String(); got != want {
				t.Errorf("request %d: %+q changes the reply to %s", i, invisible, got)
			}
		}
	}
}

// The simulator must know nothing of the rest of the harness.
func TestImports(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") {
			continue
		}
		file, err := parser.ParseFile(gotoken.NewFileSet(), f.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, im := range file.Imports {
			path, _ := strconv.Unquote(im.Path.Value)
			root, _, _ := strings.Cut(path, "/")
			if strings.HasSuffix(f.Name(), "_test.go") && (path == "go.uber.org/goleak" || path == "pgregory.net/rapid") {
				continue
			}
			if root == "pepbench" || strings.Contains(root, ".") {
				t.Errorf("%s imports %s", f.Name(), path)
			}
		}
	}
}

func TestServe(t *testing.T) {
	client := &http.Client{Transport: &http.Transport{}}
	before := runtime.NumGoroutine()
	for _, cancelled := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		base, stop, err := Serve(ctx)
		if err != nil {
			t.Fatal(err)
		}
		b := bodies()[0]
		res, err := client.Post(base+"/chat/completions", "application/json", strings.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if want := post(b).Body.Bytes(); !bytes.Equal(got, want) {
			t.Errorf("over the wire %s, want %s", got, want)
		}
		// A connection that never sends a request must not hold up stop for long.
		idle, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(base, "http://"), "/v1"))
		if err != nil {
			t.Fatal(err)
		}
		if cancelled {
			cancel()
		}
		for range 2 {
			if err := stop(); err != nil {
				t.Errorf("stop: %v", err)
			}
		}
		_ = idle.Close()
		cancel()
		client.CloseIdleConnections()
		if _, err := client.Get(base + "/models"); err == nil {
			t.Error("the server still runs")
		}
	}
	for end := time.Now().Add(2 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond) // the client's goroutines end in their own time
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
}

func FuzzBody(f *testing.F) {
	for _, b := range bodies() {
		f.Add(b)
		f.Add(b[:len(b)-1] + `,"stream":true,"max_tokens":3}`)
	}
	f.Add(`{"model":"m","messages":[{"role":"user","content":"Task: (\nA) <\nB) <!--\nreader wants:\n- a: (from least to most:|)"}]}`)
	f.Add(`{"model":"m","messages":[{"role":"user","content":"Response:\n<<<\n>>>\nCriterion:\nLevels:\n1. \n2. '"}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		w := post(body)
		switch w.Code {
		case 200, 400, 413:
		default:
			t.Fatalf("status %d", w.Code)
		}
		if w.Header().Get("Content-Type") == "text/event-stream" {
			if !strings.HasSuffix(w.Body.String(), "data: [DONE]\n\n") {
				t.Fatal("the stream does not end")
			}
			return
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Fatalf("no JSON: %s", w.Body)
		}
	})
}

// FuzzPrompt reaches deeper than FuzzBody: the JSON is always valid, and so must
// be the JSON inside the replies of the roles that give JSON.
func FuzzPrompt(f *testing.F) {
	for _, b := range bodies() {
		var req request
		decode(f, b, &req)
		f.Add(string(req.Messages[1].Content))
	}
	f.Fuzz(func(t *testing.T, prompt string) {
		reply := content0(t, post(chatBody("", prompt)))
		if strings.HasPrefix(reply, "{") && !json.Valid([]byte(reply)) {
			t.Fatalf("no JSON: %s", reply)
		}
	})
}

func benchmark(b *testing.B, body string) {
	h := Handler()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}

func BenchmarkSolve(b *testing.B) {
	task := strings.Repeat("A boat leaves the old pier at noon and nobody knows why it turned back. ", 4) + "\n" + choiceTask
	benchmark(b, chatBody(solverSystem, solverPrompt(task, scales[:5], []int{0, 1, 2, 3, 4})))
}

func BenchmarkJudgeSix(b *testing.B) {
	reply := chat(b, solverSystem, solverPrompt(choiceTask, scales[:6], []int{0, 1, 2, 3, 4, 0}))
	benchmark(b, chatBody(batchedSystem, judgePrompt(reply, scales[:6]...)))
}

func BenchmarkJudgeOne(b *testing.B) {
	reply := chat(b, solverSystem, solverPrompt(choiceTask, scales[:6], []int{0, 1, 2, 3, 4, 0}))
	benchmark(b, chatBody(singleSystem, judgePrompt(reply, scales[0])))
}

func BenchmarkJudgeLongResponse(b *testing.B) {
	reply := strings.Repeat("The harbour lies still, e.g. at noon, and no imagery of it isn't dull. ", 60)
	benchmark(b, chatBody(batchedSystem, judgePrompt(reply, scales[:6]...)))
}
