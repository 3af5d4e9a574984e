package bench

import (
	"context"

	"pepbench/bench/record"
	"pepbench/bench/solver"
	"pepbench/domains"
	"pepbench/judges"
	"pepbench/strategies"
)

// devAlignment is what a row earns on the dev profiles after at most the budget of
// questions, by the profile judge on what the profile solver writes: mean of task
// means (of users, in a survey), 0..100. It is what a choice between beliefs or
// acquisitions is made by, without a model and without a test profile; nil where
// there is no dev profile, or the row lets a model ask or replays a log, which is of other
// users. Everybody is asked under the experiment's first seed; users who would answer in
// words are exact here.
func (p *Plan) devAlignment(ctx context.Context, row int) (*float64, error) {
	if k := p.rows[row].Kind; k == askerKind || k == replayKind {
		return nil, nil
	}
	score := newClusters(p)
	for f := range p.Parts {
		if err := p.devPlay(ctx, f, p.rows[row].strategies[f], score); err != nil {
			return nil, err
		}
	}
	return score.mean(), nil
}

// devPlay lets a strategy of a fold meet the fold's dev profiles and adds the alignment
// of each, where it has one.
func (p *Plan) devPlay(ctx context.Context, fold int, s strategies.Strategy, score *clusters) error {
	users := trainingUsers(p.Experiment)
	opt := p.Experiment.solverOptions()
	r := &runner{plan: p}
	for _, k := range p.Parts[fold].Dev {
		prof := &p.Data.Profiles[k]
		key := sessionKey{id: "dev/" + p.Data.Tasks[prof.Task].ID + "/" + p.Data.Users[prof.User].ID, seed: p.Experiment.Seeds[0], fold: fold, profile: k}
		set := p.setting(key)
		set.Budget = p.Experiment.Budget
		e := s.Begin(set)
		inferences := []domains.Inference{e.Infer()}
		user := users.User(p.Data, k, key.seed, nil)
		if err := r.dialogue(ctx, &record.Session{ID: key.id}, &set, e, user, &inferences); err != nil {
			return err
		}
		sol, err := solver.Profile{Options: opt}.Solve(ctx, solver.Problem{Task: set.Task, Criteria: set.Criteria, Rubric: p.Data.Rubric, Inference: inferences[len(inferences)-1]})
		if err != nil {
			return err
		}
		scores := judges.Profile{}.Grade(judges.Case{Task: set.Task, Criteria: set.Criteria, Profile: prof, Rubric: p.Data.Rubric, Expressed: sol.Instructed, Values: sol.Wanted})
		if v, ok := record.Raw(graded(scores), prof.Weight); ok {
			score.add(prof, record.Alignment(v))
		}
	}
	return nil
}

// clusters takes means of cluster means: over tasks, or over the users of a survey.
type clusters struct {
	survey bool
	sum    []float64
	n      []int
}

func newClusters(p *Plan) *clusters {
	n := max(len(p.Data.Tasks), len(p.Data.Users))
	return &clusters{p.Data.Survey(), make([]float64, n), make([]int, n)}
}

func (c *clusters) add(prof *domains.Profile, v float64) {
	g := prof.Task
	if c.survey {
		g = prof.User
	}
	c.sum[g] += v
	c.n[g]++
}

// mean is nil where nothing was added.
func (c *clusters) mean() *float64 {
	mean, n := 0.0, 0
	for i := range c.n {
		if c.n[i] > 0 {
			mean += c.sum[i] / float64(c.n[i])
			n++
		}
	}
	if n == 0 {
		return nil
	}
	mean = record.Round(mean / float64(n))
	return &mean
}
