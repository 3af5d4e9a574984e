// One session: what the user really wanted, what was asked, answered and believed, and
// what solver and judge made of it.
import { h, s, num, short, signed, whole, plural, mark, bar, replace, table, td, th, tr, nice, criterion, cell, same, alignment, stopWords, offLog, dash, isNum, unseen } from "./dom.js";
import { about, api, go, address, walk } from "./main.js";
import { filters, answerMark } from "./list.js";

// scaleOf is the number of levels, where it is known: amounts have five.
export const scaleOf = (o) => (o.manifest.data.rubric === "amount" ? 5 : 0);
export const beliefAt = (x, n) => (n <= 0 ? x.prior : (x.turns || [])[Math.min(n, x.turns.length) - 1]?.inference || x.prior);
const heldAt = (inf, i) => inf?.held?.[i] ?? null;
const valueAt = (inf, i) => inf?.value?.[i] ?? null;
// levelAt is the likeliest level of a nominal criterion, which has no expected value.
function levelAt(inf, i) {
  const p = inf?.levels?.[i];
  if (!p?.some((v) => v > 0)) return null;
  const k = p.indexOf(Math.max(...p.filter(isNum)));
  return `level ${k}, ${num(p[k], 2)}`;
}
export const sessionURL = (run, id, q) => { const a = filters(q); a.set("id", id); return `/runs/${run}/session?${a}`; };
export const pairURL = (a, ida, b, idb) => "/pair?" + new URLSearchParams({ a, ida, b, idb });

// finalOf is the checkpoint that counts, as the index has it: one that is carried without
// a grade stands for the last graded one, and floor and ceiling have one only.
export function finalOf(x, n) {
  const all = x.checkpoints || [];
  const cp = all.find((c) => c.questions === n) || (all.length === 1 ? all[0] : null);
  if (!cp || !cp.carried || isNum(cp.raw) || (cp.scores || []).length) return cp;
  return all.filter((c) => !c.carried && c.questions < n).sort((a, b) => b.questions - a.questions)[0] || cp;
}

// whyUndefined words why a checkpoint has no alignment.
export function whyUndefined(cp) {
  if (!cp) return "no checkpoint";
  const bad = (cp.scores || []).find((x) => !isNum(x.score));
  if (bad) return bad.unscored || "unscored, no reason recorded";
  return (cp.scores || []).length ? "no weight on what is graded" : "nothing graded";
}

export function weightOf(x, i) {
  const w = x.truth.weights;
  if (w && w.length) return w[i] ?? 0;
  const n = x.truth.cells.filter((c) => typeof c === "number").length;
  return typeof x.truth.cells[i] === "number" && n ? 1 / n : 0;
}

export const question = (x, i) => (i >= 0 && x.criteria[i] !== undefined ? criterion(x.criteria[i]) : h("span", { class: "criterion none" }, "no criterion, or one asked before"));

