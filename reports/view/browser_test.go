package view

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"image/png"
	"math"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"pepbench/bench/record"
	"pepbench/reports"
)

// twoRuns are the made-up run, reported, and one of the same name in which some sessions
// fared otherwise and two are lacking.
func twoRuns(t *testing.T) (a, b *journal, base string) {
	a, b = made(), made()
	b.m.Name = "after"
	b.sessions = slices.DeleteFunc(b.sessions, func(s record.Session) bool { return s.Task == "t3" && s.User == "u3" && s.Strategy == "none" })
	low := 1.0
	b.find("static/1/t2/u1").Checkpoints[2].Raw = &low
	return a, b, serve(t, a.write(t, true), b.write(t, false))
}

func one(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strings.Replace(fmt.Sprintf("%.1f", v), "-", "−", 1)
}

// words is the text of what a selector finds first.
func (b *browser) words(selector string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf("(document.querySelector(%q)?.innerText ?? 'nothing is '+%[1]q).replace(/\\s+/g, ' ').trim()", selector))
}

func (b *browser) has(reason, selector string, parts ...string) {
	b.t.Helper()
	text := b.words(selector)
	for _, p := range parts {
		if !strings.Contains(text, p) {
			b.t.Errorf("%s: %s says %q, which lacks %q", reason, selector, text, p)
		}
	}
}

func (b *browser) press(keys string) {
	b.t.Helper()
	if len(keys) != 1 || keys < " " { // a key that writes nothing
		b.do("press "+keys, chromedp.KeyEvent(keys))
		return
	}
	// One event with its text, as a keyboard has it: whoever takes the key takes the text.
	down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: keys, Text: keys}
	call(b, input.DispatchKeyEvent, down)
	down.Type, down.Text = input.DispatchKeyEventTypeKeyUp, ""
	call(b, input.DispatchKeyEvent, down)
}

// tabTo presses Tab until what is focused matches, and then Enter.
func (b *browser) tabTo(selector string) {
	b.t.Helper()
	for range 80 {
		b.press(kb.Tab)
		if eval[bool](b, fmt.Sprintf("document.activeElement.matches(%q)", selector)) {
			return
		}
	}
	b.fatal("Tab", fmt.Errorf("never reaches %s", selector))
}

