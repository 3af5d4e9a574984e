package llm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The tests of this file wait on the clock of a synctest bubble, which costs no
// time; the network is a function.

// roundTrip is a server in memory: it answers the n-th try, from 1.
type roundTrip func(try int, r *http.Request) (*http.Response, error)

type inMemory struct {
	answer roundTrip
	tries  int
}

func (m *inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	m.tries++
	if r.Body != nil {
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
	}
	return m.answer(m.tries, r)
}

// A stack is an endpoint and how often its calls are tried.
type stack struct {
	end   Endpoint
	retry Retry
}

// connect makes a client whose network is f.
func connect(t *testing.T, s stack, f roundTrip) (Client, *inMemory) {
	t.Helper()
	e := s.end
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
	m := &inMemory{answer: f}
	c.http.Transport.(*wire).next = m
	return s.retry.Wrap(c), m
}

const jsonType = "Content-Type: application/json"

// response makes a reply; headers are "Key: value", JSON is the default type.
func response(status int, body string, headers ...string) *http.Response {
	res := &http.Response{
		StatusCode: status,
		Status:     fmt.Sprintf("%d %s", status, http.StatusText(status)),
		Header:     http.Header{},
		Body:       io.NopCloser(strings.NewReader(body)),
	}
	for _, h := range append([]string{jsonType}, headers...) {
		k, v, _ := strings.Cut(h, ": ")
		res.Header.Set(k, v)
	}
	return res
}

// replyOf is a whole reply with the given text.
func replyOf(text string) string {
	return fmt.Sprintf(`{"id":"1","object":"chat.completion","created":0,"model":"served","choices":[{"index":0,"message":{"role":"assistant","content":%q},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`, text)
}

// fault is an error in OpenAI's shape.
func fault(message string) string { return fmt.Sprintf(`{"error":{"message":%q}}`, message) }

// always answers every try alike.
func always(status int, body string, headers ...string) roundTrip {
	return func(int, *http.Request) (*http.Response, error) { return response(status, body, headers...), nil }
}

// then answers the first n tries one way and the others another.
func then(n int, first, rest roundTrip) roundTrip {
	return func(try int, r *http.Request) (*http.Response, error) {
		if try <= n {
			return first(try, r)
		}
		return rest(try, r)
	}
}

func broken(err error) roundTrip {
	return func(int, *http.Request) (*http.Response, error) { return nil, err }
}

// hang answers only when the caller gives up.
func hang(_ int, r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func refused() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect: connection refused")}
}

const page = "<!DOCTYPE html>\n<html>\n<title>Welcome</title>\n</html>\n"

