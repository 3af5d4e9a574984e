package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"pepbench/bench"
	"pepbench/domains"
	"pepbench/domains/data"
	"pepbench/strategies"
)

func elicitCommand(stdin io.Reader, stdout, stderr io.Writer) *cobra.Command {
	var sets []string
	var strategy, task string
	c := &cobra.Command{
		Use:   "elicit DOMAIN|CONFIG",
		Short: "Be the user: answer a strategy's questions in the terminal and watch the belief",
		Long: "Elicit puts a strategy's questions to you. Each turn shows the question, why it was chosen (the largest\n" +
			"scores), and what is believed of the likeliest criteria before and after your answer. DOMAIN is a\n" +
			"built-in domain (" + strings.Join(data.Names(), ", ") + "), CONFIG a configuration file. Nothing is sent anywhere, and no answer is kept.",
		Args: need(1, 1, "one built-in domain or configuration file"),
		RunE: func(c *cobra.Command, args []string) error {
			e, err := elicited(args[0], sets)
			if err != nil {
				return err
			}
			p := &progress{out: stdout, err: stderr, terminal: isTerminal(stderr)}
			plan, err := bench.Prepare(c.Context(), e, p.Step)
			if err != nil {
				return err
			}
			iv, err := plan.Interview(strategy, task)
			if err != nil {
				return err
			}
			signal.Reset(os.Interrupt, syscall.SIGTERM) // reading an answer cannot be cancelled, and there is nothing to save
			return interview(c.Context(), iv, stdin, stdout)
		},
	}
	c.Flags().StringArrayVar(&sets, "set", nil, "path=value: override a key of the configuration (may be repeated; needs CONFIG)")
	c.Flags().StringVar(&strategy, "strategy", "", "which strategy asks (default: the first adaptive one that predicts from a belief)")
	c.Flags().StringVar(&task, "task", "", "id of the task (default: the first test task)")
	return c
}

// elicited gives the experiment of a built-in domain, or of a configuration.
func elicited(name string, sets []string) (*bench.Experiment, error) {
	if _, err := os.Stat(name); err == nil || !slices.Contains(data.Names(), name) && strings.ContainsAny(name, "./") {
		return bench.Load(name, sets)
	}
	if len(sets) > 0 {
		return nil, &usageError{errors.New("--set needs a configuration file in place of a built-in domain")}
	}
	return bench.Builtin(name)
}

// shownCriteria is how many criteria the bars are drawn of.
const shownCriteria = 8

// interview puts the questions until the strategy, the budget or the person has
// enough.
func interview(ctx context.Context, iv *bench.Interview, in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	if prompt := strings.TrimSpace(iv.Task.Prompt); prompt != "" { // a survey has none
		fmt.Fprintf(out, "\nTask: %s\n", prompt)
	}
	for _, o := range iv.Task.Options {
		fmt.Fprintf(out, "  %s) %s\n", o.Label, o.Text)
	}
	fmt.Fprintf(out, "\n%s %s.\nUp to %d questions about %d criteria. Answer with a number, n (does not matter to me), s (skip) or q (enough).\n", iv.Strategy, iv.About, iv.Budget, len(iv.Criteria))
	before := iv.Elicitor.Infer()
	for n := 1; n <= iv.Budget; n++ {
		q, err := iv.Elicitor.Next(ctx)
		if errors.Is(err, strategies.ErrDone) {
			if l, ok := iv.Elicitor.(strategies.Logged); ok && l.OffLog() == strategies.OffLogHistory {
				fmt.Fprintln(out, "\nThe log does not say what it would ask now.")
				break
			}
			fmt.Fprintln(out, "\nThe strategy wants no more questions.")
			break
		}
		if err != nil {
			return err
		}
		crit := &iv.Criteria[q.Position]
		name := " (" + crit.Name + ")"
		if crit.Name == q.Text { // surveys have no other
			name = ""
		}
		fmt.Fprintf(out, "\nQuestion %d of %d%s: %s\n", n, iv.Budget, name, q.Text)
		why(out, iv)
		choices(out, crit)
		cell, more, err := reply(lines, out, crit)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		iv.Elicitor.Observe(q, domains.Answer{Cell: cell})
		after := iv.Elicitor.Infer()
		bars(out, iv.Criteria, &before, &after)
		before = after
	}
	fmt.Fprintln(out, "\nWhat is believed of you now, likeliest first:")
	for _, i := range before.Best(shownCriteria, 0) {
		fmt.Fprintf(out, "  %-34s held %3.0f%%  %s\n", clip(iv.Criteria[i].Name, 34), 100*before.Held[i], wanted(&iv.Criteria[i], &before, i))
	}
	return nil
}

// why prints the scores by which the question was chosen.
func why(out io.Writer, iv *bench.Interview) {
	s, ok := iv.Elicitor.(strategies.Scorer)
	if l, logged := iv.Elicitor.(strategies.Logged); logged {
		fmt.Fprintln(out, "  why: "+map[string]string{
			"":                       "the log has it after these answers",
			strategies.OffLogTask:    "the log has it after these answers, on other tasks",
			strategies.OffLogHistory: "the log does not have these answers, and has it after the most alike",
		}[l.OffLog()])
		return
	}
	if !ok {
		fmt.Fprintln(out, "  why: a fixed order, whatever is answered")
		return
	}
	top := s.Top(5)
	if len(top) == 0 {
		return
	}
	fmt.Fprintln(out, "  why, by score:")
	most := math.Abs(top[0].Score)
	for _, c := range top {
		share := 0.0
		if most > 0 {
			share = math.Abs(c.Score) / most
		}
		fmt.Fprintf(out, "    %-34s %9.4f %s\n", clip(iv.Criteria[c.Position].Name, 34), c.Score, bar(share, 20))
	}
}

