package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A claimsReport is several runs beside the claims of the paper.
type claimsReport struct {
	runs   []*shownRun
	mean   []*shownRun // those that the mean over domains is of; nil: there is none
	noMean string
	claims []claim // those that are shown
	blank  []string
}

// newClaims picks what is shown: an optional number where some run has it.
func newClaims(runs []*shownRun) *claimsReport {
	c := &claimsReport{runs: runs}
	c.mean, c.noMean = meanRuns(runs)
	for _, k := range claims() {
		if !k.optional || slices.ContainsFunc(runs, func(r *shownRun) bool { return r.values[k.id].value.Defined() }) {
			c.claims = append(c.claims, k)
		}
	}
	return c
}

// remark says what to know about a number that the RL row takes part in: that its policy
// is undertrained, or its log did not know every decision.
func (r *shownRun) remark(k *claim) string {
	if !k.rl || k.id == "parameter_ratio" || r.rl == nil {
		return ""
	}
	var says []string
	if o := r.rl.OffLog; o != nil && (o.History > 0 || o.Task > 0) {
		says = append(says, r.rl.replay())
	}
	if w := r.undertrained(); w != "" {
		says = append(says, w)
	}
	return strings.Join(says, "; ")
}

// meanRemark is remark for the mean.
func (c *claimsReport) meanRemark(k *claim) string {
	var says []string
	for _, r := range c.mean {
		if s := r.remark(k); s != "" {
			says = append(says, r.label+": "+s)
		}
	}
	return strings.Join(says, "; ")
}

// verdicts sums up what becomes of a claim: one word where it is one throughout, else
// which it is where.
func (c *claimsReport) verdicts(k *claim) string {
	var words []string
	where := map[string][]string{}
	add := func(label string, v claimValue) {
		w := k.verdict(&v)
		if where[w] == nil {
			words = append(words, w)
		}
		where[w] = append(where[w], label)
	}
	if c.mean != nil {
		add("mean", mean(c.mean, k))
	}
	for _, r := range c.runs {
		add(r.label, r.values[k.id])
	}
	if len(words) == 1 {
		return words[0]
	}
	for i, w := range words {
		words[i] = w + ": " + strings.Join(where[w], ", ")
	}
	return strings.Join(words, "; ")
}

const (
	claimHead   = "Claim"
	paperHead   = "Paper"
	meanHead    = "Mean of domains"
	verdictHead = "Verdict"
	whyHead     = "May differ since"
)

// claimsTable has one row a claim.
func claimsTable(c *claimsReport) *grid {
	g := &grid{name: "claims", head: []string{claimHead, paperHead}, texts: 2, left: []string{verdictHead, whyHead}, stacked: true}
	for _, r := range c.runs {
		g.head = append(g.head, r.label)
	}
	if c.mean != nil {
		g.head = append(g.head, meanHead)
	}
	g.head = append(g.head, verdictHead, whyHead)
	because := c.because()
	var rows [][]cell
	for i := range c.claims {
		k := &c.claims[i]
		row := []cell{{value: k.name}, {value: k.paper}}
		if k.paper == "" {
			row[1].value = "no claim"
		}
		for _, r := range c.runs {
			v := r.values[k.id]
			row = append(row, k.cell(g, &v, r.remark(k)))
		}
		if c.mean != nil {
			v := mean(c.mean, k)
			row = append(row, k.cell(g, &v, c.meanRemark(k)))
		}
		var letters []string
		for _, b := range because {
			if slices.Contains(b.claims, k.id) {
				letters = append(letters, letter(g.note("%s", b.text)))
			}
		}
		rows = append(rows, append(row, cell{value: c.verdicts(k)}, cell{value: strings.Join(letters, ", ")}))
	}
	g.groups = [][][]cell{rows}
	g.caption = c.caption()
	g.paperCaption = g.caption
	g.compact = g // cells name notes by letter, which must stay
	return g
}

