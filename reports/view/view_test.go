package view

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/reports"
)

// serve serves the runs until the test ends, waits for their indexes and gives the base
// URL. That nothing outlives the server is checked at the end.
func serve(t testing.TB, dirs ...string) string {
	t.Helper()
	v, err := Open(dirs...)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- v.Serve(ctx, l) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	base := "http://" + l.Addr().String()
	for {
		var all []state
		get(t, base+"/api/runs", &all)
		if !slices.ContainsFunc(all, func(s state) bool { return !s.Ready && s.Error == "" }) {
			return base
		}
		time.Sleep(time.Millisecond)
	}
}

// get reads an answer of the API.
func get(t testing.TB, url string, to any) {
	t.Helper()
	code, body := fetch(t, url)
	if code != http.StatusOK {
		t.Fatalf("%s: %d %s", url, code, body)
	}
	if err := json.Unmarshal(body, to); err != nil {
		t.Fatalf("%s: %v in %s", url, err, body)
	}
}

func fetch(t testing.TB, url string) (int, []byte) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, b
}

// page is an answer of /sessions.
type page struct {
	Total, Of, Offset, Final int
	Rows                     []listed
	Facets                   []facet
	Bins                     []int
}

// TestSessions: filters, order, counts and pages are those that going over the journal
// gives, whatever the filter.
func TestSessions(t *testing.T) {
	j := made()
	base := serve(t, j.write(t, false))
	value := func(s *record.Session, name string) string {
		_, answer := final(s)
		return map[string]string{"strategy": s.Strategy, "task": s.Task, "user": s.User, "seed": strconv.Itoa(s.Seed), "stop": s.Stop, "state": stateOfSession(s), "answer": answer}[name]
	}
	rapid.Check(t, func(rt *rapid.T) {
		q := url.Values{}
		for _, name := range facetNames {
			if rapid.IntRange(0, 3).Draw(rt, name) > 0 {
				continue
			}
			for range rapid.IntRange(1, 2).Draw(rt, "of "+name) {
				v := value(&j.sessions[rapid.IntRange(0, len(j.sessions)-1).Draw(rt, "as")], name)
				if !slices.Contains(q[name], v) {
					q.Add(name, v)
				}
			}
		}
		lo, hi := math.Inf(-1), math.Inf(1)
		if rapid.Bool().Draw(rt, "range") {
			lo = float64(rapid.IntRange(0, 60).Draw(rt, "from"))
			hi = lo + float64(rapid.IntRange(0, 50).Draw(rt, "width"))
			q.Set("from", fmt.Sprint(lo))
			q.Set("to", fmt.Sprint(hi))
		}
		words := rapid.SampledFrom([]string{"", "", "PEP", "t2 u3", "script", "nowhere"}).Draw(rt, "words")
		q.Set("q", words)
		sort := rapid.SampledFrom([]string{"id", "-id", "alignment", "-alignment", "questions", "-questions"}).Draw(rt, "sort")
		q.Set("sort", sort)
		offset, limit := rapid.IntRange(0, 40).Draw(rt, "offset"), rapid.IntRange(0, 60).Draw(rt, "limit")
		q.Set("offset", strconv.Itoa(offset))
		q.Set("limit", strconv.Itoa(limit))

		passes := func(s *record.Session, but string) bool {
			a, _ := final(s)
			if !math.IsInf(lo, 0) && !(stateOfSession(s) == graded && a >= lo && a <= hi) {
				return false
			}
			for _, w := range strings.Fields(words) {
				if !strings.Contains(strings.ToLower(s.ID), strings.ToLower(w)) {
					return false
				}
			}
			for name, chosen := range q {
				if slices.Contains(facetNames, name) && name != but && !slices.Contains(chosen, value(s, name)) {
					return false
				}
			}
			return true
		}
		var want []*record.Session
		var bins [bins]int
		for i := range j.sessions {
			s := &j.sessions[i]
			if !passes(s, "") {
				continue
			}
			want = append(want, s)
			if a, _ := final(s); stateOfSession(s) == graded {
				bins[min(int(a/5), 19)]++
			}
		}
		slices.SortStableFunc(want, func(a, b *record.Session) int {
			va, _ := final(a)
			vb, _ := final(b)
			by := 0
			switch sort {
			case "alignment", "-alignment":
				switch na, nb := math.IsNaN(va), math.IsNaN(vb); {
				case na || nb:
					by = bit(na) - bit(nb)
				case sort == "alignment":
					by = cmp.Compare(va, vb)
				default:
					by = cmp.Compare(vb, va)
				}
			case "questions":
				by = len(a.Turns) - len(b.Turns)
			case "-questions":
				by = len(b.Turns) - len(a.Turns)
			case "-id":
				by = strings.Compare(b.ID, a.ID)
			}
			return cmp.Or(by, strings.Compare(a.ID, b.ID))
		})
		var got page
		get(t, base+"/api/runs/0/sessions?"+q.Encode(), &got)
		if got.Total != len(want) || got.Of != len(j.sessions) || got.Final != 2 {
			rt.Fatalf("%s: %d of %d sessions, final %d; want %d of %d", q.Encode(), got.Total, got.Of, got.Final, len(want), len(j.sessions))
		}
		want = want[min(offset, len(want)):]
		want = want[:min(limit, len(want))]
		if len(got.Rows) != len(want) || !slices.Equal(got.Bins, bins[:]) {
			rt.Fatalf("%s: %d rows, want %d; bins %v, want %v", q.Encode(), len(got.Rows), len(want), got.Bins, bins)
		}
		for i, s := range want {
			a, answer := final(s)
			r := got.Rows[i]
			if r.ID != s.ID || r.Strategy != s.Strategy || r.Seed != s.Seed || r.Task != s.Task || r.User != s.User || r.Questions != len(s.Turns) || r.Stop != s.Stop || r.Answer != answer || r.State != stateOfSession(s) || !(float64(r.Alignment) == a || math.Abs(float64(r.Alignment)-a) < 1e-5 || math.IsNaN(a) && !r.Alignment.Defined()) {
				rt.Fatalf("%s: row %d is %+v; want %s with %v %s", q.Encode(), i, r, s.ID, a, answer)
			}
		}
		for _, f := range got.Facets {
			n := map[string]int{}
			for i := range j.sessions {
				if s := &j.sessions[i]; passes(s, f.Name) {
					n[value(s, f.Name)]++
				}
			}
			for _, v := range f.Values {
				if v.N != n[v.Value] || v.Chosen != slices.Contains(q[f.Name], v.Value) {
					rt.Fatalf("%s: %s %q counts %d, want %d", q.Encode(), f.Name, v.Value, v.N, n[v.Value])
				}
				delete(n, v.Value)
			}
			if len(n) > 0 {
				rt.Fatalf("%s: %s lacks %v", q.Encode(), f.Name, n)
			}
		}
	})
}

