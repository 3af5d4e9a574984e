package policylog_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pepbench/domains"
	"pepbench/strategies/policylog"
)

// made is data with an ordinal, a nominal and a continuous criterion, and one that has an
// unfortunate id.
func made() *domains.Dataset {
	five := func(id string) domains.Criterion {
		c := domains.Criterion{ID: id, Name: id}
		for v := 1.0; v <= 5; v++ {
			c.Levels = append(c.Levels, domains.Level{Value: v})
		}
		return c
	}
	n := domains.Criterion{ID: "n", Name: "n", Scale: domains.Nominal, Levels: []domains.Level{{Value: 0}, {Value: 1}, {Value: 2}}}
	x := domains.Criterion{ID: "x", Name: "x", Scale: domains.Continuous, Min: 0, Max: 10}
	return &domains.Dataset{
		Name: "made", Version: "1",
		Criteria: []domains.Criterion{five("a"), five("b"), five("c"), n, x, five("stop")},
		Tasks:    []domains.Task{{ID: "t1", Criteria: []int{0, 1, 2}}, {ID: "t2", Criteria: []int{0, 3, 4}}, {ID: "t3", Criteria: []int{5}}},
	}
}

func read(t testing.TB, file string) (*policylog.Log, error) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return policylog.Read(f, file, made())
}

func TestGood(t *testing.T) {
	for _, row := range []struct {
		reason, file        string
		decisions, episodes int
		policies            string
	}{
		{"everything there is", "whole", 8, 4, "p"},
		{"no header and nothing that can be left out", "bare", 1, 1, "p"},
		{"episodes of one user, and of a policy that does not know its user", "episodes", 4, 3, "p q"},
		{"lines in any order", "any-order", 3, 1, "p"},
		{"a turn that was not logged", "gap", 2, 1, "p"},
		{"blank lines, carriage returns, a mark of UTF-8 and no newline at the end", "blank-lines", 2, 1, "p"},
	} {
		l, err := read(t, row.file+".good.jsonl")
		if err != nil {
			t.Errorf("%s: %v", row.reason, err)
			continue
		}
		if len(l.Decisions) != row.decisions || l.Episodes() != row.episodes || strings.Join(l.Policies(), " ") != row.policies {
			t.Errorf("%s: %d decisions, %d episodes, policies %v", row.reason, len(l.Decisions), l.Episodes(), l.Policies())
		}
		info, _ := os.Stat(filepath.Join("testdata", row.file+".good.jsonl"))
		if l.Source.Bytes != info.Size() || len(l.Source.SHA256) != 64 || l.Source.Path != row.file+".good.jsonl" {
			t.Errorf("%s: source %+v of %d bytes", row.reason, l.Source, info.Size())
		}
	}
	l, err := read(t, "whole.good.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if h := l.Header; h != (policylog.Header{Version: 1, Model: "m", Parameters: 8e9, Method: "GRPO", Data: "made 1", Note: "by hand"}) {
		t.Errorf("header %+v", h)
	}
	p, want := 0.75, &l.Decisions[0]
	if *want.Probability != p || !reflect.DeepEqual(want.Choices, map[string]float64{"a": .75, "b": .25, "stop": 0}) || want.Seed != nil || *l.Decisions[3].Seed != 1 {
		t.Errorf("decisions %+v, %+v", want, l.Decisions[3])
	}
	if s := l.Decisions[2]; !s.Stop || s.Question != "" || s.History[0] != (policylog.Told{Criterion: "a", Answer: domains.At(3)}) || !s.History[1].Answer.IsNotHeld() {
		t.Errorf("stop %+v", s)
	}
}

