package belief

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pepbench/domains"
)

// fitAll fits every Gaussian kind with one candidate.
func fitAll(t *testing.T, train, dev Population) map[string]Model {
	t.Helper()
	ctx := context.Background()
	opt := DefaultFactor
	opt.Dims = []int{2}
	out := map[string]Model{}
	f, _, err := FitFactor(ctx, train, dev, opt)
	if err != nil {
		t.Fatal(err)
	}
	out["factor"] = f
	b, _, err := FitBLR(ctx, train, dev, BLROptions{Dims: []int{2}})
	if err != nil {
		t.Fatal(err)
	}
	out["blr"] = b
	m, _, err := FitMixtureOfFactors(ctx, train, dev, MixtureOfFactorsOptions{Classes: []int{2}, FactorOptions: opt})
	if err != nil {
		t.Fatal(err)
	}
	out["mixture-of-factors"] = m
	return out
}

func scoreOf(t *testing.T, m Model, p Population) float64 {
	t.Helper()
	s, err := ChainScore(m, p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFactorApproachesTruth: fitted on its own samples, the log score of fresh ones
// is near the truth's and better than independence. Theory: p parameters cost
// p/(2 n) nats a row, here 12 x 8/6000, or 0.0013 a cell; Laplace's approximation
// and moments instead of integrals may cost as much again.
func TestFactorApproachesTruth(t *testing.T) {
	for _, row := range []struct {
		reason   string
		criteria []domains.Criterion
		sparse   float64
		within   float64
	}{
		{"everything held, continuous: the fit is exact EM", ranges(12), 0, 0.003},
		{"everything held, levels: rounding is noise to the fit and to the truth", scales(12, 5), 0, 0.01},
		{"sparse, continuous", ranges(12), 0.8, 0.005},
		{"sparse, levels", scales(12, 5), 0.8, 0.005},
	} {
		rng := rand.New(rand.NewPCG(3, 51))
		truth := randomGaussian(rng, row.criteria, 2, row.sparse)
		if row.criteria[0].Scale == domains.Continuous {
			narrow(truth)
		}
		train, dev, test := drawRows(rng, truth, 2000), drawRows(rng, truth, 500), drawRows(rng, truth, 1000)
		opt := DefaultFactor
		opt.Dims = []int{1, 2, 3}
		m, tried, err := FitFactor(context.Background(), train, dev, opt)
		if err != nil {
			t.Fatal(err)
		}
		opt.Dims = []int{0}
		one, _, err := FitFactor(context.Background(), train, Population{Criteria: row.criteria}, opt)
		if err != nil {
			t.Fatal(err)
		}
		got, ideal, indep := scoreOf(t, m, test), scoreOf(t, truth, test), scoreOf(t, one, test)
		if math.Abs(ideal-got) > row.within {
			t.Errorf("%s: log score %v nats a cell, truth %v", row.reason, got, ideal)
		}
		if got < indep+0.02 {
			t.Errorf("%s: log score %v is not better than independence %v", row.reason, got, indep)
		}
		if m.d < 2 {
			t.Errorf("%s: %d dimensions kept of two, %+v", row.reason, m.d, tried)
		}
	}
}

// narrow shrinks what a model says of values to the middle of their ranges, so that
// nothing piles up at the ends, where the model is not the truth.
func narrow(m *Factor) *Factor {
	for i := range m.load {
		m.load[i] *= 0.3
	}
	for c := range m.noise {
		m.noise[c] *= 0.09
	}
	return m
}

// TestBLRApproachesTruth: on dense samples of itself, with the parameters of
// TestFactorApproachesTruth; principal components are not the maximum of the
// likelihood when noise differs between criteria, which costs a little more.
func TestBLRApproachesTruth(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 52))
	truth := narrow(randomGaussian(rng, ranges(20), 2, 0))
	train, dev, test := drawRows(rng, truth, 3000), drawRows(rng, truth, 500), drawRows(rng, truth, 2000)
	m, _, err := FitBLR(context.Background(), train, dev, DefaultBLR)
	if err != nil {
		t.Fatal(err)
	}
	if got, ideal := scoreOf(t, m, test), scoreOf(t, truth, test); math.Abs(ideal-got) > 0.01 {
		t.Errorf("log score %v nats a cell, truth %v", got, ideal)
	}
}

