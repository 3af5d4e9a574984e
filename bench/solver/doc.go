// Package solver turns a task and an inference into a response.
//
//	direct   one call to a language model, which is told what the reader wants
//	profile  no model: the response is a list of (criterion, predicted value)
//
// Both express at most MaxCriteria criteria, those with the largest P(held), lower
// position first among equals.
//
//	inference --choose--> positions, values --user--> prompt --model--> text --Normalise--> response
//
// The user message of the direct solver is
//
//	Task:
//	<prompt>
//	A) <option>
//
//	This reader wants:
//	- <name>: <level wanted> (from least to most: <l1> | <l2> | <l3> | <l4> | <l5>)
//	- <name>: <word of domains.Ladder>
//
// where a line has the first form if the rubric is of the amount kind and all
// levels have texts, else the second. With nothing to tell, the heading is missing
// too.
//
// A solver sees task and inference. It must not know the right answer, the true
// profile, the persona, quality-level texts or the judge, and it does not tell the
// model any probability. A solver that edits its own drafts may be given a scorer
// built from the inference, never the judge of the run.
package solver
