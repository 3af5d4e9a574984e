package reports

import (
	"cmp"
	"slices"
)

const (
	treeDepth    = 3   // questions of the tree
	treeBranches = 3   // most questions drawn apart at one place, where there are more
	treeShare    = .05 // least share of all sessions for that
	treeFollowed = .02 // least share of all sessions that is followed further, or drawn apart where there are few
	treeMostly   = .75 // least share of the sessions with an answer that all go one way for it to lead there
	treeGroup    = 2   // least sessions with an answer that leads anywhere
)

// What the tree tells apart of answers: not held, the thirds of the range of the values
// that were told of the criterion, and missing.
var treeAnswers = []string{"not held", "low", "middle", "high", "missing"}

// answerGroup gives the index into treeAnswers of the answer to a question.
func (r *Run) answerGroup(s *session, i int) int {
	switch a := s.path[i].answer; {
	case a.IsMissing():
		return 4
	case !a.IsHeld():
		return 0
	case s.kept[i].criterion == noCriterion:
		return 2
	default:
		of := r.spans[s.kept[i].criterion]
		third := (of.hi - of.lo) / 3
		switch v := a.Value(); {
		case third <= 0:
			return 2
		case v < of.lo+third:
			return 1
		case v > of.hi-third:
			return 3
		}
		return 2
	}
}

// firstTask gives the task whose first questions are shown where tasks admit different
// criteria, so that one fixed order a task would look like many: the one with the most
// sessions, the first of several. It is -1 where all admit the same.
func (c *computer) firstTask() int {
	if !slices.ContainsFunc(c.admits, func(s string) bool { return s != c.admits[0] }) {
		return -1
	}
	n := make([]int, len(c.tasks))
	for _, st := range c.strategies {
		for _, s := range st.sessions {
			n[s.task]++
		}
	}
	return slices.Index(n, slices.Max(n))
}

// firstSeed gives the seed whose first questions are shown where a policy was trained for
// every seed, so that several policies would look like one that branches: the first of the
// manifest. It is nil where there is one policy, or none.
func (c *computer) firstSeed() *int {
	for _, st := range c.strategies {
		if st.Policy == nil {
			continue
		}
		for _, t := range st.Policy.Trainings {
			if t.Seed != st.Policy.Trainings[0].Seed && len(c.Manifest.Seeds) > 0 {
				return &c.Manifest.Seeds[0]
			}
		}
	}
	return nil
}

// firstQuestions is the tree of the first questions of a strategy by criterion: over all
// sessions, or over those of the one task and the one seed that are shown.
func (c *computer) firstQuestions(st *strategy) []branch {
	list := st.sessions
	if seed := c.out.FirstSeed; c.treeTask >= 0 || seed != nil {
		list = slices.DeleteFunc(slices.Clone(list), func(s *session) bool {
			return c.treeTask >= 0 && s.task != c.treeTask || seed != nil && s.seed != *seed
		})
	}
	out := []branch{}
	if st.fixed() || len(list) == 0 {
		return out
	}
	return append(out, c.branches(list, 0, len(list))...)
}

// branches tells sessions that asked the same so far apart by question t, from 0.
func (r *Run) branches(list []*session, t, total int) []branch {
	if t >= min(treeDepth, r.Manifest.Budget) {
		return nil
	}
	type way struct {
		question int32 // stopped, noCriterion, or a criterion
		sessions []*session
	}
	at := map[int32]int{}
	var ways []way
	for _, s := range list {
		q := int32(stopped)
		if t < len(s.kept) {
			q = s.kept[t].criterion
		}
		i, ok := at[q]
		if !ok {
			i = len(ways)
			at[q] = i
			ways = append(ways, way{question: q})
		}
		ways[i].sessions = append(ways[i].sessions, s)
	}
	slices.SortFunc(ways, func(a, b way) int {
		return cmp.Or(cmp.Compare(len(b.sessions), len(a.sessions)), cmp.Compare(a.question, b.question))
	})

	// Of many questions only the frequent ones are drawn apart.
	var shown, others []way
	questions := len(ways)
	if _, stops := at[stopped]; stops {
		questions--
	}
	named := 0
	for _, w := range ways {
		switch {
		case w.question == stopped, questions <= treeBranches && float64(len(w.sessions)) >= treeFollowed*float64(total):
			shown = append(shown, w)
		case named < treeBranches && float64(len(w.sessions)) >= treeShare*float64(total):
			shown = append(shown, w)
			named++
		default:
			others = append(others, w)
		}
	}
	if len(others) == 1 { // is shorter by its name
		shown, others = append(shown, others[0]), nil
	}

	groups := make([]int, len(treeAnswers))
	if t > 0 {
		for _, s := range list {
			groups[r.answerGroup(s, t-1)]++
		}
	}
	given := 0
	for _, n := range groups {
		if n > 0 {
			given++
		}
	}
	var out []branch
	for _, w := range shown {
		b := branch{Sessions: len(w.sessions), Share: Number(float64(len(w.sessions)) / float64(total)), Stop: w.question == stopped}
		if w.question >= 0 {
			b.Question = r.criterionID(w.question)
		}
		if t > 0 {
			own := make([]int, len(groups))
			for _, s := range w.sessions {
				own[r.answerGroup(s, t-1)]++
			}
			for i, n := range own {
				enough := groups[i] >= treeGroup && float64(n) >= treeMostly*float64(groups[i])
				if n > 0 && (enough || len(ways) == 1) {
					b.After = append(b.After, treeAnswers[i])
				}
			}
			b.Any = given > 1 && len(b.After) == given
		}
		if !b.Stop && float64(len(w.sessions)) >= treeFollowed*float64(total) {
			b.Next = r.branches(w.sessions, t+1, total)
		}
		out = append(out, b)
	}
	if len(others) > 0 {
		b := branch{Others: len(others)}
		for _, w := range others {
			b.Sessions += len(w.sessions)
		}
		b.Share = Number(float64(b.Sessions) / float64(total))
		out = append(out, b)
	}
	// By what leads there; then the larger, others and stops.
	slices.SortStableFunc(out, func(a, b branch) int { return cmp.Compare(a.rank(), b.rank()) })
	return out
}

// rank orders branches by the first of the answers that lead there.
func (b *branch) rank() int {
	switch {
	case b.Stop:
		return len(treeAnswers) + 2
	case b.Others > 0:
		return len(treeAnswers) + 1
	case len(b.After) == 0:
		return len(treeAnswers)
	}
	return slices.Index(treeAnswers, b.After[0])
}
