package data

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// compiled opens a domain with its default options, once for all tests.
var compiled = func() map[string]func() (*domain, error) {
	out := map[string]func() (*domain, error){}
	for _, name := range Names() {
		out[name] = sync.OnceValues(func() (*domain, error) {
			d, _, err := open(name, DefaultOptions())
			return d, err
		})
	}
	return out
}()

func mustOpen(t *testing.T, name string) *domain {
	t.Helper()
	d, err := compiled[name]()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestLint holds the hand-written files to what README and package comment
// promise and judges rely on. Every check names the offender.
func TestLint(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			d := mustOpen(t, name)
			for _, check := range []struct {
				name string
				run  func(*testing.T, *domain)
			}{
				{"count", lintCount},
				{"ids", lintIDs},
				{"names", lintNames},
				{"names are found in no other criterion", lintWindows},
				{"level texts", lintLevels},
				{"levels say different things", lintOwnWords},
				{"absence", lintAbsence},
				{"level texts share few phrases", lintLevelGrams},
				{"prompts share few phrases", lintPromptGrams},
				{"prompts differ in more than numbers and names", lintSkeletons},
				{"prompts make no style wishes", lintWishes},
				{"answers", lintAnswers},
				{"features", lintFeatures},
				{"reasons", lintReasons},
				{"reasons fire neither never nor always", lintFiring},
				{"values", lintValues},
			} {
				t.Run(check.name, func(t *testing.T) { check.run(t, d) })
			}
		})
	}
}

func lintCount(t *testing.T, d *domain) {
	if n := len(d.criteria); n < 30 {
		t.Errorf("%d criteria, fewer than 30", n)
	}
	if n := len(d.tasks); n < 40 {
		t.Errorf("%d tasks, fewer than 40", n)
	}
	for _, c := range d.criteria {
		if len(c.entry.Levels) != 5 {
			t.Errorf("%s has %d levels, not five", c.entry.ID, len(c.entry.Levels))
		}
		for what, s := range map[string]string{"description": c.entry.Description, "question": c.entry.Question} {
			if strings.TrimSpace(s) == "" {
				t.Errorf("%s has no %s", c.entry.ID, what)
			}
		}
	}
}

var (
	snake  = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	taskID = regexp.MustCompile(`^[a-z]{3}[0-9]{2}$`)
	title  = regexp.MustCompile(`^[A-Za-z]+( [A-Za-z]+){1,2}$`)
	plain  = regexp.MustCompile(`^[a-z][a-z ,'-]*[a-z]$`)
)

func lintIDs(t *testing.T, d *domain) {
	seen := map[string]string{}
	for _, c := range d.criteria {
		if !snake.MatchString(c.entry.ID) {
			t.Errorf("criterion id %q is not in snake case", c.entry.ID)
		}
		if seen[c.entry.ID] != "" {
			t.Errorf("criterion id %s twice", c.entry.ID)
		}
		name := strings.ToLower(c.entry.Name)
		if seen[name] != "" {
			t.Errorf("%s and %s have the same name", c.entry.ID, seen[name])
		}
		seen[c.entry.ID], seen[name] = c.entry.ID, c.entry.ID
	}
	for _, k := range d.tasks {
		if !taskID.MatchString(k.ID) {
			t.Errorf("task id %q is not three letters and two digits", k.ID)
		}
		if seen[k.ID] != "" {
			t.Errorf("task id %s twice", k.ID)
		}
		seen[k.ID] = k.ID
	}
}

func lintNames(t *testing.T, d *domain) {
	for _, c := range d.criteria {
		if !title.MatchString(c.entry.Name) {
			t.Errorf("%s: name %q is not two or three words of letters", c.entry.ID, c.entry.Name)
		}
	}
}

// A judge finds the sentence about a criterion by the stems of its name, so no
// sentence made of another's name and level may contain them all.
func lintWindows(t *testing.T, d *domain) {
	for _, c := range d.criteria {
		name := words(c.entry.Name)
		for _, other := range d.criteria {
			if other.entry.ID == c.entry.ID {
				continue
			}
			for l, level := range other.entry.Levels {
				if subset(stems(name), stems(words(other.entry.Name+" "+level))) {
					t.Errorf("name %q (%s) is contained in %q + %q (%s, level %d)", c.entry.Name, c.entry.ID, other.entry.Name, level, other.entry.ID, l+1)
				}
			}
		}
	}
}

