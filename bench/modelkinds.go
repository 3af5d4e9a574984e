package bench

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"pepbench/bench/llm"
	"pepbench/bench/llm/cache"
	"pepbench/bench/llm/sim"
)

func init() {
	backendKinds.add("sim", func() BackendKind { return &simBackend{} })
	backendKinds.add("openai", func() BackendKind { return &openaiBackend{BaseURL: "https://api.openai.com/v1"} })
}

// A BackendKind is a model on a server.
type BackendKind interface {
	// open makes it ready; close is called once when the run is over.
	open(ctx context.Context, x opening) (c *llm.Link, close func(), err error)
	model() string
	simulated() bool
	places() int               // most calls in flight that make sense; 0: as many as there are processors for
	price() (in, out *float64) // dollars a million tokens; nil: not known
	fits(chars int) error      // whether a prompt of so many bytes fits the context that is declared
}

// opening is what a run has for all of its models.
type opening struct {
	name        string      // of the model, as a path in YAML
	concurrency int         // sessions in flight
	options     llm.Options // a model sets attempts itself
	cache       *caching
}

// simBackend is the embedded simulator, over HTTP on a loopback port.
type simBackend struct{}

func (*simBackend) model() string   { return sim.Model + "@" + sim.Version }
func (*simBackend) simulated() bool { return true }
func (*simBackend) places() int     { return 0 }

func (*simBackend) fits(int) error { return nil }

func (*simBackend) price() (in, out *float64) { return new(float64), new(float64) }

func (s *simBackend) open(ctx context.Context, x opening) (*llm.Link, func(), error) {
	url, stop, err := sim.Serve(context.WithoutCancel(ctx))
	if err != nil {
		return nil, nil, fmt.Errorf("embedded model: %w", err)
	}
	o := llm.Options{Retry: x.options.Retry, Budget: x.options.Budget, Log: x.options.Log}
	// The port is another one each time; the model is the same.
	if o.Cache, err = x.cache.middleware(cache.Off, &llm.Endpoint{BaseURL: "http://embedded/v1", Model: s.model()}); err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	c, err := llm.Dial(llm.Endpoint{BaseURL: url, Model: sim.Model, Concurrency: x.concurrency}, o)
	if err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return c, func() {
		c.Close()
		_ = stop() // every reply is in by now
	}, nil
}

// openaiBackend is any server with OpenAI's interface. What is not in JSON changes no
// result and is outside the configuration's hash.
type openaiBackend struct {
	BaseURL      string `yaml:"base_url" json:"base_url"`
	Model        string `yaml:"model" json:"model"`
	KeyEnv       string `yaml:"api_key_env" json:"api_key_env,omitempty"` // name of the environment variable, never the key
	Organization string `yaml:"organization" json:"organization,omitempty"`
	Project      string `yaml:"project" json:"project,omitempty"`

	Temperature *float64 `yaml:"temperature" json:"temperature,omitempty"`
	TopP        *float64 `yaml:"top_p" json:"top_p,omitempty"`
	MaxTokens   int      `yaml:"max_tokens" json:"max_tokens,omitempty"`
	Seed        *int     `yaml:"seed" json:"seed,omitempty"`
	Stop        list     `yaml:"stop" json:"stop,omitempty"`
	Format      string   `yaml:"response_format" json:"response_format,omitempty"` // none, json_object or json_schema
	Thinking    string   `yaml:"thinking" json:"thinking,omitempty"`               // none, tags or opened
	Context     int      `yaml:"context" json:"context,omitempty"`                 // tokens
	Extra       extra    `yaml:"extra" json:"extra,omitempty"`
	Headers     headers  `yaml:"headers" json:"headers,omitempty"`
	About       card     `yaml:"about" json:"about,omitzero"`

	Timeout     seconds  `yaml:"timeout" json:"-"`
	Attempts    int      `yaml:"attempts" json:"-"`
	RPM         int      `yaml:"rpm" json:"-"`
	TPM         int      `yaml:"tpm" json:"-"`
	Concurrency inFlight `yaml:"concurrency" json:"-"`
	Price       *prices  `yaml:"price" json:"-"`
}

