package reports

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pepbench/bench/record"
	"pepbench/domains"
)

// A Run is what was read of a run directory: the manifest, and of every session
// the numbers that Compute needs. Texts, reasons of judges and whole inferences
// are measured while reading and dropped.
type Run struct {
	Manifest record.Manifest

	points     []int       // checkpoints up to the horizon, ascending
	final      int         // index into points: the last one within the budget
	strategies []*strategy // in manifest order
	tasks      []string    // sorted
	users      []string    // sorted
	cluster    []int       // of every unit: its task, or its user in a survey
	clusters   int
	warnings   []string // what reading noticed
	read       int      // sessions in the file
	unknown    []count  // sessions of strategies the manifest does not name
	compared   []int    // questions at which strategies are compared, ascending
	offScale   int      // answers that were none of their criterion's values
	criteria   interner // ids of the criteria that users were asked about in words
	asked      []string // ids of the criteria that were asked about within the budget, sorted
	spans      []span   // of each of these: of the values that were told
	admits     []string // of every task: ids of its criteria, sorted, as one string
	nominal    bool     // something is predicted of the level of a nominal criterion

	calls   map[string]*callCount  // by role
	grades  map[string]*gradeCount // by task; of what was graded more than once
	counted int                    // sessions behind calls
	probes  *record.Probes         // nil: there are none
}

// A strategy is one strategy of the manifest with its sessions.
type strategy struct {
	record.Strategy
	points   []int      // checkpoints it has
	final    int        // index into points of the final one
	sessions []*session // completed ones, by (unit, seed)
	at       map[key]*session
	failed   map[string]int
	reasons  []map[string]int // of every point: why alignment is undefined
	cells    []cellCount      // of every point
	off      offLog           // of a replay: its decisions
}

// fixed reports whether the strategy asks nothing and has one checkpoint.
func (s *strategy) fixed() bool { return s.Kind == kindFloor || s.Kind == kindCeiling }

// The kinds of strategy that reports treat apart.
const (
	kindFloor   = "none"
	kindCeiling = "oracle"
	kindAsker   = "asker"
	kindPep     = "pep"
	kindRL      = "rl"
	kindReplay  = "replay"
)

// key names a session among those of its strategy.
type key struct{ unit, seed int }

// A session is what is kept of a record.Session.
type session struct {
	key
	task, user int
	align      []float64       // of every point: 0..100, NaN when undefined
	before     float64         // at the final point, under the former judge; NaN without
	correct    []float64       // of every point: 0, 1, NaN when unknown
	predict    []float64       // of every point: the measures of profile prediction
	whole      []whole         // of every point
	path       []step          // up to the budget
	kept       []turn          // of every step of the path
	stop       string          // why it asked no more
	turns      int             // questions, those past the budget included
	unplaced   int             // of them: about no criterion, or about one that was asked
	talk       *talk           // nil unless users answer in words
	released   []ReleasedScore // of every point, k from minK to maxK; nil unless the run is compatible with the released code
}

// whole says what is predicted of every cell with a known truth: P(held), and value
// or level where it is held.
type whole struct{ held, value bool }

// A step is one question with its answer.
type step struct {
	question int
	answer   domains.Cell
}

// A turn is what is kept of a question beside the step.
type turn struct {
	criterion int32     // index into Run.asked, or noCriterion
	other     int32     // question after another answer, as session.next gives it, or unforked
	apart     apartness // how that answer differs
}

// unforked stands for the next question where nobody knows what another answer would
// have led to.
const unforked = -3

// apartness says in what two answers differ.
type apartness uint8

const (
	otherwise   apartness = iota // one of them is missing
	heldApart                    // one is a value, the other not held
	valuesApart                  // both are values
)

// A span is the range of the values that were told of a criterion; none: lo > hi.
type span struct{ lo, hi float64 }

