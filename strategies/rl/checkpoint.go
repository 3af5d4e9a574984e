package rl

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"pepbench/domains"
)

// What Policy.Save and Checkpoint.Save write. A change of the features, of the network or
// of what a file holds raises the version.
const (
	policyFormat     = "pepbench-policy"
	checkpointFormat = "pepbench-policy-training"
	fileVersion      = 1
)

// ErrPolicyFile is wrapped by the errors of LoadPolicy and LoadCheckpoint: no such file,
// another version, damaged, or of other criteria.
var ErrPolicyFile = errors.New("policy file cannot be used")

// fileCriterion is what must agree between a policy and the data that it is used on.
type fileCriterion struct {
	ID    string  `json:"id"`
	Scale string  `json:"scale"`
	Lo    float64 `json:"lo"` // least value
	Hi    float64 `json:"hi"`
}

func fileCriteria(criteria []domains.Criterion) []fileCriterion {
	out := make([]fileCriterion, len(criteria))
	for i := range criteria {
		c := &criteria[i]
		lo, hi := ends(c)
		out[i] = fileCriterion{c.ID, c.Scale.String(), lo, hi}
	}
	return out
}

// is says whether a criterion of data is the one.
func (f *fileCriterion) is(c *domains.Criterion) bool {
	lo, hi := ends(c)
	return f.ID == c.ID && f.Scale == c.Scale.String() && f.Lo == lo && f.Hi == hi
}

// vector is written as base64 of little-endian float64.
type vector []float64

// MarshalText implements encoding.TextMarshaler.
func (v vector) MarshalText() ([]byte, error) {
	raw := make([]byte, 0, 8*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(x))
	}
	return base64.StdEncoding.AppendEncode(nil, raw), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *vector) UnmarshalText(text []byte) error {
	raw, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return err
	}
	if len(raw)%8 != 0 {
		return errors.New("weights that end within a number")
	}
	*v = make(vector, len(raw)/8)
	for i := range *v {
		(*v)[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return nil
}

// number is null where it is not a number.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// policyFile is the document on disk.
type policyFile struct {
	Format   string          `json:"format"`
	Version  int             `json:"version"`
	Criteria []fileCriterion `json:"criteria"`
	Budget   int             `json:"budget"` // questions of an episode in training
	Options  Options         `json:"options"`
	Params   int             `json:"params"`
	Weights  vector          `json:"weights"` // W1 (features x hidden), b1, W2 (criteria x hidden), b2
}

// Save writes a policy.
func (p *Policy) Save(w io.Writer) error {
	return save(w, policyFile{policyFormat, fileVersion, p.criteria, p.layout.budget, p.options, len(p.net.theta), p.net.theta})
}

func save(w io.Writer, doc any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(doc)
}

// LoadPolicy reads a policy for data with the given criteria. Errors wrap ErrPolicyFile and
// domains.ErrData and say what differs.
func LoadPolicy(r io.Reader, criteria []domains.Criterion) (*Policy, error) {
	var f policyFile
	if err := load(r, &f, policyFormat); err != nil {
		return nil, err
	}
	l, err := layoutOf(f.Version, f.Criteria, criteria, f.Budget, &f.Options)
	if err != nil {
		return nil, err
	}
	want := networkSize(l.size(), f.Options.Hidden, l.actions)
	switch {
	case f.Params != want || len(f.Weights) != want:
		return nil, damaged(fmt.Sprintf("%d weights, %d named; its options and criteria need %d", len(f.Weights), f.Params, want))
	case !sound(f.Weights):
		return nil, damaged("a weight is not a finite number, or too large")
	}
	return &Policy{f.Criteria, l, f.Options, networkOf(l.size(), f.Options.Hidden, l.actions, f.Weights)}, nil
}

func refused(what, mend string) error {
	return &domains.DataError{What: what, Mend: mend, Err: ErrPolicyFile}
}

func damaged(what string) error {
	return refused("damaged policy file: "+what, "remove it and train again")
}

// load reads one document and makes sure that it would be written as it was read: a
// number that is missing would be read as 0.
func load(r io.Reader, doc any, format string) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return refused("policy file cannot be read: "+err.Error(), "")
	}
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	err = json.Unmarshal(raw, &head)
	switch {
	case err != nil:
		return refused("not a policy file: "+err.Error(), "write one with pepbench train-policy")
	case head.Format != format:
		return refused(fmt.Sprintf("not a %s file: format %q", format, head.Format), "write one with pepbench train-policy")
	case head.Version != fileVersion:
		return refused(fmt.Sprintf("policy file of version %d, this program reads %d", head.Version, fileVersion), "train again")
	}
	if err := json.Unmarshal(raw, doc); err != nil {
		return damaged(err.Error())
	}
	var now bytes.Buffer
	if err := save(&now, doc); err != nil {
		return damaged(err.Error())
	}
	if !bytes.Equal(bytes.TrimSpace(now.Bytes()), bytes.TrimSpace(raw)) {
		return damaged("it is not what this program writes")
	}
	return nil
}

