package domains_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pepbench/domains"
)

// shuffled is the same data set in another order of tasks and users.
func shuffled(rng *rand.Rand, d *domains.Dataset) *domains.Dataset {
	out := *d
	tasks, users := rng.Perm(len(d.Tasks)), rng.Perm(len(d.Users))
	out.Tasks = make([]domains.Task, len(tasks))
	for i, j := range tasks {
		out.Tasks[j] = d.Tasks[i]
	}
	out.Users = make([]domains.User, len(users))
	for i, j := range users {
		out.Users[j] = d.Users[i]
	}
	out.Profiles = slices.Clone(d.Profiles)
	for i := range out.Profiles {
		p := &out.Profiles[i]
		p.Task, p.User = tasks[p.Task], users[p.User]
	}
	slices.SortFunc(out.Profiles, func(a, b domains.Profile) int {
		return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.User, b.User))
	})
	return &out
}

// names gives profiles as sorted "task user".
func names(d *domains.Dataset, rows []int) []string {
	out := []string{}
	for _, i := range rows {
		out = append(out, d.Tasks[d.Profiles[i].Task].ID+" "+d.Users[d.Profiles[i].User].ID)
	}
	slices.Sort(out)
	return out
}

func side(d *domains.Dataset, rows []int) (tasks, users map[int]bool) {
	tasks, users = map[int]bool{}, map[int]bool{}
	for _, i := range rows {
		tasks[d.Profiles[i].Task], users[d.Profiles[i].User] = true, true
	}
	return tasks, users
}

func overlap(a, b map[int]bool) bool {
	for k := range a {
		if b[k] {
			return true
		}
	}
	return false
}

func TestSplitProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	split := 0
	for range 600 {
		d := random(rng, 2+rng.IntN(8), 2+rng.IntN(12), 3, false, false)
		s := domains.Splitter{
			By:   []string{"task", "user", "both"}[rng.IntN(3)],
			Test: []float64{.1, .3, .5}[rng.IntN(3)],
			Dev:  []float64{0, .2, .5}[rng.IntN(3)],
			Seed: rng.Uint64(),
		}
		parts, err := s.Split(d)
		if err != nil {
			if !errors.Is(err, domains.ErrData) {
				t.Fatal(err)
			}
			continue
		}
		split++

		seen := map[int]bool{}
		for _, rows := range [][]int{parts.Train, parts.Dev, parts.Test} {
			if !slices.IsSorted(rows) {
				t.Fatalf("%+v: indices do not rise: %v", s, rows)
			}
			for _, i := range rows {
				if seen[i] {
					t.Fatalf("%+v: profile %d is in two parts", s, i)
				}
				seen[i] = true
			}
		}
		if len(seen)+parts.Unused != len(d.Profiles) {
			t.Fatalf("%+v: %d in parts, %d unused, of %d", s, len(seen), parts.Unused, len(d.Profiles))
		}
		if s.By != "both" && parts.Unused != 0 {
			t.Fatalf("%+v: %d profiles unused", s, parts.Unused)
		}
		if (s.Dev > 0) != (len(parts.Dev) > 0) {
			t.Fatalf("%+v: %d dev profiles", s, len(parts.Dev))
		}
		pieces := [][]int{parts.Train, parts.Dev, parts.Test}
		for a := range pieces {
			for b := range a {
				ta, ua := side(d, pieces[a])
				tb, ub := side(d, pieces[b])
				if s.By != "user" && overlap(ta, tb) {
					t.Fatalf("%+v: a task on both sides of the split", s)
				}
				if s.By != "task" && overlap(ua, ub) {
					t.Fatalf("%+v: a user on both sides of the split", s)
				}
			}
		}

		other := shuffled(rng, d)
		again, err := s.Split(other)
		if err != nil {
			t.Fatal(err)
		}
		for i, rows := range [][]int{again.Train, again.Dev, again.Test} {
			if !reflect.DeepEqual(names(other, rows), names(d, pieces[i])) {
				t.Fatalf("%+v: another order of tasks and users is another split", s)
			}
		}
	}
	if split < 300 {
		t.Errorf("only %d of the random sets could be split", split)
	}
}

// full is tasks x users, everybody meeting everything.
func full(tasks, users int) *domains.Dataset {
	d := &domains.Dataset{Name: "full", Rubric: domains.Quality, Criteria: []domains.Criterion{five("a")}}
	for u := range users {
		d.Users = append(d.Users, domains.User{ID: fmt.Sprintf("u%02d", u)})
	}
	for t := range tasks {
		d.Tasks = append(d.Tasks, domains.Task{ID: fmt.Sprintf("t%02d", t), Criteria: []int{0}})
		for u := range users {
			d.Profiles = append(d.Profiles, domains.Profile{Task: t, User: u, Cells: []domains.Cell{domains.At(2)}})
		}
	}
	return d
}

