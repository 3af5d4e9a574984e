package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	maps := scale{"Map use", []string{
		"no routes drawn", "one rough outline", "several routes drawn", "careful charts with landmarks", "atlas plates everywhere",
	}}
	poles := scale{"Sentence weight", []string{"short and airy", "slightly dense", "balanced", "rather dense prose", "thick, long and dense"}}
	words := scale{"Mood colour", []string{"none", "faint", "some", "much", "full"}}
	two := scale{"Mood colour", []string{"off", "on"}}
	four := scale{"Mood colour", []string{"pale", "light", "deep", "dark"}}
	rungs := scale{"Mood colour", ladder[:]}
	long := scale{"careful naming of river boats", maps.levels}
	tests := []struct {
		response string
		scale    scale
		want     int
		reason   string
	}{
		{"Map use: careful charts with landmarks.", maps, 4, "all words of a level"},
		{"Using maps: atlas plates everywhere.", maps, 5, "stems of the name, other order"},
		{"Map use: no routes drawn.", maps, 1, "negated words overlap with negated words"},
		{"Map use: several routes drawn.", maps, 3, "plain words do not overlap with negated words"},
		{"For map use, routes are not drawn.", maps, 3, "routes is plain, drawn is negated: a tie of 1 and 3"},
		{"For map use, no routes are drawn.", maps, 1, "all of level 1, with a word between"},
		{"Charts with landmarks. Map use: one outline.", maps, 2, "only the window counts"},
		{"Map use helps.\nWith map use come atlas plates.", maps, 5, "the window is all sentences with the name"},
		{"Map making: atlas plates everywhere.", maps, 1, "a stem is missing: no window, level 1 says absence"},
		{"Nothing here.", poles, 3, "no window, level 1 is a pole: the middle"},
		{"Sentence weight: purple.", poles, 3, "window without overlap: the middle"},
		{"Sentence weight: dense.", poles, 2, "tie of 2, 4 and 5: 2 and 4 are equally near the middle, the lower wins"},
		{"", words, 1, "empty response; none says absence"},
		{"Mood colour: none.", words, 1, "bare word"},
		{"Mood colour: faint.", words, 2, "bare word"},
		{"Mood colour: some.", words, 3, "bare word"},
		{"Mood colour: much.", words, 4, "bare word"},
		{"Mood colour: full.", words, 5, "bare word"},
		{"Mood colour: level 5.", words, 3, "a number is not read"},
		{"Mood colour: 5 of 5.", rungs, 3, "nor here"},
		{"Mood colour: <!-- full -->", words, 3, "a comment is not read"},
		{`Mood colour: <span class="full">x</span>`, words, 3, "a tag is not read"},
		{"Mood colour: a little.", rungs, 2, "words of a ladder phrase"},
		{"Mood colour: much.", rungs, 4, "much is in two levels: the nearer to the middle"},
		{"Mood colour: as much as possible.", rungs, 5, "possible decides"},
		{"Mood colour: on.", two, 2, "a level of function words keeps them"},
		{"Mood colour: blue.", two, 1, "even number of levels: the lower middle"},
		{"Mood colour: pale and dark.", four, 1, "equally near the middle: the lower"},
		{"Mood colour: deep and dark.", four, 3, "nearest the middle"},
		{"She is careful in naming boats: atlas plates.", long, 5, "three of four stems are enough"},
		{"The naming of boats: atlas plates.", long, 1, "two of four are not"},
	}
	for _, tt := range tests {
		if got := judgeOne(t, tt.response, tt.scale); got.Level != tt.want {
			t.Errorf("%s: %q on %q: level %d (%s), want %d", tt.reason, tt.response, tt.scale.name, got.Level, got.Reason, tt.want)
		}
	}
}

func TestJudgeNameWords(t *testing.T) {
	s := scale{"No frills", []string{"no frills at all", "few frills", "ribbons and frills", "mostly lace", "frills without end"}}
	for i, l := range s.levels {
		if got := judgeOne(t, "As to No frills: "+l+".", s).Level; got != i+1 {
			t.Errorf("a negation in the name: %q is level %d, want %d", l, got, i+1)
		}
	}
	s = scale{"Ribbon count", []string{"ribbon pole", "ribbon ribbons", "plain middle", "ribbon", "tall ribbon"}}
	if got := judgeOne(t, "Ribbon count: so much ribbon.", s).Level; got != 3 {
		t.Errorf("the name's own words counted: level %d, want 3", got)
	}
}

