package reports

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// ErrGate is what every fault of a gate file wraps.
var ErrGate = errors.New("bad gate")

// A GateError says where in a gate file what is wrong, and how to mend it.
type GateError struct {
	File string
	Line int // 0: of no one line
	What string
	Mend string
}

// Error gives `file:line: what; how to mend`.
func (e *GateError) Error() string {
	s := fmt.Sprintf("%s: %s", e.File, e.What)
	if e.Line > 0 {
		s = fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.What)
	}
	if e.Mend != "" {
		s += "; " + e.Mend
	}
	return s
}

// Unwrap gives ErrGate.
func (e *GateError) Unwrap() error { return ErrGate }

// A Gate says which changes between two runs fail; see the package comment.
type Gate struct {
	File       string  // as the user gave it
	alpha      float64 // chance of passing a line that has got worse by more than it allows
	power      float64 // for which the required number of clusters is worked out
	unsettled  string  // what becomes of a line that cannot be told: fail, warn or pass
	minPairs   int     // sessions that a strategy must have in both runs
	maxMissing float64 // share of the base's sessions, or of their values, that the run may lack
	strategies []string
	metrics    []gateMetric // in the order of the file
}

// A gateMetric is a key of metrics.
type gateMetric struct {
	pairedMeasure
	bound      float64 // how far the mean may get worse
	equal      bool    // nothing may change at all, in place of bound
	strategies []string
}

// The keys of a gate file, as messages name them.
const (
	gateFail = "fail"
	gateWarn = "warn"
	gatePass = "pass"
)

// ReadGate reads a gate file. All its faults are found at once and joined; each is a
// *GateError.
func ReadGate(name string) (*Gate, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, &GateError{File: name, What: "the gate cannot be read: " + bare(err).Error(), Mend: "give the path of a YAML file such as configs/gate.yaml"}
	}
	return parseGate(name, b)
}

// gateReader gathers faults.
type gateReader struct {
	file string
	errs []error
}

func (r *gateReader) bad(n *yaml.Node, mend, format string, a ...any) {
	r.errs = append(r.errs, &GateError{r.file, n.Line, fmt.Sprintf(format, a...), mend})
}

func parseGate(name string, b []byte) (*Gate, error) {
	dec := yaml.NewDecoder(strings.NewReader(string(b)))
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, &GateError{File: name, What: "is empty", Mend: "see configs/gate.yaml for an example"}
	case err != nil:
		return nil, notYAML(name, err)
	}
	switch err := dec.Decode(&more); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, notYAML(name, err)
	default:
		return nil, &GateError{name, more.Line, "a second document", "one gate a file"}
	}
	r := &gateReader{file: name}
	g := &Gate{File: name, alpha: .05, power: .8, unsettled: gateFail, minPairs: 1}
	metrics := false
	r.mapping(doc.Content[0], "the gate", map[string]func(*yaml.Node){
		"alpha": func(n *yaml.Node) {
			r.number(n, "alpha", &g.alpha, func(v float64) bool { return v > 0 && v < .5 }, "a number above 0 and below 0.5, such as 0.05")
		},
		"power": func(n *yaml.Node) {
			r.number(n, "power", &g.power, func(v float64) bool { return v > .5 && v < 1 }, "a number above 0.5 and below 1, such as 0.8")
		},
		"cannot_tell": func(n *yaml.Node) {
			if r.text(n, "cannot_tell", &g.unsettled); !slices.Contains([]string{gateFail, gateWarn, gatePass}, g.unsettled) {
				r.bad(n, "write fail (a change that cannot be ruled out is no pass), warn or pass", "cannot_tell is %q", g.unsettled)
			}
		},
		"min_pairs": func(n *yaml.Node) {
			v := 1.0
			r.number(n, "min_pairs", &v, func(v float64) bool { return v >= 1 && v <= 1e9 && v == math.Trunc(v) }, "a whole number of 1 or more")
			g.minPairs = int(v)
		},
		"max_missing": func(n *yaml.Node) {
			r.number(n, "max_missing", &g.maxMissing, func(v float64) bool { return v >= 0 && v < 1 }, "a share of 0 or more and below 1")
		},
		"strategies": func(n *yaml.Node) { g.strategies = r.names(n, "strategies") },
		"metrics": func(n *yaml.Node) {
			metrics = true
			r.metrics(n, g)
		},
	})
	if !metrics && len(r.errs) == 0 {
		r.errs = append(r.errs, &GateError{name, 0, "names no metrics: it would pass whatever happens", "add for example metrics: {alignment: {max_drop: 1}}"})
	}
	if r.errs != nil {
		return nil, errors.Join(r.errs...)
	}
	return g, nil
}

