package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"pepbench/bench/record"
	"pepbench/domains"
)

// describe fills the manifest: everything that is known before the first
// question.
func (p *Plan) describe(models []record.Model, notes []domains.Count) error {
	e, d := p.Experiment, p.Data
	config, hash, err := e.canonical()
	if err != nil {
		return err
	}
	m := &p.manifest
	*m = record.Manifest{
		Schema: record.Schema, Name: e.Name, ConfigHash: hash, Config: config,
		Code:  code(),
		Seeds: e.Seeds, Budget: e.Budget, Horizon: e.Horizon, Checkpoints: e.Checkpoints,
		Models:   models,
		Users:    e.Users.Config.About(),
		Sessions: len(p.sessions),
		LeftOut:  p.leftOut,
		Warnings: p.warnings,
		Counts:   slices.Clone(d.Counts),
	}
	if m.Models == nil {
		m.Models = []record.Model{}
	}
	for _, r := range p.rows {
		m.Strategies = append(m.Strategies, r.Strategy)
	}

	m.Report = e.reported(m.Strategies)
	m.Counts = append(m.Counts, notes...)
	m.Data = record.Data{
		Name: d.Name, Version: d.Version, Rubric: string(d.Rubric), Sources: d.Sources,
		Split: e.Split.By, Folds: e.Split.Folds, Compat: e.compat(), Criteria: len(d.Criteria), TestTasks: []string{},
	}
	tested := map[int]bool{}
	shared := map[int]int{} // test user -> test task seen
	unused := 0
	for _, part := range p.Parts {
		var tasks, users [3]map[int]bool
		for i, rows := range [][]int{part.Train, part.Dev, part.Test} {
			tasks[i], users[i] = map[int]bool{}, map[int]bool{}
			for _, k := range rows {
				prof := &d.Profiles[k]
				tasks[i][prof.Task], users[i][prof.User] = true, true
				if i == 2 {
					if t, seen := shared[prof.User]; seen && t != prof.Task {
						m.Data.SharedUsers = true
					}
					shared[prof.User] = prof.Task
					tested[prof.Task] = true
				}
			}
		}
		// Of folds the largest: they differ by one.
		largest(&m.Data.Tasks, len(tasks[0]), len(tasks[1]), len(tasks[2]))
		largest(&m.Data.Users, len(users[0]), len(users[1]), len(users[2]))
		largest(&m.Data.Profiles, len(part.Train), len(part.Dev), len(part.Test))
		unused += part.Unused
	}
	for t := range d.Tasks {
		if tested[t] {
			m.Data.TestTasks = append(m.Data.TestTasks, d.Tasks[t].ID)
		}
	}
	m.Counts = append(m.Counts, domains.Count{What: "profiles left out by the split (mixed blocks, over the cap)", N: unused})
	if len(m.Data.TestTasks) == 1 && !d.Survey() {
		m.Warnings = append(m.Warnings, "one test task: nothing can be said about other tasks")
	}

	m.Solver, m.Judge = e.Solver.Config.About(), e.Judge.Config.Identity(e.modelOf(roleJudge), d.Rubric)
	m.Prompts = slices.Concat(e.Solver.Config.Prompts(), e.Judge.Config.Prompts(), e.talk())
	if m.Prompts == nil {
		m.Prompts = []record.Prompt{}
	}
	m.Endpoints = []record.Endpoint{}
	m.Planned = p.calls()
	return nil
}

// reported is what reports need to know of the configuration, given the strategies that
// there are.
func (e *Experiment) reported(strategies []record.Strategy) record.Report {
	r := record.Report{
		Resamples: e.Report.Resamples, Confidence: e.Report.Confidence, Seed: e.Report.Seed,
		TargetOf: e.Report.TargetOf, Reference: e.Report.Reference,
		Questions: e.Report.Questions, Against: e.Report.Against,
	}
	for _, name := range []*string{&r.TargetOf, &r.Reference} {
		if *name != "" && !slices.ContainsFunc(strategies, func(s record.Strategy) bool { return s.Name == *name }) {
			*name = "" // left out, with a warning
		}
	}
	return r
}

