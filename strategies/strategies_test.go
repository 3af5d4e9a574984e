package strategies

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
)

// setting is a task "t" that admits n criteria of a data set with twice as many:
// those of even index. The last criterion is nominal.
func setting(n int) Setting {
	s := Setting{Task: domains.Task{ID: "t"}, Budget: n, User: "u", Seed: 1, Rand: rand.New(rand.NewPCG(1, 1))}
	for i := range n {
		c := domains.Criterion{ID: fmt.Sprintf("c%d", i), Name: fmt.Sprintf("criterion %d", i), Question: fmt.Sprintf("What about %d?", i)}
		for l := range 5 {
			c.Levels = append(c.Levels, domains.Level{Value: float64(l + 1)})
		}
		if i == n-1 {
			c.Scale = domains.Nominal
			for l := range c.Levels {
				c.Levels[l].Value = float64(l)
			}
		}
		s.Criteria = append(s.Criteria, c)
		s.Task.Criteria = append(s.Task.Criteria, 2*i)
	}
	return s
}

// answer draws any answer to question i: not held, held at a level, or nothing.
func answer(rng *rand.Rand, s *Setting, i int) domains.Answer {
	switch rng.IntN(3) {
	case 0:
		return domains.Answer{Cell: domains.NotHeld()}
	case 1:
		return domains.Answer{Cell: domains.Missing()}
	}
	return domains.Answer{Cell: domains.At(s.Criteria[i].Levels[rng.IntN(5)].Value)}
}

// asked lets a strategy ask until it is done, giving random answers.
func asked(t testing.TB, st Strategy, s Setting, rng *rand.Rand) []int {
	t.Helper()
	e := st.Begin(s)
	out := []int{}
	for {
		q, err := e.Next(context.Background())
		if errors.Is(err, ErrDone) {
			break
		}
		if err != nil || len(out) > len(s.Criteria) {
			t.Errorf("after %v: %v", out, err)
			return out
		}
		if want := s.Criteria[q.Position].Question; q.Text != want {
			t.Errorf("question %d is put as %q, want %q", q.Position, q.Text, want)
		}
		out = append(out, q.Position)
		e.Observe(q, answer(rng, &s, q.Position))
	}
	for range 3 { // done is done
		if q, err := e.Next(context.Background()); !errors.Is(err, ErrDone) {
			t.Errorf("after it was done it asks %v, %v", q, err)
		}
	}
	return out
}

func randomly(n uint64) *rand.Rand { return rand.New(rand.NewPCG(n, 7)) }

// turning is an order that depends on the task's name alone.
type turning struct{}

func (turning) At(s *Setting, n int) (int, bool) {
	k := len(s.Criteria)
	return (n + len(s.Task.ID)) % max(k, 1), n < k
}

// stubborn names some positions again and again.
type stubborn []int

func (o stubborn) At(_ *Setting, n int) (int, bool) { return o[n%len(o)], n < 5*len(o) }

func TestQuestions(t *testing.T) {
	none := []int{}
	for _, row := range []struct {
		reason   string
		strategy Strategy
		askable  []bool
		want     []int // nil: any order of what can be asked
	}{
		{"the floor asks nothing", None{}, nil, none},
		{"nor does the ceiling", Oracle{}, nil, none},
		{"a static order is kept", Static{Order: turning{}}, nil, []int{1, 2, 3, 0}},
		{"what cannot be asked is skipped, not waited for", Static{Order: turning{}}, []bool{true, false, true, false}, []int{2, 0}},
		{"nothing can be asked", Static{Order: turning{}}, make([]bool, 4), none},
		{"a position that the order names again is asked once", Static{Order: stubborn{2, 0, 2}}, nil, []int{2, 0}},
		{"a list is asked in its order", Static{Order: Listed{4, 0}}, nil, []int{2, 0}},
		{"what the task does not admit is left out", Static{Order: Listed{1, 4, 3, 99, 0}}, nil, []int{2, 0}},
		{"what is listed twice is asked once", Static{Order: Listed{4, 4, 0, 4}}, nil, []int{2, 0}},
		{"an empty list asks nothing", Static{Order: Listed{}}, nil, none},
		{"a list skips what cannot be asked", Static{Order: Listed{6, 4, 0}}, []bool{true, true, false, true}, []int{3, 0}},
		{"random asks everything once", Random{}, nil, nil},
		{"random skips what cannot be asked", Random{}, []bool{false, true, true, false}, nil},
		{"random with nothing to ask", Random{}, make([]bool, 4), none},
	} {
		t.Run(row.reason, func(t *testing.T) {
			s := setting(4)
			s.Askable = row.askable
			got := asked(t, row.strategy, s, randomly(1))
			want := row.want
			if want == nil {
				for i := range s.Criteria {
					if s.CanAsk(i) {
						want = append(want, i)
					}
				}
				slices.Sort(got)
			}
			if !slices.Equal(got, want) {
				t.Errorf("asked %v, want %v", got, want)
			}
		})
	}
	for _, st := range []Strategy{None{}, Oracle{}, Random{}, Static{Order: turning{}}, Static{Order: Listed{0}}} {
		if got := asked(t, st, Setting{}, randomly(1)); len(got) != 0 {
			t.Errorf("%T asks %v of a task without criteria", st, got)
		}
	}
}

