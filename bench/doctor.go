package bench

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"pepbench/bench/llm"
	"pepbench/bench/llm/sim"
)

// A Patient is a model that the doctor looks at.
type Patient struct {
	Name     string   // in the configuration; empty: none
	Roles    []string // that it plays
	Endpoint llm.Endpoint
	KeyEnv   string // where the key comes from; empty: none is sent

	simulated bool
	noKey     bool // the variable is empty
}

// Patients lists the models that some role of a configuration calls, each once, in the
// order of the roles.
func Patients(s *Sweep) ([]Patient, error) {
	var out []Patient
	at := map[string]int{}
	for _, c := range s.Cells {
		e := c.Experiment
		for _, role := range e.rolesUsed() {
			name := e.modelName(role)
			b := e.named(name)
			body, err := json.Marshal(b)
			if err != nil {
				return nil, err
			}
			id := name + " " + string(body)
			i, ok := at[id]
			if !ok {
				p := Patient{Name: name, simulated: b.simulated()}
				if o, ok := b.(*openaiBackend); ok {
					p.see(o)
				}
				i = len(out)
				at[id] = i
				out = append(out, p)
			}
			if !slices.Contains(out[i].Roles, role) {
				out[i].Roles = append(out[i].Roles, role)
			}
		}
	}
	if len(out) == 0 {
		return nil, &ConfigError{What: "no role of " + s.Name + " calls a model", Mend: "there is nothing to examine; runs of it need no endpoint"}
	}
	return out, nil
}

// PatientAt is a model at an address (empty: OpenAI's). The key is in the variable named
// (empty: OPENAI_API_KEY if that is set, else none is sent).
func PatientAt(baseURL, model, keyEnv string) (Patient, error) {
	o := &openaiBackend{BaseURL: cmp.Or(baseURL, "https://api.openai.com/v1"), Model: cmp.Or(model, "any"), KeyEnv: keyEnv}
	if keyEnv == "" && os.Getenv("OPENAI_API_KEY") != "" {
		o.KeyEnv = "OPENAI_API_KEY"
	}
	if err := o.check(); err != nil {
		return Patient{}, err
	}
	var p Patient
	p.see(o)
	p.Endpoint.Model = model
	return p, nil
}

// see takes over where the model is, and its key.
func (p *Patient) see(o *openaiBackend) {
	key := ""
	if o.KeyEnv != "" {
		key = strings.TrimSpace(os.Getenv(o.KeyEnv))
	}
	p.Endpoint, p.KeyEnv, p.noKey = o.endpoint(key), o.KeyEnv, o.KeyEnv != "" && key == ""
}

// Marks of a Finding.
const (
	FindingOK   = "ok"
	FindingNote = "note" // works, but not as it might
	FindingFail = "FAIL" // the endpoint is unusable
)

// A Finding is one line of a diagnosis.
type Finding struct{ Mark, What, Text string }

// A Diagnosis is what the doctor found out about a model.
type Diagnosis struct {
	Patient  Patient
	Findings []Finding
	Calls    int    // chat completions asked for, most of them of a few words
	YAML     string // block to put into a configuration; empty if unusable
}

// Usable reports whether a run could use the model.
func (d *Diagnosis) Usable() bool {
	return !slices.ContainsFunc(d.Findings, func(f Finding) bool { return f.Mark == FindingFail })
}

// mostExams bounds the calls that one diagnosis may cost.
const mostExams = 12

// examTokens bounds a reply where the patient's endpoint does not: enough for some
// reasoning.
const examTokens = 512

