package bench

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/simusers"
	"pepbench/strategies"
	"pepbench/strategies/policylog"
)

func init() {
	strategyKinds.add(replayKind, func() StrategyKind {
		return &replayed{basics: answersOnly(), Mode: record.ModeTrajectory, MostOffLog: 0.2}
	})
}

// replayKind is the kind of strategy that asks what a log says.
const replayKind = "replay"

// Whose log of a strategy of the experiment is replayed.
const (
	usersTest   = "test"   // the sessions of the experiment
	usersOthers = "others" // users that are in none of them
)

// whom says in words whose log it is.
var whom = map[string]string{usersTest: "these very users", usersOthers: "users that are in no session"}

// othersPerTask is how many other users a log is made of at most, on each task. They are
// those with the smallest hash of task and user.
const othersPerTask = 40

// LogsDir is the folder of a run in which the logs that were made for it are.
const LogsDir = "policylogs"

// replayable are the kinds of strategies whose log can be made: those that know nothing
// of the user but the answers, and ask in cells.
var replayable = []string{"pep", "random", "rl", "static"}

// replayed asks what a log says that a policy asked.
type replayed struct {
	basics `yaml:",inline"`
	Log    string `yaml:"log" json:"log,omitempty"`       // file of package policylog
	Policy string `yaml:"policy" json:"policy,omitempty"` // of the file, where it has several

	Of    string `yaml:"of" json:"of,omitempty"`       // strategy of the experiment, whose log is made
	Users string `yaml:"users" json:"users,omitempty"` // whom it asks for that: test or others

	Mode       string  `yaml:"mode" json:"mode"`                 // trajectory or policy (strategies.Replay)
	MostOffLog float64 `yaml:"most_off_log" json:"most_off_log"` // share of decisions above which the result is not the policy's
}

func (*replayed) kind() string { return replayKind }

func (r *replayed) check() error {
	switch {
	case (r.Log == "") == (r.Of == ""):
		return errors.New("give either log, a file of decisions (pepbench policy-log), or of, the name of a strategy of this experiment")
	case r.Mode != record.ModeTrajectory && r.Mode != record.ModePolicy:
		return fmt.Errorf("mode %q is neither %s nor %s", r.Mode, record.ModeTrajectory, record.ModePolicy)
	case r.Log != "" && r.Users != "":
		return errors.New("users says whom the strategy in of asks for its log; a file has its users")
	case r.Of != "" && r.Policy != "":
		return errors.New("policy names one of those in a file; of names one already")
	case r.Of != "" && r.Users != usersTest && r.Users != usersOthers:
		return fmt.Errorf("users %q: give %s (the log of the very sessions) or %s (of users that are in no session)", r.Users, usersTest, usersOthers)
	case r.Mode == record.ModeTrajectory && r.Users == usersOthers:
		return errors.New("users others have no trajectory of a test user; give mode policy, or users test")
	case !share(r.MostOffLog):
		return fmt.Errorf("most_off_log %v is not a share", r.MostOffLog)
	}
	return r.basics.check()
}

// replays checks what a replay is of; nil: there is nothing to say.
func (r *replayed) replays(e *Experiment, bases map[string]StrategyKind) *ConfigError {
	if r.Of == "" {
		return nil
	}
	of, ok := bases[r.Of]
	mend := "name one of kind " + strings.Join(replayable, ", ")
	switch {
	case !ok:
		return &ConfigError{What: fmt.Sprintf("of: no strategy %q", r.Of), Mend: mend}
	case !slices.Contains(replayable, of.kind()):
		return &ConfigError{What: fmt.Sprintf("of: no log is made of strategy %q, which is of kind %s", r.Of, of.kind()), Mend: mend}
	case e.Users.Config != nil && e.Users.Config.verbal():
		return &ConfigError{What: fmt.Sprintf("of: no log is made of strategy %q, since users of kind %s answer in words, through a model", r.Of, e.Users.Kind), Mend: "run it first, and replay what pepbench policy-log from-run makes of the run (log: FILE)"}
	}
	return nil
}

