package reports

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A terminalColumn is a column of the terminal's table. Of those that have one, the lowest
// rank is the first to go where the table is too wide.
type terminalColumn struct {
	head string
	rank int
}

// terminalColumns are all of them but the name of the strategy and what it is against the
// reference.
var terminalColumns = []terminalColumn{{"alignment", 0}, {"norm", 1}, {"asked", 3}, {"to target", 5}, {"adapt", 4}, {"F1@5", 2}}

// terminal writes the headline measures in at most width columns: what does not fit is
// left out, the p-values first, then columns by rank, and in the end the middle of names.
func terminal(m *Metrics, width int) string {
	g := &grid{}
	shown := significance(m)
	lines := [][]string{{"strategy"}}
	for _, c := range terminalColumns {
		lines[0] = append(lines[0], c.head)
	}
	breaks := map[int]bool{1: true}
	var versus []cell
	for _, rows := range blocks(m) {
		for _, r := range rows {
			adapt, norm, f1 := g.adaptivity(r), g.normalised(m, r), g.estimate(r.predicted().at(tableK).F1, "%.2f", "")
			if r.Adaptivity.Value.Defined() {
				adapt.value = num(r.Adaptivity.Value, "%.2f")
			}
			versus = append(versus, g.difference(m, r))
			lines = append(lines, []string{
				m.marked(r, r.Name), g.estimate(r.final().Estimate, "%.1f", "").text(), norm.value, g.asked(r).value,
				g.toTarget(m, r).text(), adapt.value, f1.value,
			})
		}
		breaks[len(lines)] = true
	}
	// The difference to the reference is last, its parts below each other.
	last := func(withP bool) []string { return versusColumn(versus, withP) }
	var dropped, shortened []string
	withP := shown.tested()
	columns := make([]int, len(terminalColumns))
	for i := range columns {
		columns[i] = i + 1
	}
	var size []int
	total := func() int {
		size = widths(lines)
		n := size[0] + 2 + slices.Max(lengths(last(withP)))
		for _, i := range columns {
			n += 2 + size[i]
		}
		return n
	}
	if total() > width {
		short, i := labels(m), 1
		changed := false
		for _, rows := range blocks(m) {
			for _, r := range rows {
				name := m.marked(r, short[r.Name])
				changed = changed || name != lines[i][0]
				lines[i][0] = name
				i++
			}
		}
		if changed {
			shortened = append(shortened, "names without what they predict from, where it is one thing")
		}
	}
	if total() > width && withP {
		withP = false
		dropped = append(dropped, "p")
	}
	for rank := 1; total() > width && rank <= 5; rank++ {
		columns = slices.DeleteFunc(columns, func(i int) bool {
			c := terminalColumns[i-1]
			if c.rank == rank {
				dropped = append(dropped, c.head)
			}
			return c.rank == rank
		})
	}
	if over := total() - width; over > 0 {
		size[0] = max(size[0]-over, 8)
		shortened = append(shortened, "... in the middle of a name: whole in tables/main.md")
	}
	if dropped != nil {
		shortened = append(shortened, "for want of width without "+series(dropped)+": in tables/main.md")
	}
	var b strings.Builder
	for _, s := range []string{
		fmt.Sprintf("%s: %s, at most %d %s", m.Name, describe(m), m.Final, plural(m.Final, "question")),
		notice(m),
	} {
		if s != "" {
			b.WriteString(fold(s, width))
		}
	}
	tail := last(withP)
	long := size[0] + 2 + slices.Max(lengths(tail))
	for _, i := range columns {
		long += 2 + size[i]
	}
	for i, l := range lines {
		if breaks[i] {
			b.WriteString(strings.Repeat("-", min(long, width)) + "\n")
		}
		line := pad(elide(l[0], size[0]), -size[0])
		for _, j := range columns {
			line += "  " + pad(l[j], size[j])
		}
		b.WriteString(strings.TrimRight(line+"  "+tail[i], " ") + "\n")
	}
	notes := []string{strings.TrimSuffix(intervalNote(m, "[lo, hi]"), ".")}
	if m.Target.Strategy != "" && m.Target.Alignment.Value.Defined() {
		notes = append(notes, fmt.Sprintf("target %s: %s", num(m.Target.Alignment.Value, "%.1f"), m.Target.Strategy))
	}
	notes = append(append(notes, shown.short()), shortened...)
	b.WriteString(fold(strings.Join(notes, "; "), width))
	for _, s := range append(aboutJudge(m), unread(m), m.remarks(m.rows())) {
		if s != "" {
			b.WriteString(fold(s, width))
		}
	}
	return b.String()
}

// versusColumn sets the differences to the reference below each other, under their heading:
// numbers to the right, marks and p-values to the left. All are of one width.
func versusColumn(cells []cell, withP bool) []string {
	value, mark, p := 0, 0, 0
	for _, c := range cells {
		if c.value == isReference {
			continue
		}
		value, mark = max(value, utf8.RuneCountInString(c.value)), max(mark, utf8.RuneCountInString(c.mark))
		if withP {
			p = max(p, utf8.RuneCountInString(c.p))
		}
	}
	const head = "vs reference"
	out := []string{head}
	for _, c := range cells {
		if c.value == isReference {
			out = append(out, c.value)
			continue
		}
		s := pad(c.value, value)
		if mark > 0 {
			s += " " + pad(c.mark, -mark)
		}
		if p > 0 {
			s += " " + pad(c.p, -p)
		}
		out = append(out, s)
	}
	n := slices.Max(lengths(out))
	for i := range out {
		out[i] = pad(out[i], n)
	}
	return out
}

func lengths(list []string) []int {
	out := make([]int, len(list))
	for i, s := range list {
		out[i] = utf8.RuneCountInString(s)
	}
	return out
}

// widths gives the width of every column.
func widths(lines [][]string) []int {
	size := make([]int, len(lines[0]))
	for _, l := range lines {
		for i, s := range l {
			size[i] = max(size[i], utf8.RuneCountInString(s))
		}
	}
	return size
}

func clusters(m *Metrics) int {
	if m.Cluster == "user" {
		return m.Users
	}
	return m.Tasks
}

// pad fills with blanks, on the right when n is negative.
func pad(s string, n int) string {
	if n < 0 {
		return s + strings.Repeat(" ", max(-n-utf8.RuneCountInString(s), 0))
	}
	return strings.Repeat(" ", max(n-utf8.RuneCountInString(s), 0)) + s
}

// elide shortens to n characters by taking out the middle.
func elide(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	keep := max(n-3, 2)
	return string(r[:keep-keep/2]) + "..." + string(r[len(r)-keep/2:])
}

// fold breaks s at blanks into lines of at most n characters; a longer word loses its
// middle.
func fold(s string, n int) string {
	var b strings.Builder
	used := 0
	for _, word := range strings.Fields(s) {
		word = elide(word, n)
		w := utf8.RuneCountInString(word)
		switch {
		case used == 0:
		case used+1+w > n:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += w
	}
	b.WriteByte('\n')
	return b.String()
}