// A card says in words what a model is; nothing is done with it but to record it.
type card struct {
	Family   string `yaml:"family" json:"family,omitempty"`
	Size     string `yaml:"size" json:"size,omitempty"`
	Stage    string `yaml:"stage" json:"stage,omitempty"`   // such as base, SFT, DPO, RLVR
	Parent   string `yaml:"parent" json:"parent,omitempty"` // the model it was made from
	Licence  string `yaml:"licence" json:"licence,omitempty"`
	Card     string `yaml:"card" json:"card,omitempty"` // where its authors describe it
	Data     list   `yaml:"data" json:"data,omitempty"` // what it was trained on
	Template string `yaml:"template" json:"template,omitempty"`
	Tools    string `yaml:"tools" json:"tools,omitempty"`
	Note     string `yaml:"note" json:"note,omitempty"`
}

// prices are dollars a million tokens, both of them: one that is not said is not 0.
type prices struct {
	In  *float64 `yaml:"in"`
	Out *float64 `yaml:"out"`
}

// seconds is a time in seconds (90, 2.5) or as Go writes it (1m30s).
type seconds time.Duration

func (s *seconds) decodeNode(d *decoder, n *yaml.Node, path string) {
	var v float64
	t, err := time.ParseDuration(n.Value)
	if n.Decode(&v) == nil && n.Tag != "!!null" {
		t, err = time.Duration(v*float64(time.Second)), nil
	}
	if err != nil || v > mostTimeout.Seconds() || t < time.Millisecond || t > mostTimeout {
		d.fault(n, "write seconds, or for example 90s or 5m", "%s is not a time of up to %v: %q", path, mostTimeout, redact(n.Value))
		return
	}
	*s = seconds(t)
}

const mostTimeout = 24 * time.Hour

// mostInFlight bounds what may be asked for at a time: more is a mistake in the file.
const mostInFlight = 1 << 14

// inFlight is a number of calls or auto, which is 0.
type inFlight int

func (c *inFlight) decodeNode(d *decoder, n *yaml.Node, path string) {
	if n.Value == "auto" {
		*c = 0
		return
	}
	var v int
	whole, ok := wholeNumber(n)
	if !ok || whole.Decode(&v) != nil || v < 1 || v > mostInFlight {
		d.fault(n, "", "%s is auto or a number of calls from 1 to %d, not %q", path, mostInFlight, redact(n.Value))
		return
	}
	*c = inFlight(v)
}

// extra are further fields of a request's body, as JSON.
type extra map[string]any

func (x *extra) decodeNode(d *decoder, n *yaml.Node, path string) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, "", "%s is a mapping of fields of the request to their values", path)
		return
	}
	v, ok := jsonOf(d, n, path)
	if ok {
		*x = v.(map[string]any)
	}
}

// jsonOf turns a node into what encoding/json writes the same way everywhere.
func jsonOf(d *decoder, n *yaml.Node, path string) (any, bool) {
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i].Value
			v, ok := jsonOf(d, n.Content[i+1], join(path, k))
			if !ok {
				return nil, false
			}
			out[k] = v
		}
		return out, true
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, c := range n.Content {
			v, ok := jsonOf(d, c, fmt.Sprintf("%s[%d]", path, i))
			if !ok {
				return nil, false
			}
			out[i] = v
		}
		return out, true
	}
	var v any
	if err := n.Decode(&v); err == nil {
		if _, date := v.(time.Time); date {
			v = n.Value // JSON has none
		}
		if _, err := json.Marshal(v); err == nil {
			return v, true
		}
	}
	d.fault(n, "", "%s is %q, which JSON cannot say", path, redact(n.Value))
	return nil, false
}

// headers go to the server as they are and to disk as hashes: they may be secret.
type headers map[string]string

