package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"
)

// wire rewrites requests on their way out and looks at replies on their way in.
// See doc.go for why.
//
// go-openai is given the model only. The body that is sent is written by fields.body,
// keys after the messages sorted, so that the bytes on the wire follow from endpoint
// and request.
type wire struct {
	headers http.Header // in place of what go-openai sends
	next    http.RoundTripper
}

// sighting is what the wire adds to a request and saw of the reply; the caller puts
// one in the context.
type sighting struct {
	body       []byte // that is sent
	reply      []byte // the body of a reply with status 200
	retryAfter time.Duration
}

type sightingKey struct{}

// maxReply is the largest reply that is read.
const maxReply = 16 << 20

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	seen, _ := r.Context().Value(sightingKey{}).(*sighting)
	if seen == nil {
		seen = &sighting{}
	}
	r = r.Clone(r.Context())
	maps.Copy(r.Header, w.headers)
	if r.Body != nil && seen.body != nil {
		if err := replace(r, seen.body); err != nil {
			return nil, err
		}
	}
	res, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
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
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		seen.reply = body
		res.Body = io.NopCloser(strings.NewReader("{}"))
		if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err == nil && kind == "text/html" || isPage(body) {
			return nil, pageError{}
		}
		return res, nil
	}
	if e := said(body); e != nil { // go-openai knows one form
		if body, err = json.Marshal(openai.ErrorResponse{Error: e}); err != nil {
			return nil, err
		}
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (w *wire) CloseIdleConnections() {
	if t, ok := w.next.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// replace puts another body in the place of a request's.
func replace(r *http.Request, body []byte) error {
	if err := r.Body.Close(); err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.ContentLength = int64(len(body))
	return nil
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
