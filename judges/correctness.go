package judges

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"pepbench/bench/llm"
	"pepbench/domains"
)

// Correctness says whether a task is answered rightly: by the exact option or
// number where the response states one, else by a model.
type Correctness struct {
	Client llm.Client // nil: what rules cannot tell stays undefined
}

// CorrectnessPromptName is versioned with the text below.
const CorrectnessPromptName = "judge/correctness/1"

const systemCorrect = `You check whether a response gives the right final answer to a task. Only the final answer counts, not the explanation or the style. Reply with a JSON object and nothing else: {"correct": true or false, "reason": "one short sentence"}.`

// CorrectnessPromptHash is the SHA-256 of the fixed words of the prompt.
func CorrectnessPromptHash() string {
	sum := sha256.Sum256([]byte(systemCorrect))
	return hex.EncodeToString(sum[:])
}

// Judge compares the response with task.Answer. A nil result is undefined: the
// task has no known answer, or nobody could tell; the reason says which. The error
// is that of an unusable endpoint or a cancelled context.
func (k *Correctness) Judge(ctx context.Context, task domains.Task, response string) (*bool, string, error) {
	if task.Answer == "" {
		return nil, "the task has no known answer", nil
	}
	if found, ok := FinalAnswer(response, task.Options); ok {
		right := same(found, task.Answer)
		return &right, "states " + found, nil
	}
	if k.Client == nil {
		return nil, "no final answer found by rule", nil
	}
	var b strings.Builder
	b.WriteString("Task:\n" + strings.TrimSpace(task.Prompt) + "\n")
	reference := task.Answer
	for _, o := range task.Options {
		fmt.Fprintf(&b, "%s) %s\n", o.Label, o.Text)
		if o.Label == task.Answer {
			reference = o.Label + ") " + o.Text
		}
	}
	fmt.Fprintf(&b, "\nReference answer: %s\n\nResponse:\n%s\n%s\n%s\n", oneLine(reference), open, response, shut)
	reply, err := k.Client.Complete(ctx, llm.Request{System: systemCorrect, User: b.String()})
	if err != nil {
		if ctx.Err() != nil || errors.Is(err, llm.ErrUnusable) {
			return nil, "", err
		}
		return nil, "call failed: " + err.Error(), nil
	}
	var v struct {
		Correct *bool  `json:"correct"`
		Reason  string `json:"reason"`
	}
	if err := json.NewDecoder(bytes.NewReader([]byte(unfence(reply.Content)))).Decode(&v); err != nil || v.Correct == nil {
		return nil, fmt.Sprintf("unreadable reply: %.80q", reply.Content), nil
	}
	return v.Correct, v.Reason, nil
}

var (
	answerLine = regexp.MustCompile(`(?im)^[\s*#>]*(?:final\s+)?answer\s*(?:is)?\s*[:=]\s*(.+)$`)
	optionLead = regexp.MustCompile(`^[\s*(\[]*([A-Za-z])[\s*]*(?:[).\]:,]|$)`)
	number     = regexp.MustCompile(`^[\s*$(]*(-?\d[\d,]*(?:\.\d+)?)[\s*$).]*$`)
)

// FinalAnswer reads the answer that a response states on its last line that begins
// with "Answer:": the label of an option (by its label or its whole text), or the
// number when the task has no options. It is conservative: what is not plainly one
// answer is not found.
func FinalAnswer(response string, options []domains.Option) (string, bool) {
	lines := answerLine.FindAllStringSubmatch(response, -1)
	if len(lines) == 0 {
		return "", false
	}
	said := strings.TrimSpace(lines[len(lines)-1][1])
	if len(options) == 0 {
		m := number.FindStringSubmatch(said)
		if m == nil {
			return "", false
		}
		return strings.ReplaceAll(m[1], ",", ""), true
	}
	bare := strings.Trim(said, " .*\"'")
	for _, o := range options {
		if strings.EqualFold(bare, strings.Trim(o.Text, " .")) {
			return o.Label, true
		}
	}
	m := optionLead.FindStringSubmatch(said)
	if m == nil {
		return "", false
	}
	for _, o := range options {
		if strings.EqualFold(o.Label, m[1]) {
			return o.Label, true
		}
	}
	return "", false
}

// same compares labels or words without case, and numbers by value.
func same(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(strings.ReplaceAll(b, ",", ""), 64)
	if errX == nil && errY == nil {
		return x == y
	}
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}
