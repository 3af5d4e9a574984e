package simusers

import (
	"context"
	"math/rand/v2"
	"strconv"

	"pepbench/domains"
)

// A User answers questions.
type User interface {
	// Answer answers a question about one position of the profile. Asked again, it
	// answers the same.
	Answer(context.Context, domains.Question) (domains.Answer, error)
}

// Exact answers what the profile says; a missing cell is answered by a missing
// cell.
type Exact struct{ profile *domains.Profile }

// NewExact gives the user of a profile.
func NewExact(p *domains.Profile) Exact { return Exact{p} }

// Answer implements User.
func (e Exact) Answer(_ context.Context, q domains.Question) (domains.Answer, error) {
	return domains.Answer{Cell: e.profile.Cells[q.Position]}, nil
}

// Noise says how often a user misreports. Each is a probability.
type Noise struct {
	// FlipHeld: a held criterion is reported as not held.
	FlipHeld float64
	// FlipNotHeld: one that is not held is reported as held, at a level drawn
	// uniformly (continuous: a value drawn uniformly from the range).
	FlipNotHeld float64
	// Slip: a held value that was not flipped is reported wrongly. Ordinal: one
	// level up or down with equal probability, inwards at the ends. Nominal: any
	// other level with equal probability. Continuous: a value drawn uniformly from
	// the tenth of the range on either side of it, kept inside the range.
	Slip float64
}

// Key names a user meeting a task; noise is seeded from it and from the
// criterion's id, so that every strategy meets the same user.
type Key struct {
	Seed       int
	Task, User string
}

// Noisy misreports as Noise says.
type Noisy struct {
	profile  *domains.Profile
	criteria []domains.Criterion
	noise    Noise
	key      Key
}

// NewNoisy gives the noisy user of a profile; criteria are those of its task, in
// order.
func NewNoisy(p *domains.Profile, criteria []domains.Criterion, n Noise, k Key) *Noisy {
	return &Noisy{p, criteria, n, k}
}

// Answer implements User.
func (n *Noisy) Answer(_ context.Context, q domains.Question) (domains.Answer, error) {
	c := &n.criteria[q.Position]
	rng := rand.New(rand.NewPCG(uint64(n.key.Seed), domains.Hash("noisy user", strconv.Itoa(n.key.Seed), n.key.Task, n.key.User, c.ID)))
	return domains.Answer{Cell: n.report(rng, c, n.profile.Cells[q.Position])}, nil
}

// report draws what is said of cell.
func (n *Noisy) report(rng *rand.Rand, c *domains.Criterion, cell domains.Cell) domains.Cell {
	u := rng.Float64()
	switch {
	case cell.IsMissing():
		return cell
	case cell.IsNotHeld():
		if u >= n.noise.FlipNotHeld {
			return cell
		}
		if c.Scale == domains.Continuous {
			return domains.At(c.Min + rng.Float64()*(c.Max-c.Min))
		}
		return domains.At(c.Levels[rng.IntN(len(c.Levels))].Value)
	case u < n.noise.FlipHeld:
		return domains.NotHeld()
	case rng.Float64() >= n.noise.Slip:
		return cell
	}
	switch c.Scale {
	case domains.Continuous:
		v := cell.Value() + (2*rng.Float64()-1)*(c.Max-c.Min)/10
		return domains.At(min(max(v, c.Min), c.Max))
	case domains.Nominal:
		l := rng.IntN(len(c.Levels) - 1)
		if l >= c.LevelOf(cell.Value()) {
			l++
		}
		return domains.At(c.Levels[l].Value)
	}
	l, last := c.LevelOf(cell.Value()), len(c.Levels)-1
	up := rng.IntN(2) == 1
	switch {
	case l == 0, up && l < last:
		l++
	default:
		l--
	}
	return domains.At(c.Levels[l].Value)
}

var (
	_ User = Exact{}
	_ User = (*Noisy)(nil)
)
