// Package bench runs experiments: it reads a YAML description, loads and splits
// the data, fits the population models, pairs every strategy with every test user
// and lets solver and judge turn inferences into scores.
//
//	Experiment (YAML) --Prepare--> Plan --Run--> results/<name>/{manifest,sessions,usage,timing}
//
// It owns the registry of kinds (what `kind:` may name in each block), the session
// loop, the journal and resuming. It is the only room that knows all others, and
// it holds the information barriers between them: a strategy is never given a
// profile (the oracle by name excepted), a solver sees task and inference, a judge
// sees task, response, rubric and true preferences but no inference.
package bench
