package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/parquet-go/parquet-go"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/reports"
)

// small writes a run of three strategies, seven tasks and two users: a floor, one that asks a
// question, and a ceiling. One session failed, one has no grade, and one took calls whose
// tokens nobody said.
func small(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := writeSmall(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writeSmall(dir string) error {
	m := record.Manifest{
		Schema: record.Schema, Name: "small run", ConfigHash: "abc", Config: json.RawMessage(`{}`),
		Code: record.Code{Version: "0123456789abcdef", Go: "go1", Platform: "none/none"},
		Data: record.Data{Name: "made-up", Version: "2", Rubric: "amount"}, Seeds: []int{1}, Budget: 1, Checkpoints: []int{0, 1},
		Users: "exact", Solver: "chat", Judge: "judge", Endpoints: []record.Endpoint{{Role: "solver", Simulated: true}}, Sessions: 42,
		Strategies: []record.Strategy{
			{Name: "none", Base: "none", Kind: "none", Predict: "answers"},
			{Name: "pep+b", Base: "pep", Kind: "pep", Predict: "b", About: `says "why", and how`, Params: 7},
			{Name: "oracle", Base: "oracle", Kind: "oracle", Predict: "answers"},
		},
		Report: record.Report{Resamples: 50, Confidence: .9, Seed: 1, Reference: "none"},
	}
	var lines []byte
	for i, st := range m.Strategies {
		for task := range 7 {
			for user := range 2 {
				s := record.Session{
					Strategy: st.Name, Seed: 1, Task: fmt.Sprintf("t%d", task), User: fmt.Sprintf("u%d", user), Stop: record.StopBudget,
					Criteria: []string{"a", "b"}, Truth: record.Truth{Cells: []domains.Cell{domains.At(4), domains.NotHeld()}},
					Prior: record.Inference{Held: record.Floats{.5, .25}, Value: record.Floats{3, 3}},
					Calls: []record.RoleCalls{{Role: "solver", Calls: 2, TokensIn: 10, TokensOut: 5}, {Role: "judge", Calls: 1, TokensIn: 1, TokensOut: 1}},
				}
				s.ID = fmt.Sprintf("%s/1/%s/%s", s.Strategy, s.Task, s.User)
				points := 1
				if st.Kind == "pep" {
					points = 2
					s.Turns = []record.Turn{{Question: 0, Answer: domains.At(4), Inference: record.Inference{Held: record.Floats{1, .1}, Value: record.Floats{4, 2}}}}
				}
				for n := range points {
					score, right := float64(1+(2*i+n+task*user)%5), (task+user+n)%3 == 0
					s.Checkpoints = append(s.Checkpoints, record.Checkpoint{
						Questions: n, Scores: []record.Score{{Position: 0, Score: &score}}, Raw: &score, Correct: &right, Instructed: []int{}, Wanted: record.Floats{},
					})
				}
				switch {
				case s.ID == "pep+b/1/t3/u0":
					s.Error, s.Stop = `lost, "all" of it`, record.StopError
				case s.ID == "pep+b/1/t4/u0":
					s.Checkpoints[1].Raw, s.Checkpoints[1].Correct = nil, nil
					s.Checkpoints[1].Scores[0].Score, s.Checkpoints[1].Scores[0].Unscored = nil, "unreadable"
				case s.ID == "pep+b/1/t5/u0":
					s.Calls = []record.RoleCalls{{Role: "solver", Calls: 3, Uncounted: 3}}
				}
				line, err := record.Line(&s)
				if err != nil {
					return err
				}
				lines = append(lines, line...)
			}
		}
	}
	m.Data.TestTasks = []string{"t0", "t1", "t2", "t3", "t4", "t5", "t6"}
	if err := record.WriteJSON(filepath.Join(dir, record.ManifestFile), &m); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, record.SessionsFile), lines, 0o644)
}

