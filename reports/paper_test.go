package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
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

// reported writes the run and, of its report, the metrics.
func reported(t testing.TB, y synth) string {
	t.Helper()
	dir := y.write(t)
	b, err := Compute(load(t, dir)).JSON()
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, record.MetricsFile), b)
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

// TestPaperReport writes the report of three runs, twice, compares the claims with testdata,
// and with -pictures draws every page.
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
	for _, ext := range []string{"md", "csv", "tex"} {
		b, err := os.ReadFile(filepath.Join(out, "tables", "claims."+ext))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", "claims", "claims."+ext), string(b))
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
	text := strings.Join(strings.Fields(c.terminal(claimsTable(c), 120)), " ")
	for _, want := range []string{"RL is replay+belief", "RL policy, the paper's has about 8 billion parameters: two-layer network", "RL policy: undertrained: "} {
		if !strings.Contains(text, want) {
			t.Errorf("the terminal does not say %q: %s", want, text)
		}
	}
	pages := c.pages(claimsTable(c))
	if n := bytes.Count(pdf, []byte("/Type /Page\n")); n != len(pages) || n < len(runs)+1 {
		t.Errorf("%d pages in the document, %d are laid out", n, len(pages))
	}
	if *pictures != "" {
		for i, p := range pages {
			canvas := vgimg.NewWith(vgimg.UseWH(a4Width, a4Height), vgimg.UseDPI(60))
			p.draw(draw.NewCanvas(canvas, a4Width, a4Height))
			var b bytes.Buffer
			if err := png.Encode(&b, canvas.Image()); err != nil {
				t.Fatal(err)
			}
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

// TestVerdict holds intervals against claims.
func TestVerdict(t *testing.T) {
	by := map[string]*claim{}
	for _, k := range claims() {
		by[k.id] = &k
	}
	for _, row := range []struct {
		reason string
		of     string
		value  claimValue
		want   string
	}{
		{"the interval has the claim", "alignment_gap", claimValue{value: 11, lo: 8, hi: 13, clusters: 16}, agrees},
		{"below it, above no effect", "alignment_gap", claimValue{value: 5, lo: 2, hi: 8, clusters: 16}, smaller},
		{"below it, and with no effect", "alignment_gap", claimValue{value: 1, lo: -2, hi: 4, clusters: 16}, smaller},
		{"both the claim and no effect", "alignment_gap", claimValue{value: 7, lo: -1, hi: 15, clusters: 16}, noTell},
		{"on the other side of no effect", "alignment_gap", claimValue{value: -3, lo: -5, hi: -1, clusters: 16}, opposite},
		{"above it", "alignment_gap", claimValue{value: 20, lo: 15, hi: 25, clusters: 16}, larger},
		{"five clusters tell nothing", "alignment_gap", claimValue{value: 12, lo: 11, hi: 13, clusters: 5}, noTell},
		{"without interval nothing is told", "alignment_gap", claimValue{value: 12, lo: undefined(), hi: undefined(), clusters: 16}, noTell},
		{"without a value neither", "alignment_gap", noValue("none"), noTell},
		{"in the range, which the interval leaves", "interactions_ratio", claimValue{value: 3.5, lo: 2, hi: 6, clusters: 16}, agrees},
		{"the end of the range", "interactions_ratio", claimValue{value: 3, lo: 2, hi: 4, clusters: 16}, agrees},
		{"outside of the range, which the interval reaches into", "adaptivity_rl", claimValue{value: .356, lo: .239, hi: .493, clusters: 16}, noTell},
		{"an open interval over the range", "interactions_ratio", claimValue{value: 3.5, lo: 2, hi: undefined(), open: true, clusters: 16}, agrees},
		{"an open interval over the range, from below", "interactions_ratio", claimValue{value: 2.5, lo: 2, hi: undefined(), open: true, clusters: 16}, noTell},
		{"an open interval beyond the range", "interactions_ratio", claimValue{value: 9, lo: 6, hi: undefined(), open: true, clusters: 16}, larger},
		{"more questions, not fewer", "interactions_ratio", claimValue{value: .5, lo: .3, hi: .9, clusters: 16}, opposite},
		{"a range that begins at 0", "adaptivity_rl", claimValue{value: 0, lo: 0, hi: 0, clusters: 16}, agrees},
		{"shares have no side of no effect", "adaptivity_pep", claimValue{value: .1, lo: 0, hi: .2, clusters: 16}, smaller},
		{"a count needs no interval", "parameter_ratio", claimValue{value: 12, lo: undefined(), hi: undefined(), exact: true}, smaller},
		{"within a factor of two", "parameter_ratio", claimValue{value: 1e6, lo: undefined(), hi: undefined(), exact: true}, agrees},
		{"the larger model asks by pep", "parameter_ratio", claimValue{value: .5, lo: undefined(), hi: undefined(), exact: true}, opposite},
		{"the paper says nothing", "held_mae_gap", claimValue{value: 1, lo: 0, hi: 2, clusters: 16}, noClaim},
	} {
		if got := by[row.of].verdict(&row.value); got != row.want {
			t.Errorf("%s: %q, want %q", row.reason, got, row.want)
		}
	}
}

// TestRivalry: the rule by which the rows of a run are found.
func TestRivalry(t *testing.T) {
	trajectory := &record.Policy{Mode: record.ModeTrajectory, Of: "rl"}
	live, inMode, fromFile := &record.Policy{}, &record.Policy{Mode: record.ModePolicy, Of: "rl"}, &record.Policy{Mode: record.ModeTrajectory, Log: &domains.Source{}}
	row := func(name, kind string, p *record.Policy) record.Strategy {
		base, predict, _ := strings.Cut(name, "+")
		return record.Strategy{Name: name, Base: base, Kind: kind, Predict: predict, Policy: p}
	}
	all := []record.Strategy{
		row("static+a", "static", nil), row("static+b", "static", nil),
		row("pep2+b", kindPep, nil), row("pep+answers", kindPep, nil), row("pep+a", kindPep, nil), row("pep+b", kindPep, nil),
		row("theirs+b", kindReplay, fromFile), row("rl+answers", kindRL, live), row("rl+b", kindRL, live),
		row("others+b", kindReplay, inMode), row("replay+b", kindReplay, trajectory), row("replay+answers", kindReplay, trajectory),
	}
	without := func(names ...string) (out []record.Strategy) {
		for _, s := range all {
			if !slices.Contains(names, s.Name) {
				out = append(out, s)
			}
		}
		return out
	}
	for _, test := range []struct {
		reason                  string
		rows                    []record.Strategy
		want, target, reference string
		pep, rl                 string
	}{
		{"predicts as the target does; the replay of a trajectory comes first", all, "", "static+b", "static+a", "pep+b", "replay+b"},
		{"else as the reference", all, "", "none", "static+b", "pep+b", "replay+b"},
		{"the row of the sweep", all, "pep2+b", "static+a", "", "pep2+b", "replay+b"},
		{"the base of the sweep's row", all, "pep2", "static+a", "", "pep2+b", "replay+b"},
		{"a sweep about something else", all, "static+a", "static+b", "", "pep+b", "replay+b"},
		{"without target and reference from a population", all, "", "", "", "pep+a", ""},
		{"no policy predicts as it", all, "", "static+a", "", "pep+a", ""},
		{"live, where there is no replay", without("replay+b"), "", "static+b", "", "pep+b", "rl+b"},
		{"a log from elsewhere last", without("replay+b", "rl+b"), "", "static+b", "", "pep+b", "theirs+b"},
		{"a replay in mode policy is none", without("replay+b", "rl+b", "theirs+b"), "", "static+b", "", "pep+b", ""},
		{"a replay of something that is not trained is none", without("rl+b", "rl+answers", "theirs+b"), "", "static+b", "", "pep+b", ""},
		{"any pep in the end", without("pep+a", "pep+b", "pep2+b"), "", "static+b", "", "pep+answers", "replay+answers"},
		{"no pep", all[:2], "", "static+b", "", "", ""},
	} {
		r := &Run{}
		c := &computer{Run: r, out: &Metrics{}}
		r.Manifest.Report.TargetOf, r.Manifest.Report.Reference = test.target, test.reference
		for _, s := range test.rows {
			r.strategies = append(r.strategies, &strategy{Strategy: s})
			c.out.Strategies = append(c.out.Strategies, Row{Strategy: s})
		}
		v := c.rivalry(test.want)
		name := func(s *strategy) string {
			if s == nil {
				return ""
			}
			return s.Name
		}
		if name(v.pep) != test.pep || name(v.rl) != test.rl || (v.pep == nil) != (v.noPep != "") || (v.rl == nil) != (v.noRL != "") {
			t.Errorf("%s: pep %q, RL %q (%q, %q), want %q and %q", test.reason, name(v.pep), name(v.rl), v.noPep, v.noRL, test.pep, test.rl)
		}
	}
}

// TestClaimValues: the numbers of the table are those of the run's own report, and the
// mean over domains is the mean of theirs, with the interval of the mean of resamples
// that are drawn of each domain by itself.
func TestClaimValues(t *testing.T) {
	against := func(m *record.Manifest, _ *[]record.Session) { m.Report.Against = []string{"replay"} }
	y := synth{tasks: 8, users: 5, seeds: 2, criteria: 9, budget: 4, simulated: true, change: ofDomain("medical", learned, against)}
	dirs := []string{reported(t, y)}
	y.users, y.change = 4, ofDomain("social", learned, against)
	dirs = append(dirs, reported(t, y))
	c, err := readPaper(dirs)
	if err != nil {
		t.Fatal(err)
	}
	var gaps, tasks [][]float64
	for _, r := range c.runs {
		m := r.metrics
		cmp := find(slices.DeleteFunc(m.of("pep+belief"), func(c Comparison) bool { return c.Against != "replay+belief" }), "alignment", m.Final)
		if v := r.values["alignment_gap"]; cmp == nil || v.value != cmp.Value || v.lo != cmp.Lo || v.hi != cmp.Hi {
			t.Errorf("%s: gap %+v, the run's own %+v", r.label, v, cmp)
		}
		row := m.row(t, "pep+belief")
		if v := r.values["interactions_ratio"]; (v.why == "") != (row.Ratio.Withheld == "") || v.why == "" && (v.value != row.Ratio.Value || v.lo != row.Ratio.Lo || v.hi != row.Ratio.Hi) {
			t.Errorf("%s: ratio %+v, the run's own %+v", r.label, v, row.Ratio)
		}
		if v, own := r.values["adaptivity_pep"], row.Adaptivity; v.value != own.Value || v.lo != own.Lo || v.hi != own.Hi {
			t.Errorf("%s: adaptivity %+v, the run's own %+v", r.label, v, own)
		}
		if v := r.values["parameter_ratio"]; float64(v.value) != 4321./40 {
			t.Errorf("%s: parameter ratio %v", r.label, v.value)
		}
		gaps = append(gaps, r.values["alignment_gap"].samples)
		// Of every task the difference, to draw it anew.
		run := compute(load(t, r.dir))
		pep, rl := run.named("pep+belief"), run.named("replay+belief")
		b := batch{computer: run}
		b.add(pep, func(s *session) float64 { return s.align[pep.final] - rl.at[s.key].align[rl.final] })
		tasks = append(tasks, b.cols[0].clusters)
	}
	if slices.Equal(gaps[0], gaps[1]) {
		t.Error("both domains have the same resamples")
	}
	var k *claim
	for i := range c.claims {
		if c.claims[i].id == "alignment_gap" {
			k = &c.claims[i]
		}
	}
	m := mean(c.mean, k)
	want := 0.
	for _, x := range tasks {
		sum := 0.
		for _, v := range x {
			sum += v
		}
		want += sum / float64(len(x)) / 2
	}
	if !near(float64(m.value), want) {
		t.Errorf("mean %v, want %v", m.value, want)
	}
	const resamples = 200
	var samples []float64
	for r := range resamples {
		sum := 0.
		for i, x := range tasks {
			rng := rand.New(rand.NewPCG(stratum(7, i), uint64(r)))
			for range x {
				sum += x[rng.IntN(len(x))] / float64(len(x)) / 2
			}
		}
		samples = append(samples, sum)
	}
	slices.Sort(samples)
	if lo, hi := samples[4], samples[resamples-5]; !near(float64(m.lo), lo) || !near(float64(m.hi), hi) { // floor(201 x .025) = 5
		t.Errorf("interval [%v, %v], want [%v, %v]", m.lo, m.hi, lo, hi)
	}
	if m.clusters != 8 || k.verdict(&m) == noTell {
		t.Errorf("%d clusters, verdict %q", m.clusters, k.verdict(&m))
	}
}

// TestClaimsAllHeld: where everybody holds everything the claims have a dash and its reason
// in place of a relevance error of 0, and so has the mean; where it is so in every run the
// line is left out.
func TestClaimsAllHeld(t *testing.T) {
	everything := func(_ *record.Manifest, all *[]record.Session) {
		for i := range *all {
			for j, c := range (*all)[i].Truth.Cells {
				if c.IsNotHeld() {
					(*all)[i].Truth.Cells[j] = domains.At(3)
				}
			}
		}
	}
	run := func(name string, and ...func(*record.Manifest, *[]record.Session)) string {
		y := synth{tasks: 2, users: 2, seeds: 1, criteria: 5, budget: 1, change: ofDomain(name, append(and, learned)...)}
		return reported(t, y)
	}
	some, all := run("medical"), run("social", everything)
	for _, row := range []struct {
		reason string
		runs   []string
		want   []bool // of every run, then of the mean; nil: the line is left out
	}{
		{"some criteria are not held", []string{some}, []bool{true}},
		{"in one of two everything is held, so that the mean has none", []string{some, all}, []bool{true, false, false}},
		{"in the only one everything is held", []string{all}, nil},
	} {
		c, err := readPaper(row.runs)
		if err != nil {
			t.Fatal(err)
		}
		g := claimsTable(c)
		var got []bool
		for _, cells := range g.groups[0] {
			if cells[0].value != "Relevance error, pep minus RL" {
				continue
			}
			for i, cell := range cells[2 : len(cells)-2] {
				got = append(got, cell.value != dash)
				if i == 1 && (cell.note == 0 || !strings.Contains(g.notes[cell.note-1], "every user holds every criterion")) {
					t.Errorf("%s: %+v does not say why", row.reason, cell)
				}
			}
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", row.reason, got, row.want)
		}
	}
}

// TestNoMean: runs that differ in more than their domain have no mean.
func TestNoMean(t *testing.T) {
	run := func(name, judge string, resamples int) *shownRun {
		r := &shownRun{label: name, manifest: &record.Manifest{Config: json.RawMessage(`{"domain":{"kind":"builtin"}}`)}, metrics: &Metrics{Cluster: "task", Judge: judge, Resamples: resamples}}
		r.metrics.Data.Name = name
		return r
	}
	elsewhere := run("file", "a", 9)
	elsewhere.manifest.Config = json.RawMessage(`{"domain":{"kind":"file"}}`)
	survey := run("survey", "a", 9)
	survey.metrics.Cluster = "user"
	other := func(change func(*Metrics)) []*shownRun {
		r := run("y", "a", 9)
		change(r.metrics)
		return []*shownRun{run("x", "a", 9), r}
	}
	for _, row := range []struct {
		reason string
		runs   []*shownRun
		n      int
		why    string
	}{
		{"two domains, and what is none", []*shownRun{run("x", "a", 9), elsewhere, survey, run("y", "a", 9)}, 2, ""},
		{"one domain", []*shownRun{run("x", "a", 9), elsewhere}, 0, ""},
		{"a domain twice", []*shownRun{run("x", "a", 9), run("x", "a", 9)}, 0, "No mean over domains: x is there twice."},
		{"another judge", []*shownRun{run("x", "a", 9), run("y", "b", 9)}, 0, "No mean over domains: x and y differ in the judge."},
		{"more seeds", other(func(m *Metrics) { m.Seeds = []int{1, 2} }), 0, "No mean over domains: x and y differ in the seeds."},
		{"the target is looked for further", other(func(m *Metrics) { m.Horizon = 20 }), 0, "No mean over domains: x and y differ in the horizon."},
		{"another curve", other(func(m *Metrics) { m.Checkpoints = []int{5} }), 0, "No mean over domains: x and y differ in the checkpoints."},
		{"fewer resamples", []*shownRun{run("x", "a", 9), run("y", "a", 8)}, 0, "No mean over domains: x and y differ in the number of resamples."},
	} {
		if of, why := meanRuns(row.runs); len(of) != row.n || why != row.why {
			t.Errorf("%s: of %d runs, %q", row.reason, len(of), why)
		}
	}
	// A domain without a value leaves none for the mean.
	a, b := run("x", "a", 9), run("y", "a", 9)
	k := claims()[0]
	a.values = map[string]claimValue{k.id: {value: 3, lo: 1, hi: 5, clusters: 9, samples: []float64{3}}}
	b.values = map[string]claimValue{k.id: noValue("withheld")}
	if m := mean([]*shownRun{a, b}, &k); m.value.Defined() || m.why != "has no value in y" {
		t.Errorf("mean %+v", m)
	}
}

// TestPaperErrors: what cannot be reported is refused, and nothing is written.
func TestPaperErrors(t *testing.T) {
	y := synth{tasks: 2, users: 2, seeds: 1, criteria: 6, budget: 2}
	whole := reported(t, y)
	change := func(f func(dir string)) string {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		f(dir)
		return dir
	}
	edit := func(name, old, with string) func(string) {
		return func(dir string) {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || !bytes.Contains(b, []byte(old)) {
				t.Fatalf("%v, or no %q", err, old)
			}
			put(t, filepath.Join(dir, name), bytes.Replace(b, []byte(old), []byte(with), 1))
		}
	}
	for _, row := range []struct {
		reason string
		from   []string
		want   string
	}{
		{"no folder", []string{filepath.Join(whole, "nothing")}, "holds neither a run nor a sweep"},
		{"no run in it", []string{t.TempDir()}, "holds neither a run nor a sweep"},
		{"not reported", []string{change(func(dir string) { os.Remove(filepath.Join(dir, record.MetricsFile)) })}, "the run is not reported"},
		{"metrics of another version", []string{change(edit(record.MetricsFile, `"schema": 1`, `"schema": 9`))}, "metrics.json has schema 9, this program reads schema 1"},
		{"metrics of another configuration", []string{change(edit(record.MetricsFile, "abab", "cdcd"))}, "metrics.json is of another configuration than manifest.json"},
		{"fewer sessions than planned", []string{change(func(dir string) {
			name := filepath.Join(dir, record.SessionsFile)
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			put(t, name, b[bytes.IndexByte(b, '\n')+1:])
		})}, "the run is not finished: 39 of 40 sessions are there"},
		{"a training that cannot be read", []string{change(func(dir string) {
			if err := os.Mkdir(filepath.Join(dir, trainingsFolder), 0o755); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(dir, trainingsFolder, "rl-1.json"), []byte("{"))
		})}, "not a training"},
		{"the same run twice", []string{whole, whole + "/."}, "the same run twice"},
		{"nothing", nil, "no run to report"},
	} {
		out := filepath.Join(t.TempDir(), "out")
		_, err := WritePaper(out, row.from...)
		var bad *domains.DataError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.reason, err, row.want)
		}
		if exists(out, ".") {
			t.Errorf("%s: something is written", row.reason)
		}
	}
}

