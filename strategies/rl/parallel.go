package rl

import (
	"context"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// parallel calls f(0) .. f(n-1), which must not depend on one another, on as many
// goroutines as there are processors. After an error or when ctx is done it begins no more of
// them; it returns when all that began are over.
func parallel(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for i := range n {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := f(ctx, i); err != nil {
				return err
			}
		}
		return ctx.Err()
	}
	var next atomic.Int64
	g, inner := errgroup.WithContext(ctx)
	for range workers {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if err := inner.Err(); err != nil {
					return err
				}
				if err := f(inner, i); err != nil {
					return err
				}
			}
		})
	}
	err := g.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