func largest(c *record.SplitCount, train, dev, test int) {
	c.Train, c.Dev, c.Test = max(c.Train, train), max(c.Dev, dev), max(c.Test, test)
}

// dependencies named in the manifest: those that numbers and figures pass
// through.
var dependencies = []string{
	"gonum.org/v1/gonum", "gonum.org/v1/plot", "github.com/sashabaranov/go-openai", "gopkg.in/yaml.v3",
}

// programHash is the first half of the SHA-256 of the running program.
var programHash = sync.OnceValue(func() string {
	path, err := os.Executable()
	if err != nil {
		return "unknown"
	}
	f, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "unknown"
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
})

// Version says which code this is: a revision or module version, with a hash of the
// program where that does not settle it.
func Version() string { return code().Version }

func code() record.Code {
	c := record.Code{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Dependencies: map[string]string{}}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return c
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		c.Version = v
	}
	var revision, dirty string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if revision != "" {
		c.Version = revision + dirty
	}
	if dirty != "" || c.Version == "unknown" { // the words would be the same for another program
		c.Version += " program " + programHash()
	}
	for _, m := range info.Deps {
		if slices.Contains(dependencies, m.Path) {
			c.Dependencies[m.Path] = strings.TrimPrefix(m.Version, "v")
		}
	}
	return c
}

// calls is the dry-run arithmetic: logical calls by role, and their tokens at four
// characters each, if every session asks up to the horizon, no rule can tell whether a
// task is answered rightly or what a user or an asker means, and every reply can be read
// at once.
func (p *Plan) calls() record.Calls {
	var c record.Calls
	for i := range p.sessions {
		p.graded(&c, &p.sessions[i])
		p.talked(&c, &p.sessions[i])
	}
	c.Probes = probeCalls(p.Experiment.Judge.Config)
	c.TokensIn += c.Probes * (promptOverhead + responseChars + 3*rubricChars) / charsPerToken
	c.TokensOut += c.Probes * 3 * reasonChars / charsPerToken
	p.expect(roleJudge, c.Probes*(promptOverhead+responseChars+3*rubricChars), c.Probes*3*reasonChars)
	c.TokensEstimated = c.TokensIn > 0
	return c
}

// expect adds characters to what a role is estimated to read and to write.
func (p *Plan) expect(role string, in, out int) {
	if p.chars == nil {
		p.chars = map[string][2]int{}
	}
	c := p.chars[role]
	p.chars[role] = [2]int{c[0] + in, c[1] + out}
}

// graded adds the calls of solver and judge in a session.
func (p *Plan) graded(c *record.Calls, k *sessionKey) {
	e := p.Experiment
	if e.Solver.Config.onlyProfile() {
		return
	}
	prof := &p.Data.Profiles[k.profile]
	points := len(e.Checkpoints)
	if p.rows[k.row].once() {
		points = 1
	}
	held := prof.Held()
	judge, draws := e.Judge.Config.Calls(held), drawsOf(e.Judge.Config)
	c.Solver += points
	c.Judge += points * judge
	task := &p.Data.Tasks[prof.Task]
	if task.Answer != "" {
		c.Correctness += points
	}
	prompt := len(task.Prompt) + promptOverhead + instructionChars*e.Solver.Config.Instructions()
	response := responseChars + responsePerInstruction*e.Solver.Config.Instructions()
	c.TokensIn += points * (prompt + judge*(len(task.Prompt)+response+promptOverhead) + held*draws*rubricChars) / charsPerToken
	c.TokensOut += points * (response + held*draws*reasonChars) / charsPerToken
	p.expect(roleSolver, points*prompt, points*response)
	p.expect(roleJudge, points*(judge*(len(task.Prompt)+response+promptOverhead)+held*draws*rubricChars), points*held*draws*reasonChars)
}

