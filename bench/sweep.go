package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
	taken := map[string]bool{"tables": true, "figures": true, record.SweepFile: true, record.GridFile: true, record.PageFile: true}
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
		cell.Dir = place(names, taken, c)
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
	for i := range out.Axes {
		out.Axes[i].Stages = first.stages(paths[i], values[i])
	}
	out.Name, out.About, out.Out = first.Name, first.About, first.Out
	return out, nil
}

// stages gives the training stages of the models that an axis over a role names, nil if
// none is known.
func (e *Experiment) stages(path string, values []*yaml.Node) []string {
	if root, _, _ := strings.Cut(path, "."); root != "roles" {
		return nil
	}
	out, some := make([]string, len(values)), false
	for i, v := range values {
		if o, ok := e.named(v.Value).(*openaiBackend); ok && o.About.Stage != "unknown" {
			out[i] = o.About.Stage
			some = some || out[i] != ""
		}
	}
	if !some {
		return nil
	}
	return out
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

// labels names the values of an axis, each differently and for a folder of its own: a
// single value by itself, a block by its kind, a list or another block by all that is in
// it, and what would be called alike or is too deep for that by its number too.
func labels(values []*yaml.Node) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = label(v)
	}
	for {
		count := map[string]int{}
		for _, l := range out {
			count[strings.ToLower(folder(l))]++ // some file systems know no case
		}
		if len(count) == len(out) {
			return out
		}
		for i, l := range out {
			if count[strings.ToLower(folder(l))] > 1 {
				out[i] = fmt.Sprintf("%s-%d", l, i+1)
			}
		}
	}
}

// mostLabel is how many characters of a value are its label.
const mostLabel = 60

func label(v *yaml.Node) string {
	flat := !slices.ContainsFunc(v.Content, func(c *yaml.Node) bool { return c.Kind != yaml.ScalarNode })
	var items []string
	text := ""
	switch {
	case v.Kind == yaml.ScalarNode && v.Tag == "!!null":
		return "null"
	case v.Kind == yaml.ScalarNode:
		text = v.Value
	case v.Kind == yaml.MappingNode && find(v, "kind") >= 0:
		text = v.Content[find(v, "kind")].Value
	case v.Kind == yaml.MappingNode && flat:
		for i := 0; i+1 < len(v.Content); i += 2 {
			items = append(items, v.Content[i].Value+"="+v.Content[i+1].Value)
		}
		text = strings.Join(items, ",")
	case v.Kind == yaml.SequenceNode && flat:
		for _, c := range v.Content {
			items = append(items, c.Value)
		}
		text = strings.Join(items, ",")
	}
	text = strings.Join(strings.Fields(text), " ") // one line, for tables
	if r := []rune(text); len(r) > mostLabel {
		text = string(r[:mostLabel-1]) + "…"
	}
	if text == "" {
		return "value"
	}
	return text
}

// folder makes a label usable as part of a path.
func folder(label string) string {
	name := strings.Map(func(r rune) rune {
		if usable(string(r)) || r == '.' {
			return r
		}
		return '-'
	}, label)
	if rest := strings.TrimLeft(name, "."); rest != name { // hidden, or the folder above
		return "-" + rest
	}
	return name
}

// mostFolder is how long a cell's folder may be, in bytes; file systems allow 255.
const mostFolder = 200

