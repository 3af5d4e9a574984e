package llm

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestOrder: what a call passes, and in which order.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var at []time.Duration
		b := &Budget{Calls: 2}
		asked := 0
		l, err := Dial(Endpoint{BaseURL: "http://model.test/v1", Model: "m", RPM: 6, Concurrency: 1}, Options{
			Retry: Retry{Backoff: time.Nanosecond}, Budget: b,
			Cache: func(next Client, c *Conn) Client {
				if c == nil {
					t.Error("the cache is not told what it is in front of")
				}
				return ClientFunc(func(ctx context.Context, r Request) (Reply, error) {
					if asked++; r.User == "known" {
						return Reply{Content: "known", Cached: true}, nil
					}
					return next.Complete(ctx, r)
				})
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		l.Conn.http.Transport.(*wire).next = &inMemory{answer: func(try int, r *http.Request) (*http.Response, error) {
			at = append(at, time.Since(begun))
			if try == 1 {
				return response(500, fault("oops")), nil
			}
			return response(200, replyOf("ok")), nil
		}}
		reply, err := l.Complete(t.Context(), Request{User: "u"})
		if err != nil || reply.Attempts != 2 || len(at) != 2 || at[1] != 10*time.Second {
			t.Errorf("%+v, %v: attempts at %v, want the second after ten seconds, since both count", reply, err, at)
		}
		if s := b.Spent(); s.Calls != 1 || s.Tokens != 10 {
			t.Errorf("two attempts of a call are %+v", s)
		}
		for range 5 {
			if reply, err := l.Complete(t.Context(), Request{User: "known"}); err != nil || !reply.Cached {
				t.Errorf("%+v, %v", reply, err)
			}
		}
		if _, err := l.Complete(t.Context(), Request{User: "u"}); err != nil {
			t.Errorf("what was cached was paid for: %v", err)
		}
		if _, err := l.Complete(t.Context(), Request{User: "u"}); !errors.Is(err, ErrBudget) || len(at) != 3 {
			t.Errorf("a call past the limit: %v", err)
		}
		if reply, err := l.Complete(t.Context(), Request{User: "known"}); err != nil || !reply.Cached || asked != 9 {
			t.Errorf("what is cached needs no budget: %+v, %v", reply, err)
		}
		if l.Concurrency() != 1 {
			t.Errorf("%d calls at a time, want 1", l.Concurrency())
		}
	})
}

// TestConnectionsAreKept: about as many as there are calls in flight, used again and
// again. A call may begin before the connection of the one before is put back.
func TestConnectionsAreKept(t *testing.T) {
	for _, row := range []struct {
		reason             string
		concurrency, calls int
		most               int32
	}{
		{"one at a time", 1, 200, 20},
		{"eight at a time", 8, 800, 80},
	} {
		var opened atomic.Int32
		s := newCounted(&opened)
		c := dial(t, Endpoint{BaseURL: s.URL + "/v1", Concurrency: row.concurrency})
		var wg sync.WaitGroup
		for range row.calls {
			wg.Go(func() {
				if _, err := c.Complete(t.Context(), Request{User: "u"}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := opened.Load(); n > row.most {
			t.Errorf("%s: %d connections", row.reason, n)
		}
		c.Close()
		s.Close()
	}
}

// newCounted is a server that counts connections.
func newCounted(opened *atomic.Int32) *httptest.Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, okReply)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	return s
}