// exported is what Write makes of a small run, made once: drawing takes most of the time.
var exported = sync.OnceValues(func() (of struct {
	dir, out string
	summary  *reports.Summary
	files    []string
}, err error,
) {
	if of.dir, err = os.MkdirTemp("", "pepbench"); err != nil {
		return of, err
	}
	if err = writeSmall(of.dir); err != nil {
		return of, err
	}
	of.out = filepath.Join(of.dir, "deep", "down")
	of.summary, of.files, err = Write(of.dir, of.out, Formats)
	return of, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if of, _ := exported(); of.dir != "" {
		os.RemoveAll(of.dir)
	}
	os.Exit(code)
}

// cells reads a CSV file.
func cells(t *testing.T, name string) [][]string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// columnsOf reads a Parquet file into cells as a CSV file has them.
func columnsOf(t *testing.T, b []byte) (out [][]string, groups int) {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var head []string
	for _, c := range f.Schema().Fields() {
		head = append(head, c.Name())
	}
	out = append(out, head)
	for _, g := range f.RowGroups() {
		rows := g.Rows()
		for {
			buf := make([]parquet.Row, 100)
			n, err := rows.ReadRows(buf)
			for _, row := range buf[:n] {
				line := make([]string, len(head))
				for _, v := range row {
					switch {
					case v.IsNull():
					case v.Kind() == parquet.Double:
						line[v.Column()] = strconv.FormatFloat(v.Double(), 'f', -1, 64)
					default:
						line[v.Column()] = v.String()
					}
				}
				out = append(out, line)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out, len(f.RowGroups())
}

// TestWrite: CSV, Parquet and JSON say the same, of a run that is reported on the way, and
// equal runs give equal bytes.
func TestWrite(t *testing.T) {
	of, err := exported()
	if err != nil {
		t.Fatal(err)
	}
	dir, out, s := of.dir, of.out, of.summary
	var names []string
	bytesOf := map[string][]byte{}
	for _, f := range of.files {
		name := filepath.Base(f)
		names = append(names, name)
		if bytesOf[name], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"estimates.csv", "estimates.json", "estimates.parquet", "results_pepbench.json", "sessions.csv", "sessions.parquet"}
	if !slices.Equal(names, want) {
		t.Fatalf("wrote %q", names)
	}
	for _, name := range []string{"estimates", "sessions"} {
		got, _ := columnsOf(t, bytesOf[name+".parquet"])
		if want := cells(t, filepath.Join(out, name+".csv")); !reflect.DeepEqual(got, want) {
			t.Errorf("%s.parquet is not %s.csv", name, name)
		}
	}
	var list []Estimate
	if err := json.Unmarshal(bytesOf["estimates.json"], &list); err != nil {
		t.Fatal(err)
	}
	if want := Estimates(s.Metrics); !reflect.DeepEqual(list, want) {
		t.Error("estimates.json does not hold the estimates")
	}
	columns, row := tableOf[Estimate]()
	var lines bytes.Buffer
	table, err := newCSV(&lines, columns)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if err := table.row(row(&list[i])); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.close(); err != nil || !bytes.Equal(lines.Bytes(), bytesOf["estimates.csv"]) {
		t.Errorf("estimates.csv is not estimates.json (%v)", err)
	}
	stored, err := os.ReadFile(filepath.Join(dir, record.MetricsFile))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := s.Metrics.JSON(); err != nil || !bytes.Equal(b, stored) {
		t.Errorf("what is exported is not metrics.json (%v)", err)
	}
	again := t.TempDir()
	if _, _, err := Write(small(t), again, Formats); err != nil {
		t.Fatal(err)
	}
	for name, before := range bytesOf {
		if after, err := os.ReadFile(filepath.Join(again, name)); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s differs between equal runs (%v)", name, err)
		}
	}
}

// TestWriteErrors: an error of the run is that of its report, and leaves no file.
func TestWriteErrors(t *testing.T) {
	for _, row := range []struct {
		reason, file, want string
	}{
		{"no manifest", record.ManifestFile, "the manifest of the run cannot be read"},
		{"no sessions", record.SessionsFile, "sessions.jsonl: the sessions of the run cannot be read"},
	} {
		dir, out := small(t), t.TempDir()
		if err := os.Remove(filepath.Join(dir, row.file)); err != nil {
			t.Fatal(err)
		}
		_, _, err := Write(dir, out, Formats)
		if !errors.Is(err, domains.ErrData) || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), out) {
			t.Errorf("%s: %v", row.reason, err)
		}
		if left, err := os.ReadDir(out); err != nil || len(left) > 0 {
			t.Errorf("%s: left %v, %v", row.reason, left, err)
		}
	}
}

// TestSessions: what is undefined is null, and what is 0 is 0.
func TestSessions(t *testing.T) {
	of, err := exported()
	if err != nil {
		t.Fatal(err)
	}
	all := cells(t, filepath.Join(of.out, "sessions.csv"))
	if len(all) != 43 {
		t.Fatalf("%d lines", len(all))
	}
	find := func(strategy, task, user string) map[string]string {
		for i, line := range all[1:] {
			s := map[string]string{"line": fmt.Sprint(i + 1)}
			for i, name := range all[0] {
				s[name] = line[i]
			}
			if s["strategy"] == strategy && s["task"] == task && s["user"] == user {
				return s
			}
		}
		t.Fatalf("no session %s/%s/%s", strategy, task, user)
		return nil
	}
	for _, row := range []struct {
		reason               string
		strategy, task, user string
		want                 map[string]string
	}{
		{"a floor has one checkpoint, and a true zero", "none", "t0", "u0", map[string]string{"run": "small run", "simulated": "true", "kind": "none", "questions": "0", "alignment_0": "0", "alignment_1": "", "correct_0": "true", "correct_1": "", "calls": "3", "tokens_in": "11", "tokens_out": "6", "uncounted": "0", "failed": ""}},
		{"one that asks has all", "pep+b", "t0", "u1", map[string]string{"base": "pep", "predict": "b", "questions": "1", "questions_all": "1", "stop": "budget", "alignment_0": "50", "alignment_1": "75", "correct_0": "false", "correct_1": "false"}},
		{"what failed has no grades, says why, and comes last", "pep+b", "t3", "u0", map[string]string{"failed": `lost, "all" of it`, "stop": "error", "alignment_0": "", "correct_0": "", "alignment_1": "", "line": "42"}},
		{"what was not graded has no alignment", "pep+b", "t4", "u0", map[string]string{"alignment_0": "50", "alignment_1": "", "correct_0": "false", "correct_1": ""}},
		{"tokens that nobody said are not 0", "pep+b", "t5", "u0", map[string]string{"calls": "3", "tokens_in": "", "tokens_out": "", "uncounted": "3"}},
	} {
		got := find(row.strategy, row.task, row.user)
		for name, want := range row.want {
			if v, ok := got[name]; !ok || v != want {
				t.Errorf("%s: %s is %q, want %q", row.reason, name, v, want)
			}
		}
	}
}

// intervals collects what has value, lo and hi in metrics.json, as Go formats the three.
func intervals(v any, out map[string]int) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			intervals(e, out)
		}
	case map[string]any:
		value, a := v["value"]
		lo, b := v["lo"]
		hi, c := v["hi"]
		if a && b && c {
			out[fmt.Sprint(value, lo, hi)]++
		}
		for key, e := range v {
			if key != "first_questions" {
				intervals(e, out)
			}
		}
	}
}

