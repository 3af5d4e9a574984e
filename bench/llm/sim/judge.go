package sim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"math/bits"
	"slices"
	"strings"
)

// maxCriteria is the number of criteria that one request may have.
const maxCriteria = 1000

var errTooManyCriteria = errors.New("more than 1000 criteria in one request")

// A criterion is a block of a judge prompt.
type criterion struct {
	name    string
	levels  []string
	wants   string // quality kind: what the reader wants
	quality bool
}

// criteria reads the blocks of a judge prompt.
func criteria(text string) []criterion {
	var list []criterion
	for text != "" {
		var line string
		line, text = cutLine(text)
		f, tail := fieldOf(line)
		if f == fieldCriterion {
			list = append(list, criterion{name: tail})
			continue
		}
		if len(list) == 0 {
			continue
		}
		switch c := &list[len(list)-1]; f {
		case fieldLevels:
			if c.levels == nil {
				c.levels = numbered(text)
			}
		case fieldWants:
			if !c.quality {
				c.wants, c.quality = tail, true
			}
		}
	}
	return list
}

// A verdict is the judge's finding on one criterion.
type verdict struct {
	level  int
	reason string
}

// judge grades a response and writes the reply. results tells whether the words
// of the prompt ask for the batched form.
func judge(p prompt, results bool) (string, error) {
	list := criteria(p.text)
	if len(list) > maxCriteria {
		return "", errTooManyCriteria
	}
	r := read(p.fenced)
	batched := results || len(list) > 1
	var b bytes.Buffer
	b.Grow(256 * len(list))
	if batched {
		b.WriteString(`{"results": [`)
	}
	for i, c := range list {
		v := r.grade(c)
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('{')
		if batched {
			b.WriteString(`"criterion": `)
			writeString(&b, c.name)
			b.WriteString(", ")
		}
		if c.quality {
			b.WriteString(`"score": `)
		} else {
			b.WriteString(`"level": `)
		}
		writeInt(&b, v.level)
		b.WriteString(`, "reason": `)
		writeString(&b, v.reason)
		b.WriteByte('}')
	}
	if batched {
		b.WriteString("]}")
	}
	return b.String(), nil
}

// A reading is a response cut into sentences and words.
type reading struct {
	text      string
	sentences []sentence
}

type sentence struct {
	span
	toks []token
}

// read cuts up a text.
func read(text string) *reading {
	spans := appendSentences(make([]span, 0, 16), text)
	r := &reading{text: text, sentences: make([]sentence, len(spans))}
	toks := make([]token, 0, len(text)/5+8)
	for i, s := range spans {
		from := len(toks)
		toks = appendTokens(toks, text, s.start, s.end)
		r.sentences[i] = sentence{s, toks[from:len(toks):len(toks)]}
	}
	return r
}

// A name is a criterion's name, ready to be looked for.
type name struct {
	toks    []token
	stems   []uint64 // of its content words, each once
	bare    bool     // there are no content words: the words themselves count
	negates bool     // one of its words is a negation
}

func readName(s string) name {
	n := name{toks: appendTokens(make([]token, 0, 8), s, 0, len(s))}
	n.stems = make([]uint64, 0, 8)
	add := func(h uint64) {
		if len(n.stems) < 64 && !slices.Contains(n.stems, h) {
			n.stems = append(n.stems, h)
		}
	}
	for _, t := range n.toks {
		n.negates = n.negates || t.flags&negation != 0
		if t.stem != 0 {
			add(t.stem)
		}
	}
	if len(n.stems) == 0 {
		n.bare = true
		for _, t := range n.toks {
			add(t.word)
		}
	}
	return n
}

// in reports whether enough stems of the name are among the words.
func (n *name) in(toks []token) bool {
	need := len(n.stems)
	switch {
	case need == 0:
		return false
	case need > 3:
		need = (3*need + 4) / 5
	}
	var seen uint64
	for i := range toks {
		h := toks[i].stem
		if n.bare {
			h = toks[i].word
		}
		if h == 0 {
			continue
		}
		for j, s := range n.stems {
			if s == h {
				seen |= 1 << j
			}
		}
	}
	return bits.OnesCount64(seen) >= need
}

