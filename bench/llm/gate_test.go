package llm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slow answers after a time.
func slow(d time.Duration) ClientFunc {
	return func(ctx context.Context, _ Request) (Reply, error) {
		select {
		case <-time.After(d):
			return Reply{Attempts: 1, Content: "ok"}, nil
		case <-ctx.Done():
			return Reply{Attempts: 1}, context.Cause(ctx)
		}
	}
}

// tooMany is a 429.
func tooMany(wait time.Duration) error {
	return &callError{what: "status 429", mark: ErrTransient, status: 429, again: true, wait: wait}
}

// counting notes the most calls in flight.
type counting struct {
	Client
	mu        sync.Mutex
	now, most int
}

func (c *counting) Complete(ctx context.Context, r Request) (Reply, error) {
	c.mu.Lock()
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.now--
		c.mu.Unlock()
	}()
	return c.Client.Complete(ctx, r)
}

func TestGateHolds(t *testing.T) {
	for _, row := range []struct {
		reason      string
		concurrency int
		calls, most int
		takes       time.Duration // of all calls, a second each
		places      int           // at the end
	}{
		{"one at a time", 1, 5, 1, 5 * time.Second, 1},
		{"a fixed number is filled, and kept", 8, 80, 8, 10 * time.Second, 8},
		{"fewer calls than places", 8, 3, 3, time.Second, 8},
		{"found out: from 20, one more after a window of successes", 0, 20 + 21 + 22, 22, 3 * time.Second, 23},
		{"found out: what does not hold calls back is not raised", 0, 19, 19, time.Second, 20},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := &counting{Client: slow(time.Second)}
			g := newGate(c, &Endpoint{Concurrency: row.concurrency})
			begun := time.Now()
			var wg sync.WaitGroup
			for range row.calls {
				wg.Go(func() {
					if _, err := g.Complete(t.Context(), Request{}); err != nil {
						t.Errorf("%s: %v", row.reason, err)
					}
				})
			}
			wg.Wait()
			if took := time.Since(begun); c.most != row.most || took != row.takes || g.places() != row.places || g.inFlight != 0 || len(g.queue) != 0 {
				t.Errorf("%s: %d in flight, %v, %d places at the end (%d taken, %d wait); want %d, %v, %d", row.reason, c.most, took, g.places(), g.inFlight, len(g.queue), row.most, row.takes, row.places)
			}
		})
	}
}

// TestGateCeiling: however long all goes well, there is an end to it.
func TestGateCeiling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(slow(time.Second), &Endpoint{})
		var wg sync.WaitGroup
		for range 300 {
			wg.Go(func() {
				for range 400 {
					if _, err := g.Complete(t.Context(), Request{}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if g.places() != MostInFlight {
			t.Errorf("%d places, want %d", g.places(), MostInFlight)
		}
	})
}

func TestGateCuts(t *testing.T) {
	for _, row := range []struct {
		reason      string
		concurrency int
		waves       [][]error // each wave is in flight together
		places      int
	}{
		{"one 429 cuts by half", 0, [][]error{{tooMany(0)}}, 10},
		{"twenty at once are one episode", 0, [][]error{times(20, tooMany(0))}, 10},
		{"another one later cuts again", 0, [][]error{times(20, tooMany(0)), times(3, tooMany(0))}, 5},
		{"never below one", 0, [][]error{{tooMany(0)}, {tooMany(0)}, {tooMany(0)}, {tooMany(0)}, {tooMany(0)}, {tooMany(0)}}, 1},
		{"what is fixed is not cut", 7, [][]error{{tooMany(0)}}, 7},
		{"no credit is no congestion", 0, [][]error{{&callError{what: "quota", mark: ErrUnusable, status: 429}}}, 20},
		{"nor is a server error", 0, [][]error{{&callError{what: "oops", mark: ErrTransient, status: 500, again: true}}}, 20},
		{"nor a caller that gave up", 0, [][]error{{context.Canceled}}, 20},
		{"one success of a window of ten does not raise it again", 0, [][]error{{tooMany(0)}, times(10, nil)[:1]}, 10},
		{"a window of ten does", 0, [][]error{{tooMany(0)}, times(10, nil)}, 11},
	} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var left []error
			g := newGate(ClientFunc(func(context.Context, Request) (Reply, error) {
				time.Sleep(time.Second)
				mu.Lock()
				defer mu.Unlock()
				err := left[0]
				left = left[1:]
				return Reply{}, err
			}), &Endpoint{Concurrency: row.concurrency})
			for _, w := range row.waves {
				left = append(left, w...)
				var wg sync.WaitGroup
				for range w {
					wg.Go(func() { _, _ = g.Complete(t.Context(), Request{}) })
				}
				wg.Wait()
			}
			if g.places() != row.places {
				t.Errorf("%s: %d places, want %d", row.reason, g.places(), row.places)
			}
		})
	}
}

func times(n int, err error) []error {
	out := make([]error, n)
	for i := range out {
		out[i] = err
	}
	return out
}

// TestGateSuccessesBegunBeforeACut: they say nothing about the new number.
func TestGateSuccessesBegunBeforeACut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(ClientFunc(func(_ context.Context, r Request) (Reply, error) {
			if r.User == "bad" {
				time.Sleep(time.Second)
				return Reply{}, tooMany(0)
			}
			time.Sleep(2 * time.Second)
			return Reply{}, nil
		}), &Endpoint{})
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				user := "good"
				if i == 0 {
					user = "bad"
				}
				_, _ = g.Complete(t.Context(), Request{User: user})
			})
		}
		wg.Wait()
		if g.places() != 10 || g.won != 0 {
			t.Errorf("%d places and %d successes, want 10 and 0", g.places(), g.won)
		}
	})
}

