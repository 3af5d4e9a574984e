package pep

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"pepbench/domains"
	"pepbench/strategies/belief"
)

// plain hides whatever closed forms a joint belief has, so that the definition is
// enumerated.
type plain struct{ belief.Joint }

func (p plain) Clone() belief.Belief  { return plain{p.Joint.Clone().(belief.Joint)} }
func (p plain) Set(src belief.Belief) { p.Joint.Set(src.(plain).Joint) }

// bare hides that a belief is joint.
type bare struct{ belief.Belief }

func (b bare) Clone() belief.Belief  { return bare{b.Belief.Clone()} }
func (b bare) Set(src belief.Belief) { b.Belief.Set(src.(bare).Belief) }

// TestClosedFormsAreEnumeration: what beliefs work out faster equals the
// definition, after any answers and for any candidates.
func TestClosedFormsAreEnumeration(t *testing.T) {
	m, crit := world(t, 6, 400, 3)
	rapid.Check(t, func(t *rapid.T) {
		b := m.Start(setting(crit).Task.Criteria).(belief.Joint)
		candidate, asked := all(6), make([]bool, 6)
		for range rapid.IntRange(0, 3).Draw(t, "answers") {
			i := rapid.IntRange(0, 5).Draw(t, "position")
			b.Observe(i, b.Answer(i, rapid.IntRange(0, b.NumStates(i)-1).Draw(t, "state")))
			candidate[i], asked[i] = false, true
		}
		candidate[rapid.IntRange(0, 5).Draw(t, "cannot be asked")] = false
		fast, slow := scores(profileIG{}, b, crit, candidate, asked), scores(profileIG{}, plain{b}, crit, candidate, asked)
		for i := range fast {
			if candidate[i] && math.Abs(fast[i]-slow[i]) > 1e-10 {
				t.Fatalf("position %d: closed form %v, enumeration %v", i, fast[i], slow[i])
			}
			if candidate[i] && fast[i] < -1e-12 {
				t.Fatalf("position %d: information %v below 0", i, fast[i])
			}
		}
		// The latent information of the only latent variable bounds what any other
		// criterion can learn from an answer.
		for i, v := range scores(latentIG{}, b, crit, candidate, asked) {
			if candidate[i] && v < -1e-12 {
				t.Fatalf("position %d: latent information %v below 0", i, v)
			}
		}
	})
}

// TestLatentInformationBoundsPairs: the latent variable separates the criteria, so
// that no other one can learn more from an answer than it does.
func TestLatentInformationBoundsPairs(t *testing.T) {
	m, crit := world(t, 5, 400, 3)
	b := m.Start(setting(crit).Task.Criteria).(belief.LatentInformer)
	for i := range crit {
		// I(x_i; x_j) <= I(x_i; z) for every j: the latent variable separates them.
		info := b.LatentInformation(i)
		for j := range crit {
			if j == i {
				continue
			}
			candidate, asked := make([]bool, 5), all(5)
			candidate[i], asked[i], asked[j] = true, false, false
			if pair := scores(profileIG{}, plain{b}, crit, candidate, asked)[i]; pair > info+1e-12 {
				t.Errorf("I(x%d; x%d) = %v exceeds I(x%d; z) = %v", i, j, pair, i, info)
			}
		}
	}
}

// TestVarianceIsTotalVariance: for one criterion the expected drop is all of its
// variance weighted by P(held).
func TestVarianceIsTotalVariance(t *testing.T) {
	m, crit := world(t, 1, 300, 2)
	b := m.Start([]int{0}).(belief.Joint)
	want := b.Marginal(0).Held * b.Marginal(0).Variance
	if got := scores(variance{}, b, crit, all(1), make([]bool, 1))[0]; math.Abs(got-want) > 1e-12 || want <= 0 {
		t.Errorf("drop %v, want %v", got, want)
	}
}

// TestAlignmentGainByHand works the formula out for two independent criteria.
func TestAlignmentGainByHand(t *testing.T) {
	m, crit := world(t, 2, 300, 1)
	b := m.Start([]int{0, 1}).(belief.Joint)
	u := func(written []int, held, loss [2]float64) float64 {
		sum := 0.0
		for _, i := range written {
			sum += held[i] * (0.5 - loss[i])
		}
		return 50 + 100*sum/(held[0]+held[1])
	}
	ma, mb := b.Marginal(0), b.Marginal(1)
	first := 0
	if mb.Held > ma.Held {
		first = 1
	}
	before := u([]int{first}, [2]float64{ma.Held, mb.Held}, [2]float64{ma.Loss, mb.Loss})
	// Ask 0: told held at any level it is written first and exactly; told not held,
	// only 1 is left.
	want := ma.Held*u([]int{0}, [2]float64{1, mb.Held}, [2]float64{0, mb.Loss}) +
		(1-ma.Held)*u([]int{1}, [2]float64{0, mb.Held}, [2]float64{0, mb.Loss}) - before
	got := scores(alignmentGain{MaxCriteria: 1}, b, crit, []bool{true, false}, make([]bool, 2))[0]
	if math.Abs(got-want) > 1e-9 {
		t.Errorf("gain %v, by hand %v", got, want)
	}
}

