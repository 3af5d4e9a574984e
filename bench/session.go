package bench

import (
	"context"
	"errors"
	"fmt"

	"pepbench/bench/interpret"
	"pepbench/bench/llm"
	"pepbench/bench/record"
	"pepbench/bench/solver"
	"pepbench/domains"
	"pepbench/judges"
	"pepbench/simusers"
	"pepbench/strategies"
	"pepbench/strategies/pep"
)

// session runs one session: the dialogue up to the horizon, solver and judge at
// every checkpoint, and the counterfactuals. An error means that the run cannot go
// on (cancelled, endpoint unusable, a programmer's mistake); what merely went
// wrong in this session is in the record.
func (r *runner) session(ctx context.Context, k sessionKey) (*record.Session, error) {
	p := r.plan
	prof := &p.Data.Profiles[k.profile]
	row := &p.rows[k.row]
	set := p.setting(k)
	rec := &record.Session{
		ID: k.id, Strategy: row.Name, Seed: k.seed,
		Task: set.Task.ID, User: set.User,
		Criteria: make([]string, len(set.Criteria)),
		Truth:    record.Truth{Cells: prof.Cells, Weights: record.NewFloats(prof.Weights), Askable: set.Askable},
		Turns:    []record.Turn{},
	}
	for i := range set.Criteria {
		rec.Criteria[i] = set.Criteria[i].ID
	}
	user := p.Experiment.Users.Config.User(p.Data, k.profile, k.seed, r.clients[roleUser])
	if row.Kind == askerKind {
		set.Asker, set.Interpreter = r.clients[roleAsker], r.clients[roleInterpreter]
	}

	strategy := row.strategies[k.fold]
	ctx, calls := llm.WithTallies(ctx)
	defer func() { rec.Calls = counted(calls) }()
	e := strategy.Begin(set)
	if row.Kind == "oracle" { // the one strategy that is told the truth, by name
		e.(strategies.Revealer).Reveal(*prof)
	}
	inferences := []domains.Inference{e.Infer()}
	rec.Prior = r.inference(inferences[0])
	if err := r.dialogue(ctx, rec, &set, e, user, &inferences); err != nil || rec.Error != "" {
		return rec, err
	}
	if _, forks := e.(strategies.Forker); !forks { // whose counterfactuals belong to the dialogue
		if err := r.counterfactuals(ctx, rec, strategy, k); err != nil {
			return nil, err
		}
	}
	if err := r.checkpoints(ctx, rec, prof, &set, row, inferences); err != nil {
		return nil, err
	}
	return rec, nil
}

// inference is what the journal keeps of an inference.
func (r *runner) inference(f domains.Inference) record.Inference {
	if r.plan.Experiment.compat() != "" {
		return record.ExactInference(f)
	}
	return record.NewInference(f)
}

