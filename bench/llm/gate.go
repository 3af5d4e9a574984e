package llm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// MostInFlight is the most calls in flight at a time where their number is found out.
const MostInFlight = 256

// Bounds of the number of calls in flight where it is found out.
const (
	gateStart = 20
	gateFloor = 1
)

// maxPause bounds how long a gate is shut, whatever the server asks for.
const maxPause = 2 * time.Minute

// A gate lets so many attempts of an endpoint be in flight at a time, first come first
// served. Where the number is to be found out, it is raised by one after as many
// successes as it lets through, provided that so many were in flight at a time, and
// halved by a 429 (additive increase, multiplicative decrease; Chiu and Jain,
// 1989). Attempts begun before a cut cannot cause another one: they all met the same
// congestion. A Retry-After shuts the gate for everybody until then, or for maxPause; a
// server that asks for more once again after that is unusable.
type gate struct {
	next Client
	auto bool

	mu       sync.Mutex
	limit    int
	inFlight int
	queue    []chan struct{} // closed when a place is given
	until    time.Time       // shut until then
	shut     chan struct{}   // closed when until is moved
	rested   time.Time       // when the first rest ended that was asked for longer, since the last success; or zero
	cuts     int
	won      int // successes of this window
	peak     int // most in flight in this window
}

func newGate(next Client, e *Endpoint) *gate {
	g := &gate{next: next, limit: e.Concurrency, auto: e.Concurrency <= 0, shut: make(chan struct{})}
	if g.auto {
		g.limit = gateStart
	}
	return g
}

// Complete implements Client.
func (g *gate) Complete(ctx context.Context, r Request) (Reply, error) {
	cuts, err := g.enter(ctx)
	if err != nil {
		return Reply{}, err
	}
	var failed *callError
	done := false
	defer func() {
		if !done { // a panic must not keep the place
			g.leave(cuts, false, &callError{})
		}
	}()
	begun := time.Now()
	reply, err := g.next.Complete(ctx, r)
	done = true
	errors.As(err, &failed)
	if failed != nil && g.rests(begun, failed) {
		last := *failed
		last.what = fmt.Sprintf("%s; the server still asks to be left alone, for %v: run the same command again after that", failed.what, failed.wait.Round(time.Second))
		last.mark, last.again = ErrUnusable, false
		failed, err = &last, &last
	}
	g.leave(cuts, err == nil, failed)
	return reply, err
}

// rests reports whether the server asks for a longer rest than it is given, and did so
// before that. Otherwise a daily limit would be met by one call after the other, each
// with a pause of its own.
func (g *gate) rests(begun time.Time, failed *callError) bool {
	if !failed.again || failed.wait <= maxPause {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.rested.IsZero() {
		g.rested = time.Now().Add(maxPause)
		return false
	}
	return !begun.Before(g.rested)
}

// places gives the number of attempts that may be in flight now.
func (g *gate) places() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.limit
}

// enter waits for a place and gives the number of cuts so far.
func (g *gate) enter(ctx context.Context) (int, error) {
	g.mu.Lock()
	if err := ctx.Err(); err != nil {
		g.mu.Unlock()
		return 0, context.Cause(ctx)
	}
	if len(g.queue) == 0 && g.inFlight < g.limit && !time.Now().Before(g.until) {
		g.inFlight++
		cuts := g.cuts
		g.mu.Unlock()
		return cuts, nil
	}
	place := make(chan struct{})
	g.queue = append(g.queue, place)
	for {
		shut := g.shut
		var opens <-chan time.Time
		var timer *time.Timer
		if wait := time.Until(g.until); wait > 0 {
			timer = time.NewTimer(wait)
			opens = timer.C
		}
		g.mu.Unlock()
		given := false
		select {
		case <-place:
			given = true
		case <-opens:
		case <-shut:
		case <-ctx.Done():
		}
		if timer != nil {
			timer.Stop()
		}
		g.mu.Lock()
		switch {
		case ctx.Err() != nil:
			if i := slices.Index(g.queue, place); i >= 0 {
				g.queue = slices.Delete(g.queue, i, i+1)
			} else { // it was given after all
				g.inFlight--
			}
			g.admit()
			g.mu.Unlock()
			return 0, context.Cause(ctx)
		case given:
			cuts := g.cuts
			g.mu.Unlock()
			return cuts, nil
		}
		g.admit()
	}
}

// admit gives free places to those who wait. The caller holds the lock.
func (g *gate) admit() {
	if len(g.queue) == 0 || time.Now().Before(g.until) {
		return
	}
	n := 0
	for n < len(g.queue) && g.inFlight < g.limit {
		close(g.queue[n])
		g.inFlight++
		n++
	}
	g.queue = slices.Delete(g.queue, 0, n)
}

// leave gives a place back and learns from what came of it; cuts is what enter gave.
func (g *gate) leave(cuts int, ok bool, failed *callError) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.peak = max(g.peak, g.inFlight)
	g.inFlight--
	if ok {
		g.rested = time.Time{}
	}
	switch {
	case ok && g.auto && cuts == g.cuts:
		if g.won++; g.won >= g.limit {
			if g.peak >= g.limit {
				g.limit = min(g.limit+1, MostInFlight)
			}
			g.won, g.peak = 0, 0
		}
	case failed != nil && failed.again && failed.status == http.StatusTooManyRequests && g.auto && cuts == g.cuts:
		g.limit, g.won, g.peak = max(g.limit/2, gateFloor), 0, 0
		g.cuts++
	}
	if failed != nil && failed.again && failed.wait > 0 {
		if until := time.Now().Add(min(failed.wait, maxPause)); until.After(g.until) {
			g.until = until
			close(g.shut)
			g.shut = make(chan struct{})
		}
	}
	g.admit()
}
