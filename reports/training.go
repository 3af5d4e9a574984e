package reports

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"pepbench/bench/record"
	"pepbench/domains"
)

// trainingsFolder is where a run keeps the trainings of its policies, one JSON file each.
const trainingsFolder = "trainings"

// WriteTraining reads what training policies left, in files or in folders with a
// training.json, and writes learning.{svg,png,pdf}, the same as wide as a page, and curve.csv
// into dir, each whole or not at all: a figure for every policy (learning-<policy> where there are several), of
// all its seeds. Equal trainings give equal bytes. Errors of the input wrap
// domains.ErrData.
func WriteTraining(dir string, from ...string) (*Summary, error) {
	var list []*record.Training
	for _, path := range from {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			path = filepath.Join(path, record.TrainingFile)
		}
		t, err := readTraining(path)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	files, err := trainingFiles(list)
	if err != nil {
		return nil, err
	}
	for i := range files {
		files[i].Path = filepath.Base(files[i].Path)
	}
	s := &Summary{}
	for _, of := range byPolicy(list) {
		if w := undertrained(of); w != "" {
			s.Warnings = append(s.Warnings, fmt.Sprintf("policy %s: %s", of[0].Policy, w))
		}
	}
	return s, s.put(dir, files)
}

// trainingFiles draws the figures and writes the points that are in them.
func trainingFiles(list []*record.Training) ([]File, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out, err := figureFiles(learningFigures(list), newPen())
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(curveCSV(list)); err != nil {
		return nil, err
	}
	return append(out, File{"tables/curve.csv", b.Bytes()}), nil
}

// curveCSV has a line for every point of every training.
func curveCSV(list []*record.Training) [][]string {
	out := [][]string{{"policy", "seed", "fold", "step", "train", "dev", "entropy", "kl", "clipped", "grad_norm", "undefined", "chosen"}}
	for _, of := range byPolicy(list) {
		for _, t := range of {
			for _, p := range t.Curve {
				n := func(v record.Float) string { return raw(Number(v)) }
				out = append(out, []string{
					t.Policy, strconv.Itoa(t.Seed), strconv.Itoa(t.Fold), strconv.Itoa(p.Step), n(p.Train), n(p.Dev), n(p.Entropy), n(p.KL),
					n(p.Clipped), n(p.GradNorm), strconv.Itoa(p.Undefined), strconv.FormatBool(p.Step == t.Best),
				})
			}
		}
	}
	return out
}

// readTrainings reads every JSON file of the folder, in the order of their names; without
// the folder there is none.
func readTrainings(dir string) ([]*record.Training, error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, &domains.DataError{File: dir, What: "the trainings of the run cannot be read", Err: bare(err)}
	}
	var out []*record.Training
	for _, e := range entries { // sorted by name
		if filepath.Ext(e.Name()) != ".json" {
			continue
		}
		t, err := readTraining(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// readTraining reads one file. One that is missing, of another schema or that does not
// hold together is a *domains.DataError.
func readTraining(path string) (*record.Training, error) {
	bad := func(line int, err error, format string, a ...any) error {
		return &domains.DataError{File: path, Line: line, What: fmt.Sprintf(format, a...), Mend: "train the policy again", Err: err}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, bad(0, bare(err), "the training cannot be read")
	}
	var have map[string]json.RawMessage
	if err := json.Unmarshal(b, &have); err != nil {
		line := 0
		if s := (*json.SyntaxError)(nil); errors.As(err, &s) {
			line = 1 + bytes.Count(b[:min(s.Offset, int64(len(b)))], []byte("\n"))
		}
		return nil, bad(line, err, "not a training")
	}
	var version struct{ Schema int }
	if json.Unmarshal(b, &version) != nil || version.Schema != record.Schema {
		return nil, &domains.DataError{File: path, What: fmt.Sprintf("schema %d, this program reads schema %d", version.Schema, record.Schema), Mend: "use the program that wrote it, or train the policy again"}
	}
	for _, key := range []string{"policy", "seed", "steps", "best", "reward", "dev", "random", "static", "undertrained", "curve"} {
		if _, ok := have[key]; !ok { // a number that is absent would be read as 0
			return nil, bad(0, nil, "not a training: %q is missing", key)
		}
	}
	var t record.Training
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&t); err != nil {
		return nil, bad(0, err, "not a training")
	}
	if what := trainingFault(&t); what != "" {
		return nil, bad(0, nil, "%s", what)
	}
	return &t, nil
}

// trainingFault says what of a training does not hold together, or nothing.
func trainingFault(t *record.Training) string {
	off := func(v record.Float) bool { return v.Defined() && (v < -1e-6 || v > 100+1e-6) }
	const most = 1e9 // steps, and nats: beyond any training, and what can be drawn
	switch {
	case t.Steps < 0 || t.Steps > most:
		return fmt.Sprintf("%d steps", t.Steps)
	case t.Policy == "":
		return "the training names no policy"
	case len(t.Curve) == 0:
		return "the learning curve has no point"
	case t.Best < 0 || t.Best > t.Steps:
		return fmt.Sprintf("the chosen checkpoint is after step %d of %d", t.Best, t.Steps)
	case off(t.Reward) || off(t.Dev) || off(t.Random) || off(t.Static):
		return "a mean reward is outside 0..100"
	}
	for i, p := range t.Curve {
		switch {
		case p.Step < 0 || p.Step > t.Steps || i > 0 && p.Step <= t.Curve[i-1].Step:
			return fmt.Sprintf("point %d of the learning curve is after step %d, which does not ascend or is none of %d", i+1, p.Step, t.Steps)
		case off(p.Train) || off(p.Dev):
			return fmt.Sprintf("point %d of the learning curve has a reward outside 0..100", i+1)
		case math.Abs(float64(p.Entropy)) > most, math.Abs(float64(p.KL)) > most: // a NaN is not
			return fmt.Sprintf("point %d of the learning curve has an entropy or a divergence that cannot be", i+1)
		}
	}
	return ""
}

// byPolicy groups trainings by the policy that they are of, in the order in which these
// come first, and within by seed, then fold.
func byPolicy(list []*record.Training) (out [][]*record.Training) {
	for _, t := range list {
		i := slices.IndexFunc(out, func(g []*record.Training) bool { return g[0].Policy == t.Policy })
		if i < 0 {
			i = len(out)
			out = append(out, nil)
		}
		out[i] = append(out[i], t)
	}
	for _, g := range out {
		slices.SortStableFunc(g, func(a, b *record.Training) int { return 1_000_000*(a.Seed-b.Seed) + a.Fold - b.Fold })
	}
	return out
}

// undertrained words how many of the trainings do not reach the best fixed order, or is
// empty.
func undertrained(of []*record.Training) string {
	list := make([]record.TrainingSummary, len(of))
	for i, t := range of {
		list[i] = t.TrainingSummary
	}
	return shortOf(list)
}

// safeName is a policy's name as part of the name of a file.
func safeName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_+.", r) {
			return r
		}
		return '-'
	}, s)
}