// choices prints what can be answered.
func choices(out io.Writer, c *domains.Criterion) {
	if c.Scale == domains.Continuous {
		fmt.Fprintf(out, "  a number from %g to %g, or n, s, q\n", c.Min, c.Max)
		return
	}
	for i, l := range c.Levels {
		text := l.Text
		if text == "" {
			text = strconv.FormatFloat(l.Value, 'g', -1, 64)
		}
		fmt.Fprintf(out, "  %d  %s\n", i+1, text)
	}
	fmt.Fprintln(out, "  n  does not matter     s  skip     q  enough")
}

// reply reads one answer, asking again until it can be read; more is false when the
// person has enough or the input ends.
func reply(lines *bufio.Reader, out io.Writer, c *domains.Criterion) (cell domains.Cell, more bool, err error) {
	for {
		fmt.Fprint(out, "> ")
		text, err := line(lines)
		if err != nil {
			fmt.Fprintln(out)
			if err == io.EOF {
				err = nil
			}
			return domains.Missing(), false, err
		}
		text = strings.ToLower(strings.TrimSpace(text))
		switch text {
		case "n", "no", "na":
			return domains.NotHeld(), true, nil
		case "s", "skip", "?":
			return domains.Missing(), true, nil
		case "q", "quit":
			return domains.Missing(), false, nil
		}
		v, err := strconv.ParseFloat(text, 64)
		switch {
		case err != nil:
			fmt.Fprintln(out, "  Please give one of the numbers, n, s or q.")
		case c.Scale == domains.Continuous && c.Allows(v):
			return domains.At(v + 0), true, nil // no -0
		case c.Scale != domains.Continuous && v == math.Trunc(v) && v >= 1 && int(min(v, 1e6)) <= len(c.Levels):
			return domains.At(c.Levels[int(v)-1].Value), true, nil
		default:
			fmt.Fprintln(out, "  That is none of the answers.")
		}
	}
}

// line reads a line of any length and gives no more of it than its first bytes, which
// are enough for an answer. The error is io.EOF where nothing is left.
func line(r *bufio.Reader) (string, error) {
	var text []byte
	for begun := false; ; begun = true {
		part, more, err := r.ReadLine()
		switch {
		case err == io.EOF && begun:
			return string(text), nil
		case err != nil:
			return "", err
		}
		if !begun {
			text = append(text, part...)
		}
		if !more {
			return string(text), nil
		}
	}
}

// bars draws P(held) and E[value] of the likeliest criteria, and of those that moved
// most, before and after an answer.
func bars(out io.Writer, criteria []domains.Criterion, before, after *domains.Inference) {
	shown := after.Best(shownCriteria, 0)
	moved, most := -1, 0.0
	for i := range criteria {
		if d := math.Abs(after.Held[i] - before.Held[i]); d > most && !slices.Contains(shown, i) {
			moved, most = i, d
		}
	}
	if moved >= 0 {
		shown = append(shown, moved)
	}
	fmt.Fprintf(out, "  %-34s %-19s %-19s\n", "believed to matter", "before", "after")
	for _, i := range shown {
		fmt.Fprintf(out, "  %-34s %s %s  %s\n", clip(criteria[i].Name, 34), meter(before.Held[i]), meter(after.Held[i]), wanted(&criteria[i], after, i))
	}
}

// meter is a bar with its share in percent, and a dash where nothing is known.
func meter(p float64) string {
	if math.IsNaN(p) {
		return fmt.Sprintf("%-13s %4s ", "", "–")
	}
	return fmt.Sprintf("%s %3.0f%% ", bar(p, 13), 100*p)
}

// bar is share of width in blocks, padded to width.
func bar(share float64, width int) string {
	n := min(max(int(math.Round(share*float64(width))), 0), width)
	return strings.Repeat("█", n) + strings.Repeat("░", width-n)
}

// wanted puts the predicted value of a criterion into words.
func wanted(c *domains.Criterion, inf *domains.Inference, i int) string {
	switch {
	case inf.Levels != nil && inf.Levels[i] != nil:
		best := 0
		for l, p := range inf.Levels[i] {
			if p > inf.Levels[i][best] {
				best = l
			}
		}
		return clip(c.Levels[best].Text, 60)
	case math.IsNaN(inf.Value[i]):
		return ""
	case c.Scale == domains.Continuous:
		return fmt.Sprintf("about %.3g", inf.Value[i])
	}
	l := c.Levels[c.Nearest(inf.Value[i])]
	if l.Text == "" {
		return fmt.Sprintf("about %.2g", inf.Value[i])
	}
	return clip(l.Text, 60)
}

// clip shortens s to n characters by leaving out what follows its first third: of
// questions that begin alike the end tells which is which.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	head := n / 3
	return string(r[:head]) + "…" + string(r[len(r)-(n-head-1):])
}
