package reports

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"pepbench/bench/record"
	"pepbench/reports/stats"
)

// A claim is a number of the abstract of arXiv 2602.15012, or of ours that stands beside
// them and that it has none of.
type claim struct {
	id, name string
	paper    string  // as the abstract has it; empty: it has none
	lo, hi   float64 // the range of that, NaN: none
	none     float64 // what the number is where there is no effect, NaN: it has no such value
	format   string
	times    float64 // what the number is multiplied by where it is shown
	rl       bool    // takes the RL row
	optional bool    // shown only where some run has it
}

const claimsSource = "the abstract of arXiv 2602.15012"

// claims gives them in the order of the table.
func claims() []claim {
	nan := math.NaN()
	return []claim{
		{"alignment_gap", "Alignment, pep minus RL", "+12.3", 12.3, 12.3, 0, "%+.1f", 1, true, false},
		{"alignment_pep", "Alignment, pep", "80.8", 80.8, 80.8, nan, "%.1f", 1, false, false},
		{"alignment_rl", "Alignment, RL", "68.5", 68.5, 68.5, nan, "%.1f", 1, true, false},
		{"interactions_ratio", "Interactions, RL over pep", "3-5x", 3, 5, 1, "%.2f", 1, true, false},
		{"adaptivity_pep", "Adaptivity of pep (%)", "39-62", .39, .62, nan, "%.1f", 100, false, false},
		{"corrected_pep", "Adaptivity of pep, corrected (%)", "", nan, nan, nan, "%.1f", 100, false, true},
		{"counterfactual_pep", "Adaptivity of pep, counterfactual (%)", "", nan, nan, nan, "%.1f", 100, false, true},
		{"adaptivity_rl", "Adaptivity of RL (%)", "0-28", 0, .28, nan, "%.1f", 100, true, false},
		{"corrected_rl", "Adaptivity of RL, corrected (%)", "", nan, nan, nan, "%.1f", 100, true, true},
		{"counterfactual_rl", "Adaptivity of RL, counterfactual (%)", "", nan, nan, nan, "%.1f", 100, true, true},
		// About 8 billion to about 10 thousand: within a factor of two of that.
		{"parameter_ratio", "Parameters, RL over pep", "about 800,000x", 4e5, 16e5, 1, "", 1, true, false},
		{"held_mae_gap", "Value error, pep minus RL", "", nan, nan, 0, "%+.3f", 1, true, true},
		{"brier_gap", "Relevance error, pep minus RL", "", nan, nan, 0, "%+.4f", 1, true, true},
		{"level_error_gap", "Level error, pep minus RL", "", nan, nan, 0, "%+.3f", 1, true, true},
	}
}

// A claimValue is the number of one run, or of the mean over domains, that a claim is
// held against.
type claimValue struct {
	value, lo, hi Number
	open          bool // the interval has no upper end
	exact         bool // a count, which needs no interval
	clusters      int
	why           string    // there is no value, or no interval; empty: there are both
	samples       []float64 // resamples, drawn apart from those of other runs; nil: none
}

func noValue(format string, a ...any) claimValue {
	return claimValue{value: undefined(), lo: undefined(), hi: undefined(), why: fmt.Sprintf(format, a...)}
}

// Verdicts, in words. They compare an interval of ours with the range of the claim, and
// nothing with few clusters.
const (
	agrees   = "agrees"
	smaller  = "smaller"
	larger   = "larger"
	opposite = "opposite"
	noTell   = "cannot tell"
	noClaim  = "no claim"
)

// verdict holds a number against the claim: it agrees where the interval and the range of
// the claim have a number in common, unless no effect at all is in the interval, too, or
// the number itself is outside of a range, which a wide interval reaches into anyhow;
// else it is smaller, larger or, where all of the interval is on the other side of no
// effect, opposite. Without interval, or with one on fewer than six clusters, nothing can
// be told.
func (c *claim) verdict(v *claimValue) string {
	lo, hi := float64(v.lo), float64(v.hi)
	if v.exact {
		lo, hi = float64(v.value), float64(v.value)
	}
	if v.open {
		hi = math.Inf(1)
	}
	switch {
	case math.IsNaN(c.lo):
		return noClaim
	case !v.value.Defined(), math.IsNaN(lo), math.IsNaN(hi), !v.exact && v.clusters < fewClusters:
		return noTell
	case lo <= c.hi && c.lo <= hi:
		at := float64(v.value)
		if lo <= c.none && c.none <= hi || c.lo < c.hi && (at < c.lo || at > c.hi) {
			return noTell
		}
		return agrees
	case hi < c.none:
		return opposite
	case hi < c.lo:
		return smaller
	}
	return larger
}

