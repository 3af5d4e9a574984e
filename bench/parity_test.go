package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pepbench/domains"
	"pepbench/strategies"
	"pepbench/strategies/belief/parity"
)

// TestParitySessions: configs/released.yaml asks what the released code asked, session
// by session: after equal questions the next one is the reference's wherever its score
// led by more than rounding. Where it did not, either choice is right and the rest of a
// session that went another way is not compared.
func TestParitySessions(t *testing.T) {
	folder := os.Getenv(parity.Variable)
	if folder == "" {
		folder = "../strategies/belief/testdata/parity"
	}
	ref, err := parity.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := ref.Asked()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, ref.Dataset+".jsonl*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("data of %s: %v, %v", folder, files, err)
	}
	tests := make([]string, len(ref.TestProblems))
	for i, p := range ref.TestProblems {
		tests[i] = "problem_" + p
	}
	e, err := Load("../configs/released.yaml", []string{"domain.path=" + files[0], "split.test_ids=[" + strings.Join(tests, ", ") + "]"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Prepare(context.Background(), e, nil)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{
		"Prior": "prior", "Naive Bayes": "naive-bayes", "Item CF": "item-cf", "Item CF + Value": "item-cf-value",
		"Hybrid NB+CF": "hybrid", "Logistic CF": "logistic-cf", "Bayesian CF": "bayesian-cf",
		"Uncertainty": "uncertainty", "Fixed": "fixed", "Greedy EV": "greedy-ev", "Binary IG": "binary-ig",
	}
	keys := map[string]sessionKey{} // by strategy, problem and persona
	for _, k := range p.sessions {
		prof := &p.Data.Profiles[k.profile]
		keys[p.rows[k.row].Base+" "+p.Data.Tasks[prof.Task].ID+" "+p.Data.Users[prof.User].ID] = k
	}
	compared, ties := 0, 0
	for i := range rows {
		r := &rows[i]
		name := kinds[r.Model] + "-" + kinds[r.Strategy]
		prof, err := ref.Profile(r.Problem)
		if err != nil {
			t.Fatal(err)
		}
		k, ok := keys[name+" "+ref.Data.Tasks[prof.Task].ID+" "+ref.Data.Users[prof.User].ID]
		if !ok {
			t.Fatalf("%s, %s, %s: the plan has no such session", r.Model, r.Strategy, r.Problem)
		}
		got, err := p.dialogueOf(k)
		if err != nil {
			t.Fatal(err)
		}
		for at, q := range r.Asked {
			if slices.Contains(r.Asked[:at], q) {
				break // fewer criteria than questions: the reference repeats itself, we stop
			}
			if at < len(got) && got[at] == q {
				compared++
				continue
			}
			if r.Decided(at) {
				t.Errorf("%s, %s, %s: question %d of %q is not in %q", r.Model, r.Strategy, r.Problem, at+1, r.Asked, got)
			} else {
				ties++
			}
			break
		}
	}
	t.Logf("%d questions of %d sessions are the reference's; %d sessions part from it at a tie", compared, len(rows), ties)
	if len(rows) == 0 || compared < len(rows) {
		t.Errorf("%d questions of %d sessions compared", compared, len(rows))
	}
}

// dialogueOf asks the questions of a session and nothing else, and names the criteria.
func (p *Plan) dialogueOf(k sessionKey) (asked []string, err error) {
	prof, set := &p.Data.Profiles[k.profile], p.setting(k)
	e := p.rows[k.row].strategies[k.fold].Begin(set)
	for len(asked) < set.Budget {
		q, err := e.Next(context.Background())
		if errors.Is(err, strategies.ErrDone) {
			break
		}
		if err != nil {
			return nil, err
		}
		asked = append(asked, set.Criteria[q.Position].Name)
		e.Observe(q, domains.Answer{Cell: prof.Cells[q.Position]})
	}
	return asked, nil
}
