package llm

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
)

// ErrBudget is wrapped by errors of calls that were not made because the budget is
// spent. The command maps it to exit code 5; the run can be resumed.
var ErrBudget = errors.New("budget spent")

// A Budget is a hard limit on what all endpoints together are sent from now on. The
// zero Budget has none.
//
// Before a call, what it may cost at most is set aside: its prompt, estimated from its
// length and the worst ratio of the server's counts to such estimates so far, and
// max_tokens. After it, what it did cost is spent and the rest set free. A call that
// does not fit beside what is set aside waits for that; one that does not fit beside
// what is spent fails with ErrBudget. So calls in flight cannot go past the limit
// together. Tokens and dollars can be passed only by what an endpoint without
// max_tokens writes beyond the longest reply so far, or by a prompt that has more
// tokens for its length than any before. Where a server does not count, the estimate
// is spent.
//
// Calls that fail cost no tokens or dollars. Retries are not calls of their own.
type Budget struct {
	Calls   int     // 0: no limit
	Tokens  int     // in and out; 0: no limit
	Dollars float64 // by the prices of the endpoints; 0: no limit

	mu      sync.Mutex
	spent   Spent
	aside   Spent
	settled chan struct{} // closed when something was set free; nil: nobody waits
}

// Spent is what calls cost.
type Spent struct {
	Calls, Tokens int
	Dollars       float64
}

// Spent gives what is spent so far.
func (b *Budget) Spent() Spent {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spent
}

// Wrap is middleware that lets calls to an endpoint through while the budget lasts.
func (b *Budget) Wrap(next Client, e Endpoint) Client {
	return &budgeted{b: b, next: next, end: e, ratio: 1, longest: replyTokens}
}

type budgeted struct {
	b    *Budget
	next Client
	end  Endpoint

	mu      sync.Mutex
	ratio   float64 // worst of tokens to estimate, 1 or more
	longest int     // tokens of a reply; where there is no max_tokens
}

// Complete implements Client.
func (c *budgeted) Complete(ctx context.Context, r Request) (Reply, error) {
	prompt := promptTokens(&r)
	c.mu.Lock()
	in, out := int(float64(prompt)*c.ratio), c.longest
	c.mu.Unlock()
	if c.end.MaxTokens > 0 {
		out = c.end.MaxTokens
	}
	aside := Spent{0, in + out, c.end.Cost(in, out)}
	if err := c.b.reserve(ctx, aside); err != nil {
		return Reply{}, err
	}
	var cost Spent
	defer func() { c.b.settle(aside, cost) }()
	reply, err := c.next.Complete(ctx, r)
	if err != nil {
		return reply, err
	}
	in, out = reply.TokensIn, reply.TokensOut
	if in == 0 {
		in = prompt
	}
	if out == 0 {
		out = (len(reply.Content) + len(reply.Reasoning) + len(reply.Tool)) / 4
	}
	cost = Spent{0, in + out, c.end.Cost(in, out)}
	c.mu.Lock()
	c.ratio = max(c.ratio, float64(in)/float64(prompt))
	c.longest = max(c.longest, out)
	c.mu.Unlock()
	return reply, nil
}

// Cost gives the dollars that so many tokens cost.
func (e *Endpoint) Cost(in, out int) float64 {
	return (float64(in)*e.PromptPrice + float64(out)*e.CompletionPrice) / 1e6
}

// reserve sets a call and what it may cost aside.
func (b *Budget) reserve(ctx context.Context, s Spent) error {
	b.mu.Lock()
	for {
		fits, err := b.fits(s)
		if err != nil || fits {
			if fits {
				b.spent.Calls++
				b.aside.Tokens += s.Tokens
				b.aside.Dollars += s.Dollars
			}
			b.mu.Unlock()
			return err
		}
		if b.settled == nil {
			b.settled = make(chan struct{})
		}
		settled := b.settled
		b.mu.Unlock()
		select {
		case <-settled:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		b.mu.Lock()
	}
}

// fits says whether a call may be made now; an error says that it never may.
func (b *Budget) fits(s Spent) (bool, error) {
	over := func(limit, spent, next, most, key string) error {
		return fmt.Errorf("%w: %s of %s %s; the next call may take %s; raise limits.%s and run the same command again to go on", ErrBudget, spent, limit, most, next, key)
	}
	dollars := func(d float64) string { return "$" + strconv.FormatFloat(d, 'f', 4, 64) }
	switch {
	case b.Calls > 0 && b.spent.Calls >= b.Calls:
		return false, fmt.Errorf("%w: %d of %d calls are made; raise limits.calls and run the same command again to go on", ErrBudget, b.spent.Calls, b.Calls)
	case b.Tokens > 0 && b.spent.Tokens+s.Tokens > b.Tokens:
		return false, over(strconv.Itoa(b.Tokens), strconv.Itoa(b.spent.Tokens), strconv.Itoa(s.Tokens), "tokens are used", "tokens")
	case b.Dollars > 0 && b.spent.Dollars+s.Dollars > b.Dollars:
		return false, over(dollars(b.Dollars), dollars(b.spent.Dollars), dollars(s.Dollars), "are spent", "dollars")
	}
	return (b.Tokens == 0 || b.spent.Tokens+b.aside.Tokens+s.Tokens <= b.Tokens) &&
		(b.Dollars == 0 || b.spent.Dollars+b.aside.Dollars+s.Dollars <= b.Dollars+1e-9), nil
}

// settle sets free what was set aside and spends what it cost.
func (b *Budget) settle(aside, cost Spent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.aside.Tokens -= aside.Tokens
	b.aside.Dollars -= aside.Dollars
	b.spent.Tokens += cost.Tokens
	b.spent.Dollars += cost.Dollars
	if b.settled != nil {
		close(b.settled)
		b.settled = nil
	}
}
