package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"pepbench/bench"
	"pepbench/bench/llm"
	"pepbench/bench/llm/cache"
	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/reports"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"pepbench": main})
}

// TestScripts runs testdata/script. Scripts know commands of their own:
//
//	code N ARG...     run pepbench and expect exit code N
//	half SRC DST      copy the first half of a file
//	damage DIR FILE   change a byte in the middle of FILE of every folder in DIR
//	serve VAR ARG...  run pepbench serve-sim until the script ends, which must end it
//	                  well, and put its base URL into a variable
//	unserve VAR       end it earlier
func TestScripts(t *testing.T) {
	var serving sync.Map // what ends a server, by script and variable
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			// Under -race a program that ends well sleeps for a second first.
			env.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": expectCode,
			"serve": func(ts *testscript.TestScript, neg bool, args []string) {
				serving.Store(ts.Name()+" "+args[0], serve(ts, neg, args))
			},
			"unserve": func(ts *testscript.TestScript, neg bool, args []string) {
				end, ok := serving.Load(ts.Name() + " " + args[0])
				if !ok {
					ts.Fatalf("nothing serves %s", args[0])
				}
				end.(func())()
			},
			"damage": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) != 2 {
					ts.Fatalf("usage: damage DIR FILE")
				}
				files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*", args[1]))
				ts.Check(err)
				if len(files) == 0 {
					ts.Fatalf("no %s to damage", args[1])
				}
				for _, f := range files {
					b, err := os.ReadFile(f)
					ts.Check(err)
					b[len(b)/2] ^= 1
					ts.Check(os.WriteFile(f, b, 0o644))
				}
			},
			"spoil": spoil,
			"half": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) != 2 {
					ts.Fatalf("usage: half SRC DST")
				}
				b := ts.ReadFile(args[0])
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b[:len(b)/2]), 0o644))
			},
		},
	})
}

// spoil copies a file of sessions in which every grade of one strategy is the worst.
func spoil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: spoil SRC STRATEGY DST")
	}
	var out bytes.Buffer
	worst, spoilt := 1.0, 0
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var s record.Session
		ts.Check(json.Unmarshal([]byte(line), &s))
		if s.Strategy == args[1] {
			spoilt++
			for i := range s.Checkpoints {
				c := &s.Checkpoints[i]
				for k := range c.Scores {
					c.Scores[k].Score = &worst
				}
				if c.Raw != nil {
					c.Raw = &worst
				}
			}
		}
		b, err := json.Marshal(&s)
		ts.Check(err)
		out.Write(append(b, '\n'))
	}
	if spoilt == 0 {
		ts.Fatalf("no session of %s in %s", args[1], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), out.Bytes(), 0o644))
}

// serve runs serve-sim beside a script and gives what ends it, at the latest with the
// script.
func serve(ts *testscript.TestScript, neg bool, args []string) (end func()) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: serve VAR ARG...")
	}
	self, err := os.Executable()
	ts.Check(err)
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), string(os.PathListSeparator)) {
		if p := filepath.Join(dir, "pepbench"); filepath.IsAbs(dir) && self != p {
			if _, err := os.Stat(p); err == nil {
				self = p
				break
			}
		}
	}
	cmd := exec.Command(self, append([]string{"serve-sim", "--addr", "127.0.0.1:0"}, args[1:]...)...)
	cmd.Env = []string{"PEPBENCH_TEST_KEY=" + ts.Getenv("PEPBENCH_TEST_KEY"), "GORACE=" + ts.Getenv("GORACE"), "GOCOVERDIR=" + ts.Getenv("GOCOVERDIR")}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	end = sync.OnceFunc(func() {
		signal := cmd.Process.Signal(os.Interrupt)
		rest, _ := io.ReadAll(out)
		if err := errors.Join(signal, cmd.Wait()); err != nil || errs.Len() > 0 {
			panic(fmt.Sprintf("serve-sim: %v: %s%s", err, rest, errs.String()))
		}
	})
	ts.Defer(end)
	b := bufio.NewReader(out)
	url, err := b.ReadString('\n')
	if err != nil {
		ts.Fatalf("serve-sim says nothing: %v", err)
	}
	what, err := b.ReadString('\n')
	ts.Check(err)
	if !strings.Contains(what, "simulator") {
		ts.Fatalf("serve-sim does not say that it is a simulator: %s", what)
	}
	ts.Logf("%s%s", url, what)
	ts.Setenv(args[0], strings.TrimSpace(url))
	ts.Setenv(args[0]+"_ADDR", strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(url), "http://"), "/v1"))
	return end
}