// Diagnose examines a model by at most 12 small calls. It tells no key. An error is
// that of a context which is done; what is wrong with the endpoint is in the findings.
func Diagnose(ctx context.Context, p Patient) (*Diagnosis, error) {
	if p.simulated {
		base, stop, err := sim.Serve(context.WithoutCancel(ctx))
		if err != nil {
			return nil, fmt.Errorf("embedded model: %w", err)
		}
		defer func() { _ = stop() }() // every reply is in by then
		p.Endpoint = llm.Endpoint{BaseURL: base, Model: sim.Model}
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	defer t.CloseIdleConnections()
	x := &exam{
		Diagnosis: Diagnosis{Patient: p}, end: p.Endpoint, limit: "max_tokens",
		http: &http.Client{Transport: t, Timeout: cmp.Or(p.Endpoint.Timeout, 2*time.Minute), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	x.end.BaseURL = strings.TrimRight(strings.TrimSpace(x.end.BaseURL), "/")
	x.all(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return &x.Diagnosis, nil
}

// An exam is a diagnosis in the making.
type exam struct {
	Diagnosis
	end  llm.Endpoint
	http *http.Client

	limit   string // name of the field that bounds a reply
	context int    // tokens, 0: not told
	slots   int    // calls that the server works on at a time, 0: not told
	rpm     int
	tpm     int
	took    []time.Duration
	format  string // the strictest response format that is enforced
	think   string // what Endpoint.Thinking should say
}

func (x *exam) say(mark, what, format string, a ...any) {
	x.Findings = append(x.Findings, Finding{mark, what, x.clean(fmt.Sprintf(format, a...))})
}

var keyInText = regexp.MustCompile(`\b(sk|pk|key|gsk|hf|xai)[-_][A-Za-z0-9_*-]{6,}`)

// clean makes one line without secrets of a server's words.
func (x *exam) clean(s string) string {
	secrets := []string{x.end.Key}
	for _, v := range x.end.Headers {
		secrets = append(append(secrets, v), strings.Fields(v)...)
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	for _, v := range secrets {
		if len(v) > 3 {
			s = strings.ReplaceAll(s, v, "[secret]")
		}
	}
	s = keyInText.ReplaceAllString(s, "[key]")
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 220 {
		s = string(r[:220]) + "..."
	}
	return s
}

func (x *exam) all(ctx context.Context) {
	if u, err := url.Parse(x.end.BaseURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		x.say(FindingFail, "address", "base_url is not an http or https address such as https://api.openai.com/v1")
		return
	}
	if !x.models(ctx) || ctx.Err() != nil {
		return
	}
	first, ok := x.plain(ctx)
	if !ok || ctx.Err() != nil {
		return
	}
	for _, f := range []func(context.Context, *spoken){x.own, x.json, x.seed, x.room} {
		f(ctx, first)
		if ctx.Err() != nil || !x.Usable() {
			return
		}
	}
	x.reasoning(first)
	x.tokens(first)
	x.say(FindingOK, "limit", "replies are bounded by %s", x.limit)
	slices.Sort(x.took)
	median := x.took[len(x.took)/2]
	unit := time.Millisecond
	if median < 10*unit {
		unit = 10 * time.Microsecond
	}
	x.say(FindingOK, "latency", "median %v of %d calls, one at a time", median.Round(unit), len(x.took))
	x.concurrency()
	x.YAML = x.block()
}

// get fetches a JSON document of the server.
func (x *exam) get(ctx context.Context, address string, into any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	res, body, err := x.do(req)
	if err != nil {
		return 0, err
	}
	if res.StatusCode == http.StatusOK {
		err = json.Unmarshal(body, into)
	}
	return res.StatusCode, err
}

func (x *exam) do(req *http.Request) (*http.Response, []byte, error) {
	if x.end.Key != "" {
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(x.end.Key))
	}
	for k, v := range map[string]string{"OpenAI-Organization": x.end.Organization, "OpenAI-Project": x.end.Project} {
		if v != "" {
			req.Header.Set(k, v)
		}
	}
	for k, v := range x.end.Headers {
		req.Header.Set(k, v)
	}
	res, err := x.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, nil, err
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	return res, body, errors.Join(err, res.Body.Close())
}

// A served model is an entry of GET /models, with the names that servers have for its
// context length: vLLM, OpenRouter, LM Studio, llama.cpp.
type served struct {
	ID         string
	MaxLen     int `json:"max_model_len"`
	Context    int `json:"context_length"`
	MaxContext int `json:"max_context_length"`
	Meta       struct {
		NCtx int `json:"n_ctx"`
	}
}

// models looks at the list of models and says whether to go on.
func (x *exam) models(ctx context.Context) bool {
	var list struct{ Data []served }
	status, err := x.get(ctx, x.end.BaseURL+"/models", &list)
	switch {
	case status == 0 && ctx.Err() != nil:
		return false
	case status == 0:
		x.say(FindingFail, "reachable", "%s: %v; is the server running, and is this its address?", x.end.BaseURL, err)
		return false
	}
	x.say(FindingOK, "reachable", "%s", x.end.BaseURL)
	switch {
	case x.Patient.noKey:
		x.say(FindingFail, "key", "environment variable %s is empty; export the key in it", x.Patient.KeyEnv)
		return false
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		x.refusedKey(status)
		return false
	case status >= 300 && status < 400:
		x.say(FindingFail, "address", "the server redirects (status %d); give the address that it redirects to", status)
		return false
	}
	names := make([]string, len(list.Data))
	for i, m := range list.Data {
		names[i] = m.ID
	}
	if x.end.Model == "" && len(names) == 1 {
		x.end.Model = names[0]
		x.Patient.Endpoint.Model = names[0]
	}
	at := slices.Index(names, x.end.Model)
	switch {
	case x.end.Model == "":
		x.say(FindingFail, "model", "none is named; the server has %s", some(names))
		return false
	case status != http.StatusOK || err != nil || len(names) == 0:
		x.say(FindingNote, "model", "the server lists no models (GET /models: status %d)", status)
	case at < 0:
		x.say(FindingNote, "model", "%s is not among the %d that are listed: %s", x.end.Model, len(names), some(near(names, x.end.Model)))
	default:
		m := list.Data[at]
		x.context = cmp.Or(m.MaxLen, m.Context, m.MaxContext, m.Meta.NCtx)
		x.say(FindingOK, "model", "%s is listed", x.end.Model)
	}
	return true
}

func (x *exam) refusedKey(status int) {
	if x.end.Key == "" {
		x.say(FindingFail, "key", "the server wants one (status %d); name the environment variable that holds it in api_key_env", status)
		return
	}
	x.say(FindingFail, "key", "that of %s is refused (status %d)", cmp.Or(x.Patient.KeyEnv, "the environment"), status)
}

// some names a few.
func some(names []string) string {
	const most = 5
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > most:
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// near puts those names first that have most letters in common at their end or beginning.
func near(names []string, with string) []string {
	common := func(a, b string) int {
		n := 0
		for n < len(a) && n < len(b) && a[n]|0x20 == b[n]|0x20 {
			n++
		}
		return n
	}
	back := func(s string) string {
		b := []byte(s)
		slices.Reverse(b)
		return string(b)
	}
	out := slices.Clone(names)
	slices.SortStableFunc(out, func(a, b string) int {
		return cmp.Compare(max(common(b, with), common(back(b), back(with))), max(common(a, with), common(back(a), back(with))))
	})
	return out
}

// spoken is a reply as the server sent it.
type spoken struct {
	status  int
	said    string // of an error
	text    string
	finish  string
	field   string // that holds reasoning; empty: none
	in, out int
}

// ask sends one chat completion by hand, once more if it met something that may pass.
func (x *exam) ask(ctx context.Context, system, user string, fields map[string]any) (*spoken, error) {
	body := map[string]any{}
	maps.Copy(body, x.end.Extra)
	messages := []llm.Message{{Role: "user", Content: user}}
	if system != "" {
		messages = slices.Insert(messages, 0, llm.Message{Role: "system", Content: system})
	}
	body["model"], body["messages"] = x.end.Model, messages
	if x.end.Temperature != nil {
		body["temperature"] = *x.end.Temperature
	}
	if x.end.TopP != nil {
		body["top_p"] = *x.end.TopP
	}
	maps.Copy(body, fields)
	for try := 1; ; try++ {
		body[x.limit] = cmp.Or(x.end.MaxTokens, examTokens)
		s, err := x.once(ctx, body)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err == nil && s.status == http.StatusBadRequest && x.limit == "max_tokens" && strings.Contains(s.said, "max_completion_tokens"):
			delete(body, x.limit)
			x.limit = "max_completion_tokens"
		case try > 1 || x.Calls >= mostExams || err == nil && s.status != http.StatusTooManyRequests && s.status < 500:
			return s, err
		}
	}
}

func (x *exam) once(ctx context.Context, body map[string]any) (*spoken, error) {
	if x.Calls >= mostExams {
		return nil, fmt.Errorf("%d calls were made, and no more are", x.Calls)
	}
	x.Calls++
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.end.BaseURL+"/chat/completions", bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	begun := time.Now()
	res, got, err := x.do(req)
	if err != nil {
		return nil, err
	}
	took := time.Since(begun)
	s := &spoken{status: res.StatusCode}
	if s.status != http.StatusOK {
		s.said = words(res, got)
		return s, nil
	}
	var r struct {
		Choices []struct {
			Finish  string `json:"finish_reason"`
			Message struct {
				Content          *string
				Reasoning        *string
				ReasoningContent *string `json:"reasoning_content"`
			}
		}
		Usage struct {
			In  int `json:"prompt_tokens"`
			Out int `json:"completion_tokens"`
		}
	}
	if err := json.Unmarshal(got, &r); err != nil || len(r.Choices) == 0 {
		if said := llm.Said(got); said != "" {
			return nil, fmt.Errorf("the reply is no chat completion: %s", said)
		}
		return nil, fmt.Errorf("the reply is no chat completion: %.60q", got)
	}
	x.took = append(x.took, took)
	number := func(name string) int {
		n, _ := strconv.Atoi(res.Header.Get(name)) // absent or no number: not told
		return max(n, 0)
	}
	x.rpm, x.tpm = cmp.Or(number("x-ratelimit-limit-requests"), x.rpm), cmp.Or(number("x-ratelimit-limit-tokens"), x.tpm)
	m := r.Choices[0].Message
	s.finish, s.in, s.out = r.Choices[0].Finish, r.Usage.In, r.Usage.Out
	if m.Content != nil {
		s.text = *m.Content
	}
	switch {
	case m.ReasoningContent != nil && *m.ReasoningContent != "":
		s.field = "reasoning_content"
	case m.Reasoning != nil && *m.Reasoning != "":
		s.field = "reasoning"
	}
	return s, nil
}

// words are what a server says of an error, or, with a 3xx, where it sends whoever asks.
func words(res *http.Response, body []byte) string {
	if to := res.Header.Get("Location"); to != "" && res.StatusCode < 400 {
		return "the server redirects to " + to + "; use that address in base_url"
	}
	return cmp.Or(llm.Said(body), strings.TrimSpace(string(body[:min(len(body), 1000)])))
}

// The prompts of the doctor. The reply to freePrompt has some chance in it; to
// talkPrompt a model left to itself does not reply with JSON, and the word is in it
// because OpenAI wants it there; jsonPrompt is as judges ask.
const (
	freePrompt = "Make up a name for a small boat and one for its harbour. Reply with the two names and nothing else."
	talkPrompt = "Tell me in one plain sentence, not as JSON, which colour a clear sky has at noon."
	jsonSystem = `Name the level that you find in the response. Reply with JSON and nothing else: {"level": n, "reason": "..."}`
	jsonPrompt = "Response:\n<<<\nThe boats are told of at length.\n>>>\n\nCriterion: Boats\nLevels, from least to most:\n1. no boats\n2. a word on boats\n3. boats at length\n"
)

// plain asks for something ordinary and says whether to go on.
func (x *exam) plain(ctx context.Context) (*spoken, bool) {
	s, err := x.ask(ctx, "", freePrompt, nil)
	switch {
	case ctx.Err() != nil:
		return nil, false
	case err != nil:
		x.say(FindingFail, "answer", "%v", err)
	case s.status == http.StatusUnauthorized || s.status == http.StatusForbidden:
		x.refusedKey(s.status)
	case s.status == http.StatusNotFound:
		x.say(FindingFail, "model", "%s is not served, or base_url does not end as the server wants it (status 404): %s", x.end.Model, s.said)
	case s.status != http.StatusOK:
		x.say(FindingFail, "answer", "status %d: %s", s.status, s.said)
	default:
		if x.end.Key != "" {
			x.say(FindingOK, "key", "accepted")
		} else {
			x.say(FindingOK, "key", "none is needed")
		}
		return s, true
	}
	return nil, false
}

// own asks by the client that runs use, with all that the endpoint says.
func (x *exam) own(ctx context.Context, first *spoken) {
	e := x.end
	if x.Calls++; e.MaxTokens == 0 && x.limit == "max_tokens" {
		e.MaxTokens = examTokens
	}
	c, err := llm.New(e)
	if err != nil {
		x.say(FindingFail, "answer", "%v", err)
		return
	}
	defer c.Close()
	client := llm.Retry{Attempts: 2}.Wrap(c)
	reply, err := client.Complete(llm.Impatient(ctx), llm.Request{System: systemHello, User: freePrompt})
	x.Calls += max(0, reply.Attempts-1)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		x.say(FindingFail, "answer", "%v", err)
	case strings.TrimSpace(reply.Content) == "" && reply.Finish == "length":
		x.say(FindingNote, "answer", "empty, cut off after %d tokens; raise max_tokens if the model reasons", cmp.Or(x.end.MaxTokens, examTokens))
	case strings.TrimSpace(reply.Content) == "":
		x.say(FindingFail, "answer", "the reply is empty (finish reason %q)", reply.Finish)
	case reply.Model != "" && reply.Model != x.end.Model:
		x.say(FindingOK, "answer", "a reply; the server says that it served %s", reply.Model)
	default:
		x.say(FindingOK, "answer", "a reply")
	}
}

// json finds out which formats are accepted, and which are enforced: the prompt asks
// for a sentence, so that an object in the reply is the server's doing.
func (x *exam) json(ctx context.Context, _ *spoken) {
	schema := map[string]any{
		"type": "object", "additionalProperties": false, "required": []string{"colour"},
		"properties": map[string]any{"colour": map[string]any{"type": "string"}},
	}
	for _, f := range []struct {
		name  string
		value map[string]any
		ok    func(map[string]json.RawMessage) bool
	}{
		{"json_schema", map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "sky", "strict": true, "schema": schema}}, func(m map[string]json.RawMessage) bool { return len(m) == 1 && m["colour"] != nil }},
		{"json_object", map[string]any{"type": "json_object"}, func(map[string]json.RawMessage) bool { return true }},
	} {
		s, err := x.ask(ctx, "", talkPrompt, map[string]any{"response_format": f.value})
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			x.say(FindingNote, f.name, "not answered: %v", err)
		case s.status != http.StatusOK:
			x.say(FindingNote, f.name, "refused (status %d): %s", s.status, s.said)
		default:
			m, err := llm.Object(x.content(s))
			switch {
			case err == nil && f.ok(m):
				x.say(FindingOK, f.name, "enforced")
				x.format = cmp.Or(x.format, f.name)
			case s.finish == "length":
				x.say(FindingNote, f.name, "accepted; the reply was cut off, so that it cannot be told whether it is enforced")
			default:
				x.say(FindingNote, f.name, "accepted, but not enforced")
			}
		}
	}
	s, err := x.ask(ctx, jsonSystem, jsonPrompt, nil)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		x.say(FindingNote, "json", "not answered without a format: %v", err)
	case s.status != http.StatusOK:
		x.say(FindingNote, "json", "not answered without a format (status %d): %s", s.status, s.said)
	default:
		m, err := llm.Object(x.content(s))
		if err == nil && m["level"] != nil && m["reason"] != nil {
			x.say(FindingOK, "json", "as asked for in words, without a format")
		} else {
			x.say(FindingNote, "json", "asked for in words alone, the reply is not the object that was asked for; a judge or user would need repairs")
		}
	}
}

