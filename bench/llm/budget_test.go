package llm

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestBudget(t *testing.T) {
	prompt := Request{User: strings.Repeat("x", 4*(100-11))} // 100 tokens as estimated
	priced := Endpoint{MaxTokens: 100, PromptPrice: 10, CompletionPrice: 100}
	for _, row := range []struct {
		reason string
		budget *Budget
		end    Endpoint
		reply  Reply
		err    error
		most   int // calls that are made of 100
		spent  Spent
		words  string
	}{
		{"no limit", &Budget{}, priced, Reply{TokensIn: 1, TokensOut: 1}, nil, 100, Spent{100, 200, 0.011}, ""},
		{"calls", &Budget{Calls: 7}, priced, Reply{TokensIn: 1, TokensOut: 1}, nil, 7, Spent{7, 14, 0.00077}, "budget spent: 7 of 7 calls are made; raise limits.calls and run the same command again to go on"},
		{"calls that fail are calls", &Budget{Calls: 7}, priced, Reply{}, errors.New("no"), 7, Spent{7, 0, 0}, "limits.calls"},
		{"tokens: as many as are sure to fit", &Budget{Tokens: 1000}, priced, Reply{TokensIn: 100, TokensOut: 100}, nil, 5, Spent{5, 1000, 0.055}, "budget spent: 1000 of 1000 tokens are used; the next call may take 200; raise limits.tokens and"},
		{"shorter replies leave room for more", &Budget{Tokens: 1000}, priced, Reply{TokensIn: 50, TokensOut: 50}, nil, 9, Spent{9, 900, 0.0495}, "900 of 1000"},
		{"prompts of more tokens than estimated are expected from then on", &Budget{Tokens: 1000}, priced, Reply{TokensIn: 300, TokensOut: 100}, nil, 2, Spent{2, 800, 0.026}, "the next call may take 400"},
		{"a server that does not count: the estimate counts", &Budget{Tokens: 1000}, priced, Reply{Content: strings.Repeat("y", 400)}, nil, 5, Spent{5, 1000, 0.055}, "limits.tokens"},
		{"calls that fail cost no tokens", &Budget{Tokens: 1000}, priced, Reply{}, errors.New("no"), 100, Spent{100, 0, 0}, ""},
		{"dollars", &Budget{Dollars: 0.1}, priced, Reply{TokensIn: 100, TokensOut: 100}, nil, 9, Spent{9, 1800, 0.099}, "budget spent: $0.0990 of $0.1000 are spent; the next call may take $0.0110; raise limits.dollars and"},
		{"without max_tokens a reply is expected to be as long as any before", &Budget{Tokens: 10_000}, Endpoint{}, Reply{TokensIn: 100, TokensOut: 3000}, nil, 3, Spent{3, 9300, 0}, "the next call may take 3100"},
		{"not even one call", &Budget{Tokens: 10}, priced, Reply{}, nil, 0, Spent{}, "0 of 10 tokens"},
	} {
		b := row.budget
		n := 0
		c := b.Wrap(ClientFunc(func(context.Context, Request) (Reply, error) {
			n++
			return row.reply, row.err
		}), row.end)
		var last error
		for range 100 {
			if _, err := c.Complete(t.Context(), prompt); errors.Is(err, ErrBudget) {
				last = err
			}
		}
		got := b.Spent()
		if d := got.Dollars - row.spent.Dollars; d > 1e-9 || d < -1e-9 {
			t.Errorf("%s: %v dollars, want %v", row.reason, got.Dollars, row.spent.Dollars)
		}
		got.Dollars = row.spent.Dollars
		if n != row.most || got != row.spent || (last == nil) != (row.words == "") || last != nil && !strings.Contains(last.Error(), row.words) {
			t.Errorf("%s: %d calls, %+v, %v; want %d, %+v, %q", row.reason, n, got, last, row.most, row.spent, row.words)
		}
	}
}

// TestBudgetHoldsTogether: whatever is in flight at a time, and however long replies
// are, what is spent never passes the limit, and nothing is left set aside.
func TestBudgetHoldsTogether(t *testing.T) {
	// rapid asks a T for its deadline, which a bubble refuses, and a TB for nothing.
	synctest.Test(t, func(t *testing.T) { rapid.Check(struct{ testing.TB }{t}, holdsTogether) })
}

func holdsTogether(t *rapid.T) {
	limit := rapid.IntRange(1, 5000).Draw(t, "limit")
	most := rapid.IntRange(1, 500).Draw(t, "max_tokens")
	calls := rapid.SliceOfN(rapid.IntRange(0, most), 1, 60).Draw(t, "replies")
	b := &Budget{Tokens: limit}
	over := 0
	var mu sync.Mutex
	c := b.Wrap(ClientFunc(func(_ context.Context, r Request) (Reply, error) {
		time.Sleep(time.Duration(1+r.Repeat%7) * time.Second)
		mu.Lock()
		defer mu.Unlock()
		return Reply{TokensIn: promptTokens(&r), TokensOut: calls[r.Repeat]}, nil
	}), Endpoint{MaxTokens: most})
	var wg sync.WaitGroup
	refused := 0
	for i := range calls {
		wg.Go(func() {
			_, err := c.Complete(context.Background(), Request{Repeat: i})
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, ErrBudget) {
				refused++
			}
			if b.Spent().Tokens > limit {
				over = b.Spent().Tokens
			}
		})
	}
	wg.Wait()
	if over > 0 || b.aside != (Spent{}) || b.Spent().Calls+refused != len(calls) {
		t.Errorf("limit %d: spent %d, aside %+v, %d calls and %d refused of %d", limit, over, b.aside, b.Spent().Calls, refused, len(calls))
	}
	if refused > 0 && limit-b.Spent().Tokens >= most+promptTokens(&Request{}) {
		t.Errorf("limit %d: refused at %d although another call was sure to fit", limit, b.Spent().Tokens)
	}
}

// TestBudgetIsShared: models of different prices draw on one purse.
func TestBudgetIsShared(t *testing.T) {
	b := &Budget{Dollars: 1}
	reply := ClientFunc(func(context.Context, Request) (Reply, error) { return Reply{TokensIn: 1000, TokensOut: 1000}, nil })
	cheap := b.Wrap(reply, Endpoint{MaxTokens: 1000, PromptPrice: 1, CompletionPrice: 9})
	dear := b.Wrap(reply, Endpoint{MaxTokens: 1000, PromptPrice: 100, CompletionPrice: 400})
	for i, c := range []Client{cheap, dear, cheap} {
		if _, err := c.Complete(t.Context(), Request{}); err != nil {
			t.Errorf("call %d: %v", i+1, err)
		}
	}
	if _, err := dear.Complete(t.Context(), Request{}); !errors.Is(err, ErrBudget) {
		t.Errorf("52 cents are spent and a call of 50 was made: %v", err)
	}
	if _, err := cheap.Complete(t.Context(), Request{}); err != nil {
		t.Errorf("the cheap one still fits: %v", err)
	}
}

// TestBudgetGivingUp: a call that waits for others to be settled can be given up.
func TestBudgetGivingUp(t *testing.T) {
	why := errors.New("enough")
	synctest.Test(t, func(t *testing.T) {
		b := &Budget{Tokens: 30}
		c := b.Wrap(slow(time.Hour), Endpoint{MaxTokens: 10})
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = c.Complete(t.Context(), Request{}) })
		synctest.Wait()
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		if _, err := c.Complete(ctx, Request{}); !errors.Is(err, why) {
			t.Errorf("got %v, want %v", err, why)
		}
		wg.Wait()
	})
}