// TestFactorLosesNothingOnIndependentData: where criteria are independent, neither
// gain nor loss over the population's own frequencies.
func TestFactorLosesNothingOnIndependentData(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 65))
	truth := mixtureModel(rng, scales(12, 5), 1)
	train, dev, test := sample(rng, truth, 2000), sample(rng, truth, 400), sample(rng, truth, 1000)
	m, _, err := FitFactor(context.Background(), train, dev, DefaultFactor)
	if err != nil {
		t.Fatal(err)
	}
	if got, ideal := scoreOf(t, m, test), scoreOf(t, truth, test); math.Abs(got-ideal) > 0.005 {
		t.Errorf("%s: log score %v nats a cell, truth %v", m.About(), got, ideal)
	}
}

// TestOneValueIsNotCertainty: of a criterion that one user holds, the fit knows a
// middle and not more of its spread than a uniform value would say.
func TestOneValueIsNotCertainty(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 66))
	train := drawRows(rng, randomGaussian(rng, scales(6, 5), 2, 1), 200)
	for i, r := range train.Rows {
		if r.Cells[1] = domains.NotHeld(); i == 7 {
			r.Cells[1] = domains.At(5)
		}
	}
	models := fitAll(t, train, train)
	for _, name := range []string{"factor", "blr", "mixture-of-factors"} {
		b := models[name].Start(index(6)).(Joint)
		if m := b.Marginal(1); m.Variance < 0.02 || m.Variance > 0.2 || m.Held > 0.02 {
			t.Errorf("%s: one of 200 users holds it, at 5: %+v", name, m)
		}
	}
}

// TestMixtureOfFactorsFindsClasses: data of two classes that differ in what is held
// is better described by two classes than by one factor.
func TestMixtureOfFactorsFindsClasses(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 53))
	crit := scales(12, 5)
	a, b := randomGaussian(rng, crit, 1, 0.5), randomGaussian(rng, crit, 1, 0.5)
	draw := func(n int) Population {
		p, q := drawRows(rng, a, n), drawRows(rng, b, n)
		p.Rows = append(p.Rows, q.Rows...)
		return p
	}
	train, dev, test := draw(1000), draw(200), draw(500)
	opt := DefaultMixtureOfFactors
	opt.Classes, opt.Dims = []int{1, 2}, []int{1}
	m, tried, err := FitMixtureOfFactors(context.Background(), train, dev, opt)
	if err != nil {
		t.Fatal(err)
	}
	truth := &MixtureOfFactors{criteria: crit, pi: []float64{0.5, 0.5}, class: []*gaussian{&a.gaussian, &b.gaussian}}
	if got, ideal := scoreOf(t, m, test), scoreOf(t, truth, test); len(m.pi) != 2 || math.Abs(ideal-got) > 0.02 {
		t.Errorf("%d classes with log score %v nats a cell, truth %v; %+v", len(m.pi), got, ideal, tried)
	}
}

// TestOneClassIsFactor: a mixture of one class believes what its class believes.
func TestOneClassIsFactor(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 54))
	g := randomGaussian(rng, append(scales(3, 5), ranges(2)...), 2, 1)
	m := &MixtureOfFactors{criteria: g.criteria, pi: []float64{1}, class: []*gaussian{&g.gaussian}}
	a, b := g.Start(index(5)).(LatentInformer), m.Start(index(5)).(LatentInformer)
	for _, i := range []int{3, 0} {
		c := a.Draw(rng, i)
		a.Observe(i, c)
		b.Observe(i, c)
	}
	near := cmp.Comparer(func(x, y float64) bool { return math.Abs(x-y) < 1e-9 })
	for i := range 5 {
		if diff := cmp.Diff(a.States(nil, i), b.States(nil, i), near); diff != "" {
			t.Errorf("states of %d: %s", i, diff)
		}
		if diff := cmp.Diff(a.Marginal(i), b.Marginal(i), near); diff != "" {
			t.Errorf("marginal of %d: %s", i, diff)
		}
		if x, y := a.LatentInformation(i), b.LatentInformation(i); math.Abs(x-y) > 1e-9 {
			t.Errorf("information of %d: %v and %v", i, x, y)
		}
	}
}

