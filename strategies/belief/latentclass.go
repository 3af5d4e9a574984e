package belief

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"pepbench/domains"
)

// LatentClassOptions are the knobs of FitLatentClass.
type LatentClassOptions struct {
	Classes    []int   // candidate numbers of classes, each >= 1
	Restarts   int     // EM runs a candidate, >= 1; the best training likelihood is kept
	Iterations int     // most EM steps of a run, >= 1
	Tolerance  float64 // stop when the log posterior a cell rises by less (nats)
	Smoothing  float64 // pseudo-observations drawn towards the population, > 0
	Seed       uint64
}

// DefaultLatentClass is what a configuration that names only the kind gets.
var DefaultLatentClass = LatentClassOptions{
	Classes: []int{1, 2, 3, 4, 6, 8, 12}, Restarts: 3, Iterations: 60, Tolerance: 1e-6, Smoothing: 5, Seed: 1,
}

// LatentClass is a finite mixture: a user belongs to class k with probability
// pi_k and, given the class, the states of all criteria are independent,
//
//	P(x) = sum_k pi_k prod_c theta_{k,c,x_c}
//
// with state 0 = not held and state 1+l = held at level l. Missing cells drop out
// of the product. Fitted by EM (Dempster, Laird and Rubin 1977; latent class
// analysis: Lazarsfeld and Henry 1968) with a Dirichlet prior on every theta
// whose mean is the population's own state frequencies, so that a class that has
// seen little of a criterion says what everybody says:
//
//	theta_{k,c,s} = (n_{k,c,s} + a f_{c,s}) / (n_{k,c} + a)
//	f_{c,s}       = (n_{c,s} + 1/S_c) / (n_c + 1)
//
// pi has a Dirichlet prior of one pseudo-observation a class. The posterior of a
// class given answers is exact.
type LatentClass struct {
	support
	unseen int // criteria without a training cell
}

var _ Model = (*LatentClass)(nil)

