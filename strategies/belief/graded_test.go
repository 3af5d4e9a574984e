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
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pepbench/domains"
)

// gradedModel is a random graded response model, as if it had been fitted: criterion c
// is held by everybody where held(c) is 1, else at about that rate.
func gradedModel(rng *rand.Rand, criteria []domains.Criterion, dims int, held func(c int) float64) *Graded {
	nodes, weights := grid(dims)
	m := &Graded{dims: dims, support: support{criteria: criteria, k: len(weights), offset: offsets(criteria), pi: weights}}
	m.theta = make([]float64, m.offset[len(criteria)]*m.k)
	for c := range criteria {
		h := held(c)
		cv := flat([]float64{max(1-h, 1e-12), max(h, 1e-12)}, false)
		if h < 1 {
			for range dims {
				cv.slopes = append(cv.slopes, rng.NormFloat64())
			}
		}
		p := make([]float64, len(criteria[c].Levels))
		for l := range p {
			p[l] = 0.2 + rng.Float64()
		}
		level := flat(p, criteria[c].Scale == domains.Nominal)
		n := dims
		if level.nominal {
			n *= len(level.cuts)
		}
		for range n {
			level.slopes = append(level.slopes, 1.5*rng.NormFloat64())
		}
		m.curves = append(m.curves, cv, level)
	}
	m.trace(nodes)
	m.finish()
	return m
}

func heldAt(h float64) func(int) float64 { return func(int) float64 { return h } }

// sampleSupport draws complete rows.
func sampleSupport(rng *rand.Rand, m *support, rows int) Population {
	p := Population{Criteria: m.criteria}
	all := index(len(m.criteria))
	for range rows {
		point := draw(rng, m.pi)
		cells := make([]domains.Cell, len(m.criteria))
		for c := range m.criteria {
			cells[c] = domains.NotHeld()
			u := rng.Float64()
			for s := m.offset[c]; s < m.offset[c+1]; s++ {
				if u -= m.theta[s*m.k+point]; u < 0 || s == m.offset[c+1]-1 {
					if l := s - m.offset[c]; l > 0 {
						cells[c] = domains.At(m.criteria[c].Levels[l-1].Value)
					}
					break
				}
			}
		}
		p.Rows = append(p.Rows, Row{Index: all, Cells: cells})
	}
	return p
}

// votes gives criteria of three levels -1, 0, 1.
func votes(n int) []domains.Criterion {
	out := scales(n, 3)
	for c := range out {
		for l := range out[c].Levels {
			out[c].Levels[l].Value = float64(l - 1)
		}
	}
	return out
}

// nominals gives criteria of l levels without order.
func nominals(n, l int) []domains.Criterion {
	out := scales(n, l)
	for c := range out {
		out[c].Scale = domains.Nominal
		for l := range out[c].Levels {
			out[c].Levels[l].Value = float64(l)
		}
	}
	return out
}

func gradedWith(dims ...int) GradedOptions {
	opt := DefaultGraded
	opt.Dims = dims
	return opt
}