func (c *claimsReport) caption() string {
	s := "Claims of " + claimsSource + " beside the runs of this report. What the paper has by domain, how it normalises alignment, and the intervals of its numbers are not known here. Alignment 0 to 100. "
	s += "Interactions: questions to the alignment that RL ends at, of RL divided by those of pep; withheld where either never gets there, or is there before the first question, in more than 5% of the resamples. "
	s += "Adaptivity: share of pairs of sessions with the same dialogue but for the last answer that go on differently. "
	confidence, over, resamples := []string{}, []string{}, []string{}
	differences := ""
	for _, r := range c.runs {
		m := r.metrics
		differences = cmp.Or(differences, byT(m))
		for _, of := range []struct {
			list *[]string
			s    string
		}{{&confidence, fmt.Sprintf("%g%%", 100*m.Confidence)}, {&over, resampledOver(m)}, {&resamples, strconv.Itoa(m.Resamples)}} {
			if !slices.Contains(*of.list, of.s) {
				*of.list = append(*of.list, of.s)
			}
		}
	}
	s += fmt.Sprintf("Brackets: %s percentile intervals, bootstrap over %s, %s resamples", series(confidence), series(over), series(resamples)) + differences
	if c.mean != nil {
		s += "; of the mean over domains, stratified by domain"
	}
	s += fmt.Sprintf(". Verdict: agrees where interval and claim overlap (about 800,000: within a factor of two) and the number is itself in the range, where the claim is one; cannot tell where it is not, and where there is no interval, one on fewer than %d clusters, or one that holds both the claim and no effect. ", fewClusters)
	s += c.rowsShown()
	if c.noMean != "" {
		s += " " + c.noMean
	}
	for _, b := range c.blank {
		s += " " + b
	}
	return s
}

// rowsShown says which rows the numbers are of, by run.
func (c *claimsReport) rowsShown() string {
	var what []string
	where := map[string][]string{}
	for _, r := range c.runs {
		name := func(row *Row) string {
			if row == nil {
				return "none"
			}
			return row.Name
		}
		s := fmt.Sprintf("pep is %s, RL is %s", name(r.pep), name(r.rl))
		if where[s] == nil {
			what = append(what, s)
		}
		where[s] = append(where[s], r.label)
	}
	if len(what) > 1 {
		for i, s := range what {
			what[i] = series(where[s]) + ": " + s
		}
	}
	return "Rows: " + strings.Join(what, "; ") + "."
}

// A reason is a fact of the runs by which claims may come out otherwise.
type reason struct {
	text   string
	claims []string
}

// because gives what, by the manifests and metrics of the runs, is another matter here
// than in the paper.
func (c *claimsReport) because() (out []reason) {
	graded := []string{"alignment_gap", "alignment_pep", "alignment_rl", "interactions_ratio"}
	adaptive := []string{"adaptivity_pep", "corrected_pep", "counterfactual_pep", "adaptivity_rl", "corrected_rl", "counterfactual_rl"}
	errs := []string{"held_mae_gap", "brier_gap", "level_error_gap"}
	measured := slices.Concat(graded, adaptive, errs)
	// by gives one reason: what words say of the runs, and of which; runs without words are
	// left out.
	by := func(what string, words func(*shownRun) string, claims []string) {
		var order []string
		where := map[string][]string{}
		for _, r := range c.runs {
			w := words(r)
			if w == "" {
				continue
			}
			if where[w] == nil {
				order = append(order, w)
			}
			where[w] = append(where[w], r.label)
		}
		for i, w := range order {
			if len(where[w]) < len(c.runs) {
				order[i] += " (" + strings.Join(where[w], ", ") + ")"
			}
		}
		if order != nil {
			out = append(out, reason{what + strings.Join(order, "; "), claims})
		}
	}
	ofRL := slices.Concat([]string{"alignment_gap", "alignment_rl", "interactions_ratio"}, adaptive[3:], errs)
	by("solver and judge: ", func(r *shownRun) string {
		var models []string
		for _, e := range r.manifest.Endpoints {
			if e.Role == "solver" || e.Role == "judge" {
				models = append(models, e.Role+" "+e.Model)
			}
		}
		switch {
		case r.ofProfiles():
			return "the profile judge, without a language model"
		case len(r.metrics.SimulatedRoles) > 0:
			return series(r.metrics.SimulatedRoles) + " are the embedded simulator, not a language model"
		}
		return series(models)
	}, graded)
	by("users: ", func(r *shownRun) string { return r.metrics.UserModel }, measured)
	by("data: ", func(r *shownRun) string {
		switch {
		case r.survey():
			return "a survey without tasks"
		case r.builtin():
			return "profiles and tasks made for this benchmark"
		}
		return "read from files"
	}, measured)
	by("questions: ", func(r *shownRun) string { return fmt.Sprintf("at most %d", r.metrics.Final) }, measured)
	by("RL policy, the paper's has about 8 billion parameters: ", (*shownRun).policyWords, append(ofRL[:len(ofRL):len(ofRL)], "parameter_ratio"))
	by("RL policy: ", (*shownRun).undertrained, ofRL)
	by("population model of pep, the paper's has about 10 thousand parameters: ", func(r *shownRun) string {
		if r.pep == nil || r.pep.Params == 0 {
			return ""
		}
		return thousands(int64(r.pep.Params))
	}, []string{"parameter_ratio"})
	if text := c.gains(); text != "" {
		out = append(out, reason{text, slices.Concat([]string{"alignment_gap", "alignment_pep", "interactions_ratio", "adaptivity_pep"}, adaptive[1:3])})
	}
	return out
}

