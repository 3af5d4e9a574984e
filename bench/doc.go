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
// # Users who answer in words
//
// Users of kind passive, passive-nostop and collaborative are played by the model of role
// user (simusers.Verbal). What they say is made out by rules or by the model of role
// interpreter (package interpret), and a strategy is told the outcome as a cell, exactly
// as from any other user: held at a value, not held, or nothing. What users tell without
// being asked is recorded and not handed on, so that all strategies learn one criterion a
// question. The share users.audit of the questions, picked by a hash of session and turn,
// is put users.again more times to a user with the same past; the answers are recorded
// and reach nothing. Reports tell how faithful all this was.
//
// A strategy of kind asker lets the model of role asker write the questions
// (strategies.Asker). It may ask about none of the criteria, position -1, and it hears
// the user's words. Its counterfactuals are asked of a copy in the dialogue itself.
//
// A reply that cannot be read is a state and no error; an endpoint that fails for now
// ends the session with an error in its record.
//
// # Replays
//
// A strategy of kind replay asks what a policy log says (strategies.Replay, package
// policylog): a file, or the log of another strategy of the experiment, which is made in
// Prepare, before any session, by letting that strategy ask simulated users:
//
//	{name: live, kind: replay, of: rl, users: test}                     # what rl asks in these very sessions
//	{name: policy, kind: replay, of: rl, users: others, mode: policy}   # what it asks users that are in no test session
//	{name: theirs, kind: replay, log: FILE, policy: ID}                 # what somebody's policy asked elsewhere
//
// The strategy in `of` is of kind pep, random, rl or static; others draw on more than
// answers in cells, and so do users who answer in words: a run of theirs is replayed from
// the file that LogOfRun makes of it. With `users: test` the log has every test session,
// under its seed; the replay in mode trajectory then is the live strategy again, which
// shows that log and replay lose nothing. With `users: others` it has those profiles of
// users that are in no test session (of the fold) that are on the tasks of test sessions,
// or, where there are none, the training profiles, of each task the 40 with the smallest
// hash of task and user. A strategy that draws from the randomness of the session draws
// for its log what its first row draws.
//
// A log that was made is left in the folder policylogs of the run. Every decision that is
// off the log is recorded as such (record.Turn.OffLog, record.Session.StopOffLog). A replay
// in mode policy that is off the log by history in more than most_off_log of its decisions
// is not the policy, and reports say so; a log that has the users of
// test sessions themselves is warned of there, since with them it only repeats what it did. LogOfTranscripts makes a log of conversations
// that were held elsewhere.
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
// # Policies
//
// A strategy of kind rl asks by a policy network (package strategies/rl) that Prepare
// trains for every fold and seed, or takes from where it is kept:
//
//	strategies:
//	  - {name: rl, kind: rl, predict: [answers, latent], train: {algorithm: grpo, predict: latent}}
//
// What it learns in is made of training and dev profiles alone: users as in the sessions
// (exact ones in place of those who answer in words), tasks without their answers, and at
// the end of a session the alignment of what the solver would have written, by the profile
// judge (train.reward: profile) or by solver and judge of the run (judge). The policy is
// told settings, answers and rewards, and no profile. The checkpoint is chosen on dev, by
// reward. Keys that train leaves out are as rl.Defaults has them for its algorithm.
//
// A policy is kept in the folder `policies` (results/policies) under the hash of all that
// decides it, with the record of its training:
//
//	<policies>/<hash>/policy.json, training.json; checkpoint.json while it is trained
//
// A training that was interrupted goes on from its checkpoint and ends in the same bytes.
// Of processes that want one policy at the same time, one trains it and the others wait.
// What is damaged is refused. TrainPolicies trains ahead of a run; a dry run (PrepareDry)
// trains nothing.
//
// The record compares the policy on its training episodes with strategy random and with
// the fixed order that a greedy search finds: a policy that earns less than that order is
// undertrained, and one that does not beat random by a resolved difference says that
// something is wrong. Beside the policy of the first seed, a network of the same shape is
// fitted to the choices of an adaptive strategy (train.clone), to tell what a policy failed
// to learn from what it cannot express. All of it goes into the manifest, shortfalls as
// warnings.
//
// # Interviews
//
// Plan.Interview begins a session with somebody who is not simulated, and Builtin is
// the experiment it is made of where no file is given.
package bench
