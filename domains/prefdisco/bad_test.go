package prefdisco

import (
	"crypto/sha256"
	"fmt"

	"pepbench/domains"
)

func sum(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

// badFiles are the fixtures with one fault each; want is what follows the path.
var badFiles = []struct {
	reason, file string
	rubric       domains.RubricKind
	want         string
}{
	{
		reason: "an amount without words cannot be named by a judge", file: "amount_empty.bad.jsonl", rubric: domains.Amount,
		want: `:1: criterion "Plain Words": the text of level 3 is empty; give the five texts, or set domain.rubric=quality`,
	},
	{
		reason: "amount levels are the criterion's, not the user's", file: "amount_levels.bad.jsonl", rubric: domains.Amount,
		want: `:2: criterion "Plain Words": level 1 is "not at all plain enough for Tilde" here and "not at all plain" in line 1; this rubric is user-specific: set domain.rubric=quality`,
	},
	{
		reason: "the judge of an amount rubric needs the texts", file: "amount_missing.bad.jsonl", rubric: domains.Amount,
		want: `:1: criterion "Plain Words" has no levels, and an amount rubric needs them; give the five texts, or set domain.rubric=quality`,
	},
	{
		reason: "no rubric at all, and an amount rubric is wanted", file: "amount_rubric.bad.jsonl", rubric: domains.Amount,
		want: `:1: the problem has no evaluation_rubric, and an amount rubric needs its level texts; add it, or set domain.rubric=quality`,
	},
	{
		reason: "the right answer must be one of the options", file: "answer.bad.jsonl",
		want: `:1: original_problem: answer: "z" is none of the 2 options; give a label, the text of an option or, as a number, its place counted from 0`,
	},
	{
		reason: "a number that is one option's text and another's place is not guessed", file: "answer_ambiguous.bad.jsonl",
		want: `:1: original_problem: answer: 2 may be the text of option "B" or the place of option "C"; give its label`,
	},
	{
		reason: "one problem has one right answer", file: "answer_differs.bad.jsonl",
		want: `:2: problem_1 does not have the answer of line 1; give different problems different numbers in problem_id`,
	},
	{
		reason: "integers count options from 0", file: "answer_index.bad.jsonl",
		want: `:1: original_problem: answer: "2" is none of the 2 options; give a label, the text of an option or, as a number, its place counted from 0`,
	},
	{
		reason: "labels of answerA, answerB, .. count from 1", file: "answer_label.bad.jsonl",
		want: `:1: original_problem: label: "0" is none of the 2 options; give a label, the text of an option or, as a number, its place counted from 0`,
	},
	{
		reason: "an answer is text or a number", file: "answer_type.bad.jsonl",
		want: `:1: original_problem: answer is a list; give a label, the text of an option or its number`,
	},
	{
		reason: "a context is text", file: "context.bad.jsonl",
		want: `:1: original_problem: context is a number, not a string; write text in quotes there`,
	},
	{
		reason: "encoding/json would keep the last one silently", file: "double_member.bad.jsonl",
		want: `:1: persona_preferences: "Plain Words" occurs twice in one object; keep one of them`,
	},
	{
		reason: "an empty file is no data set", file: "empty.bad.jsonl",
		want: `: the file is empty; name a file in the released format`,
	},
	{
		reason: "a task needs a prompt", file: "empty_question.bad.jsonl",
		want: `:1: original_problem: question is empty; give the question`,
	},
	{
		reason: "task and persona are read off the problem_id", file: "id.bad.jsonl",
		want: `:1: problem_id "problem_one" cannot be used; write "problem_<n>_persona_<m>", with letters, digits, "-", "." and "_" for <n> and <m>`,
	},
	{
		reason: "ids end up in file names and tables", file: "id_characters.bad.jsonl",
		want: `:1: problem_id "problem_a b_persona_1" cannot be used; write "problem_<n>_persona_<m>", with letters, digits, "-", "." and "_" for <n> and <m>`,
	},
	{
		reason: "a problem_id is a string", file: "id_type.bad.jsonl",
		want: `:1: problem_id is a number, not a string; write "problem_<n>_persona_<m>", with letters, digits, "-", "." and "_" for <n> and <m>`,
	},
	{
		reason: "a file cut off in the middle of a line", file: "json.bad.jsonl",
		want: `:2: the line is not valid JSON (unexpected end of JSON input); write one JSON object a line`,
	},
	{
		reason: "a justification is text", file: "justification.bad.jsonl",
		want: `:1: criterion "Plain Words": justification is a list, not a string; write text in quotes there`,
	},
	{
		reason: "keys of a level map are scores", file: "levels_key.bad.jsonl",
		want: `:1: rubric of criterion "Plain Words": level "low" is not a whole number from 1 to 5; give five: [{"score": 1, "description": ".."}, .. {"score": 5, ..}]`,
	},
	{
		reason: "the format has five levels", file: "levels_many.bad.jsonl",
		want: `:1: rubric of criterion "Plain Words" has 6 levels; give five: [{"score": 1, "description": ".."}, .. {"score": 5, ..}]`,
	},
	{
		reason: "the format has five levels", file: "levels_missing.bad.jsonl",
		want: `:1: rubric of criterion "Plain Words": level 5 is missing; give five: [{"score": 1, "description": ".."}, .. {"score": 5, ..}]`,
	},
	{
		reason: "scores are 1 to 5", file: "levels_score.bad.jsonl",
		want: `:1: rubric of criterion "Plain Words": the score of level 1 is not a whole number from 1 to 5; give five: [{"score": 1, "description": ".."}, .. {"score": 5, ..}]`,
	},
	{
		reason: "a level without words", file: "levels_text.bad.jsonl",
		want: `:1: rubric of criterion "Plain Words": level 1 has no description; give five: [{"score": 1, "description": ".."}, .. {"score": 5, ..}]`,
	},
	{
		reason: "two texts for one score", file: "levels_twice.bad.jsonl",
		want: `:1: rubric of criterion "Plain Words": level 1 is there twice; give five: [{"score": 1, "description": ".."}, .. {"score": 5, ..}]`,
	},
	{
		reason: "levels are a list or a map", file: "levels_type.bad.jsonl",
		want: `:1: rubric of criterion "Plain Words": the levels are a string; give five: [{"score": 1, "description": ".."}, .. {"score": 5, ..}]`,
	},
	{
		reason: "a JSON array is not JSON Lines", file: "list.bad.jsonl",
		want: `:1: the line is a list, not an object; write one JSON object a line`,
	},
	{
		reason: "Python writes NaN, which is not JSON", file: "nan.bad.jsonl",
		want: `:1: the line is not valid JSON (invalid character 'N' looking for beginning of value); JSON has no NaN and no Infinity: write a number or leave the member out`,
	},
	{
		reason: "without problem_id there is no task", file: "no_id.bad.jsonl",
		want: `:1: the problem has no problem_id; write "problem_<n>_persona_<m>", with letters, digits, "-", "." and "_" for <n> and <m>`,
	},
	{
		reason: "without a source row there is no prompt", file: "no_original.bad.jsonl",
		want: `:1: the problem has no original_problem; copy the source row there`,
	},
	{
		reason: "forgotten preferences are not empty preferences", file: "no_preferences.bad.jsonl",
		want: `:1: the problem has no persona_preferences; write {} for a persona without preferences`,
	},
	{
		reason: "metadata and strangers only", file: "no_problem.bad.jsonl",
		want: `: the file has no line of type "personalized_problem"; name a file in the released format`,
	},
	{
		reason: "the question has an unknown name", file: "no_question.bad.jsonl",
		want: `:1: original_problem has no question; give it under one of query, question, problem, Question, prompt`,
	},
	{
		reason: "an empty label cannot be answered", file: "option_label.bad.jsonl",
		want: `:1: original_problem: options: a label is empty; give every option a label`,
	},
	{
		reason: "an empty label cannot be answered", file: "option_label_type.bad.jsonl",
		want: `:1: original_problem: options: a label is empty or neither text nor number; give every option a label`,
	},
	{
		reason: "an option is text or a number", file: "option_text.bad.jsonl",
		want: `:1: original_problem: option "B" is true or false, neither text nor number; give its text`,
	},
	{
		reason: "one problem has one set of options", file: "options_differ.bad.jsonl",
		want: `:2: problem_1 does not have the options of line 1; give different problems different numbers in problem_id`,
	},
	{
		reason: "labels and texts come in pairs", file: "options_lengths.bad.jsonl",
		want: `:1: original_problem: choices: 1 labels for 2 texts; give one label a text`,
	},
	{
		reason: "a label means one option", file: "options_twice.bad.jsonl",
		want: `:1: original_problem: option "A" is there twice; give every option its own label`,
	},
	{
		reason: "options are not taken apart from a string", file: "options_type.bad.jsonl",
		want: `:1: original_problem: options is a string; give a list or a map from label to text`,
	},
	{
		reason: "a persona is an object or a string", file: "persona.bad.jsonl",
		want: `:1: persona is a number; write the persona as an object or a string`,
	},
	{
		reason: "a persona's id is a string or a number", file: "persona_id.bad.jsonl",
		want: `:1: the persona's id is a list; give the persona a string as id`,
	},
	{
		reason: "rubric and preferences name the same criteria", file: "preference_only.bad.jsonl",
		want: `:1: criterion "Tool Names" is in the preferences but not in the rubric; add the rubric entry or remove the preference`,
	},
	{
		reason: "a criterion has a name", file: "preference_unnamed.bad.jsonl",
		want: `:1: persona_preferences has a criterion without a name; name it`,
	},
	{
		reason: "preferences are a map", file: "preferences_type.bad.jsonl",
		want: `:1: persona_preferences is a list, not an object; write {..} there`,
	},
	{
		reason: "one problem has one question", file: "question_differs.bad.jsonl",
		want: `:2: problem_1 does not have the question of line 1; give different problems different numbers in problem_id`,
	},
	{
		reason: "a question is text", file: "question_type.bad.jsonl",
		want: `:1: original_problem: question is an object, not a string; write text in quotes there`,
	},
	{
		reason: "a number describes nothing", file: "rubric_flat.bad.jsonl",
		want: `:1: rubric of criterion "Plain Words" is a number; write a description, the levels or an object`,
	},
	{
		reason: "rubric and preferences name the same criteria", file: "rubric_only.bad.jsonl",
		want: `:1: criterion "Brevity" is in the rubric but not in the preferences; add the preference or remove the rubric entry`,
	},
	{
		reason: "a criterion is in the rubric once", file: "rubric_twice.bad.jsonl",
		want: `:1: criterion "Plain Words" is twice in the rubric; keep one of them`,
	},
	{
		reason: "a rubric is a list or a map", file: "rubric_type.bad.jsonl",
		want: `:1: evaluation_rubric is a string; write {"evaluation_criteria": [..]}`,
	},
	{
		reason: "a rubric entry is about a criterion", file: "rubric_unnamed.bad.jsonl",
		want: `:1: rubric entry 2 names no criterion; name it under preference`,
	},
	{
		reason: "weights are shares", file: "rubric_weight.bad.jsonl",
		want: `:1: rubric of criterion "Tool Names": weight -1 is negative or too large; give a number from 0 to 1, or leave the weights out to weigh all the same`,
	},
	{
		reason: "one profile for each task and user", file: "twice.bad.jsonl",
		want: `:3: user "gardener_1" meets problem_1 twice, first in line 1; remove one of the lines or give the persona another id`,
	},
	{
		reason: "two lines, one persona", file: "twice_user.bad.jsonl",
		want: `:2: user "gardener_1" meets problem_1 twice, first in line 1; remove one of the lines or give the persona another id`,
	},
	{
		reason: "a type is a string", file: "type.bad.jsonl",
		want: `:1: type is a number, not a string; write "personalized_problem"`,
	},
	{
		reason: "a line that says nothing of itself", file: "untyped.bad.jsonl",
		want: `:1: the line has neither type nor problem_id; give it type "personalized_problem" and a problem_id`,
	},
	{
		reason: "a persona id that is another line's problem_id would join two people", file: "user_id.bad.jsonl",
		want: `:2: user "problem_1_persona_1" is also the user of line 1, with another persona; give the persona an id that is no problem_id`,
	},
	{
		reason: "encoding/json would replace the byte silently", file: "utf8.bad.jsonl",
		want: `:1: the line is not valid UTF-8; save the file as UTF-8`,
	},
	{
		reason: "values are whole", file: "value_fraction.bad.jsonl",
		want: `:1: criterion "Plain Words": value 3.5 is not a whole number from 1 to 5; correct it, or leave the criterion out when the persona does not hold it`,
	},
	{
		reason: "values end at 5", file: "value_high.bad.jsonl",
		want: `:2: criterion "Plain Words": value 6 is not a whole number from 1 to 5; correct it, or leave the criterion out when the persona does not hold it`,
	},
	{
		reason: "values end at 5, also beyond float64", file: "value_huge.bad.jsonl",
		want: `:1: criterion "Plain Words": value 1e999 is not a whole number from 1 to 5; correct it, or leave the criterion out when the persona does not hold it`,
	},
	{
		reason: "values begin at 1", file: "value_low.bad.jsonl",
		want: `:1: criterion "Plain Words": value 0 is not a whole number from 1 to 5; correct it, or leave the criterion out when the persona does not hold it`,
	},
	{
		reason: "a held criterion has a value", file: "value_missing.bad.jsonl",
		want: `:1: criterion "Plain Words" has no value; correct it, or leave the criterion out when the persona does not hold it`,
	},
	{
		reason: "null is no value", file: "value_null.bad.jsonl",
		want: `:1: criterion "Plain Words": the value is null, not a whole number from 1 to 5; correct it, or leave the criterion out when the persona does not hold it`,
	},
	{
		reason: "a numeral in quotes is not a number", file: "value_string.bad.jsonl",
		want: `:1: criterion "Plain Words": the value is a string, not a whole number from 1 to 5; correct it, or leave the criterion out when the persona does not hold it`,
	},
	{
		reason: "weights are shares", file: "weight.bad.jsonl",
		want: `:1: criterion "Plain Words": weight -0.1 is negative or too large; give a number from 0 to 1, or leave the weights out to weigh all the same`,
	},
	{
		reason: "sums of weights must stay finite", file: "weight_huge.bad.jsonl",
		want: `:1: criterion "Plain Words": weight 1e+300 is negative or too large; give a number from 0 to 1, or leave the weights out to weigh all the same`,
	},
	{
		reason: "NaN in quotes is not a number either", file: "weight_string.bad.jsonl",
		want: `:1: criterion "Plain Words": the weight is a string, not a number; give a number from 0 to 1, or leave the weights out to weigh all the same`,
	},
	{
		reason: "half a download", file: "zip.bad.jsonl.gz",
		want: `:1: the compressed data ends too early; copy or download the file again`,
	},
	{
		reason: "a damaged download", file: "zip_checksum.bad.jsonl.gz",
		want: `:3: the compressed data is damaged (gzip: invalid checksum); copy or download the file again`,
	},
	{
		reason: "the name promises gzip", file: "zip_name.bad.jsonl.gz",
		want: `: the name ends in .gz but the content is not gzip; rename the file or compress it`,
	},
}
