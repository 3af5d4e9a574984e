package reports

import (
	"math"
	"slices"

	"pepbench/reports/stats"
)

// adaptivity gives all that is measured of how a strategy asks.
func (c *computer) adaptivity(st *strategy) Adaptivity {
	out := adaptivity(countFollowUps(st.sessions, len(c.tasks), c.Manifest.Budget), c.boot)
	out.Counterfactual = counterfactual(countForks(st.sessions, len(c.tasks), c.Manifest.Budget), c.boot)
	out.Collapse = Collapse{
		Value: undefined(), Lo: undefined(), Hi: undefined(), Sequences: []seedSequence{},
		ByTask: collapsedTask{Value: undefined(), Lo: undefined(), Hi: undefined()},
	}
	out.Entropy = []turnEntropy{}
	if !st.fixed() {
		out.Collapse = c.collapse(st.sessions)
		out.Entropy = entropy(st.sessions, c.Manifest.Budget)
	}
	return out
}

// forks counts the turns of one task, over sessions, and those after which another
// answer would have led to another question.
type forks struct {
	all   pairCount
	held  pairCount   // of these: one answer is a value, the other "not held"
	value pairCount   // of these: both answers are values
	byT   []pairCount // of these: by t - 1
}

// countForks counts the turns t below the budget whose other answer was tried.
func countForks(sessions []*session, tasks, budget int) []forks {
	out := make([]forks, tasks)
	for i := range out {
		out[i].byT = make([]pairCount, max(budget-1, 0))
	}
	for _, s := range sessions {
		f := &out[s.task]
		for t := 1; t < budget && t <= len(s.kept); t++ {
			k := s.kept[t-1]
			if k.other == unforked {
				continue
			}
			one := pairCount{pairs: 1}
			if s.next(t) != int(k.other) {
				one.differ = 1
			}
			f.all.add(one)
			f.byT[t-1].add(one)
			switch k.apart {
			case heldApart:
				f.held.add(one)
			case valuesApart:
				f.value.add(one)
			}
		}
	}
	return out
}

// counterfactual turns the counts of the tasks into shares with intervals.
func counterfactual(tasks []forks, b stats.Bootstrap) Counterfactual {
	share := func(of func(*forks) pairCount) TurnShare {
		s := shareOf(tasks, of, b)
		return TurnShare{s.Value, s.Lo, s.Hi, s.Pairs, s.Differing, s.Tasks, s.samples}
	}
	out := Counterfactual{
		TurnShare: share(func(f *forks) pairCount { return f.all }),
		Held:      share(func(f *forks) pairCount { return f.held }),
		Values:    share(func(f *forks) pairCount { return f.value }),
		ByT:       []TurnShare{},
	}
	if len(tasks) > 0 {
		for t := range tasks[0].byT {
			out.ByT = append(out.ByT, share(func(f *forks) pairCount { return f.byT[t] }))
		}
	}
	return out
}

// sequence gives the criteria that a session asked about, in order.
func (s *session) sequence() []int32 {
	out := make([]int32, len(s.kept))
	for i, k := range s.kept {
		out[i] = k.criterion
	}
	return out
}

// sequenceKey is a sequence that can be a key.
func sequenceKey(seq []int32) string {
	b := make([]byte, 0, 4*len(seq))
	for _, c := range seq {
		b = append(b, byte(c>>24), byte(c>>16), byte(c>>8), byte(c))
	}
	return string(b)
}

// sequences counts sessions by what they asked in which order.
type sequences map[string]*sequenceCount

type sequenceCount struct {
	criteria []int32
	n        int
}

func (q sequences) add(seq []int32) {
	k := sequenceKey(seq)
	if q[k] == nil {
		q[k] = &sequenceCount{criteria: seq}
	}
	q[k].n++
}

// most gives the sequence of the most sessions; of several the one whose ids come first.
func (q sequences) most() (best sequenceCount) {
	for _, s := range q {
		if s.n > best.n || s.n == best.n && slices.Compare(s.criteria, best.criteria) < 0 {
			best = *s
		}
	}
	return best
}

