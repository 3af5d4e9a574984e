package reports

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
	"pgregory.net/rapid"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/reports/stats"
)

// An asks is a made-up way of asking: the next position after what was asked and heard,
// or stopped, for the order that was drawn for the user.
type asks func(path []step, order []int) int

// inOrder asks by the order that was drawn.
func inOrder(path []step, order []int) int { return order[len(path)] }

// byList asks everybody the same.
func byList(list ...int) asks {
	return func(path []step, _ []int) int { return list[len(path)%len(list)] }
}

// branching asks by whether and how much the last criterion is held.
func branching(path []step, _ []int) int {
	at := 0
	for _, s := range path {
		at *= 4
		switch {
		case s.answer.IsMissing():
		case !s.answer.IsHeld():
			at++
		case s.answer.Value() < 3:
			at += 2
		default:
			at += 3
		}
	}
	for used := func(q int) bool { return slices.ContainsFunc(path, func(s step) bool { return s.question == q }) }; used((len(path)*3 + at) % 14); {
		at++
	}
	return (len(path)*3 + at) % 14
}

// collapsed asks everybody the same but for one answer, and stops early after another.
func collapsed(path []step, _ []int) int {
	if len(path) == 2 && path[1].answer.IsHeld() && path[1].answer.Value() >= 4 {
		return 9
	}
	if len(path) == 4 && path[0].answer.IsHeld() {
		return stopped
	}
	return []int{3, 1, 4, 5, 2}[len(path)]
}

var manyWays = []struct {
	record.Strategy
	asks
}{
	{record.Strategy{Base: "random", Kind: "random"}, inOrder},
	{record.Strategy{Base: "static", Kind: "static"}, byList(2, 0, 7, 1, 3)},
	{record.Strategy{Base: "twin", Kind: "static", TwinOf: "pep"}, byList(0, 4, 3, 5, 6)},
	{record.Strategy{Base: "asker", Kind: "asker"}, byList(0, 1, 2, 3, 4)},
	{record.Strategy{Base: "rl", Kind: "rl", Policy: &record.Policy{
		ID: "ab12", Model: "two-layer network over asked mask, answers and task words", Method: "GRPO on the profile judge's reward at the end", Params: 5432,
		Trainings: []record.TrainingSummary{
			{
				ID: "a", Seed: 1, Steps: 610, Best: 210, Reward: 66.25, Dev: 64.5, Random: 63.875, Static: 66.5, Undertrained: true,
				OverRandom: record.Contrast{Value: 2.375, Lo: 1.5, Hi: 3.25, Clusters: 9}, OverStatic: record.Contrast{Value: -.25, Lo: -.75, Hi: .25, Clusters: 9},
				Cloning: &record.Cloning{ID: "c", Of: "pep", Examples: 1000, HeldOut: 96, Share: .96875, Unseen: 4, UnseenShare: .25},
			},
			{
				ID: "b", Seed: 2, Steps: 800, Best: 800, Reward: 67.75, Dev: record.Float(math.NaN()), Random: 63.875, Static: 66.5,
				OverRandom: record.Contrast{Value: 3.875, Lo: 3, Hi: 4.75, Clusters: 9}, OverStatic: record.Contrast{Value: 1.25, Lo: record.Float(math.NaN()), Hi: record.Float(math.NaN()), Clusters: 1},
			},
		},
	}}, collapsed},
	{record.Strategy{Base: "replay", Kind: "replay", Policy: &record.Policy{ID: "ab12", Mode: record.ModeTrajectory, Of: "rl", Users: "test", Decisions: 100}}, collapsed},
	{record.Strategy{Base: "replay-policy", Kind: "replay", Policy: &record.Policy{ID: "ab12", Mode: record.ModePolicy, Of: "rl", Users: "others", MostOffLog: .2}}, collapsed},
	{record.Strategy{Base: "theirs", Kind: "replay", Policy: &record.Policy{
		ID: "x", Model: "a model of elsewhere", Mode: record.ModeTrajectory, Log: &domains.Source{Path: "logs/theirs.jsonl"},
	}}, byList(5, 4, 3, 2, 1)},
	{record.Strategy{Base: "pep-latent", Kind: "pep"}, branching},
	{record.Strategy{Base: "pep", Kind: "pep"}, branching},
}

