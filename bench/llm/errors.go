package llm

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	openai "github.com/sashabaranov/go-openai"
)

var (
	// ErrUnusable is wrapped by errors after which no further call can succeed:
	// wrong key, wrong model, wrong address, no credit left, a server that cannot
	// be reached. The command maps it to exit code 4.
	ErrUnusable = errors.New("endpoint unusable")

	// ErrTransient is wrapped by errors of calls that failed at every try for
	// reasons that may pass. The same call may succeed later.
	ErrTransient = errors.New("endpoint failed for now")
)

// callError is one line without secrets; mark is ErrUnusable, ErrTransient or nil.
type callError struct {
	what     string
	mend     string // what the user may look at, or empty
	mark     error
	status   int           // of HTTP; 0: none came
	again    bool          // another try may succeed
	overflow bool          // the prompt and what may follow do not fit the context
	wait     time.Duration // that the server asked for, or 0
	took     time.Duration // from sending to failing
}

// Error implements error.
func (e *callError) Error() string {
	if e.mend == "" {
		return e.what
	}
	return strings.TrimSuffix(e.what, ".") + "; " + e.mend
}

// Unwrap gives the mark.
func (e *callError) Unwrap() error { return e.mark }

func unusable(format string, a ...any) error {
	return &callError{what: fmt.Sprintf(format, a...), mark: ErrUnusable}
}

// Errors that the wire raises.
type (
	// redirectError is a 3xx reply.
	redirectError struct{ to string }
	// pageError is a reply that is a web page.
	pageError struct{}
	// emptyError is a reply that has neither choices nor an error.
	emptyError struct{}
)

func (e *redirectError) Error() string {
	return "the server redirects to " + e.to + "; use that address in base_url"
}

func (pageError) Error() string {
	return "the reply is a web page; does base_url end in /v1 as the server wants it?"
}
func (emptyError) Error() string { return "the reply has no choices" }

// status finds the HTTP status of an error, and 0 where there was none, the code
// that the server gave with it, and all its words.
func status(err error) (status int, kind, words string) {
	var api *openai.APIError
	var req *openai.RequestError
	switch {
	case errors.As(err, &api):
		code, _ := api.Code.(string)
		if api.Param != nil {
			words = *api.Param + " "
		}
		return api.HTTPStatusCode, code + " " + api.Type, words + api.Message
	case errors.As(err, &req):
		return req.HTTPStatusCode, "", string(req.Body)
	}
	return 0, "", ""
}

// overflowWords are what servers say of a prompt that does not fit, in lower case:
// OpenAI and vLLM, llama.cpp, SGLang, TGI, LM Studio; Ollama; vLLM's engine; Anthropic
// and Gemini behind gateways.
var overflowWords = []string{
	"context_length_exceeded", "maximum context length", "exceed_context_size_error", "exceeds the available context size",
	"the model's context length", "`max_new_tokens` must be", "context the overflows", "context length exceeded",
	"max context length", "maximum model length", "too long to fit into the model", "prompt is too long", "prompt too long", "input token count",
}

// overflows reports whether the server says that prompt and reply do not fit.
func overflows(err error) bool {
	code, kind, words := status(err)
	if code < 400 || code == http.StatusTooManyRequests || code >= 500 && code != http.StatusInternalServerError {
		return false
	}
	if code == http.StatusRequestEntityTooLarge { // of a gateway in front, or of a provider's limit for one request
		return true
	}
	words = strings.ToLower(kind + " " + words)
	return slices.ContainsFunc(overflowWords, func(w string) bool { return strings.Contains(words, w) })
}

// formatWords are what servers say of a response format that they do not take.
var formatWords = []string{
	"response_format", "response format", "json_schema", "json_object", "json schema", "guided", "grammar", "structured output",
	"handle the requested parameters", // OpenRouter, where no provider of the model takes them
}

// brokenWords are what servers say of a response format that they fail at, with a
// status that says nothing: llama.cpp, Ollama.
var brokenWords = []string{"json schema conversion failed", "failed to parse grammar", "failed to initialize samplers", "invalid format: expected"}

// blamesFormat reports whether the server refuses a request for its response format.
func blamesFormat(err error) bool {
	code, _, words := status(err)
	if code == http.StatusInternalServerError {
		words = strings.ToLower(words)
		return slices.ContainsFunc(brokenWords, func(w string) bool { return strings.Contains(words, w) })
	}
	if !slices.Contains([]int{http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusNotImplemented}, code) || overflows(err) {
		return false
	}
	words = strings.ToLower(words)
	return slices.ContainsFunc(formatWords, func(w string) bool { return strings.Contains(words, w) })
}

// classify says of an error whether it is worth another try, and what it is once there
// is none: ErrUnusable, ErrTransient, or neither for a request that the server
// refuses.
func (c *Conn) classify(err error) *callError {
	out := &callError{}
	out.status, _, _ = status(err)
	if overflows(err) {
		out.overflow, out.mark = true, ErrUnusable
		out.what = c.explain(err) + "; the prompt and the reply do not fit the model's context: lower max_criteria or max_tokens, or serve the model with a larger context"
		return out
	}
	out.what = c.explain(err)
	out.again, out.mark = classify(err)
	var dns *net.DNSError
	switch _, _, words := status(err); {
	case unreached(err), errors.As(err, &dns):
		out.mend = "is the server running, and is base_url its address?"
	case out.status == http.StatusNotFound && words != "" && !strings.Contains(strings.ToLower(words), "model"):
		out.mend = "does base_url end in /v1 as the server wants it?"
	}
	return out
}

