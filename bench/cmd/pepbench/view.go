package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"pepbench/reports/view"
)

func viewCommand(stdout, stderr io.Writer) *cobra.Command {
	var addr string
	var open bool
	c := &cobra.Command{
		Use:   "view RUN|SWEEP...",
		Short: "Look into the sessions of runs, in a browser on this machine",
		Long: "View serves a page on this machine alone: what a run was, its sessions (filtered, sorted, searched), one\n" +
			"session with its true profile, questions, beliefs and grades, two strategies on the same case side by side,\n" +
			"and two runs compared session by session. Of a sweep it shows every cell. Nothing leaves the machine.\n\n" +
			"  pepbench view results/medical\n" +
			"  pepbench view results/before results/after\n\n" +
			"The first time an index of the sessions is put beside them (sessions.index), so that runs of any size open at once.",
		Args: need(1, math.MaxInt, "the folders of one run or sweep or more"),
		RunE: func(c *cobra.Command, args []string) error {
			at, err := viewAddr(addr)
			if err != nil {
				return &usageError{err}
			}
			v, err := view.Open(args...)
			if err != nil {
				return err
			}
			l, err := net.Listen("tcp", at)
			if err != nil {
				return unservable(at, err)
			}
			url := "http://" + l.Addr().String() + "/"
			fmt.Fprintf(stdout, "%s\nCtrl-C ends it\n", url)
			if open {
				if err := browse(c.Context(), url); err != nil {
					fmt.Fprintf(stderr, "warning: no browser could be opened (%v); open %s\n", err, url)
				}
			}
			return v.Serve(c.Context(), l)
		},
	}
	c.Flags().StringVar(&addr, "addr", "127.0.0.1:0", "port, or address of this machine, to listen on; port 0 picks a free one")
	c.Flags().BoolVar(&open, "open", false, "open the page in a browser")
	return c
}

// viewAddr completes a port, and refuses what other machines reach.
func viewAddr(addr string) (string, error) {
	if n, err := strconv.ParseUint(strings.TrimPrefix(addr, ":"), 10, 16); err == nil {
		return fmt.Sprintf("127.0.0.1:%d", n), nil
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("--addr %q is neither a port nor host:port, such as 127.0.0.1:8080", addr)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return addr, nil
	}
	return "", fmt.Errorf("--addr %s can be reached from other machines; the page is for this one, forward a port to it", addr)
}

// browse opens a page the way the system does it.
func browse(ctx context.Context, url string) error {
	by := map[string][]string{"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"}}[runtime.GOOS]
	if by == nil {
		by = []string{"xdg-open"}
	}
	cmd := exec.CommandContext(ctx, by[0], append(by[1:], url)...)
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release() // it outlives us where it will
}
