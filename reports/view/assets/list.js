// The sessions of a run: filters, counts, and one page of the list at a time.
import { h, s, num, whole, plural, mark, bar, replace, say, table, td, th, tr, stopWords, stateWords, isNum, unseen, dash } from "./dom.js";
import { about, api, go, walk } from "./main.js";

export const filterKeys = ["strategy", "task", "user", "seed", "stop", "state", "answer", "from", "to", "q", "sort"];
export const pageSize = 100;

// filters keeps of an address what says which list a reader is in.
export function filters(q) {
  const out = new URLSearchParams();
  for (const [k, v] of q) if (filterKeys.includes(k) && v !== "") out.append(k, v);
  return out;
}

const names = { strategy: "Strategy", task: "Task", user: "User", seed: "Seed", stop: "Why it stopped", state: "Outcome", answer: "Task answered" };
const words = (facet, v) => (facet === "stop" ? stopWords(v) : facet === "state" ? stateWords[v] || v : facet === "answer" && v === "unknown" ? "not judged" : v);
const sorts = [["id", "Id"], ["-alignment", "Alignment, best first"], ["alignment", "Alignment, worst first"], ["-questions", "Questions, most first"], ["questions", "Questions, fewest first"]];

export async function list({ run, q, current }) {
  const o = await about(run);
  const by = new Map(o.strategies.map((x) => [x.name, x]));
  let now = new URLSearchParams(q);
  let data = null;
  const here = (change, { page = false } = {}) => {
    const n = new URLSearchParams(now);
    change(n);
    if (!page) n.delete("offset");
    const t = n.toString();
    return `/runs/${run}/sessions${t ? "?" + t : ""}`;
  };
  const put = (k, v) => (n) => (v === "" ? n.delete(k) : n.set(k, v));

  const search = h("input", { type: "search", id: "q", autocomplete: "off", spellcheck: "false", placeholder: "part of an id" });
  const sort = h("select", { id: "sort", onchange: () => go(here(put("sort", sort.value === "id" ? "" : sort.value))) }, sorts.map(([v, t]) => h("option", { value: v }, t)));
  const from = h("input", { type: "number", id: "from", min: 0, max: 100, step: "any", inputmode: "decimal", placeholder: "0", "aria-label": "Alignment from" });
  const to = h("input", { type: "number", id: "to", min: 0, max: 100, step: "any", inputmode: "decimal", placeholder: "100", "aria-label": "Alignment to" });
  for (const [el, k] of [[from, "from"], [to, "to"]]) el.addEventListener("change", () => go(here(put(k, el.value))));
  let typing = 0;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => go(here(put("q", search.value.trim())), { quiet: true }), 150);
  });
  search.addEventListener("keydown", (e) => {
    if (e.key === "Enter" || e.key === "ArrowDown") {
      e.preventDefault();
      links()[0]?.focus();
    }
  });

  const facets = h("div", { class: "facets" });
  const results = h("div", { class: "results" });
  const count = h("p", { class: "count" });
  const histogram = h("div", { class: "histogram" });
  const pager = h("nav", { class: "pager", "aria-label": "Pages of the list" });
  const reset = h("a", { href: `/runs/${run}/sessions`, class: "reset" }, "Clear filters");
  const wide = matchMedia("(min-width: 860px)");
  const panel = h("details", { class: "panel", open: wide.matches },
    h("summary", null, "Filters"),
    h("form", { "aria-label": "Filters", onsubmit: (e) => e.preventDefault() },
      h("div", { class: "field" }, h("label", { for: "q" }, "Search ids ", h("kbd", { "aria-hidden": "true" }, "/")), search),
      h("div", { class: "field" }, h("label", { for: "sort" }, "Sort by"), sort),
      h("fieldset", { class: "field range" }, h("legend", null, "Alignment"), from, h("span", { "aria-hidden": "true" }, "to"), to),
      facets, reset));
  wide.addEventListener("change", () => { panel.open = wide.matches; });

  const node = h("div", { class: "page" },
    h("div", { class: "head row" }, h("h1", { tabindex: "-1" }, "Sessions"), count),
    h("div", { class: "split" }, panel, h("div", { class: "body" }, histogram, results, pager)));

  const links = () => [...results.querySelectorAll("tbody a")];
  const toPage = (offset) => here((n) => (offset ? n.set("offset", offset) : n.delete("offset")), { page: true });
  const over = (step, edge) => () => {
    const offset = data.offset + step * pageSize;
    if (offset < 0 || offset >= data.total) return;
    edge_ = edge;
    go(toPage(offset));
  };
  let edge_ = null;

  async function update(q, still) {
    now = new URLSearchParams(q);
    for (const [el, k] of [[from, "from"], [to, "to"]]) el.value = now.get(k) || "";
    if (document.activeElement !== search) search.value = now.get("q") || "";
    sort.value = now.get("sort") || "id";
    const ask = filters(now);
    ask.set("offset", now.get("offset") || 0);
    ask.set("limit", pageSize);
    const got = await api(`/api/runs/${run}/sessions?${ask}`);
    if (!still()) return;
    data = got;
    drawFacets();
    drawRows();
    const filtered = [...filters(now).keys()].some((k) => k !== "sort");
    reset.hidden = !filtered;
    const text = filtered ? `${whole(data.total)} of ${plural(data.of, "session")}` : plural(data.total, "session");
    count.textContent = text;
    say(text);
    replace(histogram, draw(data, ask));
    document.title = `${text} · pepbench`;
    if (edge_ !== null) {
      links().at(edge_)?.focus();
      edge_ = null;
    }
  }

  function drawFacets() {
    const focus = document.activeElement?.id;
    const open = new Map([...facets.querySelectorAll("details")].map((d) => [d.dataset.facet, d.open]));
    const scrolled = new Map([...facets.querySelectorAll("[data-scroll]")].map((d) => [d.dataset.scroll, d.scrollTop]));
    replace(facets, data.facets.filter((f) => f.values.length > 1 || f.values.some((v) => v.chosen)).map((f) => {
      const sum = Math.max(1, f.values.reduce((a, v) => a + v.n, 0));
      const chosen = f.values.some((v) => v.chosen);
      const ticks = f.values.map((v) => {
        const id = `f-${f.name}-${v.value}`;
        const box = h("input", { type: "checkbox", id, checked: !!v.chosen, onchange: () => go(here((n) => {
          const rest = n.getAll(f.name).filter((x) => x !== v.value);
          n.delete(f.name);
          for (const x of box.checked ? [...rest, v.value] : rest) n.append(f.name, x);
        })) });
        return h("li", null, h("label", { class: "tick", for: id, "--w": (100 * v.n) / sum + "%" }, box, f.name === "strategy" && mark(by.get(v.value)), h("span", { class: "name" }, words(f.name, v.value)), h("span", { class: "n" }, whole(v.n))));
      });
      const group = h("fieldset", null, h("legend", { class: "unseen" }, names[f.name]), h("ul", { "data-scroll": f.name }, ticks), f.more > 0 && h("p", { class: "muted small" }, `${whole(f.more)} more: search for them`));
      return h("details", { "data-facet": f.name, open: open.get(f.name) ?? (chosen || f.values.length <= 24) }, h("summary", null, names[f.name], h("span", { class: "muted" }, ` ${whole(f.values.length + f.more)}`)), group);
    }));
    for (const el of facets.querySelectorAll("[data-scroll]")) el.scrollTop = scrolled.get(el.dataset.scroll) || 0;
    if (focus?.startsWith("f-")) document.getElementById(focus)?.focus({ preventScroll: true });
  }

  function drawRows() {
    const keep = filters(now);
    if (!data.rows.length) {
      replace(results, h("p", { class: "nothing" }, "No session passes these filters. ", h("a", { href: `/runs/${run}/sessions` }, "Clear them")));
      replace(pager);
      return;
    }
    const rows = data.rows.map((r) => {
      const a = new URLSearchParams(keep);
      a.set("id", r.id);
      const href = `/runs/${run}/session?${a}`;
      return tr({ class: "open", onclick: (e) => { if (!e.target.closest("a") && !String(getSelection())) go(href); } },
        th("strategy", mark(by.get(r.strategy)), h("a", { href, id: `row-${r.id}`, onclick: () => history.replaceState({ y: scrollY, focus: `row-${r.id}` }, "") }, r.strategy, unseen(`, task ${r.task}, user ${r.user}, seed ${r.seed}`))),
        td("task mono", r.task), td("user mono", r.user), td("seed n", r.seed), td("questions n", r.questions, h("span", { class: "unit" }, " questions")),
        td("alignment n", bar(isNum(r.alignment) ? r.alignment / 100 : 0, isNum(r.alignment) ? "" : "none"), h("span", { class: "value" }, num(r.alignment, 1))),
        td("answer", answerMark(r.answer)),
        td("stop", r.state === "failed" ? h("span", { class: "bad" }, "failed") : stopWords(r.stop), r.state === "undefined" ? h("span", { class: "tag" }, "undefined") : null));
    });
    replace(results, table("sessions", "Sessions", [["Strategy", "strategy"], ["Task", "task"], ["User", "user"], ["Seed", "seed n"], ["Questions", "questions n"], [`Alignment after ${data.final}`, "alignment n"], ["Answer", "answer"], ["Stopped", "stop"]], rows));
    const last = Math.min(data.offset + data.rows.length, data.total);
    replace(pager, data.total > pageSize && [
      data.offset > 0 ? h("a", { class: "button", id: "prevpage", href: toPage(Math.max(0, data.offset - pageSize)), rel: "prev" }, "← Previous") : h("span", { class: "button off" }, "← Previous"),
      h("span", { class: "muted" }, `${whole(data.offset + 1)}–${whole(last)} of ${whole(data.total)}`),
      last < data.total ? h("a", { class: "button", id: "nextpage", href: toPage(data.offset + pageSize), rel: "next" }, "Next →") : h("span", { class: "button off" }, "Next →")]);
  }

  await update(now, current);
  const focusSearch = () => { panel.open = true; search.focus(); search.select(); };
  const focused = new URLSearchParams(location.hash.slice(1)).has("search");
  return {
    title: "Sessions", node, update, focused,
    shown: () => { if (focused) { history.replaceState(history.state, "", location.pathname + location.search); focusSearch(); } },
    say: count.textContent,
    keys: {
      "/": focusSearch,
      j: () => walk(links, 1, over(1, 0)), ArrowDown: () => walk(links, 1, over(1, 0)),
      k: () => walk(links, -1, over(-1, -1)), ArrowUp: () => walk(links, -1, over(-1, -1)),
    },
  };
}

