package llm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestObject(t *testing.T) {
	const none = "not a JSON object"
	for _, row := range []struct{ reason, text, want, fault string }{
		{"alone", `{"a": 1}`, `{"a":1}`, ""},
		{"blanks around it", "\n\t {\"a\": 1} \n", `{"a":1}`, ""},
		{"a fence", "```json\n{\"a\": 1}\n```", `{"a":1}`, ""},
		{"a fence in prose", "Sure!\n```\n{\"a\": 1}\n```\nAnything else?", `{"a":1}`, ""},
		{"a fence that is not closed", "```json\n{\"a\": 1}", `{"a":1}`, ""},
		{"prose before and after", `My verdict: {"a": 1}. I am sure.`, `{"a":1}`, ""},
		{"braces in prose", `Take {x} and {}: {"a": 1} {y`, `{"a":1}`, ""},
		{"the form is quoted before", `In the form {"a": N}: {"a": 1}`, `{"a":1}`, ""},
		{"braces within strings", `{"a": "}{", "b": "\"}"} {`, `{"a":"}{","b":"\"}"}`, ""},
		{"single quotes", `{'a': 'b "c" d'}`, `{"a":"b \"c\" d"}`, ""},
		{"both kinds", `{"a": 'it is', 'b': "it's"}`, `{"a":"it is","b":"it's"}`, ""},
		{"an escaped single quote", `{'a': 'it\'s'}`, `{"a":"it's"}`, ""},
		{"trailing commas", `{"a": [1, 2,], "b": {"c": 1,},}`, `{"a":[1,2],"b":{"c":1}}`, ""},
		{"words of Python", `{"a": True, "b": False, "c": None}`, `{"a":true,"b":false,"c":null}`, ""},
		{"what is no number is null", `{"a": NaN, "b": [Infinity, -Infinity]}`, `{"a":null,"b":[null,null]}`, ""},
		{"numbers stay as they are written", `{"a": 1e999, "b": -0.50, "c": 12345678901234567890}`, `{"a":1e999,"b":-0.50,"c":12345678901234567890}`, ""},
		{"line breaks within strings", "{\"a\": \"x\ny\"}", `{"a":"x\u000ay"}`, ""},
		{"a stray backslash", `{"a": "\(x\) \u12"}`, `{"a":"\\(x\\) \\u12"}`, ""},
		{"escapes", `{"a\u0062": "\u00e9\n\\"}`, `{"ab":"\u00e9\n\\"}`, ""},
		{"nothing in it", `{}`, `{}`, ""},
		{"twice the same", `{"a": 1, "b": [2.0]} or, in other words, {"b": [2], "a": 1}`, `{"a":1,"b":[2.0]}`, ""},
		{"keys differ in case", `{"a": 1, "A": 2}`, `{"A":2,"a":1}`, ""},
		{"a tool call beside it", "<function_calls>\nf(d={\"a\": 2})\n</function_calls>{\"a\": 1}", `{"a":1}`, ""},

		{"two that differ", `{"a": 1} {"a": 2}`, "", "two different JSON objects"},
		{"an afterthought", `{"a": 1} No: {"a": 1, "b": 2}`, "", "two different JSON objects"},
		{"a key twice", `{"a": 1, "a": 1}`, "", `key "a" twice`},
		{"a key twice, written otherwise", `{"a": 1, "\u0061": 1}`, "", `key "a" twice`},
		{"a key twice below", `{"a": [{"b": 1, 'b': 2}]}`, "", `key "b" twice`},
		{"nothing", ``, "", none},
		{"prose", `I find level 4.`, "", none},
		{"cut off", `{"a": 1, "b": [2`, "", none},
		{"cut off around another one", `{"a": {"b": 1}, "c": `, "", none},
		{"broken around another one", `{"a": {"b": 1}, "c": oops}`, "", none},
		{"broken before another one within", `{"a": oops, "c": {"b": 1}}`, "", none},
		{"a list", `[{"a": 1}]`, "", none},
		{"a list in prose", `These: [ {"a": 1}, {"a": 2} ]`, "", none},
		{"a list that breaks off", `[{"a": 1}, `, "", none},
		{"a comment", "{\"a\": 1 // sure\n}", "", none},
		{"keys without quotes", `{a: 1}`, "", none},
		{"no comma", `{"a": 1 "b": 2}`, "", none},
		{"two commas", `{"a": 1,, "b": 2}`, "", none},
		{"no value", `{"a": }`, "", none},
		{"no colon", `{"a" 1}`, "", none},
		{"a bare word", `{"a": maybe}`, "", none},
		{"a number that is none", `{"a": 01}`, "", none},
		{"a fraction", `{"a": 4/5}`, "", none},
		{"only a tool call", "<function_calls>f(d={\"a\": 2})", "", none},
		{"nested beyond measure", strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000), "", none},
		{"text", `"{}"`, "{}", ""},
	} {
		m, err := Object(row.text)
		if row.fault != "" {
			if err == nil || !strings.HasPrefix(err.Error(), "unreadable reply: "+row.fault) || m != nil {
				t.Errorf("%s: %s, %v; want %q", row.reason, m, err, row.fault)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v; want %s", row.reason, err, row.want)
			continue
		}
		if flat := written(m); flat != row.want {
			t.Errorf("%s: got %s, want %s", row.reason, flat, row.want)
		}
	}
}

