package stats

import (
	"math"
	"math/rand/v2"
)

// MostExact is the largest number of clusters whose 2^G patterns of signs are all tried.
const MostExact = 16

// A SignFlip tests paired differences by turning the signs of whole clusters: if
// neither of a pair is better, the difference of a cluster could as well have had the
// other sign (Fisher, The Design of Experiments, 1935, section 21; Good, Permutation,
// Parametric, and Bootstrap Tests of Hypotheses, 2005, chapter 3). It presumes that
// clusters are independent and that under the hypothesis a difference is symmetric about
// 0. The statistic is the mean, which orders the patterns as Student's t does, since the
// sum of squares knows no sign.
type SignFlip struct {
	Draws int // patterns of signs where there are more than 2^MostExact; at least 1
	Seed  uint64
}

// A SignTest is the outcome of a sign-flip test.
type SignTest struct {
	P        float64 // NaN without clusters
	Clusters int     // with a difference
	Missing  int     // clusters whose difference is NaN, which are left out
	Exact    bool    // all patterns were tried
}

// Test gives the two-sided p-value of the hypothesis that the differences of clusters
// are symmetric about 0:
//
//	#{patterns: |mean| >= |observed mean|} / 2^G             if G <= MostExact
//	(1 + #{draws: |mean| >= |observed mean|}) / (1 + Draws)  else
//
// (the latter never 0: Phipson and Smyth, Permutation P-values Should Never Be Zero,
// Statistical Applications in Genetics and Molecular Biology 9(1), 2010).
// Means that differ by rounding alone are equal.
func (f SignFlip) Test(differences []float64) SignTest { return f.test(differences, 0, math.Abs) }

// Above gives the one-sided p-value of the hypothesis that the mean is at most bound,
// which is Test of the differences less bound with their own sign. With bound -m it is
// the test of non-inferiority with margin m: a small p says that the mean is above -m.
func (f SignFlip) Above(differences []float64, bound float64) SignTest {
	return f.test(differences, bound, func(v float64) float64 { return v })
}

func (f SignFlip) test(differences []float64, bound float64, measure func(float64) float64) SignTest {
	d := numbers(differences)
	out := SignTest{P: math.NaN(), Clusters: len(d), Missing: len(differences) - len(d), Exact: len(d) <= MostExact}
	if len(d) == 0 {
		return out
	}
	sum, most := 0.0, 0.0
	for i := range d {
		d[i] -= bound
		sum += d[i]
		most += math.Abs(d[i])
	}
	least := measure(sum) - 1e-12*most
	signs := newSigns(d)
	reached := 0
	if out.Exact {
		patterns := uint64(1) << len(d)
		for p := range patterns {
			if measure(signs.sum(p, 0)) >= least {
				reached++
			}
		}
		out.P = float64(reached) / float64(patterns)
		return out
	}
	// No resample of a bootstrap has this stream.
	rng := rand.New(rand.NewPCG(f.Seed, math.MaxUint64))
	for range f.Draws {
		total := 0.0
		for i := 0; i < len(d); i += 64 {
			total += signs.sum(rng.Uint64(), i/8)
		}
		if measure(total) >= least {
			reached++
		}
	}
	out.P = float64(1+reached) / float64(1+f.Draws)
	return out
}

// signs holds, for every eight differences, their sum under each of the 256 patterns of
// signs, so that a pattern of all costs an addition for eight.
type signs [][256]float64

func newSigns(d []float64) signs {
	out := make(signs, (len(d)+7)/8)
	for i := range out {
		of := d[8*i : min(8*i+8, len(d))]
		for _, v := range of {
			out[i][0] += v
		}
		for k := range 8 { // bit k turns the sign of one more; those past the last turn nothing
			turn := 0.0
			if k < len(of) {
				turn = 2 * of[k]
			}
			for p := range 1 << k {
				out[i][p|1<<k] = out[i][p] - turn
			}
		}
	}
	return out
}

// sum gives the sum of up to 64 differences from eight times from on; bit k of the
// pattern turns the sign of the k-th of them.
func (s signs) sum(pattern uint64, from int) float64 {
	sum := 0.0
	for i := from; i < min(from+8, len(s)); i++ {
		sum += s[i][byte(pattern)]
		pattern >>= 8
	}
	return sum
}