// dialogue asks until somebody has enough. A model that fails for now ends the session
// with an error in its record.
func (r *runner) dialogue(ctx context.Context, rec *record.Session, set *strategies.Setting, e strategies.Elicitor, user simusers.User, inferences *[]domains.Inference) error {
	asked := make([]bool, len(set.Criteria))
	var other *fork
	for {
		if len(rec.Turns) == set.Budget {
			rec.Stop = record.StopBudget
			return nil
		}
		q, err := e.Next(ctx)
		var unread *llm.Unread
		switch {
		case errors.Is(err, strategies.ErrDone):
			rec.Stop, rec.StopOffLog = record.StopDone, offLog(e)
			if exhausted(set, asked) {
				rec.Stop = record.StopExhausted
			}
			return nil
		case errors.As(err, &unread):
			rec.Stop = record.StopUnread
			return nil
		case err != nil:
			return failed(ctx, rec, fmt.Errorf("question %d: %w", len(rec.Turns)+1, err))
		}
		if other != nil { // the turn before is not the last
			if err := other.follow(ctx, &rec.Turns[len(rec.Turns)-1]); err != nil {
				return failed(ctx, rec, fmt.Errorf("counterfactual of question %d: %w", len(rec.Turns), err))
			}
			other = nil
		}
		switch i := q.Position; {
		case i < 0 && set.Asker == nil:
			panic(fmt.Sprintf("bench: session %s: strategy asks about no criterion", rec.ID))
		case i < 0:
		case asked[i] || !set.CanAsk(i):
			panic(fmt.Sprintf("bench: session %s: strategy asks position %d, which is asked already or cannot be asked", rec.ID, i))
		default:
			asked[i] = true
		}
		off := offLog(e)
		t, a, err := r.hear(ctx, rec, set, user, q)
		if err != nil {
			return failed(ctx, rec, fmt.Errorf("answer %d: %w", len(rec.Turns)+1, err))
		}
		if q.Position >= 0 {
			if crit := &set.Criteria[q.Position]; a.Cell.IsHeld() && !crit.Allows(a.Cell.Value()) {
				v := a.Cell.Value()
				t.OffScale, a.Cell = &v, crit.Snap(v)
			}
			if f, ok := e.(strategies.Forker); ok {
				other = r.plan.fork(f, q, a.Cell, &set.Criteria[q.Position])
			}
		}
		if set.Asker == nil { // words are for those who can read
			a.Text = ""
		}
		e.Observe(q, a)
		inf := e.Infer()
		*inferences = append(*inferences, inf)
		t.Answer, t.OffLog, t.Inference = a.Cell, off, r.inference(inf)
		if s, ok := e.(strategies.Scorer); ok {
			for _, c := range s.Top(pep.Top) {
				t.Scores = append(t.Scores, record.Scored{Position: c.Position, Score: record.Round(c.Score)})
			}
		}
		rec.Turns = append(rec.Turns, t)
		if a.Stop {
			rec.Stop = record.StopUser
			return nil
		}
	}
}

// offLog says how the last decision of an elicitor is off the log that it follows, if any.
func offLog(e strategies.Elicitor) string {
	if l, ok := e.(strategies.Logged); ok {
		return l.OffLog()
	}
	return ""
}

// failed ends a session whose endpoint failed for now: running the same command again
// tries again. What is fatal to the run, and a programmer's mistake, is an error.
func failed(ctx context.Context, rec *record.Session, err error) error {
	if fatal(ctx, err) || !errors.Is(err, llm.ErrTransient) {
		return fmt.Errorf("session %s: %w", rec.ID, err)
	}
	rec.Error, rec.Stop = err.Error(), record.StopError
	return nil
}

// hear puts a question to the user and makes out the answer. The turn has what was said
// and how it was understood; the answer is what the strategy gets to know.
func (r *runner) hear(ctx context.Context, rec *record.Session, set *strategies.Setting, user simusers.User, q domains.Question) (record.Turn, domains.Answer, error) {
	t := record.Turn{Question: q.Position}
	if set.Asker != nil {
		t.Asked = q.Text
	}
	words, verbal := user.(*simusers.Verbal)
	switch {
	case !verbal && q.Position < 0: // a user without words has nothing to say to that
		return t, domains.Answer{Cell: domains.Missing()}, nil
	case !verbal:
		a, err := user.Answer(ctx, q)
		t.Said = a.Text
		return t, a, err
	}
	if q.Text == "" { // data without questions
		q.Text = fmt.Sprintf("How much does %s matter to you, and how much of it do you want?", set.Criteria[q.Position].Name)
	}
	a, m, err := r.understood(ctx, set, q, 0, func() (domains.Answer, error) { return words.Answer(ctx, q) })
	if err != nil {
		return t, a, err
	}
	t.Said, t.By = a.Text, m.By
	if t.State = string(m.State); m.State == interpret.Told {
		t.State = ""
	}
	for _, v := range m.Volunteered {
		t.Volunteered = append(t.Volunteered, record.Volunteered{Position: v.Position, Cell: v.Cell})
	}
	a.Cell, a.Stop = m.Cell, m.Stop
	if q.Position < 0 {
		return t, a, nil
	}
	for n := 1; n <= r.plan.Experiment.audits(rec.ID, len(rec.Turns)); n++ {
		_, again, err := r.understood(ctx, set, q, n, func() (domains.Answer, error) { return words.Again(ctx, n) })
		if err != nil {
			return t, a, err
		}
		t.Again = append(t.Again, again.Cell)
	}
	return t, a, nil
}

