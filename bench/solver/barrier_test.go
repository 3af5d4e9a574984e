package solver

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pepbench/domains"
)

// TestProblemHoldsNoProfile walks through everything that a Problem can hold: no
// profile, persona, weight, justification or quality-level text has a place in it.
func TestProblemHoldsNoProfile(t *testing.T) {
	barred := []reflect.Type{
		reflect.TypeFor[domains.Profile](), reflect.TypeFor[domains.Note](), reflect.TypeFor[domains.User](),
		reflect.TypeFor[domains.Cell](), reflect.TypeFor[domains.Dataset](), reflect.TypeFor[domains.Answer](),
	}
	barredNames := []string{"Persona", "Weight", "Weights", "Justification", "Note", "Notes", "Profile", "Score"}
	seen := map[reflect.Type]bool{}
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		if slices.Contains(barred, typ) {
			t.Errorf("%s is a %v", path, typ)
		}
		if seen[typ] {
			return
		}
		seen[typ] = true
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			walk(path, typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				f := typ.Field(i)
				if slices.Contains(barredNames, f.Name) {
					t.Errorf("%s.%s is a way around the barrier", path, f.Name)
				}
				walk(path+"."+f.Name, f.Type)
			}
		case reflect.String, reflect.Int, reflect.Uint8, reflect.Float64:
		default:
			t.Errorf("%s is a %v, through which anything may come", path, typ)
		}
	}
	walk("Problem", reflect.TypeFor[Problem]())
	for _, typ := range []reflect.Type{reflect.TypeFor[domains.Task](), reflect.TypeFor[domains.Criterion](), reflect.TypeFor[domains.Inference]()} {
		if !seen[typ] {
			t.Errorf("%v was not looked at", typ)
		}
	}
	// What a Task does hold, Blind takes out.
	blind := domains.Task{ID: "i", Prompt: "p", Answer: "B", Why: "w"}.Blind()
	if blind.Answer != "" || blind.Why != "" || blind.Prompt != "p" {
		t.Errorf("a blind task is %+v", blind)
	}
}

func TestUnknownValues(t *testing.T) {
	nominal := domains.Criterion{Name: "n", Scale: domains.Nominal, Levels: []domains.Level{{Value: 0}, {Value: 1}, {Value: 2}}}
	share := domains.Criterion{Name: "s", Scale: domains.Continuous, Min: -1, Max: 4}
	for _, row := range []struct {
		reason string
		c      domains.Criterion
		value  float64
		levels []float64
		want   float64
	}{
		{"five levels, unknown", ordinal("o", "", "", "", "", ""), nan, nil, 3},
		{"two levels, unknown: the lower", ordinal("o", "", ""), nan, nil, 1},
		{"a value between levels stays", ordinal("o", "", "", "", "", ""), 2.25, nil, 2.25},
		{"continuous, unknown", share, nan, nil, 1.5},
		{"continuous, known", share, -0.5, nil, -0.5},
		{"nominal: the likeliest level", nominal, nan, []float64{0.2, 0.3, 0.5}, 2},
		{"nominal: the lower of two", nominal, nan, []float64{0.4, 0.2, 0.4}, 0},
		{"nominal: what is unknown is not the likeliest", nominal, nan, []float64{nan, 0.1, 0.2}, 2},
		{"nominal: nothing known", nominal, nan, []float64{nan, nan, nan}, 1},
		{"nominal: no probabilities but what was told", nominal, 2, nil, 2},
		{"nominal: neither", nominal, nan, nil, 1},
	} {
		f := domains.Inference{Held: []float64{1}, Value: []float64{row.value}}
		if row.levels != nil {
			f.Levels = [][]float64{row.levels}
		}
		if got := value(&f, 0, &row.c); got != row.want {
			t.Errorf("%s: %v, want %v", row.reason, got, row.want)
		}
	}
}

// Whatever the inference, what is chosen is the most likely, in order, within the
// limits, and its values are numbers on the scale.
func TestChoice(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for range 3000 {
		n := rng.IntN(12)
		p := Problem{Inference: domains.NewInference(n)}
		for i := range n {
			p.Criteria = append(p.Criteria, ordinal("c", "", "", "", "", ""))
			if rng.IntN(4) > 0 {
				p.Inference.Held[i] = float64(rng.IntN(5)) / 4 // many ties
			}
			if rng.IntN(4) > 0 {
				p.Inference.Value[i] = 1 + 4*rng.Float64()
			}
		}
		o := Options{MaxCriteria: rng.IntN(9) - 1, MinHeld: float64(rng.IntN(4)) / 4}
		pos, wanted := o.choose(&p)
		held := p.Inference.Held
		able := 0
		for i, h := range held {
			if !(h > o.MinHeld) {
				continue
			}
			able++
			if slices.Contains(pos, i) {
				continue
			}
			if len(pos) > 0 && (h > held[pos[len(pos)-1]] || h == held[pos[len(pos)-1]] && i < pos[len(pos)-1]) {
				t.Fatalf("%+v of %v: %v leaves out %d", o, held, pos, i)
			}
		}
		want := able
		if o.MaxCriteria >= 0 {
			want = min(able, o.MaxCriteria)
		}
		if len(pos) != want || len(wanted) != want {
			t.Fatalf("%+v of %v: %v, want %d of them", o, held, pos, want)
		}
		for j, i := range pos {
			if j > 0 && (held[i] > held[pos[j-1]] || held[i] == held[pos[j-1]] && i < pos[j-1]) {
				t.Fatalf("%+v of %v: %v is not in order", o, held, pos)
			}
			if !(wanted[j] >= 1 && wanted[j] <= 5) || !math.IsNaN(p.Inference.Value[i]) && wanted[j] != p.Inference.Value[i] {
				t.Fatalf("%d is wanted at %v, inferred %v", i, wanted[j], p.Inference.Value[i])
			}
		}
	}
}
