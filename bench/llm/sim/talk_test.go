package sim

import "testing"

// TestTalk: the shapes of users with a manner, of placers and of askers who are told
// nothing. Lines that one shape reads mean nothing in another.
func TestTalk(t *testing.T) {
	const care = "What you care about:\n- Kettle talk: two cosy remarks\n  What it is: tea\n  Asked as: How do you take your leaves?\n- Rhyme use: some\n\nNothing else.\n"
	const list = "\nCriteria:\n1. Kettle talk: How do you take your leaves?\n2. Rhyme use: Would you like verses?\n3. Word play: Would you like verses?\n"
	for _, row := range []struct {
		reason, user string
		want         []string // any of them
	}{
		{"asked in the words of the list", care + "Question: how do you take your leaves", []string{`{"thought": "The question is about Kettle talk.", "response": "For me: two cosy remarks."}`}},
		{"what stands below a bullet is no bullet's end", care + "Question: Rhymes to use?", []string{`{"thought": "The question is about Rhyme use.", "response": "For me: some."}`}},
		{"with a manner, in one of two forms", "Manner: short\n" + care + "Question: Rhymes to use?", []string{
			`{"thought": "The question is about Rhyme use.", "response": "For me: some."}`, `{"thought": "The question is about Rhyme use.", "response": "If you ask me, some would be right."}`,
		}},
		{"all has come up", "Manner: you may end it\n" + care + "Assistant: How do you take your leaves?\nYou: Cosily.\nQuestion: Rhymes to use?", []string{
			`{"thought": "The question is about Rhyme use.", "response": "For me: some.", "stop": true}`, `{"thought": "The question is about Rhyme use.", "response": "If you ask me, some would be right.", "stop": true}`,
		}},
		{"nothing is left to volunteer", "Manner: volunteer\n" + care + "Assistant: What?\nYou: Some rhyme use. And kettles to talk of.\nQuestion: What else?", []string{
			`{"thought": "The question is about nothing I care about.", "response": "I have no preference about that."}`, `{"thought": "The question is about nothing I care about.", "response": "I do not mind how much of that there is."}`,
		}},
		{"placed by its words", "Question to place: How do you take your leaves?" + list, []string{`{"criterion": 1}`}},
		{"placed by its stems", "Question to place: Using some rhymes?" + list, []string{`{"criterion": 2}`}},
		{"two are asked about alike", "Question to place: Would you like verses?" + list, []string{`{"criterion": null}`}},
		{"about none", "Question to place: Who painted the ceiling of that chapel?" + list, []string{`{"criterion": null}`}},
		{"no list", "Question to place: Who?", []string{`{"criterion": null}`}},
		{"the first open question", "Request: x\nQuestions left: 2", []string{`{"action": "ask", "text": "Is there anything that you would like the answer to have a lot of?"}`}},
		{"the second", "Asked: " + openQuestions[0] + "\nHeard: no\nQuestions left: 1", []string{`{"action": "ask", "text": "Is there anything that you would rather not see in the answer?"}`}},
		{"none is left", "Asked: " + openQuestions[0] + "\nAsked: " + openQuestions[1] + "\nQuestions left: 9", []string{`{"action": "answer", "text": ""}`}},
		{"a list makes an asker of it", "You may ask about:\n- a b: c d?\n\nQuestions left: 9", []string{`{"action": "ask", "text": "c d?"}`}},
		{"a task makes a solver of it", "Task:\nWho?\nA) me\nB) you\nQuestions left: 9\nQuestion to place: x", []string{chat(t, "", "Task:\nWho?\nA) me\nB) you")}},
	} {
		got, ok := chat(t, "", row.user), false
		for _, w := range row.want {
			ok = ok || got == w
		}
		if !ok {
			t.Errorf("%s: %s, want one of %q", row.reason, got, row.want)
		}
	}
}
