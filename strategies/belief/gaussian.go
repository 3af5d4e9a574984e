package belief

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"pepbench/domains"
)

// A gaussian is a population with a latent embedding z ~ N(0, I_d) of every user.
// With x the value of criterion c in ranges, 0 at the low end of its scale and 1
// at the high end,
//
//	held iff u > 0,  u = bias_c + probe_c.z + N(0, 1)      (a probit of z)
//	x = mean_c + load_c.z + N(0, noise_c)                  if held
//
// A criterion whose probe is zero is held with probability Phi(bias_c) whoever
// the user is: hearing whether it is held says nothing about z. Where that is so
// of every criterion of a task, the posterior of z is exactly normal and its
// covariance does not depend on what was answered, only on what was asked.
//
// What is predicted of a criterion with levels is the level between whose cuts x
// falls. Cuts are not midpoints between levels but where the population's own
// frequencies put them: answers pile up at the ends of scales, and a normal
// distribution cut at midpoints says otherwise. What is conditioned on is the value
// itself.
type gaussian struct {
	criteria []domains.Criterion
	d        int
	bias     []float64   // [criterion]
	probe    []float64   // [criterion][d]
	mean     []float64   // [criterion], ranges
	load     []float64   // [criterion][d], ranges
	noise    []float64   // [criterion], squared ranges, > 0
	cut      [][]float64 // [criterion][level but the last] where the next level begins, in ranges, ascending; nil: continuous

	// What finish derives.
	low, width []float64 // value = low + width x
	rate       []float64 // Phi(bias)
	free       []bool    // probe is zero
	values     rule      // nodes that stand for the answers to a continuous criterion
	projection rule      // for expectations over the probit's argument
	entropy    probitEntropy
}

// valueNodes is the number of answers to a continuous criterion that States tells
// apart; projectionNodes integrates the entropy of a probit, which is smooth, to
// about 1e-4 nats for projections of variance up to 4.
const (
	valueNodes      = 7
	projectionNodes = 21
)

func newGaussian(criteria []domains.Criterion, d int) gaussian {
	n := len(criteria)
	return gaussian{
		criteria: criteria, d: d, bias: make([]float64, n), probe: make([]float64, n*d),
		mean: make([]float64, n), load: make([]float64, n*d), noise: make([]float64, n), cut: make([][]float64, n),
	}
}

// midpoints gives the cuts half way between the levels of a criterion, in ranges, and
// nil for a continuous one.
func midpoints(c *domains.Criterion) []float64 {
	if c.Scale == domains.Continuous {
		return nil
	}
	low, width := scaleOf(c)
	cut := make([]float64, len(c.Levels)-1)
	for l := range cut {
		cut[l] = ((c.Levels[l].Value+c.Levels[l+1].Value)/2 - low) / width
	}
	return cut
}

// calibrate finishes the classes of a fit, of weights pi, and puts their common
// cuts where the levels of every criterion, before any answer and if held, have the
// frequencies of the population: counts of held cells a level, with cutPrior more
// that fall between midpoints.
func calibrate(pi []float64, classes []*gaussian, counts [][]float64) {
	for _, g := range classes {
		g.finish()
	}
	prior := make([]predictive, len(classes))
	for c := range classes[0].criteria {
		cut := midpoints(&classes[0].criteria[c])
		lo, hi := math.Inf(1), math.Inf(-1)
		held := 0.0
		for k, g := range classes {
			prior[k] = normalOf(g.Start([]int{c})).predict(0)
			lo, hi = min(lo, prior[k].mean-8*prior[k].sd()), max(hi, prior[k].mean+8*prior[k].sd())
			held += pi[k] * prior[k].held
		}
		below := func(x float64) float64 {
			p := 0.0
			for k := range prior {
				p += pi[k] * prior[k].held / held * normalCDF((x-prior[k].mean)/prior[k].sd())
			}
			return p
		}
		total, sum := 0.0, 0.0
		for _, v := range counts[c] {
			total += v
		}
		for l, mid := range cut {
			sum += counts[c][l]
			cut[l] = bisect(below, lo, hi, (sum+cutPrior*below(mid))/(total+cutPrior))
		}
		for _, g := range classes {
			g.cut[c] = cut
		}
	}
}