// TestAnswersChangeNothing: random and static orders are the same whatever is
// answered, for any set of askable positions.
func TestAnswersChangeNothing(t *testing.T) {
	for _, st := range []Strategy{Random{}, Static{Order: turning{}}, Static{Order: Listed{8, 2, 0, 14, 6}}} {
		for k := range uint64(200) {
			rng := randomly(k)
			s := setting(1 + rng.IntN(12))
			s.User, s.Seed = fmt.Sprint("user ", k), rng.IntN(5)
			if k%2 == 0 {
				s.Askable = make([]bool, len(s.Criteria))
				for i := range s.Askable {
					s.Askable[i] = rng.IntN(3) > 0
				}
			}
			first := asked(t, st, s, randomly(k))
			s.Rand = randomly(k + 1000) // not even the session's own randomness
			if second := asked(t, st, s, randomly(k+500)); !slices.Equal(first, second) {
				t.Fatalf("%T: after some answers %v, after others %v", st, first, second)
			}
			for i, p := range first {
				if !s.CanAsk(p) || slices.Contains(first[:i], p) {
					t.Fatalf("%T: question %d of %v cannot be asked or comes again", st, i, first)
				}
			}
		}
	}
}

// TestRandomOrders: the users of a task share exactly twenty orders, and seed and
// task decide which.
func TestRandomOrders(t *testing.T) {
	const criteria, users = 10, 1000 // 10! orders: twenty drawn at random are different ones
	draw := func(seed int, task string) map[string]int {
		orders := map[string]int{}
		for u := range users {
			s := setting(criteria)
			s.Seed, s.Task.ID, s.User = seed, task, fmt.Sprint("u", u)
			s.Rand = nil // it needs none
			orders[fmt.Sprint(asked(t, Random{}, s, randomly(uint64(u))))]++
		}
		return orders
	}
	seen := map[string]string{}
	for _, row := range []struct {
		reason string
		seed   int
		task   string
	}{{"a seed and a task", 1, "t"}, {"another seed", 2, "t"}, {"another task", 1, "v"}, {"seed zero", 0, "t"}} {
		orders := draw(row.seed, row.task)
		if len(orders) != RandomOrders || RandomOrders != 20 {
			t.Errorf("%s: %d orders among %d users, want %d", row.reason, len(orders), users, RandomOrders)
		}
		for o, n := range orders {
			if before, ok := seen[o]; ok {
				t.Errorf("%s: order %s occurs with %s, too", row.reason, o, before)
			}
			seen[o] = row.reason
			if n < 15 || n > 85 { // 50 are expected, give or take 7
				t.Errorf("%s: order %s has %d of %d users", row.reason, o, n, users)
			}
		}
		again := draw(row.seed, row.task)
		for o, n := range orders {
			if again[o] != n {
				t.Errorf("%s: order %s had %d users and has %d", row.reason, o, n, again[o])
			}
		}
	}
	// A user keeps the number of the order across seeds, so that two users who
	// share an order under one seed share it under each.
	together := func(seed int) []bool {
		var out []bool
		for u := range 60 {
			s, first := setting(criteria), setting(criteria)
			s.Seed, first.Seed = seed, seed
			s.User, first.User = fmt.Sprint("u", u), "u0"
			out = append(out, slices.Equal(asked(t, Random{}, s, randomly(1)), asked(t, Random{}, first, randomly(1))))
		}
		return out
	}
	if !slices.Equal(together(1), together(2)) {
		t.Error("which users share an order depends on the seed")
	}
}

// TestOnlyTheOracleIsTold: no other strategy can be given a profile.
func TestOnlyTheOracleIsTold(t *testing.T) {
	for _, row := range []struct {
		reason   string
		strategy Strategy
		want     bool
	}{
		{"the floor knows nothing", None{}, false},
		{"random asks", Random{}, false},
		{"static asks", Static{Order: turning{}}, false},
		{"a list asks", Static{Order: Listed{0}}, false},
		{"a log asks", Replay{Log: &ReplayLog{mode: ReplayTrajectory}}, false},
		{"a model asks", Asker{Told: ToldCriteria}, false},
		{"the ceiling is told", Oracle{}, true},
	} {
		if _, ok := row.strategy.Begin(setting(3)).(Revealer); ok != row.want {
			t.Errorf("%s: %T can be told the profile: %v", row.reason, row.strategy, ok)
		}
	}
}