// TestMixtureLatentInformationIsMutualInformation compares it with integrals over z in
// every class and over the value, before and after an answer: I(x; class and z) is
// what is not known of x less what is not known of it given both.
func TestMixtureLatentInformationIsMutualInformation(t *testing.T) {
	type node struct{ weight, held, mean, sd float64 } // of x, at one z of one class
	const dz, dx = 0.04, 0.01
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 74))
		crit := ranges(3)
		m := &MixtureOfFactors{criteria: crit, pi: []float64{0.3, 0.7}}
		for range 2 {
			m.class = append(m.class, &randomGaussian(rng, crit, 1, 0.7).gaussian)
		}
		b := m.Start(index(3)).(*blend)
		if seed%2 == 1 {
			b.Observe(1, b.Draw(rng, 1))
		}
		var nodes []node
		held, known := 0.0, 0.0
		for k, p := range b.part {
			g := p.model
			for j := range 401 {
				z := -8 + dz*float64(j)
				at := p.m[0] + math.Sqrt(p.s[0])*z
				n := node{b.w[k] * dz * math.Exp(-0.5*z*z-logSqrt2Pi), normalCDF(g.bias[0] + g.probe[0]*at), g.mean[0] + g.load[0]*at, math.Sqrt(g.noise[0])}
				nodes = append(nodes, n)
				held += n.weight * n.held
				known += n.weight * (binaryEntropy(n.held) + n.held*(math.Log(n.sd)+logSqrt2Pi+0.5))
			}
		}
		h := binaryEntropy(held)
		for j := range 601 {
			x, f := -2.5+dx*float64(j), 0.0
			for _, n := range nodes {
				e := (x - n.mean) / n.sd
				f += n.weight * n.held / held * math.Exp(-0.5*e*e-logSqrt2Pi) / n.sd
			}
			if f > 0 {
				h -= held * dx * f * math.Log(f)
			}
		}
		if got := b.LatentInformation(0); math.Abs(got-(h-known)) > 1e-3 {
			t.Errorf("seed %d: information %v, integration says %v", seed, got, h-known)
		}
	}
}

// TestHeldOutOfTheQuestion: where P(held) underflows, what would be wanted is still a
// number.
func TestHeldOutOfTheQuestion(t *testing.T) {
	m := everyModel(rand.New(rand.NewPCG(7, 67)))["mixture-of-factors"].(*MixtureOfFactors)
	for _, g := range m.class {
		for c := range g.criteria {
			g.bias[c] = -1000
		}
		g.finish()
	}
	for name, m := range map[string]Model{"mixture-of-factors": m, "factor": &Factor{gaussian: *m.class[0]}} {
		b := m.Start(index(5)).(LatentInformer)
		inf := b.Infer()
		for i := range 5 {
			if inf.Held[i] != 0 || math.IsNaN(inf.Value[i]) || math.IsNaN(b.Marginal(i).Entropy) || math.IsNaN(b.LatentInformation(i)) {
				t.Errorf("%s: P(held) %v at %v, %+v, information %v", name, inf.Held[i], inf.Value[i], b.Marginal(i), b.LatentInformation(i))
			}
		}
	}
}