// understood lets a verbal user say something and the interpreter make it out. A user
// whose reply cannot be read has said nothing.
func (r *runner) understood(ctx context.Context, set *strategies.Setting, q domains.Question, repeat int, say func() (domains.Answer, error)) (domains.Answer, interpret.Meaning, error) {
	a, err := say()
	var unread *llm.Unread
	switch {
	case errors.As(err, &unread):
		return a, interpret.Meaning{State: interpret.Unread, Cell: domains.Missing(), Reason: unread.Error()}, nil
	case err != nil:
		return a, interpret.Meaning{}, err
	}
	m, err := interpret.Reader{Client: r.clients[roleInterpreter], Rubric: r.plan.Data.Rubric}.Answer(ctx, interpret.Heard{
		Criteria: set.Criteria, Position: q.Position, Question: q.Text, Text: a.Text, Stop: a.Stop, Repeat: repeat,
	})
	return a, m, err
}

// A fork is an elicitor that was given another answer than its original.
type fork struct {
	answer domains.Cell
	e      strategies.Elicitor
}

// fork gives the other answer to a copy of an elicitor, or nil where there is none.
func (p *Plan) fork(f strategies.Forker, q domains.Question, cell domains.Cell, crit *domains.Criterion) *fork {
	other, ok := p.other(cell, crit)
	if !ok {
		return nil
	}
	e := f.Fork()
	e.Observe(q, domains.Answer{Cell: other})
	return &fork{other, e}
}

// follow asks the fork what comes next and notes it in the turn. Where the model gives
// nothing that can be read, there is no counterfactual.
func (f *fork) follow(ctx context.Context, t *record.Turn) error {
	c := &record.Counterfactual{Answer: f.answer}
	q, err := f.e.Next(ctx)
	var unread *llm.Unread
	switch {
	case errors.Is(err, strategies.ErrDone):
		c.Next = record.NextStop
	case errors.As(err, &unread):
		return nil
	case err != nil:
		return err
	case q.Position < 0:
		c.Next = record.NextOther
	default:
		c.Next = q.Position
	}
	t.Counterfactual = c
	return nil
}

func exhausted(set *strategies.Setting, asked []bool) bool {
	for i := range asked {
		if !asked[i] && set.CanAsk(i) {
			return false
		}
	}
	return true
}

// counterfactuals fills every turn but the last with the question that another
// answer would have led to, from a fresh elicitor under the same randomness. A replay
// whose log does not have that history says nothing of what the policy would have done,
// and there is no counterfactual.
func (r *runner) counterfactuals(ctx context.Context, rec *record.Session, s strategies.Strategy, k sessionKey) error {
	for t := range len(rec.Turns) - 1 {
		set := r.plan.setting(k)
		turn := &rec.Turns[t]
		other, ok := r.plan.other(turn.Answer, &set.Criteria[turn.Question])
		if !ok {
			continue
		}
		e := s.Begin(set)
		for i := 0; i <= t; i++ {
			q, err := e.Next(ctx)
			if err != nil {
				return fmt.Errorf("session %s: counterfactual of question %d: %w", rec.ID, t+1, err)
			}
			if q.Position != rec.Turns[i].Question {
				panic(fmt.Sprintf("bench: session %s: strategy is not deterministic: question %d was %d and is %d", rec.ID, i+1, rec.Turns[i].Question, q.Position))
			}
			cell := rec.Turns[i].Answer
			if i == t {
				cell = other
			}
			e.Observe(q, domains.Answer{Cell: cell})
		}
		c := &record.Counterfactual{Answer: other, Next: record.NextStop}
		q, err := e.Next(ctx)
		switch {
		case err == nil:
			c.Next = q.Position
		case !errors.Is(err, strategies.ErrDone):
			return fmt.Errorf("session %s: counterfactual of question %d: %w", rec.ID, t+1, err)
		}
		if offLog(e) != strategies.OffLogHistory {
			turn.Counterfactual = c
		}
	}
	return nil
}

