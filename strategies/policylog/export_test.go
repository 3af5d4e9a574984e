package policylog

import "slices"

// Sort puts the decisions into the order in which Write writes them.
func (l *Log) Sort() {
	slices.SortStableFunc(l.Decisions, func(a, b Decision) int { return compare(&a, &b) })
}
