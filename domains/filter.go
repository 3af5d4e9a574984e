package domains

import "fmt"

// A Filter drops criteria of tasks and users that a study does not use. The zero
// Filter keeps everything but profiles with nothing held.
type Filter struct {
	// MinUsers drops a criterion from a task when fewer of the task's users hold it.
	MinUsers int
	// MaxShare drops a criterion from a task when at least this share of the
	// task's users hold it; 0 switches it off.
	MaxShare float64
	// MinHeld drops a profile with fewer held criteria left; at least 1.
	MinHeld int
}

// Apply gives the filtered data set; the receiver's data set is not changed.
// Weights are normalised again afterwards. Counts say what was dropped. When
// nothing is left the error wraps ErrData.
func (f Filter) Apply(d *Dataset) (*Dataset, error) {
	out := *d
	out.Tasks = append([]Task(nil), d.Tasks...)
	out.Counts = append([]Count(nil), d.Counts...)

	held := make([][]int, len(d.Tasks)) // task, position: users holding it
	users := make([]int, len(d.Tasks))
	for t := range d.Tasks {
		held[t] = make([]int, len(d.Tasks[t].Criteria))
	}
	for i := range d.Profiles {
		p := &d.Profiles[i]
		users[p.Task]++
		for j, c := range p.Cells {
			if c.IsHeld() {
				held[p.Task][j]++
			}
		}
	}
	keep := make([][]int, len(d.Tasks)) // positions that stay
	rare, common := 0, 0
	for t := range d.Tasks {
		var crit []int
		for j, c := range d.Tasks[t].Criteria {
			switch {
			case f.MaxShare > 0 && float64(held[t][j])/float64(users[t]) >= f.MaxShare:
				common++
			case held[t][j] < f.MinUsers:
				rare++
			default:
				keep[t] = append(keep[t], j)
				crit = append(crit, c)
			}
		}
		out.Tasks[t].Criteria = crit
	}
	out.Profiles = make([]Profile, 0, len(d.Profiles))
	few := 0
	for i := range d.Profiles {
		p := d.Profiles[i]
		k := keep[p.Task]
		if len(k) != len(p.Cells) {
			p = p.pick(k)
			if _, err := p.Normalise(); err != nil {
				return nil, err
			}
		}
		if p.Held() < max(1, f.MinHeld) {
			few++
			continue
		}
		out.Profiles = append(out.Profiles, p)
	}
	if f.MaxShare > 0 {
		out.Counts = append(out.Counts, Count{fmt.Sprintf("criteria dropped from a task: held by at least %g of its users", f.MaxShare), common})
	}
	if f.MinUsers > 0 {
		out.Counts = append(out.Counts, Count{fmt.Sprintf("criteria dropped from a task: held by fewer than %d users", f.MinUsers), rare})
	}
	out.Counts = append(out.Counts,
		Count{fmt.Sprintf("profiles dropped: fewer than %d criteria held", max(1, f.MinHeld)), few},
		Count{"profiles kept", len(out.Profiles)})
	if len(out.Profiles) == 0 {
		return nil, &DataError{
			What: fmt.Sprintf("data set %s: the filter leaves no profile (of %d)", d.Name, len(d.Profiles)),
			Mend: "loosen filter.min_users, filter.max_share or filter.min_held",
		}
	}
	return &out, nil
}

// pick copies the profile with only the given positions.
func (p Profile) pick(pos []int) Profile {
	q := Profile{Task: p.Task, User: p.User, Cells: make([]Cell, len(pos))}
	if p.Weights != nil {
		q.Weights = make([]float64, len(pos))
	}
	if p.Notes != nil {
		q.Notes = make([]Note, len(pos))
	}
	for i, j := range pos {
		q.Cells[i] = p.Cells[j]
		if p.Weights != nil {
			q.Weights[i] = p.Weights[j]
		}
		if p.Notes != nil {
			q.Notes[i] = p.Notes[j]
		}
	}
	return q
}
