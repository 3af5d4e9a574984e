// Package rl holds policies that learn to ask by trial and error, with a reward at the end
// of a session only, and declares the Environment they learn in: the baseline that a
// strategy with a model of the population is compared to. It knows no user, solver or judge,
// no profile and no belief; it must not, because what a policy may learn from is what its
// environment says: settings, answers, rewards.
//
// It is a small network trained on one data set in seconds, not the 8B language model of the
// paper (arXiv 2602.15012) whose comparison it stands in. What it shares with that one is the
// handicap: one number at the end of a session says how good all of its questions were.
//
// # Policy
//
// With A criteria in the data set, the features of a state are 5A + 1 + Words numbers
//
//	A        1: may be asked now (the task admits it, the user can be asked, it was not)
//	A        1: was asked
//	A        1: the answer was a value
//	A        1: the answer was that it does not matter
//	A        the value, its range taken to [-1, 1] (a nominal level: its index); else 0
//	1        share of the training's budget that is spent
//	Words    words of the task's prompt, hashed: ln(1 + count), scaled to length 1
//
// and the network is h = tanh(W1' x + b1), logits = W2 h + b2, with one action for every
// criterion of the data set and a softmax over those that may be asked now. At 36
// criteria, 64 words and 64 hidden units it has 18084 weights. There is no
// action to stop: under a reward that is an alignment a question costs nothing, so nothing
// pays for stopping, and sessions end with the budget.
//
// # Training
//
// A step plays rollouts with the policy as it is, questions drawn, and takes gradient steps
// on
//
//	mean over rollouts, mean over turns t of  S_t - KL w_kl + H w_entropy
//	S_t = min(r A, clip(r, 1-e, 1+e) A),  r = pi(a)/pi_old(a)      GRPO, PPO
//	S_t = A ln pi(a)                                               Reinforce
//
// where KL is that of the policy to the one at the start of the training and H the
// entropy, whose weight falls linearly over the steps, both summed over the actions (Shao
// et al. estimate KL from the one action taken by r' - ln r' - 1, r' = pi_start/pi, because
// a vocabulary is too long; with some dozens of criteria the sum is exact and cheap). With
// R the reward at the end, in points/100, the advantage A is
//
//	GRPO        (R - mean R)/(std R + 1e-8) over the rollouts of one episode, std of a population
//	            (arXiv 2402.03300, section 4.1, outcome supervision)
//	Reinforce   R - mean of R in all steps before (Williams 1992, Machine Learning 8)
//	PPO         R - V(state), V a network on the same features, fitted by squared error
//	            (arXiv 1707.06347, with lambda = gamma = 1)
//
// Dense rewards, an ablation, reward question t by Reward(asked[:t]) - Reward(asked[:t-1]).
// They sum to the reward at the end less that of asking nothing. In place of R stands the
// return-to-go Reward(all) - Reward(asked before t), in GRPO standardised within the group
// turn by turn, for Reinforce with a mean for every turn.
//
// A rollout without a reward has no part, nor has a GRPO group in which fewer than two have
// one; the curve counts them. Gradients go to Adam (Kingma & Ba 2015, arXiv 1412.6980). At every
// point of the curve the policy plays the dev episodes as it will be used; the
// largest dev reward, the first of equals, chooses the policy, and nothing else does.
//
// Results depend on environment, options and seed only: not on the number of processors,
// and not on whether a training was interrupted and went on from a Checkpoint.
package rl
