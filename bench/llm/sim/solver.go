package sim

import (
	"strconv"
	"strings"
)

// ladder is the scale of amounts where a prompt gives none.
var ladder = [...]string{"none", "a little", "some", "much", "as much as possible"}

// maxStyle is the number of instructions that get a sentence.
const maxStyle = 6

// An instruction is a line of what the reader wants.
type instruction struct {
	name, amount string
	scale        []string
}

// solve answers a task, then states amounts. salt is a hash of all messages.
func solve(text string, salt uint64) string {
	task, list := solverParts(text)
	question, opts := options(task)

	var b strings.Builder
	b.Grow(512)
	b.WriteString("Answer: ")
	var space [128]token
	h := hashWords(fnvOffset, appendTokens(space[:0], question, 0, len(question)))
	if len(opts) == 0 {
		b.WriteString(strconv.FormatUint(mix(h)%100, 10))
	} else {
		best, top := 0, uint64(0)
		for i, o := range opts {
			if v := mix(hashWords(h, appendTokens(space[:0], o.text, 0, len(o.text)))); i == 0 || v > top {
				best, top = i, v
			}
		}
		b.WriteByte(opts[best].label)
		b.WriteString(". ")
		b.WriteString(onePhrase(opts[best].text))
		b.WriteByte('.')
	}
	for i, in := range list {
		if i == maxStyle {
			break
		}
		b.WriteString("\nAs to ")
		b.WriteString(onePhrase(in.name))
		b.WriteString(": ")
		b.WriteString(onePhrase(stated(in, len(list), salt)))
		b.WriteByte('.')
	}
	return b.String()
}

// solverParts splits a prompt into the task and the instructions.
func solverParts(text string) (task string, list []instruction) {
	start, end := -1, len(text)
	var after string // what follows the heading
	for rest := text; rest != ""; {
		at := len(text) - len(rest)
		var line string
		line, rest = cutLine(rest)
		switch f, tail := fieldOf(line); {
		case f == fieldTask && start < 0:
			start = at + strings.IndexByte(line, ':') + 1
		case f == fieldWants && tail == "" && start >= 0 && bulletNext(rest):
			end, after = at, rest
		}
	}
	for _, it := range items(after) {
		in := instruction{name: it.name, amount: it.text}
		in.amount, in.scale = cutScale(it.text)
		list = append(list, in)
	}
	return text[start:end], list
}

// bulletNext reports whether the next line that is not blank is a bullet.
func bulletNext(s string) bool {
	for s != "" {
		var line string
		line, s = cutLine(s)
		if _, ok := bullet(line); ok {
			return true
		}
		if strings.TrimSpace(line) != "" {
			return false
		}
	}
	return false
}

// cutScale splits "amount (from least to most: a | b | c)". It drops a remark
// such as "(2 of 5)" after the amount.
func cutScale(s string) (amount string, scale []string) {
	const mark = "from least to most"
	amount = s
	for i := range len(s) {
		if s[i] != '(' {
			continue
		}
		in := strings.TrimLeft(s[i+1:], " ")
		if len(in) < len(mark) || !strings.EqualFold(in[:len(mark)], mark) {
			continue
		}
		in = strings.TrimLeft(in[len(mark):], " :")
		in = strings.TrimSuffix(strings.TrimRight(in, " ."), ")")
		amount = strings.TrimSpace(s[:i])
		for l := range strings.SplitSeq(in, "|") {
			if l = strings.TrimSpace(l); l != "" {
				scale = append(scale, l)
			}
		}
		break
	}
	if i := strings.LastIndexByte(amount, '('); i > 0 && strings.HasSuffix(amount, ")") &&
		strings.Trim(amount[i:], "()0123456789of /") == "" {
		amount = strings.TrimSpace(amount[:i])
	}
	return amount, scale
}

// stated is the amount that the solver states: the wanted one or, when the
// instruction slips, its neighbour on the scale. m is the number of instructions.
func stated(in instruction, m int, salt uint64) string {
	h := mix(slipHash(in.name, salt))
	if float64(h>>11)/(1<<53) >= slipRate(m) {
		return in.amount
	}
	scale := in.scale
	if len(scale) == 0 {
		scale = ladder[:]
	}
	at := -1
	for i, l := range scale {
		if sameWords(l, in.amount) {
			at = i
			break
		}
	}
	switch {
	case at < 0 || len(scale) < 2:
		return in.amount
	case at == 0:
		return scale[1]
	case at == len(scale)-1 || h&1 == 0:
		return scale[at-1]
	}
	return scale[at+1]
}

func slipHash(name string, salt uint64) uint64 {
	var space [16]token
	return hashWords(salt, appendTokens(space[:0], name, 0, len(name)))
}

// slipRate is the chance that an instruction slips when m are given.
func slipRate(m int) float64 {
	return .1 + .9*max(0, 1-4/float64(max(m, 1)))
}

// sameWords reports whether two texts have the same words in the same order.
func sameWords(a, b string) bool {
	if a == b {
		return true
	}
	var sa, sb [16]token
	ta, tb := appendTokens(sa[:0], a, 0, len(a)), appendTokens(sb[:0], b, 0, len(b))
	if len(ta) != len(tb) {
		return false
	}
	for i := range ta {
		if ta[i].word != tb[i].word {
			return false
		}
	}
	return true
}
