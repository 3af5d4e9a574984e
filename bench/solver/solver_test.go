package solver

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"pepbench/bench/llm"
	"pepbench/bench/llm/sim"
	"pepbench/domains"
)

// fake is a model that remembers what it was asked.
type fake struct {
	asked []llm.Request
	reply llm.Reply
	err   error
}

func (f *fake) Complete(_ context.Context, r llm.Request) (llm.Reply, error) {
	f.asked = append(f.asked, r)
	return f.reply, f.err
}

func ordinal(name string, texts ...string) domains.Criterion {
	c := domains.Criterion{ID: name, Name: name, Description: "description of " + name, Question: "question about " + name}
	for i, t := range texts {
		c.Levels = append(c.Levels, domains.Level{Value: float64(i + 1), Text: t})
	}
	return c
}

func inference(pairs ...float64) domains.Inference {
	f := domains.NewInference(len(pairs) / 2)
	for i := range f.Held {
		f.Held[i], f.Value[i] = pairs[2*i], pairs[2*i+1]
	}
	return f
}

var nan = math.NaN()

func problem() Problem {
	return Problem{
		Task: domains.Task{
			ID: "secret-task-id", Prompt: "  Which one?\nChoose. ", Answer: "B", Why: "secret reason",
			Options: []domains.Option{{Label: "A", Text: "this"}, {Label: "B", Text: "that\none"}},
		},
		Criteria: []domains.Criterion{
			ordinal("depth", "d1", "d2", "d3", "d4", "d5"),
			ordinal("tone: warm", "t|1", "t2", "t3", "t4", "t\n5"),
			ordinal("bare", "", "", "", "", ""),
		},
		Rubric:    domains.Amount,
		Inference: inference(0.9, 3.6, 1, nan, 0.5, 1.2),
	}
}

func TestWhatTheModelIsTold(t *testing.T) {
	const task = "Task:\nWhich one?\nChoose.\nA) this\nB) that one\n"
	const depth = " (from least to most: d1 | d2 | d3 | d4 | d5)\n"
	const tone = " (from least to most: t/1 | t2 | t3 | t4 | t 5)\n"
	for _, row := range []struct {
		reason     string
		change     func(*Problem)
		options    Options
		want       string
		instructed []int
		wanted     []float64
	}{
		{
			"likeliest first; an unknown value is the middle; levels without texts go by the ladder", func(*Problem) {},
			Options{MaxCriteria: 6},
			task + "\nThis reader wants:\n- tone, warm: t3" + tone + "- depth: d4" + depth + "- bare: none\n",
			[]int{1, 0, 2},
			[]float64{3, 3.6, 1.2},
		},
		{"no more than allowed", func(*Problem) {}, Options{MaxCriteria: 1}, task + "\nThis reader wants:\n- tone, warm: t3" + tone, []int{1}, []float64{3}},
		{"none below the threshold", func(*Problem) {}, Options{MaxCriteria: -1, MinHeld: 0.9}, task + "\nThis reader wants:\n- tone, warm: t3" + tone, []int{1}, []float64{3}},
		{"nothing known, nothing told", func(p *Problem) { p.Inference = domains.NewInference(3) }, Options{MaxCriteria: 6}, task, []int{}, []float64{}},
		{"what is not held is not told", func(p *Problem) { p.Inference = inference(0, 4, 0, 4, 0, 4) }, Options{MaxCriteria: 6}, task, []int{}, []float64{}},
		{
			"a half goes down", func(p *Problem) { p.Inference = inference(1, 2.5, nan, nan, nan, nan) },
			Options{MaxCriteria: 6},
			task + "\nThis reader wants:\n- depth: d2" + depth,
			[]int{0},
			[]float64{2.5},
		},
		{
			"a quality rubric is never told in its levels", func(p *Problem) { p.Rubric = domains.Quality },
			Options{MaxCriteria: 6},
			task + "\nThis reader wants:\n- tone, warm: some\n- depth: much\n- bare: none\n",
			[]int{1, 0, 2},
			[]float64{3, 3.6, 1.2},
		},
		{
			"equals in the order of the task", func(p *Problem) { p.Inference = inference(0.5, 1, 0.5, 5, 0.5, 3); p.Rubric = domains.Quality },
			Options{MaxCriteria: 2},
			task + "\nThis reader wants:\n- depth: none\n- tone, warm: as much as possible\n",
			[]int{0, 1},
			[]float64{1, 5},
		},
		{"a task without options", func(p *Problem) { p.Task.Options = nil; p.Inference = domains.NewInference(3) }, Options{MaxCriteria: 6}, "Task:\nWhich one?\nChoose.\n", []int{}, []float64{}},
		{"a nominal scale has no least and most", func(p *Problem) {
			p.Criteria = []domains.Criterion{{Name: "style", Scale: domains.Nominal, Levels: []domains.Level{{Value: 0, Text: "x"}, {Value: 1, Text: "y"}, {Value: 2, Text: "z"}}}}
			p.Inference = domains.Inference{Held: []float64{1}, Value: []float64{nan}, Levels: [][]float64{{0.2, 0.4, 0.4}}}
		}, Options{MaxCriteria: 6}, task + "\nThis reader wants:\n- style: y (one of: x | y | z)\n", []int{0}, []float64{1}},
	} {
		p := problem()
		row.change(&p)
		model := &fake{reply: llm.Reply{Content: "text"}}
		got, err := Direct{Client: model, Options: row.options}.Solve(context.Background(), p)
		if err != nil {
			t.Errorf("%s: %v", row.reason, err)
			continue
		}
		if len(model.asked) != 1 || model.asked[0].User != row.want {
			t.Errorf("%s: asked\n%s\nwant\n%s", row.reason, model.asked[0].User, row.want)
		}
		if !slices.Equal(got.Instructed, row.instructed) || !slices.Equal(got.Wanted, row.wanted) || got.Instructed == nil || got.Wanted == nil {
			t.Errorf("%s: instructed %v wanted %v, want %v and %v", row.reason, got.Instructed, got.Wanted, row.instructed, row.wanted)
		}
	}
}

