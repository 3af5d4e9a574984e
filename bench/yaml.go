package bench

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// ErrConfig is what every fault of a configuration wraps; the command maps it to
// exit code 2.
var ErrConfig = errors.New("bad configuration")

// A ConfigError says where in which file what is wrong, and how to mend it.
type ConfigError struct {
	File string // "--set" for values from the command line
	Line int
	What string
	Mend string
	Err  error // cause, may be nil; What says it in words
}

// Error gives `file:line: what; how to mend`.
func (e *ConfigError) Error() string {
	s := e.What
	switch {
	case e.Line > 0:
		s = fmt.Sprintf("%s:%d: %s", e.File, e.Line, s)
	case e.File != "":
		s = e.File + ": " + s
	}
	if e.Mend != "" {
		s += "; " + e.Mend
	}
	return s
}

// Unwrap gives ErrConfig and the cause.
func (e *ConfigError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrConfig}
	}
	return []error{ErrConfig, e.Err}
}

// source remembers which file each node came from, which yaml.v3 forgets and
// `extends` needs.
type source struct {
	file map[*yaml.Node]string
}

// readYAML reads a file, whatever it extends, and applies the settings
// (path=value) on top.
func readYAML(path string, sets []string) (*yaml.Node, *source, error) {
	src := &source{file: map[*yaml.Node]string{}}
	root, err := src.read(path, nil)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range sets {
		if err := src.set(root, s); err != nil {
			return nil, nil, err
		}
	}
	return root, src, nil
}

func (s *source) read(path string, chain []string) (*yaml.Node, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if slices.Contains(chain, abs) {
		return nil, &ConfigError{File: path, What: "extends itself, by way of " + strings.Join(chain, " > ")}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &ConfigError{File: path, What: "cannot be read: " + reason(err), Mend: "give the path of a YAML file"}
	}
	defer f.Close()
	dec := yaml.NewDecoder(f)
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &ConfigError{File: path, What: "is empty", Mend: "see configs/ for examples"}
		}
		return nil, syntaxError(path, err)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, syntaxError(path, err)
		}
		return nil, &ConfigError{File: path, Line: more.Line, What: "a second document", Mend: "one experiment a file"}
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, &ConfigError{File: path, Line: root.Line, What: "an experiment is a mapping of keys to values"}
	}
	if err := s.resolve(root, path, 0); err != nil {
		return nil, err
	}
	if err := s.mark(root, path); err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != "extends" {
			continue
		}
		base, err := s.extended(path, root.Content[i+1], append(chain, abs))
		if err != nil {
			return nil, err
		}
		root.Content = slices.Delete(root.Content, i, i+2)
		merge(base, root)
		return base, nil
	}
	return root, nil
}

// extended reads what the key `extends` of a file names: one file, or a list of them,
// each merged over those before it.
func (s *source) extended(path string, v *yaml.Node, chain []string) (*yaml.Node, error) {
	names := []*yaml.Node{v}
	if v.Kind == yaml.SequenceNode {
		names = v.Content
	}
	var base *yaml.Node
	for _, n := range names {
		if n.Kind != yaml.ScalarNode || n.Tag != "!!str" || n.Value == "" {
			return nil, &ConfigError{File: path, Line: n.Line, What: "extends names one file, or a list of files"}
		}
		parent := n.Value
		if !filepath.IsAbs(parent) {
			parent = filepath.Join(filepath.Dir(path), parent)
		}
		if _, err := os.Stat(parent); err != nil {
			return nil, &ConfigError{File: path, Line: n.Line, What: fmt.Sprintf("extends %s, which cannot be read: %s", n.Value, reason(err)), Mend: "the path is relative to this file"}
		}
		next, err := s.read(parent, chain)
		switch {
		case err != nil:
			return nil, err
		case base == nil:
			base = next
		default:
			merge(base, next)
		}
	}
	if base == nil {
		return nil, &ConfigError{File: path, Line: v.Line, What: "extends is a list without files", Mend: "name one, or leave extends out"}
	}
	return base, nil
}

// maxDepth bounds nesting, and with it what aliases can blow up to.
const maxDepth = 50