func TestOracleRevealsExactly(t *testing.T) {
	s := setting(5)
	e := Oracle{}.Begin(s)
	unknown := domains.NewInference(5)
	unknown.Levels = make([][]float64, 5)
	if got := e.Infer(); !equal(got, unknown) {
		t.Errorf("before it is told, it says %v", got)
	}
	p := domains.Profile{
		Cells:   []domains.Cell{domains.At(1), domains.NotHeld(), domains.Missing(), domains.At(5), domains.At(2)},
		Weights: []float64{0.5, 0, 0, 0.25, 0.25},
	}
	e.(Revealer).Reveal(p)
	want := domains.Inference{
		Held:   []float64{1, 0, math.NaN(), 1, 1},
		Value:  []float64{1, math.NaN(), math.NaN(), 5, 2},
		Levels: [][]float64{nil, nil, nil, nil, {0, 0, 1, 0, 0}},
	}
	if got := e.Infer(); !equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	e.Observe(Ask(&s, 0), domains.Answer{Cell: domains.NotHeld()})
	if got := e.Infer(); !equal(got, want) {
		t.Errorf("an answer changes what it was told: %v", got)
	}
}

// equal compares inferences; NaN equals NaN, and no levels are not levels of nothing.
func equal(a, b domains.Inference) bool {
	row := func(x, y []float64) bool {
		return (x == nil) == (y == nil) && slices.EqualFunc(x, y, func(v, w float64) bool { return v == w || math.IsNaN(v) && math.IsNaN(w) })
	}
	return row(a.Held, b.Held) && row(a.Value, b.Value) && (a.Levels == nil) == (b.Levels == nil) && slices.EqualFunc(a.Levels, b.Levels, row)
}

// TestToldAndNothingElse: without a predictor, an inference is what was said.
func TestToldAndNothingElse(t *testing.T) {
	nan := math.NaN()
	type reply struct {
		position int
		cell     domains.Cell
	}
	for _, row := range []struct {
		reason  string
		nominal bool
		replies []reply
		want    domains.Inference
	}{
		{"nothing was said", false, nil, domains.Inference{Held: []float64{nan, nan, nan}, Value: []float64{nan, nan, nan}}},
		{"held", false, []reply{{1, domains.At(4)}}, domains.Inference{Held: []float64{nan, 1, nan}, Value: []float64{nan, 4, nan}}},
		{"not held: of a value nothing is known", false, []reply{{0, domains.NotHeld()}}, domains.Inference{Held: []float64{0, nan, nan}, Value: []float64{nan, nan, nan}}},
		{"nothing to say teaches nothing", false, []reply{{0, domains.Missing()}}, domains.Inference{Held: []float64{nan, nan, nan}, Value: []float64{nan, nan, nan}}},
		{"several", false, []reply{{2, domains.At(1)}, {0, domains.NotHeld()}, {1, domains.Missing()}}, domains.Inference{Held: []float64{0, nan, 1}, Value: []float64{nan, nan, 1}}},
		{"a nominal level of nobody yet", true, []reply{{0, domains.At(3)}}, domains.Inference{Held: []float64{1, nan, nan}, Value: []float64{3, nan, nan}, Levels: make([][]float64, 3)}},
		{"a nominal level is certain", true, []reply{{2, domains.At(3)}}, domains.Inference{Held: []float64{nan, nan, 1}, Value: []float64{nan, nan, 3}, Levels: [][]float64{nil, nil, {0, 0, 0, 1, 0}}}},
		{"a nominal criterion that is not held", true, []reply{{2, domains.NotHeld()}}, domains.Inference{Held: []float64{nan, nan, 0}, Value: []float64{nan, nan, nan}, Levels: make([][]float64, 3)}},
		{"a nominal criterion of which nothing was said", true, []reply{{2, domains.Missing()}}, domains.Inference{Held: []float64{nan, nan, nan}, Value: []float64{nan, nan, nan}, Levels: make([][]float64, 3)}},
	} {
		for _, st := range []Strategy{None{}, Random{}, Static{Order: turning{}}} {
			s := setting(4)
			s.Criteria, s.Task.Criteria = s.Criteria[:3], s.Task.Criteria[:3]
			if row.nominal {
				s = setting(3)
			}
			e := st.Begin(s)
			for _, r := range row.replies {
				e.Observe(Ask(&s, r.position), domains.Answer{Cell: r.cell})
			}
			if got := e.Infer(); !equal(got, row.want) {
				t.Errorf("%s: %T infers %v, want %v", row.reason, st, got, row.want)
			}
		}
	}

	// The inference is the caller's: what is done to it or learnt later is apart.
	s := setting(2)
	e := None{}.Begin(s)
	e.Observe(Ask(&s, 1), domains.Answer{Cell: domains.At(2)})
	kept := e.Infer()
	kept.Held[1], kept.Levels[1][2] = 0.5, 0.5
	e.Observe(Ask(&s, 0), domains.Answer{Cell: domains.At(5)})
	if now := e.Infer(); now.Held[1] != 1 || now.Levels[1][2] != 1 || !math.IsNaN(kept.Held[0]) {
		t.Errorf("an inference that was given away changed to %v, or the elicitor's to %v", kept, now)
	}
}

