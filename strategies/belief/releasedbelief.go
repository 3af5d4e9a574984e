package belief

import (
	"math"
	"math/rand/v2"
	"slices"

	"pepbench/domains"
)

// A toldState says what is known of a position.
type toldState uint8

const (
	untold toldState = iota
	toldNot
	toldHeld
)

// A heuristic is what a released rule believes of one user: the answers, and sums
// over them that grow by a row of a matrix with every answer.
type heuristic struct {
	model     *Released
	criteria  []int
	told      []toldState
	held, not []int     // positions in the order told, each with room for all
	pinned    []float64 // value told, of what is held

	// Of every position, sums over the answers; empty where the rule has no use
	// for them.
	logit        []float64 // log-odds of naive-bayes, not clipped
	like, unlike []float64 // similarity to what is held, to what is not
	shift, moved []float64 // of the value: sum of what held criteria say, and how many do

	near *neighbours // made by the first selection; clones share it
	scratch
	against []float64 // part of scratch
	open    []bool    // scratch too: has a part in the sums of the selection
}

var _ BinaryInformer = (*heuristic)(nil)

// Start implements Model.
func (m *Released) Start(criteria []int) Belief {
	b := &heuristic{model: m, criteria: criteria}
	b.allocate()
	b.reset()
	return b
}

// allocate makes room for as many positions as there are criteria.
func (b *heuristic) allocate() {
	n, rule := len(b.criteria), b.model.rule
	b.told = make([]toldState, n)
	places := make([]int, 2*n)
	b.held, b.not = places[:0:n], places[n:n]
	size := n
	if rule.usesRatio() {
		size += n
	}
	if rule.usesSimilarity() {
		size += 2 * n
	}
	if rule == RuleItemCFValue {
		size += 2 * n
	}
	all := make([]float64, size)
	take := func() []float64 {
		out := all[:n:n]
		all = all[n:]
		return out
	}
	b.pinned = take()
	if rule.usesRatio() {
		b.logit = take()
	}
	if rule.usesSimilarity() {
		b.like, b.unlike = take(), take()
	}
	if rule == RuleItemCFValue {
		b.shift, b.moved = take(), take()
	}
}

// Len implements Belief.
func (b *heuristic) Len() int { return len(b.criteria) }

func (b *heuristic) criterion(i int) *domains.Criterion { return &b.model.criteria[b.criteria[i]] }

// Observe implements Belief. A value of a continuous criterion is clipped to its
// range.
func (b *heuristic) Observe(i int, c domains.Cell) {
	if c.IsMissing() {
		return
	}
	again := b.told[i] != untold
	if again {
		drop := func(list []int) []int { return slices.DeleteFunc(list, func(j int) bool { return j == i }) }
		b.held, b.not = drop(b.held), drop(b.not)
	}
	if c.IsHeld() {
		b.told[i] = toldHeld
		b.held = append(b.held, i)
		b.pinned[i] = b.criterion(i).Snap(c.Value()).Value()
	} else {
		b.told[i] = toldNot
		b.not = append(b.not, i)
	}
	if !again {
		b.add(i)
		return
	}
	b.reset()
	for _, j := range b.held {
		b.add(j)
	}
	for _, j := range b.not {
		b.add(j)
	}
}

// reset takes the sums back to no answers.
func (b *heuristic) reset() {
	m := b.model
	for j := range b.logit {
		b.logit[j] = m.logOdds[b.criteria[j]]
	}
	for _, s := range [][]float64{b.like, b.unlike, b.shift, b.moved} {
		clear(s)
	}
}

// add adds to the sums what position i, which has been told, says of the others.
func (b *heuristic) add(i int) {
	m := b.model
	n, o := len(m.criteria), b.criteria[i]
	if b.logit != nil {
		row := m.ratio[o*n:][:n]
		if b.told[i] == toldHeld {
			for j, c := range b.criteria {
				b.logit[j] += row[c]
			}
		} else {
			for j, c := range b.criteria {
				b.logit[j] -= row[c]
			}
		}
	}
	if b.like != nil {
		row, sum := m.stats.Similarity[o*n:][:n], b.like
		if b.told[i] == toldNot {
			sum = b.unlike
		}
		for j, c := range b.criteria {
			sum[j] += row[c]
		}
	}
	if b.shift != nil && b.told[i] == toldHeld {
		row, d := m.stats.Correlation[o*n:][:n], b.pinned[i]-m.value[o]
		for j, c := range b.criteria {
			if r := row[c]; !math.IsNaN(r) {
				b.shift[j] += float64(float64(.5*r) * d)
				b.moved[j]++
			}
		}
	}
}

