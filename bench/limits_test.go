package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pepbench/bench/llm"
	"pepbench/bench/llm/sim"
	"pepbench/bench/record"
)

// smoke is a run of few sessions against a server that nobody knows to be a simulator.
func smokePlan(t *testing.T, srv *httptest.Server, sets ...string) *Plan {
	t.Helper()
	model := fmt.Sprintf("backend={kind: openai, base_url: %q, model: %s, price: {in: 1, out: 2}, max_tokens: 2000, response_format: json_schema}", srv.URL+"/v1", sim.Model)
	return prepare(t, "../configs/smoke.yaml", append([]string{model, "strategies=[{name: none, kind: none}, {name: oracle, kind: oracle}]", "split.users_per_task=1", "report={resamples: 20}"}, sets...)...)
}

// TestLimitsStopAndResume: a run that has spent its budget says so and which key to
// raise, keeps what is complete, and goes on from there to the same journal.
func TestLimitsStopAndResume(t *testing.T) {
	srv := httptest.NewServer(sim.Handler())
	defer srv.Close()
	whole := t.TempDir()
	mustRun(t, smokePlan(t, srv), whole)
	want, err := os.ReadFile(filepath.Join(whole, record.SessionsFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ limit, words string }{
		{"limits.calls=40", "40 of 40 calls are made; raise limits.calls"},
		{"limits.tokens=30000", "raise limits.tokens"},
		{"limits.dollars=0.04", "raise limits.dollars"},
	} {
		dir := t.TempDir()
		legs := 0
		for {
			legs++
			o, err := Run(context.Background(), smokePlan(t, srv, row.limit, "concurrency=4"), dir, false, &watch{})
			if err == nil {
				break
			}
			if !errors.Is(err, llm.ErrBudget) || !strings.Contains(err.Error(), row.words) || o.Ran == 0 || legs > 100 {
				t.Fatalf("%s, leg %d: %d sessions, %v", row.limit, legs, o.Ran, err)
			}
		}
		got, err := os.ReadFile(filepath.Join(dir, record.SessionsFile))
		if err != nil || string(got) != string(want) || legs < 2 {
			t.Errorf("%s: %d legs, the same journal: %v, %v", row.limit, legs, string(got) == string(want), err)
		}
	}
}

// TestSweepsShareABudget: the limit is that of the command, not of each cell.
func TestSweepsShareABudget(t *testing.T) {
	sets := []string{"strategies=[{name: none, kind: none}, {name: oracle, kind: oracle}]", "split.users_per_task=1", "report={resamples: 20}"}
	dir := t.TempDir()
	mustRun(t, prepare(t, "../configs/smoke.yaml", sets...), dir)
	var u record.Usage
	b, err := os.ReadFile(filepath.Join(dir, record.UsageFile))
	if err != nil || json.Unmarshal(b, &u) != nil {
		t.Fatal(err)
	}
	one := 1 // the trivial call that comes first
	for _, r := range u.Roles {
		one += r.Calls
	}
	s, err := LoadSweep("../configs/smoke.yaml", append(sets, "sweep={seeds: [[1], [2]]}", fmt.Sprintf("limits.calls=%d", one+5)))
	if err != nil {
		t.Fatal(err)
	}
	whole := 0
	_, o, err := RunSweep(context.Background(), s, t.TempDir(), false, &watch{}, func(string, Outcome) error { whole++; return nil })
	if !errors.Is(err, llm.ErrBudget) || whole != 1 {
		t.Errorf("%d cells are whole, %d sessions ran, %v; want one cell, and the budget spent amid the second", whole, o.Ran, err)
	}
}

// TestTraceAndUsage: the trace has a line for each attempt and no word of a message;
// usage has dollars and what became of the response format.
func TestTraceAndUsage(t *testing.T) {
	dir := t.TempDir()
	trace := filepath.Join(t.TempDir(), "trace.jsonl")
	var mu sync.Mutex
	attempts := 0
	inner := sim.Handler()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		attempts++
		mu.Unlock()
		b, _ := io.ReadAll(r.Body)
		if strings.Contains(string(b), "json_schema") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":{"message":"response_format json_schema is not supported here"}}`)
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(b)))
		inner.ServeHTTP(w, r)
	}))
	defer srv.Close()
	mustRun(t, smokePlan(t, srv, "trace="+trace, "concurrency=1"), dir)
	b, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) != attempts-1 { // the refused format is repeated within the attempt
		t.Errorf("%d lines for %d attempts", len(lines), attempts)
	}
	for _, l := range lines {
		var m map[string]any
		if err := json.Unmarshal([]byte(l), &m); err != nil || m["msg"] != "attempt" || strings.Contains(l, "Task:") {
			t.Fatalf("%v: %s", err, l)
		}
	}
	var u record.Usage
	if b, err = os.ReadFile(filepath.Join(dir, record.UsageFile)); err != nil || json.Unmarshal(b, &u) != nil {
		t.Fatal(err)
	}
	judge, ok := u.Roles[roleJudge]
	if !ok || judge.Dollars == nil || *judge.Dollars <= 0 || judge.Format != llm.FormatObject || !strings.Contains(judge.Refused, "not supported here") {
		t.Errorf("usage of the judge: %s", b)
	}
}
