package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pepbench/bench/llm"
	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/strategies/policylog"
)

// inShort is a decision in few words.
func inShort(d *policylog.Decision) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s/%s%s %d:", d.Task, d.User, d.Episode, d.Turn)
	for _, h := range d.History {
		fmt.Fprintf(&b, " %s=%v", h.Criterion, h.Answer)
	}
	if d.Stop {
		return b.String() + " stop"
	}
	return b.String() + " ? " + d.Question
}

func released(t testing.TB) *Experiment {
	t.Helper()
	e, err := Load("../configs/prefdisco.yaml", []string{"domain.path=testdata/released.good.jsonl", "filter={min_users: 0}", "cache=off"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestLogOfTranscripts: questions become criteria, answers cells, and what cannot be
// logged is counted; what a user thought is not read.
func TestLogOfTranscripts(t *testing.T) {
	b := readFile(t, "testdata", "transcripts.good.jsonl")
	l, err := LogOfTranscripts(context.Background(), released(t), bytes.NewReader(b), "transcripts.good.jsonl", "theirs", nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range l.Decisions {
		got = append(got, inShort(&l.Decisions[i]))
	}
	want := []string{
		"problem_0/persona_0 0: ? Warning Lines",
		"problem_0/persona_0 1: Warning Lines=3 ? Playful Tone",
		"problem_0/persona_0 2: Warning Lines=3 Playful Tone=NA stop",
		// A question about a colour, another about what was asked, and a last message
		// that does not say what it is.
		"problem_0/persona_1 0: ? Example Count",
		"problem_0/persona_1 1: Example Count=5 ? Formula Use",
		// A question without reply taught nothing; the user is not known.
		"problem_1/problem_1_persona_99 0: ? Closing Summary",
		"problem_1/problem_1_persona_99 1: Closing Summary=? ? Warm Greeting",
		"problem_1/problem_1_persona_99 2: Closing Summary=? Warm Greeting=2 ? Step Numbering",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if l.Conversations != 3 || l.NoCriterion != 1 || l.Again != 1 || l.Open != 1 || l.Unread != 0 {
		t.Errorf("%d conversations, %d about nothing, %d again, %d open, %d unread", l.Conversations, l.NoCriterion, l.Again, l.Open, l.Unread)
	}
	if !strings.HasSuffix(l.Header.Note, "(simulated)") || l.Header.Data != "released.good" && l.Header.Data == "" {
		t.Errorf("header %+v", l.Header)
	}
	// The log is one.
	var out bytes.Buffer
	if err := policylog.Write(&out, &l.Log); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "log.jsonl")
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	read, d, err := ReadPolicyLog(released(t), path, nil)
	if err != nil || len(read.Decisions) != len(want) || policylog.DataName(d) != l.Header.Data {
		t.Errorf("%v", err)
	}
	// Two times, and one conversation at a time, the same.
	e := released(t)
	e.Concurrency = 1
	again, err := LogOfTranscripts(context.Background(), e, bytes.NewReader(b), "transcripts.good.jsonl", "theirs", nil)
	if err != nil {
		t.Fatal(err)
	}
	var second bytes.Buffer
	if err := policylog.Write(&second, &again.Log); err != nil || !bytes.Equal(out.Bytes(), second.Bytes()) {
		t.Errorf("%v: another log", err)
	}
}

// TestBadTranscripts: what cannot be read is told with its line.
func TestBadTranscripts(t *testing.T) {
	const good = `{"problem_id":"problem_0_persona_0","messages":[{"role":"assistant","content":"{\"action\":\"answer\"}"}]}`
	with := func(messages string) string {
		return `{"problem_id":"problem_0_persona_1","messages":` + messages + `}`
	}
	for _, row := range []struct{ reason, text, want string }{
		{"nothing", "", "x: no conversation; "},
		{"no JSON", good + "\nhello", "x:2: not a conversation: the line is no JSON object; "},
		{"a list", "[1]", "x:1: not a conversation: the line is no JSON object; "},
		{"nothing but null", "null", "x:1: not a conversation: the line is no JSON object; "},
		{"of other data", strings.ReplaceAll(good, "problem_0", "problem_77"), `x:1: no task "problem_77" in the data; is the configuration that of its data?`},
		{"no task", `{"user":"persona_0","messages":[]}`, "x:1: the conversation does not name its task; "},
		{"an id of another kind", `{"id":"conversation 7","messages":[]}`, "x:1: the conversation does not name its task; "},
		{"an id that is a number", `{"id":7,"messages":[]}`, "x:1: id is 7, not a text"},
		{"nobody", `{"task":"problem_0","messages":[]}`, "x:1: the conversation has neither user nor episode; "},
		{"nothing was said", with("[]"), "x:1: the conversation has no list of messages; "},
		{"no list", with(`"hello"`), "x:1: the conversation has no list of messages; "},
		{"two lists", strings.Replace(good, `"messages"`, `"dialogue":[],"messages"`, 1), "x:1: two lists of messages "},
		{"somebody else spoke", with(`[{"role":"tool","content":"x"}]`), `x:1: message 1: role is "tool"; `},
		{"who spoke", with(`[{"content":"x"}]`), "x:1: message 1: role is left out; "},
		{"nothing was said by somebody", with(`[{"role":"user","content":"x"},{"role":"user"}]`), "x:1: message 2: content is left out; "},
		{"no text", with(`[{"role":"user","content":[1]}]`), "x:1: message 1: content is [1]; "},
		{"an object with nothing to read", with(`[{"role":"user","content":{"words":"x"}}]`), "x:1: message 1: content is an object without action and text, or response; "},
		{"an action that is none", with(`[{"role":"assistant","content":{"action":"think","text":"x"}}]`), `x:1: message 1: action is "think", neither ask nor answer; `},
		{"a thought, which is not what was said", with(`[{"role":"user","content":"{\"thought\": \"I want none of it.\"}"}]`), "x:1: message 1: a thought without response; "},
		{"a question without words", with(`[{"role":"assistant","content":{"action":"ask"}}]`), "x:1: message 1: text is left out, not a text; "},
		{"one conversation twice", good + "\n" + good, `x:2: the conversation of line 1 again: task "problem_0", user "persona_0", episode ""; give each an episode of its own`},
		{"nothing that a log can have", with(`[{"role":"assistant","content":"Hello."}]`), "x: none of 1 conversations has a question about a criterion of its task, or a stop; "},
	} {
		l, err := LogOfTranscripts(context.Background(), released(t), strings.NewReader(row.text), "x", "p", nil)
		if l != nil || !errors.Is(err, domains.ErrData) || !strings.HasPrefix(err.Error(), row.want) {
			t.Errorf("%s: %v, want %s", row.reason, err, row.want)
		}
	}
	if _, err := LogOfTranscripts(context.Background(), released(t), strings.NewReader(good), "x", "", nil); !errors.Is(err, ErrConfig) {
		t.Errorf("no policy: %v", err)
	}
	if _, err := LogOfTranscripts(context.Background(), released(t), io.MultiReader(strings.NewReader(good+"\n"), failing{}), "x", "p", nil); !errors.Is(err, domains.ErrData) || !strings.HasPrefix(err.Error(), "x:2: cannot be read") {
		t.Errorf("a disk that fails: %v", err)
	}
	if e, err := Load("../configs/prefdisco.yaml", []string{"domain.path=testdata/released.good.jsonl", "filter={min_users: 0}", "cache=off", "backend={kind: openai, model: m, base_url: 'http://127.0.0.1:1/v1', attempts: 1}"}); err != nil {
		t.Error(err)
	} else if _, err := LogOfTranscripts(context.Background(), e, strings.NewReader(good), "x", "p", nil); !errors.Is(err, llm.ErrUnusable) {
		t.Errorf("nobody to read it: %v", err)
	}
}

// TestTranscriptTraps: what stands between questions makes no decision of it.
func TestTranscriptTraps(t *testing.T) {
	ask := func(text string) string {
		return `{"role":"assistant","content":{"action":"ask","text":"` + text + `"}}`
	}
	say := func(role, text string) string { return `{"role":"` + role + `","content":"` + text + `"}` }
	const answer = `{"role":"assistant","content":{"action":"answer"}}`
	for _, row := range []struct {
		reason, before string
		messages       []string
		want           []string
		open           int
	}{
		{"a byte order mark and carriage returns", "\ufeff", []string{answer, say("user", "Thanks.\\r\\n")}, []string{"0: stop"}, 0},
		{"an aside that nobody replies to is no question, whatever it is about", "", []string{say("assistant", "Let me think about the warning lines."), ask("What about the playful tone?"), say("user", "A little."), answer}, []string{"0: ? Playful Tone", "1: Playful Tone=2 stop"}, 1},
		{"nor is one before the answer", "", []string{say("assistant", "Let me think about the warning lines."), answer}, []string{"0: stop"}, 1},
		{"what is said before the first question answers none", "", []string{say("user", "As much as possible."), say("user", "None."), ask("What about the playful tone?"), say("user", "Some."), answer}, []string{"0: ? Playful Tone", "1: Playful Tone=3 stop"}, 0},
		{"a question in a fence", "", []string{say("assistant", "```json\\n{\\\"action\\\": \\\"ask\\\", \\\"text\\\": \\\"What about the playful tone?\\\"}\\n```"), say("user", "Some.")}, []string{"0: ? Playful Tone"}, 0},
		{"nothing after a stop counts", "", []string{answer, ask("What about the playful tone?"), say("user", "Some.")}, []string{"0: stop"}, 0},
	} {
		line := row.before + `{"problem_id":"problem_0_persona_0","messages":[` + strings.Join(row.messages, ",") + "]}\r\n"
		l, err := LogOfTranscripts(context.Background(), released(t), strings.NewReader(line), "x", "p", nil)
		if err != nil {
			t.Errorf("%s: %v", row.reason, err)
			continue
		}
		var got []string
		for i := range l.Decisions {
			_, short, _ := strings.Cut(inShort(&l.Decisions[i]), " ")
			got = append(got, short)
		}
		if !slices.Equal(got, row.want) || l.Open != row.open {
			t.Errorf("%s: %q, %d open, want %q, %d", row.reason, got, l.Open, row.want, row.open)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// FuzzTranscripts: whatever a line holds, it is read or it is an error of the data.
func FuzzTranscripts(f *testing.F) {
	b, err := os.ReadFile("testdata/transcripts.good.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		f.Add(line)
	}
	d := &domains.Dataset{Tasks: []domains.Task{{ID: "problem_0"}}, Users: []domains.User{{ID: "persona_0"}}}
	f.Fuzz(func(t *testing.T, b []byte) {
		talks, err := readTalks(bytes.NewReader(b), "x", d)
		if err != nil && !errors.Is(err, domains.ErrData) || err == nil && len(talks) == 0 {
			t.Fatalf("%d conversations, %v", len(talks), err)
		}
		for _, k := range talks {
			if k.user == "" && k.episode == "" || len(k.messages) == 0 {
				t.Fatalf("%+v", k)
			}
		}
	})
}

// TestLogOfRun: the log of a row is what its sessions say; the log that is made for a
// replay says the same.
func TestLogOfRun(t *testing.T) {
	p := prepare(t, smoke, append(slices.Clone(profileOnly), "strategies=[{name: none, kind: none}, {name: oracle, kind: oracle}, {name: pep, kind: pep, belief: latent, stop: {gain: 0.05}, predict: [latent, answers]}, {name: again, kind: replay, of: pep, users: test}]")...)
	dir := t.TempDir()
	mustRun(t, p, dir)
	l, err := LogOfRun(context.Background(), dir, "pep+latent")
	if err != nil {
		t.Fatal(err)
	}
	l.Sort()
	var got, made bytes.Buffer
	if err := policylog.Write(&got, &policylog.Log{Decisions: l.Decisions}); err != nil {
		t.Fatal(err)
	}
	m, err := policylog.Read(bytes.NewReader(readFile(t, dir, LogsDir, "pep.test.jsonl")), "x", p.Data)
	if err != nil {
		t.Fatal(err)
	}
	if err := policylog.Write(&made, &policylog.Log{Decisions: m.Decisions}); err != nil {
		t.Fatal(err)
	}
	if got.String() != made.String() || l.Sessions == 0 || l.Failed+l.Unlogged != 0 {
		t.Errorf("%d sessions, %d failed, %d unlogged: got\n%.400s\nmade\n%.400s", l.Sessions, l.Failed, l.Unlogged, got.String(), made.String())
	}
	if h := l.Header; h.Data != policylog.DataName(p.Data) || h.Parameters != m.Header.Parameters || h.Parameters == 0 || !strings.Contains(h.Note, "users: exact") {
		t.Errorf("header %+v, made %+v", h, m.Header)
	}

	// Sessions that failed and questions about no criterion are counted; a stop where
	// nothing was left is no decision.
	text := string(readFile(t, dir, record.SessionsFile))
	for _, row := range []struct {
		reason, strategy string
		change           func(string) string
		want             string
	}{
		{"no such row", "pop", nil, `no strategy "pop"; known: none, oracle, pep+latent, pep, again`},
		{"the floor", "none", nil, "strategy none (kind none) asks nothing"},
		{"the ceiling", "oracle", nil, "strategy oracle (kind oracle) asks nothing"},
		{"a replay", "again", nil, "strategy again replays a log"},
		{"torn", "pep", func(s string) string { return s[:len(s)-5] }, "the last line is torn; finish the run first"},
		{"not finished", "pep", func(s string) string { return s[:strings.LastIndex(s[:len(s)-1], "\n")+1] }, "the run is not finished: "},
		{"no session", "pep", func(s string) string { return "[]\n" + s }, "sessions.jsonl:1: not a session"},
		{"a position that is not there", "pep", func(s string) string {
			return strings.Replace(s, `"turns":[{"question":`, `"turns":[{"question":9`, -1)
		}, "which it cannot be"},
	} {
		if row.change != nil {
			if err := os.WriteFile(filepath.Join(dir, record.SessionsFile), []byte(row.change(text)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := LogOfRun(context.Background(), dir, row.strategy); err == nil || !strings.Contains(err.Error(), row.want) || !errors.Is(err, ErrConfig) && !errors.Is(err, domains.ErrData) {
			t.Errorf("%s: %v, want %s", row.reason, err, row.want)
		}
	}
	if _, err := LogOfRun(context.Background(), t.TempDir(), "pep"); !errors.Is(err, domains.ErrData) {
		t.Errorf("no run: %v", err)
	}
}

// TestDecisions: what of a session is a decision.
func TestDecisions(t *testing.T) {
	turn := func(q int, a domains.Cell) record.Turn { return record.Turn{Question: q, Answer: a} }
	turns := []record.Turn{turn(1, domains.At(2)), turn(-1, domains.Missing()), turn(0, domains.NotHeld())}
	for _, row := range []struct {
		reason, stop string
		turns        []record.Turn
		want         string
		unlogged     int
	}{
		{"the budget is spent: no stop", record.StopBudget, turns, "t/u 0: ? b; t/u 1: b=2 ? a", 1},
		{"it wanted no more", record.StopDone, turns, "t/u 0: ? b; t/u 1: b=2 ? a; t/u 2: b=2 a=NA stop", 1},
		{"nothing was left: no decision", record.StopExhausted, turns[:1], "t/u 0: ? b", 0},
		{"the user wanted no more: not the policy", record.StopUser, turns[:1], "t/u 0: ? b", 0},
		{"it could not be read", record.StopUnread, turns[1:2], "", 1},
		{"it never asked", record.StopDone, nil, "t/u 0: stop", 0},
	} {
		s := &record.Session{Task: "t", User: "u", Seed: 3, Criteria: []string{"a", "b"}, Turns: row.turns, Stop: row.stop}
		ds, unlogged := decisions(s, "p", "pep")
		var got []string
		for i := range ds {
			got = append(got, inShort(&ds[i]))
			if ds[i].Policy != "p" || *ds[i].Seed != 3 {
				t.Errorf("%s: %+v", row.reason, ds[i])
			}
		}
		if strings.Join(got, "; ") != row.want || unlogged != row.unlogged {
			t.Errorf("%s: %s and %d unlogged, want %s and %d", row.reason, strings.Join(got, "; "), unlogged, row.want, row.unlogged)
		}
	}
	// Scores are probabilities of a policy, and of nobody else.
	s := &record.Session{Task: "t", User: "u", Criteria: []string{"a", "b"}, Stop: record.StopDone, Turns: []record.Turn{
		{Question: 1, Scores: []record.Scored{{Position: 0, Score: .25}, {Position: 1, Score: .75}}},
		{Question: 0, Scores: []record.Scored{{Position: 1, Score: .5}}},
	}}
	for kind, want := range map[string]string{policyKind: "0.75 - -", "pep": "- - -"} {
		ds, _ := decisions(s, "p", kind)
		var got []string
		for _, d := range ds {
			got = append(got, "-")
			if d.Probability != nil {
				got[len(got)-1] = fmt.Sprint(*d.Probability)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: probabilities %v, want %s", kind, got, want)
		}
	}
}
