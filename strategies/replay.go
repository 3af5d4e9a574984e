package strategies

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"pepbench/domains"
	"pepbench/strategies/policylog"
)

// A Logged is an Elicitor that follows a log. OffLog says how the last decision of Next,
// a question or ErrDone, is off the log: OffLogTask, OffLogHistory, or empty where the
// log has this very decision.
type Logged interface {
	OffLog() string
}

// How a decision can be off the log.
const (
	OffLogTask    = "task"    // the log has the history on other tasks only
	OffLogHistory = "history" // the log does not have the history
)

// A ReplayMode says what of a log is replayed.
type ReplayMode string

// The modes; see Replay.
const (
	ReplayTrajectory ReplayMode = "trajectory"
	ReplayPolicy     ReplayMode = "policy"
)

// Replay asks what a log says that a policy asked. Decisions of the log that name a seed
// serve the sessions of that seed, the others those of every seed.
//
// In mode trajectory it asks what the log asked this very task, user and seed at this
// turn (where episodes of the seed and of every seed are there, those of the seed):
//
//	the log asked after the same questions and answers   that question
//	it asked after others                                that question, off by history
//	it stopped at this turn                              stops; off by history after others
//	it has no such turn, or the question cannot be       stops, off by history
//	asked or was asked before
//
// In mode policy it asks what the log asked most often after these questions and answers,
// in this order:
//
//	decisions on this task after this very history       the most frequent
//	else on other tasks after it                         the most frequent, off by task
//	else at this turn after histories that begin as      the most frequent of the longest
//	this one does, with one question or more in common   beginning, off by history
//	else at this turn                                    the most frequent, off by history
//	else                                                 stops, off by history
//
// where a question counts only if it can still be asked here, and a step without any is
// passed over. To stop counts as a decision; of equally frequent ones the question at the
// lowest position is asked, and stopping comes last.
//
// Where nothing is left to ask, it stops, which is no decision and not off the log.
type Replay struct {
	Log     *ReplayLog
	Predict Predict
}

// A ReplayLog is a log that is ready to be replayed, by several goroutines if need be.
type ReplayLog struct {
	mode     ReplayMode
	criteria map[string]uint32 // ids that the log has, numbered
	episodes map[meeting][]replayed
	policies map[int]*policyIndex // by seed; anySeed: what serves every seed
}

// anySeed stands for the seeds that no decision names.
const anySeed = -1

// A meeting is where a trajectory is looked up.
type meeting struct {
	task, user string
	seed       int
}

// replayed is a decision of a trajectory. A turn that the log does not have has no past.
type replayed struct {
	past   []byte // the key of the history; nil: the log does not have the turn
	choice uint32
}

// stopping stands for the criterion of a decision to stop, and strange for one that the
// log does not have, which no history in it can contain.
const (
	stopping = math.MaxUint32
	strange  = math.MaxUint32 - 1
)

// A policyIndex counts decisions by what came before: the turn with the first questions
// and answers of the history, all of them on one task or on any, or fewer.
type policyIndex struct {
	task   map[string]map[string]tally
	begins map[string]tally
}

// A tally counts decisions.
type tally []struct {
	choice uint32
	n      int
}

func (t tally) add(choice uint32) tally {
	for i := range t {
		if t[i].choice == choice {
			t[i].n++
			return t
		}
	}
	return append(t, struct {
		choice uint32
		n      int
	}{choice, 1})
}

// A history as a key is the turn and then every question with its answer.
const (
	turnBytes = 4
	pairBytes = 4 + 8
)

func appendPair(key []byte, criterion uint32, c domains.Cell) []byte {
	key = binary.LittleEndian.AppendUint32(key, criterion)
	v := math.NaN()
	switch {
	case c.IsHeld():
		v = c.Value() + 0 // -0 is 0
	case c.IsNotHeld():
		v = math.Inf(-1)
	}
	return binary.LittleEndian.AppendUint64(key, math.Float64bits(v))
}

