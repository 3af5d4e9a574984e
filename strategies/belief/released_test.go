package belief

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pepbench/domains"
)

// TestEntropyTable holds the tables to what they interpolate.
func TestEntropyTable(t *testing.T) {
	worst := 0.0
	for i := range 40001 {
		x := -11 + 22*float64(i)/40000
		p := 1 / (1 + math.Exp(-min(max(x, -logitClip), logitClip)))
		q := 1 / (1 + math.Exp(min(max(x, -logitClip), logitClip)))
		want := -(p*math.Log(p) + q*math.Log(q)) / math.Ln2
		worst = max(worst, math.Abs(logitEntropy(x)-want))
	}
	if !(worst <= 1e-12) {
		t.Errorf("entropy of a logit is off by %v", worst)
	}
	worst = 0
	for i := range 40001 {
		p := float64(i) / 40000
		if i%2 == 0 {
			p = math.Exp(-20 * p)
		}
		worst = max(worst, math.Abs(heldEntropy(p)-exactEntropy(p)))
	}
	if !(worst <= 1e-14) {
		t.Errorf("entropy of a probability is off by %v", worst)
	}
}

// bigLog2 is log2 x to 200 bits, by squaring: a bit of the logarithm a squaring.
func bigLog2(x float64) *big.Float {
	const prec = 400
	f, exp := math.Frexp(x)
	out := new(big.Float).SetPrec(prec).SetInt64(int64(exp - 1))
	v := new(big.Float).SetPrec(prec).SetFloat64(2 * f) // 1 <= v < 2
	two := big.NewFloat(2)
	bit := new(big.Float).SetPrec(prec).SetFloat64(.5)
	for range 170 {
		v.Mul(v, v)
		if v.Cmp(two) >= 0 {
			v.Quo(v, two)
			out.Add(out, bit)
		}
		bit.Quo(bit, two)
	}
	return out
}

// TestExactLog2: the logarithm of the compatible kernel is the number nearest to
// the true one.
func TestExactLog2(t *testing.T) {
	machine := 0
	rng := randomly(3)
	const n = 1500
	for i := range n {
		x := rng.Float64()
		switch i % 4 {
		case 1:
			x = 1 - x*1e-3
		case 2:
			x = 1 + x*.5
		case 3:
			x = math.Exp(-40 * x)
		}
		log := bigLog2(x)
		want, _ := log.Float64()
		if got := exactLog2(x); got != want {
			t.Errorf("log2 %v = %v, want %v", x, got, want)
		}
		if math.Log2(x) != want {
			machine++
		}
		ln := new(big.Float).SetPrec(400).Mul(log, bigLn2)
		if w, _ := ln.Float64(); exactLog(x) != w {
			t.Errorf("ln %v = %v, want %v", x, exactLog(x), w)
		}
	}
	t.Logf("math.Log2 differs from the nearest number in %d of %d", machine, n)
}

// bigLn2 is ln 2 = sum_k 1/(k 2^k).
var bigLn2 = func() *big.Float {
	sum, pow := new(big.Float).SetPrec(400), new(big.Float).SetPrec(400).SetFloat64(1)
	for k := 1; k < 300; k++ {
		pow.Quo(pow, big.NewFloat(2))
		sum.Add(sum, new(big.Float).SetPrec(400).Quo(pow, big.NewFloat(float64(k))))
	}
	return sum
}()

