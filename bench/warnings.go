package bench

import (
	"fmt"
	"slices"

	"pepbench/domains"
	"pepbench/strategies/belief"
)

// warn notes what a reader of the numbers should know before them.
func (p *Plan) warn() {
	for f, part := range p.Parts {
		in := ""
		if len(p.Parts) > 1 {
			in = fmt.Sprintf("fold %d: ", f+1)
		}
		add := func(format string, a ...any) { p.warnings = append(p.warnings, in+fmt.Sprintf(format, a...)) }
		p.warnModels(p.builders[f], add)
		p.warnPart(part, add)
	}
	p.warnNominal()
}

// warnNominal notes what silence earns: the profile judge gives a wrong level of a
// nominal criterion less than saying nothing.
func (p *Plan) warnNominal() {
	n := 0
	for i := range p.Data.Criteria {
		if p.Data.Criteria[i].Scale == domains.Nominal {
			n++
		}
	}
	if n > 0 && p.Experiment.Judge.Config.onlyProfile() {
		p.warnings = append(p.warnings, fmt.Sprintf("%d of %d criteria are nominal: naming a wrong level scores 1 and saying nothing 3, so that a strategy that predicts from a belief can earn less than the floor", n, len(p.Data.Criteria)))
	}
}

func (p *Plan) warnModels(b *builder, add func(format string, a ...any)) {
	for _, s := range p.Experiment.Strategies {
		a, ok := s.Config.(*adaptive)
		if !ok {
			continue
		}
		m, ok := b.models[a.Belief].(belief.Independent)
		if !ok || !m.Independent() {
			continue
		}
		name, _, _ := b.acquisition(a) // an error has ended the preparation
		switch name {
		case "binary-ig", "profile-ig", "latent-ig":
			add("%s asks by belief %s, in which criteria are independent: no answer teaches anything about another criterion, every gain of information about the others is 0, and ties go to the order of the data's listing", a.Name, a.Belief)
		default:
			add("%s asks by belief %s, in which criteria are independent: no answer teaches anything about another criterion", a.Name, a.Belief)
		}
	}
}

func (p *Plan) warnPart(part domains.Parts, add func(format string, a ...any)) {
	trained := map[int]bool{}
	for _, k := range part.Train {
		trained[p.Data.Profiles[k].User] = true
	}
	users, known, covered := map[int]bool{}, 0, 0
	for _, k := range part.Test {
		prof := &p.Data.Profiles[k]
		if !users[prof.User] && trained[prof.User] {
			known++
		}
		users[prof.User] = true
		can := len(prof.Cells)
		if mask := askable(prof); mask != nil && p.Experiment.Missing == "skip" {
			can = 0
			for _, ok := range mask {
				if ok {
					can++
				}
			}
		}
		if can <= p.Experiment.Budget {
			covered++
		}
	}
	if known > 0 {
		add("%d of %d test users are also among the training profiles, on other tasks (split.by: %s)", known, len(users), p.Experiment.Split.By)
	}
	if covered > 0 {
		add("for %d of %d test profiles the budget of %d questions covers every criterion that can be asked: which to ask makes no difference there", covered, len(part.Test), p.Experiment.Budget)
	}
	if p.Experiment.Missing == "skip" && slices.ContainsFunc(part.Test, func(k int) bool { return askable(&p.Data.Profiles[k]) != nil }) {
		add("empty cells are not asked, so that users can be asked different criteria: part of the follow-up adaptivity is that, and a fixed order shows it too")
	}
}
