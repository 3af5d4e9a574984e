// Two sessions side by side: two strategies on one case, or one session in two runs.
import { h, num, short, signed, plural, whole, mark, bar, offLog, table, td, th, tr, criterion, cell, same, alignment, stopWords, dash, isNum, unseen } from "./dom.js";
import { about, api, go } from "./main.js";
import { answerMark } from "./list.js";
import { beliefAt, finalOf, lines, pairURL, question, scaleOf, sessionURL, truthShort, weightOf, whyUndefined } from "./session.js";

export async function pair({ runs, q, current }) {
  const a = Number(q.get("a") || 0), b = Number(q.get("b") || 0);
  if (!runs[a] || !runs[b]) throw new Error("there is no such run");
  const get = (run, id) => api(`/api/runs/${run}/session?${new URLSearchParams({ id })}`);
  const [oa, ob, da, db] = await Promise.all([about(a), about(b), get(a, q.get("ida") || ""), get(b, q.get("idb") || "")]);
  if (!current()) return {};
  const sides = [{ run: a, o: oa, d: da }, { run: b, o: ob, d: db }].map(({ run, o, d }, k) => {
    const x = d.session;
    x.turns ||= [];
    x.checkpoints ||= [];
    const strategy = o.strategies.find((z) => z.name === d.row.strategy);
    return { run, o, d, x, row: d.row, strategy, letter: "AB"[k], name: a === b ? d.row.strategy : `${runs[run].name}: ${d.row.strategy}`, final: finalOf(x, d.final) };
  });
  const [A, B] = sides, scale = scaleOf(oa);
  const oneCase = A.row.task === B.row.task && A.row.user === B.row.user && A.row.seed === B.row.seed;
  const aligned = String(A.x.criteria) === String(B.x.criteria);
  const sameTruth = aligned && A.x.truth.cells.every((c, i) => same(c, B.x.truth.cells[i]));

  const choose = (side, k) => {
    const list = side.d.siblings;
    const select = h("select", { id: `side-${side.letter}`, "aria-label": `Strategy of ${side.letter}`, onchange: () => go(k ? pairURL(a, A.row.id, b, select.value) : pairURL(a, select.value, b, B.row.id)) }, list.map((y) => h("option", { value: y.id }, `${y.strategy} (${num(y.alignment, 1)})`)));
    select.value = side.row.id;
    return select;
  };
  const headOf = (side, k) => h("div", { class: "whose" },
    h("p", { class: "letter" }, h("span", { class: "key " + "ab"[k], "aria-hidden": "true" }), side.letter, a !== b && h("span", { class: "muted" }, ` ${runs[side.run].name}`)),
    h("h2", null, mark(side.strategy), side.row.strategy),
    choose(side, k),
    h("p", null, h("a", { href: sessionURL(side.run, side.row.id, new URLSearchParams()) }, "Open ", side.letter, " alone", unseen(`: ${side.row.id}`))),
    side.x.error && h("p", { class: "bad" }, "Failed: ", side.x.error));

  const told = sides.filter((z) => z.strategy?.kind === "oracle").map((z) => z.letter);
  const va = A.row.alignment, vb = B.row.alignment;
  const diff = isNum(va) && isNum(vb) ? vb - va : null;
  const score = h("dl", { class: "tiles" },
    tile(`Alignment A after ${A.d.final}`, num(va, 1), isNum(va) ? "" : A.row.state === "failed" ? "failed" : whyUndefined(A.final)),
    tile(`Alignment B after ${B.d.final}`, num(vb, 1), isNum(vb) ? "" : B.row.state === "failed" ? "failed" : whyUndefined(B.final)),
    tile("B minus A", signed(diff, 1), diff === null ? "undefined, since one of the two is" : ""),
    tile("Questions", `${A.x.turns.length} / ${B.x.turns.length}`, "A / B"));

  // The dialogue, turn by turn. What comes after the first difference differs for reasons
  // of its own, so that one is marked.
  const n = Math.max(A.x.turns.length, B.x.turns.length);
  let first = -1;
  const rows = [];
  const idOf = (x, t) => (t ? (t.question >= 0 ? x.criteria[t.question] : "") : null);
  for (let i = 0; i < n; i++) {
    const ta = A.x.turns[i], tb = B.x.turns[i];
    const otherQ = idOf(A.x, ta) !== idOf(B.x, tb), otherA = !otherQ && !same(ta?.answer, tb?.answer);
    if ((otherQ || otherA) && first < 0) {
      first = i;
      rows.push(tr({ class: "fork" }, h("td", { colspan: 3, role: "cell" }, h("strong", null, "First divergence: "), `question ${i + 1}. `, otherA ? "The same question has another answer." : !ta ? "A asks no more." : !tb ? "B asks no more." : "They ask about different criteria.")));
    }
    rows.push(tr({ class: (otherQ ? "differs" : otherA ? "differs other" : "") + (first === i ? " here" : "") }, th("n", i + 1, otherQ || otherA ? h("span", { class: "ne", title: "differs" }, h("span", { "aria-hidden": "true" }, " ≠"), unseen(" differs")) : null), turnCell(A, ta, i, scale, B), turnCell(B, tb, i, scale, A)));
  }
  const dialogue = n ? table("pairs", "The two dialogues, by question", [["#", "n"], [h("span", null, "A ", h("span", { class: "muted" }, A.row.strategy))], [h("span", null, "B ", h("span", { class: "muted" }, B.row.strategy))]], rows) : h("p", { class: "nothing" }, "Neither asked anything.");

  const points = [...new Set([...A.x.checkpoints, ...B.x.checkpoints].map((c) => c.questions))].sort((p, r) => p - r);
  const at = (x, p) => alignment(x.checkpoints.find((c) => c.questions === p)?.raw);
  const byQuestions = table("plain tight", "Alignment by questions", [["After", "n"], ["A", "n"], ["B", "n"], ["B − A", "n"]], points.map((p) => {
    const u = at(A.x, p), v = at(B.x, p);
    return tr({ class: p === A.d.final ? "on" : "" }, th("n", p), td("n", num(u, 1)), td("n", num(v, 1)), td("n", isNum(u) && isNum(v) ? signed(v - u, 1) : dash));
  }));

  const toldOf = (side, i) => { const k = (side.final?.instructed || []).indexOf(i); return k < 0 ? h("span", { class: "muted" }, dash) : short(side.final.wanted?.[k]); };
  const scoreOf = (side, i) => (side.final?.scores || []).find((z) => z.position === i)?.score;
  const held = aligned ? A.x.truth.cells.map((c, i) => i).filter((i) => typeof A.x.truth.cells[i] === "number" || typeof B.x.truth.cells[i] === "number").sort((i, j) => weightOf(A.x, j) - weightOf(A.x, i) || i - j) : [];
  const grades = table("plain grades2", "True profile and final grades", [["Criterion"], ["Weight", "n"], ["Truth", "t"], ["Told A", "n"], ["Told B", "n"], ["Score A", "n"], ["Score B", "n"], ["B − A", "n"]], held.map((i) => {
    const u = scoreOf(A, i), v = scoreOf(B, i), dv = isNum(u) && isNum(v) ? v - u : null;
    return tr({ class: dv ? "differs" : "" }, th("", criterion(A.x.criteria[i])), td("n", num(weightOf(A.x, i), 2)), td("t", truthShort(A.x.truth.cells[i])), td("n", toldOf(A, i)), td("n", toldOf(B, i)), td("n", short(u)), td("n", short(v)), td("n", signed(dv, 1)));
  }));

  const node = h("div", { class: "page" },
    h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Side by side", h("span", { class: "case" }, oneCase ? ` ${A.row.task} · ${A.row.user} · seed ${A.row.seed}` : ""))),
    !oneCase && h("p", { class: "note warn" }, h("strong", null, "Not the same case. "), `A is ${A.row.task}, ${A.row.user}, seed ${A.row.seed}; B is ${B.row.task}, ${B.row.user}, seed ${B.row.seed}.`),
    oneCase && !sameTruth && h("p", { class: "note warn" }, h("strong", null, "The true profiles differ. "), "The two runs are not on the same data."),
    h("div", { class: "versus" }, headOf(A, 0), headOf(B, 1)),
    score,
    h("section", { "aria-labelledby": "dialogue" }, h("h2", { id: "dialogue" }, "Dialogue"), h("p", { class: "muted small" }, first < 0 ? "The two dialogues are the same." : first === 0 ? "They differ from the first question on." : `The same up to question ${first}.`), dialogue),
    h("div", { class: "two even" },
      h("section", { "aria-labelledby": "fared" }, h("h2", { id: "fared" }, "Alignment by questions"), lines([{ x: A.x, cls: "a", name: "A" }, { x: B.x, cls: "b", name: "B" }], A.d.final), h("p", { class: "legend small" }, h("span", { class: "key a", "aria-hidden": "true" }), "A ", h("span", { class: "key b", "aria-hidden": "true" }), "B"), byQuestions),
      h("section", { class: "truths", "aria-labelledby": "graded" }, h("h2", { id: "graded" }, h("span", { "aria-hidden": "true" }, "◆ "), "True profile and final grades"), h("p", { class: "muted small" }, told.length ? `The truth was told to ${told.join(" and ")}.` : "Neither strategy saw the truth."), aligned ? grades : h("p", null, "The two are about different criteria."))),
    (A.final?.response || B.final?.response) && h("section", { "aria-labelledby": "responses" }, h("h2", { id: "responses" }, "Final responses"), h("div", { class: "two even" }, sides.map((z) => h("div", null, h("h3", null, z.letter, " ", h("span", { class: "muted" }, z.row.strategy)), h("p", { class: "response", tabindex: "0", role: "region", "aria-label": `Response of ${z.letter}` }, z.final?.response || "none"), h("p", { class: "small" }, "Task: ", answerMark(z.row.answer)))))));
  return { title: `${A.name} beside ${B.name}`, node, say: `${A.name} beside ${B.name}, ${plural(n, "question")}`, keys: { u: () => go(sessionURL(a, A.row.id, new URLSearchParams())), c: () => document.getElementById("side-B")?.focus() } };
}