// TestBinaryIGOfAJointBelief compares with the formula written out.
func TestBinaryIGOfAJointBelief(t *testing.T) {
	m, crit := world(t, 5, 400, 3)
	b := m.Start(setting(crit).Task.Criteria)
	inf := b.Infer()
	got := scores(binaryIG{}, b, crit, all(5), make([]bool, 5))
	for c := range crit {
		after := func(cell domains.Cell) (h float64) {
			f := b.Clone()
			f.Observe(c, cell)
			g := f.Infer()
			for j := range crit {
				if j != c {
					h += bits(g.Held[j])
				}
			}
			return h
		}
		want := 0.0
		for j := range crit {
			if j != c {
				want += bits(inf.Held[j])
			}
		}
		p := inf.Held[c]
		want -= p*after(domains.At(inf.Value[c])) + (1-p)*after(domains.NotHeld())
		if math.Abs(got[c]-want) > 1e-12 {
			t.Errorf("score of %d is %v, the formula gives %v", c, got[c], want)
		}
	}
}

// gainless is a belief to which no answer tells anything, with given P(held).
type gainless struct {
	belief.Belief
	p []float64
}

func (g gainless) Marginals(held, value []float64) {
	copy(held, g.p)
	for i := range value {
		value[i] = 3
	}
}
func (g gainless) Len() int                  { return len(g.p) }
func (g gainless) Observe(int, domains.Cell) {}
func (g gainless) Clone() belief.Belief      { return g }
func (g gainless) Set(belief.Belief)         {}

func TestBinaryIGFallsBack(t *testing.T) {
	crit := make([]domains.Criterion, 3)
	for _, row := range []struct {
		reason string
		p      []float64
		want   int
	}{
		{"all outside the range: the one nearest to 1/2", []float64{0.001, 0.008, 0.999}, 1},
		{"a gain of 0 is a gain: the first one inside the range", []float64{0.001, 0.02, 0.5}, 1},
		{"nearest to 1/2, the first of equals", []float64{0.995, 0.005, 0.995}, 0},
	} {
		got := scores(binaryIG{}, gainless{p: row.p}, crit, all(3), make([]bool, 3))
		if q := choose(got, all(3), 0); q != row.want {
			t.Errorf("%s: scores %v choose %d, want %d", row.reason, got, q, row.want)
		}
	}
}

// TestLookaheadIsEnumeration: with a beam as wide as the task the two-step score is
// its definition.
func TestLookaheadIsEnumeration(t *testing.T) {
	m, crit := world(t, 4, 300, 2)
	b := m.Start(setting(crit).Task.Criteria).(belief.Joint)
	base := scores(profileIG{}, b, crit, all(4), make([]bool, 4))
	got := scores(lookahead{profileIG{}, 4}, b, crit, all(4), make([]bool, 4))
	for c := range crit {
		want := base[c]
		for s, p := range b.States(nil, c) {
			f := b.Clone()
			f.Observe(c, b.Answer(c, s))
			candidate, asked := all(4), make([]bool, 4)
			candidate[c], asked[c] = false, true
			next := scores(profileIG{}, f, crit, candidate, asked)
			want += p * next[choose(next, candidate, 0)]
		}
		if math.Abs(got[c]-want) > 1e-12 {
			t.Errorf("score of %d is %v, the definition gives %v", c, got[c], want)
		}
	}
	narrow := scores(lookahead{profileIG{}, 1}, b, crit, all(4), make([]bool, 4))
	best := choose(base, all(4), 0)
	for i, v := range narrow {
		if (i == best) == math.IsInf(v, -1) {
			t.Errorf("a beam of one scores %d with %v; the best single step is %d", i, v, best)
		}
	}
}