// crystal is a predictor that keeps what it was told and says something of its own.
type crystal struct {
	seen []string
	n    int
}

func (c *crystal) Observe(position int, cell domains.Cell) {
	c.seen = append(c.seen, fmt.Sprintf("%d=%v", position, cell))
}

func (c *crystal) Infer() domains.Inference {
	inf := domains.NewInference(c.n)
	inf.Held[0] = 0.1 * float64(1+len(c.seen))
	return inf
}

// TestPredictorPassesThrough: every strategy but the oracle hands the answers to
// the predictor of its session and gives out what that infers.
func TestPredictorPassesThrough(t *testing.T) {
	for _, row := range []struct {
		reason string
		make   func(Predict) Strategy
	}{
		{"the floor predicts without a question", func(p Predict) Strategy { return None{Predict: p} }},
		{"random", func(p Predict) Strategy { return Random{Predict: p} }},
		{"static", func(p Predict) Strategy { return Static{Order: turning{}, Predict: p} }},
	} {
		var made []*crystal
		st := row.make(func(s Setting) Predictor {
			if s.Task.ID != "t" || s.User != "u" {
				t.Errorf("%s: the predictor is told of task %q, user %q", row.reason, s.Task.ID, s.User)
			}
			c := &crystal{n: len(s.Criteria)}
			made = append(made, c)
			return c
		})
		s := setting(3)
		e, other := st.Begin(s), st.Begin(s)
		if len(made) != 2 {
			t.Fatalf("%s: two sessions made %d predictors", row.reason, len(made))
		}
		want := []string{}
		for _, cell := range []domains.Cell{domains.At(2), domains.NotHeld(), domains.Missing()} {
			q, err := e.Next(context.Background())
			if errors.Is(err, ErrDone) {
				break
			}
			e.Observe(q, domains.Answer{Cell: cell, Text: "words are not for it"})
			want = append(want, fmt.Sprintf("%d=%v", q.Position, cell))
		}
		if !slices.Equal(made[0].seen, want) || len(made[1].seen) != 0 {
			t.Errorf("%s: the predictors saw %v and %v, want %v and nothing", row.reason, made[0].seen, made[1].seen, want)
		}
		if got, want := e.Infer().Held[0], 0.1*float64(1+len(want)); got != want {
			t.Errorf("%s: P(held) %v, the predictor says %v", row.reason, got, want)
		}
		if got := other.Infer().Held[0]; got != 0.1 {
			t.Errorf("%s: the other session says %v", row.reason, got)
		}
	}
}

// TestBeginFromSeveralGoroutines: one strategy serves all sessions at once.
func TestBeginFromSeveralGoroutines(t *testing.T) {
	for _, st := range []Strategy{None{}, Oracle{}, Random{}, Static{Order: Listed{6, 0, 2, 4}}} {
		want := asked(t, st, setting(4), randomly(1))
		var wg sync.WaitGroup
		for k := range uint64(4) {
			wg.Go(func() {
				for range 20 {
					if got := asked(t, st, setting(4), randomly(k)); !slices.Equal(got, want) {
						t.Errorf("%T asked %v, want %v", st, got, want)
					}
				}
			})
		}
		wg.Wait()
	}
}

// TestEveryOrderIsUsed: whatever the ids look like, users spread over the orders;
// ids that differ in a digit must not fall together.
func TestEveryOrderIsUsed(t *testing.T) {
	criteria := 12
	for _, format := range []string{"p%03d", "u%d", "persona_%d", "%d", "R_%08d", "%x"} {
		users := map[string]int{}
		for u := range 240 {
			s := setting(criteria)
			s.User = fmt.Sprintf(format, u)
			users[fmt.Sprint(asked(t, Random{}, s, randomly(1)))]++
		}
		if len(users) != RandomOrders {
			t.Errorf("ids like %q: %d orders in use, want %d", format, len(users), RandomOrders)
		}
		for order, n := range users {
			if n > 12+5*4 { // 12 are expected, give or take 3.4
				t.Errorf("ids like %q: %d of 240 users share order %s", format, n, order)
			}
		}
	}
}
