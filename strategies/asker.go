package strategies

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"pepbench/bench/interpret"
	"pepbench/bench/llm"
	"pepbench/domains"
)

// Asker lets a language model write the questions and decide when it has asked enough,
// as infer_persona of PrefDisco does (arXiv 2510.00177). It needs the clients of the
// setting.
//
// Each question is placed among the criteria of the task (see package interpret). One
// that is about none of them, or about one that was asked before or cannot be asked, has
// position -1: it is put all the same, and teaches the predictor nothing. The model
// hears every answer in words; the predictor gets the cells.
type Asker struct {
	Told    Told
	Predict Predict
}

// Told says what an asker is told beside the task.
type Told string

// What an asker may be told.
const (
	ToldCriteria Told = "criteria" // the names and questions of what can be asked
	ToldTask     Told = "task"     // nothing else
)

// A Forker is an Elicitor that gives a copy of itself, which goes on by itself and does
// not change the original. The caller asks a fork, and not a fresh elicitor, what another
// answer would have led to: elicitors that call a model are too dear to be run again.
type Forker interface {
	Fork() Elicitor
}

// AskerPromptName is versioned with the texts below: change the one with the others.
const AskerPromptName = "asker/1"

const (
	systemAsker = `You help a person who has asked for something. The answer itself will be written later, by somebody who will be told what you have found out about how this person would like it to be. You do not know them. Put one question at a time, in plain words that they understand, about one thing each, and let what you have heard guide what you ask next. Ask what is most likely to change the answer that suits them. When another question would be of no use, or when none is left, answer. Never ask about the solution of the request itself.`

	listedAsker = ` The message lists what may be asked about, each with a question that would do; word yours as you like, and never ask about the same thing twice.`

	formAsker = ` Reply with a JSON object and nothing else: {"action": "ask", "text": "your question"} or {"action": "answer", "text": ""}.`
)

var formatAsker = &llm.Format{Name: "action", Schema: json.RawMessage(`{"type":"object","properties":{"action":{"type":"string","enum":["ask","answer"]},"text":{"type":"string"}},"required":["action","text"],"additionalProperties":false}`)}

// AskerPromptHash is the SHA-256 of the system messages and of the user messages of a
// made-up session, which hold every fixed word and mark of the format.
func AskerPromptHash() string {
	s := Setting{
		Task:     domains.Task{Prompt: "P", Options: []domains.Option{{Label: "A", Text: "X"}}},
		Criteria: []domains.Criterion{{Name: "N", Question: "Q"}, {Name: "M"}}, Budget: 5,
	}
	past := []heard{{"A", "B"}, {"A", wordsNotHeld}, {"A", wordsMissing}}
	texts := []string{systemAsker, listedAsker, formAsker, strings.Join(domains.Ladder[:], "\x00")}
	for _, told := range []Told{ToldCriteria, ToldTask} {
		texts = append(texts, askerMessage(&s, told, past))
	}
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// Begin implements Strategy.
func (a Asker) Begin(s Setting) Elicitor {
	return &asker{told: a.Told, predict: a.Predict, setting: s, asked: make([]bool, len(s.Criteria)), predictor: a.Predict.Begin(s)}
}

// heard is a question with its answer, in words of one line each.
type heard struct{ question, answer string }

type asker struct {
	told      Told
	predict   Predict
	setting   Setting
	asked     []bool
	past      []heard
	learnt    []learnt // what the predictor was told, in order
	predictor Predictor
}

type learnt struct {
	position int
	cell     domains.Cell
}

// Next implements Elicitor. A reply of the model that cannot be read, repairs included,
// is an *llm.Unread; the session can go on no further then.
func (a *asker) Next(ctx context.Context) (domains.Question, error) {
	var text string
	done := false
	r := llm.Request{System: systemAsker, User: askerMessage(&a.setting, a.told, a.past), Format: formatAsker}
	if a.told == ToldCriteria {
		r.System += listedAsker
	}
	r.System += formAsker
	_, err := llm.Ask(ctx, a.setting.Asker, r, func(reply string) (err error) {
		text, done, err = readAction(reply)
		return err
	})
	switch {
	case err != nil:
		return domains.Question{}, err
	case done:
		return domains.Question{}, ErrDone
	}
	reader := interpret.Reader{Client: a.setting.Interpreter}
	place, err := reader.Question(ctx, a.setting.Criteria, text)
	if err != nil {
		return domains.Question{}, err
	}
	i := place.Position
	if i >= 0 && (a.asked[i] || !a.setting.CanAsk(i)) {
		i = -1
	}
	if i >= 0 {
		a.asked[i] = true
	}
	return domains.Question{Position: i, Text: text}, nil
}

// readAction reads {"action": "ask" or "answer", "text"}.
func readAction(reply string) (text string, done bool, err error) {
	m, err := llm.Object(reply)
	if err != nil {
		return "", false, err
	}
	var action string
	if raw, ok := m["action"]; !ok || json.Unmarshal(raw, &action) != nil {
		return "", false, errors.New(`the object has no "action" that is a text`)
	}
	switch action {
	case "answer":
		return "", true, nil
	case "ask":
	default:
		return "", false, fmt.Errorf("action is %.40q, neither ask nor answer", action)
	}
	raw, ok := m["text"]
	if !ok || len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		return "", false, errors.New(`the object has no "text" that is a text`)
	}
	if text = llm.OneLine(text); text == "" {
		return "", false, errors.New("the question is empty")
	}
	return text, false, nil
}

