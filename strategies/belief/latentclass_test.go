package belief

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"pepbench/domains"
)

// scales gives n criteria with levels 1..l.
func scales(n, l int) []domains.Criterion {
	out := make([]domains.Criterion, n)
	for i := range out {
		out[i] = domains.Criterion{ID: fmt.Sprintf("c%02d", i), Name: fmt.Sprintf("criterion %d", i)}
		for v := range l {
			out[i].Levels = append(out[i].Levels, domains.Level{Value: float64(v + 1)})
		}
	}
	return out
}

// mixtureModel is a random latent class model, as if it had been fitted.
func mixtureModel(rng *rand.Rand, criteria []domains.Criterion, k int) *LatentClass {
	f := newFitter(criteria, nil, DefaultLatentClass)
	m := &LatentClass{support: support{criteria: criteria, k: k, offset: f.offset, pi: make([]float64, k), theta: make([]float64, f.states*k)}}
	for j := range m.pi {
		m.pi[j] = math.Log(0.2 + rng.Float64())
	}
	softmax(m.pi)
	for c := range criteria {
		for j := range k {
			sum := 0.0
			for s := m.offset[c]; s < m.offset[c+1]; s++ {
				v := rng.ExpFloat64()
				m.theta[s*k+j] = v
				sum += v
			}
			for s := m.offset[c]; s < m.offset[c+1]; s++ {
				m.theta[s*k+j] /= sum
			}
		}
	}
	m.finish()
	return m
}

func index(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// sample draws complete rows from the model.
func sample(rng *rand.Rand, m *LatentClass, rows int) Population {
	p := Population{Criteria: m.criteria}
	for range rows {
		u, class := rng.Float64(), 0
		for u > m.pi[class] && class < m.k-1 {
			u -= m.pi[class]
			class++
		}
		cells := make([]domains.Cell, len(m.criteria))
		for c := range m.criteria {
			u, s := rng.Float64(), m.offset[c]
			for u > m.theta[s*m.k+class] && s < m.offset[c+1]-1 {
				u -= m.theta[s*m.k+class]
				s++
			}
			cells[c] = domains.NotHeld()
			if l := s - m.offset[c]; l > 0 {
				cells[c] = domains.At(float64(l))
			}
		}
		p.Rows = append(p.Rows, Row{Index: index(len(cells)), Cells: cells})
	}
	return p
}

// TestPosteriorIsEnumeration compares conditioning with the sum over classes and
// complete profiles, on models small enough to write them all down.
func TestPosteriorIsEnumeration(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n, l, k := 2+rng.IntN(3), 1+rng.IntN(3), 1+rng.IntN(4)
		m := mixtureModel(rng, scales(n, max(l, 2)), k)
		b := m.Start(index(n)).(Joint)
		told := map[int]int{}
		for _, i := range rng.Perm(n)[:rng.IntN(n)] {
			s := rng.IntN(b.NumStates(i))
			told[i] = s
			b.Observe(i, b.Answer(i, s))
		}
		want := make([][]float64, n)
		for i := range want {
			want[i] = make([]float64, b.NumStates(i))
		}
		total := 0.0
		x := make([]int, n)
		var walk func(i int)
		walk = func(i int) {
			if i < n {
				for x[i] = range b.NumStates(i) {
					if s, ok := told[i]; !ok || s == x[i] {
						walk(i + 1)
					}
				}
				return
			}
			p := 0.0
			for j := range k {
				q := m.pi[j]
				for c, s := range x {
					q *= m.theta[(m.offset[c]+s)*k+j]
				}
				p += q
			}
			total += p
			for c, s := range x {
				want[c][s] += p
			}
		}
		walk(0)
		inf := b.Infer()
		for i := range n {
			got := b.States(nil, i)
			sum, mean := 0.0, 0.0
			for s, p := range got {
				if math.Abs(p-want[i][s]/total) > 1e-12 {
					t.Fatalf("seed %d: P(position %d in state %d | %v) = %v, enumeration says %v", seed, i, s, told, p, want[i][s]/total)
				}
				sum += p
				mean += p * float64(s)
			}
			if math.Abs(sum-1) > 1e-12 {
				t.Errorf("seed %d: probabilities of position %d sum to %v", seed, i, sum)
			}
			if math.Abs(inf.Held[i]-(1-got[0])) > 1e-12 {
				t.Errorf("seed %d: P(held) = %v, states say %v", seed, inf.Held[i], 1-got[0])
			}
			if h := 1 - got[0]; h > 0 && math.Abs(inf.Value[i]-mean/h) > 1e-9 {
				t.Errorf("seed %d: E[value | held] = %v, states say %v", seed, inf.Value[i], mean/h)
			}
		}
	}
}

