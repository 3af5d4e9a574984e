package judges

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pepbench/bench/llm"
	"pepbench/domains"
)

var options = []domains.Option{
	{Label: "A", Text: "Vitamin A as retinol"}, {Label: "B", Text: "Folic acid"}, {Label: "C", Text: "Calcium carbonate."}, {Label: "D", Text: "Both B and C"},
}

func TestFinalAnswer(t *testing.T) {
	for _, row := range []struct {
		reason, response string
		options          []domains.Option
		want             string // empty: not found
	}{
		{"label", "Answer: B", options, "B"},
		{"label and text", "Answer: B. Folic acid.\nAs to depth: some.", options, "B"},
		{"label with a closing mark", "Answer: (b)", options, "B"},
		{"label in bold", "**Answer:** **B**", options, "B"},
		{"all of it in bold", "**Answer: B) Folic acid**", options, "B"},
		{"heading", "## Final answer: B", options, "B"},
		{"the word option", "Answer: Option B", options, "B"},
		{"is and a colon", "The correct answer is: B", options, "B"},
		{"on the next line", "Answer:\n\nB\nbecause so", options, "B"},
		{"not on the first line", "Let me think.\nAnswer: B", options, "B"},
		{"whole text of an option", "answer = folic acid", options, "B"},
		{"whole text that has a label in it", "Answer: Vitamin A as retinol", options, "A"},
		{"label and such a text", "Answer: A. Vitamin A as retinol, since it is one.", options, "A"},
		{"text that names other labels", "Answer: D. Both B and C", options, "D"},
		{"label, dash and text", "Answer: B – Folic acid", options, "B"},
		{"label and reason", "Answer: B, because it prevents defects", options, "B"},
		{"the same said twice", "Answer: B\nSo the rest follows.\nAnswer: B. Folic acid", options, "B"},
		{"a sentence", "The answer is B.", options, "B"},
		{"a sentence with a reason", "I looked. Therefore, the answer is B because of folate.", options, "B"},
		{"a sentence with the text", "My answer is folic acid.", options, "B"},
		{"nothing but the label", " B) \n", options, "B"},
		{"nothing but the text", "Folic acid.", options, "B"},

		{"nothing", "", options, ""},
		{"no statement", "Folic acid is good.\nTake it daily.", options, ""},
		{"two answers in one", "Answer: B or C", options, ""},
		{"two labels", "Answer: B, C", options, ""},
		{"label and the text of another", "Answer: B. Calcium carbonate", options, ""},
		{"two statements that differ", "Answer: A\nWait.\nAnswer: B", options, ""},
		{"an article is no label", "Answer: A vitamin", options, ""},
		{"a word that begins with a label", "Answer: Basically all", options, ""},
		{"a grade is no label", "Answer: B-complex", options, ""},
		{"an abbreviation is no label", "Answer: B.C. dates", options, ""},
		{"small letters are words", "Answer: a, perhaps", options, ""},
		{"no such label", "Answer: E", options, ""},
		{"a denial", "The answer is not B.", options, ""},
		{"a supposition", "I doubt that the answer is B.", options, ""},
		{"a question", "Is the answer B?", options, ""},
		{"the answer of others", "They would say the answer is B.", options, ""},
		{"nothing after the colon", "Answer:", options, ""},
		{"a text that two options share", "Answer: same", []domains.Option{{Label: "A", Text: "same"}, {Label: "B", Text: "Same."}}, ""},
		{"a label that begins like another", "Answer: 1", []domains.Option{{Label: "1", Text: "x"}, {Label: "10", Text: "y"}}, "1"},
		{"and the other", "Answer: 10) y", []domains.Option{{Label: "1", Text: "x"}, {Label: "10", Text: "y"}}, "10"},

		{"number", "Answer: 42", nil, "42"},
		{"number with a full stop", "Answer: 42.\nAs to depth: some.", nil, "42"},
		{"decimals", "Answer: 4.25", nil, "4.25"},
		{"thousands", "Answer: 1,234,567.5", nil, "1234567.5"},
		{"dollars", "**Answer:** $42.00", nil, "42.00"},
		{"formula marks", "Answer: $42$", nil, "42"},
		{"minus", "Answer: −7", nil, "-7"},
		{"a sentence with a number", "So the answer is 3.5.", nil, "3.5"},
		{"nothing but a number", "17\n", nil, "17"},

		{"a decimal comma may be a thousands mark", "Answer: 1,5", nil, ""},
		{"a unit may change the number", "Answer: 12 dozen", nil, ""},
		{"a share", "Answer: 12%", nil, ""},
		{"a fraction", "Answer: 3/4", nil, ""},
		{"a power", "Answer: 1e3", nil, ""},
		{"a sum", "Answer: 3 + 4", nil, ""},
		{"two numbers that differ", "Answer: 3\nAnswer: 4", nil, ""},
		{"words", "Answer: many", nil, ""},
	} {
		got, ok := FinalAnswer(row.response, row.options)
		if got != row.want || ok != (row.want != "") {
			t.Errorf("%s: %q states %q (%v), want %q", row.reason, row.response, got, ok, row.want)
		}
	}
}

func FuzzFinalAnswer(f *testing.F) {
	for _, s := range []string{"Answer: B", "The answer is 42.", "Answer: A or B", "**Answer:** Folic acid", "Answer:\n\n1,000", "ANſWER: B"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		label, ok := FinalAnswer(s, options)
		if ok != strings.Contains("ABCD", label) || len(label) > 1 {
			if ok || label != "" {
				t.Errorf("%q states %q, %v", s, label, ok)
			}
		}
		text, ok := FinalAnswer(s, nil)
		if _, _, isNumber := number(text); ok != isNumber {
			t.Errorf("%q states %q, %v", s, text, ok)
		}
		if got, _ := FinalAnswer("Answer: B\n"+s, options); got != "" && got != "B" {
			t.Errorf("B and then %q states %q", s, got)
		}
	})
}

