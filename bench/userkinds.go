package bench

import (
	"fmt"
	"math/rand/v2"
	"strconv"

	"pepbench/bench/interpret"
	"pepbench/bench/llm"
	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/simusers"
)

func init() {
	userKinds.add("exact", func() UserKind { return &exactUser{} })
	userKinds.add("noisy", func() UserKind { return &noisyUser{} })
	for _, m := range []simusers.Manner{simusers.Passive, simusers.PassiveNoStop, simusers.Collaborative} {
		userKinds.add(string(m), func() UserKind { return &verbalUser{manner: m, Again: 1, Audit: 0.1} })
	}
}

// A UserKind makes simulated users.
type UserKind interface {
	// User makes the user of a session; the client plays those who answer in words and
	// may be nil for others.
	User(d *domains.Dataset, profile int, seed int, c llm.Client) simusers.User
	verbal() bool // answers in words, which a model makes and somebody must interpret
	About() string
}

type exactUser struct{}

// User implements UserKind.
func (*exactUser) User(d *domains.Dataset, profile, _ int, _ llm.Client) simusers.User {
	return simusers.NewExact(&d.Profiles[profile])
}

func (*exactUser) verbal() bool { return false }

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
func (n *noisyUser) User(d *domains.Dataset, profile, seed int, _ llm.Client) simusers.User {
	p := &d.Profiles[profile]
	return simusers.NewNoisy(p, d.CriteriaOf(p.Task), simusers.Noise{FlipHeld: n.FlipHeld, FlipNotHeld: n.FlipNotHeld, Slip: n.Slip},
		simusers.Key{Seed: seed, Task: d.Tasks[p.Task].ID, User: d.Users[p.User].ID})
}

func (*noisyUser) verbal() bool { return false }

// About implements UserKind.
func (n *noisyUser) About() string {
	return fmt.Sprintf("noisy: says a held criterion is not held with probability %g, the reverse with %g, slips to a neighbouring level with %[3]g (continuous values: a normal error of %[3]g ranges)", n.FlipHeld, n.FlipNotHeld, n.Slip)
}

// verbalUser is a user who answers in words. A share of the questions is put again, to
// see whether the answer is the same.
type verbalUser struct {
	manner simusers.Manner
	Again  int     `yaml:"again" json:"again"` // how often an audited question is put again
	Audit  float64 `yaml:"audit" json:"audit"` // share of questions that are audited; 0: none
}

func (v *verbalUser) check() error {
	if !share(v.Audit) {
		return fmt.Errorf("audit %v is not a share of the questions", v.Audit)
	}
	if v.Again < 0 || v.Again > 100 {
		return fmt.Errorf("again %d: an audited question is put again 0 to 100 times", v.Again)
	}
	return nil
}

// User implements UserKind.
func (v *verbalUser) User(d *domains.Dataset, profile, _ int, c llm.Client) simusers.User {
	p := &d.Profiles[profile]
	return simusers.NewVerbal(c, v.manner, simusers.Character{
		Persona: d.Users[p.User].Persona, Task: d.Tasks[p.Task].Blind(), Criteria: d.CriteriaOf(p.Task), Profile: p, Rubric: d.Rubric,
	})
}

func (*verbalUser) verbal() bool { return true }

// About implements UserKind.
func (v *verbalUser) About() string {
	s := fmt.Sprintf("%s, in words: %s", v.manner, v.manner.About())
	if n := v.repeats(); n > 0 {
		s += fmt.Sprintf(" (audit: a share of %g of the questions is put again, repeats: %d)", v.Audit, n)
	}
	return s
}

// repeats is how often an audited question is put again.
func (v *verbalUser) repeats() int {
	if v.Audit == 0 {
		return 0
	}
	return v.Again
}

// audits is how often the question of a turn (from 0) of a session is put again. It
// follows from the two alone.
func (e *Experiment) audits(session string, turn int) int {
	v, ok := e.Users.Config.(*verbalUser)
	if !ok || rand.New(rand.NewPCG(domains.Hash("audit", session, strconv.Itoa(turn)), 0)).Float64() >= v.Audit {
		return 0
	}
	return v.repeats()
}

// talk are the prompts of users, interpreter and asker that the experiment uses.
func (e *Experiment) talk() []record.Prompt {
	var out []record.Prompt
	verbal, asks := e.Users.Config.verbal(), e.asks()
	if verbal {
		out = append(out, record.Prompt{Name: simusers.VerbalPromptName, SHA256: simusers.VerbalPromptHash()},
			record.Prompt{Name: interpret.AnswerPromptName, SHA256: interpret.AnswerPromptHash()})
	}
	if asks {
		out = append(out, record.Prompt{Name: interpret.QuestionPromptName, SHA256: interpret.QuestionPromptHash()})
	}
	return append(out, e.askerPrompts()...)
}
