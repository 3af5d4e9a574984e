package interpret

import (
	"slices"
	"strings"
	"unicode"
)

// clitics are the ends of contracted words, and what they stand for.
var clitics = map[string]string{"s": "", "m": "am", "d": "would", "ll": "will", "re": "are", "ve": "have"}

var apostrophes = strings.NewReplacer("’", "'", "‘", "'", "ʼ", "'")

// wordsOf gives the words of a text in lower case, contracted forms taken apart.
func wordsOf(s string) []string {
	var out []string
	s = apostrophes.Replace(s)
	fields := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) && r != '\''
	})
	for _, w := range fields {
		if !strings.Contains(w, "'") && w != "cannot" {
			out = append(out, w)
			continue
		}
		w = strings.Trim(w, "'")
		head, tail, ok := strings.Cut(w, "'")
		switch {
		case w == "":
		case w == "cannot":
			out = append(out, "can", "not")
		case ok && tail == "t" && strings.HasSuffix(head, "n"):
			switch head {
			case "can":
			case "won":
				head = "will"
			default:
				head = head[:len(head)-1]
			}
			out = append(out, head, "not")
		case ok:
			out = append(out, strings.ReplaceAll(head, "'", ""))
			if full, known := clitics[tail]; !known {
				out = append(out, strings.ReplaceAll(tail, "'", ""))
			} else if full != "" {
				out = append(out, full)
			}
		default:
			out = append(out, w)
		}
	}
	return out
}

// sentences cuts a text at the ends of lines and where . ! or ? is followed by a blank,
// a quote or a bracket, or by nothing.
func sentences(s string) []string {
	var out []string
	from := 0
	cut := func(to int) {
		if t := strings.TrimSpace(s[from:to]); t != "" {
			out = append(out, t)
		}
	}
	for i, r := range s {
		switch r {
		case '\n', '\r', '\u2028', '\u2029':
			cut(i)
			from = i
		case '.', '!', '?':
			rest := s[i+1:]
			if rest == "" || strings.ContainsRune(" \t\n\r\"')]*_", rune(rest[0])) || strings.HasPrefix(rest, "”") {
				cut(i + 1)
				from = i + 1
			}
		}
	}
	cut(len(s))
	return out
}

// function words have no stem.
var function = setOf(`a an the of to in on at by for from with as into onto upon about and or if that this these those
	there it its he she they them their his her him you your yours we our us i me my is are was were be been being am do does did
	has have had can could will would shall should may might must how what which who when where why than then`)

func setOf(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}

// stem cuts the commonest English endings off a word.
func stem(w string) string {
	for _, end := range []string{"ness", "ly", "ing", "ies", "es", "ed", "s"} {
		root, ok := strings.CutSuffix(w, end)
		if !ok || len(root) < 3 || end == "s" && (strings.HasSuffix(root, "s") || strings.HasSuffix(root, "u") || strings.HasSuffix(root, "i")) {
			continue
		}
		if end == "ies" {
			root += "y"
		}
		w = root
		break
	}
	if len(w) > 3 {
		w = strings.TrimSuffix(w, "e")
	}
	return w
}

// stemsOf gives the stems of words that are not function words, each once.
func stemsOf(words []string) []string {
	var out []string
	for _, w := range words {
		if s := stem(w); !function[w] && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// find gives where phrase begins in words, each of its places, overlaps included.
func find(words, phrase []string) []int {
	var at []int
	for i := 0; len(phrase) > 0 && i+len(phrase) <= len(words); i++ {
		if slices.Equal(words[i:i+len(phrase)], phrase) {
			at = append(at, i)
		}
	}
	return at
}
