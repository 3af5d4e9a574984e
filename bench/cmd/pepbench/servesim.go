package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"pepbench/bench"
	"pepbench/bench/llm/sim"
)

func serveSimCommand(stdout io.Writer) *cobra.Command {
	f := &sim.Faults{Odds: map[string]float64{}}
	var addr, keyEnv string
	var anyHost bool
	var even float64
	c := &cobra.Command{
		Use:   "serve-sim",
		Short: "Serve the embedded simulator to any OpenAI client, with faults if wanted",
		Long: "Serve-sim puts the embedded simulator on a port: chat completions (streamed or not), embeddings, models\n" +
			"and errors as OpenAI has them. It is a simulator and no language model: it knows the prompts of this program.\n" +
			"Faults are drawn from seed, request and attempt, so that equal runs meet equal faults.",
		Args: need(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := loopback(addr); err != nil && !anyHost {
				return &usageError{err}
			}
			if keyEnv != "" {
				if f.Key = strings.TrimSpace(os.Getenv(keyEnv)); f.Key == "" {
					return &usageError{errors.New("the environment variable that --require-key names is empty; give the name of one that holds the key, not the key")}
				}
			}
			for _, kind := range sim.FaultKinds() {
				if name := "fault-" + kind; !c.Flags().Changed(name) {
					f.Odds[kind] = sim.Even(even)[kind]
				}
			}
			h, mend, err := faulty(f)
			if err != nil {
				return &usageError{err}
			}
			base, stop, err := sim.ServeAt(c.Context(), addr, h)
			if err != nil {
				return unservable(addr, err)
			}
			fmt.Fprintf(stdout, "%s\nsimulator %s, no language model; %s; Ctrl-C ends it\n", base, sim.Version, mend)
			<-c.Context().Done()
			if err := stop(); err != nil {
				return err
			}
			met := f.Counts()
			for _, kind := range sim.FaultKinds() {
				if met[kind] > 0 {
					fmt.Fprintf(stdout, "%s: %d of %d requests\n", kind, met[kind], met[""])
				}
			}
			return nil
		},
	}
	fl := c.Flags()
	fl.StringVar(&addr, "addr", "127.0.0.1:8080", "address to listen on; port 0 picks a free one")
	fl.BoolVar(&anyHost, "any-host", false, "allow an address that other machines reach")
	fl.DurationVar(&f.Latency, "latency", 0, "wait this long before every answer")
	fl.DurationVar(&f.Jitter, "jitter", 0, "and a random share of this")
	fl.Float64Var(&even, "faults", 0, "probability of a fault, all kinds evenly")
	for _, k := range []struct{ kind, what string }{
		{sim.FaultBusy, "of status 429"},
		{sim.FaultBroken, "of status 500"},
		{sim.FaultHang, "that no answer comes until the client leaves"},
		{sim.FaultCut, "that the connection ends within an answer"},
		{sim.FaultGarbage, "of status 200 with what is no reply"},
		{sim.FaultDrip, "that the answer trickles in"},
		{sim.FaultTruncate, "of status 200 with half an answer"},
	} {
		fl.Var(&odds{f.Odds, k.kind}, "fault-"+k.kind, "probability "+k.what)
	}
	fl.DurationVar(&f.RetryAfter, "retry-after", time.Second, "Retry-After of a 429; 0 leaves it out")
	fl.DurationVar(&f.Drip, "drip", 2*time.Second, "how long an answer trickles")
	fl.IntVar(&f.Most, "most-faults", 0, "most faults that one request meets; 0: no bound")
	fl.Uint64Var(&f.Seed, "seed", 1, "of the faults and the jitter")
	fl.StringVar(&keyEnv, "require-key", "", "name of the environment variable with the key that requests must bear")
	fl.StringSliceVar(&f.Models, "models", nil, "names of the models that are served; any if left out")
	fl.BoolVar(&f.NoJSONMode, "no-json-mode", false, "refuse response_format")
	fl.IntVar(&f.Context, "context", 0, "most tokens of prompt and reply; 0: no bound")
	return c
}

// odds is a flag for the probability of one kind of fault.
type odds struct {
	of   map[string]float64
	kind string
}

func (o *odds) Type() string   { return "float" }
func (o *odds) String() string { return fmt.Sprint(o.of[o.kind]) }
func (o *odds) Set(s string) error {
	p, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return errors.New("not a number")
	}
	o.of[o.kind] = p
	return nil
}

// faulty gives the handler and says what it does beside answering. Where nothing is to
// go wrong, nothing stands before the simulator.
func faulty(f *sim.Faults) (http.Handler, string, error) {
	h, err := f.Wrap(sim.Handler())
	if err != nil {
		return nil, "", err
	}
	var what []string
	add := func(is bool, format string, a ...any) {
		if is {
			what = append(what, fmt.Sprintf(format, a...))
		}
	}
	add(f.Latency > 0 || f.Jitter > 0, "latency %v + up to %v", f.Latency, f.Jitter)
	for _, k := range sim.FaultKinds() {
		add(f.Odds[k] > 0, "%s %.3g%%", k, 100*f.Odds[k])
	}
	add(f.Most > 0, "at most %d faults a request", f.Most)
	add(f.Key != "", "a key is required")
	add(len(f.Models) > 0, "models %s", strings.Join(f.Models, " "))
	add(f.NoJSONMode, "no JSON mode")
	add(f.Context > 0, "context %d", f.Context)
	if what == nil {
		return sim.Handler(), "no faults", nil
	}
	return h, strings.Join(what, ", "), nil
}

// loopback says why an address is not one of this machine alone.
func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("--addr %q is not host:port, such as 127.0.0.1:8080", addr)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("--addr %s can be reached from other machines; use 127.0.0.1, or say --any-host", addr)
}

// unservable says why a server cannot listen.
func unservable(addr string, err error) error {
	mend := "give another --addr"
	if errors.Is(err, syscall.EADDRINUSE) {
		return &bench.ConfigError{What: addr + " is in use by another program", Mend: mend + ", such as 127.0.0.1:0 for a free port", Err: err}
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return &bench.ConfigError{What: fmt.Sprintf("cannot listen on %s: %v", addr, err), Mend: mend, Err: err}
}
