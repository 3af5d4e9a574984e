// Package strategies holds the ways to elicit preferences that need no
// population model of their own: none (the floor), oracle (the ceiling), random,
// static, and asker, which lets a language model ask. It declares the interfaces that every strategy speaks, those of
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
// # Asker
//
// The model of an asker is told
//
//	system   what to do, in short
//	user     Request: <task, options included>
//
//	         You may ask about:                where it is told the criteria
//	         - <name>: <question>              one for each that can be asked
//
//	         Asked: <question>                 so far, in order
//	         Heard: <answer>
//	         Questions left: <number>
//
// with each text on one line, and replies {"action": "ask", "text": ...} or {"action":
// "answer", "text": ""}. An answer is told in the user's words, or, where users have
// none, in those of the amount. In the user's words may be more than was asked for: the
// model hears it, as anybody would who talks with a user; the inference holds what was
// asked and answered, as that of every other strategy.
//
// A strategy never sees a profile. The one exception is named: the oracle, which
// implements Revealer.
package strategies
