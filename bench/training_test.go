package bench

import (
	"slices"
)

// tinyTrain trains a policy in no time, and for nothing.
const tinyTrain = "train: {steps: 3, episodes: 4, group: 2, hidden: 8, words: 4, evaluate: 1, predict: latent}"

// tinySets are smoke with such a policy.
func tinySets(more ...string) []string {
	return slices.Concat(small, []string{
		fewUsers, "cache=off", "solver={kind: profile}", "judge={kind: profile}", "budget=3", "horizon=3", "report={resamples: 20}",
		"strategies=[{name: none, kind: none}, {name: random, kind: random, predict: [answers, latent]}, {name: pep, kind: pep, belief: latent, predict: latent}, {name: rl, kind: rl, predict: [answers, latent], " + tinyTrain + "}, {name: oracle, kind: oracle}]",
	}, more)
}