// anyPopulation draws rows over n criteria: sparse or full, with cells missing.
func anyPopulation(t *rapid.T, n int) Population {
	rng := randomly(rapid.Uint64().Draw(t, "population"))
	held := rapid.SampledFrom([]float64{.1, .3, .7, 1}).Draw(t, "share held")
	gaps := rapid.SampledFrom([]float64{0, .2}).Draw(t, "share missing")
	p := Population{Criteria: scales(n, 5)}
	class := make([]float64, n)
	for i := range class {
		class[i] = rng.Float64()
	}
	for range rapid.IntRange(1, 60).Draw(t, "rows") {
		row := Row{Index: index(n), Cells: make([]domains.Cell, n)}
		kind := float64(rng.IntN(2))
		for j := range row.Cells {
			switch {
			case rng.Float64() < gaps:
				row.Cells[j] = domains.Missing()
			case rng.Float64() < held*(.5+math.Abs(kind-class[j])):
				row.Cells[j] = domains.At(float64(1 + rng.IntN(5)))
			default:
				row.Cells[j] = domains.NotHeld()
			}
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

// TestReleasedKernels: the fast kernel gives what the compatible one gives, in any
// state, and both give probabilities.
func TestReleasedKernels(t *testing.T) {
	for _, rule := range Rules {
		t.Run(string(rule), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				n := rapid.IntRange(1, 12).Draw(t, "criteria")
				p := anyPopulation(t, n)
				var beliefs [2]BinaryInformer
				for i := range beliefs {
					m, _, err := FitReleased(context.Background(), p, Population{Criteria: p.Criteria}, ReleasedOptions{Rule: rule, Compat: i == 1})
					if err != nil {
						t.Fatal(err)
					}
					beliefs[i] = m.Start(index(n)).(BinaryInformer)
				}
				asked, candidate := make([]bool, n), make([]bool, n)
				for range rapid.IntRange(0, 6).Draw(t, "answers") {
					i := rapid.IntRange(0, n-1).Draw(t, "position")
					asked[i] = true
					c := domains.NotHeld()
					switch rapid.IntRange(0, 2).Draw(t, "answer") {
					case 0:
						c = domains.At(float64(rapid.IntRange(1, 5).Draw(t, "value")))
					case 1:
						c = domains.Missing()
					}
					for _, b := range beliefs {
						b.Observe(i, c)
					}
				}
				for i := range candidate {
					candidate[i] = !asked[i]
				}
				var held, value, gain [2][]float64
				for i, b := range beliefs {
					held[i], value[i], gain[i] = make([]float64, n), make([]float64, n), make([]float64, n)
					b.Marginals(held[i], value[i])
					b.BinaryInformation(gain[i], candidate, asked)
				}
				for j := range n {
					if p := held[0][j]; !(p >= 0 && p <= 1) || math.Abs(p-held[1][j]) > 1e-9 {
						t.Fatalf("P(held) of %d is %v, compatibly %v", j, p, held[1][j])
					}
					if v := value[0][j]; !(v >= 1 && v <= 5) || v != value[1][j] {
						t.Fatalf("value of %d is %v, compatibly %v", j, v, value[1][j])
					}
					if p := held[0][j]; math.Abs(p-gainLeast) < 1e-12 || math.Abs(p-gainMost) < 1e-12 {
						continue // rounding decides whether there is a gain
					}
					if !(math.Abs(gain[0][j]-gain[1][j]) <= 1e-9) {
						t.Fatalf("gain of %d is %v, compatibly %v", j, gain[0][j], gain[1][j])
					}
				}
			})
		})
	}
}

