package belief

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// BenchmarkFloor measures what the machine can do at best, for the figures flop/op and
// B-touched/op of the selections to be held against: bytes copied a second, from
// memory and from the first cache, and floating point operations a second of scalar
// code (the compiler makes no vector instructions) whose operations do not wait
// for one another.
func BenchmarkFloor(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"memory", 64 << 20}, {"L1", 8 << 10}} {
		b.Run("copy/"+size.name, func(b *testing.B) {
			src, dst := make([]float64, size.bytes/8), make([]float64, size.bytes/8)
			for i := range src {
				src[i] = float64(i)
			}
			b.SetBytes(int64(size.bytes))
			b.ReportAllocs()
			for b.Loop() {
				copy(dst, src)
			}
		})
	}
	b.Run("fma", func(b *testing.B) {
		const rounds, chains = 1000, 8
		var x [chains]float64
		b.ReportAllocs()
		for b.Loop() {
			x = fmaChain(x, rounds, 0.999, 0.001)
		}
		if math.IsNaN(x[0]) {
			b.Fatal("the sum is lost")
		}
		b.ReportMetric(2*rounds*chains*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gflop/s")
	})
}

// fmaChain does so many multiply-adds on each of eight independent sums.
func fmaChain(x [8]float64, rounds int, scale, shift float64) [8]float64 {
	x0, x1, x2, x3, x4, x5, x6, x7 := x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
	for range rounds {
		x0 = x0*scale + shift
		x1 = x1*scale + shift
		x2 = x2*scale + shift
		x3 = x3*scale + shift
		x4 = x4*scale + shift
		x5 = x5*scale + shift
		x6 = x6*scale + shift
		x7 = x7*scale + shift
	}
	return [8]float64{x0, x1, x2, x3, x4, x5, x6, x7}
}

// BenchmarkLatentClass measures one selection: the scores of all candidates. A
// logarithm counts as one operation.
func BenchmarkLatentClass(b *testing.B) {
	for _, size := range []struct{ c, k int }{{25, 8}, {25, 21}, {25, 49}, {135, 8}} {
		const levels = 5
		c, k, s := float64(size.c), float64(size.k), 1+float64(levels)
		m := mixtureModel(rand.New(rand.NewPCG(1, 40)), scales(size.c, levels), size.k)
		belief := m.Start(index(size.c)).(*mixture)
		belief.Observe(0, belief.Answer(0, 2))
		dst, candidate, asked := make([]float64, size.c), make([]bool, size.c), make([]bool, size.c)
		for i := range candidate {
			candidate[i], asked[i] = i > 0, i == 0
		}
		name := fmt.Sprintf("c=%d/k=%d", size.c, size.k)
		b.Run("latent-ig/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for i := range dst {
					dst[i] = belief.LatentInformation(i)
				}
			}
			// a product of weights and probabilities a state, a logarithm, a product of
			// weights and entropies
			b.ReportMetric((c-1)*(s*(2*k+3)+2*k), "flop/op")
			b.ReportMetric(8*(c-1)*(s*k+k), "B-touched/op")
		})
		b.Run("profile-ig/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				belief.ProfileInformation(dst, candidate, asked)
			}
			// for every pair of criteria and pair of states a product and a logarithm
			pairs := (c - 1) * (c - 2) / 2
			b.ReportMetric(pairs*s*s*(2*k+3), "flop/op")
			b.ReportMetric(8*(c-1)*s*k, "B-touched/op")
		})
	}
}
