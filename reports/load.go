package reports

import (
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
	read       int      // sessions in the file, each once
	leftOut    int      // lines of the file that are none of them
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
	traced  *trace                 // nil: no session believes anything
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
	tallied  tallied
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
	points     []atPoint       // of every point: what else is measured
	path       []step          // up to the budget
	kept       []turn          // of every step of the path
	stop       string          // why it asked no more
	turns      int             // questions, those past the budget included
	unplaced   int             // of them: about no criterion, or about one that was asked
	talk       *talk           // nil unless users answer in words
	released   []ReleasedScore // of every point, k from minK to maxK; nil unless the run is compatible with the released code
}

// atPoint is what is measured at a point beside the alignment. It is kept small: most of
// the memory of a report is these.
type atPoint struct {
	errors  [measures - valueMAE]float64 // measures of profile prediction from valueMAE on
	top     top                          // what the others are made of
	correct marked
	whole   whole
}

// measure gives a measure of profile prediction at a point, NaN where it is undefined.
func (s *session) measure(point, k int) float64 {
	p := &s.points[point]
	if k >= valueMAE {
		return p.errors[k-valueMAE]
	}
	return p.top.measure(k)
}

// marked says whether the task was marked rightly.
type marked int8

const (
	unknownAnswer marked = iota
	wrongAnswer
	rightAnswer
)

