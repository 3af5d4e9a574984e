package llm

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	openai "github.com/sashabaranov/go-openai"
)

// Keys of the body that depend on the request.
const (
	keyFormat = "response_format"
	keySeed   = "seed"
)

// reserved are the keys that an extra field may not have, and why.
var reserved = map[string]string{
	"model":          "is set elsewhere",
	"messages":       "is set elsewhere",
	"stream":         "is set elsewhere",
	"stream_options": "is set elsewhere",
	"n":              "cannot be honoured: one reply a call is read",
	keySeed:          "is set elsewhere: independent draws add to it",
}

// bodyFields gives what an endpoint adds to every body, as JSON by key. No key may
// come twice: that of a field that go-openai writes itself, or one that the endpoint
// has a field for and sets.
func bodyFields(e *Endpoint) (map[string][]byte, error) {
	add := map[string][]byte{}
	number := func(key string, v *float64) error {
		switch {
		case v == nil:
			return nil
		case math.IsNaN(*v) || math.IsInf(*v, 0):
			return fmt.Errorf("%s %v is not a finite number", key, *v)
		}
		add[key] = strconv.AppendFloat(nil, *v, 'f', -1, 64)
		return nil
	}
	if err := errors.Join(number("temperature", e.Temperature), number("top_p", e.TopP)); err != nil {
		return nil, err
	}
	if e.MaxTokens > 0 {
		// go-openai knows which models have renamed the field.
		key := "max_tokens"
		//lint:ignore SA1019 the deprecated field is what is asked about
		probe := openai.ChatCompletionRequest{Model: e.Model, MaxTokens: 1}
		if errors.Is(openai.NewReasoningValidator().Validate(probe), openai.ErrReasoningModelMaxTokensDeprecated) {
			key = "max_completion_tokens"
		}
		add[key] = strconv.AppendInt(nil, int64(e.MaxTokens), 10)
	}
	if len(e.Stop) > 0 {
		var stop []byte
		for _, s := range e.Stop {
			stop = appendString(append(stop, ','), s)
		}
		stop[0] = '['
		add["stop"] = append(stop, ']')
	}
	if e.Seed != nil {
		add[keySeed] = strconv.AppendInt(nil, int64(*e.Seed), 10)
	}
	if !slices.Contains([]string{"", FormatObject, FormatSchema}, e.ResponseFormat) {
		return nil, fmt.Errorf("response format %q is neither %s nor %s", e.ResponseFormat, FormatObject, FormatSchema)
	}
	if !slices.Contains([]string{"", ThinkingNone, ThinkingTags, ThinkingOpened}, e.Thinking) {
		return nil, fmt.Errorf("thinking %q is neither %s nor %s nor %s", e.Thinking, ThinkingNone, ThinkingTags, ThinkingOpened)
	}
	for _, k := range slices.Sorted(maps.Keys(e.Extra)) {
		why, bad := reserved[k]
		if _, twice := add[k]; twice || k == keyFormat && e.ResponseFormat != "" {
			why, bad = "is set elsewhere", true
		}
		if bad {
			return nil, fmt.Errorf("extra field %q %s", k, why)
		}
		v, err := json.Marshal(e.Extra[k])
		if err != nil {
			return nil, fmt.Errorf("extra field %q: %w", k, err)
		}
		add[k] = v
	}
	return add, nil
}

// join writes the fields whose keys lie in (after, before), sorted, each with a comma
// in front.
func joinFields(body map[string][]byte, after, before string) []byte {
	var out []byte
	for _, k := range slices.Sorted(maps.Keys(body)) {
		if k > after && k < before {
			out = append(append(appendString(append(out, ','), k), ':'), body[k]...)
		}
	}
	return out
}

// beyond is greater than any key.
const beyond = "\U0010FFFF"

// fields is what an endpoint adds to bodies, cut at the keys that depend on the
// request.
type fields struct{ toFormat, toSeed, toEnd []byte }

func split(body map[string][]byte) fields {
	f := fields{joinFields(body, "", keyFormat), joinFields(body, keyFormat, keySeed), joinFields(body, keySeed, beyond)}
	if v, ok := body[keyFormat]; ok { // an extra field, which is the same in all requests
		f.toFormat = append(append(f.toFormat, `,"`+keyFormat+`":`...), v...)
	}
	return f
}

// body is what is sent.
func (f *fields) body(e *Endpoint, r *Request, format string) []byte {
	out := make([]byte, 0, messageChars(r)+len(f.toFormat)+len(f.toSeed)+len(f.toEnd)+512)
	out = appendString(append(out, `{"model":`...), e.Model)
	out = appendMessages(append(out, `,"messages":[`...), r, roleFirst)
	out = append(append(out, `],"stream":false`...), f.toFormat...)
	out = appendFormat(out, r.Format, format)
	out = append(out, f.toSeed...)
	if e.Seed != nil {
		out = strconv.AppendInt(append(out, `,"`+keySeed+`":`...), int64(*e.Seed)+int64(r.Repeat), 10)
	}
	return append(append(out, f.toEnd...), '}')
}

