// Package bench runs experiments: it reads a YAML description, loads and splits
// the data, fits the population models, pairs every strategy with every test user
// and lets solver and judge turn inferences into scores.
//
//	Experiment (YAML) --Prepare--> Plan --Run--> results/<name>/{manifest,sessions,usage,timing}
//
//	e, err := bench.Load("configs/smoke.yaml", nil)
//	p, err := bench.Prepare(ctx, e, nil)
//	o, err := bench.Run(ctx, p, "results/smoke", false, progress)
//
// It owns the registry of kinds (what `kind:` may name in each block), the session
// loop, the journal and resuming. It is the only room that knows all others, and
// it holds the information barriers between them: a strategy is never given a
// profile (the oracle by name excepted), a solver sees task and inference, a judge
// sees task, response, rubric and true preferences but no inference.
//
// # Sweeps
//
// A file with the key `sweep` is a grid of experiments (LoadSweep), run one after
// another in folders of their own (RunSweep). Data that cells share are loaded once,
// and models fitted once. A cell that is not defined, because its acquisition needs
// what its belief lacks or its belief cannot handle the data, is refused with the
// reason and the others go on. Within one experiment `undefined: skip` does the same
// for its strategies; without it the experiment is refused.
//
// # Folds
//
// With `split.folds` an experiment is cross-fitted: every fold has training, dev and
// test profiles, models and strategies of its own, test parts have no session in
// common, and the sessions of all folds are one result.
//
// # Model files
//
// Fit fits one belief for a file that kind `file` reads in another run. It must be of
// the same criteria. One that was fitted on another selection or split of the very
// data it is used on is refused, because test profiles may be among those it has seen.
//
// # Judges
//
// `judge: {kind: rubric, repeats: 3}` draws every grade so often and takes the mean, and
// `probes: true` has the judge grade responses whose properties are known before the
// sessions. PrepareRejudge grades the stored responses of a finished run again, by
// another judge, without solving anything:
//
//	r, err := bench.PrepareRejudge(ctx, "results/smoke", []string{"judge.mode=single"}, nil)
//	o, err := r.Run(ctx, r.Dir(), progress)
//
// The sessions keep the former scores beside the new ones.
//
// # Interviews
//
// Plan.Interview begins a session with somebody who is not simulated, and Builtin is
// the experiment it is made of where no file is given.
package bench