// paperRun is a run of many ways of asking, with counterfactuals and policies.
func paperRun(n int) synth {
	names := []string{
		"overall_length", "warning_signs", "distractor_rebuttal", "source_citing", "treatment_alternatives", "alarm_tone", "memory_aids",
		"statistical_odds", "action_steps", "clinic_access", "term_glossing", "humorous_touches", "patient_stories", "visual_layout",
	}
	y := synth{tasks: 7, users: 12, seeds: 2, criteria: len(names), budget: 5, simulated: true}
	y.change = func(m *record.Manifest, all *[]record.Session) {
		fixed := func(name string) bool { return name == "none" || name == "oracle" }
		kept := m.Strategies
		m.Strategies = nil
		var out []record.Session
		for _, s := range *all {
			if fixed(s.Strategy) {
				s.Criteria = names
				out = append(out, s)
			}
		}
		m.Strategies = append(m.Strategies, kept[0])
		for _, w := range manyWays[:n] {
			st := w.Strategy
			st.Name, st.Predict, st.About = st.Base+"+belief", "belief", st.Base
			m.Strategies = append(m.Strategies, st)
			for i := range *all {
				s := (*all)[i]
				if s.Strategy != "static+belief" {
					continue
				}
				s.ID, s.Strategy, s.Criteria = st.Name+strings.TrimPrefix(s.ID, s.Strategy), st.Name, names
				s.Turns = askSynth(&s, w.asks, y.budget, i)
				if len(s.Turns) < y.budget {
					s.Stop = record.StopDone
				}
				for t := range s.Turns {
					if st.Base == "replay-policy" && (i+t)%3 == 0 {
						s.Turns[t].OffLog = record.OffLogHistory
					}
					if st.Base == "replay-policy" && (i+t)%17 == 1 {
						s.Turns[t].OffLog = record.OffLogTask
					}
				}
				out = append(out, s)
			}
		}
		m.Strategies = append(m.Strategies, kept[len(kept)-1])
		*all, m.Sessions = out, len(out)
		m.Report.TargetOf, m.Report.Reference, m.Report.Against = "static+belief", "static+belief", nil
	}
	return y
}

// askSynth makes the turns of a session, with the counterfactual of every turn but the
// last.
func askSynth(s *record.Session, ask asks, budget, number int) []record.Turn {
	k := len(s.Criteria)
	// As random draws: one of 20 orders of the task, whatever the answers will be.
	draw := rand.New(rand.NewPCG(uint64(number), 3)).IntN(20)
	order := rand.New(rand.NewPCG(uint64(number/12), uint64(draw))).Perm(k)
	var path []step
	var turns []record.Turn
	inference := s.Inference(budget)
	for len(path) < budget {
		q := ask(path, order)
		if q == stopped {
			break
		}
		if n := len(turns); n > 0 {
			other := domains.NotHeld()
			if !path[n-1].answer.IsHeld() {
				other = domains.At(3)
			}
			next := ask(append(slices.Clone(path[:n-1]), step{path[n-1].question, other}), order)
			if next == stopped {
				next = record.NextStop
			}
			turns[n-1].Counterfactual = &record.Counterfactual{Answer: other, Next: next}
		}
		path = append(path, step{q, s.Truth.Cells[q]})
		turns = append(turns, record.Turn{Question: q, Answer: s.Truth.Cells[q], Inference: inference})
	}
	return turns
}

// dialogue is a session of a task in which every question is its own criterion.
func dialogue(task, seed int, path ...step) *session {
	s := &session{key: key{seed: seed}, task: task, path: path}
	for _, p := range path {
		s.kept = append(s.kept, turn{criterion: int32(p.question), other: unforked})
	}
	return s
}

// TestCorrected: hand-computed cases.
func TestCorrected(t *testing.T) {
	yes, no, much := domains.At(2), domains.NotHeld(), domains.At(5)
	type sessions []*session
	nan := math.NaN()
	for _, row := range []struct {
		reason string
		list   sessions
		budget int
		value  float64
		same   pairCount
		tasks  int
		lack   int
		free   int64
		byT    []float64
	}{
		{
			"who asks by the answer alone has the plain share",
			sessions{dialogue(0, 1, step{0, yes}, step{1, no}), dialogue(0, 1, step{0, yes}, step{1, no}), dialogue(0, 1, step{0, no}, step{2, no}), dialogue(0, 1, step{0, much}, step{1, no})},
			2, 3. / 5,
			pairCount{1, 0},
			1, 0, 0,
			[]float64{3. / 5},
		},
		{
			"who throws dice goes on differently after equal answers as well",
			sessions{dialogue(0, 1, step{0, yes}, step{1, no}), dialogue(0, 1, step{0, yes}, step{2, no}), dialogue(0, 1, step{0, no}, step{1, no}), dialogue(0, 1, step{0, no}, step{2, no})},
			2, 2./4 - 1,
			pairCount{2, 2},
			1, 0, 0,
			[]float64{-.5},
		},
		{
			"a task without pairs of equal answers is left out and counted",
			sessions{dialogue(0, 1, step{0, yes}, step{1, no}), dialogue(0, 1, step{0, no}, step{2, no}), dialogue(1, 1, step{0, yes}, step{1, no}), dialogue(1, 1, step{0, yes}, step{1, no}), dialogue(1, 1, step{0, no}, step{1, no})},
			2, 0,
			pairCount{1, 0},
			1, 1, 1,
			[]float64{0},
		},
		{
			"other seeds are no pairs",
			sessions{dialogue(0, 1, step{0, yes}, step{1, no}), dialogue(0, 2, step{0, yes}, step{2, no}), dialogue(0, 1, step{0, no}, step{1, no})},
			2, nan,
			pairCount{},
			0, 1, 1,
			[]float64{nan},
		},
		{
			"pairs at a t that has none of equal answers have no part",
			sessions{
				dialogue(0, 1, step{0, yes}, step{1, yes}, step{2, no}), dialogue(0, 1, step{0, yes}, step{1, no}, step{3, no}),
				dialogue(0, 1, step{0, no}, step{1, no}, step{2, no}),
			},
			// Different answers: at 1 two pairs, none differs; at 2 one pair, which does. Equal: at
			// 1 one pair, which does not.
			3, 0,
			pairCount{1, 0},
			1, 0, 1,
			[]float64{0, nan},
		},
	} {
		tasks := 0
		for _, s := range row.list {
			tasks = max(tasks, s.task+1)
		}
		got := adaptivity(countFollowUps(row.list, tasks, row.budget), stats.Bootstrap{Resamples: 20, Confidence: .9}).Corrected
		if !near(float64(got.Value), row.value) || got.SamePairs != row.same.pairs || got.SameDiffering != row.same.differ ||
			got.Tasks != row.tasks || got.Lacking != row.lack || got.Unmatched != row.free {
			t.Errorf("%s: %+v, want %v", row.reason, got, row.value)
		}
		for i, want := range row.byT {
			if !near(float64(got.ByT[i].Value), want) {
				t.Errorf("%s: at t = %d %v, want %v", row.reason, i+1, got.ByT[i].Value, want)
			}
		}
	}
}

