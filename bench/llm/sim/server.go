package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxBody is the largest body that a request may have.
const maxBody = 8 << 20

// Handler serves the simulator under /v1. It keeps no state.
func Handler() http.Handler { return http.HandlerFunc(serve) }

// Serve is ServeAt on a free port of 127.0.0.1 with the Handler.
func Serve(ctx context.Context) (baseURL string, stop func() error, err error) {
	return ServeAt(ctx, "127.0.0.1:0", Handler())
}

// draining is closed in the context of a request when its server is about to stop.
type drainingKey struct{}

// ServeAt starts a server at an address such as 127.0.0.1:8080 (port 0: a free one) and
// returns the base URL for a client, such as http://127.0.0.1:41234/v1. The server runs
// until stop is called or ctx is done. stop lets requests in flight finish for a short
// while, may be called more than once, and must be called; when it has returned, nothing
// of the server runs any more.
func ServeAt(ctx context.Context, addr string, h http.Handler) (baseURL string, stop func() error, err error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("sim: %w", err)
	}
	// Goroutines of open connections, and handlers that took one over. A handler begins
	// while its connection still counts, so that the group is not at 0 then.
	var busy sync.WaitGroup
	draining := make(chan struct{})
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			busy.Add(1)
			defer busy.Done()
			h.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // what clients do wrong is theirs to notice
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.Background(), drainingKey{}, draining)
		},
		ConnState: func(_ net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				busy.Add(1)
			case http.StateClosed, http.StateHijacked:
				busy.Done()
			}
		},
	}
	quit := make(chan struct{})
	served := make(chan error, 1)
	closed := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	go func() {
		select {
		case <-ctx.Done():
		case <-quit:
		}
		close(draining)
		grace, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := srv.Shutdown(grace)
		if errors.Is(err, context.DeadlineExceeded) {
			err = srv.Close()
		}
		closed <- err
	}()
	stop = sync.OnceValue(func() error {
		close(quit)
		err := <-closed
		if e := <-served; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(e, err)
		}
		busy.Wait()
		return err
	})
	return "http://" + l.Addr().String() + "/v1", stop, nil
}

// A message is a message of a request. Its text is what a reader can see of the
// content.
type message struct {
	Role    string  `json:"role"`
	Content content `json:"content"`
	text    string
}

func (m *message) system() bool { return m.Role == "system" || m.Role == "developer" }

// content is a string, null, or a list of parts of which the texts are read.
type content string

func (c *content) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case 'n':
		return nil
	case '"':
		return json.Unmarshal(b, (*string)(c))
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(b, &parts); err != nil {
		return errors.New("the content of a message must be a string or a list of parts")
	}
	var all []string
	for _, p := range parts {
		if p.Type == "text" {
			all = append(all, p.Text)
		}
	}
	*c = content(strings.Join(all, "\n"))
	return nil
}

