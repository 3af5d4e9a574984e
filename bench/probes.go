package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"pepbench/bench/llm"
	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/judges"
)

// A prober is a judge that can be tried on the built-in probes.
type prober interface {
	probes() int // calls, 0: it is not to be tried
	probe(ctx context.Context, c llm.Client, model string, kind domains.RubricKind) (*judges.ProbeReport, error)
}

func (r *rubricJudge) probes() int {
	if !r.Probes {
		return 0
	}
	return judges.ProbeCalls(r.Mode == modeBatched)
}

func (r *rubricJudge) probe(ctx context.Context, c llm.Client, model string, kind domains.RubricKind) (*judges.ProbeReport, error) {
	return judges.Probe(ctx, r.rubric(c, model), kind)
}

// probeCalls is how many calls the probes of a judge take, 0 without.
func probeCalls(j JudgeKind) int {
	if p, ok := j.(prober); ok {
		return p.probes()
	}
	return 0
}

// probe tries the judge on the built-in probes, if the experiment says so, and leaves
// the outcome in dir. One that is there is kept, unless it is of an earlier run.
func probe(ctx context.Context, e *Experiment, kind domains.RubricKind, r *roles, dir string, resumed bool, say func(string)) error {
	path := filepath.Join(dir, record.ProbesFile)
	calls := probeCalls(e.Judge.Config)
	if calls > 0 && resumed && there(dir, record.ProbesFile) {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("results: %w", err)
	}
	if calls == 0 {
		return nil
	}
	say(fmt.Sprintf("probing the judge, %d calls", calls))
	rep, err := e.Judge.Config.(prober).probe(ctx, r.clients[roleJudge], e.modelOf(roleJudge).model(), kind)
	switch {
	case err == nil:
	case ctx.Err() == nil && !errors.Is(err, llm.ErrUnusable) && !errors.Is(err, llm.ErrBudget): // as of the first call: sessions would meet it too
		return fmt.Errorf("judge: %w: %w", err, llm.ErrUnusable)
	default:
		return fmt.Errorf("judge: %w", err)
	}
	out := record.Probes{Judge: rep.Judge, Rubric: string(kind), Responses: rep.Responses, Calls: rep.Calls}
	for _, c := range rep.Checks {
		k := record.ProbeCheck{Name: c.Name, Pairs: c.Pairs, Agree: c.Agree, Unscored: c.Unscored}
		if !math.IsNaN(c.Shift) {
			v := record.Round(c.Shift)
			k.Shift = &v
		}
		out.Checks = append(out.Checks, k)
	}
	return record.WriteProbes(dir, out)
}

// drawsOf is how often a judge grades each response.
func drawsOf(j JudgeKind) int {
	if r, ok := j.(*rubricJudge); ok {
		return int(r.Repeats)
	}
	return 1
}