func mustFitGraded(t testing.TB, train, dev Population, opt GradedOptions) *Graded {
	t.Helper()
	m, _, err := FitGraded(context.Background(), train, dev, opt)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestGradedCurves: whatever the parameters, curves are probabilities, the ordered
// ones rise with the trait along their slope, and the Jacobian is the derivative.
func TestGradedCurves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := randomly(rapid.Uint64().Draw(t, "curve"))
		levels, dims := rapid.IntRange(2, 6).Draw(t, "levels"), rapid.IntRange(1, 2).Draw(t, "dims")
		p := make([]float64, levels)
		for l := range p {
			p[l] = math.Pow(10, -6*rng.Float64())
		}
		cv := flat(p, rapid.Bool().Draw(t, "nominal"))
		total := 0.0
		for _, v := range p {
			total += v
		}
		z, got := make([]float64, dims), make([]float64, levels)
		cv.at(got, z)
		for l := range p {
			if math.Abs(got[l]-p[l]/total) > 1e-12 {
				t.Fatalf("flat curve of %v gives %v", p, got)
			}
		}
		n := dims
		if cv.nominal {
			n *= levels - 1
		}
		for range n {
			cv.slopes = append(cv.slopes, 3*rng.NormFloat64())
		}
		for j := range z {
			z[j] = 2 * rng.NormFloat64()
		}
		cv.at(got, z)
		sum := 0.0
		for _, v := range got {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("probabilities %v", got)
			}
			sum += v
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Fatalf("probabilities %v sum to %v", got, sum)
		}

		x := len(cv.slopes) + len(cv.cuts)
		jac := make([]float64, levels*x)
		cv.jacobian(jac, got, z)
		up, down := make([]float64, levels), make([]float64, levels)
		for i := range x {
			param := &cv.cuts[max(0, i-len(cv.slopes))]
			if i < len(cv.slopes) {
				param = &cv.slopes[i]
			}
			const h = 1e-6
			keep := *param
			*param = keep + h
			cv.at(up, z)
			*param = keep - h
			cv.at(down, z)
			*param = keep
			for l := range levels {
				if d := (up[l] - down[l]) / (2 * h); math.Abs(d-jac[l*x+i]) > 1e-6*(1+math.Abs(d)) {
					t.Fatalf("dP_%d/dx_%d = %v, differences say %v", l, i, jac[l*x+i], d)
				}
			}
		}
		if cv.nominal {
			return
		}
		for j, a := range cv.slopes {
			z[j] += 0.1 * a
		}
		cv.at(up, z)
		above, before := 0.0, 0.0
		for l := levels - 1; l > 0; l-- {
			above += up[l]
			before += got[l]
			if above < before-1e-12 {
				t.Fatalf("P(level >= %d) falls from %v to %v as the trait rises along its slope", l, before, above)
			}
		}
	})
}

// TestGradedPosteriorIsBayes compares conditioning with Bayes' rule written out over the
// nodes and the curves' definition.
func TestGradedPosteriorIsBayes(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 21))
		dims := 1 + int(seed%2)
		criteria := append(scales(3, 5), nominals(2, 3)...)
		m := gradedModel(rng, criteria, dims, heldAt(0.4))
		nodes, weights := grid(dims)
		prob := func(c, s int, z []float64) float64 {
			held := sigma(dot(m.curves[2*c].slopes, z) - m.curves[2*c].cuts[0])
			if s == 0 {
				return 1 - held
			}
			cv, l := m.curves[2*c+1], s-1
			if cv.nominal {
				e := func(l int) float64 {
					if l == 0 {
						return 1
					}
					return math.Exp(dot(z, cv.slopes[(l-1)*dims:]) - cv.cuts[l-1])
				}
				return held * e(l) / (e(0) + e(1) + e(2))
			}
			atLeast := func(l int) float64 {
				switch {
				case l == 0:
					return 1
				case l > len(cv.cuts):
					return 0
				}
				return sigma(dot(cv.slopes, z) - cv.cuts[l-1])
			}
			return held * (atLeast(l) - atLeast(l+1))
		}
		b := m.Start(index(len(criteria))).(Joint)
		told := map[int]int{}
		for _, i := range rng.Perm(len(criteria))[:3] {
			told[i] = rng.IntN(b.NumStates(i))
			b.Observe(i, b.Answer(i, told[i]))
		}
		for i := range criteria {
			if _, ok := told[i]; ok {
				continue
			}
			for s, got := range b.States(nil, i) {
				num, den := 0.0, 0.0
				for k, w := range weights {
					z := nodes[k*dims:][:dims]
					for c, v := range told {
						w *= prob(c, v, z)
					}
					den += w
					num += w * prob(i, s, z)
				}
				if math.Abs(got-num/den) > 1e-10 {
					t.Errorf("seed %d: P(position %d in state %d | %v) = %v, Bayes' rule says %v", seed, i, s, told, got, num/den)
				}
			}
		}
	}
}

