package llm

import (
	"context"
	"sync"
	"time"
)

// Use is what calls cost.
type Use struct {
	Calls, Retries, Failed int
	TokensIn, TokensOut    int
	Busy                   time.Duration // summed over calls in flight
}

// A Meter counts the use of one role. The zero Meter is ready.
type Meter struct {
	mu  sync.Mutex
	use Use
}

// Wrap is middleware that counts the calls of next.
func (m *Meter) Wrap(next Client) Client { return &metered{m, next} }

// Use gives the counts so far.
func (m *Meter) Use() Use {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.use
}

type metered struct {
	meter *Meter
	next  Client
}

// Complete implements Client.
func (m *metered) Complete(ctx context.Context, r Request) (Reply, error) {
	begun := time.Now()
	reply, err := m.next.Complete(ctx, r)
	busy := time.Since(begun)
	m.meter.mu.Lock()
	defer m.meter.mu.Unlock()
	u := &m.meter.use
	u.Calls++
	u.Busy += busy
	u.Retries += max(0, reply.Attempts-1)
	u.TokensIn += reply.TokensIn
	u.TokensOut += reply.TokensOut
	if err != nil {
		u.Failed++
	}
	return reply, err
}
