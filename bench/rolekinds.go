package bench

import (
	"context"
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"pepbench/bench/llm"
	"pepbench/bench/record"
	"pepbench/bench/solver"
	"pepbench/domains"
	"pepbench/judges"
)

func init() {
	solverKinds.add("direct", func() SolverKind { return &directSolver{solverOptions{MaxCriteria: 6}} })
	solverKinds.add("profile", func() SolverKind { return &profileSolver{solverOptions{MaxCriteria: 6}} })

	judgeKinds.add("rubric", func() JudgeKind { return &rubricJudge{Mode: modeBatched, Repeats: 1} })
	judgeKinds.add("profile", func() JudgeKind { return &profileJudge{} })
}

// A SolverKind makes a solver.
type SolverKind interface {
	solver(c llm.Client) solving
	onlyProfile() bool // needs no model, and only the profile judge can grade it
	Instructions() int // most criteria it is told about
	About() string
	Prompts() []record.Prompt
}

type solverOptions struct {
	MaxCriteria count   `yaml:"max_criteria" json:"max_criteria"`
	MinHeld     float64 `yaml:"min_held" json:"min_held"`
}

func (o *solverOptions) check() error {
	if o.MaxCriteria == 0 {
		return fmt.Errorf("max_criteria %d: give 1 or more, or all", o.MaxCriteria)
	}
	if !share(o.MinHeld) {
		return fmt.Errorf("min_held %v is not a probability", o.MinHeld)
	}
	return nil
}

func (o *solverOptions) options() solver.Options {
	return solver.Options{MaxCriteria: int(o.MaxCriteria), MinHeld: o.MinHeld}
}

// Instructions implements SolverKind.
func (o *solverOptions) Instructions() int { return max(0, int(o.MaxCriteria)) }

func (o *solverOptions) about(what string) string {
	n := "all criteria"
	if o.MaxCriteria > 0 {
		n = fmt.Sprintf("at most %d criteria, largest P(held) first", o.MaxCriteria)
	}
	return fmt.Sprintf("%s: %s, P(held) above %g", what, n, o.MinHeld)
}

// count is a whole number or "all", which is -1.
type count int

func (c *count) decodeNode(d *decoder, n *yaml.Node, path string) {
	if n.Value == "all" {
		*c = -1
		return
	}
	var v int
	whole, ok := wholeNumber(n)
	if !ok || whole.Decode(&v) != nil || v < 0 {
		d.fault(n, "", "%s is a whole number or all, not %q", path, redact(n.Value))
		return
	}
	*c = count(v)
}

type directSolver struct {
	solverOptions `yaml:",inline"`
}

func (s *directSolver) solver(c llm.Client) solving {
	return solver.Direct{Client: c, Options: s.options()}
}
func (*directSolver) onlyProfile() bool { return false }

// About implements SolverKind.
func (s *directSolver) About() string { return s.about("direct") }

// Prompts implements SolverKind.
func (*directSolver) Prompts() []record.Prompt {
	return []record.Prompt{{Name: solver.PromptName, SHA256: solver.PromptHash()}}
}

type profileSolver struct {
	solverOptions `yaml:",inline"`
}

func (s *profileSolver) solver(llm.Client) solving { return solver.Profile{Options: s.options()} }
func (*profileSolver) onlyProfile() bool           { return true }

// About implements SolverKind.
func (s *profileSolver) About() string { return s.about("profile (no model)") }

// Prompts implements SolverKind.
func (*profileSolver) Prompts() []record.Prompt { return nil }

// A JudgeKind makes a judge.
type JudgeKind interface {
	judge(c llm.Client, model string) grading
	onlyProfile() bool
	Identity(b BackendKind, rubric domains.RubricKind) string
	Calls(held int) int // for a response graded on so many criteria
	Prompts() []record.Prompt
}

const (
	modeBatched = "batched"
	modeSingle  = "single"
)

type rubricJudge struct {
	Mode    string  `yaml:"mode" json:"mode"`                // batched: one call a response; single: one a criterion
	Repeats repeats `yaml:"repeats" json:"repeats,omitzero"` // independent draws of every call
	Probes  bool    `yaml:"probes" json:"probes,omitempty"`  // grade the built-in probes before the sessions
}

// repeats is a number of draws; the usual one is left out of configurations on disk.
type repeats int

// IsZero reports whether nothing is repeated.
func (r repeats) IsZero() bool { return r <= 1 }

// mostRepeats bounds what one response may cost by mistake.
const mostRepeats = 25

func (r *rubricJudge) check() error {
	if !slices.Contains([]string{modeBatched, modeSingle}, r.Mode) {
		return fmt.Errorf("mode %q is neither %s nor %s", r.Mode, modeBatched, modeSingle)
	}
	if r.Repeats < 1 || r.Repeats > mostRepeats {
		return fmt.Errorf("repeats %d is not from 1 to %d", r.Repeats, mostRepeats)
	}
	return nil
}

func (r *rubricJudge) judge(c llm.Client, model string) grading { return r.rubric(c, model) }

func (r *rubricJudge) rubric(c llm.Client, model string) *judges.Rubric {
	return &judges.Rubric{Client: c, Batched: r.Mode == modeBatched, Repeats: int(r.Repeats), Model: model}
}
func (*rubricJudge) onlyProfile() bool { return false }

// Identity implements JudgeKind.
func (r *rubricJudge) Identity(b BackendKind, rubric domains.RubricKind) string {
	return r.rubric(nil, b.model()).ID(rubric)
}

// Calls implements JudgeKind.
func (r *rubricJudge) Calls(held int) int {
	if r.Mode == modeBatched {
		held = min(1, held)
	}
	return held * int(r.Repeats)
}

// Prompts implements JudgeKind.
func (r *rubricJudge) Prompts() []record.Prompt {
	out := []record.Prompt{{Name: judges.PromptName, SHA256: judges.PromptHash()}, {Name: judges.CorrectnessPromptName, SHA256: judges.CorrectnessPromptHash()}}
	if r.Probes {
		out = append(out, record.Prompt{Name: judges.ProbesName, SHA256: judges.ProbesHash()})
	}
	return out
}

type profileJudge struct{}

func (*profileJudge) judge(llm.Client, string) grading { return profileGrader{} }
func (*profileJudge) onlyProfile() bool                { return true }

// Identity implements JudgeKind.
func (*profileJudge) Identity(BackendKind, domains.RubricKind) string { return judges.ProfileID }

// Calls implements JudgeKind.
func (*profileJudge) Calls(int) int { return 0 }

// Prompts implements JudgeKind.
func (*profileJudge) Prompts() []record.Prompt { return nil }

// profileGrader lets the profile judge, which cannot fail, stand where others can.
type profileGrader struct{ judges.Profile }

// Grade implements grading.
func (p profileGrader) Grade(_ context.Context, c judges.Case) ([]judges.Score, error) {
	return p.Profile.Grade(c), nil
}
