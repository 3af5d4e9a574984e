package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pepbench/bench/record"
	"pepbench/domains"
)

// pageTitle is the heading of a table.
func pageTitle(name string) string {
	if s, ok := map[string]string{
		"headline": "The strategies in short",

		"main": "Main results", "profile": "Profile prediction", "errors": "Alignment and errors", "gain": "Paired differences",
		"adaptivity": "How strategies ask", "policies": "Trained policies", "fidelity": "Fidelity of the users",
		"released": "Measures of the released code", "calls": "Calls to models", "judge": "The judge by itself",
		"judges": "Two judges on the same responses", "grid": "Cells of the sweep", "costs": "Calls, tokens and dollars",
		"calibration": "Calibration", "tasks": "By task", "domains": "By domain", "ablation": "Ablation",
	}[name]; ok {
		return s
	}
	return capital(strings.ReplaceAll(name, "_", " "))
}

// pageCaption says how to read a figure, beside the title and the note that are in it,
// and which table has its numbers; or nothing.
func pageCaption(name string) string {
	base, _, _ := strings.Cut(name, "-")
	return map[string]string{
		"alignment":     "How well responses fit the user, after every number of questions. The numbers are in main.csv.",
		"interactions":  "Left: questions asked up to the budget. Right: questions after which the mean curve first reaches the target. The numbers are in table main.",
		"adaptivity":    "How often another answer goes with another next question. The numbers are in table adaptivity.",
		"adaptivitybyt": "Follow-up adaptivity after the first, second and later answers. The numbers are in table adaptivity.",
		"tree":          "What every way of asking asks first, and after which answers it goes on with what.",
		"gain":          "What choosing by the answers is worth over one fixed order for everybody. The numbers are in table gain.",
		"learning":      "Reward, entropy and divergence by step of the training. The numbers are in curve.csv.",
		"grid":          "One number a cell. The numbers are in table grid.",
		"gridgain":      "Alignment minus that of the static twin. The numbers are in table grid.",
		"ladder":        "One curve a solver.",
		"calibration":   "On the diagonal the share that is held is the one that was predicted.",
		"forest":        "Strategy minus what it is held against, paired by session: right of 0 the strategy is better.",
		"params":        "Further up and to the left is better: more alignment from a smaller model.",
		"cost":          "Further up and to the left is better: more alignment for fewer tokens.",
		"tasks":         "How much of what is seen is between tasks.",
		"trace":         "What one strategy believes of one user after every answer: an example, which says nothing of others.",
	}[base]
}

// pageName is a name to show, whatever it is.
func pageName(s string) string {
	if strings.TrimSpace(s) == "" {
		return "unnamed"
	}
	return s
}

// pageNotices says beside the numbers who was no person and no language model.
func pageNotices(m *Metrics) (out []string) {
	if s := notice(m); s != "" {
		out = append(out, s)
	}
	if s := strings.TrimSpace(origin(m)); s != "" {
		out = append(out, s)
	}
	return out
}

