package sim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestRecognise(t *testing.T) {
	tests := []struct {
		message string
		want    role
		reason  string
	}{
		{"Task:\nWhy?", solverRole, "plain"},
		{"  ## TASK :  why?", solverRole, "case, marks and spaces"},
		{"**Task:** why?", solverRole, "bold key"},
		{"My task is hard", noRole, "no field line"},
		{"- Task: why", noRole, "a bullet is no field line"},
		{"Task:\nx\nResponse:\n<<<\ny\n>>>\nCriterion: z", judgeRole, "judge"},
		{"Response:\n<<<\ny\n>>>\ncriterion 2:  z", judgeRole, "numbered criterion"},
		{"Task:\nx\nResponse:\n<<<\nCriterion: z\n>>>", solverRole, "a criterion inside the fence does not count"},
		{"Response:\n<<<\n>>>\nCriterion: z\n>>>\nx", noRole, "the last >>> closes"},
		{"Reference answer: B\nResponse: Answer: B", correctnessRole, "no fence"},
		{"What you care about:\n- a: b\nQuestion: c?", userRole, "user"},
		{"What you care about:\n- a: b", noRole, "user without a question"},
		{"You may ask about:\n- a: b", askerRole, "asker"},
		{"Question asked: a\nReply to interpret: b", interpreterRole, "interpreter"},
		{"", noRole, "empty"},
	}
	for _, tt := range tests {
		if got := recognise(tt.message).role; got != tt.want {
			t.Errorf("%s: %q: role %d, want %d", tt.reason, tt.message, got, tt.want)
		}
	}
}