// FitLatentClass fits every candidate on train and keeps the one with the largest
// dev score, the fewest classes among equals; without dev rows there must be one
// candidate only. The result does not depend on the number of processors.
func FitLatentClass(ctx context.Context, train, dev Population, opt LatentClassOptions) (*LatentClass, []Candidate, error) {
	if len(train.Rows) == 0 {
		return nil, nil, &domains.DataError{What: "no training profiles", Mend: "lower split.test and split.dev"}
	}
	if len(dev.Rows) == 0 && len(opt.Classes) != 1 {
		return nil, nil, &domains.DataError{What: fmt.Sprintf("%d candidate numbers of classes and no dev profiles to choose on", len(opt.Classes)), Mend: "set split.dev above 0, or name one number"}
	}
	for _, k := range opt.Classes {
		if k < 1 || k > len(train.Rows) {
			return nil, nil, &domains.DataError{What: fmt.Sprintf("%d classes for %d training profiles", k, len(train.Rows)), Mend: "name fewer classes, or use more data"}
		}
	}
	rows, err := train.states()
	if err != nil {
		return nil, nil, err
	}
	devRows, err := dev.states()
	if err != nil {
		return nil, nil, err
	}
	f := newFitter(train.Criteria, rows, opt)

	type job struct {
		model *LatentClass
		score float64
	}
	jobs := make([][]job, len(opt.Classes))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, k := range opt.Classes {
		restarts := opt.Restarts
		if k == 1 {
			restarts = 1 // one class has one fit
		}
		jobs[i] = make([]job, restarts)
		for r := range jobs[i] {
			g.Go(func() error {
				rng := rand.New(rand.NewPCG(opt.Seed, domains.Hash("latent-class", fmt.Sprint(k), fmt.Sprint(r))))
				m, score, err := f.run(ctx, k, rng)
				jobs[i][r] = job{m, score}
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}

	var best *LatentClass
	var out []Candidate
	at := math.Inf(-1)
	for i, k := range opt.Classes {
		fit := slices.MaxFunc(jobs[i], func(a, b job) int {
			switch {
			case a.score < b.score:
				return -1
			case a.score > b.score:
				return 1
			}
			return 0
		})
		c := Candidate{Name: fmt.Sprintf("%d classes", k), DevScore: math.NaN()}
		if len(dev.Rows) > 0 {
			c.DevScore = fit.model.score(devRows)
		}
		out = append(out, c)
		if best == nil || c.DevScore > at || c.DevScore == at && k < best.k {
			best, at = fit.model, c.DevScore
		}
	}
	for i := range out {
		out[i].Chosen = opt.Classes[i] == best.k
	}
	best.unseen = train.unseen()
	best.finish()
	return best, out, nil
}

// fitter holds what all EM runs on one training set share.
type fitter struct {
	opt      LatentClassOptions
	criteria []domains.Criterion
	offset   []int
	states   int       // rows of theta
	rows     []uint8   // profile x criterion
	freq     []float64 // f_{c,s} by theta row
	cells    int       // observed
}

func newFitter(criteria []domains.Criterion, rows []uint8, opt LatentClassOptions) *fitter {
	f := &fitter{opt: opt, criteria: criteria, rows: rows, offset: offsets(criteria)}
	f.states = f.offset[len(criteria)]
	f.freq = make([]float64, f.states)
	n := len(criteria)
	for i, s := range rows {
		if s != missing {
			f.freq[f.offset[i%n]+int(s)]++
			f.cells++
		}
	}
	for c := range criteria {
		p := f.freq[f.offset[c]:f.offset[c+1]]
		total := 0.0
		for _, v := range p {
			total += v
		}
		for s := range p {
			p[s] = (p[s] + 1/float64(len(p))) / (total + 1)
		}
	}
	return f
}

// run does one EM run from a random start and gives the model with its log
// posterior (up to a constant).
func (f *fitter) run(ctx context.Context, k int, rng *rand.Rand) (*LatentClass, float64, error) {
	n := len(f.criteria)
	rows := len(f.rows) / n
	m := &LatentClass{support: support{criteria: f.criteria, k: k, offset: f.offset, pi: make([]float64, k), theta: make([]float64, f.states*k)}}
	counts := make([]float64, f.states*k)
	size := make([]float64, k)

	// Start: every row joins the most similar of k random rows, where agreeing on
	// something rare counts for more.
	seeds := rng.Perm(rows)[:k]
	for r := range rows {
		row := f.rows[r*n : (r+1)*n]
		best, at := 0, math.Inf(-1)
		for j, s := range seeds {
			sim := 0.0
			other := f.rows[s*n : (s+1)*n]
			for c, v := range row {
				if v != missing && v == other[c] {
					sim -= math.Log(f.freq[f.offset[c]+int(v)])
				}
			}
			if sim > at {
				best, at = j, sim
			}
		}
		size[best]++
		for c, v := range row {
			if v != missing {
				counts[(f.offset[c]+int(v))*k+best]++
			}
		}
	}

	logTheta := make([]float64, len(m.theta))
	logPi := make([]float64, k)
	post := make([]float64, k)
	last := math.Inf(-1)
	for range f.opt.Iterations {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		f.maximise(m, counts, size, rows)
		penalty := 0.0 // log of the Dirichlet priors
		for i, t := range m.theta {
			logTheta[i] = math.Log(t)
			penalty += f.opt.Smoothing * f.freq[i/k] * logTheta[i]
		}
		for j, p := range m.pi {
			logPi[j] = math.Log(p)
			penalty += logPi[j]
		}
		clear(counts)
		clear(size)
		total := penalty
		for r := range rows {
			copy(post, logPi)
			row := f.rows[r*n : (r+1)*n]
			for c, v := range row {
				if v == missing {
					continue
				}
				lt := logTheta[(f.offset[c]+int(v))*k:][:k]
				for j := range post {
					post[j] += lt[j]
				}
			}
			total += softmax(post)
			for j, p := range post {
				size[j] += p
			}
			for c, v := range row {
				if v == missing {
					continue
				}
				cnt := counts[(f.offset[c]+int(v))*k:][:k]
				for j := range post {
					cnt[j] += post[j]
				}
			}
		}
		if total-last < f.opt.Tolerance*float64(f.cells) {
			last = total
			break
		}
		last = total
	}
	return m, last, nil
}

// maximise is the M-step.
func (f *fitter) maximise(m *LatentClass, counts, size []float64, rows int) {
	k := m.k
	for j := range m.pi {
		m.pi[j] = (size[j] + 1) / (float64(rows) + float64(k))
	}
	a := f.opt.Smoothing
	for c := range f.criteria {
		for j := range k {
			total := 0.0
			for s := f.offset[c]; s < f.offset[c+1]; s++ {
				total += counts[s*k+j]
			}
			for s := f.offset[c]; s < f.offset[c+1]; s++ {
				m.theta[s*k+j] = (counts[s*k+j] + a*f.freq[s]) / (total + a)
			}
		}
	}
}

// softmax turns logits into probabilities in place and returns the log of their
// sum before that.
func softmax(x []float64) float64 {
	m := slices.Max(x)
	sum := 0.0
	for i, v := range x {
		x[i] = math.Exp(v - m)
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
	return m + math.Log(sum)
}

// score is the mean log probability of rows, in nats a cell.
func (m *support) score(rows []uint8) float64 {
	n := len(m.criteria)
	total, cells := 0.0, 0
	post := make([]float64, m.k)
	for r := 0; r < len(rows); r += n {
		for j, p := range m.pi {
			post[j] = math.Log(p)
		}
		for c, v := range rows[r : r+n] {
			if v == missing {
				continue
			}
			cells++
			for j := range post {
				post[j] += math.Log(m.theta[(m.offset[c]+int(v))*m.k+j])
			}
		}
		total += softmax(post)
	}
	if cells == 0 {
		return math.NaN()
	}
	return total / float64(cells)
}

// Classes is the number of classes.
func (m *LatentClass) Classes() int { return m.k }

// Independent reports whether no answer teaches anything about another criterion.
func (m *LatentClass) Independent() bool { return m.k == 1 }

// NumParams implements Model: K-1 class weights and S_c - 1 probabilities for
// each class and criterion.
func (m *LatentClass) NumParams() int {
	n := m.k - 1
	for c := range m.criteria {
		n += m.k * len(m.criteria[c].Levels)
	}
	return n
}

// About implements Model.
func (m *LatentClass) About() string {
	if m.k == 1 {
		return "one class: criteria independent, the population's own frequencies"
	}
	return fmt.Sprintf("mixture of %d classes, criteria independent within a class", m.k)
}

// Notes implements Model.
func (m *LatentClass) Notes() []domains.Count { return unseenNote(m.unseen) }

// unseenNote is what a model says of criteria that it knows no profile of.
func unseenNote(n int) []domains.Count {
	if n == 0 {
		return nil
	}
	return []domains.Count{{What: "criteria without a training cell: held and level as in data without any, or the model's stated default", N: n}}
}

// latentClassFile is the snapshot of a LatentClass.
type latentClassFile struct {
	Pi     []float64 `json:"pi"`
	Theta  []float64 `json:"theta"` // [criterion][state][class]
	Unseen int       `json:"unseen"`
}

func (m *LatentClass) fileKind() string                { return "latent-class" }
func (m *LatentClass) population() []domains.Criterion { return m.criteria }
func (m *LatentClass) snapshot() any                   { return latentClassFile{m.pi, m.theta, m.unseen} }

func restoreLatentClass(raw json.RawMessage, criteria []domains.Criterion) (Model, error) {
	var f latentClassFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, err
	}
	m := &LatentClass{support: support{criteria: criteria, k: len(f.Pi), pi: f.Pi, theta: f.Theta, offset: offsets(criteria)}, unseen: f.Unseen}
	if err := m.check(); err != nil {
		return nil, err
	}
	m.finish()
	return m, nil
}
