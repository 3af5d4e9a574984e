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
}

// Dial makes a client with a transport of its own. An endpoint that cannot work (see
// ErrUnusable) is refused; nothing is sent yet.
func Dial(e Endpoint, o Options) (*Link, error) {
	conn, err := New(e)
	if err != nil {
		return nil, err
	}
	var c Client = conn
	c = o.Retry.Wrap(c)
	if o.Budget != nil {
		c = o.Budget.Wrap(c)
	}
	if o.Cache != nil {
		c = o.Cache(c, conn)
	}
	return &Link{c, conn}, nil
}

// Close frees idle connections.
func (l *Link) Close() { l.Conn.Close() }