// TestBarrier: nothing but task, names, levels and wishes is in the request; the
// probabilities are not.
func TestBarrier(t *testing.T) {
	for _, rubric := range []domains.RubricKind{domains.Amount, domains.Quality} {
		p := problem()
		p.Rubric = rubric
		p.Inference.Held = []float64{0.8125, 0.4375, 0.3125}
		model := &fake{reply: llm.Reply{Content: "text"}}
		if _, err := (Direct{Client: model, Options: Options{MaxCriteria: 6}}).Solve(context.Background(), p); err != nil {
			t.Fatal(err)
		}
		all := model.asked[0].System + model.asked[0].User
		for _, secret := range []string{"secret", "description", "question about", "0.8125", "0.4375", "0.3125", "8125", "3.6", "1.2"} {
			if strings.Contains(all, secret) {
				t.Errorf("%s: the request holds %q:\n%s", rubric, secret, all)
			}
		}
		// The right answer changes nothing.
		p.Task.Answer, p.Task.Why, p.Task.ID = "A", "", "x"
		if _, err := (Direct{Client: model, Options: Options{MaxCriteria: 6}}).Solve(context.Background(), p); err != nil {
			t.Fatal(err)
		}
		for i := range model.asked { // a function is equal to none
			model.asked[i].Accept = nil
		}
		if !reflect.DeepEqual(model.asked[0], model.asked[1]) {
			t.Errorf("%s: the request depends on the right answer", rubric)
		}
		if rubric == domains.Quality && strings.Contains(all, "d4") {
			t.Errorf("the request holds quality-level text:\n%s", all)
		}
	}
}

func TestProfileSolver(t *testing.T) {
	p := problem()
	p.Rubric = domains.NoRubric
	p.Criteria[2] = domains.Criterion{Scale: domains.Continuous, Min: -2, Max: 4}
	p.Inference = inference(0.5, 3.25, 0.5, nan, 0.75, nan)
	got, err := Profile{Options{MaxCriteria: -1}}.Solve(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Instructed, []int{2, 0, 1}) || !slices.Equal(got.Wanted, []float64{1, 3.25, 3}) || got.Text != "" {
		t.Errorf("got %+v, want the value itself, or the middle where it is unknown", got)
	}
	even := ordinal("c", "", "", "", "")
	if v := value(&domains.Inference{Held: []float64{1}, Value: []float64{nan}}, 0, &even); v != 2 {
		t.Errorf("the middle of four levels is %v, want the lower of the two", v)
	}
}

func TestRepliesThatHoldNoResponse(t *testing.T) {
	down := errors.New("down")
	for _, row := range []struct {
		reason string
		reply  llm.Reply
		err    error
		want   string
	}{
		{"nothing", llm.Reply{}, nil, "it is empty"},
		{"blanks and invisible characters", llm.Reply{Content: " \n\u200b\ufeff "}, nil, "it is empty"},
		{"cut off", llm.Reply{Content: "Answer: A. And", Finish: "length"}, nil, "cut off"},
		{"only thoughts, cut off", llm.Reply{Reasoning: "hm", Finish: "length"}, nil, "cut off"},
		{"a refused call", llm.Reply{}, down, "call refused: down"},
	} {
		_, err := Direct{Client: &fake{reply: row.reply, err: row.err}, Options: Options{MaxCriteria: 6}}.Solve(context.Background(), problem())
		var unread *llm.Unread
		if !errors.As(err, &unread) || !strings.Contains(unread.Reason, row.want) {
			t.Errorf("%s: %v, want it unread: %s", row.reason, err, row.want)
		}
	}
}

