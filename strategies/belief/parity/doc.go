// Package parity reads what the released implementation of Pep (arXiv 2602.15012)
// gave on a data set, for tests that hold this project to it. A folder has
//
//	golden.json                 configuration, test problems, their criteria, metrics
//	<dataset>.jsonl             the data, in the released format
//	population_statistics.json  priors, similarities, conditionals, correlations
//	predictions.json            P(held) and E[value] after every answer of some sessions
//	asked.jsonl                 questions and answers of every deterministic session
//	rankings.jsonl              the six likeliest criteria after every answer
//	ties.json, adaptivity.json  F1 under rules for ties; follow-up adaptivity
//
// each plain or with .gz. The data take the product's own path: loader, filter,
// split by task.
//
// Only tests import it, those of beliefs and those of the measures of reports; the
// program has no use for it.
package parity