// checkpoints lets the solver answer and the judge grade after each number of
// questions that the plan names.
func (r *runner) checkpoints(ctx context.Context, rec *record.Session, prof *domains.Profile, set *strategies.Setting, row *planRow, inferences []domains.Inference) error {
	p := r.plan
	last := -1 // questions behind the latest checkpoint
	for _, n := range p.Experiment.Checkpoints {
		if n > 0 && row.once() {
			break // floor and ceiling ask nothing and are constant
		}
		at := min(n, len(rec.Turns))
		if at == last {
			c := rec.Checkpoints[len(rec.Checkpoints)-1]
			c.Questions, c.Carried = n, true
			rec.Checkpoints = append(rec.Checkpoints, c)
			continue
		}
		last = at
		c := record.Checkpoint{Questions: n}
		err := r.checkpoint(ctx, &c, prof, set, inferences[at])
		switch {
		case fatal(ctx, err):
			return fmt.Errorf("session %s: %w", rec.ID, err)
		case err != nil: // for now: running the same command again tries again
			rec.Error, rec.Stop = fmt.Sprintf("after %d questions: %v", n, err), record.StopError
			return nil
		}
		if raw, ok := record.Raw(c.Scores, prof.Weight); ok {
			raw = record.Round(raw)
			c.Raw = &raw
		}
		rec.Checkpoints = append(rec.Checkpoints, c)
	}
	return nil
}

// checkpoint fills c from one response. An error means that an endpoint failed and
// nothing is known; what a model refused or garbled is unscored.
func (r *runner) checkpoint(ctx context.Context, c *record.Checkpoint, prof *domains.Profile, set *strategies.Setting, inf domains.Inference) error {
	p := r.plan
	sol, err := r.solver.Solve(ctx, solver.Problem{Task: set.Task, Criteria: set.Criteria, Rubric: p.Data.Rubric, Inference: inf})
	switch {
	case err != nil && (fatal(ctx, err) || errors.Is(err, llm.ErrTransient)):
		return fmt.Errorf("solver: %w", err)
	case err != nil:
		c.Instructed, c.Wanted = []int{}, record.Floats{}
		c.Scores = unscored(prof, "solver: "+err.Error(), r.judgeID)
		return nil
	}
	c.Instructed, c.Wanted, c.Response = sol.Instructed, record.NewFloats(sol.Wanted), sol.Text
	grade := judges.Case{Task: set.Task, Criteria: set.Criteria, Profile: prof, Rubric: p.Data.Rubric, Response: sol.Text}
	if p.Experiment.Judge.Config.onlyProfile() { // its response is the list of values
		grade.Expressed, grade.Values = sol.Instructed, sol.Wanted
	}
	scores, err := r.judge.Grade(ctx, grade)
	if err != nil {
		return fmt.Errorf("judge: %w", err)
	}
	c.Scores = graded(scores)
	if task := &p.Data.Tasks[prof.Task]; r.correctness != nil && task.Answer != "" {
		if c.Correct, c.CorrectReason, err = r.correctness.Judge(ctx, *task, sol.Text); err != nil {
			return fmt.Errorf("correctness: %w", err)
		}
	}
	return nil
}

// other is the answer a counterfactual gives instead of c: not held for held; the
// middle level for not held; and in data where everything is held, the end of the
// scale that is farther from c (the upper one from the middle). It reports false
// where there is no other answer.
func (p *Plan) other(c domains.Cell, crit *domains.Criterion) (domains.Cell, bool) {
	if c.IsMissing() {
		return c, false
	}
	lo, hi, mid := crit.Min, crit.Max, (crit.Min+crit.Max)/2
	if n := len(crit.Levels); n > 0 {
		lo, hi, mid = crit.Levels[0].Value, crit.Levels[n-1].Value, crit.Levels[n/2].Value
	}
	switch {
	case c.IsNotHeld():
		return domains.At(mid), true
	case p.sparse:
		return domains.NotHeld(), true
	case c.Value()-lo > hi-c.Value():
		return domains.At(lo), true
	}
	return domains.At(hi), true
}
