package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"pepbench/bench/record"
	"pepbench/reports"
)

func compareCommand(stdout io.Writer) *cobra.Command {
	var gate, junit, markdown string
	var quiet bool
	c := &cobra.Command{
		Use:   "compare BASE RUN",
		Short: "Compare two finished runs session by session, and fail where a gate does",
		Long: "Compare pairs the sessions of two finished runs by strategy, seed, task and user, and shows what\n" +
			"differs between the runs and what changed from BASE to RUN, with intervals. Either may be a\n" +
			"baseline that pepbench baseline wrote. With a gate, as in\n\n" +
			"  pepbench compare results/baseline results/smoke --gate configs/gate.yaml\n\n" +
			"it exits with code 6 if a measure got worse by more than the gate allows, or if that cannot be\n" +
			"ruled out (cannot_tell: warn or pass lets the latter through).",
		Args: need(2, 2, "the folders of two runs or baselines"),
		RunE: func(_ *cobra.Command, args []string) error {
			if junit != "" && gate == "" {
				return &usageError{fmt.Errorf("--junit needs --gate, whose lines are its test cases")}
			}
			var g *reports.Gate
			if gate != "" {
				var err error
				if g, err = reports.ReadGate(gate); err != nil {
					return err
				}
			}
			r, err := reports.CompareRuns(args[0], args[1], g)
			if err != nil {
				return err
			}
			if junit != "" {
				b, err := r.JUnit()
				if err != nil {
					return err
				}
				if err := writeReport(junit, b); err != nil {
					return err
				}
			}
			if markdown != "" {
				if err := writeReport(markdown, r.Markdown()); err != nil {
					return err
				}
			}
			if !quiet {
				fmt.Fprint(stdout, r.Text(120))
				for _, w := range r.Warnings {
					fmt.Fprintln(stdout, "warning:", w)
				}
			}
			return r.Err()
		},
	}
	c.Flags().StringVar(&gate, "gate", "", "YAML file that says which changes fail, such as configs/gate.yaml")
	c.Flags().StringVar(&junit, "junit", "", "file to write the lines of the gate to, as JUnit XML")
	c.Flags().StringVar(&markdown, "markdown", "", "file to write a summary to, for a comment on a change")
	c.Flags().BoolVar(&quiet, "quiet", false, "print nothing but why the gate failed")
	return c
}

func baselineCommand(stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:   "baseline RUN DIR",
		Short: "Keep of a finished run what compare needs, in two small files",
		Long: "Baseline keeps of a finished run its manifest and, in paired.csv, the values of every session that\n" +
			"pepbench compare uses, so that a later run can be compared with it, and says what changes against\n" +
			"the baseline that was there. Both files are meant to be committed.",
		Args: need(2, 2, "the folder of a run and the one of the baseline"),
		RunE: func(_ *cobra.Command, args []string) error {
			changes, err := reports.WriteBaseline(args[0], args[1])
			if err != nil {
				return err
			}
			for _, s := range changes {
				fmt.Fprintln(stdout, s)
			}
			fmt.Fprintf(stdout, "wrote %s\n", filepath.Join(args[1], "{"+record.ManifestFile+","+reports.PairedFile+"}"))
			return nil
		},
	}
}

// writeReport writes a file as a whole or not at all, and makes its folder.
func writeReport(name string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return record.WriteFile(name, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}
