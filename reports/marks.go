package reports

import (
	"fmt"
	"slices"
	"strings"
)

// stars are the marks of a difference by its p-value, the smallest first.
var stars = []struct {
	below Number
	mark  string
}{{.001, "***"}, {.01, "**"}, {.05, "*"}}

// unresolved marks a difference that is not told from 0.
const unresolved = "~"

// mark says how surely a difference is one: ~ where it is not resolved, else stars by p,
// which within the family is the corrected one.
func (d *difference) mark() string {
	if !d.Resolved {
		return unresolved
	}
	if p := d.p(); p.Defined() {
		for _, s := range stars {
			if p < s.below {
				return s.mark
			}
		}
	}
	return ""
}

// p is the p-value that counts: corrected for the family within it, else raw; undefined
// without a test.
func (d *difference) p() Number {
	switch t := d.Test; {
	case t == nil:
		return undefined()
	case t.Family > 0:
		return t.Holm
	default:
		return t.P
	}
}

// pWords shows a p-value: p=.34, p=.012, p<.001; nothing where there is none.
func pWords(p Number) string {
	switch {
	case !p.Defined():
		return ""
	case p < .001:
		return "p<.001"
	case p < .0995:
		return "p=" + strings.TrimPrefix(num(p, "%.3f"), "0")
	}
	return "p=" + strings.TrimPrefix(num(p, "%.2f"), "0")
}

// shownDifferences are the differences that a table shows, with what is said of them below it.
type shownDifferences struct {
	m     *Metrics
	list  []shownDifference
	over  string // clusters in words; empty: those of m
	apart string // where families are, if there are several
	alone bool   // brackets are over clusters alone, as p is, though those of means are over users, too
}

type shownDifference struct {
	*difference
	of     string // whose it is; empty where it need not be said
	points bool   // in alignment: how small a one could be found is said of these
}

func (s *shownDifferences) add(of string, d *difference, points bool) {
	if d != nil && d.Value.Defined() {
		s.list = append(s.list, shownDifference{difference: d, of: of, points: points})
	}
}

// tested reports whether any of them was put to a test.
func (s *shownDifferences) tested() bool {
	return slices.ContainsFunc(s.list, func(d shownDifference) bool { return d.Test != nil })
}

// legend says what ~ stands for where no difference was put to a test.
func (s *shownDifferences) legend() string {
	if s.tested() {
		return ""
	}
	return fmt.Sprintf(" ~ where the interval contains 0 or rests on fewer than %d %ss. Not corrected for the number of comparisons.", fewClusters, s.m.Cluster)
}

// foot is what stands below the table: what the marks are and how p was found, which
// comparisons are corrected for which family and which are exploratory, and how small a
// difference could have been found. Nothing where no difference was put to a test.
func (s *shownDifferences) foot() (out []string) {
	if !s.tested() {
		return nil
	}
	m, over := s.m, s.over
	if over == "" {
		over = number(clusters(m), clusters(m), m.Cluster)
	}
	var methods []string
	family, least, untested := 0, undefined(), false
	var inside, outside []string
	count := 0 // exploratory ones
	for _, d := range s.list {
		t := d.Test
		if t == nil {
			untested = true
			continue
		}
		if !slices.Contains(methods, t.Method) {
			methods = append(methods, t.Method)
		}
		of := &outside
		if t.Family > 0 {
			family, of = t.Family, &inside
		} else {
			count++
		}
		if d.of != "" && !slices.Contains(*of, d.of) {
			*of = append(*of, d.of)
		}
		if d.points && t.MDE.Defined() && !(least <= t.MDE) {
			least = t.MDE
		}
	}
	if !slices.ContainsFunc(s.list, func(d shownDifference) bool { return d.Test != nil && d.Test.P.Defined() }) {
		return []string{fmt.Sprintf("~ not resolved: with fewer than %d %ss, or no spread between them, it cannot be told whether a difference is one, and there is no p.", fewClusters, m.Cluster)}
	}
	var how []string
	for _, w := range []struct{ method, words string }{
		{BySignFlip, "the permutation of the signs of " + m.Cluster + " means"},
		{ByT, "t of " + m.Cluster + " means, where there are 6 to 9 " + m.Cluster + "s"},
		{ByNothing, "nothing where there are fewer or no spread"},
	} {
		if slices.Contains(methods, w.method) {
			how = append(how, w.words)
		}
	}
	out = append(out, fmt.Sprintf("* p < .05, ** p < .01, *** p < .001, ~ not resolved at %g%%; two-sided, paired, by %s.", 100*m.Confidence, strings.Join(how, ", by ")))
	switch {
	case m.Intervals != OverBoth:
	case s.alone:
		out = append(out, fmt.Sprintf("p and the brackets of differences are over %ss alone, and say nothing of other users.", m.Cluster))
	default:
		out = append(out, fmt.Sprintf("p is over %ss alone and brackets are over users, too: where one says that a difference is there and the other does not, it is not resolved.", m.Cluster))
	}
	switch {
	case family == 0:
		out = append(out, fmt.Sprintf("All of them are exploratory: p of %d %s is raw, not corrected for their number.", count, plural(count, "comparison")))
	default:
		what := fmt.Sprintf("Corrected by Holm for a family of %d", family)
		if m.Reference != "" {
			what += fmt.Sprintf(": the %s against %s, in alignment after %d %s", strategies(family), m.Reference, m.Final, plural(m.Final, "question"))
		}
		if s.apart != "" {
			what += ", " + s.apart
		}
		out = append(out, what+".")
		switch {
		case count == 0:
		case len(outside) > 0:
			out = append(out, fmt.Sprintf("Exploratory, with raw p, not corrected: %s.", series(outside)))
		default:
			out = append(out, fmt.Sprintf("The other %d are exploratory: their p is raw, not corrected for their number.", count))
		}
	}
	if least.Defined() {
		out = append(out, fmt.Sprintf("A true difference in alignment below %s would be missed by more than one in five runs over %s (the smallest minimum detectable effect at 80%% power, without a correction).", num(least, "%.1f"), over))
	}
	if untested {
		out = append(out, "What has no p was not tested.")
	}
	return out
}

