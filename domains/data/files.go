package data

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"

	"pepbench/domains"
)

//go:embed personas.yaml */criteria.yaml */tasks.yaml
var files embed.FS

// text is a scalar that remembers its line, for messages.
type text struct {
	value string
	line  int
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (t *text) UnmarshalYAML(n *yaml.Node) error {
	t.line = n.Line
	return n.Decode(&t.value)
}

// What the files hold.
type (
	personasFile struct {
		Version    int              `yaml:"version"`
		Attributes []attributeEntry `yaml:"attributes"`
		Names      []string         `yaml:"names"`
	}
	attributeEntry struct {
		Name   string    `yaml:"name"`
		Values yaml.Node `yaml:"values"` // a mapping whose order counts
		Draw   []struct {
			When    text           `yaml:"when"`
			Weights map[string]int `yaml:"weights"`
		} `yaml:"draw"`
	}
	criteriaFile struct {
		Domain   string           `yaml:"domain"`
		Version  int              `yaml:"version"`
		About    string           `yaml:"about"`
		Features yaml.Node        `yaml:"features"` // a mapping whose order counts
		Criteria []criterionEntry `yaml:"criteria"`
	}
	criterionEntry struct {
		ID          string   `yaml:"id"`
		Name        string   `yaml:"name"`
		Description string   `yaml:"description"`
		Question    string   `yaml:"question"`
		Levels      []string `yaml:"levels"`
		Reasons     []struct {
			When text   `yaml:"when"`
			Pull int    `yaml:"pull"`
			Why  string `yaml:"why"`
		} `yaml:"reasons"`
		Values []struct {
			When  text `yaml:"when"`
			Level int  `yaml:"level"`
		} `yaml:"values"`
	}
	tasksFile struct {
		Domain string      `yaml:"domain"`
		Tasks  []taskEntry `yaml:"tasks"`
	}
	taskEntry struct {
		ID       string            `yaml:"id"`
		Features map[string]string `yaml:"features"`
		Prompt   string            `yaml:"prompt"`
		Options  map[string]string `yaml:"options"`
		Answer   string            `yaml:"answer"`
		Why      string            `yaml:"why"`
		line     int
	}
)

// UnmarshalYAML implements yaml.Unmarshaler.
func (t *taskEntry) UnmarshalYAML(n *yaml.Node) error {
	type plain taskEntry
	known := map[string]bool{"id": true, "features": true, "prompt": true, "options": true, "answer": true, "why": true}
	for i := 0; i < len(n.Content); i += 2 {
		if !known[n.Content[i].Value] {
			return fmt.Errorf("line %d: unknown key %q", n.Content[i].Line, n.Content[i].Value)
		}
	}
	err := n.Decode((*plain)(t))
	t.line = n.Line
	return err
}

// read decodes an embedded file strictly and says where it came from.
func read(name string, v any) (domains.Source, error) {
	b, err := files.ReadFile(name)
	if err != nil {
		return domains.Source{}, fmt.Errorf("data: %w", err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		return domains.Source{}, &domains.DataError{File: "builtin:" + name, What: "does not fit its schema", Err: err}
	}
	sum := sha256.Sum256(b)
	return domains.Source{Path: "builtin:" + name, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(b))}, nil
}

// ordered reads a mapping of name to value, keeping its order.
func ordered(n *yaml.Node, each func(key string, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: not a mapping", n.Line)
	}
	for i := 0; i < len(n.Content); i += 2 {
		if err := each(n.Content[i].Value, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func fault(file string, line int, err error) error {
	return &domains.DataError{File: "builtin:" + file, Line: line, What: err.Error()}
}
