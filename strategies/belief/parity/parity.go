package parity

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"pepbench/domains"
	"pepbench/domains/prefdisco"
)

// Variable names the environment variable with the folder to read instead of the
// excerpt in the repository.
const Variable = "PEPBENCH_PARITY"

// Tolerance below which the reference's choices and rankings count as ties.
const Tolerance = 1e-9

// A Reference is a folder, read.
type Reference struct {
	Golden
	Data        *domains.Dataset // filtered
	Dropped     int              // profiles that the filter dropped
	Train, Test []int            // profiles

	sessions map[string]int // problem_id: profile
	file     func(name string) (io.ReadCloser, error)
}

// Golden is golden.json.
type Golden struct {
	Dataset string `json:"dataset"`
	Config  struct {
		Budget   int     `json:"budget"`
		MaxShare float64 `json:"per_problem_max"`
		MinUsers int     `json:"min_users"`
		TopK     []int   `json:"top_k"`
	} `json:"config"`
	Empty        int      `json:"n_dropped_zero_criteria"`
	TestProblems []string `json:"test_problems"`
	NumSessions  int      `json:"n_sessions"`
	Problems     map[string]struct {
		Criteria []string `json:"criteria"`
	} `json:"problems"`
	Results map[string]map[string]struct {
		Steps []map[string]float64 `json:"by_step"`
	} `json:"results"` // by model and strategy
}

// An Asked is one session of a deterministic strategy.
type Asked struct {
	Model    string     `json:"model"`
	Strategy string     `json:"strategy"`
	Problem  string     `json:"problem_id"`
	Asked    []string   `json:"asked"`
	Answers  []*float64 `json:"answers"` // null: not held
	Gap      []float64  `json:"gap"`     // score of the choice over the runner-up, 0 when unknown
}

// Decided reports whether the t-th choice was no tie.
func (a *Asked) Decided(t int) bool { return t < len(a.Gap) && a.Gap[t] > Tolerance }

// Cell is the answer to the t-th question.
func (a *Asked) Cell(t int) domains.Cell {
	if a.Answers[t] == nil {
		return domains.NotHeld()
	}
	return domains.At(*a.Answers[t])
}

// A Ranking has the criteria with the largest P(held) after every answer.
type Ranking struct {
	Model    string  `json:"model"`
	Strategy string  `json:"strategy"`
	Problem  string  `json:"problem_id"`
	Top      [][]int `json:"top6"`
}

// A Prediction is one session with what was believed at every step.
type Prediction struct {
	Model    string   `json:"model"`
	Problem  string   `json:"problem_id"`
	Criteria []string `json:"criteria"`
	Steps    []struct {
		Held   []Told    `json:"observed_has"`
		Not    []string  `json:"observed_not_has"`
		P      []float64 `json:"pred_has"`
		Values []float64 `json:"pred_val"`
	} `json:"steps"`
}

// A Told is a held criterion with its value, [name, value] in the file.
type Told struct {
	Criterion string
	Value     float64
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Told) UnmarshalJSON(b []byte) error { return tuple(b, &t.Criterion, &t.Value) }

// Statistics are population_statistics.json.
type Statistics struct {
	Priors map[string]struct {
		Has   float64 `json:"prior_has"`
		Value float64 `json:"prior_val"`
		Rows  int     `json:"count"`
	} `json:"priors"`
	Held         map[string]int `json:"single_counts"`
	Similarity   []Pair         `json:"similarity"`
	Conditionals []Conditional  `json:"pairwise_cond"`
	Correlation  []Pair         `json:"value_corr"`
}

// A Pair is [c1, c2, value], symmetric.
type Pair struct {
	C, D  string
	Value float64
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *Pair) UnmarshalJSON(b []byte) error { return tuple(b, &p.C, &p.D, &p.Value) }

// A Conditional is [c, d, P(d|c), P(d|not c), P(c|d), P(c|not d)].
type Conditional struct {
	C, D                 string
	DC, DNotC, CD, CNotD float64
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Conditional) UnmarshalJSON(b []byte) error {
	return tuple(b, &c.C, &c.D, &c.DC, &c.DNotC, &c.CD, &c.CNotD)
}

