package data

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"gopkg.in/yaml.v3"

	"pepbench/domains"
)

// Version of the built-in data. It changes with every change of a file or of the
// generator that changes a profile, for a reason that is not a result.
//
//	1  first
//	2  medical: about ten criteria whose values contradicted the reasons for which
//	   they are held, three reasons that hardly ever applied, and a level text with
//	   a single word of its own, found by their author on reading them again
//	3  fewer than one value in five departed from its rule, because a redraw can
//	   land on the ruled level: 30 percent are drawn again now; commonsense: a level
//	   text with a single word of its own
const Version = "3"

// Options are the knobs of Load.
type Options struct {
	// Structure in [0,1]: 1 is the full data, at 0 criteria are independent.
	Structure float64
	Users     int // personas drawn from the library's table
	Seed      uint64
}

// DefaultOptions are those of the pinned data.
func DefaultOptions() Options { return Options{Structure: 1, Users: 240, Seed: 1} }

// Names lists the built-in domains.
func Names() []string { return []string{"medical", "math", "social", "commonsense"} }

// The generator's constants: whole numbers, chosen by hand for profiles that look
// like people's (see the package comment), before any model was fitted.
const (
	pullUnit      = 10 // salience of one unit of pull
	lastingSpread = 15 // a user's lasting quirk about a criterion: 0..14
	passingSpread = 10 // a passing one on a task: 0..9
	threshold     = 15 // salience below this is not worth a slot
	fancies       = 3  // criteria a user holds dear for no reason
	fancySlots    = 25 // percent of slots that follow no rule
	oddValues     = 30 // percent of values that are drawn again, some of them to the same level
)

// domain is a compiled built-in domain.
type domain struct {
	world    world
	personas []persona
	criteria []criterion
	features []string
	tasks    []taskEntry
	states   []state // features of each task
	nAttr    int
}

type criterion struct {
	entry   criterionEntry
	reasons []reason
	values  []valueRule
}

type reason struct {
	when condition
	pull int
}

type valueRule struct {
	when  condition
	level int
}

// Load gives a built-in domain with the profiles of all its users on all its
// tasks; every task admits every criterion. Profiles with nothing held are left
// out and counted.
func Load(name string, opt Options) (*domains.Dataset, error) {
	if !slices.Contains(Names(), name) {
		return nil, &domains.DataError{What: fmt.Sprintf("no built-in domain %q", name), Mend: fmt.Sprintf("there are %v", Names())}
	}
	if !(opt.Structure >= 0 && opt.Structure <= 1) || opt.Users < 1 {
		return nil, &domains.DataError{What: fmt.Sprintf("structure %v and %d users", opt.Structure, opt.Users), Mend: "structure is from 0 to 1, users 1 or more"}
	}
	d, sources, err := open(name, opt)
	if err != nil {
		return nil, err
	}
	ds := &domains.Dataset{Name: name, Version: Version, Rubric: domains.Amount, Sources: sources}
	all := make([]int, len(d.criteria))
	for i, c := range d.criteria {
		all[i] = i
		crit := domains.Criterion{ID: c.entry.ID, Name: c.entry.Name, Description: c.entry.Description, Question: c.entry.Question}
		for l, t := range c.entry.Levels {
			crit.Levels = append(crit.Levels, domains.Level{Value: float64(l + 1), Text: t})
		}
		ds.Criteria = append(ds.Criteria, crit)
	}
	for _, t := range d.tasks {
		task := domains.Task{ID: t.ID, Prompt: t.Prompt, Answer: t.Answer, Why: t.Why, Criteria: all}
		for _, label := range []string{"A", "B", "C", "D"} {
			if o, ok := t.Options[label]; ok {
				task.Options = append(task.Options, domains.Option{Label: label, Text: o})
			}
		}
		ds.Tasks = append(ds.Tasks, task)
	}
	for _, p := range d.personas {
		ds.Users = append(ds.Users, domains.User{ID: p.id, Persona: p.text})
	}

	profiles := d.profiles(name, opt.Seed)
	if opt.Structure < 1 {
		loosen(profiles, name, opt)
	}
	empty := 0
	for _, p := range profiles {
		if prof, ok := p.profile(); ok {
			ds.Profiles = append(ds.Profiles, prof)
		} else {
			empty++
		}
	}
	ds.Counts = []domains.Count{{What: "profiles generated", N: len(profiles)}, {What: "profiles dropped: nothing held", N: empty}}
	return ds, nil
}

