package strategies

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"pepbench/domains"
	"pepbench/strategies/policylog"
)

// letters is a task with one criterion for each letter.
func letters(task, ids string) Setting {
	s := Setting{Task: domains.Task{ID: task}, Budget: len(ids), User: "u", Seed: 1}
	for i, id := range strings.Split(ids, "") {
		s.Criteria = append(s.Criteria, domains.Criterion{ID: id, Name: id, Levels: []domains.Level{{Value: 1}, {Value: 2}, {Value: 3}}})
		s.Task.Criteria = append(s.Task.Criteria, i)
	}
	return s
}

// decided is a decision in short: "a1 b- c? > d" asked d after a was answered by 1, b was
// not held and of c nothing was learnt; "> ." stopped.
func decided(task, user, line string) policylog.Decision {
	d := policylog.Decision{Policy: "p", Task: task, User: user}
	past, choice, _ := strings.Cut(line, ">")
	for _, f := range strings.Fields(past) {
		d.History = append(d.History, policylog.Told{Criterion: f[:1], Answer: answered(f[1])})
	}
	d.Turn = len(d.History)
	if choice = strings.TrimSpace(choice); choice == "." {
		d.Stop = true
	} else {
		d.Question = choice
	}
	return d
}

func answered(c byte) domains.Cell {
	switch c {
	case '-':
		return domains.NotHeld()
	case '?':
		return domains.Missing()
	}
	return domains.At(float64(c - '0'))
}

// on makes decisions of one user on a task.
func on(task, user string, lines ...string) []policylog.Decision {
	var out []policylog.Decision
	for _, l := range lines {
		out = append(out, decided(task, user, l))
	}
	return out
}

func seeded(seed int, ds []policylog.Decision) []policylog.Decision {
	for i := range ds {
		ds[i].Seed = &seed
	}
	return ds
}

// played lets a replay ask, with answers in turn, and tells what it asked in order, each
// followed by how it is off the log (t, h); the last is the stop (.) or the end of the
// answers ($).
func played(t testing.TB, r Replay, s Setting, answers string) string {
	t.Helper()
	e := r.Begin(s)
	var out []string
	for i := 0; ; i++ {
		if i == len(answers) {
			return strings.Join(append(out, "$"), " ")
		}
		q, err := e.Next(context.Background())
		off := e.(Logged).OffLog()
		if off != "" {
			off = off[:1]
		}
		if errors.Is(err, ErrDone) {
			return strings.Join(append(out, "."+off), " ")
		} else if err != nil {
			t.Fatal(err)
		}
		out = append(out, s.Criteria[q.Position].ID+off)
		e.Observe(q, domains.Answer{Cell: answered(answers[i])})
	}
}

