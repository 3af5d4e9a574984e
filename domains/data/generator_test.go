package data

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"pepbench/domains"
)

// loaded has the data sets that several tests look at, each loaded once.
var loaded sync.Map

func load(t *testing.T, name string, opt Options) *domains.Dataset {
	t.Helper()
	type result struct {
		data *domains.Dataset
		err  error
	}
	f, _ := loaded.LoadOrStore(fmt.Sprint(name, opt), sync.OnceValue(func() result {
		d, err := Load(name, opt)
		return result{d, err}
	}))
	r := f.(func() result)()
	if r.err != nil {
		t.Fatalf("%s, %+v: %v", name, opt, r.err)
	}
	return r.data
}

// structure gives the default options at another structure.
func structure(s float64) Options {
	opt := DefaultOptions()
	opt.Structure = s
	return opt
}

func perDomain(t *testing.T, f func(t *testing.T, name string)) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) { f(t, name) })
	}
}

func between(t *testing.T, what string, got, low, high float64) {
	t.Helper()
	if !(got >= low && got <= high) {
		t.Errorf("%s is %.4g, not in %.4g..%.4g", what, got, low, high)
	}
}

func TestLibrary(t *testing.T) {
	d := mustOpen(t, Names()[0])
	if len(d.personas) != 240 {
		t.Errorf("%d personas, not 240", len(d.personas))
	}
	ids, states, texts, bearers := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, p := range d.personas {
		if ids[p.id] {
			t.Errorf("%s twice", p.id)
		}
		if states[string(p.state)] {
			t.Errorf("%s has the attributes of another", p.id)
		}
		if texts[p.text] || len(strings.Fields(p.text)) < 10 {
			t.Errorf("%s: text %q is that of another or says too little", p.id, p.text)
		}
		name, _, _ := strings.Cut(p.text, " ")
		if bearers[name]++; bearers[name] > maxBearers {
			t.Errorf("%s is the name of more than %d", name, maxBearers)
		}
		ids[p.id], states[string(p.state)], texts[p.text] = true, true, true
	}
	for a := range d.nAttr {
		for v, value := range d.world.values[a] {
			n := 0
			for _, p := range d.personas {
				if int(p.state[a]) == v {
					n++
				}
			}
			between(t, fmt.Sprintf("the share of %s=%s", d.world.names[a], value), float64(n)/float64(len(d.personas)), .03, .75)
		}
	}
	for _, name := range Names()[1:] {
		for u, p := range mustOpen(t, name).personas {
			if q := d.personas[u]; p.id != q.id || p.text != q.text || string(p.state) != string(q.state) {
				t.Fatalf("%s is somebody else in %s", p.id, name)
			}
		}
	}
}

func TestValid(t *testing.T) {
	perDomain(t, func(t *testing.T, name string) {
		for _, s := range []float64{0, .5, 1} {
			ds := load(t, name, structure(s))
			if err := ds.Validate(); err != nil {
				t.Error(err)
			}
			if got, want := len(ds.Profiles)+ds.Counts[1].N, len(ds.Tasks)*len(ds.Users); got != want || ds.Counts[0].N != want {
				t.Errorf("structure %v: %d profiles kept or dropped, counts %v, of %d pairs", s, got, ds.Counts, want)
			}
			if ds.Rubric != domains.Amount || ds.Version != Version || len(ds.Sources) != 3 {
				t.Errorf("structure %v: rubric %s, version %s, sources %v", s, ds.Rubric, ds.Version, ds.Sources)
			}
		}
	})
}

func TestHeld(t *testing.T) {
	perDomain(t, func(t *testing.T, name string) {
		ds := load(t, name, DefaultOptions())
		usual, held := 0, 0
		by := make([]int, len(ds.Criteria))
		for i := range ds.Profiles {
			n := 0
			for j, c := range ds.Profiles[i].Cells {
				if c.IsHeld() {
					by[j]++
					n++
				}
			}
			held += n
			if n >= 2 && n <= 6 {
				usual++
			}
		}
		n := float64(len(ds.Profiles))
		between(t, "the share of profiles that hold 2 to 6", float64(usual)/n, .9, 1)
		between(t, "the mean number held", float64(held)/n, 3, 5)
		for j, k := range by {
			between(t, "the share of profiles that hold "+ds.Criteria[j].ID, float64(k)/n, .02, .4)
		}
	})
}