// clippedLogistic is the probability with log-odds x, clipped as released.
func clippedLogistic(x float64) float64 {
	return 1 / (1 + math.Exp(-min(max(x, -logitClip), logitClip)))
}

// Item-CF keeps P(held) within these ends.
const itemLeast, itemMost = .01, .99

// itemHeld is item-cf of prior p with the given difference of similarities.
func itemHeld(p, diff float64, held, answers int) float64 {
	if held == 0 {
		return p
	}
	return min(max(p+diff/float64(answers+1), itemLeast), itemMost)
}

// probability is P(held) of position j, which has not been told.
func (b *heuristic) probability(j int) float64 {
	m := b.model
	p := m.has[b.criteria[j]]
	item := func() float64 {
		return itemHeld(p, b.like[j]-b.unlike[j], len(b.held), len(b.held)+len(b.not))
	}
	switch m.rule {
	case RuleNaiveBayes:
		return clippedLogistic(b.logit[j])
	case RuleItemCF, RuleItemCFValue:
		return item()
	case RuleHybrid:
		return (clippedLogistic(b.logit[j]) + item()) / 2
	case RuleLogisticCF:
		return clippedLogistic(m.logOdds[b.criteria[j]] + 2*(b.like[j]-b.unlike[j]))
	case RuleBayesianCF:
		like := 2*p + b.like[j]
		return like / (like + 2*(1-p) + b.unlike[j])
	}
	return p
}

// mean is E[value | held] of position j, NaN of a nominal criterion.
func (b *heuristic) mean(j int) float64 {
	c := b.criterion(j)
	switch {
	case c.Scale == domains.Nominal:
		return math.NaN()
	case b.told[j] == toldHeld:
		return b.pinned[j]
	}
	v := b.model.value[b.criteria[j]]
	if b.moved != nil && b.moved[j] > 0 {
		lo, hi := scaleEnds(c)
		v = min(max(v+b.shift[j]/b.moved[j], lo), hi)
	}
	return v
}

// Marginals implements Belief.
func (b *heuristic) Marginals(held, value []float64) {
	if b.model.compat {
		b.model.compatHeld(held[:len(b.criteria)], b.criteria, b.held, b.not)
	}
	for j, t := range b.told {
		switch {
		case t == toldHeld:
			held[j] = 1
		case t == toldNot:
			held[j] = 0
		case !b.model.compat:
			held[j] = b.probability(j)
		}
		value[j] = b.mean(j)
	}
}

// Infer implements Belief. The level probabilities of a nominal criterion are
// those of the training rows that hold it, with one more row shared by all levels.
func (b *heuristic) Infer() domains.Inference {
	return infer(b, func(i int) []float64 {
		if b.criterion(i).Scale != domains.Nominal {
			return nil
		}
		p := slices.Clone(b.model.levels[b.criteria[i]])
		if b.told[i] == toldHeld {
			clear(p)
			p[int(b.pinned[i])] = 1
		}
		return p
	})
}

// Draw implements Belief: held with P(held), the level as often as the training
// rows have it whatever was told, a continuous value at its mean.
func (b *heuristic) Draw(rng *rand.Rand, i int) domains.Cell {
	p := 0.0
	switch {
	case b.told[i] == toldHeld:
		return domains.At(b.pinned[i])
	case b.told[i] == toldNot:
		return domains.NotHeld()
	case b.model.compat:
		all := b.buffer(len(b.criteria))
		b.model.compatHeld(all, b.criteria, b.held, b.not)
		p = all[i]
	default:
		p = b.probability(i)
	}
	if rng.Float64() >= p {
		return domains.NotHeld()
	}
	c := b.criterion(i)
	if c.Scale == domains.Continuous {
		return domains.At(b.mean(i))
	}
	return domains.At(c.Levels[draw(rng, b.model.levels[b.criteria[i]])].Value)
}

// Clone implements Belief.
func (b *heuristic) Clone() Belief {
	out := &heuristic{model: b.model, criteria: b.criteria, near: b.near}
	out.allocate()
	out.Set(b)
	return out
}

// Set implements Belief.
func (b *heuristic) Set(src Belief) {
	s := src.(*heuristic)
	copy(b.told, s.told)
	b.held = append(b.held[:0], s.held...)
	b.not = append(b.not[:0], s.not...)
	copy(b.pinned, s.pinned)
	copy(b.logit, s.logit)
	copy(b.like, s.like)
	copy(b.unlike, s.unlike)
	copy(b.shift, s.shift)
	copy(b.moved, s.moved)
}
