// Package sim is the embedded model: a small deterministic simulator behind an
// OpenAI-compatible HTTP interface. It stands in for solver, judge, simulated
// user, asker and interpreter when there is no network and no key. It is a
// simulator, not a language model, and whatever is made with it must say so.
// Whether its answers to tasks are correct is chance and means nothing.
//
// # What it reads and what it must not know
//
// The server works from the words of the messages alone. It imports only the
// standard library, holds no criterion of any data set and keeps no state: the
// same body gives the same bytes, in any order, in any process. It does not
// look at the model name (which it only echoes), headers, user, seed, metadata,
// temperature or earlier requests. Invisible characters (Unicode Cf, variation
// selectors, other default-ignorable characters), control characters, HTML
// comments and HTML tags are dropped before anything is read. Numerals never
// count as words of a level, so "level 4" in a response says nothing.
//
// # The wire
//
// POST /v1/chat/completions (with stream true as server-sent events),
// POST /v1/embeddings, GET /v1/models and GET /v1/models/{id}; anything else is
// an error in OpenAI's JSON shape: 400 for a bad body, 404, 405, 413 for a body
// over 8 MiB, and 415 for one whose Content-Type says that it is not JSON (the
// one header that is looked at, and it changes no reply). Fields read besides
// messages: max_tokens and max_completion_tokens (the reply is cut and
// finish_reason is "length"), n (must be 1), stream,
// stream_options.include_usage, and response_format, which must be a known one
// and changes no reply: JSON comes where the prompt is one that is answered in
// JSON. All other fields are taken as they come. A token is four characters,
// rounded up. The id is a hash of the messages, created is 0,
// system_fingerprint is [Version].
//
// An embedding is a hashed bag of words, so that texts with common words are near
// each other, and no more than that: the simulator knows no meanings. Fields read:
// model, input (a text, a list of texts, or token numbers), dimensions (1 to 4096,
// else 256), encoding_format (float or base64 of little-endian 32-bit floats).
//
// [Faults] stands before the simulator and makes it fail as servers do: with
// latency, errors, cut and slow replies, a key, other model names, a context
// length. Only it has a memory (how often each body came), and only there does
// the model name count.
//
// # How a role is recognised
//
// The user messages are tried from the last to the first; if none fits, the
// system (or developer) and user messages are tried joined together. A message
// is read line by line. A field line is a key, a colon and perhaps text; case,
// runs of spaces and the marks # and * around the key do not matter. A bullet
// is a line beginning with -, *, • or –. Lines inside the fence of a response
// never count as field lines. The first row that fits wins:
//
//	interpreter  Reply to interpret:
//	judge        Response: and Criterion:
//	correctness  Response: and Reference answer:
//	user         What you care about: and Question:
//	asker        You may ask about:
//	solver       Task:
//	placer       Question to place:
//	open asker   Questions left:
//
// The keys of the last two, and those marked "here only" below, count as they stand,
// at the start of a line, and nowhere else.
//
// Anything else gets a short reply that says what the server is.
//
// # Solver
//
//	Task:
//	<text, any number of lines>
//	A) <option>            or (A) <option>, or A. <option>, or A: <option>
//	B) <option>
//
//	This reader wants:
//	- <name>: <amount>
//	- <name>: <amount> (from least to most: <l1> | <l2> | <l3> | <l4> | <l5>)
//
// The options are lines labelled A, B, C, ... in this order, at least two. The
// heading is a field line without text whose key is "preferences" or has one of
// the words reader, user, person and one of wants, want, would like, prefers,
// preferences, likes; a bullet must follow. The last such heading counts, and
// its list ends at the first line that is neither blank nor a bullet. The name
// ends at the first colon. Without a heading the task is solved with no style
// sentences. Demands on the form of the reply belong in the system message or
// before the line Task:, so that the task text is the same with and without
// instructions.
//
// The task runs from Task: to its last option, else to the heading, else to the
// end of the message. The answer depends on the task text and the options only:
// a hash picks an option, or a whole number from 0 to 99 when there are none.
// The reply is
//
//	Answer: B. <option>.
//	As to <name>: <amount>.
//
// with one such style sentence on its own line for each of the first six
// instructions, in prompt order. Marks that end a sentence are taken out of
// names and amounts. An amount stands on the scale of its line if that has one,
// else on the ladder
//
//	none | a little | some | much | as much as possible
//
// With m instructions, all lines counted, each slips to a neighbouring amount of
// its scale when a hash of the prompt and the name, read as a number in [0, 1),
// is less than .1 + .9 max(0, 1 - 4/m). Another bit of the hash gives the
// direction; at the ends it is inward. An amount that is not on its scale cannot
// slip.
//
// # Judge
//
//	Task:
//	<text; not read>
//
//	Response:
//	<<<
//	<the response>
//	>>>
//
//	Criterion: <name>
//	What it is: <description; not read>
//	The reader wants: <ladder phrase> (4 of 5)      quality only
//	Why: <justification; not read>                  quality only
//	Levels, from least to most:
//	1. <level text>                                 or 1) or a bullet
//	...
//
// The fence opens with the line <<< next after the first Response: (blank lines
// may stand between) and closes at the last line >>> of the message; without a
// fence the response ends at the next field line. Criterion: may be repeated (at
// most 1000 times, else 400); "Criterion 2:" is the same. The levels follow a field line whose key begins
// with the word Levels; their position counts, not their number. There may be
// any number of levels; with none at all the ladder above is used. A block with
// "The reader wants:" is of the quality kind, any other of the amount kind.
//
// The reply is {"level": n, "reason": "..."} (quality: "score" for "level"), or
//
//	{"results": [{"criterion": "<name>", "level": n, "reason": "..."}, ...]}
//
// when the word "results", in its double quotes, occurs in a system message or
// outside the fence, or when there is more than one criterion. The name is
// repeated as it stands in the prompt, less surrounding blanks and whatever is
// dropped before reading. Single and batched calls agree on level and reason.
//
// The response is cut into sentences at . ! ? and their kin, at line ends and at
// bullets, but not at decimal points or in abbreviations. The window of a
// criterion is all sentences that have all the stems of its name (at least 60%
// if there are more than three), function words left out. The level is the one
// with the largest overlap between the words of the window and of the level
// text. A word weighs 1/(number of levels that have it). Whole words count, not
// stems; function words, numerals and the words of the name do not count, but a
// level made of function words alone keeps them. Words in the scope of a
// negation (no, not, never, none, without, nothing, n't and the like, up to the
// next mark such as a comma or colon, or a word such as but) overlap only with
// words in the scope of a negation; the negation itself is a word like any
// other. Ties go to the level nearest the middle, the lower of two equally near.
// Without a window it is level 1 if that level says absence (no, not, never,
// none, without, nothing, absent, absence, lacks, missing, n't, or a bare word
// such as nil), else the middle.
//
// The quality kind looks in the window for a phrase of the ladder, the longest
// first, which gives an amount from 1 to 5: 3 if the window has none, 1 if there
// is no window. The value is read from the ladder phrase after "The reader
// wants:", never from a number; without one it is 3. The score is
// 5 - |amount - value|, at least 1.
//
// # Correctness
//
//	Reference answer: <label, number or words>
//	Response:
//	<<<
//	<the response>
//	>>>
//
// The text after the last "Answer:" of the response is compared with the
// reference: by label if the reference has one (B, B) text, B. text), by value
// if it is a number, else by words. The reply is
// {"correct": true, "reason": "..."}. A response without "Answer:" is wrong.
//
// # Asker
//
//	You may ask about:
//	- <name>: <question>
//	Asked: <text>                 any number of these lines, anywhere
//
// It asks for the first listed criterion not yet asked, with the question of the
// list: {"action": "ask", "text": "..."}, and when all are asked
// {"action": "answer"}. An Asked line stands for the criterion whose question it
// repeats, else for every one whose name's stems it has.
//
// # Open asker
//
//	Questions left: <number; not read>
//	Asked: <text>                 any number of these lines, anywhere
//
// Not told what there is to ask about, it has two questions that are about nothing in
// particular. It asks them in order, in the asker's form, and then gives
// {"action": "answer", "text": ""}.
//
// # Placer
//
//	Question to place: <text>
//	Criteria:
//	1. <name>: <question>
//	...
//
// It answers {"criterion": n}: the only criterion whose question has the same words,
// else the one whose name and question have the most stems of the text, if it has two or
// more, half of them or more, and no other has as many; else {"criterion": null}.
//
// # User
//
//	Manner: <text>                optional, here only
//	What you care about:
//	- <name>: <amount>
//	  Asked as: <question>        optional, indented, here only
//	  <other indented lines; not read>
//	Assistant: <text>             any number of these two, at the start of lines, here
//	You: <text>                   only: what was asked and said before
//	Question: <text>
//
// It answers {"thought": "...", "response": "..."}, with the amount of the first
// criterion that is asked as the question is, else of the first whose name's stems are
// in the question, or else that it has no preference. With a manner every other answer,
// by a hash of the messages, is in a roundabout form, and it keeps count of
// the criteria that the conversation has come to, by a question of the assistant's or
// by name. If the manner has the word "volunteer", it adds the first criterion that has
// not come up, as "Also, <name>: <amount>."; if it has the words "may end" and all have
// come up, it adds "stop": true to the object.
//
// What it cannot do: understand a question by its meaning, be vague, contradict itself,
// grow tired or annoyed, take anything from who it is said to be, or say an amount in
// other words than the prompt's. A fidelity that is measured on it says that the
// benchmark's plumbing works, and nothing of any model.
//
// # Interpreter
//
//	Question asked: <text>
//	Reply to interpret: <text>
//	Levels, from least to most:
//	1. <level text>
//	...
//
// It answers {"held": true, "level": n}: the level by the judge's overlap, with
// the whole reply as the window, null if no word of any level is found. A reply
// that says it does not care gives {"held": false, "level": null}. The reply may
// stand on the lines after its key, and in a fence as above. Without levels the
// ladder is used. It cannot tell an answer that is beside the point from one that names
// no level, and takes all of a reply to be about the question, also what is said of
// something else.
package sim

const (
	// Version names the behaviour of the simulator. It changes whenever some request
	// that fits a shape would get a different reply; shapes and lines that are added
	// leave it as it is.
	Version = "sim-1"

	// Model is the name under which the simulator lists itself.
	Model = "pepbench-sim"
)
