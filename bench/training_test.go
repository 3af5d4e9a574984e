package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/judges"
	"pepbench/strategies/rl"
)

// tinyTrain trains a policy in no time, and for nothing.
const tinyTrain = "train: {steps: 3, episodes: 4, group: 2, hidden: 8, words: 4, evaluate: 1, predict: latent, clone: none}"

// tinySets are for the configuration smoke, with such a policy.
func tinySets(more ...string) []string {
	return slices.Concat(small, []string{
		"domain.users=30", "cache=off", "solver={kind: profile}", "judge={kind: profile}", "budget=3", "horizon=3", "report={resamples: 20}",
		"strategies=[{name: none, kind: none}, {name: random, kind: random, predict: [answers, latent]}, {name: pep, kind: pep, belief: latent, predict: latent}, {name: rl, kind: rl, predict: [answers, latent], " + tinyTrain + "}, {name: oracle, kind: oracle}]",
	}, more)
}

func tiny(t testing.TB, more ...string) *Experiment {
	t.Helper()
	e, err := Load(smoke, tinySets(more...))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// heard gathers what is said, and may do something at a line.
type heard struct {
	mu    sync.Mutex
	lines []string
	at    string
	do    func()
}

func (h *heard) say(s string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, s)
	if h.do != nil && strings.Contains(s, h.at) {
		h.do()
	}
}

func (h *heard) count(what string) int {
	n := 0
	for _, l := range h.lines {
		if strings.Contains(l, what) {
			n++
		}
	}
	return n
}

// learnt prepares an experiment and gives what its manifest says of its policy.
func learnt(t testing.TB, e *Experiment, h *heard) (*Plan, *record.Policy) {
	t.Helper()
	p, err := Prepare(context.Background(), e, h.say)
	if err != nil {
		t.Fatal(err)
	}
	return p, policyIn(t, p)
}

func policyIn(t testing.TB, p *Plan) *record.Policy {
	t.Helper()
	at := slices.IndexFunc(p.manifest.Strategies, func(s record.Strategy) bool { return s.Kind == policyKind })
	if at < 0 || p.manifest.Strategies[at].Policy == nil {
		t.Fatalf("no policy in %+v", p.manifest.Strategies)
	}
	return p.manifest.Strategies[at].Policy
}

// TestPolicyRow: a policy is trained before the run, kept, described and asked like any
// strategy; the second time it is taken from where it is.
func TestPolicyRow(t *testing.T) {
	dir := t.TempDir()
	e := tiny(t, "policies="+dir, "seeds=[1, 4]")
	h := &heard{}
	p, pol := learnt(t, e, h)
	if n := h.count("training policy rl, seed"); n != 2 {
		t.Errorf("%d trainings were told of, two seeds want two: %q", n, h.lines)
	}
	if len(pol.Trainings) != 2 || pol.Trainings[0].Seed != 1 || pol.Trainings[1].Seed != 4 || pol.Trainings[0].ID == pol.Trainings[1].ID || pol.Trainings[0].SHA256 == pol.Trainings[1].SHA256 {
		t.Fatalf("trainings %+v", pol.Trainings)
	}
	if want := p.builders[0].policies["rl"][1].NumParams(); pol.Params != int64(want) || want == 0 {
		t.Errorf("%d parameters, the network has %d", pol.Params, want)
	}
	if pol.Model != "two-layer network (8 hidden units)" || pol.Method != "GRPO, at most 3 steps of 8 rollouts, terminal reward (alignment, profile judge)" {
		t.Errorf("the policy is said to be %q, by %q", pol.Model, pol.Method)
	}
	byName := map[string]record.Strategy{}
	for _, s := range p.manifest.Strategies {
		byName[s.Name] = s
	}
	own, latent := byName["rl"], byName["rl+latent"]
	if own.Params != int(pol.Params) || latent.Params != own.Params+p.builders[0].models["latent"].NumParams() {
		t.Errorf("rl has %d parameters, rl+latent %d, the network %d", own.Params, latent.Params, pol.Params)
	}
	if own.Asks != "" || own.Policy.ID != latent.Policy.ID || byName["random"].Policy != nil || !strings.Contains(own.About, "not the paper's 8B model") || !strings.Contains(own.About, "predicting from belief latent, checkpoint by dev reward") {
		t.Errorf("described as %+v", own)
	}
	for _, tr := range pol.Trainings {
		for _, v := range []record.Float{tr.Reward, tr.Dev, tr.Random, tr.Static, tr.OverRandom.Value, tr.OverRandom.Lo, tr.OverStatic.Hi} {
			if !v.Defined() {
				t.Errorf("undefined: %+v", tr)
			}
		}
		if d := tr.Reward - tr.Random - tr.OverRandom.Value; math.Abs(float64(d)) > 2e-6 {
			t.Errorf("the difference to random is %v, the rewards are %v and %v", tr.OverRandom.Value, tr.Reward, tr.Random)
		}
		if tr.Undertrained != (tr.Reward < tr.Static) || len(tr.Order) < e.Budget || tr.Cloning != nil {
			t.Errorf("%+v", tr)
		}
		got := names(t, filepath.Join(dir, short(tr.ID)))
		if !slices.Equal(got, []string{policyFile, record.TrainingFile}) {
			t.Errorf("kept: %q", got)
		}
	}

	h = &heard{}
	q, again := learnt(t, tiny(t, "policies="+dir, "seeds=[1, 4]"), h)
	if h.count("training policy") != 0 {
		t.Errorf("trained again: %q", h.lines)
	}
	if a, b := fmt.Sprintf("%+v", pol), fmt.Sprintf("%+v", again); a != b {
		t.Errorf("from the cache the manifest says\n%s\nand had said\n%s", b, a)
	}
	h = &heard{}
	_, off := learnt(t, tiny(t, "policies=off", "seeds=[1, 4]"), h)
	if a, b := fmt.Sprintf("%+v", pol), fmt.Sprintf("%+v", off); a != b || h.count("training policy") != 2 {
		t.Errorf("in memory the manifest says\n%s\nand had said\n%s", b, a)
	}

	var want []byte
	for _, row := range []struct {
		reason string
		p      *Plan
		sets   []string
	}{
		{"one session at a time", p, []string{"concurrency=1"}},
		{"many at a time, from the cache", q, []string{"concurrency=16"}},
	} {
		row.p.Experiment.Concurrency = map[string]int{"concurrency=1": 1, "concurrency=16": 16}[row.sets[0]]
		out := t.TempDir()
		mustRun(t, row.p, out)
		got := slices.Concat(readFile(t, out, record.ManifestFile), readFile(t, out, record.SessionsFile))
		if want == nil {
			want = got
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s: other bytes", row.reason)
		}
		if got := names(t, filepath.Join(out, TrainingsDir)); !slices.Equal(got, []string{"rl-seed1.json", "rl-seed4.json"}) {
			t.Errorf("%s: the run has trainings %q", row.reason, got)
		}
		for _, s := range sessions(t, out) {
			if s.Strategy == "rl" && (len(s.Turns) != 3 || len(s.Turns[0].Scores) == 0 || s.Turns[0].Scores[0].Position != s.Turns[0].Question) {
				t.Fatalf("session %s: %+v", s.ID, s.Turns)
			}
		}
	}
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range list {
		out = append(out, f.Name())
	}
	return out
}

