package sim

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// Introduction is the reply to what no role fits.
const Introduction = "I am the embedded simulator. I recognise the prompts of the benchmark and nothing else."

// replyTo answers the messages of a request.
func replyTo(msgs []message) (string, error) {
	salt := uint64(fnvOffset)
	for _, m := range msgs {
		salt = mix(hashString(salt, m.text))
	}
	var p prompt
	for _, m := range slices.Backward(msgs) {
		if m.Role == "user" {
			if p = recognise(m.text); p.role != noRole {
				break
			}
		}
	}
	if p.role == noRole {
		var all []string
		for _, m := range msgs {
			if m.Role == "user" || m.system() {
				all = append(all, m.text)
			}
		}
		p = recognise(strings.Join(all, "\n"))
	}
	switch p.role {
	case solverRole:
		return solve(p.text, salt), nil
	case judgeRole:
		results := strings.Contains(p.text, `"results"`)
		for _, m := range msgs {
			results = results || m.system() && strings.Contains(m.text, `"results"`)
		}
		return judge(p, results)
	case correctnessRole:
		return correctness(p), nil
	case userRole:
		return answerAsUser(p.text, salt), nil
	case askerRole:
		return ask(p.text), nil
	case interpreterRole:
		return interpret(p), nil
	case placerRole:
		return place(p.text), nil
	case openAskerRole:
		return askOpenly(p.text), nil
	}
	return Introduction, nil
}

func writeInt(b *bytes.Buffer, n int) { b.Write(strconv.AppendInt(nil, int64(n), 10)) }

// fieldText returns the text of the first field line of a kind, and what follows
// that line. Without text on the line it is the next line that is not blank.
func fieldText(s string, want field) (text, rest string) {
	for s != "" {
		var line string
		line, s = cutLine(s)
		f, tail := fieldOf(line)
		if f != want {
			continue
		}
		if tail != "" {
			return tail, s
		}
		for next := s; next != ""; {
			line, next = cutLine(next)
			if line = strings.TrimSpace(line); line != "" {
				return line, s
			}
		}
		return "", s
	}
	return "", ""
}

// correctness compares the final answer of a response with the reference.
func correctness(p prompt) string {
	reference, _ := fieldText(p.text, fieldReference)
	answer, ok := finalAnswer(p.fenced)
	right := ok && sameAnswer(answer, reference)
	var b bytes.Buffer
	b.WriteString(`{"correct": `)
	b.WriteString(strconv.FormatBool(right))
	b.WriteString(`, "reason": `)
	switch {
	case !ok:
		writeString(&b, "The response has no final answer.")
	case right:
		writeString(&b, `The final answer "`+cutRunes(answer, 120)+`" agrees with the reference.`)
	default:
		writeString(&b, `The final answer "`+cutRunes(answer, 120)+`" differs from the reference.`)
	}
	b.WriteByte('}')
	return b.String()
}

// finalAnswer returns the text after the last "Answer:" of a response.
func finalAnswer(response string) (string, bool) {
	const mark = "answer"
	for i := len(response) - len(mark); i >= 0; i-- {
		if !strings.EqualFold(response[i:i+len(mark)], mark) || i > 0 && isWordByte(response[i-1]) {
			continue
		}
		rest, ok := strings.CutPrefix(strings.TrimLeft(response[i+len(mark):], " *"), ":")
		if !ok {
			continue
		}
		line, _ := cutLine(strings.TrimLeft(rest, " *\n"))
		line = strings.Trim(line, " *")
		return line, line != ""
	}
	return "", false
}

// sameAnswer compares by label, by value, or by words.
func sameAnswer(answer, reference string) bool {
	label, text := splitLabel(reference)
	if got, words := splitLabel(answer); label != 0 {
		return got == label || got == 0 && text != "" && sameWords(words, text)
	}
	if want, ok := numeral(reference); ok {
		got, ok := numeral(firstNumeral(answer))
		return ok && got == want
	}
	return strings.TrimSpace(reference) != "" && sameWords(answer, reference)
}

// splitLabel splits "B", "(B) text", "B) text" or "B. text". Without a label it
// is 0.
func splitLabel(s string) (label byte, text string) {
	t := strings.TrimPrefix(strings.Trim(s, " *"), "(")
	if t == "" || !isLetter(t[0]) {
		return 0, s
	}
	if len(t) > 1 && t[1] != ')' && t[1] != '.' && t[1] != ':' {
		return 0, s
	}
	if len(t) > 2 && t[2] != ' ' {
		return 0, s
	}
	return t[0] &^ 0x20, strings.TrimSpace(t[min(len(t), 2):])
}

