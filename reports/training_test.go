package reports

import (
	"encoding/json"
	"errors"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"pepbench/bench/record"
	"pepbench/domains"
)

// words gives the texts of an SVG file.
func svgWords(b []byte) string {
	var out []string
	for _, m := range regexp.MustCompile(`<text[^>]*>([^<]*)</text>`).FindAllSubmatch(b, -1) {
		out = append(out, html.UnescapeString(string(m[1])))
	}
	return strings.Join(out, " ")
}

// TestWriteTraining: a figure of every policy, of all its seeds, and the points in it;
// twice the same bytes.
func TestWriteTraining(t *testing.T) {
	for _, row := range []struct {
		reason string
		list   []*record.Training
		files  []string
		says   []string
		warns  string
	}{
		{
			"three seeds of one policy",
			[]*record.Training{someTraining("rl", 1), someTraining("rl", 2), someTraining("rl", 3)},
			[]string{"learning.svg", "learning.png", "learning.pdf", "learning-page.svg", "learning-page.png", "learning-page.pdf", "curve.csv"},
			[]string{
				"Reward (alignment, 0-100)", "Nats", "Step", "rollouts in training", "best fixed order", "random", "KL to the start", "entropy",
				"Policy rl on made-up 1: two-layer network of 32 units, 4,321 parameters; GRPO", "not the paper's model", "simulated users",
				"Thin: 3 trainings; thick: their mean", "search, 58.5) and random (47.0)", "All reach the best fixed order.",
			},
			"",
		},
		{
			"one, which does not reach the fixed order",
			[]*record.Training{func() *record.Training {
				t := someTraining("rl", 1)
				t.Undertrained, t.Reward = true, 50
				return t
			}()},
			[]string{"learning.svg", "learning.png", "learning.pdf", "learning-page.svg", "learning-page.png", "learning-page.pdf", "curve.csv"},
			[]string{"Undertrained: 1 of 1 seed below the best fixed order on the training reward."},
			"policy rl: undertrained: 1 of 1",
		},
		{
			"two policies, named apart",
			[]*record.Training{someTraining("rl", 1), someTraining("rl/dense", 1)},
			[]string{"learning-rl.svg", "learning-rl.png", "learning-rl.pdf", "learning-rl-page.svg", "learning-rl-page.png", "learning-rl-page.pdf", "learning-rl-dense.svg", "learning-rl-dense.png", "learning-rl-dense.pdf", "learning-rl-dense-page.svg", "learning-rl-dense-page.png", "learning-rl-dense-page.pdf", "curve.csv"},
			nil, "",
		},
		{
			"one point, and little that is known",
			[]*record.Training{func() *record.Training {
				t := someTraining("rl", 1)
				t.Curve, t.Steps, t.Best, t.Method = t.Curve[:1], 0, 0, ""
				t.Static = t.Curve[0].Train
				return t
			}()},
			[]string{"learning.svg", "learning.png", "learning.pdf", "learning-page.svg", "learning-page.png", "learning-page.pdf", "curve.csv"},
			[]string{"search, unknown)"},
			"",
		},
	} {
		in, out := t.TempDir(), t.TempDir()
		var from []string
		for i, tr := range row.list {
			// In a file or in a folder.
			if i%2 == 0 {
				from = append(from, writeTraining(t, in, safeName(tr.Policy)+string(rune('0'+i))+".json", tr))
				continue
			}
			dir := filepath.Join(in, string(rune('a'+i)))
			writeTraining(t, dir, record.TrainingFile, tr)
			from = append(from, dir)
		}
		s, err := WriteTraining(out, from...)
		if err != nil {
			t.Fatalf("%s: %v", row.reason, err)
		}
		if !slices.Equal(s.Files, row.files) {
			t.Errorf("%s: files %q, want %q", row.reason, s.Files, row.files)
		}
		if got := strings.Join(s.Warnings, "; "); !strings.HasPrefix(got, row.warns) || (got == "") != (row.warns == "") {
			t.Errorf("%s: warnings %q", row.reason, got)
		}
		before := map[string]string{}
		for _, f := range s.Files {
			b, err := os.ReadFile(filepath.Join(out, f))
			if err != nil {
				t.Fatal(err)
			}
			before[f] = string(b)
			if f != "learning.svg" {
				continue
			}
			text := svgWords(b)
			for _, w := range row.says {
				if !strings.Contains(text, w) {
					t.Errorf("%s: no %q in %q", row.reason, w, text)
				}
			}
			if !row.list[0].Static.Defined() && strings.Contains(text, "best fixed order.") {
				t.Errorf("%s: a fixed order without a reward is reached, or not: %q", row.reason, text)
			}
			if strings.Contains(string(b), "NaN") || strings.Contains(string(b), "Inf") {
				t.Errorf("%s: NaN or Inf", row.reason)
			}
		}
		if *pictures != "" {
			if err := os.CopyFS(filepath.Join(*pictures, "learning-"+safeName(row.reason)), os.DirFS(out)); err != nil {
				t.Fatal(err)
			}
		}
		if len(row.list) < 3 {
			continue
		}
		if _, err := WriteTraining(out, from...); err != nil {
			t.Fatal(err)
		}
		for f, text := range before {
			if b, err := os.ReadFile(filepath.Join(out, f)); err != nil || string(b) != text {
				t.Errorf("%s: another %s the second time: %v", row.reason, f, err)
			}
		}
		if row.warns == "" && len(row.list) == 3 {
			golden(t, filepath.Join("testdata", "claims", "curve.csv"), before["curve.csv"])
		}
	}
}