// What the model hears of answers without words.
const (
	wordsNotHeld = "That makes no difference to me."
	wordsMissing = "(no answer)"
)

// Observe implements Elicitor.
func (a *asker) Observe(q domains.Question, got domains.Answer) {
	said := llm.OneLine(got.Text)
	switch {
	case said != "":
	case got.Cell.IsHeld():
		c := &a.setting.Criteria[q.Position]
		said = llm.OneLine(c.Phrases(a.setting.Rubric)[c.PhraseOf(a.setting.Rubric, got.Cell.Value())])
	case got.Cell.IsNotHeld():
		said = wordsNotHeld
	default:
		said = wordsMissing
	}
	a.past = append(a.past, heard{llm.OneLine(q.Text), said})
	if q.Position >= 0 {
		a.predictor.Observe(q.Position, got.Cell)
		a.learnt = append(a.learnt, learnt{q.Position, got.Cell})
	}
}

// Infer implements Elicitor.
func (a *asker) Infer() domains.Inference { return a.predictor.Infer() }

// Fork implements Forker.
func (a *asker) Fork() Elicitor {
	f := *a
	f.asked = append([]bool(nil), a.asked...)
	f.past = append([]heard(nil), a.past...)
	f.learnt = append([]learnt(nil), a.learnt...)
	f.predictor = a.predict.Begin(a.setting)
	for _, l := range f.learnt {
		f.predictor.Observe(l.position, l.cell)
	}
	return &f
}

// askerMessage is the user message; see doc.go for its form.
func askerMessage(s *Setting, told Told, past []heard) string {
	var b strings.Builder
	request := s.Task.Prompt
	for _, o := range s.Task.Options {
		request += " " + o.Label + ") " + o.Text
	}
	b.WriteString("Request: " + llm.OneLine(request) + "\n")
	if told == ToldCriteria {
		b.WriteString("\nYou may ask about:\n")
		for i := range s.Criteria {
			c := &s.Criteria[i]
			if !s.CanAsk(i) {
				continue
			}
			name := strings.ReplaceAll(llm.OneLine(c.Name), ":", ",")
			question := llm.OneLine(c.Question)
			if question == "" {
				question = "How much " + name + " do you want?"
			}
			b.WriteString("- " + name + ": " + question + "\n")
		}
	}
	b.WriteByte('\n')
	for _, h := range past {
		b.WriteString("Asked: " + h.question + "\nHeard: " + h.answer + "\n")
	}
	b.WriteString("Questions left: " + strconv.Itoa(s.Budget-len(past)) + "\n")
	return b.String()
}

var (
	_ Strategy = Asker{}
	_ Forker   = (*asker)(nil)
)
