package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"pepbench/bench"
	"pepbench/strategies/belief"
)

func fitCommand(stdout, stderr io.Writer) *cobra.Command {
	var sets []string
	var name, out string
	var quiet bool
	c := &cobra.Command{
		Use:   "fit CONFIG",
		Short: "Fit one belief of an experiment on its training profiles and write a model file",
		Long:  "Fit loads and splits the data of an experiment, fits one of its beliefs (choosing on dev) and writes\nit to a file, which a strategy can use: {kind: pep, model: FILE}, or a belief: {kind: file, path: FILE}.",
		Args:  need(1, 1, "one configuration file"),
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return &usageError{errors.New("fit needs --out FILE, where the model goes")}
			}
			e, err := bench.Load(args[0], sets)
			if err != nil {
				return err
			}
			if err := writable(out); err != nil { // a fit may take long
				return err
			}
			p := &progress{out: stdout, err: stderr, quiet: quiet, terminal: isTerminal(stderr)}
			m, from, err := bench.Fit(c.Context(), e, name, p.Step)
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if err := belief.Save(&b, m, from); err != nil {
				return err
			}
			if err := writeWhole(out, b.Bytes()); err != nil {
				return err
			}
			for _, c := range from.Choice {
				mark := ""
				if c.Chosen {
					mark = "  chosen on dev"
				}
				fmt.Fprintf(stdout, "%-24s dev score %.5f%s\n", c.Name, c.DevScore, mark)
			}
			for _, n := range m.Notes() {
				fmt.Fprintf(stdout, "%s: %d\n", n.What, n.N)
			}
			fmt.Fprintf(stdout, "%s (%d parameters, %d training profiles of %s): %s\n", m.About(), m.NumParams(), from.Profiles, from.Data, out)
			return nil
		},
	}
	c.Flags().StringArrayVar(&sets, "set", nil, "path=value: override a key of the configuration (may be repeated)")
	c.Flags().StringVar(&name, "belief", "", "which of the beliefs (needed where there are several)")
	c.Flags().StringVarP(&out, "out", "o", "", "model file to write")
	c.Flags().BoolVar(&quiet, "quiet", false, "print no progress")
	return c
}

// writable says whether writeWhole could write a file, without touching it.
func writable(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return &usageError{fmt.Errorf("--out %s is a folder; name a file", path)}
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// writeWhole writes a file whole or not at all.
func writeWhole(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone when the rename succeeds
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
