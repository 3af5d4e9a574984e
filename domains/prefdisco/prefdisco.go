package prefdisco

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"pepbench/domains"
	"pepbench/domains/internal/input"
)

// levels is how many levels the format's values and rubrics have.
const levels = 5

// Options says what the file itself does not.
type Options struct {
	// Rubric is domains.Quality (also when empty) or domains.Amount.
	Rubric domains.RubricKind
	// Name of the data set; empty: the file's name without its endings.
	Name string
}

// Load reads the file. Every error wraps domains.ErrData, and a fault of the data
// is a *domains.DataError with file and line.
func Load(path string, opt Options) (*domains.Dataset, error) {
	f, err := os.Open(path)
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, &domains.DataError{File: path, What: "the file cannot be opened", Err: err, Mend: "check the path"}
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.IsDir() {
		return nil, &domains.DataError{File: path, What: "is a folder, not a JSON Lines file", Mend: "name the .jsonl or .jsonl.gz file in it"}
	}
	return read(f, path, opt)
}

// read is Load without the file system; file is only a name.
func read(r io.Reader, file string, opt Options) (*domains.Dataset, error) {
	switch opt.Rubric {
	case "":
		opt.Rubric = domains.Quality
	case domains.Quality, domains.Amount:
	default:
		return nil, &domains.DataError{File: file, What: fmt.Sprintf("rubric %q does not fit this format", opt.Rubric), Mend: "set domain.rubric to quality or amount"}
	}
	if opt.Name == "" {
		opt.Name = strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".gz"), ".jsonl")
	}
	src, err := input.New(r, file)
	if err != nil {
		return nil, err
	}
	l := &loader{
		file:    file,
		opt:     opt,
		strings: map[string]string{},
		levels:  map[[levels]string][]string{},
		byTask:  map[string]int{},
		byName:  map[string]int{},
		skipped: map[string]int{},
	}
	var buf []byte
	for {
		l.line++
		if buf, err = src.Line(buf); err == io.EOF {
			break
		} else if err != nil {
			return nil, src.Fault(l.line, err)
		}
		if len(bytes.TrimSpace(buf)) == 0 {
			continue
		}
		if err := l.add(buf); err != nil {
			return nil, err
		}
	}
	source, err := src.Close()
	if err != nil {
		return nil, err
	}
	return l.dataset(source)
}

// A loader collects what the lines say until all of them are known.
type loader struct {
	file string
	opt  Options
	line int

	strings  map[string]string // every string that is kept, once
	levels   map[[levels]string][]string
	tasks    []task
	byTask   map[string]int
	criteria []criterion
	byName   map[string]int
	records  []record

	skipped                                map[string]int // by type
	unweighted, offSum, unrubriced, noHeld int
}

type task struct {
	domains.Task
	line int // where it was first seen
}

type criterion struct {
	name, description string
	levels            []string // amount rubric only
	line              int      // where description and levels were first seen
	reworded          bool     // another line has another description
}

// A record is one line: a persona's preferences on a problem.
type record struct {
	line    int
	task    int
	id      string // of the persona; empty when the line has no persona
	own     string // the problem_id
	content [sha256.Size]byte
	persona string
	held    []held
	weights bool // every held criterion has one
}

type held struct {
	criterion int
	value     float64
	weight    float64
	note      domains.Note
}

// keep gives the one copy of s.
func (l *loader) keep(s string) string {
	if k, ok := l.strings[s]; ok {
		return k
	}
	l.strings[s] = s
	return s
}

// bad is a fault of the current line.
func (l *loader) bad(mend, what string, a ...any) error {
	return &domains.DataError{File: l.file, Line: l.line, What: fmt.Sprintf(what, a...), Mend: mend}
}

