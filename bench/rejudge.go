package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"pepbench/bench/llm"
	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/judges"
)

// A Rejudge grades the responses of a finished run again, by another judge or by the
// same one: no question is asked, nothing is fitted, and no solver is called.
type Rejudge struct {
	Experiment *Experiment // of the run, with the new judge

	dir      string
	old      *record.Manifest
	data     *domains.Dataset
	profiles map[[2]string]int // by ids of task and user
	lines    []sessionLine     // in the order of the file
	manifest record.Manifest
}

// sessionLine is where a session stands in the journal of the run.
type sessionLine struct {
	id     string
	at, n  int64
	failed bool
}

// PrepareRejudge reads the finished run in dir, applies the settings (path=value) to
// its configuration, loads its data and checks that they are what the sessions were
// made with. Settings that would have changed anything before the judge are refused.
// models are configurations whose models can be named as well, since a manifest keeps
// those alone that played in the run. say is told of each step and may be nil.
func PrepareRejudge(ctx context.Context, dir string, sets []string, say func(string), models ...string) (*Rejudge, error) {
	if say == nil {
		say = func(string) {}
	}
	if there(dir, record.SweepFile) {
		return nil, &ConfigError{File: dir, What: "holds a sweep", Mend: "give the folder of one of its cells"}
	}
	r := &Rejudge{dir: filepath.Clean(dir), profiles: map[[2]string]int{}}
	var err error
	if r.old, err = record.ReadManifest(dir); err != nil {
		return nil, err
	}
	if r.Experiment, err = r.rejudged(sets, models); err != nil {
		return nil, err
	}
	if r.data, _, err = new(preparer).load(r.Experiment, say); err != nil {
		return nil, err
	}
	if !slices.Equal(r.data.Sources, r.old.Data.Sources) {
		return nil, &domains.DataError{File: r.manifestFile(), What: fmt.Sprintf("the run was made with other data (%v, now %v)", r.old.Data.Sources, r.data.Sources), Mend: "bring back the data, or run the experiment again"}
	}
	for i := range r.data.Profiles {
		p := &r.data.Profiles[i]
		r.profiles[[2]string{r.data.Tasks[p.Task].ID, r.data.Users[p.User].ID}] = i
	}
	say("reading the sessions of " + r.dir)
	return r, r.read(ctx)
}

func (r *Rejudge) manifestFile() string { return filepath.Join(r.dir, record.ManifestFile) }
func (r *Rejudge) sessionsFile() string { return filepath.Join(r.dir, record.SessionsFile) }

// rejudgeKeys are what settings may begin with, beside roles.judge and the keys of
// Execution.
var rejudgeKeys = []string{"judge", "backend", "models", "report"}

// rejudging are the roles that call a model.
var rejudging = []string{roleJudge, roleCorrectness}