// Load reads dir/manifest.json and, in one pass, dir/sessions.jsonl. A file that
// is missing, or a line that cannot be read, is a *domains.DataError with file
// and line, and so is a session whose task or seed is not in the manifest. A
// session of a strategy that the manifest does not name is left out
// and warned of, and so is a run without sessions.
func Load(dir string) (*Run, error) {
	r := &Run{criteria: interner{}}
	if err := r.readManifest(dir); err != nil {
		return nil, err
	}
	r.plan()
	if err := r.readSessions(filepath.Join(dir, record.SessionsFile)); err != nil {
		return nil, err
	}
	var err error
	if r.probes, err = record.ReadProbes(dir); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Run) readManifest(dir string) error {
	read, err := record.ReadManifest(dir)
	if err != nil {
		return err
	}
	r.Manifest = *read
	m := &r.Manifest
	name := filepath.Join(dir, record.ManifestFile)
	bad := func(format string, a ...any) error {
		return &domains.DataError{File: name, What: fmt.Sprintf(format, a...), Mend: "run the experiment again"}
	}
	if len(m.Strategies) == 0 {
		return bad("names no strategy")
	}
	seen := map[string]bool{}
	for _, s := range m.Strategies {
		if s.Name == "" || seen[s.Name] {
			return bad("strategy %q is named twice or has no name", s.Name)
		}
		seen[s.Name] = true
	}
	for _, s := range m.Strategies {
		if p := s.Policy; p != nil && (p.Mode != "" && p.Mode != record.ModeTrajectory && p.Mode != record.ModePolicy || !(p.MostOffLog >= 0 && p.MostOffLog <= 1)) {
			return bad("strategy %q: mode %q is no mode of a replay, or most_off_log %v is outside 0..1", s.Name, p.Mode, p.MostOffLog)
		}
	}
	if m.Budget < 0 || m.Horizon < 0 || m.Report.Resamples < 0 || m.Report.Confidence < 0 || m.Report.Confidence >= 1 {
		return bad("budget %d, horizon %d, resamples %d or confidence %v is out of range", m.Budget, m.Horizon, m.Report.Resamples, m.Report.Confidence)
	}
	if m.Report.Resamples == 0 {
		m.Report.Resamples = 1000
	}
	if m.Report.Confidence == 0 {
		m.Report.Confidence = .95
	}
	m.Horizon = max(m.Horizon, m.Budget)
	return nil
}

// plan lays out the checkpoints of every strategy.
func (r *Run) plan() {
	m := &r.Manifest
	for _, p := range m.Checkpoints {
		if p >= 0 && p <= m.Horizon {
			r.points = append(r.points, p)
		}
	}
	slices.Sort(r.points)
	r.points = slices.Compact(r.points)
	if len(r.points) == 0 {
		r.points = []int{m.Budget}
		r.warn("the manifest names no checkpoint up to the horizon of %d questions; alignment is looked for at %d", m.Horizon, m.Budget)
	}
	final := -1
	for i, p := range r.points {
		if p <= m.Budget {
			final = i
		}
	}
	switch {
	case final < 0:
		final = 0
		fallthrough
	case r.points[final] != m.Budget:
		r.warn("no checkpoint at the budget of %d questions; %d is taken as the final one", m.Budget, r.points[final])
	}
	r.final = final
	for _, n := range m.Report.Questions {
		if !slices.Contains(r.points, n) {
			r.warn("report.questions names %d, which is no checkpoint: nothing is compared there", n)
			continue
		}
		r.compared = append(r.compared, n)
	}
	slices.Sort(r.compared)
	r.compared = slices.Compact(r.compared)
	if len(r.compared) == 0 {
		r.compared = []int{r.points[final]}
	}
	for _, d := range m.Strategies {
		s := &strategy{Strategy: d, points: r.points, final: final, at: map[key]*session{}, failed: map[string]int{}}
		if s.fixed() {
			s.points, s.final = []int{0}, 0
		}
		s.reasons = make([]map[string]int, len(s.points))
		s.cells = make([]cellCount, len(s.points))
		for i := range s.reasons {
			s.reasons[i] = map[string]int{}
		}
		r.strategies = append(r.strategies, s)
	}
}

