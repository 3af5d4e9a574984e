package reports

import (
	"math"

	"pepbench/domains"
	"pepbench/reports/stats"
)

// stopped stands for the next question of a session that asked no more.
const stopped = -2

// noCriterion is the question of a turn that asked about no criterion, or about one that
// had been asked. All of these count as one question.
const noCriterion = -1

// A pairCount counts pairs of sessions, and those whose next questions differ.
type pairCount struct{ pairs, differ int64 }

func (p *pairCount) add(q pairCount) { p.pairs += q.pairs; p.differ += q.differ }

func (p pairCount) without(q pairCount) pairCount {
	return pairCount{p.pairs - q.pairs, p.differ - q.differ}
}

func (p pairCount) share() float64 {
	if p.pairs == 0 {
		return math.NaN()
	}
	return float64(p.differ) / float64(p.pairs)
}

// followUps counts the pairs of one task, over seeds and t.
type followUps struct {
	strict pairCount
	held   pairCount   // of these: one answer is a value, the other "not held"
	value  pairCount   // of these: both answers are values
	early  int64       // of these: exactly one of the two stopped
	byT    []pairCount // of these: by t - 1
	same   []pairCount // with equal answers to q_t instead, by t - 1

	released     pairCount
	releasedHeld pairCount // of these: one answer is a value, the other "not held"
}

// countFollowUps counts the pairs of every task for one strategy. Sessions are
// split by what they asked and heard, a question at a time, and pairs are counted
// within the parts, which takes time linear in sessions and questions.
func countFollowUps(sessions []*session, tasks, budget int) []followUps {
	type group struct{ task, seed int }
	groups := map[group][]*session{}
	for _, s := range sessions {
		g := group{s.task, s.seed}
		groups[g] = append(groups[g], s)
	}
	out := make([]followUps, tasks)
	for i := range out {
		out[i].byT = make([]pairCount, max(budget-1, 0))
		out[i].same = make([]pairCount, max(budget-1, 0))
	}
	for g, list := range groups { // sums of integers: the order does not matter
		out[g.task].strictFrom(list, 1, budget)
		out[g.task].releasedFrom(list, 1, budget)
	}
	return out
}

// strictFrom counts over sessions with the same questions and answers before q_t.
func (f *followUps) strictFrom(list []*session, t, budget int) {
	if t >= budget || len(list) < 2 {
		return
	}
	for _, same := range byQuestion(list, t) {
		var all, known, values table
		byAnswer := map[answer][]*session{}
		for _, s := range same {
			a := answerOf(s.path[t-1].answer)
			byAnswer[a] = append(byAnswer[a], s)
			all.add(a, s.next(t))
			if !a.missing {
				known.add(a, s.next(t))
			}
			if a.held {
				values.add(a, s.next(t))
			}
		}
		p, k, v := all.count(), known.count(), values.count()
		f.strict.add(p)
		f.byT[t-1].add(p)
		f.same[t-1].add(all.alike())
		f.value.add(v)
		f.held.add(k.without(v))
		f.early += all.oneStopped()
		for _, part := range byAnswer {
			f.strictFrom(part, t+1, budget)
		}
	}
}

// releasedFrom counts over sessions with the same questions before q_t, whatever
// was answered, that both ask a next question.
func (f *followUps) releasedFrom(list []*session, t, budget int) {
	if t >= budget || len(list) < 2 {
		return
	}
	for _, same := range byQuestion(list, t) {
		var all, known, values table
		for _, s := range same {
			n := s.next(t)
			if n == stopped {
				continue
			}
			a := answerOf(s.path[t-1].answer)
			all.add(a, n)
			if !a.missing {
				known.add(a, n)
			}
			if a.held {
				values.add(a, n)
			}
		}
		f.released.add(all.count())
		f.releasedHeld.add(known.count().without(values.count()))
		f.releasedFrom(same, t+1, budget)
	}
}

// byQuestion splits the sessions that asked a t-th question by that question.
func byQuestion(list []*session, t int) map[int][]*session {
	out := map[int][]*session{}
	for _, s := range list {
		if len(s.path) >= t {
			q := s.path[t-1].question
			out[q] = append(out[q], s)
		}
	}
	return out
}

// next is the question after the t-th, or stopped.
func (s *session) next(t int) int {
	if t < len(s.path) {
		return s.path[t].question
	}
	return stopped
}

// An answer is a cell that can be compared with ==, which NaN cannot.
type answer struct {
	held, missing bool
	value         float64
}

func answerOf(c domains.Cell) answer {
	if c.IsHeld() {
		return answer{held: true, value: c.Value()}
	}
	return answer{missing: c.IsMissing()}
}

// A table counts sessions by answer and next question.
type table struct {
	n        map[answer]map[int]int64
	byAnswer map[answer]int64
	byNext   map[int]int64
	total    int64
}

func (t *table) add(a answer, next int) {
	if t.n == nil {
		t.n, t.byAnswer, t.byNext = map[answer]map[int]int64{}, map[answer]int64{}, map[int]int64{}
	}
	if t.n[a] == nil {
		t.n[a] = map[int]int64{}
	}
	t.n[a][next]++
	t.byAnswer[a]++
	t.byNext[next]++
	t.total++
}

// count counts pairs with different answers, and those of them with different
// next questions. With n_aq sessions of answer a and next question q,
//
//	pairs = (n^2 - sum_a n_a^2) / 2,   same next = sum_q (n_q^2 - sum_a n_aq^2) / 2
func (t *table) count() pairCount {
	pairs, same := t.total*t.total, int64(0)
	for _, n := range t.byAnswer {
		pairs -= n * n
	}
	for _, n := range t.byNext {
		same += n * n
	}
	for _, row := range t.n {
		for _, n := range row {
			same -= n * n
		}
	}
	return pairCount{pairs / 2, (pairs - same) / 2}
}

