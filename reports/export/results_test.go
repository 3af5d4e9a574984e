package export

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"pepbench/bench/record"
)

// TestResults holds results to the shape of lm-evaluation-harness, which
// testdata/harness.json names: an object has these keys; a string says what is in their place.
func TestResults(t *testing.T) {
	of, err := exported()
	if err != nil {
		t.Fatal(err)
	}
	dir, s := of.dir, of.summary
	var got, shape map[string]any
	for name, to := range map[string]*map[string]any{filepath.Join(of.out, resultsFile): &got, filepath.Join("testdata", "harness.json"): &shape} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, to); err != nil {
			t.Fatal(err)
		}
	}
	follows(t, "", got, shape)

	tasks := []string{"pepbench_small_run_none", "pepbench_small_run_pep+b", "pepbench_small_run_oracle"}
	if list := got["group_subtasks"].(map[string]any)["pepbench_small_run"]; !reflect.DeepEqual(list, []any{tasks[0], tasks[1], tasks[2]}) {
		t.Errorf("tasks are %v", list)
	}
	for _, key := range []string{"results", "configs", "versions", "n-shot", "higher_is_better", "n-samples"} {
		of := got[key].(map[string]any)
		for _, task := range tasks {
			if _, ok := of[task]; !ok || len(of) != 3 {
				t.Errorf("%s has %d tasks, and not %s", key, len(of), task)
			}
		}
	}
	defined := 0
	for _, task := range tasks {
		higher := got["higher_is_better"].(map[string]any)[task].(map[string]any)
		res := got["results"].(map[string]any)[task].(map[string]any)
		for key, v := range res {
			metric, filter, ok := strings.Cut(key, ",")
			if !ok {
				continue
			}
			if _, isNumber := v.(float64); isNumber {
				defined++
			} else if v != "N/A" {
				t.Errorf("%s %s is %v", task, key, v)
			}
			if base, is := strings.CutSuffix(metric, "_stderr"); is {
				metric = base
			} else if _, ok := res[metric+"_stderr,"+filter]; !ok {
				t.Errorf("%s has no standard error of %s", task, key)
			}
			if _, ok := higher[metric]; !ok {
				t.Errorf("%s: whether a higher %s is better is not said", task, metric)
			}
		}
	}
	if defined < 50 {
		t.Errorf("only %d numbers are defined", defined)
	}

	pep := &s.Metrics.Strategies[1]
	res := got["results"].(map[string]any)["pepbench_small_run_pep+b"].(map[string]any)
	z := distuv.UnitNormal.Quantile(.95)
	for key, want := range map[string]float64{
		"alignment,none":               float64(pep.Alignment[1].Value),
		"alignment,questions-0":        float64(pep.Alignment[0].Value),
		"alignment_stderr,none":        float64(pep.Alignment[1].Hi-pep.Alignment[1].Lo) / 2 / z,
		"acc,none":                     float64(pep.Correctness[1].Value),
		"f1_at_5,none":                 float64(pep.Prediction[1].At[2].F1.Value),
		"brier,none":                   float64(pep.Prediction[1].Brier.Value),
		"interactions,none":            1,
		"alignment_normalised,none":    float64(pep.Alignment[1].Normalised.Value),
		"acc_stderr,questions-0":       float64(pep.Correctness[0].Hi-pep.Correctness[0].Lo) / 2 / z,
		"alignment_stderr,questions-1": float64(pep.Alignment[1].Hi-pep.Alignment[1].Lo) / 2 / z,
	} {
		if v, ok := res[key].(float64); !ok || math.Abs(v-want) > 1e-6 {
			t.Errorf("%s is %v, want %v", key, res[key], want)
		}
	}
	if n := got["n-samples"].(map[string]any)["pepbench_small_run_pep+b"]; !reflect.DeepEqual(n, map[string]any{"original": 14., "effective": 12.}) {
		t.Errorf("samples: %v", n)
	}
	if v := got["results"].(map[string]any)["pepbench_small_run_none"].(map[string]any)["alignment,questions-1"]; v != nil {
		t.Errorf("a floor has an alignment after a question: %v", v)
	}
	meta := got["configs"].(map[string]any)[tasks[1]].(map[string]any)["metadata"].(map[string]any)
	if meta["simulated"] != true || meta["config_hash"] != "abc" || meta["about"] != `says "why", and how` {
		t.Errorf("metadata: %v", meta)
	}
	if got["git_hash"] != "0123456789abcdef" || got["date"] != nil {
		t.Errorf("git_hash %v, date %v", got["git_hash"], got["date"])
	}

	// A version that is no commit is none.
	m, err := record.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	m.Code.Version = "(devel)"
	b, err := Results(s.Metrics, m)
	if err != nil || !strings.Contains(string(b), `"git_hash": null`) {
		t.Errorf("git_hash of a version: %v", err)
	}
}

// follows holds a value to a shape.
func follows(t *testing.T, path string, got any, shape any) {
	t.Helper()
	switch shape := shape.(type) {
	case string:
		kind := "null"
		switch got.(type) {
		case string:
			kind = "string"
		case float64:
			kind = "number"
		case bool:
			kind = "bool"
		case []any:
			kind = "list"
		case map[string]any:
			kind = "object"
		}
		if !slices.Contains(strings.Split(shape, " or "), kind) {
			t.Errorf("%s is a %s, want %s", path, kind, shape)
		}
	case []any:
		list, ok := got.([]any)
		if !ok {
			t.Errorf("%s is no list", path)
		}
		for _, e := range list {
			follows(t, path+"[]", e, shape[0])
		}
	case map[string]any:
		of, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s is no object", path)
			return
		}
		for key, want := range shape {
			if key == "*" { // each
				for k, v := range of {
					follows(t, path+"."+k, v, want)
				}
				continue
			}
			v, ok := of[key]
			if !ok {
				t.Errorf("%s has no %s", path, key)
				continue
			}
			follows(t, path+"."+key, v, want)
		}
	}
}