// TestBrowser looks at every page as a reader does: what it says is what the journal has.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Log("-short: the page is not looked at")
		return
	}
	ja, jb, base := twoRuns(t)
	b := newBrowser(t)
	b.look(1280, 800, "light")

	// The run: warnings before everything else, then who was simulated, then numbers.
	b.open(base + "/")
	b.has("warnings come first", ".notes > :first-child", "warning", "a warning "+evil)
	b.has("who was simulated", ".notes", "Solver is the embedded simulator, not a language model")
	metrics := computed(t, ja)
	for i, r := range metrics.Strategies {
		at := 2
		if r.Kind == "none" || r.Kind == "oracle" {
			at = 0
		}
		b.has("headline", fmt.Sprintf(".headline tbody tr:nth-child(%d)", i+1), r.Name, one(float64(r.Alignment[at].Value)), fmt.Sprintf("[%s, %s]", one(float64(r.Alignment[at].Lo)), one(float64(r.Alignment[at].Hi))))
	}
	b.has("adaptivity is not that of the report's main table", ".headline thead", "Adaptivity, corrected")
	b.has("the report is linked", ".actions", "report.html")
	b.has("the runs given", "main", "Runs given", "after", "made up")

	b.has("numbers of a simulator say so on every page", ".top .tag", "simulated solver")

	// By keyboard alone: to the sessions, search, down, open.
	b.tabTo(".actions a")
	b.press(kb.Enter)
	b.until("the list", "document.querySelector('.count')?.textContent === '96 sessions'")
	b.press("/")
	b.do("type", chromedp.KeyEvent("pep T2"))
	b.until("the search", "document.querySelector('.count').textContent === '8 of 96 sessions' && location.search === '?q=pep+T2'")
	b.press(kb.Enter)
	b.until("the first row", "document.activeElement.closest('tr') === document.querySelector('.results tbody tr')")
	b.press("j")
	b.press(kb.ArrowDown)
	b.press("k")
	b.until("the second row", "document.activeElement.closest('tr') === document.querySelectorAll('.results tbody tr')[1]")
	list := matching(ja, "pep+latent", "t2")
	b.press(kb.Enter)
	b.until("the session", "location.pathname === '/runs/0/session'")
	b.settled("the session")
	b.shows(ja, list[1].ID)
	b.press("]")
	b.until("the next session", fmt.Sprintf("new URLSearchParams(location.search).get('id') === %q", list[2].ID))
	b.settled("the next session")
	b.shows(ja, list[2].ID)
	b.press("[")
	b.until("the session before", fmt.Sprintf("new URLSearchParams(location.search).get('id') === %q", list[1].ID))
	b.settled("the session before")
	b.press("j")
	b.until("the first question", "document.activeElement === document.querySelector('.turn h3')")
	b.press("u")
	b.until("the list again, as it was", "location.search === '?q=pep+T2' && document.querySelector('.count')?.textContent === '8 of 96 sessions'")

	// Filters are in the address, and the back button takes them away.
	b.open(base + "/runs/0/sessions")
	b.do("filter", chromedp.Click(chromedp.CSS(`[id="f-strategy-static"]`)))
	b.until("the filter", "document.querySelector('.count').textContent === '24 of 96 sessions' && location.search === '?strategy=static'")
	b.do("filter", chromedp.Click(chromedp.CSS(`[id="f-stop-user"]`)))
	b.until("both filters", "document.querySelector('.count').textContent === '1 of 96 sessions'")
	b.has("the session that its user ended", ".results tbody", "static", "t1", "u1", "the user wanted no more")
	b.do("back", chromedp.Evaluate[chromedp.Void]("history.back()"))
	b.until("one filter", "document.querySelector('.count').textContent === '24 of 96 sessions' && !document.getElementById('f-stop-user').checked && document.getElementById('f-strategy-static').checked")
	b.do("back", chromedp.Evaluate[chromedp.Void]("history.back()"))
	b.until("none", "document.querySelector('.count').textContent === '96 sessions' && location.search === ''")
	b.has("as does the list", ".top .tag", "simulated solver")
	b.open(base + "/runs/0/sessions?state=undefined&state=failed&sort=-alignment")
	b.has("a link to a filter", ".count", "2 of 96 sessions")
	b.has("what has no alignment shows none", ".results tbody tr:nth-child(1) .alignment", "–")
	b.has("and says why it has none", ".results tbody", "failed", "undefined")

	// Sessions: whole, with texts that try to be more than text.
	for _, id := range []string{"pep+latent/1/t2/u1", "static/2/t1/u1", "static/1/t1/u1", "oracle/1/t3/u2", "pep+latent/2/t3/" + evil, "pep+latent/1/t2/u2", "pep+latent/1/t2/u3"} {
		b.open(base + "/runs/0/session?" + url.Values{"id": {id}}.Encode())
		b.shows(ja, id)
	}
	b.has("why it has no alignment", ".tiles", "no level in the reply "+evil)
	b.open(base + "/runs/0/session?id=static/1/t1/u1")
	b.has("off the log", ".turn:nth-child(1)", "not in the log")
	b.do("all beliefs", chromedp.Click(chromedp.CSS("#all")))
	b.until("all beliefs", "document.querySelectorAll('.turn:first-child .belief tbody tr').length === 6 && document.getElementById('all').getAttribute('aria-pressed') === 'true' && new URLSearchParams(location.search).get('all') === '1'")
	b.has("a nominal criterion has no expected value", ".turn:first-child .belief tbody tr:last-child", "pace", "level 1, 0.50")
	b.do("a checkpoint", chromedp.Click(chromedp.CSS("#cp-1")))
	b.until("the checkpoint", fmt.Sprintf("document.querySelector('.grade .big').textContent === %q && new URLSearchParams(location.search).get('cp') === '1'", one(100*(*ja.find("static/1/t1/u1").Checkpoints[1].Raw-1)/4)))

	// Side by side.
	b.press("c")
	b.until("side by side", "location.pathname === '/pair'")
	b.settled("side by side")
	b.pair(ja, ja, "static/1/t1/u1", eval[string](b, "new URLSearchParams(location.search).get('idb')"))
	b.do("choose", chromedp.SetValue(chromedp.CSS("#side-B"), "pep+latent/1/t1/u1"), chromedp.Evaluate[chromedp.Void]("document.getElementById('side-B').dispatchEvent(new Event('change'))"))
	b.until("the other one", "new URLSearchParams(location.search).get('idb') === 'pep+latent/1/t1/u1' && document.querySelectorAll('h2')[1].innerText.includes('pep+latent')")
	b.pair(ja, ja, "static/1/t1/u1", "pep+latent/1/t1/u1")

	// Two runs.
	b.open(base + "/compare?a=0&b=1")
	b.has("how many are in both", ".count", "94 sessions in both")
	b.has("unmatched ones are counted", ".note.warn", "2 only in A and 0 only in B")
	x, _ := final(ja.find("static/1/t2/u1"))
	y, _ := final(jb.find("static/1/t2/u1"))
	b.has("the largest difference is first", ".results tbody tr:nth-child(1)", "static/1/t2/u1", one(x), one(y), one(y-x))
	b.press("j")
	b.press(kb.Enter)
	b.until("the two sessions", "location.pathname === '/pair'")
	b.settled("the two sessions")
	b.pair(ja, jb, "static/1/t2/u1", "static/1/t2/u1")
	b.has("the same dialogue", "main", "The two dialogues are the same.")

	// Help, which ends with Escape and gives the focus back.
	b.open(base + "/runs/1")
	b.has("a run that is not reported", "main", "The run is not reported yet")
	b.press("?")
	b.until("the keys", "document.getElementById('keys').open")
	b.press(kb.Escape)
	b.until("no keys", "!document.getElementById('keys').open")

	if eval[bool](b, "'hacked' in window") {
		t.Error("text of a run was run")
	}
	b.clean()
}