func TestSolverParts(t *testing.T) {
	tests := []struct {
		text, task string
		want       []instruction
		reason     string
	}{
		{"Task: Why?", " Why?", nil, "no heading"},
		{
			"x\nTask:\nWhy?\n\nThis reader wants:\n- a b: much\n* c: d e (from least to most: d | d e | f)\n\nBye\n- g: h", "\nWhy?\n\n",
			[]instruction{{"a b", "much", nil}, {"c", "d e", []string{"d", "d e", "f"}}},
			"heading, two kinds of bullets, end of the list",
		},
		{
			"Task:\nW\nThe reader wants:\nno list\nWhat the user would like:\n- a: b", "\nW\nThe reader wants:\nno list\n",
			[]instruction{{"a", "b", nil}},
			"a heading needs a list",
		},
		{
			"Task:\nW\nPreferences:\n- a: some (3 of 5)\n- b\n- c:\n- **d:** ( From least to most : x|y )", "\nW\n",
			[]instruction{{"a", "some", nil}, {"d", "", []string{"x", "y"}}},
			"remark, incomplete lines, tolerant scale",
		},
	}
	for _, tt := range tests {
		task, list := solverParts(tt.text)
		if task != tt.task || !slices.EqualFunc(list, tt.want, func(a, b instruction) bool {
			return a.name == b.name && a.amount == b.amount && slices.Equal(a.scale, b.scale)
		}) {
			t.Errorf("%s: %q, %+v", tt.reason, task, list)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		task string
		want int
	}{
		{"Why?\nA) x\nB) y\nC) z\n", 3},
		{"Why?\n(A) x\n\n(B) y", 2},
		{"Why?\nA. x\nB. y", 2},
		{"Why?\nA: x\nB: y", 2},
		{"Why?\nA) x\nC) y", 0},
		{"A. Smith came.\nWhy?\nA) x\nB) y", 2},
		{"A note\nBut why?", 0},
	} {
		if _, got := options(tt.task); len(got) != tt.want {
			t.Errorf("%q: %+v, want %d options", tt.task, got, tt.want)
		}
	}
}

const choiceTask = "Which one floats?\nA) an iron bar. Yes\nB) a cork\nC) a stone\nD) a coin"

func TestSolver(t *testing.T) {
	want := []int{4, 3, 2, 1, 0, 4, 3, 2}
	plain := chat(t, solverSystem, "Task:\n"+choiceTask)
	if strings.Contains(plain, "\n") || !strings.HasPrefix(plain, "Answer: ") || !strings.HasSuffix(plain, ".") {
		t.Errorf("without instructions: %q", plain)
	}
	reply := chat(t, "Another system message.", solverPrompt(choiceTask, scales[:8], want))
	lines := strings.Split(reply, "\n")
	if lines[0] != plain {
		t.Errorf("the answer depends on the instructions: %q, %q", plain, lines[0])
	}
	if len(lines) != 1+maxStyle {
		t.Fatalf("%d lines for 8 instructions: %q", len(lines), reply)
	}
	for i, l := range lines[1:] {
		rest, ok := strings.CutPrefix(l, "As to "+scales[i].name+": ")
		if at := slices.Index(scales[i].levels, strings.TrimSuffix(rest, ".")); !ok || at < want[i]-1 || at > want[i]+1 {
			t.Errorf("line %d: %q", i, l)
		}
	}
	// The answer follows the words of the task and of its options, not the labels.
	picked := func(s string) string { _, text, _ := strings.Cut(s, ". "); return text }
	turned := chat(t, solverSystem, "Task:\nWhich one floats?\n(A) a coin\n(B) a stone\n(C) a cork\n(D) an iron bar. Yes")
	if picked(strings.TrimPrefix(turned, "Answer: ")) != picked(strings.TrimPrefix(plain, "Answer: ")) {
		t.Errorf("%q, turned %q", plain, turned)
	}
	a := chat(t, solverSystem, "Task:\nHow many are nine nines?")
	b := chat(t, solverSystem, "Task:\n  How many   are nine nines?\n\nThis reader wants:\n- Kettle talk: some")
	if strings.Trim(strings.TrimPrefix(a, "Answer: "), "0123456789") != "" || !strings.HasPrefix(b, a+"\n") {
		t.Errorf("number task: %q, %q", a, b)
	}
}

func TestAnswersAreChance(t *testing.T) {
	var count [4]int
	const n = 2000
	for i := range n {
		reply := chat(t, solverSystem, fmt.Sprintf("Task:\nWhy %s?\nA) one\nB) two\nC) three\nD) four", nonsense(uint64(i))))
		count[reply[len("Answer: ")]-'A']++
	}
	for i, c := range count {
		within(t, "option "+string(rune('A'+i)), c, n, .25)
	}
}

func TestSlipRate(t *testing.T) {
	for m, want := range map[int]float64{0: .1, 1: .1, 4: .1, 6: .4, 8: .55, 36: .9} {
		if got := slipRate(m); got < want-1e-12 || got > want+1e-12 {
			t.Errorf("m = %d: %v, want %v", m, got, want)
		}
	}
	for m, rate := range map[int]float64{4: .1, 6: .4, 8: .55} {
		slips, up, cells := 0, 0, 0
		for i := range 800 {
			want := make([]int, m)
			for j := range want {
				want[j] = 1 + (i+j)%3
			}
			reply := chat(t, solverSystem, solverPrompt("Why "+nonsense(uint64(i))+"?", scales[:m], want))
			for j, l := range strings.Split(reply, "\n")[1:] {
				cells++
				_, amount, _ := strings.Cut(strings.TrimSuffix(l, "."), ": ")
				switch at := slices.Index(scales[j].levels, amount); at {
				case want[j]:
				case want[j] + 1:
					up++
					slips++
				case want[j] - 1:
					slips++
				default:
					t.Fatalf("%q is no neighbour of level %d", l, want[j])
				}
			}
		}
		within(t, fmt.Sprintf("slips with %d instructions", m), slips, cells, rate)
		within(t, fmt.Sprintf("slips upward with %d instructions", m), up, slips, .5)
	}
}

func TestStatedScale(t *testing.T) {
	tests := []struct {
		in     instruction
		want   []string // what may be stated, in all
		reason string
	}{
		{instruction{"x", "a little", nil}, []string{"a little", "none", "some"}, "the ladder"},
		{instruction{"x", "none", nil}, []string{"none", "a little"}, "inward at the low end"},
		{instruction{"x", "As much as  possible", nil}, []string{"As much as  possible", "much"}, "inward at the high end"},
		{instruction{"x", "lots", nil}, []string{"lots"}, "not on the ladder"},
		{instruction{"x", "some", []string{"few", "many"}}, []string{"some"}, "not on the scale of its line"},
		{instruction{"x", "few", []string{"few"}}, []string{"few"}, "no neighbour"},
	}
	for _, tt := range tests {
		var got []string
		for salt := range uint64(500) {
			if s := stated(tt.in, 8, mix(salt)); !slices.Contains(got, s) {
				got = append(got, s)
			}
		}
		slices.Sort(got)
		slices.Sort(tt.want)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: stated %q, want %q", tt.reason, got, tt.want)
		}
	}
}

