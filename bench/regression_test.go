package bench

import (
	"context"
	"encoding/xml"
	"errors"
	"slices"
	"strings"
	"testing"

	"pepbench/domains"
	"pepbench/reports"
	"pepbench/strategies/belief"
)

// A brokenKind fits the latent class model and breaks its beliefs. It is a kind only
// while a test runs.
type brokenKind struct {
	latentClass `yaml:",inline"`
	how         fault
}

// Fit implements BeliefKind.
func (k *brokenKind) Fit(ctx context.Context, f fitInput) (belief.Model, []belief.Candidate, error) {
	m, tried, err := k.latentClass.Fit(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	return brokenModel{m, k.how}, tried, nil
}

// A fault is a mistake that code of a belief may have.
type fault struct {
	hears func(domains.Cell) domains.Cell // in place of the answer; nil: the answer
	flips bool                            // P(held) of what was not told is 1 less what it should be
}

type brokenModel struct {
	belief.Model
	how fault
}

func (m brokenModel) Start(criteria []int) belief.Belief {
	return &brokenBelief{m.Model.Start(criteria).(belief.Joint), m.how, map[int]domains.Cell{}}
}

// A brokenBelief knows what it was told, and is wrong about everything else.
type brokenBelief struct {
	belief.Joint
	how  fault
	told map[int]domains.Cell
}

func (b *brokenBelief) Observe(i int, c domains.Cell) {
	if b.told[i] = c; b.how.hears != nil && !c.IsMissing() {
		c = b.how.hears(c)
	}
	b.Joint.Observe(i, c)
}

func (b *brokenBelief) States(dst []float64, i int) []float64 {
	p := b.Joint.States(dst, i)
	if _, told := b.told[i]; told || !b.how.flips || p[0] >= 1 || p[0] <= 0 {
		return p
	}
	held := 1 - p[0]
	for s := range p {
		p[s] *= p[0] / held
	}
	p[0] = held
	return p
}

func (b *brokenBelief) Marginals(held, value []float64) {
	b.Joint.Marginals(held, value)
	for i := range held {
		c, told := b.told[i]
		switch {
		case told && c.IsHeld():
			held[i] = 1
		case told && c.IsNotHeld():
			held[i] = 0
		case !told && b.how.flips:
			held[i] = 1 - held[i]
		}
	}
}

func (b *brokenBelief) Infer() domains.Inference {
	inf := b.Joint.Infer()
	b.Marginals(inf.Held, inf.Value)
	return inf
}

func (b *brokenBelief) Clone() belief.Belief {
	out := &brokenBelief{b.Joint.Clone().(belief.Joint), b.how, map[int]domains.Cell{}}
	for i, c := range b.told {
		out.told[i] = c
	}
	return out
}

func (b *brokenBelief) Set(src belief.Belief) {
	o := src.(*brokenBelief)
	b.Joint.Set(o.Joint)
	clear(b.told)
	for i, c := range o.told {
		b.told[i] = c
	}
}

// TestBrokenBelief: the gate that is shipped catches a belief whose posterior is wrong,
// names strategy and measure, and lets the same run without the mistake through.
func TestBrokenBelief(t *testing.T) {
	const kind = "broken-for-a-test"
	gate, err := reports.ReadGate("../configs/gate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	// The configuration smoke, with the rows that the belief has a part in.
	sets := []string{
		"cache=off",
		"strategies=[{name: none, kind: none}, {name: random, kind: random, predict: latent}, {name: pep, kind: pep, belief: latent, acquisition: profile-ig, predict: [answers, latent]}]",
		"checkpoints=[0, 5]", "report={resamples: 50}",
	}
	ran := func(t *testing.T, more ...string) string {
		dir := t.TempDir()
		mustRun(t, planOf(t, smoke, slices.Concat(sets, more)...), dir)
		return dir
	}
	base := ran(t)
	t.Cleanup(func() { delete(beliefKinds.m, kind) })
	for _, row := range []struct {
		reason string
		how    fault
		names  []string // lines that must be shown to be worse
	}{
		{"nothing is broken, but by another name", fault{}, nil},
		{"held is heard as not held, and the other way round", fault{hears: func(c domains.Cell) domains.Cell {
			if c.IsHeld() {
				return domains.NotHeld()
			}
			return domains.At(3)
		}}, []string{"pep+latent value error", "random+latent value error", "random+latent alignment"}},
		{"the value of an answer is ignored", fault{hears: func(c domains.Cell) domains.Cell {
			if c.IsHeld() {
				return domains.At(1)
			}
			return c
		}}, []string{"pep+latent value error"}},
		{"P(held) is upside down", fault{flips: true}, []string{"pep+latent relevance error", "random+latent relevance error", "random+latent alignment"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			delete(beliefKinds.m, kind)
			beliefKinds.add(kind, func() BeliefKind {
				return &brokenKind{*beliefKinds.make("latent-class").(*latentClass), row.how}
			})
			run := ran(t, "beliefs.latent={kind: "+kind+", classes: [1, 2, 4], restarts: 1}")
			c, err := reports.CompareRuns(base, run, gate)
			if err != nil {
				t.Fatal(err)
			}
			var regression *reports.RegressionError
			if row.names == nil {
				if err := c.Err(); err != nil {
					t.Errorf("does not pass: %v", err)
				}
				return
			}
			if err := c.Err(); !errors.As(err, &regression) || !errors.Is(err, reports.ErrRegression) {
				t.Fatalf("no regression: %v\n%s", err, c.Text(120))
			}
			b, err := c.JUnit()
			if err != nil {
				t.Fatal(err)
			}
			var suites struct {
				Cases []struct {
					Class   string `xml:"classname,attr"`
					Name    string `xml:"name,attr"`
					Failure *struct {
						Type string `xml:"type,attr"`
					} `xml:"failure"`
				} `xml:"testsuite>testcase"`
			}
			if err := xml.Unmarshal(b, &suites); err != nil {
				t.Fatal(err)
			}
			var failed []string
			for _, k := range suites.Cases {
				measure, _, _ := strings.Cut(k.Name, ":")
				if k.Failure != nil && k.Failure.Type == "fail" {
					failed = append(failed, strings.TrimPrefix(k.Class, "pepbench.")+" "+measure)
				}
				if k.Failure != nil && k.Class == "pepbench.none" {
					t.Errorf("a strategy without belief fails: %s", k.Name)
				}
			}
			for _, want := range row.names {
				if !slices.Contains(failed, want) {
					t.Errorf("%s is not among what got worse: %v\n%s", want, failed, c.Text(120))
				}
			}
		})
	}
}
