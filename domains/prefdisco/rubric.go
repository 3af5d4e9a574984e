package prefdisco

import (
	"fmt"
	"strconv"
)

// An entry is what a rubric says of one criterion.
type entry struct {
	name        string
	description string
	weight      float64
	weighted    bool
	levels      []string // five, least to most, or nil
}

// rubric reads evaluation_rubric: {"evaluation_criteria": ..} or what would be
// inside it, a list of objects or a flat map from criterion to description, to
// levels, or to an object. Nil when the line has none.
func (l *loader) rubric(ms []member) ([]entry, error) {
	v, _ := find(ms, "evaluation_rubric")
	if v == nil {
		return nil, nil
	}
	if v.isObject() {
		inner, err := l.object(v, "evaluation_rubric")
		if err != nil {
			return nil, err
		}
		if c, _ := find(inner, "evaluation_criteria"); c != nil && (c.isList() || c.isObject() && len(inner) == 1) {
			v = c
		}
	}
	out := []entry{}
	switch {
	case v.isList():
		for i, e := range v.list() {
			what := fmt.Sprintf("rubric entry %d", i+1)
			fields, err := l.object(e, what)
			if err != nil {
				return nil, err
			}
			name, _ := find(fields, "preference", "criterion", "name")
			if name == nil {
				return nil, l.bad("name it under preference", "%s names no criterion", what)
			}
			text, err := l.text(name, what+": preference")
			if err != nil {
				return nil, err
			}
			for _, o := range out {
				if o.name == text {
					return nil, l.bad("keep one of them", "criterion %q is twice in the rubric", text)
				}
			}
			ent, err := l.entry(text, fields)
			if err != nil {
				return nil, err
			}
			out = append(out, ent)
		}
	case v.isObject():
		flat, err := l.object(v, "evaluation_rubric")
		if err != nil {
			return nil, err
		}
		for _, m := range flat {
			ent, err := l.flat(m)
			if err != nil {
				return nil, err
			}
			out = append(out, ent)
		}
	default:
		return nil, l.bad(`write {"evaluation_criteria": [..]}`, "evaluation_rubric is %s", v.kind())
	}
	return out, nil
}

// flat reads one member of a flat rubric.
func (l *loader) flat(m member) (entry, error) {
	e := entry{name: m.name}
	what := fmt.Sprintf("rubric of criterion %q", m.name)
	var err error
	switch {
	case m.val.isNull():
	case m.val.isString():
		e.description = m.val.str()
	case m.val.isList():
		e.levels, err = l.readLevels(m.val, what)
	case m.val.isObject():
		var fields []member
		if fields, err = l.object(m.val, what); err != nil {
			break
		}
		if v, _ := find(fields, "1", "2", "3", "4", "5"); v != nil {
			e.levels, err = l.readLevels(m.val, what)
		} else {
			e, err = l.entry(m.name, fields)
		}
	default:
		err = l.bad("write a description, the levels or an object", "%s is %s", what, m.val.kind())
	}
	return e, err
}

// entry reads description, weight and levels.
func (l *loader) entry(name string, fields []member) (e entry, err error) {
	e.name = name
	what := fmt.Sprintf("rubric of criterion %q", name)
	if v, _ := find(fields, "description"); v != nil {
		if e.description, err = l.text(v, what+": description"); err != nil {
			return e, err
		}
	}
	if v, _ := find(fields, "weight"); v != nil {
		e.weighted = true
		if e.weight, err = l.weight(v, what); err != nil {
			return e, err
		}
	}
	if v, _ := find(fields, "levels"); v != nil {
		if e.levels, err = l.readLevels(v, what); err != nil {
			return e, err
		}
	}
	return e, nil
}

// readLevels reads the texts of the five levels: a list of {"score", "description"}
// in any order, a list of five strings from least to most, or a map from score
// to text. An empty list or map is no levels.
func (l *loader) readLevels(v value, what string) ([]string, error) {
	const mend = `give five: [{"score": 1, "description": ".."}, .. {"score": 5, ..}]`
	var out [levels]string
	seen := 0
	put := func(score int, text value) error {
		if text == nil {
			return l.bad(mend, "%s: level %d has no description", what, score)
		}
		if !text.isString() {
			return l.bad(mend, "%s: level %d is %s, not a string", what, score, text.kind())
		}
		if seen&(1<<score) != 0 {
			return l.bad(mend, "%s: level %d is there twice", what, score)
		}
		seen |= 1 << score
		out[score-1] = l.keep(text.str())
		return nil
	}
	var n int
	switch {
	case v.isList():
		list := v.list()
		n = len(list)
		for i, e := range list {
			score, text := i+1, e
			if e.isObject() {
				fields, err := l.object(e, fmt.Sprintf("%s: level %d", what, i+1))
				if err != nil {
					return nil, err
				}
				s, _ := find(fields, "score")
				var ok bool
				if score, ok = levelOf(s); !ok {
					return nil, l.bad(mend, "%s: the score of level %d is not a whole number from 1 to 5", what, i+1)
				}
				text, _ = find(fields, "description")
			} else if score > levels {
				return nil, l.bad(mend, "%s has %d levels", what, n)
			}
			if err := put(score, text); err != nil {
				return nil, err
			}
		}
	case v.isObject():
		fields, err := l.object(v, what)
		if err != nil {
			return nil, err
		}
		n = len(fields)
		for _, f := range fields {
			score, ok := levelOf(value(strconv.Quote(f.name)))
			if !ok {
				return nil, l.bad(mend, "%s: level %.40q is not a whole number from 1 to 5", what, f.name)
			}
			if err := put(score, f.val); err != nil {
				return nil, err
			}
		}
	default:
		return nil, l.bad(mend, "%s: the levels are %s", what, v.kind())
	}
	if n == 0 {
		return nil, nil
	}
	for i := range out {
		if seen&(2<<i) == 0 {
			return nil, l.bad(mend, "%s: level %d is missing", what, i+1)
		}
	}
	kept, ok := l.levels[out]
	if !ok {
		kept = out[:]
		l.levels[out] = kept
	}
	return kept, nil
}

// levelOf reads a score, a number or a numeral in quotes.
func levelOf(v value) (int, bool) {
	if v.isString() && len(v) == 3 {
		v = v[1:2]
	}
	f, ok := v.float()
	if !v.isNumber() || !ok || !(f >= 1 && f <= levels) || f != float64(int(f)) {
		return 0, false
	}
	return int(f), true
}
