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

// GradedOptions are the knobs of FitGraded.
type GradedOptions struct {
	Dims       []int   // candidate numbers of latent dimensions, each 0, 1 or 2
	Restarts   int     // EM runs a candidate, >= 1; the best training log posterior is kept
	Iterations int     // most EM steps of a run, >= 1
	Tolerance  float64 // stop when the log posterior a cell rises by less (nats)
	Smoothing  float64 // pseudo-observations drawn towards the population, > 0
	SlopeScale float64 // standard deviation of the Gaussian prior of every slope, > 0
	Seed       uint64
}

// DefaultGraded is what a configuration that names only the kind gets.
var DefaultGraded = GradedOptions{
	Dims: []int{0, 1, 2}, Restarts: 2, Iterations: 60, Tolerance: 1e-6, Smoothing: 1, SlopeScale: 1.5, Seed: 1,
}

// Graded is the graded response model (Samejima 1969, "Estimation of latent
// ability using a response pattern of graded scores") of what is held, with a
// two-parameter logistic item for whether it is held, so that sparse profiles have
// one too. A user has traits z ~ N(0, I) in D dimensions and, given z, criteria are
// independent:
//
//	P(c held | z)                = sigma(w_c.z - b_c)
//	P(x_c >= level l | held, z)  = sigma(a_c.z - t_{c,l}),  t_{c,l} ascending in l >= 1
//
// The levels of a nominal criterion have no order and follow the nominal response
// model instead (Bock 1972), with level 0 for reference:
//
//	P(x_c = level l | held, z) ~ exp(a_{c,l}.z - t_{c,l}),  a_{c,0} = t_{c,0} = 0
//
// z lives on a grid: D = 1: 21 nodes 0.4 apart in [-4, 4]; D = 2: the 49 nodes 1
// apart within a radius of 4; weights proportional to the density. So the posterior
// and all that is worked out of it is exact for the model as stated. D = 0 are
// independent criteria.
//
// Fitted by marginal maximum likelihood with EM (Bock and Aitkin 1981): the M-step is
// one step of Fisher scoring a criterion. Slopes have the prior N(0, SlopeScale^2),
// and every criterion has Smoothing pseudo-observations at the population's own
// state frequencies, spread over the nodes as their weights: levels that are rare or
// unseen stay finite. What has no variation in training has no slope: whether
// held, where all or none hold the criterion; the level, where fewer than two occur.
type Graded struct {
	support
	dims   int
	curves []curve // two a criterion: whether held, and which level
	unseen int     // criteria without a training cell
	level  int     // other criteria of which fewer than two levels occur
}

var _ Model = (*Graded)(nil)

// FitGraded fits every candidate on train and keeps the one with the largest dev
// score (mean log score in nats a cell, as in FitLatentClass), the fewest
// dimensions among equals; without dev rows there must be one candidate only.
// Continuous criteria are refused with ErrUnsupported. The result does not depend
// on the number of processors.
func FitGraded(ctx context.Context, train, dev Population, opt GradedOptions) (*Graded, []Candidate, error) {
	rows, devRows, err := encodeBoth(train, dev, len(opt.Dims), "numbers of dimensions")
	if err != nil {
		return nil, nil, err
	}
	times := make([]int, len(opt.Dims))
	for i, d := range opt.Dims {
		if d < 0 || d > 2 {
			return nil, nil, &domains.DataError{What: fmt.Sprintf("%d latent dimensions, the grid has room for 0, 1 or 2", d), Mend: "name fewer, or use a factor belief", Err: ErrUnsupported}
		}
		times[i] = opt.Restarts
		if d == 0 {
			times[i] = 1 // independence has one fit
		}
	}
	f := &gradedFitter{opt: opt, criteria: train.Criteria, offset: offsets(train.Criteria), rows: rows}
	f.counts, f.freq, f.cells = tally(f.offset, rows)
	fits, err := bestRuns(ctx, times, func(ctx context.Context, i, r int) (*Graded, float64, error) {
		d := opt.Dims[i]
		return f.run(ctx, d, rand.New(rand.NewPCG(opt.Seed, domains.Hash("graded", fmt.Sprint(d), fmt.Sprint(r)))))
	})
	if err != nil {
		return nil, nil, err
	}
	out := make([]Candidate, len(fits))
	for i, m := range fits {
		out[i] = Candidate{Name: fmt.Sprintf("%d dimensions", m.dims), DevScore: m.score(devRows)}
	}
	best := fits[chosen(out, opt.Dims)]
	best.unseen = train.unseen()
	best.level = -best.unseen
	for c := range train.Criteria {
		if !f.varied(f.counts[f.offset[c]+1 : f.offset[c+1]]) {
			best.level++
		}
	}
	best.finish()
	return best, out, nil
}

