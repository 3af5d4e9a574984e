// Package input reads the files that loaders take: plain or gzipped text, with or
// without a byte order mark, hashed as it streams past.
//
//	f, err := input.New(r, name)
//	line, err = f.Line(line)        // or f.Read, for a CSV reader
//	source, err := f.Close()        // name, SHA-256 and size of the raw file
//
// It knows nothing of what the text means.
package input
