package reports

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/reports/stats"
)

// PairedFile is the file of a baseline that stands for sessions.jsonl.
const PairedFile = "paired.csv"

// pairedSchema is the version of PairedFile.
const pairedSchema = "pepbench paired values 1"

// pairedScale rounds the values that two runs are compared by to six decimals, so that a
// run and its baseline hold the same numbers.
const pairedScale = 1e6

// A pairedMeasure is a measure in which two runs are compared.
type pairedMeasure struct {
	key    string  // in files and gates
	label  string  // in tables
	lower  bool    // less of it is better
	places int     // decimals shown
	span   float64 // its largest change; 0: has none
}

// The measures of a session, in the order of files and tables.
var pairedMeasures = []pairedMeasure{
	{"alignment", "alignment", false, 2, 100},
	{"correctness", "correctness", false, 3, 1},
	{"questions", "questions asked", true, 2, 0},
	{"held_mae", "value error", true, 3, 0},
	{"brier", "relevance error", true, 4, 1},
	{"log_score", "log score", false, 4, 0},
	{"level_error", "level error", true, 3, 0},
	{"f1_at_5", "F1@5", false, 3, 1},
}

// followUp is the measure of a task: the strict follow-up adaptivity.
var followUp = pairedMeasure{"adaptivity", "adaptivity", false, 3, 1}

// toTargetMeasure is the measure of a whole strategy.
var toTargetMeasure = pairedMeasure{"questions_to_target", "questions to target", true, 2, 0}

// A side is one of two runs that are compared.
type side struct {
	dir      string
	manifest *record.Manifest
	kept     bool   // read from PairedFile
	sha      string // SHA-256 of sessions.jsonl
	points   []int  // checkpoints up to the horizon
	final    int    // number of questions at the final one
	rows     []*sideRow
}

// A sideRow is a strategy of a side.
type sideRow struct {
	record.Strategy
	sessions map[sessionID]*pairedSession // completed ones
	asks     map[string]pairCount         // follow-ups by task
	failed   []count                      // reasons; unknown of a baseline
}

type sessionID struct {
	seed       int
	task, user string
}

func (a sessionID) compare(b sessionID) int {
	return cmp.Or(cmp.Compare(a.seed, b.seed), cmp.Compare(a.task, b.task), cmp.Compare(a.user, b.user))
}

// A pairedSession holds the values of a session, NaN where undefined.
type pairedSession struct {
	values []float64 // as pairedMeasures
	curve  []float64 // alignment at side.points; of a floor or ceiling the first alone
}

