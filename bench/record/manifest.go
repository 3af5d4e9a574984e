package record

import (
	"encoding/json"
	"fmt"

	"pepbench/domains"
)

// Schema is the version of the files described here.
const Schema = 1

// A Manifest says what a run was: enough to repeat it and to know where each
// number came from. Equal configuration, code and data give equal bytes.
type Manifest struct {
	Schema     int             `json:"schema"`
	Name       string          `json:"name"`
	ConfigHash string          `json:"config_hash"` // SHA-256 of Config
	Config     json.RawMessage `json:"config"`      // resolved: extends, defaults and --set applied

	Code Code `json:"code"`
	Data Data `json:"data"`

	Seeds       []int      `json:"seeds"`
	Budget      int        `json:"budget"`
	Horizon     int        `json:"horizon"`
	Checkpoints []int      `json:"checkpoints"`
	Strategies  []Strategy `json:"strategies"`         // in the order of the configuration
	LeftOut     []string   `json:"left_out,omitempty"` // rows of the configuration that are not defined on the data
	Models      []Model    `json:"models"`             // fitted population models
	Users       string     `json:"users"`              // the simulated user, in words
	Solver      string     `json:"solver"`             // in words, with its parameters
	Judge       string     `json:"judge"`              // identity that every score carries
	Endpoints   []Endpoint `json:"endpoints"`          // none in a run without language models
	Prompts     []Prompt   `json:"prompts"`            // hashes of the instructions sent

	Sessions int             `json:"sessions"` // planned
	Planned  Calls           `json:"planned"`  // by the dry-run arithmetic
	Counts   []domains.Count `json:"counts"`   // loaders, filters, splits
	Report   Report          `json:"report"`
	Warnings []string        `json:"warnings,omitempty"`

	// Rejudged says that responses of another run were graded again, and nothing else was
	// done anew; nil: they were not.
	Rejudged *Rejudged `json:"rejudged,omitempty"`
}

// Rejudged is where the responses of a run come from whose sessions were only graded.
type Rejudged struct {
	Of             string `json:"of"` // name of the run
	ConfigHash     string `json:"config_hash"`
	SessionsSHA256 string `json:"sessions_sha256"` // of its sessions.jsonl
	Judge          string `json:"judge"`           // who graded there
	Code           string `json:"code"`            // version of the program there
}

// Code is the program that ran.
type Code struct {
	Version      string            `json:"version"` // module version or VCS revision, "unknown" when neither is known
	Go           string            `json:"go"`
	Platform     string            `json:"platform"` // GOOS/GOARCH
	Dependencies map[string]string `json:"dependencies"`
}

// Data is what it ran on.
type Data struct {
	Name      string           `json:"name"`
	Version   string           `json:"version"`
	Rubric    string           `json:"rubric"`
	Sources   []domains.Source `json:"sources"`
	Split     string           `json:"split"`
	Folds     int              `json:"folds,omitempty"`  // of a cross-fitted run; Profiles and the others then count each fold's
	Compat    string           `json:"compat,omitempty"` // "released": beliefs and choices as the released code computes them
	Criteria  int              `json:"criteria"`
	Tasks     SplitCount       `json:"tasks"`
	Users     SplitCount       `json:"users"`
	Profiles  SplitCount       `json:"profiles"`
	TestTasks []string         `json:"test_tasks"`
	// SharedUsers says that test users recur across test tasks.
	SharedUsers bool `json:"shared_users"`
}

// SplitCount counts things by the part of the split they are in.
type SplitCount struct {
	Train int `json:"train"`
	Dev   int `json:"dev"`
	Test  int `json:"test"`
}

// A Strategy is one row of every table: a way to choose questions together with
// a way to predict from the answers.
type Strategy struct {
	Name    string `json:"name"`              // unique; Session.Strategy
	Base    string `json:"base"`              // how it asks; strategies that differ only in Predict share it
	Kind    string `json:"kind"`              // none, oracle, random, static, pep, asker, rl, replay
	Predict string `json:"predict"`           // "answers" or the name of a belief
	Asks    string `json:"asks,omitempty"`    // name of the belief it asks by
	TwinOf  string `json:"twin_of,omitempty"` // Base of the adaptive strategy whose static twin this is
	About   string `json:"about"`             // one line in words
	Params  int    `json:"params"`            // parameters of the models it uses

	// Choice holds the acquisitions among which one was chosen on dev; DevScore is then the
	// alignment (0..100) there.
	Choice []Choice `json:"choice,omitempty"`
	Policy *Policy  `json:"policy,omitempty"` // of kinds rl and replay
}

