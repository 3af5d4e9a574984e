package llm

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// roleKey is where the context keeps the role that calls.
type roleKey struct{}

// A tracer writes one line of level debug for each attempt. No line holds a message, a
// reply, a key or a header.
type tracer struct {
	next  Client
	log   *slog.Logger
	model string
}

// Complete implements Client.
func (t *tracer) Complete(ctx context.Context, r Request) (Reply, error) {
	if !t.log.Enabled(ctx, slog.LevelDebug) {
		return t.next.Complete(ctx, r)
	}
	begun := time.Now()
	reply, err := t.next.Complete(ctx, r)
	role, _ := ctx.Value(roleKey{}).(string)
	attrs := []slog.Attr{
		slog.String("role", role), slog.String("model", t.model),
		slog.Float64("ms", float64(time.Since(begun).Microseconds())/1000),
	}
	if r.Repeat > 0 {
		attrs = append(attrs, slog.Int("repeat", r.Repeat))
	}
	if r.Repair > 0 {
		attrs = append(attrs, slog.Int("repair", r.Repair))
	}
	var failed *callError
	switch {
	case err == nil:
		attrs = append(attrs, slog.Int("status", 200), slog.String("finish", reply.Finish), slog.Int("tokens_in", reply.TokensIn), slog.Int("tokens_out", reply.TokensOut))
	case errors.As(err, &failed):
		attrs = append(attrs, slog.Int("status", failed.status), slog.String("error", failed.what))
		if failed.wait > 0 {
			attrs = append(attrs, slog.Float64("retry_after_s", failed.wait.Seconds()))
		}
	default: // the caller gave up
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	t.log.LogAttrs(ctx, slog.LevelDebug, "attempt", attrs...)
	return reply, err
}
