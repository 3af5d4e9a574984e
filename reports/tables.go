package reports

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A File is a file of the report, its path relative to the run directory.
type File struct {
	Path string
	Data []byte
}

// Tables makes the paper tables: main (one row a strategy, the headline measures
// at the final checkpoint) and profile (profile prediction there), each as
// Markdown, as tidy CSV (one line a number, with the whole curve over questions)
// and as a LaTeX float that needs the booktabs package.
func Tables(m *Metrics) ([]File, error) {
	var out []File
	for _, t := range []struct {
		*grid
		tidy [][]string
	}{{mainTable(m), mainCSV(m)}, {profileTable(m), profileCSV(m)}} {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		if err := w.WriteAll(t.tidy); err != nil {
			return nil, err
		}
		out = append(out,
			File{"tables/" + t.name + ".md", t.markdown()},
			File{"tables/" + t.name + ".csv", b.Bytes()},
			File{"tables/" + t.name + ".tex", t.latex()})
	}
	return out, nil
}

// A grid is a table that is not yet in any format.
type grid struct {
	name    string
	caption string
	head    []string
	groups  [][][]cell // rows, with a rule between groups
	notes   []string
}

// A cell is a value with its interval, or a dash with the note that says why.
type cell struct {
	value, interval string
	mark            string // after both: ~ or nothing
	note            int    // 1-based number of a note, 0 for none
}

const dash = "–"

// none gives a dash whose note says why there is no number. Equal notes are one.
func (g *grid) none(format string, a ...any) cell {
	return cell{value: dash, note: g.note(format, a...)}
}

func (g *grid) note(format string, a ...any) int {
	text := fmt.Sprintf(format, a...)
	i := slices.Index(g.notes, text)
	if i < 0 {
		i = len(g.notes)
		g.notes = append(g.notes, text)
	}
	return i + 1
}

// letter names a note: a, b, .. z, aa, ab.
func letter(n int) string {
	s := ""
	for ; n > 0; n = (n - 1) / 26 {
		s = string(rune('a'+(n-1)%26)) + s
	}
	return s
}

// estimate is a cell with one number; without one the note says what is missing.
func (g *grid) estimate(e Estimate, format, why string) cell {
	if !e.Value.Defined() {
		return g.none("%s", why)
	}
	return cell{value: num(e.Value, format), interval: interval(e.Lo, e.Hi, format)}
}

// num formats, and gives a negative zero no sign.
func num(v Number, format string) string {
	s := fmt.Sprintf(format, float64(v))
	if strings.Trim(s, "-+0.") == "" && strings.HasPrefix(s, "-") {
		s = strings.Replace(s, "-", strings.Repeat("+", strings.Count(format, "+")), 1)
	}
	return s
}

func interval(lo, hi Number, format string) string {
	if !lo.Defined() || !hi.Defined() {
		return ""
	}
	format = strings.ReplaceAll(format, "+", "")
	return "[" + num(lo, format) + ", " + num(hi, format) + "]"
}

// ordered gives the rows as tables and figures show them: floors, then the others
// by how they ask, in manifest order, then ceilings.
func ordered(m *Metrics) (groups [][]*Row) {
	var floor, ceiling []*Row
	var base []string
	by := map[string][]*Row{}
	for i := range m.Strategies {
		r := &m.Strategies[i]
		switch r.Kind {
		case kindFloor:
			floor = append(floor, r)
		case kindCeiling:
			ceiling = append(ceiling, r)
		default:
			if by[r.Base] == nil {
				base = append(base, r.Base)
			}
			by[r.Base] = append(by[r.Base], r)
		}
	}
	groups = append(groups, floor)
	for _, b := range base {
		rows := by[b]
		slices.SortStableFunc(rows, func(a, b *Row) int { return predictOrder(a) - predictOrder(b) })
		groups = append(groups, rows)
	}
	groups = append(groups, ceiling)
	return slices.DeleteFunc(groups, func(g []*Row) bool { return len(g) == 0 })
}

func predictOrder(r *Row) int {
	if r.Predict == "answers" {
		return 0
	}
	return 1
}

// unknownWhy says why an alignment is missing.
func unknownWhy(r *Row) string {
	switch a := r.final(); {
	case r.Sessions == 0 && r.finalFailures > 0:
		return fmt.Sprintf("all %d sessions failed", r.finalFailures)
	case r.Sessions == 0:
		return "no sessions"
	case len(a.Reasons) > 0:
		return fmt.Sprintf("none of %d sessions could be graded (%s)", r.Sessions, a.Reasons[0].What)
	}
	return "undefined"
}

