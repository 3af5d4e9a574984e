package belief

import (
	"context"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"pepbench/domains"
)

// A summary is what a population says of each criterion by itself, in ranges.
type summary struct {
	known, held []float64   // cells
	rate        []float64   // P(held), (held + 1/2)/(known + 1)
	mean        []float64   // of held values, with one more value at 1/2
	variance    []float64   // with one more deviation, that of a uniform value
	floor       []float64   // least noise variance
	always      []bool      // no cell says not held
	level       [][]float64 // held cells at each level; nil: continuous
	faults      faults
}

// summarise reads the population once.
func summarise(p *Population) *summary {
	n := len(p.Criteria)
	s := &summary{
		known: make([]float64, n), held: make([]float64, n), rate: make([]float64, n),
		mean: make([]float64, n), variance: make([]float64, n), floor: make([]float64, n), always: make([]bool, n), level: make([][]float64, n),
	}
	sum, square := make([]float64, n), make([]float64, n) // about the first value seen
	first := make([]float64, n)
	width := make([]float64, n)
	low := make([]float64, n)
	for c := range p.Criteria {
		low[c], width[c] = scaleOf(&p.Criteria[c])
		if l := len(p.Criteria[c].Levels); l > 0 {
			s.level[c] = make([]float64, l)
		}
	}
	for _, row := range p.Rows {
		for j, cell := range row.Cells {
			if cell.IsMissing() {
				continue
			}
			c := row.Index[j]
			s.known[c]++
			if !cell.IsHeld() {
				continue
			}
			if s.level[c] != nil {
				s.level[c][p.Criteria[c].Nearest(cell.Value())]++
			}
			x := (cell.Value() - low[c]) / width[c]
			if s.held[c] == 0 {
				first[c] = x
			}
			s.held[c]++
			x -= first[c]
			sum[c] += x
			square[c] += x * x
		}
	}
	for c := range p.Criteria {
		h := s.held[c]
		s.rate[c] = (h + 0.5) / (s.known[c] + 1)
		s.always[c] = h == s.known[c]
		s.mean[c] = 0.5
		deviation := 0.0
		if h > 0 {
			s.mean[c] = (h*first[c] + sum[c] + 0.5) / (h + 1)
			deviation = max(0, square[c]-sum[c]*sum[c]/h)
			if h > 1 && square[c] == 0 {
				s.faults.Constant++
			}
		}
		s.variance[c] = (deviation + 1.0/12) / (h + 1)
		s.floor[c] = 1e-4
		if levels := p.Criteria[c].Levels; len(levels) > 1 {
			step := math.Inf(1)
			for l := 1; l < len(levels); l++ {
				step = min(step, (levels[l].Value-levels[l-1].Value)/width[c])
			}
			s.floor[c] = max(step*step/36, 1e-6)
		}
	}
	s.faults.Unseen = p.unseen()
	return s
}

// A factorFit holds what all EM runs on one training set share: rows are read where
// they are, nothing is copied.
type factorFit struct {
	*summary
	train Population
	opt   FactorOptions
	low   []float64 // of each scale
	per   []float64 // ranges a unit of value
}

func newFactorFit(train Population, opt FactorOptions) (*factorFit, error) {
	if err := train.onScale(); err != nil {
		return nil, err
	}
	if !(opt.Ridge > 0) || opt.Restarts < 1 || opt.Iterations < 1 {
		return nil, &domains.DataError{What: "factor fit without restarts, iterations or ridge", Mend: "restarts and iterations are 1 or more, ridge is above 0"}
	}
	f := &factorFit{summary: summarise(&train), train: train, opt: opt}
	for c := range train.Criteria {
		low, width := scaleOf(&train.Criteria[c])
		f.low, f.per = append(f.low, low), append(f.per, 1/width)
	}
	return f, nil
}

// An emRun is a mixture of gaussians under EM; a factor model has one class.
type emRun struct {
	pi       []float64
	class    []emClass
	evidence float64 // of the training rows, Laplace, before the last M-step
}

