package rl

import (
	"fmt"
	"math"
	"strings"
	"unicode"

	"pepbench/domains"
	"pepbench/strategies"
)

// What the features say of a criterion of the data set, in this order: features k n ..
// k n + n - 1 are kind k of the n criteria.
const (
	open  = iota // 1: may be asked now
	asked        // 1: was asked
	held         // 1: the answer was a value
	not          // 1: the answer was that it does not matter
	value        // the value of the answer, its range taken to [-1, 1]
	kinds
)

// A layout says what the features of a state are.
type layout struct {
	actions int // criteria of the data set
	words   int // hashed words of the task
	budget  int // questions of an episode in training
}

// size is the number of features: 5 of every criterion, the share of the budget that is
// spent, the words.
func (l layout) size() int { return kinds*l.actions + 1 + l.words }

func (l layout) at(kind, criterion int) int { return kind*l.actions + criterion }

// A term is a feature that is not 0, or what is added to one.
type term struct {
	at int
	by float64
}

// A change is what a question and its answer do to the features.
type change struct {
	n     int
	terms [kinds]term
}

func (c *change) add(at int, by float64) {
	c.terms[c.n] = term{at, by}
	c.n++
}

// told is the change after the n-th question (from 1), which was about a criterion of the
// data set. Past the budget of the training, the share that is spent stays 1.
func (l layout) told(c *domains.Criterion, criterion int, cell domains.Cell, n int) (ch change) {
	ch.add(l.at(open, criterion), -1)
	ch.add(l.at(asked, criterion), 1)
	switch {
	case cell.IsHeld():
		ch.add(l.at(held, criterion), 1)
		ch.add(l.at(value, criterion), scaled(c, cell.Value()))
	case cell.IsNotHeld():
		ch.add(l.at(not, criterion), 1)
	}
	if n <= l.budget {
		ch.add(kinds*l.actions, 1/float64(l.budget))
	}
	return ch
}

// ends are the least and the largest value of a criterion.
func ends(c *domains.Criterion) (lo, hi float64) {
	if c.Scale != domains.Continuous && len(c.Levels) > 0 {
		return c.Levels[0].Value, c.Levels[len(c.Levels)-1].Value
	}
	return c.Min, c.Max
}

// scaled takes the range of a criterion to [-1, 1].
func scaled(c *domains.Criterion, v float64) float64 {
	lo, hi := ends(c)
	if !(hi > lo) {
		return 0
	}
	return max(-1, min(1, 2*(v-lo)/(hi-lo)-1))
}

// An episode is a setting as a policy meets it.
type episode struct {
	set       strategies.Setting
	position  []int // of every criterion of the data set; -1: cannot be asked here
	questions int   // that will be put
	start     []term
}

// begin fills e for a setting; words are those of its task.
func (l layout) begin(e *episode, set strategies.Setting, words []term) error {
	if len(set.Criteria) != len(set.Task.Criteria) {
		return fmt.Errorf("task %q admits %d criteria and comes with %d", set.Task.ID, len(set.Task.Criteria), len(set.Criteria))
	}
	if set.Askable != nil && len(set.Askable) != len(set.Criteria) {
		return fmt.Errorf("task %q admits %d criteria and says of %d whether they can be asked", set.Task.ID, len(set.Criteria), len(set.Askable))
	}
	e.set = set
	if len(e.position) != l.actions {
		e.position = make([]int, l.actions)
	}
	for c := range e.position {
		e.position[c] = -1
	}
	e.start, e.questions = e.start[:0], 0
	last := -1
	for i, c := range set.Task.Criteria {
		if c <= last || c >= l.actions {
			return fmt.Errorf("task %q admits criterion %d after %d; they must rise, and the policy knows %d", set.Task.ID, c, last, l.actions)
		}
		last = c
		if set.CanAsk(i) {
			e.position[c] = i
			e.start = append(e.start, term{l.at(open, c), 1})
			e.questions++
		}
	}
	e.questions = min(e.questions, set.Budget)
	e.start = append(e.start, words...)
	return nil
}

// wordsOf are the features of a prompt: its words (runs of letters and digits, in lower case) are
// hashed into l.words buckets; a bucket with n words has ln(1+n), and all of them together
// have length 1.
func (l layout) wordsOf(prompt string) []term {
	if l.words == 0 {
		return nil
	}
	count := make([]float64, l.words)
	for _, w := range strings.FieldsFunc(strings.ToLower(prompt), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		// Mixed: low bits of the hash of words that differ in a letter are far from uniform.
		h := domains.Hash(w) * 0x9e3779b97f4a7c15
		count[(h>>32)%uint64(l.words)]++
	}
	norm := 0.0
	for i, n := range count {
		count[i] = math.Log1p(n)
		norm += count[i] * count[i]
	}
	norm = math.Sqrt(norm)
	var terms []term
	for i, v := range count {
		if v > 0 {
			terms = append(terms, term{kinds*l.actions + 1 + i, v / norm})
		}
	}
	return terms
}
