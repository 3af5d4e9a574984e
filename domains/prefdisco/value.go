package prefdisco

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// A value is the text of one JSON value inside a line that is known to be valid
// JSON. Unlike encoding/json's maps it keeps the order of members and notices
// names that occur twice, and unlike its structs it tells "question" from
// "Question".
type value []byte

// A member is one name and value of an object.
type member struct {
	name string
	val  value
}

// kind names what the value is, as an error message would.
func (v value) kind() string {
	if len(v) == 0 {
		return "nothing"
	}
	switch v[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "a number"
}

func (v value) isNull() bool   { return len(v) == 0 || v[0] == 'n' }
func (v value) isObject() bool { return len(v) > 0 && v[0] == '{' }
func (v value) isList() bool   { return len(v) > 0 && v[0] == '[' }
func (v value) isString() bool { return len(v) > 0 && v[0] == '"' }
func (v value) isNumber() bool { return len(v) > 0 && (v[0] == '-' || v[0] >= '0' && v[0] <= '9') }

// str decodes a string; the result does not alias the line.
func (v value) str() string {
	if bytes.IndexByte(v, '\\') < 0 {
		return string(v[1 : len(v)-1])
	}
	var s string
	json.Unmarshal(v, &s) // valid by construction
	return s
}

// float decodes a number; ok is false when it is too large for a float64.
func (v value) float() (f float64, ok bool) {
	f, err := strconv.ParseFloat(string(v), 64)
	return f, err == nil
}

// list gives the elements of a list.
func (v value) list() []value {
	var out []value
	for i := skipSpace(v, 1); v[i] != ']'; {
		end := skipValue(v, i)
		out = append(out, v[i:end])
		if i = skipSpace(v, end); v[i] == ',' {
			i = skipSpace(v, i+1)
		}
	}
	return out
}

// object gives the members of an object in the order of the text, and an error
// when a name occurs twice.
func (v value) object() ([]member, error) {
	var out []member
	for i := skipSpace(v, 1); v[i] != '}'; {
		end := skipValue(v, i)
		name := v[i:end].str()
		i = skipSpace(v, skipSpace(v, end)+1) // over the colon
		end = skipValue(v, i)
		out = append(out, member{name, v[i:end]})
		if i = skipSpace(v, end); v[i] == ',' {
			i = skipSpace(v, i+1)
		}
	}
	if name, twice := repeated(out); twice {
		return nil, fmt.Errorf("%q occurs twice in one object", name)
	}
	return out, nil
}

// repeated finds a name that two members share.
func repeated(ms []member) (string, bool) {
	if len(ms) <= 16 { // no map for the usual few
		for i := range ms {
			for j := range i {
				if ms[i].name == ms[j].name {
					return ms[i].name, true
				}
			}
		}
		return "", false
	}
	seen := make(map[string]bool, len(ms))
	for _, m := range ms {
		if seen[m.name] {
			return m.name, true
		}
		seen[m.name] = true
	}
	return "", false
}

// find gives the value of the first name that is there and not null.
func find(ms []member, names ...string) (value, string) {
	for _, n := range names {
		for _, m := range ms {
			if m.name == n && !m.val.isNull() {
				return m.val, n
			}
		}
	}
	return nil, ""
}

func skipSpace(v value, i int) int {
	for i < len(v) && (v[i] == ' ' || v[i] == '\t' || v[i] == '\n' || v[i] == '\r') {
		i++
	}
	return i
}

// skipValue gives the end of the value that begins at i.
func skipValue(v value, i int) int {
	switch v[i] {
	case '"':
		for i++; v[i] != '"'; i++ {
			if v[i] == '\\' {
				i++
			}
		}
		return i + 1
	case '{', '[':
		depth := 0
		for {
			switch v[i] {
			case '"':
				i = skipValue(v, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			if i++; depth == 0 {
				return i
			}
		}
	}
	for i < len(v) && !strings.ContainsRune(",]} \t\n\r", rune(v[i])) {
		i++
	}
	return i
}

// canonical is the value with the members of its objects in order and no space,
// so that equal content has equal text.
func (v value) canonical() ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(v))
	dec.UseNumber()
	var x any
	if err := dec.Decode(&x); err != nil {
		return nil, err
	}
	return json.Marshal(x)
}

// words renders any value for a reader: members as "name: value".
func (v value) words() string {
	switch {
	case v.isNull():
		return ""
	case v.isString():
		return strings.TrimSpace(v.str())
	case v.isList():
		var parts []string
		for _, e := range v.list() {
			if w := e.words(); w != "" {
				parts = append(parts, w)
			}
		}
		return strings.Join(parts, "; ")
	case v.isObject():
		ms, err := v.object()
		if err != nil {
			return string(v)
		}
		return sentence(ms, ", ")
	}
	return string(v)
}

func sentence(ms []member, sep string) string {
	var parts []string
	for _, m := range ms {
		if w := m.val.words(); w != "" {
			parts = append(parts, strings.ReplaceAll(m.name, "_", " ")+": "+w)
		}
	}
	return strings.Join(parts, sep)
}