// An emClass is one gaussian with the posterior modes of every row.
type emClass struct {
	*gaussian
	mode    []float64 // [row][d]
	stretch []float64 // [d][d] lower triangle R with z = R z', z' the new embedding
	half    []float64 // [criterion] -1/2 ln(2 pi noise)
	weight  []float64 // [criterion] 1/noise
}

// best does the runs of k classes and d dimensions and keeps the one with the
// largest evidence, the first among equals.
func (f *factorFit) best(ctx context.Context, k, d, restarts int) (*emRun, error) {
	if k == 1 && d == 0 {
		restarts = 1 // nothing is random
	}
	var top *emRun
	var start [][]float64
	if d > 0 {
		start = f.embedding(d)
	}
	for r := range restarts {
		run := f.begin(k, d, r, start, f.random(k, d, r))
		if err := f.em(ctx, run); err != nil {
			return nil, err
		}
		if top == nil || run.evidence > top.evidence {
			top = run
		}
	}
	return top, nil
}

// begin gives the start of a run. The first run of a dimension starts at principal
// components, others at random loadings; classes start half way between the
// population and a random row each.
func (f *factorFit) begin(k, d, restart int, start [][]float64, rng *rand.Rand) *emRun {
	n, rows := len(f.train.Criteria), len(f.train.Rows)
	run := &emRun{pi: make([]float64, k), class: make([]emClass, k), evidence: math.Inf(-1)}
	seeds := rng.Perm(rows)
	for j := range run.class {
		g := newGaussian(f.train.Criteria, d)
		for c := range n {
			g.mean[c], g.noise[c], g.bias[c] = f.mean[c], max(f.variance[c], f.floor[c]), normalQuantile(f.rate[c])
			sd := math.Sqrt(f.variance[c])
			for x := range d {
				if restart == 0 {
					g.load[c*d+x], g.probe[c*d+x] = 0.8*sd*start[c][x], 0.8*start[n+c][x]
				} else {
					g.load[c*d+x], g.probe[c*d+x] = 0.3*sd*rng.NormFloat64(), 0.3*rng.NormFloat64()
				}
				if f.always[c] {
					g.probe[c*d+x] = 0
				}
				if f.held[c] == 0 {
					g.load[c*d+x] = 0
				}
			}
		}
		if k > 1 {
			row := f.train.Rows[seeds[j%rows]]
			for i, cell := range row.Cells {
				switch c := row.Index[i]; {
				case cell.IsHeld():
					g.mean[c] += 0.5 * ((cell.Value()-f.low[c])*f.per[c] - g.mean[c])
					if !f.always[c] {
						g.bias[c] = normalQuantile(0.7*f.rate[c] + 0.3)
					}
				case cell.IsNotHeld():
					g.bias[c] = normalQuantile(0.7 * f.rate[c])
				}
			}
		}
		run.pi[j] = 1 / float64(k)
		run.class[j] = emClass{gaussian: &g, mode: make([]float64, rows*d), half: make([]float64, n), weight: make([]float64, n)}
	}
	return run
}

// em iterates until the evidence rises too little.
func (f *factorFit) em(ctx context.Context, run *emRun) error {
	cells := 0.0
	for _, v := range f.known {
		cells += v
	}
	newton := 3 // from nowhere; later runs start where the last one ended
	for range f.opt.Iterations {
		if err := ctx.Err(); err != nil {
			return err
		}
		st := f.expect(run, newton)
		newton = 1
		f.maximise(run, st)
		rise := st.evidence - run.evidence
		run.evidence = st.evidence
		if rise < f.opt.Tolerance*cells {
			break
		}
	}
	return nil
}

// statistics are the sums that the M-step needs, of one block of rows or of all.
type statistics struct {
	evidence float64
	size     []float64 // [class] weight of rows
	moment   []float64 // [class][packed (d+1)x(d+1)] sum of E zz', z with a leading 1
	sums     []float64 // [class][criterion][stride], see the offsets of layout
}

// layout places the sums of one criterion: weights of known and held cells, sum of
// x^2 and, with z led by a 1, sum of E zz' and of x E z over held cells, the
// negative Hessian and the gradient of the probit's expected log likelihood, its
// slope linear in z about the mode.
type layout struct{ d, packed, square, value, hessian, gradient, stride int }

