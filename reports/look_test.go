package reports

import (
	"os"
	"testing"
)

func TestLook(t *testing.T) {
	out := os.Getenv("LOOK")
	if out == "" {
		t.Skip()
	}
	for name, y := range map[string]synth{
		"plain":  {tasks: 16, users: 12, seeds: 2, criteria: 14, budget: 5, simulated: true},
		"long":   {tasks: 10, users: 8, seeds: 1, criteria: 14, budget: 5, horizon: 14, long: true, unscored: 40},
		"survey": {tasks: 1, users: 60, seeds: 1, criteria: 14, budget: 5, survey: true},
		"one":    {tasks: 1, users: 1, seeds: 1, criteria: 14, budget: 5},
	} {
		dir := y.write(t)
		s, err := Write(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Log("\n" + s.Text)
		for _, w := range s.Warnings {
			t.Log("warning: " + w)
		}
		os.RemoveAll(out + "/" + name)
		if err := os.CopyFS(out+"/"+name, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
	}
}