// tuple reads a JSON array of known length.
func tuple(b []byte, dst ...any) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	if len(raw) != len(dst) {
		return fmt.Errorf("array of %d, want %d", len(raw), len(dst))
	}
	for i := range raw {
		if err := json.Unmarshal(raw[i], dst[i]); err != nil {
			return err
		}
	}
	return nil
}

// Ties are ties.json.
type Ties struct {
	By map[string]map[string]struct {
		F1 struct {
			Official float64 `json:"official"`
			LowIndex float64 `json:"low_index_first"`
		} `json:"f1_5_percent"`
	} `json:"by_model_strategy"`
}

// Adaptivity is adaptivity.json.
type Adaptivity struct {
	By map[string]map[string]struct {
		Pairs       int64   `json:"pairs"`
		Differ      int64   `json:"differs"`
		Held        int64   `json:"yesno_pairs"`
		HeldDiffer  int64   `json:"yesno_differs"`
		Same        int64   `json:"same_history_yesno_pairs"`
		SameDiffer  int64   `json:"same_history_yesno_differs"`
		Fraction    float64 `json:"fraction"`
		HeldShare   float64 `json:"yesno_fraction"`
		SameShare   float64 `json:"same_history_yesno_fraction"`
		NumSessions int     `json:"sessions"`
	} `json:"by_model_strategy"`
}

// Load reads golden.json and the data of the folder that Variable names, or of
// dir; the other files are read when asked for.
func Load(dir string) (*Reference, error) {
	if other := os.Getenv(Variable); other != "" {
		dir = other
	}
	r := &Reference{sessions: map[string]int{}}
	r.file = func(name string) (io.ReadCloser, error) { return open(filepath.Join(dir, name)) }
	if err := r.document("golden.json", &r.Golden); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, r.Dataset+".jsonl")
	if _, err := os.Stat(path); err != nil {
		path += ".gz"
	}
	all, err := prefdisco.Load(path, prefdisco.Options{})
	if err != nil {
		return nil, err
	}
	r.Data, err = domains.Filter{MinUsers: r.Config.MinUsers, MaxShare: r.Config.MaxShare}.Apply(all)
	if err != nil {
		return nil, err
	}
	r.Dropped = len(all.Profiles) - len(r.Data.Profiles)
	split := domains.Splitter{By: "task"}
	for _, p := range r.TestProblems {
		split.TestIDs = append(split.TestIDs, taskID(p))
	}
	parts, err := split.Split(r.Data)
	if err != nil {
		return nil, err
	}
	r.Train, r.Test = parts.Train, parts.Test
	return r, r.name()
}

// taskID is the loader's name of a problem.
func taskID(problem string) string { return "problem_" + problem }

// name finds the profile of every line of the data, whose problem_id the loader
// keeps only of personas without an id of their own.
func (r *Reference) name() error {
	type place struct{ task, user string }
	at := map[place]int{}
	for i := range r.Data.Profiles {
		p := &r.Data.Profiles[i]
		at[place{r.Data.Tasks[p.Task].ID, r.Data.Users[p.User].ID}] = i
	}
	return r.lines(r.Dataset+".jsonl", func(b []byte) error {
		var line struct {
			Type    string          `json:"type"`
			ID      string          `json:"problem_id"`
			Persona json.RawMessage `json:"persona"`
		}
		if err := json.Unmarshal(b, &line); err != nil || line.Type != "personalized_problem" {
			return err
		}
		problem, persona, ok := strings.Cut(line.ID, "_persona_")
		if !ok {
			return fmt.Errorf("problem_id %q", line.ID)
		}
		users := []string{line.ID, "persona_" + persona} // the line's own, or the persona's
		var fields map[string]json.RawMessage
		if json.Unmarshal(line.Persona, &fields) == nil {
			for _, name := range []string{"persona_id", "id"} {
				if raw, ok := fields[name]; ok {
					users[1] = strings.Trim(string(raw), `"`)
					json.Unmarshal(raw, &users[1]) // a number stays as it is written
				}
			}
		}
		for _, u := range users {
			if i, ok := at[place{problem, u}]; ok {
				r.sessions[line.ID] = i
				break
			}
		}
		return nil
	})
}