// open reads and compiles the files of a domain and draws its personas.
func open(name string, opt Options) (*domain, []domains.Source, error) {
	d := &domain{}
	attributes, names, people, err := causalTable(&d.world)
	if err != nil {
		return nil, nil, err
	}
	d.nAttr = len(attributes)
	if d.personas, err = library(attributes, names, opt.Users, opt.Seed); err != nil {
		return nil, nil, err
	}

	path := name + "/criteria.yaml"
	var cf criteriaFile
	critSource, err := read(path, &cf)
	if err != nil {
		return nil, nil, err
	}
	err = ordered(&cf.Features, func(key string, v *yaml.Node) error {
		var values []string
		if err := v.Decode(&values); err != nil {
			return err
		}
		d.features = append(d.features, key)
		d.world.add("task."+key, values)
		return nil
	})
	if err != nil {
		return nil, nil, fault(path, cf.Features.Line, err)
	}
	for _, e := range cf.Criteria {
		c := criterion{entry: e}
		for _, r := range e.Reasons {
			when, err := d.world.compile(r.When.value)
			if err != nil {
				return nil, nil, fault(path, r.When.line, err)
			}
			c.reasons = append(c.reasons, reason{when, r.Pull})
		}
		for _, v := range e.Values {
			when, err := d.world.compile(v.When.value)
			if err != nil {
				return nil, nil, fault(path, v.When.line, err)
			}
			if v.Level < 1 || v.Level > 5 {
				return nil, nil, fault(path, v.When.line, fmt.Errorf("criterion %s: level %d is not from 1 to 5", e.ID, v.Level))
			}
			c.values = append(c.values, valueRule{when, v.Level})
		}
		d.criteria = append(d.criteria, c)
	}

	path = name + "/tasks.yaml"
	var tf tasksFile
	taskSource, err := read(path, &tf)
	if err != nil {
		return nil, nil, err
	}
	d.tasks = tf.Tasks
	for _, t := range tf.Tasks {
		s := make(state, len(d.features))
		for i, f := range d.features {
			at := slices.Index(d.world.values[d.nAttr+i], t.Features[f])
			if at < 0 || len(t.Features) != len(d.features) {
				return nil, nil, fault(path, t.line, fmt.Errorf("task %s: feature %s is %q; it is one of %v, and every feature is given once", t.ID, f, t.Features[f], d.world.values[d.nAttr+i]))
			}
			s[i] = uint8(at)
		}
		d.states = append(d.states, s)
	}
	return d, []domains.Source{people, critSource, taskSource}, nil
}

// draft is a profile while it is made: level 0 is not held, importance counts
// from 1 to 5.
type draft struct {
	task, user int
	level      []uint8
	importance []uint8
}

// profile is the draft in the vocabulary, or false when nothing is held.
func (f *draft) profile() (domains.Profile, bool) {
	p := domains.Profile{Task: f.task, User: f.user, Cells: make([]domains.Cell, len(f.level)), Weights: make([]float64, len(f.level))}
	sum := 0
	for i, l := range f.level {
		p.Cells[i] = domains.NotHeld()
		if l > 0 {
			p.Cells[i] = domains.At(float64(l))
			sum += int(f.importance[i])
		}
	}
	for i, l := range f.level {
		if l > 0 {
			p.Weights[i] = float64(f.importance[i]) / float64(sum)
		}
	}
	return p, sum > 0
}

// profiles drafts every user on every task, in the order of tasks, then users.
func (d *domain) profiles(name string, seed uint64) []draft {
	traits := make([]trait, len(d.personas))
	for u, p := range d.personas {
		traits[u] = d.trait(name, p.id, seed)
	}
	out := make([]draft, 0, len(d.tasks)*len(d.personas))
	s := make(state, d.nAttr+len(d.features))
	for t := range d.tasks {
		copy(s[d.nAttr:], d.states[t])
		for u := range d.personas {
			copy(s, d.personas[u].state)
			rng := rand.New(rand.NewPCG(seed, domains.Hash("profile", name, d.tasks[t].ID, d.personas[u].id)))
			f := d.draft(s, &traits[u], rng)
			f.task, f.user = t, u
			out = append(out, f)
		}
	}
	return out
}

// trait is what a user is like whatever the task.
type trait struct {
	quirk   []int // lasting quirk about each criterion
	fancies []int // criteria held dear for no reason
	odd     []int // lasting departure of the value wanted, -2..2
}

