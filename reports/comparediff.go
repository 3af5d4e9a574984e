package reports

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"pepbench/bench/record"
	"pepbench/domains"
)

// A setting is something that two runs may differ in.
type setting struct{ what, base, run string }

// String implements fmt.Stringer.
func (s setting) String() string { return fmt.Sprintf("%s: %s > %s", s.what, s.base, s.run) }

// differences lists what two manifests differ in, in a fixed order: what ran, on what,
// who took part, then the keys of the configuration. Numbers that follow from these (counts, calls)
// are left out.
func differences(a, b *record.Manifest) (out []setting) {
	add := func(what, x, y string) {
		if x != y {
			out = append(out, setting{what, or(x), or(y)})
		}
	}
	add("name", a.Name, b.Name)
	add("code", a.Code.Version, b.Code.Version)
	add("Go", a.Code.Go, b.Code.Go)
	add("platform", a.Code.Platform, b.Code.Platform)
	keyed(add, "dependency ", a.Code.Dependencies, b.Code.Dependencies)
	add("data", a.Data.Name+" "+a.Data.Version, b.Data.Name+" "+b.Data.Version)
	keyed(add, "data file ", hashes(a.Data.Sources), hashes(b.Data.Sources))
	add("test tasks", tasksOf(a, b), tasksOf(b, a))
	add("test users", fmt.Sprint(a.Data.Users.Test), fmt.Sprint(b.Data.Users.Test))
	add("computed as", a.Data.Compat, b.Data.Compat)
	add("users", a.Users, b.Users)
	add("solver", a.Solver, b.Solver)
	add("judge", a.Judge, b.Judge)
	keyed(add, "model of ", served(a), served(b))
	keyed(add, "prompt ", prompts(a), prompts(b))
	keyed(add, "belief ", models(a), models(b))
	if a.ConfigHash == b.ConfigHash {
		return out
	}
	add("config", abbreviated(a.ConfigHash), abbreviated(b.ConfigHash))
	x, y := byPath(a.Config), byPath(b.Config)
	delete(x, "name")
	delete(y, "name")
	n := len(out)
	keyed(add, "config ", x, y)
	if len(out) == n && a.Name == b.Name {
		out = append(out, setting{"config", "the same keys and values", "in another order"})
	}
	return out
}

func or(s string) string {
	if s == "" {
		return dash
	}
	return s
}

// keyed adds what two maps differ in, in the order of keys.
func keyed(add func(what, x, y string), what string, x, y map[string]string) {
	all := append(sortedKeys(x), sortedKeys(y)...)
	slices.Sort(all)
	for _, k := range slices.Compact(all) {
		add(what+k, x[k], y[k])
	}
}

// tasksOf counts the test tasks, and those that the other run does not have.
func tasksOf(a, b *record.Manifest) string {
	own := 0
	for _, t := range a.Data.TestTasks {
		if !slices.Contains(b.Data.TestTasks, t) {
			own++
		}
	}
	s := fmt.Sprint(len(a.Data.TestTasks))
	if own > 0 {
		s += fmt.Sprintf(", %d of them here alone", own)
	}
	return s
}

func hashes(sources []domains.Source) map[string]string {
	out := map[string]string{}
	for _, s := range sources {
		out[s.Path] = abbreviated(s.SHA256)
	}
	return out
}

func abbreviated(hash string) string { return hash[:min(len(hash), 12)] }

func served(m *record.Manifest) map[string]string {
	out := map[string]string{}
	for _, e := range m.Endpoints {
		out[e.Role] = e.Model
		if e.Reported != "" && e.Reported != e.Model {
			out[e.Role] += " (" + e.Reported + ")"
		}
	}
	return out
}

func prompts(m *record.Manifest) map[string]string {
	out := map[string]string{}
	for _, p := range m.Prompts {
		out[p.Name] = abbreviated(p.SHA256)
	}
	return out
}

func models(m *record.Manifest) map[string]string {
	out := map[string]string{}
	for _, f := range m.Models {
		key := f.Name
		if f.Fold > 0 {
			key += fmt.Sprintf(" of fold %d", f.Fold)
		}
		out[key] = fmt.Sprintf("%s, %d parameters: %s", f.Kind, f.Params, f.About)
		if f.File != nil {
			out[key] += ", file " + abbreviated(f.File.SHA256)
		}
	}
	return out
}

