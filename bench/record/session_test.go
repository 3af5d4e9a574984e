package record

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pepbench/domains"
)

var nan = math.NaN()

// same compares numbers; NaN is the same as NaN.
func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func TestFloatsJSON(t *testing.T) {
	for _, row := range []struct {
		reason string
		in     Floats
		want   string
	}{
		{"no array is null", nil, "null"},
		{"an array of nothing stays one", Floats{}, "[]"},
		{"unknown is null", Floats{nan, 1, nan}, "[null,1,null]"},
		{"no exponent and no needless digits", Floats{0.5, 1e-6, 1e7, -2, 0}, "[0.5,0.000001,10000000,-2,0]"},
	} {
		got, err := json.Marshal(row.in)
		if err != nil || string(got) != row.want {
			t.Errorf("%s: got %s, %v, want %s", row.reason, got, err, row.want)
			continue
		}
		var back Floats
		if err := json.Unmarshal(got, &back); err != nil {
			t.Errorf("%s: %v", row.reason, err)
		}
		if (back == nil) != (row.in == nil) || !slices.EqualFunc(back, row.in, same) {
			t.Errorf("%s: came back as %v, was %v", row.reason, back, row.in)
		}
	}
	for _, row := range []struct {
		reason string
		v      float64
	}{{"an infinity has no place on disk", math.Inf(1)}, {"nor has the other", math.Inf(-1)}} {
		if b, err := json.Marshal(Floats{0, row.v}); err == nil {
			t.Errorf("%s: written as %s", row.reason, b)
		}
	}
	for _, row := range []struct{ reason, in string }{
		{"not an array", `{"a":1}`},
		{"a text is not a number", `[1,"2"]`},
		{"truth is not a number", `[true]`},
		{"a number that no float holds", `[1e999]`},
	} {
		var f Floats
		if err := json.Unmarshal([]byte(row.in), &f); err == nil {
			t.Errorf("%s: %s was read as %v", row.reason, row.in, f)
		}
	}
}

