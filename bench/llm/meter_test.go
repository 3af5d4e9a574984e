package llm

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestMeterCounts(t *testing.T) {
	fault := errors.New("oops")
	synctest.Test(t, func(t *testing.T) {
		var m Meter
		if m.Use() != (Use{}) {
			t.Errorf("a new meter shows %+v", m.Use())
		}
		for _, tt := range []struct {
			reason string
			reply  Reply
			err    error
			takes  time.Duration
			want   Use // so far
		}{
			{"a plain call", Reply{Attempts: 1, TokensIn: 10, TokensOut: 2}, nil, time.Second, Use{Calls: 1, TokensIn: 10, TokensOut: 2, Busy: time.Second}},
			{"a call that took three tries", Reply{Attempts: 3, TokensIn: 1, TokensOut: 1}, nil, 2 * time.Second, Use{Calls: 2, Retries: 2, TokensIn: 11, TokensOut: 3, Busy: 3 * time.Second}},
			{"a call that failed after four", Reply{Attempts: 4}, fault, time.Second, Use{Calls: 3, Retries: 5, Failed: 1, TokensIn: 11, TokensOut: 3, Busy: 4 * time.Second}},
			{"a client that does not count tries", Reply{}, nil, 0, Use{Calls: 4, Retries: 5, Failed: 1, TokensIn: 11, TokensOut: 3, Busy: 4 * time.Second}},
		} {
			ask := Request{System: "S", User: tt.reason}
			c := m.Wrap(ClientFunc(func(_ context.Context, r Request) (Reply, error) {
				if r.System != ask.System || r.User != ask.User {
					t.Errorf("%s: asked %+v", tt.reason, r)
				}
				time.Sleep(tt.takes)
				return tt.reply, tt.err
			}))
			reply, err := c.Complete(t.Context(), ask)
			if reply != tt.reply || !errors.Is(err, tt.err) {
				t.Errorf("%s: passed on %+v, %v", tt.reason, reply, err)
			}
			if got := m.Use(); got != tt.want {
				t.Errorf("%s:\n got %+v\nwant %+v", tt.reason, got, tt.want)
			}
		}
	})
}

// TestUncounted: what a server does not say of tokens is no zero of them.
func TestUncounted(t *testing.T) {
	for _, row := range []struct {
		reason string
		reply  Reply
		err    error
		want   int
	}{
		{"both are said", Reply{Content: "a", TokensIn: 3, TokensOut: 1}, nil, 0},
		{"nothing is said", Reply{Content: "a"}, nil, 1},
		{"words that took no token", Reply{Content: "a", TokensIn: 3}, nil, 1},
		{"no words took no token", Reply{TokensIn: 3}, nil, 0},
		{"no reply has no tokens", Reply{}, errors.New("no"), 0},
	} {
		ctx, tallies := WithTallies(t.Context())
		m := Meter{Role: "judge"}
		_, _ = m.Wrap(ClientFunc(func(context.Context, Request) (Reply, error) { return row.reply, row.err })).Complete(ctx, Request{})
		if got := tallies.ByRole()["judge"].Uncounted; got != row.want {
			t.Errorf("%s: %d uncounted, want %d", row.reason, got, row.want)
		}
	}
}

// Busy is summed over calls in flight: eight of a second each are eight seconds.
func TestMeterSumsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m Meter
		slow := ClientFunc(func(context.Context, Request) (Reply, error) {
			time.Sleep(time.Second)
			return Reply{Attempts: 2, TokensIn: 3, TokensOut: 1}, nil
		})
		var wg sync.WaitGroup
		for range 8 {
			c := m.Wrap(slow)
			wg.Go(func() {
				for range 25 {
					if _, err := c.Complete(t.Context(), Request{}); err != nil {
						t.Error(err)
					}
					m.Use()
				}
			})
		}
		wg.Wait()
		want := Use{Calls: 200, Retries: 200, TokensIn: 600, TokensOut: 200, Busy: 200 * time.Second}
		if got := m.Use(); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func BenchmarkMeter(b *testing.B) {
	var m Meter
	c := m.Wrap(ClientFunc(func(context.Context, Request) (Reply, error) { return Reply{Attempts: 1}, nil }))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Complete(b.Context(), Request{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