// TestLabels: runs are told apart.
func TestLabels(t *testing.T) {
	run := func(data, name string) *shownRun {
		r := &shownRun{metrics: &Metrics{Name: name}}
		r.metrics.Data.Name = data
		return r
	}
	runs := []*shownRun{run("x", "a"), run("y", "b"), run("y", "c"), run("z", "d"), run("z", "d"), run("", "e")}
	label(runs, []paperSource{{}, {cell: "big"}, {}, {}, {}, {}})
	var got []string
	for _, r := range runs {
		got = append(got, r.label)
	}
	if want := []string{"x", "y (big)", "y (c)", "z (d) #4", "z (d) #5", "e"}; !slices.Equal(got, want) {
		t.Errorf("labels %q, want %q", got, want)
	}
}

// TestPageLayout: whatever strategies and columns are called and however many there are,
// what is written on a page is on it, and no two texts overlap.
func TestPageLayout(t *testing.T) {
	runs := []string{
		reported(t, synth{tasks: 6, users: 3, seeds: 1, criteria: 9, budget: 3, long: true, simulated: true, change: ofDomain("a-domain-with-quite-a-long-name")}),
		reported(t, synth{tasks: 6, users: 3, seeds: 1, criteria: 9, budget: 3, change: ofDomain("b", learned)}),
	}
	for i := range 8 {
		runs = append(runs, reported(t, synth{tasks: 2, users: 2, seeds: 1, criteria: 6, budget: 1, change: ofDomain(fmt.Sprintf("domain-%d", i))}))
	}
	c, err := readPaper(runs)
	if err != nil {
		t.Fatal(err)
	}
	many := &grid{name: "many", caption: "A table that is longer than a page.", head: []string{"Strategy", "Predicts from", "Number"}}
	for i := range 150 {
		many.groups = append(many.groups, [][]cell{{{value: fmt.Sprint("strategy-", i)}, {value: "x"}, {value: "1.0", interval: "[0.5, 1.5]", note: many.note("note %d", i%3)}}})
	}
	c.runs[0].tables = append(c.runs[0].tables, many)
	for line := range strings.Lines(c.terminal(claimsTable(c), 100)) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	pages := c.pages(claimsTable(c))
	type box struct {
		vg.Rectangle
		text string
	}
	texts, fonts := 0, newPen().fonts
	for i, p := range pages {
		var rec recorder.Canvas
		p.draw(draw.NewCanvas(&rec, a4Width, a4Height))
		var boxes []box
		depth := 0
		for _, a := range rec.Actions {
			switch a := a.(type) {
			case *recorder.Push:
				depth++
			case *recorder.Pop:
				depth--
			case *recorder.FillString:
				if depth > 0 {
					continue // of a figure, which has a box of its own
				}
				f := font.Font{Typeface: a.Font.Typeface, Variant: a.Font.Variant, Size: a.Size}
				face := fonts.Lookup(f, a.Size)
				w := face.Width(a.String)
				boxes = append(boxes, box{vg.Rectangle{Min: a.Point, Max: vg.Point{X: a.Point.X + w, Y: a.Point.Y + a.Size*.7}}, a.String})
			}
		}
		for j, b := range boxes {
			texts++
			if b.Min.X < pageSide-.5 || b.Max.X > pageSide+pageWidth+.5 || b.Min.Y < pageBottom/2-4 || b.Max.Y > a4Height-pageTop+1 {
				t.Errorf("page %d: %q is off the page: %v", i+1, b.text, b.Rectangle)
			}
			for _, o := range boxes[:j] {
				if min(b.Max.X, o.Max.X)-max(b.Min.X, o.Min.X) > .3 && min(b.Max.Y, o.Max.Y)-max(b.Min.Y, o.Min.Y) > .3 {
					t.Errorf("page %d: %q %v and %q %v overlap", i+1, b.text, b.Rectangle, o.text, o.Rectangle)
				}
			}
		}
	}
	if texts < 1500 {
		t.Errorf("%d texts on %d pages: that is not all", texts, len(pages))
	}
	if *pictures != "" {
		pdf, err := pagesPDF(pages)
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(*pictures, "layout.pdf"), pdf)
	}
}