func (r *Run) readSessions(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return &domains.DataError{File: name, What: "the sessions of the run cannot be read", Mend: "run the experiment; the same command resumes", Err: bare(err)}
	}
	defer f.Close()

	byName := map[string]*strategy{}
	for _, s := range r.strategies {
		byName[s.Name] = s
	}
	planned := r.planned()
	tasks, users, asked := interner{}, interner{}, interner{}
	admits := map[string]string{} // by task
	unknown, off, seen := map[string]int{}, 0, map[string]int{}
	firstOff := ""
	in := bufio.NewReaderSize(f, 1<<16)
	for line := 1; ; line++ {
		b, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return &domains.DataError{File: name, Line: line, What: "cannot be read", Err: bare(err)}
		}
		torn := err == io.EOF
		if text := bytes.TrimSpace(b); len(text) > 0 {
			bad := func(cause error, format string, a ...any) error {
				mend := "remove the line, or run the experiment again"
				if torn && cause != nil {
					mend = "the last line is torn: run the same command again, it resumes"
				}
				return &domains.DataError{File: name, Line: line, What: fmt.Sprintf(format, a...), Mend: mend, Err: cause}
			}
			var s record.Session
			if err := json.Unmarshal(text, &s); err != nil {
				return bad(err, "not a session")
			}
			if what := fault(&s); what != "" {
				return bad(nil, "session %q: %s", s.ID, what)
			}
			if what := planned(&s); what != "" {
				return bad(nil, "session of another run: %s", what)
			}
			id := fmt.Sprintf("%s\x00%d\x00%s\x00%s", s.Strategy, s.Seed, s.Task, s.User)
			if before, dup := seen[id]; dup {
				return bad(nil, "session %q is the same strategy, seed, task and user as line %d", s.ID, before)
			}
			seen[id] = line
			r.read++
			if st := byName[s.Strategy]; st == nil {
				unknown[s.Strategy]++
			} else {
				r.count(&s)
				if _, ok := admits[s.Task]; !ok {
					admits[s.Task] = strings.Join(slices.Sorted(slices.Values(s.Criteria)), "\x00")
				}
				if st.keep(r, &s, tasks.index(s.Task), users.index(s.User), asked) > 0 {
					if off++; off == 1 {
						firstOff = fmt.Sprintf("%s:%d", name, line)
					}
				}
			}
		}
		if torn {
			break
		}
	}
	r.unknown = counts(unknown)
	for _, c := range r.unknown {
		r.warn("strategy %q is not in the manifest: its sessions (%d) are left out", c.What, c.N)
	}
	if off > 0 {
		r.warn("sessions whose raw alignment does not follow from their scores: %d, the first in %s; the recorded value is used", off, firstOff)
	}
	r.arrange(tasks, users, asked)
	for _, id := range r.tasks {
		r.admits = append(r.admits, admits[id])
	}
	return nil
}

// arrange numbers tasks, users and units in the order of their ids, so that no
// number depends on the order of the file.
func (r *Run) arrange(tasks, users, asked interner) {
	var taskAt, userAt, askedAt []int
	r.tasks, taskAt = tasks.sorted()
	r.users, userAt = users.sorted()
	r.asked, askedAt = asked.sorted()
	r.spans = make([]span, len(r.asked))
	for i := range r.spans {
		r.spans[i] = span{math.Inf(1), math.Inf(-1)}
	}
	type pair struct{ task, user int }
	var pairs []pair
	for _, st := range r.strategies {
		for _, s := range st.sessions {
			s.task, s.user = taskAt[s.task], userAt[s.user]
			for i := range s.kept {
				t := &s.kept[i]
				if t.criterion == noCriterion {
					continue
				}
				t.criterion = int32(askedAt[t.criterion])
				if a := s.path[i].answer; a.IsHeld() {
					of := &r.spans[t.criterion]
					of.lo, of.hi = min(of.lo, a.Value()), max(of.hi, a.Value())
				}
			}
			pairs = append(pairs, pair{s.task, s.user})
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Or(cmp.Compare(a.task, b.task), cmp.Compare(a.user, b.user)) })
	pairs = slices.Compact(pairs)
	unit := make(map[pair]int, len(pairs))
	r.cluster = make([]int, len(pairs))
	r.clusters = len(r.tasks)
	if r.survey() {
		r.clusters = len(r.users)
	}
	for i, p := range pairs {
		unit[p] = i
		r.cluster[i] = p.task
		if r.survey() {
			r.cluster[i] = p.user
		}
	}
	for _, st := range r.strategies {
		for _, s := range st.sessions {
			s.unit = unit[pair{s.task, s.user}]
			st.at[s.key] = s
		}
		slices.SortFunc(st.sessions, func(a, b *session) int {
			return cmp.Or(cmp.Compare(a.unit, b.unit), cmp.Compare(a.seed, b.seed))
		})
	}
}

