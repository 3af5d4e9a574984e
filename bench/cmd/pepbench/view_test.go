package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pepbench/bench/record"
)

// TestView: the command says where the page is, serves it there, and ends well when it is
// interrupted.
func TestView(t *testing.T) {
	dir := t.TempDir()
	m := &record.Manifest{Schema: record.Schema, Name: "tiny", Checkpoints: []int{0}, Strategies: []record.Strategy{{Name: "none", Base: "none", Kind: "none"}}, Sessions: 1}
	if err := record.WriteJSON(filepath.Join(dir, record.ManifestFile), m); err != nil {
		t.Fatal(err)
	}
	line, err := record.Line(&record.Session{ID: "none/1/t/u", Strategy: "none", Seed: 1, Task: "t", User: "u", Stop: record.StopDone})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, record.SessionsFile), line, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ reason, addr string }{
		{"wherever there is a port", ""}, {"a port", "--addr=0"}, {"a port as others write it", "--addr=:0"}, {"an address", "--addr=127.0.0.1:0"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		out, in := io.Pipe()
		var errs bytes.Buffer
		code := make(chan int, 1)
		args := []string{"view", dir}
		if row.addr != "" {
			args = append(args, row.addr)
		}
		go func() {
			c := run(ctx, strings.NewReader(""), in, &errs, args)
			in.Close()
			code <- c
		}()
		b := bufio.NewReader(out)
		url, err := b.ReadString('\n')
		if err != nil || !strings.HasPrefix(url, "http://127.0.0.1:") {
			t.Fatalf("%s: %q, %v, %s", row.reason, url, err, errs.String())
		}
		if how, err := b.ReadString('\n'); err != nil || how != "Ctrl-C ends it\n" {
			t.Errorf("%s: %q, %v", row.reason, how, err)
		}
		r, err := http.Get(strings.TrimSpace(url) + "api/runs/0")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusOK || !strings.Contains(string(body), fmt.Sprintf("%q:%q", "name", "tiny")) {
			t.Errorf("%s: %d %v %s", row.reason, r.StatusCode, err, body)
		}
		r.Body.Close()
		cancel()
		if c := <-code; c != exitOK || errs.Len() > 0 {
			t.Errorf("%s: code %d, %s", row.reason, c, errs.String())
		}
	}
}
