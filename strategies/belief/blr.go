package belief

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"pepbench/domains"
)

// BLROptions are the knobs of FitBLR.
type BLROptions struct {
	Dims []int // candidate dimensions of the embedding, each >= 0
}

// DefaultBLR is what a configuration that names only the kind gets.
var DefaultBLR = BLROptions{Dims: []int{0, 1, 2, 3, 4, 5, 6, 8, 10}}

// BLR is Bayesian linear regression in an embedding of the criteria, for dense
// surveys: criterion c has a row v_c of the embedding V and a mean mu_c, a user has
// coefficients beta, and a value in ranges is
//
//	x = mu_c + v_c.beta + N(0, s_c^2)      beta ~ N(0, diag(lambda))
//
// V has the first d principal components of the values of training profiles and
// lambda_k is their variance less what is left to noise, (sum of the other
// eigenvalues)/(C-d): probabilistic PCA (Tipping and Bishop 1999) of the correlation
// matrix, every pair of criteria over the rows that know both, drawn to 0 by five
// rows; rows are scaled back by the standard deviation of the criterion. s_c^2 is the
// variance of the criterion that V does not explain, at least what Factor has as its
// floor. Online this is conjugate regression of the answers on rows of V, which is
// exact.
//
// P(held) is the share of training cells that hold the criterion, (n_held+1/2)/(n+1),
// for everybody: what a user holds says nothing about values here, nor the other
// way round. Where relevance matters, use Factor.
//
// The dev score is ChainScore.
type BLR struct {
	gaussian
	faults faults
}

var _ Model = (*BLR)(nil)

// FitBLR fits every candidate on train and keeps the one with the largest dev
// score, the smallest dimension among equals; without dev rows there must be one
// candidate only. Candidates that exceed the number of criteria are left out.
// Nominal criteria are refused (ErrUnsupported), as are values outside the scale.
func FitBLR(ctx context.Context, train, dev Population, opt BLROptions) (*BLR, []Candidate, error) {
	dims, err := usable(train, dev, opt.Dims)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range []Population{train, dev} {
		if err := p.onScale(); err != nil {
			return nil, nil, err
		}
	}
	s := summarise(&train)
	value, vector := principal(pairwise(train, s, false))
	n := len(train.Criteria)
	fits := make([]Model, len(dims))
	for i, d := range dims {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		left := 0.0
		for _, v := range value[d:] {
			left += max(0, v)
		}
		left /= float64(max(1, n-d))
		m := &BLR{gaussian: newGaussian(train.Criteria, d), faults: s.faults}
		for c := range n {
			m.bias[c], m.mean[c] = normalQuantile(s.rate[c]), s.mean[c]
			explained := 0.0
			for k := range d {
				l := vector.At(c, k) * math.Sqrt(s.variance[c]*max(0, value[k]-left))
				m.load[c*d+k] = l
				explained += l * l
			}
			m.noise[c] = max(s.floor[c], s.variance[c]-explained)
		}
		calibrate([]float64{1}, []*gaussian{&m.gaussian}, s.level)
		fits[i] = m
	}
	m, out, err := pick(fits, dev, func(i int) string { return fmt.Sprintf("%d dimensions", dims[i]) })
	if err != nil {
		return nil, nil, err
	}
	return m.(*BLR), out, nil
}

// NumParams implements Model.
func (m *BLR) NumParams() int { return m.params() }

// About implements Model.
func (m *BLR) About() string {
	return fmt.Sprintf("regression of values on %d principal components; P(held) is the population's own, whoever the user is", m.d)
}

// Notes implements Model.
func (m *BLR) Notes() []domains.Count { return m.faults.notes() }

func (m *BLR) fileKind() string                { return "blr" }
func (m *BLR) population() []domains.Criterion { return m.criteria }
func (m *BLR) snapshot() any                   { return factorFile{m.file(), m.faults} }

func restoreBLR(raw json.RawMessage, criteria []domains.Criterion) (Model, error) {
	g, f, err := restoreGaussian(raw, criteria)
	if err != nil {
		return nil, err
	}
	return &BLR{g, f}, nil
}
