package domains

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// A Splitter divides the profiles of a data set into train, dev and test.
//
// By "task" holds out tasks with all their users, "user" holds out users with all
// their tasks, and "both" holds out tasks and users: test is held-out users on
// held-out tasks, train the other users on the other tasks, and the two mixed
// blocks are left out. Dev is taken from what is not test, in the same manner;
// everything that is chosen is chosen on it.
type Splitter struct {
	By   string  // task, user or both
	Test float64 // share of tasks or users (or of each) held out, in (0,1)
	Dev  float64 // share of the rest that is dev, in [0,1)
	Seed uint64

	// TestIDs names the test tasks (By task or both) or users (By user) instead
	// of drawing them.
	TestIDs []string

	// Folds > 1 cross-fits: the drawn order of the tasks (By user: of the users) is
	// dealt out into Folds parts, and part Fold is what is held out, so that over all
	// folds everything is tested once. Test still says which users are held out By
	// both, the same ones in every fold. TestIDs must be empty.
	Folds, Fold int

	// UsersPerTask caps the test profiles of a task, drawn at random; 0: no cap.
	UsersPerTask int
}

// Parts holds indices into Dataset.Profiles, ascending.
type Parts struct {
	Train, Dev, Test []int
	Unused           int // profiles of the mixed blocks and over the cap
}

