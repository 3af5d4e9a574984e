// Package belief holds population models of complete profiles and the beliefs
// they give about one user.
//
//	Population --Fit*--> Model --Start--> Belief --Observe, States, Marginals, Infer-->
//	 (train, dev)          |  ^               (one user, one task)
//	                       Save, Load
//
// A Model is fitted on a Population (profiles of training users, cells may be
// missing) and starts a Belief for a session. A Belief is conditioned on answers
// and gives, for every criterion of the task, the probability of each state:
//
//	state 0      not held
//	state 1+l    held at level l
//
// Sizes (classes, dimensions) are chosen by the log score of dev profiles (Candidate,
// ChainScore).
//
// # Models
//
//	LatentClass       classes of users, criteria independent within a class
//	Graded            traits on a grid, graded or nominal responses (item response theory)
//	Factor            normal embedding: a probit of what is held, values linear in it
//	BLR               regression of values on principal components, for dense surveys
//	MixtureOfFactors  classes of users, each a Factor
//	Released          the rules of arXiv 2602.15012: pairwise statistics, no joint model
//
// LatentClass and Graded are mixtures over points (support.go, supportfit.go), exact
// in all they say. Factor, BLR and MixtureOfFactors are normal (gaussian.go,
// factorfit.go), approximate where whether something is held depends on the user,
// and the only joint models of continuous criteria; they refuse nominal ones. Each
// refuses with ErrUnsupported what it cannot describe.
//
// # What a belief can be asked
//
// Every model gives a Belief. What more it gives says which acquisitions are defined
// on it, and which have a faster way than the enumeration of answers:
//
//	Joint            probabilities of answers, under one posterior of the whole profile: all but Released
//	LatentInformer   information of an answer about the latent variable: all that are Joint
//	ProfileInformer  the same about all other criteria: LatentClass, Graded, BLR, dense Factor
//	VarianceDropper  expected drop of the variance of all values: BLR, dense Factor
//	BinaryInformer   the released information gain: Released
//
// (Dense: on a task on which whether a criterion is held says nothing.) A Model that
// is Independent can say that it found nothing that connects criteria.
//
// The package knows criteria and cells. It must not know strategies, acquisition
// or how an inference is used, and it never sees a test profile.
package belief
