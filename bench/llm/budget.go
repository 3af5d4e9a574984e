package llm

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrBudget is wrapped by errors of calls that were not made because the budget is
// spent. The command maps it to exit code 5; the run can be resumed.
var ErrBudget = errors.New("budget spent")

// A Budget is a hard limit on what is sent. The zero Budget has none.
type Budget struct {
	Calls int // 0: no limit

	mu    sync.Mutex
	calls int
}

// Wrap is middleware that lets calls through while the budget lasts.
func (b *Budget) Wrap(next Client) Client {
	return ClientFunc(func(ctx context.Context, r Request) (Reply, error) {
		b.mu.Lock()
		spent := b.Calls > 0 && b.calls >= b.Calls
		b.calls++
		b.mu.Unlock()
		if spent {
			return Reply{}, fmt.Errorf("%d calls are the most: %w", b.Calls, ErrBudget)
		}
		return next.Complete(ctx, r)
	})
}
