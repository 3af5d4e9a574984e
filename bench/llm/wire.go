package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"

	openai "github.com/sashabaranov/go-openai"
)

// wire rewrites requests on their way out and looks at replies on their way in.
// See doc.go for why.
//
// go-openai is given model and messages only and writes them and "stream":false.
// What an endpoint sets besides is put before the closing brace, keys sorted, so
// that the bytes on the wire follow from endpoint and messages.
type wire struct {
	headers map[string]string
	tail    []byte // `,"key":value` for each field
	next    http.RoundTripper
}

// sighting is what the wire saw of a reply; the caller puts one in the context.
type sighting struct {
	body       []byte // of a reply with status 200
	retryAfter time.Duration
}

type sightingKey struct{}

// maxReply is the largest reply that is read.
const maxReply = 16 << 20

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for k, v := range w.headers {
		r.Header.Set(k, v)
	}
	if r.Body != nil && len(w.tail) > 0 {
		if err := w.rewrite(r); err != nil {
			return nil, err
		}
	}
	res, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	seen, _ := r.Context().Value(sightingKey{}).(*sighting)
	if seen == nil {
		seen = &sighting{}
	}
	seen.retryAfter = retryAfter(res.Header.Get("Retry-After"), time.Now())
	if to := res.Header.Get("Location"); res.StatusCode >= 300 && res.StatusCode < 400 {
		return nil, errors.Join(&redirectError{to}, res.Body.Close())
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxReply+1))
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	if len(body) > maxReply {
		return nil, fmt.Errorf("the reply is larger than %d bytes", maxReply)
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	if res.StatusCode == http.StatusOK {
		seen.body = body
		if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err == nil && kind == "text/html" {
			return nil, pageError{}
		}
	}
	return res, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (w *wire) CloseIdleConnections() {
	if t, ok := w.next.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// rewrite puts the tail into the body of a request that is ours to change.
func (w *wire) rewrite(r *http.Request) error {
	body := make([]byte, 0, max(r.ContentLength, 0)+int64(len(w.tail))+bytes.MinRead)
	buf := bytes.NewBuffer(body)
	_, err := buf.ReadFrom(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		return err
	}
	body = bytes.TrimSpace(buf.Bytes())
	if len(body) < 3 || body[len(body)-1] != '}' {
		return errors.New("llm: request body is not a JSON object")
	}
	body = append(append(body[:len(body)-1], w.tail...), '}')
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.ContentLength = int64(len(body))
	return nil
}

// tail is what an endpoint adds to every body. No key may come twice: that of a
// field that go-openai writes itself, or one that the endpoint has a field for and
// sets.
func tail(e *Endpoint) ([]byte, error) {
	add := map[string][]byte{"model": nil, "messages": nil, "stream": nil}
	put := func(key string, v []byte) error {
		if _, ok := add[key]; ok {
			return fmt.Errorf("extra field %q is set elsewhere", key)
		}
		add[key] = v
		return nil
	}
	number := func(key string, v *float64) error {
		switch {
		case v == nil:
			return nil
		case math.IsNaN(*v) || math.IsInf(*v, 0):
			return fmt.Errorf("%s %v is not a finite number", key, *v)
		}
		return put(key, strconv.AppendFloat(nil, *v, 'f', -1, 64))
	}
	if err := errors.Join(number("temperature", e.Temperature), number("top_p", e.TopP)); err != nil {
		return nil, err
	}
	if e.MaxTokens > 0 {
		// go-openai knows which models have renamed the field.
		key := "max_tokens"
		//lint:ignore SA1019 the deprecated field is what is asked about
		probe := openai.ChatCompletionRequest{Model: e.Model, MaxTokens: 1}
		if errors.Is(openai.NewReasoningValidator().Validate(probe), openai.ErrReasoningModelMaxTokensDeprecated) {
			key = "max_completion_tokens"
		}
		add[key] = strconv.AppendInt(nil, int64(e.MaxTokens), 10)
	}
	if e.Seed != nil {
		add["seed"] = strconv.AppendInt(nil, int64(*e.Seed), 10)
	}
	for _, k := range slices.Sorted(maps.Keys(e.Extra)) {
		v, err := json.Marshal(e.Extra[k])
		if err != nil {
			return nil, fmt.Errorf("extra field %q: %w", k, err)
		}
		if err := put(k, v); err != nil {
			return nil, err
		}
	}
	var out []byte
	for _, k := range slices.Sorted(maps.Keys(add)) {
		if add[k] == nil {
			continue
		}
		key, err := json.Marshal(k)
		if err != nil {
			return nil, err
		}
		out = append(append(append(append(out, ','), key...), ':'), add[k]...)
	}
	return out, nil
}

// reasoning reads the field that newer servers use and go-openai does not know.
func reasoning(body []byte) string {
	if !bytes.Contains(body, []byte(`"reasoning"`)) {
		return ""
	}
	var r struct {
		Choices []struct {
			Message struct {
				Reasoning string `json:"reasoning"`
			} `json:"message"`
		} `json:"choices"`
	}
	if json.Unmarshal(body, &r) != nil || len(r.Choices) == 0 {
		return ""
	}
	return r.Choices[0].Message.Reasoning
}

// retryAfter reads seconds or an HTTP date; 0 when there is neither.
func retryAfter(h string, now time.Time) time.Duration {
	if s, err := strconv.ParseFloat(h, 64); err == nil && s > 0 && s < 86400 {
		return time.Duration(s * float64(time.Second))
	}
	if t, err := http.ParseTime(h); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}
