package bench

import (
	"fmt"
	"path/filepath"
	"slices"

	"pepbench/domains"
	"pepbench/domains/data"
	"pepbench/domains/prefdisco"
	"pepbench/domains/survey"
)

func init() {
	domainKinds.add("builtin", func() DomainKind { return &builtin{Structure: 1} })
	domainKinds.add("prefdisco", func() DomainKind { return &releasedFile{Rubric: domains.Quality} })
	domainKinds.add("survey", func() DomainKind { return &surveyFolder{} })
}

// A DomainKind says where the data comes from.
type DomainKind interface {
	Load() (*domains.Dataset, error)
}

// builtin is one of the four domains that ship with the program.
type builtin struct {
	Name      string  `yaml:"name" json:"name"`
	Structure float64 `yaml:"structure" json:"structure"` // 1: full; 0: criteria independent
	Users     int     `yaml:"users" json:"users"`         // 0: the library's own number
	Seed      uint64  `yaml:"seed" json:"seed"`
}

func (b *builtin) check() error {
	switch {
	case !slices.Contains(data.Names(), b.Name):
		return fmt.Errorf("no built-in domain %q; there are %v", b.Name, data.Names())
	case !share(b.Structure):
		return fmt.Errorf("structure %v is not between 0 and 1", b.Structure)
	case b.Users < 0:
		return fmt.Errorf("users %d is negative", b.Users)
	}
	return nil
}

// Load implements DomainKind.
func (b *builtin) Load() (*domains.Dataset, error) {
	opt := data.DefaultOptions()
	opt.Structure = b.Structure
	if b.Users > 0 {
		opt.Users = b.Users
	}
	if b.Seed > 0 {
		opt.Seed = b.Seed
	}
	return data.Load(b.Name, opt)
}

// releasedFile is a file in the released benchmark's format.
type releasedFile struct {
	Path   string             `yaml:"path" json:"path"`
	Rubric domains.RubricKind `yaml:"rubric" json:"rubric"`
	Name   string             `yaml:"name" json:"name"`
	// Compat "released" computes beliefs, choices and measures as the released code
	// does, to the last decision.
	Compat string `yaml:"compat" json:"compat,omitempty"`
}

const compatReleased = "released"

func (r *releasedFile) compat() string { return r.Compat }

func (r *releasedFile) check() error {
	if r.Compat != "" && r.Compat != compatReleased {
		return fmt.Errorf("compat %q: give %s, or leave it out", r.Compat, compatReleased)
	}
	if r.Rubric != domains.Quality && r.Rubric != domains.Amount {
		return fmt.Errorf("rubric %q is neither quality nor amount", r.Rubric)
	}
	return nil
}

var errNoPath = &domains.DataError{What: "domain.path is empty", Mend: "name the data, for example --set domain.path=FILE"}

// Load implements DomainKind.
func (r *releasedFile) Load() (*domains.Dataset, error) {
	if r.Path == "" {
		return nil, errNoPath
	}
	return prefdisco.Load(filepath.FromSlash(r.Path), prefdisco.Options{Rubric: r.Rubric, Name: r.Name})
}

// surveyFolder is a folder with profiles.csv and dims.csv.
type surveyFolder struct {
	Path string `yaml:"path" json:"path"`
	Name string `yaml:"name" json:"name"`
}

// Load implements DomainKind.
func (s *surveyFolder) Load() (*domains.Dataset, error) {
	if s.Path == "" {
		return nil, errNoPath
	}
	return survey.Load(filepath.FromSlash(s.Path), survey.Options{Name: s.Name})
}