// add reads one line that is not empty.
func (l *loader) add(line []byte) error {
	if !utf8.Valid(line) {
		return l.bad("save the file as UTF-8", "the line is not valid UTF-8")
	}
	var raw json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil {
		mend := "write one JSON object a line"
		if bytes.Contains(line, []byte("NaN")) || bytes.Contains(line, []byte("Infinity")) {
			mend = "JSON has no NaN and no Infinity: write a number or leave the member out"
		}
		e := l.bad(mend, "the line is not valid JSON").(*domains.DataError)
		e.Err = err
		return e
	}
	v := value(bytes.TrimSpace(line))
	if !v.isObject() {
		return l.bad("write one JSON object a line", "the line is %s, not an object", v.kind())
	}
	ms, err := l.object(v, "the line")
	if err != nil {
		return err
	}
	id, _ := find(ms, "problem_id")
	switch typ, _ := find(ms, "type"); {
	case typ == nil && id == nil:
		return l.bad(`give it type "personalized_problem" and a problem_id`, "the line has neither type nor problem_id")
	case typ == nil:
	case !typ.isString():
		return l.bad(`write "personalized_problem"`, "type is %s, not a string", typ.kind())
	case typ.str() == "metadata":
		return nil
	case typ.str() != "personalized_problem":
		l.skipped[typ.str()]++
		return nil
	}
	const mend = `write "problem_<n>_persona_<m>", with letters, digits, "-", "." and "_" for <n> and <m>`
	if id == nil {
		return l.bad(mend, "the problem has no problem_id")
	}
	if !id.isString() {
		return l.bad(mend, "problem_id is %s, not a string", id.kind())
	}
	n, m, ok := splitID(id.str())
	if !ok {
		return l.bad(mend, "problem_id %.80q cannot be used", id.str())
	}
	r := record{line: l.line, own: l.keep(id.str())}
	if r.task, err = l.task(ms, "problem_"+n); err != nil {
		return err
	}
	if err := l.persona(ms, m, &r); err != nil {
		return err
	}
	if err := l.preferences(ms, &r); err != nil {
		return err
	}
	l.records = append(l.records, r)
	return nil
}

// object gives the members of v, which is called what in errors.
func (l *loader) object(v value, what string) ([]member, error) {
	if !v.isObject() {
		return nil, l.bad("write {..} there", "%s is %s, not an object", what, v.kind())
	}
	ms, err := v.object()
	if err != nil {
		return nil, l.bad("keep one of them", "%s: %v", what, err)
	}
	return ms, nil
}

// text gives the string v, which is called what in errors.
func (l *loader) text(v value, what string) (string, error) {
	if !v.isString() {
		return "", l.bad("write text in quotes there", "%s is %s, not a string", what, v.kind())
	}
	return v.str(), nil
}

// splitID takes problem_<n>_persona_<m> apart.
func splitID(id string) (n, m string, ok bool) {
	rest, ok := strings.CutPrefix(id, "problem_")
	i := strings.LastIndex(rest, "_persona_")
	if !ok || i < 0 {
		return "", "", false
	}
	n, m = rest[:i], rest[i+len("_persona_"):]
	usable := func(s string) bool {
		return s != "" && strings.IndexFunc(s, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
		}) < 0
	}
	return n, m, usable(n) && usable(m)
}

// persona finds out who the user is. The content is the whole value, so that two
// people who share an id but differ in anything are two people.
func (l *loader) persona(ms []member, m string, r *record) error {
	v, _ := find(ms, "persona")
	if v == nil {
		return nil
	}
	r.id = l.keep("persona_" + m)
	switch {
	case v.isString():
		r.persona = l.keep(v.str())
	case v.isObject():
		fields, err := l.object(v, "persona")
		if err != nil {
			return err
		}
		id, name := find(fields, "id", "persona_id")
		switch {
		case id == nil:
		case id.isString() && strings.TrimSpace(id.str()) != "":
			r.id = l.keep(id.str())
		case id.isNumber():
			r.id = l.keep(string(id))
		case !id.isString():
			return l.bad("give the persona a string as id", "the persona's %s is %s", name, id.kind())
		}
		fields = slices.DeleteFunc(fields, func(f member) bool { return f.name == "id" || f.name == "persona_id" })
		r.persona = l.keep(sentence(fields, "\n"))
	default:
		return l.bad("write the persona as an object or a string", "persona is %s", v.kind())
	}
	text, err := v.canonical()
	if err != nil {
		return l.bad("", "persona: %v", err)
	}
	r.content = sha256.Sum256(text)
	return nil
}

