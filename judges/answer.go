package judges

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"pepbench/domains"
)

// FinalAnswer reads the answer that a response states: the label of an option, by
// its label or its whole text, or the number when the task has no options. It looks
// at
//
//	Answer: X                   a line that begins so; else
//	The answer is X             a sentence that begins so; else
//	X                           a response that is nothing else
//
// and is conservative: where a statement is not plainly one answer, or two of them
// differ, nothing is found.
func FinalAnswer(response string, options []domains.Option) (string, bool) {
	found := ""
	for _, s := range statements(response) {
		one, ok := "", false
		if len(options) > 0 {
			one, ok = optionOf(s, options)
		} else {
			one, _, ok = number(s)
		}
		if !ok || found != "" && found != one {
			return "", false
		}
		found = one
	}
	return found, found != ""
}

var (
	// answerLine matches a line that begins with "Answer:".
	answerLine = regexp.MustCompile(`(?i)^[\s*_#>]*(?:the\s+)?(?:final\s+|correct\s+|right\s+|best\s+)?answer(?:\s+is)?[\s*_]*[:=](.*)$`)

	// answerSentence matches a sentence that begins with "The answer is".
	answerSentence = regexp.MustCompile(`(?i)(?:^|[.!?:]\s+)[\s*_#>]*(?:so|thus|hence|therefore)?,?\s*(?:the|my)\s+(?:final\s+|correct\s+|right\s+|best\s+)?answer\s+is\s+(.*)$`)

	// sentenceEnd is where what "The answer is" introduces ends.
	sentenceEnd = regexp.MustCompile(`[.;!?](?:\s|$)|,\s|\s(?:because|since|as)\s`)
)

// statements gives what a response calls its answer.
func statements(response string) []string {
	var lines, sentences []string
	waiting := false // the last line was "Answer:" and nothing else
	for line := range strings.Lines(response) {
		line = strings.TrimSpace(line)
		if waiting && line != "" {
			lines, waiting = append(lines, line), false
			continue
		}
		if !hasAnswer(line) {
			continue
		}
		if m := answerLine.FindStringSubmatch(line); m != nil {
			if bare(m[1]) == "" {
				waiting = true
			} else {
				lines = append(lines, m[1])
			}
		} else if m := answerSentence.FindStringSubmatch(line); m != nil {
			s := m[1]
			if at := sentenceEnd.FindStringIndex(s); at != nil {
				s = s[:at[0]]
			}
			sentences = append(sentences, s)
		}
	}
	switch {
	case len(lines) > 0:
		return lines
	case len(sentences) > 0:
		return sentences
	case !waiting && len(response) < 1000:
		if s := strings.TrimSpace(response); s != "" && !strings.Contains(s, "\n") {
			return []string{s}
		}
	}
	return nil
}

// hasAnswer reports whether a line has the word answer; most have not, and the
// expressions need not look at them.
func hasAnswer(line string) bool {
	for i := 0; i+len("answer") <= len(line); i++ {
		if line[i]|0x20 == 'a' && strings.EqualFold(line[i:i+len("answer")], "answer") {
			return true
		}
	}
	return false
}

// marks are what may surround an answer without being part of it.
const marks = " \t\r*_`\"'“”‘’"

// bare takes marks and a full stop off an answer.
func bare(s string) string {
	return strings.TrimRight(strings.Trim(s, marks), marks+".")
}

// optionOf reads a statement that names an option: its text, its label, or its
// label and more, unless that more is the text of another option or has the label
// of another.
func optionOf(said string, options []domains.Option) (string, bool) {
	said = bare(said)
	label := ""
	for _, o := range options {
		if strings.EqualFold(said, bare(o.Text)) {
			if label != "" {
				return "", false // two options say the same
			}
			label = o.Label
		}
	}
	if label != "" {
		return label, true
	}
	said = strings.TrimLeft(said, marks+"([")
	for _, word := range []string{"option ", "choice "} {
		if len(said) > len(word) && strings.EqualFold(said[:len(word)], word) {
			said = strings.TrimLeft(said[len(word):], marks+"([")
		}
	}
	for i := range options {
		rest, ok := afterLabel(said, options[i].Label)
		if !ok {
			continue
		}
		if label != "" {
			return "", false // one label begins with the other
		}
		if !agrees(rest, options, i) {
			return "", false
		}
		label = options[i].Label
	}
	return label, label != ""
}

// afterLabel gives what follows a label that s begins with. A label alone may be
// in either case; one with more after it is as the options have it, and a closing
// mark or a dash stands between.
func afterLabel(s, label string) (rest string, ok bool) {
	if label == "" || len(s) < len(label) {
		return "", false
	}
	head, rest := s[:len(label)], s[len(label):]
	if strings.Trim(rest, marks+").]:,;") == "" {
		return "", strings.EqualFold(head, label)
	}
	if head != label {
		return "", false
	}
	spaced := rest != strings.TrimLeft(rest, marks)
	rest = strings.TrimLeft(rest, marks)
	r, size := utf8.DecodeRuneInString(rest)
	switch {
	case strings.ContainsRune(").]:,;", r):
		// "A.5" and "1.5" are no labels.
		if next, _ := utf8.DecodeRuneInString(rest[size:]); r == '.' && (unicode.IsLetter(next) || unicode.IsDigit(next)) {
			return "", false
		}
	case spaced && strings.ContainsRune("-–—", r):
	default:
		return "", false
	}
	return rest[size:], true
}

// agrees reports whether the words after the label of option i can stand with it.
func agrees(rest string, options []domains.Option, i int) bool {
	rest = bare(rest)
	if own := bare(options[i].Text); own != "" && len(rest) >= len(own) && strings.EqualFold(rest[:len(own)], own) {
		rest = bare(rest[len(own):])
	}
	for j := range options {
		if j == i {
			continue
		}
		if text := bare(options[j].Text); text != "" && strings.EqualFold(rest, text) {
			return false
		}
	}
	for word := range strings.FieldsFuncSeq(rest, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		for j := range options {
			if j != i && word == options[j].Label {
				return false
			}
		}
	}
	return true
}

// numeral is a decimal number, its thousands perhaps in groups.
var numeral = regexp.MustCompile(`^[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?$`)

// number reads a statement that is a number and nothing else, but for marks, a
// dollar sign and a full stop. text is the number without them.
func number(s string) (text string, v float64, ok bool) {
	s = strings.ReplaceAll(bare(s), "−", "-")
	s = strings.Trim(strings.Replace(s, "$", "", 2), marks)
	if len(s) > 40 || !numeral.MatchString(s) {
		return "", 0, false
	}
	s = strings.ReplaceAll(s, ",", "")
	v, err := strconv.ParseFloat(s, 64)
	return s, v, err == nil
}
