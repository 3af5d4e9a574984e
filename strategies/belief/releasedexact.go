package belief

import "math"

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