func TestNormalise(t *testing.T) {
	for _, row := range []struct{ reason, in, want string }{
		{"plain", "a b\nc", "a b\nc"},
		{"blanks around", "\n a \n", "a"},
		{"zero-width characters", "a\u200bb\u200c\u200dc\u2060\ufeff", "abc"},
		{"soft hyphens", "hy\u00adphen", "hyphen"},
		{"directions", "a\u202eb\u202c\u2066c\u2069", "abc"},
		{"tags", "a\U000e0041\U000e007f", "a"},
		{"variation selectors, which can spell out bytes", "a\ufe0f\U000e0101", "a"},
		{"fillers and joiners without a shape", "a\u034f\u3164b", "ab"},
		{"composed", "e\u0301", "é"},
		{"composed once nothing stands between", "e\u200d\u0301", "é"},
		{"tabs and line ends stay", "a\tb\r\nc", "a\tb\r\nc"},
	} {
		if got := Normalise(row.in); got != row.want {
			t.Errorf("%s: %q becomes %q, want %q", row.reason, row.in, got, row.want)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"a", "e\u0301", "\u200b", "\u1100\u200b\u1161", "a\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := Normalise(s)
		if Normalise(n) != n {
			t.Errorf("%q becomes %q, and %q the second time", s, n, Normalise(n))
		}
		if strings.ContainsFunc(n, func(r rune) bool { return unicode.Is(unicode.Cf, r) }) || !norm.NFC.IsNormalString(n) {
			t.Errorf("%q becomes %q, which is not normal", s, n)
		}
	})
}

func TestPromptHash(t *testing.T) {
	if h := PromptHash(); len(h) != 64 || h != PromptHash() {
		t.Errorf("hash %q", h)
	}
}

// TestMessagesArriveUnchanged reads the body that a server gets.
func TestMessagesArriveUnchanged(t *testing.T) {
	var body struct {
		Messages []struct{ Role, Content string }
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"<think>no</think>Answer: A\u200b."},"finish_reason":"stop"}]}`)
	}))
	defer s.Close()
	c, err := llm.New(llm.Endpoint{BaseURL: s.URL, Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p := problem()
	got, err := Direct{Client: c, Options: Options{MaxCriteria: 6}}.Solve(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	if got.Text != "Answer: A." {
		t.Errorf("response %q", got.Text)
	}
	if len(body.Messages) != 2 || body.Messages[0].Content != system || body.Messages[1].Content != user(&p, got.Instructed, got.Wanted) {
		t.Errorf("the server was sent %q", body.Messages)
	}
}

// TestSimulatorFollows: the embedded model understands the prompt, obeys up to four
// instructions up to the slips it is built to make, and answers the task alike
// with and without them.
func TestSimulatorFollows(t *testing.T) {
	url, stop, err := sim.Serve(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	c, err := llm.New(llm.Endpoint{BaseURL: url, Model: sim.Model})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	told, obeyed := 0, 0
	for i := range 40 {
		p := problem()
		p.Task.Prompt += strconv.Itoa(i)
		p.Criteria[0] = ordinal("kettle talk", "nothing on tea", "one aside on brewing", "cosy remarks about boiling", "steady chatter on leaves", "steeped in infusion lore")
		p.Criteria = p.Criteria[:2]
		p.Criteria[1] = ordinal("rhyme: end", "flat prose", "a chiming pair", "couplets at close", "verses alternating", "continuous metre")
		p.Inference = inference(1, float64(1+rng.IntN(5)), 0.5, float64(1+rng.IntN(5)))
		d := Direct{Client: c, Options: Options{MaxCriteria: 6}}
		got, err := d.Solve(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		for j, pos := range got.Instructed {
			told++
			want := p.Criteria[pos].Levels[int(got.Wanted[j])-1].Text
			if strings.Contains(got.Text, want) {
				obeyed++
			}
		}
		p.Inference = domains.NewInference(2)
		plain, err := d.Solve(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		if first, _, _ := strings.Cut(got.Text, "\n"); first != plain.Text {
			t.Errorf("with instructions %q, without %q", first, plain.Text)
		}
	}
	if told != 80 || obeyed < 60 {
		t.Errorf("%d of %d instructions were obeyed, want about nine in ten", obeyed, told)
	}
}

func BenchmarkUser(b *testing.B) {
	p := problem()
	for len(p.Criteria) < 30 {
		p.Criteria = append(p.Criteria, ordinal("criterion "+strconv.Itoa(len(p.Criteria)), "never does it at all", "does it once or twice", "does it in places", "does it most of the time", "does it everywhere"))
	}
	p.Inference = domains.NewInference(len(p.Criteria))
	for i := range p.Criteria {
		p.Inference.Held[i], p.Inference.Value[i] = 1/float64(i+2), 3
	}
	b.ReportAllocs()
	for b.Loop() {
		pos, wanted := Options{MaxCriteria: 6}.choose(&p)
		user(&p, pos, wanted)
	}
}

func BenchmarkSolve(b *testing.B) {
	url, stop, err := sim.Serve(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = stop() }()
	c, err := llm.New(llm.Endpoint{BaseURL: url, Model: sim.Model})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	d := Direct{Client: c, Options: Options{MaxCriteria: 6}}
	p := problem()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Solve(context.Background(), p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNormalise(b *testing.B) {
	s := strings.Repeat("As to depth: every step is spelled out. ", 30)
	b.ReportAllocs()
	for b.Loop() {
		Normalise(s)
	}
}