// TestObservingIsOrderIndependent holds because a latent class posterior is a
// product over answers.
func TestObservingIsOrderIndependent(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		m := mixtureModel(rng, scales(8, 5), 4)
		a, b := m.Start(index(8)).(Joint), m.Start(index(8)).(Joint)
		perm := rng.Perm(8)[:5]
		cells := make([]domains.Cell, 8)
		for _, i := range perm {
			cells[i] = a.Answer(i, rng.IntN(6))
			a.Observe(i, cells[i])
		}
		for j := len(perm) - 1; j >= 0; j-- {
			b.Observe(perm[j], cells[perm[j]])
		}
		for i := range 8 {
			x, y := a.States(nil, i), b.States(nil, i)
			for s := range x {
				if math.Abs(x[s]-y[s]) > 1e-12 {
					t.Errorf("seed %d: position %d state %d: %v forwards, %v backwards", seed, i, s, x[s], y[s])
				}
			}
		}
	}
}

// TestToldIsPinned: what a user said is certain afterwards, and saying nothing
// changes nothing.
func TestToldIsPinned(t *testing.T) {
	m := mixtureModel(rand.New(rand.NewPCG(1, 3)), scales(4, 5), 3)
	b := m.Start(index(4)).(Joint)
	before := b.Infer()
	b.Observe(2, domains.Missing())
	if after := b.Infer(); after.Held[0] != before.Held[0] || after.Held[2] != before.Held[2] {
		t.Errorf("a missing answer moved P(held) from %v to %v", before.Held, after.Held)
	}
	b.Observe(0, domains.At(4))
	b.Observe(1, domains.NotHeld())
	inf := b.Infer()
	if inf.Held[0] != 1 || inf.Value[0] != 4 || inf.Held[1] != 0 {
		t.Errorf("told held at 4 and not held, inferred P(held) = %v, %v and value %v", inf.Held[0], inf.Held[1], inf.Value[0])
	}
	if math.IsNaN(inf.Value[1]) {
		t.Errorf("E[value | held] of a criterion told not held is %v", inf.Value[1])
	}
}

// TestSetCopies: a trial belief set from another answers alike and leaves it alone.
func TestSetCopies(t *testing.T) {
	m := mixtureModel(rand.New(rand.NewPCG(1, 4)), scales(4, 5), 3)
	a := m.Start(index(4)).(Joint)
	a.Observe(1, domains.At(2))
	before := a.Infer()
	trial := m.Start(index(4)).(Joint)
	trial.Observe(3, domains.NotHeld())
	trial.Set(a)
	if got := trial.Infer(); got.Held[0] != before.Held[0] || got.Held[3] != before.Held[3] || got.Held[1] != 1 {
		t.Errorf("after Set: %v, want %v", got.Held, before.Held)
	}
	c := a.Clone().(Joint)
	c.Observe(0, domains.NotHeld())
	trial.Observe(0, domains.At(5))
	if got := a.Infer(); got.Held[0] != before.Held[0] {
		t.Errorf("a copy's answer moved the original from %v to %v", before.Held[0], got.Held[0])
	}
}

// TestFitApproachesTruth: fitted on its own samples, the log score on fresh ones is
// near the truth's and better than that of independent criteria.
func TestFitApproachesTruth(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 5))
	truth := mixtureModel(rng, scales(10, 5), 3)
	train, dev, test := sample(rng, truth, 3000), sample(rng, truth, 600), sample(rng, truth, 1500)
	opt := DefaultLatentClass
	opt.Classes = []int{1, 2, 3, 4}
	m, tried, err := FitLatentClass(context.Background(), train, dev, opt)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := test.states()
	if err != nil {
		t.Fatal(err)
	}
	one, _, err := FitLatentClass(context.Background(), train, dev, LatentClassOptions{Classes: []int{1}, Restarts: 1, Iterations: 5, Smoothing: 5})
	if err != nil {
		t.Fatal(err)
	}
	got, ideal, indep := m.score(rows), truth.score(rows), one.score(rows)
	if ideal-got > 0.01 || got > ideal+0.01 {
		t.Errorf("log score %v nats a cell, truth %v", got, ideal)
	}
	if got < indep+0.02 {
		t.Errorf("log score %v is not better than independence %v, though three classes made the data", got, indep)
	}
	best := math.Inf(-1)
	for _, c := range tried {
		best = max(best, c.DevScore)
	}
	for _, c := range tried {
		if c.Chosen && c.DevScore != best {
			t.Errorf("%s kept with dev score %v, best is %v", c.Name, c.DevScore, best)
		}
	}
}

