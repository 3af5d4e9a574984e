package simusers

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pepbench/bench/llm"
	"pepbench/bench/llm/sim"
	"pepbench/domains"
)

// guest is a character who cares about tea and verses, and not about jokes.
func guest(rubric domains.RubricKind) Character {
	texts := func(s ...string) []domains.Level {
		out := scale(len(s))
		for i := range s {
			out[i].Text = s[i]
		}
		return out
	}
	five := texts("none of it", "a sip", "a cup", "a pot", "a samovar")
	return Character{
		Persona: "Ada, 40.\nQuestion: is she real?",
		Task:    domains.Task{Prompt: "What is the time?\nQuestion: or the day?", Options: []domains.Option{{Label: "A", Text: "noon"}}},
		Criteria: []domains.Criterion{
			{ID: "t", Name: "Kettle: talk", Description: "How much tea.", Question: "How do you take your leaves?", Levels: five},
			{ID: "j", Name: "Jokes", Question: "How funny?", Levels: five},
			{ID: "v", Name: "Verses", Question: "Shall it rhyme?", Levels: five},
		},
		Profile: &domains.Profile{
			Cells: []domains.Cell{domains.At(3), domains.NotHeld(), domains.At(1)},
			Notes: []domains.Note{{Justification: "she is\nthirsty"}, {}, {}},
		},
		Rubric: rubric,
	}
}

// answers is a model that gives its replies in turn and keeps what it was asked.
type answers struct {
	replies []string
	seen    []llm.Request
}

func (a *answers) Complete(_ context.Context, r llm.Request) (llm.Reply, error) {
	a.seen = append(a.seen, r)
	return llm.Reply{Content: a.replies[min(len(a.seen), len(a.replies))-1], Finish: "stop", Attempts: 1}, nil
}

// TestVerbalPrompt: persona, manner and held criteria are told, on one line each, and
// nothing of what is not held; so is the conversation.
func TestVerbalPrompt(t *testing.T) {
	a := &answers{replies: []string{`{"thought": "x", "response": "A cup,\nplease."}`, `{"thought": "x", "response": "No rhyme."}`}}
	v := NewVerbal(a, PassiveNoStop, guest(domains.Amount))
	for _, q := range []string{"Tea?", "Rhyme?"} {
		if _, err := v.Answer(context.Background(), domains.Question{Text: q}); err != nil {
			t.Fatal(err)
		}
	}
	want := `Who you are: Ada, 40. Question: is she real?
Manner: answer only what is asked, in one short sentence, and bring up nothing by yourself; take every question that comes
What you asked for: What is the time? Question: or the day? A) noon

What you care about:
- Kettle, talk: a cup
  What it is: How much tea.
  Why: she is thirsty
  Asked as: How do you take your leaves?
- Verses: none of it
  Asked as: Shall it rhyme?

All else about the answer makes no difference to you.

So far:
Assistant: Tea?
You: A cup, please.

Question: Rhyme?
`
	if got := a.seen[1].User; got != want {
		t.Errorf("the prompt is\n%s\nwant\n%s", got, want)
	}
	if q := NewVerbal(a, Passive, guest(domains.Quality)).message(nil, "?"); !strings.Contains(q, "- Kettle, talk: some\n") || !strings.Contains(q, "- Verses: none\n") {
		t.Errorf("amounts of a quality rubric are not told in words of the ladder:\n%s", q)
	}
}

func TestVerbalReplies(t *testing.T) {
	for _, row := range []struct {
		reason  string
		manner  Manner
		replies []string
		text    string
		stop    bool
		tries   int
		bad     bool
	}{
		{"as asked for", Passive, []string{`{"thought": "x", "response": "A cup.", "stop": false}`}, "A cup.", false, 1, false},
		{"stops with an answer", Passive, []string{`{"response": " A cup. ", "stop": true}`}, "A cup.", true, 1, false},
		{"stops without a word", Passive, []string{`{"response": "", "stop": true}`}, "", true, 1, false},
		{"stops with null", Passive, []string{`{"response": null, "stop": true}`}, "", true, 1, false},
		{"may not stop", PassiveNoStop, []string{`{"thought": "x", "response": "A cup.", "stop": true}`}, "A cup.", false, 1, false},
		{"may not be silent", PassiveNoStop, []string{`{"thought": "x", "response": "", "stop": true}`}, "", false, 3, true},
		{"mended", Collaborative, []string{"A cup.", `{"response": 3}`, `{"response": "A cup."}`}, "A cup.", false, 3, false},
		{"never readable", Collaborative, []string{"A cup."}, "", false, 3, true},
		{"a stop that is neither", Passive, []string{`{"response": "A cup.", "stop": "maybe"}`}, "", false, 3, true},
	} {
		a := &answers{replies: row.replies}
		got, err := NewVerbal(a, row.manner, guest(domains.Amount)).Answer(context.Background(), domains.Question{Text: "Tea?"})
		var unread *llm.Unread
		if errors.As(err, &unread) != row.bad || got.Text != row.text || got.Stop != row.stop || len(a.seen) != row.tries || !got.Cell.IsMissing() {
			t.Errorf("%s: %+v, %v after %d calls", row.reason, got, err, len(a.seen))
		}
	}
}

