package judges

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

// Correctness says whether a task is answered rightly: by the exact option, number
// or words where the response states them plainly, else by a model.
type Correctness struct {
	Client llm.Client // nil: what rules cannot tell stays undefined
}

// CorrectnessPromptName is versioned with the text below.
const CorrectnessPromptName = "judge/correctness/1"

const systemCorrect = `You check whether a response gives the right final answer to a task. Only the final answer counts, not the explanation or the style.` + systemFence + ` Reply with a JSON object and nothing else: {"correct": true or false, "reason": "one short sentence"}.`

var formatCorrect = &llm.Format{
	Name:   "correctness",
	Schema: json.RawMessage(`{"type":"object","properties":{"correct":{"type":"boolean"},"reason":{"type":"string"}},"required":["correct","reason"],"additionalProperties":false}`),
}

// CorrectnessPromptHash is the SHA-256 of the system message and of the user
// message of a made-up task, which holds every fixed word and mark of the format.
func CorrectnessPromptHash() string {
	t := domains.Task{Prompt: "P", Options: []domains.Option{{Label: "A", Text: "X"}}, Answer: "A"}
	sum := sha256.Sum256([]byte(systemCorrect + "\x00" + check(&t, "R")))
	return hex.EncodeToString(sum[:])
}

// Judge compares the response with task.Answer. A nil result is undefined: the
// task has no known answer, or nobody could tell; the reason says which. The error
// is that of an unusable endpoint or a cancelled context.
func (k *Correctness) Judge(ctx context.Context, task domains.Task, response string) (*bool, string, error) {
	if task.Answer == "" {
		return nil, "the task has no known answer", nil
	}
	if found, right, ok := byRule(&task, response); ok {
		return &right, "states " + found, nil
	}
	if k.Client == nil {
		return nil, "no final answer found by rule", nil
	}
	var right *bool
	var reason string
	q := llm.Request{System: systemCorrect, User: check(&task, response), Format: formatCorrect}
	_, err := llm.Ask(ctx, k.Client, q, func(text string) error {
		m, err := llm.Object(text)
		if err != nil {
			return err
		}
		if json.Unmarshal(m["correct"], &right) != nil || right == nil {
			return fmt.Errorf("\"correct\" is neither true nor false: %.80q", text)
		}
		if json.Unmarshal(m["reason"], &reason) != nil {
			reason = ""
		}
		return nil
	})
	var unread *llm.Unread
	switch {
	case errors.As(err, &unread):
		return nil, unread.Error(), nil
	case err != nil:
		return nil, "", err
	}
	return right, reason, nil
}

// byRule compares without a model. ok is false where the rules cannot tell.
func byRule(task *domains.Task, response string) (found string, right, ok bool) {
	if len(task.Options) > 0 {
		found, ok = FinalAnswer(response, task.Options)
		return found, found == task.Answer, ok
	}
	if _, want, isNumber := number(task.Answer); isNumber {
		found, ok = FinalAnswer(response, nil)
		_, got, _ := number(found)
		return found, got == want, ok
	}
	// Words: equal is right, but different ones may mean the same.
	for _, s := range statements(response) {
		if !strings.EqualFold(bare(s), bare(task.Answer)) {
			return "", false, false
		}
		found, ok = bare(s), true
	}
	return found, ok, ok
}

// check is the user message.
func check(task *domains.Task, response string) string {
	reference := task.Answer
	for _, o := range task.Options {
		if o.Label == task.Answer {
			reference = o.Label + ") " + o.Text
		}
	}
	var b strings.Builder
	writeTask(&b, task)
	b.WriteString("\nReference answer: ")
	b.WriteString(oneLine(reference))
	b.WriteString("\n\n")
	writeResponse(&b, response)
	return b.String()
}
