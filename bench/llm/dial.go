package llm

import "log/slog"

// Options are what stands between a caller and the wire.
type Options struct {
	Retry  Retry
	Budget *Budget      // nil: no limit
	Log    *slog.Logger // nil: no trace

	// Cache wraps what lies below it; nil: none. It sees a call before budget and
	// retries do.
	Cache func(next Client, c *Conn) Client
}

// A Link is an endpoint that is ready for use by several roles at once.
type Link struct {
	Client
	Conn *Conn
	gate *gate
}

// Dial makes a client with a transport of its own. An endpoint that cannot work (see
// ErrUnusable) is refused; nothing is sent yet.
//
// A call passes cache, budget, retry, rate, gate and trace before Conn. Every attempt
// pays for its place in rate and gate, and none keeps one while it waits for another
// try. The gate lies below the rate: a call that must wait for its minute's share
// holds no place in flight, and what is in flight is what the server sees.
func Dial(e Endpoint, o Options) (*Link, error) {
	conn, err := New(e)
	if err != nil {
		return nil, err
	}
	var c Client = conn
	if o.Log != nil {
		c = &tracer{c, o.Log, e.Model}
	}
	g := newGate(c, &e)
	c = o.Retry.Wrap(newRater(g, &e))
	if o.Budget != nil {
		c = o.Budget.Wrap(c, e)
	}
	if o.Cache != nil {
		c = o.Cache(c, conn)
	}
	return &Link{c, conn, g}, nil
}

// Concurrency gives the most calls that may be in flight now, which changes where it is
// found out.
func (l *Link) Concurrency() int { return l.gate.places() }

// Close frees idle connections.
func (l *Link) Close() { l.Conn.Close() }
