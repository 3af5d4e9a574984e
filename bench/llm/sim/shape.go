package sim

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// A field is the key of a field line.
type field uint8

const (
	noField field = iota
	fieldTask
	fieldWants
	fieldResponse
	fieldCriterion
	fieldLevels
	fieldReference
	fieldAskable
	fieldAsked
	fieldCare
	fieldQuestion
	fieldReply
	fieldQuestionAsked
	fieldOther // a key that plays a part in the prompts, but is not read
	fields
)

type role uint8

const (
	noRole role = iota
	solverRole
	judgeRole
	correctnessRole
	userRole
	askerRole
	interpreterRole
	placerRole
	openAskerRole
)

// cutLine splits off the first line of s.
func cutLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return line, rest
}

// bullet returns the text of a bullet line.
func bullet(line string) (text string, ok bool) {
	line = strings.TrimLeft(line, " ")
	for _, mark := range [...]string{"-", "*", "•", "–"} {
		if text, ok := strings.CutPrefix(line, mark); ok {
			if mark != "•" && !strings.HasPrefix(text, " ") {
				return "", false
			}
			return strings.TrimSpace(text), true
		}
	}
	return "", false
}

// fieldOf reads a field line: its key, and the text after the colon.
func fieldOf(line string) (f field, text string) {
	const longest = 48
	colon := strings.IndexByte(line, ':')
	if colon < 0 || colon > 2*longest {
		return noField, ""
	}
	if _, ok := bullet(line); ok {
		return noField, ""
	}
	// The key in lower case, runs of blanks as one, without marks.
	var space [longest]byte
	key := space[:0]
	for i := range colon {
		c := line[i]
		switch {
		case c == '*' || c == '#':
			continue
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		case c == ' ' && (len(key) == 0 || key[len(key)-1] == ' '):
			continue
		}
		if len(key) == longest {
			return noField, ""
		}
		key = append(key, c)
	}
	key = bytes.TrimRight(key, " ")
	if f = fieldOfKey(key); f == noField {
		return noField, ""
	}
	text = strings.TrimSpace(line[colon+1:])
	if strings.HasPrefix(text, "**") { // **Key:** text
		text = strings.TrimSpace(text[2:])
	}
	return f, text
}

func fieldOfKey(key []byte) field {
	switch string(key) {
	case "task":
		return fieldTask
	case "response":
		return fieldResponse
	case "criterion":
		return fieldCriterion
	case "reference answer":
		return fieldReference
	case "you may ask about":
		return fieldAskable
	case "asked":
		return fieldAsked
	case "what you care about":
		return fieldCare
	case "question":
		return fieldQuestion
	case "reply to interpret":
		return fieldReply
	case "question asked":
		return fieldQuestionAsked
	case "preferences":
		return fieldWants
	case "what it is", "why":
		return fieldOther
	}
	if rest, ok := bytes.CutPrefix(key, []byte("criterion ")); ok && len(bytes.Trim(rest, "0123456789")) == 0 {
		return fieldCriterion
	}
	if first, _, _ := bytes.Cut(key, []byte(" ")); string(bytes.TrimRight(first, ",")) == "levels" {
		return fieldLevels
	}
	if hasWord(key, "reader", "user", "person") && hasWord(key, "wants", "want", "would like", "prefers", "preferences", "likes") {
		return fieldWants
	}
	return noField
}

// hasWord reports whether one of the phrases stands in key as whole words.
func hasWord(key []byte, phrases ...string) bool {
	for _, p := range phrases {
		for at := 0; ; {
			i := bytes.Index(key[at:], []byte(p))
			if i < 0 {
				break
			}
			i += at
			j := i + len(p)
			if (i == 0 || !isWordByte(key[i-1])) && (j == len(key) || !isWordByte(key[j])) {
				return true
			}
			at = i + 1
		}
	}
	return false
}

// A prompt is a message taken apart at its fence. Comments and tags are dropped
// from both parts.
type prompt struct {
	role   role
	text   string // what is outside the fence
	fenced string // the response, or the reply to interpret
}

// recognise tells the role that a message asks for.
func recognise(message string) prompt {
	p := unfence(message)
	var has [fields]bool
	for rest := p.text; rest != ""; {
		var line string
		line, rest = cutLine(rest)
		f, _ := fieldOf(line)
		has[f] = true
	}
	switch {
	case has[fieldReply]:
		p.role = interpreterRole
	case has[fieldResponse] && has[fieldCriterion]:
		p.role = judgeRole
	case has[fieldResponse] && has[fieldReference]:
		p.role = correctnessRole
	case has[fieldCare] && has[fieldQuestion]:
		p.role = userRole
	case has[fieldAskable]:
		p.role = askerRole
	case has[fieldTask]:
		p.role = solverRole
	case lineAfter(p.text, placeKey) != "":
		p.role = placerRole
	case lineAfter(p.text, leftKey) != "":
		p.role = openAskerRole
	}
	return p
}