export async function session({ run, q, current }) {
  const o = await about(run);
  const by = new Map(o.strategies.map((x) => [x.name, x]));
  const id = q.get("id") || "";
  const ask = filters(q);
  ask.set("id", id);
  const d = await api(`/api/runs/${run}/session?${ask}`);
  if (!current()) return {};
  const x = d.session, r = d.row, scale = scaleOf(o);
  x.turns ||= [];
  x.checkpoints ||= [];
  const listURL = "/runs/" + run + "/sessions" + (String(filters(q)) ? "?" + filters(q) : "");
  const step = (to) => to && go(sessionURL(run, to, q));
  const others = d.siblings.filter((y) => y.id !== r.id);
  const beside = others.find((y) => by.get(y.strategy)?.name === o.reference) || others.find((y) => by.get(y.strategy)?.color) || others[0];
  const compareURL = beside && pairURL(run, r.id, run, beside.id);

  const move = (to, text, key) => to
    ? h("a", { class: "button", href: sessionURL(run, to, q), rel: key === "[" ? "prev" : "next" }, text, " ", h("kbd", { "aria-hidden": "true" }, key))
    : h("span", { class: "button off" }, text, " ", h("kbd", { "aria-hidden": "true" }, key));
  const head = h("div", { class: "head" },
    h("p", { class: "crumbs" }, h("a", { href: listURL }, d.place.at < 0 ? "Sessions" : `${whole(d.place.at + 1)} of ${plural(d.place.total, "session")}`), d.place.at < 0 && h("span", { class: "muted" }, " (the list does not have this one)")),
    h("div", { class: "row" },
      h("h1", { tabindex: "-1" }, mark(by.get(r.strategy)), r.strategy, h("span", { class: "case" }, ` ${r.task} · ${r.user} · seed ${r.seed}`)),
      h("nav", { class: "steps", "aria-label": "Sessions" }, move(d.place.prev, "Previous", "["), move(d.place.next, "Next", "]"),
        compareURL && h("a", { class: "button primary", href: compareURL }, "Side by side ", h("kbd", { "aria-hidden": "true" }, "c")))),
    by.get(r.strategy)?.about && h("p", { class: "muted" }, by.get(r.strategy).about));

  const silent = ["none", "oracle"].includes(by.get(r.strategy)?.kind) && !x.error;
  const final = finalOf(x, d.final);
  const outcome = h("dl", { class: "tiles" },
    tile(`Alignment after ${d.final}`, isNum(r.alignment) ? num(r.alignment, 1) : dash, r.state === "undefined" ? whyUndefined(final) : ""),
    tile("Questions", whole(x.turns.length), (silent ? "asks nothing" : stopWords(x.stop)) + (x.stop_off_log ? x.stop_off_log === "task" ? "; the log stops here on other tasks only" : "; the log has nothing after these answers" : "")),
    x.checkpoints.some((c) => c.correct !== null) && tile("Task answered", answerMark(r.answer), final?.correct_reason || ""),
    tile("Criteria held", whole(x.truth.cells.filter((c) => typeof c === "number").length), `of ${x.criteria.length}`));

  let all = q.get("all") === "1";
  const dialogue = h("ol", { class: "turns" });
  const toggle = h("button", { type: "button", id: "all", "aria-pressed": String(all), onclick: () => {
    all = !all;
    toggle.setAttribute("aria-pressed", String(all));
    const n = new URLSearchParams(location.search);
    all ? n.set("all", "1") : n.delete("all");
    address(location.pathname + "?" + n);
    drawTurns();
  } }, `All ${x.criteria.length} beliefs`);
  function drawTurns() {
    replace(dialogue, x.turns.map((t, n) => turn(x, n, { scale, all, budget: o.manifest.budget })));
  }
  drawTurns();

  const node = h("div", { class: "page" }, head,
    x.error && h("p", { class: "note bad", role: "note" }, h("strong", null, "Failed. "), x.error),
    outcome,
    h("div", { class: "two" },
      h("section", { "aria-labelledby": "dialogue" },
        h("div", { class: "row" }, h("h2", { id: "dialogue" }, "Dialogue"), x.turns.length > 0 && toggle),
        x.turns.length ? dialogue : h("p", { class: "nothing" }, silent ? "This strategy asks nothing." : ["Nothing was asked: ", stopWords(x.stop), "."]),
        x.turns.length > 0 && h("p", { class: "end" }, h("strong", null, "End. "), stopWords(x.stop), ".")),
      h("div", { class: "side" },
        profile(x, scale, by.get(r.strategy)?.kind),
        checkpoints(x, d.final, scale, q, o.state.simulated),
        others.length > 0 && h("section", { "aria-labelledby": "others" }, h("h2", { id: "others" }, "Same task, user and seed"),
          table("plain siblings", "Strategies on the same case", [["Strategy"], ["Questions", "n"], [`Alignment`, "alignment n"], [unseen("Side by side")]], d.siblings.map((y) => tr({ class: y.id === r.id ? "on" : "" },
            th("", mark(by.get(y.strategy)), y.id === r.id ? h("strong", null, y.strategy) : h("a", { href: sessionURL(run, y.id, q) }, y.strategy)),
            td("n", whole(y.questions)), td("alignment n", bar((y.alignment || 0) / 100, isNum(y.alignment) ? "" : "none"), h("span", { class: "value" }, num(y.alignment, 1))),
            td("", y.id === r.id ? h("span", { class: "muted" }, "this one") : h("a", { href: pairURL(run, r.id, run, y.id) }, "beside", unseen(` ${y.strategy}`))))))),
        costs(x))));

  return {
    title: `${r.strategy} · ${r.task} · ${r.user}`, node,
    say: `${r.strategy}, task ${r.task}, user ${r.user}`,
    keys: {
      "[": () => step(d.place.prev), "]": () => step(d.place.next),
      c: () => compareURL && go(compareURL),
      u: () => go(listURL), "/": () => go(listURL + "#search=1"),
      j: () => walk(() => [...dialogue.querySelectorAll("h3")], 1), k: () => walk(() => [...dialogue.querySelectorAll("h3")], -1),
    },
  };
}