// numeral reads a number, with or without separators of thousands, a currency or
// a percent sign.
func numeral(s string) (float64, bool) {
	s = strings.NewReplacer(",", "", "$", "", "€", "", "£", "", "%", "", "−", "-", " ", "").Replace(s)
	s = strings.TrimRight(s, ".")
	if strings.Trim(s, "+-.0123456789") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}

// firstNumeral returns the first number in a text.
func firstNumeral(s string) string {
	s = strings.ReplaceAll(s, "−", "-")
	i := strings.IndexAny(s, "0123456789")
	if i < 0 {
		return ""
	}
	from := i
	if from > 0 && s[from-1] == '.' {
		from--
	}
	if from > 0 && s[from-1] == '-' {
		from--
	}
	for i < len(s) && (isDigit(s[i]) || (s[i] == '.' || s[i] == ',') && i+1 < len(s) && isDigit(s[i+1])) {
		i++
	}
	return s[from:i]
}

// ask asks for the first listed criterion that has not been asked.
func ask(text string) string {
	_, rest := fieldText(text, fieldAskable)
	list := items(rest)
	asked := make([]bool, len(list))
	for s := text; s != ""; {
		var line string
		line, s = cutLine(s)
		f, q := fieldOf(line)
		if f != fieldAsked || q == "" {
			continue
		}
		if i := slices.IndexFunc(list, func(it item) bool { return sameWords(it.text, q) }); i >= 0 {
			asked[i] = true
			continue
		}
		toks := appendTokens(nil, q, 0, len(q))
		for i, it := range list {
			n := readName(it.name)
			asked[i] = asked[i] || n.in(toks)
		}
	}
	i := slices.Index(asked, false)
	if i < 0 {
		return `{"action": "answer"}`
	}
	var b bytes.Buffer
	b.WriteString(`{"action": "ask", "text": `)
	writeString(&b, list[i].text)
	b.WriteByte('}')
	return b.String()
}

// indifferent lists words that, in this order and close together, say that
// somebody does not care.
var indifferent = func() [][]uint64 {
	var list [][]uint64
	for _, s := range [...]string{
		"no preference", "no preferences", "no opinion", "not mind", "not care", "not matter",
		"not important", "no strong", "no matter", "up to you", "either is fine", "not fussed",
	} {
		var p []uint64
		for w := range strings.FieldsSeq(s) {
			p = append(p, wordHash(w))
		}
		list = append(list, p)
	}
	return list
}()

// indifferentIn reports whether a reply says that its author does not care.
func indifferentIn(toks []token) bool {
	const gap = 2 // words that may stand in between
	for _, p := range indifferent {
		for i := range toks {
			j, k := i, 0
			for skipped := 0; j < len(toks) && k < len(p) && skipped <= gap; j++ {
				switch {
				case toks[j].word == p[k]:
					k, skipped = k+1, 0
				case k == 0:
					skipped = gap + 1
				default:
					skipped++
				}
			}
			if k == len(p) {
				return true
			}
		}
	}
	return false
}

// interpret reads the level out of a user's reply.
func interpret(p prompt) string {
	var levels []string
	for s := p.text; s != "" && levels == nil; {
		var line string
		line, s = cutLine(s)
		if f, _ := fieldOf(line); f == fieldLevels {
			levels = numbered(s)
		}
	}
	if len(levels) == 0 {
		levels = ladder[:]
	}
	toks := appendTokens(nil, p.fenced, 0, len(p.fenced))
	list := entries(levels, &name{})
	best, any := level([]found{{sentence: sentence{toks: toks}}}, list, len(levels))
	full := any // the reply has all words of the level
	for _, e := range list {
		if e.level == best && !slices.ContainsFunc(toks, func(t token) bool { return key(t) == e.key }) {
			full = false
			break
		}
	}
	switch {
	case !full && indifferentIn(toks):
		return `{"held": false, "level": null}`
	case !any:
		return `{"held": true, "level": null}`
	}
	return `{"held": true, "level": ` + strconv.Itoa(best+1) + `}`
}
