package pep

import (
	"encoding/binary"
	"sync"

	"pepbench/strategies"
)

// newHistory begins the key of a session's history: what may be asked of which
// criteria.
func newHistory(s *strategies.Setting) []byte {
	var h []byte
	for i, c := range s.Task.Criteria {
		v := uint64(c) << 1
		if s.CanAsk(i) {
			v |= 1
		}
		h = binary.AppendUvarint(h, v)
	}
	return append(h, '|')
}

// memo keeps what was picked after a history: many users answer the first
// questions alike, and every counterfactual repeats its session. A pick depends on
// the history alone, so the memo changes nothing but time. It stops growing at
// memoLimit entries.
//
// A nil memo keeps nothing.
type memo struct {
	mu sync.RWMutex
	m  map[string]choice
}

const memoLimit = 1 << 16

func (m *memo) get(history []byte) (choice, bool) {
	if m == nil {
		return choice{}, false
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	c, ok := m.m[string(history)]
	return c, ok
}

func (m *memo) put(history []byte, c choice) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.m == nil {
		m.m = make(map[string]choice)
	}
	if len(m.m) < memoLimit {
		m.m[string(history)] = c
	}
}
