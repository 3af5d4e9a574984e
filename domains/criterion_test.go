package domains_test

import (
	"errors"
	"math"
	"testing"

	"pepbench/domains"
)

func scale(values ...float64) *domains.Criterion {
	c := &domains.Criterion{ID: "c", Name: "c"}
	for _, v := range values {
		c.Levels = append(c.Levels, domains.Level{Value: v})
	}
	return c
}

func TestNearest(t *testing.T) {
	continuous := &domains.Criterion{Scale: domains.Continuous, Max: 1}
	for _, tt := range []struct {
		reason string
		c      *domains.Criterion
		v      float64
		want   int
	}{
		{"a level itself", scale(1, 2, 3, 4, 5), 3, 2},
		{"the lower of two equally near", scale(1, 2, 3, 4, 5), 2.5, 1},
		{"the lower of two below zero", scale(-1, 0, 1), -.5, 0},
		{"just above the middle", scale(1, 2), math.Nextafter(1.5, 2), 1},
		{"just below the middle", scale(1, 2), math.Nextafter(1.5, 1), 0},
		{"below all", scale(1, 2), -9, 0},
		{"above all", scale(1, 2), 9, 1},
		{"so far above that all distances round to one", scale(1, 2), 1e300, 1},
		{"infinitely far", scale(1, 2), math.Inf(1), 1},
		{"levels that are not evenly spaced", scale(0, 5, 10), 7.5, 1},
		{"not a number", scale(1, 2), math.NaN(), -1},
		{"continuous has no levels", continuous, .5, -1},
		{"no levels", scale(), 1, -1},
	} {
		if got := tt.c.Nearest(tt.v); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.reason, got, tt.want)
		}
	}
}

func TestSnap(t *testing.T) {
	continuous := &domains.Criterion{Scale: domains.Continuous, Min: -1, Max: 3}
	for _, tt := range []struct {
		reason  string
		c       *domains.Criterion
		v, want float64
	}{
		{"a level stays", scale(1, 2, 3), 2, 2},
		{"between levels, the lower of two equally near", scale(1, 2, 3), 2.5, 2},
		{"above all levels", scale(1, 2, 3), 40, 3},
		{"inside a range", continuous, 0.25, 0.25},
		{"outside of it", continuous, -7, -1},
	} {
		if got := tt.c.Snap(tt.v); !got.Equal(domains.At(tt.want)) {
			t.Errorf("%s: %v, want %v", tt.reason, got, tt.want)
		}
	}
}

func TestRangeAllowsLevelOf(t *testing.T) {
	nominal := &domains.Criterion{Scale: domains.Nominal, Levels: scale(0, 1, 2).Levels}
	continuous := &domains.Criterion{Scale: domains.Continuous, Min: -1, Max: 3}
	for _, tt := range []struct {
		reason   string
		c        *domains.Criterion
		distance float64
		in, out  []float64
	}{
		{"five levels", scale(1, 2, 3, 4, 5), 4, []float64{1, 5}, []float64{0, 6, 2.5, math.NaN()}},
		{"votes", scale(-1, 0, 1), 2, []float64{-1, 0, 1}, []float64{.5, math.Inf(1)}},
		{"nominal values are right or wrong", nominal, 1, []float64{0, 2}, []float64{3, -1}},
		{"a range", continuous, 4, []float64{-1, 0.1, 3}, []float64{-1.1, 3.1, math.NaN(), math.Inf(-1)}},
		{"no levels", scale(), 0, nil, []float64{0}},
	} {
		if got := tt.c.Range(); got != tt.distance {
			t.Errorf("%s: range %v, want %v", tt.reason, got, tt.distance)
		}
		for _, v := range tt.in {
			if !tt.c.Allows(v) {
				t.Errorf("%s: %v is not allowed", tt.reason, v)
			}
			if tt.c.Scale != domains.Continuous && tt.c.Levels[tt.c.LevelOf(v)].Value != v {
				t.Errorf("%s: LevelOf(%v) is %d", tt.reason, v, tt.c.LevelOf(v))
			}
		}
		for _, v := range tt.out {
			if tt.c.Allows(v) || tt.c.LevelOf(v) != -1 {
				t.Errorf("%s: %v is allowed", tt.reason, v)
			}
		}
	}
}