// TestGradedApproachesTruth: fitted on its own samples the log score on fresh ones is
// near the truth's and better than that of independent criteria.
func TestGradedApproachesTruth(t *testing.T) {
	for _, row := range []struct {
		reason   string
		criteria []domains.Criterion
		dims     int
		held     func(int) float64
		try      []int // dimensions
	}{
		{"five levels that all hold: a dense survey", scales(12, 5), 1, heldAt(1), []int{0, 1, 2}},
		{"two levels", scales(12, 2), 1, heldAt(1), []int{0, 1}},
		{"votes -1, 0, 1", votes(12), 1, heldAt(1), []int{0, 1}},
		{"most of it held by few", scales(14, 5), 1, heldAt(0.25), []int{0, 1}},
		{"some held by all and some by few", scales(12, 3), 1, func(c int) float64 { return []float64{1, 0.1}[c%2] }, []int{0, 1}},
		{"levels without order", nominals(10, 4), 1, heldAt(0.8), []int{0, 1}},
		{"two traits", scales(14, 5), 2, heldAt(1), []int{0, 1, 2}},
	} {
		rng := rand.New(rand.NewPCG(1, 22))
		truth := gradedModel(rng, row.criteria, row.dims, row.held)
		train, dev, test := sampleSupport(rng, &truth.support, 2000), sampleSupport(rng, &truth.support, 500), sampleSupport(rng, &truth.support, 1000)
		opt := gradedWith(row.try...)
		opt.Restarts = 1
		m, tried, err := FitGraded(context.Background(), train, dev, opt)
		if err != nil {
			t.Fatal(err)
		}
		if m.dims != row.dims {
			t.Errorf("%s: %d dimensions chosen of %+v, the truth has %d", row.reason, m.dims, tried, row.dims)
		}
		indep := mustFitGraded(t, train, dev, gradedWith(0))
		rows, _ := test.states()
		got, ideal, none := m.score(rows), truth.score(rows), indep.score(rows)
		if math.Abs(ideal-got) > 0.01 {
			t.Errorf("%s: log score %v nats a cell, truth %v", row.reason, got, ideal)
		}
		if got < none+0.5*(ideal-none) {
			t.Errorf("%s: log score %v, independence %v, truth %v: less than half of what there is", row.reason, got, none, ideal)
		}
	}
}

// TestGradedRecoversSlopes: signs (up to one for all), order and thresholds of the
// truth come back.
func TestGradedRecoversSlopes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 23))
	truth := gradedModel(rng, scales(9, 5), 1, heldAt(1))
	for c := range 9 {
		truth.curves[2*c+1].slopes[0] = float64(c-4) * 0.6 // -2.4 .. 2.4, one without
	}
	nodes, _ := grid(1)
	truth.trace(nodes)
	m := mustFitGraded(t, sampleSupport(rng, &truth.support, 4000), Population{Criteria: truth.criteria}, gradedWith(1))
	sign := math.Copysign(1, m.curves[17].slopes[0])
	for c := range 9 {
		got, want := m.curves[2*c+1], truth.curves[2*c+1]
		if d := sign*got.slopes[0] - want.slopes[0]; math.Abs(d) > 0.25 {
			t.Errorf("slope %d: %v, truth %v", c, sign*got.slopes[0], want.slopes[0])
		}
		if c > 0 && sign*(got.slopes[0]-m.curves[2*c-1].slopes[0]) <= 0 {
			t.Errorf("slope %d does not exceed the one before", c)
		}
		for l, cut := range got.cuts {
			if math.Abs(cut-want.cuts[l]) > 0.3 {
				t.Errorf("criterion %d: threshold %d is %v, truth %v", c, l, cut, want.cuts[l])
			}
			if l > 0 && cut <= got.cuts[l-1] {
				t.Errorf("criterion %d: thresholds %v do not ascend", c, got.cuts)
			}
		}
	}
}

// TestGradedLosesNothing: independent criteria gain nothing and lose little, also where
// one trait is forced on them.
func TestGradedLosesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 24))
	truth := mixtureModel(rng, scales(12, 5), 1)
	train, dev, test := sampleSupport(rng, &truth.support, 1500), sampleSupport(rng, &truth.support, 400), sampleSupport(rng, &truth.support, 1000)
	rows, _ := test.states()
	for _, dims := range [][]int{{0, 1, 2}, {1}} {
		opt := gradedWith(dims...)
		opt.Restarts = 1
		m := mustFitGraded(t, train, dev, opt)
		if d := m.score(rows) - truth.score(rows); math.Abs(d) > 0.01 {
			t.Errorf("dimensions %v, %s: %v nats a cell from the truth", dims, m.About(), d)
		}
	}
}