func TestQualityRoundTrip(t *testing.T) {
	for want, amount := range ladder {
		reply := chat(t, solverSystem, "Task:\nWhy?\n\nThis reader wants:\n- Kettle talk: "+amount)
		_, said, _ := strings.Cut(strings.TrimSuffix(reply, "."), "Kettle talk: ")
		stated := slices.Index(ladder[:], said)
		var g graded
		decode(t, chat(t, "", qualityPrompt(reply, "Kettle talk", amount)), &g)
		if g.Score != 5-max(stated-want, want-stated) {
			t.Errorf("wanted %q, stated %q: score %d", amount, said, g.Score)
		}
	}
}

func TestCorrectness(t *testing.T) {
	tests := []struct {
		reference, response string
		want                bool
		reason              string
	}{
		{"B", "Answer: B. a cork.\nAs to x: y.", true, "label"},
		{"B", "answer : (b)", true, "label in brackets, case"},
		{"B", "**Answer:** C", false, "other label"},
		{"B) a cork", "Answer: a cork", true, "words of the option"},
		{"B", "I think B.", false, "no final answer"},
		{"1,200", "Answer: 1200", true, "number"},
		{"12", "Answer: 12 metres.", true, "number with a unit"},
		{"12", "Answer: 12.5", false, "other number"},
		{"-3", "Answer: −3", true, "minus sign"},
		{"1/2", "Answer: 1/2.", true, "by words"},
		{"the red door", "Answer: The red door.", true, "words"},
		{"B", "Answer: A\nAnswer: B", true, "the last one counts"},
		{"B", "Answer:\nB", true, "on the next line"},
		{"", "Answer: ", false, "nothing at all"},
	}
	for _, tt := range tests {
		var got struct{ Correct *bool }
		decode(t, chat(t, "Is it right?", "Reference answer: "+tt.reference+"\nResponse:\n<<<\n"+tt.response+"\n>>>"), &got)
		if got.Correct == nil || *got.Correct != tt.want {
			t.Errorf("%s: %q for %q: not %v", tt.reason, tt.response, tt.reference, tt.want)
		}
	}
}

func TestOthers(t *testing.T) {
	list := "You may ask about:\n- Kettle talk: Do you like tea?\n- Rhyme use: Would you like verses?\n\n"
	levels := "Levels, from least to most:\n1. none\n2. a little\n3. some\n4. much\n5. as much as possible\n"
	care := "What you care about:\n- Kettle talk: two or three cosy remarks\n- Rhyme use: some (from least to most: none | some)\n\n"
	tests := []struct{ system, user, want, reason string }{
		{"", list, `{"action": "ask", "text": "Do you like tea?"}`, "nothing asked"},
		{"", list + "Asked: do you like tea", `{"action": "ask", "text": "Would you like verses?"}`, "by the question"},
		{"", list + "Asked: How about the use of rhymes?", `{"action": "ask", "text": "Do you like tea?"}`, "by the name, out of order"},
		{"", list + "Asked: Would you like verses?\nAnswered: no\nAsked: Do you like tea?", `{"action": "answer"}`, "all asked"},
		{list, "Asked: Do you like tea?", `{"action": "ask", "text": "Would you like verses?"}`, "list in the system message"},
		{"", care + "Question: How much talking of kettles?", `{"thought": "The question is about Kettle talk.", "response": "For me: two or three cosy remarks."}`, "in the profile"},
		{care, "Question: Shall I use rhyme?", `{"thought": "The question is about Rhyme use.", "response": "For me: some."}`, "profile in the system message"},
		{"", care + "Question:\nAny ships?", `{"thought": "The question is about nothing I care about.", "response": "I have no preference about that."}`, "not in the profile"},
		{"", "Question asked: x?\nReply to interpret: For me: a little.\n" + levels, `{"held": true, "level": 2}`, "a level"},
		{"", "Question asked: x?\nReply to interpret:\n<<<\nAs much as possible!\n>>>\n" + levels, `{"held": true, "level": 5}`, "fenced"},
		{"", "Question asked: x?\nReply to interpret: I don't really mind.\n" + levels, `{"held": false, "level": null}`, "does not care"},
		{"", "Question asked: x?\nReply to interpret: I have no preference about that.", `{"held": false, "level": null}`, "the user's words"},
		{"", "Question asked: x?\nReply to interpret: Purple.\n" + levels, `{"held": true, "level": null}`, "no level"},
		{"", "Hello!", Introduction, "unrecognised"},
	}
	for _, tt := range tests {
		if got := chat(t, tt.system, tt.user); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.reason, got, tt.want)
		}
	}
}
