package rl

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"

	"pepbench/domains"
)

// A network has two layers,
//
//	h = tanh(W1' x + b1)        W1 features x hidden
//	o = W2 h + b2               W2 out x hidden
//
// with all weights in one vector. Rows of W1 belong to features: a feature that is 0
// costs nothing, and after an answer only what changed is added to W1' x + b1.
type network struct {
	in, hidden, out int
	theta           []float64
	w1, b1, w2, b2  []float64 // parts of theta
}

func networkSize(in, hidden, out int) int { return in*hidden + hidden + hidden*out + out }

// networkOf lays a network over weights.
func networkOf(in, hidden, out int, theta []float64) *network {
	n := &network{in: in, hidden: hidden, out: out, theta: theta}
	cut := func(size int) (part []float64) {
		part, theta = theta[:size:size], theta[size:]
		return part
	}
	n.w1, n.b1, n.w2, n.b2 = cut(in*hidden), cut(hidden), cut(hidden*out), cut(out)
	return n
}

// newNetwork draws weights: W1 normal with variance 2/(in + hidden) (Glorot & Bengio
// 2010), W2 normal with deviation 0.01, so that a policy starts near to uniform; b1 and b2
// are 0.
func newNetwork(in, hidden, out int, seed uint64, stream string) *network {
	n := networkOf(in, hidden, out, make([]float64, networkSize(in, hidden, out)))
	rng := rand.New(rand.NewPCG(seed, domains.Hash("weights", stream)))
	sd := math.Sqrt(2 / float64(in+hidden))
	for i := range n.w1 {
		n.w1[i] = sd * rng.NormFloat64()
	}
	for i := range n.w2 {
		n.w2[i] = 0.01 * rng.NormFloat64()
	}
	return n
}

// row is a feature's row of W1.
func (n *network) row(feature int) []float64 {
	return n.w1[feature*n.hidden : (feature+1)*n.hidden]
}

// add adds terms of x to pre = W1' x + b1.
func (n *network) add(pre []float64, terms []term) {
	for _, t := range terms {
		floats.AddScaled(pre, t.by, n.row(t.at))
	}
}

func matrix(rows, cols int, data []float64) blas64.General {
	return blas64.General{Rows: rows, Cols: cols, Stride: cols, Data: data[:rows*cols]}
}

// outputs computes o of rows of pre; h and o are overwritten. Rows are computed one by one,
// so that a policy does in a session, to the bit, what it did among others.
func (n *network) outputs(rows int, pre, h, o []float64) {
	if workers := runtime.GOMAXPROCS(0); rows >= 2*fewRows && workers > 1 {
		var wg sync.WaitGroup
		size := (rows + workers - 1) / workers
		for lo := 0; lo < rows; lo += size {
			wg.Go(func() { n.some(min(size, rows-lo), pre[lo*n.hidden:], h[lo*n.hidden:], o[lo*n.out:]) })
		}
		wg.Wait()
		return
	}
	n.some(rows, pre, h, o)
}

// fewRows are not worth a goroutine.
const fewRows = 64

func (n *network) some(rows int, pre, h, o []float64) {
	for i, v := range pre[:rows*n.hidden] {
		h[i] = math.Tanh(v)
	}
	w2 := matrix(n.out, n.hidden, n.w2)
	for r := range rows {
		to := blas64.Vector{N: n.out, Data: o[r*n.out : (r+1)*n.out], Inc: 1}
		copy(to.Data, n.b2)
		blas64.Gemv(blas.NoTrans, 1, w2, blas64.Vector{N: n.hidden, Data: h[r*n.hidden : (r+1)*n.hidden], Inc: 1}, 1, to)
	}
}

// states are the states of rollouts in which something was decided, numbered turn by turn.
type states struct {
	starts [][]term // of every episode
	start  []int    // of a state without one before: its index into starts
	before []int    // the state before, or -1
	change []change // from the state before
}

func (s *states) len() int { return len(s.before) }

// A tape keeps what a network computed of states, for the way back. Its memory is used
// again.
type tape struct {
	first     []float64 // starts x hidden: W1' x + b1 of the starts
	pre, h, o []float64 // states x hidden, hidden, out
	dFirst    []float64
	dPre, dO  []float64
}