func mainTable(m *Metrics) *grid {
	g := &grid{name: "main"}
	g.head = []string{
		"Strategy", "Predicts from", "Alignment", "Normalised", "Questions", "Questions to target",
		"Never / at 0 (%)", "Adaptivity", "Pairs", "F1@5", "Unscored", "Difference",
	}
	for _, rows := range ordered(m) {
		var group [][]cell
		for _, r := range rows {
			group = append(group, []cell{
				{value: r.Name},
				{value: r.Predict},
				g.estimate(r.final().Estimate, "%.1f", unknownWhy(r)),
				g.normalised(m, r),
				g.asked(r),
				g.toTarget(m, r),
				g.never(m, r),
				g.adaptivity(r),
				{value: strconv.FormatInt(r.Adaptivity.Pairs, 10)},
				g.estimate(r.predicted().at(tableK).F1, "%.3f", "no session with a completed dialogue and a held criterion"),
				g.unscored(r),
				g.difference(m, r),
			})
		}
		g.groups = append(g.groups, group)
	}
	g.caption = caption(m, fmt.Sprintf("Main results on %s", describe(m))) + mainLegend(m)
	return g
}

func (g *grid) normalised(m *Metrics, r *Row) cell {
	e := r.final().Normalised
	if e.Value.Defined() {
		return g.estimate(e, "%.1f", "")
	}
	switch {
	case m.Floor == "" || m.Ceiling == "":
		return g.none("not normalised: the run has no %s", strings.Join(missing(m.Floor == "", "floor", m.Ceiling == "", "ceiling"), " and no "))
	case e.N == 0:
		return g.none("not normalised: no session that floor and ceiling have scored too")
	}
	return g.none("not normalised: the ceiling does not exceed the floor")
}

func (g *grid) asked(r *Row) cell {
	if !r.Interactions.Value.Defined() {
		return g.none("%s", unknownWhy(r))
	}
	return cell{value: num(r.Interactions.Value, "%.2f")}
}

func (g *grid) toTarget(m *Metrics, r *Row) cell {
	t := r.ToTarget
	switch {
	case m.Target.Strategy == "":
		return g.none("the run names no target")
	case !m.Target.Alignment.Value.Defined():
		return g.none("the target, the final alignment of %s, is undefined", m.Target.Strategy)
	case r.final().N == 0:
		return g.none("%s", unknownWhy(r))
	case !t.Value.Defined() && r.fixed():
		return g.none("asks nothing and does not reach the target")
	case !t.Value.Defined():
		return g.none("the mean curve does not reach the target within %d questions", m.Horizon)
	}
	c := cell{value: num(t.Value, "%.2f")}
	switch {
	case t.Lo.Defined() && t.HiOpen:
		c.interval = fmt.Sprintf("[%s, >%d]", num(t.Lo, "%.2f"), m.Horizon)
	case t.HiOpen:
		c.interval = fmt.Sprintf("[>%d, >%d]", m.Horizon, m.Horizon)
	default:
		c.interval = interval(t.Lo, t.Hi, "%.2f")
	}
	return c
}

func (g *grid) never(m *Metrics, r *Row) cell {
	t := r.ToTarget
	if !t.Never.Defined() {
		if c := g.toTarget(m, r); c.note > 0 {
			return c
		}
		return g.none("no resamples under two clusters")
	}
	return cell{value: num(100*t.Never, "%.0f") + " / " + num(100*t.AtZero, "%.0f")}
}

func (g *grid) adaptivity(r *Row) cell {
	a := r.Adaptivity
	switch {
	case a.Value.Defined():
		return cell{value: num(a.Value, "%.3f"), interval: interval(a.Lo, a.Hi, "%.3f")}
	case r.fixed():
		return g.none("asks nothing")
	}
	return g.none("no pair of sessions with equal dialogues but for the last answer")
}

func (g *grid) unscored(r *Row) cell {
	c := cell{value: strconv.Itoa(r.final().Undefined)}
	if r.finalFailures > 0 {
		c.note = g.note("besides %d failed sessions", r.finalFailures)
	}
	return c
}

func (g *grid) difference(m *Metrics, r *Row) cell {
	switch {
	case m.Reference == "":
		return g.none("the run names no reference")
	case r.Name == m.Reference:
		return cell{value: "reference"}
	case r.Difference == nil || !r.Difference.Value.Defined():
		return g.none("no session that this strategy and the reference have both scored")
	}
	d := r.Difference
	c := cell{value: num(d.Value, "%+.1f"), interval: interval(d.Lo, d.Hi, "%.1f")}
	if !d.Resolved {
		c.mark = "~"
	}
	return c
}