// The rules alone would hold the most salient criteria at the level of the first
// value rule; at least a fifth of what users hold and want is otherwise.
func TestIdiosyncrasy(t *testing.T) {
	perDomain(t, func(t *testing.T, name string) {
		d, drafts := mustOpen(t, name), map[[2]int]draft{}
		for _, f := range d.profiles(name, DefaultOptions().Seed) {
			drafts[[2]int{f.task, f.user}] = f
		}
		held, unruly, odd := 0, 0, 0
		d.each(func(task, user int, s state) {
			top := d.ruledHeld(s)
			for i, level := range drafts[[2]int{task, user}].level {
				if level == 0 {
					continue
				}
				held++
				if !slices.Contains(top, i) {
					unruly++
				}
				if int(level) != d.ruled(i, s) {
					odd++
				}
			}
		})
		t.Logf("of %d held criteria %.1f%% are not those of the rules alone, %.1f%% at another level", held, 100*float64(unruly)/float64(held), 100*float64(odd)/float64(held))
		between(t, "the share of held criteria that the rules alone would not hold", float64(unruly)/float64(held), .2, .7)
		between(t, "the share of values that depart from their rule", float64(odd)/float64(held), .2, .5)
	})
}

// ruledHeld is the competition without quirks, chance and fancies.
func (d *domain) ruledHeld(s state) []int {
	salience := d.salience(s)
	var order []int
	for i, v := range salience {
		if v >= threshold {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return salience[b] - salience[a] })
	return order[:min(len(order), max(d.slots(s), 2), 6)]
}

// heldSets gives the held criteria of every profile as bits, by task and user; 0
// where there is no profile.
func heldSets(ds *domains.Dataset) [][]uint64 {
	out := make([][]uint64, len(ds.Tasks))
	for t := range out {
		out[t] = make([]uint64, len(ds.Users))
	}
	for i := range ds.Profiles {
		p := &ds.Profiles[i]
		for j, c := range p.Cells {
			if c.IsHeld() {
				out[p.Task][p.User] |= 1 << j
			}
		}
	}
	return out
}

// jaccard gives the mean Jaccard index of held sets: of two users on one task,
// and of one user on two tasks.
func jaccard(ds *domains.Dataset) (users, tasks float64) {
	sets := heldSets(ds)
	mean := func(rows, columns int, at func(r, c int) uint64) float64 {
		sum, n := 0.0, 0
		for r := range rows {
			for i := range columns {
				for j := range i {
					if a, b := at(r, i), at(r, j); a != 0 && b != 0 {
						sum += float64(bits.OnesCount64(a&b)) / float64(bits.OnesCount64(a|b))
						n++
					}
				}
			}
		}
		return sum / float64(n)
	}
	users = mean(len(sets), len(ds.Users), func(t, u int) uint64 { return sets[t][u] })
	tasks = mean(len(ds.Users), len(sets), func(u, t int) uint64 { return sets[t][u] })
	return users, tasks
}

func TestUsersAndTasksMatter(t *testing.T) {
	perDomain(t, func(t *testing.T, name string) {
		users, tasks := jaccard(load(t, name, DefaultOptions()))
		halfUsers, halfTasks := jaccard(load(t, name, structure(.5)))
		noUsers, noTasks := jaccard(load(t, name, structure(0)))
		t.Logf("mean Jaccard of users within a task %.3f, %.3f, %.3f at structure 1, .5, 0; of tasks within a user %.3f, %.3f, %.3f",
			users, halfUsers, noUsers, tasks, halfTasks, noTasks)
		// People differ on the same task, and one person differs between tasks, ...
		between(t, "mean Jaccard of users within a task", users, 1.15*noUsers, .3)
		between(t, "mean Jaccard of tasks within a user", tasks, 1.5*noTasks, .5)
		// ... but less than if nothing tied them together.
		between(t, "mean Jaccard of users within a task at structure .5", halfUsers, noUsers, users)
		between(t, "mean Jaccard of tasks within a user at structure .5", halfTasks, noTasks, tasks)
		// Without structure all pairs of profiles are alike.
		between(t, "ratio of the two without structure", noTasks/noUsers, .97, 1.03)
	})
}

