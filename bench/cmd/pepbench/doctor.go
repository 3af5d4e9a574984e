package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"pepbench/bench"
	"pepbench/bench/llm"
)

func doctorCommand(stdout io.Writer) *cobra.Command {
	var config, baseURL, model, keyEnv string
	var sets []string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Examine the models of a configuration, or one at an address, and say what to write in the YAML",
		Long: "Doctor asks each model that the configuration's roles call (or the one at --base-url) at most 12 small\n" +
			"questions: is it reachable, is the key accepted, is the model served, is JSON mode honoured, is the seed, where\n" +
			"is its reasoning, are tokens counted, how long is the context, how fast is it. Without --config the address is\n" +
			"that of --base-url, else of $OPENAI_BASE_URL, else OpenAI's; the key is in the variable of --api-key-env, else\n" +
			"in $OPENAI_API_KEY if that is set. Keys are never printed.",
		Args: need(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			var patients []bench.Patient
			switch {
			case config != "" && (baseURL != "" || model != "" || keyEnv != ""):
				return &usageError{errors.New("--config says all that --base-url, --model and --api-key-env say; give one or the others")}
			case config == "" && len(sets) > 0:
				return &usageError{errors.New("--set changes a configuration; name it with --config")}
			case config != "":
				s, err := bench.LoadSweep(config, sets)
				if err != nil {
					return err
				}
				if patients, err = bench.Patients(s); err != nil {
					return err
				}
			default:
				p, err := bench.PatientAt(cmp.Or(baseURL, os.Getenv("OPENAI_BASE_URL")), model, keyEnv)
				if err != nil {
					return &usageError{err}
				}
				patients = []bench.Patient{p}
			}
			var ill []string
			for i, p := range patients {
				if i > 0 {
					fmt.Fprintln(stdout)
				}
				if p.Name != "" {
					fmt.Fprintf(stdout, "%s (%s)\n", p.Name, strings.Join(p.Roles, ", "))
				}
				d, err := bench.Diagnose(c.Context(), p)
				if err != nil {
					return err
				}
				wide := 0
				for _, f := range d.Findings {
					wide = max(wide, len(f.What))
				}
				for _, f := range d.Findings {
					fmt.Fprintf(stdout, "%-4s  %-*s  %s\n", f.Mark, wide, f.What, f.Text)
				}
				fmt.Fprintf(stdout, "%d calls were made.\n", d.Calls)
				if !d.Usable() {
					ill = append(ill, cmp.Or(p.Name, d.Patient.Endpoint.Model, "the model"))
					continue
				}
				fmt.Fprintf(stdout, "\nFor the configuration:\n\n%s", d.YAML)
			}
			if len(ill) > 0 {
				return fmt.Errorf("%s cannot be used; mend what FAIL says: %w", strings.Join(ill, ", "), llm.ErrUnusable)
			}
			return nil
		},
	}
	c.Flags().StringVarP(&config, "config", "c", "", "configuration whose models are examined")
	c.Flags().StringArrayVar(&sets, "set", nil, "path=value: override a key of the configuration (may be repeated)")
	c.Flags().StringVar(&baseURL, "base-url", "", "address of a server, up to and including /v1")
	c.Flags().StringVar(&model, "model", "", "name of a model on it (may be left out where it serves one only)")
	c.Flags().StringVar(&keyEnv, "api-key-env", "", "name of the environment variable with the key")
	return c
}