// madeUp draws sessions of few questions, so that many are alike.
func madeUp(t *rapid.T, tasks, budget int) []*session {
	answers := []domains.Cell{domains.NotHeld(), domains.Missing(), domains.At(1), domains.At(4)}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *session {
		s := dialogue(rapid.IntRange(0, tasks-1).Draw(t, "task"), rapid.IntRange(1, 2).Draw(t, "seed"))
		for range rapid.IntRange(0, budget).Draw(t, "questions") {
			q := rapid.IntRange(noCriterion, 1).Draw(t, "question")
			s.path = append(s.path, step{q, rapid.SampledFrom(answers).Draw(t, "answer")})
			s.kept = append(s.kept, turn{
				criterion: int32(q), other: int32(rapid.IntRange(unforked, 1).Draw(t, "other")),
				apart: apartness(rapid.IntRange(0, 2).Draw(t, "apart")),
			})
		}
		return s
	}), 0, 40).Draw(t, "sessions")
}

// TestAskingBruteForce holds corrected, counterfactual, collapse and entropy against sums
// over all pairs, one by one.
func TestAskingBruteForce(t *testing.T) {
	boot := stats.Bootstrap{Resamples: 10, Confidence: .9}
	rapid.Check(t, func(t *rapid.T) {
		const tasks = 3
		budget := rapid.IntRange(1, 4).Draw(t, "budget")
		list := madeUp(t, tasks, budget)

		// Corrected.
		differ, equal := make([][]pairCount, tasks), make([][]pairCount, tasks)
		for i := range tasks {
			differ[i], equal[i] = make([]pairCount, budget), make([]pairCount, budget)
		}
		for i, a := range list {
			for _, b := range list[:i] {
				if a.task != b.task || a.seed != b.seed {
					continue
				}
				for t := 1; t < budget && t <= len(a.path) && t <= len(b.path); t++ {
					if a.path[t-1].question != b.path[t-1].question {
						break
					}
					one := pairCount{pairs: 1}
					if a.next(t) != b.next(t) {
						one.differ = 1
					}
					if !a.path[t-1].answer.Equal(b.path[t-1].answer) {
						differ[a.task][t-1].add(one)
						break
					}
					equal[a.task][t-1].add(one)
				}
			}
		}
		var values []float64
		lacking := 0
		for i := range tasks {
			// Every pair less the share of equal answers where it is.
			sum, part, pairs := 0.0, 0, 0
			for t := range budget {
				pairs += int(differ[i][t].pairs)
				if equal[i][t].pairs == 0 {
					continue
				}
				for j := range differ[i][t].pairs {
					part++
					if j < differ[i][t].differ {
						sum++
					}
					sum -= equal[i][t].share()
				}
			}
			switch {
			case part > 0:
				values = append(values, sum/float64(part))
			case pairs > 0:
				lacking++
			}
		}
		want, n := stats.Mean(values)
		got := corrected(countFollowUps(list, tasks, budget), boot)
		if !near(float64(got.Value), want) || got.Tasks != n || got.Lacking != lacking {
			t.Fatalf("corrected %+v, want %v over %d, %d without", got, want, n, lacking)
		}

		// Counterfactual.
		var shares []float64
		turns, held := int64(0), int64(0)
		for task := range tasks {
			changed, all := 0, 0
			for _, s := range list {
				if s.task != task {
					continue
				}
				for i, k := range s.kept {
					if i+1 >= budget || k.other == unforked {
						continue
					}
					next := stopped
					if i+1 < len(s.path) {
						next = s.path[i+1].question
					}
					all++
					if next != int(k.other) {
						changed++
					}
					if k.apart == heldApart {
						held++
					}
				}
			}
			turns += int64(all)
			if all > 0 {
				shares = append(shares, float64(changed)/float64(all))
			}
		}
		mean, n := stats.Mean(shares)
		f := counterfactual(countForks(list, tasks, budget), boot)
		if !near(float64(f.Value), mean) || f.Tasks != n || f.Turns != turns || f.Held.Turns != held {
			t.Fatalf("counterfactual %+v, want %v over %d tasks and %d turns", f, mean, n, turns)
		}

		// Collapse: every session with all others.
		c := &computer{Run: &Run{asked: []string{"a", "b"}, tasks: make([]string, tasks), clusters: tasks, cluster: []int{0, 1, 2}}, boot: boot}
		for _, s := range list {
			s.unit = s.task
		}
		same := func(a, b *session) bool { return a.seed == b.seed && slices.Equal(a.sequence(), b.sequence()) }
		largest, own := map[int]int{}, map[key]int{}
		var in [tasks]int
		for _, a := range list {
			n, within := 0, 0
			in[a.task]++
			for _, b := range list {
				if same(a, b) {
					n++
					if a.task == b.task {
						within++
					}
				}
			}
			at := key{a.task, a.seed}
			largest[a.seed], own[at] = max(largest[a.seed], n), max(own[at], within)
		}
		most := 0
		for _, n := range largest {
			most += n
		}
		var byTask []float64
		for i, n := range in {
			if n > 0 {
				follow := 0
				for at, k := range own {
					if at.unit == i {
						follow += k
					}
				}
				byTask = append(byTask, float64(follow)/float64(n))
			}
		}
		mean, n = stats.Mean(byTask)
		k := c.collapse(list)
		if k.Following != most || k.Sessions != len(list) || !near(float64(k.Value), float64(most)/float64(len(list))) ||
			!near(float64(k.ByTask.Value), mean) || k.ByTask.Tasks != n {
			t.Fatalf("collapse %+v, want %d of %d, by task %v", k, most, len(list), mean)
		}

		// Entropy: the mean over the sessions of a seed of the information of what they did.
		at := func(s *session, t int) int32 {
			if t < len(s.kept) {
				return s.kept[t].criterion
			}
			return stopped
		}
		for i, e := range entropy(list, budget) {
			seeds := map[int]float64{} // sessions
			for _, s := range list {
				seeds[s.seed]++
			}
			want := 0.0
			if len(list) == 0 {
				want = math.NaN()
			}
			for _, a := range list {
				n := 0
				for _, b := range list {
					if a.seed == b.seed && at(a, i) == at(b, i) {
						n++
					}
				}
				want -= math.Log2(float64(n)/seeds[a.seed]) / seeds[a.seed] / float64(len(seeds))
			}
			if !near(float64(e.Bits), want) || e.Sessions != len(list) {
				t.Fatalf("entropy of question %d is %+v, want %v", i+1, e, want)
			}
		}
	})
}

