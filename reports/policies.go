package reports

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"pepbench/bench/record"
)

// replayed counts how the decisions of a replay, up to the budget, are off its log. A
// session that had nothing left to ask, or that its user ended, decided nothing by that.
func (st *strategy) replayed(s *record.Session, budget int) {
	if st.Kind != kindReplay {
		return
	}
	count := func(word string) {
		st.off.Decisions++
		switch word {
		case record.OffLogHistory:
			st.off.History++
		case record.OffLogTask:
			st.off.Task++
		}
	}
	for i := range s.Turns[:min(len(s.Turns), budget)] {
		count(s.Turns[i].OffLog)
	}
	if len(s.Turns) < budget && (s.Stop == record.StopDone || s.StopOffLog != "") {
		count(s.StopOffLog)
	}
}

// offLog gives the rates of a replay, or nil.
func (st *strategy) offLog() *offLog {
	if st.Kind != kindReplay {
		return nil
	}
	out := st.off
	out.Rate, out.TaskRate = undefined(), undefined()
	if n := float64(out.Decisions); n > 0 {
		out.Rate, out.TaskRate = Number(float64(out.History)/n), Number(float64(out.Task)/n)
	}
	p := st.Policy
	out.Exceeds = p != nil && p.Mode == record.ModePolicy && float64(out.Rate) > p.MostOffLog
	return &out
}

// trainings gives those of the policy that a row asks by, or whose log it replays.
func (m *Metrics) trainings(r *Row) []record.TrainingSummary {
	if r.Policy == nil {
		return nil
	}
	if o := m.replayedRow(r); o != nil && o.Policy != nil {
		return o.Policy.Trainings
	}
	return r.Policy.Trainings
}

// replayedRow gives the row of the run whose log a row replays, or nil.
func (m *Metrics) replayedRow(r *Row) *Row {
	if r.Policy == nil || r.Policy.Of == "" {
		return nil
	}
	for i := range m.Strategies {
		if o := &m.Strategies[i]; o.Base == r.Policy.Of {
			return o
		}
	}
	return nil
}

// undertrained says in how many of its trainings a policy does not reach the best fixed
// order, or nothing.
func (m *Metrics) undertrained(r *Row) string { return shortOf(m.trainings(r)) }