func (r *replayed) build(b *builder, p strategies.Predict) (strategies.Strategy, string, error) {
	about := "asks what the log " + r.Log + " says"
	if r.Of != "" {
		about = fmt.Sprintf("asks what the log of %s on %s says", r.Of, whom[r.Users])
	}
	about += map[string]string{
		record.ModeTrajectory: " that it asked this user at this turn",
		record.ModePolicy:     " that it asks most often after these answers",
	}[r.Mode]
	if r.Of != "" && b.dry {
		return strategies.None{Predict: p}, about, nil
	}
	l, err := b.replay(r)
	if err != nil {
		return nil, "", err
	}
	return strategies.Replay{Log: l, Predict: p}, about, nil
}

// asksBy is the belief by which the questions of a replay were chosen; empty: none, or
// it is not known.
func (b *builder) asksBy(r *replayed) string {
	if r.Of == "" {
		return ""
	}
	of := b.spec(r.Of)
	if of.kind() == policyKind { // which may be rewarded by a belief and asks by none
		return ""
	}
	belief, _ := of.needs()
	return belief
}

// base is a strategy of the experiment that predicts nothing, made once.
func (b *builder) base(name string) (strategies.Strategy, error) {
	if had := b.bases[name]; had != nil {
		return had, nil
	}
	s, _, err := b.spec(name).build(b, nil)
	if err != nil {
		return nil, err
	}
	b.bases[name] = s
	return s, nil
}

// replay makes the log of a replay ready, once for all its rows.
func (b *builder) replay(r *replayed) (*strategies.ReplayLog, error) {
	if had := b.replays[r.Name]; had != nil {
		return had, nil
	}
	var log *policylog.Log
	var err error
	if r.Of != "" {
		log, err = b.made(r.Of, r.Users)
	} else {
		log, err = b.file(r)
	}
	if err != nil {
		return nil, err
	}
	l, err := strategies.NewReplayLog(log, strategies.ReplayMode(r.Mode))
	if err != nil {
		return nil, fmt.Errorf("strategy %s: %w", r.Name, err)
	}
	b.replays[r.Name] = l
	return l, nil
}

// file reads the log of a replay, once for all folds, and gives the part of its policy.
func (b *builder) file(r *replayed) (*policylog.Log, error) {
	l := b.plan.files[r.Log]
	if l == nil {
		var err error
		if l, err = readPolicyLog(r.Log, b.data); err != nil {
			return nil, fmt.Errorf("strategy %s: %w", r.Name, err)
		}
		if b.plan.files == nil {
			b.plan.files = map[string]*policylog.Log{}
		}
		b.plan.files[r.Log] = l
	}
	own, err := l.Of(r.Policy)
	if err != nil {
		return nil, fmt.Errorf("strategy %s: %w", r.Name, err)
	}
	return own, nil
}

// readPolicyLog reads a file of decisions on data.
func readPolicyLog(path string, d *domains.Dataset) (*policylog.Log, error) {
	f, err := os.Open(filepath.FromSlash(path))
	if err != nil {
		return nil, &domains.DataError{File: path, What: "the policy log cannot be read: " + reason(err), Mend: "give the path of a file of decisions (see pepbench policy-log)"}
	}
	defer f.Close()
	return policylog.Read(f, path, d)
}

// logFile is the file, in LogsDir, of a log that is made for a run.
func logFile(of, users string) string { return of + "." + users + ".jsonl" }