func (d *domain) trait(name, user string, seed uint64) trait {
	rng := rand.New(rand.NewPCG(seed, domains.Hash("trait", name, user)))
	t := trait{quirk: make([]int, len(d.criteria)), odd: make([]int, len(d.criteria))}
	for i := range t.quirk {
		t.quirk[i] = rng.IntN(lastingSpread)
		t.odd[i] = rng.IntN(5) - 2
	}
	t.fancies = rng.Perm(len(d.criteria))[:min(fancies, len(d.criteria))]
	return t
}

// salience of every criterion by the rules alone, in units of pullUnit.
func (d *domain) salience(s state) []int {
	out := make([]int, len(d.criteria))
	for i := range d.criteria {
		for _, r := range d.criteria[i].reasons {
			if r.when(s) {
				out[i] += pullUnit * r.pull
			}
		}
	}
	return out
}

// slots is how many criteria the persona has room for, before chance.
func (d *domain) slots(s state) int {
	n := 4
	for _, r := range []struct {
		attribute, value string
		more             int
	}{{"appetite", "gist", -1}, {"appetite", "everything", 1}, {"time", "rushed", -1}, {"planning", "careful", 1}} {
		if d.is(s, r.attribute, r.value) {
			n += r.more
		}
	}
	return n
}

func (d *domain) is(s state, attribute, value string) bool {
	i := slices.Index(d.world.names, attribute)
	return i >= 0 && d.world.values[i][s[i]] == value
}

// draft lets the criteria compete for the persona's slots and sets values.
func (d *domain) draft(s state, t *trait, rng *rand.Rand) draft {
	n := len(d.criteria)
	f := draft{level: make([]uint8, n), importance: make([]uint8, n)}
	salience := d.salience(s)
	order := make([]int, 0, n)
	for i := range salience {
		if salience[i] > 0 { // quirks amplify a reason, they do not make one
			salience[i] += t.quirk[i] + rng.IntN(passingSpread)
		}
		if salience[i] >= threshold {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(salience[b], salience[a]) })

	room := min(max(d.slots(s)+rng.IntN(4)-1, 2), 6) // chance: -1, 0, +1 or +2
	held := make([]int, 0, room)
	for len(held) < room {
		pick := -1
		switch {
		case rng.IntN(100) < fancySlots:
			if pick = rng.IntN(n); rng.IntN(2) == 0 {
				pick = t.fancies[rng.IntN(len(t.fancies))]
			}
		case len(order) > 0:
			pick, order = order[0], order[1:]
		default:
			room-- // nothing else is salient
			continue
		}
		if !slices.Contains(held, pick) {
			held = append(held, pick)
		} else {
			room--
		}
	}
	for rank, i := range held {
		f.importance[i] = uint8(min(max(5-rank+rng.IntN(3)-1, 1), 5))
		f.level[i] = uint8(d.level(i, s, t, rng))
	}
	return f
}

// level is the level that the rules give, or near it, or anything.
func (d *domain) level(i int, s state, t *trait, rng *rand.Rand) int {
	level := d.ruled(i, s)
	if rng.IntN(100) >= oddValues {
		return level
	}
	if rng.IntN(2) == 0 {
		return 1 + rng.IntN(5)
	}
	return min(max(level+t.odd[i], 1), 5)
}

// ruled is the level of the first value rule that holds; the last always does.
func (d *domain) ruled(i int, s state) int {
	for _, v := range d.criteria[i].values {
		if v.when(s) {
			return v.level
		}
	}
	panic("data: criterion " + d.criteria[i].entry.ID + " has no value rule that always holds")
}

// loosen replaces cells by independent draws from their criterion's marginal,
// taken over all drafts.
func loosen(drafts []draft, name string, opt Options) {
	if len(drafts) == 0 {
		return
	}
	n := len(drafts[0].level)
	count := make([][6]int, n) // criterion, level (0: not held)
	for _, f := range drafts {
		for i, l := range f.level {
			count[i][l]++
		}
	}
	for k := range drafts {
		f := &drafts[k]
		rng := rand.New(rand.NewPCG(opt.Seed, domains.Hash("loosen", name)+uint64(k)))
		for i := range f.level {
			if rng.Float64() < opt.Structure {
				continue
			}
			u := rng.IntN(len(drafts))
			for l, c := range count[i] {
				if u < c {
					f.level[i] = uint8(l)
					break
				}
				u -= c
			}
			f.importance[i] = uint8(1 + rng.IntN(5))
		}
	}
}
