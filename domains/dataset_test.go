package domains_test

import (
	"errors"
	"math"
	"testing"

	"pepbench/domains"
)

// small is a valid data set of two tasks and two users, for spoiling.
func small() *domains.Dataset {
	return &domains.Dataset{
		Name:     "small",
		Rubric:   domains.Amount,
		Criteria: []domains.Criterion{five("a"), five("b"), five("c")},
		Tasks: []domains.Task{
			{ID: "t0", Options: []domains.Option{{Label: "A", Text: "x"}, {Label: "B", Text: "y"}}, Answer: "B", Criteria: []int{0, 2}},
			{ID: "t1", Answer: "204", Criteria: []int{1}},
		},
		Users: []domains.User{{ID: "u0"}, {ID: "u1"}},
		Profiles: []domains.Profile{
			{Task: 0, User: 0, Cells: []domains.Cell{domains.At(1), domains.At(5)}, Weights: []float64{.25, .75}, Notes: make([]domains.Note, 2)},
			{Task: 0, User: 1, Cells: []domains.Cell{domains.NotHeld(), domains.Missing()}},
			{Task: 1, User: 0, Cells: []domains.Cell{domains.At(3)}},
		},
	}
}

func TestDatasetValidate(t *testing.T) {
	for _, tt := range []struct {
		reason string
		spoil  func(*domains.Dataset)
		want   string // empty: still valid
	}{
		{"valid", func(d *domains.Dataset) {}, ""},
		{"a right answer may be unknown", func(d *domains.Dataset) { d.Tasks[0].Answer = "" }, ""},
		{"rounding of weights is allowed", func(d *domains.Dataset) { d.Profiles[0].Weights = []float64{.2500004, .75} }, ""},
		{"no rubric", func(d *domains.Dataset) { d.Rubric = "" }, `data set small: rubric kind "" is none of amount, quality, none`},
		{"unknown rubric", func(d *domains.Dataset) { d.Rubric = "score" }, `data set small: rubric kind "score" is none of amount, quality, none`},
		{"nobody", func(d *domains.Dataset) { d.Profiles = nil }, `data set small: no profiles`},
		{"a bad criterion", func(d *domains.Dataset) { d.Criteria[1].Levels[4].Value = 4 }, `criterion "b": level 5 (4) does not rise above the one before (4)`},
		{"a criterion twice", func(d *domains.Dataset) { d.Criteria[2].ID = "a" }, `data set small: criterion "a" twice`},
		{"amounts have five levels", func(d *domains.Dataset) { d.Criteria[0].Levels = d.Criteria[0].Levels[:4] }, `data set small: criterion "a" has 4 levels, an amount rubric has five`},
		{"a task without id", func(d *domains.Dataset) { d.Tasks[1].ID = "" }, `data set small: task 1 has no usable id ("")`},
		{"a task id that breaks a table", func(d *domains.Dataset) { d.Tasks[1].ID = "t\t1" }, `data set small: task 1 has no usable id ("t\t1")`},
		{"a task twice", func(d *domains.Dataset) { d.Tasks[1].ID = "t0" }, `data set small: task "t0" twice`},
		{"criteria out of order", func(d *domains.Dataset) { d.Tasks[0].Criteria = []int{2, 0} }, `data set small: task "t0": admitted criteria are not ascending indices`},
		{"a criterion admitted twice", func(d *domains.Dataset) { d.Tasks[0].Criteria = []int{0, 0} }, `data set small: task "t0": admitted criteria are not ascending indices`},
		{"a criterion beyond the last", func(d *domains.Dataset) { d.Tasks[1].Criteria = []int{3} }, `data set small: task "t1": admitted criteria are not ascending indices`},
		{"a criterion before the first", func(d *domains.Dataset) { d.Tasks[1].Criteria = []int{-1} }, `data set small: task "t1": admitted criteria are not ascending indices`},
		{"an answer that cannot be chosen", func(d *domains.Dataset) { d.Tasks[0].Answer = "y" }, `data set small: task "t0": right answer "y" is none of its options`},
		{"a user without id", func(d *domains.Dataset) { d.Users[1].ID = "" }, `data set small: user 1 has no id`},
		{"a user twice", func(d *domains.Dataset) { d.Users[1].ID = "u0" }, `data set small: user "u0" twice`},
		{"a task beyond the last", func(d *domains.Dataset) { d.Profiles[2].Task = 2 }, `data set small: profile 2: task or user out of range`},
		{"a user before the first", func(d *domains.Dataset) { d.Profiles[0].User = -1 }, `data set small: profile 0: task or user out of range`},
		{"profiles out of order", func(d *domains.Dataset) { d.Profiles[0], d.Profiles[1] = d.Profiles[1], d.Profiles[0] }, `data set small: task "t0", user "u0": profile twice or out of order`},
		{"a profile twice", func(d *domains.Dataset) { d.Profiles[1].User = 0 }, `data set small: task "t0", user "u0": profile twice or out of order`},
		{"too few cells", func(d *domains.Dataset) { d.Profiles[0].Cells = d.Profiles[0].Cells[:1] }, `data set small: task "t0", user "u0": 1 cells for 2 criteria`},
		{"too few weights", func(d *domains.Dataset) { d.Profiles[0].Weights = []float64{1} }, `data set small: task "t0", user "u0": weights or notes do not line up with the cells`},
		{"too many notes", func(d *domains.Dataset) { d.Profiles[0].Notes = make([]domains.Note, 3) }, `data set small: task "t0", user "u0": weights or notes do not line up with the cells`},
		{"a value between levels", func(d *domains.Dataset) { d.Profiles[0].Cells[0] = domains.At(1.5) }, `data set small: task "t0", user "u0": value 1.5 of "a" is outside its levels`},
		{"a value above the levels", func(d *domains.Dataset) { d.Profiles[2].Cells[0] = domains.At(6) }, `data set small: task "t1", user "u0": value 6 of "b" is outside its levels`},
		{"a negative weight", func(d *domains.Dataset) { d.Profiles[0].Weights = []float64{-.5, 1.5} }, `data set small: task "t0", user "u0": weight -0.5 of "a"`},
		{"a weight that is not a number", func(d *domains.Dataset) { d.Profiles[0].Weights = []float64{.5, math.NaN()} }, `data set small: task "t0", user "u0": weight NaN of "c"`},
		{"weights that are not normalised", func(d *domains.Dataset) { d.Profiles[0].Weights = []float64{.25, .5} }, `data set small: task "t0", user "u0": weights sum to 0.75`},
	} {
		d := small()
		tt.spoil(d)
		err := d.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != tt.want || !errors.Is(err, domains.ErrData)) {
			t.Errorf("%s:\n got %v\nwant %s", tt.reason, err, tt.want)
		}
	}
}

