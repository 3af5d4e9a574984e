// Package judges grades responses against what the user really wanted.
//
//	rubric       a language model reads response and rubric, criterion by criterion
//	profile      no model: predicted values against true ones
//	correctness  is the task answered rightly? by rule first, by model when that cannot tell
//
// A rubric of the amount kind says how much of something a text has: the judge, who
// is not told what the user wants, names the level it finds, and the score is
// 5 - |level - value|. One of the quality kind says how well a text serves this
// user: the judge sees value and justification and gives the score.
//
// A reply that cannot be read is unscored with its reason; there is no default
// score. A call that failed for good leaves its criteria unscored as well; only an
// unusable endpoint or a cancelled context stops the judge.
//
// The user message of the rubric judge is
//
//	Task:
//	<prompt>
//	A) <option>
//
//	Response:
//	<<<
//	<response, unchanged>
//	>>>
//
//	Criterion: <name>                              for each criterion of the call
//	What it is: <description>
//	The reader wants: <word of domains.Ladder> (<1..5> of 5)     quality only
//	Why: <justification>                                         quality only
//	Levels, from least to most:                    quality: from worst fit to best
//	1. <level>
//
// and the reply {"level": n, "reason": "..."} (quality: "score"), or, batched,
// {"results": [{"criterion": "<name>", "level": n, "reason": "..."}, ...]}.
//
// A judge sees task, response, rubric and the user's true preferences. It must not
// know the inference, the strategy or the instructions that the solver was given.
package judges
