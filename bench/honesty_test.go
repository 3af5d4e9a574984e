package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"pepbench/bench/llm"
	"pepbench/bench/record"
	"pepbench/bench/solver"
	"pepbench/domains"
	"pepbench/domains/data"
	"pepbench/judges"
	"pepbench/strategies"
	"pepbench/strategies/belief"
)

// These tests ask whether the numbers could come out right for a wrong reason.

// wired is the embedded model with what a run makes of it.
type wired struct {
	roles *roles
	plan  *Plan
}

func wire(t testing.TB, p *Plan) *wired {
	t.Helper()
	r, err := p.connect(context.Background(), 8)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	return &wired{r, p}
}

// response lets the solver answer the task of a test profile for an inference.
func (w *wired) response(t testing.TB, profile int, inf domains.Inference) string {
	t.Helper()
	d := w.plan.Data
	task := d.Profiles[profile].Task
	s, err := w.roles.solver.Solve(context.Background(), solver.Problem{Task: d.Tasks[task].Blind(), Criteria: d.CriteriaOf(task), Rubric: d.Rubric, Inference: inf})
	if err != nil {
		t.Fatal(err)
	}
	return s.Text
}

// grade gives the alignment of a response with a profile.
func (w *wired) grade(t testing.TB, profile int, response string) float64 {
	t.Helper()
	d := w.plan.Data
	p := &d.Profiles[profile]
	scores, err := w.roles.judge.Grade(context.Background(), judges.Case{Task: d.Tasks[p.Task].Blind(), Criteria: d.CriteriaOf(p.Task), Profile: p, Rubric: d.Rubric, Response: response})
	if err != nil {
		t.Fatal(err)
	}
	raw, ok := record.Raw(graded(scores), p.Weight)
	if !ok {
		t.Fatalf("unscored: %+v", scores)
	}
	return record.Alignment(raw)
}

// truth is the oracle's inference.
func truth(d *domains.Dataset, profile int) domains.Inference {
	p := &d.Profiles[profile]
	e := strategies.Oracle{}.Begin(strategies.Setting{Task: d.Tasks[p.Task], Criteria: d.CriteriaOf(p.Task)})
	e.(strategies.Revealer).Reveal(*p)
	return e.Infer()
}

// taskMeans averages within tasks, then over them.
func taskMeans(d *domains.Dataset, profiles []int, value func(profile int) float64) float64 {
	sum, n := map[int]float64{}, map[int]float64{}
	for _, k := range profiles {
		t := d.Profiles[k].Task
		sum[t] += value(k)
		n[t]++
	}
	total := 0.0
	for _, t := range sortedInts(n) {
		total += sum[t] / n[t]
	}
	return total / float64(len(n))
}

func sortedInts(m map[int]float64) []int {
	var out []int
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// TestFloorCeilingAndSwap: on every domain the floor lies below the ceiling, and a
// response made for one user, given to another of the same task, earns at most two
// points more than what everybody would be given without a question: the score
// rewards fitting the person, not saying much.
func TestFloorCeilingAndSwap(t *testing.T) {
	for _, name := range data.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := prepare(t, "../configs/"+name+".yaml", "split.users_per_task=6", "beliefs={latent: {kind: independent}}")
			w := wire(t, p)
			d := p.Data
			none := domains.NewInference(len(d.Criteria))
			prior := strategies.None{Predict: (&builder{models: map[string]belief.Model{"prior": fitPrior(t, p)}}).predictor("prior")}
			floor := taskMeans(d, p.Parts[0].Test, func(k int) float64 { return w.grade(t, k, w.response(t, k, none)) })
			ceiling := taskMeans(d, p.Parts[0].Test, func(k int) float64 { return w.grade(t, k, w.response(t, k, truth(d, k))) })
			atZero := taskMeans(d, p.Parts[0].Test, func(k int) float64 {
				task := d.Profiles[k].Task
				set := strategies.Setting{Task: d.Tasks[task].Blind(), Criteria: d.CriteriaOf(task)}
				return w.grade(t, k, w.response(t, k, prior.Begin(set).Infer()))
			})
			next := map[int]int{} // another test user of the same task
			for i, k := range p.Parts[0].Test {
				mates := slices.DeleteFunc(slices.Clone(p.Parts[0].Test), func(o int) bool { return d.Profiles[o].Task != d.Profiles[k].Task })
				next[k] = mates[(slices.Index(mates, p.Parts[0].Test[i])+1)%len(mates)]
			}
			swapped := taskMeans(d, p.Parts[0].Test, func(k int) float64 { return w.grade(t, k, w.response(t, next[k], truth(d, next[k]))) })
			t.Logf("floor %.1f, prior at 0 questions %.1f, swapped oracle %.1f, ceiling %.1f", floor, atZero, swapped, ceiling)
			if !(floor < ceiling) {
				t.Errorf("floor %.1f is not below the ceiling %.1f", floor, ceiling)
			}
			if swapped > atZero+2 {
				t.Errorf("other people's ideal responses earn %.1f, the prior's %.1f: the score does not look at the person", swapped, atZero)
			}
		})
	}
}

