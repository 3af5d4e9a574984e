package belief

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"pepbench/domains"
)

// MixtureOfFactorsOptions are the knobs of FitMixtureOfFactors: every number of
// classes is tried with every dimension.
type MixtureOfFactorsOptions struct {
	Classes []int // candidate numbers of classes, each >= 1
	FactorOptions
}

// DefaultMixtureOfFactors is what a configuration that names only the kind gets.
var DefaultMixtureOfFactors = MixtureOfFactorsOptions{
	Classes:       []int{1, 2, 3},
	FactorOptions: FactorOptions{Dims: []int{0, 1, 2, 4}, Restarts: 1, Iterations: 60, Tolerance: 2e-5, Ridge: 5, Seed: 1},
}

// MixtureOfFactors is a mixture of Factor models (mixture of factor analysers:
// Ghahramani and Hinton 1996): a user belongs to class k with probability pi_k, and
// every class has its own rates, means, noise and loadings; the cuts of values are
// common. One class is Factor, no dimension a latent class model with normal values.
// Fitted by the EM of Factor with responsibilities by Laplace evidence; means and
// rates of a class are drawn to the population's by classPrior observations, and every
// class has one more row than it was found in. Given answers, a class weighs the
// product of what it said of each before it came.
//
// The dev score is ChainScore.
type MixtureOfFactors struct {
	criteria []domains.Criterion
	pi       []float64
	class    []*gaussian
	faults   faults
	tooMany  int // candidates left out because there were fewer training profiles
}

var _ Model = (*MixtureOfFactors)(nil)

// FitMixtureOfFactors fits every candidate on train and keeps the one with the
// largest dev score, the first among equals in the order of classes, then
// dimensions; without dev rows there must be one candidate only. It refuses what
// FitFactor refuses; candidates of more classes than there are training profiles are
// left out and counted in Notes, an error if none is left.
func FitMixtureOfFactors(ctx context.Context, train, dev Population, opt MixtureOfFactorsOptions) (*MixtureOfFactors, []Candidate, error) {
	dims, err := usable(train, dev, opt.Dims)
	if err != nil {
		return nil, nil, err
	}
	named := len(opt.Classes)
	if named > 0 {
		if opt.Classes, err = feasible(opt.Classes, len(train.Rows)); err != nil {
			return nil, nil, err
		}
	}
	if len(opt.Classes) == 0 || len(dev.Rows) == 0 && len(opt.Classes) > 1 {
		return nil, nil, &domains.DataError{What: fmt.Sprintf("%d candidate numbers of classes and %d dev profiles to choose on", len(opt.Classes), len(dev.Rows)), Mend: "set split.dev above 0, or name one number"}
	}
	f, err := newFactorFit(train, opt.FactorOptions)
	if err != nil {
		return nil, nil, err
	}
	if err := dev.onScale(); err != nil {
		return nil, nil, err
	}
	var fits []Model
	var names []string
	for _, k := range opt.Classes {
		for _, d := range dims {
			run, err := f.best(ctx, k, d, opt.Restarts)
			if err != nil {
				return nil, nil, err
			}
			m := &MixtureOfFactors{criteria: train.Criteria, pi: run.pi, faults: f.faults}
			for j := range run.class {
				m.class = append(m.class, run.class[j].gaussian)
			}
			calibrate(m.pi, m.class, f.level)
			fits = append(fits, m)
			names = append(names, fmt.Sprintf("%d classes of %d dimensions", k, d))
		}
	}
	m, out, err := pick(fits, dev, func(i int) string { return names[i] })
	if err != nil {
		return nil, nil, err
	}
	best := m.(*MixtureOfFactors)
	best.tooMany = named - len(opt.Classes)
	return best, out, nil
}

// NumParams implements Model: those of every class with the cuts counted once, and
// K-1 class weights.
func (m *MixtureOfFactors) NumParams() int {
	n := len(m.class) - 1
	for _, g := range m.class {
		n += g.params()
	}
	for _, cut := range m.class[0].cut {
		n -= (len(m.class) - 1) * len(cut)
	}
	return n
}

// About implements Model.
func (m *MixtureOfFactors) About() string {
	return fmt.Sprintf("mixture of %d classes of %d factors each", len(m.class), m.class[0].d)
}

// Notes implements Model.
func (m *MixtureOfFactors) Notes() []domains.Count {
	return append(m.faults.notes(), tooManyNote(m.tooMany)...)
}