func TestChecks(t *testing.T) {
	m, crit := world(t, 4, 300, 2)
	j := m.Start(setting(crit).Task.Criteria)
	nominal := append([]domains.Criterion{}, crit...)
	nominal[1].Scale = domains.Nominal
	for _, row := range []struct {
		reason string
		name   string
		b      belief.Belief
		crit   []domains.Criterion
		ok     bool
	}{
		{"marginals are enough", "binary-ig", bare{j}, crit, true},
		{"marginals are enough", "uncertainty", bare{j}, nominal, true},
		{"anything can be drawn", "random", bare{j}, nominal, true},
		{"values are added up", "greedy-ev", bare{j}, nominal, false},
		{"values are added up", "fixed", bare{j}, nominal, false},
		{"values are there", "greedy-ev", bare{j}, crit, true},
		{"a heuristic has no states", "profile-ig", bare{j}, crit, false},
		{"a heuristic has no variance", "variance", bare{j}, crit, false},
		{"a heuristic has no losses", "alignment-gain", bare{j}, crit, false},
		{"no latent variable", "latent-ig", plain{j.(belief.Joint)}, crit, false},
		{"a mixture has one", "latent-ig", j, nominal, true},
		{"a joint model has states", "profile-ig", plain{j.(belief.Joint)}, nominal, true},
	} {
		for _, beam := range []int{0, 2} {
			a, err := Lookup(row.name, Options{Beam: beam})
			if beam > 0 && (row.name == "random" || row.name == "fixed") {
				if err == nil {
					t.Errorf("%s with lookahead is accepted", row.name)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			err = a.Check(row.b, row.crit)
			if (err == nil) != row.ok || err != nil && !errors.Is(err, ErrUndefined) {
				t.Errorf("%s, beam %d: %s: %v", row.name, beam, row.reason, err)
			}
		}
	}
	if _, err := Lookup("profile-gain", Options{}); err == nil {
		t.Error("an unknown name is accepted")
	}
	if _, err := Lookup("profile-ig", Options{Beam: -1}); err == nil {
		t.Error("a negative beam is accepted")
	}
}

// TestStops: a rule stops where nothing is worth its price, and its twin at one
// place for everybody.
func TestStops(t *testing.T) {
	m, crit := world(t, 6, 400, 3)
	set := setting(crit)
	set.Budget = 6
	held := func(int) domains.Cell { return domains.At(1) }
	most := scores(profileIG{}, m.Start(set.Task.Criteria), crit, all(6), make([]bool, 6))
	top := most[choose(most, all(6), 0)]
	for _, row := range []struct {
		reason      string
		stop        *Stop
		least, most int
	}{
		{"no rule: all that can be asked", nil, 6, 6},
		{"nothing is worth more than the first question", &Stop{Least: top * 1.01}, 0, 0},
		{"the first question is", &Stop{Least: top * 0.99}, 1, 6},
		{"everything is worth less than nothing", &Stop{Least: math.Inf(-1)}, 6, 6},
		{"no question is worth 100 points of alignment", &Stop{By: alignmentGain{MaxCriteria: 6}, Least: 100}, 0, 0},
		{"a question for a little alignment", &Stop{By: alignmentGain{MaxCriteria: 6}, Least: 0.1}, 1, 6},
	} {
		r := Rule{Model: m, Acquisition: profileIG{}, Stop: row.stop}
		if got := len(ask(t, New(r, nil), set, held)); got < row.least || got > row.most {
			t.Errorf("%s: %d questions, want %d to %d", row.reason, got, row.least, row.most)
		}
		twin := staticOf(NewTwin(r, 1))
		a, b := ask(t, twin, set, held), ask(t, twin, set, func(int) domains.Cell { return domains.NotHeld() })
		if len(a) != len(b) || len(a) < row.least || len(a) > row.most {
			t.Errorf("%s: the twin asks %d questions of one and %d of another, want %d to %d", row.reason, len(a), len(b), row.least, row.most)
		}
	}
}

// TestEveryAcquisitionAsks: each one, and its twin, goes through a session without
// asking twice, on levels with and without order.
func TestEveryAcquisitionAsks(t *testing.T) {
	m, crit := world(t, 6, 300, 2)
	set := setting(crit)
	for _, name := range names() {
		for _, beam := range []int{0, 3} {
			a, err := Lookup(name, Options{MaxCriteria: 3, Beam: beam})
			if err != nil {
				continue // random and fixed with a beam; see TestChecks
			}
			set.Rand = rand.New(rand.NewPCG(1, 2))
			r := Rule{Model: m, Acquisition: a}
			answer := func(i int) domains.Cell {
				if i%2 == 0 {
					return domains.NotHeld()
				}
				return domains.At(2)
			}
			if got := ask(t, New(r, nil), set, answer); len(got) != 5 {
				t.Errorf("%s, beam %d: asked %v", name, beam, got)
			}
			if got := ask(t, staticOf(NewTwin(r, 1)), set, answer); len(got) != 5 {
				t.Errorf("twin of %s, beam %d: asked %v", name, beam, got)
			}
		}
	}
}

// TestRandomDraws: the random acquisition asks in an order of the session's own.
func TestRandomDraws(t *testing.T) {
	m, crit := world(t, 8, 300, 2)
	set := setting(crit)
	s := New(Rule{Model: m, Acquisition: random{}}, nil)
	orders := map[string]bool{}
	for k := range uint64(30) {
		set.Rand = rand.New(rand.NewPCG(k, 5))
		orders[fmtInts(ask(t, s, set, func(int) domains.Cell { return domains.NotHeld() }))] = true
		set.Rand = rand.New(rand.NewPCG(k, 5))
		orders[fmtInts(ask(t, s, set, func(int) domains.Cell { return domains.At(1) }))] = true
	}
	if len(orders) < 25 || len(orders) > 30 { // answers change nothing; 6720 orders, 30 drawn
		t.Errorf("%d orders in 30 sessions of either answer", len(orders))
	}
}