// TestClassWeightsAreProducts: after answers a class weighs its prior times what it
// said of every answer before it came.
func TestClassWeightsAreProducts(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 55))
	m := everyModel(rng)["mixture-of-factors"].(*MixtureOfFactors)
	b := m.Start(index(5)).(*blend)
	want := []float64{m.pi[0], m.pi[1]}
	var parts []*normal
	for _, g := range m.class {
		parts = append(parts, normalOf(g.Start(index(5))))
	}
	for i := range 3 { // levels: their states are exact
		s := rng.IntN(b.NumStates(i))
		for k, p := range parts {
			want[k] *= p.States(nil, i)[s]
			p.Observe(i, b.Answer(i, s))
		}
		b.Observe(i, b.Answer(i, s))
	}
	if got, want := b.w[0], want[0]/(want[0]+want[1]); math.Abs(got-want) > 1e-9 {
		t.Errorf("weight of the first class is %v, want %v", got, want)
	}
}

// TestChainScoreIsLogScore: of a latent class model it is what its fit reports.
func TestChainScoreIsLogScore(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 56))
	m := mixtureModel(rng, scales(6, 4), 3)
	p := sample(rng, m, 200)
	p.Rows[3].Cells[2] = domains.Missing()
	rows, err := p.states()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := scoreOf(t, m, p), m.score(rows); math.Abs(got-want) > 1e-12 {
		t.Errorf("chain score %v, log score %v", got, want)
	}
	if got := scoreOf(t, m, Population{Criteria: p.Criteria}); !math.IsNaN(got) {
		t.Errorf("score of nothing is %v, not NaN", got)
	}
	if _, err := ChainScore(notJoint{}, p); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a belief that is no joint model was scored: %v", err)
	}
}

// notJoint is a model whose beliefs are no joint model.
type notJoint struct{ Model }

func (notJoint) Start([]int) Belief { return onlyBelief{} }

type onlyBelief struct{ Belief }

// TestChainScoresSumToOne: over all profiles of a small model the chain scores are
// the logs of probabilities, moment matching or not.
func TestChainScoresSumToOne(t *testing.T) {
	models := everyModel(rand.New(rand.NewPCG(9, 57)))
	for _, name := range []string{"factor", "dense factor", "blr", "mixture-of-factors"} {
		at := []int{0, 1, 2} // those with levels
		b := models[name].Start(at).(Joint)
		p := Population{Criteria: models[name].(stored).population()}
		total := 0.0
		cells := make([]domains.Cell, len(at))
		var walk func(i int)
		walk = func(i int) {
			if i == len(at) {
				p.Rows = []Row{{Index: at, Cells: cells}}
				total += math.Exp(3 * scoreOf(t, models[name], p))
				return
			}
			for s := range b.NumStates(i) {
				cells[i] = b.Answer(i, s)
				walk(i + 1)
			}
		}
		walk(0)
		if math.Abs(total-1) > 1e-9 {
			t.Errorf("%s: probabilities of all profiles sum to %v", name, total)
		}
	}
}

// TestFitIsCalibrated: before any answer, P(held) and the levels are those of the
// population, but for the few observations that priors add.
func TestFitIsCalibrated(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 58))
	train := drawRows(rng, randomGaussian(rng, scales(8, 5), 2, 1), 1500)
	s := summarise(&train)
	models := fitAll(t, train, train)
	for _, name := range []string{"factor", "blr", "mixture-of-factors"} {
		b := models[name].Start(index(8)).(Joint)
		for c := range 8 {
			p := b.States(nil, c)
			// A factor's rates are exact; classes meet them through their weights.
			if want := s.held[c] / s.known[c]; math.Abs(1-p[0]-want) > 0.01 {
				t.Errorf("%s: P(held) of %d is %v, the population's is %v", name, c, 1-p[0], want)
			}
			for l, n := range s.level[c] {
				if got, want := p[1+l]/(1-p[0]), n/s.held[c]; math.Abs(got-want) > 5/s.held[c]+1e-9 {
					t.Errorf("%s: P(level %d of %d | held) is %v, the population's is %v", name, l, c, got, want)
				}
			}
		}
	}
}