func (s *side) row(name string) *sideRow {
	for _, r := range s.rows {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// sessions counts those that were completed.
func (s *side) sessions() (n int) {
	for _, r := range s.rows {
		n += len(r.sessions)
	}
	return n
}

func (s *side) survey() bool { return s.manifest.Data.Rubric == string(domains.NoRubric) }

// readSide reads a run, or a baseline: a folder without sessions.jsonl and with
// PairedFile.
func readSide(dir string) (*side, error) {
	name := filepath.Join(dir, record.SessionsFile)
	_, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		if _, sweep := os.Stat(filepath.Join(dir, record.SweepFile)); sweep == nil {
			return nil, &domains.DataError{File: dir, What: "is a sweep, of many runs", Mend: "give the folder of one of its cells"}
		}
		if _, kept := os.Stat(filepath.Join(dir, PairedFile)); kept == nil {
			return readPaired(dir)
		}
		if _, there := os.Stat(filepath.Join(dir, record.ManifestFile)); there != nil {
			return nil, &domains.DataError{File: dir, What: "holds neither a run nor a baseline", Mend: "give the folder that pepbench run or pepbench baseline named"}
		}
	}
	r, err := Load(dir)
	if err != nil {
		return nil, err
	}
	sha, err := fileHash(name)
	if err != nil {
		return nil, err
	}
	return r.side(dir, sha), nil
}

func fileHash(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// side keeps of a run what is compared.
func (r *Run) side(dir, sha string) *side {
	out := &side{dir: dir, manifest: &r.Manifest, sha: sha, points: r.points, final: r.points[r.final]}
	for _, st := range r.strategies {
		row := &sideRow{Strategy: st.Strategy, sessions: map[sessionID]*pairedSession{}, asks: map[string]pairCount{}, failed: counts(st.failed)}
		for _, s := range st.sessions {
			p := &pairedSession{values: st.paired(s), curve: make([]float64, len(s.align))}
			for i, v := range s.align {
				p.curve[i] = rounded(v)
			}
			row.sessions[sessionID{s.seed, r.tasks[s.task], r.users[s.user]}] = p
		}
		if !st.fixed() {
			for i, f := range countFollowUps(st.sessions, len(r.tasks), r.Manifest.Budget) {
				if f.strict.pairs > 0 {
					row.asks[r.tasks[i]] = f.strict
				}
			}
		}
		out.rows = append(out.rows, row)
	}
	return out
}

// paired gives the values of a session at the final checkpoint, as pairedMeasures.
// Errors and scores of the profile are over whole profiles or undefined, as in the
// comparisons of strategies.
func (st *strategy) paired(s *session) []float64 {
	whole := func(place int) float64 {
		c := comparedMeasure{place: place}
		if st.told() {
			return math.NaN()
		}
		return c.of(s, st.final)
	}
	log := math.NaN()
	if !st.told() && s.points[st.final].whole.held {
		log = s.measure(st.final, logScore)
	}
	out := []float64{
		s.align[st.final], s.points[st.final].correct.share(), float64(len(s.path)), whole(heldMAE), whole(brier), log, whole(levelErr),
		s.measure(st.final, f1At+tableK-minK),
	}
	for i, v := range out {
		out[i] = rounded(v)
	}
	return out
}

func rounded(v float64) float64 {
	v = math.Round(v*pairedScale) / pairedScale
	if v == 0 {
		return 0 // not "-0"
	}
	return v
}

// paired gives the bytes of PairedFile.
func (s *side) paired() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	head := []string{"strategy", "seed", "task", "user"}
	for _, m := range pairedMeasures {
		head = append(head, m.key)
	}
	for _, p := range s.points {
		head = append(head, fmt.Sprintf("alignment_at_%d", p))
	}
	head = append(head, "pairs", "differing")
	lines := [][]string{{pairedSchema, s.manifest.ConfigHash, s.sha}, head}
	number := func(v float64) string {
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	rows := slices.SortedFunc(slices.Values(s.rows), func(a, b *sideRow) int { return cmp.Compare(a.Name, b.Name) })
	for _, r := range rows {
		for _, task := range sortedKeys(r.asks) {
			line := make([]string, len(head))
			line[0], line[2] = r.Name, task
			line[len(head)-2], line[len(head)-1] = strconv.FormatInt(r.asks[task].pairs, 10), strconv.FormatInt(r.asks[task].differ, 10)
			lines = append(lines, line)
		}
		for _, id := range sortedIDs(r.sessions) {
			line := make([]string, len(head))
			line[0], line[1], line[2], line[3] = r.Name, strconv.Itoa(id.seed), id.task, id.user
			at := 4
			for _, v := range slices.Concat(r.sessions[id].values, r.sessions[id].curve) {
				line[at] = number(v)
				at++
			}
			lines = append(lines, line)
		}
	}
	if err := w.WriteAll(lines); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func sortedIDs(m map[sessionID]*pairedSession) []sessionID {
	out := make([]sessionID, 0, len(m))
	for id := range m {
		out = append(out, id)
	}
	slices.SortFunc(out, sessionID.compare)
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// readPaired reads a baseline.
func readPaired(dir string) (*side, error) {
	r := &Run{}
	if err := r.readManifest(dir); err != nil {
		return nil, err
	}
	r.plan()
	name := filepath.Join(dir, PairedFile)
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, &domains.DataError{File: name, What: "the baseline cannot be read", Mend: "write it again with pepbench baseline", Err: bare(err)}
	}
	out := r.side(dir, "")
	out.kept = true
	if err := out.parse(name, b); err != nil {
		return nil, err
	}
	if n := out.sessions(); n != r.Manifest.Sessions { // WriteBaseline keeps whole runs alone
		return nil, &domains.DataError{File: name, What: fmt.Sprintf("holds %d of %d sessions: what it lacks would not be compared", n, r.Manifest.Sessions), Mend: "write the baseline again with pepbench baseline"}
	}
	return out, nil
}

// parse fills the rows with what the bytes of PairedFile say. A fault is a
// *domains.DataError with file and line.
func (s *side) parse(name string, b []byte) error {
	in := csv.NewReader(bytes.NewReader(b))
	in.FieldsPerRecord = -1
	bad := func(format string, a ...any) error {
		line, _ := in.FieldPos(0)
		return &domains.DataError{File: name, Line: line, What: fmt.Sprintf(format, a...), Mend: "write the baseline again with pepbench baseline"}
	}
	next := func() ([]string, error) {
		line, err := in.Read()
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			return nil, &domains.DataError{File: name, Line: syntax.Line, What: "not CSV: " + syntax.Err.Error(), Mend: "write the baseline again with pepbench baseline"}
		}
		return line, err
	}
	first, err := next()
	switch {
	case err == io.EOF:
		return &domains.DataError{File: name, What: "is empty", Mend: "write the baseline again with pepbench baseline"}
	case err != nil:
		return err
	case len(first) != 3 || first[0] != pairedSchema:
		return bad("does not begin with %q, the hash of the configuration and that of the sessions", pairedSchema)
	case first[1] != s.manifest.ConfigHash:
		return bad("is of another configuration than the manifest beside it")
	}
	s.sha = first[2]
	want := []string{"strategy", "seed", "task", "user"}
	for _, m := range pairedMeasures {
		want = append(want, m.key)
	}
	for _, p := range s.points {
		want = append(want, fmt.Sprintf("alignment_at_%d", p))
	}
	want = append(want, "pairs", "differing")
	head, err := next()
	switch {
	case err == io.EOF:
		return bad("has no columns")
	case err != nil:
		return err
	case !slices.Equal(head, want):
		return bad("has other columns than %s", strings.Join(want, ","))
	}
	for {
		line, err := next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case len(line) != len(want):
			return bad("%d fields in place of %d", len(line), len(want))
		}
		row := s.row(line[0])
		switch {
		case row == nil:
			return bad("strategy %q is not in the manifest", line[0])
		case !slices.Contains(s.manifest.Data.TestTasks, line[2]):
			return bad("task %q is no test task of the manifest", line[2])
		case line[1] == "" && line[3] == "":
			p, err := s.parsePairs(line)
			if err != "" {
				return bad("%s", err)
			}
			if _, twice := row.asks[line[2]]; twice {
				return bad("strategy %q and task %q have two lines of pairs", line[0], line[2])
			}
			row.asks[line[2]] = p
			continue
		}
		seed, err := strconv.Atoi(line[1])
		if err != nil || !slices.Contains(s.manifest.Seeds, seed) {
			return bad("seed %q is no seed of the manifest", line[1])
		}
		id := sessionID{seed, line[2], line[3]}
		switch {
		case id.user == "":
			return bad("a session without user")
		case row.sessions[id] != nil:
			return bad("the session of strategy %q, seed %d, task %q and user %q is there twice", line[0], seed, id.task, id.user)
		case line[len(line)-1] != "" || line[len(line)-2] != "":
			return bad("a session has pairs, which are of a task")
		}
		p := &pairedSession{}
		for i, text := range line[4 : len(line)-2] {
			v := math.NaN()
			if text != "" {
				if v, err = strconv.ParseFloat(text, 64); err != nil || math.IsNaN(v) || math.IsInf(rounded(v), 0) {
					return bad("%s is %q, which is no number", want[4+i], text)
				}
			}
			if i < len(pairedMeasures) {
				p.values = append(p.values, rounded(v))
			} else {
				p.curve = append(p.curve, rounded(v))
			}
		}
		if row.fixed() {
			p.curve = p.curve[:1]
		}
		row.sessions[id] = p
	}
}

// parsePairs reads the line of a task.
func (s *side) parsePairs(line []string) (pairCount, string) {
	for _, text := range line[4 : len(line)-2] {
		if text != "" {
			return pairCount{}, "a line without seed and user has values of a session"
		}
	}
	pairs, err := strconv.ParseInt(line[len(line)-2], 10, 64)
	differ, err2 := strconv.ParseInt(line[len(line)-1], 10, 64)
	if err != nil || err2 != nil || pairs < 1 || differ < 0 || differ > pairs {
		return pairCount{}, fmt.Sprintf("%q differing of %q pairs", line[len(line)-1], line[len(line)-2])
	}
	return pairCount{pairs, differ}, ""
}

func (r *sideRow) fixed() bool { return r.Kind == kindFloor || r.Kind == kindCeiling }

// share is the follow-up adaptivity of a task, NaN without pairs.
func (r *sideRow) share(task string) float64 {
	p := r.asks[task]
	return rounded(p.share())
}

// WriteBaseline keeps of the finished run in dir what CompareRuns needs, as a baseline in
// the folder to: its manifest and PairedFile, the latter first, each whole or not at all.
// It says in one line a change what differs from the baseline that was there. A folder
// with sessions of a run is refused, and so is a run of which sessions are missing or
// failed: the baseline would lack them ever after.
func WriteBaseline(dir, to string) (changes []string, err error) {
	s, err := readSide(dir)
	if err != nil {
		return nil, err
	}
	if s.kept {
		return nil, &domains.DataError{File: dir, What: "is a baseline itself", Mend: "give the folder of a run"}
	}
	if n := s.sessions(); n != s.manifest.Sessions {
		return nil, &domains.DataError{File: dir, What: fmt.Sprintf("%d of %d planned sessions are there without an error", n, s.manifest.Sessions), Mend: "finish the run first: the same command resumes"}
	}
	if there(to, record.SessionsFile) {
		return nil, &domains.DataError{File: to, What: "holds a run, which a baseline would spoil", Mend: "name another folder"}
	}
	if there(to, PairedFile) {
		switch old, err := readSide(to); {
		case err != nil:
			changes = append(changes, fmt.Sprintf("the baseline that was there could not be read: %s", firstLine(err)))
		default:
			changes = changed(old, s)
		}
	} else {
		changes = append(changes, fmt.Sprintf("a new baseline of %d sessions", s.sessions()))
	}
	paired, err := s.paired()
	if err != nil {
		return nil, err
	}
	manifest, err := os.ReadFile(filepath.Join(dir, record.ManifestFile))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return nil, err
	}
	var out Summary
	return changes, out.put(to, []File{{PairedFile, paired}, {record.ManifestFile, manifest}})
}