// TestEstimatesOfFiles: everything with an interval in the metrics.json of runs of all kinds is
// there as often as in the file, and nothing else is.
func TestEstimatesOfFiles(t *testing.T) {
	files, err := filepath.Glob("../testdata/*/metrics.json")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var m reports.Metrics
		var tree map[string]any
		if err := errors.Join(json.Unmarshal(b, &m), json.Unmarshal(b, &tree)); err != nil {
			t.Fatal(err)
		}
		if tree["strategies"] == nil {
			continue // claims over runs
		}
		want, got := map[string]int{}, map[string]int{}
		intervals(tree, want)
		show := func(v *float64) any {
			if v == nil {
				return nil
			}
			return *v
		}
		lines := map[string]bool{}
		for _, e := range Estimates(&m) {
			if !strings.HasSuffix(e.Measure, ".observed") {
				got[fmt.Sprint(show(e.Value), show(e.Lo), show(e.Hi))]++
			}
			e.Value, e.Lo, e.Hi, e.N, e.Undefined, e.Clusters, e.HiOpen, e.Resolved, e.P, e.Holm, e.MDE = nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil
			key, err := json.Marshal(&e)
			if err != nil {
				t.Fatal(err)
			}
			if lines[string(key)] {
				t.Errorf("%s: two lines are told apart by nothing: %s", name, key)
			}
			lines[string(key)] = true
		}
		for k, n := range want { // numbers without an interval look like those whose interval is undefined
			if bare := strings.HasSuffix(k, "<nil> <nil>"); got[k] != n && !bare || got[k] < n {
				t.Errorf("%s: %s is there %d times, want %d", name, k, got[k], n)
			}
		}
		for k, n := range got {
			if want[k] == 0 && !strings.HasSuffix(k, "<nil> <nil>") {
				t.Errorf("%s: %s is there %d times, and not in the file", name, k, n)
			}
		}
	}
}

