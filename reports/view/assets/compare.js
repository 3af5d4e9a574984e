// Two runs: which sessions came out differently.
import { h, num, signed, whole, plural, mark, say, replace, table, td, th, tr, isNum, stateWords } from "./dom.js";
import { about, api, go, walk } from "./main.js";
import { pageSize } from "./list.js";
import { pairURL } from "./session.js";

const sorts = [["change", "Largest difference first"], ["diff", "B lower first"], ["-diff", "B higher first"], ["id", "Id"]];

export async function compare({ run, runs, q, current }) {
  if (runs.length < 2) throw new Error("give pepbench view two runs to compare them");
  let now = new URLSearchParams(q);
  const side = (k, other) => { const n = Number(now.get(k)); return now.has(k) && runs[n] ? n : other; };
  let a = side("a", 0), b = side("b", a === 0 ? 1 : 0);
  let by, data;
  const here = (change, { page = false } = {}) => {
    const n = new URLSearchParams(now);
    n.set("a", a);
    n.set("b", b);
    change(n);
    if (!page) n.delete("offset");
    return "/compare?" + n;
  };
  const put = (k, v) => (n) => (v === "" ? n.delete(k) : n.set(k, v));
  const pick = (k, label) => {
    const el = h("select", { id: `run-${k}`, onchange: () => go(here(put(k, el.value))) }, runs.map((r) => h("option", { value: r.id }, r.name)));
    return [el, h("div", { class: "field" }, h("label", { for: `run-${k}` }, label), el)];
  };
  const [selA, fieldA] = pick("a", "A"), [selB, fieldB] = pick("b", "B");
  const sort = h("select", { id: "sort", onchange: () => go(here(put("sort", sort.value === "change" ? "" : sort.value))) }, sorts.map(([v, t]) => h("option", { value: v }, t)));
  const strategy = h("select", { id: "strategy", onchange: () => go(here(put("strategy", strategy.value))) });
  const search = h("input", { type: "search", id: "q", autocomplete: "off", spellcheck: "false", placeholder: "part of an id" });
  let typing = 0;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => go(here(put("q", search.value.trim())), { quiet: true }), 150);
  });
  const summary = h("div"), results = h("div", { class: "results" }), pager = h("nav", { class: "pager", "aria-label": "Pages of the list" }), count = h("p", { class: "count" });
  const links = () => [...results.querySelectorAll("tbody a")];
  const node = h("div", { class: "page" },
    h("div", { class: "head row" }, h("h1", { tabindex: "-1" }, "Compare runs"), count),
    h("p", { class: "muted" }, "Sessions with the same id in both, at the final checkpoint of each. What the numbers prove is for pepbench compare to say; this is to see where they come from."),
    h("form", { class: "bar-form", "aria-label": "What to compare", onsubmit: (e) => e.preventDefault() }, fieldA, fieldB,
      h("div", { class: "field" }, h("label", { for: "strategy" }, "Strategy"), strategy), h("div", { class: "field" }, h("label", { for: "sort" }, "Sort by"), sort),
      h("div", { class: "field" }, h("label", { for: "q" }, "Search ids ", h("kbd", { "aria-hidden": "true" }, "/")), search)),
    summary, results, pager);

  async function update(q, still) {
    now = new URLSearchParams(q);
    a = side("a", 0);
    b = side("b", a === 0 ? 1 : 0);
    const [oa] = await Promise.all([about(a), about(b)]);
    by = new Map(oa.strategies.map((x) => [x.name, x]));
    const ask = new URLSearchParams({ a, b, offset: now.get("offset") || 0, limit: pageSize });
    for (const k of ["sort", "strategy", "q"]) if (now.get(k)) ask.set(k, now.get(k));
    const got = await api(`/api/compare?${ask}`);
    if (!still()) return;
    data = got;
    selA.value = String(a);
    selB.value = String(b);
    sort.value = now.get("sort") || "change";
    replace(strategy, h("option", { value: "" }, "all"), data.tallies.map((t) => h("option", { value: t.strategy }, t.strategy)));
    strategy.value = now.get("strategy") || "";
    if (document.activeElement !== search) search.value = now.get("q") || "";
    count.textContent = `${plural(data.matched, "session")} in both`;
    say(`${plural(data.total, "session")} listed, ${count.textContent}`);
    const offset = Number(ask.get("offset"));
    const unmatched = data.only_a + data.only_b;
    replace(summary, h("section", { "aria-labelledby": "tallies" }, h("h2", { id: "tallies" }, "By strategy"),
      unmatched > 0 && h("p", { class: "note warn" }, `${whole(data.only_a)} only in A and ${whole(data.only_b)} only in B: what one run alone has is left out of all differences.`),
      table("plain tight", "Pairs by strategy", [["Strategy"], ["Pairs", "n"], ["B higher", "n"], ["Same", "n"], ["B lower", "n"], ["Undefined", "n", "one of the two has no alignment"], ["Only A", "n"], ["Only B", "n"]], data.tallies.map((t) => tr({}, th("", mark(by.get(t.strategy)), t.strategy), td("n", whole(t.pairs)), td("n", whole(t.higher)), td("n", whole(t.same)), td("n", whole(t.lower)), td("n", whole(t.undefined)), td("n", whole(t.only[0])), td("n", whole(t.only[1])))))));
    replace(results, h("h2", { id: "pairs" }, "Sessions"), data.rows.length ? table("sessions compare", "Sessions of both runs", [["Session", "strategy"], ["A", "n"], ["B", "n"], ["B − A", "diff n"]], data.rows.map((r) => {
      const href = pairURL(a, r.id, b, r.id);
      const v = (x, st) => (isNum(x) ? num(x, 1) : h("span", { class: "muted" }, stateWords[st]));
      return tr({ class: "open", onclick: (e) => { if (!e.target.closest("a") && !String(getSelection())) go(href); } },
        th("strategy", mark(by.get(r.strategy)), h("a", { href, class: "mono", id: `row-${r.id}`, onclick: () => history.replaceState({ y: scrollY, focus: `row-${r.id}` }, "") }, r.id)),
        td("n", v(r.a, r.state_a)), td("n", v(r.b, r.state_b)), td("diff n", swing(r.diff), h("span", { class: "value" }, signed(r.diff, 1))));
    })) : h("p", { class: "nothing" }, "No session is in both runs and passes this filter."));
    const to = (n) => here((p) => (n > 0 ? p.set("offset", n) : p.delete("offset")), { page: true });
    const last = offset + data.rows.length;
    replace(pager, data.total > pageSize && [
      offset > 0 ? h("a", { class: "button", href: to(offset - pageSize), rel: "prev" }, "← Previous") : h("span", { class: "button off" }, "← Previous"),
      h("span", { class: "muted" }, `${whole(offset + 1)}–${whole(last)} of ${whole(data.total)}`),
      last < data.total ? h("a", { class: "button", href: to(last), rel: "next" }, "Next →") : h("span", { class: "button off" }, "Next →")]);
  }
  await update(now, current);
  return {
    title: `${runs[a].name} and ${runs[b].name}`, node, update, say: count.textContent,
    keys: { "/": () => { search.focus(); search.select(); }, j: () => walk(links, 1), ArrowDown: () => walk(links, 1), k: () => walk(links, -1), ArrowUp: () => walk(links, -1) },
  };
}

// swing is a bar from the middle to either side, 100 points wide each.
const swing = (d) => h("span", { class: "swing", "aria-hidden": "true" }, isNum(d) && h("i", { class: d < 0 ? "down" : "up", "--w": Math.min(50, Math.abs(d) / 2) + "%" }));
