package reports

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// terminal writes the headline measures in at most width columns.
func terminal(m *Metrics, width int) string {
	g := &grid{}
	head := []string{"strategy", "alignment", "norm", "asked", "to target", "adapt", "F1@5", "vs reference"}
	lines := [][]string{head}
	breaks := map[int]bool{1: true}
	for _, rows := range blocks(m) {
		for _, r := range rows {
			adapt, norm, f1 := g.adaptivity(r), g.normalised(m, r), g.estimate(r.predicted().at(tableK).F1, "%.2f", "")
			if r.Adaptivity.Value.Defined() {
				adapt.value = num(r.Adaptivity.Value, "%.2f")
			}
			diff := g.difference(m, r)
			diff.interval = ""
			lines = append(lines, []string{
				m.marked(r, r.Name), g.estimate(r.final().Estimate, "%.1f", "").text(), norm.value, g.asked(r).value,
				g.toTarget(m, r).text(), adapt.value, f1.value, diff.text(),
			})
		}
		breaks[len(lines)] = true
	}
	size := widths(lines)
	rest := 2 * (len(head) - 1)
	for _, n := range size[1:] {
		rest += n
	}
	room := max(width-rest, 8)
	var shortened []string
	if size[0] > room {
		short, i := labels(m), 1
		for _, rows := range blocks(m) {
			for _, r := range rows {
				lines[i][0] = m.marked(r, short[r.Name])
				i++
			}
		}
		shortened = append(shortened, "names without what they predict from, where it is one thing")
		if size[0] = widths(lines)[0]; size[0] > room {
			size[0] = room
			shortened = append(shortened, "... in the middle of a name: whole in tables/main.md")
		}
	}
	total := size[0] + rest
	var b strings.Builder
	for _, s := range []string{
		fmt.Sprintf("%s: %s, at most %d %s", m.Name, describe(m), m.Final, plural(m.Final, "question")),
		notice(m),
	} {
		if s != "" {
			b.WriteString(fold(s, width))
		}
	}
	for i, l := range lines {
		if breaks[i] {
			b.WriteString(strings.Repeat("-", min(total, width)) + "\n")
		}
		for j, s := range l {
			if j == 0 {
				b.WriteString(pad(elide(s, size[0]), -size[0]))
				continue
			}
			b.WriteString("  " + pad(s, size[j]))
		}
		b.WriteString("\n")
	}
	notes := []string{strings.TrimSuffix(intervalNote(m, "[lo, hi]"), ".")}
	if m.Target.Strategy != "" && m.Target.Alignment.Value.Defined() {
		notes = append(notes, fmt.Sprintf("target %s: %s", num(m.Target.Alignment.Value, "%.1f"), m.Target.Strategy))
	}
	notes = append(append(notes, "~: unresolved"), shortened...)
	b.WriteString(fold(strings.Join(notes, "; "), width))
	for _, s := range append(aboutJudge(m), unread(m), m.remarks(m.rows())) {
		if s != "" {
			b.WriteString(fold(s, width))
		}
	}
	return b.String()
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