func layoutOf(d int) layout {
	l := layout{d: d + 1, packed: (d + 1) * (d + 2) / 2}
	l.square = 3
	l.value = l.square + l.packed
	l.hessian = l.value + l.d
	l.gradient = l.hessian + l.packed
	l.stride = l.gradient + l.d
	return l
}

// expect is the E-step. Blocks of rows are worked on at once and added up in order.
func (f *factorFit) expect(run *emRun, newton int) *statistics {
	k, d, n := len(run.class), run.class[0].d, len(f.train.Criteria)
	l := layoutOf(d)
	for j := range run.class {
		e := &run.class[j]
		for c, v := range e.noise {
			e.half[c], e.weight[c] = -0.5*math.Log(v)-logSqrt2Pi, 1/v
		}
	}
	parts := make([]*statistics, min(blocks, len(f.train.Rows)))
	parallel(len(parts), func(b int) {
		st := &statistics{size: make([]float64, k), moment: make([]float64, k*l.packed), sums: make([]float64, k*n*l.stride)}
		w := newWorker(f, run, l)
		lo, hi := block(len(f.train.Rows), len(parts), b)
		for r := lo; r < hi; r++ {
			w.row(st, r, newton)
		}
		parts[b] = st
	})
	st := parts[0]
	for _, p := range parts[1:] {
		st.evidence += p.evidence
		add(st.size, p.size)
		add(st.moment, p.moment)
		add(st.sums, p.sums)
	}
	return st
}

// A worker has the scratch memory of one block.
type worker struct {
	f         *factorFit
	run       *emRun
	l         layout
	post      []float64   // [class] log, then probability of the class
	zz        [][]float64 // [class] packed E zz', z with a leading 1
	s         [][]float64 // [class] covariance of z, [d][d]
	slope     [][]float64 // [class][cell] y r, the slope of ln Phi
	curve     [][]float64 // [class][cell] r (r + t), its negative curvature
	precision []float64   // [d][d]
	chol      []float64
	grad      []float64
	sw        []float64
}

func newWorker(f *factorFit, run *emRun, l layout) *worker {
	k, d := len(run.class), l.d-1
	w := &worker{
		f: f, run: run, l: l, post: make([]float64, k),
		precision: make([]float64, d*d), chol: make([]float64, d*d), grad: make([]float64, d), sw: make([]float64, d),
	}
	for range k {
		w.zz = append(w.zz, make([]float64, l.packed))
		w.s = append(w.s, make([]float64, d*d))
		w.slope = append(w.slope, make([]float64, len(f.train.Criteria)))
		w.curve = append(w.curve, make([]float64, len(f.train.Criteria)))
	}
	return w
}

// row infers z of row r in every class and adds it up.
func (w *worker) row(st *statistics, r, newton int) {
	row := w.f.train.Rows[r]
	d := w.l.d - 1
	for k := range w.run.class {
		e := &w.run.class[k]
		w.post[k] = math.Log(w.run.pi[k]) + w.infer(e, k, row, e.mode[r*d:][:d], newton)
	}
	st.evidence += softmax(w.post)
	for k, p := range w.post {
		if p < 1e-12 {
			continue
		}
		e := &w.run.class[k]
		st.size[k] += p
		w.add(st, e, k, row, e.mode[r*d:][:d], p)
	}
}