// fitReleased fits a rule without dev rows.
func fitReleased(t interface {
	Helper()
	Fatal(...any)
}, p Population, opt ReleasedOptions,
) *Released {
	t.Helper()
	m, _, err := FitReleased(context.Background(), p, Population{Criteria: p.Criteria}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// releasedRows makes rows of one task: a digit is a value, "-" not held, "?" missing.
func releasedRows(rows ...string) []Row {
	at := index(len(rows[0]))
	out := make([]Row, len(rows))
	for i, s := range rows {
		out[i] = Row{Index: at}
		for _, c := range s {
			cell := domains.At(float64(c - '0'))
			switch c {
			case '-':
				cell = domains.NotHeld()
			case '?':
				cell = domains.Missing()
			}
			out[i].Cells = append(out[i].Cells, cell)
		}
	}
	return out
}

// TestStatisticsByHand: each rule of the counts on rows that can be counted by eye.
func TestStatisticsByHand(t *testing.T) {
	nan := math.NaN()
	type want struct{ has0, value0, similarity, given, givenNot, correlation float64 } // of 0, and of the pair (0,1)
	for _, test := range []struct {
		reason   string
		rows     []Row
		minUsers int
		want     want
	}{
		{
			reason: "three of six hold both, in step", rows: releasedRows("12", "24", "35", "4-", "-1", "-1"),
			want: want{4. / 6, 2.5, 3 / math.Sqrt(4*5), 3. / 4, 2. / 2, 9 / math.Sqrt(6*14)},
		},
		{
			reason: "two holding both are too few for a similarity and a correlation", rows: releasedRows("12", "24", "3-", "4-", "-1", "-1"),
			want: want{4. / 6, 2.5, 0, 2. / 4, 2. / 2, nan},
		},
		{
			reason: "four rows are too few for conditionals", rows: releasedRows("12", "24", "35", "4-"),
			want: want{1, 2.5, 3 / math.Sqrt(4*3), nan, nan, 9 / math.Sqrt(6*14)},
		},
		{
			reason: "who lacks it nobody can say when all hold it", rows: releasedRows("11", "12", "13", "1-", "1-"),
			want: want{1, 1, 3 / math.Sqrt(5*3), 3. / 5, .5, nan},
		},
		{
			reason: "a row that holds nothing does not count", rows: releasedRows("11", "21", "3-", "--", "--"),
			want: want{1, 2, 0, nan, nan, nan},
		},
		{
			reason: "a missing cell lists nothing", rows: releasedRows("1?", "2?", "?1", "-1", "-2", "-3", "11", "1-"),
			want: want{4. / 7, 5. / 4, 0, 1. / 2, 3. / 3, nan},
		},
		{
			reason: "a criterion that too few users hold is not listed", rows: releasedRows("1-", "2-", "3-", "-1", "-2"), minUsers: 3,
			want: want{1, 2, 0, nan, nan, nan},
		},
	} {
		s := newReleasedStats(Population{Criteria: scales(2, 5), Rows: test.rows}, test.minUsers)
		got := want{s.Has[0], s.Value[0], s.Similarity[1], s.Given[1], s.GivenNot[1], s.Correlation[1]}
		for i, pair := range [][2]float64{
			{got.has0, test.want.has0},
			{got.value0, test.want.value0},
			{got.similarity, test.want.similarity},
			{got.given, test.want.given},
			{got.givenNot, test.want.givenNot},
			{got.correlation, test.want.correlation},
		} {
			if math.IsNaN(pair[0]) != math.IsNaN(pair[1]) || math.Abs(pair[0]-pair[1]) > 1e-12 {
				t.Errorf("%s: statistic %d is %v, want %v", test.reason, i, pair[0], pair[1])
			}
		}
	}
}

// TestStatisticsBruteForce counts every pair for itself, row by row.
func TestStatisticsBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 6).Draw(t, "criteria")
		p := anyPopulation(t, n)
		if rapid.Bool().Draw(t, "two tasks") { // the second one does not admit criterion 0
			for i := range p.Rows {
				if i%2 == 1 {
					p.Rows[i] = Row{Index: index(n)[1:], Cells: p.Rows[i].Cells[1:]}
				}
			}
		}
		s := newReleasedStats(p, 0)
		cell := func(r Row, c int) domains.Cell {
			if j := slices.Index(r.Index, c); j >= 0 {
				return r.Cells[j]
			}
			return domains.Missing()
		}
		for c := range n {
			for d := range n {
				if c == d {
					continue
				}
				var both, holdC, holdD, co, notBoth, allC, allD float64
				var x, y []float64
				for _, r := range p.Rows {
					if !slices.ContainsFunc(r.Cells, domains.Cell.IsHeld) {
						continue
					}
					a, b := cell(r, c), cell(r, d)
					if a.IsHeld() {
						allC++
					}
					if b.IsHeld() {
						allD++
					}
					if a.IsMissing() || b.IsMissing() {
						continue
					}
					both++
					switch {
					case a.IsHeld() && b.IsHeld():
						co++
						x, y = append(x, a.Value()), append(y, b.Value())
					case a.IsHeld():
						holdC++
					case b.IsHeld():
						holdD++
					default:
						notBoth++
					}
				}
				similarity, given, givenNot := 0.0, math.NaN(), math.NaN()
				if co >= 3 {
					similarity = co / math.Sqrt(allC*allD)
				}
				if both >= 5 {
					given, givenNot = .5, .5
					if co+holdC > 0 {
						given = co / (co + holdC)
					}
					if holdD+notBoth > 0 {
						givenNot = holdD / (holdD + notBoth)
					}
				}
				at := c*n + d
				for _, pair := range [][2]float64{
					{s.Similarity[at], similarity},
					{s.Given[at], given},
					{s.GivenNot[at], givenNot},
					{s.Correlation[at], pearson(x, y)},
				} {
					if math.IsNaN(pair[0]) != math.IsNaN(pair[1]) || math.Abs(pair[0]-pair[1]) > 1e-12 {
						t.Fatalf("pair %d, %d: %v, want %v", c, d, pair[0], pair[1])
					}
				}
			}
		}
	})
}

