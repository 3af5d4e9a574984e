package bench

import (
	"context"
	"errors"
	"fmt"

	"pepbench/bench/llm"
	"pepbench/bench/record"
	"pepbench/bench/solver"
	"pepbench/domains"
	"pepbench/judges"
	"pepbench/strategies"
	"pepbench/strategies/rl"
)

// environment is what a policy learns in: the training and dev profiles of a fold, each
// an episode in which its user meets its task. It is made of those two parts and has no
// way to a test profile. A policy sees settings and cells and is told rewards.
type environment struct {
	data    *domains.Dataset
	seed    int
	parts   [2][]episode // by rl.Part
	predict strategies.Predict
	solver  solving
	judge   grading
	profile bool // the judge reads the values that the solver wrote, no text
}

// episode is one user on one task.
type episode struct {
	profile *domains.Profile
	setting strategies.Setting // but for Rand
	said    []domains.Cell     // what the user says of each position
	cluster int
}

var _ rl.Environment = (*environment)(nil)

// newEnvironment makes the episodes of a fold under a seed of the experiment, which
// decides the errors of noisy users, as in sessions; users who would answer in words
// are exact here. predict makes an inference of answers, and solver and judge are those
// of the reward.
func newEnvironment(ctx context.Context, e *Experiment, d *domains.Dataset, part domains.Parts, seed int, predict strategies.Predict, s solving, j grading) (*environment, error) {
	users := trainingUsers(e)
	env := &environment{data: d, seed: seed, predict: predict, solver: s, judge: j}
	_, env.profile = s.(solver.Profile)
	criteria := make([][]domains.Criterion, len(d.Tasks))
	for p, rows := range [2][]int{rl.Train: part.Train, rl.Dev: part.Dev} {
		env.parts[p] = make([]episode, len(rows))
		for i, k := range rows {
			prof := &d.Profiles[k]
			if criteria[prof.Task] == nil {
				criteria[prof.Task] = d.CriteriaOf(prof.Task)
			}
			ep := &env.parts[p][i]
			*ep = episode{
				profile: prof,
				setting: strategies.Setting{
					Task: d.Tasks[prof.Task].Blind(), Criteria: criteria[prof.Task], Budget: e.Budget,
					User: d.Users[prof.User].ID, Seed: seed, Rubric: d.Rubric,
				},
				said:    make([]domains.Cell, len(prof.Cells)),
				cluster: prof.Task,
			}
			if d.Survey() {
				ep.cluster = prof.User
			}
			if e.Missing == "skip" {
				ep.setting.Askable = askable(prof)
			}
			user := users.User(d, k, seed, nil)
			for pos := range ep.said {
				a, err := user.Answer(ctx, strategies.Ask(&ep.setting, pos))
				if err != nil {
					return nil, fmt.Errorf("training user %s: %w", ep.setting.User, err)
				}
				if c := &ep.setting.Criteria[pos]; a.Cell.IsHeld() && !c.Allows(a.Cell.Value()) { // as in sessions
					a.Cell = c.Snap(a.Cell.Value())
				}
				ep.said[pos] = a.Cell
			}
		}
	}
	return env, nil
}

// trainingUsers are those whom training and dev profiles are met as: the users of the
// sessions, or exact ones in place of users who answer in words.
func trainingUsers(e *Experiment) UserKind {
	if e.Users.Config.verbal() {
		return &exactUser{}
	}
	return e.Users.Config
}

// Criteria implements rl.Environment.
func (v *environment) Criteria() []domains.Criterion { return v.data.Criteria }

// Len implements rl.Environment.
func (v *environment) Len(p rl.Part) int { return len(v.parts[p]) }

// Setting implements rl.Environment.
func (v *environment) Setting(p rl.Part, i int) strategies.Setting {
	s := v.parts[p][i].setting
	s.Rand = newRand(v.seed, "training/"+s.Task.ID+"/"+s.User)
	return s
}

// Cluster implements rl.Environment.
func (v *environment) Cluster(p rl.Part, i int) int { return v.parts[p][i].cluster }

// Answer implements rl.Environment.
func (v *environment) Answer(p rl.Part, i, position int) domains.Cell {
	return v.parts[p][i].said[position]
}

// Reward implements rl.Environment: what a session that asked this earns at its last
// checkpoint.
func (v *environment) Reward(ctx context.Context, p rl.Part, i int, asked []int) (float64, bool, error) {
	ep := &v.parts[p][i]
	predictor := v.predict.Begin(ep.setting)
	for _, pos := range asked {
		predictor.Observe(pos, ep.said[pos])
	}
	sol, err := v.solver.Solve(ctx, solver.Problem{Task: ep.setting.Task, Criteria: ep.setting.Criteria, Rubric: v.data.Rubric, Inference: predictor.Infer()})
	switch {
	case err != nil && (fatal(ctx, err) || errors.Is(err, llm.ErrTransient)):
		return 0, false, fmt.Errorf("solver: %w", err)
	case err != nil: // refused or garbled: unscored
		return 0, false, nil
	}
	c := judges.Case{Task: ep.setting.Task, Criteria: ep.setting.Criteria, Profile: ep.profile, Rubric: v.data.Rubric, Response: sol.Text}
	if v.profile {
		c.Expressed, c.Values = sol.Instructed, sol.Wanted
	}
	scores, err := v.judge.Grade(ctx, c)
	if err != nil {
		return 0, false, fmt.Errorf("judge: %w", err)
	}
	raw, ok := record.Raw(graded(scores), ep.profile.Weight)
	if !ok {
		return 0, false, nil
	}
	return record.Alignment(raw), true, nil
}