func fitPrior(t testing.TB, p *Plan) belief.Model {
	t.Helper()
	m, _, err := (&independent{Smoothing: 5}).Fit(context.Background(), fitInput{train: belief.NewPopulation(p.Data, p.Parts[0].Train)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// keepWords stay when everything else is renamed: absence, negation, function
// words. The embedded model may know those and no others.
var keepWords = strings.Fields("no not never none without nothing absent absence a an and any as at by but can each every for from how if in into is it its of on or other over so than that the their them then there they this to under up what when where which while who with within you your are be has have does do only just more most less least all both few some much many very one two three between before after about out through across")

// rename gives a data set whose criteria speak nonsense: every content word of
// names and levels becomes an invented one, the same everywhere.
func rename(d *domains.Dataset) *domains.Dataset {
	invented := map[string]string{}
	rng := rand.New(rand.NewPCG(11, 7))
	word := func(w string) string {
		low := strings.ToLower(w)
		if slices.Contains(keepWords, low) || strings.HasSuffix(low, "n't") {
			return w
		}
		if invented[low] == "" {
			for used := true; used; {
				var b strings.Builder
				for range 3 {
					b.WriteByte("bdfgklmnprtvz"[rng.IntN(13)])
					b.WriteByte("aou"[rng.IntN(3)])
				}
				b.WriteByte("kmp"[rng.IntN(3)])
				invented[low] = b.String()
				used = false
				for k, v := range invented {
					used = used || k != low && v == invented[low]
				}
			}
		}
		return invented[low]
	}
	text := func(s string) string {
		var b strings.Builder
		var w []rune
		flush := func() {
			if len(w) > 0 {
				b.WriteString(word(string(w)))
				w = w[:0]
			}
		}
		for _, r := range s {
			if unicode.IsLetter(r) || r == '\'' {
				w = append(w, r)
				continue
			}
			flush()
			b.WriteRune(r)
		}
		flush()
		return b.String()
	}
	out := *d
	out.Criteria = slices.Clone(d.Criteria)
	for i := range out.Criteria {
		c := &out.Criteria[i]
		c.Name, c.Description = text(c.Name), text(c.Description)
		c.Levels = slices.Clone(c.Levels)
		for l := range c.Levels {
			c.Levels[l].Text = text(c.Levels[l].Text)
		}
	}
	return &out
}

// TestRenamingChangesNothing: solver and judge work from the words they are shown;
// with the words of all criteria replaced by nonsense, alignment moves by less than
// two points.
func TestRenamingChangesNothing(t *testing.T) {
	for _, name := range data.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := prepare(t, "../configs/"+name+".yaml", "split.users_per_task=8", "beliefs={latent: {kind: independent}}")
			w := wire(t, p)
			model := fitPrior(t, p)
			plain, odd := p.Data, rename(p.Data)
			if plain.Criteria[0].Name == odd.Criteria[0].Name || plain.Criteria[0].Levels[4].Text == odd.Criteria[0].Levels[4].Text {
				t.Fatal("nothing was renamed")
			}
			for _, row := range []struct {
				reason string
				infer  func(k int) domains.Inference
			}{
				{"oracle", func(k int) domains.Inference { return truth(plain, k) }},
				{"prior", func(k int) domains.Inference {
					return model.Start(plain.Tasks[plain.Profiles[k].Task].Criteria).Infer()
				}},
				{"none", func(int) domains.Inference { return domains.NewInference(len(plain.Criteria)) }},
			} {
				var got [2]float64
				for i, d := range []*domains.Dataset{plain, odd} {
					w.plan = &Plan{Experiment: p.Experiment, Data: d, Parts: p.Parts}
					got[i] = taskMeans(d, p.Parts[0].Test, func(k int) float64 { return w.grade(t, k, w.response(t, k, row.infer(k))) })
				}
				t.Logf("%s: %.2f, renamed %.2f", row.reason, got[0], got[1])
				if math.Abs(got[0]-got[1]) >= 2 {
					t.Errorf("%s: alignment %.2f becomes %.2f when the criteria are renamed", row.reason, got[0], got[1])
				}
			}
		})
	}
}

