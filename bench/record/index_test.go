package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pepbench/domains"
)

// indexed is the manifest that the sessions of these tests are of.
func indexed() *Manifest {
	return &Manifest{Schema: Schema, Budget: 3, Horizon: 5, Checkpoints: []int{0, 1, 3, 5}, Strategies: []Strategy{
		{Name: "none", Kind: "none"}, {Name: "pep", Kind: "pep"}, {Name: "oracle", Kind: "oracle"},
	}}
}

// full is a session with whatever the index must tell from what it keeps.
func full(strategy string, seed int, task, user string, change func(*Session)) *Session {
	raw := 3.25
	yes := true
	s := &Session{
		ID: fmt.Sprintf("%s/%d/%s/%s", strategy, seed, task, user), Strategy: strategy, Seed: seed, Task: task, User: user,
		Criteria: []string{"a", `"questions":9,[{`}, Prior: Inference{Held: Floats{.5, math.NaN()}, Value: Floats{1, 2}},
		Turns: []Turn{{Question: 1, Said: `he said "raw":5}]\`}, {Question: 0}},
		Stop:  StopBudget,
		Checkpoints: []Checkpoint{
			{Questions: 0, Scores: []Score{{Reason: "a \\ b"}}, Response: `{"error":"no"}`},
			{Questions: 3, Raw: &raw, Correct: &yes, Scores: []Score{}},
		},
	}
	if change != nil {
		change(s)
	}
	return s
}

// journal writes a run of these lines and gives its folder.
func journal(t testing.TB, lines ...string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, SessionsFile), strings.Join(lines, ""))
	return dir
}

func build(t testing.TB, dir string) *Index {
	t.Helper()
	x, err := BuildIndex(context.Background(), dir, indexed(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestIndexRows: what a row says of a session.
func TestIndexRows(t *testing.T) {
	for _, row := range []struct {
		reason    string
		strategy  string
		change    func(*Session)
		alignment float64
		correct   int8
		failed    bool
		questions int32
		id        string
	}{
		{"the checkpoint at the budget counts", "pep", nil, 56.25, 1, false, 2, "pep/2/t/u"},
		{"an undefined alignment is no zero", "pep", func(s *Session) { s.Checkpoints[1].Raw = nil }, nan, 1, false, 2, ""},
		{"a true zero is one", "pep", func(s *Session) { one := 1.0; s.Checkpoints[1].Raw = &one }, 0, 1, false, 2, ""},
		{"a wrong answer", "pep", func(s *Session) { no := false; s.Checkpoints[1].Correct = &no }, 56.25, 0, false, 2, ""},
		{"an answer that was not judged", "pep", func(s *Session) { s.Checkpoints[1].Correct = nil }, 56.25, -1, false, 2, ""},
		{"what is past the budget is not final", "pep", func(s *Session) { s.Checkpoints[1].Questions = 5 }, nan, -1, false, 2, ""},
		{"a carried checkpoint without a grade has that of the last one", "pep", func(s *Session) {
			s.Checkpoints[1].Questions = 1
			s.Checkpoints = append(s.Checkpoints, Checkpoint{Questions: 3, Carried: true})
		}, 56.25, 1, false, 2, ""},
		{"one that is graded, without a result, stands for itself", "pep", func(s *Session) {
			s.Checkpoints[1].Questions = 1
			s.Checkpoints = append(s.Checkpoints, Checkpoint{Questions: 3, Carried: true, Scores: []Score{{}}})
		}, nan, -1, false, 2, ""},
		{"a floor has one checkpoint", "none", func(s *Session) { s.Checkpoints = s.Checkpoints[1:]; s.Checkpoints[0].Questions = 0 }, 56.25, 1, false, 2, ""},
		{"and so has a ceiling", "oracle", func(s *Session) { s.Checkpoints = s.Checkpoints[1:]; s.Checkpoints[0].Questions = 0 }, 56.25, 1, false, 2, ""},
		{"a session that failed", "pep", func(s *Session) { s.Error = `the "server" died` }, 56.25, 1, true, 2, ""},
		{"one that only stopped so", "pep", func(s *Session) { s.Stop = StopError }, 56.25, 1, true, 2, ""},
		{"no questions", "pep", func(s *Session) { s.Turns = nil }, 56.25, 1, false, 0, ""},
		{"no checkpoints", "pep", func(s *Session) { s.Checkpoints = nil }, nan, -1, false, 2, ""},
		{"an id of its own", "pep", func(s *Session) { s.ID = "über <b>" }, 56.25, 1, false, 2, "über <b>"},
		{"names with quotes in them", `p"e\p`, nil, 56.25, 1, false, 2, `p"e\p/2/t/u`},
	} {
		s := full(row.strategy, 2, "t", "u", row.change)
		text := line(t, s)
		x := build(t, journal(t, line(t, full("pep", -1, "t", "u", nil)), text))
		if len(x.Rows) != 2 || x.Lines != 2 || x.Alien != 0 || x.Torn {
			t.Errorf("%s: %d rows, %d lines, %d alien, torn %v", row.reason, len(x.Rows), x.Lines, x.Alien, x.Torn)
			continue
		}
		got := x.Rows[1]
		if !same(got.Alignment, row.alignment) || got.Correct != row.correct || got.Failed != row.failed || got.Questions != row.questions || got.Seed != 2 || x.Stops[got.Stop] != s.Stop || x.ID(1) != s.ID || row.id != "" && x.ID(1) != row.id {
			t.Errorf("%s: got %+v, id %q, stop %q", row.reason, got, x.ID(1), x.Stops[got.Stop])
		}
		if int(got.Length) != len(text) || x.Strategies[got.Strategy] != row.strategy || x.Tasks[got.Task] != "t" || x.Users[got.User] != "u" {
			t.Errorf("%s: got %+v of %q", row.reason, got, x.Strategies)
		}
	}
}

// TestIndexLines: lines that are no session are counted, and the others found.
func TestIndexLines(t *testing.T) {
	a, b := line(t, full("pep", 1, "t", "a", nil)), line(t, full("pep", 1, "t", "b", nil))
	failed := line(t, full("pep", 1, "t", "a", func(s *Session) { s.Error = "no server"; s.Stop = StopError }))
	for _, row := range []struct {
		reason                            string
		lines                             []string
		ids                               string
		inFile, alien, replaced, failures int
		torn                              bool
	}{
		{"nothing", nil, "", 0, 0, 0, 0, false},
		{"two sessions", []string{b, a}, "pep/1/t/b pep/1/t/a", 2, 0, 0, 0, false},
		{"the last line is torn", []string{a, b[:len(b)/2]}, "pep/1/t/a", 2, 0, 0, 0, true},
		{"only the newline is lacking", []string{a, strings.TrimSuffix(b, "\n")}, "pep/1/t/a pep/1/t/b", 2, 0, 0, 0, false},
		{"no JSON, a number, another object, and half a session between", []string{"x\n", "7\n", `{"a":1}` + "\n", b[:200] + "\n", a}, "pep/1/t/a", 5, 4, 0, 0, false},
		{"something behind the session", []string{strings.TrimSuffix(b, "\n") + " 1\n", a}, "pep/1/t/a", 2, 1, 0, 0, false},
		{"an empty line is nothing", []string{"\n", a}, "pep/1/t/a", 2, 0, 0, 0, false},
		{"a session twice: the first stands", []string{a, b, a}, "pep/1/t/a pep/1/t/b", 3, 1, 0, 0, false},
		{"one that failed, and another try", []string{failed, b, a}, "pep/1/t/b pep/1/t/a", 3, 0, 1, 0, false},
		{"one that failed only", []string{b, failed}, "pep/1/t/b pep/1/t/a", 2, 0, 0, 1, false},
		{"a line longer than the buffer", []string{line(t, full("pep", 1, "t", "long", func(s *Session) { s.Turns[0].Said = strings.Repeat("x", 3<<20) })), a}, "pep/1/t/long pep/1/t/a", 2, 0, 0, 0, false},
	} {
		dir := journal(t, row.lines...)
		x := build(t, dir)
		var ids []string
		failures := 0
		content := read(t, filepath.Join(dir, SessionsFile))
		for i, r := range x.Rows {
			ids = append(ids, x.ID(i))
			if r.Failed {
				failures++
			}
			var s Session
			if err := json.Unmarshal([]byte(content[r.Offset:][:r.Length]), &s); err != nil || s.ID != x.ID(i) {
				t.Errorf("%s: row %d does not point at its session: %v", row.reason, i, err)
			}
		}
		if strings.Join(ids, " ") != row.ids || x.Lines != row.inFile || x.Alien != row.alien || x.Replaced != row.replaced || x.Torn != row.torn || failures != row.failures {
			t.Errorf("%s: got %q, %d lines, %d alien, %d replaced, %d failed, torn %v", row.reason, ids, x.Lines, x.Alien, x.Replaced, failures, x.Torn)
		}
		again, err := parseIndex(x.bytes())
		if err != nil || !sameIndex(again, x) {
			t.Errorf("%s: not the same after writing: %v", row.reason, err)
		}
	}
}

// sameIndex compares by bytes, which tell NaN from NaN no more than they must.
func sameIndex(a, b *Index) bool { return string(a.bytes()) == string(b.bytes()) }

// TestIndexerFedByReader: who reads the sessions anyway makes the very index that
// BuildIndex does, whatever the sessions are.
func TestIndexerFedByReader(t *testing.T) {
	word := rapid.SampledFrom([]string{"a", "b", `c"d`, "é", "\\", "<i>", "0"})
	rapid.Check(t, func(rt *rapid.T) {
		m := indexed()
		x := NewIndexer(m)
		var all strings.Builder
		for range rapid.IntRange(0, 8).Draw(rt, "sessions") {
			s := full(rapid.SampledFrom([]string{"none", "pep", "oracle", `x"y`}).Draw(rt, "strategy"), rapid.IntRange(-1, 2).Draw(rt, "seed"), word.Draw(rt, "task"), word.Draw(rt, "user"), nil)
			s.Error = rapid.SampledFrom([]string{"", "", "x"}).Draw(rt, "error")
			s.Checkpoints = nil
			for range rapid.IntRange(0, 4).Draw(rt, "checkpoints") {
				cp := Checkpoint{Questions: rapid.IntRange(0, 5).Draw(rt, "at"), Carried: rapid.Bool().Draw(rt, "carried"), Response: word.Draw(rt, "response")}
				if rapid.Bool().Draw(rt, "raw") {
					v := Round(rapid.Float64Range(1, 5).Draw(rt, "of"))
					cp.Raw = &v
				}
				if rapid.Bool().Draw(rt, "judged") {
					v := rapid.Bool().Draw(rt, "correct")
					cp.Correct = &v
				}
				if rapid.Bool().Draw(rt, "scored") {
					cp.Scores = []Score{{Reason: word.Draw(rt, "reason")}}
				}
				s.Checkpoints = append(s.Checkpoints, cp)
			}
			text, err := Line(s)
			if err != nil {
				rt.Fatal(err)
			}
			var back Session
			if err := json.Unmarshal(text, &back); err != nil {
				rt.Fatal(err)
			}
			x.Add(int64(all.Len()), int64(len(text)), &back)
			all.Write(text)
		}
		dir, err := os.MkdirTemp("", "index")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, SessionsFile)
		if err := os.WriteFile(path, []byte(all.String()), 0o644); err != nil {
			rt.Fatal(err)
		}
		fed, err := x.Index(path)
		if err != nil {
			rt.Fatal(err)
		}
		built, err := BuildIndex(context.Background(), dir, m, nil)
		if err != nil {
			rt.Fatal(err)
		}
		if !sameIndex(fed, built) {
			rt.Fatalf("fed\n%+v\nbuilt\n%+v", fed, built)
		}
	})
}

// TestIndexTrust: an index is used where it is of the sessions beside it, and nowhere
// else.
func TestIndexTrust(t *testing.T) {
	a, b := line(t, full("pep", 1, "t", "a", nil)), line(t, full("pep", 1, "t", "b", nil))
	other := indexed()
	other.Budget = 1
	for _, row := range []struct {
		reason string
		spoil  func(dir string)
		m      *Manifest
		ok     bool
	}{
		{"nothing happened", func(string) {}, indexed(), true},
		{"no index", func(dir string) { os.Remove(filepath.Join(dir, IndexFile)) }, indexed(), false},
		{"no sessions", func(dir string) { os.Remove(filepath.Join(dir, SessionsFile)) }, indexed(), false},
		{"another final checkpoint", func(string) {}, other, false},
		{"a session came", func(dir string) { write(t, filepath.Join(dir, SessionsFile), a+b+a) }, indexed(), false},
		{"a session went", func(dir string) { write(t, filepath.Join(dir, SessionsFile), a) }, indexed(), false},
		{"the order changed, the size did not", func(dir string) { write(t, filepath.Join(dir, SessionsFile), b+a) }, indexed(), false},
		{"an empty index", func(dir string) { write(t, filepath.Join(dir, IndexFile), "") }, indexed(), false},
		{"half an index", func(dir string) {
			s := read(t, filepath.Join(dir, IndexFile))
			write(t, filepath.Join(dir, IndexFile), s[:len(s)/2])
		}, indexed(), false},
		{"another version", func(dir string) {
			s := read(t, filepath.Join(dir, IndexFile))
			write(t, filepath.Join(dir, IndexFile), strings.Replace(s, "\n1", "\n2", 1))
		}, indexed(), false},
		{"a bit fell over", func(dir string) {
			s := []byte(read(t, filepath.Join(dir, IndexFile)))
			s[len(s)/2] ^= 4
			write(t, filepath.Join(dir, IndexFile), string(s))
		}, indexed(), false},
	} {
		dir := journal(t, a, b)
		x := build(t, dir)
		if err := x.Write(dir); err != nil {
			t.Fatal(err)
		}
		row.spoil(dir)
		got, err := ReadIndex(dir, row.m)
		switch {
		case row.ok && (err != nil || !reflect.DeepEqual(got.bytes(), x.bytes())):
			t.Errorf("%s: %v", row.reason, err)
		case !row.ok && (!errors.Is(err, ErrIndex) || got != nil):
			t.Errorf("%s: got %v, %v", row.reason, got, err)
		}
	}
}

// TestIndexOfLargeFile: a change that a file too large to be read whole shows at its
// start, in the middle third or at its end is noticed when a stamp looks there.
func TestIndexOfLargeFile(t *testing.T) {
	dir := journal(t, strings.Repeat(line(t, full("pep", 1, "t", "a", nil)), 2000))
	path := filepath.Join(dir, SessionsFile)
	x := build(t, dir)
	if x.Size() <= 2*stampEdge+stampParts*stampPart {
		t.Fatalf("%d bytes are no large file", x.Size())
	}
	for _, at := range []int64{0, stampEdge - 1, stampEdge + (x.Size()-2*stampEdge)/(stampParts+1), x.Size() - 1} {
		b := []byte(read(t, path))
		b[at] ^= 1
		write(t, path, string(b))
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if x.Fits(f) {
			t.Errorf("a change at %d was not noticed", at)
		}
		b[at] ^= 1
		write(t, path, string(b))
		f.Close()
	}
}

// TestIndexStops: building ends when it is told to, and says so.
func TestIndexStops(t *testing.T) {
	dir := journal(t, line(t, full("pep", 1, "t", "a", nil)))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if x, err := BuildIndex(ctx, dir, indexed(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", x, err)
	}
}

// TestFinalCheckpoint: which one is final.
func TestFinalCheckpoint(t *testing.T) {
	for _, row := range []struct {
		reason string
		points []int
		want   int
	}{
		{"the budget", []int{0, 3, 5}, 3},
		{"the last one before it", []int{0, 5, 2}, 2},
		{"all are past it", []int{9, 5}, 5},
		{"none is named", nil, 3},
	} {
		if got := (&Manifest{Budget: 3, Checkpoints: row.points}).FinalCheckpoint(); got != row.want {
			t.Errorf("%s: got %d, want %d", row.reason, got, row.want)
		}
	}
}

// FuzzIndex: whatever the bytes, the reader refuses them, or takes what it would write
// itself. The checksum, which would stop nearly everything, is made to fit.
func FuzzIndex(f *testing.F) {
	x := build(f, journal(f, line(f, full("pep", 1, "t", "a", nil)), line(f, full("none", 2, "t", "b", func(s *Session) { s.ID = "own" }))))
	body := func(b []byte) []byte { return b[len(indexMagic) : len(b)-32] }
	f.Add(body(x.bytes()))
	f.Add(body((&Index{}).bytes()))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := parseBody(b, func(what string) error { return fmt.Errorf("%w: %s", ErrIndex, what) })
		if err != nil {
			if !errors.Is(err, ErrIndex) {
				t.Fatal(err)
			}
			return
		}
		for i := range x.Rows {
			_ = x.ID(i)
		}
		if got := body(x.bytes()); string(got) != string(b) {
			t.Fatalf("read\n%x\nwrites\n%x", b, got)
		}
	})
}

// FuzzLook: a line is looked at without a panic, and where it is JSON that a Session is
// made of, both ways to read it agree.
func FuzzLook(f *testing.F) {
	f.Add([]byte(line(f, full("pep", 1, "t", "a", nil))))
	f.Add([]byte(line(f, full("none", 1, "t", `a"\`, func(s *Session) { s.Error = "x"; s.Turns = nil }))))
	f.Add([]byte(`{"id":"a","turns":[{"x":"\\\""},[],7],"checkpoints":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var g glance
		ok := NewIndexer(indexed()).look(b, &g)
		var s Session
		if json.Unmarshal(b, &s) != nil || !ok {
			return
		}
		canonical, err := Line(&s)
		if err != nil || strings.TrimSpace(string(canonical)) != strings.TrimSpace(string(b)) {
			return // keys twice, or in other letters: nothing that a run writes
		}
		if g.ID != s.ID || g.Strategy != s.Strategy || g.Seed != s.Seed || g.Questions != len(s.Turns) || g.Stop != s.Stop || g.Failed != (s.Error != "" || s.Stop == StopError) {
			t.Fatalf("looked %+v, read %+v", g, s)
		}
	})
}

// BenchmarkIndex: to open an index of 200,000 sessions, and to build one (MB/s of
// sessions.jsonl).
func BenchmarkIndex(b *testing.B) {
	b.Run("open", func(b *testing.B) {
		dir := journal(b, "")
		m := indexed()
		ix := NewIndexer(m)
		s := full("", 1, "", "", nil)
		for i := range 200_000 {
			s.Strategy, s.Task, s.User = fmt.Sprintf("s%d", i%10), fmt.Sprintf("t%02d", i/10%40), fmt.Sprintf("u%03d", i/400)
			s.ID = fmt.Sprintf("%s/1/%s/%s", s.Strategy, s.Task, s.User)
			ix.Add(0, 0, s)
		}
		x, err := ix.Index(filepath.Join(dir, SessionsFile))
		if err != nil {
			b.Fatal(err)
		}
		if err := x.Write(dir); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if x, err := ReadIndex(dir, m); err != nil || len(x.Rows) != 200_000 {
				b.Fatal(err)
			}
		}
	})
	b.Run("build", func(b *testing.B) {
		var all strings.Builder
		for i := range 1000 {
			all.WriteString(line(b, full("pep", 1, "t", fmt.Sprintf("u%d", i), func(s *Session) {
				for range 8 { // inferences make up most of a session
					s.Turns = append(s.Turns, Turn{Inference: NewInference(inference(36))})
				}
			})))
		}
		dir := journal(b, all.String())
		b.SetBytes(int64(all.Len()))
		b.ReportAllocs()
		for b.Loop() {
			if x := build(b, dir); len(x.Rows) != 1000 {
				b.Fatal(len(x.Rows))
			}
		}
	})
}

// inference is one over n criteria.
func inference(n int) domains.Inference {
	f := domains.Inference{}
	for i := range n {
		f.Held = append(f.Held, float64(i)/float64(n)/3)
		f.Value = append(f.Value, 1+4*float64(i)/float64(n))
	}
	return f
}
