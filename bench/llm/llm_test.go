package llm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"
)

func isUnusable(err error) bool  { return errors.Is(err, ErrUnusable) }
func isTransient(err error) bool { return errors.Is(err, ErrTransient) }

func TestErrors(t *testing.T) {
	const (
		refused = iota // neither
		unusable
		transient
	)
	apiError := func(message string) string {
		return `{"error":{"message":"` + message + `","type":"t","code":"c"}}`
	}
	for _, row := range []struct {
		reason string
		status int
		header map[string]string
		body   string
		kind   int
		tries  int
		words  string // that the error has
	}{
		{"wrong key", 401, nil, apiError("Incorrect API key provided: sk-abc*****wxyz. See k1-secret."), unusable, 1, "status 401: Incorrect API key provided: [key]. See [key]."},
		{"no credit", 402, nil, apiError("pay"), unusable, 1, "status 402: pay"},
		{"forbidden", 403, nil, apiError("no"), unusable, 1, "status 403: no"},
		{"no such model", 404, nil, apiError("model m does not exist"), unusable, 1, "model m does not exist"},
		{"no such path, in plain words", 404, nil, "404 page not found\n", unusable, 1, "status 404: 404 page not found; does base_url end in /v1 as the server wants it?"},
		{"nothing said", 404, nil, "", unusable, 1, "is base_url right?"},
		{"quota used up", 429, nil, `{"error":{"message":"quota","type":"insufficient_quota","code":"insufficient_quota"}}`, unusable, 1, "status 429: quota"},
		{"a redirect would turn POST into GET", 301, map[string]string{"Location": "https://other/v1"}, "", unusable, 1, "redirects to https://other/v1"},
		{"a web page", 200, map[string]string{"Content-Type": "text/html; charset=utf-8"}, "<html>", unusable, 3, "the reply is a web page"},
		{"this request is refused", 400, nil, apiError("context too long"), refused, 1, "status 400: context too long"},
		{"error that is a string", 422, nil, `{"detail":"bad field"}`, refused, 1, `status 422: bad field`},
		{"details in a list", 422, nil, `{"detail":[{"loc":["body","x"],"msg":"bad"}]}`, refused, 1, `status 422: [{"loc":["body","x"],"msg":"bad"}]`},
		{"Ollama: no such model", 404, nil, `{"error":"model 'm' not found"}`, unusable, 1, "status 404: model 'm' not found"},
		{"LM Studio: no such model", 400, nil, `{"error":"Model 'm' not found. Please load a model first"}`, refused, 1, "status 400: Model 'm' not found"},
		{"vLLM: no such model", 404, nil, `{"object":"error","message":"The model ` + "`m`" + ` does not exist.","type":"NotFoundError","param":null,"code":404}`, unusable, 1, "status 404: The model `m` does not exist."},
		{"Gemini: an error in a list", 400, nil, `[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]`, refused, 1, "status 400: bad"},
		{"OpenRouter: what the server behind it says", 400, nil, `{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":\"too hot\"}","provider_name":"X"}},"user_id":"u"}`, refused, 1, `status 400: Provider returned error: {"error":"too hot"}`},
		{"a web page for an error", 502, nil, "<html>\r\n<head><title>502 Bad Gateway</title></head><body>nginx</body></html>", transient, 3, "status 502: a web page (502 Bad Gateway)"},
		{"a web page that says it is JSON", 200, map[string]string{"Content-Type": "application/json"}, "\n<!DOCTYPE html><html>", unusable, 3, "the reply is a web page"},
		{"a string for an error with status 200", 200, nil, `{"error":"model is loading"}`, transient, 3, "status 502: model is loading"},
		{"a detail with status 200", 200, nil, `{"detail":"nope"}`, transient, 3, "status 502: nope"},
		{"too many requests", 429, nil, apiError("slow down"), transient, 3, "status 429: slow down (after 3 tries)"},
		{"server error", 500, nil, "oops", transient, 3, "status 500: oops"},
		{"gateway", 502, nil, "<html>bad gateway</html>", transient, 3, "status 502: a web page"},
		{"overloaded", 529, nil, "", transient, 3, "status 529"},
		{"half a reply", 200, nil, okReply[:40], transient, 3, "unexpected"},
		{"not JSON", 200, nil, "hello", transient, 3, "invalid character"},
		{"no choices", 200, nil, `{"choices":[]}`, transient, 3, "the reply has no choices"},
		{"an error with status 200", 200, nil, `{"error":{"message":"upstream","code":503}}`, transient, 3, "status 503: upstream"},
		{"a key with status 200", 200, nil, `{"error":{"message":"bad key","code":401}}`, unusable, 1, "status 401: bad key"},
		{"long words are cut", 500, nil, strings.Repeat("word ", 1000), transient, 3, "..."},
		{"words are one line", 500, nil, "a\n\tb\r\nc", transient, 3, "a b c"},
		{"a header's secret is hidden", 500, nil, "you sent header-secret", transient, 3, "you sent [header]"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			var calls atomic.Int32
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				for k, v := range row.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(row.status)
				_, _ = io.WriteString(w, row.body)
			})
			url = strings.Replace(url, "http://", "http://user:pass-secret@", 1)
			c := dialStack(t, stack{end: Endpoint{BaseURL: url, Key: "k1-secret", Headers: map[string]string{"X-Key": "Token header-secret"}}, retry: Retry{Attempts: 3}})
			reply, err := c.Complete(context.Background(), Request{User: "u"})
			if err == nil {
				t.Fatalf("no error, reply %+v", reply)
			}
			kind := refused
			switch {
			case isUnusable(err) && !isTransient(err):
				kind = unusable
			case isTransient(err) && !isUnusable(err):
				kind = transient
			}
			if kind != row.kind || int(calls.Load()) != row.tries || reply.Attempts != row.tries {
				t.Errorf("%v: kind %d after %d calls (%d attempts), want kind %d after %d", err, kind, calls.Load(), reply.Attempts, row.kind, row.tries)
			}
			if !strings.Contains(err.Error(), row.words) {
				t.Errorf("%q does not say %q", err, row.words)
			}
			if strings.Contains(err.Error(), "secret") || strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 500 {
				t.Errorf("%q tells a secret, is not one line, or has no end", err)
			}
			if !strings.Contains(err.Error(), ", model m: ") {
				t.Errorf("%q does not say where", err)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := "http://" + l.Addr().String() + "/v1"
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	plain := serve(t, http.NotFound)
	for _, row := range []struct {
		reason, url string
		tries       int
	}{
		{"nobody listens: perhaps the server is starting up", dead, 2},
		{"a certificate that nobody vouches for", secure.URL + "/v1", 1},
		{"https where http is spoken", strings.Replace(plain, "http://", "https://", 1), 1},
	} {
		reply, err := dialStack(t, stack{end: Endpoint{BaseURL: row.url}, retry: Retry{Attempts: 2}}).Complete(context.Background(), Request{User: "u"})
		if !isUnusable(err) || reply.Attempts != row.tries {
			t.Errorf("%s: %v after %d tries, want an unusable endpoint after %d", row.reason, err, reply.Attempts, row.tries)
		}
	}
}

func TestBrokenConnectionsAreTransient(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = c.Close()
	})
	reply, err := dialStack(t, stack{end: Endpoint{BaseURL: url}, retry: Retry{Attempts: 3}}).Complete(context.Background(), Request{User: "u"})
	if !isTransient(err) || reply.Attempts != 3 {
		t.Errorf("%v after %d tries, want a transient error after 3", err, reply.Attempts)
	}
}