// made is the log of a strategy of the experiment in this fold: it asks the simulated
// users, under every seed, exactly as a session does. Where a strategy draws from the
// randomness of the session, that is of the session of its first row: other rows of it,
// which predict otherwise, draw others.
func (b *builder) made(of, users string) (*policylog.Log, error) {
	file := logFile(of, users)
	if had := b.logs[file]; had != nil {
		return had, nil
	}
	strategy, err := b.base(of)
	if err != nil {
		return nil, err
	}
	keys, err := b.meetings(of, users)
	if err != nil {
		return nil, err
	}
	p := b.plan
	b.say(fmt.Sprintf("making the log of %s on %s: %d episodes", of, whom[users], len(keys)))
	policy := of
	if users == usersOthers && len(p.Parts) > 1 { // whom several folds may ask
		policy = fmt.Sprintf("%s-fold%d", of, b.fold+1)
	}
	parts := make([][]policylog.Decision, len(keys))
	g, ctx := errgroup.WithContext(b.ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, k := range keys {
		g.Go(func() error {
			s, err := p.asked(ctx, strategy, k)
			if err != nil {
				return err
			}
			parts[i], _ = decisions(s, policy, b.spec(of).kind())
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	l := &policylog.Log{Decisions: slices.Concat(parts...)}
	if len(l.Decisions) == 0 {
		return nil, &ConfigError{What: fmt.Sprintf("strategy %q never decides anything, so that its log is empty", of), Mend: "raise budget, or leave the replay out"}
	}
	b.logs[file] = l
	return l, nil
}

// asked lets a strategy ask the user of a session, without solver or judge.
func (p *Plan) asked(ctx context.Context, s strategies.Strategy, k sessionKey) (*record.Session, error) {
	set := p.setting(k)
	rec := &record.Session{ID: k.id, Seed: k.seed, Task: set.Task.ID, User: set.User, Criteria: make([]string, len(set.Criteria))}
	for i := range set.Criteria {
		rec.Criteria[i] = set.Criteria[i].ID
	}
	var user simusers.User = p.Experiment.Users.Config.User(p.Data, k.profile, k.seed, nil)
	e := s.Begin(set)
	inferences := []domains.Inference{e.Infer()}
	return rec, (&runner{plan: p}).dialogue(ctx, rec, &set, e, user, &inferences)
}

// meetings are the sessions that a log is made of, under every seed.
func (b *builder) meetings(of, users string) ([]sessionKey, error) {
	profiles := b.plan.Parts[b.fold].Test
	if users == usersOthers {
		if profiles = b.others(); len(profiles) == 0 {
			return nil, &ConfigError{What: fmt.Sprintf("replay of %q: every user of the data is in a test session, so that there are no others", of), Mend: "split by user or both, or give users: test"}
		}
	}
	rows := b.experiment.rows()
	first := rows[slices.IndexFunc(rows, func(r row) bool { return r.Spec.base().Name == of })].Name
	var out []sessionKey
	for _, seed := range b.experiment.Seeds {
		for _, k := range profiles {
			out = append(out, sessionKey{id: b.plan.id(first, seed, k), seed: seed, fold: b.fold, profile: k})
		}
	}
	return out, nil
}

// others are the profiles of users that are in no test session of the fold: those on the
// tasks of test sessions, or, where there are none, the training profiles; at most
// othersPerTask a task.
func (b *builder) others() []int {
	d, part := b.data, b.plan.Parts[b.fold]
	users, tasks, train := map[int]bool{}, map[int]bool{}, map[int]bool{}
	for _, k := range part.Test {
		users[d.Profiles[k].User], tasks[d.Profiles[k].Task] = true, true
	}
	for _, k := range part.Train {
		train[k] = true
	}
	pick := func(from func(k int) bool) []int {
		byTask := map[int][]int{}
		for k := range d.Profiles {
			if p := &d.Profiles[k]; !users[p.User] && from(k) {
				byTask[p.Task] = append(byTask[p.Task], k)
			}
		}
		var out []int
		for t := range d.Tasks {
			hash := func(k int) uint64 { return domains.Hash("others", d.Tasks[t].ID, d.Users[d.Profiles[k].User].ID) }
			these := byTask[t]
			slices.SortStableFunc(these, func(a, b int) int { return cmp.Compare(hash(a), hash(b)) })
			these = these[:min(len(these), othersPerTask)]
			slices.Sort(these)
			out = append(out, these...)
		}
		return out
	}
	if out := pick(func(k int) bool { return tasks[d.Profiles[k].Task] }); len(out) > 0 {
		return out
	}
	return pick(func(k int) bool { return train[k] })
}

// id is the id of a session.
func (p *Plan) id(row string, seed, profile int) string {
	prof := &p.Data.Profiles[profile]
	return row + "/" + strconv.Itoa(seed) + "/" + p.Data.Tasks[prof.Task].ID + "/" + p.Data.Users[prof.User].ID
}

// decisions are what a policy decided in a session, as a log has them. Turns about no
// criterion, which a log cannot have, are left out and counted; so is, uncounted, a stop
// where nothing was left to ask, which is no decision. The scores of a strategy of kind rl
// are probabilities: a question has its own, if it is among those that were kept.
func decisions(s *record.Session, policy, kind string) (out []policylog.Decision, unlogged int) {
	seed := s.Seed                                  // a log outlives its sessions
	past := make([]policylog.Told, 0, len(s.Turns)) // histories are its beginnings
	d := policylog.Decision{Policy: policy, Task: s.Task, User: s.User, Seed: &seed, History: past}
	for _, t := range s.Turns {
		if t.Question < 0 {
			unlogged++
			continue
		}
		d.Question, d.Probability = s.Criteria[t.Question], nil
		for _, c := range t.Scores {
			if kind == policyKind && c.Position == t.Question {
				p := c.Score
				d.Probability = &p
			}
		}
		out = append(out, d)
		past = append(past, policylog.Told{Criterion: d.Question, Answer: t.Answer})
		d.History = slices.Clip(past)
		d.Turn++
	}
	if s.Stop == record.StopDone {
		d.Question, d.Probability, d.Stop = "", nil, true
		out = append(out, d)
	}
	return out, unlogged
}

// finishLogs says in the rows of replays, as soon as all folds have theirs, where their
// questions come from, puts the logs that were made into the files of the run, and warns
// of logs of files that lack sessions.
func (p *Plan) finishLogs() error {
	p.logs = map[string][]byte{}
	for i := range p.rows {
		row := &p.rows[i]
		r, ok := p.builders[0].spec(row.Base).(*replayed)
		if !ok {
			continue
		}
		row.Policy = &record.Policy{Mode: r.Mode, Of: r.Of, Users: r.Users, MostOffLog: r.MostOffLog}
		describe := p.describeFile
		if r.Of != "" {
			describe = p.describeMade
		}
		if err := describe(r, row.Policy); err != nil {
			return err
		}
		for _, b := range p.builders {
			row.Params = max(row.Params, b.replayParams(r, row.Predict, row.Policy))
		}
		if r.Mode == record.ModePolicy {
			if err := p.warnOwn(r); err != nil {
				return err
			}
		}
		if r.Of == "" && r.Mode == record.ModeTrajectory && !slices.ContainsFunc(p.rows[:i], func(o planRow) bool { return o.Base == row.Base }) {
			p.warnTrajectories(r)
		}
	}
	for _, b := range p.builders { // what is replayed is indexed
		b.logs, b.bases = nil, nil
	}
	p.files = nil
	return nil
}

// describeFile says what there is to say of the policy of a file.
func (p *Plan) describeFile(r *replayed, out *record.Policy) error {
	l := p.files[r.Log]
	own, err := l.Of(r.Policy)
	if err != nil {
		return err
	}
	source := l.Source
	out.ID, out.Model, out.Method, out.Params = own.Decisions[0].Policy, l.Header.Model, l.Header.Method, l.Header.Parameters
	out.Log, out.Decisions = &source, len(own.Decisions)
	return nil
}

// describeMade says what there is to say of a strategy of the experiment as a policy, and
// puts its log, of all folds, into the file of the run.
func (p *Plan) describeMade(r *replayed, out *record.Policy) error {
	out.ID, out.Model = r.Of, ""
	for i := range p.rows {
		if of := &p.rows[i]; of.Base == r.Of {
			out.Model = of.About
			if of.Policy != nil {
				out.ID, out.Model, out.Method, out.Params = of.Policy.ID, of.Policy.Model, of.Policy.Method, of.Policy.Params
			}
		}
	}
	for _, b := range p.builders {
		if m := b.models[b.asksBy(r)]; m != nil {
			out.Params = max(out.Params, int64(m.NumParams()))
		}
	}
	if p.builders[0].dry {
		return nil
	}
	file := logFile(r.Of, r.Users)
	whole := policylog.Log{}
	for _, b := range p.builders {
		whole.Decisions = append(whole.Decisions, b.logs[file].Decisions...)
	}
	if r.Users == usersOthers {
		p.warnElsewhere(r, &whole)
	}
	whole.Header = policylog.Header{
		Model: out.Model, Parameters: out.Params, Method: out.Method, Data: policylog.DataName(p.Data),
		Note: fmt.Sprintf("strategy %s of experiment %s asked simulated users (%s)", r.Of, p.Experiment.Name, p.Experiment.Users.Kind),
	}
	if p.logs[file] == nil { // replays may share it
		var text bytes.Buffer
		if err := policylog.Write(&text, &whole); err != nil {
			return err
		}
		p.logs[file] = text.Bytes()
	}
	sum := sha256.Sum256(p.logs[file])
	out.Log = &domains.Source{Path: LogsDir + "/" + file, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(p.logs[file]))}
	out.Decisions = len(whole.Decisions)
	return nil
}

// replayParams are the parameters behind a row of a replay in a fold: of the beliefs that
// the questions were chosen by and that it predicts from, and of a policy that asked by no
// belief.
func (b *builder) replayParams(r *replayed, predict string, policy *record.Policy) int {
	ask, sum := b.asksBy(r), 0
	for _, used := range slices.Compact(slices.Sorted(slices.Values([]string{ask, predict}))) {
		if m := b.models[used]; m != nil {
			sum += m.NumParams()
		}
	}
	if b.models[ask] == nil && policy.Params <= math.MaxInt-int64(sum) {
		sum += int(policy.Params)
	}
	return sum
}

// warnElsewhere notes that a log has no task of a test session.
func (p *Plan) warnElsewhere(r *replayed, l *policylog.Log) {
	tested := map[string]bool{}
	for _, part := range p.Parts {
		for _, k := range part.Test {
			tested[p.Data.Tasks[p.Data.Profiles[k].Task].ID] = true
		}
	}
	what := fmt.Sprintf("the log of %s on others has no task of a test session, since nobody else meets them: whatever is replayed of it is of other tasks", r.Of)
	if !slices.ContainsFunc(l.Decisions, func(d policylog.Decision) bool { return tested[d.Task] }) && !slices.Contains(p.warnings, what) {
		p.warnings = append(p.warnings, what)
	}
}

// warnOwn notes of a replay in mode policy how many sessions their own users are in the
// log of, on the same task: there it finds what it asked them, and a low rate off the log
// says little of others.
func (p *Plan) warnOwn(r *replayed) error {
	if r.Users == usersOthers || p.builders[0].dry && r.Of != "" {
		return nil
	}
	has, all := 0, 0
	for f, part := range p.Parts {
		log := p.builders[f].logs[logFile(r.Of, r.Users)]
		if r.Of == "" {
			var err error
			if log, err = p.builders[f].file(r); err != nil {
				return err
			}
		}
		type met struct {
			task, user string
			seed       int
		}
		known := map[met]bool{}
		for i := range log.Decisions {
			d := &log.Decisions[i]
			if d.Seed != nil {
				known[met{d.Task, d.User, *d.Seed}] = true
				continue
			}
			for _, seed := range p.Experiment.Seeds {
				known[met{d.Task, d.User, seed}] = true
			}
		}
		for _, k := range part.Test {
			prof := &p.Data.Profiles[k]
			for _, seed := range p.Experiment.Seeds {
				if all++; known[met{p.Data.Tasks[prof.Task].ID, p.Data.Users[prof.User].ID, seed}] {
					has++
				}
			}
		}
	}
	what := fmt.Sprintf("%s: the log has the very user on the very task for %d of %d sessions; mode policy finds them again there, and its rate off the log says little of other users", r.Name, has, all)
	if has > 0 && !slices.Contains(p.warnings, what) { // once for all its rows
		p.warnings = append(p.warnings, what)
	}
	return nil
}

// warnTrajectories notes how many sessions the log of a file has.
func (p *Plan) warnTrajectories(r *replayed) {
	has, all := 0, 0
	for f, part := range p.Parts {
		for _, k := range part.Test {
			for _, seed := range p.Experiment.Seeds {
				prof := &p.Data.Profiles[k]
				if all++; p.builders[f].replays[r.Name].Has(p.Data.Tasks[prof.Task].ID, p.Data.Users[prof.User].ID, seed) {
					has++
				}
			}
		}
	}
	if has < all {
		p.warnings = append(p.warnings, fmt.Sprintf("%s: the log has a trajectory for %d of %d sessions; in the others it asks nothing", r.Name, has, all))
	}
}

// writeLogs writes the logs that were made for the run into its folder, each whole or not
// at all, where they are not there yet.
func (p *Plan) writeLogs(dir string, fresh bool) error {
	at := filepath.Join(dir, LogsDir)
	if fresh {
		if err := os.RemoveAll(at); err != nil {
			return fmt.Errorf("results: %w", err)
		}
	}
	for _, file := range sortedKeys(p.logs) {
		path := filepath.Join(at, file)
		if had, err := os.ReadFile(path); err == nil && bytes.Equal(had, p.logs[file]) {
			continue
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("results: %w", err)
		}
		if err := os.MkdirAll(at, 0o755); err != nil {
			return fmt.Errorf("results: %w", err)
		}
		if err := record.WriteFile(path, func(w io.Writer) error {
			_, err := w.Write(p.logs[file])
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}