// rates are the shares of all generated profiles, also of those dropped for
// holding nothing, that hold a criterion at a level.
func rates(ds *domains.Dataset) [][6]float64 {
	out := make([][6]float64, len(ds.Criteria))
	for i := range ds.Profiles {
		for j, c := range ds.Profiles[i].Cells {
			if c.IsHeld() {
				out[j][int(c.Value())]++
				out[j][0]++ // at any level
			}
		}
	}
	for j := range out {
		for l := range out[j] {
			out[j][l] /= float64(ds.Counts[0].N)
		}
	}
	return out
}

func TestMarginalsDoNotDependOnStructure(t *testing.T) {
	perDomain(t, func(t *testing.T, name string) {
		full := load(t, name, DefaultOptions())
		want, n := rates(full), float64(full.Counts[0].N)
		for _, s := range []float64{0, .5} {
			for j, got := range rates(load(t, name, structure(s))) {
				for l, p := range got {
					sd := math.Sqrt(want[j][l] * (1 - want[j][l]) / n)
					if math.Abs(p-want[j][l]) > 5*sd+1e-12 {
						t.Errorf("structure %v: the share that holds %s (level %d, 0: any) is %.4f, in the structured data %.4f", s, full.Criteria[j].ID, l, p, want[j][l])
					}
				}
			}
		}
	})
}

// independent is ds with every cell held by an independent throw at its marginal
// rate, and profiles that hold nothing dropped, as Load does.
func independent(ds *domains.Dataset, seed uint64) *domains.Dataset {
	rng := rand.New(rand.NewPCG(seed, domains.Hash("independent", ds.Name)))
	rate := rates(ds)
	out := *ds
	out.Profiles = nil
	for t := range ds.Tasks {
		for u := range ds.Users {
			p := domains.Profile{Task: t, User: u, Cells: make([]domains.Cell, len(ds.Criteria))}
			for j := range p.Cells {
				p.Cells[j] = domains.NotHeld()
				if rng.Float64() < rate[j][0] {
					p.Cells[j] = domains.At(1)
				}
			}
			if p.Held() > 0 {
				out.Profiles = append(out.Profiles, p)
			}
		}
	}
	return &out
}

func TestPhi(t *testing.T) {
	perDomain(t, func(t *testing.T, name string) {
		none := load(t, name, structure(0))
		var sum, sum2 float64
		const sims = 8
		for i := range sims {
			phi := domains.Describe(independent(none, uint64(i))).Phi
			sum += phi
			sum2 += phi * phi
		}
		mean := sum / sims
		sd := math.Sqrt(max(sum2/sims-mean*mean, 0) * sims / (sims - 1))
		s0, s5, s1 := domains.Describe(none), domains.Describe(load(t, name, structure(.5))), domains.Describe(load(t, name, DefaultOptions()))
		t.Logf("mean |phi| %.4f, %.4f, %.4f at structure 0, .5, 1; independent throws %.5f, sd %.5f", s0.Phi, s5.Phi, s1.Phi, mean, sd)
		between(t, "mean |phi| without structure", s0.Phi, mean-max(6*sd, .05*mean), mean+max(6*sd, .05*mean))
		between(t, "mean |phi| at structure .5", s5.Phi, 1.1*s0.Phi, .9*s1.Phi)
		between(t, "mean |phi| of the structured data", s1.Phi, 2*mean, .2)
		if s0.PhiUndefined+s5.PhiUndefined+s1.PhiUndefined > 0 {
			t.Error("phi of some pair is undefined")
		}
	})
}

