package belief

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"

	"pepbench/domains"
)

// FactorOptions are the knobs of FitFactor.
type FactorOptions struct {
	Dims       []int   // candidate dimensions of z, each >= 0; 0: criteria independent
	Restarts   int     // EM runs a candidate, >= 1; the best training evidence is kept
	Iterations int     // most EM steps of a run, >= 1
	Tolerance  float64 // stop when the evidence a cell rises by less (nats)
	Ridge      float64 // prior precision of loadings, in observations, > 0
	Seed       uint64
}

// DefaultFactor is what a configuration that names only the kind gets.
var DefaultFactor = FactorOptions{
	Dims: []int{0, 1, 2, 3, 4, 6, 8}, Restarts: 1, Iterations: 60, Tolerance: 2e-5, Ridge: 5, Seed: 1,
}

// Factor is a latent factor model of sparse profiles. A user (on a task) has an
// embedding z ~ N(0, I_d); a criterion is held by a probit of it and its value,
// in ranges, is linear in it:
//
//	held iff b_c + w_c.z + N(0, 1) > 0
//	x = mu_c + l_c.z + N(0, s_c^2)        if held
//
// Without "not held" it is factor analysis; the probit part is a binary item
// response model on the same factors (Bock and Aitkin 1981), so that whether
// something is held and what is wanted of it inform each other. A criterion that
// every training cell holds has no probit part: P(held) = (n+1/2)/(n+1), and
// hearing that it is held says nothing.
//
// Fitted by approximate EM. E-step: the posterior of z of every row by Laplace's
// approximation, N(mode, inverse negative Hessian), one Newton step an iteration
// from where the last one ended; exact in one step where nothing is probit. M-step:
// values by ridge regression on the posterior moments, exact; probes by one
// Newton step of the expected log likelihood, its slope taken as linear in z about
// the mode. The bias of a criterion is not free but what makes P(held)
// before any answer the population's own, Phi(b/sqrt(1+w'w)) = (n_held+1/2)/(n+1).
// After each step z is stretched so that its posterior second moments average to
// I (parameter expansion: Liu, Rubin and Wu 1998), without which EM crawls.
//
// Priors keep rare criteria tame: l_c ~ N(0, s_c^2/ridge), w_c ~ N(0, 1/ridge), for
// mu_c and s_c^2 one observation at the population's own mean and variance, which
// themselves count one value in the middle with the variance of a uniform one, and
// s_c at least a sixth of the distance between two levels, because values are
// rounded to levels (continuous: 1% of the range). Missing cells drop out.
//
// The dev score is ChainScore.
type Factor struct {
	gaussian
	faults faults
}

var _ Model = (*Factor)(nil)

// faults counts what a Gaussian fit had to fall back on.
type faults struct {
	Unseen   int `json:"unseen"`   // criteria without a training cell
	Constant int `json:"constant"` // criteria with two or more values, all equal
}

func (f faults) notes() []domains.Count {
	out := unseenNote(f.Unseen)
	if f.Constant > 0 {
		out = append(out, domains.Count{What: "criteria of which every training value is the same: no loading, noise at its floor", N: f.Constant})
	}
	return out
}

// FitFactor fits every candidate on train and keeps the one with the largest dev
// score, the smallest dimension among equals; without dev rows there must be one
// candidate only. Candidates that exceed the number of criteria are left out.
// Nominal criteria are refused (ErrUnsupported), as are values outside the scale.
// The result does not depend on the number of processors.
func FitFactor(ctx context.Context, train, dev Population, opt FactorOptions) (*Factor, []Candidate, error) {
	dims, err := usable(train, dev, opt.Dims)
	if err != nil {
		return nil, nil, err
	}
	f, err := newFactorFit(train, opt)
	if err != nil {
		return nil, nil, err
	}
	if err := dev.onScale(); err != nil {
		return nil, nil, err
	}
	fits := make([]Model, len(dims))
	for i, d := range dims {
		run, err := f.best(ctx, 1, d, opt.Restarts)
		if err != nil {
			return nil, nil, err
		}
		m := &Factor{gaussian: *run.class[0].gaussian, faults: f.faults}
		calibrate([]float64{1}, []*gaussian{&m.gaussian}, f.level)
		fits[i] = m
	}
	m, out, err := pick(fits, dev, func(i int) string { return fmt.Sprintf("%d dimensions", dims[i]) })
	if err != nil {
		return nil, nil, err
	}
	return m.(*Factor), out, nil
}