// TestBad: every file has one fault, which is told with its line.
func TestBad(t *testing.T) {
	rows := []struct{ reason, file, want string }{
		{"nothing to replay", "empty", ": the log has no decision; write one decision a line"},
		{"a header alone is no log", "header-only", ": the log has no decision; "},
		{"a criterion of nowhere", "unknown-criterion", `:2: question "zz" is no criterion of data set made; ids look like "a"`},
		{"a criterion of nowhere in the past", "history-criterion", `:1: history: criterion "zz" is no criterion of data set made`},
		{"a criterion of nowhere among the choices", "choice-criterion", `:1: choices: "zz" is no criterion of data set made`},
		{"another domain", "other-task", `:1: task "t9" is not in data set made; tasks look like "t1"; is the log of another domain`},
		{"the header says that it is of another domain", "other-data", `:1: log of data "medical 1", and this is "made 1"; `},
		{"tasks may be others in another version", "other-version", `:1: log of data "made 2", and this is "made 1"; `},
		{"the data has it, and the task does not", "not-admitted", `:1: question "x" is no criterion of task "t1"; name one of the task's`},
		{"a past that lacks a question", "history-short", ":2: turn 2 with a history of 1 questions; "},
		{"a past before the first question", "history-long", ":1: turn 0 with a history of 1 questions; "},
		{"nobody is asked the same twice", "history-twice", `:1: the history has criterion "a" twice; `},
		{"nobody asks what was asked", "asked-again", `:2: question "a" is in the history; `},
		{"an answer that is no level", "off-scale", `:1: answer 7 about "a" is off its scale; `},
		{"an answer out of the range", "off-range", `:1: answer 11 about "x" is off its scale; `},
		{"a level that is no index", "off-nominal", `:1: answer 0.5 about "n" is off its scale; `},
		{"true says no value", "true-answer", `:1: answer true about "a" is neither null, false nor a number; `},
		{"an answer that is left out is not null", "no-answer", `:1: the history has no answer about "a"; `},
		{"an answer to what", "no-history-criterion", ":1: the history has a question without criterion; "},
		{"a history with what was not asked", "other-question", `:2: the history has "a" as question 1, and turn 0 asked "b" (line 1); `},
		{"a past that changes", "other-answer", `:3: the history differs at question 1 from that of turn 1 (line 2); `},
		{"a history with what was not asked, a turn being left out", "gap-question", `:2: the history has "a" as question 1, and turn 0 asked "b" (line 1); `},
		{"one turn twice", "twice", ":3: turn 1 of this episode twice (line 2); give another episode another id"},
		{"nothing comes after stop", "after-stop", ":2: turn 1 of an episode that stopped at turn 0 (line 1); "},
		{"more than certain", "probability-high", ":1: probability 1.5 is not from 0 to 1"},
		{"less than impossible", "probability-low", ":1: probability -0.1 is not from 0 to 1"},
		{"numbers that sum to 1 and are no probabilities", "choice-high", `:1: choices: probability 1.5 of "a" is not from 0 to 1`},
		{"probabilities that do not sum to 1", "choices-sum", ":1: choices sum to 0.9, not to 1; "},
		{"no probabilities at all", "choices-none", ":1: choices sum to 0, not to 1; "},
		{"what was chosen could not be", "choices-without", `:1: choices do not have "a", which was chosen; `},
		{"two numbers for one thing", "choices-disagree", `:1: probability 0.6 of "a", which is 0.5 in choices; `},
		{"a probability that is not known", "choices-null", `:1: choices: "b" has no probability; `},
		{"a criterion that cannot be told from stopping", "choices-stop", `:1: the task has a criterion "stop", so that choices cannot tell it`},
		{"it asked and it stopped", "both", `:1: both question "a" and stop; leave one of them out`},
		{"it did neither", "neither", ":1: neither question nor stop; "},
		{"not to stop is not to ask", "stop-false", ":1: neither question nor stop; "},
		{"whose line is it", "nobody", ":1: neither user nor episode; "},
		{"nobody's policy", "no-policy", ":1: no policy; "},
		{"no task", "no-task", ":1: no task; "},
		{"a turn that is left out is not 0", "no-turn", ":1: no turn; "},
		{"before the first", "turn-negative", ":1: turn -1; "},
		{"answers by criterion are in no order", "history-object", ":1: not a decision: history is an object; give a list of questions"},
		{"a file that was packed", "packed", ":1: the file is compressed; unpack it first"},
		{"half a turn", "turn-fraction", ":1: not a decision: turn is the number 0.5; give a whole number"},
		{"seeds are 0 or more", "seed-negative", ":1: seed -1 is negative; "},
		{"a format that is not known yet, whatever else is in it", "newer", ":1: log of version 2, this program reads 1; use a later version"},
		{"there was no version 0", "version-0", ":1: policylog is 0, which is no version of the format; "},
		{"a version is a number", "version-text", ":1: not a header: policylog is a string; give a whole number"},
		{"two files pasted together", "header-late", ":2: a header that is not the first line; move it to the top"},
		{"a typo in the header", "header-key", `:1: unknown key "modle"; known keys: policylog, model`},
		{"fewer than no parameters", "parameters", ":1: parameters -1 are negative; "},
		{"a typo", "unknown-key", `:1: unknown key "confidence"; known keys: policy, task`},
		{"encoding/json would take it", "key-case", `:1: unknown key "Policy"; `},
		{"a typo in the history", "told-key", `:1: unknown key "text"; known keys: criterion, answer`},
		{"encoding/json would keep the last one", "key-twice", `:1: not a decision: key "policy" twice in one object; keep one of them`},
		{"JSON, but no object", "list", ":1: not a decision: the line is no JSON object; "},
		{"a file that was cut off", "torn", ":2: not a decision: the line is cut off; "},
		{"two decisions in a line", "two-objects", ":1: not a decision: something follows the object; "},
		{"a tower of brackets", "deep", ":1: not a decision: nested too deeply; "},
		{"no float64", "huge", `:1: answer 1e999 about "a" is neither null, false nor a number; `},
		{"encoding/json would replace bytes", "utf8", ":1: the line is not UTF-8; "},
	}
	tried := map[string]bool{}
	for _, row := range rows {
		file := row.file + ".bad.jsonl"
		tried[file] = true
		l, err := read(t, file)
		if l != nil || !errors.Is(err, domains.ErrData) || !strings.HasPrefix(err.Error(), file+row.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s%s", row.reason, err, file, row.want)
		}
	}
	files, _ := filepath.Glob("testdata/*.bad.jsonl")
	if len(files) != len(tried) {
		t.Errorf("%d bad files, %d tried", len(files), len(tried))
	}
}