// TestChanceIsNoAdaptivity: dice score about 0 after correction, also where how often they
// decide depends on the turn, while what asks by the answers keeps its share.
func TestChanceIsNoAdaptivity(t *testing.T) {
	const users, tasks, budget, criteria = 60, 60, 4, 14
	for _, row := range []struct {
		reason string
		next   func(path []step, order []int, dice *rand.Rand) int
		strict [2]float64 // at least, at most
		want   float64    // corrected; NaN: as strict
	}{
		{"one of 20 orders of the task by user", func(path []step, order []int, _ *rand.Rand) int { return order[len(path)] }, [2]float64{.2, 1}, 0},
		{"one order for all", func(path []step, _ []int, _ *rand.Rand) int { return len(path) }, [2]float64{0, 0}, 0},
		{
			// The first answer says much (criterion 0 is held by half), the later ones little.
			"dice at the second question alone, after the answer that differs most",
			func(path []step, _ []int, dice *rand.Rand) int {
				if len(path) == 1 {
					return 1 + dice.IntN(2)
				}
				return len(path) + 2
			},
			[2]float64{.3, 1},
			0,
		},
		{"by the last answer", func(path []step, _ []int, _ *rand.Rand) int {
			if n := len(path); n > 0 && path[n-1].answer.IsHeld() {
				return n + 7
			}
			return len(path)
		}, [2]float64{.5, 1}, math.NaN()},
	} {
		var list []*session
		for task := range tasks {
			var orders [20][]int
			for i := range orders {
				orders[i] = rand.New(rand.NewPCG(uint64(task), uint64(i))).Perm(criteria)
			}
			for user := range users {
				rng := rand.New(rand.NewPCG(uint64(task*1000+user), 77))
				s := dialogue(task, 1)
				order := orders[rng.IntN(len(orders))]
				for len(s.path) < budget {
					q := row.next(s.path, order, rng)
					a := domains.NotHeld()
					if rng.Float64() < .5/float64(1+q) {
						a = domains.At(3)
					}
					s.path = append(s.path, step{q, a})
				}
				list = append(list, s)
			}
		}
		a := adaptivity(countFollowUps(list, tasks, budget), stats.Bootstrap{Resamples: 200, Confidence: .999})
		if v := float64(a.Value); v < row.strict[0] || v > row.strict[1] {
			t.Errorf("%s: strict %v, want %v", row.reason, v, row.strict)
		}
		k := a.Corrected
		if math.IsNaN(row.want) {
			if k.Lacking > 0 || k.Unmatched > 0 || k.Value != a.Value || k.SameDiffering != 0 {
				t.Errorf("%s: corrected %+v, want the strict %v", row.reason, k.CorrectedShare, a.Value)
			}
			continue
		}
		if v := float64(k.Value); math.Abs(v-row.want) > .02 || float64(k.Lo) > row.want || float64(k.Hi) < row.want {
			t.Errorf("%s: corrected %v [%v, %v], want %v", row.reason, v, k.Lo, k.Hi, row.want)
		}
	}
}