// TestGradedLogPosteriorRises: no step of EM lowers the log posterior, of ordered and
// nominal curves in one or two dimensions, and a run reports that of the model it
// returns.
func TestGradedLogPosteriorRises(t *testing.T) {
	for dims := 1; dims <= 2; dims++ {
		rng := rand.New(rand.NewPCG(uint64(dims), 72))
		criteria := append(scales(4, 5), nominals(2, 3)...)
		truth := gradedModel(rng, criteria, dims, heldAt(0.6))
		p := sampleSupport(rng, &truth.support, 80)
		for _, r := range p.Rows {
			r.Cells[rng.IntN(len(criteria))] = domains.Missing()
		}
		rows, err := p.states()
		if err != nil {
			t.Fatal(err)
		}
		opt := gradedWith(dims)
		opt.Tolerance = math.Inf(-1) // never stop
		last := math.Inf(-1)
		for step := 1; step <= 20; step++ {
			opt.Iterations = step
			f := &gradedFitter{opt: opt, criteria: criteria, offset: offsets(criteria), rows: rows}
			f.counts, f.freq, f.cells = tally(f.offset, rows)
			m, got, err := f.run(context.Background(), dims, rand.New(rand.NewPCG(5, 73)))
			if err != nil {
				t.Fatal(err)
			}
			want := 0.0
			for r := range p.Rows {
				like := 0.0
				for k, one := range m.pi {
					for c, v := range rows[r*len(criteria):][:len(criteria)] {
						if v != missing {
							one *= m.theta[(m.offset[c]+int(v))*m.k+k]
						}
					}
					like += one
				}
				want += math.Log(like)
			}
			for k, p := range m.pi {
				for s := range m.offset[len(criteria)] {
					want += opt.Smoothing * f.freq[s] * p * math.Log(m.theta[s*m.k+k])
				}
			}
			for _, cv := range m.curves {
				want -= dot(cv.slopes, cv.slopes) / (2 * opt.SlopeScale * opt.SlopeScale)
			}
			if !(math.Abs(got-want) < 1e-8) {
				t.Fatalf("%d dimensions, step %d: log posterior %v, by its formula %v", dims, step, got, want)
			}
			if got < last-1e-9 {
				t.Errorf("%d dimensions, step %d: log posterior fell from %v to %v", dims, step, last, got)
			}
			last = got
		}
	}
}

// TestGradedIsDeterministic: the number of processors changes no bit.
func TestGradedIsDeterministic(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 25))
	truth := gradedModel(rng, append(scales(4, 5), nominals(2, 3)...), 2, heldAt(0.6))
	p := sampleSupport(rng, &truth.support, 1200)
	opt := gradedWith(1, 2)
	opt.Iterations = 15
	procs := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(procs)
	one := mustFitGraded(t, p, p, opt)
	runtime.GOMAXPROCS(3)
	three := mustFitGraded(t, p, p, opt)
	if !slices.Equal(one.theta, three.theta) {
		t.Errorf("theta on one processor differs from theta on three")
	}
}

