package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

// serveFaults puts the simulator with faults on a port.
func serveFaults(t testing.TB, f *Faults) (base string, client *http.Client) {
	t.Helper()
	h, err := f.Wrap(Handler())
	if err != nil {
		t.Fatal(err)
	}
	base, stop, err := ServeAt(context.Background(), "127.0.0.1:0", h)
	if err != nil {
		t.Fatal(err)
	}
	client = &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
		goleak.VerifyNone(t, goleak.IgnoreTopFunction("testing.(*T).Run"), goleak.IgnoreTopFunction("testing.tRunner"))
	})
	return base, client
}

// A heard is what a client met.
type heard struct {
	status int
	header http.Header
	body   string
	err    error
}

func call(ctx context.Context, c *http.Client, method, url, body string, headers ...string) (h heard) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return heard{err: err}
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.Do(r)
	if err != nil {
		return heard{err: err}
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return heard{res.StatusCode, res.Header, string(b), err}
}

// whole reports whether a reply is the one that the simulator gives.
func (h heard) whole(body string) bool {
	return h.err == nil && h.status == http.StatusOK && h.body == post(body).Body.String()
}

func (h heard) errorOf(t testing.TB) (typ, code, param string) {
	t.Helper()
	var e struct {
		Error struct {
			Message, Type string
			Code, Param   *string
		}
	}
	if err := json.Unmarshal([]byte(h.body), &e); err != nil || e.Error.Message == "" {
		t.Fatalf("status %d, %v: %.200s", h.status, err, h.body)
	}
	if e.Error.Code != nil {
		code = *e.Error.Code
	}
	if e.Error.Param != nil {
		param = *e.Error.Param
	}
	return e.Error.Type, code, param
}

// only is the odds of one kind of fault that always comes.
func only(kind string) map[string]float64 { return map[string]float64{kind: 1} }

func TestFaultKinds(t *testing.T) {
	body := bodies()[3]
	want := post(body).Body.String()
	for _, row := range []struct {
		kind string
		ok   func(heard) bool
	}{
		{FaultBusy, func(h heard) bool {
			_, code, _ := h.errorOf(t)
			return h.status == 429 && h.header.Get("Retry-After") == "0.25" && code == "rate_limit_exceeded"
		}},
		{FaultBroken, func(h heard) bool { typ, _, _ := h.errorOf(t); return h.status == 500 && typ == "server_error" }},
		{FaultCut, func(h heard) bool { return h.err != nil && h.body != want }},
		{FaultGarbage, func(h heard) bool { return h.err == nil && h.status == 200 && !json.Valid([]byte(h.body)) }},
		{FaultDrip, func(h heard) bool { return h.err == nil && h.status == 200 && h.body == want }},
		{FaultTruncate, func(h heard) bool {
			return h.err == nil && h.status == 200 && len(h.body) == len(want)/2 && strings.HasPrefix(want, h.body)
		}},
	} {
		t.Run(row.kind, func(t *testing.T) {
			f := &Faults{Odds: only(row.kind), RetryAfter: 250 * time.Millisecond, Drip: 20 * time.Millisecond}
			base, c := serveFaults(t, f)
			for i := range 12 { // several places of a cut, several sorts of garbage
				if h := call(t.Context(), c, "POST", base+"/chat/completions", body); !row.ok(h) {
					t.Errorf("attempt %d: %v, status %d: %.200q", i, h.err, h.status, h.body)
				}
			}
			if n := f.Counts(); n[row.kind] != 12 || n[""] != 12 {
				t.Errorf("counts %v", n)
			}
		})
	}
}

// TestCutPlaces: connections end in the headers and in the body.
func TestCutPlaces(t *testing.T) {
	base, c := serveFaults(t, &Faults{Odds: only(FaultCut)})
	head, within := 0, 0
	for range 40 {
		if h := call(t.Context(), c, "POST", base+"/chat/completions", bodies()[0]); h.status == 0 {
			head++
		} else {
			within++
		}
	}
	if head < 10 || within < 10 {
		t.Errorf("%d cut in the headers, %d in the body", head, within)
	}
}

// arrivals tells of each request before it is served.
func arrivals(h http.Handler) (http.Handler, <-chan struct{}) {
	c := make(chan struct{}, 8)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c <- struct{}{}
		h.ServeHTTP(w, r)
	}), c
}