// TestSequences: hand-computed collapse and entropy.
func TestSequences(t *testing.T) {
	of := func(task int, questions ...int) *session {
		s := dialogue(task, 1+task/2) // tasks 2 and 3 are 0 and 1 under another seed
		s.task, s.unit = task%2, task%2
		for _, q := range questions {
			s.path = append(s.path, step{q, domains.NotHeld()})
			s.kept = append(s.kept, turn{criterion: int32(q), other: unforked})
		}
		return s
	}
	for _, row := range []struct {
		reason   string
		list     []*session
		value    float64
		sequence []string
		own      float64
		bits     []float64
		stopped  []int
	}{
		{"everybody the same", []*session{of(0, 1, 0), of(0, 1, 0), of(1, 1, 0)}, 1, []string{"b", "a"}, 1, []float64{0, 0}, []int{0, 0}},
		{"every task its own", []*session{of(0, 0, 1), of(0, 0, 1), of(1, 1, 0), of(1, 1, 0)}, .5, []string{"a", "b"}, 1, []float64{1, 1}, []int{0, 0}},
		{"one that ends early asks another sequence", []*session{of(0, 0, 1), of(0, 0), of(0, 0), of(0)}, .5, []string{"a"}, .5, []float64{.811278, .811278}, []int{1, 3}},
		{"every seed its own: two policies that have collapsed", []*session{of(0, 0, 1), of(1, 0, 1), of(2, 1, 0), of(3, 1, 0)}, 1, []string{"a", "b"}, 1, []float64{0, 0}, []int{0, 0}},
		{"one seed asks everybody the same, the other everybody something else", []*session{of(0, 0, 1), of(0, 0, 1), of(2, 1, 0), of(2, 0, 1)}, .75, []string{"a", "b"}, .75, []float64{.5, .5}, []int{0, 0}},
		{"a question about nothing has no name", []*session{of(0, -1, 0)}, 1, []string{"", "a"}, 1, []float64{0, 0}, []int{0, 0}},
		{"no session", nil, math.NaN(), []string{}, math.NaN(), []float64{math.NaN(), math.NaN()}, []int{0, 0}},
	} {
		c := &computer{Run: &Run{asked: []string{"a", "b"}, tasks: make([]string, 2), clusters: 2, cluster: []int{0, 1}}, boot: stats.Bootstrap{Resamples: 20, Confidence: .9}}
		k := c.collapse(row.list)
		if !near(float64(k.Value), row.value) || len(k.Sequences) > 0 && !slices.Equal(k.Sequences[0].Sequence, row.sequence) || !near(float64(k.ByTask.Value), row.own) {
			t.Errorf("%s: %+v", row.reason, k)
		}
		for i, e := range entropy(row.list, 2) {
			if b := float64(e.Bits); !near(b, row.bits[i]) && math.Abs(b-row.bits[i]) > 1e-6 || e.Stopped != row.stopped[i] {
				t.Errorf("%s: question %d: %+v", row.reason, i+1, e)
			}
		}
	}
}