// preferences reads what the persona holds and how the rubric words it.
func (l *loader) preferences(ms []member, r *record) error {
	v, _ := find(ms, "persona_preferences")
	if v == nil {
		return l.bad("write {} for a persona without preferences", "the problem has no persona_preferences")
	}
	prefs, err := l.object(v, "persona_preferences")
	if err != nil {
		return err
	}
	rubric, err := l.rubric(ms)
	if err != nil {
		return err
	}
	if rubric != nil {
		preferred := make(map[string]bool, len(prefs))
		for _, p := range prefs {
			preferred[p.name] = true
		}
		for _, e := range rubric {
			if !preferred[e.name] {
				return l.bad("add the preference or remove the rubric entry", "criterion %q is in the rubric but not in the preferences", e.name)
			}
		}
	} else if len(prefs) > 0 {
		if l.opt.Rubric == domains.Amount {
			return l.bad("add it, or set domain.rubric=quality", "the problem has no evaluation_rubric, and an amount rubric needs its level texts")
		}
		l.unrubriced++
	}
	byName := make(map[string]*entry, len(rubric))
	for i := range rubric {
		byName[rubric[i].name] = &rubric[i]
	}

	r.held = make([]held, 0, len(prefs))
	fromPrefs, fromRubric := true, rubric != nil
	rubricWeights := make([]float64, len(prefs))
	for i, p := range prefs {
		if strings.TrimSpace(p.name) == "" {
			return l.bad("name it", "persona_preferences has a criterion without a name")
		}
		h, given, err := l.preference(p)
		if err != nil {
			return err
		}
		fromPrefs = fromPrefs && given
		e := byName[p.name]
		if rubric != nil && e == nil {
			return l.bad("add the rubric entry or remove the preference", "criterion %q is in the preferences but not in the rubric", p.name)
		}
		if e == nil {
			e = &entry{name: p.name}
		}
		fromRubric = fromRubric && e.weighted
		rubricWeights[i] = e.weight
		if h.criterion, err = l.criterion(e); err != nil {
			return err
		}
		if l.opt.Rubric == domains.Quality {
			h.note.Description, h.note.Levels = l.keep(e.description), e.levels
			h.note.Justification = l.keep(h.note.Justification)
		}
		r.held = append(r.held, h)
	}
	// Weights of one kind only: those of preferences and rubric may be on
	// different scales.
	r.weights = fromPrefs || fromRubric
	if !fromPrefs && fromRubric {
		for i := range r.held {
			r.held[i].weight = rubricWeights[i]
		}
	}
	switch {
	case len(prefs) == 0:
		l.noHeld++
	case !r.weights:
		l.unweighted++
	}
	return nil
}

// preference reads the value, the weight if given, and the justification.
func (l *loader) preference(p member) (h held, weighted bool, err error) {
	const mend = "correct it, or leave the criterion out when the persona does not hold it"
	what := fmt.Sprintf("criterion %q", p.name)
	v, weight := p.val, value(nil)
	if v.isObject() {
		ms, err := l.object(v, what)
		if err != nil {
			return h, false, err
		}
		if v, _ = find(ms, "value"); v == nil {
			return h, false, l.bad(mend, "%s has no value", what)
		}
		weight, _ = find(ms, "weight")
		if j, _ := find(ms, "justification"); j != nil {
			if h.note.Justification, err = l.text(j, what+": justification"); err != nil {
				return h, false, err
			}
		}
	}
	if !v.isNumber() {
		return h, false, l.bad(mend, "%s: the value is %s, not a whole number from 1 to 5", what, v.kind())
	}
	f, ok := v.float()
	if !ok || f != float64(int(max(1, min(f, levels)))) {
		return h, false, l.bad(mend, "%s: value %.40s is not a whole number from 1 to 5", what, v)
	}
	h.value = f
	if h.weight, err = l.weight(weight, what); err != nil {
		return h, false, err
	}
	return h, weight != nil, nil
}

// weight reads a weight; nil is 0.
func (l *loader) weight(v value, what string) (float64, error) {
	if v == nil {
		return 0, nil
	}
	const mend = "give a number from 0 to 1, or leave the weights out to weigh all the same"
	if !v.isNumber() {
		return 0, l.bad(mend, "%s: the weight is %s, not a number", what, v.kind())
	}
	// A weight is a share or points; a bound keeps sums finite.
	w, ok := v.float()
	if !ok || !(w >= 0 && w <= 1e9) {
		return 0, l.bad(mend, "%s: weight %.40s is negative or too large", what, v)
	}
	return w, nil
}

// criterion gives the index of the criterion that the entry is about, and holds
// an amount rubric to the same levels for everybody.
func (l *loader) criterion(e *entry) (int, error) {
	i, known := l.byName[e.name]
	if !known {
		name := l.keep(e.name)
		i = len(l.criteria)
		l.byName[name] = i
		l.criteria = append(l.criteria, criterion{name: name})
	}
	c := &l.criteria[i]
	switch {
	case e.description == "" || c.description == e.description:
	case c.description == "":
		c.description = l.keep(e.description)
	default:
		c.reworded = true
	}
	if l.opt.Rubric != domains.Amount {
		return i, nil
	}
	const mend = "this rubric is user-specific: set domain.rubric=quality"
	switch {
	case e.levels == nil:
		return 0, l.bad("give the five texts, or set domain.rubric=quality", "criterion %q has no levels, and an amount rubric needs them", e.name)
	case slices.Contains(e.levels, ""):
		return 0, l.bad("give the five texts, or set domain.rubric=quality", "criterion %q: the text of level %d is empty", e.name, slices.Index(e.levels, "")+1)
	case c.levels == nil:
		c.levels, c.line = e.levels, l.line
	default:
		for k := range e.levels {
			if e.levels[k] != c.levels[k] {
				return 0, l.bad(mend, "criterion %q: level %d is %.60q here and %.60q in line %d", e.name, k+1, e.levels[k], c.levels[k], c.line)
			}
		}
	}
	return i, nil
}