func lintLevels(t *testing.T, d *domain) {
	for _, c := range d.criteria {
		for l, level := range c.entry.Levels {
			if n := len(strings.Fields(level)); n < 3 || n > 9 {
				t.Errorf("%s, level %d: %d words, not 3 to 9: %q", c.entry.ID, l+1, n, level)
			}
			if !plain.MatchString(level) || strings.Contains(level, "  ") {
				t.Errorf("%s, level %d: something other than lower-case letters, single spaces, commas, apostrophes and hyphens: %q", c.entry.ID, l+1, level)
			}
		}
	}
}

// lintOwnWords checks that a judge who compares words can tell levels apart.
func lintOwnWords(t *testing.T, d *domain) {
	for _, c := range d.criteria {
		for l, level := range c.entry.Levels {
			theirs := map[string]bool{}
			for m, other := range c.entry.Levels {
				if m == l {
					continue
				}
				for _, w := range words(other) {
					theirs[w], theirs[stem(w)] = true, true
				}
				if subset(set(words(level)), set(words(other))) {
					t.Errorf("%s: every word of level %d %q is in level %d %q", c.entry.ID, l+1, level, m+1, other)
				}
			}
			own := map[string]bool{}
			for _, w := range words(level) {
				if !function[w] && !theirs[w] && !theirs[stem(w)] {
					own[stem(w)] = true
				}
			}
			if len(own) < 2 {
				t.Errorf("%s, level %d %q has %d content words of its own (%v), fewer than 2", c.entry.ID, l+1, level, len(own), own)
			}
		}
	}
}

var negation = map[string]bool{"no": true, "not": true, "never": true, "none": true, "without": true, "nothing": true}

// otherNegation would say absence in a way that graders do not know.
var otherNegation = regexp.MustCompile(`n't$|^(nor|neither|nobody|nowhere|cannot|lacks?|lacking|zero)$`)

// lintAbsence: level 1 says absence with one of six words or is an opposite pole
// without any; what is more than level 1 is said without negation.
func lintAbsence(t *testing.T, d *domain) {
	absent := 0
	for _, c := range d.criteria {
		for l, level := range c.entry.Levels {
			for _, w := range words(level) {
				switch {
				case negation[w] && l > 0:
					t.Errorf("%s, level %d: negation %q in %q", c.entry.ID, l+1, w, level)
				case otherNegation.MatchString(w):
					t.Errorf("%s, level %d: %q in %q, a negation that is not one of no, not, never, none, without, nothing", c.entry.ID, l+1, w, level)
				}
			}
		}
		if slices.ContainsFunc(words(c.entry.Levels[0]), func(w string) bool { return negation[w] }) {
			absent++
		}
	}
	if share := float64(absent) / float64(len(d.criteria)); share < .4 || share > .9 {
		t.Errorf("level 1 says absence in %.0f%% of the criteria, not in 40%% to 90%%", 100*share)
	}
}

const maxShared = .6

func lintLevelGrams(t *testing.T, d *domain) {
	for i, c := range d.criteria {
		for _, other := range d.criteria[:i] {
			for l, a := range c.entry.Levels {
				for m, b := range other.entry.Levels {
					if share := sharedGrams(a, b); share > maxShared {
						t.Errorf("%s, level %d %q and %s, level %d %q share %.0f%% of their 3-grams", c.entry.ID, l+1, a, other.entry.ID, m+1, b, 100*share)
					}
				}
			}
		}
	}
}

func lintPromptGrams(t *testing.T, d *domain) {
	for i, k := range d.tasks {
		for _, other := range d.tasks[:i] {
			if share := sharedGrams(k.Prompt, other.Prompt); share > maxShared {
				t.Errorf("%s and %s share %.0f%% of their 3-grams", k.ID, other.ID, 100*share)
			}
		}
	}
}

