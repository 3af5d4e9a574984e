package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"pepbench/bench"
)

func rejudgeCommand(stdout, stderr io.Writer) *cobra.Command {
	var sets, models []string
	var out string
	var dry bool
	c := &cobra.Command{
		Use:   "rejudge RUN",
		Short: "Grade the responses of a finished run again, by another judge, and compare the two",
		Long: "Rejudge grades the stored responses of a finished run again, by the judge that --set makes of\n" +
			"its configuration (judge, roles.judge, backend, models), or by the same one once more, as in\n\n" +
			"  pepbench rejudge RUN --models configs/models/openai.yaml --set roles.judge=gpt-4.1\n\n" +
			"No question is asked and no solver is called. The results go to a folder of their own, whose\n" +
			"tables/judges.md compares the two judges; run the same command again to go on after an\n" +
			"interruption. What a manifest does not keep, since it changes no result (limits, rates,\n" +
			"timeouts, prices), is as if it had not been said, and can be set.",
		Args: need(1, 1, "the folder of one run"),
		RunE: func(c *cobra.Command, args []string) error {
			p := &progress{out: stdout, err: stderr, terminal: isTerminal(stderr)}
			r, err := bench.PrepareRejudge(c.Context(), args[0], sets, p.Step, models...)
			if err != nil {
				return err
			}
			p.quiet = r.Experiment.Quiet
			dir := out
			if dir == "" {
				dir = r.Dir()
			}
			if dry {
				fmt.Fprint(stdout, r.DryRun(dir))
				return nil
			}
			begun := time.Now()
			o, err := r.Run(c.Context(), dir, p)
			p.end()
			if err != nil {
				return p.kept(err, dir, false)
			}
			if !o.Changed && reported(dir) {
				fmt.Fprintf(stdout, "%[1]s is complete: all %[2]d sessions are graded, nothing to do (pepbench report %[1]s prints its table)\n", dir, o.Total)
				return nil
			}
			p.Step("writing tables and figures")
			if err := report(stdout, dir, p.quiet); err != nil {
				return err
			}
			fmt.Fprintf(stdout, "%d sessions (%d of them graded now, %d with errors) in %s: %s\n", o.Total, o.Ran, o.Failed, time.Since(begun).Round(100*time.Millisecond), dir)
			return nil
		},
	}
	c.Flags().StringArrayVar(&sets, "set", nil, "path=value: override a key of the run's configuration that is about the judge or the report (may be repeated)")
	c.Flags().StringArrayVar(&models, "models", nil, "configuration or preset whose models can be named, beside those that played in the run (may be repeated)")
	c.Flags().StringVar(&out, "out", "", "folder for the results (default RUN-rejudged-<judge>)")
	c.Flags().BoolVar(&dry, "dry-run", false, "print calls and tokens, and grade nothing")
	return c
}
