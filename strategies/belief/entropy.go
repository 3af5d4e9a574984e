package belief

import "math"

// heldEntropy is -p log2 p - (1-p) log2(1-p), in bits, to an error of 1e-14; 0 at 0
// and 1.
func heldEntropy(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	q := 1 - p
	return -(p*quickLog2(p) + q*quickLog2(q))
}

// log2Table divides [1,2) into 128 intervals: their middles c, 1/c and log2 c.
var log2Table = func() (t [128]struct{ middle, inverse, log float64 }) {
	for i := range t {
		c := 1 + (float64(i)+.5)/128
		t[i].middle, t[i].inverse, t[i].log = c, 1/c, math.Log2(c)
	}
	return t
}()

// quickLog2 is log2 x, x normal and positive, to an absolute error of 1e-15: with x =
// m 2^e and c the middle of m's interval,
//
//	log2 x = e + log2 c + log2(1+r),   r = (m-c)/c,   |r| <= 1/256
//
// and five terms of the series of log2(1+r).
func quickLog2(x float64) float64 {
	bits := math.Float64bits(x)
	t := &log2Table[bits>>45&127]
	r := (math.Float64frombits(bits&(1<<52-1)|1023<<52) - t.middle) * t.inverse
	return float64(int(bits>>52)-1023) + t.log + r*(1-r*(1./2-r*(1./3-r*(1./4-r*(1./5)))))*math.Log2E
}

// The entropy of a logit is looked up in a table. With s = 1/(1+exp(-x)) and
// derivatives taken by x,
//
//	H(x)  = (log(1+exp(-x)) + x (1-s)) / ln 2     bits; even in x
//	H'    = -x s' / ln 2
//
// and on every interval of 1/32 it is the quintic that agrees with H, H' and H”
// at both ends (Hermite interpolation). The error is at most h^6/46080 max|H^(6)|,
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

// A twofold is an unevaluated sum hi + lo with |lo| at most half an ulp of hi, some
// 106 bits (Dekker 1971).
type twofold struct{ hi, lo float64 }

// quickTwoSum is a + b exactly, for |a| >= |b|.
func quickTwoSum(a, b float64) twofold {
	s := a + b
	return twofold{s, b - (s - a)}
}

// twoSum is a + b exactly (Knuth).
func twoSum(a, b float64) twofold {
	s := a + b
	t := s - a
	return twofold{s, (a - (s - t)) + (b - t)}
}

func (a twofold) add(b twofold) twofold {
	s := twoSum(a.hi, b.hi)
	t := twoSum(a.lo, b.lo)
	s = quickTwoSum(s.hi, s.lo+t.hi)
	return quickTwoSum(s.hi, s.lo+t.lo)
}

func (a twofold) mul(b twofold) twofold {
	p := float64(a.hi * b.hi)
	e := math.FMA(a.hi, b.hi, -p)
	return quickTwoSum(p, e+(float64(a.hi*b.lo)+float64(a.lo*b.hi)))
}

// div is a/b by long division.
func (a twofold) div(b twofold) twofold {
	q := a.hi / b.hi
	r := a.add(b.mul(twofold{-q, 0}))
	q2 := r.hi / b.hi
	r = r.add(b.mul(twofold{-q2, 0}))
	return quickTwoSum(q, q2).add(twofold{r.hi / b.hi, 0})
}

// The logarithm series, 1/(2k+1), and the constants ln 2 and 1/ln 2.
var (
	oddInverse = func() (t [24]twofold) {
		for k := range t {
			t[k] = twofold{1, 0}.div(twofold{float64(2*k + 1), 0})
		}
		return t
	}()
	ln2    = twofold{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56}
	perLn2 = twofold{1, 0}.div(ln2)
)

// lnPair is the natural logarithm of a positive finite mantissa m near 1 as
//
//	ln m = 2 atanh(s) = 2 sum_k s^(2k+1) / (2k+1),   s = (m-1)/(m+1)
//
// and the exponent e of x = m 2^e, with m between sqrt(1/2) and sqrt(2).
func lnPair(x float64) (m twofold, e float64) {
	f, exp := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f *= 2
		exp--
	}
	s := twofold{f - 1, 0}.div(twoSum(f, 1)) // f-1 is exact
	q := s.mul(s)
	sum := oddInverse[len(oddInverse)-1]
	for k := len(oddInverse) - 2; k >= 0; k-- {
		sum = sum.mul(q).add(oddInverse[k])
	}
	sum = sum.mul(s)
	return twofold{2 * sum.hi, 2 * sum.lo}, float64(exp)
}

// exactLog2 is log2 x, correctly rounded but for arguments whose logarithm lies
// within 2^-100 of the middle of two numbers, x positive and finite. math.Log2 is
// off by an ulp now and then, and by more near 1.
func exactLog2(x float64) float64 {
	m, e := lnPair(x)
	return m.mul(perLn2).add(twofold{e, 0}).hi
}

// exactLog is the natural logarithm, rounded as exactLog2 is.
func exactLog(x float64) float64 {
	m, e := lnPair(x)
	return m.add(ln2.mul(twofold{e, 0})).hi
}

// exactEntropy is heldEntropy as the released code computes it: two products and
// their sum, each rounded.
func exactEntropy(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	q := 1 - p
	return -(float64(p*exactLog2(p)) + float64(q*exactLog2(q)))
}
