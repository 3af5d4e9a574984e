package rl

import (
	"context"

	"pepbench/domains"
	"pepbench/strategies"
)

// A Part is one of the two sets of episodes that a policy may see.
type Part int

// The parts. Nothing of the test profiles is in either.
const (
	Train Part = iota // gradients
	Dev               // choice of the checkpoint
)

// An Environment is what a policy learns in: users who meet tasks, each of them an
// episode. Its methods may be called from several goroutines and depend on their
// arguments alone.
type Environment interface {
	// Criteria are those of the data set; a policy has one action for each.
	Criteria() []domains.Criterion
	// Len is the number of episodes of a part.
	Len(Part) int
	// Setting is what a strategy is told when episode i begins. Task.Criteria are
	// indices into Criteria; Budget is the number of questions of an episode, and Rand is
	// seeded by the episode.
	Setting(p Part, i int) strategies.Setting
	// Cluster numbers what the rewards of a part are averaged over first: the task of the
	// episode, or its user in a survey.
	Cluster(p Part, i int) int
	// Answer is what the user says to the question about a position of the task.
	Answer(p Part, i, position int) domains.Cell
	// Reward is the alignment (0..100) of the response that follows once these positions
	// were asked, in order, and answered. It is false where the response has none. An
	// error is that of an endpoint that failed.
	Reward(ctx context.Context, p Part, i int, asked []int) (float64, bool, error)
}