// chiSquare tests whether groups of profiles (by task, or by user) hold criteria
// at different rates: the statistic over criteria x groups, how far it is above
// its expectation without such an effect, in standard deviations.
func chiSquare(ds *domains.Dataset, groups int, group func(*domains.Profile) int) float64 {
	size := make([]float64, groups)
	held := make([][]float64, len(ds.Criteria))
	for j := range held {
		held[j] = make([]float64, groups)
	}
	for i := range ds.Profiles {
		g := group(&ds.Profiles[i])
		size[g]++
		for j, c := range ds.Profiles[i].Cells {
			if c.IsHeld() {
				held[j][g]++
			}
		}
	}
	n := float64(len(ds.Profiles))
	stat, mean, variance := 0.0, 0.0, 0.0
	for j := range held {
		p := 0.0
		for g := range held[j] {
			p += held[j][g] / n
		}
		for g, k := range held[j] {
			if v := size[g] * p * (1 - p); v > 0 {
				stat += (k - size[g]*p) * (k - size[g]*p) / v
				mean += 1 - size[g]/n           // p is estimated
				variance += 2 + (1-6*p*(1-p))/v // of a squared standardised binomial
			}
		}
	}
	return (stat - mean) / math.Sqrt(variance)
}

func TestTaskAndUserEffects(t *testing.T) {
	perDomain(t, func(t *testing.T, name string) {
		effects := func(s float64) (task, user float64) {
			ds := load(t, name, structure(s))
			return chiSquare(ds, len(ds.Tasks), func(p *domains.Profile) int { return p.Task }),
				chiSquare(ds, len(ds.Users), func(p *domains.Profile) int { return p.User })
		}
		task0, user0 := effects(0)
		task5, user5 := effects(.5)
		task1, user1 := effects(1)
		t.Logf("sd above independence at structure 0, .5, 1: tasks %.1f, %.1f, %.1f; users %.1f, %.1f, %.1f", task0, task5, task1, user0, user5, user1)
		between(t, "the task effect without structure, in sd,", task0, -5, 5)
		between(t, "the user effect without structure, in sd,", user0, -5, 5)
		between(t, "the task effect at structure .5, in sd,", task5, 10, task1)
		between(t, "the user effect at structure .5, in sd,", user5, 10, user1)
	})
}

func TestDeterminism(t *testing.T) {
	perDomain(t, func(t *testing.T, name string) {
		for _, opt := range []Options{{Structure: 1, Users: 40, Seed: 7}, {Structure: .5, Users: 40, Seed: 7}, {Structure: 0, Users: 40, Seed: 7}} {
			digest := func(opt Options) string {
				ds, err := Load(name, opt)
				if err != nil {
					t.Fatal(err)
				}
				return digestOf(func(w *strings.Builder) { dump(w, ds) })
			}
			first := digest(opt)
			if digest(opt) != first {
				t.Errorf("%+v: two loads differ", opt)
			}
			other := opt
			other.Seed++
			if digest(other) == first {
				t.Errorf("%+v: another seed gives the same data", opt)
			}
		}
	})
}

// What a user wants must not hang on who else is there.
func TestFewerUsers(t *testing.T) {
	perDomain(t, func(t *testing.T, name string) {
		opt := DefaultOptions()
		opt.Users = 30
		few, all := load(t, name, opt), load(t, name, DefaultOptions())
		at := map[[2]int]*domains.Profile{}
		for i := range all.Profiles {
			at[[2]int{all.Profiles[i].Task, all.Profiles[i].User}] = &all.Profiles[i]
		}
		for i := range few.Profiles {
			p := &few.Profiles[i]
			q := at[[2]int{p.Task, p.User}]
			if q == nil || !slices.EqualFunc(p.Cells, q.Cells, domains.Cell.Equal) || !slices.Equal(p.Weights, q.Weights) {
				t.Fatalf("user %d on task %d differs in a smaller library", p.User, p.Task)
			}
		}
		for u := range few.Users {
			if few.Users[u] != all.Users[u] {
				t.Fatalf("%s is somebody else in a smaller library", few.Users[u].ID)
			}
		}
	})
}

