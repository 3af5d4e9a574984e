package sim

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

type flags uint8

const (
	function flags = 1 << iota // an article, preposition, pronoun, auxiliary or the like
	negation                   // opens the scope of a negation
	contrast                   // closes it
	quantity                   // says how much
	number                     // a numeral
	breaks                     // a mark before the word closes the scope of a negation
	negated                    // stands in the scope of a negation
)

// A token is a word of a text. Words are compared by hash.
type token struct {
	word       uint64 // the word in lower case
	stem       uint64 // its stem, 0 for function words, negations and numerals
	start, end int32  // where it stands in the text
	flags      flags
}

// lexicon holds the closed word classes. It is never written to.
var lexicon = func() map[string]flags {
	m := make(map[string]flags)
	add := func(f flags, words string) {
		for w := range strings.FieldsSeq(words) {
			m[w] |= f
		}
	}
	add(function, `a an the of to in on at by for from with as into onto upon about
		and or if that this these those there here it its itself he she they them their
		his her him you your yours we our us i me my one's be is are was were been being am
		do does did done has have had having can could will would shall should may might
		must ca wo sha ai how what which who whom whose when where why than while because
		but though although however yet except`)
	add(negation, `no not never none without nothing nor neither nobody nowhere`)
	add(contrast, `but though although however yet except`)
	add(quantity, `some much little few many more most less least all full fully any lot
		lots plenty half very quite`)
	return m
}()

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
	// negatedKey sets a word in the scope of a negation apart from the plain word.
	negatedKey = 0x9e3779b97f4a7c15
)

func hashBytes(h uint64, b []byte) uint64 {
	for _, c := range b {
		h = (h ^ uint64(c)) * fnvPrime
	}
	return h
}