// TestRunTrainings: a run that keeps its trainings has their figure, and loses it with
// them.
func TestRunTrainings(t *testing.T) {
	dir := synth{tasks: 2, users: 2, seeds: 1, criteria: 5, budget: 1}.write(t)
	files := []string{"figures/learning.svg", "figures/learning.png", "figures/learning.pdf", "tables/curve.csv"}
	for _, with := range []bool{false, true, false} {
		if with {
			writeTraining(t, filepath.Join(dir, trainingsFolder), "rl-1.json", someTraining("rl", 1))
			put(t, filepath.Join(dir, trainingsFolder, "notes.txt"), []byte("no training"))
		} else if err := os.RemoveAll(filepath.Join(dir, trainingsFolder)); err != nil {
			t.Fatal(err)
		}
		if _, err := writePlain(dir); err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if exists(dir, f) != with {
				t.Errorf("trainings there: %v, %s: %v", with, f, exists(dir, f))
			}
		}
	}
}

// TestTrainingErrors: what is no training is refused with what is wrong, and nothing is
// written.
func TestTrainingErrors(t *testing.T) {
	change := func(old, with string) func(string) string {
		return func(s string) string {
			if !strings.Contains(s, old) {
				t.Fatalf("no %q", old)
			}
			return strings.Replace(s, old, with, 1)
		}
	}
	for _, row := range []struct {
		reason string
		change func(string) string
		want   string
	}{
		{"no file", nil, "the training cannot be read (no such file or directory); train the policy again"},
		{"no JSON", func(string) string { return "{\n\"schema\": x}" }, ":2: not a training"},
		{"a list", func(string) string { return "[]" }, "not a training"},
		{"another version", change(`"schema": 1`, `"schema": 2`), "schema 2, this program reads schema 1; use the program that wrote it"},
		{"a number that is absent is no 0", change(`"random": 47,`, ``), `not a training: "random" is missing`},
		{"a field that nobody knows", change(`"random": 47,`, `"random": 47, "extra": 1,`), `unknown field "extra"`},
		{"no policy", change(`"policy": "rl"`, `"policy": ""`), "the training names no policy"},
		{"a checkpoint after the end", change(`"best": 40`, `"best": 70`), "the chosen checkpoint is after step 70 of 60"},
		{"a reward that cannot be", change(`"random": 47`, `"random": 470`), "a mean reward is outside 0..100"},
		{"steps that do not ascend", change(`"step": 10,`, `"step": 5,`), "point 3 of the learning curve is after step 5"},
		{"a step after the end", change(`"step": 60,`, `"step": 61,`), "point 13 of the learning curve is after step 61"},
		{"more steps than can be", change("\"steps\": 60,\n  \"best\"", "\"steps\": 6000000000,\n  \"best\""), "6000000000 steps"},
		{"a divergence that cannot be", change(`"kl": 0,`, `"kl": 1e300,`), "point 1 of the learning curve has an entropy or a divergence that cannot be"},
		{"a point that cannot be", change(`"dev": 47,`, `"dev": -3,`), "point 1 of the learning curve has a reward outside 0..100"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, record.TrainingFile)
		if row.change != nil {
			writeTraining(t, dir, record.TrainingFile, someTraining("rl", 1))
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			put(t, path, []byte(row.change(string(b))))
		}
		out := filepath.Join(dir, "out")
		_, err := WriteTraining(out, path)
		var bad *domains.DataError
		if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), path) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.reason, err, row.want)
		}
		if exists(out, ".") {
			t.Errorf("%s: something is written", row.reason)
		}
	}
	tr := someTraining("rl", 1)
	tr.Curve = nil
	if _, err := WriteTraining(t.TempDir(), writeTraining(t, t.TempDir(), "x.json", tr)); err == nil || !strings.Contains(err.Error(), "the learning curve has no point") {
		t.Errorf("no points: %v", err)
	}
}

// FuzzTraining: whatever the file holds, it is a training that can be drawn or a
// *domains.DataError.
func FuzzTraining(f *testing.F) {
	b, err := json.Marshal(someTraining("rl", 1))
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{string(b), "{}", "[]", `{"schema":1}`, `{"schema":1,"curve":null}`, strings.Replace(string(b), `"dev":47`, `"dev":1e308`, 1), strings.Replace(string(b), `"kl":0`, `"kl":1e300`, 1), strings.Replace(string(b), `"step":5`, `"step":null`, 1)} {
		f.Add(s)
	}
	path := filepath.Join(f.TempDir(), "training.json")
	f.Fuzz(func(t *testing.T, s string) {
		put(t, path, []byte(s))
		tr, err := readTraining(path)
		var bad *domains.DataError
		switch {
		case err != nil && !errors.As(err, &bad):
			t.Errorf("%v", err)
		case err == nil:
			for _, s := range sketched(learningFigures([]*record.Training{tr})) {
				var c recorder.Canvas
				s.render(draw.NewCanvas(&c, s.w, s.h))
			}
		}
	})
}