// cell shows a value of the claim.
func (c *claim) cell(g *grid, v *claimValue, remark string) cell {
	if !v.value.Defined() {
		return g.none("%s", v.why)
	}
	scale := func(n Number) Number { return n * Number(c.times) }
	out := cell{value: num(scale(v.value), c.format), interval: interval(scale(v.lo), scale(v.hi), c.format)}
	switch {
	case c.format == "":
		out.value, out.interval = big(float64(v.value)), ""
	case v.open:
		out.interval = fmt.Sprintf("[%s, open]", num(scale(v.lo), c.format))
	}
	var says []string
	for _, s := range []string{v.why, remark} {
		if s != "" {
			says = append(says, s)
		}
	}
	if says != nil {
		out.note = g.note("%s", strings.Join(says, "; "))
	}
	return out
}

// big writes a ratio that may be large: 0.42, 31.4, 812, 812,345.
func big(v float64) string {
	switch {
	case v < 10:
		return num(Number(v), "%.2f")
	case v < 100:
		return num(Number(v), "%.1f")
	}
	return thousands(int64(math.Round(v)))
}

// thousands sets commas: 812,345.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// A rivalry is the two rows of a run that the claims are about.
type rivalry struct {
	pep, rl *strategy
	noPep   string // why there is none
	noRL    string
}

// rivalry finds them. The row of pep is
//
//	what want names, a row or a base, if that is of kind pep; else
//	a row of kind pep that predicts as report.target_of does, or else report.reference;
//	else one that predicts from a population; else any;
//
// of several the one whose base is called pep, or else the first. The row of RL predicts
// as that and is a replay, in mode trajectory, of a strategy of kind rl; else of kind rl;
// else a replay, in mode trajectory, of a log from elsewhere; of several the first. A
// replay in mode policy is none.
func (c *computer) rivalry(want string) (out rivalry) {
	if r := c.out.rowOf(want); r != nil && r.Kind == kindPep {
		out.pep = c.named(r.Name)
	}
	predict := ""
	for _, name := range []string{c.Manifest.Report.Reference, c.Manifest.Report.TargetOf} {
		if st := c.named(name); st != nil && !st.fixed() {
			predict = st.Predict
		}
	}
	first := func(is func(*strategy) bool) *strategy {
		i := slices.IndexFunc(c.strategies, is)
		if i < 0 {
			return nil
		}
		return c.strategies[i]
	}
	pep := func(st *strategy) bool { return st.Kind == kindPep }
	for _, is := range []func(*strategy) bool{
		func(st *strategy) bool { return st.Predict == predict && st.Base == kindPep },
		func(st *strategy) bool { return st.Predict == predict },
		func(st *strategy) bool { return st.Predict != "answers" && st.Base == kindPep },
		func(st *strategy) bool { return st.Predict != "answers" },
		func(*strategy) bool { return true },
	} {
		if out.pep == nil {
			out.pep = first(func(st *strategy) bool { return pep(st) && is(st) })
		}
	}
	if out.pep == nil {
		out.noPep = "the run has no strategy of kind pep"
		out.noRL = out.noPep
		return out
	}
	ofRL := func(base string) bool {
		return first(func(st *strategy) bool { return st.Base == base && st.Kind == kindRL }) != nil
	}
	replays := func(st *strategy) bool {
		return st.Kind == kindReplay && st.Policy != nil && st.Policy.Mode == record.ModeTrajectory
	}
	for _, is := range []func(*strategy) bool{
		func(st *strategy) bool { return replays(st) && ofRL(st.Policy.Of) },
		func(st *strategy) bool { return st.Kind == kindRL },
		func(st *strategy) bool { return replays(st) && st.Policy.Log != nil },
	} {
		if out.rl == nil {
			out.rl = first(func(st *strategy) bool { return st.Predict == out.pep.Predict && is(st) })
		}
	}
	if out.rl == nil {
		out.noRL = fmt.Sprintf("the run has no RL policy that predicts from %s: neither of kind rl, nor replayed in mode trajectory", out.pep.Predict)
	}
	return out
}