var (
	digits      = regexp.MustCompile(`[0-9]+`)
	capitalised = regexp.MustCompile(`\p{Lu}[\p{L}'’]*`)
)

func lintSkeletons(t *testing.T, d *domain) {
	seen := map[string]string{}
	for _, k := range d.tasks {
		s := capitalised.ReplaceAllString(digits.ReplaceAllString(strings.Join(strings.Fields(k.Prompt), " "), "#"), "@")
		if seen[s] != "" {
			t.Errorf("%s and %s differ only in numbers or names", k.ID, seen[s])
		}
		seen[s] = k.ID
	}
}

// wishes are ways of asking for a style, which is for the profile alone to say.
var wishes = regexp.MustCompile(`(?i)\b(explain (simply|briefly|in|like|step)|step by step|in (plain|simple|everyday) (words|terms|language|english)|in (detail|short|brief|a nutshell|layman)|briefly|concise(ly)?|succinct(ly)?|bullet(ed)? (points?|lists?)|keep it (short|simple|brief)|be (brief|short|thorough|kind|gentle|funny)|(short|brief|long|detailed|thorough|simple) (answer|explanation|reply)|show your (work|working|steps)|no jargon|jargon|eli5|tl;?dr|tone|style)\b`)

func lintWishes(t *testing.T, d *domain) {
	for _, k := range d.tasks {
		if w := wishes.FindString(k.Prompt); w != "" {
			t.Errorf("%s wishes for a style: %q", k.ID, w)
		}
		if n := len(strings.Fields(k.Prompt)); n < 15 || n > 120 {
			t.Errorf("%s: the prompt has %d words", k.ID, n)
		}
		if !strings.Contains(k.Prompt, "?") {
			t.Errorf("%s asks nothing", k.ID)
		}
	}
}

func lintAnswers(t *testing.T, d *domain) {
	right, choices, longest := map[string]int{}, 0, 0
	for _, k := range d.tasks {
		if strings.TrimSpace(k.Why) == "" {
			t.Errorf("%s does not say why its answer is right", k.ID)
		}
		if len(k.Options) == 0 {
			if _, err := strconv.Atoi(k.Answer); err != nil {
				t.Errorf("%s: answer %q is not a whole number", k.ID, k.Answer)
			}
			continue
		}
		choices++
		right[k.Answer]++
		seen, longer := map[string]string{}, false
		for _, label := range []string{"A", "B", "C", "D"} {
			o := strings.ToLower(strings.TrimSpace(k.Options[label]))
			switch {
			case o == "":
				t.Errorf("%s has no option %s", k.ID, label)
			case seen[o] != "":
				t.Errorf("%s: options %s and %s are the same", k.ID, seen[o], label)
			}
			seen[o] = label
			longer = longer || label != k.Answer && len(k.Options[label]) >= len(k.Options[k.Answer])
		}
		if !longer {
			longest++
		}
		if len(k.Options) != 4 {
			t.Errorf("%s has %d options, not four", k.ID, len(k.Options))
		}
		if k.Options[k.Answer] == "" {
			t.Errorf("%s: answer %q is none of its options", k.ID, k.Answer)
		}
	}
	if choices == 0 { // math: the answers themselves are checked by computation
		return
	}
	if choices != len(d.tasks) {
		t.Errorf("%d of %d tasks have options; all or none should", choices, len(d.tasks))
	}
	for _, label := range []string{"A", "B", "C", "D"} {
		if share := float64(right[label]) / float64(choices); share < .2 || share > .3 {
			t.Errorf("%s is right in %.0f%% of the tasks, not in 20%% to 30%%", label, 100*share)
		}
	}
	if share := float64(longest) / float64(choices); share > .4 {
		t.Errorf("the right option is the longest in %.0f%% of the tasks", 100*share)
	}
}

func lintFeatures(t *testing.T, d *domain) {
	if n := len(d.features); n < 3 || n > 5 {
		t.Errorf("%d task features, not 3 to 5", n)
	}
	for i, f := range d.features {
		for v, value := range d.world.values[d.nAttr+i] {
			n := 0
			for _, s := range d.states {
				if int(s[i]) == v {
					n++
				}
			}
			if n < 8 {
				t.Errorf("%s=%s holds for %d tasks, fewer than 8", f, value, n)
			}
		}
	}
}