// written puts an object together without changing its values.
func written(m map[string]json.RawMessage) string {
	var keys, out []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		out = append(out, fmt.Sprintf("%q:%s", k, m[k]))
	}
	return "{" + strings.Join(out, ",") + "}"
}

// TestObjectReadsJSON: whatever JSON says is read as encoding/json reads it, in prose
// too.
func TestObjectReadsJSON(t *testing.T) {
	values := rapid.OneOf(rapid.Just[any](nil), rapid.Map(rapid.Bool(), asAny[bool]), rapid.Map(rapid.Float64(), asAny[float64]), rapid.Map(rapid.String(), asAny[string]),
		rapid.Map(rapid.SliceOfN(rapid.Float64(), 0, 3), func(v []float64) any {
			out := []any{}
			for _, x := range v {
				out = append(out, x)
			}
			return out
		}))
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOfN(rapid.String(), values, 1, 5).Draw(t, "object")
		b, err := json.MarshalIndent(want, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		_ = json.Unmarshal(b, &want) // what UTF-8 cannot say is lost on the way
		m, err := Object("Here it is:\n" + string(b) + "\nDone.")
		if err != nil {
			t.Fatal(err)
		}
		if len(m) != len(want) {
			t.Fatalf("%d keys, want %d", len(m), len(want))
		}
		for k, raw := range m {
			var got any
			if err := json.Unmarshal(raw, &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want[k]) {
				t.Errorf("%q: %v, %v; want %v", k, got, err, want[k])
			}
		}
	})
}

func asAny[T any](v T) any { return v }

// nasty are texts that a careless reader takes quadratic time for, or more: a megabyte
// of them then outlasts the patience of go test.
var nasty = []string{"{", "[", "{\"", "{\"a\":", "{'a':[", "{}", "{\"a\":1}", "[{", "\\", "<think>", "</think>", "x<think></think>", "<function_calls>", "{\"a\":{", "{ "}

func TestLongNonsense(t *testing.T) {
	for _, s := range nasty {
		long := strings.Repeat(s, (1<<20)/len(s))
		if _, err := Object(long); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", s, err)
		}
		if _, rest, _ := SplitThinking(long); len(rest) > len(long) {
			t.Errorf("%q: grew", s)
		}
	}
	if thought, rest, ok := SplitThinking(strings.Repeat("<think>", 1<<16) + strings.Repeat("</think>", 1<<16) + "a"); !ok || rest != "a" || thought == "" {
		t.Errorf("blocks in each other: %q", rest)
	}
}

func FuzzObject(f *testing.F) {
	for _, s := range append([]string{`{"a": 1}`, `{'a': 'b',}`, "```json\n{\"a\": NaN}\n```", `{"a": "\u00e9\n"} {"a": 2}`, `[{"a": 1}]`, `<function_calls>{}</function_calls>`}, nasty...) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := Object(s)
		if (m == nil) == (err == nil) {
			t.Fatalf("%q gives %v and %v", s, m, err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%q: more than one line: %v", s, err)
		}
		for k, v := range m {
			if !json.Valid(v) {
				t.Errorf("%q: %q is %s", s, k, v)
			}
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Object(string(b))
		if m == nil {
			return
		}
		if err != nil || !equal(m, again) {
			t.Errorf("%q: what was read does not read as itself: %s, %v", s, b, err)
		}
		var strict map[string]json.RawMessage
		if json.Unmarshal([]byte(s), &strict) == nil && strict != nil && !bytes.Contains([]byte(s), []byte(callsOpen)) && len(strict) != len(m) {
			t.Errorf("%q: %d keys, encoding/json finds %d", s, len(m), len(strict))
		}
	})
}

func BenchmarkObject(b *testing.B) {
	var s strings.Builder
	s.WriteString("```json\n{\"results\": [")
	for i := range 6 {
		fmt.Fprintf(&s, "{\"criterion\": \"criterion %d\", \"reason\": \"%s\", \"level\": 3},", i, strings.Repeat("because ", 20))
	}
	s.WriteString("]}\n```")
	text := s.String()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Object(text); err != nil {
			b.Fatal(err)
		}
	}
}

// TestOneLine: whatever a text holds, it is one line, and what needs no change has none.
func TestOneLine(t *testing.T) {
	for _, row := range []struct{ reason, in, want string }{
		{"a line stays", "a  b", "a  b"},
		{"but for blanks around it", " a b ", "a b"},
		{"lines are joined", "a\n\tb\r\nc", "a b c"},
		{"so are those that Unicode ends otherwise", "a\u2028b\u2029c\u0085d", "a b c d"},
		{"nothing", "", ""},
	} {
		if got := OneLine(row.in); got != row.want {
			t.Errorf("%s: %q, want %q", row.reason, got, row.want)
		}
	}
}
