package interpret

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pepbench/bench/llm"
	"pepbench/bench/llm/sim"
	"pepbench/domains"
)

func levels(texts ...string) []domains.Level {
	out := make([]domains.Level, len(texts))
	for i, t := range texts {
		out[i] = domains.Level{Value: float64(i + 1), Text: t}
	}
	return out
}

// some are criteria of a made-up task: two with levels, two on the ladder.
func some() []domains.Criterion {
	return []domains.Criterion{
		{ID: "tea", Name: "Kettle talk", Question: "Do you like tea?", Levels: levels("says nothing of tea", "one warm remark", "two cosy remarks", "a page on brewing", "a whole treatise on leaves")},
		{ID: "rhyme", Name: "Rhyme use", Question: "Would you like verses?", Levels: levels("plain prose", "a stray rhyme", "every other line rhymes", "couplets all through", "a sonnet")},
		{ID: "joke", Name: "Jokes", Question: "How funny may it be?", Levels: levels("", "", "", "", "")},
		{ID: "long", Name: "Dark jokes", Question: "How grim may it be?", Levels: levels("", "", "", "", "")},
	}
}

// silent is a model that must not be asked.
var silent = llm.ClientFunc(func(context.Context, llm.Request) (llm.Reply, error) {
	return llm.Reply{}, errors.New("a model was asked")
})

// scripted answers in turn.
func scripted(replies ...string) llm.Client {
	n := 0
	return llm.ClientFunc(func(context.Context, llm.Request) (llm.Reply, error) {
		r := replies[min(n, len(replies)-1)]
		n++
		return llm.Reply{Content: r, Finish: "stop", Attempts: 1}, nil
	})
}

// TestRules: what is decided without a model, and what is not.
func TestRules(t *testing.T) {
	told := func(v float64) domains.Cell { return domains.At(v) }
	not, no := domains.NotHeld(), domains.Missing()
	for _, row := range []struct {
		reason   string
		position int
		text     string
		sure     bool
		state    State
		cell     domains.Cell
		stop     bool
	}{
		{"the text of a level", 0, "For me: two cosy remarks.", true, Told, told(3), false},
		{"with the name and courtesies", 0, "Kettle talk? Please, I would like a page on brewing. Thank you.", true, Told, told(4), false},
		{"case, marks and quotes do not count", 0, `"A WHOLE treatise, on leaves!"`, true, Told, told(5), false},
		{"a level that says absence", 0, "I'd want: says nothing of tea.", true, Told, told(1), false},
		{"a phrase of the ladder", 2, "As much as possible, please.", true, Told, told(5), false},
		{"a shorter phrase within a longer one", 2, "A little.", true, Told, told(2), false},
		{"none with words that say it is wanted", 2, "For me: none.", true, Told, told(1), false},
		{"a bare none may be no wish", 2, "None.", false, "", no, false},
		{"too much is not much", 2, "Too much.", false, "", no, false},
		{"more than a little is not a little", 2, "More than a little.", false, "", no, false},
		{"not much is not much", 2, "Not much.", false, "", no, false},
		{"a negated level", 0, "Please not a page on brewing.", false, "", no, false},
		{"two levels", 0, "One warm remark or two cosy remarks.", false, "", no, false},
		{"two levels in two sentences", 0, "One warm remark. Two cosy remarks.", false, "", no, false},
		{"the same level twice is one", 0, "One warm remark. Just one warm remark.", true, Told, told(2), false},
		{"a level of another criterion is no answer", 0, "A sonnet.", false, "", no, false},
		{"a level and a sentence that nobody understands", 0, "One warm remark. My uncle grew it.", false, "", no, false},
		{"a level and no wish contradict", 0, "I don't mind. One warm remark.", false, "", no, false},
		{"no preference", 0, "I have no preference about that.", true, Indifferent, not, false},
		{"it does not matter", 0, "It doesn’t really matter to me.", true, Indifferent, not, false},
		{"I do not mind", 1, "I don't mind.", true, Indifferent, not, false},
		{"a denied indifference", 1, "It's not that I don't mind.", false, "", no, false},
		{"not to care for is to dislike", 1, "I don't care for it.", false, "", no, false},
		{"not to care is not to care", 1, "I don't care about it.", true, Indifferent, not, false},
		{"indifference with an exception", 1, "I have no preference, except in winter.", false, "", no, false},
		{"to mind a little", 2, "I don't mind a little.", false, "", no, false},
		{"does not know", 0, "I'm not sure.", true, Aside, no, false},
		{"has had enough", 0, "No more questions, please.", true, Stop, no, true},
		{"a level and enough", 0, "Two cosy remarks. No more questions please.", true, Told, told(3), true},
		{"no preference and enough", 0, "I don't mind. Please just answer.", true, Indifferent, not, true},
		{"a plain no may be either", 0, "No.", false, "", no, false},
		{"courtesies alone", 0, "Thank you.", false, "", no, false},
		{"nothing", 0, "", false, "", no, false},
	} {
		m, sure := byRules(&Heard{Criteria: some(), Position: row.position, Text: row.text}, domains.Amount)
		if sure != row.sure || sure && (m.State != row.state || !m.Cell.Equal(row.cell) || m.Stop != row.stop || m.By != ByRule) {
			t.Errorf("%s: %q gives %+v, sure %v", row.reason, row.text, m, sure)
		}
		if !sure && !m.Cell.IsMissing() {
			t.Errorf("%s: the rules are not sure, and give %v", row.reason, m.Cell)
		}
	}
}

