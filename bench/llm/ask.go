package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Repairs is how often a reply that cannot be read is asked for again.
const Repairs = 2

// An Unread is the error of a call that was answered with nothing that can be used,
// every time, or that the server refused to answer. It is a finding about the model,
// to be recorded as unscored with its reason; the endpoint works.
type Unread struct {
	Reason string
	Tries  int // calls made
}

// Error implements error.
func (u *Unread) Error() string {
	if u.Tries > 1 {
		return fmt.Sprintf("%s (asked %d times)", u.Reason, u.Tries)
	}
	return u.Reason
}

// Ask completes a request and hands the text of the reply to read, whose error says
// in words for the model what is wrong with it. Such a reply, one that is empty, and
// one that was cut off are asked for again, at most Repairs times, by a conversation
// that goes on with the reply and with what is wrong. Where a JSON object is wanted
// (Request.Format), the arguments of a reply that is a single tool call stand for its
// text, if they are an object. What is left then is an
// *Unread. Any other error is that of an endpoint that is unusable or failed for now,
// or of a context that is done: nothing is known of the model then.
//
// A cache may have read the text first (see Request.Accept). One that it accepted is
// not read again (Reply.Accepted); reading another one twice changes nothing.
func Ask(ctx context.Context, c Client, r Request, read func(text string) error) (Reply, error) {
	r.Accept = read
	var last error // why the reply before could not be used
	for try := 1; ; try++ {
		reply, err := c.Complete(ctx, r)
		switch {
		case err == nil:
		case try > 1 && ctx.Err() == nil && overflowed(err): // it fitted before the conversation grew
			return reply, unread(ctx, c, &Unread{flat(last) + ", and asking again does not fit the context", try - 1})
		case ctx.Err() != nil, Passing(err):
			return reply, err
		default: // the server will not answer this, however often it is asked
			return reply, unread(ctx, c, &Unread{"call refused: " + err.Error(), try})
		}
		if reply.Accepted {
			return reply, nil
		}
		text, err := Text(reply)
		if args, ok := arguments(reply); ok && r.Format != nil {
			text, err = args, nil
		}
		if err == nil {
			if err = read(text); err == nil {
				return reply, nil
			}
		}
		if try > Repairs {
			return reply, unread(ctx, c, &Unread{flat(err), try})
		}
		last = err
		said := reply.Content
		if strings.TrimSpace(said) == "" {
			said = "(nothing)"
		}
		r.More = append(r.More[:len(r.More):len(r.More)], Message{"assistant", said}, Message{"user", repair(err)})
		r.Repair = try
	}
}

// flat puts an error into one line.
func flat(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// arguments gives those of a reply that is one tool call and no text, where they are
// an object: some models answer so when they are asked for JSON.
func arguments(r Reply) (string, bool) {
	_, args, ok := strings.Cut(r.Tool, " ")
	if !ok || strings.TrimSpace(r.Content) != "" || r.Refusal != "" || r.Finish == "length" || !strings.HasPrefix(args, "{") || !json.Valid([]byte(args)) {
		return "", false
	}
	return args, true
}

// overflowed reports whether a call failed because it did not fit the context.
func overflowed(err error) bool {
	var failed *callError
	return errors.As(err, &failed) && failed.overflow
}

// repair is the instruction that follows a reply which cannot be used.
func repair(err error) string {
	return "That reply cannot be used: " + flat(err) + ". Reply again, complete and in the form that was asked for, and with nothing else."
}

// Passing reports whether an error is about the endpoint and not about the request:
// ErrUnusable or ErrTransient, or a spent budget.
func Passing(err error) bool {
	return errors.Is(err, ErrUnusable) || errors.Is(err, ErrTransient) || errors.Is(err, ErrBudget)
}

// Text gives the text of a reply, or says why there is none to be used.
func Text(r Reply) (string, error) {
	switch {
	case r.Refusal != "" && strings.TrimSpace(r.Content) == "":
		return "", fmt.Errorf("the model refuses: %.80q", r.Refusal)
	case r.Finish == "length":
		return "", errors.New("it was cut off at its token limit; be shorter")
	case strings.TrimSpace(r.Content) == "" && r.Tool != "":
		return "", fmt.Errorf("it calls a tool (%.80q) where text is wanted", r.Tool)
	case strings.TrimSpace(r.Content) == "":
		return "", fmt.Errorf("it is empty (finish reason %q)", r.Finish)
	}
	return r.Content, nil
}

// OneLine makes one line of a text that goes into a prompt, so that none of it can be
// taken for another part of the prompt.
func OneLine(s string) string {
	control := func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }
	if !strings.ContainsFunc(s, control) {
		return strings.TrimSpace(s)
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || control(r) }), " ")
}
