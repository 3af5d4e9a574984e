package belief

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"pepbench/domains"
)

// A support is a mixture over K points (latent classes, or nodes of a quadrature
// over a latent variable): point k has weight pi_k and, given the point, the
// states of all criteria are independent,
//
//	P(x) = sum_k pi_k prod_c theta_{k,c,x_c}
//
// with state 0 = not held and state 1+l = held at level l. The posterior of the
// point given answers is exact.
type support struct {
	criteria []domains.Criterion
	k        int
	pi       []float64
	offset   []int     // criterion -> first row of theta; one more than there are criteria
	theta    []float64 // [offset[c]+state][point], k entries a row
	entropy  []float64 // [criterion][point]: entropy of the state given the point, nats
}

// offsets numbers the states of all criteria: the first one of each, and at the end
// how many there are.
func offsets(criteria []domains.Criterion) []int {
	out := make([]int, len(criteria)+1)
	for c := range criteria {
		out[c+1] = out[c] + 1 + len(criteria[c].Levels)
	}
	return out
}

// check says whether a support read from a file is one.
func (m *support) check() error {
	n := m.offset[len(m.criteria)]
	if m.k < 1 || len(m.theta) != n*m.k {
		return fmt.Errorf("%d probabilities for %d points and %d states", len(m.theta), m.k, n)
	}
	sum := 0.0
	for _, p := range m.pi {
		if !(p >= 0) {
			return fmt.Errorf("weight %v", p)
		}
		sum += p
	}
	if math.Abs(sum-1) > 1e-9 {
		return fmt.Errorf("weights sum to %v", sum)
	}
	for c := range m.criteria {
		for k := range m.k {
			sum := 0.0
			for s := m.offset[c]; s < m.offset[c+1]; s++ {
				if p := m.theta[s*m.k+k]; p >= 0 {
					sum += p
				} else {
					return fmt.Errorf("criterion %d: probability %v", c+1, p)
				}
			}
			if math.Abs(sum-1) > 1e-9 {
				return fmt.Errorf("criterion %d: probabilities sum to %v", c+1, sum)
			}
		}
	}
	return nil
}

// finish works out what beliefs look up, once theta is final.
func (m *support) finish() {
	m.entropy = make([]float64, len(m.criteria)*m.k)
	for c := range m.criteria {
		h := m.entropy[c*m.k:][:m.k]
		for s := m.offset[c]; s < m.offset[c+1]; s++ {
			for k, t := range m.theta[s*m.k:][:m.k] {
				if t > 0 {
					h[k] -= t * math.Log(t)
				}
			}
		}
	}
}

// Start implements Model.
func (m *support) Start(criteria []int) Belief {
	b := &mixture{model: m, criteria: criteria, w: slices.Clone(m.pi), told: make([]int, len(criteria))}
	for i := range b.told {
		b.told[i] = -1
	}
	return b
}

// mixture is the exact posterior over the points of a support: their weights and
// what was told.
type mixture struct {
	model    *support
	criteria []int
	w        []float64 // P(point | told), sums to 1
	told     []int     // state told of each position, or -1
	scratch
}

var (
	_ LatentInformer  = (*mixture)(nil)
	_ ProfileInformer = (*mixture)(nil)
)

// Len implements Belief.
func (b *mixture) Len() int { return len(b.criteria) }

func (b *mixture) criterion(i int) *domains.Criterion { return &b.model.criteria[b.criteria[i]] }

// NumStates implements Joint.
func (b *mixture) NumStates(i int) int { return 1 + len(b.criterion(i).Levels) }

// row gives theta of state s of position i, one entry a point.
func (b *mixture) row(i, s int) []float64 {
	m := b.model
	return m.theta[(m.offset[b.criteria[i]]+s)*m.k:][:m.k]
}

// rows gives theta of all states of position i.
func (b *mixture) rows(i int) []float64 {
	m, c := b.model, b.criteria[i]
	return m.theta[m.offset[c]*m.k : m.offset[c+1]*m.k]
}

// Observe implements Belief. Fitted models give every state some probability at every
// point. Of a model from elsewhere that gives none to what was said, at any point
// that the answers before left a weight, the weights start over.
func (b *mixture) Observe(i int, c domains.Cell) {
	if c.IsMissing() {
		return
	}
	s := stateOf(b.criterion(i), c)
	b.told[i] = s
	sum := 0.0
	for k, t := range b.row(i, s) {
		b.w[k] *= t
		sum += b.w[k]
	}
	if !(sum > 0) { // no point allows what was said: its answers stand, the weights start over
		copy(b.w, b.model.pi)
		return
	}
	for k := range b.w {
		b.w[k] /= sum
	}
}

// States implements Joint.
func (b *mixture) States(dst []float64, i int) []float64 {
	n := b.NumStates(i)
	if dst == nil {
		dst = make([]float64, n)
	}
	dst = dst[:n]
	if t := b.told[i]; t >= 0 {
		clear(dst)
		dst[t] = 1
		return dst
	}
	for s := range dst {
		dst[s] = dot(b.w, b.row(i, s))
	}
	return dst
}