func TestAbsence(t *testing.T) {
	tests := []struct {
		text   string
		want   bool
		reason string
	}{
		{"none", true, "bare"},
		{"nil", true, "bare only"},
		{"nil by mouth", false, "bare word in company"},
		{"never says so", true, "never"},
		{"doesn't say so", true, "n't"},
		{"all asides missing", true, "missing"},
		{"lacks asides", true, "lacks"},
		{"absent", true, "absent"},
		{"blunt clipped phrasing", false, "a pole"},
		{"notes only", false, "not inside a word"},
		{"", false, "empty"},
	}
	for _, tt := range tests {
		if got := absence(tt.text); got != tt.want {
			t.Errorf("%s: %q: %v", tt.reason, tt.text, got)
		}
	}
}

func qualityPrompt(response, name, wants string) string {
	return "Response:\n<<<\n" + response + "\n>>>\n\nCriterion: " + name + "\nWhat it is: x.\nThe reader wants: " + wants + "\nWhy: because.\n"
}

func TestJudgeQuality(t *testing.T) {
	tests := []struct {
		response, wants string
		want            int
		reason          string
	}{
		{"Mood colour: much.", "much (4 of 5)", 5, "hit"},
		{"Mood colour: as much as possible.", "as much as possible (5 of 5)", 5, "longest phrase first"},
		{"Mood colour: as much as possible.", "much", 4, "one off"},
		{"Mood colour: none.", "as much as possible", 1, "opposite"},
		{"Mood colour: a little.", "some", 4, "two words"},
		{"Mood colour: purple.", "some", 5, "no phrase: amount 3"},
		{"Nothing about it, much.", "none", 5, "no window: amount 1"},
		{"Nothing about it.", "as much as possible", 1, "no window: amount 1"},
		{"Mood colour: much.", "4 of 5", 4, "a number is not read: value 3"},
		{"Mood colour: not much.", "some", 5, "a negated phrase is not found"},
	}
	for _, tt := range tests {
		var g graded
		decode(t, chat(t, "Reply with JSON: {\"score\": n}", qualityPrompt(tt.response, "Mood colour", tt.wants)), &g)
		if g.Score != tt.want {
			t.Errorf("%s: %q for %q: score %d (%s), want %d", tt.reason, tt.response, tt.wants, g.Score, g.Reason, tt.want)
		}
	}
	// Levels say how well a text serves, and are not used.
	p := qualityPrompt("Mood colour: much.", "Mood colour", "much") + "Levels, from least to most:\n1. much\n2. bad\n"
	var g graded
	decode(t, chat(t, "", p), &g)
	if g.Score != 5 || g.Level != 0 {
		t.Errorf("with levels: %+v", g)
	}
}

func TestReason(t *testing.T) {
	s := scales[0]
	g := judgeOne(t, "Harbour imagery is a thing. Harbour imagery: "+s.levels[3]+".", s)
	if want := `The response says: "Harbour imagery: ` + s.levels[3] + `."`; g.Reason != want {
		t.Errorf("reason %q, want %q", g.Reason, want)
	}
	if g = judgeOne(t, "x", s); g.Reason != "No sentence on Harbour imagery was found." {
		t.Errorf("reason %q", g.Reason)
	}
	if g = judgeOne(t, "Harbour imagery "+strings.Repeat("é ", 500), s); len([]rune(g.Reason)) > 300 {
		t.Errorf("the quote has %d characters", len([]rune(g.Reason)))
	}
}

func TestSingleIsBatched(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 30 {
		var lines []string
		for _, s := range scales {
			if rng.IntN(3) > 0 {
				lines = append(lines, s.name+": "+s.levels[rng.IntN(5)]+" \"quoted\" é.")
			}
		}
		rng.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		response := strings.Join(lines, " ")
		for i, g := range judgeAll(t, response, scales) {
			one := judgeOne(t, response, scales[i])
			if one.Level != g.Level || one.Reason != g.Reason || g.Criterion != scales[i].name {
				t.Errorf("%d: single %+v, batched %+v", n, one, g)
			}
		}
	}
	if got := chat(t, batchedSystem, judgePrompt("x", scales[0])); !strings.HasPrefix(got, `{"results": [`) {
		t.Errorf("one criterion, batched form asked for: %s", got)
	}
	if got := chat(t, "", judgePrompt(`x "results" y`, scales[0])); strings.HasPrefix(got, `{"results"`) {
		t.Errorf("the response asked for the batched form: %s", got)
	}
}

