package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pepbench/bench/llm"
	"pepbench/bench/record"
	"pepbench/domains"
	"pepbench/simusers"
)

// talking is a small run of users who answer in words and of models that ask.
const talking = "../configs/ablations/users.yaml"

// TestTalkSameBytes: whatever the concurrency, users who answer in words and models that
// ask leave equal bytes; and what they leave hangs together.
func TestTalkSameBytes(t *testing.T) {
	one, many := t.TempDir(), t.TempDir()
	p := prepare(t, talking, "concurrency=1")
	mustRun(t, p, one)
	mustRun(t, prepare(t, talking, "concurrency=16"), many)
	for _, name := range []string{record.SessionsFile, record.ManifestFile} {
		if !bytes.Equal(readFile(t, one, name), readFile(t, many, name)) {
			t.Errorf("%s: other bytes with another concurrency", name)
		}
	}
	m, err := record.ReadManifest(one)
	if err != nil {
		t.Fatal(err)
	}
	var roles []string
	for _, e := range m.Endpoints {
		roles = append(roles, e.Role)
	}
	if want := []string{roleSolver, roleJudge, roleCorrectness, roleUser, roleInterpreter, roleAsker}; !slices.Equal(roles, want) {
		t.Errorf("roles %v, want %v", roles, want)
	}
	if len(m.Prompts) != 7 { // solver, judge, correctness, user, answer, question, asker
		t.Errorf("prompts %v", m.Prompts)
	}
	done := map[string]int{}
	var audited, audits, rules, models, counterfactuals, other int
	for _, s := range sessions(t, one) {
		for _, c := range s.Calls {
			done[c.Role] += c.Calls
			if c.Unread != nil {
				t.Errorf("%s: %s could not be read: %v", s.ID, c.Role, c.Unread)
			}
		}
		asks := strings.HasPrefix(s.Strategy, "asker")
		for i, turn := range s.Turns {
			if turn.Said == "" || asks != (turn.Asked != "") {
				t.Errorf("%s, turn %d: said %q, asked %q", s.ID, i+1, turn.Said, turn.Asked)
			}
			if turn.Question < 0 {
				other++
				if !asks || !turn.Answer.IsMissing() || turn.State != "" || turn.By != "" || turn.Again != nil || turn.Counterfactual != nil {
					t.Errorf("%s, turn %d about no criterion: %+v", s.ID, i+1, turn)
				}
				continue
			}
			if !turn.Answer.Equal(s.Truth.Cells[turn.Question]) {
				t.Errorf("%s, turn %d: %q is understood as %v, the profile says %v", s.ID, i+1, turn.Said, turn.Answer, s.Truth.Cells[turn.Question])
			}
			if (turn.State == record.StateIndifferent) != turn.Answer.IsNotHeld() {
				t.Errorf("%s, turn %d: state %q, answer %v", s.ID, i+1, turn.State, turn.Answer)
			}
			if want := p.Experiment.audits(s.ID, i); len(turn.Again) != want {
				t.Errorf("%s, turn %d: put again %d times, want %d", s.ID, i+1, len(turn.Again), want)
			}
			audits++
			if turn.Again != nil {
				audited++
			}
			switch turn.By {
			case "rule":
				rules++
			case "model":
				models++
			default:
				t.Errorf("%s, turn %d: made out by %q", s.ID, i+1, turn.By)
			}
			if turn.Counterfactual != nil {
				counterfactuals++
			} else if i < len(s.Turns)-1 {
				t.Errorf("%s, turn %d: no counterfactual", s.ID, i+1)
			}
		}
	}
	if share := float64(audited) / float64(audits); share < 0.1 || share > 0.3 {
		t.Errorf("%d of %d questions are audited, the share asked for is 0.2", audited, audits)
	}
	if rules == 0 || models == 0 || counterfactuals == 0 || other == 0 {
		t.Errorf("%d answers by rule, %d by model, %d counterfactuals, %d questions about nothing: something was not tested", rules, models, counterfactuals, other)
	}
	for role, most := range map[string]int{roleUser: m.Planned.User, roleInterpreter: m.Planned.Interpreter, roleAsker: m.Planned.Asker, roleSolver: m.Planned.Solver} {
		if n := done[role]; n == 0 || n > most {
			t.Errorf("%s: %d calls, planned at most %d", role, n, most)
		}
	}
}