// resolve puts a copy of its anchor's value in place of each alias, so that nothing
// later meets one.
func (s *source) resolve(n *yaml.Node, file string, depth int) error {
	if depth > maxDepth {
		return &ConfigError{File: file, Line: n.Line, What: "nested too deeply; does an alias contain itself?"}
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && c.Tag == "!!merge" {
			return &ConfigError{File: file, Line: c.Line, What: "merge keys (<<) are not read", Mend: "write the keys out, or use extends"}
		}
		if c.Kind == yaml.AliasNode {
			copied := *c.Alias
			copied.Content = slices.Clone(copied.Content)
			copied.Line = c.Line
			n.Content[i], c = &copied, &copied
		}
		if err := s.resolve(c, file, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// mark notes the file of a node and all below it, and refuses keys given twice.
func (s *source) mark(n *yaml.Node, file string) error {
	s.file[n] = file
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if at := find(n, c.Value); at != i+1 {
				return &ConfigError{File: file, Line: c.Line, What: fmt.Sprintf("key %q is given twice, first in line %d", c.Value, n.Content[at-1].Line)}
			}
		}
		if err := s.mark(c, file); err != nil {
			return err
		}
	}
	return nil
}

// merge puts over onto base: mappings key by key, everything else whole. A block
// of another `kind` replaces the block, since its keys are other keys.
func merge(base, over *yaml.Node) {
	for i := 0; i+1 < len(over.Content); i += 2 {
		key, val := over.Content[i], over.Content[i+1]
		at := find(base, key.Value)
		switch {
		case at < 0:
			base.Content = append(base.Content, key, val)
		case base.Content[at].Kind == yaml.MappingNode && val.Kind == yaml.MappingNode && sameKind(base.Content[at], val):
			merge(base.Content[at], val)
		default:
			base.Content[at-1], base.Content[at] = key, val
		}
	}
}

func sameKind(a, b *yaml.Node) bool {
	i, j := find(a, "kind"), find(b, "kind")
	return j < 0 || i >= 0 && a.Content[i].Value == b.Content[j].Value
}

// find gives the index of the value of key in a mapping, or -1.
func find(m *yaml.Node, key string) int {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return i + 1
		}
	}
	return -1
}

// set applies one path=value; the value is YAML, list items are numbered from 0
// or found by their name.
func (s *source) set(root *yaml.Node, arg string) error {
	path, value, ok := strings.Cut(arg, "=")
	if !ok || path == "" {
		return &ConfigError{File: "--set", What: fmt.Sprintf("%q is not path=value", arg), Mend: "write for example --set split.users_per_task=8"}
	}
	origin := "--set " + path // without the value, which might be a secret
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(value), &doc); err != nil {
		return syntaxError("--set "+path, err)
	}
	val := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: ""}
	if len(doc.Content) > 0 {
		val = doc.Content[0]
	}
	if err := s.mark(val, origin); err != nil {
		return err
	}
	return s.put(root, path, origin, val)
}

// put sets the value at a path; origin says in faults where the wish came from.
func (s *source) put(root *yaml.Node, path, origin string, val *yaml.Node) error {
	line := val.Line
	if strings.HasPrefix(origin, "--set") {
		line = 0
	}
	at := root
	keys := strings.Split(path, ".")
	for n := 0; n < len(keys); n++ {
		k := keys[n]
		if at.Kind == yaml.MappingNode { // names may hold dots, as gpt-4.1 does: the longest that is there
			for m := len(keys); m > n+1; m-- {
				if whole := strings.Join(keys[n:m], "."); find(at, whole) >= 0 {
					k, n = whole, m-1
					break
				}
			}
		}
		last := n == len(keys)-1
		switch at.Kind {
		case yaml.MappingNode:
			i := find(at, k)
			if i < 0 {
				key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: k}
				s.file[key] = origin
				child := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
				s.file[child] = origin
				at.Content = append(at.Content, key, child)
				i = len(at.Content) - 1
			}
			if last {
				at.Content[i] = val
				return nil
			}
			at = at.Content[i]
		case yaml.SequenceNode:
			i := slices.IndexFunc(at.Content, func(c *yaml.Node) bool {
				j := find(c, "name")
				return c.Kind == yaml.MappingNode && j >= 0 && c.Content[j].Value == k
			})
			if i < 0 {
				var err error
				if i, err = strconv.Atoi(k); err != nil || i < 0 || i >= len(at.Content) {
					return &ConfigError{File: origin, Line: line, What: fmt.Sprintf("the list has no item %q", k), Mend: "give an item's name or its number from 0"}
				}
			}
			if last {
				at.Content[i] = val
				return nil
			}
			at = at.Content[i]
		default:
			return &ConfigError{File: origin, Line: line, What: fmt.Sprintf("%s is a single value and has no %q below it", strings.Join(keys[:n], "."), k)}
		}
	}
	return nil
}

