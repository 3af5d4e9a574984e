package export

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"pepbench/reports"
)

// An Estimate is a number of metrics.json as a line of a table; the package comment says what
// its fields are. Nil is null.
type Estimate struct {
	Run         string `json:"run"`
	ConfigHash  string `json:"config_hash"`
	Data        string `json:"data"`
	DataVersion string `json:"data_version"`
	Simulated   bool   `json:"simulated"`

	Strategy string `json:"strategy"`
	Base     string `json:"base"`
	Kind     string `json:"kind"`
	Predict  string `json:"predict"`

	Measure   string `json:"measure"`
	Scope     string `json:"scope"`
	Against   string `json:"against"`
	Why       string `json:"why"`
	Questions *int64 `json:"questions"`
	K         *int64 `json:"k"`
	Turn      *int64 `json:"turn"`
	Seed      *int64 `json:"seed"`

	Value     *float64 `json:"value"`
	Lo        *float64 `json:"lo"`
	Hi        *float64 `json:"hi"`
	HiOpen    *bool    `json:"hi_open"`
	N         *int64   `json:"n"`
	Undefined *int64   `json:"undefined"`
	Clusters  *int64   `json:"clusters"`

	Method   string   `json:"method"`
	P        *float64 `json:"p"`
	Holm     *float64 `json:"p_holm"`
	Family   *int64   `json:"family"`
	MDE      *float64 `json:"mde"`
	Needed   *int64   `json:"needed"`
	Resolved *bool    `json:"resolved"`
}

// Estimates gives the numbers of a run, in the order of metrics.json.
func Estimates(m *reports.Metrics) []Estimate {
	w := walker{metrics: m}
	w.visit(reflect.ValueOf(*m), Estimate{
		Run: m.Name, ConfigHash: m.ConfigHash, Data: m.Data.Name, DataVersion: m.Data.Version, Simulated: m.Simulated,
	})
	return w.out
}

// settings are the keys of metrics.json, and of a row of it, that say what was run and hold no
// result, and the one whose values are no table.
var settings = map[string]bool{
	"schema": true, "folds": true, "seeds": true, "budget": true, "horizon": true, "final": true, "checkpoints": true,
	"resamples": true, "confidence": true, "seed": true, "first_questions_seed": true, "compared_at": true,
	"params": true, "first_questions": true,
}

// A walker goes through metrics by their types, so that no number that is added to them is
// forgotten here.
type walker struct {
	metrics *reports.Metrics
	out     []Estimate
}

var rowType = reflect.TypeFor[reports.Row]()

// visit adds what a value has of numbers. at says where it stands.
func (w *walker) visit(v reflect.Value, at Estimate) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			w.visit(v.Elem(), at)
		}
	case reflect.Slice:
		for i := range v.Len() {
			w.visit(v.Index(i), w.element(v, i, at))
		}
	case reflect.Struct:
		w.object(v, at)
	case reflect.Int, reflect.Int64:
		n := float64(v.Int())
		at.Value = &n
		w.out = append(w.out, at)
	case reflect.Float64:
		at.Value = number(v)
		w.out = append(w.out, at)
	}
}

// element says which element of a list it is, if the element does not say it itself.
func (w *walker) element(list reflect.Value, i int, at Estimate) Estimate {
	switch {
	case strings.HasSuffix(at.Measure, "cluster_means"):
		if i < len(w.metrics.ClusterIDs) {
			at.Scope = w.metrics.ClusterIDs[i]
		}
	case strings.HasSuffix(at.Measure, ".by_t"), at.Measure == "trace.turns":
		at.Turn = count(int64(i + 1))
	case at.Measure == "trace.prior", at.Measure == "trace.turns.beliefs":
		if t := w.metrics.Trace; i < len(t.Criteria) {
			at.Scope = t.Criteria[i]
		}
	}
	return at
}