func notYAML(name string, err error) error {
	msg, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
	if _, e := fmt.Sscanf(msg, "line %d:", &line); e == nil {
		_, msg, _ = strings.Cut(msg, ": ")
	}
	return &GateError{name, line, "not YAML: " + oneLine(msg), ""}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// mapping calls what reads each key; a key that is unknown or there twice is a fault.
func (r *gateReader) mapping(n *yaml.Node, what string, keys map[string]func(*yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.bad(n, "", "%s is a block of keys and values", what)
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		read, ok := keys[key.Value]
		switch first, twice := seen[key.Value]; {
		case !ok:
			r.bad(key, "known keys: "+strings.Join(sortedKeys(keys), ", "), "unknown key %q in %s", oneLine(key.Value), what)
		case twice:
			r.bad(key, "", "key %q is given twice, first in line %d", key.Value, first)
		default:
			seen[key.Value] = key.Line
			read(n.Content[i+1])
		}
	}
}

func (r *gateReader) number(n *yaml.Node, key string, into *float64, fits func(float64) bool, what string) {
	var v float64
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" && n.Tag != "!!float" || n.Decode(&v) != nil || !fits(v) {
		r.bad(n, "write "+what, "%s is %s", key, valueOf(n))
		return
	}
	*into = v
}

func (r *gateReader) text(n *yaml.Node, key string, into *string) {
	*into = n.Value
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		*into = ""
	}
}

func (r *gateReader) names(n *yaml.Node, key string) (out []string) {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		r.bad(n, "write names of strategies, such as [pep+latent], or leave the key out for all", "%s is %s", key, valueOf(n))
		return nil
	}
	for _, c := range n.Content {
		switch {
		case c.Kind != yaml.ScalarNode || c.Tag != "!!str" || c.Value == "":
			r.bad(c, "write names of strategies", "%s holds %s", key, valueOf(c))
		case slices.Contains(out, c.Value):
			r.bad(c, "", "%s names %q twice", key, oneLine(c.Value))
		default:
			out = append(out, c.Value)
		}
	}
	return out
}

// valueOf shows what a node holds.
func valueOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a block"
	case n.Kind == yaml.SequenceNode && len(n.Content) == 0:
		return "an empty list"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case n.Tag == "!!null":
		return "empty"
	}
	return fmt.Sprintf("%q", short(n.Value))
}

// gated gives the measures that a gate may name.
func gated() []pairedMeasure { return append(slices.Clone(pairedMeasures), followUp) }

func (r *gateReader) metrics(n *yaml.Node, g *Gate) {
	keys := map[string]func(*yaml.Node){}
	for _, m := range gated() {
		keys[m.key] = func(n *yaml.Node) { r.metric(n, m, g) }
	}
	if r.mapping(n, "metrics", keys); n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		r.bad(n, "add for example alignment: {max_drop: 1}", "metrics is empty: the gate would pass whatever happens")
	}
}

func (r *gateReader) metric(n *yaml.Node, m pairedMeasure, g *Gate) {
	before := len(r.errs)
	out := gateMetric{pairedMeasure: m}
	right, wrong, way := "max_drop", "max_rise", "higher"
	if m.lower {
		right, wrong, way = wrong, right, "lower"
	}
	bounded, equal := false, false
	r.mapping(n, m.key, map[string]func(*yaml.Node){
		right: func(n *yaml.Node) {
			bounded = true
			what := "a finite number above 0"
			if m.span > 0 {
				what = fmt.Sprintf("a number above 0 and below %g, which no change is larger than,", m.span)
			}
			r.number(n, m.key+"."+right, &out.bound, func(v float64) bool { return v > 0 && !math.IsInf(v, 0) && (m.span == 0 || v < m.span) }, what+" in the unit of the measure; for no change at all write equal: true")
		},
		wrong: func(n *yaml.Node) {
			r.bad(n, "write "+right, "%s.%s: of this measure %s is better", m.key, wrong, way)
		},
		"equal": func(n *yaml.Node) {
			equal = true
			if n.Decode(&out.equal) != nil || !out.equal {
				r.bad(n, "write true, or "+right+" in its place", "%s.equal is %s", m.key, valueOf(n))
			}
		},
		"strategies": func(n *yaml.Node) { out.strategies = r.names(n, m.key+".strategies") },
	})
	switch {
	case len(r.errs) > before:
	case bounded && equal:
		r.bad(n, "keep one of them", "%s has both %s and equal", m.key, right)
	case !bounded && !equal:
		r.bad(n, fmt.Sprintf("write %s, how much worse the mean may be, or equal: true", right), "%s has no bound", m.key)
	}
	g.metrics = append(g.metrics, out)
}