// TestSession: one session is the line of the file, with its neighbours in the list and
// the others on the same case.
func TestSession(t *testing.T) {
	j := made()
	base := serve(t, j.write(t, false))
	type answer struct {
		Row      listed
		Place    place
		Siblings []listed
		Session  json.RawMessage
	}
	for i := range j.sessions {
		s := &j.sessions[i]
		var got answer
		get(t, base+"/api/runs/0/session?"+url.Values{"id": {s.ID}}.Encode(), &got)
		line, err := record.Line(s)
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if json.Unmarshal(line, &a) != nil || json.Unmarshal(got.Session, &b) != nil || fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("%s is not its line", s.ID)
		}
		prev, next := "", ""
		if i > 0 {
			prev = j.sessions[i-1].ID
		}
		if i+1 < len(j.sessions) {
			next = j.sessions[i+1].ID
		}
		if got.Place != (place{i, len(j.sessions), prev, next}) {
			t.Errorf("%s: place %+v", s.ID, got.Place)
		}
		var names []string
		for _, o := range got.Siblings {
			names = append(names, o.Strategy)
			if o.Task != s.Task || o.User != s.User || o.Seed != s.Seed {
				t.Errorf("%s: %s is of another case", s.ID, o.ID)
			}
		}
		if !slices.Equal(names, []string{"none", "oracle", "pep+latent", "static"}) {
			t.Errorf("%s: beside it %v", s.ID, names)
		}
	}
	var got answer
	get(t, base+"/api/runs/0/session?id=static/1/t1/u2&strategy=static&user=u2&sort=-id", &got)
	if got.Place != (place{5, 6, "static/1/t2/u2", ""}) {
		t.Errorf("in a filtered list: %+v", got.Place)
	}
	get(t, base+"/api/runs/0/session?id=static/1/t1/u2&strategy=none", &got)
	if got.Place.At != -1 || got.Place.Prev != "" {
		t.Errorf("not in the list: %+v", got.Place)
	}
}