func lintReasons(t *testing.T, d *domain) {
	for _, c := range d.criteria {
		if n := len(c.entry.Reasons); n < 2 || n > 4 {
			t.Errorf("%s has %d reasons, not 2 to 4", c.entry.ID, n)
		}
		for i, r := range c.entry.Reasons {
			if r.Pull < 1 || r.Pull > 4 {
				t.Errorf("%s, reason %d: pull %d is not from 1 to 4", c.entry.ID, i+1, r.Pull)
			}
			if r.When.value == "" || r.Why == "" {
				t.Errorf("%s, reason %d has no `when` or no `why`", c.entry.ID, i+1)
			}
		}
	}
}

func lintFiring(t *testing.T, d *domain) {
	for _, c := range d.criteria {
		for i, r := range c.reasons {
			n := 0
			d.each(func(_, _ int, s state) {
				if r.when(s) {
					n++
				}
			})
			if share := float64(n) / float64(len(d.tasks)*len(d.personas)); share < .02 || share > .6 {
				t.Errorf("%s, reason %d (%s) holds for %.1f%% of the pairs of persona and task, not for 2%% to 60%%", c.entry.ID, i+1, c.entry.Reasons[i].When.value, 100*share)
			}
		}
	}
}

// each calls f with every task and persona and the state of the two; f must not
// keep the state.
func (d *domain) each(f func(task, user int, s state)) {
	s := make(state, d.nAttr+len(d.features))
	for t := range d.tasks {
		copy(s[d.nAttr:], d.states[t])
		for u := range d.personas {
			copy(s, d.personas[u].state)
			f(t, u, s)
		}
	}
}

func lintValues(t *testing.T, d *domain) {
	reached := map[int]bool{}
	for _, c := range d.criteria {
		n := len(c.entry.Values)
		if n < 2 || n > 5 {
			t.Errorf("%s has %d value rules, not 2 to 5", c.entry.ID, n)
		}
		levels := map[int]bool{}
		for i, v := range c.entry.Values {
			levels[v.Level], reached[v.Level] = true, true
			switch last := i == n-1; {
			case last && v.When.value != "":
				t.Errorf("%s: its last value rule has a `when` (%s)", c.entry.ID, v.When.value)
			case !last && v.When.value == "":
				t.Errorf("%s: value rule %d has no `when` and hides those below", c.entry.ID, i+1)
			}
		}
		if len(levels) < 3 {
			t.Errorf("%s: its value rules give %d levels, fewer than 3", c.entry.ID, len(levels))
		}
		wins := make([]int, len(c.values))
		d.each(func(_, _ int, s state) {
			if i := slices.IndexFunc(c.values, func(v valueRule) bool { return v.when(s) }); i >= 0 {
				wins[i]++
			}
		})
		if i := slices.Index(wins, 0); i >= 0 {
			t.Errorf("%s: value rule %d (%s) never decides", c.entry.ID, i+1, c.entry.Values[i].When.value)
		}
	}
	if len(reached) != 5 {
		t.Errorf("the value rules of all criteria reach only %d levels", len(reached))
	}
}

// A file must be about the domain whose folder it is in.
func TestLintDomain(t *testing.T) {
	for _, name := range Names() {
		var c criteriaFile
		var k tasksFile
		for path, v := range map[string]any{"/criteria.yaml": &c, "/tasks.yaml": &k} {
			if _, err := read(name+path, v); err != nil {
				t.Fatal(err)
			}
		}
		if c.Domain != name || k.Domain != name || strings.TrimSpace(c.About) == "" {
			t.Errorf("%s: its criteria say they are of %q (%q), its tasks of %q", name, c.Domain, c.About, k.Domain)
		}
	}
}

