// Package interpret finds out what words mean: which amount of a criterion a user's
// answer names, and which criterion a question asks about. Rules decide where the words
// leave no doubt, and a language model the rest.
//
//	r := interpret.Reader{Client: client, Rubric: data.Rubric}
//	got, err := r.Answer(ctx, interpret.Heard{Criteria: criteria, Position: 3, Question: q, Text: text})
//	where, err := r.Question(ctx, criteria, "How long may it be?")
//
//	text --rules--> every sentence accounted for? --yes--> state, cell
//	                          | no
//	                          +--model--> state, cell
//
// An answer ends in one of five states, none of which is an error:
//
//	told           held, at the amount named
//	no-preference  not held
//	stop           wants no more questions, and does not answer this one: missing
//	aside          beside the point, does not know, or wants it but not said how much: missing
//	unread         the model's reply could not be read after repairs: missing
//
// There is no default: what is not made out stays missing, and says why.
//
// # Rules
//
// Words are compared in lower case, contracted forms taken apart (don't is do not).
// A sentence is accounted for if it is, but for words that say nothing either way
// (for me, please, I would like, the name of the criterion) and politeness,
//
//   - the text of one level, whole and in order, or one phrase of the ladder;
//   - a way of saying that it does not matter;
//   - a way of saying that one has had enough of questions;
//   - a way of saying that one does not know;
//   - or about another criterion: it has all stems of the name of one, and the rest of
//     it names an amount of that one.
//
// A negation that is not part of such a phrase is never passed over, and neither is any
// other word: one sentence that is not accounted for, two amounts, or an amount beside
// "it does not matter", and the rules say nothing. A bare "none" may mean both that none
// is wanted and that there is no wish, so that it is left to the model, too.
//
// Preferences that the user tells without having been asked are found by the last of
// these rules alone, and given apart. They are for the audit of users; a strategy does
// not get them, so that all strategies learn one criterion a question.
//
// A question is about a criterion if it has the words of the criterion's own question,
// or else all stems of the name of one criterion and of no other (of names that contain
// one another the longest counts).
//
// # The model
//
// An answer goes to the model as
//
//	Question asked: <text>
//	Criterion: <name>
//	What it is: <description>
//
//	Reply to interpret:
//	<<<
//	<the user's words, unchanged>
//	>>>
//
//	Levels, from least to most:           Levels (no order): for nominal ones
//	1. <amount>
//	...
//
// and comes back as {"held": true, false or null, "level": n or null, "stop": true or
// false}; a question as
//
//	Question to place: <text>
//	Criteria:
//	1. <name>: <question>
//	...
//
// and comes back as {"criterion": n or null}. The model is told neither who the user is
// nor what anybody wants.
package interpret
