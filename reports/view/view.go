package view

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"pepbench/bench/record"
	"pepbench/domains"
)

// A Viewer is some runs that are looked into.
type Viewer struct {
	runs    []*run
	rebuild chan *run // runs whose sessions have changed
}

// Open reads the manifests of runs, and of sweeps those of every cell that has a run. A
// folder without a manifest, or one given twice, is a *domains.DataError. Sessions are
// read by Serve.
func Open(dirs ...string) (*Viewer, error) {
	v := &Viewer{rebuild: make(chan *run, 1)}
	seen := map[string]bool{}
	add := func(dir, label string) error {
		at := filepath.Clean(dir)
		if abs, err := filepath.Abs(dir); err == nil {
			at = abs
		}
		if seen[at] {
			return &domains.DataError{File: dir, What: "the same run twice", Mend: "name it once"}
		}
		seen[at] = true
		m, err := record.ReadManifest(dir)
		if e := (*domains.DataError)(nil); errors.As(err, &e) && e.Mend == "" {
			e.Mend = "give the folder that pepbench run named"
		}
		if err != nil {
			return err
		}
		v.runs = append(v.runs, &run{dir: dir, name: cmp.Or(label, m.Name), manifest: m})
		return nil
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, record.SweepFile)); err != nil {
			if err := add(dir, ""); err != nil {
				return nil, err
			}
			continue
		}
		sw, err := record.ReadSweep(dir)
		if err != nil {
			return nil, err
		}
		for i := range sw.Cells {
			if c := &sw.Cells[i]; c.Refused == "" {
				if err := add(filepath.Join(dir, filepath.FromSlash(c.Dir)), sw.Name+": "+strings.Join(sw.Labels(c), ", ")); err != nil {
					return nil, err
				}
			}
		}
	}
	if len(v.runs) == 0 {
		return nil, &domains.DataError{File: strings.Join(dirs, ", "), What: "no run to look into", Mend: "give the folders of runs or sweeps"}
	}
	// A folder that is in two runs' labels tells two of one name apart.
	names := map[string]int{}
	for _, r := range v.runs {
		names[r.name]++
	}
	for _, r := range v.runs {
		if names[r.name] > 1 {
			r.name += " (" + r.dir + ")"
		}
	}
	return v, nil
}

// grace is how long requests in flight have when the server ends.
const grace = 2 * time.Second

// Serve answers on l until ctx ends, and opens the indexes meanwhile. When it returns,
// every goroutine of it has ended, and l is closed. A listener that other machines reach
// is refused.
func (v *Viewer) Serve(ctx context.Context, l net.Listener) error {
	if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		return errors.Join(fmt.Errorf("view: %s can be reached from other machines", a), l.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	srv := &http.Server{
		Handler:           v.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	var wg sync.WaitGroup
	wg.Go(func() { v.index(ctx) })
	var closing error
	wg.Go(func() {
		<-ctx.Done()
		left, done := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer done()
		if srv.Shutdown(left) != nil {
			closing = srv.Close()
		}
	})
	err := srv.Serve(l)
	cancel()
	wg.Wait()
	for _, r := range v.runs {
		r.close()
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, closing)
}

// index opens the index of every run, one after another, and then those of runs that
// have changed, until ctx ends.
func (v *Viewer) index(ctx context.Context) {
	for _, r := range v.runs {
		r.open(ctx)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-v.rebuild:
			r.open(ctx)
		}
	}
}

// ready is the index of a run whose sessions are looked at, or nil while there is none. If
// the file has changed the index is made again, and this one serves until then.
func (v *Viewer) ready(r *run) *sessions {
	s, changed := r.current()
	if changed {
		select {
		case v.rebuild <- r:
		default: // others wait; the next request asks again
			r.later()
		}
	}
	return s
}
