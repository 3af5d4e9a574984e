package domains

import (
	"errors"
	"fmt"
	"strings"
)

// ErrData is what every fault of input data wraps; the command maps it to exit
// code 3.
var ErrData = errors.New("bad data")

// A DataError says where in which file what is wrong, and how to mend it.
type DataError struct {
	File string // path as the user gave it; empty when the fault is of no one file
	Line int    // 1-based; 0 when no one line is to blame
	What string // what is wrong
	Mend string // what to do about it; may be empty
	Err  error  // cause, may be nil
}

// Error gives `file:line: what, how to mend`.
func (e *DataError) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
		}
		b.WriteString(": ")
	}
	b.WriteString(e.What)
	if e.Err != nil {
		fmt.Fprintf(&b, " (%v)", e.Err)
	}
	if e.Mend != "" {
		b.WriteString("; ")
		b.WriteString(e.Mend)
	}
	return b.String()
}

// Unwrap gives the cause and ErrData.
func (e *DataError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrData}
	}
	return []error{ErrData, e.Err}
}
