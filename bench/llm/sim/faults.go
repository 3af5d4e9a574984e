package sim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The kinds of faults, keys of Faults.Odds.
const (
	FaultBusy     = "429"      // status 429 with Retry-After
	FaultBroken   = "500"      // status 500
	FaultHang     = "hang"     // no answer until the client leaves
	FaultCut      = "cut"      // the connection ends within the headers or the body
	FaultGarbage  = "garbage"  // status 200 with a web page, bytes that are not JSON, or nothing
	FaultDrip     = "drip"     // the answer trickles in over Faults.Drip; it is whole in the end
	FaultTruncate = "truncate" // status 200 with the first half of the answer
)

// FaultKinds lists the kinds, in the order in which odds are laid out.
func FaultKinds() []string {
	return []string{FaultBusy, FaultBroken, FaultHang, FaultCut, FaultGarbage, FaultDrip, FaultTruncate}
}

// Faults makes a server fail as servers do. The zero Faults changes nothing.
//
// A request is known by path and body. Which fault its n-th attempt meets, and after
// which delay, is drawn from PCG(Seed, SHA-256 of path and body, n), so that it does not
// depend on other requests or on time.
type Faults struct {
	Seed uint64

	Latency time.Duration // before every answer but that of a wrong key
	Jitter  time.Duration // and a uniform share of this

	Odds       map[string]float64 // probability of each kind of fault; together at most 1
	Most       int                // most faults that one request meets; 0: no bound
	RetryAfter time.Duration      // sent with 429 in seconds, with decimals if need be; 0: not sent
	Drip       time.Duration      // how long a dripping answer takes; 0: two seconds

	Key        string   // that requests must bear; empty: any or none
	Models     []string // that are served, under these names; empty: every name, one listed
	NoJSONMode bool     // response_format of JSON is refused
	Context    int      // tokens of prompt and reply together; 0: no bound

	mu     sync.Mutex
	met    map[uint64]*attempts
	counts map[string]int
}

// attempts is the memory of one request. It stays as long as the server: 100,000
// requests take about 10 MB, and none are kept if there are no odds.
type attempts struct{ n, faults int }

func (f *Faults) check() error {
	sum := 0.0
	for _, k := range slices.Sorted(maps.Keys(f.Odds)) {
		p := f.Odds[k]
		if !slices.Contains(FaultKinds(), k) {
			return fmt.Errorf("there is no fault %q; there are %s", k, strings.Join(FaultKinds(), ", "))
		}
		if !(p >= 0 && p <= 1) {
			return fmt.Errorf("the odds of fault %s, %v, are not from 0 to 1", k, p)
		}
		sum += p
	}
	switch {
	case sum > 1+1e-9:
		return fmt.Errorf("the odds of faults add up to %.4g; at most 1 is possible", sum)
	case f.Latency < 0 || f.Jitter < 0 || f.RetryAfter < 0 || f.Drip < 0:
		return fmt.Errorf("latency, jitter, retry-after and drip are times of 0 or more")
	case f.Most < 0:
		return fmt.Errorf("the most faults a request, %d, are less than 0", f.Most)
	case f.Context < 0:
		return fmt.Errorf("a context of %d tokens is less than 0", f.Context)
	}
	return nil
}

// Wrap puts the faults before a server. The error says what is wrong with the knobs,
// which must not be changed afterwards.
func (f *Faults) Wrap(next http.Handler) (http.Handler, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, next) }), nil
}

// Counts says how often each kind of fault was met so far, and under "" how many
// requests there were.
func (f *Faults) Counts() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.counts)
}