func TestSplitSizes(t *testing.T) {
	for _, tt := range []struct {
		reason                   string
		s                        domains.Splitter
		tasks, users             int
		train, dev, test, unused int
	}{
		{"a tenth of thirty tasks", domains.Splitter{By: "task", Test: .1}, 30, 2, 54, 0, 6, 0},
		{"dev is a share of what is not test", domains.Splitter{By: "task", Test: .5, Dev: .2}, 20, 1, 8, 2, 10, 0},
		{"at least one test task", domains.Splitter{By: "task", Test: .01}, 10, 1, 9, 0, 1, 0},
		{"at least one dev task", domains.Splitter{By: "task", Test: .1, Dev: .001}, 10, 1, 8, 1, 1, 0},
		{"by user", domains.Splitter{By: "user", Test: .2, Dev: .25}, 2, 10, 12, 4, 4, 0},
		{"both: mixed blocks are left out", domains.Splitter{By: "both", Test: .5}, 4, 6, 6, 0, 6, 12},
		{"both with dev", domains.Splitter{By: "both", Test: .5, Dev: .5}, 8, 8, 4, 4, 16, 40},
		{"the cap leaves out the rest", domains.Splitter{By: "task", Test: .5, UsersPerTask: 3}, 4, 10, 20, 0, 6, 14},
		{"a cap above the number of users", domains.Splitter{By: "task", Test: .5, UsersPerTask: 11}, 4, 10, 20, 0, 20, 0},
	} {
		p, err := tt.s.Split(full(tt.tasks, tt.users))
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		got := []int{len(p.Train), len(p.Dev), len(p.Test), p.Unused}
		if want := []int{tt.train, tt.dev, tt.test, tt.unused}; !slices.Equal(got, want) {
			t.Errorf("%s: train, dev, test, unused are %v, want %v", tt.reason, got, want)
		}
	}
}

// The cap draws for every task anew, and keeps what it draws in order.
func TestSplitCap(t *testing.T) {
	d := full(12, 10)
	s := domains.Splitter{By: "task", Test: .5, UsersPerTask: 4, Seed: 5}
	p, err := s.Split(d)
	if err != nil {
		t.Fatal(err)
	}
	byTask := map[int][]int{}
	for _, i := range p.Test {
		byTask[d.Profiles[i].Task] = append(byTask[d.Profiles[i].Task], d.Profiles[i].User)
	}
	different := map[string]bool{}
	for task, users := range byTask {
		if len(users) != 4 || !slices.IsSorted(users) {
			t.Errorf("task %d has test users %v", task, users)
		}
		different[fmt.Sprint(users)] = true
	}
	if len(byTask) != 6 || len(different) < 2 {
		t.Errorf("%d test tasks, %d different draws", len(byTask), len(different))
	}
	// Without the cap, the same tasks.
	s.UsersPerTask = 0
	q, err := s.Split(d)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := side(d, p.Test)
	b, _ := side(d, q.Test)
	if !reflect.DeepEqual(a, b) || !slices.Equal(p.Train, q.Train) {
		t.Error("the cap has changed which tasks are tested or what is learnt from")
	}
}

// "The result does not depend on the order of the file" must hold of the cap too.
func TestSplitCapDoesNotDependOnOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 2))
	d := full(6, 10)
	s := domains.Splitter{By: "task", Test: .5, UsersPerTask: 3, Seed: 1}
	want, err := s.Split(d)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		other := shuffled(rng, d)
		got, err := s.Split(other)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(names(other, got.Test), names(d, want.Test)) {
			t.Fatal("another order of users is another draw")
		}
	}
}

func TestSplitSeeds(t *testing.T) {
	d := full(20, 3)
	different := map[string]bool{}
	for seed := range uint64(10) {
		s := domains.Splitter{By: "task", Test: .2, Seed: seed}
		a, err := s.Split(d)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := s.Split(d)
		if !reflect.DeepEqual(a, b) {
			t.Fatal("one seed, two splits")
		}
		different[fmt.Sprint(a.Test)] = true
	}
	if len(different) < 5 {
		t.Errorf("ten seeds give %d different splits", len(different))
	}
}

func TestSplitExplicitIDs(t *testing.T) {
	d := full(6, 6)
	for _, tt := range []struct {
		reason string
		s      domains.Splitter
		tasks  []int // that test may have; nil: any
		users  []int
		test   int
	}{
		{"named tasks", domains.Splitter{By: "task", TestIDs: []string{"t03", "t01"}}, []int{1, 3}, nil, 12},
		{"a share beside names does not count", domains.Splitter{By: "task", Test: .9, TestIDs: []string{"t00"}}, []int{0}, nil, 6},
		{"named twice is named once", domains.Splitter{By: "task", TestIDs: []string{"t00", "t00"}}, []int{0}, nil, 6},
		{"named users", domains.Splitter{By: "user", TestIDs: []string{"u05"}, Dev: .4}, nil, []int{5}, 6},
		{"by both, names are of tasks and users are drawn", domains.Splitter{By: "both", Test: .5, TestIDs: []string{"t02"}}, []int{2}, nil, 3},
	} {
		p, err := tt.s.Split(d)
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		if len(p.Test) != tt.test {
			t.Errorf("%s: %d test profiles, want %d", tt.reason, len(p.Test), tt.test)
		}
		tasks, users := side(d, p.Test)
		for k := range tasks {
			if tt.tasks != nil && !slices.Contains(tt.tasks, k) {
				t.Errorf("%s: task %d is in test", tt.reason, k)
			}
		}
		for k := range users {
			if tt.users != nil && !slices.Contains(tt.users, k) {
				t.Errorf("%s: user %d is in test", tt.reason, k)
			}
		}
	}
}