// describe says what was run on what.
func describe(m *Metrics) string {
	s := m.Data.Name
	if m.Data.Version != "" {
		s += " " + m.Data.Version
	}
	if m.Cluster == "user" {
		return s + fmt.Sprintf(" (survey, %d %s", m.Users, plural(m.Users, "user")) + seeds(m) + ")"
	}
	return s + fmt.Sprintf(" (%d %s, %d %s", m.Tasks, plural(m.Tasks, "task"), m.Users, plural(m.Users, "user")) + seeds(m) + ")"
}

func seeds(m *Metrics) string {
	return fmt.Sprintf(", %d %s", len(m.Seeds), plural(len(m.Seeds), "seed"))
}

// notice says who graded: a table or figure that was made with a simulator says so.
func notice(m *Metrics) string {
	switch {
	case m.Simulated:
		return capital(strings.Join(m.SimulatedRoles, " and ")) + ": embedded simulator, not a language model."
	case m.Cluster == "user":
		return "Graded by the profile judge, without a language model."
	}
	return ""
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func caption(m *Metrics, what string) string {
	s := fmt.Sprintf("%s after at most %d %s.", what, m.Final, plural(m.Final, "question"))
	if n := clusters(m); n < noInterval {
		s += fmt.Sprintf(" %d %s: no intervals.", n, plural(n, m.Cluster))
	} else {
		s += fmt.Sprintf(" Brackets: %g%% percentile intervals, bootstrap over %ss, %d resamples.", 100*m.Confidence, m.Cluster, m.Resamples)
	}
	if n := notice(m); n != "" {
		s += " " + n
	}
	return s
}

func mainLegend(m *Metrics) string {
	s := " Alignment: 0 to 100, mean of " + m.Cluster + " means"
	if m.Floor != "" && m.Ceiling != "" {
		s += fmt.Sprintf("; normalised: 0 is %s, 100 is %s", m.Floor, m.Ceiling)
	}
	s += "."
	if m.Target.Strategy != "" && m.Target.Alignment.Value.Defined() {
		s += fmt.Sprintf(" Target: the final alignment of %s (%s); never / at 0: share of resamples that do not reach it within %d questions, or reach it before the first.",
			m.Target.Strategy, num(m.Target.Alignment.Value, "%.1f"), m.Horizon)
	}
	s += " Adaptivity: share of pairs of sessions with the same dialogue but for the last answer that go on differently. Unscored: sessions without an alignment, which are left out."
	if m.Reference != "" {
		s += fmt.Sprintf(" Difference: in alignment, to %s, paired by session; ~ where the interval contains 0.", m.Reference)
	}
	return s
}

func profileTable(m *Metrics) *grid {
	g := &grid{name: "profile"}
	g.head = []string{
		"Strategy", "Predicts from", "P@5", "R@5", "F1@3", "F1@5", "Value MAE", "Value RMSE", "MAE, held",
		"No value (%)", "Brier", "Log score", "Unknown P (%)", "Brier, unasked", "MAE, unasked",
	}
	for _, rows := range ordered(m) {
		var group [][]cell
		for _, r := range rows {
			p := r.predicted()
			const (
				nothing = "nothing is predicted to be held"
				told    = "no value is predicted for any held criterion"
				unasked = "nothing is predicted of what was not asked"
			)
			bare := func(e Estimate, format, why string) cell {
				if r.Sessions == 0 {
					why = unknownWhy(r)
				}
				c := g.estimate(e, format, why)
				c.interval = ""
				return c
			}
			group = append(group, []cell{
				{value: r.Name},
				{value: r.Predict},
				bare(p.at(5).Precision, "%.3f", nothing),
				bare(p.at(5).Recall, "%.3f", "nothing is held"),
				bare(p.at(3).F1, "%.3f", "nothing is held"),
				g.withInterval(r, p.at(5).F1, "%.3f", "nothing is held"),
				bare(p.ValueMAE, "%.3f", "no true positive with a predicted value"),
				bare(p.ValueRMSE, "%.3f", "no true positive with a predicted value"),
				bare(p.HeldMAE, "%.3f", told),
				g.share(p.UnknownValues, p.HeldCells, "nothing is held"),
				bare(p.Brier, "%.4f", "no P(held) is known"),
				bare(p.LogScore, "%.4f", "no P(held) is known"),
				g.share(p.UnknownHeld, p.Cells, "no cell with a known truth"),
				bare(p.UnaskedBrier, "%.4f", unasked),
				bare(p.UnaskedMAE, "%.3f", "no value is predicted for a held criterion that was not asked"),
			})
		}
		g.groups = append(g.groups, group)
	}
	g.caption = caption(m, fmt.Sprintf("Profile prediction on %s", describe(m))) +
		" P, R, F1@k: the k criteria with the largest P(held) against those held. Value errors: of true positives at k = 5, or of all held criteria; sessions without any are left out. Brier and log score (nats, larger is better) of P(held) over cells where it is known; a strategy that predicts from answers knows it only where it was told."
	return g
}

func (g *grid) withInterval(r *Row, e Estimate, format, why string) cell {
	if r.Sessions == 0 {
		why = unknownWhy(r)
	}
	return g.estimate(e, format, why)
}

func (g *grid) share(n, of int, why string) cell {
	if of == 0 {
		return g.none("%s", why)
	}
	return cell{value: num(Number(100*float64(n)/float64(of)), "%.1f")}
}

// markdown writes the table with its caption above and its notes below.
func (g *grid) markdown() []byte {
	var b bytes.Buffer
	esc := strings.NewReplacer("|", "\\|", "~", "\\~", "*", "\\*", "_", "\\_", "<", "&lt;", "`", "\\`", "[", "\\[")
	fmt.Fprintf(&b, "%s\n\n", esc.Replace(g.caption))
	row := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	row(g.head)
	rule := make([]string, len(g.head))
	for i := range rule {
		rule[i] = "---:"
		if i < 2 {
			rule[i] = ":---"
		}
	}
	fmt.Fprintf(&b, "|%s|\n", strings.Join(rule, "|"))
	for _, group := range g.groups {
		for _, cells := range group {
			text := make([]string, len(cells))
			for i, c := range cells {
				text[i] = esc.Replace(c.text())
				if c.note > 0 {
					text[i] += "<sup>" + letter(c.note) + "</sup>"
				}
			}
			row(text)
		}
	}
	for i, n := range g.notes {
		fmt.Fprintf(&b, "\n<sup>%s</sup> %s.", letter(i+1), esc.Replace(n))
		if i < len(g.notes)-1 {
			b.WriteString("  ")
		} else {
			b.WriteString("\n")
		}
	}
	return b.Bytes()
}

// text joins value, interval and mark.
func (c cell) text() string {
	return strings.TrimSpace(strings.Join(slices.DeleteFunc([]string{c.value, c.interval, c.mark}, func(s string) bool { return s == "" }), " "))
}

// tex escapes for LaTeX.
func tex(s string) string {
	return strings.NewReplacer(
		`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`, "{", `\{`, "}", `\}`,
		"~", `$\sim$`, "^", `\textasciicircum{}`, "<", "$<$", ">", "$>$", "[", "{[}", "]", "{]}", "–", "--",
	).Replace(s)
}

// latex writes a float.
func (g *grid) latex() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%% needs \\usepackage{booktabs} and \\usepackage{graphicx}\n\\begin{table*}\n\\centering\n\\caption{%s}\n\\label{tab:%s}\n", tex(g.caption), g.name)
	fmt.Fprintf(&b, "\\resizebox{\\textwidth}{!}{%%\n\\begin{tabular}{ll%s}\n\\toprule\n", strings.Repeat("r", len(g.head)-2))
	head := make([]string, len(g.head))
	for i, h := range g.head {
		head[i] = tex(h)
	}
	fmt.Fprintf(&b, "%s \\\\\n\\midrule\n", strings.Join(head, " & "))
	for i, group := range g.groups {
		if i > 0 {
			b.WriteString("\\addlinespace\n")
		}
		for _, cells := range group {
			text := make([]string, len(cells))
			for j, c := range cells {
				value := tex(c.value)
				if j > 1 { // a number
					for _, sign := range []string{"-", "+"} {
						if rest, ok := strings.CutPrefix(value, sign); ok && c.note == 0 {
							value = "$" + sign + "$" + rest
						}
					}
				}
				if c.interval != "" {
					value += " {\\scriptsize " + strings.ReplaceAll(strings.ReplaceAll(tex(c.interval), " -", " $-$"), "{[}-", "{[}$-$") + "}"
				}
				if c.mark != "" {
					value += " " + tex(c.mark)
				}
				if c.note > 0 {
					value += "\\textsuperscript{" + letter(c.note) + "}"
				}
				text[j] = value
			}
			fmt.Fprintf(&b, "%s \\\\\n", strings.Join(text, " & "))
		}
	}
	b.WriteString("\\bottomrule\n\\end{tabular}}\n")
	for i, n := range g.notes {
		if i == 0 {
			b.WriteString("\\par\\smallskip\\footnotesize\\raggedright\n")
		}
		fmt.Fprintf(&b, "\\textsuperscript{%s}\\,%s.\n", letter(i+1), tex(n))
	}
	b.WriteString("\\end{table*}\n")
	return b.Bytes()
}