func there(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// changed words what differs between an older baseline and the run that replaces it.
func changed(old, s *side) (out []string) {
	for _, d := range differences(old.manifest, s.manifest) {
		out = append(out, d.String())
	}
	for _, r := range s.rows {
		before := old.row(r.Name)
		if before == nil {
			out = append(out, fmt.Sprintf("%s: new", r.Name))
			continue
		}
		lost, added := 0, 0
		for id := range before.sessions {
			if r.sessions[id] == nil {
				lost++
			}
		}
		for id := range r.sessions {
			if before.sessions[id] == nil {
				added++
			}
		}
		if lost+added > 0 {
			out = append(out, fmt.Sprintf("%s: sessions: %d gone, %d new", r.Name, lost, added))
		}
		for k, m := range pairedMeasures {
			n, total := 0, 0
			var was, is []float64
			for id, p := range before.sessions {
				if q := r.sessions[id]; q != nil {
					total++
					was, is = append(was, p.values[k]), append(is, q.values[k])
					if !same(p.values[k], q.values[k]) {
						n++
					}
				}
			}
			if n > 0 {
				a, _ := stats.Mean(sortedFloats(was))
				b, _ := stats.Mean(sortedFloats(is))
				out = append(out, fmt.Sprintf("%s: %s of %d of %d sessions, mean %s > %s", r.Name, m.label, n, total, m.show(a), m.show(b)))
			}
		}
	}
	for _, r := range old.rows {
		if s.row(r.Name) == nil {
			out = append(out, fmt.Sprintf("%s: gone", r.Name))
		}
	}
	if out == nil {
		out = append(out, "nothing changes")
	}
	return out
}

// same says whether two values are equal or both undefined.
func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// sortedFloats orders, so that a sum does not depend on the order of a map.
func sortedFloats(x []float64) []float64 { slices.Sort(x); return x }

// show formats a value, a dash where it is undefined.
func (m *pairedMeasure) show(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return dash
	}
	return num(Number(v), fmt.Sprintf("%%.%df", m.places))
}
