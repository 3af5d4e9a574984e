// Package belief holds population models of complete profiles and the beliefs
// they give about one user.
//
// A Model is fitted on a Population (profiles of training users, cells may be
// missing) and starts a Belief for a session. A Belief is conditioned on answers
// and gives, for every criterion of the task, the probability of each state:
//
//	state 0      not held
//	state 1+l    held at level l
//
//	m, choices, err := belief.FitLatentClass(ctx, train, dev, opt)
//	b := m.Start(task.Criteria)
//	b.Observe(3, domains.At(5))
//	p := b.States(nil, 7)          // P(state of criterion 7 | told), sums to 1
//
// The package knows criteria and cells. It must not know strategies, acquisition
// or how an inference is used, and it never sees a test profile.
package belief