// A request is what the simulator reads of a body.
type request struct {
	Model               string    `json:"model"`
	Messages            []message `json:"messages"`
	MaxTokens           *int64    `json:"max_tokens"`
	MaxCompletionTokens *int64    `json:"max_completion_tokens"`
	N                   *int64    `json:"n"`
	Stream              bool      `json:"stream"`
	StreamOptions       *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	ResponseFormat *struct { // checked; a reply has the form that its prompt asks for
		Type       string `json:"type"`
		JSONSchema struct {
			Name   string          `json:"name"`
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
}

type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

// delta is a message of a reply, or a piece of one.
type delta struct {
	Role    string `json:"role,omitempty"`
	Content string `json:"content"`
}

type choice struct {
	Index        int     `json:"index"`
	Message      *delta  `json:"message,omitempty"`
	Delta        *delta  `json:"delta,omitempty"`
	Logprobs     *string `json:"logprobs"` // always null
	FinishReason *string `json:"finish_reason"`
}

type completion struct {
	ID                string   `json:"id"`
	Object            string   `json:"object"`
	Created           int64    `json:"created"`
	Model             string   `json:"model"`
	SystemFingerprint string   `json:"system_fingerprint"`
	Choices           []choice `json:"choices"`
	Usage             *usage   `json:"usage,omitempty"`
}

type apiError struct {
	status  int
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func invalid(status int, param, code, format string, args ...any) *apiError {
	e := &apiError{status: status, Message: fmt.Sprintf(format, args...), Type: "invalid_request_error"}
	if param != "" {
		e.Param = &param
	}
	if code != "" {
		e.Code = &code
	}
	return e
}

const (
	chatPath   = "/v1/chat/completions"
	embedPath  = "/v1/embeddings"
	modelsPath = "/v1/models"
)

func serve(w http.ResponseWriter, r *http.Request) {
	var allow string
	id, one := strings.CutPrefix(r.URL.Path, modelsPath+"/")
	switch {
	case r.URL.Path == chatPath, r.URL.Path == embedPath:
		allow = http.MethodPost
	case r.URL.Path == modelsPath, one:
		allow = http.MethodGet
	default:
		fail(w, invalid(http.StatusNotFound, "", "unknown_url", "Unknown request URL: %s %s.", r.Method, r.URL.Path))
		return
	}
	if r.Method != allow {
		w.Header().Set("Allow", allow)
		fail(w, invalid(http.StatusMethodNotAllowed, "", "method_not_allowed", "Not allowed to %s on %s (use %s).", r.Method, r.URL.Path, allow))
		return
	}
	if allow == http.MethodGet {
		listModels(w, id, one, []string{Model}, 0)
		return
	}
	body, e := readBody(w, r)
	if e == nil && r.URL.Path == embedPath {
		e = embed(w, body)
		if e == nil {
			return
		}
	}
	if e != nil {
		fail(w, e)
		return
	}
	req, e := readRequest(body)
	if e != nil {
		fail(w, e)
		return
	}
	c, includeUsage, e := complete(req)
	switch {
	case e != nil:
		fail(w, e)
	case req.Stream:
		stream(w, c, includeUsage)
	default:
		write(w, http.StatusOK, c)
	}
}

// listModels lists the models, or gives the one with the id. A context length, as far
// as there is one, is told under the name that vLLM has for it.
func listModels(w http.ResponseWriter, id string, one bool, models []string, length int) {
	about := func(id string) any {
		m := map[string]any{"id": id, "object": "model", "created": 0, "owned_by": "pepbench"}
		if length > 0 {
			m["max_model_len"] = length
		}
		return m
	}
	switch {
	case !one:
		all := make([]any, len(models))
		for i, m := range models {
			all[i] = about(m)
		}
		write(w, http.StatusOK, map[string]any{"object": "list", "data": all})
	case slices.Contains(models, id):
		write(w, http.StatusOK, about(id))
	default:
		fail(w, noModel(id))
	}
}

func noModel(id string) *apiError {
	return invalid(http.StatusNotFound, "model", "model_not_found", "The model %q does not exist or you do not have access to it.", id)
}

// readBody reads a body that says it is JSON, or does not say what it is.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *apiError) {
	if said := r.Header.Get("Content-Type"); said != "" {
		kind, _, err := mime.ParseMediaType(said)
		if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
			return nil, invalid(http.StatusUnsupportedMediaType, "", "unsupported_content_type", "Unsupported content type: %q. Send 'application/json'.", said)
		}
	}
	var body bytes.Buffer
	if n := r.ContentLength; n > 0 {
		body.Grow(int(min(n, 64<<10)) + bytes.MinRead)
	}
	if _, err := io.Copy(&body, http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, invalid(http.StatusRequestEntityTooLarge, "", "request_too_large", "The body is larger than %d bytes.", maxBody)
		}
		return nil, invalid(http.StatusBadRequest, "", "", "The body could not be read.")
	}
	return body.Bytes(), nil
}

// notJSON says why a body could not be decoded.
func notJSON(err error) *apiError {
	var bad *json.UnmarshalTypeError
	if errors.As(err, &bad) {
		return invalid(http.StatusBadRequest, bad.Field, "invalid_type", "Invalid type for '%s': %s.", bad.Field, bad.Value)
	}
	return invalid(http.StatusBadRequest, "", "", "The body is not the JSON of a request: %s.", err)
}