// TestFaults: what cannot be answered is refused with words, in the API as JSON.
func TestFaults(t *testing.T) {
	base := serve(t, made().write(t, false))
	for _, row := range []struct {
		reason, path string
		code         int
		words        string
	}{
		{"a run that is not there", "/api/runs/1", 404, "no run"},
		{"a run that is no number", "/api/runs/x/sessions", 404, "no run"},
		{"a negative run", "/api/runs/-1", 404, "no run"},
		{"a session that is not there", "/api/runs/0/session?id=pep", 404, "no session"},
		{"no session named", "/api/runs/0/session", 404, "no session"},
		{"a sort that is none", "/api/runs/0/sessions?sort=fun", 400, "sort"},
		{"a range of words", "/api/runs/0/sessions?from=low", 400, "no number"},
		{"a range without end", "/api/runs/0/sessions?to=Inf", 400, "no number"},
		{"a page before the first", "/api/runs/0/sessions?offset=-1", 400, "offset"},
		{"a search that takes minutes", "/api/runs/0/sessions?q=" + strings.Repeat("p+", 30000), 400, "20 at most"},
		{"the same of a comparison", "/api/compare?a=0&b=0&q=" + strings.Repeat("p+", 21), 400, "20 at most"},
		{"all sessions on one page", "/api/runs/0/sessions?limit=100000", 400, "500"},
		{"a comparison with nothing", "/api/compare?a=0&b=7", 404, "no run"},
		{"a comparison that is sorted by luck", "/api/compare?a=0&b=0&sort=luck", 400, "sort"},
		{"another thing of the API", "/api/secrets", 404, "no such thing"},
		{"a report that is not there", "/runs/0/report.html", 404, "pepbench report"},
		{"an asset that is not there", "/assets/nothing.js", 404, "not found"},
		{"a file outside", "/assets/..%2f..%2fview.go", 404, "not found"},
	} {
		code, body := fetch(t, base+row.path)
		if code != row.code || !strings.Contains(string(body), row.words) {
			t.Errorf("%s: %d %s", row.reason, code, body)
		}
		if strings.HasPrefix(row.path, "/api/") && !json.Valid(body) {
			t.Errorf("%s: no JSON: %s", row.reason, body)
		}
	}
}