func TestRetriesSucceed(t *testing.T) {
	var calls atomic.Int32
	var bodies sync.Map
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies.Store(string(b), true)
		if calls.Add(1) < 3 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = io.WriteString(w, okReply)
	})
	temperature := 0.0
	m := &Meter{}
	c := m.Wrap(dial(t, Endpoint{BaseURL: url, Temperature: &temperature}))
	reply, err := c.Complete(context.Background(), Request{User: "u"})
	if err != nil || reply.Attempts != 3 {
		t.Fatalf("%v after %d tries, want success after 3", err, reply.Attempts)
	}
	n := 0
	bodies.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d different bodies in 3 tries of one call", n)
	}
	u := m.Use()
	if u.Busy <= 0 {
		t.Error("the call took no time")
	}
	u.Busy = 0
	if want := (Use{Calls: 1, Retries: 2, TokensIn: 7, TokensOut: 3}); u != want {
		t.Errorf("metered %+v, want %+v", u, want)
	}
}

func TestRetryAfterIsHeeded(t *testing.T) {
	var calls atomic.Int32
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			w.Header().Set("Retry-After", "0.05")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, okReply)
	})
	begun := time.Now()
	if _, err := dial(t, Endpoint{BaseURL: url}).Complete(context.Background(), Request{User: "u"}); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begun); d < 50*time.Millisecond {
		t.Errorf("tried again after %v, the server asked for 50ms", d)
	}
}

func TestTimeOut(t *testing.T) {
	release := make(chan struct{})
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(release) })
	reply, err := dialStack(t, stack{end: Endpoint{BaseURL: url, Timeout: 20 * time.Millisecond}, retry: Retry{Attempts: 2}}).Complete(context.Background(), Request{User: "u"})
	if !isTransient(err) || reply.Attempts != 2 || !strings.Contains(err.Error(), "no reply within 20ms") {
		t.Errorf("%v after %d tries, want a transient error after 2", err, reply.Attempts)
	}
}

func TestCancelling(t *testing.T) {
	cause := errors.New("enough")
	for _, row := range []struct {
		reason string
		serve  http.HandlerFunc
	}{
		{"while the server thinks", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}},
		{"while waiting for another try", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusServiceUnavailable)
		}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			c := dialStack(t, stack{end: Endpoint{BaseURL: serve(t, row.serve)}, retry: Retry{Backoff: time.Minute}})
			time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
			begun := time.Now()
			_, err := c.Complete(ctx, Request{User: "u"})
			if !errors.Is(err, cause) {
				t.Errorf("got %v, want the context's cause", err)
			}
			if d := time.Since(begun); d > 10*time.Second {
				t.Errorf("took %v to stop", d)
			}
		})
	}
}

