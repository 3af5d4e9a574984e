package data

import (
	"fmt"
	"slices"
	"strings"
)

// A world is what rules may speak of: persona attributes and task features, each
// with its closed list of values. A state gives each an index into that list.
type world struct {
	names  []string
	values [][]string
}

// state has one entry a name of the world.
type state []uint8

func (w *world) add(name string, values []string) {
	w.names = append(w.names, name)
	w.values = append(w.values, values)
}

// condition is a compiled rule.
type condition func(state) bool

// parser of the rule language, by recursive descent:
//
//	rule   = any [ "unless" any ]            loosest: A unless B is A and not B
//	any    = all { "or" all }
//	all    = one { "and" one }
//	one    = "not" one | "(" rule ")" | name "=" value { "|" value }
type parser struct {
	world *world
	words []string
	at    int
}

// compile turns a rule into a condition. An empty rule always holds.
func (w *world) compile(rule string) (condition, error) {
	p := &parser{world: w, words: tokens(rule)}
	if len(p.words) == 0 {
		return func(state) bool { return true }, nil
	}
	c, err := p.rule()
	if err == nil && p.at < len(p.words) {
		err = fmt.Errorf("%q is left over", strings.Join(p.words[p.at:], " "))
	}
	if err != nil {
		return nil, fmt.Errorf("rule %q: %w", rule, err)
	}
	return c, nil
}

// tokens splits at blanks and puts parentheses apart.
func tokens(s string) []string {
	return strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(s))
}

func (p *parser) peek() string {
	if p.at < len(p.words) {
		return p.words[p.at]
	}
	return ""
}

func (p *parser) rule() (condition, error) {
	a, err := p.any()
	if err != nil || p.peek() != "unless" {
		return a, err
	}
	p.at++
	b, err := p.any()
	return func(s state) bool { return a(s) && !b(s) }, err
}

func (p *parser) any() (condition, error) {
	a, err := p.all()
	for err == nil && p.peek() == "or" {
		p.at++
		left := a
		var right condition
		right, err = p.all()
		a = func(s state) bool { return left(s) || right(s) }
	}
	return a, err
}

func (p *parser) all() (condition, error) {
	a, err := p.one()
	for err == nil && p.peek() == "and" {
		p.at++
		left := a
		var right condition
		right, err = p.one()
		a = func(s state) bool { return left(s) && right(s) }
	}
	return a, err
}

func (p *parser) one() (condition, error) {
	switch word := p.peek(); word {
	case "":
		return nil, fmt.Errorf("a condition is missing at the end")
	case "not":
		p.at++
		a, err := p.one()
		return func(s state) bool { return !a(s) }, err
	case "(":
		p.at++
		a, err := p.rule()
		if err != nil {
			return nil, err
		}
		if p.peek() != ")" {
			return nil, fmt.Errorf("a parenthesis is not closed")
		}
		p.at++
		return a, nil
	default:
		p.at++
		return p.atom(word)
	}
}

// atom compiles name=value|value to a look-up in a bit set.
func (p *parser) atom(word string) (condition, error) {
	name, list, ok := strings.Cut(word, "=")
	if !ok {
		return nil, fmt.Errorf("%q is not name=value", word)
	}
	at := slices.Index(p.world.names, name)
	if at < 0 {
		return nil, fmt.Errorf("nothing is called %q; there are %s", name, strings.Join(p.world.names, ", "))
	}
	var set uint64
	for _, v := range strings.Split(list, "|") {
		i := slices.Index(p.world.values[at], v)
		if i < 0 {
			return nil, fmt.Errorf("%s is never %q; it is one of %s", name, v, strings.Join(p.world.values[at], ", "))
		}
		set |= 1 << i
	}
	return func(s state) bool { return set>>s[at]&1 == 1 }, nil
}
