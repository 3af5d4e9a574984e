package belief

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pepbench/domains"
)

// TestMixtureSummaries: Marginals, Infer, Marginal and Draw agree with the states,
// whatever the scale and the answers.
func TestMixtureSummaries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := randomly(rapid.Uint64().Draw(t, "model"))
		criteria := slices.Concat(scales(2, 5), nominals(2, 3), votes(2))
		n := len(criteria)
		m := mixtureModel(rng, criteria, 3)
		b := m.Start(rng.Perm(n)).(*mixture)
		if b.Len() != n {
			t.Fatalf("Len = %d of %d", b.Len(), n)
		}
		for range rng.IntN(4) {
			i := rng.IntN(n)
			b.Observe(i, b.Answer(i, rng.IntN(b.NumStates(i))))
		}
		held, value := make([]float64, n), make([]float64, n)
		b.Marginals(held, value)
		inf := b.Infer()
		near := func(what string, i int, got, want float64) {
			if math.Abs(got-want) > 1e-9 {
				t.Fatalf("%s of %d = %v, states say %v", what, i, got, want)
			}
		}
		for i := range n {
			c := b.criterion(i)
			p := b.States(nil, i)
			h := 1 - p[0]
			near("P(held)", i, held[i], h)
			near("inferred P(held)", i, inf.Held[i], h)
			g := b.Marginal(i)
			near("marginal P(held)", i, g.Held, h)
			near("entropy", i, g.Entropy, entropyOf(p))
			if s := stateOf(c, b.Draw(rng, i)); p[s] == 0 {
				t.Fatalf("position %d: state %d of probability 0 drawn", i, s)
			}
			if math.IsNaN(value[i]) != (c.Scale == domains.Nominal) {
				t.Fatalf("value of %d (%v) = %v", i, c.Scale, value[i])
			}
			if h < 1e-12 {
				continue
			}
			mean, square, loss, most := 0.0, 0.0, 0.0, 0.0
			for l, v := range p[1:] {
				mean += v / h * c.Levels[l].Value
				most = max(most, v/h)
			}
			for l, v := range p[1:] {
				d := (c.Levels[l].Value - mean) / c.Range()
				if c.Scale == domains.Nominal {
					near("level probability", i, inf.Levels[i][l], v/h)
					square += v / h * (1 - v/h) // 1 - sum p^2
					continue
				}
				square += v / h * d * d
				loss += v / h * math.Abs(d)
			}
			if c.Scale == domains.Nominal {
				loss = 1 - most
			} else {
				near("value", i, value[i], mean)
				near("inferred value", i, inf.Value[i], mean)
			}
			near("variance", i, g.Variance, square)
			near("loss", i, g.Loss, loss)
		}
	})
}

// TestLatentClassIsStored: what is saved and loaded believes the same, and damage is
// found.
func TestLatentClassIsStored(t *testing.T) {
	criteria := slices.Concat(scales(2, 5), nominals(1, 3))
	m := mixtureModel(randomly(2), criteria, 4)
	m.unseen = 2
	var buf bytes.Buffer
	if err := Save(&buf, m, Provenance{Data: "test"}); err != nil {
		t.Fatal(err)
	}
	got, from, err := Load(&buf, criteria)
	if err != nil {
		t.Fatal(err)
	}
	l := got.(*LatentClass)
	if !slices.Equal(l.theta, m.theta) || !slices.Equal(l.pi, m.pi) || !slices.Equal(l.entropy, m.entropy) || l.NumParams() != m.NumParams() || l.About() != m.About() || l.Notes()[0].N != 2 || from.Data != "test" {
		t.Errorf("the model read is not the model written")
	}
	const good = `{"pi":[0.5,0.5],"theta":[0.2,0.3,0.3,0.3,0.5,0.4]}`
	if _, err := restoreLatentClass(json.RawMessage(good), scales(1, 2)); err != nil {
		t.Fatalf("a sound file: %v", err)
	}
	for _, row := range []struct{ reason, file string }{
		{"no JSON", `{`},
		{"no class", `{"pi":[],"theta":[]}`},
		{"weights that do not sum to 1", strings.Replace(good, `[0.5,0.5]`, `[0.5,0.4]`, 1)},
		{"a negative weight", strings.Replace(good, `[0.5,0.5]`, `[1.5,-0.5]`, 1)},
		{"states that do not sum to 1", strings.Replace(good, `0.4]`, `0.5]`, 1)},
		{"a negative probability", strings.Replace(good, `[0.2,0.3,0.3,0.3,0.5`, `[-0.2,0.3,0.7,0.3,0.5`, 1)},
		{"a state too few", strings.Replace(good, `,0.5,0.4]`, `]`, 1)},
	} {
		if _, err := restoreLatentClass(json.RawMessage(row.file), scales(1, 2)); err == nil {
			t.Errorf("%s: read without complaint", row.reason)
		}
	}
}

// TestImpossibleAnswers: probabilities of 0, which no fit gives but a file may have,
// leave numbers everywhere.
func TestImpossibleAnswers(t *testing.T) {
	criteria := scales(3, 2)
	m := &LatentClass{support: support{criteria: criteria, k: 2, offset: offsets(criteria), pi: []float64{0.4, 0.6}, theta: []float64{
		0.5, 0.1, 0.5, 0.9, 0, 0, // nobody wants level 2 of the first
		1, 0, 0, 1, 0, 0, // the second tells the classes apart
		1, 1, 0, 0, 0, 0, // nobody holds the third
	}}}
	if err := m.check(); err != nil {
		t.Fatal(err)
	}
	m.finish()
	for _, row := range []struct {
		reason  string
		answers []domains.Cell // to positions 0, 1, ..
		weights []float64      // of the classes
	}{
		{"nothing said", nil, []float64{0.4, 0.6}},
		{"what one class says is exact", []domains.Cell{domains.Missing(), domains.At(1)}, []float64{0, 1}},
		{"what no class says starts over", []domains.Cell{domains.At(2)}, []float64{0.4, 0.6}},
		{"and later answers count again", []domains.Cell{domains.At(2), domains.NotHeld()}, []float64{1, 0}},
		{"held where nobody holds", []domains.Cell{domains.Missing(), domains.At(1), domains.At(2)}, []float64{0.4, 0.6}},
	} {
		b := m.Start(index(3)).(*mixture)
		for i, c := range row.answers {
			b.Observe(i, c)
		}
		for k, want := range row.weights {
			if math.Abs(b.w[k]-want) > 1e-12 {
				t.Errorf("%s: weights %v, want %v", row.reason, b.w, row.weights)
			}
		}
		held, value := make([]float64, 3), make([]float64, 3)
		b.Marginals(held, value)
		for i := range 3 {
			if s, ok := b.told[i], i < len(row.answers) && !row.answers[i].IsMissing(); ok && (s < 0 || b.States(nil, i)[s] != 1) {
				t.Errorf("%s: answer %d is not pinned", row.reason, i)
			}
			if !(held[i] >= 0 && held[i] <= 1) || !(value[i] >= 1 && value[i] <= 2) {
				t.Errorf("%s: P(held) %v and value %v of %d", row.reason, held[i], value[i], i)
			}
		}
	}
}
