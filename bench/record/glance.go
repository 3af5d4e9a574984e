package record

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// look reads of a line what the index keeps, several times as fast as taking the session
// apart: inferences and texts, which make up nearly all of it, are passed over. It
// reports whether the line is a session. What is passed over is not checked but for its
// brackets and quotes, and numbers and words are read as the Session would be.
func (b *Indexer) look(line []byte, g *glance) bool {
	*g = glance{Alignment: math.NaN(), Correct: -1}
	s := scanner{b: line}
	var points []point
	ok := s.object(func(key []byte) bool {
		switch string(key) {
		case "id":
			return s.text(&g.ID)
		case "strategy":
			return s.text(&g.Strategy)
		case "task":
			return s.text(&g.Task)
		case "user":
			return s.text(&g.User)
		case "stop":
			return s.text(&g.Stop)
		case "error":
			var e string
			ok := s.text(&e)
			g.Failed = g.Failed || e != ""
			return ok
		case "seed":
			return s.whole(&g.Seed)
		case "turns":
			return s.array(func() bool { g.Questions++; return s.skip() })
		case "checkpoints":
			return s.array(func() bool {
				p := point{raw: math.NaN(), correct: -1}
				points = append(points, p)
				return s.point(&points[len(points)-1])
			})
		}
		return s.skip()
	})
	if s.space(); !ok || s.i != len(line) || g.ID == "" {
		return false
	}
	g.Failed = g.Failed || g.Stop == StopError
	if cp := graded(points, b.x.Final, b.only[g.Strategy]); cp != nil {
		g.Correct = cp.correct
		if !math.IsNaN(cp.raw) {
			g.Alignment = Alignment(cp.raw)
		}
	}
	return true
}

// point is what of a checkpoint decides on the final one.
type point struct {
	questions int
	carried   bool
	scored    bool
	raw       float64 // NaN: undefined
	correct   int8
}

// graded is Session.Graded.
func graded(points []point, n int, only bool) *point {
	var cp, last *point
	for i := range points {
		if p := &points[i]; p.questions == n {
			cp = p
			break
		}
	}
	if cp == nil && only && len(points) > 0 {
		cp = &points[0]
	}
	if cp == nil || !cp.carried || !math.IsNaN(cp.raw) || cp.scored {
		return cp
	}
	for i := range points {
		if p := &points[i]; !p.carried && p.questions < n && (last == nil || p.questions > last.questions) {
			last = p
		}
	}
	if last == nil {
		return cp
	}
	return last
}

// A scanner walks over JSON. Its methods leave it behind what they read, and report
// whether that was there.
type scanner struct {
	b []byte
	i int
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

func (s *scanner) byte(c byte) bool {
	s.space()
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// object calls field with every key, still quoted marks taken off, which must read the
// value.
func (s *scanner) object(field func(key []byte) bool) bool {
	if !s.byte('{') {
		return false
	}
	if s.byte('}') {
		return true
	}
	for {
		s.space()
		q, ok := s.quoted()
		if !ok || !s.byte(':') || !field(q[1:len(q)-1]) {
			return false
		}
		if !s.byte(',') {
			return s.byte('}')
		}
	}
}

// array calls item at every element, which must read it.
func (s *scanner) array(item func() bool) bool {
	s.space()
	if s.word("null") {
		return true
	}
	if !s.byte('[') {
		return false
	}
	if s.byte(']') {
		return true
	}
	for {
		if !item() {
			return false
		}
		if !s.byte(',') {
			return s.byte(']')
		}
	}
}

// quoted reads a string, its quotes and escapes as they are.
func (s *scanner) quoted() ([]byte, bool) {
	if s.i >= len(s.b) || s.b[s.i] != '"' {
		return nil, false
	}
	from := s.i
	for s.i++; ; {
		n := bytes.IndexByte(s.b[s.i:], '"')
		if n < 0 {
			return nil, false
		}
		end := s.i + n
		s.i = end + 1
		slashes := 0
		for end--; end > from && s.b[end] == '\\'; end-- {
			slashes++
		}
		if slashes%2 == 0 {
			return s.b[from:s.i], true
		}
	}
}

func (s *scanner) word(w string) bool {
	if bytes.HasPrefix(s.b[s.i:], []byte(w)) {
		s.i += len(w)
		return true
	}
	return false
}

// text reads a string, or null, which leaves to as it is.
func (s *scanner) text(to *string) bool {
	s.space()
	if s.word("null") {
		return true
	}
	q, ok := s.quoted()
	if !ok {
		return false
	}
	return json.Unmarshal(q, to) == nil
}

// number reads the bytes of a number.
func (s *scanner) number() []byte {
	from := s.i
	for s.i < len(s.b) {
		switch c := s.b[s.i]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			s.i++
		default:
			return s.b[from:s.i]
		}
	}
	return s.b[from:s.i]
}

func (s *scanner) whole(to *int) bool {
	s.space()
	if s.word("null") {
		return true
	}
	v, err := strconv.Atoi(string(s.number()))
	*to = v
	return err == nil
}

// point reads a checkpoint.
func (s *scanner) point(p *point) bool {
	s.space()
	return s.object(func(key []byte) bool {
		s.space()
		switch string(key) {
		case "questions":
			return s.whole(&p.questions)
		case "carried":
			p.carried = s.word("true")
			return p.carried || s.word("false") || s.word("null")
		case "scores":
			return s.array(func() bool { p.scored = true; return s.skip() })
		case "raw":
			if s.word("null") {
				return true
			}
			v, err := strconv.ParseFloat(string(s.number()), 64)
			p.raw = v
			return err == nil
		case "correct":
			switch {
			case s.word("true"):
				p.correct = 1
			case s.word("false"):
				p.correct = 0
			default:
				return s.word("null")
			}
			return true
		}
		return s.skip()
	})
}

// skip passes over a value, which it does not check but for brackets and quotes.
func (s *scanner) skip() bool {
	s.space()
	if s.i >= len(s.b) {
		return false
	}
	switch s.b[s.i] {
	case '"':
		_, ok := s.quoted()
		return ok
	case '{', '[':
		for depth := 0; s.i < len(s.b); {
			switch s.b[s.i] {
			case '"':
				if _, ok := s.quoted(); !ok {
					return false
				}
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					s.i++
					return true
				}
			}
			s.i++
		}
		return false
	}
	from := s.i
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ',', '}', ']', ' ', '\t', '\r', '\n':
			return s.i > from
		}
		s.i++
	}
	return s.i > from
}
