package bench

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"pepbench/bench/record"
	"pepbench/domains"
)

// A resolved configuration is that of a manifest, read back.
type resolved struct {
	file string
	root *yaml.Node
	src  *source
}

// readBack reads the configuration of the manifest in dir, which is JSON and so YAML.
func readBack(dir string, m *record.Manifest) (*resolved, error) {
	r := &resolved{file: filepath.Join(dir, record.ManifestFile), src: &source{file: map[*yaml.Node]string{}}}
	var doc yaml.Node
	if err := yaml.Unmarshal(m.Config, &doc); err != nil || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, &domains.DataError{File: r.file, What: "its config is not a configuration", Mend: "run the experiment again", Err: err}
	}
	r.root = doc.Content[0]
	r.tidy(r.root)
	if err := r.src.mark(r.root, r.file); err != nil {
		return nil, err
	}
	// What is written otherwise than it is read.
	if i := find(r.root, "solver"); i >= 0 {
		if j := find(r.root.Content[i], "max_criteria"); j >= 0 && r.root.Content[i].Content[j].Value == "-1" {
			all := r.root.Content[i].Content[j]
			all.Tag, all.Value = "!!str", "all"
		}
	}
	if i := find(r.root, "strategies"); i >= 0 {
		for _, s := range r.root.Content[i].Content {
			if j := find(s, "belief"); j >= 0 && find(s, "model") >= 0 { // named after the model file by complete
				s.Content = slices.Delete(s.Content, j-1, j+1)
			}
		}
	}
	return r, nil
}

// tidy takes out keys without a value, and lines, which mean nothing in a manifest. In
// extra, which is sent as it stands, no value is a value.
func (r *resolved) tidy(n *yaml.Node) {
	n.Line, n.Column = 0, 0
	if n.Kind == yaml.MappingNode {
		for i := len(n.Content) - 2; i >= 0; i -= 2 {
			if n.Content[i+1].Tag == "!!null" {
				n.Content = slices.Delete(n.Content, i, i+2)
			}
		}
	}
	for i, c := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 0 || n.Content[i-1].Value != "extra" {
			r.tidy(c)
		}
	}
}

// decode makes an experiment of a tree, strictly, of which only some roles are called;
// nil: all.
func (r *resolved) decode(root *yaml.Node, called []string) (*Experiment, error) {
	d := &decoder{src: r.src}
	e := defaults()
	e.called = called
	d.decode(root, reflect.ValueOf(&e).Elem(), "")
	if len(d.errs) == 0 {
		e.complete()
		e.validate(d, root)
	}
	return &e, errors.Join(d.errs...)
}

// experiment decodes the configuration as it stands, and holds it to its hash.
func (r *resolved) experiment(m *record.Manifest) (*Experiment, error) {
	bad := func(what string, err error) error {
		return &domains.DataError{File: r.file, What: "its configuration does not come out as it went in: " + what, Mend: "use the version of pepbench that made the run (" + m.Code.Version + "), or run the experiment again", Err: err}
	}
	e, err := r.decode(r.src.clone(r.root), nil)
	if err != nil {
		return nil, bad("it is not read", err)
	}
	config, hash, err := e.canonical()
	switch {
	case err != nil:
		return nil, err
	case hash != m.ConfigHash:
		return nil, bad(firstDifference(m.Config, config), nil)
	}
	return e, nil
}

// models adds the models of a configuration, or of a preset, that the run does not
// have; those of the run stay what they were.
func (r *resolved) models(file string) error {
	more, err := r.src.read(file, nil)
	if err != nil {
		return err
	}
	i := find(more, "models")
	if i < 0 || more.Content[i].Kind != yaml.MappingNode {
		return &ConfigError{File: file, What: "has no models", Mend: "give a file with a key models, such as configs/models/openai.yaml"}
	}
	if at := find(r.root, "models"); at < 0 {
		return r.src.put(r.root, "models", file, more.Content[i])
	} else if had := r.root.Content[at]; had.Kind == yaml.MappingNode {
		from := more.Content[i]
		for j := 0; j+1 < len(from.Content); j += 2 {
			if find(had, from.Content[j].Value) < 0 {
				had.Content = append(had.Content, from.Content[j], from.Content[j+1])
			}
		}
	}
	return nil
}

// judgeThere refuses a judge that no model is called. Whoever named it may have it in
// the file that the run was made from, of which a manifest keeps what played.
func (r *resolved) judgeThere() error {
	i := find(r.root, "roles")
	if i < 0 {
		return nil
	}
	j := find(r.root.Content[i], "judge")
	if j < 0 {
		return nil
	}
	n := r.root.Content[i].Content[j]
	known := []string{backendName}
	if at := find(r.root, "models"); at >= 0 {
		for k := 0; k+1 < len(r.root.Content[at].Content); k += 2 {
			known = append(known, r.root.Content[at].Content[k].Value)
		}
	}
	if n.Kind != yaml.ScalarNode || n.Value == "" || n.Tag == "!!null" || slices.Contains(known, n.Value) {
		return nil
	}
	slices.Sort(known[1:])
	return &ConfigError{
		File: r.src.file[n],
		What: fmt.Sprintf("no model %q; the run has %s, since a manifest keeps the models that played and no others", n.Value, strings.Join(known, ", ")),
		Mend: "add those of a configuration by --models FILE, or define it by --set 'models.NAME={kind: openai, model: ...}'",
	}
}
