package belief

import "math"

// Entropies of states are in nats; those of held or not, which the released models
// are about, in bits. What a selection asks for again and again (entropy, heldEntropy,
// logitEntropy) is looked up in tables, because logarithms are most of its cost;
// exactEntropy, for models that compute as released, is not.

// logSteps is the number of intervals of logTable: with so many the r of quickLog
// stays within 2^-8, so that five terms of its series leave r^6/6 < 1e-15.
const logSteps = 128

// logTable has 1/c and ln c of the middle c of every interval of [1, 2).
var logTable = func() (t [logSteps]struct{ inverse, log float64 }) {
	for i := range t {
		t[i].inverse = 1 / (1 + (float64(i)+0.5)/logSteps)
		t[i].log = -math.Log(t[i].inverse)
	}
	return t
}()

// quickLog is ln x, x normal and positive, to an absolute error of 1e-15:
//
//	x = 2^e m,  r = m/c - 1,  ln x = e ln 2 + ln c + ln(1 + r)
func quickLog(x float64) float64 {
	bits := math.Float64bits(x)
	c := &logTable[bits>>(52-7)%logSteps]
	r := math.Float64frombits(bits&(1<<52-1)|1023<<52)*c.inverse - 1
	return float64(int(bits>>52)-1023)*math.Ln2 + c.log + r*(1+r*(-1./2+r*(1./3+r*(-1./4+r*(1./5)))))
}

// entropy is -sum p ln p in nats, to within 1e-15 a term; what is below the smallest
// normal number counts as 0.
func entropy(p []float64) float64 {
	h := 0.0
	for _, v := range p {
		if v >= 0x1p-1022 {
			h -= v * quickLog(v)
		}
	}
	return h
}

// heldEntropy is -p log2 p - (1-p) log2(1-p), in bits, to an error of 1e-14; 0 at 0
// and 1.
func heldEntropy(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	q := 1 - p
	return -math.Log2E * (p*quickLog(p) + q*quickLog(q))
}

// binaryEntropy is the entropy of an event with probability p, in nats.
func binaryEntropy(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	return -p*math.Log(p) - (1-p)*math.Log1p(-p)
}

// The entropy of a logit is looked up in a table. With s = 1/(1+exp(-x)) and
// derivatives taken by x,
//
//	H(x)  = (log(1+exp(-x)) + x (1-s)) / ln 2     bits; even in x
//	H'    = -x s' / ln 2
//
// and on every interval of 1/32 it is the quintic that agrees with H and its first two
// derivatives at both ends (Hermite interpolation). The error is at most h^6/46080 max|H^(6)|,
// under 1e-13.
const (
	logitClip    = 10 // of the released models
	knotsPerUnit = 32
)

// entropyTable holds the coefficients of every interval of [0, logitClip], and of
// one more that begins at the clip. In u = 32 (x - x_i), the constant first.
var entropyTable = newEntropyTable()

func newEntropyTable() (t [logitClip*knotsPerUnit + 1][6]float64) {
	const h = 1.0 / knotsPerUnit
	// value, slope and curvature in units of the interval
	at := func(i int) (v, d, dd float64) {
		x := h * float64(i)
		q := 1 / (1 + math.Exp(x)) // 1-s
		s1 := q * (1 - q)          // s'
		s2 := s1 * (2*q - 1)       // s''
		return (math.Log1p(math.Exp(-x)) + x*q) / math.Ln2, -x * s1 / math.Ln2 * h, -(s1 + x*s2) / math.Ln2 * h * h
	}
	for i := range t {
		a, da, dda := at(i)
		b, db, ddb := at(i + 1)
		// What the quadratic of the left end misses at the right end.
		e, de, dde := b-a-da-dda/2, db-da-dda, ddb-dda
		t[i] = [6]float64{a, da, dda / 2, 10*e - 4*de + dde/2, -15*e + 7*de - dde, 6*e - 3*de + dde/2}
	}
	return t
}

// logitEntropy is the entropy in bits of P = 1/(1+exp(-x)), x clipped to +-10.
func logitEntropy(x float64) float64 {
	u := min(math.Abs(x), logitClip) * knotsPerUnit
	c := &entropyTable[int(u)]
	u -= float64(int(u))
	return c[0] + u*(c[1]+u*(c[2]+u*(c[3]+u*(c[4]+u*c[5]))))
}
