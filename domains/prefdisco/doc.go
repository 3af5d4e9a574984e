// Package prefdisco loads data sets in the format in which the PrefDisco
// benchmark (arXiv 2510.00177) and Pep (arXiv 2602.15012) are released: JSON
// Lines, one (problem, persona) pair a line, plain or gzipped.
//
//	file.jsonl[.gz] -> gunzip -> lines -> records -> assemble -> *domains.Dataset
//	      |                                             |
//	   SHA-256, bytes                      users, union of criteria, weights
//
// A line is an object:
//
//	{"type": "personalized_problem",
//	 "problem_id": "problem_<n>_persona_<m>",
//	 "original_problem": {"question": "..", "options": {"A": ".."}, "answer": "A"},
//	 "persona": {"id": "..", ..},
//	 "persona_preferences": {"<criterion>": {"value": 1..5, "weight": 0.5, "justification": ".."}},
//	 "evaluation_rubric": {"evaluation_criteria": [{"preference": "<criterion>",
//	   "description": "..", "weight": 0.5, "levels": [{"score": 1..5, "description": ".."}]}]}}
//
// Lines of type "metadata" say nothing that is kept; lines of any other type are
// skipped and counted. Source rows differ between the data sets that problems
// were taken from, so the question, the options and the answer are looked for
// under several names:
//
//	question  query, question, problem, Question, prompt; a context is put before it
//	options   choices, options: a list, a map from label to text, or {"label": [], "text": []};
//	          or answerA, answerB, ..
//	answer    correct_answer, answerKey, correct_option, answer_idx, Answer, answer, label:
//	          a label, the text of an option, or an integer that counts options from 0
//	          ("label" beside answerA, answerB, .. counts from 1)
//
// A preference may be a bare number, a persona a string, and a rubric a list or a
// flat map from criterion to description, to levels, or to an object with both.
//
// A problem becomes a task that admits every criterion that one of its personas
// holds; what a persona does not list, it does not hold. A persona whose id
// always comes with the same content is one user who meets several tasks,
// otherwise each of its lines is a user of its own.
//
// The format does not say what the five levels of its rubric mean, and the loader
// does not guess: Options.Rubric says it. With a quality rubric (the default) the
// level texts are one user's and go into that profile's notes, where only the
// judge reads them; with an amount rubric they are the criterion's and must be
// the same for everybody.
//
//	data, err := prefdisco.Load("medqa_1k.jsonl.gz", prefdisco.Options{})
//	if errors.Is(err, domains.ErrData) {
//		fmt.Println(err) // medqa_1k.jsonl.gz:17: criterion "Tone": value 7 is ...
//	}
//
// A file is loaded whole or not at all. The package knows nothing of filters,
// splits, strategies or runs, and imports only domains.
package prefdisco
