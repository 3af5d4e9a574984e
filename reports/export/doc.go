// Package export writes the numbers of a run for other programs: as tidy tables, and as the
// results file of another harness.
//
//	sessions.jsonl > reports.Write > Metrics > Estimates > estimates.{csv,parquet,json}
//	               \                         \ Results   > results_pepbench.json
//	                > one line at a time                 > sessions.{csv,parquet}
//
//	s, files, err := export.Write("results/medical", "results/medical/exports", []export.Format{export.CSV})
//
// The report of the run is made again on the way, so that what is exported is what stands in
// metrics.json beside it, to its six decimals. What is undefined is null (in CSV an empty
// field), never 0. Files are written whole or not at all; equal runs give equal bytes. Sessions
// are streamed: of 100,000 no more than a row group is held.
//
// # Estimates
//
// A line is a number of metrics.json, in the order of that file; numbers that have an
// interval bring it along. The columns are
//
//	run, config_hash, data, data_version
//	                    of the manifest
//	simulated           whether a simulator took part in the run
//	strategy, base, kind, predict
//	                    the row that it is of; empty of numbers of the whole run
//	measure             where it stands in metrics.json, without the row: alignment,
//	                    alignment.normalised, prediction.at.f1, adaptivity.by_t, ...
//	scope               which of several: whole or unasked, a role, a criterion, a cluster, a
//	                    training, a candidate, a reason, the ends of a bin
//	against, why        of a comparison
//	questions, k, turn, seed
//	                    after so many questions, at k, of that turn (from 1) and seed; null where
//	                    it is of none
//	value, lo, hi       the number and the ends of its interval
//	hi_open             the interval has no upper end
//	n, undefined, clusters
//	                    what is behind it: sessions (of shares pairs, turns or sessions), those
//	                    without a value, clusters (of shares tasks)
//	method, p, p_holm, family, mde, needed, resolved
//	                    the test of a difference, as in metrics.json; null where there is none
//
// The tree of first questions and the sequences behind collapse are no table and are left to
// metrics.json, as is what metrics.json repeats of the manifest.
//
// # Sessions
//
// A line is a session, in the order of sessions.jsonl, those that failed last, with the
// columns run, config_hash, simulated, strategy, base, kind, predict, seed, task, user, failed
// (why; empty: it did not), stop (why it asked no more), questions (up to the budget),
// questions_all (up to the horizon), calls, tokens_in, tokens_out (logical; null where no
// server said any), uncounted (calls whose tokens no server said, which these lack), and for
// every checkpoint n alignment_n (0..100) and correct_n. A floor or ceiling has its one checkpoint as the first of them. What
// was carried forward is the last that was graded, as in reports.
//
// # Results
//
// results_pepbench.json has the shape of the results file of lm-evaluation-harness 0.4.9.1
// (github.com/EleutherAI/lm-evaluation-harness, lm_eval/evaluator.py and
// loggers/evaluation_tracker.py), so that what reads these reads ours: one task for every
// strategy, pepbench_<run>_<strategy>, in the group pepbench_<run>. Under the filter "none"
// are the numbers at the final checkpoint, and under questions-n alignment and accuracy (acc,
// 0..1) after n questions. A stderr is half of the interval's width over the normal quantile
// of its confidence, so that it is of clusters, which those of that harness are not. As there, what
// is undefined is "N/A". Clocks, which equal runs do not share, are null.
package export
