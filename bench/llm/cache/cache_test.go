package cache

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pepbench/bench/llm"
)

// crew tells TestMain to be one of the processes of TestSeveralProcesses.
const crew = "PEPBENCH_TEST_CACHE"

// crash tells it to be the process of TestCrash.
const crash = "PEPBENCH_TEST_CACHE_CRASH"

func TestMain(m *testing.M) {
	if file := os.Getenv(crew); file != "" {
		do := work
		if os.Getenv(crash) != "" {
			do = fall
		}
		if err := do(file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// canon writes requests down as a connection does.
type canon struct{ url, model string }

func (c canon) Canonical(r llm.Request) []byte {
	b, err := json.Marshal(map[string]any{"base_url": c.url, "body": map[string]any{"model": c.model, "messages": r.Messages()}, "repeat": r.Repeat})
	if err != nil {
		panic(err)
	}
	return b
}

var here = canon{"http://model.test/v1", "m"}

// server is a model that counts its calls and says something else each time.
type server struct {
	calls atomic.Int64
	reply func(n int64, r llm.Request) (llm.Reply, error)
}

func (s *server) Complete(_ context.Context, r llm.Request) (llm.Reply, error) {
	n := s.calls.Add(1)
	if s.reply != nil {
		return s.reply(n, r)
	}
	return said(fmt.Sprintf("reply %d", n)), nil
}

func said(text string) llm.Reply {
	return llm.Reply{Content: text, Reasoning: "because", Finish: "stop", Model: "m-2026", TokensIn: 7, TokensOut: 3, Attempts: 2}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func opened(t testing.TB, path string) *Cache {
	t.Helper()
	c, err := Open(path, true)
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	return c
}

func file(t testing.TB) string { return filepath.Join(t.TempDir(), "sub", "c.sqlite") }

func ask(t testing.TB, c llm.Client, user string) llm.Reply {
	t.Helper()
	r, err := c.Complete(context.Background(), llm.Request{System: "s", User: user})
	must(t, err)
	return r
}

func count(t testing.TB, c *Cache) int {
	t.Helper()
	s, err := c.Stats(context.Background())
	must(t, err)
	return s.Entries
}

// TestModes: what each mode sends, in a file that has one call ("old").
func TestModes(t *testing.T) {
	for _, row := range []struct {
		reason string
		mode   Mode
		calls  []string
		want   []string // empty: a miss
		cached []bool
		sent   int64
		then   string // what the file says of "old" afterwards
	}{
		{"off neither reads nor stores", Off, []string{"old", "new", "new"}, []string{"reply 1", "reply 2", "reply 3"}, []bool{false, false, false}, 3, "stored"},
		{"read sends nothing", Read, []string{"old", "new"}, []string{"stored", ""}, []bool{true, false}, 0, "stored"},
		{"write sends what is not there, once", Write, []string{"old", "new", "new"}, []string{"stored", "reply 1", "reply 1"}, []bool{true, false, true}, 1, "stored"},
		{"refresh sends everything once", Refresh, []string{"old", "old", "new"}, []string{"reply 1", "reply 1", "reply 2"}, []bool{false, true, false}, 2, "reply 1"},
	} {
		t.Run(string(row.mode), func(t *testing.T) {
			path := file(t)
			first := opened(t, path)
			ask(t, first.Wrap(&server{reply: func(int64, llm.Request) (llm.Reply, error) { return said("stored"), nil }}, here, Write), "old")
			must(t, first.Close())

			c := opened(t, path)
			s := &server{}
			client := c.Wrap(s, here, row.mode)
			for i, user := range row.calls {
				got, err := client.Complete(context.Background(), llm.Request{System: "s", User: user})
				if row.want[i] == "" {
					if !errors.Is(err, ErrMiss) {
						t.Errorf("%s: call %d: error %v", row.reason, i, err)
					}
					continue
				}
				must(t, err)
				want := said(row.want[i])
				if row.cached[i] {
					want = cached(want)
				}
				if got != want {
					t.Errorf("%s: call %d: %+v, want %+v", row.reason, i, got, want)
				}
			}
			if n := s.calls.Load(); n != row.sent {
				t.Errorf("%s: %d sent, want %d", row.reason, n, row.sent)
			}
			must(t, c.Close())
			if got := ask(t, opened(t, path).Wrap(nil, here, Read), "old"); got != cached(said(row.then)) {
				t.Errorf("%s: the file has %+v, want %q", row.reason, got, row.then)
			}
		})
	}
}

// TestUnusable: what is no whole readable reply is given to the caller and stored for
// replays, which get it as it was. The run that met it meets it again and sends nothing;
// any other run asks again, and stores what it is told. An error is not stored.
func TestUnusable(t *testing.T) {
	no := func(string) error { return errors.New("no JSON") }
	for _, row := range []struct {
		reason string
		reply  llm.Reply
		err    error
		accept func(string) error
		usable bool
	}{
		{"a whole reply", llm.Reply{Content: "x", Finish: "stop"}, nil, nil, true},
		{"servers that give no finish reason", llm.Reply{Content: "x"}, nil, nil, true},
		{"one that the reader takes", llm.Reply{Content: "x"}, nil, func(string) error { return nil }, true},
		{"one that the reader cannot read", llm.Reply{Content: "x", Reasoning: "r", Finish: "stop", Model: "m-1", TokensIn: 5, TokensOut: 9}, nil, no, false},
		{"an error", llm.Reply{Content: "x"}, errors.New("status 500"), nil, false},
		{"an error, though a reader would take it", llm.Reply{Content: "x"}, llm.ErrTransient, func(string) error { return nil }, false},
		{"a refusal", llm.Reply{Refusal: "no", Finish: "stop", Model: "m-1", TokensIn: 5}, nil, nil, false},
		{"a refusal with text beside it", llm.Reply{Content: "x", Refusal: "no"}, nil, nil, false},
		{"a content filter", llm.Reply{Content: "x", Finish: "content_filter"}, nil, nil, false},
		{"a content filter that leaves nothing", llm.Reply{Refusal: "content_filter: withheld", Finish: "content_filter"}, nil, nil, false},
		{"cut off", llm.Reply{Content: "x", Reasoning: "r", Finish: "length", TokensOut: 9}, nil, nil, false},
		{"cut off amid its thoughts", llm.Reply{Reasoning: "r", Finish: "length", TokensOut: 9}, nil, nil, false},
		{"empty", llm.Reply{Finish: "stop"}, nil, nil, false},
		{"nothing at all", llm.Reply{}, nil, nil, false},
		{"blanks", llm.Reply{Content: " \n", Finish: "stop"}, nil, nil, false},
		{"a tool call", llm.Reply{Tool: "f {}", Finish: "tool_calls", Model: "m-1"}, nil, nil, false},
	} {
		for _, mode := range []Mode{Write, Refresh} {
			path, q := file(t), llm.Request{User: "u", Accept: row.accept}
			s := &server{reply: func(int64, llm.Request) (llm.Reply, error) { return row.reply, row.err }}
			same := func(c llm.Client, sent int64) {
				t.Helper()
				got, err := c.Complete(context.Background(), q)
				if read := row.usable && row.accept != nil; got.Accepted && !read || read && !got.Cached && !got.Accepted {
					t.Errorf("%s (%s): the reader accepted it: %v", row.reason, mode, got.Accepted)
				}
				got.Cached, got.Accepted = false, false
				if err != row.err || got != row.reply {
					t.Errorf("%s (%s): got %+v, %v", row.reason, mode, got, err)
				}
				if n := s.calls.Load(); n != sent {
					t.Errorf("%s (%s): sent %d times, want %d", row.reason, mode, n, sent)
				}
			}
			sent, unusable := int64(1), 1
			if row.usable {
				unusable = 0
			}
			one := opened(t, path)
			same(one.Wrap(s, here, mode), sent)
			if row.err != nil {
				sent++
			}
			same(one.Wrap(s, here, mode), sent)
			must(t, one.Close())

			replay := opened(t, path)
			if row.err == nil {
				same(replay.Wrap(nil, here, Read), sent)
				st, err := replay.Stats(context.Background())
				must(t, err)
				if st.Entries != 1 || st.Unusable != unusable {
					t.Errorf("%s (%s): %d entries, %d unusable", row.reason, mode, st.Entries, st.Unusable)
				}
			} else if _, err := replay.Wrap(nil, here, Read).Complete(context.Background(), q); !errors.Is(err, ErrMiss) || count(t, replay) != 0 {
				t.Errorf("%s (%s): %v", row.reason, mode, err)
			}
			must(t, replay.Close())

			resumed := opened(t, path)
			resumed.Run = one.Run
			if row.err != nil {
				sent++
			}
			same(resumed.Wrap(s, here, mode), sent)
			must(t, resumed.Close())

			later := opened(t, path)
			if !row.usable || mode == Refresh {
				sent++
			}
			same(later.Wrap(s, here, mode), sent)
			must(t, later.Close())

			if row.err == nil && !row.usable { // a usable one takes its place, for good
				last := opened(t, path)
				better := &server{reply: func(int64, llm.Request) (llm.Reply, error) { return said("better"), nil }}
				if got := ask(t, last.Wrap(better, here, mode), "u"); got.Content != "better" {
					t.Errorf("%s (%s): %+v", row.reason, mode, got)
				}
				q := llm.Request{User: "u"}
				if _, err := last.Wrap(better, here, mode).Complete(context.Background(), q); err != nil || better.calls.Load() != 2 { // with no system message: the request of above
					t.Errorf("%s (%s): %d calls, %v", row.reason, mode, better.calls.Load(), err)
				}
				must(t, last.Close())
				if got, err := opened(t, path).Wrap(nil, here, Read).Complete(context.Background(), q); err != nil || got != cached(said("better")) {
					t.Errorf("%s (%s): replaced: %+v, %v", row.reason, mode, got, err)
				}
			}
		}
	}
}

// TestLatest: the file says what the last run that asked was told, and a run that did
// not ask cannot take away what another could use.
func TestLatest(t *testing.T) {
	const read, no = "readable", "garbage"
	accept := func(text string) error {
		if text == no {
			return errors.New("no JSON")
		}
		return nil
	}
	for _, row := range []struct {
		reason    string
		had, told string
		mode      Mode
		fresh     bool
		accept    func(string) error
		file      string
		unusable  bool
		meanwhile bool // what was there came while the call was on its way
		sent      int64
	}{
		{reason: "usable ones stay", had: read, told: no, mode: Write, accept: accept, file: read},
		{reason: "garbage of an earlier run gives way to other garbage", had: no, told: no + "!", mode: Write, accept: func(string) error { return errors.New("no") }, file: no + "!", unusable: true, sent: 1},
		{reason: "what the reader of today does not take gives way, too: a replay is read by that one", had: read, told: no, mode: Write, accept: func(string) error { return errors.New("no") }, file: no, unusable: true, sent: 1},
		{reason: "refresh stores over what is there, whatever it is told", had: read, told: no, mode: Refresh, accept: accept, file: no, unusable: true, sent: 1},
		{reason: "so does a call that tests the endpoint", had: read, told: no, mode: Write, fresh: true, accept: accept, file: no, unusable: true, sent: 1},
		{reason: "what another process was told meanwhile stays, if it is usable", had: read, told: no, mode: Write, accept: accept, file: read, meanwhile: true, sent: 1},
		{reason: "and goes, if it is not", had: no, told: read, mode: Write, accept: accept, file: read, meanwhile: true, sent: 1},
	} {
		path, q := file(t), llm.Request{User: "u", Accept: row.accept}
		before := func() {
			c := opened(t, path)
			client := c.Wrap(&server{reply: func(int64, llm.Request) (llm.Reply, error) { return said(row.had), nil }}, here, Write)
			_, err := client.Complete(context.Background(), llm.Request{User: "u", Accept: accept})
			must(t, err)
			flush(t, c)
		}
		if !row.meanwhile {
			before()
		}
		c := opened(t, path)
		s := &server{reply: func(int64, llm.Request) (llm.Reply, error) {
			if row.meanwhile {
				before()
			}
			return said(row.told), nil
		}}
		ctx := context.Background()
		if row.fresh {
			ctx = Fresh(ctx)
		}
		_, err := c.Wrap(s, here, row.mode).Complete(ctx, q)
		must(t, err)
		flush(t, c)
		got, err := c.Wrap(nil, here, Read).Complete(context.Background(), q)
		must(t, err)
		st, err := c.Stats(context.Background())
		must(t, err)
		if got.Content != row.file || st.Unusable == 1 != row.unusable || s.calls.Load() != row.sent {
			t.Errorf("%s: the file has %q (%d unusable), %d sent", row.reason, got.Content, st.Unusable, s.calls.Load())
		}
	}
}

// TestAsk: a conversation that had to go on is kept whole. The run and a replay meet it
// as it was; another run begins anew, and keeps what it did not have to ask again.
func TestAsk(t *testing.T) {
	path := file(t)
	s := &server{reply: func(n int64, r llm.Request) (llm.Reply, error) {
		if r.Repair == 0 && n == 1 {
			return said("garbage"), nil
		}
		return said(fmt.Sprintf(`{"n": %d}`, n)), nil
	}}
	read := func(text string) error {
		_, err := llm.Object(text)
		return err
	}
	strict := func(text string) error {
		if strings.Contains(text, "3") {
			return errors.New("no threes")
		}
		return nil
	}
	for _, row := range []struct {
		reason string
		mode   Mode
		read   func(string) error
		want   string
		sent   int64
	}{
		{"repaired", Write, read, `{"n": 2}`, 2},
		{"a replay is repaired, too", Read, read, `{"n": 2}`, 2},
		{"asked anew, since garbage is no answer", Write, read, `{"n": 3}`, 3},
		{"a replay is one of the last run", Read, read, `{"n": 3}`, 3},
		{"kept", Write, read, `{"n": 3}`, 3},
		{"a reader that has become stricter: asked again, and stored over", Write, strict, `{"n": 4}`, 4},
		{"a replay of that", Read, strict, `{"n": 4}`, 4},
	} {
		c := opened(t, path)
		for range 2 {
			heard := ""
			got, err := llm.Ask(context.Background(), c.Wrap(s, here, row.mode), llm.Request{User: "u"}, func(text string) error {
				heard = text
				return row.read(text)
			})
			must(t, err)
			if heard != got.Content {
				t.Errorf("%s: the reader has read %q last, and the reply is %q", row.reason, heard, got.Content)
			}
			if got.Content != row.want || s.calls.Load() != row.sent {
				t.Errorf("%s: %q, %d calls", row.reason, got.Content, s.calls.Load())
			}
		}
		must(t, c.Close())
	}
}

// TestAskGivesUp: a request that no reply could be read to is given up for the same
// reason in a replay; and the arguments of a tool call stand for text in both.
// TestAskWaiting: whoever waited for an equal call reads the reply for itself.
func TestAskWaiting(t *testing.T) {
	const most = 8
	var asked sync.WaitGroup
	asked.Add(most)
	s := &server{reply: func(int64, llm.Request) (llm.Reply, error) {
		asked.Wait()
		return said("x"), nil
	}}
	client := opened(t, file(t)).Wrap(s, here, Write)
	var heard [most]string
	var all sync.WaitGroup
	for i := range most {
		all.Go(func() {
			asked.Done()
			_, err := llm.Ask(context.Background(), client, llm.Request{User: "u"}, func(text string) error {
				heard[i] = text
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i, h := range heard {
		if h != "x" {
			t.Errorf("asker %d has read %q", i, h)
		}
	}
	if n := s.calls.Load(); n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestAskGivesUp(t *testing.T) {
	path := file(t)
	s := &server{reply: func(_ int64, r llm.Request) (llm.Reply, error) {
		if r.User == "tool" {
			return llm.Reply{Tool: `grade {"a": 1}`, Finish: "tool_calls"}, nil
		}
		return []llm.Reply{{Finish: "length", Content: "{"}, {Refusal: "I will not"}, {}}[r.Repair], nil
	}}
	for _, mode := range []Mode{Write, Read} {
		c := opened(t, path)
		client := c.Wrap(s, here, mode)
		_, err := llm.Ask(context.Background(), client, llm.Request{User: "u"}, func(string) error { return nil })
		var u *llm.Unread
		if !errors.As(err, &u) || u.Error() != `it is empty (finish reason "") (asked 3 times)` {
			t.Errorf("%s: %v", mode, err)
		}
		said := ""
		_, err = llm.Ask(context.Background(), client, llm.Request{User: "tool", Format: &llm.Format{Name: "grade"}}, func(text string) error { said = text; return nil })
		if err != nil || said != `{"a": 1}` {
			t.Errorf("%s: %q, %v", mode, said, err)
		}
		must(t, c.Close())
	}
	if n := s.calls.Load(); n != 4 {
		t.Errorf("%d calls", n)
	}
}

// TestFresh: a call that is to test the endpoint is sent in spite of what is stored,
// and answered from the file where nothing may be sent.
func TestFresh(t *testing.T) {
	c := opened(t, file(t))
	s := &server{}
	ask(t, c.Wrap(s, here, Write), "hello")
	got, err := c.Wrap(s, here, Write).Complete(Fresh(context.Background()), llm.Request{System: "s", User: "hello"})
	must(t, err)
	if got.Content != "reply 2" || got.Cached {
		t.Errorf("write: %+v", got)
	}
	got, err = c.Wrap(nil, here, Read).Complete(Fresh(context.Background()), llm.Request{System: "s", User: "hello"})
	must(t, err)
	if got.Content != "reply 2" || !got.Cached {
		t.Errorf("read: %+v", got)
	}
}

// TestKeptThoughCancelled: a reply that came is kept although nobody may wait for it any
// more, for whoever asked may have what it needs and not look.
func TestKeptThoughCancelled(t *testing.T) {
	c := opened(t, file(t))
	const calls = 40
	for i := range calls {
		ctx, cancel := context.WithCancel(context.Background())
		client := c.Wrap(llm.ClientFunc(func(context.Context, llm.Request) (llm.Reply, error) {
			cancel()
			return said("in time"), nil
		}), here, Write)
		if r, err := client.Complete(ctx, llm.Request{User: fmt.Sprint(i)}); err != nil || r.Content != "in time" {
			t.Errorf("%+v, %v", r, err)
		}
	}
	flush(t, c)
	if n := count(t, c); n != calls {
		t.Errorf("%d of %d replies are kept", n, calls)
	}
	// Where there is no room, nobody gets what is not kept.
	full := &Cache{pending: map[Key]*entry{}, queue: make(chan *entry)}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := full.store(ctx, &entry{}); !errors.Is(err, context.Canceled) || len(full.pending) != 0 {
		t.Errorf("%v, %d pending", err, len(full.pending))
	}
}

// TestMiss: the error names the call, in one line.
func TestMiss(t *testing.T) {
	path := file(t)
	c := opened(t, path)
	r := llm.Request{User: "What  should\nI do " + strings.Repeat("now ", 100), Repeat: 2, Repair: 1}
	_, err := c.Wrap(nil, here, Read).Complete(context.Background(), r)
	if !errors.Is(err, ErrMiss) || !errors.Is(err, llm.ErrUnusable) || !llm.Passing(err) {
		t.Errorf("not a miss that ends the run: %v", err)
	}
	for _, want := range []string{path, "of m at http://model.test/v1", `"What should I do now now`, "repeat 2", "asked again 1 times", KeyOf(here.Canonical(r)).String()[:12], "cache: write"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not hold %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "\n") || len(err.Error()) > 500 {
		t.Errorf("not one line: %q", err)
	}
}

// TestKey pins the key: a change makes every cache useless, and needs a new Schema.
func TestKey(t *testing.T) {
	if got := KeyOf([]byte(`{"base_url":"u"}`)).String(); got != "38ebf775e6a952916b26933bbf34191fe98d6b598cf573db733c612761a0f419" {
		t.Errorf("key %s", got)
	}
}

// TestCoalesce: equal calls in flight are made once; a caller that leaves takes nobody
// along.
func TestCoalesce(t *testing.T) {
	c := opened(t, file(t))
	const callers = 20
	in, out := make(chan struct{}, callers), make(chan struct{})
	s := &server{}
	client := c.Wrap(llm.ClientFunc(func(ctx context.Context, r llm.Request) (llm.Reply, error) {
		in <- struct{}{}
		select {
		case <-out:
			return s.Complete(ctx, r)
		case <-ctx.Done():
			return llm.Reply{}, context.Cause(ctx)
		}
	}), here, Write)
	ctx, leave := context.WithCancel(context.Background())
	left := make(chan error)
	go func() {
		_, err := client.Complete(ctx, llm.Request{User: "u"})
		left <- err
	}()
	<-in // the first is on its way; all others wait for it
	var wg sync.WaitGroup
	replies := make([]llm.Reply, callers)
	for i := range replies {
		wg.Go(func() {
			var err error
			if replies[i], err = client.Complete(context.Background(), llm.Request{User: "u"}); err != nil {
				t.Error(err)
			}
		})
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the one who left: %v", err)
	}
	<-in // one of the others took over
	close(out)
	wg.Wait()
	if n := s.calls.Load(); n != 1 {
		t.Errorf("%d calls", n)
	}
	live := 0
	for i, r := range replies {
		if r.Content != "reply 1" {
			t.Errorf("caller %d: %+v", i, r)
		}
		if !r.Cached {
			live++
		}
	}
	if live != 1 {
		t.Errorf("%d replies say that they were sent for", live)
	}
}

// TestCoalesceErrors: an error of the endpoint is that of all who waited, and of no
// later call.
func TestCoalesceErrors(t *testing.T) {
	c := opened(t, file(t))
	wait := make(chan struct{})
	s := &server{reply: func(n int64, _ llm.Request) (llm.Reply, error) {
		if n == 1 {
			<-wait
			return llm.Reply{Attempts: 4}, llm.ErrTransient
		}
		return said("better"), nil
	}}
	client := c.Wrap(s, here, Write)
	var failed, fine atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			switch _, err := client.Complete(context.Background(), llm.Request{System: "s", User: "u"}); {
			case err == nil:
				fine.Add(1)
			case errors.Is(err, llm.ErrTransient):
				failed.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	for s.calls.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	close(wait)
	wg.Wait()
	if failed.Load() < 1 || failed.Load()+fine.Load() != 8 || s.calls.Load() > 2 {
		t.Errorf("%d failed, %d fine, %d calls", failed.Load(), fine.Load(), s.calls.Load())
	}
	if got := ask(t, client, "u"); got.Content != "better" {
		t.Errorf("later: %+v", got)
	}
}

// TestOwnWrites: a process reads what it stored before it is in the file, and after.
func TestOwnWrites(t *testing.T) {
	c := opened(t, file(t))
	s := &server{}
	client := c.Wrap(s, here, Write)
	const calls = 3 * queueMost
	for round := range 2 {
		for i := range calls {
			if got := ask(t, client, fmt.Sprint(i)); got.Content != fmt.Sprintf("reply %d", i+1) || got.Cached != (round == 1) {
				t.Fatalf("round %d, call %d: %+v", round, i, got)
			}
			if got := ask(t, client, fmt.Sprint(i)); !got.Cached {
				t.Fatalf("round %d, call %d, again: %+v", round, i, got)
			}
		}
	}
	must(t, c.Close())
	if len(c.pending) > 0 || len(c.flights) > 0 {
		t.Errorf("%d pending, %d in flight after Close", len(c.pending), len(c.flights))
	}
	if _, err := client.Complete(context.Background(), llm.Request{User: "late"}); err == nil {
		t.Error("a closed cache answers")
	}
	if _, err := os.Stat(c.path + "-wal"); err == nil {
		t.Error("the log is left after Close")
	}
}

// work stores and reads 500 calls, half of which every process has; each must be
// answered alike in all processes once it is stored.
func work(path string) error {
	c, err := Open(path, true)
	if err != nil {
		return err
	}
	s := &server{reply: func(_ int64, r llm.Request) (llm.Reply, error) { return said("to " + r.User), nil }}
	client := c.Wrap(s, here, Write)
	for i := range 500 {
		user := fmt.Sprintf("shared %d", i)
		if i%2 == 0 {
			user = fmt.Sprintf("%d of %d", i, os.Getpid())
		}
		r, err := client.Complete(context.Background(), llm.Request{User: user})
		if err != nil {
			return err
		}
		if r.Content != "to "+user {
			return fmt.Errorf("%q is answered by %q", user, r.Content)
		}
		if i%50 == 0 {
			time.Sleep(2 * batchWait) // so that batches of several processes take turns
		}
	}
	return c.Close()
}

// TestMadeByAnother: a file that another process makes while this one looks is used as
// that one made it.
func TestMadeByAnother(t *testing.T) {
	path := file(t)
	ask(t, opened(t, path).Wrap(&server{}, here, Write), "u")
	c := opened(t, path)
	must(t, c.found())
	must(t, c.tryPrepare(opening{create: true}))
}

// TestSeveralProcesses make, fill and read one file at a time.
func TestSeveralProcesses(t *testing.T) {
	path := file(t)
	const processes = 3
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for range processes {
		wg.Go(func() {
			cmd := exec.CommandContext(ctx, os.Args[0])
			cmd.Env = append(os.Environ(), crew+"="+path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	if n := count(t, opened(t, path)); n != 250+processes*250 {
		t.Errorf("%d entries", n)
	}
}

// fall stores calls, waits until all but the last are in the file, and ends in the
// middle of it all.
func fall(path string) error {
	c, err := Open(path, true)
	if err != nil {
		return err
	}
	client := c.Wrap(&server{}, here, Write)
	for i := range 300 {
		if i == 299 {
			for c.unwritten() > 0 {
				time.Sleep(time.Millisecond)
			}
		}
		if _, err := client.Complete(context.Background(), llm.Request{System: "s", User: fmt.Sprint(i)}); err != nil {
			return err
		}
	}
	os.Exit(0)
	return nil
}

// unwritten counts what is not in the file yet.
func (c *Cache) unwritten() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending)
}

// TestCrash: a process that ends without Close loses its last batch and no more.
func TestCrash(t *testing.T) {
	path := file(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crew+"="+path, crash+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c := opened(t, path)
	if n := count(t, c); n != 299 && n != 300 {
		t.Errorf("%d of 300 calls are left", n)
	}
	if got := ask(t, c.Wrap(nil, here, Read), "298"); got.Content != "reply 299" {
		t.Errorf("%+v", got)
	}
}

// TestNetwork: on a network file system a file serves one process, and says so.
func TestNetwork(t *testing.T) {
	path := file(t)
	one, err := open(path, opening{create: true, network: "nfs"})
	must(t, err)
	client := one.Wrap(&server{}, here, Write)
	ask(t, client, "u")
	ask(t, client, "u")
	if _, err := open(path, opening{create: true, network: "nfs"}); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), "network file system (nfs)") || !strings.Contains(err.Error(), "pepbench cache import") {
		t.Errorf("a second process: %v", err)
	}
	must(t, one.Close())
	two, err := open(path, opening{network: "nfs"})
	must(t, err)
	if got := ask(t, two.Wrap(nil, here, Read), "u"); got.Content != "reply 1" {
		t.Errorf("%+v", got)
	}
	must(t, two.Close())
	if kind := networkFS(t.TempDir()); kind != "" {
		t.Logf("this folder is on %s", kind)
	}
}

// TestFrozen: a file that cannot be written is read.
func TestFrozen(t *testing.T) {
	path := file(t)
	c := opened(t, path)
	ask(t, c.Wrap(&server{}, here, Write), "u")
	must(t, c.Close())
	before, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	frozen, err := open(path, opening{frozen: true})
	must(t, err)
	if got := ask(t, frozen.Wrap(nil, here, Read), "u"); got.Content != "reply 1" {
		t.Errorf("%+v", got)
	}
	during, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	if len(before) != 1 || len(during) != 1 {
		t.Errorf("%d files before, %d while it is open", len(before), len(during))
	}
	must(t, frozen.Close())
}

// TestAlien: a file that is not ours is refused in one line and keeps its bytes.
func TestAlien(t *testing.T) {
	dir := t.TempDir()
	sqlite := func(name, what string) string {
		path := filepath.Join(dir, name)
		db, err := sql.Open("sqlite", path)
		must(t, err)
		_, err = db.Exec(what)
		must(t, errors.Join(err, db.Close()))
		return path
	}
	text := func(name, what string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(what), 0o644))
		return path
	}
	for _, row := range []struct{ reason, path, want string }{
		{"a text", text("a.txt", "hello"), "not a cache of pepbench"},
		{"a long text", text("b.txt", strings.Repeat("hello\n", 5000)), "not a cache of pepbench"},
		{"somebody's database", sqlite("c.db", "CREATE TABLE calls (key)"), "not a cache of pepbench"},
		{"somebody's database of equal version", sqlite("d.db", fmt.Sprintf("CREATE TABLE calls (key); PRAGMA user_version = %d", Schema)), "not a cache of pepbench"},
		{"a later schema", sqlite("e.db", fmt.Sprintf("CREATE TABLE calls (key); PRAGMA application_id = %d; PRAGMA user_version = %d", appID, Schema+1)), fmt.Sprintf("schema %d, this program reads schema %d", Schema+1, Schema)},
		{"of a version before there were marks", sqlite("m.db", fmt.Sprintf("CREATE TABLE calls (key); PRAGMA application_id = %d; PRAGMA user_version = %d", appID, Schema)), "without marks"},
		{"the head of a database and no more", text("f.db", sqliteMagic+"rubbish"), "damaged, or not a cache"},
		{"a folder", dir, "a folder"},
	} {
		for _, create := range []bool{false, true} {
			before, _ := os.ReadFile(row.path)
			c, err := Open(row.path, create)
			if err == nil {
				c.Close()
			}
			if !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v", row.reason, err)
			}
			if after, _ := os.ReadFile(row.path); string(after) != string(before) {
				t.Errorf("%s: changed", row.reason)
			}
		}
	}
	if _, err := Open(filepath.Join(dir, "nothing"), false); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), "cannot be read: no such file") {
		t.Errorf("no file: %v", err)
	}
	odd := filepath.Join(dir, "what? 100%#&=.sqlite") // the name is no part of an address
	must(t, opened(t, odd).Close())
	if _, err := os.Stat(odd); err != nil {
		t.Error(err)
	}
}

// TestFailedWrites end the calls with the reason, and Close repeats it.
func TestFailedWrites(t *testing.T) {
	c, err := Open(file(t), true)
	must(t, err)
	_, err = c.write.Exec("DROP TABLE calls; CREATE TABLE calls (key BLOB UNIQUE, content, reasoning, finish, model, tokens_in, tokens_out, created, unusable, refusal, tool, run, request, CHECK (content <> 'reply 1'))")
	must(t, err)
	client := c.Wrap(&server{}, here, Write)
	ask(t, client, "u")
	for c.failure() == nil {
		time.Sleep(time.Millisecond)
	}
	if _, err := client.Complete(context.Background(), llm.Request{User: "v"}); !errors.Is(err, llm.ErrUnusable) || !strings.Contains(err.Error(), "can no longer be kept") {
		t.Errorf("%v", err)
	}
	if err := c.Close(); err == nil {
		t.Error("closed as if all were written")
	}
}

// TestFlatMemory: many calls, stored and read, leave nothing behind in memory.
func TestFlatMemory(t *testing.T) {
	c := opened(t, file(t))
	client := c.Wrap(&server{}, here, Write)
	live := func(from, to int) uint64 {
		for i := from; i < to; i++ {
			ask(t, client, fmt.Sprint(i))
			ask(t, client, fmt.Sprint(i/2))
		}
		flush(t, c)
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := live(0, 2000)
	if after := live(2000, 8000); after > before+1<<20 {
		t.Errorf("%d bytes after 2000 calls, %d after 8000", before, after)
	}
}