// TestPaperDocumented: the package comment names the claims, the columns of both CSV files,
// and the words of the verdict.
func TestPaperDocumented(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.FieldsFunc(f.Doc.Text(), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_')
	})
	want := slices.Concat([]string{"claims", "learning", "curve", agrees, smaller, larger, opposite}, claimsCSV(&claimsReport{})[0], curveCSV(nil)[0])
	for _, k := range claims() {
		if !k.optional || strings.HasSuffix(k.id, "_gap") {
			want = append(want, k.id)
		}
	}
	for _, w := range want {
		if !slices.Contains(words, w) {
			t.Errorf("%q is not documented", w)
		}
	}
}

// TestWideWords: LaTeX gives words of several runs room, so that no name of a run hangs
// over into the next column.
func TestWideWords(t *testing.T) {
	for _, row := range []struct{ reason, words, want string }{
		{"one word", "smaller", `\parbox[t]{2.2cm}`},
		{"names of several runs", "smaller: mean, medical, social; opposite: food_world_cup, polis_bowling_green", `\parbox[t]{4cm}`},
	} {
		g := &grid{name: "x", head: []string{"A", "B", "C"}, left: []string{"C"}, groups: [][][]cell{{{{value: "a"}, {value: "b"}, {value: row.words}}}}}
		if got := string(g.latex()); !strings.Contains(got, row.want) {
			t.Errorf("%s: no %s in\n%s", row.reason, row.want, got)
		}
	}
}
