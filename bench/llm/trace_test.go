package llm

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestTrace: a line for each attempt, with nothing in it that was said or is secret.
func TestTrace(t *testing.T) {
	const key = "sk-secret-0123456789"
	n := 0
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		switch n++; n {
		case 1:
			w.Header().Set("Retry-After", "0.001")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, fault("slow down, "+key))
		case 4:
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, fault("wrong key "+key))
		default:
			_, _ = io.WriteString(w, okReply)
		}
	})
	for _, row := range []struct {
		reason string
		level  slog.Level
		want   []map[string]any // of call 1 (two attempts), 2 and 3
	}{
		{"debug", slog.LevelDebug, []map[string]any{
			{"role": "judge", "model": "m", "status": 429., "retry_after_s": .001},
			{"role": "judge", "model": "m", "status": 200., "finish": "stop", "tokens_in": 7., "tokens_out": 3.},
			{"role": "judge", "model": "m", "status": 200., "repeat": 2., "repair": 1.},
			{"role": "judge", "model": "m", "status": 401.},
		}},
		{"info", slog.LevelInfo, nil},
	} {
		n = 0
		var out bytes.Buffer
		c, err := Dial(Endpoint{BaseURL: url, Model: "m", Key: key, Headers: map[string]string{"X-Key": "header-secret"}}, Options{Retry: Retry{Backoff: time.Nanosecond}, Log: slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: row.level}))})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		m := (&Meter{Role: "judge"}).Wrap(c)
		for _, r := range []Request{{System: "the prompt", User: "the question"}, {User: "the question", Repeat: 2, Repair: 1}, {User: "the question"}} {
			_, _ = m.Complete(t.Context(), r)
		}
		text := out.String()
		for _, word := range []string{"secret", "prompt", "question", "hello"} {
			if strings.Contains(text, word) {
				t.Errorf("%s: the trace says %q: %s", row.reason, word, text)
			}
		}
		lines := strings.Split(strings.TrimSpace(text), "\n")
		if text == "" {
			lines = nil
		}
		if len(lines) != len(row.want) {
			t.Errorf("%s: %d lines, want %d:\n%s", row.reason, len(lines), len(row.want), text)
			continue
		}
		for i, l := range lines {
			var got map[string]any
			if err := json.Unmarshal([]byte(l), &got); err != nil {
				t.Fatal(err)
			}
			for k, v := range row.want[i] {
				if got[k] != v {
					t.Errorf("%s: line %d says %s = %v, want %v", row.reason, i+1, k, got[k], v)
				}
			}
			if _, ok := got["ms"].(float64); !ok {
				t.Errorf("%s: line %d says no time", row.reason, i+1)
			}
		}
	}
}