// content is the text of a reply without reasoning.
func (x *exam) content(s *spoken) string {
	_, rest, _ := llm.SplitThinking(s.text)
	return rest
}

// seed finds out whether equal calls have equal replies.
func (x *exam) seed(ctx context.Context, first *spoken) {
	same := func(fields map[string]any, as *spoken) (*spoken, bool, bool) {
		s, err := x.ask(ctx, "", freePrompt, fields)
		switch {
		case ctx.Err() != nil:
			return nil, false, false
		case err != nil:
			x.say(FindingNote, "seed", "cannot be told: %v", err)
			return nil, false, false
		case s.status != http.StatusOK:
			x.say(FindingNote, "seed", "refused (status %d): %s", s.status, s.said)
			return nil, false, false
		}
		return s, as != nil && s.text == as.text, true
	}
	greedy := x.end.Temperature != nil && *x.end.Temperature == 0
	if greedy {
		if _, equal, ok := same(nil, first); !ok {
			return
		} else if equal {
			x.say(FindingOK, "seed", "temperature 0 alone already gives equal replies to equal calls")
			return
		}
	}
	number := 1
	if x.end.Seed != nil {
		number = *x.end.Seed
	}
	a, _, ok := same(map[string]any{"seed": number}, nil)
	if !ok {
		return
	}
	_, equal, ok := same(map[string]any{"seed": number}, a)
	switch {
	case !ok:
		return
	case !equal && greedy:
		x.say(FindingNote, "seed", "equal calls have different replies, even at temperature 0 and with a seed; runs do not repeat exactly")
		return
	case !equal:
		x.say(FindingNote, "seed", "not honoured: equal calls with it have different replies; runs do not repeat exactly")
		return
	}
	_, equal, ok = same(map[string]any{"seed": number + 1}, a)
	switch {
	case !ok:
	case equal && first.text == a.text:
		x.say(FindingOK, "seed", "equal calls have equal replies, with any seed and without one")
	case equal:
		x.say(FindingNote, "seed", "equal calls with it have equal replies, but so do calls with another one")
	default:
		x.say(FindingOK, "seed", "honoured: equal calls have equal replies, and another seed has another")
	}
}

