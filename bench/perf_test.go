//go:build unix

package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"pepbench/bench/llm"
	"pepbench/bench/llm/cache"
	"pepbench/bench/record"
)

// The benchmarks of this file talk to the embedded model in a process of its own, as to
// any other server on this machine, so that the CPU they report is the client's alone.
// Calls a second are those of both on the same processors. The size of a run is that of
// PEPBENCH_PERF (users a task; 1 when empty): make perf sets it to 31, which makes about
// 90,000 calls of the medical domain, and 102,300 of BenchmarkCalls.

// built builds the command.
func built(b *testing.B) (bin string) {
	b.Helper()
	bin = filepath.Join(b.TempDir(), "pepbench")
	if out, err := exec.Command("go", "build", "-o", bin, "./cmd/pepbench").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return bin
}

// BenchmarkHelp is how long the command takes to say what it can do.
func BenchmarkHelp(b *testing.B) {
	bin := built(b)
	for b.Loop() {
		if out, err := exec.Command(bin, "--help").CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
}

// servesim builds the command and starts its server.
func servesim(b *testing.B, flags ...string) (baseURL string) {
	b.Helper()
	cmd := exec.Command(built(b), append([]string{"serve-sim", "--addr", "127.0.0.1:0"}, flags...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			b.Errorf("serve-sim: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// used is the processor time of this process.
func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perfMeter reports what happens between its start and its end, by call.
type perfMeter struct {
	b     *testing.B
	begun time.Time
	cpu   time.Duration
	mb    []float64 // memory of the process every 50 ms
	quit  chan struct{}
	done  sync.WaitGroup
}

func startPerf(b *testing.B) *perfMeter {
	b.Helper()
	gc := debug.SetGCPercent(150) // as the command does
	b.Cleanup(func() { debug.SetGCPercent(gc) })
	debug.FreeOSMemory()
	p := &perfMeter{b: b, quit: make(chan struct{})}
	p.done.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.mb = append(p.mb, resident())
			case <-p.quit:
				return
			}
		}
	})
	p.begun, p.cpu = time.Now(), used(b)
	return p
}

// resident is the memory of this process in MB, that of SQLite included and its program
// left out where the system tells them apart.
func resident() float64 {
	if text, err := os.ReadFile("/proc/self/status"); err == nil {
		if _, rest, ok := strings.Cut(string(text), "RssAnon:"); ok {
			var kb float64
			if _, err := fmt.Sscan(rest, &kb); err == nil {
				return kb / 1024
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.Sys-m.HeapReleased) / (1 << 20)
}

// end reports; sent is how many of the calls a server answered. Growth is the median
// memory of the last quarter of the time minus that of the second.
func (p *perfMeter) end(calls, sent int) {
	cpu, wall := used(p.b)-p.cpu, time.Since(p.begun)
	close(p.quit)
	p.done.Wait()
	p.b.ReportMetric(float64(cpu.Microseconds())/float64(calls), "cpu-us/call")
	p.b.ReportMetric(float64(calls)/wall.Seconds(), "calls/s")
	p.b.ReportMetric(100*float64(sent)/float64(calls), "%-sent")
	p.b.ReportMetric(float64(calls)/float64(p.b.N), "calls/op")
	if n := len(p.mb); n >= 8 {
		median := func(v []float64) float64 { return slices.Sorted(slices.Values(v))[len(v)/2] }
		p.b.ReportMetric(slices.Max(p.mb), "MB-peak")
		p.b.ReportMetric(median(p.mb[n-n/4:])-median(p.mb[n/4:n/2]), "MB-growth")
	}
	p.b.ReportMetric(0, "ns/op") // of a whole run, which says nothing
}

// perfUsers is the size of the runs.
func perfUsers(b *testing.B) string {
	b.Helper()
	s := os.Getenv("PEPBENCH_PERF")
	if s == "" {
		return "1"
	}
	if n, err := strconv.Atoi(s); err != nil || n < 1 {
		b.Fatalf("PEPBENCH_PERF is %q, not a number of users a task", s)
	}
	return s
}

// BenchmarkRun is the whole of a run but for preparing and reporting it: the sessions
// with their questions, requests, cache, replies read, journal and progress. In a run
// as it is, most calls are equal to earlier ones, which the cache answers; in miss,
// none is.
func BenchmarkRun(b *testing.B) {
	url := servesim(b)
	users := perfUsers(b)
	for _, row := range []struct {
		name, cache string
		distinct    bool // all calls are
	}{{"uncached", "off", false}, {"miss", "write", true}, {"write", "write", false}, {"replay", "read", false}} {
		b.Run(row.name, func(b *testing.B) {
			dir := b.TempDir()
			plan := func(cache string, i int) *Plan {
				e, err := Load("../configs/medical.yaml", []string{
					fmt.Sprintf("backend={kind: openai, base_url: %q, model: m, concurrency: 32}", url),
					"split.users_per_task=" + users, "cache=" + cache, fmt.Sprintf("cache_file=%s/%d.sqlite", dir, i),
				})
				if err != nil {
					b.Fatal(err)
				}
				p, err := Prepare(context.Background(), e, nil)
				if err != nil {
					b.Fatal(err)
				}
				return p
			}
			var plans []*Plan
			for i := range b.N {
				if row.cache == "read" { // fill it
					perfRun(b, plan("write", i), false)
				}
				plans = append(plans, plan(row.cache, i))
			}
			calls, sent := 0, 0
			m := startPerf(b)
			for _, p := range plans {
				n, k := perfRun(b, p, row.distinct)
				calls, sent = calls+n, sent+k
			}
			m.end(calls, sent)
			if row.distinct && sent != calls || row.cache == "read" && sent != 0 {
				b.Errorf("%d of %d calls were sent", sent, calls)
			}
		})
	}
}

// perfRun is Run without its folder's other files; distinct makes every call another
// one for the cache.
func perfRun(b *testing.B, p *Plan, distinct bool) (calls, sent int) {
	b.Helper()
	e, limit := p.Experiment, p.Experiment.inFlight()
	r, err := p.connect(context.Background(), limit)
	if err != nil {
		b.Fatal(err)
	}
	defer r.close()
	run := &runner{plan: p, solver: r.solver, judge: r.judge, judgeID: r.judgeID, correctness: r.correctness, clients: r.clients}
	if distinct {
		var n atomic.Int64
		apart := func(c llm.Client) llm.Client {
			return llm.ClientFunc(func(ctx context.Context, q llm.Request) (llm.Reply, error) {
				q.Repeat = int(n.Add(1))
				return c.Complete(ctx, q)
			})
		}
		run.solver = e.Solver.Config.solver(apart(r.clients[roleSolver]))
		run.judge = e.Judge.Config.judge(apart(r.clients[roleJudge]), "m")
	}
	j, err := record.OpenJournal(filepath.Join(b.TempDir(), record.SessionsFile))
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	var out Outcome
	if err := work(context.Background(), j, p.sessions, limit, run.session, &out, &watch{}); err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(r.cache.close(), j.Finish()); err != nil {
		b.Fatal(err)
	}
	for _, u := range r.usage().Roles {
		calls += u.Calls
		sent += u.Calls - u.Cached
	}
	return calls, sent
}

// BenchmarkCalls is what a call costs by itself: the requests of a real session again
// and again, each through meter, cache, budget, retry, rate, gate, go-openai and the
// network, its reply read, and for each session's worth of them a line of the journal
// and a word to the progress. In miss no call is known to the cache, in replay every
// one is.
func BenchmarkCalls(b *testing.B) {
	const most = 32
	url := servesim(b)
	asked, line := perfSession(b, url)
	users, err := strconv.Atoi(perfUsers(b))
	if err != nil {
		b.Fatal(err)
	}
	sessions := 150 * users
	for _, mode := range []cache.Mode{cache.Off, cache.Write, cache.Read} {
		name := map[cache.Mode]string{cache.Off: "uncached", cache.Write: "miss", cache.Read: "replay"}[mode]
		b.Run(name, func(b *testing.B) {
			open := func() *cache.Cache {
				c, err := cache.Open(filepath.Join(b.TempDir(), "cache.sqlite"), true)
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() { _ = c.Close() })
				return c
			}
			pass := func(kept *cache.Cache, mode cache.Mode) (int, int) {
				link, err := llm.Dial(llm.Endpoint{BaseURL: url, Model: "m", Concurrency: most}, llm.Options{
					Budget: &llm.Budget{Calls: 1e9},
					Cache:  func(next llm.Client, c *llm.Conn) llm.Client { return kept.Wrap(next, c, mode) },
				})
				if err != nil {
					b.Fatal(err)
				}
				defer link.Close()
				j, err := record.OpenJournal(filepath.Join(b.TempDir(), record.SessionsFile))
				if err != nil {
					b.Fatal(err)
				}
				defer j.Close()
				var meter llm.Meter
				client := meter.Wrap(link)
				var progress Progress = &watch{}
				var mu sync.Mutex // of the progress
				err = inParallel(most, sessions, func(i int) error {
					for n, q := range asked {
						q.Repeat = i*len(asked) + n
						if _, err := llm.Ask(context.Background(), client, q, func(string) error { return nil }); err != nil {
							return err
						}
					}
					s := *line
					s.ID = strconv.Itoa(i)
					mu.Lock()
					defer mu.Unlock()
					progress.Sessions(i, sessions, i)
					return j.Append(&s)
				})
				if err != nil {
					b.Fatal(err)
				}
				u := meter.Use()
				return u.Calls, u.Calls - u.Cached
			}
			var caches []*cache.Cache
			for range b.N {
				caches = append(caches, open())
				if mode == cache.Read {
					pass(caches[len(caches)-1], cache.Write)
				}
			}
			calls, sent := 0, 0
			m := startPerf(b)
			for _, c := range caches {
				n, k := pass(c, mode)
				calls, sent = calls+n, sent+k
			}
			m.end(calls, sent)
		})
	}
}

// perfSession runs one session and gives what it asked and its line of the journal.
func perfSession(b *testing.B, url string) ([]llm.Request, *record.Session) {
	b.Helper()
	e, err := Load("../configs/medical.yaml", []string{fmt.Sprintf("backend={kind: openai, base_url: %q, model: m}", url), "split.users_per_task=1", "cache=off"})
	if err != nil {
		b.Fatal(err)
	}
	p, err := Prepare(context.Background(), e, nil)
	if err != nil {
		b.Fatal(err)
	}
	r, err := p.connect(context.Background(), 1)
	if err != nil {
		b.Fatal(err)
	}
	defer r.close()
	var asked []llm.Request
	hear := func(c llm.Client) llm.Client {
		return llm.ClientFunc(func(ctx context.Context, q llm.Request) (llm.Reply, error) {
			asked = append(asked, q)
			return c.Complete(ctx, q)
		})
	}
	run := &runner{plan: p, solver: e.Solver.Config.solver(hear(r.clients[roleSolver])), judge: e.Judge.Config.judge(hear(r.clients[roleJudge]), "m"), judgeID: "m", clients: r.clients}
	k := p.sessions[slices.IndexFunc(p.sessions, func(k sessionKey) bool { return p.rows[k.row].Kind == "pep" })]
	s, err := run.session(context.Background(), k)
	if err != nil {
		b.Fatal(err)
	}
	return asked, s
}

// BenchmarkBareClient is the floor: go-openai in a loop on the same server, with
// requests like those of a run, and nothing besides.
func BenchmarkBareClient(b *testing.B) {
	const most = 32
	cfg := openai.DefaultConfig("")
	cfg.BaseURL = servesim(b)
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = most, most
	defer t.CloseIdleConnections()
	cfg.HTTPClient = &http.Client{Transport: t}
	client := openai.NewClientWithConfig(cfg)
	users, err := strconv.Atoi(perfUsers(b))
	if err != nil {
		b.Fatal(err)
	}
	calls := b.N * users * 3000
	ask := func(i int) error {
		_, err := client.CreateChatCompletion(context.Background(), openai.ChatCompletionRequest{Model: "m", Messages: []openai.ChatCompletionMessage{
			{Role: "system", Content: strings.Repeat("Answer in a few plain sentences. ", 20)},
			{Role: "user", Content: perfPrompt(i)},
		}})
		return err
	}
	m := startPerf(b)
	if err := inParallel(most, calls, ask); err != nil {
		b.Fatal(err)
	}
	m.end(calls, calls)
}

// BenchmarkInFlight says how close a hundred calls in flight come to a hundred calls a
// latency, when the server takes 100 ms for each.
func BenchmarkInFlight(b *testing.B) {
	const most, latency = 100, 100 * time.Millisecond
	link, err := llm.Dial(llm.Endpoint{BaseURL: servesim(b, "--latency", latency.String()), Model: "m", Concurrency: most}, llm.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer link.Close()
	users, err := strconv.Atoi(perfUsers(b))
	if err != nil {
		b.Fatal(err)
	}
	calls := b.N * users * 500
	m := startPerf(b)
	err = inParallel(most, calls, func(i int) error {
		_, err := link.Complete(context.Background(), llm.Request{User: perfPrompt(i)})
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	wall := time.Since(m.begun)
	m.end(calls, calls)
	b.ReportMetric(100*float64(calls)/wall.Seconds()/(most/latency.Seconds()), "%-of-ideal")
}

// perfPrompt is a task with instructions, the i-th of many.
func perfPrompt(i int) string {
	return "Task:\n" + strings.Repeat("Which of these is it, and why? ", 30) + strconv.Itoa(i) + "\nA) one\nB) two\n\nThis reader wants:\n- Brevity: some\n- Worked examples: much\n"
}

// inParallel makes calls 0, 1, ... from so many goroutines.
func inParallel(most, calls int, call func(i int) error) error {
	var next atomic.Int64
	errs := make(chan error, most)
	for range most {
		go func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= calls {
					errs <- nil
					return
				}
				if err := call(i); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	var first error
	for range most {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}