// Profile gives the test profile with the given problem_id.
func (r *Reference) Profile(problemID string) (*domains.Profile, error) {
	i, ok := r.sessions[problemID]
	if !ok {
		return nil, fmt.Errorf("no session %q in the data", problemID)
	}
	return &r.Data.Profiles[i], nil
}

// Criteria gives the criteria of the profile's task, and where each name is.
func (r *Reference) Criteria(p *domains.Profile) (criteria []int, at map[string]int) {
	criteria = r.Data.Tasks[p.Task].Criteria
	at = map[string]int{}
	for j, c := range criteria {
		at[r.Data.Criteria[c].Name] = j
	}
	return criteria, at
}

// Task gives the task of a test problem.
func (r *Reference) Task(problem string) *domains.Task {
	for i := range r.Data.Tasks {
		if r.Data.Tasks[i].ID == taskID(problem) {
			return &r.Data.Tasks[i]
		}
	}
	return nil
}

// Statistics reads population_statistics.json.
func (r *Reference) Statistics() (s Statistics, err error) {
	return s, r.document("population_statistics.json", &s)
}

// Predictions reads predictions.json.
func (r *Reference) Predictions() (p []Prediction, err error) {
	return p, r.document("predictions.json", &p)
}

// Ties reads ties.json.
func (r *Reference) Ties() (t Ties, err error) { return t, r.document("ties.json", &t) }

// Adaptivity reads adaptivity.json.
func (r *Reference) Adaptivity() (a Adaptivity, err error) {
	return a, r.document("adaptivity.json", &a)
}

// Asked reads asked.jsonl.
func (r *Reference) Asked() (out []Asked, err error) {
	return out, r.lines("asked.jsonl", func(b []byte) error {
		var a Asked
		if err := json.Unmarshal(strict(b), &a); err != nil {
			return err
		}
		if len(a.Asked) != len(a.Answers) {
			return fmt.Errorf("%d questions, %d answers", len(a.Asked), len(a.Answers))
		}
		out = append(out, a)
		return nil
	})
}

// Rankings reads rankings.jsonl.
func (r *Reference) Rankings() (out []Ranking, err error) {
	return out, r.lines("rankings.jsonl", func(b []byte) error {
		var k Ranking
		err := json.Unmarshal(b, &k)
		out = append(out, k)
		return err
	})
}

// strict writes the Infinity and NaN of Python's JSON, outside of strings, as a
// large number and as null.
func strict(b []byte) []byte {
	out := make([]byte, 0, len(b))
	quoted := false
	for i := 0; i < len(b); i++ {
		rest := b[i:]
		switch {
		case b[i] == '\\' && quoted && i+1 < len(b):
			out = append(out, b[i], b[i+1])
			i++
			continue
		case b[i] == '"':
			quoted = !quoted
		case !quoted && bytes.HasPrefix(rest, []byte("Infinity")):
			out = append(out, "1e300"...)
			i += len("Infinity") - 1
			continue
		case !quoted && bytes.HasPrefix(rest, []byte("NaN")):
			out = append(out, "null"...)
			i += len("NaN") - 1
			continue
		}
		out = append(out, b[i])
	}
	return out
}

func (r *Reference) document(name string, v any) error {
	f, err := r.file(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := json.NewDecoder(f).Decode(v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (r *Reference) lines(name string, each func([]byte) error) error {
	f, err := r.file(name)
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<24)
	for line := 1; s.Scan(); line++ {
		if err := each(s.Bytes()); err != nil {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
	}
	return s.Err()
}

// open opens a file, or the one with .gz.
func open(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err == nil {
		return f, nil
	}
	f, err = os.Open(path + ".gz")
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{z, f}, nil
}