// TestGatePauses: a Retry-After holds everybody back, those who came before it too.
func TestGatePauses(t *testing.T) {
	for _, row := range []struct {
		reason      string
		concurrency int
		wait, until time.Duration
	}{
		{"as long as asked for", 2, 30 * time.Second, 30 * time.Second},
		{"no longer than two minutes", 2, time.Hour, 2 * time.Minute},
		{"where the number is found out", 0, 7 * time.Second, 7 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			first := true
			var begun []time.Duration
			start := time.Now()
			var mu sync.Mutex
			g := newGate(ClientFunc(func(context.Context, Request) (Reply, error) {
				mu.Lock()
				defer mu.Unlock()
				begun = append(begun, time.Since(start))
				if first {
					first = false
					return Reply{}, tooMany(row.wait)
				}
				return Reply{}, nil
			}), &Endpoint{Concurrency: row.concurrency})
			_, _ = g.Complete(t.Context(), Request{})
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					if _, err := g.Complete(t.Context(), Request{}); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			for _, at := range begun[1:] {
				if at != row.until {
					t.Errorf("%s: a call at %v, want %v", row.reason, at, row.until)
				}
			}
			if len(begun) != 51 {
				t.Errorf("%s: %d calls", row.reason, len(begun))
			}
		})
	}
}

// TestGateRests: a server that wants an hour of rest gets two minutes, once; then no call
// waits its turn to be told the same.
func TestGateRests(t *testing.T) {
	for _, row := range []struct {
		reason      string
		concurrency int
		serves      bool // now and then
		want        bool // unusable
	}{
		{"one at a time", 1, false, true},
		{"where the number is found out", 0, false, true},
		{"a server that serves between", 1, true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var n atomic.Int64
			g := Retry{}.Wrap(newGate(ClientFunc(func(context.Context, Request) (Reply, error) {
				if k := n.Add(1); row.serves && k%2 == 0 {
					return Reply{}, nil
				}
				return Reply{}, tooMany(time.Hour)
			}), &Endpoint{Concurrency: row.concurrency}))
			ctx, cancel := context.WithCancelCause(t.Context())
			begun := time.Now()
			var wg sync.WaitGroup
			for range 64 {
				wg.Go(func() { // as a run, which such an error ends
					if _, err := g.Complete(ctx, Request{}); errors.Is(err, ErrUnusable) {
						cancel(err)
					}
				})
			}
			wg.Wait()
			err, took := context.Cause(ctx), time.Since(begun)
			cancel(nil)
			switch {
			case row.want != (err != nil):
				t.Errorf("%s: %v", row.reason, err)
			case row.want && (took > 2*time.Minute || !strings.HasSuffix(err.Error(), "; the server still asks to be left alone, for 1h0m0s: run the same command again after that")):
				t.Errorf("%s: %v after %v", row.reason, err, took)
			}
		})
	}
}

// TestGatePauseWhileTheyWait: the pause begins when others wait for a place already,
// and the call that brought it is the last in flight.
func TestGatePauseWhileTheyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		g := newGate(ClientFunc(func(context.Context, Request) (Reply, error) {
			time.Sleep(time.Second)
			if n++; n == 1 {
				return Reply{}, tooMany(time.Minute)
			}
			return Reply{}, nil
		}), &Endpoint{Concurrency: 1})
		begun := time.Now()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { _, _ = g.Complete(t.Context(), Request{}) })
		}
		wg.Wait()
		if took := time.Since(begun); took != 63*time.Second {
			t.Errorf("took %v, want 1m3s", took)
		}
	})
}

// TestGateGivingUp: who gives up while waiting leaves neither a place taken nor a
// place in the queue, whatever comes first.
func TestGateGivingUp(t *testing.T) {
	why := errors.New("enough")
	synctest.Test(t, func(t *testing.T) {
		g := newGate(slow(time.Second), &Endpoint{Concurrency: 2})
		var wg sync.WaitGroup
		gaveUp := 0
		var mu sync.Mutex
		for i := range 40 {
			wg.Go(func() {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if i%2 == 0 {
					time.AfterFunc(time.Duration(i)*time.Second/4, func() { cancel(why) })
				}
				_, err := g.Complete(ctx, Request{User: fmt.Sprint(i)})
				if errors.Is(err, why) {
					mu.Lock()
					gaveUp++
					mu.Unlock()
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if g.inFlight != 0 || len(g.queue) != 0 || gaveUp == 0 || gaveUp > 20 {
			t.Errorf("%d taken, %d wait, %d gave up", g.inFlight, len(g.queue), gaveUp)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		if _, err := g.Complete(ctx, Request{}); !errors.Is(err, why) {
			t.Errorf("a call that is given up before it begins: %v", err)
		}
	})
}

// TestGatePanics: a panic below gives the place back.
func TestGatePanics(t *testing.T) {
	g := newGate(ClientFunc(func(context.Context, Request) (Reply, error) { panic("x") }), &Endpoint{Concurrency: 1})
	func() {
		defer func() { _ = recover() }()
		_, _ = g.Complete(t.Context(), Request{})
	}()
	if g.inFlight != 0 {
		t.Errorf("%d places taken", g.inFlight)
	}
}

func BenchmarkGate(b *testing.B) {
	g := newGate(ClientFunc(func(context.Context, Request) (Reply, error) { return Reply{}, nil }), &Endpoint{Concurrency: 64})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Complete(b.Context(), Request{}); err != nil {
			b.Fatal(err)
		}
	}
}