// survey reports whether the users are the clusters.
func (r *Run) survey() bool { return r.Manifest.Data.Rubric == string(domains.NoRubric) }

// compatible reports whether the run computed beliefs and choices as the released
// code does, so that its measures can be compared with published ones.
func (r *Run) compatible() bool { return r.Manifest.Data.Compat != "" }

func (r *Run) warn(format string, a ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf(format, a...))
}

// rawError is how far a recorded raw alignment may be from the one of its scores.
const rawError = 1e-4

// keep measures the session and files it. It gives 1 when a raw alignment does not
// follow from its scores, else 0.
func (st *strategy) keep(r *Run, s *record.Session, task, user int, asked interner) (off int) {
	if s.Error != "" || s.Stop == record.StopError {
		st.failed[short(cmp.Or(s.Error, "no reason recorded"))]++
		return 0
	}
	n := len(st.points)
	out := &session{
		key: key{seed: s.Seed}, task: task, user: user,
		align: make([]float64, n), correct: make([]float64, n), predict: make([]float64, n*measures),
		before: math.NaN(),
	}
	for i, p := range st.points {
		out.align[i], out.correct[i] = math.NaN(), math.NaN()
		cp := graded(s, p, st.fixed())
		switch {
		case cp == nil:
			st.reasons[i]["no checkpoint"]++
		case cp.Raw == nil:
			st.reasons[i][whyUndefined(cp)]++
		default:
			out.align[i] = record.Alignment(*cp.Raw)
			if raw, ok := record.Raw(cp.Scores, s.Truth.Weight); len(cp.Scores) > 0 && (!ok || math.Abs(raw-*cp.Raw) > rawError) {
				off = 1
			}
		}
		if i == st.final && r.Manifest.Rejudged != nil {
			out.before = formerly(s, cp)
		}
		if cp != nil && cp.Correct != nil {
			out.correct[i] = 0
			if *cp.Correct {
				out.correct[i] = 1
			}
		}
		of := out.predict[i*measures : (i+1)*measures]
		cells := measure(s, p, of)
		st.cells[i].add(cells)
		out.whole = append(out.whole, whole{cells.unknownHeld == 0, cells.unknownValue == 0})
		r.nominal = r.nominal || !math.IsNaN(of[levelErr])
		if r.compatible() {
			inf := s.Inference(p)
			ranking := RankReleased(inf.Held)
			for k := minK; k <= maxK; k++ {
				out.released = append(out.released, MeasureReleased(ranking, s.Truth.Cells, inf.Value, k))
			}
		}
	}
	for i := range s.Turns {
		if s.Turns[i].OffScale != nil {
			r.offScale++
		}
	}
	asks := min(len(s.Turns), r.Manifest.Budget)
	out.path, out.kept = make([]step, 0, asks), make([]turn, 0, asks)
	for i := range asks {
		t := &s.Turns[i]
		out.path = append(out.path, step{t.Question, t.Answer})
		k := turn{criterion: noCriterion, other: unforked}
		if t.Question >= 0 {
			k.criterion = int32(asked.index(s.Criteria[t.Question]))
		}
		// A log of what was done does not know what another answer would have led to.
		if c := t.Counterfactual; c != nil && (st.Policy == nil || st.Policy.Mode != record.ModeTrajectory) {
			k.other, k.apart = forked(c.Next), between(t.Answer, c.Answer)
		}
		out.kept = append(out.kept, k)
	}
	st.replayed(s, r.Manifest.Budget)
	out.stop, out.turns = s.Stop, len(s.Turns)
	for i := range s.Turns {
		if s.Turns[i].Question == noCriterion {
			out.unplaced++
		}
	}
	if r.verbal() {
		out.talk = r.overhear(s)
	}
	st.sessions = append(st.sessions, out)
	return off
}

