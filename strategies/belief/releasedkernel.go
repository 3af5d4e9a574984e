package belief

import "math"

// Binary information gain is asked of candidates with P(held) between these.
const gainLeast, gainMost = .01, .99

// The clip of log-odds as one of odds.
var leastOdds, mostOdds = math.Exp(-logitClip), math.Exp(logitClip)

// compatHeld writes P(held) of every position to dst as the released code computes
// it: sums from the beginning, what is held before what is not, each in the order
// told, every product rounded. exp is the machine's own.
func (m *Released) compatHeld(dst []float64, criteria, held, not []int) {
	n := len(m.criteria)
	similar := func(c int, told []int) float64 {
		sum := 0.0
		for _, i := range told {
			sum += m.stats.Similarity[criteria[i]*n+c]
		}
		return sum
	}
	bayes := func(c int) float64 {
		x := m.logOdds[c]
		for _, i := range held {
			x += m.ratio[criteria[i]*n+c]
		}
		for _, i := range not {
			x -= m.ratio[criteria[i]*n+c]
		}
		return clippedLogistic(x)
	}
	item := func(c int) float64 {
		return itemHeld(m.has[c], similar(c, held)-similar(c, not), len(held), len(held)+len(not))
	}
	for j, c := range criteria {
		p := m.has[c]
		switch m.rule {
		case RuleNaiveBayes:
			p = bayes(c)
		case RuleItemCF, RuleItemCFValue:
			p = item(c)
		case RuleHybrid:
			p = (bayes(c) + item(c)) / 2
		case RuleLogisticCF:
			x := m.logOdds[c]
			for _, i := range held {
				x += float64(2 * m.stats.Similarity[criteria[i]*n+c])
			}
			for _, i := range not {
				x -= float64(2 * m.stats.Similarity[criteria[i]*n+c])
			}
			p = clippedLogistic(x)
		case RuleBayesianCF:
			a := float64(2*p) + similar(c, held)
			p = a / (a + (float64(2*(1-p)) + similar(c, not)))
		}
		dst[j] = p
	}
	for _, i := range held {
		dst[i] = 1
	}
	for _, i := range not {
		dst[i] = 0
	}
}

// compatInformation is BinaryInformation by predicting everything anew after each
// of the two answers to each candidate.
func (b *heuristic) compatInformation(dst []float64, candidate, asked []bool) {
	n, m := len(b.criteria), b.model
	buf := b.buffer(3 * n)
	now, entropy, after := buf[:n], buf[n:2*n], buf[2*n:]
	m.compatHeld(now, b.criteria, b.held, b.not)
	for j, p := range now {
		entropy[j] = exactEntropy(p)
	}
	for c := range n {
		if !candidate[c] {
			continue
		}
		p := now[c]
		if !(p > gainLeast && p < gainMost) {
			dst[c] = -1
			continue
		}
		others := func(of func(j int) float64) float64 {
			sum := 0.0
			for j := range n {
				if j != c && !asked[j] {
					sum += of(j)
				}
			}
			return sum
		}
		afterwards := func(j int) float64 {
			if after[j] == now[j] {
				return entropy[j]
			}
			return exactEntropy(after[j])
		}
		before := others(func(j int) float64 { return entropy[j] })
		m.compatHeld(after, b.criteria, append(b.held, c), b.not)
		yes := others(afterwards)
		m.compatHeld(after, b.criteria, b.held, append(b.not, c))
		no := others(afterwards)
		dst[c] = before - (float64(p*yes) + float64((1-p)*no))
	}
}

// neighbours lists, for every position o of a task, the positions whose belief an
// answer to o moves by more than a changed number of answers does.
type neighbours struct {
	start []int // of o's list; one more than there are positions
	list  []neighbour
}

type neighbour struct {
	at         int
	similarity float64
	ratio      float64 // ln P(at|o)/P(at|not o)
	odds       float64 // exp(ratio)
}

func (m *Released) neighbours(criteria []int) *neighbours {
	n := len(m.criteria)
	of := func(o, c int) (e neighbour) {
		if m.rule.usesSimilarity() {
			e.similarity = m.stats.Similarity[o*n+c]
		}
		if m.ratio != nil {
			e.ratio = m.ratio[o*n+c]
		}
		return e
	}
	out := &neighbours{start: make([]int, len(criteria)+1)}
	for i, o := range criteria {
		out.start[i+1] = out.start[i]
		for _, c := range criteria {
			if e := of(o, c); e != (neighbour{}) {
				out.start[i+1]++
			}
		}
	}
	out.list = make([]neighbour, 0, out.start[len(criteria)])
	for _, o := range criteria {
		for j, c := range criteria {
			if e := of(o, c); e != (neighbour{}) { // of itself nothing is said
				e.at, e.odds = j, 1
				if m.odds != nil {
					e.odds = m.odds[o*n+c]
				}
				out.list = append(out.list, e)
			}
		}
	}
	return out
}