// owns reports whether a word of a level is one of the name's own.
func (n *name) owns(t token) bool {
	return !n.bare && t.stem != 0 && t.flags&quantity == 0 && slices.Contains(n.stems, t.stem)
}

// phrase finds the first place where the name stands word by word.
func (n *name) phrase(toks []token) (from, to int) {
	for i := 0; i+len(n.toks) <= len(toks); i++ {
		j := 0
		for j < len(n.toks) && toks[i+j].word == n.toks[j].word {
			j++
		}
		if j == len(n.toks) {
			return i, i + j
		}
	}
	return 0, 0
}

// A found sentence belongs to the window of a criterion. The words from:to of it
// are the name.
type found struct {
	sentence
	from, to int
}

// window returns the sentences about the criterion.
func (r *reading) window(n *name) []found {
	var w []found
	for _, s := range r.sentences {
		if !n.in(s.toks) {
			continue
		}
		f := found{sentence: s}
		f.from, f.to = n.phrase(s.toks)
		if n.negates && f.from < f.to {
			f.toks = slices.Clone(s.toks)
			markNegated(f.toks, f.from, f.to)
		}
		w = append(w, f)
	}
	return w
}

// key is the hash under which a word counts as overlap.
func key(t token) uint64 {
	if t.flags&negated != 0 {
		return t.word ^ negatedKey
	}
	return t.word
}

// An entry is a word of a level that may overlap with the window.
type entry struct {
	key   uint64
	level int
}

// unit is the weight of a word that one level has: 1/n of it is whole for any
// number n up to 16, so that equal sums are equal.
const unit = 720720

// entries lists the words of the levels that count, in order of key and level.
func entries(levels []string, n *name) []entry {
	list := make([]entry, 0, 8*len(levels))
	var space [24]token
	for i, text := range levels {
		toks := appendTokens(space[:0], text, 0, len(text))
		content := slices.ContainsFunc(toks, func(t token) bool { return t.flags&(function|number) == 0 })
		for _, t := range toks {
			if t.flags&number != 0 || content && t.flags&function != 0 || n.owns(t) {
				continue
			}
			list = append(list, entry{key(t), i})
		}
	}
	slices.SortFunc(list, func(a, b entry) int {
		if c := cmp.Compare(a.key, b.key); c != 0 {
			return c
		}
		return cmp.Compare(a.level, b.level)
	})
	return slices.Compact(list)
}

// level returns the index of the level with the largest overlap with the window,
// and whether any word overlaps.
func level(w []found, list []entry, levels int) (best int, any bool) {
	var space [64]uint64
	words := space[:0]
	for _, f := range w {
		for i, t := range f.toks {
			if (i < f.from || i >= f.to) && t.flags&number == 0 {
				words = append(words, key(t))
			}
		}
	}
	slices.Sort(words)
	words = slices.Compact(words)
	var few [8]int
	sums := few[:min(levels, len(few))]
	if levels > len(few) {
		sums = make([]int, levels)
	}
	for i, j := 0, 0; i < len(list); {
		end := i + 1
		for end < len(list) && list[end].key == list[i].key {
			end++
		}
		for j < len(words) && words[j] < list[i].key {
			j++
		}
		if j < len(words) && words[j] == list[i].key {
			any = true
			for _, e := range list[i:end] {
				sums[e.level] += unit / (end - i)
			}
		}
		i = end
	}
	off := func(i int) int { return max(2*i-(levels-1), levels-1-2*i) }
	for i := range sums {
		if sums[i] > sums[best] || sums[i] == sums[best] && off(i) < off(best) {
			best = i
		}
	}
	return best, any
}

