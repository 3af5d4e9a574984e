package domains_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pepbench/domains"
)

func TestBest(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct {
		reason string
		held   []float64
		n      int
		min    float64
		want   []int
	}{
		{"largest first", []float64{.2, .9, .5}, 2, 0, []int{1, 2}},
		{"the lower position among equals", []float64{.5, .9, .5, .9, .5}, 3, 0, []int{1, 3, 0}},
		{"all equal", []float64{.3, .3, .3}, -1, 0, []int{0, 1, 2}},
		{"equals at the border", []float64{.5, .5, .5}, 1, 0, []int{0}},
		{"must exceed min", []float64{.5, .6, .5}, -1, .5, []int{1}},
		{"unknown is left out", []float64{nan, .1, nan}, -1, 0, []int{1}},
		{"nothing known", []float64{nan, nan}, 3, -1, nil},
		{"more than there are", []float64{.1, .2}, 9, 0, []int{1, 0}},
		{"none", []float64{.1, .2}, 0, 0, []int{}},
		{"zero does not exceed zero", []float64{0, 0}, -1, 0, nil},
		{"no criteria", nil, -1, 0, nil},
	} {
		f := domains.Inference{Held: tt.held}
		if got := f.Best(tt.n, tt.min); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.reason, got, tt.want)
		}
	}
}

// Best against a stable sort, on values with many ties.
func TestBestAgainstSort(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 3))
	for range 500 {
		f := domains.NewInference(rng.IntN(12))
		var want []int
		min := float64(rng.IntN(4)) / 4
		for i := range f.Held {
			if k := rng.IntN(6); k < 5 {
				f.Held[i] = float64(k) / 4
			}
			if f.Held[i] > min {
				want = append(want, i)
			}
		}
		slices.SortStableFunc(want, func(a, b int) int { return cmp.Compare(f.Held[b], f.Held[a]) })
		n := rng.IntN(14) - 1
		if n >= 0 && len(want) > n {
			want = want[:n]
		}
		if got := f.Best(n, min); !slices.Equal(got, want) {
			t.Fatalf("%v: %v, want %v", f.Held, got, want)
		}
	}
}

func TestTellAndClone(t *testing.T) {
	f := domains.NewInference(4)
	for i := range f.Held {
		if !math.IsNaN(f.Held[i]) || !math.IsNaN(f.Value[i]) {
			t.Fatal("a new inference knows something")
		}
	}
	f.Levels = [][]float64{nil, nil, {.2, .3, .5}, nil}
	g := f.Clone()
	g.Tell(0, domains.At(4))
	g.Tell(1, domains.NotHeld())
	g.Tell(2, domains.At(1))
	g.Tell(3, domains.Missing())
	if g.Held[0] != 1 || g.Value[0] != 4 || g.Held[1] != 0 || g.Held[2] != 1 {
		t.Errorf("held %v, value %v", g.Held, g.Value)
	}
	if !math.IsNaN(g.Held[3]) || !math.IsNaN(g.Value[3]) {
		t.Error("a missing answer has changed something")
	}
	if !reflect.DeepEqual(g.Levels, [][]float64{nil, nil, {0, 1, 0}, nil}) {
		t.Errorf("levels %v", g.Levels)
	}
	if !math.IsNaN(f.Held[0]) || !reflect.DeepEqual(f.Levels[2], []float64{.2, .3, .5}) {
		t.Error("the clone shares memory with the original")
	}
	if h := domains.NewInference(2); h.Clone().Levels != nil {
		t.Error("a clone has levels that the original has not")
	}
}