// leaping is a clock that goes an hour between two looks.
func leaping() func() time.Time {
	at := time.Unix(0, 0)
	return func() time.Time { at = at.Add(time.Hour); return at }
}

// TestTrainingTells: a log gets some lines of a training, not one an evaluation.
func TestTrainingTells(t *testing.T) {
	stopped := func() time.Time { return time.Unix(0, 0) }
	for _, row := range []struct {
		reason string
		pr     preparer
		want   []string
	}{
		{"that was asked for, in no time: how it begins and ends", preparer{asked: true, now: stopped}, []string{": step 0 of", ": step 20 of"}},
		{"that was asked for, and takes hours", preparer{asked: true, now: leaping()}, []string{": step 0 of", ": step 10 of", ": step 20 of"}},
		{"by the way, in no time", preparer{now: stopped}, nil},
		{"by the way, and takes hours", preparer{now: leaping()}, []string{": step 0 of", ": step 10 of", ": step 20 of"}},
	} {
		var got []string
		tr := trainer{pr: &row.pr, plan: &Plan{Parts: make([]domains.Parts, 1)}, spec: &learned{}, say: func(s string) { got = append(got, s) }}
		say, last := tr.progress(0, 100)
		for step := 0; step <= 20; step += 10 {
			say(rl.Point{Step: step})
		}
		last()
		if len(got) != len(row.want) || slices.ContainsFunc(row.want, func(w string) bool {
			return !slices.ContainsFunc(got, func(g string) bool { return strings.Contains(g, w) })
		}) {
			t.Errorf("%s: told %q", row.reason, got)
		}
	}
}

// TestTrainingGoesOn: a training that is interrupted, again and again, ends in the same
// bytes as one that is not, and what it had reached is kept.
func TestTrainingGoesOn(t *testing.T) {
	whole, parts := t.TempDir(), t.TempDir()
	_, pol := learnt(t, tiny(t, "policies="+whole), &heard{})
	id := short(pol.Trainings[0].ID)
	interrupted := 0
	for i := 0; ; i++ {
		if i > 10 {
			t.Fatal("training does not come to an end")
		}
		e := tiny(t, "policies="+parts)
		ctx, cancel := context.WithCancel(context.Background())
		evaluations := 0
		h := &heard{at: ": step ", do: func() {
			if evaluations++; evaluations == 2 { // one is after the last checkpoint at the most
				cancel()
			}
		}}
		pr := preparer{asked: true, now: leaping()} // all evaluations are told
		_, err := pr.prepare(ctx, e, h.say)
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		interrupted++
		if got := names(t, filepath.Join(parts, id)); !slices.Contains(got, checkpointFile) || slices.Contains(got, record.TrainingFile) {
			t.Fatalf("interrupted, the folder has %q", got)
		}
		if i > 0 && h.count("going on from step ") != 1 {
			t.Errorf("started over: %q", h.lines)
		}
	}
	if interrupted == 0 {
		t.Fatal("nothing was interrupted")
	}
	for _, f := range []string{policyFile, record.TrainingFile} {
		if !bytes.Equal(readFile(t, whole, id, f), readFile(t, parts, id, f)) {
			t.Errorf("%s differs after %d interruptions", f, interrupted)
		}
	}
	if got := names(t, filepath.Join(parts, id)); !slices.Equal(got, []string{policyFile, record.TrainingFile}) {
		t.Errorf("left: %q", got)
	}
}

