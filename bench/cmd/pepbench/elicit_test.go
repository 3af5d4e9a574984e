package main

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"pepbench/domains"
)

// TestReply: whatever is typed, an answer comes out of it, or another try, or the end.
func TestReply(t *testing.T) {
	levels := &domains.Criterion{Levels: []domains.Level{{Value: 1, Text: "little"}, {Value: 2}, {Value: 3, Text: "much"}}}
	free := &domains.Criterion{Scale: domains.Continuous, Min: -5, Max: 5}
	long := strings.Repeat("9", 1<<20)
	for _, row := range []struct {
		reason string
		in     string
		c      *domains.Criterion
		cell   domains.Cell
		more   bool
	}{
		{"a level by its number", "2\n", levels, domains.At(2), true},
		{"a line without an end", "3", levels, domains.At(3), true},
		{"the input ends", "", levels, domains.Missing(), false},
		{"carriage returns", " 2 \r\n", levels, domains.At(2), true},
		{"a line longer than any buffer, then an answer", long + "\n1\n", levels, domains.At(1), true},
		{"nothing but such a line", long, levels, domains.Missing(), false},
		{"bytes that are no text", "\xff\xfe\x00\n1\n", levels, domains.At(1), true},
		{"numbers that are no level", "0\n-1\n4\n1e9\n1.5\nNaN\nInf\n-Inf\n1e999\n2\n", levels, domains.At(2), true},
		{"numbers off the scale", "NaN\n+Inf\n5.1\n1e9\n-5\n", free, domains.At(-5), true},
		{"not held", "N\n", free, domains.NotHeld(), true},
		{"skipped", "?\n", free, domains.Missing(), true},
		{"enough", "quit\n", free, domains.Missing(), false},
	} {
		cell, more, err := reply(bufio.NewReader(strings.NewReader(row.in)), io.Discard, row.c)
		if err != nil || more != row.more || cell != row.cell && !(cell.IsMissing() && row.cell.IsMissing()) {
			t.Errorf("%s: %v %v %v", row.reason, cell, more, err)
		}
	}
}
