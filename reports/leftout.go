package reports

import (
	"fmt"

	"pepbench/bench/record"
)

// A loss is why lines of sessions.jsonl are left out.
type loss int

const (
	lossTorn     loss = iota // the file ends within it
	lossAlien                // no session
	lossFault                // a session that contradicts itself
	lossForeign              // of a task or seed that the manifest does not have
	lossCriteria             // about other criteria than its task
	lossTwice                // there already
	losses
)

// words says what a loss is, and how it is mended.
func (l loss) words() (what, mend string) {
	const anew = "remove them and run the same command again, which makes what is missing"
	switch l {
	case lossTorn:
		return "the last line is torn and left out", "run the same command again, it resumes"
	case lossAlien:
		return "lines that are no session are left out", anew
	case lossFault:
		return "sessions that contradict themselves are left out", anew
	case lossForeign:
		return "sessions of another run are left out", "report that run in a folder of its own"
	case lossCriteria:
		return "sessions about other criteria than most of their task are left out", "report the run that they are of in a folder of its own"
	}
	return "lines of sessions that are there already are left out", "remove them"
}

// leftOut counts lines by why they are left out.
type leftOut [losses]struct {
	n    int
	line int    // of the first
	why  string // it is
}

func (o *leftOut) add(l loss, line int, format string, a ...any) {
	of := &o[l]
	if of.n++; of.n == 1 {
		of.line, of.why = line, fmt.Sprintf(format, a...)
	}
}

// useless counts lines that are nothing of this run. A torn line is what a run leaves that
// was interrupted, and what is there twice is there once.
func (o *leftOut) useless() (n, first int, why string) {
	for _, l := range []loss{lossAlien, lossFault, lossForeign, lossCriteria} {
		of := &o[l]
		if of.n > 0 && (n == 0 || of.line < first) {
			first, why = of.line, of.why
		}
		n += of.n
	}
	return n, first, why
}

// total counts all lines that are left out.
func (o *leftOut) total() (n int) {
	for l := range losses {
		n += o[l].n
	}
	return n
}

// warnings says of every kind how many lines there are, where the first is, and how to
// mend it.
func (o *leftOut) warnings() (out []string) {
	for l := range losses {
		of := &o[l]
		if of.n == 0 {
			continue
		}
		what, mend := l.words()
		if l == lossTorn {
			out = append(out, fmt.Sprintf("%s:%d: %s (%s); %s", record.SessionsFile, of.line, what, of.why, mend))
			continue
		}
		out = append(out, fmt.Sprintf("%s: %d, the first %s:%d (%s); %s", what, of.n, record.SessionsFile, of.line, of.why, mend))
	}
	return out
}
