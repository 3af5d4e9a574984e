package llm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Object reads a reply that is one JSON object. What is tolerated: blanks around it
// and a code fence around all of it. A key that comes twice is a fault.
func Object(text string) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(strings.NewReader(unfence(text)))
	m, err := decodeObject(dec)
	if err != nil {
		return nil, fmt.Errorf("unreadable reply: %w: %.80q", err, text)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("unreadable reply: text after the JSON object: %.80q", text)
	}
	return m, nil
}

// errNotObject is what every fault of the JSON comes down to.
var errNotObject = errors.New("not a JSON object")

// decodeObject decodes an object whose keys are exact and come once, which
// json.Unmarshal does not hold them to.
func decodeObject(dec *json.Decoder) (map[string]json.RawMessage, error) {
	t, err := dec.Token()
	if err != nil || t != json.Delim('{') {
		return nil, errNotObject
	}
	m := make(map[string]json.RawMessage, 4)
	for dec.More() {
		t, err := dec.Token()
		k, ok := t.(string)
		if err != nil || !ok {
			return nil, errNotObject
		}
		var v json.RawMessage
		if dec.Decode(&v) != nil {
			return nil, errNotObject
		}
		if _, twice := m[k]; twice {
			return nil, fmt.Errorf("key %.40q twice", k)
		}
		m[k] = v
	}
	if _, err := dec.Token(); err != nil {
		return nil, errNotObject
	}
	return m, nil
}

// unfence takes a reply out of a code fence that surrounds all of it.
func unfence(s string) string {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, "```") || !strings.HasSuffix(s, "```") || len(s) < 6 {
		return s
	}
	_, s, _ = strings.Cut(s[:len(s)-3], "\n")
	return s
}
