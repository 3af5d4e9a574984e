// Package simusers holds the simulated users that answer a strategy's questions
// from a held-out profile.
//
//	exact   answers what the profile says
//	noisy   answers wrongly now and then, the same way to every strategy
//
// Users who answer in words, by way of a language model, will live here too; they
// are why Answer takes a context and may fail.
//
// A user knows its profile and the criteria. It must not know the strategy that
// asks, what was inferred, or how anything is graded.
package simusers