func TestCorrectness(t *testing.T) {
	right, wrong := true, false
	choice := domains.Task{Prompt: "Which?", Options: options, Answer: "B"}
	sum := domains.Task{Prompt: "How many?", Answer: "1,200"}
	name := domains.Task{Prompt: "Who?", Answer: "Ada Lovelace"}
	unknown := domains.Task{Prompt: "Who?", Options: options}
	for _, row := range []struct {
		reason   string
		task     domains.Task
		response string
		reply    string // empty: the model must not be asked
		want     *bool
		why      string
	}{
		{"the right option", choice, "Answer: B. Folic acid.", "", &right, "states B"},
		{"a wrong option", choice, "Answer: C", "", &wrong, "states C"},
		{"the right number, written otherwise", sum, "Answer: 1200.0", "", &right, "states 1200.0"},
		{"a wrong number", sum, "Answer: 1201", "", &wrong, "states 1201"},
		{"the right words", name, "Answer: ada lovelace.", "", &right, "states ada lovelace"},
		{"a task without an answer", unknown, "Answer: B", "", nil, "no known answer"},
		{"other words may mean the same", name, "Answer: Countess Lovelace", `{"correct": true, "reason": "the same person"}`, &right, "the same person"},
		{"a number and a unit", sum, "Answer: 1200 litres", `{"correct": true}`, &right, ""},
		{"no statement", choice, "Folic acid, I think.\nOr so.", `{"correct": false, "reason": "unsure"}`, &wrong, "unsure"},
		{"a reply in a fence", choice, "Hm.\nHm.", "```json\n{\"correct\": true, \"reason\": \"r\"}\n```", &right, "r"},
		{"a reply without a verdict", choice, "Hm.\nHm.", `{"reason": "r"}`, nil, "neither true nor false"},
		{"a verdict that is null", choice, "Hm.\nHm.", `{"correct": null}`, nil, "neither true nor false"},
		{"a verdict in words", choice, "Hm.\nHm.", `{"correct": "true"}`, nil, "neither true nor false"},
		{"a verdict in other letters", choice, "Hm.\nHm.", `{"Correct": true}`, nil, "neither true nor false"},
		{"two verdicts", choice, "Hm.\nHm.", `{"correct": true, "correct": false}`, nil, `key "correct" twice`},
		{"words after the verdict", choice, "Hm.\nHm.", `{"correct": true} as I see it`, &right, ""},
		{"another verdict after the verdict", choice, "Hm.\nHm.", `{"correct": true} or {"correct": false}`, nil, "two different JSON objects"},
		{"a reply in words", choice, "Hm.\nHm.", "yes", nil, "not a JSON object"},
		{"an empty reply", choice, "Hm.\nHm.", " ", nil, "it is empty"},
	} {
		m := says(row.reply)
		got, why, err := (&Correctness{Client: m}).Judge(context.Background(), row.task, row.response)
		if err != nil || (got == nil) != (row.want == nil) || got != nil && *got != *row.want || !strings.Contains(why, row.why) {
			t.Errorf("%s: %v, %q, %v; want %v because %q", row.reason, deref(got), why, err, deref(row.want), row.why)
		}
		if (len(m.asked) > 0) != (row.reply != "") {
			t.Errorf("%s: the model was asked %d times", row.reason, len(m.asked))
		}
	}
	if got, why, err := (&Correctness{}).Judge(context.Background(), choice, "Hm.\nHm."); got != nil || err != nil || why != "no final answer found by rule" {
		t.Errorf("without a model: %v, %q, %v", deref(got), why, err)
	}
}

func deref(b *bool) string {
	if b == nil {
		return "undefined"
	}
	return fmt.Sprint(*b)
}

func TestCorrectnessCallsFail(t *testing.T) {
	task := domains.Task{Prompt: "Which?", Options: options, Answer: "B", Why: "secret"}
	gone := fmt.Errorf("gone: %w", llm.ErrUnusable)
	for _, row := range []struct {
		reason    string
		err, want error
	}{
		{"an unusable endpoint stops the judge", gone, llm.ErrUnusable},
		{"what may pass stops it for now: nothing is known of the response", llm.ErrTransient, llm.ErrTransient},
		{"a refused request leaves it undefined", errors.New("status 400"), nil},
	} {
		m := &model{reply: func(llm.Request) (llm.Reply, error) { return llm.Reply{}, row.err }}
		got, why, err := (&Correctness{Client: m}).Judge(context.Background(), task, "Hm.\nHm.")
		if got != nil || !errors.Is(err, row.want) || (row.want == nil) != strings.Contains(why, row.err.Error()) {
			t.Errorf("%s: %v, %q, %v", row.reason, deref(got), why, err)
		}
		if want := "Task:\nWhich?\nA) Vitamin A as retinol\nB) Folic acid\nC) Calcium carbonate.\nD) Both B and C\n\nReference answer: B) Folic acid\n\nResponse:\n<<<\nHm.\nHm.\n>>>\n"; m.asked[0].User != want {
			t.Errorf("asked\n%s\nwant\n%s", m.asked[0].User, want)
		}
	}
}

func BenchmarkFinalAnswer(b *testing.B) {
	s := "Answer: B. Folic acid.\n" + strings.Repeat("As to depth: every step is spelled out.\n", 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := FinalAnswer(s, options); !ok {
			b.Fatal("not found")
		}
	}
}