const tile = (name, value, note) => h("div", null, h("dt", null, name), h("dd", null, h("span", { class: "big" }, value), note && h("span", { class: "muted" }, " ", note)));

// truth is what the user really wanted, which no strategy that asks saw.
export { truthShort };
export const truth = (c, scale) => h("span", { class: "truth" }, h("span", { "aria-hidden": "true" }, "◆ "), unseen("truth: "), c === null || c === undefined ? "missing" : cell(c, scale));

// turn is one question with all that belongs to it.
function turn(x, n, { scale, all, budget }) {
  const t = x.turns[n], i = t.question;
  const next = x.turns[n + 1];
  const wrong = i >= 0 && t.answer !== null && !same(t.answer, x.truth.cells[i]);
  const tags = [];
  if (t.off_log) tags.push(offLog(t.off_log));
  if (n >= budget) tags.push(h("span", { class: "tag" }, "past the budget"));
  if (t.state) tags.push(h("span", { class: "tag" }, { "no-preference": "no preference", aside: "beside the point", stop: "wanted no more", unread: "unreadable" }[t.state] || t.state));
  if (t.by) tags.push(h("span", { class: "tag" }, `understood by ${t.by}`));
  const cf = t.counterfactual;
  const scores = t.scores || [];
  const digits = scoreDigits(scores);
  const most = Math.max(...scores.map((z) => Math.abs(z.score)), 0);
  return h("li", { class: "turn" },
    h("div", { class: "ask" }, h("h3", { tabindex: "-1" }, h("span", { class: "no" }, unseen("Question "), n + 1), question(x, i)), h("span", { class: "said" }, unseen("answer: "), cell(t.answer, scale)), tags),
    t.asked && h("p", { class: "words" }, t.asked),
    (t.said || wrong || t.answer === null || isNum(t.off_scale)) && h("p", { class: "reply" }, t.said && h("q", null, t.said),
      i >= 0 && (wrong ? h("span", { class: "bad" }, "unlike the ", truth(x.truth.cells[i], scale)) : t.answer === null ? truth(x.truth.cells[i], scale) : null),
      isNum(t.off_scale) && h("span", { class: "tag warn" }, `said ${short(t.off_scale)}, which the criterion cannot take`)),
    (t.volunteered || []).length > 0 && h("p", { class: "muted small" }, "Also told, and passed to no strategy: ", t.volunteered.map((v, k) => [k ? "; " : "", nice(x.criteria[v.position]), " ", cell(v.cell, scale)])),
    (t.again || []).length > 0 && h("p", { class: "muted small" }, "Asked again for the audit: ", t.again.map((c) => cell(c, scale)).join("; ")),
    h("div", { class: "why" + (scores.length ? " both" : "") },
      scores.length > 0 && h("div", { class: "scores" }, h("h4", null, "Why this question"),
        h("ol", null, scores.map((z) => h("li", { class: z.position === i ? "on" : "" }, h("span", { class: "name" }, nice(x.criteria[z.position])), bar(most ? Math.abs(z.score) / most : 0), h("span", { class: "n" }, num(z.score, digits)))))),
      beliefs(x, n, all, scale)),
    cf && h("p", { class: "cf" }, h("strong", null, "Otherwise: "), `had the answer been “${cell(cf.answer, scale)}”, `, after(x, cf.next, next)));
}

// after words where another answer would have led.
function after(x, to, next) {
  const was = next ? next.question : -1;
  if (to === -1) return next ? ["it would have ", h("em", null, "stopped"), "."] : "it would have stopped, too.";
  if (to === -2) return next && next.question < 0 ? "it would have asked about no new criterion, too." : ["it would have asked ", h("em", null, "about no new criterion"), "."];
  if (next && was === to) return ["it would have asked the same: ", criterion(x.criteria[to]), "."];
  return ["it would have asked ", h("em", null, criterion(x.criteria[to])), next && was >= 0 ? [" instead of ", criterion(x.criteria[was])] : "", "."];
}

