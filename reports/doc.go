// Package reports turns what a run leaves on disk into metrics, tables and paper
// figures.
//
//	manifest.json  \                             /  metrics.json
//	sessions.jsonl  > Load > Run > Compute > Metrics > Tables    tables/*.{md,csv,tex}
//	probes.json    /                             \  Figures   figures/*.{svg,png,pdf}
//	                                                report.html, of all of these
//
//	sweep.json          \                                /  grid.json
//	metrics.json of each > LoadSweep > SweepMetrics       >  tables/grid.{md,csv,tex}
//	cell                /                                 \  figures/grid*.{svg,png,pdf}, report.html
//
//	finished runs and sweeps       > WritePaper          >   paper.{pdf,md}, tables/claims.{md,csv,tex}
//	training.json of each seed     > WriteTraining       >   learning.{svg,png,pdf}, curve.csv
//
//	two runs, of which one  > CompareRuns > RunComparison  > Text, Markdown
//	may be a baseline         gate.yaml > ReadGate /       \ JUnit, Err (which lines of the gate fail)
//
// Sessions are read in one pass, a few lines at a time; of each only its numbers are
// kept, some 1.5 KB of one with eleven checkpoints. Files are written whole or not at all.
// Equal runs give equal bytes.
//
// Lines of sessions.jsonl that are of no use are left out, each kind with a warning that says
// how many there are, where the first is, and how to mend it; Load says which they are. What
// the rest says is that of the run without these lines.
//
//	s, err := reports.Write("results/medical")
//	// print s.Text and s.Warnings
//	s, err = reports.WriteSweep("results/grid") // once its cells are reported
//
// Package reports/export writes the numbers for other programs.
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
// Intervals are percentile intervals of the bootstrap over clusters, or, of means over
// sessions where the same users recur across tasks (shared_users of the manifest), of the
// pigeonhole bootstrap, which draws tasks and users independently: a task mean is then over
// the users that are drawn, as often as they are (reports/stats, TwoWay). What is not a
// mean over sessions (shares of pairs, collapse, fidelity, agreement of judges) is over
// clusters alone. Every quantity of a run sees the same resamples, so what is made
// of several is made within a resample: paired differences are means over the
// sessions that both strategies have; normalised alignment is
//
//	100 (mean - mean of floor) / (mean of ceiling - mean of floor)
//
// over sessions that all three have, undefined where the ceiling does not exceed
// the floor; questions to target is where the mean curve, linear between
// checkpoints, first reaches the final alignment of the target strategy. How many times
// fewer questions one strategy needs than another, the ratio of these, is withheld where
// either of the two never reaches the target, or reaches it before the first question, in
// more than 5% of the resamples; a resample in which it does so counts as 0 or infinite.
// Under two
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
// A strategy that throws dice goes on differently, too. What is owed to the answer is
// measured in two ways. Corrected takes the pairs that heard the same up to and including
// the answer to q_t (sessions of different users, task and seed alike: independent draws)
// and takes their share off. With P_t pairs of different answers, D_t of which go on
// differently, and P'_t, D'_t of equal answers, it is of a task, over the t that have both,
//
//	sum_t P_t (D_t / P_t - D'_t / P'_t) / sum_t P_t
//
// and then the mean over tasks. Pairs of different answers at a t without any of equal ones
// have no part and are counted (unmatched), and so are the tasks that have no others
// (lacking). Of a strategy without dice that may ask everything it is the plain share of
// the pairs that have a part. Counterfactual is the share
// of turns t below the budget after which the other answer that the run tried there, under
// the same randomness, would have led to another question, or to a stop where there was
// none; over the turns of a task, then over tasks. A replay of trajectories has none: a
// log does not say what another answer would have led to.
//
// Collapse is the share of sessions, of all tasks together, that ask the single most common
// sequence of criteria up to the budget of the strategy under their seed (of several the one
// whose ids come first); its interval is a ratio of sums over clusters, with the sequences
// fixed. Entropy is the plug-in entropy of each question over the sessions of a seed, in
// bits, mean over seeds; those that had stopped are one outcome. Both are of a seed since
// one policy is trained for each: five that each ask everybody the same have collapsed,
// though not to the same. Both know criteria by id, whatever the task, and of few sessions a
// seed the first is too large and the second too small.
//
// Decisions of a replay are its questions up to the budget, and its stop where it stopped
// by itself before. Off the log by history means that the log does not have the history:
// their share of all decisions is the off-log rate. Those whose history the log has on
// another task only are counted apart.
//
// Profile prediction ranks criteria by P(held), the lower position first among
// equals; a criterion whose P(held) is unknown or 0 is never predicted. Precision
// is undefined where nothing is predicted. Cells whose truth is missing take no
// part. Errors of values are in the unit of the criterion; a nominal one has none, and
// its level has the error 1 - P(true level | held) instead.
//
// A model that asks may ask about no criterion, or about one that it had asked. Such a
// question counts among the questions asked, and all of them as one and the same in the
// follow-up adaptivity; what is answered to it teaches nothing.
//
// # Fidelity
//
// Where users answer in words, what was understood of them is held against the true
// profiles, over all questions about a criterion whose truth is known, those past the
// budget included. Shares are sums over questions (or sessions) divided by their number,
// both resampled together over clusters. An answer that is missing (aside, unread, stop)
// lowers the share of questions answered and has no part in the agreement:
//
//	agreement    answers equal to the profile: not held, or held at that value
//	held         answers right in held or not held
//	level        of those that are held and said to be, right in the value; level_mae: mean
//	             error there, in the unit of the criterion (nominal ones left out)
//	leak         questions whose answer tells an amount of a criterion that the user holds
//	             and was not asked about up to then; leak_mean: how many of them a question
//
// What is told without being asked reaches no strategy, but for the words that a model
// hears that asks. A user who ends the session errs in one way if the last question was
// about a criterion that it holds, and it did not say so (stop_unanswered), in another if
// a criterion that it holds has not been said to be held (stop_early). A question that was
// put again flips in held if its answers are not all alike in held or not held, which is
// undefined where one is missing, and in level if not all are of the same value, which is
// undefined where one is not held, too.
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
// not over the same cells; those over the whole profile are the fair ones.
//
// A difference is tested by cluster means, two-sided: with ten clusters or more by
// permutation of their signs (all of them up to 16 clusters, else 9,999 draws), with six to
// nine by Student's t, which gives the interval, too, and with fewer not at all. The family
// is all strategies but floors and ceilings against the reference, in alignment at the
// final checkpoint; their p-values are corrected by Holm, wherever the same difference is
// shown. All other comparisons are exploratory: their p-values are raw. A difference is
// resolved when its p-value, in the family the corrected one, is below 1 - confidence and
// its interval leaves out 0: p is of other tasks with these users, and says nothing of other
// users, as intervals do that are over users, too. The minimum
// detectable effect and the clusters needed are those of t tests at 1 - confidence, not
// corrected, at the spread of the differences of this run; without spread they are not known.
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
//	intervals                     clusters, or two-way: over tasks and over users, since these recur
//	cluster_ids                   tasks, or users of a survey, sorted
//	tasks, users, seeds           what the sessions are of
//	sessions                      planned, read, failed, unknown (of strategies not in the manifest),
//	                              and left_out: lines that are none of these (absent: none)
//	budget, horizon, checkpoints  in questions; final is the checkpoint of the headline
//	resamples, confidence, seed   of the bootstrap
//	floor, ceiling, reference     strategies, empty when there is none
//	target                        strategy, and its final alignment
//	first_questions_of            task whose first questions are shown, since tasks admit different
//	                              criteria: the one with the most sessions; absent where all are
//	first_questions_seed          seed whose first questions are shown, since a policy was trained
//	                              for each: the first; absent where all are
//	strategies                    in manifest order, see below
//	compared_at                   the questions of the comparisons
//	comparisons                   strategy, against, why (twin, reference or against), questions,
//	                              measure (alignment, held_mae, brier, level_error if a criterion is
//	                              nominal, unasked_mae, unasked_brier), estimate of the difference
//	                              strategy minus against, resolved, test
//	fidelity                      absent unless users answer in words, see below
//	planned_calls                 logical calls (solver, judge, correctness; probes of the judge,
//	                              user, interpreter and asker, absent where they are 0) and tokens (tokens_in,
//	                              tokens_out, and tokens_estimated: from characters) by the dry-run
//	                              arithmetic, an upper bound but for replies that cannot be read and
//	                              are asked for again: of the user one a question and one for each
//	                              time it is put again; of the asker one a question and one a
//	                              counterfactual; of the interpreter one for each of all these.
//	                              What was done is in usage.json
//	calls, judge_repeats, judge_probes, judges
//	                              see below; each absent without
//	trace                         what one session believed, see below; absent where no strategy that
//	                              asks predicts from a population
//	warnings                      what to know before trusting a number
//
// and of every strategy its line of the manifest (name, base, kind, predict, asks,
// twin_of, about, params) and
//
//	sessions, failed         sessions read; failed ones by reason
//	alignment                by questions: estimate (0..100), reasons of undefined ones, normalised
//	difference               estimate against the reference at the final checkpoint; resolved, and
//	                         test, see below; null for the reference itself
//	cluster_means            alignment at the final checkpoint by cluster, as cluster_ids; null where
//	                         it is undefined
//	calibration              of what predicts from a population, see below
//	cost                     logical calls to models; absent without: sessions, those that failed
//	                         included (failed of them), whose calls were made, too; calls, tokens_in,
//	                         tokens_out, uncounted (calls whose tokens no server said, which the sums
//	                         lack), dollars (at the prices of the manifest, as if nothing had come from
//	                         a cache; null where a price or the tokens of a call are missing), and
//	                         roles, each with calls, tokens, uncounted and dollars of its own
//	interactions             estimate of the questions asked, up to the budget
//	interactions_to_target   value (null: the mean curve never reaches it), lo, hi, hi_open (the
//	                         interval has no upper end up to the horizon), and the shares of
//	                         resamples that never reach it (never) and that reach it at 0 (at_zero)
//	interactions_ratio       against (the target strategy), value (questions to target of that
//	                         divided by this strategy's: how many times fewer it asks), lo, hi,
//	                         hi_open (the interval has no upper end), the shares of resamples that
//	                         never reach the target and that reach it at 0, of this strategy (never,
//	                         at_zero) and of the other (against_never, against_at_zero), and why
//	                         (withheld), empty where there is a value; null for the target itself, for
//	                         what asks nothing, and without a target
//	adaptivity               share of pairs (strict); early_stops: pairs of which one stopped; held
//	                         and value_differs: pairs whose answers differ in whether, and in how
//	                         much; by_t: t = 1, 2, ..; released, and released_held: those of its
//	                         pairs whose answers differ in whether; corrected, counterfactual,
//	                         collapse and entropy, see below
//	off_log                  of a replay: decisions; those off the log by_history, and on_another_task;
//	                         rate and task_rate, their shares; exceeds: in mode policy the rate is
//	                         above most_off_log, and the result is not called the policy's
//	first_questions          tree of the first three questions, see below
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
//	                         every checkpoint: estimate of alignment minus the twin's, resolved,
//	                         test
//
//	asking                   absent unless a model asks: unplaced, estimate of the share of its
//	                         questions that are about no criterion, or about one that it had asked;
//	                         and stopped_unread, sessions that ended since what it wrote could not
//	                         be read
//
// A difference has, beside resolved, its test: method (sign-flip, t, or none: too few
// clusters, or no spread), p, p_holm (corrected for the family, null outside of it), family
// (comparisons in it that have a p, or all of it if none has; 0: exploratory), mde (true
// difference that runs like this one would find four times in five) and needed (clusters, six
// at least, that would find one as large as this as often; 0: not known).
//
// Calibration holds P(held) against what is held, at the final checkpoint, over all cells of
// which both are known: scope is whole, or unasked for those that were not asked about, with
// questions, cells, ece and bins: ten of P(held), of equal width (from, to, the upper end
// belonging to the next one), cells, predicted (mean P(held)), observed (share that is held)
// and the interval of that, lo and hi; without cells these four are null. The expected
// calibration error (ece) is
//
//	sum_bins cells/N |predicted - observed|
//
// All are ratios of sums over cells, and their intervals of the same sums over the clusters
// of a resample. An absolute value is 0 in no finite sample, and the larger in a resample of
// it: the interval of a small ece may lie above it. n and undefined of ece are sessions with
// and without such cells. What predicts from answers alone has no calibration, nor has
// anybody where every criterion is held.
//
// In adaptivity, corrected is value, lo, hi, same_pairs (with equal answers), same_differing
// (of these), unmatched, tasks and lacking, and by_t the same at every t. Counterfactual is
// value, lo, hi, turns, differing and tasks, and so are held and value_differs (the two
// answers differ in whether, and in how much) and by_t. Collapse is value, lo, hi, sessions,
// following, sequences (of each seed: seed, sequence of criteria, sessions, following), and
// by_task: value, lo, hi and tasks of the share of sessions that ask the most common sequence
// of their own task and seed. Entropy is by turn: bits,
// sessions, and stopped, those of them that had.
//
// A branch of first_questions is
//
//	question        criterion; empty for a question about none, and where others or stop is
//	others          so many questions taken together; absent for one
//	stop            asks no more
//	after           answers three quarters of which, of two at least, lead here, and all where
//	                everything does: not held; low, middle, high (thirds of the range of the
//	                values that were told of the criterion in the run); missing. Absent for first
//	                questions
//	any_answer      these are all that were given
//	sessions, share of all sessions of the strategy (on first_questions_of and of
//	                first_questions_seed, if there are any)
//	next            branches after it; absent under 2% of the sessions
//
// Up to three questions are told apart where 2% of the sessions ask them, and of more the
// three most frequent where 5% do.
//
// Trace is of the first session by id, none that failed, of the first strategy of kind pep
// that predicts from a population, or else of the first other one that asks and does:
//
//	session, strategy, task, user
//	criteria        ids of those that were asked about, and of the eight others whose P(held)
//	                changed most over the turns (their values, where none of P(held) did), in the
//	                order of the session; others: how many more there are
//	truth           the user's profile there: value, false where not held, null where missing
//	prior           before any question, of each: held (P(held)) and value (expected if held), null
//	                where unknown
//	turns           up to the budget: question (empty: about no criterion), answer (as truth), and
//	                beliefs after it
//
// Where a strategy has the kind rl or replay its line of the manifest has policy:
//
//	id, model, method, params     of the policy: what it is and how it was trained, in words
//	mode, of, users, log (path, sha256, bytes), decisions, most_off_log
//	                              of a replay: trajectory or policy; base of the strategy whose log
//	                              it is, on which users, or the file
//	trainings                     one a seed: id, fold, seed, steps, best (step), why (it stopped),
//	                              sha256, mean training rewards (reward; of strategy random; of the
//	                              best fixed order, static, which is order), reward on dev, over_random
//	                              and over_static (value, lo, hi, clusters), undertrained: does not
//	                              reach the fixed order; and cloning (of, examples, held_out, share:
//	                              choices of an adaptive strategy that the same network reproduces;
//	                              unseen, unseen_share: those after histories it was not fitted to)
//
// Where one of several acquisitions was chosen on dev the line has choice: candidate,
// dev_score (alignment there) and chosen.
//
// A row that asks by an undertrained policy, or replays its log, says so in every table
// and figure, and so does a replay how often it was off its log.
//
// Fidelity is played_by and understood_by (models of user and interpreter), audited
// (questions that were put again), and of all strategies together (all), of each
// (strategies) and of each criterion, all strategies together (criteria, by id)
//
//	of                       name or id; empty for all
//	questions                about a criterion, and no_criterion: the others
//	told, no_preference, aside, unread, stop
//	                         questions by what became of them
//	by_rule, by_model        questions by who made the answer out
//	answered                 estimate (n: questions)
//	agreement, held          estimates (n: answers; undefined: questions without one)
//	level, level_mae, agreement_rule, agreement_model
//	                         estimates (n: answers that they are of)
//	leak, leak_mean          estimates (n: questions)
//	stopped                  sessions that the user ended; of a criterion 0, as are those below
//	stop_unanswered, stop_early
//	                         estimates (n: these sessions)
//	held_flips, level_flips  estimates (n: audited questions)
//
// Where simulated_roles names user and interpreter, they say that the embedded simulator
// understands itself, and nothing of any model.
//
// value_rmse is the root of the mean of the sessions' mean squares.
//
// # Calls and judges
//
// Of every role that called a model, calls has
//
//	role, model              as in the manifest
//	calls, per_session       logical ones: counted once, whether a server or a cache answered; of
//	                         all sessions of the file, and the mean over them
//	requests, repairs        calls that asked for something new, and that asked again for what could
//	                         not be read
//	unread, reasons          requests that nothing readable came back to, and why, without what
//	                         the reasons quote
//	tokens_in, tokens_out    as the servers count, null when none said
//	uncounted                calls whose tokens no server said, and which the sums lack; absent
//	                         where there are none
//	dollars                  at the price of the manifest, as if nothing had come from a cache; null
//	                         without price, or where the tokens of some call are missing
//
// A unit is a session, a checkpoint that was graded, and a criterion. A pooled statistic
// (value, lo, hi) is of all units together; its interval is of the same resamples as all
// others. Of a judge that grades more than once, judge_repeats has
//
//	repeats                  draws of every grade
//	units, unpaired          those with two graded draws or more, and the others
//	partial                  units of which some draws gave a grade, and others none
//	draws, unscored          draws asked for, and those that gave no grade
//	exact                    pooled share of units with one grade throughout
//	alpha_ordinal, alpha_interval
//	                         pooled Krippendorff's alpha (reports/stats)
//
// where the grade is the level that the judge found, or, in quality rubrics, the score.
// judge_probes is probes.json: schema, judge, rubric, responses, calls, and checks with
// name, pairs (both graded), agree (of them equal; of sensitivity, in the right order),
// unscored, and shift (mean of second minus first, in levels). In a run that graded the
// responses of another again, judges has
//
//	of, before, after        name of the other run, its judge, and this one
//	units, unscored_before, unscored_after, unscored
//	                         units that both graded, that the one did not, that the other did not,
//	                         and that at least one did not
//	exact, within_one        pooled shares of units with equal grades, and with grades at most 1 apart
//	alpha_ordinal, spearman  pooled agreement and rank correlation of the grades
//	shift                    pooled mean of the grade minus the former one
//	rows                     by strategy: before, after (estimates of the alignment at the final
//	                         checkpoint), difference (paired by session), rank_before, rank_after
//	                         (by falling alignment; 0 where it is undefined)
//	order                    pairs of strategies, those reversed, and those of which one judge alone
//	                         sees no difference (tied)
//
// where the grade of a judge that repeats is the mean of its grades.
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
//	tasks     a row a task, a column a strategy: alignment at the final checkpoint, with mean and
//	          standard deviation over tasks; the CSV file (strategy, base, kind, predict, task,
//	          questions, alignment) has a line for every task and strategy; not of surveys
//	calibration  expected calibration error of P(held), and its bins, of what predicts from a
//	          population; the CSV file has a line for every error and every bin (scope, questions,
//	          measure: ece or observed, from, to, cells, predicted, value, lo, hi, clusters)
//	costs     calls, tokens and dollars of every strategy, by role and by session, and its
//	          parameters; if a model was called or some strategy has parameters; the CSV file has a
//	          line a number (role: empty for all together; measure: params, policy_params, calls,
//	          calls_per_session, tokens_in, tokens_out, uncounted, dollars, dollars_per_session)
//	adaptivity  how each way of asking asks: strict, corrected and counterfactual
//	          adaptivity, by t, collapse and entropy; if any asks
//	policies  how the policies that were trained for the run came out; if any were
//	fidelity  how the answers of users who answer in words agree with their profiles, how
//	          often they tell more than was asked, stop in error, or change their answers; the
//	          CSV file has every criterion
//	released  the measures of the released code, with its faults; if the run computes as
//	          it does
//	calls     what each role asked of models; if any took part
//	judge     the judge by itself: repeats and probes; if it has any
//	judges    two judges on the same responses; if these were graded again
//	claims    of several runs: the claims of the paper beside theirs; see Reports over runs
//	curve     CSV alone, of runs that keep trainings (trainings/*.json): a line for every point
//	          of every learning curve (policy, seed, fold, step, train, dev, entropy, kl, clipped,
//	          grad_norm, undefined; chosen: the checkpoint that is used)
//	grid      of a sweep: a row a cell; LaTeX has of a sweep that fills more than a page the
//	          best cell on dev for each value of the first axis
//	domains   of a sweep over the domain alone: a row a strategy, a column a domain, and the mean
//	          over domains, whose interval is over tasks alone, stratified by domain
//	ablation  of any other sweep: every cell minus its base, with p, minimum detectable effect and
//	          the clusters that it would take
//
// A difference has a mark: * for p < .05, ** for p < .01, *** for p < .001, and ~ where it is
// not resolved, which is also where there are too few clusters to tell. p is corrected by Holm
// in the family and raw outside of it. Markdown shows p beside the mark; below the table stand
// the size of the family, what is exploratory (raw), and the smallest minimum detectable
// effect. In main.csv and judges.csv the test of alignment_difference has lines of its own
// (alignment_difference_p, alignment_difference_p_holm, alignment_difference_mde,
// alignment_difference_needed); gain.csv, grid.csv, domains.csv and ablation.csv end with
// columns for it: method, p, p_holm, family, mde, needed and mark. Where metrics have no
// test, ~ is for an interval with 0 in it, or on fewer than six clusters.
//
// LaTeX files are read with \input. Letters outside of Western European ones are for XeLaTeX and
// LuaLaTeX; pdfLaTeX shows a question mark.
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
// predict, in which no model takes part, and where they differ in data or users there is
// nothing to choose. Intervals are those of the runs. What cells differ in beside their axes is warned of.
//
// grid.json holds
//
//	schema, name, about           1; of sweep.json
//	axes                          path, values (labels) and, of models, stages (of training, where
//	                              known; else absent) of each, of sweep.json
//	judge, folds, compat          as in metrics.json, of the first run
//	strategy, twin                row that is shown, and its static twin; by name, or by base (of
//	                              several the first that predicts from a population)
//	data, simulated, simulated_roles, cluster, intervals, resamples, confidence
//	                              as in metrics.json, of the first run; data (a list) and roles of any
//	chosen                        index into cells, null when nothing was measured on dev
//	base                          index of the cell that the others are held against: of the first
//	                              value of every axis, or the first with a number; null of a sweep
//	                              over domains, or where no cell has one
//	cells                         in the order of sweep.json, see below
//	warnings                      what to know before trusting a number
//
// and of every cell
//
//	at, values, dir               index and label on each axis; folder
//	state, why                    done, refused or failed, and why the latter
//	remark                        what must be said of the strategy beside its name; absent if
//	                              nothing must
//	row, twin                     names in this run; tasks, users, seeds, questions (the final
//	                              checkpoint), failed (sessions), params
//	alignment, interactions, f1_at_5, held_mae, brier
//	                              estimates at the final checkpoint; the last two are undefined for
//	                              a strategy that predicts from answers alone
//	dev_alignment                 on the dev profiles
//	adaptive_gain                 estimate of alignment minus the twin's, resolved; null without
//	minus_base                    difference of alignment to the base, paired by cluster over the
//	                              cluster means of both, with its test, of which p_holm is for the
//	                              family of all cells; null of the base, and where unpaired says why:
//	                              other data, other clusters, or a report without cluster means
//
// # Reports over runs
//
// The claims are those of the abstract of arXiv 2602.15012: alignment 80.8 against 68.5 for
// RL, 3 to 5 times fewer interactions, follow-up adaptivity of 39-62% against 0-28%, about 8
// billion parameters against about 10 thousand. Of every run two rows are held against them.
// That of pep is what a sweep shows (report.grid_of) if it is of kind pep, else one that
// predicts as report.target_of does, or else report.reference, else from a population; of
// several the one whose base is called pep, or else the first. That of RL predicts alike and
// is a replay in mode trajectory of a strategy of kind rl, else of kind rl, else a replay in
// mode trajectory of a log from elsewhere; a replay in mode policy is none. Where a row is
// lacking, what needs it is a dash that says so.
//
//	alignment_gap        pep minus RL, paired by session, at the final checkpoint; and each of
//	                     them (alignment_pep, alignment_rl)
//	interactions_ratio   as in metrics.json, but to the alignment that RL ends at
//	adaptivity_pep, adaptivity_rl
//	                     strict; and corrected and counterfactual (corrected_pep and so on)
//	parameter_ratio      parameters of the RL policy over those of the models of pep: counts,
//	                     without interval
//	held_mae_gap, brier_gap, level_error_gap
//	                     errors of the whole profile, pep minus RL, of which the paper says nothing
//
// The mean over domains is that of the runs on built-in domains, if these are two or more,
// each domain is there once, and they differ in nothing else. A domain without a value
// leaves none. Its interval is that of the mean of the domains' r-th resamples, which are
// drawn independently of each other: a bootstrap stratified by domain. Four domains are too
// few to be drawn themselves, so that it says nothing of other domains.
//
// A verdict holds an interval against the range of the claim: agrees, if they have a number
// in common, and the estimate is itself in the range where the claim is one; smaller,
// larger, or opposite, if all of the interval is on the other side of no effect (a gap of 0,
// a ratio of 1); cannot tell, where the interval alone reaches into the range, and where
// there is no interval, one on fewer than six clusters, or one with both the claim and no
// effect. Why a claim may come
// out otherwise is put together from manifests and metrics: who solved, judged and
// answered, on what data, with how many questions, what the RL policy is, whether it is
// undertrained, and what adapting to answers is worth in the data at all (the adaptive gain).
//
// A run must be finished and reported. tables/claims.csv has a line for every claim and run,
// and for the mean: claim, paper, paper_lo, paper_hi, run, pep and rl (rows), value, lo, hi,
// hi_open, clusters, verdict, why (there is no value, or what to know about it).
//
// # Two runs
//
// CompareRuns pairs the sessions of two runs, base and run, by strategy, seed, task and
// user. Those without a counterpart, failed ones among them, have no part and are counted;
// a strategy that only one of the two has is named. Runs on other data (by name), of another
// rubric, or without a session in common are refused. Other files of the same data, other
// profiles from them, another budget, judge, solver or user are warned of, and everything
// else that the manifests differ in is shown, the keys of the configuration by their path.
//
// Of every strategy a difference is run minus base, by the same means of cluster means as
// everything else here, over pairs of which both have a value, so that base, run and
// delta add up; the others are counted by which side has a value (pairs, -n and +n). All
// values are rounded to six decimals first, so that a run and its baseline hold the same.
//
//	key                  label                better
//	alignment            alignment            higher  at the final checkpoint of each
//	correctness          correctness          higher
//	questions            questions asked      lower   up to the budget
//	held_mae             value error          lower   this and the next three over the whole
//	brier                relevance error      lower   profile, or undefined, as in comparisons
//	log_score            log score            higher
//	level_error          level error          lower   of nominal criteria
//	f1_at_5              F1@5                 higher
//	adaptivity           adaptivity           higher  strict, of tasks; none of a survey
//	questions_to_target  questions to target  lower   to where report.target_of ends in the base
//
// Intervals and tests are those of reports/stats (Analysis), at the base's confidence,
// resamples and seed: two-way where its users recur across tasks. P-values rest on tasks
// (users of a survey) alone. Where a value is equal in every pair the difference is
// identical, and nothing is tested; where it is the same in every cluster and not 0 it is certain, if
// there are six clusters. Under six nothing else can be told. The p-values of what a gate
// names are corrected by Holm; all others, and all without a gate, are exploratory.
// Questions to target has an interval and no p-value, and neither where a curve does not
// reach the target in more than 5% of the resamples.
//
// # Gates
//
// A gate is a YAML file, read strictly (a fault is a GateError with file and line):
//
//	alpha        default 0.05, level of the one-sided tests
//	power        0.8, for the number of clusters that would do
//	cannot_tell  fail (default), warn or pass: what becomes of a line that cannot be told
//	min_pairs    1, sessions of a strategy that both runs have, and have a value of a
//	             metric in, at least
//	max_missing  0, share of the base's sessions, or of their values, that the run may lack
//	strategies   default all of the base
//	metrics      of keys above, but for questions_to_target, each with max_drop (where higher
//	             is better) or max_rise (where lower is), above 0, in its unit and less than
//	             its range, or equal: true; and strategies, default those of the gate
//
// Each strategy has a line for its sessions, and one for each metric that the base has a
// value of. Where the sessions are not the same bytes and the data, the judges or the final
// checkpoints differ, there is a line that cannot be told: a run that is worse may then
// look better. With d how much worse the mean is, b its bound and G clusters, a line
//
//	passes        if nothing changed in any pair, whatever G;
//	              or G >= 6 and the one-sided test of d >= b is rejected at alpha: with
//	              confidence 1 - alpha, d is smaller than b (non-inferiority);
//	              or G >= 6, d is the same in every cluster, and d <= b
//	fails         if the one-sided test of d <= b is rejected at alpha, corrected by Holm over
//	              the lines of the gate; or d is certain and larger than b; or something changed
//	              where equal is asked for; or strategy, sessions or values are missing
//	cannot tell   otherwise: both remain possible
//
// The tests are sign-flip tests of the clusters' differences, t tests under ten clusters.
// Passing is not corrected for the number of lines, since the gate passes only if all lines
// do (an intersection-union test): where cannot_tell fails, a run in which any one line is
// truly worse by b passes with a chance of alpha at most. Failing is corrected, so that a run in which no line is worse by
// its b is called worse with that chance at most. A line that cannot be told says how many
// clusters it takes, by the spread found: to pass a run that is no worse, or, where there are
// as many, to tell a change as large as this one from b. By default it fails the gate, since a change
// that cannot be ruled out is no pass; what warns or passes is still listed. A metric that
// the base has a value of in no strategy fails, for its line could never do so.
//
// Runs of one program, data and platform are the same to the bit, and so are lines. On
// another platform floating point may tip a choice; that is for bounds to absorb.
//
// JUnit has a test case for every line (class pepbench.strategy, name metric: demand), none of which
// is skipped. The command exits with code 6 where Err is not nil.
//
// # Baselines
//
// A baseline is a folder with the manifest of a finished run and paired.csv (PairedFile),
// which WriteBaseline makes and CompareRuns reads in place of sessions.jsonl where there
// is none. Its lines are
//
//	1        the words "pepbench paired values 1", config_hash, and the SHA-256 of sessions.jsonl
//	2        names of columns
//	others   strategy, seed, task, user; the measures of a session above; alignment_at_0 and so on,
//	         at every checkpoint; pairs and differing (empty)
//	         or, with empty seed and user, the follow-ups of a task: pairs, and those that go on
//	         differently
//
// sorted by strategy, then tasks before sessions, these by seed, task and user. What is
// undefined is empty; numbers have at most six decimals.
//
// # Page
//
// report.html shows a run to a reader with a browser: warnings first, what came out in a few
// sentences that hold whatever the numbers are, the figures, every table (which sort by column),
// what the measures are, where the numbers come from, what they cannot say, and the commands
// that make them again. It is one file, which fetches nothing, and a content security policy
// (the hashes of its style and script, and no other source) holds it to that; it reads without
// its script, which only sorts, prints, and follows the colour scheme of the reader. Figures
// are images of their own in it, so that neither ids nor styles of two of them meet. Links lead
// to files of the same folder, the only ones that it needs beside it. All of it follows from
// manifest.json, sessions.jsonl and trainings/: equal runs have equal pages, so that clocks and
// what the network did are not in it. That of a sweep leads to the pages of its cells.
//
// # Figures
//
// Each is written as SVG, PNG (300 dpi) and PDF:
//
//	alignment     alignment by questions asked, with bands
//	interactions  questions asked, and questions to the target
//	adaptivity    follow-up adaptivity: strict and released, and what is owed to the answer,
//	              corrected and counterfactual; one line a way of asking
//	adaptivitybyt
//	              strict and counterfactual by t; if the budget is more than one question
//	tree          the first three questions of every way of asking, as trees from left to
//	              right: branches after different answers that lead to the same question are
//	              one line, as thick as its share of sessions; if any asks
//	gain          adaptive gain by questions asked; if a strategy has a static twin
//	forest        paired differences in alignment at the final checkpoint: to the reference, which
//	              are a family, then to static twins, which explore: estimate, interval, p (that of
//	              the family is Holm's) and mark; shaded: less than the minimum detectable effect;
//	              if there is a reference or a twin
//	tasks         alignment there of every strategy on every task, tasks by falling mean; of no
//	              survey, whose users are too many, and of up to 70 tasks
//	calibration   reliability diagrams of P(held): of what was not asked about, and of all; a bin
//	              without cells is a gap; if a strategy predicts from a population
//	params        alignment there against the parameters of a strategy's models, on a logarithmic
//	              axis on which a strategy without any has a place of its own; a model that asks has
//	              parameters that nobody told, and stands in the note; if any strategy has some
//	cost          the same against tokens a session, of solver, user, interpreter and the model that
//	              asks; if a model was called
//	trace         what one session believed: turns downwards, criteria to the right, P(held) as bars
//	              with what the answer changed, and the true profile; of surveys where all is held
//	              the values instead
//	learning      reward by step of the training of a policy, on training rollouts and on dev,
//	              with the best fixed order and random, and entropy and divergence from the start;
//	              all seeds and their mean; learning-<policy> where a run trains several; if the
//	              run keeps trainings
//	grid          of a sweep: alignment of its cells
//	gridgain      of a sweep: their adaptive gain; if any has one
//	ladder        of a sweep over roles.solver alone: alignment by questions asked, one line
//	              a solver, with its stage of training where that is known
//
// They are laid out for a paper, without titles: 8.5 cm (alignment, adaptivitybyt, gain,
// params, cost, learning, ladder, intervals of a sweep) or 17.5 cm wide (all others), in which
// width each is best. The same figure in the other width is figures/name-page or
// figures/name-column, where there are two: a tree of several ways of asking, tasks, trace and
// heat maps have what fits a page alone, and neither has what would be longer than 23 cm. On a
// screen (report.html) all are as wide as a page, with titles. A cell that WriteCell reports,
// in a sweep of many, has no other width.
//
// Type is of 7 and 8 points, the colours those of Okabe and Ito with grey
// for yellow and a wine red besides, one colour and marker for strategies that ask alike. Whoever
// sees no red, green or blue tells the colours apart, or else their markers (colour_test.go).
// What is undefined is a gap or said in words. Every note says what was run on what, how intervals
// are made, and where a simulator took part. A dagger marks the name
// of a replay or of an undertrained policy, which the note explains. More than ten curves of several
// predictions are drawn in panels of one scale, one a prediction, 17.5 cm wide; a floor
// or ceiling beyond the curves is then named in the note. A sweep of two axes is drawn
// as heat maps (grid from blue to yellow; gridgain blue below 0 and vermillion above), as
// wide as they need up to 17.5 cm; one of one axis as intervals; one of more axes not at
// all. PDF files show characters outside of the Western European code page as question
// marks; SVG and PNG files do not.
package reports
