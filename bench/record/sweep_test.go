package record

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pepbench/domains"
)

func someSweep() *Sweep {
	dev := func(v float64) *float64 { return &v }
	return &Sweep{
		Schema: Schema, Name: "grid", About: "beliefs by acquisitions",
		Axes: []Axis{{Path: "beliefs.model", Values: []string{"latent", "factor"}}, {Path: "strategies.pep.acquisition", Values: []string{"profile-ig", "variance"}}},
		Cells: []SweepCell{
			{At: []int{0, 0}, Dir: "latent_profile-ig", DevAlignment: dev(70), Params: 40},
			{At: []int{0, 1}, Refused: "variance needs values"},
			{At: []int{1, 0}, Dir: "factor_profile-ig", DevAlignment: dev(71)},
			{At: []int{1, 1}, Dir: "factor_variance", DevAlignment: dev(71)},
		},
		Strategy: "pep+model", Twin: "twin+model",
	}
}

// TestSweep: what is written is read, and the largest dev alignment chooses.
func TestSweep(t *testing.T) {
	dir, want := t.TempDir(), someSweep()
	if err := WriteSweep(dir, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadSweep(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, wrote %+v", got, want)
	}
	if l := got.Labels(&got.Cells[3]); l[0] != "factor" || l[1] != "variance" {
		t.Errorf("labels %q", l)
	}
	for _, test := range []struct {
		reason string
		change func(*Sweep)
		want   int
	}{
		{"the lowest index among equals", func(*Sweep) {}, 2},
		{"the largest", func(s *Sweep) { *s.Cells[0].DevAlignment = 72 }, 0},
		{"unmeasured ones do not count", func(s *Sweep) { s.Cells[2].DevAlignment = nil }, 3},
		{"refused ones do not count", func(s *Sweep) { v := 99.; s.Cells[1].DevAlignment = &v }, 2},
		{"none was measured", func(s *Sweep) {
			for i := range s.Cells {
				s.Cells[i].DevAlignment = nil
			}
		}, -1},
	} {
		s := someSweep()
		test.change(s)
		if got := s.Chosen(); got != test.want {
			t.Errorf("%s: cell %d, want %d", test.reason, got, test.want)
		}
	}
}

func TestSweepErrors(t *testing.T) {
	for _, test := range []struct {
		reason string
		change func(*Sweep)
		want   string
	}{
		{"no axis", func(s *Sweep) { s.Axes = nil }, "the sweep has no axis"},
		{"no strategy", func(s *Sweep) { s.Strategy = "" }, "the sweep names no strategy"},
		{"an axis twice", func(s *Sweep) { s.Axes[1].Path = s.Axes[0].Path }, "axis 2 has no path, or that of another"},
		{"an axis without values", func(s *Sweep) { s.Axes[0].Values = nil }, "axis beliefs.model has no values"},
		{"a label twice", func(s *Sweep) { s.Axes[0].Values[1] = "latent" }, "axis beliefs.model: value 2 has no label, or that of another"},
		{"a stage too few", func(s *Sweep) { s.Axes[0].Stages = []string{"SFT"} }, "axis beliefs.model has 2 values and 1 stages"},
		{"an index too few", func(s *Sweep) { s.Cells[0].At = []int{0} }, "cell 1 has 1 indices for 2 axes"},
		{"an index beyond the axis", func(s *Sweep) { s.Cells[0].At = []int{0, 2} }, "cell 1: index 2 on axis strategies.pep.acquisition, which has 2 values"},
		{"a cell twice", func(s *Sweep) { s.Cells[3].At = []int{0, 1} }, "cells 2 and 4 are the same combination"},
		{"neither folder nor reason", func(s *Sweep) { s.Cells[1].Refused = "" }, "cell 2 must have either a folder or a reason why it has none"},
		{"folder and reason", func(s *Sweep) { s.Cells[0].Refused = "x" }, "cell 1 must have either a folder or a reason why it has none"},
		{"a folder elsewhere", func(s *Sweep) { s.Cells[0].Dir = "../x" }, `cell 1: folder "../x" is not inside that of the sweep`},
		{"a dev alignment of 101", func(s *Sweep) { *s.Cells[0].DevAlignment = 101 }, "cell 1: dev alignment 101 is outside 0..100"},
		{"fewer than no parameters", func(s *Sweep) { s.Cells[0].Params = -1 }, "cell 1: -1 parameters"},
	} {
		dir, s := t.TempDir(), someSweep()
		test.change(s)
		err := WriteSweep(dir, s)
		var bad *domains.DataError
		if !errors.As(err, &bad) || !strings.HasSuffix(err.Error(), SweepFile+": "+test.want) {
			t.Errorf("%s: writing gives %v, want %s", test.reason, err, test.want)
		}
		if err := WriteJSON(filepath.Join(dir, SweepFile), s); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSweep(dir); !errors.As(err, &bad) || !strings.HasSuffix(err.Error(), test.want+"; run the sweep again") {
			t.Errorf("%s: reading gives %v, want %s", test.reason, err, test.want)
		}
	}
	for _, test := range []struct{ reason, text, want string }{
		{"no file", "", "sweep.json: the sweep cannot be read (no such file or directory); run the sweep"},
		{"no JSON", "{\n\"schema\": x}", "sweep.json:2: not a sweep (invalid character 'x' looking for beginning of value); run the sweep again"},
		{"another schema", `{"schema": 9}`, "sweep.json: schema 9, this program reads schema 1; use the program that wrote it, or run the sweep again"},
	} {
		dir := t.TempDir()
		if test.text != "" {
			if err := os.WriteFile(filepath.Join(dir, SweepFile), []byte(test.text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := ReadSweep(dir); err == nil || !strings.HasSuffix(err.Error(), string(filepath.Separator)+test.want) {
			t.Errorf("%s: %v, want %s", test.reason, err, test.want)
		}
	}
}