// TestOffLogRates: what of a session is a decision of a replay, and when so many are off
// the log that the result is not the policy's.
func TestOffLogRates(t *testing.T) {
	const h, k = record.OffLogHistory, record.OffLogTask
	for _, row := range []struct {
		reason, mode, turns  string // of each turn: - on the log, h, t
		stop, off            string
		decisions, byHistory int
		task                 int
		exceeds              bool
	}{
		{"all on the log", record.ModePolicy, "---", record.StopBudget, "", 3, 0, 0, false},
		{"another task is apart", record.ModePolicy, "tt-", record.StopBudget, "", 3, 0, 2, false},
		{"as many as may be", record.ModePolicy, "--h", record.StopDone, "", 4, 1, 0, false},
		{"more", record.ModePolicy, "--h", record.StopBudget, "", 3, 1, 0, true},
		{"more, of trajectories, which are called nothing else", record.ModeTrajectory, "--h", record.StopBudget, "", 3, 1, 0, false},
		{"a stop off the log", record.ModePolicy, "--", record.StopDone, h, 3, 1, 0, true},
		{"a stop known from another task", record.ModePolicy, "--", record.StopDone, k, 3, 0, 1, false},
		{"nothing was left to ask: no decision", record.ModePolicy, "--", record.StopExhausted, "", 2, 0, 0, false},
		{"the user ended it", record.ModePolicy, "--", record.StopUser, "", 2, 0, 0, false},
		{"past the budget, questions and stop", record.ModePolicy, "----hh", record.StopDone, h, 4, 0, 0, false},
	} {
		st := strategy{Strategy: record.Strategy{Kind: kindReplay, Policy: &record.Policy{Mode: row.mode, MostOffLog: .25}}}
		s := record.Session{Stop: row.stop, StopOffLog: row.off}
		for _, c := range row.turns {
			s.Turns = append(s.Turns, record.Turn{OffLog: map[rune]string{'h': h, 't': k}[c]})
		}
		st.replayed(&s, 4)
		o := st.offLog()
		if o.Decisions != row.decisions || o.History != row.byHistory || o.Task != row.task || o.Exceeds != row.exceeds || !near(float64(o.Rate), float64(row.byHistory)/float64(row.decisions)) || !near(float64(o.TaskRate), float64(row.task)/float64(row.decisions)) {
			t.Errorf("%s: %+v", row.reason, o)
		}
	}
}

// TestReplays: what is said of replays and undertrained policies, and that it is said in
// every table and figure.
func TestReplays(t *testing.T) {
	m := Compute(load(t, paperRun(len(manyWays)).write(t)))
	for _, row := range []struct {
		reason, name, want string
	}{
		{"an undertrained policy", "rl+belief", "undertrained: 1 of 2 seeds below the best fixed order on the training reward"},
		{"its log, which has every decision", "replay+belief", "trajectory replay of rl, 0.0% of 840 decisions off the log; undertrained: 1 of 2 seeds below the best fixed order on the training reward"},
		{"a log of others that lacks too much", "replay-policy+belief", "policy replay of rl, "},
		{"a log of elsewhere", "theirs+belief", "trajectory replay of the log theirs.jsonl, 0.0% of 840 decisions off the log"},
		{"what is no policy", "pep+belief", ""},
	} {
		if got := m.remark(m.row(t, row.name)); !strings.HasPrefix(got, row.want) || row.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", row.reason, got, row.want)
		}
	}

	// Brute force: a third of the decisions, and the stop, which is on the log.
	r := m.row(t, "replay-policy+belief")
	o := r.OffLog
	if !o.Exceeds || !near(float64(o.Rate), float64(o.History)/float64(o.Decisions)) || !strings.Contains(r.replay(), "more than 20%: not called the policy's result") {
		t.Errorf("%+v: %s", o, r.replay())
	}
	if r := m.row(t, "replay+belief"); r.Adaptivity.Counterfactual.Turns != 0 || r.Adaptivity.Counterfactual.Value.Defined() {
		t.Error("a log of trajectories has counterfactuals")
	}
	if r := m.row(t, "rl+belief"); !r.Adaptivity.Counterfactual.Value.Defined() || r.OffLog != nil {
		t.Error("the policy itself has no counterfactual, or is off a log")
	}
	warned := strings.Join(m.Warnings, "\n")
	for _, want := range []string{"rl is undertrained: 1 of 2 seeds", "replay-policy: policy replay of rl"} {
		if !strings.Contains(warned, want) {
			t.Errorf("no warning %q in %q", want, m.Warnings)
		}
	}
	if strings.Contains(warned, "replay is undertrained") {
		t.Error("the same is warned of twice")
	}

	const about = "two-layer network over asked mask, answers and task words, 5,432 parameters, trained by GRPO on the profile judge's reward at the end."
	const not = "rl was trained here and is not the 8B model of arXiv 2602.15012."
	files, err := Tables(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text := string(f.Data)
		if filepath.Ext(f.Path) == ".csv" || !strings.Contains(text, "replay") {
			continue
		}
		plain := strings.NewReplacer("\\", "", "{", "", "}", "").Replace(text)
		for _, want := range []string{about, not, "undertrained: 1 of 2 seeds", "not called the policy's result"} {
			if !strings.Contains(plain, want) {
				t.Errorf("%s does not say %q", f.Path, want)
			}
		}
	}
	for _, f := range sketches(m) {
		var c recorder.Canvas
		f.render(draw.NewCanvas(&c, f.w, f.h))
		var words []string
		for _, a := range c.Actions {
			if a, ok := a.(*recorder.FillString); ok {
				words = append(words, strings.Replace(a.String, "+belief", "", 1))
			}
		}
		plain := strings.Join(words, " ")
		if f.name == "gain" || f.name == "trace" { // no policy has a twin, nor is the session of one
			continue
		}
		for _, want := range []string{about, not, "replay" + dagger, "rl" + dagger, "replay-policy" + dagger} {
			if !strings.Contains(plain, want) {
				t.Errorf("%s does not say %q in %q", f.name, want, plain)
			}
		}
	}
	// In a sweep the cell says it.
	cell := GridCell{At: []int{0}, Values: []string{"1"}, State: cellDone}
	cell.take(m, "rl", "")
	sweep := &SweepMetrics{Axes: []record.Axis{{Path: "x", Values: []string{"1"}}}, Cells: []GridCell{cell}}
	if s := sweepTerminal(sweep, 120); !strings.Contains(s, "]"+dagger) || !strings.Contains(s, dagger+" undertrained: 1 of 2 seeds") {
		t.Errorf("the terminal of a sweep says\n%s", s)
	}
	grid := gridTable(sweep)
	if !slices.Contains(grid.notes, "undertrained: 1 of 2 seeds below the best fixed order on the training reward") {
		t.Errorf("the table of a sweep notes %q", grid.notes)
	}
	if s := terminal(m, 120); !strings.Contains(s, "replay-policy+belief†") || !strings.Contains(strings.Join(strings.Fields(s), " "), not) {
		t.Errorf("the terminal says\n%s", s)
	}
}

