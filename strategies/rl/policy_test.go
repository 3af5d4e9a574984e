package rl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pepbench/domains"
	"pepbench/strategies"
)

// untrained is a policy of random weights that are large enough to matter.
func untrained(env *toy, o Options) *Policy {
	l := layout{actions: len(env.criteria), words: o.Words, budget: env.budget}
	n := newNetwork(l.size(), o.Hidden, l.actions, o.Seed, "test")
	for i := range n.w2 {
		n.w2[i] *= 100
	}
	return &Policy{fileCriteria(env.criteria), l, o, n}
}

// TestFeatures: what a policy sees, by hand.
func TestFeatures(t *testing.T) {
	criteria := fives(3)
	criteria[1].Scale, criteria[1].Levels = domains.Continuous, nil
	criteria[1].Min, criteria[1].Max = 10, 30
	criteria[2].Scale = domains.Nominal
	criteria[2].Levels = []domains.Level{{Value: 0}, {Value: 1}, {Value: 2}}
	l := layout{actions: 3, words: 4, budget: 4}
	if l.size() != 5*3+1+4 {
		t.Fatalf("%d features", l.size())
	}
	set := strategies.Setting{Task: domains.Task{ID: "t", Criteria: []int{0, 1, 2}}, Criteria: criteria, Askable: []bool{true, false, true}, Budget: 4}
	var e episode
	if err := l.begin(&e, set, nil); err != nil {
		t.Fatal(err)
	}
	x := make([]float64, l.size())
	tell := func(terms []term) {
		for _, f := range terms {
			x[f.at] += f.by
		}
	}
	tell(e.start)
	check := func(reason string, want ...float64) {
		t.Helper()
		if diff := cmp.Diff(append(want, 0, 0, 0, 0), x); diff != "" {
			t.Errorf("%s: %s", reason, diff)
		}
	}
	//                           open     asked    held     not      value    spent
	check("at the start, criterion 1 cannot be asked", 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	if e.questions != 2 {
		t.Errorf("%d questions, two can be asked", e.questions)
	}
	ch := l.told(&criteria[2], 2, domains.At(1), 1)
	tell(ch.terms[:ch.n])
	check("the middle of a nominal criterion is 0", 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .25)
	ch = l.told(&criteria[0], 0, domains.NotHeld(), 2)
	tell(ch.terms[:ch.n])
	check("not held", 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, .5)
	for _, row := range []struct {
		reason string
		c      int
		cell   domains.Cell
		n      int
		want   []term
	}{
		{"an answer of nothing says only that it was asked", 0, domains.Missing(), 1, []term{{0, -1}, {3, 1}, {15, .25}}},
		{"the least value", 0, domains.At(1), 1, []term{{0, -1}, {3, 1}, {6, 1}, {12, -1}, {15, .25}}},
		{"the largest value", 0, domains.At(5), 1, []term{{0, -1}, {3, 1}, {6, 1}, {12, 1}, {15, .25}}},
		{"a continuous value", 1, domains.At(15), 1, []term{{1, -1}, {4, 1}, {7, 1}, {13, -.5}, {15, .25}}},
		{"outside of the range is at its end", 1, domains.At(99), 1, []term{{1, -1}, {4, 1}, {7, 1}, {13, 1}, {15, .25}}},
		{"past the budget of the training nothing more is spent", 0, domains.NotHeld(), 5, []term{{0, -1}, {3, 1}, {9, 1}}},
	} {
		if ch := l.told(&criteria[row.c], row.c, row.cell, row.n); !slices.Equal(ch.terms[:ch.n], row.want) {
			t.Errorf("%s: %v, want %v", row.reason, ch.terms[:ch.n], row.want)
		}
	}
	one := domains.Criterion{Levels: []domains.Level{{Value: 3}}}
	if scaled(&one, 3) != 0 {
		t.Error("a criterion of one level has no scale")
	}
}

// TestWords: a prompt is its words, whatever their case and order; more of a word is more.
func TestWords(t *testing.T) {
	l := layout{actions: 2, words: 32, budget: 1}
	a := l.wordsOf("Do this, and THAT; do it.")
	if len(a) < 4 || !slices.Equal(a, l.wordsOf("that... it (and) do-do THIS")) {
		t.Errorf("%v", a)
	}
	length := 0.0
	for _, f := range a {
		length += f.by * f.by
		if f.at < 11 || f.at >= l.size() {
			t.Errorf("feature %d", f.at)
		}
	}
	if !near(length, 1, tiny) {
		t.Errorf("length %v", length)
	}
	if two := (layout{words: 1 << 16}).wordsOf("more more less"); len(two) != 2 || !near(max(two[0].by/two[1].by, two[1].by/two[0].by), math.Log(3)/math.Log(2), tiny) {
		t.Errorf("two words of one and two: %v", two)
	}
	if l.wordsOf("...") != nil || (layout{}).wordsOf("words") != nil {
		t.Error("words of nothing")
	}
}

// TestAsksAsEvaluated: a policy in sessions does to the bit what it did in lockstep when
// dev was evaluated, drawn or not, under budgets and askable criteria that differ.
func TestAsksAsEvaluated(t *testing.T) {
	env := newToy(6, 4, 10, 150, shares(.1, .9, .5, .4, .8, .6))
	env.askable = func(i, position int) bool { return (i+position)%5 > 0 && (i%4 > 0 || position > 3) }
	for _, sample := range []bool{false, true} {
		for _, hidden := range []int{3, 70} {
			o := small(GRPO)
			o.Sample, o.Hidden = sample, hidden
			p := untrained(env, o)
			l, err := newLearner(t.Context(), env, o, nil)
			if err != nil {
				t.Fatal(err)
			}
			l.net = p.net
			want, err := l.devRewards(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s := live(p)
			s.Sample = sample
			if got := play(t, env, Dev, s); !slices.Equal(got, want) {
				t.Errorf("sample %v, hidden %d: %v, in lockstep %v", sample, hidden, got, want)
			}
			for i, path := range l.devPlayer.path {
				if len(path) != l.devPlayer.episodes[i].questions {
					t.Errorf("episode %d: %d questions of %d", i, len(path), l.devPlayer.episodes[i].questions)
				}
			}
		}
	}
}

// TestElicitor: what any strategy must do, and what a Scorer says.
func TestElicitor(t *testing.T) {
	env := newToy(6, 4, 10, 20, shares(.1, .9, .5, .4, .8, .6))
	env.askable = func(i, position int) bool { return position != 2 }
	p := untrained(env, small(GRPO))
	for _, sample := range []bool{false, true} {
		orders := map[string]bool{}
		for i := range 20 {
			set := env.Setting(Dev, i)
			s := Strategy{Policies: map[int]*Policy{0: p}, Sample: sample}
			var first []int
			for again := range 2 { // another session of the same user, whose Rand is elsewhere
				e := s.Begin(set)
				if e.(strategies.Scorer).Top(5) != nil {
					t.Error("scores before a question")
				}
				var asked []int
				for {
					q, err := e.Next(t.Context())
					if errors.Is(err, strategies.ErrDone) {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					if q.Position == 2 || slices.Contains(asked, q.Position) || q.Text != "how much?" {
						t.Fatalf("asks %+v after %v", q, asked)
					}
					before := e.(strategies.Scorer).Top(99)
					e.Observe(q, domains.Answer{Cell: env.Answer(Dev, i, q.Position)})
					top := e.(strategies.Scorer).Top(99)
					if !slices.Equal(before, top) {
						t.Errorf("scores of the last question are %v and, once it was answered, %v", before, top)
					}
					sum := 0.0
					for k, x := range top {
						sum += x.Score
						if k > 0 && x.Score > top[k-1].Score {
							t.Errorf("scores %v do not fall", top)
						}
					}
					if len(top) != 5-len(asked) || !near(sum, 1, 1e-9) || !sample && top[0].Position != q.Position {
						t.Errorf("scores %v of question %d", top, q.Position)
					}
					if two := e.(strategies.Scorer).Top(2); len(two) != min(2, len(top)) {
						t.Errorf("two best: %v", two)
					}
					asked = append(asked, q.Position)
				}
				if len(asked) != 5 {
					t.Errorf("asked %v of five that can be asked", asked)
				}
				inf := e.Infer()
				for k, c := range env.parts[Dev][i] {
					if k == 2 {
						if !math.IsNaN(inf.Held[k]) {
							t.Error("knows what it was not told")
						}
					} else if (inf.Held[k] == 1) != c.IsHeld() {
						t.Errorf("told %v, infers %v", c, inf.Held[k])
					}
				}
				if again == 0 {
					first = asked
				} else if !slices.Equal(first, asked) {
					t.Errorf("asks %v, and %v in another session of the same user", first, asked)
				}
				set.Rand.Uint64()
				orders[fmt.Sprint(asked)] = true
			}
		}
		if sample && len(orders) < 10 {
			t.Errorf("draws %d orders for 20 users", len(orders))
		}
	}
}

// TestCannotAsk: without a policy for the seed, or with one of other data, sessions end in an
// error, not in a panic.
func TestCannotAsk(t *testing.T) {
	env := newToy(3, 2, 10, 20, shares(.1, .9, .5))
	p := untrained(env, small(GRPO))
	for _, row := range []struct {
		reason string
		s      Strategy
		change func(*strategies.Setting)
		want   string
	}{
		{"no policy at all", Strategy{}, func(*strategies.Setting) {}, "no policy was trained for seed 0"},
		{"none for this seed", Strategy{Policies: map[int]*Policy{1: p}}, func(s *strategies.Setting) { s.Seed = 2 }, "no policy was trained for seed 2"},
		{"that of the seed", Strategy{Policies: map[int]*Policy{2: p}}, func(s *strategies.Setting) { s.Seed = 2 }, ""},
		{"one for all seeds", live(p), func(s *strategies.Setting) { s.Seed = 2 }, ""},
		{"a criterion beyond those of the training", live(p), func(s *strategies.Setting) { s.Task.Criteria = []int{0, 1, 3} }, "must rise"},
		{"criteria out of order", live(p), func(s *strategies.Setting) { s.Task.Criteria = []int{1, 0, 2} }, "must rise"},
		{"other criteria", live(p), func(s *strategies.Setting) {
			s.Criteria = slices.Clone(s.Criteria)
			s.Criteria[1].ID = "other"
		}, `"c01" as criterion 1`},
		{"another scale", live(p), func(s *strategies.Setting) {
			s.Criteria = slices.Clone(s.Criteria)
			s.Criteria[2].Levels = s.Criteria[2].Levels[:4]
		}, "or another scale"},
		{"criteria without indices", live(p), func(s *strategies.Setting) { s.Task.Criteria = nil }, "admits 0 criteria and comes with 3"},
		{"askable of something else", live(p), func(s *strategies.Setting) { s.Askable = []bool{true} }, "says of 1"},
	} {
		set := env.Setting(Dev, 0)
		row.change(&set)
		e := row.s.Begin(set)
		_, err := e.Next(t.Context())
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: %v", row.reason, err)
		}
		e.Observe(domains.Question{Position: 0}, domains.Answer{Cell: domains.At(3)})
		e.Infer()
		e.(strategies.Scorer).Top(3)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := live(p).Begin(env.Setting(Dev, 0)).Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestNextAllocates nothing.
func TestNextAllocates(t *testing.T) {
	env := newToy(6, 4, 10, 20, shares(.1, .9, .5, .4, .8, .6))
	s := live(untrained(env, small(GRPO)))
	s.Sample = true
	e := s.Begin(env.Setting(Dev, 0))
	if n := testing.AllocsPerRun(50, func() {
		if _, err := e.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations a question", n)
	}
}

// worded asks about nothing that is a criterion.
type worded struct{ strategies.None }

func (w worded) Begin(s strategies.Setting) strategies.Elicitor {
	return wordedElicitor{w.None.Begin(s)}
}

type wordedElicitor struct{ strategies.Elicitor }

func (wordedElicitor) Next(context.Context) (domains.Question, error) {
	return domains.Question{Position: -1}, nil
}

// TestRewards: of every episode, undefined ones as such; questions stop at the budget.
func TestRewards(t *testing.T) {
	env := newToy(3, 2, 30, 20, shares(.5, .5, .5))
	env.fault = func(_ Part, i int, asked []int) (float64, bool, error) {
		if len(asked) > 2 {
			return 0, false, fmt.Errorf("%d questions", len(asked))
		}
		return 0, i != 7, nil
	}
	got := play(t, env, Train, strategies.Static{Order: strategies.Listed{2, 0, 1}})
	for i, r := range got {
		want, _ := worth(env.parts[Train][i], []int{2, 0})
		if i == 7 {
			want = math.NaN()
		}
		if !near(r, want, 0) {
			t.Errorf("episode %d: %v, want %v", i, r, want)
		}
	}
	env.fault = nil
	if got := play(t, env, Dev, strategies.None{}); len(got) != 20 || slices.Max(got) != 0 {
		t.Errorf("who asks nothing earns nothing: %v", got)
	}
	if _, err := Rewards(t.Context(), env, Train, worded{}); err == nil || !strings.Contains(err.Error(), "about no criterion") {
		t.Errorf("a question about no criterion: %v", err)
	}
	if _, err := Rewards(t.Context(), env, Train, Strategy{}); err == nil || !strings.Contains(err.Error(), "no policy") {
		t.Errorf("a strategy that cannot ask: %v", err)
	}
	env.fault = func(Part, int, []int) (float64, bool, error) { return math.NaN(), true, nil }
	if _, err := Rewards(t.Context(), env, Train, strategies.None{}); err == nil || !strings.Contains(err.Error(), "not a finite number") {
		t.Errorf("a reward that is no number: %v", err)
	}
}

// TestClusterMean: clusters weigh the same, however many episodes they have.
func TestClusterMean(t *testing.T) {
	env := newToy(2, 1, 6, 1, shares(.5, .5))
	env.tasks = 2 // episodes 0 2 4 and 1 3 5
	nan := math.NaN()
	for _, row := range []struct {
		reason    string
		rewards   []float64
		mean      float64
		undefined int
	}{
		{"as many in each", []float64{10, 20, 10, 20, 10, 20}, 15, 0},
		{"what is undefined is in no mean", []float64{10, 20, 10, nan, 10, nan}, 15, 2},
		{"nor is a cluster of nothing", []float64{10, nan, 40, nan, 10, nan}, 20, 3},
		{"nothing at all", []float64{nan, nan, nan, nan, nan, nan}, nan, 6},
	} {
		if mean, undefined := clusterMean(env, Train, row.rewards); !near(mean, row.mean, tiny) || undefined != row.undefined {
			t.Errorf("%s: %v with %d undefined", row.reason, mean, undefined)
		}
	}
}

// patchy is a toy whose tasks admit different criteria.
type patchy struct{ *toy }

func (p patchy) Setting(part Part, i int) strategies.Setting {
	s := p.toy.Setting(part, i)
	s.Task.Criteria = [][]int{{0, 1}, {1, 2, 3}}[i%2]
	s.Criteria = nil
	for _, c := range s.Task.Criteria {
		s.Criteria = append(s.Criteria, p.criteria[c])
	}
	return s
}

func (p patchy) Cluster(_ Part, i int) int { return i % 2 }

func (p patchy) Reward(_ context.Context, part Part, i int, asked []int) (float64, bool, error) {
	var criteria []int
	for _, a := range asked {
		criteria = append(criteria, []([]int){{0, 1}, {1, 2, 3}}[i%2][a])
	}
	r, ok := worth(p.parts[part][i], criteria)
	return r, ok, nil
}

func (p patchy) Answer(part Part, i, position int) domains.Cell {
	return p.parts[part][i][[]([]int){{0, 1}, {1, 2, 3}}[i%2][position]]
}

// TestGreedyOrder: the order goes on until every task has its budget, passes over what a
// task does not admit, and the lowest of equals comes first.
func TestGreedyOrder(t *testing.T) {
	everything := func(*rand.Rand) []domains.Cell {
		return []domains.Cell{domains.At(1), domains.At(1), domains.NotHeld(), domains.At(1)}
	}
	env := patchy{newToy(4, 2, 40, 1, everything)}
	order, err := GreedyOrder(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	// 1 counts in both tasks; then 0 fills the first and 3 the second.
	if want := []int{1, 0, 3}; !slices.Equal(order, want) {
		t.Errorf("%v, want %v", order, want)
	}
	// The first rewards are those of greedy search by hand.
	plain := newToy(5, 3, 1500, 1, shares(.3, .5, .2, .6, .4))
	plain.tasks = 1
	order, err = GreedyOrder(t.Context(), plain)
	if err != nil {
		t.Fatal(err)
	}
	var want []int
	for range 3 {
		best, bestMean := -1, -1.0
		for c := range 5 {
			sum := 0.0
			for k := range MostSearched {
				r, _ := worth(plain.parts[Train][k*1500/MostSearched], append(slices.Clone(want), c))
				sum += r
			}
			if !slices.Contains(want, c) && sum > bestMean {
				best, bestMean = c, sum
			}
		}
		want = append(want, best)
	}
	if !slices.Equal(order, want) {
		t.Errorf("%v, by hand %v", order, want)
	}
	plain.fault = func(Part, int, []int) (float64, bool, error) { return 0, false, nil }
	if order, err := GreedyOrder(t.Context(), plain); err != nil || !slices.Equal(order, []int{0, 1, 2}) {
		t.Errorf("nothing has a reward: %v, %v", order, err)
	}
	plain.fault = func(Part, int, []int) (float64, bool, error) { return 0, true, errors.New("mishap") }
	if _, err := GreedyOrder(t.Context(), plain); err == nil || err.Error() != "mishap" {
		t.Errorf("an endpoint that fails: %v", err)
	}
}

// TestPolicyFiles: what is written is read, and what is no policy for the data is refused,
// each with what to do about it.
func TestPolicyFiles(t *testing.T) {
	env := newToy(3, 2, 40, 10, shares(.1, .9, .5))
	o := small(PPO)
	o.Steps, o.Evaluate, o.Hidden, o.Critic, o.Words = 4, 4, 2, 2, 1
	var checkpoint, policy bytes.Buffer
	got := train(t, env, o, Hooks{Save: func(c *Checkpoint) error {
		c.Of = "training 7"
		checkpoint.Reset()
		return c.Save(&checkpoint)
	}})
	if err := got.Policy.Save(&policy); err != nil {
		t.Fatal(err)
	}
	p, err := LoadPolicy(bytes.NewReader(policy.Bytes()), env.criteria)
	if err != nil {
		t.Fatal(err)
	}
	if p.NumParams() != (5*3+1+1)*2+2+2*3+3 || p.Options() != o || !slices.Equal(play(t, env, Dev, live(p)), play(t, env, Dev, live(got.Policy))) {
		t.Errorf("read back %d weights, %+v", p.NumParams(), p.Options())
	}
	if c, err := LoadCheckpoint(bytes.NewReader(checkpoint.Bytes()), env.criteria); err != nil || c.Of != "training 7" || c.Step != 4 {
		t.Errorf("read back %+v, %v", c, err)
	}
	other, more, nominal := fives(3), fives(3), fives(3)
	other[1].ID = "other"
	more[2].Levels = more[2].Levels[:4]
	nominal[0].Scale = domains.Nominal
	huge := func(text, field string) string { // the first number becomes 1e300
		i := strings.Index(text, field) + len(field)
		v := vector{1e300}
		b, _ := v.MarshalText()
		return text[:i] + string(b[:10]) + text[i+10:]
	}
	for _, row := range []struct {
		reason   string
		change   func(text string) string
		criteria []domains.Criterion
		want     string
	}{
		{"no JSON", func(string) string { return "hello" }, env.criteria, "not a policy file"},
		{"nothing", func(string) string { return "" }, env.criteria, "not a policy file"},
		{"torn", func(s string) string { return s[:len(s)/2] }, env.criteria, "not a policy file"},
		{"JSON of something else", func(string) string { return `{"a": 1}` }, env.criteria, `format ""`},
		{"another version", func(s string) string { return strings.Replace(s, `"version":1`, `"version":2`, 1) }, env.criteria, "version 2, this program reads 1"},
		{"something follows", func(s string) string { return s + "{}" }, env.criteria, "not a policy file"},
		{"a field that does not exist", func(s string) string { return strings.Replace(s, `"budget"`, `"more":1,"budget"`, 1) }, env.criteria, "not what this program writes"},
		{"a number that is missing", func(s string) string { return strings.Replace(s, `"rate":0.01,`, "", 1) }, env.criteria, "damaged"},
		{"an option that cannot be", func(s string) string { return strings.Replace(s, `"rate":0.01,`, `"rate":2,`, 1) }, env.criteria, "rate: 2"},
		{"a budget of nothing", func(s string) string { return strings.Replace(s, `"budget":2`, `"budget":0`, 1) }, env.criteria, "budget of 0"},
		{"weights of another network", func(s string) string { return strings.Replace(s, `"hidden":2`, `"hidden":3`, 1) }, env.criteria, "need 66"},
		{"weights that end within a number", func(s string) string { return strings.Replace(s, `"weights":"`, `"weights":"AAAA`, 1) }, env.criteria, "within a number"},
		{"weights in no alphabet", func(s string) string { return strings.Replace(s, `"weights":"`, `"weights":"!!!!`, 1) }, env.criteria, "illegal base64"},
		{"a weight that no training gives", func(s string) string { return huge(s, `"weights":"`) }, env.criteria, "too large"},
		{"fewer criteria in the data", nil, env.criteria[:2], "policy of 3 criteria, the data has 2"},
		{"another criterion", nil, other, `number 2 is "c01" there and "other" in the data`},
		{"another range", nil, more, "another scale"},
		{"another scale", nil, nominal, "another scale"},
	} {
		for what, text := range map[string]string{"policy": policy.String(), "checkpoint": checkpoint.String()} {
			if row.change != nil {
				text = row.change(text)
			}
			var err error
			if what == "policy" {
				_, err = LoadPolicy(strings.NewReader(text), row.criteria)
			} else {
				_, err = LoadCheckpoint(strings.NewReader(text), row.criteria)
			}
			if !errors.Is(err, ErrPolicyFile) || !errors.Is(err, domains.ErrData) || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), "train") {
				t.Errorf("%s, %s: %v", what, row.reason, err)
			}
		}
	}
	for _, row := range []struct {
		reason   string
		was, now string
		want     string
	}{
		{"a step that the curve does not end at", `"step":4,"policy"`, `"step":5,"policy"`, "curve"},
		{"a best step to come", `"best_step":`, `"best_step":9`, "steps that cannot be"},
		{"a baseline of half", `"baseline":{"sum":null`, `"baseline":{"sum":[1]`, "sums without counts"},
		{"no critic", `"critic":{`, `"critic":null,"criticize":{`, "damaged"},
		{"a policy's file", checkpointFormat, policyFormat, "format"},
	} {
		text := strings.Replace(checkpoint.String(), row.was, row.now, 1)
		if _, err := LoadCheckpoint(strings.NewReader(text), env.criteria); text == checkpoint.String() || !errors.Is(err, ErrPolicyFile) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
	if _, err := LoadPolicy(&broken{}, env.criteria); !errors.Is(err, ErrPolicyFile) || !strings.Contains(err.Error(), "pulled out") {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

type broken struct{}

func (*broken) Read([]byte) (int, error) { return 0, errors.New("pulled out") }

// FuzzLoadPolicy: no file makes the reader panic or give a policy that cannot ask or is
// written otherwise than it was read.
func FuzzLoadPolicy(f *testing.F) {
	env := newToy(2, 2, 4, 4, shares(.1, .9))
	o := small(GRPO)
	o.Hidden, o.Words = 2, 1
	var b bytes.Buffer
	if err := untrained(env, o).Save(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"format":"pepbench-policy","version":1,"criteria":[],"budget":1,"options":{},"params":0,"weights":""}`))
	l, err := newLearner(context.Background(), env, o, nil)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := l.evaluate(context.Background()); err != nil {
		f.Fatal(err)
	}
	var c bytes.Buffer
	if err := l.checkpoint().Save(&c); err != nil {
		f.Fatal(err)
	}
	f.Add(c.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := LoadCheckpoint(bytes.NewReader(data), env.criteria); err == nil {
			if _, err := newLearner(t.Context(), env, c.file.Options, c); err != nil && !strings.Contains(err.Error(), "another budget") {
				t.Fatal(err)
			}
		}
		p, err := LoadPolicy(bytes.NewReader(data), env.criteria)
		if err != nil {
			return
		}
		e := live(p).Begin(env.Setting(Dev, 0))
		for range 2 {
			q, err := e.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range e.(strategies.Scorer).Top(2) {
				if !(s.Score >= 0 && s.Score <= 1) {
					t.Fatalf("probability %v", s.Score)
				}
			}
			e.Observe(q, domains.Answer{Cell: domains.At(3)})
		}
		var again bytes.Buffer
		if err := p.Save(&again); err != nil || !bytes.Equal(bytes.TrimSpace(again.Bytes()), bytes.TrimSpace(data)) {
			t.Fatalf("written otherwise: %v", err)
		}
	})
}
