package judges

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"pepbench/domains"
)

// ProbesName is versioned with the probes: change the one with the other.
const ProbesName = "judge/probes/1"

// The checks of a probe report, in its order.
const (
	CheckAgain       = "again"       // the same request drawn once more: the noise that the others are to be held against
	CheckPosition    = "position"    // the criteria of a batched call in reverse order
	CheckVerbosity   = "verbosity"   // sentences around the response that say nothing of any criterion
	CheckBatching    = "batching"    // a call for all criteria against a call for each
	CheckSensitivity = "sensitivity" // a response that plainly shows more against one that plainly shows less
)

// A ProbeReport says how steady a judge is on responses whose properties are known.
type ProbeReport struct {
	Judge     string // identity, without repeats: a probe is one draw a call
	Responses int
	Calls     int // without repairs
	Checks    []ProbeCheck
}

// A ProbeCheck compares grades that should be equal, or, of sensitivity, in order. A
// grade is the level of amount rubrics and the score of quality rubrics.
type ProbeCheck struct {
	Name     string
	Pairs    int     // pairs of which both were graded
	Agree    int     // of them equal; of sensitivity, in the right order
	Unscored int     // pairs left out because one was not graded
	Shift    float64 // mean of second minus first over Pairs; NaN without any
}

// ProbeCalls is how many calls Probe makes of a judge, without repairs.
func ProbeCalls(batched bool) int {
	n := 0
	for _, p := range probes() {
		m := len(p.criteria)
		calls := 3*m + 1 // plain, again and padded one by one, and all at once
		if batched {
			calls = 4 + m // plain, again, reversed and padded at once, and one by one
		}
		n += calls * len(p.responses)
	}
	return n
}

// Probe grades the built-in probes with a judge of the given kind of rubric, amount or
// quality. The responses are of made-up tasks and have been written for the purpose;
// each has a level at which it plainly shows a criterion, or none. Position is checked
// of batched judges only. Responses are graded side by side. What cannot be read is
// counted; the error is that of Grade.
func Probe(ctx context.Context, r *Rubric, kind domains.RubricKind) (*ProbeReport, error) {
	one := *r
	one.Repeats, one.from = 1, 0
	again, other := one, one
	again.from = 1
	other.Batched = !one.Batched
	out := &ProbeReport{Judge: one.ID(kind), Calls: ProbeCalls(one.Batched)}
	checks := map[string]*tallyOf{}
	for _, name := range checkNames {
		checks[name] = &tallyOf{}
	}
	// The calls of a response go one after the other, responses side by side.
	type grades struct{ plain, repeated, alone, turned, long []Score }
	set := probes()
	all := make([][]grades, len(set))
	g, gctx := errgroup.WithContext(ctx)
	for k, p := range set {
		out.Responses += len(p.responses)
		of := make([]grades, len(p.responses))
		all[k] = of
		for i := range p.responses {
			g.Go(func() error {
				c := p.pose(i, kind)
				var err error
				grade := func(r *Rubric, c Case) []Score {
					if err != nil {
						return nil
					}
					var s []Score
					s, err = r.Grade(gctx, c)
					return s
				}
				s := grades{plain: grade(&one, c), repeated: grade(&again, c), alone: grade(&other, c)}
				if one.Batched {
					s.turned = grade(&one, reversed(c))
					slices.Reverse(s.turned)
				}
				padded := c
				padded.Response = paddingBefore + c.Response + paddingAfter
				s.long = grade(&one, padded)
				of[i] = s
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("probes: %w", err)
	}
	for k, p := range set {
		of := all[k]
		for i := range of {
			for j := range of[i].plain {
				checks[CheckAgain].add(&of[i].plain[j], &of[i].repeated[j], equalGrades)
				checks[CheckVerbosity].add(&of[i].plain[j], &of[i].long[j], equalGrades)
				if one.Batched {
					checks[CheckPosition].add(&of[i].plain[j], &of[i].turned[j], equalGrades)
					checks[CheckBatching].add(&of[i].alone[j], &of[i].plain[j], equalGrades)
				} else {
					checks[CheckBatching].add(&of[i].plain[j], &of[i].alone[j], equalGrades)
				}
			}
		}
		for j := range p.criteria {
			for low := range p.responses {
				for high := range p.responses {
					if p.responses[low].shows[j] != 1 || p.responses[high].shows[j] != 5 {
						continue
					}
					first, second := &of[low].plain[j], &of[high].plain[j]
					if kind == domains.Quality && p.wants[j] == 1 { // who wants none of it is served by the other one
						first, second = second, first
					}
					checks[CheckSensitivity].add(first, second, func(a, b float64) bool { return b > a })
				}
			}
		}
	}
	for _, name := range checkNames {
		t := checks[name]
		c := ProbeCheck{Name: name, Pairs: t.pairs, Agree: t.agree, Unscored: t.unscored, Shift: math.NaN()}
		if t.pairs > 0 {
			c.Shift = t.shift / float64(t.pairs)
		}
		out.Checks = append(out.Checks, c)
	}
	return out, nil
}

var checkNames = []string{CheckAgain, CheckPosition, CheckVerbosity, CheckBatching, CheckSensitivity}

// ProbesHash is the SHA-256 of everything that the probes send.
func ProbesHash() string {
	type sent struct {
		Criteria  []domains.Criterion
		Responses []string
		Task      string
		Wants     []float64
	}
	all := []any{paddingBefore, paddingAfter}
	for _, p := range probes() {
		s := sent{Criteria: p.criteria, Task: p.task, Wants: p.wants}
		for _, r := range p.responses {
			s.Responses = append(s.Responses, r.text)
		}
		all = append(all, s)
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic("judges: probes as JSON: " + err.Error()) // texts and numbers only
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// tallyOf counts pairs of grades.
type tallyOf struct {
	pairs, agree, unscored int
	shift                  float64
}

func equalGrades(a, b float64) bool { return a == b }

func (t *tallyOf) add(a, b *Score, agree func(a, b float64) bool) {
	x, y := a.grade(), b.grade()
	if math.IsNaN(x) || math.IsNaN(y) {
		t.unscored++
		return
	}
	t.pairs++
	t.shift += y - x
	if agree(x, y) {
		t.agree++
	}
}

// grade is what the judge said: the level, or where there is none the score.
func (s *Score) grade() float64 {
	switch {
	case s.Level != nil:
		return float64(*s.Level)
	case s.Score != nil:
		return *s.Score
	}
	return math.NaN()
}

// pose is the case of the i-th response.
func (p *probe) pose(i int, kind domains.RubricKind) Case {
	prof := &domains.Profile{}
	for j := range p.criteria {
		prof.Cells = append(prof.Cells, domains.At(p.wants[j]))
		prof.Notes = append(prof.Notes, domains.Note{Justification: p.why[j]})
	}
	return Case{
		Task: domains.Task{Prompt: p.task}, Criteria: p.criteria, Profile: prof, Rubric: kind,
		Response: strings.TrimSpace(p.responses[i].text),
	}
}

// reversed is the case with its criteria in the other order.
func reversed(c Case) Case {
	p := *c.Profile
	p.Cells, p.Notes = slices.Clone(p.Cells), slices.Clone(p.Notes)
	slices.Reverse(p.Cells)
	slices.Reverse(p.Notes)
	c.Profile, c.Criteria = &p, slices.Clone(c.Criteria)
	slices.Reverse(c.Criteria)
	return c
}