func (f *Faults) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if f.Key != "" {
		said := r.Header.Get("Authorization")
		key, ok := strings.CutPrefix(said, "Bearer ")
		switch {
		case said == "":
			fail(w, invalid(http.StatusUnauthorized, "", "invalid_api_key", "You didn't provide an API key. Send it in the header Authorization: Bearer KEY."))
			return
		case !ok || subtle.ConstantTimeCompare([]byte(key), []byte(f.Key)) != 1: // the key is not repeated
			fail(w, invalid(http.StatusUnauthorized, "", "invalid_api_key", "Incorrect API key provided."))
			return
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		fail(w, invalid(http.StatusBadRequest, "", "", "The body could not be read."))
		return
	}
	r.Body = readCloser{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}

	kind, rng := f.draw(r.URL.Path, body)
	if kind == FaultHang || kind == FaultDrip || f.Latency+f.Jitter > 0 {
		c := http.NewResponseController(w) // waiting is not the server's time to write
		_ = c.SetReadDeadline(time.Time{})
		_ = c.SetWriteDeadline(time.Time{})
	}
	delay := f.Latency
	if f.Jitter > 0 {
		delay += time.Duration(rng.Int64N(int64(f.Jitter) + 1))
	}
	if !pause(r.Context(), delay) {
		panic(http.ErrAbortHandler)
	}
	switch kind {
	case "":
		f.answer(w, r, body, next)
	case FaultBusy:
		wait := ""
		if f.RetryAfter > 0 {
			wait = strconv.FormatFloat(f.RetryAfter.Seconds(), 'f', -1, 64)
			w.Header().Set("Retry-After", wait)
			wait = " Try again in " + wait + "s."
		}
		fail(w, &apiError{status: http.StatusTooManyRequests, Message: "Rate limit reached for requests." + wait, Type: "requests", Code: ref("rate_limit_exceeded")})
	case FaultBroken:
		fail(w, &apiError{status: http.StatusInternalServerError, Message: "The server had an error while processing your request. Sorry about that!", Type: "server_error"})
	case FaultHang:
		draining, _ := r.Context().Value(drainingKey{}).(chan struct{})
		select {
		case <-r.Context().Done():
		case <-draining: // else the server could not stop
		}
		panic(http.ErrAbortHandler)
	case FaultGarbage:
		f.garbage(w, rng)
	default:
		whole := &recorded{header: http.Header{}}
		f.answer(whole, r, body, next)
		switch kind {
		case FaultCut:
			whole.cut(w, rng)
		case FaultDrip:
			whole.drip(r.Context(), w, f.Drip)
		case FaultTruncate:
			whole.send(w, len(whole.body.Bytes())/2)
		}
	}
}

type readCloser struct {
	io.Reader
	io.Closer
}

func ref(s string) *string { return &s }

// draw picks the fault of a request, "" for none, and gives the dice that go on.
func (f *Faults) draw(path string, body []byte) (kind string, rng *rand.Rand) {
	h := sha256.New()
	_, _ = io.WriteString(h, path)
	_, _ = h.Write([]byte{0})
	_, _ = h.Write(body)
	id := binary.BigEndian.Uint64(h.Sum(nil))

	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts, f.met = map[string]int{}, map[uint64]*attempts{}
	}
	f.counts[""]++
	a := &attempts{}
	if len(f.Odds) > 0 {
		if f.met[id] == nil {
			f.met[id] = a
		}
		a = f.met[id]
	}
	a.n++
	rng = rand.New(rand.NewPCG(f.Seed, mix(id+uint64(a.n)*0x9e3779b97f4a7c15)))
	u := rng.Float64()
	if f.Most > 0 && a.faults >= f.Most {
		return "", rng
	}
	for _, k := range FaultKinds() {
		p := f.Odds[k]
		if u < p {
			a.faults++
			f.counts[k]++
			return k, rng
		}
		u -= p
	}
	return "", rng
}

// pause waits, and says whether the client is still there.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// answer is what the server does when nothing goes wrong by chance.
func (f *Faults) answer(w http.ResponseWriter, r *http.Request, body []byte, next http.Handler) {
	id, one := strings.CutPrefix(r.URL.Path, modelsPath+"/")
	if (one || r.URL.Path == modelsPath) && r.Method == http.MethodGet && (len(f.Models) > 0 || f.Context > 0) {
		models := f.Models
		if len(models) == 0 {
			models = []string{Model}
		}
		listModels(w, id, one, models, f.Context)
		return
	}
	if r.Method == http.MethodPost {
		if e := f.refuse(body); e != nil {
			fail(w, e)
			return
		}
	}
	next.ServeHTTP(w, r)
}