// eavesdrop keeps the requests that pass.
type eavesdrop struct {
	next llm.Client
	mu   sync.Mutex
	seen []llm.Request
}

func (e *eavesdrop) Complete(ctx context.Context, r llm.Request) (llm.Reply, error) {
	e.mu.Lock()
	e.seen = append(e.seen, r)
	e.mu.Unlock()
	return e.next.Complete(ctx, r)
}

// wary is a judge that looks at what it is handed.
type wary struct {
	grading
	t *testing.T
}

func (w wary) Grade(ctx context.Context, c judges.Case) ([]judges.Score, error) {
	if c.Expressed != nil || c.Values != nil {
		w.t.Errorf("a judge that reads texts is handed what the solver was told: %v, %v", c.Expressed, c.Values)
	}
	if c.Task.Answer != "" || c.Task.Why != "" {
		w.t.Errorf("a judge of preferences is handed the right answer %q", c.Task.Answer)
	}
	return w.grading.Grade(ctx, c)
}

// TestRequestsKeepTheBarriers listens on the wire of a run on a quality rubric,
// where there is most to leak: the judge reads exactly the response that is in the
// journal, and the solver reads nothing of the user's own rubric.
func TestRequestsKeepTheBarriers(t *testing.T) {
	p := prepare(t, "../configs/prefdisco.yaml", "domain.path=testdata/released.good.jsonl", "filter={}", "split.users_per_task=0", "split.test=0.4", "beliefs.latent.classes=[1]")
	w := wire(t, p)
	solve, judge := &eavesdrop{next: w.roles.solver.(solver.Direct).Client}, &eavesdrop{next: w.roles.judge.(*judges.Rubric).Client}
	r := &runner{
		plan: p, judgeID: w.roles.judgeID,
		solver: solver.Direct{Client: solve, Options: solver.Options{MaxCriteria: 6}},
		judge:  wary{&judges.Rubric{Client: judge, Batched: true, Model: "m"}, t},
	}
	responses := map[string]bool{}
	var notes []string
	for _, k := range p.sessions {
		s, err := r.session(context.Background(), k)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Checkpoints {
			if c.Response != norm.NFC.String(c.Response) || strings.ContainsFunc(c.Response, func(r rune) bool { return unicode.Is(unicode.Cf, r) }) {
				t.Errorf("%s: the journaled response is not normalised", s.ID)
			}
			responses[c.Response] = true
		}
		for _, n := range p.Data.Profiles[k.profile].Notes {
			if n.Justification != "" {
				notes = append(append(notes, n.Justification), n.Levels...)
			}
		}
	}
	if len(notes) == 0 || len(judge.seen) == 0 || len(solve.seen) == 0 {
		t.Fatalf("%d notes, %d judge requests, %d solver requests: nothing was tested", len(notes), len(judge.seen), len(solve.seen))
	}
	for _, q := range judge.seen {
		_, rest, ok := strings.Cut(q.User, "\n<<<\n")
		at := strings.LastIndex(rest, "\n>>>\n")
		if !ok || at < 0 || !responses[rest[:at]] {
			t.Fatalf("the judge was not shown a journaled response as it is:\n%s", q.User)
		}
	}
	for _, q := range solve.seen {
		for _, n := range notes {
			if strings.Contains(q.User+q.System, n) {
				t.Fatalf("the solver was shown %q of a user's own rubric", n)
			}
		}
	}
}

