package survey

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"pepbench/domains"
)

// maxLevels bounds what a from..to may mean, against a slip of the pen.
const maxLevels = 1000

// A dim is one row of dims.csv.
type dim struct {
	domains.Criterion
	line     int
	observed bool               // continuous without levels: Min and Max follow the answers
	codes    map[string]float64 // what may stand in a cell
	short    [256]domains.Cell  // the same for cells of one byte, else Missing
}

type dims struct {
	file string
	dims []*dim
	byID map[string]int
}

func readDims(t *table) (*dims, error) {
	at := map[string]int{"dim_id": -1, "type": -1, "levels": -1, "group": -1, "keying": -1, "text": -1}
	for i, name := range t.header {
		if _, known := at[name]; !known {
			return nil, t.bad("the columns are dim_id, type, levels, group, keying, text", "column %q is not known", name)
		}
		at[name] = i
	}
	for _, name := range []string{"dim_id", "type", "levels"} {
		if at[name] < 0 {
			return nil, t.bad("add it", "there is no column %s", name)
		}
	}
	ds := &dims{file: t.src.Name, byID: map[string]int{}}
	for {
		rec, err := t.next()
		if err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		for i, cell := range rec {
			if err := t.utf8(cell, i); err != nil {
				return nil, err
			}
		}
		get := func(name string) string {
			if at[name] < 0 {
				return ""
			}
			return strings.Clone(strings.TrimSpace(rec[at[name]]))
		}
		d := &dim{line: t.line, codes: map[string]float64{}}
		d.ID, d.Name, d.Group, d.Keying = get("dim_id"), get("text"), get("group"), get("keying")
		if d.ID == "" {
			return nil, t.bad("name the column of profiles.csv that the row is about", "dim_id is empty")
		}
		if d.ID == "user_id" {
			return nil, t.bad("rename the dimension", "user_id cannot be a dimension")
		}
		if k, twice := ds.byID[d.ID]; twice {
			return nil, t.bad("keep one of the rows", "dimension %q is there twice, first in line %d", d.ID, ds.dims[k].line)
		}
		d.Question = d.Name
		if d.Name == "" {
			d.Name, d.Question = d.ID, fmt.Sprintf("What is your answer on %s?", d.ID)
		}
		if d.Keying != "" && d.Keying != "+" && d.Keying != "-" {
			return nil, t.bad("write +, - or nothing", "dimension %q: keying is %.20q", d.ID, d.Keying)
		}
		if err := d.scale(t, get("type"), get("levels")); err != nil {
			return nil, err
		}
		ds.byID[d.ID] = len(ds.dims)
		ds.dims = append(ds.dims, d)
	}
	if len(ds.dims) == 0 {
		return nil, &domains.DataError{File: ds.file, What: "the file has no dimension", Mend: "write a row for each column of profiles.csv"}
	}
	return ds, nil
}

// scale reads type and levels.
func (d *dim) scale(t *table, typ, levels string) error {
	bad := func(mend, what string, a ...any) error {
		return t.bad(mend, "dimension %q: %s", d.ID, fmt.Sprintf(what, a...))
	}
	for i := range d.short {
		d.short[i] = domains.Missing()
	}
	switch typ {
	case "ordinal":
		d.Scale = domains.Ordinal
	case "nominal":
		d.Scale = domains.Nominal
	case "continuous":
		d.Scale = domains.Continuous
		if levels == "" {
			d.observed, d.Min, d.Max = true, math.Inf(1), math.Inf(-1)
			return nil
		}
		from, to, ok := strings.Cut(levels, "..")
		lo, okLo := number(from)
		hi, okHi := number(to)
		if !ok || !okLo || !okHi || !(lo < hi) || math.IsInf(hi-lo, 0) {
			return bad("write a range such as 0..100, or nothing to take it from the answers", "levels %.60q is no range", levels)
		}
		d.Min, d.Max = lo, hi
		return nil
	default:
		return bad("write ordinal, nominal or continuous", "type %.40q is not known", typ)
	}

	parts := strings.Split(levels, "|")
	if from, to, ok := strings.Cut(levels, ".."); ok && len(parts) == 1 && !strings.Contains(levels, "=") {
		lo, errLo := strconv.Atoi(strings.TrimSpace(from))
		hi, errHi := strconv.Atoi(strings.TrimSpace(to))
		if errLo != nil || errHi != nil || lo >= hi || hi-lo < 0 {
			return bad("write whole numbers, the lower first, such as 1..5", "levels %.60q is no range", levels)
		}
		if hi-lo >= maxLevels {
			return bad("use type continuous", "levels %.60q is more than %d levels", levels, maxLevels)
		}
		parts = parts[:0]
		for v := lo; v <= hi; v++ {
			parts = append(parts, strconv.Itoa(v))
		}
	}
	if len(parts) < 2 {
		return bad("write levels such as 1..5, no|yes or 0=no|1=yes", "levels %.60q is not two or more levels", levels)
	}
	if len(parts) > maxLevels {
		return bad("use type continuous", "%d levels are more than %d", len(parts), maxLevels)
	}
	return d.levels(parts, bad)
}

