package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pepbench/bench"
	"pepbench/bench/record"
	"pepbench/reports"
)

func trainPolicyCommand(stdout, stderr io.Writer) *cobra.Command {
	var sets []string
	var t bench.Training
	var quiet bool
	c := &cobra.Command{
		Use:   "train-policy CONFIG",
		Short: "Train the policies of an experiment, or of every cell of a sweep, and keep them for its runs",
		Long:  "Train-policy trains what strategies of kind rl ask by, one policy for every seed, on the training profiles\nand with a reward at the end of a session; the checkpoint is chosen on dev. Policies are kept under the hash of\nall that decides them (key policies, results/policies by default), where the runs find them. A training that\nwas interrupted goes on; what is there is not trained again. Beside each are its learning curve and training.json.",
		Args:  need(1, 1, "one configuration file"),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := bench.LoadSweep(args[0], sets)
			if err != nil {
				return err
			}
			p := &progress{out: stdout, err: stderr, quiet: quiet, terminal: isTerminal(stderr)}
			list, err := bench.TrainPolicies(c.Context(), s, t, p.Step)
			if err != nil {
				return err
			}
			for i := range list {
				if list[i].Cached && there(list[i].Dir, learningFigure) { // a run, which trains too, draws elsewhere
					continue
				}
				p.Step("drawing " + filepath.Join(list[i].Dir, learningFigure))
				if _, err := reports.WriteTraining(list[i].Dir, list[i].Dir); err != nil {
					return err
				}
			}
			return tellPolicies(stdout, list)
		},
	}
	c.Flags().StringArrayVar(&sets, "set", nil, "path=value: override a key of the configuration (may be repeated)")
	c.Flags().StringArrayVar(&t.Strategies, "strategy", nil, "strategy of kind rl (may be repeated; all of them without)")
	c.Flags().IntSliceVar(&t.Seeds, "seed", nil, "seed of the experiment (may be repeated; all of them without)")
	c.Flags().BoolVar(&t.Fresh, "fresh", false, "train policies again that are there")
	c.Flags().BoolVar(&quiet, "quiet", false, "print no progress")
	return c
}

// learningFigure is the picture of a training in the folder of its policy.
const learningFigure = "learning.png"

// tellPolicies prints the trainings in two tables that fit a terminal, and what is in
// them: rewards are mean alignments on the training episodes, but for dev.
func tellPolicies(stdout io.Writer, list []bench.TrainedPolicy) error {
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "policy\tdata\tseed\tsteps\tbest\tdev\ttrain\trandom\tstatic\tover random\tover static\tundertrained")
	cached := 0
	for i := range list {
		t := &list[i]
		if t.Cached {
			cached++
		}
		undertrained := "no"
		if t.Undertrained {
			undertrained = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.Policy, t.Data, t.Seed, t.Steps, t.Best,
			points(t.Dev), points(t.Reward), points(t.Random), points(t.Static), over(t.OverRandom), over(t.OverStatic), undertrained)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprint(stdout, `
train, random, static: reward (alignment, 0 to 100) on the training episodes of the policy, of random questions and
of the best fixed order that a greedy search finds; a policy below that order is undertrained, and labelled so.
dev: reward on dev episodes, by which the policy at step best was chosen. ~: the 95% interval contains 0.

`)
	w = tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "policy\tdata\tseed\tfolder\tcloned")
	clones := false
	for i := range list {
		t := &list[i]
		cloned := "–"
		if c := t.Cloning; c != nil {
			clones = true
			cloned = fmt.Sprintf("%s of %d by %s (unseen: %s of %d)", share(c.Share), c.HeldOut, c.Of, share(c.UnseenShare), c.Unseen)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", t.Policy, t.Data, t.Seed, t.Dir, cloned)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if clones {
		fmt.Fprint(stdout, `
cloned: what a network of this shape can hold. Of an adaptive strategy's choices on dev users, the share that it repeats
after it was fitted to those on training users; unseen: of those after histories that no training user had.
`)
	}
	if cached == len(list) {
		fmt.Fprintln(stdout, "all policies are there: nothing to do (--fresh trains them again)")
	}
	return nil
}

// points writes an alignment, or a dash where there is none.
func points(v record.Float) string {
	if !v.Defined() {
		return "–"
	}
	return strconv.FormatFloat(float64(v), 'f', 2, 64)
}

// over writes a difference with half the width of its 95% interval; ~ marks one that is
// not resolved.
func over(c record.Contrast) string {
	switch {
	case !c.Value.Defined():
		return "–"
	case !c.Lo.Defined():
		return fmt.Sprintf("~%+.2f", float64(c.Value))
	}
	mark := ""
	if c.Lo <= 0 && c.Hi >= 0 {
		mark = "~"
	}
	return fmt.Sprintf("%s%+.2f ±%.2f", mark, float64(c.Value), float64(c.Hi-c.Lo)/2)
}

func share(v record.Float) string {
	if !v.Defined() {
		return "–"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(v))
}
