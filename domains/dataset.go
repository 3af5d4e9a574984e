package domains

import (
	"fmt"
	"strings"
)

// RubricKind says what the levels of a data set's rubric mean. It is declared by
// the data set or its configuration and never guessed.
type RubricKind string

// The rubric kinds.
const (
	// Amount: the levels say how much of something a text has. The judge, who is
	// not told the user's value, names the level it finds.
	Amount RubricKind = "amount"
	// Quality: the levels say how well a text serves this user. The judge sees
	// value and justification and gives the score.
	Quality RubricKind = "quality"
	// NoRubric: a survey; nothing is written and the profile judge grades.
	NoRubric RubricKind = "none"
)

// An Option is one choice of a multiple-choice task.
type Option struct{ Label, Text string }

// A Task is something a user wants done, and the criteria it admits.
type Task struct {
	ID      string
	Prompt  string
	Options []Option
	Answer  string // label of the right option, or the right number or text; empty when unknown
	Why     string // why the answer is right; no model sees it

	// Criteria are indices into Dataset.Criteria, ascending.
	Criteria []int
}

// A User is a person who may meet several tasks.
type User struct {
	ID      string
	Persona string // who they are, in words; strategies never see it
}

// A Source is a file that the data came from.
type Source struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

// A Count is one line of bookkeeping: what a loader or filter did, how often.
type Count struct {
	What string `json:"what"`
	N    int    `json:"n"`
}

// A Dataset is everything that is known before a run. Profiles are sorted by
// (task, user) and unique in it.
type Dataset struct {
	Name     string
	Version  string
	Rubric   RubricKind
	Criteria []Criterion
	Tasks    []Task
	Users    []User
	Profiles []Profile
	Sources  []Source
	Counts   []Count // filled by loaders and filters, kept in the manifest
}

// Survey reports whether the data set has profiles but no task to solve.
func (d *Dataset) Survey() bool { return d.Rubric == NoRubric }

// CriteriaOf gives the criteria that task t admits, in its order.
func (d *Dataset) CriteriaOf(t int) []Criterion {
	out := make([]Criterion, len(d.Tasks[t].Criteria))
	for i, c := range d.Tasks[t].Criteria {
		out[i] = d.Criteria[c]
	}
	return out
}

// Sparse reports whether any profile has a criterion that is not held.
func (d *Dataset) Sparse() bool {
	for i := range d.Profiles {
		for _, c := range d.Profiles[i].Cells {
			if c.IsNotHeld() {
				return true
			}
		}
	}
	return false
}

// Validate checks every rule that the rest of the module relies on: known rubric
// kind, unique ids, valid criteria, ascending admitted criteria, profiles sorted
// and unique with cells inside their levels and weights that sum to 1, right
// answers among the options. Errors wrap ErrData.
func (d *Dataset) Validate() error {
	bad := func(format string, a ...any) error {
		return &DataError{What: fmt.Sprintf("data set %s: ", d.Name) + fmt.Sprintf(format, a...)}
	}
	switch d.Rubric {
	case Amount, Quality, NoRubric:
	default:
		return bad("rubric kind %q is none of amount, quality, none", d.Rubric)
	}
	if len(d.Profiles) == 0 {
		return bad("no profiles")
	}
	ids := map[string]bool{}
	for i := range d.Criteria {
		c := &d.Criteria[i]
		if err := c.Validate(); err != nil {
			return err
		}
		if ids[c.ID] {
			return bad("criterion %q twice", c.ID)
		}
		ids[c.ID] = true
		if d.Rubric == Amount && len(c.Levels) != 5 {
			return bad("criterion %q has %d levels, an amount rubric has five", c.ID, len(c.Levels))
		}
	}
	clear(ids)
	for i := range d.Tasks {
		t := &d.Tasks[i]
		if t.ID == "" || strings.ContainsAny(t.ID, "\n\t") {
			return bad("task %d has no usable id (%q)", i, t.ID)
		}
		if ids[t.ID] {
			return bad("task %q twice", t.ID)
		}
		ids[t.ID] = true
		for j, c := range t.Criteria {
			if c < 0 || c >= len(d.Criteria) || j > 0 && c <= t.Criteria[j-1] {
				return bad("task %q: admitted criteria are not ascending indices", t.ID)
			}
		}
		if len(t.Options) > 0 && t.Answer != "" {
			known := false
			for _, o := range t.Options {
				known = known || o.Label == t.Answer
			}
			if !known {
				return bad("task %q: right answer %q is none of its options", t.ID, t.Answer)
			}
		}
	}
	clear(ids)
	for i := range d.Users {
		if d.Users[i].ID == "" {
			return bad("user %d has no id", i)
		}
		if ids[d.Users[i].ID] {
			return bad("user %q twice", d.Users[i].ID)
		}
		ids[d.Users[i].ID] = true
	}
	for i := range d.Profiles {
		if err := d.validateProfile(i); err != nil {
			return bad("%v", err)
		}
	}
	return nil
}

func (d *Dataset) validateProfile(i int) error {
	p := &d.Profiles[i]
	if p.Task < 0 || p.Task >= len(d.Tasks) || p.User < 0 || p.User >= len(d.Users) {
		return fmt.Errorf("profile %d: task or user out of range", i)
	}
	task, user := &d.Tasks[p.Task], &d.Users[p.User]
	at := func(format string, a ...any) error {
		return fmt.Errorf("task %q, user %q: %s", task.ID, user.ID, fmt.Sprintf(format, a...))
	}
	if i > 0 {
		q := &d.Profiles[i-1]
		if q.Task > p.Task || q.Task == p.Task && q.User >= p.User {
			return at("profile twice or out of order")
		}
	}
	if len(p.Cells) != len(task.Criteria) {
		return at("%d cells for %d criteria", len(p.Cells), len(task.Criteria))
	}
	if p.Weights != nil && len(p.Weights) != len(p.Cells) || p.Notes != nil && len(p.Notes) != len(p.Cells) {
		return at("weights or notes do not line up with the cells")
	}
	sum, held := 0.0, p.Held()
	for j, c := range p.Cells {
		crit := &d.Criteria[task.Criteria[j]]
		if c.IsHeld() && !crit.Allows(c.Value()) {
			return at("value %v of %q is outside its levels", c.Value(), crit.ID)
		}
		w := 0.0
		switch {
		case !c.IsHeld():
		case p.Weights != nil:
			w = p.Weights[j]
		default:
			w = 1 / float64(held)
		}
		if !(w >= 0) {
			return at("weight %v of %q", w, crit.ID)
		}
		sum += w
	}
	if held > 0 && !(sum > 1-1e-6 && sum < 1+1e-6) {
		return at("weights sum to %v", sum)
	}
	return nil
}

// Blind gives the task as models and strategies may see it: without the right
// answer and its reason.
func (t Task) Blind() Task {
	t.Answer, t.Why = "", ""
	return t
}
