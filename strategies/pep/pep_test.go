package pep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"pepbench/domains"
	"pepbench/strategies"
	"pepbench/strategies/belief"
)

// world is a small population with two kinds of users, so that answers matter.
func world(t testing.TB, n, rows int, classes int) (*belief.LatentClass, []domains.Criterion) {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, uint64(n)))
	p := belief.Population{}
	for i := range n {
		c := domains.Criterion{ID: fmt.Sprintf("c%d", i), Name: fmt.Sprintf("criterion %d", i), Question: "?"}
		for l := range 3 {
			c.Levels = append(c.Levels, domains.Level{Value: float64(l + 1)})
		}
		p.Criteria = append(p.Criteria, c)
	}
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	for range rows {
		side := rng.IntN(2)
		cells := make([]domains.Cell, n)
		for i := range cells {
			cells[i] = domains.NotHeld()
			if rng.Float64() < 0.15+0.6*float64((i+side)%2) {
				cells[i] = domains.At(float64(1 + (side*2+rng.IntN(2))%3))
			}
		}
		p.Rows = append(p.Rows, belief.Row{Index: index, Cells: cells})
	}
	opt := belief.DefaultLatentClass
	opt.Classes = []int{classes}
	m, _, err := belief.FitLatentClass(context.Background(), p, belief.Population{Criteria: p.Criteria}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return m, p.Criteria
}

func setting(criteria []domains.Criterion) strategies.Setting {
	s := strategies.Setting{Task: domains.Task{ID: "t"}, Criteria: criteria, Budget: 5, User: "u"}
	for i := range criteria {
		s.Task.Criteria = append(s.Task.Criteria, i)
	}
	return s
}

// scores rates the candidates after whatever b was told.
func scores(a Acquisition, b belief.Belief, crit []domains.Criterion, candidate, asked []bool) []float64 {
	t := NewTurn(b, crit, rand.New(rand.NewPCG(1, 1)))
	copy(t.Candidate, candidate)
	copy(t.Asked, asked)
	out := make([]float64, len(candidate))
	a.Score(out, t)
	return out
}

func all(n int) []bool {
	return slices.Repeat([]bool{true}, n)
}

// TestProfileIGIsEnumeration compares the score with its definition written out
// over fresh beliefs.
func TestProfileIGIsEnumeration(t *testing.T) {
	m, crit := world(t, 5, 400, 3)
	n := len(crit)
	index := setting(crit).Task.Criteria
	entropy := func(b belief.Joint, i int) float64 {
		h := 0.0
		for _, p := range b.States(nil, i) {
			if p > 0 {
				h -= p * math.Log(p)
			}
		}
		return h
	}
	b := m.Start(index).(belief.Joint)
	asked := make([]bool, n)
	for range 3 {
		candidate := all(n)
		for i := range asked {
			candidate[i] = !asked[i]
		}
		got := scores(profileIG{}, b, crit, candidate, asked)
		for c := range n {
			if asked[c] {
				continue
			}
			want := 0.0
			for o := range n {
				if o == c || asked[o] {
					continue
				}
				want += entropy(b, o)
				for s, p := range b.States(nil, c) {
					f := b.Clone().(belief.Joint)
					f.Observe(c, b.Answer(c, s))
					want -= p * entropy(f, o)
				}
			}
			if math.Abs(got[c]-want) > 1e-12 {
				t.Errorf("asked %v: score of %d is %v, the definition gives %v", asked, c, got[c], want)
			}
			if got[c] < -1e-12 {
				t.Errorf("asked %v: information gain of %d is %v; that of a coherent model is not negative", asked, c, got[c])
			}
		}
		q := choose(got, candidate, tieWidth)
		b.Observe(q, b.Answer(q, 1))
		asked[q] = true
	}
}

// TestIndependenceHasNothingToGain: with one class, answers teach nothing about
// other criteria.
func TestIndependenceHasNothingToGain(t *testing.T) {
	m, crit := world(t, 6, 300, 1)
	for _, a := range []Acquisition{profileIG{}, latentIG{}} {
		got := scores(a, m.Start(setting(crit).Task.Criteria), crit, all(6), make([]bool, 6))
		for i, g := range got {
			if math.Abs(g) > 1e-12 {
				t.Errorf("%T: gain of %d is %v under independence", a, i, g)
			}
		}
		if q := choose(got, all(6), tieWidth); q != 0 {
			t.Errorf("%T: among equal scores position %d was chosen, want the lowest", a, q)
		}
	}
}

func TestChoose(t *testing.T) {
	for _, row := range []struct {
		reason    string
		score     []float64
		candidate []bool
		want      int
	}{
		{"the largest wins", []float64{1, 3, 2}, []bool{true, true, true}, 1},
		{"what cannot be asked does not count", []float64{1, 3, 2}, []bool{true, false, true}, 2},
		{"the lowest of equals", []float64{0, 2, 2}, []bool{true, true, true}, 1},
		{"rounding does not decide", []float64{0, 2, 2 + 1e-15}, []bool{true, true, true}, 1},
		{"nothing to ask", []float64{1}, []bool{false}, -1},
	} {
		if got := choose(row.score, row.candidate, tieWidth); got != row.want {
			t.Errorf("%s: got %d, want %d", row.reason, got, row.want)
		}
	}
}

// ask runs a session with the given answers and returns the questions.
func ask(t *testing.T, s strategies.Strategy, set strategies.Setting, answer func(int) domains.Cell) []int {
	t.Helper()
	return asks(t, s, set, answer)
}

