package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"pepbench/bench"
	"pepbench/strategies/policylog"
)

func policyLogCommand(stdout, stderr io.Writer) *cobra.Command {
	c := &cobra.Command{
		Use:   "policy-log",
		Short: "Check the log of a policy, or make one of a run or of conversations",
		Long: "A policy log says what a policy did after which questions and answers, one decision a line of JSON, so\n" +
			"that a policy that was trained anywhere can be replayed: {kind: replay, log: FILE, mode: trajectory}.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("there is no command policy-log %s; there are check, from-run, from-transcripts", args[0])}
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(policyLogCheck(stdout), policyLogFromRun(stdout), policyLogFromTranscripts(stdout, stderr))
	return c
}

func policyLogCheck(stdout io.Writer) *cobra.Command {
	var config string
	var sets []string
	c := &cobra.Command{
		Use:   "check FILE",
		Short: "Hold a policy log to the data of an experiment, and count what is in it",
		Args:  need(1, 1, "one file of decisions"),
		RunE: func(_ *cobra.Command, args []string) error {
			if config == "" {
				return &usageError{errors.New("check needs --config CONFIG, the experiment whose data the log is of")}
			}
			e, err := bench.Load(config, sets)
			if err != nil {
				return err
			}
			l, d, err := bench.ReadPolicyLog(e, args[0], nil)
			if err != nil {
				return err
			}
			fmt.Fprintf(stdout, "%s: a policy log on %s, version %d, %d bytes, sha256 %.12s\n", args[0], policylog.DataName(d), policylog.Version, l.Source.Bytes, l.Source.SHA256)
			if h := l.Header; h != (policylog.Header{}) {
				parameters := "not known"
				if h.Parameters > 0 {
					parameters = fmt.Sprint(h.Parameters)
				}
				fmt.Fprintf(stdout, "model: %s\nparameters: %s\ntraining: %s\n", cmp.Or(h.Model, "not known"), parameters, cmp.Or(h.Method, "not known"))
				if h.Note != "" {
					fmt.Fprintf(stdout, "note: %s\n", h.Note)
				}
			} else {
				fmt.Fprintln(stdout, "no header: model, parameters and training are not known")
			}
			users := map[string]bool{}
			for i := range d.Users {
				users[d.Users[i].ID] = true
			}
			for _, id := range l.Policies() {
				own, err := l.Of(id)
				if err != nil {
					return err
				}
				stops, sure, nobody, strangers := 0, 0, 0, map[string]bool{}
				stranger := "" // the first of them
				for i := range own.Decisions {
					x := &own.Decisions[i]
					if x.Stop {
						stops++
					}
					if x.Probability != nil || x.Choices != nil {
						sure++
					}
					if !users[x.User] {
						nobody++
						if stranger = cmp.Or(stranger, x.User); x.User != "" {
							strangers[x.User] = true
						}
					}
				}
				n := len(own.Decisions)
				fmt.Fprintf(stdout, "policy %s: %d episodes, %d decisions, %d of them stops, %.1f%% with probability, %d without a user of the data\n", id, own.Episodes(), n, stops, 100*float64(sure)/float64(n), nobody)
				if len(strangers) > 0 {
					fmt.Fprintf(stdout, "  its users that the data do not have, and whose trajectories serve no session: %d, first %q; users look like %q\n", len(strangers), stranger, d.Users[0].ID)
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&config, "config", "", "configuration whose data the log is of")
	c.Flags().StringArrayVar(&sets, "set", nil, "path=value: override a key of the configuration (may be repeated)")
	return c
}

func policyLogFromRun(stdout io.Writer) *cobra.Command {
	var strategy, out string
	c := &cobra.Command{
		Use:   "from-run RUN",
		Short: "Make a policy log of what a strategy asked in a finished run",
		Args:  need(1, 1, "the folder of one finished run"),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case strategy == "":
				return &usageError{errors.New("from-run needs --strategy NAME, the row of the run")}
			case out == "":
				return &usageError{errors.New("from-run needs --out FILE, where the log goes")}
			}
			if err := writable(out); err != nil {
				return err
			}
			l, err := bench.LogOfRun(c.Context(), args[0], strategy)
			if err != nil {
				return err
			}
			if err := writePolicyLog(out, &l.Log); err != nil {
				return err
			}
			fmt.Fprintf(stdout, "%d decisions of %d sessions: %s\n", len(l.Decisions), l.Sessions, out)
			if l.Failed > 0 {
				fmt.Fprintf(stdout, "left out: %d sessions that ended with an error\n", l.Failed)
			}
			if l.Unlogged > 0 {
				fmt.Fprintf(stdout, "left out: %d questions about no criterion of the task, which a log cannot have\n", l.Unlogged)
			}
			return nil
		},
	}
	c.Flags().StringVar(&strategy, "strategy", "", "row of the run whose decisions are logged")
	c.Flags().StringVarP(&out, "out", "o", "", "policy log to write")
	return c
}

func policyLogFromTranscripts(stdout, stderr io.Writer) *cobra.Command {
	var config, policy, out string
	var sets []string
	c := &cobra.Command{
		Use:   "from-transcripts FILE",
		Short: "Make a policy log of conversations, whose words the interpreter of an experiment reads",
		Long: "From-transcripts reads conversations in the manner of the released interactive evaluation, one a line:\n" +
			"problem_id (or task and user) and a list of messages, each with role and content. Questions become\n" +
			"criteria and answers values by rules, and by the model of role interpreter where these are in doubt.\n" +
			"A question about no criterion is counted and left out, as if it had not been put.",
		Args: need(1, 1, "one file of conversations"),
		RunE: func(c *cobra.Command, args []string) error {
			for _, f := range []struct{ value, what string }{{config, "--config CONFIG, the experiment whose data and interpreter are used"}, {policy, "--policy ID, the name of who asked"}, {out, "--out FILE, where the log goes"}} {
				if f.value == "" {
					return &usageError{fmt.Errorf("from-transcripts needs %s", f.what)}
				}
			}
			e, err := bench.Load(config, sets)
			if err != nil {
				return err
			}
			if err := writable(out); err != nil {
				return err
			}
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			p := &progress{out: stdout, err: stderr, terminal: isTerminal(stderr)}
			l, err := bench.LogOfTranscripts(c.Context(), e, f, args[0], policy, p.Step)
			if err != nil {
				return err
			}
			if err := writePolicyLog(out, &l.Log); err != nil {
				return err
			}
			fmt.Fprintf(stdout, "%d decisions of %d conversations: %s\n", len(l.Decisions), l.Conversations, out)
			for _, n := range []struct {
				n    int
				what string
			}{
				{l.NoCriterion, "left out: %d questions about no criterion of the task\n"},
				{l.Again, "left out: %d questions about a criterion that had been asked about\n"},
				{l.Open, "left out: %d messages that do not say whether they ask, and that nobody replied to\n"},
				{l.Unread, "%d answers could not be made out, and taught nothing\n"},
			} {
				if n.n > 0 {
					fmt.Fprintf(stdout, n.what, n.n)
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&config, "config", "", "configuration with the data and the interpreter")
	c.Flags().StringVar(&policy, "policy", "", "id of the policy in the log")
	c.Flags().StringVarP(&out, "out", "o", "", "policy log to write")
	c.Flags().StringArrayVar(&sets, "set", nil, "path=value: override a key of the configuration (may be repeated)")
	return c
}

// writePolicyLog writes a log whole or not at all.
func writePolicyLog(path string, l *policylog.Log) error {
	var b bytes.Buffer
	if err := policylog.Write(&b, l); err != nil {
		return err
	}
	return writeWhole(path, b.Bytes())
}
