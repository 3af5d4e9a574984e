package strategies

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pepbench/bench/llm"
	"pepbench/domains"
)

// writer is a model that gives its replies in turn and keeps what it was asked.
type writer struct {
	replies []string
	seen    []llm.Request
}

func (w *writer) Complete(_ context.Context, r llm.Request) (llm.Reply, error) {
	w.seen = append(w.seen, r)
	return llm.Reply{Content: w.replies[min(len(w.seen), len(w.replies))-1], Finish: "stop", Attempts: 1}, nil
}

// deaf is an interpreter that finds no criterion.
func deaf() *writer { return &writer{replies: []string{`{"criterion": null}`}} }

// asks makes a setting with models.
func asks(asker, interpreter llm.Client) Setting {
	s := setting(4)
	s.Task.Prompt, s.Task.Options = "What is\nthe time?", []domains.Option{{Label: "A", Text: "noon"}}
	s.Asker, s.Interpreter, s.Rubric = asker, interpreter, domains.Quality
	s.Askable = []bool{true, true, true, false}
	return s
}

// TestAskerPrompt: the model is told the task, what may be asked, and what was asked and
// heard, a line each.
func TestAskerPrompt(t *testing.T) {
	w := &writer{replies: []string{
		`{"action": "ask", "text": "What about 1?"}`, `{"action": "ask", "text": "Who are\nyou?"}`,
		`{"action": "ask", "text": "What about 2?"}`, `{"action": "ask", "text": "What about 0?"}`, `{"action": "answer", "text": ""}`,
	}}
	e := Asker{Told: ToldCriteria}.Begin(asks(w, deaf()))
	want := []int{1, -1, 2, 0}
	for n, a := range []domains.Answer{
		{Cell: domains.At(2)}, {Cell: domains.Missing()}, {Cell: domains.NotHeld()}, {Cell: domains.At(1), Text: "None of\nthat."},
	} {
		q, err := e.Next(context.Background())
		if err != nil || q.Position != want[n] {
			t.Fatalf("question %d: %+v, %v; want position %d", n, q, err, want[n])
		}
		e.Observe(q, a)
	}
	if _, err := e.Next(context.Background()); !errors.Is(err, ErrDone) {
		t.Errorf("after it answers: %v", err)
	}
	const text = `Request: What is the time? A) noon

You may ask about:
- criterion 0: What about 0?
- criterion 1: What about 1?
- criterion 2: What about 2?

Asked: What about 1?
Heard: a little
Asked: Who are you?
Heard: (no answer)
Asked: What about 2?
Heard: That makes no difference to me.
Asked: What about 0?
Heard: None of that.
Questions left: 0
`
	if got := w.seen[len(w.seen)-1].User; got != text {
		t.Errorf("the prompt is\n%s\nwant\n%s", got, text)
	}
	inf := e.Infer()
	if inf.Held[0] != 1 || inf.Held[1] != 1 || inf.Value[1] != 2 || inf.Held[2] != 0 || inf.Held[3] == inf.Held[3] {
		t.Errorf("it infers %+v", inf)
	}
	blind := &writer{replies: []string{`{"action": "answer", "text": ""}`}}
	if _, err := (Asker{Told: ToldTask}.Begin(asks(blind, deaf()))).Next(context.Background()); !errors.Is(err, ErrDone) || strings.Contains(blind.seen[0].User, "criterion") {
		t.Errorf("told the task alone: %v\n%s", err, blind.seen[0].User)
	}
}

// TestAskerPlaces: what is asked about decides the position.
func TestAskerPlaces(t *testing.T) {
	for _, row := range []struct {
		reason, text, placed string
		want                 int
	}{
		{"the criterion's own question, without a model", "what about 2", `{"criterion": null}`, 2},
		{"by the model", "And the second?", `{"criterion": 2}`, 1},
		{"about none", "And then?", `{"criterion": null}`, -1},
		{"one that cannot be asked", "What about 3?", `{"criterion": null}`, -1},
		{"one that was asked", "What about 0?", `{"criterion": null}`, -1},
		{"a place that cannot be read", "And then?", `somewhere`, -1},
	} {
		w := &writer{replies: []string{`{"action": "ask", "text": "What about 0?"}`, `{"action": "ask", "text": "` + row.text + `"}`}}
		e := Asker{Told: ToldCriteria}.Begin(asks(w, &writer{replies: []string{row.placed}}))
		q, err := e.Next(context.Background())
		if err != nil || q.Position != 0 {
			t.Fatal(q, err)
		}
		e.Observe(q, domains.Answer{Cell: domains.NotHeld()})
		if q, err = e.Next(context.Background()); err != nil || q.Position != row.want || q.Text != row.text {
			t.Errorf("%s: %+v, %v; want position %d", row.reason, q, err, row.want)
		}
		e.Observe(q, domains.Answer{Cell: domains.Missing()})
	}
}

