//go:build !linux

package cache

// networkFS cannot tell here; a file on a network file system is then the user's to
// keep to one process.
func networkFS(string) string { return "" }
