package view

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"pepbench/bench/record"
	"pepbench/reports"
)

//go:embed assets
var assets embed.FS

// policy is what the page may do: load its own script and style, and read its own API.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// reportPolicy lets a report show itself and reach nothing: not even this server, to
// which it is of no origin.
const reportPolicy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts allow-popups"

// Handler answers requests. Indexes are there only while Serve runs.
func (v *Viewer) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/runs", v.list)
	mux.HandleFunc("GET /api/runs/{run}", v.overview)
	mux.HandleFunc("GET /api/runs/{run}/sessions", v.sessions)
	mux.HandleFunc("GET /api/runs/{run}/session", v.session)
	mux.HandleFunc("GET /api/compare", v.compare)
	mux.HandleFunc("GET /api/", func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusNotFound, errors.New("no such thing in the API"))
	})
	mux.HandleFunc("GET /runs/{run}/report.html", v.report)
	mux.HandleFunc("GET /assets/{file}", asset)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) { serveFile(w, r, "icon.svg") })
	// What is left is a place in the page, which finds it by its address.
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) { serveFile(w, r, "index.html") })
	return guard(mux)
}

// guard lets through what a browser on this machine asks of this server itself.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case !local(r.Host):
			http.Error(w, "this server answers to 127.0.0.1 and localhost only", http.StatusMisdirectedRequest)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "GET only", http.StatusMethodNotAllowed)
		case foreign(r):
			http.Error(w, "not for pages of other origins", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// local reports whether a Host header names this machine, on whatever port: one may be
// forwarded here. A page elsewhere whose name resolves to this machine has its own name
// there.
func local(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	ip := net.ParseIP(name)
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}

// foreign reports whether the browser says that a page of another origin asks, but for
// somebody following a link to here.
func foreign(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return (site == "cross-site" || site == "same-site") && r.Header.Get("Sec-Fetch-Mode") != "navigate"
}

// fail answers with an error that the page shows.
func fail(w http.ResponseWriter, code int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()}) // who asked has left
}

func answer(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // who asked has left
}

func asset(w http.ResponseWriter, r *http.Request) { serveFile(w, r, r.PathValue("file")) }

func serveFile(w http.ResponseWriter, r *http.Request, name string) {
	b, err := fs.ReadFile(assets, path.Join("assets", path.Base(path.Clean("/"+name))))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	types := map[string]string{".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	w.Header().Set("Content-Type", types[path.Ext(name)])
	_, _ = w.Write(b) // who asked has left
}

// run finds the run that a request names, or answers that there is none.
func (v *Viewer) run(w http.ResponseWriter, name string) (*run, int, bool) {
	n, err := strconv.Atoi(name)
	if err != nil || n < 0 || n >= len(v.runs) {
		fail(w, http.StatusNotFound, fmt.Errorf("there is no run %q; there are %d, numbered from 0", name, len(v.runs)))
		return nil, 0, false
	}
	return v.runs[n], n, true
}

// indexed finds a run with its sessions, or answers that they are not there yet.
func (v *Viewer) indexed(w http.ResponseWriter, name string) (*run, *sessions, bool) {
	r, n, ok := v.run(w, name)
	if !ok {
		return nil, nil, false
	}
	s := v.ready(r)
	if s == nil {
		st := r.state(n)
		code := http.StatusServiceUnavailable
		if st.Error == "" {
			code = http.StatusAccepted // it is under way
		}
		fail(w, code, errors.New(cmp.Or(st.Error, "the sessions are being indexed")))
		return nil, nil, false
	}
	return r, s, true
}

func (v *Viewer) list(w http.ResponseWriter, _ *http.Request) {
	out := []state{}
	for i, r := range v.runs {
		v.ready(r)
		out = append(out, r.state(i))
	}
	answer(w, out)
}

// matching gives the sessions of the run that a request names, and those that its filter
// lets pass; it has answered where there are none to give.
func (v *Viewer) matching(w http.ResponseWriter, q *http.Request) (*sessions, *filter, *matches, bool) {
	_, s, ok := v.indexed(w, q.PathValue("run"))
	if !ok {
		return nil, nil, nil, false
	}
	f, err := parse(q.URL.Query())
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return nil, nil, nil, false
	}
	m, err := s.match(f)
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return nil, nil, nil, false
	}
	return s, f, m, true
}