// short is the foot in the terminal: what the marks are, over how many strategies p is
// corrected, of which it is raw, and how small a difference could be found.
func (s *shownDifferences) short() string {
	if !s.tested() {
		return unresolved + ": unresolved"
	}
	var raw []string
	family, least, n, some := 0, undefined(), 0, false
	for _, d := range s.list {
		n = max(n, d.Clusters)
		t := d.Test
		if t == nil {
			continue
		}
		some = some || t.P.Defined()
		switch {
		case t.Family > 0:
			family = t.Family
		case t.P.Defined():
			raw = append(raw, d.of)
		}
		if d.points && t.MDE.Defined() && !(least <= t.MDE) {
			least = t.MDE
		}
	}
	if !some {
		return fmt.Sprintf("%s: unresolved (under %d %ss, or without spread, nothing can be told)", unresolved, fewClusters, s.m.Cluster)
	}
	out := "* p<.05, ** p<.01, *** p<.001, ~ unresolved"
	if s.m.Intervals == OverBoth { // so that a small p may stand beside a ~
		out += " by p or by the interval"
	}
	switch {
	case family > 0 && raw != nil:
		out += fmt.Sprintf("; p: Holm over %d %s, n=%d %ss (%s: raw)", family, strategies(family), n, s.m.Cluster, series(raw))
	case family > 0:
		out += fmt.Sprintf("; p: Holm over %d %s, n=%d %ss", family, strategies(family), n, s.m.Cluster)
	default:
		out += fmt.Sprintf("; p: raw, n=%d %ss", n, s.m.Cluster)
	}
	if least.Defined() {
		out += fmt.Sprintf("; 80%% power from %s on", num(least, "%.1f"))
	}
	return out
}

func strategies(n int) string {
	if n == 1 {
		return "strategy"
	}
	return "strategies"
}

// significance are the differences of the rows to the reference. How small a one could be
// found is said of strategies, not of floors and ceilings.
func significance(m *Metrics) *shownDifferences {
	s := &shownDifferences{m: m}
	for _, rows := range ordered(m) {
		for _, r := range rows {
			s.add(r.Name, r.Difference, !r.fixed())
		}
	}
	return s
}

// test adds the lines about the test of a difference.
func (t *tidy) test(measure string, questions int, d *difference) {
	if d.Test == nil {
		return
	}
	none := undefined()
	for _, of := range []struct {
		what  string
		value Number
	}{
		{"p", d.Test.P},
		{"p_holm", d.Test.Holm},
		{"mde", d.Test.MDE},
		{"needed", neededNumber(d.Test)},
	} {
		t.add(measure+"_"+of.what, questions, of.value, none, none, int64(d.N), d.Undefined, d.Clusters)
	}
}

// neededNumber is test.Needed, undefined where it is not known.
func neededNumber(t *test) Number {
	if t.Needed == 0 {
		return undefined()
	}
	return Number(t.Needed)
}

// testColumns head the columns of a CSV file about the test of a difference.
var testColumns = []string{"method", "p", "p_holm", "family", "mde", "needed", "mark"}

// columns are the values of testColumns.
func (d *difference) columns() []string {
	mark := ""
	if d.Value.Defined() {
		mark = d.mark()
	}
	t := d.Test
	if t == nil {
		return []string{"", "", "", "", "", "", mark}
	}
	return []string{t.Method, raw(t.P), raw(t.Holm), fmt.Sprint(t.Family), raw(t.MDE), raw(neededNumber(t)), mark}
}
