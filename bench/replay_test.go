package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pepbench/bench/llm"
	"pepbench/bench/llm/cache"
	"pepbench/bench/llm/sim"
	"pepbench/bench/record"
)

// A garbler is a server some of whose replies nobody can use; it notes what it was sent.
type garbler struct {
	garble func(body []byte) (which uint64, ok bool)

	mu      sync.Mutex
	sent    map[string]int  // by body; without the call that tests the endpoint
	garbled map[string]bool // of them
}

// unusable are the ways in which a reply is made so: message and finish reason. %s is
// the first half of what it should have been.
var unusable = [][2]string{
	{`{"role":"assistant","content":%s}`, "length"},
	{`{"role":"assistant","content":""}`, "stop"},
	{`{"role":"assistant","content":null,"reasoning_content":"let me think"}`, "length"},
	{`{"role":"assistant","content":"","refusal":"I will not"}`, "stop"},
	{`{"role":"assistant","content":null}`, "content_filter"},
	{`{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"[1]"}}]}`, "tool_calls"},
	{`{"role":"assistant","content":"\n"}`, ""},
}

func (g *garbler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	whole := httptest.NewRecorder()
	sim.Handler().ServeHTTP(whole, r)
	g.mu.Lock()
	which, ok := g.garble(body)
	if hello := bytes.Contains(body, []byte("Reply with the word ready.")); hello {
		which, ok = 0, true // cut off, always
	} else {
		g.sent[string(body)]++
		g.garbled[string(body)] = g.garbled[string(body)] || ok
	}
	g.mu.Unlock()
	if !ok {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(whole.Code)
		_, _ = w.Write(whole.Body.Bytes())
		return
	}
	var reply struct {
		Choices []struct {
			Message struct{ Content string }
		}
	}
	if err := json.Unmarshal(whole.Body.Bytes(), &reply); err != nil || len(reply.Choices) == 0 {
		http.Error(w, "no reply to garble", http.StatusBadRequest)
		return
	}
	text := []rune(reply.Choices[0].Message.Content)
	half, _ := json.Marshal(string(text[:len(text)/2]))
	how := unusable[which%uint64(len(unusable))]
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"id":"x","object":"chat.completion","model":"stranger-%d","choices":[{"index":0,"message":%s,"finish_reason":%q}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`,
		which%3, strings.ReplaceAll(how[0], "%s", string(half)), how[1])
}

// forget starts the notes anew and gives the old ones.
func (g *garbler) forget() (sent map[string]int, garbled map[string]bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	sent, garbled = g.sent, g.garbled
	g.sent, g.garbled = map[string]int{}, map[string]bool{}
	return sent, garbled
}

// hash is that of a body, and whether it is one of a request in 20 that is not answered
// usably however often it is asked again.
func hash(body []byte) (h uint64, never bool) {
	var c chat
	if err := json.Unmarshal(body, &c); err != nil {
		return 0, false
	}
	sum := func(b []byte) uint64 {
		h := fnv.New64a()
		_, _ = h.Write(b)
		return h.Sum64() >> 8
	}
	first, _ := json.Marshal(c.Messages[:min(2, len(c.Messages))])
	return sum(body), sum(first)%20 == 0
}

// byHash garbles one reply in five.
func byHash(body []byte) (uint64, bool) {
	h, never := hash(body)
	return h / 5, h%5 == 0 || never
}

// atRandom garbles three replies in ten, whatever was asked.
func atRandom() func([]byte) (uint64, bool) {
	rng := rand.New(rand.NewPCG(1, 2))
	return func(body []byte) (uint64, bool) {
		_, never := hash(body)
		return rng.Uint64N(1 << 20), rng.Float64() < .3 || never
	}
}

// TestReplayOfGarbage: a run against a server many of whose replies cannot be used is
// replayed to the same bytes when the server is gone, whether the garbage is the same
// for equal requests or not, and however the run came about. Equal requests of a run
// are sent once, those whose reply was garbage too.
func TestReplayOfGarbage(t *testing.T) {
	grid := "sweep={judge.mode: [single, batched]}"
	for _, row := range []struct {
		reason string
		garble func([]byte) (uint64, bool)
		before bool     // another run has filled the cache
		sets   []string // of the live run alone
		legs   int      // at least
		sweep  bool
	}{
		{reason: "garbage by request", garble: byHash, legs: 1},
		{reason: "garbage at random", garble: atRandom(), legs: 1},
		{reason: "garbage at random, by a run that asks anew what an earlier one could not use", garble: atRandom(), before: true, legs: 1},
		{reason: "garbage at random, by a run that asks everything anew", garble: atRandom(), before: true, sets: []string{"cache=refresh"}, legs: 1},
		{reason: "garbage at random, by a run that was interrupted again and again", garble: atRandom(), sets: []string{"limits.calls=60", "concurrency=2"}, legs: 3},
		{reason: "the same, asking everything anew", garble: atRandom(), before: true, sets: []string{"limits.calls=60", "concurrency=2", "cache=refresh"}, legs: 3},
		{reason: "garbage at random, in a grid whose cells share requests", garble: atRandom(), sweep: true, legs: 1},
		{reason: "the same, interrupted", garble: atRandom(), sweep: true, sets: []string{"limits.calls=150", "concurrency=2"}, legs: 2},
	} {
		t.Run(row.reason, func(t *testing.T) {
			g := &garbler{garble: row.garble}
			g.forget()
			srv := httptest.NewServer(g)
			defer srv.Close()
			file := filepath.Join(t.TempDir(), "cache.sqlite")
			run := func(dir string, sets ...string) (legs int) {
				t.Helper()
				sets = append(append([]string{
					"users={kind: collaborative}", "split.users_per_task=1", "report={resamples: 20}", "horizon=2", "budget=2", "concurrency=16",
					"strategies=[{name: none, kind: none}, {name: random, kind: random}, {name: static, kind: static, order: prior-value}, {name: oracle, kind: oracle}]",
					fmt.Sprintf("backend={kind: openai, base_url: %q, model: m, seed: 7, attempts: 1, concurrency: 16}", srv.URL+"/v1"), "cache_file=" + file, "cache=write",
				}, row.sets...), sets...)
				for legs = 1; ; legs++ {
					var err error
					if row.sweep {
						var s *Sweep
						if s, err = LoadSweep(smoke, append(sets, grid)); err == nil {
							_, _, err = RunSweep(context.Background(), s, dir, false, &watch{}, func(string, Outcome) error { return nil })
						}
					} else {
						_, err = Run(context.Background(), prepare(t, smoke, sets...), dir, false, &watch{})
					}
					if err == nil {
						break
					}
					if !errors.Is(err, llm.ErrBudget) || legs > 100 {
						t.Fatalf("leg %d: %v", legs, err)
					}
				}
				if there(dir, runFile) {
					t.Errorf("%s is left of a complete run", runFile)
				}
				return legs
			}
			if row.before {
				run(t.TempDir(), "cache=write")
				g.forget()
			}
			live := t.TempDir()
			legs := run(live)
			if legs < row.legs {
				t.Errorf("%d legs", legs)
			}
			sent, garbled := g.forget()
			lost := 0
			for body, n := range sent {
				if n > 1 && legs == 1 { // who is interrupted may not hear the reply
					t.Errorf("sent %d times: %.300s", n, body)
				}
				if garbled[body] {
					lost++
				}
			}
			dirs := []string{"."}
			if row.sweep {
				dirs = []string{"single", "batched"}
			}
			repairs, given := 0, 0
			for _, d := range dirs {
				for _, s := range sessions(t, filepath.Join(live, d)) {
					for _, c := range s.Calls {
						repairs, given = repairs+c.Repairs, given+len(c.Unread)
					}
				}
			}
			t.Logf("%d requests, %d garbled; %d repairs, %d given up", len(sent), lost, repairs, given)
			if repairs < 10 || given == 0 {
				t.Errorf("nothing to see: %d repairs, %d requests given up", repairs, given)
			}

			srv.Close()
			again := t.TempDir()
			run(again, "cache=read", "limits.calls=0")
			for _, d := range dirs {
				for _, f := range []string{record.SessionsFile, record.ManifestFile} {
					if !bytes.Equal(readFile(t, again, d, f), readFile(t, live, d, f)) {
						t.Errorf("another %s in %s", f, d)
					}
				}
			}
			if sent, _ := g.forget(); len(sent) > 0 {
				t.Errorf("the replay sent %d calls", len(sent))
			}
		})
	}
}

// TestGarbageIsAskedAgain: a later run sends what an earlier one could not use, and
// nothing else.
func TestGarbageIsAskedAgain(t *testing.T) {
	g := &garbler{garble: byHash}
	g.forget()
	srv := httptest.NewServer(g)
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "cache.sqlite")
	run := func() string {
		dir := t.TempDir()
		mustRun(t, smokePlan(t, srv, "cache=write", "cache_file="+file), dir)
		return dir
	}
	first := run()
	_, garbled := g.forget()
	want := map[string]bool{}
	for body, bad := range garbled {
		if bad {
			want[body] = true
		}
	}
	second := run()
	sent, _ := g.forget()
	for body := range sent {
		if !want[body] {
			t.Errorf("sent again: %.300s", body)
		}
	}
	if len(sent) != len(want) || len(want) == 0 {
		t.Errorf("%d sent, %d had been garbled", len(sent), len(want))
	}
	if !bytes.Equal(readFile(t, first, record.SessionsFile), readFile(t, second, record.SessionsFile)) {
		t.Error("other sessions of a server that says the same")
	}
	c, err := cache.Open(file, false)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.Stats(context.Background())
	if err != nil || s.Unusable != len(want)+1 { // and the call that tests the endpoint
		t.Errorf("%d marked, %d garbled, %v", s.Unusable, len(want), err)
	}
}