export function answerMark(a) {
  if (a === "right") return h("span", { class: "right" }, h("span", { "aria-hidden": "true" }, "✓ "), "right");
  if (a === "wrong") return h("span", { class: "wrong" }, h("span", { "aria-hidden": "true" }, "✗ "), "wrong");
  return h("span", { class: "muted" }, dash, unseen("not judged"));
}

// draw is the histogram of the alignment of what is listed.
function draw(data, ask) {
  const total = data.bins.reduce((a, b) => a + b, 0);
  if (!total) return null;
  const most = Math.max(...data.bins), none = data.total - total;
  const spoken = data.bins.map((n, i) => [n, i]).filter(([n]) => n).map(([n, i]) => `${i * 5} to ${i * 5 + 5}: ${n}`).join(", ");
  return h("figure", null,
    s("svg", { viewBox: "0 0 400 46", preserveAspectRatio: "none", role: "img", "aria-label": `Sessions by alignment: ${spoken}${none ? `; without alignment: ${none}` : ""}` },
      data.bins.map((n, i) => n > 0 && s("rect", { x: i * 20 + 1, width: 18, y: 45 - Math.max(1.5, (44 * n) / most), height: Math.max(1.5, (44 * n) / most) }, s("title", null, `alignment ${i * 5} to ${i * 5 + 5}: ${n}`))),
      s("line", { x1: 0, x2: 400, y1: 45.5, y2: 45.5 })),
    h("figcaption", { "aria-hidden": "true" }, h("span", null, "0"), h("span", null, "alignment of what is listed" + (none ? `; ${whole(none)} without` : "")), h("span", null, "100")));
}
