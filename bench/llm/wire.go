package llm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// wire rewrites requests on their way out and looks at replies on their way in.
// See doc.go for why.
type wire struct {
	end  Endpoint
	next http.RoundTripper
}

// sighting is what the wire saw of a reply; the caller puts one in the context.
type sighting struct {
	reasoning  string
	retryAfter time.Duration
}

type sightingKey struct{}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for k, v := range w.end.Headers {
		r.Header.Set(k, v)
	}
	if w.end.Key == "" {
		r.Header.Del("Authorization")
	}
	if r.Body != nil && r.Method == http.MethodPost {
		body, err := io.ReadAll(r.Body)
		if err := errJoin(err, r.Body.Close()); err != nil {
			return nil, err
		}
		if body, err = w.rewrite(body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.ContentLength = int64(len(body))
	}
	res, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	seen, _ := r.Context().Value(sightingKey{}).(*sighting)
	if seen == nil {
		return res, nil
	}
	seen.retryAfter = retryAfter(res.Header.Get("Retry-After"), time.Now())
	if res.StatusCode != http.StatusOK {
		return res, nil
	}
	body, err := io.ReadAll(res.Body)
	if err := errJoin(err, res.Body.Close()); err != nil {
		return nil, err
	}
	seen.reasoning = reasoning(body)
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

func errJoin(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// rewrite adds the endpoint's parameters after what go-openai wrote, in a fixed
// order. go-openai was given none of them, so no key comes twice unless Extra
// names one of its own, which then replaces it.
func (w *wire) rewrite(body []byte) ([]byte, error) {
	add := map[string]json.RawMessage{}
	for k, v := range w.end.Extra {
		b, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("llm: extra field %q: %w", k, err)
		}
		add[k] = b
	}
	number := func(key string, v *float64) {
		if v != nil {
			add[key] = strconv.AppendFloat(nil, *v, 'f', -1, 64)
		}
	}
	number("temperature", w.end.Temperature)
	number("top_p", w.end.TopP)
	if w.end.MaxTokens > 0 {
		add["max_tokens"] = strconv.AppendInt(nil, int64(w.end.MaxTokens), 10)
	}
	if w.end.Seed != nil {
		add["seed"] = strconv.AppendInt(nil, int64(*w.end.Seed), 10)
	}
	if len(add) == 0 {
		return body, nil
	}
	if _, ok := add["model"]; ok || add["messages"] != nil {
		return nil, fmt.Errorf("llm: extra fields may not replace model or messages")
	}
	body = bytes.TrimRight(body, " \n")
	if len(body) < 2 || body[len(body)-1] != '}' {
		return nil, fmt.Errorf("llm: request body is not a JSON object")
	}
	out := append([]byte(nil), body[:len(body)-1]...)
	for _, k := range slices.Sorted(maps.Keys(add)) {
		key, err := json.Marshal(k)
		if err != nil {
			return nil, err
		}
		out = append(out, ',')
		out = append(append(append(out, key...), ':'), add[k]...)
	}
	return append(out, '}'), nil
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