// levels reads the parts of a|b|c or x=a|y=b.
func (d *dim) levels(parts []string, bad func(mend, what string, a ...any) error) error {
	coded := strings.Contains(parts[0], "=")
	numeric := true
	codes := make([]string, len(parts))
	labels := make([]string, len(parts))
	for i, p := range parts {
		code, label, ok := strings.Cut(p, "=")
		if ok != coded {
			return bad("write value=label for all levels or for none", "level %d (%.40q) is written unlike the first", i+1, p)
		}
		codes[i], labels[i] = strings.TrimSpace(code), strings.TrimSpace(label)
		if !coded {
			labels[i] = codes[i]
		}
		if codes[i] == "" || labels[i] == "" {
			return bad("write something on both sides of every | and =", "level %d (%.40q) is empty", i+1, p)
		}
		if codes[i] == "NA" || labels[i] == "NA" {
			return bad("leave it out: NA in a cell says that the question does not concern the user", "level %d is NA", i+1)
		}
		_, isNumber := number(codes[i])
		numeric = numeric && isNumber
	}
	if coded && d.Scale == domains.Ordinal && !numeric {
		return bad("write number=label, or labels alone", "the values of ordinal levels are not all numbers")
	}
	d.Levels = make([]domains.Level, len(parts))
	for i := range parts {
		v, text := float64(i), labels[i]
		if d.Scale == domains.Ordinal {
			v = float64(i + 1)
			if numeric {
				v, _ = number(codes[i])
				if !coded {
					text = ""
				}
			}
		}
		d.Levels[i] = domains.Level{Value: v, Text: text}
	}
	if d.Scale == domains.Ordinal {
		for i := 1; i < len(d.Levels); i++ {
			if !(d.Levels[i].Value > d.Levels[i-1].Value) {
				return bad("write the lowest first and none twice", "level %d (%.40q) does not rise above the one before", i+1, parts[i])
			}
		}
	}
	for i := range parts {
		for _, s := range []string{codes[i], labels[i]} {
			// What reads as a number is a number: a label must not be another's.
			v, isNumber := number(s)
			other := isNumber && d.Scale == domains.Ordinal && d.LevelOf(v) >= 0 && v != d.Levels[i].Value
			if old, twice := d.codes[s]; other || twice && old != d.Levels[i].Value {
				return bad("give every level its own label", "%.40q stands for two levels", s)
			}
			d.codes[s] = d.Levels[i].Value
			if len(s) == 1 {
				d.short[s[0]] = domains.At(d.Levels[i].Value)
			}
		}
	}
	return nil
}

// mend says what may stand in a cell.
func (d *dim) mend() string {
	const rest = "nothing when not answered, NA when it does not concern the user"
	if d.observed {
		return "write a number, " + rest
	}
	if d.Scale == domains.Continuous {
		return fmt.Sprintf("write a number from %v to %v, %s", d.Min, d.Max, rest)
	}
	var names []string
	for _, l := range d.Levels {
		if l.Text == "" {
			names = append(names, strconv.FormatFloat(l.Value, 'g', -1, 64))
		} else {
			names = append(names, l.Text)
		}
	}
	if len(names) > 7 {
		names = slices.Concat(names[:3], []string{".."}, names[len(names)-1:])
	}
	return "write one of " + strings.Join(names, ", ") + ", " + rest
}

// number reads a finite decimal number.
func number(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if strings.ContainsAny(s, "xX_iInN") { // hexadecimal, infinity, NaN
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v + 0, err == nil // -0 + 0 is 0
}