// gradeAgain grades the stored responses of a run with a fresh embedded model and
// prints them as JSON, in the order asked for.
func gradeAgain(dir string, backwards bool) ([]byte, error) {
	e, err := Load(smoke, append([]string{fewUsers}, small...))
	if err != nil {
		return nil, err
	}
	p, err := Prepare(context.Background(), e, nil)
	if err != nil {
		return nil, err
	}
	w, err := p.connect(context.Background(), 4)
	if err != nil {
		return nil, err
	}
	defer w.close()
	j, err := os.ReadFile(dir + "/" + record.SessionsFile)
	if err != nil {
		return nil, err
	}
	lines := bytes.Split(bytes.TrimSpace(j), []byte("\n"))
	out := make([][]record.Score, len(lines))
	order := make([]int, len(lines))
	for i := range order {
		order[i] = i
		if backwards {
			order[i] = len(lines) - 1 - i
		}
	}
	for _, i := range order {
		var s record.Session
		if err := json.Unmarshal(lines[i], &s); err != nil {
			return nil, err
		}
		at := slices.IndexFunc(p.sessions, func(k sessionKey) bool { return k.id == s.ID })
		prof := &p.Data.Profiles[p.sessions[at].profile]
		for _, c := range s.Checkpoints {
			scores, err := w.judge.Grade(context.Background(), judges.Case{Task: p.Data.Tasks[prof.Task].Blind(), Criteria: p.Data.CriteriaOf(prof.Task), Profile: prof, Rubric: p.Data.Rubric, Response: c.Response})
			if err != nil {
				return nil, err
			}
			out[i] = append(out[i], graded(scores)...)
		}
	}
	return json.Marshal(out)
}

const regradeEnv = "PEPBENCH_TEST_REGRADE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(regradeEnv); dir != "" { // the fresh process of the test below
		b, err := gradeAgain(dir, true)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Stdout.Write(b)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestGradingIsTheSameInAFreshProcess: another process, calls in reverse order, the
// same bytes; and they are those of the journal.
func TestGradingIsTheSameInAFreshProcess(t *testing.T) {
	dir := t.TempDir()
	mustRun(t, prepare(t, "../configs/smoke.yaml"), dir)
	var journal [][]record.Score
	for _, s := range sessions(t, dir) {
		var all []record.Score
		for _, c := range s.Checkpoints {
			all = append(all, c.Scores...)
		}
		journal = append(journal, all)
	}
	want, err := json.Marshal(journal)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), regradeEnv+"="+dir)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	got, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	if !bytes.Equal(got, want) {
		t.Error("grades of a fresh process, calls reversed, differ from the journal")
	}
}