// room finds out the context length.
func (x *exam) room(ctx context.Context, _ *spoken) {
	if u, err := url.Parse(x.end.BaseURL); err == nil && x.context == 0 && strings.HasSuffix(u.Path, "/v1") {
		// llama.cpp tells beside /v1. What another server says there is not read.
		u.Path = strings.TrimSuffix(u.Path, "/v1") + "/props"
		var props struct {
			Slots    int `json:"total_slots"`
			Settings struct {
				NCtx int `json:"n_ctx"`
			} `json:"default_generation_settings"`
		}
		if status, err := x.get(ctx, u.String(), &props); err == nil && status == http.StatusOK {
			x.context, x.slots = props.Settings.NCtx, props.Slots
		}
	}
	switch said := x.end.ContextLength; {
	case x.context > 0 && said > x.context:
		x.say(FindingNote, "context", "%d tokens, fewer than the %d of the configuration", x.context, said)
	case x.context > 0:
		x.say(FindingOK, "context", "%d tokens", x.context)
	case said > 0:
		x.say(FindingNote, "context", "the server does not tell; %d tokens by the configuration", said)
	default:
		x.say(FindingNote, "context", "the server does not tell; see the model's card")
	}
}

// reasoning says where the model's reasoning is.
func (x *exam) reasoning(s *spoken) {
	open, shut := strings.Contains(s.text, "<think>"), strings.Contains(s.text, "</think>")
	switch {
	case s.field != "":
		x.say(FindingOK, "reasoning", "in the field %s", s.field)
	case open:
		x.think = "tags"
		x.say(FindingOK, "reasoning", "in the text, between think tags")
	case shut:
		x.think = "opened"
		x.say(FindingOK, "reasoning", "in the text, before a closing think tag that is not opened there")
	default:
		x.say(FindingOK, "reasoning", "none is shown")
	}
}