// FuzzFloats holds arrays and cells to what encoding/json makes of them, number by number.
func FuzzFloats(f *testing.F) {
	for _, seed := range []string{"null", "[]", "[ ]", "[1,null]", "[ -0.5 ,\n1e3]", "[1e999]", "[[1]]", `["1,2"]`, "[true]", "{}", "[0.1234567890123456789]", "-0", "false", "1e-400", `"x"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var want []*float64
		var got Floats
		werr, err := json.Unmarshal(b, &want), json.Unmarshal(b, &got)
		if (werr == nil) != (err == nil) {
			t.Fatalf("%q: %v, want %v", b, err, werr)
		}
		if err == nil && ((got == nil) != (want == nil) || !slices.EqualFunc(got, want, func(v float64, w *float64) bool {
			return w == nil && math.IsNaN(v) || w != nil && math.Float64bits(v) == math.Float64bits(*w)
		})) {
			t.Errorf("%q: read as %v", b, got)
		}
		var cell domains.Cell
		var v *float64
		werr, err = json.Unmarshal(b, &v), json.Unmarshal(b, &cell)
		switch {
		case string(bytes.TrimSpace(b)) == "false":
			if err != nil || !cell.IsNotHeld() {
				t.Errorf("%q: %v, %v", b, cell, err)
			}
		case (werr == nil) != (err == nil):
			t.Errorf("%q: %v, want %v", b, err, werr)
		case err == nil && (v == nil) != cell.IsMissing(), err == nil && v != nil && cell.Value() != *v:
			t.Errorf("%q: read as %v", b, cell)
		}
	})
}

func TestRound(t *testing.T) {
	for _, row := range []struct {
		reason   string
		in, want float64
	}{
		{"six decimals stay", 0.123456, 0.123456},
		{"the seventh is rounded", 0.1234567, 0.123457},
		{"halves away from zero", 0.0000005, 0.000001},
		{"below zero as above", -0.1234567, -0.123457},
		{"unknown stays unknown", nan, nan},
		{"large numbers have no seventh decimal", 123456789012.25, 123456789012.25},
		{"the largest number does not overflow", math.MaxFloat64, math.MaxFloat64},
	} {
		if got := Round(row.in); !same(got, row.want) {
			t.Errorf("%s: %v became %v, want %v", row.reason, row.in, got, row.want)
		}
	}
	// What was read is what was written: rounding twice changes nothing.
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		v := (rng.Float64() - 0.5) * math.Pow(10, float64(rng.IntN(25)-8))
		once := Round(v)
		if twice := Round(once); twice != once {
			t.Fatalf("%v is rounded to %v and that to %v", v, once, twice)
		}
		if math.Abs(once-v) > 5.1e-7+math.Abs(v)*1e-15 {
			t.Fatalf("%v is rounded to %v", v, once)
		}
	}
}

func TestInferenceJSON(t *testing.T) {
	f := domains.Inference{
		Held:   []float64{1, 0, nan, 1. / 3},
		Value:  []float64{4, nan, nan, 2.0000004},
		Levels: [][]float64{nil, {2. / 3, 1. / 3}, nil, nil},
	}
	rec := NewInference(f)
	f.Held[0], f.Levels[1][0] = 0.25, 0.25 // the record is a copy
	const want = `{"held":[1,0,null,0.333333],"value":[4,null,null,2],"levels":[null,[0.666667,0.333333],null,null]}`
	got, err := json.Marshal(rec)
	if err != nil || string(got) != want {
		t.Fatalf("got %s, %v, want %s", got, err, want)
	}
	var back Inference
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != want {
		t.Errorf("came back as %s, %v", again, err)
	}
	if back.Levels[0] != nil || !math.IsNaN(back.Held[2]) {
		t.Errorf("what is unknown came back as %v and %v", back.Levels[0], back.Held[2])
	}

	plain, err := json.Marshal(NewInference(domains.NewInference(2)))
	if want := `{"held":[null,null],"value":[null,null]}`; err != nil || string(plain) != want {
		t.Errorf("without nominal criteria: got %s, %v, want %s", plain, err, want)
	}
	if b, err := json.Marshal(NewInference(domains.Inference{Held: []float64{math.Inf(1)}, Value: []float64{1}})); err == nil {
		t.Errorf("an infinite probability is written as %s", b)
	}
}

// TestSessionRoundTrip writes a session with something in every field and reads it
// again.
func TestSessionRoundTrip(t *testing.T) {
	s := whole("pep/1/t/u")
	line, err := Line(s)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(line), "\n") != 1 || !strings.HasPrefix(string(line), `{"id":"pep/1/t/u",`) {
		t.Errorf("a session is one line that begins with its id, got %s", line)
	}
	for _, want := range []string{`"cells":[null,false,4]`, `"weights":[0,0,1]`, `5 < 6 & "so on"`, `"raw":null`, `"correct":null`} {
		if !strings.Contains(strings.ReplaceAll(string(line), `\"`, `"`), want) {
			t.Errorf("the line lacks %s: %s", want, line)
		}
	}
	var back Session
	if err := json.Unmarshal(line, &back); err != nil {
		t.Fatal(err)
	}
	again, err := Line(&back)
	if err != nil || string(again) != string(line) {
		t.Errorf("came back as %s, %v", again, err)
	}
	for i, c := range s.Truth.Cells {
		if !back.Truth.Cells[i].Equal(c) {
			t.Errorf("cell %d came back as %v, was %v", i, back.Truth.Cells[i], c)
		}
	}
	// Fields that the fixture forgets would not be tested.
	empty(t, reflect.ValueOf(*s), "Session")
}

// empty complains of fields that have their zero value wherever they occur.
func empty(t *testing.T, v reflect.Value, name string) {
	t.Helper()
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			if v.Field(i).IsZero() && !slices.Contains([]string{"Position", "Raw", "Correct"}, f.Name) {
				t.Errorf("%s.%s is left out of the fixture", name, f.Name)
			}
			empty(t, v.Field(i), name+"."+f.Name)
		}
	case reflect.Slice:
		if v.Len() > 0 && v.Type().Elem().Kind() == reflect.Struct {
			empty(t, v.Index(0), name+"[0]")
		}
	case reflect.Pointer:
		if !v.IsNil() {
			empty(t, v.Elem(), name)
		}
	}
}

func ptr[T any](v T) *T { return &v }

// whole is a session with something in every field.
func whole(id string) *Session {
	knows := func(p float64) Inference {
		return NewInference(domains.Inference{Held: []float64{nan, nan, p}, Value: []float64{nan, nan, 4}, Levels: [][]float64{{p, 1 - p}, nil, nil}})
	}
	return &Session{
		ID: id, Strategy: "pep", Seed: 1, Task: "t", User: "u",
		Criteria: []string{"a", "b", "c"},
		Truth:    Truth{Cells: []domains.Cell{domains.Missing(), domains.NotHeld(), domains.At(4)}, Weights: Floats{0, 0, 1}, Askable: []bool{false, true, true}},
		Prior:    knows(0.25),
		Turns: []Turn{
			{
				Question: 2, Asked: "Well?", Answer: domains.At(4), OffScale: ptr(4.5), Said: "much", State: StateAside, By: "rule",
				Volunteered: []Volunteered{{1, domains.NotHeld()}}, Again: []domains.Cell{domains.At(1)}, OffLog: OffLogTask, Scores: []Scored{{2, 0.5}, {1, 0.25}}, Inference: knows(1),
				Counterfactual: &Counterfactual{Answer: domains.NotHeld(), Next: -1},
			},
			{Question: 1, Answer: domains.NotHeld(), Inference: knows(0.75)},
		},
		Stop: StopBudget,
		Checkpoints: []Checkpoint{
			{
				Questions: 2, Carried: true, Instructed: []int{2}, Wanted: Floats{4}, Response: "one\ntwo",
				Scores: []Score{{Position: 2, Level: ptr(3), Score: ptr(4.), Reason: `5 < 6 & "so on"`, Unscored: "never both", Judge: "j", Repeats: Floats{4, math.NaN()}, Levels: Floats{3, math.NaN()}, Before: ptr(2.), BeforeLevel: ptr(4.5)}},
				Raw:    ptr(4.), Correct: ptr(true), CorrectReason: "states B",
			},
			{Questions: 0, Scores: []Score{{Position: 2, Unscored: "no reply", Judge: "j"}}},
		},
		Calls:      []RoleCalls{{Role: "solver", Calls: 3, Repairs: 2, TokensIn: 100, TokensOut: 20, Uncounted: 1, Unread: []string{"it is empty"}}},
		StopOffLog: OffLogHistory, Error: "something",
	}
}

func TestRaw(t *testing.T) {
	weights := []float64{0.5, 0.3, 0.2, 0}
	weight := func(i int) float64 { return weights[i] }
	at := func(position int, score float64) Score { return Score{Position: position, Score: &score} }
	for _, row := range []struct {
		reason string
		scores []Score
		want   float64
		ok     bool
	}{
		{"0.5 x 4 + 0.3 x 2 + 0.2 x 5", []Score{at(0, 4), at(1, 2), at(2, 5)}, 3.6, true},
		{"weights are those of the positions, whatever the order", []Score{at(2, 5), at(0, 4), at(1, 2)}, 3.6, true},
		{"a part is divided by its own weight: (0.3 x 2 + 0.2 x 5) / 0.5", []Score{at(1, 2), at(2, 5)}, 3.2, true},
		{"the lowest score counts as any other", []Score{at(0, 1), at(1, 1), at(2, 1)}, 1, true},
		{"and pulls the mean down: 0.5 x 1 + 0.5 x 5", []Score{at(0, 1), at(1, 5), at(2, 5)}, 3, true},
		{"what weighs nothing changes nothing", []Score{at(0, 4), at(3, 1)}, 4, true},
		{"one criterion unscored", []Score{at(0, 4), {Position: 1, Unscored: "no reply"}, at(2, 5)}, 0, false},
		{"unscored, though it weighs nothing", []Score{at(0, 4), {Position: 3}}, 0, false},
		{"nothing is held", nil, 0, false},
		{"nothing has a weight", []Score{at(3, 5)}, 0, false},
	} {
		got, ok := Raw(row.scores, weight)
		if ok != row.ok || math.Abs(got-row.want) > 1e-12 {
			t.Errorf("%s: got %v, %v, want %v, %v", row.reason, got, ok, row.want, row.ok)
		}
	}
	// A mean of scores lies among them, so none of 1..5 can become 0.
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		var scores []Score
		var w []float64
		for i := range 1 + rng.IntN(6) {
			scores = append(scores, at(i, float64(1+rng.IntN(5))))
			w = append(w, 0.01+rng.Float64())
		}
		got, ok := Raw(scores, func(i int) float64 { return w[i] })
		if a := Alignment(got); !ok || a < -1e-9 || a > 100+1e-9 {
			t.Fatalf("scores %v under weights %v give raw %v, %v, alignment %v", scores, w, got, ok, a)
		}
	}
}

func TestTruthWeight(t *testing.T) {
	cells := []domains.Cell{domains.At(3), domains.NotHeld(), domains.Missing(), domains.At(5)}
	for _, row := range []struct {
		reason  string
		weights Floats
		want    []float64
	}{
		{"without weights, what is held weighs the same", nil, []float64{0.5, 0, 0, 0.5}},
		{"weights of what is not held do not count", Floats{0.75, 0.5, 0.5, 0.25}, []float64{0.75, 0, 0, 0.25}},
	} {
		truth := Truth{Cells: cells, Weights: row.weights}
		for i, want := range row.want {
			if got := truth.Weight(i); got != want {
				t.Errorf("%s: position %d weighs %v, want %v", row.reason, i, got, want)
			}
		}
	}
}

func TestAlignment(t *testing.T) {
	for _, row := range []struct {
		reason    string
		raw, want float64
	}{
		{"the lowest", 1, 0},
		{"the highest", 5, 100},
		{"the middle", 3, 50},
		{"a quarter", 2, 25},
	} {
		if got := Alignment(row.raw); got != row.want {
			t.Errorf("%s: raw %v gives %v, want %v", row.reason, row.raw, got, row.want)
		}
	}
}

func TestCarriedForward(t *testing.T) {
	s := &Session{Prior: Inference{Held: Floats{0}}, Turns: []Turn{{Inference: Inference{Held: Floats{1}}}, {Inference: Inference{Held: Floats{2}}}}}
	for _, row := range []struct {
		reason string
		n      int
		want   float64
	}{
		{"before any question", 0, 0},
		{"after the first", 1, 1},
		{"after the last", 2, 2},
		{"a session that stopped earlier is carried forward", 5, 2},
		{"below nothing there is nothing", -1, 0},
	} {
		if got := s.Inference(row.n).Held[0]; got != row.want {
			t.Errorf("%s: got the inference after %v questions, want %v", row.reason, got, row.want)
		}
	}
	none := &Session{Prior: Inference{Held: Floats{7}}}
	if got := none.Inference(3).Held[0]; got != 7 {
		t.Errorf("a session without questions is its prior, got %v", got)
	}
}

func TestCheckpoint(t *testing.T) {
	s := &Session{Checkpoints: []Checkpoint{{Questions: 0, Response: "a"}, {Questions: 2, Response: "b"}, {Questions: 5, Response: "c"}}}
	for _, row := range []struct {
		reason string
		n      int
		want   string // empty: none
	}{
		{"the first", 0, "a"},
		{"found by number, not by place", 2, "b"},
		{"the last", 5, "c"},
		{"a number in between has none", 1, ""},
		{"nor has one past the end", 6, ""},
	} {
		c := s.Checkpoint(row.n)
		if got := c != nil; got != (row.want != "") || got && c.Response != row.want {
			t.Errorf("%s: checkpoint %d is %+v", row.reason, row.n, c)
		}
	}
	s.Checkpoint(2).Response = "changed"
	if s.Checkpoints[1].Response != "changed" {
		t.Error("a checkpoint is the session's own, not a copy")
	}
}

func TestSaid(t *testing.T) {
	ptr, score := func(n int) *int { return &n }, 4.
	for _, row := range []struct {
		reason string
		s      Score
		want   float64
	}{
		{"the level, which is not the score", Score{Level: ptr(2), Score: &score}, 2},
		{"the score where there are no levels", Score{Score: &score}, 4},
		{"the mean of all levels", Score{Levels: Floats{2, 4, 3}, Score: &score}, 3},
		{"those that there are", Score{Levels: Floats{2, math.NaN()}, Level: ptr(2), Score: &score}, 2},
		{"repeats of scores", Score{Repeats: Floats{3, 5}, Score: &score}, 4},
		{"unscored", Score{Unscored: "no reply"}, math.NaN()},
		{"every repeat unscored", Score{Levels: Floats{math.NaN(), math.NaN()}}, math.NaN()},
	} {
		if got := row.s.Said(); got != row.want && !(math.IsNaN(got) && math.IsNaN(row.want)) {
			t.Errorf("%s: %v, want %v", row.reason, got, row.want)
		}
	}
}
