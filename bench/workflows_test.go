package bench

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestWorkflows: what the workflow files run exists here, and what they keep is what
// `make regress` writes.
func TestWorkflows(t *testing.T) {
	read := func(name string) string {
		return string(readFile(t, "..", filepath.FromSlash(name)))
	}
	makefile := read("Makefile")
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z-]*):`).FindAllStringSubmatch(makefile, -1) {
		targets[m[1]] = true
	}
	written := regexp.MustCompile(`--(?:junit|markdown) \$\(REGRESS\)/(\S+)`).FindAllStringSubmatch(makefile, -1)
	if len(written) != 2 || !strings.Contains(makefile, "\nREGRESS := results/regress\n") {
		t.Fatalf("make regress writes %q", written)
	}

	type step struct {
		Name, Uses, Run, If string
		With                map[string]string
	}
	var github struct {
		Name        string
		On          map[string]any
		Permissions map[string]string
		Jobs        map[string]struct {
			RunsOn  string `yaml:"runs-on"`
			Timeout int    `yaml:"timeout-minutes"`
			Steps   []step
		}
	}
	type job struct {
		Stage, Timeout string
		Needs          []string
		Script         []string
		Artifacts      struct {
			When     string
			ExpireIn string `yaml:"expire_in"`
			Paths    []string
			Reports  map[string]string
		}
	}
	var gitlab struct {
		Image  string
		Stages []string
		Jobs   map[string]job `yaml:",inline"`
	}
	strict := func(name string, into any) {
		dec := yaml.NewDecoder(strings.NewReader(read(name)))
		dec.KnownFields(true)
		if err := dec.Decode(into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	strict(".github/workflows/ci.yml", &github)
	strict(".gitlab-ci.yml", &gitlab)

	ran := map[string][]string{}
	kept := map[string][]string{}
	for name, j := range github.Jobs {
		if j.RunsOn == "" || j.Timeout == 0 {
			t.Errorf("ci.yml: %s has no runner or no time limit", name)
		}
		for _, s := range j.Steps {
			switch {
			case (s.Uses == "") == (s.Run == ""):
				t.Errorf("ci.yml: %+v runs a command or uses an action, and not both", s)
			case s.Uses != "" && !regexp.MustCompile(`^actions/[a-z-]+@v[0-9]+$`).MatchString(s.Uses):
				t.Errorf("ci.yml: %s is not pinned to a major version", s.Uses)
			case strings.HasPrefix(s.Uses, "actions/upload-artifact@"):
				kept["ci.yml"] = strings.Fields(s.With["path"])
				if !strings.Contains(s.If, "!cancelled()") {
					t.Errorf("ci.yml: %s keeps nothing of what failed: if is %q", s.Uses, s.If)
				}
			}
			if f := s.With["go-version-file"]; f != "" {
				read(f)
			}
			if s.Run != "" {
				ran["ci.yml"] = append(ran["ci.yml"], s.Run)
			}
		}
	}
	for name, j := range gitlab.Jobs {
		if !slices.Contains(gitlab.Stages, j.Stage) || len(j.Script) == 0 {
			t.Errorf(".gitlab-ci.yml: %s is of no stage, or runs nothing", name)
		}
		ran[".gitlab-ci.yml"] = append(ran[".gitlab-ci.yml"], j.Script...)
		if j.Artifacts.When == "always" {
			kept[".gitlab-ci.yml"] = append(kept[".gitlab-ci.yml"], j.Artifacts.Paths...)
			if got := j.Artifacts.Reports["junit"]; got != "results/regress/"+written[0][1] {
				t.Errorf(".gitlab-ci.yml: JUnit is read from %q", got)
			}
		}
	}
	for _, file := range []string{"ci.yml", ".gitlab-ci.yml"} {
		for _, w := range written {
			if !slices.Contains(kept[file], "results/regress/"+w[1]) {
				t.Errorf("%s keeps %v and not %s", file, kept[file], w[1])
			}
		}
		for _, must := range []string{".ci/run", "make regress"} {
			if !slices.Contains(ran[file], must) {
				t.Errorf("%s runs %q and not %s", file, ran[file], must)
			}
		}
		for _, command := range ran[file] {
			words := strings.Fields(command)
			switch {
			case words[0] == "make":
				for _, w := range words[1:] {
					if !targets[w] {
						t.Errorf("%s: make has no target %s", file, w)
					}
				}
			case strings.HasPrefix(words[0], ".") || strings.Contains(words[0], "/"):
				if info, err := os.Stat(filepath.Join("..", words[0])); err != nil || info.Mode()&0o111 == 0 {
					t.Errorf("%s: %s cannot be run: %v", file, words[0], err)
				}
			case words[0] == "cat":
				if !slices.ContainsFunc(written, func(w []string) bool { return words[1] == "results/regress/"+w[1] }) {
					t.Errorf("%s: %s is written by nothing", file, words[1])
				}
			default:
				t.Errorf("%s: %q is a command that this test does not know", file, command)
			}
		}
	}
	if want := "golang:" + regexp.MustCompile(`(?m)^go (1\.[0-9]+)`).FindStringSubmatch(read("go.mod"))[1]; gitlab.Image != want {
		t.Errorf(".gitlab-ci.yml: image %s, go.mod wants %s", gitlab.Image, want)
	}
}
