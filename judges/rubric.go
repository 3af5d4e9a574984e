package judges

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"pepbench/bench/llm"
	"pepbench/domains"
)

// Rubric grades with a language model. It makes one call a criterion, or one for
// all of them when Batched is set.
type Rubric struct {
	Client  llm.Client
	Batched bool
	Model   string // name of the model, for the identity
}

// PromptName and the texts below are versioned: change the one with the other.
const PromptName = "judge/rubric/1"

const (
	systemAmount = `You grade one property of a text at a time, by what stands in the text and nothing else. For each criterion you get five levels, from the least to the most of it. Name the level that describes the response best. If the response says nothing that bears on the criterion, choose the first level if that describes absence, else the middle one. Length, correctness and politeness do not count unless the criterion is about them.`

	systemQuality = `You grade how well a text serves one reader. For each criterion you are told how much of it this reader wants and why, and perhaps five levels from the worst fit to the best. Give a score from 1 (serves this reader badly on that point) to 5 (exactly what this reader wants), by what stands in the response and nothing else.`

	formSingle  = ` Reply with a JSON object and nothing else: {"%s": n, "reason": "one short sentence that quotes the response"}, where n is a whole number from 1 to 5.`
	formBatched = ` Reply with a JSON object and nothing else: {"results": [{"criterion": "its name", "%s": n, "reason": "one short sentence that quotes the response"}, ...]}, one entry for every criterion in the order given, where n is a whole number from 1 to 5.`
)

// PromptHash is the SHA-256 of the fixed words of the prompts.
func PromptHash() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{systemAmount, systemQuality, formSingle, formBatched, strings.Join(domains.Ladder[:], "\x00")}, "\x00")))
	return hex.EncodeToString(sum[:])
}

// ID is the judge's identity, carried by every score.
func (r *Rubric) ID(kind domains.RubricKind) string {
	mode := "single"
	if r.Batched {
		mode = "batched"
	}
	return strings.Join([]string{PromptName, string(kind), mode, r.Model}, "/")
}

// key is what the reply calls the number.
func key(kind domains.RubricKind) string {
	if kind == domains.Amount {
		return "level"
	}
	return "score"
}