func TestSplitErrors(t *testing.T) {
	for _, tt := range []struct {
		reason string
		d      *domains.Dataset
		s      domains.Splitter
		want   string
	}{
		{"no axis", full(4, 4), domains.Splitter{Test: .5}, `split.by is ""; give task, user or both`},
		{"unknown axis", full(4, 4), domains.Splitter{By: "problem", Test: .5}, `split.by is "problem"; give task, user or both`},
		{"unknown task", full(4, 4), domains.Splitter{By: "task", TestIDs: []string{"t00", "t9"}}, `split.test_ids: no task "t9" in data set full; name tasks of the data, such as "t00"`},
		{"unknown user", full(4, 4), domains.Splitter{By: "user", TestIDs: []string{"t00"}}, `split.test_ids: no user "t00" in data set full; name users of the data, such as "u00"`},
		{"one task cannot be learnt from and tested", full(1, 9), domains.Splitter{By: "task", Test: .1}, `data set full has 1 task(s): too few to hold some out for test and dev and keep one to learn from; split by the other axis (split.by), or lower split.test and split.dev`},
		{"one task cannot be split by both either", full(1, 9), domains.Splitter{By: "both", Test: .1}, `data set full has 1 task(s): too few to hold some out for test and dev and keep one to learn from; split by the other axis (split.by), or lower split.test and split.dev`},
		{"two tasks are too few for three parts", full(2, 9), domains.Splitter{By: "task", Test: .1, Dev: .1}, `data set full has 2 task(s): too few to hold some out for test and dev and keep one to learn from; split by the other axis (split.by), or lower split.test and split.dev`},
		{"one user cannot be split by user", full(9, 1), domains.Splitter{By: "user", Test: .1}, `data set full has 1 user(s): too few to hold some out for test and dev and keep one to learn from; split by the other axis (split.by), or lower split.test and split.dev`},
		{"everything is named", full(2, 2), domains.Splitter{By: "task", TestIDs: []string{"t00", "t01"}}, `data set full has 2 task(s): too few to hold some out for test and dev and keep one to learn from; split by the other axis (split.by), or lower split.test and split.dev`},
	} {
		p, err := tt.s.Split(tt.d)
		if err == nil || err.Error() != tt.want || !errors.Is(err, domains.ErrData) {
			t.Errorf("%s:\n got %v\nwant %s", tt.reason, err, tt.want)
		}
		if !reflect.DeepEqual(p, domains.Parts{}) {
			t.Errorf("%s: parts %v", tt.reason, p)
		}
	}
}

// A split that is drawn may still leave a part empty when not everybody meets
// every task.
func TestSplitLeavesNothing(t *testing.T) {
	d := full(2, 2)
	d.Profiles = []domains.Profile{d.Profiles[0], d.Profiles[3]} // t00 u00, t01 u01
	for seed := range uint64(8) {
		for _, named := range []string{"t00", "t01"} {
			p, err := domains.Splitter{By: "both", Test: .5, TestIDs: []string{named}, Seed: seed}.Split(d)
			if err == nil && (len(p.Train) == 0 || len(p.Test) == 0) {
				t.Fatalf("an empty part without an error: %+v", p)
			}
			if err != nil && !errors.Is(err, domains.ErrData) {
				t.Fatal(err)
			}
		}
	}
	d = full(3, 1)
	d.Profiles = d.Profiles[:2] // nobody meets t02
	_, err := domains.Splitter{By: "task", TestIDs: []string{"t02"}}.Split(d)
	if want := `split.test_ids: task "t02" of data set full has no profiles; loosen the filter, or name another, such as "t00"`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	_, err = domains.Splitter{By: "task", TestIDs: []string{"t00", "t01"}}.Split(d)
	if want := "data set full has 2 task(s): too few to hold some out for test and dev and keep one to learn from; split by the other axis (split.by), or lower split.test and split.dev"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	// The third task is nobody's and takes no part in the draw: of two, one is test.
	p, err := domains.Splitter{By: "task", Test: .34}.Split(d)
	if err != nil || len(p.Train) != 1 || len(p.Test) != 1 {
		t.Errorf("got %+v, %v", p, err)
	}
}