func TestCriterionValidate(t *testing.T) {
	with := func(change func(*domains.Criterion)) *domains.Criterion {
		c := five("c")
		change(&c)
		return &c
	}
	for _, tt := range []struct {
		reason string
		c      *domains.Criterion
		want   string // empty: valid
	}{
		{"five levels", with(func(*domains.Criterion) {}), ""},
		{"two levels", scale(0, 1), ""},
		{"continuous without levels", &domains.Criterion{ID: "c", Name: "c", Scale: domains.Continuous, Max: 1}, ""},
		{"no id", with(func(c *domains.Criterion) { c.ID = "" }), `criterion "c" has no id`},
		{"no name", with(func(c *domains.Criterion) { c.Name = "" }), `criterion "c" has no name`},
		{"no levels", scale(), `criterion "c" has 0 levels; give at least two`},
		{"one level", scale(1), `criterion "c" has 1 levels; give at least two`},
		{"levels that fall", scale(2, 1), `criterion "c": level 2 (1) does not rise above the one before (2)`},
		{"levels that repeat", scale(1, 1), `criterion "c": level 2 (1) does not rise above the one before (1)`},
		{"a level that is not a number", scale(1, math.NaN()), `criterion "c": level 2 is not a finite number`},
		{"an infinite level", scale(math.Inf(-1), 1), `criterion "c": level 1 is not a finite number`},
		{"an empty range", &domains.Criterion{ID: "c", Name: "c", Scale: domains.Continuous, Min: 2, Max: 2}, `criterion "c": range 2..2 is empty or not finite`},
		{"a range without end", &domains.Criterion{ID: "c", Name: "c", Scale: domains.Continuous, Max: math.Inf(1)}, `criterion "c": range 0..+Inf is empty or not finite`},
		{"a range that is not a number", &domains.Criterion{ID: "c", Name: "c", Scale: domains.Continuous, Max: math.NaN()}, `criterion "c": range 0..NaN is empty or not finite`},
		{"a range of which nothing is a share", &domains.Criterion{ID: "c", Name: "c", Scale: domains.Continuous, Max: 1e-310}, `criterion "c": range 0..1e-310 is too wide or too narrow to measure in; give the values another unit`},
		{"levels as near", scale(0, 1e-310), `criterion "c": range 0..1e-310 is too wide or too narrow to measure in; give the values another unit`},
		{"levels further apart than numbers go", scale(-1e308, 1e308), `criterion "c": range -1e+308..1e+308 is too wide or too narrow to measure in; give the values another unit`},
	} {
		err := tt.c.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != tt.want || !errors.Is(err, domains.ErrData)) {
			t.Errorf("%s:\n got %v\nwant %s", tt.reason, err, tt.want)
		}
	}
}

func TestRungs(t *testing.T) {
	five, seven := scale(1, 2, 3, 4, 5), scale(1, 2, 3, 4, 5, 6, 7)
	share := &domains.Criterion{Scale: domains.Continuous, Min: -1, Max: 1}
	for _, row := range []struct {
		reason string
		c      *domains.Criterion
		v      float64
		want   int
	}{
		{"a level", five, 4, 3},
		{"nearest above", five, 3.51, 3},
		{"half goes down", five, 3.5, 2},
		{"below the scale", five, -9, 0},
		{"above the scale", five, 99, 4},
		{"the middle of seven", seven, 4, 2},
		{"the top of seven", seven, 7, 4},
		{"continuous", share, 0.5, 3},
		{"continuous middle", share, 0, 2},
	} {
		if got := row.c.Rung(row.v); got != row.want {
			t.Errorf("%s: %v is on rung %d, want %d", row.reason, row.v, got, row.want)
		}
	}
	for v := 1.0; v <= 5; v += 1.0 / 64 {
		if got, want := five.Rung(v), five.Nearest(v); got != want {
			t.Errorf("%v is on rung %d, its nearest level is %d", v, got, want)
		}
	}
}

// TestPhrases: amounts are told in the words of the levels where these say how much, and
// else of the ladder; what is told is what is meant, as far as the words go.
func TestPhrases(t *testing.T) {
	worded := domains.Criterion{Levels: []domains.Level{{1, "no salt"}, {2, "a pinch"}, {3, "a spoon"}, {4, "a cup"}, {5, "a sack"}}}
	plain := domains.Criterion{Levels: []domains.Level{{Value: 1}, {Value: 2}, {Value: 3}, {Value: 4}, {Value: 5}}}
	seven := domains.Criterion{Levels: []domains.Level{{Value: 0}, {Value: 1}, {Value: 2}, {Value: 3}, {Value: 4}, {Value: 5}, {Value: 6}}}
	nominal := domains.Criterion{Scale: domains.Nominal, Levels: []domains.Level{{0, "red"}, {1, ""}}}
	line := domains.Criterion{Scale: domains.Continuous, Min: -1, Max: 1}
	for _, row := range []struct {
		reason string
		c      domains.Criterion
		kind   domains.RubricKind
		value  float64
		words  string
		back   float64
	}{
		{"an amount's own words", worded, domains.Amount, 4, "a cup", 4},
		{"a survey's own words", worded, domains.NoRubric, 1, "no salt", 1},
		{"quality levels do not say how much", worded, domains.Quality, 4, "much", 4},
		{"levels without words", plain, domains.Amount, 1, "none", 1},
		{"seven levels on five rungs: halves go down", seven, domains.NoRubric, 5, "much", 4},
		{"and the ends stay", seven, domains.NoRubric, 6, "as much as possible", 6},
		{"a colour", nominal, domains.NoRubric, 0, "red", 0},
		{"a colour without a name", nominal, domains.Quality, 1, "option 2", 1},
		{"a number", line, domains.NoRubric, 0.1, "some", 0},
		{"the top of a range", line, domains.NoRubric, 1, "as much as possible", 1},
	} {
		i := row.c.PhraseOf(row.kind, row.value)
		if got := row.c.Phrases(row.kind)[i]; got != row.words {
			t.Errorf("%s: %v is %q, want %q", row.reason, row.value, got, row.words)
		}
		if got := row.c.CellOf(row.kind, i); !got.Equal(domains.At(row.back)) {
			t.Errorf("%s: %q is %v, want %v", row.reason, row.words, got, row.back)
		}
	}
}