func (c *computer) named(name string) *strategy {
	i := slices.IndexFunc(c.strategies, func(st *strategy) bool { return st.Name == name })
	if i < 0 {
		return nil
	}
	return c.strategies[i]
}

// values gives the numbers of a run, by id of the claim.
func (c computer) values(v rivalry) map[string]claimValue {
	out := map[string]claimValue{}
	for _, k := range claims() {
		switch {
		case v.pep == nil:
			out[k.id] = noValue("%s", v.noPep)
		case k.rl && v.rl == nil:
			out[k.id] = noValue("%s", v.noRL)
		}
	}
	adapts := func(st *strategy, role string) {
		a := c.adaptivity(st)
		out["adaptivity_"+role] = ofTasks(a.Value, a.Lo, a.Hi, a.Tasks, a.samples, "no pair of sessions with equal dialogues but for the last answer")
		o := &a.Corrected
		out["corrected_"+role] = ofTasks(o.Value, o.Lo, o.Hi, o.Tasks, o.samples, "no pair of sessions with equal dialogues, the last answer included")
		f := &a.Counterfactual
		why := "after no question another answer was tried"
		if st.Kind == kindReplay {
			why = "a log does not say what another answer would have led to"
		}
		out["counterfactual_"+role] = ofTasks(f.Value, f.Lo, f.Hi, f.Tasks, f.samples, why)
	}
	if v.pep == nil {
		return out
	}
	adapts(v.pep, "pep")
	b := batch{computer: &c}
	own := b.add(v.pep, alignmentAt(v.pep.final))
	if v.rl == nil {
		b.draw()
		out["alignment_pep"] = b.claim(own, c.lacks(v.pep))
		return out
	}
	adapts(v.rl, "rl")
	other := b.add(v.rl, alignmentAt(v.rl.final))
	var gaps []int
	list := comparedMeasures(c.nominal)
	for _, m := range list {
		partial := m.place >= 0 && (v.pep.told() || v.rl.told())
		gaps = append(gaps, b.add(v.pep, func(s *session) float64 {
			o := v.rl.at[s.key]
			if o == nil || partial {
				return math.NaN()
			}
			return m.of(s, v.pep.final) - m.of(o, v.rl.final)
		}))
	}
	b.draw()
	out["alignment_pep"], out["alignment_rl"] = b.claim(own, c.lacks(v.pep)), b.claim(other, c.lacks(v.rl))
	for i, m := range list {
		if m.place == brier && c.out.allHeld() { // everybody is right about it, which is no 0 that anybody earned
			out[m.name+"_gap"] = noValue("%s", nothingToPredict)
			continue
		}
		why := "no session in which both have an alignment"
		if m.place >= 0 {
			why = "no session in which both predict the whole profile from a population"
		}
		out[m.name+"_gap"] = b.claimOf(b.difference(gaps[i]).Estimate, gaps[i], why)
	}
	for _, k := range []string{"level_error_gap", "held_mae_gap", "brier_gap"} {
		if _, ok := out[k]; !ok {
			out[k] = noValue("no criterion of that kind")
		}
	}

	// Whoever needs fewer questions is asked of the alignment that RL ends at.
	c.aim(v.rl)
	b = batch{computer: &c}
	align := b.alignments(v.pep)
	b.draw()
	q, samples := fewerQuestions(c.boot, v.pep.Name, b.crossing(v.pep.points, align), v.rl.Name, c.own)
	out["interactions_ratio"] = claimValue{q.Value, q.Lo, q.Hi, q.HiOpen, false, b.cols[align[v.pep.final]].defined, "", samples}
	if q.Withheld != "" {
		w := noValue("withheld: %s (never / at 0 in %s of the resamples for pep, in %s for RL)", q.Withheld, shareWords(q.Never, q.AtZero), shareWords(q.AgainstNever, q.AgainstAtZero))
		w.samples = samples // other draws may have a value
		out["interactions_ratio"] = w
	}

	out["parameter_ratio"] = parameters(v)
	return out
}

// nothingToPredict says why nothing is shown of P(held) where metrics.allHeld.
const nothingToPredict = "every user holds every criterion: of relevance there is nothing to predict"