// A tidy collects the lines of a tidy CSV file.
type tidy struct {
	lines [][]string
	row   *Row
}

func (t *tidy) add(measure string, questions int, value, lo, hi Number, n int64, undefined, clusters int) {
	raw := func(v Number) string {
		b, _ := v.MarshalJSON() // never fails
		if string(b) == "null" {
			return ""
		}
		return string(b)
	}
	r := t.row
	t.lines = append(t.lines, []string{
		r.Name, r.Base, r.Kind, r.Predict, measure, strconv.Itoa(questions),
		raw(value), raw(lo), raw(hi), strconv.FormatInt(n, 10), strconv.Itoa(undefined), strconv.Itoa(clusters),
	})
}

func (t *tidy) estimate(measure string, questions int, e Estimate) {
	t.add(measure, questions, e.Value, e.Lo, e.Hi, int64(e.N), e.Undefined, e.Clusters)
}

func (t *tidy) pairs(measure string, questions int, p PairShare) {
	t.add(measure, questions, p.Value, p.Lo, p.Hi, p.Pairs, 0, p.Tasks)
}

func newTidy() *tidy {
	return &tidy{lines: [][]string{{
		"strategy", "base", "kind", "predict", "measure", "questions", "value", "lo", "hi", "n", "undefined", "clusters",
	}}}
}