// TestNoStructureNoGain: with the structure knob at 0 there is nothing to learn from
// one criterion about another. After five answers, no belief may predict unasked
// cells better than the prior by more than 0.005 nats a cell, not even one that was
// made to find four classes or three factors; and those that choose their size on dev
// may not predict them worse than that either. The released heuristics, which choose
// nothing, may lose; they predict held or not, and are measured by that.
func TestNoStructureNoGain(t *testing.T) {
	const seeds, bound = 20, 0.005
	rows := []struct {
		name, belief string
		chosen       bool // its size, on dev
	}{
		{"latent-class", "{kind: latent-class, classes: [1, 2], restarts: 1, iterations: 15}", true},
		{"factor", "{kind: factor, dims: [0, 1], iterations: 8}", true},
		{"graded", "{kind: graded, dims: [0, 1], restarts: 1, iterations: 15}", true},
		{"blr", "{kind: blr, dims: [0, 1, 2]}", true},
		{"mixture-of-factors", "{kind: mixture-of-factors, classes: [1, 2], dims: [0], iterations: 8}", true},
		{"four classes", "{kind: latent-class, classes: [4], restarts: 1, iterations: 15}", false},
		{"three factors", "{kind: factor, dims: [3], iterations: 8}", false},
		{"two traits", "{kind: graded, dims: [2], restarts: 1, iterations: 15}", false},
		{"naive-bayes", "{kind: naive-bayes}", false},
		{"item-cf", "{kind: item-cf}", false},
		{"hybrid", "{kind: hybrid}", false},
		{"logistic-cf", "{kind: logistic-cf}", false},
		{"bayesian-cf", "{kind: bayesian-cf}", false},
	}
	var beliefs strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&beliefs, ", b%d: %s", i, row.belief)
	}
	gains := make([][seeds]float64, len(rows))
	t.Run("seeds", func(t *testing.T) {
		for seed := 1; seed <= seeds; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				p := prepare(t, "../configs/ablations/structure.yaml", fmt.Sprintf("domain.seed=%d", seed), fmt.Sprintf("split.seed=%d", seed), "domain.users=80", "split.users_per_task=24",
					"beliefs={latent: {kind: independent}"+beliefs.String()+"}")
				prior := fitPrior(t, p)
				on := p.Experiment.fitInput(p.Data, p.Parts[0])
				for i, row := range rows {
					m, _, err := p.Experiment.Beliefs[fmt.Sprint("b", i)].Config.Fit(context.Background(), on)
					if err != nil {
						t.Fatal(err)
					}
					gain, cells := gainOver(p, m, prior, rand.New(rand.NewPCG(uint64(seed), 3)))
					if gain > bound || row.chosen && gain < -bound {
						t.Errorf("%s (%s) gains %.4f nats a cell over the prior on %d unasked cells where there is nothing to gain", row.name, m.About(), gain, cells)
					}
					if row.name == "four classes" && !strings.Contains(m.About(), "4 classes") {
						t.Errorf("%s, four classes were asked for", m.About())
					}
					gains[i][seed-1] = gain
				}
			})
		}
	})
	for i, row := range rows {
		mean := 0.0
		for _, v := range gains[i] {
			mean += v / seeds
		}
		t.Logf("%-20s gains %+.5f nats a cell over the prior where there is nothing to gain (mean of %d seeds)", row.name, mean, seeds)
	}
}

// gainOver is by how much m predicts the cells of test profiles better than the prior
// once five of them, drawn by rng, are told: log score in nats a cell, and the cells.
func gainOver(p *Plan, m, prior belief.Model, rng *rand.Rand) (gain float64, cells int) {
	for _, k := range p.Parts[0].Test {
		prof := &p.Data.Profiles[k]
		crit := p.Data.Tasks[prof.Task].Criteria
		a, b := m.Start(crit), prior.Start(crit)
		order := rng.Perm(len(crit))
		for _, i := range order[:5] {
			a.Observe(i, prof.Cells[i])
			b.Observe(i, prof.Cells[i])
		}
		_, joint := a.(belief.Joint)
		mine, theirs := logScores(a, prof.Cells, joint), logScores(b, prof.Cells, joint)
		for _, i := range order[5:] {
			gain += mine[i] - theirs[i]
			cells++
		}
	}
	return gain / float64(cells), cells
}

// logScores are the log probabilities of cells: of their states, or of held or not
// alone.
func logScores(b belief.Belief, cells []domains.Cell, state bool) []float64 {
	out := make([]float64, len(cells))
	if j, ok := b.(belief.Joint); ok && state {
		for i, cell := range cells {
			s := 0
			if cell.IsHeld() {
				for s = 1; !j.Answer(i, s).Equal(cell); s++ {
				}
			}
			out[i] = math.Log(j.States(nil, i)[s])
		}
		return out
	}
	for i, p := range b.Infer().Held {
		if !cells[i].IsHeld() {
			p = 1 - p
		}
		out[i] = math.Log(max(p, 1e-12))
	}
	return out
}
