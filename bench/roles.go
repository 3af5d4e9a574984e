package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"

	"gopkg.in/yaml.v3"

	"pepbench/bench/llm"
	"pepbench/bench/llm/cache"
	"pepbench/bench/llm/sim"
	"pepbench/bench/record"
	"pepbench/judges"
)

// The roles that a model can have in a run.
const (
	roleSolver      = "solver"
	roleJudge       = "judge"
	roleCorrectness = "correctness" // played by the judge's model
	roleUser        = "user"
	roleInterpreter = "interpreter"
	roleAsker       = "asker"
)

// allRoles is the order in which roles are listed.
var allRoles = []string{roleSolver, roleJudge, roleCorrectness, roleUser, roleInterpreter, roleAsker}

// Roles name the model that plays each role: one of Experiment.Models, or, where
// nothing is said, the backend.
type Roles struct {
	Solver      string `yaml:"solver" json:"solver,omitempty"`
	Judge       string `yaml:"judge" json:"judge,omitempty"`
	User        string `yaml:"user" json:"user,omitempty"`
	Interpreter string `yaml:"interpreter" json:"interpreter,omitempty"`
	Asker       string `yaml:"asker" json:"asker,omitempty"`
}

// RoleNames are the roles that Roles can name a model for.
var RoleNames = []string{roleSolver, roleJudge, roleUser, roleInterpreter, roleAsker}

// ModelNames lists the models that a configuration names, sorted, whatever else may be
// wrong with it.
func ModelNames(path string, sets []string) ([]string, error) {
	root, _, err := readYAML(path, sets)
	if err != nil {
		return nil, err
	}
	var out []string
	if i := find(root, "models"); i >= 0 && root.Content[i].Kind == yaml.MappingNode {
		for k := 0; k < len(root.Content[i].Content); k += 2 {
			out = append(out, root.Content[i].Content[k].Value)
		}
	}
	slices.Sort(out)
	return out, nil
}

// backendName stands for Experiment.Backend among the names of models.
const backendName = "backend"

// modelName names the model of a role.
func (e *Experiment) modelName(role string) string {
	name := map[string]string{
		roleSolver: e.Roles.Solver, roleJudge: e.Roles.Judge, roleCorrectness: e.Roles.Judge,
		roleUser: e.Roles.User, roleInterpreter: e.Roles.Interpreter, roleAsker: e.Roles.Asker,
	}[role]
	if name == "" {
		return backendName
	}
	return name
}

// modelOf gives the model of a role.
func (e *Experiment) modelOf(role string) BackendKind { return e.named(e.modelName(role)) }

func (e *Experiment) named(model string) BackendKind {
	if model == backendName {
		return e.Backend.Config
	}
	return e.Models[model].Config
}

// rolesUsed are the roles that call a model in this experiment, in a fixed order.
func (e *Experiment) rolesUsed() []string {
	var out []string
	if !e.Solver.Config.onlyProfile() {
		out = append(out, roleSolver, roleJudge, roleCorrectness)
	}
	verbal, asks := e.Users.Config.verbal(), e.asks()
	if verbal {
		out = append(out, roleUser)
	}
	if verbal || asks {
		out = append(out, roleInterpreter)
	}
	if asks {
		out = append(out, roleAsker)
	}
	return out
}

// rolesCalled are the roles of rolesUsed that call a model now: the judge's alone where
// responses are graded again.
func (e *Experiment) rolesCalled() []string {
	if e.called != nil {
		return e.called
	}
	return e.rolesUsed()
}

// sameEndpoints reports whether two runs met the same models; what these cost decides
// about no result.
func sameEndpoints(a, b []record.Endpoint) bool {
	return slices.EqualFunc(a, b, func(x, y record.Endpoint) bool {
		x.Price, y.Price = nil, nil
		return x == y
	})
}

// inFlight is how many sessions run at a time: what was asked for, else as many as the
// widest of the models on servers takes calls, else four a processor. A session makes
// one call at a time, or few; where there are more than a model takes, they wait.
func (e *Experiment) inFlight() int {
	most := 0
	for _, role := range e.rolesCalled() {
		most = max(most, e.modelOf(role).places())
	}
	return cmp.Or(e.Concurrency, most, 4*runtime.GOMAXPROCS(0))
}

