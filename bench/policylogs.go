package bench

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"pepbench/bench/interpret"
	"pepbench/bench/llm"
	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/strategies/policylog"
)

// ReadPolicyLog reads a file of decisions on the data of an experiment, which it gives,
// too. say is told of each step and may be nil.
func ReadPolicyLog(e *Experiment, path string, say func(string)) (*policylog.Log, *domains.Dataset, error) {
	if say == nil {
		say = func(string) {}
	}
	d, _, err := new(preparer).load(e, say)
	if err != nil {
		return nil, nil, err
	}
	l, err := readPolicyLog(path, d)
	return l, d, err
}

// A RunLog is the log of a strategy of a finished run.
type RunLog struct {
	policylog.Log
	Sessions int // that the log is made of
	Failed   int // sessions that ended with an error, of which there is nothing in the log
	Unlogged int // questions about no criterion of the task, which a log cannot have
}

// LogOfRun makes a log of what a row of the run in dir decided, from its sessions alone. A
// session that its strategy ended has a stop at its end; one that the budget or the user
// ended, or in which nothing was left to ask, has none. Rows that ask nothing and those
// that replay a log are refused.
func LogOfRun(ctx context.Context, dir, strategy string) (*RunLog, error) {
	if there(dir, record.SweepFile) {
		return nil, &ConfigError{File: dir, What: "holds a sweep", Mend: "give the folder of one of its cells"}
	}
	m, err := record.ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	var known []string
	for _, s := range m.Strategies {
		known = append(known, s.Name)
	}
	i := slices.Index(known, strategy)
	if i < 0 {
		return nil, &ConfigError{File: filepath.Join(dir, record.ManifestFile), What: fmt.Sprintf("no strategy %q", strategy), Mend: "known: " + strings.Join(known, ", ")}
	}
	row := &m.Strategies[i]
	switch row.Kind {
	case "none", "oracle":
		return nil, &ConfigError{What: fmt.Sprintf("strategy %s (kind %s) asks nothing", row.Name, row.Kind), Mend: "name one that asks"}
	case replayKind:
		return nil, &ConfigError{What: fmt.Sprintf("strategy %s replays a log, and where it is off that log it is not the policy", row.Name), Mend: "take the log that it replays"}
	}
	out := &RunLog{}
	out.Header = policylog.Header{
		Model: row.About, Data: strings.TrimSpace(m.Data.Name + " " + m.Data.Version),
		Note: fmt.Sprintf("strategy %s of run %s (config %.12s); users: %s", row.Name, m.Name, m.ConfigHash, m.Users),
	}
	for i := range m.Models {
		if m.Models[i].Name == row.Asks {
			out.Header.Parameters = max(out.Header.Parameters, int64(m.Models[i].Params))
		}
	}
	if p := row.Policy; p != nil {
		out.Header.Model, out.Header.Method, out.Header.Parameters = p.Model, p.Method, p.Params
	}
	path := filepath.Join(dir, record.SessionsFile)
	f, err := os.Open(path)
	if err != nil {
		return nil, &domains.DataError{File: path, What: "the sessions of the run cannot be read: " + reason(err), Mend: "run the experiment first"}
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	all := 0
	for line := 1; ; line++ {
		b, err := in.ReadBytes('\n')
		bad := func(cause error, format string, a ...any) error {
			return &domains.DataError{File: path, Line: line, What: fmt.Sprintf(format, a...), Mend: "finish the run first: the same command resumes", Err: cause}
		}
		switch {
		case errors.Is(err, io.EOF) && len(b) == 0:
			if all != m.Sessions {
				return nil, &domains.DataError{File: path, What: fmt.Sprintf("the run is not finished: %d of %d sessions are there", all, m.Sessions), Mend: "run it to the end first: the same command resumes"}
			}
			if len(out.Decisions) == 0 {
				return nil, &domains.DataError{File: path, What: fmt.Sprintf("strategy %s decided nothing that a log can have", row.Name), Mend: "name another one"}
			}
			return out, nil
		case errors.Is(err, io.EOF):
			return nil, bad(nil, "the last line is torn")
		case err != nil:
			return nil, bad(err, "cannot be read")
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		all++
		var s record.Session
		if err := json.Unmarshal(b, &s); err != nil {
			return nil, bad(err, "not a session")
		}
		if s.Strategy != row.Name {
			continue
		}
		if s.Error != "" {
			out.Failed++
			continue
		}
		asked := map[int]bool{}
		for t, turn := range s.Turns {
			if q := turn.Question; q >= len(s.Criteria) || q >= 0 && asked[q] {
				return nil, bad(nil, "session %q: question %d is about position %d, which it cannot be", s.ID, t+1, q)
			}
			asked[turn.Question] = true
		}
		ds, unlogged := decisions(&s, row.Base, row.Kind)
		out.Decisions = append(out.Decisions, ds...)
		out.Sessions++
		out.Unlogged += unlogged
	}
}

// A TranscriptLog is the log of conversations.
type TranscriptLog struct {
	policylog.Log
	Conversations int
	NoCriterion   int // questions that are about no criterion of the task, as far as could be made out
	Again         int // questions about a criterion that had been asked about
	Open          int // messages without a reply that do not say whether they ask
	Unread        int // answers that nobody could make out
}

// LogOfTranscripts makes a log of conversations between an assistant and users, on the
// data of an experiment, whose interpreter reads them. The file has one conversation a
// line, in the manner of the released interactive evaluation:
//
//	{"problem_id": "problem_3_persona_7", "conversation": [
//	   {"role": "user", "content": "<the request>"},
//	   {"role": "assistant", "content": "{\"action\": \"ask\", \"text\": \"How long may it be?\"}"},
//	   {"role": "user", "content": "{\"thought\": \"..\", \"response\": \"As short as possible.\"}"},
//	   {"role": "assistant", "content": "{\"action\": \"answer\", \"text\": \"..\"}"}]}
//
// In place of problem_id (or id) may stand task and user, or task and episode where the
// user is not known; any of them goes before what the id says. The user of
// problem_n_persona_m is the user of that id, or persona_m, where the data has one, else it
// is not known and the id is the episode's. The messages may be under conversation, messages, transcript or dialogue, and
// their texts under content or text, plain or as a JSON object: of an assistant's the
// action (ask or answer) and the text are read, of a user's the response, and its thought
// is not. Other keys are passed over.
//
// What the users say before the first question is the request. An assistant's message
// that a user replies to, or with the action ask, is a question, and the action answer is
// a stop, with which the conversation is over. A message without action or reply is
// neither: nobody knows whether it asks; it is counted. A question that nobody replies to
// before the next one taught nothing.
//
// A question that is about no criterion of the task, or about one that had been asked
// about, cannot be in a log: it is left out of turns and histories as if it had not been
// put, and counted. Answers become cells as in a session; one that cannot be made out
// taught nothing.
func LogOfTranscripts(ctx context.Context, e *Experiment, r io.Reader, name, policy string, say func(string)) (*TranscriptLog, error) {
	if say == nil {
		say = func(string) {}
	}
	if policy == "" {
		return nil, &ConfigError{What: "the policy has no id", Mend: "give one with --policy"}
	}
	d, _, err := new(preparer).load(e, say)
	if err != nil {
		return nil, err
	}
	say("reading " + name)
	talks, err := readTalks(r, name, d)
	if err != nil {
		return nil, err
	}
	reading := *e
	reading.called = []string{roleInterpreter}
	limit := reading.inFlight()
	roles, err := reading.connect(ctx, limit, "")
	if err != nil {
		return nil, err
	}
	defer roles.close()
	by := roles.endpoints[0].Model
	if roles.endpoints[0].Simulated {
		by += " (simulated)"
	}
	say(fmt.Sprintf("reading %d conversations by rules and by model %s", len(talks), by))
	reader := interpret.Reader{Client: roles.clients[roleInterpreter], Rubric: d.Rubric}
	parts := make([]TranscriptLog, len(talks))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(limit)
	for i := range talks {
		g.Go(func() error {
			if err := talks[i].decide(gctx, reader, d, policy, &parts[i]); err != nil {
				return fmt.Errorf("%s:%d: %w", name, talks[i].line, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := roles.cache.close(); err != nil {
		return nil, err
	}
	out := &TranscriptLog{Conversations: len(talks)}
	out.Header = policylog.Header{Data: policylog.DataName(d), Note: fmt.Sprintf("conversations of %s, read by rules and by model %s", filepath.Base(name), by)}
	for i := range parts {
		out.Decisions = append(out.Decisions, parts[i].Decisions...)
		out.NoCriterion += parts[i].NoCriterion
		out.Again += parts[i].Again
		out.Open += parts[i].Open
		out.Unread += parts[i].Unread
	}
	if len(out.Decisions) == 0 {
		return nil, &domains.DataError{File: name, What: fmt.Sprintf("none of %d conversations has a question about a criterion of its task, or a stop", len(talks)), Mend: "is the configuration that of their data?"}
	}
	return out, nil
}

// A talk is one conversation.
type talk struct {
	line     int
	task     int
	user     string
	episode  string
	messages []message
}

// A message is one of a talk: who spoke, whether an assistant asked or answered (empty: it
// does not say), and the text.
type message struct {
	role, action, text string
}

const (
	speakerAssistant = "assistant"
	speakerUser      = "user"
	speakerSystem    = "system"

	actionAsk    = "ask"
	actionAnswer = "answer"
)

// readTalks reads a file of conversations; errors wrap domains.ErrData.
func readTalks(r io.Reader, name string, d *domains.Dataset) ([]talk, error) {
	tasks, users := make(map[string]int, len(d.Tasks)), make(map[string]bool, len(d.Users))
	for i := range d.Tasks {
		tasks[d.Tasks[i].ID] = i
	}
	for i := range d.Users {
		users[d.Users[i].ID] = true
	}
	var out []talk
	met := map[[3]string]int{}
	in := bufio.NewReaderSize(r, 1<<16)
	for line := 1; ; line++ {
		b, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, &domains.DataError{File: name, Line: line, What: "cannot be read", Err: err}
		}
		bad := func(what, mend string) error {
			return &domains.DataError{File: name, Line: line, What: what, Mend: mend}
		}
		if line == 1 {
			b = bytes.TrimPrefix(b, []byte("\ufeff")) // some editors' mark of UTF-8
		}
		if text := bytes.TrimSpace(b); len(text) > 0 {
			t, fault := readTalk(text, tasks, users)
			if fault != nil {
				return nil, bad(fault.What, fault.Mend)
			}
			t.line = line
			key := [3]string{d.Tasks[t.task].ID, t.user, t.episode}
			if had, twice := met[key]; twice {
				return nil, bad(fmt.Sprintf("the conversation of line %d again: task %q, user %q, episode %q", had, key[0], key[1], key[2]), "give each an episode of its own")
			}
			met[key] = line
			out = append(out, t)
		}
		if err != nil {
			break
		}
	}
	if len(out) == 0 {
		return nil, &domains.DataError{File: name, What: "no conversation", Mend: "write one JSON object a line"}
	}
	return out, nil
}

// readTalk reads a line. A fault has no file and line yet.
func readTalk(text []byte, tasks map[string]int, users map[string]bool) (talk, *domains.DataError) {
	bad := func(mend, format string, a ...any) (talk, *domains.DataError) {
		return talk{}, &domains.DataError{What: fmt.Sprintf(format, a...), Mend: mend}
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return bad("write one JSON object a line", "not a conversation: the line is no JSON object")
	}
	said := map[string]string{}
	for _, key := range []string{"problem_id", "id", "task", "user", "episode"} {
		raw, ok := fields[key]
		var s *string
		if ok && json.Unmarshal(raw, &s) != nil {
			return bad("", "%s is %.40s, not a text", key, raw)
		}
		if s != nil {
			said[key] = *s
		}
	}
	task, user, episode := said["task"], said["user"], said["episode"]
	if id := cmp.Or(said["problem_id"], said["id"]); id != "" {
		if at := strings.LastIndex(id, "_persona_"); at >= 0 {
			task = cmp.Or(task, id[:at])
			for _, u := range []string{id, id[at+1:]} {
				if user == "" && users[u] {
					user = u
				}
			}
		}
		if user == "" {
			episode = cmp.Or(episode, id)
		}
	}
	switch {
	case task == "":
		return bad("give problem_id (problem_<n>_persona_<m>), or task and user", "the conversation does not name its task")
	case user == "" && episode == "":
		return bad("give one of them", "the conversation has neither user nor episode")
	}
	at, ok := tasks[task]
	if !ok {
		return bad("is the configuration that of its data?", "no task %q in the data", task)
	}
	t := talk{task: at, user: user, episode: episode}
	const names = "conversation, messages, transcript or dialogue"
	var raw json.RawMessage
	for _, key := range []string{"conversation", "messages", "transcript", "dialogue"} {
		if m, ok := fields[key]; ok {
			if raw != nil {
				return bad("keep one of them", "two lists of messages (%s)", names)
			}
			raw = m
		}
	}
	var list []map[string]json.RawMessage
	if raw == nil || json.Unmarshal(raw, &list) != nil || len(list) == 0 {
		return bad("give a list of {role, content} under "+names, "the conversation has no list of messages")
	}
	for i, m := range list {
		msg, err := readMessage(m)
		if err != nil {
			return bad("a message has a role (assistant, user or system) and a content", "message %d: %v", i+1, err)
		}
		t.messages = append(t.messages, msg)
	}
	return t, nil
}

func readMessage(m map[string]json.RawMessage) (message, error) {
	var out message
	if json.Unmarshal(m["role"], &out.role) != nil || !slices.Contains([]string{speakerAssistant, speakerUser, speakerSystem}, out.role) {
		return out, fmt.Errorf("role is %.40s", cmp.Or(string(m["role"]), "left out"))
	}
	raw, ok := m["content"]
	if !ok {
		raw = m["text"]
	}
	var object map[string]json.RawMessage
	switch {
	case len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &out.text) == nil:
		object, _ = llm.Object(out.text) // which most texts are not
	case len(raw) > 0 && raw[0] == '{' && json.Unmarshal(raw, &object) == nil:
	default:
		return out, fmt.Errorf("content is %.40s", cmp.Or(string(raw), "left out"))
	}
	text := func(key string) (string, error) {
		var s string
		if raw := object[key]; json.Unmarshal(raw, &s) != nil {
			return "", fmt.Errorf("%s is %.40s, not a text", key, cmp.Or(string(raw), "left out"))
		}
		return s, nil
	}
	var err error
	switch _, acts := object["action"]; {
	case out.role == speakerAssistant && acts:
		if out.action, err = text("action"); err != nil {
			return out, err
		}
		switch out.action {
		case actionAnswer:
			out.text = ""
			return out, nil
		case actionAsk:
		default:
			return out, fmt.Errorf("action is %.40q, neither ask nor answer", out.action)
		}
		out.text, err = text("text")
	case out.role == speakerUser && object["response"] != nil:
		out.text, err = text("response")
	case out.role == speakerUser && object["thought"] != nil: // which is not what was said
		err = errors.New("a thought without response")
	case raw[0] == '{' && out.role != speakerSystem:
		err = errors.New("content is an object without action and text, or response")
	}
	return out, err
}

// decide turns a talk into decisions.
func (t *talk) decide(ctx context.Context, r interpret.Reader, d *domains.Dataset, policy string, out *TranscriptLog) error {
	criteria := d.CriteriaOf(t.task)
	dec := policylog.Decision{Policy: policy, Task: d.Tasks[t.task].ID, User: t.user, Episode: t.episode, History: []policylog.Told{}}
	asked := make([]bool, len(criteria))
	// What was asked last, and what was said to it since.
	var question *message
	var replies []string
	settle := func() error {
		q, said := question, strings.Join(replies, "\n")
		answered := len(replies) > 0
		if question, replies = nil, nil; q == nil {
			return nil
		}
		if q.action == "" && !answered {
			out.Open++
			return nil
		}
		place, err := r.Question(ctx, criteria, q.text)
		switch {
		case err != nil:
			return err
		case place.Position < 0:
			out.NoCriterion++
			return nil
		case asked[place.Position]:
			out.Again++
			return nil
		}
		asked[place.Position] = true
		dec.Question = criteria[place.Position].ID
		out.Decisions = append(out.Decisions, dec)
		cell := domains.Missing()
		if answered {
			m, err := r.Answer(ctx, interpret.Heard{Criteria: criteria, Position: place.Position, Question: q.text, Text: said})
			if err != nil {
				return err
			}
			if cell = m.Cell; m.State == interpret.Unread {
				out.Unread++
			}
		}
		dec.History = append(slices.Clip(dec.History), policylog.Told{Criterion: dec.Question, Answer: cell})
		dec.Turn++
		return nil
	}
	for i := range t.messages {
		m := &t.messages[i]
		switch {
		case m.role == speakerSystem:
		case m.role == speakerUser:
			if question != nil {
				replies = append(replies, m.text)
			}
		default:
			if err := settle(); err != nil {
				return err
			}
			if m.action == actionAnswer {
				dec.Question, dec.Stop = "", true
				out.Decisions = append(out.Decisions, dec)
				return nil
			}
			question = m
		}
	}
	return settle()
}