// appendFormat writes the response format with a comma in front, or nothing.
func appendFormat(out []byte, f *Format, format string) []byte {
	switch {
	case f == nil || format == "":
		return out
	case format == FormatObject || len(f.Schema) == 0:
		return append(out, `,"`+keyFormat+`":{"type":"json_object"}`...)
	}
	out = append(out, `,"`+keyFormat+`":{"json_schema":{"name":`...)
	out = append(appendString(out, f.Name), `,"schema":`...)
	return append(append(out, f.Schema...), `,"strict":true},"type":"json_schema"}`...)
}

// canon is the part of Canonical that is the same for all requests of an endpoint.
type canon struct{ toMessages, toFormat, toRepeat, toEnd []byte }

func canonOf(where string, e *Endpoint, body map[string][]byte) canon {
	all := maps.Clone(body)
	all["model"] = appendString(nil, e.Model)
	var c canon
	c.toMessages = append(appendString([]byte(`{"base_url":`), where), `,"body":{`...)
	if front := joinFields(all, "", "messages"); len(front) > 0 {
		c.toMessages = append(append(c.toMessages, front[1:]...), ',')
	}
	c.toMessages = append(c.toMessages, `"messages":[`...)
	c.toFormat = append([]byte{']'}, joinFields(all, "messages", keyFormat)...)
	if v, ok := body[keyFormat]; ok {
		c.toFormat = append(append(c.toFormat, `,"`+keyFormat+`":`...), v...)
	}
	c.toRepeat = append(joinFields(all, keyFormat, beyond), `},"repeat":`...)
	thinking := e.Thinking
	if thinking == ThinkingTags {
		thinking = ""
	}
	c.toEnd = append(appendString([]byte(`,"thinking":`), thinking), '}')
	return c
}

// Canonical gives everything that decides the reply to a request, and how the reply is
// read, as JSON with sorted keys: the address without secrets, model, messages, all
// parameters, the response format as the endpoint means it (whatever the server took
// in the end) with its schema, and the repeat. Keys, headers, time-outs, limits and
// prices are not part of it. Equal requests to equal endpoints give equal bytes.
func (c *Conn) Canonical(r Request) []byte {
	k := &c.canon
	out := make([]byte, 0, messageChars(&r)+len(k.toMessages)+len(k.toFormat)+512)
	out = append(out, k.toMessages...)
	out = appendMessages(out, &r, roleLast)
	out = append(out, k.toFormat...)
	out = appendFormat(out, r.Format, c.end.ResponseFormat)
	out = append(out, k.toRepeat...)
	out = strconv.AppendInt(out, int64(r.Repeat), 10)
	return append(out, k.toEnd...)
}

// How the keys of a message stand: as everybody writes them, or sorted.
const (
	roleFirst = false
	roleLast  = true
)

// appendMessages writes the conversation without its brackets.
func appendMessages(out []byte, r *Request, last bool) []byte {
	put := func(role, content string) {
		if last {
			out = appendString(append(out, `{"content":`...), content)
			out = append(appendString(append(out, `,"role":`...), role), '}')
			return
		}
		out = appendString(append(out, `{"role":`...), role)
		out = append(appendString(append(out, `,"content":`...), content), '}')
	}
	if r.System != "" {
		put("system", r.System)
		out = append(out, ',')
	}
	put("user", r.User)
	for i := range r.More {
		out = append(out, ',')
		put(r.More[i].Role, r.More[i].Content)
	}
	return out
}

// messageChars is about the size of the conversation as JSON.
func messageChars(r *Request) int {
	n := len(r.System) + len(r.User)
	for i := range r.More {
		n += len(r.More[i].Content) + 64
	}
	return n + n/16
}

// appendString writes a JSON string; what is not UTF-8 becomes U+FFFD, as in
// encoding/json.
func appendString(out []byte, s string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	from := 0
	for i := 0; i < len(s); {
		b := s[i]
		if b >= 0x20 && b != '"' && b != '\\' && b < utf8.RuneSelf {
			i++
			continue
		}
		if b >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				out = append(append(out, s[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += n
			continue
		}
		out = append(out, s[from:i]...)
		switch b {
		case '"', '\\':
			out = append(out, '\\', b)
		case '\n':
			out = append(out, '\\', 'n')
		default:
			out = append(out, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
		}
		i++
		from = i
	}
	return append(append(out, s[from:]...), '"')
}
