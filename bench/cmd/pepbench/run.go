package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"pepbench/bench"
	"pepbench/bench/llm"
	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/reports"
	"pepbench/reports/export"
)

func runCommand(stdout, stderr io.Writer) *cobra.Command {
	var sets []string
	var out, model string
	var dry, fresh, quiet bool
	c := &cobra.Command{
		Use:   "run CONFIG",
		Short: "Run an experiment, or go on with one that was interrupted, and report it",
		Args:  need(1, 1, "one configuration file"),
		RunE: func(c *cobra.Command, args []string) error {
			s, suffix, err := loadFor(args[0], model, sets)
			if err != nil {
				return err
			}
			first := s.Cells[0].Experiment
			quiet = quiet || first.Quiet
			p := &progress{out: stdout, err: stderr, quiet: quiet, terminal: isTerminal(stderr)}
			dir := out
			if dir == "" {
				dir = s.Out
			}
			if dir == "" {
				dir = filepath.Join("results", s.Name+suffix)
			}
			switch {
			case s.Single() && dry:
				plan, err := bench.PrepareDry(c.Context(), first, p.Step)
				if err != nil {
					return err
				}
				fmt.Fprint(stdout, plan.DryRun())
				return nil
			case s.Single():
				return runOne(c.Context(), first, dir, fresh, p)
			case dry:
				text, err := bench.DrySweep(c.Context(), s, p.Step)
				fmt.Fprint(stdout, text)
				return err
			}
			return runSweep(c.Context(), s, dir, fresh, p)
		},
	}
	c.Flags().StringArrayVar(&sets, "set", nil, "path=value: override a key of the configuration (may be repeated)")
	c.Flags().StringVar(&out, "out", "", "folder for the results (default results/<name>, with --model results/<name>-<model>)")
	c.Flags().StringVar(&model, "model", "", "model for every role: one of the configuration's models, or one that the server at $OPENAI_BASE_URL (default OpenAI's) knows, with the key in $OPENAI_API_KEY")
	c.Flags().BoolVar(&dry, "dry-run", false, "print sessions, calls by role and tokens, and run nothing")
	c.Flags().BoolVar(&fresh, "fresh", false, "drop the sessions that are there and start over")
	c.Flags().BoolVar(&quiet, "quiet", false, "print neither progress nor tables")
	return c
}

// loadFor loads a configuration in which one model plays every role; suffix tells its
// results apart. Without a model it is the configuration as it stands.
func loadFor(path, model string, sets []string) (s *bench.Sweep, suffix string, err error) {
	if model == "" {
		s, err = bench.LoadSweep(path, sets)
		return s, "", err
	}
	named, err := bench.ModelNames(path, sets)
	if err != nil {
		return nil, "", err
	}
	var play []string // before what the user sets, which goes on top
	if slices.Contains(named, model) {
		for _, role := range bench.RoleNames {
			play = append(play, "roles."+role+"="+quoted(model))
		}
	} else {
		play = []string{"backend={kind: openai, model: " + quoted(model) + "}", "roles={}"}
		if url := os.Getenv("OPENAI_BASE_URL"); url != "" {
			play = append(play, "backend.base_url="+quoted(url))
		}
		if os.Getenv("OPENAI_BASE_URL") == "" || os.Getenv("OPENAI_API_KEY") != "" { // servers at home want no key
			play = append(play, "backend.api_key_env=OPENAI_API_KEY")
		}
	}
	suffix = "-" + strings.Trim(unsafeInPath.ReplaceAllString(model, "-"), "-.")
	s, err = bench.LoadSweep(path, append(play, sets...))
	return s, suffix, err
}

// unsafeInPath matches what has no place in the name of a folder.
var unsafeInPath = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// quoted is a text in YAML, whatever it holds.
func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always has its JSON, which is YAML as well
	return string(b)
}

