package simusers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"pepbench/bench/llm"
	"pepbench/domains"
)

// A Manner is how a user talks.
type Manner string

// The manners.
const (
	Passive       Manner = "passive"        // tells only what is asked, and may end the questions
	PassiveNoStop Manner = "passive-nostop" // tells only what is asked
	Collaborative Manner = "collaborative"  // may tell more than was asked
)

// A Character is who a verbal user plays.
type Character struct {
	Persona  string // who they are; may be empty
	Task     domains.Task
	Criteria []domains.Criterion // of the task, in order
	Profile  *domains.Profile
	Rubric   domains.RubricKind
}

// Verbal is a user whose words a language model makes, from the persona and the
// profile of one user. It remembers what was asked and answered: make one a session,
// and use it from one goroutine. Its answers are words, and their cell is missing:
// what they mean is for somebody to find out who does not know the profile.
type Verbal struct {
	client llm.Client
	manner Manner
	about  string // the part of the prompt that no turn changes
	past   []exchange
}

// An exchange is a question with what was said to it.
type exchange struct{ question, said string }

// VerbalPromptName is versioned with the texts below: change the one with the others.
const VerbalPromptName = "user/verbal/1"

const (
	systemVerbal = `You play a person who has asked an assistant for something. Before it answers, the assistant may put questions about how the answer should be. The message says who you are, how you talk, what you asked for, and the few things you care about, with how much of each you want. Nothing else about the answer makes a difference to you. Answer the last question truthfully from that list, as this person would say it: if it is about something on the list, say how much of it you want; if it is about something else, say that you have no preference there. Keep to the manner that is stated. Never mention these instructions or that there is a list.`

	formVerbal     = ` Reply with a JSON object and nothing else: {"thought": "what the question is about, and whether you care", "response": "what you say"}.`
	formVerbalStop = ` Reply with a JSON object and nothing else: {"thought": "what the question is about, and whether you care", "response": "what you say", "stop": true or false}, where stop is true if you want no more questions after this one.`
)

// manners are the words of each manner.
var manners = map[Manner]string{
	Passive:       "answer only what is asked, in one short sentence, and bring up nothing by yourself; you may end the questions when all that you care about has been talked about",
	PassiveNoStop: "answer only what is asked, in one short sentence, and bring up nothing by yourself; take every question that comes",
	Collaborative: "answer what is asked, and you may volunteer one more thing you care about that has not been talked about; take every question that comes",
}

// mayStop says that a manner has a way to end the questions.
func (m Manner) mayStop() bool { return m == Passive }

// About says in one line what a manner is.
func (m Manner) About() string { return manners[m] }

var (
	formatVerbal     = &llm.Format{Name: "said", Schema: json.RawMessage(`{"type":"object","properties":{"thought":{"type":"string"},"response":{"type":"string"}},"required":["thought","response"],"additionalProperties":false}`)}
	formatVerbalStop = &llm.Format{Name: "said", Schema: json.RawMessage(`{"type":"object","properties":{"thought":{"type":"string"},"response":{"type":"string"},"stop":{"type":"boolean"}},"required":["thought","response","stop"],"additionalProperties":false}`)}
)

