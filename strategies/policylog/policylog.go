package policylog

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"pepbench/domains"
)

// Version of the format.
const Version = 1

// StopChoice is the key of stopping in Decision.Choices.
const StopChoice = "stop"

// A Header is the optional first line of a log.
type Header struct {
	Version    int    `json:"policylog"`            // 1
	Model      string `json:"model,omitempty"`      // what chose the questions
	Parameters int64  `json:"parameters,omitempty"` // of it; 0: not known
	Method     string `json:"method,omitempty"`     // how it was trained
	Data       string `json:"data,omitempty"`       // name and version of the data set
	Note       string `json:"note,omitempty"`
}

// A Told is a question of the past with its answer.
type Told struct {
	Criterion string       `json:"criterion"` // id
	Answer    domains.Cell `json:"answer"`    // null nothing was learnt, false not held, else the value
}

// A Decision is a line: what a policy did after a history.
type Decision struct {
	Policy  string `json:"policy"` // id
	Task    string `json:"task"`
	User    string `json:"user,omitempty"`    // of the data set; empty: not known
	Episode string `json:"episode,omitempty"` // any id; empty: the user's
	Seed    *int   `json:"seed,omitempty"`    // of the experiment; nil: of all seeds
	Turn    int    `json:"turn"`              // questions asked before
	History []Told `json:"history"`           // in order; as many as Turn

	Question    string             `json:"question,omitempty"`    // criterion id; empty where Stop
	Stop        bool               `json:"stop,omitempty"`        // the policy wanted no more
	Probability *float64           `json:"probability,omitempty"` // of what was chosen; nil: not known
	Choices     map[string]float64 `json:"choices,omitempty"`     // probability of every criterion, and of StopChoice; sum to 1
}

// A Log is a log that was read and found to hold together.
type Log struct {
	Header    Header // zero: the file has none
	Decisions []Decision
	Source    domains.Source // of the file
}

// DataName is the name by which a header names a data set.
func DataName(d *domains.Dataset) string { return strings.TrimSpace(d.Name + " " + d.Version) }

// Policies gives the ids of the policies, sorted.
func (l *Log) Policies() []string {
	seen := map[string]bool{}
	var out []string
	for i := range l.Decisions {
		if id := l.Decisions[i].Policy; !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// Of gives the part of the log that is one policy's. An empty id stands for the only
// one; where there are several, or none of that id, the error wraps domains.ErrData.
func (l *Log) Of(id string) (*Log, error) {
	ids := l.Policies()
	bad := func(what string) error {
		return &domains.DataError{File: l.Source.Path, What: what, Mend: "name one of: " + strings.Join(ids, ", ")}
	}
	switch {
	case id == "" && len(ids) == 1:
		return l, nil
	case id == "" && len(ids) > 1:
		return nil, bad(fmt.Sprintf("holds %d policies", len(ids)))
	case id == "":
		return nil, empty(l.Source.Path)
	case !slices.Contains(ids, id):
		return nil, bad(fmt.Sprintf("no policy %q", id))
	}
	out := &Log{Header: l.Header, Source: l.Source}
	for i := range l.Decisions {
		if l.Decisions[i].Policy == id {
			out.Decisions = append(out.Decisions, l.Decisions[i])
		}
	}
	return out, nil
}

// An episode is what the lines of one have in common.
type episode struct {
	policy, task, user, name string
	seed                     int
	seeded                   bool
}

func (d *Decision) episode() episode {
	e := episode{policy: d.Policy, task: d.Task, user: d.User, name: d.Episode}
	if d.Seed != nil {
		e.seed, e.seeded = *d.Seed, true
	}
	return e
}

// Episodes counts the episodes.
func (l *Log) Episodes() int {
	seen := map[episode]bool{}
	for i := range l.Decisions {
		seen[l.Decisions[i].episode()] = true
	}
	return len(seen)
}

// compare orders decisions as Write does.
func compare(a, b *Decision) int {
	seed := func(d *Decision) (int, int) {
		if d.Seed == nil {
			return 0, 0
		}
		return 1, *d.Seed
	}
	sa, va := seed(a)
	sb, vb := seed(b)
	return cmp.Or(
		cmp.Compare(a.Policy, b.Policy), cmp.Compare(sa, sb), cmp.Compare(va, vb), cmp.Compare(a.Task, b.Task),
		cmp.Compare(a.User, b.User), cmp.Compare(a.Episode, b.Episode), cmp.Compare(a.Turn, b.Turn),
	)
}

// Write writes the log: the header, unless it is zero, and the decisions, by policy, seed
// (none first), task, user, episode and turn. Equal logs give equal bytes. It does not look
// whether Read would take them; a number that JSON does not have is an error. Whoever
// writes a file gives a w that takes the file's place as a whole.
func Write(w io.Writer, l *Log) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if l.Header != (Header{}) {
		h := l.Header
		h.Version = Version
		if err := enc.Encode(h); err != nil {
			return fmt.Errorf("policy log: header: %w", err)
		}
	}
	order := make([]*Decision, len(l.Decisions))
	for i := range order {
		order[i] = &l.Decisions[i]
	}
	slices.SortStableFunc(order, compare)
	for _, d := range order {
		line := *d
		if line.History == nil {
			line.History = []Told{}
		}
		if err := enc.Encode(&line); err != nil {
			return fmt.Errorf("policy log: task %s, user %s, turn %d: %w", d.Task, cmp.Or(d.User, d.Episode), d.Turn, err)
		}
	}
	return nil
}

func empty(file string) error {
	return &domains.DataError{File: file, What: "the log has no decision", Mend: "write one decision a line"}
}
