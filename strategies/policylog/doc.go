// Package policylog is the log of a policy that asks: what it did after which history, one
// decision a line, so that a policy that was trained anywhere can be replayed.
//
// A log is a text file of JSON lines in UTF-8:
//
//	{"policylog":1,"model":"an 8B chat model","parameters":8000000000,"method":"GRPO, reward at the end","data":"medical 1"}
//	{"policy":"grpo","task":"t01","user":"u7","turn":0,"history":[],"question":"tone","probability":0.9,"choices":{"length":0.1,"tone":0.9}}
//	{"policy":"grpo","task":"t01","user":"u7","turn":1,"history":[{"criterion":"tone","answer":4}],"question":"length"}
//	{"policy":"grpo","task":"t01","user":"u7","turn":2,"history":[{"criterion":"tone","answer":4},{"criterion":"length","answer":false}],"stop":true}
//
// The first line may be a header, known by its key policylog:
//
//	policylog   version of the format, 1; a log of a later version is refused
//	model       in words, what chose the questions
//	parameters  their number; 0 or left out: not known
//	method      in words, how it was trained
//	data        name of the data set, or name and version; a log of other data is refused
//	note        anything else
//
// Every other line is a decision:
//
//	policy       id of the policy; a file may hold several
//	task         id of the task in the data set
//	user         id of the user in the data set, where it is known
//	episode      any id, where the user is not known or was met several times
//	seed         of the experiment that it served; left out: it serves all seeds
//	turn         how many questions were asked before
//	history      those questions in order, each with the criterion's id and the answer:
//	             null nothing was learnt, false the criterion is not held, else the value;
//	             may be left out at turn 0
//	question     id of the criterion that was asked about then
//	stop         true: the policy wanted no more questions
//	probability  of what was chosen, where it is known
//	choices      probability of every criterion that could be chosen, by its id, and of "stop"
//
// Either user or episode is given, or both, and either question or stop. The lines of an
// episode have one policy, seed, task, user and episode in common. Lines may come in any
// order and be of any length; empty lines are passed over. An episode need not be whole:
// one that ends without stop was ended by others, its budget spent, say. Of an episode no
// two lines have the same turn, each history goes on from those of earlier turns and has
// what was asked there, and nothing comes after stop.
//
// An answer is on the scale of its criterion: the value of a level (of nominal criteria
// the index of the level), or any number in the range of a continuous one.
//
// Choices sum to 1, give or take 1e-6, and agree with probability as closely. A task with
// a criterion whose id is "stop" cannot have them.
//
// Nothing is guessed: a key that is not in this list, one that comes twice in an object,
// or a line that breaks any rule above is an error that names file and line.
package policylog