// forked is Counterfactual.Next as session.next has it.
func forked(next int) int32 {
	switch next {
	case record.NextStop:
		return stopped
	case record.NextOther:
		return noCriterion
	}
	return int32(next)
}

// between says in what two answers differ.
func between(a, b domains.Cell) apartness {
	switch {
	case a.IsMissing() || b.IsMissing():
		return otherwise
	case a.IsHeld() && b.IsHeld():
		return valuesApart
	case a.IsHeld() || b.IsHeld():
		return heldApart
	}
	return otherwise
}

// graded finds the checkpoint that says how a session fared after n questions.
func graded(s *record.Session, n int, only bool) *record.Checkpoint { return s.Graded(n, only) }

// whyUndefined words the reason why a checkpoint has no alignment.
func whyUndefined(cp *record.Checkpoint) string {
	for _, s := range cp.Scores {
		if s.Score == nil {
			return unquoted(cmp.Or(s.Unscored, "unscored, no reason recorded"))
		}
	}
	if len(cp.Scores) == 0 {
		return "nothing graded"
	}
	return "no weight on what is graded"
}

// fault says what makes a session unusable, or nothing.
func fault(s *record.Session) string {
	n := len(s.Criteria)
	switch {
	case s.Strategy == "" || s.Task == "" || s.User == "":
		return "strategy, task or user is missing"
	case len(s.Truth.Cells) != n:
		return fmt.Sprintf("%d true cells for %d criteria", len(s.Truth.Cells), n)
	case s.Truth.Weights != nil && len(s.Truth.Weights) != n:
		return fmt.Sprintf("%d weights for %d criteria", len(s.Truth.Weights), n)
	}
	if !offWord(s.StopOffLog) {
		return fmt.Sprintf("its stop is off the log by %q, which is neither %s nor %s", s.StopOffLog, record.OffLogTask, record.OffLogHistory)
	}
	if !fits(&s.Prior, n) {
		return fmt.Sprintf("the prior inference does not line up with %d criteria, or a P(held) is outside 0..1", n)
	}
	if !shares(&s.Prior) {
		return "the prior inference has a P(level) outside 0..1"
	}
	for i := range s.Turns {
		t := &s.Turns[i]
		if !shares(&t.Inference) {
			return fmt.Sprintf("the inference of turn %d has a P(level) outside 0..1", i+1)
		}
		if t.Question < noCriterion || t.Question >= n {
			return fmt.Sprintf("turn %d asks position %d of %d criteria", i+1, t.Question, n)
		}
		if c := t.Counterfactual; c != nil && (c.Next < record.NextOther || c.Next >= n) {
			return fmt.Sprintf("the counterfactual of turn %d asks position %d of %d criteria", i+1, c.Next, n)
		}
		if !offWord(t.OffLog) {
			return fmt.Sprintf("turn %d is off the log by %q, which is neither %s nor %s", i+1, t.OffLog, record.OffLogTask, record.OffLogHistory)
		}
		for _, v := range t.Volunteered {
			if v.Position < 0 || v.Position >= n {
				return fmt.Sprintf("turn %d volunteers position %d of %d criteria", i+1, v.Position, n)
			}
		}
		if !fits(&t.Inference, n) {
			return fmt.Sprintf("the inference of turn %d does not line up with %d criteria, or a P(held) is outside 0..1", i+1, n)
		}
	}
	for i := range s.Checkpoints {
		cp := &s.Checkpoints[i]
		if cp.Raw != nil && !inScale(*cp.Raw) {
			return fmt.Sprintf("checkpoint %d: raw %v is outside 1..5", cp.Questions, *cp.Raw)
		}
		for _, sc := range cp.Scores {
			if sc.Position < 0 || sc.Position >= n {
				return fmt.Sprintf("checkpoint %d: a score of position %d of %d criteria", cp.Questions, sc.Position, n)
			}
			if sc.Score != nil && !inScale(*sc.Score) {
				return fmt.Sprintf("checkpoint %d: a score of %v is outside 1..5", cp.Questions, *sc.Score)
			}
			for _, v := range []*float64{sc.Before, sc.BeforeLevel} {
				if v != nil && !inScale(*v) {
					return fmt.Sprintf("checkpoint %d: a former score or level of %v is outside 1..5", cp.Questions, *v)
				}
			}
			for _, v := range slices.Concat(sc.Repeats, sc.Levels) {
				if !math.IsNaN(v) && !inScale(v) {
					return fmt.Sprintf("checkpoint %d: a repeat of %v is outside 1..5", cp.Questions, v)
				}
			}
		}
	}
	return ""
}