func classify(err error) (again bool, mark error) {
	switch code, kind, _ := status(err); {
	case code == http.StatusTooManyRequests && strings.Contains(kind, "insufficient_quota"):
		return false, ErrUnusable // no credit: waiting does not help
	case code == http.StatusRequestTimeout, code == http.StatusConflict, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		return true, ErrTransient
	case code == http.StatusUnauthorized, code == http.StatusPaymentRequired, code == http.StatusForbidden, code == http.StatusNotFound, code == http.StatusMethodNotAllowed, code == http.StatusProxyAuthRequired:
		return false, ErrUnusable
	case code >= 400:
		return false, nil
	}
	var (
		redirect *redirectError
		page     pageError
		cert     *tls.CertificateVerificationError
		record   tls.RecordHeaderError
		dns      *net.DNSError
	)
	switch {
	case errors.As(err, &redirect), errors.As(err, &cert), errors.As(err, &record),
		errors.Is(err, http.ErrSchemeMismatch), errors.Is(err, openai.ErrChatCompletionInvalidModel):
		return false, ErrUnusable
	case errors.As(err, &page), errors.As(err, &dns), unreached(err):
		return true, ErrUnusable // it may be starting up; if not, it is not there
	}
	return true, ErrTransient // a time-out, a connection that broke, a reply that cannot be read
}

// unreached reports whether no connection came about, for want of time or otherwise.
func unreached(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// secrets replaces whatever an endpoint must not tell.
func secrets(e *Endpoint, u *url.URL) *strings.Replacer {
	var pairs []string
	hide := func(s, by string) {
		if len(s) > 3 { // shorter ones would blank out words, and protect nothing
			pairs = append(pairs, s, by)
		}
	}
	hide(e.Key, "[key]")
	if q := url.QueryEscape(e.Key); q != e.Key { // where a redirect goes
		hide(q, "[key]")
	}
	for _, k := range slices.Sorted(maps.Keys(e.Headers)) {
		hide(e.Headers[k], "[header]")
		for _, word := range strings.Fields(e.Headers[k]) { // "Bearer" and the key after it
			hide(word, "[header]")
		}
	}
	if p, ok := u.User.Password(); ok {
		hide(p, "[password]")
	}
	return strings.NewReplacer(pairs...)
}

// secretsOf are secrets and what stands in their place in replies, in turn.
type secretsOf []string

// privateOf finds what no reply may bring into journal and cache, if a server or model
// repeats what it was sent. Keys that are too short to be secret (EMPTY, ollama,
// not-needed) stay: they are words. So do headers that are: a secret of twelve bytes or
// more has a digit and a letter.
func privateOf(e *Endpoint, u *url.URL) secretsOf {
	const short = 12
	var out secretsOf
	if len(e.Key) >= short {
		out = append(out, e.Key, "[key]")
	}
	for _, k := range slices.Sorted(maps.Keys(e.Headers)) {
		for _, word := range strings.Fields(e.Headers[k]) {
			if len(word) >= short && strings.ContainsAny(word, "0123456789") && strings.ContainsFunc(word, unicode.IsLetter) && !strings.Contains(word, "://") {
				out = append(out, word, "[header]")
			}
		}
	}
	if p, ok := u.User.Password(); ok && len(p) >= short {
		out = append(out, p, "[password]")
	}
	return out
}

// hide takes the secrets out of a reply.
func (s secretsOf) hide(r *Reply) {
	for _, text := range []*string{&r.Content, &r.Reasoning, &r.Refusal, &r.Tool, &r.Finish, &r.Model} {
		for i := 0; i < len(s); i += 2 {
			if strings.Contains(*text, s[i]) {
				*text = strings.ReplaceAll(*text, s[i], s[i+1])
			}
		}
	}
}

// keyLike is what servers quote of a key, with stars for the middle.
var keyLike = regexp.MustCompile(`\b(sk|pk|key|gsk|hf|xai)[-_][A-Za-z0-9_*-]{6,}`)

// maxWords bounds what is quoted of a server's words.
const maxWords = 300

// explain puts an error into one line.
func (c *Conn) explain(err error) string {
	what := err.Error()
	var api *openai.APIError
	var req *openai.RequestError
	var u *url.Error
	switch {
	case errors.As(err, &api):
		what = fmt.Sprintf("status %d: %s", api.HTTPStatusCode, api.Message)
	case errors.As(err, &req):
		what = fmt.Sprintf("status %d: %s", req.HTTPStatusCode, bytes.TrimSpace(req.Body))
		if len(bytes.TrimSpace(req.Body)) == 0 {
			what = fmt.Sprintf("status %d without a word; is base_url right?", req.HTTPStatusCode)
		}
	case errors.Is(err, context.DeadlineExceeded) && !unreached(err):
		what = fmt.Sprintf("no reply within %v", c.end.Timeout)
	case errors.As(err, &u):
		what = u.Err.Error()
	}
	what = c.secrets.Replace(what)
	what = keyLike.ReplaceAllString(what, "[key]")
	what = strings.Join(strings.Fields(what), " ")
	if r := []rune(what); len(r) > maxWords {
		what = string(r[:maxWords]) + "..."
	}
	return fmt.Sprintf("%s, model %s: %s", c.where, c.end.Model, what)
}
