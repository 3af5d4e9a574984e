package llm

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Object reads the JSON object that a reply is or holds: alone, in a code fence, with
// prose before or after. What models get wrong about JSON is mended where only one
// thing can be meant: single quotes, a comma before a closing bracket, line breaks and
// stray backslashes in strings, True, False and None; NaN and Infinity become null.
// The values are strict JSON, without blanks.
//
// An error are: no object; a key that comes twice at any depth; two objects that
// differ, since neither is known to be the answer; an object that breaks off or has
// another fault, whatever stands within it. An object within a list, or among the
// arguments of a <function_calls> block, is not the answer. An empty object counts
// only where there is no other.
func Object(text string) (map[string]json.RawMessage, error) {
	fail := func(err error) (map[string]json.RawMessage, error) {
		return nil, fmt.Errorf("unreadable reply: %w: %.80q", err, text)
	}
	p := &scanner{s: withoutCalls(text)}
	var found map[string]json.RawMessage
	for {
		i := strings.IndexAny(p.s[p.at:], "{[")
		if i < 0 {
			break
		}
		p.at += i
		begun := p.at
		if p.s[begun] == '[' || !p.opens(begun) {
			if p.s[begun] == '[' && p.after(begun+1) == '{' { // a list of objects
				if !p.skip() {
					break
				}
				continue
			}
			p.at = begun + 1 // a bracket of prose
			continue
		}
		p.out = make([]byte, 0, min(len(p.s)-begun, 512))
		members, err := p.object(0)
		var twice *twiceError
		switch {
		case errors.As(err, &twice):
			return fail(err)
		case err != nil:
			p.at = begun
			if !p.skip() { // what comes after may still be within
				return fail(errNotObject)
			}
		case len(found) == 0:
			found = members
		case len(members) > 0 && !equal(found, members):
			return fail(errors.New("two different JSON objects"))
		}
	}
	if found == nil {
		return fail(errNotObject)
	}
	return found, nil
}

// errNotObject is what every fault of the JSON comes down to.
var errNotObject = errors.New("not a JSON object")

// twiceError is a key that comes twice.
type twiceError struct{ key string }

func (e *twiceError) Error() string { return fmt.Sprintf("key %.40q twice", e.key) }

// equal compares objects whatever the order of keys and the way numbers are written.
func equal(a, b map[string]json.RawMessage) bool {
	if len(a) != len(b) {
		return false
	}
	for k, x := range a {
		y, ok := b[k]
		if !ok {
			return false
		}
		if string(x) == string(y) {
			continue
		}
		var u, v any
		if json.Unmarshal(x, &u) != nil || json.Unmarshal(y, &v) != nil || !reflect.DeepEqual(u, v) {
			return false
		}
	}
	return true
}

const callsOpen, callsShut = "<function_calls>", "</function_calls>"

// withoutCalls cuts out tool calls that are written into the text, as Olmo 3 does; one
// that is never closed goes to the end.
func withoutCalls(s string) string {
	if !strings.Contains(s, callsOpen) {
		return s
	}
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(s, callsOpen)
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		_, s, _ = strings.Cut(rest, callsShut)
	}
}

// maxNesting bounds the depth of an object.
const maxNesting = 200

// A scanner reads JSON as models write it and writes it as it should be.
type scanner struct {
	s   string
	at  int
	out []byte
}

