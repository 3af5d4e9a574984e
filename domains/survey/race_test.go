//go:build race

package survey

// surveySize is small because the race detector makes reading ten times slower.
const surveySize = 12 << 20