// Answer implements Joint.
func (b *mixture) Answer(i, s int) domains.Cell {
	if s == 0 {
		return domains.NotHeld()
	}
	return domains.At(b.criterion(i).Levels[s-1].Value)
}

// Marginal implements Joint.
func (b *mixture) Marginal(i int) Marginal {
	return marginalOf(b.criterion(i), b.States(b.buffer(b.NumStates(i)), i))
}

// Marginals implements Belief.
func (b *mixture) Marginals(held, value []float64) {
	for i := range b.criteria {
		p := b.States(b.buffer(b.NumStates(i)), i)
		held[i], value[i] = b.moments(i, p)
	}
}

// moments gives P(held) and E[value | held] of position i with states p. The sum
// over levels, not 1 - p[0]: exact when little is held. Of what no point allows to
// be held the value is the middle of the scale.
func (b *mixture) moments(i int, p []float64) (held, mean float64) {
	c := b.criterion(i)
	for l, v := range p[1:] {
		held += v
		mean += v * c.Levels[l].Value
	}
	switch {
	case c.Scale == domains.Nominal:
		mean = math.NaN()
	case held > 0:
		mean /= held
	default: // told not held: what the weights say of the value
		total := 0.0
		mean = 0
		for l := range c.Levels {
			v := dot(b.w, b.row(i, 1+l))
			total += v
			mean += v * c.Levels[l].Value
		}
		if mean /= total; !(total > 0) {
			mean = (c.Levels[0].Value + c.Levels[len(c.Levels)-1].Value) / 2
		}
	}
	return min(held, 1), mean
}

// Infer implements Belief.
func (b *mixture) Infer() domains.Inference {
	return infer(b, func(i int) []float64 {
		if b.criterion(i).Scale != domains.Nominal {
			return nil
		}
		p := b.States(nil, i)
		held, _ := b.moments(i, p)
		if p = p[1:]; held > 0 {
			for l := range p {
				p[l] /= held
			}
		}
		return p
	})
}

// Draw implements Belief.
func (b *mixture) Draw(rng *rand.Rand, i int) domains.Cell {
	return b.Answer(i, draw(rng, b.States(b.buffer(b.NumStates(i)), i)))
}

// LatentInformation implements LatentInformer:
//
//	I(x_i; k) = H(x_i | told) - sum_k w_k H(x_i | k)
func (b *mixture) LatentInformation(i int) float64 {
	m := b.model
	if b.told[i] >= 0 || m.k == 1 {
		return 0
	}
	h := entropy(b.States(b.buffer(b.NumStates(i)), i))
	return max(0, h-dot(b.w, m.entropy[b.criteria[i]*m.k:][:m.k])) // below 0 by rounding only
}

// ProfileInformation implements ProfileInformer. The expected drop of the entropy
// of c' by the answer to c is their mutual information, which is symmetric, so that
// every pair is worked out once:
//
//	I(x_c; x_c') = H(x_c) + H(x_c') - H(x_c, x_c')
//	P(x_c = s, x_c' = t) = sum_k w_k theta_{k,c,s} theta_{k,c',t}
//
// The cost is S_c S_c' (K multiply-adds and a logarithm) a pair.
func (b *mixture) ProfileInformation(dst []float64, candidate, asked []bool) {
	n, k := len(b.criteria), b.model.k
	most := 0
	for i := range n {
		if candidate[i] {
			dst[i] = 0
		}
		most = max(most, b.NumStates(i))
	}
	if k == 1 {
		return // criteria are independent
	}
	buf := b.buffer(n + most*k + most*most)
	single, weighted, joint := buf[:n], buf[n:n+most*k], buf[n+most*k:]
	for i := range n {
		single[i] = entropy(b.States(joint, i))
	}
	for i := range n {
		if asked[i] || b.told[i] >= 0 {
			continue
		}
		mine := weighted[:b.NumStates(i)*k] // w_k theta_{k,c,s}
		for at, t := range b.rows(i) {
			mine[at] = b.w[at%k] * t
		}
		for j := i + 1; j < n; j++ {
			if asked[j] || b.told[j] >= 0 || !candidate[i] && !candidate[j] {
				continue
			}
			p := joint[:0]
			for other := b.rows(j); len(other) > 0; other = other[k:] {
				row, rest := other[:k], mine
				for ; len(rest) >= 2*k; rest = rest[2*k:] {
					first, second := dot2(row, rest, rest[k:])
					p = append(p, first, second)
				}
				if len(rest) > 0 {
					p = append(p, dot(row, rest))
				}
			}
			info := max(0, single[i]+single[j]-entropy(p)) // below 0 by rounding only
			if candidate[i] {
				dst[i] += info
			}
			if candidate[j] {
				dst[j] += info
			}
		}
	}
}

// Clone implements Belief.
func (b *mixture) Clone() Belief {
	return &mixture{model: b.model, criteria: b.criteria, w: slices.Clone(b.w), told: slices.Clone(b.told)}
}

// Set implements Belief.
func (b *mixture) Set(src Belief) {
	s := src.(*mixture)
	copy(b.w, s.w)
	copy(b.told, s.told)
}