// alike counts pairs with equal answers, and those of them with different next
// questions: sum_a n_a (n_a - 1) / 2, less the same over answer and next question.
func (t *table) alike() (p pairCount) {
	for a, n := range t.byAnswer {
		p.pairs += n * (n - 1) / 2
		p.differ += n * (n - 1) / 2
		for _, k := range t.n[a] {
			p.differ -= k * (k - 1) / 2
		}
	}
	return p
}

// oneStopped counts pairs with different answers of which exactly one stopped.
func (t *table) oneStopped() int64 {
	stop := t.byNext[stopped]
	n := stop * (t.total - stop)
	for a, row := range t.n {
		n -= row[stopped] * (t.byAnswer[a] - row[stopped])
	}
	return n
}

// shareOf is the mean over tasks of the shares of what is counted in each.
func shareOf[T any](tasks []T, of func(*T) pairCount, b stats.Bootstrap) PairShare {
	col := make([]float64, len(tasks))
	var sum pairCount
	for i := range tasks {
		p := of(&tasks[i])
		sum.add(p)
		col[i] = p.share()
	}
	mean, n := stats.Mean(col)
	s := PairShare{Value: Number(mean), Pairs: sum.pairs, Differing: sum.differ, Tasks: n}
	s.Lo, s.Hi = ends(b, n, func() []float64 {
		s.samples = b.Means(col)[0]
		return s.samples
	})
	return s
}

// adaptivity turns the counts of the tasks into shares with intervals.
func adaptivity(tasks []followUps, b stats.Bootstrap) Adaptivity {
	share := func(of func(*followUps) pairCount) PairShare { return shareOf(tasks, of, b) }
	var out Adaptivity
	out.PairShare = share(func(f *followUps) pairCount { return f.strict })
	out.Held = share(func(f *followUps) pairCount { return f.held })
	out.Values = share(func(f *followUps) pairCount { return f.value })
	for i := range tasks {
		out.EarlyStops += tasks[i].early
	}
	if len(tasks) > 0 {
		for t := range tasks[0].byT {
			out.ByT = append(out.ByT, share(func(f *followUps) pairCount { return f.byT[t] }))
		}
	}
	out.Corrected = corrected(tasks, b)

	// The released variants pool the pairs of all tasks: a ratio of sums.
	pool := func(of func(*followUps) pairCount) PairShare {
		out := share(of)
		pairs, differ := make([]float64, len(tasks)), make([]float64, len(tasks))
		var pooled pairCount
		for i := range tasks {
			p := of(&tasks[i])
			pooled.add(p)
			pairs[i], differ[i] = float64(p.pairs), float64(p.differ)
		}
		out.Value = Number(pooled.share())
		out.Lo, out.Hi = ends(b, out.Tasks, func() []float64 {
			m := b.Means(pairs, differ)
			for r := range m[0] {
				m[1][r] /= m[0][r] // 0/0 is NaN: no pair was drawn
			}
			return m[1]
		})
		return out
	}
	out.Released = pool(func(f *followUps) pairCount { return f.released })
	out.ReleasedHeld = pool(func(f *followUps) pairCount { return f.releasedHeld })
	return out
}

// corrected takes off what goes on differently after equal answers, too. Of a task with
// P_t pairs of different answers to q_t, of which D_t go on differently, and P'_t and
// D'_t of equal answers, summed over the t that have both,
//
//	sum_t P_t (D_t / P_t - D'_t / P'_t) / sum_t P_t
//
// so that both shares are over the same t: how often dice decide falls with t, since
// whoever has drawn the same so far is likely to have drawn the same order. Pairs of
// different answers at a t without any of equal ones have no part, and a task that has
// no other has no value.
func corrected(tasks []followUps, b stats.Bootstrap) Corrected {
	out := Corrected{ByT: []CorrectedShare{}}
	turns := 0
	if len(tasks) > 0 {
		turns = len(tasks[0].byT)
	}
	of := func(from, to int) CorrectedShare {
		col := make([]float64, len(tasks))
		var s CorrectedShare
		for i := range tasks {
			matched, unmatched, sum := int64(0), int64(0), 0.0
			for t := from; t < to; t++ {
				differ, equal := tasks[i].byT[t], tasks[i].same[t]
				s.SamePairs += equal.pairs
				s.SameDiffering += equal.differ
				switch {
				case differ.pairs == 0:
				case equal.pairs == 0:
					unmatched += differ.pairs
				default:
					matched += differ.pairs
					sum += float64(differ.differ) - float64(differ.pairs)*equal.share()
				}
			}
			col[i] = math.NaN()
			if matched > 0 {
				col[i] = sum / float64(matched)
			} else if unmatched > 0 {
				s.Lacking++
			}
			s.Unmatched += unmatched
		}
		mean, n := stats.Mean(col)
		s.Value, s.Tasks = Number(mean), n
		s.Lo, s.Hi = ends(b, n, func() []float64 {
			s.samples = b.Means(col)[0]
			return s.samples
		})
		return s
	}
	out.CorrectedShare = of(0, turns)
	for t := range turns {
		out.ByT = append(out.ByT, of(t, t+1))
	}
	return out
}

// ends gives the interval of the samples, or none under two clusters.
func ends(b stats.Bootstrap, clusters int, samples func() []float64) (lo, hi Number) {
	if clusters < 2 {
		return undefined(), undefined()
	}
	iv := b.Interval(samples())
	return Number(iv.Lo), Number(iv.Hi)
}
