// Package data holds the four built-in domains (medical, math, social,
// commonsense) and the generator of their user profiles.
//
// What people wrote by hand is YAML: for each domain, criteria with five
// observable levels and tasks with checkable answers; for all of them, a causal
// table from which a library of personas is drawn. Profiles follow by rules:
//
//	persona x task --reasons--> salience of each criterion
//	               --competition for a few slots--> what is held
//	               --value rules with exceptions--> the level wanted
//
// Each criterion has two to four reasons, conditions over persona and task. The
// pulls of those that hold add up to its salience, together with a lasting quirk
// of the user and a passing one; a persona has room for two to six criteria, and
// the most salient win. One slot in four goes to something the rules know nothing
// of, half of them to a lasting fancy of the user, and more than one value in five
// departs from its rule. Everything is whole numbers and comparisons, so that the
// profiles are the same on every platform.
//
// The knob Structure replaces each cell, with probability 1-Structure, by an
// independent draw from its criterion's marginal; at 0 criteria are independent
// and tasks and users have no effect.
//
// The data were written and their hashes pinned before any result on them was
// looked at. A change needs a new data version and a reason that is not a result.
// The package knows the vocabulary of domains and must not know any population
// model: it shares no code and no functional form with one.
package data
