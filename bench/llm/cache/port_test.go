package cache

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pepbench/bench/llm"
)

// filled is a cache with calls of two models, made in the order given.
func filled(t testing.TB, order []int) *Cache {
	t.Helper()
	c := opened(t, file(t))
	s := &server{reply: func(_ int64, r llm.Request) (llm.Reply, error) { return said("to " + r.User), nil }}
	for _, i := range order {
		at := here
		if i%3 == 0 {
			at.model = "other"
		}
		ask(t, c.Wrap(s, at, Write), fmt.Sprintf("<%d> & \u2028", i))
	}
	flush(t, c)
	return c
}

// flush waits until all that was stored is in the file.
func flush(t testing.TB, c *Cache) {
	t.Helper()
	for c.unwritten() > 0 {
		time.Sleep(time.Millisecond)
	}
	must(t, c.failure())
}

func exported(t testing.TB, c *Cache, model string) string {
	t.Helper()
	var b bytes.Buffer
	_, err := c.Export(context.Background(), &b, model)
	must(t, err)
	return b.String()
}

func written(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cassette.jsonl")
	must(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// TestExport: equal caches give equal bytes, however they came about; a cassette and
// a file bring everything into another cache.
func TestExport(t *testing.T) {
	a, b := filled(t, []int{0, 1, 2, 3, 4, 5}), filled(t, []int{5, 3, 1, 0, 2, 4})
	text := exported(t, a, "")
	if text != exported(t, b, "") || strings.Count(text, "\n") != 7 || !strings.HasPrefix(text, `{"format":"pepbench-cache","schema":1}`+"\n"+`{"key":"`) {
		t.Errorf("exports:\n%s", text)
	}
	if one := exported(t, a, "other"); strings.Count(one, "\n") != 3 || strings.Count(one, `"model":"other"`) != 2 {
		t.Errorf("of one model:\n%s", one)
	}
	for _, path := range []string{written(t, text), written(t, strings.TrimSuffix(text, "\n")), a.path} {
		to := opened(t, file(t))
		got, err := to.Import(context.Background(), path, false)
		must(t, err)
		if got != (Imported{Added: 6}) {
			t.Errorf("%+v", got)
		}
		if exported(t, to, "") != text {
			t.Errorf("%s came out otherwise", path)
		}
		if got, err = to.Import(context.Background(), path, false); err != nil || got != (Imported{Kept: 6}) {
			t.Errorf("again: %+v, %v", got, err)
		}
		if r := ask(t, to.Wrap(nil, here, Read), "<1> & \u2028"); r != cached(said("to <1> & \u2028")) {
			t.Errorf("%+v", r)
		}
	}
}

// TestImportConflicts: what is there stays, unless it is to be replaced.
func TestImportConflicts(t *testing.T) {
	a := filled(t, []int{1, 2})
	changed := written(t, strings.ReplaceAll(exported(t, a, ""), `"content":"to `, `"content":"anew `)) // requests have no such text
	want := exported(t, a, "")
	got, err := a.Import(context.Background(), changed, false)
	must(t, err)
	if got != (Imported{Kept: 2}) || exported(t, a, "") != want {
		t.Errorf("%+v", got)
	}
	got, err = a.Import(context.Background(), changed, true)
	must(t, err)
	if got != (Imported{Replaced: 2}) || strings.Count(exported(t, a, ""), `"content":"anew `) != 2 {
		t.Errorf("%+v", got)
	}
}

// TestImportMarks: unusable replies come along, for replays; a usable one takes the
// place of an unusable one, and never the other way unless asked for.
func TestImportMarks(t *testing.T) {
	of := func(reply llm.Reply) *Cache {
		c := opened(t, file(t))
		_, err := c.Wrap(&server{reply: func(int64, llm.Request) (llm.Reply, error) { return reply, nil }}, here, Write).Complete(context.Background(), llm.Request{User: "u"})
		must(t, err)
		flush(t, c)
		return c
	}
	good, cut, tool := said("fine"), llm.Reply{Content: "fi", Finish: "length", TokensOut: 2}, llm.Reply{Tool: "f {}", Refusal: "<no>", Model: "m-1"}
	good.Attempts = 0
	for _, row := range []struct {
		reason     string
		had, comes llm.Reply
		over       bool
		want       Imported
		then       llm.Reply
	}{
		{"unusable ones stay before their like", cut, tool, false, Imported{Kept: 1}, cut},
		{"but not if they are to go", cut, tool, true, Imported{Replaced: 1}, tool},
		{"a usable one is better", tool, good, false, Imported{Replaced: 1}, good},
		{"an unusable one is not", good, tool, false, Imported{Kept: 1}, good},
		{"unless the run of the file is to be replayed", good, tool, true, Imported{Replaced: 1}, tool},
	} {
		from := of(row.comes)
		text := exported(t, from, "")
		for _, path := range []string{written(t, text), from.path} {
			c := of(row.had)
			got, err := c.Import(context.Background(), path, row.over)
			must(t, err)
			r, err := c.Wrap(nil, here, Read).Complete(context.Background(), llm.Request{User: "u"})
			must(t, err)
			if got != row.want || r != cached(row.then) {
				t.Errorf("%s: %+v, %+v", row.reason, got, r)
			}
			if row.then == row.comes && exported(t, c, "") != text {
				t.Errorf("%s: came out otherwise", row.reason)
			}
		}
	}
	// Whoever imported it asks anew where calls may be sent.
	c := opened(t, file(t))
	_, err := c.Import(context.Background(), written(t, exported(t, of(tool), "")), false)
	must(t, err)
	s := &server{}
	if r, err := c.Wrap(s, here, Write).Complete(context.Background(), llm.Request{User: "u"}); err != nil || r.Content != "reply 1" {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestImportBad: of a file with one bad line nothing is imported, and the line is
// named.
func TestImportBad(t *testing.T) {
	lines := strings.SplitAfter(exported(t, filled(t, []int{1, 2, 4}), ""), "\n")
	head, good, last := lines[0], lines[1]+lines[2], lines[3]
	for _, row := range []struct {
		reason, text string
		line         int
		want         string
	}{
		{"nothing", "", 0, "empty"},
		{"no header", last, 1, "not the header"},
		{"another format", "{\"format\":\"x\",\"schema\":1}\n", 1, "not the header"},
		{"a later schema", "{\"format\":\"pepbench-cache\",\"schema\":2}\n" + last, 1, "schema 2, this program reads schema 1"},
		{"a changed request", head + good + strings.Replace(last, `"role":"user"`, `"role":"User"`, 1), 4, "one of them was changed"},
		{"a changed key", head + good + strings.Replace(last, `{"key":"`, `{"key":"00`, 1), 4, "is not 64 hexadecimal digits"},
		{"a torn line", head + good + last[:len(last)/2], 4, "not a call"},
		{"an empty line", head + good + "\n" + last, 4, "an empty line"},
		{"a field that we do not know", head + good + strings.Replace(last, `{"key"`, `{"more":1,"key"`, 1), 4, "unknown field"},
		{"two objects in a line", head + good + strings.TrimSpace(last) + last, 4, "text after the JSON object"},
		{"a request that is no object", head + good + `{"key":"` + KeyOf([]byte("[]")).String() + `","request":[],"reply":{"content":"x"}}`, 4, "not a JSON object"},
		{"no request", head + good + `{"key":"` + KeyOf(nil).String() + `","reply":{"content":"x"}}`, 4, "not a JSON object"},
		{"an empty reply", head + good + `{"key":"` + KeyOf([]byte("{}")).String() + `","request":{},"reply":{"content":""}}`, 4, "not marked so"},
		{"a reply that was cut off", head + good + strings.Replace(last, `"finish":"stop"`, `"finish":"length"`, 1), 4, "not marked so"},
		{"a refusal without a mark", head + good + strings.Replace(last, `"finish":"stop"`, `"finish":"stop","refusal":"no"`, 1), 4, "not marked so"},
		{"a tool call beside text", head + good + strings.Replace(last, `"finish":"stop"`, `"finish":"stop","tool":"f {}"`, 1), 4, "beside text"},
		{"a mark that is no truth value", head + good + strings.Replace(last, `"finish":"stop"`, `"finish":"stop","unusable":1`, 1), 4, "not a call"},
		{"a negative number of tokens in an unusable reply", head + good + strings.Replace(last, `"tokens_in":7`, `"unusable":true,"tokens_in":-7`, 1), 4, "negative"},
		{"a negative number of tokens", head + good + strings.Replace(last, `"tokens_in":7`, `"tokens_in":-7`, 1), 4, "negative"},
		{"not UTF-8", "\xff\xfe\n", 1, "not the header"},
	} {
		c := opened(t, file(t))
		path := written(t, row.text)
		got, err := c.Import(context.Background(), path, false)
		at := path + ": "
		if row.line > 0 {
			at = fmt.Sprintf("%s:%d: ", path, row.line)
		}
		if !errors.Is(err, ErrFile) || !strings.HasPrefix(err.Error(), at) || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", row.reason, err)
		}
		if n := count(t, c); n != 0 || got != (Imported{}) {
			t.Errorf("%s: %d entries, %+v", row.reason, n, got)
		}
	}
	c := opened(t, file(t))
	if _, err := c.Import(context.Background(), "nowhere.jsonl", false); !errors.Is(err, ErrFile) {
		t.Errorf("no file: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Import(ctx, written(t, head+good), false); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	bad := filled(t, []int{1, 2}) // a file whose key was changed
	_, err := bad.write.Exec("UPDATE calls SET key = zeroblob(32) WHERE rowid = 2")
	must(t, err)
	if _, err := c.Import(context.Background(), bad.path, false); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), "one of them was changed") {
		t.Errorf("a changed cache: %v", err)
	}
	if n := count(t, c); n != 0 {
		t.Errorf("%d entries", n)
	}
}

// TestStatsAndPrune.
func TestStatsAndPrune(t *testing.T) {
	ctx := context.Background()
	c := filled(t, []int{0, 1, 2, 3, 4, 5, 6})
	_, err := c.Wrap(&server{reply: func(int64, llm.Request) (llm.Reply, error) { return llm.Reply{Refusal: "no"}, nil }}, here, Write).Complete(ctx, llm.Request{})
	must(t, err)
	flush(t, c)
	_, err = c.write.Exec("UPDATE calls SET created = 1000 WHERE content LIKE '%<1>%' OR content LIKE '%<3>%'")
	must(t, err)
	s, err := c.Stats(ctx)
	must(t, err)
	if len(s.Models) != 2 || s.Entries != 8 || s.Unusable != 1 || s.Models[0].Unusable != 1 || s.Models[1].Unusable != 0 || !s.Oldest.Equal(time.Unix(1000, 0)) || s.Newest.Before(time.Now().Add(-time.Hour)) || s.Bytes == 0 {
		t.Fatalf("%+v", s)
	}
	if m := s.Models[1]; m.BaseURL != here.url || m.Model != "other" || m.Entries != 3 || m.TokensIn != 21 || m.TokensOut != 9 || m.Bytes == 0 {
		t.Errorf("%+v", m)
	}
	for _, row := range []struct {
		reason string
		p      Pruning
		drop   int
	}{
		{"old calls of one model", Pruning{Before: time.Unix(2000, 0), Model: "other"}, 1},
		{"unusable ones of one model", Pruning{Unusable: true, Model: "other"}, 0},
		{"unusable ones", Pruning{Unusable: true}, 1},
		{"calls of no model", Pruning{Model: "nobody"}, 0},
		{"old calls", Pruning{Before: time.Unix(2000, 0)}, 1},
		{"one model", Pruning{Model: "other"}, 2},
		{"all", Pruning{}, 3},
		{"none are left", Pruning{}, 0},
	} {
		had := count(t, c)
		dry := row.p
		dry.DryRun = true
		n, _, err := c.Prune(ctx, dry)
		must(t, err)
		if n != row.drop || count(t, c) != had {
			t.Errorf("%s: would drop %d, want %d", row.reason, n, row.drop)
		}
		n, _, err = c.Prune(ctx, row.p)
		must(t, err)
		if n != row.drop || count(t, c) != had-row.drop {
			t.Errorf("%s: dropped %d, want %d", row.reason, n, row.drop)
		}
	}
	if s, err := c.Stats(ctx); err != nil || !s.Oldest.IsZero() || s.Models != nil {
		t.Errorf("empty: %+v, %v", s, err)
	}
}

// TestRoundTrip: whatever a reply says comes back as it was, from the file and by way
// of a cassette.
func TestRoundTrip(t *testing.T) {
	from, to := opened(t, file(t)), opened(t, file(t))
	rapid.Check(t, func(rt *rapid.T) {
		r := llm.Reply{
			Content: rapid.StringN(1, 40, -1).Draw(rt, "content") + "x", Reasoning: rapid.String().Draw(rt, "reasoning"),
			Finish: rapid.SampledFrom([]string{"", "stop"}).Draw(rt, "finish"), Model: rapid.String().Draw(rt, "model"),
			TokensIn: rapid.IntRange(0, 1<<40).Draw(rt, "in"), TokensOut: rapid.IntRange(0, 9).Draw(rt, "out"),
		}
		q := llm.Request{System: rapid.String().Draw(rt, "system"), User: rapid.String().Draw(rt, "user"), Repeat: rapid.IntRange(0, 1<<30).Draw(rt, "repeat")}
		unusable := rapid.Bool().Draw(rt, "unusable")
		if unusable {
			r.Content, r.Finish = rapid.String().Draw(rt, "any content"), rapid.String().Draw(rt, "any finish")
			r.Refusal, r.Tool = rapid.String().Draw(rt, "refusal"), rapid.String().Draw(rt, "tool")
		}
		request := here.Canonical(q)
		if err := from.commit([]*entry{{answer{r, unusable, from.Run}, KeyOf(request), request, true}}); err != nil {
			rt.Fatal(err)
		}
		if _, err := to.Import(context.Background(), written(t, exported(t, from, "")), true); err != nil {
			rt.Fatal(err)
		}
		for _, c := range []*Cache{from, to} {
			if got, err := c.Wrap(nil, here, Read).Complete(context.Background(), q); err != nil || got != cached(r) {
				rt.Fatalf("%+v, %v, want %+v", got, err, r)
			}
		}
		if _, err := from.write.Exec("DELETE FROM calls"); err != nil {
			rt.Fatal(err)
		}
	})
}

// FuzzImport: any file is imported whole or refused with an error of its own, and
// what was imported can be exported and imported again.
func FuzzImport(f *testing.F) {
	text := exported(f, filled(f, []int{1, 2}), "")
	f.Add([]byte(text))
	f.Add([]byte(text[:len(text)-9]))
	f.Add([]byte(`{"format":"pepbench-cache","schema":1}` + "\n" + `{"key":"` + KeyOf([]byte("{}")).String() + `","request":{},"reply":{"content":"x","finish":"","model":"","tokens_in":0,"tokens_out":0}}`))
	f.Add([]byte(`{"format":"pepbench-cache","schema":1}` + "\n" + `{"key":"` + KeyOf([]byte("{}")).String() + `","request":{},"reply":{"content":"","finish":"length","model":"m","tokens_in":1,"tokens_out":2,"unusable":true,"refusal":"no","tool":"f {}"}}`))
	f.Add([]byte(strings.ReplaceAll(text, `"finish":"stop"`, `"finish":"length","unusable":true`)))
	f.Add([]byte(strings.ReplaceAll(text, `"finish":"stop"`, `"finish":"stop","unusable":false,"tool":"f"`)))
	f.Add([]byte("\xff\n\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var entries []*entry
		put := func(e *entry) error { entries = append(entries, e); return nil }
		err := readCassette("f", bufio.NewReaderSize(bytes.NewReader(data), 16), put)
		if err != nil {
			if !errors.Is(err, ErrFile) {
				t.Fatalf("%v", err)
			}
			return
		}
		for _, e := range entries {
			if _, err := whole(e.reply); err != nil && !e.unusable || e.reply.TokensIn < 0 {
				t.Fatalf("%+v", e)
			}
			if KeyOf(e.request) != e.key || !json.Valid(e.request) || bytes.ContainsRune(e.request, '\n') {
				t.Fatalf("%+v", e)
			}
		}
	})
}

// echo is a server that replies, or fails with all that it was sent.
func echo(t testing.TB) (url string, stop func()) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(string(body), "bad") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error": {"message": %q}}`, fmt.Sprint(r.Header))
			return
		}
		fmt.Fprint(w, `{"choices": [{"message": {"role": "assistant", "content": "fine"}, "finish_reason": "stop"}]}`)
	}))
	return srv.URL, srv.Close
}