// rejudged gives the experiment of the run with the settings applied.
func (r *Rejudge) rejudged(sets, models []string) (*Experiment, error) {
	allowed := slices.Clone(rejudgeKeys)
	for f := range reflect.TypeFor[Execution]().NumField() {
		if name := reflect.TypeFor[Execution]().Field(f).Tag.Get("yaml"); name != "" {
			allowed = append(allowed, name)
		}
	}
	backend := false
	for _, s := range sets {
		path, _, _ := strings.Cut(s, "=")
		top, _, _ := strings.Cut(path, ".")
		if path != "roles.judge" && !slices.Contains(allowed, top) {
			return nil, &ConfigError{File: "--set", What: fmt.Sprintf("%s decides about the sessions, which are there already", path), Mend: "only the judge can be another: set judge, roles.judge, backend, models, report, or how the work is done (" + strings.Join(allowed[len(rejudgeKeys):], ", ") + ")"}
		}
		backend = backend || top == "backend"
	}
	back, err := readBack(r.dir, r.old)
	if err != nil {
		return nil, err
	}
	before, err := back.experiment(r.old)
	if err != nil {
		return nil, err
	}
	if before.Solver.Config.onlyProfile() {
		return nil, &ConfigError{File: r.manifestFile(), What: "the run was graded by the profile judge, so that there are no responses to grade again", Mend: "rejudge a run whose solver writes responses"}
	}
	if backend { // which goes on being the model of the others
		name := "former"
		for before.Models[name].Config != nil {
			name += "-er"
		}
		var moved bool
		for _, role := range before.rolesUsed() {
			if slices.Contains(rejudging, role) || before.modelName(role) != backendName {
				continue
			}
			if err := back.src.set(back.root, "roles."+role+"="+name); err != nil {
				return nil, err
			}
			moved = true
		}
		if moved {
			at := find(back.root, "backend")
			if err := back.src.put(back.root, "models."+name, r.manifestFile(), back.src.clone(back.root.Content[at])); err != nil {
				return nil, err
			}
		}
	}
	for _, file := range models {
		if err := back.models(file); err != nil {
			return nil, err
		}
	}
	for _, s := range sets {
		if err := back.src.set(back.root, s); err != nil {
			return nil, err
		}
	}
	if err := back.judgeThere(); err != nil {
		return nil, err
	}
	e, err := back.decode(back.root, rejudging)
	if err != nil {
		return nil, err
	}
	for _, role := range before.rolesUsed() {
		if slices.Contains(rejudging, role) {
			continue
		}
		was, is := before.modelOf(role), e.modelOf(role)
		a, errA := json.Marshal(was)
		b, errB := json.Marshal(is)
		if err := errors.Join(errA, errB); err != nil {
			return nil, err
		}
		if reflect.TypeOf(was) != reflect.TypeOf(is) || !bytes.Equal(a, b) {
			return nil, &ConfigError{File: "--set", What: fmt.Sprintf("model %s is also that of the %s, whose work is there already", before.modelName(role), role), Mend: "define another one, for example --set models.other='{kind: openai, model: ...}' --set roles.judge=other"}
		}
	}
	if o, ok := e.modelOf(roleJudge).(*openaiBackend); ok {
		for _, name := range sortedKeys(o.Headers) {
			if hashedHeader.MatchString(o.Headers[name]) {
				return nil, &ConfigError{File: r.manifestFile(), What: fmt.Sprintf("the manifest has the header %s of the judge's model as a hash, since it may be secret", name), Mend: "give the headers again with --set"}
			}
		}
	}
	return e, nil
}