// TestOf: a policy is named where there are several.
func TestOf(t *testing.T) {
	both, err := read(t, "episodes.good.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	one, err := read(t, "bare.good.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		reason string
		log    *policylog.Log
		id     string
		n      int
		want   string
	}{
		{"the only one", one, "", 1, ""},
		{"the only one by name", one, "p", 1, ""},
		{"which of two", both, "", 0, "episodes.good.jsonl: holds 2 policies; name one of: p, q"},
		{"one of two", both, "p", 3, ""},
		{"the other", both, "q", 1, ""},
		{"neither", both, "r", 0, `episodes.good.jsonl: no policy "r"; name one of: p, q`},
		{"nothing at all", &policylog.Log{}, "", 0, "the log has no decision; write one decision a line"},
	} {
		l, err := row.log.Of(row.id)
		if row.want != "" {
			if err == nil || err.Error() != row.want || !errors.Is(err, domains.ErrData) {
				t.Errorf("%s: %v, want %s", row.reason, err, row.want)
			}
			continue
		}
		if err != nil || len(l.Decisions) != row.n || l.Header != row.log.Header || l.Source != row.log.Source {
			t.Errorf("%s: %+v, %v", row.reason, l, err)
		}
	}
}

// drawn is a valid log: walks of made-up policies through the tasks.
func drawn(t *rapid.T) *policylog.Log {
	d := made()
	l := &policylog.Log{}
	if rapid.Bool().Draw(t, "header") {
		l.Header = policylog.Header{Version: 1, Model: rapid.String().Draw(t, "model"), Parameters: rapid.Int64Min(0).Draw(t, "parameters"), Data: rapid.SampledFrom([]string{"", "made", "made 1"}).Draw(t, "data")}
	}
	for e := range rapid.IntRange(1, 6).Draw(t, "episodes") {
		task := &d.Tasks[rapid.IntRange(0, 1).Draw(t, "task")]
		base := policylog.Decision{Policy: rapid.SampledFrom([]string{"p", "q"}).Draw(t, "policy"), Task: task.ID, Episode: fmt.Sprint("e<&>é", e)}
		if rapid.Bool().Draw(t, "user") {
			base.User = fmt.Sprint("u", e)
		}
		if rapid.Bool().Draw(t, "seeded") {
			seed := rapid.IntRange(0, 3).Draw(t, "seed")
			base.Seed = &seed
		}
		history := []policylog.Told{}
		for turn, c := range rapid.Permutation(task.Criteria).Draw(t, "order") {
			crit := &d.Criteria[c]
			dec := base
			dec.Turn, dec.History, dec.Question = turn, append([]policylog.Told{}, history...), crit.ID
			if rapid.IntRange(0, 5).Draw(t, "stop") == 0 {
				dec.Question, dec.Stop = "", true
			}
			if rapid.Bool().Draw(t, "sure") {
				p := rapid.Float64Range(0, 1).Draw(t, "probability")
				chosen, other := dec.Question, "stop"
				if dec.Stop {
					chosen, other = "stop", crit.ID
				}
				dec.Probability, dec.Choices = &p, map[string]float64{chosen: p, other: 1 - p}
			}
			l.Decisions = append(l.Decisions, dec)
			if dec.Stop {
				break
			}
			cell := domains.Missing()
			switch rapid.IntRange(0, 2).Draw(t, "answer") {
			case 1:
				cell = domains.NotHeld()
			case 2:
				if cell = domains.At(crit.Min + crit.Range()*rapid.Float64Range(0, 1).Draw(t, "value")); len(crit.Levels) > 0 {
					cell = domains.At(rapid.SampledFrom(crit.Levels).Draw(t, "level").Value)
				}
			}
			history = append(history, policylog.Told{Criterion: crit.ID, Answer: cell})
		}
	}
	return l
}