// unfence takes the first response, or reply to interpret, out of a message. With
// a fence it runs from the first line <<< to the last line >>>; without, to the
// next field line.
func unfence(message string) prompt {
	for rest := message; rest != ""; {
		var line string
		line, rest = cutLine(rest)
		f, text := fieldOf(line)
		if f != fieldResponse && f != fieldReply {
			continue
		}
		before := message[:len(message)-len(rest)]
		if body, after, ok := fence(rest); ok && text == "" {
			return prompt{text: unmarked(before) + "\n" + unmarked(after), fenced: unmarked(body)}
		}
		end := len(rest)
		for tail := rest; tail != ""; {
			from := len(rest) - len(tail)
			line, tail = cutLine(tail)
			if f, _ := fieldOf(line); f != noField {
				end = from
				break
			}
		}
		return prompt{text: unmarked(before) + "\n" + unmarked(rest[end:]), fenced: unmarked(text + "\n" + rest[:end])}
	}
	return prompt{text: unmarked(message)}
}

// fence returns the lines between a first line <<< and the last line >>>.
func fence(s string) (body, after string, ok bool) {
	rest := s
	for {
		var line string
		line, rest = cutLine(rest)
		if strings.TrimSpace(line) == "<<<" {
			break
		}
		if strings.TrimSpace(line) != "" || rest == "" {
			return "", "", false
		}
	}
	for end := len(rest); ; {
		i := strings.LastIndex(rest[:end], ">>>")
		if i < 0 {
			return rest, "", true
		}
		from := strings.LastIndexByte(rest[:i], '\n') + 1
		line, tail := cutLine(rest[from:])
		if strings.TrimSpace(line) == ">>>" {
			return strings.TrimSuffix(rest[:from], "\n"), tail, true
		}
		end = from
	}
}

// An item is a line "- name: text".
type item struct{ name, text string }

// items reads the bullets at the start of s. It stops at the first line that is
// neither blank nor a bullet. Bullets without a name or a text are left out.
func items(s string) []item {
	var list []item
	for s != "" {
		var line string
		line, s = cutLine(s)
		text, ok := bullet(line)
		if !ok {
			if strings.TrimSpace(line) != "" {
				break
			}
			continue
		}
		name, text, _ := strings.Cut(text, ":")
		name = strings.Trim(name, "* ")
		text = strings.TrimSpace(strings.TrimPrefix(text, "**"))
		if name != "" && text != "" {
			list = append(list, item{name, text})
		}
	}
	return list
}

// numbered reads the numbered lines or bullets at the start of s.
func numbered(s string) []string {
	var list []string
	for s != "" {
		var line string
		line, s = cutLine(s)
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		text, ok := bullet(line)
		if !ok {
			rest := strings.TrimLeft(line, "0123456789")
			if rest == line || rest == "" || rest[0] != '.' && rest[0] != ')' && rest[0] != ':' {
				break
			}
			text = strings.TrimSpace(rest[1:])
		}
		list = append(list, text)
	}
	return list
}

// An option is one of the answers a task offers.
type option struct {
	label byte
	text  string
}

// optionOf reads an option line with the given label.
func optionOf(line string, label byte) (text string, ok bool) {
	line = strings.TrimSpace(line)
	line, open := strings.CutPrefix(line, "(")
	if len(line) < 3 || line[0] != label {
		return "", false
	}
	if c := line[1]; c != ')' && (open || c != '.' && c != ':') {
		return "", false
	}
	text = strings.TrimSpace(line[2:])
	return text, text != ""
}

// options splits a task into its question and its options: the lines labelled A,
// B, C and so on. The task ends with the last option.
func options(task string) (question string, opts []option) {
	question = task
	for rest := task; rest != "" && len(opts) < 26; {
		at := len(task) - len(rest)
		var line string
		line, rest = cutLine(rest)
		if text, ok := optionOf(line, byte('A'+len(opts))); ok {
			if len(opts) == 0 {
				question = task[:at]
			}
			opts = append(opts, option{byte('A' + len(opts)), text})
		} else if text, ok := optionOf(line, 'A'); ok {
			// A list that begins anew: the last one counts.
			question, opts = task[:at], append(opts[:0], option{'A', text})
		}
	}
	if len(opts) < 2 {
		return task, nil
	}
	return question, opts
}

// cutRunes returns at most n characters of s.
func cutRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// tokensOf counts four characters as a token.
func tokensOf(s string) int { return (utf8.RuneCountInString(s) + 3) / 4 }
