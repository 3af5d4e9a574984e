package judges

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
)

// Replies are read strictly. What is tolerated: blanks around the JSON object, a
// code fence around all of it, keys that nobody asked for. Nothing is guessed: a
// reply that is anything else, or has a key twice, is unscored.

// verdict is one grade of a reply.
type verdict struct {
	name   string
	n      int
	reason string
	fault  string // why n cannot be used
}

// object reads a reply that is one JSON object; why says why it is not.
func object(reply string) (m map[string]json.RawMessage, why string) {
	dec := json.NewDecoder(strings.NewReader(unfence(reply)))
	m, err := decodeObject(dec)
	if err != nil {
		return nil, fmt.Sprintf("unreadable reply: %v: %.80q", err, reply)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Sprintf("unreadable reply: text after the JSON object: %.80q", reply)
	}
	return m, ""
}

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

// errNotObject is what every fault of the JSON comes down to.
var errNotObject = fmt.Errorf("not a JSON object")

// results reads a batched reply: an object with a list of objects under "results".
func results(reply, key string) ([]verdict, string) {
	m, why := object(reply)
	if why != "" {
		return nil, why
	}
	var list []json.RawMessage
	if raw, ok := m["results"]; !ok || json.Unmarshal(raw, &list) != nil || list == nil {
		return nil, fmt.Sprintf("unreadable reply: no list under \"results\": %.80q", reply)
	}
	out := make([]verdict, len(list))
	for i, raw := range list {
		m, err := decodeObject(json.NewDecoder(strings.NewReader(string(raw))))
		if err != nil {
			return nil, fmt.Sprintf("unreadable reply: entry %d of \"results\": %v: %.80q", i+1, err, raw)
		}
		out[i] = verdictOf(m, key)
	}
	return out, ""
}

// verdictOf reads one grade: a whole number from 1 to 5 under key. The name counts
// in batched replies only; a reason that is not a text is left out.
func verdictOf(m map[string]json.RawMessage, key string) verdict {
	var v verdict
	if json.Unmarshal(m["criterion"], &v.name) != nil {
		v.name = ""
	}
	if json.Unmarshal(m["reason"], &v.reason) != nil {
		v.reason = ""
	}
	var n float64
	switch raw, ok := m[key]; {
	case !ok:
		v.fault = fmt.Sprintf("no %q in the reply", key)
	case string(raw) == "null" || json.Unmarshal(raw, &n) != nil:
		v.fault = fmt.Sprintf("%q is %.40s, not a number", key, raw)
	case n != math.Trunc(n) || n < 1 || n > 5:
		v.fault = fmt.Sprintf("%q is %.40s, not a whole number from 1 to 5", key, raw)
	default:
		v.n = int(n)
	}
	return v
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