// TestGaussianFitsBadData: what a data set may lack or repeat has a stated fallback,
// which is counted where it may surprise, and what is believed stays finite.
func TestGaussianFitsBadData(t *testing.T) {
	for _, row := range []struct {
		reason string
		change func(rng *rand.Rand, p *Population)
		note   string // in Notes; empty: none
	}{
		{"a plain population", func(*rand.Rand, *Population) {}, ""},
		{"everybody wants the same of a criterion", func(_ *rand.Rand, p *Population) {
			for _, r := range p.Rows {
				if r.Cells[1].IsHeld() {
					r.Cells[1] = domains.At(2)
				}
			}
		}, "every training value is the same"},
		{"nobody was asked a criterion", func(_ *rand.Rand, p *Population) {
			for _, r := range p.Rows {
				r.Cells[1] = domains.Missing()
			}
		}, "without a training cell"},
		{"nobody holds a criterion", func(_ *rand.Rand, p *Population) {
			for _, r := range p.Rows {
				r.Cells[1] = domains.NotHeld()
			}
		}, ""},
		{"one user holds a criterion", func(_ *rand.Rand, p *Population) {
			for i, r := range p.Rows {
				if r.Cells[1] = domains.NotHeld(); i == 7 {
					r.Cells[1] = domains.At(3)
				}
			}
		}, ""},
		{"half of the cells are missing", func(rng *rand.Rand, p *Population) {
			for _, r := range p.Rows {
				for c := range r.Cells {
					if rng.IntN(2) == 0 {
						r.Cells[c] = domains.Missing()
					}
				}
			}
		}, ""},
		{"tasks list different criteria, and one lists none", func(_ *rand.Rand, p *Population) {
			lists := [][]int{{0, 2, 4}, {1, 3, 5}, {}}
			for i := range p.Rows {
				at := lists[i%3]
				cells := make([]domains.Cell, len(at))
				for j, c := range at {
					cells[j] = p.Rows[i].Cells[c]
				}
				p.Rows[i] = Row{Index: at, Cells: cells}
			}
		}, ""},
		{"two criteria are copies of each other", func(_ *rand.Rand, p *Population) {
			for _, r := range p.Rows {
				r.Cells[1] = r.Cells[0]
			}
		}, ""},
		{"fewer rows than dimensions and criteria", func(_ *rand.Rand, p *Population) { p.Rows = p.Rows[:2] }, ""},
	} {
		rng := rand.New(rand.NewPCG(11, 59))
		train := drawRows(rng, randomGaussian(rng, append(scales(4, 5), ranges(2)...), 2, 1), 200)
		row.change(rng, &train)
		models := fitAll(t, train, train)
		for _, name := range []string{"factor", "blr", "mixture-of-factors"} {
			m := models[name]
			notes := fmt.Sprint(m.Notes())
			if row.note == "" && len(m.Notes()) > 0 || !strings.Contains(notes, row.note) {
				t.Errorf("%s, %s: notes are %s, want %q", row.reason, name, notes, row.note)
			}
			if s := scoreOf(t, m, train); math.IsNaN(s) || math.IsInf(s, 0) {
				t.Errorf("%s, %s: log score %v", row.reason, name, s)
			}
			b := m.Start(index(6)).(Joint)
			for i := range 6 {
				inf := b.Infer()
				for j := range 6 {
					c := &train.Criteria[j]
					lo, width := scaleOf(c)
					if !(inf.Held[j] >= 0 && inf.Held[j] <= 1) || !(inf.Value[j] >= lo-1e-9 && inf.Value[j] <= lo+width+1e-9) {
						t.Errorf("%s, %s: criterion %d held with %v at %v", row.reason, name, j, inf.Held[j], inf.Value[j])
					}
				}
				b.Observe(i, domains.At(3))
			}
		}
	}
}

