// Package strategies holds the ways to elicit preferences that need no
// population model of their own: none (the floor), oracle (the ceiling), random
// and static. It declares the interfaces that every strategy speaks, those of
// strategies/pep included.
//
// Strategies use reverse communication: a strategy names the question it wants
// and the caller asks the user, hands the answer back, and keeps budget, clock
// and log.
//
//	e := strategy.Begin(setting)
//	for {
//		q, err := e.Next(ctx)          // ErrDone: wants no more
//		e.Observe(q, ask(q))
//	}
//	inference := e.Infer()
//
// How a strategy chooses questions and how it turns answers into an inference are
// separate knobs: a Predict function makes the predictor, and without one the
// inference holds what was told and nothing else.
//
// A strategy never sees a profile. The one exception is named: the oracle, which
// implements Revealer.
package strategies
