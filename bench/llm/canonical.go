package llm

import (
	"encoding/json"
	"strconv"
)

// Canonical gives everything that decides the reply to a request as JSON.
func (c *Conn) Canonical(r Request) []byte {
	list := func(v any) []byte {
		b, err := json.Marshal(v)
		if err != nil { // strings and raw JSON that was checked
			panic("llm: " + err.Error())
		}
		return b
	}
	out := append([]byte(`{"base_url":`), list(c.where)...)
	out = append(append(out, `,"body":{"messages":`...), list(r.Messages())...)
	out = append(append(out, `,"model":`...), list(c.end.Model)...)
	out = append(append(out, c.http.Transport.(*wire).tail...), '}')
	if r.Format != nil {
		out = append(append(out, `,"format":`...), list(r.Format)...)
	}
	out = append(out, `,"repeat":`...)
	return append(strconv.AppendInt(out, int64(r.Repeat), 10), '}')
}