// pearson is the correlation of at least three pairs, NaN when either is constant.
func pearson(x, y []float64) float64 {
	n := float64(len(x))
	if n < 3 {
		return math.NaN()
	}
	var sx, sy, sxx, syy, sxy float64 // exact: whole numbers
	for i := range x {
		sx += x[i]
		sy += y[i]
		sxx += x[i] * x[i]
		syy += y[i] * y[i]
		sxy += x[i] * y[i]
	}
	return (n*sxy - sx*sy) / math.Sqrt((n*sxx-sx*sx)*(n*syy-sy*sy)) // 0/0 is NaN
}

// TestReleasedSurveys: what surveys have and the released benchmark has not.
func TestReleasedSurveys(t *testing.T) {
	criteria := []domains.Criterion{
		{ID: "n", Name: "nominal", Scale: domains.Nominal, Levels: []domains.Level{{Value: 0}, {Value: 1}, {Value: 2}}},
		{ID: "c", Name: "continuous", Scale: domains.Continuous, Min: -2, Max: 2},
		{ID: "o", Name: "ordinal", Levels: []domains.Level{{Value: 0}, {Value: 1}, {Value: 2}}},
		{ID: "u", Name: "unseen", Levels: []domains.Level{{Value: 0}, {Value: 6}}},
	}
	p := Population{Criteria: criteria}
	for i := range 12 { // everybody holds everything
		p.Rows = append(p.Rows, Row{Index: []int{0, 1, 2}, Cells: []domains.Cell{
			domains.At(float64(i % 2)), domains.At(float64(i)/6 - 1), domains.At(float64(i % 3)),
		}})
	}
	for _, rule := range Rules {
		m := fitReleased(t, p, ReleasedOptions{Rule: rule})
		b := m.Start(index(4)).(BinaryInformer)
		gain, all, none := make([]float64, 4), []bool{true, true, true, true}, make([]bool, 4)
		for step := range 3 {
			inf := b.Infer()
			b.BinaryInformation(gain, all, none)
			for j := range criteria {
				if !(inf.Held[j] >= 0 && inf.Held[j] <= 1) || math.IsNaN(gain[j]) || (j != 0) == math.IsNaN(inf.Value[j]) {
					t.Errorf("%s, %d told, %s: held %v, value %v, gain %v", rule, step, criteria[j].Name, inf.Held[j], inf.Value[j], gain[j])
				}
			}
			if sum := inf.Levels[0][0] + inf.Levels[0][1] + inf.Levels[0][2]; math.Abs(sum-1) > 1e-12 || inf.Levels[1] != nil {
				t.Errorf("%s: level probabilities %v", rule, inf.Levels)
			}
			if step == 0 && rule != RuleUniform {
				if inf.Held[3] != unseenHeld && rule != RuleNaiveBayes && rule != RuleHybrid && rule != RuleLogisticCF || math.Abs(inf.Held[3]-unseenHeld) > 1e-9 || inf.Value[3] != 3 {
					t.Errorf("%s: unseen criterion held %v, value %v, want .3 and the middle, 3", rule, inf.Held[3], inf.Value[3])
				}
				if n := m.Notes(); len(n) != 1 || n[0].N != 1 {
					t.Errorf("%s: notes %v, want one unseen criterion", rule, n)
				}
			}
			switch step {
			case 0:
				b.Observe(1, domains.At(7)) // outside of its range
				if v := b.Infer().Value[1]; v != 2 {
					t.Errorf("%s: a value beyond the range counts as %v, want its end", rule, v)
				}
			case 1:
				b.Observe(0, domains.At(2))
				if inf := b.Infer(); !slices.Equal(inf.Levels[0], []float64{0, 0, 1}) || inf.Held[0] != 1 {
					t.Errorf("%s: told level 2, levels %v", rule, inf.Levels[0])
				}
			}
		}
	}
}