// runOne runs one experiment and reports it.
func runOne(ctx context.Context, e *bench.Experiment, dir string, fresh bool, p *progress) error {
	plan, err := bench.Prepare(ctx, e, p.Step)
	if err != nil {
		return err
	}
	debug.FreeOSMemory() // fitting took more than running will
	begun := time.Now()
	o, err := bench.Run(ctx, plan, dir, fresh, p)
	p.end()
	if err != nil {
		return p.kept(err, dir, fresh)
	}
	if !o.Changed && reported(dir) {
		fmt.Fprintf(p.out, "%[1]s is complete: all %[2]d sessions are there, nothing to do (pepbench report %[1]s prints its table, --fresh starts over)\n", dir, o.Total)
		return nil
	}
	p.Step("writing tables and figures")
	if err := report(p.out, dir, p.quiet); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%d sessions (%d of them now, %d with errors) in %s: %s\n", o.Total, o.Ran, o.Failed, time.Since(begun).Round(100*time.Millisecond), dir)
	if words := spent(dir); words != "" {
		p.Step(words)
	}
	if o.Failed > 0 {
		p.Step("the same command, without --fresh, tries the sessions with errors again")
	}
	return nil
}

// spent puts what this leg of a run sent to servers into a line; empty where all models
// were the embedded one, which costs nothing.
func spent(dir string) string {
	var u record.Usage
	b, err := os.ReadFile(filepath.Join(dir, record.UsageFile))
	if err != nil || json.Unmarshal(b, &u) != nil {
		return "" // the file is a convenience, and so is the line
	}
	var calls []string
	var dollars float64
	in, out, priced, paid := 0, 0, true, false
	for _, role := range slices.Sorted(maps.Keys(u.Roles)) {
		r := u.Roles[role]
		if r.Calls == 0 {
			continue
		}
		words := fmt.Sprintf("%s %d", role, r.Calls)
		if r.Cached > 0 {
			words += fmt.Sprintf(" (%d from the cache)", r.Cached)
		}
		calls = append(calls, words)
		in, out = in+r.TokensIn, out+r.TokensOut
		if r.Dollars == nil {
			priced = false
		} else {
			dollars += *r.Dollars
		}
		paid = paid || r.Dollars == nil || *r.Dollars > 0 || r.Cached > 0
	}
	if !paid {
		return ""
	}
	line := fmt.Sprintf("calls: %s; tokens, but for those from the cache: %d in, %d out", strings.Join(calls, ", "), in, out)
	if priced {
		line += fmt.Sprintf("; $%.2f", dollars)
	}
	return line
}

// runSweep runs a grid of experiments, reports each in its own folder and all of
// them together.
func runSweep(ctx context.Context, s *bench.Sweep, dir string, fresh bool, p *progress) error {
	begun := time.Now()
	grid, o, err := bench.RunSweep(ctx, s, dir, fresh, p, func(cell string, o bench.Outcome) error {
		p.end()
		if !o.Changed && reported(cell) {
			return nil
		}
		_, err := cellReport(cell, len(s.Cells))
		return err
	})
	p.end()
	if err != nil {
		return p.kept(err, dir, fresh)
	}
	p.Step("writing the joint report")
	if err := reportSweep(p.out, dir, p.quiet); err != nil {
		return err
	}
	refused := 0
	for _, c := range grid.Cells {
		if c.Refused != "" {
			refused++
		}
	}
	fmt.Fprintf(p.out, "%d cells (%d of them undefined), %d sessions (%d of them now, %d with errors) in %s: %s\n", len(grid.Cells), refused, o.Total, o.Ran, o.Failed, time.Since(begun).Round(100*time.Millisecond), dir)
	return nil
}

// reportSweep rebuilds the joint report of a sweep from its files.
func reportSweep(stdout io.Writer, dir string, quiet bool) error {
	s, err := reports.WriteSweep(dir)
	if err != nil || quiet {
		return err
	}
	show(stdout, dir, s)
	return nil
}