// dataset puts the lines together.
func (l *loader) dataset(src domains.Source) (*domains.Dataset, error) {
	if len(l.records) == 0 {
		what := "the file is empty"
		if l.line > 1 {
			what = `the file has no line of type "personalized_problem"`
		}
		return nil, &domains.DataError{File: l.file, What: what, Mend: "name a file in the released format"}
	}
	d := &domains.Dataset{Name: l.opt.Name, Rubric: l.opt.Rubric, Sources: []domains.Source{src}}
	critAt := l.sortCriteria(d)
	taskAt := l.sortTasks(d, critAt)
	users, split := l.users()
	userAt, err := l.sortUsers(d, users)
	if err != nil {
		return nil, err
	}

	// Profiles in the order of (task, user); of two for one pair the later line
	// is to blame.
	order := make([]int, len(l.records))
	for i := range order {
		order[i] = i
	}
	key := func(i int) (int, int) { return taskAt[l.records[i].task], userAt[users[i]] }
	slices.SortStableFunc(order, func(a, b int) int {
		ta, ua := key(a)
		tb, ub := key(b)
		return cmp.Or(cmp.Compare(ta, tb), cmp.Compare(ua, ub))
	})
	for k := 1; k < len(order); k++ {
		a, b := order[k-1], order[k]
		ta, ua := key(a)
		if tb, ub := key(b); ta == tb && ua == ub {
			return nil, &domains.DataError{
				File: l.file, Line: l.records[b].line,
				What: fmt.Sprintf("user %q meets %s twice, first in line %d", users[b], d.Tasks[ta].ID, l.records[a].line),
				Mend: "remove one of the lines or give the persona another id",
			}
		}
	}
	d.Profiles = make([]domains.Profile, 0, len(order))
	for _, i := range order {
		t, u := key(i)
		p, err := l.profile(&l.records[i], &d.Tasks[t], critAt)
		if err != nil {
			return nil, err
		}
		p.Task, p.User = t, u
		d.Profiles = append(d.Profiles, p)
	}
	l.count(d, split)
	if err := d.Validate(); err != nil {
		return nil, &domains.DataError{File: l.file, What: "the file does not make a valid data set", Err: err}
	}
	return d, nil
}

// sortCriteria fills d.Criteria in the order of their names and gives where each
// of the loader's went.
func (l *loader) sortCriteria(d *domains.Dataset) []int {
	at := make([]int, len(l.criteria))
	for i, name := range slices.Sorted(maps.Keys(l.byName)) {
		c := &l.criteria[l.byName[name]]
		at[l.byName[name]] = i
		crit := domains.Criterion{
			ID:          name,
			Name:        name,
			Description: c.description,
			Question:    fmt.Sprintf("When it comes to %s: does it matter to you here, and if so, how would you like it?", name),
			Levels:      make([]domains.Level, levels),
		}
		for k := range crit.Levels {
			crit.Levels[k].Value = float64(k + 1)
			if c.levels != nil {
				crit.Levels[k].Text = c.levels[k]
			}
		}
		d.Criteria = append(d.Criteria, crit)
	}
	return at
}

// sortTasks fills d.Tasks in the order of their ids; a task admits what any of
// its users holds.
func (l *loader) sortTasks(d *domains.Dataset, critAt []int) []int {
	admitted := make([]map[int]bool, len(l.tasks))
	for i := range l.records {
		r := &l.records[i]
		if admitted[r.task] == nil {
			admitted[r.task] = map[int]bool{}
		}
		for _, h := range r.held {
			admitted[r.task][critAt[h.criterion]] = true
		}
	}
	at := make([]int, len(l.tasks))
	for i, id := range slices.Sorted(maps.Keys(l.byTask)) {
		k := l.byTask[id]
		at[k] = i
		t := l.tasks[k].Task
		t.Criteria = slices.Sorted(maps.Keys(admitted[k]))
		d.Tasks = append(d.Tasks, t)
	}
	return at
}

