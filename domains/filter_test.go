package domains_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pepbench/domains"
)

// dump is everything there is in a data set; text, because missing cells are NaN.
func dump(d *domains.Dataset) string { return fmt.Sprintf("%+v", *d) }

// held gives task id -> criterion id -> ids of the users that hold it.
func held(d *domains.Dataset) map[string]map[string][]string {
	out := map[string]map[string][]string{}
	for _, t := range d.Tasks {
		out[t.ID] = map[string][]string{}
		for _, c := range t.Criteria {
			out[t.ID][d.Criteria[c].ID] = nil
		}
	}
	for _, p := range d.Profiles {
		t := d.Tasks[p.Task]
		for i, c := range p.Cells {
			if c.IsHeld() {
				id := d.Criteria[t.Criteria[i]].ID
				out[t.ID][id] = append(out[t.ID][id], d.Users[p.User].ID)
			}
		}
	}
	return out
}

// The filter against one written over names, by counting.
func TestFilterAgainstBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	shares := []float64{0, .125, .25, .5, 1}
	kept := 0
	for range 400 {
		d := random(rng, 1+rng.IntN(4), 1+rng.IntN(12), 1+rng.IntN(6), rng.IntN(2) == 0, rng.IntN(2) == 0)
		f := domains.Filter{MinUsers: rng.IntN(4), MaxShare: shares[rng.IntN(len(shares))], MinHeld: rng.IntN(3)}
		before := dump(d)

		users := map[string]int{}
		for _, p := range d.Profiles {
			users[d.Tasks[p.Task].ID]++
		}
		want := held(d)
		rare, common := 0, 0
		for task, criteria := range want {
			for c, by := range criteria {
				switch {
				case f.MaxShare > 0 && float64(len(by))/float64(max(1, users[task])) >= f.MaxShare:
					common++
				case len(by) < f.MinUsers:
					rare++
				default:
					continue
				}
				delete(criteria, c)
			}
		}
		few := 0
		wantProfiles := map[string]bool{}
		for _, p := range d.Profiles {
			task, user := d.Tasks[p.Task].ID, d.Users[p.User].ID
			n := 0
			for _, by := range want[task] {
				if slices.Contains(by, user) {
					n++
				}
			}
			if n < max(1, f.MinHeld) {
				few++
				continue
			}
			wantProfiles[task+" "+user] = true
		}

		got, err := f.Apply(d)
		if dump(d) != before {
			t.Fatal("the filter has changed what it was given")
		}
		if len(wantProfiles) == 0 {
			if !errors.Is(err, domains.ErrData) || got != nil {
				t.Fatalf("nothing is left, but %v, %v", got, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		kept++
		if err := got.Validate(); err != nil {
			t.Fatalf("%+v: %v", f, err)
		}
		for _, task := range got.Tasks {
			var ids []string
			for _, c := range task.Criteria {
				ids = append(ids, got.Criteria[c].ID)
			}
			var wantIDs []string
			for c := range want[task.ID] {
				wantIDs = append(wantIDs, c)
			}
			slices.Sort(wantIDs)
			if !slices.Equal(ids, wantIDs) {
				t.Fatalf("%+v: %s admits %v, want %v", f, task.ID, ids, wantIDs)
			}
		}
		for _, p := range got.Profiles {
			key := got.Tasks[p.Task].ID + " " + got.Users[p.User].ID
			if !wantProfiles[key] {
				t.Fatalf("%+v: profile %s should be gone", f, key)
			}
			delete(wantProfiles, key)
		}
		if len(wantProfiles) > 0 {
			t.Fatalf("%+v: profiles %v are gone", f, wantProfiles)
		}
		counts := map[string]int{}
		for _, c := range got.Counts {
			counts[strings.SplitN(c.What, ":", 2)[0]+fmt.Sprint(strings.Contains(c.What, "at least"))] += c.N
		}
		wantCounts := map[string]int{"profiles droppedfalse": few, "profiles keptfalse": len(got.Profiles)}
		if f.MaxShare > 0 {
			wantCounts["criteria dropped from a tasktrue"] = common
		}
		if f.MinUsers > 0 {
			wantCounts["criteria dropped from a taskfalse"] = rare
		}
		if diff := cmp.Diff(wantCounts, counts); diff != "" {
			t.Fatalf("%+v: counts differ (-want +got):\n%s", f, diff)
		}
	}
	if kept < 100 {
		t.Errorf("only %d of the random sets survived their filter", kept)
	}
}

// What is not dropped keeps its value and note, and the ratio of its weights.
func TestFilterKeepsWhatItKeeps(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 2))
	for range 200 {
		d := random(rng, 1+rng.IntN(3), 2+rng.IntN(10), 2+rng.IntN(5), true, false)
		got, err := domains.Filter{MinUsers: 3, MaxShare: .75}.Apply(d)
		if err != nil {
			continue
		}
		old := map[[2]int]*domains.Profile{}
		for i := range d.Profiles {
			old[[2]int{d.Profiles[i].Task, d.Profiles[i].User}] = &d.Profiles[i]
		}
		for _, p := range got.Profiles {
			q := old[[2]int{p.Task, p.User}]
			sum := 0.0 // of the old weights that stay
			for i, c := range got.Tasks[p.Task].Criteria {
				j := slices.Index(d.Tasks[p.Task].Criteria, c)
				sum += q.Weight(j)
				if !p.Cells[i].Equal(q.Cells[j]) || p.Notes[i].Justification != q.Notes[j].Justification {
					t.Fatalf("cell or note of %v has changed", c)
				}
			}
			for i, c := range got.Tasks[p.Task].Criteria {
				j := slices.Index(d.Tasks[p.Task].Criteria, c)
				if w := q.Weight(j) / sum; p.Weight(i) < w-1e-12 || p.Weight(i) > w+1e-12 {
					t.Fatalf("weight %v, want %v", p.Weight(i), w)
				}
			}
		}
	}
}