func blank(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

// after gives the first byte from i on that is not blank; 0: none.
func (p *scanner) after(i int) byte {
	for ; i < len(p.s); i++ {
		if !blank(p.s[i]) {
			return p.s[i]
		}
	}
	return 0
}

// opens says whether the brace at i begins an object, as opposed to a word in braces.
func (p *scanner) opens(i int) bool {
	b := p.after(i + 1)
	return b == '"' || b == '\'' || b == '}'
}

// next skips blanks and gives the byte there; 0: none.
func (p *scanner) next() byte {
	for p.at < len(p.s) && blank(p.s[p.at]) {
		p.at++
	}
	if p.at == len(p.s) {
		return 0
	}
	return p.s[p.at]
}

// skip goes past the bracket that closes the one it stands on, and reports whether
// there is one. Brackets in double quotes do not count.
func (p *scanner) skip() bool {
	depth, quoted := 0, false
	for ; p.at < len(p.s); p.at++ {
		switch b := p.s[p.at]; {
		case quoted && b == '\\':
			p.at++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			depth++
		case b == '}' || b == ']':
			if depth--; depth == 0 {
				p.at++
				return true
			}
		}
	}
	p.at = len(p.s)
	return false
}

// object reads an object, which begins here, into out; its members are cut from it.
func (p *scanner) object(depth int) (map[string]json.RawMessage, error) {
	if depth > maxNesting {
		return nil, errNotObject
	}
	m := make(map[string]json.RawMessage, 4)
	p.at++
	p.out = append(p.out, '{')
	for {
		b := p.next()
		if b == '}' {
			break
		}
		if b != '"' && b != '\'' {
			return nil, errNotObject
		}
		if len(m) > 0 {
			p.out = append(p.out, ',')
		}
		from := len(p.out)
		if err := p.text(); err != nil {
			return nil, err
		}
		var key string
		if json.Unmarshal(p.out[from:], &key) != nil {
			return nil, errNotObject
		}
		if p.next() != ':' {
			return nil, errNotObject
		}
		p.at++
		p.out = append(p.out, ':')
		from = len(p.out)
		if err := p.value(depth + 1); err != nil {
			return nil, err
		}
		if _, twice := m[key]; twice {
			return nil, &twiceError{key}
		}
		m[key] = p.out[from:len(p.out):len(p.out)]
		if b := p.next(); b == ',' {
			p.at++
		} else if b != '}' {
			return nil, errNotObject
		}
	}
	p.at++
	p.out = append(p.out, '}')
	return m, nil
}

func (p *scanner) list(depth int) error {
	if depth > maxNesting {
		return errNotObject
	}
	p.at++
	p.out = append(p.out, '[')
	for n := 0; p.next() != ']'; n++ {
		if n > 0 {
			p.out = append(p.out, ',')
		}
		if err := p.value(depth + 1); err != nil {
			return err
		}
		if b := p.next(); b == ',' {
			p.at++
		} else if b != ']' {
			return errNotObject
		}
	}
	p.at++
	p.out = append(p.out, ']')
	return nil
}

// words are what stands for a value without quotes, and what is meant.
var words = map[string]string{
	"true": "true", "false": "false", "null": "null",
	"True": "true", "False": "false", "None": "null",
	"NaN": "null", "Infinity": "null", "-Infinity": "null", "nan": "null", "inf": "null", "-inf": "null",
}

func (p *scanner) value(depth int) error {
	switch p.next() {
	case '{':
		_, err := p.object(depth)
		return err
	case '[':
		return p.list(depth)
	case '"', '\'':
		return p.text()
	}
	from := p.at
	for p.at < len(p.s) && !blank(p.s[p.at]) && !strings.ContainsRune(",]}{[:\"'", rune(p.s[p.at])) {
		p.at++
	}
	word := p.s[from:p.at]
	if meant, ok := words[word]; ok {
		p.out = append(p.out, meant...)
		return nil
	}
	if len(word) == 0 || len(word) > 1000 || !json.Valid([]byte(word)) { // what is valid and no word is a number
		return errNotObject
	}
	p.out = append(p.out, word...)
	return nil
}

// text reads a string in either kind of quotes.
func (p *scanner) text() error {
	quote := p.s[p.at]
	p.at++
	p.out = append(p.out, '"')
	for p.at < len(p.s) {
		b := p.s[p.at]
		switch {
		case b == quote:
			p.at++
			p.out = append(p.out, '"')
			return nil
		case b == '\\':
			if p.at+1 == len(p.s) {
				return errNotObject
			}
			p.escape(p.s[p.at+1])
		case b == '"':
			p.out = append(p.out, '\\', '"')
			p.at++
		case b < 0x20:
			const hex = "0123456789abcdef"
			p.out = append(p.out, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
			p.at++
		case b < utf8.RuneSelf:
			p.out = append(p.out, b)
			p.at++
		default:
			r, n := utf8.DecodeRuneInString(p.s[p.at:])
			p.out = utf8.AppendRune(p.out, r)
			p.at += n
		}
	}
	return errNotObject
}

// escape reads a backslash and what follows it. One that JSON does not know is a
// backslash (as in "\(x\)"), but for quotes.
func (p *scanner) escape(b byte) {
	switch b {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		p.out = append(p.out, '\\', b)
		p.at += 2
	case '\'':
		p.out = append(p.out, '\'')
		p.at += 2
	case 'u':
		if p.at+6 <= len(p.s) && hexadecimal(p.s[p.at+2:p.at+6]) {
			p.out = append(p.out, p.s[p.at:p.at+6]...)
			p.at += 6
			return
		}
		fallthrough
	default:
		p.out = append(p.out, '\\', '\\')
		p.at++
	}
}

func hexadecimal(s string) bool {
	for i := range len(s) {
		if b := s[i]; (b < '0' || b > '9') && (b|0x20 < 'a' || b|0x20 > 'f') {
			return false
		}
	}
	return true
}