// infer finds the mode of z of a row in place and leaves slope, curve, covariance
// and second moments. It returns the log evidence of the row by Laplace's
// approximation.
func (w *worker) infer(e *emClass, k int, row Row, mode []float64, newton int) float64 {
	f, d := w.f, len(mode)
	if e.stretch != nil {
		solveLower(e.stretch, mode)
	}
	if d == 0 {
		newton = 0
	}
	slope, curve := w.slope[k], w.curve[k]
	for step := 0; ; step++ {
		evidence := 0.0
		clear(w.precision)
		for x, v := range mode {
			evidence -= 0.5 * v * v
			w.grad[x] = -v
			w.precision[x*d+x] = 1
		}
		for j, cell := range row.Cells {
			if cell.IsMissing() {
				continue
			}
			c := row.Index[j]
			held := cell.IsHeld()
			if !f.always[c] {
				probe := e.probe[c*d:][:d]
				y := 1.0
				if !held {
					y = -1
				}
				t := y * (e.bias[c] + dot(probe, mode))
				p, ratio := normalTail(t)
				switch {
				case step < newton: // evidence is that of the last step
				case p > 1e-280:
					evidence += math.Log(p)
				default:
					evidence += logNormalCDF(t)
				}
				slope[j], curve[j] = y*ratio, max(0, ratio*(ratio+t))
				rankOne(w.precision, w.grad, probe, curve[j], slope[j])
			}
			if held {
				load := e.load[c*d:][:d]
				err := (cell.Value()-f.low[c])*f.per[c] - e.mean[c] - dot(load, mode)
				u := err * e.weight[c]
				evidence += e.half[c] - 0.5*err*u
				rankOne(w.precision, w.grad, load, e.weight[c], u)
			}
		}
		logDet := cholesky(w.chol, w.precision, d)
		if step == newton {
			inverse(w.s[k], w.chol, d)
			secondMoments(w.zz[k], mode, w.s[k])
			return evidence - 0.5*logDet
		}
		solveLower(w.chol, w.grad)
		solveUpper(w.chol, w.grad)
		for x, v := range w.grad {
			mode[x] += v
		}
	}
}

// rankOne adds k v v' to the lower triangle of p and u v to g.
func rankOne(p, g, v []float64, k, u float64) {
	d := len(v)
	for x, a := range v {
		g[x] += u * a
		a *= k
		row := p[x*d:][:x+1]
		for y := range row {
			row[y] += a * v[y]
		}
	}
}

// secondMoments packs the lower triangle of [1 m; m mm'+S].
func secondMoments(dst, m, s []float64) {
	d := len(m)
	dst[0] = 1
	i := 1
	for x, a := range m {
		dst[i] = a
		i++
		for y := range x + 1 {
			dst[i] = a*m[y] + s[x*d+y]
			i++
		}
	}
}

// add adds up a row that is in class k with probability p.
func (w *worker) add(st *statistics, e *emClass, k int, row Row, mode []float64, p float64) {
	f, l, d := w.f, w.l, len(mode)
	zz := w.zz[k]
	axpy(st.moment[k*l.packed:][:l.packed], p, zz)
	n := len(f.train.Criteria)
	for j, cell := range row.Cells {
		if cell.IsMissing() {
			continue
		}
		c := row.Index[j]
		sum := st.sums[(k*n+c)*l.stride:][:l.stride]
		sum[0] += p
		if !f.always[c] && d > 0 {
			curve := p * w.curve[k][j]
			axpy(sum[l.hessian:][:l.packed], curve, zz)
			grad := sum[l.gradient:][:l.d]
			slope := p * w.slope[k][j]
			grad[0] += slope
			probe := e.probe[c*d:][:d]
			s := w.s[k]
			for x, m := range mode {
				grad[1+x] += slope*m - curve*dot(s[x*d:][:d], probe)
			}
		}
		if cell.IsHeld() {
			x := (cell.Value() - f.low[c]) * f.per[c]
			sum[1] += p
			sum[2] += p * x * x
			axpy(sum[l.square:][:l.packed], p, zz)
			x *= p
			value := sum[l.value:][:l.d]
			value[0] += x
			for y, m := range mode {
				value[1+y] += x * m
			}
		}
	}
}

// classPrior is the weight, in observations, by which the mean and the rate of a
// criterion in one of several classes are drawn to the population's own.
const classPrior = 5

