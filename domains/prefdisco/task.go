package prefdisco

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"pepbench/domains"
)

// Where source rows keep things, the first name that is there counts.
var (
	questionNames = []string{"query", "question", "problem", "Question", "prompt"}
	optionNames   = []string{"choices", "options"}
	answerNames   = []string{"correct_answer", "answerKey", "correct_option", "answer_idx", "Answer", "answer", "label"}
)

// task reads original_problem and gives the index of the task, which all lines of
// a problem must agree on.
func (l *loader) task(ms []member, id string) (int, error) {
	v, _ := find(ms, "original_problem")
	if v == nil {
		return 0, l.bad("copy the source row there", "the problem has no original_problem")
	}
	row, err := l.object(v, "original_problem")
	if err != nil {
		return 0, err
	}
	t := task{line: l.line}
	t.ID = l.keep(id)
	if t.Prompt, err = l.prompt(row); err != nil {
		return 0, err
	}
	var lettered bool
	if t.Options, lettered, err = l.options(row); err != nil {
		return 0, err
	}
	if t.Answer, err = l.answer(row, t.Options, lettered); err != nil {
		return 0, err
	}
	i, known := l.byTask[t.ID]
	if !known {
		l.byTask[t.ID] = len(l.tasks)
		l.tasks = append(l.tasks, t)
		return len(l.tasks) - 1, nil
	}
	old := &l.tasks[i]
	what := ""
	switch {
	case old.Prompt != t.Prompt:
		what = "question"
	case !slices.Equal(old.Options, t.Options):
		what = "options"
	case old.Answer != t.Answer:
		what = "answer"
	default:
		return i, nil
	}
	return 0, l.bad("give different problems different numbers in problem_id", "%s does not have the %s of line %d", t.ID, what, old.line)
}

func (l *loader) prompt(row []member) (string, error) {
	v, name := find(row, questionNames...)
	if v == nil {
		return "", l.bad("give it under one of "+strings.Join(questionNames, ", "), "original_problem has no question")
	}
	q, err := l.text(v, "original_problem: "+name)
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(q) == "" {
		return "", l.bad("give the question", "original_problem: %s is empty", name)
	}
	if c, _ := find(row, "context"); c != nil {
		text, err := l.text(c, "original_problem: context")
		if err != nil {
			return "", err
		}
		if strings.TrimSpace(text) != "" {
			q = text + "\n\n" + q
		}
	}
	return l.keep(q), nil
}

// options reads the options; lettered says that they came as answerA, answerB, ...
func (l *loader) options(row []member) (opts []domains.Option, lettered bool, err error) {
	add := func(label string, v value) error {
		text, err := l.optionText(v, label)
		if err != nil {
			return err
		}
		for _, o := range opts {
			if o.Label == label {
				return l.bad("give every option its own label", "original_problem: option %q is there twice", label)
			}
		}
		opts = append(opts, domains.Option{Label: l.keep(label), Text: text})
		return nil
	}
	v, name := find(row, optionNames...)
	what := "original_problem: " + name
	switch {
	case v == nil:
		for c := 'A'; c <= 'Z'; c++ {
			v, _ := find(row, "answer"+string(c))
			if v == nil {
				break
			}
			lettered = true
			if err := add(string(c), v); err != nil {
				return nil, false, err
			}
		}
	case v.isList():
		for i, e := range v.list() {
			label := letter(i)
			if e.isObject() {
				ms, err := l.object(e, what)
				if err != nil {
					return nil, false, err
				}
				given, _ := find(ms, "label")
				if given != nil {
					if label, err = l.label(given, what); err != nil {
						return nil, false, err
					}
				}
				e, _ = find(ms, "text")
			}
			if err := add(label, e); err != nil {
				return nil, false, err
			}
		}
	case v.isObject():
		ms, err := l.object(v, what)
		if err != nil {
			return nil, false, err
		}
		labels, _ := find(ms, "label")
		texts, _ := find(ms, "text")
		if labels.isList() && texts.isList() {
			ls, ts := labels.list(), texts.list()
			if len(ls) != len(ts) {
				return nil, false, l.bad("give one label a text", "%s: %d labels for %d texts", what, len(ls), len(ts))
			}
			for i := range ls {
				label, err := l.label(ls[i], what)
				if err != nil {
					return nil, false, err
				}
				if err := add(label, ts[i]); err != nil {
					return nil, false, err
				}
			}
			break
		}
		for _, m := range ms {
			if m.val.isNull() { // a column that other rows of the source fill
				continue
			}
			if m.name == "" {
				return nil, false, l.bad("give every option a label", "%s: a label is empty", what)
			}
			if err := add(m.name, m.val); err != nil {
				return nil, false, err
			}
		}
		slices.SortFunc(opts, func(a, b domains.Option) int { return cmp.Compare(a.Label, b.Label) })
	default:
		return nil, false, l.bad("give a list or a map from label to text", "%s is %s", what, v.kind())
	}
	return opts, lettered, nil
}

func (l *loader) label(v value, what string) (string, error) {
	switch {
	case v.isNumber():
		return string(v), nil
	case v.isString() && v.str() != "":
		return v.str(), nil
	}
	return "", l.bad("give every option a label", "%s: a label is empty or neither text nor number", what)
}

func (l *loader) optionText(v value, label string) (string, error) {
	switch {
	case v.isString():
		return l.keep(v.str()), nil
	case v.isNumber():
		return l.keep(string(v)), nil
	}
	return "", l.bad("give its text", "original_problem: option %q is %s, neither text nor number", label, v.kind())
}

// letter is the label of option i of a list without labels.
func letter(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return strconv.Itoa(i + 1)
}

// answer finds the right answer: the label of an option, or the text as it stands
// when there are no options. Empty when the row has none.
func (l *loader) answer(row []member, opts []domains.Option, lettered bool) (string, error) {
	v, name := find(row, answerNames...)
	if v == nil {
		return "", nil
	}
	what := "original_problem: " + name
	var text string
	switch {
	case v.isString():
		text = strings.TrimSpace(v.str())
	case v.isNumber():
		text = string(v)
	default:
		return "", l.bad("give a label, the text of an option or its number", "%s is %s", what, v.kind())
	}
	if len(opts) == 0 || text == "" {
		return l.keep(text), nil
	}
	same := func(of func(domains.Option) string, equal func(a, b string) bool) string {
		found := ""
		for _, o := range opts {
			if equal(strings.TrimSpace(of(o)), text) {
				if found != "" {
					return "" // two options fit
				}
				found = o.Label
			}
		}
		return found
	}
	label := func(o domains.Option) string { return o.Label }
	content := func(o domains.Option) string { return o.Text }
	exact := func(a, b string) bool { return a == b }
	if found := same(label, exact); found != "" {
		return found, nil
	}
	n, err := strconv.Atoi(text)
	switch {
	case err == nil && lettered && name == "label":
		n--
	case err == nil && v.isNumber():
	default:
		n = -1
	}
	if n >= 0 && n < len(opts) {
		if t := same(content, exact); t != "" && t != opts[n].Label && name != "answer_idx" && name != "label" {
			return "", l.bad("give its label", "%s: %s may be the text of option %q or the place of option %q", what, text, t, opts[n].Label)
		}
		return opts[n].Label, nil
	}
	for _, found := range []string{same(content, exact), same(label, strings.EqualFold), same(content, strings.EqualFold)} {
		if found != "" {
			return found, nil
		}
	}
	return "", l.bad("give a label, the text of an option or, as a number, its place counted from 0",
		"%s: %.60q is none of the %d options", what, text, len(opts))
}
