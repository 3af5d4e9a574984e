package sim

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/http"
	"strings"
	"testing"
)

func embedded(t testing.TB, body string) (out [][]float32, tokens int) {
	t.Helper()
	w := do(Handler(), http.MethodPost, embedPath, body)
	var got struct {
		Object, Model string
		Data          []struct {
			Object    string
			Index     int
			Embedding []float32
		}
		Usage struct {
			Prompt int `json:"prompt_tokens"`
			Total  int `json:"total_tokens"`
		}
	}
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	decode(t, w.Body.String(), &got)
	if got.Object != "list" || got.Model != "m" || got.Usage.Prompt != got.Usage.Total {
		t.Errorf("%.300s", w.Body)
	}
	for i, d := range got.Data {
		if d.Object != "embedding" || d.Index != i {
			t.Errorf("item %d is %q, %d", i, d.Object, d.Index)
		}
		out = append(out, d.Embedding)
	}
	return out, got.Usage.Total
}

func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

func TestEmbeddings(t *testing.T) {
	v, tokens := embedded(t, `{"model":"m","input":["boats sail in the harbour","The harbour is full of sailing boats!","Entropy of a mixture","the"],"user":"u"}`)
	if len(v) != 4 || tokens != tokensOf("boats sail in the harbour")+tokensOf("The harbour is full of sailing boats!")+tokensOf("Entropy of a mixture")+tokensOf("the") {
		t.Fatalf("%d vectors, %d tokens", len(v), tokens)
	}
	for i := range v {
		if len(v[i]) != plainDimensions || math.Abs(dot(v[i], v[i])-1) > 1e-5 {
			t.Errorf("vector %d has %d numbers and the square %v", i, len(v[i]), dot(v[i], v[i]))
		}
	}
	if near, far := dot(v[0], v[1]), dot(v[0], v[2]); near < .7 || far > .3 {
		t.Errorf("texts with common words at %v, others at %v", near, far)
	}
	for _, row := range []struct{ reason, body string }{
		{"a text by itself", `{"model":"m","input":"boats sail in the harbour"}`},
		{"decimals by name", `{"model":"m","input":"boats sail in the harbour","encoding_format":"float"}`},
		{"invisible characters", `{"model":"m","input":"bo\u200bats sail in the harbour"}`},
	} {
		if one, _ := embedded(t, row.body); len(one) != 1 || dot(one[0], v[0]) < 1-1e-5 {
			t.Errorf("%s: another vector", row.reason)
		}
	}
	for _, row := range []struct {
		reason, body string
		vectors      int
	}{
		{"a list of tokens is one text", `{"model":"m","input":[1,2,3]}`, 1},
		{"lists of tokens are texts", `{"model":"m","input":[[1,2,3],[4]]}`, 2},
		{"no word in it", `{"model":"m","input":"..."}`, 1},
	} {
		if got, _ := embedded(t, row.body); len(got) != row.vectors {
			t.Errorf("%s: %d vectors", row.reason, len(got))
		}
	}
	if short, _ := embedded(t, `{"model":"m","input":"boats","dimensions":7}`); len(short[0]) != 7 {
		t.Errorf("%d dimensions, want 7", len(short[0]))
	}
}

func TestEmbeddingsBase64(t *testing.T) {
	plain, _ := embedded(t, `{"model":"m","input":"boats sail","dimensions":5}`)
	var got struct{ Data []struct{ Embedding string } }
	decode(t, do(Handler(), http.MethodPost, embedPath, `{"model":"m","input":"boats sail","dimensions":5,"encoding_format":"base64"}`).Body.String(), &got)
	raw, err := base64.StdEncoding.DecodeString(got.Data[0].Embedding)
	if err != nil || len(raw) != 20 {
		t.Fatalf("%v, %d bytes", err, len(raw))
	}
	for i, want := range plain[0] {
		if f := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])); f != want {
			t.Errorf("number %d is %v, want %v", i, f, want)
		}
	}
}

func FuzzEmbeddings(f *testing.F) {
	for _, in := range []string{`"x"`, `["x","y"]`, `[1]`, `[[1],[2]]`, `[null]`, `{}`, `[[]]`, `["x",[1]]`} {
		f.Add(`{"model":"m","input":` + in + `,"dimensions":3}`)
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := do(Handler(), http.MethodPost, embedPath, body)
		switch {
		case w.Code != 200 && w.Code != 400 && w.Code != 413:
			t.Fatalf("status %d", w.Code)
		case strings.Contains(w.Body.String(), "NaN"):
			t.Fatalf("%s", w.Body)
		}
	})
}

func BenchmarkEmbed(b *testing.B) {
	text := strings.Repeat("A boat leaves the old pier at noon. ", 8)
	b.ReportAllocs()
	for b.Loop() {
		vector(text, plainDimensions)
	}
}