// TestReleasedAnswers: the order of answers is of no account but for rounding, a
// second answer replaces the first, a missing cell teaches nothing, and a clone
// goes its own way.
func TestReleasedAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 8).Draw(t, "criteria")
		p := anyPopulation(t, n)
		m := fitReleased(t, p, ReleasedOptions{Rule: rapid.SampledFrom(Rules).Draw(t, "rule"), Compat: rapid.Bool().Draw(t, "compat")})
		cell := func(i int) domains.Cell {
			if i == 0 {
				return domains.NotHeld()
			}
			return domains.At(float64(i))
		}
		order := rapid.Permutation(index(n)).Draw(t, "order")[:rapid.IntRange(1, n).Draw(t, "answers")]
		said := rapid.SliceOfN(rapid.IntRange(0, 5), n, n).Draw(t, "said")
		a, b := m.Start(index(n)), m.Start(index(n))
		for _, i := range order {
			a.Observe(i, cell(said[i]))
		}
		for _, i := range slices.Backward(order) {
			b.Observe(i, cell((said[i]+1)%6)) // taken back below
			b.Observe(i, domains.Missing())
		}
		c := b.Clone()
		for _, i := range slices.Backward(order) {
			b.Observe(i, cell(said[i]))
		}
		same := func(x, y Belief) bool {
			p, q := x.Infer(), y.Infer()
			for j := range n {
				if math.Abs(p.Held[j]-q.Held[j]) > 1e-12 || math.Abs(p.Value[j]-q.Value[j]) > 1e-12 {
					return false
				}
			}
			return true
		}
		if !same(a, b) {
			t.Fatalf("told %v of %v: %v, the other way round %v", order, said, a.Infer(), b.Infer())
		}
		if same(a, c) {
			t.Fatalf("a clone followed what its origin was told")
		}
		if c.Set(a); !same(a, c) {
			t.Fatalf("set to %v, is %v", a.Infer(), c.Infer())
		}
		inf := a.Infer()
		for _, i := range order {
			if s := said[i]; s == 0 && inf.Held[i] != 0 || s > 0 && (inf.Held[i] != 1 || inf.Value[i] != float64(s)) {
				t.Fatalf("told %d of %d, believes %v, %v", s, i, inf.Held[i], inf.Value[i])
			}
			if got := a.Draw(randomly(1), i); !got.Equal(cell(said[i])) {
				t.Fatalf("told %d of %d, draws %v", said[i], i, got)
			}
		}
	})
}

// TestReleasedAllocates: neither a selection nor Set nor an answer allocates.
func TestReleasedAllocates(t *testing.T) {
	const n = 12
	p := densePopulation(n, 200)
	for _, rule := range Rules {
		for _, compat := range []bool{false, true} {
			m := fitReleased(t, p, ReleasedOptions{Rule: rule, Compat: compat})
			b, origin := m.Start(index(n)).(BinaryInformer), m.Start(index(n))
			c := newChooser(m, index(n), "Binary IG")
			turn := func() {
				b.Set(origin)
				b.Observe(c.next(b), domains.At(3))
				b.Observe(c.next(b), domains.NotHeld())
			}
			turn()
			if got := testing.AllocsPerRun(5, turn); got != 0 {
				t.Errorf("%s, compat %v: %v allocations a turn", rule, compat, got)
			}
		}
	}
}