// TestFitIsDeterministic: goroutines, processors and repeats change nothing. There
// are rows for several blocks, whose sums have to be added in order.
func TestFitIsDeterministic(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 6))
	p := sample(rng, mixtureModel(rng, scales(6, 3), 2), 5*leastRows+1)
	opt := DefaultLatentClass
	opt.Classes = []int{2, 3}
	procs := runtime.GOMAXPROCS(3)
	defer runtime.GOMAXPROCS(procs)
	a, _, err := FitLatentClass(context.Background(), p, p, opt)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GOMAXPROCS(1)
	b, _, err := FitLatentClass(context.Background(), p, p, opt)
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.theta {
		if a.theta[i] != b.theta[i] {
			t.Fatalf("theta[%d] is %v once and %v again", i, a.theta[i], b.theta[i])
		}
	}
}

// TestLogPosteriorRises: no step of EM lowers the log posterior that its doc comment
// states, and a run reports that of the model it returns.
func TestLogPosteriorRises(t *testing.T) {
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 70))
		criteria := append(scales(5, 4), nominals(2, 3)...)
		p := sampleSupport(rng, &mixtureModel(rng, criteria, 3).support, 60)
		for i, r := range p.Rows { // holes, and a row that says nothing
			for c := range r.Cells {
				if i == 0 || rng.IntN(5) == 0 {
					r.Cells[c] = domains.Missing()
				}
			}
		}
		rows, err := p.states()
		if err != nil {
			t.Fatal(err)
		}
		opt := DefaultLatentClass
		opt.Tolerance = math.Inf(-1) // never stop
		last := math.Inf(-1)
		for step := 1; step <= 25; step++ {
			opt.Iterations = step
			f := newFitter(criteria, rows, opt)
			m, got, err := f.run(context.Background(), 3, rand.New(rand.NewPCG(seed, 71)))
			if err != nil {
				t.Fatal(err)
			}
			want := 0.0
			for r := range p.Rows {
				like := 0.0
				for k := range m.k {
					one := m.pi[k]
					for c, v := range rows[r*len(criteria):][:len(criteria)] {
						if v != missing {
							one *= m.theta[(m.offset[c]+int(v))*m.k+k]
						}
					}
					like += one
				}
				want += math.Log(like)
			}
			for k := range m.k {
				want += math.Log(m.pi[k])
				for s := range m.offset[len(criteria)] {
					want += opt.Smoothing * f.freq[s] * math.Log(m.theta[s*m.k+k])
				}
			}
			if math.Abs(got-want) > 1e-8 {
				t.Fatalf("seed %d, step %d: log posterior %v, by its formula %v", seed, step, got, want)
			}
			if got < last-1e-9 {
				t.Errorf("seed %d, step %d: log posterior fell from %v to %v", seed, step, last, got)
			}
			last = got
		}
	}
}

// TestIndependentDataLosesNothing: on criteria that are independent, neither gain
// nor loss over the population's own frequencies.
func TestIndependentDataLosesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 7))
	truth := mixtureModel(rng, scales(12, 5), 1)
	train, dev, test := sample(rng, truth, 2000), sample(rng, truth, 400), sample(rng, truth, 1000)
	opt := DefaultLatentClass
	opt.Restarts = 1 // more only look harder for what is not there
	m, _, err := FitLatentClass(context.Background(), train, dev, opt)
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := test.states()
	if d := m.score(rows) - truth.score(rows); math.Abs(d) > 0.01 {
		t.Errorf("%s: %v nats a cell from the truth", m.About(), d)
	}
}

func TestMissingCellsAreLeftOut(t *testing.T) {
	crit := scales(2, 2)
	p := Population{Criteria: crit}
	for i := range 90 {
		second := domains.Missing()
		if i%3 == 0 {
			second = domains.At(2)
		}
		p.Rows = append(p.Rows, Row{Index: []int{0, 1}, Cells: []domains.Cell{domains.At(1), second}})
	}
	m, _, err := FitLatentClass(context.Background(), p, Population{Criteria: crit}, LatentClassOptions{Classes: []int{1}, Restarts: 1, Iterations: 3, Smoothing: 1e-9})
	if err != nil {
		t.Fatal(err)
	}
	if inf := m.Start([]int{0, 1}).(Joint).Infer(); math.Abs(inf.Held[1]-1) > 0.03 {
		t.Errorf("P(held) = %v from 30 held and 60 missing cells, want about 1", inf.Held[1])
	}
}