// TestGaussianFitsRefuse: what these models cannot do they say.
func TestGaussianFitsRefuse(t *testing.T) {
	ok := drawRows(rand.New(rand.NewPCG(12, 60)), randomGaussian(rand.New(rand.NewPCG(12, 61)), scales(2, 3), 1, 1), 20)
	nominal := Population{Criteria: append(scales(2, 3), domains.Criterion{ID: "town", Name: "town", Scale: domains.Nominal, Levels: []domains.Level{{Value: 0}, {Value: 1}}}), Rows: ok.Rows}
	outside := Population{Criteria: scales(2, 3), Rows: []Row{{Index: []int{0}, Cells: []domains.Cell{domains.At(9)}}}}
	none := Population{Criteria: ok.Criteria}
	unscaled := Population{Criteria: []domains.Criterion{{ID: "x", Name: "x"}}, Rows: outside.Rows}
	for _, row := range []struct {
		reason     string
		train, dev Population
		dims       []int
		classes    []int
		want       error
		says       string
	}{
		{"nothing to learn from", none, ok, []int{1}, []int{1}, domains.ErrData, "no training profiles"},
		{"a choice needs dev profiles", ok, none, []int{0, 1}, []int{1}, domains.ErrData, "dev"},
		{"a dimension is 0 or more", ok, ok, []int{-1}, []int{1}, domains.ErrData, "-1 dimensions"},
		{"more dimensions than criteria", ok, ok, []int{3}, []int{1}, domains.ErrData, "for 2 criteria"},
		{"no order, no normal distribution", nominal, nominal, []int{1}, []int{1}, ErrUnsupported, `"town" is nominal and this model needs ordered values`},
		{"a criterion without levels", unscaled, unscaled, []int{1}, []int{1}, domains.ErrData, `criterion "x" has 0 levels`},
		{"a training value that is no level", outside, ok, []int{1}, []int{1}, domains.ErrData, `value 9 of criterion "c00"`},
		{"a dev value that is no level", ok, outside, []int{1}, []int{1}, domains.ErrData, `value 9 of criterion "c00"`},
	} {
		ctx := context.Background()
		opt := DefaultFactor
		opt.Dims = row.dims
		_, _, factor := FitFactor(ctx, row.train, row.dev, opt)
		_, _, blr := FitBLR(ctx, row.train, row.dev, BLROptions{Dims: row.dims})
		_, _, mixture := FitMixtureOfFactors(ctx, row.train, row.dev, MixtureOfFactorsOptions{Classes: row.classes, FactorOptions: opt})
		for _, err := range []error{factor, blr, mixture} {
			var data *domains.DataError
			if !errors.Is(err, row.want) || !errors.As(err, &data) || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%s: got %v", row.reason, err)
			}
		}
	}
	opt := DefaultMixtureOfFactors
	opt.Classes, opt.Dims = []int{21}, []int{1}
	if _, _, err := FitMixtureOfFactors(context.Background(), ok, ok, opt); !errors.Is(err, domains.ErrData) {
		t.Errorf("21 classes of 20 profiles: %v", err)
	}
	bad := DefaultFactor
	bad.Ridge = 0
	if _, _, err := FitFactor(context.Background(), ok, ok, bad); !errors.Is(err, domains.ErrData) {
		t.Errorf("no ridge: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := FitFactor(ctx, ok, ok, DefaultFactor); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled fit: %v", err)
	}
}

// TestGaussianFitIsDeterministic: the number of processors changes nothing.
func TestGaussianFitIsDeterministic(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 62))
	train := drawRows(rng, randomGaussian(rng, scales(6, 5), 2, 1), 300)
	bytesOf := func(procs int) string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		var b bytes.Buffer
		models := fitAll(t, train, train)
		for _, name := range []string{"factor", "blr", "mixture-of-factors"} {
			if err := Save(&b, models[name], Provenance{}); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&b, scoreOf(t, models[name], train))
		}
		return b.String()
	}
	if diff := cmp.Diff(bytesOf(1), bytesOf(7)); diff != "" {
		t.Errorf("one processor and seven: %s", diff)
	}
}

