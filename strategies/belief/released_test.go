package belief

import (
	"context"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"pepbench/domains"
)

// TestEntropyTable holds the tables to what they interpolate.
func TestEntropyTable(t *testing.T) {
	worst := 0.0
	for i := range 40001 {
		x := -11 + 22*float64(i)/40000
		p := 1 / (1 + math.Exp(-min(max(x, -logitClip), logitClip)))
		q := 1 / (1 + math.Exp(min(max(x, -logitClip), logitClip)))
		want := -(p*math.Log(p) + q*math.Log(q)) / math.Ln2
		worst = max(worst, math.Abs(logitEntropy(x)-want))
	}
	if !(worst <= 1e-12) {
		t.Errorf("entropy of a logit is off by %v", worst)
	}
	worst = 0
	for i := range 40001 {
		p := float64(i) / 40000
		if i%2 == 0 {
			p = math.Exp(-20 * p)
		}
		worst = max(worst, math.Abs(binaryEntropy(p)-exactEntropy(p)))
	}
	if !(worst <= 1e-14) {
		t.Errorf("entropy of a probability is off by %v", worst)
	}
}

// bigLog2 is log2 x to 200 bits, by squaring: a bit of the logarithm a squaring.
func bigLog2(x float64) *big.Float {
	const prec = 400
	f, exp := math.Frexp(x)
	out := new(big.Float).SetPrec(prec).SetInt64(int64(exp - 1))
	v := new(big.Float).SetPrec(prec).SetFloat64(2 * f) // 1 <= v < 2
	two := big.NewFloat(2)
	bit := new(big.Float).SetPrec(prec).SetFloat64(.5)
	for range 170 {
		v.Mul(v, v)
		if v.Cmp(two) >= 0 {
			v.Quo(v, two)
			out.Add(out, bit)
		}
		bit.Quo(bit, two)
	}
	return out
}

// TestExactLog2: the logarithm of the compatible kernel is the number nearest to
// the true one.
func TestExactLog2(t *testing.T) {
	machine := 0
	rng := randomly(3)
	const n = 1500
	for i := range n {
		x := rng.Float64()
		switch i % 4 {
		case 1:
			x = 1 - x*1e-3
		case 2:
			x = 1 + x*.5
		case 3:
			x = math.Exp(-40 * x)
		}
		want, _ := bigLog2(x).Float64()
		if got := exactLog2(x); got != want {
			t.Errorf("log2 %v = %v, want %v", x, got, want)
		}
		if math.Log2(x) != want {
			machine++
		}
		ln := new(big.Float).SetPrec(400).Mul(bigLog2(x), bigLn2)
		if w, _ := ln.Float64(); exactLog(x) != w {
			t.Errorf("ln %v = %v, want %v", x, exactLog(x), w)
		}
	}
	t.Logf("math.Log2 differs from the nearest number in %d of %d", machine, n)
}

// bigLn2 is ln 2 = sum_k 1/(k 2^k).
var bigLn2 = func() *big.Float {
	sum, pow := new(big.Float).SetPrec(400), new(big.Float).SetPrec(400).SetFloat64(1)
	for k := 1; k < 300; k++ {
		pow.Quo(pow, big.NewFloat(2))
		sum.Add(sum, new(big.Float).SetPrec(400).Quo(pow, big.NewFloat(float64(k))))
	}
	return sum
}()

// somePopulation draws rows over n criteria: sparse or full, with cells missing.
func somePopulation(t *rapid.T, n int) Population {
	rng := randomly(rapid.Uint64().Draw(t, "population"))
	held := rapid.SampledFrom([]float64{.1, .3, .7, 1}).Draw(t, "share held")
	gaps := rapid.SampledFrom([]float64{0, .2}).Draw(t, "share missing")
	p := Population{Criteria: scales(n, 5)}
	class := make([]float64, n)
	for i := range class {
		class[i] = rng.Float64()
	}
	for range rapid.IntRange(1, 60).Draw(t, "rows") {
		row := Row{Index: index(n), Cells: make([]domains.Cell, n)}
		kind := float64(rng.IntN(2))
		for j := range row.Cells {
			switch {
			case rng.Float64() < gaps:
				row.Cells[j] = domains.Missing()
			case rng.Float64() < held*(.5+math.Abs(kind-class[j])):
				row.Cells[j] = domains.At(float64(1 + rng.IntN(5)))
			default:
				row.Cells[j] = domains.NotHeld()
			}
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

// TestReleasedKernels: the fast kernel gives what the compatible one gives, in any
// state, and both give probabilities.
func TestReleasedKernels(t *testing.T) {
	for _, rule := range Rules {
		t.Run(string(rule), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				n := rapid.IntRange(1, 12).Draw(t, "criteria")
				p := somePopulation(t, n)
				var beliefs [2]BinaryInformer
				for i := range beliefs {
					m, _, err := FitReleased(context.Background(), p, Population{Criteria: p.Criteria}, ReleasedOptions{Rule: rule, Compat: i == 1})
					if err != nil {
						t.Fatal(err)
					}
					beliefs[i] = m.Start(index(n)).(BinaryInformer)
				}
				asked, candidate := make([]bool, n), make([]bool, n)
				for range rapid.IntRange(0, 6).Draw(t, "answers") {
					i := rapid.IntRange(0, n-1).Draw(t, "position")
					asked[i] = true
					c := domains.NotHeld()
					switch rapid.IntRange(0, 2).Draw(t, "answer") {
					case 0:
						c = domains.At(float64(rapid.IntRange(1, 5).Draw(t, "value")))
					case 1:
						c = domains.Missing()
					}
					for _, b := range beliefs {
						b.Observe(i, c)
					}
				}
				for i := range candidate {
					candidate[i] = !asked[i]
				}
				var held, value, gain [2][]float64
				for i, b := range beliefs {
					held[i], value[i], gain[i] = make([]float64, n), make([]float64, n), make([]float64, n)
					b.Marginals(held[i], value[i])
					b.BinaryInformation(gain[i], candidate, asked)
				}
				for j := range n {
					if p := held[0][j]; !(p >= 0 && p <= 1) || math.Abs(p-held[1][j]) > 1e-9 {
						t.Fatalf("P(held) of %d is %v, compatibly %v", j, p, held[1][j])
					}
					if v := value[0][j]; !(v >= 1 && v <= 5) || v != value[1][j] {
						t.Fatalf("value of %d is %v, compatibly %v", j, v, value[1][j])
					}
					if p := held[0][j]; math.Abs(p-gainLeast) < 1e-12 || math.Abs(p-gainMost) < 1e-12 {
						continue // rounding decides whether there is a gain
					}
					if !(math.Abs(gain[0][j]-gain[1][j]) <= 1e-9) {
						t.Fatalf("gain of %d is %v, compatibly %v", j, gain[0][j], gain[1][j])
					}
				}
			})
		})
	}
}
