// Package policylog is the log of a policy that asks: what it did after which history, one
// decision a line, so that a policy that was trained anywhere can be replayed.
package policylog