// after gives the entropies of position e.at after a held and a not held answer to
// the position that it is a neighbour of, for the rules that use similarity.
func (b *heuristic) after(e *neighbour) (yes, no float64) {
	m := b.model
	j, similarity := e.at, e.similarity
	c := b.criteria[j]
	switch m.rule {
	case RuleItemCF, RuleItemCFValue:
		p, q := b.itemAfter(j, similarity)
		return heldEntropy(p), heldEntropy(q)
	case RuleHybrid:
		p, q := b.itemAfter(j, similarity)
		against := b.against[j] // exp(-logit); the answer multiplies the odds, no need of exp
		yes, no = min(max(against/e.odds, leastOdds), mostOdds), min(max(against*e.odds, leastOdds), mostOdds)
		return heldEntropy((1/(1+yes) + p) / 2), heldEntropy((1/(1+no) + q) / 2)
	case RuleLogisticCF:
		x := m.logOdds[c] + 2*(b.like[j]-b.unlike[j])
		return logitEntropy(x + 2*similarity), logitEntropy(x - 2*similarity)
	}
	like := 2*m.has[c] + b.like[j] // bayesian-cf
	total := like + 2*(1-m.has[c]) + b.unlike[j] + similarity
	return heldEntropy((like + similarity) / total), heldEntropy(like / total)
}

// itemAfter gives P(held) of item-cf after either answer.
func (b *heuristic) itemAfter(j int, similarity float64) (yes, no float64) {
	p, diff := b.model.has[b.criteria[j]], b.like[j]-b.unlike[j]
	held, answers := len(b.held), len(b.held)+len(b.not)+1
	return itemHeld(p, diff+similarity, held+1, answers), itemHeld(p, diff-similarity, held, answers)
}

// BinaryInformation implements BinaryInformer. With H_j what is believed now and
// H_j+, H_j- after c is held or not, the gain is
//
//	P_c sum_j (H_j - H_j+) + (1-P_c) sum_j (H_j - H_j-)
//
// An answer to c moves its neighbours by what the matrices say, and everything
// else at most by one answer more (the denominator of item-cf), which is the same
// for every c: those entropies are summed once, and corrected for c itself and for
// its neighbours.
func (b *heuristic) BinaryInformation(dst []float64, candidate, asked []bool) {
	m := b.model
	if m.compat {
		b.compatInformation(dst, candidate, asked)
		return
	}
	if b.near == nil {
		b.near = m.neighbours(b.criteria)
	}
	n := len(b.criteria)
	if b.open == nil {
		b.open = make([]bool, n)
	}
	buf := b.buffer(5 * n)
	held, now, yes, no := buf[:n], buf[n:2*n], buf[2*n:3*n], buf[3*n:4*n] // P, and entropies; 0 of what has no part
	b.against = buf[4*n:]
	clear(buf)
	allYes, allNo := 0.0, 0.0
	for j := range n {
		b.open[j] = !asked[j] && b.told[j] == untold
		if b.told[j] == untold {
			held[j] = b.probability(j)
		}
		if b.open[j] {
			now[j] = b.entropy(j, held[j])
			yes[j], no[j] = now[j], now[j]
			if m.rule == RuleHybrid {
				b.against[j] = math.Exp(-b.logit[j])
			}
			if m.rule.usesItem() {
				yes[j], no[j] = b.after(&neighbour{at: j, odds: 1})
			}
			allYes += now[j] - yes[j]
			allNo += now[j] - no[j]
		}
	}
	for c := range n {
		if !candidate[c] {
			continue
		}
		p := held[c]
		if !(p > gainLeast && p < gainMost) {
			dst[c] = -1
			continue
		}
		dropYes, dropNo := allYes-(now[c]-yes[c]), allNo-(now[c]-no[c])
		near := b.near.list[b.near.start[c]:b.near.start[c+1]]
		if m.rule == RuleNaiveBayes { // the one that is dense in pairs
			for i := range near {
				if e := &near[i]; b.open[e.at] {
					x, h := b.logit[e.at], now[e.at]
					dropYes += h - logitEntropy(x+e.ratio)
					dropNo += h - logitEntropy(x-e.ratio)
				}
			}
		} else {
			for i := range near {
				if e := &near[i]; b.open[e.at] {
					y, z := b.after(e)
					dropYes += yes[e.at] - y
					dropNo += no[e.at] - z
				}
			}
		}
		dst[c] = p*dropYes + (1-p)*dropNo
	}
}

// entropy is that of position j with P(held) = p.
func (b *heuristic) entropy(j int, p float64) float64 {
	if b.model.rule == RuleNaiveBayes {
		return logitEntropy(b.logit[j])
	}
	return heldEntropy(p)
}