// refuse says why the server that is pretended would not take a request. A body that
// cannot be read is left to the one behind it.
func (f *Faults) refuse(body []byte) *apiError {
	if len(f.Models) == 0 && f.Context == 0 && !f.NoJSONMode {
		return nil
	}
	var req request
	if json.Unmarshal(body, &req) != nil || req.Model == "" {
		return nil
	}
	if len(f.Models) > 0 && !slices.Contains(f.Models, req.Model) {
		return noModel(req.Model)
	}
	if r := req.ResponseFormat; f.NoJSONMode && r != nil && strings.HasPrefix(r.Type, "json") {
		return invalid(http.StatusBadRequest, "response_format", "unsupported_value", "'response_format' of type '%s' is not supported with this model.", r.Type)
	}
	if f.Context > 0 {
		in, out := 0, int64(0)
		for i := range req.Messages {
			in += tokensOf(visible(string(req.Messages[i].Content)))
		}
		if req.MaxTokens != nil {
			out = *req.MaxTokens
		}
		if req.MaxCompletionTokens != nil {
			out = *req.MaxCompletionTokens
		}
		if in >= f.Context || out > int64(f.Context-in) {
			return invalid(http.StatusBadRequest, "messages", "context_length_exceeded", "This model's maximum context length is %d tokens. However, you requested %d tokens (%d in the messages, %d in the completion). Please reduce the length of the messages or completion.", f.Context, int64(in)+max(out, 0), in, out)
		}
	}
	return nil
}

// garbage answers with what is no reply.
func (f *Faults) garbage(w http.ResponseWriter, rng *rand.Rand) {
	switch rng.IntN(3) {
	case 0:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>\n")
	case 1:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "\x00\xff{choices: [upstream connect error")
	default:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "0")
	}
}

// recorded is an answer that is kept back.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorded) Header() http.Header { return r.header }
func (r *recorded) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorded) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

// send sends the first n bytes of the answer as if they were all of it.
func (r *recorded) send(w http.ResponseWriter, n int) {
	r.head(w, n)
	_, _ = w.Write(r.body.Bytes()[:n])
}

func (r *recorded) head(w http.ResponseWriter, length int) {
	maps.Copy(w.Header(), r.header)
	w.Header().Set("Content-Length", strconv.Itoa(length))
	r.WriteHeader(http.StatusOK)
	w.WriteHeader(r.status)
}

// drip sends the answer in twenty pieces.
func (r *recorded) drip(ctx context.Context, w http.ResponseWriter, over time.Duration) {
	if over == 0 {
		over = 2 * time.Second
	}
	const pieces = 20
	b := r.body.Bytes()
	r.head(w, len(b))
	c := http.NewResponseController(w)
	for i := range pieces {
		if !pause(ctx, over/pieces) {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(b[len(b)*i/pieces : len(b)*(i+1)/pieces])
		_ = c.Flush() // a client that is gone ends the context
	}
}

// cut sends the answer up to some byte of its headers or, as often, of its body, and
// closes the connection.
func (r *recorded) cut(w http.ResponseWriter, rng *rand.Rand) {
	b := r.body.Bytes()
	if rng.IntN(2) == 0 && len(b) > 1 {
		r.head(w, len(b))
		_, _ = w.Write(b[:1+rng.IntN(len(b)-1)])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	h, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	conn, _, err := h.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Le"
	_, _ = io.WriteString(conn, head[:rng.IntN(len(head))])
	if tcp, ok := conn.(*net.TCPConn); ok && rng.IntN(2) == 0 {
		_ = tcp.SetLinger(0) // a reset instead of an end
	}
}

// Even gives every kind of fault the same odds, p together.
func Even(p float64) map[string]float64 {
	out := map[string]float64{}
	for _, k := range FaultKinds() {
		out[k] = p / float64(len(FaultKinds()))
	}
	return out
}