// TestTalkWithoutSolver: with the profile solver, which needs no model, the roles of the
// dialogue are the only ones.
func TestTalkWithoutSolver(t *testing.T) {
	for _, row := range []struct {
		reason string
		sets   []string
		want   []string
	}{
		{"exact users", []string{"users={kind: exact}"}, []string{roleInterpreter, roleAsker}},
		{"verbal users, nobody asks", []string{"strategies=[{name: static, kind: static, order: listing}]", "report={resamples: 20}"}, []string{roleUser, roleInterpreter}},
		{"both", nil, []string{roleUser, roleInterpreter, roleAsker}},
		{"neither", []string{"users={kind: exact}", "strategies=[{name: static, kind: static, order: listing}]", "report={resamples: 20}"}, nil},
	} {
		p := prepare(t, talking, append([]string{"solver={kind: profile}", "judge={kind: profile}"}, row.sets...)...)
		if got := p.Experiment.rolesUsed(); !slices.Equal(got, row.want) {
			t.Errorf("%s: roles %v, want %v", row.reason, got, row.want)
		}
		dry := p.DryRun()
		if none := strings.Contains(dry, "no model takes part"); none != (row.want == nil) {
			t.Errorf("%s: dry run says\n%s", row.reason, dry)
		}
		dir := t.TempDir()
		if o := mustRun(t, p, dir); o.Ran == 0 || o.Failed != 0 {
			t.Errorf("%s: %+v", row.reason, o)
		}
		if row.reason != "exact users" {
			continue
		}
		for _, s := range sessions(t, dir) {
			for _, turn := range s.Turns {
				if turn.Said != "" || turn.State != "" || turn.Question >= 0 && !turn.Answer.Equal(s.Truth.Cells[turn.Question]) || turn.Question < 0 && !turn.Answer.IsMissing() {
					t.Errorf("%s: an exact user says %+v", s.ID, turn)
				}
			}
		}
	}
}