// maximise is the M-step.
func (f *factorFit) maximise(run *emRun, st *statistics) {
	k, n := len(run.class), len(f.train.Criteria)
	d := run.class[0].d
	l := layoutOf(d)
	prior := 1.0
	if k > 1 {
		prior = classPrior
	}
	h, chol, theta := make([]float64, l.d*l.d), make([]float64, l.d*l.d), make([]float64, l.d)
	for j := range run.class {
		e := &run.class[j]
		run.pi[j] = (st.size[j] + 1) / (float64(len(f.train.Rows)) + float64(k))
		for c := range n {
			sum := st.sums[(j*n+c)*l.stride:][:l.stride]
			f.values(e.gaussian, c, sum, l, prior, h, chol, theta)
			f.probes(e.gaussian, c, sum, l, prior, k, h, chol, theta)
		}
		if d > 0 {
			e.expand(st.moment[j*l.packed:][:l.packed], st.size[j])
		}
	}
}

// values is the ridge regression of the values of criterion c on z.
func (f *factorFit) values(g *gaussian, c int, sum []float64, l layout, prior float64, h, chol, theta []float64) {
	if f.held[c] == 0 {
		return // what begin set: the middle of the scale
	}
	d := l.d - 1
	unpack(h, sum[l.square:], l.d)
	copy(theta, sum[l.value:][:l.d])
	h[0] += prior
	theta[0] += prior * f.mean[c]
	for x := 1; x < l.d; x++ {
		h[x*l.d+x] += f.opt.Ridge
	}
	// What is left: sum (x - theta.z)^2 with the priors' share, at the minimum.
	square := sum[2] + prior*f.mean[c]*f.mean[c]
	cholesky(chol, h, l.d)
	rhs := append([]float64(nil), theta...)
	solveLower(chol, theta)
	solveUpper(chol, theta)
	left := max(0, square-dot(theta, rhs))
	g.mean[c] = theta[0]
	copy(g.load[c*d:][:d], theta[1:])
	g.noise[c] = max(f.floor[c], (left+prior*f.variance[c])/(sum[1]+prior))
}

// probes is one Newton step of the probit of criterion c, after which the bias is
// set so that P(held) before any answer is the rate.
func (f *factorFit) probes(g *gaussian, c int, sum []float64, l layout, prior float64, classes int, h, chol, theta []float64) {
	d := l.d - 1
	rate := f.rate[c]
	if classes > 1 {
		rate = (sum[1] + prior*rate) / (sum[0] + prior)
	}
	if f.always[c] {
		return // begin set the rate; classes do not differ in it
	}
	norm := 1.0
	if d > 0 {
		probe := g.probe[c*d:][:d]
		unpack(h, sum[l.hessian:], l.d)
		copy(theta, sum[l.gradient:][:l.d])
		h[0] += f.opt.Ridge // the step of the bias, which is thrown away, must exist
		for x := 1; x < l.d; x++ {
			h[x*l.d+x] += f.opt.Ridge
			theta[x] -= f.opt.Ridge * probe[x-1]
		}
		cholesky(chol, h, l.d)
		solveLower(chol, theta)
		solveUpper(chol, theta)
		most := 0.0
		for _, v := range theta[1:] {
			most = max(most, math.Abs(v))
		}
		scale := 1 / max(1, most) // Newton may overshoot far from the optimum
		for x := range probe {
			probe[x] += scale * theta[1+x]
			norm += probe[x] * probe[x]
		}
	}
	g.bias[c] = normalQuantile(rate) * math.Sqrt(norm)
}

// expand stretches z so that its posterior second moments average to I.
func (e *emClass) expand(moment []float64, size float64) {
	d := e.d
	if size < float64(2*d) {
		e.stretch = nil
		return
	}
	full, r := make([]float64, (d+1)*(d+1)), make([]float64, d*d)
	unpack(full, moment, d+1)
	for x := range d {
		for y := range d {
			r[x*d+y] = full[(x+1)*(d+1)+y+1] / size
		}
	}
	e.stretch = make([]float64, d*d)
	cholesky(e.stretch, r, d)
	v := make([]float64, d)
	turn := func(l []float64) { // l becomes R'l
		clear(v)
		for x := range d {
			for y := range x + 1 {
				v[y] += e.stretch[x*d+y] * l[x]
			}
		}
		copy(l, v)
	}
	for c := range e.criteria {
		turn(e.load[c*d:][:d])
		probe := e.probe[c*d:][:d]
		before := 1 + dot(probe, probe)
		turn(probe)
		e.bias[c] *= math.Sqrt((1 + dot(probe, probe)) / before) // P(held) stays
	}
}

