package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"pepbench/bench"
	"pepbench/bench/llm/cache"
	"pepbench/bench/record"
)

func cacheCommand(stdout io.Writer) *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "cache",
		Short: "Look at stored replies of models, drop them, or carry them to another machine",
		Long: "Runs keep the replies of models on servers in one file (cache_file; cache: off, read, write or refresh),\n" +
			"so that no call is paid for twice. Replies that could not be used are kept beside them, for cache: read\n" +
			"alone; other runs ask again. An export holds all that a run was told, as lines of JSON: whoever\n" +
			"imports it can replay the run by cache: read, offline.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("there is no command cache %s; there are stats, prune, export, import", args[0])}
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.PersistentFlags().StringVar(&path, "cache", bench.DefaultCacheFile, "cache file")
	// with opens the cache around an action and tells what closing it says.
	with := func(create bool, do func(*cache.Cache) error) error {
		open, err := cache.Open(path, create)
		if err != nil {
			return err
		}
		return errors.Join(do(open), open.Close())
	}
	c.AddCommand(cacheStats(stdout, &path, with), cachePrune(stdout, with), cacheExport(stdout, with), cacheImport(stdout, with))
	return c
}

type withCache func(create bool, do func(*cache.Cache) error) error

func cacheStats(stdout io.Writer, path *string, with withCache) *cobra.Command {
	return &cobra.Command{
		Use:   "stats",
		Short: "Count stored calls and tokens by server and model",
		Args:  need(0, 0, "nothing but flags"),
		RunE: func(c *cobra.Command, _ []string) error {
			return with(false, func(open *cache.Cache) error {
				s, err := open.Stats(c.Context())
				if err != nil {
					return err
				}
				in, out := int64(0), int64(0)
				for _, m := range s.Models {
					in, out = in+m.TokensIn, out+m.TokensOut
				}
				fmt.Fprintf(stdout, "%s: %d calls, %d of them unusable, %d bytes, tokens of %d in and %d out\n", *path, s.Entries, s.Unusable, s.Bytes, in, out)
				if s.Entries == 0 {
					return nil
				}
				fmt.Fprintf(stdout, "stored from %s to %s\n\n", s.Oldest.Format(time.RFC3339), s.Newest.Format(time.RFC3339))
				t := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
				fmt.Fprintln(t, "server\tmodel\tcalls\tunusable\ttokens in\ttokens out\tbytes")
				for _, m := range s.Models {
					fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%d\n", m.BaseURL, m.Model, m.Entries, m.Unusable, m.TokensIn, m.TokensOut, m.Bytes)
				}
				return t.Flush()
			})
		},
	}
}

func cachePrune(stdout io.Writer, with withCache) *cobra.Command {
	var age string
	var all bool
	var p cache.Pruning
	c := &cobra.Command{
		Use:   "prune",
		Short: "Drop stored calls by age, model or use, and give the space back",
		Args:  need(0, 0, "nothing but flags"),
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case all && (age != "" || p.Model != "" || p.Unusable):
				return &usageError{errors.New("--all goes with none of --older-than, --model and --unusable")}
			case !all && age == "" && p.Model == "" && !p.Unusable:
				return &usageError{errors.New("prune needs --older-than AGE, --model NAME, --unusable or --all")}
			}
			if age != "" {
				d, err := parseAge(age)
				if err != nil {
					return &usageError{err}
				}
				p.Before = time.Now().Add(-d)
			}
			return with(false, func(open *cache.Cache) error {
				n, bytes, err := open.Prune(c.Context(), p)
				switch {
				case err != nil:
					return err
				case p.DryRun:
					fmt.Fprintf(stdout, "would drop %d calls with %d bytes\n", n, bytes)
				default:
					fmt.Fprintf(stdout, "dropped %d calls; the file is smaller by %d bytes\n", n, bytes)
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&age, "older-than", "", "drop what was stored longer ago, such as 30d or 12h")
	c.Flags().StringVar(&p.Model, "model", "", "drop calls of this model only")
	c.Flags().BoolVar(&p.Unusable, "unusable", false, "drop only replies that could not be used; runs that met them can no longer be replayed")
	c.Flags().BoolVar(&all, "all", false, "drop everything")
	c.Flags().BoolVar(&p.DryRun, "dry-run", false, "only say what would be dropped")
	return c
}

// parseAge reads a duration, in days if it ends in d.
func parseAge(s string) (time.Duration, error) {
	bad := fmt.Errorf("--older-than %q is not an age such as 30d or 12h", s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || !(n >= 0 && n <= 36500) {
			return 0, bad
		}
		return time.Duration(n * float64(24*time.Hour)), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, bad
	}
	return d, nil
}

func cacheExport(stdout io.Writer, with withCache) *cobra.Command {
	var model string
	c := &cobra.Command{
		Use:   "export OUT",
		Short: "Write stored calls as lines of JSON that another cache can import (- is standard output)",
		Args:  need(1, 1, "one file to write, or -"),
		RunE: func(c *cobra.Command, args []string) error {
			if args[0] != "-" {
				if err := writable(args[0]); err != nil {
					return err
				}
			}
			return with(false, func(open *cache.Cache) error {
				if args[0] == "-" {
					_, err := open.Export(c.Context(), stdout, model)
					return err
				}
				n := 0
				err := record.WriteFile(args[0], func(w io.Writer) (err error) {
					n, err = open.Export(c.Context(), w, model)
					return err
				})
				if err == nil {
					fmt.Fprintf(stdout, "%d calls: %s\n", n, args[0])
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&model, "model", "", "calls of this model only")
	return c
}

func cacheImport(stdout io.Writer, with withCache) *cobra.Command {
	var replace bool
	c := &cobra.Command{
		Use:   "import FILE...",
		Short: "Add the calls of exports or of other cache files; each key is verified",
		Args:  need(1, math.MaxInt, "one file or more"),
		RunE: func(c *cobra.Command, args []string) error {
			return with(true, func(open *cache.Cache) error {
				for _, path := range args {
					if err := importOne(c.Context(), stdout, open, path, replace); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	c.Flags().BoolVar(&replace, "replace", false, "where a call is there already, take the reply of the file (as it is, one that is usable replaces one that is not)")
	return c
}

func importOne(ctx context.Context, stdout io.Writer, open *cache.Cache, path string, replace bool) error {
	in, err := open.Import(ctx, path, replace)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %d calls added, %d were there", path, in.Added, in.Kept+in.Replaced)
	if in.Replaced > 0 {
		fmt.Fprint(stdout, " and were replaced")
	}
	fmt.Fprintln(stdout)
	return nil
}