// scoreDigits shows three digits of the best score, whatever an acquisition is measured in.
function scoreDigits(scores) {
  const most = Math.max(...scores.map((z) => Math.abs(z.score)), 0);
  return most > 0 ? Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(most)))) : 3;
}

const mostMoved = 5;

// beliefs shows P(held) and E[value] before and after the answer, of the criteria that
// moved most, or of all.
function beliefs(x, n, all, scale) {
  const before = beliefAt(x, n), after = x.turns[n].inference;
  const values = x.criteria.map((_, i) => [valueAt(before, i), valueAt(after, i)]).flat().filter(isNum);
  const range = values.length ? Math.max(1, Math.max(...values) - Math.min(...values)) : 1;
  const delta = (a, b) => (isNum(a) && isNum(b) ? Math.abs(b - a) : isNum(a) === isNum(b) ? 0 : 1);
  let rows = x.criteria.map((id, i) => ({ i, id, h0: heldAt(before, i), h1: heldAt(after, i), v0: valueAt(before, i), v1: valueAt(after, i) }));
  for (const r of rows) {
    const p = Math.max(isNum(r.h0) ? r.h0 : 0, isNum(r.h1) ? r.h1 : 0); // values of what is not held matter less
    r.moved = delta(r.h0, r.h1) + (p * delta(r.v0, r.v1)) / range;
  }
  const asked = x.turns[n].question;
  if (!all) {
    rows = rows.filter((r) => r.i === asked || r.moved >= 0.005).sort((a, b) => (b.i === asked) - (a.i === asked) || b.moved - a.moved || a.i - b.i).slice(0, mostMoved);
  }
  if (!rows.length) return h("p", { class: "muted small" }, "No belief moved.");
  return h("div", { class: "beliefs" }, h("h4", null, all ? "Beliefs" : "Beliefs that moved most"),
    table("belief", `Beliefs before and after question ${n + 1}`, [["Criterion"], ["P(held)", "p"], ["E[value]", "n", "of nominal criteria the likeliest level and its probability"], ["Truth", "t", "what the user wanted"]], rows.map((r) => tr({ class: r.i === asked ? "on" : "" },
      th("", criterion(r.id)),
      td("p", move(r.h0, r.h1), h("span", { class: "n" }, step(r.h0, r.h1, 2))),
      td("n", isNum(r.h1) && r.h1 === 0 ? dash : levelAt(after, r.i) ?? step(r.v0, r.v1, 1)),
      td("t", truthShort(x.truth.cells[r.i]))))));
}

const truthShort = (c) => (typeof c === "number" ? h("span", { class: "truth" }, h("span", { "aria-hidden": "true" }, "◆ "), short(c), unseen(" held")) : h("span", { class: "muted" }, c === null ? "?" : "not held"));
const step = (a, b, digits) => (num(a, digits) === num(b, digits) ? num(b, digits) : [num(a, digits), h("span", { class: "to", "aria-hidden": "true" }, "→"), unseen(" to "), h("strong", null, num(b, digits))]);
// move is a bar of what is believed now with a tick where it was.
const move = (a, b) => h("span", { class: "bar move", "aria-hidden": "true" }, isNum(b) && h("i", { "--w": 100 * b + "%" }), isNum(a) && h("b", { "--w": 100 * a + "%" }));

