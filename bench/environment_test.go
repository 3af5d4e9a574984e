package bench

import (
	"context"
	"fmt"
	"testing"

	"pepbench/bench/solver"
	"pepbench/strategies/rl"
)

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

// profileEnv is the environment of a plan's first fold, rewarded by the profile judge.
func profileEnv(t testing.TB, p *Plan, predict string, seed int) *environment {
	t.Helper()
	b := p.builders[0]
	env, err := newEnvironment(context.Background(), p.Experiment, p.Data, p.Parts[0], seed, b.predictor(predict), solver.Profile{Options: p.Experiment.solverOptions()}, profileGrader{})
	if err != nil {
		t.Fatal(err)
	}
	return env
}

var _ = fmt.Sprint