// collapse finds the most common sequence of questions up to the budget of every seed, over
// all tasks, and the share of sessions that follow that of their seed: sessions of all
// clusters together, both sums resampled with the sequences fixed. A seed has a policy of
// its own where one is trained: policies that each ask everybody the same, and not the same
// as each other, have collapsed all the same.
func (c *computer) collapse(list []*session) Collapse {
	type part struct{ task, seed int } // task -1: all of them
	of, in := map[part]sequences{}, map[part]int{}
	for _, s := range list {
		seq := s.sequence()
		for _, p := range []part{{-1, s.seed}, {s.task, s.seed}} {
			if of[p] == nil {
				of[p] = sequences{}
			}
			of[p].add(seq)
			in[p]++
		}
	}
	out := Collapse{Sessions: len(list), Value: undefined(), Sequences: []seedSequence{}}
	best := map[int][]int32{}
	for _, seed := range seedsOf(list) {
		most := of[part{-1, seed}].most()
		best[seed] = most.criteria
		q := seedSequence{Seed: seed, Sequence: []string{}, Sessions: in[part{-1, seed}], Following: most.n}
		for _, i := range most.criteria {
			q.Sequence = append(q.Sequence, c.criterionID(i))
		}
		out.Sequences = append(out.Sequences, q)
		out.Following += most.n
	}
	if len(list) > 0 {
		out.Value = Number(float64(out.Following) / float64(len(list)))
	}

	n, follow := make([]float64, c.clusters), make([]float64, c.clusters)
	for _, s := range list {
		n[c.cluster[s.unit]]++
		if slices.Equal(s.sequence(), best[s.seed]) {
			follow[c.cluster[s.unit]]++
		}
	}
	some := 0
	for _, v := range n {
		if v > 0 {
			some++
		}
	}
	out.Lo, out.Hi = ends(c.boot, some, func() []float64 {
		m := c.boot.Means(n, follow)
		for r := range m[0] {
			m[1][r] /= m[0][r] // 0/0 is NaN: no session was drawn
		}
		return m[1]
	})

	own, sessions := make([]float64, len(c.tasks)), make([]float64, len(c.tasks))
	for p, k := range in { // sums of whole numbers: the order does not matter
		if p.task >= 0 {
			own[p.task] += float64(of[p].most().n)
			sessions[p.task] += float64(k)
		}
	}
	for i := range own {
		own[i] /= sessions[i] // 0/0 is NaN: no session
	}
	mean, tasks := stats.Mean(own)
	out.ByTask = collapsedTask{Value: Number(mean), Tasks: tasks}
	out.ByTask.Lo, out.ByTask.Hi = ends(c.boot, tasks, func() []float64 { return c.boot.Means(own)[0] })
	return out
}

// seedsOf gives the seeds of sessions, ascending.
func seedsOf(list []*session) (out []int) {
	for _, s := range list {
		if i, ok := slices.BinarySearch(out, s.seed); !ok {
			out = slices.Insert(out, i, s.seed)
		}
	}
	return out
}

// criterionID names a criterion; a question about none has no name.
func (r *Run) criterionID(i int32) string {
	if i == noCriterion {
		return ""
	}
	return r.asked[i]
}

// entropy is the plug-in entropy of every question over the sessions of a seed, by
// criterion, and of that the mean over seeds: with n_q of n sessions that asked q at a
// turn, or had stopped before it,
//
//   - sum_q n_q/n log2 n_q/n
func entropy(list []*session, budget int) []turnEntropy {
	out := []turnEntropy{}
	seeds := seedsOf(list)
	for t := range budget {
		e := turnEntropy{Turn: t + 1, Bits: undefined(), Sessions: len(list)}
		sum := 0.0
		for _, seed := range seeds {
			n, stops, all := map[int32]int{}, 0, 0
			for _, s := range list {
				switch {
				case s.seed != seed:
					continue
				case t >= len(s.kept):
					stops++
				default:
					n[s.kept[t].criterion]++
				}
				all++
			}
			e.Stopped += stops
			sum += bits(append(values(n), stops), all)
		}
		if len(seeds) > 0 {
			e.Bits = Number(sum / float64(len(seeds)))
		}
		out = append(out, e)
	}
	return out
}

// values gives the counts, the smallest first, so that sums do not depend on the order
// of a map.
func values(n map[int32]int) []int {
	out := make([]int, 0, len(n))
	for _, v := range n {
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}

// bits is the entropy of counts that sum to total.
func bits(counts []int, total int) float64 {
	h := 0.0
	for _, n := range counts {
		if n > 0 && n < total {
			p := float64(n) / float64(total)
			h -= p * math.Log2(p)
		}
	}
	return h
}