// same compares logs but for their source; missing equals missing.
func same(a, b *policylog.Log) bool {
	text := func(l *policylog.Log) string {
		var out strings.Builder
		fmt.Fprintf(&out, "%+v\n", l.Header)
		for _, d := range l.Decisions {
			seed, p := -1, math.NaN()
			if d.Seed != nil {
				seed = *d.Seed
			}
			if d.Probability != nil {
				p = *d.Probability
			}
			fmt.Fprintf(&out, "%q %q %q %q %d %d %v %q %t %v %v\n", d.Policy, d.Task, d.User, d.Episode, seed, d.Turn, d.History, d.Question, d.Stop, p, d.Choices)
			for _, h := range d.History {
				fmt.Fprintf(&out, "%b ", h.Answer.Value())
			}
		}
		return out.String()
	}
	return text(a) == text(b)
}

// TestWriteThenRead is the identity on sorted logs, whatever the order of the lines.
func TestWriteThenRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawn(t)
		l.Decisions = rapid.Permutation(l.Decisions).Draw(t, "lines")
		var first, second bytes.Buffer
		if err := policylog.Write(&first, l); err != nil {
			t.Fatal(err)
		}
		got, err := policylog.Read(bytes.NewReader(first.Bytes()), "x", made())
		if err != nil {
			t.Fatalf("%v\n%s", err, first.String())
		}
		l.Sort()
		if !same(l, got) {
			t.Fatalf("wrote %+v, read %+v", l, got)
		}
		if err := policylog.Write(&second, got); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("%v: wrote\n%s, and then\n%s", err, first.String(), second.String())
		}
	})
}