// hashedHeader is a value of headers as it goes to disk.
var hashedHeader = regexp.MustCompile(`^sha256:[0-9a-f]{32}$`)

// MarshalJSON writes names and the first half of the SHA-256 of each value; what was
// read back from there stays as it is.
func (h headers) MarshalJSON() ([]byte, error) {
	out := make(map[string]string, len(h))
	for k, v := range h {
		if hashedHeader.MatchString(v) {
			out[k] = v
			continue
		}
		sum := sha256.Sum256([]byte(v))
		out[k] = "sha256:" + hex.EncodeToString(sum[:16])
	}
	return json.Marshal(out)
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (o *openaiBackend) check() error {
	if path := o.secret(); path != "" {
		return fmt.Errorf("%s looks like a key, which does not belong in a file: export it and name the variable in api_key_env", path)
	}
	if u, err := url.Parse(o.BaseURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("base_url is not an http or https address such as https://api.openai.com/v1")
	} else if u.User != nil {
		return errors.New("base_url holds a user name or password; a secret does not belong in a file: use api_key_env")
	} else if base, ok := strings.CutSuffix(strings.TrimRight(u.Path, "/"), "/chat/completions"); ok {
		return fmt.Errorf("base_url ends in /chat/completions, which is added by itself; end it in %s", cmp.Or(base, "what comes before"))
	}
	switch {
	case o.Model == "":
		return errors.New("model names no model")
	case o.KeyEnv != "" && (!envName.MatchString(o.KeyEnv) || keyLike.MatchString(o.KeyEnv)):
		return errors.New("api_key_env is the name of an environment variable, such as OPENAI_API_KEY; a key does not belong in a file")
	case o.Temperature != nil && !(*o.Temperature >= 0 && *o.Temperature <= 5):
		return fmt.Errorf("temperature %v is not from 0 to 5", *o.Temperature)
	case o.TopP != nil && !(*o.TopP > 0 && *o.TopP <= 1):
		return fmt.Errorf("top_p %v is not in (0, 1]", *o.TopP)
	case o.MaxTokens < 0:
		return fmt.Errorf("max_tokens %d is negative", o.MaxTokens)
	case o.Context < 0:
		return fmt.Errorf("context %d is not a number of tokens", o.Context)
	case o.Context > 0 && o.MaxTokens >= o.Context:
		return fmt.Errorf("max_tokens %d leaves no room for a prompt in a context of %d", o.MaxTokens, o.Context)
	case !slices.Contains([]string{"", formatNone, llm.FormatObject, llm.FormatSchema}, o.Format):
		return fmt.Errorf("response_format %q is neither %s nor %s nor %s", o.Format, formatNone, llm.FormatObject, llm.FormatSchema)
	case !slices.Contains([]string{"", llm.ThinkingNone, llm.ThinkingTags, llm.ThinkingOpened}, o.Thinking):
		return fmt.Errorf("thinking %q is neither %s nor %s nor %s", o.Thinking, llm.ThinkingNone, llm.ThinkingTags, llm.ThinkingOpened)
	case o.Attempts < 0 || o.Attempts > 100:
		return fmt.Errorf("attempts %d is not from 1 to 100, or 0 for the default", o.Attempts)
	case o.RPM < 0 || o.TPM < 0:
		return fmt.Errorf("rpm %d and tpm %d are limits a minute, or 0 for none", o.RPM, o.TPM)
	case o.Price != nil && (o.Price.In == nil || o.Price.Out == nil):
		return errors.New("price needs both in and out, in dollars a million tokens; 0 for what costs nothing")
	case o.Price != nil && !(*o.Price.In >= 0 && *o.Price.Out >= 0 && *o.Price.In < 1e6 && *o.Price.Out < 1e6):
		return fmt.Errorf("price in %v, out %v: give dollars a million tokens", *o.Price.In, *o.Price.Out)
	}
	for _, k := range sortedKeys(o.Headers) {
		if secretHeader.MatchString(k) {
			return fmt.Errorf("headers may not hold %s; name the variable with the key in api_key_env", strings.ToLower(k))
		}
	}
	c, err := llm.New(o.endpoint("")) // what it refuses would be found only when the run begins
	if err != nil {
		return err
	}
	c.Close()
	return nil
}

const formatNone = "none"

// secretHeader are headers that carry keys.
var secretHeader = regexp.MustCompile(`(?i)^(proxy-)?authorization$|api[-_]?key|token|cookie`)

// secret finds a value that looks like a key and says where.
func (o *openaiBackend) secret() string {
	var found string
	look := func(path, v string) {
		if found == "" && keyLike.MatchString(strings.TrimSpace(strings.TrimPrefix(v, "Bearer "))) {
			found = path
		}
	}
	for _, f := range []struct{ path, v string }{
		{"base_url", o.BaseURL},
		{"model", o.Model},
		{"organization", o.Organization},
		{"project", o.Project},
	} {
		look(f.path, f.v)
	}
	for _, s := range o.Stop {
		look("stop", s)
	}
	a := &o.About
	for _, s := range append([]string{a.Family, a.Size, a.Stage, a.Parent, a.Licence, a.Card, a.Template, a.Tools, a.Note}, a.Data...) {
		look("about", s)
	}
	for _, k := range sortedKeys(o.Headers) {
		look("headers."+k, o.Headers[k])
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case string:
			look(path, v)
		case []any:
			for _, x := range v {
				walk(path, x)
			}
		case map[string]any:
			for _, k := range sortedKeys(v) {
				look(path, k)
				walk(join(path, k), v[k])
			}
		}
	}
	walk("extra", map[string]any(o.Extra))
	return found
}

