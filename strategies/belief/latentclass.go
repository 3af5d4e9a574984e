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

// LatentClassOptions are the knobs of FitLatentClass.
type LatentClassOptions struct {
	Classes    []int   // candidate numbers of classes, each >= 1
	Restarts   int     // EM runs a candidate, >= 1; the best training log posterior is kept
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
	unseen  int // criteria without a training cell
	tooMany int // candidates left out because there were fewer training profiles
}

var _ Model = (*LatentClass)(nil)

// FitLatentClass fits every candidate on train and keeps the one with the largest
// dev score, the fewest classes among equals; without dev rows there must be one
// candidate only. Candidates of more classes than there are training profiles are left
// out and counted in Notes; it is an error if none is left. The result does not depend
// on the number of processors.
func FitLatentClass(ctx context.Context, train, dev Population, opt LatentClassOptions) (*LatentClass, []Candidate, error) {
	rows, devRows, err := encodeBoth(train, dev, len(opt.Classes), "numbers of classes")
	if err != nil {
		return nil, nil, err
	}
	named := len(opt.Classes)
	if opt.Classes, err = feasible(opt.Classes, len(train.Rows)); err != nil {
		return nil, nil, err
	}
	times := make([]int, len(opt.Classes))
	for i, k := range opt.Classes {
		times[i] = opt.Restarts
		if k == 1 {
			times[i] = 1 // one class has one fit
		}
	}
	f := newFitter(train.Criteria, rows, opt)
	fits, err := bestRuns(ctx, times, func(ctx context.Context, i, r int) (*LatentClass, float64, error) {
		k := opt.Classes[i]
		return f.run(ctx, k, rand.New(rand.NewPCG(opt.Seed, domains.Hash("latent-class", fmt.Sprint(k), fmt.Sprint(r)))))
	})
	if err != nil {
		return nil, nil, err
	}
	out := make([]Candidate, len(fits))
	for i, m := range fits {
		out[i] = Candidate{Name: fmt.Sprintf("%d classes", m.k), DevScore: m.score(devRows)}
	}
	best := fits[chosen(out, opt.Classes)]
	best.unseen, best.tooMany = train.unseen(), named-len(opt.Classes)
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
	_, f.freq, f.cells = tally(f.offset, rows)
	return f
}

// run does one EM run from a random start and gives the model with its log
// posterior (up to a constant).
func (f *fitter) run(ctx context.Context, k int, rng *rand.Rand) (*LatentClass, float64, error) {
	rows := len(f.rows) / len(f.criteria)
	m := &LatentClass{support: support{criteria: f.criteria, k: k, offset: f.offset, pi: make([]float64, k), theta: make([]float64, f.states*k)}}
	e := newExpectation(f.offset, k, f.rows, true)
	f.start(e, rng.Perm(rows)[:k])
	last := math.Inf(-1)
	for range f.opt.Iterations {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		f.maximise(m, e.counts, e.size, rows)
		total := e.step(m.pi, m.theta)
		for i, lt := range e.logTheta { // log of the Dirichlet priors
			total += f.opt.Smoothing * f.freq[i/k] * lt
		}
		for _, lp := range e.logPi {
			total += lp
		}
		if total-last < f.opt.Tolerance*float64(f.cells) {
			last = total
			break
		}
		last = total
	}
	return m, last, nil
}

// start counts as if every row belonged to the most similar of the seed rows, where
// agreeing on something rare counts for more.
func (f *fitter) start(e *expectation, seeds []int) {
	n, k := len(f.criteria), len(seeds)
	surprise := make([]float64, len(f.freq))
	for s, p := range f.freq {
		surprise[s] = -math.Log(p)
	}
	for r := range len(f.rows) / n {
		row := f.rows[r*n:][:n]
		best, at := 0, math.Inf(-1)
		for j, s := range seeds {
			sim := 0.0
			other := f.rows[s*n:][:n]
			for c, v := range row {
				if v == other[c] && v != missing {
					sim += surprise[f.offset[c]+int(v)]
				}
			}
			if sim > at {
				best, at = j, sim
			}
		}
		e.size[best]++
		for c, v := range row {
			if v != missing {
				e.counts[(f.offset[c]+int(v))*k+best]++
			}
		}
	}
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
func (m *LatentClass) Notes() []domains.Count {
	return append(unseenNote(m.unseen), tooManyNote(m.tooMany)...)
}

// feasible gives the numbers of classes, each 1 or more, that so many training profiles
// can fill, and an error where none is.
func feasible(classes []int, rows int) ([]int, error) {
	var out []int
	for _, k := range classes {
		if k < 1 {
			return nil, &domains.DataError{What: fmt.Sprintf("%d classes", k), Mend: "name numbers of 1 or more"}
		}
		if k <= rows {
			out = append(out, k)
		}
	}
	if len(out) == 0 {
		return nil, &domains.DataError{What: fmt.Sprintf("%d classes for %d training profiles", slices.Min(classes), rows), Mend: "name fewer classes, or use more data"}
	}
	return out, nil
}

// tooManyNote is what a model says of candidates that feasible left out.
func tooManyNote(n int) []domains.Count {
	if n == 0 {
		return nil
	}
	return []domains.Count{{What: "candidate numbers of classes left out: more than training profiles", N: n}}
}

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
