package llm

import (
	"net/http/httptest"
	"strings"
	"testing"

	"pepbench/bench/llm/sim"
)

// The embedded model is an endpoint like any other.
func TestSim(t *testing.T) {
	zero, seed := 0.0, 1
	srv := httptest.NewServer(sim.Handler())
	defer srv.Close()
	for _, row := range []struct {
		reason string
		most   int
		finish string
	}{
		{"a whole reply", 0, "stop"},
		{"a reply cut off", 1, "length"},
	} {
		c := dial(t, Endpoint{BaseURL: srv.URL + "/v1", Model: sim.Model, Seed: &seed, Temperature: &zero, MaxTokens: row.most})
		got, err := c.Complete(t.Context(), Request{System: "Answer.", User: "Task:\nWhich?\nA) one\nB) two\n"})
		if err != nil || got.Model != sim.Model || got.Finish != row.finish || got.TokensIn == 0 || got.TokensOut == 0 || !strings.HasPrefix(got.Content, "Ans") {
			t.Errorf("%s: %v, %+v", row.reason, err, got)
		}
	}
}

func BenchmarkCompleteSim(b *testing.B) {
	srv := httptest.NewServer(sim.Handler())
	defer srv.Close()
	c, err := New(Endpoint{BaseURL: srv.URL + "/v1", Model: sim.Model})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	task := "Task:\n" + strings.Repeat("Which of these is it, and why? ", 30) + "\nA) one\nB) two\n\nThis reader wants:\n- Brevity: some\n- Worked examples: much\n"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Complete(b.Context(), Request{System: "Answer.", User: task}); err != nil {
			b.Fatal(err)
		}
	}
}