// object adds the numbers of an object: one that has an interval as one line with what
// belongs to it, and every other field by itself.
func (w *walker) object(v reflect.Value, at Estimate) {
	fields := map[string]reflect.Value{}
	var names []string
	for _, f := range reflect.VisibleFields(v.Type()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "" || name == "-" {
			continue // of embedded structs the fields are visible themselves
		}
		if _, twice := fields[name]; !twice { // as encoding/json, which takes the outermost
			names = append(names, name)
			fields[name] = v.FieldByIndex(f.Index)
		}
	}
	used := map[string]bool{}
	text := func(to *string, names ...string) {
		for _, name := range names {
			if f, ok := fields[name]; ok && f.Kind() == reflect.String {
				used[name] = true
				*to = cmp.Or(f.String(), *to)
			}
		}
	}
	whole := func(to **int64, names ...string) {
		for _, name := range names {
			if f, ok := fields[name]; ok && (f.Kind() == reflect.Int || f.Kind() == reflect.Int64) {
				used[name] = true
				*to = count(f.Int())
				return
			}
		}
	}
	flag := func(to **bool, name string) {
		if f, ok := fields[name]; ok && f.Kind() == reflect.Bool {
			used[name] = true
			b := f.Bool()
			*to = &b
		}
	}
	real := func(to **float64, name string) {
		if f, ok := fields[name]; ok && f.Kind() == reflect.Float64 {
			used[name] = true
			*to = number(f)
		}
	}

	switch {
	case v.Type() == rowType:
		at.Measure = ""
		text(&at.Strategy, "name")
		text(&at.Base, "base")
		text(&at.Kind, "kind")
		text(&at.Predict, "predict")
	case at.Measure == "comparisons" || at.Measure == "target" || at.Measure == "judges.rows" || at.Measure == "trace":
		text(&at.Strategy, "strategy")
		if r := w.row(at.Strategy); r != nil {
			at.Base, at.Kind, at.Predict = r.Base, r.Kind, r.Predict
		}
	}
	text(&at.Against, "against", "twin")
	text(&at.Why, "withheld")
	if at.Measure == "difference" {
		at.Against = w.metrics.Reference
	}
	if at.Measure == "comparisons" {
		text(&at.Why, "why")
		var measure string
		text(&measure, "measure")
		at.Measure += "." + measure
	}
	if at.Measure == "fidelity.strategies" || at.Measure == "fidelity.criteria" {
		text(&at.Scope, "of")
	}
	switch at.Measure {
	case "judge_probes.checks":
		text(&at.Scope, "name")
	case "policy.trainings":
		text(&at.Scope, "id")
	}
	text(&at.Scope, "scope", "role", "what", "candidate")
	if at.Measure != "fidelity.all" && at.Measure != "fidelity.strategies" && at.Measure != "fidelity.criteria" { // where questions are counted
		whole(&at.Questions, "questions")
	}
	whole(&at.K, "k")
	whole(&at.Turn, "turn")
	if at.Measure != "" {
		whole(&at.Seed, "seed")
	}
	if from, ok := fields["from"]; ok && from.Kind() == reflect.Float64 {
		used["from"], used["to"] = true, true
		at.Scope = strings.TrimPrefix(fmt.Sprintf("%s %s-%s", at.Scope, shown(from), shown(fields["to"])), " ")
	}

	if value := interval(fields); value != "" {
		e := at
		if value != "value" {
			e.Measure += "." + value
		}
		real(&e.Value, value)
		real(&e.Lo, "lo")
		real(&e.Hi, "hi")
		flag(&e.HiOpen, "hi_open")
		whole(&e.N, "n", "pairs", "turns", "sessions", "cells")
		whole(&e.Undefined, "undefined")
		whole(&e.Clusters, "clusters", "tasks")
		flag(&e.Resolved, "resolved")
		if t, ok := fields["test"]; ok {
			used["test"] = true
			e.test(t)
		}
		w.out = append(w.out, e)
	}
	for _, name := range names {
		if used[name] || at.Measure == "" && settings[name] || name == "sequences" {
			continue
		}
		next := at
		next.Measure = strings.TrimPrefix(at.Measure+"."+name, ".")
		if name == "n" && at.Scope != "" { // of a reason
			next.Measure = at.Measure
		}
		w.visit(fields[name], next)
	}
}

// test takes over the test of a difference.
func (e *Estimate) test(v reflect.Value) {
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return
	}
	v = v.Elem()
	e.Method = v.FieldByName("Method").String()
	e.P, e.Holm, e.MDE = number(v.FieldByName("P")), number(v.FieldByName("Holm")), number(v.FieldByName("MDE"))
	e.Family, e.Needed = count(v.FieldByName("Family").Int()), count(v.FieldByName("Needed").Int())
}

// interval gives the key of the number that the interval of an object is of; empty: it has none.
func interval(fields map[string]reflect.Value) string {
	real := func(name string) bool {
		f, ok := fields[name]
		return ok && f.Kind() == reflect.Float64
	}
	for _, name := range []string{"value", "observed"} { // the latter of a bin of calibration
		if real(name) && real("lo") && real("hi") {
			return name
		}
	}
	return ""
}

// row is the row of that name, or nil.
func (w *walker) row(name string) *reports.Row {
	for i := range w.metrics.Strategies {
		if r := &w.metrics.Strategies[i]; r.Name == name {
			return r
		}
	}
	return nil
}

// number is a float as metrics.json has it, nil where it is undefined there.
func number(v reflect.Value) *float64 {
	b, err := reports.Number(v.Float()).MarshalJSON()
	if err != nil || string(b) == "null" {
		return nil
	}
	x, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return nil
	}
	return &x
}

func shown(v reflect.Value) string {
	b, _ := json.Marshal(number(v)) // of a float or nil, which have no error
	return string(b)
}

func count(n int64) *int64 { return &n }