// TestGaussianSaveLoad: a model that was stored believes what it believed, and damage
// is refused.
func TestGaussianSaveLoad(t *testing.T) {
	rng := rand.New(rand.NewPCG(14, 63))
	train := drawRows(rng, randomGaussian(rng, append(scales(4, 5), ranges(2)...), 2, 1), 200)
	models := fitAll(t, train, train)
	for _, name := range []string{"factor", "blr", "mixture-of-factors"} {
		m := models[name]
		var file bytes.Buffer
		if err := Save(&file, m, Provenance{Data: "samples"}); err != nil {
			t.Fatal(err)
		}
		whole := file.String()
		got, _, err := Load(strings.NewReader(whole), train.Criteria)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		a, b := m.Start(index(6)), got.Start(index(6))
		for _, i := range []int{4, 1} {
			if diff := cmp.Diff(a.Infer(), b.Infer()); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			a.Observe(i, domains.At(3))
			b.Observe(i, domains.At(3))
		}
		if m.About() != got.About() || m.NumParams() != got.NumParams() {
			t.Errorf("%s: %q with %d parameters became %q with %d", name, m.About(), m.NumParams(), got.About(), got.NumParams())
		}
		for _, row := range []struct {
			reason string
			path   []any // to the number or list that is replaced
			by     any
		}{
			{"a variance of 0", []any{"noise", 0}, 0.0},
			{"a negative variance", []any{"noise", 2}, -1.0},
			{"too few means", []any{"mean"}, []any{1.0}},
			{"loadings of another dimension", []any{"dim"}, 3.0},
			{"a dimension below 0", []any{"dim"}, -1.0},
			{"no cuts", []any{"cut"}, nil},
			{"cuts out of order", []any{"cut", 0}, []any{0.4, 0.3, 0.5, 0.6}},
			{"too few cuts", []any{"cut", 1}, []any{0.5}},
			{"cuts of a continuous criterion", []any{"cut", 5}, []any{0.5}},
			{"a word among numbers", []any{"bias", 0}, "x"},
		} {
			var doc map[string]any
			if err := json.Unmarshal([]byte(whole), &doc); err != nil {
				t.Fatal(err)
			}
			at := doc["model"]
			if name == "mixture-of-factors" {
				at = at.(map[string]any)["class"].([]any)[1]
			}
			for i, key := range row.path {
				last := i == len(row.path)-1
				switch k := key.(type) {
				case string:
					if last {
						at.(map[string]any)[k] = row.by
					}
					at = at.(map[string]any)[k]
				case int:
					if last {
						at.([]any)[k] = row.by
					}
					at = at.([]any)[k]
				}
			}
			raw, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := Load(bytes.NewReader(raw), train.Criteria); !errors.Is(err, ErrModelFile) {
				t.Errorf("%s with %s: %v", name, row.reason, err)
			}
		}
	}
	var file bytes.Buffer
	if err := Save(&file, models["mixture-of-factors"], Provenance{}); err != nil {
		t.Fatal(err)
	}
	damaged := strings.Replace(file.String(), `"pi":[`, `"pi":[0.5,`, 1)
	if _, _, err := Load(strings.NewReader(damaged), train.Criteria); !errors.Is(err, ErrModelFile) {
		t.Errorf("a weight too many: %v", err)
	}
}

// TestGaussianNumParams counts by hand.
func TestGaussianNumParams(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 64))
	sparse, full := randomGaussian(rng, scales(3, 5), 2, 1), randomGaussian(rng, append(scales(2, 5), ranges(1)...), 2, 0)
	for _, row := range []struct {
		reason string
		m      Model
		want   int
	}{
		{"3 x (mean, noise, bias, 4 cuts, 2 loadings, 2 probes) less one rotation", sparse, 3*(3+4+2+2) - 1},
		{"probes of what everybody holds are no parameters, a range has no cuts", full, 3*3 + 2*4 + 3*2 - 1},
		{"two classes share cuts and have one weight", &MixtureOfFactors{criteria: sparse.criteria, pi: []float64{0.5, 0.5}, class: []*gaussian{&sparse.gaussian, &sparse.gaussian}}, 2*(3*(3+2+2)-1) + 3*4 + 1},
	} {
		if got := row.m.NumParams(); got != row.want {
			t.Errorf("%s: %d, want %d", row.reason, got, row.want)
		}
	}
}
