package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pepbench/bench/llm/sim"
)

// A clinic is a server that answers the doctor as a row of a test wants it.
type clinic struct {
	list    string // body of GET /models; empty: 404
	props   string // body of GET /props beside /v1; empty: 404
	limits  bool   // rate limit headers
	key     string // wanted
	formats string // names of the formats that are enforced
	refuses string // field of the body that is refused with 400

	// text and more give the content and other fields of the message of the n-th call.
	text func(n int64, body map[string]any) string
	more string
	bare bool // no usage
	user bool // no system messages

	fault func(n int64, w http.ResponseWriter) bool // says whether it has answered
	calls atomic.Int64
}

func (c *clinic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, what string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":{"message":%q,"type":"invalid_request_error"}}`, what)
	}
	if c.key != "" && r.Header.Get("Authorization") != "Bearer "+c.key {
		refuse(401, "Incorrect API key provided: "+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		return
	}
	switch {
	case r.URL.Path == "/v1/models" && c.list != "":
		_, _ = io.WriteString(w, c.list)
		return
	case r.URL.Path == "/props" && c.props != "":
		_, _ = io.WriteString(w, c.props)
		return
	case r.URL.Path != "/v1/chat/completions":
		refuse(404, "not here")
		return
	}
	n := c.calls.Add(1)
	if c.fault != nil && c.fault(n, w) {
		return
	}
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		refuse(400, err.Error())
		return
	}
	if c.user && strings.Contains(fmt.Sprint(body["messages"]), "role:system") {
		refuse(400, "System role not supported")
		return
	}
	if c.limits {
		w.Header().Set("x-ratelimit-limit-requests", "500")
		w.Header().Set("x-ratelimit-limit-tokens", "30000")
	}
	if body["model"] != "m" {
		refuse(404, "no such model")
		return
	}
	if f := c.refuses; f != "" && body[f] != nil {
		refuse(400, "Unsupported parameter: '"+f+"'. Use 'max_completion_tokens' instead.")
		return
	}
	text := "Teal, Greyhaven"
	if f, ok := body["response_format"].(map[string]any); ok && strings.Contains(c.formats, f["type"].(string)) {
		text = `{"colour": "blue"}`
	} else if strings.Contains(fmt.Sprint(body["messages"]), "Criterion: Boats") {
		text = `{"level": 3, "reason": "boats at length"}`
	} else if c.text != nil {
		text = c.text(n, body)
	}
	usage := `,"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}`
	if c.bare {
		usage = ""
	}
	fmt.Fprintf(w, `{"id":"x","object":"chat.completion","model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":%q%s}}]%s}`, text, c.more, usage)
}

const listed = `{"object":"list","data":[{"id":"m","object":"model"}]}`