// TestGuard: requests that are not of a browser on this machine looking at this page.
func TestGuard(t *testing.T) {
	v, err := Open(made().write(t, true))
	if err != nil {
		t.Fatal(err)
	}
	h := v.Handler()
	for _, row := range []struct {
		reason, method, host, path, site, mode string
		code                                   int
	}{
		{"the address", "GET", "127.0.0.1:4000", "/api/runs", "", "", 200},
		{"its name", "GET", "localhost:4000", "/api/runs", "", "", 200},
		{"a forwarded port", "GET", "LOCALHOST:9", "/api/runs", "", "", 200},
		{"the other address", "GET", "[::1]:4000", "/api/runs", "", "", 200},
		{"no port", "GET", "127.0.0.1", "/", "", "", 200},
		{"a name that was made to resolve to here", "GET", "evil.example:4000", "/api/runs", "", "", 421},
		{"one that looks like this machine", "GET", "localhost.evil.example:4000", "/api/runs", "", "", 421},
		{"one that begins like the address", "GET", "127.0.0.1.evil.example", "/", "", "", 421},
		{"no host", "GET", "", "/", "", "", 421},
		{"another machine of the house", "GET", "192.168.0.7:4000", "/", "", "", 421},
		{"a request that would change something", "POST", "127.0.0.1:4000", "/api/runs", "", "", 405},
		{"one that asks what it may do", "OPTIONS", "127.0.0.1:4000", "/api/runs", "", "", 405},
		{"HEAD", "HEAD", "127.0.0.1:4000", "/api/runs", "", "", 200},
		{"the page itself", "GET", "127.0.0.1:4000", "/api/runs", "same-origin", "cors", 200},
		{"a page elsewhere that fetches", "GET", "127.0.0.1:4000", "/api/runs", "cross-site", "no-cors", 403},
		{"another port of this machine", "GET", "127.0.0.1:4000", "/assets/main.js", "same-site", "no-cors", 403},
		{"a link from elsewhere", "GET", "127.0.0.1:4000", "/", "cross-site", "navigate", 200},
		{"an address typed in", "GET", "127.0.0.1:4000", "/", "none", "navigate", 200},
	} {
		r := httptest.NewRequest(row.method, "http://x"+row.path, nil)
		r.Host = row.host
		if row.site != "" {
			r.Header.Set("Sec-Fetch-Site", row.site)
			r.Header.Set("Sec-Fetch-Mode", row.mode)
		}
		r.Header.Set("Origin", "http://evil.example")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != row.code {
			t.Errorf("%s: %d, want %d: %s", row.reason, w.Code, row.code, w.Body)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cross-Origin-Resource-Policy": "same-origin"} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q", row.reason, name, got)
			}
		}
		for name := range w.Header() {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: lets others read (%s)", row.reason, name)
			}
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "http") || strings.Contains(csp, "*") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", row.reason, csp)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1/runs/0/report.html", nil))
	csp := w.Header().Get("Content-Security-Policy")
	if w.Code != 200 || !strings.Contains(w.Body.String(), "The report") || !strings.Contains(csp, "sandbox allow-scripts") || strings.Contains(csp, "same-origin") || strings.Contains(csp, "connect-src") || !strings.HasPrefix(csp, "default-src 'none'") {
		t.Errorf("the report: %d, policy %q", w.Code, csp)
	}
	// A run that somebody sent may have anything of this name; what has no end, or waits, is
	// not read.
	name := filepath.Join(v.runs[0].dir, reportFile)
	if err := errors.Join(os.Remove(name), os.Symlink(os.DevNull, name)); err != nil {
		t.Fatal(err)
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1/runs/0/report.html", nil))
	if w.Code != 404 {
		t.Errorf("a report that is a device: %d", w.Code)
	}
}

// TestAssets: the page makes no markup of text, runs no text, and names no other place.
func TestAssets(t *testing.T) {
	files, err := assets.ReadDir("assets")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d assets, %v", len(files), err)
	}
	total := 0
	for _, f := range files {
		b, err := assets.ReadFile(path.Join("assets", f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		total += len(b)
		for _, never := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "createContextualFragment", "eval(", "new Function", "https://", "srcdoc", "style=", "onclick=\""} {
			if bytes.Contains(b, []byte(never)) {
				t.Errorf("%s has %s", f.Name(), never)
			}
		}
		if n := bytes.Count(b, []byte("http://")) - bytes.Count(b, []byte("http://www.w3.org/")); n != 0 {
			t.Errorf("%s names %d places", f.Name(), n)
		}
	}
	if total > 200<<10 {
		t.Errorf("the page has %d KiB", total>>10)
	}
}

