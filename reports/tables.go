package reports

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A File is a file of the report, its path relative to the run directory.
type File struct {
	Path string
	Data []byte
}

// Tables makes the paper tables: main (one row a strategy, the headline measures
// at the final checkpoint), profile (profile prediction there), errors (alignment
// and errors where strategies are compared) and, if any two are, gain (their paired
// differences), adaptivity (how they ask) if any asks, policies (their trainings) in runs that trained any, fidelity in runs whose users answer in words, released in runs that
// compute as the released code does, calls in runs with models, judge where it was
// probed or graded more than once, judges in runs whose responses were graded again, costs
// where a model was called or a strategy has parameters, calibration where any row predicts
// from a population, and tasks in runs that are no survey, each as Markdown, CSV and LaTeX; see the package comment.
func Tables(m *Metrics) ([]File, error) {
	var out []File
	for _, t := range allTables(m) {
		if len(t.groups) == 0 {
			continue
		}
		files, err := t.files(t.tidy)
		if err != nil {
			return nil, err
		}
		out = append(out, files...)
	}
	return out, nil
}

// A fullTable is a grid with the lines of its CSV file.
type fullTable struct {
	*grid
	tidy [][]string
}

// allTables gives the tables of a run, in their order; those without rows are not there.
func allTables(m *Metrics) []fullTable {
	return []fullTable{{mainTable(m), mainCSV(m)}, {profileTable(m), profileCSV(m)}, {errorsTable(m), errorsCSV(m)}, {gainTable(m), gainCSV(m)}, {adaptivityTable(m), adaptivityCSV(m)}, {policiesTable(m), policiesCSV(m)}, {fidelityTable(m), fidelityCSV(m)}, {releasedTable(m), releasedCSV(m)}, {callsTable(m), callsCSV(m)}, {judgeTable(m), judgeCSV(m)}, {judgesTable(m), judgesCSV(m)}, {costsTable(m), costsCSV(m)}, {calibrationTable(m), calibrationCSV(m)}, {tasksTable(m), tasksCSV(m)}}
}

// files gives the table in every format; tidy are the lines of its CSV file.
func (g *grid) files(tidy [][]string) ([]File, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(tidy); err != nil {
		return nil, err
	}
	return []File{
		{"tables/" + g.name + ".md", g.markdown()},
		{"tables/" + g.name + ".csv", b.Bytes()},
		{"tables/" + g.name + ".tex", g.paper().latex()},
	}, nil
}

// A grid is a table that is not yet in any format.
type grid struct {
	name    string
	caption string
	head    []string
	texts   int        // leading columns that are words, 0 for two
	left    []string   // headings of further columns that are words, which LaTeX wraps
	stacked bool       // LaTeX has intervals below their values
	groups  [][][]cell // rows, with a rule between groups
	notes   []string
	foot    []string // sentences below them

	aside        []string // headings of columns that LaTeX leaves out
	paperCaption string   // its caption, which does not explain them
	compact      *grid    // what LaTeX shows instead, nil: the same rows
}

