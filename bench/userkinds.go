package bench

import (
	"fmt"

	"pepbench/domains"
	"pepbench/simusers"
)

func init() {
	userKinds.add("exact", func() UserKind { return &exactUser{} })
	userKinds.add("noisy", func() UserKind { return &noisyUser{} })
}

// A UserKind makes simulated users.
type UserKind interface {
	User(d *domains.Dataset, profile int, seed int) simusers.User
	About() string
}

type exactUser struct{}

// User implements UserKind.
func (*exactUser) User(d *domains.Dataset, profile, _ int) simusers.User {
	return simusers.NewExact(&d.Profiles[profile])
}

// About implements UserKind.
func (*exactUser) About() string { return "exact: answers what the profile says" }

type noisyUser struct {
	FlipHeld    float64 `yaml:"flip_held" json:"flip_held"`
	FlipNotHeld float64 `yaml:"flip_not_held" json:"flip_not_held"`
	Slip        float64 `yaml:"slip" json:"slip"`
}

func (n *noisyUser) check() error {
	if !share(n.FlipHeld) || !share(n.FlipNotHeld) || !share(n.Slip) {
		return fmt.Errorf("flip_held %v, flip_not_held %v and slip %v are probabilities", n.FlipHeld, n.FlipNotHeld, n.Slip)
	}
	return nil
}

// User implements UserKind.
func (n *noisyUser) User(d *domains.Dataset, profile, seed int) simusers.User {
	p := &d.Profiles[profile]
	return simusers.NewNoisy(p, d.CriteriaOf(p.Task), simusers.Noise{FlipHeld: n.FlipHeld, FlipNotHeld: n.FlipNotHeld, Slip: n.Slip},
		simusers.Key{Seed: seed, Task: d.Tasks[p.Task].ID, User: d.Users[p.User].ID})
}

// About implements UserKind.
func (n *noisyUser) About() string {
	return fmt.Sprintf("noisy: says a held criterion is not held with probability %g, the reverse with %g, slips to a neighbouring level with %[3]g (continuous values: a normal error of %[3]g ranges)", n.FlipHeld, n.FlipNotHeld, n.Slip)
}