// TestOverview: what a run was, from its manifest and its metrics.
func TestOverview(t *testing.T) {
	j := made()
	dir := j.write(t, true)
	base := serve(t, dir)
	type overview struct {
		State      state
		Warnings   []string
		Headline   []headline
		Reference  string
		Report     bool
		Unreported string
		Strategies []named
		Final      int
	}
	var got overview
	get(t, base+"/api/runs/0", &got)
	b, err := os.ReadFile(filepath.Join(dir, record.MetricsFile))
	if err != nil {
		t.Fatal(err)
	}
	var m reports.Metrics
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if got.State.Sessions != 96 || got.Final != 2 || !got.Report || got.Reference != "static" || got.Unreported != "" || !slices.Equal(got.State.Simulated, []string{"solver"}) {
		t.Errorf("got %+v", got)
	}
	if got.Warnings[0] != j.m.Warnings[0] || !slices.Contains(got.Warnings, m.Warnings[0]) || len(got.Headline) != 4 {
		t.Errorf("warnings %q, %d rows", got.Warnings, len(got.Headline))
	}
	for i, h := range got.Headline {
		r := &m.Strategies[i]
		at := 0
		if r.Kind == "static" || r.Kind == "pep" {
			at = 2 // of the checkpoints 0, 1, 2 and 3
		}
		if h.Strategy != r.Name || h.Alignment.Value != r.Alignment[at].Value || h.Alignment.Undefined != r.Alignment[at].Undefined || h.Sessions != r.Sessions {
			t.Errorf("%s: got %+v", r.Name, h)
		}
		if to := r.ToTarget.Value; to.Defined() != (h.ToTarget != nil && h.ToTarget.Defined()) || to.Defined() && *h.ToTarget != to {
			t.Errorf("%s: to target %v, in the report %v", r.Name, h.ToTarget, to)
		}
	}
	if h := got.Headline[2]; h.Failed != 1 || h.Alignment.Undefined != 1 || len(h.Reasons) != 1 {
		t.Errorf("pep+latent: %+v", h)
	}
	colors := map[string]string{}
	for _, s := range got.Strategies {
		colors[s.Name] = s.Color
	}
	if want := map[string]string{"none": "", "oracle": "", "static": "#0072b2", "pep+latent": "#d55e00"}; !maps.Equal(colors, want) {
		t.Errorf("colours %v", colors)
	}

	// Without metrics, or with those of another run, the page says so.
	for _, row := range []struct {
		reason string
		spoil  func()
		words  string
	}{
		{"of another configuration", func() {
			put(t, filepath.Join(dir, record.MetricsFile), bytes.Replace(b, []byte(`"config_hash": "abab`), []byte(`"config_hash": "0000`), 1))
		}, "another configuration"},
		{"of another schema", func() {
			put(t, filepath.Join(dir, record.MetricsFile), bytes.Replace(b, []byte(`"schema": 1`), []byte(`"schema": 7`), 1))
		}, "schema 7"},
		{"torn", func() { put(t, filepath.Join(dir, record.MetricsFile), b[:len(b)/2]) }, "cannot be read"},
		{"gone", func() { os.Remove(filepath.Join(dir, record.MetricsFile)) }, "not reported"},
	} {
		row.spoil()
		var got overview
		get(t, base+"/api/runs/0", &got)
		if !strings.Contains(got.Unreported, row.words) || got.Headline != nil || len(got.Strategies) != 4 || got.Strategies[1].Color != "#0072b2" {
			t.Errorf("%s: %q, %v", row.reason, got.Unreported, got.Strategies)
		}
	}
}