// shareWords words the two shares of resamples that a ratio is withheld for.
func shareWords(never, zero Number) string {
	if !never.Defined() {
		return "unknown shares"
	}
	return num(100*never, "%.0f") + "% / " + num(100*zero, "%.0f") + "%"
}

// lacks says why a strategy has no alignment.
func (c *computer) lacks(st *strategy) string {
	for i := range c.out.Strategies {
		if r := &c.out.Strategies[i]; r.Name == st.Name {
			return unknownWhy(r)
		}
	}
	return "undefined"
}

func (b *batch) claim(col int, why string) claimValue { return b.claimOf(b.estimate(col), col, why) }

// claimOf is a claim about the estimate of a column.
func (b *batch) claimOf(e Estimate, col int, why string) claimValue {
	if !e.Value.Defined() {
		return noValue("%s", why)
	}
	v := claimValue{value: e.Value, lo: e.Lo, hi: e.Hi, clusters: e.Clusters, samples: b.samples[col]}
	if !e.Lo.Defined() {
		v.why = "no interval under two clusters"
	}
	return v
}

// ofTasks is a claim about a mean over tasks.
func ofTasks(value, lo, hi Number, tasks int, samples []float64, why string) claimValue {
	if !value.Defined() {
		return noValue("%s", why)
	}
	v := claimValue{value: value, lo: lo, hi: hi, clusters: tasks, samples: samples}
	if !lo.Defined() {
		v.why = "one task, so that there is no interval"
	}
	return v
}

// parameters gives the ratio of the parameters, which are counts.
func parameters(v rivalry) claimValue {
	n := v.rl.parameters()
	switch {
	case n == 0:
		return noValue("the parameters of the RL policy are not known")
	case v.pep.Params == 0:
		return noValue("the model of pep has no parameters")
	}
	return claimValue{value: Number(float64(n) / float64(v.pep.Params)), lo: undefined(), hi: undefined(), exact: true}
}

// parameters are those of the policy that asks, 0 where they are not known.
func (s *strategy) parameters() int64 {
	if s.Policy == nil {
		return 0
	}
	return s.Policy.Params
}

// A shownRun is a finished run of the report over several.
type shownRun struct {
	dir, label string
	manifest   *record.Manifest
	metrics    *Metrics
	values     map[string]claimValue
	pep, rl    *Row // nil: there is none
	sketches   []sketch
	tables     []*grid
	trainings  []*record.Training
}

// builtin reports whether the data are those that come with the program.
func (r *shownRun) builtin() bool {
	var c struct {
		Domain struct{ Kind string }
	}
	return json.Unmarshal(r.manifest.Config, &c) == nil && c.Domain.Kind == "builtin"
}

func (r *shownRun) survey() bool { return r.metrics.Cluster == "user" }

// ofProfiles reports whether no language model, nor a simulator of one, graded.
func (r *shownRun) ofProfiles() bool {
	return r.survey() || strings.HasPrefix(r.metrics.Judge, "profile") || strings.HasPrefix(r.metrics.Judge, "judge/profile")
}

// undertrained says that the policy of the RL row does not reach the best fixed order, or
// nothing.
func (r *shownRun) undertrained() string {
	if r.rl == nil {
		return ""
	}
	return r.metrics.undertrained(r.rl)
}

// trained gives the policy of the RL row: of a replay that of the strategy whose log it is.
func (r *shownRun) trained() *record.Policy {
	if r.rl == nil {
		return nil
	}
	if o := r.metrics.replayedRow(r.rl); o != nil && o.Policy != nil {
		return o.Policy
	}
	return r.rl.Policy
}

// stratum seeds the resamples of the i-th run, which the mean over domains takes: equal
// seeds would draw the same places of every domain.
func stratum(seed int, i int) uint64 { return uint64(seed) + 0x9e3779b97f4a7c15*uint64(i+1) }