// TestGradedFallsBack: what training does not show stays finite and is counted.
func TestGradedFallsBack(t *testing.T) {
	criteria := scales(7, 5)
	p := Population{Criteria: criteria}
	rng := rand.New(rand.NewPCG(6, 26))
	for range 400 {
		trait := rng.IntN(2)
		level := func() domains.Cell { return domains.At(float64(1 + 3*trait + rng.IntN(2))) } // never 3
		cells := []domains.Cell{
			level(), level(), level(),
			domains.At(2),     // one level only
			domains.NotHeld(), // never held
			domains.Missing(), // never seen
			domains.Missing(), // seen once
		}
		if len(p.Rows) == 0 {
			cells[6] = domains.At(5)
		}
		p.Rows = append(p.Rows, Row{Index: index(7), Cells: cells})
	}
	for _, dims := range []int{0, 1, 2} {
		m := mustFitGraded(t, p, Population{Criteria: criteria}, gradedWith(dims))
		notes := fmt.Sprint(m.Notes())
		if len(m.Notes()) != 2 || m.Notes()[0].N != 1 || m.Notes()[1].N != 3 {
			t.Errorf("%d dimensions: one criterion is unseen and three have fewer than two levels, notes say %s", dims, notes)
		}
		b := m.Start(index(7)).(Joint)
		b.Observe(0, domains.At(3)) // a level that nobody gave
		for i := range 7 {
			for s, v := range b.States(nil, i) {
				if !(v >= 0 && v <= 1) || i > 0 && v == 0 {
					t.Errorf("%d dimensions: P(position %d in state %d) = %v", dims, i, s, v)
				}
			}
		}
		if h := b.States(nil, 4); h[0] < 0.99 {
			t.Errorf("%d dimensions: never held in 400 rows, P(not held) = %v", dims, h[0])
		}
		if v := b.States(nil, 5); math.Abs(v[1]-v[5]) > 1e-9 {
			t.Errorf("%d dimensions: levels of an unseen criterion are %v", dims, v)
		}
		if v := b.States(nil, 3); v[2] < 0.99 {
			t.Errorf("%d dimensions: always at level 2, P = %v", dims, v[2])
		}
	}
}

// TestGradedMoreThanData: two traits on three profiles is far too much, and finite.
func TestGradedMoreThanData(t *testing.T) {
	truth := gradedModel(rand.New(rand.NewPCG(7, 27)), scales(40, 5), 2, heldAt(0.5))
	p := sampleSupport(rand.New(rand.NewPCG(8, 27)), &truth.support, 3)
	m := mustFitGraded(t, p, Population{Criteria: truth.criteria}, gradedWith(2))
	for i, v := range m.theta {
		if !(v > 0 && v < 1) {
			t.Fatalf("theta[%d] = %v", i, v)
		}
	}
}

// TestGradedMissingCells: cells missing at random cost precision, not truth.
func TestGradedMissingCells(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 28))
	truth := gradedModel(rng, scales(8, 5), 1, heldAt(1))
	p := sampleSupport(rng, &truth.support, 2500)
	for r := range p.Rows {
		for c := range p.Rows[r].Cells {
			if rng.Float64() < 0.4 {
				p.Rows[r].Cells[c] = domains.Missing()
			}
		}
	}
	m := mustFitGraded(t, p, Population{Criteria: p.Criteria}, gradedWith(1))
	test := sampleSupport(rng, &truth.support, 1000)
	rows, _ := test.states()
	if d := truth.score(rows) - m.score(rows); d > 0.015 {
		t.Errorf("with 40%% missing, complete profiles score %v nats a cell below the truth", d)
	}
}