// layoutOf checks what a file says of itself.
func layoutOf(version int, have []fileCriterion, criteria []domains.Criterion, budget int, o *Options) (layout, error) {
	if len(have) != len(criteria) {
		return layout{}, refused(fmt.Sprintf("policy of %d criteria, the data has %d", len(have), len(criteria)), "train one on this data")
	}
	for i := range have {
		if !have[i].is(&criteria[i]) {
			return layout{}, refused(fmt.Sprintf("policy of other criteria: number %d is %q there and %q in the data, or has another scale", i+1, have[i].ID, criteria[i].ID), "train one on this data")
		}
	}
	if err := o.Check(); err != nil {
		return layout{}, damaged(err.Error())
	}
	if budget < 1 {
		return layout{}, damaged(fmt.Sprintf("a budget of %d questions", budget))
	}
	return layout{actions: len(criteria), words: o.Words, budget: budget}, nil
}

// A Checkpoint is a training that can go on: weights, the state of Adam and of the
// baseline, the best weights so far and the curve. All randomness follows from the seed and
// the step.
type Checkpoint struct {
	Step int    // taken
	Of   string // whatever the caller knows the training by: the environment is not in the file

	file checkpointFile
}

// checkpointFile is the document on disk.
type checkpointFile struct {
	Format   string          `json:"format"`
	Version  int             `json:"version"`
	Of       string          `json:"of"`
	Criteria []fileCriterion `json:"criteria"`
	Budget   int             `json:"budget"`
	Options  Options         `json:"options"`
	Step     int             `json:"step"`
	Policy   netFile         `json:"policy"`
	Critic   *netFile        `json:"critic"`
	Baseline baseline        `json:"baseline"`
	Best     vector          `json:"best"` // weights of the policy
	BestStep int             `json:"best_step"`
	BestDev  number          `json:"best_dev"`
	Worse    int             `json:"worse"` // evaluations since
	Curve    []filePoint     `json:"curve"`
}

type netFile struct {
	Weights vector `json:"weights"`
	M       vector `json:"m"` // of Adam
	V       vector `json:"v"`
	T       int    `json:"t"`
}

type filePoint struct {
	Step         int    `json:"step"`
	Train        number `json:"train"`
	Dev          number `json:"dev"`
	Entropy      number `json:"entropy"`
	KL           number `json:"kl"`
	Clipped      number `json:"clipped"`
	GradNorm     number `json:"grad_norm"`
	Undefined    int    `json:"undefined"`
	DevUndefined int    `json:"dev_undefined"`
}

func netFileOf(n *network, a *adam) netFile {
	return netFile{slices.Clone(n.theta), slices.Clone(a.m), slices.Clone(a.v), a.t}
}

// checkpoint copies the state of a training.
func (l *learner) checkpoint() *Checkpoint {
	f := checkpointFile{
		Format: checkpointFormat, Version: fileVersion, Criteria: l.ids, Budget: l.layout.budget, Options: l.o,
		Step: l.step, Policy: netFileOf(l.net, &l.opt),
		Baseline: baseline{slices.Clone(l.baseline.Sum), slices.Clone(l.baseline.Count)},
		Best:     slices.Clone(l.best), BestStep: l.bestStep, BestDev: number(l.bestDev), Worse: l.worse,
	}
	if l.critic != nil {
		c := netFileOf(l.critic, &l.criticOpt)
		f.Critic = &c
	}
	for _, p := range l.curve {
		f.Curve = append(f.Curve, filePoint{p.Step, number(p.Train), number(p.Dev), number(p.Entropy), number(p.KL), number(p.Clipped), number(p.GradNorm), p.Undefined, p.DevUndefined})
	}
	return &Checkpoint{Step: l.step, file: f}
}