// readShownRun reads a finished run and makes what the report shows of it.
func readShownRun(dir, want string, at int) (*shownRun, error) {
	m, err := finished(dir)
	if err != nil {
		return nil, err
	}
	run, err := Load(dir)
	if err != nil {
		return nil, err
	}
	c := compute(run)
	if what := c.unfinished(m); what != "" {
		return nil, unfinishedError(dir, what)
	}
	out := &shownRun{dir: dir, manifest: &run.Manifest, metrics: c.out}
	v := c.rivalry(want)
	for _, of := range []struct {
		st *strategy
		r  **Row
	}{{v.pep, &out.pep}, {v.rl, &out.rl}} {
		if of.st != nil {
			*of.r = &c.out.Strategies[slices.Index(c.strategies, of.st)]
		}
	}
	out.values = c.values(v)
	apart := *c
	apart.boot.Seed = stratum(c.Manifest.Report.Seed, at)
	for id, drawn := range apart.values(v) {
		own := out.values[id]
		own.samples = drawn.samples
		out.values[id] = own
	}
	if out.trainings, err = readTrainings(filepath.Join(dir, trainingsFolder)); err != nil {
		return nil, err
	}
	out.sketches = sketches(c.out)
	if len(out.trainings) > 0 {
		for _, f := range learningFigures(out.trainings) {
			out.sketches = append(out.sketches, f.draw(newPen()))
		}
	}
	out.tables = []*grid{mainTable(c.out).paper(), adaptivityTable(c.out).paper(), policiesTable(c.out).paper()}
	return out, nil
}

// meanRuns gives the runs that the mean over domains is of, or why there is none: built-in
// domains, each once, run alike.
func meanRuns(runs []*shownRun) (of []*shownRun, why string) {
	for _, r := range runs {
		if r.builtin() && !r.survey() {
			of = append(of, r)
		}
	}
	if len(of) < 2 {
		return nil, ""
	}
	a := of[0].metrics
	for i, r := range of[1:] {
		m := r.metrics
		for _, o := range of[:i+1] {
			if o.metrics.Data.Name == m.Data.Name {
				return nil, fmt.Sprintf("No mean over domains: %s is there twice.", m.Data.Name)
			}
		}
		for _, d := range []struct {
			what string
			same bool
		}{
			{"budget", m.Budget == a.Budget},
			{"horizon", m.Horizon == a.Horizon},
			{"checkpoints", slices.Equal(m.Checkpoints, a.Checkpoints)},
			{"seeds", slices.Equal(m.Seeds, a.Seeds)},
			{"solver", m.Solver == a.Solver},
			{"judge", m.Judge == a.Judge},
			{"users", m.UserModel == a.UserModel},
			{"simulated roles", slices.Equal(m.SimulatedRoles, a.SimulatedRoles)},
			{"confidence of the intervals", m.Confidence == a.Confidence},
			{"number of resamples", m.Resamples == a.Resamples},
			{"row of pep", (r.pep == nil) == (of[0].pep == nil) && (r.pep == nil || r.pep.Name == of[0].pep.Name)},
			{"row of RL", (r.rl == nil) == (of[0].rl == nil) && (r.rl == nil || r.rl.Name == of[0].rl.Name)},
		} {
			if !d.same {
				return nil, fmt.Sprintf("No mean over domains: %s and %s differ in the %s.", of[0].label, r.label, d.what)
			}
		}
	}
	return of, ""
}

// mean is the mean of the values of the runs, which have one confidence and one number of
// resamples. Its interval takes the r-th resample of every run, drawn independently, and
// of these the mean: a bootstrap stratified by domain.
func mean(of []*shownRun, k *claim) claimValue {
	out := claimValue{lo: undefined(), hi: undefined(), exact: true}
	var samples []float64
	whole := true
	for i, r := range of {
		v := r.values[k.id]
		if !v.value.Defined() {
			return noValue("has no value in %s", r.label)
		}
		out.value += v.value / Number(len(of))
		out.exact = out.exact && v.exact
		if i == 0 || v.clusters < out.clusters {
			out.clusters = v.clusters
		}
		whole = whole && v.samples != nil
		if !whole {
			continue
		}
		if i == 0 {
			samples = make([]float64, len(v.samples))
		}
		for j, x := range v.samples {
			samples[j] += x / float64(len(of))
		}
	}
	switch {
	case out.exact:
	case whole:
		iv := stats.Bootstrap{Confidence: of[0].metrics.Confidence}.Interval(samples)
		out.lo, out.hi, out.open, out.samples = Number(iv.Lo), Number(iv.Hi), math.IsInf(iv.Hi, 1), samples
	default:
		out.why = "mean of domains of which some have no resamples: no interval"
	}
	return out
}
