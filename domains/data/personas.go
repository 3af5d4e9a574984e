package data

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"pepbench/domains"
)

const personasPath = "personas.yaml"

// attribute is a column of the causal table.
type attribute struct {
	name    string
	values  []string
	phrases []string
	draw    []draw
}

// draw gives the weights of the values where its condition holds.
type draw struct {
	when    condition
	weights []int
	total   int
}

// persona is one drawn person.
type persona struct {
	id, text string
	state    state // one entry an attribute
}

// maxBearers is how many personas may share a given name.
const maxBearers = 3

// causalTable reads the attributes and adds them to w, so that rules of
// attributes can only speak of earlier ones.
func causalTable(w *world) ([]attribute, []string, domains.Source, error) {
	var f personasFile
	src, err := read(personasPath, &f)
	if err != nil {
		return nil, nil, src, err
	}
	var out []attribute
	for _, e := range f.Attributes {
		a := attribute{name: e.Name}
		err := ordered(&e.Values, func(key string, v *yaml.Node) error {
			a.values = append(a.values, key)
			a.phrases = append(a.phrases, v.Value)
			return nil
		})
		if err != nil {
			return nil, nil, src, fault(personasPath, e.Values.Line, err)
		}
		for _, d := range e.Draw {
			when, err := w.compile(d.When.value)
			if err != nil {
				return nil, nil, src, fault(personasPath, d.When.line, err)
			}
			row := draw{when: when, weights: make([]int, len(a.values))}
			for v, n := range d.Weights {
				i := slices.Index(a.values, v)
				if i < 0 || n < 0 {
					return nil, nil, src, fault(personasPath, e.Values.Line, fmt.Errorf("attribute %s: weight %d of %q", a.name, n, v))
				}
				row.weights[i] = n
				row.total += n
			}
			if row.total == 0 {
				return nil, nil, src, fault(personasPath, e.Values.Line, fmt.Errorf("attribute %s: weights sum to 0", a.name))
			}
			a.draw = append(a.draw, row)
		}
		w.add(a.name, a.values)
		out = append(out, a)
	}
	return out, f.Names, src, nil
}

// library draws n different personas.
func library(attributes []attribute, names []string, n int, seed uint64) ([]persona, error) {
	if n > maxBearers*len(names) {
		return nil, fmt.Errorf("%d users asked for, the library has names for %d: %w", n, maxBearers*len(names), domains.ErrData)
	}
	rng := rand.New(rand.NewPCG(seed, domains.Hash("personas")))
	bearers := map[string]int{}
	seen := map[string]bool{}
	out := make([]persona, 0, n)
	for len(out) < n {
		s := make(state, len(attributes))
		for i, a := range attributes {
			s[i] = a.pick(s, rng)
		}
		if seen[string(s)] {
			continue
		}
		seen[string(s)] = true
		name := names[rng.IntN(len(names))]
		for bearers[name] >= maxBearers {
			name = names[rng.IntN(len(names))]
		}
		bearers[name]++
		out = append(out, persona{id: fmt.Sprintf("p%03d", len(out)+1), text: describe(name, attributes, s, rng), state: s})
	}
	return out, nil
}

func (a *attribute) pick(s state, rng *rand.Rand) uint8 {
	for _, d := range a.draw {
		if !d.when(s) {
			continue
		}
		u := rng.IntN(d.total)
		for i, w := range d.weights {
			if u < w {
				return uint8(i)
			}
			u -= w
		}
	}
	panic("data: attribute " + a.name + " has no draw that always holds")
}

// describe says a few things about a persona in two sentences.
func describe(name string, attributes []attribute, s state, rng *rand.Rand) string {
	n := 5 + rng.IntN(3)
	var said []string
	for _, i := range rng.Perm(len(attributes))[:n] {
		said = append(said, attributes[i].phrases[s[i]])
	}
	half := (n + 1) / 2
	return name + " " + and(said[:half]) + ". " + name + " also " + and(said[half:]) + "."
}

func and(s []string) string {
	if len(s) == 1 {
		return s[0]
	}
	return strings.Join(s[:len(s)-1], ", ") + " and " + s[len(s)-1]
}
