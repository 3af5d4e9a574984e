package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"pepbench/bench/llm"
	"pepbench/bench/record"
	"pepbench/bench/solver"
	"pepbench/domains"
	"pepbench/judges"
)

// Progress is told how a run goes on. Calls come from one goroutine at a time.
type Progress interface {
	Step(what string)                // a step has begun
	Sessions(done, total, fresh int) // done of total are in the journal, fresh of them from this leg
}

// An Outcome says what a run did.
type Outcome struct {
	Dir     string
	Total   int // sessions of the plan
	Ran     int // of them in this leg; 0: all had been there
	Failed  int // sessions of this leg recorded with an error
	Changed bool
}

// solve and grade are what the session loop needs of solver and judge.
type (
	solving interface {
		Solve(context.Context, solver.Problem) (solver.Solution, error)
	}
	grading interface {
		Grade(context.Context, judges.Case) ([]judges.Score, error)
	}
	checking interface {
		Judge(context.Context, domains.Task, string) (*bool, string, error)
	}
)

type runner struct {
	plan        *Plan
	solver      solving
	judge       grading
	judgeID     string
	correctness checking              // nil: nothing to check
	clients     map[string]llm.Client // by role; of those that the experiment uses
}

// claim makes the folder of a run where there is none, and locks it. A folder that was
// made here and that nothing was written to is gone after the release.
func claim(dir string) (release func(), err error) {
	_, err = os.Stat(dir)
	ours := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("results: %w", err)
	}
	leave := func() {
		if ours {
			_ = os.Remove(dir) // succeeds only if nothing was written
		}
	}
	unlock, err := record.Lock(dir)
	if err != nil {
		leave()
		return nil, err
	}
	return func() { unlock(); leave() }, nil
}

// Run carries out the plan in dir: it writes the manifest, runs the sessions that
// the journal does not have yet, and leaves the journal sorted. Running it again
// resumes. A journal of another configuration, other data or another version of
// the code is refused unless fresh is set, which starts over.
//
// When ctx is cancelled, sessions in flight are dropped, those that are complete
// stay, and the error is ctx's.
func Run(ctx context.Context, p *Plan, dir string, fresh bool, progress Progress) (Outcome, error) {
	out := Outcome{Dir: dir, Total: len(p.sessions)}
	started, cpu := time.Now(), cpuSeconds()
	if there(dir, record.SweepFile) {
		return out, &ConfigError{File: dir, What: "holds a sweep, and this is a single run", Mend: "give another --out"}
	}
	release, err := claim(dir)
	if err != nil {
		return out, err
	}
	defer release()

	journalPath := filepath.Join(dir, record.SessionsFile)
	var had *record.Manifest
	var j *record.Journal
	defer func() {
		if j != nil {
			_ = j.Close() // what went wrong is told already; a finished journal is closed
		}
	}()
	if !fresh {
		if had, err = p.sameRun(dir); err != nil {
			return out, err
		}
	}
	if had != nil { // look before connecting: a complete run needs no endpoint
		if j, err = record.OpenJournal(journalPath); err != nil {
			return out, err
		}
		if err := p.belongs(j, journalPath); err != nil {
			return out, err
		}
		if len(p.missing(j)) == 0 {
			if err := p.writeLogs(dir, false); err != nil {
				return out, err
			}
			return out, finish(j, dir)
		}
	}

	limit := p.Experiment.inFlight()
	roles, err := p.connect(ctx, limit)
	if err != nil {
		return out, err
	}
	defer roles.close()
	p.manifest.Endpoints = roles.endpoints
	if had != nil && !sameEndpoints(had.Endpoints, roles.endpoints) {
		return out, otherRun(dir, fmt.Sprintf("endpoints that said they were %v, now they say %v", had.Endpoints, roles.endpoints))
	}
	if fresh {
		if err := os.Remove(journalPath); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return out, fmt.Errorf("results: %w", err)
		}
	}
	if err := record.WriteJSON(filepath.Join(dir, record.ManifestFile), p.manifest); err != nil {
		return out, err
	}
	if err := p.writeTrainings(dir); err != nil {
		return out, err
	}
	if err := p.writeLogs(dir, had == nil); err != nil {
		return out, err
	}
	if err := roles.cache.of(p.Experiment, dir, had != nil); err != nil {
		return out, err
	}
	if j == nil {
		if j, err = record.OpenJournal(journalPath); err != nil {
			return out, err
		}
	}
	left := p.missing(j)
	out.Changed = true
	if err := os.Remove(filepath.Join(dir, record.MetricsFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return out, fmt.Errorf("results: %w", err)
	}
	if err := probe(ctx, p.Experiment, p.Data.Rubric, roles, dir, had != nil, progress.Step); err != nil {
		return out, err
	}
	progress.Step(fmt.Sprintf("running %d sessions%s", len(left), p.atMost()))
	r := &runner{plan: p, solver: roles.solver, judge: roles.judge, judgeID: roles.judgeID, correctness: roles.correctness, clients: roles.clients}
	if err := work(ctx, j, left, limit, r.session, &out, progress); err != nil {
		return out, err
	}
	if err := roles.cache.close(); err != nil {
		return out, err
	}
	if err := finish(j, dir); err != nil {
		return out, err
	}
	if err := record.WriteJSON(filepath.Join(dir, record.UsageFile), roles.usage()); err != nil {
		return out, err
	}
	return out, record.WriteJSON(filepath.Join(dir, record.TimingFile), record.Timing{
		Started: started.UTC().Format(time.RFC3339), WallSeconds: time.Since(started).Seconds(),
		CPUSeconds: cpuSeconds() - cpu, Sessions: out.Ran, Concurrency: limit,
	})
}

