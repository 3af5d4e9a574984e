package rl

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"pepbench/domains"
	"pepbench/strategies"
)

// Rewards lets a strategy play every episode of a part: the reward of each, NaN where it
// has none. A strategy that words its own questions cannot play.
func Rewards(ctx context.Context, env Environment, p Part, s strategies.Strategy) ([]float64, error) {
	rewards := make([]float64, env.Len(p))
	err := parallel(ctx, len(rewards), func(ctx context.Context, i int) error {
		set := env.Setting(p, i)
		e := s.Begin(set)
		var asked []int
		for len(asked) < set.Budget {
			q, err := e.Next(ctx)
			if errors.Is(err, strategies.ErrDone) {
				break
			}
			if err != nil {
				return err
			}
			if q.Position < 0 {
				return fmt.Errorf("%s episode %d: a question about no criterion; users here answer about criteria only", partName(p), i)
			}
			asked = append(asked, q.Position)
			e.Observe(q, domains.Answer{Cell: env.Answer(p, i, q.Position)})
		}
		var err error
		rewards[i], err = rewardOf(ctx, env, p, i, asked)
		return err
	})
	if err != nil {
		return nil, err
	}
	return rewards, nil
}

// rewardOf is a reward of the environment, NaN where it has none.
func rewardOf(ctx context.Context, env Environment, p Part, i int, asked []int) (float64, error) {
	r, ok, err := env.Reward(ctx, p, i, asked)
	switch {
	case err != nil:
		return 0, err
	case !ok:
		return math.NaN(), nil
	case math.IsNaN(r) || math.IsInf(r, 0):
		return 0, fmt.Errorf("%s episode %d: the reward %v is not a finite number", partName(p), i, r)
	}
	return r, nil
}

// MostSearched is the number of training episodes that GreedyOrder looks at.
const MostSearched = 1000

// GreedyOrder is the fixed order (criteria of the data set) that a greedy search finds on
// the training episodes, or on MostSearched of them, evenly spread, if there are more. The
// next criterion is the one with the largest mean of cluster means of the rewards after the
// order so far and it, the lowest of equals; an episode passes over what it does not admit
// or cannot ask, as strategies.Static does, and takes no more questions than its budget.
// Those without a reward are in no mean. The order ends when no episode takes another
// question, so it is longer than the budget where tasks admit different criteria.
func GreedyOrder(ctx context.Context, env Environment) ([]int, error) {
	n := env.Len(Train)
	chosen := make([]int, min(n, MostSearched))
	for k := range chosen {
		chosen[k] = k * n / len(chosen)
	}
	l := layout{actions: len(env.Criteria())}
	episodes := make([]episode, len(chosen))
	asked := make([][]int, len(chosen))
	now := make([]float64, len(chosen)) // rewards after the order so far
	err := parallel(ctx, len(chosen), func(ctx context.Context, k int) error {
		if err := l.begin(&episodes[k], env.Setting(Train, chosen[k]), nil); err != nil {
			return fmt.Errorf("training episode %d: %w", chosen[k], err)
		}
		var err error
		now[k], err = rewardOf(ctx, env, Train, chosen[k], nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	at := chosenClusters{env, chosen}
	takes := func(k, c int) bool {
		e := &episodes[k]
		return len(asked[k]) < e.questions && e.position[c] >= 0 && !slices.Contains(asked[k], e.position[c])
	}
	var order []int
	for {
		best, bestMean := -1, math.NaN()
		var bestRewards []float64
		for c := range l.actions {
			if slices.Contains(order, c) {
				continue
			}
			any := false
			for k := range chosen {
				any = any || takes(k, c)
			}
			if !any {
				continue
			}
			rewards := make([]float64, len(chosen))
			err := parallel(ctx, len(chosen), func(ctx context.Context, k int) (err error) {
				rewards[k] = now[k]
				if takes(k, c) {
					rewards[k], err = rewardOf(ctx, env, Train, chosen[k], append(slices.Clone(asked[k]), episodes[k].position[c]))
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			mean, _ := clusterMean(at, Train, rewards)
			if best < 0 || mean > bestMean || math.IsNaN(bestMean) && !math.IsNaN(mean) {
				best, bestMean, bestRewards = c, mean, rewards
			}
		}
		if best < 0 {
			return order, nil
		}
		for k := range chosen {
			if takes(k, best) {
				asked[k] = append(asked[k], episodes[k].position[best])
			}
		}
		order, now = append(order, best), bestRewards
	}
}

// chosenClusters numbers the clusters of chosen episodes.
type chosenClusters struct {
	Environment
	chosen []int
}

func (c chosenClusters) Cluster(p Part, k int) int { return c.Environment.Cluster(p, c.chosen[k]) }