// profile is the truth, with what was found of it.
function profile(x, scale, kind) {
  const asked = new Map(x.turns.map((t, n) => [t.question, n + 1]));
  const end = beliefAt(x, x.turns.length);
  const held = x.truth.cells.map((c, i) => [c, i]).filter(([c]) => typeof c === "number").sort((a, b) => weightOf(x, b[1]) - weightOf(x, a[1]) || a[1] - b[1]);
  const not = x.truth.cells.map((c, i) => [c, i]).filter(([c]) => c === false).map(([, i]) => i);
  const missing = x.truth.cells.map((c, i) => [c, i]).filter(([c]) => c === null).map(([, i]) => i);
  const never = (x.truth.askable || []).map((a, i) => [a, i]).filter(([a]) => !a).map(([, i]) => i);
  const names = (a) => a.map((i, k) => [k ? ", " : "", criterion(x.criteria[i])]);
  const more = (a, text) => a.length > 0 && h("details", null, h("summary", null, text), h("p", { class: "small" }, names(a)));
  return h("section", { class: "truths", "aria-labelledby": "profile" }, h("h2", { id: "profile" }, h("span", { "aria-hidden": "true" }, "◆ "), "True profile"),
    h("p", { class: "muted small" }, `What the user wanted. ${kind === "oracle" ? "This strategy was told it." : "This strategy did not see it."}`),
    held.length ? table("plain", "True profile", [["Criterion"], [scale ? `Of ${scale}` : "Value", "n"], ["Weight", "weight n"], ["Asked", "n", "the question that asked about it"], ["Believed", "n", "P(held) and E[value] in the end"]], held.map(([c, i]) => tr({},
      th("", criterion(x.criteria[i])), td("n", h("strong", null, short(c))), td("weight n", bar(weightOf(x, i)), h("span", { class: "value" }, num(weightOf(x, i), 2))),
      td("n", asked.has(i) ? `Q${asked.get(i)}` : dash), td("n", num(heldAt(end, i), 2), h("span", { class: "muted" }, isNum(valueAt(end, i)) ? ` · ${num(valueAt(end, i), 1)}` : levelAt(end, i) ? ` · ${levelAt(end, i)}` : ""))))) : h("p", { class: "nothing" }, "Nothing is held."),
    more(not, `${whole(not.length)} not held`), more(missing, `${whole(missing.length)} missing`), more(never, `${whole(never.length)} could not be asked`));
}

// checkpoints lets a reader choose one, and shows all of it.
function checkpoints(x, finalAt, scale, q, simulated) {
  if (!x.checkpoints.length) return h("section", { "aria-labelledby": "checkpoints" }, h("h2", { id: "checkpoints" }, "Checkpoints"), h("p", { class: "nothing" }, "None was reached."));
  const wanted = Number(q.get("cp") ?? NaN);
  let at = x.checkpoints.findIndex((c) => c.questions === wanted);
  if (at < 0) at = x.checkpoints.findIndex((c) => c.questions === finalAt);
  if (at < 0) at = x.checkpoints.length - 1;
  const body = h("div", { class: "checkpoint" });
  const curve = h("div", { class: "curve" });
  const choose = h("fieldset", { class: "segments" }, h("legend", null, "After how many questions"), x.checkpoints.map((c, i) => h("label", { class: c.carried ? "carried" : "", title: c.carried ? "carried forward: the session had ended" : null },
    h("input", { type: "radio", name: "cp", id: `cp-${c.questions}`, checked: i === at, onchange: () => {
      at = i;
      const n = new URLSearchParams(location.search);
      n.set("cp", c.questions);
      address(location.pathname + "?" + n);
      draw();
    } }), h("span", null, c.questions))));
  function draw() {
    replace(curve, lines([{ x, cls: "a" }], x.checkpoints[at].questions));
    replace(body, checkpoint(x, at, scale, simulated));
  }
  draw();
  return h("section", { "aria-labelledby": "checkpoints" }, h("h2", { id: "checkpoints" }, "Checkpoints"), curve, choose, body);
}

// lines draws alignment by questions.
export function lines(series, at) {
  const points = series.map(({ x }) => (x.checkpoints || []).map((c) => [c.questions, alignment(c.raw)]));
  const last = Math.max(1, ...points.flat().map(([n]) => n));
  const W = 400, H = 96, L = 26, R = 8, T = 6, B = 16;
  const px = (n) => L + ((W - L - R) * n) / last, py = (v) => T + ((H - T - B) * (100 - v)) / 100;
  const spoken = points.map((p, i) => (series[i].name ? series[i].name + ": " : "") + p.map(([n, v]) => `${n}: ${isNum(v) ? num(v, 1) : "undefined"}`).join(", ")).join("; ");
  const path = (p) => p.reduce((d, [n, v], i) => (isNum(v) ? d + (i && isNum(p[i - 1][1]) ? "L" : "M") + px(n).toFixed(1) + " " + py(v).toFixed(1) : d), "");
  return s("svg", { viewBox: `0 0 ${W} ${H}`, class: "lines", role: "img", "aria-label": `Alignment by questions: ${spoken}` },
    [0, 50, 100].map((v) => [s("line", { x1: L, x2: W - R, y1: py(v), y2: py(v), class: "grid" }), s("text", { x: L - 5, y: py(v) + 3, "text-anchor": "end" }, v)]),
    [...new Set(points.flat().map(([n]) => n))].map((n) => s("text", { x: px(n), y: H - 3, "text-anchor": "middle" }, n)),
    isNum(at) && s("line", { x1: px(at), x2: px(at), y1: T, y2: H - B, class: "now" }),
    points.map((p, i) => [s("path", { d: path(p), class: "line " + series[i].cls }), p.map(([n, v]) => isNum(v) && s("circle", { cx: px(n), cy: py(v), r: n === at ? 4 : 2.5, class: "dot " + series[i].cls }))]));
}