// Inference.Tell uses the value of a nominal cell as an index.
func TestNominalLevelsAreIndices(t *testing.T) {
	c := scale(3, 7)
	c.Scale = domains.Nominal
	if err := c.Validate(); !errors.Is(err, domains.ErrData) {
		t.Errorf("got %v", err)
	}
}

func TestSparseSurveyBlind(t *testing.T) {
	d := small()
	if !d.Sparse() || d.Survey() {
		t.Error("small is sparse and no survey")
	}
	d.Profiles = d.Profiles[2:]
	d.Rubric = domains.NoRubric
	if d.Sparse() || !d.Survey() {
		t.Error("what is left is dense, and declared a survey")
	}
	blind := d.Tasks[0].Blind()
	if blind.Answer != "" || blind.Why != "" || blind.ID != "t0" || d.Tasks[0].Answer != "B" {
		t.Errorf("%+v", blind)
	}
	if c := d.CriteriaOf(0); len(c) != 2 || c[0].ID != "a" || c[1].ID != "c" {
		t.Errorf("%v", c)
	}
}

// The command maps causes to exit codes, so both must be found in the error.
func TestDataError(t *testing.T) {
	cause := errors.New("cause")
	for _, tt := range []struct {
		reason string
		err    *domains.DataError
		want   string
	}{
		{"all of it", &domains.DataError{File: "f", Line: 3, What: "wrong", Mend: "mend it", Err: cause}, "f:3: wrong (cause); mend it"},
		{"no line", &domains.DataError{File: "f", What: "wrong"}, "f: wrong"},
		{"a line of no file is not shown", &domains.DataError{Line: 3, What: "wrong"}, "wrong"},
	} {
		if tt.err.Error() != tt.want {
			t.Errorf("%s: %s", tt.reason, tt.err)
		}
		if !errors.Is(tt.err, domains.ErrData) || errors.Is(tt.err, cause) != (tt.err.Err != nil) {
			t.Errorf("%s: does not wrap what it should", tt.reason)
		}
	}
}

// Seeds of recorded runs depend on Hash; it must not change.
func TestHash(t *testing.T) {
	if a, b := domains.Hash("ab", "c"), domains.Hash("a", "bc"); a == b {
		t.Error("parts run together")
	}
	if got := domains.Hash(); got != 14695981039346656037 {
		t.Errorf("the offset of 64-bit FNV-1a is %d", got)
	}
	// FNV-1a of "a" and a zero byte: one more step with byte 0 is one more
	// multiplication.
	const a = 0xaf63dc4c8601ec8c // published test vector of FNV-1a("a")
	prime := uint64(1099511628211)
	if got := domains.Hash("a"); got != uint64(a)*prime {
		t.Errorf("got %#x", got)
	}
}
