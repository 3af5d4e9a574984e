package policylog

import "pepbench/domains"

// Version of the format.
const Version = 1

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
	Choices     map[string]float64 `json:"choices,omitempty"`     // probability of every criterion, and of "stop"; sum to 1
}

// A Log is a log that was read and found to hold together.
type Log struct {
	Header    Header
	Decisions []Decision
	Source    domains.Source // of the file
}
