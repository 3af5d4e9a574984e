package reports

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"pepbench/bench/record"
)

// TestObserver: observers see every session that is used, once, with a place at which it
// can be read again.
func TestObserver(t *testing.T) {
	dir := synth{tasks: 2, users: 2, seeds: 1, criteria: 4, budget: 1}.write(t)
	file := journal(t, dir)
	var seen, also []string
	r, err := Load(dir, func(offset int64, length int, s *record.Session) {
		line, err := record.Line(s)
		if err != nil {
			t.Fatal(err)
		}
		if at := file[offset : offset+int64(length)]; !bytes.Equal(at, line) {
			t.Errorf("session %s stands at\n%swhere there is\n%s", s.ID, line, at)
		}
		seen = append(seen, s.ID)
	}, func(_ int64, _ int, s *record.Session) { also = append(also, s.ID) })
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != r.read || len(seen) != 40 || !reflect.DeepEqual(seen, also) {
		t.Errorf("the observers saw %d and %d of %d sessions", len(seen), len(also), r.read)
	}
}

// TestMostCriteria: the criteria of a task are those that most lines of the run name.
func TestMostCriteria(t *testing.T) {
	line := func(strategy string, seed int, task, criteria string) string {
		return fmt.Sprintf(`{"id":"x","strategy":%q,"seed":%d,"task":%q,"user":"u,\"criteria\":[]","criteria":%s,"truth":{}}`+"\n", strategy, seed, task, criteria)
	}
	a, b := `["a","b"]`, `["b","a"]`
	for _, row := range []struct {
		reason, file string
		want         map[string][]string
	}{
		{"no line, no task", "", map[string][]string{}},
		{"most of the task's lines, wherever they stand", line("s", 1, "t", b) + line("s", 1, "t", a) + line("s", 1, "t", a), map[string][]string{"t": {"a", "b"}}},
		{"of equally many the first", line("s", 1, "t", b) + line("s", 1, "t", a), map[string][]string{"t": {"b", "a"}}},
		{"each task has its own", line("s", 1, "t", a) + line("s", 1, "u", b), map[string][]string{"t": {"a", "b"}, "u": {"b", "a"}}},
		{"lines of another run have no vote", line("s", 2, "t", b) + line("x", 1, "t", b) + line("s", 1, "t", a), map[string][]string{"t": {"a", "b"}}},
		{"lines of another shape have none", `{"task":"t","strategy":"s","seed":1}` + "\n?\n" + line("s", 1, "t", a), map[string][]string{"t": {"a", "b"}}},
		{"criteria that are none choose none", line("s", 1, "t", `[1]`), map[string][]string{}},
		{"the last line may be torn behind them", strings.TrimSuffix(line("s", 1, "t", a), "}}\n"), map[string][]string{"t": {"a", "b"}}},
		{"lines longer than the buffer", strings.Replace(line("s", 1, "t", a), `"truth":{`, `"truth":{"x":"`+strings.Repeat("y", 3<<20)+`"`, 1) + line("s", 1, "u", b), map[string][]string{"t": {"a", "b"}, "u": {"b", "a"}}},
	} {
		got, err := mostCriteria(strings.NewReader(row.file), func(strategy, _ string, seed int) bool { return strategy == "s" && seed == 1 })
		if err != nil || !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: got %v, %v, want %v", row.reason, got, err, row.want)
		}
	}
	broken := errors.New("broken")
	if _, err := mostCriteria(iotest.ErrReader(broken), nil); !errors.Is(err, broken) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// journal is sessions.jsonl of a run.
func journal(t testing.TB, dir string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, record.SessionsFile))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