// TestReleasedDraws: answers come as often as P(held) and the training levels say.
func TestReleasedDraws(t *testing.T) {
	p := Population{Criteria: scales(1, 3), Rows: releasedRows("1", "1", "3", "-", "-", "2", "1", "1")}
	m := fitReleased(t, p, ReleasedOptions{Rule: RuleUniform})
	if got := m.NumParams(); got != 0 {
		t.Errorf("uniform has %d parameters", got)
	}
	p.Criteria, p.Rows = scales(2, 3), releasedRows("12", "12", "32", "-2", "-2", "22", "12", "12")
	m = fitReleased(t, p, ReleasedOptions{Rule: RulePrior})
	b, rng := m.Start([]int{0}), randomly(9)
	const draws = 40000
	counts := make([]float64, 4)
	for range draws {
		switch c := b.Draw(rng, 0); {
		case c.IsHeld():
			counts[int(c.Value())]++
		default:
			counts[0]++
		}
	}
	for s, want := range []float64{.25, .75 * (4 + 1./3) / 7, .75 * (1 + 1./3) / 7, .75 * (1 + 1./3) / 7} {
		if got := counts[s] / draws; math.Abs(got-want) > 4*math.Sqrt(want*(1-want)/draws) {
			t.Errorf("state %d drawn with %v, want %v", s, got, want)
		}
	}
}

// TestReleasedNumParams counts what each rule uses of rows that can be counted.
func TestReleasedNumParams(t *testing.T) {
	p := Population{Criteria: scales(3, 5), Rows: releasedRows("12-", "24-", "35-", "4-1", "-1-", "-15")}
	for rule, want := range map[Rule]int{
		RuleUniform:     0,
		RulePrior:       6,
		RuleNaiveBayes:  6 + 6, // six rows list all pairs, and P(c|o) is never 0 or P(c|not o)
		RuleItemCF:      6 + 1,
		RuleItemCFValue: 6 + 1 + 1,
		RuleHybrid:      6 + 6 + 1,
		RuleLogisticCF:  6 + 1,
		RuleBayesianCF:  6 + 1,
	} {
		m := fitReleased(t, p, ReleasedOptions{Rule: rule})
		if got := m.NumParams(); got != want {
			t.Errorf("%s has %d parameters, want %d", rule, got, want)
		}
	}
}

