package prefdisco

import (
	"pepbench/domains"
)

// Options says what the file itself does not.
type Options struct {
	// Rubric is domains.Quality (also when empty) or domains.Amount.
	Rubric domains.RubricKind
	// Name of the data set; empty: the file's name without its endings.
	Name string
}

// Load reads the file.
func Load(path string, opt Options) (*domains.Dataset, error) {
	return nil, &domains.DataError{File: path, What: "not yet"}
}