// policyWords says what the RL policy is.
func (r *shownRun) policyWords() string {
	p := r.trained()
	if p == nil {
		return ""
	}
	s := p.Model
	if p.Params > 0 {
		s += fmt.Sprintf(", %s parameters", thousands(p.Params))
	} else {
		s += " (parameters not known)"
	}
	if p.Method != "" {
		s += ", " + p.Method
	}
	return strings.TrimSpace(s)
}

// gains says what adapting to answers is worth in these data: pep over its static twin.
func (c *claimsReport) gains() string {
	var says []string
	for _, r := range c.runs {
		if r.pep == nil || r.pep.Gain == nil {
			continue
		}
		for _, g := range r.pep.Gain.ByQuestions {
			if g.Questions == r.metrics.Final && g.Value.Defined() {
				says = append(says, strings.TrimSpace(fmt.Sprintf("%s in %s", g.cell(1).text(), r.label)))
			}
		}
	}
	if says == nil {
		return ""
	}
	return "what adapting to the answers is worth in these data: pep over its static twin, one fixed order by the same belief, gains in alignment " + series(says)
}

// claimsCSV has a line for every number.
func claimsCSV(c *claimsReport) [][]string {
	out := [][]string{{"claim", "paper", "paper_lo", "paper_hi", "run", "pep", "rl", "value", "lo", "hi", "hi_open", "clusters", "verdict", "why"}}
	for i := range c.claims {
		k := &c.claims[i]
		add := func(label string, pep, rl *Row, v claimValue, remark string) {
			name := func(r *Row) string {
				if r == nil {
					return ""
				}
				return r.Name
			}
			bound := func(x float64) string {
				if math.IsNaN(x) {
					return ""
				}
				return strconv.FormatFloat(x, 'f', -1, 64)
			}
			why := strings.TrimPrefix(v.why+"; "+remark, "; ")
			out = append(out, []string{
				k.id, k.paper, bound(k.lo), bound(k.hi), label, name(pep), name(rl), raw(v.value), raw(v.lo), raw(v.hi),
				strconv.FormatBool(v.open), strconv.Itoa(v.clusters), k.verdict(&v), strings.TrimSuffix(why, "; "),
			})
		}
		for _, r := range c.runs {
			add(r.label, r.pep, r.rl, r.values[k.id], r.remark(k))
		}
		if c.mean != nil {
			add("mean", c.mean[0].pep, c.mean[0].rl, mean(c.mean, k), c.meanRemark(k))
		}
	}
	return out
}
