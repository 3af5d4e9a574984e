package view

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"pepbench/bench/record"
)

// What became of a session. The states exclude each other.
const (
	graded    = "graded"    // has an alignment at the final checkpoint
	undefined = "undefined" // has none
	failed    = "failed"    // could not be completed
)

func stateOf(r *record.IndexRow) string {
	switch {
	case r.Failed:
		return failed
	case math.IsNaN(r.Alignment):
		return undefined
	}
	return graded
}

// answers words IndexRow.Correct.
func answerOf(r *record.IndexRow) string {
	switch r.Correct {
	case 1:
		return "right"
	case 0:
		return "wrong"
	}
	return "unknown"
}

// A facet is something that sessions differ in and are filtered by.
type facet struct {
	Name   string `json:"name"`
	Values []tick `json:"values"` // that some session has under the other filters, or that are chosen
	More   int    `json:"more"`   // values that are left out
}

// A tick is a value with how many sessions have it that pass every other filter.
type tick struct {
	Value  string `json:"value"`
	N      int    `json:"n"`
	Chosen bool   `json:"chosen,omitempty"`
}

// mostTicks is how many values of a facet are sent; those that are chosen always are.
const mostTicks = 300

// facetNames are the keys of the facets in a query, in the order of the page.
var facetNames = []string{"strategy", "task", "user", "seed", "stop", "state", "answer"}

// A filter says which sessions are wanted, in which order, and which page of them.
type filter struct {
	chosen        map[string][]string // by facet; none: all
	from, to      float64             // of alignment, both included
	ranged        bool
	words         []string // parts of an id, lower case
	sort          string
	offset, limit int
}

// mostRows bounds a page, mostWords what every id is searched for.
const (
	mostRows  = 500
	mostWords = 20
)

// parse reads a filter; the error says which part of it cannot be.
func parse(q url.Values) (*filter, error) {
	f := &filter{chosen: map[string][]string{}, from: math.Inf(-1), to: math.Inf(1), sort: cmp.Or(q.Get("sort"), "id"), limit: 100}
	for _, name := range facetNames {
		if v := q[name]; len(v) > 0 {
			f.chosen[name] = v
		}
	}
	for _, end := range []struct {
		name string
		to   *float64
	}{{"from", &f.from}, {"to", &f.to}} {
		s := q.Get(end.name)
		if s == "" {
			continue
		}
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s=%q is no number", end.name, s)
		}
		*end.to, f.ranged = v, true
	}
	f.words = strings.Fields(strings.ToLower(q.Get("q")))
	if n := len(f.words); n > mostWords {
		return nil, fmt.Errorf("q has %d words, %d at most are searched for", n, mostWords)
	}
	for _, n := range []struct {
		name string
		to   *int
		most int
	}{{"offset", &f.offset, math.MaxInt32}, {"limit", &f.limit, mostRows}} {
		s := q.Get(n.name)
		if s == "" {
			continue
		}
		v, err := strconv.Atoi(s)
		if err != nil || v < 0 || v > n.most {
			return nil, fmt.Errorf("%s=%q is no number from 0 to %d", n.name, s, n.most)
		}
		*n.to = v
	}
	return f, nil
}

// matches is what a filter leaves.
type matches struct {
	rows   []int32 // in order
	facets []facet
	bins   [bins]int // of alignment, graded ones that match
}

// bins are the parts of the histogram, each 5 points of alignment wide, the last one with
// 100 in it.
const bins = 20