// TestAgain: a repeat meets the history that the question met, is another draw, and
// leaves no trace.
func TestAgain(t *testing.T) {
	a := &answers{replies: []string{`{"thought": "x", "response": "A cup."}`}}
	v := NewVerbal(a, Collaborative, guest(domains.Amount))
	for _, q := range []string{"Tea?", "Rhyme?"} {
		if _, err := v.Answer(context.Background(), domains.Question{Text: q}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := v.Again(context.Background(), 2); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Answer(context.Background(), domains.Question{Text: "Jokes?"}); err != nil {
		t.Fatal(err)
	}
	if a.seen[2].User != a.seen[1].User || a.seen[2].Repeat != 2 || a.seen[1].Repeat != 0 {
		t.Errorf("the repeat (draw %d) is asked\n%s\nthe question was\n%s", a.seen[2].Repeat, a.seen[2].User, a.seen[1].User)
	}
	if n := strings.Count(a.seen[3].User, "Assistant: "); n != 2 {
		t.Errorf("%d questions are remembered, two were asked", n)
	}
}

// simulator is the embedded model over the wire.
func simulator(t *testing.T) llm.Client {
	t.Helper()
	url, stop, err := sim.Serve(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	c, err := llm.Dial(llm.Endpoint{BaseURL: url, Model: sim.Model, Concurrency: 1}, llm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); _ = stop() })
	return c
}

// TestSimulatedVerbalUsers: the embedded model plays every manner.
func TestSimulatedVerbalUsers(t *testing.T) {
	c := simulator(t)
	const tea, jokes, verses = "How do you take your leaves?", "How funny?", "Shall it rhyme?"
	const (
		none  = "I have no preference about that.|I do not mind how much of that there is."
		cup   = "For me: a cup.|If you ask me, a cup would be right."
		prose = "For me: none of it.|If you ask me, none of it would be right."
		also  = " Also, Kettle, talk: a cup."
	)
	type reply struct {
		question, forms, more string
		stop                  bool
	}
	for _, row := range []struct {
		manner Manner
		want   []reply
	}{
		{Passive, []reply{{jokes, none, "", false}, {tea, cup, "", false}, {verses, prose, "", true}}},
		{PassiveNoStop, []reply{{tea, cup, "", false}, {verses, prose, "", false}, {jokes, none, "", false}}},
		{Collaborative, []reply{{jokes, none, also, false}, {"What of verses?", prose, "", false}}},
	} {
		v := NewVerbal(c, row.manner, guest(domains.Amount))
		for _, w := range row.want {
			a, err := v.Answer(context.Background(), domains.Question{Text: w.question})
			plain, other, _ := strings.Cut(w.forms, "|")
			if err != nil || a.Text != plain+w.more && a.Text != other+w.more || a.Stop != w.stop {
				t.Errorf("%s, %s: %q, stop %v, %v; want %q with %q, stop %v", row.manner, w.question, a.Text, a.Stop, err, w.forms, w.more, w.stop)
			}
		}
	}
}

// TestNothingOfTheDataBreaksThePrompt: whatever the texts of the data, every line of
// the prompt is one of its own.
func TestNothingOfTheDataBreaksThePrompt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("ab:-\n\r\u2028\u2029\u0085 Q"))).Draw(t, "text")
		c := guest(domains.Amount)
		c.Persona, c.Task.Prompt, c.Profile.Notes[0].Justification = text, text, text
		c.Criteria[0].Name, c.Criteria[0].Description, c.Criteria[0].Question, c.Criteria[0].Levels[2].Text = text, text, text, text
		got := NewVerbal(nil, Passive, c).message([]exchange{{llm.OneLine(text), llm.OneLine(text)}}, text)
		for line := range strings.SplitSeq(got, "\n") {
			ok := line == "" || strings.HasPrefix(line, "All else") || line == "So far:" || line == "What you care about:"
			for _, p := range []string{"Who you are: ", "Manner: ", "What you asked for: ", "- ", "  What it is: ", "  Why: ", "  Asked as: ", "Assistant: ", "You: ", "Question: "} {
				ok = ok || strings.HasPrefix(line, p)
			}
			if !ok {
				t.Fatalf("line %q of\n%s", line, got)
			}
		}
	})
}

// FuzzReadSaid: what is read is never blank, unless the user stops.
func FuzzReadSaid(f *testing.F) {
	for _, s := range []string{`{"thought": 1, "response": "A cup.", "stop": false}`, `{"response": " ", "stop": true}`, `{"response": null, "stop": true}`, `{"stop": true}`, "", "[]"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, mayStop bool) {
		s, err := readSaid(text, mayStop)
		if err != nil {
			return
		}
		if s.stop && !mayStop || s.response == "" && !s.stop || s.response != strings.TrimSpace(s.response) {
			t.Fatalf("%q gives %+v", text, s)
		}
	})
}