// TestTreeBranches: shares sum up, and answers that lead the same way share a branch.
func TestTreeBranches(t *testing.T) {
	m := Compute(load(t, paperRun(len(manyWays)).write(t)))
	var look func(where string, list []branch, sessions int)
	look = func(where string, list []branch, sessions int) {
		n := 0
		seen := map[string]bool{}
		for _, b := range list {
			n += b.Sessions
			if b.Question != "" && seen[b.Question] {
				t.Errorf("%s: two branches to %s", where, b.Question)
			}
			seen[b.Question] = true
			if b.Next != nil {
				look(where+"/"+b.Question, b.Next, b.Sessions)
			}
		}
		if n != sessions {
			t.Errorf("%s: %d sessions in branches of %d", where, n, sessions)
		}
	}
	// A policy was trained for each of two seeds: the tree is of the first, in every row.
	if m.FirstSeed == nil || *m.FirstSeed != m.Seeds[0] || len(m.Seeds) != 2 {
		t.Fatalf("first questions of seed %v of %v", m.FirstSeed, m.Seeds)
	}
	for _, r := range m.rows() {
		if !r.fixed() {
			look(r.Name, r.First, r.Sessions/2)
		}
	}
	static := m.row(t, "static+belief").First
	for depth, want := range []string{"distractor_rebuttal", "overall_length", "statistical_odds"} {
		if len(static) != 1 || static[0].Question != want || static[0].Share != 1 || static[0].Any != (depth > 0) {
			t.Fatalf("question %d of a fixed order: %+v", depth+1, static)
		}
		static = static[0].Next
	}
	rl := m.row(t, "rl+belief").First[0].Next[0].Next
	if len(rl) != 2 || rl[0].Question != "treatment_alternatives" || !slices.Contains(rl[0].After, "not held") || rl[1].Question != "clinic_access" || !slices.Equal(rl[1].After, []string{"high"}) {
		t.Errorf("third question of a collapsed policy: %+v", rl)
	}
}

// TestTreeOfOneTask: where tasks admit different criteria one of them is shown, so that one
// fixed order a task is a line.
func TestTreeOfOneTask(t *testing.T) {
	y := synth{tasks: 3, users: 4, seeds: 1, criteria: 6, budget: 3}
	y.change = func(_ *record.Manifest, all *[]record.Session) {
		*all = slices.DeleteFunc(*all, func(s record.Session) bool { return s.Task == "task-00" && s.User == "user-000" })
		for i := range *all {
			s := &(*all)[i]
			s.Criteria = slices.Clone(s.Criteria)
			for j := range s.Criteria {
				s.Criteria[j] = s.Task + s.Criteria[j]
			}
		}
	}
	m := Compute(load(t, y.write(t)))
	if m.FirstOf != "task-01" {
		t.Errorf("first questions of %q, want task-01, the first of those with the most sessions", m.FirstOf)
	}
	first := m.row(t, "static+answers").First
	if len(first) != 1 || first[0].Question != "task-01c00" || first[0].Sessions != 4 || first[0].Share != 1 {
		t.Errorf("%+v", first)
	}
	if one := m.row(t, "static+answers").Adaptivity.Collapse; !near(float64(one.ByTask.Value), 1) || one.Following != 4 {
		t.Errorf("one fixed order a task: %+v", one)
	}
}