// match goes over all sessions once.
func (s *sessions) match(f *filter) (*matches, error) {
	order, ok := s.order(f.sort)
	if !ok {
		return nil, fmt.Errorf("sort=%q is not id, alignment or questions", f.sort)
	}
	states, answers := []string{graded, undefined, failed}, []string{"right", "wrong", "unknown"}
	seeds, seedAt := s.seeds()
	names := [][]string{s.Strategies, s.Tasks, s.Users, seeds, s.Stops, states, answers}
	var wanted [7][]bool // nil: all
	for k, name := range facetNames {
		if chosen := f.chosen[name]; chosen != nil {
			has := setOf(chosen)
			wanted[k] = make([]bool, len(names[k]))
			for i, v := range names[k] {
				wanted[k][i] = has[v]
			}
		}
	}
	var counts [7][]int
	for k := range counts {
		counts[k] = make([]int, len(names[k]))
	}
	out := &matches{rows: make([]int32, 0, len(order))}
	var id []byte
	for _, i := range order {
		r := &s.Rows[i]
		st := stateOf(r)
		if f.ranged && (st != graded || r.Alignment < f.from || r.Alignment > f.to) {
			continue
		}
		if len(f.words) > 0 {
			id = lower(s.AppendID(id[:0], int(i)))
			if !holds(id, f.words) {
				continue
			}
		}
		at := [7]int{int(r.Strategy), int(r.Task), int(r.User), seedAt[r.Seed], int(r.Stop), slices.Index(states, st), int(1-r.Correct) % 3}
		misses, miss := 0, 0
		for k, n := range at {
			if wanted[k] != nil && !wanted[k][n] {
				misses++
				miss = k
			}
		}
		switch misses {
		case 0:
			for k, n := range at {
				counts[k][n]++
			}
			out.rows = append(out.rows, i)
			if st == graded {
				out.bins[min(max(int(r.Alignment/(100/bins)), 0), bins-1)]++
			}
		case 1: // a facet counts what its own filter leaves out
			counts[miss][at[miss]]++
		}
	}
	for k, name := range facetNames {
		fc := facet{Name: name, Values: []tick{}}
		others := setOf(f.chosen[name]) // that no session has
		for i, v := range names[k] {
			t := tick{v, counts[k][i], others[v]}
			delete(others, v)
			switch {
			case t.N == 0 && !t.Chosen:
			case len(fc.Values) >= mostTicks && !t.Chosen:
				fc.More++
			default:
				fc.Values = append(fc.Values, t)
			}
		}
		for _, v := range slices.Sorted(maps.Keys(others)) { // of a link to other sessions
			fc.Values = append(fc.Values, tick{v, 0, true})
		}
		out.facets = append(out.facets, fc)
	}
	return out, nil
}

// setOf is a list, to look many names up in: an address may list thousands, and so may a run.
func setOf(list []string) map[string]bool {
	out := make(map[string]bool, len(list))
	for _, v := range list {
		out[v] = true
	}
	return out
}

// holds reports whether all of the words are in an id.
func holds(id []byte, words []string) bool {
	for _, w := range words {
		if !bytes.Contains(id, []byte(w)) {
			return false
		}
	}
	return true
}

// lower turns letters small, in place if they are all ASCII.
func lower(b []byte) []byte {
	for i, c := range b {
		switch {
		case c >= 0x80:
			return bytes.ToLower(b)
		case c >= 'A' && c <= 'Z':
			b[i] = c + 'a' - 'A'
		}
	}
	return b
}

// seeds gives the seeds in order, as text, and the place of each.
func (s *sessions) seeds() ([]string, map[int32]int) {
	at := map[int32]int{}
	var all []int32
	last := int32(math.MinInt32)
	for i := range s.Rows {
		v := s.Rows[i].Seed
		if v == last && i > 0 {
			continue
		}
		last = v
		if _, ok := at[v]; !ok {
			at[v] = 0
			all = append(all, v)
		}
	}
	slices.Sort(all)
	out := make([]string, len(all))
	for i, v := range all {
		at[v] = i
		out[i] = strconv.Itoa(int(v))
	}
	return out, at
}

// listed is a session in a list.
type listed struct {
	ID        string       `json:"id"`
	Strategy  string       `json:"strategy"`
	Seed      int          `json:"seed"`
	Task      string       `json:"task"`
	User      string       `json:"user"`
	Questions int          `json:"questions"`
	Alignment record.Float `json:"alignment"` // at the final checkpoint; null: undefined, or failed
	Answer    string       `json:"answer"`
	Stop      string       `json:"stop"`
	State     string       `json:"state"`
}

func (s *sessions) listed(row int) listed {
	r := &s.Rows[row]
	l := listed{
		ID: s.ID(row), Strategy: s.Strategies[r.Strategy], Seed: int(r.Seed), Task: s.Tasks[r.Task], User: s.Users[r.User],
		Questions: int(r.Questions), Alignment: record.Float(r.Alignment), Answer: answerOf(r), Stop: s.Stops[r.Stop], State: stateOf(r),
	}
	if l.State != graded {
		l.Alignment = record.Float(math.NaN())
	}
	return l
}