// Grade scores every held criterion, in position order. What cannot be read is
// unscored with its reason, as is everything behind a call that failed for good;
// only an unusable endpoint or a cancelled context is an error.
func (r *Rubric) Grade(ctx context.Context, c Case) ([]Score, error) {
	out := []Score{}
	for i, cell := range c.Profile.Cells {
		if cell.IsHeld() {
			out = append(out, Score{Position: i, Judge: r.ID(c.Rubric)})
		}
	}
	if len(out) == 0 {
		return out, nil
	}
	step := 1
	if r.Batched {
		step = len(out)
	}
	for at := 0; at < len(out); at += step {
		if err := r.grade(ctx, &c, out[at:at+step]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// grade makes one call for the given criteria and fills their scores.
func (r *Rubric) grade(ctx context.Context, c *Case, scores []Score) error {
	system, form := systemAmount, formSingle
	if c.Rubric != domains.Amount {
		system = systemQuality
	}
	if r.Batched {
		form = formBatched
	}
	unscored := func(format string, a ...any) {
		for i := range scores {
			scores[i].Unscored = fmt.Sprintf(format, a...)
		}
	}
	reply, err := r.Client.Complete(ctx, llm.Request{System: system + fmt.Sprintf(form, key(c.Rubric)), User: question(c, scores)})
	switch {
	case err != nil && (ctx.Err() != nil || errors.Is(err, llm.ErrUnusable)):
		return err
	case err != nil:
		unscored("call failed: %v", err)
		return nil
	case reply.Finish == "length":
		unscored("the reply was cut off at its token limit")
		return nil
	}
	verdicts, err := parse(reply.Content, key(c.Rubric), r.Batched)
	if err != nil {
		unscored("unreadable reply: %v", err)
		return nil
	}
	if !r.Batched {
		verdicts[0].name = c.Criteria[scores[0].Position].Name
	}
	for i := range scores {
		s := &scores[i]
		name := c.Criteria[s.Position].Name
		var mine []verdict
		for _, v := range verdicts {
			if strings.EqualFold(strings.TrimSpace(v.name), name) {
				mine = append(mine, v)
			}
		}
		switch {
		case len(mine) != 1:
			s.Unscored = fmt.Sprintf("the reply grades %q %d times", name, len(mine))
		case mine[0].fault != "":
			s.Unscored = mine[0].fault
		default:
			s.set(c, mine[0])
		}
	}
	return nil
}

// set turns a verdict into level and score.
func (s *Score) set(c *Case, v verdict) {
	s.Reason = v.reason
	score := float64(v.n)
	if c.Rubric == domains.Amount {
		level := v.n
		s.Level = &level
		// Both count levels from 1, so that scales other than 1..5 would fit too.
		crit := &c.Criteria[s.Position]
		score = 5 - math.Abs(float64(level)-float64(1+crit.LevelOf(c.Profile.Cells[s.Position].Value())))
	}
	s.Score = &score
}

// fences around the response; a line of the response that is a fence itself is
// indented, so that it cannot end it.
const (
	open, shut = "<<<", ">>>"
)

// question is the user message.
func question(c *Case, scores []Score) string {
	var b strings.Builder
	b.WriteString("Task:\n")
	b.WriteString(strings.TrimSpace(c.Task.Prompt))
	b.WriteString("\n\nResponse:\n" + open + "\n")
	b.WriteString(c.Response)
	b.WriteString("\n" + shut + "\n")
	for _, s := range scores {
		i := s.Position
		crit := &c.Criteria[i]
		fmt.Fprintf(&b, "\nCriterion: %s\n", crit.Name)
		var note domains.Note
		if c.Rubric != domains.Amount && c.Profile.Notes != nil {
			note = c.Profile.Notes[i]
		}
		about := crit.Description
		if note.Description != "" {
			about = note.Description
		}
		if about != "" {
			fmt.Fprintf(&b, "What it is: %s\n", oneLine(about))
		}
		if c.Rubric == domains.Amount {
			levels(&b, "Levels, from least to most:", texts(crit))
			continue
		}
		l := crit.LevelOf(c.Profile.Cells[i].Value())
		fmt.Fprintf(&b, "The reader wants: %s (%d of 5)\n", domains.Ladder[l], l+1)
		if note.Justification != "" {
			fmt.Fprintf(&b, "Why: %s\n", oneLine(note.Justification))
		}
		levels(&b, "Levels, from worst fit to best:", note.Levels)
	}
	return b.String()
}

func levels(b *strings.Builder, head string, texts []string) {
	if len(texts) == 0 {
		return
	}
	b.WriteString(head + "\n")
	for i, t := range texts {
		fmt.Fprintf(b, "%d. %s\n", i+1, oneLine(t))
	}
}

func texts(c *domains.Criterion) []string {
	out := make([]string, len(c.Levels))
	for i := range c.Levels {
		out[i] = c.Levels[i].Text
	}
	return out
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// verdict is one grade of a reply.
type verdict struct {
	name   string
	n      int
	reason string
	fault  string // why n cannot be used
}

// parse reads a reply strictly: one JSON object, perhaps in a code fence, with a
// whole number from 1 to 5 under key (single), or a list of such objects with
// names under "results" (batched).
func parse(reply, key string, batched bool) ([]verdict, error) {
	dec := json.NewDecoder(bytes.NewReader([]byte(unfence(reply))))
	var raw map[string]json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return nil, fmt.Errorf("not a JSON object: %.80q", reply)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("text after the JSON object: %.80q", reply)
	}
	if !batched {
		return []verdict{verdictOf(raw, key)}, nil
	}
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(raw["results"], &list); err != nil {
		return nil, fmt.Errorf("no list under \"results\": %.80q", reply)
	}
	out := make([]verdict, len(list))
	for i, m := range list {
		out[i] = verdictOf(m, key)
	}
	return out, nil
}

func verdictOf(m map[string]json.RawMessage, key string) verdict {
	var v verdict
	if json.Unmarshal(m["criterion"], &v.name) != nil {
		v.name = ""
	}
	if json.Unmarshal(m["reason"], &v.reason) != nil {
		v.reason = ""
	}
	var n float64
	switch b, ok := m[key]; {
	case !ok:
		v.fault = fmt.Sprintf("no %q in the reply", key)
	case string(b) == "null" || json.Unmarshal(b, &n) != nil:
		v.fault = fmt.Sprintf("%q is %.40s, not a number", key, b)
	case n != math.Trunc(n) || n < 1 || n > 5:
		v.fault = fmt.Sprintf("%q is %.40s, not a whole number from 1 to 5", key, b)
	default:
		v.n = int(n)
	}
	return v
}

// unfence takes a reply out of a code fence that surrounds all of it.
func unfence(s string) string {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, "```") || !strings.HasSuffix(s, "```") || len(s) < 6 {
		return s
	}
	s = strings.TrimSuffix(s, "```")
	_, s, ok := strings.Cut(s, "\n")
	if !ok {
		return ""
	}
	return s
}