// work makes the sessions that are left, at most limit at a time, and appends each to
// the journal. It stops at the first error, and when too many in a row have no score.
func work[K any](ctx context.Context, j *record.Journal, left []K, limit int, session func(context.Context, K) (*record.Session, error), out *Outcome, progress Progress) error {
	done := make(chan *record.Session)
	g, gctx := errgroup.WithContext(ctx)
	streak, ran := 0, 0
	g.Go(func() error { // the only writer
		for s := range done {
			if err := j.Append(s); err != nil {
				return err
			}
			ran++
			out.Ran++
			if s.Error != "" {
				out.Failed++
			}
			if streak++; scored(s) {
				streak = 0
			}
			if streak == hopeless {
				return fmt.Errorf("%d sessions in a row without a score, the last because: %s: %w", streak, trouble(s), llm.ErrUnusable)
			}
			progress.Sessions(out.Total-len(left)+ran, out.Total, ran)
		}
		return nil
	})
	feed, fctx := errgroup.WithContext(gctx)
	feed.SetLimit(limit)
	for _, k := range left {
		if fctx.Err() != nil {
			break
		}
		feed.Go(func() error {
			s, err := session(fctx, k)
			if err != nil {
				return err
			}
			select {
			case done <- s:
				return nil
			case <-gctx.Done():
				return context.Cause(gctx)
			}
		})
	}
	err := feed.Wait()
	close(done)
	// Where the writer gave up, that is why: what sessions in flight then say, cancelled
	// in the middle of a call, is not.
	if werr := g.Wait(); werr != nil {
		err = werr
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// hopeless is how many sessions in a row may end without any score before the run
// stops: the endpoint is down, or the judge cannot be read.
const hopeless = 20

// scored says whether any checkpoint of a session was scored.
func scored(s *record.Session) bool {
	return s.Error == "" && slices.ContainsFunc(s.Checkpoints, func(c record.Checkpoint) bool { return c.Raw != nil })
}

// trouble is the first reason why a session has no score.
func trouble(s *record.Session) string {
	if s.Error != "" {
		return s.Error
	}
	for _, c := range s.Checkpoints {
		for _, sc := range c.Scores {
			if sc.Unscored != "" {
				return sc.Unscored
			}
		}
	}
	return "nothing is held"
}

// missing lists the sessions of the plan that the journal does not have.
func (p *Plan) missing(j *record.Journal) []sessionKey {
	var out []sessionKey
	for _, k := range p.sessions {
		if !j.Has(k.id) {
			out = append(out, k)
		}
	}
	return out
}

// belongs refuses a journal with sessions that are not of this plan.
func (p *Plan) belongs(j *record.Journal, path string) error {
	ours := make(map[string]bool, len(p.sessions))
	for _, k := range p.sessions {
		ours[k.id] = true
	}
	for _, id := range j.IDs() {
		if !ours[id] {
			return &domains.DataError{File: path, What: fmt.Sprintf("session %q is not part of this experiment", id), Mend: "start over with --fresh, or give another --out"}
		}
	}
	return nil
}

// otherRun is the refusal to go on in a folder that holds something else.
func otherRun(dir, with string) error {
	return &ConfigError{File: filepath.Join(dir, record.ManifestFile), What: "the sessions there were made with " + with, Mend: "start over with --fresh, or give another --out"}
}

// sameRun gives the manifest of a run that can be continued, nil where there is
// none, and refuses a folder that holds sessions of something else.
func (p *Plan) sameRun(dir string) (*record.Manifest, error) {
	if _, err := os.Stat(filepath.Join(dir, record.SessionsFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	had, err := record.ReadManifest(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: the sessions there cannot be continued; start over with --fresh, or give another --out", err)
	}
	now := &p.manifest
	a, _ := json.Marshal([]any{had.Data, had.Models, had.Prompts, policies(had)}) // was read from JSON
	b, err := json.Marshal([]any{now.Data, now.Models, now.Prompts, policies(now)})
	if err != nil {
		return nil, err
	}
	switch {
	case had.Rejudged != nil:
		return nil, otherRun(dir, "responses of "+had.Rejudged.Of+", which were graded again there")
	case had.ConfigHash != now.ConfigHash:
		return nil, otherRun(dir, "another configuration: "+firstDifference(had.Config, now.Config))
	case had.Code.Version != now.Code.Version || had.Code.Platform != now.Code.Platform:
		return nil, otherRun(dir, fmt.Sprintf("another version of pepbench (%s on %s, this is %s on %s)", had.Code.Version, had.Code.Platform, now.Code.Version, now.Code.Platform))
	case !bytes.Equal(a, b):
		return nil, otherRun(dir, "other data, models, policies or prompts")
	}
	return had, nil
}

// policies are those of a run's strategies, nil for the others.
func policies(m *record.Manifest) []*record.Policy {
	out := make([]*record.Policy, len(m.Strategies))
	for i := range m.Strategies {
		out[i] = m.Strategies[i].Policy
	}
	return out
}

// firstDifference names the first key, in order, at which two configurations
// differ.
func firstDifference(a, b json.RawMessage) string {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return "its configuration cannot be read"
	}
	return differ("", x, y)
}

func differ(path string, x, y any) string {
	if a, ok := x.(map[string]any); ok {
		if b, ok := y.(map[string]any); ok {
			keys := map[string]bool{}
			for _, m := range []map[string]any{a, b} {
				for k := range m {
					keys[k] = true
				}
			}
			for _, k := range sortedKeys(keys) {
				if d := differ(join(path, k), a[k], b[k]); d != "" {
					return d
				}
			}
			return ""
		}
	}
	was, _ := json.Marshal(x)
	is, _ := json.Marshal(y)
	if bytes.Equal(was, is) {
		return ""
	}
	return fmt.Sprintf("%s was %.60s and is %.60s", path, was, is)
}

// fatal says whether the run cannot go on after err.
func fatal(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || errors.Is(err, llm.ErrUnusable) || errors.Is(err, llm.ErrBudget))
}

// unscored grades every held criterion as unscored for one reason.
func unscored(p *domains.Profile, why, judge string) []record.Score {
	out := []record.Score{}
	for i, c := range p.Cells {
		if c.IsHeld() {
			out = append(out, record.Score{Position: i, Unscored: why, Judge: judge})
		}
	}
	return out
}

// graded turns a judge's scores into what is kept of them.
func graded(scores []judges.Score) []record.Score {
	out := make([]record.Score, len(scores))
	for i, s := range scores {
		out[i] = record.Score{Position: s.Position, Level: s.Level, Reason: s.Reason, Unscored: s.Unscored, Judge: s.Judge, Repeats: record.NewFloats(s.Repeats), Levels: record.NewFloats(s.Levels)}
		if s.Score != nil {
			v := record.Round(*s.Score)
			out[i].Score = &v
		}
	}
	return out
}

// cpuSeconds is the processor time that the program has used.
func cpuSeconds() float64 {
	s := []metrics.Sample{{Name: "/cpu/classes/total:cpu-seconds"}, {Name: "/cpu/classes/idle:cpu-seconds"}}
	runtime.GC() // the counters are brought up to date by a collection
	metrics.Read(s)
	return s[0].Value.Float64() - s[1].Value.Float64()
}