// TestCompare: two runs, paired by id; held against a plain loop.
func TestCompare(t *testing.T) {
	a, b := made(), made()
	b.sessions = slices.DeleteFunc(b.sessions, func(s record.Session) bool { return s.ID == "none/1/t1/u1" || s.ID == "static/1/t2/u2" })
	a.sessions = slices.DeleteFunc(a.sessions, func(s record.Session) bool { return s.ID == "oracle/2/t3/u3" })
	for i := range b.sessions {
		if i%3 == 0 {
			s := &b.sessions[i]
			for k := range s.Checkpoints {
				if cp := &s.Checkpoints[k]; cp.Raw != nil {
					v := max(1, *cp.Raw-float64(i%7)/10)
					cp.Raw = &v
				}
			}
		}
	}
	base := serve(t, a.write(t, false), b.write(t, false))
	var got compared
	get(t, base+"/api/compare?a=0&b=1&limit=500", &got)
	want := map[string]float64{}
	for i := range a.sessions {
		if s := b.find(a.sessions[i].ID); s != nil {
			x, _ := final(&a.sessions[i])
			y, _ := final(s)
			want[s.ID] = y - x
		}
	}
	if got.Matched != len(want) || got.Total != len(want) || got.OnlyA != 2 || got.OnlyB != 1 || len(got.Rows) != len(want) {
		t.Fatalf("matched %d of %d, only %d and %d, %d rows", got.Matched, len(want), got.OnlyA, got.OnlyB, len(got.Rows))
	}
	last := math.Inf(1)
	tallied := map[string]tally{}
	for _, r := range got.Rows {
		d, ok := want[r.ID]
		if !ok || !(math.Abs(float64(r.Diff)-d) < 1e-3 || math.IsNaN(d) && !r.Diff.Defined()) {
			t.Errorf("%s: %v, want %v", r.ID, r.Diff, d)
		}
		size := math.Abs(float64(r.Diff))
		if !r.Diff.Defined() {
			size = -1
		}
		if size > last {
			t.Errorf("%s with %v comes after a smaller one", r.ID, r.Diff)
		}
		last = size
		s := tallied[r.Strategy]
		s.Strategy = r.Strategy
		s.Pairs++
		switch {
		case math.IsNaN(d):
			s.Undefined++
		case d > 1e-4:
			s.Higher++
		case d < -1e-4:
			s.Lower++
		default:
			s.Same++
		}
		tallied[r.Strategy] = s
	}
	for _, s := range got.Tallies {
		w := tallied[s.Strategy]
		w.Only = s.Only
		if s != w {
			t.Errorf("tally %+v, want %+v", s, w)
		}
	}
	if s := got.Tallies[0]; s.Strategy != "none" || s.Only != [2]int{1, 0} {
		t.Errorf("none: %+v", s)
	}
	for _, row := range []struct {
		sort string
		sign float64
	}{{"diff", 1}, {"-diff", -1}} {
		get(t, base+"/api/compare?a=0&b=1&limit=500&sort="+row.sort, &got)
		for i, r := range got.Rows {
			if i > 0 && !(row.sign*float64(r.Diff) >= row.sign*float64(got.Rows[i-1].Diff)) && r.Diff.Defined() {
				t.Errorf("sort=%s: %v comes after %v", row.sort, r.Diff, got.Rows[i-1].Diff)
			}
		}
		if n := len(got.Rows); n != len(want) || !got.Rows[0].Diff.Defined() || got.Rows[n-1].Diff.Defined() || float64(got.Rows[0].Diff)*row.sign > 0 {
			t.Errorf("sort=%s: %d rows from %v to %v", row.sort, n, got.Rows[0].Diff, got.Rows[n-1].Diff)
		}
	}
	get(t, base+"/api/compare?a=0&b=1&strategy=static&q=t3&sort=id&limit=3&offset=1", &got)
	if got.Total != 8 || len(got.Rows) != 3 || got.Rows[0].ID >= got.Rows[1].ID || got.Rows[0].Strategy != "static" {
		t.Errorf("filtered: %+v", got)
	}
}