func TestReplay(t *testing.T) {
	const trajectory, policy = ReplayTrajectory, ReplayPolicy
	stops := on("t", "u", "> c", "c3 > a", "c3 a- > .")
	for _, row := range []struct {
		reason  string
		mode    ReplayMode
		log     []policylog.Decision
		mute    string // criteria that cannot be asked
		answers string
		want    string
	}{
		{"what was asked, and then it stopped", trajectory, stops, "", "3-1", "c a ."},
		{"another answer: the same questions, off the log from there", trajectory, stops, "", "1-1", "c ah .h"},
		{"another last answer: the stop is off", trajectory, stops, "", "3?1", "c a .h"},
		{"the log ends without a stop", trajectory, stops[:2], "", "3-1", "c a .h"},
		{"a turn that was not logged", trajectory, []policylog.Decision{stops[0], stops[2]}, "", "3-1", "c .h"},
		{"another user's", trajectory, on("t", "v", "> c"), "", "3", ".h"},
		{"another task's", trajectory, on("v", "u", "> c"), "", "3", ".h"},
		{"another seed's", trajectory, seeded(2, on("t", "u", "> c")), "", "3", ".h"},
		{"this seed's", trajectory, seeded(1, on("t", "u", "> c")), "", "3", "c $"},
		{"this seed's before that of every seed", trajectory, slices.Concat(on("t", "u", "> b"), seeded(1, on("t", "u", "> c"))), "", "3", "c $"},
		{"what cannot be asked ends it", trajectory, stops, "a", "3-1", "c .h"},
		{"nothing is left: that is no decision", trajectory, stops[:2], "bd", "3-1", "c a ."},
		{"the log never asked about anything of this task", trajectory, on("t", "u", "> z"), "", "3", ".h"},

		{"after this history", policy, slices.Concat(on("t", "v", "> b", "b1 > c", "b1 c1 > ."), on("t", "w", "> b", "b2 > d")), "", "211", "b d .h"},
		{"most often", policy, slices.Concat(on("t", "v", "> b"), on("t", "w", "> c"), on("t", "x", "> c")), "", "1", "c $"},
		{"as often: the lowest position", policy, slices.Concat(on("t", "v", "> d"), on("t", "w", "> b")), "", "1", "b $"},
		{"as often as a stop: the question", policy, slices.Concat(on("t", "v", "> ."), on("t", "w", "> d")), "", "1", "d $"},
		{"a stop more often", policy, slices.Concat(on("t", "v", "> ."), on("t", "w", "> ."), on("t", "x", "> d")), "", "1", "."},
		{"this task before others, however often they", policy, slices.Concat(on("t", "v", "> d"), on("z", "w", "> b"), on("z", "x", "> b")), "", "1", "d $"},
		{"on another task only", policy, on("z", "v", "> d", "d1 > ."), "", "11", "dt .t"},
		{"what cannot be asked does not count", policy, slices.Concat(on("t", "v", "> b"), on("t", "w", "> b"), on("t", "x", "> c")), "b", "1", "c $"},
		{"nor does what the task does not admit", policy, slices.Concat(on("z", "v", "> y"), on("z", "w", "> y"), on("z", "x", "> c")), "", "1", "ct $"},
		{"nothing of this task can be asked: other tasks", policy, slices.Concat(on("t", "v", "> b"), on("z", "w", "> d")), "b", "1", "dt $"},
		{"the longest beginning", policy, slices.Concat(on("t", "v", "> a", "a1 > b", "a1 b1 > c"), on("t", "w", "> a", "a1 > b", "a1 b2 > d"), on("t", "x", "> a", "a2 > c", "a2 c1 > b")), "", "131", "a b ch $"},
		{"a longer one with a single decision before a shorter one with many", policy, slices.Concat(on("t", "v", "> a", "a1 > b", "a1 b1 > d"), on("t", "w", "a2 b1 > c"), on("t", "x", "a2 b1 > c")), "", "131", "a b dh $"},
		{"a beginning that leads nowhere is passed over", policy, slices.Concat(on("t", "v", "> a", "a1 > b", "a1 b1 > d"), on("t", "w", "a2 b1 > c")), "d", "131", "a b ch $"},
		{"no beginning in common: what is asked at this turn", policy, slices.Concat(on("t", "v", "> a", "a1 > b"), on("t", "w", "> a", "a1 > b"), on("t", "x", "> a", "a2 > c")), "", "31", "a bh $"},
		{"at this turn other tasks count as well", policy, slices.Concat(on("t", "v", "> a", "a1 > b"), on("z", "w", "a2 > c"), on("z", "x", "a2 > c")), "", "31", "a ch $"},
		{"the order of the questions matters", policy, slices.Concat(on("t", "v", "> a", "a1 > b", "a1 b1 > c"), on("t", "w", "b1 a1 > d")), "", "111", "a b c $"},
		{"nothing was learnt is an answer", policy, slices.Concat(on("t", "v", "> a", "a? > b"), on("t", "w", "> a", "a- > c")), "", "?1", "a b $"},
		{"deeper than the log", policy, on("t", "v", "> a"), "", "11", "a .h"},
		{"nobody began", policy, on("t", "v", "a1 > b"), "", "11", ".h"},
		{"other seeds do not count", policy, slices.Concat(seeded(1, on("t", "v", "> b")), seeded(2, on("t", "v", "> c")), seeded(2, on("t", "w", "> c"))), "", "1", "b $"},
		{"what is of every seed counts", policy, slices.Concat(seeded(1, on("t", "v", "> b")), on("t", "v", "> c"), on("t", "w", "> c")), "", "1", "c $"},
		{"a seed that the log does not have: what is of every seed", policy, slices.Concat(seeded(2, on("t", "v", "> b")), on("t", "v", "> c")), "", "1", "c $"},
		{"and nothing else", policy, seeded(2, on("t", "v", "> b")), "", "1", ".h"},
		{"nothing is left", policy, on("t", "v", "> a"), "bcd", "11", "a ."},
	} {
		l, err := NewReplayLog(&policylog.Log{Decisions: row.log}, row.mode)
		if err != nil {
			t.Errorf("%s: %v", row.reason, err)
			continue
		}
		s := letters("t", "abcd")
		if row.mute != "" {
			s.Askable = make([]bool, len(s.Criteria))
			for i, c := range s.Criteria {
				s.Askable[i] = !strings.Contains(row.mute, c.ID)
			}
		}
		if got := played(t, Replay{Log: l}, s, row.answers); got != row.want {
			t.Errorf("%s: %q, want %q", row.reason, got, row.want)
		}
	}
}