// The released rule on 50 users: at least a tenth is too common, fewer than four
// too rare, and so only criteria with exactly four holders stay.
func TestFilterReleasedRule(t *testing.T) {
	d := &domains.Dataset{Name: "fifty", Rubric: domains.Quality}
	task := domains.Task{ID: "t"}
	for c := range 9 { // criterion c is held by users 0..c-1
		d.Criteria = append(d.Criteria, five(fmt.Sprint("held by ", c)))
		task.Criteria = append(task.Criteria, c)
	}
	d.Tasks = []domains.Task{task}
	for u := range 50 {
		p := domains.Profile{User: u}
		for c := range 9 {
			if u < c {
				p.Cells = append(p.Cells, domains.At(3))
			} else {
				p.Cells = append(p.Cells, domains.NotHeld())
			}
		}
		d.Users = append(d.Users, domains.User{ID: fmt.Sprintf("u%02d", u)})
		d.Profiles = append(d.Profiles, p)
	}
	for _, tt := range []struct {
		reason   string
		f        domains.Filter
		criteria []int
		profiles int
	}{
		{"released: 4 holders stay, users without any go", domains.Filter{MinUsers: 4, MaxShare: .1}, []int{4}, 4},
		{"the share is of the problem's users, those who hold nothing too", domains.Filter{MaxShare: .1}, []int{0, 1, 2, 3, 4}, 4},
		{"min_users is inclusive", domains.Filter{MinUsers: 7}, []int{7, 8}, 8},
		{"zero filter drops only profiles with nothing held", domains.Filter{}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, 8},
		{"min_held counts after criteria are gone", domains.Filter{MinUsers: 7, MinHeld: 2}, []int{7, 8}, 7},
		{"a share of 1 drops what everybody holds, here nothing", domains.Filter{MaxShare: 1}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, 8},
	} {
		got, err := tt.f.Apply(d)
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		if !slices.Equal(got.Tasks[0].Criteria, tt.criteria) || len(got.Profiles) != tt.profiles {
			t.Errorf("%s: criteria %v, %d profiles", tt.reason, got.Tasks[0].Criteria, len(got.Profiles))
		}
	}
	_, err := domains.Filter{MinUsers: 9}.Apply(d)
	if want := "data set fifty: the filter leaves no profile (of 50); loosen filter.min_users, filter.max_share or filter.min_held"; err == nil || err.Error() != want || !errors.Is(err, domains.ErrData) {
		t.Errorf("nothing left: %v", err)
	}
}

// In a product 0.07*100 is more than 7, so a criterion that 7 of 100 users hold
// would stay although it is held by at least 0.07 of them.
func TestFilterShareIsExact(t *testing.T) {
	for users := 2; users <= 120; users++ {
		for k := 1; k < users; k++ {
			d := &domains.Dataset{
				Name: "x", Rubric: domains.Quality,
				Criteria: []domains.Criterion{five("a"), five("b")}, Tasks: []domains.Task{{ID: "t", Criteria: []int{0, 1}}},
			}
			for u := range users {
				cells := []domains.Cell{domains.NotHeld(), domains.NotHeld()}
				if u < k {
					cells[0] = domains.At(1)
				}
				if u == 0 && k > 1 {
					cells[1] = domains.At(1)
				}
				d.Users = append(d.Users, domains.User{ID: fmt.Sprint(u)})
				d.Profiles = append(d.Profiles, domains.Profile{User: u, Cells: cells})
			}
			got, err := domains.Filter{MaxShare: float64(k) / float64(users)}.Apply(d)
			if err == nil && slices.Contains(got.Tasks[0].Criteria, 0) {
				t.Fatalf("%d of %d users is not at least %v", k, users, float64(k)/float64(users))
			}
		}
	}
}