// shortOf is undertrained of these trainings.
func shortOf(list []record.TrainingSummary) string {
	n, what := 0, "seed"
	for i := range list {
		if list[i].Undertrained {
			n++
		}
		if list[i].Fold > 0 {
			what = "training" // there are several of a seed
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("undertrained: %d of %d %s below the best fixed order on the training reward", n, len(list), plural(len(list), what))
}

// replay says whose log is replayed how, and how often the log did not know what to do;
// nothing of what is no replay.
func (r *Row) replay() string {
	o := r.OffLog
	if o == nil {
		return ""
	}
	s := "replay"
	if p := r.Policy; p != nil {
		of := p.Of
		if of == "" {
			of = "a log"
			if p.Log != nil {
				of = "the log " + filepath.Base(p.Log.Path)
			}
		}
		s = fmt.Sprintf("%s replay of %s", p.Mode, of)
	}
	if !o.Rate.Defined() {
		return s + ", without a decision"
	}
	s += fmt.Sprintf(", %s%% of %d decisions off the log", num(100*o.Rate, "%.1f"), o.Decisions)
	if o.Task > 0 {
		s += fmt.Sprintf(" and %s%% known from other tasks only", num(100*o.TaskRate, "%.1f"))
	}
	if o.Exceeds {
		s += fmt.Sprintf(", more than %s%%: not called the policy's result", num(100*Number(r.Policy.MostOffLog), "%g"))
	}
	return s
}

// remark is what every table and figure must say of a row beside its name, or nothing.
func (m *Metrics) remark(r *Row) string {
	return strings.Join(slices.DeleteFunc([]string{r.replay(), m.undertrained(r)}, func(s string) bool { return s == "" }), "; ")
}

// named is the cell of a strategy's name, with a note where there is something to say.
func (g *grid) named(m *Metrics, r *Row) cell {
	c := cell{value: r.Name}
	if s := m.remark(r); s != "" {
		c.note = g.note("%s", s)
	}
	return c
}

// namedBy is named by the name alone.
func (g *grid) namedBy(m *Metrics, name string) cell {
	for i := range m.Strategies {
		if r := &m.Strategies[i]; r.Name == name {
			return g.named(m, r)
		}
	}
	return cell{value: name}
}

// dagger follows the names of rows in figures that the note says something about.
const dagger = "†"

// marked gives a name of a row with a dagger where the note says something about it.
func (m *Metrics) marked(r *Row, name string) string {
	if m.remark(r) == "" {
		return name
	}
	return name + dagger
}

// remarks goes on with the note under a figure: what the daggers mean, and what the
// policies of these rows are.
func (m *Metrics) remarks(rows []*Row) string {
	var says []string
	for _, r := range rows {
		name, s := r.Base, m.remark(r)
		if name == "" {
			name = r.Name
		}
		if of := m.replayedRow(r); of != nil && slices.ContainsFunc(rows, func(o *Row) bool { return o.Base == of.Base }) {
			// Why is said of the policy itself.
			if why := m.undertrained(r); why != "" {
				s = strings.Replace(s, why, "undertrained", 1)
			}
		}
		if s == "" {
			continue
		}
		if s = fmt.Sprintf(" %s: %s.", name, s); !slices.Contains(says, s) {
			says = append(says, s)
		}
	}
	if says == nil {
		return strings.TrimSpace(m.policiesBy(rows, method))
	}
	return dagger + strings.Join(says, "") + m.policiesBy(rows, method)
}

// method is the name of a method, without its settings, which captions of tables say.
func method(s string) string {
	name, _, _ := strings.Cut(short(s), ",")
	return name
}

// policies says what the policies of these rows are, or nothing.
func (m *Metrics) policies(rows []*Row) string { return m.policiesBy(rows, short) }

// policiesBy is policies with the method of training put like this.
func (m *Metrics) policiesBy(rows []*Row, method func(string) string) string {
	var says, ours []string
	for _, r := range rows {
		p := r.Policy
		if p == nil {
			continue
		}
		of := m.replayedRow(r)
		name := r.Base
		switch {
		case of != nil:
			name = of.Base
		case name == "":
			name = r.Name
		}
		if (r.Kind == kindRL || of != nil && of.Kind == kindRL) && !slices.Contains(ours, name) {
			ours = append(ours, name)
		}
		if of != nil && slices.ContainsFunc(rows, func(o *Row) bool { return o.Base == of.Base }) {
			continue // said of that row, or it is a strategy of this program
		}
		what := short(p.Model)
		switch {
		case what == "" && p.Of == "":
			what = "the log does not say what chose its questions"
		case what == "":
			continue
		}
		if p.Params > 0 && !strings.Contains(what, "parameter") {
			what += fmt.Sprintf(", %s parameters", thousands(p.Params)) // its last words may be of a part of it
		}
		switch {
		case p.Method != "":
			what += ", trained by " + method(p.Method)
		case p.Of == "" && r.Kind == kindReplay:
			what += "; the log does not say how it was trained"
		}
		if s := fmt.Sprintf(" %s: %s.", name, strings.TrimSuffix(what, ".")); !slices.Contains(says, s) {
			says = append(says, s)
		}
	}
	s := strings.Join(says, "")
	switch len(ours) {
	case 0:
	case 1:
		s += fmt.Sprintf(" %s was trained here and is not the 8B model of arXiv 2602.15012.", ours[0])
	default:
		s += fmt.Sprintf(" %s were trained here; none is the 8B model of arXiv 2602.15012.", series(ours))
	}
	return s
}

// rows gives all rows.
func (m *Metrics) rows() (out []*Row) {
	for i := range m.Strategies {
		out = append(out, &m.Strategies[i])
	}
	return out
}

// policyWarnings warns of policies that are not what their names promise, once a way of
// asking.
func policyWarnings(m *Metrics, add func(string, ...any)) {
	seen := map[string]bool{}
	for _, r := range m.rows() {
		if seen[r.Base] && r.Base != "" {
			continue
		}
		seen[r.Base] = true
		if s := m.undertrained(r); s != "" && m.replayedRow(r) == nil {
			add("%s is %s", r.Base, s)
		}
		switch o := r.OffLog; {
		case o == nil:
		case o.Exceeds:
			add("%s: %s", r.Base, r.replay())
		case o.History > 0 && r.Policy != nil && r.Policy.Mode == record.ModeTrajectory:
			add("%s: %s; from there on it does not do what the log did", r.Base, r.replay())
		}
	}
}