// mixtureOfFactorsFile is the snapshot of a MixtureOfFactors.
type mixtureOfFactorsFile struct {
	Pi     []float64      `json:"pi"`
	Class  []gaussianFile `json:"class"`
	Faults faults         `json:"faults"`
}

func (m *MixtureOfFactors) fileKind() string                { return "mixture-of-factors" }
func (m *MixtureOfFactors) population() []domains.Criterion { return m.criteria }
func (m *MixtureOfFactors) snapshot() any {
	f := mixtureOfFactorsFile{Pi: m.pi, Faults: m.faults}
	for _, g := range m.class {
		f.Class = append(f.Class, g.file())
	}
	return f
}

func restoreMixtureOfFactors(raw json.RawMessage, criteria []domains.Criterion) (Model, error) {
	var f mixtureOfFactorsFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, err
	}
	if len(f.Pi) == 0 || len(f.Pi) != len(f.Class) {
		return nil, fmt.Errorf("%d weights for %d classes", len(f.Pi), len(f.Class))
	}
	sum := 0.0
	for _, p := range f.Pi {
		if !(p > 0) {
			return nil, fmt.Errorf("class weight %v", p)
		}
		sum += p
	}
	if math.Abs(sum-1) > 1e-9 {
		return nil, fmt.Errorf("class weights sum to %v", sum)
	}
	m := &MixtureOfFactors{criteria: criteria, pi: f.Pi, faults: f.Faults}
	for i := range f.Class {
		g, err := f.Class[i].restore(criteria)
		if err != nil {
			return nil, fmt.Errorf("class %d: %w", i+1, err)
		}
		m.class = append(m.class, &g)
	}
	return m, nil
}

// Start implements Model.
func (m *MixtureOfFactors) Start(criteria []int) Belief {
	b := &blend{model: m, w: slices.Clone(m.pi)}
	for _, g := range m.class {
		b.part = append(b.part, normalOf(g.Start(criteria)))
	}
	b.pred, b.q = make([]predictive, len(m.class)), make([]float64, len(m.class))
	return b
}

// blend is the posterior of a mixture of factors: class weights, and the normal
// posterior of z in each class.
type blend struct {
	model *MixtureOfFactors
	w     []float64 // P(class | told)
	part  []*normal // all of them know what was told
	pred  []predictive
	q     []float64 // P(class | told, held), of the last prediction
	scratch
}

var _ LatentInformer = (*blend)(nil)

// Len implements Belief.
func (b *blend) Len() int { return b.part[0].Len() }

// NumStates implements Joint.
func (b *blend) NumStates(i int) int { return b.part[0].NumStates(i) }

// Observe implements Belief.
func (b *blend) Observe(i int, cell domains.Cell) {
	if cell.IsMissing() {
		return
	}
	if cell.IsHeld() {
		cell = b.part[0].criterion(i).Snap(cell.Value())
	}
	for k, p := range b.part {
		b.w[k] = math.Log(b.w[k]) + p.logScore(i, cell)
		p.Observe(i, cell)
	}
	softmax(b.w)
	for k := range b.w { // no class is lost for good to an answer out of the blue
		b.w[k] = max(b.w[k], 1e-300)
	}
}

// predict works out the predictives of the classes, the weights of the classes if
// held, and the predictive with the same P(held), mean and variance as their
// mixture.
func (b *blend) predict(i int) predictive {
	var all predictive
	for k, p := range b.part {
		b.pred[k] = p.predict(i)
		b.q[k] = b.w[k] * b.pred[k].held
		all.held += b.q[k]
	}
	for k := range b.q {
		if b.q[k] /= all.held; !(all.held > 0) { // held is out of the question, whatever the class
			b.q[k] = b.w[k]
		}
		all.mean += b.q[k] * b.pred[k].mean
	}
	for k, p := range b.pred {
		e := p.mean - all.mean
		all.variance += b.q[k] * (p.variance + e*e)
	}
	all.held = min(all.held, 1)
	return all
}

// spread writes the states of position i: mixtures of those of the classes; of a
// continuous criterion the nodes of the normal that has the mixture's mean and
// variance.
func (b *blend) spread(dst []float64, i int, all *predictive) {
	if b.part[0].criterion(i).Scale == domains.Continuous {
		b.part[0].spread(dst, i, all)
		return
	}
	one := b.buffer(len(dst))
	clear(dst)
	for k, p := range b.part {
		p.spread(one, i, &b.pred[k])
		axpy(dst, b.w[k], one)
	}
}