// bisect gives the x in [lo, hi] where rising f reaches y, or the end nearest to it.
func bisect(f func(float64) float64, lo, hi, y float64) float64 {
	for range 60 {
		mid := lo + (hi-lo)/2
		if f(mid) < y {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo + (hi-lo)/2
}

// cutPrior is the number of values that cuts are drawn to midpoints by.
const cutPrior = 5

// finish works out what beliefs look up, once the parameters are final.
func (g *gaussian) finish() {
	n := len(g.criteria)
	g.low, g.width, g.rate, g.free = make([]float64, n), make([]float64, n), make([]float64, n), make([]bool, n)
	g.values, g.projection, g.entropy = normalRule(valueNodes), normalRule(projectionNodes), newProbitEntropy()
	for c := range g.criteria {
		g.low[c], g.width[c] = scaleOf(&g.criteria[c])
		g.rate[c] = normalCDF(g.bias[c])
		g.free[c] = true
		for _, w := range g.probe[c*g.d:][:g.d] {
			g.free[c] = g.free[c] && w == 0
		}
	}
}

// check says whether parameters read from a file are some.
func (g *gaussian) check() error {
	n := len(g.criteria)
	for _, p := range []struct {
		name string
		v    []float64
		want int
	}{
		{"bias", g.bias, n}, {"probe", g.probe, n * g.d}, {"mean", g.mean, n}, {"load", g.load, n * g.d}, {"noise", g.noise, n},
	} {
		if len(p.v) != p.want {
			return fmt.Errorf("%s has %d numbers for %d criteria of dimension %d", p.name, len(p.v), n, g.d)
		}
		for _, v := range p.v {
			if !sound(v) {
				return fmt.Errorf("%s has the number %v", p.name, v)
			}
		}
	}
	if len(g.cut) != n {
		return fmt.Errorf("cuts of %d criteria, there are %d", len(g.cut), n)
	}
	for c, cut := range g.cut {
		want := max(0, len(g.criteria[c].Levels)-1)
		if len(cut) != want || !slices.IsSorted(cut) || slices.ContainsFunc(cut, func(v float64) bool { return !sound(v) }) {
			return fmt.Errorf("cuts of criterion %d are %v, not %d ascending numbers", c+1, cut, want)
		}
	}
	for c, v := range g.noise {
		if !(v > 1/mostParameter) {
			return fmt.Errorf("noise of criterion %d is %v", c+1, v)
		}
	}
	return nil
}

// gaussianFile is the snapshot of a gaussian.
type gaussianFile struct {
	Dim   int         `json:"dim"`
	Bias  []float64   `json:"bias"`
	Probe []float64   `json:"probe"` // [criterion][dim]
	Mean  []float64   `json:"mean"`
	Load  []float64   `json:"load"` // [criterion][dim]
	Noise []float64   `json:"noise"`
	Cut   [][]float64 `json:"cut"` // [criterion][level but the last]; null: continuous
}

func (g *gaussian) file() gaussianFile {
	return gaussianFile{g.d, g.bias, g.probe, g.mean, g.load, g.noise, g.cut}
}

// restore gives the finished model of a snapshot.
func (f *gaussianFile) restore(criteria []domains.Criterion) (gaussian, error) {
	g := gaussian{criteria: criteria, d: f.Dim, bias: f.Bias, probe: f.Probe, mean: f.Mean, load: f.Load, noise: f.Noise, cut: f.Cut}
	if f.Dim < 0 || f.Dim > len(criteria) {
		return g, fmt.Errorf("dimension %d for %d criteria", f.Dim, len(criteria))
	}
	if err := noNominal(criteria); err != nil {
		return g, err
	}
	if err := g.check(); err != nil {
		return g, err
	}
	for c := range criteria {
		if criteria[c].Scale == domains.Continuous {
			g.cut[c] = nil
		}
	}
	g.finish()
	return g, nil
}

// noNominal refuses what a normal distribution cannot describe.
func noNominal(criteria []domains.Criterion) error {
	for i := range criteria {
		if c := &criteria[i]; c.Scale == domains.Nominal {
			return &domains.DataError{What: fmt.Sprintf("criterion %q is nominal and this model needs ordered values", c.ID), Mend: "leave it out, or use a latent-class belief", Err: ErrUnsupported}
		}
	}
	return nil
}

// params counts the free parameters of one gaussian: mean, noise, bias and cuts of
// every criterion, loadings and those probes that are not held at zero, less the
// rotations of z, which change nothing.
func (g *gaussian) params() int {
	n := len(g.criteria) * (3 + g.d)
	for c, free := range g.free {
		n += len(g.cut[c])
		if !free {
			n += g.d
		}
	}
	return n - g.d*(g.d-1)/2
}

// Start implements Model. The belief knows closed forms of information and
// variance where whether a criterion is held says nothing about z.
func (g *gaussian) Start(criteria []int) Belief {
	n, d := len(criteria), g.d
	floats := make([]float64, 2*d+3*d*d)
	b := &dense{normal{model: g, criteria: criteria, told: make([]domains.Cell, n)}}
	b.m, floats = floats[:d:d], floats[d:]
	b.s, floats = floats[:d*d:d*d], floats[d*d:]
	b.u, floats = floats[:d:d], floats[d:]
	b.a, b.t = floats[:d*d:d*d], floats[d*d:]
	b.reset()
	for _, c := range criteria {
		if !g.free[c] {
			return &b.normal
		}
	}
	return b
}

// normal is the posterior N(m, S) of z given what was told.
//
// A value is conditioned on exactly (with v = noise + l'Sl):
//
//	m += S l (x - mean - l.m)/v      S -= (S l)(S l)'/v
//
// Held (y = 1) or not (y = -1) is conditioned on by matching the first two moments
// of the posterior (assumed density filtering; Minka 2001, "A family of
// algorithms for approximate Bayesian inference", section 3.2), with
// q = 1 + w'Sw, t = y (bias + w.m)/sqrt(q) and r = phi(t)/Phi(t):
//
//	m += y r/sqrt(q) S w             S -= r (r + t)/q (S w)(S w)'
//
// so that an answer costs O(d^2). Moment matching depends a little on the order of
// answers; values alone do not. Of an answer with a value, held comes first: what
// States says of it is the probability by which it is then conditioned on.
type normal struct {
	model    *gaussian
	criteria []int
	m        []float64      // [d]
	s        []float64      // [d][d], symmetric
	told     []domains.Cell // of each position; missing: nothing was told

	u    []float64 // [d] scratch
	a, t []float64 // [d][d] scratch
	scratch
}

var (
	_ LatentInformer  = (*normal)(nil)
	_ LatentInformer  = (*dense)(nil)
	_ ProfileInformer = (*dense)(nil)
	_ VarianceDropper = (*dense)(nil)
)

// reset forgets everything that was told.
func (b *normal) reset() {
	clear(b.m)
	clear(b.s)
	for i := 0; i < len(b.s); i += b.model.d + 1 {
		b.s[i] = 1
	}
	for i := range b.told {
		b.told[i] = domains.Missing()
	}
}

// Len implements Belief.
func (b *normal) Len() int { return len(b.criteria) }

func (b *normal) criterion(i int) *domains.Criterion { return &b.model.criteria[b.criteria[i]] }

func (b *normal) load(i int) []float64 { return b.model.load[b.criteria[i]*b.model.d:][:b.model.d] }

func (b *normal) probe(i int) []float64 { return b.model.probe[b.criteria[i]*b.model.d:][:b.model.d] }

// times writes S v to dst and returns v'Sv.
func (b *normal) times(dst, v []float64) float64 {
	d := len(v)
	dst = dst[:d]
	quad := 0.0
	for i := range dst {
		row := b.s[i*d:][:d]
		sum := 0.0
		for j, x := range v {
			sum += row[j] * x
		}
		dst[i] = sum
		quad += sum * v[i]
	}
	return quad
}

// shrink subtracts k v v' from S.
func (b *normal) shrink(k float64, v []float64) {
	d := len(v)
	for i, x := range v {
		row := b.s[i*d:][:d]
		x *= k
		for j, y := range v {
			row[j] -= x * y
		}
	}
}

// held works out what "held" (y = 1) or "not held" (y = -1) would do: its
// probability p, and that m would become m + shift u and S become S - drop u u'
// with u = S w, which it leaves in b.u.
func (b *normal) held(i int, y float64) (p, shift, drop float64) {
	w := b.probe(i)
	q := 1 + max(0, b.times(b.u, w))
	root := math.Sqrt(q)
	t := y * (b.model.bias[b.criteria[i]] + dot(w, b.m)) / root
	p, r := normalTail(t)
	return p, y * r / root, max(0, r*(r+t)/q)
}

// A predictive is what is believed of one position: P(held) and the normal
// distribution of its value if held, in ranges.
type predictive struct{ held, mean, variance float64 }

// sd is the standard deviation of the value.
func (p *predictive) sd() float64 { return math.Sqrt(p.variance) }

// predict works out the predictive of position i, whatever was told of it. Being
// held moves z, and by that the value.
func (b *normal) predict(i int) predictive {
	g, c, l := b.model, b.criteria[i], b.load(i)
	p := predictive{held: g.rate[c], mean: g.mean[c] + dot(l, b.m)}
	quad := 0.0
	if !g.free[c] {
		var shift, drop float64
		p.held, shift, drop = b.held(i, 1)
		along := dot(l, b.u)
		p.mean += shift * along
		quad = -drop * along * along
	}
	p.variance = g.noise[c] + max(0, quad+quadratic(b.s, l))
	return p
}

// Observe implements Belief. A continuous value outside its range counts as the end
// of it.
func (b *normal) Observe(i int, cell domains.Cell) {
	if cell.IsMissing() {
		return
	}
	g, c := b.model, b.criteria[i]
	if cell.IsHeld() {
		cell = g.criteria[c].Snap(cell.Value())
	}
	b.told[i] = cell
	if !g.free[c] {
		y := 1.0
		if !cell.IsHeld() {
			y = -1
		}
		_, shift, drop := b.held(i, y)
		for j, v := range b.u {
			b.m[j] += shift * v
		}
		b.shrink(drop, b.u)
	}
	if !cell.IsHeld() {
		return
	}
	l := b.load(i)
	v := g.noise[c] + max(0, b.times(b.u, l))
	gain := ((cell.Value()-g.low[c])/g.width[c] - g.mean[c] - dot(l, b.m)) / v
	for j, u := range b.u {
		b.m[j] += gain * u
	}
	b.shrink(1/v, b.u)
}

// NumStates implements Joint.
func (b *normal) NumStates(i int) int {
	if b.criterion(i).Scale == domains.Continuous {
		return 1 + valueNodes
	}
	return 1 + len(b.criterion(i).Levels)
}

// States implements Joint. The states of a continuous criterion are the nodes of a
// Gauss-Hermite rule on what is now believed of its value; a value told stands
// at the first of them.
func (b *normal) States(dst []float64, i int) []float64 {
	n := b.NumStates(i)
	if dst == nil {
		dst = make([]float64, n)
	}
	dst = dst[:n]
	if t := b.told[i]; !t.IsMissing() {
		clear(dst)
		switch crit := b.criterion(i); {
		case !t.IsHeld():
			dst[0] = 1
		case crit.Scale == domains.Continuous:
			dst[1] = 1
		default:
			dst[stateOf(crit, t)] = 1
		}
		return dst
	}
	p := b.predict(i)
	b.spread(dst, i, &p)
	return dst
}

// spread writes the probabilities of the states of position i under p.
func (b *normal) spread(dst []float64, i int, p *predictive) {
	dst[0] = 1 - p.held
	cut := b.model.cut[b.criteria[i]]
	if cut == nil {
		for k, w := range b.model.values.weight {
			dst[1+k] = p.held * w
		}
		return
	}
	// Lower tails below the mean and upper tails above it, so that no level loses its
	// digits.
	sd := p.sd()
	lower, upper := 0.0, 1.0 // P(value below, above the last cut)
	for l := range cut {
		at := (cut[l] - p.mean) / sd
		if at < 0 {
			below := normalCDF(at)
			dst[1+l] = p.held * max(0, below-lower)
			lower, upper = below, 1-below
		} else {
			above := normalCDF(-at)
			dst[1+l] = p.held * max(0, upper-above)
			lower, upper = 1-above, above
		}
	}
	dst[1+len(cut)] = p.held * upper
}

// Answer implements Joint.
func (b *normal) Answer(i, s int) domains.Cell {
	c := b.criterion(i)
	switch {
	case s == 0:
		return domains.NotHeld()
	case c.Scale != domains.Continuous:
		return domains.At(c.Levels[s-1].Value)
	case b.told[i].IsHeld():
		return b.told[i]
	}
	p := b.predict(i)
	return domains.At(b.node(i, s-1, &p))
}

// node is the value at node k of the quadrature of continuous position i.
func (b *normal) node(i, k int, p *predictive) float64 {
	g, c := b.model, b.criteria[i]
	return g.clip(c, p.mean+p.sd()*g.values.node[k])
}

// clip turns x, in ranges, into a value that continuous criterion c can take.
func (g *gaussian) clip(c int, x float64) float64 {
	return min(max(g.low[c]+g.width[c]*x, g.criteria[c].Min), g.criteria[c].Max)
}

// Marginal implements Joint. Variance is that of the value before it is rounded to
// a level, so that it depends on what was asked and not on what was answered;
// Entropy and Loss of a criterion with levels are those of the levels.
func (b *normal) Marginal(i int) Marginal {
	if t := b.told[i]; !t.IsMissing() {
		if t.IsHeld() {
			return Marginal{Held: 1}
		}
		return Marginal{}
	}
	p := b.predict(i)
	dst := b.buffer(b.NumStates(i))
	b.spread(dst, i, &p)
	return b.marginal(i, &p, dst)
}

// marginal summarises p and its states.
func (b *normal) marginal(i int, p *predictive, states []float64) Marginal {
	if b.criterion(i).Scale == domains.Continuous {
		return Marginal{
			Held:     p.held,
			Entropy:  binaryEntropy(p.held) + p.held*(0.5*math.Log(p.variance)+logSqrt2Pi+0.5),
			Variance: p.variance,
			Loss:     p.sd() * math.Sqrt(2/math.Pi),
		}
	}
	m := marginalOf(b.criterion(i), states)
	m.Held, m.Variance = p.held, p.variance
	return m
}

// Marginals implements Belief. The value of a position told not held is what it
// would be expected to be.
func (b *normal) Marginals(held, value []float64) {
	for i := range b.criteria {
		held[i], value[i] = b.moments(i)
	}
}

func (b *normal) moments(i int) (held, value float64) {
	t := b.told[i]
	if t.IsHeld() {
		return 1, t.Value()
	}
	p := b.predict(i)
	dst := b.buffer(b.NumStates(i))
	b.spread(dst, i, &p)
	if t.IsNotHeld() {
		return 0, b.value(i, &p, dst)
	}
	return p.held, b.value(i, &p, dst)
}

// value is E[value | held] under p and its states.
func (b *normal) value(i int, p *predictive, states []float64) float64 {
	c, mean, sum := b.criterion(i), 0.0, 0.0
	for k, v := range states[1:] {
		if c.Scale == domains.Continuous {
			mean += v * b.node(i, k, p)
		} else {
			mean += v * c.Levels[k].Value
		}
		sum += v
	}
	if sum > 0 {
		return mean / sum
	}
	at := b.criteria[i] // held so improbable that products underflow
	return b.model.low[at] + b.model.width[at]*min(max(p.mean, 0), 1)
}

// Infer implements Belief.
func (b *normal) Infer() domains.Inference { return infer(b, nil) }

// Draw implements Belief. A continuous value is drawn from its normal distribution,
// not from the nodes, and counts as the end of the range where it is outside.
func (b *normal) Draw(rng *rand.Rand, i int) domains.Cell {
	if t := b.told[i]; !t.IsMissing() {
		return t
	}
	if b.criterion(i).Scale != domains.Continuous {
		return b.Answer(i, draw(rng, b.States(b.buffer(b.NumStates(i)), i)))
	}
	p := b.predict(i)
	if rng.Float64() >= p.held {
		return domains.NotHeld()
	}
	return domains.At(b.model.clip(b.criteria[i], p.mean+p.sd()*rng.NormFloat64()))
}

// logScore is ln P(cell of position i | told), whatever was told of it; the density
// in ranges of a continuous value. It is finite.
func (b *normal) logScore(i int, cell domains.Cell) float64 {
	g, c := b.model, b.criteria[i]
	w := b.probe(i)
	t := (g.bias[c] + dot(w, b.m)) / math.Sqrt(1+max(0, quadratic(b.s, w)))
	if !cell.IsHeld() {
		return logNormalCDF(-t)
	}
	p := b.predict(i)
	score, sd := logNormalCDF(t), p.sd()
	cut := g.cut[c]
	if cut == nil {
		e := ((cell.Value()-g.low[c])/g.width[c] - p.mean) / sd
		return score - 0.5*e*e - math.Log(sd) - logSqrt2Pi
	}
	l := g.criteria[c].Nearest(cell.Value())
	lo, hi := math.Inf(-1), math.Inf(1)
	if l > 0 {
		lo = (cut[l-1] - p.mean) / sd
	}
	if l < len(cut) {
		hi = (cut[l] - p.mean) / sd
	}
	return score + logNormalBetween(lo, hi)
}

// LatentInformation implements LatentInformer for the value before it is rounded to
// a level, in nats: whether held, and the value if held,
//
//	H(P(held)) - E H(Phi(bias + w.z)) + P(held) 1/2 ln(1 + l'S_h l/noise)
//
// with S_h the covariance of z once held. The expectation is over the projection
// w.z, by Gauss-Hermite quadrature.
func (b *normal) LatentInformation(i int) float64 {
	if !b.told[i].IsMissing() {
		return 0
	}
	g, c := b.model, b.criteria[i]
	info := 0.0
	if !g.free[c] {
		w := b.probe(i)
		mean, sd := g.bias[c]+dot(w, b.m), math.Sqrt(max(0, quadratic(b.s, w)))
		within := 0.0
		for k, x := range g.projection.node {
			within += g.projection.weight[k] * g.entropy.at(mean+sd*x)
		}
		info = max(0, binaryEntropy(normalCDF(mean/math.Sqrt(1+sd*sd)))-within)
	}
	p := b.predict(i)
	return info + p.held*0.5*math.Log(p.variance/g.noise[c])
}

// Clone implements Belief.
func (b *normal) Clone() Belief {
	c := b.model.Start(b.criteria)
	c.Set(b)
	return c
}

// Set implements Belief.
func (b *normal) Set(src Belief) { b.set(normalOf(src)) }

func (b *normal) set(s *normal) {
	copy(b.m, s.m)
	copy(b.s, s.s)
	copy(b.told, s.told)
}

func normalOf(b Belief) *normal {
	if d, ok := b.(*dense); ok {
		return &d.normal
	}
	return b.(*normal)
}

// dense is the posterior of a task on which no criterion's being held says
// anything about z. Then S does not depend on the answers, only on what was
// asked, and what an answer brings has closed forms.
type dense struct{ normal }

// Clone implements Belief.
func (b *dense) Clone() Belief {
	c := &dense{b.normal}
	c.m, c.s, c.told = slices.Clone(b.m), slices.Clone(b.s), slices.Clone(b.told)
	c.u, c.a, c.t, c.scratch = make([]float64, len(b.u)), make([]float64, len(b.a)), make([]float64, len(b.t)), scratch{}
	return c
}

// LatentInformation implements LatentInformer, in closed form.
func (b *dense) LatentInformation(i int) float64 {
	if !b.told[i].IsMissing() {
		return 0
	}
	g, c := b.model, b.criteria[i]
	return g.rate[c] * 0.5 * math.Log1p(max(0, quadratic(b.s, b.load(i)))/g.noise[c])
}

// VarianceDrop implements VarianceDropper. With v = noise_c + l_c'S l_c, P the rates of
// being held and B = S (sum_j P_j l_j l_j') S over the positions j not told, the
// answer to c brings
//
//	P_c v + P_c (l_c'B l_c - P_c (l_c'S l_c)^2)/v
//
// its own variance whatever the answer, and that of the others by its value if it
// is held. A candidate costs O(d^2).
func (b *dense) VarianceDrop(dst []float64, candidate []bool) {
	g, d := b.model, b.model.d
	clear(b.a)
	for j, c := range b.criteria {
		if !b.told[j].IsMissing() {
			continue
		}
		p, l := g.rate[c], b.load(j)
		for x, v := range l {
			row := b.a[x*d:][:x+1]
			v *= p
			for y := range row {
				row[y] += v * l[y]
			}
		}
	}
	for x := range d { // the other half
		for y := range x {
			b.a[y*d+x] = b.a[x*d+y]
		}
	}
	multiply(b.t, b.a, b.s, d)
	multiply(b.a, b.s, b.t, d)
	for i, c := range b.criteria {
		if !candidate[i] {
			continue
		}
		if !b.told[i].IsMissing() {
			dst[i] = 0
			continue
		}
		p, l := g.rate[c], b.load(i)
		own := quadratic(b.s, l)
		v := g.noise[c] + own
		dst[i] = p * (v + (quadratic(b.a, l)-p*own*own)/v)
	}
}

// ProfileInformation implements ProfileInformer for values before they are rounded
// to levels: with rho the correlation of two values given what was told, in nats,
//
//	sum_{c' != c} P_c P_c' (-1/2) ln(1 - rho^2)
//
// because held is independent of everything.
func (b *dense) ProfileInformation(dst []float64, candidate, asked []bool) {
	g, n := b.model, len(b.criteria)
	v := b.buffer(n)
	skip := func(i int) bool { return asked[i] || !b.told[i].IsMissing() }
	for i := range n {
		if candidate[i] {
			dst[i] = 0
		}
		v[i] = g.noise[b.criteria[i]] + quadratic(b.s, b.load(i))
	}
	for i := range n {
		if skip(i) {
			continue
		}
		b.times(b.u, b.load(i))
		for j := i + 1; j < n; j++ {
			if skip(j) || !candidate[i] && !candidate[j] {
				continue
			}
			cov := dot(b.u, b.load(j))
			info := -0.5 * g.rate[b.criteria[i]] * g.rate[b.criteria[j]] * math.Log1p(-cov*cov/(v[i]*v[j]))
			if candidate[i] {
				dst[i] += info
			}
			if candidate[j] {
				dst[j] += info
			}
		}
	}
}