func (v *Viewer) sessions(w http.ResponseWriter, q *http.Request) {
	s, f, m, ok := v.matching(w, q)
	if !ok {
		return
	}
	from := min(f.offset, len(m.rows))
	rows := []listed{}
	for _, i := range m.rows[from:min(from+f.limit, len(m.rows))] {
		rows = append(rows, s.listed(int(i)))
	}
	answer(w, map[string]any{"total": len(m.rows), "of": len(s.Rows), "offset": from, "final": s.Final, "rows": rows, "facets": m.facets, "bins": m.bins})
}

// place is where a session stands in the list that the reader comes from.
type place struct {
	At    int    `json:"at"` // from 0; -1: the list does not have it
	Total int    `json:"total"`
	Prev  string `json:"prev"` // ids; empty: there is none
	Next  string `json:"next"`
}

func (v *Viewer) session(w http.ResponseWriter, q *http.Request) {
	s, _, m, ok := v.matching(w, q)
	if !ok {
		return
	}
	row := s.find(q.URL.Query().Get("id"))
	if row < 0 {
		fail(w, http.StatusNotFound, fmt.Errorf("the run has no session %q", q.URL.Query().Get("id")))
		return
	}
	line, err := s.read(row)
	if err != nil {
		fail(w, http.StatusConflict, err)
		return
	}
	p := place{At: slices.Index(m.rows, int32(row)), Total: len(m.rows)}
	if p.At > 0 {
		p.Prev = s.ID(int(m.rows[p.At-1]))
	}
	if p.At >= 0 && p.At+1 < len(m.rows) {
		p.Next = s.ID(int(m.rows[p.At+1]))
	}
	others := []listed{}
	for _, i := range s.siblings(row) {
		others = append(others, s.listed(i))
	}
	answer(w, map[string]any{"row": s.listed(row), "final": s.Final, "place": p, "siblings": others, "session": line})
}

func (v *Viewer) compare(w http.ResponseWriter, q *http.Request) {
	query := q.URL.Query()
	_, a, ok := v.indexed(w, query.Get("a"))
	if !ok {
		return
	}
	_, b, ok := v.indexed(w, query.Get("b"))
	if !ok {
		return
	}
	by := cmp.Or(query.Get("sort"), "change")
	query.Del("sort")
	f, err := parse(query)
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	c, err := compare(a, b, f, by)
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	answer(w, c)
}

