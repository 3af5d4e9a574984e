package survey

import (
	"pepbench/domains"
)

// Options says what the folder itself does not.
type Options struct {
	// Name of the data set; empty: the folder's name.
	Name string
}

// Load reads the folder.
func Load(dir string, opt Options) (*domains.Dataset, error) {
	return nil, &domains.DataError{File: dir, What: "not yet"}
}