func (x *exam) tokens(s *spoken) {
	if s.in > 0 && s.out > 0 {
		x.say(FindingOK, "tokens", "counted (%d in, %d out)", s.in, s.out)
		return
	}
	x.say(FindingNote, "tokens", "not counted by the server; budgets in tokens and dollars do not work")
}

func (x *exam) concurrency() {
	switch {
	case x.slots > 0:
		x.say(FindingOK, "concurrency", "the server works on %d calls at a time", x.slots)
	case x.rpm > 0 || x.tpm > 0:
		x.say(FindingOK, "concurrency", "found out by the run, within %d requests and %d tokens a minute as the server tells", x.rpm, x.tpm)
	default:
		x.say(FindingOK, "concurrency", "the server tells no limit; left out, it is found out by the run")
	}
}

// block is the YAML of the model with what was found, under the name that it has.
func (x *exam) block() string {
	head, in := "backend:", ""
	if n := x.Patient.Name; n != "" && n != backendName {
		head, in = "models:\n  "+n+":", "  "
	}
	if x.Patient.simulated {
		return head + " {kind: sim}\n"
	}
	var b strings.Builder
	b.WriteString(head + "\n" + in + "  kind: openai\n")
	put := func(is bool, key string, v any) {
		if is {
			fmt.Fprintf(&b, "%s  %s: %v\n", in, key, v)
		}
	}
	put(true, "base_url", strconv.Quote(x.end.BaseURL))
	put(true, "model", strconv.Quote(x.end.Model))
	put(x.Patient.KeyEnv != "", "api_key_env", x.Patient.KeyEnv)
	if t := x.end.Temperature; t != nil {
		put(true, "temperature", strconv.FormatFloat(*t, 'f', -1, 64))
	}
	if t := x.end.TopP; t != nil {
		put(true, "top_p", strconv.FormatFloat(*t, 'f', -1, 64))
	}
	put(x.end.MaxTokens > 0, "max_tokens", x.end.MaxTokens)
	if x.end.Seed != nil {
		put(true, "seed", *x.end.Seed)
	}
	put(true, "response_format", cmp.Or(x.format, "none"))
	think := cmp.Or(x.think, x.end.Thinking)
	put(think != "", "thinking", think)
	length := cmp.Or(x.context, x.end.ContextLength)
	put(length > 0 && x.end.MaxTokens < length, "context", length)
	put(x.rpm > 0, "rpm", x.rpm)
	put(x.tpm > 0, "tpm", x.tpm)
	slots := cmp.Or(x.slots, x.end.Concurrency)
	put(slots > 0, "concurrency", slots)
	if len(x.end.Extra)+len(x.end.Headers)+len(x.end.Stop) > 0 {
		b.WriteString(in + "  # extra, headers and stop as they are\n")
	}
	return b.String()
}