func TestAskerReplies(t *testing.T) {
	for _, row := range []struct {
		reason  string
		replies []string
		done    bool
		bad     bool
	}{
		{"asks", []string{`{"action": "ask", "text": "Why?"}`}, false, false},
		{"answers without a text", []string{`{"action": "answer"}`}, true, false},
		{"mended", []string{`Why?`, `{"action": "ask", "text": " "}`, `{"action": "ask", "text": "Why?"}`}, false, false},
		{"never readable", []string{`Why?`}, false, true},
		{"another action", []string{`{"action": "wait", "text": "Why?"}`}, false, true},
		{"a question that is no text", []string{`{"action": "ask", "text": 3}`}, false, true},
	} {
		q, err := Asker{Told: ToldTask}.Begin(asks(&writer{replies: row.replies}, deaf())).Next(context.Background())
		var unread *llm.Unread
		if errors.Is(err, ErrDone) != row.done || errors.As(err, &unread) != row.bad || err == nil && q.Text != "Why?" {
			t.Errorf("%s: %+v, %v", row.reason, q, err)
		}
	}
	broken := llm.ClientFunc(func(context.Context, llm.Request) (llm.Reply, error) { return llm.Reply{}, llm.ErrTransient })
	if _, err := (Asker{Told: ToldTask}.Begin(asks(broken, deaf()))).Next(context.Background()); !errors.Is(err, llm.ErrTransient) {
		t.Errorf("an endpoint that fails: %v", err)
	}
}

// TestForkGoesItsOwnWay: a fork has what its original has, and neither sees what the
// other is told afterwards.
func TestForkGoesItsOwnWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &writer{replies: []string{`{"action": "ask", "text": "What about 0?"}`, `{"action": "ask", "text": "What about 1?"}`}}
		e := Asker{Told: ToldCriteria}.Begin(asks(w, deaf()))
		cells := []domains.Cell{domains.Missing(), domains.NotHeld(), domains.At(1), domains.At(5)}
		cell := func(what string) domains.Cell { return rapid.SampledFrom(cells).Draw(t, what) }
		q, err := e.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		e.Observe(q, domains.Answer{Cell: cell("first")})
		if q, err = e.Next(context.Background()); err != nil {
			t.Fatal(err)
		}
		f := e.(Forker).Fork()
		if !equal(e.Infer(), f.Infer()) {
			t.Fatalf("the fork infers %v, its original %v", f.Infer(), e.Infer())
		}
		before := f.Infer()
		here, there := cell("here"), cell("there")
		e.Observe(q, domains.Answer{Cell: here})
		if !equal(before, f.Infer()) {
			t.Fatal("the fork has heard what its original was told")
		}
		f.Observe(q, domains.Answer{Cell: there})
		want := before.Clone()
		want.Tell(1, here)
		if !equal(want, e.Infer()) {
			t.Fatalf("the original infers %v, want %v", e.Infer(), want)
		}
		if a, b := e.(*asker).past, f.(*asker).past; len(a) != 2 || len(b) != 2 || a[0] != b[0] {
			t.Fatalf("they have heard %v and %v", a, b)
		}
	})
}

// FuzzReadAction: a question is one line that is not empty, or there is none.
func FuzzReadAction(f *testing.F) {
	for _, s := range []string{`{"action": "ask", "text": "Why?\nHow?"}`, `{"action": "answer"}`, `{"action": "ask", "text": "\u2028"}`, "", "null"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, reply string) {
		text, done, err := readAction(reply)
		if (err != nil || done) != (text == "") || strings.ContainsAny(text, "\n\r\u2028\u2029") {
			t.Fatalf("%q, %v, %v", text, done, err)
		}
	})
}