// Split divides d. Ids are sorted and then permuted with a PCG of the seed, so
// the result does not depend on the order of the file. Errors wrap ErrData.
func (s Splitter) Split(d *Dataset) (Parts, error) {
	if s.By != "task" && s.By != "user" && s.By != "both" {
		return Parts{}, &DataError{What: fmt.Sprintf("split.by is %q", s.By), Mend: "give task, user or both"}
	}
	if s.Folds < 0 || s.Folds > 1 && (len(s.TestIDs) > 0 || s.Fold < 0 || s.Fold >= s.Folds) {
		return Parts{}, &DataError{What: fmt.Sprintf("fold %d of %d with %d test ids", s.Fold, s.Folds, len(s.TestIDs)), Mend: "give folds of 2 or more and no test ids, or no folds"}
	}
	const train, dev, test = 0, 1, 2
	partOf := func(axis string, ids []string, has []bool, named []string) ([]int, error) {
		part := make([]int, len(ids))
		rest := make([]int, 0, len(ids))
		var order []int
		for i := range ids {
			if has[i] {
				order = append(order, i)
			}
		}
		if len(order) == 0 {
			return nil, &DataError{What: fmt.Sprintf("data set %s has no profiles to split", d.Name)}
		}
		slices.SortFunc(order, func(a, b int) int { return cmp.Compare(ids[a], ids[b]) })
		such := ids[order[0]] // as an example
		h := Hash("split", axis)
		rng := rand.New(rand.NewPCG(s.Seed, h))
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		if len(named) > 0 {
			index := make(map[string]int, len(ids))
			for i, id := range ids {
				index[id] = i
			}
			for _, id := range named {
				i, ok := index[id]
				if !ok {
					return nil, &DataError{What: fmt.Sprintf("split.test_ids: no %s %q in data set %s", axis, id, d.Name), Mend: fmt.Sprintf("name %ss of the data, such as %q", axis, such)}
				}
				if !has[i] {
					return nil, &DataError{What: fmt.Sprintf("split.test_ids: %s %q of data set %s has no profiles", axis, id, d.Name), Mend: fmt.Sprintf("loosen the filter, or name another, such as %q", such)}
				}
				part[i] = test
			}
		} else if s.Folds > 1 && (axis == "task" || s.By == "user") {
			if len(order) < s.Folds {
				return nil, &DataError{What: fmt.Sprintf("data set %s has %d %s(s) for %d folds", d.Name, len(order), axis, s.Folds), Mend: "lower split.folds, or split by the other axis (split.by)"}
			}
			for at, i := range order {
				if at%s.Folds == s.Fold {
					part[i] = test
				}
			}
		} else {
			n := int(math.Round(s.Test * float64(len(order))))
			for _, i := range order[:min(max(1, n), len(order))] {
				part[i] = test
			}
		}
		for _, i := range order {
			if part[i] != test {
				rest = append(rest, i)
			}
		}
		nd := 0
		if s.Dev > 0 {
			nd = max(1, int(math.Round(s.Dev*float64(len(rest)))))
		}
		if len(rest)-nd < 1 {
			return nil, &DataError{
				What: fmt.Sprintf("data set %s has %d %s(s): too few to hold some out for test and dev and keep one to learn from", d.Name, len(order), axis),
				Mend: "split by the other axis (split.by), or lower split.test and split.dev",
			}
		}
		for _, i := range rest[:nd] {
			part[i] = dev
		}
		return part, nil
	}

	// Tasks and users without a profile (a filter may have emptied them) take no
	// part in the draw.
	taskHas, userHas := make([]bool, len(d.Tasks)), make([]bool, len(d.Users))
	for i := range d.Profiles {
		taskHas[d.Profiles[i].Task], userHas[d.Profiles[i].User] = true, true
	}
	var tasks, users []int
	var err error
	if s.By != "user" {
		ids := make([]string, len(d.Tasks))
		for i := range d.Tasks {
			ids[i] = d.Tasks[i].ID
		}
		if tasks, err = partOf("task", ids, taskHas, s.TestIDs); err != nil {
			return Parts{}, err
		}
	}
	if s.By != "task" {
		ids := make([]string, len(d.Users))
		for i := range d.Users {
			ids[i] = d.Users[i].ID
		}
		named := s.TestIDs
		if s.By == "both" {
			named = nil
		}
		if users, err = partOf("user", ids, userHas, named); err != nil {
			return Parts{}, err
		}
	}

	var out Parts
	for i := range d.Profiles {
		p := &d.Profiles[i]
		part := train
		switch s.By {
		case "task":
			part = tasks[p.Task]
		case "user":
			part = users[p.User]
		default:
			if part = tasks[p.Task]; part != users[p.User] {
				out.Unused++
				continue
			}
		}
		switch part {
		case train:
			out.Train = append(out.Train, i)
		case dev:
			out.Dev = append(out.Dev, i)
		default:
			out.Test = append(out.Test, i)
		}
	}
	if s.UsersPerTask > 0 {
		n := len(out.Test)
		out.Test = s.cap(d, out.Test)
		out.Unused += n - len(out.Test)
	}
	for _, c := range []struct {
		name string
		n    int
	}{{"training", len(out.Train)}, {"test", len(out.Test)}} {
		if c.n == 0 {
			return Parts{}, &DataError{What: fmt.Sprintf("data set %s: the split leaves no %s profile", d.Name, c.name), Mend: "change split.test, split.dev or split.by"}
		}
	}
	if s.Dev > 0 && len(out.Dev) == 0 {
		return Parts{}, &DataError{What: fmt.Sprintf("data set %s: the split leaves no dev profile", d.Name), Mend: "raise split.dev"}
	}
	return out, nil
}

// cap keeps at most UsersPerTask profiles of every task.
func (s Splitter) cap(d *Dataset, test []int) []int {
	byTask := map[int][]int{}
	for _, i := range test {
		byTask[d.Profiles[i].Task] = append(byTask[d.Profiles[i].Task], i)
	}
	var out []int
	for t := range d.Tasks { // in task order, never in map order
		rows := byTask[t]
		if len(rows) > s.UsersPerTask {
			slices.SortFunc(rows, func(a, b int) int {
				return cmp.Compare(d.Users[d.Profiles[a].User].ID, d.Users[d.Profiles[b].User].ID)
			})
			rng := rand.New(rand.NewPCG(s.Seed, Hash("cap", d.Tasks[t].ID)))
			rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			rows = rows[:s.UsersPerTask]
			slices.Sort(rows)
		}
		out = append(out, rows...)
	}
	return out
}