func computed(t *testing.T, j *journal) *reports.Metrics {
	t.Helper()
	run, err := reports.Load(j.write(t, false))
	if err != nil {
		t.Fatal(err)
	}
	return reports.Compute(run)
}

func matching(j *journal, strategy, task string) (out []*record.Session) {
	for i := range j.sessions {
		if s := &j.sessions[i]; s.Strategy == strategy && s.Task == task {
			out = append(out, s)
		}
	}
	return out
}

// plain is how the page has whitespace.
func plain(s string) string { return strings.Join(strings.Fields(s), " ") }

// shows holds the page of a session to the session.
func (b *browser) shows(j *journal, id string) {
	b.t.Helper()
	s := j.find(id)
	b.has(id, "h1", s.Strategy, s.Task, s.User, fmt.Sprint("seed ", s.Seed))
	a, answer := final(s)
	b.has(id, ".tiles > :nth-child(1)", "Alignment after 2", one(a))
	b.has(id, ".tiles > :nth-child(2)", fmt.Sprint(len(s.Turns)))
	if answer != "unknown" {
		b.has(id, ".tiles > :nth-child(3)", answer)
	}
	nice := func(c string) string {
		c = strings.ReplaceAll(c, "_", " ")
		if strings.Contains(s.Criteria[0], "_") && strings.Contains(c, " ") {
			c = strings.ToUpper(c[:1]) + c[1:]
		}
		return plain(c)
	}
	if n := eval[int](b, "document.querySelectorAll('.turn').length"); n != len(s.Turns) {
		b.t.Errorf("%s: %d turns, want %d", id, n, len(s.Turns))
	}
	for i, turn := range s.Turns {
		at := fmt.Sprintf(".turn:nth-child(%d)", i+1)
		answer := "not held"
		if turn.Answer.IsHeld() {
			answer = fmt.Sprintf("held, %v of 5", turn.Answer.Value())
		}
		b.has(id, at+" h3", nice(s.Criteria[turn.Question]))
		b.has(id, at+" .ask .said", answer)
		b.has(id, at, plain(turn.Asked), plain(turn.Said), "Why this question", "0.500", "0.250")
		before := s.Prior
		if i > 0 {
			before = s.Turns[i-1].Inference
		}
		b.has(id, at+" .belief tbody tr:nth-child(1)", nice(s.Criteria[turn.Question]), fmt.Sprintf("%.2f", turn.Inference.Held[turn.Question]))
		if p, q := before.Held[turn.Question], turn.Inference.Held[turn.Question]; p != q {
			b.has(id, at+" .belief tbody tr:nth-child(1)", fmt.Sprintf("%.2f", p))
		}
		if turn.Counterfactual != nil {
			next := s.Criteria[turn.Counterfactual.Next]
			b.has(id, at+" .cf", "had the answer been", nice(next))
		}
	}
	told := "This strategy did not see it."
	if s.Strategy == "oracle" {
		told = "This strategy was told it."
		b.has(id, ".nothing", "This strategy asks nothing.")
	}
	b.has(id, ".truths", told)
	for i, c := range s.Truth.Cells {
		if c.IsHeld() {
			b.has(id, ".truths table", nice(s.Criteria[i]), fmt.Sprintf("%.2f", s.Truth.Weight(i)))
		}
	}
	if s.Error != "" {
		b.has(id, ".note.bad", plain(s.Error))
		return
	}
	cp := s.Checkpoint(2)
	if cp == nil {
		cp = &s.Checkpoints[0]
	}
	if cp.Carried {
		b.has(id, ".grade", "carried forward")
		return
	}
	b.has(id, ".grade .big", one(a))
	b.has(id, ".response", plain(cp.Response))
	b.has(id, ".checkpoint", "Response simulated")
	for i, sc := range cp.Scores {
		row := fmt.Sprintf(".grades tbody tr:nth-child(%d)", i+1)
		b.has(id, row, nice(s.Criteria[sc.Position]), plain(sc.Reason))
		if sc.Score != nil {
			b.has(id, row+" .score", fmt.Sprint(*sc.Score))
		}
	}
	for _, o := range []string{"none", "oracle", "pep+latent", "static"} {
		other, _ := final(j.find(strings.Replace(s.ID, s.Strategy, o, 1)))
		b.has(id, ".siblings", o, one(other))
	}
}

