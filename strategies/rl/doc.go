// Package rl holds policies that learn to ask by trial and error, with a reward at the end
// of a session only, and declares the Environment they learn in. It knows no user, solver
// or judge.
package rl