func reportCommand(stdout, _ io.Writer) *cobra.Command {
	r := reporter{out: stdout}
	joint, formats := false, []string{}
	c := &cobra.Command{
		Use:   "report DIR",
		Short: "Compute metrics, tables and figures of a run or a sweep again from its files, or export them",
		Args:  need(1, 1, "the folder of one run or sweep"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			defer lean()()
			dir := args[0]
			if r.formats, err = export.ParseFormats(formats...); err != nil {
				return &usageError{err}
			}
			if r.exports != "" && len(r.formats) == 0 {
				return &usageError{errors.New("--out is where exports go; give a --format, too")}
			}
			switch {
			case there(dir, record.SweepFile) && joint && len(r.formats) > 0:
				return &usageError{errors.New("--joint leaves the cells of a sweep alone, and --format exports them; give one of the two")}
			case there(dir, record.SweepFile):
				if !joint {
					if err := r.cells(c.Context(), dir); err != nil {
						return err
					}
				}
				return reportSweep(stdout, dir, false)
			case !there(dir, record.ManifestFile):
				return &domains.DataError{File: dir, What: "holds neither a run nor a sweep that was finished", Mend: "give the folder that pepbench run named, or run the sweep again to finish it"}
			case joint:
				return &usageError{fmt.Errorf("--joint is for sweeps, and %s holds a run", dir)}
			}
			s, files, err := r.report(dir, "", 1)
			if err != nil {
				return err
			}
			show(stdout, dir, s)
			for _, f := range files {
				fmt.Fprintln(stdout, f)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&joint, "joint", false, "of a sweep: the joint report alone, from the reports of its cells as they are")
	c.Flags().StringArrayVar(&formats, "format", nil, "export as csv, parquet, json or lm-eval, too (may be repeated, or separated by commas)")
	c.Flags().StringVarP(&r.exports, "out", "o", "", "folder of the exports (default exports, beside the report)")
	return c
}

// A reporter makes reports, and exports where formats are given.
type reporter struct {
	out     io.Writer
	formats []export.Format
	exports string // folder; empty: that of the run
}

// report makes the report of a run, or of one of the cells of a sweep, and gives the exports.
func (r *reporter) report(dir, cell string, cells int) (*reports.Summary, []string, error) {
	if len(r.formats) == 0 {
		s, err := cellReport(dir, cells)
		return s, nil, err
	}
	out := filepath.Join(dir, exportsFolder)
	if r.exports != "" {
		out = filepath.Join(r.exports, cell)
	}
	return export.Write(dir, out, r.formats)
}

// manyCells is how many cells a sweep may have that all have every figure in two widths.
const manyCells = 12

// cellReport makes the report of a run that is one of so many.
func cellReport(dir string, cells int) (*reports.Summary, error) {
	defer lean()()
	if cells > manyCells {
		return reports.WriteCell(dir)
	}
	return reports.Write(dir)
}

// cells makes the report of every cell of a sweep again, one after another. One that cannot
// be made is said, and the report it had, if any, is what the joint one shows.
func (r *reporter) cells(ctx context.Context, dir string) error {
	sw, err := record.ReadSweep(dir)
	if err != nil {
		return err
	}
	for i := range sw.Cells {
		cell := &sw.Cells[i]
		if cell.Refused != "" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		name := filepath.FromSlash(cell.Dir)
		s, files, err := r.report(filepath.Join(dir, name), name, len(sw.Cells))
		switch {
		case errors.Is(err, domains.ErrData):
			fmt.Fprintf(r.out, "warning: %s is not reported again: %v\n", cell.Dir, err)
		case err != nil:
			return err
		default:
			fmt.Fprintf(r.out, "%s: %d files, %d warnings\n", cell.Dir, len(s.Files)+len(files), len(s.Warnings))
		}
	}
	return nil
}

// lean makes the heap grow less between two collections while reports are made, which keep
// all sessions of a run; it gives what undoes it. GOGC stands above it.
func lean() (undo func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	was := debug.SetGCPercent(reportGCPercent)
	return func() { debug.SetGCPercent(was) }
}

func validateCommand(stdout io.Writer) *cobra.Command {
	var sets []string
	c := &cobra.Command{
		Use:   "validate CONFIG...",
		Short: "Check configuration files without loading data or running anything",
		Args:  need(1, math.MaxInt, "one configuration file or more"),
		RunE: func(_ *cobra.Command, args []string) error {
			var faults []error
			for _, path := range args {
				s, err := bench.LoadSweep(path, sets)
				switch {
				case err != nil:
					faults = append(faults, err)
				case s.Single():
					fmt.Fprintf(stdout, "%s: ok\n", path)
				default:
					fmt.Fprintf(stdout, "%s: ok, a grid of %d cells\n", path, len(s.Cells))
				}
			}
			return errors.Join(faults...)
		},
	}
	c.Flags().StringArrayVar(&sets, "set", nil, "path=value: override a key of the configuration (may be repeated)")
	return c
}

// exportsFolder is where exports go beside a report.
const exportsFolder = "exports"

// report rebuilds everything that is derived from a run's files.
func report(stdout io.Writer, dir string, quiet bool) error {
	defer lean()()
	s, err := reports.Write(dir)
	if err != nil {
		return err
	}
	if !quiet {
		show(stdout, dir, s)
	}
	return nil
}

// show prints the headline table and what to know before trusting it.
func show(stdout io.Writer, dir string, s *reports.Summary) {
	fmt.Fprintln(stdout)
	fmt.Fprint(stdout, s.Text)
	for _, w := range s.Warnings {
		fmt.Fprintln(stdout, "warning:", w)
	}
	fmt.Fprintln(stdout, "report:", filepath.Join(dir, record.PageFile))
}

// there says whether a folder has a file.
func there(dir, file string) bool {
	_, err := os.Stat(filepath.Join(dir, file))
	return err == nil
}

// reported says whether the report of a run is whole.
func reported(dir string) bool {
	for _, f := range []string{record.MetricsFile, record.PageFile, "tables/main.md", "tables/profile.md", "figures/alignment.png", "figures/interactions.png", "figures/adaptivity.png"} {
		if !there(dir, f) {
			return false
		}
	}
	return true
}

// progress shows a bar on a terminal; elsewhere, as in the log of a night, one line a
// step, and one now and then while sessions run.
type progress struct {
	out, err        io.Writer
	quiet, terminal bool
	bar             *progressbar.ProgressBar

	done, total int       // sessions, as last told
	begun, told time.Time // of these sessions; zero: not yet
	now         func() time.Time
}

// betweenLines is how long a log stays without a word of the sessions, at least.
const betweenLines = time.Minute

// Step implements bench.Progress.
func (p *progress) Step(what string) {
	p.end()
	p.begun = time.Time{}
	if !p.quiet {
		fmt.Fprintln(p.err, what)
	}
}

// kept adds to the error that ended a run early what is there to go on from.
func (p *progress) kept(err error, dir string, fresh bool) error {
	if p.done == 0 || !errors.Is(err, llm.ErrBudget) && !errors.Is(err, llm.ErrUnusable) {
		return err
	}
	how := "the same command goes on from there"
	if fresh {
		how = "the same command without --fresh goes on from there"
	}
	if there(dir, record.SweepFile) {
		return fmt.Errorf("%w; what is complete is kept in %s: %s", err, dir, how)
	}
	return fmt.Errorf("%w; %d of %d sessions are kept in %s: %s", err, p.done, p.total, dir, how)
}

// Sessions implements bench.Progress.
func (p *progress) Sessions(done, total, fresh int) {
	p.done, p.total = done, total
	if p.quiet {
		return
	}
	if !p.terminal {
		p.line(fresh)
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(p.err),
			progressbar.OptionSetDescription("sessions"),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetWidth(30),
			progressbar.OptionClearOnFinish(),
		)
	}
	_ = p.bar.Set(done) // a bar that cannot be drawn stops nothing
}

// line tells a log how far the sessions are, if it is time to; fresh are those of this
// leg, whose pace says when the rest will be done.
func (p *progress) line(fresh int) {
	if p.now == nil {
		p.now = time.Now
	}
	now := p.now()
	if p.begun.IsZero() {
		p.begun, p.told = now, now
	}
	if now.Sub(p.told) < betweenLines || p.done == p.total || fresh == 0 {
		return
	}
	p.told = now
	took := now.Sub(p.begun)
	left := time.Duration(float64(took) / float64(fresh) * float64(p.total-p.done))
	fmt.Fprintf(p.err, "%d of %d sessions after %s, about %s to go\n", p.done, p.total, took.Round(time.Second), left.Round(time.Second))
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