func mainCSV(m *Metrics) [][]string {
	t := newTidy()
	for _, rows := range ordered(m) {
		for _, r := range rows {
			t.row = r
			for i, a := range r.Alignment {
				t.estimate("alignment", a.Questions, a.Estimate)
				t.estimate("normalised_alignment", a.Questions, a.Normalised)
				t.estimate("correctness", a.Questions, r.Correctness[i].Estimate)
			}
			last := r.final().Questions
			if r.Difference != nil {
				t.estimate("alignment_difference", last, r.Difference.Estimate)
			}
			t.estimate("interactions", last, r.Interactions)
			tt, none := r.ToTarget, undefined()
			n := r.final().N
			t.add("interactions_to_target", m.Horizon, tt.Value, tt.Lo, tt.Hi, int64(n), r.final().Undefined, r.final().Clusters)
			t.add("never_reaches_target", m.Horizon, tt.Never, none, none, int64(n), r.final().Undefined, r.final().Clusters)
			t.add("at_target_at_zero", m.Horizon, tt.AtZero, none, none, int64(n), r.final().Undefined, r.final().Clusters)
			t.pairs("adaptivity", last, r.Adaptivity.PairShare)
			t.pairs("adaptivity_held_differs", last, r.Adaptivity.Held)
			t.pairs("adaptivity_value_differs", last, r.Adaptivity.Values)
			t.pairs("adaptivity_released", last, r.Adaptivity.Released)
			for i, p := range r.Adaptivity.ByT {
				t.pairs("adaptivity_at", i+1, p)
			}
		}
	}
	return t.lines
}

func profileCSV(m *Metrics) [][]string {
	t := newTidy()
	for _, rows := range ordered(m) {
		for _, r := range rows {
			t.row = r
			for i := range r.Prediction {
				p := &r.Prediction[i]
				for _, a := range p.At {
					t.estimate(fmt.Sprintf("precision_at_%d", a.K), p.Questions, a.Precision)
					t.estimate(fmt.Sprintf("recall_at_%d", a.K), p.Questions, a.Recall)
					t.estimate(fmt.Sprintf("f1_at_%d", a.K), p.Questions, a.F1)
				}
				t.estimate("value_mae", p.Questions, p.ValueMAE)
				t.estimate("value_rmse", p.Questions, p.ValueRMSE)
				t.estimate("held_mae", p.Questions, p.HeldMAE)
				t.estimate("brier", p.Questions, p.Brier)
				t.estimate("log_score", p.Questions, p.LogScore)
				t.estimate("unasked_mae", p.Questions, p.UnaskedMAE)
				t.estimate("unasked_brier", p.Questions, p.UnaskedBrier)
				t.estimate("unasked_log_score", p.Questions, p.UnaskedLog)
			}
		}
	}
	return t.lines
}

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
