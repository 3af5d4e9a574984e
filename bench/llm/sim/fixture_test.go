package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A scale is a criterion made up for the tests.
type scale struct {
	name   string
	levels []string
}

var scales = []scale{
	{"Harbour imagery", []string{
		"never compares anything to ships", "slips in one nautical comparison", "returns to sails every other paragraph",
		"builds each point on a sea picture", "speaks throughout like an old captain",
	}},
	{"Kettle talk", []string{
		"nothing on tea or cups", "a single aside on brewing", "two or three cosy remarks about boiling",
		"steady chatter around teapots and leaves", "every sentence steeped in infusion lore",
	}},
	{"Margin doodling", []string{
		"clean edges, no sketches drawn", "one small arrow beside the lines", "several boxes framing key words",
		"rich drawings along both sides", "ornaments crowd out all empty space",
	}},
	{"Rhyme use", []string{
		"flat prose with plain endings", "an occasional chiming pair", "couplets at paragraph close",
		"verses alternating with explanation", "continuous metre from start to finish",
	}},
	{"Garden anecdotes", []string{
		"without stories of plants", "mentions a neighbour's tomato once", "tells two short tales from the shed",
		"weaves recurring compost episodes through", "becomes one long allotment memoir",
	}},
	{"Clock pressure", []string{
		"leisurely and open ended pace", "gentle hint that hours pass", "names a deadline, then moves on",
		"counts down repeatedly toward expiry", "frantic urgency in each clause",
	}},
	{"Echo phrasing", []string{
		"says each thing once, never again", "repeats the headline at closing", "restates main points midway",
		"loops back after nearly all sections", "chants identical refrain ceaselessly",
	}},
	{"Mood colour", []string{"none", "faint", "some", "much", "full"}},
	{"Bracket length", []string{"none", "a little", "some", "much", "as much as possible"}},
}

func chatBody(system, user string) string {
	return body(map[string]any{
		"model":    "m",
		"messages": []any{map[string]string{"role": "system", "content": system}, map[string]string{"role": "user", "content": user}},
	})
}

func body(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func do(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func post(body string) *httptest.ResponseRecorder {
	return do(Handler(), http.MethodPost, "/v1/chat/completions", body)
}

// chat returns the content of the reply.
func chat(t testing.TB, system, user string) string {
	t.Helper()
	return content0(t, post(chatBody(system, user)))
}

func content0(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var c completion
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil || w.Code != http.StatusOK {
		t.Fatalf("status %d, %v: %s", w.Code, err, w.Body)
	}
	return c.Choices[0].Message.Content
}

const solverSystem = "Answer the task for the reader. End with nothing else."

// solverPrompt asks for the given levels (from 0) of the given scales.
func solverPrompt(task string, list []scale, want []int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Task:\n%s\n", task)
	if len(list) > 0 {
		b.WriteString("\nThis reader wants:\n")
	}
	for i, s := range list {
		fmt.Fprintf(&b, "- %s: %s (from least to most: %s)\n", s.name, s.levels[want[i]], strings.Join(s.levels, " | "))
	}
	return b.String()
}

const (
	singleSystem  = `Name the level that you find. Reply with JSON: {"level": n, "reason": "..."}`
	batchedSystem = `Name the levels that you find. Reply with JSON: {"results": [{"criterion": "<name>", "level": n, "reason": "..."}]}`
)

func judgePrompt(response string, list ...scale) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Task:\nWhat now?\n\nResponse:\n<<<\n%s\n>>>\n", response)
	for _, s := range list {
		fmt.Fprintf(&b, "\nCriterion: %s\nWhat it is: how it is.\nLevels, from least to most:\n", s.name)
		for i, l := range s.levels {
			fmt.Fprintf(&b, "%d. %s\n", i+1, l)
		}
	}
	return b.String()
}

type graded struct {
	Criterion string
	Level     int
	Score     int
	Reason    string
}

func judgeOne(t testing.TB, response string, s scale) graded {
	t.Helper()
	var g graded
	decode(t, chat(t, singleSystem, judgePrompt(response, s)), &g)
	return g
}

func judgeAll(t testing.TB, response string, list []scale) []graded {
	t.Helper()
	var g struct{ Results []graded }
	decode(t, chat(t, batchedSystem, judgePrompt(response, list...)), &g)
	if len(g.Results) != len(list) {
		t.Fatalf("%d results for %d criteria", len(g.Results), len(list))
	}
	return g.Results
}

func decode(t testing.TB, s string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(s), v); err != nil {
		t.Fatalf("%v: %s", err, s)
	}
}