// TestFewer: what has no room goes with the others, but for stops.
func TestFewer(t *testing.T) {
	a, b, c := branch{Question: "a", Sessions: 5, Share: .5}, branch{Question: "b", Sessions: 1, Share: .1}, branch{Question: "c", Sessions: 2, Share: .2}
	others, stop := branch{Others: 3, Sessions: 1, Share: .1}, branch{Stop: true, Sessions: 1, Share: .1}
	for _, row := range []struct {
		reason string
		list   []branch
		most   int
		want   []branch
	}{
		{"room for all", []branch{a, b, others}, 3, []branch{a, b, others}},
		{"the smaller one goes with the others", []branch{b, a, others}, 2, []branch{a, {Others: 4, Sessions: 2, Share: .2}}},
		{"the smaller ones become others", []branch{b, a, c}, 2, []branch{a, {Others: 2, Sessions: 3, Share: .3}}},
		{"a stop stays by itself", []branch{a, b, others, stop}, 3, []branch{a, {Others: 4, Sessions: 2, Share: .2}, stop}},
		{"room for one", []branch{a, others, stop}, 1, []branch{{Others: 4, Sessions: 6, Share: .6}, stop}},
	} {
		got := topBranches(row.list, row.most)
		ok := len(got) == len(row.want)
		for i := range min(len(got), len(row.want)) {
			g, w := got[i], row.want[i]
			ok = ok && g.Question == w.Question && g.Others == w.Others && g.Stop == w.Stop && g.Sessions == w.Sessions && near(float64(g.Share), float64(w.Share))
		}
		if !ok {
			t.Errorf("%s: %+v, want %+v", row.reason, got, row.want)
		}
	}
}

// TestTreeFits: for however many ways of asking the figure fits a page, and no text lies
// on another or outside.
func TestTreeFits(t *testing.T) {
	all := Compute(load(t, paperRun(len(manyWays)).write(t)))
	for n := 1; n <= len(manyWays); n++ {
		m := *all
		m.Strategies = slices.Concat(all.Strategies[:1], all.Strategies[1+len(manyWays)-n:])
		for _, make := range []func(*Metrics, pen) sketch{treeFigure, adaptivityFigure, byTurnFigure} {
			p := newPen()
			s := make(&m, p)
			if s.h > 29.7*vg.Centimeter {
				t.Errorf("%s of %d: %v cm high", s.name, n, s.h/vg.Centimeter)
			}
			var c recorder.Canvas
			s.render(draw.Crop(draw.NewCanvas(&c, s.w, s.h), margin, -margin, margin, -margin))
			type box struct {
				text           string
				x0, x1, y0, y1 vg.Length
			}
			var boxes []box
			for _, a := range c.Actions {
				f, ok := a.(*recorder.FillString)
				if !ok || f.String == "Share going on differently" {
					continue // stands upright
				}
				size := f.Font.Size
				b := box{f.String, f.Point.X, f.Point.X + p.style(size, draw.XLeft, draw.YCenter).Width(f.String), f.Point.Y, f.Point.Y + .7*size}
				for _, o := range boxes {
					if b.x0 < o.x1-.1 && o.x0 < b.x1-.1 && b.y0 < o.y1-.1 && o.y0 < b.y1-.1 {
						t.Errorf("%s of %d: %q lies on %q", s.name, n, b.text, o.text)
					}
				}
				if b.x0 < 0 || b.x1 > s.w || b.y0 < 0 || b.y1 > s.h {
					t.Errorf("%s of %d: %q lies outside", s.name, n, b.text)
				}
				boxes = append(boxes, b)
			}
			if len(boxes) < 5 {
				t.Errorf("%s of %d: %d texts", s.name, n, len(boxes))
			}
		}
	}
}

// TestFiguresGolden holds the figures of how strategies ask against testdata/figures, to a
// tenth of a point; -update rewrites them.
func TestFiguresGolden(t *testing.T) {
	m := Compute(load(t, paperRun(len(manyWays)).write(t)))
	number := regexp.MustCompile(`-?\d+(\.\d+)?(e-?\d+)?`)
	for _, make := range []func(*Metrics, pen) sketch{treeFigure, adaptivityFigure, byTurnFigure} {
		s := make(m, newPen())
		files, err := s.files()
		if err != nil {
			t.Fatal(err)
		}
		got, file := files[0].Data, filepath.Join("testdata", "figures", s.name+".svg")
		if *update {
			golden(t, file, string(got))
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(number.ReplaceAll(got, []byte("#")), number.ReplaceAll(want, []byte("#"))) {
			t.Errorf("another %s (go test -update rewrites it)", file)
			continue
		}
		was := number.FindAll(want, -1)
		for i, b := range number.FindAll(got, -1) {
			x, err := strconv.ParseFloat(string(b), 64)
			if err != nil {
				t.Fatal(err)
			}
			y, err := strconv.ParseFloat(string(was[i]), 64)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(x-y) > .1 {
				t.Errorf("%s: number %d is %v, was %v", file, i, x, y)
				break
			}
		}
	}
}
