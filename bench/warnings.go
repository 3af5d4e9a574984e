package bench

import (
	"fmt"
	"slices"

	"pepbench/bench/record"
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
	p.warnPolicies()
}

// warnPolicies notes what trained policies fell short of.
func (p *Plan) warnPolicies() {
	for _, s := range p.Experiment.Strategies {
		l, ok := s.Config.(*learned)
		if !ok || p.trainings[l.Name] == nil {
			continue
		}
		add := func(format string, a ...any) {
			p.warnings = append(p.warnings, "policy "+l.Name+": "+fmt.Sprintf(format, a...))
		}
		if p.Experiment.Users.Config.verbal() {
			add("was trained with users who answer exactly what their profile says; those of the sessions answer in words")
		}
		for _, t := range p.trainings[l.Name] {
			which := fmt.Sprintf("seed %d", t.Seed)
			if t.Fold > 0 {
				which += fmt.Sprintf(", fold %d", t.Fold)
			}
			if !(t.OverRandom.Lo > 0) {
				add("%s does not beat random on its training episodes by a resolved difference (%s): the trainer is wrong or the reward too noisy", which, contrasted(t.OverRandom))
			}
			if t.Undertrained {
				add("%s is undertrained: on its training episodes it earns less than the best fixed order (%s)", which, contrasted(t.OverStatic))
			}
			if c := t.Cloning; c != nil && !(c.Share >= enoughCloned) {
				add("%s: a network of its shape that was fitted to the choices of %s reproduces %s of %d on histories held out, under %.0f%%: what the policy lacks may be capacity", which, c.Of, percent(c.Share), c.HeldOut, 100*enoughCloned)
			}
		}
	}
}

// contrasted puts a contrast into words.
func contrasted(c record.Contrast) string {
	if !c.Value.Defined() {
		return "undefined"
	}
	s := fmt.Sprintf("%+.2f", float64(c.Value))
	if c.Lo.Defined() {
		s += fmt.Sprintf(", 95%% interval %+.2f to %+.2f", float64(c.Lo), float64(c.Hi))
	}
	return s + fmt.Sprintf(", %d clusters", c.Clusters)
}

func percent(v record.Float) string {
	if !v.Defined() {
		return "–"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(v))
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