const manyRows = 14;

function checkpoint(x, at, scale, simulated) {
  const by = (role) => simulated.includes(role) && [" ", h("span", { class: "tag" }, "simulated")];
  const c = x.checkpoints[at], scores = c.scores || [], told = c.instructed || [];
  const a = alignment(c.raw);
  const judges = [...new Set(scores.map((z) => z.judge))];
  const amount = scores.some((z) => isNum(z.level));
  const tell = told.map((i, k) => tr({}, th("", criterion(x.criteria[i])), td("n", short(c.wanted?.[k])), td("t", truthShort(x.truth.cells[i]))));
  const toldTable = table("plain", "What the solver was told", [["Criterion"], ["Told", "n"], ["Truth", "t"]], tell);
  return [
    h("p", { class: "grade" }, h("strong", { class: "big" }, isNum(a) ? num(a, 1) : dash), " alignment", h("span", { class: "muted" }, isNum(a) ? ` = 100 (${num(c.raw, 3)} − 1) / 4` : `: ${whyUndefined(c)}`), c.carried && h("span", { class: "tag" }, "carried forward")),
    h("h3", null, "What the solver was told"),
    !told.length ? h("p", { class: "nothing" }, "Nothing about this user.") : told.length > manyRows ? h("details", null, h("summary", null, plural(told.length, "criterion", "criteria")), toldTable) : toldTable,
    c.response ? [h("h3", null, "Response", by("solver")), h("p", { class: "response", tabindex: "0", role: "region", "aria-label": "Response" }, c.response),
      h("p", { class: "small" }, "Task: ", answerMark(c.correct === true ? "right" : c.correct === false ? "wrong" : "unknown"), c.correct_reason && h("span", { class: "muted" }, ` (${c.correct_reason})`))] : !c.carried && h("p", { class: "muted small" }, "The profile solver writes its predictions and no text."),
    scores.length > 0 && [h("h3", null, "Grades", by("judge")),
      table("plain grades", "Grades", [["Criterion"], ["Weight", "n"], [scale ? `True, of ${scale}` : "True", "n"], amount && ["Found", "n"], ["Score", "score n"]].filter(Boolean), scores.map((z) => tr({},
        th("", criterion(x.criteria[z.position]), z.reason && h("span", { class: "reason" }, z.reason), !isNum(z.score) && h("span", { class: "reason bad" }, z.unscored || "no reason recorded")),
        td("n", num(weightOf(x, z.position), 2)), td("n", h("span", { class: "truth" }, short(x.truth.cells[z.position]))), amount && td("n", isNum(z.level) ? z.level : dash),
        td("score n", bar(isNum(z.score) ? (z.score - 1) / 4 : 0, isNum(z.score) ? "" : "none"), h("span", { class: "value" }, isNum(z.score) ? short(z.score) : dash),
          z.repeats?.length > 0 && h("span", { class: "reason" }, `repeats ${z.repeats.map(short).join(", ")}`), isNum(z.before) && h("span", { class: "reason" }, `before ${short(z.before)}`))))),
      h("p", { class: "muted small break" }, "Scores from 1 to 5. ", judges.join(", "))],
  ];
}

function costs(x) {
  const calls = x.calls || [];
  if (!calls.length) return null;
  return h("section", { "aria-labelledby": "calls" }, h("h2", { id: "calls" }, "Calls to models"),
    table("plain", "Calls to models", [["Role"], ["Calls", "n"], ["Repairs", "n"], ["Tokens in", "n"], ["Tokens out", "n"]], calls.map((c) => tr({}, th("", c.role, (c.unread || []).map((u) => h("span", { class: "reason bad" }, u))), td("n", whole(c.calls)), td("n", whole(c.repairs || 0)), td("n", whole(c.tokens_in)), td("n", whole(c.tokens_out))))));
}
