// Package reports turns what a run leaves on disk into metrics, tables and paper
// figures.
//
//	manifest.json  \                             /  metrics.json
//	sessions.jsonl  > Load > Run > Compute > Metrics > Tables    tables/*.{md,csv,tex}
//	               /                             \  Figures   figures/*.{svg,png,pdf}
//
//	sweep.json          \                                /  grid.json
//	metrics.json of each > LoadSweep > SweepMetrics       >  tables/grid.{md,csv,tex}
//	cell                /                                 \  figures/grid*.{svg,png,pdf}
//
// Sessions are read in one pass, one line at a time; of each only its numbers are
// kept. Files are written whole or not at all. Equal runs give equal bytes.
//
//	s, err := reports.Write("results/medical")
//	// print s.Text and s.Warnings
//	s, err = reports.WriteSweep("results/grid") // once its cells are reported
//
// The package reads files and runs nothing. It knows a strategy as a row of the
// manifest, and no strategy, solver, judge or belief by its code.
//
// # Measures
//
// Every mean is a mean of task means: over the seeds of one (task, user), over the
// users of a task, over tasks. In a survey the users are the clusters. What is
// undefined is left out, counted, and null; it is never a zero, and a true zero
// stays in. A session that failed is left out of everything and counted apart.
//
// Intervals are percentile intervals of the bootstrap over clusters
// (reports/stats). Every quantity of a run sees the same resamples, so what is made
// of several is made within a resample: paired differences are means over the
// sessions that both strategies have; normalised alignment is
//
//	100 (mean - mean of floor) / (mean of ceiling - mean of floor)
//
// over sessions that all three have, undefined where the ceiling does not exceed
// the floor; questions to target is where the mean curve, linear between
// checkpoints, first reaches the final alignment of the target strategy. Under two
// clusters there is no interval, under six it comes with a warning.
//
// Follow-up adaptivity is over pairs of sessions of one strategy, task and seed
// that asked the same up to q_t (t below the budget), heard the same before it,
// and different answers to q_t: the share of pairs that go on differently, by
// task, then the mean over tasks with a pair. One that stopped after q_t goes on
// differently from one that did not. The released variant takes pairs with equal
// questions whatever was heard before, leaves out those that stopped, and pools the
// tasks. In a survey, which has one task, neither has an interval.
//
// Profile prediction ranks criteria by P(held), the lower position first among
// equals; a criterion whose P(held) is unknown or 0 is never predicted. Precision
// is undefined where nothing is predicted. Cells whose truth is missing take no
// part. Errors of values are in the unit of the criterion; a nominal one has none, and
// its level has the error 1 - P(true level | held) instead.
//
// # Comparisons
//
// Two strategies are compared by the mean of their differences over the sessions
// (task, user, seed) that both have, at the checkpoints that report.questions names or
// else the final one. A strategy is compared with its static twin (the row whose
// twin_of is its base and that predicts as it does: the difference in alignment is the
// adaptive gain), with the reference, and with what report.against names: a base,
// which stands for its row that predicts alike, or else a row; those that predict
// otherwise are left out, but for a floor or ceiling. The first of these reasons counts.
//
// An error (value, relevance, level) is compared in sessions for which both predict
// the whole profile from a population; what predicts from answers alone knows a few
// cells, and a mean over these is no match for one over all. What is unasked differs
// between strategies that ask differently, so that the errors over unasked cells are
// not over the same cells; those over the whole profile are the fair ones. A
// difference is resolved when its interval leaves out 0 and rests on six clusters or
// more. Nothing is corrected for the number of comparisons.
//
// # metrics.json
//
// Numbers have at most six decimals; an undefined one is null. An estimate is
//
//	value, lo, hi   the mean and the ends of its interval
//	n, undefined    sessions with a value, and those left out for want of one
//	clusters        clusters with a value
//
// and a share of pairs is value, lo, hi, pairs, differing, and tasks (those with a
// pair). The file holds
//
//	schema, name, config_hash     1; of the manifest
//	data                          name, version, rubric
//	simulated, simulated_roles    whether, and in which roles, a simulator took part
//	user_model, solver, judge     in words
//	folds                         of the cross-fitting; absent without
//	compat                        "released" if beliefs and choices are computed as the released
//	                              code does; else absent
//	left_out                      strategies that are not defined on the data; absent if all are
//	chosen_on_dev                 population models of which one of several was chosen on dev;
//	                              absent if none was
//	cluster                       task or user
//	tasks, users, seeds           what the sessions are of
//	sessions                      planned, read, failed, and unknown (of strategies not in the manifest)
//	budget, horizon, checkpoints  in questions; final is the checkpoint of the headline
//	resamples, confidence, seed   of the bootstrap
//	floor, ceiling, reference     strategies, empty when there is none
//	target                        strategy, and its final alignment
//	strategies                    in manifest order, see below
//	compared_at                   the questions of the comparisons
//	comparisons                   strategy, against, why (twin, reference or against), questions,
//	                              measure (alignment, held_mae, brier, level_error if a criterion is
//	                              nominal, unasked_mae, unasked_brier), estimate of the difference
//	                              strategy minus against, resolved
//	planned_calls                 logical calls (solver, judge, correctness) and tokens (tokens_in,
//	                              tokens_out, and tokens_estimated: from characters) by the dry-run
//	                              arithmetic, an upper bound; what was done is in usage.json
//	warnings                      what to know before trusting a number
//
// and of every strategy its line of the manifest (name, base, kind, predict, asks,
// twin_of, about, params) and
//
//	sessions, failed         sessions read; failed ones by reason
//	alignment                by questions: estimate (0..100), reasons of undefined ones, normalised
//	difference               estimate against the reference at the final checkpoint; resolved: the
//	                         interval leaves out 0 and rests on six clusters or more; null for
//	                         the reference itself
//	interactions             estimate of the questions asked, up to the budget
//	interactions_to_target   value (null: the mean curve never reaches it), lo, hi, hi_open (the
//	                         interval has no upper end up to the horizon), and the shares of
//	                         resamples that never reach it (never) and that reach it at 0 (at_zero)
//	adaptivity               share of pairs (strict); early_stops: pairs of which one stopped; held
//	                         and value_differs: pairs whose answers differ in whether, and in how
//	                         much; by_t: t = 1, 2, ..; released, and released_held: those of its
//	                         pairs whose answers differ in whether
//	prediction               by questions: at (k, precision, recall, f1), value_mae and value_rmse of
//	                         true positives at k = 5, held_mae over all held, brier and log_score
//	                         (nats) of P(held), the last three again over what was not asked
//	                         (unasked_mae, unasked_brier, unasked_log_score), level_error over held
//	                         nominal criteria (absent when the run has none), and the cells behind
//	                         them: cells with a known truth, those of unknown_held P(held),
//	                         held_cells, and those of unknown_values
//	released                 absent but in runs that compute as the released code does: by
//	                         questions: at (k, precision, recall, f1, value_mae, value_rmse,
//	                         true_positives), plain means over sessions, without intervals
//	correctness              by questions: estimate of the share of right answers
//	adaptive_gain            absent without a static twin: twin (its name), and by_questions, at
//	                         every checkpoint: estimate of alignment minus the twin's, resolved
//
// value_rmse is the root of the mean of the sessions' mean squares.
//
// # Tables
//
// Each is written as Markdown, as tidy CSV (one line a number, also those that the others
// do not show) and as a LaTeX float, which needs booktabs and graphicx:
//
//	main      a row a strategy, the headline measures at the final checkpoint; the CSV
//	          file has the whole curve over questions
//	profile   the profile prediction there; the CSV file has the whole curve
//	errors    alignment and errors at every number of questions of the comparisons
//	gain      paired differences: a row for two strategies, a column for a measure and a
//	          number of questions; if anything is compared
//	released  the measures of the released code, with its faults; if the run computes as
//	          it does
//	grid      of a sweep: a row a cell; LaTeX has of a sweep that fills more than a page the
//	          best cell on dev for each value of the first axis
//
// LaTeX leaves out what is bookkeeping, and says so. Its gain has, in a run with static
// twins, the adaptive gain alone, and its gain and errors have a row for each number of
// questions, or, where these were more than a page, the last number alone. Strategies
// that predict from answers alone show no errors, which would be those of what they were
// told; where every criterion is held, tables have no relevance error. Captions say what
// was run on what, how intervals are made, who graded, whether a simulator took part, in
// how many folds the run was cross-fitted, what was chosen on dev, and what is left out.
//
// # Sweeps
//
// A sweep is a grid of runs, each reported in a folder of its own. A cell that was
// refused is not defined; one whose report is missing or cannot be read, or that has
// no number of the strategy, has no result. Neither is an error, and both say why.
// The cell that is chosen has the largest alignment on the dev profiles, the lowest
// index among equals; the test numbers of the others are exploratory. Where cells differ
// in models alone none is chosen, since what is measured on dev is what strategies
// predict, in which no model takes part. Intervals are
// those of the runs. What cells differ in beside their axes is warned of.
//
// grid.json holds
//
//	schema, name, about           1; of sweep.json
//	axes                          path, values (labels) and, of models, stages (of training, where
//	                              known; else absent) of each, of sweep.json
//	judge, folds, compat          as in metrics.json, of the first run
//	strategy, twin                row that is shown, and its static twin; by name, or by base (of
//	                              several the first that predicts from a population)
//	data, simulated, simulated_roles, cluster, resamples, confidence
//	                              as in metrics.json, of the first run; data (a list) and roles of any
//	chosen                        index into cells, null when nothing was measured on dev
//	cells                         in the order of sweep.json, see below
//	warnings                      what to know before trusting a number
//
// and of every cell
//
//	at, values, dir               index and label on each axis; folder
//	state, why                    done, refused or failed, and why the latter
//	row, twin                     names in this run; tasks, users, seeds, questions (the final
//	                              checkpoint), failed (sessions), params
//	alignment, interactions, f1_at_5, held_mae, brier
//	                              estimates at the final checkpoint; the last two are undefined for
//	                              a strategy that predicts from answers alone
//	dev_alignment                 on the dev profiles
//	adaptive_gain                 estimate of alignment minus the twin's, resolved; null without
//
// # Figures
//
// Each is written as SVG, PNG (300 dpi) and PDF:
//
//	alignment     alignment by questions asked, with bands
//	interactions  questions asked, and questions to the target
//	adaptivity    follow-up adaptivity, strict and released; one line a way of asking
//	gain          adaptive gain by questions asked; if a strategy has a static twin
//	grid          of a sweep: alignment of its cells
//	gridgain      of a sweep: their adaptive gain; if any has one
//	ladder        of a sweep over roles.solver alone: alignment by questions asked, one line
//	              a solver, with its stage of training where that is known
//
// They are laid out for a paper: 8.5 cm (alignment, adaptivity, gain, ladder) and 17.5 cm
// (interactions) wide, type of 7 and 8 points, the colours of Okabe and Ito with grey
// for yellow, one colour and marker for strategies that ask alike. More than ten curves of several
// predictions are drawn in panels of one scale, one a prediction, 17.5 cm wide; a floor
// or ceiling beyond the curves is then named in the note. A sweep of two axes is drawn
// as heat maps (grid from blue to yellow; gridgain blue below 0 and vermillion above), as
// wide as they need up to 17.5 cm; one of one axis as intervals; one of more axes not at
// all. PDF files show characters outside of the Western European code page as question
// marks; SVG and PNG files do not.
package reports