func TestLoadErrors(t *testing.T) {
	_, names, _, err := causalTable(&world{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reason, name string
		opt          Options
		want         string // in the message
	}{
		{"no such domain", "cooking", DefaultOptions(), `no built-in domain "cooking"`},
		{"names are case-sensitive", "Medical", DefaultOptions(), "medical math social commonsense"},
		{"no name", "", DefaultOptions(), "no built-in domain"},
		{"a path is not a name", "../data/medical", DefaultOptions(), "no built-in domain"},
		{"structure below 0", "medical", Options{Structure: -.1, Users: 10}, "structure is from 0 to 1"},
		{"structure above 1", "medical", Options{Structure: 1.1, Users: 10}, "structure is from 0 to 1"},
		{"structure is no number", "medical", Options{Structure: math.NaN(), Users: 10}, "structure is from 0 to 1"},
		{"nobody", "medical", Options{Structure: 1}, "users 1 or more"},
		{"fewer than nobody", "medical", Options{Structure: 1, Users: -3}, "users 1 or more"},
		{"more than the names suffice for", "medical", Options{Structure: 1, Users: maxBearers*len(names) + 1}, "has names for"},
	} {
		d, err := Load(tt.name, tt.opt)
		if d != nil || !errors.Is(err, domains.ErrData) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v; want one of bad data that says %q", tt.reason, err, tt.want)
		}
	}
	for _, users := range []int{1, maxBearers * len(names)} { // the last ones that are right
		opt := DefaultOptions()
		opt.Users = users
		if d, _, err := open("math", opt); err != nil || len(d.personas) != users {
			t.Errorf("%d users: %v", users, err)
		}
	}
}

// small is the world of the rule tests: a=x|y|z, b=x|y, task.f=x|y.
func small() *world {
	var w world
	w.add("a", []string{"x", "y", "z"})
	w.add("b", []string{"x", "y"})
	w.add("task.f", []string{"x", "y"})
	return &w
}

func TestCompile(t *testing.T) {
	w := small()
	for _, tt := range []struct{ rule, want, reason string }{
		{"", "all", "an empty rule always holds"},
		{" \n ", "all", "blanks are an empty rule"},
		{"a=x", "xxx xxy xyx xyy", "a condition on a persona"},
		{"task.f=y", "xxy xyy yxy yyy zxy zyy", "a condition on a task"},
		{"a=x|z", "xxx xxy xyx xyy zxx zxy zyx zyy", "one of two values"},
		{"a=z|x|x", "xxx xxy xyx xyy zxx zxy zyx zyy", "order and repetition of values do not matter"},
		{"not a=x|y", "zxx zxy zyx zyy", "not takes the whole condition, with its values"},
		{"not not a=z", "zxx zxy zyx zyy", "not twice"},
		{"a=x and b=y", "xyx xyy", "and"},
		{"a=x or b=y", "xxx xxy xyx xyy yyx yyy zyx zyy", "or"},
		{"a=x unless b=y", "xxx xxy", "unless is and not"},
		{"not a=x and b=y", "yyx yyy zyx zyy", "not binds closer than and"},
		{"not (a=x and b=y)", "xxx xxy yxx yxy yyx yyy zxx zxy zyx zyy", "a parenthesis holds and together"},
		{"a=x and not b=y", "xxx xxy", "not on the right of and"},
		{"a=x or a=y and b=y", "xxx xxy xyx xyy yyx yyy", "and binds closer than or, on its right"},
		{"a=y and b=y or a=x", "xxx xxy xyx xyy yyx yyy", "and binds closer than or, on its left"},
		{"(a=x or a=y) and b=y", "xyx xyy yyx yyy", "a parenthesis holds or together"},
		{"a=x or a=y unless b=y", "xxx xxy yxx yxy", "or binds closer than unless, on its left"},
		{"a=x unless b=y or task.f=y", "xxx", "or binds closer than unless, on its right"},
		{"a=x or (a=y unless b=y)", "xxx xxy xyx xyy yxx yxy", "unless inside a parenthesis"},
		{"a=x unless (b=y unless task.f=y)", "xxx xxy xyy", "an exception to the exception"},
		{"a=x or a=y or a=z", "all", "a chain of or"},
		{"a=x and b=y and task.f=y", "xyy", "a chain of and"},
		{"(((a=x)))and(b=y)", "xyx xyy", "parentheses need no blanks and nest"},
		{"a=x\n and\tb=y", "xyx xyy", "any blanks separate"},
		{"a=x and a=y", "", "a contradiction never holds"},
	} {
		when, err := w.compile(tt.rule)
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		var holds []string
		states(w, func(s state, word string) {
			if when(s) {
				holds = append(holds, word)
			}
		})
		got := strings.Join(holds, " ")
		if len(holds) == 12 {
			got = "all"
		}
		if got != tt.want {
			t.Errorf("%s: %q holds in [%s], not in [%s]", tt.reason, tt.rule, got, tt.want)
		}
	}
}

