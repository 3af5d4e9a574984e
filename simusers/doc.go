// Package simusers holds the simulated users that answer a strategy's questions
// from a held-out profile.
//
//	exact   answers what the profile says
//	noisy   answers wrongly now and then, the same way to every strategy
//	verbal  answers in words, which a language model makes
//
//	user := simusers.NewNoisy(profile, criteria, simusers.Noise{FlipHeld: 0.1, Slip: 0.2}, key)
//	answer, err := user.Answer(ctx, question)
//
//	(seed, task, user, criterion) --hash--> PCG --kernel of Noise--> cell
//
// The noise of a cell follows from those four alone: neither the order of the
// questions nor who asks nor a second asking changes an answer.
//
// # Users who answer in words
//
// A verbal user is told who it is and what it cares about, and is asked in words:
//
//	system   what to do, in short
//	user     Who you are: <persona, where the data has one>
//	         Manner: <passive, passive without stop, or collaborative, in words>
//	         What you asked for: <task, options included>
//
//	         What you care about:
//	         - <name>: <amount, in words>           one for each held criterion
//	           What it is: <description>
//	           Why: <justification, where the data has one>
//	           Asked as: <the criterion's own question>
//
//	         All else about the answer makes no difference to you.
//
//	         So far:                                from the second question on
//	         Assistant: <question>
//	         You: <what was said>
//
//	         Question: <text>
//
// Texts stand on one line each, so that none can be taken for another part. Amounts are
// in the words of domains.Criterion.Phrases. "Asked as" is there so that a question in
// the words of the data set is recognised; a strategy that words its own questions does
// without. The reply is {"thought": ..., "response": ...}, of the passive user also
// "stop": whoever stops wants no more questions. Only the response is kept.
//
// The roles of the conversation (passive user, collaborative user, thought and
// response) are those of PrefDisco (arXiv 2510.00177); the words are ours.
//
// A user knows its profile and the criteria. It must not know the strategy that
// asks, what was inferred, or how anything is graded.
package simusers
