package llm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// A Retry says how often and how late a call is tried again.
type Retry struct {
	Attempts int           // most tries of a call; 0: four
	Backoff  time.Duration // before the first retry at most, doubled for each further one; 0: half a second
	Longest  time.Duration // most that is waited between two tries, whatever the server asks for; 0: two minutes
	Total    time.Duration // most that tries and the waits between them may take before another one; 0: a quarter of an hour
}

// maxBackoff bounds the wait between two tries unless the server asks for more.
const maxBackoff = 30 * time.Second

// Wrap is middleware that tries again what may pass (408, 409, 425, 429, 5xx, broken
// connections, time-outs, unreadable replies) with full jitter, seeded by the
// messages, or after Retry-After; anything else is final at once. Time that a try
// spends in queues below counts neither for Total nor otherwise.
func (p Retry) Wrap(next Client) Client {
	p.Attempts = cmp.Or(p.Attempts, 4)
	p.Backoff = max(0, cmp.Or(p.Backoff, 500*time.Millisecond))
	p.Longest = cmp.Or(p.Longest, 2*time.Minute)
	p.Total = cmp.Or(p.Total, 15*time.Minute)
	return &retrying{p, next}
}

type impatientKey struct{}

// Impatient gives a context whose calls fail at once where the server asks to be left
// alone for longer than Retry.Longest: for a call that somebody waits for.
func Impatient(ctx context.Context) context.Context {
	return context.WithValue(ctx, impatientKey{}, true)
}

type retrying struct {
	Retry
	next Client
}

// Complete implements Client.
func (p *retrying) Complete(ctx context.Context, r Request) (Reply, error) {
	var jitter *rand.Rand
	var spent time.Duration
	most := p.Backoff
	for attempt := 1; ; attempt++ {
		reply, err := p.next.Complete(ctx, r)
		reply.Attempts = attempt
		var failed *callError
		if err == nil || ctx.Err() != nil || !errors.As(err, &failed) {
			return reply, err
		}
		if failed.again && failed.wait > p.Longest && ctx.Value(impatientKey{}) != nil {
			last := *failed
			last.what = fmt.Sprintf("%s; the server asks to be left alone for %v", failed.what, failed.wait.Round(time.Second))
			return reply, &last
		}
		if jitter == nil {
			h := fnv.New64a()
			h.Write([]byte(r.User))
			jitter = rand.New(rand.NewPCG(h.Sum64(), uint64(r.Repeat)))
		}
		wait := time.Duration(jitter.Int64N(int64(most) + 1))
		if failed.wait > 0 {
			wait = min(failed.wait, p.Longest)
		}
		most = min(2*most, max(maxBackoff, p.Backoff))
		spent += failed.took + wait
		if !failed.again || attempt >= p.Attempts || spent > p.Total {
			if attempt > 1 {
				last := *failed
				last.what = fmt.Sprintf("%s (after %d tries)", failed.what, attempt)
				err = &last
			}
			return reply, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return reply, context.Cause(ctx)
		}
	}
}