const tile = (name, value, note) => h("div", null, h("dt", null, name), h("dd", null, h("span", { class: "big" }, value), note && h("span", { class: "muted" }, " ", note)));

function turnCell(side, t, i, scale, other) {
  const x = side.x;
  if (!t) return td("gone", h("span", { class: "muted" }, i === x.turns.length ? stopWords(x.stop) : ""));
  const p = t.question >= 0 ? [beliefAt(x, i)?.held?.[t.question], t.inference?.held?.[t.question]] : [];
  return td("", h("div", { class: "q" }, question(x, t.question)), t.asked && h("div", { class: "words" }, t.asked), h("div", { class: "reply" }, h("span", { class: "said" }, cell(t.answer, scale)), t.said && h("q", null, t.said), isNum(p[0]) && h("span", { class: "muted" }, `P(held) was ${num(p[0], 2)}`), elsewhere(x, t, i, other), t.off_log && offLog(t.off_log)));
}

// elsewhere says where in its own dialogue the other side asked the same.
function elsewhere(x, t, i, other) {
  if (t.question < 0) return null;
  const id = x.criteria[t.question];
  const at = other.x.turns.findIndex((u) => u.question >= 0 && other.x.criteria[u.question] === id);
  if (at === i) return null;
  return h("span", { class: "muted" }, at < 0 ? `${other.letter} never asked it` : `${other.letter} asked it as question ${at + 1}`);
}