// TestReleasedFile: a model comes back from its file as it was, and damage is
// found.
func TestReleasedFile(t *testing.T) {
	const n = 6
	p := densePopulation(n, 60)
	p.Criteria[2] = domains.Criterion{ID: "c02", Name: "nominal", Scale: domains.Nominal, Levels: []domains.Level{{Value: 0}, {Value: 1}, {Value: 2}, {Value: 3}, {Value: 4}, {Value: 5}}}
	for _, rule := range Rules {
		m := fitReleased(t, p, ReleasedOptions{Rule: rule, Compat: rule == RuleHybrid})
		var file bytes.Buffer
		if err := Save(&file, m, Provenance{Data: "test"}); err != nil {
			t.Fatal(err)
		}
		back, _, err := Load(bytes.NewReader(file.Bytes()), p.Criteria)
		if err != nil {
			t.Fatal(err)
		}
		if back.NumParams() != m.NumParams() || back.About() != m.About() {
			t.Errorf("%s: %d parameters, %q; was %d, %q", rule, back.NumParams(), back.About(), m.NumParams(), m.About())
		}
		a, b := m.Start(index(n)).(BinaryInformer), back.Start(index(n)).(BinaryInformer)
		gain := [2][]float64{make([]float64, n), make([]float64, n)}
		for i, x := range []BinaryInformer{a, b} {
			x.Observe(0, domains.At(5))
			x.Observe(3, domains.NotHeld())
			asked := []bool{0: true, 3: true, n - 1: false}
			x.BinaryInformation(gain[i], []bool{1: true, 2: true, 4: true, 5: true}, asked)
		}
		x, y := a.Infer(), b.Infer()
		x.Value[2], y.Value[2] = 0, 0 // NaN of the nominal one
		if !slices.Equal(x.Held, y.Held) || !slices.Equal(x.Value, y.Value) || !slices.Equal(gain[0], gain[1]) || !slices.Equal(x.Levels[2], y.Levels[2]) {
			t.Errorf("%s: believes %v, gains %v; believed %v, %v", rule, y, gain[1], x, gain[0])
		}
	}

	m := fitReleased(t, p, ReleasedOptions{Rule: RuleItemCFValue})
	for _, test := range []struct {
		reason string
		damage func(*releasedFile)
		want   string
	}{
		{"no such rule", func(f *releasedFile) { f.Rule = "best" }, `rule "best"`},
		{"a criterion too few", func(f *releasedFile) { f.Held = f.Held[1:] }, "entries for 6 criteria"},
		{"held by more than listed it", func(f *releasedFile) { f.Held = slices.Clone(f.Held); f.Held[0] = 1000 }, "criterion 1: held by 1000"},
		{"levels of more rows than hold it", func(f *releasedFile) { f.Levels = slices.Clone(f.Levels); f.Levels[0] = []int{1000, 0, 0, 0, 0} }, "criterion 1: levels of 1000"},
		{"a negative count", func(f *releasedFile) { f.Levels = slices.Clone(f.Levels); f.Levels[0] = []int{-1, 0, 0, 0, 0} }, "criterion 1: a level held -1"},
		{"a mean outside of the scale", func(f *releasedFile) { v := 9.; f.Value = slices.Clone(f.Value); f.Value[1] = &v }, "criterion 2: mean value"},
		{"a mean of nothing", func(f *releasedFile) { f.Value = slices.Clone(f.Value); f.Value[1] = nil }, "criterion 2: mean value"},
		{"no similarities", func(f *releasedFile) { f.Similarity = nil }, "similarity is missing"},
		{"columns of unequal lengths", func(f *releasedFile) { f.Similarity.V = f.Similarity.V[1:] }, "similarity is missing or has columns"},
		{"a pair of a criterion with itself", func(f *releasedFile) { f.Correlation.C[0] = f.Correlation.D[0] }, "correlation of criteria"},
		{"a similarity above 1", func(f *releasedFile) { f.Similarity.V[0] = 2 }, "is 2"},
		{"a correlation below -1", func(f *releasedFile) { f.Correlation.V[0] = -2 }, "is -2"},
	} {
		f := m.snapshot().(releasedFile)
		test.damage(&f)
		raw, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := restoreReleased(raw, p.Criteria); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.reason, err, test.want)
		}
	}
}

// TestFitReleasedRefuses: errors are of the data and say how to mend them.
func TestFitReleasedRefuses(t *testing.T) {
	p := densePopulation(2, 5)
	for _, test := range []struct {
		reason string
		train  Population
		rule   Rule
		want   string
	}{
		{"no rows", Population{Criteria: p.Criteria}, RulePrior, "no training profiles"},
		{"no such rule", p, "posterior", "bayesian-cf"},
	} {
		_, _, err := FitReleased(context.Background(), test.train, p, ReleasedOptions{Rule: test.rule})
		if !errors.Is(err, domains.ErrData) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.reason, err, test.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := FitReleased(ctx, p, p, ReleasedOptions{Rule: RulePrior}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestReleasedDevScore: of rows that a rule foretells well it says so.
func TestReleasedDevScore(t *testing.T) {
	p := Population{Criteria: scales(2, 5), Rows: releasedRows("1-", "2-", "3-", "4-")}
	_, candidates, err := FitReleased(context.Background(), p, p, ReleasedOptions{Rule: RuleUniform})
	if err != nil {
		t.Fatal(err)
	}
	if got := candidates[0].DevScore; math.Abs(got+math.Ln2) > 1e-12 || !candidates[0].Chosen {
		t.Errorf("uniform scores %v nats a cell, want %v", got, -math.Ln2)
	}
	_, candidates, _ = FitReleased(context.Background(), p, p, ReleasedOptions{Rule: RulePrior})
	if got := candidates[0].DevScore; got != 0 {
		t.Errorf("what is certain and true scores %v, want 0", got)
	}
	_, candidates, _ = FitReleased(context.Background(), p, Population{Criteria: p.Criteria}, ReleasedOptions{Rule: RulePrior})
	if got := candidates[0].DevScore; !math.IsNaN(got) {
		t.Errorf("without dev rows the score is %v, want NaN", got)
	}
}