// States implements Joint.
func (b *blend) States(dst []float64, i int) []float64 {
	if !b.part[0].told[i].IsMissing() {
		return b.part[0].States(dst, i)
	}
	n := b.NumStates(i)
	if dst == nil {
		dst = make([]float64, n)
	}
	dst = dst[:n]
	all := b.predict(i)
	b.spread(dst, i, &all)
	return dst
}

// Answer implements Joint.
func (b *blend) Answer(i, s int) domains.Cell {
	first := b.part[0]
	if s == 0 || first.criterion(i).Scale != domains.Continuous || first.told[i].IsHeld() {
		return first.Answer(i, s)
	}
	all := b.predict(i)
	return domains.At(first.node(i, s-1, &all))
}

// Marginal implements Joint. Variance is that of the value before it is rounded to a
// level; entropy and loss of a continuous value are those of the normal with the
// mixture's variance.
func (b *blend) Marginal(i int) Marginal {
	if !b.part[0].told[i].IsMissing() {
		return b.part[0].Marginal(i)
	}
	all := b.predict(i)
	dst := b.part[0].buffer(b.NumStates(i))
	b.spread(dst, i, &all)
	return b.part[0].marginal(i, &all, dst)
}

// Marginals implements Belief.
func (b *blend) Marginals(held, value []float64) {
	for i := range held[:b.Len()] {
		t := b.part[0].told[i]
		if t.IsHeld() {
			held[i], value[i] = 1, t.Value()
			continue
		}
		all := b.predict(i)
		dst := b.part[0].buffer(b.NumStates(i))
		b.spread(dst, i, &all)
		held[i], value[i] = all.held, b.part[0].value(i, &all, dst)
		if t.IsNotHeld() {
			held[i] = 0
		}
	}
}

// Infer implements Belief.
func (b *blend) Infer() domains.Inference { return infer(b, nil) }

// Draw implements Belief.
func (b *blend) Draw(rng *rand.Rand, i int) domains.Cell {
	if t := b.part[0].told[i]; !t.IsMissing() {
		return t
	}
	return b.part[draw(rng, b.w)].Draw(rng, i)
}

// logScore is ln P(cell of position i | told).
func (b *blend) logScore(i int, cell domains.Cell) float64 {
	post := b.buffer(len(b.w))
	for k, p := range b.part {
		post[k] = math.Log(b.w[k]) + p.logScore(i, cell)
	}
	return softmax(post)
}

// LatentInformation implements LatentInformer for the class and the embedding
// together and the value before it is rounded to a level: what the answer says
// of the class, and what it says of z in the class,
//
//	I(x; k) + sum_k w_k I(x; z | k)
//
// with the first, in its value, by Gauss-Hermite quadrature within every class.
func (b *blend) LatentInformation(i int) float64 {
	first := b.part[0]
	if !first.told[i].IsMissing() {
		return 0
	}
	info := 0.0
	for k, p := range b.part {
		info += b.w[k] * p.LatentInformation(i)
	}
	all := b.predict(i)
	info += binaryEntropy(all.held)
	rule := first.model.projection
	for k, p := range b.pred {
		info -= b.w[k] * binaryEntropy(p.held)
		if b.q[k] < 1e-12 {
			continue // weighs nothing, and its density may underflow
		}
		for n, x := range rule.node {
			at := p.mean + p.sd()*x
			density := 0.0
			for j, q := range b.pred {
				e := (at - q.mean) / q.sd()
				density += b.q[j] * math.Exp(-0.5*e*e) / q.sd()
			}
			info += b.w[k] * p.held * rule.weight[n] * (-0.5*x*x - math.Log(p.sd()*density))
		}
	}
	return info
}

// Clone implements Belief.
func (b *blend) Clone() Belief {
	c := &blend{model: b.model, w: slices.Clone(b.w), pred: make([]predictive, len(b.pred)), q: make([]float64, len(b.q))}
	for _, p := range b.part {
		c.part = append(c.part, normalOf(p.Clone()))
	}
	return c
}

// Set implements Belief.
func (b *blend) Set(src Belief) {
	s := src.(*blend)
	copy(b.w, s.w)
	for k, p := range s.part {
		b.part[k].set(p)
	}
}