// grid gives the nodes [point][dimension] of the latent variable and their weights.
func grid(dims int) (nodes, weights []float64) {
	switch dims {
	case 0:
		weights = []float64{1}
	case 1:
		for i := -10; i <= 10; i++ {
			nodes = append(nodes, 0.4*float64(i))
		}
	case 2:
		for i := -4; i <= 4; i++ {
			for j := -4; j <= 4; j++ {
				if i*i+j*j <= 16 {
					nodes = append(nodes, float64(i), float64(j))
				}
			}
		}
	}
	total := 0.0
	for k := 0; k < len(nodes); k += dims {
		z := nodes[k:][:dims]
		weights = append(weights, math.Exp(-dot(z, z)/2))
		total += weights[k/dims]
	}
	if dims > 0 {
		for k := range weights {
			weights[k] /= total
		}
	}
	return nodes, weights
}

// A curve gives the probabilities of L ordered or nominal levels over the latent
// variable. Whether a criterion is held is an ordered curve of two.
type curve struct {
	nominal bool
	slopes  []float64 // ordered: [dimension]; nominal: [level-1][dimension]; nil: no slope
	cuts    []float64 // t_l of levels l = 1 .. L-1; ascending if ordered
}

// flat is the curve without a slope that has the probabilities p, all above 0.
func flat(p []float64, nominal bool) curve {
	cv := curve{nominal: nominal, cuts: make([]float64, len(p)-1)}
	rest, total := 0.0, 0.0
	for _, v := range p {
		total += v
	}
	for l := len(p) - 1; l > 0; l-- {
		if nominal {
			cv.cuts[l-1] = math.Log(p[0] / p[l])
			continue
		}
		rest += p[l]
		cv.cuts[l-1] = math.Log((total - rest) / rest)
	}
	return cv
}