// VerbalPromptHash is the SHA-256 of the system messages and of the user messages of a
// made-up user, which hold every fixed word and mark of the format.
func VerbalPromptHash() string {
	five := make([]domains.Level, 5)
	for i := range five {
		five[i] = domains.Level{Value: float64(i + 1), Text: fmt.Sprint("L", i)}
	}
	c := Character{
		Persona:  "U",
		Task:     domains.Task{Prompt: "P", Options: []domains.Option{{Label: "A", Text: "X"}}},
		Criteria: []domains.Criterion{{Name: "M", Description: "D", Question: "Q", Levels: five}, {Name: "N", Levels: five}},
		Profile: &domains.Profile{
			Cells: []domains.Cell{domains.At(2), domains.NotHeld()}, Notes: []domains.Note{{Justification: "J"}, {}},
		},
	}
	texts := []string{systemVerbal, formVerbal, formVerbalStop, strings.Join(domains.Ladder[:], "\x00")}
	for _, m := range []Manner{Passive, PassiveNoStop, Collaborative} {
		for _, c.Rubric = range []domains.RubricKind{domains.Amount, domains.Quality} {
			v := NewVerbal(nil, m, c)
			texts = append(texts, v.message([]exchange{{"A", "B"}, {"A", ""}}, "C"))
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// NewVerbal gives the user of a character.
func NewVerbal(client llm.Client, m Manner, c Character) *Verbal {
	if manners[m] == "" {
		panic(fmt.Sprintf("simusers: no manner %q", m))
	}
	return &Verbal{client: client, manner: m, about: portrait(m, &c)}
}

// Answer implements User. The question is told by its text. An answer that cannot be
// read is an *llm.Unread, and the conversation goes on as if nothing had been said; an
// endpoint that failed or a context that is done is an error too (see llm.Ask).
func (v *Verbal) Answer(ctx context.Context, q domains.Question) (domains.Answer, error) {
	a, err := v.say(ctx, v.past, q.Text, 0)
	v.past = append(v.past, exchange{llm.OneLine(q.Text), llm.OneLine(a.Text)})
	return a, err
}

// Again puts the last question once more to a user who has not heard it yet, as draw
// number repeat (1, 2, ...). The conversation does not get to know it. There must have
// been a question.
func (v *Verbal) Again(ctx context.Context, repeat int) (domains.Answer, error) {
	last := len(v.past) - 1
	return v.say(ctx, v.past[:last], v.past[last].question, repeat)
}

// said is what is read of a reply.
type said struct {
	response string
	stop     bool
}

func (v *Verbal) say(ctx context.Context, past []exchange, question string, repeat int) (domains.Answer, error) {
	r := llm.Request{System: systemVerbal + formVerbal, User: v.message(past, question), Format: formatVerbal, Repeat: repeat}
	if v.manner.mayStop() {
		r.System, r.Format = systemVerbal+formVerbalStop, formatVerbalStop
	}
	var s said
	_, err := llm.Ask(ctx, v.client, r, func(text string) (err error) {
		s, err = readSaid(text, v.manner.mayStop())
		return err
	})
	if err != nil {
		return domains.Answer{Cell: domains.Missing()}, err
	}
	return domains.Answer{Cell: domains.Missing(), Text: s.response, Stop: s.stop}, nil
}

// readSaid reads {"thought", "response", "stop"}. The thought is for the model's own
// use and may be anything; stop may be left out and is looked at only where the manner
// has it. A response may be empty only from somebody who stops.
func readSaid(text string, mayStop bool) (said, error) {
	m, err := llm.Object(text)
	if err != nil {
		return said{}, err
	}
	var s said
	if raw := m["stop"]; mayStop && raw != nil && string(raw) != "null" {
		if err := json.Unmarshal(raw, &s.stop); err != nil {
			return said{}, fmt.Errorf("stop is %.40s, not true or false", raw)
		}
	}
	raw, ok := m["response"]
	switch {
	case !ok && !s.stop:
		return said{}, errors.New(`the object has no "response"`)
	case ok && (len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s.response) != nil):
		if !s.stop || string(raw) != "null" {
			return said{}, fmt.Errorf("response is %.40s, not a text", raw)
		}
	}
	if s.response = strings.TrimSpace(s.response); s.response == "" && !s.stop {
		return said{}, errors.New("the response is empty")
	}
	return s, nil
}

// portrait is what the user knows of itself; see doc.go for its form.
func portrait(m Manner, c *Character) string {
	var b strings.Builder
	line := func(key, text string) {
		if text = llm.OneLine(text); text != "" {
			b.WriteString(key + text + "\n")
		}
	}
	line("Who you are: ", c.Persona)
	line("Manner: ", manners[m])
	request := c.Task.Prompt
	for _, o := range c.Task.Options {
		request += " " + o.Label + ") " + o.Text
	}
	line("What you asked for: ", request)
	b.WriteString("\nWhat you care about:\n")
	for i, cell := range c.Profile.Cells {
		if !cell.IsHeld() {
			continue
		}
		crit := &c.Criteria[i]
		b.WriteString("- " + strings.ReplaceAll(llm.OneLine(crit.Name), ":", ",") + ": ")
		b.WriteString(llm.OneLine(crit.Phrases(c.Rubric)[crit.PhraseOf(c.Rubric, cell.Value())]) + "\n")
		about := crit.Description
		if c.Profile.Notes != nil && c.Profile.Notes[i].Description != "" {
			about = c.Profile.Notes[i].Description
		}
		line("  What it is: ", about)
		if c.Profile.Notes != nil {
			line("  Why: ", c.Profile.Notes[i].Justification)
		}
		line("  Asked as: ", crit.Question)
	}
	b.WriteString("\nAll else about the answer makes no difference to you.\n")
	return b.String()
}

// message is the user message.
func (v *Verbal) message(past []exchange, question string) string {
	var b strings.Builder
	b.WriteString(v.about)
	if len(past) > 0 {
		b.WriteString("\nSo far:\n")
	}
	for _, x := range past {
		b.WriteString("Assistant: " + x.question + "\nYou: ")
		if x.said == "" {
			b.WriteString("(nothing)")
		}
		b.WriteString(x.said + "\n")
	}
	b.WriteString("\nQuestion: " + llm.OneLine(question) + "\n")
	return b.String()
}

var _ User = (*Verbal)(nil)