// played runs every session of a plan with models of one's own.
func played(t *testing.T, p *Plan, clients map[string]llm.Client) []*record.Session {
	t.Helper()
	w := wire(t, p)
	r := &runner{plan: p, solver: w.roles.solver, judge: w.roles.judge, judgeID: w.roles.judgeID, clients: map[string]llm.Client{}}
	for _, role := range p.Experiment.rolesUsed() {
		c := clients[role]
		if c == nil {
			c = w.roles.clients[role]
		}
		r.clients[role] = (&llm.Meter{Role: role}).Wrap(c)
	}
	var out []*record.Session
	for _, k := range p.sessions {
		s, err := r.session(context.Background(), k)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// TestTalkKeepsTheBarriers listens on the wire: the models that ask and that interpret
// are told nothing of the profile but what the user said; the user is told its own
// profile and nobody else's.
func TestTalkKeepsTheBarriers(t *testing.T) {
	for _, users := range []string{"{kind: collaborative, audit: 0}", "{kind: exact}"} {
		p := prepare(t, talking, "users="+users, "solver={kind: profile}", "judge={kind: profile}")
		w := wire(t, p)
		hear := map[string]*eavesdrop{}
		r := &runner{plan: p, solver: w.roles.solver, judge: w.roles.judge, judgeID: w.roles.judgeID, clients: map[string]llm.Client{}}
		for role, c := range w.roles.clients {
			hear[role] = &eavesdrop{next: c}
			r.clients[role] = hear[role]
		}
		asked, interpreted := 0, 0
		for _, k := range p.sessions {
			for _, e := range hear {
				e.seen = nil
			}
			s, err := r.session(context.Background(), k)
			if err != nil {
				t.Fatal(err)
			}
			prof := &p.Data.Profiles[k.profile]
			own := p.Data.Users[prof.User]
			criteria := p.Data.CriteriaOf(prof.Task)
			heard := map[string]bool{"That makes no difference to me.": true, "(no answer)": true}
			for _, turn := range s.Turns {
				heard[turn.Said] = true
			}
			for _, q := range hear[roleAsker].requests() {
				asked++
				text := q.System + q.User
				for line := range strings.SplitSeq(q.User, "\n") {
					if said, ok := strings.CutPrefix(line, "Heard: "); ok {
						text = strings.Replace(text, line, "", 1)
						if users == "{kind: exact}" || heard[said] {
							continue
						}
						// A fork is told the middle level or that it makes no difference.
						if !slices.ContainsFunc(criteria, func(c domains.Criterion) bool { return c.Levels[2].Text == said }) {
							t.Fatalf("%s: the asker hears %q, which nobody said", s.ID, said)
						}
					}
				}
				silent(t, s.ID, "asker", text, own, criteria)
			}
			for _, q := range hear[roleInterpreter].requests() {
				interpreted++
				if strings.Contains(q.User, own.Persona) || strings.Contains(q.User, own.ID) {
					t.Fatalf("%s: the interpreter is told who the user is:\n%s", s.ID, q.User)
				}
				if _, rest, ok := strings.Cut(q.User, "\n<<<\n"); ok {
					said, _, _ := strings.Cut(rest, "\n>>>\n")
					if !heard[said] {
						t.Fatalf("%s: the interpreter reads %q, which nobody said", s.ID, said)
					}
				}
			}
			for _, q := range hear[roleUser].requests() {
				if strings.Contains(q.User, s.Strategy) || !strings.Contains(q.User, own.Persona) {
					t.Fatalf("%s: the user is told\n%s", s.ID, q.User)
				}
				for i := range criteria {
					if bullet := "- " + criteria[i].Name + ": "; strings.Contains(q.User, bullet) != prof.Cells[i].IsHeld() {
						t.Fatalf("%s: the user is told, or not told, of %s (%v):\n%s", s.ID, criteria[i].Name, prof.Cells[i], q.User)
					}
				}
			}
		}
		if asked == 0 || interpreted == 0 {
			t.Errorf("%s: %d requests of the asker, %d of the interpreter: nothing was tested", users, asked, interpreted)
		}
	}
}

// requests are those that passed; none of a role that does not take part.
func (e *eavesdrop) requests() []llm.Request {
	if e == nil {
		return nil
	}
	return e.seen
}

// silent fails where a text tells of a user, or of an amount.
func silent(t *testing.T, session, role, text string, u domains.User, criteria []domains.Criterion) {
	t.Helper()
	if u.Persona != "" && strings.Contains(text, u.Persona) || strings.Contains(text, u.ID) {
		t.Fatalf("%s: the %s is told who the user is:\n%s", session, role, text)
	}
	for i := range criteria {
		for _, l := range criteria[i].Levels {
			if strings.Contains(text, l.Text) {
				t.Fatalf("%s: the %s is told %q, which nobody said:\n%s", session, role, l.Text, text)
			}
		}
	}
}

// bare takes out of sessions what an audit, or a user who tells more, may change.
func bare(t *testing.T, list []record.Session) string {
	t.Helper()
	for i := range list {
		list[i].Calls = nil
		for j := range list[i].Turns {
			turn := &list[i].Turns[j]
			turn.Again, turn.Said, turn.By, turn.Volunteered = nil, "", "", nil
		}
	}
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestNothingReachesTheStrategy: neither an audit nor what a user tells without being
// asked changes a question, an inference or a score of a strategy that reads no words.
func TestNothingReachesTheStrategy(t *testing.T) {
	run := func(users string) ([]record.Session, int, int) {
		dir := t.TempDir()
		mustRun(t, prepare(t, talking, "users="+users, "strategies=[{name: static, kind: static, order: prior-value, predict: latent}, {name: pep, kind: pep, belief: latent, acquisition: profile-ig, predict: latent}]"), dir)
		list, again, told := sessions(t, dir), 0, 0
		for _, s := range list {
			for _, turn := range s.Turns {
				again += len(turn.Again)
				told += len(turn.Volunteered)
			}
		}
		return list, again, told
	}
	plain, again, told := run("{kind: passive-nostop, audit: 0}")
	if again != 0 || told != 0 {
		t.Errorf("no audit: %d answers put again; passive: %d told unasked", again, told)
	}
	audited, again, _ := run("{kind: passive-nostop, audit: 1, again: 2}")
	turns := 0
	for _, s := range audited {
		turns += len(s.Turns)
	}
	if again != 2*turns {
		t.Errorf("%d of %d questions put again twice gives %d answers", turns, turns, again)
	}
	open, _, told := run("{kind: collaborative, audit: 0}")
	if told == 0 {
		t.Error("a collaborative user tells nothing unasked")
	}
	want := bare(t, plain)
	if bare(t, audited) != want {
		t.Error("an audit changes what happens")
	}
	if bare(t, open) != want {
		t.Error("what a user tells unasked changes what happens")
	}
}

// reply is a model that always says the same, or fails.
func reply(text string, err error) llm.Client {
	return llm.ClientFunc(func(context.Context, llm.Request) (llm.Reply, error) {
		return llm.Reply{Content: text, Finish: "stop", Attempts: 1}, err
	})
}

// TestTalkGoesWrong: what cannot be read is a state with its reason, and what fails is
// an error of its session; nothing is made up.
func TestTalkGoesWrong(t *testing.T) {
	one := []string{"solver={kind: profile}", "judge={kind: profile}", "report={resamples: 20}"}
	plans := map[string]*Plan{}
	for _, kind := range []string{"{name: static, kind: static, order: listing, predict: [answers, latent]}", "{name: asker, kind: asker, predict: [answers, latent]}"} {
		p := prepare(t, talking, append([]string{"strategies=[" + kind + "]", "split.test_ids=[med02, med05]"}, one...)...)
		plans[p.rows[0].Base] = p
	}
	for _, row := range []struct {
		reason, strategy string
		clients          map[string]llm.Client
		state, stop      string
		turns            int
		failed           bool
		unread           string // role with reasons
	}{
		{"a user who cannot be read", "static", map[string]llm.Client{roleUser: reply("A lot.", nil)}, record.StateUnread, record.StopBudget, 5, false, roleUser},
		{"an interpreter who cannot be read", "static", map[string]llm.Client{roleUser: reply(`{"response": "Perhaps."}`, nil), roleInterpreter: reply("Perhaps.", nil)}, record.StateUnread, record.StopBudget, 5, false, roleInterpreter},
		{"beside the point", "static", map[string]llm.Client{roleUser: reply(`{"response": "Perhaps."}`, nil), roleInterpreter: reply(`{"held": null, "level": null, "stop": false}`, nil)}, record.StateAside, record.StopBudget, 5, false, ""},
		{"held, nobody knows how much", "static", map[string]llm.Client{roleUser: reply(`{"response": "Perhaps."}`, nil), roleInterpreter: reply(`{"held": true, "level": null}`, nil)}, record.StateAside, record.StopBudget, 5, false, ""},
		{"a user who stops at once", "static", map[string]llm.Client{roleUser: reply(`{"response": "", "stop": true}`, nil)}, record.StateStop, record.StopUser, 1, false, ""},
		{"a user whose server fails for now", "static", map[string]llm.Client{roleUser: reply("", fmt.Errorf("down: %w", llm.ErrTransient))}, "", record.StopError, 0, true, ""},
		{"an interpreter whose server fails for now", "static", map[string]llm.Client{roleUser: reply(`{"response": "Perhaps."}`, nil), roleInterpreter: reply("", fmt.Errorf("down: %w", llm.ErrTransient))}, "", record.StopError, 0, true, ""},
		{"an asker who cannot be read", "asker", map[string]llm.Client{roleAsker: reply("Why?", nil)}, "", record.StopUnread, 0, false, roleAsker},
		{"an asker whose server fails for now", "asker", map[string]llm.Client{roleAsker: reply("", fmt.Errorf("down: %w", llm.ErrTransient))}, "", record.StopError, 0, true, ""},
		{"an asker who asks one thing for ever", "asker", map[string]llm.Client{roleAsker: reply(`{"action": "ask", "text": "What is your name?"}`, nil)}, "", record.StopBudget, 5, false, ""},
		{"an asker who asks nothing", "asker", map[string]llm.Client{roleAsker: reply(`{"action": "answer", "text": ""}`, nil)}, "", record.StopDone, 0, false, ""},
	} {
		for _, s := range played(t, plans[row.strategy], row.clients) {
			if s.Stop != row.stop || len(s.Turns) != row.turns || (s.Error != "") != row.failed || (s.Checkpoints == nil) != row.failed {
				t.Fatalf("%s: %s: stop %q after %d questions, error %q", row.reason, s.ID, s.Stop, len(s.Turns), s.Error)
			}
			for _, turn := range s.Turns {
				if turn.State != row.state || !turn.Answer.IsMissing() {
					t.Fatalf("%s: %s: %+v", row.reason, s.ID, turn)
				}
			}
			for _, c := range s.Calls {
				if (c.Unread != nil) != (c.Role == row.unread) {
					t.Errorf("%s: %s: %+v", row.reason, s.ID, c)
				}
			}
			if !row.failed && s.Strategy == "static+latent" { // what teaches nothing changes nothing
				if got, want := s.Inference(5), s.Prior; !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %s: nothing was told, and the inference moved", row.reason, s.ID)
				}
			}
		}
	}
	p := prepare(t, talking, one...)
	w := wire(t, p)
	for _, role := range []string{roleUser, roleInterpreter, roleAsker} {
		clients := map[string]llm.Client{roleUser: reply(`{"response": "Perhaps."}`, nil), roleInterpreter: w.roles.clients[roleInterpreter], roleAsker: w.roles.clients[roleAsker]}
		clients[role] = reply("", fmt.Errorf("wrong key: %w", llm.ErrUnusable))
		r := &runner{plan: p, solver: w.roles.solver, judge: w.roles.judge, clients: clients}
		at := slices.IndexFunc(p.sessions, func(k sessionKey) bool { return p.rows[k.row].Kind == askerKind })
		if _, err := r.session(context.Background(), p.sessions[at]); !errors.Is(err, llm.ErrUnusable) {
			t.Errorf("%s is unusable: %v", role, err)
		}
	}
}

// TestAskerCounterfactuals: a fork is asked, once a turn, what another answer would have
// led to, and the dialogue does not notice.
func TestAskerCounterfactuals(t *testing.T) {
	// It asks about the first criterion, then by what it heard: of the second one after
	// "no difference", about nothing after an amount, and then no more.
	asks := func(p *Plan) llm.Client {
		return llm.ClientFunc(func(_ context.Context, r llm.Request) (llm.Reply, error) {
			ask := func(q string) (llm.Reply, error) {
				b, err := json.Marshal(map[string]string{"action": "ask", "text": q})
				return llm.Reply{Content: string(b), Finish: "stop", Attempts: 1}, err
			}
			var listed []string
			for line := range strings.SplitSeq(r.User, "\n") {
				if _, q, ok := strings.Cut(line, ": "); ok && strings.HasPrefix(line, "- ") {
					listed = append(listed, q)
				}
			}
			switch heard := strings.Count(r.User, "Heard: "); {
			case heard == 0:
				return ask(listed[0])
			case heard == 1 && strings.Contains(r.User, "Heard: That makes no difference"):
				return ask(listed[1])
			case heard == 1:
				return ask("Who are you?")
			}
			return llm.Reply{Content: `{"action": "answer", "text": ""}`, Finish: "stop", Attempts: 1}, nil
		})
	}
	p := prepare(t, talking, "users={kind: exact}", "solver={kind: profile}", "judge={kind: profile}", "strategies=[{name: asker, kind: asker}]", "report={resamples: 20}", "split.users_per_task=3")
	held, not := 0, 0
	for _, s := range played(t, p, map[string]llm.Client{roleAsker: asks(p)}) {
		if len(s.Turns) != 2 || s.Turns[0].Question != 0 || s.Turns[0].Counterfactual == nil || s.Turns[1].Counterfactual != nil || s.Stop != record.StopDone {
			t.Fatalf("%s: %+v", s.ID, s.Turns)
		}
		c := *s.Turns[0].Counterfactual
		if s.Turns[0].Answer.IsHeld() {
			held++
			if s.Turns[1].Question != -1 || !c.Answer.IsNotHeld() || c.Next != 1 {
				t.Errorf("%s: held, goes on with %d; otherwise %+v", s.ID, s.Turns[1].Question, c)
			}
		} else {
			not++
			if s.Turns[1].Question != 1 || !c.Answer.IsHeld() || c.Next != record.NextOther {
				t.Errorf("%s: not held, goes on with %d; otherwise %+v", s.ID, s.Turns[1].Question, c)
			}
		}
		for _, c := range s.Calls {
			if c.Role == roleAsker && c.Calls != 4 { // three in the dialogue, one of a fork
				t.Errorf("%s: %d calls of the asker", s.ID, c.Calls)
			}
		}
	}
	if held == 0 || not == 0 {
		t.Errorf("%d held, %d not held: one of the two was not tested", held, not)
	}
}

// TestAskerMeetsNobodyElse: it cannot interview a person, and nothing is chosen by it.
func TestAskerMeetsNobodyElse(t *testing.T) {
	p := prepare(t, talking)
	if _, err := p.Interview("asker", ""); !errors.Is(err, ErrConfig) {
		t.Errorf("an interview by a model: %v", err)
	}
	for i, r := range p.rows {
		v, err := p.devAlignment(context.Background(), i)
		if err != nil || (v == nil) != (r.Kind == askerKind) {
			t.Errorf("%s: on dev %v, %v", r.Name, v, err)
		}
	}
}

// TestSilenceTeachesNothing: whatever a strategy asks by, answers that are missing leave
// its belief where it was, and it goes on.
func TestSilenceTeachesNothing(t *testing.T) {
	var beliefs, strategies []string
	for _, b := range []string{"latent-class, classes: [2], restarts: 1", "independent", "factor, dims: [1], iterations: 3", "graded, dims: [1], restarts: 1, iterations: 3", "mixture-of-factors, classes: [1], dims: [0], iterations: 3", "blr, dims: [1]", "naive-bayes", "item-cf", "item-cf-value", "hybrid", "logistic-cf", "bayesian-cf"} {
		kind, _, _ := strings.Cut(b, ",")
		beliefs = append(beliefs, fmt.Sprintf("%s: {kind: %s}", kind, b))
		for _, a := range []string{"random", "uncertainty", "greedy-ev", "binary-ig", "profile-ig", "latent-ig", "variance", "alignment-gain"} {
			strategies = append(strategies, fmt.Sprintf("{name: %s-%s, kind: pep, belief: %s, acquisition: %s, predict: %s}", kind, a, kind, a, kind))
		}
		strategies = append(strategies, fmt.Sprintf("{name: %s-two, kind: pep, belief: %s, acquisition: alignment-gain, lookahead: 2, predict: %s}", kind, kind, kind))
	}
	p := prepare(t, "../configs/medical.yaml", "domain={kind: builtin, name: medical, users: 60}", "solver={kind: profile}", "judge={kind: profile}", "undefined=skip", "report={resamples: 20}", "horizon=3", "budget=3",
		"beliefs={"+strings.Join(beliefs, ", ")+"}", "strategies=["+strings.Join(strategies, ", ")+"]")
	r := &runner{plan: p}
	seen := map[string]bool{}
	for _, k := range p.sessions {
		row := &p.rows[k.row]
		if seen[row.Name] {
			continue
		}
		seen[row.Name] = true
		set := p.setting(k)
		e := row.strategies[k.fold].Begin(set)
		prior := e.Infer()
		rec := &record.Session{ID: k.id}
		inferences := []domains.Inference{prior}
		if err := r.dialogue(context.Background(), rec, &set, e, mute{}, &inferences); err != nil {
			t.Fatal(err)
		}
		if len(rec.Turns) != 3 || rec.Stop != record.StopBudget {
			t.Errorf("%s: %d questions, stop %q", row.Name, len(rec.Turns), rec.Stop)
		}
		for n, inf := range inferences {
			if !reflect.DeepEqual(record.NewInference(inf), record.NewInference(prior)) {
				t.Errorf("%s: after %d questions without an answer it infers something else", row.Name, n)
				break
			}
		}
	}
	if len(seen) < 60 {
		t.Errorf("%d ways to ask were tested", len(seen))
	}
}

// mute has nothing to say.
type mute struct{}

func (mute) Answer(context.Context, domains.Question) (domains.Answer, error) {
	return domains.Answer{Cell: domains.Missing()}, nil
}

var _ simusers.User = mute{}