// expectCode runs the command and looks at its exit code. A command that fails
// says why in one line, without usage or stack.
func expectCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: code N ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec("pepbench", args[1:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	said := ts.ReadFile("stderr")
	if lines := strings.Count("\n"+said, "\npepbench: "); want != exitOK && lines != 1 || want == exitOK && lines != 0 {
		ts.Fatalf("exit code %d with %d lines that say why", want, lines)
	}
	for _, never := range []string{"Usage:", "goroutine ", "panic:", ".go:"} {
		if strings.Contains(said, never) {
			ts.Fatalf("stderr holds %q", never)
		}
	}
}

// help runs the command in this process.
func help(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(context.Background(), strings.NewReader(""), &out, &errs, append(args, "--help")); code != exitOK || errs.Len() > 0 {
		t.Fatalf("%v --help: code %d, %s", args, code, errs.String())
	}
	return out.String()
}

var (
	commandLine = regexp.MustCompile(`(?m)^  ([a-z][a-z-]*) +[A-Z]`)
	flagLine    = regexp.MustCompile(`(?m)^ +(?:-., )?--([a-z0-9-]+)`)
	flagInDoc   = regexp.MustCompile(`--([a-z0-9-]+)`)
)

func submatches(re *regexp.Regexp, s string) []string {
	var out []string
	for _, m := range re.FindAllStringSubmatch(s, -1) {
		if m[1] != "help" {
			out = append(out, m[1])
		}
	}
	slices.Sort(out)
	return out
}

// TestDocComment: the comment of the package lists the commands that exist, with
// their flags, and no others.
func TestDocComment(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "main.go", nil, parser.PackageClauseOnly|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	var names []string
	for line := range strings.Lines(f.Doc.Text()) {
		if rest, ok := strings.CutPrefix(line, "\tpepbench "); ok {
			name, flags, _ := strings.Cut(strings.TrimSpace(rest), " ")
			listed[name] = flags
			names = append(names, name)
		}
	}
	slices.Sort(names)
	exist := submatches(commandLine, help(t))
	if !slices.Equal(names, exist) || len(exist) < 3 {
		t.Errorf("the comment lists %v, there are %v", names, exist)
	}
	for _, name := range exist {
		if got, want := submatches(flagInDoc, listed[name]), submatches(flagLine, help(t, name)); !slices.Equal(got, want) {
			t.Errorf("%s: the comment lists the flags %v, there are %v", name, got, want)
		}
	}
}

func TestExitCode(t *testing.T) {
	alive := context.Background()
	dead, cancel := context.WithCancel(alive)
	cancel()
	for _, row := range []struct {
		reason string
		ctx    context.Context
		err    error
		want   int
	}{
		{"a mistake of the program", alive, errors.New("index out of range"), exitInternal},
		{"a disk that is full", alive, fmt.Errorf("write x: %w", io.ErrShortWrite), exitInternal},
		{"a flag that does not exist", alive, &usageError{errors.New("unknown flag: --x")}, exitConfig},
		{"a fault of the configuration", alive, &bench.ConfigError{File: "x.yaml", Line: 3, What: "bad"}, exitConfig},
		{"several of them", alive, errors.Join(&bench.ConfigError{What: "a"}, &bench.ConfigError{What: "b"}), exitConfig},
		{"a fault of the data", alive, &domains.DataError{File: "x.jsonl", Line: 3, What: "bad"}, exitData},
		{"a fault of the data, wrapped", alive, fmt.Errorf("loading: %w", &domains.DataError{What: "bad", Err: io.EOF}), exitData},
		{"a gate that failed", alive, fmt.Errorf("compare: %w", &reports.RegressionError{Gate: "gate.yaml", Lines: []string{"pep alignment (worse than allowed)"}, Of: 3}), exitRegression},
		{"a fault of a gate file", alive, errors.Join(&reports.GateError{File: "gate.yaml", Line: 3, What: "bad"}), exitConfig},
		{"an endpoint that cannot work", alive, fmt.Errorf("session x: solver: %w", llm.ErrUnusable), exitEndpoint},
		{"a call that the cache to be replayed does not have", alive, fmt.Errorf("session x: solver: %w", &cache.MissError{}), exitData},
		{"a file that is no cache", alive, &cache.FileError{File: "x", What: "bad"}, exitData},
		{"a cache that cannot be written any more", alive, fmt.Errorf("%w: %w", &cache.FileError{File: "x", What: "full"}, llm.ErrUnusable), exitData},
		{"an endpoint that failed for now has no code of its own", alive, fmt.Errorf("session x: %w", llm.ErrTransient), exitInternal},
		{"Ctrl-C", dead, fmt.Errorf("session x: %w", context.Canceled), exitInterrupted},
		{"Ctrl-C while something else went wrong", dead, errors.Join(context.Canceled, &domains.DataError{What: "bad"}), exitInterrupted},
		{"something of its own that came before Ctrl-C", dead, &domains.DataError{What: "bad"}, exitData},
		{"a call cancelled by the program itself", alive, context.Canceled, exitInternal},
	} {
		if got := exitCode(row.ctx, row.err); got != row.want {
			t.Errorf("%s: %v gives %d, want %d", row.reason, row.err, got, row.want)
		}
	}
}

// TestInterrupted: a run that is cancelled says so in one line.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, row := range []struct {
		reason, want string
		more         []string
	}{
		{"goes on", "run the same command again to go on", nil},
		{"would start over", "run the same command again without --fresh to go on", []string{"--fresh"}},
	} {
		var out, errs bytes.Buffer
		code := run(ctx, strings.NewReader(""), &out, &errs, append([]string{"run", "../../../configs/smoke.yaml", "--quiet", "--out", t.TempDir()}, row.more...))
		if code != exitInterrupted || out.Len() > 0 || errs.String() != "pepbench: interrupted; what is complete is kept, "+row.want+"\n" {
			t.Errorf("%s: code %d, stdout %q, stderr %q", row.reason, code, out.String(), errs.String())
		}
	}
}