// TestFailures: what is tried again, how long that takes, and what is said. The
// clock is that of the bubble, which begins at midnight on 1 January 2000.
func TestWaits(t *testing.T) {
	ok := always(200, replyOf("ok"))
	for _, tt := range []struct {
		reason   string
		end      stack
		answer   roundTrip
		tries    int
		min, max time.Duration // waited
		mark     error         // that the error wraps
		want     string        // the error; empty: success
	}{
		{"no fault", stack{}, ok, 1, 0, 0, nil, ""},
		{"429 with Retry-After in seconds, then success", stack{}, then(1, always(429, fault("slow down"), "Retry-After: 7"), ok), 2, 7 * time.Second, 7 * time.Second, nil, ""},
		{"429 with Retry-After as a date, then success", stack{}, then(1, always(429, fault("slow down"), "Retry-After: Sat, 01 Jan 2000 00:00:09 GMT"), ok), 2, 9 * time.Second, 9 * time.Second, nil, ""},
		{"503 says Retry-After, too", stack{}, then(1, always(503, fault("busy"), "Retry-After: 2"), ok), 2, 2 * time.Second, 2 * time.Second, nil, ""},
		{"no longer than is wanted", stack{retry: Retry{Longest: time.Minute}}, then(1, always(429, fault("slow down"), "Retry-After: 80000"), ok), 2, time.Minute, time.Minute, nil, ""},
		{"429 without Retry-After", stack{}, then(1, always(429, fault("slow down")), ok), 2, 0, 500 * time.Millisecond, nil, ""},
		{"429 until the tries are spent", stack{retry: Retry{Attempts: 2}}, always(429, fault("slow down"), "Retry-After: 1"), 2, time.Second, time.Second, ErrTransient, "status 429: slow down (after 2 tries)"},
		{"429 for want of credit", stack{}, always(429, `{"error":{"message":"You exceeded your quota","type":"insufficient_quota"}}`), 1, 0, 0, ErrUnusable, "status 429: You exceeded your quota"},
		{"500 once", stack{}, then(1, always(500, fault("oops")), ok), 2, 0, 500 * time.Millisecond, nil, ""},
		{"500 until the tries are spent, backing off .5, 1 and 2 s at most", stack{}, always(500, fault("oops")), 4, time.Millisecond, 3500 * time.Millisecond, ErrTransient, "status 500: oops (after 4 tries)"},
		{"one try", stack{retry: Retry{Attempts: 1}}, always(500, fault("oops")), 1, 0, 0, ErrTransient, "status 500: oops"},
		{"many tries do not overflow", stack{retry: Retry{Attempts: 200, Backoff: time.Hour, Longest: 24 * time.Hour, Total: 1000 * time.Hour}}, always(500, fault("oops")), 200, time.Hour, 199 * time.Hour, ErrTransient, "status 500: oops (after 200 tries)"},
		{"408", stack{}, then(1, always(408, fault("slow")), ok), 2, 0, 500 * time.Millisecond, nil, ""},
		{"409", stack{}, then(1, always(409, fault("conflict")), ok), 2, 0, 500 * time.Millisecond, nil, ""},
		{"400 is about this request", stack{}, always(400, fault("bad role")), 1, 0, 0, nil, "status 400: bad role"},
		{"422 is about this request", stack{}, always(422, `{"detail":"temperature"}`), 1, 0, 0, nil, "status 422: temperature"},
		{"401: wrong key", stack{}, always(401, fault("Incorrect API key")), 1, 0, 0, ErrUnusable, "status 401: Incorrect API key"},
		{"403: not yours", stack{}, always(403, fault("forbidden")), 1, 0, 0, ErrUnusable, "status 403: forbidden"},
		{"404: no such model", stack{}, always(404, fault("The model m does not exist")), 1, 0, 0, ErrUnusable, "status 404: The model m does not exist"},
		{"404 in a sentence: no such path", stack{}, always(404, fault("Unknown request URL.")), 1, 0, 0, ErrUnusable, "status 404: Unknown request URL; does base_url end in /v1 as the server wants it?"},
		{"404 without a body: no such path", stack{}, always(404, ""), 1, 0, 0, ErrUnusable, "status 404 without a word; is base_url right?"},
		{"a message in many lines is one line", stack{}, always(400, fault("a\n\tb\r\n\nc")), 1, 0, 0, nil, "status 400: a b c"},
		{"a page with 502", stack{retry: Retry{Attempts: 2}}, always(502, page, "Content-Type: text/html"), 2, 0, 500 * time.Millisecond, ErrTransient, "status 502: a web page (Welcome) (after 2 tries)"},
		{"a page with 200", stack{retry: Retry{Attempts: 1}}, always(200, page, "Content-Type: text/html; charset=utf-8"), 1, 0, 0, ErrUnusable, "the reply is a web page; does base_url end in /v1 as the server wants it?"},
		{"a page with 200 while the server starts", stack{}, then(1, always(200, page, "Content-Type: text/html"), ok), 2, 0, 500 * time.Millisecond, nil, ""},
		{"no choices", stack{retry: Retry{Attempts: 1}}, always(200, `{"choices":[]}`), 1, 0, 0, ErrTransient, "the reply has no choices"},
		{"null", stack{retry: Retry{Attempts: 1}}, always(200, `null`), 1, 0, 0, ErrTransient, "the reply has no choices"},
		{"an error that comes with 200", stack{}, always(200, `{"error":{"message":"no such model","code":404}}`), 1, 0, 0, ErrUnusable, "status 404: no such model"},
		{"half a reply", stack{retry: Retry{Attempts: 1}}, always(200, `{"choices":[{`), 1, 0, 0, ErrTransient, "the reply cannot be read: unexpected end of JSON input"},
		{"a redirect", stack{}, always(301, "", "Location: https://h.test/v1"), 1, 0, 0, ErrUnusable, "the server redirects to https://h.test/v1; use that address in base_url"},
		{"refused, then up", stack{}, then(2, broken(refused()), ok), 3, 0, 1500 * time.Millisecond, nil, ""},
		{"refused for good", stack{}, broken(refused()), 4, time.Millisecond, 3500 * time.Millisecond, ErrUnusable, "dial tcp: connect: connection refused (after 4 tries); is the server running, and is base_url its address?"},
		{"no such host", stack{retry: Retry{Attempts: 2}}, broken(&net.DNSError{Err: "no such host", Name: "model.test", IsNotFound: true}), 2, 0, 500 * time.Millisecond, ErrUnusable, "lookup model.test: no such host (after 2 tries); is the server running, and is base_url its address?"},
		{"nobody picks up", stack{retry: Retry{Attempts: 1}}, broken(&net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}), 1, 0, 0, ErrUnusable, "dial tcp: context deadline exceeded; is the server running, and is base_url its address?"},
		{"a certificate of somebody else", stack{}, broken(&tls.CertificateVerificationError{Err: errors.New("x509: unknown authority")}), 1, 0, 0, ErrUnusable, "tls: failed to verify certificate: x509: unknown authority"},
		{"a connection that breaks", stack{retry: Retry{Attempts: 2}}, broken(io.ErrUnexpectedEOF), 2, 0, 500 * time.Millisecond, ErrTransient, "unexpected EOF (after 2 tries)"},
		{"time-out", stack{}, hang, 4, 8 * time.Minute, 8*time.Minute + 3500*time.Millisecond, ErrTransient, "no reply within 2m0s (after 4 tries)"},
		{"time-out, and no further try once trying has taken five minutes", stack{retry: Retry{Total: 5 * time.Minute}}, hang, 3, 6 * time.Minute, 6*time.Minute + 1500*time.Millisecond, ErrTransient, "no reply within 2m0s (after 3 tries)"},
		{"no wait that would end past that", stack{retry: Retry{Total: time.Minute}}, always(429, fault("slow down"), "Retry-After: 40"), 2, 40 * time.Second, 40 * time.Second, ErrTransient, "status 429: slow down (after 2 tries)"},
		{"425", stack{}, then(1, always(425, fault("early")), ok), 2, 0, 500 * time.Millisecond, nil, ""},
		{"time-out, then success", stack{end: Endpoint{Timeout: time.Second}}, then(1, hang, ok), 2, time.Second, 1500 * time.Millisecond, nil, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, net := connect(t, tt.end, tt.answer)
			begun := time.Now()
			reply, err := c.Complete(t.Context(), Request{User: tt.reason})
			waited := time.Since(begun)
			if net.tries != tt.tries || reply.Attempts != tt.tries {
				t.Errorf("%s: %d tries, %d said, want %d", tt.reason, net.tries, reply.Attempts, tt.tries)
			}
			if waited < tt.min || waited > tt.max {
				t.Errorf("%s: took %v, want %v to %v", tt.reason, waited, tt.min, tt.max)
			}
			if tt.want == "" {
				if err != nil || reply.Content != "ok" {
					t.Errorf("%s: %v, %+v", tt.reason, err, reply)
				}
				return
			}
			if want := "http://model.test/v1, model m: " + tt.want; err == nil || err.Error() != want {
				t.Errorf("%s:\n got %v\nwant %s", tt.reason, err, want)
			}
			for _, mark := range []error{ErrUnusable, ErrTransient} {
				if errors.Is(err, mark) != (tt.mark == mark) {
					t.Errorf("%s: errors.Is(err, %v) is %v", tt.reason, mark, errors.Is(err, mark))
				}
			}
		})
	}
}

