package belief

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"pepbench/domains"
)

// A Rule names one of the released models.
type Rule string

// The released models of arXiv 2602.15012, and Uniform, which knows nothing. With
// p = Has[c], sim = Similarity, told held criteria H, told not held N, and clips
// of log-odds to +-10, P(held) of a criterion c that is not told is
//
//	uniform       1/2
//	prior         p
//	naive-bayes   1/(1+exp(-x)),  x = ln(p/(1-p+1e-10) + 1e-10) + sum_{o in H} r(o,c) - sum_{o in N} r(o,c),
//	              r(o,c) = ln(P(c|o) / P(c|not o)), 0 unless both are known and positive
//	item-cf       clip(p + (sum_H sim - sum_N sim) / (|H|+|N|+1), .01, .99);  p while H is empty
//	item-cf-value item-cf, and E[value] = clip(Value[c] + mean_{o in H, correlated} corr(o,c) (v_o - Value[o]) / 2)
//	hybrid        mean of naive-bayes and item-cf
//	logistic-cf   1/(1+exp(-x)),  x = ln(p/(1-p+1e-10) + 1e-10) + 2 sum_H sim - 2 sum_N sim
//	bayesian-cf   a/(a+b),  a = 2p + sum_H sim,  b = 2(1-p) + sum_N sim
//
// and E[value | held] is Value[c] unless said otherwise, of uniform the middle of
// the scale. Values are clipped to the scale. A criterion that no training row
// lists has p = 0.3 and the middle of its scale.
const (
	RuleUniform     Rule = "uniform"
	RulePrior       Rule = "prior"
	RuleNaiveBayes  Rule = "naive-bayes"
	RuleItemCF      Rule = "item-cf"
	RuleItemCFValue Rule = "item-cf-value"
	RuleHybrid      Rule = "hybrid"
	RuleLogisticCF  Rule = "logistic-cf"
	RuleBayesianCF  Rule = "bayesian-cf"
)

// Rules are all of them.
var Rules = []Rule{RuleUniform, RulePrior, RuleNaiveBayes, RuleItemCF, RuleItemCFValue, RuleHybrid, RuleLogisticCF, RuleBayesianCF}

// usesRatio reports whether the rule looks at conditionals.
func (r Rule) usesRatio() bool { return r == RuleNaiveBayes || r == RuleHybrid }

// usesSimilarity reports whether the rule looks at similarities.
func (r Rule) usesSimilarity() bool {
	switch r {
	case RuleItemCF, RuleItemCFValue, RuleHybrid, RuleLogisticCF, RuleBayesianCF:
		return true
	}
	return false
}

// usesItem reports whether the number of answers alone moves the rule.
func (r Rule) usesItem() bool { return r == RuleItemCF || r == RuleItemCFValue || r == RuleHybrid }

// ReleasedOptions are the knobs of FitReleased.
type ReleasedOptions struct {
	Rule Rule
	// MinUsers takes a criterion that fewer training users of a task hold as not
	// listed by that task; 0 and 1 take all as listed.
	MinUsers int
	// Compat computes as the released code does, term by term, in its order, with
	// logarithms correctly rounded, and slowly. Without it sums are kept up to date
	// and entropies looked up; results agree to 1e-9.
	Compat bool
}

// Released is a fitted rule. Its beliefs are heuristics, no posteriors of a joint
// model: what they give depends on what was told, not on its order but for
// rounding.
type Released struct {
	rule     Rule
	compat   bool
	criteria []domains.Criterion
	stats    *releasedStats

	has, value []float64   // with what stands for the unknown
	logOdds    []float64   // of has
	ratio      []float64   // [o,c] at o*C+c: r(o,c); nil when the rule has no use for it
	odds       []float64   // exp(ratio), the factor by which an answer multiplies odds
	levels     [][]float64 // P(level | held); nil of a continuous criterion
	unseen     int         // criteria that no training row lists
}