func TestNewReplayLog(t *testing.T) {
	second := decided("t", "u", "> b")
	second.Episode = "again"
	nobody := decided("t", "", "> b")
	nobody.Episode = "e"
	other := decided("t", "v", "> b")
	other.Policy = "q"
	for _, row := range []struct {
		reason string
		mode   ReplayMode
		log    []policylog.Decision
		want   string
	}{
		{"two trajectories of one user", ReplayTrajectory, []policylog.Decision{decided("t", "u", "> a"), second}, `f: user "u" has two episodes on task "t" ("" and "again"), so that there is no one trajectory; keep one of them`},
		{"which are no fault in mode policy", ReplayPolicy, []policylog.Decision{decided("t", "u", "> a"), second}, ""},
		{"nobody to replay", ReplayTrajectory, []policylog.Decision{nobody}, "f: no decision of the log names a user, so that there are no trajectories; replay it in mode policy"},
		{"which is no fault in mode policy", ReplayPolicy, []policylog.Decision{nobody}, ""},
		{"unknown users beside known ones are passed over", ReplayTrajectory, []policylog.Decision{nobody, second}, ""},
		{"two policies", ReplayPolicy, []policylog.Decision{second, other}, "f: a log of 2 policies (p, q); name one"},
		{"no policy", ReplayPolicy, nil, "f: a log of 0 policies (); name one"},
	} {
		_, err := NewReplayLog(&policylog.Log{Decisions: row.log, Source: domains.Source{Path: "f"}}, row.mode)
		if (err == nil) != (row.want == "") || err != nil && (err.Error() != row.want || !errors.Is(err, domains.ErrData)) {
			t.Errorf("%s: %v, want %q", row.reason, err, row.want)
		}
	}
	if _, err := NewReplayLog(&policylog.Log{Decisions: on("t", "u", "> a")}, "both"); err == nil {
		t.Error("a mode of nowhere is taken")
	}
}

// slow is mode policy without an index: for every step a walk through the whole log.
func slow(log []policylog.Decision, s *Setting, past []policylog.Told, asked []bool) (position int, off string) {
	left := false
	for i := range asked {
		left = left || !asked[i] && s.CanAsk(i)
	}
	if !left {
		return -1, ""
	}
	most := func(counts func(*policylog.Decision) bool) (int, bool) {
		n := make([]int, len(s.Criteria)+1) // the last: to stop
		for k := range log {
			d := &log[k]
			if d.Turn != len(past) || d.Seed != nil && *d.Seed != s.Seed || !counts(d) {
				continue
			}
			at := len(s.Criteria)
			if !d.Stop {
				at = slices.IndexFunc(s.Criteria, func(c domains.Criterion) bool { return c.ID == d.Question })
				if at < 0 || asked[at] || !s.CanAsk(at) {
					continue
				}
			}
			n[at]++
		}
		best := slices.Index(n, slices.Max(n))
		switch {
		case n[best] == 0:
			return 0, false
		case best == len(s.Criteria):
			return -1, true
		}
		return best, true
	}
	same := func(d *policylog.Decision, n int) bool {
		return slices.EqualFunc(d.History[:n], past[:n], func(a, b policylog.Told) bool { return a.Criterion == b.Criterion && a.Answer.Equal(b.Answer) })
	}
	all := len(past)
	if i, ok := most(func(d *policylog.Decision) bool { return d.Task == s.Task.ID && same(d, all) }); ok {
		return i, ""
	}
	if i, ok := most(func(d *policylog.Decision) bool { return same(d, all) }); ok {
		return i, OffLogTask
	}
	for n := all - 1; n >= 0; n-- {
		if i, ok := most(func(d *policylog.Decision) bool { return same(d, n) }); ok {
			return i, OffLogHistory
		}
	}
	return -1, OffLogHistory
}