// TestPolicyIsRefused: what is kept of a policy is refused where it is not what was
// written, with the file and how to mend it, and never trained over in silence.
func TestPolicyIsRefused(t *testing.T) {
	dir := t.TempDir()
	_, pol := learnt(t, tiny(t, "policies="+dir), &heard{})
	at := filepath.Join(dir, short(pol.Trainings[0].ID))
	policy, training := readFile(t, at, policyFile), readFile(t, at, record.TrainingFile)
	// Another training on the same criteria with the same options, interrupted, and one
	// with other options whose record says that it is this one.
	foreign := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	pr := preparer{asked: true, now: leaping()}
	if _, err := pr.prepare(ctx, tiny(t, "policies="+foreign, "domain.users=31"), (&heard{at: ": step ", do: cancel}).say); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	checkpoint := readFile(t, foreign, names(t, foreign)[0], checkpointFile)
	foreign = t.TempDir()
	_, other := learnt(t, tiny(t, "policies="+foreign, "strategies.rl.train.rate=0.5"), &heard{})
	foreign = filepath.Join(foreign, short(other.Trainings[0].ID))
	swapped := readFile(t, foreign, policyFile)
	claimed := bytes.Replace(training, []byte(pol.Trainings[0].SHA256), []byte(other.Trainings[0].SHA256), 1)
	for _, row := range []struct {
		reason, file, want string
		content            []byte // nil: the file is gone
	}{
		{"a weight that flipped a bit", policyFile, "is damaged", bytes.Replace(policy, []byte("A"), []byte("B"), 1)},
		{"a policy cut short", policyFile, "is damaged", policy[:len(policy)/2]},
		{"a policy that is gone", policyFile, "cannot be read", nil},
		{"a record cut short", record.TrainingFile, "is no record of a training", training[:len(training)/2]},
		{"a record of another schema", record.TrainingFile, "has schema 9", bytes.Replace(training, []byte(`"schema": 1`), []byte(`"schema": 9`), 1)},
		{"a record of another training", record.TrainingFile, "is of another training", bytes.Replace(training, []byte(pol.Trainings[0].ID), []byte(strings.Repeat("0", 64)), 1)},
		{"a checkpoint cut short", checkpointFile, "to train from the start", []byte(`{"format":`)},
		{"a checkpoint of other data", checkpointFile, "is of another training", checkpoint},
		{"a policy of other options, with a record that says otherwise", policyFile, "with other options", swapped},
	} {
		write := func(file string, b []byte) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(at, file), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write(policyFile, policy)
		write(record.TrainingFile, training)
		if bytes.Equal(row.content, swapped) {
			write(record.TrainingFile, claimed)
		}
		switch {
		case row.content == nil:
			if err := os.Remove(filepath.Join(at, row.file)); err != nil {
				t.Fatal(err)
			}
		case row.file == checkpointFile:
			if err := os.Remove(filepath.Join(at, record.TrainingFile)); err != nil {
				t.Fatal(err)
			}
			fallthrough
		default:
			write(row.file, row.content)
		}
		_, err := Prepare(context.Background(), tiny(t, "policies="+dir), nil)
		var bad *domains.DataError
		if !errors.As(err, &bad) || bad.File != filepath.Join(at, row.file) || !strings.Contains(err.Error(), row.want) || !strings.Contains(bad.Mend, "delete") || strings.Contains(err.Error(), "\n") ||
			strings.Count(err.Error(), filepath.Join(at, row.file)) != 1 {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
	if err := os.RemoveAll(at); err != nil { // as it was told to
		t.Fatal(err)
	}
	_, again := learnt(t, tiny(t, "policies="+dir), &heard{})
	if again.Trainings[0].SHA256 != pol.Trainings[0].SHA256 {
		t.Error("another policy came of the same training")
	}
}

// TestPolicyID: a policy is known by what decides it, and by nothing else.
func TestPolicyID(t *testing.T) {
	id := func(sets ...string) string {
		t.Helper()
		e := tiny(t, append([]string{"policies=" + t.TempDir()}, sets...)...)
		pr := preparer{dry: true}
		p, err := pr.prepare(context.Background(), e, nil)
		if err != nil {
			t.Fatal(err)
		}
		var l *learned
		for _, s := range e.Strategies {
			if x, ok := s.Config.(*learned); ok {
				l = x
			}
		}
		tr := &trainer{pr: &pr, plan: p, builder: p.builders[0], spec: l, seed: e.Seeds[0]}
		if err := tr.identify(); err != nil {
			t.Fatal(err)
		}
		return tr.id
	}
	base := id()
	for _, row := range []struct {
		reason string
		same   bool
		sets   []string
	}{
		{"how many test users are asked", true, []string{"split.users_per_task=3"}},
		{"what is reported", true, []string{"report={resamples: 30}", "name=other", "about=other"}},
		{"how it predicts when it is used", true, []string{"strategies.rl.predict=answers"}},
		{"what the strategy is called", true, []string{"strategies.rl.name=grpo"}},
		{"whose choices are cloned", true, []string{"strategies.rl.train.clone=pep"}},
		{"other strategies", true, []string{"strategies.pep.acquisition=variance"}},
		{"more seeds", true, []string{"seeds=[1, 2]"}},
		{"who judges the run", true, []string{"solver={kind: direct}", "judge={kind: rubric}"}},
		{"what a default says anyway", true, []string{"strategies.rl.train.algorithm=grpo", "strategies.rl.train.reward=profile"}},
		{"questions past the budget", true, []string{"horizon=6"}},
		{"the seed", false, []string{"seeds=[2]"}},
		{"the budget", false, []string{"budget=2", "horizon=2"}},
		{"the split", false, []string{"split.seed=9"}},
		{"the share of dev", false, []string{"split.dev=0.3"}},
		{"the filter", false, []string{"filter.min_users=3"}},
		{"other users", false, []string{"domain.users=40"}},
		{"other data", false, []string{"domain.name=math"}},
		{"what the solver expresses", false, []string{"solver.max_criteria=3"}},
		{"noisy users", false, []string{"users={kind: noisy, slip: 0.1}"}},
		{"the model that predicts", false, []string{"beliefs.latent.classes=[3]"}},
		{"another way to predict", false, []string{"strategies.rl.train.predict=answers"}},
		{"a knob of the training", false, []string{"strategies.rl.train.rate=0.5"}},
		{"the algorithm", false, []string{"strategies.rl.train.algorithm=reinforce"}},
		{"who rewards", false, []string{"strategies.rl.train.reward=judge"}},
		{"empty cells", false, []string{"missing=spend"}},
	} {
		if got := id(row.sets...); (got == base) != row.same {
			t.Errorf("%s: the same policy: %v", row.reason, got == base)
		}
	}
	judged := "strategies.rl.train.reward=judge"
	llm := []string{judged, "solver={kind: direct}", "judge={kind: rubric}"}
	if id(llm...) == id(append(llm, "judge.mode=single")...) {
		t.Error("another judge gives the same reward")
	}
	if id(llm...) == id(append(llm, "models={m: {kind: openai, model: x}}", "roles={judge: m}")...) {
		t.Error("another model as judge gives the same reward")
	}
}

// TestDevChooses: the checkpoint is the first with the largest dev reward of the curve.
func TestDevChooses(t *testing.T) {
	dir := t.TempDir()
	s := &Sweep{Cells: []SweepCell{{Experiment: tiny(t, "policies="+dir, "strategies.rl.train.steps=12", "strategies.rl.train.rate=0.05", "strategies.rl.train.patience=0")}}}
	list, err := TrainPolicies(context.Background(), s, Training{}, nil)
	if err != nil || len(list) != 1 {
		t.Fatal(err)
	}
	tr := list[0]
	best := 0
	for i, c := range tr.Curve {
		if c.Dev > tr.Curve[best].Dev {
			best = i
		}
	}
	if len(tr.Curve) != 13 || tr.Best != tr.Curve[best].Step || tr.Dev != tr.Curve[best].Dev {
		t.Errorf("step %d with %v on dev is kept, the curve says %+v", tr.Best, tr.Dev, tr.Curve)
	}
	if tr.Cached || tr.Dir != filepath.Join(dir, short(tr.ID)) || tr.Policy != "rl" || tr.Rollouts != 8 || tr.Config["steps"] != 12. {
		t.Errorf("training %+v", tr.Training)
	}
	first := tr.SHA256
	for _, row := range []struct {
		reason string
		fresh  bool
	}{{"it is there", false}, {"it is trained again", true}} {
		list, err := TrainPolicies(context.Background(), s, Training{Fresh: row.fresh}, nil)
		if err != nil || len(list) != 1 || list[0].Cached == row.fresh || list[0].SHA256 != first {
			t.Errorf("%s: %+v, %v", row.reason, list, err)
		}
	}
}

// TestReached: what is not undertrained earns what the fixed order earns, be it just that, as
// where everything is asked in whichever order; to beat random is not enough.
func TestReached(t *testing.T) {
	for _, row := range []struct {
		reason  string
		reached bool
		sets    []string
	}{
		{"everything is asked", true, []string{"domain.users=12", "budget=40", "horizon=40"}},
		{"between random and the fixed order", false, []string{"seeds=[2]", "strategies.rl.train.steps=16", "strategies.rl.train.evaluate=2"}},
	} {
		_, pol := learnt(t, tiny(t, append(row.sets, "policies=off", "strategies.rl.predict=answers", "strategies.rl.train.predict=answers")...), &heard{})
		tr := pol.Trainings[0]
		if (tr.Random == tr.Reward) != row.reached || (tr.Reward == tr.Static) != row.reached || tr.Random > tr.Reward || tr.Reward > tr.Static || tr.Undertrained == row.reached {
			t.Errorf("%s: %v, random %v, the fixed order %v, undertrained: %v", row.reason, tr.Reward, tr.Random, tr.Static, tr.Undertrained)
		}
	}
}

// TestTrainPoliciesRefuses names what there is not.
func TestTrainPoliciesRefuses(t *testing.T) {
	of := func(sets ...string) *Sweep { return &Sweep{Cells: []SweepCell{{Experiment: tiny(t, sets...)}}} }
	dir := "policies=" + t.TempDir()
	e, err := Load("../configs/survey.yaml", []string{ // whose configuration says undefined: skip
		dir, "domain.path=testdata/continuous", "split.users_per_task=0", "filter.min_held=1", "budget=1", "horizon=1", "cache=off", "report={resamples: 20}",
		"strategies=[{name: none, kind: none}, {name: pep, kind: pep, belief: blr, predict: blr}, {name: rl, kind: rl, " + strings.Replace(tinyTrain, "none", "pep", 1) + "}, {name: oracle, kind: oracle}]",
	})
	if err != nil {
		t.Fatal(err)
	}
	survey := &Sweep{Cells: []SweepCell{{Experiment: e}}}
	for _, row := range []struct {
		reason, want string
		s            *Sweep
		t            Training
	}{
		{"nothing would be kept", "policies: off", of("policies=off"), Training{}},
		{"no such strategy", `no strategy "pep" of kind rl`, of(dir), Training{Strategies: []string{"pep"}}},
		{"no such seed", "seed 7 is none of the experiment's: [1]", of(dir), Training{Seeds: []int{7}}},
		{"no policy at all", "no strategy of kind rl", of(dir, "strategies=[{name: none, kind: none}, {name: oracle, kind: oracle}]"), Training{}},
		{"none that the data has", "no policy is defined on the data: belief latent: ", survey, Training{}},
	} {
		if _, err := TrainPolicies(context.Background(), row.s, row.t, nil); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
	if _, err := Load(smoke, tinySets("strategies.rl.train.predict=latnt")); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), `.train.predict: no belief "latnt"; known: answers, latent`) {
		t.Errorf("a reward by no belief: %v", err)
	}
}

// TestTrainedTogether: of two that want the same policy at the same time one trains it,
// and the other waits.
func TestTrainedTogether(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	var hs [2]*heard
	var got [2]string
	for i := range hs {
		hs[i] = &heard{}
		e := tiny(t, "policies="+dir)
		wg.Add(1)
		go func() {
			defer wg.Done()
			p, err := Prepare(context.Background(), e, hs[i].say)
			if err != nil {
				t.Error(err)
				return
			}
			got[i] = policyIn(t, p).Trainings[0].SHA256
		}()
	}
	wg.Wait()
	if n := hs[0].count("training policy") + hs[1].count("training policy"); n != 1 || got[0] != got[1] {
		t.Errorf("trained %d times: %s, %s", n, got[0], got[1])
	}
}

// TestFoldsAndPolicies: every fold has policies of its own.
func TestFoldsAndPolicies(t *testing.T) {
	p, pol := learnt(t, tiny(t, "policies=off", "split.folds=2", "strategies.rl.train.predict=answers"), &heard{}) // no model tells the folds apart
	if len(pol.Trainings) != 2 || pol.Trainings[0].Fold != 1 || pol.Trainings[1].Fold != 2 || pol.Trainings[0].ID == pol.Trainings[1].ID {
		t.Fatalf("trainings %+v", pol.Trainings)
	}
	dir := t.TempDir()
	mustRun(t, p, dir)
	if got := names(t, filepath.Join(dir, TrainingsDir)); !slices.Equal(got, []string{"rl-seed1-fold1.json", "rl-seed1-fold2.json"}) {
		t.Errorf("the run has trainings %q", got)
	}
}

// TestSweepTrainsOnce: cells that agree in what decides a policy have one.
func TestSweepTrainsOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sweep.yaml")
	if err := os.WriteFile(path, []byte("sweep:\n  strategies.pep.acquisition: [variance, profile-ig]\n  seeds: [[1], [1, 2]]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	abs, err := filepath.Abs(smoke)
	if err != nil {
		t.Fatal(err)
	}
	body := readFile(t, path)
	if err := os.WriteFile(path, append([]byte("extends: "+abs+"\n"), body...), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := LoadSweep(path, tinySets("policies=off"))
	if err != nil {
		t.Fatal(err)
	}
	h := &heard{}
	if _, _, err := RunSweep(context.Background(), s, t.TempDir(), false, stepper{h}, func(string, Outcome) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if n := h.count("training policy"); n != 2 {
		t.Errorf("%d trainings for two seeds: %q", n, h.lines)
	}
}

// stepper is a Progress that gathers steps.
type stepper struct{ h *heard }

func (s stepper) Step(what string)       { s.h.say(what) }
func (s stepper) Sessions(int, int, int) {}

// TestSurveyPolicies: a policy learns on a survey, too, where what may be asked differs
// from user to user; a belief that cannot handle the data leaves the row out.
func TestSurveyPolicies(t *testing.T) {
	load := func(path string, sets ...string) *Experiment {
		e, err := Load("../configs/survey.yaml", slices.Concat([]string{
			"domain.path=" + path, "split.users_per_task=0", "filter.min_held=1", "budget=2", "horizon=2", "cache=off", "policies=off", "report={resamples: 20}",
			"beliefs.latent.classes=[2]", "beliefs.factor.dims=[1]",
			"strategies=[{name: none, kind: none}, {name: rl, kind: rl, predict: [answers, latent], " + tinyTrain + "}, {name: oracle, kind: oracle}]",
		}, sets))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	for _, row := range []struct{ reason, path, missing string }{
		{"ordered levels", "testdata/survey", "skip"},
		{"empty cells spend questions", "testdata/survey", "spend"},
		{"levels without order", "testdata/mixed", "skip"},
	} {
		p, pol := learnt(t, load(row.path, "missing="+row.missing), &heard{})
		if tr := pol.Trainings[0]; !tr.Reward.Defined() || tr.OverRandom.Clusters < 5 {
			t.Errorf("%s: %+v", row.reason, tr)
		}
		mustRun(t, p, t.TempDir())
	}
	p, err := Prepare(context.Background(), load("testdata/mixed", "strategies.rl.train.predict=factor", "strategies.rl.predict=answers"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(p.manifest.LeftOut, "rl") || p.builders[0].policies["rl"] != nil {
		t.Errorf("left out: %q", p.manifest.LeftOut)
	}
}

// TestReplayOfWhatIsLeftOut: where no row of a policy can be, so that none is trained, its
// replay is left out with it; where one row can be, it stays.
func TestReplayOfWhatIsLeftOut(t *testing.T) {
	for _, row := range []struct{ reason, predict, left string }{
		{"no row of the policy", "[factor]", "[rl+factor again]"},
		{"one of two", "[factor, answers]", "[rl+factor]"},
	} {
		e, err := Load("../configs/survey.yaml", []string{ // whose configuration says undefined: skip
			"domain.path=testdata/mixed", "split.users_per_task=0", "filter.min_held=1", "budget=2", "horizon=2", "cache=off", "policies=off", "report={resamples: 20}", "beliefs.factor.dims=[1]",
			"strategies=[{name: none, kind: none}, {name: rl, kind: rl, predict: " + row.predict + ", " + strings.Replace(tinyTrain, "latent", "answers", 1) + "}, {name: again, kind: replay, of: rl, users: test}]",
		})
		if err != nil {
			t.Fatal(err)
		}
		p, err := Prepare(context.Background(), e, nil)
		if err != nil {
			t.Errorf("%s: %v", row.reason, err)
			continue
		}
		if got := fmt.Sprint(p.manifest.LeftOut); got != row.left {
			t.Errorf("%s: left out %s, want %s", row.reason, got, row.left)
		}
	}
}

// TestJudgedReward: a policy can be rewarded by the run's own solver and judge.
func TestJudgedReward(t *testing.T) {
	e := tiny(t, "policies="+t.TempDir(), "domain.users=12", "split.test=0.7", "solver={kind: direct}", "judge={kind: rubric}",
		"strategies.rl.train.reward=judge", "strategies.rl.train.steps=1", "budget=1", "horizon=1")
	_, pol := learnt(t, e, &heard{})
	tr := pol.Trainings[0]
	if !tr.Reward.Defined() || !strings.Contains(pol.Method, "the run's judge") {
		t.Errorf("%+v", pol)
	}
	e.Limits.Calls = 3
	e.Policies = t.TempDir()
	if _, err := Prepare(context.Background(), e, nil); err == nil {
		t.Error("training went on over the limit of calls")
	}
}

// TestDryRunTrainsNothing: a dry run says what is there, and trains nothing.
func TestDryRunTrainsNothing(t *testing.T) {
	dir := t.TempDir()
	e := tiny(t, "policies="+dir)
	h := &heard{}
	p, err := PrepareDry(context.Background(), e, h.say)
	if err != nil {
		t.Fatal(err)
	}
	if left := names(t, dir); len(left) > 0 || h.count("training policy") > 0 || !strings.Contains(p.DryRun(), "0 of 1 are trained already") {
		t.Errorf("left %q, said %q:\n%s", left, h.lines, p.DryRun())
	}
	learnt(t, e, &heard{})
	if p, err = PrepareDry(context.Background(), e, nil); err != nil || !strings.Contains(p.DryRun(), "two-layer network") {
		t.Errorf("%v\n%s", err, p.DryRun())
	}
}

// TestCloning: the capacity check is made beside one policy, kept with it, made again for
// other choices without training, and counts histories that were not learned.
func TestCloning(t *testing.T) {
	dir := t.TempDir()
	sets := []string{"policies=" + dir, "seeds=[1, 2]", "budget=2", "horizon=2"}
	h := &heard{}
	_, pol := learnt(t, tiny(t, append(sets, "strategies.rl.train.clone=pep")...), h)
	c := pol.Trainings[0].Cloning
	if c == nil || pol.Trainings[1].Cloning != nil || h.count("what pep asks is learned") != 1 {
		t.Fatalf("cloned %+v; %q", c, h.lines)
	}
	if c.Of != "pep" || c.Examples == 0 || c.HeldOut == 0 || !(c.Share > 0 && c.Share <= 1) || c.Unseen >= c.HeldOut || c.UnseenShare.Defined() != (c.Unseen > 0) {
		t.Errorf("cloned %+v", c)
	}
	for _, row := range []struct {
		reason                string
		sets                  []string
		cloned, trained, none bool
	}{
		{"it is kept", []string{"strategies.rl.train.clone=pep"}, false, false, false},
		{"the first one is the same", []string{"strategies.rl.train.clone="}, false, false, false},
		{"none is wanted", nil, false, false, true},
		{"other choices", []string{"strategies.rl.train.clone=pep", "strategies.pep.acquisition=variance"}, true, false, false},
		{"and back", []string{"strategies.rl.train.clone=pep"}, true, false, false},
	} {
		h := &heard{}
		_, pol := learnt(t, tiny(t, append(sets, row.sets...)...), h)
		if (h.count("is learned by") > 0) != row.cloned || (h.count("training policy") > 0) != row.trained || (pol.Trainings[0].Cloning == nil) != row.none {
			t.Errorf("%s: %+v, %q", row.reason, pol.Trainings[0].Cloning, h.lines)
		}
	}
}

// TestCloningWhatIsLeftOut: choices of a strategy that is not defined on the data are not
// cloned, and cost the run no more than that strategy.
func TestCloningWhatIsLeftOut(t *testing.T) {
	sets := []string{
		"policies=off", "undefined=skip", "beliefs.rule={kind: naive-bayes}", "report={resamples: 20}",
		"strategies.pep.belief=rule", "strategies.pep.acquisition=latent-ig", "strategies.pep.predict=[rule]", "strategies.rl.predict=answers",
		"strategies.rl.train.clone=pep",
	}
	p, pol := learnt(t, tiny(t, sets...), &heard{})
	if !slices.Contains(p.manifest.LeftOut, "pep+rule") || len(pol.Trainings) != 1 || pol.Trainings[0].Cloning != nil {
		t.Errorf("left out %q, trained %+v", p.manifest.LeftOut, pol.Trainings)
	}
}

// TestSharedPolicy: a policy that another experiment trained is described as if this one
// had, so that equal runs leave equal bytes whoever trained.
func TestSharedPolicy(t *testing.T) {
	experiment := func(policies, belief, pep, rl string) *Experiment {
		return tiny(t, "policies="+policies, "name="+rl, "beliefs={"+belief+": {kind: latent-class, classes: [2], restarts: 1}}", "report={resamples: 20}",
			"strategies=[{name: "+pep+", kind: pep, belief: "+belief+", predict: "+belief+"}, {name: "+rl+", kind: rl, "+strings.NewReplacer("latent", belief, "none", pep).Replace(tinyTrain)+"}]")
	}
	named := func(policies, belief, pep, rl string) []record.Training {
		t.Helper()
		p, _ := learnt(t, experiment(policies, belief, pep, rl), &heard{})
		return p.trainings[rl]
	}
	dir := t.TempDir()
	first := named(dir, "latent", "pep", "rl")
	kept, alone := named(dir, "model", "adaptive", "grpo"), named("off", "model", "adaptive", "grpo")
	if first[0].ID != kept[0].ID || first[0].Cloning == nil {
		t.Fatalf("trained %+v and %+v", first[0], kept[0])
	}
	if a, b := hashed(kept), hashed(alone); a != b {
		t.Errorf("another experiment's policy is %+v (clones %+v), one of its own %+v (clones %+v)", kept[0], kept[0].Cloning, alone[0], alone[0].Cloning)
	}
	told, err := TrainPolicies(context.Background(), &Sweep{Cells: []SweepCell{{Experiment: experiment(dir, "model", "adaptive", "grpo")}}}, Training{}, nil)
	if err != nil || len(told) != 1 || !told[0].Cached || hashed(told[0].Training) != hashed(alone[0]) {
		t.Errorf("told of %+v, %v", told, err)
	}
}

// TestUndertrained: a policy is undertrained where it is not shown to reach the fixed
// order on the episodes that both have a reward of.
func TestUndertrained(t *testing.T) {
	p := prepare(t, smoke, append(slices.Clone(profileOnly), "seeds=[1]", "strategies=[{name: random, kind: random}]")...)
	env := profileEnv(t, p, predictAnswers, 1)
	o := defaultTraining(rl.GRPO)
	o.Steps, o.Episodes, o.Group, o.Hidden, o.Words, o.Evaluate = 1, 2, 2, 2, 0, 1
	little, err := rl.Learn(context.Background(), env, o.options(1), rl.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		reason string
		lacks  bool // every reward
	}{
		{"one step teaches nothing", false},
		{"no episode has a reward: nothing was reached", true},
	} {
		tr := &trainer{pr: &preparer{}, plan: p, spec: &learned{Train: o}, seed: 1, met: row.reason}
		var s record.TrainingSummary
		if row.lacks {
			env.judge = unreadable{env.judge}
		}
		if err := tr.compare(context.Background(), env, little.Policy, &s); err != nil {
			t.Fatal(err)
		}
		if !s.Undertrained || s.Reward.Defined() == row.lacks {
			t.Errorf("%s: %+v", row.reason, s)
		}
	}
}

// unreadable is a judge none of whose scores can be read.
type unreadable struct{ grading }

func (u unreadable) Grade(ctx context.Context, c judges.Case) ([]judges.Score, error) {
	scores, err := u.grading.Grade(ctx, c)
	for i := range scores {
		scores[i].Score, scores[i].Unscored = nil, "garbled"
	}
	return scores, err
}

// TestDiverged: a training that goes astray is the configuration's to mend, and says
// where the last good checkpoint is.
func TestDiverged(t *testing.T) {
	tr := &trainer{plan: &Plan{Experiment: tiny(t, "policies=there"), Parts: make([]domains.Parts, 1)}, spec: &learned{basics: basics{Name: "rl"}}, seed: 3, id: strings.Repeat("ab", 32)}
	err := tr.failed(fmt.Errorf("wrapped: %w", &rl.DivergedError{Step: 7, What: "a weight is not a number"}))
	var diverged *rl.DivergedError
	if !errors.Is(err, ErrConfig) || !errors.As(err, &diverged) || err.Error() != "policy rl, seed 3: training diverged at step 7: a weight is not a number; the last good checkpoint is kept in "+filepath.Join("there", "abababababababab", checkpointFile)+"; lower train.rate or set train.max_norm; the same training would go the same way again" {
		t.Errorf("%v", err)
	}
	if err := tr.failed(context.Canceled); errors.Is(err, ErrConfig) || !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// TestWarnPolicies: what a policy falls short of is said in the manifest.
func TestWarnPolicies(t *testing.T) {
	good := record.TrainingSummary{Seed: 1, OverRandom: record.Contrast{Value: 2, Lo: 1, Hi: 3, Clusters: 9}, OverStatic: record.Contrast{Value: .1, Lo: -1, Hi: 1, Clusters: 9}, Cloning: &record.Cloning{Of: "pep", Share: .95, HeldOut: 10}}
	nan := record.Float(math.NaN())
	for _, row := range []struct {
		reason string
		change func(*record.TrainingSummary)
		want   string
	}{
		{"nothing is wrong", func(*record.TrainingSummary) {}, ""},
		{"not resolved over random", func(s *record.TrainingSummary) { s.OverRandom.Lo = -1 }, "seed 1 does not beat random on its training episodes by a resolved difference (+2.00, 95% interval -1.00 to +3.00, 9 clusters): the trainer is wrong or the reward too noisy"},
		{"no interval", func(s *record.TrainingSummary) {
			s.OverRandom = record.Contrast{Value: 2, Lo: nan, Hi: nan, Clusters: 1}
		}, "does not beat random"},
		{"undertrained", func(s *record.TrainingSummary) { s.Undertrained, s.Fold = true, 2 }, "seed 1, fold 2 is undertrained: on its training episodes it earns less than the best fixed order (+0.10"},
		{"too small", func(s *record.TrainingSummary) { c := *s.Cloning; c.Share = .5; s.Cloning = &c }, "choices of pep reproduces 50.0% of 10 on histories held out, under 90%"},
		{"not known whether it is too small", func(s *record.TrainingSummary) { c := *s.Cloning; c.Share = nan; s.Cloning = &c }, "reproduces – of 10"},
	} {
		s := good
		row.change(&s)
		p := &Plan{Experiment: tiny(t), trainings: map[string][]record.Training{"rl": {{TrainingSummary: s}}}}
		p.warnPolicies()
		if (len(p.warnings) == 0) != (row.want == "") || row.want != "" && !strings.Contains(p.warnings[0], row.want) {
			t.Errorf("%s: %q", row.reason, p.warnings)
		}
	}
	p := &Plan{Experiment: tiny(t, "users={kind: passive}"), trainings: map[string][]record.Training{"rl": {{TrainingSummary: good}}}}
	if p.warnPolicies(); len(p.warnings) != 1 || !strings.Contains(p.warnings[0], "trained with users who answer exactly") {
		t.Errorf("users in words: %q", p.warnings)
	}
}

// TestReplayOfPolicy: the log of a trained policy on the very sessions repeats them, off
// the log by nothing, whatever predicts; the log of other users is a row of its own, which
// says how far it is off.
func TestReplayOfPolicy(t *testing.T) {
	for _, row := range []struct {
		reason string
		sets   []string
	}{
		{"the likeliest question", nil},
		{"drawn questions", []string{"strategies.0.train.sample=true"}},
		{"folds", []string{"split.folds=2"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			p, pol := learnt(t, tiny(t, slices.Concat([]string{
				"policies=off", "seeds=[1, 2]",
				"strategies=[{name: rl, kind: rl, predict: [answers, latent], " + tinyTrain + "}, {name: again, kind: replay, of: rl, users: test, mode: trajectory, predict: [answers, latent]}, {name: others, kind: replay, of: rl, users: others, mode: policy}, {name: none, kind: none}, {name: oracle, kind: oracle}]",
			}, row.sets)...), &heard{})
			dir := t.TempDir()
			mustRun(t, p, dir)
			byID := map[string]record.Session{}
			for _, s := range sessions(t, dir) {
				byID[s.ID] = s
			}
			n := 0
			for id, s := range byID {
				rest, ok := strings.CutPrefix(id, "again")
				if !ok {
					continue
				}
				n++
				live := byID["rl"+rest]
				if len(live.Turns) != len(s.Turns) || len(s.Turns) != 3 || s.StopOffLog != "" {
					t.Fatalf("%s asks %d questions, the policy %d", id, len(s.Turns), len(live.Turns))
				}
				for i, turn := range s.Turns {
					if turn.OffLog != "" || turn.Question != live.Turns[i].Question || !turn.Answer.Equal(live.Turns[i].Answer) {
						t.Fatalf("%s, turn %d: %+v, the policy had %+v", id, i, turn, live.Turns[i])
					}
				}
				for i, c := range s.Checkpoints {
					if *c.Raw != *live.Checkpoints[i].Raw {
						t.Fatalf("%s earns %v, the policy %v", id, *c.Raw, *live.Checkpoints[i].Raw)
					}
				}
			}
			if n == 0 {
				t.Fatal("no session of a replay")
			}
			for _, s := range p.manifest.Strategies {
				if s.Kind == replayKind && (s.Policy.ID != pol.ID || s.Policy.Params != pol.Params || s.Asks != "") {
					t.Errorf("%s is described as %+v", s.Name, s.Policy)
				}
			}
		})
	}
}