// grade finds the level of a criterion, or its score.
func (r *reading) grade(c criterion) verdict {
	n := readName(c.name)
	w := r.window(&n)
	if c.quality {
		amount, at := 1, 0
		if len(w) > 0 {
			if amount, at = ladderIn(w); amount == 0 {
				amount = 3
			}
		}
		value := ladderOf(c.wants)
		if value == 0 {
			value = 3
		}
		return verdict{max(1, 5-max(amount-value, value-amount)), r.reason(c.name, w, at)}
	}
	levels := c.levels
	if len(levels) == 0 {
		levels = ladder[:]
	}
	if len(w) == 0 {
		v := verdict{(len(levels) + 1) / 2, r.reason(c.name, w, 0)}
		if absence(levels[0]) {
			v.level = 1
		}
		return v
	}
	list := entries(levels, &n)
	best, _ := level(w, list, len(levels))
	at, most := 0, 0
	if len(w) > 1 {
		for i, f := range w {
			hits := 0
			for _, e := range list {
				if e.level == best && slices.ContainsFunc(f.toks, func(t token) bool { return key(t) == e.key }) {
					hits++
				}
			}
			if hits > most {
				at, most = i, hits
			}
		}
	}
	return verdict{best + 1, r.reason(c.name, w, at)}
}

// reason quotes the sentence w[at] of the window, or says that there is none.
func (r *reading) reason(name string, w []found, at int) string {
	const longest = 240
	if len(w) == 0 {
		return "No sentence on " + name + " was found."
	}
	quote := r.text[w[at].start:w[at].end]
	if short := cutRunes(quote, longest); short != quote {
		quote = short + "…"
	}
	return `The response says: "` + quote + `"`
}

// absenceWords make a level say absence. Words that do so only alone are bare.
var (
	absenceWords = hashSet("no not never none without nothing absent absence lacks missing")
	bareAbsence  = hashSet("nil zero null lacking omitted neither nowhere nobody")
)

func hashSet(words string) map[uint64]bool {
	m := make(map[uint64]bool)
	for w := range strings.FieldsSeq(words) {
		m[wordHash(w)] = true
	}
	return m
}

// absence reports whether the text of a level says that there is nothing.
func absence(text string) bool {
	var space [24]token
	toks := appendTokens(space[:0], text, 0, len(text))
	for _, t := range toks {
		if absenceWords[t.word] {
			return true
		}
	}
	return len(toks) == 1 && bareAbsence[toks[0].word]
}

// rungs holds the words of the ladder, by number of words and then from the
// lowest.
var rungs = func() []rung {
	var list []rung
	for i, s := range ladder {
		r := rung{amount: i + 1}
		for w := range strings.FieldsSeq(s) {
			r.words = append(r.words, wordHash(w))
		}
		list = append(list, r)
	}
	slices.SortStableFunc(list, func(a, b rung) int { return cmp.Compare(len(b.words), len(a.words)) })
	return list
}()

type rung struct {
	words  []uint64
	amount int
}

// at reports whether the rung stands at toks[i], outside skip from:to.
func (r *rung) at(toks []token, i, from, to int) bool {
	if i+len(r.words) > len(toks) || i < to && i+len(r.words) > from {
		return false
	}
	for j, h := range r.words {
		t := toks[i+j]
		if t.word != h || t.flags&negated != 0 || j > 0 && t.flags&breaks != 0 {
			return false
		}
	}
	return true
}

// ladderIn finds a phrase of the ladder in the window: the longest, of equally
// long ones the first. It returns the amount, 0 if there is none, and the index
// of the sentence.
func ladderIn(w []found) (amount, at int) {
	for n := 0; n < len(rungs); {
		end := n
		for end < len(rungs) && len(rungs[end].words) == len(rungs[n].words) {
			end++
		}
		for at, f := range w {
			for i := range f.toks {
				for k := n; k < end; k++ {
					if rungs[k].at(f.toks, i, f.from, f.to) {
						return rungs[k].amount, at
					}
				}
			}
		}
		n = end
	}
	return 0, 0
}

// ladderOf reads the amount that a phrase names, 0 if it names none.
func ladderOf(s string) int {
	var space [24]token
	toks := appendTokens(space[:0], s, 0, len(s))
	amount, _ := ladderIn([]found{{sentence: sentence{toks: toks}}})
	return amount
}

// writeString writes s as a JSON string.
func writeString(b *bytes.Buffer, s string) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes, and a buffer takes everything
	b.Truncate(b.Len() - 1)
}