// talked adds the calls of user, interpreter and asker in a session: of the user one a
// question and one for every time it is put again, each to be interpreted; of the asker
// one a question and one for each counterfactual (all questions but the last), each to
// be placed.
func (p *Plan) talked(c *record.Calls, k *sessionKey) {
	e, row := p.Experiment, &p.rows[k.row]
	if row.once() {
		return
	}
	prof := &p.Data.Profiles[k.profile]
	task := len(p.Data.Tasks[prof.Task].Prompt)
	turns, asks := e.Horizon, row.Kind == askerKind
	if !asks { // which never asks about one thing twice
		turns = min(turns, len(prof.Cells))
	}
	user, interpreter, asker := 0, 0, 0
	if e.Users.Config.verbal() {
		user = turns
		for t := range turns {
			user += e.audits(k.id, t)
		}
		interpreter += user
	}
	if asks {
		asker = turns + max(0, turns-1)
		interpreter += asker
	}
	c.User, c.Interpreter, c.Asker = c.User+user, c.Interpreter+interpreter, c.Asker+asker
	talk := turns * (questionChars + answerChars) / 2 // of the conversation so far, on average
	told, read, wrote := user*(task+2*promptOverhead+prof.Held()*rubricChars+talk), interpreter*(2*promptOverhead+rubricChars), asker*(task+2*promptOverhead+len(prof.Cells)*questionChars+talk)
	c.TokensIn += (told + read + wrote) / charsPerToken
	c.TokensOut += (user*2*answerChars + interpreter*answerChars/2 + asker*2*questionChars) / charsPerToken
	p.expect(roleUser, told, user*2*answerChars)
	p.expect(roleInterpreter, read, interpreter*answerChars/2)
	p.expect(roleAsker, wrote, asker*2*questionChars)
}

// longest estimates the longest prompt of each role, in characters, from the same sizes
// as the token estimate: with the most instructions, criteria and turns that any session
// of the plan may have.
func (p *Plan) longest() map[string]int {
	e := p.Experiment
	task, held, listed := 0, 0, 0
	for i := range p.sessions {
		prof := &p.Data.Profiles[p.sessions[i].profile]
		t := &p.Data.Tasks[prof.Task]
		chars := len(t.Prompt)
		for _, o := range t.Options {
			chars += len(o.Text)
		}
		task, held, listed = max(task, chars), max(held, prof.Held()), max(listed, len(prof.Cells))
	}
	told := e.Solver.Config.Instructions()
	if told == 0 || told > listed { // 0 stands for all of them
		told = listed
	}
	response := responseChars + responsePerInstruction*told
	talk := e.Horizon * (questionChars + answerChars)
	graded := held
	if e.Judge.Config.Calls(2) > e.Judge.Config.Calls(1) { // one criterion a call
		graded = 1
	}
	return map[string]int{
		roleSolver:      promptOverhead + task + instructionChars*told,
		roleJudge:       promptOverhead + task + response + rubricChars*graded,
		roleCorrectness: promptOverhead + task + response,
		roleUser:        2*promptOverhead + task + rubricChars*held + talk,
		roleInterpreter: 2*promptOverhead + rubricChars,
		roleAsker:       2*promptOverhead + task + questionChars*listed + talk,
	}
}

// The sizes behind the token estimate, in characters. They are round numbers near
// what the built-in domains send; a real model may write much more.
const (
	charsPerToken          = 4
	promptOverhead         = 600 // system message and options
	instructionChars       = 300 // one instruction with its scale
	responseChars          = 300
	responsePerInstruction = 100
	rubricChars            = 350 // one criterion of the judge's request
	reasonChars            = 120
	questionChars          = 100 // a question as it is put
	answerChars            = 80
)
