// Package pep is preference elicitation with priors (arXiv 2602.15012): a belief
// about the user, fitted offline on complete profiles, and an acquisition that
// picks the question which should teach most about all the others.
//
//	belief --States--> acquisition --largest score--> question
//	   ^                                                 |
//	   +------------------- answer <---------------------+
//
// Twin builds the static twin of an adaptive strategy: same belief, same
// acquisition, one fixed order for everybody, so that the difference between the
// two is what adapting to answers is worth.
//
// The package knows strategies and beliefs. It must not know users, solvers,
// judges or profiles of test users.
package pep