// TestOpen: folders that are no runs, and those that are several.
func TestOpen(t *testing.T) {
	one := made().write(t, false)
	grid := t.TempDir()
	made().writeTo(t, filepath.Join(grid, "a"), false)
	made().writeTo(t, filepath.Join(grid, "b"), false)
	sweep := &record.Sweep{Name: "grid", Strategy: "pep", Axes: []record.Axis{{Path: "x", Values: []string{"1", "2", "3"}}}, Cells: []record.SweepCell{{At: []int{0}, Dir: "a"}, {At: []int{1}, Refused: "undefined"}, {At: []int{2}, Dir: "b"}}}
	if err := record.WriteSweep(grid, sweep); err != nil {
		t.Fatal(err)
	}
	broken := t.TempDir()
	put(t, filepath.Join(broken, record.ManifestFile), []byte("{"))
	refused := t.TempDir()
	sweep.Cells = []record.SweepCell{{At: []int{1}, Refused: "undefined"}}
	if err := record.WriteSweep(refused, sweep); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		reason string
		dirs   []string
		names  []string
		err    string
	}{
		{"a run", []string{one}, []string{"made up"}, ""},
		{"a sweep is its cells that ran", []string{grid}, []string{"grid: 1", "grid: 3"}, ""},
		{"runs of one name are told apart", []string{one, filepath.Join(grid, "a")}, []string{"made up (" + one + ")", "made up (" + filepath.Join(grid, "a") + ")"}, ""},
		{"one run twice", []string{one, one + "/."}, nil, "twice"},
		{"a cell that its sweep has", []string{grid, filepath.Join(grid, "b")}, nil, "twice"},
		{"no run", []string{t.TempDir()}, nil, "manifest"},
		{"no manifest", []string{broken}, nil, "not a manifest"},
		{"a sweep without a run", []string{refused}, nil, "no run"},
		{"nothing", nil, nil, "no run"},
	} {
		v, err := Open(row.dirs...)
		if row.err != "" {
			if err == nil || !strings.Contains(err.Error(), row.err) || !errors.Is(err, domains.ErrData) {
				t.Errorf("%s: %v", row.reason, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", row.reason, err)
			continue
		}
		var names []string
		for _, r := range v.runs {
			names = append(names, r.name)
		}
		if !slices.Equal(names, row.names) {
			t.Errorf("%s: %q", row.reason, names)
		}
	}
}

// TestIndexFile: the index is put beside the sessions and used again; a broken one is
// made anew, and where none can be put it is kept in memory.
func TestIndexFile(t *testing.T) {
	for _, row := range []struct {
		reason string
		before func(index string)
		note   bool
		file   bool
	}{
		{"there is none", func(string) {}, false, true},
		{"a broken one", func(p string) { put(t, p, []byte("pepidx\n1 and no more")) }, false, true},
		{"none can be put there", func(p string) {
			if err := os.MkdirAll(filepath.Join(p, "in the way"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, true, false},
	} {
		dir := made().write(t, false)
		index := filepath.Join(dir, record.IndexFile)
		row.before(index)
		base := serve(t, dir)
		var all []state
		get(t, base+"/api/runs", &all)
		if !all[0].Ready || all[0].Sessions != 96 || (all[0].Note != "") != row.note {
			t.Errorf("%s: %+v", row.reason, all[0])
		}
		m, err := record.ReadManifest(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := record.ReadIndex(dir, m); (err == nil) != row.file {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
}

// TestNoSessions: a run that has not begun is shown, and its sessions are when they come.
func TestNoSessions(t *testing.T) {
	dir := made().write(t, false)
	if err := os.Remove(filepath.Join(dir, record.SessionsFile)); err != nil {
		t.Fatal(err)
	}
	base := serve(t, dir)
	if code, body := fetch(t, base+"/api/runs/0"); code != 200 || !strings.Contains(string(body), "no sessions yet") {
		t.Errorf("overview: %d %s", code, body)
	}
	if code, body := fetch(t, base+"/api/runs/0/sessions"); code != 503 || !strings.Contains(string(body), "no sessions yet") {
		t.Errorf("sessions: %d %s", code, body)
	}
}

// TestChanges: a file that grows or is replaced is indexed again; until then its old
// state is shown whole, and it is not looked at without pause.
func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := made()
		dir := j.write(t, false)
		all := j.lines(t)
		half := bytes.LastIndexByte(all[:len(all)/2], '\n') + 1
		sessions := filepath.Join(dir, record.SessionsFile)
		put(t, sessions, all[:half])
		v, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		r := v.runs[0]
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { v.index(ctx); close(done) }()
		synctest.Wait()
		s := v.ready(r)
		before := len(s.Rows)
		put(t, sessions, all)
		if v.ready(r) != s {
			t.Error("looked at the file again at once")
		}
		time.Sleep(settle)
		if v.ready(r) != s {
			t.Error("the old state was dropped before there was another")
		}
		if _, err := s.read(0); err != nil {
			t.Errorf("the old state cannot be read: %v", err)
		}
		synctest.Wait()
		if s = v.ready(r); len(s.Rows) != len(j.sessions) || before >= len(s.Rows) {
			t.Errorf("%d sessions, then %d of %d", before, len(s.Rows), len(j.sessions))
		}
		// A run that ends puts another file in its place: the one that is open stays.
		if err := record.WriteFile(sessions, func(w io.Writer) error { _, err := w.Write(all[:half]); return err }); err != nil {
			t.Fatal(err)
		}
		if _, err := s.read(len(s.Rows) - 1); err != nil {
			t.Errorf("a file that was replaced cannot be read: %v", err)
		}
		time.Sleep(settle)
		v.ready(r)
		synctest.Wait()
		if s = v.ready(r); len(s.Rows) != before {
			t.Errorf("%d sessions after the change, want %d", len(s.Rows), before)
		}
		cancel()
		<-done
		r.close()
		if v.ready(r) != nil {
			t.Error("a closed run has sessions")
		}
	})
}

// TestDamage: a session that is not where the index says is an error, not another one.
func TestDamage(t *testing.T) {
	j := made()
	dir := j.write(t, false)
	base := serve(t, dir)
	path := filepath.Join(dir, record.SessionsFile)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(`{"id":"none/1/t9/u9"`), 0); err != nil { // as long as the id that was there
		t.Fatal(err)
	}
	if code, body := fetch(t, base+"/api/runs/0/session?"+url.Values{"id": {j.sessions[0].ID}}.Encode()); code != 409 || !strings.Contains(string(body), "sessions.index") {
		t.Errorf("%d %s", code, body)
	}
}

// TestServeEnds: whatever is under way when the server is told to end, it ends, and
// nothing that it started is left.
func TestServeEnds(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := made().write(t, false)
	for _, row := range []struct {
		reason string
		during func(base string)
	}{
		{"at once, the index not made yet", func(string) {}},
		{"with a connection that says nothing", func(base string) {
			c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
		}},
		{"with a connection kept alive", func(base string) {
			if code, _ := fetch(t, base+"/api/runs"); code != 200 {
				t.Error(code)
			}
		}},
	} {
		v, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- v.Serve(ctx, l) }()
		row.during("http://" + l.Addr().String())
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", row.reason, err)
		}
		if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
			t.Errorf("%s: still listens", row.reason)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestServeIsLocal: a listener that other machines reach is refused.
func TestServeIsLocal(t *testing.T) {
	v, err := Open(made().write(t, false))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Serve(context.Background(), l); err == nil || !strings.Contains(err.Error(), "other machines") {
		t.Errorf("got %v", err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("it listens on")
	}
}

// BenchmarkList: one page of a list of 200,000 sessions, filtered and searched, and what
// comes before the first.
func BenchmarkList(b *testing.B) {
	dir := b.TempDir()
	j := made()
	put(b, filepath.Join(dir, record.SessionsFile), nil)
	ix := record.NewIndexer(&j.m)
	s := *j.find("pep+latent/1/t1/u1")
	for i := range 200_000 {
		s.Strategy, s.Task, s.User = j.m.Strategies[i%4].Name, fmt.Sprintf("t%02d", i/4%50), fmt.Sprintf("u%04d", i/200)
		s.ID = fmt.Sprintf("%s/1/%s/%s", s.Strategy, s.Task, s.User)
		raw := 1 + float64(i*7919%4000)/1000
		s.Checkpoints[2].Raw = &raw
		ix.Add(0, 0, &s)
	}
	x, err := ix.Index(filepath.Join(dir, record.SessionsFile))
	if err != nil {
		b.Fatal(err)
	}
	all := &sessions{Index: x}
	all.sorted()
	for _, row := range []struct{ name, query string }{
		{"all", ""}, {"filtered", "strategy=static&task=t07&from=20&to=60&sort=-alignment"}, {"searched", "q=u0123+pep"},
	} {
		q, err := url.ParseQuery(row.query)
		if err != nil {
			b.Fatal(err)
		}
		f, err := parse(q)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := all.match(f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("sort", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := (&sessions{Index: x}).order("-alignment"); !ok {
				b.Fatal("no order")
			}
		}
	})
	b.Run("compare", func(b *testing.B) {
		f, err := parse(url.Values{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := compare(all, all, f, "change"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// FuzzFilter: whatever an address asks for, it gets a page of what there is, or words.
func FuzzFilter(f *testing.F) {
	j := made()
	dir := f.TempDir()
	j.writeTo(f, dir, false)
	x, err := record.BuildIndex(context.Background(), dir, &j.m, nil)
	if err != nil {
		f.Fatal(err)
	}
	s := &sessions{Index: x}
	f.Add("strategy=pep%2Blatent&seed=1&from=10&to=90&sort=-alignment&limit=7")
	f.Add("q=T2+<script>&offset=99999999&answer=unknown&stop=&user=%00")
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		f, err := parse(q)
		if err != nil {
			return
		}
		m, err := s.match(f)
		if err != nil {
			return
		}
		n := 0
		for _, b := range m.bins {
			n += b
		}
		if len(m.rows) > len(x.Rows) || n > len(m.rows) || f.limit > mostRows || len(m.facets) != len(facetNames) {
			t.Fatalf("%q: %d rows, %d in the histogram, a page of %d, %d facets", query, len(m.rows), n, f.limit, len(m.facets))
		}
		if _, err := compare(s, s, f, "change"); err != nil {
			t.Fatal(err)
		}
	})
}
