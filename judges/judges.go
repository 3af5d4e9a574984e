package judges

import (
	"math"

	"pepbench/domains"
)

// A Case is a response to grade.
type Case struct {
	Task     domains.Task
	Criteria []domains.Criterion // of the task, in its order
	Profile  *domains.Profile    // the user's true preferences
	Rubric   domains.RubricKind
	Response string

	// Expressed and Values are the response of the profile solver: positions, and
	// a value of each. Only the profile judge reads them.
	Expressed []int
	Values    []float64
}

// A Score is the grade of one held criterion.
type Score struct {
	Position int
	Level    *int     // amount rubrics: the level found, 1..5
	Score    *float64 // 1..5; nil is unscored
	Reason   string   // the judge's words
	Unscored string   // why there is no score
	Judge    string   // identity: kind, mode, prompt version, model, repeats

	// Of a judge that grades more than once, in order, NaN where a repeat is unscored:
	// the scores, of which Score is the mean, and of amount rubrics the levels.
	Repeats, Levels []float64
}

// Neutral is the score of a held criterion that a response of the profile solver
// does not express.
const Neutral = 3.0

// ProfileID is the identity of the profile judge.
const ProfileID = "profile/1"

// Profile grades without a model: a criterion that is expressed scores
//
//	5 - 4 |v_hat - v| / (L-1)
//
// where L-1 is the range of its scale, at least 1; nominal ones score 5 or 1; a
// held criterion that is not expressed, or expressed without a number, scores
// Neutral. Of a position that is expressed twice the last value counts.
type Profile struct{}

// Grade scores every held criterion, in position order.
func (Profile) Grade(c Case) []Score {
	said := make([]float64, len(c.Profile.Cells))
	for i := range said {
		said[i] = math.NaN()
	}
	for j, i := range c.Expressed {
		said[i] = c.Values[j]
	}
	out := make([]Score, 0, c.Profile.Held())
	for i, cell := range c.Profile.Cells {
		if !cell.IsHeld() {
			continue
		}
		s := Neutral
		if v := said[i]; !math.IsNaN(v) {
			s = closeness(&c.Criteria[i], v, cell.Value())
		}
		out = append(out, Score{Position: i, Score: &s, Judge: ProfileID})
	}
	return out
}

func closeness(c *domains.Criterion, got, want float64) float64 {
	if c.Scale == domains.Nominal {
		if got == want {
			return 5
		}
		return 1
	}
	return max(1, 5-4*math.Abs(got-want)/c.Range())
}
