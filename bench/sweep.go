package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"pepbench/bench/record"
	"pepbench/strategies/belief"
	"pepbench/strategies/pep"
)

// A Sweep is what a configuration file asks for: one experiment, or a grid of them
// (key `sweep`: paths, each with a list of values), one for every combination.
type Sweep struct {
	Name, About string
	Out         string // results/<name> when empty
	Axes        []record.Axis
	Cells       []SweepCell // the last axis runs fastest
}

// A SweepCell is one experiment of a grid.
type SweepCell struct {
	At         []int  // index of its value on every axis
	Dir        string // folder under that of the sweep
	Experiment *Experiment
}

// Single reports whether there is no grid.
func (s *Sweep) Single() bool { return len(s.Axes) == 0 }

// mostCells bounds a grid: more is a mistake in the file.
const mostCells = 10_000

// LoadSweep is Load for a file that may have a key `sweep`. Every cell is validated.
func LoadSweep(path string, sets []string) (*Sweep, error) {
	root, src, err := readYAML(path, sets)
	if err != nil {
		return nil, err
	}
	out := &Sweep{}
	var paths []string
	var values [][]*yaml.Node
	if i := find(root, "sweep"); i >= 0 {
		n := root.Content[i]
		root.Content = slices.Delete(root.Content, i-1, i+1)
		if paths, values, err = src.axes(n); err != nil {
			return nil, err
		}
	}
	cells := 1
	for a, vs := range values {
		if cells *= len(vs); cells > mostCells {
			return nil, &ConfigError{File: path, What: fmt.Sprintf("sweep: more than %d cells", mostCells), Mend: "give fewer values"}
		}
		out.Axes = append(out.Axes, record.Axis{Path: paths[a], Values: labels(vs)})
	}
	var faults []error
	seen := map[string]bool{}
	for c := range cells {
		cell := SweepCell{At: make([]int, len(values))}
		own := src.clone(root)
		var names []string
		for a, rest := len(values)-1, c; a >= 0; a-- {
			cell.At[a], rest = rest%len(values[a]), rest/len(values[a])
		}
		for a, i := range cell.At {
			if err := src.put(own, paths[a], src.file[values[a][i]], src.clone(values[a][i])); err != nil {
				return nil, err
			}
			names = append(names, folder(out.Axes[a].Values[i]))
		}
		cell.Dir = strings.Join(names, "_")
		d := &decoder{src: src}
		e := defaults()
		d.decode(own, reflect.ValueOf(&e).Elem(), "")
		if len(d.errs) == 0 {
			e.complete()
			e.validate(d, own)
		}
		for _, f := range d.errs { // cells share most of their faults
			if !seen[f.Error()] {
				seen[f.Error()] = true
				faults = append(faults, f)
			}
		}
		cell.Experiment = &e
		out.Cells = append(out.Cells, cell)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	first := out.Cells[0].Experiment
	out.Name, out.About, out.Out = first.Name, first.About, first.Out
	return out, nil
}

// axes reads the key `sweep`.
func (s *source) axes(n *yaml.Node) (paths []string, values [][]*yaml.Node, err error) {
	bad := func(n *yaml.Node, what string) error {
		return &ConfigError{File: s.file[n], Line: n.Line, What: what, Mend: "write for example sweep: {strategies.pep.acquisition: [profile-ig, latent-ig]}"}
	}
	if n.Tag == "!!null" { // a file that extends one with a grid and wants none
		return nil, nil, nil
	}
	if n.Kind != yaml.MappingNode {
		return nil, nil, bad(n, "sweep is a mapping of paths to lists of values")
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, list := n.Content[i], n.Content[i+1]
		if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
			return nil, nil, bad(list, fmt.Sprintf("sweep.%s is a list of values", key.Value))
		}
		paths, values = append(paths, key.Value), append(values, list.Content)
	}
	return paths, values, nil
}

// labels names the values of an axis: a single value by itself, a block by its kind
// where that is enough, else by its number.
func labels(values []*yaml.Node) []string {
	out := make([]string, len(values))
	count := map[string]int{}
	for i, v := range values {
		switch {
		case v.Kind == yaml.ScalarNode:
			out[i] = v.Value
		case v.Kind == yaml.MappingNode && find(v, "kind") >= 0:
			out[i] = v.Content[find(v, "kind")].Value
		default:
			out[i] = "value"
		}
		count[out[i]]++
	}
	for i, l := range out {
		if count[l] > 1 {
			out[i] = fmt.Sprintf("%s-%d", l, i+1)
		}
	}
	return out
}