// states calls f with every state of w and its values in one word.
func states(w *world, f func(s state, word string)) {
	s := make(state, len(w.names))
	var walk func(i int, word string)
	walk = func(i int, word string) {
		if i == len(s) {
			f(s, word)
			return
		}
		for v, value := range w.values[i] {
			s[i] = uint8(v)
			walk(i+1, word+value)
		}
	}
	walk(0, "")
}

func TestCompileErrors(t *testing.T) {
	for _, tt := range []struct{ rule, want, reason string }{
		{"a", `"a" is not name=value`, "no value"},
		{"a =x", `"a" is not name=value`, "a blank before ="},
		{"a= x", `a is never ""; it is one of x, y, z`, "a blank after ="},
		{"a=", `a is never ""`, "an empty value"},
		{"a=x|", `a is never ""`, "an empty value after a bar"},
		{"a=x|q", `a is never "q"`, "a second value that does not exist"},
		{"a=X", `a is never "X"`, "values are case-sensitive"},
		{"a=x=y", `a is never "x=y"`, "two ="},
		{"c=x", `nothing is called "c"; there are a, b, task.f`, "a name that does not exist"},
		{"f=x", `nothing is called "f"`, "a feature without task."},
		{"=x", `nothing is called ""`, "no name"},
		{"a=x and", "missing at the end", "nothing after and"},
		{"a=x or", "missing at the end", "nothing after or"},
		{"a=x unless", "missing at the end", "nothing after unless"},
		{"not", "missing at the end", "nothing after not"},
		{"(", "missing at the end", "nothing after a parenthesis"},
		{"and a=x", `"and" is not name=value`, "nothing before and"},
		{"unless a=x", `"unless" is not name=value`, "nothing before unless"},
		{"a=x and or b=x", `"or" is not name=value`, "two words that join"},
		{"()", `")" is not name=value`, "an empty parenthesis"},
		{"(a=x", "a parenthesis is not closed", "a parenthesis left open"},
		{"(a=x b=y)", "a parenthesis is not closed", "two conditions in a parenthesis without a word between"},
		{"a=x)", `")" is left over`, "a parenthesis closed twice"},
		{"a=x b=y", `"b=y" is left over`, "two conditions without a word between"},
		{"a=x not b=y", `"not b=y" is left over`, "not does not join"},
		{"a=x unless b=y unless task.f=y", `"unless task.f=y" is left over`, "two exceptions in a row are ambiguous"},
		{"a=x AND b=y", `"AND b=y" is left over`, "words that join are lower-case"},
	} {
		when, err := small().compile(tt.rule)
		if when != nil || err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), fmt.Sprintf("rule %q", tt.rule)) {
			t.Errorf("%s: error %v; want one that quotes the rule and says %s", tt.reason, err, tt.want)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		"", "a=x", "not a=x|y", "a=x and b=y or task.f=x unless not b=x", "(a=x unless (b=y unless task.f=y))",
		"((", "))", "a=x and", "not not", "=|=", "a=|", "unless", "a=\xff", strings.Repeat("(", 99) + "a=x", strings.Repeat("not ", 99) + "a=x",
	} {
		f.Add(s)
	}
	w := small()
	f.Fuzz(func(t *testing.T, rule string) {
		when, err := w.compile(rule)
		if (when == nil) == (err == nil) {
			t.Fatalf("condition %v and error %v", when != nil, err)
		}
		if err != nil {
			return
		}
		if len(tokens(rule)) == 0 {
			return
		}
		// What can be compiled can be evaluated, doubly negated and excepted.
		twice, err := w.compile("not (not (" + rule + "))")
		if err != nil {
			t.Fatal(err)
		}
		never, err := w.compile("a=x|y|z unless (" + rule + ") or not (" + rule + ")")
		if err != nil {
			t.Fatal(err)
		}
		states(w, func(s state, word string) {
			if when(s) != twice(s) {
				t.Fatalf("%q and its double negation differ in %s", rule, word)
			}
			if never(s) {
				t.Fatalf("%q neither holds nor does not in %s", rule, word)
			}
		})
	})
}
