package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"pepbench/bench/record"
	"pepbench/domains"
)

// learned adds the rows of a trained policy, which asks as the fixed order does: live, its
// log replayed in mode trajectory, and that of other users in mode policy.
func learned(m *record.Manifest, all *[]record.Session) {
	policy := func(mode string) *record.Policy {
		p := &record.Policy{ID: "rl", Model: "two-layer network of 32 units", Method: "GRPO, terminal reward by the profile judge", Params: 4321}
		if mode == "" {
			for seed := range m.Seeds {
				p.Trainings = append(p.Trainings, record.TrainingSummary{ID: "t", Seed: seed + 1, Steps: 10, Best: 10, Reward: 60, Static: 59, Random: 50})
			}
			return p
		}
		p.Mode, p.Of = mode, "rl"
		return p
	}
	for _, of := range []struct{ base, kind, mode string }{{"rl", kindRL, ""}, {"replay", kindReplay, record.ModeTrajectory}, {"others", kindReplay, record.ModePolicy}} {
		for _, predict := range []string{"answers", "belief"} {
			name := of.base + "+" + predict
			m.Strategies = append(m.Strategies, record.Strategy{Name: name, Base: of.base, Kind: of.kind, Predict: predict, Policy: policy(of.mode)})
			for _, s := range *all {
				if s.Strategy == "static+"+predict {
					s.Strategy = name
					s.ID = name + strings.TrimPrefix(s.ID, "static+"+predict)
					*all = append(*all, s)
				}
			}
		}
	}
	m.Sessions = len(*all)
	m.Report.TargetOf = "replay+belief"
}

// ofDomain makes the run one of a built-in domain.
func ofDomain(name string, and ...func(*record.Manifest, *[]record.Session)) func(*record.Manifest, *[]record.Session) {
	return func(m *record.Manifest, all *[]record.Session) {
		m.Name, m.Data.Name = name, name
		m.Config = json.RawMessage(`{"domain":{"kind":"builtin","name":"` + name + `"}}`)
		m.Code = record.Code{Version: "v0", Go: "go1", Platform: "linux/amd64"}
		for _, f := range and {
			f(m, all)
		}
	}
}

// reported writes the run and its report.
func reported(t testing.TB, y synth) string {
	t.Helper()
	dir := y.write(t)
	if _, err := Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// someTraining is a made-up training.json.
func someTraining(policy string, seed int) *record.Training {
	nan := record.Float(math.NaN())
	t := &record.Training{
		Schema: record.Schema, Name: "made-up", Data: "made-up 1", Policy: policy, Model: "two-layer network of 32 units", Method: "GRPO, terminal reward by the profile judge",
		Params: 4321, Code: "v0", Config: map[string]any{"steps": 60.}, Rollouts: 128,
		TrainingSummary: record.TrainingSummary{
			ID: "x", Seed: seed, Steps: 60, Best: 40, Why: "steps", Reward: 61, Dev: 60, Random: 47, Static: 58.5, Order: []string{"a"},
			OverRandom: record.Contrast{Value: 14, Lo: 12, Hi: 16, Clusters: 20}, OverStatic: record.Contrast{Value: 2, Lo: -1, Hi: 5, Clusters: 20},
		},
	}
	for i := 0; i <= 60; i += 5 {
		x := float64(i) / 60
		wave := math.Sin(float64(i*seed)) * 1.2
		p := record.TrainingPoint{
			Step: i, Train: record.Float(48 + 12*math.Sqrt(x) + wave), Dev: record.Float(47 + 13*math.Sqrt(x) - wave/2),
			Entropy: record.Float(3.3 - 1.6*x + wave/20), KL: record.Float(.9*x + math.Abs(wave)/30), Clipped: .1, GradNorm: 1,
		}
		if i == 0 {
			p.Train = nan
		}
		t.Curve = append(t.Curve, p)
	}
	return t
}

func writeTraining(t testing.TB, dir, name string, tr *record.Training) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := record.WriteJSON(path, tr); err != nil {
		t.Fatal(err)
	}
	return path
}