func reason(err error) string {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// syntaxError turns yaml.v3's "yaml: line 3: what" into file:line.
func syntaxError(file string, err error) error {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if _, e := fmt.Sscanf(msg, "line %d:", &line); e == nil {
		_, msg, _ = strings.Cut(msg, ": ")
	}
	return &ConfigError{File: file, Line: line, What: "not YAML: " + msg}
}

// A decoder fills structs from nodes, strictly: an unknown key or a value of the
// wrong type is a fault with file and line, and all faults are gathered. yaml.v3's own strictness ends at Node.Decode.
type decoder struct {
	src  *source
	errs []error
}

// selfDecoder is implemented by types that choose what to decode into.
type selfDecoder interface {
	decodeNode(d *decoder, n *yaml.Node, path string)
}

func (d *decoder) fault(n *yaml.Node, mend, format string, a ...any) {
	e := &ConfigError{File: d.src.file[n], Line: n.Line, What: fmt.Sprintf(format, a...), Mend: mend}
	if path, ok := strings.CutPrefix(e.File, "--set "); ok {
		e.Line = 0
		e.What = strings.TrimPrefix(e.What, path+": ") // which is said already
	}
	d.errs = append(d.errs, e)
}

// decode fills v, which must be settable; path names it in messages.
func (d *decoder) decode(n *yaml.Node, v reflect.Value, path string) {
	if s, ok := v.Addr().Interface().(selfDecoder); ok {
		s.decodeNode(d, n, path)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if n.Tag == "!!null" {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, v.Elem(), path)
	case reflect.Struct:
		d.decodeStruct(n, v, path)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			d.fault(n, "", "%s is a list", path)
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, c := range n.Content {
			d.decode(c, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Map:
		if n.Kind != yaml.MappingNode {
			d.fault(n, "", "%s is a mapping", path)
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			e := reflect.New(v.Type().Elem()).Elem()
			d.decode(n.Content[i+1], e, join(path, key.Value))
			v.SetMapIndex(reflect.ValueOf(key.Value), e)
		}
	default:
		if n.Kind != yaml.ScalarNode {
			d.fault(n, "", "%s is a single %s", path, typeName(v))
			return
		}
		if n.Tag == "!!null" {
			return // the default stays
		}
		if v.Kind() == reflect.String && n.Tag != "!!str" && n.Tag != "!!int" && n.Tag != "!!float" && n.Tag != "!!bool" {
			d.fault(n, "", "%s is text, not %s", path, strings.TrimPrefix(n.Tag, "!!"))
			return
		}
		if v.CanInt() || v.CanUint() {
			if whole, ok := wholeNumber(n); ok {
				n = whole
			} else {
				d.fault(n, "", "%s is a %s, not %q", path, typeName(v), redact(n.Value))
				return
			}
		}
		if err := n.Decode(v.Addr().Interface()); err != nil {
			d.fault(n, "", "%s is a %s, not %q", path, typeName(v), redact(n.Value))
		}
	}
}

// wholeNumber accepts 3, 3.0 and 3e2 and nothing that would have to be rounded.
func wholeNumber(n *yaml.Node) (*yaml.Node, bool) {
	if n.Tag == "!!int" {
		return n, true
	}
	var f float64
	if n.Tag != "!!float" || n.Decode(&f) != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return nil, false
	}
	whole := *n
	whole.Tag, whole.Value = "!!int", strconv.FormatFloat(f, 'f', 0, 64)
	return &whole, true
}

// redact keeps what looks like a key out of messages.
func redact(s string) string {
	if keyLike.MatchString(s) {
		return "[looks like a key]"
	}
	return s
}

var keyLike = regexp.MustCompile(`^(sk|pk|hf|gsk|rk|key|xai)[-_].{6,}`)

// secretName is what a model's key would be called if it were written down.
var secretName = regexp.MustCompile(`(?i)^(openai_)?(api_?)?key$|^(api_?)?token$|^authorization$`)

func (d *decoder) decodeStruct(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, "", "%s is a block of keys and values", path)
		return
	}
	fields := map[string]reflect.Value{}
	fieldsOf(v, fields)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		f, ok := fields[key.Value]
		if !ok {
			known := "known keys: " + strings.Join(sortedKeys(fields), ", ")
			if len(fields) == 0 {
				known = "this kind has none"
			}
			if fields["api_key_env"].IsValid() && secretName.MatchString(key.Value) {
				known = "a key does not belong in a file: export it and name the variable in api_key_env"
			}
			d.fault(key, known, "unknown key %q%s", key.Value, in(path))
			continue
		}
		d.decode(n.Content[i+1], f, join(path, key.Value))
	}
}

// fieldsOf maps yaml names to fields, those of embedded structs included.
func fieldsOf(v reflect.Value, out map[string]reflect.Value) {
	t := v.Type()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		switch {
		case t.Field(i).Anonymous:
			fieldsOf(v.Field(i), out)
		case name != "" && name != "-":
			out[name] = v.Field(i)
		}
	}
}

func typeName(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false value"
	case reflect.Float64:
		return "number"
	case reflect.Uint64:
		return "whole number of 0 or more"
	}
	return "whole number"
}

func in(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