func (v *Viewer) report(w http.ResponseWriter, q *http.Request) {
	r, _, ok := v.run(w, q.PathValue("run"))
	if !ok {
		return
	}
	name := filepath.Join(r.dir, reportFile)
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() { // to open a pipe waits for who writes into it
		http.Error(w, "the run has no report.html; pepbench report writes it", http.StatusNotFound)
		return
	}
	f, err := os.Open(name)
	if err != nil {
		http.Error(w, "report.html cannot be read", http.StatusNotFound)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Security-Policy", reportPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	http.ServeContent(w, q, "", time.Time{}, f)
}

const reportFile = "report.html"

// metricsSchema is the version of metrics.json that this page reads.
const metricsSchema = 1

// named is a strategy as lists and tables show it.
type named struct {
	Name    string `json:"name"`
	Base    string `json:"base"`
	Kind    string `json:"kind"`
	Predict string `json:"predict"`
	About   string `json:"about"`
	TwinOf  string `json:"twin_of,omitempty"`
	Color   string `json:"color"`  // as in the figures; empty: floor or ceiling
	Hollow  bool   `json:"hollow"` // predicts nothing but what it was told
}

// estimate is a number of metrics.json with what belongs to it.
type estimate struct {
	Value     reports.Number `json:"value"`
	Lo        reports.Number `json:"lo"`
	Hi        reports.Number `json:"hi"`
	N         int            `json:"n"`
	Undefined int            `json:"undefined"`
}

func estimateOf(e reports.Estimate) *estimate {
	return &estimate{e.Value, e.Lo, e.Hi, e.N, e.Undefined}
}

// headline is a strategy's line of the table of the overview; nil is what metrics.json
// does not have.
type headline struct {
	Strategy   string          `json:"strategy"`
	Sessions   int             `json:"sessions"`
	Failed     int             `json:"failed"`
	Reasons    []string        `json:"reasons"` // of undefined alignments
	Alignment  *estimate       `json:"alignment"`
	Normalised *estimate       `json:"normalised"`
	Questions  *estimate       `json:"questions"`
	ToTarget   *reports.Number `json:"to_target"`
	Adaptivity *estimate       `json:"adaptivity"` // corrected
	Correct    *estimate       `json:"correct"`
	Difference *estimate       `json:"difference"`
	Resolved   bool            `json:"resolved"`
	P          *reports.Number `json:"p"` // of the difference; Holm's in the family
	Family     int             `json:"family"`
}

func (v *Viewer) overview(w http.ResponseWriter, q *http.Request) {
	r, n, ok := v.run(w, q.PathValue("run"))
	if !ok {
		return
	}
	m := r.manifest
	out := map[string]any{"state": r.state(n), "manifest": m, "final": m.FinalCheckpoint()}
	warnings := slices.Clone(m.Warnings)
	metrics, err := readMetrics(r.dir, m)
	if err != nil {
		out["unreported"] = err.Error()
		metrics = &reports.Metrics{}
		for _, s := range m.Strategies { // enough for their colours
			metrics.Strategies = append(metrics.Strategies, reports.Row{Strategy: s})
		}
	} else {
		for _, s := range metrics.Warnings {
			if !slices.Contains(warnings, s) {
				warnings = append(warnings, s)
			}
		}
		out["headline"] = headlines(metrics)
		out["reference"] = metrics.Reference
		out["about"] = map[string]any{
			"cluster": metrics.Cluster, "intervals": metrics.Intervals, "resamples": metrics.Resamples, "confidence": metrics.Confidence,
			"tasks": metrics.Tasks, "users": metrics.Users, "final": metrics.Final, "target": metrics.Target.Strategy,
		}
	}
	out["warnings"] = append([]string{}, warnings...)
	colors := reports.Colors(metrics)
	strategies := []named{}
	for _, s := range m.Strategies {
		strategies = append(strategies, named{s.Name, s.Base, s.Kind, s.Predict, s.About, s.TwinOf, colors[s.Base], s.Predict == "answers"})
	}
	out["strategies"] = strategies
	_, err = os.Stat(filepath.Join(r.dir, reportFile))
	out["report"] = err == nil
	answer(w, out)
}

// readMetrics reads the metrics of a run, if they are of this very run.
func readMetrics(dir string, m *record.Manifest) (*reports.Metrics, error) {
	b, err := os.ReadFile(filepath.Join(dir, record.MetricsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the run is not reported yet; pepbench report writes metrics.json")
	}
	if err != nil {
		return nil, err
	}
	var out reports.Metrics
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("metrics.json cannot be read (%w); run pepbench report again", err)
	}
	switch {
	case out.Schema != metricsSchema:
		return nil, fmt.Errorf("metrics.json has schema %d, this program reads schema %d; run pepbench report again", out.Schema, metricsSchema)
	case out.ConfigHash != m.ConfigHash:
		return nil, errors.New("metrics.json is of another configuration than the manifest; run pepbench report again")
	}
	return &out, nil
}

func headlines(m *reports.Metrics) []headline {
	out := []headline{}
	for i := range m.Strategies {
		r := &m.Strategies[i]
		h := headline{Strategy: r.Name, Sessions: r.Sessions, Reasons: []string{}, Questions: estimateOf(r.Interactions)}
		for _, f := range r.Failed {
			h.Failed += f.N
		}
		fixed := r.Kind == "none" || r.Kind == "oracle" // which have one checkpoint
		for _, a := range r.Alignment {
			if a.Questions == m.Final || fixed {
				h.Alignment, h.Normalised = estimateOf(a.Estimate), estimateOf(a.Normalised)
				for _, why := range a.Reasons {
					h.Reasons = append(h.Reasons, fmt.Sprintf("%s (%d)", why.What, why.N))
				}
			}
		}
		for _, c := range r.Correctness {
			if c.Questions == m.Final || fixed {
				h.Correct = estimateOf(c.Estimate)
			}
		}
		h.ToTarget = &r.ToTarget.Value
		if !fixed {
			if c := r.Adaptivity.Corrected; c.Value.Defined() {
				h.Adaptivity = &estimate{Value: c.Value, Lo: c.Lo, Hi: c.Hi, N: c.Tasks}
			}
		}
		if d := r.Difference; d != nil {
			h.Difference, h.Resolved = estimateOf(d.Estimate), d.Resolved
			if t := d.Test; t != nil {
				h.P, h.Family = &t.P, t.Family
				if t.Holm.Defined() {
					h.P = &t.Holm
				}
			}
		}
		out = append(out, h)
	}
	return out
}
