package belief

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// TestProbabilities: whatever is told, states of a mixture are probabilities and
// what is told is certain.
func TestProbabilities(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, k := rapid.IntRange(1, 6).Draw(t, "criteria"), rapid.IntRange(1, 5).Draw(t, "points")
		m := mixtureModel(randomly(rapid.Uint64().Draw(t, "model")), scales(n, rapid.IntRange(2, 5).Draw(t, "levels")), k)
		b := m.Start(index(n)).(Joint)
		for range rapid.IntRange(0, 8).Draw(t, "answers") {
			i := rapid.IntRange(0, n-1).Draw(t, "position")
			s := rapid.IntRange(0, b.NumStates(i)-1).Draw(t, "state")
			b.Observe(i, b.Answer(i, s))
			if p := b.States(nil, i)[s]; p != 1 {
				t.Fatalf("told state %d of %d, P = %v", s, i, p)
			}
		}
		for i := range n {
			sum := 0.0
			for _, p := range b.States(nil, i) {
				if !(p >= 0 && p <= 1+1e-12) {
					t.Fatalf("P = %v", p)
				}
				sum += p
			}
			if sum < 1-1e-9 || sum > 1+1e-9 {
				t.Fatalf("states of %d sum to %v", i, sum)
			}
		}
	})
}

// TestEntropy compares the table's logarithms with the library's.
func TestEntropy(t *testing.T) {
	for _, p := range []float64{0, 1, 0.5, 0x1p-1022, 0x1p-1060, math.Nextafter(1, 0), math.Nextafter(0.5, 1)} {
		want := 0.0
		if p > 0 {
			want = -p * math.Log(p)
		}
		if got := entropy([]float64{p}); math.Abs(got-want) > 1e-15 {
			t.Errorf("-p log p of %v = %v, want %v", p, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := math.Exp(-rapid.Float64Range(0, 50).Draw(t, "-log p"))
		if got, want := entropy([]float64{p}), -p*math.Log(p); math.Abs(got-want) > 1e-15 {
			t.Fatalf("-p log p of %v = %v, want %v", p, got, want)
		}
	})
}

// TestInformationIsTheDefinition compares the closed forms with enumeration: answers
// weighted by their probabilities, entropies after each. Information is never
// negative, and none where there is one point.
func TestInformationIsTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, k := rapid.IntRange(1, 7).Draw(t, "criteria"), rapid.IntRange(1, 9).Draw(t, "points")
		rng := randomly(rapid.Uint64().Draw(t, "model"))
		criteria := scales(n, 2)
		for c := range criteria {
			criteria[c] = scales(n, 2+rng.IntN(4))[c]
		}
		m := mixtureModel(rng, criteria, k)
		b := m.Start(rng.Perm(n)).(*mixture)
		asked, candidate := make([]bool, n), make([]bool, n)
		for i := range n {
			switch rng.IntN(3) {
			case 0:
				asked[i] = true
				if rng.IntN(4) > 0 { // an empty cell is asked and teaches nothing
					b.Observe(i, b.Answer(i, rng.IntN(b.NumStates(i))))
				}
			case 1:
				candidate[i] = true
			}
		}
		got := make([]float64, n)
		for i := range got {
			got[i] = -7
		}
		b.ProfileInformation(got, candidate, asked)
		for i := range n {
			if !candidate[i] {
				if got[i] != -7 {
					t.Fatalf("%d is no candidate and gets %v", i, got[i])
				}
				continue
			}
			profile, latent := 0.0, entropyOf(b.w)
			for j := range n {
				if j != i && !asked[j] {
					profile += entropyOf(b.States(nil, j))
				}
			}
			for s, p := range b.States(nil, i) {
				after := b.Clone().(*mixture)
				after.Observe(i, b.Answer(i, s))
				latent -= p * entropyOf(after.w)
				for j := range n {
					if j != i && !asked[j] {
						profile -= p * entropyOf(after.States(nil, j))
					}
				}
			}
			if math.Abs(got[i]-profile) > 1e-10 {
				t.Fatalf("profile information of %d = %v, enumeration says %v", i, got[i], profile)
			}
			l := b.LatentInformation(i)
			if math.Abs(l-latent) > 1e-10 {
				t.Fatalf("latent information of %d = %v, enumeration says %v", i, l, latent)
			}
			if got[i] < 0 || l < 0 || k == 1 && (got[i] != 0 || l != 0) {
				t.Fatalf("%d points: information %v of the profile, %v of the point", k, got[i], l)
			}
		}
	})
}

// entropyOf is the definition.
func entropyOf(p []float64) float64 {
	h := 0.0
	for _, v := range p {
		if v > 0 {
			h -= v * math.Log(v)
		}
	}
	return h
}

func randomly(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 11)) }
