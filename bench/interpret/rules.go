package interpret

import (
	"slices"
	"strings"

	"pepbench/domains"
)

// Ways of saying things, as words of wordsOf.
var (
	indifferent = phrases(`no preference|no preferences|no strong preference|no strong preferences|no particular preference|no real preference|no special preference|no opinion|no strong opinion|
		not matter|not mind|not care|not care about|no difference|not important|not fussed|indifferent|either is fine|either way is fine|anything is fine|any is fine|
		up to you|whatever you think|whatever you like|not bothered|no wish|no wishes|makes no odds`)
	enough = phrases(`no more questions|no further questions|stop asking|stop the questions|enough questions|enough of the questions|
		just answer|just give me the answer|just answer now|just answer it|give me the answer|i am done|we are done`)
	ignorant = phrases(`not know|no idea|not sure|cannot say|not certain|hard to say|not understand|what do you mean`)

	// plain are words that say nothing either way beside an amount, and idle those that
	// say nothing beside the phrases above.
	plain = setOf(`i we me us my our you it its this that these here there is am be have do would will could should like want wish need prefer ask say
		for to of in on at as about with by the a an and so well oh hmm um ah ok okay yes please thanks thank just personally answer also one point topic`)
	idle = setOf(`i we me us my our you it its this that these here there is are am be was do did does have has had will would can could should
		like want wish need prefer ask say said think feel for to of in on at as about with by the a an and so well oh hmm um ah ok okay yes
		please thanks thank really honestly personally truly quite simply just very actually frankly regarding concerning
		answer reply point topic matter subject thing things one way ways all also too sorry question now then any something
		afraid particularly especially either myself right anyway anymore make makes made let`)
	// adverbs may stand inside of the phrases, too.
	adverbs = setOf(`really honestly personally truly actually simply particularly especially frankly`)
	// negations are never passed over, not even as words of a name.
	negations = setOf(`no not never none nothing without nor neither nobody nowhere`)
)

func phrases(list string) [][]string {
	var out [][]string
	for p := range strings.SplitSeq(list, "|") {
		out = append(out, wordsOf(p))
	}
	// The longest first, so that what it leaves is least.
	slices.SortStableFunc(out, func(a, b []string) int { return len(b) - len(a) })
	return out
}

// kind is what a sentence says of the criterion asked about.
type kind uint8

const (
	unclear   kind = iota
	nothing        // words that say nothing either way
	amount         // one of the phrases
	matters0       // it does not matter
	wantsEnd       // no more questions
	notKnown       // does not know
	elsewhere      // about another criterion
)

// A speaker reads sentences about the criteria of a task. What it knows of them it works
// out when it first needs it.
type speaker struct {
	criteria []domains.Criterion
	rubric   domains.RubricKind
	names    [][]string   // words of each name
	stems    [][]string   // stems of each name; nil until the first is needed
	amounts  [][][]string // of each criterion: words of each phrase
}

func newSpeaker(criteria []domains.Criterion, rubric domains.RubricKind) *speaker {
	n := len(criteria)
	return &speaker{criteria: criteria, rubric: rubric, names: make([][]string, n), amounts: make([][][]string, n)}
}

func (s *speaker) name(i int) []string {
	if s.names[i] == nil {
		s.names[i] = wordsOf(s.criteria[i].Name)
	}
	return s.names[i]
}

func (s *speaker) phrases(i int) [][]string {
	if s.amounts[i] == nil {
		for _, p := range s.criteria[i].Phrases(s.rubric) {
			s.amounts[i] = append(s.amounts[i], wordsOf(p))
		}
	}
	return s.amounts[i]
}

// only reports whether words, less those of a name, are nothing but filler.
func only(words, name []string, filler map[string]bool) bool {
	for _, w := range words {
		if !filler[w] && (negations[w] || !slices.Contains(name, w)) {
			return false
		}
	}
	return true
}

// less gives words without the n at i.
func less(words []string, i, n int) []string {
	return slices.Concat(words[:i], words[i+n:])
}

// says reports whether words are one of the phrases and filler.
func says(words, name []string, list [][]string) bool {
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return adverbs[w] })
	for _, p := range list {
		for _, i := range find(words, p) {
			if i+len(p) < len(words) && words[i+len(p)] == "for" && p[len(p)-1] == "care" {
				continue // I do not care for it: would rather not have it
			}
			if only(less(words, i, len(p)), name, idle) {
				return true
			}
		}
	}
	return false
}

// amount finds the only phrase of criterion i that words name, beside filler and the
// words of its name; -1 for none, or for more than one.
func (s *speaker) amount(words []string, i int) int {
	found := -1
	for l, p := range s.phrases(i) {
		for _, at := range find(words, p) {
			left := less(words, at, len(p))
			if !only(left, s.name(i), plain) || len(left) == 0 && ambiguous(p) {
				continue
			}
			if found >= 0 && found != l { // two ways to read it, such as levels with equal texts
				return -1
			}
			found = l
		}
	}
	return found
}

// ambiguous says that a phrase alone may mean that there is no wish.
func ambiguous(phrase []string) bool {
	return len(phrase) == 1 && slices.Contains([]string{"none", "no", "nothing"}, phrase[0])
}

// named gives the criteria whose names have all their stems in words. Of names of which
// one contains the other the longer counts.
func (s *speaker) named(words []string) []int {
	if s.stems == nil {
		s.stems = make([][]string, len(s.criteria))
		for i := range s.stems {
			s.stems[i] = stemsOf(s.name(i))
		}
	}
	have := stemsOf(words)
	in := func(a, b []string) bool { // a is a part of b
		return !slices.ContainsFunc(a, func(w string) bool { return !slices.Contains(b, w) })
	}
	var all []int
	for i, stems := range s.stems {
		if len(stems) > 0 && in(stems, have) {
			all = append(all, i)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(i int) bool {
		return slices.ContainsFunc(all, func(j int) bool { return len(s.stems[j]) > len(s.stems[i]) && in(s.stems[i], s.stems[j]) })
	})
}

// withoutName takes the words out that a name has.
func (s *speaker) withoutName(words []string, i int) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return slices.Contains(s.stems[i], stem(w)) && !function[w] })
}

// read says what a sentence says of criterion i (-1: of none), and the level where it
// is an amount; elsewhere gives another criterion and its level.
func (s *speaker) read(words []string, i int) (k kind, position, level int) {
	var name []string
	if i >= 0 {
		name = s.name(i)
		if l := s.amount(words, i); l >= 0 {
			return amount, i, l
		}
	}
	switch {
	case says(words, name, indifferent):
		return matters0, i, -1
	case says(words, name, enough):
		return wantsEnd, i, -1
	case says(words, name, ignorant):
		return notKnown, i, -1
	}
	if others := s.named(words); len(others) == 1 && others[0] != i {
		j := others[0]
		if l := s.amount(s.withoutName(words, j), j); l >= 0 {
			return elsewhere, j, l
		}
		if l := s.amount(words, j); l >= 0 { // a level whose text has words of the name
			return elsewhere, j, l
		}
	}
	if only(words, name, idle) {
		return nothing, i, -1
	}
	return unclear, i, -1
}