func TestDiagnose(t *testing.T) {
	zero, half := 0., .5
	hot := func(n int64, _ map[string]any) string { return fmt.Sprintf("boat %d", n) }
	for _, row := range []struct {
		reason string
		server *clinic
		change func(*Patient)
		ok     bool
		want   []string // beginnings of findings: mark, what, text
		yaml   []string // lines of the block
	}{
		{
			"a server of the best kind", &clinic{list: listed, formats: "json_schema json_object", limits: true}, nil, true,
			[]string{"ok model m is listed", "ok key none is needed", "ok answer a reply", "ok json_schema enforced", "ok json_object enforced", "ok json as asked", "ok tokens counted (9 in, 4 out)", "ok reasoning none", "ok limit replies are bounded by max_tokens", "note context the server does not tell", "ok concurrency found out by the run, within 500 requests and 30000 tokens"},
			[]string{"response_format: json_schema", "rpm: 500", "tpm: 30000"},
		},
		{
			"one that knows no schema", &clinic{list: listed, formats: "json_object"}, nil, true,
			[]string{"note json_schema accepted, but not enforced", "ok json_object enforced"},
			[]string{"response_format: json_object"},
		},
		{
			"one that refuses formats", &clinic{list: listed, refuses: "response_format"}, nil, true,
			[]string{"note json_schema refused (status 400): Unsupported", "note json_object refused"},
			[]string{"response_format: none"},
		},
		{
			"a model that talks where an object is asked for", &clinic{list: listed, text: hot, fault: func(n int64, w http.ResponseWriter) bool {
				if n != 5 { // the fifth asks for JSON in words
					return false
				}
				_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"Level 3, I think."}}]}`)
				return true
			}}, nil, true,
			[]string{"note json asked for in words alone, the reply is not"},
			nil,
		},
		{
			"a field that was renamed", &clinic{list: listed, refuses: "max_tokens"}, nil, true,
			[]string{"ok limit replies are bounded by max_completion_tokens"},
			nil,
		},
		{
			"vLLM's name for the context", &clinic{list: `{"data":[{"id":"m","max_model_len":4096}]}`}, nil, true,
			[]string{"ok context 4096 tokens"},
			[]string{"context: 4096"},
		},
		{
			"less than the configuration says", &clinic{list: `{"data":[{"id":"m","max_model_len":4096}]}`}, func(p *Patient) { p.Endpoint.ContextLength = 8192 }, true,
			[]string{"note context 4096 tokens, fewer than the 8192"},
			[]string{"context: 4096"},
		},
		{
			"by the configuration alone", &clinic{list: listed}, func(p *Patient) { p.Endpoint.ContextLength, p.Endpoint.Thinking = 8192, "opened" }, true,
			[]string{"note context the server does not tell; 8192"},
			[]string{"context: 8192", "thinking: opened"},
		},
		{
			"OpenRouter's", &clinic{list: `{"data":[{"id":"m","context_length":128000}]}`}, nil, true,
			[]string{"ok context 128000 tokens"},
			[]string{"context: 128000"},
		},
		{
			"llama.cpp's, and its slots", &clinic{list: listed, props: `{"total_slots":4,"default_generation_settings":{"n_ctx":8192}}`}, nil, true,
			[]string{"ok context 8192 tokens", "ok concurrency the server works on 4"},
			[]string{"context: 8192", "concurrency: 4"},
		},
		{
			"no list of models", &clinic{}, nil, true,
			[]string{"ok reachable", "note model the server lists no models (GET /models: status 404)"},
			nil,
		},
		{
			"a list without the model, which is served", &clinic{list: `{"data":[{"id":"zeta"},{"id":"m-2"}]}`}, nil, true,
			[]string{"note model m is not among the 2 that are listed: m-2, zeta"},
			nil,
		},
		{
			"no name, and one model", &clinic{list: listed}, func(p *Patient) { p.Endpoint.Model = "" }, true,
			[]string{"ok model m is listed"},
			[]string{`model: "m"`},
		},
		{
			"no name, and several", &clinic{list: `{"data":[{"id":"a"},{"id":"b"}]}`}, func(p *Patient) { p.Endpoint.Model = "" }, false,
			[]string{"FAIL model none is named; the server has a, b"},
			nil,
		},
		{
			"a model that is not served", &clinic{list: listed}, func(p *Patient) { p.Endpoint.Model = "n" }, false,
			[]string{"note model n is not among", "FAIL model n is not served"},
			nil,
		},
		{
			"a wrong key, which the server repeats", &clinic{list: listed, key: "right"}, func(p *Patient) { p.Endpoint.Key, p.KeyEnv = "wrong-secret", "SOME_KEY" }, false,
			[]string{"FAIL key that of SOME_KEY is refused (status 401)"},
			nil,
		},
		{
			"no key where one is wanted", &clinic{list: listed, key: "right"}, nil, false,
			[]string{"FAIL key the server wants one (status 401)"},
			nil,
		},
		{
			"an empty variable", &clinic{list: listed}, func(p *Patient) { p.KeyEnv, p.noKey = "SOME_KEY", true }, false,
			[]string{"FAIL key environment variable SOME_KEY is empty"},
			nil,
		},
		{
			"the key", &clinic{list: listed, key: "right-secret"}, func(p *Patient) { p.Endpoint.Key, p.KeyEnv = "right-secret", "SOME_KEY" }, true,
			[]string{"ok key accepted"},
			[]string{"api_key_env: SOME_KEY"},
		},
		{
			"reasoning in its older field", &clinic{list: listed, more: `,"reasoning_content":"hm"`}, nil, true,
			[]string{"ok reasoning in the field reasoning_content"},
			nil,
		},
		{
			"and in the newer one", &clinic{list: listed, more: `,"reasoning":"hm"`}, nil, true,
			[]string{"ok reasoning in the field reasoning"},
			nil,
		},
		{
			"in the text", &clinic{list: listed, text: func(int64, map[string]any) string { return "<think>hm</think>Teal" }}, nil, true,
			[]string{"ok reasoning in the text, between"},
			[]string{"thinking: tags"},
		},
		{
			"in the text, opened by the prompt", &clinic{list: listed, text: func(int64, map[string]any) string { return "hm</think>Teal" }}, nil, true,
			[]string{"ok reasoning in the text, before"},
			[]string{"thinking: opened"},
		},
		{
			"an empty reply", &clinic{list: listed, text: func(int64, map[string]any) string { return "" }}, nil, false,
			[]string{"FAIL answer the reply is empty"},
			nil,
		},
		{
			"tokens that nobody counts", &clinic{list: listed, bare: true}, nil, true,
			[]string{"note tokens not counted"},
			nil,
		},
		{
			"the same whatever is asked", &clinic{list: listed}, nil, true,
			[]string{"ok seed equal calls have equal replies, with any seed and without one"},
			nil,
		},
		{
			"a seed that counts", &clinic{list: listed, text: func(n int64, b map[string]any) string {
				if s, ok := b["seed"]; ok {
					return fmt.Sprint("boat ", s)
				}
				return hot(n, b)
			}}, func(p *Patient) { p.Endpoint.Temperature = &half }, true,
			[]string{"ok seed honoured"},
			[]string{"temperature: 0.5"},
		},
		{
			"a seed that does not", &clinic{list: listed, text: hot}, nil, true,
			[]string{"note seed not honoured"},
			nil,
		},
		{
			"temperature 0 is enough", &clinic{list: listed}, func(p *Patient) { p.Endpoint.Temperature = &zero }, true,
			[]string{"ok seed temperature 0 alone"},
			[]string{"temperature: 0"},
		},
		{
			"temperature 0 is not enough", &clinic{list: listed, text: hot}, func(p *Patient) { p.Endpoint.Temperature = &zero }, true,
			[]string{"note seed equal calls have different replies, even at temperature 0"},
			nil,
		},
		{
			"a seed that is refused", &clinic{list: listed, refuses: "seed"}, nil, true,
			[]string{"note seed refused (status 400)"},
			nil,
		},
		{
			"a server that is busy once", &clinic{list: listed, fault: func(n int64, w http.ResponseWriter) bool {
				if n == 1 {
					w.WriteHeader(429)
				}
				return n == 1
			}}, nil, true,
			[]string{"ok answer a reply"},
			nil,
		},
		{
			"a server that is broken", &clinic{list: listed, fault: func(_ int64, w http.ResponseWriter) bool { w.WriteHeader(500); return true }}, nil, false,
			[]string{"FAIL answer status 500"},
			nil,
		},
		{
			"a template without system messages", &clinic{list: listed, user: true}, nil, false,
			[]string{"FAIL answer http://127.0.0.1:"},
			nil,
		},
		{
			"a redirect", &clinic{list: listed, fault: func(_ int64, w http.ResponseWriter) bool {
				w.Header().Set("Location", "https://h.test/v1")
				w.WriteHeader(307)
				return true
			}}, nil, false,
			[]string{"FAIL answer status 307: the server redirects to https://h.test/v1; use that address in base_url"},
			nil,
		},
		{
			"an error with status 200", &clinic{list: listed, fault: func(_ int64, w http.ResponseWriter) bool {
				_, _ = io.WriteString(w, `{"error":"model is loading"}`)
				return true
			}}, nil, false,
			[]string{"FAIL answer the reply is no chat completion: model is loading"},
			nil,
		},
		{
			"a web page", &clinic{list: listed, fault: func(_ int64, w http.ResponseWriter) bool { _, _ = io.WriteString(w, "<html>"); return true }}, nil, false,
			[]string{"FAIL answer the reply is no chat completion"},
			nil,
		},
		{
			"no address", &clinic{}, func(p *Patient) { p.Endpoint.BaseURL = "localhost:8000/v1" }, false,
			[]string{"FAIL address base_url is not"},
			nil,
		},
		{
			"an address where nobody is", &clinic{}, func(p *Patient) { p.Endpoint.BaseURL = "http://127.0.0.1:1/v1" }, false,
			[]string{"FAIL reachable http://127.0.0.1:1/v1: "},
			nil,
		},
	} {
		t.Run(row.reason, func(t *testing.T) {
			srv := httptest.NewServer(row.server)
			defer srv.Close()
			p := Patient{}
			p.Endpoint.BaseURL, p.Endpoint.Model = srv.URL+"/v1", "m"
			if row.change != nil {
				row.change(&p)
			}
			d, err := Diagnose(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, f := range d.Findings {
				lines = append(lines, f.Mark+" "+f.What+" "+f.Text)
			}
			all := strings.Join(lines, "\n")
			if d.Usable() != row.ok || (d.YAML != "") != row.ok {
				t.Errorf("usable %v, want %v:\n%s\n%s", d.Usable(), row.ok, all, d.YAML)
			}
			for _, w := range row.want {
				if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, w) }) {
					t.Errorf("no finding %q in\n%s", w, all)
				}
			}
			for _, w := range row.yaml {
				if !strings.Contains(d.YAML, "\n  "+w+"\n") {
					t.Errorf("no line %q in\n%s", w, d.YAML)
				}
			}
			if strings.Contains(all+d.YAML, "secret") && !strings.Contains(all, "[secret]") {
				t.Errorf("a key is told:\n%s", all)
			}
			if got := row.server.calls.Load(); got > mostExams || int64(d.Calls) != got {
				t.Errorf("%d calls, %d said", got, d.Calls)
			}
			if d.YAML != "" {
				decodesAsBackend(t, d.YAML)
			}
		})
	}
}

// decodesAsBackend puts a block into a small configuration and loads it.
func decodesAsBackend(t *testing.T, block string) {
	t.Helper()
	base, err := filepath.Abs("../configs/smoke.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(file, []byte("extends: "+base+"\n"+block), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file, nil); err != nil {
		t.Errorf("%v:\n%s", err, block)
	}
}

// TestDiagnoseSim: the embedded model is a patient like any other.
func TestDiagnoseSim(t *testing.T) {
	s, err := LoadSweep("../configs/smoke.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := Patients(s)
	if err != nil || len(ps) != 1 || ps[0].Name != backendName || !slices.Equal(ps[0].Roles, []string{roleSolver, roleJudge, roleCorrectness}) {
		t.Fatalf("%v, %+v", err, ps)
	}
	d, err := Diagnose(t.Context(), ps[0])
	if err != nil || !d.Usable() || d.YAML != "backend: {kind: sim}\n" {
		t.Errorf("%v, %+v", err, d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Diagnose(ctx, ps[0]); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}

// TestPatients: each model once, whatever the number of roles and cells, and none where
// no role calls a model.
func TestPatients(t *testing.T) {
	s, err := LoadSweep("../configs/smoke.yaml", []string{
		"models={a: {kind: openai, model: x, api_key_env: PEPBENCH_TEST_NO_KEY}, b: {kind: sim}, unused: {kind: openai, model: y}}", "sweep={roles.solver: [a, b]}",
	})
	if err != nil {
		t.Fatal(err)
	}
	ps, err := Patients(s)
	if err != nil || len(ps) != 3 {
		t.Fatalf("%v, %d patients", err, len(ps))
	}
	for i, want := range []string{"a", backendName, "b"} {
		if ps[i].Name != want {
			t.Errorf("patient %d is %s, want %s", i, ps[i].Name, want)
		}
	}
	if !ps[0].noKey || ps[0].KeyEnv != "PEPBENCH_TEST_NO_KEY" || ps[0].Endpoint.Model != "x" {
		t.Errorf("%+v", ps[0])
	}
	if s, err = LoadSweep("../configs/grid.yaml", []string{"sweep="}); err != nil {
		t.Fatal(err)
	}
	if _, err := Patients(s); err == nil {
		t.Error("patients in a run without models")
	}
	for _, row := range []struct{ reason, url, env string }{
		{"no address", "localhost", ""},
		{"a key for the name of a variable", "", "sk-0123456789"},
		{"a password in the address", "http://a:b@x/v1", ""},
	} {
		if _, err := PatientAt(row.url, "m", row.env); err == nil || strings.Contains(err.Error(), "sk-0") {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
}

// TestDiagnoseFaults: a server that fails at random costs no more calls than the bound,
// and never the doctor's composure.
func TestDiagnoseFaults(t *testing.T) {
	for seed := range uint64(8) {
		odds := sim.Even(.6)
		odds[sim.FaultHang], odds[sim.FaultDrip] = 0, 0 // which take the time-out
		f := &sim.Faults{Seed: seed, Odds: odds}
		h, err := f.Wrap(sim.Handler())
		if err != nil {
			t.Fatal(err)
		}
		srv := httptest.NewServer(h)
		p := Patient{}
		p.Endpoint.BaseURL, p.Endpoint.Model = srv.URL+"/v1", "m"
		d, err := Diagnose(t.Context(), p)
		if err != nil || d.Calls > mostExams || len(d.Findings) == 0 {
			t.Errorf("seed %d: %v, %+v", seed, err, d)
		}
		for _, f := range d.Findings {
			if strings.Contains(f.Text, "\n") || f.Text == "" {
				t.Errorf("seed %d: %+v", seed, f)
			}
		}
		srv.Close()
	}
}
