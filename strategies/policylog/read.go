package policylog

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"pepbench/domains"
)

// tolerance is how far sums and repeated numbers may be off.
const tolerance = 1e-6

// Read reads a log of decisions on the tasks of d and holds it to the rules of the
// format; name is that of the file in errors, all of which wrap domains.ErrData. The
// decisions are in the order of the file.
func Read(r io.Reader, name string, d *domains.Dataset) (*Log, error) {
	rd := reader{file: name, data: d, tasks: make(map[string]*known, len(d.Tasks)), all: make(map[string]bool, len(d.Criteria))}
	for t := range d.Tasks {
		rd.tasks[d.Tasks[t].ID] = &known{task: t}
	}
	for i := range d.Criteria {
		rd.all[d.Criteria[i].ID] = true
	}
	if err := rd.read(r); err != nil {
		return nil, err
	}
	if len(rd.log.Decisions) == 0 {
		return nil, empty(name)
	}
	if err := rd.episodes(); err != nil {
		return nil, err
	}
	return &rd.log, nil
}

type reader struct {
	file  string
	data  *domains.Dataset
	tasks map[string]*known
	all   map[string]bool // ids of all criteria

	log   Log
	lines []int // of every decision
	line  int
}

// known is a task of the data, with its criteria as soon as it is met.
type known struct {
	task     int
	criteria map[string]*domains.Criterion
}

func (r *reader) bad(mend, format string, a ...any) error {
	return &domains.DataError{File: r.file, Line: r.line, What: fmt.Sprintf(format, a...), Mend: mend}
}

func (r *reader) read(in io.Reader) error {
	hash := sha256.New()
	size := int64(0)
	b := bufio.NewReaderSize(io.TeeReader(in, hash), 1<<16)
	first := true
	for r.line = 1; ; r.line++ {
		line, err := b.ReadBytes('\n')
		size += int64(len(line))
		if err != nil && !errors.Is(err, io.EOF) {
			return &domains.DataError{File: r.file, Line: r.line, What: "the log cannot be read", Err: err}
		}
		if r.line == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff")) // some editors' mark of UTF-8
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if e := r.one(line, first); e != nil {
				return e
			}
			first = false
		}
		if err != nil {
			r.log.Source = domains.Source{Path: r.file, SHA256: hex.EncodeToString(hash.Sum(nil)), Bytes: size}
			return nil
		}
	}
}

// wire is a line as it is written. Pointers and raw messages are nil where a key is
// missing.
type wire struct {
	Policy      string
	Task        string
	User        string
	Episode     string
	Seed        *int
	Turn        *int
	History     []wireTold
	Question    string
	Stop        bool
	Probability *float64
	Choices     map[string]*float64
}

type wireTold struct {
	Criterion string
	Answer    json.RawMessage
}

// keys of the objects of a log; encoding/json would take them in any case of letters.
var (
	headerKeys   = []string{"policylog", "model", "parameters", "method", "data", "note"}
	decisionKeys = []string{"policy", "task", "user", "episode", "seed", "turn", "history", "question", "stop", "probability", "choices"}
	toldKeys     = []string{"criterion", "answer"}
)

func (r *reader) one(line []byte, first bool) error {
	if r.line == 1 && bytes.HasPrefix(line, []byte("\x1f\x8b")) {
		return r.bad("unpack it first", "the file is compressed")
	}
	if !utf8.Valid(line) {
		return r.bad("save the file as UTF-8", "the line is not UTF-8")
	}
	keys, err := objects(line)
	if errors.Is(err, errTwice) {
		return r.bad("keep one of them", "not a decision: %v", err)
	}
	if err != nil {
		return r.bad("write one JSON object a line", "not a decision: %v", err)
	}
	top := keys[0].keys
	if slices.Contains(top, "policylog") {
		if !first {
			return r.bad("move it to the top, and leave out any other", "a header that is not the first line")
		}
		return r.header(line, top)
	}
	if err := r.keys(top, decisionKeys); err != nil {
		return err
	}
	for _, o := range keys[1:] {
		if strings.HasPrefix(o.path, ".history[]") {
			if err := r.keys(o.keys, toldKeys); err != nil {
				return err
			}
		}
	}
	var w wire
	if err := json.Unmarshal(line, &w); err != nil {
		what, mend := plain(err)
		return r.bad(mend, "not a decision: %s", what)
	}
	return r.decision(&w)
}