// usable checks what every Gaussian fit is given and gives the dimensions to try,
// ascending. That the model cannot handle the data is said before all else, since
// nothing that is chosen otherwise would mend it.
func usable(train, dev Population, dims []int) ([]int, error) {
	if err := noNominal(train.Criteria); err != nil {
		return nil, err
	}
	if len(train.Rows) == 0 {
		return nil, &domains.DataError{What: "no training profiles", Mend: "lower split.test and split.dev"}
	}
	var out []int
	for _, d := range dims {
		if d < 0 {
			return nil, &domains.DataError{What: fmt.Sprintf("%d dimensions", d), Mend: "name 0 or more"}
		}
		if d <= len(train.Criteria) {
			out = append(out, d)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	switch {
	case len(out) == 0:
		return nil, &domains.DataError{What: fmt.Sprintf("no candidate dimension among %v for %d criteria", dims, len(train.Criteria)), Mend: "name one of at most the number of criteria"}
	case len(dev.Rows) == 0 && len(out) != 1:
		return nil, &domains.DataError{What: fmt.Sprintf("%d candidate dimensions and no dev profiles to choose on", len(out)), Mend: "set split.dev above 0, or name one dimension"}
	}
	return out, nil
}

// onScale refuses nominal criteria, scales that are none and values that their
// criterion cannot take.
func (p *Population) onScale() error {
	if err := noNominal(p.Criteria); err != nil {
		return err
	}
	for i := range p.Criteria {
		if err := p.Criteria[i].Validate(); err != nil {
			return err
		}
	}
	for _, row := range p.Rows {
		for j, cell := range row.Cells {
			if c := &p.Criteria[row.Index[j]]; cell.IsHeld() && !c.Allows(cell.Value()) {
				return &domains.DataError{What: fmt.Sprintf("value %v of criterion %q is outside its scale", cell.Value(), c.ID)}
			}
		}
	}
	return nil
}

// pick scores fits on dev by ChainScore and keeps the best, the first among equals.
func pick(fits []Model, dev Population, name func(i int) string) (Model, []Candidate, error) {
	out := make([]Candidate, len(fits))
	order := make([]int, len(fits))
	for i, m := range fits {
		score, err := ChainScore(m, dev)
		if err != nil {
			return nil, nil, err
		}
		out[i], order[i] = Candidate{Name: name(i), DevScore: score}, i
	}
	return fits[chosen(out, order)], out, nil
}

// NumParams implements Model.
func (m *Factor) NumParams() int { return m.params() }

// About implements Model.
func (m *Factor) About() string {
	if m.d == 0 {
		return "no factors: criteria independent, values normal"
	}
	n := 0
	for _, free := range m.free {
		if !free {
			n++
		}
	}
	return fmt.Sprintf("%d factors: values linear in them, %d of %d criteria held by a probit of them", m.d, n, len(m.criteria))
}

// Notes implements Model.
func (m *Factor) Notes() []domains.Count { return m.faults.notes() }

// factorFile is the snapshot of a Factor, and of a BLR, whose loadings are V
// diag(lambda)^1/2: that is all that beliefs need.
type factorFile struct {
	gaussianFile
	Faults faults `json:"faults"`
}

func (m *Factor) fileKind() string                { return "factor" }
func (m *Factor) population() []domains.Criterion { return m.criteria }
func (m *Factor) snapshot() any                   { return factorFile{m.file(), m.faults} }

func restoreFactor(raw json.RawMessage, criteria []domains.Criterion) (Model, error) {
	g, f, err := restoreGaussian(raw, criteria)
	if err != nil {
		return nil, err
	}
	return &Factor{g, f}, nil
}

func restoreGaussian(raw json.RawMessage, criteria []domains.Criterion) (gaussian, faults, error) {
	var f factorFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return gaussian{}, faults{}, err
	}
	g, err := f.restore(criteria)
	return g, f.Faults, err
}

// random gives the generator of one EM run.
func (f *factorFit) random(k, d, restart int) *rand.Rand {
	return rand.New(rand.NewPCG(f.opt.Seed, domains.Hash("factor", fmt.Sprint(k), fmt.Sprint(d), fmt.Sprint(restart))))
}