// offWord reports whether s says how a decision is off the log, or that it is not.
func offWord(s string) bool {
	return s == "" || s == record.OffLogTask || s == record.OffLogHistory
}

// inScale reports whether a score is in 1..5, but for rounding.
func inScale(v float64) bool { return v >= 1-1e-6 && v <= 5+1e-6 }

// planned gives what says why a session cannot be of this run, or nothing.
func (r *Run) planned() func(*record.Session) string {
	tasks := map[string]bool{}
	for _, t := range r.Manifest.Data.TestTasks {
		tasks[t] = true
	}
	return func(s *record.Session) string {
		switch {
		case !tasks[s.Task]:
			return fmt.Sprintf("task %q is no test task of the manifest", s.Task)
		case !slices.Contains(r.Manifest.Seeds, s.Seed):
			return fmt.Sprintf("seed %d is no seed of the manifest", s.Seed)
		}
		return ""
	}
}

// shares reports whether every P(level | held) is a probability, or not known.
func shares(f *record.Inference) bool {
	for _, l := range f.Levels {
		for _, p := range l {
			if p < -1e-6 || p > 1+1e-6 {
				return false
			}
		}
	}
	return true
}

// fits reports whether an inference is about n criteria and holds probabilities;
// one that says nothing at all fits any number of criteria.
func fits(f *record.Inference, n int) bool {
	for _, p := range f.Held {
		if p < -1e-6 || p > 1+1e-6 {
			return false
		}
	}
	return (len(f.Held) == n || len(f.Held) == 0) && (len(f.Value) == n || len(f.Value) == 0) && (len(f.Levels) == n || len(f.Levels) == 0)
}

// An interner numbers strings in the order they come.
type interner map[string]int

func (in interner) index(s string) int {
	i, ok := in[s]
	if !ok {
		i = len(in)
		in[s] = i
	}
	return i
}

// sorted gives the strings in order, and the new number of every old one.
func (in interner) sorted() (ids []string, at []int) {
	for s := range in {
		ids = append(ids, s)
	}
	slices.Sort(ids)
	at = make([]int, len(ids))
	for i, s := range ids {
		at[in[s]] = i
	}
	return ids, at
}

// counts sorts what was counted by falling number, then by name.
func counts(m map[string]int) []count {
	out := make([]count, 0, len(m))
	for what, n := range m {
		out = append(out, count{What: what, N: n})
	}
	slices.SortFunc(out, func(a, b count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.What, b.What)) })
	return out
}

// short cuts a reason to what a table of reasons can hold.
func short(s string) string {
	const most = 100
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}

// bare takes the path out of a file error, which says it twice otherwise.
func bare(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
