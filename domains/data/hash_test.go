package data

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"pepbench/domains"
)

var update = flag.Bool("update", false, "rewrite testdata/hashes.golden")

const golden = "testdata/hashes.golden"

// TestHashes pins the built-in data. The hashes were written before any result on
// the data was looked at. A change of one of them needs a new Version and a reason
// that is not a result; only then run
//
//	go test ./domains/data -run TestHashes -update
func TestHashes(t *testing.T) {
	var got strings.Builder
	fmt.Fprintf(&got, "version %s\n", Version)
	d := mustOpen(t, Names()[0])
	fmt.Fprintf(&got, "personas %s\n", digestOf(func(w *strings.Builder) {
		for _, p := range d.personas {
			line(w, "persona", p.id, p.text)
			for a := range d.nAttr {
				line(w, d.world.names[a], d.world.values[a][p.state[a]])
			}
		}
	}))
	for _, name := range Names() {
		ds := load(t, name, DefaultOptions())
		fmt.Fprintf(&got, "%s %s\n", name, digestOf(func(w *strings.Builder) { dump(w, ds) }))
	}
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the built-in data are not those of %s; a change needs a new data version and a reason that is not a result\n got\n%swant\n%s", golden, got.String(), want)
	}
}

// dump writes everything of a data set that a user, a strategy, a solver or a
// judge may meet, one quoted fact a line.
func dump(w *strings.Builder, ds *domains.Dataset) {
	line(w, "data", ds.Name, ds.Version, string(ds.Rubric))
	for _, c := range ds.Criteria {
		line(w, "criterion", c.ID, c.Name, c.Description, c.Question, c.Scale.String())
		for _, l := range c.Levels {
			line(w, "level", fmt.Sprintf("%.9f", l.Value), l.Text)
		}
	}
	for _, k := range ds.Tasks {
		line(w, "task", k.ID, k.Prompt, k.Answer, fmt.Sprint(k.Criteria))
		for _, o := range k.Options {
			line(w, "option", o.Label, o.Text)
		}
	}
	for _, u := range ds.Users {
		line(w, "user", u.ID, u.Persona)
	}
	for i := range ds.Profiles {
		p := &ds.Profiles[i]
		line(w, "profile", ds.Tasks[p.Task].ID, ds.Users[p.User].ID)
		for j, c := range p.Cells {
			if !c.IsNotHeld() {
				line(w, ds.Criteria[ds.Tasks[p.Task].Criteria[j]].ID, c.String(), fmt.Sprintf("%.9f", p.Weight(j)))
			}
		}
	}
}

func line(w *strings.Builder, parts ...string) {
	for _, p := range parts {
		fmt.Fprintf(w, "%q ", p)
	}
	w.WriteByte('\n')
}

func digestOf(write func(*strings.Builder)) string {
	var b strings.Builder
	write(&b)
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}