// TestHang: no answer comes until the client leaves or the server stops, and nothing
// is left behind.
func TestHang(t *testing.T) {
	for _, row := range []struct {
		reason string
		stops  bool
	}{
		{"the client leaves", false},
		{"the server stops, which does not wait for what would never end", true},
	} {
		t.Run(row.reason, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreTopFunction("testing.(*T).Run"))
			f := &Faults{Odds: only(FaultHang)}
			h, err := f.Wrap(Handler())
			if err != nil {
				t.Fatal(err)
			}
			h, arrived := arrivals(h)
			base, stop, err := ServeAt(context.Background(), "127.0.0.1:0", h)
			if err != nil {
				t.Fatal(err)
			}
			c := &http.Client{Transport: &http.Transport{}}
			defer c.CloseIdleConnections()
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			done := make(chan heard, 1)
			go func() { done <- call(ctx, c, "POST", base+"/chat/completions", bodies()[0]) }()
			<-arrived
			select {
			case h := <-done:
				t.Fatalf("answered: %v, %d", h.err, h.status)
			default:
			}
			if row.stops {
				if err := stop(); err != nil {
					t.Error(err)
				}
			} else {
				leave()
			}
			if h := <-done; h.err == nil {
				t.Errorf("answered: %d %s", h.status, h.body)
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFaultsRepeat: what a request meets follows from seed, body and attempt, whatever
// comes between.
func TestFaultsRepeat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		odds := Even(rapid.Float64Range(0, 1).Draw(t, "p"))
		order := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 60).Draw(t, "order")
		met := map[int][]string{}
		mixed := &Faults{Seed: seed, Odds: odds}
		for _, i := range order {
			kind, _ := mixed.draw(chatPath, fmt.Appendf(nil, "body %d", i))
			met[i] = append(met[i], kind)
		}
		for i, want := range met {
			alone := &Faults{Seed: seed, Odds: odds}
			for n, w := range want {
				if got, _ := alone.draw(chatPath, fmt.Appendf(nil, "body %d", i)); got != w {
					t.Fatalf("body %d, attempt %d: %q alone, %q among others", i, n+1, got, w)
				}
			}
		}
	})
}

// TestMostFaults: no request meets more faults than the bound, even if all odds are on
// faults, and all kinds come at their odds.
func TestMostFaults(t *testing.T) {
	f := &Faults{Seed: 3, Odds: Even(1), Most: 2}
	for i := range 500 {
		for n := range 4 {
			kind, _ := f.draw(chatPath, fmt.Appendf(nil, "%d", i))
			if (kind == "") != (n >= 2) {
				t.Fatalf("body %d, attempt %d: %q", i, n+1, kind)
			}
		}
	}
	for _, k := range FaultKinds() {
		if n := f.Counts()[k]; n < 100 || n > 190 { // of 1000, one in seven
			t.Errorf("%d of %s", n, k)
		}
	}
}

// TestFaultsAndRetries: a client that tries again gets the simulator's own bytes in
// the end, whatever was mixed into the wire.
func TestFaultsAndRetries(t *testing.T) {
	f := &Faults{Seed: 1, Odds: Even(.7), Most: 3, Drip: 10 * time.Millisecond}
	base, c := serveFaults(t, f)
	for i, body := range bodies() {
		for n := 1; ; n++ {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // ends what hangs
			h := call(ctx, c, "POST", base+"/chat/completions", body)
			cancel()
			if h.whole(body) {
				break
			}
			if n > 3 {
				t.Fatalf("request %d, attempt %d: %v, status %d: %.200q", i, n, h.err, h.status, h.body)
			}
		}
	}
	n := f.Counts()
	if n[""] == 0 || len(n) < 4 {
		t.Errorf("counts %v", n)
	}
}

func TestPretended(t *testing.T) {
	base, c := serveFaults(t, &Faults{Key: "sesame-key", Models: []string{"a/b", "c"}, NoJSONMode: true, Context: 40})
	const chatURL = "/chat/completions"
	msg := func(model, more string, words int) string {
		return `{"model":"` + model + `"` + more + `,"messages":[{"role":"user","content":"` + strings.Repeat("word", words) + `"}]}`
	}
	key := []string{"Authorization", "Bearer sesame-key"}
	for _, row := range []struct {
		reason, method, path, body string
		headers                    []string
		status                     int
		code                       string
	}{
		{"no key", "POST", chatURL, msg("c", "", 1), nil, 401, "invalid_api_key"},
		{"a wrong key", "POST", chatURL, msg("c", "", 1), []string{"Authorization", "Bearer sesame"}, 401, "invalid_api_key"},
		{"no Bearer", "POST", chatURL, msg("c", "", 1), []string{"Authorization", "sesame-key"}, 401, "invalid_api_key"},
		{"models need the key, too", "GET", "/models", "", nil, 401, "invalid_api_key"},
		{"the key", "POST", chatURL, msg("c", "", 1), key, 200, ""},
		{"another model", "POST", chatURL, msg("d", "", 1), key, 404, "model_not_found"},
		{"embeddings of another model", "POST", "/embeddings", `{"model":"d","input":"x"}`, key, 404, "model_not_found"},
		{"an id with a slash", "GET", "/models/a/b", "", key, 200, ""},
		{"an id with its slash escaped", "GET", "/models/a%2Fb", "", key, 200, ""},
		{"an unknown id", "GET", "/models/d", "", key, 404, "model_not_found"},
		{"no JSON mode", "POST", chatURL, msg("c", `,"response_format":{"type":"json_object"}`, 1), key, 400, "unsupported_value"},
		{"no schema either", "POST", chatURL, msg("c", `,"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{}}}`, 1), key, 400, "unsupported_value"},
		{"text is a format, too", "POST", chatURL, msg("c", `,"response_format":{"type":"text"}`, 1), key, 200, ""},
		{"as long as may be", "POST", chatURL, msg("c", "", 39), key, 200, ""},
		{"too long", "POST", chatURL, msg("c", "", 40), key, 400, "context_length_exceeded"},
		{"as much as may be asked for", "POST", chatURL, msg("c", `,"max_tokens":30`, 10), key, 200, ""},
		{"too much asked for", "POST", chatURL, msg("c", `,"max_tokens":31`, 10), key, 400, "context_length_exceeded"},
		{"so, too, by its other name", "POST", chatURL, msg("c", `,"max_completion_tokens":9223372036854775807`, 10), key, 400, "context_length_exceeded"},
		{"what cannot be read is the simulator's to refuse", "POST", chatURL, "{", key, 400, ""},
		{"so is a method", "GET", chatURL, "", key, 405, "method_not_allowed"},
	} {
		h := call(t.Context(), c, row.method, base+row.path, row.body, row.headers...)
		if h.err != nil || h.status != row.status {
			t.Errorf("%s: %v, status %d, want %d: %s", row.reason, h.err, h.status, row.status, h.body)
			continue
		}
		if strings.Contains(h.body, "sesame") {
			t.Errorf("%s: the reply tells the key", row.reason)
		}
		if h.status != 200 {
			if _, code, _ := h.errorOf(t); code != row.code {
				t.Errorf("%s: code %q, want %q", row.reason, code, row.code)
			}
		}
	}
	var models struct {
		Data []struct {
			ID  string
			Max int `json:"max_model_len"`
		}
	}
	decode(t, call(t.Context(), c, "GET", base+"/models", "", key...).body, &models)
	if len(models.Data) != 2 || models.Data[0].ID != "a/b" || models.Data[1].Max != 40 {
		t.Errorf("models %+v", models)
	}
}