// pair holds the page of two sessions to them.
func (b *browser) pair(ja, jb *journal, ida, idb string) {
	b.t.Helper()
	x, y := ja.find(ida), jb.find(idb)
	if x == nil || y == nil {
		b.t.Fatalf("no sessions %q and %q", ida, idb)
	}
	va, _ := final(x)
	vb, _ := final(y)
	b.has("A", ".tiles > :nth-child(1)", one(va))
	b.has("B", ".tiles > :nth-child(2)", one(vb))
	sign := ""
	if vb-va > .05 {
		sign = "+"
	}
	b.has("B - A", ".tiles > :nth-child(3)", sign+one(vb-va))
	for i := range max(len(x.Turns), len(y.Turns)) {
		if i >= len(x.Turns) || i >= len(y.Turns) || x.Turns[i].Question != y.Turns[i].Question || !x.Turns[i].Answer.Equal(y.Turns[i].Answer) {
			b.has("where they part", ".fork", fmt.Sprintf("First divergence: question %d.", i+1))
			if at := eval[int](b, "[...document.querySelectorAll('.pairs tbody tr')].findIndex((r) => r.matches('.fork'))"); at != i {
				b.t.Errorf("the first divergence is marked before row %d, want %d", at, i)
			}
			return
		}
	}
	if n := eval[int](b, "document.querySelectorAll('.fork').length"); n != 0 {
		b.t.Errorf("%d divergences of equal dialogues", n)
	}
}

