package belief

import "math"

// logSteps is the number of intervals of logTable: with so many the r of entropy
// stays within 2^-8, so that five terms of its series leave r^6/6 < 1e-15.
const logSteps = 128

// logTable has 1/c and log c of the middle c of every interval of [1, 2).
var logTable = func() (t [logSteps]struct{ inverse, log float64 }) {
	for i := range t {
		t[i].inverse = 1 / (1 + (float64(i)+0.5)/logSteps)
		t[i].log = -math.Log(t[i].inverse)
	}
	return t
}()

// entropy is -sum p log p in nats, to within 1e-15 a term; what is below the smallest
// normal number counts as 0. It reads logarithms from a table, because they are
// most of the cost of a selection:
//
//	p = 2^e m,  r = m/c - 1,  log p = e log 2 + log c + log(1 + r)
func entropy(p []float64) float64 {
	h := 0.0
	for _, v := range p {
		if !(v >= 0x1p-1022) {
			continue
		}
		bits := math.Float64bits(v)
		e := float64(int(bits>>52) - 1023)
		m := math.Float64frombits(bits&(1<<52-1) | 1023<<52)
		c := &logTable[bits>>(52-7)%logSteps]
		r := m*c.inverse - 1
		h -= v * (e*math.Ln2 + c.log + r*(1+r*(-1./2+r*(1./3+r*(-1./4+r*(1./5))))))
	}
	return h
}
