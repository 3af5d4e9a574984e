package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pepbench/bench/llm"
	"pepbench/bench/llm/sim"
	"pepbench/bench/record"
)

// TestRunThroughFaults: a run against a server that meets 30% of calls with some fault
// ends as one against a server that never fails, as long as a request meets fewer faults
// than it has tries. Nothing is left running, and the key is in no file.
func TestRunThroughFaults(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	const key = "not-to-be-told-0123456789"
	t.Setenv("PEPBENCH_TEST_FAULTS_KEY", key)
	run := func(f *sim.Faults) (string, Outcome) {
		t.Helper()
		f.Key = key
		h, err := f.Wrap(sim.Handler())
		if err != nil {
			t.Fatal(err)
		}
		base, stop, err := sim.ServeAt(context.Background(), "127.0.0.1:0", h)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := stop(); err != nil {
				t.Error(err)
			}
		}()
		dir := t.TempDir()
		p := prepare(t, "../configs/smoke.yaml", "budget=1", "horizon=1", "concurrency=64",
			fmt.Sprintf("backend={kind: openai, model: m, base_url: %q, api_key_env: PEPBENCH_TEST_FAULTS_KEY, timeout: 0.5, attempts: 5, concurrency: 64}", base))
		return dir, mustRun(t, p, dir)
	}
	plain, calm := run(&sim.Faults{})
	f := &sim.Faults{Seed: 1, Odds: sim.Even(.3), Most: 3, RetryAfter: 20 * time.Millisecond, Drip: 20 * time.Millisecond}
	wild, o := run(f)
	if o.Failed != 0 || o.Ran != calm.Ran || o.Ran == 0 {
		t.Errorf("with faults %+v, without %+v", o, calm)
	}
	if !bytes.Equal(readFile(t, wild, record.SessionsFile), readFile(t, plain, record.SessionsFile)) {
		t.Error("other sessions")
	}
	met := f.Counts()
	total := 0
	for _, k := range sim.FaultKinds() {
		if met[k] == 0 {
			t.Errorf("no fault of kind %s was met", k)
		}
		total += met[k]
	}
	if share := float64(total) / float64(met[""]); share < .2 || share > .4 {
		t.Errorf("%d faults in %d requests", total, met[""])
	}
	for _, dir := range []string{plain, wild} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			if bytes.Contains(b, []byte(key)) {
				t.Errorf("%s holds the key", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestStoppedAmidFaults: a run with every role that calls a model, judged twice, which is
// stopped in the middle of faults, leaves nothing running; it goes on to the bytes of one
// that met none, and so does a second judgement of it.
func TestStoppedAmidFaults(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	f := &sim.Faults{Seed: 2, Odds: sim.Even(.3), Most: 2, RetryAfter: 10 * time.Millisecond, Drip: 10 * time.Millisecond}
	plan := func(f *sim.Faults) (*Plan, func()) {
		h, err := f.Wrap(sim.Handler())
		if err != nil {
			t.Fatal(err)
		}
		base, stop, err := sim.ServeAt(context.Background(), "127.0.0.1:0", h)
		if err != nil {
			t.Fatal(err)
		}
		model := fmt.Sprintf("backend={kind: openai, model: m, base_url: %q, timeout: 0.3, attempts: 6, concurrency: 64}", base)
		return prepare(t, talking, "concurrency=64", "judge={kind: rubric, repeats: 2}", model), func() {
			if err := stop(); err != nil {
				t.Error(err)
			}
		}
	}
	calm, wild := t.TempDir(), t.TempDir()
	quiet, stopQuiet := plan(&sim.Faults{})
	defer stopQuiet()
	mustRun(t, quiet, calm)
	loud, stopLoud := plan(f)
	defer stopLoud()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if _, err := Run(ctx, loud, wild, false, &watch{5, cancel}); !errors.Is(err, context.Canceled) {
		t.Fatalf("a run that was stopped: %v", err)
	}
	if o := mustRun(t, loud, wild); o.Failed != 0 || o.Ran == 0 || o.Ran >= o.Total {
		t.Errorf("the second go: %+v", o)
	}
	if !bytes.Equal(readFile(t, wild, record.SessionsFile), readFile(t, calm, record.SessionsFile)) {
		t.Error("other sessions")
	}
	calmer, wilder := t.TempDir(), t.TempDir()
	mustRejudge(t, calm, calmer, "judge.repeats=1")
	if o := mustRejudge(t, wild, wilder, "judge.repeats=1", "backend.timeout=0.3", "backend.attempts=6", "backend.concurrency=64"); o.Failed != 0 {
		t.Errorf("the second judgement: %+v", o)
	}
	if !bytes.Equal(readFile(t, wilder, record.SessionsFile), readFile(t, calmer, record.SessionsFile)) {
		t.Error("other second judgements")
	}
}

// TestFirstCallFindsOut: what every session would meet is met by the first call of a run,
// which ends at once and leaves nothing behind.
func TestFirstCallFindsOut(t *testing.T) {
	for _, row := range []struct {
		reason string
		answer func(w http.ResponseWriter, system bool)
		want   string
	}{
		{"a template without system messages", func(w http.ResponseWriter, system bool) {
			if system {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, `{"object":"error","message":"System role not supported","type":"BadRequestError","code":400}`)
				return
			}
			_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"ready"}}]}`)
		}, "status 400: System role not supported"},
		{"a server that wants an hour of rest", func(w http.ResponseWriter, _ bool) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"error":"overloaded"}`)
		}, "status 503: overloaded; the server asks to be left alone for 1h0m0s"},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			row.answer(w, bytes.Contains(b, []byte(`"role":"system"`)))
		}))
		dir := filepath.Join(t.TempDir(), "run")
		p := prepare(t, "../configs/smoke.yaml", "cache=off", fmt.Sprintf("backend={kind: openai, model: m, base_url: %q}", srv.URL))
		_, err := Run(context.Background(), p, dir, false, &watch{})
		srv.Close()
		if !errors.Is(err, llm.ErrUnusable) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.reason, err, row.want)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the folder is left: %v", row.reason, err)
		}
	}
}
