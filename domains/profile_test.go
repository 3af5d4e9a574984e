package domains_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pepbench/domains"
)

func TestCellJSON(t *testing.T) {
	for _, tt := range []struct {
		reason string
		cell   domains.Cell
		json   string
		text   string
	}{
		{"not answered", domains.Missing(), "null", "?"},
		{"does not matter", domains.NotHeld(), "false", "NA"},
		{"a whole value", domains.At(4), "4", "4"},
		{"zero is a value, not missing", domains.At(0), "0", "0"},
		{"a value below zero", domains.At(-1), "-1", "-1"},
		{"a fraction", domains.At(.1), "0.1", "0.1"},
		{"a large value", domains.At(1e300), "1e+300", "1e+300"},
	} {
		b, err := json.Marshal(tt.cell)
		if err != nil || string(b) != tt.json {
			t.Errorf("%s: %s, %v, want %s", tt.reason, b, err, tt.json)
		}
		back := domains.At(99)
		if err := json.Unmarshal(b, &back); err != nil || !back.Equal(tt.cell) {
			t.Errorf("%s: comes back as %v, %v", tt.reason, back, err)
		}
		if tt.cell.String() != tt.text {
			t.Errorf("%s: text %s, want %s", tt.reason, tt.cell, tt.text)
		}
	}
	// In a list, as profiles are written.
	cells := []domains.Cell{domains.Missing(), domains.NotHeld(), domains.At(2)}
	b, err := json.Marshal(cells)
	if err != nil || string(b) != "[null,false,2]" {
		t.Fatalf("%s, %v", b, err)
	}
	var back []domains.Cell
	if err := json.Unmarshal(b, &back); err != nil || len(back) != 3 || !back[0].IsMissing() || !back[1].IsNotHeld() || back[2].Value() != 2 {
		t.Errorf("%v, %v", back, err)
	}
	for _, tt := range []struct{ reason, json string }{
		{"true says nothing", "true"}, {"a string", `"4"`}, {"an object", "{}"}, {"too large for a number", "1e999"},
	} {
		var c domains.Cell
		if err := json.Unmarshal([]byte(tt.json), &c); err == nil {
			t.Errorf("%s: %s is read as %v", tt.reason, tt.json, c)
		}
	}
}

func FuzzCellJSON(f *testing.F) {
	f.Add(0.0)
	f.Add(-1.5)
	f.Add(math.MaxFloat64)
	f.Add(math.SmallestNonzeroFloat64)
	f.Fuzz(func(t *testing.T, v float64) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return
		}
		c := domains.At(v)
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back domains.Cell
		if err := json.Unmarshal(b, &back); err != nil || back.Value() != v {
			t.Errorf("%v comes back as %v, %v", v, back, err)
		}
	})
}

// A cell is exactly one of missing, not held, held.
func TestCellKinds(t *testing.T) {
	for _, c := range []domains.Cell{domains.Missing(), domains.NotHeld(), domains.At(0), domains.At(-3), {}} {
		n := 0
		for _, is := range []bool{c.IsMissing(), c.IsNotHeld(), c.IsHeld()} {
			if is {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%v is %d things at once", c, n)
		}
		if c.IsHeld() == math.IsNaN(c.Value()) {
			t.Errorf("%v has value %v", c, c.Value())
		}
		if !c.Equal(c) {
			t.Errorf("%v does not equal itself", c)
		}
	}
	if domains.Missing().Equal(domains.NotHeld()) || domains.At(0).Equal(domains.NotHeld()) || domains.Missing().Equal(domains.At(0)) {
		t.Error("different cells are equal")
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("At(%v) does not panic", v)
				}
			}()
			domains.At(v)
		}()
	}
}

