package sim

import (
	"slices"
	"strings"
	"testing"
)

func TestStem(t *testing.T) {
	tests := []struct{ a, b, reason string }{
		{"stories", "story", "plural in ies"},
		{"boxes", "box", "plural in es after x"},
		{"classes", "class", "plural after ss"},
		{"planning", "plan", "doubled consonant before ing"},
		{"timing", "time", "ing after a dropped e"},
		{"timed", "times", "ed and s"},
		{"using", "used", "a short root"},
		{"using", "use", "a short root"},
		{"detailed", "details", "ed and s"},
		{"happily", "happy", "ly after i"},
		{"blunt", "bluntly", "ly"},
		{"bluntness", "blunt", "ness"},
		{"spelling", "spell", "ll stays"},
	}
	for _, tt := range tests {
		if a, b := string(stem([]byte(tt.a))), string(stem([]byte(tt.b))); a != b {
			t.Errorf("%s: %q -> %q, %q -> %q", tt.reason, tt.a, a, tt.b, b)
		}
	}
	for _, tt := range []struct{ word, want, reason string }{
		{"string", "string", "no vowel before ing"},
		{"analysis", "analysis", "is is no plural"},
		{"bus", "bus", "too short"},
		{"speed", "speed", "eed is no past"},
		{"red", "red", "nothing would be left"},
		{"", "", "empty"},
		{"s", "s", "one letter"},
	} {
		if got := string(stem([]byte(tt.word))); got != tt.want {
			t.Errorf("%s: %q -> %q, want %q", tt.reason, tt.word, got, tt.want)
		}
	}
}

func TestSentences(t *testing.T) {
	tests := []struct {
		text   string
		want   []string
		reason string
	}{
		{"One. Two! Three? Four", []string{"One.", "Two!", "Three?", "Four"}, "plain marks"},
		{"Take 2.5 cups. Stir.", []string{"Take 2.5 cups.", "Stir."}, "decimal point"},
		{"Use herbs, e.g. Thyme or sage. Done.", []string{"Use herbs, e.g. Thyme or sage.", "Done."}, "abbreviation before a capital"},
		{"Salt, pepper etc. are fine. Yes.", []string{"Salt, pepper etc. are fine.", "Yes."}, "etc. inside"},
		{"Salt, pepper etc. Then rest.", []string{"Salt, pepper etc.", "Then rest."}, "etc. at the end"},
		{"Come at 5 p.m. and wait.", []string{"Come at 5 p.m. and wait."}, "letters with stops"},
		{"Dr. Who came. Bye.", []string{"Dr. Who came.", "Bye."}, "title"},
		{"- one\n- two", []string{"- one", "- two"}, "bullets"},
		{"• one • two", []string{"one", "two"}, "bullets in a line"},
		{"1. First thing\n2. Second thing", []string{"1. First thing", "2. Second thing"}, "list markers"},
		{"It is 12. Next.", []string{"It is 12.", "Next."}, "number at the end"},
		{"Wait... what? Oh... No.", []string{"Wait... what?", "Oh...", "No."}, "dots"},
		{"Really?! (Yes.) \"So.\" End", []string{"Really?!", "(Yes.)", "\"So.\"", "End"}, "runs and closing marks"},
		{"See example.com now.", []string{"See example.com now."}, "stop inside a word"},
		{"\n\n  \n", nil, "blank"},
		{"好。不好！", []string{"好。", "不好！"}, "wide marks"},
	}
	for _, tt := range tests {
		var got []string
		for _, s := range appendSentences(nil, tt.text) {
			got = append(got, tt.text[s.start:s.end])
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q -> %q, want %q", tt.reason, tt.text, got, tt.want)
		}
	}
}

// show writes tokens as words, - before the negated, # before numerals.
func show(s string) string {
	var out []string
	for _, t := range appendTokens(nil, s, 0, len(s)) {
		w := strings.ToLower(s[t.start:t.end])
		if t.word == notHash {
			w = "not"
		}
		if t.flags&number != 0 {
			w = "#" + w
		}
		if t.flags&negated != 0 {
			w = "-" + w
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

func TestNegationScope(t *testing.T) {
	tests := []struct{ text, want, reason string }{
		{"no maps shown", "no -maps -shown", "no"},
		{"maps are not shown, routes are", "maps are not -shown routes are", "a comma closes"},
		{"never shows maps but names routes", "never -shows -maps but names routes", "but closes"},
		{"without maps: routes", "without -maps routes", "a colon closes"},
		{"none", "none", "the negation itself is plain"},
		{"Maps aren't shown", "maps aren't not -shown", "n't"},
		{"It cannot go", "it cannot not -go", "cannot"},
		{"it can’t go", "it can’t not -go", "curly apostrophe"},
		{"nothing - then maps", "nothing then maps", "a dash closes"},
		{"no step-by-step maps", "no -step -by -step -maps", "a hyphen does not"},
		{"the reader's 2.5 maps", "the reader's #2.5 maps", "possessive, numeral"},
		{"note the notes", "note the notes", "note is no negation"},
	}
	for _, tt := range tests {
		if got := show(tt.text); got != tt.want {
			t.Errorf("%s: %q -> %q, want %q", tt.reason, tt.text, got, tt.want)
		}
	}
}

func TestVisible(t *testing.T) {
	tests := []struct{ text, want, reason string }{
		{"plain\ntext", "plain\ntext", "nothing to do"},
		{"a\u200bb\u200dc\ufeff\u00ad\u2060", "abc", "format characters"},
		{"a\ufe0f\U000e0101\u034f\u115f", "a", "selectors and fillers"},
		{"\U000e0041\U000e0042x", "x", "tag characters"},
		{"a\x00\x1bb", "ab", "control characters"},
		{"a\r\nb\rc\u2028d", "a\nb\nc\nd", "line ends"},
		{"a\tb\u00a0c", "a b c", "blanks"},
		{"naïve 名前", "naïve 名前", "letters stay"},
	}
	for _, tt := range tests {
		if got := visible(tt.text); got != tt.want {
			t.Errorf("%s: %q -> %q, want %q", tt.reason, tt.text, got, tt.want)
		}
	}
}

func TestUnmarked(t *testing.T) {
	tests := []struct{ text, want, reason string }{
		{"a <!-- much --> b", "a   b", "comment"},
		{"a <!-- never closed", "a <!-- never closed", "open comment"},
		{"a <b>c</b> <br/>", "a  c   ", "tags"},
		{`a <i data-level="5">c`, "a  c", "tag with attribute"},
		{"x <b and c> d", "x <b and c> d", "comparison"},
		{"1 < 2 and 3 > 2", "1 < 2 and 3 > 2", "comparison with blanks"},
		{"<<<\nx\n>>>", "<<<\nx\n>>>", "fence"},
		{"a\n[//]: # (much)\nb", "a\n \nb", "markdown comment"},
	}
	for _, tt := range tests {
		if got := unmarked(tt.text); got != tt.want {
			t.Errorf("%s: %q -> %q, want %q", tt.reason, tt.text, got, tt.want)
		}
	}
}

func TestOnePhrase(t *testing.T) {
	for _, s := range []string{"one. two! three?", "e.g. this one", "a … b", "x\ny", "• z", "Stop.", "2.5 cups", "etc. Then", "a.b. C"} {
		text := "As to it: " + onePhrase(s) + "."
		if n := len(appendSentences(nil, text)); n != 1 {
			t.Errorf("%q -> %q: %d sentences", s, text, n)
		}
	}
}