func TestFitRefuses(t *testing.T) {
	ok := Population{Criteria: scales(1, 2), Rows: []Row{{Index: []int{0}, Cells: []domains.Cell{domains.At(1)}}, {Index: []int{0}, Cells: []domains.Cell{domains.At(2)}}}}
	cont := Population{Criteria: []domains.Criterion{{ID: "x", Name: "x", Scale: domains.Continuous, Max: 1}}, Rows: ok.Rows}
	outside := Population{Criteria: scales(1, 2), Rows: []Row{{Index: []int{0}, Cells: []domains.Cell{domains.At(9)}}}}
	for _, row := range []struct {
		reason     string
		train, dev Population
		classes    []int
		want       error
	}{
		{"nothing to learn from", Population{Criteria: ok.Criteria}, ok, []int{1}, domains.ErrData},
		{"a choice needs dev profiles", ok, Population{Criteria: ok.Criteria}, []int{1, 2}, domains.ErrData},
		{"more classes than profiles", ok, ok, []int{3}, domains.ErrData},
		{"levels are all this model knows", cont, cont, []int{1}, ErrUnsupported},
		{"a value outside the levels has no state", outside, outside, []int{1}, domains.ErrData},
	} {
		opt := DefaultLatentClass
		opt.Classes = row.classes
		if _, _, err := FitLatentClass(context.Background(), row.train, row.dev, opt); !errors.Is(err, row.want) {
			t.Errorf("%s: got %v, want %v", row.reason, err, row.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := FitLatentClass(ctx, ok, ok, DefaultLatentClassWith(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled fit: %v", err)
	}
}

// DefaultLatentClassWith is the default with one candidate.
func DefaultLatentClassWith(k int) LatentClassOptions {
	opt := DefaultLatentClass
	opt.Classes = []int{k}
	return opt
}

// TestLatentClassFallsBack: what training does not show, or shows always alike,
// stays a probability, and what is unseen is counted.
func TestLatentClassFallsBack(t *testing.T) {
	p := Population{Criteria: scales(3, 5)}
	for i := range 200 {
		p.Rows = append(p.Rows, Row{Index: index(3), Cells: []domains.Cell{domains.At(float64(1 + i%2)), domains.At(2), domains.Missing()}})
	}
	for _, k := range []int{1, 4, 200} {
		opt := DefaultLatentClassWith(k)
		opt.Restarts = 1
		m, _, err := FitLatentClass(context.Background(), p, p, opt)
		if err != nil {
			t.Fatal(err)
		}
		if notes := m.Notes(); len(notes) != 1 || notes[0].N != 1 {
			t.Errorf("%d classes: one criterion is unseen, notes say %v", k, notes)
		}
		b := m.Start(index(3)).(Joint)
		if v := b.States(nil, 1); v[2] < 0.99 {
			t.Errorf("%d classes: always at level 2, P = %v", k, v)
		}
		b.Observe(1, domains.At(5)) // never seen
		for i := range 3 {
			sum := 0.0
			for s, v := range b.States(nil, i) {
				if i != 1 && !(v > 0 && v < 1) {
					t.Errorf("%d classes: P(position %d in state %d) = %v", k, i, s, v)
				}
				sum += v
			}
			if math.Abs(sum-1) > 1e-9 {
				t.Errorf("%d classes: states of %d sum to %v", k, i, sum)
			}
		}
	}
}

// TestAnswersOutsideTheLevels count as the nearest level, and a second answer replaces
// what is pinned and is conditioned on as one more.
func TestAnswersOutsideTheLevels(t *testing.T) {
	m := mixtureModel(rand.New(rand.NewPCG(1, 10)), scales(3, 5), 3)
	for _, row := range []struct {
		reason  string
		answers []float64
		pinned  int
		same    []float64 // answers that must leave the same belief
	}{
		{"above the scale", []float64{9}, 5, []float64{5}},
		{"below the scale", []float64{-3}, 1, []float64{1}},
		{"between two levels, the nearer", []float64{3.4}, 3, []float64{3}},
		{"half way, the lower", []float64{2.5}, 2, []float64{2}},
		{"the same twice counts twice", []float64{4, 4}, 4, []float64{4, 4}},
		{"contradiction: the last stands", []float64{1, 5}, 5, []float64{1, 5}},
	} {
		b, same := m.Start(index(3)).(*mixture), m.Start(index(3)).(*mixture)
		for _, v := range row.answers {
			b.Observe(1, domains.At(v))
		}
		for _, v := range row.same {
			same.Observe(1, domains.At(v))
		}
		if p := b.States(nil, 1); p[row.pinned] != 1 {
			t.Errorf("%s: states %v, want level %d pinned", row.reason, p, row.pinned)
		}
		want := make([]float64, m.k) // Bayes' rule, one factor an answer
		sum := 0.0
		for k := range want {
			want[k] = m.pi[k]
			for _, v := range row.same {
				want[k] *= m.theta[(m.offset[1]+int(v))*m.k+k]
			}
			sum += want[k]
		}
		for k := range want {
			if math.Abs(b.w[k]-want[k]/sum) > 1e-12 || b.w[k] != same.w[k] {
				t.Errorf("%s: weight %d is %v, Bayes' rule says %v", row.reason, k, b.w[k], want[k]/sum)
			}
		}
	}
}

func TestNumParams(t *testing.T) {
	m := mixtureModel(rand.New(rand.NewPCG(1, 8)), scales(3, 5), 4)
	if got := m.NumParams(); got != 3+4*3*5 {
		t.Errorf("NumParams = %d: 3 class weights and 5 free state probabilities for each of 4 classes and 3 criteria are 63", got)
	}
}

// BenchmarkFitLatentClass measures one EM run with eight classes. B/op stays below
// four times the data (n=25000/c=30: 24 MB) and does not grow with the rows beyond
// their codes of one byte a cell; time is linear in the rows (n=10000 and n=100000
// take the same number of steps).
func BenchmarkFitLatentClass(b *testing.B) {
	for _, size := range []struct{ n, c, iterations int }{{25000, 30, 60}, {4000, 135, 60}, {10000, 30, 10}, {100000, 30, 10}} {
		b.Run(fmt.Sprintf("n=%d/c=%d/steps=%d", size.n, size.c, size.iterations), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 9))
			p := sample(rng, mixtureModel(rng, scales(size.c, 5), 8), size.n)
			opt := DefaultLatentClassWith(8)
			opt.Restarts, opt.Iterations, opt.Tolerance = 1, size.iterations, math.Inf(-1) // all steps
			b.ReportAllocs()
			b.SetBytes(int64(8 * size.n * size.c))
			for b.Loop() {
				if _, _, err := FitLatentClass(context.Background(), p, Population{Criteria: p.Criteria}, opt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestDrawFollowsProbabilities(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	p := []float64{0.2, 0, 0.5, 0.3}
	n := make([]int, 4)
	for range 20000 {
		n[draw(rng, p)]++
	}
	for i := range p {
		if sd := math.Sqrt(20000 * p[i] * (1 - p[i])); math.Abs(float64(n[i])-20000*p[i]) > 5*sd+1e-9 {
			t.Errorf("index %d drawn %d times of 20000, probability %v", i, n[i], p[i])
		}
	}
}

// TestTooManyClasses: candidates that the training profiles cannot fill are left out
// and counted, as long as one can be.
func TestTooManyClasses(t *testing.T) {
	truth := mixtureModel(randomly(3), scales(3, 3), 2)
	train, dev := sample(randomly(4), truth, 10), sample(randomly(5), truth, 10)
	opt := DefaultLatentClass
	opt.Classes = []int{1, 2, 11, 50}
	m, tried, err := FitLatentClass(context.Background(), train, dev, opt)
	if err != nil {
		t.Fatal(err)
	}
	if n := m.Notes(); len(tried) != 2 || len(n) != 1 || n[0].N != 2 {
		t.Errorf("tried %v, notes %v", tried, n)
	}
	mix := DefaultMixtureOfFactors
	mix.Classes, mix.Dims = []int{1, 30}, []int{0}
	f, tried, err := FitMixtureOfFactors(context.Background(), train, dev, mix)
	if err != nil {
		t.Fatal(err)
	}
	if n := f.Notes(); len(tried) != 1 || len(n) != 1 || n[0].N != 1 {
		t.Errorf("mixture tried %v, notes %v", tried, n)
	}
}