// users gives the user id of every record, and how many persona ids name more
// than one person.
func (l *loader) users() (ids []string, split int) {
	content := map[string][sha256.Size]byte{}
	differs := map[string]bool{}
	for i := range l.records {
		r := &l.records[i]
		if r.id == "" {
			continue
		}
		if c, ok := content[r.id]; !ok {
			content[r.id] = r.content
		} else if c != r.content {
			differs[r.id] = true
		}
	}
	ids = make([]string, len(l.records))
	for i := range l.records {
		if r := &l.records[i]; r.id == "" || differs[r.id] {
			ids[i] = r.own
		} else {
			ids[i] = r.id
		}
	}
	return ids, len(differs)
}

// sortUsers fills d.Users in the order of their ids.
func (l *loader) sortUsers(d *domains.Dataset, ids []string) (map[string]int, error) {
	first := map[string]int{} // id: record
	for i, id := range ids {
		k, known := first[id]
		if !known {
			first[id] = i
			continue
		}
		// Only a persona id that looks like another line's problem_id.
		if a, b := &l.records[k], &l.records[i]; a.content != b.content && a.own != b.own {
			return nil, &domains.DataError{
				File: l.file, Line: b.line,
				What: fmt.Sprintf("user %q is also the user of line %d, with another persona", id, a.line),
				Mend: "give the persona an id that is no problem_id",
			}
		}
	}
	at := make(map[string]int, len(first))
	for i, id := range slices.Sorted(maps.Keys(first)) {
		at[id] = i
		d.Users = append(d.Users, domains.User{ID: id, Persona: l.records[first[id]].persona})
	}
	return at, nil
}

// profile spreads what the record holds over the criteria of the task.
func (l *loader) profile(r *record, t *domains.Task, critAt []int) (domains.Profile, error) {
	var p domains.Profile
	p.Cells = make([]domains.Cell, len(t.Criteria))
	for j := range p.Cells {
		p.Cells[j] = domains.NotHeld()
	}
	if r.weights {
		p.Weights = make([]float64, len(p.Cells))
	}
	if l.opt.Rubric == domains.Quality {
		p.Notes = make([]domains.Note, len(p.Cells))
	}
	for _, h := range r.held {
		j, _ := slices.BinarySearch(t.Criteria, critAt[h.criterion])
		p.Cells[j] = domains.At(h.value)
		if p.Weights != nil {
			p.Weights[j] = h.weight
		}
		if p.Notes != nil {
			p.Notes[j] = h.note
		}
	}
	changed, err := p.Normalise()
	if err != nil {
		return p, &domains.DataError{File: l.file, Line: r.line, What: "the weights cannot be used", Err: err}
	}
	if changed && len(r.held) > 0 {
		l.offSum++
	}
	return p, nil
}

// count fills d.Counts: always the sizes, then what was skipped or changed.
func (l *loader) count(d *domains.Dataset, split int) {
	d.Counts = []domains.Count{
		{What: "tasks read", N: len(d.Tasks)},
		{What: "users read", N: len(d.Users)},
		{What: "profiles read", N: len(d.Profiles)},
		{What: "criteria read", N: len(d.Criteria)},
	}
	add := func(n int, what string) {
		if n > 0 {
			d.Counts = append(d.Counts, domains.Count{What: what, N: n})
		}
	}
	var types []string
	skipped := 0
	for _, typ := range slices.Sorted(maps.Keys(l.skipped)) {
		skipped += l.skipped[typ]
		if len(types) < 3 {
			types = append(types, fmt.Sprintf("%.40q", typ))
		}
	}
	if len(types) < len(l.skipped) {
		types = append(types, "..")
	}
	add(skipped, "warning: lines of unknown type skipped: "+strings.Join(types, ", "))
	unanswered, reworded := 0, 0
	for i := range d.Tasks {
		if d.Tasks[i].Answer == "" {
			unanswered++
		}
	}
	for i := range l.criteria {
		if l.criteria[i].reworded {
			reworded++
		}
	}
	add(unanswered, "tasks without a right answer")
	add(l.offSum, "profiles whose weights did not sum to 1 and were normalised")
	add(l.unweighted, "profiles without a weight for every criterion, which all weigh the same")
	add(l.noHeld, "profiles with nothing held")
	add(l.unrubriced, "profiles without a rubric")
	add(reworded, "criteria that users' rubrics describe differently; the first description is kept")
	add(split, "persona ids that name different people; each of their lines is a user")
}
