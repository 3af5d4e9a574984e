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
	correctness checking // nil: nothing to check
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
	limit := p.Experiment.Concurrency
	if limit == 0 {
		limit = 4 * runtime.GOMAXPROCS(0)
	}
	roles, err := p.connect(ctx, limit)
	if err != nil {
		return out, err
	}
	defer roles.close()
	p.manifest.Endpoints = roles.endpoints

	if err := os.MkdirAll(dir, 0o755); err != nil {
		return out, fmt.Errorf("results: %w", err)
	}
	journalPath := filepath.Join(dir, record.SessionsFile)
	if fresh {
		if err := os.Remove(journalPath); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return out, fmt.Errorf("results: %w", err)
		}
	} else if err := p.sameRun(dir); err != nil {
		return out, err
	}
	if err := record.WriteJSON(filepath.Join(dir, record.ManifestFile), p.manifest); err != nil {
		return out, err
	}
	j, err := record.OpenJournal(journalPath)
	if err != nil {
		return out, err
	}
	var todo []sessionKey
	for _, k := range p.sessions {
		if !j.Has(k.id) {
			todo = append(todo, k)
		}
	}
	if have := len(p.sessions) - len(todo); j.Len() != have {
		return out, errors.Join(&domains.DataError{File: journalPath, What: fmt.Sprintf("holds %d sessions that are not part of this experiment", j.Len()-have), Mend: "start over with --fresh, or give another --out"}, j.Close())
	}
	if len(todo) == 0 {
		return out, j.Finish()
	}

	out.Changed = true
	if err := os.Remove(filepath.Join(dir, record.MetricsFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return out, errors.Join(fmt.Errorf("results: %w", err), j.Close())
	}
	progress.Step(fmt.Sprintf("running %d sessions", len(todo)))
	r := &runner{plan: p, solver: roles.solver, judge: roles.judge, judgeID: roles.judgeID, correctness: roles.correctness}
	done := make(chan *record.Session)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { // the only writer
		for s := range done {
			if err := j.Append(s); err != nil {
				return err
			}
			out.Ran++
			if s.Error != "" {
				out.Failed++
			}
			progress.Sessions(len(p.sessions)-len(todo)+out.Ran, len(p.sessions), out.Ran)
		}
		return nil
	})
	feed, fctx := errgroup.WithContext(gctx)
	feed.SetLimit(limit)
	for _, k := range todo {
		if fctx.Err() != nil {
			break
		}
		feed.Go(func() error {
			s, err := r.session(fctx, k)
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
	err = feed.Wait()
	close(done)
	if werr := g.Wait(); err == nil || errors.Is(err, context.Canceled) && werr != nil {
		err = werr
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return out, errors.Join(err, j.Close())
	}
	if err := j.Finish(); err != nil {
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

// sameRun refuses a folder that holds sessions of something else.
func (p *Plan) sameRun(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, record.SessionsFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	had, err := record.ReadManifest(dir)
	if err != nil {
		return fmt.Errorf("%w; the sessions there cannot be continued: start over with --fresh, or give another --out", err)
	}
	differs := func(what string) error {
		return &ConfigError{File: filepath.Join(dir, record.ManifestFile), What: "the sessions there were made with " + what, Mend: "start over with --fresh, or give another --out"}
	}
	now := &p.manifest
	a, _ := json.Marshal([]any{had.Data, had.Models, had.Endpoints, had.Prompts})
	b, err := json.Marshal([]any{now.Data, now.Models, now.Endpoints, now.Prompts})
	if err != nil {
		return err
	}
	switch {
	case had.ConfigHash != now.ConfigHash:
		return differs("another configuration")
	case had.Code.Version != now.Code.Version || had.Code.Platform != now.Code.Platform:
		return differs(fmt.Sprintf("another version of pepbench (%s on %s, this is %s on %s)", had.Code.Version, had.Code.Platform, now.Code.Version, now.Code.Platform))
	case !bytes.Equal(a, b):
		return differs("other data, models or endpoints")
	}
	return nil
}

// fatal says whether the run cannot go on after err.
func fatal(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || errors.Is(err, llm.ErrUnusable))
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
		out[i] = record.Score{Position: s.Position, Level: s.Level, Reason: s.Reason, Unscored: s.Unscored, Judge: s.Judge}
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