// A Model is a fitted population model.
type Model struct {
	Name   string          `json:"name"`
	Kind   string          `json:"kind"`
	Params int             `json:"params"`
	About  string          `json:"about"`          // e.g. the number of classes and how it was chosen
	Fold   int             `json:"fold,omitempty"` // of a cross-fitted run, from 1
	File   *domains.Source `json:"file,omitempty"` // of a model that was read and not fitted
	// Choice holds the dev scores among which one was chosen.
	Choice []Choice `json:"choice,omitempty"`
}

// A Choice is a candidate that was compared on the dev split.
type Choice struct {
	Candidate string  `json:"candidate"`
	DevScore  float64 `json:"dev_score"` // of a model the mean log score, nats a cell; larger is better
	Chosen    bool    `json:"chosen,omitempty"`
}

// An Endpoint is a model server that took part.
type Endpoint struct {
	Role      string `json:"role"` // solver, judge, correctness, user, interpreter, asker
	Model     string `json:"model"`
	Reported  string `json:"reported"` // what the server said it served
	Simulated bool   `json:"simulated"`
	Price     *Price `json:"price,omitempty"` // nil: not known
}

// A Price is what tokens cost, in dollars a million.
type Price struct {
	In  float64 `json:"in"`
	Out float64 `json:"out"`
}

// String implements fmt.Stringer.
func (p *Price) String() string {
	if p == nil {
		return "no price"
	}
	return fmt.Sprintf("$%g in, $%g out", p.In, p.Out)
}

// A Prompt is the hash of an instruction text.
type Prompt struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// Calls counts logical calls and tokens by role; what the network made of them
// (retries, cache hits) is in usage.json.
type Calls struct {
	Solver          int  `json:"solver"`
	Judge           int  `json:"judge"`
	Correctness     int  `json:"correctness"`
	User            int  `json:"user,omitempty"`
	Interpreter     int  `json:"interpreter,omitempty"`
	Asker           int  `json:"asker,omitempty"`
	Probes          int  `json:"probes,omitempty"` // of the judge, on made-up responses
	TokensIn        int  `json:"tokens_in"`        // estimate, four characters a token
	TokensOut       int  `json:"tokens_out"`       // estimate
	TokensEstimated bool `json:"tokens_estimated"`
}

// Report is what reports need to know of the configuration.
type Report struct {
	Resamples  int     `json:"resamples"`
	Confidence float64 `json:"confidence"` // e.g. 0.95
	Seed       int     `json:"seed"`
	TargetOf   string  `json:"target_of"` // strategy whose final alignment is the target; empty: none
	Reference  string  `json:"reference"` // strategy the others are compared with; empty: none

	// Questions are the checkpoints at which strategies are compared; empty: the final
	// one. Against are strategies to compare with beside the reference: bases, which
	// stand for the row of that base that predicts alike, or names of rows.
	Questions []int    `json:"questions,omitempty"`
	Against   []string `json:"against,omitempty"`
}

// Usage is usage.json: what the network made of the logical calls, by role. Equal
// runs may differ in it, and a resumed run counts its last leg.
type Usage struct {
	Roles map[string]RoleUsage `json:"roles"`
}

// RoleUsage is the physical usage of one role.
type RoleUsage struct {
	Calls     int     `json:"calls"`
	Cached    int     `json:"cached"` // calls of them that were answered from the cache
	Retries   int     `json:"retries"`
	Failed    int     `json:"failed"`
	TokensIn  int     `json:"tokens_in"`
	TokensOut int     `json:"tokens_out"`
	Seconds   float64 `json:"seconds"` // summed over calls in flight

	// Dollars are what the tokens cost by the prices of the configuration; nil: those
	// are not known. Format is the response format that the server was sent in the end,
	// and Refused its words about that of the configuration; empty: it took that.
	Dollars *float64 `json:"dollars,omitempty"`
	Format  string   `json:"response_format,omitempty"`
	Refused string   `json:"response_format_refused,omitempty"`
}

// Timing is timing.json: the clocks of the last leg of a run.
type Timing struct {
	Started     string  `json:"started"` // RFC 3339
	WallSeconds float64 `json:"wall_seconds"`
	CPUSeconds  float64 `json:"cpu_seconds"`
	Sessions    int     `json:"sessions"` // run in this leg
	Concurrency int     `json:"concurrency"`
}
