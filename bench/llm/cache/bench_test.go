//go:build unix

package cache

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"pepbench/bench/llm"
)

// long is a request of the size that a judge is sent, and a reply of a solver's.
func long(i int) llm.Request {
	return llm.Request{System: strings.Repeat("You grade one response. ", 40), User: fmt.Sprintf("%d %s", i, strings.Repeat("A sentence of the response. ", 120))}
}

func wordy() *server {
	text := strings.Repeat("words of a reply ", 60)
	return &server{reply: func(int64, llm.Request) (llm.Reply, error) { return said(text), nil }}
}

// cpu reports the processor time of user and system an operation.
func cpu(b *testing.B, from time.Duration) {
	b.ReportMetric(float64((spent()-from).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func connection(b *testing.B) *llm.Conn {
	b.Helper()
	conn, err := llm.New(llm.Endpoint{BaseURL: "http://model.test/v1", Model: "m"})
	must(b, err)
	b.Cleanup(conn.Close)
	return conn
}

// BenchmarkReplay is a call that is in the file, with all that comes with it: the
// canonical request of a connection, its hash, the look-up.
func BenchmarkReplay(b *testing.B) {
	for _, entries := range []int{1000, 20000} {
		b.Run(fmt.Sprintf("entries=%d", entries), func(b *testing.B) {
			conn, c := connection(b), opened(b, file(b))
			fill := c.Wrap(wordy(), conn, Write)
			for i := range entries {
				if _, err := fill.Complete(context.Background(), long(i)); err != nil {
					b.Fatal(err)
				}
			}
			flush(b, c)
			client := c.Wrap(nil, conn, Read)
			runtime.GC()
			requests := make([]llm.Request, 100)
			for i := range requests {
				requests[i] = long(i * entries / len(requests))
			}
			b.ReportAllocs()
			from, i := spent(), 0
			for b.Loop() {
				if _, err := client.Complete(context.Background(), requests[i%len(requests)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			cpu(b, from)
		})
	}
}

// BenchmarkMissAndStore is what a call costs that is not in the file and comes to be
// there, beside the call itself.
func BenchmarkMissAndStore(b *testing.B) {
	conn := connection(b)
	c := opened(b, file(b))
	client := c.Wrap(wordy(), conn, Write)
	b.ReportAllocs()
	from, i := spent(), 0
	for b.Loop() {
		i++
		if _, err := client.Complete(context.Background(), long(i)); err != nil {
			b.Fatal(err)
		}
	}
	flush(b, c)
	cpu(b, from)
}
