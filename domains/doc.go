// Package domains is the vocabulary of the benchmark: criteria, tasks, profiles,
// data sets, questions, answers and inferences, and what can be done to a data
// set before anything runs on it (validate, filter, split).
//
// A data set is a list of criteria, a list of tasks that each admit some of
// them, and one profile for each (task, user) pair that was observed:
//
//	Dataset
//	  Criteria  []Criterion         the preference dimensions, each with its levels
//	  Tasks     []Task              prompt, options, right answer, admitted criteria
//	  Users     []User              id and persona text
//	  Profiles  []Profile           one row a (task, user): a Cell for every criterion of the task
//
// A Cell is missing, not held, or held with a value. Positions inside a profile,
// a question or an inference always count the criteria of the task
// (0..len(Task.Criteria)-1); Task.Criteria maps them to the data set.
//
// The package knows nothing of strategies, models or runs, and imports nothing of
// this module. The built-in domains live in domains/data, the loaders of foreign
// formats in domains/prefdisco and domains/survey.
package domains
