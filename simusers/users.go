package simusers

import (
	"context"
	"math/rand/v2"
	"strconv"

	"pepbench/domains"
)

// A User answers questions.
type User interface {
	// Answer answers a question about one position of the profile. Users who answer in
	// cells answer the same when asked again. Those who answer in words go by the text
	// of the question, whose position may be -1 (it is about no criterion), leave the cell
	// missing, and remember what they were asked.
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

// Noise says how a user misreports. Each is from 0 to 1. What a user with true cell
// x reports, L levels being the scale:
//
//	x missing      missing
//	x not held     not held                       1 - FlipNotHeld
//	               any one level                  FlipNotHeld / L
//	x held at v    not held                       FlipHeld
//	               v                              (1 - FlipHeld) (1 - Slip)
//	               ordinal, v inside: v +- one level, each   (1 - FlipHeld) Slip / 2
//	               ordinal, v at an end: the level next to it   (1 - FlipHeld) Slip
//	               nominal: any one other level   (1 - FlipHeld) Slip / (L-1)
//
// On a continuous scale a criterion that is not held is reported at a value drawn
// uniformly from the range, and one held at v (and not flipped) at v plus a normal
// error of standard deviation Slip times the range, clipped to the range: there,
// Slip is a size and no probability.
type Noise struct {
	FlipHeld    float64 // probability
	FlipNotHeld float64 // probability
	Slip        float64 // probability; continuous: standard deviation, in ranges
}

// Key names a user meeting a task; noise is seeded from it and from the
// criterion's id, so that every strategy meets the same user.
type Key struct {
	Seed       int
	Task, User string
}

// Noisy misreports as Noise says. A criterion's draws do not depend on what else
// was asked; the first decides the flip and the second the slip, so that users who
// differ in their rates only err on nested sets of criteria.
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
	case c.Scale == domains.Continuous:
		v := cell.Value() + rng.NormFloat64()*n.noise.Slip*c.Range()
		return domains.At(min(max(v, c.Min), c.Max))
	case rng.Float64() >= n.noise.Slip:
		return cell
	case c.Scale == domains.Nominal:
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