func TestWriteFails(t *testing.T) {
	nan := math.NaN()
	for _, row := range []struct {
		reason string
		log    *policylog.Log
		w      io.Writer
	}{
		{"JSON has no NaN", &policylog.Log{Decisions: []policylog.Decision{{Policy: "p", Task: "t", User: "u", Probability: &nan}}}, io.Discard},
		{"a disk that is full", &policylog.Log{Header: policylog.Header{Model: "m"}}, full{}},
	} {
		if err := policylog.Write(row.w, row.log); err == nil {
			t.Errorf("%s: no error", row.reason)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// TestLongLine: a line of many choices and a long note is read.
func TestLongLine(t *testing.T) {
	text := `{"policylog":1,"note":"` + strings.Repeat("long ", 1<<19) + "\"}\n" + `{"policy":"p","task":"t1","user":"u1","turn":0,"question":"a"}`
	if l, err := policylog.Read(strings.NewReader(text), "x", made()); err != nil || len(l.Header.Note) != 5<<19 {
		t.Errorf("%v", err)
	}
	if _, err := policylog.Read(io.MultiReader(strings.NewReader("\n"), broken{}), "x", made()); !errors.Is(err, domains.ErrData) || !strings.HasPrefix(err.Error(), "x:2: the log cannot be read (unexpected EOF)") {
		t.Errorf("a disk that fails: %v", err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// FuzzRead: whatever the file holds, it is a log that can be written and read again, or
// an error of the data in one line.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) == 0 {
		f.Fatal("no files", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	d := made()
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := policylog.Read(bytes.NewReader(b), "x", d)
		if err != nil {
			if !errors.Is(err, domains.ErrData) || !strings.HasPrefix(err.Error(), "x:") {
				t.Fatalf("%v", err)
			}
			return
		}
		var out bytes.Buffer
		if err := policylog.Write(&out, l); err != nil {
			t.Fatal(err)
		}
		again, err := policylog.Read(&out, "x", d)
		if err != nil {
			t.Fatalf("what was read from %q cannot be read again: %v", b, err)
		}
		if l.Sort(); !same(l, again) {
			t.Fatalf("%+v became %+v", l, again)
		}
	})
}

// TestManyKeys: one key of very many comes twice.
func TestManyKeys(t *testing.T) {
	for _, n := range []int{1, 14, 15, 16, 17, 100} {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"k%d":0,`, i)
		}
		for i := range n {
			text := fmt.Sprintf(`{"policy":"p","task":"t1","user":"u","turn":0,"question":"a","choices":{%s"k%d":1}}`, b.String(), i)
			if _, err := policylog.Read(strings.NewReader(text), "x", made()); err == nil || !strings.Contains(err.Error(), fmt.Sprintf(`key "k%d" twice`, i)) {
				t.Errorf("%d keys, number %d twice: %v", n, i, err)
			}
		}
	}
}

// BenchmarkRead reads a log of 5,000 decisions, those with choices and those without.
func BenchmarkRead(b *testing.B) {
	for _, row := range []struct {
		name    string
		choices map[string]float64
	}{{"plain", nil}, {"choices", map[string]float64{"a": .5, "b": .25, "c": .25}}} {
		l := &policylog.Log{}
		for u := range 5000 {
			l.Decisions = append(l.Decisions, policylog.Decision{
				Policy: "p", Task: "t1", User: fmt.Sprint("u", u), Turn: 1, History: []policylog.Told{{Criterion: "b", Answer: domains.At(2)}}, Question: "a", Choices: row.choices,
			})
		}
		var text bytes.Buffer
		if err := policylog.Write(&text, l); err != nil {
			b.Fatal(err)
		}
		d := made()
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				if _, err := policylog.Read(bytes.NewReader(text.Bytes()), "x", d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