// restore goes on from a checkpoint of the same training.
func (l *learner) restore(c *Checkpoint) error {
	f := &c.file
	switch {
	case f.Options != l.o:
		return errors.New("the checkpoint is of a training with other options")
	case !slices.Equal(f.Criteria, l.ids) || f.Budget != l.layout.budget:
		return errors.New("the checkpoint is of a training on other criteria or with another budget")
	}
	l.step = f.Step
	f.Policy.into(l.net, &l.opt)
	if l.critic != nil {
		f.Critic.into(l.critic, &l.criticOpt)
	}
	l.baseline = baseline{slices.Clone(f.Baseline.Sum), slices.Clone(f.Baseline.Count)}
	l.best, l.bestStep, l.bestDev, l.worse = slices.Clone(f.Best), f.BestStep, float64(f.BestDev), f.Worse
	for _, p := range f.Curve {
		l.curve = append(l.curve, Point{p.Step, float64(p.Train), float64(p.Dev), float64(p.Entropy), float64(p.KL), float64(p.Clipped), float64(p.GradNorm), p.Undefined, p.DevUndefined})
	}
	return nil
}

func (f *netFile) into(n *network, a *adam) {
	copy(n.theta, f.Weights)
	copy(a.m, f.M)
	copy(a.v, f.V)
	a.t = f.T
}

// check says what is wrong with the state of a network of so many weights.
func (f *netFile) check(want int) error {
	if len(f.Weights) != want || len(f.M) != want || len(f.V) != want {
		return fmt.Errorf("%d weights with %d and %d moments; its options and criteria need %d", len(f.Weights), len(f.M), len(f.V), want)
	}
	if !sound(f.Weights) || f.T < 0 {
		return errors.New("a weight is not a finite number, or too large, or a count is negative")
	}
	for i := range f.M {
		if math.IsNaN(f.M[i]) || math.IsInf(f.M[i], 0) || !(f.V[i] >= 0) || math.IsInf(f.V[i], 0) {
			return errors.New("a moment is not a finite number")
		}
	}
	return nil
}

// Save writes a checkpoint.
func (c *Checkpoint) Save(w io.Writer) error {
	f := c.file
	f.Of = c.Of
	return save(w, &f)
}

// LoadCheckpoint reads a checkpoint of a training on data with the given criteria. Errors
// are as those of LoadPolicy.
func LoadCheckpoint(r io.Reader, criteria []domains.Criterion) (*Checkpoint, error) {
	var f checkpointFile
	if err := load(r, &f, checkpointFormat); err != nil {
		return nil, err
	}
	l, err := layoutOf(f.Version, f.Criteria, criteria, f.Budget, &f.Options)
	if err != nil {
		return nil, err
	}
	size := networkSize(l.size(), f.Options.Hidden, l.actions)
	err = f.Policy.check(size)
	switch {
	case err != nil:
	case (f.Critic != nil) != (f.Options.Algorithm == PPO):
		err = errors.New("a critic is missing, or there is one that is not used")
	case f.Critic != nil:
		err = f.Critic.check(networkSize(l.size(), f.Options.Critic, 1))
	}
	switch {
	case err != nil:
	case len(f.Best) != size || !sound(f.Best):
		err = errors.New("the best weights are not those of a policy")
	case f.Step < 0 || f.BestStep < 0 || f.BestStep > f.Step || f.Worse < 0:
		err = errors.New("steps that cannot be")
	case len(f.Curve) == 0 || f.Curve[len(f.Curve)-1].Step != f.Step:
		err = errors.New("the curve does not end at the step")
	case len(f.Baseline.Sum) != len(f.Baseline.Count):
		err = errors.New("a baseline of sums without counts")
	}
	if err != nil {
		return nil, damaged(err.Error())
	}
	return &Checkpoint{Step: f.Step, Of: f.Of, file: f}, nil
}
