// Pepbench benchmarks cold-start preference elicitation: a new user arrives,
// nothing is known of them, a task admits dozens of preference criteria, and a few
// questions may be asked.
//
//	pepbench run CONFIG [--model NAME] [--set path=value]... [--out DIR] [--dry-run] [--fresh] [--quiet]
//	pepbench report DIR [--joint] [--format csv|parquet|json|lm-eval]... [--out DIR]
//	pepbench compare BASE RUN [--gate FILE] [--junit FILE] [--markdown FILE] [--quiet]
//	pepbench baseline RUN DIR
//	pepbench rejudge RUN [--models FILE]... [--set path=value]... [--out DIR] [--dry-run]
//	pepbench paper RUN|SWEEP... --out DIR
//	pepbench validate CONFIG... [--set path=value]...
//	pepbench fit CONFIG --out FILE [--belief NAME] [--set path=value]... [--quiet]
//	pepbench train-policy CONFIG [--strategy NAME]... [--seed N]... [--set path=value]... [--fresh] [--quiet]
//	pepbench doctor [--config FILE [--set path=value]...] [--base-url URL] [--model NAME] [--api-key-env ENVVAR]
//	pepbench serve-sim [--addr HOST:PORT] [--any-host] [--latency TIME] [--jitter TIME] [--faults P] [--fault-429 P] [--fault-500 P] [--fault-hang P] [--fault-cut P] [--fault-garbage P] [--fault-drip P] [--fault-truncate P] [--most-faults N] [--retry-after TIME] [--drip TIME] [--seed N] [--require-key ENVVAR] [--models A,B] [--no-json-mode] [--context N]
//	pepbench elicit DOMAIN|CONFIG [--strategy NAME] [--task ID] [--set path=value]...
//	pepbench policy-log check|from-run|from-transcripts FILE|RUN [ARG]...
//	pepbench view RUN|SWEEP... [--addr PORT|HOST:PORT] [--open]
//	pepbench cache stats|prune|export|import [ARG]... [--cache FILE]
//
// Exit codes: 0 ok, 1 internal, 2 usage or configuration, 3 data, 4 endpoint
// unusable, 5 budget spent, 6 regression (the gate of compare failed), 130 interrupted
// (what was complete is kept; run again to resume).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"pepbench/bench"
	"pepbench/bench/llm"
	"pepbench/bench/llm/cache"
	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/reports"
)

// The exit codes.
const (
	exitOK          = 0
	exitInternal    = 1
	exitConfig      = 2
	exitData        = 3
	exitEndpoint    = 4
	exitBudget      = 5
	exitRegression  = 6
	exitInterrupted = 130
)

// gcPercent lets the heap, which is small, grow to two and a half times what is in use between
// two collections: a run makes garbage with every call.
const gcPercent = 150

// reportGCPercent is the same of a report, whose heap is what is kept of all sessions: 75 costs
// some 10% of the time and saves a quarter of the memory of 150.
const reportGCPercent = 75

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program where it stands
	code := run(ctx, os.Stdin, os.Stdout, os.Stderr, os.Args[1:])
	stop()
	os.Exit(code)
}

// The version may be a hash of the whole program, which takes longer than all of
// --help: it is worked out where it is shown.
func init() { cobra.AddTemplateFunc("version", bench.Version) }

// run is the whole command; it gives the exit code.
func run(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer, args []string) int {
	root := &cobra.Command{
		Use:           "pepbench",
		Short:         "Benchmark cold-start preference elicitation",
		Long:          "Pepbench pairs simulated users with elicitation strategies, lets a solver answer each task\nfor the inferred profile, has a judge grade the answer, and writes tables and figures.\n\nExit codes: 0 ok, 1 internal, 2 usage or configuration, 3 data, 4 endpoint unusable, 5 budget spent,\n6 regression (the gate of compare failed), 130 interrupted (run again to resume).",
		Version:       "see the template",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          known,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetVersionTemplate("{{.Name}} version {{version}}\n")
	root.CompletionOptions.DisableDefaultCmd = true
	root.SuggestionsMinimumDistance = 2
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(args)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.AddCommand(runCommand(stdout, stderr), reportCommand(stdout, stderr), compareCommand(stdout), baselineCommand(stdout), rejudgeCommand(stdout, stderr), paperCommand(stdout), validateCommand(stdout), fitCommand(stdout, stderr), trainPolicyCommand(stdout, stderr), elicitCommand(stdin, stdout, stderr), serveSimCommand(stdout), viewCommand(stdout, stderr), doctorCommand(stdout), policyLogCommand(stdout, stderr), cacheCommand(stdout))
	c, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	code := exitCode(ctx, err)
	if code == exitInterrupted {
		how := ""
		if f := c.Flags().Lookup("fresh"); f != nil && f.Changed { // which would start over
			how = " without --fresh"
		}
		fmt.Fprintln(stderr, "pepbench: interrupted; what is complete is kept, run the same command again"+how+" to go on")
		return code
	}
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		err = fmt.Errorf("%w; see %s --help", err, c.CommandPath())
	}
	if code == exitConfig && pathError(err) {
		mend := "check the path and its permissions"
		if c.Flags().Lookup("out") != nil {
			mend += ", or give another --out"
		}
		err = fmt.Errorf("%w; %s", err, mend)
	}
	for _, line := range strings.Split(err.Error(), "\n") {
		fmt.Fprintln(stderr, "pepbench:", line)
	}
	return code
}

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// exitCode maps errors to exit codes, here and nowhere else.
func exitCode(ctx context.Context, err error) int {
	var usage *usageError
	switch {
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage), errors.Is(err, bench.ErrConfig), errors.Is(err, reports.ErrGate):
		return exitConfig
	case errors.Is(err, domains.ErrData), errors.Is(err, cache.ErrFile), errors.Is(err, cache.ErrMiss):
		return exitData
	case errors.Is(err, reports.ErrRegression):
		return exitRegression
	case errors.Is(err, llm.ErrBudget):
		return exitBudget
	case errors.Is(err, llm.ErrUnusable):
		return exitEndpoint
	case errors.Is(err, record.ErrLocked), pathError(err):
		return exitConfig
	}
	return exitInternal
}

// pathError says whether a file or folder cannot be used, which is the user's to
// mend.
func pathError(err error) bool {
	var p *fs.PathError
	var l *os.LinkError
	return errors.As(err, &p) || errors.As(err, &l)
}

// known refuses a command that does not exist and names one that is written much the
// same way.
func known(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if like := c.SuggestionsFor(args[0]); len(like) > 0 {
		return &usageError{fmt.Errorf("unknown command %q, did you mean %s?", args[0], strings.Join(like, " or "))}
	}
	return &usageError{fmt.Errorf("unknown command %q", args[0])}
}

// need checks the number of arguments and says what they are.
func need(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			s := "s"
			if len(args) == 1 {
				s = ""
			}
			return &usageError{fmt.Errorf("%s takes %s, got %d argument%s", c.Name(), what, len(args), s)}
		}
		return nil
	}
}
