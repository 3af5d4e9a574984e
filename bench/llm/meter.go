package llm

import (
	"context"
	"sync"
	"time"
)

// Use is what calls cost.
type Use struct {
	Calls, Retries, Failed int
	Cached                 int           // calls of them that were not sent
	TokensIn, TokensOut    int           // of what was sent
	Busy                   time.Duration // summed over calls in flight
}

// A Meter counts the use of one role. The zero Meter is ready.
type Meter struct {
	Role string

	mu  sync.Mutex
	use Use
}

// Wrap is middleware that counts the calls of next, for the meter and for the Tallies
// of the context.
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
	reply, err := m.next.Complete(context.WithValue(ctx, roleKey{}, m.meter.Role), r)
	busy := time.Since(begun)
	tally(ctx, m.meter.Role, func(t *Tally) {
		t.Calls++
		t.TokensIn += reply.TokensIn
		t.TokensOut += reply.TokensOut
		if r.Repair > 0 {
			t.Repairs++
		}
		if err == nil && (reply.TokensIn == 0 || reply.TokensOut == 0 && reply.Content != "") {
			t.Uncounted++
		}
	})
	m.meter.mu.Lock()
	defer m.meter.mu.Unlock()
	u := &m.meter.use
	u.Calls++
	u.Busy += busy
	u.Retries += max(0, reply.Attempts-1)
	if reply.Cached {
		u.Cached++
	} else {
		u.TokensIn += reply.TokensIn
		u.TokensOut += reply.TokensOut
	}
	if err != nil {
		u.Failed++
	}
	return reply, err
}

// A Tally counts logical calls of one role: the same whether a reply came from the
// server, at the first try or a later one, or from a cache.
type Tally struct {
	Calls               int
	Repairs             int // calls of them that asked again for a reply that could not be read
	TokensIn, TokensOut int
	Uncounted           int      // calls of them whose reply came without its tokens
	Unread              []string // reasons of requests that Ask could not read a reply to
}

// Tallies are the counts of a piece of work by role. They may be used by several
// goroutines.
type Tallies struct {
	mu     sync.Mutex
	byRole map[string]*Tally
}

type talliesKey struct{}

// WithTallies gives a context whose calls are counted, and the counts.
func WithTallies(ctx context.Context) (context.Context, *Tallies) {
	t := &Tallies{byRole: map[string]*Tally{}}
	return context.WithValue(ctx, talliesKey{}, t), t
}

// ByRole gives the counts so far.
func (t *Tallies) ByRole() map[string]Tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make(map[string]Tally, len(t.byRole))
	for role, n := range t.byRole {
		out[role] = *n
	}
	return out
}

// unread notes a request without a usable reply for the role of a client.
func unread(ctx context.Context, c Client, u *Unread) error {
	if m, ok := c.(*metered); ok {
		tally(ctx, m.meter.Role, func(t *Tally) { t.Unread = append(t.Unread, u.Error()) })
	}
	return u
}

func tally(ctx context.Context, role string, add func(*Tally)) {
	t, _ := ctx.Value(talliesKey{}).(*Tallies)
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byRole[role] == nil {
		t.byRole[role] = &Tally{}
	}
	add(t.byRole[role])
}