// fill sets every number that can be reached to one of its own, every pointer to something,
// and every list to two elements; it notes those of the numbers that must be exported.
func fill(v reflect.Value, path string, next *float64, want map[float64]string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), path, next, want)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), path, next, want)
		}
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(v.Type()) {
			if f.IsExported() && !(f.Anonymous && f.Type.Kind() == reflect.Struct) && f.Name != "First" { // the tree has no end
				fill(v.FieldByIndex(f.Index), path+"."+f.Name, next, want)
			}
		}
	case reflect.Float64:
		*next++
		v.SetFloat(*next)
		want[*next] = path
	case reflect.Int, reflect.Int64:
		*next++
		v.SetInt(int64(*next))
	case reflect.String:
		*next++
		v.SetString(fmt.Sprint("s", *next))
	}
}

// TestEstimatesHoldAll: no number of the type is missing, whatever is added to it, but the tree
// of first questions, the ends of bins, which are words, and settings.
func TestEstimatesHoldAll(t *testing.T) {
	var m reports.Metrics
	next, want := 100., map[float64]string{}
	fill(reflect.ValueOf(&m).Elem(), "", &next, want)
	for v, path := range want {
		if strings.HasSuffix(path, ".Bins.From") || strings.HasSuffix(path, ".Bins.To") || path == ".Confidence" {
			delete(want, v)
		}
	}
	if len(want) < 100 {
		t.Fatalf("only %d numbers", len(want))
	}
	estimates := 0
	for _, e := range Estimates(&m) {
		for _, v := range []*float64{e.Value, e.Lo, e.Hi, e.P, e.Holm, e.MDE} {
			if v != nil {
				delete(want, *v)
			}
		}
		if e.Undefined != nil {
			estimates++
		}
	}
	for v, path := range want {
		t.Errorf("Metrics%s (%v) is not exported", path, v)
	}
	if n := countEstimates(reflect.ValueOf(m)); n != estimates || n < 50 {
		t.Errorf("%d estimates exported, want %d", estimates, n)
	}
}

// countEstimates counts the values of type reports.Estimate within v.
func countEstimates(v reflect.Value) (n int) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			n = countEstimates(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			n += countEstimates(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[reports.Estimate]() {
			return 1
		}
		for i := range v.NumField() {
			n += countEstimates(v.Field(i))
		}
	}
	return n
}

