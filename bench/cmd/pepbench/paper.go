package main

import (
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"pepbench/reports"
)

func paperCommand(stdout io.Writer) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "paper RUN|SWEEP... --out DIR",
		Short: "Put finished runs beside the claims of the paper, in one document that can be printed",
		Long: "Paper reads finished runs, and of sweeps every cell, and writes into the folder --out\n\n" +
			"  paper.pdf                 what was run, the claims, and every run's figures and tables\n" +
			"  paper.md                  the claims, with the way to the tables and figures of every run\n" +
			"  tables/claims.md .csv .tex\n\n" +
			"as in\n\n" +
			"  pepbench paper results/paper results/survey --out results/paper\n\n" +
			"Nothing is run. A run that is not finished, or not reported, is refused.",
		Args: need(1, math.MaxInt, "the folders of one run or sweep or more"),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				return &usageError{fmt.Errorf("paper needs --out, the folder that it writes to")}
			}
			s, err := reports.WritePaper(out, args...)
			if err != nil {
				return err
			}
			fmt.Fprint(stdout, s.Text)
			for _, w := range s.Warnings {
				fmt.Fprintln(stdout, "warning:", w)
			}
			fmt.Fprintf(stdout, "wrote %s/paper.pdf, paper.md and tables/claims.{md,csv,tex}\n", out)
			return nil
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "folder to write to")
	return c
}
