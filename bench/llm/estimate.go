package llm

// promptTokens estimates the tokens of a prompt: one for four bytes, which is right for
// English within a quarter, and a few for each message. Counts of the server correct it.
func promptTokens(r *Request) int {
	n := len(r.System) + len(r.User)
	for i := range r.More {
		n += len(r.More[i].Content)
	}
	return n/4 + 4*(2+len(r.More)) + 3
}

// replyTokens is what a reply may take where an endpoint has no max_tokens and nothing
// was seen yet.
const replyTokens = 1024

// Fits says whether a prompt of so many bytes, and the longest reply, fit into the
// context that the endpoint declares; without ContextLength, everything does. The
// number of tokens is estimated. An error wraps ErrUnusable.
func (e *Endpoint) Fits(chars int) error {
	prompt := promptTokens(&Request{}) + chars/4
	if e.ContextLength <= 0 || prompt+e.MaxTokens <= e.ContextLength {
		return nil
	}
	if e.MaxTokens >= e.ContextLength {
		return unusable("model %s: max_tokens %d leaves no room for a prompt in a context of %d tokens; lower max_tokens, or serve the model with a larger context", e.Model, e.MaxTokens, e.ContextLength)
	}
	return unusable("model %s: the longest prompt has about %d tokens, and with max_tokens %d that is more than the context of %d; lower max_criteria or max_tokens, or serve the model with a larger context", e.Model, prompt, e.MaxTokens, e.ContextLength)
}