// opening is what all models of a run share. The file of the trace is closed by close.
func (e *Experiment) opening(concurrency int) (x opening, closeTrace func(), err error) {
	x.concurrency = concurrency
	if x.options.Budget = e.budget; x.options.Budget == nil {
		x.options.Budget = e.Limits.budget()
	}
	if e.Trace == "" {
		return x, func() {}, nil
	}
	f, err := os.OpenFile(e.Trace, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return x, nil, &ConfigError{File: e.Trace, What: "cannot be written: " + reason(err), Mend: "give another file in trace"}
	}
	x.options.Log = slog.New(slog.NewJSONHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return x, func() { _ = f.Close() }, nil
}

// roles are the parts of a run that may talk to a model.
type roles struct {
	solver      solving
	judge       grading
	judgeID     string
	correctness checking
	clients     map[string]llm.Client // by role
	endpoints   []record.Endpoint
	meters      map[string]*llm.Meter
	links       map[string]*llm.Link // by role
	kinds       map[string]BackendKind
	closers     []func()
	cache       *caching
}

// close frees what the run used. A run that wants to know whether all replies were
// kept closes the cache first.
func (r *roles) close() {
	for _, c := range slices.Backward(r.closers) {
		c()
	}
	_ = r.cache.close()
}

// connect opens the models that some role needs, and asks each for one word, so that
// a wrong key, model or address is found before any session is spent.
func (p *Plan) connect(ctx context.Context, concurrency int) (*roles, error) {
	e := p.Experiment
	longest := p.longest()
	for _, role := range e.rolesUsed() {
		if err := e.modelOf(role).fits(longest[role]); err != nil {
			return nil, fmt.Errorf("%s: %w", role, err)
		}
	}
	return e.connect(ctx, concurrency, p.manifest.Judge)
}

// connect opens the models of the roles that are called.
func (e *Experiment) connect(ctx context.Context, concurrency int, judgeID string) (*roles, error) {
	r := &roles{
		judgeID: judgeID, endpoints: []record.Endpoint{}, clients: map[string]llm.Client{}, meters: map[string]*llm.Meter{},
		links: map[string]*llm.Link{}, kinds: map[string]BackendKind{}, cache: newCaching(e),
	}
	x, closeTrace, err := e.opening(concurrency)
	if err != nil {
		return nil, err
	}
	r.closers = append(r.closers, closeTrace)
	x.cache = r.cache
	if err := r.open(ctx, e, x); err != nil {
		r.close()
		return nil, err
	}
	if c, ok := r.clients[roleSolver]; ok || e.Solver.Config.onlyProfile() {
		r.solver = e.Solver.Config.solver(c)
	}
	r.judge = e.Judge.Config.judge(r.clients[roleJudge], e.modelOf(roleJudge).model())
	if c := r.clients[roleCorrectness]; c != nil {
		r.correctness = &judges.Correctness{Client: c}
	}
	return r, nil
}

// systemHello goes with the first call, since all prompts have a system message, and
// some templates of models know none.
const systemHello = "You are asked for a few words."

// open fills clients, endpoints and meters.
func (r *roles) open(ctx context.Context, e *Experiment, x opening) error {
	type opened struct {
		client    *llm.Link
		reported  string
		simulated bool
	}
	models := map[string]opened{}
	for _, role := range e.rolesCalled() {
		name := e.modelName(role)
		b := e.named(name)
		o, ok := models[name]
		if !ok {
			if x.name = name; name != backendName {
				x.name = "models." + name
			}
			c, closeModel, err := b.open(ctx, x)
			if err != nil {
				return err
			}
			r.closers = append(r.closers, closeModel)
			hello, err := c.Complete(llm.Impatient(cache.Fresh(ctx)), llm.Request{System: systemHello, User: "Reply with the word ready."})
			if err != nil {
				if ctx.Err() == nil && !errors.Is(err, llm.ErrUnusable) && !errors.Is(err, llm.ErrBudget) { // whatever it was, sessions would meet it too
					err = fmt.Errorf("the first, trivial call failed: %w: %w", err, llm.ErrUnusable)
				}
				return err
			}
			// The embedded model says what it is behind any address and name.
			o = opened{c, hello.Model, b.simulated() || hello.Content == sim.Introduction}
			models[name] = o
		}
		m := &llm.Meter{Role: role}
		r.meters[role], r.links[role], r.kinds[role] = m, o.client, b
		r.clients[role] = m.Wrap(o.client)
		end := record.Endpoint{Role: role, Model: b.model(), Reported: o.reported, Simulated: o.simulated}
		if in, out := b.price(); in != nil && !b.simulated() {
			end.Price = &record.Price{In: *in, Out: *out}
		}
		r.endpoints = append(r.endpoints, end)
	}
	return nil
}

// usage is what the calls of the run cost.
func (r *roles) usage() record.Usage {
	u := record.Usage{Roles: map[string]record.RoleUsage{}}
	for name, m := range r.meters {
		x := m.Use()
		use := record.RoleUsage{Calls: x.Calls, Cached: x.Cached, Retries: x.Retries, Failed: x.Failed, TokensIn: x.TokensIn, TokensOut: x.TokensOut, Seconds: x.Busy.Seconds()}
		if in, out := r.kinds[name].price(); in != nil {
			e := llm.Endpoint{PromptPrice: *in, CompletionPrice: *out}
			dollars := e.Cost(x.TokensIn, x.TokensOut)
			use.Dollars = &dollars
		}
		if format, why := r.links[name].Conn.Fallback(); why != "" {
			use.Format, use.Refused = cmp.Or(format, formatNone), why
		}
		u.Roles[name] = use
	}
	return u
}

// counted is what the journal keeps of a session's calls.
func counted(t *llm.Tallies) []record.RoleCalls {
	by := t.ByRole()
	var out []record.RoleCalls
	for _, role := range allRoles {
		if c, ok := by[role]; ok {
			out = append(out, record.RoleCalls{Role: role, Calls: c.Calls, Repairs: c.Repairs, TokensIn: c.TokensIn, TokensOut: c.TokensOut, Uncounted: c.Uncounted, Unread: c.Unread})
		}
	}
	return slices.Clip(out)
}