// read goes through the sessions once: it notes where they stand, holds each to the
// data, and fills the manifest.
func (r *Rejudge) read(ctx context.Context) error {
	f, err := os.Open(r.sessionsFile())
	if err != nil {
		return &domains.DataError{File: r.sessionsFile(), What: "the sessions of the run cannot be read", Mend: "run the experiment first", Err: err}
	}
	defer f.Close()
	hash := sha256.New()
	in := bufio.NewReaderSize(io.TeeReader(f, hash), 1<<20)
	var planned record.Calls
	seen := map[string]bool{}
	at := int64(0)
	for line := 1; ; line++ {
		b, err := in.ReadBytes('\n')
		bad := func(cause error, format string, a ...any) error {
			return &domains.DataError{File: r.sessionsFile(), Line: line, What: fmt.Sprintf(format, a...), Mend: "finish the run first: the same command resumes", Err: cause}
		}
		if errors.Is(err, io.EOF) && len(b) == 0 {
			break
		}
		var s record.Session
		switch {
		case errors.Is(err, io.EOF):
			return bad(nil, "the last line is torn")
		case err != nil:
			return bad(err, "cannot be read")
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if err := json.Unmarshal(b, &s); err != nil {
			return bad(err, "not a session")
		}
		if s.ID == "" || seen[s.ID] {
			return bad(nil, "session %q twice, or without an id", s.ID)
		}
		seen[s.ID] = true
		prof, err := r.profile(&s)
		if err != nil {
			var data *domains.DataError
			if errors.As(err, &data) {
				data.Line = line
			}
			return err
		}
		r.lines = append(r.lines, sessionLine{s.ID, at, int64(len(b)), s.Error != ""})
		at += int64(len(b))
		if s.Error == "" {
			r.count(&planned, &s, prof)
		}
	}
	if len(r.lines) != r.old.Sessions {
		return &domains.DataError{File: r.sessionsFile(), What: fmt.Sprintf("the run is not finished: %d of %d sessions are there", len(r.lines), r.old.Sessions), Mend: "run it to the end first: the same command resumes"}
	}
	return r.describe(hex.EncodeToString(hash.Sum(nil)), planned)
}

// profile finds the profile of a session, and refuses one that the session was not
// made with.
func (r *Rejudge) profile(s *record.Session) (*domains.Profile, error) {
	bad := func(what string) error {
		return &domains.DataError{File: r.sessionsFile(), What: fmt.Sprintf("session %s: %s", s.ID, what), Mend: "bring back the data that the run was made with, or run the experiment again"}
	}
	i, ok := r.profiles[[2]string{s.Task, s.User}]
	if !ok {
		return nil, bad("the data have no such task and user")
	}
	prof := &r.data.Profiles[i]
	criteria := r.data.CriteriaOf(prof.Task)
	if !slices.EqualFunc(criteria, s.Criteria, func(c domains.Criterion, id string) bool { return c.ID == id }) {
		return nil, bad("the data have other criteria of the task")
	}
	was, err := json.Marshal([]any{s.Truth.Cells, s.Truth.Weights})
	if err != nil {
		return nil, err
	}
	is, err := json.Marshal([]any{prof.Cells, record.NewFloats(prof.Weights)})
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(was, is) {
		return nil, bad("the data have another profile of the user")
	}
	return prof, nil
}

// count adds the calls that a session takes, as the dry run of an experiment does.
func (r *Rejudge) count(c *record.Calls, s *record.Session, prof *domains.Profile) {
	task := &r.data.Tasks[prof.Task]
	held := prof.Held()
	calls, draws := r.Experiment.Judge.Config.Calls(held), drawsOf(r.Experiment.Judge.Config)
	for i := range s.Checkpoints {
		cp := &s.Checkpoints[i]
		if cp.Carried || cp.Response == "" {
			continue
		}
		c.Judge += calls
		if task.Answer != "" {
			c.Correctness++
		}
		c.TokensIn += (calls*(len(task.Prompt)+len(cp.Response)+promptOverhead) + held*draws*rubricChars) / charsPerToken
		c.TokensOut += held * draws * reasonChars / charsPerToken
	}
}

// describe fills the manifest: that of the run, but for the judge.
func (r *Rejudge) describe(sessions string, planned record.Calls) error {
	e := r.Experiment
	config, hash, err := e.canonical()
	if err != nil {
		return err
	}
	m := *r.old
	m.Config, m.ConfigHash, m.Code = config, hash, code()
	m.Judge = e.Judge.Config.Identity(e.modelOf(roleJudge), r.data.Rubric)
	m.Prompts = slices.DeleteFunc(slices.Clone(r.old.Prompts), func(p record.Prompt) bool { return strings.HasPrefix(p.Name, "judge/") })
	m.Prompts = append(m.Prompts, e.Judge.Config.Prompts()...)
	m.Endpoints = nil
	planned.Probes = probeCalls(e.Judge.Config)
	planned.TokensEstimated = true
	m.Planned = planned
	m.Report = e.reported(m.Strategies)
	m.Rejudged = &record.Rejudged{Of: r.old.Name, ConfigHash: r.old.ConfigHash, SessionsSHA256: sessions, Judge: r.old.Judge, Code: r.old.Code.Version}
	r.manifest = m
	return nil
}

// Dir is where the results go unless something else is said: beside the run, by the
// judge's model and a hash of all that decides how it grades.
func (r *Rejudge) Dir() string {
	if r.Experiment.Out != "" {
		return r.Experiment.Out
	}
	model := r.Experiment.modelOf(roleJudge)
	b, err := json.Marshal([]any{r.manifest.Judge, r.Experiment.Judge, model})
	if err != nil {
		panic("bench: judge as JSON: " + err.Error()) // it was written to the manifest
	}
	sum := sha256.Sum256(b)
	name := folder(model.model())
	return r.dir + "-rejudged-" + name[:min(len(name), 60)] + "-" + hex.EncodeToString(sum[:4])
}

// DryRun says what would be done for results in dir: calls by role and tokens.
func (r *Rejudge) DryRun(dir string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	m := &r.manifest
	line := func(what string, format string, a ...any) {
		fmt.Fprintf(w, "%s\t%s\n", what, fmt.Sprintf(format, a...))
	}
	line("responses of", "%s (config %.12s), %d sessions", r.dir, r.old.ConfigHash, m.Sessions)
	line("former judge", "%s", r.old.Judge)
	line("judge", "%s", m.Judge)
	line("model as judge", "%s", r.Experiment.modelOf(roleJudge).model())
	line("calls", "%d judge, at most %d correctness (the model is asked only where no rule can tell), 0 solver", m.Planned.Judge, m.Planned.Correctness)
	if m.Planned.Probes > 0 {
		line("", "and %d of the judge on built-in probes, before the sessions", m.Planned.Probes)
	}
	line("tokens", "about %s in, %s out (estimated at four characters a token)", amount(m.Planned.TokensIn), amount(m.Planned.TokensOut))
	line("results", "%s", dir)
	w.Flush()
	return b.String()
}

// same gives the manifest of a rejudging that can be continued in dir, nil where there
// is none, and refuses a folder that holds something else.
func (r *Rejudge) same(dir string) (*record.Manifest, error) {
	if !there(dir, record.SessionsFile) {
		return nil, nil
	}
	had, err := record.ReadManifest(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: the sessions there cannot be continued; give another --out", err)
	}
	other := func(with string) error {
		return &ConfigError{File: filepath.Join(dir, record.ManifestFile), What: "the sessions there were made with " + with, Mend: "give another --out, or remove the folder"}
	}
	now := &r.manifest
	switch {
	case had.Rejudged == nil:
		return nil, other("a solver of their own")
	case *had.Rejudged != *now.Rejudged:
		return nil, other("responses of another run, or of this one before it was changed")
	case had.ConfigHash != now.ConfigHash:
		return nil, other("another configuration: " + firstDifference(had.Config, now.Config))
	case had.Code.Version != now.Code.Version || had.Code.Platform != now.Code.Platform:
		return nil, other(fmt.Sprintf("another version of pepbench (%s on %s, this is %s on %s)", had.Code.Version, had.Code.Platform, now.Code.Version, now.Code.Platform))
	case !slices.Equal(had.Prompts, now.Prompts):
		return nil, other("other prompts")
	}
	return had, nil
}

// Run grades what the journal in dir does not have yet, as bench.Run runs sessions:
// it can be interrupted and goes on when it is called again.
func (r *Rejudge) Run(ctx context.Context, dir string, progress Progress) (Outcome, error) {
	out := Outcome{Dir: dir, Total: len(r.lines)}
	started, cpu := time.Now(), cpuSeconds()
	release, err := claim(dir)
	if err != nil {
		return out, err
	}
	defer release()
	had, err := r.same(dir)
	if err != nil {
		return out, err
	}
	var j *record.Journal
	defer func() {
		if j != nil {
			_ = j.Close() // what went wrong is told already; a finished journal is closed
		}
	}()
	journal := filepath.Join(dir, record.SessionsFile)
	if had != nil {
		if j, err = record.OpenJournal(journal); err != nil {
			return out, err
		}
		if failed, left := r.missing(j); len(failed)+len(left) == 0 {
			return out, finish(j, dir)
		}
	}
	e := r.Experiment
	limit := e.inFlight()
	models, err := e.connect(ctx, limit, r.manifest.Judge)
	if err != nil {
		return out, err
	}
	defer models.close()
	r.manifest.Endpoints = slices.DeleteFunc(slices.Clone(r.old.Endpoints), func(p record.Endpoint) bool { return slices.Contains(rejudging, p.Role) })
	r.manifest.Endpoints = append(r.manifest.Endpoints, models.endpoints...)
	slices.SortStableFunc(r.manifest.Endpoints, func(a, b record.Endpoint) int {
		return slices.Index(allRoles, a.Role) - slices.Index(allRoles, b.Role)
	})
	if had != nil && !sameEndpoints(had.Endpoints, r.manifest.Endpoints) {
		return out, &ConfigError{File: filepath.Join(dir, record.ManifestFile), What: fmt.Sprintf("the sessions there were made with endpoints that said they were %v, now they say %v", had.Endpoints, r.manifest.Endpoints), Mend: "give another --out, or remove the folder"}
	}
	if err := record.WriteJSON(filepath.Join(dir, record.ManifestFile), r.manifest); err != nil {
		return out, err
	}
	for _, folder := range []string{TrainingsDir, LogsDir} { // which the manifest and the reports name
		if err := copied(filepath.Join(r.dir, folder), filepath.Join(dir, folder)); err != nil {
			return out, err
		}
	}
	if err := models.cache.of(e, dir, had != nil); err != nil {
		return out, err
	}
	if j == nil {
		if j, err = record.OpenJournal(journal); err != nil {
			return out, err
		}
	}
	out.Changed = true
	if err := os.Remove(filepath.Join(dir, record.MetricsFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return out, fmt.Errorf("results: %w", err)
	}
	if err := probe(ctx, e, r.data.Rubric, models, dir, had != nil, progress.Step); err != nil {
		return out, err
	}
	source, err := os.Open(r.sessionsFile())
	if err != nil {
		return out, err
	}
	defer source.Close()
	g := &regrader{Rejudge: r, source: source, judge: models.judge, correctness: models.correctness}
	failed, left := r.missing(j)
	for _, l := range failed { // are left out by every report, and are kept to be counted there
		s, err := g.session(l)
		if err != nil {
			return out, err
		}
		if err := j.Append(s); err != nil {
			return out, err
		}
		out.Ran++
		out.Failed++
	}
	progress.Step(fmt.Sprintf("grading the responses of %d sessions", len(left)))
	if err := work(ctx, j, left, limit, g.regrade, &out, progress); err != nil {
		return out, err
	}
	if err := models.cache.close(); err != nil {
		return out, err
	}
	if err := finish(j, dir); err != nil {
		return out, err
	}
	if err := record.WriteJSON(filepath.Join(dir, record.UsageFile), models.usage()); err != nil {
		return out, err
	}
	return out, record.WriteJSON(filepath.Join(dir, record.TimingFile), record.Timing{
		Started: started.UTC().Format(time.RFC3339), WallSeconds: time.Since(started).Seconds(),
		CPUSeconds: cpuSeconds() - cpu, Sessions: out.Ran, Concurrency: limit,
	})
}

// copied copies the files of a folder, if there is one, each whole or not at all.
func copied(from, to string) error {
	list, err := os.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("results: %w", err)
	}
	for _, f := range list {
		if !f.Type().IsRegular() {
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err != nil {
			return err
		}
		if err := record.WriteFile(filepath.Join(to, f.Name()), func(w io.Writer) error {
			_, err := w.Write(b)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// missing lists the sessions that the journal does not have: those that failed in the
// run already, and those to grade.
func (r *Rejudge) missing(j *record.Journal) (failed, left []sessionLine) {
	have := map[string]bool{}
	for _, id := range j.IDs() {
		have[id] = true
	}
	for _, l := range r.lines {
		switch {
		case l.failed && !have[l.id]:
			failed = append(failed, l)
		case !l.failed && !j.Has(l.id):
			left = append(left, l)
		}
	}
	return failed, left
}

// A regrader grades sessions of the journal again.
type regrader struct {
	*Rejudge
	source      io.ReaderAt
	judge       grading
	correctness checking
}

// session reads a session of the run.
func (g *regrader) session(l sessionLine) (*record.Session, error) {
	b := make([]byte, l.n)
	if _, err := g.source.ReadAt(b, l.at); err != nil {
		return nil, fmt.Errorf("%s: %w", g.sessionsFile(), err)
	}
	var s record.Session
	if err := json.Unmarshal(b, &s); err != nil || s.ID != l.id {
		return nil, &domains.DataError{File: g.sessionsFile(), What: "it was changed while it was being read", Err: err}
	}
	return &s, nil
}

// regrade is a session with the grades of the new judge. An error means that the work
// cannot go on.
func (g *regrader) regrade(ctx context.Context, l sessionLine) (*record.Session, error) {
	s, err := g.session(l)
	if err != nil {
		return nil, err
	}
	prof, err := g.profile(s)
	if err != nil {
		return nil, err
	}
	ctx, calls := llm.WithTallies(ctx)
	defer func() { s.Calls = replaced(s.Calls, counted(calls)) }()
	for i := range s.Checkpoints {
		c := &s.Checkpoints[i]
		if c.Carried && i > 0 {
			n := c.Questions
			*c = s.Checkpoints[i-1]
			c.Questions, c.Carried = n, true
			continue
		}
		err := g.checkpoint(ctx, c, prof)
		switch {
		case fatal(ctx, err):
			return nil, fmt.Errorf("session %s: %w", s.ID, err)
		case err != nil: // for now: running the same command again tries again
			s.Error, s.Stop = fmt.Sprintf("after %d questions: %v", c.Questions, err), record.StopError
			s.Checkpoints = s.Checkpoints[:i]
			return s, nil
		}
	}
	return s, nil
}

// checkpoint grades one response again. What has none, since the solver gave none,
// stays unscored for that reason.
func (g *regrader) checkpoint(ctx context.Context, c *record.Checkpoint, prof *domains.Profile) error {
	before := c.Scores
	c.Raw, c.Correct, c.CorrectReason = nil, nil, ""
	if c.Response == "" {
		c.Scores = slices.Clone(before)
		for i := range c.Scores {
			c.Scores[i].Judge, c.Scores[i].Before, c.Scores[i].BeforeLevel = g.manifest.Judge, nil, nil
		}
		return nil
	}
	task := &g.data.Tasks[prof.Task]
	scores, err := g.judge.Grade(ctx, judges.Case{Task: task.Blind(), Criteria: g.data.CriteriaOf(prof.Task), Profile: prof, Rubric: g.data.Rubric, Response: c.Response})
	if err != nil {
		return fmt.Errorf("judge: %w", err)
	}
	c.Scores = graded(scores)
	for i := range c.Scores {
		for _, b := range before {
			if b.Position != c.Scores[i].Position || b.Score == nil {
				continue
			}
			c.Scores[i].Before = b.Score
			if g.data.Rubric == domains.Amount {
				level := b.Said()
				c.Scores[i].BeforeLevel = &level
			}
		}
	}
	if raw, ok := record.Raw(c.Scores, prof.Weight); ok {
		raw = record.Round(raw)
		c.Raw = &raw
	}
	if task.Answer != "" {
		if c.Correct, c.CorrectReason, err = g.correctness.Judge(ctx, *task, c.Response); err != nil {
			return fmt.Errorf("correctness: %w", err)
		}
	}
	return nil
}

// replaced are the calls of a session with those of the judge's roles made anew.
func replaced(old, fresh []record.RoleCalls) []record.RoleCalls {
	out := slices.DeleteFunc(slices.Clone(old), func(c record.RoleCalls) bool { return slices.Contains(rejudging, c.Role) })
	out = append(out, fresh...)
	slices.SortStableFunc(out, func(a, b record.RoleCalls) int {
		return slices.Index(allRoles, a.Role) - slices.Index(allRoles, b.Role)
	})
	return out
}