func TestRoundTrip(t *testing.T) {
	slips := 0
	for i := range 40 {
		task := fmt.Sprintf("Why does the %s tide turn?", nonsense(uint64(i)))
		for _, s := range scales {
			for want := range s.levels {
				prompt := solverPrompt(task, []scale{s}, []int{want})
				reply := chat(t, solverSystem, prompt)
				stated := slices.IndexFunc(s.levels, func(l string) bool { return strings.HasSuffix(reply, ": "+l+".") })
				if stated < 0 {
					t.Fatalf("no level of %q in %q", s.name, reply)
				}
				if stated != want {
					slips++
					if stated != want-1 && stated != want+1 {
						t.Errorf("%q slipped from %d to %d", s.name, want, stated)
					}
				}
				if g := judgeOne(t, reply, s); g.Level != stated+1 {
					t.Errorf("%q judged %d, want %d", reply, g.Level, stated+1)
				}
			}
		}
	}
	within(t, "slips with one instruction", slips, 40*len(scales)*5, .1)
}

// within fails if a share is more than four standard errors off.
func within(t *testing.T, what string, hits, n int, p float64) {
	t.Helper()
	got := float64(hits) / float64(n)
	if se := math.Sqrt(p * (1 - p) / float64(n)); math.Abs(got-p) > 4*se {
		t.Errorf("%s: %d of %d = %.4f, want %.2f +- %.4f", what, hits, n, got, p, 4*se)
	}
}

// nonsense makes up a word.
func nonsense(seed uint64) string {
	const consonants, vowels = "bdfgklmnprtvz", "aou"
	h := mix(seed + 1)
	var b []byte
	for range 4 {
		b = append(b, consonants[h%13], vowels[h/13%3])
		h /= 39
	}
	return string(append(b, 'k'))
}

// rename replaces the content words of a text by nonsense, one for each stem.
// Function words, negations and words of absence stay.
func rename(s string) string {
	var b strings.Builder
	last := 0
	for _, t := range appendTokens(nil, s, 0, len(s)) {
		if t.stem == 0 || absenceWords[t.word] || bareAbsence[t.word] {
			continue
		}
		b.WriteString(s[last:t.start])
		b.WriteString(nonsense(t.stem))
		for _, end := range []string{"ing", "ed", "s"} {
			if strings.HasSuffix(s[t.start:t.end], end) {
				b.WriteString(end)
				break
			}
		}
		last = int(t.end)
	}
	return b.String() + s[last:]
}

func renameScale(s scale) scale {
	r := scale{name: rename(s.name)}
	for _, l := range s.levels {
		r.levels = append(r.levels, rename(l))
	}
	return r
}

func TestRenaming(t *testing.T) {
	renamed := make([]scale, len(scales))
	for i, s := range scales {
		renamed[i] = renameScale(s)
	}
	// A judged response keeps its levels when it is renamed with the criteria.
	response := "Harbour imagery matters: here the text speaks like a captain. We use no rhyme, rhyme use being verses.\n" +
		"Mood colour is not much. Kettles talked: nothing on cups. Garden anecdotes without end; compost episodes through June."
	plain, nonsensical := judgeAll(t, response, scales), judgeAll(t, rename(response), renamed)
	for i := range plain {
		if plain[i].Level != nonsensical[i].Level {
			t.Errorf("%s: level %d, renamed (%s) %d", scales[i].name, plain[i].Level, renamed[i].name, nonsensical[i].Level)
		}
	}
	// And the alignment of solved tasks moves less than 2 points.
	rng := rand.New(rand.NewPCG(3, 4))
	const n, m = 500, 6
	var sum [2]float64
	for i := range n {
		perm := rng.Perm(len(scales))[:m]
		want := make([]int, m)
		var lists [2][]scale
		for j, k := range perm {
			want[j] = rng.IntN(5)
			lists[0], lists[1] = append(lists[0], scales[k]), append(lists[1], renamed[k])
		}
		task := fmt.Sprintf("How does the %s work?", nonsense(uint64(i)))
		for v, list := range lists {
			reply := chat(t, solverSystem, solverPrompt(task, list, want))
			for j, g := range judgeAll(t, reply, list) {
				sum[v] += 100 * (4 - math.Abs(float64(g.Level-want[j]-1))) / 4 / (n * m)
			}
		}
	}
	t.Logf("alignment %.2f, renamed %.2f", sum[0], sum[1])
	if math.Abs(sum[0]-sum[1]) >= 2 {
		t.Errorf("alignment %.2f, renamed %.2f", sum[0], sum[1])
	}
}