func TestNormalise(t *testing.T) {
	held, not := domains.At(3), domains.NotHeld()
	for _, tt := range []struct {
		reason  string
		cells   []domains.Cell
		weights []float64
		want    []float64
		changed bool
	}{
		{"no weights, nothing to do", []domains.Cell{held, held}, nil, nil, false},
		{"already 1", []domains.Cell{held, held}, []float64{.25, .75}, []float64{.25, .75}, false},
		{"points", []domains.Cell{held, held}, []float64{1, 3}, []float64{.25, .75}, true},
		{"what is not held weighs nothing", []domains.Cell{held, not, held}, []float64{.5, .5, .5}, []float64{.5, 0, .5}, false},
		{"what is missing weighs nothing", []domains.Cell{held, domains.Missing()}, []float64{1, 9}, []float64{1, 0}, false},
		{"a weight of what is not held may be anything", []domains.Cell{held, not}, []float64{1, math.NaN()}, []float64{1, 0}, false},
		{"all zero becomes equal", []domains.Cell{held, held}, []float64{0, 0}, nil, true},
		{"one zero stays", []domains.Cell{held, held}, []float64{0, 2}, []float64{0, 1}, true},
		{"rounding is no change", []domains.Cell{held, held, held}, []float64{.1, .2, .7000000000000001}, []float64{.1, .2, .7}, false},
		{"nothing held", []domains.Cell{not, not}, []float64{.5, .5}, nil, true},
	} {
		p := domains.Profile{Cells: tt.cells, Weights: append([]float64(nil), tt.weights...)}
		changed, err := p.Normalise()
		if err != nil || changed != tt.changed || (p.Weights == nil) != (tt.want == nil) {
			t.Errorf("%s: %v, %v, %v", tt.reason, p.Weights, changed, err)
			continue
		}
		for i, w := range tt.want {
			if math.Abs(p.Weights[i]-w) > 1e-15 {
				t.Errorf("%s: %v, want %v", tt.reason, p.Weights, tt.want)
			}
		}
	}
	for _, tt := range []struct {
		reason string
		weight float64
		want   string
	}{
		{"negative", -.5, "weight -0.5 is not a finite number >= 0; weights are shares of importance; remove the entry or give 0 or more"},
		{"NaN", math.NaN(), "weight NaN is not a finite number >= 0; weights are shares of importance; remove the entry or give 0 or more"},
		{"infinite", math.Inf(1), "weight +Inf is not a finite number >= 0; weights are shares of importance; remove the entry or give 0 or more"},
	} {
		p := domains.Profile{Cells: []domains.Cell{held, held}, Weights: []float64{1, tt.weight}}
		if _, err := p.Normalise(); err == nil || err.Error() != tt.want || !errors.Is(err, domains.ErrData) {
			t.Errorf("%s: %v", tt.reason, err)
		}
	}
}

// After Normalise weights sum to 1 over what is held, and twice is once.
func TestNormaliseProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for range 500 {
		var p domains.Profile
		for range 1 + rng.IntN(12) {
			c := domains.NotHeld()
			if rng.IntN(2) == 0 {
				c = domains.At(1)
			}
			p.Cells = append(p.Cells, c)
			p.Weights = append(p.Weights, rng.ExpFloat64()*100)
		}
		if _, err := p.Normalise(); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i, c := range p.Cells {
			if !c.IsHeld() && p.Weight(i) != 0 {
				t.Fatal("weight on what is not held")
			}
			sum += p.Weight(i)
		}
		if p.Held() > 0 && math.Abs(sum-1) > 1e-12 {
			t.Fatalf("weights sum to %v", sum)
		}
		if changed, err := p.Normalise(); changed || err != nil {
			t.Fatalf("normalised twice: %v, %v", changed, err)
		}
	}
}

// Finite weights must have finite shares, however large.
func TestNormaliseLargeWeights(t *testing.T) {
	p := domains.Profile{Cells: []domains.Cell{domains.At(1), domains.At(2)}, Weights: []float64{1e308, 1e308}}
	if _, err := p.Normalise(); err == nil && p.Weight(0) != .5 {
		t.Errorf("weights %v", p.Weights)
	}
}
