package belief

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pepbench/domains"
)

// BenchmarkGaussianSession is a session of five questions by latent information or
// by variance drop, answers drawn beforehand; the belief is begun once and set back
// to a fresh one.
func BenchmarkGaussianSession(b *testing.B) {
	const n, questions = 25, 5
	for _, d := range []int{4, 5} {
		g := randomGaussian(rand.New(rand.NewPCG(1, 31)), scales(n, 5), d, 0)
		fresh := g.Start(index(n))
		trial := fresh.Clone().(*dense)
		rng := rand.New(rand.NewPCG(2, 31))
		answers := make([]domains.Cell, n)
		for i := range answers {
			answers[i] = fresh.Draw(rng, i)
		}
		candidate, score := make([]bool, n), make([]float64, n)
		session := func(rate func()) {
			trial.Set(fresh)
			for i := range candidate {
				candidate[i] = true
			}
			for range questions {
				rate()
				best, at := -1, math.Inf(-1)
				for i, ok := range candidate {
					if ok && score[i] > at+1e-12 {
						best, at = i, score[i]
					}
				}
				candidate[best] = false
				trial.Observe(best, answers[best])
			}
		}
		b.Run(fmt.Sprintf("latent/d=%d/c=%d", d, n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				session(func() {
					for i, ok := range candidate {
						if ok {
							score[i] = trial.LatentInformation(i)
						}
					}
				})
			}
			// a quadratic form and a logarithm a candidate; a rank-one update an answer
			rated := float64(questions*n - questions*(questions-1)/2)
			square := float64(d * d)
			b.ReportMetric(rated*(2*square+2*float64(d)+1)+questions*6*square, "flop/op")
			b.ReportMetric(8*(rated*float64(d)+questions*2*square), "B-touched/op")
		})
		b.Run(fmt.Sprintf("variance/d=%d/c=%d", d, n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				session(func() { trial.VarianceDrop(score, candidate) })
			}
		})
	}
}

// BenchmarkSparseSelection rates 25 questions where what is held is a probit of z.
func BenchmarkSparseSelection(b *testing.B) {
	const n = 25
	for _, d := range []int{4} {
		g := randomGaussian(rand.New(rand.NewPCG(1, 34)), scales(n, 5), d, 0.7)
		belief := g.Start(index(n)).(LatentInformer)
		sum := 0.0
		b.Run(fmt.Sprintf("latent/d=%d/c=%d", d, n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for i := range n {
					sum += belief.LatentInformation(i)
				}
			}
		})
		b.Run(fmt.Sprintf("marginals/d=%d/c=%d", d, n), func(b *testing.B) {
			held, value := make([]float64, n), make([]float64, n)
			b.ReportAllocs()
			for b.Loop() {
				belief.Marginals(held, value)
			}
		})
		b.Run(fmt.Sprintf("observe/d=%d/c=%d", d, n), func(b *testing.B) {
			trial := belief.Clone()
			b.ReportAllocs()
			for b.Loop() {
				trial.Set(belief)
				trial.Observe(3, domains.At(4))
			}
		})
	}
}

// BenchmarkFitFactor is one EM run of one dimension, on dense and on sparse
// profiles.
func BenchmarkFitFactor(b *testing.B) {
	for _, size := range []struct{ n, c int }{{25000, 30}, {4000, 135}} {
		for _, sparse := range []float64{0, 1} {
			g := randomGaussian(rand.New(rand.NewPCG(1, 32)), scales(size.c, 5), 4, sparse)
			p := drawRows(rand.New(rand.NewPCG(2, 32)), g, size.n)
			opt := DefaultFactor
			opt.Dims = []int{4}
			name := fmt.Sprintf("dense/n=%d/c=%d", size.n, size.c)
			if sparse > 0 {
				name = fmt.Sprintf("sparse/n=%d/c=%d", size.n, size.c)
			}
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, _, err := FitFactor(context.Background(), p, Population{Criteria: p.Criteria}, opt); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkFitBLR is the fit of all default dimensions.
func BenchmarkFitBLR(b *testing.B) {
	g := randomGaussian(rand.New(rand.NewPCG(1, 33)), scales(30, 5), 4, 0)
	p := drawRows(rand.New(rand.NewPCG(2, 33)), g, 25000)
	b.Run("n=25000/c=30", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := FitBLR(context.Background(), p, p, BLROptions{Dims: []int{4}}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