// TestEstimatesOfRun: lines say of what they are.
func TestEstimatesOfRun(t *testing.T) {
	of, err := exported()
	if err != nil {
		t.Fatal(err)
	}
	s := of.summary
	all := Estimates(s.Metrics)
	pep := &s.Metrics.Strategies[1]
	for _, row := range []struct {
		reason string
		is     func(*Estimate) bool
		want   reports.Estimate
	}{
		{"alignment after a question", func(e *Estimate) bool {
			return e.Strategy == "pep+b" && e.Measure == "alignment" && *e.Questions == 1
		}, pep.Alignment[1].Estimate},
		{"F1 at 4 before any", func(e *Estimate) bool {
			return e.Strategy == "pep+b" && e.Measure == "prediction.at.f1" && *e.Questions == 0 && *e.K == 4
		}, pep.Prediction[0].At[1].F1},
		{"the difference from the reference", func(e *Estimate) bool {
			return e.Strategy == "pep+b" && e.Measure == "difference" && e.Against == "none" && e.Resolved != nil
		}, pep.Difference.Estimate},
		{"a comparison, with why it is made", func(e *Estimate) bool {
			return e.Strategy == "pep+b" && e.Base == "pep" && e.Measure == "comparisons.alignment" && e.Against == "none" && e.Why == "reference"
		}, s.Metrics.Comparisons[0].Estimate},
	} {
		var got []*Estimate
		for i := range all {
			if row.is(&all[i]) {
				got = append(got, &all[i])
			}
		}
		if len(got) != 1 {
			t.Errorf("%s: %d lines", row.reason, len(got))
			continue
		}
		e := got[0]
		if !same(e.Value, row.want.Value) || !same(e.Lo, row.want.Lo) || !same(e.Hi, row.want.Hi) || *e.N != int64(row.want.N) || *e.Undefined != int64(row.want.Undefined) || *e.Clusters != int64(row.want.Clusters) {
			t.Errorf("%s: got %+v, want %+v", row.reason, *e, row.want)
		}
		if !e.Simulated || e.Run != "small run" || e.ConfigHash != "abc" || e.Data != "made-up" || e.DataVersion != "2" {
			t.Errorf("%s: of %+v", row.reason, *e)
		}
	}
	for i := range all {
		if e := &all[i]; e.Measure == "cluster_means" && e.Strategy == "none" && e.Scope == "t3" && !same(e.Value, s.Metrics.Strategies[0].ClusterMeans[3]) {
			t.Errorf("mean of a cluster: %+v", *e)
		}
	}
}

// same reports whether a number is that of metrics.json, nil where that is undefined.
func same(got *float64, want reports.Number) bool {
	if got == nil || !want.Defined() {
		return got == nil && !want.Defined()
	}
	return *got == math.Round(float64(want)*1e6)/1e6
}

// TestParquetGroups: rows are written group by group, so that many of them need no memory.
func TestParquetGroups(t *testing.T) {
	columns := []column{{"text", reflect.String}, {"flag", reflect.Bool}, {"whole", reflect.Int64}, {"real", reflect.Float64}}
	const n = 2*rowGroup + 10
	var b, c bytes.Buffer
	for _, t2 := range []struct {
		open func(io.Writer, []column) (table, error)
		to   io.Writer
	}{{newParquet, &b}, {newCSV, &c}} {
		tab, err := t2.open(t2.to, columns)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			row := []any{fmt.Sprint("row ", i%7), i%3 == 0, int64(-i), float64(i) / 3}
			if i%5 == 0 {
				row[0], row[1], row[2], row[3] = "", nil, nil, nil
			}
			if err := tab.row(row); err != nil {
				t.Fatal(err)
			}
		}
		if err := tab.close(); err != nil {
			t.Fatal(err)
		}
	}
	got, groups := columnsOf(t, b.Bytes())
	want, err := csv.NewReader(&c).ReadAll()
	if err != nil || groups != 3 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d groups, %d rows, %v; want 3 groups and the %d rows of the CSV file", groups, len(got), err, len(want))
	}
	if !bytes.Contains(b.Bytes(), []byte("pepbench version 1(build 0)")) && !bytes.Contains(b.Bytes(), []byte("pepbench version 1 (build 0)")) {
		t.Error("the file does not say who made it")
	}
}

// TestParseFormats: each once, in the order of naming; others are refused.
func TestParseFormats(t *testing.T) {
	for _, row := range []struct {
		reason string
		lists  []string
		want   []Format
		err    string
	}{
		{"none", nil, nil, ""},
		{"commas, blanks and repetition", []string{"csv, parquet", "lm-eval", "csv"}, []Format{CSV, Parquet, LMEval}, ""},
		{"one that is not there", []string{"csv,xlsx"}, nil, `no format "xlsx"; there are csv, parquet, json and lm-eval`},
		{"an empty one", []string{"csv,"}, nil, `no format ""; there are csv, parquet, json and lm-eval`},
	} {
		got, err := ParseFormats(row.lists...)
		if fmt.Sprint(err) != row.err && (err != nil || row.err != "") || !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, %v", row.reason, got, err)
		}
	}
}
