package llm

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A rater spaces attempts so that an endpoint gets at most so many requests and tokens
// a minute. A tenth of a minute's requests may come at once. Tokens that are not used
// are kept for a minute, as servers do that set max_tokens aside for each call; there
// is a tenth of a minute's worth to begin with. The tokens of an attempt are
// estimated before it (its prompt, and max_tokens or else the mean of the replies so
// far) and put right by the server's count after it.
type rater struct {
	next             Client
	requests, tokens *rate.Limiter // nil: no limit
	most             int           // max_tokens

	mu           sync.Mutex
	replies, out int // seen, and their tokens
}

func newRater(next Client, e *Endpoint) Client {
	if e.RPM <= 0 && e.TPM <= 0 {
		return next
	}
	a := &rater{next: next, most: e.MaxTokens}
	if e.RPM > 0 {
		a.requests = rate.NewLimiter(rate.Limit(float64(e.RPM)/60), max(1, e.RPM/10))
	}
	if e.TPM > 0 {
		a.tokens = rate.NewLimiter(rate.Limit(float64(e.TPM)/60), e.TPM)
		a.tokens.ReserveN(time.Now(), e.TPM-e.TPM/10)
	}
	return a
}

// Complete implements Client.
func (a *rater) Complete(ctx context.Context, r Request) (Reply, error) {
	guess := promptTokens(&r) + a.reply()
	if err := a.wait(ctx, guess); err != nil {
		return Reply{}, err
	}
	reply, err := a.next.Complete(ctx, r)
	switch used := reply.TokensIn + reply.TokensOut; {
	case err != nil: // counted or not, the server has not said
	case used > 0:
		a.mu.Lock()
		a.replies++
		a.out += reply.TokensOut
		a.mu.Unlock()
		a.correct(used - guess)
	}
	return reply, err
}

// reply guesses the tokens of a reply.
func (a *rater) reply() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.most > 0:
		return a.most
	case a.replies > 0:
		return a.out / a.replies
	}
	return replyTokens
}

// wait takes one request and n tokens, and waits until they may be used.
func (a *rater) wait(ctx context.Context, n int) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	now := time.Now()
	var wait time.Duration
	var taken []*rate.Reservation
	take := func(l *rate.Limiter, n int) {
		for n > 0 && l != nil { // a limiter gives no more than its burst at once, but may owe more
			k := min(n, l.Burst())
			r := l.ReserveN(now, k)
			wait = max(wait, r.DelayFrom(now))
			taken = append(taken, r)
			n -= k
		}
	}
	take(a.requests, 1)
	take(a.tokens, n)
	if wait == 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		for _, r := range taken {
			r.Cancel()
		}
		return context.Cause(ctx)
	}
}

// correct takes n more tokens, without waiting, or gives them back.
func (a *rater) correct(n int) {
	if a.tokens == nil {
		return
	}
	now := time.Now()
	if n < 0 {
		a.tokens.ReserveN(now, n)
		return
	}
	for n > 0 {
		k := min(n, a.tokens.Burst())
		a.tokens.ReserveN(now, k)
		n -= k
	}
}