// share is 0 or 1, NaN when unknown.
func (a marked) share() float64 {
	switch a {
	case wrongAnswer:
		return 0
	case rightAnswer:
		return 1
	}
	return math.NaN()
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

// An Observer is shown every session that Load uses, one after another in the order of the
// file (those that failed after all others), with the place of its line in sessions.jsonl:
// where it begins, in bytes, and how long it is, its newline included. The session belongs to the reader, which fills it again with the next
// line: an observer copies what it keeps (strings may be kept, slices and pointers not).
type Observer func(offset int64, length int, s *record.Session)

// Load reads dir/manifest.json and dir/sessions.jsonl, and shows every session that is used
// to the observers. Lines of sessions.jsonl that are of no use are left out and warned of,
// each kind with its number, the first, and how to mend it: a torn last line, what is no
// session or contradicts itself, sessions of tasks, seeds, strategies or criteria that are
// not those of the run, and what is there twice. A file that is missing or cannot be read is
// a *domains.DataError, and so is a manifest that does not hold together, and a journal of
// which more lines are of another run, or of none, than of this one: what the rest adds up to
// is not what the manifest describes.
func Load(dir string, see ...Observer) (*Run, error) {
	r := &Run{criteria: interner{}}
	if err := r.readManifest(dir); err != nil {
		return nil, err
	}
	r.plan()
	if err := r.readSessions(filepath.Join(dir, record.SessionsFile), see); err != nil {
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
	if e := (*domains.DataError)(nil); errors.As(err, &e) && e.Mend == "" {
		e.Mend = "give the folder that pepbench run named"
	}
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

// lacking warns of fields of the manifest that are not there and that a reader would miss,
// and says what stands in for them.
func (r *Run) lacking() {
	m := &r.Manifest
	if m.ConfigHash == "" {
		r.warn("the manifest has no config_hash: nobody can tell which configuration these numbers are of")
	}
	if m.Sessions == 0 {
		r.warn("the manifest does not say how many sessions were planned: nobody can tell whether the run is finished")
	}
	if m.Data.Rubric == "" {
		r.warn("the manifest does not name the rubric: tasks are taken as the clusters")
	}
	if m.Endpoints == nil && !(strings.HasPrefix(m.Solver, "profile") && strings.HasPrefix(m.Judge, "profile")) {
		r.warn("the manifest names no endpoints: nobody can tell whether a simulator took part")
	}
	if last := slices.Max(append([]int{0}, m.Checkpoints...)); m.Budget == 0 && last > 0 {
		m.Budget = last
		if m.Horizon > 0 {
			m.Budget = min(last, m.Horizon)
		}
		m.Horizon = max(m.Horizon, m.Budget)
		r.warn("the manifest gives no budget: %d questions, the last checkpoint, are taken for it", m.Budget)
	}
}

// plan lays out the checkpoints of every strategy.
func (r *Run) plan() {
	m := &r.Manifest
	r.lacking()
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

// readSessions reads sessions.jsonl: twice its first bytes of every line, for what tasks are
// about, and once all of it. A line that failed may be followed by one of a new try, which
// takes its place; those that are not are read again at the end.
func (r *Run) readSessions(name string, see []Observer) error {
	bad := func(cause error) error {
		return &domains.DataError{File: name, What: "the sessions of the run cannot be read", Mend: "run the experiment; the same command resumes", Err: bare(cause)}
	}
	f, err := os.Open(name)
	if err != nil {
		return bad(err)
	}
	defer f.Close()
	in := &sessionReader{Run: r, see: see, byName: map[string]*strategy{}, tasks: interner{}, users: interner{}, asked: interner{}, admits: map[string]string{}, seen: map[sessionKey]spotted{}, unknown: map[string]int{}}
	for _, s := range r.strategies {
		in.byName[s.Name] = s
	}
	in.planned = r.planned()
	in.criteria, err = mostCriteria(f, func(strategy, task string, seed int) bool {
		return in.byName[strategy] != nil && in.planned(task, seed) == ""
	})
	if err != nil {
		return bad(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return bad(err)
	}
	if err := record.ReadEntries(f, in.use); err != nil {
		return bad(err)
	}
	if n, first, why := in.out.useless(); n > in.good {
		// What is left is not the run that the manifest describes, and must not be taken for it.
		return &domains.DataError{File: name, Line: first, What: fmt.Sprintf("%d of %d lines are no sessions of this run; the first: %s", n, n+in.good, why), Mend: "report the run in the folder that it was made in, or remove these lines and run the experiment again"}
	}
	for _, p := range in.failures() {
		s, err := again(f, p)
		if err != nil {
			return bad(err)
		}
		in.keep(p, s)
	}
	r.leftOut = in.out.total()
	r.warnings = append(r.warnings, in.out.warnings()...)
	r.unknown = counts(in.unknown)
	for _, c := range r.unknown {
		r.warn("strategy %q is not in the manifest: its sessions (%d) are left out", c.What, c.N)
	}
	if in.off > 0 {
		r.warn("sessions whose raw alignment does not follow from their scores: %d, the first in %s:%d; the recorded value is used", in.off, record.SessionsFile, in.firstOff)
	}
	r.arrange(in.tasks, in.users, in.asked)
	for _, id := range r.tasks {
		r.admits = append(r.admits, in.admits[id])
	}
	return nil
}

// A sessionReader is sessions.jsonl under way.
type sessionReader struct {
	*Run
	see                 []Observer
	planned             func(task string, seed int) string
	byName              map[string]*strategy
	criteria            map[string][]string // of every task
	tasks, users, asked interner
	admits              map[string]string // by task
	seen                map[sessionKey]spotted
	unknown             map[string]int
	good                int // lines of sessions of this run, those twice included
	out                 leftOut
	off, firstOff       int // sessions whose raw alignment does not follow, and the line of the first
}

// sessionKey is what there may be one session of.
type sessionKey struct {
	strategy   string // as in the manifest, if it is there
	seed       int
	task, user int32
}

// spotted is the line of a session, and, where it failed, its place.
type spotted struct {
	line   int
	failed *place
}

// use files a line, or counts why it does not.
func (in *sessionReader) use(e *record.Entry) {
	s := &e.Session
	lose := func(l loss, format string, a ...any) { in.out.add(l, e.Line, format, a...) }
	var syntax *json.SyntaxError
	if e.Err != nil {
		l := lossAlien
		if e.Torn && errors.As(e.Err, &syntax) {
			l = lossTorn
		}
		lose(l, "%v", e.Err)
		return
	}
	if s.Strategy == "" || s.Task == "" || s.User == "" {
		lose(lossAlien, "strategy, task or user is missing")
		return
	}
	if what := fault(s); what != "" {
		lose(lossFault, "session %q: %s", short(s.ID), what)
		return
	}
	if what := in.planned(s.Task, s.Seed); what != "" {
		lose(lossForeign, "%s", what)
		return
	}
	if want, ok := in.criteria[s.Task]; !ok {
		in.criteria[s.Task] = slices.Clone(s.Criteria)
	} else if what := otherCriteria(s.Criteria, want); what != "" {
		lose(lossCriteria, "task %q: %s", s.Task, what)
		return
	}
	in.good++
	st := in.byName[s.Strategy]
	key := sessionKey{s.Strategy, s.Seed, int32(in.tasks.index(s.Task)), int32(in.users.index(s.User))}
	if st != nil {
		key.strategy = st.Name
	}
	at, now := place{e.Line, e.Offset, e.Length}, spotted{line: e.Line}
	before, twice := in.seen[key]
	if twice && before.failed == nil {
		lose(lossTwice, "session %q is the same strategy, seed, task and user as line %d", short(s.ID), before.line)
		return
	}
	if !twice {
		if st == nil {
			in.unknown[s.Strategy]++
		} else {
			in.read++
		}
	}
	switch {
	case st == nil:
	case failed(s):
		now.failed = &at
	default:
		in.keep(at, s)
	}
	in.seen[key] = now
}

// keep shows a session to the observers, counts it, and files it under its strategy.
func (in *sessionReader) keep(at place, s *record.Session) {
	for _, o := range in.see {
		o(at.offset, at.length, s)
	}
	in.count(s)
	in.Run.see(s)
	if _, ok := in.admits[s.Task]; !ok {
		in.admits[s.Task] = strings.Join(slices.Sorted(slices.Values(s.Criteria)), "\x00")
	}
	if in.byName[s.Strategy].keep(in.Run, s, in.tasks.index(s.Task), in.users.index(s.User), in.asked) > 0 {
		if in.off++; in.off == 1 {
			in.firstOff = at.line
		}
	}
}

// failures are the places of sessions that failed and were not replaced, in the order of
// the file.
func (in *sessionReader) failures() (out []place) {
	for _, s := range in.seen {
		if s.failed != nil {
			out = append(out, *s.failed)
		}
	}
	slices.SortFunc(out, func(a, b place) int { return cmp.Compare(a.offset, b.offset) })
	return out
}

// failed reports whether the session could not be completed.
func failed(s *record.Session) bool { return s.Error != "" || s.Stop == record.StopError }

// otherCriteria says in what criteria differ from those of their task, or nothing. Their
// order counts: questions are compared by position.
func otherCriteria(got, want []string) string {
	switch {
	case slices.Equal(got, want):
		return ""
	case len(got) != len(want):
		return fmt.Sprintf("%d criteria instead of %d", len(got), len(want))
	}
	for _, id := range got {
		if !slices.Contains(want, id) {
			return fmt.Sprintf("it has no criterion %q", short(id))
		}
	}
	return "the same criteria in another order"
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
	r.warnings = append(r.warnings, printable(fmt.Sprintf(format, a...)))
}

// rawError is how far a recorded raw alignment may be from the one of its scores.
const rawError = 1e-4

// keep measures the session and files it. It gives 1 when a raw alignment does not
// follow from its scores, else 0.
func (st *strategy) keep(r *Run, s *record.Session, task, user int, asked interner) (off int) {
	st.tally(r, s)
	if failed(s) {
		st.failed[short(cmp.Or(s.Error, "no reason recorded"))]++
		return 0
	}
	n := len(st.points)
	out := &session{
		key: key{seed: s.Seed}, task: task, user: user,
		align: make([]float64, n), points: make([]atPoint, n),
		before: math.NaN(),
	}
	var of [measures]float64
	for i, p := range st.points {
		out.align[i] = math.NaN()
		at := &out.points[i]
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
			at.correct = wrongAnswer
			if *cp.Correct {
				at.correct = rightAnswer
			}
		}
		cells, top := measure(s, p, of[:])
		st.cells[i].add(cells)
		copy(at.errors[:], of[valueMAE:])
		at.top, at.whole = top, whole{cells.unknownHeld == 0, cells.unknownValue == 0}
		r.nominal = r.nominal || !math.IsNaN(of[levelErr])
		if r.compatible() {
			inf := s.Inference(p)
			for len(inf.Value) < len(inf.Held) { // all of them are unknown
				inf.Value = append(inf.Value, math.NaN())
			}
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

// planned gives what says why a session cannot be of this run, or nothing. A manifest
// that names no tasks, or no seeds, takes all.
func (r *Run) planned() func(task string, seed int) string {
	tasks := map[string]bool{}
	for _, t := range r.Manifest.Data.TestTasks {
		tasks[t] = true
	}
	if len(tasks) == 0 {
		r.warn("the manifest names no test tasks: sessions of all tasks are taken")
	}
	if len(r.Manifest.Seeds) == 0 {
		r.warn("the manifest names no seeds: sessions of all seeds are taken")
	}
	return func(task string, seed int) string {
		switch {
		case len(tasks) > 0 && !tasks[task]:
			return fmt.Sprintf("task %q is no test task of the manifest", short(task))
		case len(r.Manifest.Seeds) > 0 && !slices.Contains(r.Manifest.Seeds, seed):
			return fmt.Sprintf("seed %d is no seed of the manifest", seed)
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