// TestAccessible: every page, in both schemes and at both widths, can be used by who sees
// it otherwise or not at all.
func TestAccessible(t *testing.T) {
	if testing.Short() {
		t.Log("-short: the page is not looked at")
		return
	}
	_, _, base := twoRuns(t)
	b := newBrowser(t)
	pages := []string{
		"/runs/0", "/runs/0/sessions", "/runs/0/sessions?q=nowhere", "/runs/0/session?id=pep%2Blatent/1/t2/u1",
		"/runs/0/session?id=pep%2Blatent/1/t2/u2", "/pair?a=0&b=0&ida=static/1/t1/u1&idb=pep%2Blatent/1/t1/u1", "/compare?a=0&b=1",
	}
	for _, page := range pages {
		b.look(1280, 800, "light")
		b.open(base + page)
		b.named(page)
		for _, width := range []int64{1280, 400} {
			for _, scheme := range []string{"light", "dark"} {
				b.look(width, 800, scheme)
				if over := eval[int64](b, "document.documentElement.scrollWidth"); over > width {
					t.Errorf("%s at %d: the page is %d wide", page, width, over)
				}
				for _, fault := range eval[[]string](b, contrast) {
					t.Errorf("%s at %d, %s: %s", page, width, scheme, fault)
				}
			}
		}
	}
	if dark := eval[bool](b, "matchMedia('(prefers-color-scheme: dark)').matches"); !dark {
		t.Error("the dark scheme was not looked at")
	}
	// Whatever is reached by Tab shows that it is.
	b.look(1280, 800, "light")
	b.open(base + "/runs/0/session?id=pep%2Blatent/1/t2/u1")
	seen := map[string]bool{}
	for range 60 {
		b.press(kb.Tab)
		at := eval[[]string](b, `(() => { const e = document.activeElement, c = e.matches(".segments input") ? e.nextElementSibling : e, s = getComputedStyle(c); return [e.tagName + " " + (e.id || e.innerText || e.getAttribute("aria-label")), s.outlineStyle, s.outlineWidth]; })()`)
		if strings.HasPrefix(at[0], "BODY") {
			break
		}
		seen[at[0]] = true
		if at[1] == "none" || at[2] == "0px" {
			t.Errorf("%s has the focus and does not show it", at[0])
		}
	}
	if len(seen) < 12 {
		t.Errorf("Tab reaches %d things only: %v", len(seen), seen)
	}
	b.clean()
}