// TestPolicyModeAgainstAWalk: the index gives what a walk through the log gives.
func TestPolicyModeAgainstAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.SampledFrom([]domains.Cell{domains.Missing(), domains.NotHeld(), domains.At(1), domains.At(2)})
		var log []policylog.Decision
		for range rapid.IntRange(1, 40).Draw(t, "episodes") {
			d := policylog.Decision{Policy: "p", Task: rapid.SampledFrom([]string{"t", "z"}).Draw(t, "task")}
			if rapid.Bool().Draw(t, "seeded") {
				seed := rapid.IntRange(0, 1).Draw(t, "seed")
				d.Seed = &seed
			}
			for turn, id := range rapid.Permutation([]string{"a", "b", "c", "d", "y"}).Draw(t, "order") {
				d.Turn, d.History = turn, slices.Clone(d.History)
				if d.Question, d.Stop = id, false; rapid.IntRange(0, 4).Draw(t, "stop") == 0 {
					d.Question, d.Stop = "", true
				}
				log = append(log, d)
				if d.Stop || rapid.IntRange(0, 5).Draw(t, "end") == 0 {
					break
				}
				d.History = append(d.History, policylog.Told{Criterion: id, Answer: cell.Draw(t, "answer")})
			}
		}
		l, err := NewReplayLog(&policylog.Log{Decisions: log}, ReplayPolicy)
		if err != nil {
			t.Fatal(err)
		}
		s := letters("t", "abcdx")
		s.Seed = rapid.IntRange(0, 2).Draw(t, "session")
		if rapid.Bool().Draw(t, "some") {
			for range s.Criteria {
				s.Askable = append(s.Askable, rapid.Bool().Draw(t, "askable"))
			}
		}
		e := Replay{Log: l}.Begin(s)
		var past []policylog.Told
		asked := make([]bool, len(s.Criteria))
		for {
			want, wantOff := slow(log, &s, past, asked)
			q, err := e.Next(context.Background())
			if errors.Is(err, ErrDone) {
				q.Position = -1
			}
			if off := e.(Logged).OffLog(); q.Position != want || off != wantOff {
				t.Fatalf("after %v: position %d off %q, the walk says %d off %q", past, q.Position, off, want, wantOff)
			}
			if want < 0 {
				return
			}
			a := cell.Draw(t, "heard")
			e.Observe(q, domains.Answer{Cell: a})
			past = append(past, policylog.Told{Criterion: s.Criteria[want].ID, Answer: a})
			asked[want] = true
		}
	})
}

// TestReplayPredicts: the predictor is told what was heard here, not what the log heard.
func TestReplayPredicts(t *testing.T) {
	l, err := NewReplayLog(&policylog.Log{Decisions: on("t", "u", "> c", "c3 > a")}, ReplayTrajectory)
	if err != nil {
		t.Fatal(err)
	}
	var seen *crystal
	r := Replay{Log: l, Predict: func(s Setting) Predictor { seen = &crystal{n: len(s.Criteria)}; return seen }}
	if got := played(t, r, letters("t", "abcd"), "12"); got != "c ah $" || fmt.Sprint(seen.seen) != "[2=1 0=2]" {
		t.Errorf("asked %s, the predictor saw %v", got, seen.seen)
	}
}

func TestReplayFromSeveralGoroutines(t *testing.T) {
	log := slices.Concat(on("t", "u", "> c", "c3 > a", "c3 a- > ."), on("t", "v", "> c", "c1 > b"), on("z", "w", "> d"))
	for _, mode := range []ReplayMode{ReplayTrajectory, ReplayPolicy} {
		l, err := NewReplayLog(&policylog.Log{Decisions: log}, mode)
		if err != nil {
			t.Fatal(err)
		}
		want := played(t, Replay{Log: l}, letters("t", "abcd"), "3-1")
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 50 {
					if got := played(t, Replay{Log: l}, letters("t", "abcd"), "3-1"); got != want {
						t.Errorf("%s: %q and %q", mode, got, want)
					}
				}
			})
		}
		wg.Wait()
	}
}

// BenchmarkReplay measures a whole session in each mode against a log of 2,000 episodes.
func BenchmarkReplay(b *testing.B) {
	var log []policylog.Decision
	for u := range 2000 {
		a := byte('1' + u%3)
		log = append(log, on("t", fmt.Sprint("u", u), "> c", fmt.Sprintf("c%c > a", a), fmt.Sprintf("c%c a- > b", a), fmt.Sprintf("c%c a- b2 > d", a))...)
	}
	for _, mode := range []ReplayMode{ReplayTrajectory, ReplayPolicy} {
		l, err := NewReplayLog(&policylog.Log{Decisions: log}, mode)
		if err != nil {
			b.Fatal(err)
		}
		s := letters("t", "abcdefghijklmnopqrstuvwxyz")
		s.User = "u7"
		b.Run(string(mode), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				played(b, Replay{Log: l}, s, "2-3")
			}
		})
	}
}
