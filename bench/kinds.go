package bench

import "reflect"

// The kinds that each block of a configuration may name. A new strategy, belief,
// user or data source is a type and one entry in the init of the file of its block:
// domainkinds.go, userkinds.go, beliefkinds.go, strategykinds.go, and rolekinds.go
// (backend, solver, judge).
var (
	domainKinds   = newRegistry[DomainKind]("domain")
	userKinds     = newRegistry[UserKind]("user")
	beliefKinds   = newRegistry[BeliefKind]("belief")
	strategyKinds = newRegistry[StrategyKind]("strategy")
	backendKinds  = newRegistry[BackendKind]("backend")
	solverKinds   = newRegistry[SolverKind]("solver")
	judgeKinds    = newRegistry[JudgeKind]("judge")

	registries = map[reflect.Type]any{
		reflect.TypeFor[DomainKind]():   domainKinds,
		reflect.TypeFor[UserKind]():     userKinds,
		reflect.TypeFor[BeliefKind]():   beliefKinds,
		reflect.TypeFor[StrategyKind](): strategyKinds,
		reflect.TypeFor[BackendKind]():  backendKinds,
		reflect.TypeFor[SolverKind]():   solverKinds,
		reflect.TypeFor[JudgeKind]():    judgeKinds,
	}
)
