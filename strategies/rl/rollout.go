package rl

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"pepbench/domains"
)

// rollouts are episodes that a policy played in lockstep: all of a turn are one matrix.
type rollouts struct {
	states
	rollout []int     // of a state
	action  []int     // chosen in it: criterion of the data set
	mask    []bool    // states x actions: what may be chosen
	p       []float64 // states x actions: probabilities when it was chosen
	lse     []float64 // ln sum exp of the logits
	turn    []int     // of a state, from 0

	episodes []episode
	of       []int       // episode of a rollout: index into episodes
	asked    [][]int     // positions a rollout asked, in order
	rewards  [][]float64 // of a rollout, points/100: at the end, or after 0, 1, .. questions if dense; NaN: has none
	path     [][]int     // states of a rollout, in order
	notANum  bool        // the environment gave a reward that is no finite number
}

// player plays rollouts; its memory is used again.
type player struct {
	env      Environment
	criteria []domains.Criterion
	layout   layout
	words    map[string][]term // of prompts
	rollouts
	tape tape
	live []int
	told []domains.Cell
}

func newPlayer(env Environment, l layout) *player {
	return &player{env: env, criteria: env.Criteria(), layout: l, words: map[string][]term{}}
}

// resized gives a slice of n entries that keeps what the old ones point to.
func resized[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return append(s[:cap(s)], make([]T, n-cap(s))...)
}

// play plays every episode so many times. choose picks the action of a rollout from
// probabilities. The result is good until the next call.
func (y *player) play(ctx context.Context, net *network, part Part, episodes []int, copies int, dense bool, choose func(rollout int, p []float64, mask []bool) int) (*rollouts, error) {
	r := &y.rollouts
	if err := y.reset(ctx, part, episodes, copies); err != nil {
		return nil, err
	}
	net.begin(&r.states, &y.tape)
	n, k := len(r.of), y.layout.actions
	y.live = y.live[:0]
	for i := range n {
		y.live = append(y.live, i)
	}
	y.told = resized(y.told, n)
	for turn := 0; ; turn++ {
		rest := y.live[:0]
		for _, i := range y.live {
			if turn < r.episodes[r.of[i]].questions {
				rest = append(rest, i)
			}
		}
		if y.live = rest; len(rest) == 0 {
			break
		}
		lo := r.len()
		for _, i := range y.live {
			y.decide(i, turn)
		}
		net.forward(&r.states, &y.tape, lo)
		r.p, r.lse = grown(r.p, r.len()*k), grown(r.lse, r.len())
		for j, i := range y.live {
			d := lo + j
			mask, p := r.mask[d*k:(d+1)*k], r.p[d*k:(d+1)*k]
			r.lse[d] = softmax(y.tape.o[d*k:(d+1)*k], mask, p)
			a := choose(i, p, mask)
			r.action = append(r.action, a)
			r.asked[i] = append(r.asked[i], r.episodes[r.of[i]].position[a])
		}
		err := parallel(ctx, len(y.live), func(_ context.Context, j int) error {
			i := y.live[j]
			y.told[i] = y.env.Answer(part, episodes[r.of[i]], r.asked[i][turn])
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return r, y.grade(ctx, part, episodes, dense)
}

// reset begins the episodes.
func (y *player) reset(ctx context.Context, part Part, episodes []int, copies int) error {
	r := &y.rollouts
	r.before, r.start, r.change = r.before[:0], r.start[:0], r.change[:0]
	r.rollout, r.action, r.mask, r.turn = r.rollout[:0], r.action[:0], r.mask[:0], r.turn[:0]
	r.p, r.lse, r.notANum = r.p[:0], r.lse[:0], false
	r.episodes = resized(r.episodes, len(episodes))
	err := parallel(ctx, len(episodes), func(_ context.Context, e int) error {
		r.episodes[e].set = y.env.Setting(part, episodes[e])
		return nil
	})
	if err != nil {
		return err
	}
	r.starts = r.starts[:0]
	for e := range r.episodes {
		set := r.episodes[e].set
		words, known := y.words[set.Task.Prompt]
		if !known {
			words = y.layout.wordsOf(set.Task.Prompt)
			y.words[set.Task.Prompt] = words
		}
		if err := y.layout.begin(&r.episodes[e], set, words); err != nil {
			return fmt.Errorf("episode %d: %w", episodes[e], err)
		}
		r.starts = append(r.starts, r.episodes[e].start)
	}
	n := len(episodes) * copies
	r.of, r.asked, r.rewards, r.path = resized(r.of, n), resized(r.asked, n), resized(r.rewards, n), resized(r.path, n)
	for i := range n {
		r.of[i] = i / copies
		r.asked[i], r.rewards[i], r.path[i] = r.asked[i][:0], r.rewards[i][:0], r.path[i][:0]
	}
	return nil
}

// decide adds the state of a rollout at a turn.
func (y *player) decide(i, turn int) {
	r, k := &y.rollouts, y.layout.actions
	d := r.len()
	e := &r.episodes[r.of[i]]
	r.rollout, r.turn = append(r.rollout, i), append(r.turn, turn)
	r.start = append(r.start, r.of[i])
	if turn == 0 {
		r.before, r.change = append(r.before, -1), append(r.change, change{})
		for _, at := range e.position {
			r.mask = append(r.mask, at >= 0)
		}
	} else {
		b := r.path[i][turn-1]
		a := r.action[b]
		r.before = append(r.before, b)
		r.change = append(r.change, y.layout.told(&y.criteria[a], a, y.told[i], turn))
		r.mask = append(r.mask, r.mask[b*k:(b+1)*k]...)
		r.mask[d*k+a] = false
	}
	r.path[i] = append(r.path[i], d)
}

// grade asks for the rewards.
func (y *player) grade(ctx context.Context, part Part, episodes []int, dense bool) error {
	r := &y.rollouts
	err := parallel(ctx, len(r.of), func(ctx context.Context, i int) error {
		from := len(r.asked[i])
		if dense {
			from = 0
		}
		for n := from; n <= len(r.asked[i]); n++ {
			reward, ok, err := y.env.Reward(ctx, part, episodes[r.of[i]], r.asked[i][:n])
			switch {
			case err != nil:
				return err
			case !ok:
				reward = math.NaN()
			case math.IsNaN(reward) || math.IsInf(reward, 0):
				reward = math.Inf(1) // told apart from one that is undefined
			}
			r.rewards[i] = append(r.rewards[i], reward/100)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, got := range r.rewards {
		undefined := false
		for _, v := range got {
			undefined = undefined || math.IsNaN(v)
			r.notANum = r.notANum || math.IsInf(v, 0)
		}
		if undefined { // one of them is enough: what the questions add is not known
			got[len(got)-1] = math.NaN()
		}
	}
	return nil
}

// reward is that of a rollout, points/100; NaN: it has none.
func (r *rollouts) reward(i int) float64 { return r.rewards[i][len(r.rewards[i])-1] }

// returns sets out to the return-to-go of every state: the reward at the end, or, if
// every question was rewarded, that less the reward of what had been asked.
func (r *rollouts) returns(out []float64) {
	for d, i := range r.rollout {
		out[d] = r.reward(i)
		if len(r.rewards[i]) > 1 {
			out[d] -= r.rewards[i][r.turn[d]]
		}
	}
}

// userRand is the randomness by which a policy draws its questions to a user when it is
// used: not the session's, so that strategies that predict differently draw alike, and a
// session that is played again, too.
func userRand(seed int, task, user string) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), domains.Hash("questions of a policy", task, user)))
}