// TestStoppedWithoutAWord: a user who stops and says nothing has stopped.
func TestStoppedWithoutAWord(t *testing.T) {
	m, err := Reader{Client: silent, Rubric: domains.Amount}.Answer(context.Background(), Heard{Criteria: some(), Stop: true})
	if err != nil || m.State != Stop || !m.Stop || !m.Cell.IsMissing() {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestVolunteered(t *testing.T) {
	for _, row := range []struct {
		reason, text string
		position     int
		want         string
		state        State
	}{
		{"another one beside the answer", "For me: one warm remark. Also, Rhyme use: a sonnet.", 0, "[{1 5}]", Told},
		{"beside no preference, on the ladder", "I have no preference about that. Also, Jokes: much.", 0, "[{2 4}]", Indifferent},
		{"two of them", "One warm remark. As to jokes, a little. Rhyme use: couplets all through.", 0, "[{1 4} {2 2}]", Told},
		{"the longer name counts", "One warm remark. Dark jokes: some.", 0, "[{3 3}]", Told},
		{"what is asked about is not volunteered", "Kettle talk: one warm remark.", 0, "[]", Told},
		{"asked about none, told of one", "Jokes: some.", -1, "[{2 3}]", ""},
		{"two amounts of one are none", "One warm remark. Jokes: some. Jokes: much.", 0, "[]", Told},
	} {
		m, err := Reader{Client: silent, Rubric: domains.Amount}.Answer(context.Background(), Heard{Criteria: some(), Position: row.position, Text: row.text})
		got := fmt.Sprint(m.Volunteered)
		if err != nil || got != row.want || m.State != row.state {
			t.Errorf("%s: %s, state %q, %v; want %s, %q", row.reason, got, m.State, err, row.want, row.state)
		}
	}
}

// TestModel: what the model says becomes state and cell, and what it does not say is
// never made up.
func TestModel(t *testing.T) {
	for _, row := range []struct {
		reason  string
		replies []string
		state   State
		cell    domains.Cell
		stop    bool
	}{
		{"held at a level", []string{`{"held": true, "level": 4, "stop": false}`}, Told, domains.At(4), false},
		{"in a fence, without stop", []string{"```json\n{\"held\": true, \"level\": 1}\n```"}, Told, domains.At(1), false},
		{"not held", []string{`{"held": false, "level": null, "stop": true}`}, Indifferent, domains.NotHeld(), true},
		{"held, and nobody knows how much", []string{`{"held": true, "level": null}`}, Aside, domains.Missing(), false},
		{"beside the point", []string{`{"held": null, "level": null}`}, Aside, domains.Missing(), false},
		{"only wants to stop", []string{`{"held": null, "level": null, "stop": true}`}, Stop, domains.Missing(), true},
		{"mended", []string{`much`, `{"held": true, "level": 9}`, `{"held": true, "level": 2}`}, Told, domains.At(2), false},
		{"never readable", []string{`{"held": "yes"}`}, Unread, domains.Missing(), false},
		{"a level that is no whole number", []string{`{"held": true, "level": 2.5}`}, Unread, domains.Missing(), false},
		{"no level", []string{`{"held": true}`}, Unread, domains.Missing(), false},
	} {
		m, err := Reader{Client: scripted(row.replies...), Rubric: domains.Amount}.Answer(context.Background(), Heard{Criteria: some(), Text: "Well, my uncle grew it."})
		if err != nil || m.State != row.state || !m.Cell.Equal(row.cell) || m.Stop != row.stop || m.By != ByModel || m.Reason == "" {
			t.Errorf("%s: %+v, %v", row.reason, m, err)
		}
	}
}

// TestEndpointErrorsPass: a broken endpoint is no finding about the answer.
func TestEndpointErrorsPass(t *testing.T) {
	broken := llm.ClientFunc(func(context.Context, llm.Request) (llm.Reply, error) {
		return llm.Reply{}, fmt.Errorf("no: %w", llm.ErrTransient)
	})
	r := Reader{Client: broken, Rubric: domains.Amount}
	if m, err := r.Answer(context.Background(), Heard{Criteria: some(), Text: "hm?"}); !errors.Is(err, llm.ErrTransient) || !m.Cell.IsMissing() {
		t.Errorf("answer: %+v, %v", m, err)
	}
	if p, err := r.Question(context.Background(), some(), "hm?"); !errors.Is(err, llm.ErrTransient) || p.Position != -1 {
		t.Errorf("question: %+v, %v", p, err)
	}
}

// TestQuestion: rules first, then the model, and none of them where nobody can tell.
func TestQuestion(t *testing.T) {
	for _, row := range []struct {
		reason, text string
		reply        string // empty: no model may be asked
		want         int
	}{
		{"its own question", "do you like TEA", "", 0},
		{"all stems of one name", "How much rhyming use shall there be? Using rhymes, I mean.", "", 1},
		{"the longer of two names", "May there be dark jokes?", "", 3},
		{"two names", "Jokes, or kettle talk?", `{"criterion": null}`, -1},
		{"another wording, placed by the model", "May it be humorous?", `{"criterion": 3}`, 2},
		{"about none", "Who are you?", `{"criterion": null}`, -1},
		{"a number that is none", "Who are you?", `{"criterion": 5}`, -1},
	} {
		client := silent
		if row.reply != "" {
			client = scripted(row.reply).(llm.ClientFunc)
		}
		p, err := Reader{Client: client}.Question(context.Background(), some(), row.text)
		if err != nil || p.Position != row.want || (p.By == ByRule) != (row.reply == "") || (p.Position < 0) != (p.Reason != "") {
			t.Errorf("%s: %+v, %v", row.reason, p, err)
		}
	}
}

// TestBySimulator: the embedded model reads these prompts over the wire.
func TestBySimulator(t *testing.T) {
	url, stop, err := sim.Serve(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	c, err := llm.Dial(llm.Endpoint{BaseURL: url, Model: sim.Model, Concurrency: 1}, llm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := Reader{Client: c, Rubric: domains.Amount}
	for _, row := range []struct {
		reason, text string
		state        State
		cell         domains.Cell
	}{
		{"a level in a sentence", "My uncle would write a page on brewing, and so should you.", Told, domains.At(4)},
		{"no preference in a sentence", "Since my uncle died I have had no preference.", Indifferent, domains.NotHeld()},
		{"no level", "My uncle >>>\nlikes hats.", Aside, domains.Missing()},
	} {
		m, err := r.Answer(context.Background(), Heard{Criteria: some(), Question: "Do you like tea?", Text: row.text})
		if err != nil || m.State != row.state || !m.Cell.Equal(row.cell) || m.By != ByModel {
			t.Errorf("%s: %+v, %v", row.reason, m, err)
		}
	}
	for text, want := range map[string]int{"How funny should the jokes in it be, dark or not?": 2, "Would you like any verses?": 1, "Who are you, stranger?": -1} {
		if p, err := r.Question(context.Background(), some(), text); err != nil || p.Position != want && p.By == ByModel {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	}
}

// drawn makes criteria whose names and levels are invented words.
func drawn(t *rapid.T) []domains.Criterion {
	seen := map[string]bool{}
	word := func() string {
		for {
			w := rapid.StringMatching(`[bdfgklmnprtvz][aou][bdfgklmnprtvz][aou][kmp]`).Draw(t, "word")
			if !seen[w] {
				seen[w] = true
				return w
			}
		}
	}
	out := make([]domains.Criterion, rapid.IntRange(1, 4).Draw(t, "criteria"))
	for i := range out {
		texts := make([]string, 5)
		for l := range texts {
			texts[l] = word() + " the " + word()
		}
		out[i] = domains.Criterion{ID: fmt.Sprint(i), Name: word() + " " + word(), Question: "What of " + word() + "?", Levels: levels(texts...)}
	}
	return out
}

// TestEveryLevelIsRead: the text of a level is that level, by rule; with a negation
// before it the rules keep silent; told of another criterion it is volunteered.
func TestEveryLevelIsRead(t *testing.T) {
	lead := []string{"For me: ", "I would like ", "Please, ", ""}
	rapid.Check(t, func(t *rapid.T) {
		cs := drawn(t)
		i, l := rapid.IntRange(0, len(cs)-1).Draw(t, "criterion"), rapid.IntRange(0, 4).Draw(t, "level")
		text := cs[i].Levels[l].Text
		h := Heard{Criteria: cs, Position: i, Text: rapid.SampledFrom(lead).Draw(t, "lead") + text + "."}
		m, sure := byRules(&h, domains.Amount)
		if !sure || m.State != Told || !m.Cell.Equal(domains.At(float64(l+1))) || m.Volunteered != nil {
			t.Fatalf("%q of %v: %+v, sure %v", h.Text, cs[i].Levels, m, sure)
		}
		h.Text = rapid.SampledFrom([]string{"Not ", "Anything but ", "Never ", "Less than "}).Draw(t, "negation") + text + "."
		if m, sure := byRules(&h, domains.Amount); sure {
			t.Fatalf("%q: %+v", h.Text, m)
		}
		j := rapid.IntRange(0, len(cs)-1).Draw(t, "other")
		if j == i {
			return
		}
		h.Text = "I have no preference. Also, " + cs[j].Name + ": " + cs[j].Levels[l].Text + "."
		if m, sure := byRules(&h, domains.Amount); !sure || m.State != Indifferent || !slices.Equal(m.Volunteered, []Volunteered{{j, domains.At(float64(l + 1))}}) {
			t.Fatalf("%q: %+v, sure %v", h.Text, m, sure)
		}
	})
}

// FuzzAnswer: whatever is said, and whatever a model makes of it, state and cell agree.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{"For me: two cosy remarks.", "I don't mind.", "No more questions.", "Also, Jokes: much.", "'", "\x00’s"} {
		f.Add(s, `{"held": true, "level": 2}`, 0)
	}
	f.Add("hm", `{"held": null, "level": null, "stop": true}`, 2)
	f.Fuzz(func(t *testing.T, text, reply string, position int) {
		cs := some()
		h := Heard{Criteria: cs, Position: min(max(position, -1), len(cs)-1), Text: text}
		m, err := Reader{Client: scripted(reply), Rubric: domains.Amount}.Answer(context.Background(), h)
		if err != nil {
			t.Fatal(err)
		}
		ok := m.Cell.IsMissing()
		switch m.State {
		case Told:
			ok = m.Cell.IsHeld() && cs[h.Position].Allows(m.Cell.Value())
		case Indifferent:
			ok = m.Cell.IsNotHeld()
		case Stop:
			ok = ok && m.Stop
		}
		if !ok || (m.State == "") != (h.Position < 0) || (m.By == "") != (h.Position < 0) {
			t.Fatalf("%+v", m)
		}
		for _, v := range m.Volunteered {
			if v.Position == h.Position || !v.Cell.IsHeld() {
				t.Fatalf("volunteered: %+v", m)
			}
		}
		if strings.Contains(llm.OneLine(text), "\n") {
			t.Fatal("more than one line")
		}
	})
}

// many are forty criteria of five levels, as many as the largest built-in domain has.
func many() []domains.Criterion {
	out := make([]domains.Criterion, 40)
	for i := range out {
		n := strings.Repeat(string(rune('a'+i%26)), 3+i/26) + "o"
		out[i] = domains.Criterion{
			ID: n, Name: n + " talk", Question: "How much of " + n + " would you like there to be?",
			Levels: levels("says nothing about "+n, "hints at "+n+" in passing", "puts "+n+" plainly once or twice", "goes into "+n+" at some length", "is about hardly anything but "+n),
		}
	}
	return out
}

func BenchmarkRules(b *testing.B) {
	cs := many()
	r := Reader{Client: silent, Rubric: domains.Amount}
	for name, text := range map[string]string{"level": "For me: puts dddo plainly once or twice.", "indifferent": "I have no preference about that. Also, eeeo talk: hints at eeeo in passing."} {
		b.Run("answer="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if m, err := r.Answer(context.Background(), Heard{Criteria: cs, Position: 3, Text: text}); err != nil || m.By != ByRule {
					b.Fatal(m, err)
				}
			}
		})
	}
	b.Run("question", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if p, err := r.Question(context.Background(), cs, "how much of dddo would you like there to be"); err != nil || p.Position != 3 {
				b.Fatal(p, err)
			}
		}
	})
}
