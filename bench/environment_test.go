package bench

import (
	"context"
	"math"
	"slices"
	"strconv"
	"sync"
	"testing"

	"pepbench/bench/llm"
	"pepbench/bench/record"
	"pepbench/bench/solver"
	"pepbench/domains"
	"pepbench/simusers"
	"pepbench/strategies/rl"
)

// profileEnv is the environment of a plan's first fold, rewarded by the profile judge.
func profileEnv(t testing.TB, p *Plan, predict string, seed int) *environment {
	t.Helper()
	env, err := newEnvironment(context.Background(), p.Experiment, p.Data, p.Parts[0], seed, p.builders[0].predictor(predict), solver.Profile{Options: p.Experiment.solverOptions()}, profileGrader{})
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// TestRewardIsTheSessions: a reward is what a session that asked the same earns at its
// checkpoint, by whichever solver and judge.
func TestRewardIsTheSessions(t *testing.T) {
	for _, row := range []struct {
		reason string
		config string
		sets   []string
	}{
		{"profile solver and judge", smoke, []string{"solver={kind: profile, max_criteria: 4}", "judge={kind: profile}"}},
		{"noisy users say the same", smoke, []string{"solver={kind: profile}", "judge={kind: profile}", "users={kind: noisy, flip_held: 0.3, flip_not_held: 0.2, slip: 0.3}"}},
		{"the run's own solver and judge", smoke, nil},
		{"a survey with empty cells that can be asked", "../configs/survey.yaml", []string{"domain.path=testdata/survey", "split.users_per_task=0", "filter.min_held=1", "missing=spend", "budget=3", "horizon=3"}},
		{"a survey with empty cells that cannot", "../configs/survey.yaml", []string{"domain.path=testdata/survey", "split.users_per_task=0", "filter.min_held=1", "budget=3", "horizon=3"}},
		{"levels without order", "../configs/survey.yaml", []string{"domain.path=testdata/mixed", "split.users_per_task=0", "filter.min_held=1", "budget=2", "horizon=2"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			p := prepare(t, row.config, append(row.sets, "seeds=[3]", "beliefs={latent: {kind: latent-class, classes: [2]}}", "report={resamples: 20}",
				"strategies=[{name: none, kind: none}, {name: random, kind: random, predict: [answers, latent]}, {name: oracle, kind: oracle}]")...)
			w := wire(t, p)
			r := &runner{plan: p, solver: w.roles.solver, judge: w.roles.judge, judgeID: w.roles.judgeID}
			for i := range p.rows {
				if p.rows[i].once() {
					continue
				}
				b := p.builders[0]
				env, err := newEnvironment(context.Background(), p.Experiment, p.Data, p.Parts[0], 3, b.predictor(p.rows[i].Predict), r.solver, r.judge)
				if err != nil {
					t.Fatal(err)
				}
				for part, rows := range [][]int{p.Parts[0].Train, p.Parts[0].Dev} {
					for e := 0; e < len(rows); e += max(1, len(rows)/5) {
						s, err := r.session(context.Background(), sessionKey{id: "x/" + strconv.Itoa(e), row: i, seed: 3, profile: rows[e]})
						if err != nil {
							t.Fatal(err)
						}
						var asked []int
						for _, turn := range s.Turns {
							asked = append(asked, turn.Question)
							if got := env.Answer(rl.Part(part), e, turn.Question); !got.Equal(turn.Answer) {
								t.Fatalf("%s of %s answers %v, in the session %v", s.User, s.Task, got, turn.Answer)
							}
						}
						for n := range len(asked) + 1 {
							reward, ok, err := env.Reward(context.Background(), rl.Part(part), e, asked[:n])
							if err != nil {
								t.Fatal(err)
							}
							c := s.Checkpoint(n)
							if c.Raw == nil || !ok { // nobody here holds nothing, and no reply is garbled
								t.Fatalf("%s after %d questions: reward %v (%v), the session has %v", p.rows[i].Name, n, reward, ok, c.Raw)
							}
							if raw := 1 + reward/25; math.Abs(raw-*c.Raw) > 5.1e-7 { // the journal's digits
								t.Fatalf("%s after %d questions: reward %v, the session has %v", p.rows[i].Name, n, reward, record.Alignment(*c.Raw))
							}
						}
					}
				}
			}
		})
	}
}

// refusing is a solver that gives an error.
type refusing struct{ err error }

func (r refusing) Solve(context.Context, solver.Problem) (solver.Solution, error) {
	return solver.Solution{}, r.err
}

// TestRewardIsNeverMadeUp: a reply that cannot be read is no reward, and an endpoint that
// failed is an error.
func TestRewardIsNeverMadeUp(t *testing.T) {
	p := prepare(t, smoke)
	env := profileEnv(t, p, predictAnswers, 1)
	env.solver = refusing{err: &llm.Unread{}}
	if v, ok, err := env.Reward(context.Background(), rl.Train, 0, []int{1}); ok || v != 0 || err != nil {
		t.Errorf("a garbled response: %v, %v, %v", v, ok, err)
	}
	for _, err := range []error{llm.ErrTransient, llm.ErrUnusable, llm.ErrBudget} {
		env.solver = refusing{err: err}
		if _, ok, got := env.Reward(context.Background(), rl.Train, 0, []int{1}); ok || got == nil {
			t.Errorf("%v: %v, %v", err, ok, got)
		}
	}
}

// spy is a user kind that notes whom it was asked to play.
type spy struct {
	UserKind
	mu   *sync.Mutex
	seen map[int]bool
}

func (s spy) User(d *domains.Dataset, profile, seed int, c llm.Client) simusers.User {
	s.mu.Lock()
	s.seen[profile] = true
	s.mu.Unlock()
	return s.UserKind.User(d, profile, seed, c)
}

// TestPoliciesNeverMeetTestUsers: training plays training and dev profiles and no others,
// and a policy stays what it is when everything about the test profiles changes.
func TestPoliciesNeverMeetTestUsers(t *testing.T) {
	load := func() *Experiment {
		e, err := Load(smoke, tinySets("policies=off"))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	var trained [2]record.TrainingSummary
	for round := range trained {
		e := load()
		pr := preparer{}
		d, _, err := pr.load(e, func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		parts, err := e.splits(d)
		if err != nil {
			t.Fatal(err)
		}
		if round == 1 { // every test user wants the opposite
			for _, k := range parts[0].Test {
				prof := &d.Profiles[k]
				prof.Weights = nil
				for i, c := range prof.Cells {
					if c.IsHeld() {
						prof.Cells[i] = domains.NotHeld()
					} else {
						prof.Cells[i] = domains.At(1)
					}
				}
			}
		}
		s := spy{&exactUser{}, &sync.Mutex{}, map[int]bool{}}
		e.Users.Config = s
		p, err := pr.prepare(context.Background(), e, nil)
		if err != nil {
			t.Fatal(err)
		}
		trained[round] = p.manifest.Strategies[slices.IndexFunc(p.manifest.Strategies, func(s record.Strategy) bool { return s.Kind == policyKind })].Policy.Trainings[0]
		if want := len(parts[0].Train) + len(parts[0].Dev); len(s.seen) != want {
			t.Errorf("%d profiles were played, training and dev are %d", len(s.seen), want)
		}
		for _, k := range parts[0].Test {
			if s.seen[k] {
				t.Fatalf("test profile %d was played in training", k)
			}
		}
	}
	if a, b := trained[0], trained[1]; a.SHA256 != b.SHA256 || a.ID != b.ID || a.Reward != b.Reward || a.Dev != b.Dev {
		t.Errorf("other test profiles made another policy: %+v, %+v", a, b)
	}
}

// TestEnvironmentKeepsTheBarriers: an episode begins as a session does: blind, with the
// experiment's budget, and with nothing that a session does not have.
func TestEnvironmentKeepsTheBarriers(t *testing.T) {
	p := prepare(t, smoke, "budget=3", "horizon=5")
	env := profileEnv(t, p, predictAnswers, 1)
	if env.Len(rl.Train) != len(p.Parts[0].Train) || env.Len(rl.Dev) != len(p.Parts[0].Dev) || env.Len(rl.Dev) == 0 {
		t.Fatalf("%d and %d episodes", env.Len(rl.Train), env.Len(rl.Dev))
	}
	for part, rows := range [][]int{p.Parts[0].Train, p.Parts[0].Dev} {
		for i, k := range rows {
			set, want := env.Setting(rl.Part(part), i), p.setting(sessionKey{id: "x", seed: 1, profile: k})
			if set.Task.Answer != "" || set.Task.Why != "" || set.Task.ID != want.Task.ID || set.User != want.User || set.Seed != want.Seed ||
				set.Budget != 3 || len(set.Criteria) != len(want.Criteria) || !slices.Equal(set.Askable, want.Askable) || set.Asker != nil || set.Interpreter != nil {
				t.Fatalf("episode %d begins with %+v, a session with %+v", i, set, want)
			}
			if again := env.Setting(rl.Part(part), i); set.Rand.Uint64() != again.Rand.Uint64() {
				t.Fatalf("episode %d has other dice the second time", i)
			}
			if env.Cluster(rl.Part(part), i) != p.Data.Profiles[k].Task {
				t.Fatalf("episode %d is of cluster %d", i, env.Cluster(rl.Part(part), i))
			}
		}
	}
	q := prepare(t, "../configs/survey.yaml", "domain.path=testdata/survey", "split.users_per_task=0", "filter.min_held=1", "budget=2", "horizon=2")
	env = profileEnv(t, q, predictAnswers, 1)
	for i, k := range q.Parts[0].Train {
		if env.Cluster(rl.Train, i) != q.Data.Profiles[k].User {
			t.Fatal("the users of a survey are clusters of their own")
		}
	}
}

// stray are users who answer next to the levels.
type stray struct{ exactUser }

func (s *stray) User(d *domains.Dataset, profile, seed int, c llm.Client) simusers.User {
	return strayUser{s.exactUser.User(d, profile, seed, c)}
}

type strayUser struct{ simusers.User }

func (u strayUser) Answer(ctx context.Context, q domains.Question) (domains.Answer, error) {
	a, err := u.User.Answer(ctx, q)
	if a.Cell.IsHeld() {
		a.Cell = domains.At(a.Cell.Value() + .1)
	}
	return a, err
}

// TestEnvironmentSnaps: as in sessions, an answer that is off its scale counts as the nearest
// value on it.
func TestEnvironmentSnaps(t *testing.T) {
	p := prepare(t, smoke)
	want := profileEnv(t, p, predictAnswers, 1)
	p.Experiment.Users.Config = &stray{}
	got := profileEnv(t, p, predictAnswers, 1)
	for i := range want.parts[rl.Train] {
		if a, b := got.parts[rl.Train][i].said, want.parts[rl.Train][i].said; !slices.EqualFunc(a, b, domains.Cell.Equal) {
			t.Fatalf("episode %d: %v, on the scale %v", i, a, b)
		}
	}
}

// clustered is an environment of clusters alone.
type clustered struct {
	rl.Environment
	of []int
}

func (c clustered) Cluster(_ rl.Part, i int) int { return c.of[i] }

func TestContrast(t *testing.T) {
	nan := math.NaN()
	for _, row := range []struct {
		reason   string
		of       []int
		a, b     []float64
		value    float64
		half     float64 // of the interval
		clusters int
	}{
		{"clusters weigh alike, whatever their size: means 2 and 6, se 2, t(1) 12.7062", []int{7, 7, 1}, []float64{1, 3, 6}, []float64{0, 0, 0}, 4, 2 * 12.706204736, 2},
		{"what one of the two lacks is in neither: 1, 2 and 3, se 1/sqrt 3, t(2) 4.3027", []int{0, 0, 1, 2}, []float64{1, nan, 4, 3}, []float64{0, 9, 2, 0}, 2, 4.302652730 / math.Sqrt(3), 3},
		{"one cluster has no interval", []int{3, 3}, []float64{1, 2}, []float64{1, 1}, .5, nan, 1},
		{"nothing is undefined", []int{0, 1}, []float64{nan, 1}, []float64{1, nan}, nan, nan, 0},
	} {
		c := contrast(clustered{of: row.of}, row.a, row.b)
		near := func(got record.Float, want float64) bool {
			return math.IsNaN(want) && !got.Defined() || math.Abs(float64(got)-want) < 1e-6
		}
		if !near(c.Value, row.value) || !near(c.Lo, row.value-row.half) || !near(c.Hi, row.value+row.half) || c.Clusters != row.clusters {
			t.Errorf("%s: got %+v", row.reason, c)
		}
	}
}

// BenchmarkReward is what a rollout of training waits for beside its network.
func BenchmarkReward(b *testing.B) {
	p := prepare(b, smoke, "beliefs.latent.classes=[8]")
	for _, predict := range []string{predictAnswers, "latent"} {
		env := profileEnv(b, p, predict, 1)
		b.Run(predict, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i = (i + 1) % env.Len(rl.Train)
				if _, _, err := env.Reward(context.Background(), rl.Train, i, []int{3, 1, 4, 7, 5}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