// NewReplayLog makes a log of one policy ready. A log of several is refused, and so is
// for mode trajectory one with two episodes of one user on a task under a seed, or with
// none whose user is known; errors wrap domains.ErrData.
func NewReplayLog(l *policylog.Log, mode ReplayMode) (*ReplayLog, error) {
	bad := func(mend, format string, a ...any) error {
		return &domains.DataError{File: l.Source.Path, What: fmt.Sprintf(format, a...), Mend: mend}
	}
	if ids := l.Policies(); len(ids) != 1 {
		return nil, bad("name one", "a log of %d policies (%s)", len(ids), strings.Join(ids, ", "))
	}
	r := &ReplayLog{mode: mode, criteria: map[string]uint32{}}
	switch mode {
	case ReplayPolicy:
		r.index(l)
		return r, nil
	case ReplayTrajectory:
	default:
		return nil, fmt.Errorf("strategies: no mode of a replay %q", mode)
	}
	r.episodes = map[meeting][]replayed{}
	owner := map[meeting]string{}
	for i := range l.Decisions {
		d := &l.Decisions[i]
		if d.User == "" {
			continue
		}
		m := meeting{d.Task, d.User, anySeed}
		if d.Seed != nil {
			m.seed = *d.Seed
		}
		if had, ok := owner[m]; ok && had != d.Episode {
			return nil, bad("keep one of them", "user %q has two episodes on task %q (%q and %q), so that there is no one trajectory", d.User, d.Task, had, d.Episode)
		}
		owner[m] = d.Episode
		e := r.episodes[m]
		for len(e) <= d.Turn {
			e = append(e, replayed{})
		}
		e[d.Turn] = replayed{r.key(d), r.choice(d)}
		r.episodes[m] = e
	}
	if len(r.episodes) == 0 {
		return nil, bad("replay it in mode policy", "no decision of the log names a user, so that there are no trajectories")
	}
	return r, nil
}

// Has reports whether there is a trajectory for a session; mode trajectory.
func (r *ReplayLog) Has(task, user string, seed int) bool {
	return r.trajectory(task, user, seed) != nil
}

func (r *ReplayLog) trajectory(task, user string, seed int) []replayed {
	if t, ok := r.episodes[meeting{task, user, seed}]; ok {
		return t
	}
	return r.episodes[meeting{task, user, anySeed}]
}

// number numbers a criterion.
func (r *ReplayLog) number(id string) uint32 {
	n, ok := r.criteria[id]
	if !ok {
		n = uint32(len(r.criteria))
		r.criteria[id] = n
	}
	return n
}

// key is the history of a decision.
func (r *ReplayLog) key(d *policylog.Decision) []byte {
	key := make([]byte, turnBytes, turnBytes+pairBytes*len(d.History))
	binary.LittleEndian.PutUint32(key, uint32(d.Turn))
	for _, t := range d.History {
		key = appendPair(key, r.number(t.Criterion), t.Answer)
	}
	return key
}

func (r *ReplayLog) choice(d *policylog.Decision) uint32 {
	if d.Stop {
		return stopping
	}
	return r.number(d.Question)
}

// index fills policies.
func (r *ReplayLog) index(l *policylog.Log) {
	r.policies = map[int]*policyIndex{anySeed: newPolicyIndex()}
	for i := range l.Decisions {
		if s := l.Decisions[i].Seed; s != nil && r.policies[*s] == nil {
			r.policies[*s] = newPolicyIndex()
		}
	}
	for i := range l.Decisions {
		d := &l.Decisions[i]
		key, choice := r.key(d), r.choice(d)
		if d.Seed != nil {
			r.policies[*d.Seed].add(d.Task, key, choice)
			continue
		}
		for _, p := range r.policies {
			p.add(d.Task, key, choice)
		}
	}
}

func newPolicyIndex() *policyIndex {
	return &policyIndex{task: map[string]map[string]tally{}, begins: map[string]tally{}}
}

func (p *policyIndex) add(task string, key []byte, choice uint32) {
	if p.task[task] == nil {
		p.task[task] = map[string]tally{}
	}
	p.task[task][string(key)] = p.task[task][string(key)].add(choice)
	for n := turnBytes; n <= len(key); n += pairBytes {
		p.begins[string(key[:n])] = p.begins[string(key[:n])].add(choice)
	}
}

