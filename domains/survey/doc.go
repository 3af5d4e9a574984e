// Package survey loads data sets that have answers of many people but no task to
// solve: a folder with two CSV files, each plain or gzipped.
package survey
