package bench

import (
	"fmt"
	"slices"
	"strings"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/strategies"
)

// An Interview is a session with somebody who is not simulated: the caller puts the
// questions and hands the answers back.
type Interview struct {
	Task     domains.Task // blind
	Criteria []domains.Criterion
	Strategy string
	About    string
	Budget   int
	Elicitor strategies.Elicitor
}

// Interview begins a session of a strategy, the first adaptive one if the name is
// empty, on a task, the first test task if the id is empty. Every criterion can be
// asked.
func (p *Plan) Interview(strategy, task string) (*Interview, error) {
	row, err := p.shown()
	switch {
	case strategy != "":
		row = slices.IndexFunc(p.rows, func(r planRow) bool { return r.Name == strategy })
	case err != nil:
		return nil, &ConfigError{What: fmt.Sprintf("strategy %s is left out: %v", p.Experiment.shown(), err), Mend: "or name one with --strategy", Err: err}
	}
	if row < 0 || !p.rows[row].interviews() {
		var known []string
		for _, r := range p.rows {
			if r.interviews() {
				known = append(known, r.Name)
			}
		}
		what := fmt.Sprintf("no strategy %q", strategy)
		if row >= 0 {
			what = fmt.Sprintf("strategy %q cannot ask you: %s", strategy, map[string]string{
				"oracle":   "it is told the profile, and asks nothing",
				askerKind:  "a model writes its questions",
				replayKind: "it replays what simulated users were asked, one by one, and you are none of them",
			}[p.rows[row].Kind])
		}
		return nil, &ConfigError{What: what, Mend: "known: " + strings.Join(known, ", ")}
	}
	tests := p.manifest.Data.TestTasks
	if task == "" {
		task = tests[0]
	}
	t := slices.IndexFunc(p.Data.Tasks, func(t domains.Task) bool { return t.ID == task })
	if t < 0 {
		return nil, &ConfigError{What: fmt.Sprintf("no task %q in data set %s", task, p.Data.Name), Mend: "test tasks: " + strings.Join(tests, ", ")}
	}
	set := strategies.Setting{
		Task: p.Data.Tasks[t].Blind(), Criteria: p.Data.CriteriaOf(t), Budget: p.Experiment.Budget, User: "you", Seed: p.Experiment.Seeds[0],
		Rand: newRand(p.Experiment.Seeds[0], "interview/"+task),
	}
	// Of a cross-fitted plan the fold that holds the task out; any, if none does.
	fold := 0
	for f, part := range p.Parts {
		if slices.ContainsFunc(part.Test, func(k int) bool { return p.Data.Profiles[k].Task == t }) {
			fold = f
		}
	}
	return &Interview{
		Task: set.Task, Criteria: set.Criteria, Strategy: p.rows[row].Name, About: p.rows[row].About, Budget: set.Budget,
		Elicitor: p.rows[row].strategies[fold].Begin(set),
	}, nil
}

// interviews reports whether a strategy can meet somebody who is not simulated: one that
// is told the profile, that lets a model ask, or that replays the trajectories of others
// cannot.
func (r *planRow) interviews() bool {
	return r.Kind != "oracle" && r.Kind != askerKind && (r.Kind != replayKind || r.Policy.Mode == record.ModePolicy)
}

// Builtin is the experiment that `pepbench elicit DOMAIN` uses: pep with latent
// classes (few numbers are tried, so that it is soon ready) and profile information
// gain on a built-in domain, other knobs as they are by default.
func Builtin(domain string) (*Experiment, error) {
	e := defaults()
	b := domainKinds.make("builtin").(*builtin)
	b.Name = domain
	if err := b.check(); err != nil {
		return nil, &ConfigError{What: err.Error(), Mend: "or give the path of a configuration"}
	}
	strategy := strategyKinds.make("pep").(*adaptive)
	strategy.Name, strategy.Belief, strategy.Predict = "pep", "latent", list{"latent"}
	e.Name, e.About = domain, "built-in domain "+domain
	e.Domain = Block[DomainKind]{Kind: "builtin", Config: b}
	latent := beliefKinds.make("latent-class").(*latentClass)
	latent.Classes, latent.Restarts = []int{1, 2, 3, 4, 6}, 1 // somebody is waiting
	e.Beliefs = map[string]Block[BeliefKind]{"latent": {Kind: "latent-class", Config: latent}}
	e.Strategies = []Block[StrategyKind]{{Kind: "pep", Config: strategy}}
	e.Solver = Block[SolverKind]{Kind: "profile", Config: solverKinds.make("profile")}
	e.Judge = Block[JudgeKind]{Kind: "profile", Config: judgeKinds.make("profile")}
	e.complete()
	return &e, nil
}
