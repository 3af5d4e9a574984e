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
	for _, rows := range ordered(m) {
		for _, r := range rows {
			adapt, norm, f1 := g.adaptivity(r), g.normalised(m, r), g.estimate(r.predicted().at(tableK).F1, "%.2f", "")
			if r.Adaptivity.Value.Defined() {
				adapt.value = num(r.Adaptivity.Value, "%.2f")
			}
			diff := g.difference(m, r)
			diff.interval = ""
			lines = append(lines, []string{
				r.Name, g.estimate(r.final().Estimate, "%.1f", "").text(), norm.value, g.asked(r).value,
				g.toTarget(m, r).text(), adapt.value, f1.value, diff.text(),
			})
		}
		breaks[len(lines)] = true
	}
	size := make([]int, len(head))
	for _, l := range lines {
		for i, s := range l {
			size[i] = max(size[i], utf8.RuneCountInString(s))
		}
	}
	rest := 2 * (len(head) - 1)
	for _, n := range size[1:] {
		rest += n
	}
	size[0] = min(size[0], max(width-rest, 8))
	total := size[0] + rest
	var b strings.Builder
	for _, s := range []string{
		fmt.Sprintf("%s: %s, at most %d %s", m.Name, describe(m), m.Final, plural(m.Final, "question")),
		notice(m),
	} {
		if s != "" {
			b.WriteString(cut(s, width) + "\n")
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
	b.WriteString(strings.TrimSuffix(intervalNote(m, "[lo, hi]"), "."))
	if m.Target.Strategy != "" && m.Target.Alignment.Value.Defined() {
		b.WriteString(cut(fmt.Sprintf("; target %s: %s", num(m.Target.Alignment.Value, "%.1f"), m.Target.Strategy), 34))
	}
	b.WriteString("; ~: unresolved\n")
	return b.String()
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

// cut shortens to n characters by dropping the end.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:max(n-3, 0)]) + "..."
	}
	return s
}