// byPath gives every value of a JSON document by its path. An item of a list is called by
// its name, if all have one, else by its place; a list of plain values is one value.
func byPath(doc []byte) map[string]string {
	out := map[string]string{}
	var v any
	if json.Unmarshal(doc, &v) != nil {
		return out
	}
	flatten(v, "", out)
	return out
}

func flatten(v any, path string, out map[string]string) {
	under := func(key string) string {
		if path == "" {
			return key
		}
		return path + "." + key
	}
	switch v := v.(type) {
	case map[string]any:
		for k, w := range v {
			flatten(w, under(k), out)
		}
		return
	case []any:
		if len(v) == 0 {
			break
		}
		names := map[string]bool{}
		for i, w := range v {
			m, ok := w.(map[string]any)
			if !ok {
				break
			}
			name, ok := m["name"].(string)
			if !ok {
				name = fmt.Sprint(i)
			}
			names[name] = true
		}
		if len(names) != len(v) {
			break
		}
		for i, w := range v {
			m := w.(map[string]any)
			name, ok := m["name"].(string)
			if !ok {
				name = fmt.Sprint(i)
			}
			flatten(m, under(name), out)
		}
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		return
	}
	out[path] = strings.Trim(string(b), `"`)
}

// refused says why two runs cannot be compared at all, or nothing: a number of the
// one must mean what it means of the other.
func refused(base, run *side) error {
	a, b := &base.manifest.Data, &run.manifest.Data
	no := func(format string, x ...any) error {
		return &domains.DataError{File: run.dir, What: fmt.Sprintf(format, x...), Mend: "compare runs of one data set, or make the base again on this one"}
	}
	switch {
	case a.Name != b.Name:
		return no("ran on the data %q, and %s on %q: their sessions are not the same users and tasks", b.Name, base.dir, a.Name)
	case a.Rubric != b.Rubric:
		return no("is graded by a rubric of kind %q, and %s by one of kind %q: their scores are not the same measure", b.Rubric, base.dir, a.Rubric)
	}
	return nil
}

// instruments says what makes the numbers of two runs differ though nothing got better or
// worse: that they are of other data, after another number of questions, or by another judge.
func instruments(base, run *side) (out []string) {
	warn := func(format string, x ...any) { out = append(out, fmt.Sprintf(format, x...)) }
	a, b := base.manifest, run.manifest
	changed := differing(hashes(a.Data.Sources), hashes(b.Data.Sources))
	for _, key := range differing(byPath(a.Config), byPath(b.Config)) {
		if strings.HasPrefix(key, "domain.") { // such as the knob of generated profiles
			changed = append(changed, key)
		}
	}
	if len(changed) > 0 {
		warn("the data differ (%s): equal ids need not be the same users and tasks", series(changed))
	}
	if base.final != run.final {
		warn("the final checkpoint is after %d %s there and %d here: differences are those of the budget, too", base.final, plural(base.final, "question"), run.final)
	}
	if a.Judge != b.Judge {
		warn("the judges differ: alignment is measured by two instruments (%s; %s)", a.Judge, b.Judge)
	}
	return out
}

// cautions says what makes a difference one of something else than the code.
func cautions(base, run *side) (out []string) {
	out = instruments(base, run)
	warn := func(format string, x ...any) { out = append(out, fmt.Sprintf(format, x...)) }
	a, b := base.manifest, run.manifest
	if base.final == run.final && a.Budget != b.Budget {
		warn("the budget is %d there and %d here", a.Budget, b.Budget)
	}
	if a.Solver != b.Solver {
		warn("the solvers differ: alignment is theirs, too")
	}
	if a.Users != b.Users {
		warn("the simulated users differ: equal ids do not answer alike")
	}
	if a.Data.Compat != b.Data.Compat {
		warn("one run computes beliefs and choices as the released code does, and the other does not")
	}
	for _, s := range []*side{base, run} {
		if n, all := s.sessions(), s.manifest.Sessions; n < all {
			warn("%s has %d of %d planned sessions without an error", s.dir, n, all)
		}
	}
	return out
}

// differing gives the keys whose values differ, in order.
func differing(x, y map[string]string) (keys []string) {
	keyed(func(what, a, b string) {
		if a != b {
			keys = append(keys, what)
		}
	}, "", x, y)
	return keys
}