// Begin implements Strategy.
func (r Replay) Begin(s Setting) Elicitor {
	e := &replay{
		log: r.Log, setting: s, predictor: r.Predict.Begin(s), key: make([]byte, turnBytes),
		asked: make([]bool, len(s.Criteria)), numbers: make([]uint32, len(s.Criteria)),
	}
	if r.Log.mode == ReplayPolicy {
		e.at = make(map[uint32]int, len(s.Criteria))
	}
	for i := range s.Criteria {
		n, ok := r.Log.criteria[s.Criteria[i].ID]
		if !ok {
			n = strange
		} else if e.at != nil {
			e.at[n] = i
		}
		e.numbers[i] = n
	}
	if r.Log.mode == ReplayPolicy {
		if e.policy = r.Log.policies[s.Seed]; e.policy == nil {
			e.policy = r.Log.policies[anySeed]
		}
		return e
	}
	e.trajectory = r.Log.trajectory(s.Task.ID, s.User, s.Seed)
	return e
}

type replay struct {
	log       *ReplayLog
	setting   Setting
	predictor Predictor
	asked     []bool
	numbers   []uint32       // of the criteria, by position
	at        map[uint32]int // position of a criterion, by number; mode policy
	key       []byte
	turn      int
	off       string

	trajectory []replayed   // of mode trajectory
	policy     *policyIndex // of mode policy
}

// Next implements Elicitor.
func (e *replay) Next(context.Context) (domains.Question, error) {
	position := -1
	if e.off = ""; e.left() {
		binary.LittleEndian.PutUint32(e.key, uint32(e.turn))
		if e.policy != nil {
			position, e.off = e.frequent()
		} else {
			position, e.off = e.followed()
		}
	}
	if position < 0 {
		return domains.Question{}, ErrDone
	}
	e.asked[position] = true
	return Ask(&e.setting, position), nil
}

// can reports whether a position may still be asked.
func (e *replay) can(i int) bool { return !e.asked[i] && e.setting.CanAsk(i) }

// left reports whether anything can still be asked.
func (e *replay) left() bool {
	for i := range e.asked {
		if e.can(i) {
			return true
		}
	}
	return false
}

// followed is the next position of the trajectory, -1: to stop, and how it is off the log.
func (e *replay) followed() (position int, off string) {
	if e.turn >= len(e.trajectory) || e.trajectory[e.turn].past == nil {
		return -1, OffLogHistory
	}
	d := &e.trajectory[e.turn]
	if string(d.past) != string(e.key) {
		off = OffLogHistory
	}
	if d.choice == stopping {
		return -1, off
	}
	for i, n := range e.numbers {
		if n == d.choice && e.can(i) {
			return i, off
		}
	}
	return -1, OffLogHistory
}

// frequent is the position that the policy asks, -1: to stop, and how it is off the log.
func (e *replay) frequent() (position int, off string) {
	if i, ok := e.most(e.policy.task[e.setting.Task.ID][string(e.key)]); ok {
		return i, ""
	}
	if i, ok := e.most(e.policy.begins[string(e.key)]); ok {
		return i, OffLogTask
	}
	for n := len(e.key) - pairBytes; n >= turnBytes; n -= pairBytes {
		if i, ok := e.most(e.policy.begins[string(e.key[:n])]); ok {
			return i, OffLogHistory
		}
	}
	return -1, OffLogHistory
}

// most is the most frequent of decisions that can be carried out, -1: to stop; false
// where there is none.
func (e *replay) most(t tally) (position int, ok bool) {
	most := 0
	for _, d := range t {
		i := -1
		if d.choice != stopping {
			p, here := e.at[d.choice]
			if !here || !e.can(p) {
				continue
			}
			i = p
		}
		if d.n > most || d.n == most && i >= 0 && (position < 0 || i < position) {
			position, most = i, d.n
		}
	}
	return position, most > 0
}

// Observe implements Elicitor.
func (e *replay) Observe(q domains.Question, a domains.Answer) {
	e.predictor.Observe(q.Position, a.Cell)
	e.key = appendPair(e.key, e.numbers[q.Position], a.Cell)
	e.turn++
}

// Infer implements Elicitor.
func (e *replay) Infer() domains.Inference { return e.predictor.Infer() }

// OffLog implements Logged.
func (e *replay) OffLog() string { return e.off }

var (
	_ Strategy = Replay{}
	_ Logged   = (*replay)(nil)
)
