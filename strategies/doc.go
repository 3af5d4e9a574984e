// Package strategies holds the ways to elicit preferences that need no
// population model of their own: none (the floor), oracle (the ceiling), random,
// static, replay, which asks what a log says that another policy asked, and asker, which
// lets a language model ask. It declares the interfaces that every strategy speaks, those
// of strategies/pep and strategies/rl included.
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
// # Replay
//
// A policy that cannot be run here, because it was trained elsewhere or is too dear, leaves
// a log of what it asked after which history (package policylog). Replay asks the same: in
// mode trajectory what the policy asked this very user, which is the policy as long as the
// user answers as they did then; in mode policy what it asked users with the same past,
// which is the policy as far as the log has such users. A replay never hides that it does
// not know: every decision that the log does not have is said to be off the log, and how
// (Logged), and whoever shows a result shows the share of such decisions beside it.
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