// paperRuns are two domains and a survey.
func paperRuns(t testing.TB) []string {
	t.Helper()
	undertrained := func(m *record.Manifest, _ *[]record.Session) {
		for _, s := range m.Strategies {
			if s.Policy != nil && s.Policy.Trainings != nil {
				s.Policy.Trainings[0].Undertrained = true
			}
		}
	}
	y := synth{tasks: 8, users: 5, seeds: 2, criteria: 9, budget: 4, simulated: true, change: ofDomain("medical", learned)}
	medical := reported(t, y)
	for seed := 1; seed <= 2; seed++ {
		writeTraining(t, filepath.Join(medical, trainingsFolder), fmt.Sprintf("rl-%d.json", seed), someTraining("rl", seed))
	}
	y.tasks, y.users, y.change = 7, 4, ofDomain("social", learned, undertrained)
	social := reported(t, y)
	survey := reported(t, synth{tasks: 1, users: 24, seeds: 1, criteria: 8, budget: 3, survey: true, change: func(m *record.Manifest, all *[]record.Session) {
		m.Data.Name = "cuisines"
		learned(m, all)
	}})
	return []string{medical, social, survey}
}

// TestPaperReport writes the report of three runs, twice, and with -pictures every page.
func TestPaperReport(t *testing.T) {
	runs := paperRuns(t)
	sum := func(out string) string {
		s, err := WritePaper(out, runs...)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, f := range s.Files {
			data, err := os.ReadFile(filepath.Join(out, f))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s %x\n", f, sha256.Sum256(data))
		}
		return b.String()
	}
	out := filepath.Join(t.TempDir(), "paper")
	first := sum(out)
	if second := sum(out); second != first {
		t.Errorf("another time:\n%swas\n%s", second, first)
	}
	if *pictures != "" {
		if err := os.CopyFS(filepath.Join(*pictures, "paper"), os.DirFS(out)); err != nil {
			t.Fatal(err)
		}
	}
	pdf, err := os.ReadFile(filepath.Join(out, "paper.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) || bytes.Count(pdf, []byte("(D:20000101000000)")) != 2 {
		t.Error("no PDF, or one with a clock time")
	}
	if n := bytes.Count(pdf, []byte("/Type /FontDescriptor")); n != 1 {
		t.Errorf("%d fonts, want 1: the order of several is not fixed", n)
	}
	c, err := readPaper(runs)
	if err != nil {
		t.Fatal(err)
	}
	pages := c.pages(claimsTable(c))
	if n := bytes.Count(pdf, []byte("/Type /Page\n")); n != len(pages) || n < len(runs)+1 {
		t.Errorf("%d pages in the document, %d are laid out", n, len(pages))
	}
	for i, p := range pages {
		canvas := vgimg.NewWith(vgimg.UseWH(a4Width, a4Height), vgimg.UseDPI(60))
		p.draw(draw.NewCanvas(canvas, a4Width, a4Height))
		var b bytes.Buffer
		if err := png.Encode(&b, canvas.Image()); err != nil {
			t.Fatal(err)
		}
		if *pictures != "" {
			put(t, filepath.Join(*pictures, "paper", fmt.Sprintf("page-%d.png", i+1)), b.Bytes())
		}
	}
	if got := []string{c.runs[0].label, c.runs[1].label, c.runs[2].label}; !slices.Equal(got, []string{"medical", "social", "cuisines"}) {
		t.Errorf("labels %q", got)
	}
	if len(c.mean) != 2 {
		t.Errorf("the mean is of %d runs, want the two domains", len(c.mean))
	}
}

// outside collects what is drawn beyond the printable part of a page.
type outside struct {
	vg.Canvas
	width, height vg.Length
}

var (
	_ = errors.Is
	_ = domains.ErrData
)
