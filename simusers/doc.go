// Package simusers holds the simulated users that answer a strategy's questions
// from a held-out profile.
//
//	exact   answers what the profile says
//	noisy   answers wrongly now and then, the same way to every strategy
//
//	user := simusers.NewNoisy(profile, criteria, simusers.Noise{FlipHeld: 0.1, Slip: 0.2}, key)
//	answer, err := user.Answer(ctx, question)
//
//	(seed, task, user, criterion) --hash--> PCG --kernel of Noise--> cell
//
// The noise of a cell follows from those four alone: neither the order of the
// questions nor who asks nor a second asking changes an answer.
//
// Users who answer in words, by way of a language model, will live here too; they
// are why Answer takes a context and may fail.
//
// A user knows its profile and the criteria. It must not know the strategy that
// asks, what was inferred, or how anything is graded.
package simusers