// place gives a cell the folder of the names of its values, unless another cell has
// it or the joint report needs it; c is the cell's number.
func place(names []string, taken map[string]bool, c int) string {
	dir := strings.Join(names, "_")
	dir = dir[:min(len(dir), mostFolder)]
	for taken[strings.ToLower(dir)] {
		dir = fmt.Sprintf("%s_%d", dir, c+1)
	}
	taken[strings.ToLower(dir)] = true
	return dir
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
// was run, to report it. Running it again resumes. What the folder says of an earlier
// sweep is taken away as soon as it is no longer so.
func RunSweep(ctx context.Context, s *Sweep, dir string, fresh bool, progress Progress, cell func(dir string, o Outcome) error) (record.Sweep, Outcome, error) {
	out := record.Sweep{Schema: record.Schema, Name: s.Name, About: s.About, Axes: s.Axes}
	total := Outcome{Dir: dir}
	if there(dir, record.SessionsFile) {
		return out, total, &ConfigError{File: dir, What: "holds a single run, and this is a sweep", Mend: "give another --out"}
	}
	_, err := os.Stat(dir)
	ours := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return out, total, fmt.Errorf("results: %w", err)
	}
	defer func() {
		if ours {
			_ = os.Remove(dir) // succeeds only if nothing was written
		}
	}()
	release, err := record.Lock(dir)
	if err != nil {
		return out, total, err
	}
	defer release()
	if fresh {
		if err := forgetRun(dir); err != nil {
			return out, total, err
		}
	}
	if had, err := record.ReadSweep(dir); err != nil || !reflect.DeepEqual(had.Axes, s.Axes) {
		if err := forget(dir); err != nil {
			return out, total, err
		}
	}
	var pr preparer
	budget := s.Cells[0].Experiment.Limits.budget()
	for i, c := range s.Cells {
		c.Experiment.budget, c.Experiment.whole = budget, dir // one for the whole grid
		at := filepath.Join(dir, c.Dir)
		done := record.SweepCell{At: c.At, Dir: c.Dir}
		progress.Step(fmt.Sprintf("cell %d of %d: %s", i+1, len(s.Cells), c.Dir))
		plan, err := pr.prepare(ctx, c.Experiment, progress.Step)
		show := 0
		if err == nil {
			show, err = plan.shown()
		}
		switch {
		case undefined(err):
			done.Dir, done.Refused = "", err.Error()
			out.Cells = append(out.Cells, done)
			continue
		case err != nil:
			return out, total, fmt.Errorf("cell %s: %w", c.Dir, err)
		}
		row, twin := &plan.rows[show], plan.twinOf(show)
		out.Strategy, done.Row, done.Params = common(out.Strategy, row), row.Name, row.Params
		if twin != nil {
			out.Twin, done.Twin = common(out.Twin, twin), twin.Name
		}
		if done.DevAlignment, err = plan.devAlignment(ctx, show); err != nil {
			return out, total, fmt.Errorf("cell %s: %w", c.Dir, err)
		}
		o, err := Run(ctx, plan, at, fresh, progress)
		total.Total, total.Ran, total.Failed, total.Changed = total.Total+o.Total, total.Ran+o.Ran, total.Failed+o.Failed, total.Changed || o.Changed
		if o.Changed {
			err = errors.Join(err, forget(dir))
		}
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
	if err := record.WriteSweep(dir, &out); err != nil {
		return out, total, err
	}
	return out, total, forgetRun(dir)
}

// there says whether a folder has a file.
func there(dir, file string) bool {
	_, err := os.Stat(filepath.Join(dir, file))
	return err == nil
}

// forget takes away what dir says of a sweep as a whole.
func forget(dir string) error {
	for _, f := range []string{record.SweepFile, record.GridFile} {
		if err := os.Remove(filepath.Join(dir, f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("results: %w", err)
		}
	}
	return nil
}

// undefined says whether an experiment is refused because its acquisition is not
// defined for its belief, or because its belief cannot handle the data.
func undefined(err error) bool {
	return errors.Is(err, pep.ErrUndefined) || errors.Is(err, belief.ErrUnsupported)
}

// interest ranks rows by how much the experiment is about them: report.grid_of, then
// adaptive ones that predict from more than answers, adaptive ones, others that ask.
func (e *Experiment) interest(name, kind, predict string) int {
	switch {
	case name == e.Report.GridOf:
		return 4
	case kind == "pep" && predict != predictAnswers:
		return 3
	case kind == "pep":
		return 2
	case kind != "none" && kind != "oracle":
		return 1
	}
	return 0
}

// shown is the row whose number a grid shows: the first of those of the highest
// interest, whether it is left out of the plan or not.
func (e *Experiment) shown() string {
	best, most := "", -1
	for _, r := range e.rows() {
		if n := e.interest(r.Name, r.Spec.kind(), r.Predict); n > most {
			best, most = r.Name, n
		}
	}
	return best
}

// shown is the plan's row of that name, or, if it is left out, why.
func (p *Plan) shown() (int, error) {
	name := p.Experiment.shown()
	return slices.IndexFunc(p.rows, func(r planRow) bool { return r.Name == name }), p.left[name]
}

// twinOf is the row of the static twin that predicts as row i does, or nil.
func (p *Plan) twinOf(i int) *planRow {
	at := slices.IndexFunc(p.rows, func(r planRow) bool { return r.TwinOf == p.rows[i].Base && r.Predict == p.rows[i].Predict })
	if at < 0 {
		return nil
	}
	return &p.rows[at]
}

// common is what names a row in all cells so far: its name, or, where that is not one
// in all, the strategy it is a row of.
func common(had string, r *planRow) string {
	if had == "" || had == r.Name {
		return r.Name
	}
	return r.Base
}