// siblings are the rows of the same task, user and seed, by strategy.
func (s *sessions) siblings(row int) []int {
	of := &s.Rows[row]
	var out []int
	for i := range s.Rows {
		if r := &s.Rows[i]; r.Task == of.Task && r.User == of.User && r.Seed == of.Seed {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(a, b int) int { return cmp.Compare(s.Rows[a].Strategy, s.Rows[b].Strategy) })
	return out
}

// A paired is a session that two runs have.
type paired struct {
	ID       string       `json:"id"`
	Strategy string       `json:"strategy"`
	A        record.Float `json:"a"`
	B        record.Float `json:"b"`
	Diff     record.Float `json:"diff"` // b - a; null where one is undefined or failed
	StateA   string       `json:"state_a"`
	StateB   string       `json:"state_b"`
}

// A tally counts the pairs of a strategy by what the second run made of them.
type tally struct {
	Strategy  string `json:"strategy"`
	Pairs     int    `json:"pairs"`
	Higher    int    `json:"higher"`
	Same      int    `json:"same"`
	Lower     int    `json:"lower"`
	Undefined int    `json:"undefined"` // one of the two has no alignment
	Only      [2]int `json:"only"`      // ids that one run has alone
}

// compared is two runs side by side.
type compared struct {
	Matched int      `json:"matched"`
	Total   int      `json:"total"` // matched ones that pass the filter
	OnlyA   int      `json:"only_a"`
	OnlyB   int      `json:"only_b"`
	Tallies []tally  `json:"tallies"`
	Rows    []paired `json:"rows"`
}

// equalWithin is the difference in alignment under which two sessions fared alike: what
// six decimals of a raw score can hide.
const equalWithin = 1e-4

// compare pairs the sessions of two runs by id. The filter's strategies and words choose
// among the pairs; sort is change (largest difference first), diff, -diff or id.
func compare(a, b *sessions, f *filter, by string) (*compared, error) {
	a.sorted()
	b.sorted()
	if !slices.Contains([]string{"change", "diff", "-diff", "id"}, by) {
		return nil, fmt.Errorf("sort=%q is not change, diff or id", by)
	}
	out := &compared{Rows: []paired{}}
	tallies := map[string]*tally{}
	of := func(s *sessions, row int32) *tally {
		name := s.Strategies[s.Rows[row].Strategy]
		if tallies[name] == nil {
			tallies[name] = &tally{Strategy: name}
		}
		return tallies[name]
	}
	type pair struct {
		a, b int32
		diff float64
	}
	var pairs []pair
	left, right := a.byID, b.byID
	chosen := setOf(f.chosen["strategy"])
	var ida, idb []byte
	for len(left) > 0 || len(right) > 0 {
		c := 0
		switch {
		case len(left) == 0:
			c = 1
		case len(right) == 0:
			c = -1
		default:
			ida, idb = a.AppendID(ida[:0], int(left[0])), b.AppendID(idb[:0], int(right[0]))
			c = bytes.Compare(ida, idb)
		}
		switch {
		case c < 0:
			of(a, left[0]).Only[0]++
			out.OnlyA++
			left = left[1:]
		case c > 0:
			of(b, right[0]).Only[1]++
			out.OnlyB++
			right = right[1:]
		default:
			ra, rb := &a.Rows[left[0]], &b.Rows[right[0]]
			out.Matched++
			p := pair{left[0], right[0], math.NaN()}
			t := of(a, left[0])
			t.Pairs++
			if stateOf(ra) == graded && stateOf(rb) == graded {
				p.diff = rb.Alignment - ra.Alignment
			}
			switch {
			case math.IsNaN(p.diff):
				t.Undefined++
			case math.Abs(p.diff) <= equalWithin:
				p.diff = 0
				t.Same++
			case p.diff > 0:
				t.Higher++
			default:
				t.Lower++
			}
			if (len(chosen) == 0 || chosen[t.Strategy]) && (len(f.words) == 0 || holds(lower(slices.Clone(ida)), f.words)) {
				pairs = append(pairs, p)
			}
			left, right = left[1:], right[1:]
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tallies)) {
		out.Tallies = append(out.Tallies, *tallies[name])
	}
	size := func(p pair) float64 { // larger comes first
		switch by {
		case "diff":
			return -p.diff
		case "-diff":
			return p.diff
		}
		return math.Abs(p.diff)
	}
	if by != "id" { // in which they are
		slices.SortStableFunc(pairs, func(p, q pair) int {
			x, y := size(p), size(q)
			if nx, ny := math.IsNaN(x), math.IsNaN(y); nx || ny {
				return bit(nx) - bit(ny)
			}
			return cmp.Compare(y, x)
		})
	}
	out.Total = len(pairs)
	from := min(f.offset, len(pairs))
	for _, p := range pairs[from:min(from+f.limit, len(pairs))] {
		l, r := a.listed(int(p.a)), b.listed(int(p.b))
		out.Rows = append(out.Rows, paired{l.ID, l.Strategy, l.Alignment, r.Alignment, record.Float(p.diff), l.State, r.State})
	}
	return out, nil
}
