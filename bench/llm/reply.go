package llm

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// The parts of a chat completion that are read. What servers disagree about is kept
// raw; a field of a type that nobody would expect counts as missing.
type (
	completion struct {
		Model   string   `json:"model"`
		Choices []choice `json:"choices"`
		Usage   struct {
			In  float64 `json:"prompt_tokens"`
			Out float64 `json:"completion_tokens"`
		} `json:"usage"`
	}
	choice struct {
		Message      message         `json:"message"`
		FinishReason string          `json:"finish_reason"`
		Error        json.RawMessage `json:"error"` // of gateways, whose upstream failed amid the reply
	}
	message struct {
		Content          json.RawMessage `json:"content"` // text, null, or a list of parts
		ReasoningContent string          `json:"reasoning_content"`
		Reasoning        string          `json:"reasoning"`
		Refusal          string          `json:"refusal"`
		ToolCalls        []struct {
			Function call `json:"function"`
		} `json:"tool_calls"`
		FunctionCall *call `json:"function_call"` // before there were tools
	}
	call struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"` // text that is JSON; an object where servers forget that
	}
)

// lenient decodes what fits; only what is no JSON is an error.
func lenient(b []byte, v any) error {
	var kind *json.UnmarshalTypeError
	if err := json.Unmarshal(b, v); err != nil && !errors.As(err, &kind) {
		return err
	}
	return nil
}

// parse reads the body of a chat completion, of which the first choice counts.
// Reasoning is what the fields reasoning_content or reasoning hold, else parts of that
// kind, else what SplitThinking finds, unless thinking says that tags are text.
// An error is that which the body holds, or about a body that cannot be read.
func parse(body []byte, thinking string) (Reply, error) {
	var res completion
	body = bytes.TrimPrefix(body, byteOrder)
	if err := lenient(body, &res); err != nil {
		return Reply{}, fmt.Errorf("the reply cannot be read: %w", err)
	}
	if len(res.Choices) == 0 {
		return Reply{}, sent(body, emptyError{})
	}
	c := &res.Choices[0]
	m := &c.Message
	content, thought, err := text(m.Content)
	if err != nil {
		return Reply{}, err
	}
	if content == "" && len(c.Error) > 0 {
		if err := sent(slices.Concat([]byte(`{"error":`), c.Error, []byte{'}'}), nil); err != nil {
			return Reply{}, err
		}
	}
	out := Reply{
		Content: content, Refusal: m.Refusal, Finish: c.FinishReason, Model: res.Model,
		TokensIn: tokens(res.Usage.In), TokensOut: tokens(res.Usage.Out),
		Reasoning: cmp.Or(m.ReasoningContent, m.Reasoning, thought),
	}
	if thinking != ThinkingNone {
		thought, rest, ok := SplitThinking(out.Content)
		if !ok && thinking == ThinkingOpened && out.Finish == "length" && out.Reasoning == "" {
			thought, rest, ok = strings.TrimSpace(out.Content), "", true
		}
		if ok {
			out.Content = rest
			out.Reasoning = cmp.Or(out.Reasoning, thought)
		}
	}
	if strings.TrimSpace(out.Content) == "" {
		out.Tool = m.tool()
		if out.Finish == "content_filter" {
			out.Refusal = cmp.Or(out.Refusal, "content_filter: the server withholds the reply")
		}
	}
	return out, nil
}

// tokens is a count as a server says it; 0 where that makes no sense.
func tokens(n float64) int {
	if n >= 0 && n < 1e12 {
		return int(n)
	}
	return 0
}

// text reads the content of a message: text, nothing, or a list of parts.
func text(raw json.RawMessage) (content, thought string, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", "", nil
	}
	if raw[0] == '"' {
		err := json.Unmarshal(raw, &content)
		return content, "", err
	}
	var parts []json.RawMessage
	if json.Unmarshal(raw, &parts) != nil {
		return "", "", errors.New("the content of the reply is neither text nor a list of parts")
	}
	var said, thoughts strings.Builder
	for _, p := range parts {
		var s string
		if json.Unmarshal(p, &s) == nil {
			said.WriteString(s)
			continue
		}
		var part struct {
			Text     string          `json:"text"`
			Thinking json.RawMessage `json:"thinking"`
		}
		if lenient(p, &part) != nil {
			continue
		}
		said.WriteString(part.Text)
		if len(part.Thinking) > 0 && bytes.Count(part.Thinking, []byte(`"thinking"`)) == 0 { // no thoughts within thoughts
			if t, _, err := text(part.Thinking); err == nil {
				thoughts.WriteString(t)
			}
		}
	}
	return said.String(), thoughts.String(), nil
}

// tool is the first tool call: its name, a blank, and its arguments as they are; and
// a word about further ones.
func (m *message) tool() string {
	var first *call
	more := 0
	switch {
	case len(m.ToolCalls) > 0:
		first, more = &m.ToolCalls[0].Function, len(m.ToolCalls)-1
	case m.FunctionCall != nil:
		first = m.FunctionCall
	default:
		return ""
	}
	var args string
	if json.Unmarshal(first.Arguments, &args) != nil {
		args = string(first.Arguments)
	}
	name := strings.Join(strings.Fields(first.Name), "_")
	out := cmp.Or(name, "unnamed") + " " + args
	if more > 0 {
		out += fmt.Sprintf(" and %d more", more)
	}
	return out
}

// sent reads the error that some gateways send with status 200; none is there if not.
func sent(body []byte, none error) error {
	e := said(body)
	if e == nil {
		return none
	}
	e.HTTPStatusCode = http.StatusBadGateway
	if code, ok := e.Code.(int); ok && code >= 400 && code < 600 {
		e.HTTPStatusCode = code
	}
	return e
}

const thinkOpen, thinkShut = "<think>", "</think>"

// SplitThinking separates reasoning that a server left in the text: <think> blocks
// wherever they stand, everything before a closing tag that was never opened (the
// server had put the opening one into the prompt), and everything after an opening
// tag at the very beginning that is never closed (the reply was cut off). Any other
// closing tag is text. Without any of these, ok is false and rest is s.
func SplitThinking(s string) (thought, rest string, ok bool) {
	if !strings.Contains(s, thinkOpen) && !strings.Contains(s, thinkShut) {
		return "", s, false
	}
	whole := s
	var thoughts []string
	var kept strings.Builder
	inner := 0 // opening tags within thoughts that may still be closed
	add := func(t string) {
		ok = true
		inner += strings.Count(t, thinkOpen)
		if t = strings.TrimSpace(t); t != "" {
			thoughts = append(thoughts, t)
		}
	}
	at := 0
	from := strings.Index(s, thinkOpen) // of the next opening tag, or -1
	for {
		if from >= 0 && from < at {
			if from = strings.Index(s[at:], thinkOpen); from >= 0 {
				from += at
			}
		}
		to := strings.Index(s[at:], thinkShut)
		if to < 0 {
			if from >= 0 && strings.TrimSpace(kept.String()+s[at:from]) == "" {
				add(s[from+len(thinkOpen):])
				at = len(s)
				kept.Reset()
			}
			break
		}
		to += at
		if from >= 0 && from < to {
			add(s[from+len(thinkOpen) : to])
			kept.WriteString(s[at:from])
		} else if ok && inner == 0 {
			break
		} else {
			inner = max(0, inner-1)
			add(kept.String() + s[at:to])
			kept.Reset()
		}
		at = to + len(thinkShut)
	}
	if !ok {
		return "", whole, false
	}
	return strings.Join(thoughts, "\n"), strings.TrimSpace(kept.String() + s[at:]), true
}