// The waits follow from the message, so that a run can be repeated, and differ
// between messages, so that calls that failed together do not come back together.
// Where somebody waits for a call, a server that wants to be left alone for long ends it.
func TestImpatient(t *testing.T) {
	for _, row := range []struct {
		reason, after string
		tries         int
		want          string
	}{
		{"seconds are waited for", "7", 2, ""},
		{"an hour is not", "3600", 1, "status 503: busy; the server asks to be left alone for 1h0m0s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, m := connect(t, stack{}, then(1, always(503, fault("busy"), "Retry-After: "+row.after), always(200, replyOf("ok"))))
			begun := time.Now()
			_, err := c.Complete(Impatient(t.Context()), Request{User: "U"})
			said := ""
			if err != nil {
				said = err.Error()
			}
			if !strings.HasSuffix(said, row.want) || (said == "") != (row.want == "") || m.tries != row.tries || time.Since(begun) > 7*time.Second {
				t.Errorf("%s: %q after %d tries and %v", row.reason, said, m.tries, time.Since(begun))
			}
		})
	}
}

func TestJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		took := func(user string) time.Duration {
			c, _ := connect(t, stack{}, always(500, fault("oops")))
			begun := time.Now()
			if _, err := c.Complete(t.Context(), Request{User: user}); err == nil {
				t.Fatal("no error")
			}
			return time.Since(begun)
		}
		if a, b := took("a"), took("a"); a != b {
			t.Errorf("one message waits %v and %v", a, b)
		}
		seen := map[time.Duration]bool{}
		for i := range 20 {
			seen[took(fmt.Sprint(i))] = true
		}
		if len(seen) < 20 {
			t.Errorf("20 messages wait %d different times", len(seen))
		}
	})
}

