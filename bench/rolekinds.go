package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"pepbench/bench/llm"
	"pepbench/bench/llm/sim"
	"pepbench/bench/record"
	"pepbench/bench/solver"
	"pepbench/domains"
	"pepbench/judges"
)

func init() {
	backendKinds.add("sim", func() BackendKind { return &simBackend{} })
	backendKinds.add("openai", func() BackendKind { return &openaiBackend{BaseURL: "https://api.openai.com/v1"} })

	solverKinds.add("direct", func() SolverKind { return &directSolver{solverOptions{MaxCriteria: 6}} })
	solverKinds.add("profile", func() SolverKind { return &profileSolver{solverOptions{MaxCriteria: 6}} })

	judgeKinds.add("rubric", func() JudgeKind { return &rubricJudge{Mode: modeBatched} })
	judgeKinds.add("profile", func() JudgeKind { return &profileJudge{} })
}

// A BackendKind is a model server for solver and judge.
type BackendKind interface {
	// open makes it ready; close is called once when the run is over.
	open(ctx context.Context, concurrency int) (c llm.Client, close func(), err error)
	model() string
	simulated() bool
}

// simBackend is the embedded simulator, over HTTP on a loopback port.
type simBackend struct{}

func (*simBackend) model() string   { return sim.Model + "@" + sim.Version }
func (*simBackend) simulated() bool { return true }

func (*simBackend) open(ctx context.Context, concurrency int) (llm.Client, func(), error) {
	url, stop, err := sim.Serve(context.WithoutCancel(ctx))
	if err != nil {
		return nil, nil, fmt.Errorf("embedded model: %w", err)
	}
	c, err := llm.New(llm.Endpoint{BaseURL: url, Model: sim.Model, Concurrency: concurrency})
	if err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return c, func() {
		c.Close()
		_ = stop() // every reply is in by now
	}, nil
}

// openaiBackend is any server with OpenAI's interface.
type openaiBackend struct {
	BaseURL     string   `yaml:"base_url" json:"base_url"`
	Model       string   `yaml:"model" json:"model"`
	KeyEnv      string   `yaml:"api_key_env" json:"api_key_env,omitempty"` // name of the environment variable, never the key
	Temperature *float64 `yaml:"temperature" json:"temperature,omitempty"`
	TopP        *float64 `yaml:"top_p" json:"top_p,omitempty"`
	MaxTokens   int      `yaml:"max_tokens" json:"max_tokens,omitempty"`
	Seed        *int     `yaml:"seed" json:"seed,omitempty"`
	Headers     headers  `yaml:"headers" json:"headers,omitempty"`
}

// headers go to the server as they are and to disk as hashes: they may be secret.
type headers map[string]string