// sigma is the logistic function.
func sigma(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// at writes the probabilities at node z to p[:L].
func (cv *curve) at(p, z []float64) {
	eta := 0.0
	if !cv.nominal {
		if cv.slopes != nil {
			eta = dot(cv.slopes, z)
		}
		// sigma(x) - sigma(y) = sigma(x) sigma(-y) (1 - exp(y-x)), which keeps its
		// digits in both tails.
		last := len(cv.cuts)
		p[0] = sigma(cv.cuts[0] - eta)
		for l := 1; l < last; l++ {
			x, y := eta-cv.cuts[l-1], eta-cv.cuts[l]
			p[l] = -sigma(x) * sigma(-y) * math.Expm1(y-x)
		}
		p[last] = sigma(eta - cv.cuts[last-1])
		return
	}
	p[0] = 0
	for l, t := range cv.cuts {
		p[l+1] = -t
		if cv.slopes != nil {
			p[l+1] += dot(z, cv.slopes[l*len(z):])
		}
	}
	softmax(p)
}

// jacobian writes dP_l/dx to jac[l][:], x = slopes then cuts, given p as at gives it.
func (cv *curve) jacobian(jac, p, z []float64) {
	d, s := len(z), len(cv.slopes)
	n := s + len(cv.cuts)
	clear(jac[:len(p)*n])
	if cv.nominal {
		for l := range p {
			row := jac[l*n:][:n]
			for m := range cv.cuts {
				g := -p[l] * p[m+1]
				if l == m+1 {
					g = p[l] * (1 - p[l])
				}
				for j, v := range z {
					row[m*d+j] = g * v
				}
				row[s+m] = -g
			}
		}
		return
	}
	eta := dot(cv.slopes, z)
	for l, t := range cv.cuts {
		g := sigma(eta-t) * sigma(t-eta)
		above, below := jac[(l+1)*n:][:n], jac[l*n:][:n]
		for j, v := range z {
			above[j] += g * v
			below[j] -= g * v
		}
		above[s+l] -= g
		below[s+l] += g
	}
}

// gradedFitter holds what all runs on one training set share.
type gradedFitter struct {
	opt      GradedOptions
	criteria []domains.Criterion
	offset   []int
	rows     []uint8   // profile x criterion
	counts   []float64 // n_{c,s}
	freq     []float64 // f_{c,s}
	cells    int       // observed
}

// varied says whether at least two of the counts are above 0.
func (f *gradedFitter) varied(n []float64) bool {
	seen := 0
	for _, v := range n {
		if v > 0 {
			seen++
		}
	}
	return seen > 1
}

// run does one EM run and gives the model with its log posterior (up to a constant).
func (f *gradedFitter) run(ctx context.Context, dims int, rng *rand.Rand) (*Graded, float64, error) {
	nodes, weights := grid(dims)
	k := len(weights)
	m := &Graded{
		support: support{criteria: f.criteria, k: k, offset: f.offset, pi: weights, theta: make([]float64, f.offset[len(f.criteria)]*k)},
		dims:    dims, curves: make([]curve, 2*len(f.criteria)),
	}
	ascents := make([]*ascent, len(m.curves))
	for c := range f.criteria {
		states := f.counts[f.offset[c]:f.offset[c+1]]
		p := f.freq[f.offset[c]:f.offset[c+1]]
		level := flat(p[1:], f.criteria[c].Scale == domains.Nominal)
		held, total := 0.0, 0.0
		for s, v := range p[1:] {
			held += v
			total += states[1+s]
		}
		m.curves[2*c], m.curves[2*c+1] = flat([]float64{p[0], held}, false), level
		if dims == 0 {
			continue
		}
		if f.varied([]float64{states[0], total}) {
			m.curves[2*c].slopes = make([]float64, dims)
			ascents[2*c] = newAscent(&m.curves[2*c], nodes, k, f.opt.SlopeScale)
		}
		if f.varied(states[1:]) {
			n := dims
			if level.nominal {
				n *= len(level.cuts)
			}
			m.curves[2*c+1].slopes = make([]float64, n)
			ascents[2*c+1] = newAscent(&m.curves[2*c+1], nodes, k, f.opt.SlopeScale)
		}
	}
	m.trace(nodes)
	e := newExpectation(f.offset, k, f.rows, true)
	if dims == 0 {
		return m, e.step(m.pi, m.theta), nil
	}

	f.start(e, nodes, dims, rng)
	last := math.Inf(-1)
	steps := 5 // the flat start is far from anything
	for range f.opt.Iterations {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		parallel(len(f.criteria), func(c int) { f.maximise(m, e.counts, ascents[2*c:][:2], c, steps) })
		steps = 1
		m.trace(nodes)
		total := e.step(m.pi, m.theta)
		for i, lt := range e.logTheta {
			total += f.opt.Smoothing * f.freq[i/k] * m.pi[i%k] * lt
		}
		for i := range m.curves {
			total -= dot(m.curves[i].slopes, m.curves[i].slopes) / (2 * f.opt.SlopeScale * f.opt.SlopeScale)
		}
		if total-last < f.opt.Tolerance*float64(f.cells) {
			last = total
			break
		}
		last = total
	}
	return m, last, nil
}

// start counts as if every row stood at the node nearest to its scores on the first
// principal directions of the standardised states, found by orthogonal iteration
// from random ones. A criterion has two features: held or not, and the level if
// held (of a nominal criterion its frequency, which at least tells levels apart).
func (f *gradedFitter) start(e *expectation, nodes []float64, dims int, rng *rand.Rand) {
	n, k := len(f.criteria), e.k
	rows := len(f.rows) / n
	features := f.features()
	direction, next := make([]float64, dims*2*n), make([]float64, dims*2*n)
	for i := range direction {
		direction[i] = rng.NormFloat64()
	}
	scores := make([]float64, rows*dims)
	const rounds = 6 // enough to leave noise, few enough for restarts to differ
	for round := range rounds {
		orthonormal(direction, dims)
		clear(next)
		for r := range rows {
			row := f.rows[r*n:][:n]
			for d := range dims {
				u, v := direction[d*2*n:][:2*n], next[d*2*n:][:2*n]
				y := 0.0
				for c, s := range row {
					if s != missing {
						x := features[f.offset[c]+int(s)]
						y += x[0]*u[2*c] + x[1]*u[2*c+1]
					}
				}
				scores[r*dims+d] = y
				if round == rounds-1 {
					continue
				}
				for c, s := range row {
					if s != missing {
						x := features[f.offset[c]+int(s)]
						v[2*c] += y * x[0]
						v[2*c+1] += y * x[1]
					}
				}
			}
		}
		if round < rounds-1 {
			direction, next = next, direction
		}
	}
	for d := range dims {
		sum, square := 0.0, 0.0
		for r := range rows {
			sum += scores[r*dims+d]
		}
		mean := sum / float64(rows)
		for r := range rows {
			scores[r*dims+d] -= mean
			square += scores[r*dims+d] * scores[r*dims+d]
		}
		if sd := math.Sqrt(square / float64(rows)); sd > 0 {
			for r := range rows {
				scores[r*dims+d] /= sd
			}
		}
	}
	for r := range rows {
		z := scores[r*dims:][:dims]
		best, at := 0, math.Inf(1)
		for j := range k {
			dist := 0.0
			for d, v := range nodes[j*dims:][:dims] {
				dist += (v - z[d]) * (v - z[d])
			}
			if dist < at {
				best, at = j, dist
			}
		}
		for c, s := range f.rows[r*n:][:n] {
			if s != missing {
				e.counts[(f.offset[c]+int(s))*k+best]++
			}
		}
	}
}

// features gives every state its two features, of mean 0 and variance 1 over the
// training cells, or 0 where there is no variation.
func (f *gradedFitter) features() [][2]float64 {
	out := make([][2]float64, len(f.freq))
	for c := range f.criteria {
		p, x := f.freq[f.offset[c]:f.offset[c+1]], out[f.offset[c]:f.offset[c+1]]
		held := 1 - p[0]
		n := f.counts[f.offset[c]:f.offset[c+1]]
		mean, square := 0.0, 0.0
		at := func(l int) float64 {
			if f.criteria[c].Scale == domains.Nominal {
				return p[1+l]
			}
			return float64(l)
		}
		for l, v := range p[1:] {
			mean += v / held * at(l)
		}
		for l, v := range p[1:] {
			square += v / held * (at(l) - mean) * (at(l) - mean)
		}
		levels := f.varied(n[1:]) && square > 0
		total := 0.0
		for _, v := range n[1:] {
			total += v
		}
		for s := range x {
			if n[0] > 0 && total > 0 {
				x[s][0] = math.Sqrt((1 - held) / held)
				if s == 0 {
					x[s][0] = -math.Sqrt(held / (1 - held))
				}
			}
			if levels && s > 0 {
				x[s][1] = (at(s-1) - mean) / math.Sqrt(square)
			}
		}
	}
	return out
}

// maximise is the M-step of criterion c: so many steps of Fisher scoring on the
// expected counts [state][point] and the pseudo-observations.
func (f *gradedFitter) maximise(m *Graded, counts []float64, ascents []*ascent, c, steps int) {
	k := m.k
	for part, a := range ascents {
		if a == nil {
			continue
		}
		clear(a.n)
		for s := f.offset[c]; s < f.offset[c+1]; s++ {
			state := s - f.offset[c]
			row := 0 // of a.n
			switch {
			case part == 0 && state > 0:
				row = 1
			case part == 1 && state == 0:
				continue
			case part == 1:
				row = state - 1
			}
			for j, v := range counts[s*k:][:k] {
				a.n[row*k+j] += v + f.opt.Smoothing*f.freq[s]*m.pi[j]
			}
		}
		for range steps {
			a.step()
		}
	}
}

// trace writes the curves to theta.
func (m *Graded) trace(nodes []float64) {
	var h [2]float64
	var levels []float64
	for c := range m.criteria {
		levels = slices.Grow(levels[:0], len(m.criteria[c].Levels))[:len(m.criteria[c].Levels)]
		for j := range m.k {
			z := nodes[j*m.dims:][:m.dims]
			m.curves[2*c].at(h[:], z)
			m.curves[2*c+1].at(levels, z)
			at := m.offset[c]*m.k + j
			m.theta[at] = h[0]
			for l, v := range levels {
				m.theta[at+(1+l)*m.k] = h[1] * v
			}
		}
	}
}

// An ascent improves one curve on its expected counts.
type ascent struct {
	curve     *curve
	nodes     []float64 // [point][dimension]
	k         int
	precision float64   // of the slopes' prior
	n         []float64 // [level][point]: expected counts
	p         []float64 // [level]
	jac       []float64 // [level][parameter]
	gradient  []float64
	info      []float64 // Fisher information, then its Cholesky factor
	before    []float64 // parameters
}

func newAscent(cv *curve, nodes []float64, k int, scale float64) *ascent {
	levels, x := len(cv.cuts)+1, len(cv.slopes)+len(cv.cuts)
	return &ascent{
		curve: cv, nodes: nodes, k: k, precision: 1 / (scale * scale),
		n: make([]float64, levels*k), p: make([]float64, levels), jac: make([]float64, levels*x),
		gradient: make([]float64, x), info: make([]float64, x*x), before: make([]float64, x),
	}
}

// value is the expected log posterior: sum n_{l,k} log P_l(z_k) less the penalty of the
// slopes, and -Inf where cuts do not ascend.
func (a *ascent) value() float64 {
	cv := a.curve
	if !cv.nominal {
		for l := 1; l < len(cv.cuts); l++ {
			if !(cv.cuts[l] > cv.cuts[l-1]) {
				return math.Inf(-1)
			}
		}
	}
	d := len(a.nodes) / a.k
	total := -a.precision / 2 * dot(cv.slopes, cv.slopes)
	for j := range a.k {
		cv.at(a.p, a.nodes[j*d:][:d])
		for l, v := range a.p {
			total += a.n[l*a.k+j] * math.Log(v)
		}
	}
	return total
}

// step moves by the inverse Fisher information times the gradient, and by half as
// much until the expected log posterior does not fall.
func (a *ascent) step() {
	cv, x := a.curve, len(a.gradient)
	s, d := len(cv.slopes), len(a.nodes)/a.k
	clear(a.gradient)
	clear(a.info)
	for i, v := range cv.slopes {
		a.gradient[i] = -a.precision * v
		a.info[i*x+i] = a.precision
	}
	start := -a.precision / 2 * dot(cv.slopes, cv.slopes)
	for j := range a.k {
		z := a.nodes[j*d:][:d]
		cv.at(a.p, z)
		cv.jacobian(a.jac, a.p, z)
		total := 0.0
		for l := range a.p {
			total += a.n[l*a.k+j]
		}
		for l, p := range a.p {
			start += a.n[l*a.k+j] * math.Log(p)
			if p < 1e-200 { // the node says nothing of the level
				continue
			}
			score, weight := a.n[l*a.k+j]/p, total/p
			row := a.jac[l*x:][:x]
			for i, g := range row {
				if g == 0 {
					continue
				}
				a.gradient[i] += score * g
				h := a.info[i*x:][:i+1]
				for o := range h {
					h[o] += weight * g * row[o]
				}
			}
		}
	}
	copy(a.before, cv.slopes)
	copy(a.before[s:], cv.cuts)
	cholesky(a.info, a.info, x)
	solveLower(a.info, a.gradient)
	solveUpper(a.info, a.gradient)
	const halvings = 12
	for range halvings {
		for i := range cv.slopes {
			cv.slopes[i] = a.before[i] + a.gradient[i]
		}
		for i := range cv.cuts {
			cv.cuts[i] = a.before[s+i] + a.gradient[s+i]
		}
		if a.value() >= start {
			return
		}
		for i := range a.gradient {
			a.gradient[i] /= 2
		}
	}
	copy(cv.slopes, a.before)
	copy(cv.cuts, a.before[s:])
}

// NumParams implements Model: slopes and cuts, less the rotations of the latent
// space, which change nothing.
func (m *Graded) NumParams() int {
	n, slopes := 0, 0
	for i := range m.curves {
		n += len(m.curves[i].cuts)
		slopes += len(m.curves[i].slopes)
	}
	if slopes > 0 {
		n += slopes - m.dims*(m.dims-1)/2
	}
	return n
}

// About implements Model.
func (m *Graded) About() string {
	switch m.dims {
	case 0:
		return "graded response model without a trait: criteria independent, the population's own frequencies"
	case 1:
		return fmt.Sprintf("graded response model, one latent trait on %d nodes", m.k)
	}
	return fmt.Sprintf("graded response model, %d latent traits on %d nodes", m.dims, m.k)
}

// Notes implements Model.
func (m *Graded) Notes() []domains.Count {
	out := unseenNote(m.unseen)
	if m.level > 0 {
		out = append(out, domains.Count{What: "criteria held at fewer than two levels in training: the level has no slope", N: m.level})
	}
	return out
}

// gradedFile is the snapshot of a Graded: what the grid and the curves are made of.
type gradedFile struct {
	Dims   int         `json:"dims"`
	Held   []curveFile `json:"held"`
	Level  []curveFile `json:"level"`
	Unseen int         `json:"unseen"`
	Single int         `json:"single"` // criteria held at fewer than two levels
}

type curveFile struct {
	Slopes []float64 `json:"slopes,omitempty"`
	Cuts   []float64 `json:"cuts"`
}

func (m *Graded) fileKind() string                { return "graded" }
func (m *Graded) population() []domains.Criterion { return m.criteria }

func (m *Graded) snapshot() any {
	f := gradedFile{Dims: m.dims, Unseen: m.unseen, Single: m.level}
	for i, cv := range m.curves {
		s := curveFile{cv.slopes, cv.cuts}
		if i%2 == 0 {
			f.Held = append(f.Held, s)
		} else {
			f.Level = append(f.Level, s)
		}
	}
	return f
}

func restoreGraded(raw json.RawMessage, criteria []domains.Criterion) (Model, error) {
	var f gradedFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, err
	}
	if f.Dims < 0 || f.Dims > 2 {
		return nil, fmt.Errorf("%d latent dimensions", f.Dims)
	}
	if len(f.Held) != len(criteria) || len(f.Level) != len(criteria) {
		return nil, fmt.Errorf("%d curves of held and %d of levels for %d criteria", len(f.Held), len(f.Level), len(criteria))
	}
	nodes, weights := grid(f.Dims)
	m := &Graded{dims: f.Dims, unseen: f.Unseen, level: f.Single}
	m.support = support{criteria: criteria, k: len(weights), offset: offsets(criteria), pi: weights}
	m.theta = make([]float64, m.offset[len(criteria)]*m.k)
	for c := range criteria {
		for _, cv := range []curve{{slopes: f.Held[c].Slopes, cuts: f.Held[c].Cuts}, {nominal: criteria[c].Scale == domains.Nominal, slopes: f.Level[c].Slopes, cuts: f.Level[c].Cuts}} {
			levels := 2
			if len(m.curves)%2 == 1 {
				levels = len(criteria[c].Levels)
			}
			if err := cv.check(levels, f.Dims); err != nil {
				return nil, fmt.Errorf("criterion %d: %w", c+1, err)
			}
			m.curves = append(m.curves, cv)
		}
	}
	m.trace(nodes)
	if err := m.check(); err != nil {
		return nil, err
	}
	m.finish()
	return m, nil
}

// check says whether a curve read from a file is one of so many levels.
func (cv *curve) check(levels, dims int) error {
	slopes := dims
	if cv.nominal {
		slopes *= levels - 1
	}
	if len(cv.cuts) != levels-1 || len(cv.slopes) != 0 && len(cv.slopes) != slopes {
		return fmt.Errorf("%d slopes and %d cuts for %d levels", len(cv.slopes), len(cv.cuts), levels)
	}
	for _, v := range slices.Concat(cv.slopes, cv.cuts) {
		if !sound(v) {
			return fmt.Errorf("parameter %v", v)
		}
	}
	for l := 1; l < len(cv.cuts) && !cv.nominal; l++ {
		if !(cv.cuts[l] > cv.cuts[l-1]) {
			return fmt.Errorf("cuts %v do not ascend", cv.cuts)
		}
	}
	return nil
}