// readRequest reads and checks a body.
func readRequest(body []byte) (*request, *apiError) {
	req := new(request)
	if err := json.Unmarshal(body, req); err != nil {
		return nil, notJSON(err)
	}
	if req.Model == "" {
		return nil, invalid(http.StatusBadRequest, "model", "", "You must provide a model parameter.")
	}
	if len(req.Messages) == 0 {
		return nil, invalid(http.StatusBadRequest, "messages", "", "'messages' must have at least one message.")
	}
	for i := range req.Messages {
		m := &req.Messages[i]
		switch m.Role {
		case "system", "developer", "user", "assistant", "tool", "function":
		default:
			return nil, invalid(http.StatusBadRequest, "messages", "invalid_value", "Message %d has the unknown role %q.", i, m.Role)
		}
		m.text = visible(string(m.Content))
	}
	if req.N != nil && *req.N != 1 {
		return nil, invalid(http.StatusBadRequest, "n", "unsupported_value", "'n' must be 1.")
	}
	if n := req.MaxTokens; n != nil && *n < 1 {
		return nil, invalid(http.StatusBadRequest, "max_tokens", "invalid_value", "'max_tokens' must be at least 1.")
	}
	if n := req.MaxCompletionTokens; n != nil && *n < 1 {
		return nil, invalid(http.StatusBadRequest, "max_completion_tokens", "invalid_value", "'max_completion_tokens' must be at least 1.")
	}
	if f := req.ResponseFormat; f != nil {
		switch f.Type {
		case "text", "json_object":
		case "json_schema":
			if f.JSONSchema.Name == "" || !bytes.HasPrefix(bytes.TrimSpace(f.JSONSchema.Schema), []byte("{")) {
				return nil, invalid(http.StatusBadRequest, "response_format.json_schema", "", "'json_schema' must have a name and a schema.")
			}
		default:
			return nil, invalid(http.StatusBadRequest, "response_format.type", "invalid_value", "'response_format.type' must be text, json_object or json_schema.")
		}
	}
	return req, nil
}

// complete makes the reply to a request.
func complete(req *request) (c *completion, includeUsage bool, e *apiError) {
	text, err := replyTo(req.Messages)
	if err != nil {
		return nil, false, invalid(http.StatusBadRequest, "messages", "", "The messages ask for %s.", err)
	}
	finish := "stop"
	limit := req.MaxTokens
	if req.MaxCompletionTokens != nil {
		limit = req.MaxCompletionTokens
	}
	if limit != nil && *limit < int64(tokensOf(text)) {
		text = cutRunes(text, int(*limit)*4)
		finish = "length"
	}
	u := &usage{CompletionTokens: tokensOf(text)}
	id := uint64(fnvOffset)
	for _, m := range req.Messages {
		id = mix(hashString(mix(hashString(id, m.Role)), m.text))
		u.PromptTokens += tokensOf(m.text)
	}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	c = &completion{
		ID:                "chatcmpl-" + hex16(id) + hex16(mix(id+1)),
		Object:            "chat.completion",
		Model:             req.Model,
		SystemFingerprint: Version,
		Choices:           []choice{{Message: &delta{Role: "assistant", Content: text}, FinishReason: &finish}},
		Usage:             u,
	}
	return c, req.StreamOptions != nil && req.StreamOptions.IncludeUsage, nil
}

func hex16(v uint64) string {
	s := strconv.FormatUint(v, 16)
	return "0000000000000000"[len(s):] + s
}

// stream sends a reply as server-sent events, a few words at a time.
func stream(w http.ResponseWriter, c *completion, includeUsage bool) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	flusher, _ := w.(http.Flusher)
	send := func(choices []choice, u *usage) {
		chunk := *c
		chunk.Object = "chat.completion.chunk"
		chunk.Choices, chunk.Usage = choices, u
		_, _ = io.WriteString(w, "data: ") // a client that is gone needs no more
		_, _ = w.Write(encode(&chunk))
		_, _ = io.WriteString(w, "\n")
		if flusher != nil {
			flusher.Flush()
		}
	}
	text := c.Choices[0].Message.Content
	send([]choice{{Delta: &delta{Role: "assistant"}}}, nil)
	for text != "" {
		piece := text
		for i, blanks := 0, 0; i < len(text); i++ {
			if text[i] == ' ' || text[i] == '\n' {
				if blanks++; blanks == 8 {
					piece = text[:i+1]
					break
				}
			}
		}
		send([]choice{{Delta: &delta{Content: piece}}}, nil)
		text = text[len(piece):]
	}
	send([]choice{{Delta: &delta{}, FinishReason: c.Choices[0].FinishReason}}, nil)
	if includeUsage {
		send([]choice{}, c.Usage)
	}
	_, _ = io.WriteString(w, "data: [DONE]\n\n")
}

// encode returns v as a line of JSON.
func encode(v any) []byte {
	var b bytes.Buffer
	b.Grow(1024)
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // what is encoded here always encodes
	return b.Bytes()
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(v)) // a client that is gone needs no reply
}

func fail(w http.ResponseWriter, e *apiError) {
	write(w, e.status, map[string]*apiError{"error": e})
}