func TestCancelledAtOnce(t *testing.T) {
	why := errors.New("the user pressed Ctrl-C")
	for _, tt := range []struct {
		reason string
		answer roundTrip
		after  time.Duration
		tries  int
	}{
		{"before the call", hang, 0, 1},
		{"during a call", hang, time.Second, 1},
		{"while waiting to try again", always(429, fault("slow down"), "Retry-After: 100"), time.Second, 1},
		{"during the second try", then(1, always(429, fault("slow down"), "Retry-After: 1"), hang), 3 * time.Second, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, net := connect(t, stack{}, tt.answer)
			ctx, cancel := context.WithCancelCause(t.Context())
			begun := time.Now()
			if tt.after == 0 {
				cancel(why)
			} else {
				time.AfterFunc(tt.after, func() { cancel(why) })
			}
			reply, err := c.Complete(ctx, Request{User: "U"})
			if !errors.Is(err, why) || errors.Is(err, ErrUnusable) || errors.Is(err, ErrTransient) {
				t.Errorf("%s: %v", tt.reason, err)
			}
			if waited := time.Since(begun); waited != tt.after || net.tries > tt.tries || reply.Attempts != tt.tries {
				t.Errorf("%s: %v and %d tries (%d said) after a cancel at %v", tt.reason, waited, net.tries, reply.Attempts, tt.after)
			}
		})
	}
}

