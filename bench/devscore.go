package bench

import (
	"context"

	"pepbench/bench/record"
	"pepbench/bench/solver"
	"pepbench/domains"
	"pepbench/judges"
)

// devAlignment is what a row earns on the dev profiles after at most the budget of
// questions, by the profile judge on what the profile solver writes: mean of task
// means (of users, in a survey), 0..100. It is what a choice between beliefs or
// acquisitions is made by, without a model and without a test profile; nil where
// there is no dev profile, or the row lets a model ask or replays a log, which is of other
// users. Everybody is asked under the
// experiment's first seed; users who would answer in words are exact here.
func (p *Plan) devAlignment(ctx context.Context, row int) (*float64, error) {
	if k := p.rows[row].Kind; k == askerKind || k == replayKind {
		return nil, nil
	}
	users := p.Experiment.Users.Config
	if users.verbal() {
		users = &exactUser{}
	}
	opt := p.Experiment.solverOptions()
	byCluster := make([]struct {
		sum float64
		n   int
	}, max(len(p.Data.Tasks), len(p.Data.Users)))
	r := &runner{plan: p}
	for f, part := range p.Parts {
		for _, k := range part.Dev {
			prof := &p.Data.Profiles[k]
			key := sessionKey{"dev/" + p.Data.Tasks[prof.Task].ID + "/" + p.Data.Users[prof.User].ID, row, p.Experiment.Seeds[0], f, k}
			set := p.setting(key)
			set.Budget = p.Experiment.Budget
			e := p.rows[row].strategies[f].Begin(set)
			inferences := []domains.Inference{e.Infer()}
			user := users.User(p.Data, k, key.seed, nil)
			if err := r.dialogue(ctx, &record.Session{ID: key.id}, &set, e, user, &inferences); err != nil {
				return nil, err
			}
			sol, err := solver.Profile{Options: opt}.Solve(ctx, solver.Problem{Task: set.Task, Criteria: set.Criteria, Rubric: p.Data.Rubric, Inference: inferences[len(inferences)-1]})
			if err != nil {
				return nil, err
			}
			scores := judges.Profile{}.Grade(judges.Case{Task: set.Task, Criteria: set.Criteria, Profile: prof, Rubric: p.Data.Rubric, Expressed: sol.Instructed, Values: sol.Wanted})
			v, ok := record.Raw(graded(scores), prof.Weight)
			if !ok {
				continue
			}
			g := prof.Task
			if p.Data.Survey() {
				g = prof.User
			}
			byCluster[g].sum += record.Alignment(v)
			byCluster[g].n++
		}
	}
	mean, n := 0.0, 0
	for _, c := range byCluster {
		if c.n > 0 {
			mean += c.sum / float64(c.n)
			n++
		}
	}
	if n == 0 {
		return nil, nil
	}
	mean = record.Round(mean / float64(n))
	return &mean, nil
}
