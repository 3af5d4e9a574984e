package sim

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
)

// The lengths that an embedding may have.
const (
	plainDimensions = 256
	mostDimensions  = 4096
	mostInputs      = 2048
)

// An embedRequest is what the simulator reads of a body of POST /v1/embeddings.
type embedRequest struct {
	Model      string `json:"model"`
	Input      inputs `json:"input"`
	Format     string `json:"encoding_format"`
	Dimensions *int64 `json:"dimensions"`
}

// inputs are the texts of a request: a string, a list of strings, or one or several
// lists of token numbers, which are words as good as any.
type inputs []string

func (in *inputs) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		var one string
		if err := json.Unmarshal(b, &one); err != nil {
			return err
		}
		*in = inputs{one}
		return nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(b, &list); err != nil {
		return errInput
	}
	var flat []uint32
	if len(list) > 0 && json.Unmarshal(b, &flat) == nil {
		*in = inputs{wordsOf(flat)}
		return nil
	}
	for _, one := range list {
		var text string
		var tokens []uint32
		switch {
		case one[0] == '"' && json.Unmarshal(one, &text) == nil:
		case one[0] == '[' && json.Unmarshal(one, &tokens) == nil && len(tokens) > 0:
			text = wordsOf(tokens)
		default:
			return errInput
		}
		*in = append(*in, text)
	}
	return nil
}

var errInput = errors.New("'input' must be a string, a list of strings, or lists of token numbers")

// wordsOf writes token numbers as words.
func wordsOf(tokens []uint32) string {
	var b []byte
	for _, t := range tokens {
		b = append(strconv.AppendUint(append(b, 't'), uint64(t), 36), ' ')
	}
	return string(b)
}

type embedding struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding any    `json:"embedding"`
}

// embed answers POST /v1/embeddings.
func embed(w http.ResponseWriter, body []byte) *apiError {
	var req embedRequest
	if err := json.Unmarshal(body, &req); err != nil {
		if errors.Is(err, errInput) {
			return invalid(http.StatusBadRequest, "input", "invalid_type", "%s.", err)
		}
		return notJSON(err)
	}
	size := int64(plainDimensions)
	if req.Dimensions != nil {
		size = *req.Dimensions
	}
	switch {
	case req.Model == "":
		return invalid(http.StatusBadRequest, "model", "", "You must provide a model parameter.")
	case len(req.Input) == 0 || len(req.Input) > mostInputs:
		return invalid(http.StatusBadRequest, "input", "invalid_value", "'input' must have from 1 to %d texts.", mostInputs)
	case size < 1 || size > mostDimensions:
		return invalid(http.StatusBadRequest, "dimensions", "invalid_value", "'dimensions' must be from 1 to %d.", mostDimensions)
	case req.Format != "" && req.Format != "float" && req.Format != "base64":
		return invalid(http.StatusBadRequest, "encoding_format", "invalid_value", "'encoding_format' must be float or base64.")
	}
	data := make([]embedding, len(req.Input))
	used := 0
	for i, text := range req.Input {
		text = visible(text)
		if text == "" {
			return invalid(http.StatusBadRequest, "input", "invalid_value", "Text %d of 'input' is empty.", i)
		}
		used += tokensOf(text)
		v := vector(text, int(size))
		data[i] = embedding{"embedding", i, v}
		if req.Format == "base64" {
			var b bytes.Buffer
			_ = binary.Write(&b, binary.LittleEndian, v) // to memory
			data[i].Embedding = base64.StdEncoding.EncodeToString(b.Bytes())
		}
	}
	write(w, http.StatusOK, map[string]any{
		"object": "list", "data": data, "model": req.Model,
		"usage": map[string]int{"prompt_tokens": used, "total_tokens": used},
	})
	return nil
}

// vector is the bag of the words of a text, hashed: a word's stem (of function words
// and numerals the word) picks a place and a sign, and adds 1, or 1/8 if it has no stem.
// The sum has length 1; a text without words is the first unit vector.
func vector(text string, size int) []float32 {
	sum := make([]float64, size)
	for _, t := range appendTokens(nil, text, 0, len(text)) {
		h, weight := t.stem, 1.0
		if h == 0 {
			h, weight = t.word, .125
		}
		h = mix(h)
		if h>>63 == 1 {
			weight = -weight
		}
		sum[h%uint64(size)] += weight
	}
	square := 0.0
	for _, x := range sum {
		square += x * x
	}
	if square == 0 {
		sum[0], square = 1, 1
	}
	out := make([]float32, size)
	for i, x := range sum {
		out[i] = float32(x / math.Sqrt(square))
	}
	return out
}
