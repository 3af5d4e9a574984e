// Package solver turns a task and an inference into a response.
//
//	direct   one call to a language model, which is told what the reader wants
//	profile  no model: the response is a list of (criterion, predicted value)
//
// Both express at most MaxCriteria criteria, those with the largest P(held).
//
// A solver sees task and inference. It must not know the true profile, the
// persona, quality-level texts or the judge. A solver that edits its own drafts
// may be given a scorer built from the inference, never the judge of the run.
package solver
