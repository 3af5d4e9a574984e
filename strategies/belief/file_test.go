package belief

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"pepbench/domains"
)

// TestModelFileRefusals: what is no model of these criteria by this program is
// refused, each with what to do about it.
func TestModelFileRefusals(t *testing.T) {
	criteria := scales(3, 3)
	m := mixtureModel(randomly(1), criteria, 2)
	var b bytes.Buffer
	from := Provenance{Data: "test", Profiles: 7, Choice: []Candidate{{Name: "2 classes", DevScore: math.NaN()}}}
	if err := Save(&b, m, from); err != nil {
		t.Fatal(err)
	}
	whole := b.String()
	back, read, err := Load(strings.NewReader(whole), criteria)
	if err != nil {
		t.Fatal(err)
	}
	if back.NumParams() != m.NumParams() || read.Profiles != 7 || !math.IsNaN(read.Choice[0].DevScore) {
		t.Errorf("read back %d parameters, %+v", back.NumParams(), read)
	}
	other := scales(3, 3)
	other[1].ID = "other"
	more := scales(3, 4)
	nominal := scales(3, 3)
	nominal[2].Scale = domains.Nominal
	for _, row := range []struct {
		reason   string
		text     string
		criteria []domains.Criterion
		want     string
	}{
		{"no JSON", "hello", criteria, "not a model file"},
		{"torn", whole[:len(whole)/2], criteria, "not a model file"},
		{"JSON of something else", `{"a": 1}`, criteria, "not a model file"},
		{"another version", strings.Replace(whole, `"version":1`, `"version":2`, 1), criteria, "version 2, this program reads 1"},
		{"a kind that does not exist", strings.Replace(whole, "latent-class", "latent-crass", 1), criteria, "unknown kind"},
		{"fewer criteria in the data", whole, criteria[:2], "model of 3 criteria"},
		{"another criterion", whole, other, `number 2 is "c01" there and "other" in the data`},
		{"other levels", whole, more, "another scale"},
		{"another scale", whole, nominal, "another scale"},
		{"weights that are none", strings.Replace(whole, `"pi":[`, `"pi":[5,`, 1), criteria, "damaged model file"},
	} {
		_, _, err := Load(strings.NewReader(row.text), row.criteria)
		if !errors.Is(err, ErrModelFile) || !errors.Is(err, domains.ErrData) || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), "fit") {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
}

// FuzzLoad: no file makes Load panic or give a model that is not one.
func FuzzLoad(f *testing.F) {
	criteria := scales(2, 2)
	var b bytes.Buffer
	if err := Save(&b, mixtureModel(randomly(1), criteria, 2), Provenance{}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"format":"pepbench-model","version":1,"kind":"factor","criteria":[],"model":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, _, err := Load(bytes.NewReader(data), criteria)
		if err != nil {
			return
		}
		b := m.Start(index(2))
		held, value := make([]float64, 2), make([]float64, 2)
		b.Marginals(held, value)
		for _, p := range held {
			if !(p >= 0 && p <= 1) {
				t.Fatalf("P(held) = %v", p)
			}
		}
	})
}