// TestLintPersonas checks the causal table itself.
func TestLintPersonas(t *testing.T) {
	var f personasFile
	if _, err := read(personasPath, &f); err != nil {
		t.Fatal(err)
	}
	var w world
	attributes, names, _, err := causalTable(&w)
	if err != nil {
		t.Fatal(err)
	}
	phrases := map[string]string{}
	for i, a := range attributes {
		draws := f.Attributes[i].Draw
		for j, d := range draws {
			if last := j == len(draws)-1; last != (d.When.value == "") {
				t.Errorf("%s: draw %d of %d; the last one and only the last one is without `when`", a.name, j+1, len(draws))
			}
		}
		for v, p := range a.phrases {
			at := a.name + "=" + a.values[v]
			if p == "" || phrases[p] != "" {
				t.Errorf("%s has the phrase %q, empty or that of %s too", at, p, phrases[p])
			}
			phrases[p] = at
		}
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(f.Names) {
		t.Error("a given name is listed twice")
	}
}

// words are the lower-case runs of letters and apostrophes.
func words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r == '\'' || r >= 0xc0)
	})
}

// stem strips one or two common suffixes. It is rough: two words with one meaning
// should meet; that strangers meet now and then only makes the checks stricter.
func stem(w string) string {
	w = strings.TrimSuffix(w, "'s")
	for range 2 {
		for _, suffix := range []string{"ations", "ation", "ments", "ment", "nesses", "ness", "ities", "ity", "ings", "ing", "edly", "ions", "ion", "ies", "ied", "ers", "er", "ors", "or", "ed", "ly", "es", "s", "e", "y"} {
			if rest, ok := strings.CutSuffix(w, suffix); ok && len(rest) >= 3 && !(suffix == "s" && strings.HasSuffix(rest, "s")) {
				w = rest
				break
			}
		}
	}
	if n := len(w); n > 3 && w[n-1] == w[n-2] && w[n-1] != 's' && w[n-1] != 'l' {
		w = w[:n-1] // running, runn, run
	}
	return w
}

func TestStem(t *testing.T) {
	for _, group := range []string{
		"explain explains explained explaining", "compare compares compared comparing", "story stories",
		"citation citing cites cited", "running runs run", "warning warnings warns warned", "steps step",
		"definitions definition", "generalisation generalise", "firmness firm firmly", "checking checks check checker",
	} {
		for _, w := range strings.Fields(group) {
			if first, _, _ := strings.Cut(group, " "); stem(w) != stem(first) {
				t.Errorf("stem(%s) = %s, stem(%s) = %s", w, stem(w), first, stem(first))
			}
		}
	}
	for _, pair := range []string{"note nothing", "plain plan", "step stop", "less lesson", "verdict verse"} {
		if a, b, _ := strings.Cut(pair, " "); stem(a) == stem(b) {
			t.Errorf("stem(%s) = stem(%s) = %s", a, b, stem(a))
		}
	}
}

func stems(list []string) map[string]bool {
	out := map[string]bool{}
	for _, w := range list {
		out[stem(w)] = true
	}
	return out
}

func set(list []string) map[string]bool {
	out := map[string]bool{}
	for _, w := range list {
		out[w] = true
	}
	return out
}

func subset(a, b map[string]bool) bool {
	for w := range a {
		if !b[w] {
			return false
		}
	}
	return true
}

// sharedGrams is the share of the word 3-grams of the text that has fewer which
// the other has too.
func sharedGrams(a, b string) float64 {
	x, y := grams(a), grams(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(x) == 0 {
		return 0
	}
	n := 0
	for g := range x {
		if y[g] {
			n++
		}
	}
	return float64(n) / float64(len(x))
}

func grams(s string) map[string]bool {
	out := map[string]bool{}
	w := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune(" \n\t,.;:?!\"()-", r) })
	for i := 0; i+3 <= len(w); i++ {
		out[fmt.Sprint(w[i:i+3])] = true
	}
	return out
}

// function words say nothing about an amount by themselves.
var function = set(strings.Fields(`
	a an the this that these those it its they them their there he she his her you your we us our one's own
	of to in on at by for from with into onto over under up down out off as per about around through across along amid among beside between beyond within toward towards upon before after
	and or but so if than then when where while which who whom whose what how why
	is are was were be been being do does did has have had may might can could would should will must
	no not never none without nothing any some such each every all both either`))