// TestLatency: on a clock of its own, so that nothing is slept.
func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, err := (&Faults{Latency: time.Second, Jitter: time.Minute, Seed: 1}).Wrap(Handler())
		if err != nil {
			t.Fatal(err)
		}
		var took []time.Duration
		for _, body := range bodies()[:4] {
			begun := time.Now()
			if w := do(h, http.MethodPost, chatPath, body); w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), post(body).Body.Bytes()) {
				t.Errorf("status %d", w.Code)
			}
			d := time.Since(begun)
			if d < time.Second || d > 61*time.Second {
				t.Errorf("took %v", d)
			}
			took = append(took, d)
		}
		if took[0] == took[1] && took[1] == took[2] {
			t.Errorf("no jitter: %v", took)
		}
	})
}

func TestKnobs(t *testing.T) {
	for _, row := range []struct {
		reason string
		f      *Faults
		want   string
	}{
		{"an unknown kind", &Faults{Odds: map[string]float64{"fire": .1}}, `no fault "fire"`},
		{"less than never", &Faults{Odds: map[string]float64{"429": -.1}}, "fault 429"},
		{"more than always", &Faults{Odds: map[string]float64{"429": 1.1}}, "fault 429"},
		{"no number", &Faults{Odds: map[string]float64{"cut": nan()}}, "fault cut"},
		{"more than always together", &Faults{Odds: map[string]float64{"429": .6, "500": .5}}, "add up to 1.1"},
		{"a latency before the request", &Faults{Latency: -1}, "latency"},
		{"fewer than no faults", &Faults{Most: -1}, "most faults"},
		{"no room at all", &Faults{Context: -1}, "context"},
	} {
		if _, err := row.f.Wrap(Handler()); err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
	if _, err := (&Faults{Odds: Even(1)}).Wrap(Handler()); err != nil {
		t.Errorf("all odds on faults: %v", err)
	}
	if got := Even(.7); len(got) != len(FaultKinds()) || maps.Collect(maps.All(got))["cut"] < .0999 {
		t.Errorf("even odds %v", got)
	}
}

func nan() float64 { zero := 0.; return zero / zero }

// TestServeAtBusy: a port that is taken is an error, and nothing runs.
func TestServeAtBusy(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreTopFunction("testing.(*T).Run"))
	base, stop, err := Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stop() }()
	addr := strings.TrimSuffix(strings.TrimPrefix(base, "http://"), "/v1")
	if _, _, err := ServeAt(t.Context(), addr, Handler()); err == nil {
		t.Error("two servers on one port")
	}
	if _, _, err := ServeAt(t.Context(), "127.0.0.1:http-nope", Handler()); err == nil {
		t.Error("a port that is none")
	}
	_ = stop()
}

// BenchmarkFaults is what the wrapper costs where nothing goes wrong.
func BenchmarkFaults(b *testing.B) {
	h, err := (&Faults{Odds: map[string]float64{FaultBusy: 0}, Most: 1}).Wrap(Handler())
	if err != nil {
		b.Fatal(err)
	}
	body := bodies()[0]
	b.ReportAllocs()
	for b.Loop() {
		do(h, http.MethodPost, chatPath, body)
	}
}
