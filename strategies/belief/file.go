package belief

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"pepbench/domains"
)

// fileFormat and fileVersion name what Save writes. A change of any model's
// snapshot raises the version.
const (
	fileFormat  = "pepbench-model"
	fileVersion = 1
)

// ErrModelFile is wrapped by the errors of Load: no model file, another version,
// or a model of other criteria.
var ErrModelFile = errors.New("model file cannot be used")

// Provenance says what a stored model was fitted on.
type Provenance struct {
	Data     string      `json:"data"`     // name and version of the data set
	Sources  []string    `json:"sources"`  // SHA-256 of its files
	Split    string      `json:"split"`    // in words
	Profiles int         `json:"profiles"` // training profiles
	Choice   []Candidate `json:"choice"`   // fits compared on dev
	Code     string      `json:"code"`     // version of the program
}

// MarshalJSON writes a score that is not a number, as of a fit without dev profiles,
// as null.
func (c Candidate) MarshalJSON() ([]byte, error) {
	f := candidateFile{Name: c.Name, Chosen: c.Chosen}
	if !math.IsNaN(c.DevScore) {
		f.DevScore = &c.DevScore
	}
	return json.Marshal(f)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Candidate) UnmarshalJSON(b []byte) error {
	var f candidateFile
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	*c = Candidate{Name: f.Name, DevScore: math.NaN(), Chosen: f.Chosen}
	if f.DevScore != nil {
		c.DevScore = *f.DevScore
	}
	return nil
}

type candidateFile struct {
	Name     string   `json:"name"`
	DevScore *float64 `json:"dev_score"`
	Chosen   bool     `json:"chosen,omitempty"`
}

// modelFile is the document on disk.
type modelFile struct {
	Format   string          `json:"format"`
	Version  int             `json:"version"`
	Kind     string          `json:"kind"`
	From     Provenance      `json:"from"`
	Criteria []fileCriterion `json:"criteria"`
	Model    json.RawMessage `json:"model"`
}

// fileCriterion is what must agree between a model and the data it is used on.
type fileCriterion struct {
	ID     string    `json:"id"`
	Scale  string    `json:"scale"`
	Levels []float64 `json:"levels,omitempty"`
	Range  []float64 `json:"range,omitempty"`
}

func fileCriteria(criteria []domains.Criterion) []fileCriterion {
	out := make([]fileCriterion, len(criteria))
	for i := range criteria {
		c := &criteria[i]
		out[i] = fileCriterion{ID: c.ID, Scale: c.Scale.String()}
		for _, l := range c.Levels {
			out[i].Levels = append(out[i].Levels, l.Value)
		}
		if c.Scale == domains.Continuous {
			out[i].Range = []float64{c.Min, c.Max}
		}
	}
	return out
}

// A stored model can be written to a file. Its snapshot is a value that
// encoding/json writes and its restorer reads.
type stored interface {
	Model
	fileKind() string // name in restorers
	population() []domains.Criterion
	snapshot() any
}

// restorers make a model of each kind out of its snapshot, which they validate:
// lengths, probabilities, finite numbers.
var restorers = map[string]func(raw json.RawMessage, criteria []domains.Criterion) (Model, error){
	"blr":                restoreBLR,
	"factor":             restoreFactor,
	"graded":             restoreGraded,
	"latent-class":       restoreLatentClass,
	"mixture-of-factors": restoreMixtureOfFactors,
	"released":           restoreReleased,
}

// mostParameter bounds the parameters of a file, so that no product of them overflows:
// values are in widths of their scale, all else in standard deviations or logits.
const mostParameter = 1e9

// sound says whether a number read from a file can be a parameter.
func sound(v float64) bool { return math.Abs(v) <= mostParameter }

// Save writes a fitted model.
func Save(w io.Writer, m Model, from Provenance) error {
	s, ok := m.(stored)
	if !ok {
		return fmt.Errorf("belief: %T cannot be stored", m)
	}
	raw, err := json.Marshal(s.snapshot())
	if err != nil {
		return fmt.Errorf("belief: snapshot: %w", err)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(modelFile{fileFormat, fileVersion, s.fileKind(), from, fileCriteria(s.population()), raw})
}

// Load reads a model for data with the given criteria. Errors wrap ErrModelFile and
// say what differs.
func Load(r io.Reader, criteria []domains.Criterion) (Model, Provenance, error) {
	bad := func(what, mend string) (Model, Provenance, error) {
		return nil, Provenance{}, &domains.DataError{What: what, Mend: mend, Err: ErrModelFile}
	}
	var f modelFile
	dec := json.NewDecoder(r)
	if err := dec.Decode(&f); err != nil {
		return bad("not a model file: "+err.Error(), "write one with pepbench fit")
	}
	_, err := dec.Token()
	switch {
	case f.Format != fileFormat:
		return bad(fmt.Sprintf("not a model file: format %q", f.Format), "write one with pepbench fit")
	case f.Version != fileVersion:
		return bad(fmt.Sprintf("model file of version %d, this program reads %d", f.Version, fileVersion), "fit it again with pepbench fit")
	case !errors.Is(err, io.EOF):
		return bad("damaged model file: something follows the model", "fit it again with pepbench fit")
	case restorers[f.Kind] == nil:
		return bad(fmt.Sprintf("model file of unknown kind %q", f.Kind), "fit it again with pepbench fit")
	}
	want := fileCriteria(criteria)
	if len(want) != len(f.Criteria) {
		return bad(fmt.Sprintf("model of %d criteria (%s), the data has %d", len(f.Criteria), f.From.Data, len(want)), "fit it on this data")
	}
	for i := range want {
		if h := f.Criteria[i]; h.ID != want[i].ID || h.Scale != want[i].Scale || !slices.Equal(h.Levels, want[i].Levels) || !slices.Equal(h.Range, want[i].Range) {
			return bad(fmt.Sprintf("model of other criteria (%s): number %d is %q there and %q in the data, or has another scale", f.From.Data, i+1, h.ID, want[i].ID), "fit it on this data")
		}
	}
	m, err := restorers[f.Kind](f.Model, criteria)
	if err == nil {
		err = sameSnapshot(m.(stored), f.Model)
	}
	if err != nil {
		return bad(fmt.Sprintf("damaged model file: %v", err), "fit it again with pepbench fit")
	}
	return m, f.From, nil
}

// sameSnapshot makes sure that a model would be written as it was read: a number that
// is missing or null would be read as 0.
func sameSnapshot(m stored, raw json.RawMessage) error {
	var had bytes.Buffer
	if err := json.Compact(&had, raw); err != nil {
		return err
	}
	now, err := json.Marshal(m.snapshot())
	if err == nil && !bytes.Equal(now, had.Bytes()) {
		err = errors.New("it is not what this program writes")
	}
	return err
}
