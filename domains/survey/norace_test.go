//go:build !race

package survey

// surveySize is what TestMemoryIsCells writes and reads.
const surveySize = 50 << 20