func (r *reader) keys(have, want []string) error {
	for _, k := range have {
		if !slices.Contains(want, k) {
			return r.bad("known keys: "+strings.Join(want, ", "), "unknown key %q", k)
		}
	}
	return nil
}

// plain says what is wrong with a value, and what it should be, without the names of Go.
func plain(err error) (what, mend string) {
	var t *json.UnmarshalTypeError
	if !errors.As(err, &t) {
		return err.Error(), "write one JSON object a line"
	}
	is := t.Value
	switch {
	case is == "object" || is == "array":
		is = "an " + is
	case strings.HasPrefix(is, "number "):
		is = "the " + is
	default:
		is = "a " + is
	}
	switch t.Type.Kind() {
	case reflect.Int, reflect.Int64:
		mend = "give a whole number"
	case reflect.Float64:
		mend = "give a number"
	case reflect.Bool:
		mend = "give true or false"
	case reflect.String:
		mend = "give a text"
	case reflect.Slice:
		mend = "give a list of questions, each with criterion and answer"
	case reflect.Map:
		mend = "give an object with a probability for every criterion"
	default:
		mend = "give an object with criterion and answer"
	}
	return cmp.Or(strings.ToLower(t.Field), "the line") + " is " + is, mend
}

func (r *reader) header(line []byte, keys []string) error {
	if v, ok := laterVersion(line); ok { // whose keys may be others
		return r.bad("use a later version of this program, or write version 1", "log of version %s, this program reads %d", v, Version)
	}
	if err := r.keys(keys, headerKeys); err != nil {
		return err
	}
	h := &r.log.Header
	if err := json.Unmarshal(line, h); err != nil {
		what, mend := plain(err)
		return r.bad(mend, "not a header: %s", what)
	}
	name := DataName(r.data)
	switch {
	case h.Version != Version:
		return r.bad(fmt.Sprintf("write %d", Version), "policylog is %d, which is no version of the format", h.Version)
	case h.Parameters < 0:
		return r.bad("leave it out where it is not known", "parameters %d are negative", h.Parameters)
	case h.Data != "" && h.Data != r.data.Name && h.Data != name:
		return r.bad("replay it on the data it was made on", "log of data %q, and this is %q", h.Data, name)
	}
	return nil
}

// laterVersion says whether a header is of a version that is not known here.
func laterVersion(line []byte) (string, bool) {
	var h struct{ Policylog json.Number }
	if json.Unmarshal(line, &h) != nil {
		return "", false
	}
	v, err := h.Policylog.Float64()
	return h.Policylog.String(), err == nil && v > Version
}

func (r *reader) decision(w *wire) error {
	d := Decision{
		Policy: w.Policy, Task: w.Task, User: w.User, Episode: w.Episode, Seed: w.Seed,
		History: []Told{}, Question: w.Question, Stop: w.Stop, Probability: w.Probability,
	}
	switch {
	case d.Policy == "":
		return r.bad("give the policy an id", "no policy")
	case d.Task == "":
		return r.bad("name the task", "no task")
	case d.User == "" && d.Episode == "":
		return r.bad("give one of them, so that the lines of an episode belong together", "neither user nor episode")
	case d.Seed != nil && *d.Seed < 0:
		return r.bad("leave it out for all seeds", "seed %d is negative", *d.Seed)
	case w.Turn == nil:
		return r.bad("give the number of questions that were asked before", "no turn")
	case *w.Turn < 0:
		return r.bad("the first decision is turn 0", "turn %d", *w.Turn)
	case d.Question == "" && !d.Stop:
		return r.bad("give a criterion, or stop: true", "neither question nor stop")
	case d.Question != "" && d.Stop:
		return r.bad("leave one of them out", "both question %q and stop", d.Question)
	case len(w.History) != *w.Turn:
		return r.bad("a history has every question that was asked before", "turn %d with a history of %d questions", *w.Turn, len(w.History))
	}
	d.Turn = *w.Turn
	k := r.tasks[d.Task]
	if k == nil {
		return r.bad(fmt.Sprintf("tasks look like %q; is the log of another domain, or does a filter drop the task?", r.data.Tasks[0].ID), "task %q is not in data set %s", d.Task, r.data.Name)
	}
	if k.criteria == nil {
		k.criteria = map[string]*domains.Criterion{}
		for _, c := range r.data.Tasks[k.task].Criteria {
			k.criteria[r.data.Criteria[c].ID] = &r.data.Criteria[c]
		}
	}
	asked := make(map[string]bool, len(w.History))
	for _, t := range w.History {
		cell, err := r.told(k, &t, d.Task)
		if err != nil {
			return err
		}
		if asked[t.Criterion] {
			return r.bad("a criterion is asked about once", "the history has criterion %q twice", t.Criterion)
		}
		asked[t.Criterion] = true
		d.History = append(d.History, Told{t.Criterion, cell})
	}
	if !d.Stop {
		if err := r.admitted(k, d.Question, d.Task, "question"); err != nil {
			return err
		}
		if asked[d.Question] {
			return r.bad("a criterion is asked about once", "question %q is in the history", d.Question)
		}
	}
	if err := r.chances(k, &d, w.Choices); err != nil {
		return err
	}
	r.log.Decisions = append(r.log.Decisions, d)
	r.lines = append(r.lines, r.line)
	return nil
}