// embedding gives principal components to start EM from: of each criterion's value
// and, n further on, of whether it is held, d numbers each, in standard
// deviations.
func (f *factorFit) embedding(d int) [][]float64 {
	n := len(f.train.Criteria)
	out := make([][]float64, 2*n)
	cov := pairwise(f.train, f.summary, true)
	value, vector := principal(cov)
	rest := 0.0
	for _, v := range value[min(d, len(value)):] {
		rest += max(0, v)
	}
	rest /= float64(max(1, 2*n-d))
	for i := range out {
		out[i] = make([]float64, d)
		for x := range d {
			out[i][x] = vector.At(i, x) * math.Sqrt(max(0.01, value[x]-rest))
		}
	}
	return out
}

// pairwise gives the correlations between values (in the first n places) and, if
// held is set, of being held (in n more), each pair over the rows that know both,
// drawn to 0 by pairPrior rows. So is the diagonal, about n/(n + pairPrior) for n rows that
// know the criterion: what that takes off eigenvalues, noise takes up.
func pairwise(p Population, s *summary, held bool) *mat.SymDense {
	n := len(p.Criteria)
	m := n
	if held {
		m = 2 * n
	}
	sum, count := make([]float64, m*m), make([]float64, m*m)
	low, per := make([]float64, n), make([]float64, n)
	perRate := make([]float64, n)
	for c := range p.Criteria {
		l, width := scaleOf(&p.Criteria[c])
		low[c], per[c] = l, 1/width
		perRate[c] = 1 / math.Sqrt(s.rate[c]*(1-s.rate[c]))
	}
	at, x := make([]int, 0, m), make([]float64, 0, m)
	for _, row := range p.Rows {
		at, x = at[:0], x[:0]
		for j, cell := range row.Cells {
			if c := row.Index[j]; cell.IsHeld() {
				at, x = append(at, c), append(x, ((cell.Value()-low[c])*per[c]-s.mean[c])/math.Sqrt(s.variance[c]))
			}
		}
		if held {
			for j, cell := range row.Cells {
				c := row.Index[j]
				if cell.IsMissing() || s.always[c] {
					continue
				}
				y := -s.rate[c]
				if cell.IsHeld() {
					y++
				}
				at, x = append(at, n+c), append(x, y*perRate[c])
			}
		}
		for i, a := range at {
			u, v := sum[a*m:][:m], count[a*m:][:m]
			for j, b := range at[:i+1] {
				u[b] += x[i] * x[j]
				v[b]++
			}
		}
	}
	cov := mat.NewSymDense(m, nil)
	for a := range m {
		for b := range a + 1 {
			k := count[a*m+b] + count[b*m+a]
			t := sum[a*m+b] + sum[b*m+a]
			if a == b {
				k, t = k/2, t/2
			}
			cov.SetSym(a, b, t/(k+pairPrior))
		}
	}
	return cov
}

// pairPrior is the number of rows without association that a pair of criteria is
// given.
const pairPrior = 5

// principal gives eigenvalues, largest first, and eigenvectors in columns, each with
// its largest entry positive, so that signs are not left to chance.
func principal(cov *mat.SymDense) ([]float64, *mat.Dense) {
	n := cov.SymmetricDim()
	var eig mat.EigenSym
	if !eig.Factorize(cov, true) {
		panic("belief: eigenvalues of a finite symmetric matrix do not converge")
	}
	values := eig.Values(nil)
	var vectors mat.Dense
	eig.VectorsTo(&vectors)
	out, sorted := mat.NewDense(n, n, nil), make([]float64, n)
	for x := range n {
		from := n - 1 - x // ascending there
		sorted[x] = values[from]
		most := 0.0
		for i := range n {
			if v := vectors.At(i, from); math.Abs(v) > math.Abs(most)+1e-9 {
				most = v
			}
		}
		for i := range n {
			out.Set(i, x, vectors.At(i, from)*math.Copysign(1, most))
		}
	}
	return sorted, out
}