// TestNoSecrets: neither a key nor a header comes into the file, even where a server
// quotes them in an error.
func TestNoSecrets(t *testing.T) {
	const key, head = "sk-0123456789abcdefghij", "header-secret-42"
	url, stop := echo(t)
	defer stop()
	conn, err := llm.New(llm.Endpoint{BaseURL: url + "/v1", Model: "m", Key: key, Headers: map[string]string{"X-Secret": head}})
	must(t, err)
	defer conn.Close()
	path := file(t)
	c := opened(t, path)
	client := c.Wrap(conn, conn, Write)
	if got := ask(t, client, "good"); got.Content != "fine" {
		t.Fatalf("%+v", got)
	}
	if _, err := client.Complete(context.Background(), llm.Request{User: "bad"}); err == nil {
		t.Fatal("no error")
	}
	if n := func() int { flush(t, c); return count(t, c) }(); n != 1 {
		t.Errorf("%d entries", n)
	}
	text := exported(t, c, "")
	for _, name := range []string{path, path + "-wal"} {
		b, err := os.ReadFile(name)
		must(t, err)
		text += string(b)
	}
	if !strings.Contains(text, "good") {
		t.Error("looked at the wrong files")
	}
	for _, secret := range []string{key, head, "X-Secret", "Authorization", "Bearer"} {
		if strings.Contains(text, secret) {
			t.Errorf("the file holds %q", secret)
		}
	}
}