// TestProgressInALog: where there is no terminal, sessions get a line a minute, with the
// time that the rest takes at the pace of this leg.
func TestProgressInALog(t *testing.T) {
	var errs bytes.Buffer
	now := time.Unix(0, 0)
	p := &progress{err: &errs, now: func() time.Time { return now }}
	p.Step("running 900 sessions")
	for i := range 900 {
		p.Sessions(100+i+1, 1000, i+1)
		now = now.Add(time.Second)
	}
	lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
	if len(lines) != 15 || lines[1] != "161 of 1000 sessions after 1m0s, about 13m45s to go" {
		t.Errorf("%d lines: %q", len(lines), lines)
	}
	errs.Reset()
	p = &progress{err: &errs, now: p.now, quiet: true}
	p.Sessions(1, 9, 1)
	now = now.Add(time.Hour)
	if p.Sessions(2, 9, 2); errs.Len() > 0 || p.done != 2 {
		t.Errorf("quiet: %q, %d sessions", errs.String(), p.done)
	}
}

// TestSpent: what a leg sent is a line where a server was asked or the cache spared it,
// and none where the embedded model played; an unknown price is no price.
func TestSpent(t *testing.T) {
	free, some := 0.0, 0.25
	for _, row := range []struct {
		reason string
		roles  map[string]record.RoleUsage
		want   string
	}{
		{"the embedded model", map[string]record.RoleUsage{"solver": {Calls: 3, TokensIn: 9, Dollars: &free}}, ""},
		{"nobody was asked", map[string]record.RoleUsage{"correctness": {}}, ""},
		{"a server without a price", map[string]record.RoleUsage{"solver": {Calls: 3, TokensIn: 9, TokensOut: 4}, "judge": {Calls: 1, Cached: 1, Dollars: &free}}, "calls: judge 1 (1 from the cache), solver 3; tokens, but for those from the cache: 9 in, 4 out"},
		{"prices for all", map[string]record.RoleUsage{"solver": {Calls: 3, TokensIn: 9, TokensOut: 4, Dollars: &some}, "judge": {Calls: 1, Dollars: &some}}, "calls: judge 1, solver 3; tokens, but for those from the cache: 9 in, 4 out; $0.50"},
	} {
		dir := t.TempDir()
		if err := record.WriteJSON(filepath.Join(dir, record.UsageFile), record.Usage{Roles: row.roles}); err != nil {
			t.Fatal(err)
		}
		if got := spent(dir); got != row.want {
			t.Errorf("%s: %q, want %q", row.reason, got, row.want)
		}
	}
	if got := spent(t.TempDir()); got != "" {
		t.Errorf("no file: %q", got)
	}
}