func TestFitGradedRefuses(t *testing.T) {
	ok := Population{Criteria: scales(1, 2), Rows: []Row{{Index: []int{0}, Cells: []domains.Cell{domains.At(1)}}, {Index: []int{0}, Cells: []domains.Cell{domains.At(2)}}}}
	cont := Population{Criteria: []domains.Criterion{{ID: "x", Name: "x", Scale: domains.Continuous, Max: 1}}, Rows: ok.Rows}
	outside := Population{Criteria: scales(1, 2), Rows: []Row{{Index: []int{0}, Cells: []domains.Cell{domains.At(9)}}}}
	none := Population{Criteria: ok.Criteria}
	for _, row := range []struct {
		reason     string
		train, dev Population
		dims       []int
		want       error
		says       string
	}{
		{"nothing to learn from", none, ok, []int{1}, domains.ErrData, "no training profiles"},
		{"a choice needs dev profiles", ok, none, []int{0, 1}, domains.ErrData, "no dev profiles"},
		{"no candidate", ok, ok, nil, domains.ErrData, "no candidate"},
		{"the grid has two axes", ok, ok, []int{3}, ErrUnsupported, "3 latent dimensions"},
		{"levels are all this model knows", cont, cont, []int{1}, ErrUnsupported, `criterion "x" is continuous`},
		{"a value outside the levels has no state", outside, outside, []int{1}, domains.ErrData, `value 9 of criterion "c00"`},
	} {
		_, _, err := FitGraded(context.Background(), row.train, row.dev, gradedWith(row.dims...))
		var data *domains.DataError
		if !errors.Is(err, row.want) || !errors.As(err, &data) || !strings.Contains(fmt.Sprint(err), row.says) {
			t.Errorf("%s: got %v, want a data error that is %v and says %s", row.reason, err, row.want, row.says)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := FitGraded(ctx, ok, ok, gradedWith(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled fit: %v", err)
	}
}

// TestGradedIsStored: what is saved and loaded believes the same, and damage is found.
func TestGradedIsStored(t *testing.T) {
	criteria := append(scales(3, 5), nominals(2, 3)...)
	for _, dims := range []int{0, 1, 2} {
		truth := gradedModel(rand.New(rand.NewPCG(10, 29)), criteria, max(1, dims), heldAt(0.5))
		p := sampleSupport(rand.New(rand.NewPCG(11, 29)), &truth.support, 300)
		m := mustFitGraded(t, p, p, gradedWith(dims))
		var buf bytes.Buffer
		if err := Save(&buf, m, Provenance{Data: "test"}); err != nil {
			t.Fatal(err)
		}
		got, _, err := Load(&buf, criteria)
		if err != nil {
			t.Fatal(err)
		}
		g := got.(*Graded)
		if !slices.Equal(g.theta, m.theta) || !slices.Equal(g.pi, m.pi) || g.NumParams() != m.NumParams() || g.About() != m.About() {
			t.Errorf("%d dimensions: the model read is not the model written", dims)
		}
	}

	good := `{"dims":1,"held":[{"slopes":[1],"cuts":[0]}],"level":[{"slopes":[1],"cuts":[0,1]}]}`
	if _, err := restoreGraded(json.RawMessage(good), scales(1, 3)); err != nil {
		t.Fatalf("a sound file: %v", err)
	}
	for _, row := range []struct{ reason, file string }{
		{"no JSON", `{`},
		{"more dimensions than the grid has", strings.Replace(good, `"dims":1`, `"dims":3`, 1)},
		{"fewer than none", strings.Replace(good, `"dims":1`, `"dims":-1`, 1)},
		{"thresholds that fall", strings.Replace(good, `[0,1]`, `[1,0]`, 1)},
		{"a threshold too many", strings.Replace(good, `[0,1]`, `[0,1,2]`, 1)},
		{"slopes of another dimension", strings.Replace(good, `"slopes":[1]`, `"slopes":[1,2]`, 1)},
		{"no curve for a criterion", strings.Replace(good, `{"slopes":[1],"cuts":[0]}`, ``, 1)},
		{"a curve that is no number anywhere", strings.Replace(good, `"cuts":[0]`, `"cuts":[1e999]`, 1)},
	} {
		if _, err := restoreGraded(json.RawMessage(row.file), scales(1, 3)); err == nil {
			t.Errorf("%s: read without complaint", row.reason)
		}
	}
}

func TestGradedNumParams(t *testing.T) {
	m := gradedModel(rand.New(rand.NewPCG(12, 30)), append(scales(2, 5), nominals(1, 3)...), 2, heldAt(0.5))
	// ordinal: held 1 + 2, level 4 + 2; nominal: held 1 + 2, level 2 + 2*2; one rotation
	if got, want := m.NumParams(), 2*(3+6)+3+6-1; got != want {
		t.Errorf("NumParams = %d, want %d", got, want)
	}
}

func BenchmarkFitGraded(b *testing.B) {
	for _, size := range []struct{ n, c, dims int }{{25000, 30, 1}, {4000, 135, 1}, {25000, 30, 2}, {4000, 135, 2}} {
		b.Run(fmt.Sprintf("n=%d/c=%d/dims=%d", size.n, size.c, size.dims), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(14, 32))
			truth := gradedModel(rng, scales(size.c, 5), size.dims, heldAt(1))
			p := sampleSupport(rng, &truth.support, size.n)
			opt := gradedWith(size.dims)
			opt.Restarts = 1
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := FitGraded(context.Background(), p, Population{Criteria: p.Criteria}, opt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