// named reads the accessibility tree: controls and pictures have names, headings are in
// order, and there are landmarks.
func (b *browser) named(page string) {
	b.t.Helper()
	tree := call(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	text := func(v *accessibility.Value) string {
		if v == nil {
			return ""
		}
		var s string
		_ = json.Unmarshal(v.Value, &s) // others are no text
		return strings.TrimSpace(s)
	}
	controls := strings.Fields("button link textbox searchbox combobox checkbox radio spinbutton listbox option slider progressbar image img dialog region form navigation table")
	roles, last, top := map[string]int{}, 0, 0
	for _, n := range tree.Nodes {
		if n.Ignored {
			continue
		}
		role := text(n.Role)
		roles[role]++
		if slices.Contains(controls, role) && text(n.Name) == "" {
			b.t.Errorf("%s: a %s has no name", page, role)
		}
		if role != "heading" {
			continue
		}
		level := 0
		for _, p := range n.Properties {
			if p.Name == "level" {
				_ = json.Unmarshal(p.Value.Value, &level) // 0 is no level
			}
		}
		if level < 1 || level > last+1 {
			b.t.Errorf("%s: heading %q of level %d comes after one of level %d", page, text(n.Name), level, last)
		}
		if level == 1 {
			top++
		}
		last = level
	}
	for role, least := range map[string]int{"main": 1, "banner": 1, "navigation": 1, "link": 3, "button": 1, "heading": 1} {
		if roles[role] < least {
			b.t.Errorf("%s: %d of %s", page, roles[role], role)
		}
	}
	if top != 1 {
		b.t.Errorf("%s: %d headings of level 1", page, top)
	}
	loose := eval[[]string](b, `[...document.querySelectorAll("main thead th:not([scope=col]), main tbody th:not([scope=row]), main table:not(:has(> caption))")].map((e) => e.outerHTML.slice(0, 80))`)
	for _, l := range loose {
		b.t.Errorf("%s: without scope or caption: %s", page, l)
	}
}

// contrast gives the texts that have less contrast to what is behind them than WCAG 2.1
// asks for (4.5; 3 for large ones), and how many texts were looked at if too few.
const contrast = `(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (c) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
  const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const lum = (c) => { const l = c.slice(0, 3).map((v) => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * l[0] + .7152 * l[1] + .0722 * l[2]; };
  const ratio = (a, b) => { const [x, y] = [lum(a), lum(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  const behind = (e) => { const stack = []; for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] > 0) stack.push(c); if (c[3] === 1) break; } return stack.reverse().reduce((b, c) => over(c, b), [255, 255, 255, 1]); };
  const out = new Set();
  let n = 0;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement, s = getComputedStyle(e);
    if (!walk.currentNode.textContent.trim() || !e.checkVisibility() || e.closest(".unseen, script, noscript, title, dialog:not([open])")) continue;
    n++;
    const back = behind(e), ink = over(rgba(e.closest("svg") ? s.fill : s.color), back), size = parseFloat(s.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(s.fontWeight) >= 700);
    const r = ratio(ink, back);
    if (r < (large ? 3 : 4.5)) out.add(e.tagName + "." + (e.getAttribute("class") || "") + " '" + walk.currentNode.textContent.trim().slice(0, 30) + "' has " + r.toFixed(2));
    const tick = e.closest(".tick"); // which is shaded by its share
    if (tick && ratio(ink, rgba(getComputedStyle(document.documentElement).getPropertyValue("--soft"))) < 4.5) out.add("on shading: " + e.outerHTML);
  }
  if (n < 10) out.add("looked at " + n + " texts only");
  return [...out];
})()`

// TestWaiting: while the index is made the page says so, and shows the sessions when it is
// there.
func TestWaiting(t *testing.T) {
	if testing.Short() {
		t.Log("-short: the page is not looked at")
		return
	}
	v, err := Open(made().write(t, false))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(v.Handler())
	defer srv.Close()
	r := v.runs[0]
	defer r.close()
	r.mu.Lock()
	r.building, r.done, r.total = true, 3_000_000, 12_000_000
	r.mu.Unlock()
	b := newBrowser(t)
	b.do("open", chromedp.Navigate(srv.URL+"/runs/0/sessions"))
	b.until("progress", "document.querySelector('progress')?.value === 0.25 && document.querySelector('main').innerText.includes('3 of 12 MB')")
	b.named("waiting")
	r.open(context.Background())
	b.until("the sessions", "document.querySelector('.count')?.textContent === '96 sessions'")
	b.clean()
}

var (
	regen = flag.Bool("regen", false, "write the README's picture of the page, results/readme/viewer.png")
	ofRun = flag.String("of", "results/medical", "run that the picture is of, from the root of the repository")
	ofOne = flag.String("session", "", "its session; empty: the one of pep+latent with the median alignment")
)

// TestPicture takes the README's picture: a session at 1280x800. Without -regen it is one
// of the made-up run, and is only looked at. Equal runs and fonts give equal pictures.
func TestPicture(t *testing.T) {
	if testing.Short() {
		t.Log("-short: the page is not looked at")
		return
	}
	dir, out, id := made().write(t, true), filepath.Join(t.TempDir(), "viewer.png"), "pep+latent/1/t2/u1"
	if *regen {
		if dir = *ofRun; !filepath.IsAbs(dir) {
			dir = filepath.Join("../..", dir)
		}
		out, id = "../../results/readme/viewer.png", *ofOne
	}
	base := serve(t, dir)
	if id == "" {
		var p page
		const list = "/api/runs/0/sessions?strategy=pep%2Blatent&state=graded&sort=alignment&limit=1"
		get(t, base+list, &p)
		if p.Total == 0 {
			t.Fatalf("%s has no session of pep+latent to take a picture of; name one with -session", dir)
		}
		get(t, fmt.Sprintf("%s%s&offset=%d", base, list, p.Total/2), &p)
		id = p.Rows[0].ID
	}
	b := newBrowser(t)
	b.look(1280, 800, "light")
	b.open(base + "/runs/0/session?" + url.Values{"id": {id}}.Encode())
	first := run1(b, "picture", chromedp.CaptureScreenshot())
	b.open(base + "/runs/0/session?" + url.Values{"id": {id}}.Encode())
	second := run1(b, "picture", chromedp.CaptureScreenshot())
	if !bytes.Equal(first, second) {
		t.Error("two pictures of one page differ")
	}
	b.clean()
	if err := os.WriteFile(out, first, 0o644); err != nil {
		t.Fatal(err)
	}
	img, err := png.DecodeConfig(bytes.NewReader(first))
	if err != nil || img.Width != 1280 || img.Height != 800 {
		t.Errorf("a picture of %dx%d, %v", img.Width, img.Height, err)
	}
}