func hashString(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

// mix spreads a hash over all 64 bits (the finaliser of splitmix64).
func mix(h uint64) uint64 {
	h ^= h >> 30
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 27
	h *= 0x94d049bb133111eb
	return h ^ h>>31
}

func wordHash(s string) uint64 { return hashString(fnvOffset, s) }

var notHash = wordHash("not")

// hashWords hashes the words of a text, whatever the spacing, case and marks.
func hashWords(h uint64, toks []token) uint64 {
	for _, t := range toks {
		h = mix(h ^ t.word)
	}
	return h
}

// visible drops what a reader of a text cannot see: format characters, other
// default-ignorable characters and control characters. Line ends become \n.
func visible(s string) string {
	ok := true
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c < ' ' && c != '\n' || c == 0x7f {
			ok = false
			break
		}
	}
	if ok {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i, r := range s {
		switch {
		case r == '\n', r >= ' ' && r < 0x7f:
			b.WriteByte(byte(r))
		case r == '\r':
			if i+1 >= len(s) || s[i+1] != '\n' {
				b.WriteByte('\n')
			}
		case r == '\u2028', r == '\u2029', r == '\u0085':
			b.WriteByte('\n')
		case r == '\t', unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
		case unicode.In(r, unicode.C, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unmarked drops HTML comments, HTML tags and Markdown comment lines.
func unmarked(s string) string {
	if !strings.Contains(s, "<") && !strings.Contains(s, "]:") {
		return s
	}
	var b strings.Builder
	kept, noComment := 0, false
	drop := func(from, to int) {
		b.WriteString(s[kept:from])
		b.WriteByte(' ')
		kept = to
	}
	lineStart := true
	for i := 0; i < len(s); {
		switch {
		case s[i] == '<' && !noComment && strings.HasPrefix(s[i:], "<!--"):
			n := strings.Index(s[i+4:], "-->")
			if n < 0 {
				noComment = true
				break
			}
			drop(i, i+4+n+3)
			i = kept
			continue
		case s[i] == '<':
			if n := tagLen(s[i:]); n > 0 {
				drop(i, i+n)
				i = kept
				continue
			}
		case lineStart && s[i] == '[' && (strings.HasPrefix(s[i:], "[//]:") || strings.HasPrefix(s[i:], "[comment]:")):
			n := strings.IndexByte(s[i:], '\n')
			if n < 0 {
				n = len(s) - i
			}
			drop(i, i+n)
			i = kept
			continue
		}
		lineStart = s[i] == '\n' || lineStart && s[i] == ' '
		i++
	}
	if kept == 0 {
		return s
	}
	b.WriteString(s[kept:])
	return b.String()
}

// tagLen returns the length of the HTML tag at the start of s, 0 if it is none:
// "x <b and c> d" is no tag.
func tagLen(s string) int {
	const longest = 512
	i := 1
	if i < len(s) && s[i] == '/' {
		i++
	}
	if i >= len(s) || !isLetter(s[i]) {
		return 0
	}
	for i < len(s) && (isLetter(s[i]) || isDigit(s[i]) || s[i] == '-') {
		i++
	}
	attr := false
	for name := i; i < len(s) && i < longest; i++ {
		switch c := s[i]; {
		case c == '>':
			if attr || strings.Trim(s[name:i], " /") == "" {
				return i + 1
			}
			return 0
		case c == '<' || c == '\n' || i == name && c != ' ' && c != '/':
			return 0
		case c == '=':
			attr = true
		}
	}
	return 0
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

func isWordByte(c byte) bool { return isLetter(c) || isDigit(c) }

func isWordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r)
}

// wordAt reports whether a word goes on at s[i], and the size of the character.
func wordAt(s string, i int) (size int, ok bool) {
	if i >= len(s) {
		return 0, false
	}
	if c := s[i]; c < utf8.RuneSelf {
		return 1, isWordByte(c)
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	return n, isWordRune(r)
}

// apostropheAt returns the size of an apostrophe at s[i], 0 if there is none.
func apostropheAt(s string, i int) int {
	switch {
	case i < len(s) && s[i] == '\'':
		return 1
	case strings.HasPrefix(s[min(i, len(s)):], "’"):
		return len("’")
	}
	return 0
}

// appendTokens appends the words of s[from:to] to dst and marks the scopes of
// negations.
func appendTokens(dst []token, s string, from, to int) []token {
	first := len(dst)
	s = s[:to]
	brk := false
	var space [64]byte
	for i := from; i < to; {
		size, ok := wordAt(s, i)
		if !ok {
			brk = brk || breaksAt(s, i)
			i += size
			continue
		}
		start, ascii, digits := i, true, true
		buf := space[:0]
		clitic := "" // what follows an apostrophe and ends the word
	word:
		for i < to {
			c := s[i]
			switch {
			case isLetter(c):
				buf = append(buf, c|0x20)
				digits = false
				i++
			case isDigit(c):
				buf = append(buf, c)
				i++
			case digits && (c == '.' || c == ',') && i+1 < to && isDigit(s[i+1]):
				i++
			default:
				if n := apostropheAt(s, i); n > 0 {
					if _, ok := wordAt(s, i+n); !ok {
						break word
					}
					if clitic = cliticAt(s, i+n); clitic != "" {
						i += n + len(clitic)
						break word
					}
					i += n
					continue
				}
				if c < utf8.RuneSelf {
					break word
				}
				r, n := utf8.DecodeRuneInString(s[i:])
				if !isWordRune(r) {
					break word
				}
				buf = utf8.AppendRune(buf, unicode.ToLower(r))
				ascii = false
				digits = digits && unicode.IsDigit(r)
				i += n
			}
		}
		t := token{start: int32(start), end: int32(i)}
		if brk {
			t.flags = breaks
			brk = false
		}
		switch {
		case digits:
			t.word = hashBytes(fnvOffset, buf)
			t.flags |= number
			dst = append(dst, t)
			continue
		case clitic == "t" && len(buf) > 1 && buf[len(buf)-1] == 'n':
			dst = append(dst, word(t, buf[:len(buf)-1], ascii))
			t.word, t.flags = notHash, negation
			dst = append(dst, t)
			continue
		case clitic == "t":
			buf = append(buf, 't')
		case string(buf) == "cannot":
			dst = append(dst, word(t, buf[:3], ascii))
			t.word, t.flags = notHash, negation
			dst = append(dst, t)
			continue
		}
		dst = append(dst, word(t, buf, ascii))
	}
	markNegated(dst[first:], 0, 0)
	return dst
}

// word fills in hashes and word class of a token.
func word(t token, lower []byte, ascii bool) token {
	t.word = hashBytes(fnvOffset, lower)
	if !ascii {
		t.stem = t.word
		return t
	}
	if len(lower) <= 8 {
		t.flags |= lexicon[string(lower)]
	}
	if t.flags&(function|negation) == 0 {
		var space [64]byte
		t.stem = hashBytes(fnvOffset, stem(append(space[:0], lower...)))
	}
	return t
}

// cliticAt returns what stands at s[i] if it is the end of a contracted word.
func cliticAt(s string, i int) string {
	for _, c := range [...]string{"s", "t", "d", "m", "re", "ll", "ve"} {
		if len(s)-i >= len(c) && strings.EqualFold(s[i:i+len(c)], c) {
			if _, ok := wordAt(s, i+len(c)); !ok {
				return c
			}
		}
	}
	return ""
}

// breaksAt reports whether the mark at s[i] closes the scope of a negation.
func breaksAt(s string, i int) bool {
	switch s[i] {
	case ',', ';', ':', '(', ')', '[', ']', '|', '\n', '.', '!', '?':
		return true
	case '-':
		return i > 0 && i+1 < len(s) && s[i-1] == ' ' && s[i+1] == ' '
	case 0xe2, 0xe3, 0xef:
		for _, m := range [...]string{"–", "—", "…", "、", "。", "，", "：", "；", "！", "？"} {
			if strings.HasPrefix(s[i:], m) {
				return true
			}
		}
	}
	return false
}

// markNegated marks the words in the scope of a negation: from the negation to
// the next mark or contrasting word. The words skip[from:to] neither open nor
// close a scope.
func markNegated(toks []token, from, to int) {
	in := false
	for i := range toks {
		t := &toks[i]
		t.flags &^= negated
		if i >= from && i < to {
			continue
		}
		if t.flags&(breaks|contrast) != 0 {
			in = false
		}
		switch {
		case t.flags&negation != 0:
			in = true
		case in:
			t.flags |= negated
		}
	}
}

// stem cuts English endings off a word in lower case. It may overwrite b.
func stem(b []byte) []byte {
	ends := func(s string) bool { return len(b) > len(s) && string(b[len(b)-len(s):]) == s }
	n := len(b)
	switch {
	case n < 4:
	case ends("sses"), ends("xes"), ends("ches"), ends("shes"), ends("oes"):
		b = b[:n-2]
	case ends("ies"):
		if n > 4 {
			b = append(b[:n-3], 'y')
		} else {
			b = b[:n-1]
		}
	case ends("s") && !ends("ss") && !ends("us") && !ends("is"):
		b = b[:n-1]
	}
	if ends("ly") && len(b) >= 5 {
		b = b[:len(b)-2]
	}
	if ends("ness") && len(b) >= 7 {
		b = b[:len(b)-4]
	}
	cut := 0
	switch {
	case ends("ing"):
		cut = 3
	case ends("ed") && !ends("eed"):
		cut = 2
	}
	if root := len(b) - cut; cut > 0 && root == 2 && isVowel(b[0]) && !isVowel(b[1]) {
		b = append(b[:root], 'e') // used, aging
	} else if cut > 0 && root >= 3 && hasVowel(b[:root]) {
		b = b[:root]
		if c := b[root-1]; root > 3 && c == b[root-2] && !isVowel(c) && c != 'l' && c != 's' && c != 'z' {
			b = b[:root-1]
		}
	}
	n = len(b)
	switch {
	case n >= 4 && b[n-1] == 'e':
		b = b[:n-1]
	case n >= 3 && b[n-1] == 'y' && !isVowel(b[n-2]):
		b[n-1] = 'i'
	}
	return b
}

func isVowel(c byte) bool {
	return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y'
}

func hasVowel(b []byte) bool { return slices.ContainsFunc(b, isVowel) }

type span struct{ start, end int }

// appendSentences appends the sentences of s to dst, without surrounding blanks.
func appendSentences(dst []span, s string) []span {
	start := 0
	cut := func(end, next int) {
		from := start
		for from < end && s[from] == ' ' {
			from++
		}
		for end > from && s[end-1] == ' ' {
			end--
		}
		if end > from {
			dst = append(dst, span{from, end})
		}
		start = next
	}
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\n':
			cut(i, i+1)
		case c == '.' || c == '!' || c == '?' || c == 0xe2 && strings.HasPrefix(s[i:], "…"):
			end, ok := sentenceEnd(s, start, i)
			if ok {
				cut(end, end)
			}
			i = end
			continue
		case c == 0xe2 && strings.HasPrefix(s[i:], "•"):
			cut(i, i+len("•"))
			i += len("•")
			continue
		case c == 0xe3 && strings.HasPrefix(s[i:], "。"),
			c == 0xef && (strings.HasPrefix(s[i:], "！") || strings.HasPrefix(s[i:], "？")):
			cut(i+3, i+3)
			i += 3
			continue
		}
		i++
	}
	cut(len(s), len(s))
	return dst
}

// sentenceEnd looks at the marks at s[i]. It returns where they and the quotes
// and brackets that follow them end, and whether a sentence that began at start
// ends there too.
func sentenceEnd(s string, start, i int) (end int, ok bool) {
	j, marks, onlyDots := i, 0, true
	for j < len(s) {
		if c := s[j]; c == '.' || c == '!' || c == '?' {
			onlyDots = onlyDots && c == '.'
			j++
		} else if strings.HasPrefix(s[j:], "…") {
			j += len("…")
			marks++
		} else {
			break
		}
		marks++
	}
	end = j
closers:
	for end < len(s) {
		switch s[end] {
		case ')', ']', '"', '\'', '*', '_':
			end++
			continue
		case 0xe2:
			if strings.HasPrefix(s[end:], "”") || strings.HasPrefix(s[end:], "’") {
				end += 3
				continue
			}
		}
		break closers
	}
	if end < len(s) && s[end] != ' ' && s[end] != '\n' {
		return j, false
	}
	next := end
	for next < len(s) && s[next] == ' ' {
		next++
	}
	lowerNext := false
	if next < len(s) {
		r, _ := utf8.DecodeRuneInString(s[next:])
		lowerNext = unicode.IsLower(r)
	}
	if marks > 1 && onlyDots {
		return end, !lowerNext
	}
	if marks > 1 || s[i] != '.' {
		return end, true
	}
	w := i
	for w > start && (isLetter(s[w-1]) || s[w-1] == '.') {
		w--
	}
	if w == i {
		// A list marker such as "1." does not end a sentence.
		marker := strings.TrimLeft(s[start:i], " ")
		return end, marker == "" || strings.Trim(marker, "0123456789") != ""
	}
	switch before := s[w:i]; abbreviation(before) {
	case abbreviates:
		return end, false
	case mayEnd:
		return end, !lowerNext
	}
	return end, true
}

const (
	plain = iota
	abbreviates
	mayEnd
)

// abbreviation classes the word before a full stop.
func abbreviation(w string) int {
	if len(w) > 6 {
		return plain
	}
	var space [8]byte
	b := append(space[:0], w...)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	switch string(b) {
	case "e.g", "i.e", "eg", "ie", "vs", "cf", "viz", "dr", "mr", "mrs", "ms", "prof", "approx", "fig", "resp", "st":
		return abbreviates
	case "etc", "al", "inc", "ca", "esp", "incl", "dept":
		return mayEnd
	}
	// Letters with stops, such as "a.m".
	if len(b)%2 == 1 && len(b) > 1 {
		for i := 1; i < len(b); i += 2 {
			if b[i] != '.' {
				return plain
			}
		}
		return mayEnd
	}
	return plain
}

// onePhrase makes a text fit into one sentence: sentence-ending marks are taken
// out (a stop between two characters of a word or number stays) and blanks run
// together.
func onePhrase(s string) string {
	s = strings.TrimRight(s, " .!?")
	if !strings.ContainsAny(s, ".!?…•。！？\n") && !strings.Contains(s, "  ") {
		return strings.TrimLeft(s, " ")
	}
	var b strings.Builder
	for i, r := range s {
		switch r {
		case '!', '?', '…', '•', '。', '！', '？':
			continue
		case '.':
			if i == 0 || i+1 >= len(s) || !isWordByte(s[i-1]) || !isWordByte(s[i+1]) {
				continue
			}
		case '\n':
			r = ' '
		}
		b.WriteRune(r)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
