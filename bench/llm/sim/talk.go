package sim

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// Keys of the lines that the shapes of this file have besides field lines. They are
// looked for in these roles only, so that no other message is read differently.
const (
	mannerKey    = "Manner:"
	askedAsKey   = "Asked as:"
	assistantKey = "Assistant:"
	youKey       = "You:"
	placeKey     = "Question to place:"
	criteriaKey  = "Criteria:"
	leftKey      = "Questions left:"
	askedKey     = "Asked:"
)

// lineAfter gives the text after the key of the first line that begins with it.
func lineAfter(s, key string) string {
	for line := range strings.SplitSeq(s, "\n") {
		if text, ok := strings.CutPrefix(strings.TrimLeft(line, " "), key); ok {
			return strings.TrimSpace(text)
		}
	}
	return ""
}

// A care is something that the user of a prompt cares about.
type care struct {
	item
	asked string // how it is asked about, or nothing
	name  name
}

// cares reads the bullets at the start of s, with the indented lines below each.
func cares(s string) []care {
	var list []care
	for s != "" {
		var line string
		line, s = cutLine(s)
		if _, ok := bullet(line); ok {
			for _, it := range items(line) {
				list = append(list, care{item: it, name: readName(it.name)})
			}
			continue
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		if !strings.HasPrefix(line, "  ") {
			break
		}
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), askedAsKey); ok && len(list) > 0 {
			list[len(list)-1].asked = strings.TrimSpace(text)
		}
	}
	return list
}

// about finds the care that a question is about: one that is asked about in these
// words, else the first whose name is in the question; -1 for none.
func about(list []care, question string) int {
	for i := range list {
		if list[i].asked != "" && sameWords(list[i].asked, question) {
			return i
		}
	}
	toks := appendTokens(nil, question, 0, len(question))
	return slices.IndexFunc(list, func(c care) bool { return c.name.in(toks) })
}

// answerAsUser answers a question from the profile in the prompt. With a manner, every
// other answer is in a roundabout form.
func answerAsUser(text string, salt uint64) string {
	question, _ := fieldText(text, fieldQuestion)
	_, rest := fieldText(text, fieldCare)
	list := cares(rest)
	thought := "The question is about nothing I care about."
	response := "I have no preference about that."
	manner := lineAfter(text, mannerKey)
	roundabout := manner != "" && mix(salt)&1 == 1
	if roundabout {
		response = "I do not mind how much of that there is."
	}
	at := about(list, question)
	if at >= 0 {
		thought = "The question is about " + onePhrase(list[at].item.name) + "."
		response = "For me: " + list[at].amount() + "."
		if roundabout {
			response = "If you ask me, " + list[at].amount() + " would be right."
		}
	}
	stop := false
	if manner != "" {
		told := talkedAbout(list, text)
		if at >= 0 {
			told[at] = true
		}
		if next := slices.Index(told, false); next >= 0 && hasWord([]byte(strings.ToLower(manner)), "volunteer") {
			response += " Also, " + onePhrase(list[next].item.name) + ": " + list[next].amount() + "."
		}
		stop = !slices.Contains(told, false) && hasWord([]byte(strings.ToLower(manner)), "may end")
	}
	var b bytes.Buffer
	b.WriteString(`{"thought": `)
	writeString(&b, thought)
	b.WriteString(`, "response": `)
	writeString(&b, response)
	if stop {
		b.WriteString(`, "stop": true`)
	}
	b.WriteByte('}')
	return b.String()
}

// amount is the amount wanted as a phrase.
func (c *care) amount() string {
	amount, _ := cutScale(c.text)
	return onePhrase(amount)
}

// talkedAbout says of each care whether the conversation has come to it.
func talkedAbout(list []care, text string) []bool {
	told := make([]bool, len(list))
	for line := range strings.SplitSeq(text, "\n") {
		if q, ok := strings.CutPrefix(line, assistantKey); ok {
			if i := about(list, strings.TrimSpace(q)); i >= 0 {
				told[i] = true
			}
		}
		if said, ok := strings.CutPrefix(line, youKey); ok {
			toks := appendTokens(nil, said, 0, len(said))
			for i := range list {
				told[i] = told[i] || list[i].name.in(toks)
			}
		}
	}
	return told
}

// place finds the criterion that a question asks about: the only one that is asked
// about in these words, else the one whose name and question share the most stems
// with it, if these are two or more and half of its stems and no other shares as many.
func place(text string) string {
	question := lineAfter(text, placeKey)
	var list []string
	for s := text; s != ""; {
		var line string
		line, s = cutLine(s)
		if strings.TrimSpace(line) == criteriaKey {
			list = numbered(s)
			break
		}
	}
	stems := readName(question).stems
	best, most, same := -1, 0, []int(nil)
	for i, line := range list {
		_, asked, _ := strings.Cut(line, ":")
		if asked = strings.TrimSpace(asked); asked != "" && sameWords(asked, question) {
			same = append(same, i)
		}
		n := 0
		for _, s := range readName(line).stems {
			if slices.Contains(stems, s) {
				n++
			}
		}
		switch {
		case n > most:
			best, most = i, n
		case n == most:
			best = -1
		}
	}
	switch {
	case len(same) == 1:
		best = same[0]
	case most < 2 || 2*most < len(stems):
		best = -1
	}
	if best < 0 {
		return `{"criterion": null}`
	}
	return `{"criterion": ` + strconv.Itoa(best+1) + `}`
}

// openQuestions are what the simulator asks where it is not told about what.
var openQuestions = [...]string{
	"Is there anything that you would like the answer to have a lot of?",
	"Is there anything that you would rather not see in the answer?",
}

// askOpenly asks the first open question that has not been asked.
func askOpenly(text string) string {
	for _, q := range openQuestions {
		if strings.Contains(text, askedKey+" "+q) {
			continue
		}
		var b bytes.Buffer
		b.WriteString(`{"action": "ask", "text": `)
		writeString(&b, q)
		b.WriteByte('}')
		return b.String()
	}
	return `{"action": "answer", "text": ""}`
}