// MarshalJSON writes names and the first half of the SHA-256 of each value.
func (h headers) MarshalJSON() ([]byte, error) {
	out := make(map[string]string, len(h))
	for k, v := range h {
		sum := sha256.Sum256([]byte(v))
		out[k] = "sha256:" + hex.EncodeToString(sum[:16])
	}
	return json.Marshal(out)
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (o *openaiBackend) check() error {
	if u, err := url.Parse(o.BaseURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("base_url is not an http or https address such as https://api.openai.com/v1")
	} else if u.User != nil {
		return errors.New("base_url holds a user name or password; a secret does not belong in a file: use api_key_env")
	}
	switch {
	case o.Model == "":
		return errors.New("model names no model")
	case o.KeyEnv != "" && (!envName.MatchString(o.KeyEnv) || keyLike.MatchString(o.KeyEnv)):
		return errors.New("api_key_env is the name of an environment variable, such as OPENAI_API_KEY; a key does not belong in a file")
	case o.Temperature != nil && !(*o.Temperature >= 0 && *o.Temperature <= 5):
		return fmt.Errorf("temperature %v is not from 0 to 5", *o.Temperature)
	case o.TopP != nil && !(*o.TopP > 0 && *o.TopP <= 1):
		return fmt.Errorf("top_p %v is not in (0, 1]", *o.TopP)
	case o.MaxTokens < 0:
		return fmt.Errorf("max_tokens %d is negative", o.MaxTokens)
	}
	for k := range o.Headers {
		if strings.EqualFold(k, "authorization") {
			return errors.New("headers may not hold authorization; name the variable with the key in api_key_env")
		}
	}
	return nil
}

func (o *openaiBackend) model() string { return o.Model }
func (*openaiBackend) simulated() bool { return false }

func (o *openaiBackend) open(_ context.Context, concurrency int) (llm.Client, func(), error) {
	key := ""
	if o.KeyEnv != "" {
		if key = os.Getenv(o.KeyEnv); key == "" {
			return nil, nil, fmt.Errorf("environment variable %s (backend.api_key_env) is empty; export the key of %s in it: %w", o.KeyEnv, o.BaseURL, llm.ErrUnusable)
		}
	}
	c, err := llm.New(llm.Endpoint{
		BaseURL: o.BaseURL, Model: o.Model, Key: key, Temperature: o.Temperature, TopP: o.TopP,
		MaxTokens: o.MaxTokens, Seed: o.Seed, Headers: o.Headers, Concurrency: concurrency,
	})
	if err != nil {
		return nil, nil, err
	}
	return c, c.Close, nil
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
	Mode string `yaml:"mode" json:"mode"` // batched: one call a response; single: one a criterion
}

func (r *rubricJudge) check() error {
	if !slices.Contains([]string{modeBatched, modeSingle}, r.Mode) {
		return fmt.Errorf("mode %q is neither %s nor %s", r.Mode, modeBatched, modeSingle)
	}
	return nil
}

func (r *rubricJudge) judge(c llm.Client, model string) grading {
	return &judges.Rubric{Client: c, Batched: r.Mode == modeBatched, Model: model}
}
func (*rubricJudge) onlyProfile() bool { return false }

// Identity implements JudgeKind.
func (r *rubricJudge) Identity(b BackendKind, rubric domains.RubricKind) string {
	return (&judges.Rubric{Batched: r.Mode == modeBatched, Model: b.model()}).ID(rubric)
}

// Calls implements JudgeKind.
func (r *rubricJudge) Calls(held int) int {
	if r.Mode == modeBatched {
		return min(1, held)
	}
	return held
}

// Prompts implements JudgeKind.
func (*rubricJudge) Prompts() []record.Prompt {
	return []record.Prompt{{Name: judges.PromptName, SHA256: judges.PromptHash()}, {Name: judges.CorrectnessPromptName, SHA256: judges.CorrectnessPromptHash()}}
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

// roles are the parts of a run that may talk to a model.
type roles struct {
	solver      solving
	judge       grading
	judgeID     string
	correctness checking
	endpoints   []record.Endpoint
	meters      map[string]*llm.Meter
	close       func()
}

// connect opens the backend, if any role needs one, and asks it for one word, so
// that a wrong key, model or address is found before any session is spent.
func (p *Plan) connect(ctx context.Context, concurrency int) (*roles, error) {
	e := p.Experiment
	r := &roles{judgeID: p.manifest.Judge, endpoints: []record.Endpoint{}, close: func() {}, meters: map[string]*llm.Meter{}}
	if e.Solver.Config.onlyProfile() {
		r.solver, r.judge = e.Solver.Config.solver(nil), e.Judge.Config.judge(nil, "")
		return r, nil
	}
	b := e.Backend.Config
	c, closeBackend, err := b.open(ctx, concurrency)
	if err != nil {
		return nil, err
	}
	r.close = closeBackend
	hello, err := c.Complete(ctx, llm.Request{User: "Reply with the word ready."})
	if err != nil {
		r.close()
		if ctx.Err() == nil && !errors.Is(err, llm.ErrUnusable) { // whatever it was, sessions would meet it too
			err = fmt.Errorf("the first, trivial call failed: %w: %w", err, llm.ErrUnusable)
		}
		return nil, err
	}
	role := func(name string) llm.Client {
		m := &llm.Meter{}
		r.meters[name] = m
		r.endpoints = append(r.endpoints, record.Endpoint{Role: name, Model: b.model(), Reported: hello.Model, Simulated: b.simulated()})
		return m.Wrap(c)
	}
	r.solver = e.Solver.Config.solver(role("solver"))
	r.judge = e.Judge.Config.judge(role("judge"), b.model())
	r.correctness = &judges.Correctness{Client: role("correctness")}
	return r, nil
}

// usage is what the calls of the run cost.
func (r *roles) usage() record.Usage {
	u := record.Usage{Roles: map[string]record.RoleUsage{}}
	for name, m := range r.meters {
		x := m.Use()
		u.Roles[name] = record.RoleUsage{Calls: x.Calls, Retries: x.Retries, Failed: x.Failed, TokensIn: x.TokensIn, TokensOut: x.TokensOut, Seconds: x.Busy.Seconds()}
	}
	return u
}