// A cell is a value with its interval, or a dash with the note that says why.
type cell struct {
	value, interval string
	mark            string // after both: stars, ~ or nothing
	p               string // after that, which LaTeX leaves out
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

// paper is the grid that LaTeX shows: without the columns that are set aside and
// the notes of theirs.
func (g *grid) paper() *grid {
	if g.compact != nil {
		return g.compact
	}
	out := &grid{name: g.name, caption: g.paperCaption, texts: g.texts, foot: g.foot}
	var keep []int
	for i, h := range g.head {
		if !slices.Contains(g.aside, h) {
			keep = append(keep, i)
			out.head = append(out.head, h)
		}
	}
	return out.take(g, keep)
}

// take fills a grid with columns of another one, and with the notes of theirs.
func (g *grid) take(from *grid, columns []int) *grid {
	for _, group := range from.groups {
		var rows [][]cell
		for _, cells := range group {
			var row []cell
			for _, i := range columns {
				c := cells[i]
				if c.note > 0 {
					c.note = g.note("%s", from.notes[c.note-1])
				}
				row = append(row, c)
			}
			rows = append(rows, row)
		}
		g.groups = append(g.groups, rows)
	}
	return g
}

// words counts the leading columns that are words, not numbers.
func (g *grid) words() int {
	if g.texts == 0 {
		return 2
	}
	return g.texts
}

// right reports whether column i stands to the right, as numbers do: what is not
// words, and words that all are numbers.
func (g *grid) right(i int) bool {
	if slices.Contains(g.left, g.head[i]) {
		return false
	}
	if i >= g.words() {
		return true
	}
	for _, group := range g.groups {
		for _, cells := range group {
			if _, err := strconv.ParseFloat(cells[i].value, 64); err != nil && cells[i].value != "" {
				return false
			}
		}
	}
	return len(g.groups) > 0
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

// blocks gives the rows as tables group them: those that ask alike, and neighbours of
// which each asks by itself if they predict alike. Where every row asks by itself and
// predicts by itself, all that ask are one block.
func blocks(m *Metrics) (out [][]*Row) {
	loose := func(g []*Row) bool { return !g[0].fixed() && (len(g) == 1 || g[0].Base != g[1].Base) }
	groups := ordered(m)
	join := func(alike func(a, b *Row) bool) (out [][]*Row) {
		for _, g := range groups {
			if n := len(out) - 1; n >= 0 && loose(g) && loose(out[n]) && alike(out[n][0], g[0]) {
				out[n] = append(slices.Clone(out[n]), g...)
				continue
			}
			out = append(out, g)
		}
		return out
	}
	out = join(func(a, b *Row) bool { return a.Predict == b.Predict })
	if !slices.ContainsFunc(out, func(g []*Row) bool { return len(g) > 1 }) {
		return join(func(_, _ *Row) bool { return true })
	}
	return out
}

// labels gives a shorter name to rows that alone ask as they do: how they ask,
// without what they predict from.
func labels(m *Metrics) map[string]string {
	rows, named := map[string]int{}, map[string]bool{}
	for _, r := range m.Strategies {
		rows[r.Base]++
		named[r.Name] = true
	}
	out := map[string]string{}
	for _, r := range m.Strategies {
		out[r.Name] = r.Name
		if rows[r.Base] == 1 && r.Base != "" && !named[r.Base] {
			out[r.Name] = r.Base
		}
	}
	return out
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
	return fmt.Sprintf(", %d %s", len(m.Seeds), plural(len(m.Seeds), "seed")) + m.folds()
}

// folds says that every test task was held out in one of so many folds, or nothing.
func (m *Metrics) folds() string {
	if m.Folds < 2 {
		return ""
	}
	return fmt.Sprintf(", cross-fitted in %d folds", m.Folds)
}

// notice says who graded: a table or figure that was made with a simulator says so.
func notice(m *Metrics) string {
	var says []string
	if m.Simulated {
		says = append(says, capital(series(m.SimulatedRoles))+": embedded simulator, not a language model.")
	}
	if m.Cluster == "user" || strings.HasPrefix(m.Judge, "profile") {
		says = append(says, "Graded by the profile judge, without a language model.")
	}
	return strings.Join(says, " ")
}

// series joins words: a, b and c.
func series(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func caption(m *Metrics, what string) string {
	return captionOver(m, what, sessionsOver(m))
}

// captionOver is caption where intervals are over these.
func captionOver(m *Metrics, what, over string) string {
	return fmt.Sprintf("%s after at most %d %s.", what, m.Final, plural(m.Final, "question")) + provenanceOver(m, over)
}

// provenance goes on with a caption: what the brackets are, who graded, whose the
// responses are, what was chosen, what is left out. Its intervals are of means over sessions.
func provenance(m *Metrics) string { return provenanceOver(m, sessionsOver(m)) }

// provenanceOver is provenance where intervals are over these.
func provenanceOver(m *Metrics, over string) (s string) {
	if n := clusters(m); n < noInterval {
		s += fmt.Sprintf(" %d %s: no intervals.", n, plural(n, m.Cluster))
	} else {
		s += fmt.Sprintf(" Brackets: %g%% percentile intervals, bootstrap over %s, %d resamples%s.", 100*m.Confidence, over, m.Resamples, byT(m))
	}
	if n := notice(m); n != "" {
		s += " " + n
	}
	s += origin(m) + m.policies(m.rows())
	if f := m.Fidelity; f != nil {
		s += fmt.Sprintf(" Users answer in words, played by %s and understood by rules or by %s.", f.User, f.Interpreter)
	}
	if m.Compat != "" {
		s += " Beliefs and choices of questions are computed as the released code does."
	}
	if len(m.OnDev) > 0 {
		s += fmt.Sprintf(" Population models of which one of several sizes was chosen on dev: %s.", series(m.OnDev))
	}
	if len(m.LeftOut) > 0 {
		s += fmt.Sprintf(" Left out, since not defined on these data: %s.", series(m.LeftOut))
	}
	if m.allHeld() {
		s += " " + capital(nothingToPredict) + ", and F1@k says nothing."
	}
	return s + failures(m)
}

// origin says whose the responses are, where another judge graded them again.
func origin(m *Metrics) string {
	if m.Judges == nil {
		return ""
	}
	return fmt.Sprintf(" Sessions and responses are those of the run %s, graded again.", m.Judges.Of)
}
