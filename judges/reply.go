package judges

import (
	"encoding/json"
	"fmt"
	"math"

	"pepbench/bench/llm"
)

// Replies are JSON as llm.Object reads it; keys that nobody asked for are tolerated.
// No grade is guessed: one that is missing or not a whole number from 1 to 5 is
// asked for again, and unscored in the end.

// verdict is one grade of a reply.
type verdict struct {
	name   string
	n      int
	reason string
	fault  string // why n cannot be used
}

// results reads a batched reply: an object with a list of objects under "results".
func results(reply, key string) ([]verdict, error) {
	m, err := llm.Object(reply)
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if raw, ok := m["results"]; !ok || json.Unmarshal(raw, &list) != nil || list == nil {
		return nil, fmt.Errorf("unreadable reply: no list under \"results\": %.80q", reply)
	}
	out := make([]verdict, len(list))
	for i, raw := range list {
		m, err := llm.Object(string(raw))
		if err != nil {
			return nil, fmt.Errorf("entry %d of \"results\": %w", i+1, err)
		}
		out[i] = verdictOf(m, key)
	}
	return out, nil
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