// ranked are the rows that ask and have an alignment, the largest first, in the order of
// the report among equals.
func ranked(m *Metrics) (out []*Row) {
	for _, group := range ordered(m) {
		for _, r := range group {
			if !r.fixed() && r.final().Value.Defined() {
				out = append(out, r)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *Row) int {
		switch x, y := a.final().Value, b.final().Value; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return out
}

// estimated is a number with its interval.
func estimated(e Estimate, format string) string {
	return strings.TrimSpace(num(e.Value, format) + " " + interval(e.Lo, e.Hi, format))
}

// pageSummary says in a few sentences what came out. They hold whatever the numbers are.
func pageSummary(m *Metrics) []string {
	list := ranked(m)
	asks := 0
	for i := range m.Strategies {
		if !m.Strategies[i].fixed() {
			asks++
		}
	}
	if len(list) == 0 {
		if asks == 0 {
			return []string{"No strategy of this run asks questions: it cannot tell anything of strategies."}
		}
		return []string{fmt.Sprintf("None of the %d %s that %s questions has an alignment: this run cannot tell anything of %s.", asks, wordFor(asks, "strategy", "strategies"), wordFor(asks, "asks", "ask"), wordFor(asks, "it", "them"))}
	}
	best := list[0]
	s := fmt.Sprintf("%s has the highest alignment", best.Name)
	if n := 1; n < len(list) && list[n].final().Value == best.final().Value {
		for n < len(list) && list[n].final().Value == best.final().Value {
			n++
		}
		var equal []string
		for _, r := range list[:n] {
			equal = append(equal, r.Name)
		}
		s = series(equal) + " share the highest alignment"
	}
	switch {
	case asks == 1:
		s = fmt.Sprintf("%s, the only strategy that asks questions, has an alignment", best.Name)
	case len(list) == 1:
		s = fmt.Sprintf("%s has an alignment, alone among the %d strategies that ask questions", best.Name, asks)
	case len(list) < asks:
		s += fmt.Sprintf(" among those %d of the %d strategies that ask questions which have one", len(list), asks)
	default:
		s += fmt.Sprintf(" of the %d strategies that ask questions", asks)
	}
	s += fmt.Sprintf(" after at most %d %s: %s on a scale from 0 to 100", m.Final, plural(m.Final, "question"), estimated(best.final().Estimate, "%.1f"))
	var ends []string
	for i := range m.Strategies {
		r := &m.Strategies[i]
		switch {
		case !r.final().Value.Defined():
		case r.Name == m.Floor:
			ends = append(ends, fmt.Sprintf("the floor, %s, has %s", r.Name, num(r.final().Value, "%.1f")))
		case r.Name == m.Ceiling:
			ends = append(ends, fmt.Sprintf("the ceiling, %s, has %s", r.Name, num(r.final().Value, "%.1f")))
		}
	}
	if ends != nil {
		s += "; " + series(ends)
	}
	out := []string{s + "."}
	return append(out, differenceSummary(m, list)...)
}

// differenceSummary says how the best row differs from the reference, whether that is
// resolved, and how small a difference could have been found.
func differenceSummary(m *Metrics, list []*Row) []string {
	if m.Reference == "" {
		return []string{"The run names no reference: of differences between strategies this summary can tell nothing."}
	}
	r, s := list[0], ""
	if r.Name == m.Reference {
		var near *Row
		for _, o := range list[1:] {
			if d := o.Difference; d != nil && d.Value.Defined() && (near == nil || abs(d.Value) < abs(near.Difference.Value)) {
				near = o
			}
		}
		if near == nil {
			return []string{"That is the reference itself, and no other strategy that asks is compared with it: which is better this run cannot tell."}
		}
		s = fmt.Sprintf("That is the reference itself. Of the others %s comes nearest to it, with a difference of ", near.Name)
		r = near
	} else {
		if r.Difference == nil || !r.Difference.Value.Defined() {
			return []string{fmt.Sprintf("How far it is from the reference, %s, this run cannot tell: there is no session that both have scored.", m.Reference)}
		}
		s = fmt.Sprintf("%s differs from the reference, %s, by ", r.Name, m.Reference)
	}
	d := r.Difference
	shown := d.cell(1)
	s += strings.TrimSpace(shown.value+" "+shown.interval) + " points of alignment"
	if p := d.Test.words(m); p != "" {
		s += " (" + p + ")"
	}
	switch {
	case d.Value == 0 && d.Lo == 0 && d.Hi == 0:
		s += ": in this run the two came out alike."
	case d.Resolved:
		s += ", which is resolved: chance alone seldom gives one as large."
	default:
		s += ", which is not resolved: this run cannot tell the two apart."
	}
	return []string{s, d.found(m)}
}

// words gives the p-value, or why there is none; nothing where nothing is known of the
// test.
func (t *test) words(m *Metrics) string {
	switch {
	case t == nil:
		return ""
	case t.Method == ByNothing:
		return fmt.Sprintf("no p-value: too few %ss", m.Cluster)
	case t.Family > 0 && t.Holm.Defined():
		return fmt.Sprintf("%s, corrected by Holm for %d %s", pWords(t.Holm), t.Family, plural(t.Family, "comparison"))
	case t.P.Defined():
		return pWords(t.P) + ", exploratory: not corrected for the number of comparisons"
	}
	return ""
}

// found says how small a difference could have been found.
func (d *difference) found(m *Metrics) string {
	if d.Test == nil || !d.Test.MDE.Defined() {
		return "How small a difference this run could have found is not known."
	}
	s := fmt.Sprintf("Four runs in five like this one would find a true difference of %s points here, before any correction; a smaller one they may well miss.", num(d.Test.MDE, "%.1f"))
	if !d.Resolved && d.Test.Needed > 0 {
		s += fmt.Sprintf(" To find one as large as the one seen as often it would take about %d %s.", d.Test.Needed, plural(d.Test.Needed, m.Cluster))
	}
	return s
}

func abs(v Number) Number {
	if v < 0 {
		return -v
	}
	return v
}

// wordFor is the word for one, or for another number.
func wordFor(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// headlineCaption explains the columns of the table in short; its foot, if it has one, says
// what the marks are.
func headlineCaption(m *Metrics) string {
	s := intervalNote(m, "Brackets")
	if m.Intervals == OverBoth {
		s += fmt.Sprintf(" Of adaptivity: over %ss alone.", m.Cluster)
	}
	if m.Reference != "" {
		s += fmt.Sprintf(" Difference: in alignment, to %s, paired by session", m.Reference)
		if !significance(m).tested() {
			s += "; ~ where it is not resolved"
		}
		s += "."
	}
	return s + " Table main has all columns, and says what they are."
}

// pageMeasures defines what the page shows.
func pageMeasures(m *Metrics) (out []pageTerm) {
	add := func(what, format string, a ...any) {
		out = append(out, pageTerm{What: what, Text: fmt.Sprintf(format, a...)})
	}
	add("Strategy", "A way of choosing questions together with a way of predicting the profile from the answers. Predicting from answers knows only what was told; predicting from a population model fills in the rest.")
	add("Alignment", "How well a response fits what the user holds: the weighted mean over the held criteria of a score from 1 to 5, put on a scale from 0 to 100. Means are over the seeds of a task and user, then over users, then over tasks%s.", map[bool]string{true: "; in a survey, over users"}[m.Cluster == "user"])
	if m.Floor != "" && m.Ceiling != "" {
		add("Floor and ceiling", "%s asks nothing; %s is told the true profile. Normalised alignment puts the one at 0 and the other at 100, and is undefined where the ceiling does not exceed the floor.", m.Floor, m.Ceiling)
	}
	if m.Target.Strategy != "" {
		add("Questions to target", "The number of questions after which the mean alignment, linear between checkpoints, first reaches the final alignment of %s; looked for up to %d questions. The target is estimated anew in every resample.", m.Target.Strategy, m.Horizon)
	}
	add("Follow-up adaptivity", "Over pairs of sessions of one strategy, seed and task that went alike but for the last answer: the share that goes on with different questions. Corrected takes off the share among pairs with the same answer, so that dice score 0; counterfactual asks what the strategy itself would have asked after another answer.")
	if slices.ContainsFunc(m.Strategies, func(r Row) bool { return r.Gain != nil }) {
		add("Adaptive gain", "Alignment minus that of the static twin, which has the same model and asks by the same rule, but in one order for everybody; paired by session.")
	}
	add("Profile prediction", "F1@k: the k criteria with the largest P(held) against those held. Value error: mean absolute error of the values of held criteria. Relevance error: Brier score of P(held).")
	if m.Fidelity != nil {
		add("Fidelity", "What was understood of the users' words, held against their true profiles.")
	}
	if m.Intervals == OverBoth {
		add("Interval", "%g%% percentile interval of a two-way bootstrap over tasks and over users, who recur across tasks; %d resamples. Shares of pairs are resampled over tasks alone.", 100*m.Confidence, m.Resamples)
	} else {
		add("Interval", "%g%% percentile interval of a bootstrap over %ss; %d resamples, the same for every number, so that differences are paired.", 100*m.Confidence, m.Cluster, m.Resamples)
	}
	if m.tested() {
		add("p and resolved", "p: two-sided, of no difference, by flipping the signs of %[1]s means at random (ten %[1]ss or more) or by t (six to nine); fewer give none. The comparisons with the reference in final alignment are corrected by Holm; all others are exploratory. Resolved: p, corrected where it is, lies below %.3[2]g, and the interval leaves out 0. Marked: * < .05, ** < .01, *** < .001, ~ not resolved.", m.Cluster, 1-m.Confidence)
	} else {
		add("Resolved", "A difference is resolved when its interval leaves out 0 and rests on %d %ss or more; ~ marks one that is not.", fewClusters, m.Cluster)
	}
	add("Dash", "There is no number; the note says why. What is undefined is left out of means and counted, and never a zero.")
	return out
}

// tested reports whether any difference comes with a test.
func (m *Metrics) tested() bool {
	for i := range m.Strategies {
		if d := m.Strategies[i].Difference; d != nil && d.Test != nil {
			return true
		}
	}
	return slices.ContainsFunc(m.Comparisons, func(c Comparison) bool { return c.Test != nil })
}

// pageProvenance says where the numbers come from: what of the manifest identifies the
// run.
func pageProvenance(m *Metrics, man *record.Manifest) []pageTerms {
	var out []pageTerms
	part := func(title string, terms ...pageTerm) {
		terms = slices.DeleteFunc(terms, func(t pageTerm) bool { return t.Text == "" && len(t.List) == 0 })
		if len(terms) > 0 {
			out = append(out, pageTerms{title, terms})
		}
	}
	of := func(what, format string, a ...any) pageTerm {
		return pageTerm{What: what, Text: fmt.Sprintf(format, a...)}
	}

	var needs []string
	for _, k := range slices.Sorted(maps.Keys(man.Code.Dependencies)) {
		needs = append(needs, k+" "+man.Code.Dependencies[k])
	}
	rejudged := ""
	if r := man.Rejudged; r != nil {
		rejudged = fmt.Sprintf("responses of the run %s (configuration %s, sessions.jsonl SHA-256 %s, by pepbench %s), which %s had graded", r.Of, r.ConfigHash, r.SessionsSHA256, cmp.Or(r.Code, "of unknown version"), r.Judge)
	}
	part("Program and configuration",
		pageTerm{What: "Configuration", Text: man.ConfigHash, Code: true},
		of("pepbench", "%s", cmp.Or(man.Code.Version, "unknown")),
		of("Go and platform", "%s", strings.Trim(man.Code.Go+", "+man.Code.Platform, ", ")),
		pageTerm{What: "Dependencies", List: needs},
		of("Graded again", "%s", rejudged),
	)

	d := &man.Data
	var sources, counted []string
	for _, s := range d.Sources {
		sources = append(sources, fmt.Sprintf("%s, SHA-256 %s, %d bytes", s.Path, s.SHA256, s.Bytes))
	}
	for _, c := range man.Counts {
		counted = append(counted, fmt.Sprintf("%s: %d", c.What, c.N))
	}
	split := func(what string, c record.SplitCount) pageTerm {
		if c == (record.SplitCount{}) {
			return pageTerm{}
		}
		return of(what, "%d train, %d dev, %d test", c.Train, c.Dev, c.Test)
	}
	shared := ""
	if d.SharedUsers {
		shared = "the same test users recur across test tasks"
	}
	part("Data",
		of("Data", "%s", strings.TrimSpace(d.Name+" "+d.Version)),
		of("Rubric", "%s", d.Rubric),
		pageTerm{What: "Sources", List: sources},
		of("Split", "%s%s", d.Split, m.folds()),
		split("Tasks", d.Tasks), split("Users", d.Users), split("Profiles", d.Profiles),
		of("Shared users", "%s", shared),
		pageTerm{What: "Counted", List: counted},
	)

	var seeds []string
	for _, s := range m.Seeds {
		seeds = append(seeds, fmt.Sprint(s))
	}
	var rows []string
	for _, s := range man.Strategies {
		line := s.Name
		if s.About != "" {
			line += ": " + s.About
		}
		if s.Params > 0 {
			line += fmt.Sprintf(" (%d parameters)", s.Params)
		}
		rows = append(rows, line)
	}
	part("Sessions",
		of("Seeds", "%s; resampling: %d", series(seeds), m.Seed),
		of("Questions", "budget %d, horizon %d, alignment after %s", m.Budget, m.Horizon, spans(m.Checkpoints)),
		of("Sessions", "%d planned, %d read, %d failed", m.Sessions.Planned, m.Sessions.Read, m.Sessions.Failed),
		of("Users played by", "%s", man.Users), of("Solver", "%s", man.Solver), of("Judge", "%s", man.Judge),
		pageTerm{What: "Strategies", List: rows},
		of("Left out", "%s", series(man.LeftOut)),
	)

	part("Models", modelTerms(man)...)

	var servers, prompts []string
	for _, e := range man.Endpoints {
		line := fmt.Sprintf("%s: %s", e.Role, pageName(e.Model))
		if e.Reported != "" {
			line += ", which the server calls " + e.Reported
		}
		if e.Simulated {
			line += "; embedded simulator"
		}
		servers = append(servers, line+"; "+strings.Replace(e.Price.String(), "out", "out a million tokens", 1))
	}
	for _, p := range man.Prompts {
		prompts = append(prompts, fmt.Sprintf("%s, SHA-256 %s", p.Name, p.SHA256))
	}
	none := ""
	if len(servers) == 0 {
		none = "none: no model was called"
	}
	part("Servers and prompts",
		pageTerm{What: "Servers", List: servers, Text: none},
		pageTerm{What: "Prompts", List: prompts},
		of("Planned calls", "%s", plannedWords(&m.Planned)),
	)
	return out
}

// modelTerms lists what was fitted, chosen or trained.
func modelTerms(man *record.Manifest) (out []pageTerm) {
	choices := func(list []record.Choice, format string) (words []string) {
		for _, c := range list {
			s := fmt.Sprintf("%s: "+format, c.Candidate, c.DevScore)
			if c.Chosen {
				s += ", chosen"
			}
			words = append(words, s)
		}
		return words
	}
	for _, b := range man.Models {
		line := fmt.Sprintf("%s: %s (%d parameters)", b.Kind, b.About, b.Params)
		if b.File != nil {
			line += fmt.Sprintf("; read from %s, SHA-256 %s", b.File.Path, b.File.SHA256)
		}
		name := b.Name
		if b.Fold > 0 {
			name += fmt.Sprintf(", fold %d", b.Fold)
		}
		t := pageTerm{What: name, Text: line}
		if len(b.Choice) > 0 {
			t.List = append([]string{line, "mean log score on dev, nats a cell:"}, choices(b.Choice, "%.4f")...)
		}
		out = append(out, t)
	}
	for _, s := range man.Strategies {
		if len(s.Choice) > 0 {
			out = append(out, pageTerm{What: s.Name, List: append([]string{"alignment on dev of the acquisitions:"}, choices(s.Choice, "%.1f")...)})
		}
	}
	for _, s := range man.Strategies {
		p := s.Policy
		if p == nil {
			continue
		}
		list := []string{strings.Trim(strings.Join([]string{p.Model, p.Method}, "; "), "; ")}
		if p.Params > 0 {
			list[0] = strings.Trim(fmt.Sprintf("%s; %d parameters", list[0], p.Params), "; ")
		}
		if p.Log != nil {
			list = append(list, fmt.Sprintf("log %s, SHA-256 %s, %d decisions", p.Log.Path, p.Log.SHA256, p.Decisions))
		}
		for _, t := range p.Trainings {
			line := fmt.Sprintf("seed %d", t.Seed)
			if t.Fold > 0 {
				line += fmt.Sprintf(", fold %d", t.Fold)
			}
			line += fmt.Sprintf(": step %d of %d", t.Best, t.Steps)
			if t.Dev.Defined() {
				line += fmt.Sprintf(", alignment %.1f on dev", float64(t.Dev))
			}
			if t.Undertrained {
				line += ", undertrained"
			}
			list = append(list, line+", weights SHA-256 "+t.SHA256)
		}
		list = slices.DeleteFunc(list, func(s string) bool { return s == "" })
		out = append(out, pageTerm{What: s.Name + ", policy " + p.ID, List: list})
	}
	return out
}

// plannedWords lists the planned calls by role.
func plannedWords(c *record.Calls) string {
	var words []string
	for _, of := range []struct {
		role string
		n    int
	}{{"solver", c.Solver}, {"judge", c.Judge}, {"correctness", c.Correctness}, {"user", c.User}, {"interpreter", c.Interpreter}, {"asker", c.Asker}, {"probes of the judge", c.Probes}} {
		if of.n > 0 {
			words = append(words, fmt.Sprintf("%s %d", of.role, of.n))
		}
	}
	if words == nil {
		return "none"
	}
	how := ""
	if c.TokensEstimated {
		how = " (estimated)"
	}
	return fmt.Sprintf("%s; tokens: %d in, %d out%s", strings.Join(words, ", "), c.TokensIn, c.TokensOut, how)
}

// spans writes ascending numbers, runs of them as their ends: 0 to 5, 8 and 10.
func spans(list []int) string {
	var words []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		switch {
		case j > i+1:
			words = append(words, fmt.Sprintf("%d to %d", list[i], list[j]))
		case j == i+1:
			words = append(words, fmt.Sprint(list[i]), fmt.Sprint(list[j]))
		default:
			words = append(words, fmt.Sprint(list[i]))
		}
		i = j + 1
	}
	return series(words) + " " + plural(lastOf(list), "question")
}

func lastOf(list []int) int {
	if len(list) == 0 {
		return 0
	}
	return list[len(list)-1]
}

// pageLimits says what the numbers cannot say, made of what is known of the run.
func pageLimits(m *Metrics, man *record.Manifest) (out []string) {
	add := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	survey := m.Cluster == "user"
	if m.Simulated {
		add("The embedded simulator played %s. Such numbers show that the pipeline works and how strategies differ under it; of what a language model would do they say nothing.", series(m.SimulatedRoles))
	}
	if strings.HasPrefix(m.Judge, "profile") || survey {
		add("The profile judge compares inferred values with true ones and reads no response: whether anybody could write, or would like, a text that fits the profile is not measured.")
	}
	switch {
	case survey:
		add("The answers are those that people gave to a survey, once. Nobody was asked in a dialogue, where people may answer otherwise, tire or leave.")
	default:
		add("The users are simulated (%s). People hesitate, contradict themselves and leave.", pageName(m.UserModel))
	}
	if slices.ContainsFunc(man.Data.Sources, func(s domains.Source) bool { return strings.HasPrefix(s.Path, "builtin:") }) {
		add("Tasks, criteria and users of the built-in domains were made for this benchmark and describe no real person.")
	}
	n := clusters(m)
	switch {
	case n == 0:
	case n < noInterval:
		add("With %d %s there are no intervals: nothing can be said beyond %s.", n, plural(n, m.Cluster), wordFor(n, "it", "them"))
	case n < fewClusters:
		add("Intervals rest on %d %ss. That is too few: they are too narrow, and no difference counts as resolved.", n, m.Cluster)
	case m.Intervals == OverBoth:
		add("Intervals are over %d tasks and %d users, and speak of others like these, not of other kinds. Shares of pairs and p-values are over tasks alone and say nothing of other users.", m.Tasks, m.Users)
	default:
		add("Intervals are over %d %ss, and speak of others like these; of other kinds of %ss they say nothing.", n, m.Cluster, m.Cluster)
		if man.Data.SharedUsers && !survey {
			add("The same users recur across tasks, and intervals say nothing of other users.")
		}
	}
	if m.Folds > 1 {
		add("In a cross-fitted run the %d folds share training data, of which the intervals know nothing.", m.Folds)
	}
	if len(m.Seeds) == 1 {
		add("There is one seed: how much depends on chance in asking and training cannot be seen.")
	}
	if list := ranked(m); len(list) > 1 {
		add("The strategy that is named as the highest was picked after the fact among %d. The largest of several numbers is on average too large.", len(list))
	}
	out = append(out, exploratory(m)...)
	said := map[string]bool{}
	for i := range m.Strategies {
		r := &m.Strategies[i]
		name := r.Base
		if name == "" {
			name = r.Name
		}
		if s := m.remark(r); s != "" && !said[name+s] {
			said[name+s] = true
			add("%s: %s.", name, strings.TrimSuffix(s, "."))
		}
	}
	if s := strings.TrimSpace(m.policies(m.rows())); s != "" {
		out = append(out, s)
	}
	if len(m.LeftOut) > 0 {
		add("Not defined on these data, and left out: %s.", series(m.LeftOut))
	}
	if s := strings.TrimSpace(failures(m) + unscored(m)); s != "" {
		out = append(out, s+" If these are the hard ones, means are too high.")
	}
	if m.allHeld() {
		add("Every user holds every criterion: of relevance there is nothing to predict, and F1@k says nothing.")
	}
	return out
}

// exploratory says which differences are not corrected for their number.
func exploratory(m *Metrics) []string {
	family, others := 0, 0
	for i := range m.Strategies {
		if d := m.Strategies[i].Difference; d != nil && d.Test != nil {
			family = max(family, d.Test.Family)
		}
	}
	for i := range m.Comparisons {
		if c := &m.Comparisons[i]; c.Value.Defined() && (c.Test == nil || c.Test.Family == 0) {
			others++
		}
	}
	switch {
	case family > 0 && others > 0:
		return []string{fmt.Sprintf("Only the %d %s with %s in final alignment %s corrected for their number. The other %d are exploratory: some will look like differences by chance alone.", family, plural(family, "comparison"), m.Reference, wordFor(family, "is", "are"), others)}
	case others > 1:
		return []string{fmt.Sprintf("The %d comparisons are not corrected for their number: some will look like differences by chance alone.", others)}
	}
	return nil
}

// pageAgain gives the commands that make the run and its report again.
func pageAgain(m *Metrics, man *record.Manifest) (out []pageTerm) {
	if man.Rejudged != nil {
		out = append(out, pageTerm{What: fmt.Sprintf("The grades, from the folder of the run %s:", man.Rejudged.Of), Text: "pepbench rejudge RUN --out NEW"})
	} else {
		what := "The run, with CONFIG the file that it was run with. With the same data and the same pepbench"
		if man.Code.Platform != "" {
			what += " on " + man.Code.Platform
		}
		what += ", NEW/manifest.json has the configuration hash above, and NEW/metrics.json equals DIR/metrics.json byte for byte"
		if slices.ContainsFunc(man.Endpoints, func(e record.Endpoint) bool { return !e.Simulated }) {
			what += ", as far as servers answer alike"
		}
		out = append(out, pageTerm{What: what + ":", Text: "pepbench run CONFIG --out NEW"})
	}
	return append(out,
		pageTerm{What: "Metrics, tables, figures and this page, from manifest.json and sessions.jsonl:", Text: "pepbench report DIR"},
		pageTerm{What: "Every session, turn by turn, in a browser:", Text: "pepbench view DIR"},
	)
}
