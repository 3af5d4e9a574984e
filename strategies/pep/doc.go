// Package pep is preference elicitation with priors (arXiv 2602.15012): a belief
// about the user, fitted offline on complete profiles, and an acquisition that
// picks the question which should teach most about all the others.
//
//	belief --States--> acquisition --largest score--> question
//	   ^                                                 |
//	   +------------------- answer <---------------------+
//
// A Rule is a model, an acquisition and, if wanted, a stop. New makes the adaptive
// strategy of a rule; what it predicts with is a matter of its own.
//
// # Acquisitions
//
// Lookup gives them by name. Those of the released benchmark need P(held) and
// E[value | held] alone and are defined on any belief:
//
//	random       any order is as likely
//	fixed        P(held) E[value | held] + H(P(held)) before any answer: one order a task
//	uncertainty  P(held) nearest to 1/2
//	greedy-ev    largest P(held) E[value | held]
//	binary-ig    expected drop of the entropies of whether held, of all others
//
// The others need a joint model of the profile:
//
//	profile-ig      expected drop of the entropies of held and value, of all others
//	latent-ig       information about the latent variable of the model
//	variance        expected drop of the variance of all values
//	alignment-gain  expected rise of what the profile solver's best guesses would earn
//
// Rule.Check refuses an acquisition on a belief that lacks what it needs
// (ErrUndefined). With Options.Beam the score of a question has that of the best next
// one added, expected over its answers, for the most promising candidates.
//
// # Stopping
//
// A Stop ends a session before its budget: when no question scores Least, by the
// acquisition's own score or by that of another, such as the price of a question in
// points of alignment.
//
// # Twin
//
// Twin builds the static twin of an adaptive strategy: same belief, same
// acquisition, one fixed order for everybody, so that the difference between the
// two is what adapting to answers is worth.
//
// The package knows strategies and beliefs. It must not know users, solvers,
// judges or profiles of test users.
package pep