// admitted refuses a criterion that is not the task's.
func (r *reader) admitted(k *known, id, task, what string) error {
	switch {
	case k.criteria[id] != nil:
		return nil
	case r.all[id]:
		return r.bad("name one of the task's", "%s %q is no criterion of task %q", what, id, task)
	}
	return r.bad(fmt.Sprintf("ids look like %q; is the log of another domain?", r.data.Criteria[0].ID), "%s %q is no criterion of data set %s", what, id, r.data.Name)
}

func (r *reader) told(k *known, t *wireTold, task string) (domains.Cell, error) {
	cell := domains.Missing()
	if t.Criterion == "" {
		return cell, r.bad("name it", "the history has a question without criterion")
	}
	if err := r.admitted(k, t.Criterion, task, "history: criterion"); err != nil {
		return cell, err
	}
	const mend = "give null (nothing was learnt), false (not held) or a value on the criterion's scale"
	if t.Answer == nil {
		return cell, r.bad(mend, "the history has no answer about %q", t.Criterion)
	}
	if err := cell.UnmarshalJSON(t.Answer); err != nil {
		return cell, r.bad(mend, "answer %.40s about %q is neither null, false nor a number", t.Answer, t.Criterion)
	}
	if !cell.IsHeld() {
		return cell, nil
	}
	if cell = domains.At(cell.Value() + 0); !k.criteria[t.Criterion].Allows(cell.Value()) { // -0 is 0
		return cell, r.bad(mend, "answer %v about %q is off its scale", cell, t.Criterion)
	}
	return cell, nil
}

// chances checks probability and choices.
func (r *reader) chances(k *known, d *Decision, choices map[string]*float64) error {
	off := func(p float64) bool { return !(p >= 0 && p <= 1) }
	if p := d.Probability; p != nil && off(*p) {
		return r.bad("", "probability %v is not from 0 to 1", *p)
	}
	if choices == nil {
		return nil
	}
	if k.criteria[StopChoice] != nil {
		return r.bad("leave choices out", "the task has a criterion %q, so that choices cannot tell it from stopping", StopChoice)
	}
	d.Choices = make(map[string]float64, len(choices))
	ids := make([]string, 0, len(choices))
	for id := range choices {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	sum := 0.0
	for _, id := range ids {
		if id != StopChoice {
			if err := r.admitted(k, id, d.Task, "choices:"); err != nil {
				return err
			}
		}
		p := choices[id]
		if p == nil {
			return r.bad("leave out what is not known", "choices: %q has no probability", id)
		}
		if off(*p) {
			return r.bad("", "choices: probability %v of %q is not from 0 to 1", *p, id)
		}
		d.Choices[id] = *p
		sum += *p
	}
	if math.Abs(sum-1) > tolerance {
		return r.bad("give every criterion that could be chosen, and stop", "choices sum to %v, not to 1", sum)
	}
	chosen := d.Question
	if d.Stop {
		chosen = StopChoice
	}
	p, ok := d.Choices[chosen]
	switch {
	case !ok:
		return r.bad("give its probability, too", "choices do not have %q, which was chosen", chosen)
	case d.Probability != nil && math.Abs(*d.Probability-p) > tolerance:
		return r.bad("give one number", "probability %v of %q, which is %v in choices", *d.Probability, chosen, p)
	}
	return nil
}

// episodes holds the lines of each episode to each other. Of several faults the one in
// the lowest line is told.
func (r *reader) episodes() error {
	by := map[episode][]int{}
	for i := range r.log.Decisions {
		e := r.log.Decisions[i].episode()
		by[e] = append(by[e], i)
	}
	var first error
	r.line = 0
	for _, at := range by {
		slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(r.log.Decisions[a].Turn, r.log.Decisions[b].Turn) })
		for n := 1; n < len(at); n++ {
			was, is := at[n-1], at[n]
			what, mend := follows(&r.log.Decisions[was], &r.log.Decisions[is])
			if line := r.lines[is]; what != "" && (first == nil || line < r.line) {
				r.line = line
				first = r.bad(mend, "%s (line %d)", what, r.lines[was])
			}
		}
	}
	return first
}