func TestSplitThinking(t *testing.T) {
	for _, row := range []struct {
		reason, in, thought, rest string
		ok                        bool
	}{
		{"none", " a ", "", " a ", false},
		{"a block", "<think>\nt\n</think>\n\na", "t", "a", true},
		{"an empty block", "<think></think>a", "", "a", true},
		{"only a closing tag", "t\n</think>\na", "t", "a", true},
		{"only a closing tag, in one line", "I reason.</think>Answer", "I reason.", "Answer", true},
		{"only a closing tag and no thought", "</think>x", "", "x", true},
		{"two closing tags: at the first", "a</think>b</think>c", "a", "b</think>c", true},
		{"a block and a closing tag: at the first", "<think>a</think>b</think>c", "a", "b</think>c", true},
		{"a block amid the text", "Well. <think>t</think>a", "t", "Well. a", true},
		{"two blocks", "<think>t</think>a <think>u</think>b", "t\nu", "a b", true},
		{"blocks in each other", "<think>t<think>u</think>v</think>a", "t<think>u\nv", "a", true},
		{"cut off while thinking", "\n<think>t and", "t and", "", true},
		{"cut off after a first thought", "<think>t</think> <think>u", "t\nu", "", true},
		{"an opening tag that is talked about", "write <think> first", "", "write <think> first", false},
		{"thinking and no answer", "<think>t</think>", "t", "", true},
	} {
		thought, rest, ok := SplitThinking(row.in)
		if thought != row.thought || rest != row.rest || ok != row.ok {
			t.Errorf("%s: %q gives %q, %q, %v; want %q, %q, %v", row.reason, row.in, thought, rest, ok, row.thought, row.rest, row.ok)
		}
	}
}

func FuzzSplitThinking(f *testing.F) {
	for _, s := range []string{"a", "<think>t</think>a", "t</think>a", "<think>t", "<think><think></think></think>", "</think></think>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		thought, rest, ok := SplitThinking(s)
		if !ok && (rest != s || thought != "") {
			t.Errorf("nothing was split off %q, yet it became %q and %q", s, thought, rest)
		}
		if len(thought)+len(rest) > len(s) {
			t.Errorf("%q grew to %q and %q", s, thought, rest)
		}
		if ok && rest != strings.TrimSpace(rest) {
			t.Errorf("%q: %q has blanks around it", s, rest)
		}
	})
}

func TestMeterCountsManyAtOnce(t *testing.T) {
	fail := errors.New("no")
	m := &Meter{}
	c := m.Wrap(ClientFunc(func(_ context.Context, r Request) (Reply, error) {
		if r.User == "fail" {
			return Reply{Attempts: 4}, fail
		}
		return Reply{TokensIn: 2, TokensOut: 1, Attempts: 1}, nil
	}))
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			user := "ok"
			if i%10 == 0 {
				user = "fail"
			}
			_, err := c.Complete(context.Background(), Request{User: user})
			if (err != nil) != (user == "fail") {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	u := m.Use()
	u.Busy = 0
	if want := (Use{Calls: 200, Failed: 20, Retries: 60, TokensIn: 360, TokensOut: 180}); u != want {
		t.Errorf("metered %+v, want %+v", u, want)
	}
}

func TestNothingIsLeftRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, okReply)
	}))
	c, err := New(Endpoint{BaseURL: s.URL, Model: "m", Concurrency: 8})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if _, err := c.Complete(context.Background(), Request{User: "u"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	c.Close()
	s.Close()
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func BenchmarkComplete(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, okReply)
	}))
	defer s.Close()
	zero := 0.0
	for _, size := range []int{1000, 8000} {
		b.Run(fmt.Sprintf("bare-go-openai/prompt=%d", size), func(b *testing.B) { // the floor
			cfg := openai.DefaultConfig("k")
			cfg.BaseURL = s.URL + "/v1"
			c := openai.NewClientWithConfig(cfg)
			r := openai.ChatCompletionRequest{Model: "m", Messages: []openai.ChatCompletionMessage{{Role: "system", Content: "s"}, {Role: "user", Content: strings.Repeat("u", size)}}}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.CreateChatCompletion(context.Background(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("link/prompt=%d", size), func(b *testing.B) { // all middleware but the cache
			c, err := Dial(Endpoint{BaseURL: s.URL, Model: "m", Temperature: &zero, RPM: 1e9, TPM: 1e9}, Options{Budget: &Budget{Tokens: 1e15}})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			m := (&Meter{Role: "judge"}).Wrap(c)
			r := Request{System: "s", User: strings.Repeat("u", size)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Complete(context.Background(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("conn/prompt=%d", size), func(b *testing.B) {
			c, err := New(Endpoint{BaseURL: s.URL, Model: "m", Temperature: &zero})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			r := Request{System: "s", User: strings.Repeat("u", size)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Complete(context.Background(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
