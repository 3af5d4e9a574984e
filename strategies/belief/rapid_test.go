package belief

import (
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

func randomly(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 11)) }