// grown gives a slice of n entries that keeps those of s.
func grown(s []float64, n int) []float64 {
	if n <= cap(s) {
		return s[:n]
	}
	return append(make([]float64, 0, n+n/4), s...)[:n]
}

// begin computes the starts.
func (n *network) begin(s *states, t *tape) {
	t.first = grown(t.first, len(s.starts)*n.hidden)
	for i, terms := range s.starts {
		pre := t.first[i*n.hidden : (i+1)*n.hidden]
		copy(pre, n.b1)
		n.add(pre, terms)
	}
}

// forward computes the states from lo on; what is before them is on the tape.
func (n *network) forward(s *states, t *tape, lo int) {
	hi, w := s.len(), n.hidden
	t.pre, t.h, t.o = grown(t.pre, hi*w), grown(t.h, hi*w), grown(t.o, hi*n.out)
	for d := lo; d < hi; d++ {
		pre := t.pre[d*w : (d+1)*w]
		if b := s.before[d]; b < 0 {
			copy(pre, t.first[s.start[d]*w:(s.start[d]+1)*w])
		} else {
			copy(pre, t.pre[b*w:(b+1)*w])
		}
		c := &s.change[d]
		n.add(pre, c.terms[:c.n])
	}
	n.outputs(hi-lo, t.pre[lo*w:], t.h[lo*w:], t.o[lo*n.out:])
}

// whole computes all states.
func (n *network) whole(s *states, t *tape) {
	n.begin(s, t)
	n.forward(s, t, 0)
}

// backward sets grad to the gradient of a loss whose derivatives by the outputs are
// t.dO. x of a state is that of the state before plus its change, so the derivatives by
// W1' x + b1 are summed from the last state back to the starts, each meeting few features.
// Gemm computes every entry in one goroutine, in an order that follows from the sizes, so
// sums are the same on any number of processors.
func (n *network) backward(s *states, t *tape, grad *network) {
	d, w := s.len(), n.hidden
	clear(grad.theta)
	if d == 0 {
		return
	}
	dO := matrix(d, n.out, t.dO)
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, dO, matrix(d, w, t.h), 0, matrix(n.out, w, grad.w2))
	for i := range d {
		floats.Add(grad.b2, t.dO[i*n.out:(i+1)*n.out])
	}
	t.dPre = grown(t.dPre, d*w)
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, dO, matrix(n.out, w, n.w2), 0, matrix(d, w, t.dPre))
	for i, h := range t.h[:d*w] {
		t.dPre[i] *= 1 - h*h
	}
	t.dFirst = grown(t.dFirst, len(s.starts)*w)
	clear(t.dFirst)
	for i := d - 1; i >= 0; i-- {
		g := t.dPre[i*w : (i+1)*w]
		c := &s.change[i]
		grad.learn(g, c.terms[:c.n])
		if b := s.before[i]; b < 0 {
			floats.Add(t.dFirst[s.start[i]*w:(s.start[i]+1)*w], g)
		} else {
			floats.Add(t.dPre[b*w:(b+1)*w], g)
		}
	}
	for i, terms := range s.starts {
		g := t.dFirst[i*w : (i+1)*w]
		floats.Add(grad.b1, g)
		grad.learn(g, terms)
	}
}

// learn adds to the rows of W1 what a derivative by W1' x + b1 gives them.
func (n *network) learn(g []float64, terms []term) {
	for _, t := range terms {
		floats.AddScaled(n.row(t.at), t.by, g)
	}
}

// clone copies a network.
func (n *network) clone() *network {
	return networkOf(n.in, n.hidden, n.out, append([]float64(nil), n.theta...))
}

// like is a network of the same shape with all weights 0.
func (n *network) like() *network {
	return networkOf(n.in, n.hidden, n.out, make([]float64, len(n.theta)))
}

// mostWeight bounds the weights of a policy, so that no product of them overflows.
const mostWeight = 1e9

// sound says whether all numbers can be weights.
func sound(theta []float64) bool {
	for _, v := range theta {
		if !(math.Abs(v) <= mostWeight) {
			return false
		}
	}
	return true
}