// endpoint is the model as the client needs it.
func (o *openaiBackend) endpoint(key string) llm.Endpoint {
	e := llm.Endpoint{
		BaseURL: o.BaseURL, Model: o.Model, Key: key, Organization: o.Organization, Project: o.Project,
		Temperature: o.Temperature, TopP: o.TopP, MaxTokens: o.MaxTokens, Seed: o.Seed, Stop: o.Stop,
		Extra: o.Extra, Headers: o.Headers, Thinking: o.Thinking,
		RPM: o.RPM, TPM: o.TPM, Concurrency: int(o.Concurrency), ContextLength: o.Context, Timeout: time.Duration(o.Timeout),
	}
	if o.Format != formatNone {
		e.ResponseFormat = o.Format
	}
	if o.Price != nil {
		e.PromptPrice, e.CompletionPrice = *o.Price.In, *o.Price.Out
	}
	return e
}

func (o *openaiBackend) model() string { return o.Model }
func (*openaiBackend) simulated() bool { return false }

func (o *openaiBackend) places() int {
	if o.Concurrency > 0 {
		return int(o.Concurrency)
	}
	return llm.MostInFlight
}

func (o *openaiBackend) fits(chars int) error {
	e := o.endpoint("")
	return e.Fits(chars)
}

func (o *openaiBackend) price() (in, out *float64) {
	if o.Price == nil {
		return nil, nil
	}
	return o.Price.In, o.Price.Out
}

func (o *openaiBackend) open(_ context.Context, x opening) (*llm.Link, func(), error) {
	key := ""
	if o.KeyEnv != "" {
		if key = os.Getenv(o.KeyEnv); key == "" && !x.cache.only() {
			return nil, nil, fmt.Errorf("environment variable %s (%s.api_key_env) is empty; export the key of %s in it: %w", o.KeyEnv, x.name, o.BaseURL, llm.ErrUnusable)
		}
	}
	var err error
	if x.options.Cache, err = x.cache.middleware(cache.Write, nil); err != nil {
		return nil, nil, err
	}
	x.options.Retry.Attempts = cmp.Or(o.Attempts, x.options.Retry.Attempts)
	c, err := llm.Dial(o.endpoint(key), x.options)
	if err != nil {
		return nil, nil, err
	}
	return c, c.Close, nil
}
