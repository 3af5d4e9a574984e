package bench

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

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