// A deadline of the caller is not a time-out of the endpoint.
func TestCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := connect(t, stack{}, hang)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begun := time.Now()
		_, err := c.Complete(ctx, Request{User: "U"})
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrTransient) || time.Since(begun) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// A server may repeat whatever it was sent; no error does.
func TestSecretsStaySecret(t *testing.T) {
	const key, header, password = "abcd+/ef-0123456789", "hunter2-header", "hunter3-password"
	all := key + " " + header + " " + password
	for _, tt := range []struct {
		reason string
		answer roundTrip
	}{
		{"in an error of ours", always(400, fault("Incorrect key: "+all))},
		{"in an error that is unusable", always(401, fault("Bearer "+all))},
		{"in an error after tries", always(500, fault(all+all))},
		{"over several lines", always(400, fault("key\n"+key+"\nheader\n"+header+"\npassword\n"+password))},
		{"in another shape", always(403, `{"detail":"`+all+`"}`)},
		{"in a page", always(502, "<html>"+all+"</html>", "Content-Type: text/html")},
		{"in an error with 200", always(200, fault(all))},
		{"where a redirect goes", always(302, "", "Location: https://h.test/?k="+key+"&h="+header+"&p="+password)},
		{"in what is no JSON", always(200, all)},
		{"in an error of the network", broken(errors.New(all))},
		{"at the place where a long message is cut", always(400, fault(strings.Repeat("x", 290)+" "+all))},
	} {
		c, _ := connect(t, stack{end: Endpoint{BaseURL: "http://user:" + password + "@model.test/v1", Key: key, Headers: map[string]string{"X-Key": header}}, retry: Retry{Attempts: 2, Backoff: time.Nanosecond}}, tt.answer)
		_, err := c.Complete(t.Context(), Request{User: "U"})
		if err == nil {
			t.Errorf("%s: no error", tt.reason)
			continue
		}
		for _, secret := range []string{key, header, password, key[:8], header[:8], password[:8]} {
			if strings.Contains(err.Error(), secret) || strings.Contains(fmt.Sprintf("%+v %q", err, err), secret) {
				t.Errorf("%s: %v", tt.reason, err)
			}
		}
		if strings.ContainsAny(err.Error(), "\n\r\t") || len(err.Error()) > 500 {
			t.Errorf("%s: not one short line: %q", tt.reason, err)
		}
	}
	c, _ := connect(t, stack{end: Endpoint{Key: "sk-proj-abcdefgh12345678"}}, always(401, fault("Incorrect API key provided: sk-proj-abcd****5678.")))
	if _, err := c.Complete(t.Context(), Request{User: "U"}); err == nil || strings.Contains(err.Error(), "5678") {
		t.Errorf("a key with stars in the middle: %v", err)
	}
}

// What a server or model repeats of its secrets is in no reply, and so in no journal,
// cache or error about what could not be read; words that only stand in a header, or for
// a key, stay.
func TestSecretsInReplies(t *testing.T) {
	const key, header, password = "abcd+/ef-0123456789", "hunter2-header", "hunter3-password"
	all := key + " " + header + " " + password
	c, _ := connect(t, stack{end: Endpoint{BaseURL: "http://user:" + password + "@model.test/v1", Key: key, Headers: map[string]string{"X-Key": "Token " + header, "X-Title": "preferences"}}},
		then(1, always(200, `{"model":"`+all+`","choices":[{"message":{"content":"preferences `+all+`","reasoning_content":"`+all+`","refusal":"`+all+`"},"finish_reason":"`+all+`"}]}`),
			always(200, `{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":"`+all+`"}}]}}]}`)))
	const hidden = "[key] [header] [password]"
	for _, want := range []Reply{
		{Content: "preferences " + hidden, Reasoning: hidden, Refusal: hidden, Finish: hidden, Model: hidden, Attempts: 1},
		{Tool: "f " + hidden, Attempts: 1},
	} {
		if got, err := c.Complete(t.Context(), Request{User: "U"}); err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	c, _ = connect(t, stack{end: Endpoint{Key: "not-needed"}}, always(200, `{"choices":[{"message":{"content":"it is not-needed"}}]}`))
	if got, err := c.Complete(t.Context(), Request{User: "U"}); err != nil || got.Content != "it is not-needed" {
		t.Errorf("a key that is a word: %+v, %v", got, err)
	}
}

// Close leaves nothing behind, also when calls had to be tried again.
func TestNothingIsLeftAfterRetries(t *testing.T) {
	var n atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1)%3 != 0 {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, fault("oops"))
			return
		}
		_, _ = io.WriteString(w, replyOf("ok"))
	}))
	defer srv.Close()
	before := runtime.NumGoroutine()
	for range 3 {
		c, err := Dial(Endpoint{BaseURL: srv.URL + "/v1", Model: "m"}, Options{Retry: Retry{Attempts: 50, Backoff: time.Nanosecond}})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				if _, err := c.Complete(t.Context(), Request{User: fmt.Sprint(i)}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		c.Close()
	}
	after := 0
	for range 500 { // connections need a moment to end, on both sides
		if after = runtime.NumGoroutine(); after <= before {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, after)
}
