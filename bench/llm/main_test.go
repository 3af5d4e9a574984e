package llm

import (
	"testing"

	"go.uber.org/goleak"
)

// No goroutine outlives its call: whatever the tests have started is gone at the end.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
