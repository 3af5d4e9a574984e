package llm

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestRate(t *testing.T) {
	prompt := Request{User: strings.Repeat("x", 4*(100-11))} // 100 tokens as estimated
	for _, row := range []struct {
		reason   string
		end      Endpoint
		reply    Reply
		calls    int
		min, max time.Duration // until the last one has begun
	}{
		{"no limit", Endpoint{}, Reply{}, 1000, 0, 0},
		{"60 a minute: a tenth at once, then one a second", Endpoint{RPM: 60}, Reply{}, 66, 60 * time.Second, 60 * time.Second},
		{"3 a minute: evenly", Endpoint{RPM: 3}, Reply{}, 4, time.Minute, time.Minute},
		{"tokens: 120 a call, 600 a minute", Endpoint{TPM: 600, MaxTokens: 20}, Reply{TokensIn: 100, TokensOut: 20}, 11, 114 * time.Second, 126 * time.Second},
		{"more tokens than estimated are paid for afterwards", Endpoint{TPM: 600, MaxTokens: 20}, Reply{TokensIn: 220, TokensOut: 20}, 11, 230 * time.Second, 250 * time.Second},
		{"fewer than estimated are given back", Endpoint{TPM: 600, MaxTokens: 500}, Reply{TokensIn: 100, TokensOut: 20}, 11, 110 * time.Second, 180 * time.Second},
		{"without max_tokens, replies are as long as those before", Endpoint{TPM: 600}, Reply{TokensIn: 100, TokensOut: 20}, 11, 110 * time.Second, 240 * time.Second},
		{"a server that does not count is believed the estimate", Endpoint{TPM: 600, MaxTokens: 20}, Reply{}, 11, 114 * time.Second, 126 * time.Second},
		{"both limits: the stricter one", Endpoint{RPM: 60, TPM: 1e6, MaxTokens: 20}, Reply{}, 66, 60 * time.Second, 60 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			var last time.Duration
			c := newRater(ClientFunc(func(context.Context, Request) (Reply, error) {
				last = time.Since(start)
				return row.reply, nil
			}), &row.end)
			for range row.calls {
				if _, err := c.Complete(t.Context(), prompt); err != nil {
					t.Errorf("%s: %v", row.reason, err)
				}
			}
			if last < row.min || last > row.max {
				t.Errorf("%s: the last call began after %v, want %v to %v", row.reason, last, row.min, row.max)
			}
		})
	}
}

// TestRateMany: many at once, none faster than the limit and none lost.
func TestRateMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		minute := map[int]int{}
		c := newRater(ClientFunc(func(context.Context, Request) (Reply, error) {
			mu.Lock()
			minute[int(time.Since(start)/time.Minute)]++
			mu.Unlock()
			return Reply{TokensIn: 11, TokensOut: 1}, nil
		}), &Endpoint{RPM: 120})
		var wg sync.WaitGroup
		for range 600 {
			wg.Go(func() {
				if _, err := c.Complete(t.Context(), Request{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for m, n := range minute {
			if n > 132 {
				t.Errorf("%d calls in minute %d, want 120, and 12 more in the first", n, m)
			}
		}
	})
}

// TestRateGivingUp: who gives up takes nothing from the others.
func TestRateGivingUp(t *testing.T) {
	why := errors.New("enough")
	synctest.Test(t, func(t *testing.T) {
		c := newRater(ClientFunc(func(context.Context, Request) (Reply, error) { return Reply{}, nil }), &Endpoint{RPM: 1})
		_, _ = c.Complete(t.Context(), Request{})
		start := time.Now()
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		if _, err := c.Complete(ctx, Request{}); !errors.Is(err, why) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if _, err := c.Complete(ctx, Request{}); !errors.Is(err, why) {
			t.Error(err)
		}
		if _, err := c.Complete(t.Context(), Request{}); err != nil || time.Since(start) != time.Minute {
			t.Errorf("%v after %v, want the call after a minute", err, time.Since(start))
		}
	})
}