// folder makes a label usable as part of a path.
func folder(label string) string {
	return strings.Map(func(r rune) rune {
		if usable(string(r)) || r == '.' {
			return r
		}
		return '-'
	}, label)
}

// clone copies a node and all below it, with the files they came from.
func (s *source) clone(n *yaml.Node) *yaml.Node {
	c := *n
	s.file[&c] = s.file[n]
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, x := range n.Content {
		c.Content[i] = s.clone(x)
	}
	return &c
}

// RunSweep runs every cell of a grid in its own folder under dir, one after another,
// and gives what the joint report is made of. A cell whose acquisition is not
// defined for its belief, or whose belief cannot handle the data, is refused with
// its reason and the others go on. cell is called with the folder of each one that
// was run, to report it. Running it again resumes.
func RunSweep(ctx context.Context, s *Sweep, dir string, fresh bool, progress Progress, cell func(dir string, o Outcome) error) (record.Sweep, Outcome, error) {
	out := record.Sweep{Schema: record.Schema, Name: s.Name, About: s.About, Axes: s.Axes}
	total := Outcome{Dir: dir}
	var pr preparer
	for i, c := range s.Cells {
		at := filepath.Join(dir, c.Dir)
		done := record.SweepCell{At: c.At, Dir: c.Dir}
		progress.Step(fmt.Sprintf("cell %d of %d: %s", i+1, len(s.Cells), c.Dir))
		plan, err := pr.prepare(ctx, c.Experiment, progress.Step)
		switch {
		case undefined(err):
			done.Dir, done.Refused = "", err.Error()
			out.Cells = append(out.Cells, done)
			continue
		case err != nil:
			return out, total, fmt.Errorf("cell %s: %w", c.Dir, err)
		}
		show := plan.shown()
		out.Strategy, out.Twin = plan.rows[show].Name, plan.twinOf(show)
		done.Params = plan.rows[show].Params
		if done.DevAlignment, err = plan.devAlignment(ctx, show); err != nil {
			return out, total, fmt.Errorf("cell %s: %w", c.Dir, err)
		}
		o, err := Run(ctx, plan, at, fresh, progress)
		total.Total, total.Ran, total.Failed, total.Changed = total.Total+o.Total, total.Ran+o.Ran, total.Failed+o.Failed, total.Changed || o.Changed
		if err != nil {
			return out, total, fmt.Errorf("cell %s: %w", c.Dir, err)
		}
		if err := cell(at, o); err != nil {
			return out, total, err
		}
		out.Cells = append(out.Cells, done)
	}
	if out.Strategy == "" {
		return out, total, &ConfigError{What: "no cell of the sweep is defined; the first: " + out.Cells[0].Refused, Mend: "name other beliefs or acquisitions"}
	}
	return out, total, record.WriteSweep(dir, &out)
}

// undefined says whether an experiment is refused because its acquisition is not
// defined for its belief, or because its belief cannot handle the data.
func undefined(err error) bool {
	return errors.Is(err, pep.ErrUndefined) || errors.Is(err, belief.ErrUnsupported)
}

// shown is the row whose number a grid shows: report.grid_of, else the first
// adaptive one, of those the first that predicts from more than answers.
func (p *Plan) shown() int {
	best := len(p.rows) - 1
	for i := len(p.rows) - 1; i >= 0; i-- {
		r := &p.rows[i]
		switch {
		case r.Name == p.Experiment.Report.GridOf:
			return i
		case r.Kind == "pep" && (r.Predict != predictAnswers || p.rows[best].Kind != "pep"):
			best = i
		}
	}
	return best
}

// twinOf names the row of the static twin that predicts as row i does.
func (p *Plan) twinOf(i int) string {
	for _, r := range p.rows {
		if r.TwinOf == p.rows[i].Base && r.Predict == p.rows[i].Predict {
			return r.Name
		}
	}
	return ""
}
