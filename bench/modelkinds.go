package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"

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
	open(ctx context.Context, x opening) (c llm.Client, close func(), err error)
	model() string
	simulated() bool
}

// opening is what a run has for all of its models.
type opening struct {
	concurrency int // sessions in flight
	options     llm.Options
	cache       *caching
}

// simBackend is the embedded simulator, over HTTP on a loopback port.
type simBackend struct{}

func (*simBackend) model() string   { return sim.Model + "@" + sim.Version }
func (*simBackend) simulated() bool { return true }

func (s *simBackend) open(ctx context.Context, x opening) (llm.Client, func(), error) {
	url, stop, err := sim.Serve(context.WithoutCancel(ctx))
	if err != nil {
		return nil, nil, fmt.Errorf("embedded model: %w", err)
	}
	o := llm.Options{Retry: x.options.Retry, Log: x.options.Log}
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

// openaiBackend is any server with OpenAI's interface.
type openaiBackend struct {
	BaseURL     string   `yaml:"base_url" json:"base_url"`
	Model       string   `yaml:"model" json:"model"`
	KeyEnv      string   `yaml:"api_key_env" json:"api_key_env,omitempty"` // name of the environment variable, never the key
	Temperature *float64 `yaml:"temperature" json:"temperature,omitempty"`
	TopP        *float64 `yaml:"top_p" json:"top_p,omitempty"`
	MaxTokens   int      `yaml:"max_tokens" json:"max_tokens,omitempty"`
	Seed        *int     `yaml:"seed" json:"seed,omitempty"`
	Headers     headers  `yaml:"headers" json:"headers,omitempty"`
}

// headers go to the server as they are and to disk as hashes: they may be secret.
type headers map[string]string

// MarshalJSON writes names and the first half of the SHA-256 of each value.
func (h headers) MarshalJSON() ([]byte, error) {
	out := make(map[string]string, len(h))
	for k, v := range h {
		sum := sha256.Sum256([]byte(v))
		out[k] = "sha256:" + hex.EncodeToString(sum[:16])
	}
	return json.Marshal(out)
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (o *openaiBackend) check() error {
	if u, err := url.Parse(o.BaseURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("base_url is not an http or https address such as https://api.openai.com/v1")
	} else if u.User != nil {
		return errors.New("base_url holds a user name or password; a secret does not belong in a file: use api_key_env")
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
	}
	for k := range o.Headers {
		if strings.EqualFold(k, "authorization") {
			return errors.New("headers may not hold authorization; name the variable with the key in api_key_env")
		}
	}
	return nil
}

func (o *openaiBackend) model() string { return o.Model }
func (*openaiBackend) simulated() bool { return false }

func (o *openaiBackend) open(_ context.Context, x opening) (llm.Client, func(), error) {
	key := ""
	if o.KeyEnv != "" {
		if key = os.Getenv(o.KeyEnv); key == "" && !x.cache.only() {
			return nil, nil, fmt.Errorf("environment variable %s (backend.api_key_env) is empty; export the key of %s in it: %w", o.KeyEnv, o.BaseURL, llm.ErrUnusable)
		}
	}
	var err error
	if x.options.Cache, err = x.cache.middleware(cache.Write, nil); err != nil {
		return nil, nil, err
	}
	c, err := llm.Dial(llm.Endpoint{
		BaseURL: o.BaseURL, Model: o.Model, Key: key, Temperature: o.Temperature, TopP: o.TopP,
		MaxTokens: o.MaxTokens, Seed: o.Seed, Headers: o.Headers, Concurrency: x.concurrency,
	}, x.options)
	if err != nil {
		return nil, nil, err
	}
	return c, c.Close, nil
}
