// Package record is what a run leaves on disk, and the one formula that runner
// and reports must share: the alignment of a graded response.
//
//	manifest.json    Manifest: what was run, on what, with what
//	sessions.jsonl   one Session a line, the source of truth of every report
//	sessions.index   Index: where each session stands, and what lists of them show
//	usage.json       Usage: what equal runs may differ in (retries, latencies)
//	timing.json      Timing: clocks
//	probes.json      Probes: the judge on responses whose properties are known
//	sweep.json       Sweep: a grid of runs, each in a folder of its own beside it
//	policylogs/      logs that were made of strategies to be replayed (Policy.Log)
//	trainings/       one Training a file: of the policies that strategies of kind rl ask by
//
// A Session keeps the dialogue (Turns) and what was made of it after so many
// questions (Checkpoints). The inference after n questions is kept once, in
// Prior (n = 0) or in the n-th turn; Session.Inference finds it.
//
// A replay follows the log of a policy. A decision of it, a question or a stop of its own,
// is off the log by task where the log has the history on other tasks only, and by history
// where it does not have it (Turn.OffLog, Session.StopOffLog); the rate of a run is
// decisions off by history over all decisions.
//
// A Journal appends sessions in the order they complete, drops a torn last line
// when it is opened again, and at the end is rewritten atomically, sorted by
// session id, so that equal runs leave equal bytes.
//
// An Index lets a reader open a journal of any size without reading it. It is made by
// whoever reads the sessions anyway (Indexer), or by itself (BuildIndex), and tied to the
// state of the file; one that is stale or broken is never used (ErrIndex).
//
// The package runs nothing and knows no strategy, user, solver or judge.
package record