var _ Model = (*Released)(nil)

// FitReleased counts the statistics of train. There is nothing to choose on dev:
// the one candidate carries the rule's mean log score there, in nats a known cell, of
// held or not, every cell told after it was predicted. It is NaN without dev rows.
func FitReleased(ctx context.Context, train, dev Population, opt ReleasedOptions) (*Released, []Candidate, error) {
	if !slices.Contains(Rules, opt.Rule) {
		names := make([]string, len(Rules))
		for i, r := range Rules {
			names[i] = string(r)
		}
		return nil, nil, &domains.DataError{What: fmt.Sprintf("no released model %q", opt.Rule), Mend: "name one of " + strings.Join(names, ", ")}
	}
	if len(train.Rows) == 0 {
		return nil, nil, &domains.DataError{What: "no training profiles", Mend: "lower split.test and split.dev"}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	m := newReleased(opt.Rule, opt.Compat, train.Criteria, newReleasedStats(train, opt.MinUsers))
	score, err := m.score(ctx, dev)
	if err != nil {
		return nil, nil, err
	}
	return m, []Candidate{{Name: string(opt.Rule), DevScore: score, Chosen: true}}, nil
}

// newReleased works out what beliefs look up.
func newReleased(rule Rule, compat bool, criteria []domains.Criterion, s *releasedStats) *Released {
	n := len(criteria)
	m := &Released{
		rule: rule, compat: compat, criteria: criteria, stats: s,
		has: slices.Clone(s.Has), value: slices.Clone(s.Value), logOdds: make([]float64, n), levels: make([][]float64, n),
	}
	for i := range criteria {
		c := &criteria[i]
		if s.Listed[i] == 0 {
			m.unseen++
			m.has[i] = unseenHeld
		}
		total := float64(s.Held[i] + 1)
		if c.Scale != domains.Continuous {
			m.levels[i] = make([]float64, len(c.Levels))
			for l, k := range s.levels[i] {
				m.levels[i][l] = (float64(k) + 1/float64(len(c.Levels))) / total
			}
		}
		if rule == RuleUniform {
			m.has[i], m.value[i] = .5, scaleMiddle(c)
			for l := range m.levels[i] {
				m.levels[i][l] = 1 / float64(len(c.Levels))
			}
		}
		m.logOdds[i] = exactLog(m.has[i]/(1-m.has[i]+1e-10) + 1e-10)
	}
	if rule.usesRatio() {
		m.ratio, m.odds = make([]float64, n*n), make([]float64, n*n)
		for i, p := range s.Given {
			m.odds[i] = 1
			if q := s.GivenNot[i]; p > 0 && q > 0 { // false of NaN
				m.odds[i] = p / q
				m.ratio[i] = exactLog(m.odds[i])
			}
		}
	}
	return m
}

// score is the mean log probability of held or not, nats a known cell.
func (m *Released) score(ctx context.Context, dev Population) (float64, error) {
	sum, cells := 0.0, 0
	held, value := make([]float64, len(m.criteria)), make([]float64, len(m.criteria))
	for _, row := range dev.Rows {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		b := m.Start(row.Index)
		for j, c := range row.Cells {
			if c.IsMissing() {
				continue
			}
			b.Marginals(held, value)
			p := held[j]
			if !c.IsHeld() {
				p = 1 - p
			}
			sum += math.Log(max(p, 1e-12))
			cells++
			b.Observe(j, c)
		}
	}
	return sum / float64(cells), nil // 0/0 is NaN
}

// NumParams implements Model: the numbers that the rule's predictions use. Two a
// criterion, P(held) and the mean value (of a nominal one the free level
// probabilities instead); one a directed pair with a ratio; one a pair that is
// similar; one a pair that is correlated.
func (m *Released) NumParams() int {
	if m.rule == RuleUniform {
		return 0
	}
	n := 0
	for i := range m.criteria {
		n += 2
		if c := &m.criteria[i]; c.Scale == domains.Nominal {
			n += len(c.Levels) - 2
		}
	}
	for i := range m.ratio {
		if m.ratio[i] != 0 {
			n++
		}
	}
	m.eachPair(func(cd, _ int) {
		if m.rule.usesSimilarity() && m.stats.Similarity[cd] != 0 {
			n++
		}
		if m.rule == RuleItemCFValue && !math.IsNaN(m.stats.Correlation[cd]) {
			n++
		}
	})
	return n
}

// eachPair visits every pair c < d with the places of [c,d] and [d,c].
func (m *Released) eachPair(visit func(cd, dc int)) {
	n := len(m.criteria)
	for c := range n {
		for d := c + 1; d < n; d++ {
			visit(c*n+d, d*n+c)
		}
	}
}

// About implements Model.
func (m *Released) About() string {
	s := fmt.Sprintf("released %s, pairwise statistics of the training profiles", m.rule)
	switch m.rule {
	case RuleUniform:
		s = "uniform: held or not at even odds, values at the middle"
	case RulePrior:
		s = "released prior: share of holders and mean value of every criterion"
	}
	if m.compat {
		s += ", computed as released"
	}
	return s
}

// Notes implements Model.
func (m *Released) Notes() []domains.Count {
	if m.unseen == 0 || m.rule == RuleUniform {
		return nil
	}
	return []domains.Count{{What: "criteria that no training profile lists: P(held) 0.3 and the middle of the scale, as released", N: m.unseen}}
}

// A pairList has entries of pairs of criteria, c < d, without those that say nothing.
type pairList struct {
	C []int     `json:"c"`
	D []int     `json:"d"`
	V []float64 `json:"v"` // one a pair, or four: P(d|c), P(d|not c), P(c|d), P(c|not d)
}

// releasedFile is the snapshot of a Released.
type releasedFile struct {
	Rule         Rule       `json:"rule"`
	Compat       bool       `json:"compat"`
	Listed       []int      `json:"listed"`
	Held         []int      `json:"held"`
	Value        []*float64 `json:"value"` // mean values; null of a nominal criterion
	Levels       [][]int    `json:"levels"`
	Similarity   *pairList  `json:"similarity,omitempty"`
	Conditionals *pairList  `json:"conditionals,omitempty"`
	Correlation  *pairList  `json:"correlation,omitempty"`
}

func (m *Released) fileKind() string                { return "released" }
func (m *Released) population() []domains.Criterion { return m.criteria }

func (m *Released) snapshot() any {
	s := m.stats
	f := releasedFile{Rule: m.rule, Compat: m.compat, Listed: s.Listed, Held: s.Held, Levels: s.levels, Value: make([]*float64, len(s.Value))}
	for i, v := range s.Value {
		if !math.IsNaN(v) {
			f.Value[i] = &s.Value[i]
		}
	}
	n := len(m.criteria)
	collect := func(use bool, said func(cd, dc int) []float64) *pairList {
		if !use {
			return nil
		}
		p := &pairList{C: []int{}, D: []int{}, V: []float64{}}
		m.eachPair(func(cd, dc int) {
			if v := said(cd, dc); v != nil {
				p.C, p.D, p.V = append(p.C, cd/n), append(p.D, cd%n), append(p.V, v...)
			}
		})
		return p
	}
	f.Similarity = collect(m.rule.usesSimilarity(), func(cd, _ int) []float64 {
		if s.Similarity[cd] == 0 {
			return nil
		}
		return s.Similarity[cd : cd+1]
	})
	f.Conditionals = collect(m.rule.usesRatio(), func(cd, dc int) []float64 {
		if math.IsNaN(s.Given[cd]) {
			return nil
		}
		return []float64{s.Given[cd], s.GivenNot[cd], s.Given[dc], s.GivenNot[dc]}
	})
	f.Correlation = collect(m.rule == RuleItemCFValue, func(cd, _ int) []float64 {
		if math.IsNaN(s.Correlation[cd]) {
			return nil
		}
		return s.Correlation[cd : cd+1]
	})
	return f
}

func restoreReleased(raw json.RawMessage, criteria []domains.Criterion) (Model, error) {
	var f releasedFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, err
	}
	n := len(criteria)
	switch {
	case !slices.Contains(Rules, f.Rule):
		return nil, fmt.Errorf("rule %q", f.Rule)
	case len(f.Listed) != n || len(f.Held) != n || len(f.Value) != n || len(f.Levels) != n:
		return nil, fmt.Errorf("%d, %d, %d and %d entries for %d criteria", len(f.Listed), len(f.Held), len(f.Value), len(f.Levels), n)
	}
	s := emptyReleasedStats(n)
	copy(s.Listed, f.Listed)
	copy(s.Held, f.Held)
	copy(s.levels, f.Levels)
	for i := range criteria {
		c := &criteria[i]
		if s.Held[i] < 0 || s.Held[i] > s.Listed[i] || len(s.levels[i]) != len(c.Levels) {
			return nil, fmt.Errorf("criterion %d: held by %d of %d, %d levels", i+1, s.Held[i], s.Listed[i], len(s.levels[i]))
		}
		sum := 0
		for _, k := range s.levels[i] {
			if k < 0 {
				return nil, fmt.Errorf("criterion %d: a level held %d times", i+1, k)
			}
			sum += k
		}
		if sum > s.Held[i] {
			return nil, fmt.Errorf("criterion %d: levels of %d rows, held in %d", i+1, sum, s.Held[i])
		}
		s.Has[i] = float64(s.Held[i]) / float64(s.Listed[i])
		s.Value[i] = math.NaN()
		if c.Scale == domains.Nominal {
			continue
		}
		lo, hi := scaleEnds(c)
		if f.Value[i] == nil || !(*f.Value[i] >= lo && *f.Value[i] <= hi) {
			return nil, fmt.Errorf("criterion %d: mean value outside its scale", i+1)
		}
		s.Value[i] = *f.Value[i]
	}
	fill := func(name string, p *pairList, use bool, width int, least float64, set func(cd, dc int, v []float64)) error {
		if !use {
			return nil
		}
		if p == nil || len(p.D) != len(p.C) || len(p.V) != width*len(p.C) {
			return fmt.Errorf("%s is missing or has columns of unequal lengths", name)
		}
		for i := range p.C {
			c, d := p.C[i], p.D[i]
			if c < 0 || d <= c || d >= n {
				return fmt.Errorf("%s of criteria %d and %d", name, c+1, d+1)
			}
			v := p.V[i*width : (i+1)*width]
			for _, x := range v {
				if !(x >= least && x <= 1) {
					return fmt.Errorf("%s of criteria %d and %d is %v", name, c+1, d+1, x)
				}
			}
			set(c*n+d, d*n+c, v)
		}
		return nil
	}
	both := func(m []float64) func(cd, dc int, v []float64) {
		return func(cd, dc int, v []float64) { m[cd], m[dc] = v[0], v[0] }
	}
	if err := fill("similarity", f.Similarity, f.Rule.usesSimilarity(), 1, 0, both(s.Similarity)); err != nil {
		return nil, err
	}
	if err := fill("conditional probability", f.Conditionals, f.Rule.usesRatio(), 4, 0, func(cd, dc int, v []float64) {
		s.Given[cd], s.GivenNot[cd], s.Given[dc], s.GivenNot[dc] = v[0], v[1], v[2], v[3]
	}); err != nil {
		return nil, err
	}
	if err := fill("correlation", f.Correlation, f.Rule == RuleItemCFValue, 1, -1, both(s.Correlation)); err != nil {
		return nil, err
	}
	return newReleased(f.Rule, f.Compat, criteria, s), nil
}