// follows says what is wrong with a decision after an earlier one of its episode; empty:
// nothing.
func follows(was, is *Decision) (what, mend string) {
	const other = "give another episode another id"
	switch {
	case was.Turn == is.Turn:
		return fmt.Sprintf("turn %d of this episode twice", is.Turn), other
	case was.Stop:
		return fmt.Sprintf("turn %d of an episode that stopped at turn %d", is.Turn, was.Turn), "remove what comes after stop"
	}
	for i, t := range was.History {
		if now := is.History[i]; now.Criterion != t.Criterion || !now.Answer.Equal(t.Answer) {
			return fmt.Sprintf("the history differs at question %d from that of turn %d", i+1, was.Turn), other
		}
	}
	if got := is.History[was.Turn].Criterion; got != was.Question {
		return fmt.Sprintf("the history has %q as question %d, and turn %d asked %q", got, was.Turn+1, was.Turn, was.Question), other
	}
	return "", ""
}

// An object is one of a JSON text: where it is, and its keys.
type object struct {
	path string
	keys []string
}

// objects lists the objects of a JSON text that is one, outermost first. A key that
// comes twice in one is an error.
func objects(text []byte) ([]object, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, cmp.Or(err, errors.New("the line is no JSON object"))
	}
	var out []object
	if err := collect(dec, "", &out, 0); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the object")
	}
	return out, nil
}

// errTwice is the fault of an object in which a key comes twice.
var errTwice = errors.New("twice in one object")

// deepest is how deep objects and lists may be nested.
const deepest = 8

// collect goes through an object whose opening brace is read.
func collect(dec *json.Decoder, path string, out *[]object, depth int) error {
	if depth > deepest {
		return errors.New("nested too deeply")
	}
	at := len(*out)
	*out = append(*out, object{path: path})
	var seen map[string]bool // nil: the keys are few
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return cut(err)
		}
		key := t.(string) // keys are
		o := &(*out)[at]
		if seen[key] || seen == nil && slices.Contains(o.keys, key) {
			return fmt.Errorf("key %q %w", key, errTwice)
		}
		o.keys = append(o.keys, key)
		switch {
		case seen != nil:
			seen[key] = true
		case len(o.keys) == 16:
			seen = map[string]bool{}
			for _, k := range o.keys {
				seen[k] = true
			}
		}
		if err := value(dec, path+"."+key, out, depth); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return cut(err)
}

func value(dec *json.Decoder, path string, out *[]object, depth int) error {
	t, err := dec.Token()
	if err != nil {
		return cut(err)
	}
	switch t {
	case json.Delim('{'):
		return collect(dec, path, out, depth+1)
	case json.Delim('['):
		if depth > deepest {
			return errors.New("nested too deeply")
		}
		for dec.More() {
			if err := value(dec, path+"[]", out, depth+1); err != nil {
				return err
			}
		}
		_, err := dec.Token()
		return cut(err)
	}
	return nil
}

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the line is cut off")
	}
	return err
}