func asks(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, s strategies.Strategy, set strategies.Setting, answer func(int) domains.Cell,
) []int {
	e := s.Begin(set)
	var out []int
	for {
		q, err := e.Next(context.Background())
		if errors.Is(err, strategies.ErrDone) || len(out) == set.Budget {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(out, q.Position) {
			t.Fatalf("position %d asked twice: %v", q.Position, out)
		}
		out = append(out, q.Position)
		e.Observe(q, domains.Answer{Cell: answer(q.Position)})
	}
}

func TestAsksWhatCanBeAsked(t *testing.T) {
	m, crit := world(t, 6, 300, 2)
	set := setting(crit)
	set.Askable = []bool{false, true, false, true, true, false}
	set.Budget = 10
	for name, s := range map[string]strategies.Strategy{
		"pep":  New(Rule{Model: m, Acquisition: profileIG{}}, nil),
		"twin": strategies.Static{Order: NewTwin(Rule{Model: m, Acquisition: profileIG{}}, 1)},
	} {
		got := ask(t, s, set, func(int) domains.Cell { return domains.NotHeld() })
		slices.Sort(got)
		if !slices.Equal(got, []int{1, 3, 4}) {
			t.Errorf("%s asked %v, askable are 1, 3 and 4", name, got)
		}
	}
}

// TestTwinIsStaticAndStartsLikePep: whatever is answered, the twin asks the same;
// before any answer both maximise the same score.
func TestTwinIsStaticAndStartsLikePep(t *testing.T) {
	m, crit := world(t, 7, 500, 3)
	set := setting(crit)
	twin := strategies.Static{Order: NewTwin(Rule{Model: m, Acquisition: profileIG{}}, 1)}
	yes := ask(t, twin, set, func(int) domains.Cell { return domains.At(1) })
	no := ask(t, twin, set, func(int) domains.Cell { return domains.NotHeld() })
	if !slices.Equal(yes, no) {
		t.Errorf("twin asks %v after yes and %v after no", yes, no)
	}
	pep := ask(t, New(Rule{Model: m, Acquisition: profileIG{}}, nil), set, func(int) domains.Cell { return domains.At(1) })
	if pep[0] != yes[0] {
		t.Errorf("first question of pep is %d, of its twin %d", pep[0], yes[0])
	}
	if again := ask(t, strategies.Static{Order: NewTwin(Rule{Model: m, Acquisition: profileIG{}}, 1)}, set, func(int) domains.Cell { return domains.At(1) }); !slices.Equal(again, yes) {
		t.Errorf("a second twin asks %v, the first %v", again, yes)
	}
}

// TestTwinIsTheSameHoweverItIsBuilt: orders are extended on demand by sessions
// that run at once.
func TestTwinIsTheSameHoweverItIsBuilt(t *testing.T) {
	m, crit := world(t, 8, 300, 2)
	want := ask(t, strategies.Static{Order: NewTwin(Rule{Model: m, Acquisition: profileIG{}}, 1)}, setting(crit), func(int) domains.Cell { return domains.NotHeld() })
	twin := NewTwin(Rule{Model: m, Acquisition: profileIG{}}, 1)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := ask(t, strategies.Static{Order: twin}, setting(crit), func(int) domains.Cell { return domains.At(2) }); !slices.Equal(got, want) {
				t.Errorf("built at once: %v, alone: %v", got, want)
			}
		})
	}
	wg.Wait()
}

// TestMemoChangesNothing: a session that finds its picks in the memo equals one
// that does not.
func TestMemoChangesNothing(t *testing.T) {
	m, crit := world(t, 7, 500, 3)
	warm := New(Rule{Model: m, Acquisition: profileIG{}}, nil)
	answer := func(i int) domains.Cell {
		if i%2 == 0 {
			return domains.At(2)
		}
		return domains.NotHeld()
	}
	first := ask(t, warm, setting(crit), answer)
	if again := ask(t, warm, setting(crit), answer); !slices.Equal(first, again) {
		t.Errorf("with memo %v, without %v", again, first)
	}
	other := ask(t, warm, setting(crit), func(int) domains.Cell { return domains.At(3) })
	if fresh := ask(t, New(Rule{Model: m, Acquisition: profileIG{}}, nil), setting(crit), func(int) domains.Cell { return domains.At(3) }); !slices.Equal(other, fresh) {
		t.Errorf("another history: with memo %v, without %v", other, fresh)
	}
}

func TestTopScores(t *testing.T) {
	m, crit := world(t, 7, 300, 2)
	e := New(Rule{Model: m, Acquisition: profileIG{}}, nil).Begin(setting(crit))
	q, err := e.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	top := e.(strategies.Scorer).Top(5)
	if len(top) != 5 || top[0].Score < top[4].Score {
		t.Errorf("top scores %v: want five, best first", top)
	}
	if !slices.ContainsFunc(top[:2], func(s strategies.Scored) bool { return s.Position == q.Position }) {
		t.Errorf("asked %d, top scores %v", q.Position, top)
	}
}

func BenchmarkSelect(b *testing.B) {
	for _, n := range []int{25, 36} {
		m, crit := world(b, n, 2000, 8)
		t := NewTurn(m.Start(setting(crit).Task.Criteria), crit, nil)
		copy(t.Candidate, all(n))
		score := make([]float64, n)
		for _, name := range names() {
			if name == "random" {
				continue
			}
			a, err := Lookup(name, Options{MaxCriteria: 6})
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("acquisition=%s/c=%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				a.Score(score, t)
				for b.Loop() {
					a.Score(score, t)
				}
			})
		}
	}
}

func staticOf(o strategies.Order) strategies.Strategy { return strategies.Static{Order: o} }

func fmtInts(x []int) string { return fmt.Sprint(x) }
