package llm

import (
	"bytes"
	"cmp"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	openai "github.com/sashabaranov/go-openai"
)

// said reads what a server says of an error, whose form is not OpenAI's everywhere; nil
// if there are no words in it:
//
//	{"error": {"message": ..}}    OpenAI, llama.cpp, vLLM; OpenRouter with the words of
//	                              the server behind it in metadata.raw
//	{"error": ".."}               Ollama, LM Studio
//	{"object": "error", "message": ..}    vLLM before 0.10, SGLang
//	{"detail": ..}                FastAPI
//	[{"error": ..}]               Gemini
//	<title>..</title>             gateways
func said(body []byte) *openai.APIError {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, byteOrder))
	if isPage(body) {
		what := "a web page"
		if m := title.FindSubmatch(body); m != nil && len(bytes.TrimSpace(m[1])) > 0 {
			what += " (" + string(bytes.TrimSpace(m[1])) + ")"
		}
		return &openai.APIError{Message: what}
	}
	var list []json.RawMessage
	if json.Unmarshal(body, &list) == nil && len(list) > 0 {
		body = list[0]
	}
	type fields struct {
		Error, Message, Detail json.RawMessage
		Type, Code, Param      json.RawMessage
		Metadata               struct{ Raw json.RawMessage }
	}
	var all fields
	if lenient(body, &all) != nil {
		return nil
	}
	f := all
	if len(all.Error) > 0 && all.Error[0] == '{' {
		f = fields{}
		if lenient(all.Error, &f) != nil {
			return nil
		}
	} else if wordsOf(all.Error) != "" {
		f.Message = all.Error
	}
	out := &openai.APIError{Message: cmp.Or(wordsOf(f.Message), wordsOf(f.Detail)), Type: wordsOf(f.Type)}
	if raw := wordsOf(f.Metadata.Raw); raw != "" {
		out.Message = strings.TrimPrefix(out.Message+": "+raw, ": ")
	}
	if out.Message == "" {
		return nil
	}
	if param := wordsOf(f.Param); param != "" {
		out.Param = &param
	}
	code := wordsOf(f.Code)
	out.Code = code
	if n, err := strconv.Atoi(code); err == nil {
		out.Code = n
	}
	return out
}

// Said gives the words of a server about an error in one of the forms that servers have
// for that; empty if there are none. They may hold secrets.
func Said(body []byte) string {
	if e := said(body); e != nil {
		return e.Message
	}
	return ""
}

// wordsOf gives a JSON text, and what else is JSON as it is written; nothing for null.
func wordsOf(raw json.RawMessage) string {
	var s string
	if len(raw) > 0 && json.Unmarshal(raw, &s) != nil {
		return string(raw)
	}
	return s
}

// byteOrder is the mark that some servers begin a text with.
var byteOrder = []byte("\ufeff")

var title = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)

// isPage reports whether a body is HTML, whatever it says it is: no JSON begins so.
func isPage(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) }
